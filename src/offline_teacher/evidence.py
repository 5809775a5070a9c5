"""Where a passage says what a pair asks: its statements, and which of them hold an answer.

stated(passage)     everything that a passage says, a statement each
evidence(…)         the statement that holds the answer and is about the question
rival(…)            a value that the passage gives for the question, where it is another than the answer's
dropped(…)          the condition or exception that a statement has and a pair leaves out
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from .english import data, lemma, pattern, words
from .facts import facts, plain, statements
from .judging import content, words_of

_ANCHOR = re.compile(r"^In the section [^?]*?, (?=[a-z])")
_CASE = re.compile(r"^Suppose(?: that)? (?P<case>[^?]+?[.;:]) (?=[A-Z])")
_TOGETHER = 6  # words of an answer, up to which its numbers and names must stand in one statement
_CAPITAL = r"(?<![\w'-])[A-Z][\w-]*"
_LIMIT = re.compile(
    r"\b(?P<word>unless|except|only|if|provided that|other than|but not)\b(?P<said>[^,;]*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a passage, made to stand alone where the rules can; `source` is how it stood there."""

    text: str
    source: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement, how much of the answer it holds and how much of the question it is about, both from 0 to 1."""

    statement: Statement
    holds: float
    about: float


@lru_cache(maxsize=256)
def stated(passage: str) -> tuple[Statement, ...]:
    """What a passage says, in its order: the facts, and the sentences that no fact was made of."""
    of_source: dict[str, list[str]] = {}
    for fact in facts(passage):
        of_source.setdefault(fact.source, []).append(fact.text)
    found: dict[str, Statement] = {}
    for sentence in statements(passage):
        whole = plain(sentence.text)
        for text in (whole, *of_source.get(sentence.source, ())):
            known = words_of(text) | words_of(sentence.section)
            found.setdefault(text, Statement(text, sentence.source, known))
    if not found:  # a table or code, which has no sentences
        lines = filter(None, map(str.strip, passage.splitlines()))
        found = {line: Statement(line, line, words_of(line)) for line in lines}
    return tuple(found.values())


@lru_cache(maxsize=256)
def _frequency(passage: str) -> dict[str, int]:
    return Counter(word for statement in stated(passage) for word in statement.words)


def _share(wanted: frozenset[str], statement: Statement, passage: str) -> float:
    """How much of some words a statement has, rare ones counting for more."""
    rare = _frequency(passage)
    weights = {word: 1 / max(1, rare.get(word, rare.get(lemma(word), 1))) ** 0.5 for word in wanted}
    there = sum(w for word, w in weights.items() if word in statement.words or lemma(word) in statement.words)
    return there / sum(weights.values()) if weights else 1.0


def flat(text: str) -> str:
    """A text in small letters, spaces and marks at its ends aside, to be looked for in another."""
    return " ".join(text.lower().split()).strip(" .,;:!?")


def asked(question: str) -> str:
    """A question without the section that it names, or the case that it puts, at its beginning."""
    return _CASE.sub("", _ANCHOR.sub("", question))


def supposed(question: str) -> str:
    """The case that a question puts ("Suppose that 600 clients are affected."), which no passage need have; or ""."""
    found = _CASE.match(question)
    return found["case"] if found else ""


def _about(question: str) -> frozenset[str]:
    """The words of a question, or of the case that it puts, that tell what it is about."""
    told = content(supposed(question) or asked(question))
    return frozenset(told - words("asking_words") or told)


@lru_cache(maxsize=4096)
def evidence(question: str, answer: str, passage: str) -> Evidence | None:
    """The statement that best holds an answer and is about its question; the shorter one of two that do so alike."""
    a, said = frozenset(content(answer)), flat(answer)
    q = _about(question) - a or _about(question)
    found = [Evidence(one, _share(a, one, passage), _share(q, one, passage)) for one in stated(passage)]

    def rank(one: Evidence) -> tuple[float, int]:
        word_for_word = 0.5 if said and said in one.statement.text.lower() else 0.0
        return round(one.holds + one.about + word_for_word, 3), -len(one.statement.text)

    return max(found, key=rank, default=None)


def numbers_of(text: str) -> dict[str, tuple[str, str]]:
    """The numbers of a text in digits, each with its words as they stand ("nine years") and its unit ("year")."""
    spelled = data()["numbers"]
    found: dict[str, tuple[str, str]] = {}
    numbers = pattern(r"(?i)(?<![\w.,-])(\d(?:[\d.,:]*\d)?|<numbers>)(?: (?:business |calendar |working )?([a-z]+))?")
    for match in numbers.finditer(text):
        number = match[1].lower()
        if number != "one":  # which is a pronoun more often
            found[str(spelled.get(number, number))] = (match[0], lemma(match[2] or "", "NOUN"))
    return found


def _measure(unit: str) -> str:
    """What a unit measures: time, or things of its own kind."""
    return "time" if pattern("<unit>").fullmatch(unit) else unit


@lru_cache(maxsize=8192)
def names_of(text: str, passage: str) -> frozenset[str]:
    """The words of a text that the passage has with a capital letter only: names, as far as that can be told."""
    capital = set(re.findall(_CAPITAL, text)) & set(re.findall(_CAPITAL, passage))
    small = _small_words(passage)
    return frozenset(word for word in capital if word.lower() not in small and content(word))


@lru_cache(maxsize=256)
def _small_words(passage: str) -> frozenset[str]:
    return frozenset(re.findall(r"(?<![\w'-])[a-z][\w-]*", passage))


@lru_cache(maxsize=4096)
def rival(question: str, answer: str, passage: str) -> str:
    """Another number or name that the passage gives for what is asked; "" where it gives the answer's.

    A statement that is about the question far more than any that has the answer's values has the right ones. Values
    of a longer answer that stand in no one statement together are left alone.
    """
    q, numbers, names = _about(question), numbers_of(answer), names_of(answer, passage)
    if not (numbers or names) or " or " in question:
        return ""
    units = {_measure(unit) for _, unit in numbers.values()} - {""}
    short = len(answer.split()) <= _TOGETHER
    having, others = (0.0 if short else -1.0), (0.0, "")
    for statement in stated(passage):
        about = _share(q, statement, passage)
        theirs, named = numbers_of(statement.text), names_of(statement.text, passage)
        if numbers.keys() <= theirs.keys() and names <= named:
            having = max(having, about)
            continue
        if numbers:
            others_of = ((said, unit) for number, (said, unit) in theirs.items() if number not in numbers)
            value = next((said for said, unit in others_of if not units or _measure(unit) in units), "")
        else:
            fresh = names_of(statement.text, passage) - names_of(question, passage)
            value = " ".join(word for word in re.findall(_CAPITAL, statement.text) if word in fresh)
        if value:
            others = max(others, (about, value))
    return others[1] if 0 <= having < others[0] - 0.12 else ""


def dropped(question: str, answer: str, statement: str) -> str:
    """The limiting part of a statement ("unless …", "only …") that neither question nor answer has; "" if none."""
    told = f"{question} {answer}".lower()
    known = words_of(told)
    for match in _LIMIT.finditer(statement):
        said = content(match["said"])
        has = sum(word in known or lemma(word) in known for word in said)
        if match["word"].lower() not in told and has < 0.6 * max(1, len(said)):
            return match[0].strip(" .")
    return ""


def limits(statement: str) -> str:
    """The condition, limit or exception that a statement has; "" if none."""
    found = re.search(r"(?i)\b(?:unless|except|only (?:if|when)|provided that|if) [^,;.]*", statement)
    return found[0].strip() if found else ""
