"""The folder that `generate` leaves: for each document its pairs, and which of its chunks are done, in `*_qa.json`."""

from __future__ import annotations

import filecmp
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from .. import files
from ..documents import file_names
from ..documents.passages import SUFFIX as CHUNKS
from ..errors import UsageError
from ..files import Register
from ..records import Home, Passage, content_id
from . import outputs
from .pairs import SUFFIX
from .running import Pair

SECONDS = 2.0  # at least, between two states of the file of a document that is being worked on
SHARE = 10  # of the time, one part at most goes into such states: documents may be long, or many at a time
EDITED = "_qa.edited.json"


@dataclass
class Made:
    """What came of one passage: its pairs; `failed` where no usable reply came. `key` is what the calls depend on."""

    passage: Passage
    pairs: list[Pair]
    failed: bool
    key: str
    created: str


@dataclass(slots=True)
class _Kept:
    """The same, with its rows where they wait to be written."""

    failed: bool
    key: str
    created: str
    count: int
    start: int
    length: int


@dataclass
class _Doc:
    which: Home
    path: Path
    about: dict[str, Any]
    made: dict[str, _Kept] = field(default_factory=dict)  # by chunk id
    final: int = 0  # of them nothing more will come
    is_there: str = ""  # what the calls were of a file that an earlier run has completed
    edited: bool = False
    written: float = 0.0


class QaFolder:
    """Takes what came of every passage, and keeps each document's file up to date.

    A file that an earlier run completed is left as it is, hand-made corrections with it, where passages, prompt, model
    and sampling are the same; else it stays until its successor is complete, and corrections in it are set aside.
    `fresh` writes all anew. No text is held: rows wait in a file without a name.

    Args:
        documents: all of the source, by which names are told apart, with the number of their passages.
        info: `qa_generation_info`.
        register: of the command that may write over the files.
    """

    def __init__(
        self, folder: Path, documents: Mapping[Home, int], info: dict[str, Any], register: Register, *, fresh: bool
    ):
        self.folder, self._info, self._register, self._fresh = folder, info, register, fresh
        self._documents = documents
        self._paths = {
            which: folder / f"{name}{SUFFIX}" for which, name in zip(documents, _names(documents), strict=True)
        }
        self._of_origin = Counter(origin for origin, _ in documents)
        self._open: dict[Home, _Doc] = {}
        self._told: tuple[str, dict[str, Any]] = ("", {})
        self._rests_until = 0.0
        self.due: Counter[Home] = Counter()  # passages of each document that are asked about
        self.completed = self.kept = 0
        self.warnings: list[str] = []

    def check(self, chosen: Mapping[Home, int], *, overwrite: bool) -> None:
        """Refuses to write over what this command has not made."""
        for document in chosen:
            path = self._paths[document]
            if path.is_file() and not overwrite:
                outputs.claimed(path, self._register)
            elif path.is_dir():
                raise UsageError(f"-o {path}: a folder stands where a file is to be; move it or give another folder")

    @contextmanager
    def writing(self) -> Iterator[QaFolder]:
        """An interrupt or an error leaves what there is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder) as self._rows:
            try:
                yield self
            except BaseException:
                for document in self._open.values():
                    if not document.is_there:
                        self._write(document, "interrupted")
                raise

    def so_far(self, made: Made) -> None:
        """What has come of a passage that may be asked about again."""
        document = self._take(made)
        if not document.is_there and self._is_time(document):
            began = time.monotonic()
            self._write(document, "in_progress")
            self._rests_until = began + SHARE * (time.monotonic() - began)

    def __call__(self, made: Made) -> None:
        """All that comes of a passage; each is given once, in the order of the source."""
        which = made.passage.home
        document = self._document(which)
        document.made.pop(made.passage.chunk_id, None)  # its place is behind those before it
        document.final += 1
        if document.final < self.due[which]:
            self.so_far(made)
        else:
            self._take(made)
            self._complete(self._open.pop(which))

    def _is_time(self, document: _Doc) -> bool:
        now = time.monotonic()
        return now - document.written > SECONDS and now > self._rests_until

    def _document(self, which: Home) -> _Doc:
        if which not in self._open:
            document = _Doc(which, self._paths[which], self._about(which), written=time.monotonic())
            if document.path.is_file():
                self._look(document)
            self._open[which] = document
        return self._open[which]

    def _look(self, document: _Doc) -> None:
        """What an earlier run has left. Of a file of ours without an entry nobody knows whether it was edited."""
        made = self._register.find(document.path)
        if made is None:
            document.edited = outputs.marked_by(document.path) == self._register.command
        elif made.state == "torn":
            self.warnings.append(f"{document.path}: {outputs.TORN}")
        else:
            document.edited = made.state == "edited"
            document.is_there = "" if self._fresh else made.depends

    def _take(self, made: Made) -> _Doc:
        document = self._document(made.passage.home)
        metadata = document.about["metadata"]
        rows = "".join(json.dumps(_row(made.passage, pair, metadata)) + "\n" for pair in made.pairs).encode()
        start = self._rows.seek(0, 2)
        self._rows.write(rows)
        kept = _Kept(made.failed, made.key, made.created, len(made.pairs), start, len(rows))
        document.made[made.passage.chunk_id] = kept
        return document

    def _complete(self, document: _Doc) -> None:
        failed = all(made.failed for made in document.made.values())
        self.completed += not failed
        if document.is_there == _calls_of(document.made):
            self.kept += 1
        else:
            self._write(document, "failed" if failed else "completed")

    def _write(self, document: _Doc, status: str) -> None:
        depends = _calls_of(document.made) if status == "completed" else ""
        note = partial(self._enter, document, depends)
        about = self._head(document, status)
        with files.rows_to(document.path, inside="training_pairs", about=about, note=note) as write:
            for made in document.made.values():
                self._rows.seek(made.start)
                for line in self._rows.read(made.length).splitlines():
                    write(json.loads(line))
        document.written = time.monotonic()

    def _enter(self, document: _Doc, depends: str, path: Path, whole: Path) -> None:
        """Set aside what was corrected, where the new file has it not, and enter the new one in the register."""
        if document.edited and not filecmp.cmp(path, whole, shallow=False):
            aside = path.with_name(f"{path.name.removesuffix(SUFFIX)}{EDITED}")
            path.replace(aside)
            self.warnings.append(f"{path}: what had been corrected in it is kept in {aside.name}")
        document.edited = False
        self._register.note(path, whole, depends)

    def _head(self, document: _Doc, status: str) -> dict[str, Any]:
        done = [name for name, one in document.made.items() if not one.failed]
        failed = [name for name, one in document.made.items() if one.failed]
        last = max((one.created for one in document.made.values()), default="")
        return {
            **document.about,
            "qa_generation_info": self._info | {"generated_at": last},
            "status": status,
            "completed_chunks": done,
            "failed_chunks": failed,
            "completion_time": last if status in ("completed", "failed") else None,
            "summary": {
                "total_chunks": self.due[document.which],
                "completed_chunks": len(done),
                "failed_chunks": len(failed),
                "total_qa_pairs": sum(one.count for one in document.made.values()),
            },
        }

    def _about(self, which: Home) -> dict[str, Any]:
        """`metadata` and `processing_info` of a document, from its chunk file where it has one of its own."""
        origin, file = which
        if self._told[0] != origin:
            self._told = (origin, _told_by(origin))
        given = self._told[1]
        told = given.get("metadata", {}) if self._of_origin[origin] == 1 else {}
        name = PurePosixPath(file).name
        metadata = {
            "processed_by": f"ai-tools {self._info['generated_by']}",
            "file_name": name,
            "source_file": file,
            "file_type": PurePosixPath(name).suffix.lower(),
            "file_size": None,
            "processed_at": None,
        }
        # `markdown` is the name of a file beside the chunks.
        metadata |= {name: value for name, value in told.items() if name not in ("processed_by", "markdown")}
        processing = dict.fromkeys(("splitting_strategy", "chunk_size", "chunk_overlap"))
        processing |= given.get("processing_info", {}) | {"total_chunks": self._documents[which]}
        return {"metadata": metadata, "processing_info": processing}


def _names(documents: Mapping[Home, int]) -> list[str]:
    """A name for each document: that of its chunk file, else its path; its suffix tells two apart, then its table."""
    of_origin = Counter(origin for origin, _ in documents)
    offers = []
    for origin, file in documents:
        table = PurePosixPath(origin)
        mark = content_id(table.name, file)[:8]
        if origin.endswith(CHUNKS) and of_origin[origin] == 1:
            name = path = table.name.removesuffix(CHUNKS)
        else:
            path = file_names.flat(file) or table.stem
            name = file_names.without_suffix(path)
        choices = (name, path, f"{path}-{table.stem}", f"{path}-{mark}")
        offers.append([file_names.fitting(one, mark) for one in choices])
    return file_names.tell_apart(offers)


def _told_by(origin: str) -> dict[str, Any]:
    """What a chunk file says of itself. A table says nothing, nor do the lines of a file of passages."""
    path = Path(origin)
    if path.suffix == ".jsonl" or not path.is_file():
        return {}
    try:
        whole = json.loads(path.read_bytes())
    except ValueError:
        return {}
    if not isinstance(whole, dict) or "chunks" not in whole:
        return {}
    given = {block: whole.get(block) for block in ("metadata", "processing_info")}
    return {
        block: {name: value for name, value in content.items() if value is not None}
        for block, content in given.items()
        if isinstance(content, dict)
    }


def _row(passage: Passage, pair: Pair, metadata: dict[str, Any]) -> Pair:
    core = {name: value for name, value in pair.items() if name not in ("generated_at", "model")}
    return {
        **core,
        "source_file": passage.file,
        "file_name": metadata["file_name"],
        "file_type": metadata["file_type"],
        "chunk_id": passage.chunk_id,
        "chunk_index": passage.index,
        "chunk_start": passage.start,
        "chunk_end": passage.end,
        "source_text": passage.text,
    }


def _calls_of(made: Mapping[str, _Kept]) -> str:
    """What a document's pairs depend on: the calls about each of its chunks, and which of them came to nothing."""
    return content_id(*(part for name, one in made.items() for part in (name, one.key, one.failed)))
