"""Passages read as sentences, clauses and facts."""

from __future__ import annotations

import pytest

from offline_teacher import clauses, facts


def texts(passage: str) -> list[str]:
    return [fact.text for fact in facts.facts(passage)]


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
    assert facts.sentences(passage) == []


def test_an_abbreviation_a_number_and_a_quotation_do_not_end_a_sentence() -> None:
    passage = 'The fee is 1.40 crowns, e.g. for Mr. Ward. The phrase is "Is it wet? Is it dry?" and nothing else.'
    assert [s.text for s in facts.sentences(passage)] == [
        "The fee is 1.40 crowns, e.g. for Mr. Ward.",
        'The phrase is "Is it wet? Is it dry?" and nothing else.',
    ]


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
    clause = clauses.parse(sentence)
    assert clause is not None
    assert (clause.subject, clause.verb, clause.voice) == (subject, verb, voice)


def test_what_has_no_finite_verb_is_not_read_as_a_clause() -> None:
    assert clauses.parse("The harbour in the north of the island.") is None


def test_links_emphasis_and_footnote_marks_are_taken_out_but_code_stays() -> None:
    found = facts.plain("The *old* lamp[[3]](#f3) in [Marrow Bay](bay.html) keeps `a/*/b` and `c/*/d` dry.")
    assert found == "The old lamp in Marrow Bay keeps `a/*/b` and `c/*/d` dry."


def test_what_is_struck_out_is_no_part_of_a_fact() -> None:
    assert facts.plain("The fee is ~~30~~ 60 crowns ~~a year~~.") == "The fee is 60 crowns."


def test_a_sentence_that_only_points_elsewhere_is_no_fact() -> None:
    assert texts("The format of the ledger is described in Ledger formats. The lamp is red.") == ["The lamp is red."]


def test_pronouns_stand_for_what_was_named_before() -> None:
    found = texts("The Lamp Board meets in May. Its chair is Ada Winter. She leads the harbour school.")
    assert found[1:] == ["The Lamp Board's chair is Ada Winter.", "Ada Winter leads the harbour school."]


@pytest.mark.parametrize(
    "sentence",
    [
        "A ROW, PULL, or TURN of the lamp must be written down by the keeper.",  # a list is no apposition
        "The builds for rafts, ferries, and boats include a bell.",
        "The changes concern all users of the ports for rafts, ferries, and boats and that burn oil.",
        "A dredger is only able to leave, and to return by night, if the gate is open.",
    ],
)
def test_a_list_is_not_taken_apart(sentence: str) -> None:
    assert len(texts(sentence)) <= 1


def test_what_follows_a_condition_that_a_list_shares_is_no_fact() -> None:
    assert texts("The gate is shut if any of these is so:\n\n- The tide is low.\n- The bell is broken.\n") == []


def test_a_relative_clause_tells_of_a_thing_that_is_named() -> None:
    found = texts("The lamp is filled with oil, which is stored in the tower.")
    assert "Oil is stored in the tower." not in found
    found = texts("The lamp is kept by the Tide Office, which opens at noon.")
    assert "The Tide Office opens at noon." in found


def test_a_consequence_behind_and_so_is_left_out() -> None:
    assert texts("Wet ropes weigh nine kilograms and so their use is rare.") == ["Wet ropes weigh nine kilograms."]


def test_it_does_not_stand_for_two_things_or_for_what_is_impersonal() -> None:
    assert texts("The lamp and the bell are old. It must be cleaned by the Judge.") == [
        "The lamp and the bell are old."
    ]
    found = texts("The lamp is old. It is the duty of the keeper to clean and fill the glass.")
    assert not any("The lamp is the duty" in text for text in found)


def test_words_that_tie_a_sentence_to_the_one_before_are_left_out() -> None:
    found = texts("In the bay, however, pilots carry 12 lamps. The keeper must, therefore, count the lamps.")
    assert found == ["In the bay, pilots carry 12 lamps.", "The keeper must count the lamps."]


def test_instead_of_opens_a_phrase_and_no_sentence() -> None:
    assert not any(text.startswith("Of ") for text in texts("Instead of ringing a bell, the keeper lights a lamp."))
