"""A shallow reading of English sentences: subject, verb group, and the phrases around them.

    parse(sentence)   the main clause
    main_verb()       the finite verb that belongs to no relative or subordinate clause
    front_end()       where an opening adverbial ends ("If the pump fails, …")

What it cannot read gives None, because a wrong reading makes wrong questions.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .english import NOUNS, lemma, words
from .tagging import FINITE, HELPERS, Token, tag

NEGATIONS = frozenset(["not", "never", "no longer"])


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a clause: `kind` is NP, PP (with its preposition), SUB, INF, CL, ADV or ADJ."""

    kind: str
    text: str
    prep: str = ""
    front: bool = False

    @property
    def noun(self) -> str:
        """The phrase without its preposition."""
        return self.text[len(self.prep) :].strip() if self.prep else self.text


@dataclass(frozen=True, slots=True)
class Clause:
    """Subject, verb group and the phrases after (or, with `front`, before) them."""

    subject: str
    helpers: tuple[str, ...]
    adverbs: tuple[str, ...]
    verb: str
    tense: str
    voice: str  # active, passive or copula
    rest: tuple[Phrase, ...]

    @property
    def inner(self) -> tuple[Phrase, ...]:
        """The phrases after the verb."""
        return tuple(p for p in self.rest if not p.front)

    @property
    def modal(self) -> str:
        """ "must", "may" and the like, where the verb group begins with one."""
        return self.helpers[0] if self.helpers and self.helpers[0] in words("modals") else ""

    @property
    def negated(self) -> bool:
        return bool(NEGATIONS & set(self.adverbs)) or self.subject.lower().startswith(("no ", "neither "))

    @property
    def predicate(self) -> str:
        """The clause without its subject, as it stood."""
        texts = [p.text for p in self.inner]
        return " ".join([*self.helpers[:1], *self.adverbs, *self.helpers[1:], self.verb, *texts]).strip()


@lru_cache(maxsize=8192)
def parse(sentence: str) -> Clause | None:
    """The main clause of a sentence, or None where it has no subject and finite verb that the rules can find."""
    text = sentence.strip().rstrip(".;:")
    tokens = tag(text)
    at = front_end(tokens)
    if tokens and tokens[0].tag == "SUB" and tokens[0].low in words("prepositions") and not at:
        tokens = (tokens[0]._replace(tag="IN"), *tokens[1:])
        at = front_end(tokens)
    start = at + 1 if at and tokens[at].tag == "," else at
    main = main_verb(tokens, start)
    if main is None or main <= start:
        return None
    end = main
    while end - 1 > start and tokens[end - 1].tag == "RB" and " " not in tokens[end - 1].text:
        end -= 1  # "a branch also keeps": the adverb is not the subject's
    subject = text[tokens[start].start : tokens[end - 1].end].strip(" ,")
    if tokens[end - 1].tag == "," and subject.count(",") == 1:  # the comma that closes an apposition
        subject += ","
    group = _verb_group(tokens, main)
    if group is None:
        return None
    helpers, adverbs, verb, tense, voice, after = group
    front = (_front(text, tokens[:at]),) if at else ()
    adverbs = [*(t.low for t in tokens[end:main]), *adverbs]
    return Clause(subject, tuple(helpers), tuple(adverbs), verb, tense, voice, (*front, *phrases(text, tokens, after)))


def _verb_group(tokens: Sequence[Token], start: int) -> tuple[list[str], list[str], str, str, str, int] | None:
    """Helpers, adverbs, verb, its form, the voice, and where the verb group ends."""
    helpers: list[str] = []
    adverbs: list[str] = []
    i = start
    while i < len(tokens) and (tokens[i].tag in (*HELPERS, "RB") or tokens[i].low == "not"):
        (adverbs if tokens[i].tag == "RB" else helpers).append(tokens[i].low)
        i += 1
    voice, low, form = "active", tokens[i].low if i < len(tokens) else "", tokens[i].tag if i < len(tokens) else ""
    to_verb = [t.tag for t in tokens[i + 1 : i + 3]] in (["TO", "VB"], ["TO", "BE"])
    is_before = bool(helpers) and helpers[-1] in words("be")
    if is_before and to_verb and low in words("required", "able"):
        helpers += [low, "to"]
        verb, tense, i = tokens[i + 2].low, "VB", i + 3
    elif form in ("VB", "VBZ", "VBP", "VBD", "VBN", "VBG"):
        verb, tense, i = low, form, i + 1
        voice = "passive" if is_before and form == "VBN" else "active"
    elif is_before:
        voice, verb = "copula", helpers.pop()
        tense = "VBD" if verb in ("was", "were") else "VBZ"
        while adverbs and i > start + 1 and tokens[i - 1].tag == "RB" and adverbs[-1] not in ("not", "never", "always"):
            adverbs.pop()
            i -= 1
    elif helpers and helpers[-1] in words("have"):
        verb = helpers.pop()
        tense = {"had": "VBD", "has": "VBZ"}.get(verb, "VBP")
    else:
        return None
    particle = voice != "copula" and i < len(tokens) and tokens[i].low in words("particles")
    if particle and (i + 1 == len(tokens) or tokens[i + 1].tag in ("DT", "IN", "REL")):
        verb, i = f"{verb} {tokens[i].low}", i + 1
    return helpers, adverbs, verb, tense, voice, i


def _front(text: str, tokens: Sequence[Token]) -> Phrase:
    opening, first = text[tokens[0].start : tokens[-1].end], tokens[0]
    kind = {"SUB": "SUB", "IN": "PP", "TO": "INF"}.get(first.tag, "ADV")
    return Phrase(kind, opening[0].lower() + opening[1:], first.low if kind == "PP" else "", True)


def front_end(tokens: Sequence[Token]) -> int:
    """Where the opening adverbial ends (the index of its comma, or of the subject's determiner), or 0."""
    if not tokens or not (tokens[0].tag in ("SUB", "IN", "TO", "RB") or tokens[0].low in ("each", "every", "last")):
        return 0
    for i, token in enumerate(tokens):
        series = token.tag == "," and tokens[i - 1].tag == tokens[min(i + 1, len(tokens) - 1)].tag
        if series and tokens[i - 1].tag in ("VBN", "VBG", "JJ"):
            continue  # "if the box is moved, opened or lost, …"
        if token.tag == "," and main_verb(tokens, i + 1) is not None:
            finite = main_verb(tokens[:i], 1) is not None
            if tokens[1].tag == "VBG" or finite == (tokens[0].tag == "SUB"):
                return i
    if len(tokens) > 3 and tokens[1].low in ("year", "month", "week", "day") and main_verb(tokens, 2) not in (None, 2):
        return 2
    if tokens[0].tag == "IN":
        for i in range(3, len(tokens) - 2):
            if tokens[i].tag == "DT" and tokens[i - 1].tag in ("NN", "NNS") and main_verb(tokens, i) is not None:
                return i
    return 0


def main_verb(tokens: Sequence[Token], start: int) -> int | None:
    """The index of the first finite verb that belongs to no relative or subordinate clause."""
    pending, held, related = 0, False, False
    for i in range(start, len(tokens)):
        name = tokens[i].tag
        if name in ("REL", "SUB"):
            pending += 1
        elif name in FINITE:
            if held or tokens[i].low in ("be", "been", "being"):
                continue
            if not pending:
                again = any(t.tag in ("MD", "BE", "HV", "VBZ") for t in tokens[i + 2 : i + 8])
                if tokens[i - 1].tag == "CC" and related and again:
                    continue  # "a client who is ill or is abroad must …"
                return i
            pending, related = pending - 1, True
            held = name in HELPERS
            continue
        if held and name not in ("RB", "BE", "HV"):
            held = False
    return None


def phrases(text: str, tokens: Sequence[Token], start: int) -> tuple[Phrase, ...]:
    """What follows the verb, cut where a new object, prepositional phrase or subordinate clause begins."""
    cuts: list[tuple[int, str]] = []
    for i in range(start, len(tokens)):
        kind = _begins(tokens, i, start, [kind for _, kind in cuts])
        if kind:
            cuts.append((i, kind))
        if kind in ("SUB", "INF") or tokens[i].tag == "REL":
            break
    found = []
    for (begin, kind), (end, _) in itertools.pairwise([*cuts, (len(tokens), "")]):
        prep = ""
        if kind == "PP":
            lead = begin if tokens[begin].tag == "IN" else begin + 1
            prep = text[tokens[begin].start : tokens[lead].end]
        found.append(Phrase(kind, text[tokens[begin].start : tokens[end - 1].end].strip(" ,"), prep))
    return tuple(found)


def _begins(tokens: Sequence[Token], i: int, start: int, kinds: Sequence[str]) -> str:
    """The kind of phrase that begins with a token, or ""; `kinds` are those of the phrases before it."""
    name, low, before = tokens[i].tag, tokens[i].low, tokens[i - 1].tag if i > start else ""
    after = tokens[i + 1] if i + 1 < len(tokens) else Token(".", ".", 0, 0)
    nouns = (*NOUNS, "NP")
    if name == "SUB":
        return "SUB"
    if name == "REL":
        return "" if kinds else "CL"
    if name == "TO" and before != "IN":
        return "INF"
    if name == "IN" and after.tag == "REL" and kinds:
        return ""  # "a box into which they put the rope"
    if name == "IN" and before not in ("IN", "CC"):
        if low in ("as", "about", "between"):
            return "PP" if before not in (*nouns, "JJ", "RB") else ""
        after_adverb = kinds[-1:] == ["ADV"] and tokens[i - 1].low != "by default"  # "carried by hand to the office"
        if low not in ("of", "than", "per") and (before != "RB" or (low in ("to", "by") and after_adverb)):
            return "PP"
    if low in ("a", "an", "per", "each", "every") and tokens[i - 1].low in ("once", "twice", "times", "time"):
        return ""  # "twice a year"
    counts = name == "CD" and {"times", "time"} & {t.low for t in tokens[i + 1 : i + 3]}
    if counts and i > start and before not in ("IN", "CD"):
        return "ADV"  # "at most three times", but not "at one time"
    if name == "RB" and after.tag in ("VBN", "JJ") and before in nouns and kinds:
        return ""  # "a stanza possibly surrounded by a line"
    if name == "RB" and before not in ("IN", "DT", "CC") and low != "not" and after.low != "of":
        return "PP" if after.tag == "IN" and " " not in low else "ADV"
    if low in ("every", "each", "once", "twice") and before in (*nouns, "VBN", "RB", "CD"):
        return "ADV"
    if name == "CD" and before in nouns and lemma(tokens[start - 1].text) in words("two_objects"):
        return "NP"
    if not kinds and low == "of":
        return "PP"  # "consists of"
    if not kinds:
        return "ADJ" if name in ("JJ", "VBN") else "NP"
    if kinds[-1] == "ADV" and before == "RB" and name not in (",", "CC"):
        return "ADJ" if name == "JJ" else "NP"
    return ""
