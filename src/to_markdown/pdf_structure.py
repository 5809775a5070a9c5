"""What a whole PDF shows about its lines: which are no text, which are notes, and which are headings of what level."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice, pairwise
from typing import Any

from .pdf_words import BULLETS, LABEL, LEADER, RAISED, Line, TextBlock, pieces

Outline = dict[int, dict[str, tuple[int, int]]]  # page -> plain title -> level and number of the bookmark
Font = tuple[float, bool]  # size, and whether it is bold

CARRIED = re.compile(r"\W*continue[sd] (on|from) (the )?(next|previous) page\W*", re.IGNORECASE)
CONTENTS = re.compile(
    r"(table of )?contents|table des matières|sommaire|inhalt(sverzeichnis)?|índice|indice|sumário|inhoud(sopgave)?|"
    r"содержание|оглавление|目\s*[次录錄]|المحتويات|فهرست( مطالب)?|תוכן( ה?עניינים)?",
    re.IGNORECASE,
)
INDEX = re.compile(r"([\w.]+ ){0,5}index", re.IGNORECASE)
NUMBERING = re.compile(r"^\W*((chapter|part|appendix|section) \w+[.:]?\s|[a-z]?[\d.]+\s|[a-z]\.?\s)")
FILE_NAME = re.compile(
    r"untitled.*|\W*anonymous\W*|microsoft \w+ - .*|\S+\.(docx?|tex|dvi|indd|pdf|pptx?|xlsx?|odt)|document\d*|\W*",
    re.IGNORECASE,
)


class Structure:
    """The pages' lines without running headers, contents lists and notes; headings have their level."""

    def __init__(self, document: Any, pages: list[list[Line]]):
        self.pages, self.warnings = pages, list[str]()
        sizes: Counter[float] = Counter()
        for line in self.lines():
            sizes[line.size] += len(line.text) * (1 if line.mono else 2)  # code is no measure of the text around it
        self.body = sizes.most_common(1)[0][0]
        if sum(len(line.text) for line in self.lines() if line.mono) > 0.4 * sizes.total():
            for line in self.lines():  # a typescript: its font says nothing
                line.mono, line.words = False, [replace(word, mono=False) for word in line.words]
        self._drop_page_numbers()
        self._drop_running_lines()
        self._drop_contents()
        self.title = self._title(document)
        self._mark_headings(_outline(document))
        self.labels: dict[tuple[int, str], str] = {}  # page and marker of a footnote -> its label in the text
        self.notes = [self._take_notes(lines) for lines in pages]

    def lines(self) -> Iterator[Line]:
        return chain.from_iterable(self.pages)

    def is_code(self, line: Line) -> bool:
        return bool(line.table) or (line.mono and line.size < 1.15 * self.body)

    def _drop_page_numbers(self) -> None:
        """Numbers that stand alone as the first or last line and rise with the pages, wherever that is."""
        ends = [(at, line) for at, lines in enumerate(self.pages) for line in (*lines[:1], *lines[1:][-1:])]
        numbers = [(int(line.text) - at, line) for at, line in ends if line.text.isdecimal()]
        offset, count = Counter(offset for offset, _ in numbers).most_common(1)[0] if numbers else (0, 0)
        if count > max(2, sum(map(bool, self.pages)) / 2):
            gone = {id(line) for rise, line in numbers if rise == offset}
            for lines in self.pages:
                lines[:] = [line for line in lines if id(line) not in gone]

    def _drop_running_lines(self) -> None:
        """Headers, footers, page numbers, stamps: at a height near an edge where most lines repeat, but for numbers.

        It is enough that one of a line's pieces repeats: beside a chapter's name, that of the section changes.
        """
        seen: dict[int, Counter[str]] = defaultdict(Counter)
        places: dict[int, list[tuple[Line, set[str]]]] = defaultdict(list)
        for lines in self.pages:
            outer = sorted((line for line in lines if not line.table), key=lambda line: line.height)
            for line in {id(one): one for one in [*outer[:4], *outer[-4:]]}.values():
                if 0.12 < line.height < 0.88 or LABEL.fullmatch(line.text):
                    continue
                # What is larger than the text may be a heading ("Chapter 3"), so its numbers count.
                numbers = r"\d+|\b[ivxlc]+\b" if line.size < 1.15 * self.body else r"(?!)"
                parts = pieces(line.words, 1.2) if line.height >= 0 else [line.words]
                texts = (" ".join(word.text for word in part) for part in parts)
                place, keys = round(line.height * 250), {re.sub(numbers, "#", text.lower()) for text in texts}
                places[place].append((line, keys))
                seen[place].update(keys)
        often = 2 if len(self.pages) < 4 else 3
        running: set[int] = set()
        for place, found in places.items():
            repeated = sum(any(seen[place][key] >= often for key in keys) for _, keys in found)
            if repeated > len(found) / 2:
                running.update(id(line) for line, _ in found)
        for lines in self.pages:
            lines[:] = [line for line in lines if id(line) not in running and not CARRIED.fullmatch(line.text)]

    def _drop_contents(self) -> None:
        """Tables of contents: lines that lead with dots to page numbers that never fall; and indexes.

        The numbers of an index fall, so that it might be a list of prices: it is told by its title.
        """
        found: list[int] = []
        index = False
        for number, lines in enumerate(self.pages):
            leaders = [(line, match[1]) for line in lines if (match := LEADER.search(line.text))]
            numbers = [int(digits) for _, digits in leaders if digits.isdigit()]
            goes_on = found[-1:] == [number - 1]
            titles = [line for line in lines if INDEX.fullmatch(line.text) and line.size >= 1.15 * self.body]
            index = bool(titles) or (index and goes_on)
            if not (index or numbers == sorted(numbers)) or len(leaders) < (1 if goes_on else 4):
                continue
            found.append(number)
            margin = max(line.x1 for line, _ in leaders) - 3
            at = [
                i
                for i, line in enumerate(lines)
                if LEADER.search(line.text) or (line.x1 > margin and re.search(r"\s\d+$", line.text))
            ]
            # Where they fill the page, the small lines around them are entries that wrap, or initials above them.
            first, last = (0, len(lines)) if len(at) > 0.6 * len(lines) else (at[0], at[-1] + 1)
            gone = {id(line) for line in lines[first:last] if line.size < 1.15 * self.body or len(line.text) == 1}
            gone |= {id(line) for line in lines if line in titles or CONTENTS.fullmatch(line.text)}
            lines[:] = [line for line in lines if id(line) not in gone]
        if found:
            self.warnings.append(f"contents or index left out: pages {page_ranges(found)}")

    def _take_notes(self, lines: list[Line]) -> list[TextBlock]:
        """Footnotes, cut from the foot of each column: small lines, from the first that starts with a raised marker."""
        notes: list[TextBlock] = []
        for _, group in groupby(list(lines), key=lambda line: line.region):
            column = list(group)
            small = len(column)
            while small and column[small - 1].size <= 0.93 * self.body and not column[small - 1].table:
                small -= 1
            taken: list[TextBlock] = []
            for line in column[small:]:
                if marker := RAISED.match(line.text):
                    number = marker[1]
                    label = number if (-1, number) not in self.labels else f"{line.page + 1}-{number}"
                    self.labels[line.page, number] = self.labels[-1, number] = label
                    taken.append(TextBlock("note", [line], marker=label))
                elif taken:
                    taken[-1].lines.append(line)
            gone = {id(line) for note in taken for line in note.lines}
            lines[:] = [line for line in lines if id(line) not in gone]
            notes += taken
        return notes

    def _title(self, document: Any) -> str:
        """The file's own title unless it is only its name, or else the largest text on the first page."""
        title = " ".join(document.get_metadata_value("Title").split())
        if not FILE_NAME.fullmatch(title):
            return title
        first = [line for line in self.pages[0] if re.search(r"[^\W\d]{2}", line.text)]
        largest = max((line.size for line in first), default=0.0)
        run = next((list(run) for size, run in groupby(first, lambda line: line.size) if size == largest), [])
        return " ".join(line.text for line in run)[:200] if largest > 1.1 * self.body else ""

    # Headings

    def _mark_headings(self, outline: Outline) -> None:
        """Give headings their level: the outline's where it names the line, or else one by the sizes that occur."""
        cover = max(self.pages[0], key=lambda line: line.size, default=None)
        if cover and (cover.size < 1.15 * self.body or _key(cover.text) in outline.get(0, {})):
            cover = None
        named = self._named(outline)
        styles: dict[Font, int] = {}
        for entry, (style, level, run) in sorted(named.items(), key=lambda item: item[1][1]):
            styles.setdefault(style, min(6, level + 1 + bool(cover)))
            for line in run:
                line.level, line.entry = min(6, level + 1 + bool(cover)), entry
        self._mark_by_size(cover, styles, trusted=len(named) > 3)
        for lines in self.pages:
            for _, group in groupby(lines, key=lambda line: (line.level, line.size, line.region)):
                run = list(group)
                if len(run) > 4 and run[0].entry < 0:  # a large paragraph
                    for line in run:
                        line.level = 0
            for line, below in pairwise(lines):
                if LABEL.fullmatch(line.text) and below.level:  # "Chapter 3", above its title
                    line.level = below.level

    def _named(self, outline: Outline) -> dict[int, tuple[Font, int, list[Line]]]:
        """The largest lines that each entry of the outline names: its number -> their style, its level, the lines."""
        best: dict[int, tuple[Font, int, list[Line]]] = {}
        for number, entries in outline.items():
            lines = self.pages[number] if number < len(self.pages) else []
            for at in range(len(lines)):
                for count in range(1, 6):
                    run = lines[at : at + count]
                    level, entry = entries.get(_key(" ".join(one.text for one in run)), (0, -1))
                    style = (run[-1].size, run[-1].bold)
                    better = entry >= 0 and (entry not in best or style > best[entry][0])
                    if better and not any(self.is_code(one) for one in run):
                        best[entry] = style, level, run
        return best

    def _mark_by_size(self, cover: Line | None, styles: dict[Font, int], *, trusted: bool) -> None:
        """`styles`: the levels that the outline gives; `trusted`: it names so many that others are below it."""
        candidates: dict[float, list[Line]] = defaultdict(list)
        for lines in self.pages:
            for at, line in enumerate(lines):
                if line.level or self.is_code(line) or not re.search(r"[^\W\d]{2}", line.text) or len(line.text) > 200:
                    continue
                if line.words[0].text in BULLETS:
                    continue
                if line.size >= (1.07 if line.bold else 1.15) * self.body and len(pieces(line.words, 1.2)) < 3:
                    candidates[line.size].append(line)
                elif line.bold and not trusted and self._stands_alone(lines, at):
                    candidates[self.body].append(line)
        ranks: list[float] = []
        for size in sorted(candidates, reverse=True):
            # Sizes of a title page alone are no levels, but for its largest.
            inside = len(self.pages) < 4 or any(line.page for line in candidates[size])
            if not inside and not (cover and cover.size == size):
                continue
            if not ranks or ranks[-1] - size > 0.4:
                ranks.append(size)
            above = [level for (at, _), level in styles.items() if at > size + 0.4]
            for line in candidates[size]:
                by_size = max(above, default=bool(cover)) + 1 if trusted else len(ranks)
                line.level = min(6, styles.get((size, line.bold), by_size))
                if cover and line.page == 0 and size == cover.size:
                    line.level = 1

    def _stands_alone(self, lines: list[Line], at: int) -> bool:
        """Whether a bold line of the text's size is a heading: short, not ended, and apart from what is above it."""
        line, above, below = lines[at], lines[at - 1] if at else None, lines[at + 1] if at + 1 < len(lines) else None
        apart = not above or above.region != line.region or above.y - line.y > 1.4 * line.size or above.level
        last = not below or not below.bold or line.y - below.y > 1.6 * line.size
        short = len(line.text.split()) <= 12 and line.text[-1] not in ".,;:" and line.size >= self.body
        return bool(apart and last and short)


def _outline(document: Any) -> Outline:
    entries: Outline = defaultdict(dict)
    for number, bookmark in enumerate(islice(document.get_toc(), 20_000)):
        destination, key = bookmark.get_dest(), _key(bookmark.get_title())
        page = destination.get_index() if destination else None
        if page is not None and key:
            entries[page].setdefault(key, (bookmark.level, number))
    return entries


def _key(title: str) -> str:
    """What two writings of a title have in common: no number at its start, no case, no punctuation."""
    return re.sub(r"\W", "", NUMBERING.sub("", title.lower(), count=1))


def page_ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 6] -> "1-3, 7"."""
    runs = [[n + 1 for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
