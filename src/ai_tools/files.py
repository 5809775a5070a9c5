"""JSON Lines in and out, and files that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .errors import InputError


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
def atomic(path: Path) -> Iterator[TextIO]:
    """A UTF-8 file to write to; a reader of `path` finds the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")  # one name, so that a killed run's is taken up by the next
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
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


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    """Write records or dicts as JSON Lines, atomically."""
    dicts = (row if isinstance(row, dict) else row.to_row() for row in rows)
    return write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dicts))


def write_json(path: Path, value: Any) -> Path:
    return write_atomic(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
