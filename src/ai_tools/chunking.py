"""Documents -> chunks: Markdown-aware, token-exact, with true character spans and the headings above each chunk."""

from __future__ import annotations

import itertools
import re
from typing import Any

from .errors import InputError
from .records import Chunk, Document, content_id

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:\s+(.*?))?\s*#*\s*$")


def chunk_document(document: Document, *, max_tokens: int, tokenizer: Any) -> list[Chunk]:
    """Split one document into chunks of at most `max_tokens` tokens.

    Args:
        document: its `text` is Markdown; every character lands in exactly one chunk, white space at the ends aside.
        max_tokens: counted with `tokenizer`, without special tokens.
        tokenizer: a `tokenizers.Tokenizer`.

    Raises:
        InputError: the document has no text.
    """
    from semantic_text_splitter import MarkdownSplitter

    if not document.text.strip():
        raise InputError(f"{document.source}: empty; nothing to chunk")
    splitter = MarkdownSplitter.from_huggingface_tokenizer(tokenizer, max_tokens, trim=False)
    spans = [(start, start + len(text)) for start, text in splitter.chunk_indices(document.text)]
    spans = _join_bare_headings(document.text, spans, max_tokens, tokenizer)
    headings = list(_headings(document.text))
    chunks: list[Chunk] = []
    for start, end in (_trim(document.text, *span) for span in spans):
        if start == end:
            continue
        text = document.text[start:end]
        chunks.append(
            Chunk(
                chunk_id=content_id(document.name, start, end, text),
                document_id=document.id,
                file=document.name,
                index=len(chunks),
                heading_path=_path_at(headings, document.text, start, end),
                text=text,
                start=start,
                end=end,
                n_tokens=_count(tokenizer, text),
            )
        )
    return chunks


def _count(tokenizer: Any, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    lead = len(piece) - len(piece.lstrip())
    return (start + lead, start + len(piece.rstrip())) if piece.strip() else (start, start)


def _join_bare_headings(
    text: str, spans: list[tuple[int, int]], max_tokens: int, tokenizer: Any
) -> list[tuple[int, int]]:
    """A chunk of headings only tells nothing: it joins the chunk after it, the last one the chunk before it.

    A chunk that grows too long so is cut. Headings stay alone only where they fill a chunk or the whole document.
    """

    def fits(start: int, end: int) -> bool:
        return _count(tokenizer, text[start:end].strip()) <= max_tokens

    def is_bare(start: int, end: int) -> bool:
        return _is_bare(text[start:end])

    joined: list[tuple[int, int]] = []
    waiting = spans[::-1]
    while waiting:
        start, end = waiting.pop()
        if not fits(start, end):
            cuts = _boundaries(text, start, end)
            middle = next((cut for cut in cuts if not is_bare(start, cut) and fits(start, cut)), None)
            middle = middle or next((cut for cut in cuts if fits(start, cut)), start + 1)
            joined.append((start, middle))
            waiting.append((middle, end))
        elif is_bare(start, end) and waiting:
            waiting.append((start, waiting.pop()[1]))
        else:
            joined.append((start, end))
    if len(joined) > 1 and is_bare(*joined[-1]):
        (first, middle), (_, end) = joined[-2:]
        cuts = [cut for cut in _boundaries(text, first, middle) if not is_bare(first, cut) and not is_bare(cut, middle)]
        cut = first if fits(first, end) else next((cut for cut in cuts if fits(cut, end)), None)
        if cut is not None:
            joined[-2:] = [(first, cut), (cut, end)]
    return joined


def _boundaries(text: str, start: int, end: int) -> list[int]:
    """Where text[start:end] may be cut, best first: paragraphs, lines, sentences, words, characters; from the end."""
    found = []
    for pattern in (r"\n\n", r"\n", r"(?<=[.!?])\s+", r"\s+", r""):
        cuts = [start + match.end() for match in re.finditer(pattern, text[start:end])]
        found += [cut for cut in reversed(cuts) if start < cut < end]
    return found


def _headings(text: str) -> list[tuple[int, int, str]]:
    """Position, level and words of each ATX heading outside fences."""
    found = []
    fence = ""
    position = 0
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and (heading := _HEADING.match(line)):
            found.append((position, len(heading[1]), heading[2] or ""))
        position += len(line)
    return found


def _path_at(headings: list[tuple[int, int, str]], text: str, start: int, end: int) -> tuple[str, ...]:
    """The headings above all body text of the chunk, outermost first: of several sections, what they share."""
    bounds = [start, *(position for position, _, _ in headings if start < position < end), end]
    paths = []
    for left, right in itertools.pairwise(bounds):
        if not _is_bare(text[left:right]):
            path: list[tuple[int, str]] = []
            for _, level, words in (item for item in headings if item[0] <= left):
                path = [item for item in path if item[0] < level] + [(level, words)]
            paths.append(path)
    shared = paths[0] if paths else []
    for path in paths[1:]:
        shared = [a for a, b in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(shared, path, strict=False))]
    return tuple(words for _, words in shared)


def _is_bare(text: str) -> bool:
    """Whether there is nothing but headings and blank lines."""
    return all(_HEADING.match(line) or not line.strip() for line in text.splitlines())
