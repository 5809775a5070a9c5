"""Question-and-answer pairs in the files of this project and of other tools, under one set of names.

Rows stream: a file is never in memory whole.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import aliases
from ..errors import InputError
from ..records import Pair, Rejection, content_id
from ..steps import formats
from . import pair_files
from .pair_files import PairFile as PairFile

SUFFIX = "_qa.json"
WINDOW = 1_000  # rows among which pairs of one passage are looked for
DEEPEST = 100  # levels of what a row may hold
_EXPORTED = {"question", "answer", "reasoning", "metadata"}  # all that a row has which `export` wrote as jsonl


@dataclass(frozen=True)
class Pairs:
    """The pairs of a source, read anew each time they are gone through; `failed` rows are left out.

    `names` are all that stand in them, in the order of their first use. `warnings` are of rows that are used all the
    same.
    """

    files: tuple[PairFile, ...]
    counts: dict[Path, int]
    names: tuple[str, ...]
    failed: tuple[Rejection, ...]
    warnings: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Pair]:
        for file in self.files:
            yield from self.of(file)

    def of(self, file: PairFile) -> Iterator[Pair]:
        return (row for row in rows_of(file) if not isinstance(row, Rejection))


def read(source: str | Path) -> Pairs:
    """The pairs of a file, or of a folder of `*_qa.json`.

    All of it is read once, to count and to find what cannot be used: such a row or file is in `failed` with its place
    and the reason, and the others count.

    Raises:
        InputError: no such file, or no pair in it that can be used.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; give pairs that `generate` has made, for one")
    paths = sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source]
    if not paths:
        raise InputError(f"{source}: no *{SUFFIX} in it; give such a folder, or a file of pairs")
    files, failed = [], []
    counts, known = dict[Path, int](), dict[str, None]()
    contents, twice = dict[str, int](), set[str]()  # by ids; those that stand on pairs of different content
    for path in paths:
        try:
            files.append(file := pair_files.known(path))
        except InputError as error:
            failed.append(Rejection("read", str(error), {}))
            continue
        counts[path] = 0
        for row in rows_of(file):
            if isinstance(row, Rejection):
                failed.append(row)
                continue
            counts[path] += 1
            known.update(dict.fromkeys(row))
            _, name = aliases.first(row, aliases.PAIR_ID)
            content = hash((row["question"], row["answer"]))
            if not aliases.is_nothing(name) and contents.setdefault(str(name), content) != content:
                twice.add(str(name))
    if not sum(counts.values()):
        raise InputError("; ".join(one.reason for one in failed[:3]) or f"{source}: no pair in it")
    names = ", ".join(sorted(twice)[:3])
    warnings = (f"{source}: {len(twice):,} ids stand on several pairs ({names}); pairs are told apart by content",)
    return Pairs(tuple(files), counts, tuple(known), tuple(failed), warnings if twice else ())


def identity(row: Pair) -> str:
    """What a pair is known by towards a teacher: all that is shown of it, so that equal pairs are one, wherever."""
    reasoning = (row["reasoning"],) if row.get("reasoning") else ()
    return content_id(row["question"], row["answer"], row.get("source_text", ""), *reasoning)


def told(pair: Pair) -> dict[str, Any]:
    """What a pair says, as a teacher reads it."""
    return {name: pair[name] for name in ("question", "reasoning", "answer") if pair.get(name)}


def shown(pair: Pair) -> dict[str, Any]:
    return {"id": identity(pair), **told(pair)}


def rows_of(file: PairFile) -> Iterator[Pair | Rejection]:
    """The pairs of a file; a Rejection in place of what is none."""
    for where, row in file.rows():
        yield row if isinstance(row, Rejection) else _pair(row, where)


# --- pairs of one passage together ---


def batches(rows: Iterable[Pair], size: int) -> Iterator[list[tuple[int, Pair]]]:
    """Numbered rows in blocks of one passage, at most `size` each.

    None waits for its like while more than WINDOW others go by, so that whoever brings results back in order need not
    hold more than that.
    """
    waiting: OrderedDict[str, list[tuple[int, Pair]]] = OrderedDict()  # by their first rows
    for number, row in enumerate(rows):
        passage = row.get("source_text", "")
        block = waiting.setdefault(passage, [])
        block.append((number, row))
        if len(block) == size:
            yield waiting.pop(passage)
        while waiting and (oldest := next(iter(waiting.values())))[0][0] <= number - WINDOW:
            waiting.popitem(last=False)
            yield oldest
    yield from waiting.values()


class InOrder:
    """Takes numbered results in any order, and hands them on in theirs."""

    def __init__(self, write: Callable[[Any], None]):
        self._write, self._next = write, 0
        self._ready: dict[int, Any] = {}

    def __call__(self, results: Iterable[tuple[int, Any]]) -> None:
        self._ready.update(results)
        while self._next in self._ready:
            self._write(self._ready.pop(self._next))
            self._next += 1


# --- one row ---


def _pair(row: Any, where: str) -> Pair | Rejection:
    """A row under the names that this project uses; what is stored under other names is not kept twice."""
    if not isinstance(row, dict):
        return Rejection("read", f"{where}: no JSON object", {})
    if fault := _unwritable(row):
        return Rejection("read", f"{where}: {fault}", {})
    found = dict(row)
    if {*row} <= _EXPORTED and isinstance(row.get("metadata"), dict):
        told = found.pop("metadata")
        found = {name: value for name, value in told.items() if value is not None} | found
    try:
        if turns := aliases.chat(row):
            said = [name for names in aliases.TURNS for name in names if isinstance(row.get(name), list)]
            found = {name: value for name, value in found.items() if name not in said} | aliases.exchange(turns)
    except ValueError as error:
        return Rejection("read", f"{where}: {error}", row)
    name, value = aliases.first(found, aliases.ANSWER)
    if name == "solution" and isinstance(value, dict | list):  # the use of tools, as a model is to write it
        found[name] = json.dumps(value, ensure_ascii=False)
    question, answer = _asked(found), aliases.plain(_take(found, aliases.ANSWER)) or ""
    for name, text in (("question", question), ("answer", answer)):
        if not text.strip():
            return Rejection("read", f"{where}: no {name}", row)
    is_rated = found.get("rating") is not None and found.get("type") != "cot"  # else it is the answer's reasoning
    if is_rated and "reasoning" in found and "rating_reasoning" not in found:
        found["rating_reasoning"] = found.pop("reasoning")
    if not found.get("reasoning"):
        reasoning, answer = formats.unthink(answer)
        found.pop("reasoning", None)
        found |= {"reasoning": reasoning} if reasoning else {}
    if found.get("type") is None:
        found["type"] = "cot" if found.get("reasoning") else "qa"
    if system := aliases.plain(aliases.first(found, aliases.SYSTEM)[1]):
        _take(found, aliases.SYSTEM)
        found["system"] = system
    named = next((name for name in aliases.SOURCE_TEXT if _passage(found.get(name))), "")
    source = {"source_text": _passage(found.pop(named))} if named else {}
    found.pop("source_text", None)  # of another kind, or blank
    return {"question": question, "answer": answer, "type": found.pop("type")} | found | source


def _asked(found: Pair) -> str:
    """The question of a row; in Alpaca's shape with the input, which belongs to it."""
    is_alpaca = not any(found.get(name) for name in aliases.QUESTION[:2])
    question = aliases.plain(_take(found, aliases.QUESTION)) or ""
    added = found.get("input")
    if is_alpaca and question and isinstance(added, str) and added.strip():
        question = f"{question}\n\n{found.pop('input')}"
    return question


def _passage(value: Any) -> str:
    """A passage as text; some tools have it in parts."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = "\n\n".join(value)
    return value if isinstance(value, str) and value.strip() else ""


def _unwritable(row: Pair) -> str:
    """Why a row cannot be written to a file of UTF-8; empty if it can. JSON can hold half of a surrogate pair."""
    if _is_deep(row, DEEPEST):
        return f"nested more than {DEEPEST} levels deep"
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        is_byte = "\udc80" <= error.object[error.start] <= "\udcff"  # as bytes that cannot be decoded are read
        return "not UTF-8" if is_byte else "holds half a character"
    return ""


def _is_deep(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not levels or any(_is_deep(one, levels - 1) for one in inner)


def _take(row: Pair, names: Iterable[str]) -> Any:
    """The value of the first of the names that is there; it is taken out, for it goes back under our name."""
    _, value = aliases.first(row, names)
    for name in names:
        if name in row and (row[name] == value or aliases.is_nothing(row[name])):
            del row[name]
    return value
