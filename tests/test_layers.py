"""Who may import whom, read from the source; and that importing the package is light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ai_tools

PACKAGE = Path(ai_tools.__file__).parent
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}  # each is one module to the others
MODULES = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} | FOLDERS
HEAVY = [
    "torch",
    "transformers",
    "datasets",
    "trl",
    "peft",
    "pandas",
    "matplotlib",
    "IPython",
    "papermill",
    "lemminflect",
    "aiohttp",
    "openai",
    "json_repair",
    "lxml",
    "trafilatura",
    "pypdfium2",
    "lancedb",
    "pyarrow",
]

# Each row may import the rows above it; `EXTRA` adds to that, `NEVER` takes away from it, `ONLY` stands instead of it.
ROWS = (
    {"records", "errors"},
    {"settings", "chunking", "matching", "naming", "replies", "converters", "sources", "sync"},
    {"store", "journal", "prompts", "formats", "providers", "fill_ins"},
    {"costs"},
    {"documents", "review", "seeds", "offline", "students", "pacing", "client"},
    {"teachers", "chunk_files"},
    {"asking", "chunk_folder"},
    {"rehearsal"},
    {"generation", "curation", "mixing", "training", "evaluation"},
    {"tools"},
    {"machine", "view", "runner", "browse", "cli"},
)
EXTRA = {"runner": {"view"}, "browse": {"view"}, "cli": {"machine", "view", "runner"}}
NEVER = {name: {"students"} for name in ("asking", "generation", "curation", "mixing")}
ONLY = {"offline": {"records", "errors"}, "converters": {"errors"}}
INSIDE = {  # what the modules of a folder may import of one another: those to their left
    "chunking": ("blocks", "packing", "__init__"),
    "cli": ("config", "options", "series", "single", "teacher", "__init__"),
    "converters": (
        *("given", "markdown", "archives", "media_types", "text", "html_blocks", "html", "office", "epub"),
        *("pdf_words", "pdf_tables", "pdf_page", "pdf_structure", "pdf_layout", "pdf", "pdf_docling", "__init__"),
    ),
    "documents": ("workers", "fetching", "conversions", "__init__"),
    "offline": (
        *("english", "answers", "clauses", "grammar", "blocks", "facts", "values", "orders", "phrase_rules"),
        *("clause_rules", "asker", "soundness", "wordings", "calls", "judging", "evidence"),
        *("reviewer", "turning", "rewriter", "reasoner", "teacher", "__init__"),
    ),
    "tools": (
        *("running", "pair_files", "pairs", "chunk", "passages", "outputs", "rework", "targets", "qa_folder"),
        *("reasoning", "enrich", "export", "generate", "rate", "figures", "preferences", "report", "compare"),
        *("pipeline", "__init__"),
    ),
    "view": ("watching", "lines", "tables", "plots", "page", "__init__"),
}


def may_import(module: str) -> set[str]:
    row = next(number for number, names in enumerate(ROWS) if module in names)
    above = {name for names in ROWS[:row] for name in names}
    return ONLY.get(module, (above | EXTRA.get(module, set())) - NEVER.get(module, set()))


def imports_of(source: str, level: int = 1) -> set[str]:
    """Modules that a source imports anywhere, those for type checkers aside: by `level` dots, or by the full name."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(name.name.split(".")[1] for name in node.names if name.name.startswith("ai_tools."))
        elif isinstance(node, ast.ImportFrom):
            inside = node.level == level or (not node.level and (node.module or "").split(".")[0] == "ai_tools")
            parts = [part for part in (node.module or "").split(".") if part != "ai_tools"]
            if inside:
                found.update([parts[0]] if parts and parts[0] else [name.name for name in node.names])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return found


def sources_of(module: str) -> dict[str, str]:
    """The source files of a module, by their place in the package."""
    folder = PACKAGE / module
    files = sorted(folder.glob("*.py")) if module in FOLDERS else [PACKAGE / f"{module}.py"]
    return {str(file.relative_to(PACKAGE)): file.read_text("utf-8") for file in files}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    assert any(module in row for row in ROWS), f"{module} has no place in the law of imports"
    for file, source in sources_of(module).items():
        assert imports_of(source, 2 if module in FOLDERS else 1) & MODULES <= may_import(module), file


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_the_modules_of_a_folder_import_one_another_one_way(folder: str) -> None:
    order = INSIDE[folder]
    assert sorted(order) == sorted(path.stem for path in (PACKAGE / folder).glob("*.py"))
    for place, name in enumerate(order):
        assert imports_of((PACKAGE / folder / f"{name}.py").read_text("utf-8")) & set(order) <= set(order[:place]), name


def test_nobody_outside_a_folder_reaches_into_it() -> None:
    inner = re.compile(rf"^\s*(?:from|import) (?:\.|ai_tools\.)(?:{'|'.join(FOLDERS)})\.", re.MULTILINE)
    assert [path.name for path in PACKAGE.glob("*.py") if inner.search(path.read_text("utf-8"))] == []


def test_every_place_in_the_law_is_held_by_a_module() -> None:
    assert {name for row in ROWS for name in row} == MODULES


def test_the_law_sees_imports_of_every_form() -> None:
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
import ai_tools.journal
from . import store, students
from .mixing import mix
from ai_tools.view import table
if TYPE_CHECKING:
    from .runner import run
def late():
    from ai_tools import cli
"""
    assert imports_of(source) & MODULES == {"journal", "store", "students", "mixing", "view", "cli"}


def test_the_package_itself_imports_none_of_its_modules() -> None:
    assert imports_of((PACKAGE / "__init__.py").read_text("utf-8")) & MODULES == set()


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert ai_tools.__all__ == sorted(ai_tools.__all__)
    for name in ai_tools.__all__:
        assert getattr(ai_tools, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ai_tools.nothing  # noqa: B018


def test_importing_every_module_loads_nothing_heavy_and_asks_no_network() -> None:
    script = f"""
import importlib, sys
def watch(event, _):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit("the network was asked: " + event)
sys.addaudithook(watch)
import ai_tools
inside = [name for name in sys.modules if name.startswith("ai_tools.")]
for name in {sorted(MODULES)}:
    importlib.import_module("ai_tools." + name)
print(inside, [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[] []", done.stderr
