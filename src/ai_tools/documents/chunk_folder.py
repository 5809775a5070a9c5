"""What `ai-tools chunk` leaves: for each document its chunks and the Markdown they are cut from, and chunks.jsonl."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from .. import files
from ..errors import UsageError
from ..files import Register
from ..records import Chunk, Document
from .passages import SUFFIX

MAKER = "ai-tools chunk"
ALL_CHUNKS = "chunks.jsonl"
_Write = Callable[[Document, Sequence[Chunk], int | None], None]


@contextmanager
def writing(
    folder: Path, register: Register, processing: dict[str, Any], *, overwrite: bool = False
) -> Iterator[_Write]:
    """Gives the function that writes one document, its chunks and its file's size; on leaving, chunks.jsonl is whole.

    What an earlier run left is replaced, and what it left of documents that are gone is removed.

    Args:
        processing: `splitting_strategy, chunk_size, chunk_overlap` and what else the chunks depend on.

    Raises:
        UsageError: there are files that this did not make, or that were edited since, and not `overwrite`.
    """
    earlier = _check(folder, register, overwrite=overwrite)
    written = {folder / ALL_CHUNKS}
    with files.rows_to(folder / ALL_CHUNKS, note=register.note) as add:

        def write(document: Document, chunks: Sequence[Chunk], size: int | None) -> None:
            whole = {
                "status": "completed",
                "metadata": _about(document, size),
                "processing_info": processing | {"total_chunks": len(chunks)},
                "chunks": [_chunk(chunk) for chunk in chunks],
            }
            # In this order, since a Markdown file without an entry is known as ours by the chunks beside it.
            written.add(files.write_json(folder / f"{document.name}{SUFFIX}", whole, register.note))
            written.add(files.write_atomic(folder / f"{document.name}.md", document.text, register.note))
            for chunk in chunks:
                add(chunk.to_row() | {"file": document.source, "title": document.title})

        yield write
    for path in earlier - written:
        path.unlink(missing_ok=True)


def about_source(source: str, command: str, size: int | None = None, at: str | None = None) -> dict[str, Any]:
    """What the files made of a document say of it first."""
    name = PurePosixPath(source).name
    return {
        "processed_by": command,
        "file_name": name,
        "source_file": source,
        "file_type": PurePosixPath(name).suffix.lower(),
        "file_size": size,
        "processed_at": at,
    }


def _about(document: Document, size: int | None) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return about_source(document.source, MAKER, size, now) | {
        "markdown": f"{document.name}.md",
        "document_id": document.id,
        **{name: getattr(document, name) for name in ("title", "media_type", "sha256", "converter", "warnings")},
        **({"fetched_at": document.fetched_at} if document.fetched_at else {}),
    }


def _chunk(chunk: Chunk) -> dict[str, Any]:
    row = chunk.to_row()
    return {
        "chunk_id": row["chunk_id"],
        "chunk_index": row["index"],
        "document_id": row["document_id"],
        "text": row["text"],
        "start_char": row["start"],
        "end_char": row["end"],
        **{name: row[name] for name in ("n_tokens", "heading_path", "metadata")},
    }


def _check(folder: Path, register: Register, *, overwrite: bool) -> set[Path]:
    """The files that an earlier run left; that there are others is an error, unless they may be written over."""
    if folder.suffix in (".json", ".jsonl") or folder.is_file():
        raise UsageError(f"-o {folder}: give a folder")
    there = {path for path in folder.iterdir() if not path.name.startswith(".")} if folder.is_dir() else set()
    known = {path: made for path in there if path.is_file() and (made := register.find(path))}
    ours = {path for path, made in known.items() if made.command == register.command and made.state != "edited"}
    for path in (path for path in ours if known[path].state == "torn"):
        warnings.warn(f"{path}: torn; it is made anew", stacklevel=4)
    names = {path.name.removesuffix(SUFFIX) for path in there - known.keys() if _is_marked(path)}
    marked = {f"{name}{end}" for name in names for end in (SUFFIX, ".md")} | ({ALL_CHUNKS} if names else set())
    ours |= {path for path in there - known.keys() if path.name in marked}
    if (others := sorted(path.name for path in there - ours)) and not overwrite:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise UsageError(
            f"-o {folder}: holds what this command did not make, or what was edited since "
            f"({', '.join(others[:3])}{more}); "
            "give another folder, or add --overwrite"
        )
    return ours


def _is_marked(path: Path) -> bool:
    """Whether a file of chunks says itself that it is ours; of one without an entry nothing else tells."""
    try:
        return path.name.endswith(SUFFIX) and files.read_json(path)["metadata"]["processed_by"] == MAKER
    except (OSError, ValueError, LookupError, TypeError):  # a folder, or somebody else's
        return False
