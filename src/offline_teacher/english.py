"""English words: the word lists, verb and noun forms, and the class of every word of a sentence.

    words(), pattern()      the word lists and patterns of english.yaml
    lemma() … readings()    forms of verbs and nouns, from lemminflect's word lists
    tag(sentence)           words with their classes
    head_of(), is_plural()  about a noun phrase

The classes that lemminflect leaves open are decided by the words around, as they are used in plain expository prose.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

DATA = resources.files(__package__) / "english.yaml"
FINITE = ("MD", "BE", "HV", "DO", "VBZ", "VBP", "VBD")
HELPERS = ("MD", "BE", "HV", "DO")

# --- the data file and the word lists --------------------------------------------------------------------------------


@cache
def data() -> dict[str, Any]:
    """The data file, read once."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    found["words"] = {name: text.split() for name, text in found["words"].items()}
    found["words"]["numbers"] = list(found["numbers"])
    return found


@cache
def words(*lists: str) -> frozenset[str]:
    """The words of one or more lists of the data file."""
    return frozenset(word for name in lists for word in data()["words"][name])


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A compiled pattern, in which <name> stands for any word of a list or for another pattern of the data file."""

    def filled(match: re.Match[str]) -> str:
        known = data()["patterns"].get(match[1])
        if known is None:
            known = "|".join(sorted(map(re.escape, data()["words"][match[1]]), key=len, reverse=True))
        return f"(?:{re.sub(r'<([a-z_]+)>', filled, known)})"

    return re.compile(re.sub(r"<([a-z_]+)>", filled, text))


@cache
def _word_pattern() -> re.Pattern[str]:
    fixed = "|".join(data()["fixed_phrases"].values())
    return pattern(
        rf"\b<quantifier>(?= (?:\d|half|<numbers>))|\b(?:{fixed})\b|"
        r"\d[\d,.:]*\d(?:st|nd|rd|th|%)?|\d+(?:st|nd|rd|th|%)?"
        r"|`[^`]*`|[^\W\d_][\w'\u2019./+-]*\w(?:(?<=s)['\u2019](?=\s))?|\w|[\"\u201c\u201d][^\"\u201c\u201d]*[\"\u201c\u201d]|[^\w\s]"
    )


@lru_cache(maxsize=50_000)
def _lemmas(word: str) -> dict[str, tuple[str, ...]]:
    """The dictionary forms of a word by class: each look-up of the library copies what it finds, and is slow."""
    from lemminflect import getAllLemmas  # imported late: its word lists take 0.2 s to load

    found: dict[str, tuple[str, ...]] = getAllLemmas(word)
    return found


@lru_cache(maxsize=50_000)
def _verb_forms(verb: str) -> dict[str, tuple[str, ...]]:
    from lemminflect import getAllInflections

    found: dict[str, tuple[str, ...]] = getAllInflections(verb, "VERB")
    return found


@lru_cache(maxsize=50_000)
def lemma(word: str, kind: str = "VERB") -> str:
    """The dictionary form of a verb or noun; the word itself where the word lists do not know it."""
    first, _, particle = word.lower().partition(" ")  # "took up" is one verb
    found = _lemmas(first).get(kind, ())
    return f"{found[0] if found else first} {particle}".rstrip()


@lru_cache(maxsize=50_000)
def inflect(verb: str, tag: str) -> str:
    """A verb's form: VBZ, VBD, VBN, VBG or VB."""
    from lemminflect import getInflection

    first, _, particle = verb.partition(" ")
    found = getInflection(first, tag=tag)
    return f"{found[0] if found else first} {particle}".rstrip()


def _regular_plural(word: str) -> bool:
    """Whether a word with a meaning of its own ("letters") is rather the plural of another ("letter")."""
    stem = word[:-1] if re.fullmatch(r"[a-z-]*[^isu]s", word) and word not in words("singular_with_s") else ""
    return bool(stem) and stem in _lemmas(stem).get("NOUN", ())


@lru_cache(maxsize=50_000)
def readings(word: str) -> frozenset[str]:
    """Every class that the word lists allow a word, the context aside."""
    low = word.lower()
    found: set[str] = set()
    for kind, lemmas in _lemmas(low).items():
        if kind == "VERB":
            for form in lemmas:
                found |= {tag for tag, known in _verb_forms(form).items() if low in known}
                if low == form:
                    found |= {"VB", "VBP"}
                elif low.endswith("s"):
                    found.add("VBZ")
                elif low.endswith("ing"):
                    found.add("VBG")
                elif "VBN" not in _verb_forms(form):  # regular verbs list one past form
                    found |= {"VBD", "VBN"}
        elif kind == "NOUN":
            found.add("NN" if low in lemmas and not _regular_plural(low) else "NNS")
        elif kind in ("ADJ", "ADV"):
            found.add("JJ" if kind == "ADJ" else "RB")
    if low.endswith("ible"):
        found = {"JJ"}  # the word lists have "responsible" as a noun only
    if low.removesuffix("s") in words("extra_nouns") or (not found and re.fullmatch(r"[a-z-]+s", low)):
        found.add("NNS" if low.endswith("s") else "NN")
    return frozenset(found)


# --- word classes ----------------------------------------------------------------------------------------------------


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
    """The words of a sentence with their classes. `cannot` becomes two tokens over one span."""
    if sentence.endswith(".") and not sentence.endswith(".."):  # the same words, whether the full stop is there or not
        return (*tag(sentence[:-1]), Token(".", ".", len(sentence) - 1, len(sentence)))
    spans: list[tuple[str, int, int]] = []
    small = sentence.lower()  # the pattern is in small letters: it is much faster so
    for m in _word_pattern().finditer(small if len(small) == len(sentence) else sentence):
        start, end = m.span()
        if m[0] == "cannot":
            spans += [(sentence[start : start + 3], start, start + 3), (sentence[start + 3 : end], start + 3, end)]
        else:
            spans.append((sentence[start:end], start, end))
    line = [text for text, _, _ in spans]
    tokens: list[Token] = []
    pending, main = 0, False  # relative clauses that still wait for their verb; whether the clause has its verb
    for i, (text, start, end) in enumerate(spans):
        before = tokens[-1].tag if tokens else ""
        found = _joining(line, i, before) or _fixed(text, i == 0) or _by_context(line, i, tokens, pending, main)
        if found in ("REL", "SUB"):
            pending, main = pending + 1, main if found == "REL" else False
        elif found in FINITE and before not in (*HELPERS, "RB"):
            pending, main = max(0, pending - 1), main or not pending
        elif found in (",", ";", ":", "CC"):
            main = False
        tokens.append(Token(text, found, start, end))
    return tuple(tokens)


@cache
def _joiners() -> frozenset[str]:
    """The words that `_joining` tells the class of."""
    others = {"that", "how", "why", "whether", "what", "to", "once", "all", "both", "each", "means"}
    return words("relatives", "subordinators", "prepositions", "approximate") | others


def _joining(line: Sequence[str], i: int, before: str) -> str | None:
    """The class of a word that joins clauses or phrases ("that", "which", "to", "before"), from its neighbours."""
    low = line[i].lower()
    if low not in _joiners() and " " not in low:
        return None
    following = _next(line, i)
    if low in words("relatives") and before in ("NN", "NNS", "NP", ",", "CD", "VBG", "PRP", "CC", "IN", "JJ"):
        return "DT" if low == "that" and before in ("IN", ",", "CC") else "REL"
    if low == "that":
        return "REL" if before.startswith("VB") else "DT"
    if low in ("who", "which", "how", "why", "whether", "what") and not (low == "what" and before == ""):
        return "REL"
    if low == "to":
        verb = "VB" in readings(following) and following not in words("determiners") and not is_person(following)
        verb = verb and line[i + 1].islower()
        return "TO" if verb else "IN"
    if low in words("approximate") and _fixed(following, False) == "CD":
        return "CD"  # "about 100 bytes" is an amount
    if low == "once" and following in ("a", "an", "per", "each", "every"):
        return "RB"
    if low in words("subordinators", "prepositions") and not (
        before == "DT" and low in ("outside", "inside", "above", "below")
    ):
        clause = low in words("subordinators") and (
            (low not in words("prepositions") and low != "once") or _clause_follows(line, i + 1)
        )
        return "SUB" if clause else "IN"
    if low in ("all", "both", "each") and before in ("MD", "BE", "HV") and following not in words("determiners"):
        return "RB"
    return "VBZ" if low == "means" and before == "NN" and following in words("determiners") else None


def _next(line: Sequence[str], i: int) -> str:
    return line[i + 1].lower() if i + 1 < len(line) else "."


@lru_cache(maxsize=50_000)
def _fixed(word: str, first: bool) -> str | None:
    """The class of a word that needs no context."""
    low = word.lower()
    if " " in word and word[0].isalpha():
        fixed = data()["fixed_phrases"].items()
        return next((name for name, phrases_of in fixed if re.fullmatch(phrases_of, low)), "CD")
    if not word[0].isalnum():
        return "NN" if len(word) > 2 else word
    if word[0].isdigit() or low in words("numbers") or low == "half":
        return "CD"
    lists = {"MD": "modals", "BE": "be", "HV": "have", "DO": "do", "PRP": "personal", "DT": "determiners"}
    for name, members in lists.items():
        if low in words(members) and not (word[0].isupper() and not first and name == "MD"):
            return name
    if low in ("and", "or", "but", "nor"):
        return "CC"
    if word[0].isupper() and not first:
        return "NP"
    return "RB" if low in words("adverbs") else None


def _clause_follows(line: Sequence[str], start: int) -> bool:
    """Whether a verb stands before the next comma: "before it is opened", but not "before the visit"."""
    for n, text in enumerate(line[start:]):
        low = text.lower()
        if low in ",;:." or low in words("relatives") or (n and low in ("if", "when", "unless", "because")):
            return False
        if low in words("modals", "be", "have", "do", "subject_pronouns") and low != "being":
            return True
        if readings(low) & {"VBZ", "VBD"} and not readings(low) & {"NN", "NNS", "JJ", "VBN"}:
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
        if low in words("prepositions", "determiners", "personal", "adverbs") or line[i][0].isupper():
            continue
        if low in ("be", "been", "being"):
            continue
        forms = readings(low)
        plain = bool(forms & {"VBZ", "VBP", "VBD"}) and (
            not forms & {"NN", "NNS", "JJ", "VBN"}
            or (
                "VBZ" in forms
                and _next(line, i) in ("a", "an", "the")
                and line[i - 1].lower() not in words("determiners")
            )
        )
        if low in words("modals", "be", "have") or plain:
            if not pending:
                return True
            pending -= 1
    return False


@lru_cache(maxsize=50_000)
def _may_be_noun(word: str) -> bool:
    """Whether a word may be a noun, and is none of the small words."""
    return (
        bool(readings(word) & {"NN", "NNS"})
        and _fixed(word, False) in (None, "NP")
        and word.lower() not in words("relatives", "prepositions", "subordinators")
    )


def _by_context(line: Sequence[str], i: int, tokens: Sequence[Token], pending: int, main: bool) -> str:
    """The class of an ordinary word, from its possible readings and the words before and after it."""
    text, forms, following = line[i], readings(line[i]), line[i + 1] if i + 1 < len(line) else "."
    before = tokens[-1].tag if tokens else ""
    can_be_noun = bool(forms & {"NN", "NNS"}) or not forms
    nominal = "NNS" if "NNS" in forms else "NN"
    noun_follows = _may_be_noun(following)
    if (
        "RB" in forms
        and before != "DT"
        and not ("JJ" in forms and noun_follows)
        and (text.lower().endswith("ly") or forms == {"RB"})
    ):
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
    if context in ("DT", "JJ", "CD", "IN", "BE", "HV", "") or text[0] in '"\u201c':
        return _nominal(line, i, context, before, noun_follows)
    if "VBN" in forms and following.lower() == "as":
        return "VBN"
    if "VBN" in forms and "VBZ" not in forms and following.lower() == "by" and context in ("NN", "NNS", "NP"):
        return "VBN"  # "a document issued by a state"
    if (pending or not main) and context in ("NN", "NNS", "NP", "REL", "PRP", "RB", "VBN", "VBG", "CC", ")", ",", "CD"):
        finite = _finite(line, i, tokens, pending, context)
        if finite:
            return finite
    if "VBN" in forms and context in ("NN", "NNS", "NP", "CC", ",", "VBN", "JJ") and "NN" not in forms:
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
    forms, following = readings(line[i]), line[i + 1] if i + 1 < len(line) else "."
    nominal = "NNS" if "NNS" in forms else "NN"
    if context == "IN" and "VBG" in forms and (following.lower() in words("determiners") or "NN" not in forms):
        return "VBG"
    if noun_follows and "NN" in forms and "VBZ" in readings(following) and before != "CD":
        noun_follows = _strong_verb_follows(line, i + 2)  # "of signatory takes effect", "the whole records are"
    can_be_noun = bool(forms & {"NN", "NNS"}) or not forms
    if "JJ" in forms and (noun_follows or not can_be_noun):
        return "JJ"
    if can_be_noun:
        order = context == "" and "VB" in forms and following.lower() in words("determiners", "prepositions")
        return "VB" if order and not _strong_verb_follows(line, i + 1) else nominal  # but "Access to files is given"
    if forms & {"VBN", "VBG"}:
        return "VBN" if context == "" or following.lower() in words("prepositions") else "JJ"
    return "RB" if "RB" in forms else nominal


def _name_follows(line: Sequence[str], i: int) -> bool:
    """Whether the next word is a name or code."""
    return i + 1 < len(line) and (line[i + 1][0].isupper() or line[i + 1][0] == "`")


def _plural_joined(line: Sequence[str], i: int) -> bool:
    """Whether another plural noun is joined to a word, and then a verb follows that is theirs."""
    joint, other, verb = [*line[i + 1 : i + 4], "", "", ""][:3]
    return joint in ("and", "or") and "NNS" in readings(other) and verb.lower() in words("modals", "be")


def _finite(line: Sequence[str], i: int, tokens: Sequence[Token], pending: int, context: str) -> str:
    """The finite form that a word is after a noun, or "" where it is rather a noun or a participle."""
    forms, following = readings(line[i]), _next(line, i)
    found = next((form for form in ("VBZ", "VBD", "VBP") if form in forms), "")
    can_be_noun = bool(forms & {"NN", "NNS"}) and line[i].lower() not in words("mostly_verbs")
    only_verb = not can_be_noun and "JJ" not in forms
    if not found or (context == "," and following not in words("determiners", "personal")):
        return ""
    if can_be_noun and following in words("modals", "be", "have", "do"):
        return ""  # "maintainer scripts must …"
    if can_be_noun and following == "." and context in ("NN", "JJ") and not pending:
        clause = list(itertools.takewhile(lambda t: t.tag != "SUB", reversed(tokens)))
        if any(t.tag in FINITE for t in clause):
            return ""  # "scrap yards and car washes."
    if context == "CC" and found == "VBZ" and _name_follows(line, i) and any(t.tag == "VBZ" for t in tokens):
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
        since = max((n for n, t in enumerate(tokens) if t.tag in (",", "CC", "REL", "SUB", ";", ":")), default=-1)
        plural = any(t.tag == "NNS" or t.low in words("plural_without_s") for t in tokens[since + 1 :])
        if not (plural or only_verb or context in ("REL", "PRP", "NP", "RB")):
            return ""
        if "NN" in forms and context != "NNS" and following in (",", "."):
            return ""
    if found == "VBD" and "VBN" in forms and following in (",", ".", "and") and not pending:
        clause = list(itertools.takewhile(lambda t: t.tag not in ("SUB", ";"), reversed(tokens)))
        if any(t.tag in FINITE for t in clause):
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


def is_unit(noun: str) -> bool:
    """Whether a plural noun measures (metres, euros) and does not count; unknown ones are taken for currencies."""
    return noun.lower() in words("units") or not _lemmas(noun.lower())


def is_person(noun: str) -> bool:
    """Whether a noun names a person, a post or a body of people, by the list `people`."""
    if noun in words("bodies_or_things"):
        return False  # "a service unit", but "the Monitoring Unit"
    return not words("people").isdisjoint((low := noun.lower(), low.removesuffix("s"), lemma(low, "NOUN")))


def lowered(noun: str, names: frozenset[str] = frozenset()) -> str:
    """A phrase as it reads inside a sentence: the first letter small unless it begins a name."""
    first, _, rest = noun.partition(" ")
    first = first.split("'")[0]
    small = noun[:1].lower() + noun[1:]
    if first.lower() in words("determiners", "prepositions", "subordinators", "numbers"):
        return small
    spelled = not first.replace("-", "").isalpha() or re.search("[A-Z]", first[1:]) is not None
    named = first in names or spelled or rest[:1].isupper()
    return small if not named and readings(first.split("-")[-1]) else noun
