"""Tables on a PDF page: by the rules drawn around them, or by rows whose pieces are flush."""

from __future__ import annotations

import ctypes
import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pypdfium2.raw as raw

from .pdf_words import BULLETS, ENUM, LEADER, Line, Rule, Table, Word, line_of, pieces, rows_of, turn


class Drawing:
    """What is drawn on a page: lines across and upright (strokes, the edges of boxes), and dots that may be bullets."""

    def __init__(self, page: Any, angle: int) -> None:
        self.across: list[Rule] = []
        self.upright: list[Rule] = []
        self.dots: list[Word] = []
        mode, stroke, matrix = ctypes.c_int(), ctypes.c_int(), raw.FS_MATRIX()
        ends = [ctypes.c_float() for _ in range(4)]
        for index in range(raw.FPDFPage_CountObjects(page.raw)):
            path = raw.FPDFPage_GetObject(page.raw, index)
            if raw.FPDFPageObj_GetType(path) != raw.FPDF_PAGEOBJ_PATH or len(self.across) + len(self.upright) > 4000:
                continue
            raw.FPDFPath_GetDrawMode(path, mode, stroke)
            raw.FPDFPageObj_GetBounds(path, *ends)
            raw.FPDFPageObj_GetMatrix(path, matrix)
            count = raw.FPDFPath_CountSegments(path)
            left, bottom, right, top = (end.value for end in ends)
            small = max(right - left, top - bottom) < 6 and abs(right - left - top + bottom) < 1 < right - left
            shading = count <= 5 and not stroke.value and min(right - left, top - bottom) > 3
            if not (mode.value or stroke.value) or count > 400 or shading:  # a clipping path, a drawing
                pass
            elif small:
                (xa, ya), (xb, yb) = turn(left, bottom, angle), turn(right, top, angle)
                self.dots.append(Word("•", min(xa, xb), max(xa, xb), (ya + yb) / 2, 0.0))
            else:
                self._add_rules(path, count, matrix, angle)
        self.across, self.upright = _merged(self.across), _merged(self.upright)

    def turn_round(self, width: float) -> None:
        """Subtract all abscissae from this, for a page that is read from right to left."""
        self.across = [(y, width - x1, width - x0) for y, x0, x1 in self.across]
        self.upright = [(width - x, y0, y1) for x, y0, y1 in self.upright]
        self.dots = [replace(dot, x0=width - dot.x1, x1=width - dot.x0) for dot in self.dots]

    def _add_rules(self, path: Any, count: int, matrix: Any, angle: int) -> None:
        x, y = ctypes.c_float(), ctypes.c_float()
        before = (0.0, 0.0)
        for at in range(count):
            segment = raw.FPDFPath_GetPathSegment(path, at)
            raw.FPDFPathSegment_GetPoint(segment, x, y)
            across, up = matrix.a * x.value + matrix.c * y.value, matrix.b * x.value + matrix.d * y.value
            point = turn(across + matrix.e, up + matrix.f, angle)
            if raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_LINETO:
                (xa, xb), (ya, yb) = sorted((before[0], point[0])), sorted((before[1], point[1]))
                if yb - ya < 2 < xb - xa:
                    self.across.append(((ya + yb) / 2, xa, xb))
                elif xb - xa < 2 < yb - ya:
                    self.upright.append(((xa + xb) / 2, ya, yb))
            before = point

    def with_bullets(self, words: list[Word]) -> list[Word]:
        """The words, with a bullet for each dot that stands closely before one, as browsers draw them."""
        bullets = []
        for dot in self.dots if len(self.dots) < 200 else []:  # more are a diagram
            for word in words:
                if 0 < word.x0 - dot.x1 < 1.5 * word.size and 0 < dot.y - word.y < 0.7 * word.size:
                    bullets.append(replace(dot, y=word.y, size=word.size))
                    break
        return words + bullets


def _merged(rules: list[Rule]) -> list[Rule]:
    """One rule for those that continue or double each other."""
    levels: dict[float, list[Rule]] = {}
    at = -math.inf
    for rule in sorted(rules):
        at = rule[0] if rule[0] - at > 2.5 else at
        levels.setdefault(at, []).append(rule)
    merged: list[Rule] = []
    for at, level in levels.items():
        for _, start, end in sorted(level, key=lambda rule: rule[1]):
            if merged and merged[-1][0] == at and start <= merged[-1][2] + 3:
                merged[-1] = (at, merged[-1][1], max(end, merged[-1][2]))
            else:
                merged.append((at, start, end))
    return merged


def _grids(drawing: Drawing) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """The rules of what may be tables: those across and upright that meet, or three of one width and none upright."""
    across, upright = drawing.across, drawing.upright
    if len(across) * len(upright) > 200_000:  # a drawing
        return
    group = list(range(len(across)))
    walls: dict[int, list[Rule]] = defaultdict(list)
    for wall in upright:
        met = [i for i, (y, x0, x1) in enumerate(across) if wall[1] - 3 < y < wall[2] + 3 and x0 - 3 < wall[0] < x1 + 3]
        joined = {group[i] for i in met}
        if met:
            group = [met[0] if one in joined else one for one in group]
            walls[met[0]].append(wall)
    walled = {group[i] for i in walls}
    tables: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, (_, x0, x1) in enumerate(across):
        tables[(group[i], -1) if group[i] in walled else (round(x0 / 4), round(x1 / 4))].append(i)
    for members in islice(tables.values(), 100):
        yield [across[i] for i in reversed(members)], [wall for i in members for wall in walls[i]]


def _places(rules: list[Rule], crossing: list[Rule]) -> list[float]:
    """Where rules stand, and where those that cross them begin and end: a table may be open there."""
    ends = [end for rule in crossing for end in rule[1:]]
    outer = {min(ends), max(ends)} if ends else set()
    return sorted({*(rule[0] for rule in rules), *(x for x in outer if all(abs(x - rule[0]) > 6 for rule in rules))})


def with_ruled_tables(words: list[Word], drawing: Drawing) -> list[Word]:
    """The words, with those of each ruled table replaced by one that carries it."""
    for across, walls in _grids(drawing):
        ys, xs = _places(across, walls)[::-1], _places(walls, across)
        # Without walls, a table's head must show itself as one: a low first row.
        if len(ys) < 2 or (not walls and (len(ys) < 3 or ys[0] - ys[1] > 60)):
            continue
        inside, outside = list[Word](), list[Word]()
        for word in words:
            within = xs[0] < (word.x0 + word.x1) / 2 < xs[-1] and ys[-1] < word.y + 0.3 * word.size < ys[0]
            (inside if within and not word.table else outside).append(word)
        if not inside or (len(xs) < 3 and all(word.mono for word in inside)):
            continue
        if len(xs) < 3:
            walls, xs = [], _gutters(inside, xs[0], xs[-1])
        table = _table(inside, ys, xs, walls, across)
        filled = sum(bool(cell) for row in table for cell in row) / max(1, len(table))
        if 3 <= len(xs) <= 20 and len(table) > 1 and filled > (1 if walls else 0.7 * (len(xs) - 1)):
            words = [*outside, Word("", xs[0], xs[-1], ys[0], 10.0, table=table)]
    return words


def _gutters(words: list[Word], left: float, right: float) -> list[float]:
    """The ends, and the middles of the upright strips between them that no word touches."""
    edges, reached = [left], math.inf
    for word in sorted(words, key=lambda word: word.x0):
        if word.x0 - reached > 0.7 * word.size:
            edges.append((word.x0 + reached) / 2)
        reached = word.x1 if math.isinf(reached) else max(reached, word.x1)
    return [*edges, right]


def _table(words: list[Word], ys: list[float], xs: list[float], walls: list[Rule], across: list[Rule]) -> Table:
    """The lines of text in each cell; a cell goes on to the right and down where no rule ends it."""
    bands: dict[int, list[Word]] = defaultdict(list)
    columns: dict[int, int] = {}
    for word in words:
        x, y = (word.x0 + word.x1) / 2, word.y + 0.3 * word.size
        column = bisect_right(xs, x) - 1
        band = bisect_right(ys, -y, key=lambda at: -at) - 1
        while walls and column and not _is_ruled(walls, xs[column], y):
            column -= 1
        while walls and band and not _is_ruled(across, ys[band], x):
            band -= 1
        columns[id(word)] = column
        bands[band].append(word)
    table: Table = []
    for _, members in sorted(bands.items()):
        rows: Table = []
        for row in rows_of(members):
            cells = [[word for word in row if columns[id(word)] == at] for at in range(len(xs) - 1)]
            rows.append([[line_of(cell).text] if cell else [] for cell in cells])
        # Where rules part only the head, each line is a row if all its cells are filled, or without walls its first.
        filled = all(all(row) for row in rows)
        for number, texts in enumerate(rows):
            if number and not (len(ys) <= 3 and (filled or (not walls and table and texts[0]))):
                table[-1] = [[*above, *below] for above, below in zip(table[-1], texts, strict=True)]
            else:
                table.append(texts)
    return table


def _is_ruled(rules: list[Rule], place: float, at: float) -> bool:
    return any(abs(rule[0] - place) < 3 and rule[1] < at < rule[2] for rule in rules)


def with_loose_tables(lines: list[Line]) -> list[Line]:
    """Three or more lines of as many pieces, flush with each other and apart from other text, are an unruled table."""
    result: list[Line] = []
    run: list[list[list[Word]]] = []

    def end_run(below: Line | None) -> None:
        if len(run) > 2:
            start = len(result) - len(run)
            neighbours = [*zip(result[start - 1 : start], [result[start]], strict=False), (result[-1], below)]
            tight = any(b and not a.table and not b.table and a.y - b.y < 1.4 * b.size for a, b in neighbours)
            columns = ["".join(word.text for row in run for word in row[at]) for at in range(len(run[0]))]
            short = sum(map(len, columns)) < 30 * len(run) * len(columns)
            if short and not tight and all(re.search(r"\w", column) for column in columns):
                table = [[[line_of(piece).text] for piece in row] for row in run]
                x1 = max(line.x1 for line in result[start:])
                result[start:] = [replace(result[start], text="", table=table, x1=x1, y=result[-1].y)]
        run.clear()

    for line in lines:
        first = line.words[0].text
        other = line.mono or line.table or first in BULLETS or ENUM.fullmatch(first) or LEADER.search(line.text)
        row = [] if other else pieces(line.words, 1.2)
        if run and not (
            len(row) == len(run[-1])
            and result[-1].y - line.y < 2.5 * line.size
            and all(
                below[0].x0 < above[-1].x1 and above[0].x0 < below[-1].x1 and (len(run) == 1 or _flush(above, below))
                for above, below in zip(run[-1], row, strict=True)
            )
        ):
            end_run(line)
        result.append(line)
        if len(row) > 1:
            run.append(row)
    end_run(None)
    return result


def _flush(above: list[Word], below: list[Word]) -> bool:
    left, right = above[0].x0 - below[0].x0, above[-1].x1 - below[-1].x1
    return min(abs(left), abs(right), abs(left + right) / 2) < 3
