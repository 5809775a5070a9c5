"""The Markdown blocks of an HTML element: headings, paragraphs, lists, definitions, tables and code, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, takewhile, zip_longest

from . import markdown as md
from .archives import Element
from .formulas import TEX
from .html_code import fence_of
from .html_marks import LITERAL, MARK

BLOCK_NAMES = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre section summary table tbody td tfoot
    th thead tr ul
"""
BLOCKS = set(BLOCK_NAMES.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
DELETED = {"del", "s", "strike"}
CODE = {"code", "kbd", "samp", "tt"}
MAX_DEPTH = 120
UNSEEN = str.maketrans("", "", "\u200b\u00ad\ufeff")
INNER = "data-holds-blocks"
THROUGH = re.compile(r"text-decoration(?:-line)?:[^;]*line-through")
SHIFT = re.compile(r"vertical-align:\s*(super|sub)\b")
SLASHES = {"/", "\u2044"}


def mark_blocks(root: Element) -> None:
    """Note on every element whether a block is somewhere inside it."""
    for element in root.iter(*BLOCKS):
        above = element.getparent()
        while above is not None and above.get(INNER) is None:
            above.set(INNER, "1")
            above = above.getparent()


def write_blocks(element: Element, depth: int = 0) -> list[str]:
    """The Markdown blocks of an element's content, in order."""
    if depth > MAX_DEPTH:
        return md.paragraph(element.text_content())
    blocks: list[str] = []
    run = [_seen(element.text)]
    for child in element:
        if not isinstance(child.tag, str):
            pass
        elif child.tag in BLOCKS or child.get(INNER):
            blocks += md.paragraph("".join(run)) + _block(child, depth + 1)
            run = []
        else:
            run.append(_inline(child, depth))
        run.append(_seen(child.tail))
    return blocks + md.paragraph("".join(run))


def _block(element: Element, depth: int) -> list[str]:
    tag = element.tag
    if tag in HEADINGS:
        text = _line(element)
        return [f"{'#' * HEADINGS[tag]} {text}"] if text else []
    if tag == "pre":
        return fence_of(element)
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
    is_quote = tag == "blockquote" and len(inner) < 4 and not md.is_indented(inner)
    return md.quoted(inner) if is_quote else inner


def _seen(text: str | None) -> str:
    return (text if text.isascii() else text.translate(UNSEEN)) if text else ""


def spaced(text: str) -> str:
    return md.tidy(_seen(text))


def _line(element: Element) -> str:
    """The element's content in one line."""
    return md.tidy(md.in_line(_content(element))).replace("\n", " ")


def _content(element: Element, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        return _seen(element.text_content())
    parts = [_seen(element.text)]
    for child in element:
        if isinstance(child.tag, str):
            # A block in the middle of a line leaves a space where its end was.
            parts.append(f" {_content(child, depth + 1)} " if child.tag in BLOCKS else _inline(child, depth + 1))
        parts.append(_seen(child.tail))
    return "".join(parts)


def _inline(element: Element, depth: int) -> str:
    tag = element.tag
    if tag == "br":
        return md.BREAK
    if tag in CODE:
        return md.BREAK.join(md.ticked(line) for line in _code_lines(element) if line)
    if tag == "img":
        return _seen(element.get("alt"))
    if tag == "math":
        return element.get(TEX) or ""
    text = _content(element, depth)
    note = re.fullmatch(r"\s*(?:\[\^?)?(\d+)\]?\s*", text) if tag in {"a", "sup"} else None
    if note and "#" in element.xpath("string((.|.//a)[@href][1]/@href)"):
        return f"[^{note[1]}]"
    if tag in {"b", "strong"}:
        return md.wrapped(text, "**")
    if tag in {"i", "em", "cite", "dfn", "var"}:
        return md.wrapped(text, "*")
    if tag in DELETED or THROUGH.search(element.get("style") or ""):
        return md.struck(text)
    return _shifted(element, text)


def _shifted(element: Element, text: str) -> str:
    """What stands higher or lower than the line: 10^6 is not 106, and two such around a slash are a fraction."""
    styled = SHIFT.search(element.get("style") or "")
    kind = {"super": "sup"}.get(styled[1], styled[1]) if styled else element.tag
    before, after = element.getprevious(), element.getnext()
    left = (element.getparent().text if before is None else before.tail) or ""
    right = element.tail or ""
    if kind == "sup" and right.strip() in SLASHES and after is not None and after.tag == "sub":
        return " " * left[-1:].isdigit() + text
    if kind == "sub" and left.strip() in SLASHES and before is not None and before.tag == "sup":
        return text
    if kind not in {"sup", "sub"}:
        return text
    glued = right[:1].isascii() and right[:1].isalnum()
    if kind == "sup":
        return md.raised(text, glued=glued)
    return md.lowered(text, glued=glued, beside_digit=left[-1:].isdigit() or right[:1].isdigit())


def _code_lines(element: Element) -> list[str]:
    """The lines of code in a sentence, which some old pages set as listings."""
    lines = [""]
    for node in element.xpath("descendant::text()|descendant::br"):
        if isinstance(node, str):
            lines[-1] += node
        else:
            lines.append("")
    return list(map(spaced, lines))


def _list(element: Element, depth: int) -> list[str]:
    items: list[tuple[str, list[str]]] = []
    for child, inner in _parts(element, {"li"}, depth):
        if child is None and items:  # what stands loose in a list belongs to the item before it
            items[-1][1].extend(inner)
        elif inner:
            items.append((md.sign("" if child is None else child.get(MARK) or ""), inner))
    return md.listed(items)


def _parts(element: Element, tags: set[str], depth: int) -> Iterator[tuple[Element | None, list[str]]]:
    """The blocks of each child with one of these tags; and, with None, those of whatever stands loose between them."""
    loose = [_seen(element.text)]
    for child in element:
        if child.tag in tags:
            yield from ((None, blocks) for blocks in [md.paragraph("".join(loose))] if blocks)
            yield child, write_blocks(child, depth)
            loose = []
        elif child.tag == "div":  # a group of them
            yield from _parts(child, tags, depth + 1) if depth < MAX_DEPTH else ()
        elif child.tag in BLOCKS or child.get(INNER):
            yield None, [*md.paragraph("".join(loose)), *_block(child, depth)]
            loose = []
        elif isinstance(child.tag, str):
            loose.append(_inline(child, depth))
        loose.append(_seen(child.tail))
    yield from ((None, blocks) for blocks in [md.paragraph("".join(loose))] if blocks)


def _definitions(element: Element, depth: int) -> list[str]:
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
    return md.definitions(pairs)


def _table(element: Element, depth: int) -> list[str]:
    rows = element.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")
    captions = [line for caption in element.xpath("./caption") if (line := _line(caption))]
    cells = [[cell for cell in row if cell.tag in {"td", "th"}] for row in rows]
    marks = [spaced(row[0].text_content()) for row in cells if len(row) == 2]
    if len(marks) == len(rows) and all(LITERAL.fullmatch(f"{mark} ") for mark in marks):  # paragraphs of a law
        return captions + md.listed(
            [(md.sign(mark), write_blocks(row[1])) for mark, row in zip(marks, cells, strict=True)]
        )
    if _is_layout(element, rows):
        return captions + [block for row in cells for cell in row for block in write_blocks(cell, depth)]
    spans = [[(_cell(cell), _span(cell, "rowspan"), _span(cell, "colspan")) for cell in row] for row in cells]
    lines = list(md.grid(spans))
    heads = len(element.xpath("./thead/tr")) or sum(1 for _ in takewhile(_is_head, cells))
    while heads > 1 and len(cells[0]) == 1:  # a title over all columns
        captions, cells, spans, lines, heads = captions + lines[0][:1], cells[1:], spans[1:], lines[1:], heads - 1
    if 1 < heads < len(lines):
        across = list(
            md.grid([[(text, down, 1) for text, down, wide in row for _ in range(wide)] for row in spans[:heads]])
        )
        names = zip_longest(*across, fillvalue="")
        lines[:heads] = [[" ".join(dict.fromkeys(filter(None, column))) for column in names]]
    return captions + md.pipe_table(lines, header=heads > 0 or md.is_bold(lines[0]))


def _is_head(row: list[Element]) -> bool:
    return bool(row) and all(cell.tag == "th" for cell in row)


def _is_layout(element: Element, rows: list[Element]) -> bool:
    if element.get("role") in {"presentation", "none"} or element.xpath(".//h1|.//h2|.//h3|.//h4|.//table"):
        return True
    if element.xpath("./tr/th|./thead|./tbody/tr/th"):
        return any("\n" in (pre.text_content().strip()) for pre in element.iter("pre"))
    return len(rows) < 2 or max(len(row) for row in rows) < 2 or bool(element.xpath(".//pre|.//td//td|.//dl"))


def _span(cell: Element, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, min(int(value), md.MAX_SPAN)) if value.isdigit() and len(value) < 9 else 1


def _cell(cell: Element) -> str:
    items = [_line(item) for item in cell.iter("li")]
    if items and not spaced(cell.text or ""):
        return "; ".join(filter(None, items))
    return re.sub(r"(?<=[,;:.])\n", " ", md.tidy(md.in_line(_content(cell)))).replace("\n", "; ")
