"""Review: what people change in qna.yaml or decide in review.jsonl reaches the training rows, and no rerun loses it."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ai_tools import files, workspace
from ai_tools.errors import InputError
from ai_tools.files import read_rows, write_rows
from ai_tools.records import Sample
from ai_tools.settings import Settings
from ai_tools.steps import formats, mixing, review
from ai_tools.steps.review import Decision
from ai_tools.workspace import Step

MakeSample = Callable[..., Sample]


def answers(chunk: str, count: int = 4) -> list[tuple[str, str]]:
    return [(f"What is number {n} of {chunk}?", f"Answer {n} of {chunk}.") for n in range(count)]


@pytest.fixture
def samples(make_sample: MakeSample) -> list[Sample]:
    return [
        make_sample(question, answer, chunk_id=chunk, document_id=f"d{chunk}", source_text=f"Text of {chunk}.")
        for chunk in "abcde"
        for question, answer in answers(chunk)
    ]


def open_step(settings: Settings) -> Step:
    """Step 03 with what it needs in place."""
    for need in workspace.STEPS[3].needs:
        path = settings.output / need
        if not path.exists():
            write_rows(path, [])
    return Step(settings, 3)


def write(settings: Settings, samples: list[Sample]) -> Path:
    """What step 03 does: samples, files for people, manifest; returns its folder."""
    step = open_step(settings)
    step.write_rows("extractive_summary/gen.jsonl", samples)
    options = {"domain": "bells", "outline": "the bell book", "documents": [{"source": "a.md", "sha256": "1"}]}
    review.write_qna(step, {"extractive_summary": samples}, count=5, **options)
    step.finish()
    return step.folder


def edit(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the seed examples of qna.yaml as an editor would: all else of it stays."""
    content = yaml.safe_load((folder / "qna.yaml").read_text("utf-8"))
    change(content["seed_examples"])
    (folder / "qna.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, width=60), "utf-8")


def correct_and_delete(examples: list[dict[str, Any]]) -> None:
    examples[0]["questions_and_answers"][0]["answer"] = "A better answer."
    del examples[1]["questions_and_answers"][1]


def rows_of(datasets: dict[str, list[Sample]], first: frozenset[str]) -> dict[str, str]:
    """Question and answer of every training row of a cut that takes two pairs of a passage."""
    every = {name: datasets.get(name, []) for name in workspace.DATASETS}
    made = mixing.mix(
        every,
        cut=1,
        pairs_per_summary=2,
        context="none",
        general=[],
        replay_share=0.0,
        title_share=0.5,
        max_tokens=100,
        count_tokens=lambda row: 10,
        headings={},
        seed=0,
        first=first,
    )
    return {row["question"]: row["messages"][1]["content"] for row in made.rows}


def test_an_edit_and_a_deletion_in_a_workshop_reach_the_training_rows_also_after_a_rerun(
    toy_settings: Settings, samples: list[Sample]
) -> None:
    folder = write(toy_settings, samples)
    assert review.read(folder) == {}
    edit(folder, correct_and_delete)
    for _ in range(3):
        stored = [Sample.from_row(row) for row in read_rows(folder / "extractive_summary/gen.jsonl")]
        assert stored == samples, "what was generated stays as it is"
        reviewed = review.apply({"extractive_summary": stored}, review.read(folder))
        rows = rows_of(reviewed.datasets, reviewed.first)
        assert rows["What is number 0 of a?"] == "A better answer.", "an edited pair is drawn before others"
        assert "What is number 1 of b?" not in rows
        assert [(one.check, one.row["question"]) for one in reviewed.rejected] == [("review", "What is number 1 of b?")]
        assert {name: reviewed.report[name] for name in ("edit", "reject", "unknown")} == {
            "edit": 1,
            "reject": 1,
            "unknown": 0,
        }
        assert write(toy_settings, samples) == folder  # a rerun of step 03
    assert [row["decision"] for row in read_rows(folder / "review.jsonl")] == ["edit", "reject"]
    edited = yaml.safe_load((folder / "qna.edited.yaml").read_text("utf-8"))
    assert edited["seed_examples"][0]["questions_and_answers"][0]["answer"] == "A better answer."
    shown = (folder / "qna.yaml").read_text("utf-8")
    assert "A better answer." in shown, "the new file shows what was decided"
    assert "What is number 1 of b?" not in shown


def test_edits_of_several_rounds_add_up_and_no_edited_file_is_overwritten(
    toy_settings: Settings, samples: list[Sample]
) -> None:
    folder = write(toy_settings, samples)
    edit(folder, correct_and_delete)
    write(toy_settings, samples)
    edit(folder, lambda examples: examples[2]["questions_and_answers"].pop(0))
    write(toy_settings, samples)
    edit(folder, lambda examples: examples[0]["questions_and_answers"][0].update(answer="Answer 0 of a."))
    kept = review.apply({"extractive_summary": samples}, review.read(folder))
    assert len(kept.rejected) == 2
    assert [one.answer for one in kept.datasets["extractive_summary"][:1]] == ["Answer 0 of a."], "the last edit holds"
    assert sorted(path.name for path in folder.glob("qna.edited*")) == ["qna.edited-2.yaml", "qna.edited.yaml"]


def test_a_file_of_which_nobody_knows_what_it_was_is_moved_away_and_not_overwritten(
    toy_settings: Settings, samples: list[Sample]
) -> None:
    folder = write(toy_settings, samples)
    (folder / "qna_index.jsonl").unlink()
    before = (folder / "qna.yaml").read_text("utf-8")
    write(toy_settings, samples)
    assert (folder / "qna.edited.yaml").read_text("utf-8") == before
    assert not (folder / "review.jsonl").exists()


def test_a_killed_rerun_loses_no_edit(toy_settings: Settings, samples: list[Sample]) -> None:
    folder = write(toy_settings, samples)
    edit(folder, correct_and_delete)
    step = open_step(toy_settings)
    step.write_rows("extractive_summary/gen.jsonl", samples)  # clears what the manifest names; then the power goes
    assert not (folder / "manifest.json").exists()
    assert len(review.read(folder)) == 2
    write(toy_settings, samples)
    assert len(review.read(folder)) == 2


def test_line_breaks_spaces_and_comments_are_no_edit(toy_settings: Settings, samples: list[Sample]) -> None:
    long = [replace(one, answer=f"{one.answer} {'and so on ' * 30}") for one in samples]
    folder = write(toy_settings, long)
    edit(folder, lambda examples: examples.reverse())
    path = folder / "qna.yaml"
    path.write_text("# seen\n" + path.read_text("utf-8"), "utf-8")
    assert review.read(folder) == {}


@pytest.mark.parametrize(
    ("written", "read"), [("12:30", "12:30"), ("yes", "yes"), ("64", "64"), ("|\n      two\n      lines", "two\nlines")]
)
def test_an_answer_is_taken_as_it_was_typed(
    toy_settings: Settings, samples: list[Sample], written: str, read: str
) -> None:
    folder = write(toy_settings, samples)
    path = folder / "qna.yaml"
    path.write_text(path.read_text("utf-8").replace("answer: Answer 0 of a.", f"answer: {written}"), "utf-8")
    assert [(one.decision, one.answer) for one in review.read(folder).values()] == [("edit", read)]


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=3, max_size=3), ANY_TEXT)
@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_as_it_was_written_holds_no_edit_whatever_the_words(
    tmp_path: Path, make_sample: MakeSample, pairs: list[tuple[str, str]], text: str
) -> None:
    group = [make_sample(question, answer, source_text=text) for question, answer in pairs]
    with warnings.catch_warnings(action="ignore"):
        source = formats.qna_yaml([group], domain="bells", outline="o", source="docs", documents=[])
    path = files.write_atomic(tmp_path / "qna.yaml", source)
    assert review.edits(formats.qna_index([group]), review.seed_examples(path)) == []


def test_step_04_is_stale_after_an_edit_or_a_decision(toy_settings: Settings, samples: list[Sample]) -> None:
    folder = write(toy_settings, samples)
    states = [workspace.hash_inputs(toy_settings, 4)]
    edit(folder, correct_and_delete)
    states.append(workspace.hash_inputs(toy_settings, 4))
    write_rows(folder / "review.jsonl", [{"sample_id": "x", "decision": "accept"}])
    states.append(workspace.hash_inputs(toy_settings, 4))
    assert states[0]["step_03/review.jsonl"] is None
    assert [states[0] == states[1], states[1] == states[2]] == [False, False]
    assert {name for name in states[0] if states[0][name] != states[2][name]} == {
        "step_03/qna.yaml",
        "step_03/review.jsonl",
    }


# --- what counts as which decision ---


def index(*pairs: tuple[str, str], example: int = 1) -> list[dict[str, Any]]:
    return [
        {"sample_id": f"s{example}{n}", "example": example, "context": f"Text {example}.", "question": q, "answer": a}
        for n, (q, a) in enumerate(pairs)
    ]


def qna(*pairs: tuple[str, str], context: str = "Text 1.") -> dict[str, Any]:
    return {"context": context, "questions_and_answers": [{"question": q, "answer": a} for q, a in pairs]}


def decided(rows: list[dict[str, Any]], *examples: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one.sample_id, one.decision, one.question, one.answer) for one in review.edits(rows, examples)]


ABC = (("qa", "a"), ("qb", "b"), ("qc", "c"))


def test_a_pair_with_another_question_or_another_answer_is_an_edit() -> None:
    found = decided(index(*ABC), qna(("qc", "c!"), ("qa", "a"), ("q?", "b")))
    assert sorted(found) == [("s11", "edit", "q?", "b"), ("s12", "edit", "qc", "c!")]


def test_a_pair_that_is_new_in_both_stands_for_the_one_that_is_gone() -> None:
    assert decided(index(*ABC), qna(("qa", "a"), ("x", "y"), ("qc", "c"))) == [("s11", "edit", "x", "y")]


def test_a_pair_or_a_whole_example_that_is_gone_is_rejected() -> None:
    rows = index(*ABC) + index(*((f"{q}2", f"{a}2") for q, a in ABC), example=2)
    found = decided(rows, qna(("qa", "a"), ("qc", "c")))
    assert [row[:2] for row in found] == [("s11", "reject"), *((f"s2{n}", "reject") for n in range(3))]


def test_an_example_rewritten_from_start_to_end_is_known_by_its_context() -> None:
    rows = index(*ABC) + index(("k", "l"), example=2)
    found = decided(rows, qna(("m", "n"), context="Text\n  2."), qna(*ABC))
    assert found == [("s20", "edit", "m", "n")]


def test_a_pair_added_to_an_example_becomes_a_sample_of_the_same_passage(make_sample: MakeSample) -> None:
    sample = make_sample("qa", "a", reasoning="So.", type="cot")
    rows = [row | {"sample_id": sample.sample_id} for row in index(("qa", "a"))]
    (added,) = review.edits(rows, [qna(("qa", "a"), ("more?", "yes"))])
    assert (added.decision, added.beside) == ("add", sample.sample_id)
    reviewed = review.apply({"x": [sample]}, {added.sample_id: added})
    first, second = reviewed.datasets["x"]
    assert first == sample
    assert (second.question, second.answer, second.source_text) == ("more?", "yes", sample.source_text)
    assert (second.sample_id, second.reasoning, second.type) == (added.sample_id, "", "qa")
    assert reviewed.first == {added.sample_id}
    assert reviewed.report["add"] == 1


def test_a_pair_in_an_example_of_a_strangers_text_is_counted_as_unknown(make_sample: MakeSample) -> None:
    (added,) = review.edits(index(), [qna(("more?", "yes"), context="Other text.")])
    assert review.apply({"x": [make_sample()]}, {added.sample_id: added}).report["unknown"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed_examples: [", r"qna\.yaml: no valid YAML any more"),
        ("version: 3", "no list of seed_examples"),
        ("- 1", "no list of seed_examples"),
        ("seed_examples: [3]", "seed example 1: every pair needs a question and an answer"),
        ("seed_examples: [{questions_and_answers: [{question: q}]}]", "seed example 1: every pair"),
        ("seed_examples: [{questions_and_answers: [{question: q, answer: ' '}]}]", "seed example 1: every pair"),
    ],
)
def test_a_file_that_lost_its_shape_is_an_error_and_is_not_overwritten(
    toy_settings: Settings, samples: list[Sample], text: str, message: str
) -> None:
    folder = write(toy_settings, samples)
    (folder / "qna.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        review.read(folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError):
        write(toy_settings, samples)
    assert (folder / "qna.yaml").read_text() == text


# --- review.jsonl ---


def test_of_several_decisions_on_a_sample_the_last_holds(tmp_path: Path, make_sample: MakeSample) -> None:
    one, other = make_sample(), make_sample("Who rings it?", "Ada.")
    rows = [
        {"sample_id": one.sample_id, "decision": "reject", "note": "dull"},
        {"sample_id": other.sample_id, "decision": "accept"},
        {"sample_id": one.sample_id, "decision": "edit", "question": None, "response": "At dusk."},
        {"sample_id": other.sample_id, "decision": "reject", "note": "wrong"},
    ]
    write_rows(tmp_path / "review.jsonl", rows)
    reviewed = review.apply({"x": [one, other]}, review.read(tmp_path))
    assert reviewed.datasets == {"x": [replace(one, answer="At dusk.")]}
    assert [(one.check, one.reason) for one in reviewed.rejected] == [("review", "wrong")]
    assert Sample.from_row(reviewed.rejected[0].row) == other


def test_a_decision_is_on_every_sample_of_the_document_that_is_the_same_pair(make_sample: MakeSample) -> None:
    one = make_sample()
    twin = make_sample("In the bell book, when does the bell ring?", "at noon", recipe="key_facts_to_qa")
    elsewhere = make_sample(document_id="d2", draw=7)
    decisions = {one.sample_id: Decision(one.sample_id, "reject")}
    reviewed = review.apply({"x": [one], "key_facts_to_qa": [twin, elsewhere]}, decisions)
    assert reviewed.datasets == {"x": [], "key_facts_to_qa": [elsewhere]}
    assert reviewed.report["rejected_rows"] == {"extractive_summary": 1, "key_facts_to_qa": 1}


def test_an_edited_answer_loses_the_reasoning_that_led_to_another(make_sample: MakeSample) -> None:
    one = make_sample(reasoning="It is written.", type="cot")
    for decision, reasoning in (
        (Decision("", "edit", answer="At dusk."), ""),
        (Decision("", "edit", "When?"), "It"),
    ):
        (edited,) = review.apply({"x": [one]}, {one.sample_id: decision}).datasets["x"]
        assert edited.reasoning[:2] == reasoning
        assert edited.sample_id == one.sample_id


def test_decisions_find_their_pair_again_when_other_settings_give_it_another_id(
    toy_settings: Settings, samples: list[Sample]
) -> None:
    folder = write(toy_settings, samples)
    before = yaml.safe_load((folder / "qna.yaml").read_text("utf-8"))["seed_examples"][0]["questions_and_answers"]

    def change(examples: list[dict[str, Any]]) -> None:
        pairs = examples[0]["questions_and_answers"]
        pairs[0]["answer"] = "Corrected."
        del pairs[1]
        examples[1]["questions_and_answers"].append({"question": "Who added this?", "answer": "A reader."})

    edit(folder, change)
    again = [replace(one, sample_id=f"other-{one.sample_id}", document_id="other") for one in samples]
    write(toy_settings, again)
    reviewed = review.apply({"x": again}, review.read(folder))
    found = {one.question: one.answer for one in reviewed.datasets["x"]}
    assert found[before[0]["question"]] == "Corrected."
    assert before[1]["question"] not in found
    assert found["Who added this?"] == "A reader."
    assert reviewed.report["unknown"] == 0


def test_decisions_on_samples_that_are_not_there_are_counted(make_sample: MakeSample) -> None:
    one = make_sample()
    decisions = {name: Decision(name, "reject") for name in ("gone", "lost")}
    reviewed = review.apply({"x": [one]}, decisions | {one.sample_id: Decision(one.sample_id, "accept")})
    assert reviewed.report == {"accept": 1, "reject": 0, "edit": 0, "add": 0, "unknown": 2, "rejected_rows": {}}
    assert (reviewed.datasets, reviewed.first) == ({"x": [one]}, {one.sample_id})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"decision": "accept"}, "row 2: sample_id is missing"),
        ({"sample_id": 3, "decision": "accept"}, "row 2: sample_id must be text, not 3"),
        ({"sample_id": "a"}, "row 2: decision must be accept, reject, edit, add, not None"),
        ({"sample_id": "a", "decision": "drop"}, "row 2: decision must be .*, not 'drop'"),
        ({"sample_id": "a", "decision": "edit"}, "row 2: an edit needs a question or a response"),
        ({"sample_id": "a", "decision": "edit", "response": ["x"]}, "row 2: response must be text"),
    ],
)
def test_a_malformed_decision_is_named_with_its_row(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    good = {"sample_id": "a", "decision": "accept"}
    (tmp_path / "review.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (good, row)))
    with pytest.raises(InputError, match=message):
        review.read(tmp_path)
