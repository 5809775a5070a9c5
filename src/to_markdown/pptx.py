"""PowerPoint files -> Markdown, straight from their XML: pandoc loses their bullets, numbers and notes."""

from __future__ import annotations

import re
from collections import Counter

from . import office
from .archives import Element, OfficeFile, attribute
from .formulas import formulas_of_word
from .markdown import grid, in_line, left_out, lowered, mark_of, pipe_table, raised, sign, struck
from .raw_file import Conversion, RawFile


def from_pptx(file: RawFile) -> Conversion:
    """A heading for each slide, its text, lists and tables, and the speaker's notes."""
    archive = OfficeFile(file)
    text, pages, titles = "", list[int](), list[str]()
    lost: Counter[str] = Counter()
    for number, slide_id in enumerate(archive.main.iter("sldId"), 1):
        ids = [value for key, value in slide_id.attrib.items() if key.endswith("}id")]
        blocks = _slide(archive, archive.related.get(ids[0] if ids else "", ("", ""))[1], number, lost, file)
        titles += [block.lstrip("# ") for block in blocks[:1]]
        pages.append(len(text))
        text += "".join(f"{block}\n\n" for block in blocks)
    title = titles[0] if titles else archive.title()
    return Conversion(title, text, left_out(lost), pages=tuple(pages))


def _slide(archive: OfficeFile, name: str, number: int, lost: Counter[str], file: RawFile) -> list[str]:
    title, opening, blocks = "", False, list[str]()
    root = archive.part(name)
    if root is None or root.get("show") in {"0", "false"}:
        lost["hidden slides"] += root is not None
        return []
    for useless in list(root.iter("Fallback", "sym")):  # the same content once more, for older programs; and a font
        useless.getparent().remove(useless)
    formulas = formulas_of_word([root], file)
    for shape in root.iter("sp", "tbl", "pic", "chart", "relIds"):
        if shape.tag == "tbl":
            rows = [[cell for cell in row.iter("tc") if not _is_covered(cell)] for row in shape.iter("tr")]
            cells = [[_cell(cell, formulas) for cell in row] for row in rows]
            blocks += pipe_table(list(grid(cells)), header=True)
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
                words = " ".join(_text(paragraph, formulas) for paragraph in shape.iter("p"))
                title, opening = " ".join(words.split()), kind == "ctrTitle"
            elif kind not in {"dt", "ftr", "sldNum", "hdr"}:
                blocks += _lines(shape, formulas, bulleted=holder is not None and kind not in {"subTitle", "title"})
    heading = f"{'#' if opening and number == 1 else '##'} {title or f'Slide {number}'}"
    notes = [archive.part(other) for kind, other in archive.relations(name).values() if kind == "notesSlide"]
    for shape in (shape for one in notes if one is not None for shape in one.iter("sp")):
        if attribute(shape.find("nvSpPr/nvPr/ph"), "type") == "body" and (lines := _lines(shape, {}, bulleted=False)):
            blocks += ["**Notes:** " + lines[0], *lines[1:]]
    return [heading, *blocks] if title or blocks else []


def _lines(shape: Element, formulas: dict[Element, str], *, bulleted: bool) -> list[str]:
    pieces: list[tuple[str, str]] = []
    counts: dict[int, tuple[str, int]] = {}  # by level: how it is written, and how far it has come
    for paragraph in shape.iter("p"):
        text, own = _text(paragraph, formulas).strip(), paragraph.find("pPr")
        level = int(attribute(own, "lvl") or 0)
        marks = {child.tag: child for child in own} if own is not None else {}
        if not text:
            continue
        counts = {at: count for at, count in counts.items() if at < level or (at == level and "buAutoNum" in marks)}
        if "buAutoNum" in marks:
            kind, start = attribute(marks["buAutoNum"], "type"), int(attribute(marks["buAutoNum"], "startAt") or 1)
            before, count = counts.get(level, ("", 0))
            counts[level] = kind, count + 1 if kind == before else start
            pieces.append(("list", "\t" * level + sign(_called(counts[level][1], kind)) + text))
        elif marks.keys() & {"buChar", "buBlip"} or level or (bulleted and "buNone" not in marks):
            pieces.append(("list", "\t" * level + f"- {text}"))
        else:
            pieces.append(("block", text))
    blocks = office.blocks_of(pieces)
    # A placeholder with a single line in it is no list.
    return [re.sub(r"^- ", "", blocks[0])] if len(pieces) == 1 else blocks


def _called(number: int, kind: str) -> str:
    """What PowerPoint calls an item: `alphaLcParenR` is a)."""
    found = re.match(r"(alpha|roman|arabic)(Lc|Uc)?(Period|ParenR|ParenBoth|Plain)?", kind)
    style, case, delimiter = found.groups() if found else ("arabic", "", "")
    case = "Upper" if case == "Uc" else "Lower"
    delimiter = {"ParenR": "OneParen", "ParenBoth": "TwoParens", "Plain": "None"}.get(delimiter or "", "")
    return mark_of(number, "Decimal" if style == "arabic" else f"{case}{style.capitalize()}", delimiter)


def _is_covered(cell: Element) -> bool:
    """Whether a merged cell stands in its place."""
    return any(attribute(cell, name) in {"1", "true"} for name in ("hMerge", "vMerge"))


def _cell(cell: Element, formulas: dict[Element, str]) -> tuple[str, int, int]:
    """Its text, and the rows and columns that it spans."""
    texts = (_text(paragraph, formulas).strip() for paragraph in cell.iter("p"))
    return "; ".join(filter(None, texts)), int(attribute(cell, "rowSpan") or 1), int(attribute(cell, "gridSpan") or 1)


def _text(paragraph: Element, formulas: dict[Element, str]) -> str:
    parts: list[str] = []
    for part in paragraph.iter("t", "br", "oMath", "oMathPara"):
        text = formulas.get(part, " " if part.tag == "br" else part.text or "")
        if part.tag == "t" and any(above in formulas for above in part.iterancestors()):
            continue
        own = part.getparent().find("rPr")
        baseline = int(attribute(own, "baseline").removesuffix("%") or 0)
        text = raised(text) if baseline > 0 else lowered(text) if baseline < 0 else text
        parts.append(text if attribute(own, "strike") in {"", "noStrike"} else struck(text))
    return in_line("".join(parts))
