"""What `generate` leaves in a folder: for each document its pairs, and which of its chunks are done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

from .. import files
from ..documents import file_names, passages
from ..documents.chunk_folder import about_source
from ..errors import NothingProduced, UsageError
from ..files import Register
from ..matching import normalise
from ..records import Home, Pair, content_id
from . import earlier, outputs
from .earlier import Earlier
from .one_file import Made, Place, waiting
from .pairs import SUFFIX
from .targets import Inquiry

SECONDS = 2.0  # at least, between two states of the file of a document that is being worked on
SHARE = 10  # of the time, one part at most goes into such states: documents may be long, or many at a time
EDITED = "_qa.edited{}.json"


@dataclass(slots=True)
class _Harvest:
    """What came of a passage so far. `key` is what its calls depend on, `given` the id that its file gives it.

    `stood_there` is the key of the call that was not made, since the document's file had the pairs.
    """

    name: str
    given: int | str | None
    key: str = ""
    created: str = ""
    failed: bool = False
    stood_there: str = ""
    count: int = 0
    places: list[Place] = field(default_factory=list)

    @property
    def is_as_it_stood(self) -> bool:
        return self.key == content_id("", self.stood_there)


@dataclass
class _File:
    """The file of a document. `before` is the one that is there, `waits` that it stays until this one is complete."""

    path: Path
    about: dict[str, Any]
    before: Earlier | None
    waits: bool
    chunks: dict[int, _Harvest] = field(default_factory=dict)  # by their numbers in the source
    total: int = 0
    written: float = field(default_factory=time.monotonic)

    def in_order(self) -> list[_Harvest]:
        return [chunk for _, chunk in sorted(self.chunks.items())]

    @property
    def calls(self) -> str:
        """What the pairs depend on: the calls about each chunk, and which of them came to nothing."""
        return content_id(*(part for one in self.in_order() for part in (one.name, one.key, one.failed)))

    @property
    def ids(self) -> list[int | str]:
        """Of the chunks in their order: those that their file gives them, where no other has the same."""
        often = Counter(one.given for one in self.chunks.values())
        return [one.name if one.given is None or often[one.given] > 1 else one.given for one in self.in_order()]

    @property
    def is_right(self) -> bool:
        """Whether what is there needs no successor."""
        if self.before is None or not self.waits or self.before.state == "torn":
            return False
        return self.before.calls == self.calls or all(one.is_as_it_stood for one in self.chunks.values())

    def fate(self, before: Earlier) -> str:
        """What became of the file before, in words."""
        stood = [one for one in self.chunks.values() if one.stood_there]
        kept = f"{len(stood):,} chunks with {sum(one.count for one in stood):,} pairs of it are kept, the others asked"
        if before.state == "torn":
            return f"torn; {kept}"
        return kept if stood else "made anew"


class QaFolder:
    """Takes what came of every call, and keeps each document's file up to date.

    A file that an earlier run completed is left as it is, hand-made corrections with it, where passages, prompt, model
    and sampling are the same; else it stays until its successor is complete, and corrections in it are set aside. One
    that the register does not know is gone on with, and set aside where it has to be written. `fresh` makes all anew.

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
        self._earlier: dict[Home, Earlier] = {}
        self._rows_in = lru_cache(maxsize=16)(earlier.rows_by_chunk)
        self._taken: dict[tuple[Home, str], int] = {}  # the places of passages by the ids that they stand under
        self._unknown = Counter[str]()
        self._rests_until = 0.0
        self.completed = self.failed = self.kept = 0
        self.warnings: list[str] = []

    def check(self, chosen: Iterable[Home], *, overwrite: bool) -> None:
        """Looks at what is there. Refuses to write over what is neither this command's nor a document's file."""
        for which in chosen:
            path = self._paths[which]
            if path.is_file():
                self._earlier[which] = earlier.find(path, self._register, self._info, overwrite=overwrite)
            elif path.is_dir():
                raise UsageError(f"-o {path}: a folder stands where a file is to be; move it or give another folder")

    @contextmanager
    def writing(self, nothing: Callable[[], str]) -> Iterator[None]:
        """All files are whole on leaving; an interrupt or an error leaves what there is.

        Raises NothingProduced, with what `nothing` says, where not one pair came.
        """
        with waiting(self._folder) as self._rows:
            try:
                yield
                for home in [*self._open]:
                    self._complete(home)
            except BaseException:
                for file in self._open.values():
                    if not file.waits:
                        self._write(file, "interrupted")
                raise
        if self._unknown:
            files, chunks = self._unknown["files"], self._unknown["chunks"]
            said = f"{chunks:,} chunks done in {files:,} files that OUTPUT_DIR knows nothing of are taken as they are"
            self.warnings.append(f"{self._folder}: {said}; --fresh asks about all anew")
        if not self._count:
            raise NothingProduced(nothing())

    def standing(self, inquiry: Inquiry, key: str) -> Made | None:
        """What a document's file has of a passage that the journal knows nothing of; None: it is to be asked about."""
        passage = inquiry.passage
        before = self._earlier.get(passage.home)
        if self._fresh or inquiry.number or before is None:
            return None
        name = before.id_of(passage, key)
        if not name or self._taken.setdefault((passage.home, name), inquiry.place) != inquiry.place:
            return None
        found: dict[str, Pair] = {}
        for row in self._rows_in(before.path).get(name, []):
            if row.get("source_text", passage.text) != passage.text:
                return None
            question = normalise(row["question"])
            found[f"{question} {len(found)}" if question in found else question] = row
        return Made(inquiry, found, failed=False, key=key, stood_there=True)

    def take(self, made: Made) -> None:
        passage = made.inquiry.passage
        home = passage.home
        file = self._file(home)
        file.total = self.due[home]
        chunk = file.chunks.setdefault(made.inquiry.place, _Harvest(passage.chunk_id, passage.given_id))
        chunk.key, chunk.created = content_id(chunk.key, made.key), max(chunk.created, made.created)
        chunk.count += len(made.pairs)
        chunk.failed = made.failed and not chunk.count
        chunk.stood_there = made.key if made.stood_there else chunk.stood_there
        rows = (self._row(file, made, pair) for pair in made.pairs.values())
        chunk.places.append(self._rows.put(rows))
        self._count += len(made.pairs)
        if self.is_last and len(file.chunks) == file.total:
            self._complete(home)
        elif not file.waits and file.written + SECONDS < (now := time.monotonic()) > self._rests_until:
            self._write(file, "in_progress")
            self._rests_until = now + SHARE * (time.monotonic() - now)

    def _file(self, home: Home) -> _File:
        if home in self._open:
            return self._open[home]
        before = self._earlier.get(home)
        waits = before is not None and before.is_of_use and not self._fresh
        self._open[home] = _File(self._paths[home], self._about(home), before, waits)
        if before and before.state == "torn" and before.keys is not None:
            self.warnings.append(f"{before.path}: {outputs.TORN}")
        return self._open[home]

    def _complete(self, home: Home) -> None:
        file = self._open.pop(home)
        failed = all(chunk.failed for chunk in file.chunks.values())
        self.completed += not failed
        self.failed += failed
        stood = sum(bool(one.stood_there) for one in file.chunks.values())
        if stood and file.before and file.before.state == "unknown":
            self._unknown.update(files=1, chunks=stood)
        if file.is_right:
            self.kept += 1
        else:
            self._write(file, "failed" if failed else "completed")

    def _write(self, file: _File, status: str) -> None:
        taken = (one.stood_there for one in file.in_order() if one.stood_there)
        note = partial(self._enter, file, " ".join((file.calls, *taken)) if status == "completed" else "")
        with files.rows_to(file.path, inside="training_pairs", about=self._head(file, status), note=note) as write:
            for chunk, name in zip(file.in_order(), file.ids, strict=True):
                self._rows.write(chunk.places, write, chunk_id=name)
        file.written = time.monotonic()

    def _enter(self, file: _File, depends: str, path: Path, whole: Path) -> None:
        """Set aside what was corrected, where the new file has it not, and enter the new one in the register."""
        before, file.before = file.before, None
        if before and before.may_hold_work and not _is_beginning(path, whole):
            names = (f"{path.name.removesuffix(SUFFIX)}{EDITED.format(mark)}" for mark in chain(("",), count(2)))
            aside = next(one for one in map(path.with_name, names) if not one.exists())
            path.replace(aside)
            self.warnings.append(f"{path}: {file.fate(before)}; as it was it is kept in {aside.name}")
        self._register.note(path, whole, depends)

    def _head(self, file: _File, status: str) -> dict[str, Any]:
        chunks, ids = file.in_order(), file.ids
        done = [name for name, one in zip(ids, chunks, strict=True) if not one.failed]
        failed = [name for name, one in zip(ids, chunks, strict=True) if one.failed]
        taken = [name for name, one in zip(ids, chunks, strict=True) if one.stood_there]
        last = max((one.created for one in chunks), default="")
        return {
            **file.about,
            "qa_generation_info": self._info | {"generated_at": last},
            "status": status,
            "completed_chunks": done,
            "failed_chunks": failed,
            **({"resumed_chunks": taken} if taken else {}),
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
            name = path = file_names.flat(table.name.removesuffix(passages.SUFFIX))
        else:
            path = file_names.flat(file) or table.stem
            name = file_names.without_suffix(path)
        choices = (name, path, f"{path}-{table.stem}", f"{path}-{mark}")
        offers.append([file_names.fitting(one, mark) for one in choices])
    return file_names.tell_apart(offers)


def _is_beginning(path: Path, whole: Path) -> bool:
    """Whether a file holds nothing but what another begins with."""
    with path.open("rb") as one, whole.open("rb") as other:
        return all(other.read(len(part)) == part for part in iter(partial(one.read, 1 << 16), b""))
