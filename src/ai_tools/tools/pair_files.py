"""Files of rows as they come, whoever wrote them: an array, a list in an object, a row a line; read row by row.

What a file is, is told from its content. Nothing of a file is lost for one bad row of it, where that has an end.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .. import aliases, files
from ..errors import InputError
from ..records import Rejection

BLOCK = 1 << 16  # bytes that are read at a time
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class PairFile:
    """A file of rows. `inside` is the list that holds them: `` for a whole array, None for a row a line."""

    path: Path
    inside: str | None

    def about(self) -> dict[str, Any]:
        """What the file says besides its pairs, which may be many; of one that breaks off, what stands before that."""
        found: dict[str, Any] = {}
        if self.inside:
            with suppress(_BreaksOff), _opened(self.path) as file:
                text = _Json(file)
                for name in text.names():
                    if name == self.inside:
                        deque(text.items(), maxlen=0)  # passed over
                    else:
                        found[name] = text.value()
        return found

    def rows(self) -> Iterator[tuple[str, Any]]:
        """(where it stands, the row) of each; a Rejection in place of what is none."""
        for where, row in _lines(self.path) if self.inside is None else _items(self.path, self.inside):
            asked = [row] if isinstance(row, Rejection) else aliases.questions(row)
            for number, one in enumerate(asked, 1):
                yield where if one is row else f"{where}, question {number}", one


def known(path: Path) -> PairFile:
    """A file, with where its rows are.

    Raises:
        InputError: it has no place for rows. TornFile: it breaks off before them.
    """
    with _opened(path) as file:
        line, _, rest = file.read(BLOCK).lstrip().partition(b"\n")
    if not line:
        raise TornFile(f"{path}: empty; give a file of pairs")
    if line.startswith(b"["):
        return PairFile(path, "")
    if not line.startswith(b"{"):
        raise InputError(f"{path}: neither JSON nor JSON Lines; give a file of pairs")
    if not (line.rstrip().endswith(b"}") and rest.strip()):
        try:
            if name := _list_in(path):
                return PairFile(path, name)
        except _BreaksOff as error:
            if not rest.lstrip().startswith(b"{"):  # else it is a torn line before others
                raise TornFile(f"{path}: not JSON ({error}); make the file anew") from None
        else:
            if rest.strip():
                wanted = f"an array, a row a line, or an object with `{aliases.PAIRS[0]}`"
                raise InputError(f"{path}: no pairs in it; wanted is {wanted}")
    return PairFile(path, None)


class TornFile(InputError):
    """A file breaks off before its rows."""


class _BreaksOff(Exception):
    """A text is no JSON from here on."""


class _Json:
    """A JSON text, taken value by value: no more of it is in memory than one value and a block.

    Not by `ijson`, which makes a question mark of half a surrogate pair, knows neither NaN nor long numbers, and takes
    memory by the square of the depth.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode  # a bad byte spoils its row only
        self._text, self._at = "", 0

    def _more(self) -> bool:
        block = self._file.read(max(BLOCK, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + self._decode(block, not block), 0
        return bool(block)

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # matches every text
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, marks: str) -> str:
        if self.peek() not in tuple(marks):
            raise _BreaksOff(f"{' or '.join(marks)} is missing")
        self._at += 1
        return self._text[self._at - 1]

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - len("-Infinity")
                if not (is_cut and self._more()):
                    raise _BreaksOff(error.msg) from None
            except (RecursionError, ValueError) as error:  # nested too deeply, or a number too long
                raise _BreaksOff(str(error)) from None
            else:
                length = end - self._at
                if end + len("e+0") <= len(self._text) or not self._more():  # a number may go on
                    self._at += length
                    return found

    def items(self) -> Iterator[Any]:
        """The values of the list that stands here."""
        self.take("[")
        closed = self.peek() == "]" and bool(self.take("]"))
        while not closed:
            yield self.value()
            closed = self.take(",]") == "]"

    def names(self) -> Iterator[str]:
        """The names of the object that stands here; the value of each is to be taken before the next."""
        self.take("{")
        closed = self.peek() == "}" and bool(self.take("}"))
        while not closed:
            name = self.value()
            self.take(":")
            yield str(name)
            closed = self.take(",}") == "}"


def _list_in(path: Path) -> str:
    """The name of the list of pairs in an object; empty where it has none."""
    with _opened(path) as file:
        text = _Json(file)
        for name in text.names():
            if name in aliases.PAIRS and text.peek() == "[":
                return name
            text.value()
    return ""


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}, line {number}"
            if line := line.strip():
                try:
                    yield where, files.parse_row(line, where)
                except InputError as error:
                    yield where, Rejection("read", str(error), {})
                except (RecursionError, ValueError) as error:  # nested too deeply, or a number too long
                    yield where, Rejection("read", f"{where}: not JSON ({error})", {})


def _items(path: Path, inside: str) -> Iterator[tuple[str, Any]]:
    """The rows of a list; a file that breaks off gives those before, and says where."""
    number = 0
    try:
        with _opened(path) as file:
            text = _Json(file)
            for name in text.names() if inside else ("",):
                if name != inside:
                    text.value()
                    continue
                for number, row in enumerate(text.items(), 1):
                    yield f"{path}, row {number}", row
            if text.peek():
                raise _BreaksOff("there is more after its end")
    except _BreaksOff as error:
        where = f"{path}: breaks off after row {number} ({error}); make the file anew"
        yield where, Rejection("read", where, {})


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file from its first character on, behind the mark that some editors put before UTF-8."""
    with path.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        yield file
