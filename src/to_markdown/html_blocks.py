"""The Markdown blocks of an HTML element: headings, paragraphs, lists, definitions, tables and code, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from .markdown import (
    BREAK,
    EXPONENT,
    INDEX,
    MAX_SPAN,
    definitions,
    fence,
    grid,
    is_bold,
    listed,
    paragraph,
    pipe_table,
    ticked,
    tidy,
    wrapped,
)

HtmlElement = Any  # lxml has no types of its own

BLOCK_NAMES = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table tbody td tfoot
    th thead tr ul
"""
BLOCKS = set(BLOCK_NAMES.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
CODE = {"code", "kbd", "samp", "tt"}
LANGUAGE = re.compile(r"\b(?:language|lang|highlight(?:-source)?|brush|sourceCode)[-:\s]+([A-Za-z][\w+#-]*)")
NO_LANGUAGE = {"default", "none", "text", "plain", "plaintext", "notranslate", "code", "source", "highlight"}
MAX_DEPTH = 120
SPACE = re.compile(r"\s+")
UNSEEN = str.maketrans("", "", "\u200b\u00ad\ufeff")
INNER = "data-holds-blocks"
TEX = "data-as-tex"


def mark_blocks(root: HtmlElement) -> None:
    """Note on every element whether a block is somewhere inside it."""
    for element in root.iter(*BLOCKS):
        above = element.getparent()
        while above is not None and above.get(INNER) is None:
            above.set(INNER, "1")
            above = above.getparent()


def write_blocks(element: HtmlElement, depth: int = 0) -> list[str]:
    """The Markdown blocks of an element's content, in order."""
    if depth > MAX_DEPTH:
        return paragraph(element.text_content())
    blocks: list[str] = []
    run = [_folded(element.text)]
    for child in element:
        if not isinstance(child.tag, str):
            pass
        elif child.tag in BLOCKS or child.get(INNER):
            blocks += paragraph("".join(run)) + _block(child, depth + 1)
            run = []
        else:
            run.append(_inline(child, depth))
        run.append(_folded(child.tail))
    return blocks + paragraph("".join(run))


def _block(element: HtmlElement, depth: int) -> list[str]:
    tag = element.tag
    if tag in HEADINGS:
        text = _line(element)
        return [f"{'#' * HEADINGS[tag]} {text}"] if text else []
    if tag == "pre":
        return _fence(element)
    if tag in {"ul", "ol", "menu"}:
        return _list(element, depth)
    if tag == "dl":
        return _definitions(element, depth)
    if tag == "table":
        return _table(element, depth)
    if tag == "hr":
        return []
    inner = write_blocks(element, depth)
    if tag == "figure":  # a picture's description is often its caption once more
        inner = [block for block, _ in groupby(inner)]
    # A quotation that holds more than a few paragraphs was only meant to be indented.
    if tag == "blockquote" and len(inner) < 4 and not any(re.match(r"```|\||- |\d+\. |#|>", block) for block in inner):
        return ["\n".join(f"> {line}".rstrip() for line in "\n\n".join(inner).split("\n"))]
    return inner


def _folded(text: str | None) -> str:
    return SPACE.sub(" ", text.translate(UNSEEN) if not text.isascii() else text) if text else ""


def spaced(text: str) -> str:
    return _folded(text).strip()


def _line(element: HtmlElement) -> str:
    """The element's content in one line."""
    return tidy(_content(element)).replace("\n", " ")


def _content(element: HtmlElement, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        return _folded(element.text_content())
    parts = [_folded(element.text)]
    for child in element:
        if isinstance(child.tag, str):
            # A block in the middle of a line leaves a space where its end was.
            parts.append(f" {_content(child, depth + 1)} " if child.tag in BLOCKS else _inline(child, depth + 1))
        parts.append(_folded(child.tail))
    return "".join(parts)


def _inline(element: HtmlElement, depth: int) -> str:
    tag = element.tag
    if tag == "br":
        return BREAK
    if tag in CODE:
        return BREAK.join(ticked(line) for line in _code_lines(element) if line)
    if tag == "img":
        return _folded(element.get("alt"))
    if tag == "math":
        tex = element.xpath(".//*[local-name()='annotation'][contains(@encoding, 'tex')]/text()")
        return (
            f"${tex[0].strip()}$"
            if tex
            else element.get(TEX) or spaced(element.get("alttext") or element.text_content())
        )
    text = _content(element, depth)
    note = re.fullmatch(r"\s*(?:\[\^?)?(\d+)\]?\s*", text) if tag in {"a", "sup"} else None
    if note and "#" in element.xpath("string((.|.//a)[@href][1]/@href)"):
        return f"[^{note[1]}]"
    if tag in {"b", "strong"}:
        return wrapped(text, "**")
    if tag in {"i", "em", "cite", "dfn", "var"}:
        return wrapped(text, "*")
    if tag == "sup" and EXPONENT.fullmatch(text.strip()):  # 10^6 is not 106
        return f"^{text.strip()}"
    if tag == "sub" and INDEX.fullmatch(text.strip()):
        return f"_{text.strip()}"
    return text


def _code_lines(element: HtmlElement) -> list[str]:
    """The lines of code in a sentence, which some old pages set as listings."""
    lines = [""]
    for node in element.xpath("descendant::text()|descendant::br"):
        if isinstance(node, str):
            lines[-1] += node
        else:
            lines.append("")
    return list(map(spaced, lines))


def _fence(element: HtmlElement) -> list[str]:
    for line_end in element.iter("br"):
        line_end.tail = "\n" + (line_end.tail or "")
    return fence(element.text_content(), _language(element))


def _language(element: HtmlElement) -> str:
    above = element.getparent()
    near = [element, *element.iter("code"), above, above.getparent() if above is not None else None]
    for one in near:
        for found in LANGUAGE.findall((one.get("class") or "") if one is not None else ""):
            if found.lower() not in NO_LANGUAGE:
                return str(found).lower()
    return ""


def _list(element: HtmlElement, depth: int) -> list[str]:
    start = element.get("start") or ""
    number = int(start) if start.isdigit() and len(start) < 7 else 1
    items: list[tuple[str, list[str]]] = []
    for child, inner in _parts(element, {"li"}, depth):
        if child is not None:
            items.append((f"{number}. " if element.tag == "ol" else "- ", inner))
            number += bool(inner)
        elif items:  # what stands loose in a list belongs to the item before it
            items[-1][1].extend(inner)
        elif inner:
            items.append(("- ", inner))
    return listed(items)


def _parts(element: HtmlElement, tags: set[str], depth: int) -> Iterator[tuple[HtmlElement | None, list[str]]]:
    """The blocks of each child with one of these tags; and, with None, those of whatever stands loose between them."""
    loose = [_folded(element.text)]
    for child in element:
        if child.tag in tags:
            yield from ((None, blocks) for blocks in [paragraph("".join(loose))] if blocks)
            yield child, write_blocks(child, depth)
            loose = []
        elif child.tag == "div":  # a group of them
            yield from _parts(child, tags, depth + 1) if depth < MAX_DEPTH else ()
        elif child.tag in BLOCKS or child.get(INNER):
            yield None, [*paragraph("".join(loose)), *_block(child, depth)]
            loose = []
        elif isinstance(child.tag, str):
            loose.append(_inline(child, depth))
        loose.append(_folded(child.tail))
    yield from ((None, blocks) for blocks in [paragraph("".join(loose))] if blocks)


def _definitions(element: HtmlElement, depth: int) -> list[str]:
    """`- **term**: definition` where every definition is one paragraph, else the term in bold before its blocks."""
    terms: list[str] = []
    pairs: list[tuple[str, list[str]]] = []
    for child, inner in _parts(element, {"dt", "dd"}, depth):
        if child is not None and child.tag == "dt":
            terms.append(re.sub(r"(?<!\\)\*\*", "", _line(child)))
        elif child is None and pairs and not terms:
            pairs[-1][1].extend(inner)
        else:
            pairs.append((", ".join(filter(None, terms)), inner))
            terms = []
    if any(terms):
        pairs.append((", ".join(filter(None, terms)), []))
    return definitions(pairs)


def _table(element: HtmlElement, depth: int) -> list[str]:
    rows = element.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")
    captions = [line for caption in element.xpath("./caption") if (line := _line(caption))]
    if _is_layout(element, rows):
        cells = [cell for row in rows for cell in row if cell.tag in {"td", "th"}]
        return captions + [block for cell in cells for block in write_blocks(cell, depth)]
    cells = [[cell for cell in row if cell.tag in {"td", "th"}] for row in rows]
    spans = [[(_cell(cell), _span(cell, "rowspan"), _span(cell, "colspan")) for cell in row] for row in cells]
    lines = list(grid(spans))
    head = bool(element.xpath("./thead/tr")) or all(cell.tag == "th" for cell in cells[0]) or is_bold(lines[0])
    return captions + pipe_table(lines, header=head)


def _is_layout(element: HtmlElement, rows: list[HtmlElement]) -> bool:
    if element.get("role") in {"presentation", "none"} or element.xpath(".//h1|.//h2|.//h3|.//h4|.//table"):
        return True
    if element.xpath("./tr/th|./thead|./tbody/tr/th"):
        return any("\n" in (pre.text_content().strip()) for pre in element.iter("pre"))
    return len(rows) < 2 or max(len(row) for row in rows) < 2 or bool(element.xpath(".//pre|.//td//td|.//dl"))


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, min(int(value), MAX_SPAN)) if value.isdigit() and len(value) < 9 else 1


def _cell(cell: HtmlElement) -> str:
    items = [_line(item) for item in cell.iter("li")]
    if items and not spaced(cell.text or ""):
        return "; ".join(filter(None, items))
    return re.sub(r"(?<=[,;:.])\n", " ", tidy(_content(cell))).replace("\n", "; ")
