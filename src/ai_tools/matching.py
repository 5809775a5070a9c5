"""Text against text: normalising, n-grams, duplicates. One home for what curation, mixing and evaluation share."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml

from .records import Sample

ARTICLES = {"a", "an", "the"}
NUMBER = re.compile(r"\d[\d.,:]*\d|\d")
_DATA: dict[str, Any] = yaml.safe_load((resources.files("ai_tools") / "data" / "words.yaml").read_text("utf-8"))


def word_list(name: str) -> list[str]:
    """A list of `data/words.yaml`, in its order."""
    words: list[str] = _DATA[name].split()
    return words


OPENERS = frozenset(word_list("openers"))  # words that begin a sentence and name nothing
_UNITS = {word: unit for unit, names in _DATA["units"].items() for word in names.split()}
_UNIT = re.compile(r"[ \u00a0\u202f-]?(?:per cent\b|[^\W\d_]+|[%\u20ac\u00a3$])")
_SMALL, _TENS = word_list("small_numbers"), word_list("tens")
_SPELT = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[- ]({'|'.join(_SMALL[1:10])}))?|({'|'.join(_SMALL)}))\b(?![-'\u2019]s)",
    re.IGNORECASE,
)
_NAMELESS = ARTICLES | {"i", *_SMALL, *_TENS}  # wherever they stand, as May, Will and WHO are not
_BEGINNINGS = _NAMELESS | OPENERS
_LINKING = _BEGINNINGS | {*word_list("linking")}
_BELOW_ZERO = re.compile(r"(?:(?<![^\s(\[=:,])[-\u2212]|\bminus )(?=\d)", re.IGNORECASE)
_FENCED = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d|\u201e([^\u201c\u201d\n]+)[\u201c\u201d]"
    r"|\u00ab([^\u00bb\n]+)\u00bb|`([^`\n]+)`"
)
_BEGINS = re.compile(r"(?:^|[.!?:]\s+|\n\s*(?:[-*+]\s+|\d+[.)]\s+)?)[\"\u201c\u201e(*_]*$")
_LOOK_BACK = 40  # characters in which it is seen whether a sentence begins


_NUMBER_OR_WORD = r"\d[\d.,:]*\d|"
_WORD = re.compile(rf"{_NUMBER_OR_WORD}\w+")  # of ASCII


@functools.cache
def _scripts() -> dict[str, Any]:
    """What tells the words of all scripts, by the properties that Unicode gives to their letters."""
    import regex

    # Chinese, Japanese; and those whose lines are broken by dictionaries: Thai, Lao, Khmer, Burmese and their kin.
    unspaced = r"[\w&&[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{LB=SA}]]"
    patterns = {
        "letter": rf"{unspaced}\p{{M}}*",
        "word": rf"{_NUMBER_OR_WORD}(?!\p{{M}})(?:{unspaced}\p{{M}}*|[\w--{unspaced}]+)",
        "name": rf"(?!\p{{M}})[[\w\p{{No}}]--[_{unspaced}]][[[\w\p{{No}}]--{unspaced}]'\u2019-]*",
        "apart": r"[\p{No}&&[\p{dt=Super}\p{dt=Fraction}]]",  # 10\u00b2 is not 102, nor 1\u00bd 11/2
        "unseen": r"[\p{Default_Ignorable_Code_Point}\p{Cf}]",
        "digit": r"(?![0-9])\d",
    }
    return {name: regex.compile(pattern, regex.VERSION1) for name, pattern in patterns.items()}


def words(text: str) -> list[str]:
    """Words and numbers without case and forms of printing; punctuation falls away, but not inside a number.

    1,260 and 11:00 stay whole. Where a script puts no spaces between words, each character with its marks is one.
    """
    if text.isascii():
        return _WORD.findall(text.lower())
    found: list[str] = _scripts()["word"].findall(_folded(text))
    return found


def _folded(text: str) -> str:
    """NFKC, case folded, without characters that are not seen, all digits as 0 to 9."""
    apart = _scripts()["apart"].sub(r" \g<0> ", text)
    plain = unicodedata.normalize("NFKC", apart).casefold()
    return digits(unicodedata.normalize("NFKC", _scripts()["unseen"].sub("", plain)))


def digits(text: str) -> str:
    """The text with the decimal digits of all scripts as 0 to 9, each in its place."""
    if text.isascii():
        return text
    plain: str = _scripts()["digit"].sub(lambda found: str(unicodedata.decimal(found[0], found[0])), text)
    return plain


def spaced(text: str) -> str:
    """The text with spaces around each character of scripts that put none between words: `split` then counts."""
    plain: str = text if text.isascii() else _scripts()["letter"].sub(r" \g<0> ", text)
    return plain


def normalise(text: str, title: str = "") -> str:
    """The `words` joined by spaces; an opening "In {title}, " is taken off."""
    tokens = words(text)
    opening = ["in", *words(title)]
    if title and tokens[: len(opening)] == opening:
        tokens = tokens[len(opening) :]
    return " ".join(tokens)


def wording(sample: Sample) -> tuple[str, str]:
    """Question and answer as those of two samples are compared: normalised, without the document's title."""
    return normalise(sample.question, sample.document_outline), normalise(sample.answer)


def ngrams(text: str, n: int = 8) -> set[tuple[str, ...]]:
    """All runs of n words; empty for a text of fewer."""
    tokens = words(text)
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


def telling_run(text: str, n: int = 8) -> int:
    """How many words in a row two texts share by chance no more: n; of single characters at least half of this text.

    Eight characters may be no more than "is it necessary to".
    """
    tokens = words(text)
    alone = sum(_scripts()["letter"].fullmatch(token) is not None for token in tokens if not token.isascii())
    return max(n, -(-len(tokens) // 2)) if 2 * alone > len(tokens) else n


def near_duplicates(
    texts: Iterable[str], others: Iterable[str], *, threshold: float = 0.7
) -> list[tuple[int, int, float]]:
    """Pairs (index in `texts`, index in `others`, Jaccard similarity of their words) at or above the threshold."""
    sets = [set(words(text)) - ARTICLES for text in others]
    holders: dict[str, list[int]] = defaultdict(list)
    for index, members in enumerate(sets):
        for word in members:
            holders[word].append(index)
    found = []
    for i, text in enumerate(texts):
        mine = set(words(text)) - ARTICLES
        common: dict[int, int] = defaultdict(int)  # much faster here than a Counter
        for word in mine:
            for j in holders.get(word, ()):
                common[j] += 1
        for j, shared in common.items():
            similarity = shared / len(mine | sets[j])
            if similarity >= threshold:
                found.append((i, j, round(similarity, 3)))
    return found


def contains(text: str, answer: str) -> bool:
    """Whether the answer's words stand in the text in a row (articles aside)."""
    inner = [word for word in words(answer) if word not in ARTICLES]
    outer = [word for word in words(text) if word not in ARTICLES]
    return bool(inner) and any(outer[i : i + len(inner)] == inner for i in range(len(outer) - len(inner) + 1))


def token_f1(text: str, answer: str) -> float:
    """Overlap of the two bags of words (articles aside), as in SQuAD (arXiv 1606.05250)."""
    ours, theirs = ([w for w in words(t) if w not in ARTICLES] for t in (text, answer))
    if not ours or not theirs:
        return float(ours == theirs)
    shared = (Counter(ours) & Counter(theirs)).total()
    return 2 * shared / (len(ours) + len(theirs))


def missing_facts(text: str, other: str, *, whole: bool = True) -> list[str]:
    """Numbers, names, quoted words and code of one text that another does not have, in the text's order.

    A name is a word with a capital letter; plural and genitive are the same name. At the beginning of a sentence any
    word may have one: there it counts where `whole`, else where it is no word that links sentences. Numbers may be in
    digits or, below a hundred, in words. A unit that is known belongs to its number.
    """
    lost = _missing_numbers(text, other)
    plain = _flat(other)
    for pattern in (_FENCED, _QUOTED):
        for found in pattern.finditer(text):
            said = next(filter(None, found.groups()), "")
            if _flat(said).rstrip(".,;:!?") not in plain:
                lost.setdefault(f'"{said.strip()}"', found.start())
    heard = {_stem(word) for word in words(other)}
    for found in _scripts()["name"].finditer(text):
        name = re.sub(r"['\u2019]s?$", "", found[0])
        parts = [part for part in name.split("-") if any(letter.isupper() for letter in part)]
        if not parts or {_stem(word) for part in parts for word in words(part)} <= heard:
            continue
        begins = _BEGINS.search(text, max(0, found.start() - _LOOK_BACK), found.start())
        if name.lower() not in (_NAMELESS if not begins else _BEGINNINGS if whole else _LINKING):
            lost.setdefault(name, found.start())
    return sorted(lost, key=lost.__getitem__)


def _flat(text: str) -> str:
    return " ".join((text.casefold() if text.isascii() else _folded(text)).split())


def _stem(word: str) -> str:
    word = word.strip("_")  # of emphasis
    return word.removesuffix("s") if len(word) > 3 else word


def _missing_numbers(text: str, other: str) -> dict[str, int]:
    """Numbers of a text that another lacks, and those that it has with other units only, with where they stand."""
    known = _numbers(other)
    values = {value for value, _, _ in known}
    lost: dict[str, int] = {}
    for value, start, end in _numbers(text):
        if value == "1" and text[start : start + 3].lower() == "one":
            continue  # a pronoun more often than a number
        unit, shown = _unit(text, start, end)
        if value not in values:
            lost.setdefault(value, start)
        elif unit and not any(unit in _units_near(other, at, upto) for one, at, upto in known if one == value):
            lost.setdefault(f"{value} {shown}", start)
    return lost


def _numbers(text: str) -> list[tuple[str, int, int]]:
    """The numbers of a text as digits without separators of thousands, and from where to where each stands."""
    text = digits(text)
    minus = {found.end() for found in _BELOW_ZERO.finditer(text)}
    found = [
        (("-" if one.start() in minus else "") + re.sub(r",(?=\d{3}(?!\d))", "", one[0]), one.start(), one.end())
        for one in NUMBER.finditer(text)
    ]
    for one in _SPELT.finditer(text):
        tens, unit, small = ((part or "").lower() for part in one.groups())
        value = _SMALL.index(small) if small else 10 * (_TENS.index(tens) + 2) + (_SMALL.index(unit) if unit else 0)
        found.append((str(value), one.start(), one.end()))
    return found


def _unit(text: str, start: int, end: int) -> tuple[str, str]:
    """The unit right behind a number, or the currency before it, and how it is written; empty for any other word."""
    behind = _UNIT.match(text, end)
    shown = behind[0].strip(" \u00a0\u202f-") if behind else ""
    if shown.lower() == "per cent":
        return "per cent", shown
    unit = _UNITS.get(shown.lower(), "")
    return (unit, shown) if unit else (_UNITS.get(text[start - 1 : start], ""), text[start - 1 : start])


def _units_near(text: str, start: int, end: int) -> set[str]:
    """Units that may belong to a number: of the three words behind it, or the currency before."""
    behind = text[end : end + 40].lower().replace("per cent", "percent")
    near = re.findall(r"[^\W\d_]+|[%\u20ac\u00a3$]", behind)[:4]
    return {_UNITS[word] for word in (*near, text[max(0, start - 1) : start]) if word in _UNITS}


# --- names ---


def nearest(name: str, known: Iterable[str], *, letters: int | None = None) -> str:
    """The known name that the fewest letters tell from this one; empty where none is near.

    Args:
        letters: at most so many are to be put in, left out or replaced; without it two of five, which is what makes a
            reader take one name for the other.
    """
    found = [(_letters_between(name, one), one) for one in known]
    near = [one for one in found if one[0] <= (0.4 * max(len(name), len(one[1])) if letters is None else letters)]
    return min(near, default=(0, ""))[1]


def _letters_between(a: str, b: str) -> int:
    """Not by `difflib`: its blocks miss one of a thousand names that two letters tell apart, and more of short ones."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, previous = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (x != y)))
    return row[-1]
