"""Asking through the journal: order, bounds, second tries, reruns, what makes a call another one, and ends."""

import asyncio
import json
import os
import random
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from endpoint import THOUGHT, Answer, Endpoint, Request

from ai_tools import teachers
from ai_tools.errors import TeacherRefused, TeacherUnreachable, TooManyFailures
from ai_tools.records import Call, Completion, Passage, Progress, Sample, Usage
from ai_tools.settings import Settings
from ai_tools.steps import generation
from ai_tools.steps.generation import load_recipe
from ai_tools.teachers.asker import RECENT, Asker, Outcome, Session
from ai_tools.teachers.dry_run import DryRun, Estimate, Speed
from ai_tools.teachers.journal import Entry, Journal
from ai_tools.teachers.replies import BadReply
from ai_tools.teachers.throttle import CallFailed

GOOD = '{"pairs": [{"question": "When does it ring?", "answer": "At noon."}]}'
NO_ANSWER = '{"pairs": [{"question": "When does it ring?"}]}'
FIELDS = {"title": "Bells", "section": "", "count": 1, "angle": "facts"}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def settings(toy_settings: Settings, endpoint: Endpoint) -> Settings:
    return at(endpoint, toy_settings)


def at(endpoint: Endpoint, settings: Settings) -> Settings:
    there = {"teacher_model_name": "any", "teacher_model_base_url": endpoint.url}
    return settings.with_(provider="openai-compatible", max_retries=0, **there)


@contextmanager
def asking(settings: Settings, **options: Any) -> Iterator[Asker]:
    with Journal(settings.output / "journal.sqlite") as journal:
        yield teachers.make_asker(settings, journal, **options)


def plan(asker: Asker, number: int, **origin: Any) -> Call:
    return asker.plan("questions", FIELDS | {"passage": f"Bell {number} rings."}, chunk_id=f"c{number}", **origin)


def number_of(words: Any) -> int:
    """The number of the passage that a call or a request's body is about."""
    found = re.search(r"Bell (\d+) rings", str(words))
    assert found is not None
    return int(found[1])


async def try_ask(call: Call, session: Session) -> Any:
    return await session.try_ask(call)


def ask_about(asker: Asker, *numbers: int) -> Outcome[Any]:
    return asker.run(try_ask, [plan(asker, number) for number in numbers])


def run(settings: Settings, *numbers: int) -> list[Any]:
    with asking(settings) as asker:
        return ask_about(asker, *numbers).results


def rows(settings: Settings) -> list[tuple[str, str]]:
    """Status and error of every row."""
    with Journal(settings.output / "journal.sqlite") as journal:
        return [(row["status"], row["error"]) for row in journal.rows()]


def statuses(settings: Settings) -> list[str]:
    return sorted(status for status, _ in rows(settings))


class Fake:
    """Answers each call with what `answer` says, after a pause."""

    provider, model, base_url, own_host, concurrency = "fake", "m", "http://127.0.0.1:9", False, 8

    def __init__(self, answer: Callable[[Call], str] = lambda _: GOOD, pause: Callable[[], float] = lambda: 0.0):
        self.answer, self.pause = answer, pause
        self.calls: list[Call] = []

    async def complete(self, call: Call) -> Completion:
        await asyncio.sleep(self.pause())
        self.calls.append(call)
        return Completion(self.answer(call), "m")

    async def close(self) -> None: ...


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


# --- order and bounds ---


def test_results_and_failures_come_in_plan_order_whatever_the_order_of_the_replies(
    journal: Journal, toy_settings: Settings
) -> None:
    rng = random.Random(0)
    teacher = Fake(lambda call: "no" if number_of(call) % 3 == 0 else GOOD, lambda: rng.random() / 100)
    asker = teachers.make_asker(toy_settings, journal, teacher=teacher)

    async def chain(number: int, session: Session) -> tuple[int, bool]:
        return number, await session.try_ask(plan(asker, number, draw=1)) is None

    outcome = asker.run(chain, range(30))
    assert outcome.results == [(n, n % 3 == 0) for n in range(30)]
    assert [rejection.row["chunk_id"] for rejection in outcome.failed] == [f"c{number}" for number in range(0, 30, 3)]
    assert {rejection.check for rejection in outcome.failed} == {"reply"}
    assert [number_of(call) for call in teacher.calls[:30]] != [*range(30)]


def test_work_is_made_as_it_is_taken_and_its_results_are_handed_on_in_order(
    journal: Journal, toy_settings: Settings
) -> None:
    made = finished = most = 0
    handed: list[int] = []
    asker = teachers.make_asker(toy_settings, journal, teacher=Fake())

    async def chain(number: int, session: Session) -> int:
        nonlocal finished
        await session.try_ask(plan(asker, number % 50))
        finished += 1
        return number

    def items() -> Iterator[int]:
        nonlocal made, most
        for number in range(2000):
            made += 1
            most = max(most, made - finished)
            yield number

    assert asker.run(chain, items(), 2000, each=handed.append).results == []
    assert handed == [*range(2000)]
    assert Fake.concurrency <= most <= 2 * Fake.concurrency + 1


def test_a_slow_item_holds_up_no_other(journal: Journal, toy_settings: Settings) -> None:
    order: list[int] = []
    asker = teachers.make_asker(toy_settings, journal, teacher=Fake())

    async def chain(number: int, session: Session) -> None:
        if number == 0:
            while len(order) < 199:
                await asyncio.sleep(0.001)
        await session.try_ask(plan(asker, number % 20))
        order.append(number)

    asker.run(chain, range(200))
    assert order[-1] == 0


def test_progress_tells_what_is_done_asked_known_and_failed(settings: Settings, endpoint: Endpoint) -> None:
    run(settings, 0, 1)
    seen: list[Progress] = []
    endpoint.reply = lambda body: "no" if number_of(body) == 4 else GOOD
    with asking(settings, on_progress=lambda progress: seen.append(replace(progress))) as asker:
        ask_about(asker, *range(5))
    last = seen[-1]
    assert (last.total, last.done, last.calls, last.from_journal, last.failed) == (5, 5, 4, 2, 1)
    assert last.tokens > 0
    assert last.usd is None, "of this model's price nothing is known"
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


def test_progress_is_told_while_nothing_comes_in(journal: Journal, toy_settings: Settings) -> None:
    told: list[tuple[int, float, int]] = []
    asker = teachers.make_asker(toy_settings, journal, teacher=Fake(pause=lambda: 2.5))
    asker.on_progress = lambda now: told.append((now.done, now.longest_wait, now.in_flight))
    ask_about(asker, 1)
    waiting = [(seconds, in_flight) for done, seconds, in_flight in told if not done]
    assert len(waiting) >= 2, "a look every second"
    assert [in_flight for _, in_flight in waiting[:2]] == [1, 1]
    assert waiting[0][0] < waiting[1][0], "how long it has waited"


def test_each_run_tells_of_itself_alone(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: "no" if number_of(body) == 1 else GOOD
    with asking(settings) as asker:
        first, second = ask_about(asker, 0, 1), ask_about(asker, 0, 2)
    assert (first.asked, first.usage.calls, first.usage.from_journal, len(first.failed)) == (2, 3, 0, 1)
    assert (second.asked, second.usage.calls, second.usage.from_journal, second.failed) == (2, 1, 1, [])
    assert 0 < second.usage.tokens < first.usage.tokens
    assert first.seconds > 0


def test_what_runs_take_adds_up_and_an_unknown_price_stays_unknown() -> None:
    assert Usage(1, 2, 30, 0.5) + Usage(3, 4, 50, 0.25) == Usage(4, 6, 80, 0.75)
    assert (Usage(usd=None) + Usage(usd=1.0)).usd is (Usage(usd=1.0) + Usage(usd=None)).usd is None


# --- what is asked, and asked again ---


def test_equal_calls_are_asked_once_and_answered_alike(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.latency = 0.02
    first, other, again = run(settings, 1, 2, 1)
    assert first is not None
    assert first == again != other
    assert (endpoint.counters.requests, statuses(settings)) == (2, ["done", "done"])


def test_a_rerun_asks_nothing_and_gives_the_same(endpoint: Endpoint, settings: Settings) -> None:
    before = run(settings, *range(10))
    with asking(settings) as asker:
        outcome = ask_about(asker, *range(10))
    assert outcome.results == before
    assert (outcome.usage.calls, outcome.usage.from_journal, endpoint.counters.requests) == (0, 10, 10)


def test_a_reply_that_does_not_fit_is_asked_for_once_more_with_its_fault_named(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.reply = lambda body: GOOD if len(body["messages"]) > 2 else NO_ANSWER
    (reply,) = run(settings, 1)
    assert reply is not None
    assert [pair.answer for pair in reply.pairs] == ["At noon."]
    first, second = (request.body["messages"] for request in endpoint.requests)
    assert second[:2] == first
    assert second[2] == {"role": "assistant", "content": NO_ANSWER}
    asked = second[3]["content"]
    assert asked.startswith("Your reply cannot be used: pairs.0.answer: Field required.")
    assert asked.endswith('{"pairs": [{"question": "...", "answer": "..."}]}')
    assert sorted(rows(settings)) == [("done", ""), ("rejected", "pairs.0.answer: Field required")]
    assert run(settings, 1) == [reply]
    assert endpoint.counters.requests == 2, "the rerun finds both"


class Narrow(Endpoint):
    """Cuts every reply off that has not enough room."""

    room = 600

    def _draw(self, request: Request, mark: int) -> str:
        return "ok" if request.body["max_tokens"] >= self.room else "truncated"


def test_a_reply_that_was_cut_off_is_asked_for_with_twice_the_room(toy_settings: Settings) -> None:
    with Narrow() as narrow:
        settings = at(narrow, toy_settings).with_(teacher_max_tokens=400)
        (reply,) = run(settings, 1)
        first, second = (request.body for request in narrow.requests)
        assert reply is not None
        assert (first.pop("max_tokens"), second.pop("max_tokens")) == (400, 800)
        assert first["messages"] == second["messages"]
        assert statuses(settings) == ["done", "rejected"]
        assert "cut off after" in "".join(error for _, error in rows(settings))
        assert run(settings, 1) == [reply]
        assert len(narrow.requests) == 2
        narrow.room = 10_000
        assert run(settings, 2) == [None]
        assert [request.body["max_tokens"] for request in narrow.requests[2:]] == [400, 800], "once, no more"


def test_a_reply_that_is_cut_off_and_then_malformed_has_one_try_for_each_fault(toy_settings: Settings) -> None:
    with Narrow() as narrow:
        narrow.reply = lambda _: "no"
        assert run(at(narrow, toy_settings).with_(teacher_max_tokens=400), 1) == [None]
        sent = [(request.body["max_tokens"], len(request.body["messages"])) for request in narrow.requests]
        assert sent == [(400, 2), (800, 2), (800, 4)]


def test_a_reply_that_stays_unusable_is_rejected_and_asked_again_only_on_request(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.reply = lambda _: "I would rather not."
    with asking(settings) as asker:
        outcome = ask_about(asker, 1)
    (rejection,) = outcome.failed
    assert outcome.results == [None]
    assert (rejection.check, rejection.reason) == ("reply", "no JSON in it: 'I would rather not.'")
    assert (statuses(settings), endpoint.counters.requests) == (["rejected", "rejected"], 2)
    endpoint.reply = lambda _: GOOD
    assert run(settings, 1) == [None]
    assert endpoint.counters.requests == 2
    (reply,) = run(settings.with_(retry_rejected=True), 1)
    (again,) = run(settings, 1)
    assert reply is not None
    assert again is not None
    assert again.pairs == reply.pairs, "the new reply is the one that counts"
    assert endpoint.counters.requests == 3


class Withholding(Endpoint):
    def _completion(self, request: Request, outcome: str, mark: int) -> dict[str, Any]:
        choice = {"message": {"content": None, "refusal": "I cannot help."}, "finish_reason": "stop"}
        return {"model": "any", "choices": [choice]}


def test_a_reply_that_the_endpoint_withholds_is_not_asked_for_again(toy_settings: Settings) -> None:
    with Withholding() as withholding:
        settings = at(withholding, toy_settings)
        assert run(settings, 1) == run(settings, 1) == [None]
        assert rows(settings) == [("rejected", "withheld by the endpoint: I cannot help.")]
        assert withholding.counters.requests == 1


def test_a_passage_that_holds_nothing_to_ask_is_recorded_as_such(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.empty = True
    with asking(settings) as asker:
        outcome = ask_about(asker, 1)
    (reply,) = outcome.results
    assert reply is not None
    assert (reply.pairs, outcome.failed) == ([], [])
    assert statuses(settings) == ["empty"]
    endpoint.behaviour.empty = False
    assert run(settings.with_(retry_rejected=True), 1) == [reply]
    assert endpoint.counters.requests == 1


def test_a_call_that_got_no_reply_is_recorded_and_asked_again_by_the_next_run(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.p500 = 1.0
    with asking(settings.with_(max_retries=1)) as asker:
        outcome = ask_about(asker, 1)
        (row,) = asker.journal.rows()
    (rejection,) = outcome.failed
    assert outcome.results == [None]
    said = f"127.0.0.1:{endpoint.port} answers 500: The server had an error., after 2 attempts"
    assert (rejection.check, rejection.reason) == ("transport", said)
    assert (row["status"], row["error"], row["attempts"]) == ("failed", said, 2)
    endpoint.behaviour.p500 = 0.0
    (reply,) = run(settings, 1)
    assert reply is not None
    assert (statuses(settings), endpoint.counters.requests) == (["done"], 3)


def test_asking_without_a_net_raises_what_went_wrong(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.reply = lambda _: "no"
    with asking(settings) as asker, pytest.raises(BadReply, match="no JSON in it"):
        asker.ask(plan(asker, 1))
    endpoint.behaviour.p500 = 1.0
    with asking(settings) as asker, pytest.raises(CallFailed, match="answers 500"):
        asker.ask(plan(asker, 2))


# --- what makes a call another one ---


def key_of(settings: Settings, instructions: str = "", **origin: Any) -> str:
    with asking(settings, instructions=instructions) as asker:
        fields = FIELDS | {"passage": "A bell rings."} | origin.pop("fields", {})
        return asker.plan(origin.pop("prompt", "questions"), fields, **origin).key


@pytest.mark.parametrize(
    "changes",
    [
        {"teacher_model_name": "other"},
        {"teacher_temperature": 0.0},
        {"teacher_max_tokens": 99},
        {"teacher_top_p": 0.5},
        {"seed": 1},
        {"teacher_model_base_url": "http://127.0.0.1:1/v1"},
        {"provider": "vllm"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_can_change_an_answer_makes_another_call(changes: dict[str, Any], settings: Settings) -> None:
    assert key_of(settings.with_(**changes)) != key_of(settings)


@pytest.mark.parametrize(
    "changes",
    [
        {"ollama_top_k": 3},
        {"ollama_top_p": 0.3},
        {"ollama_repeat_penalty": 1.2},
        {"ollama_num_predict": 9},
        {"ollama_num_ctx": 4096},
        {"ollama_stop": "END"},
        {"ollama_base_url": "http://127.0.0.1:1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_options_of_ollama_make_another_call_where_it_is_asked_and_nowhere_else(
    changes: dict[str, Any], settings: Settings
) -> None:
    ollama = settings.with_(provider="ollama", teacher_model_base_url="")
    assert key_of(ollama.with_(**changes)) != key_of(ollama)
    assert key_of(settings.with_(**changes)) == key_of(settings)


def test_the_words_and_the_draw_make_another_call(settings: Settings) -> None:
    keys = [
        key_of(settings),
        key_of(settings, "Ask about sounds."),
        key_of(settings, draw=2),
        key_of(settings, prompt="exam"),
        key_of(settings, fields={"passage": "A bell rings"}),
        key_of(settings, fields={"count": 2}),
        key_of(settings, fields={"reasoning": True}),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(settings, chunk_id="c9", recipe="r") == key_of(settings), "equal words are equal calls"


def test_another_judge_makes_other_judgements_and_no_other_pairs(settings: Settings) -> None:
    def keys(judging: Settings) -> tuple[str, str]:
        with asking(settings, judge=teachers.connect_judge(judging)) as asker:
            judged = asker.plan("faithfulness", {"passage": "A bell rings.", "pairs": []})
            return plan(asker, 1).key, judged.key

    pair, judgement = keys(settings)
    assert keys(settings.with_(judge_model_name="large"))[0] == pair
    elsewhere = settings.with_(judge_model_name="any", judge_base_url="http://127.0.0.1:1/v1")
    assert len({judgement, keys(settings.with_(judge_model_name="large"))[1], keys(elsewhere)[1]}) == 3


def test_what_cannot_change_an_answer_is_no_part_of_a_call(settings: Settings) -> None:
    same = {
        "request_timeout": 3.0,
        "max_concurrency": 2,
        "max_retries": 9,
        "max_calls": 99,
        "max_tokens_total": 10**9,
        "max_usd": 5.0,
        "teacher_price": "1,1",
        "max_failure_rate": 0.5,
        "retry_rejected": True,
        "teacher_model_api_key": "sk-k",
    }
    assert key_of(settings.with_(**same)) == key_of(settings)


def test_a_providers_own_address_may_move_and_another_one_may_not(settings: Settings) -> None:
    openai = settings.with_(provider="openai", openai_api_key="sk-k", teacher_model_base_url="")
    spelled = openai.with_(teacher_model_base_url="https://api.openai.com/v1/")
    assert key_of(spelled) == key_of(openai)
    moved = openai.with_(teacher_model_base_url="http://127.0.0.1:1/v1", teacher_model_api_key="sk-k")
    assert key_of(moved) != key_of(openai)


# --- reasoning ---

PASSAGE = Passage("c1", "d1", "The bell rings at noon.", "Bells", "the bell book", "bells", ("Ringing",))


def samples_of(settings: Settings, endpoint: Endpoint, *pairs: dict[str, str]) -> list[Sample]:
    """The samples of a dataset whose one reply holds these pairs."""

    def reply(body: dict[str, Any]) -> str:
        judged = "judgements" in json.dumps(body["response_format"])
        ids = re.findall(r'"id": "(\w{16})"', body["messages"][-1]["content"])
        verdicts = [{"id": name, "explanation": "So it says.", "grounded": True} for name in ids]
        return json.dumps({"judgements": verdicts} if judged else {"pairs": pairs})

    endpoint.reply = reply
    with asking(settings) as asker:
        recipe = load_recipe("document_based_qa", draws=1, reasoning=settings.enable_reasoning)
        return generation.generate([PASSAGE], recipe, asker=asker).samples


def pair(number: int, **more: str) -> dict[str, str]:
    return {"question": f"What is {number}?", "answer": f"It is {number}."} | more


def test_reasoning_stays_with_its_own_pair_and_thoughts_of_a_call_are_not_shared_out(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.think = "field"
    reasoned = settings.with_(enable_reasoning=True)
    made = samples_of(reasoned, endpoint, pair(1, reasoning="Because of 1."), pair(2, reasoning=""), pair(3))
    assert [(sample.reasoning, sample.type) for sample in made] == [
        ("Because of 1.", "cot"),
        ("", "qa"),
        ("", "qa"),
    ]


@pytest.mark.parametrize("think", ["field", "tag"])
def test_thoughts_on_a_single_pair_are_its_reasoning_unless_it_has_its_own(
    think: str, endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.think = think
    reasoned = settings.with_(enable_reasoning=True)
    (thought,) = samples_of(reasoned, endpoint, pair(1))
    assert (thought.reasoning, thought.type) == (THOUGHT, "cot")
    (own,) = samples_of(reasoned.with_(seed=1), endpoint, pair(1, reasoning="Because."))
    assert own.reasoning == "Because."
    (plain,) = samples_of(settings, endpoint, pair(1, reasoning="Because."))
    assert (plain.reasoning, plain.type) == ("", "qa"), "kept only where it is asked for"


# --- ends ---


class Failing(Endpoint):
    """Fails for every passage from the 30th on."""

    def _chat(self, request: Request, mark: int) -> Answer:
        if number_of(request.body) >= 30:
            return Answer("errors_500", {"error": {"message": "The disk is full."}}, 500)
        return super()._chat(request, mark)


def test_a_run_that_goes_wrong_stops_before_its_end_and_keeps_what_is_finished(toy_settings: Settings) -> None:
    with Failing() as failing:
        settings = at(failing, toy_settings).with_(max_concurrency=4)
        lost = rf"^(\d+) of the last {RECENT} calls failed \(.*answers 500: The disk is full\., after 1 attempts\); all"
        with pytest.raises(TooManyFailures, match=lost) as caught:
            run(settings, *range(500))
        assert "\n" not in str(caught.value)
        assert failing.counters.requests < 30 + 2 * RECENT
        assert statuses(settings).count("done") == failing.counters.ok == 30


class Ending(Endpoint):
    """Gives an answer that ends the run to one passage, while the others are on their way."""

    last: Answer

    def _chat(self, request: Request, mark: int) -> Answer:
        return self.last if number_of(request.body) == 5 else super()._chat(request, mark)


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (Answer("refused", {"error": {"message": "Pay first."}}, 402), TeacherRefused),
        (Answer("refused", {"error": {"message": "Come back."}}, 429, retry_after=3600), TeacherUnreachable),
    ],
    ids=["refused", "unreachable"],
)
def test_what_is_on_its_way_when_a_run_ends_is_paid_for_and_kept(
    last: Answer, error: type[Exception], toy_settings: Settings
) -> None:
    with Ending(latency=0.2) as ending:
        ending.last = last
        settings = at(ending, toy_settings).with_(max_concurrency=8)
        with pytest.raises(error):
            run(settings, *range(20))
        assert ending.counters.abandoned == 0
        assert statuses(settings) == ["done"] * ending.counters.ok
        assert ending.counters.ok == 7


def test_failures_below_the_limit_stop_nothing(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.p500 = 0.2
    results = run(settings, *range(150))
    assert len(results) == 150
    assert results.count(None) == endpoint.counters.errors_500 > 10


def drop_table(journal: Journal) -> None:
    with sqlite3.connect(journal.path) as db:
        db.execute("DROP TABLE calls")
    db.close()


@pytest.mark.parametrize(("spoil", "words"), [(Journal.close, "closed"), (drop_table, "no such table")])
def test_a_journal_that_cannot_be_written_ends_the_run_with_an_error(
    spoil: Callable[[Journal], None], words: str, tmp_path: Path, toy_settings: Settings
) -> None:
    def answer(call: Call) -> str:
        if number_of(call) == 20:
            spoil(journal)
        return GOOD

    with Journal(tmp_path / "journal.sqlite") as journal:
        asker = teachers.make_asker(toy_settings, journal, teacher=Fake(answer))
        with pytest.raises(Exception, match=words):
            ask_about(asker, *range(200))


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A test runner in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_when(ready: Callable[[], bool]) -> threading.Thread:
    def wait() -> None:
        while not ready():
            time.sleep(0.005)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.usefixtures("heeded_interrupts")
def test_an_interrupt_keeps_the_replies_that_wait_for_their_commit(journal: Journal, toy_settings: Settings) -> None:
    pauses = iter((0.0, *[0.1] * 100))  # the first reply is being written when the others come in
    teacher = Fake(pause=lambda: next(pauses))
    asker = teachers.make_asker(toy_settings.with_(max_concurrency=Fake.concurrency), journal, teacher=teacher)
    with sqlite3.connect(journal.path, isolation_level=None, check_same_thread=False) as reader:
        reader.execute("BEGIN IMMEDIATE")  # nothing can be committed meanwhile
        interrupting = interrupt_when(lambda: len(teacher.calls) == Fake.concurrency)
        letting = threading.Timer(0.6, reader.execute, ("COMMIT",))
        letting.start()
        with pytest.raises(KeyboardInterrupt):
            ask_about(asker, *range(100))
        letting.join()
        interrupting.join()
    reader.close()
    assert len(journal) == len(teacher.calls) == Fake.concurrency
    assert {row["attempts"] for row in journal.rows()} == {1}, "what was being written is counted once"


@pytest.mark.usefixtures("heeded_interrupts")
def test_an_interrupt_is_an_interrupt_also_where_equal_calls_wait_for_each_other(
    journal: Journal, toy_settings: Settings
) -> None:
    teacher = Fake(pause=lambda: 30.0)
    asker = teachers.make_asker(toy_settings, journal, teacher=teacher)
    started: list[int] = []

    async def chain(number: int, session: Session) -> None:
        started.append(number)
        await session.try_ask(plan(asker, 1))

    interrupting = interrupt_when(lambda: len(started) == 4)
    with pytest.raises(KeyboardInterrupt):
        asker.run(chain, range(4))
    interrupting.join()


# --- what it would take ---


@pytest.mark.parametrize("name", ["document_based_qa", "detailed_summary"])
def test_a_dry_run_says_how_many_calls_a_run_will_make_and_how_many_are_known(
    name: str, endpoint: Endpoint, settings: Settings
) -> None:
    recipe = load_recipe(name, draws=3, questions_per_call=3)
    items = [replace(PASSAGE, chunk_id=f"c{n}", text=f"Bell {n} rings at noon. Ada rings it.") for n in range(3)]
    with asking(settings) as asker:
        (estimate,) = generation.plan(items, [recipe], asker=asker)
        assert endpoint.counters.requests == 0
        assert (estimate.known, estimate.usd) == (0, None)
        generation.generate(items[:1], recipe, asker=asker)
        made = endpoint.counters.requests
        (rest,) = generation.plan(items, [recipe], asker=asker)
        assert (rest.calls, rest.known) == (estimate.calls - made, made)
        generation.generate(items, recipe, asker=asker)
        assert endpoint.counters.requests == estimate.calls
        (nothing,) = generation.plan(items, [recipe], asker=asker)
        assert (nothing.calls, nothing.known, nothing.tokens_in, nothing.tokens_out) == (0, estimate.calls, 0, 0)
        spent = [row["prompt_tokens"] + row["completion_tokens"] for row in asker.journal.rows()]
    assert rest.tokens_in + rest.tokens_out == pytest.approx(sum(spent) * rest.calls / estimate.calls, rel=0.1)


def test_a_dry_run_counts_equal_calls_once_and_rejected_ones_where_they_are_asked_again(
    endpoint: Endpoint, settings: Settings
) -> None:
    recipe = load_recipe("document_based_qa", draws=1)

    def planned(settings: Settings) -> tuple[int, int]:
        with asking(settings) as asker:
            (estimate,) = generation.plan([PASSAGE, PASSAGE], [recipe], asker=asker)
        return estimate.calls, estimate.known

    assert planned(settings) == (2, 0)
    endpoint.reply = lambda _: "no"
    with asking(settings) as asker, pytest.raises(TooManyFailures):
        generation.generate([PASSAGE], recipe, asker=asker)
    assert planned(settings)[0] == 0
    assert planned(settings.with_(retry_rejected=True))[0] == 2


def planned(asker: Asker, prompt: str = "questions") -> Estimate:
    call = asker.plan(prompt, FIELDS | {"passage": "Bell 1 rings."})
    return DryRun(asker, "r").run(try_ask, [call])


def test_a_dry_run_goes_by_what_the_model_took_for_any_other_prompt(
    journal: Journal, toy_settings: Settings, make_call: Callable[..., Call]
) -> None:
    teacher = Fake()
    asker = teachers.make_asker(toy_settings, journal, teacher=teacher)
    assumed = planned(asker)
    assert (assumed.seconds, assumed.speeds) == (5, (Speed("m", 4),))
    replies = {"exam": (100, 10.0), "worked_example": (10, 12.0)}  # tokens and seconds: 5 tokens a second in all
    for prompt, (tokens, seconds) in replies.items():
        done = Entry(Completion("x", "m", completion_tokens=tokens, latency=seconds))
        journal.put([(teacher, make_call(prompt, prompt=prompt), done)])
    journal.put([(teacher, make_call("f", prompt="exam"), Entry(Completion("", "m", latency=900.0), "failed"))])
    guess = planned(asker)
    assert guess.speeds == (Speed("m", 4, calls=2, tokens=5.0),)
    assert guess.seconds == pytest.approx(guess.tokens_out / 5)
    assert planned(asker, "worked_example").seconds == 12, "where the prompt itself has been answered, that counts"


@pytest.mark.parametrize(
    ("address", "chosen", "in_flight"),
    [
        ("http://127.0.0.1:9/v1", None, 4),
        ("https://api.openai.com/v1", None, 64),
        ("http://127.0.0.1:9/v1", 7, 7),
    ],
)
def test_a_dry_run_assumes_as_many_calls_in_flight_as_a_run_begins_with(
    journal: Journal, toy_settings: Settings, address: str, chosen: int | None, in_flight: int
) -> None:
    there = {"teacher_model_name": "m", "teacher_model_base_url": address, "provider": "openai-compatible"}
    asker = teachers.make_asker(toy_settings.with_(max_concurrency=chosen, **there), journal)
    calls = [plan(asker, number) for number in range(1000)]
    estimate = DryRun(asker, "r").run(try_ask, calls)
    assert [speed.in_flight for speed in estimate.speeds] == [in_flight]
    assert estimate.seconds == pytest.approx(1000 * 5 / in_flight)
