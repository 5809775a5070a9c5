"""How hard a teacher is asked: slots, when a call is tried again, and what happens when nobody gets through."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from ..errors import TeacherRefused, TeacherUnreachable
from ..records import Call, CallFault, Completion, Teacher
from .budget import Budget

WINDOW = 50  # replies that tell whether the endpoint is overloaded
OVERLOADED = WINDOW // 10  # more than so many of them
FIRST_WAIT, OVERLOAD_WAIT = 0.25, 1.0  # seconds before the second attempt, where the endpoint does not say
LONGEST_WAIT = 30.0  # and before any later one
FIRST_PROBE, LONGEST_PROBE = 0.2, 2.0  # seconds between probes of an endpoint that went away

KEPT = "all finished work is kept"

T = TypeVar("T")


class CallFailed(Exception):
    """A call whose attempts are spent."""

    def __init__(self, message: str, attempts: int):
        super().__init__(message)
        self.attempts = attempts


class Throttle:
    """How many calls at a time one endpoint gets, and when.

    A slot is held while a call is on its way and until its reply is committed, not while it waits to be tried again.
    The number of slots starts at the most; it falls by a fifth when over a tenth of the last 50 replies were overload,
    at most once a round trip, and grows back by one a round trip.

    When every call on its way fails to connect, it pauses: one call goes on trying, for up to the time limit of a
    request, and the attempts that the outage took are not counted.
    """

    def __init__(self, budget: Budget, *, slots: int, retries: int, timeout: float):
        self.budget, self.retries, self.timeout = budget, retries, timeout
        self.most = self.slots = slots
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = self._paused = False
        self._overload: deque[bool] = deque(maxlen=WINDOW)
        self._changed, self._round_trip = 0.0, 1.0  # seconds; the round trip is a guess until a reply has come
        self._reached = False
        self._lost = self._were_in_flight = 0  # connections in a row; calls that were on their way at the first of them
        self._outages = 0

    async def complete(self, teacher: Teacher, call: Call, commit: Callable[[Completion], Awaitable[T]]) -> T:
        """Ask until there is a reply, and `commit` it before its slot is given on; what that returns.

        Raises:
            CallFailed: the attempts are spent, or the endpoint will not take this call.
            TeacherRefused, TeacherUnreachable: the run is over.
            BudgetReached: the call would pass a limit.
        """
        attempts = requests = 0
        while True:
            attempts += 1
            await self._take_slot()
            outages = self._outages
            try:
                completion = await self._send(teacher, call)
                requests += 1
                now = datetime.now(UTC).isoformat(timespec="seconds")
                completion = replace(completion, attempts=requests, created=now)
                self._adapt_slots(overloaded=False, seconds=completion.latency)
                self._reached = True
                return await commit(completion)
            except CallFault as error:
                fault = error
                requests += fault.kind != "connection"
                wait = self._wait_after(fault, attempts)
            finally:
                self._give_slot()
            await asyncio.sleep(wait)
            if self._outages > outages or fault.kind == "adapted":
                attempts -= 1
            if attempts > self.retries:
                raise CallFailed(f"{fault}, after {attempts} attempts", attempts) from None

    def close(self) -> None:
        """Let no further call through; those on their way come to their end."""
        self._closed = True

    async def _send(self, teacher: Teacher, call: Call) -> Completion:
        try:
            return await self._attempt(teacher, call)
        except CallFault as fault:
            if fault.kind != "connection" or not self._is_outage():
                raise
        self._outages += 1
        self._paused = True
        try:
            return await self._probe(teacher, call)
        finally:
            self._paused = False
            self._wake()

    async def _attempt(self, teacher: Teacher, call: Call) -> Completion:
        await self.budget.reserve(teacher, call)
        completion, requests = None, 1
        try:
            completion = await teacher.complete(call)
        except CallFault as fault:
            requests = int(fault.kind != "connection")
            raise
        except TeacherRefused:
            self.close()
            raise
        finally:
            self.budget.settle(teacher, call, completion, requests)
        return completion

    async def _probe(self, teacher: Teacher, call: Call) -> Completion:
        """Try one call again and again until somebody is there, be it to answer or to hang up."""
        give_up, wait = time.monotonic() + self.timeout, FIRST_PROBE
        while True:
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            try:
                return await self._attempt(teacher, call)
            except CallFault as fault:
                if fault.kind not in ("connection", "timeout"):
                    raise
                if time.monotonic() > give_up:
                    waited = f"it went away and did not come back within {self.timeout:g} s"
                    self._end(TeacherUnreachable(f"{fault}; {waited}; {KEPT}; run again to go on"))
            wait = min(2 * wait, LONGEST_PROBE)

    def _end(self, error: Exception) -> NoReturn:
        """The run is over: nothing more is sent."""
        self.close()
        raise error from None

    def _is_outage(self) -> bool:
        """Whether, since the last reply, all that were on their way have failed to connect."""
        self._lost += 1
        if self._lost == 1:
            self._were_in_flight = self.in_flight
        return self._reached and not self._paused and self._lost >= self._were_in_flight

    def _wait_after(self, fault: CallFault, attempts: int) -> float:
        """Seconds until the next attempt, if there is to be one. Raises what ends the call or the run at once."""
        if fault.kind not in ("connection", "reset"):
            self._adapt_slots(overloaded=fault.kind in ("overload", "timeout"))
        if fault.kind == "refused":
            raise CallFailed(str(fault), attempts) from None
        if fault.kind == "adapted":
            return 0.0
        if not self._reached:
            self._give_up_unreached(fault, attempts)
        if fault.retry_after is not None and fault.retry_after > max(self.timeout, LONGEST_WAIT):
            later = f"it asks to wait {fault.retry_after:,.0f} s"
            self._end(TeacherUnreachable(f"{fault}; {later}; {KEPT}; run again then"))
        if attempts > self.retries and fault.kind not in ("connection", "reset"):
            return 0.0  # its attempts are spent; those of a lost connection may yet turn out to be an outage's
        first = OVERLOAD_WAIT if fault.kind == "overload" else FIRST_WAIT
        wait = min(first * 2.0 ** (attempts - 1), LONGEST_WAIT) * random.uniform(0.5, 1.0)
        return wait if fault.retry_after is None else fault.retry_after + min(wait, 0.1)

    def _give_up_unreached(self, fault: CallFault, attempts: int) -> None:
        """End the run where no call has ever succeeded and nothing says that one will."""
        if fault.kind == "timeout":
            why = "is it a chat endpoint, and can it answer in that time?"
            self._end(TeacherUnreachable(f"{fault}; {why} See TEACHER_MODEL_BASE_URL and REQUEST_TIMEOUT"))
        if fault.kind == "foreign":
            self._end(TeacherRefused(str(fault)))
        if fault.kind in ("connection", "reset") and attempts > self.retries:
            self._end(TeacherUnreachable(f"{fault}, {attempts} times; is it running? See TEACHER_MODEL_BASE_URL"))

    def _adapt_slots(self, *, overloaded: bool, seconds: float = 0.0) -> None:
        """Somebody answered: count it, and change the number of slots at most once a round trip."""
        self._lost = 0
        self._overload.append(overloaded)
        self._round_trip = seconds or self._round_trip
        now = time.monotonic()
        if now - self._changed < self._round_trip:
            return
        if len(self._overload) == WINDOW and sum(self._overload) > OVERLOADED:
            self.slots = max(1, self.slots * 4 // 5)
            self._overload.clear()
        elif self.slots < self.most:
            self.slots += 1
            self._wake()
        self._changed = now

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
        return self.in_flight < self.slots and not self._paused and not self._closed

    def _give_slot(self) -> None:
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._has_room():
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)
