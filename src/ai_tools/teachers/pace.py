"""How many calls at a time an endpoint gets, and how long one may take: both follow what it has shown so far."""

from __future__ import annotations

import time
from collections import deque
from ipaddress import ip_address
from operator import itemgetter
from statistics import median
from urllib.parse import urlsplit

from ..records import Teacher, grouped
from .budget import Limits
from .providers import is_hosted

FIRST_SLOTS = 4  # of an endpoint that nobody knows: it may be a laptop that answers one call at a time
RISE = 1.5  # times the seconds of a call with fewer on their way: more at a time gain nothing
WINDOW = 50  # calls that are remembered
OVERLOADED = WINDOW // 10  # more than so many replies among them say that the endpoint is overloaded
FIRST_TIMEOUT, LOCAL_TIMEOUT = 120.0, 600.0  # seconds for a reply until one has been timed; from this machine
SLACK = 5.0  # times the slowest that was seen: replies of one kind differ in length


class Pace:
    """`slots` calls at a time, from `first` up to `most`, and `patience` seconds for each.

    An endpoint that begins below its most has twice as many slots after every round trip, while seconds a call, each
    compared with those of its own prompt, do not rise by half. A rise, or a reply that did not come in time, halves
    them at once; overload of more than a tenth of the last 50 replies takes a fifth, at most once a round trip. After
    any of these they grow by one a round trip.
    """

    def __init__(self, *, most: int, first: int = 0, timeout: float = FIRST_TIMEOUT, adapts: bool = False):
        """`adapts` says that `timeout`, in seconds, is a guess that gives way to what is seen."""
        self.slots, self.most = min(first or most, most), most
        self._timeout, self._adapts = timeout, adapts
        self._grows_freely = self._looks_for_rise = self.slots < most
        self._overload: deque[bool] = deque(maxlen=WINDOW)
        self._changed, self._round_trip = 0.0, 1.0  # seconds; the round trip is a guess until a reply has come
        self._usual: dict[str, float] = {}  # seconds a call, by prompt, before the last growth
        self._here: list[tuple[str, float]] = []  # prompt and seconds of the calls since then
        self._timed: dict[str, deque[tuple[float, float]]] = {}  # by prompt: seconds, and those for each call ahead

    def patience(self, prompt: str, ahead: int) -> float:
        """Seconds that a call has, with so many on their way, itself among them."""
        if not (self._adapts and (timed := self._timed.get(prompt))):
            return self._timeout
        whole, each = max(one[0] for one in timed), max(one[1] for one in timed)
        return max(FIRST_TIMEOUT, SLACK * whole, SLACK * each * ahead)

    @property
    def first_patience(self) -> float:
        return self._timeout

    def answered(self, prompt: str, begun: float, ahead: int) -> None:
        """A reply has come; `begun` is when it was asked for, by the monotonic clock."""
        self._round_trip = seconds = time.monotonic() - begun
        self._timed.setdefault(prompt, deque(maxlen=WINDOW)).append((seconds, seconds / ahead))
        if self._looks_for_rise and begun >= self._changed:
            self._here.append((prompt, seconds))
        self.heard(overloaded=False)

    def heard(self, *, overloaded: bool) -> None:
        """Somebody was there, be it to answer or to refuse."""
        self._overload.append(overloaded)
        if time.monotonic() - self._changed >= self._round_trip:
            self._adapt()

    def timed_out(self, begun: float) -> None:
        """No reply came in time. Calls that were on their way together halve the slots once."""
        if begun >= self._changed:
            self._set(max(1, self.slots // 2), freely=False)

    def _adapt(self) -> None:
        """Change the number of slots, a round trip after the last change: as many replies as there are slots."""
        if len(self._overload) == WINDOW and sum(self._overload) > OVERLOADED:
            self._overload.clear()
            self._set(max(1, self.slots * 4 // 5), freely=False)
        elif self._looks_for_rise and len(self._here) < self.slots:
            return
        elif self._rise() > RISE:
            self._set(max(1, self.slots // 2), freely=False)
        elif self._grows_freely:
            self._usual = self._seconds()
            self._set(min(self.most, 2 * self.slots), freely=True)
        else:
            self._usual = self._usual or self._seconds()
            self._set(min(self.most, self.slots + 1), freely=False)

    def _set(self, slots: int, *, freely: bool) -> None:
        if slots < self.slots:
            self._usual = {}  # with fewer on their way, calls take less: to be seen anew
        self.slots, self._grows_freely = slots, freely
        self._here, self._changed = [], time.monotonic()

    def _seconds(self) -> dict[str, float]:
        """Seconds a call, by prompt, of those since the last change."""
        calls = grouped(self._here, itemgetter(0))
        return {prompt: median(seconds for _, seconds in those) for prompt, those in calls.items()}

    def _rise(self) -> float:
        """Those by the ones that were usual, each by its own prompt; 1 where there is nothing to compare."""
        known = [seconds / self._usual[prompt] for prompt, seconds in self._here if self._usual.get(prompt)]
        return median(known) if known else 1.0


def pace_of(teacher: Teacher, limits: Limits) -> Pace:
    """The pace at which an endpoint is asked: what the settings say is the start and the top."""
    most = limits.max_concurrency or teacher.concurrency
    careful = teacher.base_url and not limits.max_concurrency and not is_hosted(teacher.base_url)
    timeout = LOCAL_TIMEOUT if is_here(teacher.base_url) else FIRST_TIMEOUT
    return Pace(
        most=most,
        first=FIRST_SLOTS if careful else most,
        timeout=limits.request_timeout or timeout,
        adapts=limits.request_timeout is None,
    )


def is_here(base_url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
