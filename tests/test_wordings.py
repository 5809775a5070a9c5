"""Facts and questions made by rules of grammar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ai_tools import english, wordings

CORPUS = sorted((Path(__file__).parents[1] / "assets" / "corpus").glob("*.md"))


def asked(sentence: str, exam: bool = False) -> dict[str, str]:
    fact = wordings.Fact(sentence, "Storage rules", sentence)
    return {w.question: w.answer for w in wordings.wordings(fact) if w.exam == exam}


def texts(passage: str) -> list[str]:
    return [fact.text for fact in wordings.facts(passage)]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "The ledger must be sealed within 36 hours.",
            "Within how many hours must the ledger be sealed?",
            "36 hours",
        ),
        ("Old maps are kept for nine years.", "How long are old maps kept?", "nine years"),
        (
            "The Tide Office checks the pumps every 18 months.",
            "How often does the Tide Office check the pumps?",
            "every 18 months",
        ),
        (
            "Every keeper must record the level on Form T-4.",
            "On which form must every keeper record the level?",
            "Form T-4",
        ),
        ("Complaints are heard by the Harbour Judge.", "Who hears complaints?", "the Harbour Judge"),
        ("Complaints are heard by the Harbour Judge.", "By whom are complaints heard?", "the Harbour Judge"),
        ("The Head of Pumps is Ada Winter.", "Who is the Head of Pumps?", "Ada Winter"),
        ("The Head of Pumps is Ada Winter.", "What is the role of Ada Winter?", "the Head of Pumps"),
        ("The list of wrecks is called the Grey Roll.", "What is the list of wrecks called?", "the Grey Roll"),
        ("The list of wrecks is called the Grey Roll.", "What is the Grey Roll?", "the list of wrecks"),
        (
            "If the pump fails, the keeper must ring the bell.",
            "What must the keeper do if the pump fails?",
            "ring the bell",
        ),
        (
            "If the pump fails, the keeper must ring the bell.",
            "Under what condition must the keeper ring the bell?",
            "if the pump fails",
        ),
        (
            "A raft may carry no more than six barrels.",
            "How many barrels may a raft carry?",
            "no more than six barrels",
        ),
        ("A permit must not be older than 40 days.", "How old may a permit be at most?", "40 days"),
        (
            "A berth is a place where one ship may lie.",
            'What does the term "berth" mean?',
            "a place where one ship may lie",
        ),
        ("Tin chests are stored in Marrow Bay.", "Where are tin chests stored?", "in Marrow Bay"),
        ("A wet rope is never accepted.", "Is a wet rope accepted?", "No, a wet rope is never accepted"),
        (
            "There are three kinds of lamp: red, green and white.",
            "What are the three kinds of lamp?",
            "red, green and white",
        ),
    ],
)
def test_a_fact_gets_the_question_that_a_careful_person_would_ask(sentence: str, question: str, answer: str) -> None:
    assert asked(sentence).get(question) == answer


def test_verbs_agree_with_their_subject_after_do_support_and_inversion() -> None:
    assert "How long do keepers hold the key?" in asked("Keepers hold the key for two days.")
    assert "How long does a keeper hold the key?" in asked("A keeper holds the key for two days.")
    assert "How long did the keeper hold the key?" in asked("The keeper held the key for two days.")


def test_a_sentence_is_split_into_facts_that_stand_alone() -> None:
    found = texts(
        "The Lamp Board meets in May and publishes a bulletin. It has nine members, and the chair is Ada Winter, "
        "who leads the harbour school."
    )
    assert found == [
        "The Lamp Board meets in May.",
        "The Lamp Board publishes a bulletin.",
        "The Lamp Board has nine members.",
        "The chair is Ada Winter.",
        "Ada Winter leads the harbour school.",
    ]


def test_a_short_name_is_replaced_by_the_full_one_before_it() -> None:
    found = texts("An ownership chart is required. The chart must be signed by two people.")
    assert "The ownership chart must be signed by two people." in found


def test_a_condition_is_kept_with_every_clause_that_depends_on_it() -> None:
    found = texts("If the lamp breaks, the keeper rings the bell and the ferry stops at once.")
    assert len(found) == 2
    assert all(text.startswith("If the lamp breaks, ") for text in found)


def test_code_tables_and_headings_give_no_sentences() -> None:
    passage = (
        "# Pumps are good here.\n\n```\nThe pump is here.\n```\n\n| a | b |\n|---|---|\n| The cell is full. | 2 |\n"
    )
    assert wordings.sentences(passage) == []


def test_an_abbreviation_a_number_and_a_quotation_do_not_end_a_sentence() -> None:
    passage = 'The fee is 1.40 crowns, e.g. for Mr. Ward. The phrase is "Is it wet? Is it dry?" and nothing else.'
    assert [s.text for s in wordings.sentences(passage)] == [
        "The fee is 1.40 crowns, e.g. for Mr. Ward.",
        'The phrase is "Is it wet? Is it dry?" and nothing else.',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Die Akte wird nach drei Jahren vernichtet. Der Bericht bleibt im Archiv.",
        "Le registre est gardé pendant trois ans. La clef reste au port.",
        "数据保存三年。",
        "x = 3; y = f(x) && !z",
        "",
    ],
)
def test_text_that_is_no_english_prose_gives_no_question(text: str) -> None:
    assert [w for fact in wordings.facts(text) for w in wordings.wordings(fact)] == []


def test_a_question_on_something_vague_names_its_section_or_is_not_asked() -> None:
    sentence = "The list is kept by the Lamp Board."
    with_section = asked(sentence)
    assert with_section
    assert all("the list" not in q.lower() or q.startswith("In the section on storage rules") for q in with_section)
    assert not [w for w in wordings.wordings(wordings.Fact(sentence, "", sentence)) if "the list" in w.question.lower()]


@pytest.mark.parametrize("page", CORPUS, ids=lambda p: p.stem)
def test_every_page_of_the_sample_handbook_is_covered_by_sound_questions(page: Path) -> None:
    passage = page.read_text()
    names = wordings.proper_words(passage)
    numbers = set(re.findall(r"\d[\d.,:]*\d|\d", passage))
    asked_of: dict[str, int] = {}
    for fact in wordings.facts(passage):
        assert fact.source in passage
        for w in wordings.wordings(fact, names):
            assert w.question[0].isupper()
            assert w.question.endswith("?")
            assert not re.search(r"  | ,|\?\?|\b(this|these|such) ", w.question)
            assert set(re.findall(r"\d[\d.,:]*\d|\d", w.answer)) <= numbers
            asked_of[fact.source] = asked_of.get(fact.source, 0) + (not w.exam)
    sentences = [s.text for s in wordings.sentences(passage)]
    assert sum(bool(asked_of.get(text)) for text in sentences) / len(sentences) >= 0.88
    assert sum(asked_of.values()) / len(sentences) >= 3.5


def test_exam_and_training_wordings_never_meet_in_the_sample_handbook() -> None:
    training: set[str] = set()
    exam: set[str] = set()
    for page in CORPUS:
        names = wordings.proper_words(page.read_text())
        for fact in wordings.facts(page.read_text()):
            for w in wordings.wordings(fact, names):
                (exam if w.exam else training).add(w.question)
    assert len(exam) > 500
    assert training.isdisjoint(exam)


@pytest.mark.parametrize(
    ("sentence", "subject", "verb", "voice"),
    [
        ("A lamp that fails must be replaced.", "A lamp that fails", "replaced", "passive"),
        ("Boxes sent to the vault carry a label.", "Boxes sent to the vault", "carry", "active"),
        ("The bell has been rung.", "The bell", "rung", "passive"),
        ("A change of signatory takes effect in May.", "A change of signatory", "takes", "active"),
    ],
)
def test_the_main_verb_is_found_behind_relative_clauses_and_participles(
    sentence: str, subject: str, verb: str, voice: str
) -> None:
    clause = english.parse(sentence)
    assert clause is not None
    assert (clause.subject, clause.verb, clause.voice) == (subject, verb, voice)


def test_what_has_no_finite_verb_is_not_read_as_a_clause() -> None:
    assert english.parse("The harbour in the north of the island.") is None
