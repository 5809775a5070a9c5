"""`compare`: two sources of pairs side by side, judged blind and in both orders, and never decided by default."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import at, pairs_of
from endpoint import Endpoint
from outside import ai_tools, error_of
from outside import at as environment_at

from ai_tools.errors import InputError, NotConfirmed, NothingProduced, UsageError
from ai_tools.settings import Settings, load_settings
from ai_tools.tools import CompareSummary, Plan, Run, compare, curate
from ai_tools.tools.figures import kind_of
from ai_tools.tools.preferences import Tally, wilson

Row = dict[str, Any]
GOOD, BAD = "good", "bad"


def pair(n: int, answer: str = GOOD, **more: Any) -> Row:
    question = more.pop("question", f"When does bell {n} ring?")
    passage = more.pop("passage", n % 7)
    text = f"House {passage}: every bell rings at noon."
    return {"question": question, "answer": f"{answer} {n}", "type": "qa", "source_text": text} | more


def bodies(endpoint: Endpoint) -> list[Row]:
    """The requests that show pairs side by side; others show those of one source, to be rated."""
    return [request.body for request in endpoint.requests if "first" in pairs_of(request.body)[0]]


def by_answer(item: Row) -> str:
    """A judge who prefers what says `good`."""
    ranks = [item[side]["answer"].startswith(GOOD) for side in ("first", "second")]
    return "neither" if ranks[0] == ranks[1] else "first" if ranks[0] else "second"


def says(endpoint: Endpoint, better: Callable[[Row], str | None]) -> None:
    """The judge decides so; None leaves the comparison out of the reply. A pair by itself gets 8 points or 5."""

    def points(one: Row) -> Row:
        is_good = one["answer"].startswith(GOOD)
        given = {"clarity": 3, "accuracy": 3 if is_good else 1, "usefulness": 2 if is_good else 1, "difficulty": 0}
        return {"id": one["id"], "reasoning": "So.", "grounded": True} | given

    def reply(body: Row) -> str:
        if "first" not in pairs_of(body)[0]:
            return json.dumps({"ratings": [points(one) for one in pairs_of(body)]})
        said = [{"id": one["id"], "reasoning": "So.", "better": better(one)} for one in pairs_of(body)]
        return json.dumps({"preferences": [one for one in said if one["better"]]})

    endpoint.reply = reply


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        says(endpoint, by_answer)
        yield endpoint


@pytest.fixture
def settings(toy_root: Path, endpoint: Endpoint) -> Settings:
    return at(endpoint, seed=3)


def written(name: str, rows: list[Row]) -> Path:
    Path(name).write_text(json.dumps(rows))
    return Path(name)


def compared(settings: Settings, *sources: list[Row], **options: Any) -> tuple[CompareSummary, Row]:
    paths = [written(f"{name}.json", rows) for name, rows in zip("abcd", sources, strict=False)]
    made = compare(paths, Path("report.json"), settings, **options)
    return made, json.loads(Path("report.json").read_text("utf-8"))


def many(answer: str, count: int = 40) -> list[Row]:
    return [pair(n, answer) for n in range(count)]


def test_the_source_that_is_preferred_in_both_orders_wins_with_its_numbers(settings: Settings) -> None:
    made, report = compared(settings, many(BAD), many(GOOD), sample_size=30)
    assert (made.winner, made.verdict, made.unjudged) == ("b.json", "b.json is the better material", 0)
    assert report["preferences"][0]["preferred"] == {"a.json": 0, "b.json": 30}
    assert "b.json is preferred to a.json in 30 of 30" in made.reasons[0]
    assert "p = 1.9e-09" in made.reasons[0]
    assert report["preferences"][0]["order_agreement"] == 1
    assert report["preferences"][0]["share_of_the_first"]["interval"][1] == pytest.approx(0.1135, abs=1e-4)


def test_a_judge_who_goes_by_the_order_decides_nothing(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, lambda _: "first")
    made, report = compared(settings, many(BAD), many(GOOD), sample_size=20)
    assert (made.winner, made.verdict) == (None, "no clear winner")
    assert report["preferences"][0]["by_order"] == 20
    assert report["preferences"][0]["order_agreement"] == 0


def test_a_small_lead_is_no_win(settings: Settings) -> None:
    first = [pair(n, GOOD if n < 4 else BAD) for n in range(9)]
    second = [pair(n, BAD if n < 4 else GOOD) for n in range(9)]
    made, report = compared(settings, first, second, sample_size=9)
    assert report["preferences"][0]["preferred"] == {"a.json": 4, "b.json": 5}
    assert made.verdict == "no clear winner"


def test_who_judges_is_never_told_the_sources_and_sees_each_side_first_once(
    settings: Settings, endpoint: Endpoint
) -> None:
    compared(settings, many(BAD), many(GOOD), sample_size=20)
    seen: dict[frozenset[str], list[str]] = {}
    for body in bodies(endpoint):
        assert "a.json" not in json.dumps(body)
        for item in pairs_of(body):
            sides = [item["first"]["answer"], item["second"]["answer"]]
            seen.setdefault(frozenset(sides), []).append(sides[0])
    assert len(seen) == 20
    assert all(len(set(firsts)) == len(firsts) == 2 for firsts in seen.values())
    opened = [firsts[0].split()[0] for firsts in seen.values()]
    assert 3 <= opened.count(GOOD) <= 17  # neither source is always the first to be read


def test_both_orders_of_a_comparison_are_never_in_one_call(settings: Settings, endpoint: Endpoint) -> None:
    compared(settings, many(BAD), many(GOOD), sample_size=20)
    for body in bodies(endpoint):
        shown = [frozenset([item["first"]["answer"], item["second"]["answer"]]) for item in pairs_of(body)]
        assert len(shown) == len(set(shown))


def test_pairs_with_the_same_question_of_the_same_passage_are_set_side_by_side(settings: Settings) -> None:
    _, report = compared(settings, many(BAD), list(reversed(many(GOOD))), sample_size=40)
    assert len(report["judgements"]) == 40
    assert {one["same"] for one in report["judgements"]} == {"question"}
    for one in report["judgements"]:
        assert one["pairs"]["a.json"]["question"] == one["pairs"]["b.json"]["question"]


def test_other_questions_are_compared_within_a_passage_and_spread_over_passages(settings: Settings) -> None:
    others = [pair(n, GOOD, question=f"Where is bell {n} of the house?") for n in range(40)]
    _, report = compared(settings, many(BAD), others, sample_size=7)
    assert [one["same"] for one in report["judgements"]] == ["passage"] * 7
    passages = {int(one["pairs"]["a.json"]["answer"].split()[1]) % 7 for one in report["judgements"]}
    assert len(passages) == 7


def test_pairs_without_a_common_passage_are_compared_all_the_same(settings: Settings) -> None:
    others = [pair(n, GOOD, question=f"Where is lamp {n}?", passage=100 + n) for n in range(5)]
    made, report = compared(settings, many(BAD, 5), others, sample_size=5)
    assert [one["same"] for one in report["judgements"]] == ["nothing"] * 5
    assert report["preferences"][0]["preferred"] == {"a.json": 0, "b.json": 5}
    assert made.winner is None  # five of five are too few: p is 0.0625


def test_what_both_hold_is_not_judged(settings: Settings, endpoint: Endpoint) -> None:
    made, report = compared(settings, [pair(1), pair(2, BAD)], [pair(1), pair(2, GOOD)])
    assert [one["pairs"]["a.json"]["answer"] for one in report["judgements"]] == ["bad 2"]
    assert report["merge"] | {"near_duplicates": None} == {
        "pairs": 4,
        "distinct": 3,
        "exact_duplicates": 1,
        "near_duplicates": None,
        "passages": 2,
        "only_in": {"a.json": 1, "b.json": 1},
    }
    assert "merged: 3 distinct pairs of 4, on 2 passages" in made.reasons[-1]


@pytest.mark.parametrize(
    ("second", "reason"),
    [([1, 2], "they hold the same pairs"), ([1, 2, 3], "all pairs of a.json are in b.json")],
)
def test_equal_sources_need_no_judge_and_have_no_winner(
    settings: Settings, endpoint: Endpoint, second: list[int], reason: str
) -> None:
    made, report = compared(settings, [pair(1), pair(2)], [pair(n) for n in second])
    assert (made.winner, bodies(endpoint)) == (None, [])
    assert reason in made.reasons[0]
    assert report["judgements"] == []


def test_without_a_reply_in_one_order_a_comparison_is_unjudged_and_the_exit_code_says_so(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, lambda item: None if item["first"]["answer"] in ("good 3", "bad 5") else by_answer(item))
    made, report = compared(settings, many(BAD, 12), many(GOOD, 12), sample_size=12)
    assert made.unjudged == 2
    assert report["preferences"][0]["unjudged"] == 2
    assert [one["preferred"] for one in report["judgements"]].count("unjudged") == 2
    assert "2 without a usable judgement" in made.reasons[1]
    done = ai_tools(
        "compare", "a.json", "b.json", "-o", "again.json", "--yes", **environment_at(endpoint.url), SEED="3"
    )
    assert done.returncode == 1
    assert "2 comparisons or ratings failed" in error_of(done)


def test_a_pair_that_gets_no_rating_is_told_and_the_exit_code_says_so(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, by_answer)
    judged, unusable = endpoint.reply, json.dumps({"ratings": []})
    endpoint.reply = lambda body: judged(body) if "first" in pairs_of(body)[0] else unusable
    made, report = compared(settings, many(BAD, 3), many(GOOD, 3), sample_size=3)
    assert (made.unjudged, made.unrated) == (0, 6)
    assert [one["rated"] for one in report["assessments"].values()] == [0, 0]
    done = ai_tools("compare", "a.json", "b.json", "-o", "c.json", "--yes", **environment_at(endpoint.url), SEED="3")
    assert done.returncode == 1
    assert "6 comparisons or ratings failed" in error_of(done)


def test_where_no_comparison_could_be_judged_there_is_no_report(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.reply = lambda _: "I cannot."
    with pytest.raises(NothingProduced, match="none of 5 comparisons could be judged"):
        compared(settings, many(BAD, 5), many(GOOD, 5))
    assert not Path("report.json").exists()


def test_the_sample_depends_on_the_seed_alone(settings: Settings) -> None:
    def drawn(seed: int) -> list[str]:
        _, report = compared(settings.with_(seed=seed), many(BAD), many(GOOD), sample_size=5)
        return [one["pairs"]["a.json"]["question"] for one in report["judgements"]]

    assert drawn(1) == drawn(1) != drawn(2)


def test_the_plan_is_exact_and_a_second_run_asks_nothing(settings: Settings, endpoint: Endpoint) -> None:
    plans: list[Plan] = []

    def look(plan: Plan) -> bool:
        plans.append(plan)
        return False

    with pytest.raises(NotConfirmed):
        compared(settings, many(BAD), many(GOOD), sample_size=23, run=Run(confirm=look))
    assert bodies(endpoint) == []
    made, _ = compared(settings, many(BAD), many(GOOD), sample_size=23)
    assert made.asked.calls == len(endpoint.requests) == plans[0].estimates[0].calls
    assert len(bodies(endpoint)) == 10
    again, _ = compared(settings, many(BAD), many(GOOD), sample_size=23)
    assert (again.asked.calls, again.asked.from_journal, again.verdict) == (0, made.asked.calls, made.verdict)


def test_each_source_has_a_score_of_ten_with_strengths_and_weaknesses_and_one_is_recommended(
    settings: Settings, endpoint: Endpoint
) -> None:
    made, report = compared(settings, many(BAD), many(GOOD, 30), sample_size=20)
    worse, better = (report["assessments"][name] for name in ("a.json", "b.json"))
    assert (worse["score"], better["score"], worse["rated"]) == (5, 8, 20)
    assert better["interval"] == [8, 8]
    assert worse["weaknesses"][0] == "answers that are not right or not complete (accuracy 1.0 of 3)"
    assert {"worth knowing (usefulness 2.0 of 2)", "nothing without a source"} <= {*better["strengths"]}
    assert better["weaknesses"][0] == "easy to answer (difficulty 0.0 of 2)"
    advice = report["recommendation"]
    assert (advice["take"], advice["weights"]) == ("b.json", {"quality": 0.5, "diversity": 0.3, "size": 0.2})
    assert advice["weighed"]["a.json"]["size"] == 1
    assert advice["weighed"]["b.json"] | {"diversity": 0, "total": 0} == {
        "quality": 0.8, "diversity": 0, "size": 0.75, "total": 0
    }  # fmt: skip
    assert made.reasons[-2].startswith("recommended: b.json (quality 0.80, ")
    assert "a.json: score 5 of 10 (95% interval 5 to 5, 20 rated); strengths: clear questions" in made.reasons[-4]
    asked = [len(pairs_of(request.body)) for request in endpoint.requests if request.body not in bodies(endpoint)]
    assert sum(asked) == 40


def test_the_offline_teacher_gives_scores_too_and_rated_pairs_keep_theirs(toy_root: Path) -> None:
    settings = load_settings(provider="offline")
    texts = [f"The {name} of the harbour rings at noon." for name in ("bell", "horn", "siren")]
    first = [pair(n, question=f"When does {text[:-15]} ring?", source_text=text) for n, text in enumerate(texts)]
    paths = [written("a.json", first), written("b.json", [row | {"answer": "at noon"} for row in first])]
    made = compare(paths, Path("report.md"), settings)
    assert 1 <= made.assessments["a.json"]["score"] < made.assessments["b.json"]["score"] <= 10
    assert made.recommendation["take"] == "b.json"
    assert "\n- recommended: b.json (" in Path("report.md").read_text("utf-8")
    curate(Path("b.json"), Path("c.json"), settings, threshold=0)
    again = compare(["a.json", "c.json"], Path("again.json"), settings)
    assert again.assessments["c.json"] == made.assessments["b.json"]


def test_without_a_score_of_every_source_diversity_and_size_are_weighed_alone(settings: Settings) -> None:
    made, report = compared(settings, many(BAD, 10), [*many(GOOD, 20), *many(GOOD, 20)], sample_size=0)
    assert report["assessments"]["a.json"]["score"] is None
    assert "b.json: not rated; strengths: none found; weaknesses: 50% stand there twice" in made.reasons[-3]
    assert {*report["recommendation"]["weights"]} == {"diversity", "size"}


def test_of_three_sources_one_wins_only_against_all_others(settings: Settings) -> None:
    made, report = compared(settings, many(BAD), many(GOOD), [*many(GOOD, 20), *many(BAD)[20:]], sample_size=12)
    assert [one["between"] for one in report["preferences"]] == [
        ["a.json", "b.json"],
        ["a.json", "c.json"],
        ["b.json", "c.json"],
    ]
    assert made.winner == "b.json"
    assert report["merge"]["only_in"] == {"a.json": 20, "b.json": 20, "c.json": 0}
    made, _ = compared(settings, many(BAD), many(GOOD), [pair(n, GOOD, question=f"Where is {n}?") for n in range(40)])
    assert made.winner is None  # two are as good as each other


def test_a_bad_source_beside_two_good_ones_is_named_as_not_to_be_merged(settings: Settings) -> None:
    other = [pair(n, GOOD, question=f"Where is {n}?") for n in range(40)]
    made, report = compared(settings, many(BAD), many(GOOD), other, sample_size=20)
    assert made.verdict == "no clear winner"
    said = "neither of b.json and c.json is significantly preferred to the other; significantly behind: a.json to c"
    assert any(said in reason for reason in made.reasons)
    advice = report["recommendation"]
    assert (advice["take"], advice["leave_out"]) == (None, ["a.json"])
    assert advice["reason"].startswith("recommended: neither of ")
    assert advice["reason"].endswith("; merge them; not to be merged: a.json (score 5 of 10, b.json 8)")


def test_no_size_makes_up_for_what_is_poor(settings: Settings) -> None:
    _, report = compared(settings, many(BAD, 60), many(GOOD, 12), sample_size=12)
    assert (report["recommendation"]["take"], report["recommendation"]["leave_out"]) == ("b.json", ["a.json"])


@pytest.mark.parametrize("name", ["source", "file_name", "file", "document_id"])
def test_documents_are_counted_under_whatever_name_the_pairs_have_them(settings: Settings, name: str) -> None:
    rows = [{"question": f"Q{n}?", "answer": "A.", "chunk_id": n % 2, name: f"{n // 2}.md"} for n in range(4)]
    made, _ = compared(settings, rows, many(GOOD, 3), sample_size=0)
    assert (made.figures["a.json"]["documents"], made.figures["a.json"]["passages"]) == (2, 4)


def test_figures_are_those_of_the_sources(settings: Settings) -> None:
    rows = [
        pair(1, question="How many bells ring?", answer="one two", rating=8, source_file="x.md"),
        pair(1, question="How many bells ring?", answer="one two", rating=6, source_file="x.md"),
        pair(2, question="Does it ring at noon every day of the week?", answer="yes", type="cot", source_file="y.md"),
    ]
    made, _ = compared(settings, rows, many(GOOD, 3), sample_size=0)
    found = made.figures["a.json"]
    assert (found["pairs"], found["documents"], found["passages"]) == (3, 2, 2)
    assert found["types"] == {"cot": 1, "qa": 2}
    assert found["question_kinds"] == {"how many": 2, "yes or no": 1}
    assert found["question_words"] == {"mean": 6, "median": 4, "p90": 10}
    assert found["answer_words"]["mean"] == pytest.approx(8 / 3, abs=0.01)
    assert found["ratings"] == {"rated": 2, "mean": 7, "median": 6, "p90": 8}
    assert found["exact_duplicates"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["sample"]["near_duplicates"] == pytest.approx(1 / 3, abs=1e-4)
    assert made.figures["b.json"]["ratings"] == {"rated": 0}


def test_answers_with_facts_that_their_passage_lacks_are_told_in_the_figures(settings: Settings) -> None:
    rows = [pair(1, "At noon"), pair(8, "At noon, says Ada Winter,")]
    rows[0]["answer"] = "At noon."
    made, _ = compared(settings, rows, many(GOOD, 2), sample_size=0)
    assert made.figures["a.json"]["sample"]["answers_in_their_passage"] == 0.5


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many bells are there?", "how many"),
        ("In the section on bells, who rings them?", "who"),
        ("In case of fire, is the bell rung?", "yes or no"),
        ("Must the bell be rung when it burns?", "yes or no"),
        ("Name the ringer.", "other"),
    ],
)
def test_kinds_of_questions_are_told_by_what_they_ask_with(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_the_sign_test_and_the_interval_are_those_of_the_books() -> None:
    assert Tally((0, 1), Counter(first=9, second=1)).p == pytest.approx(0.021484375)
    assert Tally((0, 1), Counter(first=5, second=5)).p == 1
    assert Tally((0, 1), Counter(first=0, second=6)).p == pytest.approx(0.03125)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0, 0) == (0, 1)


def test_passages_come_from_a_source_where_the_pairs_have_none(settings: Settings, endpoint: Endpoint) -> None:
    bare = [{name: value for name, value in row.items() if name != "source_text"} for row in many(BAD, 6)]
    rows = [row | {"chunk_id": f"c{n}", "chunk_start": [n]} for n, row in enumerate(bare)]
    chunks = [{"chunk_id": f"c{n}", "text": f"Of bell {n}.", "file": "x.md"} for n in range(6)]
    Path("x_chunks.json").write_text(json.dumps({"chunks": chunks}))
    better = [row | {"answer": f"good {n}"} for n, row in enumerate(rows)]
    compared(settings, rows, better, sample_size=3, passages_from="x_chunks.json")
    item = pairs_of(bodies(endpoint)[0])[0]
    assert re.fullmatch(r"Of bell \d\.", item["first"]["passage"])
    assert item["first"]["passage"] == item["second"]["passage"]


def test_a_page_to_read_holds_the_verdict_the_figures_and_what_was_judged(settings: Settings) -> None:
    sources = [written("a.json", many(BAD)), written("b.json", many(GOOD))]
    made = compare(sources, Path("report.md"), settings, sample_size=8)
    page = Path("report.md").read_text("utf-8")
    assert page.startswith("# Pairs compared\n\n**b.json is the better material**")
    assert all(f"- {reason}\n" in page for reason in made.reasons)
    assert "| pairs | 40 | 40 |" in page
    assert page.count("   - a.json: When does bell") == 8
    compare(sources, Path("report.md"), settings, sample_size=8)  # ours, so it is replaced


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sources": ["a.json"]}, "1 source to compare"),
        ({"sources": ["a.json", "./a.json"]}, "given twice"),
        ({"output": "report.txt"}, "give a file that ends in .json or .md"),
        ({"output": "b.json", "overwrite": True}, "that is the source"),
        ({"output": "other.md"}, "was not made by this command; add --overwrite"),
        ({"output": "docs"}, "give a file"),
        ({"sample_size": -1}, "--sample-size -1"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(
    settings: Settings, endpoint: Endpoint, change: Row, words: str
) -> None:
    written("a.json", many(BAD, 3))
    written("b.json", many(GOOD, 3))
    Path("other.md").write_text("# My notes\n")
    sources, output = change.get("sources", ["a.json", "b.json"]), Path(change.get("output", "report.json"))
    run = Run(overwrite=change.get("overwrite", False))
    with pytest.raises(UsageError, match=re.escape(words)):
        compare(sources, output, settings, sample_size=change.get("sample_size", 5), run=run)
    assert bodies(endpoint) == []
    assert Path("other.md").read_text() == "# My notes\n"


@pytest.mark.parametrize(("text", "words"), [("[]", "no pair"), ("{torn", "torn.json"), (None, "no such file")])
def test_a_source_without_a_pair_is_named(settings: Settings, text: str | None, words: str) -> None:
    written("a.json", many(BAD, 3))
    if text is not None:
        Path("torn.json").write_text(text)
    with pytest.raises(InputError, match=words):
        compare(["a.json", "torn.json"], Path("report.json"), settings)
    assert not Path("report.json").exists()


def test_the_offline_judge_prefers_right_answers_to_wrong_ones(toy_root: Path) -> None:
    passage = "House {n}: the bell of house {n} rings for {n} minutes."
    rows = [
        {
            "question": f"For how long does the bell of house {n} ring?",
            "answer": f"{n} minutes",
            "source_text": passage.format(n=n),
        }
        for n in range(10, 30)
    ]
    wrong = [row | {"answer": f"{n + 50} minutes"} for n, row in enumerate(rows, 10)]
    written("right.json", rows)
    written("wrong.json", wrong)
    done = ai_tools("compare", "wrong.json", "right.json", "-o", "report.json")
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    assert "right.json is the better material -> report.json" in done.stdout
    assert "20 of 20" in done.stdout
