"""A shallow reading of English sentences: word classes, the main verb, and the phrases around it.

It knows verb and noun forms from lemminflect's word lists and decides the rest by context. It reads plain expository
prose (manuals, handbooks, policies). What it cannot read gives None, because a wrong reading makes wrong questions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


def word_list(words: str) -> list[str]:
    """The words of a table that is written as one string, to be read as a line."""
    return words.split()


def word_set(words: str) -> frozenset[str]:
    """The same as a set."""
    return frozenset(words.split())


MODALS = word_set("must may can could should shall will would might cannot")
BE = word_set("is are was were be been being am")
HAVE, DO = word_set("has have had"), word_set("do does did")
PERSONAL = word_set("it they he she we you i there him them us me")
POSSESSIVE = word_set("its their his her our your my")
DETERMINERS = POSSESSIVE | word_set(
    "the a an this these those each every any no some both either neither another such all most many several few "
    "more fewer less what whose"
)
SUBORDINATORS = word_set(
    "when whenever if unless until because although though while whereas once before after where since so"
)
QUESTION_WORDS = word_set("how why whether what")
ORDINALS = word_set("first second third fourth fifth sixth seventh eighth ninth tenth")
RELATIVES = word_set("who which that whom whose")
PREPOSITIONS = word_set(
    "of in on at by for from with within without under over above below between among through throughout during "
    "against about into onto to than per via as towards upon after before since until behind near outside inside "
    "except across along around beyond despite like beside besides unlike including"
)
ADVERBS = word_set(
    "only also always never usually then still already often now later earlier again once twice even just ever too "
    "alone online immediately together separately however otherwise therefore abroad here thus soon first directly "
    "automatically instead not at-present normally generally"
)
NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        word_list(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty"
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}
PLURAL_WITHOUT_S = word_set("people staff police children men women police")
MONTHS = word_list("January February March April May June July August September October November December")
DAYS = word_list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

_NUMBER = r"(?:\d|half|hundred|" + "|".join(NUMBER_WORDS) + r")"
_QUANTIFIER = (
    r"(?:at (?:least|most)|up to|(?:no |not )?(?:more|fewer|less|later) than|about|over|nearly|almost|around|exactly"
    r"|a (?:maximum|minimum|total) of|a further|the last|the past|the first|the next)"
)
_FIXED_PHRASES = {
    "IN": r"(?:in front|on behalf|in spite|because|instead|as a result|in the course) of|such as|according to",
    "NN": r"per cent|or (?:more|higher|less|fewer|later|above|older|lower)",
    "CC": r"as well as",
    "RB": r"at (?:once|present|random|all|any time|will|(?:the )?same time)|day and night|by hand|on board|of course"
    r"|in (?:full|person|advance|writing|general|particular|principle|good faith|the same way|the meantime)"
    r"|free of charge|without charge|no longer|as soon as possible|for example",
}
_WORD = re.compile(
    rf"(?i:\b{_QUANTIFIER}(?= {_NUMBER}))|(?i:\b(?:{'|'.join(_FIXED_PHRASES.values())})\b)|"
    r"\d[\d,.:]*\d(?:st|nd|rd|th|%)?|\d+(?:st|nd|rd|th|%)?"
    r"|`[^`]*`|[^\W\d_][\w'\u2019./+-]*\w|\w|[\"\u201c\u201d][^\"\u201c\u201d]*[\"\u201c\u201d]|[^\w\s]"
)


_MORE_NOUNS = word_set("log login merge commit")  # nouns that the word lists have only as verbs
_NEVER_MAIN = PREPOSITIONS | DETERMINERS | PERSONAL | ADVERBS | {"be", "been", "being"}
_PARTICLES = word_set("up out off down away back")
_TWO_OBJECTS = word_set("cost give allow pay charge award grant send offer")
_BEFORE_A_VERB = frozenset(["NN", "NNS", "NP", "REL", "PRP", "RB", "VBN", "VBG", "CC", ")", ",", "CD"])


@dataclass(frozen=True, slots=True)
class Token:
    """One word with its class (Penn-like: NN, NNS, NP, JJ, VBZ, …) and its place in the sentence."""

    text: str
    tag: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower()


@lru_cache(maxsize=50_000)
def lemma(word: str, kind: str = "VERB") -> str:
    """The dictionary form of a verb or noun; the word itself where the word lists do not know it."""
    from lemminflect import getAllLemmas  # imported late: its word lists take 0.2 s to load

    first, _, particle = word.lower().partition(" ")  # "took up" is one verb
    found = getAllLemmas(first).get(kind, ())
    return f"{found[0] if found else first} {particle}".rstrip()


@lru_cache(maxsize=50_000)
def inflect(verb: str, tag: str) -> str:
    """A verb's form: VBZ, VBD, VBN, VBG or VB."""
    from lemminflect import getInflection

    first, _, particle = verb.partition(" ")
    found = getInflection(first, tag=tag)
    return f"{found[0] if found else first} {particle}".rstrip()


@lru_cache(maxsize=50_000)
def readings(word: str) -> frozenset[str]:
    """Every class that the word lists allow a word, the context aside."""
    from lemminflect import getAllInflections, getAllLemmas

    low = word.lower()
    found: set[str] = set()
    for kind, lemmas in getAllLemmas(low).items():
        if kind == "VERB":
            for form in lemmas:
                found |= {tag for tag, words in getAllInflections(form, "VERB").items() if low in words}
                if low == form:
                    found |= {"VB", "VBP"}
                elif low.endswith("s"):
                    found.add("VBZ")
                elif low.endswith("ing"):
                    found.add("VBG")
                elif "VBN" not in getAllInflections(form, "VERB"):  # regular verbs list one past form
                    found |= {"VBD", "VBN"}
        elif kind == "NOUN":
            found |= {"NN" if low in lemmas else "NNS"}
        elif kind == "ADJ":
            found.add("JJ")
        elif kind == "ADV":
            found.add("RB")
    if low.removesuffix("s") in _MORE_NOUNS or (not found and re.fullmatch(r"[a-z-]+s", low)):
        found.add("NNS" if low.endswith("s") else "NN")
    return frozenset(found)


@lru_cache(maxsize=50_000)
def _fixed(word: str, first: bool) -> str | None:
    """The class of a word that needs no context."""
    low = word.lower()
    if " " in word and word[0].isalpha():
        for name, phrases_of in _FIXED_PHRASES.items():
            if re.fullmatch(phrases_of, low):
                return name
        return "CD"
    if not word[0].isalnum():
        return "NN" if len(word) > 2 else word
    if re.match(r"\d", word) or low in NUMBER_WORDS or low == "half":
        return "CD"
    for tag, words in (("MD", MODALS), ("BE", BE), ("HV", HAVE), ("DO", DO), ("PRP", PERSONAL), ("DT", DETERMINERS)):
        if low in words and not (word[0].isupper() and not first and tag == "MD"):
            return tag
    if (low in ORDINALS and low != "first") or low.endswith(("teenth", "tieth")):
        return "JJ"
    if low in ("and", "or", "but", "nor"):
        return "CC"
    if word[0].isupper() and not first:
        return "NP"
    if low in ADVERBS:
        return "RB"
    return None


@lru_cache(maxsize=8192)
def tag(sentence: str) -> tuple[Token, ...]:
    """The words of a sentence with their classes. `cannot` becomes two tokens over one span."""
    found = [(m[0], m.start(), m.end()) for m in _WORD.finditer(sentence)]
    words: list[tuple[str, int, int]] = []
    for text, start, end in found:
        if text.lower() == "cannot":
            words += [(text[:3], start, start + 3), (text[3:], start + 3, end)]
        else:
            words.append((text, start, end))
    tokens: list[Token] = []
    pending, main = 0, False  # relative clauses that still wait for their verb; whether the clause has its verb
    for i, (text, start, end) in enumerate(words):
        low, before = text.lower(), tokens[-1].tag if tokens else ""
        following = words[i + 1][0].lower() if i + 1 < len(words) else "."
        known = _fixed(text, i == 0)
        if low in RELATIVES and before in ("NN", "NNS", "NP", ",", "CD", "VBG", "PRP", "CC", "IN", "JJ"):
            plain_that = low == "that" and before in ("IN", ",", "CC")
            known = "DT" if plain_that else "REL"
        elif low == "that":
            known = "REL" if before.startswith("VB") else "DT"
        elif low in ("who", "which", "how", "why", "whether", "what") and not (low == "what" and before == ""):
            known = "REL"
        elif low == "to" and before == "CD" and following[0].isdigit():
            known = "CD"
        elif low == "to":
            known = "TO" if "VB" in readings(following) and following not in DETERMINERS else "IN"
        elif low in SUBORDINATORS | PREPOSITIONS and not (
            before == "DT" and low in ("outside", "inside", "above", "below")
        ):
            known = "IN"
            if low in SUBORDINATORS and (low not in PREPOSITIONS | {"once"} or _clause_follows(words, i + 1)):
                known = "SUB"
        if low in ("all", "both", "each") and before in ("MD", "BE", "HV") and following not in DETERMINERS:
            known = "RB"
        if low == "means" and before == "NN" and following in DETERMINERS:
            known = "VBZ"
        if known is None:
            known = _by_context(words, i, tokens, pending, main)
        if known in ("REL", "SUB"):
            pending, main = pending + 1, main if known == "REL" else False
        elif known in ("MD", "BE", "HV", "DO", "VBZ", "VBP", "VBD") and before not in ("MD", "BE", "HV", "DO", "RB"):
            if pending:
                pending -= 1
            else:
                main = True
        elif known in (",", ";", ":", "CC"):
            main = False
        tokens.append(Token(text, known, start, end))
    return tuple(tokens)


def _clause_follows(words: Sequence[tuple[str, int, int]], start: int) -> bool:
    """Whether a verb stands before the next comma: "before it is opened", but not "before the visit"."""
    for text, _, _ in words[start:]:
        low = text.lower()
        if low in ",;:.":
            return False
        if low in MODALS | BE | HAVE | DO and low != "being":
            return True
        if readings(low) & {"VBZ", "VBD"} and not readings(low) & {"NN", "NNS", "JJ", "VBN"}:
            return True
    return False


def _strong_verb_follows(words: Sequence[tuple[str, int, int]], start: int) -> bool:
    """Whether a finite verb that is nothing else comes before the clause ends, outside relative clauses."""
    pending = 0
    for i in range(start, len(words)):
        low = words[i][0].lower()
        if low in (",", ";", ":", ".", "and", "or", "but") or low in SUBORDINATORS - PREPOSITIONS:
            return False
        if low in SUBORDINATORS and _clause_follows(words, i + 1):
            return False
        if low in RELATIVES | QUESTION_WORDS:
            pending += 1
        if low in _NEVER_MAIN or words[i][0][0].isupper():
            continue
        forms = readings(low)
        following = words[i + 1][0].lower() if i + 1 < len(words) else "."
        plain = bool(forms & {"VBZ", "VBP", "VBD"}) and (
            not forms & {"NN", "NNS", "JJ", "VBN"}
            or ("VBZ" in forms and following in ("a", "an", "the") and words[i - 1][0].lower() not in DETERMINERS)
        )
        if low in MODALS | BE | HAVE or plain:
            if not pending:
                return True
            pending -= 1
    return False


def _by_context(
    words: Sequence[tuple[str, int, int]], i: int, tokens: Sequence[Token], pending: int, main: bool
) -> str:
    """The class of an ordinary word, from its possible readings and the words before and after it."""
    text, forms = words[i][0], readings(words[i][0])
    before = tokens[-1].tag if tokens else ""
    following = words[i + 1][0] if i + 1 < len(words) else "."
    can_be_noun = bool(forms & {"NN", "NNS"}) or not forms
    nominal = "NNS" if "NNS" in forms else "NN"
    noun_follows = (
        bool(readings(following) & {"NN", "NNS"})
        and _fixed(following, False) in (None, "NP")
        and following.lower() not in RELATIVES | PREPOSITIONS | SUBORDINATORS
    )
    if "RB" in forms and before != "DT" and (text.lower().endswith("ly") or forms == {"RB"}):
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
    if context == "BE" and "VBG" in forms:
        return "VBG"
    if context in ("DT", "JJ", "CD", "IN", "BE", "HV", "") or text[0] in '"\u201c':
        if context == "IN" and "VBG" in forms and (following.lower() in DETERMINERS or "NN" not in forms):
            return "VBG"
        if noun_follows and "NN" in forms and "VBZ" in readings(following) and before != "CD":
            noun_follows = _strong_verb_follows(words, i + 2)  # "of signatory takes effect", "the whole records are"
        if "JJ" in forms and (noun_follows or not can_be_noun):
            return "JJ"
        if can_be_noun:
            order = context == "" and "VB" in forms and following.lower() in DETERMINERS | PREPOSITIONS
            return "VB" if order else nominal
        if forms & {"VBN", "VBG"}:
            return "VBN" if context == "" or following.lower() in PREPOSITIONS else "JJ"
        return "RB" if "RB" in forms else nominal
    if "VBN" in forms and following.lower() == "as":
        return "VBN"
    if (pending or not main) and context in _BEFORE_A_VERB:
        finite = _finite(words, i, tokens, pending, context)
        if finite:
            return finite
    if "VBN" in forms and context in ("NN", "NNS", "NP", "CC", ",", "VBN", "JJ") and "NN" not in forms:
        return "VBN"
    if "VBG" in forms and "NN" not in forms:
        return "VBG"
    if context == "CC" and "VB" in forms and following.lower() in DETERMINERS and not main:
        return "VB"
    if "JJ" in forms and (noun_follows or not can_be_noun):
        return "JJ"
    if can_be_noun:
        return nominal
    return "RB" if "RB" in forms else "VBN" if "VBN" in forms else nominal


def _finite(words: Sequence[tuple[str, int, int]], i: int, tokens: Sequence[Token], pending: int, context: str) -> str:
    """The finite form that a word is after a noun, or "" where it is rather a noun or a participle."""
    forms = readings(words[i][0])
    following = words[i + 1][0].lower() if i + 1 < len(words) else "."
    found = next((form for form in ("VBZ", "VBD", "VBP") if form in forms), "")
    can_be_noun = bool(forms & {"NN", "NNS"})
    only_verb = not can_be_noun and "JJ" not in forms
    if not found or (context == "," and following not in DETERMINERS | PERSONAL):
        return ""
    if context == "CC" and following not in DETERMINERS:
        prepositional = following in PREPOSITIONS or following[:1].isdigit()
        if can_be_noun or not prepositional:
            return ""
    if found == "VBP":
        since = max((n for n, t in enumerate(tokens) if t.tag in (",", "CC", "REL", "SUB", ";", ":")), default=-1)
        plural = any(t.tag == "NNS" or t.low in PLURAL_WITHOUT_S for t in tokens[since + 1 :])
        if not (plural or only_verb or context in ("REL", "PRP", "NP", "RB")):
            return ""
        if "NN" in forms and context != "NNS" and following in (",", "."):
            return ""
    if found == "VBZ" and context == "NNS" and "NNS" in forms and not pending:
        return ""  # "operations teams": a plural takes no "teams" as its verb
    certain = only_verb and "VBD" not in forms
    return found if pending or certain or not _strong_verb_follows(words, i + 1) else ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a clause: `kind` is NP, PP (with its preposition), SUB, INF, ADV or ADJ."""

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
        return bool({"not", "never"} & set(self.adverbs)) or self.subject.lower().startswith(("no ", "neither "))

    @property
    def predicate(self) -> str:
        """The clause without its subject, as it stood."""
        inner = [p.text for p in self.rest if not p.front]
        return " ".join([*self.helpers[:1], *self.adverbs, *self.helpers[1:], self.verb, *inner]).strip()


def is_plural(noun: str) -> bool:
    """Whether a noun phrase is plural, by its head or by a coordination."""
    head = head_of(noun)
    if head in PLURAL_WITHOUT_S or noun.lower().startswith(("these ", "those ", "both ", "several ", "many ")):
        return True
    core = re.split(r" (?:of|in|for|with|from|who|which|that|at|on|to) |,", noun)[0]
    if " and " in core:
        return not head[0:1].isupper()
    return "NNS" in readings(head) and "NN" not in readings(head) and not head[0:1].isupper()


def head_of(noun: str) -> str:
    """The head noun: the last word before the first preposition, participle or relative clause."""
    tokens = tag("the " + noun if not re.match(r"(?i)(the|an?|every|each|any|no|all) ", noun) else noun)
    head = ""
    for token, after in zip(tokens, [*tokens[1:], Token(".", ".", 0, 0)], strict=True):
        if (
            token.tag in ("VBZ", "VBP")
            and readings(token.text) & {"NN", "NNS"}
            and after.tag in (".", "IN", "REL", ",")
        ):
            head = token.text  # "maintainer scripts": alone, the second noun looks like a verb
            continue
        if token.tag in ("VBN", "VBG") and after.tag in ("NN", "NNS", "JJ"):
            continue
        if token.tag in ("IN", "REL", "VBN", "VBG", ",", "TO", ":", "SUB", "VBZ", "VBP", "VBD", "(") and head:
            break
        if token.tag in ("NN", "NNS", "NP", "CD", "VB"):
            head = token.text
    return head


@lru_cache(maxsize=8192)
def parse(sentence: str) -> Clause | None:
    """The main clause of a sentence, or None where it has no subject and finite verb that the rules can find."""
    text = sentence.strip().rstrip(".;:")
    tokens = tag(text)
    if tokens and tokens[0].tag == "SUB" and tokens[0].low in PREPOSITIONS and not front_end(tokens):
        tokens = (Token(tokens[0].text, "IN", tokens[0].start, tokens[0].end), *tokens[1:])
    at = front_end(tokens)
    start = at + 1 if at and tokens[at].tag == "," else at
    main = main_verb(tokens, start)
    if main is None or main <= start:
        return None
    front = (_front(text, tokens[:at]),) if at else ()

    def span(low: int, high: int) -> str:
        return text[tokens[low].start : tokens[high - 1].end].strip(" ,") if high > low else ""

    end = main
    while (
        end - 1 > start and tokens[end - 1].tag == "RB" and " " not in tokens[end - 1].text
    ):  # "a branch also keeps": the adverb is not the subject's
        end -= 1
    subject = span(start, end)
    if tokens[end - 1].tag == "," and subject.count(",") == 1:  # the comma that closes an apposition
        subject += ","
    helpers: list[str] = []
    adverbs = [t.low for t in tokens[end:main]]
    i = main
    while (i < len(tokens) and tokens[i].tag in ("MD", "BE", "HV", "DO", "RB")) or (
        i < len(tokens) and tokens[i].low == "not"
    ):
        (adverbs if tokens[i].tag == "RB" else helpers).append(tokens[i].low)
        i += 1
    voice, verb, tense = "active", "", ""
    if i < len(tokens) and tokens[i].tag in ("VB", "VBZ", "VBP", "VBD", "VBN", "VBG"):
        verb, tense = tokens[i].low, tokens[i].tag
        if helpers and helpers[-1] in BE and tense == "VBN":
            voice = "passive"
            if verb in ("required", "allowed", "obliged", "permitted", "expected") and (
                [t.tag for t in tokens[i + 1 : i + 3]] == ["TO", "VB"]
            ):  # "is required to sign" asks like "must sign"
                helpers += [verb, "to"]
                voice, verb, tense = "active", tokens[i + 2].low, "VB"
                i += 2
        elif not helpers or tense not in ("VBZ", "VBP", "VBD"):
            voice = "active"
        else:
            return None
        i += 1
    elif (
        helpers
        and helpers[-1] in BE
        and [t.tag for t in tokens[i + 1 : i + 3]] == ["TO", "VB"]
        and (tokens[i].low in ("able", "unable", "free", "likely"))
    ):
        helpers += [tokens[i].low, "to"]
        verb, tense = tokens[i + 2].low, "VB"
        i += 3
    elif helpers and helpers[-1] in BE:
        voice, verb, helpers = "copula", helpers[-1], helpers[:-1]
        tense = "VBD" if verb in ("was", "were") else "VBZ"
        while adverbs and i > main + 1 and tokens[i - 1].tag == "RB" and adverbs[-1] not in ("not", "never", "always"):
            adverbs.pop()
            i -= 1
    elif helpers and helpers[-1] in HAVE:
        verb, helpers = helpers[-1], helpers[:-1]
        tense = "VBD" if verb == "had" else "VBZ" if verb == "has" else "VBP"
    else:
        return None
    if (
        voice != "copula"
        and tokens[i : i + 1]
        and tokens[i].low in _PARTICLES
        and ([t.tag for t in tokens[i + 1 : i + 2]] in (["DT"], ["IN"], []))
    ):
        verb, i = f"{verb} {tokens[i].low}", i + 1
    rest = phrases(text, tokens, i)
    return Clause(subject, tuple(helpers), tuple(adverbs), verb, tense, voice, (*front, *rest))


def _front(text: str, tokens: Sequence[Token]) -> Phrase:
    words = text[tokens[0].start : tokens[-1].end]
    first = tokens[0]
    kind = {"SUB": "SUB", "IN": "PP", "TO": "INF"}.get(first.tag, "ADV")
    return Phrase(kind, words[0].lower() + words[1:], first.low if kind == "PP" else "", True)


def front_end(tokens: Sequence[Token]) -> int:
    """Where the opening adverbial ends (the index of its comma, or of the subject's determiner), or 0."""
    if not tokens or not (tokens[0].tag in ("SUB", "IN", "TO", "RB") or tokens[0].low in ("each", "every", "last")):
        return 0
    for i, token in enumerate(tokens):
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
        elif name in ("MD", "BE", "HV", "DO", "VBZ", "VBP", "VBD"):
            if held or tokens[i].low in ("be", "been", "being"):
                continue
            if not pending:
                if (
                    tokens[i - 1].tag == "CC"
                    and related
                    and any(t.tag in ("MD", "BE", "HV", "VBZ") for t in tokens[i + 2 : i + 8])
                ):
                    continue  # "a client who is ill or is abroad must …"
                return i
            pending, related = pending - 1, True
            held = name in ("MD", "BE", "HV", "DO")
            continue
        if held and name not in ("RB", "BE", "HV"):
            held = False
    return None


def phrases(text: str, tokens: Sequence[Token], start: int) -> tuple[Phrase, ...]:
    """What follows the verb, cut where a new object, prepositional phrase or subordinate clause begins."""
    cuts: list[tuple[int, str]] = []
    i = start
    while i < len(tokens):
        name, low = tokens[i].tag, tokens[i].low
        before = tokens[i - 1].tag if i > start else ""
        if name == "SUB":
            cuts.append((i, "SUB"))
            break
        if name == "REL":
            if not cuts:
                cuts.append((i, "CL"))
            break
        if name == "TO" and before not in ("IN",):
            cuts.append((i, "INF"))
            break
        if (
            name == "IN"
            and low not in ("of", "than", "per", "as", "about", "between")
            and before not in ("IN", "RB", "CC")
        ) or (
            name == "IN"
            and low in ("as", "about", "between", "over")
            and before not in ("IN", "CC", "NN", "NNS", "NP", "JJ")
        ):
            cuts.append((i, "PP"))
        elif low in ("a", "an", "per", "each", "every") and tokens[i - 1].low in ("once", "twice", "times", "time"):
            pass  # "twice a year"
        elif name == "CD" and _times(tokens, i) and i > start:
            cuts.append((i, "ADV"))
            i += 1
        elif (
            name == "RB"
            and before not in ("IN", "DT", "CC")
            and low != "not"
            and (i + 1 == len(tokens) or tokens[i + 1].low != "of")
        ):
            after = tokens[i + 1].tag if i + 1 < len(tokens) else ""
            if not (cuts and cuts[-1][1] == "RB"):
                cuts.append((i, "PP" if after == "IN" else "ADV"))
            if after == "IN":
                i += 1
        elif (
            low in ("every", "each", "once", "twice") and i > start and before in ("NN", "NNS", "NP", "VBN", "RB", "CD")
        ):
            cuts.append((i, "ADV"))
        elif (
            name == "CD"
            and before in ("NN", "NNS", "NP")
            and lemma(tokens[start - 1].text) in _TWO_OBJECTS
            and i > start
        ):
            cuts.append((i, "NP"))
        elif low in ("a", "an") and before in ("NN", "NNS", "NP", "CD") and i > start:
            pass  # "twice a year", "80 tessars a month": a rate stays with its amount
        elif not cuts:
            cuts.append((i, "ADJ" if name in ("JJ", "VBN") else "NP"))
        elif cuts[-1][1] == "ADV" and before == "RB" and name not in (",", "CC"):
            cuts.append((i, "ADJ" if name == "JJ" else "NP"))
        i += 1
    found = []
    for n, (begin, kind) in enumerate(cuts):
        end = cuts[n + 1][0] if n + 1 < len(cuts) else len(tokens)
        words = text[tokens[begin].start : tokens[end - 1].end].strip(" ,")
        prep = ""
        if kind == "PP":
            lead = begin if tokens[begin].tag == "IN" else begin + 1
            prep = text[tokens[begin].start : tokens[lead].end]
        found.append(Phrase(kind, words, prep))
    return tuple(found)


def _times(tokens: Sequence[Token], i: int) -> bool:
    """Whether a number counts repetitions: "three times", "at most three times", but not "at one time"."""
    return tokens[i - 1].tag != "IN" and any(t.low in ("times", "time") for t in tokens[i + 1 : i + 3])
