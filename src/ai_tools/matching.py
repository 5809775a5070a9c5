"""Text against text: normalising, n-grams, duplicates. One home for what curation, mixing and evaluation share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

ARTICLES = {"a", "an", "the"}


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
