"""Pairs as training frameworks read them, and the pairs of all documents in one file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from .. import aliases, files
from ..aliases import thoughts
from ..errors import InputError, NothingProduced, UsageError
from ..files import Register
from ..records import Pair, Rejection, content_id, grouped
from ..settings import Settings, load_settings
from ..steps.formats import FORMATS, Turn, earlier, think
from ..workspace import journal_path
from . import outputs, pairs
from .pairs import SUFFIX, PairFile, Pairs

REASONING = ("drop", "think", "field")
MAKER = "ai-tools combine"
_TRAINING = "_trainingdata.jsonl"
# Parts of what a document says of its making that hold for it alone; the first two stand in `documents`.
_ITS_OWN = ("total_chunks", "generated_at", "fingerprint")


@dataclass(frozen=True, kw_only=True)
class ExportSummary:
    """What `export` wrote: `files`, one or, in a folder, one for each document with pairs; how many `pairs`.

    `reasoned` counts the pairs that have reasoning, `not_following` those left out since their answer does not follow
    from it; `unread` is what of the input could not be used, `warnings` what
    was used all the same.
    """

    output: Path
    files: tuple[Path, ...]
    pairs: int
    reasoned: int
    not_following: int
    unread: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CombineSummary:
    """What `combine` wrote; `duplicates` are pairs that stood there before and were left out."""

    output: Path
    documents: int
    pairs: int
    duplicates: int
    unread: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    seconds: float


def export(
    source: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    fmt: str = "chatml",
    system_prompt: str = "",
    reasoning: str = "think",
    not_following: bool = False,
    overwrite: bool = False,
) -> ExportSummary:
    """Write pairs in a format that training frameworks read, in their order, with every text as it is.

    Args:
        source: a file of pairs, or a folder of `*_qa.json`.
        output: a file, `.jsonl` or `.json` (an array), for all pairs; or a folder, which gets a
            `<document>_trainingdata.jsonl` for each file of the source.
        settings: say in which OUTPUT_DIR it is noted who made a file; those of the environment where they are None.
        fmt: a name of FORMATS. jsonl keeps all that a pair holds: what is neither question, answer nor reasoning is its
            `metadata`; in the first row that has every name that occurs, null where it has no such value. The others
            hold the exchange alone, with the system message and the earlier turns that a pair came with.
        system_prompt: a system message for every row, in place of a pair's own.
        reasoning: `drop` leaves it out; `think` puts it before the answer, as `<think>`, lines, `</think>`, an empty
            line; `field` gives it a field in every row, empty where there is none: `reasoning`, or in chatml `thinking`
            of the assistant's message.
        not_following: whether pairs marked `follows: false` are written, too.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: no pair is left to write.
    """
    started, output = time.monotonic(), Path(output)
    check_choices(fmt, reasoning)
    read = pairs.read(source)
    register = Register(journal_path((settings or load_settings()).output), "export")
    into = [_trainingdata(file.path) for file in read.files]
    outputs.check(output, register, source=Path(source), overwrite=overwrite, into=into)

    wanted = partial(_wanted, read, not_following)
    used = [file for file in read.files if next(wanted(file), None)]  # loaders take no empty file
    if not used:
        raise NothingProduced(f"{source}: of {read.total:,} pairs no answer follows; --not-following exports them")
    parts = grouped(used, lambda file: output if output.suffix else output / _trainingdata(file.path))
    left = [] if output.suffix else [file.path for file in read.files if file not in used]
    row = partial(_row, fmt=fmt, system_prompt=system_prompt, reasoning=reasoning)
    counts: Counter[str] = Counter()
    for path, members in parts.items():
        with files.rows_to(path, lambda: f"{source}: no pair in it any more", note=register.note) as write:
            for pair in _named(read.names, (pair for file in members for pair in wanted(file))):
                write(row(pair))
                counts.update(pairs=1, reasoned=bool(thoughts(pair.get("reasoning"))))
    return ExportSummary(
        output=output,
        files=tuple(parts),
        pairs=counts["pairs"],
        reasoned=counts["reasoned"],
        not_following=read.total - counts["pairs"],
        unread=read.failed,
        warnings=(*read.warnings, *(f"{path}: no pair in it to export, so nothing is written for it" for path in left)),
        seconds=time.monotonic() - started,
    )


def _named(names: Iterable[str], rows: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs without nulls, but for the first, which has every name that occurs.

    `datasets` learns from the first rows what metadata may hold: anything, where these differ in names.
    """
    missing: Pair = dict.fromkeys(names)
    for pair in rows:
        yield missing | {name: value for name, value in pair.items() if value is not None}
        missing = {}


def _wanted(read: Pairs, not_following: bool, file: PairFile) -> Iterator[Pair]:
    return (pair for pair in read.of(file) if not_following or pair.get("follows") is not False)


def check_choices(fmt: str, reasoning: str = "think") -> None:
    """Raise UsageError for choices that `export` does not have."""
    if fmt not in FORMATS:
        raise UsageError(f"-f {fmt}: no such format; there are {', '.join(FORMATS)}")
    if reasoning not in REASONING:
        raise UsageError(f"--reasoning {reasoning}: no such choice; there are {', '.join(REASONING)}")


def _trainingdata(path: Path) -> str:
    return (path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else path.stem) + _TRAINING


def _row(pair: Pair, fmt: str, system_prompt: str, reasoning: str) -> dict[str, Any]:
    told = thoughts(pair.get("reasoning"))
    system = system_prompt or pair.get("system")
    turns: list[Turn] = [{"role": "system", "content": system}] if system else []
    turns += [*earlier(pair.get("history")), {"role": "user", "content": pair["question"]}]
    answer = think(told, pair["answer"]) if reasoning == "think" else pair["answer"]
    turns.append({"role": "assistant", "content": answer} | ({"thinking": told} if reasoning == "field" else {}))
    rest = {name: value for name, value in pair.items() if name not in ("question", "answer", "reasoning")}
    return FORMATS[fmt](turns, rest)


def combine(
    folder: str | Path, output: str | Path, settings: Settings | None = None, *, overwrite: bool = False
) -> CombineSummary:
    """Put the pairs of a folder of `*_qa.json` into one `.json` file, with what their files say of how they were made.

    It holds `metadata`, `documents` (status, model and counts of each), and `training_pairs`, in the order of the
    files' names. A pair whose question, answer and passage stood there before is left out. In `processing_config` of
    `metadata` a value that all documents share stands once, others by file. Documents that are not completed are named
    in `warnings`, and their pairs taken; files or rows that cannot be read are in `unread`. `settings` as in `export`.

    Raises:
        UsageError, InputError: what is asked for cannot be.
    """
    started, folder, output = time.monotonic(), Path(folder), Path(output)
    if folder.is_file():
        raise InputError(f"{folder}: a file; give the folder of *{SUFFIX} that it is in")
    if output.suffix != ".json":
        raise UsageError(f"-o {output}: give a file that ends in .json")
    read = pairs.read(folder)
    register = Register(journal_path((settings or load_settings()).output), "combine")
    outputs.check(output, register, source=folder, overwrite=overwrite)
    unique = Counter(file.path.name for file, _ in _unique(read))
    abouts = {file.path.name: file.about() for file in read.files}
    documents = [_document(name, about, unique[name]) for name, about in abouts.items()]
    total = sum(unique.values())
    metadata = {
        "generated_by": MAKER,
        "generated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "total_qa_pairs": total,
        "num_documents": len(documents),
        "source_qa_files": list(abouts),
        "processing_config": _config(abouts),
    }
    about = {"metadata": metadata, "documents": documents}
    with files.rows_to(output, inside="training_pairs", about=about, note=register.note) as write:
        for _, pair in _unique(read):
            write(pair)
    unfinished = (
        f"{folder / one['file']}: {one['status']}, not completed; its {one['total_qa_pairs']:,} pairs are taken"
        for one in documents
        if one["status"] not in (None, "completed")
    )
    return CombineSummary(
        output=output,
        documents=len(documents),
        pairs=total,
        duplicates=read.total - total,
        unread=read.failed,
        warnings=(*read.warnings, *unfinished),
        seconds=time.monotonic() - started,
    )


def _unique(read: Pairs) -> Iterator[tuple[PairFile, Pair]]:
    """Every pair, with its file, whose like was not there before."""
    seen: set[str] = set()
    for file in read.files:
        for pair in read.of(file):
            passage = pair.get("source_text") or pair.get("source_file")  # ids of chunks may count anew in each file
            name = content_id(pair["question"], pair["answer"], pair.get("chunk_id"), passage)
            if name not in seen:
                seen.add(name)
                yield file, pair


def _document(name: str, about: dict[str, Any], n_pairs: int) -> dict[str, Any]:
    """What is said of a document, in our names and in those of another tool."""
    blocks = {block: _object(about, name) for block, name in aliases.BLOCKS.items()}
    made, counts = aliases.making(blocks["qa_generation_info"]), _object(about, "summary")
    lists = {one: len(ids) for one in ("completed_chunks", "failed_chunks") if isinstance(ids := about.get(one), list)}
    told = {"total_chunks": blocks["processing_info"].get("total_chunks")} | lists | counts
    chunks = {one: told.get(one) for one in ("total_chunks", "completed_chunks", "failed_chunks")}
    return {
        "file": name,
        "source_file": blocks["file_info"].get("source_file"),
        "status": about.get("status"),
        "model": made.get("model"),
        "generated_at": made.get("generated_at"),
        **chunks,
        "total_qa_pairs": n_pairs,
        **blocks,
        "qa_pairs_count": n_pairs,
    }


def _config(abouts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How the pairs were made: what all files agree on stands once, all else by file."""
    said: dict[str, Any] = {}
    for file, about in abouts.items():
        made = aliases.making(_object(about, "qa_generation_info"))
        for name, value in (_object(about, "processing_info") | made).items():
            if name not in _ITS_OWN:
                said.setdefault(name, {})[file] = value
    for name, by_file in said.items():
        first = next(iter(by_file.values()))
        if len(by_file) == len(abouts) and all(value == first for value in by_file.values()):
            said[name] = first
    return {other: said[name] for other, name in aliases.CONFIG.items() if name in said} | said


def _object(about: dict[str, Any], name: str) -> dict[str, Any]:
    value = about.get(name)
    return value if isinstance(value, dict) else {}
