"""PowerPoint files -> Markdown, straight from their XML: pandoc loses their bullets, numbers and notes."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from .archives import Archive, Element, attribute, core_title, main_part, parse_xml, related
from .markdown import pipe_table
from .raw_file import Conversion, RawFile


def from_pptx(file: RawFile) -> Conversion:
    """A heading for each slide, its text, lists and tables, and the speaker's notes."""
    archive = Archive(file)
    name = main_part(archive)
    parts = related(archive, name)
    text, pages, titles = "", list[int](), list[str]()
    lost: Counter[str] = Counter()
    for number, slide_id in enumerate(parse_xml(archive.read(name)).iter("sldId"), 1):
        ids = [value for key, value in slide_id.attrib.items() if key.endswith("}id")]
        slide = parts.get(ids[0] if ids else "", ("", ""))[1]
        blocks = _slide(archive, slide, number, lost) if slide in archive else []
        titles += [block.lstrip("# ") for block in blocks[:1]]
        pages.append(len(text))
        text += "".join(f"{block}\n\n" for block in blocks)
    title = titles[0] if titles else core_title(archive)
    return Conversion(
        title,
        text,
        tuple(f"{what} left out: {count}" for what, count in sorted(lost.items()) if count),
        pages=tuple(pages),
    )


def _slide(archive: Archive, name: str, number: int, lost: Counter[str]) -> list[str]:
    title, opening, blocks = "", False, list[str]()
    root = parse_xml(archive.read(name))
    for fallback in list(root.iter("Fallback")):  # the same content once more, for older programs
        fallback.getparent().remove(fallback)
    for shape in root.iter("sp", "tbl", "pic", "chart", "relIds"):
        if shape.tag == "tbl":
            rows = [[_cell(cell) for cell in row.iter("tc")] for row in shape.iter("tr")]
            blocks += pipe_table(rows, header=True)
        elif shape.tag == "pic":
            described = attribute(shape.find("nvPicPr/cNvPr"), "descr").strip()
            lost["pictures without a description"] += not described
            blocks += [described] * bool(described)
        elif shape.tag in {"chart", "relIds"}:
            lost["charts and diagrams"] += 1
        else:
            holder = shape.find("nvSpPr/nvPr/ph")
            kind = attribute(holder, "type")
            if kind in {"title", "ctrTitle"} and not title:
                title, opening = " ".join(" ".join(_text(p) for p in shape.iter("p")).split()), kind == "ctrTitle"
            elif kind not in {"dt", "ftr", "sldNum", "hdr"}:
                blocks += _lines(shape, bulleted=holder is not None and kind not in {"subTitle", "title"})
    heading = f"{'#' if opening and number == 1 else '##'} {title or f'Slide {number}'}"
    notes = [part for kind, part in related(archive, name).values() if kind == "notesSlide" and part in archive]
    for shape in (shape for part in notes for shape in parse_xml(archive.read(part)).iter("sp")):
        if attribute(shape.find("nvSpPr/nvPr/ph"), "type") == "body" and (lines := _lines(shape, bulleted=False)):
            blocks += ["**Notes:** " + lines[0], *lines[1:]]
    return [heading, *blocks] if title or blocks else []


def _lines(shape: Element, *, bulleted: bool) -> list[str]:
    pieces: list[tuple[str, str]] = []
    count: Counter[int] = Counter()
    for paragraph in shape.iter("p"):
        text, own = _text(paragraph).strip(), paragraph.find("pPr")
        level = int(attribute(own, "lvl") or 0)
        marks = {child.tag for child in own} if own is not None else set()
        if not text:
            continue
        if marks & {"buAutoNum"}:
            count[level] += 1
            pieces.append(("list", f"{'    ' * level}{count[level]}. {text}"))
        elif marks & {"buChar", "buBlip"} or level or (bulleted and "buNone" not in marks):
            pieces.append(("list", f"{'    ' * level}- {text}"))
        else:
            pieces.append(("block", text))
    groups = [(kind, [text for _, text in group]) for kind, group in groupby(pieces, key=lambda piece: piece[0])]
    blocks = [block for kind, texts in groups for block in (["\n".join(texts)] if kind == "list" else texts)]
    # A placeholder with a single line in it is no list.
    return [re.sub(r"^- ", "", blocks[0])] if len(pieces) == 1 else blocks


def _cell(cell: Element) -> str:
    return "; ".join(text for paragraph in cell.iter("p") if (text := _text(paragraph).strip()))


def _text(paragraph: Element) -> str:
    return "".join(" " if part.tag == "br" else part.text or "" for part in paragraph.iter("t", "br"))
