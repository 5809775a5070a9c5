"""`enrich`: answers worded better, and every fact, question and field of a pair as it was."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import at, pairs_of
from endpoint import Endpoint
from outside import ai_tools, error_of
from outside import at as environment_at

from ai_tools.errors import NothingProduced, UsageError
from ai_tools.files import write_json
from ai_tools.settings import Settings
from ai_tools.tools import EnrichSummary, Run, enrich

Row = dict[str, Any]
PASSAGE = 'House 5: Ada Winter rings the bell at noon for 7 days. The sign says "Ring it".'
FRESH = Run(fresh=True)
NAMES = {"original_answer", "enrichment_changes"}


def pair(answer: str = "at noon, 7 days", question: str = "When does the bell ring?", **more: Any) -> Row:
    return {"question": question, "answer": answer, "type": "qa", "source_text": PASSAGE} | more


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def settings(toy_root: Path, endpoint: Endpoint) -> Settings:
    return at(endpoint)


def says(endpoint: Endpoint, word: Callable[[str], str], changes: str = "a whole sentence") -> None:
    """The teacher rewrites every answer so."""
    endpoint.reply = lambda body: json.dumps(
        {"rewrites": [{"id": one["id"], "answer": word(one["answer"]), "changes": changes} for one in pairs_of(body)]}
    )


def enriched(rows: list[Row], settings: Settings, **options: Any) -> tuple[EnrichSummary, list[Row]]:
    Path("pairs.json").write_text(json.dumps(rows))
    made = enrich(Path("pairs.json"), Path("out.json"), settings, **options)
    return made, json.loads(Path("out.json").read_text("utf-8"))


def sentence(answer: str) -> str:
    return f"The bell rings {answer}."


def test_a_better_answer_is_taken_and_all_else_stays_and_is_noted(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, sentence)
    before = pair(chunk_id="c", rating=None, note={"deep": [1]}, reasoning="1. It says so.")
    made, [row] = enriched([before], settings)
    assert row["answer"] == "The bell rings at noon, 7 days."
    assert (row["original_answer"], row["enrichment_changes"]) == ("at noon, 7 days", "a whole sentence")
    assert {name: value for name, value in row.items() if name not in NAMES} == before | {"answer": row["answer"]}
    assert (made.rewritten, made.unchanged, made.refused, made.failed) == (1, 0, 0, 0)


def test_the_judge_is_not_needed_where_only_the_teacher_is_asked(toy_root: Path, endpoint: Endpoint) -> None:
    says(endpoint, sentence)
    made, _ = enriched([pair()], at(endpoint, judge_base_url="http://127.0.0.1:9"))  # a judge without a model
    assert made.rewritten == 1


def test_the_question_never_changes_whatever_the_teacher_sends(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: json.dumps(
        {
            "rewrites": [
                {"id": pairs_of(body)[0]["id"], "question": "Who?", "answer": "At noon, 7 days.", "changes": "x"}
            ]
        }
    )
    _, [row] = enriched([pair()], settings)
    assert (row["question"], row["answer"]) == (pair()["question"], "At noon, 7 days.")


@pytest.mark.parametrize(
    ("answer", "rewrite", "words"),
    [
        ("for 7 days", "For some days.", "loses 7"),
        ("for 7 days", "For 7 weeks.", "loses 7 days"),
        ("by Ada Winter", "By the ringer.", "loses Ada, Winter"),
        ('it says "Ring it"', "It says so.", 'loses "Ring it"'),
        ("use `ring -n 3`", "Use the ring command 3 times, n.", 'loses "ring -n 3"'),
        ("at noon", "At noon, 30 times.", "adds 30"),
        ("at noon", "Bob rings it at noon.", "adds Bob"),
        ("at noon", 'At "dusk" or noon.', 'adds "dusk"'),
        ("at noon", " \n ", "is empty"),
    ],
)
def test_a_rewrite_that_loses_or_adds_a_fact_is_refused_and_says_which(
    settings: Settings, endpoint: Endpoint, answer: str, rewrite: str, words: str
) -> None:
    says(endpoint, lambda _: rewrite)
    made, [row] = enriched([pair(answer)], settings)
    assert (row["answer"], row["original_answer"]) == (answer, answer)
    assert row["enrichment_changes"].startswith("refused: the rewrite ")
    assert list(row) == ["question", "answer", "type", "source_text", "original_answer", "enrichment_changes"]
    assert words in row["enrichment_changes"]
    assert (made.refused, made.failed) == (1, 0)


@pytest.mark.parametrize(
    "rewrite", ["In House 5 it rings at noon.", "Ada rings it at noon.", "Noon: when the bell rings."]
)
def test_what_passage_or_question_says_may_be_added(settings: Settings, endpoint: Endpoint, rewrite: str) -> None:
    says(endpoint, lambda _: rewrite)
    assert enriched([pair("at noon")], settings)[1][0]["answer"] == rewrite


def test_line_breaks_code_and_citations_of_an_answer_stay(settings: Settings, endpoint: Endpoint) -> None:
    answer = 'Ring it [1]:\n\n```sh\nring --at "noon"\n  # twice\n```\n\n- then rest \u2028 \N{BELL}'
    says(endpoint, lambda old: f"{old}\n\nThat is all.")
    _, [row] = enriched([pair(answer)], settings)
    assert row["answer"] == f"{answer}\n\nThat is all."


@pytest.mark.parametrize("changes", ["none", "", "unchanged: hardly", "failed: no", "refused"])
def test_the_note_on_a_changed_answer_is_never_one_of_an_unchanged_one(
    settings: Settings, endpoint: Endpoint, changes: str
) -> None:
    says(endpoint, sentence, changes)
    made, [row] = enriched([pair()], settings)
    assert made.rewritten == 1
    assert row["enrichment_changes"].startswith("reworded")


def test_a_reply_that_fails_keeps_its_answer_says_so_and_is_asked_for_again_the_next_time(
    settings: Settings, endpoint: Endpoint
) -> None:
    good = pair("at noon", source_text="Another passage: at noon.")
    says(endpoint, sentence)
    better = endpoint.reply
    assert better
    endpoint.reply = lambda body: "No." if "House 5" in str(body) else better(body)
    made, rows = enriched([pair(), good], settings)
    assert (made.failed, made.rewritten) == (1, 1)
    assert (rows[0]["answer"], rows[0]["enrichment_changes"]) == (
        pair()["answer"], "failed: no usable reply came back"
    )  # fmt: skip
    endpoint.reset()
    says(endpoint, sentence)
    again = enrich(Path("out.json"), Path("again.json"), at(endpoint, retry_rejected=True))
    assert (again.already, again.rewritten, again.failed, endpoint.counters.requests) == (1, 2, 0, 1)
    row = json.loads(Path("again.json").read_text())[0]
    assert (row["answer"], row["original_answer"]) == (sentence(pair()["answer"]), pair()["answer"])


def test_where_every_reply_fails_there_is_an_error_and_what_was_there_stays(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, sentence)
    enriched([pair()], settings)
    before = Path("out.json").read_bytes()
    endpoint.reply = lambda _: "No."
    with pytest.raises(
        NothingProduced, match=r"none of 1 answers got a usable reply .*; run again with --retry-rejected"
    ):
        enrich(Path("pairs.json"), Path("out.json"), at(endpoint, teacher_model_name="other"))
    assert Path("out.json").read_bytes() == before


def test_what_was_enriched_is_left_alone_and_fresh_begins_with_the_original_answer(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, sentence)
    _, first = enriched([pair()], settings)
    endpoint.reset()
    made, rows = enriched(first, settings)
    assert (rows, made.already, endpoint.counters.requests) == (first, 1, 0)
    _, rows = enriched(first, settings, run=FRESH)
    assert (rows, endpoint.counters.requests) == (first, 0)  # the journal knows the reply to the original answer
    says(endpoint, lambda old: f"So: {old}!")
    _, [row] = enriched(first, at(endpoint, teacher_model_name="other"), run=FRESH)
    assert (row["answer"], row["original_answer"]) == ("So: at noon, 7 days!", "at noon, 7 days")
    says(endpoint, lambda _: "Never.")
    _, [row] = enriched(first, at(endpoint, teacher_model_name="third"), run=FRESH)
    assert (row["answer"], row["enrichment_changes"][:7]) == ("at noon, 7 days", "refused")


def test_the_original_answer_may_be_left_out_and_the_output_is_still_known_as_ours(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, sentence)
    for _ in range(2):
        _, [row] = enriched([pair()], settings, preserve_original=False)
        assert "original_answer" not in row
        assert row["answer"] == sentence(pair()["answer"])


def test_an_output_that_was_corrected_is_kept_and_one_that_was_cut_off_comes_back_from_the_journal(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, sentence)
    enriched([pair()], settings)
    output = Path("out.json")
    whole = output.read_text("utf-8")
    endpoint.reset()
    output.write_text(whole.replace("rings at", "tolls at"))
    with pytest.raises(UsageError, match=r"out\.json: exists, and was edited since this command made it; give another"):
        enriched([pair()], settings)
    assert output.read_text() == whole.replace("rings at", "tolls at")
    output.write_text(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"out\.json: torn; it is made anew"):
        enriched([pair()], settings)
    assert (output.read_text("utf-8"), endpoint.requests) == (whole, [])


def test_the_files_of_a_folder_are_its_own_while_nobody_edits_one(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, sentence)
    for name in ("a", "b"):
        write_json(Path(f"qa/{name}_qa.json"), {"training_pairs": [pair(chunk_id=name)]})
    for _ in range(2):
        enrich(Path("qa"), Path("out"), settings)
    path = Path("out/b_qa.json")
    path.write_text(path.read_text().replace("rings at", "tolls at"))
    with pytest.raises(UsageError, match=r"out/b_qa\.json: exists, and was edited since"):
        enrich(Path("qa"), Path("out"), settings)
    assert "tolls at" in path.read_text()


def test_sampling_reaches_the_wire(settings: Settings, endpoint: Endpoint) -> None:
    says(endpoint, sentence)
    enriched([pair()], at(endpoint, teacher_temperature=0, teacher_max_tokens=99, teacher_top_p=0.5))
    body = endpoint.requests[0].body
    assert [body[name] for name in ("temperature", "max_tokens", "top_p")] == [0, 99, 0.5]


def test_a_pair_without_its_passage_is_reworded_by_itself_and_that_is_said_once(
    settings: Settings, endpoint: Endpoint
) -> None:
    says(endpoint, sentence)
    bare = {"question": "When does it ring?", "answer": "at noon", "chunk_id": 3, "source": "bells.md"}
    made, rows = enriched([bare, pair(), bare | {"chunk_id": 4}], settings)
    assert (made.failed, made.rewritten) == (0, 3)
    assert (rows[0]["answer"], rows[0]["chunk_id"], rows[0]["grounded"]) == (sentence("at noon"), 3, None)
    assert "grounded" not in rows[1]
    assert [line.partition(" (")[0] for line in made.warnings] == ["2 pairs have no passage"]


def test_from_outside_a_failure_is_one_line_and_exit_code_1(toy_root: Path, endpoint: Endpoint) -> None:
    Path("pairs.json").write_text(json.dumps([pair()]))
    endpoint.reply = lambda _: "No."
    done = ai_tools("enrich", "pairs.json", "-o", "out.json", **environment_at(endpoint.url))
    assert done.returncode == 1
    assert "none of 1 answers got a usable reply" in error_of(done)
    assert not Path("out.json").exists()
