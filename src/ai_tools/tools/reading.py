"""Where passages come from: documents, which are chunked on the way, chunks of any tool, the text of a pair itself."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..documents.passages import Passages, is_chunks, read
from ..documents.screening import Screen
from ..records import OnProgress, Pair
from ..settings import Settings
from ..sources import PASSED_OVER
from .chunk import ChunkSummary, chunk_documents

WARNINGS = 20  # of documents that are said
_NAMED_SO = (".json", ".jsonl")  # what is no document, even where it is not there


def path_of(source: str | Path) -> Path | None:
    """The file or folder that a source is; None where it is a list, a glob, an address, or not there."""
    try:
        return Path(source) if Path(source).exists() else None
    except (OSError, ValueError):  # too long for a name, as lists may be
        return None


@contextmanager
def opened(
    source: str | Path, settings: Settings, *, tables: Sequence[str] = (), on_reading: OnProgress | None = None
) -> Iterator[Passages]:
    """The passages of a source; documents are chunked into a folder that is gone afterwards.

    Args:
        source: a LanceDB folder, a folder of `*_chunks.json`, one such file, chunks.jsonl, seed_data.jsonl, documents.
        tables: of a LanceDB folder; `text_chunks` where none is named.
    """
    path = path_of(source)
    if tables or (is_chunks(path) if path else str(source).endswith(_NAMED_SO)):
        yield read(Path(source), tables, Screen(settings))
        return
    with tempfile.TemporaryDirectory() as folder:
        made = chunk_documents(source, Path(folder), settings, on_progress=on_reading)
        for line in (*made.warnings[:WARNINGS], *_passed_over(made)):
            warnings.warn(line, stacklevel=1)  # of this line, so that each is said once
        passages = read(made.output, screen=Screen(settings))  # by document, with what is known of each
        yield replace(passages, failed=made.failed + passages.failed)


def _passed_over(made: ChunkSummary) -> list[str]:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(made.passed_over.items()))
    return [f"passed over: {counts} ({PASSED_OVER})"] if counts else []


@dataclass(frozen=True)
class Texts:
    """The texts of a source's passages, for pairs that came without: by chunk id, else by file and place in it."""

    by_id: dict[str, str]
    by_place: dict[tuple[str, Any], str]

    def complete(self, pair: Pair) -> Pair:
        """The pair, with its passage where it came without and the texts have it."""
        if pair.get("source_text"):
            return pair
        text, start = self.by_id.get(str(pair.get("chunk_id", ""))), pair.get("chunk_start")
        if text is None and isinstance(start, int | float):  # tables make 3.0 of 3
            text = self.by_place.get((str(pair.get("source_file", "")), start))
        return pair | {"source_text": text} if text else pair


def texts(source: str | Path | None, settings: Settings, on_reading: OnProgress | None = None) -> Texts:
    """The texts of `--source`; none without one."""
    found = Texts({}, {})
    if source is not None:
        with opened(source, settings, on_reading=on_reading) as passages:
            for one in passages:
                found.by_id[one.chunk_id] = one.text
                if one.start is not None:
                    found.by_place[one.file, one.start] = one.text
    return found
