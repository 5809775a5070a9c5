"""Text against text: normalising, n-grams, duplicates. One home for what curation, mixing and evaluation share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

ARTICLES = {"a", "an", "the"}
_OPENING_WORDS = """
a an the at by for from if in on to under until with within how what when where which who whom whose why is are was
were do does did has have had can could may might must shall should will would it its they he she you we this that
these those there as and or but not no yes all any each every because only
"""
OPENERS = frozenset(_OPENING_WORDS.split())  # words that begin a sentence and name nothing
NUMBER = re.compile(r"\d[\d.,:]*\d|\d")
_NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_QUOTED = re.compile(r"\"([^\"\n]+)\"|\u201c([^\u201d\n]+)\u201d|`([^`\n]+)`")
_CAPITAL = re.compile(r"(?<![\w'-])[^\W\d_a-z][\w'\u2019-]*|\b[^\W\d_]+[A-Z]\w*")
_BEGINS = re.compile(r"(?:^|[.!?:]\s+|\n\s*(?:[-*+]\s+|\d+[.)]\s+)?)[\"\u201c(*_]*$")


def words(text: str) -> list[str]:
    """Lower-case words and numbers; punctuation falls away, but not inside a number (1,260 and 11:00 stay whole)."""
    return re.findall(r"\d[\d.,:]*\d|\w+", text.lower())


def normalise(text: str, title: str = "") -> str:
    """Lower-case words joined by spaces; an opening "In {title}, " is taken off."""
    tokens = words(text)
    opening = ["in", *words(title)]
    if title and tokens[: len(opening)] == opening:
        tokens = tokens[len(opening) :]
    return " ".join(tokens)


def ngrams(text: str, n: int = 8) -> set[tuple[str, ...]]:
    """All runs of n words; empty for a text of fewer."""
    tokens = words(text)
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}


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
        common: dict[int, int] = defaultdict(int)
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
    remaining = list(theirs)
    shared = 0
    for word in ours:
        if word in remaining:
            remaining.remove(word)
            shared += 1
    return 2 * shared / (len(ours) + len(theirs))


def missing_facts(text: str, other: str, *, whole: bool = True) -> list[str]:
    """Numbers, names and quoted words of one text that another does not have, in the text's order.

    A name is a word with a capital letter. One at the beginning of a sentence may be any word: it counts where `whole`.
    Numbers may be written in digits or, up to twelve, in words.
    """
    numbers, heard, plain = _numbers(other), set(words(other)), " ".join(other.split()).casefold()
    lost = {number: at for number, at in _numbers(text).items() if number not in numbers}
    for found in _QUOTED.finditer(text):
        said = next(filter(None, found.groups()))
        if " ".join(said.split()).casefold() not in plain:
            lost.setdefault(f'"{said}"', found.start())
    for found in _CAPITAL.finditer(text):
        name = re.sub(r"['\u2019]s?$", "", found[0])
        begins = _BEGINS.search(text[: found.start()])
        if name.lower() in OPENERS or (begins and not whole) or set(words(name)) <= heard:
            continue
        lost.setdefault(name, found.start())
    return sorted(lost, key=lost.__getitem__)


def _numbers(text: str) -> dict[str, int]:
    """The numbers of a text, as digits without separators of thousands, and where they stand."""
    spelt = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split())}
    found = {re.sub(r",(?=\d{3})", "", one[0]): one.start() for one in reversed(list(NUMBER.finditer(text)))}
    for one in re.finditer(r"[a-z]+", text.lower()):
        if one[0] in spelt and one[0] != "one":  # which is a pronoun more often than a number
            found.setdefault(spelt[one[0]], one.start())
    return found
