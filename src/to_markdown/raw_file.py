"""What a converter is given and gives; and a file's text, whose encoding is told from its bytes and a guess said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from ai_tools.errors import InputError

from .guessing import guess

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What one file may cost, in bytes. `expanded`: of the text that it holds, as it says itself before it is read, and
    characters of what comes out.

    `seconds`, `memory`: what a program may take that reads it, and in bytes hold.
    """

    file: int = 50 * MB
    expanded: int = 50 * MB
    seconds: float = 120
    memory: int = 2_000 * MB


LIMITS = FileLimits()


@dataclass(frozen=True, slots=True)
class Conversion:
    """A document in Markdown. `title` is empty where the file has none.

    `pages`: where in `text` each page or slide begins, in characters; empty where the file has no pages.
    """

    title: str
    text: str
    warnings: tuple[str, ...] = ()
    media_type: str = ""
    converter: str = ""
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file as it came. `charset` is what a web server said."""

    data: bytes
    name: str = ""
    charset: str = ""
    limits: FileLimits = LIMITS

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix.lower()


MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Encodings that a page or server may name. Python knows some that are none, and are slow.
USUAL = re.compile(
    r"(utf-?(8|16|32)|iso-?\d|windows|cp\d|koi8|gb|big5|s(hift[_-]?)?jis|x-sjis|euc|mac|latin|tis)", re.I
)
TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)")


def decode(file: RawFile) -> tuple[str, tuple[str, ...]]:
    """The text of bytes, with `\\n` line ends, and a warning where its encoding had to be guessed."""
    text, warnings = _decoded(file)
    if "\r" in text or "\f" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = as_shown(text)
    sample = text[:100_000]
    if len(re.findall(r"[\0-\x08\x0e-\x1a\x1c-\x1f]", sample)) * 100 > len(sample):
        raise InputError("binary, not text")
    return text.replace("\0", ""), tuple(warnings)


def _decoded(file: RawFile) -> tuple[str, list[str]]:
    data = file.data
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _replacing(data[len(mark) :], encoding)
    if encoding := _wide(data):
        return _replacing(data, encoding, f"{encoding.upper()} without a mark, guessed")
    if data.isascii() and re.search(
        rb"\x1b(?:\$(?:[@B]|\(D)|\([IJ])", data
    ):  # seven bits, which UTF-8 would take for its own
        return _replacing(data, "iso2022_jp_ext")
    # What is UTF-8 without a fault is so, whatever it is called.
    for encoding in ("utf-8", file.charset, _declared(file)):
        if not USUAL.match(encoding):
            continue
        try:
            return data.decode(encoding), []
        except (UnicodeDecodeError, LookupError):
            continue
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    if 0 < wrong <= sum(map(len, re.findall(r"[^\0-\x7f\ufffd]+", text))):  # UTF-8 all the same, with a few bad bytes
        return text, [f"bytes that are not UTF-8, shown as \ufffd: {wrong}"]
    encoding = "" if _is_binary(data[:100_000]) else guess(data)
    if not encoding:
        raise InputError("binary, or text in an unknown encoding; save it as UTF-8")
    return _replacing(data, encoding, f"encoding guessed: {encoding.replace('cp125', 'windows-125')}")


def _is_binary(data: bytes) -> bool:
    """Whether there are control characters in it; a backspace is how some printers set bold letters."""
    return len(re.findall(rb"[\0-\x07\x0e-\x1a\x1c-\x1f]", data)) * 100 > len(data)


def as_shown(text: str) -> str:
    """A text as a terminal shows it: letters that are struck over one another once, colours and links gone."""
    if "\x1b" in text:
        text = TERMINAL.sub("", text)
    for _ in range(4):  # bold and underlined at once, or by the word
        if "\b" not in text:
            break
        text = re.sub("[^\n\b]\b", "", text)
    return text.replace("\b", "")


def _replacing(data: bytes, encoding: str, *warnings: str) -> tuple[str, list[str]]:
    text = data.decode(encoding, "replace")
    wrong = text.count("\ufffd")
    return text, [*warnings, *[f"bytes that are not {encoding}, shown as \ufffd: {wrong}"] * (wrong > 0)]


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, told from where its zero bytes stand."""
    sample = data[:4096]
    zeros = [sample[at::4].count(0) for at in range(4)]
    if not any(zeros):
        return ""
    most = len(sample) // 4 * 0.9
    if zeros[1] + zeros[2] + zeros[3] >= 2.5 * most and zeros[0] == 0 and len(data) % 4 == 0:
        return "utf-32-le"
    if zeros[0] + zeros[1] + zeros[2] >= 2.5 * most and zeros[3] == 0 and len(data) % 4 == 0:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    # Even where no letter is Latin, spaces and line ends have a zero on one side only.
    if min(even, odd) * 20 <= max(even, odd) >= len(sample) // 40 and len(data) % 2 == 0:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _declared(file: RawFile) -> str:
    """The encoding that a web page names itself."""
    found = re.search(
        rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)|^<\?xml[^>]*encoding=[\"']([\w-]+)", file.data[:4096], re.I
    )
    name = (found[1] or found[2]).decode().lower() if found else ""
    return "cp1252" if name in {"iso-8859-1", "latin-1", "latin1", "us-ascii"} else name  # as browsers take them
