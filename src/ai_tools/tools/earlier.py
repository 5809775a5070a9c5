"""What stands where the pairs of a document are to be, whoever made it, and which of its chunks need no asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..aliases import making
from ..errors import InputError
from ..files import Register
from ..records import Pair, Passage, Rejection, grouped
from . import outputs, pair_files, pairs

OTHERS = "generate"  # whose files are those of other tools
SAME = ("model", "fingerprint")  # what must not differ where a file is taken by what it says of its making


@dataclass(frozen=True)
class Earlier:
    """The file of a document that is there already.

    `unknown` is one that the register does not know, `empty` one without a pair. `done` are the ids, as text, of chunks
    whose pairs are whole in it. Of a file that the register knows `calls` are those that it was made by, and `keys`
    those among them that were never made, since its pairs came from elsewhere: all others are in the journal.
    """

    path: Path
    state: Literal["as made", "edited", "torn", "unknown", "empty"]
    done: frozenset[str]
    calls: str = ""
    keys: frozenset[str] | None = None

    @property
    def may_hold_work(self) -> bool:
        """Whether it may hold what neither its successor nor the journal has."""
        return self.state in ("edited", "unknown", "torn")

    @property
    def is_of_use(self) -> bool:
        """Whether it is to stay until its successor is complete."""
        return bool(self.done or (self.calls and self.state != "torn"))

    def id_of(self, passage: Passage, key: str) -> str:
        """The id under which the pairs of a passage stand in it that `key` would ask for; empty where none do."""
        if self.keys is not None and key not in self.keys:
            return ""
        names = (passage.chunk_id,) if passage.given_id is None else (str(passage.given_id), passage.chunk_id)
        return next((name for name in names if name in self.done), "")


def find(path: Path, register: Register, info: Mapping[str, Any], *, overwrite: bool) -> Earlier:
    """Look at the file at `path`. Where the register does not know it, it is taken by what it says of its chunks.

    Args:
        info: how pairs are made now; by another model, or asked for in other words, its own are not taken.

    Raises:
        UsageError: it is no such file, or of another command, and `overwrite` does not allow to replace it.
    """
    made = register.find(path)
    if made and made.command == register.command:
        calls, *keys = made.depends.split() or [""]
        done = _done(path, {})[1] if keys else frozenset[str]()
        return Earlier(path, made.state, done, calls, frozenset(keys))
    is_torn, done = False, frozenset[str]()
    if made is None and (outputs.marked_by(path) or OTHERS) == register.command:
        try:
            is_torn, done = _done(path, info)
        except InputError:  # nothing of a document's file
            pass
        else:
            return Earlier(path, "torn" if is_torn else "unknown", done)
    if not overwrite:
        outputs.claimed(path, register)
    return Earlier(path, "unknown" if outputs.holds_rows(path) else "empty", done)


def _done(path: Path, info: Mapping[str, Any]) -> tuple[bool, frozenset[str]]:
    """Whether a file breaks off, and the ids of the chunks that are done with all their pairs.

    Raises:
        InputError: it is no file of a document.
    """
    try:
        file = pair_files.known(path)
    except pair_files.TornFile:
        return True, frozenset()
    about, ids, is_torn = file.about(), list[str](), False
    for _, row in file.rows():
        is_torn |= isinstance(row, Rejection)
        if isinstance(row, dict):
            ids.append(_id(row))
    listed = about.get("completed_chunks")
    if not file.inside or not (is_torn or isinstance(listed, list)):
        raise InputError(f"{path}: says nothing of chunks")
    told = about.get("qa_generation_info")
    said = making(told) if isinstance(told, dict) else {}
    if any(said.get(name) not in (None, info.get(name, said.get(name))) for name in SAME):
        return is_torn, frozenset()
    done = frozenset(map(str, listed)) if isinstance(listed, list) else frozenset(ids)
    return is_torn, done & {*ids} - {*ids[-1:]} if is_torn else done  # of the last one pairs may be missing


def rows_by_chunk(path: Path) -> dict[str, list[Pair]]:
    """The pairs of a file by the ids of their chunks."""
    rows = pairs.rows_of(pair_files.known(path))
    return grouped((row for row in rows if not isinstance(row, Rejection)), _id)


def _id(row: Pair) -> str:
    return str(row.get("chunk_id", ""))
