"""A shallow reading of English sentences: subject, verb group, and the phrases around them.

    parse(sentence)   the main clause
    main_verb()       the finite verb that belongs to no relative or subordinate clause
    front_end()       where an opening adverbial ends ("If the pump fails, …")
    readable(clause)  whether the clause looks rightly read
    joined()          phrases that belong together: "the Document Laboratory in Marrowgate"
    timed()           whether a phrase tells a time, and the words that ask for it
    asked_for()       the words that ask for a person or thing: "who", "which form", "what"

What it cannot read gives None, because a wrong reading makes wrong questions.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from .english import FINITE, HELPERS, Token, data, head_of, is_person, is_plural, lemma, pattern, readings, tag, words

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
    def negated(self) -> bool:
        return bool(NEGATIONS & set(self.adverbs)) or self.subject.lower().startswith(("no ", "neither "))

    @property
    def predicate(self) -> str:
        """The clause without its subject, as it stood."""
        inner = [p.text for p in self.rest if not p.front]
        return " ".join([*self.helpers[:1], *self.adverbs, *self.helpers[1:], self.verb, *inner]).strip()


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
    nouns = ("NN", "NNS", "NP")
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
    if (
        name == "CD"
        and i > start
        and before not in ("IN", "CD")
        and {"times", "time"} & {t.low for t in tokens[i + 1 : i + 3]}
    ):
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


def readable(clause: Clause) -> bool:
    """Whether a clause looks rightly read: its subject begins and ends like one, and it says all that it depends on."""
    pronouns = words("personal") - {"there"}
    fronted = {(p.text + " x").split()[1] for p in clause.rest if p.front and p.kind == "SUB"}
    return (
        clause.subject.lower() not in pronouns
        and not fronted & pronouns
        and _begins_well(clause.subject)
        and _ends_well(clause.subject.lower().split())
        and not _depends(clause)
        and not _misread(clause)
    )


def _begins_well(subject: str) -> bool:
    """Whether a subject begins like one: not "others", "if …", "given …", nor like a note or an order."""
    first, second = [*subject.lower().split(), ""][:2]
    forms = readings(first)
    if not second and first in words("determiners") | {"one", "others", "none"}:
        return False  # "others are scripts": which?
    opening = words("subordinators", "question_words", "no_subject", "prepositions") | {"not"}
    negated = first == "not" and second in ("every", "all")  # "Not every client can …"
    if negated or pattern("<numeral>").match(subject):
        return True  # "not more than two lamps"
    if first in opening:
        return False
    if "VBZ" in forms and second in words("numbers") | {"a", "an", "the", "all", "any", "about"}:
        return False  # "Adds a second lamp": a note, whose subject is not said
    if forms and forms <= {"VB", "VBP", "VBD", "VBN"}:
        return False  # an order, or half a compound: "Discourage bundling …", "include files"
    return first in words("determiners") or not forms or not forms <= {"VBN", "VBG", "RB"}


def _ends_well(subject: Sequence[str]) -> bool:
    """Whether a subject of a fair length ends in a noun, and no clause is inside."""
    last = subject[-1].strip(",")
    dangling = words("personal", "prepositions", "determiners") | {"and", "or", "but", "that", "which", "who"}
    if any(a in ("and", "or") and b in words("prepositions") for a, b in itertools.pairwise(subject)):
        return False  # "the care of lamps and in return", of "… and in return receive oil"
    if len(subject) > 16 or last in dangling - {"all", "there"} or {"if", "when", "because", "unless"} & set(subject):
        return False
    known = last.isalpha() and last not in words("numbers") and readings(last)
    adjective = known and known <= {"JJ", "RB"}
    return not adjective or len(subject) < 3 or subject[-2] == "or"  # "lamps for a specific", "85 per cent or higher"


def _depends(clause: Clause) -> bool:
    """Whether a clause hangs on what it does not say: "somehow", "whatever", and "would" without a condition."""
    said = {word for p in clause.rest for word in p.text.lower().split()} | set(clause.subject.lower().split())
    hedged = any(p.front and p.kind == "ADV" and p.text.lower() in words("hedges") for p in clause.rest)
    assumed = clause.helpers[:1] in (("would",), ("might",)) and not any(p.kind == "SUB" for p in clause.rest)
    turned = any(p.kind == "SUB" and not p.front and " but " in p.text for p in clause.rest)
    return hedged or assumed or turned or bool({"whatever", "whichever", "whoever"} & said)


@cache
def _second_verbs() -> tuple[frozenset[str], frozenset[str]]:
    """Words that are surely verbs, and those that may bring a second verb into a phrase."""
    finite = words("modals") | {"is", "are", "was", "were", "has"}
    return finite, words("relatives", "subordinators", "question_words", "personal") | {"and", "or", "but", "as"}


def _misread(clause: Clause) -> bool:
    """Whether the verb is surely not the verb: it does not agree, or a second one follows with nothing to join them."""
    finite, joins = _second_verbs()
    for p in clause.rest:
        inner = p.noun.split()  # as it stands: "3 May" has no second verb
        second = next((i for i, word in enumerate(inner) if word in finite), 0)
        second = second or next((i for i in range(len(inner) - 1) if inner[i : i + 2] == ["need", "not"]), 0)
        if p.kind in ("NP", "PP", "ADJ", "ADV") and second and not joins & set(inner[:second]):
            return True
    subject, head = clause.subject, head_of(clause.subject)
    after = next((p for p in clause.rest if not p.front), None)
    first, then = [*(after.text if after and after.kind == "ADJ" else "").split(), "", ""][:2]
    past = "VBN" in readings(first) and (not then or then in words("prepositions") | {"to"})
    if past and clause.voice == "active" and lemma(clause.verb) not in words("linking", "have"):
        return True  # "extra flags passed to the tool", with "flags" as its verb
    late = any(finite & {*p.text.split()} and not joins - {"and"} & {*p.text.split()} for p in clause.rest[:1])
    if late and not clause.helpers and "VBN" in readings(clause.verb):
        return True  # "the large and small embedded lamps and the bell must …", with "embedded" as its verb
    if clause.helpers or clause.voice != "active":
        verb = (*clause.helpers, clause.verb)[0]
        return verb in ("are", "were") and subject.startswith("`") and "," not in subject
    if clause.tense == "VBZ":
        return head.islower() and "NNS" in readings(head) and not readings(head) & {"NN", "VBZ"}
    bare = is_plural(subject) and subject.split()[0].lower() not in words("determiners")
    participle = clause.tense == "VBD" and "VBN" in readings(clause.verb) and after and after.kind != "NP"
    told = ("by", "to", "with", "for", "as", "from", "of")
    return bool(participle and after and (bare or after.prep in told))  # "directories removed by the script"


# --- what a phrase asks for ------------------------------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def timed(text: str) -> dict[str, Any] | None:
    """For a phrase of time, its row of the table `times`, filled in."""
    low = text.lower()
    for row in data()["times"]:
        if pattern(rf"(?i:{row['pattern']})").match(low):
            unit = pattern(r"<amount> (<unit>)\b").search(low)
            fill = {"prep": low.split()[0], "unit": unit[1].rstrip("s") + "s" if unit else ""}
            return {
                "kind": row["kind"],
                "cleft": row.get("cleft", ""),
                "training": [word.format(**fill) for word in row["training"]],
                "exam": [word.format(**fill) for word in row["exam"]],
            }
    return None


def joined(rest: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Join "in …" and the like to the noun phrase before: "the Document Laboratory in Marrowgate"."""
    out: list[Phrase] = []
    for p in rest:
        last = out[-1] if out and out[-1].text and not out[-1].front else None
        led = last.noun.split()[:1] if last is not None and last.prep and p.kind == "PP" else []
        if last is not None and led and led[0].endswith("ing") and "VBG" in readings(led[0]) and not timed(p.text):
            out[-1] = replace(last, text=f"{last.text} {p.text}")  # "by adding a line to the file"
            continue
        if last is not None and (_belongs(p, last) or _goes_on(p, last)):
            out[-1] = replace(last, text=f"{last.text} {p.text}")
        else:
            out.append(p)
    return tuple(out)


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
    tokens = tag("the " + text)
    gerund = len(tokens) > 1 and tokens[-1].low.endswith("ing") and "VBG" in readings(tokens[-1].text)
    if gerund and tokens[-2].tag in ("IN", "SUB"):
        return True  # "before installing" into a folder
    if gerund and tokens[-2].tag == "NNS":
        return True  # "programs acting" on a package
    return (
        len(tokens) > 2
        and (tokens[-1].tag in ("VBN", "VBG", "VBD") or (tokens[-1].tag == "JJ" and tokens[-1].low.endswith("ed")))
        and (tokens[-2].tag in ("NN", "NNS", "NP", "RB", "CC", ",") or "NNS" in readings(tokens[-2].text))
    )


@lru_cache(maxsize=20_000)
def kind_of(noun: str) -> str:
    """The common noun that classes a name: "form" in "Form K-10", "archive system" in "the archive system Alder"."""
    for form in (
        r"(?:(?:the|an?|its|their) )?((?:[a-z-]+ )*?[a-z-]+),? (?:called|named|known as) (?!(?:by|in|after|for|to)\b)",
        r"(?:[A-Z][\w.-]* )+([a-z]+) \d[\w.]*$",
        r"(?:the |an? )?([A-Za-z]+(?: [a-z]+)?) (?:[A-Z]+-?\d[\w-]*)$",
        r"the ((?:[a-z-]+ ){0,2}[a-z-]+) (?:[A-Z][\w-]*[a-z\d][\w-]*|(?<=letters )[A-Z]+)(?: [A-Z][\w-]*)*$",
    ):
        found = re.match(form, noun)
        if found and not set(found[1].split()) & words("prepositions", "determiners"):
            return found[1].lower().removeprefix("own ")
    name = r"(?:[A-Z][\w'\u2019-]*|of|and|for)"
    if re.fullmatch(rf"(?:the |an? ){name}(?: {name})*", noun) and len(noun.split()) > 2:
        head = re.split(r" of | for ", noun)[0].split()[-1]
        if "NN" in readings(head):
            return head.lower()
    return ""


def _indefinite(noun: str) -> bool:
    """Whether all that a noun is told by says nothing: "actual accounts", "specific list"."""
    return noun.split()[0].lower() in words("weak_adjectives") and len(noun.split()) == 2


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
    plain = head.isalpha() and head.islower() and first not in words("possessive")
    second = [*rest.split(), ""][1]
    further = second in ("that", "which", "who", "with", "without", "from") or second.endswith("ed")
    marked = (rest.startswith(head + " ") and further) or (rest.endswith(" " + head) and re.fullmatch(r"[\w -]+", rest))
    if first in ("each", "every", "all", "both", "many") or _indefinite(rest):
        return ["what"]
    if plain and "," not in noun and " and " not in noun and marked:
        return ["what", f"which {head}"]  # the kind alone would not tell which one is meant
    return ["what"]
