"""Text -> blocks: where a text may be cut, and how well a cut there reads."""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Any

import regex

from ..escaping import one_line

LONGEST_HEADING = 300  # characters; a longer one is a paragraph, since a heading stands in the path of all below it
_PART = 200_000  # characters


class Rank(IntEnum):
    """How well a cut before a block reads, best first. 1 to 6: before a heading of that level."""

    BREAK = 7  # at a line like `---`
    BLOCK = 8
    ITEM = 9
    INNER = 10  # inside an item of a list, or a quotation
    STANZA = 11  # after "as follows:"; after an empty line of code
    LINE = 12
    SENTENCE = 13
    WRAP = 14  # at the end of a line, in the middle of a sentence
    WORD = 15
    CHARACTER = 16
    GLUED = 17  # after a heading, before the headings at the end, in the head of a table: only where there is no other


class BlockKind(Enum):
    HEADING = auto()
    RULE = auto()
    PROSE = auto()
    CODE = auto()
    FENCE = auto()
    TABLE = auto()
    PLAIN = auto()


HeadingPath = tuple[tuple[int, str], ...]


@dataclass(slots=True)
class Block:
    """text[start:end]. `path`: level and words of the headings above; `opening`: how a fence or a table begins."""

    start: int
    end: int
    rank: int
    kind: BlockKind
    path: HeadingPath = ()
    opening: str = ""
    size: int = 0

    @property
    def is_body(self) -> bool:
        return self.kind is not BlockKind.HEADING and self.kind is not BlockKind.RULE


_FRONT_MATTER = re.compile(r"---[ \t]*\n(?=\S)(?:[^\n]*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
_KINDS = {
    "heading_open": BlockKind.HEADING,
    "hr": BlockKind.RULE,
    "fence": BlockKind.FENCE,
    "table_open": BlockKind.TABLE,
    **dict.fromkeys(("code_block", "html_block"), BlockKind.CODE),
    **dict.fromkeys(("paragraph_open", "blockquote_open"), BlockKind.PROSE),
    **dict.fromkeys(("bullet_list_open", "ordered_list_open", "list_item_open"), BlockKind.PROSE),
}


def plain_blocks(text: str) -> list[Block]:
    return [Block(*_trimmed(text, 0, len(text)), Rank.BLOCK, BlockKind.PLAIN)]


def markdown_blocks(text: str) -> list[Block]:
    """The blocks in order; together they hold all that is not white. Each begins with a line of its own."""
    lines = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    starts = _first_lines(text, lines)
    blocks: list[Block] = []
    path: HeadingPath = ()
    for line, after in itertools.pairwise([*sorted(starts), len(lines) - 1]):
        start, end = _trimmed(text, lines[line], lines[after])
        if start == end:
            continue
        rank, kind, opening = starts[line]
        if kind is BlockKind.HEADING:
            path = (*(above for above in path if above[0] < rank), (rank, opening))
        elif kind is BlockKind.TABLE:
            opening = "\n".join(part.strip() for part in text[start : lines[line + 2]].split("\n")[:2])
        blocks.append(Block(start, end, _rank_after(text, blocks, rank), kind, path, opening))
    if any(block.is_body for block in blocks):
        for block in itertools.takewhile(lambda block: not block.is_body, reversed(blocks)):
            block.rank = Rank.GLUED
    return blocks


def _first_lines(text: str, lines: list[int]) -> dict[int, tuple[int, BlockKind, str]]:
    """Rank, kind and opening (of a heading its words) of each block, by the number of its first line."""
    front = _FRONT_MATTER.match(text)
    first = text.count("\n", 0, front.end()) if front else 0
    starts: dict[int, tuple[int, BlockKind, str]] = {}
    ends = {first}
    for token, inside, above in _tokens(text, lines, first):
        kind = _KINDS.get(token.type)
        if kind is None:
            continue
        line, end = (above + number for number in token.map)
        rank = int(Rank.INNER if token.level else Rank.BLOCK)
        opening = token.markup + token.info.rstrip() if kind is BlockKind.FENCE else ""
        if kind is BlockKind.HEADING:
            words = one_line(inside.content)
            if token.level or len(words) > LONGEST_HEADING:
                kind = BlockKind.PROSE
            else:
                rank, opening = int(token.tag[1]), words
        elif kind is BlockKind.RULE and not token.level:
            rank = Rank.BREAK
        elif token.type == "list_item_open" and token.level == 1:
            rank = Rank.ITEM
        outer = starts.get(line)  # a list and its first item begin with one line
        starts[line] = (min(rank, outer[0]) if outer else rank, kind, opening)
        ends.add(end)
    for end in ends:  # what the parser has no token for (definitions of links) must not vanish
        starts.setdefault(end, (Rank.BLOCK, BlockKind.PROSE, ""))
    return starts | {0: (Rank.BLOCK, BlockKind.CODE, "")} if front else starts


def _tokens(text: str, lines: list[int], line: int) -> Iterator[tuple[Any, Any, int]]:
    """The parser's tokens from a line on; of each the one after it, and the line that its own lines count from.

    The text is parsed in parts, since the tokens of a book are many times its size: each part up to the last block that
    stands in no other, which the next part begins with. A block longer than a part is parsed again in a longer one.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    size = _PART
    while line < len(lines) - 1:
        end = min(bisect.bisect_left(lines, lines[line] + size), len(lines) - 1)
        tokens: list[Any] = []
        parser.block.parse(text[lines[line] : lines[end]].replace("\r", " "), parser, {}, tokens)
        done, after = len(tokens), end
        if end < len(lines) - 1 and tokens:
            done = max(n for n, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map)
            after = line + tokens[done].map[0]
            if after == line:
                size *= 2
                continue
        for number in range(done):
            yield tokens[number], tokens[number + 1] if number + 1 < len(tokens) else None, line
        line, size = after, _PART


def _rank_after(text: str, blocks: list[Block], rank: int) -> int:
    """The rank of a block that comes after these."""
    if not blocks:
        return rank
    last = blocks[-1]
    if last.kind is BlockKind.HEADING or (last.kind is BlockKind.RULE and last.rank == Rank.GLUED):
        return Rank.GLUED
    if last.kind is BlockKind.RULE:
        return min(rank, Rank.BREAK)
    introduces = last.kind is BlockKind.PROSE and text[last.end - 1] == ":"
    return max(rank, Rank.STANZA) if introduces and rank > Rank.BREAK else rank


# A sentence ends, by the properties that Unicode gives to signs, at a mark of any script and what closes behind it. One
# that also stands in numbers and abbreviations needs white space and no small letter after it.
_SENTENCE_END = (
    r"(?:(?:[.!?\u2026\p{SB=ATerm}]|(?<=\p{Greek})[;\u037e])[\p{SB=Close}*_`]*+\s++(?!\p{Ll})"
    r"|(?:[\p{STerm}--[.!?\p{SB=ATerm}]]|(?<!\d)\uff0e)++[[\p{SB=Close}--[\p{Ps}\p{Pi}]]*_`]*+\s*+)"
)
ENDED = regex.compile(r"[\p{STerm}\p{SB=ATerm}:;][\p{SB=Close}*_\s]*+$")  # prose, and what leads to a list
_PARAGRAPH = re.compile(r"\n(?:[^\S\n]*+\n)++")
LINE = re.compile(r"\n(?:[^\S\n]*+\n)*+")
SENTENCE = regex.compile(_SENTENCE_END, regex.VERSION1)
_SENTENCE_OR_LINE = regex.compile(_SENTENCE_END + r"|\n\s*+", regex.VERSION1)
_WORDS = re.compile(r"(?<=\S)\s++(?:\S++\s++){7}")  # for speed; one by one only where eight are too long
WORD = re.compile(r"\s++")
_WITHIN_LINES = ((SENTENCE, Rank.SENTENCE), (_WORDS, Rank.WORD), (WORD, Rank.WORD))
_PROSE = ((_SENTENCE_OR_LINE, Rank.SENTENCE), *_WITHIN_LINES[1:])
_LINES = ((LINE, Rank.LINE), *_WITHIN_LINES)
_PLAIN = ((_PARAGRAPH, Rank.BLOCK), *_LINES)
_CUTS = {BlockKind.PROSE: _PROSE, BlockKind.HEADING: _PROSE, BlockKind.RULE: _PROSE, BlockKind.PLAIN: _PLAIN}


def finer(text: str, block: Block, room: float) -> list[Block]:
    """The block in pieces: cut at the best boundaries that it has, else several in `room`; one character: none."""
    for pattern, usual in _CUTS.get(block.kind, _LINES):
        gaps = [match for match in pattern.finditer(text, block.start, block.end) if match.end() < block.end]
        if gaps:
            cuts = [(match.end(), _rank_at(pattern, match[0], usual)) for match in gaps]
            break
    else:
        pattern, cuts = None, [(cut, int(Rank.CHARACTER)) for cut in _character_cuts(text, block, room)]
    pieces: list[Block] = []
    for (left, rank), (right, _) in itertools.pairwise([(block.start, block.rank), *cuts, (block.end, 0)]):
        start, end = _trimmed(text, left, right, indentation=pattern in (LINE, _PARAGRAPH))
        if start < end:
            pieces.append(Block(start, end, rank if pieces else block.rank, block.kind, block.path))
    if pattern is LINE and block.kind in (BlockKind.FENCE, BlockKind.TABLE):
        for piece in pieces[1 : 2 if block.kind is BlockKind.FENCE else 3]:
            piece.rank = Rank.GLUED
        if not text[pieces[-1].start : pieces[-1].end].strip("`~ \t"):
            pieces[-1].rank = Rank.GLUED
    return pieces if cuts or pieces[0].start > block.start else []


def _rank_at(pattern: re.Pattern[str], gap: str, usual: int) -> int:
    """The rank of a cut after this match of the pattern."""
    if pattern is LINE and gap.count("\n") > 1:
        return Rank.STANZA
    if pattern is _SENTENCE_OR_LINE and "\n" in gap:
        return Rank.WRAP if gap[0] == "\n" else Rank.LINE
    return usual


def _character_cuts(text: str, block: Block, room: float) -> list[int]:
    """Cuts between characters as readers see them, about eight in `room`; inside one character where it is too long."""
    parts = max(2, math.ceil(block.size / max(1.0, room / 8)))
    step = math.ceil((block.end - block.start) / parts)
    cuts = [block.start]
    for match in regex.finditer(r"\X", text, pos=block.start, endpos=block.end):
        if match.end() - cuts[-1] >= step and match.end() < block.end:
            cuts.append(match.end())
    return cuts[1:] or list(range(block.start + 1, block.end))


def _trimmed(text: str, start: int, end: int, *, indentation: bool = True) -> tuple[int, int]:
    """The span without white space at its ends; the indentation of its first line may stay."""
    piece = text[start:end]
    lead = piece[: len(piece) - len(piece.lstrip())]
    first = len(lead.rstrip(" \t")) if indentation else len(lead)
    return (start + first, start + len(piece.rstrip())) if len(lead) < len(piece) else (start, start)
