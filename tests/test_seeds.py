"""Seed data: one row a chunk, with the title, domain and worked example of its own document."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ai_tools.documents import seeds
from ai_tools.errors import InputError
from ai_tools.records import Chunk, Document, WorkedExample


def document(name: str, text: str = "", title: str = "") -> Document:
    return Document(name, name, f"{name}.md", title or f"The {name} book", "text/markdown", "", "markdown", text)


def rows_of(**changes: str) -> list[dict[str, str]]:
    files = [document("bell"), document("lamp")]
    chunks = [Chunk(f"{x}{i}", x, x, i, (), f"{x} text {i}", 0, 1, 1) for x in ("bell", "lamp") for i in range(2)]
    bell = WorkedExample("bell text 1", (("q1", "a1"), ("q2", "a2"), ("q3", "a3"), ("q4", "a4")))
    examples = {"bell": bell, "lamp": WorkedExample("lamp text 0", (("l1", "m1"),))}
    return seeds.seed_rows(files, chunks, examples, **({"domain": "", "outline": ""} | changes))


def test_every_chunk_gets_a_seed_row_with_the_worked_example_of_its_own_document() -> None:
    rows = rows_of()
    assert [row["chunk_id"] for row in rows] == ["bell0", "bell1", "lamp0", "lamp1"]
    assert [row["icl_document"] for row in rows] == ["bell text 1", "bell text 1", "lamp text 0", "lamp text 0"]
    assert [row["icl_query_1"] for row in rows] == ["q1", "q1", "l1", "l1"]
    assert (rows[0]["icl_response_3"], rows[2]["icl_query_3"]) == ("a3", "")
    assert rows[3]["document"] == "lamp text 1"
    assert (rows[3]["document_outline"], rows[3]["domain"]) == ("the lamp book", "book")
    assert all(isinstance(value, str) for row in rows for value in row.values())


def test_domain_and_outline_of_the_settings_override_what_is_inferred() -> None:
    assert {(row["domain"], row["document_outline"]) for row in rows_of(domain="bells", outline="the rules")} == {
        ("bells", "the rules")
    }


def test_a_document_that_shares_nothing_has_its_title_as_domain() -> None:
    chunk = Chunk("c", "bell", "bell", 0, (), "text", 0, 4, 1)
    (row,) = seeds.seed_rows([document("bell")], [chunk], {}, domain="", outline="")
    assert row["domain"] == "The bell book"


# --- texts for a worked example ---


PROSE = "The bell in the north tower rings, as it always did, at noon and again at dusk. " * 5
LEGAL = "Copyright 2019 the ringers. All rights reserved. Permission is granted to copy, in whole, this book. " * 4
CONTENTS = "".join(f"- [Chapter {n}](#c{n})\n" for n in range(30))


def parts(*texts: str) -> tuple[Document, list[Chunk]]:
    """A document of chunks that are these texts, each of as many tokens as words."""
    whole = document("bell", "\n\n".join(texts))
    chunks, start = [], 0
    for number, text in enumerate(texts):
        end = start + len(text)
        chunks.append(Chunk(f"c{number}", "bell", "bell", number, (), text, start, end, len(text.split())))
        start = end + 2
    return whole, chunks


def test_a_text_for_a_worked_example_is_whole_chunks_of_about_500_tokens_as_they_stand() -> None:
    whole, chunks = parts("# Bells", *(f"Part {n}. {PROSE}" for n in range(60)))
    found = seeds.example_texts(whole, chunks)
    assert len(found) == seeds.CANDIDATES
    assert found[0].startswith("# Bells\n\nPart 0.")
    for text in found:
        assert text in whole.text
        assert 400 <= len(text.split()) <= 600
        assert text.rstrip().endswith("dusk.")
    assert len({text[:40] for text in found}) == len(found)


def test_contents_and_licences_come_after_prose() -> None:
    whole, chunks = parts(LEGAL * 6, CONTENTS * 8, (PROSE * 6).strip())
    found = seeds.example_texts(whole, chunks)
    assert [text[:8] for text in found] == ["The bell", "Copyrigh", "- [Chapt"]


def test_a_chunk_far_over_500_tokens_gives_its_first_paragraphs() -> None:
    paragraphs = [f"Paragraph {n}. {PROSE}".strip() for n in range(30)]
    whole, chunks = parts("\n\n".join(paragraphs))
    (text,) = seeds.example_texts(whole, chunks)
    assert whole.text.startswith(text)
    assert text.endswith("dusk.")
    assert 300 <= len(text.split()) <= 600
    endless, one = parts("word " * 5000)
    (text,) = seeds.example_texts(endless, one)
    assert 400 <= len(text.split()) <= 600
    assert set(text.split()) == {"word"}


def test_a_document_without_chunks_has_no_text_for_an_example() -> None:
    assert seeds.example_texts(document("bell"), []) == []


# --- ICL_FILE ---

DOCUMENTS = [document("bell", "The bell\nrings at noon.\n"), document("lamp", "The lamp is lit.\n"), document("rope")]


def entry(**changes: Any) -> dict[str, Any]:
    pairs = {f"icl_{kind}_{n}": f"{kind} {n}" for n in (1, 2, 3) for kind in ("query", "response")}
    return {"icl_document": "A text of mine."} | pairs | changes


def qna(context: str, pairs: int = 3) -> dict[str, Any]:
    return {
        "context": context,
        "questions_and_answers": [{"question": f"q{n}", "answer": f"a{n}"} for n in range(pairs)],
    }


def load(tmp_path: Path, content: Any, name: str = "icl.yaml") -> dict[str, WorkedExample]:
    path = tmp_path / name
    dump = {".yaml": yaml.safe_dump, ".json": json.dumps}.get(path.suffix, str)
    path.write_text(dump(content))
    return seeds.load_examples(path, DOCUMENTS)


@pytest.mark.parametrize("name", ["icl.yaml", "icl.json"])
def test_one_example_is_for_every_document(tmp_path: Path, name: str) -> None:
    found = load(tmp_path, entry(), name)
    pairs = (("query 1", "response 1"), ("query 2", "response 2"), ("query 3", "response 3"))
    assert found == dict.fromkeys(("bell", "lamp", "rope"), WorkedExample("A text of mine.", pairs))


def test_an_example_may_say_whose_it_is_and_goes_before_one_for_all(tmp_path: Path) -> None:
    rows = [
        entry(),
        entry(file="b*.md", icl_document="of bells"),
        entry(file=["lamp", "lamp.md"], icl_document="of lamps"),
    ]
    path = tmp_path / "icl.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    found = seeds.load_examples(path, DOCUMENTS)
    assert {name: one.document for name, one in found.items()} == {
        "bell": "of bells",
        "lamp": "of lamps",
        "rope": "A text of mine.",
    }
    assert set(load(tmp_path, rows[1:2])) == {"bell"}, "the others are left to the teacher"


def test_the_examples_of_a_taxonomy_file_go_to_the_documents_that_they_quote(tmp_path: Path) -> None:
    found = load(tmp_path, {"version": 3, "seed_examples": [qna("The bell rings  at noon.", 4), qna("lamp is lit.")]})
    assert {name: one.document for name, one in found.items()} == {
        "bell": "The bell rings  at noon.",
        "lamp": "lamp is lit.",
    }
    assert found["bell"].pairs == (("q0", "a0"), ("q1", "a1"), ("q2", "a2"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no worked example in it"),
        ("icl_document", "no worked example in it"),
        ([entry(), 3], "no worked example in it"),
        (entry(icl_query_2=None), "example 1: icl_query_2 is missing"),
        ([entry(), {"icl_document": "x"}], "example 2: icl_query_1 is missing"),
        (entry(icl_response_3=" "), "example 1: icl_response_3 must be text that is not empty .in quotes., not ' '"),
        (entry(icl_document=7), "example 1: icl_document must be text that is not empty .in quotes., not 7"),
        (qna("text", 2), "questions_and_answers must be a list of 3 or more"),
        (qna("text") | {"context": ""}, "context must be text"),
        (entry(file="bel"), r"file 'bel' is none of the documents; there is bell\.md"),
        (entry(file=["bell", "nothing*"]), r"file 'nothing\*' is none of the documents"),
        (entry(file=[3]), "file must be a document's name"),
    ],
)
def test_a_file_that_gives_no_worked_example_says_what_is_wrong_with_it(
    tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "a: [1"), ("a.json", "{"), ("a.jsonl", "{}\n{")])
def test_a_broken_file_of_examples_is_an_error_that_names_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=rf"ICL_FILE=.*{name}: no valid YAML or JSON"):
        seeds.load_examples(tmp_path / name, DOCUMENTS)
    with pytest.raises(InputError, match="no such file"):
        seeds.load_examples(tmp_path / "nothing.yaml", DOCUMENTS)
