"""Whether a sentence is read whole: every word belongs to a phrase, and the phrases stand where English puts them.

    outline(text)   one letter for each phrase: "the keeper rings a bell if the pump fails" is "nvnsnv"
    whole(text)     whether an outline is that of one clause, with nothing left over

The letters: n noun phrase, v finite verbs, a adjective, p participle, g gerund, t "to" with a verb, b bare verb,
o pronoun, i preposition, w relative, s subordinator, r adverb, c "and", "," comma, x anything else.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from .clauses import Clause
from .english import Token, head_of, is_person, is_plural, lemma, lowered, pattern, readings, tag, words

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


# An adverb that belongs to the condition after it and would be left behind by a question.
_STRANDED = re.compile(
    r"\band so (?:it|they|that)\b|"
    r"\b(?:merely|just|simply|especially|particularly|partly|mainly|largely) (?:because|since|if|when|after)\b"
)

# --- doubt ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def doubtful(text: str, clause: Clause) -> bool:
    """Whether something in a clause speaks against its reading, or it is a heading or note and no sentence."""
    return (
        _disagrees(clause)
        or _compounded(clause)
        or without_article(clause.subject)
        or re.search(
            r"(?i)\b(?:what|of which|of whom)\b|^(?:an?|the) (?:\w+ )?example|^no(?:ne|body|thing)\b", clause.subject
        )
        is not None
        or re.search(r"[a-z]n['\u2019]t\b|['\u2019](?:re|ll|ve)\b", clause.subject) is not None
        or _relative_disagrees(tag(text))
        or _ends_badly(clause.subject)
        or (" whose " in clause.subject and not is_thing(clause.subject))
        or (clause.tense == "VBZ" and clause.verb.endswith("ed"))
        or _STRANDED.search(text) is not None
        or re.search(r"\.\.\.|\u2026", text) is not None  # something is left out, and nobody knows how much
        or _second_verb(tag(text.rstrip(".")))
    )


def _second_verb(tokens: tuple[Token, ...]) -> bool:
    """Whether a text may end in a clause of its own: "opens the gate and the bell rings"."""
    last = tokens[-4:]
    shape = [t.tag for t in last[:3]] == ["CC", "DT", "NN"]
    return shape and len(last) == 4 and "VBZ" in readings(last[3].text)


def _disagrees(clause: Clause) -> bool:
    """Whether subject and verb differ in number: "Changes to the contents of binary files"."""
    verb, subject = (*clause.helpers, clause.verb)[0], lowered(clause.subject)
    head = head_of(subject)
    if head[:1].isupper() and not clause.helpers and readings(clause.verb) & {"NN", "NNS"}:
        several = " and " in subject
        if clause.tense == ("VBZ" if several else "VBP") and not head.endswith("s"):
            return True  # "The STOP command …", with "command" as its verb
    if (
        verb in words("modals")
        or subject.lower() == "there"
        or pattern("<numeral>").search(subject)
        or head[:1].isupper()
    ):
        return False
    if verb in ("are", "were", "have", "do") or (clause.tense == "VBP" and not clause.helpers):
        return not (_has_plural(subject) or is_person(head) or " and " in subject)
    single = subject.split()[0].lower() in ("a", "an", "each", "every", "this", "that", "another")
    if " and " in subject and re.search('[`"\u201c] and ', subject):
        return clause.tense != "VBD"
    return clause.tense != "VBD" and is_plural(subject) and not (single or is_person(head) or subject[0] in '`"\u201c')


def _has_plural(subject: str) -> bool:
    """Whether a noun of the subject, before its first preposition, may be plural."""
    core = pattern(r" <prepositions>\b").split(subject)[0].lower().split()
    some = words("plural_without_s", "determiners") - {"a", "an", "each", "every", "the"}
    return any("NNS" in readings(word) or word in some for word in core)


def _compounded(clause: Clause) -> bool:
    """Whether the verb may be a part of a compound: "the main source control information file"."""
    inner = [p for p in clause.rest if p.text and not p.front]
    if clause.helpers or clause.voice != "active" or not readings(clause.verb) & {"NN", "NNS"}:
        return False
    if inner and re.match(r"(?:that|which|who) ", inner[0].text):
        return True  # "changed text files which are missing a line"
    first, before = clause.subject.split()[0].lower(), clause.subject.split()[-1]
    if clause.tense == "VBZ" and clause.verb not in words("mostly_verbs"):
        # "a list of the releases on one page", "6 more pages"
        within = " of " in clause.subject and bool(inner) and inner[0].kind == "PP"
        return within or (not inner and first not in words("determiners"))
    if clause.tense != "VBP":
        return False
    following = inner[0].text.split()[0].lower() if inner else ""
    led = following in words("determiners", "prepositions", "numbers", "personal") or following[:1].isdigit()
    if clause.subject == first.capitalize() and "VBZ" in readings(first):
        return "NN" in readings(following)  # "Prints help information": a note, whose subject is not said
    plural = "NNS" in readings(before) and lemma(before, "NOUN") != before.lower()  # known as one: not "emacs"
    return not plural and not led


def _ends_badly(subject: str) -> bool:
    """Whether a subject ends in a participle or a word that nobody knows: "any URLs given", "the stanzas somtimes"."""
    tokens = tag(subject)
    if len(tokens) < 3 or tokens[-1].tag == "CD" or not tokens[-1].text.isalpha() or not tokens[-1].text.islower():
        return False
    after_noun = tokens[-2].tag in ("NN", "NNS", "NP")
    known = readings(tokens[-1].text) - {"NNS"} or lemma(tokens[-1].text, "NOUN") != tokens[-1].text
    return after_noun and (tokens[-1].tag in ("VBN", "VBD") or not known)


def without_article(subject: str) -> bool:
    """Whether the subject is one countable thing without an article, as in notes: "package must be built"."""
    if re.match(r"(?:19|20)\d\d [A-Z]", subject):
        return True
    subject = re.sub(r"(?i)^(?:only|at least|at most|even|not) ", "", subject)
    first, head = subject.split()[0].lower(), head_of(subject).lower()
    if (
        first in words("determiners", "numbers", "relatives")
        or not re.fullmatch(r"[a-z-]+", head)
        or _has_plural(subject)
    ):
        return False
    if (
        "'" in subject
        or "\u2019" in subject
        or re.search(r"[a-z] (?:[A-Z][\w-]*|`[^`]*`|\d\S*)$|^[`\"\u201c\d]", subject)
    ):
        return False
    return "NN" in readings(head) and not pattern(r"<mass_endings>$|^<mass>$").search(head)


def _relative_disagrees(tokens: tuple[Token, ...]) -> bool:
    """Whether a relative clause follows a noun that it is not about: "to the script that cause less output"."""
    for before, that, verb in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if that.tag == "REL" and that.low in ("that", "which", "who"):
            wrong = {"NN": ("VBP",), "NNS": ("VBZ",)}.get(before.tag, ())
            helper = {"NN": ("are", "were", "have", "do"), "NNS": ("is", "was", "has", "does")}.get(before.tag, ())
            if (verb.tag in wrong and not is_person(before.text)) or verb.low in helper:
                return True
    return False
