"""A PDF page -> lines in reading order, with tables and columns told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, groupby, pairwise
from typing import Any

from .pdf_bidi import in_reading_order, is_rtl
from .pdf_tables import Drawing, with_loose_tables, with_ruled_tables
from .pdf_words import Line, Word, line_of, pieces, rows_of, turn, words_of


def read_page(page: Any, number: int) -> list[Line]:
    lines: list[Line] = []
    left, bottom, right, top = page.get_bbox()
    # Text in the page's main direction first, then what is turned against it (stamps, labels).
    for angle, words in sorted(words_of(page).items(), key=lambda item: -len(item[1])):
        turned = bool(lines)
        xs, heights = zip(*(turn(x, y, angle) for x in (left, right) for y in (bottom, top)), strict=True)
        low, span = min(heights), max(1.0, max(heights) - min(heights))
        drawing = Drawing(page, 0 if turned else angle)
        width = min(xs) + max(xs) if is_rtl(words) else 0.0
        words = in_reading_order(words, drawing.upright, width)
        if width:
            drawing.turn_round(width)
        parts = [words] if turned else _parts(words, drawing, low, span)
        for region, part in enumerate(parts, len(lines)):  # any number that no other region has
            start = min(word.x0 for word in part) if len(parts) > 1 else 0.0
            for word in part:
                word.x0, word.x1 = word.x0 - start, word.x1 - start
            rows = [line_of(row, number, region, -1.0 if turned else (row[0].y - low) / span) for row in rows_of(part)]
            lines += with_loose_tables(rows)
    return lines


def _parts(words: list[Word], drawing: Drawing, low: float, span: float) -> list[list[Word]]:
    """The words of each region in reading order: what stands apart at head and foot, and columns between them."""
    rows = rows_of(with_ruled_tables(drawing.with_bullets(words), drawing))

    def apart(rows: list[list[Word]]) -> int:
        count = 0
        for number, (outer, inner) in enumerate(pairwise(rows[:3]), 1):
            at_edge = abs((outer[0].y - low) / span - 0.5) > 0.415 and not outer[0].table
            gap = min(abs(a.y - b.y) for a in outer for b in inner)
            if at_edge and gap > 1.4 * max(outer[0].size, inner[0].size):
                count = number
        return count

    head, foot = apart(rows), len(rows) - apart(rows[::-1])
    return [*rows[:head], *_columns(list(chain(*rows[head:foot]))), *rows[max(head, foot) :]]


def _columns(words: list[Word], depth: int = 0) -> Iterator[list[Word]]:
    """The words of each column in reading order; text over the whole width ends the columns above it."""
    if not words:
        return
    rows = [pieces(row, 0.8) for row in rows_of(words)]
    left, right = min(word.x0 for word in words), max(word.x1 for word in words)
    # Where many pieces begin, well within the page, a second column may begin.
    starts = Counter(round(piece[0].x0 / 3) for row in rows for piece in row if not piece[0].mono)
    best: list[tuple[list[Word], float | None]] = [(words, None)]
    for start, count in sorted(starts.most_common(6)) if depth < 3 else []:
        if count > 4 and 0.2 < (start * 3 - left) / max(1.0, right - left) < 0.8:
            runs = list(_runs(rows, left, start * 3 - 3.5, right))
            if _in_columns(runs) > _in_columns(best):
                best = runs
    for run, gutter in best:
        if gutter is None:
            yield run
        else:
            yield from _columns([word for word in run if word.x0 < gutter], depth + 1)
            yield from _columns([word for word in run if word.x0 >= gutter], depth + 1)


def _in_columns(runs: list[tuple[list[Word], float | None]]) -> int:
    return sum(len(run) for run, gutter in runs if gutter is not None)


def _runs(
    rows: list[list[list[Word]]], left: float, gutter: float, right: float
) -> Iterator[tuple[list[Word], float | None]]:
    """Words of successive rows, with the gutter between their columns if it parts them."""
    pending: list[Word] = []
    for spanned, group in groupby(rows, key=lambda row: any(it[0].x0 < gutter < it[-1].x1 for it in row)):
        run = list(group)
        flat = [word for row in run for piece in row for word in piece]
        if spanned or not _is_prose(run, left, gutter, right):
            pending += flat
            continue
        if pending:
            yield pending, None
        yield flat, gutter
        pending = []
    if pending:
        yield pending, None


def _is_prose(rows: list[list[list[Word]]], left: float, gutter: float, right: float) -> bool:
    """Whether both sides of a gutter hold running text (a table's cells are short or do not fill their column)."""
    for low, high in ((left, gutter), (gutter, right)):
        sides = [[word for piece in row for word in piece if low <= word.x0 < high] for row in rows]
        sides = [side for side in sides if side]
        full = [side for side in sides if side[-1].x1 - side[0].x0 > 0.6 * (high - low)]
        if sum(sum(len(word.text) for word in side) >= 16 for side in full) < max(3, 0.4 * len(sides)):
            return False
    return True
