"""Markdown -> Markdown: as it is, but for front matter, and for tables that are written as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .html import html_to_markdown
from .raw_file import Conversion, RawFile, decode
from .text import first_heading

TABLE = re.compile(r"<(/?)table\b[^>]*>", re.IGNORECASE)
BOXES = "html|body|div|center|figure|p"
OPENED = re.compile(rf"(?:<(?:{BOXES})\b[^>]*>\s*)*$", re.IGNORECASE)
CLOSED = re.compile(rf"\s*</(?:{BOXES})>", re.IGNORECASE)
LINES_IN_CELL = re.compile(r"\n[ >]*\n\s*[^<\s]|\n[ >]*(```|~~~)")
NOTHING_AFTER = re.compile(r"[ \t]*(\n[ >\t]*(\n|$)|$)")


def from_markdown(file: RawFile) -> Conversion:
    """Markdown as it is, but for front matter: that says how a page is published, and would be learned as prose."""
    text, warnings = decode(file)
    title = ""
    found = re.match(r"\A(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", text[:64_000], re.DOTALL)
    if found and (keys := re.findall(r"^([\w-]+)\s*[:=]", found[2], re.MULTILINE)):
        named = re.search(r"^title\s*[:=][ \t]*(.+?)[ \t]*$", found[2], re.MULTILINE)
        title = re.sub(r"^([\"'])(.*)\1$", r"\2", named[1]) if named else ""
        text = text[found.end() :]
        warnings = (*warnings, f"front matter left out: {', '.join(keys)}")
    return with_tables(Conversion(title or first_heading(text), text, warnings))


def with_tables(found: Conversion) -> Conversion:
    """The same, with pipe tables for those written as HTML: they are cut between rows, and their head is known.

    A table that lays out a page, or has Markdown of several lines in a cell, stays as it is.
    """
    text = found.text
    parts: list[str] = []
    done = 0
    try:
        for start, end in _tables(text) if TABLE.search(text) else ():
            if table := _as_pipes(text[start:end]):
                start, end = _with_boxes(text, start, end)
                line = text.rfind("\n", 0, start) + 1
                lead = text[line:start]
                indent = re.sub(r"[^\s>]", " ", lead)
                above = text[text.rfind("\n", 0, max(0, line - 1)) + 1 : line].strip(" >\t\n")
                parts += [text[done:line], f"{indent.rstrip()}\n" if above and not lead.strip(" >") else "", lead]
                parts.append(table.replace("\n", f"\n{indent}"))
                if not NOTHING_AFTER.match(text, end):
                    parts.append(f"\n{indent.rstrip()}" if text[end] == "\n" else f"\n{indent.rstrip()}\n{indent}")
                done = end
    except ModuleNotFoundError:
        return replace(found, warnings=(*found.warnings, "tables written as HTML stay so: lxml is not installed"))
    return replace(found, text="".join([*parts, text[done:]]))


def _tables(text: str) -> Iterator[tuple[int, int]]:
    """Where the outermost tables begin and end in what Markdown takes for HTML."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    tokens: list[Any] = []
    parser.block.parse(text, parser, {}, tokens)
    lines = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    start = depth = 0
    for token in tokens:
        if token.type == "html_block" or (token.type == "code_block" and depth):  # rows indented after an empty line
            for tag in TABLE.finditer(text, lines[token.map[0]], lines[token.map[1]]):
                start = start if depth else tag.start()
                depth += -1 if tag[1] else 1
                if tag[1] and not depth:
                    yield start, tag.end()
                depth = max(0, depth)
        elif token.type in {"fence", "heading_open"}:
            depth = 0


def _with_boxes(text: str, start: int, end: int) -> tuple[int, int]:
    """A place with the boxes that are only around it."""
    opened = OPENED.search(text[max(0, start - 300) : start])
    for _ in range(opened[0].count("<") if opened else 0):
        if closed := CLOSED.match(text, end):
            end = closed.end()
            start = text.rindex("<", 0, start)
    return start, end


def _as_pipes(table: str) -> str:
    """A table of HTML as one of pipes, nothing where it is none; its first row is the head where none is called so."""
    if LINES_IN_CELL.search(table):
        return ""
    blocks = html_to_markdown(re.sub(r"(?m)^[ >]+", "", table), whole=True).text.strip().split("\n\n")
    for at, block in enumerate(blocks):
        first, *rest = block.split("\n")
        if (
            block.startswith("|")
            and not first.strip("| ")
            and len(rest) > 2
            and not re.search(r"\| *[-\d.,]* *\|", rest[1])
        ):
            blocks[at] = "\n".join([rest[1], rest[0], *rest[2:]])
    return "\n\n".join(blocks) if any(block.startswith("|") for block in blocks) else ""
