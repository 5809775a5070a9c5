"""The judge: whether a passage has what a question and its answer say."""

from __future__ import annotations

import re
from functools import lru_cache

from .calls import Fields, for_each_pair
from .english import data, lemma, pattern, words

_WORD = re.compile(r"\w+(?:[-'\u2019.,:]\w+)*")
_DIGITS = re.compile(r"\d(?:[\d.,:]*\d)?")
_OWN = re.compile(r"['\u2019]s?$")


@lru_cache(maxsize=50_000)
def _forms(word: str) -> frozenset[str]:
    """A word as it stands, and in its dictionary forms."""
    return frozenset([word, _OWN.sub("", word), word.rstrip("s"), lemma(word), lemma(word, "NOUN"), *word.split("-")])


@lru_cache(maxsize=256)
def words_of(text: str) -> frozenset[str]:
    """The words of a text, as they stand and in their dictionary forms; numbers in digits and in words."""
    found = frozenset[str]().union(*map(_forms, set(_WORD.findall(text.lower()))))
    spelled = data()["numbers"]
    in_digits = {str(spelled[word]) for word in found if word in spelled}
    return frozenset(found | in_digits | {word for word, value in spelled.items() if str(value) in found})


@lru_cache(maxsize=256)
def _numbers(text: str) -> frozenset[str]:
    """The numbers of a text, in digits and in words."""
    in_words = {word for word in words_of(text) if word.isdigit() or word in words("numbers")}
    return frozenset(_DIGITS.findall(text)) | in_words


@lru_cache(maxsize=8192)
def _claims(text: str) -> tuple[tuple[str, str, bool, tuple[str, ...]], ...]:
    """The words of a text that say something: as they stand, small, whether inside, and in their dictionary forms."""
    found = []
    for match in _WORD.finditer(text):
        low = _OWN.sub("", match[0].lower())
        if low not in words("small") and (len(low) > 1 or low.isdigit()):
            forms = (low, lemma(low), lemma(low, "NOUN"))
            found.append((match[0], low, match.start() > 0, forms))
    return tuple(found)


def missing(text: str, passage: str) -> tuple[list[str], float]:
    """Numbers, names and quotations that the passage lacks, and the share of other content words that it has."""
    known = words_of(passage)
    lacking: list[str] = []
    told = hits = 0
    numbers = _numbers(passage)
    for word, low, inside, forms in _claims(text):
        there = low in numbers or not known.isdisjoint(forms)
        if _DIGITS.fullmatch(word):
            lacking += [word] if word not in numbers else []
        elif (low in words("numbers") or (word[0].isupper() and inside)) and not there:
            lacking.append(word)
        else:
            told, hits = told + 1, hits + there
    for quote in re.findall(r"[\"\u201c]([^\"\u201d]+)[\"\u201d]", text):
        lacking += [f'"{quote}"'] if quote.lower() not in passage.lower() else []
    return lacking, hits / told if told else 1.0


_COUNTS = re.compile(r"(?i)^(?:in .*?, )?(?:\w+ )?(?:how many|what (?:number|percentage)|how old)\b")


def no_answer(question: str, answer: str) -> bool:
    """Whether an answer is of another kind than its question: no number for "How many …?", no yes for "May …?"."""
    if _COUNTS.match(question):
        number = pattern(r"(?i)\d|\b(?:<numbers>|half|no|none|all|both|several|an?|dozen|once|twice|every|any)\b")
        return not number.search(answer)
    if pattern("(?i)(?:in .*?, )?<yes_no>").match(question) and len(answer.split()) < 4:
        return not re.match(r"(?i)(?:yes|no|not|only|it depends)\b", answer)
    return False


@lru_cache(maxsize=256)
def _near(passage: str) -> tuple[frozenset[str], ...]:
    """For each sentence of a passage, its words with those of three before it, one after it and the headings."""
    pieces = (re.split(r"(?<=[.!?])\s+(?=[A-Z])", line) for line in passage.splitlines())
    lines = [piece for some in pieces for piece in some if piece.strip()]
    heads = frozenset[str]().union(*(words_of(line) for line in lines if line.startswith("#")))
    told = [words_of(line) for line in lines]
    return tuple(heads.union(*told[max(0, i - 3) : i + 2]) for i in range(len(told)))


def apart(question: str, answer: str, passage: str) -> bool:
    """Whether the words of a short answer stand nowhere near those of its question."""
    told, asked = content(answer), {word for word in content(question) if len(word) > 3} - content(answer)
    if not told or len(told) > 12 or len(asked) < 2:
        return False
    for around in _near(passage):
        has = sum(word in around or lemma(word) in around for word in told)
        if has >= 0.6 * len(told) and any(word in around or lemma(word) in around for word in asked):
            return False
    return True


def content(text: str) -> set[str]:
    """The words of a text that are no function words."""
    return {_OWN.sub("", word) for word in _WORD.findall(text.lower())} - words("small")


def fault(question: str, answer: str, passage: str) -> str:
    """Why a passage does not have what a question and its answer say: numbers, names, quotations, most words; or ""."""
    said = re.sub(r"^(?:Yes|No)\b[,.]? *", "", answer)
    lacking, share = missing(said, passage)
    asked, asked_share = missing(question, passage)
    lacking += [word for word in asked if word not in lacking]
    if lacking:
        return f"The passage does not mention {', '.join(lacking)}."
    if share < 0.7:
        return "Most words of the answer are not in the passage."
    if asked_share < 0.4:
        return "The passage does not speak of what the question asks."
    if not answer.strip():
        return "There is no answer."
    if no_answer(question, answer):
        return "The answer does not answer the question."
    return "The passage says this of something else." if apart(question, said, passage) else ""


@for_each_pair("judgements")
def faithfulness(pair: Fields, fields: Fields) -> Fields:
    """Whether the passage has what a pair says, and why not."""
    why = fault(pair["question"], pair["answer"], fields["passage"])
    return {"explanation": why or "The passage states the answer.", "grounded": not why}
