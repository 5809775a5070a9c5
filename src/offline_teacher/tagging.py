"""The class of every word of a sentence, and what a noun phrase is about.

    tag(sentence)           words with their classes
    head_of(), is_plural()  about a noun phrase

The classes that lemminflect leaves open are decided by the words around, as they are used in plain expository prose.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from .english import NOUNS, data, is_person, pattern, readings, words

FINITE = ("MD", "BE", "HV", "DO", "VBZ", "VBP", "VBD")
HELPERS = ("MD", "BE", "HV", "DO")
_NOUNS = (*NOUNS, "NP")


class Token(NamedTuple):
    """One word with its class (Penn-like: NN, NNS, NP, JJ, VBZ, …) and its place in the sentence."""

    text: str
    tag: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower()


@lru_cache(maxsize=8192)
def tag(sentence: str) -> tuple[Token, ...]:
    """The words of a sentence with their classes; `cannot` becomes two."""
    if sentence.endswith(".") and not sentence.endswith(".."):  # the same words, whether the full stop is there or not
        return (*tag(sentence[:-1]), Token(".", ".", len(sentence) - 1, len(sentence)))
    small = sentence.lower()  # the pattern is in small letters: it is much faster so
    found = pattern("<word>").finditer(small if len(small) == len(sentence) else sentence)
    spans = [match.span() for match in found]
    line = [sentence[start:end] for start, end in spans]
    tokens: list[Token] = []
    pending, main = 0, False  # relative clauses that still wait for their verb; whether the clause has its verb
    for i, (start, end) in enumerate(spans):
        before = tokens[-1].tag if tokens else ""
        kind = _joining(line, i, before) or _fixed(line[i], i == 0) or _by_context(line, i, tokens, pending, main)
        if kind in ("REL", "SUB"):
            pending, main = pending + 1, main if kind == "REL" else False
        elif kind in FINITE and before not in (*HELPERS, "RB"):
            pending, main = max(0, pending - 1), main or not pending
        elif kind in (",", ";", ":", "CC"):
            main = False
        tokens.append(Token(line[i], kind, start, end))
    return tuple(tokens)


def _joining(line: Sequence[str], i: int, before: str) -> str | None:
    """The class of a word that joins clauses or phrases ("that", "which", "to", "before"), from its neighbours."""
    low = line[i].lower()
    if low not in words("relatives", "question_words", "subordinators", "prepositions", "approximate", "joining"):
        return None
    following = _next(line, i).lower()
    if low in words("relatives") and before in (*_NOUNS, ",", "CD", "VBG", "PRP", "CC", "IN", "JJ"):
        return "DT" if low == "that" and before in ("IN", ",", "CC") else "REL"
    if low == "that":
        return "REL" if before.startswith("VB") else "DT"
    if low in ("who", "which", "how", "why", "whether", "what") and not (low == "what" and before == ""):
        return "REL"
    if low == "to":
        verb = "VB" in readings(following) and line[i + 1].islower()
        return "TO" if verb and following not in words("determiners") and not is_person(following) else "IN"
    if low in words("approximate") and _fixed(following, False) == "CD":
        return "CD"  # "about 100 bytes" is an amount
    if low == "once" and following in ("a", "an", "per", "each", "every"):
        return "RB"
    noun = before == "DT" and low in ("outside", "inside", "above", "below")
    if low in words("subordinators", "prepositions") and not noun:
        sure = low not in words("prepositions") and low != "once"
        return "SUB" if low in words("subordinators") and (sure or _clause_follows(line, i + 1)) else "IN"
    if low in ("all", "both", "each") and before in ("MD", "BE", "HV") and following not in words("determiners"):
        return "RB"
    return "VBZ" if low == "means" and before == "NN" and following in words("determiners") else None


def _next(line: Sequence[str], i: int) -> str:
    return line[i + 1] if i + 1 < len(line) else "."


@lru_cache(maxsize=50_000)
def _fixed(word: str, first: bool) -> str | None:
    """The class of a word that needs no context."""
    low = word.lower()
    if " " in word and word[0].isalpha():
        return next((str(kind) for kind, fixed in data()["fixed_phrases"].items() if re.fullmatch(fixed, low)), "CD")
    if not word[0].isalnum():
        return "NN" if len(word) > 2 else word
    if word[0].isdigit() or low in words("numbers") or low == "half":
        return "CD"
    named = word[0].isupper() and not first
    listed: dict[str, str] = data()["classes"]
    for kind, members in listed.items():
        if low in words(members) and not (named and kind == "MD"):
            return kind
    if named:
        return "NP"
    return "RB" if low in words("adverbs") else None


def _clause_follows(line: Sequence[str], start: int) -> bool:
    """Whether a verb stands before the next comma: "before it is opened", but not "before the visit"."""
    for n, text in enumerate(line[start:]):
        low = text.lower()
        if low in ",;:." or low in words("relatives") or (n and low in ("if", "when", "unless", "because")):
            return False
        plain = readings(low) & {"VBZ", "VBD"} and not readings(low) & {*NOUNS, "JJ", "VBN"}
        if plain or (low in words("modals", "be", "have", "do", "subject_pronouns") and low != "being"):
            return True
    return False


def _strong_verb_follows(line: Sequence[str], start: int) -> bool:
    """Whether a finite verb that is nothing else comes before the clause ends, outside relative clauses."""
    pending = 0
    for i in range(start, len(line)):
        low = line[i].lower()
        if low in (",", ";", ":", ".", "and", "or", "but"):
            return False
        if low in words("subordinators") and (low not in words("prepositions") or _clause_follows(line, i + 1)):
            return False
        if low in words("relatives", "question_words"):
            pending += 1
        if low in words("prepositions", "determiners", "personal", "adverbs", "nonfinite") or line[i][0].isupper():
            continue
        forms, leads = readings(low), _next(line, i).lower() in ("a", "an", "the")
        leads = leads and "VBZ" in forms and line[i - 1].lower() not in words("determiners")
        plain = forms & {"VBZ", "VBP", "VBD"} and (leads or not forms & {*NOUNS, "JJ", "VBN"})
        if plain or low in words("modals", "be", "have"):
            if not pending:
                return True
            pending -= 1
    return False


@lru_cache(maxsize=50_000)
def _may_be_noun(word: str) -> bool:
    """Whether a word may be a noun, and is none of the small words."""
    small = word.lower() in words("relatives", "prepositions", "subordinators")
    return not small and bool(readings(word) & NOUNS) and _fixed(word, False) in (None, "NP")


def _by_context(line: Sequence[str], i: int, tokens: Sequence[Token], pending: int, main: bool) -> str:
    """The class of an ordinary word, from its possible readings and the words before and after it."""
    forms, following = readings(line[i]), _next(line, i)
    before = tokens[-1].tag if tokens else ""
    can_be_noun = bool(forms & NOUNS) or not forms
    nominal = "NNS" if "NNS" in forms else "NN"
    noun_follows = _may_be_noun(following)
    adverb = "RB" in forms and (line[i].lower().endswith("ly") or forms == {"RB"})
    if adverb and before != "DT" and not ("JJ" in forms and noun_follows):
        return "RB"
    context = next((t.tag for t in reversed(tokens) if t.tag != "RB"), before)
    if tokens and tokens[-1].text.endswith(("'s", "\u2019s", "s'")):
        context = "DT"
    if context in ("MD", "TO") or (context == "DO" and "VB" in forms):
        return "VB" if "VB" in forms else nominal
    if context == "BE" and "JJ" in forms and "VBN" not in forms and not noun_follows:
        return "JJ"
    if context in ("BE", "HV") and "VBN" in forms:
        return "VBN"
    if context in ("DT", "JJ", "CD", "IN", "BE", "HV", "") or line[i][0] in '"\u201c':
        return _nominal(line, i, context, before, noun_follows)
    if "VBN" in forms and following.lower() == "as":
        return "VBN"
    if "VBN" in forms and "VBZ" not in forms and following.lower() == "by" and context in _NOUNS:
        return "VBN"  # "a document issued by a state"
    due = (pending or not main) and context in (*_NOUNS, "REL", "PRP", "RB", "VBN", "VBG", "CC", ")", ",", "CD")
    if due and (finite := _finite(line, i, tokens, pending, context)):
        return finite
    if "VBN" in forms and context in (*_NOUNS, "CC", ",", "VBN", "JJ") and "NN" not in forms:
        return "VBN"
    if "VBG" in forms and "NN" not in forms:
        return "VBG"
    if context == "CC" and "VB" in forms and following.lower() in words("determiners") and not main:
        return "VB"
    if "JJ" in forms and (noun_follows or not can_be_noun):
        return "JJ"
    if can_be_noun:
        return nominal
    return "RB" if "RB" in forms else "VBN" if "VBN" in forms else nominal


def _nominal(line: Sequence[str], i: int, context: str, before: str, noun_follows: bool) -> str:
    """The class of a word where a noun phrase or an adjective is due: after a determiner, a preposition or "is"."""
    forms, following = readings(line[i]), _next(line, i)
    nominal = "NNS" if "NNS" in forms else "NN"
    if context == "IN" and "VBG" in forms and (following.lower() in words("determiners") or "NN" not in forms):
        return "VBG"
    if noun_follows and "NN" in forms and "VBZ" in readings(following) and before != "CD":
        noun_follows = _strong_verb_follows(line, i + 2)  # "of signatory takes effect", "the whole records are"
    can_be_noun = bool(forms & NOUNS) or not forms
    if "JJ" in forms and (noun_follows or not can_be_noun):
        return "JJ"
    if can_be_noun:
        order = context == "" and "VB" in forms and following.lower() in words("determiners", "prepositions")
        return "VB" if order and not _strong_verb_follows(line, i + 1) else nominal  # but "Access to files is given"
    if forms & {"VBN", "VBG"}:
        return "VBN" if context == "" or following.lower() in words("prepositions") else "JJ"
    return "RB" if "RB" in forms else nominal


def _plural_joined(line: Sequence[str], i: int) -> bool:
    """Whether another plural noun is joined to a word, and then a verb follows that is theirs."""
    joint, other, verb = [*line[i + 1 : i + 4], "", "", ""][:3]
    return joint in ("and", "or") and "NNS" in readings(other) and verb.lower() in words("modals", "be")


def _back_to(tokens: Sequence[Token], *ends: str) -> Iterator[Token]:
    """The words before, from the last one back to a word of such a class."""
    return itertools.takewhile(lambda token: token.tag not in ends, reversed(tokens))


def _finite(line: Sequence[str], i: int, tokens: Sequence[Token], pending: int, context: str) -> str:
    """The finite form that a word is after a noun, or "" where it is rather a noun or a participle."""
    forms, named = readings(line[i]), _next(line, i)[0].isupper() or _next(line, i)[0] == "`"
    following = _next(line, i).lower()
    found = next((form for form in ("VBZ", "VBD", "VBP") if form in forms), "")
    can_be_noun = bool(forms & NOUNS) and line[i].lower() not in words("mostly_verbs")
    only_verb = not can_be_noun and "JJ" not in forms
    if not found or (context == "," and following not in words("determiners", "personal")):
        return ""
    if can_be_noun and following in words("modals", "be", "have", "do"):
        return ""  # "maintainer scripts must …"
    ends = can_be_noun and following == "." and context in ("NN", "JJ") and not pending
    if ends and any(t.tag in FINITE for t in _back_to(tokens, "SUB")):
        return ""  # "scrap yards and car washes."
    if context == "CC" and found == "VBZ" and named and any(t.tag == "VBZ" for t in tokens):
        return found  # "stops the pump and returns E_STOP"
    if found == "VBZ" and "NNS" in forms and _plural_joined(line, i):
        return ""  # "the process that is doing queries and updates will …"
    if context == "CC" and following not in words("determiners", "personal"):
        twin = len(tokens) > 2 and tokens[-2].tag == found and following[:1].isdigit()
        if twin and tokens[-3].tag == "REL":
            return found  # "owns or controls 20 per cent"
        prepositional = following in words("prepositions") or following[:1].isdigit()
        if not following.endswith("ly") and (can_be_noun or not prepositional):
            return ""  # "and reports directly to the Board"
    if found == "VBP":
        clause = _back_to(tokens, ",", "CC", "REL", "SUB", ";", ":")
        plural = any(t.tag == "NNS" or t.low in words("plural_without_s") for t in clause)
        if not (plural or only_verb or context in ("REL", "PRP", "NP", "RB")):
            return ""
        if "NN" in forms and context != "NNS" and following in (",", "."):
            return ""
    ends = found == "VBD" and "VBN" in forms and following in (",", ".", "and") and not pending
    if ends and any(t.tag in FINITE for t in _back_to(tokens, "SUB", ";")):
        return ""  # "contains the record of the method used, …"
    if found == "VBZ" and context == "NNS" and "NNS" in forms and not (pending or following in ("a", "an", "the")):
        return ""  # "operations teams": a plural takes no "teams" as its verb
    certain = only_verb and "VBD" not in forms
    return found if pending or certain or not _strong_verb_follows(line, i + 1) else ""


# --- noun phrases ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def head_of(noun: str) -> str:
    """The head noun: the last word before the first preposition, participle or relative clause."""
    tokens = tag("the " + noun if not re.match(r"(?i)(the|an?|every|each|any|no|all) ", noun) else noun)
    head = ""
    for token, after in zip(tokens, [*tokens[1:], Token(".", ".", 0, 0)], strict=True):
        if token.tag in ("VBZ", "VBP") and readings(token.text) & NOUNS and after.tag in (".", "IN", "REL", ","):
            head = token.text  # "maintainer scripts": alone, the second noun looks like a verb
            continue
        if token.tag in ("VBN", "VBG") and after.tag in ("NN", "NNS", "JJ"):
            continue
        if token.tag in ("IN", "REL", "VBN", "VBG", ",", "TO", ":", "SUB", "VBZ", "VBP", "VBD", "(") and head:
            break
        if token.tag in (*_NOUNS, "CD", "VB"):
            head = token.text
    return head


@lru_cache(maxsize=20_000)
def is_plural(noun: str) -> bool:
    """Whether a noun phrase is plural, by its head or by a coordination."""
    head = head_of(noun)
    if head in words("plural_without_s") or noun.lower().startswith(("these ", "those ", "both ", "several ", "many ")):
        return True
    if re.match(r"(?i)all [\w-]+ (?:[\w-]+ )?\w+s\b", noun):
        return True
    core = re.split(r" (?:of|in|for|with|from|who|which|that|at|on|to) |,", noun)[0]
    if " and " in core:
        return not head[0:1].isupper()
    if head[0:1].isupper() or "NNS" not in readings(head):
        return False
    return "NN" not in readings(head)
