"""Who may import whom, read from the source; and that importing the package is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ai_tools

PACKAGE = Path(ai_tools.__file__).parent
MODULES = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
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
]

# Each row may import the rows above it; `EXTRA` adds to that and `NEVER` takes away from it.
ROWS = (
    {"records", "errors", "english"},
    {"settings", "chunking", "matching", "clauses", "answers", "replies"},
    {"store", "journal", "prompts", "formats", "facts", "providers"},
    {"wordings", "costs"},
    {"documents", "offline", "students", "pacing", "client"},
    {"teachers"},
    {"asking"},
    {"rehearsal"},
    {"generation", "curation", "mixing", "training", "evaluation"},
    {"tools"},
    {"machine", "view", "runner", "cli"},
)
EXTRA = {"runner": {"view"}, "cli": {"machine", "view", "runner"}}
NEVER = {name: {"students"} for name in ("asking", "generation", "curation", "mixing")}
ONLY = {
    "english": set(),
    "answers": {"english"},
    "clauses": {"english"},
    "facts": {"english", "clauses"},
    "wordings": {"english", "answers", "clauses", "facts"},
}
LANGUAGE = set(ONLY)  # the offline teacher's own, which nothing else reads


def may_import(module: str) -> set[str]:
    row = next(number for number, names in enumerate(ROWS) if module in names)
    above = {name for names in ROWS[:row] for name in names}
    if module in ONLY:
        return ONLY[module]
    hidden = set() if module in {"offline", "cli"} else LANGUAGE
    return (above | EXTRA.get(module, set())) - NEVER.get(module, set()) - hidden


def imports_of(source: str) -> set[str]:
    """Modules of the package that a source imports anywhere, those for type checkers aside."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(name.name.split(".")[1] for name in node.names if name.name.startswith("ai_tools."))
        elif isinstance(node, ast.ImportFrom):
            inside = node.level > 0 or (node.module or "").split(".")[0] == "ai_tools"
            parts = [part for part in (node.module or "").split(".") if part != "ai_tools"]
            if inside:
                found.update([parts[0]] if parts and parts[0] else [name.name for name in node.names])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return found & MODULES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    assert any(module in row for row in ROWS), f"{module}.py has no place in the law of imports"
    assert imports_of((PACKAGE / f"{module}.py").read_text("utf-8")) <= may_import(module)


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
    assert imports_of(source) == {"journal", "store", "students", "mixing", "view", "cli"}


def test_the_package_itself_imports_none_of_its_modules() -> None:
    assert imports_of((PACKAGE / "__init__.py").read_text("utf-8")) == set()


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
