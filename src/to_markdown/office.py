"""Word and PowerPoint files -> Markdown, straight from their XML.

The names of styles, the outline levels, the numbering and the merged cells are all in there. Libraries that read them
cost more than they save: markitdown brings a neural file-type detector, mammoth takes 20 times as long and knows no
heading style but Word's own.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from .archives import Archive, Element, parse_xml
from .markdown import fence, pipe_table, ticked, wrapped
from .raw_file import Conversion, RawFile

CODE_STYLES = {"code", "source code", "html preformatted", "preformatted text", "macro text", "verbatim"}
CODE_RUNS = {"verbatim char", "source text", "html code", "code", "inline code", "code char"}
MONOSPACED = re.compile(r"courier|consolas|menlo|monaco|mono\b|lucida console", re.IGNORECASE)
QUOTES = {"quote", "intense quote", "block text", "quotations"}


def _attribute(element: Element | None, name: str) -> str:
    found = () if element is None else element.attrib.items()
    return next((str(value) for key, value in found if key.rpartition("}")[2] == name), "")


def _value(element: Element | None, path: str) -> str:
    """The `val` of the first element at a path."""
    return "" if element is None else _attribute(element.find(path), "val")


def _part(archive: Archive, name: str) -> Element | None:
    return parse_xml(archive.read(name)) if name in archive else None


def _related(archive: Archive, name: str) -> dict[str, tuple[str, str]]:
    """Relations of a part: id -> (kind, name of the other part)."""
    folder, base = posixpath.split(name)
    root = _part(archive, posixpath.join(folder, "_rels", f"{base}.rels"))
    return {
        one.get("Id", ""): (
            one.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/"),
        )
        for one in (root if root is not None else ())
        if one.get("TargetMode") != "External"
    }


def _main_part(archive: Archive) -> str:
    return next((name for kind, name in _related(archive, "").values() if kind == "officeDocument"), "")


def _core_title(archive: Archive) -> str:
    found = _part(archive, "docProps/core.xml")
    return "" if found is None else " ".join((found.findtext("title") or "").split())


def _left_out(lost: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{what} left out: {count}" for what, count in sorted(lost.items()) if count)


# Word ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Style:
    name: str = ""
    outline: int = -1
    num_id: str = ""
    level: int = 0


@dataclass
class _WordFile:
    """A Word file as it is read: what its styles and numberings mean, and how far its lists have counted."""

    styles: dict[str, _Style]
    formats: dict[tuple[str, int], str]
    counters: Counter[tuple[str, int]] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def from_docx(file: RawFile) -> Conversion:
    archive = Archive(file)
    name = _main_part(archive)
    related = dict(_related(archive, name).values())
    word = _WordFile(
        _styles(_part(archive, related.get("styles", ""))), _formats(_part(archive, related.get("numbering", "")))
    )
    body = parse_xml(archive.read(name)).find("body")
    blocks = _body(body, word) if body is not None else []
    for kind, mark in (("footnotes", ""), ("endnotes", "e")):
        notes = _part(archive, related.get(kind, ""))
        for note in notes if notes is not None else ():
            if not _attribute(note, "type"):
                blocks.append(f"[^{mark}{_attribute(note, 'id')}]: " + " ".join(_body(note, word)))
    title = next((block.lstrip("# ") for block in blocks if re.match("##? ", block)), "")
    return Conversion(title or _core_title(archive), "\n\n".join(blocks), _left_out(word.lost))


def _styles(root: Element | None) -> dict[str, _Style]:
    raw = {_attribute(one, "styleId"): one for one in (root.iter("style") if root is not None else ())}
    styles: dict[str, _Style] = {}
    for key, style in raw.items():
        outline, num_id, level, above, seen = "", "", "", style, set[str]()
        while above is not None and (own := _attribute(above, "styleId")) not in seen:  # what it says, or inherits
            seen.add(own)
            heading = re.fullmatch(r"heading (\d)", _value(above, "name").lower())
            outline = outline or _value(above, "pPr/outlineLvl") or (str(int(heading[1]) - 1) if heading else "")
            num_id, level = num_id or _value(above, "pPr/numPr/numId"), level or _value(above, "pPr/numPr/ilvl")
            above = raw.get(_value(above, "basedOn"))
        name = _value(style, "name").lower()
        deeper = re.fullmatch(r"list (?:bullet|number) (\d)", name)
        level = str(int(deeper[1]) - 1) if deeper and level in {"", "0"} else level
        outline = "0" if name == "title" else outline
        styles[key] = _Style(name, int(outline) if outline.isdigit() else -1, num_id, int(level or 0))
    return styles


def _formats(root: Element | None) -> dict[tuple[str, int], str]:
    """(number, level) -> `bullet`, `decimal`, …"""
    if root is None:
        return {}
    levels = {
        (_attribute(one, "abstractNumId"), int(_attribute(level, "ilvl") or 0)): _value(level, "numFmt")
        for one in root.iter("abstractNum")
        for level in one.iter("lvl")
    }
    abstract = {_attribute(one, "numId"): _value(one, "abstractNumId") for one in root.iter("num")}
    return {(num, level): kind for num, key in abstract.items() for (own, level), kind in levels.items() if own == key}


def _body(parent: Element, word: _WordFile) -> list[str]:
    """Blocks; neighbouring list items become one list, neighbouring lines of code one fence."""
    blocks: list[str] = []
    for kind, group in groupby(_pieces(parent, word), key=lambda piece: piece[0]):
        texts = [text for _, text in group]
        if kind == "list":
            blocks += _lists(texts)
        elif kind == "code":
            blocks += fence("\n".join(texts))
        else:
            blocks += texts
    return blocks


def _lists(items: list[str]) -> list[str]:
    """One block for each list; a new one begins where numbers follow bullets or bullets numbers."""
    lists: list[list[str]] = []
    kind = ""
    for item in items:
        sign = "" if item.startswith(" ") else re.sub(r"\d", "", item.partition(" ")[0])
        if not lists or (sign and kind and sign != kind):
            lists.append([])
        kind = sign or kind
        lists[-1].append(item)
    return ["\n".join(one) for one in lists]


def _pieces(parent: Element, word: _WordFile) -> Iterator[tuple[str, str]]:
    for child in parent:
        if child.tag == "p":
            yield from _paragraph(child, word)
            for box in child.iter("txbxContent"):
                if not any(one.tag == "Fallback" for one in box.iterancestors()):
                    yield from _pieces(box, word)
        elif child.tag == "tbl":
            yield from (("block", block) for block in _table(child, word))
        elif _value(child, "sdtPr/docPartObj/docPartGallery") == "Table of Contents":
            continue
        elif child.tag in {"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"}:
            yield from _pieces(child, word)


def _paragraph(paragraph: Element, word: _WordFile) -> Iterator[tuple[str, str]]:
    own = paragraph.find("pPr")
    style = word.styles.get(_value(own, "pStyle"), _Style())
    runs = list(_runs(paragraph, word))
    plain = "".join(text for text, _ in runs)
    if not plain.strip() or style.name.startswith(("toc ", "table of figures", "index ")):
        return
    outline = int(_value(own, "outlineLvl") or style.outline)
    if 0 <= outline < 9:
        yield "block", f"{'#' * min(outline + 1, 6)} {' '.join(plain.split())}"
    elif style.name in CODE_STYLES or all(mark == "`" for text, mark in runs if text.strip()):
        yield "code", plain
    else:
        text = "".join(_marked(runs)).strip()
        num_id, level = _value(own, "numPr/numId") or style.num_id, int(_value(own, "numPr/ilvl") or style.level)
        if num_id and num_id != "0":
            yield "list", "    " * level + _sign(word, num_id, level) + text.replace("\n", " ")
        elif style.name in QUOTES:
            yield "block", "> " + text.replace("\n", "\n> ")
        else:
            yield "block", re.sub(r"^(#{1,6} |```|~~~)", r"\\\1", text, flags=re.MULTILINE)


def _sign(word: _WordFile, num_id: str, level: int) -> str:
    word.counters[num_id, level] += 1
    for key in [key for key in word.counters if key[0] == num_id and key[1] > level]:
        del word.counters[key]
    kind = word.formats.get((num_id, level), "bullet")
    return "- " if kind in {"bullet", "none"} else f"{word.counters[num_id, level]}. "


def _runs(parent: Element, word: _WordFile) -> Iterator[tuple[str, str]]:
    """Text and its mark; what was deleted, made by fields, or stands in a box is passed over."""
    for child in parent:
        if child.tag in {"del", "moveFrom", "Fallback", "txbxContent", "instrText", "pPr", "rPr"}:
            continue
        if child.tag == "r":
            yield "".join(_characters(child, word)), _mark(child.find("rPr"), word)
        elif child.tag == "oMath":
            word.lost["marks of formulas"] += 1
            yield "".join(child.itertext()), ""
        else:
            yield from _runs(child, word)


def _mark(properties: Element | None, word: _WordFile) -> str:
    fonts = properties.find("rFonts") if properties is not None else None
    style = word.styles.get(_value(properties, "rStyle"), _Style()).name
    if style in CODE_RUNS or MONOSPACED.search(_attribute(fonts, "ascii")):
        return "`"
    on = [name for name in ("b", "i") if properties is not None and properties.find(name) is not None]
    return "".join("**" if name == "b" else "*" for name in on if _value(properties, name) not in {"0", "false", "off"})


def _characters(run: Element, word: _WordFile) -> Iterator[str]:
    raised = _value(run, "rPr/vertAlign") == "superscript"
    for child in run.iter():
        if child.tag in {"t", "delText"}:
            text = child.text or ""
            yield f"^{text}" if raised and re.match(r"[\d-]", text) else text
        elif child.tag in {"tab", "ptab"}:
            yield " " if child.getparent() is run else ""
        elif child.tag in {"br", "cr"}:
            yield "\n" if _attribute(child, "type") in {"", "textWrapping"} else ""
        elif child.tag == "noBreakHyphen":
            yield "-"
        elif child.tag in {"footnoteReference", "endnoteReference"}:
            yield f"[^{'e' * child.tag.startswith('end')}{_attribute(child, 'id')}]"
        elif child.tag == "docPr":
            described = _attribute(child, "descr").strip()
            word.lost["pictures without a description"] += not described
            yield described
        elif child.tag == "txbxContent":
            return  # a text box: its paragraphs follow this one


def _marked(runs: list[tuple[str, str]]) -> Iterator[str]:
    for mark, group in groupby(runs, key=lambda run: run[1]):
        text = "".join(part for part, _ in group)
        yield ticked(text) if mark == "`" else wrapped(text, mark) if mark else text


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
            if merged is not None and _attribute(merged, "val") != "restart" and rows and len(line) < len(rows[-1]):
                text = rows[-1][len(line)]
            else:
                text = " ".join(_body(cell, word))
            line += [text, *[""] * (min(int(_value(cell, "tcPr/gridSpan") or 1), 50) - 1)]
        rows.append(line)
    if len(rows) == 1 and len(rows[0]) == 1:  # a box around text
        return [block for cell in table.iter("tc") for block in _body(cell, word)]
    return pipe_table(rows, header=len(rows) > 1)


# PowerPoint ---------------------------------------------------------------------------------------------------------


def from_pptx(file: RawFile) -> Conversion:
    """A heading for each slide, its text, lists and tables, and the speaker's notes."""
    archive = Archive(file)
    name = _main_part(archive)
    related = _related(archive, name)
    text, pages, titles = "", list[int](), list[str]()
    lost: Counter[str] = Counter()
    for number, slide_id in enumerate(parse_xml(archive.read(name)).iter("sldId"), 1):
        ids = [value for key, value in slide_id.attrib.items() if key.endswith("}id")]
        slide = related.get(ids[0] if ids else "", ("", ""))[1]
        blocks = _slide(archive, slide, number, lost) if slide in archive else []
        titles += [block.lstrip("# ") for block in blocks[:1]]
        pages.append(len(text))
        text += "".join(f"{block}\n\n" for block in blocks)
    title = titles[0] if titles else _core_title(archive)
    return Conversion(title, text, _left_out(lost), pages=tuple(pages))


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
            described = _attribute(shape.find("nvPicPr/cNvPr"), "descr").strip()
            lost["pictures without a description"] += not described
            blocks += [described] * bool(described)
        elif shape.tag in {"chart", "relIds"}:
            lost["charts and diagrams"] += 1
        else:
            holder = shape.find("nvSpPr/nvPr/ph")
            kind = _attribute(holder, "type")
            if kind in {"title", "ctrTitle"} and not title:
                title, opening = " ".join(" ".join(_text(p) for p in shape.iter("p")).split()), kind == "ctrTitle"
            elif kind not in {"dt", "ftr", "sldNum", "hdr"}:
                blocks += _lines(shape, bulleted=holder is not None and kind not in {"subTitle", "title"})
    heading = f"{'#' if opening and number == 1 else '##'} {title or f'Slide {number}'}"
    notes = [part for kind, part in _related(archive, name).values() if kind == "notesSlide" and part in archive]
    for shape in (shape for part in notes for shape in parse_xml(archive.read(part)).iter("sp")):
        if _attribute(shape.find("nvSpPr/nvPr/ph"), "type") == "body" and (lines := _lines(shape, bulleted=False)):
            blocks += ["**Notes:** " + lines[0], *lines[1:]]
    return [heading, *blocks] if title or blocks else []


def _lines(shape: Element, *, bulleted: bool) -> list[str]:
    pieces: list[tuple[str, str]] = []
    count: Counter[int] = Counter()
    for paragraph in shape.iter("p"):
        text, own = _text(paragraph).strip(), paragraph.find("pPr")
        level = int(_attribute(own, "lvl") or 0)
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
