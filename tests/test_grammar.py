"""Whether a sentence is read whole, and what speaks against its reading."""

from __future__ import annotations

import pytest

from offline_teacher import clauses, doubt, grammar, wordings
from offline_teacher.facts import Fact


@pytest.mark.parametrize(
    ("sentence", "outline"),
    [
        ("The keeper rings a bell if the pump fails.", "nvnsnv"),
        ("A lamp that fails must be replaced within two days.", "nwvvin"),
        ("The guard, Ada Winter, is asked to sign the list.", "nvtn"),
        ("They are counted every Sunday.", "ovr"),
    ],
)
def test_an_outline_has_one_letter_for_each_phrase(sentence: str, outline: str) -> None:
    assert grammar.outline(sentence) == outline


@pytest.mark.parametrize(
    "sentence",
    [
        "The box contains a key, a map of the bay and the old seal.",
        "Lamps sent to the island carry a label with a number.",
        "If the harbour is closed, the ferry must not leave before the signal is given.",
        "The permit must be valid on the day it is shown.",
        "The Judge decides how many boats may lie in the bay and where they are moored.",
    ],
)
def test_a_plain_sentence_is_read_whole(sentence: str) -> None:
    assert grammar.whole(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The keeper the bell rings of.",
        "Rings the bell when the pump.",
        "The pump is tested - see the guide - and is cleaned.",
        "The keeper rings and with the bell.",
        "",
    ],
)
def test_what_is_no_single_clause_is_not_read_whole(sentence: str) -> None:
    assert not grammar.whole(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Changes to the contents of harbour files.",  # a heading, with "files" as its verb
        "Entries in the main source control information list with a number.",  # a compound, with "control" as its verb
        "Package must be built in a clean room.",  # a note without articles
        "The script sends options to the tool that cause less output.",  # whose are they?
        "The entries of which are listed help the guard.",
        "The old stanzas somtimes mark a change of the tide.",  # a word that nobody knows before the verb
        "An example installs the old lamp in the harbour.",
    ],
)
def test_a_doubtful_reading_gives_no_question(sentence: str) -> None:
    assert wordings.wordings(Fact(sentence, "Notes", sentence)) == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "The ferry stops.",
        "Branches report changes to the office.",
        "Information about the tide is free.",
        "The letters of the guard are kept in a box.",
        "A score above 80 points closes the harbour.",
    ],
)
def test_a_sure_reading_is_not_doubted(sentence: str) -> None:
    clause = clauses.parse(sentence)
    assert clause is not None
    assert not doubt.doubtful(sentence, clause)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("the key of the old harbour", True),
        ("a place where one ship may lie", True),
        ("both the key and the seal", True),
        ("both the key", False),
        ("surrounded by a wall", False),
        ("entirely of wood", False),
    ],
)
def test_a_thing_is_a_noun_phrase_with_all_that_belongs_to_it(text: str, thing: bool) -> None:
    assert grammar.is_thing(text) is thing


def test_long_lists_and_nonsense_are_judged_at_once() -> None:
    assert not grammar.whole("the bell " * 400)
    assert not grammar.whole(", ".join(["the bell of the harbour"] * 60))
