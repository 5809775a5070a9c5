"""Short forms of answers: the number, name or span of time that was asked for, without what surrounds it.

An exam asks "How many branches …?" and expects "64"; the sentence gives "64 branches". A student that has only seen the
long form finds the short one unlikely. Measures and amounts of money keep their unit.
"""

from __future__ import annotations

import re

from .english import is_unit, pattern

_ASKS_FOR_AN_EVENT = re.compile(r"(?i)\bwhat (?:happens|follows|becomes|is the consequence|\w+ .* do)\b")
_ASKS_FOR_A_THING = re.compile(r"(?i)\b(?:what|which|who|whom|where)\b")


def short_form(question: str, answer: str) -> str:
    """The core of an answer that the question asks for; the answer itself where it has no shorter one."""
    text = pattern(r"(?i)^<before_count>").sub("", answer)
    counted = pattern(r"(?i)(<core_count>) (?!<core_span>\b|per cent\b)((?:[a-z-]+ )*?[a-z-]+s|[a-z-]+)\b").match(text)
    if counted and pattern(r"(?i)\b<how_many>\b").search(question):
        return counted[0] if is_unit(counted[2].split()[-1]) else counted[1]
    weekday = pattern(r"\b<days>s?\b").search(text)
    if weekday and "day of the week" in question:
        return weekday[0]
    if _ASKS_FOR_A_THING.search(question) and not _ASKS_FOR_AN_EVENT.search(question):
        core = pattern("<called>$|<classed_name>$|<placed_name>").match(text)
        return next(filter(None, core.groups())) if core else text
    return text
