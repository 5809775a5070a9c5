"""What a phrase asks for, and which phrases belong together.

timed()      whether a phrase tells a time, and the words that ask for it
joined()     phrases that belong together: "the Document Laboratory in Marrowgate"
kind_of()    the common noun that classes a name: "form" in "Form K-10"
asked_for()  the words that ask for a person or thing: "who", "which form", "what"
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from .clauses import Phrase
from .english import NOUNS, data, is_person, pattern, readings, words
from .tagging import head_of, tag

_CLASSED = (
    r"(?:(?:the|an?|its|their) )?((?:[a-z-]+ )*?[a-z-]+),? (?:called|named|known as) (?!(?:by|in|after|for|to)\b)",
    r"(?:[A-Z][\w.-]* )+([a-z]+) \d[\w.]*$",
    r"(?:the |an? )?([A-Za-z]+(?: [a-z]+)?) (?:[A-Z]+-?\d[\w-]*)$",
    r"the ((?:[a-z-]+ ){0,2}[a-z-]+) (?:[A-Z][\w-]*[a-z\d][\w-]*|(?<=letters )[A-Z]+)(?: [A-Z][\w-]*)*$",
)


@lru_cache(maxsize=20_000)
def timed(text: str) -> dict[str, Any] | None:
    """For a phrase of time, its row of the table `times`, filled in."""
    low = text.lower()
    row = next((row for row in data()["times"] if pattern(rf"(?i:{row['pattern']})").match(low)), None)
    if row is None:
        return None
    unit = pattern(r"<amount> (<unit>)\b").search(low)
    fill = {"prep": low.split()[0], "unit": unit[1].rstrip("s") + "s" if unit else ""}
    asking = {use: [word.format(**fill) for word in row[use]] for use in ("training", "exam")}
    return {"cleft": "", **row, **asking}


def joined(rest: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Join "in …" and the like to the noun phrase before: "the Document Laboratory in Marrowgate"."""
    out: list[Phrase] = []
    for p in rest:
        last = out[-1] if out and out[-1].text and not out[-1].front else None
        if last is not None and (_of_gerund(p, last) or _belongs(p, last) or _goes_on(p, last)):
            out[-1] = replace(last, text=f"{last.text} {p.text}")
        else:
            out.append(p)
    return tuple(out)


def _of_gerund(p: Phrase, last: Phrase) -> bool:
    """Whether a phrase belongs to the deed of the one before it: "by adding a line" to the file."""
    led = last.noun.split()[:1] if last.prep and p.kind == "PP" else []
    return bool(led) and led[0].endswith("ing") and "VBG" in readings(led[0]) and not timed(p.text)


def _goes_on(p: Phrase, last: Phrase) -> bool:
    """Whether a phrase tells the next deed of the one before: "by closing the gate" then ringing the bell."""
    return last.prep in ("by", "for") and (p.text == "then" or last.text.endswith(" then"))


def _belongs(p: Phrase, last: Phrase) -> bool:
    """Whether a phrase belongs to the one before it rather than to the verb."""
    if p.prep in ("such as", "including", "other than") and last.kind in ("NP", "PP", "ADJ"):
        return True
    if p.kind == "ADV":
        return p.text == "else" or "VBN" in readings(last.text.split()[-1])
    if p.kind in ("PP", "INF") and _ends_in_participle(last.text):
        return True
    if p.kind != "PP" or last.kind not in ("NP", "PP"):
        return False
    if pattern("<participle>").search(last.text) or (last.prep == "from" and re.match(r"to (?:\d|[A-Z])", p.text)):
        return True
    apart = timed(p.text) or timed(last.text) or pattern("<no_place>").match(p.text) or p.text.startswith("in cash")
    return p.prep.lower() in words("attached") and not apart


@lru_cache(maxsize=20_000)
def _ends_in_participle(text: str) -> bool:
    """Whether a phrase ends in a participle, to which the next phrase belongs: "a stanza surrounded" by a line."""
    *_, before, last = tag("the " + text)
    if last.low.endswith("ing") and "VBG" in readings(last.text) and before.tag in ("IN", "SUB", "NNS"):
        return True  # "before installing" into a folder, "programs acting" on a package
    participle = last.tag in ("VBN", "VBG", "VBD") or (last.tag == "JJ" and last.low.endswith("ed"))
    led = before.tag in (*NOUNS, "NP", "RB", "CC", ",") or "NNS" in readings(before.text)
    return before.start > 0 and participle and led


@lru_cache(maxsize=20_000)
def kind_of(noun: str) -> str:
    """The common noun that classes a name: "form" in "Form K-10", "archive system" in "the archive system Alder"."""
    for form in _CLASSED:
        found = re.match(form, noun)
        if found and not set(found[1].split()) & words("prepositions", "determiners"):
            return found[1].lower().removeprefix("own ")
    name = r"(?:[A-Z][\w'\u2019-]*|of|and|for)"
    if re.fullmatch(rf"(?:the |an? ){name}(?: {name})*", noun) and len(noun.split()) > 2:
        head = re.split(r" of | for ", noun)[0].split()[-1]
        if "NN" in readings(head):
            return head.lower()
    return ""


@lru_cache(maxsize=20_000)
def asked_for(noun: str) -> list[str]:
    """Question words for a person or thing: "who", "which form", "what"."""
    kind, head = kind_of(noun), head_of(noun)
    if kind:
        return ["who", f"which {kind}"] if is_person(kind.split()[-1]) else [f"which {kind}", f"what {kind}"]
    if is_person(head) or (re.fullmatch(r"(?:[A-Z][a-z]+ )+[A-Z][a-z]+", noun) and not readings(noun.split()[-1])):
        return ["who"]
    if "VBG" in readings(noun.split()[0]) and noun.split()[0].endswith("ing"):
        return ["what"]  # "manipulating packages"
    first, rest = noun.split()[0].lower(), re.sub(r"^(?i:the|an?|every|each) ", "", noun)
    told, second = [*rest.split(), ""][:2]
    whole = first in ("each", "every", "all", "both", "many")
    if whole or first in words("possessive") or not (head.isalpha() and head.islower()):
        return ["what"]
    further = second in ("that", "which", "who", "with", "without", "from") or second.endswith("ed")
    marked = (rest.startswith(head + " ") and further) or (rest.endswith(" " + head) and re.fullmatch(r"[\w -]+", rest))
    vague = told.lower() in words("weak_adjectives") and len(rest.split()) == 2  # "actual accounts"
    if vague or "," in noun or " and " in noun or not marked:
        return ["what"]
    return ["what", f"which {head}"]  # the kind alone would not tell which one is meant
