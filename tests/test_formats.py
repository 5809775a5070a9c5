"""Shapes for other tools: chat messages, one-pair-a-line files, the InstructLab taxonomy."""

from collections.abc import Callable

import yaml

from ai_tools import formats
from ai_tools.records import Sample

MakeSample = Callable[..., Sample]


def test_reasoning_stays_with_its_own_answer() -> None:
    assert formats.messages("When?", "At noon.", "Because.") == [
        {"role": "user", "content": "When?", "thinking": None},
        {"role": "assistant", "content": "At noon.", "thinking": "Because."},
    ]
    assert formats.messages("When?", "At noon.")[1]["thinking"] is None


def test_a_pair_line_leads_back_to_its_sample_chunk_and_document(make_sample: MakeSample) -> None:
    sample = make_sample(key_fact="The bell rings at noon.", draw=4)
    row = formats.qagen_row(sample, "bells.md")
    assert list(row)[:7] == [
        "doc_id",
        "chunk_id",
        "qac_id",
        "context",
        "question",
        "answer",
        "generated_question",
    ]
    assert list(row)[7:] == ["generated_answer", "created", "model", "paths", "labels", "critiques", "metadata"]
    assert (row["doc_id"], row["chunk_id"], row["qac_id"]) == ("d1", "c1", sample.sample_id)
    assert (row["context"], row["answer"]) == (sample.raw_document, "At noon.")
    assert row["paths"] == ["bells.md"]
    assert row["labels"] == {"information": "extractive_summary"}
    assert row["metadata"]["key_fact"] == "The bell rings at noon."


def some(make_sample: MakeSample, document: str, chunk: str, answers: str) -> list[Sample]:
    return [
        make_sample(
            f"Question {n} of {chunk}?", answer, document_id=document, chunk_id=chunk, raw_document=f"Text {chunk}."
        )
        for n, answer in enumerate(answers)
    ]


def test_seed_examples_are_taken_in_turn_from_every_document(make_sample: MakeSample) -> None:
    samples = [
        *some(make_sample, "d1", "c1", "abcd"),
        *some(make_sample, "d1", "c2", "abc"),
        *some(make_sample, "d2", "c3", "abc"),
        *some(make_sample, "d2", "c4", "ab"),  # too few answers for a context of three
        *some(make_sample, "d2", "c5", "aabb"),  # likewise: two different ones
    ]
    found = formats.qna_examples(samples, 5)
    assert [[one.chunk_id for one in group] for group in found] == [["c1"] * 3, ["c3"] * 3, ["c2"] * 3]
    assert [one.response for one in found[0]] == ["a", "b", "c"]
    assert len(formats.qna_examples(samples, 2)) == 2


def test_the_taxonomy_file_is_valid_and_loses_no_character(make_sample: MakeSample) -> None:
    text = "Fünf: 'Glocken' # läuten\n\n  - one: two\n  trailing \t\n\u2028 [1]\n"
    group = [make_sample(f"Q{n}: what?", f"A\n{n} ", raw_document=text) for n in range(3)]
    source = formats.qna_yaml([group], domain="bells", outline="the bell: book", source="docs/bells")
    content = yaml.safe_load(source)
    assert content["version"] == 3
    assert list(content) == ["version", "created_by", "domain", "document_outline", "seed_examples", "document"]
    example = content["seed_examples"][0]
    assert example["context"] == text
    assert example["questions_and_answers"] == [{"question": f"Q{n}: what?", "answer": f"A\n{n} "} for n in range(3)]
    assert content["document"]["repo"] == "bells"
    assert content["document"]["patterns"] == ["*"]
    assert content["document_outline"] == "the bell: book"


def test_text_of_several_lines_is_written_as_a_block_that_people_can_edit(make_sample: MakeSample) -> None:
    group = [make_sample(f"Q{n}", raw_document="# Bells\n\nThey ring.") for n in range(3)]
    source = formats.qna_yaml([group], domain="bells", outline="o", source="docs")
    assert "- context: |-\n    # Bells\n\n    They ring.\n" in source


def test_the_commit_names_what_is_quoted(make_sample: MakeSample) -> None:
    def commit(text: str) -> str:
        source = formats.qna_yaml([[make_sample(raw_document=text)]], domain="", outline="", source="docs")
        return str(yaml.safe_load(source)["document"]["commit"])

    assert commit("a") == commit("a") != commit("b")
