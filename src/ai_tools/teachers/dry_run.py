"""What a piece of work would take: the way that it goes, without asking anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ..records import Call, Teacher
from ..sync import run_sync
from .asker import Asker
from .budget import BYTES_PER_TOKEN, tokens_of
from .pace import pace_of
from .providers import price
from .replies import Reply
from .sizes import NO_CALL, Size, size_of, typical_reply
from .standing import look_up

Item = TypeVar("Item")
ASSUMED_SECONDS = 5.0  # for a reply, where the model has given none yet


class Speed(NamedTuple):
    """What time is reckoned by: how many calls a model has in flight at first, and the tokens a second of each.

    `calls` are the earlier ones that say so; where there are none, a reply takes ASSUMED_SECONDS.
    """

    model: str
    in_flight: int
    calls: int = 0
    tokens: float = 0.0


@dataclass
class Estimate:
    """What a piece of work takes: calls to make, calls in the journal, tokens, dollars (None: unknown), seconds.

    `speeds` are those of the endpoints that would be asked; `largest` is the call that needs most of a context, whether
    it is in the journal or not; `note` is what to know besides.
    """

    name: str
    calls: int = 0
    known: int = 0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    usd: float | None = 0.0
    seconds: float = 0.0
    speeds: tuple[Speed, ...] = ()
    largest: Size = NO_CALL
    note: str = ""


class DryRun:
    """A session that asks nobody: it answers from the journal, else with a reply of typical size, which it counts."""

    def __init__(self, asker: Asker, name: str):
        self.teacher, self.plan, self.fit = asker.teacher, asker.plan, asker.fit
        self.estimate = Estimate(name)
        self._asker = asker
        self._typical = asker.journal.typical()
        self._speeds = {(who.base_url, who.model): self._speed(who) for who in (asker.teacher, asker.judge)}
        self._planned: set[str] = set()
        self._busy = 0.0  # seconds, all slots taken together
        self._slowest = dict[str, float]()  # seconds, by prompt

    def run(self, chain: Callable[[Item, DryRun], Awaitable[Any]], items: Iterable[Item]) -> Estimate:
        """What it takes to send all items through a chain of calls."""

        async def through() -> None:
            for item in items:
                await chain(item, self)

        run_sync(through())
        return self.estimate

    async def try_ask(self, call: Call) -> Any | None:
        self.estimate.largest = max(self.estimate.largest, size_of(call), key=sum)
        standing = look_up(self._asker.journal, call, retry_rejected=self._asker.limits.retry_rejected)
        if standing.due is None:
            self.estimate.known += standing.in_journal
            return standing.reply
        reply = typical_reply(call)
        if call.key not in self._planned:
            self._planned.add(call.key)
            self.estimate.known += standing.in_journal
            self._count(standing.due, reply)
        return reply

    def _count(self, call: Call, reply: Reply) -> None:
        limits, now, teacher = self._asker.limits, self.estimate, self._asker.teacher_for(call.reply)
        speed = self._speeds[teacher.base_url, teacher.model]
        if seen := self._typical.get((teacher.provider, teacher.model, call.prompt)):
            _, tokens_in, tokens_out, seconds = seen
        else:
            tokens_in, tokens_out = tokens_of(call), len(reply.model_dump_json()) / BYTES_PER_TOKEN
            assumed = ASSUMED_SECONDS if teacher.base_url else 0.0
            seconds = tokens_out / speed.tokens if speed.calls else assumed
        cost = price(teacher.provider, teacher.model, limits.teacher_price)
        now.calls += 1
        now.tokens_in += tokens_in
        now.tokens_out += tokens_out
        now.usd = None if cost is None or now.usd is None else now.usd + cost.of(tokens_in, tokens_out)
        self._busy += seconds / speed.in_flight
        self._slowest[call.prompt] = max(seconds, self._slowest.get(call.prompt, 0.0))
        now.seconds = max(self._busy, sum(self._slowest.values()))  # however few calls: one waits for the other
        if teacher.base_url and speed not in now.speeds:
            now.speeds += (speed,)

    def _speed(self, teacher: Teacher) -> Speed:
        """By all that the model has answered, whatever it was asked."""
        slots = pace_of(teacher, self._asker.limits).slots
        seen = [one for who, one in self._typical.items() if who[:2] == (teacher.provider, teacher.model)]
        tokens = sum(one.calls * one.tokens_out for one in seen)
        seconds = sum(one.calls * one.seconds for one in seen)
        if not tokens or not seconds:
            return Speed(teacher.model, slots)
        return Speed(teacher.model, slots, sum(one.calls for one in seen), tokens / seconds)
