"""`curate` and `validate`: what a judge says of pairs, matched by id, added up in code, asked for once."""

import json
import math
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import at, pairs_of
from endpoint import Endpoint

from ai_tools import view
from ai_tools.errors import InputError, NotConfirmed, NothingProduced, UsageError
from ai_tools.settings import Settings, load_settings
from ai_tools.teachers import schemas
from ai_tools.tools import Plan, Run, curate, export, validate

Row = dict[str, Any]
POINTS = {"clarity": 3, "accuracy": 2.5, "usefulness": 1.5, "difficulty": 1}
FRESH = Run(fresh=True)


def pair(n: int, passage: int = 0, **more: Any) -> Row:
    text = f"House {passage}: every bell rings at noon."
    return {
        "question": f"When does bell {n} ring?",
        "answer": f"At noon.\n\n[{n}]",
        "type": "qa",
        "source_text": text,
    } | more


def number_of(shown: Row) -> int:
    return int(re.findall(r"bell (\d+)", shown["question"])[0])


def rating(shown: Row, **changes: Any) -> Row:
    return {"id": shown["id"], "reasoning": f"Bell {number_of(shown)}."} | POINTS | {"grounded": True} | changes


def check(shown: Row, **changes: Any) -> Row:
    scores = {"factual_accuracy": 9, "completeness": 8, "consistency": 10}
    return {"id": shown["id"], "reasoning": "Fine."} | scores | {"verdict": "PASS"} | changes


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        says(endpoint, rating)
        yield endpoint


def says(endpoint: Endpoint, item: Callable[[Row], Row], name: str = "ratings") -> None:
    endpoint.reply = lambda body: json.dumps({name: [item(shown) for shown in pairs_of(body)]})


@pytest.fixture
def settings(toy_root: Path, endpoint: Endpoint) -> Settings:
    return at(endpoint)


def source(rows: list[Row], name: str = "pairs.json") -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows))
    return path


def rows_of(path: Path | str) -> list[Row]:
    return json.loads(Path(path).read_text("utf-8"))  # type: ignore[no-any-return]


def lines_of(path: Path | str) -> list[Row]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").split("\n") if line]


def documents(folder: str, **pairs: list[Row]) -> Path:
    Path(folder).mkdir()
    for name, rows in pairs.items():
        content = {"metadata": {"file_name": name}, "training_pairs": rows, "summary": {"total_qa_pairs": len(rows)}}
        Path(folder, f"{name}_qa.json").write_text(json.dumps(content))
    return Path(folder)


# --- ratings ---


def test_a_rating_is_added_up_in_code_and_all_that_a_pair_held_is_kept(settings: Settings) -> None:
    held = {"chunk_id": "c", "note": {"deep": [None, 1.5]}, "id": "x"}
    made = curate(source([pair(1, **held)]), Path("out.json"), settings)
    [row] = rows_of("out.json")
    assert row | pair(1, **held) == row
    assert row["rating"] == 8.0
    assert list(row)[-9:-3] == ["rating", *POINTS, "grounded"]
    assert {name: row[name] for name in POINTS} == POINTS
    assert (row["grounded"], row["rating_reasoning"], row["rated_by"]) == (True, "Bell 1.", "m")
    assert (made.kept, made.unrated, made.retention, made.rejected) == (1, 0, 1.0, {})
    assert made.histogram == (0,) * 8 + (1, 0, 0)


def test_ratings_are_matched_by_id_whatever_their_order_and_strange_ids_count_for_nothing(
    settings: Settings, endpoint: Endpoint
) -> None:
    def reply(body: Row) -> str:
        items = [rating(shown, difficulty=number_of(shown) / 4) for shown in pairs_of(body)]
        random.Random(len(items)).shuffle(items)
        return json.dumps({"ratings": [*items, items[0] | {"id": "strange", "clarity": 0}]})

    endpoint.reply = reply
    curate(source([pair(n) for n in range(5)]), Path("out.json"), settings, threshold=0)
    rows = rows_of("out.json")
    assert [row["question"] for row in rows] == [pair(n)["question"] for n in range(5)]
    assert [row["rating"] for row in rows] == [7 + n / 4 for n in range(5)]
    assert [row["rating_reasoning"] for row in rows] == [f"Bell {n}." for n in range(5)]


def test_what_a_reply_leaves_out_is_asked_for_once_more_then_unrated_and_never_a_default(
    settings: Settings, endpoint: Endpoint
) -> None:
    def reply(body: Row) -> str:
        return json.dumps({"ratings": [rating(shown) for shown in pairs_of(body) if number_of(shown) != 2]})

    endpoint.reply = reply
    made = curate(source([pair(n) for n in range(4)]), Path("out.json"), settings)
    assert [len(pairs_of(request.body)) for request in endpoint.requests] == [4, 1]
    assert (made.kept, made.unrated, sum(made.histogram)) == (3, 1, 3)
    [fallen] = lines_of(made.rejected_file)
    assert (fallen["check"], fallen["row"]["rating"]) == ("unrated", None)
    assert fallen["row"]["question"] == pair(2)["question"]


def test_of_two_judgements_of_one_pair_the_first_counts(settings: Settings, endpoint: Endpoint) -> None:
    def reply(body: Row) -> str:
        rows = [rating(shown) for shown in pairs_of(body)]
        twice = [rating(shown, clarity=1 if number_of(shown) == 2 else 3) for shown in pairs_of(body)]
        return json.dumps({"ratings": rows + twice})

    endpoint.reply = reply
    made = curate(source([pair(n) for n in range(4)]), Path("out.json"), settings)
    assert (made.kept, made.unrated) == (4, 0)
    assert [row["clarity"] for row in rows_of("out.json")] == [3, 3, 3, 3]
    assert endpoint.counters.requests == 1


def test_pairs_are_shown_under_short_ids_that_the_schema_lists(settings: Settings, endpoint: Endpoint) -> None:
    curate(source([pair(n) for n in range(3)]), Path("out.json"), settings)
    (request,) = endpoint.requests
    ids = [shown["id"] for shown in pairs_of(request.body)]
    ratings = request.body["response_format"]["json_schema"]["schema"]["properties"]["ratings"]
    points = ratings["items"]["properties"]
    assert ids == points["id"]["enum"] == ["p1", "p2", "p3"]
    assert (ratings["minItems"], ratings["maxItems"]) == (3, 3)
    assert points["difficulty"] == {"type": "number", "enum": [2, 1.5, 1, 0.5, 0]}


@pytest.mark.parametrize(
    "bad",
    [
        {"clarity": 5},
        {"clarity": "high"},
        {"clarity": None},
        {"grounded": "perhaps"},
        {"difficulty": -1},
        {"accuracy": math.nan},
    ],
)
def test_a_judgement_that_cannot_be_read_is_asked_for_again_and_scores_nothing(
    settings: Settings, endpoint: Endpoint, bad: Row
) -> None:
    says(endpoint, lambda shown: rating(shown, **bad))
    with pytest.raises(NothingProduced, match="none could be rated"):
        curate(source([pair(1)]), Path("out.json"), settings)
    assert endpoint.counters.requests == 2
    assert not Path("out.json").exists()
    assert [row["check"] for row in lines_of("out_rejected.jsonl")] == ["unrated"]


def test_one_pair_that_spoils_a_reply_costs_no_other_of_its_batch(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: (
        "I cannot."
        if 3 in map(number_of, pairs_of(body))
        else json.dumps({"ratings": [rating(s) for s in pairs_of(body)]})
    )
    made = curate(source([pair(n) for n in range(5)]), Path("out.json"), settings)
    assert (made.kept, made.unrated) == (4, 1)


@pytest.mark.parametrize("frame", ["<think>\nLet me see {{}}.\n</think>\n{}", "```json\n{}\n```", "As in [1]: {}"])
def test_a_judgement_behind_thoughts_or_citations_is_read(settings: Settings, endpoint: Endpoint, frame: str) -> None:
    endpoint.reply = lambda body: frame.replace("{{}}", "{ }").replace(
        "{}", json.dumps({"ratings": [rating(shown) for shown in pairs_of(body)]})
    )
    assert curate(source([pair(1)]), Path("out.json"), settings).kept == 1


def test_what_is_not_grounded_is_rejected_however_many_points_it_has(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, lambda shown: rating(shown, grounded=number_of(shown) != 1))
    made = curate(source([pair(n) for n in range(3)]), Path("out.json"), settings, threshold=0)
    assert (made.kept, made.rejected) == (2, {"grounded": 1})
    [fallen] = lines_of(made.rejected_file)
    assert (fallen["check"], fallen["row"]["rating"]) == ("grounded", 8.0)
    assert "Bell 1." in fallen["reason"]


def test_true_is_the_good_case_of_every_judgement_and_good_verdicts_come_first() -> None:
    assert schemas.shape("ratings", {}).count("true") == 1
    assert '"grounded": true' in schemas.shape("ratings", {})
    assert '"verdict": "PASS | NEEDS_REVIEW | FAIL"' in schemas.shape("fact_checks", {})


def test_the_passage_goes_out_as_it_is_with_all_its_pairs_though_rows_are_shuffled(
    settings: Settings, endpoint: Endpoint
) -> None:
    text = "Bells:\r\n\n```py\nring({'n': [1]})\n```\n\t\N{BELL} \u2028 {braces} [1]"
    rows = [pair(n, n % 3) | ({"source_text": text} if n % 3 == 0 else {}) for n in range(12)]
    made = curate(source(rows), Path("out.jsonl"), settings, batch_size=4)
    assert [row["question"] for row in lines_of("out.jsonl")] == [row["question"] for row in rows]
    assert sorted(len(pairs_of(request.body)) for request in endpoint.requests) == [4, 4, 4]
    assert sum(text in request.body["messages"][1]["content"] for request in endpoint.requests) == 1
    assert made.kept == 12


def test_equal_pairs_are_asked_about_once_and_those_of_another_passage_apart(
    settings: Settings, endpoint: Endpoint
) -> None:
    rows = [pair(1), pair(1), pair(1, 7), pair(1)]
    made = curate(source(rows), Path("out.json"), settings)
    assert made.kept == 4
    assert sorted(len(pairs_of(request.body)) for request in endpoint.requests) == [1, 1]


# --- once rated ---


def test_another_threshold_asks_nothing_and_shows_what_it_keeps(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, lambda shown: rating(shown, difficulty=number_of(shown) / 10, usefulness=0))
    path = source([pair(n) for n in range(20)])
    first = curate(path, Path("out.json"), settings, threshold=0)
    asked = endpoint.counters.requests
    second = curate(path, Path("out.json"), settings, threshold=6.5)
    third = curate(Path("out.json"), Path("best.json"), settings, threshold=7)
    assert endpoint.counters.requests == asked
    assert (first.kept, second.kept, third.kept) == (20, 10, 5)
    assert (second.retention, third.already) == (0.5, 10)
    assert [row["rating"] for row in rows_of("best.json")] == [7.0, 7.1, 7.2, 7.3, 7.4]
    lines = view.rating_lines(second.histogram, second.threshold)
    assert [line.split()[-1] for line in lines[3:6]] == ["5", "10", "5"]
    view.rating_plot(second.histogram, second.threshold, second.retention).save(Path("ratings.svg"))
    assert Path("ratings.svg").stat().st_size > 1000


def test_rated_data_is_read_again_as_what_it_is_and_rated_anew_only_where_it_changed(
    settings: Settings, endpoint: Endpoint
) -> None:
    reasoned = pair(2, type="cot", reasoning="1. All bells ring at noon.")
    curate(source([pair(1), reasoned, pair(3)]), Path("out.json"), settings)
    first = rows_of("out.json")
    assert [row["type"] for row in first] == ["qa", "cot", "qa"]
    assert first[1]["reasoning"] == reasoned["reasoning"]
    endpoint.reset()
    made = curate(source([first[0], first[1], first[2] | {"answer": "At dusk."}]), Path("again.json"), settings)
    assert made.already == 2
    [request] = endpoint.requests
    assert [shown["answer"] for shown in pairs_of(request.body)] == ["At dusk."]
    assert rows_of("again.json")[:2] == first[:2]
    export(Path("again.json"), Path("chat.jsonl"), reasoning="field", fmt="sharegpt")
    assert [row.get("reasoning") for row in lines_of("chat.jsonl")] == ["", reasoned["reasoning"], ""]


@pytest.mark.parametrize("theirs", [{"rating": 9}, {"rating": 9, "reasoning": "Nice."}, {"rating": "good"}])
def test_a_rating_of_another_tool_is_not_taken_for_ours(settings: Settings, endpoint: Endpoint, theirs: Row) -> None:
    curate(source([pair(1, **theirs)]), Path("out.json"), settings)
    [row] = rows_of("out.json")
    assert (endpoint.counters.requests, row["rating"], row["rating_reasoning"]) == (1, 8.0, "Bell 1.")
    assert "reasoning" not in row


def test_a_total_that_somebody_edited_is_added_up_again(settings: Settings) -> None:
    curate(source([pair(1)]), Path("out.json"), settings)
    [row] = rows_of("out.json")
    made = curate(source([row | {"rating": 10}], "edited.json"), Path("again.json"), settings, threshold=8)
    assert (made.already, rows_of("again.json")[0]["rating"]) == (1, 8.0)


def test_fresh_rates_anew_what_was_rated_and_a_failure_leaves_no_old_rating(
    settings: Settings, endpoint: Endpoint
) -> None:
    curate(source([pair(1), pair(2, 2)]), Path("out.json"), settings)
    other = at(endpoint, judge_model_name="other")
    endpoint.reply = lambda body: (
        "No." if number_of(pairs_of(body)[0]) == 2 else json.dumps({"ratings": [rating(pairs_of(body)[0], clarity=2)]})
    )
    made = curate(Path("out.json"), Path("again.json"), other, run=FRESH)
    assert (made.already, made.unrated, [row["rating"] for row in rows_of("again.json")]) == (0, 1, [7.0])
    [fallen] = lines_of(made.rejected_file)
    assert fallen["row"] == pair(2, 2) | {"rating": None}


def test_the_settings_of_the_judge_are_those_that_are_used(toy_root: Path, endpoint: Endpoint) -> None:
    with Endpoint(keys=("judge-key",)) as judge:
        says(judge, rating)
        settings = at(
            endpoint, judge_model_name="j", judge_base_url=judge.url, judge_api_key="judge-key",
            teacher_max_tokens=77, teacher_temperature=0.9,
        )  # fmt: skip
        made = curate(source([pair(1)]), Path("out.json"), settings)
        says(judge, check, "checks")
        validate(Path("pairs.json"), Path("report.json"), settings)
        assert not endpoint.requests
        for request in judge.requests:
            assert (request.body["model"], request.body["max_tokens"], request.body["temperature"]) == ("j", 77, 0)
    assert made.teacher.startswith("openai-compatible, j, ")
    assert rows_of("out.json")[0]["rated_by"] == "j"


def test_the_key_of_a_teacher_who_is_not_asked_is_not_needed(toy_root: Path, endpoint: Endpoint) -> None:
    settings = load_settings(provider="openai", judge_model_name="j", judge_base_url=endpoint.url)
    assert curate(source([pair(1)]), Path("out.json"), settings).kept == 1
    says(endpoint, check, "checks")
    assert validate(Path("pairs.json"), Path("report.json"), settings).verdicts["PASS"] == 1


def test_the_topic_reaches_the_judge(settings: Settings, endpoint: Endpoint) -> None:
    curate(source([pair(1)]), Path("out.json"), settings, topic="campanology")
    assert "Topic: campanology\n" in endpoint.requests[0].body["messages"][1]["content"]


# --- what is asked for cannot be, and what comes to nothing ---


@pytest.mark.parametrize("threshold", [-0.1, 10.1, math.nan, math.inf])
def test_a_threshold_out_of_range_is_refused_before_anything_is_asked(
    settings: Settings, endpoint: Endpoint, threshold: float
) -> None:
    path = source([pair(1)])
    with pytest.raises(UsageError, match="--threshold"):
        curate(path, Path("out.json"), settings, threshold=threshold)
    with pytest.raises(UsageError, match="--filter-threshold"):
        validate(path, Path("report.json"), settings, filter_threshold=threshold)
    assert not endpoint.requests


def test_a_batch_of_none_is_refused_and_leaves_nothing_behind(settings: Settings, endpoint: Endpoint) -> None:
    with pytest.raises(UsageError, match="--batch-size 0"):
        curate(source([pair(1)]), Path("new/out"), settings, batch_size=0)
    assert not endpoint.requests
    assert not Path("new").exists()


def test_a_provider_without_a_key_is_said_before_anything_is_read(toy_root: Path) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        curate(Path("none.json"), Path("out.json"), load_settings(provider="openai"))


def test_where_nothing_is_kept_what_was_there_stays_and_the_rejected_say_why(
    settings: Settings, endpoint: Endpoint
) -> None:
    path = source([pair(n) for n in range(3)])
    curate(path, Path("out.json"), settings)
    before = Path("out.json").read_bytes()
    with pytest.raises(NothingProduced, match=r"no pair of 3 is kept at 9\.5") as error:
        curate(path, Path("out.json"), settings, threshold=9.5)
    assert error.value.exit_code == 1
    assert Path("out.json").read_bytes() == before
    assert [row["check"] for row in lines_of("out_rejected.jsonl")] == ["rating"] * 3


def test_pairs_without_a_passage_get_it_from_the_source_or_are_judged_by_themselves_which_is_said_once(
    settings: Settings, endpoint: Endpoint
) -> None:
    Path("chunks.jsonl").write_text(json.dumps({"chunk_id": "c1", "text": "Every bell rings at noon."}) + "\n")
    bare = {"answer": "At noon.", "source": "bells.md"}
    path = source([bare | {"question": f"When does bell {n} ring?", "chunk_id": f"c{n}"} for n in (1, 2)])
    with pytest.raises(InputError, match=r"none of the 2 pairs has its passage.*--source"):
        validate(path, Path("report.json"), settings)
    made = curate(path, Path("out.json"), settings, passages_from="chunks.jsonl")
    assert (made.kept, made.unrated, made.causes) == (2, 0, ())
    assert [line.partition(" (")[0] for line in made.warnings] == ["1 pairs have no passage"]
    first, second = rows_of("out.json")
    assert (first["source_text"], first["grounded"]) == ("Every bell rings at noon.", True)
    assert "source_text" not in second
    assert (second["rating"], second["grounded"]) == (8.0, None)
    asked = [request.body["messages"][1]["content"] for request in endpoint.requests]
    assert sorted("<passage>" in one for one in asked) == [False, True]
    assert curate(Path("out.json"), Path("again.json"), settings).already == 2
    Path("chunks.jsonl").write_text(json.dumps({"chunk_id": "c2", "text": "Every bell rings at noon."}) + "\n")
    assert curate(Path("out.json"), Path("again.json"), settings, passages_from="chunks.jsonl").already == 1
    assert [row["grounded"] for row in rows_of("again.json")] == [True, True]


def test_a_judge_cannot_reject_what_it_has_no_passage_for_as_not_grounded(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, lambda shown: rating(shown, grounded=False))
    made = curate(source([{"question": "When does bell 1 ring?", "answer": "At noon."}]), Path("out.json"), settings)
    assert (made.kept, rows_of("out.json")[0]["grounded"]) == (1, None)


def test_the_offline_teacher_rates_pairs_without_a_passage_and_speaks_of_none(toy_root: Path) -> None:
    pairs = [
        {"question": "When does bell 1 of the harbour ring?", "answer": "At noon.", "chunk_id": 3, "source": "b.md"}
    ]
    curate(source(pairs), Path("out.json"), load_settings(provider="offline"), threshold=5)
    [row] = rows_of("out.json")
    assert (row["grounded"], row["chunk_id"], row["source"]) == (None, 3, "b.md")
    assert "passage" not in row["rating_reasoning"]


def test_a_passage_is_found_by_its_place_and_a_place_that_is_none_finds_nothing(settings: Settings) -> None:
    row = {"text": "Every bell rings at noon.", "file": "bells.md", "start": 7}
    Path("chunks.jsonl").write_text(json.dumps(row) + "\n")
    places = [7, 7.0, [7], {"of": 7}, None, "7", math.nan]
    bare = [{"question": f"When does bell {n} ring?", "answer": "At noon."} for n in range(len(places))]
    told = [{"source_file": "bells.md", "chunk_start": place} for place in places]
    path = source([one | about for one, about in zip(bare, told, strict=True)])
    made = curate(path, Path("out.json"), settings, passages_from="chunks.jsonl")
    assert (made.kept, made.unrated) == (7, 0)
    assert [number_of(row) for row in rows_of("out.json") if row["grounded"]] == [0, 1]


def test_a_folder_is_curated_file_by_file_and_again_at_another_threshold(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, lambda shown: rating(shown, difficulty=0 if number_of(shown) == 2 else 2))
    folder = documents("docs_qa", a=[pair(1), pair(2)], b=[pair(2, 2)], c=[])
    curate(folder, Path("good"), settings, threshold=8)
    assert {path.name for path in Path("good").iterdir()} == {
        "a_qa.json", "b_qa.json", "c_qa.json", "rejected.jsonl"
    }  # fmt: skip
    kept = {path.name: rows_of(path) for path in Path("good").glob("*_qa.json")}
    assert kept["a_qa.json"]["metadata"] == {"file_name": "a"}  # type: ignore[call-overload]
    assert [len(one["training_pairs"]) for one in kept.values()] == [  # type: ignore[call-overload]
        one["summary"]["total_qa_pairs"] for one in kept.values()  # type: ignore[call-overload]
    ]  # fmt: skip
    asked = endpoint.counters.requests
    assert curate(folder, Path("good"), settings, threshold=0).kept == 3  # files without a pair are no obstacle
    assert endpoint.counters.requests == asked


def test_a_plan_counts_the_calls_and_changes_nothing(settings: Settings, endpoint: Endpoint) -> None:
    plans: list[Plan] = []

    def refuses(plan: Plan) -> bool:
        plans.append(plan)
        return False

    folder = documents("docs_qa", a=[pair(n) for n in range(12)])
    with pytest.raises(NotConfirmed):
        curate(folder, Path("good"), settings, run=Run(confirm=refuses))
    assert plans[0].estimates[0].calls == 3
    assert not Path("good").exists()
    assert not endpoint.requests


# --- fact checks ---


def test_a_report_has_scores_means_and_a_verdict_for_every_pair_in_order(
    settings: Settings, endpoint: Endpoint
) -> None:
    verdicts = ["PASS", "NEEDS_REVIEW", "FAIL", "PASS"]
    says(
        endpoint,
        lambda shown: check(
            shown, verdict=verdicts[number_of(shown)], completeness=0 if number_of(shown) == 3 else 8
        ),
        "checks",
    )  # fmt: skip
    path = source([pair(n, chunk_id=f"c{n}") for n in range(4)])
    made = validate(path, Path("report.json"), settings, filtered_output=Path("good.jsonl"))
    report: Row = json.loads(Path("report.json").read_text())
    assert [row["question"] for row in report["checks"]] == [pair(n)["question"] for n in range(4)]
    assert [row["verdict"] for row in report["checks"]] == ["PASS", "NEEDS_REVIEW", "FAIL", "NEEDS_REVIEW"]
    assert [row["overall"] for row in report["checks"]] == [9, 9, 9, 6.33]
    assert report["summary"]["verdicts"] == {"PASS": 1, "NEEDS_REVIEW": 2, "FAIL": 1, "unchecked": 0}
    assert report["summary"]["means"] == made.means
    assert made.means == {"factual_accuracy": 9, "completeness": 6, "consistency": 10, "overall": 8.33}
    assert [number_of(row) for row in lines_of("good.jsonl")] == [0, 1]
    assert made.kept == 2


def test_another_threshold_sorts_the_checked_anew_without_a_call(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, check, "checks")
    path, good = source([pair(1)]), Path("good.json")
    validate(path, Path("report.json"), settings, threshold=9.5, filter_threshold=0, filtered_output=good)
    assert rows_of(good)[0]["fact_check"]["verdict"] == "NEEDS_REVIEW"
    made = validate(good, Path("again.json"), settings, threshold=5)
    assert (made.already, made.verdicts["PASS"], endpoint.counters.requests) == (1, 1, 1)
    foreign = pair(1, fact_check={"verdict": "pass", "overall": "9"} | dict.fromkeys(("consistency",), 3))
    assert validate(source([foreign]), Path("again.json"), settings).already == 0


def test_a_report_of_nothing_is_none_and_the_one_before_stays(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, check, "checks")
    path = source([pair(1)])
    validate(path, Path("report.json"), settings)
    before = Path("report.json").read_bytes()
    endpoint.reply = lambda _: "No."
    with pytest.raises(NothingProduced, match="none of 1 pairs could be checked"):
        validate(path, Path("report.json"), at(endpoint, judge_model_name="other"))
    assert Path("report.json").read_bytes() == before
    with pytest.raises(NothingProduced, match=r"no pair of 1 reaches 9\.5"):
        validate(path, Path("report.json"), settings, filtered_output=Path("good.json"), filter_threshold=9.5)
    assert not Path("good.json").exists()


def test_a_report_and_the_pairs_that_stand_the_check_are_two_files(settings: Settings) -> None:
    path = source([pair(1)])
    for output, filtered in (("a.json", "a.json"), ("a.json", "pairs.json"), ("pairs.json", None), ("a.jsonl", None)):
        with pytest.raises(UsageError):
            validate(path, Path(output), settings, filtered_output=Path(filtered) if filtered else None)
    assert rows_of(path) == [pair(1)]
