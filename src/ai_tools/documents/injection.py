"""What a text says to a model that reads it: orders, forged turns of a chat, characters that nobody sees.

A text about such attacks says the same words, and is found too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import regex
import yaml

from ..records import Find

WORDS = Path(__file__).parents[1] / "data" / "injection.yaml"
NEAR = 90  # characters of a sentence before and behind a verb that are looked at

_MARKS = re.compile(
    r"<[|\uff5c/]?[a-z_\u2581\uff5c|]{2,40}[|\uff5c]\\?>|<(?<!\w.)/?(?:system|assistant|start_of_turn|end_of_turn)>"
    r"|\\?\[/?INST\\?\]|<</?SYS>>"
)
_ROLES = re.compile(
    r"^[ \t>#*_\[]{0,8}(?:system|assistant|developer|ai|human|user)(?: (?:message|note|override|instructions?))?"
    r"[\]*_ ]{0,3}:[*_ ]{1,4}(?:you (?:are|must|will|should|may|have)|ignor|disregard|forget|from now|always|never"
    r"|answer|respond|reply|do not|please)",
    re.IGNORECASE | re.MULTILINE,
)
_UNSEEN = re.compile(
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
    r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]*"
)
_SPLIT = re.compile(r"[\u200b-\u200d\u2060-\u2064\ufeff]+")  # between letters of scripts that have no use for them
_TURNED = re.compile(r"[\u202a-\u202e\u2066-\u2069]+")
_TAGS = re.compile(r"[\U000e0000-\U000e007f]")
_FLAG = "\U0001f3f4"  # is followed by tags: a region's flag
_SIMPLE = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Nd}]")
_RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")


def in_text(text: str) -> Iterator[Find]:
    """Orders (`INSTRUCTIONS`), forged turns (`CHAT_MARKS`) and what hides (`UNSEEN_CHARACTERS`)."""
    for match in chain(_MARKS.finditer(text), _ROLES.finditer(text)):
        yield Find(match.start(), match.end(), "CHAT_MARKS")
    if not text.isascii():
        for match in _UNSEEN.finditer(text):
            if _hides(text, *match.span()):
                yield Find(match.start(), match.end(), "UNSEEN_CHARACTERS")
    lower, words = lowered(text), _words()
    for word, at in places(lower, words["alone"]):
        yield Find(at, at + len(word), "INSTRUCTIONS")
    yield from _orders(lower, words["verbs"])


def _orders(lower: str, verbs: dict[str, list[list[re.Pattern[str]]]]) -> Iterator[Find]:
    for verb, at in places(lower, verbs):
        if at and verb[0].isalpha() and verb[0] < "\u0590" and lower[at - 1].isalpha():
            continue
        start, end = _sentence(lower, at, at + len(verb))
        for parts in verbs[verb]:
            found = [part.search(lower, start, end) for part in parts]
            if all(found):
                ends = [place for one in found if one for place in one.span()]
                yield Find(min(at, *ends), max(at + len(verb), *ends), "INSTRUCTIONS")
                break


def _hides(text: str, start: int, end: int) -> bool:
    """Whether characters that nobody sees have no use where they stand, as they have in Persian, in Thai, in emoji."""
    unseen, before, behind = text[start:end], text[start - 1 : start], text[end : end + 1]
    if _TAGS.search(unseen):
        return before != _FLAG
    if _TURNED.search(unseen):
        first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
        return "\u202e" in unseen or not _RIGHT_TO_LEFT.search(text, first, last if last >= 0 else len(text))
    is_split = _SPLIT.fullmatch(unseen) and _SIMPLE.match(before) and _SIMPLE.match(behind)
    return bool(is_split) or len(unseen) > 3


def lowered(text: str) -> str:
    """The text in lower case, every letter where it was, also one that has no single one in lower case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)


def places(text: str, words: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Where each of the words begins in a text. Much faster than one expression of them all."""
    there = set(text)
    for word in words:
        at = text.find(word) if there.issuperset(word) else -1
        while at >= 0:
            yield word, at
            at = text.find(word, at + len(word))


_END = re.compile(r"[.!?;\u3002\uff01\uff1f\u0964\u06d4](?=\s|$)|\n\s*\n|[\u3002\uff01\uff1f]")


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a word begins and ends, no more than NEAR characters away."""
    first = max(0, start - NEAR)
    before = [match.end() for match in _END.finditer(text, first, start)]
    after = _END.search(text, end, end + NEAR)
    return (before[-1] if before else first), (after.start() if after else end + NEAR)


@cache
def _words() -> dict[str, Any]:
    """What stands alone; and by verb, of every language that has it, what must stand in its sentence besides."""
    data = yaml.safe_load(WORDS.read_text("utf-8"))
    verbs: dict[str, list[list[re.Pattern[str]]]] = {}
    for one in data["orders"].values():
        parts = [re.compile(one["what"]), re.compile(one["when"])]
        for verb in one["verb"]:
            verbs.setdefault(verb, []).append(parts)
    for verb in data["roles"]["verb"]:
        verbs.setdefault(verb, []).append([re.compile(data["roles"]["who"])])
    return {"alone": data["alone"], "verbs": verbs}
