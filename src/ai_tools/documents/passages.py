"""Passages that others have cut: LanceDB tables, `*_chunks.json` of either variant, chunks.jsonl, seed_data.jsonl.

Passages stream: none is held. What a source is, is told from its content.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .. import aliases, files
from ..errors import InputError, MissingExtra, UsageError
from ..escaping import escaped, one_line
from ..records import Passage, Rejection, content_id
from .screening import Screen

TABLE, CODE_TABLE = "text_chunks", "code_chunks"
BATCH_ROWS = 256
SUFFIX = "_chunks.json"
_WORDS = (aliases.TEXT, aliases.CHUNK_ID, aliases.FILE, aliases.DOCUMENT_ID, aliases.TITLE, aliases.HEADINGS)
_COLUMNS = {name for names in (*_WORDS, *aliases.NUMBERS.values()) for name in names}

_Rows = Iterator[Passage | Rejection]
_Part = Callable[[], _Rows]  # reads a file or table


@dataclass(frozen=True)
class Passages:
    """The passages of a source, read anew each time they are gone through; `total` of them, `failed` are left out.

    So are those that are `held_back`, which may not be sent; `notice` says what was found in all of them, see
    `screening`. No two have one `chunk_id`: where the source gives none, or gives it twice, it is made from the
    content.
    """

    total: int
    failed: tuple[Rejection, ...]
    _parts: tuple[_Part, ...]
    _repeated: frozenset[str]
    held_back: tuple[Rejection, ...] = ()
    notice: str = ""

    def __iter__(self) -> Iterator[Passage]:
        made: dict[str, int] = {}
        for row in _all(self._parts):
            if isinstance(row, Rejection):
                continue
            if not row.chunk_id or row.chunk_id in self._repeated:
                place = content_id(row.file, row.document_id, row.start, row.end, row.text)
                made[place] = made.get(place, 0) + 1
                row = replace(row, chunk_id=place if made[place] == 1 else content_id(place, made[place]))
            yield row


def described(path: Path) -> dict[str, dict[str, Any]]:
    """What a chunk file says of its document and of its chunking; tables, and passages line by line, say nothing."""
    whole = _object_in(path) if path.is_file() and _reader_of(path) is _chunk_file else {}
    blocks = {name: whole.get(name) for name in ("metadata", "processing_info")}
    return {
        block: {name: value for name, value in content.items() if value is not None}
        for block, content in blocks.items()
        if isinstance(content, dict)
    }


def is_chunks(source: Path) -> bool:
    """Whether a file or folder holds passages; if not, it is for the converters of documents."""
    if source.is_dir():
        return bool(_tables_in(source) or _files_in(source)) or source.suffix in (".lance", ".lancedb")
    return source.suffix in (".json", ".jsonl") or (source.is_file() and _reader_of(source) is not None)


def read(source: Path, tables: Sequence[str] = (), screen: Screen | None = None) -> Passages:
    """The passages of a LanceDB folder, a folder of `*_chunks.json`, or one file of passages.

    All of it is read once, to count and to find what cannot be used: such a row or file is in `failed` with its
    place and the reason, and the others count.

    Args:
        tables: of a LanceDB folder; `text_chunks` where none is named.
        screen: what looks through the passages, where they are to be sent.

    Raises:
        InputError: there is no passage that can be used. UsageError: no such table. MissingExtra: lancedb.
    """
    parts = _parts_of(source, tables)
    if screen:
        parts = tuple(_Sifted(part, screen) for part in parts)
    total = 0
    failed: list[Rejection] = []
    ids: set[str] = set()
    repeated: set[str] = set()
    for row in _all(parts):
        if isinstance(row, Rejection):
            failed.append(row)
        else:
            total += 1
            (repeated if row.chunk_id in ids else ids).add(row.chunk_id)
    held_back = tuple(one for one in failed if one.check != "read")
    unread = tuple(one for one in failed if one.check == "read")
    if not total:
        raise InputError("; ".join(one.reason for one in failed[:3]) or f"{source}: no chunk in it")
    return Passages(total, unread, parts, frozenset(repeated), held_back, screen.notice if screen else "")


@dataclass
class _Sifted:
    """The rows of a part as they may be sent; what was sound the first time is not looked through again."""

    part: _Part
    screen: Screen
    _changed: set[int] | None = None

    def __call__(self) -> _Rows:
        changed = set[int]()
        for number, row in enumerate(self.part()):
            is_due = isinstance(row, Passage) and (self._changed is None or number in self._changed)
            done = self.screen.passage(row) if is_due and isinstance(row, Passage) else row
            if done is not row:
                changed.add(number)
            yield done
        self._changed = changed


def _all(parts: Iterable[_Part]) -> _Rows:
    """The rows of all parts; one that breaks off is reported with what it had before, and the next one goes on."""
    for part in parts:
        try:
            yield from part()
        except (InputError, OSError) as error:
            yield Rejection("read", str(error), {})


def _parts_of(source: Path, tables: Sequence[str]) -> tuple[_Part, ...]:
    if source.is_dir() and (there := _tables_in(source)):
        wanted = list(dict.fromkeys(tables)) or [TABLE]
        if missing := [name for name in wanted if name not in there]:
            raise UsageError(f"{source}: no table {', '.join(missing)}; choose with --table from {', '.join(there)}")
        _lancedb()  # that it is not installed is said before any work
        return tuple(partial(_table, source, name) for name in wanted)
    if tables:
        raise UsageError(f"{source}: no LanceDB folder, for it holds no *.lance; leave --table out")
    if source.is_dir() and source.suffix == ".lance":
        raise InputError(f"{source}: a single table; give the folder {source.parent} and --table {source.stem}")
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; give chunks.jsonl of step 02, for one")
    return tuple(partial(_file, path) for path in (_files_in(source) if source.is_dir() else [source]))


def _tables_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.lance") if path.is_dir())


def _files_in(folder: Path) -> list[Path]:
    """The `*_chunks.json`, and others of that content; without any, chunks.jsonl or seed_data.jsonl."""
    objects = [path for path in sorted(folder.glob("*.json")) if path.is_file()]
    found = [path for path in objects if path.name.endswith(SUFFIX) or _reader_of(path) is _chunk_file]
    lines = [folder / name for name in ("chunks.jsonl", "seed_data.jsonl", "final_seed_data.jsonl")]
    return found or [path for path in lines if path.is_file()][:1]


def _file(path: Path) -> _Rows:
    by_name = _chunk_file if path.suffix == ".json" else _json_lines
    return (_reader_of(path) or by_name)(path)


def _reader_of(path: Path) -> Callable[[Path], _Rows] | None:
    """By the first line: an object with `chunks`, or an object with a text of its own; None where it is neither."""
    with path.open("rb") as file:
        if not file.read(1024).removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
            return None
        file.seek(0)
        line = next(line for line in file if line.removeprefix(BOM_UTF8).strip())
    try:
        first = json.loads(line)
    except ValueError:  # an object over many lines, or a torn one
        try:
            first = _object_in(path)
        except InputError:
            return None
    if not isinstance(first, dict):
        return None
    if "chunks" in first:
        return _chunk_file
    return _json_lines if _is_seed(first) or not {*first}.isdisjoint(aliases.TEXT) else None


def _json_lines(path: Path) -> _Rows:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line := line.removeprefix(BOM_UTF8).strip():
                try:
                    row = files.parse_row(line, f"{path}, line {number}")
                except InputError as error:
                    yield Rejection("read", str(error), {})
                else:
                    yield _passage(row, f"{path}, row {number}", str(path))


def _chunk_file(path: Path) -> _Rows:
    whole = _object_in(path)
    chunks = whole.get("chunks")
    if not isinstance(chunks, list):
        raise InputError(f"{path}: no list of chunks in it; a chunk file is an object with `chunks`")
    if not chunks:
        raise InputError(f"{path}: no chunk in it")
    about = whole.get("metadata")
    about = about if isinstance(about, dict) else {}
    file = _word(about, ("source_file", *aliases.FILE), "") or path.name.removesuffix(SUFFIX)
    for number, row in enumerate(chunks, 1):
        where = f"{path}, chunk {number}"
        if isinstance(row, dict):
            yield _passage(row, where, str(path), file, _word(about, aliases.TITLE, ""))
        else:
            yield Rejection("read", f"{where}: no JSON object", {})


def _object_in(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(path.read_bytes())
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON ({error.msg} in line {error.lineno}); make the file anew") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from None
    if isinstance(whole, list):
        return {"chunks": whole}
    if not isinstance(whole, dict):
        raise InputError(f"{path}: no JSON object; a chunk file is an object with `chunks`, or their list")
    return whole


# --- LanceDB ---


def _lancedb() -> Any:
    try:
        import lancedb
    except ImportError:
        raise MissingExtra("lancedb", "lancedb") from None
    return lancedb


def _table(folder: Path, name: str) -> _Rows:
    """The rows of a table, a batch in memory at a time. Only columns of words and numbers are read: no vectors."""
    where = f"{folder}, table {name}"
    number = 0
    try:
        table = _lancedb().connect(folder).open_table(name)
        columns = [field.name for field in table.schema if field.name in _COLUMNS and _is_plain(field.type)]
        if not set(columns) & set(aliases.TEXT):
            there = ", ".join(table.schema.names)
            raise InputError(f"{where}: no text in a column {' or '.join(aliases.TEXT)}; it has {there}")
        batches = table.search().select(columns).to_batches(BATCH_ROWS)
        for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), 1):
            yield _passage(row, f"{where}, row {number}", name)
    except (RuntimeError, ValueError) as error:  # what a damaged file makes of it
        why = str(error).splitlines()[0][:200]
        raise InputError(f"{where}: cannot be read beyond row {number} ({why}); restore or drop it") from None


def _is_plain(kind: Any) -> bool:
    """Whether an Arrow type is words, a number, or a list of words."""
    from pyarrow import types

    if types.is_integer(kind) or types.is_floating(kind):
        return True
    inner = kind.value_type if types.is_list(kind) or types.is_large_list(kind) or types.is_dictionary(kind) else kind
    return bool(types.is_string(inner) or types.is_large_string(inner) or types.is_string_view(inner))


# --- one row ---


def _passage(row: dict[str, Any], where: str, origin: str, file: str = "", title: str = "") -> Passage | Rejection:
    """A row as a passage; `file` and `title` are what its file says of all its rows."""
    try:
        found = {
            "origin": origin,
            "text": _text(row, where),
            "chunk_id": (chunk_id := _word(row, aliases.CHUNK_ID, where)),
            "given_id": aliases.first(row, aliases.CHUNK_ID)[1] if chunk_id else None,
            "file": escaped(_word(row, aliases.FILE, where) or file),
            "document_id": _word(row, aliases.DOCUMENT_ID, where),
            "title": one_line(_word(row, aliases.TITLE, where) or title),
            "heading_path": tuple(map(one_line, _headings(row, where))),
            **{name: _whole(row, names, where) for name, names in aliases.NUMBERS.items()},
            "metadata": row["metadata"] if isinstance(row.get("metadata"), dict) else {},
        }
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # JSON can hold half of a surrogate pair, UTF-8 cannot
            raise InputError(f"{where}: its text ends in half a character; convert the document anew") from None
    except InputError as error:
        return Rejection("read", str(error), {})
    return Passage(**found)


def _is_seed(row: dict[str, Any]) -> bool:
    return "document" in row and not {*row}.isdisjoint({"document_outline", "icl_document"})


def _text(row: dict[str, Any], where: str) -> str:
    """The text as it is, for no character of a passage is changed on its way to the teacher."""
    names = ("document",) if _is_seed(row) and {*row}.isdisjoint(aliases.TEXT) else aliases.TEXT
    name, value = aliases.first(row, names)
    if aliases.is_nothing(value):
        there = f"no {' or '.join(names)}; it has {', '.join([*row][:12]) or 'no field'}"
        raise InputError(f"{where}: " + (f"its {name} is empty" if name else there))
    if not isinstance(value, str):
        raise InputError(f"{where}: its {name} is no text but {str(value)[:40]}")
    return value


def _word(row: dict[str, Any], names: Iterable[str], where: str) -> str:
    name, value = aliases.first(row, names)
    if aliases.is_nothing(value):
        return ""
    if isinstance(value, list | dict | bool | float):
        raise InputError(f"{where}: its {name} is no name but {str(value)[:40]}")
    return str(value)


def _headings(row: dict[str, Any], where: str) -> tuple[str, ...]:
    name, value = aliases.first(row, aliases.HEADINGS)
    if aliases.is_nothing(value):
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(" > "))
    if not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
        raise InputError(f"{where}: its {name} is no list of headings but {str(value)[:40]}")
    return tuple(value)


def _whole(row: dict[str, Any], names: Iterable[str], where: str) -> int | None:
    name, value = aliases.first(row, names)
    if aliases.is_nothing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise InputError(f"{where}: its {name} is no whole number but {str(value)[:40]}")
    return int(value)
