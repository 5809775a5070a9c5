"""Lists, tables and definitions read as sentences, and the questions that they give."""

from __future__ import annotations

import pytest

from offline_teacher import facts, wordings

TABLE = """## Fees

| Copy | Fee | Notes | Keeper |
|------|-----|-------|--------|
| a map | 14 crowns | keep dry | Ada Winter |
| the harbour plan | 20 crowns | - | the Tide Office |
"""


def told(passage: str) -> list[str]:
    return [fact.text for fact in facts.facts(passage)]


def answers(passage: str) -> dict[str, str]:
    return {w.question: w.answer for _, found in wordings.asked(passage, "Fees") for w in found if not w.exam}


def test_a_row_of_a_table_says_what_its_header_asks() -> None:
    assert told(TABLE) == [
        "The fee of a map is 14 crowns.",
        "The keeper of a map is Ada Winter.",
        "The fee of the harbour plan is 20 crowns.",
        "The keeper of the harbour plan is the Tide Office.",
    ]
    asked = answers(TABLE)
    assert asked["What is the fee of a map?"] == "14 crowns"
    assert asked["Who is the keeper of a map?"] == "Ada Winter"


def test_a_row_below_a_header_that_was_put_before_it_is_read_like_any_other() -> None:
    continued = "| Copy | Fee |\n|---|---|\n| a chart of the bay | 3 crowns |"
    assert answers(continued)["What is the fee of a chart of the bay?"] == "3 crowns"


@pytest.mark.parametrize(
    "table",
    [
        "| 1 | 2 |\n|---|---|\n| 3 | 4 |",
        "| Lamp | Notes |\n|---|---|\n| red | keep dry |",
        "| Lamp | Applies to |\n|---|---|\n| red | ships |",
        "| Lamp | Fee |\n|---|---|\n| red | - |\n| green |  |",
        "| Lamp | Fee |\n|---|---|\n| red |",
        "| Lamp | Fee |",
        "| Field | Meaning |\n|---|---|\n| 8th | True if the lamp is red |",
        "| Field | Purpose |\n|---|---|\n| lamp | True if the lamp is red |",
    ],
)
def test_a_table_without_named_qualities_says_nothing(table: str) -> None:
    assert told(table) == []


def test_a_list_after_its_lead_is_the_answer_to_which() -> None:
    passage = "The harbour accepts the following documents:\n\n- a passport\n- a licence\n- a letter of the Judge\n"
    assert told(passage) == [
        "The harbour accepts the following documents: a passport, a licence and a letter of the Judge."
    ]
    assert (
        answers(passage)["Which documents does the harbour accept?"]
        == "a passport, a licence and a letter of the Judge"
    )


def test_deeds_after_a_modal_are_facts_of_their_own() -> None:
    passage = "The keeper must:\n\n1. ring the bell;\n2. close the gate before noon; and\n3. call the Tide Office.\n"
    assert told(passage) == [
        "The keeper must ring the bell.",
        "The keeper must close the gate before noon.",
        "The keeper must call the Tide Office.",
    ]


def test_items_that_are_sentences_stay_sentences() -> None:
    assert told("Note well:\n\n- The lamp is red.\n- The bell is old.\n") == ["The lamp is red.", "The bell is old."]


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("- **Berth**: a place where one ship may lie.", "A berth is a place where one ship may lie."),
        (
            "- **Tide table** \u2013 the list of all tides of a year.",
            "The tide table is the list of all tides of a year.",
        ),
        ("- `cut`: the number of copies of a row.", "`cut` is the number of copies of a row."),
    ],
)
def test_a_term_and_its_meaning_are_a_definition(item: str, sentence: str) -> None:
    assert told(item) == [sentence]


@pytest.mark.parametrize("item", ["- **9.7**: Added a new rule about lamps", "- **Berths**: the rule has been dropped"])
def test_a_note_behind_a_bold_word_is_no_definition(item: str) -> None:
    assert told(item) == []


def test_what_a_table_or_list_says_is_found_again_in_the_passage() -> None:
    passage = TABLE + "\nThe keeper must:\n\n- ring the bell\n- close the gate\n"
    for fact in facts.facts(passage):
        assert all(line in passage for line in fact.source.splitlines())


def test_code_html_and_pictures_say_nothing() -> None:
    assert told("```\nThe lamp is red.\n```\n\n<!-- The lamp is red. -->\n\n![The lamp is red.](lamp.png)\n") == []
