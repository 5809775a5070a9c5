"""Asking a teacher through the journal: known calls cost nothing, new ones are recorded before they are used.

A chain of calls is written once, as an async function of an item and of the session that its calls are made in: a run
asks, a dry run counts. Each chain advances on its own; results come back in plan order, whatever the order of
completion.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence, Sized
from contextvars import ContextVar
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, NoReturn, Protocol, TypeVar
from urllib.parse import urlsplit

from ..errors import BudgetReached, TeacherRefused, TeacherUnreachable, TooManyFailures
from ..records import Call, Completion, OnProgress, Progress, Rejection, Teacher, Usage
from ..sync import run_sync
from . import contexts, prompts, replies
from .budget import Budget, Limits
from .journal import Entry, Journal
from .pace import pace_of
from .prompts import Prompt, Sampling
from .replies import BadReply
from .sizes import fitting
from .standing import Standing, look_up, read
from .throttle import CallFailed, Throttle

LAST_CALLS = 30.0  # seconds that calls on their way have when a run is stopped
CUT_OFF = "`ai-tools journal` says how; a larger context or TEACHER_MAX_TOKENS, or smaller CHUNK_TOKENS, mend it"
TICK = 1.0  # seconds between two looks at how things stand
RECENT = 50  # calls by which a run that goes wrong is stopped before its end

Item = TypeVar("Item")
T = TypeVar("T")
Chain = Callable[[Item, "LiveRun"], Awaitable[T]]
_item: ContextVar[int] = ContextVar("item", default=0)  # the item of a run that a call belongs to


class Session(Protocol):
    """What a chain of calls is made in: a run, or a dry run."""

    @property
    def teacher(self) -> Teacher: ...

    def plan(self, prompt: str | Prompt, fields: dict[str, Any], **origin: Any) -> Call: ...

    def fit(self, call_about: Callable[[Sequence[Any]], Call], things: Sequence[Any], most: int) -> int:
        """How many of the things, from the first on, one call is to be about; see `Asker.fit`."""

    async def try_ask(self, call: Call) -> Any | None:
        """The parsed reply; None where it came to nothing."""


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of a run: its results, and the calls that came to nothing, both in plan order.

    `asked` counts what was asked for, however many calls it took, the journal's replies included.
    """

    results: list[T]
    failed: list[Rejection]
    asked: int
    usage: Usage
    seconds: float


class Asker:
    """Asks a teacher and, for judgements, a judge.

    `notice` is what to know of the text before it goes to either: said with the first call that is sent to each.
    """

    def __init__(
        self,
        teacher: Teacher,
        journal: Journal,
        sampling: Sampling,
        limits: Limits,
        judge: Teacher,
        instructions: str = "",
        on_progress: OnProgress | None = None,
        notice: str = "",
    ):
        self.teacher, self.judge, self.journal = teacher, judge, journal
        self.limits, self.on_progress, self.notice = limits, on_progress, notice
        self._sampling, self._instructions = sampling, instructions
        contexts.recall((teacher, judge), journal)

    def plan(self, prompt: str | Prompt, fields: dict[str, Any], **origin: Any) -> Call:
        """The call that would be made: look at its `messages` before any bulk work."""
        loaded = prompts.load(prompt) if isinstance(prompt, str) else prompt
        teacher = self.teacher_for(loaded.reply)
        instructions = "" if loaded.reply in replies.JUDGED else self._instructions
        return prompts.plan_call(
            loaded, fields, teacher=teacher, sampling=self._sampling, instructions=instructions, **origin
        )

    def fit(self, call_about: Callable[[Sequence[Any]], Call], things: Sequence[Any], most: int) -> int:
        """How many of the things, from the first on, one call is to be about: one at least, and no more than `most`.

        No more than ITEMS_PER_CALL, either, nor than the context holds, where it is known. How fast a teacher is has no
        say: a batch of another size is another call, and would be paid again.
        """
        things = things[: min(most, self.limits.items_per_call or most)]
        call, ours = call_about(things), self._sampling.options.get("num_ctx", 0)
        context = contexts.context_of(self.teacher_for(call.reply)) or ours
        return fitting(call_about, things, context) if context else len(things)

    def teacher_for(self, reply: str) -> Teacher:
        """Who is asked for this kind of reply."""
        return self.judge if reply in replies.JUDGED else self.teacher

    def ask(self, call: Call) -> Any:
        """The parsed reply to one call. Raises BadReply where it cannot be used, CallFailed where none came."""
        return self.run(lambda _, run: run.ask(call), [call]).results[0]

    def run(
        self, chain: Chain[Item, T], items: Iterable[Item], total: int = 0, each: Callable[[T], None] | None = None
    ) -> Outcome[T]:
        """Take all items through a chain of calls, side by side.

        Args:
            chain: is given an item, and the session that its calls are made in.
            items: may be made as they are taken: no more of them are under way than keep the teacher busy.
            total: how many those are, where `items` has no length.
            each: is given every result in order instead of the list, so that none need be kept.
        """
        run = LiveRun(self, len(items) if isinstance(items, Sized) else total)

        async def whole() -> Outcome[T]:
            await contexts.learn((self.teacher, self.judge), self.journal)
            return await run.through(chain, items, each)

        return run_sync(whole())


class LiveRun:
    """One run of an asker: what it may take, what is on its way, and what came of it so far."""

    def __init__(self, asker: Asker, total: int):
        limits, both = asker.limits, (asker.teacher, asker.judge)
        self.teacher, self.plan, self.fit = asker.teacher, asker.plan, asker.fit
        self._asker, self._on_progress = asker, asker.on_progress
        self._budget = Budget(limits, asker.journal.summary(), both)
        self._throttles = {
            teacher.base_url: Throttle(
                self._budget, pace_of(teacher, limits), retries=limits.max_retries, wait=limits.server_wait
            )
            for teacher in both
        }
        self._most = 2 * max(throttle.pace.most for throttle in self._throttles.values())
        self._writer = _Writer(asker.journal)
        self._under_way: dict[str, asyncio.Event] = {}  # calls, by their keys
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._failed: list[tuple[tuple[int, str, int, str], Rejection]] = []  # with their places in the plan
        self._asked = 0
        self._stopping = False
        self._progress = Progress(total)

    async def through(
        self, chain: Chain[Item, T], items: Iterable[Item], each: Callable[[T], None] | None
    ) -> Outcome[T]:
        """See `Asker.run`."""
        results: list[T] = []
        ticker = asyncio.create_task(self._tick())
        try:
            await self._side_by_side(chain, items, each or results.append)
        finally:
            ticker.cancel()
            for teacher in (self._asker.teacher, self._asker.judge):
                await teacher.close()
            await self._writer.finish()  # last, since it may raise
        now = self._progress
        failed = [rejection for _, rejection in sorted(self._failed, key=itemgetter(0))]
        usage = Usage(now.calls, now.from_journal, now.tokens, now.usd)
        return Outcome(results, failed, self._asked, usage, time.monotonic() - now.started)

    async def _side_by_side(self, chain: Chain[Item, T], items: Iterable[Item], each: Callable[[T], None]) -> None:
        ready: dict[int, T] = {}  # results that wait for earlier ones, by the numbers of their items
        handed_on = 0
        room = asyncio.Semaphore(self._most)

        async def work(number: int, item: Item) -> None:
            nonlocal handed_on
            _item.set(number)
            ready[number] = await chain(item, self)
            room.release()
            self._progress.done += 1
            while handed_on in ready:
                each(ready.pop(handed_on))
                handed_on += 1
            self._show_progress()

        try:
            async with asyncio.TaskGroup() as group:
                for number, item in enumerate(items):
                    await room.acquire()
                    group.create_task(work(number, item))
            return
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
        raise first  # outside of the handler: IPython shows nothing of an exception that has a group as its context

    async def ask(self, call: Call) -> Any:
        """The parsed reply. Raises BadReply where it cannot be used, CallFailed where none came."""
        while call.key in self._under_way:  # equal passages make equal calls: asked once, answered alike
            await self._under_way[call.key].wait()
        self._under_way[call.key] = asyncio.Event()
        try:
            standing = look_up(self._asker.journal, call, retry_rejected=self._asker.limits.retry_rejected)
            self._progress.from_journal += standing.in_journal
            self._asked += 1
            if standing.due:
                while standing.due:
                    standing = await self._fetch(standing.due)
                await self._watch(failed=standing.fault is not None)
        finally:
            self._under_way.pop(call.key).set()
        if standing.fault:
            raise standing.fault
        return standing.reply

    async def try_ask(self, call: Call) -> Any | None:
        """Like `ask`, but one call's failure is data: it is part of the outcome, and None comes back."""
        try:
            return await self.ask(call)
        except (BadReply, CallFailed) as error:
            row = {name: getattr(call, name) for name in ("key", "recipe", "prompt", "chunk_id", "draw")}
            rejection = Rejection("reply" if isinstance(error, BadReply) else "transport", str(error), row)
            self._failed.append(((_item.get(), call.prompt, call.draw, call.key), rejection))
            self._progress.failed += 1
            return None

    async def _fetch(self, call: Call) -> Standing:
        """Ask and record."""
        teacher = self._asker.teacher_for(call.reply)

        async def commit(completion: Completion) -> Standing:
            standing = read(call, completion)
            status = "rejected" if standing.fault else "done" if standing.reply and standing.reply.items else "empty"
            cut_off = standing.reply.cut_off if standing.reply else ""
            if cut_off:
                warnings.warn(f"replies are cut off, and what is whole is kept ({CUT_OFF})", stacklevel=1)  # said once
            await self._record(teacher, call, Entry(completion, status, str(standing.fault or cut_off)))
            return standing

        if notice := leaving(teacher, self._asker.notice):
            warnings.warn(notice, stacklevel=1)  # of this line, so that it is said once
        try:
            return await self._throttles[teacher.base_url].complete(teacher, call, commit)
        except CallFailed as error:
            nothing = Completion("", teacher.model, finish_reason="", attempts=error.attempts)
            await self._record(teacher, call, Entry(nothing, "failed", str(error)))
            await self._watch(failed=True)
            raise
        except (BudgetReached, TeacherRefused, TeacherUnreachable) as error:
            await self._stop(error)

    async def _watch(self, *, failed: bool) -> None:
        """Stop a run that has gone wrong: most of the last calls came to nothing, and more than may."""
        self._recent.append(failed)
        most = max(0.5, self._asker.limits.max_failure_rate)
        if len(self._recent) == RECENT and sum(self._recent) > most * RECENT:
            causes = "; ".join(sorted({row.reason for _, row in self._failed[-RECENT:]})[:3])
            lost = f"{sum(self._recent)} of the last {RECENT} calls failed"
            again = how_again([row for _, row in self._failed], "RETRY_REJECTED=true (a single tool: --retry-rejected)")
            await self._stop(TooManyFailures(f"{lost} ({causes}); all finished work is kept; mend that and {again}"))

    async def _stop(self, error: Exception) -> NoReturn:
        """Raise, once the calls that are on their way, and paid for, have come in."""
        for throttle in self._throttles.values():
            throttle.close()
        if self._stopping:
            await asyncio.get_running_loop().create_future()  # somebody else raises, which cancels this
        self._stopping = True
        give_up = time.monotonic() + LAST_CALLS
        while any(throttle.in_flight for throttle in self._throttles.values()) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        raise error from None

    async def _record(self, teacher: Teacher, call: Call, entry: Entry) -> None:
        await self._writer.put(teacher, call, entry)
        self._progress.calls += 1
        self._progress.written += entry.completion.completion_tokens
        self._progress.heard = time.monotonic()
        self._show_progress()

    async def _tick(self) -> None:
        """Show how things stand while nothing comes in: a local model may take minutes for its first reply."""
        while self._on_progress:
            await asyncio.sleep(TICK)
            self._show_progress()

    def _show_progress(self) -> None:
        now, budget = self._progress, self._budget
        now.tokens, now.usd = budget.tokens, budget.usd if budget.has_prices else None
        if self._on_progress:
            begun = [since for throttle in self._throttles.values() for since in throttle.begun.values()]
            now.in_flight = len(begun)
            now.longest_wait = time.monotonic() - min(begun) if begun else 0.0
            now.away = max(throttle.away for throttle in self._throttles.values())
            self._on_progress(now)


def leaving(teacher: Teacher, notice: str) -> str:
    """What to know of the text that goes to a teacher, with the host; empty where nothing leaves this process."""
    host = urlsplit(teacher.base_url).netloc
    return f"text goes to {host}: {notice}" if host and notice else ""


class _Writer:
    """Commits finished calls, together those that come in while an earlier commit is under way."""

    def __init__(self, journal: Journal):
        self._journal = journal
        self._rows: list[tuple[Teacher, Call, Entry]] = []
        self._last: asyncio.Task[None] | None = None

    async def put(self, teacher: Teacher, call: Call, entry: Entry) -> None:
        """Come back when it is committed, which is done also where nobody waits for it any more."""
        if not self._rows:
            self._last = asyncio.create_task(self._commit(self._last))
        self._rows.append((teacher, call, entry))
        assert self._last
        await asyncio.shield(self._last)

    async def _commit(self, before: asyncio.Task[None] | None) -> None:
        if before:
            await before
        rows, self._rows = self._rows, []
        await asyncio.to_thread(self._journal.put, rows)

    async def finish(self) -> None:
        """Raises where the journal could not be written."""
        if self._last:
            await self._last


def how_again(failed: Sequence[Rejection], option: str = "RETRY_REJECTED=true") -> str:
    """How calls that came to nothing are made again: a rejected reply is in the journal and stays, but for `option`."""
    return f"run again with {option}" if any(row.check == "reply" for row in failed) else "run again"
