"""Spreadsheets -> Markdown tables: each table of a sheet by itself, with its header, and cells as they are shown.

pandoc writes 40 as 40.0, and dates, percent and currency as bare numbers; it knows one table a sheet, and no merged
cells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, takewhile

from .archives import Element, OfficeFile, attribute
from .docx_styles import is_on
from .markdown import MAX_REPEATED, in_cell, pipe_table, struck
from .number_formats import KNOWN, shown
from .raw_file import Conversion, RawFile

WIDEST = 500  # columns
CellsOfRow = dict[int, str]  # column -> text, of the cells that have some


def from_xlsx(file: RawFile) -> Conversion:
    """A heading for each sheet that is shown, and its tables; of a formula its last result."""
    archive = OfficeFile(file)
    book, shared = archive.main, archive.of_kind("sharedStrings")
    early = attribute(book.find("workbookPr"), "date1904") in {"1", "true"}
    reader = _Cells(
        [] if shared is None else [_words(one) for one in shared.iter("si")],
        _formats(archive.of_kind("styles")),
        datetime(1904, 1, 1) if early else datetime(1899, 12, 30),
    )
    blocks, warnings = list[str](), list[str]()
    for sheet in book.iter("sheet"):
        called, target = sheet.get("name", ""), archive.related.get(attribute(sheet, "id"), ("", ""))[1]
        if sheet.get("state", "visible") != "visible":
            warnings.append(f"hidden sheet left out: {called}")
        elif (cells := archive.part(target)) is not None and (tables := _tables(reader.sheet(cells))):
            blocks += [f"## {called}", *tables]
    warnings += [f"{what}: {count}" for what, count in reader.lost.items() if count]
    return Conversion(archive.title(), "\n\n".join(blocks), tuple(warnings))


# Cells ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sheet:
    """What a sheet shows: its rows by number, those that begin in bold, and cells that a merged one reaches over."""

    rows: dict[int, CellsOfRow]
    bold: set[int]
    across: set[tuple[int, int]]


@dataclass(frozen=True)
class _CellStyle:
    """How the numbers of a cell are written, and its letters."""

    code: str = ""
    bold: bool = False
    struck: bool = False


@dataclass(frozen=True)
class _Cells:
    """What cells refer to: shared texts, formats, and the day that dates count from."""

    texts: list[str]
    formats: list[_CellStyle]
    since: datetime
    lost: Counter[str] = field(default_factory=Counter)

    def sheet(self, sheet: Element) -> _Sheet:
        rows: dict[int, CellsOfRow] = {}
        bold, hidden, at = set[int](), set[int](), 0
        for row in sheet.iter("row"):
            at = int(row.get("r") or at + 1)
            line, place = CellsOfRow(), -1
            for cell in row.iter("c"):
                place = _place(cell.get("r", ""))[1] if cell.get("r") else place + 1
                if place >= WIDEST:
                    self.lost[f"cells beyond {WIDEST} columns left out"] += 1
                elif text := in_cell(self._text(cell)):
                    bold |= {at} if not line and self._format(cell).bold else set()
                    line[place] = struck(text) if self._format(cell).struck else text
            if line:
                rows[at] = line
                hidden |= {at} if row.get("hidden") in {"1", "true"} else set()
        across = _merge(rows, [one.get("ref", "") for one in sheet.iter("mergeCell")])
        columns = {
            at
            for one in sheet.iter("col")
            if one.get("hidden") in {"1", "true"}
            for at in range(int(one.get("min", 1)) - 1, min(int(one.get("max", 1)), WIDEST))
        }
        columns &= set().union(*rows.values())
        self.lost["hidden rows left out"] += len(hidden)
        self.lost["hidden columns left out"] += len(columns)
        for at, row in list(rows.items()):
            rows[at] = {place: text for place, text in row.items() if place not in columns}
            if at in hidden or not rows[at]:
                del rows[at]
        return _Sheet(rows, bold, across)

    def _format(self, cell: Element) -> _CellStyle:
        style = int(cell.get("s") or 0)
        return self.formats[style] if style < len(self.formats) else _CellStyle()

    def _text(self, cell: Element) -> str:
        kind, value = cell.get("t", "n"), cell.findtext("v") or ""
        if kind != "str" and not value and (formula := cell.findtext("f")):
            self.lost["formulas without a result, shown as they are"] += 1
            return f"={formula}"
        if kind == "s":
            at = int(value or -1)
            return self.texts[at] if 0 <= at < len(self.texts) else ""
        if kind == "inlineStr":
            return _words(cell)
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        return shown(value, self._format(cell).code, self.since) if kind == "n" else value


def _words(element: Element) -> str:
    """The text of a cell; readings of East Asian words are none of it."""
    words = ((one.text or "", one.getparent()) for one in element.iter("t"))
    return "".join(struck(text) if is_on(run, "rPr/strike") else text for text, run in words if run.tag != "rPh")


def _formats(root: Element | None) -> list[_CellStyle]:
    """The format of each cell style."""
    if root is None:
        return []
    fonts = dict(enumerate((is_on(font, "b"), is_on(font, "strike")) for font in root.iterfind("fonts/font")))
    own = {one.get("numFmtId", ""): one.get("formatCode", "") for one in root.iter("numFmt")}
    styles = [(one.get("numFmtId", "0"), int(one.get("fontId") or 0)) for one in root.iterfind("cellXfs/xf")]
    return [_CellStyle(own.get(key, KNOWN.get(int(key), "")), *fonts.get(font, ())) for key, font in styles]


def _place(name: str) -> tuple[int, int]:
    """The row and column of a cell: `C7` is in row 7 and column 2."""
    found = re.match(r"([A-Z]{0,3})(\d{0,7})", name)
    letters, digits = found.groups() if found else ("", "")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return int(digits or 0), max(number - 1, 0)


def _merge(rows: dict[int, CellsOfRow], merged: list[str]) -> set[tuple[int, int]]:
    """Repeat a merged cell's text in all its rows, so that each reads by itself; the cells that it reaches over."""
    across: set[tuple[int, int]] = set()
    for first, last in (ref.split(":") for ref in merged if ref.count(":") == 1):
        (top, left), (bottom, right) = _place(first), _place(last)
        if not (text := rows.get(top, {}).get(left, "")):
            continue
        reached = range(top, bottom + 1) if bottom - top < len(rows) else rows
        for row in [at for at in reached if top <= at <= bottom and at in rows] if len(text) <= MAX_REPEATED else ():
            rows[row].setdefault(left, text)
            for column in range(left + 1, min(right + 1, WIDEST)):
                rows[row][column] = text
                across.add((row, column))
    return across


# Tables ---------------------------------------------------------------------------------------------------------------


def _tables(sheet: _Sheet) -> list[str]:
    """The tables of a sheet, and the lines that stand alone between them."""
    bands: list[list[int]] = []
    for at in sorted(sheet.rows):
        if not bands or (at > bands[-1][-1] + 1 and not _goes_on(sheet, bands[-1], at)):
            bands.append([])
        bands[-1].append(at)
    parts = [part for band in bands for part in _beside({at: sheet.rows[at] for at in band})]
    return [block for part in parts for block in _table(part, sheet.across, alone=len(parts) == 1)]


def _goes_on(sheet: _Sheet, above: list[int], at: int) -> bool:
    """Whether a row after an empty one belongs to the table above: where it has the same columns, and is no header."""
    head, *body = (sheet.rows[one] for one in above)
    row, columns = sheet.rows[at], set().union(head, *body)
    if len(row) < 2 or not row.keys() <= columns or min(row) != min(columns) or row == head:
        return False
    if above[0] in sheet.bold:
        return at not in sheet.bold
    return all(_is_number(row[each]) for each in row if any(_is_number(one.get(each, "")) for one in body))


def _is_number(text: str) -> bool:
    return not re.search(r"[^\W\d_]{4}", text) and bool(re.search(r"\d", text))


def _beside(band: dict[int, CellsOfRow]) -> Iterator[dict[int, CellsOfRow]]:
    """Tables that stand beside one another: with an empty column between, and other rows or the same header again."""
    columns = sorted(set().union(*band.values()))
    groups = [[at for _, at in group] for _, group in groupby(enumerate(columns), key=lambda pair: pair[1] - pair[0])]
    found = [{at: {c: row[c] for c in group if c in row} for at, row in band.items()} for group in groups]
    found = [{at: row for at, row in one.items() if row} for one in found]
    first = found[0]
    for one in found[1:]:
        same = one.keys() == first.keys()
        heads = set(one[min(one)].values()) & set(first[min(first)].values())
        if same and not heads and min(one[min(one)]) - max(max(row) for row in first.values()) < 3:
            first = {at: {**first[at], **row} for at, row in one.items()}
        else:
            yield first
            first = one
    yield first


def _table(rows: dict[int, CellsOfRow], across: set[tuple[int, int]], *, alone: bool) -> Iterator[str]:
    """A table, and before it the lines above its header."""
    columns = list(range(min(map(min, rows.values())), max(map(max, rows.values())) + 1))
    lines = list(rows)
    own = {at: {column: text for column, text in rows[at].items() if (at, column) not in across} for at in lines}
    above = _head(list(own.values()), columns)
    while lines and len(columns) > 1 and (above > 0 or len(own[lines[0]]) == 1):
        yield " ".join(own[lines.pop(0)].values())
        above -= 1
    below = list(takewhile(lambda at: _is_note(own[at], columns), reversed(lines[2:])))[::-1]
    notes = [" ".join(own[at].values()) for at in below]
    if any(len(text.split()) > 2 for text in notes):  # sentences are among them
        lines = lines[: len(lines) - len(below)]
    else:
        notes = []
    if len(columns) == 1 and len(lines) == 1 and not alone:
        yield rows[lines.pop()][columns[0]]
    head, rest = lines[:1], lines[1:]
    if rest and any((head[0], at) in across for at in columns):  # the header has a second row
        head.append(rest.pop(0))
    names = [" ".join(dict.fromkeys(filter(None, (rows[at].get(column, "") for at in head)))) for column in columns]
    cells = [["" if (at, column) in across else rows[at].get(column, "") for column in columns] for at in rest]
    header = not rest or any(re.search(r"[^\W\d_]", name) for name in names)
    yield from pipe_table([names, *cells], header=header)
    yield from notes


def _head(rows: list[CellsOfRow], columns: list[int]) -> int:
    """How many rows of words stand above the header: the first row with a word in each column, of which some have
    numbers below. A row that lacks only the first columns is the header itself.
    """
    for at, row in enumerate(rows[:-2]):
        lacking = [column for column in columns if column not in row]
        if not lacking and not any(map(_is_number, row.values())):
            first, second = rows[at + 1], rows[at + 2]
            return at * any(_is_number(first.get(one, "")) and _is_number(second.get(one, "")) for one in columns)
        if lacking == columns[: len(lacking)] and len(row) > 1:
            return 0
    return 0


def _is_note(row: CellsOfRow, columns: list[int]) -> bool:
    return 3 * len(row) <= len(columns) and not any(map(_is_number, row.values()))
