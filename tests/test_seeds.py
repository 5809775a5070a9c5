"""Seed data: one row a chunk, with the title, domain and worked example of its own document."""

import pytest

from ai_tools import seeds
from ai_tools.records import Chunk, Document, WorkedExample


@pytest.mark.parametrize(
    ("title", "outline"),
    [
        ("The Bell Book", "the Bell Book"),
        ("Theory of bells.", "Theory of bells"),
        ("One two three four five six seven, eight nine", "One two three four five six seven, eight"),
        ("A  guide:", "a guide"),
        ("", ""),
    ],
)
def test_an_outline_is_a_short_phrase_fit_after_in(title: str, outline: str) -> None:
    assert seeds.outline_of(title) == outline


def rows_of(**changes: str) -> list[dict[str, str]]:
    files = [Document(x, x, f"{x}.md", f"The {x} book", "text/markdown", "", "markdown", "") for x in ("bell", "lamp")]
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
    assert (rows[3]["document_outline"], rows[3]["domain"]) == ("the lamp book", "The lamp book")
    assert all(isinstance(value, str) for row in rows for value in row.values())


def test_domain_and_outline_of_the_settings_override_what_is_inferred() -> None:
    assert {(row["domain"], row["document_outline"]) for row in rows_of(domain="bells", outline="the rules")} == {
        ("bells", "the rules")
    }
