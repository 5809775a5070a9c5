"""The single tools: what the notebooks do step by step, each as one function that returns a summary."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import chunk_files, chunk_folder, chunking, documents, sources, store, students, teachers
from .asking import Asker
from .chunk_files import Passages
from .errors import InputError, NothingProduced, UsageError
from .generation import Passage
from .journal import Journal
from .records import Call, Chunk, Document, OnProgress, Progress, Rejection
from .rehearsal import Estimate, Rehearsal
from .settings import Settings
from .sync import run_sync

ANGLE = "the whole passage"
STRATEGIES = ("markdown", "recursive")
CHARACTERS = 2000  # in a chunk of strategy recursive


@dataclass(frozen=True)
class Chunked:
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


@dataclass(frozen=True)
class Generated:
    """What `generate_qa` made.

    `empty` chunks held nothing to ask, `failed` ones got no usable reply; `unread` is what could not be used of the
    source; `asked` has the calls, tokens and money.
    """

    output: Path
    chunks: int
    pairs: int
    empty: int
    failed: int
    causes: tuple[str, ...]
    unread: tuple[Rejection, ...]
    asked: Progress
    seconds: float


def chunk_documents(
    docs: str | Path,
    output: Path,
    settings: Settings,
    *,
    chunk_size: int | None = None,
    chunk_overlap: int | None = None,
    splitting_strategy: str = "markdown",
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Chunked:
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
    started = time.monotonic()
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
    with chunk_folder.writing(output, processing, overwrite=overwrite) as write:
        for one in documents.convert_each(found, settings, on_progress=on_progress):
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
            warnings += (f"{one.source}: {warning}" for warning in one.warnings)
        if not count:
            raise NothingProduced(f"{docs}: no document could be read ({'; '.join(one.reason for one in failed[:3])})")
    seconds = time.monotonic() - started
    return Chunked(output, count, chunks, tuple(failed), tuple(warnings), dict(found.passed_over), seconds)


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


def generate_qa(
    source: str | Path,
    output: Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    overwrite: bool = False,
    on_chunking: OnProgress | None = None,
    on_progress: OnProgress | None = None,
) -> Generated:
    """Instruction backtranslation (arXiv 2308.06259): each passage is the answer, the teacher asks.

    One call a passage, `questions_per_chunk` pairs each; every reply is in the journal of OUTPUT_DIR before it is used.

    Args:
        source: a LanceDB folder, a folder of `*_chunks.json`, one such file, chunks.jsonl, seed_data.jsonl, or
            documents, which are converted and chunked first.
        output: a `.json` file, written at the end: an array of
            `{question, answer, type, chunk_id, source, source_file, source_text, generated_at, model}`.
        tables: of a LanceDB folder; `text_chunks` where none is named.
        on_chunking: follows the documents, `on_progress` the passages.

    Raises:
        InputError: the source cannot be used. UsageError: the output is not ours.
        NothingProduced: no pair came out. What stops a run besides is in `errors`; the journal keeps all it made.
    """
    started = time.monotonic()
    _refuse_foreign(output, overwrite)
    if output.exists() and Path(source).exists() and output.samefile(source):
        raise UsageError(f"-o {output}: that is the source; give another file")
    with _passages(source, tables, settings, on_chunking) as passages, Journal(store.journal_path(settings)) as journal:
        asker = Asker(teachers.connect(settings), journal, settings, on_progress=on_progress)
        pairs = empty = 0

        async def rows(chunk: dict[str, Any]) -> list[dict[str, Any]] | None:
            reply = await asker.try_ask(_planned(asker, chunk))
            if reply is None:
                return None
            whole = [pair for pair in reply.pairs if pair.question.strip() and pair.answer.strip()]
            return [_row(chunk, pair, reply.completion) for pair in whole]

        with store.atomic(output) as file:
            file.write("[")

            def write(made: list[dict[str, Any]] | None) -> None:
                nonlocal pairs, empty
                empty += made == []
                for row in made or ():
                    file.write(("," if pairs else "") + "\n" + json.dumps(row, ensure_ascii=False))
                    pairs += 1

            asker.run((rows(chunk) for chunk in passages), passages.total, each=write)
            file.write("\n]\n")
            causes = tuple(sorted({row.reason for row in asker.failed}))
            if not pairs:
                why = "; ".join(causes[:3]) or "no passage held anything to ask"
                raise NothingProduced(f"{source}: no pair came out of {passages.total} passages ({why})")
    counts = passages.total, pairs, empty, len(asker.failed)
    return Generated(output, *counts, causes, passages.failed, asker.progress, time.monotonic() - started)


def plan_qa(
    source: str | Path, settings: Settings, *, tables: Sequence[str] = (), on_chunking: OnProgress | None = None
) -> tuple[Estimate, str, tuple[Rejection, ...]]:
    """What `generate_qa` would take, who would be asked, and what it could not use, without asking."""
    path = store.journal_path(settings)
    with (
        _passages(source, tables, settings, on_chunking) as passages,
        Journal(path, read_only=path.exists()) as journal,
    ):
        asker = Asker(teachers.connect(settings), journal, settings)
        rehearsal = Rehearsal(asker, "generate")

        async def rehearse() -> None:
            for chunk in passages:
                await rehearsal.try_ask(_planned(asker, chunk))

        run_sync(rehearse())
        return rehearsal.estimate, teachers.describe(asker.teacher), passages.failed


@contextmanager
def _passages(
    source: str | Path, tables: Sequence[str], settings: Settings, on_chunking: OnProgress | None
) -> Iterator[Passages]:
    """The passages of a source; documents are chunked into a folder that is gone afterwards."""
    if tables or chunk_files.is_chunks(Path(source)):
        yield chunk_files.read(Path(source), tables)
        return
    with tempfile.TemporaryDirectory() as folder:
        made = chunk_documents(source, Path(folder), settings, on_progress=on_chunking)
        passages = chunk_files.read(made.output / chunk_folder.ALL_CHUNKS)
        yield replace(passages, failed=made.failed + passages.failed)


def _planned(asker: Asker, chunk: dict[str, Any]) -> Call:
    settings = asker.settings
    item = Passage(
        chunk_id=chunk["chunk_id"],
        document_id=chunk["document_id"],
        text=chunk["text"],
        title=chunk["title"] or Path(chunk["file"]).stem,
        outline="",
        domain="",
        heading_path=tuple(chunk["heading_path"]),
        metadata=chunk["metadata"],
    )
    fields = {
        "title": item.title,
        "section": item.section,
        "passage": item.shown,
        "count": settings.questions_per_chunk,
        "angle": ANGLE,
        "reasoning": settings.enable_reasoning,
    }
    return asker.plan("questions", fields, recipe="generate", chunk_id=item.chunk_id)


def _row(chunk: dict[str, Any], pair: Any, completion: Any) -> dict[str, Any]:
    row = {
        "question": pair.question.strip(),
        "answer": pair.answer.strip(),
        "type": "cot" if pair.reasoning else "qa",
        "chunk_id": chunk["chunk_id"],
        "source": chunk["document_id"] or chunk["file"],
        "source_file": chunk["file"],
        "source_text": chunk["text"],
        "generated_at": completion.created,
        "model": completion.model,
    }
    return row | ({"reasoning": pair.reasoning.strip()} if pair.reasoning else {})


def _refuse_foreign(output: Path, overwrite: bool) -> None:
    if output.suffix != ".json":
        raise UsageError(f"-o {output}: give a file that ends in .json")
    if output.is_dir():
        raise UsageError(f"-o {output}: a folder; give a file")
    if output.is_file() and not overwrite:
        with output.open(encoding="utf-8", errors="replace") as file:
            begin = file.read(100_000)
        if not (begin.startswith("[") and '"generated_at"' in begin):
            raise UsageError(f"-o {output}: exists, and was not made by this command; add --overwrite to replace it")
