"""OpenDocument texts -> Markdown, straight from their XML; pandoc turns the formulas into TeX.

pandoc reads them, too, but for numbers that go on from list to list, numbers of headings, titles, code and hidden text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from . import office
from .archives import Archive, Element, attribute, parse_xml
from .formulas import TEX, put_formulas
from .markdown import MAX_SPAN, STRUCK, grid, left_out, lowered, mark_of, note, raised
from .raw_file import Conversion, RawFile
from .text import first_heading, titled

FORMATS = {"a": "LowerAlpha", "A": "UpperAlpha", "i": "LowerRoman", "I": "UpperRoman"}
CONTENTS = {"table-of-content", "alphabetical-index", "illustration-index", "table-index", "object-index", "user-index"}
UNSEEN = {"tracked-changes", "annotation", "ruby-text", "sequence-decls", "forms", "note-citation", *CONTENTS}
Counts = dict[int, int]  # how far each level of a list has counted


def from_odt(file: RawFile) -> Conversion:
    archive = Archive(file)
    root = parse_xml(archive.read("content.xml"))
    reader = _OpenText([root, archive.part("styles.xml")], _formulas(root, archive))
    blocks = [*office.blocks_of(reader.pieces(root.find("body/text"))), *chain.from_iterable(reader.notes)]
    text = titled(reader.title, "\n\n".join(blocks))
    meta = archive.part("meta.xml")
    said = "" if meta is None else meta.findtext("meta/title") or ""
    return Conversion(first_heading(text) or said, text, left_out(reader.lost))


def _formulas(root: Element, archive: Archive) -> dict[Element, str]:
    """The TeX of each object that is a formula."""
    from lxml import etree

    page, found = etree.Element("body"), dict[Element, Element]()
    for one in root.iter("object"):
        name = attribute(one, "href").removeprefix("./").rstrip("/") + "/content.xml"
        if (math := archive.part(name)) is not None and math.tag == "math":
            found[one] = etree.SubElement(page, "p")
            found[one].append(math)
    put_formulas(page)
    return {one: around[0].get(TEX, "") for one, around in found.items()}


class _OpenText:
    def __init__(self, roots: list[Element | None], formulas: dict[Element, str]):
        self.title, self.notes, self.lost = "", list[list[str]](), Counter[str]()
        self._formulas = formulas
        there = [root for root in roots if root is not None]
        self._styles = {
            (attribute(one, "family"), attribute(one, "name")): one for root in there for one in root.iter("style")
        }
        self._levels: dict[tuple[str, int], Element] = {}
        for one in (one for root in there for one in root.iter("list-style", "outline-style")):
            name = attribute(one, "name") if one.tag == "list-style" else ""
            self._levels |= {(name, int(attribute(level, "level") or 1)): level for level in one}
        self._counts: dict[str, Counts] = {}  # of each list, by its id, and of the last one with a style
        self._headings: Counts = {}

    # Blocks -----------------------------------------------------------------------------------------------------------

    def pieces(self, parent: Element | None) -> Iterator[tuple[str, str]]:
        for child in parent if parent is not None else ():
            if child.tag in {"p", "h"}:
                yield from self._paragraph(child)
            elif child.tag == "list":
                yield from self._list(child, attribute(child, "style-name"), 1, self._continued(child))
            elif child.tag == "table":
                yield from (("block", block) for block in self._table(child))
            elif attribute(child, "display") == "none":
                self.lost["hidden text"] += 1
            elif isinstance(child.tag, str) and child.tag not in UNSEEN:
                yield from self.pieces(child)

    def _paragraph(self, paragraph: Element, mark: str | None = None, level: int = 1) -> Iterator[tuple[str, str]]:
        style = attribute(paragraph, "style-name")
        names = self._names("paragraph", style)
        runs = list(self._runs(paragraph, "", "paragraph"))
        plain = "".join(text for text, _ in runs)
        if plain.strip() and names & office.TITLES and not self.title:
            self.title = " ".join(plain.split())
        elif paragraph.tag == "h" and plain.strip():
            depth = int(attribute(paragraph, "outline-level") or 1)
            if attribute(paragraph, "is-list-header") != "true":
                mark = self._mark("", depth, self._headings, attribute(paragraph, "start-value")) or mark
            yield from office.paragraph(runs, heading=depth, mark=mark)
        else:
            code, quote = self._is_code("paragraph", style), bool(names & office.QUOTES)
            yield from office.paragraph(runs, mark=mark, level=level - 1, code=code, quote=quote)
        for box in paragraph.iter("text-box"):
            if next(box.iterancestors("p", "h")) is paragraph:
                yield from self.pieces(box)

    def _table(self, table: Element) -> list[str]:
        rows: list[list[tuple[str, int, int]]] = []
        for row in (one for one in table.iter("table-row") if next(one.iterancestors("table")) is table):
            cells: list[tuple[str, int, int]] = []
            for cell in row.iterchildren("table-cell"):
                text = " ".join(office.blocks_of(self.pieces(cell)))
                down, across = (int(attribute(cell, f"number-{what}-spanned") or 1) for what in ("rows", "columns"))
                repeated = int(attribute(cell, "number-columns-repeated") or 1)
                cells += [(text, down, across)] * min(repeated, MAX_SPAN if text else 1)
            rows.append(cells)
        return office.table(list(grid(rows)))

    # Lists ------------------------------------------------------------------------------------------------------------

    def _continued(self, one: Element) -> Counts:
        """How far a list has counted that this one continues; a new one begins at nothing."""
        style, name = attribute(one, "style-name"), attribute(one, "id")
        goes_on = attribute(one, "continue-list") or (
            attribute(one, "continue-numbering") == "true" and f"last {style}"
        )
        counts = self._counts.get(str(goes_on), {})
        self._counts |= {f"last {style}": counts, **({name: counts} if name else {})}
        return counts

    def _list(self, one: Element, style: str, level: int, counts: Counts) -> Iterator[tuple[str, str]]:
        for item in one.iterchildren("list-item", "list-header"):
            mark: str | None = None
            for child in item:
                if child.tag == "list":
                    yield from self._list(child, attribute(child, "style-name") or style, level + 1, counts)
                elif child.tag in {"p", "h"}:
                    if mark is None and item.tag == "list-item":
                        mark = self._mark(style, level, counts, attribute(item, "start-value"))
                        yield from self._paragraph(child, mark or "", level)
                    else:
                        yield from self._paragraph(child)
                else:
                    yield from self.pieces([child])

    def _mark(self, style: str, level: int, counts: Counts, start: str) -> str:
        """What an item or a heading is called; nothing for a bullet."""
        own = self._levels.get((style, level))
        if own is None or "bullet" in own.tag or not attribute(own, "num-format"):
            return ""
        counts[level] = int(start) if start else counts.get(level, int(attribute(own, "start-value") or 1) - 1) + 1
        for deeper in [one for one in counts if one > level]:
            del counts[deeper]
        numbers: list[str] = []
        for at in range(level - int(attribute(own, "display-levels") or 1) + 1, level + 1):
            format = attribute(self._levels.get((style, at)), "num-format")
            numbers.append(mark_of(counts.get(at, 1), FORMATS.get(format, "Decimal"), "None") if format else "")
        return attribute(own, "num-prefix") + ".".join(filter(None, numbers)) + attribute(own, "num-suffix")

    # Text -------------------------------------------------------------------------------------------------------------

    def _chain(self, family: str, name: str) -> Iterator[str]:
        """A style and all that it is based on."""
        seen = set[str]()
        while name and name not in seen:
            seen.add(name)
            yield name
            name = attribute(self._styles.get((family, name)), "parent-style-name")

    def _names(self, family: str, name: str) -> set[str]:
        """What a style and those that it is based on are called."""
        styles = {one: attribute(self._styles.get((family, one)), "display-name") for one in self._chain(family, name)}
        return {(shown or one.replace("_20_", " ")).lower() for one, shown in styles.items()}

    def _is_code(self, family: str, name: str) -> bool:
        fonts = " ".join(self._look(family, name, what) for what in ("font-name", "font-family"))
        return bool(self._names(family, name) & office.CODE or office.MONOSPACED.search(fonts))

    def _look(self, family: str, name: str, what: str) -> str:
        """What a style says about its text, or inherits."""
        for one in self._chain(family, name):
            style = self._styles.get((family, one))
            if style is not None and (found := attribute(style.find("text-properties"), what)):
                return found
        return ""

    def _runs(self, element: Element, mark: str, family: str = "text") -> Iterator[tuple[str, str]]:
        """Texts and their marks."""
        name, position = attribute(element, "style-name"), ""
        if element.tag in {"span", "p", "h"} and name:
            if self._look(family, name, "display") == "none":
                self.lost["hidden text"] += bool("".join(element.itertext()).strip())
                return
            if family == "text":
                mark = self._mark_of(name) or mark
                position = self._look(family, name, "text-position")
        moved = lowered if re.match(r"sub|-", position) else raised if re.match(r"super|[1-9]", position) else str
        for text, own in self._inside(element, mark):
            yield (text, own) if (written := moved(text)) == text else (written, "")

    def _mark_of(self, style: str) -> str:
        if self._is_code("text", style):
            return "`"
        if {self._look("text", style, f"text-line-through-{what}") for what in ("style", "type")} - {"", "none"}:
            return STRUCK
        bold = self._look("text", style, "font-weight") in {"bold", "600", "700", "800", "900"}
        return "**" * bold + "*" * (self._look("text", style, "font-style") in {"italic", "oblique"})

    def _inside(self, element: Element, mark: str) -> Iterator[tuple[str, str]]:
        yield re.sub(r"\s+", " ", element.text or ""), mark
        for child in element:
            if child.tag == "s":
                yield " " * min(int(attribute(child, "c") or 1), 100), mark
            elif child.tag in {"tab", "line-break"}:
                yield " " if child.tag == "tab" else "\n", mark
            elif child.tag == "note":
                self.notes.append([])  # its place
                at = len(self.notes)
                self.notes[at - 1] = note(at, office.blocks_of(self.pieces(child.find("note-body"))))
                yield f"[^{at}]", ""
            elif child.tag == "frame":
                yield self._frame(child), ""
            elif child.tag in {"hidden-text", "hidden-paragraph"}:
                self.lost["hidden text"] += 1
            elif isinstance(child.tag, str) and child.tag not in UNSEEN:
                yield from self._runs(child, mark)
            yield re.sub(r"\s+", " ", child.tail or ""), mark

    def _frame(self, frame: Element) -> str:
        """A formula, or what is said about a picture; the text of a box follows its paragraph."""
        for one in frame.iter("object"):
            if one in self._formulas:
                return self._formulas[one].replace("$$\n", "$").replace("\n$$", "$")
        if frame.find("text-box") is not None:
            return ""
        described = " ".join((frame.findtext("desc") or frame.findtext("title") or "").split())
        self.lost["pictures without a description"] += not described
        return described
