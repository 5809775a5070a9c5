"""Whether a sentence is read whole: every word belongs to a phrase, and the phrases stand where English puts them.

    outline(text)   one letter for each phrase: "the keeper rings a bell if the pump fails" is "nvnsnv"
    whole(text)     whether an outline is that of one clause, with nothing left over

The grammar of outlines is in english.yaml. Their letters: n noun phrase, v finite verbs, a adjective, p participle,
g gerund, t "to" with a verb, b bare verb, o pronoun, i preposition, w relative, s subordinator, r adverb, c "and",
"," comma, x anything else.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .english import pattern, readings
from .tagging import tag

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


@lru_cache(maxsize=8192)
def outline(text: str, thing: bool = False) -> str:
    """The phrases of a sentence, a letter each; with `thing`, of a noun phrase, which has verbs in relatives only."""
    text = text.strip().rstrip(".;:?")
    tokens, letters = tag(text), ""
    spans = (match.span() for match in pattern(r"(?i)\b<adverbial_time>\b").finditer(text))
    times = [(start, end) for start, end in spans if [t.tag for t in tokens if t.end <= start][-1:] != ["IN"]]
    for i, t in enumerate(tokens):
        counted = i + 1 < len(tokens) and tokens[i + 1].tag == "CD"
        if counted and t.low == "only":
            continue  # "a house with only one door"
        timed = any(start <= t.start < end for start, end in times)
        about = counted and t.low in ("about", "around", "over")
        letters += "R" if timed or about else _LETTERS.get(t.tag, "x")
    letters = _NAME.sub("", re.sub(r"RR+", "R", letters))
    if thing and "w" not in letters:
        letters = letters.replace("f", "N").replace("B", "N" if "T" not in letters else "B")
    found = (match.lastgroup or "x" for match in _PHRASES.finditer(letters))
    return "".join("," if name == "comma" else name for name in found)


@lru_cache(maxsize=8192)
def whole(text: str) -> bool:
    """Whether an outline is that of one clause, with nothing left over."""
    found, two_things = outline(text), "cnn|.inn"  # side by side
    return len(found) <= 30 and not re.search(two_things, found) and pattern("<clause>").fullmatch(found) is not None


def is_thing(text: str) -> bool:
    """Whether a text is one noun phrase with what belongs to it: what "What …?" and "Who …?" ask for."""
    first = text.split(" ")[0].lower()
    joined = {"both": " and ", "either": " or ", "neither": " nor "}.get(first, "")
    whole_pair = joined in text or (first == "both" and "NNS" in readings(text.split()[-1]))
    return whole_pair and pattern("<thing>").fullmatch(outline(text, True)) is not None
