"""A PDF's lines -> blocks -> Markdown: paragraphs across lines, columns and pages, lists, code, tables and notes."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import accumulate, chain, groupby, pairwise

from .pdf_structure import Structure
from .pdf_words import BULLETS, ENUM, HYPHENS, LABEL, NUMBERED, RAISED, Line, TextBlock, Word
from .raw_file import Conversion

ENDED = re.compile(r"[.!?:;][\"'\u201d\u2019)\]]*(\x0e.*\x0f)?$")
POWER = re.compile(r"(?<!\w)([^\W\d_]|[kcdmnµ]m|10)$")  # what stands before an exponent, even where notes have numbers
SUPERSCRIPTS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")


def to_markdown(structure: Structure) -> Conversion:
    return _Layout(structure).converted()


class _Layout:
    """The blocks so far, and what tells where the next line belongs."""

    def __init__(self, structure: Structure):
        self.structure, self.blocks = structure, list[TextBlock]()
        self.pitches = _pitches(structure.lines())
        self.vocabulary = _vocabulary(structure.lines())
        self.right: dict[tuple[int, int], float] = defaultdict(float)  # where the lines of a region end
        for line in structure.lines():
            self.right[line.page, line.region] = max(line.x1, self.right[line.page, line.region])
        self.items: list[tuple[float, float, int]] = []  # that are open: where marker and text begin, the indent
        self.page = 0

    def converted(self) -> Conversion:
        notes, count = self.structure.notes, len(self.structure.pages)
        for line in self.structure.lines():
            self._add(line)
        text, done, before = "", 0, ""
        for block in [*self.blocks, None]:
            # A page's notes stand at its end, but ahead of a paragraph that goes on over the page.
            end = block.lines[-1].page if block else count
            if block and (block.indent or block.kind == "item"):
                end = done  # nor do they part a list
            for part in [*chain.from_iterable(notes[done:end]), *([block] if block else [])]:
                text += "\n" * (1 if part.kind == before == "item" else 2) + self._rendered(part)
                before = part.kind
            done = max(done, end)
        text += self._turn_to(count - 1)
        parts = text.strip("\n").replace("\xad", "").split("\f")
        pages = tuple(accumulate((len(part) for part in parts[:-1]), initial=0))
        return Conversion(self.structure.title, "".join(parts), tuple(self.structure.warnings), pages=pages)

    # Lines -> blocks

    def _add(self, line: Line) -> None:
        last = self.blocks[-1] if self.blocks else TextBlock("", [line])
        above = last.lines[-1]
        gap = self._gap(above, line)
        kind, joins = "paragraph", False
        if line.table:
            kind, joins = "table", last.kind == "table" and _is_rest(above, line)
        elif line.level:
            label = LABEL.fullmatch(" ".join(one.text for one in last.lines))
            close = gap < (6 if label else 1.4) and min(line.entry, above.entry) < 0
            kind, joins = "heading", last.level == line.level and (close or line.entry == above.entry >= 0)
        elif self.structure.is_code(line) and not (gap < 1 and self._continues(last, line, gap)):
            kind, joins = "code", math.isinf(gap) or gap < 3
        elif self._is_item(line, last, gap):
            kind = "item"
        else:
            term = len(above.words) == 1 and line.x0 > above.x0 + line.size and gap < 3
            if last.kind == "code" and len(last.lines) == 1 and (term or (gap < 1 and line.x0 > above.x0 - 2)):
                last.kind = "paragraph"  # it is a term on a line of its own, or begins a paragraph
            joins = self._continues(last, line, gap)
            kind = last.kind if joins else "paragraph"
        if joins and last.kind == kind:
            if len(last.lines) == 1 and kind == "paragraph":
                last.left = line.x0
            last.lines.append(line)
        else:
            self._start(kind, line)

    def _gap(self, above: Line, below: Line) -> float:
        """How far apart two lines are: up to 1 within a paragraph, infinitely in different columns."""
        if (above.page, above.region) != (below.page, below.region):
            return math.inf
        return (above.y - below.y) / (below.size * self.pitches.get(below.size, self.pitches[0.0]))

    def _is_item(self, line: Line, last: TextBlock, gap: float) -> bool:
        first = line.words[0]
        if len(line.words) < 2 or not line.words[1].space:
            return False
        if first.text in BULLETS or (first.text == "o" and first.mono):
            return True
        apart = gap > 1 or last.kind != "paragraph" or last.lines[-1].text.endswith(":")
        # "article 2." may be broken after its first word: an item that is not a list's first stands beside no text.
        flush = last.kind == "item" and gap <= 1 and abs(line.x0 - last.left) < 3
        begins = re.fullmatch(r"\(?[1aiAI][.)]", first.text)
        return bool(ENUM.fullmatch(first.text)) and apart and bool(begins or not flush)

    def _start(self, kind: str, line: Line) -> None:
        """A new block, within those list items whose text it is flush with."""
        block = TextBlock(kind, [line], left=line.x0, level=line.level)
        while self.items and (kind == "heading" or line.x0 < self.items[-1][1] - 3):
            self.items.pop()
        block.indent = self.items[-1][2] if self.items else 0
        if kind == "item":
            first = line.words[0].text
            block.left = line.words[1].x0
            block.marker = first + " " if re.fullmatch(r"\d+[.)]", first) else "- "
            self.items.append((line.x0, block.left, block.indent + len(block.marker)))
        self.blocks.append(block)

    def _continues(self, last: TextBlock, line: Line, gap: float) -> bool:
        """Whether a line goes on with the paragraph or item above it."""
        above, size, first = last.lines[-1], line.size, line.words[0]
        if last.kind not in {"paragraph", "item"} or abs(above.size - size) > 0.1 * size or gap < 0:
            return False
        beside = abs(line.x0 - last.lines[0].x0) < 0.8 * size
        if beside and NUMBERED.fullmatch(first.text) and NUMBERED.fullmatch(last.lines[0].words[0].text):
            return False  # clauses, of which the last one fills its line
        if len(last.lines) > 500:  # no paragraph; and joining takes as long as the square of the lines
            return False
        ended, lower = ENDED.search(above.text), line.text[0].islower()
        far = math.isinf(gap)  # it stands in another column or on another page
        right = self.right[above.page, above.region] if far else max(one.x1 for one in [line, *last.lines[-20:]])
        fits = above.x1 + first.x1 - first.x0 + size < right  # so the line above was ended on purpose
        if far:
            return not fits and (lower or not (ended or line.mono))
        full = not (ended or fits or line.text[0].isupper())
        pushed = full and any(word.size != size for word in (*above.words, *line.words))  # by a raised figure
        if gap > (1.4 if pushed else 1) or (ended and fits and not lower):
            return False
        if last.kind == "item" and len(last.lines) == 1 and abs(line.x0 - above.x0) < 0.8 * size:
            return not fits  # an item that wraps to its marker
        shift = (line.x0 - last.left) / size
        if last.kind == "paragraph" and len(last.lines) == 1:  # its first line may be indented, or the others
            return -4 < shift < 0.8 or (shift < 8 and not (ended or fits))
        return abs(shift) < 0.8

    # Blocks -> Markdown

    def _turn_to(self, page: int) -> str:
        """A form feed for each page that begins here; they are taken out once the text is whole."""
        marks, self.page = "\f" * (page - self.page), max(page, self.page)
        return marks

    def _rendered(self, block: TextBlock) -> str:
        indent, lines = " " * block.indent, block.lines
        start = self._turn_to(lines[0].page)
        if block.kind == "table":
            return start + self._table(lines)
        if block.kind == "code":
            left, text = min(line.x0 for line in lines), ""
            for above, line in pairwise([lines[0], *lines]):
                blank = 1.5 < self._gap(above, line) < math.inf
                text += "\n" * (1 + blank) + self._turn_to(line.page) + indent + _code(line, left)
            fence = indent + ("~~~" if "```" in text else "```")
            return f"{start}{fence}{text}\n{fence}"
        text, below = "", indent + " " * len(block.marker) * (block.kind == "item")
        verse = block.kind != "heading" and _is_verse(lines)
        for line in lines:
            own = block.kind == "item" and line is lines[0]
            # Markdown's own markers go; "(a)" is none and stays.
            words = line.words[own and (block.marker != "- " or not ENUM.fullmatch(line.words[0].text)) :]
            if block.kind == "heading" and " " in text and LABEL.fullmatch(text):  # "Chapter 3", above its title
                text += ":"
            mark, rich = self._turn_to(line.page), self._rich(words, line.page, plain=block.kind == "heading")
            text = f"{text}\n{mark}{below}{rich}" if verse and text else self._joined(text, rich, mark)
        if block.kind == "heading":
            return f"{start}{'#' * block.level} {text}"
        if block.kind == "note":
            return f"{start}[^{block.marker}]: {text.removeprefix(f'[^{block.marker}]').strip()}"
        escape = "\\" if block.kind == "paragraph" and re.match(r"#|>|[-+*] ", text) else ""
        return start + indent + escape + block.marker + text

    def _rich(self, words: Sequence[Word], page: int, *, plain: bool = False) -> str:
        """A line's text, with what is monospaced as code and what is raised as a footnote's mark or a superscript."""
        text = ""
        for mono, group in groupby(words, key=lambda word: word.mono and not plain):
            run = "".join(" " * word.space + word.text for word in group)
            code = run.strip(" ")
            fenced = f"`{code}`" if mono and "`" not in code and re.search(r"[\w/$~]|--", code) else code
            text += " " * run.startswith(" ") + fenced

        def raised(found: re.Match[str]) -> str:
            exponent = POWER.search(found.string, 0, found.start())
            label = None if exponent else self.structure.labels.get((page, found[1]))
            return f"[^{label}]" if label else found[1].translate(SUPERSCRIPTS)

        return RAISED.sub(raised, text.strip(" "))

    def _joined(self, left: str, right: str, mark: str = "") -> str:
        """Two lines of a paragraph as one text: the hyphen of a broken word goes, a real one stays."""
        if not left or not right:
            return left + mark + right
        if left[-1] == right[0] == "`":
            broken = left[-2:-1] in "-/._\xad" or right.startswith("`//")  # a path, a name, an address
            return left[:-1] + " " * (not broken) + mark + right[1:]
        head, tail = re.search(r"([^\W\d_]+)([-\u2010\xad])$", left[-60:]), re.match(r"[^\W\d_]+", right)
        if head and tail and tail[0] not in {"and", "or", "und", "oder"}:
            first, second = head[1].lower(), tail[0].lower()
            whole, parted = self.vocabulary[first + second], self.vocabulary[f"{first}-{second}"]
            words = min(self.vocabulary[first], self.vocabulary[second]) > 0 and min(len(first), len(second)) > 2
            words = words and not (head[1][0].isupper() and self.vocabulary["und"] > self.vocabulary["and"])  # German
            real = head[2] != "\xad" and (tail[0][0].isupper() or parted > whole or (words and not whole))
            return left[: None if real else -1] + mark + right
        dash = left[-1] in "-\u2010\u2014" and left[-2:-1] != " " and right[0].isalnum() and not tail
        chinese = min(left[-1], right[0]) >= "\u2e80"
        return left + " " * (not dash and not chinese) + mark + right

    def _table(self, lines: list[Line]) -> str:
        rows: list[str] = []
        head = None
        for line in lines:
            mark = self._turn_to(line.page)
            for row in line.table or []:
                cells = [reduce(self._joined, map(_unraised, cell), "").replace("|", "\\|") for cell in row]
                if cells == head and mark:  # the head again, on a new page
                    continue
                rows.append(f"{mark}| {' | '.join(cells)} |")
                mark = ""
                if head is None:
                    head = cells
                    rows.append("|" + " --- |" * len(cells))
        return "\n".join(rows)


def _pitches(lines: Iterable[Line]) -> dict[float, float]:
    """The most there is from line to line of a paragraph, in ems: by size, and at 0 for sizes that are rare."""
    gaps: dict[float, Counter[float]] = defaultdict(Counter)
    for above, below in pairwise(lines):
        ratio = round((above.y - below.y) / below.size, 1)
        if (above.page, above.region, above.size) == (below.page, below.region, below.size) and 0.9 < ratio < 2.5:
            gaps[below.size][ratio] += 1
            gaps[0.0][ratio] += 1
    pitches = {0.0: 1.4}
    for size, counts in gaps.items():
        if counts.total() >= 5 or not size:
            usual = min(ratio for ratio, count in counts.items() if count >= 0.15 * counts.total())
            pitches[size] = 1.1 * usual + 0.1
    return pitches


def _vocabulary(lines: Iterable[Line]) -> Counter[str]:
    """Words by how often they stand whole within a line."""
    words: Counter[str] = Counter()
    broken = False
    for line in lines:
        found = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text.lower())
        ends = line.text[-1:] in HYPHENS
        words.update(found[broken : len(found) - ends])
        broken = ends
    return words


def _is_verse(lines: list[Line]) -> bool:
    """Whether most lines were ended on purpose, with room for the next word: verse, addresses, listings."""
    right = max(line.x1 for line in lines)
    breaks = [
        above.x1 + below.words[0].x1 - below.words[0].x0 + 2 * below.size < right and above.text[-1:] not in HYPHENS
        for above, below in pairwise(lines)
        if (above.page, above.region) == (below.page, below.region)
    ]
    return sum(breaks) > max(1, len(breaks) / 2)


def _is_rest(above: Line, below: Line) -> bool:
    """Whether a table goes on with the one at the foot of the page before."""
    same = above.table and below.table and len(above.table[0]) == len(below.table[0])
    return bool(same and below.page == above.page + 1 and abs(above.x1 - above.x0 - below.x1 + below.x0) < 8)


def _code(line: Line, left: float) -> str:
    """A line of code: blanks by the place of its words, as wide as its characters."""
    longest = max(line.words, key=lambda word: len(word.text))
    width = max(0.1, (longest.x1 - longest.x0) / len(longest.text))
    text, reached = "", left
    for word in line.words:
        text += " " * max(round((word.x0 - reached) / width), word.space and text != "") + word.text
        reached = word.x1
    return _unraised(text)


def _unraised(text: str) -> str:
    return RAISED.sub(lambda found: found[1].translate(SUPERSCRIPTS), text)
