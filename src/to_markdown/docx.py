"""Word -> Markdown, straight from its XML; pandoc turns the formulas and the symbols of old fonts into text.

pandoc could read it all, in nearly twenty times the time, but for hidden text, the words under readings, the marks of
numbered paragraphs, and headings whose styles are not Word's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import office
from .archives import Element, OfficeFile, attribute
from .docx_styles import Numbering, Style, is_on, number, numbering_of, styles_of, value
from .formulas import formulas_of_word
from .markdown import STRUCK, left_out, lowered, note, pipe_table, raised
from .raw_file import Conversion, RawFile
from .text import first_heading, titled


@dataclass
class _WordFile:
    """A Word file as it is read: its styles, its numberings, its formulas as text, and what is left out of it."""

    styles: dict[str, Style]
    numbering: Numbering
    formulas: dict[Element, str]
    lost: Counter[str] = field(default_factory=Counter)
    title: str = ""


def from_docx(file: RawFile) -> Conversion:
    archive = OfficeFile(file)
    texts = root, footnotes, endnotes = archive.main, archive.of_kind("footnotes"), archive.of_kind("endnotes")
    for reading in [one for text in texts if text is not None for one in text.iter("rt")]:  # beside a word of Japanese
        reading.getparent().remove(reading)
    styles = styles_of(archive.of_kind("styles"))
    word = _WordFile(styles, numbering_of(archive.of_kind("numbering"), styles), formulas_of_word(texts, file))
    body = root.find("body")
    blocks = office.blocks_of(_pieces(body, word)) if body is not None else []
    for notes, mark in ((footnotes, ""), (endnotes, "e")):
        for one in notes if notes is not None else ():
            if not attribute(one, "type"):
                blocks += note(f"{mark}{attribute(one, 'id')}", office.blocks_of(_pieces(one, word)))
    text = titled(word.title, "\n\n".join(blocks))
    return Conversion(first_heading(text) or archive.title(), text, left_out(word.lost))


def _pieces(parent: Element, word: _WordFile) -> Iterator[tuple[str, str]]:
    for child in parent:
        if child.tag == "p":
            yield from _paragraph(child, word)
            for box in child.iter("txbxContent"):
                if not any(one.tag == "Fallback" for one in box.iterancestors()):
                    yield from _pieces(box, word)
        elif child.tag == "tbl":
            yield from (("block", block) for block in _table(child, word))
        elif value(child, "sdtPr/docPartObj/docPartGallery") == "Table of Contents":
            continue
        elif child.tag in {"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"}:
            yield from _pieces(child, word)


def _paragraph(paragraph: Element, word: _WordFile) -> Iterator[tuple[str, str]]:
    own = paragraph.find("pPr")
    style = word.styles.get(value(own, "pStyle"), Style())
    runs = list(_runs(paragraph, style, word))
    plain = "".join(text for text, _ in runs)
    num_id, level = word.numbering.place(own, style)
    numbered = word.numbering.mark(num_id, level)  # empty paragraphs count, too
    code, quote = style.name in office.CODE, style.name in office.QUOTES
    if not (plain.strip() or code) or style.name.startswith(("toc ", "table of figures", "index ")):
        return
    outline = number(value(own, "outlineLvl"), style.outline)
    if style.name == "title" and not word.title:
        word.title = " ".join(plain.split())
    else:
        heading = outline + 1 if 0 <= outline < 9 else 0
        level = max(level, style.depth)
        yield from office.paragraph(runs, heading=heading, mark=numbered, level=level, code=code, quote=quote)


def _runs(parent: Element, style: Style, word: _WordFile) -> Iterator[tuple[str, str]]:
    """Text and its mark; what was deleted, made by fields, or stands in a box is passed over."""
    for child in parent:
        if child.tag in {"del", "moveFrom", "Fallback", "txbxContent", "instrText", "pPr", "rPr"}:
            continue
        if child.tag == "r" and _is_hidden(child, style, word):
            word.lost["hidden text"] += bool("".join(child.itertext()).strip())
        elif child.tag == "r":
            yield "".join(_characters(child, word)), _mark(child.find("rPr"), word)
        elif child.tag in {"oMath", "oMathPara"}:
            yield word.formulas.get(child, ""), ""
        else:
            yield from _runs(child, style, word)


def _is_hidden(run: Element, style: Style, word: _WordFile) -> bool:
    own = run.find("rPr")
    if own is not None and own.find("vanish") is not None:
        return is_on(own, "vanish")
    return style.hidden or word.styles.get(value(own, "rStyle"), Style()).hidden


def _mark(properties: Element | None, word: _WordFile) -> str:
    fonts = properties.find("rFonts") if properties is not None else None
    style = word.styles.get(value(properties, "rStyle"), Style()).name
    if style in office.CODE or office.MONOSPACED.search(attribute(fonts, "ascii")):
        return "`"
    if is_on(properties, "strike") or is_on(properties, "dstrike"):
        return STRUCK
    return "**" * is_on(properties, "b") + "*" * is_on(properties, "i")


def _characters(run: Element, word: _WordFile) -> Iterator[str]:
    moved = {"superscript": raised, "subscript": lowered}.get(value(run, "rPr/vertAlign"), str)
    for child in run.iter():
        if child.tag in {"t", "delText"}:
            yield moved(child.text or "")
        elif child.tag in {"tab", "ptab"}:
            yield " " if child.getparent() is run else ""
        elif child.tag in {"br", "cr"}:
            yield "\n" if attribute(child, "type") in {"", "textWrapping"} else ""
        elif child.tag == "sym":
            yield word.formulas.get(child, "")
        elif child.tag == "noBreakHyphen":
            yield "-"
        elif child.tag in {"footnoteReference", "endnoteReference"}:
            yield f"[^{'e' * child.tag.startswith('end')}{attribute(child, 'id')}]"
        elif child.tag == "docPr":
            described = attribute(child, "descr").strip()
            word.lost["pictures without a description"] += not described
            yield described
        elif child.tag == "txbxContent":
            return  # a text box: its paragraphs follow this one


def _table(table: Element, word: _WordFile) -> list[str]:
    rows: list[list[str]] = []
    for row in table.iter("tr"):
        if next(row.iterancestors("tbl")) is not table:
            continue
        line: list[str] = []
        for cell in row.iter("tc"):
            if next(cell.iterancestors("tr")) is not row:
                continue
            merged = cell.find("tcPr/vMerge")
            if merged is not None and attribute(merged, "val") != "restart" and rows and len(line) < len(rows[-1]):
                text = rows[-1][len(line)]
            else:
                text = " ".join(office.blocks_of(_pieces(cell, word)))
            line += [text, *[""] * (min(int(value(cell, "tcPr/gridSpan") or 1), 50) - 1)]
        rows.append(line)
    if len(rows) == 1 and len(rows[0]) == 1:  # a box around text
        return [block for cell in table.iter("tc") for block in office.blocks_of(_pieces(cell, word))]
    return pipe_table(rows, header=len(rows) > 1)
