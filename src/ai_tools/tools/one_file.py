"""What came of the calls about passages, and what takes it to one file of rows."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .. import files
from ..files import Note, RowWriter
from ..records import Home, Pair
from .targets import Inquiry

Place = tuple[int, int]  # where rows wait: their start and length


@dataclass
class Made:
    """What came of a call: new pairs by their questions; `failed` where no usable reply came.

    `stood_there` tells that it was not made, since the document's file had the pairs; `rejected` counts the pairs of a
    reply that were left out, by the check that they failed.
    """

    inquiry: Inquiry
    pairs: dict[str, Pair]
    failed: bool
    key: str
    created: str = ""
    model: str = ""
    stood_there: bool = False
    rejected: Counter[str] = field(default_factory=Counter)


class Waiting:
    """Rows that wait in a file without a name, so that no text is held."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def put(self, rows: Iterable[Pair]) -> Place:
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        start = self._file.seek(0, 2)
        self._file.write(text)
        return start, len(text)

    def write(self, places: Iterable[Place], write: RowWriter, **more: Any) -> None:
        for start, length in places:
            self._file.seek(start)
            for line in self._file.read(length).splitlines():
                write(json.loads(line) | more)


@contextmanager
def waiting(folder: Path) -> Iterator[Waiting]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        yield Waiting(file)


class OneFile:
    """Takes what came of every call to one file of rows, which is written in the order of the source."""

    due: Counter[Home]
    is_last: bool
    completed = failed = kept = 0
    warnings: Sequence[str] = ()

    def __init__(self, path: Path, note: Note):
        self._path, self._note = path, note
        self._places: dict[int, list[Place]] = {}

    @contextmanager
    def writing(self, nothing: Callable[[], str]) -> Iterator[None]:
        """The file is whole on leaving. Raises NothingProduced, with what `nothing` says, where there is no row."""
        with waiting(self._path.parent) as rows, files.rows_to(self._path, nothing, note=self._note) as write:
            self._rows, self._write = rows, write
            yield
            for _, places in sorted(self._places.items()):
                rows.write(places, write)

    @staticmethod
    def standing(_: Inquiry, __: str) -> Made | None:
        return None

    def take(self, made: Made) -> None:
        rows = (_row(made, pair) for pair in made.pairs.values())
        if not self.is_last:
            self._places.setdefault(made.inquiry.place, []).append(self._rows.put(rows))
            return
        for row in rows:
            self._write(row)


def _row(made: Made, pair: Pair) -> Pair:
    passage = made.inquiry.passage
    return {
        **{name: pair[name] for name in ("question", "answer", "type")},
        "chunk_id": passage.chunk_id,
        "source": passage.document_id or passage.file,
        "source_file": passage.file,
        "source_text": passage.text,
        **{name: pair[name] for name in ("reasoning", "follows") if name in pair},
        "generated_at": made.created,
        "model": made.model,
    }
