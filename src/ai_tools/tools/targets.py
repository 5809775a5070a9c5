"""Which passages of a source are asked about, and how many pairs of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ..errors import UsageError
from ..records import Home, Passage, grouped, in_turn

MOST_PER_CALL = 10
MOST_DRAWS = 10  # about one passage
LEAST_BODY = 40  # bytes: some words of a Western language, a sentence of a Chinese one

Draw = tuple[int, int]  # its number, and the pairs that it asks for


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One call that is to be made: draw `number` about a passage, for `count` pairs; `place` is the passage's number
    in its source."""

    place: int
    passage: Passage
    number: int
    count: int


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
    """The passages of a source that may be asked about; they are read anew each time they are gone through.

    `documents` says of every document of the source how many passages it has, `chosen` how many of them may be asked
    about.
    """

    def __init__(self, found: Iterable[Passage], extent: Extent, count: int):
        known: dict[Home, Home] = {}
        self._found, self._target, self._count = found, extent.target_pairs, count
        self._homes: list[Home] = []
        numbers: dict[bool, list[int]] = {True: [], False: []}  # of passages that hold something, then of the others
        for number, passage in enumerate(found):
            self._homes.append(known.setdefault(home := passage.home, home))
            numbers[holds_something(passage.text)].append(number)
        orders = ((some[at] for at in spread(self._homes[number] for number in some)) for some in numbers.values())
        self._places = list(chain.from_iterable(orders))[: extent.max_chunks]
        self.documents = Counter(self._homes)
        self.chosen = self.documents_of(self._places)

    def rounds(self) -> Once | Target:
        """What is asked, from the start: one call about each passage, or what it takes to reach a number of pairs."""
        return Target(self._target, self._places) if self._target else Once(self._places, self._count)

    def inquiries(self, rounds: Once | Target) -> Iterator[Inquiry]:
        """The calls of the round that is due, in the order of the source."""
        due = rounds.due
        return (Inquiry(place, passage, *due[place][-1]) for place, passage in enumerate(self._found) if place in due)

    def documents_of(self, places: Iterable[int]) -> Counter[Home]:
        """How many of these passages each document has."""
        return Counter(self._homes[place] for place in places)


class Once:
    """A single round, with one call of `count` pairs about each passage."""

    total, is_last = 0, True

    def __init__(self, places: Sequence[int], count: int):
        draws: list[Draw] = [(0, count)]
        self.due = dict.fromkeys(places, draws)

    @property
    def asked(self) -> Iterable[int]:
        return self.due

    def note(self, _: int, questions: Iterable[str]) -> list[str]:
        return list(questions)

    def next_round(self) -> None:
        self.due = {}


@dataclass
class _Asked:
    draws: list[Draw] = field(default_factory=list)
    questions: set[int] = field(default_factory=set)
    is_dry: bool = False


class Target:
    """The way to a number of pairs: rounds of draws, each for what is still missing, of the passages with the fewest.

    A passage that gave nothing new is not asked again. `places` are the passages in their spread order. `due` are all
    draws of the passages of this round, the last of which is to be made; it is empty when there is no need of one, or
    no use.
    """

    is_last = False

    def __init__(self, total: int, places: Sequence[int]):
        self.total, self._asked = total, {place: _Asked() for place in places}
        self.next_round()

    @property
    def asked(self) -> Iterable[int]:
        """The passages that were or are to be asked about."""
        return (place for place, one in self._asked.items() if one.draws)

    def next_round(self) -> None:
        short = self.total - sum(len(one.questions) for one in self._asked.values())
        able = [place for place, one in self._asked.items() if not one.is_dry and len(one.draws) < MOST_DRAWS]
        able.sort(key=lambda place: len(self._asked[place].questions))
        wanted = shares(short, able) if short > 0 and able else {}
        for place, count in wanted.items():
            self._asked[place].draws.append((len(self._asked[place].draws), count))
        self.due = {place: self._asked[place].draws for place in wanted}

    def note(self, place: int, questions: Iterable[str]) -> list[str]:
        """What has come of a passage: of all its draws, or of the last one alone. Returns what is new of it."""
        asked = self._asked[place]
        new = [question for question in questions if hash(question) not in asked.questions]
        asked.is_dry = not new
        asked.questions.update(map(hash, new))  # no texts: they may be many
        return new


def shares(total: int, places: Sequence[int]) -> dict[int, int]:
    """`total` pairs over passages, evenly, the first taking the rest; of each at most what one call can ask for."""
    each, rest = divmod(total, len(places))
    wanted = {place: each + (turn < rest) for turn, place in enumerate(places)}
    return {place: min(count, MOST_PER_CALL) for place, count in wanted.items() if count}


def holds_something(text: str) -> bool:
    """Whether a passage has more than headings and a few words, as the first one of a document often has not."""
    body = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return sum(len(line.encode(errors="replace")) for line in body) >= LEAST_BODY


def spread(documents: Iterable[Home]) -> list[int]:
    """The numbers of all passages, given the document of each, in such an order that any beginning of it is spread
    evenly: over the tables, in each over its documents, in each of these over its length."""
    homes = list(documents)
    tables = grouped(range(len(homes)), lambda number: homes[number][0]).values()
    by_file = (grouped(numbers, lambda number: homes[number][1]).values() for numbers in tables)
    return in_turn(in_turn(map(_halved, files)) for files in by_file)


def _halved(numbers: Sequence[int]) -> list[int]:
    """In van der Corput's order: the first, then always the middle of what lies between."""
    bits = max(1, (len(numbers) - 1).bit_length())
    order = (int(f"{place:0{bits}b}"[::-1], 2) for place in range(1 << bits))
    return [numbers[place] for place in order if place < len(numbers)]
