"""How hard a teacher is asked: slots, when a call is tried again, and what happens when nobody gets through."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

from ..errors import TeacherRefused, TeacherUnreachable
from ..records import Call, CallFault, Completion, Teacher
from .budget import Budget
from .pace import Pace

FIRST_WAIT, OVERLOAD_WAIT = 0.25, 1.0  # seconds before the second attempt, where the endpoint does not say
LONGEST_WAIT = 30.0  # and before any later one
FIRST_PROBE, LONGEST_PROBE = 0.2, 2.0  # seconds between probes of an endpoint that went away
AWAY = ("connection", "loading")  # faults of calls that nobody was there for
TIMEOUTS = 2  # of one call: what did not come twice will not come
# What ends a run with no success yet: calls refused in the same words; replies that did not come in time.
ALIKE, UNANSWERED = 3, 10

KEPT = "all finished work is kept"
SLOW = "a smaller MAX_CONCURRENCY lets fewer wait for each other, a larger REQUEST_TIMEOUT gives more time"
_NUMBERS = re.compile(r"\b[0-9a-f-]*\d[0-9a-f-]*\b")  # of requests and times, in messages that are alike otherwise

T = TypeVar("T")


class CallFailed(Exception):
    """A call whose attempts are spent."""

    def __init__(self, message: str, attempts: int):
        super().__init__(message)
        self.attempts = attempts


class Throttle:
    """Slots, further attempts and outages of the calls to one endpoint.

    A slot is held while a call is on its way and until its reply is committed, not while it waits to be tried again.
    How many there are and how long a call has is for its `pace` to say.

    When every call on its way finds nobody, or a model that is being loaded, it pauses: one call goes on trying, for up
    to `wait` seconds, and the attempts that the outage took are not counted. Where no call has succeeded yet, a few
    that are lost in the same way end the run.
    """

    def __init__(self, budget: Budget, pace: Pace, *, retries: int, wait: float):
        self.budget, self.pace, self.retries, self.wait = budget, pace, retries, wait
        self.begun: dict[str, float] = {}  # calls that are on their way, by their keys, and since when
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = self._reached = False
        self._paused = 0.0  # since when, by the monotonic clock
        self._lost = self._were_in_flight = 0  # connections in a row; calls that were on their way at the first of them
        self._outages = 0
        self._refused: dict[str, list[float]] = {}  # when calls were refused, by what was said
        self._unanswered = 0  # attempts without a reply in time

    async def complete(self, teacher: Teacher, call: Call, commit: Callable[[Completion], Awaitable[T]]) -> T:
        """Ask until there is a reply, and `commit` it before its slot is given on; what that returns.

        Raises:
            CallFailed: the attempts are spent, or the endpoint will not take this call.
            TeacherRefused, TeacherUnreachable: the run is over.
            BudgetReached: the call would pass a limit.
        """
        attempts = requests = timeouts = 0
        while True:
            attempts += 1
            await self._take_slot()
            outages = self._outages
            try:
                completion = await self._send(teacher, call)
                requests += 1
                now = datetime.now(UTC).isoformat(timespec="seconds")
                completion = replace(completion, attempts=requests, created=now)
                self._lost, self._reached = 0, True
                return await commit(completion)
            except CallFault as error:
                fault = error
                requests += fault.kind not in AWAY
                timeouts += fault.kind == "timeout"
                wait = self._wait_after(fault, attempts)
            finally:
                self._give_slot()
            if timeouts == TIMEOUTS:
                raise CallFailed(f"{fault}, {timeouts} times; {SLOW}", attempts)
            await asyncio.sleep(wait)
            if self._outages > outages or fault.kind == "adapted":
                attempts -= 1
            if attempts > self.retries:
                if fault.kind == "server":
                    self._give_up_refused(fault)
                raise CallFailed(f"{fault}, after {attempts} attempts", attempts)

    @property
    def away(self) -> float:
        """Seconds since nobody was there any more; 0 where somebody is."""
        return time.monotonic() - self._paused if self._paused else 0.0

    def close(self) -> None:
        """Let no further call through; those on their way come to their end."""
        self._closed = True

    async def _send(self, teacher: Teacher, call: Call) -> Completion:
        try:
            return await self._attempt(teacher, call)
        except CallFault as fault:
            if fault.kind not in AWAY or not self._is_outage(fault):
                raise
        self._outages += 1
        self._paused = time.monotonic()
        try:
            return await self._probe(teacher, call)
        finally:
            self._paused = 0.0
            self._wake()

    async def _attempt(self, teacher: Teacher, call: Call) -> Completion:
        await self.budget.reserve(teacher, call)
        completion, requests = None, 1
        begun = self.begun[call.key] = time.monotonic()
        ahead = self.in_flight
        patience = self.pace.patience(call.prompt, ahead)
        try:
            async with asyncio.timeout(patience):
                completion = await teacher.complete(call)
            self.pace.answered(call.prompt, begun, ahead)
        except TimeoutError:
            self.pace.timed_out(begun)
            host = urlsplit(teacher.base_url).netloc
            waited = f"{host}: no reply within {patience:,.3g} s, {ahead} in flight"
            raise CallFault("timeout", waited) from None
        except CallFault as fault:
            requests = int(fault.kind not in AWAY)
            raise
        except TeacherRefused:
            self.close()
            raise
        finally:
            self.begun.pop(call.key, None)
            self.budget.settle(teacher, call, completion, requests)
        return completion

    async def _probe(self, teacher: Teacher, call: Call) -> Completion:
        """Try one call again and again until somebody is there, be it to answer or to hang up."""
        give_up, wait = time.monotonic() + self.wait, FIRST_PROBE
        while True:
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            try:
                return await self._attempt(teacher, call)
            except CallFault as fault:
                if fault.kind not in (*AWAY, "timeout"):
                    raise
                if time.monotonic() > give_up:
                    waited = f"it went away and did not come back within {self.wait:g} s (SERVER_WAIT)"
                    self._end(TeacherUnreachable(f"{fault}; {waited}; {KEPT}; run again to go on"))
            wait = min(2 * wait, LONGEST_PROBE)

    def _end(self, error: Exception) -> NoReturn:
        """The run is over: nothing more is sent."""
        self.close()
        raise error from None

    def _is_outage(self, fault: CallFault) -> bool:
        """Whether, since the last reply, all that were on their way have found nobody, or a model being loaded."""
        self._lost += 1
        if self._lost == 1:
            self._were_in_flight = self.in_flight
        was_there = self._reached or fault.kind == "loading"
        return was_there and not self._paused and self._lost >= self._were_in_flight

    def _wait_after(self, fault: CallFault, attempts: int) -> float:
        """Seconds until the next attempt, if there is to be one. Raises what ends the call or the run at once."""
        if fault.kind not in (*AWAY, "reset"):
            self._lost = 0
            self.pace.heard(overloaded=fault.kind == "overload")
            self._wake()
        if fault.kind == "refused":
            self._give_up_refused(fault)
            raise CallFailed(str(fault), attempts)
        if fault.kind == "adapted":
            return 0.0
        if not self._reached:
            self._give_up_unreached(fault, attempts)
        if fault.retry_after is not None and fault.retry_after > max(self.pace.first_patience, LONGEST_WAIT):
            later = f"it asks to wait {fault.retry_after:,.0f} s"
            self._end(TeacherUnreachable(f"{fault}; {later}; {KEPT}; run again then"))
        if attempts > self.retries and fault.kind not in (*AWAY, "reset"):
            return 0.0  # its attempts are spent; those of a lost connection may yet turn out to be an outage's
        first = OVERLOAD_WAIT if fault.kind == "overload" else FIRST_WAIT
        wait = min(first * 2.0 ** (attempts - 1), LONGEST_WAIT) * random.uniform(0.5, 1.0)
        return wait if fault.retry_after is None else fault.retry_after + min(wait, 0.1)

    def _give_up_unreached(self, fault: CallFault, attempts: int) -> None:
        """End the run where no call has ever succeeded and nothing says that one will."""
        self._unanswered += fault.kind == "timeout"
        if self._unanswered == UNANSWERED:
            why = f"{UNANSWERED} times, and no call has succeeded; is it a chat endpoint? If it is, {SLOW}"
            self._end(TeacherUnreachable(f"{fault}, {why}"))
        if fault.kind == "foreign":
            self._end(TeacherRefused(str(fault)))
        if fault.kind in ("connection", "reset") and attempts > self.retries:
            self._end(TeacherUnreachable(f"{fault}, {attempts} times; is it running? See TEACHER_MODEL_BASE_URL"))

    def _give_up_refused(self, fault: CallFault) -> None:
        """End the run where no call has ever succeeded and several were refused in the same words.

        What may be the fault of a call alone does not count, and who was asked before the first of them may yet answer.
        """
        if self._reached or not fault.fix:
            return
        refused = self._refused.setdefault(_NUMBERS.sub("", str(fault)), [])
        refused.append(time.monotonic())
        if len(refused) >= ALIKE and not any(begun < refused[0] for begun in self.begun.values()):
            so_far = f"{len(refused)} calls ended so and none has succeeded"
            self._end(TeacherRefused(f"{fault}; {so_far}; {fault.fix}"))

    # --- slots: a semaphore whose size changes ---

    async def _take_slot(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        try:
            await turn  # whoever wakes it has counted it in
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_slot()
            raise

    def _has_room(self) -> bool:
        return self.in_flight < self.pace.slots and not self._paused and not self._closed

    def _give_slot(self) -> None:
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._has_room():
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)
