"""Short forms of answers: the number, name or span of time that was asked for, without what surrounds it.

An exam asks "How many branches …?" and expects "64"; the sentence gives "64 branches". A student that has only seen the
long form finds the short one unlikely. Measures and amounts of money keep their unit.
"""

from __future__ import annotations

import re

from .english import is_unit

_COUNT = (
    r"(?:\d[\d.,]*\d|\d|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
_TIME = r"(?:business |calendar |working )?(?:second|minute|hour|day|week|month|quarter|year)s?"
_LIMIT = re.compile(
    r"^(?:not |no )?(?:within|after|before|by|for|until|above|below|over|under|up to|about|around|exactly"
    r"|only|all|between|at (?:least|most|the latest)|(?:more|less|fewer|later|earlier|older|longer|shorter) than"
    r"|a (?:maximum|minimum|total) of)\s+(?:a further |the first |the next |another )?"
    rf"(?={_COUNT}\b)",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(r"\b(?:how many|what number of|(?:maximum|minimum|total)? ?number of)\b", re.IGNORECASE)
_COUNTED = re.compile(rf"^({_COUNT}) (?!{_TIME}\b|per cent\b)((?:[a-z-]+ )*?[a-z-]+s|[a-z-]+)\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b")
_NAME = r"[A-Z][\w-]*(?: (?:(?:of|and|for) (?=[A-Z]))?[A-Z0-9][\w-]*)*"
_PREPOSITION = r"(?:in|at|on|by|with|from|for|to|under|before|after|between|when|if|unless|per|as)"
_CLASS_AND_NAME = re.compile(rf"^(?:the|an?|its|their) (?:(?!(?:of|{_PREPOSITION})\b)[a-z][\w-]* ){{1,4}}({_NAME})$")
_CALLED = re.compile(r"^(?:the|an?|one|its|their) (?:[\w'-]+ )+?(?:called|named|known as) ((?:the |an? )?[\w' -]+)$")
_NAME_AND_PLACE = re.compile(rf"^((?:the )?{_NAME}) {_PREPOSITION}\b.*$")
_ASKS_FOR_AN_EVENT = re.compile(r"(?i)\bwhat (?:happens|follows|becomes|is the consequence|\w+ .* do)\b")
_ASKS_FOR_A_THING = re.compile(r"(?i)\b(?:what|which|who|whom|where)\b")


def short_form(question: str, answer: str) -> str:
    """The core of an answer that the question asks for; the answer itself where it has no shorter one."""
    text = _LIMIT.sub("", answer)
    if _HOW_MANY.search(question) and (found := _COUNTED.match(text)):
        return found[0] if is_unit(found[2].split()[-1]) else found[1]
    if "day of the week" in question and (found := _WEEKDAY.search(text)):
        return found[0]
    if _ASKS_FOR_A_THING.search(question) and not _ASKS_FOR_AN_EVENT.search(question):
        for pattern in (_CALLED, _CLASS_AND_NAME, _NAME_AND_PLACE):
            if found := pattern.match(text):
                return found[1]
    return text
