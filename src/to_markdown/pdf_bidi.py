"""Text from right to left: the letters of a row as they stand on the page -> words as they are read.

A PDF holds what is seen. What is read is found by undoing the Unicode Bidirectional Algorithm (UAX 9): what runs the
other way, such as a number or a Latin name, is an island in its row. On a page that is read from right to left the
abscissae are turned round, so that what they tell (indents, list marks, columns, cells) is told as on any other page.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .pdf_words import MIRRORED, RTL, Rule, Word, rows_of

ARABIC = re.compile("[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]+")  # shapes of letters, and ligatures
# Islands among a row's classes: "a" is a letter from left to right, "R" one from right to left, "0" a digit, and all
# else stands for itself. Among Arabic letters a number has no signs; among Hebrew ones they stay with it.
CLASSES = {"L": "a", "R": "R", "AL": "R", "EN": "0", "AN": "0"}
ARABIC_NUMBER, NUMBER = r"0+(?:[.,:/\u066b\u066c]0+)*", r"[%$€₪#]*0+(?:[-+.,:/]0+)*[%$€₪#]*"
NAME = r"[\\/~@#_]*0*a(?:[^R]*a)?(?:[^R 0a]?0+)*"
# What stands left of a number may be its unit ("13 mm") or a name that it belongs to ("ISO 9001"): the row is the same.
UNIT = re.compile(
    r"[numcdkMGT\u00b5\u03bc]?(m[²³23]?|g|s|h|[lL]|A|V|W|Wh|Hz|Pa|N|J|[bB]|bar|K|mol|eV)|min|rpm|px|pt|ppm|dB|in|ft|"
    r"lb|oz|psi|hp|mph|km/h|m/s|USD|EUR"
)
# Brackets that stand where they belong, and those that are turned the wrong way.
RIGHT = re.compile(r"(?<!\S)[(\[«](?=\S)|(?<=\S)[)\]»](?!\w)|\([^()\n]*(?=\))")
WRONG = re.compile(r"(?<!\S)[)\]»](?=\S)|(?<=\S)[(\[«](?!\w)|\)[^()\n]*(?=\()")


def is_rtl(words: Iterable[Word]) -> bool:
    """Whether most letters are from right to left."""
    count = 0
    for word in words:
        count += sum(1 if RTL.match(char) else -1 for char in word.text if char.isalpha())
    return count > 0


def in_reading_order(words: list[Word], walls: list[Rule], width: float) -> list[Word]:
    """The words, with those that came letter by letter joined as they are read.

    `walls` are upright lines; `width` is what abscissae are subtracted from on a page from right to left, and else 0.
    """
    letters = [word for word in words if word.alone]
    if not letters:
        return words
    number = ARABIC_NUMBER if any(ARABIC.match(letter.text) for letter in letters) else NUMBER
    pieces = [piece for row in rows_of(letters) for piece in _pieces(row, walls)]

    ways = (False, True) if any(letter.text in "()[]«»" for letter in letters) else (False,)
    best = max(([_read(piece, number, width, turned) for piece in pieces] for turned in ways), key=_brackets)
    return [word for word in words if not word.alone] + [word for line in best for word in _joined(line)]


def _brackets(lines: list[list[Word]]) -> int:
    """How many more brackets stand right than wrong."""
    text = "\n".join("".join(letter.text for letter in line) for line in lines)
    return len(RIGHT.findall(text)) - len(WRONG.findall(text))


def _pieces(row: list[Word], walls: list[Rule]) -> Iterator[list[Word]]:
    """Letters from the left, with spaces between words, cut at walls and where much is free."""
    piece: list[Word] = []
    here = [x for x, low, high in walls if low < row[0].y < high]
    for letter in _letters(row):
        if piece:
            before = piece[-1]
            gap = (letter.x0 - before.x1) / letter.size
            if gap > 1 or any(before.x1 - 1 < x < letter.x0 + 1 for x in here):
                yield piece
                piece = []
            elif _parts(letter, before, gap):
                piece.append(replace(letter, text=" ", x0=before.x1, x1=letter.x0))
        piece.append(letter)
    if piece:
        yield piece


def _letters(row: list[Word]) -> list[Word]:
    """The letters of a row from the left; parts of a glyph, and marks, are added to the letter that they stand at."""
    letters: list[Word] = []
    marks: list[Word] = []
    for one in sorted(row, key=lambda letter: letter.x0):
        if letters and letters[-1].x0 == one.x0:
            letters[-1].text += one.text
            letters[-1].x1 = max(letters[-1].x1, one.x1)
        elif unicodedata.combining(one.text[0]):
            marks.append(one)
        else:
            letters.append(one)
    middles = list(map(_middle, letters))
    for mark in marks if letters else ():
        at = min(bisect_left(middles, mark.x1), len(letters) - 1)
        base = min(letters[max(0, at - 1) : at + 1], key=lambda base: abs(_middle(base) - mark.x1))
        base.text += mark.text if mark.text not in base.text else ""
    return letters


def _parts(letter: Word, following: Word, gap: float) -> bool:
    """Whether a space is between two letters that are so many ems apart; a teh marbuta is always a word's last."""
    rtl = RTL.match(letter.text) and RTL.match(following.text)
    if letter.text[0] == "\u0629" and following.text[0].isalpha() and rtl:
        return True
    named = letter.alone != following.alone and abs(letter.y - following.y) < 0.5  # by PDFium, not for a raised mark
    return gap > (0.05 if named else 0.12 if RTL.match(letter.text) or RTL.match(following.text) else 0.25)


def _middle(word: Word) -> float:
    return (word.x0 + word.x1) / 2


def _read(piece: list[Word], number: str, width: float, turned: bool) -> list[Word]:
    """A piece in the order of reading, its abscissae rising."""
    classes = "".join(map(_class, piece))
    for at, (one, dot, other) in enumerate(zip(piece, piece[1:], piece[2:], strict=False), 1):
        digits = dot.text == "." and ARABIC.match(one.text) and ARABIC.match(other.text)
        if digits and not one.alone == dot.alone == other.alone:
            classes = f"{classes[:at]}_{classes[at + 1 :]}"  # a section's number, set one by one from the right
    right, left = classes.count("R"), classes.count("a")
    if right >= left / 4 if width else right > left:
        piece = _from_right(piece, classes, number, turned)
    else:
        piece = list(piece)
        for found in re.finditer("R(?:[^a]*R)?", classes):
            part = slice(*found.span())
            piece[part] = _from_right(piece[part], found[0], number, turned)
    if width:
        shift = width - min(one.x0 for one in piece) - max(one.x1 for one in piece)
        piece = [_at(one, one.x0 + shift, one.x1 + shift) for one in piece]
    return piece


def _class(letter: Word) -> str:
    kind = CLASSES.get(unicodedata.bidirectional(letter.text[0]), letter.text[0])
    return "a" if letter.mono and kind not in "R " else kind


def _from_right(letters: list[Word], classes: str, number: str, turned: bool) -> list[Word]:
    """`turned`: brackets among letters from right to left are given as they look, and not as they are meant."""
    flipped = _flipped(letters)
    read = [replace(one, text=one.text.translate(MIRRORED)) for one in flipped] if turned else list(flipped)
    for start, end in _islands(letters, classes, number):
        part = slice(len(letters) - end, len(letters) - start)
        read[part] = _flipped(flipped[part])
    return read


def _islands(letters: list[Word], classes: str, number: str) -> Iterator[tuple[int, int]]:
    """Where names and numbers begin and end: what is read from left to right."""
    for found in re.finditer(rf"(?P<name>{NAME})(?P<number> {number})?|{number}", classes):
        start, end = found.span()
        if found["name"]:
            text = "".join(letter.text for letter in letters[start : found.end("name")])
            if found["number"] and UNIT.fullmatch(text.rpartition(" ")[2]):
                yield found.start("number") + 1, end
                end = found.end("name")
            if not start and classes[end : end + 1] == "-":  # broken at the end of the line
                end += 1
            if sum(text.count(bracket) for bracket in "()[]") % 2 and classes[end : end + 1] in {*"()[]"}:
                end += 1
        yield start, end


def _flipped(letters: list[Word]) -> list[Word]:
    ends = min(one.x0 for one in letters) + max(one.x1 for one in letters)
    return [_at(one, ends - one.x1, ends - one.x0) for one in reversed(letters)]


def _at(letter: Word, x0: float, x1: float) -> Word:
    """The letter in another place; dataclasses.replace takes ten times as long."""
    return Word(
        letter.text, x0, x1, letter.y, letter.size, letter.bold, letter.mono, letter.space, letter.table, letter.alone
    )


def _joined(letters: list[Word]) -> Iterator[Word]:
    """Words of letters of one style."""
    word, space = None, True
    for letter in letters:
        if letter.text == " ":
            space = True
            continue
        same = word and (word.size, word.bold, word.mono) == (letter.size, letter.bold, letter.mono)
        if word and same and not space and abs(word.y - letter.y) < 0.5:
            word.text, word.x0, word.x1 = word.text + letter.text, min(word.x0, letter.x0), max(word.x1, letter.x1)
            continue
        if word:
            yield _whole(word)
        word, space = replace(letter, space=space, alone=0), False
    if word:
        yield _whole(word)


def _whole(word: Word) -> Word:
    text = FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), word.text)
    return replace(word, text=unicodedata.normalize("NFC", text))
