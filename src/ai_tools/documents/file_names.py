"""Names of the files that are made of documents: a path in one word, no longer than it may be, no two alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from ..escaping import UNSEEN
from ..records import content_id

LONGEST = 200  # bytes; what is made of a document adds to its name, and a file's may have 255
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z]\w{0,7}$")


def without_suffix(name: str) -> str:
    return _SUFFIX.sub("", name)


def flat(path: str) -> str:
    """A path in one word, `/` as `__`, what is not seen as `_`; an accent is part of its letter."""
    return re.sub(r"[/\\]", "__", UNSEEN.sub("_", unicodedata.normalize("NFC", path)))


def fitting(name: str, mark: str) -> str:
    """The name; the end of one that is too long for a file's gives way to the mark."""
    cut = name.encode()[: LONGEST - 1 - len(mark)].decode(errors="ignore")
    return name if len(name.encode()) <= LONGEST else f"{cut}-{mark}"


def tell_apart(offers: Sequence[Sequence[str]]) -> list[str]:
    """One of the names that each is offered: the first that no other has, or else the last.

    Upper and lower case are the same to some file systems.
    """
    turns = [0] * len(offers)
    while True:
        names = [some[turn] for some, turn in zip(offers, turns, strict=True)]
        count = Counter(map(str.casefold, names))
        alike = [n for n, name in enumerate(names) if count[name.casefold()] > 1 and turns[n] + 1 < len(offers[n])]
        if not alike:
            return names
        for n in alike:
            turns[n] += 1


def of_documents(paths: Sequence[str]) -> list[str]:
    """A name for each document by its path below the source: without its suffix, where two would be equal with it.

    Where `a__x.md` stands beside `a/x.md` that is not enough, and a hash of the path tells them apart.
    """
    seen: Counter[str] = Counter()
    offers = []
    for path in paths:
        whole, mark = flat(path), content_id(path, seen[path])
        seen[path] += 1
        offers.append([fitting(name, mark) for name in (without_suffix(whole), whole, f"{whole}-{mark[:6]}")])
    return tell_apart(offers)
