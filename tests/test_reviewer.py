"""What the teacher that answers by rules says of finished pairs, and the reasoning that it writes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ai_tools.matching import missing_facts
from ai_tools.records import Call
from ai_tools.teachers import replies
from ai_tools.tools.enrich import difference
from offline_teacher import OfflineTeacher

CORPUS = sorted((Path(__file__).parents[1] / "assets" / "corpus").glob("*.md"))
PASSAGE = """## Lamps

Every lamp must be tested within 36 hours. The lamp log is kept by the Harbour Master, Ada Winter. A lamp that fails
is sent to the Glass House in Marrow Bay. If more than 20 lamps fail, the council must be told within six hours. The
list of lamps is called the Bright List. The list of lamps is updated every March. A photocopy is never accepted.

## Records

Old logs are kept for nine years. Letters are kept for 30 months. The fee for a copy is 14 crowns. The fee for a map is
nine crowns. A request is made on Form T-4. Logs are compared every Sunday. Film is erased after 33 days unless the
police have asked for it. Access to the tower is given only to keepers with a silver key.
"""
KINDS = {
    "rating": "ratings",
    "fact_check": "fact_checks",
    "preference": "preferences",
    "rewrite": "rewrites",
    "reasoning": "reasonings",
    "reasoned_questions": "reasoned_pairs",
    "questions": "pairs",
}


def ask(prompt: str, key: str = "0000beef", **fields: Any) -> list[Any]:
    call = Call(key, prompt, "1", ({"role": "user", "content": "a question"},), fields, KINDS[prompt], 0.0, 100)
    return list(replies.parse(call, asyncio.run(OfflineTeacher().complete(call))).items)


def of(prompt: str, *pairs: tuple[str, str], passage: str = PASSAGE, **fields: Any) -> list[Any]:
    rows = [{"id": str(number), "question": q, "answer": a} for number, (q, a) in enumerate(pairs)]
    said = ask(prompt, passage=passage, pairs=rows, **{"topic": "", **fields})
    assert [one.id for one in said] == [row["id"] for row in rows]
    return said


def total(rating: replies.Rating) -> float:
    return rating.clarity + rating.accuracy + rating.usefulness + rating.difficulty


@pytest.fixture(scope="module")
def sample() -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections of the handbook, each with the teacher's own pairs."""
    found = []
    for page in CORPUS:
        for part in re.split(r"\n(?=## )", page.read_text("utf-8"))[1:]:
            pairs = ask("questions", passage=part, title="Handbook", section=part.splitlines()[0][3:], count=8)
            found.append((part, [(pair.question, pair.answer) for pair in pairs]))
    return found


# --- ratings ---------------------------------------------------------------------------------------------------------


def test_most_pairs_of_the_teacher_are_rated_well_and_not_all_alike(sample: Any) -> None:
    rated = [one for passage, pairs in sample for one in of("rating", *pairs, passage=passage)]
    totals = [total(one) for one in rated]
    assert sum(points >= 7 for points in totals) > 0.95 * len(totals) > 400
    assert len({points for points in totals if points >= 7}) >= 5
    assert all(one.grounded for one in rated)


GOOD = ("How long are old logs kept?", "nine years")


def test_half_points_tell_a_number_or_a_condition_from_a_mere_name() -> None:
    name, number, condition = of(
        "rating",
        ("Who keeps the lamp log?", "the Harbour Master"),
        GOOD,
        ("When is film not erased after 33 days?", "if the police have asked for it"),
    )
    assert name.difficulty < number.difficulty < condition.difficulty


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("How long are old logs kept?", "seven years", "seven"),
        ("How long are old logs kept?", "30 months", "nine years"),
        ("Who keeps the lamp log?", "the Harbour Master, Robert Quist", "Robert"),
        ("What is the fee for a copy?", "nine crowns", "14 crowns"),
        ("How long are old logs kept according to this passage?", "nine years", "points outside"),
        ("How long is it kept?", "nine years", "pronoun"),
        ("How long are the logs mentioned above kept?", "nine years", "mentioned above"),
        ("Which old logs are kept for nine years?", "old logs", "only says again"),
        ("How long are old logs kept?", "", "says nothing"),
        ("How long are old logs kept?", "Not stated.", "says nothing"),
        ("How long are old logs kept?", "Old logs are kept for", "cut off"),
        ("How long are old logs kept?", "Old logs are kept for nine", "cut off"),
        ("May a photocopy be accepted?", "Yes, a photocopy may be accepted", "opposite"),
    ],
)
def test_a_clear_fault_is_rated_low_or_not_grounded_and_named(question: str, answer: str, why: str) -> None:
    [bad] = of("rating", (question, answer))
    assert total(bad) < 5 or not bad.grounded
    assert why in bad.reasoning
    assert total(of("rating", GOOD)[0]) >= 7


def test_faults_planted_in_the_handbook_are_found(sample: Any) -> None:
    planted = {"number": [], "name": []}  # type: ignore[var-annotated]
    for passage, pairs in sample:
        for question, answer in pairs:
            if number := re.search(r"\d+", answer):
                planted["number"].append((passage, question, answer.replace(number[0], str(int(number[0]) + 7))))
            if name := re.search(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b", answer):
                planted["name"].append((passage, question, answer.replace(name[0], "Robert Quist")))
    for rows in planted.values():
        checks = [of("fact_check", (q, a), passage=passage)[0] for passage, q, a in rows]
        assert sum(check.verdict == "FAIL" for check in checks) >= 0.98 * len(rows) > 50


def test_a_pair_that_misses_the_topic_is_less_useful() -> None:
    [near], [far] = (of("rating", GOOD, topic=topic) for topic in ("the keeping of logs", "bird migration"))
    assert near.usefulness > far.usefulness
    assert "bird migration" in far.reasoning


def test_a_question_that_is_bound_to_its_section_or_is_no_question_is_less_clear() -> None:
    plain, bound, order = of(
        "rating",
        GOOD,
        ("In the section on records, how long are old logs kept?", "nine years"),
        ("Old logs", "nine years"),
    )
    assert plain.clarity > bound.clarity > order.clarity


# --- facts checked ---------------------------------------------------------------------------------------------------


def test_a_right_answer_passes_with_full_points() -> None:
    [check] = of("fact_check", GOOD)
    assert (check.factual_accuracy, check.completeness, check.consistency, check.verdict) == (10, 10, 10, "PASS")


@pytest.mark.parametrize(
    ("question", "answer", "condition"),
    [
        ("When is film erased?", "after 33 days", "unless the police have asked for it"),
        ("To whom is access to the tower given?", "keepers", "only to keepers with a silver key"),
        ("When must the council be told?", "within six hours", "If more than 20 lamps fail"),
    ],
)
def test_an_answer_without_its_condition_needs_review(question: str, answer: str, condition: str) -> None:
    [check] = of("fact_check", (question, answer))
    assert check.verdict == "NEEDS_REVIEW"
    assert check.completeness < 7
    assert condition in check.reasoning


def test_an_answer_with_its_condition_passes() -> None:
    for pair in (
        ("When is film erased?", "after 33 days unless the police have asked for it"),
        ("When is film erased unless the police have asked for it?", "after 33 days"),
        ("To whom is access to the tower given?", "keepers with a silver key"),
    ):
        assert of("fact_check", pair)[0].verdict == "PASS", pair


def test_numbers_may_be_written_in_digits_or_in_words() -> None:
    right, wrong = of(
        "fact_check", ("How long are old logs kept?", "9 years"), ("How long are old logs kept?", "8 years")
    )
    assert (right.verdict, wrong.verdict) == ("PASS", "FAIL")


def test_a_long_answer_may_gather_what_several_sentences_say() -> None:
    answer = "They are 14 crowns for a copy and nine crowns for a map; old logs are kept for nine years."
    [check] = of("fact_check", ("What are the fees for a copy and a map, and how long are old logs kept?", answer))
    assert check.verdict == "PASS"


def test_a_case_that_a_question_supposes_need_not_stand_in_the_passage() -> None:
    right, wrong = of(
        "rating",
        ("Suppose that 25 lamps fail. Must the council be told?", "Yes, the council must be told within six hours"),
        ("Suppose that 25 lamps fail. Must the council be told?", "Yes, the council must be told within eight hours"),
    )
    assert right.grounded
    assert not wrong.grounded


# --- two compared ----------------------------------------------------------------------------------------------------


def compared(first: tuple[str, str], second: tuple[str, str], passage: str = PASSAGE) -> str:
    sides = {
        name: {"question": q, "answer": a, "passage": passage}
        for name, (q, a) in (("first", first), ("second", second))
    }
    [said] = ask("preference", pairs=[{"id": "x", **sides}])
    assert said.id == "x"
    return str(said.better)


def test_the_better_of_two_pairs_is_preferred_wherever_it_stands() -> None:
    for bad in (("How long is it kept?", "nine years"), ("How long are old logs kept?", "eleven years")):
        assert compared(GOOD, bad) == "first"
        assert compared(bad, GOOD) == "second"


def test_pairs_that_are_as_good_as_each_other_are_neither() -> None:
    assert compared(GOOD, ("How long are letters kept?", "30 months")) == "neither"
    assert compared(GOOD, GOOD) == "neither"


def test_pairs_without_passages_are_compared_by_their_wording() -> None:
    assert compared(GOOD, ("How long are old logs kept?", "eleven years"), passage="") == "neither"
    assert compared(GOOD, ("How long is it kept?", "nine years"), passage="") == "first"


# --- rewrites --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answer", "sentence"),
    [
        ("How long are old logs kept?", "nine years", "Old logs are kept for nine years."),
        ("What happens to a lamp that fails?", "it is sent to the Glass House in Marrow Bay",
         "A lamp that fails is sent to the Glass House in Marrow Bay."),
        ("Is a photocopy accepted?", "No", "No, a photocopy is never accepted."),
        ("Is a photocopy accepted?", "No, a photocopy is never accepted", "No, a photocopy is never accepted."),
    ],
)  # fmt: skip
def test_a_bare_answer_becomes_the_sentence_that_says_it(question: str, answer: str, sentence: str) -> None:
    [said] = of("rewrite", (question, answer))
    assert said.answer == sentence
    assert said.changes != "none"


@pytest.mark.parametrize(
    ("question", "answer", "sentence"),
    [
        ("How long must a branch keep a photo log?", "seven years", "A branch must keep a photo log for seven years."),
        ("What must a branch keep for a year?", "a photo log", "A branch must keep a photo log for a year."),
        ("Who may sign a photo log?", "an inspector", "An inspector may sign a photo log."),
        ("On which form are details recorded?", "K-21", "Details are recorded on form K-21."),
        ("How many branches does the bank have?", "64", "The bank has 64 branches."),
        ("When is the lamp tested?", "every Monday", "The lamp is tested every Monday."),
        ("What is the fee for a search?", "6 crowns", "The fee for a search is 6 crowns."),
        ("How soon must the office be told if a box is lost?", "two days",
         "The office must be told within two days if a box is lost."),
        ("A report is made on which form?", "Form K-60", "A report is made on Form K-60."),
    ],
)  # fmt: skip
def test_a_question_is_turned_into_a_statement_where_no_sentence_says_it(
    question: str, answer: str, sentence: str
) -> None:
    [said] = of("rewrite", (question, answer), passage="Nothing of the kind stands here.")
    assert said.answer == sentence


@pytest.mark.parametrize(
    "pair",
    [
        ("How long are old logs kept?", "Old logs are kept for nine years."),
        ("What is to be done?", "1. Open the box.\n2. Close it."),
        ("Which command is run?", "`make all`"),
        ("In the section on maps, what is the fee?", "5 crowns"),
        ("Tell of it, what of the which?", "seven of the"),
    ],
)
def test_an_answer_that_is_good_or_beyond_the_rules_stays_as_it_is(pair: tuple[str, str]) -> None:
    [said] = of("rewrite", pair)
    assert (said.answer, said.changes) == (pair[1], "none")


def test_rewrites_of_the_handbook_lose_and_add_nothing(sample: Any) -> None:
    rewritten = total_pairs = 0
    for passage, pairs in sample:
        for (question, answer), said in zip(pairs, of("rewrite", *pairs, passage=passage), strict=True):
            given = {"question": question, "answer": answer, "source_text": passage}
            assert difference(given, said.answer) == ""
            rewritten += said.answer != answer
            total_pairs += 1
    assert rewritten > 0.85 * total_pairs


# --- reasoning -------------------------------------------------------------------------------------------------------


def test_reasoning_goes_from_the_question_by_the_passage_to_the_answer() -> None:
    [said] = of("reasoning", GOOD)
    assert said.steps == [
        "The question asks how long old logs are kept.",
        "The passage says: Old logs are kept for nine years.",
        "So the answer is: nine years.",
    ]
    assert said.follows


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What is given only to keepers?", "what is given only to keepers"),
        ("What is the fee for a copy?", "for the fee for a copy"),
        ("Who is Ada Winter?", "who Ada Winter is"),
        ("Must old logs be kept?", "whether old logs must be kept"),
        ("In the section on records, when are logs compared?", "when logs are compared"),
    ],
)
def test_the_first_step_says_what_is_asked(question: str, asks: str) -> None:
    [said] = of("reasoning", (question, "nine years"))
    assert said.steps[0] == f"The question asks {asks}."


def test_a_limit_of_the_evidence_is_a_step_of_its_own() -> None:
    [said] = of("reasoning", ("When is film erased?", "after 33 days"))
    assert any("unless the police have asked for it" in step and "limit" in step for step in said.steps)


def test_an_answer_of_two_sentences_is_led_to_by_both() -> None:
    [said] = of("reasoning", ("What are the fees for a copy and a map?", "14 crowns and nine crowns"))
    fees = {"The fee for a copy is 14 crowns.", "The fee for a map is nine crowns."}
    assert {f"The passage says: {fee}" for fee in fees} < {*said.steps}
    assert said.follows


@pytest.mark.parametrize(("answer", "passage"), [("seven years", PASSAGE), ("30 months", PASSAGE), ("nine years", "")])
def test_a_wrong_answer_and_one_from_nowhere_do_not_follow(answer: str, passage: str) -> None:
    [said] = of("reasoning", ("How long are old logs kept?", answer), passage=passage)
    assert not said.follows
    assert 2 <= len(said.steps) <= 4


def test_without_a_passage_an_answer_follows_that_the_question_has() -> None:
    [said] = of("reasoning", ("Which is larger: 14 crowns or nine crowns?", "14 crowns"), passage="")
    assert said.follows


def test_every_number_and_name_of_an_answer_stands_in_its_steps(sample: Any) -> None:
    followed = asked = 0
    for passage, pairs in sample:
        for (_, answer), said in zip(pairs, of("reasoning", *pairs, passage=passage), strict=True):
            assert missing_facts(answer, "\n".join(said.steps)) == []
            assert answer in said.steps[-1]
            assert 2 <= len(said.steps) <= 4
            followed, asked = followed + said.follows, asked + 1
    assert followed > 0.97 * asked


# --- questions that take reasoning -----------------------------------------------------------------------------------


def reasoned(passage: str = PASSAGE, count: int = 30, **fields: Any) -> dict[str, replies.ReasonedPair]:
    found = ask("reasoned_questions", passage=passage, title="Harbour", section="", **{"count": count, **fields})
    return {pair.question: pair for pair in found}


@pytest.mark.parametrize(
    ("passage", "question", "answer", "step"),
    [
        ("Old logs are kept for two years. Letters are kept for 30 months.",
         "Which are kept longer: old logs or letters?", "letters", "Two years are 24 months."),
        ("The fee for a copy is 14 crowns. The fee for a map is nine crowns.",
         "Which is higher: the fee for a copy or the fee for a map?", "the fee for a copy",
         "14 crowns is more than nine crowns."),
        ("Video from the tower is erased after 33 days unless the police have asked for it.",
         "Is video from the tower erased after 33 days if the police have asked for it?",
         "No, video from the tower is erased after 33 days unless the police have asked for it",
         "Here the exception is met: the police have asked for it."),
        ("If more than 20 lamps fail, the council must be told within six hours.",
         "Suppose that 24 lamps fail. Must the council be told within six hours?",
         "Yes, the council must be told within six hours", "24 is more than 20."),
    ],
)  # fmt: skip
def test_facts_are_compared_and_put_to_cases(passage: str, question: str, answer: str, step: str) -> None:
    pair = reasoned(passage)[question]
    assert pair.answer == answer
    assert step in pair.steps
    assert pair.follows


def test_a_time_limit_is_put_to_a_case_on_the_right_side_of_it() -> None:
    [(question, pair)] = [item for item in reasoned().items() if item[0].endswith("Is the time limit kept?")]
    hours = int(re.findall(r"after (\d+) hours", question)[0])
    assert pair.answer.startswith("Yes" if hours <= 36 else "No")
    assert "Every lamp must be tested within 36 hours." in pair.steps


def test_a_thing_is_asked_about_by_its_other_name() -> None:
    [pair] = [pair for question, pair in reasoned().items() if "the Bright List updated" in question]
    assert "March" in pair.answer
    assert pair.steps[:2] == [
        "The list of lamps is called the Bright List.",
        "The list of lamps is updated every March.",
    ]


def test_what_two_sentences_say_of_one_thing_is_asked_together() -> None:
    text = "The lamp log is kept for nine years. The lamp log is stored in the Glass House."
    [pair] = reasoned(text, count=1).values()
    assert re.search(r", and .* it ", pair.question)
    assert re.search("nine years.*Glass House|Glass House.*nine years", pair.answer)
    assert {"The lamp log is kept for nine years.", "The lamp log is stored in the Glass House."} < set(pair.steps)


def test_an_ordinary_passage_gives_as_many_as_are_asked_for_and_no_more(sample: Any) -> None:
    for passage, _ in sample[::5]:
        found = reasoned(passage, count=5)
        assert len(found) <= 5
        for pair in found.values():
            assert 2 <= len(pair.steps) <= 6
            assert pair.follows
            assert missing_facts(pair.answer, "\n".join(pair.steps)) == []
    assert sum(len(reasoned(passage, count=5)) for passage, _ in sample[:20]) >= 95


def test_the_topic_comes_first() -> None:
    text = "Letters are kept for 30 months. A request is made on Form T-4. Bells are rung every Sunday."
    for key in ("0000beef", "12345678", "7777aaaa"):
        [pair] = ask("reasoned_questions", key, passage=text, title="", section="", count=1, topic="bells")
        assert "bells" in pair.question.lower()


def test_other_seeds_give_other_questions() -> None:
    text = "Letters are kept for 30 months. A request is made on Form T-4. Bells are rung every Sunday."
    drawn = {
        ask("reasoned_questions", key, passage=text, title="", section="", count=1)[0].question
        for key in ("0000beef", "12345678", "7777aaaa", "01020304")
    }
    assert len(drawn) > 1


def test_a_passage_without_facts_gives_none() -> None:
    assert reasoned("## Only a heading") == {}


# --- always ----------------------------------------------------------------------------------------------------------


def test_replies_are_the_same_whatever_the_hash_seed() -> None:
    pairs = [{"id": "a", "question": GOOD[0], "answer": GOOD[1]}, {"id": "b", "question": "Who?", "answer": "Bo Li Ng"}]
    program = f"""
import json
from offline_teacher import teacher
fields = {{"passage": {PASSAGE!r}, "pairs": {pairs!r}, "title": "", "section": "", "count": 9, "topic": "logs"}}
for rule in ("rating", "fact_check", "rewrite", "reasoning", "reasoned_questions"):
    print(json.dumps(teacher.REPLIES[rule](fields, 7)))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert len([json.loads(line) for line in outputs.pop().splitlines()]) == 5


def test_pairs_of_any_text_get_a_reply_that_can_be_read() -> None:
    odd = [("", ""), ("?", "?"), ("Was kostet das?", "Nichts"), ("x" * 3000 + "?", "y" * 3000), ("a\nb?", '"c" (d [')]
    for passage in ("", "    code()\n", "| a | b |\n| - | - |\n| 1 | 2 |\n", "Der Ofen ist hei\u00df. \u2603" * 3):
        for prompt in ("rating", "fact_check", "rewrite", "reasoning"):
            assert len(of(prompt, *odd, passage=passage)) == len(odd)
        assert len(reasoned(passage)) <= 30


def test_hundreds_of_pairs_take_a_second(sample: Any) -> None:
    for prompt in ("rating", "rewrite", "reasoning"):
        began, count = time.perf_counter(), 0
        for passage, pairs in sample[:20]:
            count += len(of(prompt, *pairs, passage=passage))
        assert count / (time.perf_counter() - began) > 100, prompt
