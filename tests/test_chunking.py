"""Chunks: nothing lost, nothing doubled, never over the limit, true spans, and the headings above."""

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ai_tools.chunking import chunk_document
from ai_tools.errors import InputError
from ai_tools.records import Chunk, Document

WORDS = st.sampled_from("bell lamp rings at noon. K-10 1,260 Überprüfung 漢字 😀 (see below) [1] — done! #tag a*b* _x_".split())
LINES = st.lists(WORDS, min_size=1, max_size=14).map(" ".join)
HEADINGS = st.builds(
    lambda level, words: "#" * level + " " + words, st.integers(1, 6), st.lists(WORDS, max_size=3).map(" ".join)
)
FENCES = st.lists(LINES | HEADINGS | st.just(""), max_size=6).map(lambda lines: "\n".join(["```python", *lines, "```"]))
LISTS = st.lists(LINES, min_size=1, max_size=4).map(lambda lines: "\n".join("- " + line for line in lines))
TABLES = st.lists(LINES, min_size=1, max_size=3).map(lambda r: "| a | b |\n|---|---|\n" + "\n".join(f"| {x} | 1 |" for x in r))
MARKDOWN = st.lists(
    st.tuples(LINES | HEADINGS | FENCES | LISTS | TABLES, st.sampled_from(["\n\n", "\n", "\n\n\n \n"])), max_size=12
).map(lambda parts: "".join(text + gap for text, gap in parts))


def document(text: str) -> Document:
    return Document("d", "bells", "bells.md", "Bells", "text/markdown", "", "markdown", text)


def chunks_of(text: str, tokenizer: Tokenizer, max_tokens: int = 512) -> list[Chunk]:
    return chunk_document(document(text), max_tokens=max_tokens, tokenizer=tokenizer)


def only_headings(text: str) -> bool:
    return all(not line.strip() or (line.startswith("#") and " " in line + " ") for line in text.splitlines())


def check_promises(text: str, chunks: list[Chunk], tokenizer: Tokenizer, limit: int) -> None:
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(a.end <= b.start for a, b in zip(chunks, chunks[1:], strict=False))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.n_tokens == len(tokenizer.encode(chunk.text, add_special_tokens=False).ids) <= limit
        assert chunk.text == chunk.text.strip() != ""


@given(text=MARKDOWN, limit=st.integers(16, 80))
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_chunks_keep_every_promise_on_any_markdown(toy_tokenizer: Tokenizer, text: str, limit: int) -> None:
    assume(text.strip())
    chunks = chunks_of(text, toy_tokenizer, limit)
    check_promises(text, chunks, toy_tokenizer, limit)
    if "```" not in text and not all(only_headings(chunk.text) for chunk in chunks):
        assert not any(only_headings(chunk.text) and chunk.n_tokens < limit / 3 for chunk in chunks)


@given(text=st.text(max_size=300), limit=st.integers(16, 40))
@example(text="\u2028# a\x0c\x85", limit=16)
@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_chunks_keep_every_promise_on_any_text(toy_tokenizer: Tokenizer, text: str, limit: int) -> None:
    assume(text.strip())
    check_promises(text, chunks_of(text, toy_tokenizer, limit), toy_tokenizer, limit)
