"""CSV and TSV -> Markdown tables, whose first row is the header; pandoc knows no semicolons."""

from __future__ import annotations

import csv

from .markdown import pipe_table
from .raw_file import Conversion, RawFile, decode


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
