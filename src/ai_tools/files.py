"""JSON Lines in and out, and files that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .errors import InputError, NothingProduced


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a JSON Lines file. A torn line raises InputError with its number."""
    return list(iterate_rows(path))


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
def atomic(path: Path, errors: str = "strict") -> Iterator[TextIO]:
    """A UTF-8 file to write to; a reader of `path` finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")  # one name, so that a killed run's is taken up by the next
    try:
        with unfinished.open("w", encoding="utf-8", errors=errors, newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_atomic(path: Path, text: str) -> Path:
    with atomic(path) as file:
        file.write(text)
    return path


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
    with atomic(path, errors="backslashreplace") as file:  # which escapes half a character as JSON does
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


def write_json(path: Path, value: Any) -> Path:
    return write_atomic(path, _json(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
