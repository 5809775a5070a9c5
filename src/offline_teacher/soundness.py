"""Which questions are asked: those that stand alone, are whole, and have an answer of the kind that they ask for.

anchored(wording)   a question that would leave open whose list or test it means names its section
sound(wording)      whether a question and its answer look whole
unresolved(text)    whether a sentence has a pronoun with nothing before it to stand for
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from .doubt import without_article
from .english import is_person, lemma, lowered, pattern, readings, words
from .grammar import is_thing
from .orders import Wording
from .tagging import FINITE, is_plural, tag

LONGEST_QUESTION, LONGEST_ANSWER = 30, 26  # words

# --- what a question leaves open -------------------------------------------------------------------------------------


def anchored(w: Wording, section: str, local: frozenset[str]) -> Wording:
    """A question that would leave open whose list, test or visit it means opens with the section, or is dropped.

    `local` are nouns that the section introduced before ("a courier …"): "the courier" means that one.
    """
    if not _bare(w.question, local) and _telling(w.question):
        return w
    if not section or section in w.question or not w.question[:1]:
        return replace(w, question="")
    return replace(w, question=f"In the section {_titled(section)}, {lowered(w.question)}")


@lru_cache(maxsize=4096)
def _titled(section: str) -> str:
    """A heading after "in the section": "on ongoing monitoring", and in quotation marks what is no such thing."""
    first, *others = section.split()
    clause = re.match(r"(?i)(?:how|when|where|what|why|who|if|before|after)\b", section)
    capitals = others and any(word.istitle() and readings(word) & {"NN", "NNS", "VBG"} for word in others)
    deed = "VB" in readings(first) and {first.lower(), *others[:1]} & {"a", "an", "the"}
    bare = not others and readings(first) and not readings(first) & {"NN", "NNS", "VBG"}
    spelled = not re.fullmatch(r"[\w' -]+", section) or section.isupper()
    return f'"{section}"' if clause or capitals or deed or bare or spelled else f"on {lowered(section)}"


def _bare(question: str, local: frozenset[str]) -> bool:
    """Whether a vague noun, or one that the section has introduced, stands after "the", with nothing that tells which.

    "The list" must be one of several; "the list of wrecks" and "a list … the list" need nothing.
    """
    if not any(_leaves_open(noun, local) for noun in _after_the(question)):
        return False
    tokens = tag(question)
    for i, token in enumerate(tokens[:-2]):
        at = i + 1
        while token.low == "the" and at < len(tokens) - 1 and _says_little(tokens[at].text):
            at += 1
        noun, after = tokens[at], tokens[min(at + 1, len(tokens) - 1)]
        if token.low != "the" or noun.tag not in ("NN", "NNS") or noun.low in words("known"):
            continue
        tells = after.low in words("telling") or after.tag in ("NN", "NNS", "NP", "CD") or "'" in noun.text
        if not tells and _leaves_open(noun.low, local) and question.lower().count(noun.low) == 1:
            return True
    return False


def _after_the(question: str) -> Iterator[str]:
    """The words that may be meant by each "the", told without reading the sentence."""
    line = [word.strip(",;:?.\"'`") for word in question.split()]
    for i, word in enumerate(line[:-1]):
        if word in ("the", "The"):
            yield next((w for w in line[i + 1 :] if not _says_little(w)), line[-1]).lower()


def _says_little(word: str) -> bool:
    """Whether a word before a noun does not tell which one is meant: "new", "3rd", "P"."""
    return word.lower() in words("weak_adjectives") or re.fullmatch(r"\d+(?:st|nd|rd|th)|[A-Z]", word) is not None


_DEED = re.compile(r"(?:(?<!tu)tion|sion|ency|encie|ancy|ancie|ness|itie)s?$|[a-z]{4}ity$")  # "deletion": of what?


@lru_cache(maxsize=50_000)
def _vague(noun: str, local: frozenset[str] = frozenset()) -> bool:
    return noun in words("vague") | local or lemma(noun, "NOUN") in words("vague")


@lru_cache(maxsize=50_000)
def _leaves_open(noun: str, local: frozenset[str]) -> bool:
    """Whether a noun after "the" wants to be told which: a vague one, or a deed without its object."""
    deed = _DEED.search(noun) and lemma(noun, "NOUN") not in words("organisations", "people")
    return _vague(noun, local) or bool(deed)


def _telling(question: str) -> bool:
    """Whether a question has enough words of its own: a name or number, or content words that are not all vague."""
    thin = words("function_words", "adverbs", "thin")
    content = [x for x in re.findall(r"[\w-]+", question)[1:] if x.lower() not in thin and not x[0].isupper()]
    certain = [x for x in content if not _vague(x)]
    if re.fullmatch(r"(?:How many|What number of) (?!.* (?:of|in|for|on|at|to) ).* (?:is|are) there\?", question):
        return False
    if re.search(r"\d|\w [A-Z]|\"", question) or (certain and re.search(r"\bthe [\w-]+ of an? ", question)):
        return True  # "What is the fee of a map?"
    if len(content) < 4 and len(certain) < 2:
        return False  # "When is an error message generated?"
    return len(content) > 2 or (len(content) == 2 and " the " not in question)


@lru_cache(maxsize=8192)
def unresolved(text: str) -> bool:
    """Whether a sentence has "it", "they" or "them" with no noun of that number before."""
    if not re.search(r"\b(?:it|its|itself|they|them|themselves|their|that)\b", text, re.IGNORECASE):
        return False
    tokens = tag(text)
    asks = re.match(r"(?:What|Which)\b(?! happens)", text) and any(t.tag in FINITE for t in tokens[1:3])
    one, many = bool(asks), False  # "what … they" asks for one thing and speaks of many
    plural = bool(asks) and text.startswith("Which") and tokens[1].tag == "NNS"  # "which lamps … its"
    inner = False
    for place, token in enumerate(tokens):
        if token.tag == "PRP" and place and tokens[place - 1].tag in ("NN", "NNS"):
            inner = True  # "on the day it is shown"
        if place > 2 * text.endswith("?") and token.tag in ("SUB", "REL", "VBG", "TO"):
            inner = True
        if (token.low in ("it", "itself") and not (one and inner)) or (token.low == "that" and token.tag == "DT"):
            return True
        if token.low == "its" and plural:
            return True
        if token.low == "their" and asks and not many and not text.startswith("Who"):
            return True  # "What can test for their presence?"
        if token.low in ("they", "them", "themselves") and not (many and inner):
            return True
        modifies = place + 1 < len(tokens) and tokens[place + 1].tag in ("NN", "NNS")  # "two standard ways"
        if token.tag in ("NN", "NP", "NNS") and not modifies:
            person = is_person(token.low)
            plural = plural and token.tag == "NNS"
            one, many = one or token.tag != "NNS", many or person or token.tag == "NNS" or is_plural(token.text)
        many = many or (token.tag == "CC" and not asks)  # "the name and the number … they"
    return False


# --- what is broken --------------------------------------------------------------------------------------------------


def _points(text: str) -> bool:
    """Whether something of a text stands outside it. Read in small letters: much faster than to ignore their size."""
    return pattern(r"\b<pointing>\b").search(text.lower()) is not None


def stands_alone(text: str) -> bool:
    """Whether a statement points to nothing outside itself."""
    return not (_points(re.sub(r"(?i)the following (?=.*: )", "", text)) or unresolved(text))


_THINGS = frozenset(["what", "who", "name", "definition", "place"])


@lru_cache(maxsize=8192)
def _answers(answer: str) -> bool:
    """Whether an answer, whatever is asked, is whole and points to nothing outside."""
    low = answer.lower()
    return (
        low.count("(") == low.count(")")
        and low not in words("personal")
        and not _points(answer)
        and not pattern("(?i)<broken_answer>").match(answer)
        and not _repeats(answer)
    )


def sound(w: Wording) -> bool:
    """Whether a question looks whole: no reference to the outside, no broken end, an answer of the kind asked for."""
    low = w.answer.lower()
    telling = w.kind == "definition" or re.fullmatch(r"What (?:is|was) (?:the |an? )?[\w'-]+\?", w.question)
    return (
        w.question[:1].isupper()
        and 0 < len(low.split()) <= LONGEST_ANSWER
        and 3 <= len(w.question.split()) <= LONGEST_QUESTION
        and w.question.count('"') % 2 == 0
        and _answers(w.answer)
        and not _points(re.sub(r"^In the section [^?]*?, ", "", w.question))
        and not unresolved(re.sub(r"(?i)\b(what|who) (?:is it|are they) that\b", r"\1", w.question))
        and not pattern("(?i)<broken>").search(w.question)
        and not (telling and re.fullmatch(r"(?:an?|the) [a-z-]+", w.answer))
        and not (w.kind == "what" and pattern(r"(?:an?|the) <vague>$").match(w.answer))
        and not (w.kind == "duty" and re.search(r"\b(?:it|them)$|^(?:need|want|be|have)\b", low))
        and not (w.kind == "condition" and re.search(r"\bit\b.*\bit\b|^\S+ \S+$", low))
        and not _uninflected(w.question)
        and (w.kind not in _THINGS or _fits(w))
    )


def _uninflected(question: str) -> bool:
    """Whether a second verb kept the form that "does" has taken from the first: "does it stop and returns"."""
    if not re.search(r"\bd(?:o|oes|id)\b", question) or not re.search(r"\b(?:and|or|but)\b", question):
        return False
    joined = [b for a, b in itertools.pairwise(tag(question.rstrip("?"))) if a.tag == "CC"]
    return any(t.tag in ("VBZ", "VBD") or (t.low.endswith("ed") and not readings(t.text)) for t in joined)


def _repeats(answer: str) -> bool:
    """Whether a list names a thing twice, as one does whose brackets were taken out."""
    items = re.split(r",? (?:and|or) |, ", answer)
    return len(items) > 2 and len(set(items)) < len(items)


def _fits(w: Wording) -> bool:
    """Whether the answer to "What …?" or "Who …?" is a thing."""
    if w.kind == "place":
        return True
    if words("determiners", "prepositions", "relatives", "subordinators").issuperset(w.answer.lower().split()):
        return False
    unknown = re.fullmatch(r"[a-z-]+", w.answer) and not readings(w.answer) & {"NN", "NNS"}
    if unknown and (w.kind in ("definition", "name") or w.answer.endswith("ed")):
        return False  # "unimpeded", "non-native"
    if w.kind in ("definition", "name") and w.answer.endswith("ing") and w.answer.isalpha() and w.answer.islower():
        return False  # "the keepers are saying"
    if w.kind in ("what", "who", "definition") and without_article(w.answer):
        return False
    if re.search(r"(?i)\bwhat (?:is|are|was|were) ", w.question) and w.answer.startswith("to "):
        return True
    return is_thing(w.answer) or re.match(r"(?:how|what|why|where|when|which|who|whether) \w+ ", w.answer) is not None
