"""Jupyter notebooks -> Markdown: its cells of Markdown as they are, code with its language, results that are text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .html import html_to_markdown
from .markdown import fence, left_out
from .markdown_file import with_tables
from .raw_file import Conversion, RawFile, as_shown, decode
from .text import first_heading

NAME = re.compile(r"<[^\n]*>")  # of an object that shows itself in another way


def from_notebook(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    book = json.loads(text)
    meta = book.get("metadata") or {}
    language = (meta.get("language_info") or {}).get("name") or (meta.get("kernelspec") or {}).get("language") or ""
    lost: Counter[str] = Counter()
    sheets = book.get("worksheets") or [book]  # notebooks of the third format
    cells = [cell for sheet in sheets for cell in sheet.get("cells") or ()]
    try:
        blocks = [block for cell in cells for block in _cell(cell, str(language).lower(), lost)]
    except (AttributeError, TypeError):
        raise ValueError("its cells are not as a notebook has them") from None
    markdown = "\n\n".join(blocks)
    title = str(meta.get("title") or "") or first_heading(markdown)
    return with_tables(Conversion(title, markdown, (*warnings, *left_out(lost))))


def _cell(cell: dict[str, Any], language: str, lost: Counter[str]) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input")))
    if cell.get("cell_type") == "code":
        yield from fence(source, str(cell.get("language") or language))
        for output in cell.get("outputs") or ():
            yield from _result(output, lost)
    elif cell.get("cell_type") == "heading":
        yield f"{'#' * int(cell.get('level', 1))} {source.strip()}"
    elif source.strip():
        pictures = re.compile(r"!\[([^\]]*)\]\((?:attachment|data):[^)]*\)")
        lost["pictures"] += len(pictures.findall(source))
        yield pictures.sub(r"\1", source).strip("\n")


def _result(output: dict[str, Any], lost: Counter[str]) -> list[str]:
    """What a result says in words; a picture says nothing, nor does the name that stands for it or for a page."""
    kind, data = output.get("output_type"), output.get("data") or output
    if kind == "stream":
        return fence(as_shown(_joined(output.get("text"))))
    if kind in {"error", "pyerr"}:
        return fence(as_shown(f"{output.get('ename', '')}: {output.get('evalue', '')}"))
    is_picture = any(str(key).startswith("image/") or key in {"png", "jpeg", "svg"} for key in data)
    lost["pictures"] += is_picture
    formula = _joined(data.get("text/latex")).strip()
    if formula.startswith("$"):
        return [formula]
    if is_picture:
        return []
    plain = _joined(data.get("text/plain", data.get("text")))
    if plain and not NAME.fullmatch(plain.strip()):
        return fence(as_shown(plain))
    if said := _joined(data.get("text/markdown")).strip():
        return [said]
    page = _joined(data.get("text/html"))
    return [html_to_markdown(page, whole=True).text.strip()] if page.strip() else fence(as_shown(plain))


def _joined(lines: Any) -> str:
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
