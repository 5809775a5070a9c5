"""The single tools: what the notebooks do step by step, each as one function that returns a summary."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import store, teachers
from .asking import Asker
from .errors import InputError, NothingProduced, UsageError
from .journal import Journal
from .records import Call, OnProgress, Progress
from .rehearsal import Estimate, Rehearsal
from .settings import Settings

ANGLE = "the whole passage"


@dataclass(frozen=True)
class Generated:
    """What `generate_qa` made.

    `empty` chunks held nothing to ask, `failed` ones got no usable reply; `asked` has the calls, tokens and money.
    """

    output: Path
    chunks: int
    pairs: int
    empty: int
    failed: int
    causes: tuple[str, ...]
    asked: Progress
    seconds: float


def generate_qa(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Generated:
    """Instruction backtranslation (arXiv 2308.06259): each passage is the answer, the teacher asks.

    One call a passage, `questions_per_chunk` pairs each; every reply is in the journal of OUTPUT_DIR before it is used.

    Args:
        source: chunks.jsonl, a row a passage with `text` and `chunk_id`.
        output: a `.json` file, written at the end: an array of
            `{question, answer, type, chunk_id, source, source_file, source_text, generated_at, model}`.

    Raises:
        InputError: the source cannot be used. UsageError: the output is not ours.
        NothingProduced: no pair came out. What stops a run besides is in `errors`; the journal keeps all it made.
    """
    started, total = time.monotonic(), _count(source)
    _refuse_foreign(output, overwrite)
    if output.exists() and output.samefile(source):
        raise UsageError(f"-o {output}: that is the source; give another file")
    with Journal(store.journal_path(settings)) as journal:
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

            asker.run((rows(chunk) for chunk in _chunks(source)), total, each=write)
            file.write("\n]\n")
            causes = tuple(sorted({row.reason for row in asker.failed}))
            if not pairs:
                why = "; ".join(causes[:3]) or "no passage held anything to ask"
                raise NothingProduced(f"{source}: no pair came out of {total} passages ({why})")
    seconds = time.monotonic() - started
    return Generated(output, total, pairs, empty, len(asker.failed), causes, asker.progress, seconds)


def plan_qa(source: Path, settings: Settings) -> tuple[Estimate, str]:
    """What `generate_qa` would take, and who would be asked, without asking."""
    _count(source)
    path = store.journal_path(settings)
    with Journal(path, read_only=path.exists()) as journal:
        asker = Asker(teachers.connect(settings), journal, settings)
        rehearsal = Rehearsal(asker, "generate")

        async def rehearse() -> None:
            for chunk in _chunks(source):
                await rehearsal.try_ask(_planned(asker, chunk))

        teachers.run_sync(rehearse())
        return rehearsal.estimate, teachers.describe(asker.teacher)


def _planned(asker: Asker, chunk: dict[str, Any]) -> Call:
    settings = asker.settings
    fields = {
        "title": str(chunk.get("title") or Path(str(chunk.get("file") or "")).stem),
        "section": " > ".join(chunk.get("heading_path") or ()),
        "passage": chunk["text"],
        "count": settings.questions_per_chunk,
        "angle": ANGLE,
        "reasoning": settings.enable_reasoning,
    }
    return asker.plan("questions", fields, recipe="generate", chunk_id=chunk["chunk_id"])


def _row(chunk: dict[str, Any], pair: Any, completion: Any) -> dict[str, Any]:
    file = str(chunk.get("file") or "")
    row = {
        "question": pair.question.strip(),
        "answer": pair.answer.strip(),
        "type": "cot" if pair.reasoning else "qa",
        "chunk_id": chunk["chunk_id"],
        "source": chunk.get("document_id") or file,
        "source_file": file,
        "source_text": chunk["text"],
        "generated_at": completion.created,
        "model": completion.model,
    }
    return row | ({"reasoning": pair.reasoning.strip()} if pair.reasoning else {})


def _chunks(source: Path) -> Iterator[dict[str, Any]]:
    """The rows of a chunk file, one at a time: a folder's worth of them need not fit in memory."""
    for number, row in enumerate(store.iterate_rows(source), 1):
        missing = [name for name in ("text", "chunk_id") if not isinstance(row.get(name), str) or not row[name].strip()]
        if missing:
            raise InputError(f"{source}, row {number}: no {' and no '.join(missing)}; chunks.jsonl of step 02 has both")
        if not isinstance(row.get("heading_path") or [], list):
            raise InputError(f"{source}, row {number}: heading_path is no list")
        if not _is_whole(row["text"]):
            raise InputError(f"{source}, row {number}: its text ends in half a character; convert the document anew")
        yield row


def _is_whole(text: str) -> bool:
    """Whether a text can be written: JSON can hold half of a surrogate pair, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _count(source: Path) -> int:
    if not source.is_file():
        raise InputError(f"{source}: no such file; give the chunks.jsonl of step 02")
    if not (total := sum(1 for _ in _chunks(source))):
        raise InputError(f"{source}: no chunk in it")
    return total


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
