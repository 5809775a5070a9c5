"""Question-and-answer pairs in the files of this project and of other tools, as one kind of dict.

A pair has `question`, `answer` and `type` (qa, cot), where known `reasoning`, `source_text`, `chunk_id` and
`source_file`, and everything else that its row held. Rows stream: a file is never in memory whole.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .. import formats, store
from ..errors import InputError
from ..records import Rejection, content_id
from .running import Pair

SUFFIX = "_qa.json"
LISTS = ("training_pairs", "qa_pairs", "pairs")  # where a document's file, one of another tool, a report have theirs
WINDOW = 1_000  # rows among which pairs of one passage are looked for
# Names of one thing in the files of several tools, the first that is there wins.
_QUESTION = ("question", "generated_question", "instruction", "prompt")
_ANSWER = ("answer", "response", "generated_answer", "output", "completion")
_PASSAGE = ("source_text", "context", "passage")
_EXPORTED = {"question", "answer", "reasoning", "metadata"}  # all that a row has which `export` wrote as jsonl
_IDS = ("id", "sample_id", "qac_id")


@dataclass(frozen=True)
class PairFile:
    """A file of pairs. `inside` is the list that holds them: `` for a whole array, None for a row a line."""

    path: Path
    inside: str | None

    def about(self) -> dict[str, Any]:
        """What the file says besides its pairs, which may be many; of one that breaks off, what stands before that."""
        if not self.inside:
            return {}
        import ijson

        found: dict[str, Any] = {}
        name, value = "", None
        with suppress(ijson.JSONError, UnicodeDecodeError), _opened(self.path) as file:
            for prefix, event, part in ijson.parse(file, use_float=True):
                if prefix == "":
                    if value is not None:
                        found[name] = value.value
                    name, value = part, None
                elif prefix != self.inside and not prefix.startswith(f"{self.inside}."):
                    value = value or ijson.ObjectBuilder()
                    value.event(event, part)
        return found


@dataclass(frozen=True)
class Pairs:
    """The pairs of a source, read anew each time they are gone through; `failed` rows are left out.

    `names` are all that stand in them, in the order of their first use. `warnings` are of rows that are used all the
    same.
    """

    files: tuple[PairFile, ...]
    counts: dict[Path, int]
    names: tuple[str, ...]
    failed: tuple[Rejection, ...]
    warnings: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[Pair]:
        for file in self.files:
            yield from self.of(file)

    def of(self, file: PairFile) -> Iterator[Pair]:
        return (row for row in _rows(file) if not isinstance(row, Rejection))


@dataclass
class _Seen:
    """Ids that stand on pairs of different content."""

    contents: dict[str, int] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)

    def add(self, row: Pair) -> None:
        name = next((str(row[key]) for key in _IDS if row.get(key)), "")
        if name and self.contents.setdefault(name, hash((row["question"], row["answer"]))) != hash(
            (row["question"], row["answer"])
        ):
            self.twice.add(name)


def read(source: str | Path) -> Pairs:
    """The pairs of a file, or of a folder of `*_qa.json`.

    All of it is read once, to count and to find what cannot be used: such a row or file is in `failed` with its place
    and the reason, and the others count.

    Raises:
        InputError: no such file, or no pair in it that can be used.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; give pairs that `generate` has made, for one")
    paths = sorted(source.glob(f"*{SUFFIX}")) if source.is_dir() else [source]
    if not paths:
        raise InputError(f"{source}: no *{SUFFIX} in it; give such a folder, or a file of pairs")
    files, failed, seen = [], [], _Seen()
    counts: dict[Path, int] = {}
    known: dict[str, None] = {}
    for path in paths:
        try:
            files.append(file := PairFile(path, _inside(path)))
        except InputError as error:
            failed.append(Rejection("read", str(error), {}))
            continue
        counts[path] = 0
        for row in _rows(file):
            if isinstance(row, Rejection):
                failed.append(row)
            else:
                counts[path] += 1
                known.update(dict.fromkeys(row))
                seen.add(row)
    if not sum(counts.values()):
        raise InputError("; ".join(one.reason for one in failed[:3]) or f"{source}: no pair in it")
    names = ", ".join(sorted(seen.twice)[:3])
    warnings = (f"{source}: {len(seen.twice):,} ids stand on several pairs ({names}); pairs are told apart by content",)
    return Pairs(tuple(files), counts, tuple(known), tuple(failed), warnings if seen.twice else ())


def identity(row: Pair) -> str:
    """What a pair is known by towards a teacher: its content, so that equal pairs are one and no place matters."""
    return content_id(row["question"], row["answer"], row.get("source_text", ""))


def shown(row: Pair) -> Pair:
    """A pair as a teacher sees it."""
    reasoning = {"reasoning": row["reasoning"]} if row.get("reasoning") else {}
    return {"id": identity(row), "question": row["question"], **reasoning, "answer": row["answer"]}


# --- pairs of one passage together ---


def batches(rows: Iterable[Pair], size: int) -> Iterator[list[tuple[int, Pair]]]:
    """Numbered rows in blocks of one passage, at most `size` each, looked for among WINDOW rows at a time."""
    waiting: OrderedDict[str, list[tuple[int, Pair]]] = OrderedDict()
    held = 0
    for numbered in enumerate(rows):
        block = waiting.setdefault(numbered[1].get("source_text", ""), [])
        block.append(numbered)
        held += 1
        if len(block) == size:
            held -= size
            yield waiting.pop(numbered[1].get("source_text", ""))
        elif held >= WINDOW:
            _, oldest = waiting.popitem(last=False)
            held -= len(oldest)
            yield oldest
    yield from waiting.values()


class InOrder:
    """Takes numbered results in any order, and hands them on in theirs."""

    def __init__(self, write: Callable[[Any], None]):
        self._write, self._next = write, 0
        self._ready: dict[int, Any] = {}

    def __call__(self, results: Iterable[tuple[int, Any]]) -> None:
        self._ready.update(results)
        while self._next in self._ready:
            self._write(self._ready.pop(self._next))
            self._next += 1


# --- files ---


def _inside(path: Path) -> str | None:
    """Where in a file its rows are, told from its content: a row a line, one array, or a list in an object."""
    with _opened(path) as file:
        first = next((line for line in file if line.strip()), b"").strip()
        more = any(line.strip() for line in file)
    if not first:
        raise InputError(f"{path}: empty; give a file of pairs")
    if first.startswith(b"["):
        return ""
    if not first.startswith(b"{"):
        raise InputError(f"{path}: neither JSON nor JSON Lines; give a file of pairs")
    whole_row = first.endswith(b"}")
    return None if whole_row and more else _list_in(path, whole_row)


def _list_in(path: Path, whole_row: bool) -> str | None:
    import ijson

    try:
        with _opened(path) as file:
            for prefix, event, _ in ijson.parse(file):
                if event == "start_array" and prefix in LISTS:
                    return str(prefix)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON ({_why(error)}); make the file anew") from None
    if whole_row:
        return None
    raise InputError(f"{path}: no pairs in it; wanted is an array, a row a line, or an object with `{LISTS[0]}`")


def _rows(file: PairFile) -> Iterator[Pair | Rejection]:
    rows = _lines(file.path) if file.inside is None else _items(file.path, file.inside)
    for where, row in rows:
        yield row if isinstance(row, Rejection) else _pair(row, where)


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}, line {number}"
            if line := line.strip():
                try:
                    yield where, store.parse_row(line, where)
                except InputError as error:
                    yield where, Rejection("read", str(error), {})


def _items(path: Path, inside: str) -> Iterator[tuple[str, Any]]:
    """The rows of a list; a file that breaks off gives those before, and says where."""
    import ijson

    number = 0
    try:
        with _opened(path) as file:
            for number, row in enumerate(ijson.items(file, f"{inside}.item" if inside else "item", use_float=True), 1):
                yield f"{path}, row {number}", row
    except (ijson.JSONError, UnicodeDecodeError) as error:
        where = f"{path}: breaks off after row {number} ({_why(error)}); make the file anew"
        yield where, Rejection("read", where, {})


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file from its first character on, behind the mark that some editors put before UTF-8."""
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        yield file


def _why(error: Exception) -> str:
    return str(error).splitlines()[0].strip()[:100]


# --- one row ---


def _pair(row: Any, where: str) -> Pair | Rejection:
    """A row under the names that this project uses; what is stored under other names is not kept twice."""
    if not isinstance(row, dict):
        return Rejection("read", f"{where}: no JSON object", {})
    found = dict(row)
    if {*row} <= _EXPORTED and isinstance(row.get("metadata"), dict):
        told = found.pop("metadata")
        found = {name: value for name, value in told.items() if value is not None} | found
    for turns in ("messages", "conversations"):
        if isinstance(row.get(turns), list):
            said = _turns(found.pop(turns))
            if said is None:
                return Rejection("read", f"{where}: not one question and one answer in its {turns}", row)
            found = said | found
    question, answer = _take(found, _QUESTION), _take(found, _ANSWER)
    if isinstance(question, str) and isinstance(added := found.get("input"), str) and added.strip():
        question = f"{question}\n\n{found.pop('input')}"  # Alpaca
    for name, text in (("question", question), ("answer", answer)):
        if not isinstance(text, str) or not text.strip():
            return Rejection("read", f"{where}: no {name}", row)
    if not found.get("reasoning"):
        reasoning, answer = formats.unthink(answer) if isinstance(answer, str) else ("", answer)
        found = {name: value for name, value in found.items() if name != "reasoning"}
        found |= {"reasoning": reasoning} if reasoning else {}
    passage = _take(found, _PASSAGE)
    pair = {"question": question, "answer": answer, "type": _kind(found)} | found
    if isinstance(passage, str) and passage.strip():
        pair["source_text"] = passage
    if not _is_whole(pair):
        return Rejection("read", f"{where}: holds half a character", {})
    return pair


def _is_whole(pair: Pair) -> bool:
    """Whether all text of a pair can be written: JSON can hold half of a surrogate pair, UTF-8 cannot."""
    try:
        for name, value in pair.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""
            (name + text).encode()
    except UnicodeEncodeError:
        return False
    return True


def _take(row: Pair, names: Iterable[str]) -> Any:
    """The value of the first of the names that is there; it is taken out, for it goes back under our name."""
    value = next((row[name] for name in names if row.get(name) not in (None, "")), None)
    for name in names:
        if name in row and row[name] in (value, None, ""):
            del row[name]
    return value


def _kind(row: Pair) -> str:
    """The type that a row states; without one it is reasoned if it has reasoning, unless that is a judge's."""
    if row.get("type") in ("qa", "cot"):
        return str(row["type"])
    if row.get("rating") is not None and "reasoning" in row and "rating_reasoning" not in row:
        row["rating_reasoning"] = row.pop("reasoning")
    return "cot" if row.get("reasoning") else "qa"


def _turns(turns: list[Any]) -> Pair | None:
    """One exchange of a chat, in OpenAI's names or ShareGPT's; None for anything longer."""
    said: dict[str, Any] = {}
    for turn in turns:
        if not isinstance(turn, dict):
            return None
        role = {"human": "user", "gpt": "assistant"}.get(str(turn.get("from")), turn.get("role") or turn.get("from"))
        if role in said:
            return None
        said[str(role)] = turn.get("content", turn.get("value"))
        if role == "assistant" and turn.get("thinking"):
            said["thinking"] = turn["thinking"]
    if not {"user", "assistant"} <= {*said}:
        return None
    names = {"system": "system", "user": "question", "assistant": "answer", "thinking": "reasoning"}
    return {names[name]: text for name, text in said.items() if name in names}
