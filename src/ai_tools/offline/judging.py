"""The judge: whether a passage has what a question and its answer say."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from . import english
from .calls import Reply

_SMALL = (
    "determiners", "prepositions", "subordinators", "modals", "be", "have", "do", "personal", "question_words",
    "relatives", "small",
)  # fmt: skip


@lru_cache(maxsize=256)
def words_of(text: str) -> frozenset[str]:
    """The words of a text, as they stand and in their dictionary forms; numbers in digits and in words."""
    found = set()
    for word in re.findall(r"\w+(?:[-'\u2019.,:]\w+)*", text.lower()):
        bare = re.sub(r"['\u2019]s?$", "", word)
        found |= {word, bare, word.rstrip("s"), english.lemma(word), english.lemma(word, "NOUN"), *word.split("-")}
    spelled = english.data()["numbers"]
    in_digits = {str(spelled[word]) for word in found if word in spelled}
    return frozenset(found | in_digits | {word for word, value in spelled.items() if str(value) in found})


@lru_cache(maxsize=256)
def _numbers(text: str) -> frozenset[str]:
    """The numbers of a text, in digits and in words."""
    known = frozenset(re.findall(r"\d(?:[\d.,:]*\d)?", text))
    return known | {word for word in words_of(text) if word.isdigit() or word in english.words("numbers")}


def missing(text: str, passage: str) -> tuple[list[str], float]:
    """Numbers, names and quotations that the passage lacks, and the share of other content words that it has."""
    known = words_of(passage)
    lacking: list[str] = []
    told = hits = 0
    numbers = _numbers(passage)
    for match in re.finditer(r"\w+(?:[-'\u2019.,:]\w+)*", text):
        word = match[0]
        low = re.sub(r"['\u2019]s?$", "", word.lower())
        if low in english.words(*_SMALL) or (len(low) < 2 and not low.isdigit()):
            continue
        there = low in numbers or low in known or english.lemma(low) in known or english.lemma(low, "NOUN") in known
        if re.fullmatch(r"\d(?:[\d.,:]*\d)?", word):
            lacking += [word] if word not in numbers else []
        elif (low in english.words("numbers") or (word[0].isupper() and match.start() > 0)) and not there:
            lacking.append(word)
        else:
            told, hits = told + 1, hits + there
    for quote in re.findall(r"[\"\u201c]([^\"\u201d]+)[\"\u201d]", text):
        lacking += [f'"{quote}"'] if quote.lower() not in passage.lower() else []
    return lacking, hits / told if told else 1.0


_COUNTS = re.compile(r"(?i)^(?:in .*?, )?(?:\w+ )?(?:how many|what (?:number|percentage)|how old)\b")
_YES_NO = re.compile(r"(?i)^(?:in .*?, )?(?:is|are|was|were|do|does|did|may|can|must|should|has|have|will)\b")


def no_answer(question: str, answer: str) -> bool:
    """Whether an answer is of another kind than its question: no number for "How many …?", no yes for "May …?"."""
    if _COUNTS.match(question):
        number = english.pattern(
            r"(?i)\d|\b(?:<numbers>|half|no|none|all|both|several|an?|dozen|once|twice|every|any)\b"
        )
        return not number.search(answer)
    if _YES_NO.match(question) and len(answer.split()) < 4:
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
        has = sum(word in around or english.lemma(word) in around for word in told)
        if has >= 0.6 * len(told) and any(word in around or english.lemma(word) in around for word in asked):
            return False
    return True


def content(text: str) -> set[str]:
    """The words of a text that are no function words."""
    found = re.findall(r"\w+(?:[-'\u2019.,:]\w+)*", text.lower())
    return {re.sub(r"['\u2019]s?$", "", word) for word in found} - english.words(*_SMALL)


def fault(question: str, answer: str, passage: str) -> str:
    """Why a passage does not have what a question and its answer say: numbers, names, quotations, most words; or ""."""
    said = re.sub(r"^(?:Yes|No)\b[,.]? *", "", answer)
    lacking, share = missing(said, passage)
    asked, asked_share = missing(question, passage)
    lacking += [word for word in asked if word not in lacking]
    faults = {
        f"The passage does not mention {', '.join(lacking)}.": bool(lacking),
        "Most words of the answer are not in the passage.": share < 0.7,
        "The passage does not speak of what the question asks.": asked_share < 0.4,
        "There is no answer.": not answer.strip(),
        "The answer does not answer the question.": no_answer(question, answer),
        "The passage says this of something else.": apart(question, said, passage),
    }
    return next((why for why, found in faults.items() if found), "")


def faithfulness(fields: dict[str, Any], seed: int) -> Reply:
    """For each pair, whether the passage has what it says, and why not."""
    rows: list[dict[str, Any]] = []
    for pair in fields["pairs"]:
        why = fault(pair["question"], pair["answer"], fields["passage"])
        rows.append({"id": pair["id"], "explanation": why or "The passage states the answer.", "grounded": not why})
    return {"judgements": rows}
