"""Which of two sources' pairs a judge prefers: set side by side, shown blind and in both orders, counted."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..records import Pair, content_id
from ..teachers.asker import Session
from ..teachers.by_id import ask_by_id
from .figures import Survey
from .pairs import told

Z = 1.959964  # of the normal distribution, for intervals of 95%
BOTH = ("first", "second")


@dataclass(frozen=True)
class Match:
    """A row of one source and one of another, by number; `alike` is what they share: question, passage, nothing."""

    rows: tuple[int, int]
    alike: str


def matches(first: Survey, second: Survey, count: int) -> list[Match]:
    """At most `count` rows of two sources side by side, each row once, drawn by lot; what both have is left out.

    One of every passage that both have, the same question where they ask it, then a second of each, and so on; only
    where those do not suffice, rows of different passages.
    """
    both = set(first.contents) & set(second.contents)
    left, right = _by_passage(first, both), _by_passage(second, both)
    turns: list[tuple[int, int, Match]] = []
    for passage in left.keys() & right.keys():
        found = _side_by_side(first, second, left[passage], right[passage], "passage")
        turns += [(turn, passage, match) for turn, match in enumerate(found)]
    chosen = [match for *_, match in sorted(turns, key=lambda turn: turn[:2])][:count]
    if len(chosen) < count:
        used = tuple({match.rows[side] for match in chosen} for side in (0, 1))
        rest = [
            [number for passage in sorted(some) for number in some[passage] if number not in used[side]]
            for side, some in enumerate((left, right))
        ]
        chosen += _side_by_side(first, second, rest[0], rest[1], "nothing")[: count - len(chosen)]
    return chosen


def _side_by_side(first: Survey, second: Survey, left: list[int], right: list[int], alike: str) -> list[Match]:
    """Rows of two lists, each once: those that ask the same first, then one by one as they come."""
    waiting = {second.questions[number]: number for number in reversed(right)}
    same = {number: other for number in left if (other := waiting.pop(first.questions[number], None)) is not None}
    taken = set(same.values())
    rest = ([n for n in left if n not in same], [n for n in right if n not in taken])
    return [
        *(Match(rows, "question") for rows in same.items()),
        *(Match(rows, alike) for rows in zip(*rest, strict=False)),
    ]


def _by_passage(survey: Survey, left_out: set[int]) -> dict[int, list[int]]:
    """Numbers of rows by passage, those of one passage in the order of their lots; what stands twice, once."""
    seen = set(left_out)
    found: dict[int, list[int]] = defaultdict(list)
    for number, content in enumerate(survey.contents):
        if content not in seen:
            seen.add(content)
            found[survey.passages[number]].append(number)
    for numbers in found.values():
        numbers.sort(key=survey.contents.__getitem__)
    return found


@dataclass(frozen=True)
class Comparison:
    """Two rows to be judged. `sources` say which two of all sources they are from."""

    sources: tuple[int, int]
    alike: str
    pairs: tuple[Pair, Pair]

    def turned(self, turn: int) -> tuple[int, int]:
        """Which of the two stands first, and which second: drawn by content in turn 0, the other way round in 1."""
        lot = int(content_id(*(pair[name] for pair in self.pairs for name in ("question", "answer"))), 16)
        return (0, 1) if (lot + turn) % 2 == 0 else (1, 0)

    def shown(self, turn: int) -> Pair:
        """As the judge sees it: nothing tells the sources."""
        pairs = [self.pairs[which] for which in self.turned(turn)]
        sides = [told(pair) | {"passage": pair.get("source_text", "")} for pair in pairs]
        return {"id": content_id(*sides), "first": sides[0], "second": sides[1]}


@dataclass(frozen=True)
class Ruling:
    """What came of a comparison, and what the judge said, in both orders.

    The verdict is one of BOTH, `neither`, `by order` or `unjudged`.
    """

    comparison: Comparison
    verdict: str
    reasons: tuple[str, ...]


async def judge(block: Sequence[Comparison], session: Session) -> list[Ruling]:
    """Have comparisons judged in both orders, the two in calls apart.

    A preference counts where both orders agree on it; where the judge goes by the order, that is its verdict, and
    without a usable reply to both it is `unjudged`.
    """
    shown = [[one.shown(turn) for one in block] for turn in (0, 1)]
    asked: dict[str, Any] = {"origin": {"recipe": "compare"}, "most": len(block), "alone": True}
    said = [{one.id: one.part for one in await ask_by_id(session, "preference", {}, some, **asked)} for some in shown]
    found = []
    for one, *turns in zip(block, *shown, strict=True):
        replies = [replies.get(pair["id"]) for replies, pair in zip(said, turns, strict=True)]
        votes = [_vote(one.turned(turn), reply.better) for turn, reply in enumerate(replies) if reply is not None]
        verdict = "unjudged" if len(votes) < 2 else votes[0] if votes[0] == votes[1] else "by order"
        found.append(Ruling(one, verdict, tuple(reply.reasoning.strip() for reply in replies if reply is not None)))
    return found


def _vote(order: tuple[int, int], better: str) -> str:
    return better if better not in BOTH else BOTH[order[BOTH.index(better)]]


@dataclass(frozen=True)
class Tally:
    """Verdicts on two sources, counted."""

    sources: tuple[int, int]
    counts: Counter[str]

    @property
    def wins(self) -> tuple[int, int]:
        return self.counts["first"], self.counts["second"]

    @property
    def decided(self) -> int:
        return sum(self.wins)

    @property
    def judged(self) -> int:
        return self.counts.total() - self.counts["unjudged"]

    @property
    def agreement(self) -> float | None:
        """The share of the judged comparisons on which the judge said the same in both orders."""
        return 1 - self.counts["by order"] / self.judged if self.judged else None

    @property
    def p(self) -> float:
        """Of the two-sided exact sign test: how likely as uneven a count of wins is where neither is better."""
        n = self.decided
        tail = sum(math.comb(n, k) for k in range(min(self.wins) + 1))
        return min(1.0, float(2 * tail / 2**n))

    def winner(self, level: float) -> int | None:
        """The source that is preferred, where the test is significant at `level`."""
        if not self.decided or self.p >= level:
            return None
        return self.sources[self.wins[0] < self.wins[1]]


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95% interval of a share by the score method (Wilson 1927), which holds for small numbers, too."""
    if not whole:
        return 0.0, 1.0
    share, z2 = part / whole, Z * Z
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole)) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)
