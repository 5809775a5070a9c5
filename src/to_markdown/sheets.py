"""Tables of data -> Markdown tables: CSV, TSV and spreadsheets, whose first row with text is the header.

pandoc writes 40 as 40.0, loses text that stands in a cell itself, and knows no semicolons.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .archives import Archive, Element, attribute, core_title, main_part, parse_xml, part, related
from .markdown import pipe_table
from .raw_file import Conversion, RawFile, decode

WIDEST = 500  # columns
DATE = re.compile(r"[dyh]|m{3,}", re.IGNORECASE)
DATES = {str(key) for span in ((14, 23), (27, 37), (45, 48), (50, 59)) for key in range(*span)}  # known by number


def from_csv(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    csv.field_size_limit(max(len(text), 1))
    first = text.lstrip().partition("\n")[0]
    delimiter = max("\t" if file.suffix in {".tsv", ".tab"} else ",", *";\t|", key=first.count)
    rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    return Conversion("", "\n\n".join(_table(rows)), warnings)


def _table(rows: list[list[str]]) -> list[str]:
    """A table without the columns and rows that are empty. A cell's line end becomes a semicolon."""
    rows = [["; ".join(filter(None, map(str.strip, cell.splitlines()))) for cell in row] for row in rows]
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=0)
    return pipe_table([row[:width] for row in rows if any(row)], header=True)


def from_xlsx(file: RawFile) -> Conversion:
    """A heading and a table for each sheet that is shown; of a formula its last result."""
    archive = Archive(file)
    name = main_part(archive)
    parts = related(archive, name)
    kinds = dict(parts.values())
    book, shared = parse_xml(archive.read(name)), part(archive, kinds.get("sharedStrings", ""))
    early = attribute(book.find("workbookPr"), "date1904") in {"1", "true"}
    reader = _Cells(
        [] if shared is None else [_words(one) for one in shared.iter("si")],
        _date_styles(part(archive, kinds.get("styles", ""))),
        datetime(1904, 1, 1) if early else datetime(1899, 12, 30),
    )
    blocks, warnings = list[str](), list[str]()
    for sheet in book.iter("sheet"):
        called, target = sheet.get("name", ""), parts.get(attribute(sheet, "id"), ("", ""))[1]
        if sheet.get("state", "visible") != "visible":
            warnings.append(f"hidden sheet left out: {called}")
        elif target in archive and (table := _table(reader.rows(parse_xml(archive.read(target))))):
            blocks += [f"## {called}", *table]
    warnings += [f"{what}: {count}" for what, count in reader.lost.items()]
    return Conversion(core_title(archive), "\n\n".join(blocks), tuple(warnings))


@dataclass(frozen=True)
class _Cells:
    """What cells refer to: shared texts, the styles that are dates, and the day that these are counted from."""

    texts: list[str]
    dates: set[str]
    since: datetime
    lost: Counter[str] = field(default_factory=Counter)

    def rows(self, sheet: Element) -> list[list[str]]:
        rows: list[list[str]] = []
        for row in sheet.iter("row"):
            line: list[str] = []
            for cell in row.iter("c"):
                place = _column(cell.get("r", "")) if cell.get("r") else len(line)
                if place < WIDEST:
                    line += [""] * (place - len(line)) + [self._text(cell)]
                else:
                    self.lost[f"cells beyond {WIDEST} columns left out"] += 1
            rows.append(line)
        return rows

    def _text(self, cell: Element) -> str:
        kind, value = cell.get("t", "n"), cell.findtext("v") or ""
        if kind == "s":
            at = int(value or -1)
            return self.texts[at] if 0 <= at < len(self.texts) else ""
        if kind == "inlineStr":
            return _words(cell)
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "n" and cell.get("s") in self.dates and re.fullmatch(r"\d{1,6}(\.\d+)?", value):
            return self._date(float(value))
        if kind == "n" and re.fullmatch(r"-?\d+\.\d{12,}(E-?\d+)?", value):  # 0.1 as computers hold it
            return f"{float(value):.12g}"
        return value

    def _date(self, days: float) -> str:
        when = self.since + timedelta(seconds=round(days * 86_400))
        time = when.strftime("%H:%M:%S").removesuffix(":00")
        return time if days < 1 else f"{when:%Y-%m-%d}" + f" {time}" * (days % 1 > 0)


def _words(element: Element) -> str:
    """The text of a cell; readings of East Asian words are none of it."""
    return "".join(one.text or "" for one in element.iter("t") if one.getparent().tag != "rPh")


def _date_styles(root: Element | None) -> set[str]:
    """The numbers of the cell styles that show a date or a time."""
    if root is None:
        return set()
    own = {one.get("numFmtId", ""): one.get("formatCode", "") for one in root.iter("numFmt")}
    formats = [one.get("numFmtId", "") for one in root.iterfind("cellXfs/xf")]
    return {
        str(at)
        for at, key in enumerate(formats)
        if key in DATES or DATE.search(re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", own.get(key, "")))
    }


def _column(place: str) -> int:
    """`C7` is in the column 2."""
    number = 0
    for letter in re.match(r"[A-Z]{0,3}", place)[0]:  # type: ignore[index]  # it always matches
        number = number * 26 + ord(letter) - 64
    return max(number - 1, 0)
