"""Documents to chunks: what `ai-tools chunk` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .. import documents, sources
from ..documents import chunk_folder, chunking, screening
from ..errors import InputError, NothingProduced, UsageError
from ..files import Register
from ..records import Chunk, Document, OnProgress, Rejection
from ..settings import Settings
from ..steps import students
from ..workspace import journal_path

STRATEGIES = ("markdown", "recursive")
CHARACTERS = 2000  # in a chunk of strategy recursive


@dataclass(frozen=True)
class ChunkSummary:
    """What `chunk_documents` made. `failed` are the files that could not be read or chunked.

    `warnings` say what is missing of documents that could; `passed_over` counts what stands beside them.
    """

    output: Path
    documents: int
    chunks: int
    failed: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    passed_over: dict[str, int]
    seconds: float


def chunk_documents(
    docs: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    chunk_size: int | None = None,
    chunk_overlap: int | None = None,
    splitting_strategy: str = "markdown",
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> ChunkSummary:
    """Documents -> `<document>_chunks.json` and the Markdown that its spans refer to, for each, and chunks.jsonl.

    Args:
        docs: a folder, file, glob, address or comma list of these, relative to the working directory.
        output: a folder; what an earlier call left there is replaced.
        chunk_size, chunk_overlap: in tokens for `markdown` (default CHUNK_TOKENS, CHUNK_OVERLAP), counted with the
            student's tokenizer; in characters for `recursive` (default 2000, 0), which heeds no Markdown.

    Raises:
        UsageError: sizes or strategy are impossible, or the folder holds other files. InputError: no such documents.
        NothingProduced: none of them could be read.
    """
    started, output = time.monotonic(), Path(output)
    split, processing = _splitter(settings, splitting_strategy, chunk_size, chunk_overlap)
    found = sources.find(str(docs), Path.cwd(), prefix="")
    outside = [file for file in found.files if not file.resolve().is_relative_to(output.resolve())]
    if not outside and not found.addresses:
        raise InputError(f"{docs}: all documents are in {output}, where the chunks are to go; give another folder")
    found = replace(found, files=outside)  # what an earlier call left is no document
    files = {found.path_below(file): file for file in outside}
    failed: list[Rejection] = []
    warnings: list[str] = []
    count = chunks = 0
    register = Register(journal_path(settings.output), "chunk")
    with chunk_folder.writing(output, register, processing, overwrite=overwrite) as write:
        for one in documents.convert_each(found, documents.reading(settings), on_progress=on_progress):
            if isinstance(one, Rejection):
                failed.append(one)
                continue
            try:
                cut = split(one)
            except InputError as error:
                failed.append(Rejection("chunk", str(error), {"source": one.source}))
                continue
            write(one, cut, files[one.source].stat().st_size if one.source in files else None)
            count, chunks = count + 1, chunks + len(cut)
            warnings += (f"{one.source}: {warning}" for warning in (*one.warnings, *screening.told(one)))
        if not count:
            raise NothingProduced(f"{docs}: no document could be read ({'; '.join(one.reason for one in failed[:3])})")
    seconds = time.monotonic() - started
    return ChunkSummary(output, count, chunks, tuple(failed), tuple(warnings), dict(found.passed_over), seconds)


def _splitter(
    settings: Settings, strategy: str, size: int | None, overlap: int | None
) -> tuple[Callable[[Document], list[Chunk]], dict[str, Any]]:
    """What cuts a document, and what a chunk file says of it."""
    if strategy not in STRATEGIES:
        raise UsageError(f"--splitting-strategy {strategy}: there are {' and '.join(STRATEGIES)}")
    in_tokens = strategy == "markdown"
    size = (settings.chunk_tokens if in_tokens else CHARACTERS) if size is None else size
    overlap = (settings.chunk_overlap if in_tokens else 0) if overlap is None else overlap
    if size < 1:
        raise UsageError(f"--chunk-size {size}: give a whole number from 1 up")
    if not 0 <= overlap < size:
        raise UsageError(f"--chunk-overlap {overlap}: give a number from 0 up, and less than the chunk size, {size}")
    tokenizer = students.counting_tokenizer(settings.tokenizer_source)
    processing = {"splitting_strategy": strategy, "chunk_size": size, "chunk_overlap": overlap}
    if in_tokens:
        split = partial(chunking.chunk_document, max_tokens=size, tokenizer=tokenizer, overlap=overlap)
    else:
        split = partial(chunking.chunk_text, max_characters=size, tokenizer=tokenizer, overlap=overlap)
    return split, processing | {"tokenizer": settings.tokenizer_model_name or settings.student_model_name}
