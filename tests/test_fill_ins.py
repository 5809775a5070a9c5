"""Fill-ins: every value of the passages asked for in the document's own words, for the smallest student only."""

from collections.abc import Callable

import pytest

from ai_tools.records import Question, Sample
from ai_tools.steps import fill_ins, mixing, training

MakeSample = Callable[..., Sample]
PASSAGE = """# Lamps

The lamp is tested every Monday by Ada Winter. A keeper calls the Night Warden and fills in leaflet L-5.
A copy of the log costs 14 crowns.

- Logs are kept for nine years.

| harbour | fee | hours |
|---|---|---|
| Pell harbour | 30 crowns | open all day |

```
lamp --test 5
```
"""


@pytest.fixture
def samples(make_sample: MakeSample) -> dict[str, list[Sample]]:
    asked = [("How long are logs kept?", "nine years"), ("What is tested?", "the lamp."), ("Why?", "a b c d e f g")]
    some = [make_sample(question=q, answer=a, source_text=PASSAGE, chunk_id="c1") for q, a in asked]
    return {"key_facts_to_qa": some, "document_based_qa": some[:1]}


def pairs(found: list[Sample]) -> set[tuple[str, str]]:
    return {(one.question, one.answer) for one in found}


def test_each_value_is_left_out_of_its_sentence_once(samples: dict[str, list[Sample]]) -> None:
    found = fill_ins.make(samples)
    assert {
        ("Logs are kept for what.", "nine years"),
        ("The lamp is tested every Monday by what.", "Ada Winter"),
        ("A keeper calls what and fills in leaflet L-5.", "the Night Warden"),
        ("A keeper calls the Night Warden and fills in what.", "leaflet L-5"),
        ("A copy of the log costs what.", "14 crowns"),
        ("Pell harbour, what, open all day", "30 crowns"),
    } <= pairs(found)
    assert len(pairs(found)) == len(found)
    assert not [one for one in found if "--test" in one.question or "Lamps" in one.question]


def test_a_value_stands_in_the_passage_to_the_letter_and_the_rest_is_untouched(
    samples: dict[str, list[Sample]],
) -> None:
    for one in fill_ins.make(samples):
        assert one.answer in PASSAGE
        assert one.question.replace(fill_ins.GAP, one.answer, 1) == one.document


def test_a_fill_in_leads_back_to_its_passage_and_has_an_id_of_its_own(samples: dict[str, list[Sample]]) -> None:
    found = fill_ins.make(samples)
    of = samples["key_facts_to_qa"][0]
    assert {(one.chunk_id, one.document_id, one.source_text) for one in found} == {
        (of.chunk_id, of.document_id, PASSAGE)
    }
    assert {one.recipe for one in found} == {fill_ins.DATASET}
    assert len({one.sample_id for one in found}) == len(found)


def test_long_answers_and_answers_that_stand_nowhere_make_none(samples: dict[str, list[Sample]]) -> None:
    answers = {one.answer for one in fill_ins.make(samples)}
    assert "a b c d e f g" not in answers
    assert fill_ins.make({"key_facts_to_qa": []}) == []


def test_the_order_of_the_samples_does_not_matter(samples: dict[str, list[Sample]]) -> None:
    turned = {name: list(reversed(some)) for name, some in samples.items()}
    assert pairs(fill_ins.make(turned)) == pairs(fill_ins.make(samples))


def test_what_an_exam_asks_is_taken_out_of_the_fill_ins_too(samples: dict[str, list[Sample]]) -> None:
    exam = [
        Question("e1", "A copy of the log costs what?", "14 crowns", ("14 crowns", "9 crowns"), "lamps.md", "recall")
    ]
    clean, dropped, _ = mixing.decontaminate(fill_ins.added(samples), exam)
    assert "14 crowns" not in {one.answer for one in clean[fill_ins.DATASET]}
    assert [one.check for one in dropped] == ["contaminated"]


def test_a_value_that_nothing_else_asks_for_is_asked_for_three_times(make_sample: MakeSample) -> None:
    asked = make_sample(question="Who tests the lamp?", answer="The Night Warden.", chunk_id="c1", recipe="key_facts")
    fills = [
        make_sample(question=q, answer=a, chunk_id=c, recipe=fill_ins.DATASET)
        for q, a, c in (("what tests it", "the Night Warden", "c1"), ("what tests it", "the Night Warden", "c2"))
    ]
    assert fill_ins.repeated([asked, *fills]) == [fills[1]] * 2
    assert fill_ins.repeated([asked]) == []


def test_only_the_recipe_of_the_tiny_student_asks_for_them() -> None:
    assert training.default_recipe("tiny").fill_ins
    assert not training.TINY_BASE_RECIPE.fill_ins
    assert not training.default_recipe("some/model").fill_ins
