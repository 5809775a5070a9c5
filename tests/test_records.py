"""Records and the rows that they are in files."""

from collections.abc import Callable

from ai_tools.records import Sample
from ai_tools.steps.review import Decision


def test_a_sample_stands_in_files_under_the_promised_names_and_comes_back(make_sample: Callable[..., Sample]) -> None:
    sample = make_sample("When?", "At noon.", reasoning="1. It is noon.", source_text="The bell rings at noon.")
    row = sample.to_row()
    assert [*row] == [
        *("sample_id", "recipe", "chunk_id", "document_id", "draw", "document_outline", "domain", "document"),
        *("raw_document", "question", "response", "model", "prompt_version", "type", "key_fact", "reasoning"),
        *("faithfulness_judgment", "faithfulness_explanation", "source_text"),
    ]
    assert (row["response"], row["raw_document"], row["source_text"]) == ("At noon.", *[sample.source_text] * 2)
    assert Sample.from_row(row) == sample
    assert Sample.from_row(row | {"raw_document": "As it was.", "answer": "None of its own."}).answer == "At noon."
    assert Sample.from_row(row | {"raw_document": "As it was."}).source_text == "As it was."


def test_the_samples_of_all_datasets_have_the_same_keys_of_the_same_types(make_sample: Callable[..., Sample]) -> None:
    told = {"key_fact": "It rings.", "reasoning": "So.", "faithfulness_judgment": "NO", "faithfulness_explanation": "?"}
    bare, full = (make_sample(**changes).to_row() for changes in ({"faithfulness_judgment": ""}, told))
    assert {name: type(value) for name, value in bare.items()} == {name: type(value) for name, value in full.items()}
    assert make_sample(rating=7.5).to_row()["rating"] == 7.5


def test_a_decision_says_response_in_its_file() -> None:
    row = Decision("s", "edit", answer="At dusk.", written=("When?", "At noon.")).to_row()
    assert (row["response"], "answer" in row) == ("At dusk.", False)
    assert Decision.from_row(row | {"written": [*row["written"]]}).answer == "At dusk."
