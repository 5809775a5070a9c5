"""Chunks: nothing lost, nothing doubled, never over the limit, true spans, and the headings above."""

import itertools
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ai_tools.chunking import chunk_document
from ai_tools.errors import InputError
from ai_tools.records import Chunk, Document

WORDS = st.sampled_from(
    ("bell", "rings", "noon.", "K-10", "1,260", "Überprüfung", "漢字", "😀", "[1]", "—", "#tag", "_x_")
)
LINES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
HEADINGS = st.builds(
    lambda level, words: "#" * level + " " + words, st.integers(1, 6), st.lists(WORDS, max_size=3).map(" ".join)
)
FENCES = st.lists(LINES | HEADINGS | st.just(""), max_size=6).map(lambda lines: "\n".join(["```python", *lines, "```"]))
LISTS = st.lists(LINES, min_size=1, max_size=4).map(lambda lines: "\n".join("- " + line for line in lines))
TABLES = st.lists(LINES, min_size=1, max_size=3).map(
    lambda r: "| a | b |\n|---|---|\n" + "\n".join(f"| {x} | 1 |" for x in r)
)
MARKDOWN = st.lists(
    st.tuples(LINES | HEADINGS | FENCES | LISTS | TABLES, st.sampled_from(["\n\n", "\n", "\n\n\n \n"])), max_size=12
).map(lambda parts: "".join(text + gap for text, gap in parts))


def document(text: str) -> Document:
    return Document("d", "bells", "bells.md", "Bells", "text/markdown", "", "markdown", text)


def chunks_of(text: str, tokenizer: Tokenizer, max_tokens: int = 512) -> list[Chunk]:
    return chunk_document(document(text), max_tokens=max_tokens, tokenizer=tokenizer)


def only_headings(text: str) -> bool:
    return all(re.fullmatch(r"#{1,6}( .*)?|\s*", line) for line in text.splitlines())


def check_promises(text: str, chunks: list[Chunk], tokenizer: Tokenizer, limit: int) -> None:
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(a.end <= b.start for a, b in itertools.pairwise(chunks))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.n_tokens == len(tokenizer.encode(chunk.text, add_special_tokens=False).ids) <= limit
        assert chunk.text == chunk.text.strip() != ""


@given(text=MARKDOWN, limit=st.integers(16, 80))
@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_chunks_keep_every_promise_on_any_markdown(toy_tokenizer: Tokenizer, text: str, limit: int) -> None:
    assume(text.strip())
    check_promises(text, chunks_of(text, toy_tokenizer, limit), toy_tokenizer, limit)


SECTIONS = st.lists(st.tuples(HEADINGS, HEADINGS, LINES | LISTS | TABLES).map("\n\n".join), min_size=1, max_size=6)


@given(sections=SECTIONS, end=HEADINGS | st.just(""), limit=st.integers(70, 120))
@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_no_chunk_is_headings_only_where_there_is_more(
    toy_tokenizer: Tokenizer, sections: list[str], end: str, limit: int
) -> None:
    text = "\n\n".join([*sections, end])
    chunks = chunks_of(text, toy_tokenizer, limit)
    check_promises(text, chunks, toy_tokenizer, limit)
    assert not [chunk.text for chunk in chunks if only_headings(chunk.text)]


@given(text=st.text(max_size=300), limit=st.integers(16, 40))
@example(text="\u2028# a\x0c\x85", limit=16)
@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_chunks_keep_every_promise_on_any_text(toy_tokenizer: Tokenizer, text: str, limit: int) -> None:
    assume(text.strip())
    check_promises(text, chunks_of(text, toy_tokenizer, limit), toy_tokenizer, limit)


def test_fenced_code_is_kept_and_its_comments_are_no_headings(toy_tokenizer: Tokenizer) -> None:
    code = "```python\n# not a heading\nring(bell)\n```"
    text = f"# Bells\n\nTo ring one:\n\n{code}\n\n## Lamps\n\nLight them.\n"
    (whole,) = chunks_of(text, toy_tokenizer)
    assert code in whole.text
    last = chunks_of(text, toy_tokenizer, 40)[-1]
    assert last.heading_path == ("Bells", "Lamps")


def test_a_chunk_knows_the_headings_above_all_of_its_text(toy_tokenizer: Tokenizer) -> None:
    body = "The bell rings at noon and once more at dusk, " * 3
    parts = [("Bells", "#"), ("Big", "##"), ("Very big", "###"), ("Small", "##")]
    text = "\n\n".join(f"{marks} {title}\n\n{body}{title}." for title, marks in parts)
    chunks = chunks_of(text, toy_tokenizer, 64)
    assert [(chunk.heading_path, chunk.text[-9:]) for chunk in chunks] == [
        (("Bells",), "k, Bells."),
        (("Bells", "Big"), "usk, Big."),
        (("Bells", "Big", "Very big"), "Very big."),
        (("Bells", "Small"), "k, Small."),
    ]
    shared = chunks_of("# Bells\n\n## Big\n\nOne.\n\n## Small\n\nTwo.\n", toy_tokenizer)
    assert [chunk.heading_path for chunk in shared] == [("Bells",)]


def test_a_heading_at_the_end_stays_with_the_text_before_it(toy_tokenizer: Tokenizer) -> None:
    body = "The bell rings at noon. The lamp is lit at dusk. The door is locked at night. " * 2
    chunks = chunks_of(f"# Bells\n\n{body}\n\n## Appendix\n", toy_tokenizer, 40)
    assert chunks[-1].text.endswith("## Appendix")
    assert not only_headings(chunks[-1].text)


def test_a_last_chunk_is_never_a_repetition_of_the_one_before(toy_tokenizer: Tokenizer) -> None:
    text = " ".join(f"Sentence {number} of the bell book." for number in range(60))
    chunks = chunks_of(text, toy_tokenizer, 50)
    assert len(chunks) > 5
    assert all(a.end < b.start for a, b in itertools.pairwise(chunks))


def test_ids_depend_on_the_document_and_the_place_so_equal_passages_differ(toy_tokenizer: Tokenizer) -> None:
    text = "The bell rings at noon."
    other = Document("e", "lamps", "lamps.md", "Lamps", "text/markdown", "", "markdown", text)
    first, again = chunks_of(text, toy_tokenizer)[0], chunks_of(text, toy_tokenizer)[0]
    assert first == again
    assert first.chunk_id != chunk_document(other, max_tokens=512, tokenizer=toy_tokenizer)[0].chunk_id


def test_a_document_of_headings_only_is_still_one_chunk(toy_tokenizer: Tokenizer) -> None:
    assert [chunk.text for chunk in chunks_of("# Bells\n\n## Big\n", toy_tokenizer)] == ["# Bells\n\n## Big"]


def test_an_empty_document_is_an_error_that_names_it(toy_tokenizer: Tokenizer) -> None:
    with pytest.raises(InputError, match=r"bells\.md: empty; nothing to chunk"):
        chunks_of(" \n", toy_tokenizer)
