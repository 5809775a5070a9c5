"""LaTeX -> Markdown: by pandoc, once the marks of lists are in a form that it reads; sections that the text refers to
by number have it.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from .pandoc import from_markup, tree_of
from .raw_file import RawFile

OPTIONS = re.compile(r"\\begin\{enumerate\}\s*\[([^][]*\b(?:label|start)\s*=[^][]*)\]")
OWN_LABEL = re.compile(
    r"\\begin\{enumerate\}\s*\\(?:def|renewcommand\*?)\s*\{?\\labelenum[iv]+\}?\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
)
IN_TABLE = r"(?:(?!\\end\{longtable\}).)*"
REPEATED_HEAD = re.compile(rf"\\endfirsthead{IN_TABLE}?\\endhead", re.DOTALL)
FOOT = re.compile(rf"\\endhead{IN_TABLE}\\end(?:last)?foot\b", re.DOTALL)
COLOURED = re.compile(r"\\begin\{Highlighting\}(?:\[[^]]*\])?\n(.*?)\n\\end\{Highlighting\}", re.DOTALL)
TOKEN = re.compile(r"\\[A-Za-z]+Tok\{((?:[^{}\\]|\\.|\{\})*)\}")
ITEM = re.compile(r"\\item\s*\[([^]]*)\]")
INNER = r"(?:[^\\]|\\(?!(?:begin|end)\{enumerate\}|item\s*\[))*+"  # of a list, but for such items and inner lists
OWN_MARKS = re.compile(rf"\\begin\{{enumerate\}}({INNER}(?:\\item\s*\[{INNER})++)\\end\{{enumerate\}}")
CODE_SIGNS = {"\\textquotesingle{}": "'", "\\textbackslash{}": r"\\", "\\^{}": "^", "\\~{}": "~"}
COUNTERS = {"alph": "a", "Alph": "A", "roman": "i", "Roman": "I", "arabic": "1"}
SILENT_NAMES = """
    begin end vspace hspace index label setlength addtolength setcounter addtocounter pagestyle thispagestyle geometry
    bibliography bibliographystyle hypersetup fontsize selectfont input include usepackage documentclass graphicspath
    addbibresource phantomsection addcontentsline markboth markright definecolor pagecolor rule vskip hskip newtheorem
    enlargethispage theoremstyle numberwithin newcounter renewcommand newcommand newenvironment titleformat
    DeclareMathOperator
"""
SILENT = set(SILENT_NAMES.split())
# Signs that pandoc drops without a word, each behind its command.
SIGN_NAMES = """
    textperthousand ‰ perthousand ‰ permil ‰ permille ‰ percent % textpercent % texteuro € EUR € eurologo €
    texttrademark ™ textminus \u2212 textpm ± texttimes \xd7 textdiv ÷ degree ° textcelsius °C celsius °C textohm Ω
    ohm Ω textordmasculine º textordfeminine ª textonesuperior ¹ textrightarrow → textleftarrow ← textnumero №
    checkmark ✓
"""
SIGNS = dict(zip(SIGN_NAMES.split()[::2], SIGN_NAMES.split()[1::2], strict=True))
# How a command is defined that pandoc does not take for a definition: its name, its arguments, what it stands for.
DEFINED = re.compile(r"\\(?:New|Renew|Provide|Declare)DocumentCommand\s*\{?(\\[A-Za-z]+)\}?\s*\{((?:\s*\+?m)*)\s*\}")
OWN = re.compile(r"(\\(?:re)?newcommand\*?\s*\{?\\[A-Za-z]+\}?\s*\[1\]\s*)\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
CENTRED = re.compile(r"\\centering\b|\\begin\{center\}|\\centerline\b")
LARGE = re.compile(r"\\(?:bfseries|textbf|large|Large|LARGE|huge|Huge)\b")
ASIDE = re.compile(r"\\(?:addcontentsline\{\w+\}\{\w+\}|markboth\{[^{}]*\}|markright|label)\{[^{}]*\}")
HEADING = re.compile(r"(?i)heading|chapter|section")
BOOK = re.compile(r"\\documentclass[^{]*\{[^}]*(?:report|book|memoir|reprt|thesis)|\\chapter\b")
NUMBERED = 3  # levels of sections


def _parse(text: str, file: RawFile) -> dict[str, Any]:
    """The tree. Commands of packages that pandoc does not know are read again as what they are about."""
    text = _with_marks(_with_definitions(text))
    tree, unknown = _read(text, file)
    if unknown:
        definitions = "".join(dict.fromkeys(unknown.values()))
        words = sorted({command for command in unknown if "{" in command.rstrip("{}")}, key=_numbers_first)
        with suppress(ValueError):  # what is defined so may mean more than pandoc says
            tree, unknown = _read(definitions + text, file)
            if words:
                said = f"commands that the file does not define, shown as the words given to them: {len(words)}"
                tree["warnings"].append(f"{said}, such as {' '.join(words[0].split())[:40]}")
    if left := list(unknown):
        tree["warnings"].append(f"commands left out: {len(left)}, such as {' '.join(left[0].split())[:40]}")
    _number_sections(tree["blocks"])
    return tree


def _read(text: str, file: RawFile) -> tuple[dict[str, Any], dict[str, str]]:
    """The tree, and for each unknown command of the text a definition; what stands before the text is about looks."""
    tree = tree_of(text.encode("utf-8", "replace"), "latex", file)
    before, begun, _ = text.partition("\\begin{document}")
    first = before.count("\n") if begun else -1
    skipped = {command: _as_its_words(command, _top(text)) for command, line in tree["skipped"] if int(line) > first}
    return tree, {command: definition for command, definition in skipped.items() if definition}


def _with_definitions(text: str) -> str:
    """The text with its own commands as pandoc knows them; one that sets words large in the middle is a heading."""
    text = re.sub(r"\\long\s*(?=\\[gex]?def\b)", "", text)
    text = DEFINED.sub(lambda found: f"\\newcommand{{{found[1]}}}[{found[2].count('m')}]", text)

    def own(found: re.Match[str]) -> str:
        body = ASIDE.sub("", found[2])
        if CENTRED.search(body) and LARGE.search(body) and body.count("#1") == 1 and not HEADING.search(body):
            return f"{found[1]}{{\\{_top(text)}{{#1}}}}"
        return found[0]

    return OWN.sub(own, text)


def _top(text: str) -> str:
    """The highest heading of a text."""
    return "chapter" if BOOK.search(text) else "section"


def _numbers_first(command: str) -> tuple[bool, str]:
    return not re.search(r"\{[^{}]*\d", command), command


def _as_its_words(skipped: str, top: str) -> str:
    """A definition that makes a command stand for its sign, or for what is in its braces; none for one about looks.

    One that is called a heading is one.
    """
    if (sign := re.match(r"\\([A-Za-z]+)", skipped)) and sign[1] in SIGNS:
        return f"\\newcommand{{\\{sign[1]}}}{{{SIGNS[sign[1]]}}}\n".replace("%", "\\%")
    found = re.match(r"\\([A-Za-z]+)\*?(\[[^]]*\])?(?=\{)", skipped)
    if found is None or found[1] in SILENT:
        return ""
    first, last = (2 if found[2] else 1), min(9, len(re.findall(r"\}(?=\{)|\}$", skipped)) + bool(found[2]))
    words = " ".join(f"#{at}" for at in range(first, last + 1))
    words = f"\\{top}{{{words}}}" if HEADING.search(found[1]) else words
    return f"\\newcommand{{\\{found[1]}}}[{last}]{'[]' if found[2] else ''}{{{words}}}\n"


def _with_marks(text: str) -> str:
    """The text with the marks of lists as pandoc knows them: `[(a)]` for what enumitem calls `label`.

    Items that name their own marks stand in a list without numbers, and begin with these. A table has one head and
    no others for its next pages, and code is no longer coloured.
    """
    text = FOOT.sub(r"\\endhead", REPEATED_HEAD.sub(r"\\endhead", text))
    text = COLOURED.sub(lambda found: f"\\begin{{verbatim}}\n{_plain(found[1])}\n\\end{{verbatim}}", text)
    text = OWN_LABEL.sub(lambda found: _enumerate(f"label={found[1]}"), text)
    text = OPTIONS.sub(lambda found: _enumerate(found[1]), text)
    return OWN_MARKS.sub(lambda found: f"\\begin{{itemize}}{ITEM.sub(_begin, found[1])}\\end{{itemize}}", text)


def _plain(code: str) -> str:
    code = TOKEN.sub(r"\1", code)
    for command, sign in CODE_SIGNS.items():
        code = code.replace(command, sign)
    return re.sub(r"\\([^A-Za-z])", r"\1", code)


def _begin(item: re.Match[str]) -> str:
    return f"\\item {item[1]} "


def _enumerate(options: str) -> str:
    label = re.search(r"label\s*=\s*([^,]*)", options)
    start = re.search(r"\bstart\s*=\s*(\d+)", options)
    mark = re.sub(
        r"\\(\w+)\s*(?:\*|\{enum[iv]+\})", lambda found: COUNTERS.get(found[1], ""), label[1] if label else "1."
    )
    mark = re.sub(r"\\\w+|[{}\s]", "", mark)
    return f"\\begin{{enumerate}}[{mark}]" + (f"\\setcounter{{enumi}}{{{int(start[1]) - 1}}}" if start else "")


def _number_sections(blocks: list[Any]) -> None:
    text = json.dumps(blocks)
    headings = [block["c"] for block in blocks if block["t"] == "Header"]
    if not any(f'["reference", {json.dumps(attributes[0])}]' in text for _, attributes, _ in headings):
        return
    top = min(level for level, _, _ in headings)
    counts = [0] * NUMBERED
    for level, (_, classes, _), inlines in headings:
        if (depth := level - top) < NUMBERED and "unnumbered" not in classes:
            counts = [*counts[:depth], counts[depth] + 1, *[0] * (NUMBERED - depth - 1)]
            inlines[:0] = [{"t": "Str", "c": ".".join(map(str, counts[: depth + 1]))}, {"t": "Space"}]


from_latex = from_markup("latex", _parse)
