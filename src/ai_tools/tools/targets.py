"""How many pairs are asked for of which passage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import UsageError

Chunk = dict[str, Any]
Draw = tuple[int, int]  # its number, and the pairs that it asks for

MOST_PER_CALL = 10
MOST_DRAWS = 10  # about one passage


class Selection:
    """Some passages of a source, in their order; they are read anew each time they are gone through."""

    def __init__(self, chunks: Iterable[Chunk], numbers: Iterable[int]):
        self._chunks, self._numbers = chunks, frozenset(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Chunk]:
        return (chunk for number, chunk in enumerate(self._chunks) if number in self._numbers)


def spread(chunks: Iterable[Chunk]) -> list[int]:
    """The numbers of all passages in such an order that any beginning of it is spread evenly: over the tables, in each
    over its documents, in each of these over its length."""
    tables: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, chunk in enumerate(chunks):
        tables[chunk["origin"]][chunk["file"]].append(number)
    by_table = [
        _in_turn([[numbers[at] for at in _halving(len(numbers))] for numbers in documents.values()])
        for documents in tables.values()
    ]
    return _in_turn(by_table)


def _in_turn(groups: Iterable[Sequence[int]]) -> list[int]:
    ranked = [(rank, place, number) for place, group in enumerate(groups) for rank, number in enumerate(group)]
    return [number for _, _, number in sorted(ranked)]


def _halving(count: int) -> list[int]:
    """0 to count - 1 in van der Corput's order: the first, then always the middle of what lies between."""
    bits = max(1, (count - 1).bit_length())
    order = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits))
    return [number for number in order if number < count]


def shares(total: int, names: Sequence[str]) -> dict[str, int]:
    """`total` pairs over passages, evenly, the first taking the rest; of each at most what one call can ask for."""
    each, rest = divmod(total, len(names))
    wanted = {name: each + (place < rest) for place, name in enumerate(names)}
    return {name: min(count, MOST_PER_CALL) for name, count in wanted.items() if count}


@dataclass
class _Asked:
    draws: list[Draw] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)
    is_dry: bool = False


class Target:
    """The way to a number of pairs: rounds of draws, each for what is still missing, of the passages with the fewest.

    A passage that gave nothing new is not asked again. `names` are the passages' ids in their spread order. `due` are
    all draws of the passages of this round; it is empty when there is no need of one, or no use.
    """

    def __init__(self, total: int, names: Sequence[str]):
        self.total, self._asked = total, {name: _Asked() for name in names}
        self.next_round()

    def next_round(self) -> None:
        short = self.total - sum(len(one.questions) for one in self._asked.values())
        able = [name for name, one in self._asked.items() if not one.is_dry and len(one.draws) < MOST_DRAWS]
        able.sort(key=lambda name: len(self._asked[name].questions))
        wanted = shares(short, able) if short > 0 and able else {}
        for name, count in wanted.items():
            self._asked[name].draws.append((len(self._asked[name].draws), count))
        self.due = {name: self._asked[name].draws for name in wanted}

    def note(self, name: str, questions: set[str]) -> None:
        """What has come of a passage, all its draws together."""
        asked = self._asked[name]
        asked.is_dry = len(questions) == len(asked.questions)
        asked.questions = questions

    def draws(self, name: str) -> list[Draw]:
        """All draws of a passage so far."""
        return self._asked[name].draws


@dataclass(frozen=True)
class Extent:
    """How much is wanted, of which tables."""

    tables: Sequence[str] = ()
    target_pairs: int | None = None
    max_chunks: int | None = None

    def check(self) -> None:
        for option, value in (("--target-pairs", self.target_pairs), ("--max-chunks", self.max_chunks)):
            if value is not None and value < 1:
                raise UsageError(f"{option} {value}: give a whole number from 1 up")


class Scope:
    """The passages of a source that are asked about, and the draws of each: one of `count` pairs, or a target's."""

    def __init__(self, found: Iterable[Chunk], extent: Extent, count: int):
        order = spread(found)[: extent.max_chunks]
        self.chosen = Selection(found, order)
        self._everywhere: list[Draw] = [(0, count)]
        self.target = None
        if extent.target_pairs:
            names = [chunk["chunk_id"] for chunk in found]
            self.target = Target(extent.target_pairs, [names[number] for number in order])

    def first(self, chunk: Chunk) -> list[Draw]:
        """The draws of a passage as far as they are known beforehand."""
        return self.target.due.get(chunk["chunk_id"], []) if self.target else self._everywhere

    def asked(self) -> Iterator[tuple[Chunk, list[Draw]]]:
        """The passages that were or are to be asked about, with all their draws."""
        for chunk in self.chosen:
            if draws := self.target.draws(chunk["chunk_id"]) if self.target else self._everywhere:
                yield chunk, draws
