"""CSV and TSV -> Markdown tables, whose first row is the header; pandoc knows no semicolons."""

from __future__ import annotations

import csv

from .markdown import in_cell, pipe_table
from .raw_file import Conversion, RawFile, decode

MOST_BROKEN = 20  # quotes that are never closed; where there are more, no quote means anything


def from_csv(file: RawFile) -> Conversion:
    text, warnings = decode(file)
    csv.field_size_limit(max(len(text), 1))
    first = text.lstrip().partition("\n")[0]
    delimiter = max("\t" if file.suffix in {".tsv", ".tab"} else ",", *";\t|", key=first.count)
    rows, broken = _read(text.split("\n"), delimiter)
    said = [f"a quote that is never closed, taken as it stands: line {line}" for line in broken]
    return Conversion("", "\n\n".join(_table(rows)), (*warnings, *said))


def _read(lines: list[str], delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The rows, and the lines of quotes that are never closed: each of these is a row by itself, and takes no other."""
    rows, broken, start = list[list[str]](), list[int](), 0
    while start < len(lines):
        reader = csv.reader(
            (f"{line}\n" for line in lines[start:]),
            delimiter=delimiter,
            quoting=csv.QUOTE_MINIMAL if len(broken) < MOST_BROKEN else csv.QUOTE_NONE,
        )
        first = start
        for row in reader:
            after = start + reader.line_num
            if after > first + 1 and not _is_closed(lines[first:after], delimiter):
                break
            rows.append(row)
            first = after
        else:
            break
        rows.append(lines[first].split(delimiter))
        broken.append(first + 1)
        start = first + 1
    return rows, broken


def _is_closed(lines: list[str], delimiter: str) -> bool:
    """Whether a row of several lines is one, and its quotes do not only meet the next row's."""
    try:
        return bool(list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)))
    except csv.Error:
        return False


def _table(rows: list[list[str]]) -> list[str]:
    """A table without the columns and rows that are empty."""
    rows = [[in_cell(cell) for cell in row] for row in rows]
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=0)
    return pipe_table([row[:width] for row in rows if any(row)], header=True)
