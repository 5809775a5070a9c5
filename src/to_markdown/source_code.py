"""Programs and data -> Markdown: code as it is, in fences with its language, below headings of what it defines.

Of Python the parser says what that is; of other languages their declarations at the beginning of a line do. Comments
right above a definition stay with it. Data has no headings.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator

from .markdown import fence
from .raw_file import Conversion, RawFile, decode

DATA = {
    **{language: f"application/{language}" for language in ("json", "toml", "xml", "yaml")},
    "ini": "text/x-ini",
}
SUFFIXES = {
    "bash": ".bash .sh .zsh .ksh", "c": ".c .h", "cpp": ".cc .cpp .cxx .hh .hpp .hxx", "csharp": ".cs", "css": ".css",
    "dart": ".dart", "elixir": ".ex .exs", "erlang": ".erl", "fortran": ".f .f90", "go": ".go", "graphql": ".graphql",
    "groovy": ".groovy .gradle", "haskell": ".hs", "hcl": ".tf .hcl", "ini": ".ini .cfg .properties", "java": ".java",
    "javascript": ".js .mjs .cjs .jsx", "json": ".json .json5 .geojson", "julia": ".jl", "kotlin": ".kt .kts",
    "lua": ".lua", "ocaml": ".ml .mli", "perl": ".pl .pm", "php": ".php", "powershell": ".ps1 .psm1",
    "protobuf": ".proto", "python": ".py .pyi .pyw", "r": ".r", "ruby": ".rb", "rust": ".rs", "scala": ".scala",
    "scss": ".scss .less", "sql": ".sql", "swift": ".swift", "toml": ".toml", "typescript": ".ts .tsx .mts",
    "vue": ".vue", "xml": ".xml .xsd .xsl .xslt .plist .rss .atom", "yaml": ".yaml .yml",
}  # fmt: skip
KINDS = {language: DATA.get(language, f"text/x-{language}") for language in SUFFIXES}
BY_SUFFIX = {suffix: KINDS[language] for language, suffixes in SUFFIXES.items() for suffix in suffixes.split()}
INTERPRETERS = {"sh": "bash", "dash": "bash", "zsh": "bash", "ksh": "bash", "node": "javascript", "rscript": "r"}
BEFORE = (
    r"(?:(?:export|default|declare|async|pub(?:\([^)\n]*\))?|public|private|protected|internal|static|abstract|final"
    r"|sealed|partial|open|data|unsafe|inline)\s+)*"
)
DECLARED = re.compile(
    rf"^(?:{BEFORE}(?:function\*?|class|interface|struct|enum|union|trait|impl|record|object|protocol|extension|module"
    r"|defmodule|namespace|package|message|service|fn|func|fun|def|sub|type)|(?i:create(?:\s+or\s+replace)?(?:\s+temp"
    r"(?:orary)?)?\s+(?:table|view|function|procedure|trigger|type)(?:\s+if\s+not\s+exists)?))"
    r"\s+(?:\([^)\n]*\)\s*)?([\w$.:\"`]+)"
    r"|^([\w-]+)\s*\(\)\s*\{"  # of shells
)
FUNCTION = re.compile(
    r"(?!(?:return|else|typedef|case)\b)[A-Za-z_][\w\s*&:<>,]*?[\s*&]([\w:~]+)\s*\([^;{}=]*\)?\s*\{?$"
)
BESIDE = re.compile(r"\s*(?://|/?\*|#(?![a-z!])|--|@|;;)")  # comments and attributes above what they are about


def code_type(text: str, suffix: str) -> str:
    """The media type of code, by its suffix, its first line, or, of JSON, all of it; nothing where it is none."""
    if suffix in BY_SUFFIX:
        return BY_SUFFIX[suffix]
    if found := re.match(r"#!\s*\S*/(?:env\s+(?:-S\s+)?)?([A-Za-z]+)[\d.]*\b", text):
        return KINDS.get(INTERPRETERS.get(found[1].lower(), found[1].lower()), "")
    if text.startswith("<?xml"):
        return KINDS["xml"]
    if suffix not in {".jsonl", ".ndjson"} and re.match(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"])", text):
        try:
            json.loads(text)
        except ValueError:
            return ""
        return KINDS["json"]
    return ""


def from_code(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    kind = code_type(text, file.suffix)
    language = next(language for language, its_kind in KINDS.items() if its_kind == kind)
    lines = text.split("\n")
    marks = [] if language in DATA else _definitions(text, lines, language, file.name)
    blocks = fence("\n".join(lines), language) if not marks else []
    for (start, level, name), (end, _, _) in itertools.pairwise([*marks, (len(lines), 0, "")]):
        if code := fence("\n".join(lines[start:end]), language):
            blocks += [f"{'#' * level} {name}", *code]
    return Conversion("", "\n\n".join(blocks), warnings)


def _definitions(text: str, lines: list[str], language: str, module: str) -> list[tuple[int, int, str]]:
    """The first line, level and name of each definition, in their order, and of what stands between them.

    Comments above a definition are part of it. Nothing where nothing is defined.
    """
    found = _of_python(text, module) if language == "python" else None
    marks = [(0, 1, module)]
    for start, level, name in _of_others(lines, language) if found is None else found:
        above = marks[-1][0] + 1 if len(marks) > 1 else 0
        while level > 1 and start > above and BESIDE.match(lines[start - 1]):
            start -= 1
        marks.append((start, level, name))
    return marks if len(marks) > 1 else []


def _of_python(text: str, module: str) -> list[tuple[int, int, str]] | None:
    """Functions and classes, the methods of these, and the module again; None of what this Python cannot parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: list[tuple[int, int, str]] = []

    def add(nodes: list[ast.stmt], level: int, above: str) -> None:
        for node in nodes:
            line = node.lineno - 1
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                line = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
                found.append((line, level, above + node.name))
                if isinstance(node, ast.ClassDef) and level < 6:
                    add(node.body, level + 1, f"{above}{node.name}.")
            elif found and level <= found[-1][1] and found[-1][2] != (above[:-1] or module):
                found.append((line, level - 1, above[:-1] or module))

    add(tree.body, 2, "")
    return found


def _of_others(lines: list[str], language: str) -> Iterator[tuple[int, int, str]]:
    for at, line in enumerate(lines):
        if len(line) < 500 and line[:1].strip():
            named = DECLARED.match(line) or (FUNCTION.match(line) if language in {"c", "cpp"} else None)
            if named and (name := next(filter(None, named.groups()), "").strip('"`:')):
                yield at, 2, name
