"""Plain text -> Markdown: as it is, but for underlined titles and the pages of RFCs; and what titles Markdown has."""

from __future__ import annotations

import re
from collections import Counter

from .raw_file import Conversion, RawFile, decode

UNDERLINE = re.compile(r"([=*#~^\"+-])\1{2,}")
# A block of code, or to the end where nothing closes it; a heading with marks before or with a line below.
HEADING = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*(?:\n(?:.*\n)*? {0,3}(?P=fence)[`~]*[ \t]*$|(?s:.*))"
    r"|^ {0,3}(?P<marks>\#{1,2})[ \t]+(?P<atx>.*)"
    r"|^(?!\s{4}|[-*+>|#]|\d+\. )(?=[^\S\n]*+\S)(?P<over>.++)\n {0,3}(?P<under>=+|-{2,})[ \t]*$",
    re.MULTILINE,
)
FOOT = re.compile(r"\S.*\[Page \d+\]")  # of a page of an RFC
SECTION = re.compile(r"(?:(?P<number>\d+(\.\d+)*|[A-Z](\.\d+)*)\.? +)?[A-Z]\S*( +\S+)*")


def from_text(file: RawFile) -> Conversion:
    """Plain text: titles that are underlined become headings; a line that only looks like a heading does not."""
    text, warnings = decode(file)
    text = re.sub(r"(?m)^(#{1,6}[ \t])", r"\\\1", text)
    lines = text.split("\n")
    memo = sum(bool(FOOT.fullmatch(line.rstrip())) for line in lines) > 1
    lines, titled = _memo(lines) if memo else _underlined(lines)
    if titled and (entries := _contents(lines)):
        lines = [line for at, line in enumerate(lines) if at not in entries]
        warnings = (*warnings, f"contents left out: {len(entries)} lines")
    text = re.sub(r"(?m)^(#{1,6} .*\n)\n\n+", r"\1\n", "\n".join(lines)) if titled else "\n".join(lines)
    return Conversion(first_heading(text) or _opening(text), text, warnings)


def _underlined(lines: list[str]) -> tuple[list[str], bool]:
    levels: dict[tuple[str, bool], int] = {}  # an underline's level is told by when it first comes, as in docutils
    for at, line in enumerate(map(str.rstrip, lines)):
        if not at or not UNDERLINE.fullmatch(line) or not re.search(r"\w", lines[at - 1]):
            continue
        title, over = lines[at - 1].strip(), at > 1 and lines[at - 2].rstrip() == line
        alone = (at < 2 or over or not lines[at - 2].strip()) and not "".join(lines[at + 1 : at + 2]).strip()
        if alone and len(title) - 1 <= len(line) <= len(title) * 2 + 4:
            level = levels.setdefault((line[0], over), min(len(levels) + 1, 6))
            lines[at - 1 : at + 1] = [f"{'#' * level} {title}", ""]
            if over:
                lines[at - 2] = ""
    return lines, bool(levels)


def _memo(lines: list[str]) -> tuple[list[str], bool]:
    """An RFC or Internet-Draft: its pages as one text, its title in the middle and titles at the margin as headings."""
    text: list[str] = []
    turn = 0  # of the foot of a page and the head of the next one, how many are behind
    for line in (line.replace("\f", "").rstrip() for line in lines):
        if FOOT.fullmatch(line):
            turn = 1
            while text and not text[-1]:
                text.pop()
        elif turn and not line:
            continue
        elif turn == 1 and not line.startswith(" "):
            turn = 2
        else:
            goes_on = line.startswith("   ") and text and text[-1][-1:] not in {*".:;"}
            text += [""] * (turn > 0 and not goes_on) + [line]
            turn = 0
    titled = False
    for at, line in enumerate(text):
        alone = line and line[-1] not in ".:;," and not any(text[max(0, at - 1) : at] + text[at + 1 : at + 2])
        if alone and at and not titled and line.startswith(" " * 6):
            text[at], titled = f"# {line.strip()}", True
        elif alone and titled and (found := SECTION.fullmatch(line)):
            depth = (found["number"] or "").count(".")
            text[at] = f"{'#' * min(6, 2 + depth)} {line}" if line != "Table of Contents" else ""
    return text, titled


def _contents(lines: list[str]) -> set[int]:
    """Where lists of contents are: four or more entries, close to one another, that say what later headings say."""

    def key(line: str) -> str:
        return re.sub(r"[ .]{2,}\d+$|\W", "", line.strip().lower())

    later = Counter(key(line) for line in lines if line.startswith("#"))
    runs: list[list[int]] = [[]]
    for at, line in enumerate(lines):
        if line.startswith("#"):
            later[key(line)] -= 1
            runs.append([])
        elif len(line) < 200 and later[key(line)] > 0 and line.strip():
            if runs[-1] and at - runs[-1][-1] > 20:
                runs.append([])
            runs[-1].append(at)
    found: set[int] = set()
    for run in runs:
        if len(run) > 3:
            end = next((at for at in range(run[-1], len(lines)) if not lines[at].strip()), len(lines))
            found.update(range(run[0], end + 1))
    return found


def _opening(text: str) -> str:
    """The first line, where it stands alone and is no sentence."""
    first, _, rest = text.strip().partition("\n")
    alone = rest.startswith("\n") and len(first) <= 100 and not first.rstrip().endswith((".", ",", ";", ":"))
    return first.strip() if alone and re.search(r"\w", first) else ""


def first_heading(text: str) -> str:
    """The first heading of level one, else of level two, without its marks; code is not looked at."""
    found: dict[int, str] = {}
    for one in HEADING.finditer(text):
        if one["over"]:
            found.setdefault(1 if one["under"][0] == "=" else 2, one["over"])
        elif not one["fence"]:
            found.setdefault(len(one["marks"]), one["atx"].rstrip().rstrip("#"))
        if 1 in found:
            break
    plain = re.sub(
        r"!?\[([^\]]*)\]\([^)]*\)|[*`]|\{#[^}]*\}", lambda link: link[1] or "", found.get(1) or found.get(2, "")
    )
    return " ".join(plain.split())


CODE_OR_HEADING = re.compile(r"^ *(`{3,}|~{3,}).*?^ *\1[`~]*$|^(#)(?=#{0,4} )", re.MULTILINE | re.DOTALL)


def titled(title: str, text: str) -> str:
    """Markdown under the title that its file sets apart from the sections: the only heading of level one.

    So sections begin at level two in every format. A file without such a title keeps the levels that it has.
    """
    if not title:
        return text
    first, _, rest = text.lstrip("\n").partition("\n")
    if not (first.startswith("# ") and first_heading(first).lower() == first_heading(f"# {title}").lower()):
        first, rest = f"# {title}", f"\n{text}"
    found = [mark for mark in CODE_OR_HEADING.finditer(rest) if mark[2]]
    if any(rest.startswith("# ", mark.start()) for mark in found):
        rest = CODE_OR_HEADING.sub(lambda mark: mark[0] + mark[0] * bool(mark[2]), rest)
    return f"{first}\n{rest}"
