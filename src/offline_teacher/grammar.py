"""Whether a sentence is read whole: every word belongs to a phrase, and the phrases stand where English puts them.

    outline(text)   one letter for each phrase: "the keeper rings a bell if the pump fails" is "nvnsnv"
    whole(text)     whether an outline is that of one clause, with nothing left over

The letters: n noun phrase, v finite verbs, a adjective, p participle, g gerund, t "to" with a verb, b bare verb,
o pronoun, i preposition, w relative, s subordinator, r adverb, c "and", "," comma, x anything else.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from .english import pattern, readings
from .tagging import Token, tag

_LETTERS = {
    "DT": "D", "JJ": "J", "NN": "N", "NNS": "N", "NP": "M", "CD": "C", "PRP": "P", "RB": "R", "IN": "I", "TO": "T",
    "VB": "B", "VBN": "V", "VBG": "G", "MD": "h", "BE": "h", "HV": "h", "DO": "h", "VBZ": "f", "VBP": "f", "VBD": "f",
    "REL": "w", "SUB": "s", "CC": "c", ",": ",",
}  # fmt: skip

_PHRASES = re.compile(
    r"(?P<t>TR*(?:B|hh?V?))"  # to sign, to be signed
    r"|(?P<v>(?:R*h)+R*(?:V(?![NM])|B|G(?![DNM])|V(?=[NM]))?|R*f)"  # must not be signed, signs
    r"|(?P<o>P)"
    r"|(?P<n>D+[JVG](?=R*[hf])"  # a lowering (must)
    r"|D*(?:(?<=D)R)?(?:C?(?:R?[JVG](?:,?c(?=R?[JV]))?|[CNM])*)[NM]+C?|DC?|CC?)"  # the two very old, worn lamps
    r"|(?P<a>R*J)|(?P<p>R*V)|(?P<g>G)|(?P<b>B)|(?P<i>I)|(?P<w>w)|(?P<s>s)|(?P<r>R)|(?P<c>c)|(?P<comma>,)|(?P<x>.)"
)

_NAME = re.compile(r"(?<=[NM]),M+(?:,|$)")  # the warden, Ada Winter
_TIMES = (
    r"(?i)\b(?:(?:each|every|last|next) (?:other |second |third |<count> )?|(?<=\w )(?:an?|per) (?!second))"
    r"(?:<unit>|<months>|<days>)\b"
)

# The grammar of outlines, each rule made of those above it.
_RULES = {
    "NP": r"[no](?:(?:(?:in|p)*,r?n)*(?:in|p)*,?cr?n)?",
    "PP": r"r?i+(?:<NP>|g<NP>?)",
    "PPS": r"<PP>(?:,?c?<PP>)*",
    "PART": r"r?p(?:n?<PPS>?|<INF>)?",  # (lamps) sent to the island
    "INF": r"tr?(?:<NP>|a)?<PPS>?(?:p<PPS>)?",  # to withstand a fire
    "IN_REL": r"(?:<NP>|<PPS>|<PART>|a<PPS>?|r|g<NP>?|<INF>)",
    # that he has seen, by which it was seen, how to see, (the day) it was seen
    "REL": r"(?:(?:w[ra]?|i?w[ra]?(?:[no]<PPS>?))v<IN_REL>*(?:,?cv<IN_REL>*)?|i?w<INF>|ov<IN_REL>*)",
    "POST": r"(?:<PPS>|<PART>|<REL>(?:,?c<REL>)?|<INF>(?:,?c<INF>)?|a<PPS>|g<NP>?<PPS>?)",
    "SUBJECT": r"<NP><POST>*,?",
    "IN_SUB": r"(?:<IN_REL>|<REL>)",
    # if the pump fails, where possible, when seen, before opening the box
    "SUB": r"s(?:[no]<POST>*v<IN_SUB>*(?:i?cv<IN_SUB>*)?|a|<PP>|p<PPS>?|g<NP>?<PPS>?)",
    "REST": r"(?:<NP>(?:,?<REL>)?|<POST>|a<POST>?|ac<IN_REL>|r(?:,?c<PP>)?|,?c?<SUB>|,(?!r)<PART>|,r?<PPS>)",
    "FRONT": r"(?:(?:<SUB>|<PPS><POST>?|<INF>|r),|(?:<PPS>|s<NP>)(?=[no]))",
    "CLAUSE": r"(?:<FRONT>|r)?<SUBJECT>v(?:c[vp])?<REST>*",
    "THING": r"r?<NP><POST>*<SUB>?r?",
}


def _rule(name: str) -> str:
    return re.sub(r"<([A-Z_]+)>", lambda match: f"(?:{_rule(match[1])})", _RULES[name])


@cache
def _outlines(name: str) -> re.Pattern[str]:
    """The pattern of a rule. Compiled when first asked for: that takes half a second."""
    return re.compile(_rule(name))


@lru_cache(maxsize=8192)
def outline(text: str, thing: bool = False) -> str:
    """The phrases of a sentence, a letter each; with `thing`, of a noun phrase, which has verbs in relatives only."""
    text = text.strip().rstrip(".;:?")
    times = [match.span() for match in pattern(_TIMES).finditer(text)]
    tokens = tag(text)
    letters = ""
    for i, t in enumerate(tokens):
        counted = i + 1 < len(tokens) and tokens[i + 1].tag == "CD"
        if counted and t.low == "only":
            continue  # "a house with only one door"
        timed = times and any(start <= t.start < end and not _is(tokens, start, "IN") for start, end in times)
        about = counted and t.low in ("about", "around", "over")
        letters += "R" if timed or about else _LETTERS.get(t.tag, "x")
    letters = re.sub(r"RR+", "R", letters)
    letters = _NAME.sub("", letters)
    if thing and "w" not in letters:
        letters = letters.replace("f", "N").replace("B", "N" if "T" not in letters else "B")
    found = (match.lastgroup or "x" for match in _PHRASES.finditer(letters))
    return "".join("," if name == "comma" else name for name in found)


def _is(tokens: tuple[Token, ...], start: int, tag: str) -> bool:
    """Whether the word before a place in the text is of a class."""
    before = [t for t in tokens if t.end <= start]
    return bool(before) and before[-1].tag == tag


@lru_cache(maxsize=8192)
def whole(text: str) -> bool:
    """Whether an outline is that of one clause, with nothing left over."""
    if re.search(r"cnn|.inn", outline(text)):
        return False  # two things side by side
    return len(found := outline(text)) <= 30 and _outlines("CLAUSE").fullmatch(found) is not None


def is_thing(text: str) -> bool:
    """Whether a text is one noun phrase with what belongs to it: what "What …?" and "Who …?" ask for."""
    first = text.split(" ")[0].lower()
    joined = {"both": " and ", "either": " or ", "neither": " nor "}.get(first, "")
    whole_pair = joined in text or (first == "both" and "NNS" in readings(text.split()[-1]))
    return whole_pair and _outlines("THING").fullmatch(outline(text, True)) is not None
