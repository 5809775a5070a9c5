"""Shapes for other tools: chat messages, one-pair-a-line files, the InstructLab taxonomy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import yaml

from ai_tools.records import Sample
from ai_tools.steps import formats

MakeSample = Callable[..., Sample]


def test_reasoning_stays_with_its_own_answer() -> None:
    assert formats.messages("When?", "At noon.", "Because.") == [
        {"role": "user", "content": "When?", "thinking": ""},
        {"role": "assistant", "content": "At noon.", "thinking": "Because."},
    ]
    assert all("thinking" not in turn for turn in formats.messages("When?", "At noon."))


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
    assert (row["context"], row["answer"]) == (sample.source_text, "At noon.")
    assert row["paths"] == ["bells.md"]
    assert row["labels"] == {"information": "extractive_summary"}
    assert row["metadata"]["key_fact"] == "The bell rings at noon."


def some(make_sample: MakeSample, document: str, chunk: str, answers: str) -> list[Sample]:
    return [
        make_sample(
            f"Question {n} of {chunk}?", answer, document_id=document, chunk_id=chunk, source_text=f"Text {chunk}."
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
    assert [one.answer for one in found[0]] == ["a", "b", "c"]
    assert len(formats.qna_examples(samples, 2)) == 2


def test_passages_too_long_for_a_context_come_after_all_others(make_sample: MakeSample) -> None:
    long = [replace(one, source_text="word " * 400) for one in some(make_sample, "d1", "c1", "abc")]
    short = [*some(make_sample, "d1", "c2", "abc"), *some(make_sample, "d2", "c3", "abc"), *long]
    assert [group[0].chunk_id for group in formats.qna_examples([*long, *short], 3)] == ["c2", "c3", "c1"]


def test_one_question_with_two_answers_is_no_two_pairs_of_a_context(make_sample: MakeSample) -> None:
    twice = [*some(make_sample, "d1", "c1", "ab"), make_sample("Question 0 of c1?", "c", document_id="d1")]
    assert formats.qna_examples(twice, 5) == []


# The layout that the InstructLab taxonomy publishes for knowledge, version 3, in our own words.
TEXT = {"type": "string", "minLength": 1}
PAIR = {"type": "object", "required": ["question", "answer"], "properties": {"question": TEXT, "answer": TEXT}}
SEED_EXAMPLE = {
    "type": "object",
    "required": ["context", "questions_and_answers"],
    "additionalProperties": False,
    "properties": {
        "context": TEXT,
        "questions_and_answers": {"type": "array", "minItems": 3, "uniqueItems": True, "items": PAIR},
    },
}
KNOWLEDGE_V3 = {
    "type": "object",
    "required": ["version", "created_by", "domain", "document_outline", "seed_examples", "document"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 3},
        "created_by": TEXT | {"pattern": r"^\S+$"},
        "domain": TEXT,
        "document_outline": TEXT,
        "seed_examples": {"type": "array", "minItems": 5, "uniqueItems": True, "items": SEED_EXAMPLE},
        "document": {
            "type": "object",
            "required": ["patterns"],
            "additionalProperties": False,
            "properties": {
                "repo": {"type": "string"},
                "commit": {"type": "string"},
                "patterns": {"type": "array", "minItems": 1, "uniqueItems": True, "items": TEXT},
            },
        },
    },
}
ROWS = [{"source": "a.md", "sha256": "1"}, {"source": "b.html", "sha256": "2"}]


def taxonomy(examples: list[list[Sample]], **changes: Any) -> str:
    options = {"domain": "bells", "outline": "the bell: book", "source": "docs/bells", "documents": ROWS} | changes
    return formats.qna_yaml(examples, **options)


def faults_of_form(source: str) -> list[str]:
    """What the taxonomy's linter rejects or warns of: long lines, spaces at line ends, gaps, the end of the file."""
    lines = source.split("\n")
    faults = [f"line {n}: long" for n, line in enumerate(lines, 1) if len(line) > 120]
    faults += [f"line {n}: spaces" for n, line in enumerate(lines, 1) if line != line.rstrip()]
    faults += ["gap"] if "\n\n\n\n" in source else []
    faults += ["end of file"] if not source.endswith("\n") or source.endswith("\n\n") else []
    return faults + (["tab"] if "\t" in source else [])


def five(make_sample: MakeSample, text: str) -> list[list[Sample]]:
    return [
        [make_sample(f"Q{n}: what?", f"A{n}: 'that', # this", source_text=f"{c}. {text}") for n in range(3)]
        for c in range(5)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "They ring.",
        "# Bells\n\nThey ring" + " and ring" * 300 + ".\n\n\n\n- one: two  \n\t- three\n",
        "F\u00fcnf: 'Glocken' # l\u00e4uten \U0001f514 \u2028 [1] {x} & *y* !z %a @b `c`\x07\r\n",
        "```\n\tring()\n\n\n\n    twice  \n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "- " + "a long point " * 30,
    ],
)
def test_the_taxonomy_file_is_valid_and_well_formed_whatever_the_passages_are(
    make_sample: MakeSample, text: str
) -> None:
    source = taxonomy(five(make_sample, text))
    content = yaml.safe_load(source)
    jsonschema.validate(content, KNOWLEDGE_V3)
    assert faults_of_form(source) == []
    assert source.count("- context: |") == 5, "a block, which people can read and edit"
    words = ["".join(filter(str.isprintable, word)) for word in f"0. {text}".split()]
    assert content["seed_examples"][0]["context"].split() == list(filter(None, words)), "no word is lost"
    assert content["seed_examples"][0]["questions_and_answers"] == [
        {"question": f"Q{n}: what?", "answer": f"A{n}: 'that', # this"} for n in range(3)
    ]
    assert content["document_outline"] == "the bell: book"


def test_the_test_of_the_layout_sees_what_is_not_valid(make_sample: MakeSample) -> None:
    good = yaml.safe_load(taxonomy(five(make_sample, "Text.")))
    for bad in (
        good | {"version": 2},
        good | {"domain": ""},
        good | {"extra": 1},
        good | {"seed_examples": good["seed_examples"][:4]},
        good | {"seed_examples": [good["seed_examples"][0]] * 5},
        good | {"document": {"repo": "x"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, KNOWLEDGE_V3)
    assert faults_of_form("a: b \n" + "c" * 121) == ["line 2: long", "line 1: spaces", "end of file"]


def test_tables_and_code_keep_their_lines_and_prose_is_wrapped(make_sample: MakeSample) -> None:
    row = "| " + " | ".join("cell" for _ in range(40)) + " |"
    text = f"{'word ' * 50}\n\n{row}\n\n```\n{'call() ' * 30}\n```\n\n- {'point ' * 40}"
    context = yaml.safe_load(taxonomy(five(make_sample, text)))["seed_examples"][0]["context"]
    lines = context.split("\n")
    assert row in lines
    assert ("call() " * 30).rstrip() in lines
    assert max(len(line) for line in lines if "word" in line or "point" in line) <= 108
    assert lines[-1].startswith("  point"), "what a point goes on with stands below it"


def test_answers_come_back_as_they_were_written(make_sample: MakeSample) -> None:
    answers = ["A\n\n- one\n- two ", " leading", "tab\there", "very long " * 40, "yes", "12:30", "\u2028"]
    groups = [[make_sample(f"Q{n}", answer, source_text=f"T{n}") for n, answer in enumerate(answers)] for _ in range(5)]
    content = yaml.safe_load(taxonomy(groups))
    assert [pair["answer"] for pair in content["seed_examples"][0]["questions_and_answers"]] == answers


def test_fewer_than_five_contexts_are_written_with_a_warning(make_sample: MakeSample) -> None:
    with pytest.warns(UserWarning, match="qna.yaml: 4 seed examples, and the taxonomy asks for 5"):
        content = yaml.safe_load(taxonomy(five(make_sample, "Text.")[:4]))
    assert len(content["seed_examples"]) == 4


@pytest.mark.parametrize(
    ("source", "repo"),
    [
        ("docs/bells", "bells"),
        ("docs/bells/", "bells"),
        ("manual.pdf", "manual.pdf"),
        ("docs/bells/**/*.md", "bells"),
        ("https://example.org/a/b.html", "example.org"),
        ("docs/a, docs/b,", "a, b"),
        ("*.md", "documents"),
    ],
)
def test_the_repository_is_the_name_of_the_folder_or_the_host(make_sample: MakeSample, source: str, repo: str) -> None:
    assert yaml.safe_load(taxonomy(five(make_sample, "Text."), source=source))["document"]["repo"] == repo


def test_the_commit_is_that_of_the_documents_in_whatever_order(make_sample: MakeSample) -> None:
    def document(rows: list[dict[str, str]]) -> dict[str, Any]:
        return dict(yaml.safe_load(taxonomy(five(make_sample, "Text."), documents=rows))["document"])

    assert document(ROWS) == document(ROWS[::-1])
    assert document(ROWS)["commit"] != document(ROWS[:1])["commit"]
    assert document(ROWS)["patterns"] == ["*.html", "*.md"]


def test_the_index_names_the_sample_of_every_pair(make_sample: MakeSample) -> None:
    examples = five(make_sample, "They  ring.")[:2]
    rows = formats.qna_index(examples)
    assert [row["sample_id"] for row in rows] == [one.sample_id for group in examples for one in group]
    assert [row["example"] for row in rows] == [1, 1, 1, 2, 2, 2]
    assert rows[4] == {
        "sample_id": examples[1][1].sample_id,
        "example": 2,
        "context": "1. They  ring.",
        "question": "Q1: what?",
        "answer": "A1: 'that', # this",
    }


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("When does the bell ring?", "In the bell book, when does the bell ring?"),
        ("In what case does it ring?", "In the bell book, in what case does it ring?"),
        ("Ada rings it when?", "In the bell book, Ada rings it when?"),
        ("In the section on keys, who rings it?", "In the section on keys, who rings it?"),
    ],
)
def test_a_title_opens_a_question_that_does_not_say_where_to_look(question: str, asked: str) -> None:
    assert formats.titled(question, "the bell book") == asked
