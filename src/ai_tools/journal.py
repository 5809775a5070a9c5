"""The durable record of every teacher call: cache, resume, cost and audit in one SQLite file.

A reply is committed before it is used. Kill the process anywhere, run again: no finished call is repeated.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from .errors import UsageError
from .records import Call, Completion

LAYOUT = 1
_OF_COMPLETION = tuple(Completion.__dataclass_fields__)
_COLUMNS = {
    **dict.fromkeys(("key", "provider", "recipe", "prompt", "prompt_version", "chunk_id"), "TEXT"),
    "draw": "INTEGER",
    "status": "TEXT",
    **dict.fromkeys(_OF_COMPLETION, ""),  # SQLite keeps each value in its own type
    **dict.fromkeys(("error", "messages", "created"), "TEXT"),
}
_SCHEMA = f"CREATE TABLE IF NOT EXISTS calls ({', '.join(map(' '.join, _COLUMNS.items()))}, PRIMARY KEY (key))"
_INSERT = f"INSERT OR REPLACE INTO calls VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608


class Journal:
    """One writer at a time: opening takes the lock of the output folder and holds it until `close`.

    Status is `done` (a reply that parsed) or `rejected` (one that did not). Both answer a later run: asking again
    for what a teacher got wrong is a decision, not a default.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{path}.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"{path.parent}: another run is writing here; wait for it or set OUTPUT_DIR") from None
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._writing = threading.Lock()
        try:
            layout = self._db.execute("PRAGMA user_version").fetchone()[0]
            if layout not in (0, LAYOUT):
                raise UsageError(
                    f"{path}: layout {layout}, this version reads {LAYOUT}; move the file away to start anew"
                )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={LAYOUT}")
            self._db.commit()
        except sqlite3.DatabaseError as error:
            self.close()
            raise UsageError(f"{path}: not a journal ({error}); move the file away to start anew") from None
        except UsageError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()
        self._lock.release()

    def get(self, key: str) -> Completion | None:
        row = self._db.execute("SELECT * FROM calls WHERE key=?", (key,)).fetchone()
        if row is None:
            return None
        return Completion(**{name: row[name] for name in _OF_COMPLETION})

    def put(self, rows: Iterable[tuple[str, Call, Completion, str]]) -> None:
        """Commit finished calls in one transaction; each is (provider, call, completion, error or "")."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = [
            {
                **{
                    name: getattr(call, name)
                    for name in ("key", "recipe", "prompt", "prompt_version", "chunk_id", "draw")
                },
                **{name: getattr(done, name) for name in _OF_COMPLETION},
                "provider": provider,
                "status": "rejected" if error else "done",
                "error": error,
                "messages": json.dumps(call.messages, ensure_ascii=False),
                "created": now,
            }
            for provider, call, done, error in rows
        ]
        with self._writing, self._db:
            self._db.executemany(_INSERT, values)

    def rows(self) -> Iterator[sqlite3.Row]:
        yield from self._db.execute("SELECT * FROM calls ORDER BY created, key")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT COUNT(*) FROM calls").fetchone()[0])
