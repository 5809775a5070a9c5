"""The durable record of every teacher call: cache, resume, cost and audit in one SQLite file.

A reply is committed before it is used. Kill the process anywhere, run again: no finished call is repeated.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, Self

from filelock import FileLock, Timeout

from ..errors import InputError, UsageError
from ..files import use_write_ahead
from ..records import Call, Completion, Teacher

LAYOUT = 2
READERS_WAIT = 10.0  # seconds that a reader waits for a writer's commit, and a writer for a reader's
_OF_COMPLETION = tuple(Completion.__dataclass_fields__)
_COLUMNS = {
    **dict.fromkeys(("key", "provider", "recipe", "prompt", "prompt_version", "chunk_id"), "TEXT"),
    "draw": "INTEGER",
    "status": "TEXT",
    **dict.fromkeys(_OF_COMPLETION, ""),  # SQLite keeps each value in its own type
    **dict.fromkeys(("error", "messages"), "TEXT"),
    **dict.fromkeys(("base_url", "asked_model", "sampling"), "TEXT"),  # layout 2
}
_SCHEMA = f"CREATE TABLE IF NOT EXISTS calls ({', '.join(map(' '.join, _COLUMNS.items()))}, PRIMARY KEY (key))"
_CONTEXTS = """CREATE TABLE IF NOT EXISTS contexts
               (base_url TEXT, model TEXT, tokens INTEGER, PRIMARY KEY (base_url, model))"""
_MIGRATIONS = {1: [f"ALTER TABLE calls ADD COLUMN {name} TEXT" for name in ("base_url", "asked_model", "sampling")]}
_PAID = ("attempts", "prompt_tokens", "completion_tokens")  # what an earlier try at the same call took was taken, too
_RENEWED = ", ".join(f"{name}=excluded.{name}" + f"+{name}" * (name in _PAID) for name in _COLUMNS)
_INSERT = f"""INSERT INTO calls ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" * len(_COLUMNS))})
              ON CONFLICT (key) DO UPDATE SET {_RENEWED}"""  # noqa: S608
_GET = f"SELECT status, error, {', '.join(_OF_COMPLETION)} FROM calls WHERE key=?"  # noqa: S608


@dataclass(frozen=True)
class Entry:
    """One call as it went.

    Status is `done`; `empty` (a reply that fits and holds nothing); `rejected` (one that does not fit) or `failed`
    (none after all attempts); `error` says why. All but `failed` answer a later run: asking again for what a teacher
    got wrong is a decision, not a default.
    """

    completion: Completion
    status: str = "done"
    error: str = ""


class Typical(NamedTuple):
    """How many calls were answered, and the mean tokens in, tokens out and seconds of one."""

    calls: int
    tokens_in: float
    tokens_out: float
    seconds: float


class Journal:
    """One writer at a time: opening takes the lock of the output folder and holds it until `close`.

    Read only, it takes no lock, and shows what another process is writing.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False):
        self.path = path = Path(path)
        self._writing = threading.Lock()
        with ExitStack() as opened:
            if not read_only:
                opened.callback(_lock(path).release)
            try:
                self._db = _connect(path, read_only=read_only)
                opened.callback(self._db.close)
                (_check_layout if read_only else _prepare)(self._db, path)
            except sqlite3.DatabaseError as error:
                raise InputError(f"{path}: not a journal ({error}); move the file away to start anew") from None
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    def get(self, key: str) -> Entry | None:
        row = self._db.execute(_GET, (key,)).fetchone()
        if row is None:
            return None
        status, error, *completion = row
        return Entry(Completion(*completion), status, error)

    def put(self, rows: Iterable[tuple[Teacher, Call, Entry]]) -> None:
        """Commit finished calls in one transaction."""
        values = [_values(*row) for row in rows]
        with self._writing, self._db:
            self._db.executemany(_INSERT, values)

    def context(self, base_url: str, model: str) -> int | None:
        """The context that was recorded of a model; 0 where it has answered without, None where it has not answered."""
        is_there = self._db.execute("SELECT 1 FROM sqlite_master WHERE name='contexts'").fetchone()
        recorded = "SELECT tokens FROM contexts WHERE base_url=? AND model=?"
        if is_there and (row := self._db.execute(recorded, (base_url, model)).fetchone()):
            return int(row[0])
        answered = "SELECT 1 FROM calls WHERE base_url=? AND asked_model=? AND status != 'failed' LIMIT 1"
        return 0 if self._db.execute(answered, (base_url, model)).fetchone() else None

    def put_context(self, base_url: str, model: str, tokens: int) -> None:
        """Record the context of a model, once."""
        with self._writing, self._db:
            self._db.execute("INSERT OR IGNORE INTO contexts VALUES (?, ?, ?)", (base_url, model, tokens))

    def rows(self) -> Iterator[sqlite3.Row]:
        yield from self._db.execute("SELECT * FROM calls ORDER BY created, key")

    def summary(self) -> list[dict[str, Any]]:
        """Calls by provider, host, model and status: `calls, requests, tokens_in, tokens_out, seconds, error`."""
        query = """SELECT provider, COALESCE(base_url, '') AS base_url, COALESCE(asked_model, model) AS model, status,
                          error, COUNT(*) AS calls, SUM(attempts) AS requests, SUM(prompt_tokens) AS tokens_in,
                          SUM(completion_tokens) AS tokens_out, AVG(latency) AS seconds
                   FROM calls GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, calls DESC"""
        return [dict(row) for row in self._db.execute(query)]

    def typical(self) -> dict[tuple[str, str, str], Typical]:
        """Answered calls by (provider, model asked for, prompt)."""
        query = """SELECT provider, COALESCE(asked_model, ''), prompt,
                          COUNT(*), AVG(prompt_tokens), AVG(completion_tokens), AVG(latency)
                   FROM calls WHERE status != 'failed' GROUP BY 1, 2, 3"""
        return {tuple(row[:3]): Typical(*row[3:]) for row in self._db.execute(query)}

    def __len__(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM calls").fetchone()[0])


def _lock(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"{path.parent}: another run is writing here; wait for it or set OUTPUT_DIR") from None
    return lock


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only and not path.is_file():
        raise InputError(f"{path}: no journal there; no teacher has been called yet, or OUTPUT_DIR is another one")
    address = path.absolute().as_uri() + ("?mode=ro" if read_only else "")
    db = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=READERS_WAIT)
    db.row_factory = sqlite3.Row
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Bring a file to this version's layout, for writing."""
    layout = _layout(db, path)
    use_write_ahead(db, path)
    db.execute("PRAGMA synchronous=FULL")
    with db:
        db.execute("BEGIN IMMEDIATE")  # all or nothing, should the process be killed on the way
        for statement in _MIGRATIONS.get(layout, ()):
            db.execute(statement)
        db.execute(_SCHEMA)
        db.execute(_CONTEXTS)
        db.execute(f"PRAGMA user_version={LAYOUT}")


def _check_layout(db: sqlite3.Connection, path: Path) -> None:
    if (layout := _layout(db, path)) == 0:  # no call yet, at most files made
        db.execute(_SCHEMA.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    elif layout != LAYOUT:
        raise InputError(f"{path}: written by an older version; any run that calls a teacher brings it up to date")


def _layout(db: sqlite3.Connection, path: Path) -> int:
    """The layout's number, 0 for a new file. Raises UsageError for one that this version cannot read."""
    layout = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    if layout not in (0, *_MIGRATIONS, LAYOUT) or (layout == 0 and tables - {"made_files"}):  # the register's
        raise UsageError(f"{path}: layout {layout}, this version reads {LAYOUT}; move the file away to start anew")
    return layout


_of_call = attrgetter("recipe", "prompt", "prompt_version", "chunk_id", "draw")
_of_completion = attrgetter(*_OF_COMPLETION)


def _values(teacher: Teacher, call: Call, entry: Entry) -> tuple[Any, ...]:
    """A row, in the order of `_COLUMNS`."""
    went = (entry.status, *_of_completion(entry.completion), entry.error)
    sampling = {"temperature": call.temperature, "max_tokens": call.max_tokens, "top_p": call.top_p, **call.options}
    asked = (json.dumps(call.messages, ensure_ascii=False), teacher.base_url, teacher.model, json.dumps(sampling))
    return (call.key, teacher.provider, *_of_call(call), *went, *asked)
