"""Pieces of Markdown as every converter writes them: code, emphasis and tables that no content can break."""

from __future__ import annotations

import re
import textwrap

BREAK = "\v"  # a line break while white space is still being folded


def fence(code: str, language: str = "") -> list[str]:
    """Code between marks that are longer than any in it; nothing where there is none."""
    text = textwrap.dedent(code.replace("\xa0", " ")).strip("\n").rstrip()
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", text))])
    return [f"{ticks}{language}\n{text}\n{ticks}"] if text else []


def ticked(text: str) -> str:
    """Code in a line, between marks that are longer than any in it."""
    if not text:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def wrapped(text: str, mark: str) -> str:
    """Emphasis around the words, not around the white space beside them."""
    inner = text.strip(" " + BREAK)
    if not inner or mark in inner or BREAK in inner or not re.search(r"\w", inner):
        return text
    start = text.index(inner)
    return f"{text[:start]}{mark}{inner}{mark}{text[start + len(inner) :]}"


def pipe_table(rows: list[list[str]], *, header: bool) -> list[str]:
    """A table of one-line cells, or nothing. Markdown wants a header: an empty one where the first row is none."""
    rows = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows if any(row)]
    if not rows:
        return []
    width = max(map(len, rows))
    head, *body = rows if header else [[], *rows]
    # The header's cells are bold by themselves. Other rows may be short.
    head = [re.sub(r"^\*\*(.*)\*\*$", r"\1", cell) for cell in head] + [""] * (width - len(head))
    return ["\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * width, *body))]
