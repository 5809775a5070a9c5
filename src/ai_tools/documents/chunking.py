"""Documents -> chunks: never over the limit, true character spans, nothing lost, and the headings above each chunk.

blocks      a text -> headings, paragraphs, items, fences, tables; what is too long -> lines, sentences, words
packing     blocks -> chunks
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..errors import InputError
from ..records import Chunk, Document, content_id
from .blocks import Block, BlockKind, markdown_blocks, plain_blocks
from .packing import Measure, Packer, fitting
from .sensitive import is_mark

__all__ = ["chunk_document", "chunk_text"]

_BATCH_CHARACTERS = 1_000_000


def chunk_document(document: Document, *, max_tokens: int, tokenizer: Any, overlap: int = 0) -> list[Chunk]:
    """Split one Markdown document into chunks of at most `max_tokens` tokens: the strategy `markdown`.

    Fences and tables stay whole where they fit into a chunk with the headings that belong to them; longer ones are cut
    between lines, and a chunk that begins inside one has `fence` or `table_header` in its metadata. A line longer than
    a chunk is cut between sentences, else words, else characters. No chunk is only headings, unless they fill it or the
    document has nothing else. Time grows with the length of the document, not faster.

    Args:
        document: every character of its `text` is in some chunk, white space at the ends aside.
        max_tokens: counted with `tokenizer`, without special tokens.
        tokenizer: a `tokenizers.Tokenizer`.
        overlap: at most so many tokens of the chunk before, from the start of a line, sentence or word on, begin a
            chunk; fewer where something that fits would be cut for it.

    Raises:
        InputError: the document has no text, or a limit is too small.
    """
    blocks = markdown_blocks(document.text)
    return _chunks(document, blocks, max_tokens, overlap, _token_counter(tokenizer))


def chunk_text(document: Document, *, max_characters: int, tokenizer: Any, overlap: int = 0) -> list[Chunk]:
    """Split one document as plain text into chunks of at most `max_characters`: the strategy `recursive`.

    Cut between paragraphs, else lines, sentences, words, characters. Sizes and `overlap` are characters; `n_tokens` of
    the chunks is counted with `tokenizer` all the same. There are no heading paths. Otherwise as `chunk_document`.
    """
    chunks = _chunks(document, plain_blocks(document.text), max_characters, overlap, _lengths)
    tokens = _token_counter(tokenizer)(chunk.text for chunk in chunks)
    return [replace(chunk, n_tokens=count) for chunk, count in zip(chunks, tokens, strict=True)]


def _chunks(document: Document, blocks: list[Block], limit: int, overlap: int, measure: Measure) -> list[Chunk]:
    """The blocks of a document in chunks, whose `n_tokens` is what `measure` says."""
    text = document.text
    if not text.strip():
        raise InputError(f"{document.source}: empty; nothing to chunk")
    if not 0 <= overlap < limit:
        raise InputError(f"overlap {overlap}: give less than the chunk size, {limit}, and not less than 0")
    containers = [block for block in blocks if block.opening and block.kind is not BlockKind.HEADING]
    begins = [block.start for block in containers]
    fits = functools.cache(lambda opening: measure([opening])[0] <= limit)
    packer = Packer(text, fitting(text, blocks, limit, overlap, measure), limit, overlap, measure)
    chunks: list[Chunk] = []
    for start, new, size in packer.chunks():
        end = new[-1].end
        metadata: dict[str, Any] = {}
        if document.pages:
            metadata["pages"] = [max(1, bisect.bisect_right(document.pages, place)) for place in (start, end - 1)]
        inside = containers[place] if (place := bisect.bisect_left(begins, start) - 1) >= 0 else None
        if inside and start < inside.end and fits(inside.opening):
            metadata["fence" if inside.kind is BlockKind.FENCE else "table_header"] = inside.opening
        if kinds := _kinds(document, start, end):
            metadata["finds"] = kinds
        chunks.append(
            Chunk(
                chunk_id=content_id(document.name, start, end, text[start:end]),
                document_id=document.id,
                file=document.name,
                index=len(chunks),
                heading_path=_shared_path(new),
                text=text[start:end],
                start=start,
                end=end,
                n_tokens=size,
                metadata=metadata,
            )
        )
    return chunks


def _kinds(document: Document, start: int, end: int) -> list[str]:
    """What a part of a document holds, wholly or in part, that should perhaps not be sent; no marks in place of it."""
    inside = (one for one in document.finds if one.start < end and start < one.end)
    return sorted({one.kind for one in inside if not is_mark(document.text, one)})


def _shared_path(blocks: list[Block]) -> tuple[str, ...]:
    """The headings above all that is not a heading, outermost first."""
    paths = list(dict.fromkeys(block.path for block in blocks if block.is_body))
    shared = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*paths, strict=False))
    return tuple(level[0][1] for level in shared if level[0][1])


def _token_counter(tokenizer: Any) -> Measure:
    """Tokens of each text, many texts at once on all cores; without the padding and cutting that a tokenizer may do."""
    if tokenizer.padding or tokenizer.truncation:
        tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def count(texts: Iterable[str]) -> list[int]:
        counts: list[int] = []
        for batch in _batches(texts):
            counts += map(len, tokenizer.encode_batch_fast(batch, add_special_tokens=False))
        return counts

    return count


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Lists of texts, each of a bounded length in all: the encodings of a whole book would fill the memory."""
    batch: list[str] = []
    length = 0
    for text in texts:
        batch.append(text)
        length += len(text)
        if length > _BATCH_CHARACTERS:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


def _lengths(texts: Iterable[str]) -> list[int]:
    return [len(text) for text in texts]
