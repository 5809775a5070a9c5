"""The data that ships with the project has the shape that the steps rely on."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[1] / "assets"
BENCHMARKS = Path(__file__).parent / "benchmarks"

GENERAL_KEYS = {
    "text": {"id", "kind", "text"},
    "qa": {"id", "kind", "fact", "question", "answer", "replay"},
    "statement": {"id", "kind", "fact", "text", "replay"},
}
PROBE_KEYS = {"id", "fact", "question", "answer", "options", "half"}
DEV_EXAM_KEYS = {"id", "question", "answer", "options", "document", "kind"}

INVENTED_NAMES = [
    "Corvane", "tessar", "Tessaly", "Lantern Desk", "Silverfen", "Brightwater", "Pellworth", "Weathervane",
    "Port Ellery", "Marrowgate", "Redmayne", "Valloton", "Thornbury", "Aldermoor", "Harbour Account",
]  # fmt: skip


def read_rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def normalise(text):
    return " ".join(re.sub(r"[^a-z0-9 ]", " ", text.lower()).split())


@pytest.fixture(scope="module")
def general():
    return read_rows(ASSETS / "general.jsonl")


@pytest.fixture(scope="module")
def probe():
    return read_rows(ASSETS / "probe.jsonl")


@pytest.fixture(scope="module")
def dev_exam():
    return read_rows(BENCHMARKS / "dev_exam.jsonl")


@pytest.fixture(scope="module")
def replay_by_fact(general):
    return {row["fact"]: row["replay"] for row in general if row["kind"] == "statement"}


def test_every_general_row_has_exactly_the_fields_of_its_kind(general):
    for row in general:
        assert set(row) == GENERAL_KEYS[row["kind"]], row["id"]


def test_every_id_occurs_once(general, probe, dev_exam):
    counts = Counter(row["id"] for row in [*general, *probe, *dev_exam])
    assert [row_id for row_id, count in counts.items() if count > 1] == []


def test_general_paragraphs_are_between_60_and_110_words(general):
    paragraphs = [row for row in general if row["kind"] == "text"]
    assert len(paragraphs) >= 140
    assert [row["id"] for row in paragraphs if not 60 <= len(row["text"].split()) <= 110] == []


def test_each_of_100_facts_has_six_questions_one_answer_and_one_statement(general, replay_by_fact):
    questions = Counter(row["fact"] for row in general if row["kind"] == "qa")
    statements = Counter(row["fact"] for row in general if row["kind"] == "statement")
    answers = {(row["fact"], row["answer"]) for row in general if row["kind"] == "qa"}
    assert len(replay_by_fact) == 100
    assert set(questions) == set(statements) == set(replay_by_fact)
    assert set(questions.values()) == {6}
    assert set(statements.values()) == {1}
    assert len(answers) == 100


def test_every_statement_contains_the_answer_of_its_fact(general):
    answers = {row["fact"]: row["answer"] for row in general if row["kind"] == "qa"}
    for row in general:
        if row["kind"] == "statement":
            assert normalise(answers[row["fact"]]) in normalise(row["text"]), row["id"]


def test_no_question_is_worded_twice(general, probe):
    questions = [row["question"] for row in [*general, *probe] if "question" in row]
    counts = Counter(normalise(question) for question in questions)
    assert [question for question, count in counts.items() if count > 1] == []


def test_no_probe_wording_occurs_in_a_general_row(general, probe):
    texts = [f" {normalise(row.get('text') or row['question'])} " for row in general]
    for row in probe:
        wording = f" {normalise(row['question'])} "
        assert not any(wording in text for text in texts), row["id"]


def test_half_of_the_facts_are_replayed_in_every_row_and_half_in_none(general, replay_by_fact):
    assert Counter(replay_by_fact.values()) == {True: 50, False: 50}
    for row in general:
        if row["kind"] != "text":
            assert row["replay"] is replay_by_fact[row["fact"]], row["id"]


def test_the_two_halves_of_the_probe_are_equal_and_follow_the_replay_flag(probe, replay_by_fact):
    assert Counter(row["half"] for row in probe) == {"replayed": 100, "unreplayed": 100}
    for row in probe:
        assert row["half"] == ("replayed" if replay_by_fact[row["fact"]] else "unreplayed"), row["id"]


def test_the_probe_asks_every_general_fact_twice_with_the_same_answer(general, probe):
    answers = {row["fact"]: row["answer"] for row in general if row["kind"] == "qa"}
    assert Counter(row["fact"] for row in probe) == dict.fromkeys(answers, 2)
    for row in probe:
        assert set(row) == PROBE_KEYS
        assert row["answer"] == answers[row["fact"]], row["id"]


@pytest.mark.parametrize("name", ["probe", "dev_exam"])
def test_the_answer_is_one_of_four_distinct_options(name, request):
    for row in request.getfixturevalue(name):
        assert len({normalise(option) for option in row["options"]}) == len(row["options"]) == 4, row["id"]
        assert row["options"].count(row["answer"]) == 1, row["id"]


@pytest.mark.parametrize("name", ["probe", "dev_exam"])
def test_the_position_of_the_answer_gives_nothing_away(name, request):
    rows = request.getfixturevalue(name)
    positions = Counter(row["options"].index(row["answer"]) for row in rows)
    assert max(positions.values()) - min(positions.values()) <= 1


def test_probe_options_are_answers_of_the_same_half(probe):
    answers = {row["answer"]: row["half"] for row in probe}
    for row in probe:
        assert {answers[option] for option in row["options"]} == {row["half"]}, row["id"]


def test_general_text_shares_no_invented_name_with_the_handbook(general, probe):
    texts = [row.get("text") or f"{row['question']} {row['answer']}" for row in [*general, *probe]]
    text = normalise(" ".join(texts))
    assert [name for name in INVENTED_NAMES if f" {normalise(name)}" in f" {text}"] == []


def test_the_development_exam_asks_ten_questions_a_page(dev_exam):
    assert {frozenset(row) for row in dev_exam} == {frozenset(DEV_EXAM_KEYS)}
    assert {row["kind"] for row in dev_exam} == {"recall"}
    pages = Counter(row["document"] for row in dev_exam)
    assert len(pages) == 11
    assert set(pages.values()) == {10}
