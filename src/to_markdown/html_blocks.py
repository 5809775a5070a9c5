"""The Markdown blocks of an HTML element: headings, paragraphs, lists, definitions, tables and code, in order."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from .markdown import BREAK, fence, pipe_table, ticked, wrapped

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
MAX_SPAN = 50
MAX_REPEATED = 200  # characters of a cell that is repeated in the rows it spans
EXPONENT = re.compile(r"[\d+\u2212-][\w+\u2212.-]*|[A-Z]|[bcf-npqs-z]")  # the "e" of a French "1e" is none
INDEX = re.compile(r"[A-Za-z]\w*")  # "CO2" is written so
SPACE = re.compile(r"\s+")
NO_BREAK = re.compile(r"[^\S\v]+")
AROUND = re.compile(r"\s*\v\s*")
UNSEEN = str.maketrans("", "", "\u200b\u00ad\ufeff")
MISTAKABLE = re.compile(r"^(#{1,6} |```|~~~|=+$|-{2,}$)", re.MULTILINE)
INNER = "data-holds-blocks"


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
        return _paragraph([element.text_content()])
    blocks: list[str] = []
    run = [_folded(element.text)]
    for child in element:
        if not isinstance(child.tag, str):
            pass
        elif child.tag in BLOCKS or child.get(INNER):
            blocks += _paragraph(run) + _block(child, depth + 1)
            run = []
        else:
            run.append(_inline(child, depth))
        run.append(_folded(child.tail))
    return blocks + _paragraph(run)


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


def _paragraph(run: Iterable[str]) -> list[str]:
    text = _tidy("".join(run))
    if not text:
        return []
    # What would begin a heading or a fence does not begin one here.
    return [MISTAKABLE.sub(r"\\\1", text)]


def _tidy(text: str) -> str:
    text = NO_BREAK.sub(" ", text).strip()
    return AROUND.sub("\n", text) if BREAK in text else text


def _folded(text: str | None) -> str:
    return SPACE.sub(" ", text.translate(UNSEEN) if not text.isascii() else text) if text else ""


def spaced(text: str) -> str:
    return _folded(text).strip()


def _line(element: HtmlElement) -> str:
    """The element's content in one line."""
    return _tidy(_content(element)).replace("\n", " ")


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
        return f"${tex[0].strip()}$" if tex else spaced(element.get("alttext") or element.text_content())
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
    if any(re.match("#+ ", block) for _, inner in items for block in inner):  # sections set as a list
        return [block for _, inner in items for block in inner]
    lines = [_item(sign, inner) for sign, inner in items if inner]
    return [("\n\n" if any("\n\n" in line for line in lines) else "\n").join(lines)] if lines else []


def _parts(element: HtmlElement, tags: set[str], depth: int) -> Iterator[tuple[HtmlElement | None, list[str]]]:
    """The blocks of each child with one of these tags; and, with None, those of whatever stands loose between them."""
    loose = [_folded(element.text)]
    for child in element:
        if child.tag in tags:
            yield from ((None, blocks) for blocks in [_paragraph(loose)] if blocks)
            yield child, write_blocks(child, depth)
            loose = []
        elif child.tag == "div":  # a group of them
            yield from _parts(child, tags, depth + 1) if depth < MAX_DEPTH else ()
        elif child.tag in BLOCKS or child.get(INNER):
            yield None, [*_paragraph(loose), *_block(child, depth)]
            loose = []
        elif isinstance(child.tag, str):
            loose.append(_inline(child, depth))
        loose.append(_folded(child.tail))
    yield from ((None, blocks) for blocks in [_paragraph(loose)] if blocks)


def _item(sign: str, blocks: list[str]) -> str:
    """One list item; what follows its first line is indented below it. A nested list needs no empty line."""
    text = blocks[0]
    for block in blocks[1:]:
        text += ("\n" if re.match(r"- |\d+\. ", block) else "\n\n") + block
    indented = textwrap.indent(text, " " * len(sign))
    if re.match(r"```|\|", text):  # stands on a line of its own, where it is seen
        return f"{sign.rstrip()}\n{indented}"
    return sign + indented.lstrip(" ")


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
    short = all(len(blocks) < 2 and not re.match(r"```|\||- |\d+\. |#", "".join(blocks)) for _, blocks in pairs)
    out: list[str] = []
    for term, blocks in pairs:
        note = re.fullmatch(r"\[\^?(\d+)\]", term)
        if note and blocks:
            out += [f"[^{note[1]}]: {blocks[0]}", *(textwrap.indent(block, "    ") for block in blocks[1:])]
        elif short:
            out.append(
                f"- **{term}**: {blocks[0]}".replace("\n", " ") if term and blocks else f"- {term or ''.join(blocks)}"
            )
        else:
            out += [f"**{term}**"] * bool(term) + blocks
    return ["\n".join(out)] if short and out and out[0].startswith("- ") else out


def _table(element: HtmlElement, depth: int) -> list[str]:
    rows = element.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")
    captions = [line for caption in element.xpath("./caption") if (line := _line(caption))]
    if _is_layout(element, rows):
        cells = [cell for row in rows for cell in row if cell.tag in {"td", "th"}]
        return captions + [block for cell in cells for block in write_blocks(cell, depth)]
    grid = list(_grid(rows))
    head = [cell.tag == "th" for cell in rows[0] if cell.tag in {"td", "th"}]
    bold = any(grid[0]) and all(re.fullmatch(r"(\*\*.*\*\*)?", cell) for cell in grid[0])
    return captions + pipe_table(grid, header=bool(element.xpath("./thead/tr")) or all(head) or bold)


def _is_layout(element: HtmlElement, rows: list[HtmlElement]) -> bool:
    if element.get("role") in {"presentation", "none"} or element.xpath(".//h1|.//h2|.//h3|.//h4|.//table"):
        return True
    if element.xpath("./tr/th|./thead|./tbody/tr/th"):
        return any("\n" in (pre.text_content().strip()) for pre in element.iter("pre"))
    return len(rows) < 2 or max(len(row) for row in rows) < 2 or bool(element.xpath(".//pre|.//td//td|.//dl"))


def _grid(rows: list[HtmlElement]) -> Iterator[list[str]]:
    """The rows' cells as text. A cell that spans rows is repeated in each, so that every row reads by itself."""
    hanging: dict[int, tuple[int, str]] = {}  # column: rows left, text
    for row in rows:
        line: list[str] = []

        def fill(line: list[str] = line) -> None:
            while len(line) in hanging:
                left, text = hanging.pop(column := len(line))
                if left > 1:
                    hanging[column] = (left - 1, text)
                line.append(text)

        for cell in row:
            if cell.tag not in {"td", "th"}:
                continue
            fill()
            text, down = _cell(cell), _span(cell, "rowspan")
            for part in (text, *[""] * min(_span(cell, "colspan") - 1, max(0, MAX_SPAN - len(line)))):
                if down > 1:
                    hanging[len(line)] = (down - 1, part if len(part) <= MAX_REPEATED else "")
                line.append(part)
        fill()
        yield line


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name) or ""
    return max(1, min(int(value), MAX_SPAN)) if value.isdigit() and len(value) < 9 else 1


def _cell(cell: HtmlElement) -> str:
    items = [_line(item) for item in cell.iter("li")]
    if items and not spaced(cell.text or ""):
        return "; ".join(filter(None, items))
    return re.sub(r"(?<=[,;:.])\n", " ", _tidy(_content(cell))).replace("\n", "; ")
