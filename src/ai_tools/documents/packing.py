"""Blocks -> chunks: each chunk is filled, measured, and cut at the best place in its later three quarters."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

from ..errors import InputError
from .blocks import LINE, SENTENCE, WORD, Block, BlockKind, Rank, finer

Measure = Callable[[Iterable[str]], list[int]]


def fitting(text: str, blocks: list[Block], limit: int, overlap: int, measure: Measure) -> list[Block]:
    """The same blocks with their sizes, those over the limit in pieces that are not."""
    parts: list[Block] = []
    for block, size in zip(blocks, measure(text[block.start : block.end] for block in blocks), strict=True):
        block.size = size
        if size <= limit:
            parts.append(block)
        elif pieces := finer(text, block, limit - overlap):
            parts += fitting(text, pieces, limit, overlap, measure)
        else:
            raise InputError(f"chunk size {limit}: {text[block.start]!r} alone takes {size}. Fix: raise CHUNK_TOKENS")
    return parts


class Packer:
    """Blocks, none over the limit, into chunks. The size of several is estimated to choose the cut, then measured."""

    def __init__(self, text: str, blocks: list[Block], limit: int, overlap: int, measure: Measure) -> None:
        self.text, self.limit, self.overlap, self.measure = text, limit, overlap, measure
        self.waiting = blocks[::-1]
        self.white = 0  # characters between the blocks of the chunks so far,
        self.excess = 0  # and how much more these chunks measure than their blocks

    def chunks(self) -> Iterator[tuple[int, list[Block], int]]:
        """Of each chunk: where it begins, overlap included; the blocks that are new in it; its size."""
        start = self.waiting[-1].start
        while self.waiting:
            first, blocks, size = self.take(start)
            yield first, blocks, size
            if self.waiting:
                start = self.waiting[-1].start
            if self.waiting and self.overlap:
                length = blocks[-1].end - first
                start = self.lead_in(blocks[0].start, blocks[-1].end, math.ceil(length / max(1, size)))

    def take(self, start: int) -> tuple[int, list[Block], int]:
        """The next chunk, from `start` if that costs no cut in what fits without overlap."""
        own = self.waiting[-1].start
        lead = self.size(start, own) if start < own else 0
        room: float = self.limit - lead
        while True:
            window, sums = self.fill(room)
            count = self.choose(start, window, sums) if room > 0 else 1
            if not count and start == own and not self.loosen(window, sums, room - sums[-1]):
                count = self.best_cut(window, sums, 0) or len(window)
            size = self.size(start, window[count - 1].end) if count else 0
            if count and size <= self.limit:
                self.waiting += window[: count - 1 : -1]
                self.learn(window[:count], size - lead)
                return start, window[:count], size
            self.waiting += window[::-1]
            if start < own and count <= 1:
                start, lead, room = own, 0, self.limit
            elif count:
                room = min(room, sums[count - 1]) - (size - self.limit)

    def fill(self, room: float) -> tuple[list[Block], list[float]]:
        """As many of the waiting blocks as should fit, and at each the sum so far; one at least."""
        rate = min(1.0, max(0.0, self.excess / self.white)) if self.white else 0.0
        window: list[Block] = []
        sums: list[float] = []
        total = 0.0
        while self.waiting:
            block = self.waiting[-1]
            total += block.size + (rate * (block.start - window[-1].end) if window else 0)
            if window and total > room:
                break
            window.append(self.waiting.pop())
            sums.append(total)
        return window, sums

    def choose(self, start: int, window: list[Block], sums: list[float]) -> int:
        """How many blocks of the window to take, what fits in spite of the estimate added; 0 where no cut is good."""
        while self.waiting:
            if count := self.best_cut(window, sums, self.limit / 4):
                return count
            if self.size(start, self.waiting[-1].end) > self.limit:
                return 0
            window.append(self.waiting.pop())
            sums.append(self.limit)
        return len(window)

    def best_cut(self, window: list[Block], sums: list[float], least: float) -> int:
        """After how many blocks to cut: where it reads best, there the last, with `least` in the chunk; 0: nowhere."""
        best, best_rank, has_body = 0, int(Rank.GLUED) - 1, False
        for count, (block, following) in enumerate(itertools.pairwise([*window, self.waiting[-1]]), 1):
            has_body = has_body or block.is_body
            if has_body and sums[count - 1] >= least and following.rank <= best_rank:
                best, best_rank = count, following.rank
        return best

    def loosen(self, window: list[Block], sums: list[float], room: float) -> bool:
        """Part a block, so that headings do not stay alone and prose fills a chunk that would be nearly empty."""
        following = self.waiting[-1]
        bodies = [place for place, block in enumerate(window) if block.is_body]
        if not bodies or following.kind in (BlockKind.PROSE, BlockKind.PLAIN):
            pieces = self.pieces(following, room)
            self.waiting[-1:] = pieces[::-1] or [following]
        elif following.is_body or self.best_cut(window, sums, 0):
            return False
        else:
            pieces = self.pieces(window[bodies[-1]], self.limit / 2)
            window[bodies[-1] : bodies[-1] + 1] = pieces or [window[bodies[-1]]]
        return bool(pieces)

    def pieces(self, block: Block, room: float) -> list[Block]:
        pieces = finer(self.text, block, room)
        return fitting(self.text, pieces, self.limit, 0, self.measure)

    def learn(self, blocks: list[Block], size: int) -> None:
        self.white += blocks[-1].end - blocks[0].start - sum(block.end - block.start for block in blocks)
        self.excess += size - sum(block.size for block in blocks)

    def lead_in(self, first: int, end: int, length: int) -> int:
        """Where the next chunk begins, after one whose new text was text[first:end], `length` characters a token."""
        own = self.waiting[-1].start
        needed = 0
        for block in reversed(self.waiting):
            needed += block.size
            if block.is_body:
                break
        most = min(self.overlap, self.limit - needed - 1)
        first = max(first, end - 2 * most * length)  # what is much too long need not be measured
        best, best_size = own, 0
        for pattern in (LINE, SENTENCE, WORD):
            starts = [match.end() for match in pattern.finditer(self.text, first, end) if match.end() < end]
            place = bisect.bisect_left(starts, True, key=lambda start: self.size(start, end) <= most)
            size = self.size(starts[place], end) if place < len(starts) else 0
            if size > best_size:
                best, best_size = starts[place], size
            if best_size >= most / 2:
                break
        return best

    def size(self, start: int, end: int) -> int:
        return self.measure([self.text[start:end]])[0]
