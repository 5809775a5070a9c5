"""How hard a teacher is asked: slots that adapt, tries that end, outages that are waited for, cancels.

Most teachers here are small objects that fail on purpose; outages are those of a real server.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from endpoint import Answer, Endpoint, Request
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ai_tools import teachers
from ai_tools.errors import AIToolsError, TeacherRefused, TeacherUnreachable
from ai_tools.records import Call, CallFault, Completion, Teacher
from ai_tools.settings import Settings
from ai_tools.teachers.asker import Session
from ai_tools.teachers.budget import Budget, Limits
from ai_tools.teachers.connect import limits
from ai_tools.teachers.journal import Journal
from ai_tools.teachers.pace import FIRST_SLOTS, Pace, pace_of
from ai_tools.teachers.throttle import ALIKE, FIRST_WAIT, UNANSWERED, CallFailed, Throttle

Behave = Callable[["Fake", str, int], Awaitable[None]]


class Fake:
    """Answers each call after `behave` (teacher, key, number of the attempt), which may raise what goes wrong."""

    provider, model, base_url, own_host, concurrency = "fake", "m", "http://127.0.0.1:9", False, 64

    def __init__(self, behave: Behave):
        self.behave = behave
        self.attempts: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}
        self.finished: list[str] = []
        self.in_flight = self.most_in_flight = 0

    async def complete(self, call: Call) -> Completion:
        self.attempts[call.key] += 1
        self.times.setdefault(call.key, []).append(time.monotonic())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        begun = time.monotonic()
        try:
            await self.behave(self, call.key, self.attempts[call.key])
        finally:
            self.in_flight -= 1
        self.finished.append(call.key)
        return Completion("{}", "m", latency=time.monotonic() - begun)

    async def close(self) -> None: ...


def call_of(number: int) -> Call:
    return Call(
        f"{number:016x}", "questions", "1", ({"role": "user", "content": f"Ask {number}."},), {}, "pairs", 0.0, 9
    )


def key_of(number: int) -> str:
    return call_of(number).key


def throttle_of(
    slots: int, *, first: int = 0, max_retries: int = 5, timeout: float = 120.0, wait: float = 120.0
) -> Throttle:
    pace = Pace(most=slots, first=first, timeout=timeout)
    return Throttle(Budget(Limits(), [], ()), pace, retries=max_retries, wait=wait)


async def as_it_is(completion: Completion) -> Completion:
    return completion


Outcome = Completion | BaseException


async def ask(throttle: Throttle, teacher: Teacher, count: int) -> list[Outcome]:
    """What became of so many calls, side by side."""
    try:
        asked = (throttle.complete(teacher, call_of(number), as_it_is) for number in range(count))
        return await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await teacher.close()


def run(throttle: Throttle, teacher: Teacher, count: int) -> list[Outcome]:
    return asyncio.run(ask(throttle, teacher, count))


def answered(outcomes: list[Outcome]) -> int:
    return sum(isinstance(outcome, Completion) for outcome in outcomes)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def settings(toy_settings: Settings, endpoint: Endpoint) -> Settings:
    return toy_settings.with_(
        provider="openai-compatible", teacher_model_name="any", teacher_model_base_url=endpoint.url
    )


def client(settings: Settings) -> tuple[Throttle, Teacher]:
    teacher = teachers.connect(settings)
    pace = pace_of(teacher, limits(settings))
    return Throttle(Budget(Limits(), [], ()), pace, retries=settings.max_retries, wait=settings.server_wait), teacher


# --- slots ---


def test_as_many_calls_as_there_are_slots_are_on_their_way_and_never_more() -> None:
    async def behave(*_: Any) -> None:
        await asyncio.sleep(0.002)

    teacher = Fake(behave)
    assert answered(run(throttle_of(5), teacher, 40)) == 40
    assert teacher.most_in_flight == 5


def test_max_concurrency_holds_on_the_wire(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.latency = 0.01
    assert answered(run(*client(settings.with_(max_concurrency=3)), 15)) == 15
    assert endpoint.counters.max_in_flight == 3
    endpoint.reset()
    assert answered(run(*client(settings.with_(provider="ollama", teacher_model_base_url=endpoint.root)), 15)) == 15
    assert endpoint.counters.max_in_flight == 4, "what Ollama can stand"


def test_a_slot_is_given_on_when_the_reply_is_settled_and_no_earlier() -> None:
    happened: list[str] = []

    async def behave(_: Fake, key: str, attempt: int) -> None:
        happened.append(f"asked {int(key, 16)}")

    async def settle(_: Completion) -> None:
        await asyncio.sleep(0.01)
        happened.append("settled")

    async def work() -> None:
        throttle, teacher = throttle_of(1), Fake(behave)
        await asyncio.gather(*(throttle.complete(teacher, call_of(number), settle) for number in range(2)))

    asyncio.run(work())
    assert happened == ["asked 0", "settled", "asked 1", "settled"]


def test_one_overload_delays_its_own_call_alone_even_where_there_is_one_slot() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        await asyncio.sleep(0.001)
        if key == key_of(0) and attempt == 1:
            raise CallFault("overload", "too much", 0.3)

    teacher = Fake(behave)
    throttle = throttle_of(1)
    assert answered(run(throttle, teacher, 20)) == 20
    assert teacher.finished == [key_of(number) for number in (*range(1, 20), 0)]
    first, second = teacher.times[key_of(0)]
    assert second - first >= 0.3
    assert throttle.pace.slots == 1


def test_a_twentieth_of_overload_does_not_lower_the_slots() -> None:
    refused = 0

    async def behave(teacher: Fake, *_: Any) -> None:
        nonlocal refused
        if sum(teacher.attempts.values()) % 20 == 0:
            refused += 1
            raise CallFault("overload", "too much", 0.0)
        await asyncio.sleep(0.005)

    throttle = throttle_of(64)
    teacher = Fake(behave)
    assert answered(run(throttle, teacher, 800)) == 800
    assert refused >= 40
    assert throttle.pace.slots == throttle.pace.most == 64
    assert teacher.most_in_flight == 64


def test_a_true_limit_brings_the_slots_down_near_it_and_they_recover_when_it_goes() -> None:
    limit = 8
    begun: list[int] = []
    seen: list[int] = []

    async def behave(teacher: Fake, *_: Any) -> None:
        begun.append(throttle.pace.slots)
        if teacher.in_flight > limit:
            raise CallFault("overload", "too much", 0.01)
        await asyncio.sleep(0.01)
        seen.append(throttle.pace.slots)

    throttle, teacher = throttle_of(64, max_retries=1000), Fake(behave)

    async def work() -> None:
        nonlocal limit
        assert answered(await ask(throttle, teacher, 500)) == 500
        assert next(slots for slots in begun if slots < 64) == 51, "by a fifth"
        loaded = sorted(seen[150:300])  # before, the slots come down; after, the last calls wait to be tried again
        assert limit // 2 <= loaded[0]
        assert loaded[len(loaded) // 2] <= 2 * limit
        limit = 1000
        teacher.most_in_flight = 0
        assert answered(await ask(throttle, teacher, 1500)) == 1500
        assert throttle.pace.slots > 40

    asyncio.run(work())


# --- tries ---


@pytest.mark.parametrize("kind", ["overload", "server", "connection", "reset", "foreign"])
def test_a_call_has_one_attempt_and_the_retries_that_are_set(kind: str) -> None:
    unlucky = key_of(1)

    async def behave(_: Fake, key: str, attempt: int) -> None:
        await asyncio.sleep(0.005)
        if key == unlucky:
            raise CallFault(kind, "no luck", 0.0)

    async def work() -> BaseException | None:
        await throttle.complete(teacher, call_of(0), as_it_is)
        unluckily = asyncio.create_task(throttle.complete(teacher, call_of(1), as_it_is))

        async def others(number: int) -> None:
            """Answered all the time, so that nobody thinks of an outage."""
            while not unluckily.done():
                await throttle.complete(teacher, call_of(number), as_it_is)

        await asyncio.gather(unluckily, *(others(number) for number in (2, 3, 4)), return_exceptions=True)
        return unluckily.exception()

    teacher, throttle = Fake(behave), throttle_of(4, max_retries=2, wait=2)
    failed = asyncio.run(work())
    assert isinstance(failed, CallFailed)
    assert (teacher.attempts[unlucky], failed.attempts) == (3, 3)
    assert str(failed) == "no luck, after 3 attempts"


def test_a_call_that_gets_through_says_which_attempt_it_was_and_when() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        if attempt < 3:
            raise CallFault("server", "no luck")

    teacher = Fake(behave)
    (completion,) = run(throttle_of(4, max_retries=2), teacher, 1)
    assert isinstance(completion, Completion)
    assert completion.attempts == 3
    assert datetime.now(UTC) - datetime.fromisoformat(completion.created) < timedelta(seconds=20)
    first, second, third = teacher.times[key_of(0)]
    assert second - first >= FIRST_WAIT / 2
    assert third - second >= FIRST_WAIT, "the waits grow"


def test_a_call_is_tried_again_when_the_endpoint_says_so_and_not_before() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        if attempt == 1:
            raise CallFault("server", "not now", 2 * FIRST_WAIT)

    teacher = Fake(behave)
    run(throttle_of(4), teacher, 1)
    first, second = teacher.times[key_of(0)]
    assert second - first >= 2 * FIRST_WAIT


def test_what_an_endpoint_will_not_take_is_not_asked_again() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        if key == key_of(0):
            raise CallFault("refused", "answers 413")

    teacher = Fake(behave)
    failed, *others = run(throttle_of(4), teacher, 5)
    assert isinstance(failed, CallFailed)
    assert (str(failed), failed.attempts, teacher.attempts[key_of(0)], answered(others)) == ("answers 413", 1, 1, 4)


def test_learning_what_to_leave_out_takes_no_attempt() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        if attempt < 4:
            raise CallFault("adapted", "does not take a parameter")

    (completion,) = run(throttle_of(4, max_retries=0), Fake(behave), 1)
    assert isinstance(completion, Completion)


def test_what_every_call_would_meet_comes_through_at_once() -> None:
    async def behave(*_: Any) -> None:
        raise TeacherRefused("answers 401")

    teacher = Fake(behave)
    (refused,) = run(throttle_of(4), teacher, 1)
    assert isinstance(refused, TeacherRefused)
    assert teacher.attempts[key_of(0)] == 1


def test_an_endpoint_that_asks_to_wait_longer_than_a_request_may_take_ends_the_run() -> None:
    async def behave(*_: Any) -> None:
        raise CallFault("overload", "h answers 429: slow down", 3600.0)

    before = time.monotonic()
    (ended,) = run(throttle_of(4, timeout=60), Fake(behave), 1)
    assert isinstance(ended, TeacherUnreachable)
    later = "it asks to wait 3,600 s; all finished work is kept; run again then"
    assert str(ended) == f"h answers 429: slow down; {later}"
    assert time.monotonic() - before < 20


# --- an endpoint that is not there, or goes away ---


async def try_ask(call: Call, session: Session) -> Any:
    return await session.try_ask(call)


def ask_for(settings: Settings, count: int) -> tuple[list[Any], int]:
    """Results of as many calls as step 03 would make them, and the rows that the journal has of them."""
    with Journal(settings.output / "journal.sqlite") as journal:
        asker = teachers.make_asker(settings, journal)
        fields = {"title": "Bells", "section": "", "count": 1, "angle": "facts"}
        calls = [asker.plan("questions", fields | {"passage": f"Bell {n} rings."}) for n in range(count)]
        try:
            return asker.run(try_ask, calls).results, len(journal)
        except AIToolsError as error:
            return [error], len(journal)


def test_an_endpoint_that_was_never_there_is_one_clear_line_after_the_retries(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.stop()
    (error,), rows = ask_for(settings.with_(max_retries=1), 3)
    assert isinstance(error, TeacherUnreachable)
    fix = "is it running? See TEACHER_MODEL_BASE_URL"
    assert str(error) == f"127.0.0.1:{endpoint.port}: not reached (Connection refused), 2 times; {fix}"
    assert rows == 0


def test_an_endpoint_that_never_answers_is_one_clear_line_after_a_few_calls(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.silent = True
    (error,), _ = ask_for(settings.with_(request_timeout=0.2), 100)
    assert isinstance(error, TeacherUnreachable)
    assert str(error).startswith(f"127.0.0.1:{endpoint.port}: no reply within 0.2 s, ")
    assert "MAX_CONCURRENCY" in str(error)
    assert "REQUEST_TIMEOUT" in str(error)
    assert "10 times, and no call has succeeded; is it a chat endpoint?" in str(error)
    assert UNANSWERED <= endpoint.counters.requests < UNANSWERED + FIRST_SLOTS
    assert endpoint.counters.max_in_flight <= FIRST_SLOTS


def test_something_else_at_the_address_is_one_clear_line_at_once(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.page = True
    (error,), _ = ask_for(settings.with_(max_concurrency=1), 3)
    assert isinstance(error, TeacherRefused)
    assert "answers, but not as a chat endpoint: 'Welcome It works!'" in str(error)
    assert endpoint.counters.requests == 1


@contextmanager
def away(endpoint: Endpoint, after: int, seconds: float | None) -> Iterator[None]:
    """The endpoint stops after so many answers, and starts again, unless it never does."""

    def leave() -> None:
        while endpoint.counters.ok < after:
            time.sleep(0.002)
        endpoint.stop()
        if seconds is not None:
            time.sleep(seconds)
            endpoint.start()

    thread = threading.Thread(target=leave)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_an_outage_is_waited_for_and_takes_no_attempts(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.latency = 0.02
    settings = settings.with_(max_retries=1, max_concurrency=8)
    with away(endpoint, after=20, seconds=2):
        results, rows = ask_for(settings, 80)
    assert len([one for one in results if one]) == rows == 80
    with Journal(settings.output / "journal.sqlite") as journal:
        assert {row["status"] for row in journal.rows()} == {"done"}
    assert endpoint.counters.ok - 80 == endpoint.asked_again() <= 8, "but what was cut off on its way back"


def test_an_outage_takes_no_attempt_from_a_call_that_has_none_to_lose() -> None:
    back = asyncio.Event()

    async def behave(teacher: Fake, key: str, attempt: int) -> None:
        if key == key_of(0):  # somebody has been there
            return
        if attempt == 1:
            raise CallFault("server", "answers 500", 0.0)
        if attempt == 2:
            while teacher.in_flight < 8:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.02)
            asyncio.get_running_loop().call_later(0.5, back.set)
        if not back.is_set():
            raise CallFault("connection", "not reached")

    outcomes = run(throttle_of(8, max_retries=1), Fake(behave), 9)
    assert [str(outcome) for outcome in outcomes if not isinstance(outcome, Completion)] == []


def test_while_an_endpoint_is_away_one_call_alone_looks_for_it() -> None:
    gone_at = came_back = 0.0
    tries: list[str] = []

    async def behave(_: Fake, key: str, attempt: int) -> None:
        nonlocal gone_at, came_back
        if int(key, 16) < 8:
            return
        now = time.monotonic()
        gone_at = gone_at or now
        if now - gone_at < 1.0:
            tries.append(key)
            raise CallFault("connection", "not reached")
        await asyncio.sleep(0.01)

    assert answered(run(throttle_of(8, max_retries=1), Fake(behave), 100)) == 100
    looked = Counter(tries)
    assert len([key for key, times in looked.items() if times > 1]) == 1
    assert len(looked) <= 8, "those that were on their way"


@pytest.mark.parametrize("reached", [False, True], ids=["from the start", "in the middle"])
def test_a_model_that_is_being_loaded_is_waited_for_and_takes_no_attempts(reached: bool) -> None:
    begun = 0.0

    async def behave(_: Fake, key: str, attempt: int) -> None:
        nonlocal begun
        begun = begun or time.monotonic()
        if time.monotonic() - begun < 1.0 and not (reached and int(key, 16) < 8):
            raise CallFault("loading", "h answers 503: Loading model")
        await asyncio.sleep(0.01)

    teacher = Fake(behave)
    outcomes = run(throttle_of(8, max_retries=1), teacher, 40)
    assert answered(outcomes) == 40
    assert sorted(teacher.attempts.values())[-2] <= 3, "one alone goes on looking"


def test_a_model_that_is_never_loaded_is_one_clear_line() -> None:
    async def behave(*_: Any) -> None:
        raise CallFault("loading", "h answers 503: Loading model")

    (ended,) = run(throttle_of(4, wait=0.3), Fake(behave), 1)
    assert isinstance(ended, TeacherUnreachable)
    assert str(ended).startswith("h answers 503: Loading model; it went away and did not come back within 0.3 s")


def test_an_outage_that_outlasts_a_request_ends_the_run_and_what_is_finished_is_kept(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.latency = 0.02
    with away(endpoint, after=10, seconds=None):
        (error,), rows = ask_for(settings.with_(server_wait=0.5, max_concurrency=4), 60)
    assert isinstance(error, TeacherUnreachable)
    assert (
        "it went away and did not come back within 0.5 s (SERVER_WAIT); all finished work is kept; run again to go on"
        in str(error)
    )
    cut_off = endpoint.counters.ok - rows
    assert rows >= 6
    assert 0 <= cut_off <= 4
    endpoint.behaviour.latency = 0.0
    endpoint.start()
    results, rows = ask_for(settings, 60)
    assert len(results) == rows == 60
    assert endpoint.counters.ok == 60 + cut_off, "nothing that came back is asked again"


class Touchy(Endpoint):
    """Hangs up on one passage, every time."""

    def _chat(self, request: Request, mark: int) -> Answer:
        poison = "Bell 7 rings." in str(request.body["messages"])
        return Answer("resets", status=0) if poison else super()._chat(request, mark)


def test_one_call_that_the_endpoint_always_hangs_up_on_fails_alone(settings: Settings) -> None:
    with Touchy() as touchy:
        settings = settings.with_(teacher_model_base_url=touchy.url, max_retries=1, max_concurrency=1, server_wait=2)
        results, rows = ask_for(settings, 20)
    assert [number for number, result in enumerate(results) if result is None] == [7], results
    assert rows == 20


# --- an endpoint that nobody knows ---


class Server(Fake):
    """Takes so many calls at a time, `seconds` each; others wait for their turn."""

    def __init__(self, at_a_time: int, seconds: float):
        super().__init__(self._serve)
        self.places, self.seconds = asyncio.Semaphore(at_a_time), seconds
        self.slots: list[int] = []

    async def _serve(self, *_: Any) -> None:
        async with self.places:
            await asyncio.sleep(self.seconds)


def slots_over(server: Server, count: int, **options: Any) -> list[int]:
    """How many calls were on their way as each was answered."""
    throttle, seen = throttle_of(64, first=FIRST_SLOTS, **options), list[int]()

    async def look(_: Completion) -> None:
        seen.append(throttle.pace.slots)

    async def work() -> None:
        await asyncio.gather(*(throttle.complete(server, call_of(number), look) for number in range(count)))

    asyncio.run(work())
    assert len(seen) == count
    return seen


def test_an_unknown_endpoint_gets_twice_as_many_calls_a_round_trip_while_they_take_no_longer() -> None:
    server = Server(at_a_time=1000, seconds=0.05)
    slots = slots_over(server, 300)
    assert list(dict.fromkeys(slots)) == [4, 8, 16, 32, 64]
    assert slots.index(64) <= 4 + 8 + 16 + 32 + 64


def test_an_endpoint_that_answers_one_call_at_a_time_is_never_asked_for_many() -> None:
    server = Server(at_a_time=1, seconds=0.02)
    slots = slots_over(server, 120)
    assert server.most_in_flight <= 2 * FIRST_SLOTS
    later = slots[40:]
    assert max(later) < 2 * FIRST_SLOTS, "what gains nothing is taken back"
    assert sorted(later)[len(later) // 2] <= FIRST_SLOTS + 1


def test_calls_are_compared_with_those_of_their_own_prompt_alone() -> None:
    """Replies of one kind that take ten times as long are no sign of overload."""
    pace = Pace(most=64, first=4)

    def round_trip(prompt: str, seconds: float) -> None:
        pace._changed = 0.0
        for _ in range(pace.slots):
            pace.answered(prompt, time.monotonic() - seconds, pace.slots)

    for number, prompt in enumerate(["facts", "judgements", "facts", "judgements"]):
        round_trip(prompt, 100.0 if prompt == "judgements" else 10.0)
        assert pace.slots == min(64, 2 ** (number + 3))
    pace = Pace(most=64, first=4)
    round_trip("facts", 10.0)
    round_trip("facts", 16.0)
    assert pace.slots == 4, "a rise by more than half"


def test_a_reply_that_does_not_come_in_time_halves_the_slots_at_once_and_is_tried_twice() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        await asyncio.sleep(5 if key in (key_of(0), key_of(1)) else 0.001)

    teacher, throttle = Fake(behave), throttle_of(8, timeout=0.2)
    outcomes = run(throttle, teacher, 12)
    assert answered(outcomes) == 10
    assert isinstance(outcomes[0], CallFailed)
    assert str(outcomes[0]).startswith("127.0.0.1:9: no reply within 0.2 s, ")
    assert "2 times; a smaller MAX_CONCURRENCY" in str(outcomes[0])
    assert teacher.attempts[key_of(0)] == teacher.attempts[key_of(1)] == 2
    assert throttle.pace.slots < 8, "calls that failed together count once"


def test_the_time_for_a_reply_follows_what_replies_take_and_how_many_are_ahead() -> None:
    pace = Pace(most=4, timeout=600.0, adapts=True)
    assert pace.patience("facts", 4) == 600
    pace.answered("facts", time.monotonic() - 60, 4)
    assert pace.patience("facts", 1) == pytest.approx(300, rel=0.01)
    assert pace.patience("facts", 8) == pytest.approx(600, rel=0.01)
    assert pace.patience("judgements", 8) == 600, "of these nothing is known"
    pace.answered("short", time.monotonic() - 0.1, 1)
    assert pace.patience("short", 1) == 120
    assert Pace(most=4, timeout=7.0).patience("facts", 4) == 7


@pytest.mark.parametrize(
    ("url", "chosen", "slots", "seconds"),
    [
        ("https://api.openai.com/v1", None, 64, 120),
        ("http://localhost:8000/v1", None, 4, 600),
        ("http://127.0.0.1:8000/v1", None, 4, 600),
        ("http://[::1]:8000/v1", None, 4, 600),
        ("http://gpu.example:8000/v1", None, 4, 120),
        ("http://gpu.example:8000/v1", 32, 32, 120),
        ("", None, 64, 120),
    ],
)
def test_only_the_hosts_of_known_providers_get_many_calls_from_the_start(
    url: str, chosen: int | None, slots: int, seconds: float
) -> None:
    teacher = Fake(lambda *_: asyncio.sleep(0))
    teacher.base_url = url
    pace = pace_of(teacher, Limits(max_concurrency=chosen))
    assert (pace.slots, pace.patience("facts", 1)) == (slots, seconds)
    assert pace.most == (chosen or 64), "what is set is the start and the top"


# --- what no further attempt mends ---


@pytest.mark.parametrize("kind", ["refused", "server"])
def test_three_calls_that_are_lost_in_the_same_words_end_a_run_with_no_success_yet(kind: str) -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        raise CallFault(kind, f"h answers 400: no such model, request {key}-{attempt}", fix="look at the model")

    async def work() -> list[Any]:
        asked = [throttle.complete(teacher, call_of(number), as_it_is) for number in range(20)]
        tasks = [asyncio.create_task(one) for one in asked]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION, timeout=20)
        while not any(isinstance(one.exception(), TeacherRefused) for one in tasks if one.done()):
            await asyncio.sleep(0.01)
        for one in tasks:
            one.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    teacher, throttle = Fake(behave), throttle_of(1, max_retries=1)
    ended = [one for one in asyncio.run(work()) if isinstance(one, TeacherRefused)]
    assert len(ended) == 1
    assert str(ended[0]).endswith(f"; {ALIKE} calls ended so and none has succeeded; look at the model")


def test_calls_that_are_refused_for_their_size_end_no_run_that_may_yet_succeed() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        await asyncio.sleep(0.01)  # all are on their way before the first is refused, as on a wire
        if int(key, 16) >= 15:
            raise CallFault("refused", "h answers 400: the context has 512 tokens; a smaller CHUNK_TOKENS makes room")
        if int(key, 16) < 10:
            raise CallFault("refused", "h answers 400: it is of one passage", fix="look at the model")
        await asyncio.sleep(0.05)

    outcomes = run(throttle_of(64), Fake(behave), 20)
    assert [isinstance(one, CallFailed) for one in outcomes] == [True] * 10 + [False] * 5 + [True] * 5


def test_after_a_success_refused_calls_fail_alone() -> None:
    async def behave(_: Fake, key: str, attempt: int) -> None:
        if key != key_of(0):
            raise CallFault("refused", "h answers 400: too long")

    outcomes = run(throttle_of(1), Fake(behave), 8)
    assert [isinstance(one, CallFailed) for one in outcomes] == [False] + 7 * [True]


# --- cancels ---

Plan = tuple[int, int, bool, int | None]
PLANS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.none() | st.integers(0, 12)),
    min_size=1,
    max_size=12,
)


@examples(max_examples=150, deadline=None)
@given(plans=PLANS, slots=st.integers(1, 3))
def test_cancelled_calls_free_what_they_hold_and_no_more(plans: list[Plan], slots: int) -> None:
    """Each plan: turns until its answer, turns until that is settled, whether it is refused, the turn of its cancel."""

    async def turns(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def behave(_: Fake, key: str, attempt: int) -> None:
        until, _, refused, _ = plans[int(key, 16)]
        await turns(until)
        if refused:
            raise CallFault("refused", "no, " + "never " * int(key, 16))  # no two alike, which would end a run

    async def one(number: int) -> Completion:
        return await throttle.complete(teacher, call_of(number), lambda _: turns(plans[number][1]))

    async def work() -> None:
        tasks = [asyncio.create_task(one(number)) for number in range(len(plans))]
        for turn in range(13):
            for task, plan in zip(tasks, plans, strict=True):
                if plan[3] == turn:
                    task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        assert teacher.most_in_flight <= slots
        assert throttle.in_flight == 0
        for task, (_, _, refused, cancelled) in zip(tasks, plans, strict=True):
            if cancelled is None:
                assert isinstance(task.exception(), CallFailed) == refused
        teacher.most_in_flight = 0
        plans[:] = [(3, 0, False, None)] * (slots + 2)
        assert answered(await ask(throttle, teacher, slots + 2)) == slots + 2
        assert teacher.most_in_flight == slots, "none was lost"

    teacher, throttle = Fake(behave), throttle_of(slots)
    plans = list(plans)
    asyncio.run(work())
