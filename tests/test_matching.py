"""Text against text: what counts as the same words, the same question, the same answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_tools.matching import contains, near_duplicates, ngrams, normalise, token_f1, words


@given(st.text() | st.lists(st.sampled_from(["1,260", "K-10", "a1,2b", "İ", "ΑΣ", "11:00.", "_", "é"])).map(" ".join))
@settings(deadline=None)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(), st.sampled_from(["?", "!", " ", "…", '"', "\n"]))
@settings(deadline=None)
def test_case_and_punctuation_around_a_text_do_not_count(text: str, mark: str) -> None:
    assert normalise(f"{mark}{text}{mark}") == normalise(text)
    assert normalise("WHO RINGS THE BELL") == normalise("Who rings the bell?")


def test_numbers_stay_whole_and_words_of_any_script_count() -> None:
    assert words("At 11:00, 1,260 tessars (K-10)!") == ["at", "11:00", "1,260", "tessars", "k", "10"]
    assert words("Überprüfung 漢字 Москва") == ["überprüfung", "漢字", "москва"]


def test_the_title_in_front_of_a_question_is_taken_off_once() -> None:
    assert normalise("In the Bell Book, who rings?", "The bell book") == "who rings"
    assert normalise("Who rings in the bell book?", "the bell book") == "who rings in the bell book"
    assert normalise("In May, who rings?", "") == "in may who rings"


def test_ngrams_are_all_runs_of_words_and_none_of_a_short_text() -> None:
    assert ngrams("one two three four", 3) == {("one", "two", "three"), ("two", "three", "four")}
    assert ngrams("one two three four five six seven") == set()
    assert len(ngrams("one two three four five six seven eight")) == 1


def test_near_duplicates_are_found_by_their_shared_words() -> None:
    found = near_duplicates(
        ["Who rings the big bell at noon?", "Where is the lamp?"],
        ["When is tea?", "At noon, who rings a big bell daily?"],
    )
    assert found == [(0, 1, 0.857)]


def test_near_duplicates_of_a_text_with_itself_are_complete_and_empty_texts_match_nothing() -> None:
    assert near_duplicates(["Bell?"], ["bell"], threshold=1.0) == [(0, 0, 1.0)]
    assert near_duplicates(["", "the"], ["", "a"]) == []


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("It rings at noon, daily.", "at noon", True),
        ("The Chief Officer decides.", "a chief officer", True),
        ("It rings at 11:00.", "1", False),
        ("Nothing.", "", False),
        ("noon at", "at noon", False),
    ],
)
def test_an_answer_is_contained_where_its_words_stand_in_a_row(text: str, answer: str, expected: bool) -> None:
    assert contains(text, answer) is expected


def test_f1_is_the_overlap_of_two_bags_of_words() -> None:
    assert token_f1("the bell at noon", "bell noon") == pytest.approx(0.8)
    assert token_f1("bell bell", "bell") == pytest.approx(2 / 3)
    assert (token_f1("", ""), token_f1("", "bell"), token_f1("a", "the")) == (1.0, 0.0, 1.0)
