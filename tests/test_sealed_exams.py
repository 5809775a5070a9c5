"""The exams that benchmarks keep sealed: on pages that nothing was tuned for, and further ones on the handbook.

They were written from the pages alone, before anything was trained on these; `indirect` questions name a thing by what
else the page says of it, and their answers may have to be put together.
"""

from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from ai_tools.matching import contains, near_duplicates, ngrams, normalise
from ai_tools.records import Question
from ai_tools.steps.evaluation import load_exam

ASSETS = Path(__file__).parents[1] / "assets"
BENCHMARKS = Path(__file__).parent / "benchmarks"
PAGES = {"other_exam": BENCHMARKS / "other_corpus", "real_exam": ASSETS / "corpus"}
# Small enough together for a real student on two cores, so they are asked more than the other pages.
TWO_PAGES = ["02_chronicle.md", "06_people.md"]

Sealed = tuple[str, list[Question]]


@pytest.fixture(params=PAGES)
def sealed(request: pytest.FixtureRequest) -> Sealed:
    """An exam's name and its questions."""
    return request.param, load_exam(BENCHMARKS / f"{request.param}.jsonl")


def test_no_two_questions_share_an_id_or_their_words(sealed: Sealed) -> None:
    _, questions = sealed
    assert len({one.id for one in questions}) == len({normalise(one.question) for one in questions}) == len(questions)


def test_each_question_has_four_options_of_which_none_holds_another(sealed: Sealed) -> None:
    _, questions = sealed
    for one in questions:
        assert len(one.options) == 4, one.id
        assert one.options.count(one.answer) == 1, one.id
        assert not [pair for pair in permutations(one.options, 2) if contains(*pair)], one.id


def test_no_place_among_the_options_is_the_answers_more_often_than_others(sealed: Sealed) -> None:
    _, questions = sealed
    for kind in ("direct", "indirect"):
        asked = [one for one in questions if one.kind == kind]
        places = Counter(one.options.index(one.answer) for one in asked)
        assert min(places[place] for place in range(4)) >= len(asked) / 6


def test_a_direct_answer_is_said_word_for_word_by_its_page(sealed: Sealed) -> None:
    name, questions = sealed
    direct = [one for one in questions if one.kind == "direct"]
    pages = {path.name: path.read_text("utf-8") for path in PAGES[name].glob("*.md")}
    assert [one.id for one in direct if not contains(pages[one.document], one.answer)] == []


def test_the_questions_are_spread_over_pages_and_kinds() -> None:
    other = Counter((one.document, one.kind) for one in load_exam(BENCHMARKS / "other_exam.jsonl"))
    pages = {path.name for path in PAGES["other_exam"].iterdir()}
    assert other == {(page, kind): 8 if page in TWO_PAGES else 6 for page in pages for kind in ("direct", "indirect")}
    real = load_exam(BENCHMARKS / "real_exam.jsonl")
    most_asked = Counter(one.document for one in load_exam(ASSETS / "exam.jsonl")).most_common(3)
    assert Counter(one.document for one in real) == {page: 20 for page, _ in most_asked}
    assert sum(one.kind == "indirect" for one in real) == 20


def test_the_pages_have_the_length_that_the_benchmarks_count_on() -> None:
    lengths = {path.name: len(path.read_text("utf-8").split()) for path in PAGES["other_exam"].iterdir()}
    assert len(lengths) == 6
    assert [name for name, length in lengths.items() if not 600 <= length <= 900] == []
    assert sum(lengths[name] for name in TWO_PAGES) <= 1600


def test_no_question_is_one_of_another_exam(sealed: Sealed) -> None:
    name, questions = sealed
    others = [ASSETS / "exam.jsonl", *(path for path in BENCHMARKS.glob("*exam*.jsonl") if path.stem != name)]
    known = [one.question for path in others for one in load_exam(path)]
    runs = {gram for question in known for gram in ngrams(question)}
    assert [one.id for one in questions if ngrams(one.question) & runs] == []
    assert [questions[i].question for i, _, _ in near_duplicates([one.question for one in questions], known)] == []
