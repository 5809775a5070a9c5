"""The budget of an output folder: no limit is passed, by many calls at a time or in many runs, and nothing is lost."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from endpoint import Endpoint
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ai_tools import teachers
from ai_tools.errors import BudgetReached, SettingsError
from ai_tools.records import Call, Completion, Teacher
from ai_tools.settings import Settings
from ai_tools.teachers.asker import Session
from ai_tools.teachers.budget import SAFE_BYTES_PER_TOKEN, Budget, Limits, tokens_of
from ai_tools.teachers.dry_run import DryRun
from ai_tools.teachers.journal import Journal


@dataclass
class Spender:
    """Takes all that a call may take: as many tokens as are set aside for it."""

    provider: str = "spender"
    model: str = "m"
    base_url: str = "http://127.0.0.1:9"
    own_host: bool = False
    concurrency: int = 16
    taken: list[tuple[int, int]] = field(default_factory=list)

    async def complete(self, call: Call) -> Completion:
        await asyncio.sleep(0.001 * (len(self.taken) % 3))
        self.taken.append((tokens_of(call, SAFE_BYTES_PER_TOKEN), call.max_tokens))
        tokens_in, tokens_out = self.taken[-1]
        text = '{"pairs": [{"question": "When?", "answer": "At noon."}]}'
        return Completion(text, self.model, prompt_tokens=tokens_in, completion_tokens=tokens_out)

    async def close(self) -> None: ...

    @property
    def tokens(self) -> int:
        return sum(map(sum, self.taken))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def settings(toy_settings: Settings, endpoint: Endpoint) -> Settings:
    there = {"teacher_model_name": "any", "teacher_model_base_url": endpoint.url}
    return toy_settings.with_(provider="openai-compatible", teacher_max_tokens=400, max_concurrency=16, **there)


@dataclass
class Outcome:
    results: list[Any]
    error: Exception | None
    rows: list[dict[str, Any]]

    @property
    def tokens(self) -> int:
        return sum(row["prompt_tokens"] + row["completion_tokens"] for row in self.rows)


FIELDS = {"title": "Bells", "section": "", "count": 1, "angle": "facts"}


async def try_ask(call: Call, session: Session) -> Any:
    return await session.try_ask(call)


def run(settings: Settings, count: int, teacher: Teacher | None = None, first: int = 0) -> Outcome:
    """Ask about so many passages, and say what the journal holds then."""
    with Journal(settings.output / "journal.sqlite") as journal:
        asker = teachers.make_asker(settings, journal, teacher=teacher)
        calls = [asker.plan("questions", FIELDS | {"passage": f"Bell {n:04} rings."}) for n in range(first, count)]
        results, error = [], None
        try:
            results = asker.run(try_ask, calls).results
        except (BudgetReached, SettingsError) as caught:
            error = caught
        return Outcome(results, error, [dict(row) for row in journal.rows()])


# --- requests ---


def test_exactly_as_many_requests_are_made_as_may_be_and_every_reply_is_kept(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.latency = 0.02
    stopped = run(settings.with_(max_calls=21), 60)
    assert isinstance(stopped.error, BudgetReached)
    kept = "all finished work is kept; raise the limit to go on"
    assert str(stopped.error) == f"MAX_CALLS=21: 21 requests made; {kept}"
    assert endpoint.counters.requests == endpoint.counters.ok == len(stopped.rows) == 21


def test_a_limit_that_suffices_is_no_limit(endpoint: Endpoint, settings: Settings) -> None:
    assert run(settings.with_(max_calls=20), 20).error is None
    assert endpoint.counters.requests == 20


@pytest.mark.parametrize(
    "behaviour",
    [{"p500": 0.3}, {"p429": 0.3, "retry_after": 0.0}, {"p_malformed": 0.3}, {"p_truncated": 0.3}, {"p_reset": 0.3}],
    ids=lambda options: next(iter(options)),
)
def test_requests_that_came_to_nothing_count_too(
    behaviour: dict[str, float], endpoint: Endpoint, settings: Settings
) -> None:
    for name, value in {"latency": 0.01, **behaviour}.items():
        setattr(endpoint.behaviour, name, value)
    stopped = run(settings.with_(max_calls=30), 60)
    assert isinstance(stopped.error, BudgetReached)
    assert endpoint.counters.requests <= 30
    assert endpoint.counters.ok == sum(row["status"] == "done" for row in stopped.rows)


@pytest.mark.filterwarnings("ignore:127.0.0.1.* refuses")
def test_requests_by_which_an_endpoints_parameters_are_learned_count_too(
    endpoint: Endpoint, settings: Settings
) -> None:
    endpoint.behaviour.refuses, endpoint.behaviour.latency = ("seed", "temperature"), 0.01
    assert isinstance(run(settings.with_(max_calls=20, max_concurrency=4), 60).error, BudgetReached)
    assert endpoint.counters.requests <= 20


def test_earlier_runs_count_and_what_they_made_is_free(endpoint: Endpoint, settings: Settings) -> None:
    run(settings, 5)
    assert run(settings.with_(max_calls=5), 5).error is None
    assert endpoint.counters.requests == 5
    stopped = run(settings.with_(max_calls=8), 20)
    assert str(stopped.error).startswith("MAX_CALLS=8: 8 requests made; ")
    assert (endpoint.counters.requests, len(stopped.rows)) == (8, 8)
    assert run(settings.with_(max_calls=20), 20).error is None
    assert endpoint.counters.requests == 20, "what was kept is not asked again"


def test_attempts_of_earlier_runs_count(endpoint: Endpoint, settings: Settings) -> None:
    endpoint.behaviour.p500 = 1.0
    run(settings.with_(max_retries=1), 2)
    assert endpoint.counters.requests == 4
    endpoint.behaviour.p500 = 0.0
    stopped = run(settings.with_(max_calls=5), 20)
    assert isinstance(stopped.error, BudgetReached)
    assert endpoint.counters.requests == 5


def test_a_teacher_and_a_judge_share_one_budget(endpoint: Endpoint, settings: Settings) -> None:
    with Endpoint(latency=0.01) as other:
        judging = settings.with_(judge_model_name="large", judge_base_url=other.url, max_calls=9)
        with Journal(settings.output / "journal.sqlite") as journal:
            asker = teachers.make_asker(judging, journal, judge=teachers.connect_judge(judging))

            async def chain(number: int, session: Session) -> None:
                passage = {"passage": f"Bell {number} rings."}
                if await session.try_ask(session.plan("questions", FIELDS | passage)):
                    pairs = [{"id": f"p{number}", "question": "Does it ring?", "answer": "Yes."}]
                    await session.try_ask(session.plan("faithfulness", passage | {"pairs": pairs}))

            with pytest.raises(BudgetReached, match="MAX_CALLS=9"):
                asker.run(chain, range(30))
            assert len(journal) == endpoint.counters.ok + other.counters.ok == 9
        assert endpoint.counters.requests + other.counters.requests == 9


# --- tokens and dollars ---


def test_tokens_are_never_passed_by_calls_that_take_all_they_may(settings: Settings) -> None:
    teacher = Spender()
    assert run(settings, 1, teacher).error is None
    (each,) = map(sum, teacher.taken)
    stopped = run(settings.with_(max_tokens_total=10 * each), 40, teacher)
    used = (
        f"MAX_TOKENS_TOTAL={10 * each}: {10 * each:,} tokens used, the next call may take {each:,}; all finished work"
    )
    assert str(stopped.error).startswith(used)
    assert (len(teacher.taken), teacher.tokens, stopped.tokens) == (10, 10 * each, 10 * each)
    short = run(settings.with_(max_tokens_total=12 * each - 1), 40, teacher)
    assert isinstance(short.error, BudgetReached)
    assert len(teacher.taken) == 11


def test_tokens_that_were_set_aside_and_not_used_are_there_for_the_next_call(
    endpoint: Endpoint, settings: Settings
) -> None:
    limit = 8000
    stopped = run(settings.with_(max_tokens_total=limit), 100)
    assert isinstance(stopped.error, BudgetReached)
    assert stopped.tokens <= limit
    assert endpoint.counters.ok == len(stopped.rows)
    most = max(row["prompt_tokens"] for row in stopped.rows) * 2 + 400
    assert stopped.tokens + most > limit, "it stops where the next call could pass the limit, and no sooner"


def test_dollars_are_never_passed_and_earlier_runs_count(settings: Settings) -> None:
    teacher = Spender()
    priced = settings.with_(teacher_price="1,10")
    run(priced, 3, teacher)
    tokens_in, tokens_out = teacher.taken[0]
    each = (tokens_in + 10 * tokens_out) / 1e6
    stopped = run(priced.with_(max_usd=7.5 * each), 40, teacher)
    used = (
        rf"MAX_USD={7.5 * each:g}: ${7 * each:.4f} used, the next call may take ${each:.4f}; all finished work is kept"
    )
    assert str(stopped.error).startswith(used)
    assert len(teacher.taken) == len(stopped.rows) == 7


@pytest.mark.parametrize("judge", [False, True])
def test_a_limit_in_dollars_needs_a_price_before_the_first_request(
    judge: bool, endpoint: Endpoint, settings: Settings
) -> None:
    settings = settings.with_(max_usd=1.0)
    teacher: Teacher = teachers.connect(settings.with_(provider="offline")) if judge else teachers.connect(settings)
    with Journal(settings.output / "journal.sqlite") as journal:
        asker = teachers.make_asker(settings, journal, teacher=teacher, judge=teachers.connect(settings))
        with pytest.raises(SettingsError) as caught:
            asker.run(try_ask, [asker.plan("questions", FIELDS | {"passage": text}) for text in ("One.", "Two.")])
    fix = "set TEACHER_PRICE to dollars for a million tokens in and out, such as 0.15,0.60"
    assert str(caught.value) == f"MAX_USD=1: the price of any is unknown; {fix}"
    assert endpoint.counters.requests == 0


def test_a_price_of_ones_own_or_of_the_table_will_do(endpoint: Endpoint, settings: Settings) -> None:
    assert run(settings.with_(max_usd=1.0, teacher_price="0,0"), 3).error is None
    listed = {"provider": "openai", "teacher_model_name": "gpt-5-nano", "teacher_model_api_key": "sk-k"}
    assert run(settings.with_(max_usd=1.0, **listed), 3).error is None
    assert endpoint.counters.ok == 6


def test_the_offline_teacher_costs_nothing(toy_settings: Settings) -> None:
    assert run(toy_settings.with_(max_usd=0.000001), 3).error is None


def test_calls_of_an_earlier_model_without_a_price_do_not_lift_the_limit(settings: Settings) -> None:
    unpriced, teacher = Spender(), Spender("openai", "gpt-5")
    run(settings, 2, unpriced)
    each = (1.25 * unpriced.taken[0][0] + 10 * unpriced.taken[0][1]) / 1e6
    stopped = run(settings.with_(max_usd=3.5 * each), 40, teacher)
    assert isinstance(stopped.error, BudgetReached | SettingsError)
    assert len(teacher.taken) <= 3


def test_what_is_spent_is_told_as_it_goes_and_unknown_prices_are_not_zero(settings: Settings) -> None:
    def spent(settings: Settings, first: int) -> tuple[int, float | None]:
        seen: list[tuple[int, float | None]] = []
        with Journal(settings.output / "journal.sqlite") as journal:
            watch = lambda progress: seen.append((progress.tokens, progress.usd))  # noqa: E731
            asker = teachers.make_asker(settings, journal, teacher=Spender(), on_progress=watch)
            calls = (asker.plan("questions", FIELDS | {"passage": f"Bell {n}."}) for n in range(first, first + 3))
            asker.run(try_ask, calls)
        return seen[-1]

    tokens, usd = spent(settings.with_(teacher_price="2,2"), 0)
    assert usd == pytest.approx(2 * tokens / 1e6)
    assert usd > 0
    tokens, usd = spent(settings, 10)
    assert tokens > 0
    assert usd is None


def test_a_plan_says_what_it_costs_or_that_nobody_knows(settings: Settings) -> None:
    def planned(settings: Settings) -> float | None:
        with Journal(settings.output / "journal.sqlite") as journal:
            asker = teachers.make_asker(settings, journal, teacher=Spender())
            calls = [asker.plan("questions", FIELDS | {"passage": "A bell rings."})]
            return DryRun(asker, "r").run(try_ask, calls).usd

    assert planned(settings) is None
    known = planned(settings.with_(teacher_price="1,1"))
    assert known is not None
    assert known > 0


# --- the budget by itself ---


def test_tokens_are_reckoned_by_the_bytes_of_what_is_sent(make_call: Callable[..., Call]) -> None:
    plain, accented = ({"role": "user", "content": letter * 400} for letter in "eé")
    assert tokens_of(make_call(messages=(plain,))) == 100
    assert tokens_of(make_call(messages=(plain, accented))) == 300
    assert tokens_of(make_call(messages=(plain,)), SAFE_BYTES_PER_TOKEN) == 160


STEPS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5), st.sampled_from(["done", "failed", "cancelled"])))


@examples(max_examples=100, deadline=None)
@given(steps=STEPS, limit=st.integers(50, 400))
def test_however_calls_end_what_was_set_aside_comes_back_and_the_limit_holds(
    steps: list[tuple[int, int, str]], limit: int
) -> None:
    """Each step is a call: its tokens, the turns of the loop that it takes, and how it ends."""
    budget, teacher = Budget(Limits(max_tokens_total=limit), [], ()), Spender()

    async def one(number: int, tokens: int, turns: int, end: str) -> None:
        call = Call(f"{number:016x}", "questions", "1", (), {}, "pairs", 0.0, tokens)
        await budget.reserve(teacher, call)
        taken = None
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
            if end == "done":
                taken = Completion("", "m", completion_tokens=tokens)
        finally:
            budget.settle(teacher, call, taken)
            assert budget.tokens <= limit

    async def work() -> None:
        tasks = [asyncio.create_task(one(number, *step)) for number, step in enumerate(steps)]
        for _ in range(3):
            await asyncio.sleep(0)
        for task, (_, _, end) in zip(tasks, steps, strict=True):
            if end == "cancelled":
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
        refused = [task for task in tasks if not task.cancelled() and task.exception()]
        assert all(isinstance(task.exception(), BudgetReached) for task in refused)
        assert all(re.match(rf"MAX_TOKENS_TOTAL={limit}: ", str(task.exception())) for task in refused)
        if budget.tokens < limit:
            await asyncio.wait_for(one(len(steps), limit - budget.tokens, 0, "done"), 20)
        assert budget.tokens == limit, "the last token can be used, and no more"

    asyncio.run(work())
