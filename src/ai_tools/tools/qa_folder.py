"""The folder that `generate` leaves: for each document its pairs, and which of its chunks are done, in `*_qa.json`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .. import store
from ..chunk_files import SUFFIX as CHUNKS
from ..errors import UsageError
from ..records import content_id
from .pairs import SUFFIX
from .running import Pair

SECONDS = 2.0  # at least, between two states of the file of a document that is being worked on
MAKER = "ai-tools generate"


@dataclass
class Made:
    """What came of one passage: its pairs; `failed` where no usable reply came. `key` is what the calls depend on."""

    chunk: dict[str, Any]
    pairs: list[Pair]
    failed: bool
    key: str
    created: str


@dataclass
class _Document:
    path: Path
    due: int
    about: dict[str, Any]
    made: list[Made] = field(default_factory=list)
    is_there: str | None = None  # the fingerprint of a file that an earlier run has completed
    written: float = 0.0


class QaFolder:
    """Takes what came of every passage, and keeps each document's file up to date.

    A file that an earlier run completed is left as it is, hand-made corrections with it, where passages, prompt, model
    and sampling are the same; `fresh` writes it anew.
    """

    def __init__(self, folder: Path, chunks: Iterable[dict[str, Any]], info: dict[str, Any], *, fresh: bool):
        self.folder, self._info, self._fresh = folder, info, fresh
        self._due: Counter[tuple[str, str]] = Counter((one["origin"], one["file"]) for one in chunks)
        self._names = _names(self._due)
        self._open: dict[tuple[str, str], _Document] = {}
        self.completed = self.failed = self.kept = 0

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in self._names.values()]

    def __call__(self, made: Made) -> None:
        which = made.chunk["origin"], made.chunk["file"]
        if which not in self._open:
            self._open[which] = self._begin(which)
        document = self._open[which]
        document.made.append(made)
        if len(document.made) == document.due:
            self._complete(self._open.pop(which))
        elif document.is_there is None and time.monotonic() - document.written > SECONDS:
            self._write(document, "in_progress")

    def interrupted(self) -> None:
        """Leave what there is of documents that were begun and not completed."""
        for document in self._open.values():
            if document.is_there is None and document.made:
                self._write(document, "interrupted")

    def _begin(self, which: tuple[str, str]) -> _Document:
        path = self.folder / self._names[which]
        found = None if self._fresh else _completed(path)
        return _Document(path, self._due[which], _about(*which), is_there=found, written=time.monotonic())

    def _complete(self, document: _Document) -> None:
        failed = all(made.failed for made in document.made)
        self.failed += failed
        self.completed += not failed
        if document.is_there == _fingerprint(document.made):
            self.kept += 1
        else:
            self._write(document, "failed" if failed else "completed")

    def _write(self, document: _Document, status: str) -> None:
        made, about = document.made, document.about
        done = [one.chunk["chunk_id"] for one in made if not one.failed]
        failed = [one.chunk["chunk_id"] for one in made if one.failed]
        rows = [_row(one.chunk, pair, about["metadata"]) for one in made for pair in one.pairs]
        last = max((one.created for one in made), default="")
        counts = {"total_chunks": document.due, "completed_chunks": len(done), "failed_chunks": len(failed)}
        whole = {
            "metadata": about["metadata"],
            "processing_info": about["processing_info"] | {"total_chunks": document.due},
            "qa_generation_info": self._info | {"generated_at": last, "fingerprint": _fingerprint(made)},
            "status": status,
            "completed_chunks": done,
            "failed_chunks": failed,
            "completion_time": last if status in ("completed", "failed") else None,
            "training_pairs": rows,
            "summary": counts | {"total_qa_pairs": len(rows)},
        }
        store.write_json(document.path, whole)
        document.written = time.monotonic()


@contextmanager
def writing(folder: QaFolder, *, overwrite: bool) -> Iterator[QaFolder]:
    """Refuses to write over what `generate` has not made; an interrupt or an error leaves what there is."""
    for path in folder.paths:
        if path.is_file() and not overwrite and MAKER not in path.read_text("utf-8", errors="replace")[:100_000]:
            raise UsageError(f"-o {path}: exists, and was not made by this command; add --overwrite to replace it")
    try:
        yield folder
    except BaseException:
        folder.interrupted()
        raise


def _names(documents: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A file name for each document: that of its chunk file, else its path; its suffix stays to tell two apart."""
    whole = {
        (origin, file): (
            PurePosixPath(origin).name.removesuffix(CHUNKS)
            if origin.endswith(CHUNKS)
            else file.replace("/", "__") or PurePosixPath(origin).stem
        )
        for origin, file in documents
    }
    short = {
        which: PurePosixPath(name).stem if not which[0].endswith(CHUNKS) else name for which, name in whole.items()
    }
    count = Counter(short.values())
    names = {which: short[which] if count[short[which]] == 1 else whole[which] for which in whole}
    count = Counter(names.values())  # one document in two tables
    return {
        which: (name if count[name] == 1 else f"{name}-{PurePosixPath(which[0]).stem}") + SUFFIX
        for which, name in names.items()
    }


def _about(origin: str, file: str) -> dict[str, Any]:
    """`metadata` and `processing_info` of a document, from its chunk file where it has one."""
    given: dict[str, Any] = {}
    if origin.endswith(".json"):
        whole = json.loads(Path(origin).read_bytes())
        given = {name: whole[name] for name in ("metadata", "processing_info") if isinstance(whole.get(name), dict)}
    told = {name: value for name, value in given.get("metadata", {}).items() if name != "processed_by"}
    name = PurePosixPath(file).name
    metadata = {
        "processed_by": MAKER,
        "file_name": name,
        "source_file": file,
        "file_type": PurePosixPath(name).suffix.lower(),
        "file_size": None,
        "processed_at": None,
    }
    processing = dict.fromkeys(("splitting_strategy", "chunk_size", "chunk_overlap"))
    return {"metadata": metadata | told, "processing_info": processing | given.get("processing_info", {})}


def _row(chunk: dict[str, Any], pair: Pair, metadata: dict[str, Any]) -> Pair:
    core = {name: value for name, value in pair.items() if name not in ("generated_at", "model")}
    return {
        **core,
        "source_file": chunk["file"],
        "file_name": metadata["file_name"],
        "file_type": metadata["file_type"],
        "chunk_id": chunk["chunk_id"],
        "chunk_index": chunk["index"],
        "chunk_start": chunk["start"],
        "chunk_end": chunk["end"],
        "source_text": chunk["text"],
    }


def _fingerprint(made: Iterable[Made]) -> str:
    """What a document's pairs depend on: the calls about each of its chunks, and which of them came to nothing."""
    return content_id(*(part for one in made for part in (one.chunk["chunk_id"], one.key, one.failed)))


def _completed(path: Path) -> str | None:
    """The fingerprint of a file that was completed."""
    try:
        whole = json.loads(path.read_bytes()) if path.is_file() else {}
    except ValueError:
        return None
    info = whole.get("qa_generation_info") if isinstance(whole, dict) else None
    return str(info.get("fingerprint")) if isinstance(info, dict) and whole.get("status") == "completed" else None
