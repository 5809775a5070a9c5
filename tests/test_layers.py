"""Who may import whom, read from the source; and that importing the packages is light."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ai_tools
from ai_tools.workspace import TINY_STUDENT

SOURCE = Path(ai_tools.__file__).parents[1]
PACKAGES = ("ai_tools", "offline_teacher", "to_markdown")
HEAVY = [
    *("torch", "transformers", "datasets", "trl", "peft", "pandas", "matplotlib", "IPython", "papermill"),
    *("lemminflect", "aiohttp", "openai", "httpx2", "json_repair", "lxml", "trafilatura", "pypandoc"),
    *("pypdfium2", "lancedb"),
    "pyarrow",
]

# A room is a module or a folder of `ai_tools`, or a package beside it. Each row may import the rows above it, and its
# own rooms those to their left; ONLY stands instead of that, SHARED are the modules of a folder that all of it may use.
GROUND = ("escaping", "errors", "records", "matching", "aliases", "sync", "variables")
ROWS = (
    *((room,) for room in GROUND),
    ("settings", "sources", "files", "workers", "to_markdown", "offline_teacher"),
    ("workspace", "packaged"),
    ("teachers",),
    ("checks",),
    ("documents",),
    ("machine",),
    ("steps",),
    ("view",),
    ("tools",),
    ("runner",),
    ("cli",),
)
ONLY = {"to_markdown": {"escaping", "errors", "records"}, "offline_teacher": {"errors", "records"}}
APART = {"offline_teacher"}  # nobody imports it: it comes in by a line of providers.yaml
INSIDE = {  # what the modules of a folder may import of one another: those to their left
    "cli": ("config", "options", "series", "single", "student", "teacher", "__init__"),
    "documents": (
        *("numbers", "injection", "sensitive", "screening", "file_names", "fetching", "cache", "convert", "blocks"),
        *("packing", "chunking", "outlines", "seeds", "passages", "chunk_folder", "__init__"),
    ),
    "offline_teacher": (
        *("english", "tagging", "answers", "clauses", "grammar", "doubt", "phrases", "blocks", "memory", "facts"),
        *("values", "orders", "phrase_rules", "clause_rules", "asker", "soundness", "wordings", "calls", "judging"),
        *("evidence", "reviewer", "turning", "rewriter", "reasoner", "teacher", "__init__"),
    ),
    "teachers": (
        *("json_text", "providers", "budget", "replies", "schemas", "sizes", "prompts", "journal", "wire"),
        *(
            "contexts",
            "standing",
            "dialect",
            "client",
            "pace",
            "throttle",
            "asker",
            "by_id",
            "connect",
            "dry_run",
            "__init__",
        ),
    ),
    "to_markdown": (
        *("guessing", "raw_file", "markdown", "archives", "text", "pandoc_blocks", "pandoc", "formulas", "office"),
        *("html_code", "html_marks", "html_blocks", "html", "markdown_file", "mail", "subtitles", "source_code"),
        *("man_page", "media_types", "docx_styles", "docx", "latex", "odt", "pptx", "sheets"),
        *("notebook", "epub_notes", "epub", "typst", "rtf"),
        *("number_formats", "xlsx"),
        *("pdf_words", "pdf_bidi", "pdf_tables", "pdf_page", "pdf_structure", "pdf_layout", "pdf", "pdf_docling"),
        *("__init__", "kept"),
    ),
    "tools": (
        *("running", "pair_files", "pairs", "chunk", "reading", "outputs", "rework", "targets", "earlier", "one_file"),
        *("qa_folder", "reasoning", "enrich", "export", "generate", "rate", "figures", "preferences", "scores"),
        *("report", "compare", "pipeline", "qa_generator", "__init__"),
    ),
    "view": ("progress", "lines", "tables", "plots", "report", "widgets", "__init__"),
}
# The steps take and return records and never one another, but for what all of them share; what writes training
# material never knows a student.
STEPS = {
    **{name: set[str]() for name in ("formats", "markup", "tiny", "fill_ins", "curation", "generation", "__init__")},
    "review": {"formats"},
    "mixing": {"formats", "fill_ins"},
    "templates": {"formats", "markup"},
    "students": {"formats", "markup", "templates", "tiny"},
    "batches": {"formats", "markup", "students", "templates"},
    "adapters": {"batches", "students"},
    "trainer": {"adapters", "batches", "students"},
    "distilling": {"batches", "formats", "markup", "students", "trainer"},
    "faults": {"batches"},
    "preflight": {"batches", "faults"},
    "training": {"adapters", "batches", "distilling", "faults", "formats", "students", "tiny", "trainer"},
    "evaluation": {"students"},
}

Import = tuple[str, ...]  # the parts of a module's name


def modules() -> Iterator[tuple[Import, Path]]:
    """Every module of the three packages by its name: `("ai_tools", "steps", "mixing")`, a folder's face `__init__`."""
    for package in PACKAGES:
        for path in sorted((SOURCE / package).rglob("*.py")):
            yield path.relative_to(SOURCE).with_suffix("").parts, path


KNOWN = {name for name, _ in modules()} | {name[:-1] for name, _ in modules() if name[-1] == "__init__"}
ROOMS = {room for row in ROWS for room in row}


def room_of(name: Import) -> str:
    """The room that a module is in; empty for the face of `ai_tools`."""
    inside = name[1:] if name[0] == "ai_tools" else name
    return "" if not inside or inside[0] == "__init__" else inside[0]


def imports_of(source: str, name: Import) -> set[Import]:
    """What a module imports of the three packages, wherever it does; those for type checkers aside."""
    found: set[Import] = set()

    def add(base: Import, names: list[str]) -> None:
        if base and base[0] in PACKAGES:
            found.update((*base, one) if (*base, one) in KNOWN else base for one in names or [""])

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            for one in node.names:
                add(tuple(one.name.split(".")), [])
        elif isinstance(node, ast.ImportFrom):
            start = name[: len(name) - node.level] if node.level else ()
            add((*start, *(node.module or "").split(".")) if node.module else start, [one.name for one in node.names])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return {one for one in found if one != ("ai_tools",)}


def breaches(source: str, name: Import) -> list[str]:
    """The imports of a module that the law forbids, each as a sentence."""
    room = room_of(name)
    if not room:
        return [f"ai_tools itself imports {'.'.join(one)}" for one in imports_of(source, name)]
    row = next(number for number, rooms in enumerate(ROWS) if room in rooms)
    above = ONLY.get(room, {one for rooms in ROWS[:row] for one in rooms} - APART)
    return [
        f"{'.'.join(name)} imports {'.'.join(one)}"
        for one in sorted(imports_of(source, name))
        if not (_inside_allowed(name, one) if room_of(one) == room else room_of(one) in above)
    ]


def _inside_allowed(name: Import, imported: Import) -> bool:
    room, me = room_of(name), name[-1]
    other = imported[-1] if imported[-1] != room else "__init__"
    if room == "steps":
        return other in STEPS[me]
    order = INSIDE[room]
    return order.index(other) < order.index(me)


@pytest.mark.parametrize(
    ("name", "path"), list(modules()), ids=lambda part: ".".join(part) if isinstance(part, tuple) else ""
)
def test_a_module_imports_only_what_stands_above_it(name: Import, path: Path) -> None:
    assert not room_of(name) or room_of(name) in ROOMS, f"{'.'.join(name)} has no place in the law of imports"
    assert breaches(path.read_text("utf-8"), name) == []


def test_the_cached_tiny_student_depends_on_all_steps_that_build_it() -> None:
    found, left = set[str](), {"training"}
    while left:
        found.add(name := left.pop())
        source = (SOURCE / "ai_tools" / "steps" / f"{name}.py").read_text("utf-8")
        imported = imports_of(source, ("ai_tools", "steps", name))
        left |= {one[-1] for one in imported if room_of(one) == "steps"} - found
    assert {path.stem for path in TINY_STUDENT if path.suffix == ".py"} == found


def test_every_place_in_the_law_is_held_by_a_module() -> None:
    assert {room_of(name) for name, _ in modules()} - {""} == ROOMS
    for folder, order in {**INSIDE, "steps": tuple(STEPS)}.items():
        place = SOURCE / folder if folder in PACKAGES else SOURCE / "ai_tools" / folder
        assert sorted(order) == sorted(path.stem for path in place.glob("*.py")), folder


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("errors", "from .records import Call"),
        ("records", "from . import matching"),
        ("matching", "from .sync import run_sync"),
        ("aliases", "from .files import read_rows"),
        ("sync", "from .settings import Settings"),
        ("settings", "from .workspace import Step"),
        ("sources", "import to_markdown.pdf"),
        ("files", "from . import settings"),
        ("to_markdown.html", "from ai_tools.matching import words"),
        ("to_markdown.html", "from offline_teacher import english"),
        ("offline_teacher.facts", "from ai_tools import matching"),
        ("offline_teacher.english", "from .facts import Fact"),
        ("workspace", "from .teachers import prompts"),
        ("teachers.connect", "from offline_teacher import OfflineTeacher"),
        ("teachers.prompts", "from .asker import Asker"),
        ("documents.convert", "from ..steps import students"),
        ("machine", "from .runner import run"),
        ("checks", "from .steps import curation"),
        ("steps.generation", "from . import students"),
        ("steps.mixing", "from .evaluation import load_exam"),
        ("steps.training", "from ..tools import export"),
        ("view.tables", "from ..tools import compare"),
        ("tools.export", "def late():\n    from ..runner import run"),
        ("tools.pairs", "from .pipeline import pipeline"),
        ("runner", "from ai_tools.cli import main"),
        ("cli.config", "from .single import generate"),
    ],
)
def test_each_row_of_the_law_sees_a_breach(module: str, line: str) -> None:
    name = tuple(module.split("."))
    assert len(breaches(line, name if name[0] in PACKAGES else ("ai_tools", *name))) == 1


def test_the_law_sees_imports_of_every_form() -> None:
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
import ai_tools.teachers.journal
from . import mixing, students
from .formats import messages
from ..teachers import prompts
from ai_tools.view import table
import to_markdown
if TYPE_CHECKING:
    from ..runner import run
def late():
    from ai_tools import cli
"""
    found = {".".join(name) for name in imports_of(source, ("ai_tools", "steps", "curation"))}
    steps = {"ai_tools.steps.mixing", "ai_tools.steps.students", "ai_tools.steps.formats"}
    others = {"ai_tools.teachers.journal", "ai_tools.teachers.prompts", "ai_tools.view", "ai_tools.cli", "to_markdown"}
    assert found == steps | others


def homes(name: Import, path: Path) -> Iterator[tuple[str, str]]:
    """Each type of a module, a class or an alias, without an opening underscore, and the module."""
    tree = ast.parse(path.read_text("utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assigned = [
        node for node in tree.body if isinstance(node, ast.Assign) and "TypeVar(" not in ast.unparse(node.value)
    ]
    aliases = [target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)]
    for type_name in (*classes, *(one for one in aliases if re.match("_?[A-Z][A-Za-z]*[a-z]", one))):
        yield type_name.lstrip("_"), ".".join(name)


def test_no_two_types_have_one_name() -> None:
    known: dict[str, list[str]] = {}
    for name, path in modules():
        for type_name, module in homes(name, path):
            known.setdefault(type_name, []).append(module)
    assert {name: places for name, places in known.items() if len(places) > 1} == {}


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert ai_tools.__all__ == sorted(ai_tools.__all__)
    for name in ai_tools.__all__:
        assert getattr(ai_tools, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ai_tools.nothing  # noqa: B018


def test_importing_every_module_loads_nothing_heavy_and_asks_no_network() -> None:
    names = [".".join(name).removesuffix(".__init__") for name, _ in modules() if name[0] == "ai_tools"]
    names += PACKAGES  # their faces: readers load what they stand on when they are first used
    script = f"""
import importlib, sys
def watch(event, _):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit("the network was asked: " + event)
sys.addaudithook(watch)
import ai_tools
inside = [name for name in sys.modules if name.startswith("ai_tools.")]
for name in {names}:
    importlib.import_module(name)
print(inside, [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[] []", done.stderr
