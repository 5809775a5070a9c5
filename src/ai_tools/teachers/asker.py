"""Asking a teacher through the journal: known calls cost nothing, new ones are recorded before they are used.

Each chain of calls advances on its own; results come back in plan order, whatever the order of completion.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar

from ..errors import BudgetReached, TeacherRefused, TeacherUnreachable, TooManyFailures
from ..records import Call, Completion, OnProgress, Progress, Rejection, Teacher
from ..settings import Settings
from ..sync import run_sync
from . import prompts, replies
from .budget import Budget
from .connect import sampling
from .journal import Entry, Journal
from .prompts import Prompt
from .providers import price
from .replies import BadReply, Reply
from .throttle import CallFailed, Line

ROWS_PER_COMMIT = 64
LAST_CALLS = 30.0  # seconds that calls on their way have when a run is stopped
RECENT = 50  # calls by which a run that goes wrong is stopped before its end

T = TypeVar("T")
_Finished = tuple[Teacher, Call, Entry, "asyncio.Future[None]"]
_item: ContextVar[int] = ContextVar("item", default=0)  # the item of a run that a call belongs to


class Asks(Protocol):
    """What a recipe needs of whoever asks: calls planned, and answered."""

    @property
    def teacher(self) -> Teacher: ...

    @property
    def judge(self) -> Teacher: ...

    @property
    def settings(self) -> Settings: ...

    def plan(self, prompt: str | Prompt, fields: dict[str, Any], **origin: Any) -> Call: ...

    async def try_ask(self, call: Call) -> Any | None: ...


class Asker:
    """Asks a teacher and, for judgements, a judge.

    `asked` counts what was asked for, however many calls it took; `failed` lists what came to nothing, in plan order;
    `progress` is how far the last run is, or went.
    """

    def __init__(
        self,
        teacher: Teacher,
        journal: Journal,
        settings: Settings,
        *,
        judge: Teacher | None = None,
        instructions: str = "",
        on_progress: OnProgress | None = None,
    ):
        self.teacher, self.judge = teacher, judge or teacher
        self.journal, self.settings, self.instructions = journal, settings, instructions
        self.on_progress = on_progress
        self.sampling = sampling(settings)
        self.calls = self.from_journal = self.asked = 0
        self.failed: list[Rejection] = []
        self.progress = Progress(0)

    def plan(self, prompt: str | Prompt, fields: dict[str, Any], **origin: Any) -> Call:
        """The call that `ask` would make: look at its `messages` before any bulk work."""
        loaded = prompts.load(prompt) if isinstance(prompt, str) else prompt
        judged = loaded.reply in replies.JUDGED
        instructions = "" if judged else self.instructions
        teacher = self.judge if judged else self.teacher
        return prompts.plan_call(
            loaded, fields, teacher=teacher, sampling=self.sampling, instructions=instructions, **origin
        )

    def run(
        self, work: Iterable[Awaitable[T]], total: int | None = None, each: Callable[[T], None] | None = None
    ) -> list[T]:
        """Await all work side by side; results in its order.

        Args:
            work: may be made as it is taken: no more of it is under way at a time than keeps the teacher busy.
            total: how much work that is, where `work` has no length.
            each: is given every result in order instead of the list, so that none need be kept.
        """
        return run_sync(self._run(work, total, each))

    async def _run(self, work: Iterable[Awaitable[T]], total: int | None, each: Callable[[T], None] | None) -> list[T]:
        settings, everybody = self.settings, {self.teacher.base_url: self.teacher, self.judge.base_url: self.judge}
        self._budget = Budget(settings, self.journal.summary(), (self.teacher, self.judge))
        self._priced = all(price(settings, one.provider, one.model) for one in (self.teacher, self.judge))
        slots = {url: settings.max_concurrency or one.concurrency for url, one in everybody.items()}
        self._lines = {url: Line(self._budget, slots=slots[url], settings=settings) for url in everybody}
        self._asking: dict[str, asyncio.Event] = {}
        self._queue: asyncio.Queue[_Finished | None] = asyncio.Queue()  # None ends it
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._fell_out: list[tuple[int, Rejection]] = []
        self._stopping = False
        self._before = (self.calls, self.from_journal, self._budget.tokens, self._budget.usd)
        self.progress = Progress(len(work) if isinstance(work, Sequence) else total or 0)
        writer = asyncio.create_task(self._write())
        try:
            return await self._together(work, 2 * max(slots.values()), each)
        finally:
            for teacher in (self.teacher, self.judge):
                await teacher.close()
            self._fell_out.sort(key=lambda row: (row[0], row[1].row["prompt"], row[1].row["draw"], row[1].row["key"]))
            self.failed += [rejection for _, rejection in self._fell_out]
            self._queue.put_nowait(None)
            await writer  # last, since it raises where the journal could not be written

    async def _together(self, work: Iterable[Awaitable[T]], most: int, each: Callable[[T], None] | None) -> list[T]:
        results: list[T] = []
        under_way: dict[int, Awaitable[T]] = {}
        ready: dict[int, T] = {}
        passed = 0
        room = asyncio.Semaphore(most)

        async def one(number: int, item: Awaitable[T]) -> None:
            nonlocal passed
            _item.set(number)
            ready[number] = await item
            del under_way[number]
            room.release()
            self.progress.done += 1
            while passed in ready:
                (each or results.append)(ready.pop(passed))
                passed += 1
            self._tell()

        try:
            async with asyncio.TaskGroup() as group:
                for number, item in enumerate(work):
                    under_way[number] = item
                    await room.acquire()
                    group.create_task(one(number, item))
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
        else:
            return results
        finally:
            for item in under_way.values():  # those that a failed run never came to
                if isinstance(item, Coroutine):
                    item.close()
        raise first  # outside of the handler: IPython shows nothing of an exception that has a group as its context

    async def ask(self, call: Call) -> Any:
        """The parsed reply. Raises BadReply where it cannot be used, CallFailed where none came."""
        while call.key in self._asking:  # equal passages make equal calls: asked once, answered alike
            await self._asking[call.key].wait()
        self._asking[call.key] = asyncio.Event()
        try:
            return await self._ask(call)
        finally:
            self._asking.pop(call.key).set()

    async def _ask(self, call: Call) -> Any:
        found = recall(self.journal, call)
        self.from_journal += found.known
        reply, fault, due = found.reply, found.fault, found.due
        if fault and self.settings.retry_rejected:
            due = call
        self.asked += 1
        asked = due is not None
        while due is not None:
            reply, fault, due = await self._fetch(due)
        if asked:
            await self._watch(failed=fault is not None)
        if fault:
            raise fault
        return reply

    async def try_ask(self, call: Call) -> Any | None:
        """Like `ask`, but one call's failure is data: it is kept in `failed`, and None comes back."""
        try:
            return await self.ask(call)
        except (BadReply, CallFailed) as error:
            row = {"key": call.key, "recipe": call.recipe, "prompt": call.prompt, "chunk_id": call.chunk_id}
            check = "reply" if isinstance(error, BadReply) else "transport"
            self._fell_out.append((_item.get(), Rejection(check, str(error), row | {"draw": call.draw})))
            self.progress.failed += 1
            return None

    async def _fetch(self, call: Call) -> tuple[Reply | None, BadReply | None, Call | None]:
        """Ask and record: the reply, or what is wrong with it and the call that may make it good."""
        teacher = self.judge if call.reply in replies.JUDGED else self.teacher
        reply: Reply | None = None
        fault: BadReply | None = None

        async def settle(completion: Completion) -> None:
            nonlocal reply, fault
            reply, fault = _read(call, completion)
            status = "rejected" if fault else "done" if reply and reply.items else "empty"
            await self._record(teacher, call, Entry(completion, status, str(fault or "")))

        try:
            completion = await self._lines[teacher.base_url].complete(teacher, call, settle)
        except CallFailed as error:
            nothing = Completion("", teacher.model, finish_reason="", attempts=error.attempts)
            await self._record(teacher, call, Entry(nothing, "failed", str(error)))
            await self._watch(failed=True)
            raise
        except (BudgetReached, TeacherRefused, TeacherUnreachable) as error:
            await self._stop(error)
        return reply, fault, prompts.follow_up(call, completion, fault) if fault else None

    async def _watch(self, *, failed: bool) -> None:
        """Stop a run that has gone wrong: most of the last calls came to nothing, and more than may."""
        self._recent.append(failed)
        if len(self._recent) == RECENT and sum(self._recent) > max(0.5, self.settings.max_failure_rate) * RECENT:
            causes = "; ".join(sorted({row.reason for _, row in self._fell_out[-RECENT:]})[:3])
            lost = f"{sum(self._recent)} of the last {RECENT} calls failed"
            await self._stop(TooManyFailures(f"{lost} ({causes}); all finished work is kept; mend that and run again"))

    async def _stop(self, error: Exception) -> NoReturn:
        """Raise, once the calls that are on their way, and paid for, have come in."""
        for line in self._lines.values():
            line.close()
        if self._stopping:
            await asyncio.get_running_loop().create_future()  # somebody else raises, which cancels this
        self._stopping = True
        give_up = time.monotonic() + LAST_CALLS
        while any(line.in_flight for line in self._lines.values()) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        raise error from None

    async def _record(self, teacher: Teacher, call: Call, entry: Entry) -> None:
        committed = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((teacher, call, entry, committed))
        await committed
        self.calls += 1
        self._tell()

    async def _write(self) -> None:
        """Commit finished calls in small batches, at an interrupt all that wait; a commit frees its calls' slots."""
        batch: list[_Finished] = []
        try:
            while (first := await self._queue.get()) is not None:
                batch = [first]
                while len(batch) < ROWS_PER_COMMIT and not self._queue.empty():
                    if (row := self._queue.get_nowait()) is None:
                        self._queue.put_nowait(None)
                        break
                    batch.append(row)
                await asyncio.to_thread(self.journal.put, [row[:3] for row in batch])
                for *_, committed in batch:
                    if not committed.done():
                        committed.set_result(None)
        except Exception as error:  # whoever waits for these rows must hear of it, whatever it is
            for *_, committed in batch:
                if not committed.done():
                    committed.set_exception(error)
            raise

    def _tell(self) -> None:
        calls, from_journal, tokens, usd = self._before
        now, budget = self.progress, self._budget
        now.calls, now.from_journal = self.calls - calls, self.from_journal - from_journal
        now.in_flight = sum(line.in_flight for line in self._lines.values())
        now.tokens = budget.tokens - tokens
        now.usd = budget.usd - usd if self._priced else None
        if self.on_progress:
            self.on_progress(now)


@dataclass(frozen=True)
class Recalled:
    """What the journal has on a call: a reply, or the fault of the last one; `due` is the call still to be made."""

    known: int
    reply: Reply | None = None
    fault: BadReply | None = None
    due: Call | None = None


def recall(journal: Journal, call: Call) -> Recalled:
    """Follow a call, and the further tries at it, through the journal."""
    for known in range(10):
        entry = journal.get(call.key)
        if entry is None or entry.status == "failed":
            return Recalled(known, due=call)
        reply, fault = _read(call, entry.completion)
        following = prompts.follow_up(call, entry.completion, fault) if fault else None
        if following is None:
            return Recalled(known + 1, reply, fault)
        call = following
    raise AssertionError("a call is followed up once for each kind of fault")


def _read(call: Call, completion: Completion) -> tuple[Reply | None, BadReply | None]:
    try:
        return replies.parse(call, completion), None
    except BadReply as fault:
        return None, fault
