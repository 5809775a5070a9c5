"""JSON Lines in and out, files that are written whole or not at all, and the register of those that commands make."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from .errors import InputError, NothingProduced

Note = Callable[[Path, Path], None]  # is told of a path and of the whole file that is about to stand there


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """All rows of a JSON Lines file. A torn line raises InputError with its number."""
    return list(iterate_rows(Path(path)))


def iterate_rows(path: Path) -> Iterator[dict[str, Any]]:
    return (row for _, row in placed_rows(path))


def placed_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where it stands, the row) of each."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield (where := f"{path}, line {number}"), parse_row(line, where)


def parse_row(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object that a line is. Raises InputError, which begins with `where`, for any other line."""
    try:
        row = json.loads(line.decode())
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error.msg}); mend or remove the line") from None
    except UnicodeDecodeError:
        raise InputError(f"{where}: not UTF-8; save the file as UTF-8") from None
    if not isinstance(row, dict):
        raise InputError(f"{where}: no JSON object; mend or remove the line")
    return row


@contextmanager
def atomic(path: Path, errors: str = "strict", note: Note | None = None) -> Iterator[TextIO]:
    """A UTF-8 file to write to; a reader of `path` finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")  # one name, so that a killed run's is taken up by the next
    try:
        with unfinished.open("w", encoding="utf-8", errors=errors, newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if note:
            note(path, unfinished)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, text: str, note: Note | None = None) -> Path:
    with atomic(path, note=note) as file:
        file.write(text)
    return path


def put_folder(made: Path, folder: Path) -> None:
    """Put a whole folder in the place of another one, which stands aside until the new one is there.

    Killed at any moment, this leaves one of them whole; `whole_folder` puts it back where it stands aside.
    """
    whole_folder(folder)
    aside = _aside(folder)
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    made.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def whole_folder(folder: Path) -> Path:
    """The folder; where it is missing because `put_folder` was killed, the one that it was to replace."""
    if not folder.exists() and _aside(folder).exists():
        _aside(folder).rename(folder)
    return folder


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


class RowWriter:
    """Writes rows, records or dicts, one by one; `after` is what an object is to say behind its list of them."""

    def __init__(self, file: TextIO, is_array: bool):
        self._file, self._is_array = file, is_array
        self.count, self.after = 0, dict[str, Any]()

    def __call__(self, row: Any) -> None:
        before, behind = (",\n" if self.count else "\n", "") if self._is_array else ("", "\n")
        self._file.write(before + _json(row if isinstance(row, dict) else row.to_row()) + behind)
        self.count += 1


@contextmanager
def rows_to(
    path: Path,
    nothing: Callable[[], str] | None = None,
    *,
    is_array: bool | None = None,
    inside: str = "",
    about: Mapping[str, Any] | None = None,
    note: Note | None = None,
) -> Iterator[RowWriter]:
    """Gives what writes one row, to a `.json` array or `.jsonl` lines; the file is whole on leaving.

    Args:
        nothing: says why there is no row; then a file without one is an error, and what was there stays.
        is_array: decides instead of the file's suffix.
        inside: makes the file an object: what `about` says, the rows as the list of this name, what is in `after`.

    Raises:
        NothingProduced: there was no row.
    """
    is_array = bool(inside) or (path.suffix == ".json" if is_array is None else is_array)
    before = "{\n  " + "".join(f"{_member(*one)},\n  " for one in (about or {}).items()) + f"{_json(inside)}: "
    with atomic(path, "backslashreplace", note) as file:  # which escapes half a character as JSON does
        file.write((before if inside else "") + ("[" if is_array else ""))
        yield (writer := RowWriter(file, is_array))
        file.write("".join(["\n]" if is_array else "", *(f",\n  {_member(*one)}" for one in writer.after.items())]))
        file.write("\n}\n" if inside else "\n" if is_array else "")
        if nothing and not writer.count:
            raise NothingProduced(nothing())


def _member(name: str, value: Any) -> str:
    return f"{_json(name)}: {_json(value, indent=2)}".replace("\n", "\n  ")


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    """Write records or dicts as JSON Lines, atomically."""
    with rows_to(path, is_array=False) as write:
        for row in rows:
            write(row)
    return path


def write_json(path: Path, value: Any, note: Note | None = None) -> Path:
    return write_atomic(path, _json(value, indent=2) + "\n", note)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def hash_file(path: Path) -> str:
    """SHA-256 of a file. Raises FileNotFoundError: what a cache depends on must not go unnoticed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 of a folder's files and their names, but for what Python has compiled. Raises FileNotFoundError."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: not there")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    parts = [(str(path.relative_to(folder)), hash_file(path)) for path in files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


# --- who made a file ---

_MADE_FILES = "CREATE TABLE IF NOT EXISTS made_files (path, sha256, size, command, depends, PRIMARY KEY (path, sha256))"
_FIND = "SELECT sha256, command, depends, size FROM made_files WHERE path=? ORDER BY rowid DESC"
_ENTER = "REPLACE INTO made_files VALUES (?, ?, ?, ?, ?)"
# The entry before stays, for a kill may come before the new file is in its place.
_FORGET = """DELETE FROM made_files WHERE path=?1 AND rowid NOT IN
    (SELECT rowid FROM made_files WHERE path=?1 ORDER BY rowid DESC LIMIT 2)"""


@dataclass(frozen=True)
class MadeFile:
    """What the register knows of a file: who made it, from what, and whether it is as it was made.

    One is `torn` that is shorter than it was and breaks off, `edited` where it differs in another way.
    """

    command: str
    depends: str
    state: Literal["as made", "edited", "torn"]


class Register:
    """The files that commands have made, each by its path and bytes, in the database of the output folder.

    It needs no lock but the database's own, so that several processes may write to it, beside a journal that is open.
    """

    def __init__(self, database: Path, command: str):
        self._database, self.command = database, command
        self._db: sqlite3.Connection | None = None

    def find(self, path: Path) -> MadeFile | None:
        """What is known of the file that a path leads to; None of one that no command has made."""
        rows: list[tuple[Any, ...]] = []
        for mode in (
            ("mode=ro", "mode=ro&immutable=1") if self._database.is_file() else ()
        ):  # that in a folder of others
            address = f"{self._database.absolute().as_uri()}?{mode}"
            # An older database has no register, and one that cannot be read knows nothing.
            with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True, timeout=10)) as db:
                rows = rows or db.execute(_FIND, (os.fsencode(path.resolve()),)).fetchall()
        if not rows:
            return None
        now = hash_file(path)
        same = [row for row in rows if row[0] == now]
        _, command, depends, size = (same or rows)[0]
        return MadeFile(command, depends, "as made" if same else "torn" if _is_torn(path, size) else "edited")

    def note(self, path: Path, whole: Path, depends: str = "") -> None:
        """Enter a file, before it takes its place: `whole` is what will stand at `path`."""
        place = os.fsencode(path.parent.resolve() / path.name)
        entry = (place, hash_file(whole), whole.stat().st_size, self.command, depends)
        try:
            with self._opened() as db:
                db.execute(_ENTER, entry)
                db.execute(_FORGET, (place,))
        except (OSError, sqlite3.Error) as error:
            fix = "what is made now will need --overwrite to be made anew"
            warnings.warn(f"{self._database}: cannot be written ({error}); {fix}", stacklevel=2)

    def _opened(self) -> sqlite3.Connection:
        """One connection for all entries, for opening it takes longer than they do."""
        if self._db is None:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._database, timeout=10, check_same_thread=False)
            weakref.finalize(self, db.close)
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            if tables and not tables & {"made_files", "calls"}:
                raise sqlite3.DatabaseError("somebody else's database")
            use_write_ahead(db, self._database)
            db.execute("PRAGMA synchronous=NORMAL")  # what a power cut takes of it is a question asked, no loss
            db.execute(_MADE_FILES)
            self._db = db
        return self._db


def use_write_ahead(db: sqlite3.Connection, path: Path) -> None:
    """A write-ahead log, for readers beside the writer. Network volumes refuse it: then a rollback journal.

    Where another process makes the same database, SQLite says "locked" here without waiting for it.
    """
    mode, ends = "", time.monotonic() + 10
    while not mode:
        try:
            mode = db.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                mode = "refused"
            elif time.monotonic() > ends:
                raise
            else:
                time.sleep(0.01)
    if mode != "wal":
        db.execute("PRAGMA journal_mode=DELETE")
        warnings.warn(
            f"{path}: this file system takes no write-ahead log; a rollback journal is used, which is slower",
            stacklevel=2,
        )


def _is_torn(path: Path, size: int) -> bool:
    """Whether a file of JSON is shorter than it was made, and does not end as it begins."""
    with path.open("rb") as file:
        begins = file.read(1)
        file.seek(max(0, (length := path.stat().st_size) - 100))
        both = begins + file.read().rstrip()[-1:]
    return length < size and begins in b"[{" and both not in (b"[]", b"{}")
