"""A manual page as `man` prints it (`man ls > ls.txt`) -> Markdown: its sections, without the lines around sheets."""

from __future__ import annotations

import re
from collections import Counter

from .raw_file import Conversion, RawFile, decode
from .text import first_heading

HEADER = re.compile(r"(\S+\(\d\w*\)) {2,}(?:\S.* {2,})?\1")
SPREAD = re.compile(r"(?<=\S) {2,}(?=\S)")  # in lines that are as wide as the page, for they are filled
BROKEN = re.compile(r"(\w+)\u2010\n +(\w+)")


def from_man_page(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    width = len(text.lstrip("\n").partition("\n")[0])
    lines = text.strip("\n").split("\n")
    filled = (SPREAD.sub(" ", line) if len(line) == width and line[0] == " " else line for line in lines)
    lines = _unbroken("\n".join(filled)).split("\n")
    deep = min((len(line) - len(line.lstrip()) for line in lines if re.match(r" {4,}\S", line)), default=7)
    written: list[str] = []
    name = ""
    for line in map(str.rstrip, lines):
        if header := HEADER.fullmatch(line):
            if header[1] != name:  # not of the next sheet
                written += [f"# {header[1]}", ""]
            name = header[1]
        elif re.match(r"\S.*\S {2,}\S", line):  # at the foot of a sheet: version and date
            written.append(", ".join(re.split(r" {2,}", line.removesuffix(name).strip())))
        elif re.match(r" {0,3}\S", line):
            written += ["", f"{'###' if line[0] == ' ' else '##'} {line.strip()}", ""]
        else:
            if written[-1:][0].startswith(" ") and line[deep : deep + 1].strip():  # the next option, say
                written.append("")
            written.append(line[min(deep, len(line) - len(line.lstrip())) :])
    markdown = re.sub(r"\n{3,}", "\n\n", "\n".join(written))
    return Conversion(first_heading(markdown), markdown, warnings)


def _unbroken(text: str) -> str:
    """The text without hyphens that only the ends of lines have made: those between parts that are no words."""
    words = Counter(re.findall(r"\w+", text))

    def joined(ends: re.Match[str]) -> str:
        first, last = ends.groups()
        is_one = words[first + last] or words[first] < 2 or words[last] < 2
        return first + last if is_one else f"{first}-{last}"

    return BROKEN.sub(joined, text).replace("\u2010", "-")
