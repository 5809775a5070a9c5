"""Values in a sentence that a question word can stand for: numbers with their unit, codes, names with their class.

values(text)     (start, end, question words, answer) of every one
counted(noun)    whether a noun may follow "how many"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .english import is_person, lemma, pattern, readings, words


def counted(noun: str) -> bool:
    """Whether a noun may follow "how many"."""
    forms = readings(noun)
    return "NNS" in forms or (noun.endswith("s") and "JJ" not in forms)  # but not "four serious"


_CODE = re.compile(r"(?<!\bto )(?<!\ban )(?<!\ba )\b(the )?([a-z]+|Form) ([A-Z]+-\d+)\b")
_CLASSED = re.compile(r"\bthe ([a-z]+(?: [a-z]+){0,2}) ([A-Z][a-z]+(?: (?:and )?[A-Z][a-z]+)*)\b")
_PLACED = re.compile(r"\bin the ([a-z]+) of ([A-Z][a-z]+(?: [A-Z][a-z]+)*)\b")
_INSIDE = re.compile(r"(?<= in )([A-Z][a-z]+(?: [A-Z][a-z]+)*)\b(?! (?:of|for) )")
_ORGANISED = re.compile(r"\bthe (?:[A-Z][a-z]+ )+([A-Z][a-z]+)\b(?! of [A-Z]|, [A-Z])")


def _class(noun: str) -> bool:
    """Whether a word may class the name after it: "the course First Light", but not "the current Perl policy"."""
    return "NN" in readings(noun) and "JJ" not in readings(noun)


def values(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, question words, answer) of every value that a question word can stand for."""
    numbers = pattern(
        r"(?i)(?<![\w.,-])(?<!to )(?<!the )(?<!the last )(?<!the first )(?<!section )(?<!version )"
        r"(<count>) ((?:[a-z-]+ ){0,2}?)(per cent|[a-z-]+)\b"
    )
    for found in numbers.finditer(text):
        number, before, things = found.groups()
        while things != "per cent" and not counted(things) and (more := re.match(r" ([a-z-]+)", text[found.end() :])):
            if len(before.split()) == 2:
                break
            before, things = f"{before}{things} ", more[1]
            found = re.compile(re.escape(f"{number} {before}{things}")).search(text, found.start()) or found
        if before.startswith("or "):
            continue  # "zero or more"
        if before.strip() and len(before.strip()) < 4 and before.strip() not in words("determiners"):
            continue  # "75 dpi fonts"
        if {*before.split(), things} & words("prepositions", "subordinators", "be", "have", "do", "numbers"):
            continue  # "in 2014 after eleven years", "Channel 12 is for distress"
        listed = re.search(r"(?:\bor|\band|\bto|,|-) $", text[: found.start()])
        if number.lower() != "one" and not listed and (things == "per cent" or counted(things)):
            answer = f"{number} {before}{things}"
            many = "what percentage" if things == "per cent" else f"how many {before}{things}"
            yield found.start(), found.start() + len(answer), many, answer
    for found in _CODE.finditer(text):
        the, noun, code = found.groups()
        if "NN" not in readings(noun.lower()) or noun.lower() in words("prepositions"):
            continue
        yield found.start(), found.end(), f"which {noun.lower()}", code if the and noun != "Form" else f"{noun} {code}"
    for found in _INSIDE.finditer(text):
        before = text[: found.start()].lower().split()
        placed = {lemma(word) for word in before[-8:]} & words("placed")
        if placed and not {*found[1].split()} & words("months", "days"):
            yield found.start(1), found.end(1), "which place", found[1]
    for found in _PLACED.finditer(text):
        yield found.start(), found.end(), f"in which {found[1]}", found[2]
    for found in _CLASSED.finditer(text):
        if not set(found[1].split()) & words("prepositions") and _class(found[1].split()[-1]):
            yield found.start(), found.end(), f"which {found[1]}", found[2]
    for found in _ORGANISED.finditer(text):
        if found[1].lower() in words("organisations") or is_person(found[1].lower()):
            yield found.start(), found.end(), f"which {found[1].lower()}", found[0]
