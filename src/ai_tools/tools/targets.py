"""What is asked about a passage, and how many pairs of which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records import Call, Home, Passage, grouped, in_turn
from ..teachers.asker import Session
from ..teachers.prompts import Prompt
from .running import Pair

Draw = tuple[int, int]  # its number, and the pairs that it asks for

MOST_PER_CALL = 10
MOST_DRAWS = 10  # about one passage
ANGLES = (  # of the draws about one passage
    "the whole passage",
    "numbers, amounts and limits",
    "conditions and exceptions",
    "people, roles and duties",
    "reasons and consequences",
    "terms and their meaning",
    "time limits and dates",
    "steps and their order",
    "names, places and systems",
    "what is seldom noticed",
)


@dataclass(frozen=True)
class Kind:
    """What is asked about a passage, and what a pair is made of an item of the reply."""

    name: str
    prompt: Prompt
    fields: dict[str, Any]
    pair: Callable[[Any], Pair]
    instructions: str = ""
    own: dict[str, str] = field(default_factory=dict)  # the user's words that stand in place of the prompt's


def call_about(kind: Kind, passage: Passage, draw: Draw, session: Session) -> Call:
    number, count = draw
    title = passage.title or Path(passage.file).stem
    about = {"title": title, "section": passage.section, "passage": passage.shown}
    fields = about | {"count": count, "angle": ANGLES[number % len(ANGLES)]} | kind.fields
    return session.plan(kind.prompt, fields, recipe=kind.name, chunk_id=passage.chunk_id, draw=number)


# --- of which passages ---


class Selection:
    """Some passages of a source, in their order; they are read anew each time they are gone through."""

    def __init__(self, passages: Iterable[Passage], numbers: Iterable[int]):
        self._passages, self._numbers = passages, frozenset(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Passage]:
        return (passage for number, passage in enumerate(self._passages) if number in self._numbers)


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


def shares(total: int, names: Sequence[str]) -> dict[str, int]:
    """`total` pairs over passages, evenly, the first taking the rest; of each at most what one call can ask for."""
    each, rest = divmod(total, len(names))
    wanted = {name: each + (place < rest) for place, name in enumerate(names)}
    return {name: min(count, MOST_PER_CALL) for name, count in wanted.items() if count}


@dataclass
class _Asked:
    draws: list[Draw] = field(default_factory=list)
    questions: set[int] = field(default_factory=set)
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
        """What has come of a passage: of all its draws, or of the last one alone."""
        asked, known = self._asked[name], {hash(question) for question in questions}  # no texts: they may be many
        asked.is_dry = known <= asked.questions
        asked.questions |= known

    def draws(self, name: str) -> list[Draw]:
        """All draws of a passage so far."""
        return self._asked[name].draws

    def of_round(self, passages: Iterable[Passage]) -> Iterator[tuple[Passage, list[Draw]]]:
        """The passages of this round, with all draws of each."""
        return ((one, self.due[one.chunk_id]) for one in passages if one.chunk_id in self.due)


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
    """The passages of a source that are asked about, and the draws of each: one of `count` pairs, or a target's.

    `documents` says of every document of the source how many passages it has, `of_chosen` how many of them may be asked
    about. `given_up` are the keys of calls that
    came to nothing in this run, which asks nothing twice.
    """

    def __init__(self, found: Iterable[Passage], extent: Extent, count: int):
        documents, names = [], []
        for passage in found:
            documents.append(passage.home)
            names.append(passage.chunk_id if extent.target_pairs else "")
        order = spread(documents)[: extent.max_chunks]
        self.chosen = Selection(found, order)
        self.documents = Counter(documents)
        self.given_up: set[str] = set()
        self._everywhere: list[Draw] = [(0, count)]
        self._total = extent.target_pairs or 0
        self._names = [names[number] for number in order]
        self._documents_of_chosen = [documents[number] for number in order]
        self.of_chosen = Counter(self._documents_of_chosen)
        self.target = self.aim()

    def aim(self) -> Target | None:
        """A new start of the way to the number of pairs, where one is wanted."""
        return Target(self._total, self._names) if self._total else None

    def first(self, passage: Passage) -> list[Draw]:
        """The draws of a passage as far as they are known beforehand."""
        return self.target.due.get(passage.chunk_id, []) if self.target else self._everywhere

    def asked(self) -> Iterator[tuple[Passage, list[Draw]]]:
        """The passages that were or are to be asked about, with all their draws."""
        for passage in self.chosen:
            if draws := self.target.draws(passage.chunk_id) if self.target else self._everywhere:
                yield passage, draws

    def due(self) -> Counter[Home]:
        """How many passages of each document those are."""
        if not self.target:
            return self.of_chosen
        both = zip(self._names, self._documents_of_chosen, strict=True)
        return Counter(document for name, document in both if self.target.draws(name))
