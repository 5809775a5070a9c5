"""Rich Text Format -> Markdown: the marks of lists as they are shown, notes, tables, and every alphabet.

pandoc reads it, too, but loses notes, marks of lists and letters that no other than Windows-1252 has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from . import office
from .markdown import STRUCK, left_out, lowered, note, raised
from .raw_file import Conversion, RawFile
from .text import first_heading, titled

TOKEN = re.compile(
    r"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z'])|([{}])|([^\\{}\r\n]+)|\\?[\r\n]+|\\"
)
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258",
    177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
ENCODINGS = {*CHARSETS.values(), "cp437", "cp850", "cp936", "cp950"}
SIGNS = {
    "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
    "rdblquote": "\u201d", "bullet": "•", "tab": "\t", "line": "\n", "emspace": " ", "enspace": " ",
    "nestcell": "; ", "~": " ", "_": "-",
}  # fmt: skip
SYMBOLS = dict(zip("abgdezhqiklmnxoprstufcyw", "αβγδεζηθικλμνξοπρστυφχψω", strict=True)) | dict(
    zip("£³°±¹»Ö¥·®¬ÞåDSWFGLPº¶Î\xb4\xb8", "≤≥°±≠≈√∞•→←⇒∑ΔΣΩΦΓΛΠ≡∂∈\xd7÷", strict=True)
)
# What fonts show for a byte; of Wingdings what says something, or is a bullet.
SHOWN = {"symbol": SYMBOLS, "wingdings": dict(zip("üûþý¨oàèßØ§ln", "✓✗☑☒☐☐→→←➢▪●■", strict=True))}
SILENT_NAMES = """
    colortbl header headerl headerr headerf footer footerl footerr footerf pict nonshppict xmlnstbl listtable
    listoverridetable rsidtbl generator sp bkmkstart bkmkend author operator creatim revtim printim nofchars
    nofpages nofwords company subject doccomm keywords category manager atnid atnauthor annotation atndate
"""
SILENT = set(SILENT_NAMES.split())
LOUD = {"footnote", "shpinst", "shptxt", "fldinst", "pntext", "listtext", "shppict"}  # though they begin with a star
# What words set of the state, and with their number of a paragraph.
OF_STATE = {
    "b": "bold",
    "i": "italic",
    "strike": "struck",
    "striked": "struck",
    "v": "hidden",
    "deleted": "silent",
    "f": "font",
    "uc": "fallback",
}
OF_PARAGRAPH = {"s": "style", "ilvl": "level", "li": "left", "fi": "first", "outlinelevel": "outline"}
OWN_MARK = re.compile(r"(\(?\w{1,4}[.)]|[•\u2013-])\t")


@dataclass(frozen=True)
class _State:
    """What holds until a group ends.

    `kind` names the group whose text goes elsewhere. `fallback`: letters that stand for a `\\u` once more.
    """

    kind: str = ""
    silent: bool = False
    hidden: bool = False
    bold: bool = False
    italic: bool = False
    struck: bool = False
    raised: str = ""
    font: int = 0
    fallback: int = 1


@dataclass
class _Paragraph:
    runs: list[tuple[str, str]] = field(default_factory=list)
    mark: str | None = None
    level: int = 0
    outline: int = -1
    style: int = 0
    left: int = 0
    first: int = 0
    in_table: bool = False


@dataclass
class _Flow:
    """The text, or a note: paragraphs as they come, and the table that they stand in."""

    paragraph: _Paragraph = field(default_factory=_Paragraph)
    pieces: list[tuple[str, str]] = field(default_factory=list)
    cell: list[tuple[str, str]] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    merged: list[bool] = field(default_factory=list)


def from_rtf(file: RawFile) -> Conversion:
    reader = _RichText()
    blocks = reader.read(file.data.decode("latin-1"))
    text = "\n\n".join(blocks)
    return Conversion(reader.title or first_heading(text), titled(reader.title, text), left_out(reader.lost))


class _RichText:
    def __init__(self) -> None:
        self.title = ""
        self.lost: Counter[str] = Counter()
        self._state, self._above = _State(), list[_State]()
        self._flow, self._outer = _Flow(), list[_Flow]()
        self._notes: list[list[str]] = []
        self._encoding, self._default_font = "cp1252", 0
        self._codecs: dict[int, str] = {}
        self._monospaced: set[int] = set()
        self._styles: dict[int, str] = {}
        self._bytes, self._skip, self._aside, self._opened, self._starred = b"", 0, "", False, False
        self._merges = False

    def read(self, data: str) -> list[str]:
        for token in TOKEN.finditer(data):
            word, number, byte, symbol, brace, text = token.groups("")
            if (byte or text) and self._skip:
                taken = min(self._skip, len(text) or 1)
                self._skip, text, byte = self._skip - taken, text[taken:], ""
            if byte or text:
                self._bytes += bytes.fromhex(byte) if byte else text.encode("latin-1")
                self._opened = False
                continue
            self._say(self._pending())
            if brace == "{":
                self._above.append(self._state)
                self._opened = True
            elif brace and self._above:
                self._close()
            elif word == "bin":  # bytes of a picture follow, which nothing here shows
                self._state = replace(self._state, silent=True)
            elif word or symbol:
                self._skip = 0
                self._command(word, int(number) if number else None, symbol)
        self._say(self._pending())
        self._end_paragraph()
        self._end_table()
        return [*office.blocks_of(self._flow.pieces), *chain.from_iterable(self._notes)]

    # Groups -----------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        ended, self._state = self._state, self._above.pop()
        self._opened = self._starred = False
        self._skip = 0
        if ended.kind == self._state.kind:
            return
        aside, self._aside = self._aside, ""
        if ended.kind == "footnote":
            self._end_paragraph()
            self._end_table()
            self._notes.append(note(len(self._notes) + 1, office.blocks_of(self._flow.pieces)))
            self._flow = self._outer.pop()
            self._say(f"[^{len(self._notes)}]")
        elif ended.kind == "listtext":
            self._flow.paragraph.mark = aside.strip() or None
        elif ended.kind == "fldinst" and (found := re.search(r"\bSYMBOL\s+(\d+).*Symbol", aside)):
            self._say(SYMBOLS.get(chr(int(found[1])), ""))

    def _open(self, word: str) -> bool:
        """Whether a word names the kind of a group that has just begun, whose text goes elsewhere."""
        opened, starred = self._opened, self._starred
        self._opened = self._starred = False
        kind = {"pntext": "listtext"}.get(word, word)
        if not opened:
            return False
        if word in SILENT or (starred and word not in LOUD):
            self.lost["pictures"] += word == "pict" and not self._state.silent
            self.lost["formulas"] += word in {"moMath", "moMathPara"} and not self._state.silent
            self._state = replace(self._state, silent=True)
        elif kind in {"listtext", "fldinst", "fonttbl", "stylesheet", "info", "title"}:
            self._state = replace(self._state, kind=kind, silent=kind == "info")
            if kind == "title":
                self._state = replace(self._state, silent=True)
        elif kind == "footnote":
            self._outer.append(self._flow)
            self._flow, self._state = _Flow(), _State(kind=kind, font=self._default_font)
        else:
            return False
        return True

    def _command(self, word: str, number: int | None, symbol: str) -> None:
        if symbol == "*":
            self._starred = self._opened
        elif word and self._open(word):
            return
        elif word in SIGNS or symbol in SIGNS:
            self._say(SIGNS[word or symbol])
        elif symbol and symbol in "\\{}":
            self._say(symbol)
        elif word == "u" and number is not None:
            self._say(self._letter(number % 65_536))
            self._skip = self._state.fallback
        elif word in {"par", "sect", "cell", "row", "nestrow"}:
            self._end(word)
        else:
            self._set(word, number)

    def _end(self, word: str) -> None:
        if self._state.silent or self._state.kind in {"fonttbl", "stylesheet"}:
            return
        if word == "row":
            above = self._flow.rows[-1] if self._flow.rows else []
            flags = [*self._flow.merged, *[False] * len(self._flow.row)]
            row = [
                above[at] if flags[at] and not cell and at < len(above) else cell
                for at, cell in enumerate(self._flow.row)
            ]
            self._flow.rows.append(row)
            self._flow.row = []
        else:
            self._flow.paragraph.in_table |= word == "cell"
            self._end_paragraph()
            if word == "cell":
                self._flow.row.append(" ".join(office.blocks_of(self._flow.cell)))
                self._flow.cell = []

    def _set(self, word: str, number: int | None) -> None:
        at = number or 0
        paragraph = _Paragraph() if self._state.kind == "listtext" else self._flow.paragraph  # which is not its own
        match word:
            case "ansicpg":
                self._encoding = f"cp{at}" if f"cp{at}" in ENCODINGS else "cp1252"
            case "deff":
                self._default_font = at
                self._state = replace(self._state, font=at)
            case "fcharset":
                self._codecs[self._state.font] = "symbol" if at == 2 else CHARSETS.get(at, "")
            case "plain":
                kept = _State(kind=self._state.kind, silent=self._state.silent, fallback=self._state.fallback)
                self._state = replace(kept, font=self._default_font)
            case "super" | "sub" | "nosupersub":
                self._state = replace(
                    self._state, raised={"super": "^", "sub": "_"}.get(word, "") if number != 0 else ""
                )
            case "fmodern":
                self._monospaced.add(self._state.font)
            case "pard":
                if self._state.kind != "listtext":
                    self._flow.paragraph = _Paragraph(paragraph.runs, paragraph.mark)
            case "intbl":
                paragraph.in_table = True
            case _ if word in OF_STATE:
                changed: dict[str, Any] = {OF_STATE[word]: at if word in {"f", "uc"} else number != 0}
                self._state = replace(self._state, **changed)
            case _ if word in OF_PARAGRAPH:
                setattr(paragraph, OF_PARAGRAPH[word], at)
            case "trowd":
                self._flow.merged, self._merges = [], False
            case "clvmrg":
                self._merges = True
            case "cellx":
                self._flow.merged.append(self._merges)
                self._merges = False

    # Text -------------------------------------------------------------------------------------------------------------

    def _letter(self, code: int) -> str:
        shown = SHOWN.get(self._codecs.get(self._state.font, ""), SYMBOLS if 0xF020 <= code <= 0xF0FF else None)
        return shown.get(chr(code & 0xFF), "") if shown and code >= 0xF000 else chr(code)

    def _pending(self) -> str:
        """The letters of the bytes that came, in the alphabet of their font."""
        found, self._bytes = self._bytes, b""
        is_name = self._state.kind == "fonttbl"
        codec = self._encoding if is_name else self._codecs.get(self._state.font) or self._encoding
        if not found:
            return ""
        if codec in SHOWN:
            return "".join(SHOWN[codec].get(letter, letter) for letter in found.decode("latin-1"))
        return found.decode(codec, "replace")

    def _say(self, text: str) -> None:
        state = self._state
        if not text or state.silent:
            return
        if state.kind == "fonttbl":
            if office.MONOSPACED.search(text):
                self._monospaced.add(state.font)
            if text.lower().startswith("wingdings"):
                self._codecs[state.font] = "wingdings"
        elif state.kind == "stylesheet":
            self._styles[self._flow.paragraph.style] = text.split(";")[0].strip().lower()
        elif state.kind in {"listtext", "fldinst"}:
            self._aside += text
        elif state.hidden:
            self.lost["hidden text"] += bool(text.strip())
        else:
            text = {"^": raised, "_": lowered}.get(state.raised, str)(text)
            mark = STRUCK if state.struck else "**" * state.bold + "*" * state.italic
            runs, mark = self._flow.paragraph.runs, "`" if state.font in self._monospaced else mark
            if runs and runs[-1][1] == mark:
                text = runs.pop()[0] + text
            runs.append((text, mark))

    def _end_paragraph(self) -> None:
        flow, paragraph = self._flow, self._flow.paragraph
        if not paragraph.in_table:
            self._end_table()
        (flow.cell if paragraph.in_table else flow.pieces).extend(self._written(paragraph))
        flow.paragraph = replace(paragraph, runs=[], mark=None)

    def _end_table(self) -> None:
        flow = self._flow
        flow.pieces += [("block", block) for block in office.table(flow.rows)]
        flow.rows, flow.row = [], []

    def _written(self, paragraph: _Paragraph) -> Iterator[tuple[str, str]]:
        runs = [(_joined(text), mark) for text, mark in paragraph.runs]
        plain, style = "".join(text for text, _ in runs), self._styles.get(paragraph.style, "")
        heading = re.fullmatch(r"heading (\d)", style)
        level = paragraph.outline if paragraph.outline >= 0 else int(heading[1]) - 1 if heading else -1
        mark, depth = paragraph.mark, paragraph.level
        if not plain.strip() or style.startswith(("toc ", "index ")):
            return
        own = OWN_MARK.match(plain) if mark is None and paragraph.first < 0 else None
        if own:
            mark, depth = own[1], max(0, paragraph.left // -paragraph.first - 1)
            runs = [(plain[own.end() :], "")] if len(runs) < 3 else _without(runs, own.end())
        mark = mark if mark is None or re.search(r"\w", mark) else ""
        if style == "title" and not self.title:
            self.title = " ".join(plain.split())
        else:
            runs = [(text.replace("\t", "    " if own == "`" else " "), own) for text, own in runs]
            yield from office.paragraph(runs, heading=level + 1 if level < 9 else 0, mark=mark, level=depth)


def _joined(text: str) -> str:
    """Text whose letters beyond the first plane are in one piece; RTF writes their halves."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _without(runs: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    """Runs without their first letters."""
    left: list[tuple[str, str]] = []
    for text, mark in runs:
        left.append((text[length:], mark))
        length = max(0, length - len(text))
    return left
