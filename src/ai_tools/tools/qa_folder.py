"""What `generate` leaves: one file of rows, or for each document its pairs, and which of its chunks are done."""

from __future__ import annotations

import filecmp
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from .. import files
from ..documents import file_names, passages
from ..documents.chunk_folder import about_source
from ..errors import NothingProduced, UsageError
from ..files import Note, Register, RowWriter
from ..records import Home, Pair, content_id
from . import outputs
from .pairs import SUFFIX
from .targets import Inquiry

SECONDS = 2.0  # at least, between two states of the file of a document that is being worked on
SHARE = 10  # of the time, one part at most goes into such states: documents may be long, or many at a time
EDITED = "_qa.edited.json"
Place = tuple[int, int]  # where rows wait: their start and length


@dataclass
class Made:
    """What came of a call: new pairs by their questions; `failed` where no usable reply came."""

    inquiry: Inquiry
    pairs: dict[str, Pair]
    failed: bool
    key: str
    created: str = ""
    model: str = ""


class _Waiting:
    """Rows that wait in a file without a name, so that no text is held."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def put(self, rows: Iterable[Pair]) -> Place:
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
        start = self._file.seek(0, 2)
        self._file.write(text)
        return start, len(text)

    def write(self, places: Iterable[Place], write: RowWriter) -> None:
        for start, length in places:
            self._file.seek(start)
            for line in self._file.read(length).splitlines():
                write(json.loads(line))


@contextmanager
def _waiting(folder: Path) -> Iterator[_Waiting]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        yield _Waiting(file)


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
        with _waiting(self._path.parent) as rows, files.rows_to(self._path, nothing, note=self._note) as write:
            self._rows, self._write = rows, write
            yield
            for _, places in sorted(self._places.items()):
                rows.write(places, write)

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


# --- a file for each document ---


@dataclass(slots=True)
class _Harvest:
    """What came of a passage so far. `key` is what its calls depend on, `given` the id that its file gives it."""

    name: str
    given: int | str | None
    key: str = ""
    created: str = ""
    failed: bool = False
    count: int = 0
    places: list[Place] = field(default_factory=list)


@dataclass
class _File:
    """The file of a document. `is_there`: what the calls were of one that an earlier run has completed."""

    path: Path
    about: dict[str, Any]
    chunks: dict[int, _Harvest] = field(default_factory=dict)  # by their numbers in the source
    total: int = 0
    is_there: str = ""
    edited: bool = False
    written: float = field(default_factory=time.monotonic)

    def in_order(self) -> list[_Harvest]:
        return [chunk for _, chunk in sorted(self.chunks.items())]

    @property
    def calls(self) -> str:
        """What the pairs depend on: the calls about each chunk, and which of them came to nothing."""
        return content_id(*(part for one in self.in_order() for part in (one.name, one.key, one.failed)))


class QaFolder:
    """Takes what came of every call, and keeps each document's file up to date.

    A file that an earlier run completed is left as it is, hand-made corrections with it, where passages, prompt, model
    and sampling are the same; else it stays until its successor is complete, and corrections in it are set aside.
    `fresh` writes all anew.

    Args:
        documents: all of the source, by which names are told apart, with the number of their passages.
        info: `qa_generation_info`.
        register: of the command that may write over the files.
    """

    due: Counter[Home]
    is_last: bool

    def __init__(
        self, folder: Path, documents: Mapping[Home, int], info: dict[str, Any], register: Register, *, fresh: bool
    ):
        self._folder, self._info, self._register, self._fresh = folder, info, register, fresh
        self._documents = documents
        self._of_origin = Counter(origin for origin, _ in documents)
        names = zip(documents, _names(documents, self._of_origin), strict=True)
        self._paths = {which: folder / f"{name}{SUFFIX}" for which, name in names}
        self._open: dict[Home, _File] = {}
        self._count = 0
        self._told: tuple[str, dict[str, Any]] = ("", {})
        self._rests_until = 0.0
        self.completed = self.failed = self.kept = 0
        self.warnings: list[str] = []

    def check(self, chosen: Iterable[Home], *, overwrite: bool) -> None:
        """Refuses to write over what this command has not made."""
        for path in (self._paths[which] for which in chosen):
            if path.is_file() and not overwrite:
                outputs.claimed(path, self._register)
            elif path.is_dir():
                raise UsageError(f"-o {path}: a folder stands where a file is to be; move it or give another folder")

    @contextmanager
    def writing(self, nothing: Callable[[], str]) -> Iterator[None]:
        """All files are whole on leaving; an interrupt or an error leaves what there is.

        Raises NothingProduced, with what `nothing` says, where not one pair came.
        """
        with _waiting(self._folder) as self._rows:
            try:
                yield
                for home in [*self._open]:
                    self._complete(home)
            except BaseException:
                for file in self._open.values():
                    if not file.is_there:
                        self._write(file, "interrupted")
                raise
        if not self._count:
            raise NothingProduced(nothing())

    def take(self, made: Made) -> None:
        passage = made.inquiry.passage
        home = passage.home
        file = self._file(home)
        file.total = self.due[home]
        chunk = file.chunks.setdefault(made.inquiry.place, _Harvest(passage.chunk_id, passage.given_id))
        chunk.key, chunk.created = content_id(chunk.key, made.key), max(chunk.created, made.created)
        chunk.count += len(made.pairs)
        chunk.failed = made.failed and not chunk.count
        rows = (self._row(file, made, pair) for pair in made.pairs.values())
        chunk.places.append(self._rows.put(rows))
        self._count += len(made.pairs)
        if self.is_last and len(file.chunks) == file.total:
            self._complete(home)
        elif not file.is_there and file.written + SECONDS < (now := time.monotonic()) > self._rests_until:
            self._write(file, "in_progress")
            self._rests_until = now + SHARE * (time.monotonic() - now)

    def _file(self, home: Home) -> _File:
        if home in self._open:
            return self._open[home]
        self._open[home] = file = _File(self._paths[home], self._about(home))
        if file.path.is_file():
            made = self._register.find(file.path)
            if made is None:  # of a file of ours without an entry nobody knows whether it was edited
                file.edited = outputs.marked_by(file.path) == self._register.command
            elif made.state == "torn":
                self.warnings.append(f"{file.path}: {outputs.TORN}")
            else:
                file.edited = made.state == "edited"
                file.is_there = "" if self._fresh else made.depends
        return file

    def _complete(self, home: Home) -> None:
        file = self._open.pop(home)
        failed = all(chunk.failed for chunk in file.chunks.values())
        self.completed += not failed
        self.failed += failed
        if file.is_there == file.calls:
            self.kept += 1
        else:
            self._write(file, "failed" if failed else "completed")

    def _write(self, file: _File, status: str) -> None:
        note = partial(self._enter, file, file.calls if status == "completed" else "")
        with files.rows_to(file.path, inside="training_pairs", about=self._head(file, status), note=note) as write:
            for chunk in file.in_order():
                self._rows.write(chunk.places, write)
        file.written = time.monotonic()

    def _enter(self, file: _File, depends: str, path: Path, whole: Path) -> None:
        """Set aside what was corrected, where the new file has it not, and enter the new one in the register."""
        if file.edited and not filecmp.cmp(path, whole, shallow=False):
            aside = path.with_name(f"{path.name.removesuffix(SUFFIX)}{EDITED}")
            path.replace(aside)
            self.warnings.append(f"{path}: what had been corrected in it is kept in {aside.name}")
        file.edited = False
        self._register.note(path, whole, depends)

    def _head(self, file: _File, status: str) -> dict[str, Any]:
        chunks = file.in_order()
        often = Counter(one.given for one in chunks)
        ids = [one.name if one.given is None or often[one.given] > 1 else one.given for one in chunks]
        done = [name for name, one in zip(ids, chunks, strict=True) if not one.failed]
        failed = [name for name, one in zip(ids, chunks, strict=True) if one.failed]
        last = max((one.created for one in chunks), default="")
        return {
            **file.about,
            "qa_generation_info": self._info | {"generated_at": last},
            "status": status,
            "completed_chunks": done,
            "failed_chunks": failed,
            "completion_time": last if status in ("completed", "failed") else None,
            "summary": {
                "total_chunks": file.total,
                "completed_chunks": len(done),
                "failed_chunks": len(failed),
                "total_qa_pairs": sum(one.count for one in chunks),
            },
        }

    def _about(self, home: Home) -> dict[str, Any]:
        """`metadata` and `processing_info` of a document, from its chunk file where it has one of its own."""
        origin, file = home
        if self._told[0] != origin:
            self._told = (origin, passages.described(Path(origin)))
        told = self._told[1]
        metadata = about_source(file, f"ai-tools {self._info['generated_by']}")
        if self._of_origin[origin] == 1:  # `markdown` is the name of a file beside the chunks
            of_its_own = told.get("metadata", {}).items()
            metadata |= {name: value for name, value in of_its_own if name not in ("processed_by", "markdown")}
        processing = dict.fromkeys(("splitting_strategy", "chunk_size", "chunk_overlap"))
        processing |= told.get("processing_info", {}) | {"total_chunks": self._documents[home]}
        return {"metadata": metadata, "processing_info": processing}

    @staticmethod
    def _row(file: _File, made: Made, pair: Pair) -> Pair:
        passage = made.inquiry.passage
        return {
            **pair,
            "source_file": passage.file,
            **{name: file.about["metadata"][name] for name in ("file_name", "file_type")},
            "chunk_id": passage.chunk_id,
            "chunk_index": passage.index,
            "chunk_start": passage.start,
            "chunk_end": passage.end,
            "source_text": passage.text,
        }


def _names(documents: Iterable[Home], of_origin: Counter[str]) -> list[str]:
    """A name for each document: that of its chunk file, else its path; its suffix tells two apart, then its table."""
    offers = []
    for origin, file in documents:
        table = PurePosixPath(origin)
        mark = content_id(table.name, file)[:8]
        if origin.endswith(passages.SUFFIX) and of_origin[origin] == 1:
            name = path = table.name.removesuffix(passages.SUFFIX)
        else:
            path = file_names.flat(file) or table.stem
            name = file_names.without_suffix(path)
        choices = (name, path, f"{path}-{table.stem}", f"{path}-{mark}")
        offers.append([file_names.fitting(one, mark) for one in choices])
    return file_names.tell_apart(offers)
