"""The teacher that answers by rules."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ai_tools.errors import UsageError
from ai_tools.records import Call
from offline_teacher import OfflineTeacher, facts

CORPUS = sorted((Path(__file__).parents[1] / "assets" / "corpus").glob("*.md"))
PASSAGE = """## Lamps

Every lamp must be tested within 36 hours. The lamp log is kept by the Harbour Master, Ada Winter. A lamp that fails
is sent to the Glass House in Marrow Bay. If two lamps fail, the keeper must ring the bell.

## Records

Old logs are kept for nine years. The fee for a copy is 14 crowns. A request is made on Form T-4. Logs are compared
every Sunday. The archive holds 1,200 logs. A log must never be burned.
"""
ANGLES = ["numbers and amounts", "time limits", "people and roles", "conditions", "exceptions"]


def reply(prompt: str, key: str = "0000beef", **fields: Any) -> Any:
    call = Call(key, prompt, "1", ({"role": "user", "content": "a question"},), fields, "", 0.0, 100)
    completion = asyncio.run(OfflineTeacher().complete(call))
    assert completion.finish_reason == "stop"
    assert completion.completion_tokens > 0
    return json.loads(completion.text)


def of(passage: str = PASSAGE, **fields: Any) -> dict[str, Any]:
    return {"title": "Harbour rules", "section": "Harbour rules > Lamps", "passage": passage, **fields}


def test_an_extractive_summary_quotes_the_passage_in_order_and_differs_by_angle() -> None:
    summaries = reply("extractive_summary", **of(angles=ANGLES))["summaries"]
    assert [s["angle"] for s in summaries] == ANGLES
    assert len({s["text"] for s in summaries}) == len(ANGLES)
    flat = PASSAGE.replace("\n", " ")
    for summary in summaries:
        quoted = [s.text for s in facts.sentences(summary["text"])]
        places = [flat.index(text) for text in quoted]
        assert len(quoted) >= 3
        assert places == sorted(places)


def test_an_angle_on_numbers_prefers_the_sentences_with_numbers() -> None:
    [summary] = reply("extractive_summary", **of(angles=["numbers and amounts"]))["summaries"]
    assert "1,200" in summary["text"]
    assert "must never be burned" not in summary["text"]


def test_a_detailed_summary_covers_every_section() -> None:
    for summary in reply("detailed_summary", **of(angles=ANGLES))["summaries"]:
        assert re.search(r"lamp", summary["text"], re.I)
        assert re.search(r"logs|copy|Form T-4", summary["text"])


def test_key_facts_are_whole_sentences_with_every_number() -> None:
    found = reply("key_facts", **of())["facts"]
    assert all(fact.endswith(".") for fact in found)
    assert all(any(number in fact for fact in found) for number in ("36 hours", "nine years", "14 crowns", "1,200"))


def test_key_facts_point_to_nothing_outside_themselves() -> None:
    passage = (
        "The lamp log is kept by Ada Winter. These boxes are old. The latter must be sealed. Rings at noon the bell."
    )
    assert reply("key_facts", **of(passage))["facts"] == ["The lamp log is kept by Ada Winter."]


def test_questions_spread_over_the_facts_and_change_with_the_seed() -> None:
    first = reply("questions", **of(count=8, angle="numbers and amounts"))["pairs"]
    other = reply("questions", key="1234abcd", **of(count=8, angle="numbers and amounts"))["pairs"]
    assert len(first) == len({p["question"] for p in first}) == 8
    assert len({p["answer"] for p in first}) >= 6
    assert first != other


def test_questions_lean_towards_the_angle() -> None:
    timed = reply("questions", **of(count=3, angle="time limits"))["pairs"]
    assert all(re.search(r"hours|years|Sunday", p["answer"]) for p in timed)


def test_every_fact_gets_its_own_questions_under_its_id() -> None:
    given = [
        {"id": "a", "text": "Old logs are kept for nine years."},
        {"id": "b", "text": "The fee for a copy is 14 crowns."},
    ]
    pairs = reply("fact_questions", title="Harbour rules", section="Records", facts=given, count=3)["pairs"]
    assert [p["id"] for p in pairs].count("a") == 3
    assert {p["answer"] for p in pairs if p["id"] == "b"} >= {"14 crowns"}


def test_worked_examples_are_of_different_kinds() -> None:
    pairs = reply("worked_example", title="Harbour rules", passage=PASSAGE, count=4)["pairs"]
    assert len(pairs) == 4
    assert len({p["question"].split()[0] for p in pairs}) >= 3
    assert all(re.match(r"(?i)(?:\w+ )?(?:who|what|which|how|when|where|why|whom)\b", p["question"]) for p in pairs)


def test_exam_questions_have_three_wrong_options_of_the_same_type() -> None:
    questions = reply("exam", **of(count=20))["questions"]
    assert questions
    for q in questions:
        options = [q["answer"], *q["wrong_options"]]
        assert len(q["wrong_options"]) == 3
        assert len({option.lower() for option in options}) == 4
        if re.search(r"\d", q["answer"]):
            assert all(re.search(r"\d", option) for option in options)
        if q["answer"].endswith(" hours"):
            assert all(option.endswith(" hours") for option in options)


@pytest.mark.parametrize("page", CORPUS, ids=lambda p: p.stem)
def test_exam_wordings_are_never_training_wordings(page: Path) -> None:
    fields = of(page.read_text(), count=500, angle="factual")
    exam = {q["question"] for q in reply("exam", **fields)["questions"]}
    given = [{"id": str(n), "text": fact} for n, fact in enumerate(reply("key_facts", **fields)["facts"])]
    training = {p["question"] for p in reply("questions", **fields)["pairs"]}
    training |= {p["question"] for p in reply("fact_questions", title="", section="", facts=given, count=50)["pairs"]}
    assert exam
    assert len(training) >= 100
    assert exam.isdisjoint(training)


@pytest.mark.parametrize(
    ("question", "answer", "grounded", "named"),
    [
        ("How long are old logs kept?", "nine years", True, ""),
        ("How long are old logs kept?", "eleven years", False, "eleven"),
        ("How many logs does the archive hold?", "1,300 logs", False, "1,300"),
        ("Who keeps the lamp log?", "the Harbour Master, Ada Winter", True, ""),
        ("Who keeps the lamp log?", "the Harbour Master, Olaf Stone", False, "Olaf"),
        ("What does the keeper say?", 'the words "all is well"', False, "all is well"),
        ("What happens to a lamp that fails?", "it becomes property of whoever repaired something", False, "words"),
        ("What is the fee in Lisbon?", "14 crowns", False, "Lisbon"),
        ("How many logs does the archive hold?", "the logs of the archive", False, "not answer"),
        ("May a log be burned?", "a log", False, "not answer"),
        ("How is a request made?", "sent to the Glass House in Marrow Bay", False, "something else"),
    ],
)
def test_an_answer_with_a_foreign_number_name_or_quotation_is_not_grounded(
    question: str, answer: str, grounded: bool, named: str
) -> None:
    pairs = [{"id": "p", "question": question, "answer": answer}]
    [judgement] = reply("faithfulness", passage=PASSAGE, pairs=pairs)["judgements"]
    assert judgement["id"] == "p"
    assert judgement["grounded"] is grounded
    assert named in judgement["explanation"]


@pytest.mark.parametrize("page", CORPUS, ids=lambda p: p.stem)
def test_the_teacher_holds_nearly_all_its_own_questions_grounded(page: Path) -> None:
    pairs = reply("questions", **of(page.read_text(), count=500, angle="factual"))["pairs"]
    judged = reply(
        "faithfulness", passage=page.read_text(), pairs=[{"id": str(n), **pair} for n, pair in enumerate(pairs)]
    )["judgements"]
    assert sum(j["grounded"] for j in judged) / len(judged) >= 0.97


@pytest.mark.parametrize(
    "text",
    [
        *("", "```\ncode()\n```", "| a | b |\n|---|---|\n| 1 | 2 |", "Das Archiv ist offen."),
        "The procedure on installation is as follows.",
        "One cannot run ALTER TABLE ... ADD COLUMN commands.",
        "The choice varies across the versions of the engine.",
        "The SQLITE_HIT is SQLITE_MISS.",
    ],
)
def test_a_passage_without_english_prose_gives_empty_lists(text: str) -> None:
    assert reply("questions", **of(text, count=5, angle="factual")) == {"pairs": []}
    assert reply("exam", **of(text, count=5)) == {"questions": []}
    assert len(reply("extractive_summary", **of(text, angles=ANGLES))["summaries"]) == len(ANGLES)


def test_it_is_a_teacher_like_any_other_that_sends_nothing_anywhere_and_stays_open() -> None:
    teacher = OfflineTeacher()
    call = Call("0000beef", "key_facts", "1", ({"role": "user", "content": "a b c"},), of(), "facts", 0.0, 100)

    async def twice() -> list[str]:
        first = await teacher.complete(call)
        await teacher.close()
        return [first.text, (await teacher.complete(call)).text]

    assert (teacher.provider, teacher.base_url, teacher.own_host) == ("offline", "", True)
    assert teacher.concurrency > 1
    first, second = asyncio.run(twice())
    assert first == second


def test_an_unknown_prompt_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'poem'.*key_facts.*questions"):
        reply("poem")


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "import asyncio, json, sys\n"
        "from offline_teacher import OfflineTeacher\nfrom ai_tools.records import Call\n"
        "fields = json.load(sys.stdin)\n"
        "prompts = 'questions', 'exam', 'extractive_summary', 'detailed_summary', 'key_facts', 'worked_example'\n"
        "for prompt in prompts:\n"
        "    call = Call('0000beef', prompt, '1', (), fields, '', 0.0, 9)\n"
        "    print(OfflineTeacher().model, asyncio.run(OfflineTeacher().complete(call)).text)\n"
    )
    given = json.dumps(of(CORPUS[0].read_text(), count=30, angle="time limits", angles=ANGLES))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=given,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert outputs.pop().startswith("rules-")
