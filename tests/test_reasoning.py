"""`enhance-cot`: reasoning in its own field, with its own pair, and nothing of the pair touched."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asked import at, pairs_of
from endpoint import Endpoint

from ai_tools.errors import NothingProduced, UsageError
from ai_tools.settings import Settings
from ai_tools.tools import EnhanceCotSummary, Run, enhance_cot, enrich
from ai_tools.tools.reasoning import follows, numbered

Row = dict[str, Any]


def pair(n: int, **more: Any) -> Row:
    return {"question": f"When does bell {n} ring?", "answer": f"At {n} o'clock.\n\n[{n}]", "type": "qa"} | more


def reasons(shown: Row, **changes: Any) -> Row:
    steps = [f"It is asked about one bell: {shown['question']}", f"So: {shown['answer']}"]
    return {"id": shown["id"], "steps": steps, "follows": True} | changes


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        says(endpoint, reasons)
        yield endpoint


def says(endpoint: Endpoint, item: Callable[[Row], Row]) -> None:
    def reply(body: Row) -> str:
        items = [item(shown) for shown in pairs_of(body)]
        random.Random(7).shuffle(items)
        return json.dumps({"reasonings": items})

    endpoint.reply = reply


@pytest.fixture
def settings(toy_root: Path, endpoint: Endpoint) -> Settings:
    return at(endpoint)


def enhanced(rows: list[Row], settings: Settings, **options: Any) -> tuple[EnhanceCotSummary, list[Row]]:
    Path("pairs.json").write_text(json.dumps(rows))
    made = enhance_cot(Path("pairs.json"), Path("out.json"), settings, **options)
    return made, json.loads(Path("out.json").read_text("utf-8"))


def test_every_answer_gets_its_own_reasoning_though_replies_are_shuffled(
    settings: Settings, endpoint: Endpoint
) -> None:
    before = [pair(n, source_text="Bells ring by their number.", chunk_id="c", note=[{"n": n}]) for n in range(2, 12)]
    made, rows = enhanced(before, settings)
    for n, (row, old) in enumerate(zip(rows, before, strict=True), 2):
        assert row["reasoning"].startswith(
            f"Step 1: It is asked about one bell: When does bell {n} ring?\nStep 2: So: At {n} "
        )
        assert (row["type"], row["follows"]) == ("cot", True)
        assert {k: v for k, v in row.items() if k not in ("reasoning", "follows")} == old | {"type": "cot"}
    assert (made.reasoned, made.not_following, made.failed) == (10, 0, 0)
    assert len({row["reasoning"] for row in rows}) == 10


def test_a_pair_does_without_a_passage(settings: Settings) -> None:
    made, rows = enhanced([pair(2), pair(3)], settings)
    assert made.reasoned == 2
    assert "source_text" not in rows[0]
    assert [row["grounded"] for row in rows] == [None, None]
    assert [line.partition(" (")[0] for line in made.warnings] == ["2 pairs have no passage"]


@pytest.mark.parametrize("changes", [{"follows": False}, {"steps": ["It rings."]}, {"steps": ["It is 3 o'clock."]}])
def test_an_answer_that_does_not_follow_is_marked_and_kept(
    settings: Settings, endpoint: Endpoint, changes: Row
) -> None:
    says(endpoint, lambda shown: reasons(shown, **changes))
    made, [row] = enhanced([pair(2)], settings)
    assert (row["follows"], row["answer"]) == (False, pair(2)["answer"])
    assert (made.not_following, made.failed) == (1, 0)


@pytest.mark.parametrize("steps", [[], ["", " "], ["1. "]])
def test_reasoning_without_a_step_is_none_and_the_pair_comes_out_as_it_was(
    settings: Settings, endpoint: Endpoint, steps: list[str]
) -> None:
    says(endpoint, lambda shown: reasons(shown, **({"steps": steps} if "bell 2" in shown["question"] else {})))
    made, rows = enhanced([pair(2), pair(3)], settings)
    assert (made.reasoned, made.failed) == (1, 1)
    assert rows[0] == pair(2)


def test_where_no_reasoning_comes_there_is_an_error_and_what_was_there_stays(
    settings: Settings, endpoint: Endpoint
) -> None:
    enhanced([pair(2)], settings)
    before = Path("out.json").read_bytes()
    endpoint.reply = lambda _: "No."
    with pytest.raises(NothingProduced, match="none of 1 pairs got usable reasoning"):
        enhance_cot(Path("pairs.json"), Path("out.json"), at(endpoint, teacher_model_name="other"))
    assert Path("out.json").read_bytes() == before


def test_a_run_that_failed_in_part_is_gone_on_with_without_being_told_to_overwrite(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, lambda shown: reasons(shown, **({"id": "strange"} if "bell 2" in shown["question"] else {})))
    rows = [pair(2, long="x" * 300_000), pair(3)]
    made, _ = enhanced(rows, settings)
    assert made.failed == 1
    endpoint.reset()
    says(endpoint, reasons)
    made = enhance_cot(Path("out.json"), Path("next.json"), at(endpoint, teacher_temperature=0))
    assert (made.already, made.reasoned) == (1, 2)
    made, _ = enhanced(rows, settings)  # the output is known as ours though its beginning does not say so
    assert made.pairs == 2


def test_pairs_with_reasoning_are_left_alone_and_fresh_does_not_show_the_old_one(
    settings: Settings, endpoint: Endpoint
) -> None:
    _, first = enhanced([pair(2)], settings)
    endpoint.reset()
    made, rows = enhanced(first, settings)
    assert (rows, made.already, endpoint.counters.requests) == (first, 1, 0)
    _, rows = enhanced(first, settings, run=Run(fresh=True))
    assert (rows, endpoint.counters.requests) == ([first[0] | {}], 0)
    other = at(endpoint, teacher_model_name="other")
    enhanced(first, other, run=Run(fresh=True))
    assert [set(shown) for shown in pairs_of(endpoint.requests[0].body)] == [{"id", "question", "answer"}]


def test_a_file_whose_first_pairs_had_reasoning_is_its_own_and_not_of_who_worked_on_them_before(
    settings: Settings,
) -> None:
    marks = {"generated_at": "2026", "enrichment_changes": "reworded"}
    rows = [pair(2, **marks, type="cot", reasoning="1. It does."), pair(3, **marks)]
    for _ in range(2):
        made, _ = enhanced(rows, settings)
        assert (made.already, made.reasoned) == (1, 2)
    with pytest.raises(UsageError, match="was not made by this command"):
        enrich(Path("pairs.json"), Path("out.json"), settings)


def test_a_judges_words_on_a_rated_pair_are_not_its_reasoning(settings: Settings) -> None:
    made, [row] = enhanced([pair(2, rating=8, reasoning="Clear.")], settings)
    assert made.already == 0
    assert row["rating_reasoning"] == "Clear."
    assert row["reasoning"].startswith("Step 1: It is asked")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["a", "b"], "Step 1: a\nStep 2: b"),
        (["1. a", "2) b", "Step 3: c"], "Step 1: a\nStep 2: b\nStep 3: c"),
        (["- a", "* b", "\u2022 c"], "Step 1: a\nStep 2: b\nStep 3: c"),
        ([" a ", "", "2. b"], "Step 1: a\nStep 2: b"),
        (["1999: it was built", "24. Dezember ist frei"], "Step 1: 1999: it was built\nStep 2: 24. Dezember ist frei"),
        (["a\n  code", "3.5 metres"], "Step 1: a\n  code\nStep 2: 3.5 metres"),
    ],
)
def test_steps_are_numbered_once_and_a_number_that_is_part_of_one_stays(steps: list[str], expected: str) -> None:
    assert numbered(steps) == expected


@pytest.mark.parametrize(
    ("answer", "reasoning", "says_so", "expected"),
    [
        ("At noon.", "1. It rings at noon.", True, True),
        ("At noon.", "1. It rings at noon.", False, False),
        ("At noon.", "", True, False),
        ("7 days", "1. It takes seven days.", True, True),
        ("7 days", "1. It takes days.", True, False),
        ("Ada Winter", "1. Ada rings.", True, False),
        ("2 bells", "Step 1: Bells ring.\nStep 2: So it is.", True, False),
    ],
)
def test_an_answer_follows_where_it_is_said_so_and_nothing_in_it_comes_from_nowhere(
    answer: str, reasoning: str, says_so: bool, expected: bool
) -> None:
    assert follows(SimpleNamespace(follows=says_so), reasoning, answer) is expected
