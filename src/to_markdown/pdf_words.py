"""A PDF page's characters -> words and lines, by their places, sizes and fonts."""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdfium2.raw as raw

BULLETS = frozenset("•‣◦●○▪■□·∗*—–-➢❖✓⁃\uf0b7\uf0a7\uf0d8")  # noqa: RUF001 - these very signs
ENUM = re.compile(r"\(?(\d{1,3}|[a-z]|[ivx]{1,5}|[IVX]{1,5}|[A-Z](?=\)))[.)]")
NUMBERED = re.compile(rf"{ENUM.pattern}|\d{{1,3}}(\.\d{{1,3}})+[.)]?|§+")  # a list item or a clause
LEADER = re.compile(r"(?:\. ?){4,}(\d+|[ivxlc]+)$")  # of a table of contents
LABEL = re.compile(
    r"(chapter|part|appendix|chapitre|partie|annexe|kapitel|teil|anhang|cap[íi]tulo|capitolo|parte|глава|часть)( \w+)?",
    re.IGNORECASE,
)
MONO = re.compile(r"mono|courier|consol|typewriter|inconsolata|menlo|cmtt|sftt|lmtt|txtt|code", re.IGNORECASE)
BOLD = re.compile(r"bold|black|heavy|demi|cmbx|sfbx|cmssbx|[-,]bd", re.IGNORECASE)
HYPHENS = frozenset("-\u2010\xad")
RAISED = re.compile("\x0e(.+?)\x0f")  # how a superscript is kept until it is known whether it names a footnote
# Ligatures; PDFium's marks for a hyphen at the end of a line; what cannot be seen.
CLEAN = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\x02": "-", "\ufffe": "-"}
    | dict.fromkeys(map(chr, (*range(2), *range(3, 9), *range(14, 32), 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)), "")
)
# Letters from right to left, and what PDFium turns round among them.
RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]+")
MIRRORED = str.maketrans("()[]{}<>«»‹›≤≥", ")(][}{><»«›‹≥≤")  # noqa: RUF001 - these very signs

Table = list[list[list[str]]]  # rows of cells of lines
Rule = tuple[float, float, float]  # a drawn line: its height (or abscissa), where it begins, where it ends


@dataclass(slots=True)
class Word:
    """Characters of one font with no space between them; `space`: one stands before them. Or a whole table.

    `alone`: it is one letter of a row that holds some from right to left, and of which word PDFium thinks that it is.
    """

    text: str
    x0: float
    x1: float
    y: float  # the baseline
    size: float
    bold: bool = False
    mono: bool = False
    space: bool = True
    table: Table | None = None
    alone: int = 0


@dataclass(slots=True)
class Line:
    """A line of one column; `height` is where on the page it stands, from 0 to 1, or -1 for text that is turned."""

    words: list[Word]
    text: str
    page: int
    region: int
    height: float
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    mono: bool
    table: Table | None
    level: int = 0  # of a heading
    entry: int = -1  # of the outline


@dataclass(slots=True)
class TextBlock:
    """Lines that belong together: a heading, paragraph, item, code, table or note."""

    kind: str
    lines: list[Line]
    marker: str = ""
    left: float = 0.0  # where its lines begin, from the second one on
    indent: int = 0  # in Markdown
    level: int = 0


def turn(x: float, y: float, angle: int) -> tuple[float, float]:
    """Coordinates in which text that was written at this angle runs from left to right."""
    if not angle:
        return x, y
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return x * cos + y * sin, y * cos - x * sin


def words_of(page: Any) -> dict[int, list[Word]]:
    """The words by angle. What a character costs here, a PDF costs: font and place are asked for word by word."""
    textpage = page.get_textpage()
    handle, box, matrix = textpage.raw, raw.FS_RECTF(), raw.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    fonts: dict[int, tuple[bool, bool]] = {}
    found: dict[int, list[Word]] = defaultdict(list)
    word, text_object, last, angle, space = None, 0, 0, 0, True
    style = (0.0, False, False)

    def ends(index: int, angle: int) -> list[float]:
        raw.FPDFText_GetLooseCharBox(handle, index, box)
        if not angle:
            return [box.left, box.right]
        return sorted(turn(x, y, angle)[0] for x in (box.left, box.right) for y in (box.bottom, box.top))

    def finish() -> None:
        if word and (text := word.text.translate(CLEAN)):
            word.text, word.x1 = _joined(text), max(word.x0, ends(last, angle)[-1])
            found[angle].append(word)

    get_unicode, get_object = raw.FPDFText_GetUnicode, raw.FPDFText_GetTextObject
    text = "".join(chr(get_unicode(handle, index)) for index in range(textpage.count_chars()))
    alone = _alone(text)
    for index, char in enumerate(text):
        if char.isspace() or char == "\0":
            finish()
            word, space = None, space or char not in "\r\n"  # rows end where a superscript begins, too
            continue
        pointer = get_object(handle, index)
        now = ctypes.addressof(pointer.contents) if pointer else 0
        if now != text_object or word is None:
            raw.FPDFText_GetCharOrigin(handle, index, x, y)
            new_angle, new_style = angle, style
            if now != text_object:
                raw.FPDFText_GetMatrix(handle, index, matrix)
                new_angle = round(math.degrees(math.atan2(matrix.b, matrix.a))) % 360
                size = raw.FPDFText_GetFontSize(handle, index) * math.hypot(matrix.c, matrix.d)
                new_style = (max(0.1, round(size, 1)), *_font(pointer, fonts))
            baseline = turn(x.value, y.value, new_angle)[1]
            x0 = ends(index, new_angle)[0]
            if word is not None:
                far = new_angle != angle or abs(baseline - word.y) > 0.6 * new_style[0]
                jumps = abs(x0 - ends(last, angle)[-1]) > 0.25 * new_style[0]
                if far or jumps or new_style != style or abs(baseline - word.y) > 0.5:
                    finish()
                    word, space = None, space or far
            if word is None:
                word, space = Word("", x0, x0, baseline, *new_style, space=space), False
            text_object, angle, style = now, new_angle, new_style
        word.text += char
        last = index
        if index in alone:
            word.text, word.alone = alone[index]
            finish()
            _place(word, handle, index, turn(x.value, y.value, angle)[0])
            word = None
    finish()
    textpage.close()
    return found


def _joined(text: str) -> str:
    """PDFium gives characters beyond 16 bits in halves."""
    return text if text.isprintable() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _place(letter: Word, handle: Any, index: int, origin: float) -> None:
    """Put a letter where the pen was before it, and a mark's end in the middle of what is seen of it."""
    if unicodedata.combining(letter.text):
        left, right, _, _ = ends = [ctypes.c_double() for _ in range(4)]
        raw.FPDFText_GetCharBox(handle, index, *ends)
        letter.x1 = (left.value + right.value) / 2
    elif letter.x0 > origin + 0.15 * letter.size:  # the place of its mark, where a browser names both together
        letter.x1 = max(letter.x1, origin + 0.6 * letter.size)
    letter.x0 = origin


def _alone(text: str) -> dict[int, tuple[str, int]]:
    """Where in PDFium's text the rows are whose letters are to be placed one by one: what they are and of which word.

    PDFium mirrors brackets after letters from right to left; that is undone.
    """
    found: dict[int, tuple[str, int]] = {}
    if not RTL.search(text):
        return found
    right = sum(map(len, RTL.findall(text)))
    most = right > sum(map(str.isalpha, text)) - right
    number = 1
    for row in re.finditer(r"[^\r\n]+", text):
        names = re.findall(r"[^\W\d_]+", row[0])
        right = sum(bool(RTL.match(name)) for name in names)
        mirrored = right > 0 and 2 * right >= len(names)
        for index, char in enumerate(row[0], row.start()) if right or most else ():
            if char.isalpha():
                mirrored = bool(RTL.match(char))
            number += char.isspace()
            found[index] = char.translate(MIRRORED) if mirrored else char, number
        number += 1
    return found


def _font(text_object: Any, known: dict[int, tuple[bool, bool]]) -> tuple[bool, bool]:
    """Whether it is bold, and whether it is monospaced: by its name, and where the file says so."""
    font = raw.FPDFTextObj_GetFont(text_object) if text_object else None
    if not font:
        return False, False
    address = ctypes.addressof(font.contents)
    if address not in known:
        buffer = ctypes.create_string_buffer(256)
        raw.FPDFFont_GetBaseFontName(font, buffer, 256)
        name, flags = buffer.value.decode("latin-1"), raw.FPDFFont_GetFlags(font)
        known[address] = bool(BOLD.search(name) or flags & 1 << 18), bool(MONO.search(name) or flags & 1)
    return known[address]


def rows_of(words: Iterable[Word]) -> list[list[Word]]:
    """Words by their baseline, from the top; raised and lowered ones belong to the row they hang on."""
    rows: list[list[Word]] = []
    anchor = Word("", 0, 0, math.inf, 0)
    for word in sorted(words, key=lambda word: -word.y):
        small, large = sorted((anchor.size, word.size))
        if word.table or anchor.table or anchor.y - word.y > max(0.6 * small, 0.52 * large):
            rows.append([])
            anchor = word
        rows[-1].append(word)
        anchor = word if word.size > 1.05 * anchor.size else anchor
    return [sorted(row, key=lambda word: word.x0) for row in rows]


def pieces(row: Sequence[Word], gap: float) -> list[list[Word]]:
    """A row cut where more than `gap` ems are free."""
    pieces = [[row[0]]]
    for before, word in pairwise(row):
        if word.x0 - before.x1 > gap * max(before.size, word.size):
            pieces.append([])
        pieces[-1].append(word)
    return pieces


def line_of(row: list[Word], page: int = 0, region: int = 0, height: float = 0.0) -> Line:
    sizes: Counter[float] = Counter()
    for word in row:
        sizes[word.size] += len(word.text)
    size = sizes.most_common(1)[0][0]
    y = next(word.y for word in row if word.size == size)
    reached = -math.inf
    for word in row:
        near = word.x0 - reached < 0.25 * size
        if word.size < 0.85 * size and word.y > y + 0.15 * size and re.fullmatch(r"[\d+-]+|[*†‡§]", word.text):
            word.text, word.space = f"\x0e{word.text}\x0f", not near
        word.space, reached = word.space or not near, word.x1
    text = "".join(" " * word.space + word.text for word in row).strip()
    bold = all(word.bold for word in row if any(map(str.isalnum, word.text)))
    mono = all(word.mono for word in row)
    x1 = max(word.x1 for word in row)
    return Line(row, text, page, region, height, row[0].x0, x1, y, size, bold, mono, row[0].table)
