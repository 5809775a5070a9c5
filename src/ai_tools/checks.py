"""What can be told of a pair without asking anybody: free checks, and their reasons.

One that drops a good question is worse than one that lets an odd one pass: where a language has no form that is known
here, or a page none of its own, a pair is taken as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from .matching import ngrams, normalise, word_list
from .teachers import prompts

OPTIONS = 4  # of an exam question, the answer among them

_MAKING = {"summaries", "facts", "pairs", "reasoned_pairs", "exam"}  # replies that pairs are made of
_RUN = 5  # words in a row that nobody writes by chance
_TELLING = 4  # letters, from which on a text tells its script
_SHARE = 10  # of a passage's letters, one part at least is in each script that it is written in
_MIXED = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})  # scripts that one language mixes
_UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}

_FIELD = re.compile(r"\{[^{}]*\}")
_LETTERS = re.compile(r"\b[^\W\d_]+\b")  # what has digits in it is no word of a language
_CODE = re.compile(
    r"^(```|~~~).*?^\1|`[^`\n]+`|\$\$.+?\$\$|\$[^$\n]+\$|\\[A-Za-z]+|https?:\S+|[!-~]*[_({<>=\\/@][!-~]*",
    re.DOTALL | re.MULTILINE,
)
_OPEN = re.compile(r"_{2,}|\.{4,}|\[\s*\]|\btrue or false\b", re.IGNORECASE)  # to be filled in, or decided
_SENTENCE = re.compile(r"[.:;!)]\s+")
_STAND_IN = re.compile(
    r"(?:the )?(?:wrong|incorrect|false|plausible) (?:option|answer|choice|alternative|distractor)s?(?: ?[a-d\d])?"
    r"|(?:option|answer|choice|alternative|distractor)[ _-]?(?:[a-d]|\d|one|two|three|four)"
    r"|\.{2,}|\u2026|n/?a|n\.a|tbd|todo|placeholder",
    re.IGNORECASE,
)
# English is told by words that no other language writes, in small letters or at the beginning: titles are quoted.
_ENGLISH = frozenset(word_list("english"))
_QUESTION_WORDS, _TASKS = frozenset(word_list("question_words")), frozenset(word_list("tasks"))
_OPENING = _QUESTION_WORDS | frozenset(word_list("auxiliaries"))
_NO_TASK_AFTER = frozenset(word_list("no_task_after"))


def fault(question: str, answer: str, passage: str, *, any_language: bool = False) -> tuple[str, str] | None:
    """The first check that a pair on a passage fails, and why; None where it passes them all.

    Args:
        any_language: where the user's own words go with the prompt, which may ask for another language.
    """
    for name, check in CHECKS.items():
        if not (any_language and name == "script") and (reason := check(question, answer, passage)):
            return name, reason
    return None


def told(rejected: Mapping[str, int]) -> list[str]:
    """How many pairs failed which check, as one line for a summary; none where none did."""
    each = ", ".join(f"{count:,} {name}" for name, count in sorted(rejected.items()))
    return [f"{sum(rejected.values()):,} pairs rejected: {each}"] if each else []


def _empty(question: str, answer: str, _: str) -> str:
    return "" if question.strip() and answer.strip() else "question or answer is empty"


def _echo(question: str, answer: str, _: str) -> str:
    """Signs count where there are no words."""
    asked, said = (normalise(text) or text.strip() for text in (question, answer))
    return "the answer is the question" if asked == said else ""


# --- our own words ---


@cache
def _instructions() -> set[tuple[str, ...]]:
    """All runs of words of the prompts that pairs are made with, or what they are asked about.

    The user's own words are not among them, for they may say what pairs are to say; nor those to a judge.
    """
    asking = (one for one in prompts.every() if one.reply in _MAKING)
    texts = (text for one in asking for text in (one.system, one.user, one.reasoning, one.example))
    return {run for text in texts for part in _FIELD.split(text) for run in ngrams(part, _RUN)}


def _prompt(question: str, answer: str, passage: str) -> str:
    if found := (ngrams(question, _RUN) | ngrams(answer, _RUN)) & _instructions() - _known(passage).runs:
        first = min(map(" ".join, found), key=normalise(f"{question} {answer}").find)
        return f'words of the prompt, and not of the passage: "{first}"'
    return ""


# --- the form of a question ---


def _form(question: str, *_: str) -> str:
    if not any(sign.isalnum() for sign in question):
        return "no question: it has no words"
    marked = any("QUESTION MARK" in unicodedata.name(sign, "") or sign == "\u203d" for sign in question)
    if marked or _OPEN.search(question) or _asks(question):
        return ""
    return f'no question: "{question[:80]}"'


def _asks(question: str) -> bool:
    """Whether a text without a question mark may be a question, or a task, in its language."""
    as_written = [part.strip("\"'\u201c\u201d\u2018\u2019.,:;!()*") for part in question.split()]
    said = [part.lower() for part in as_written]
    if any(one in _TASKS and before not in _NO_TASK_AFTER for before, one in pairwise(["", *said])):
        return True
    if not _ENGLISH & {said[0], *as_written}:
        return len(said) > 2 or _says_enough(question, len(said))
    if not question.rstrip().endswith(".") and _QUESTION_WORDS & set(said):
        return True
    sentences = (sentence.lower().split() for sentence in _SENTENCE.split(question))
    return any(_OPENING & set(words[:1]) or _QUESTION_WORDS & set(words[1:2]) for words in sentences)


def _says_enough(text: str, words: int) -> bool:
    """Of a text of one word or two: whether that can be a sentence, as it can where a word is long or ends nowhere."""
    letters = _scripts(text.lower())
    count, main = sum(letters.values()), max(letters, key=letters.__getitem__, default="")
    return count > 2 if main in _UNSPACED else words == 2 and count > 11


# --- the script of a passage ---


class _Known(NamedTuple):
    """What is looked up of a passage for each of its pairs."""

    words: frozenset[str]
    runs: set[tuple[str, ...]]
    scripts: dict[str, int]


@lru_cache(maxsize=128)
def _known(passage: str) -> _Known:
    words = frozenset(word.casefold() for word in _LETTERS.findall(unicodedata.normalize("NFKC", passage)))
    return _Known(words, ngrams(passage, _RUN), _scripts(passage))


def _scripts(text: str, known: frozenset[str] = frozenset()) -> dict[str, int]:
    """How many letters of a text are in each script; code, names and words that are known aside."""
    plain = _CODE.sub(" ", unicodedata.normalize("NFKC", text))
    words = (word for word in _LETTERS.findall(plain) if word.casefold() not in known)
    # A capital makes a name, of the letters beside it that have capitals.
    signs = Counter("".join(word if word == word.lower() else re.sub(r"[^\W\d_]", _caseless, word) for word in words))
    counts = Counter[str]()
    for sign, count in signs.items():
        counts[re.split(r"[ -]", unicodedata.name(sign, "?"))[0]] += count
    return counts


def _caseless(sign: re.Match[str]) -> str:
    return sign[0] if sign[0].lower() == sign[0].upper() else ""


def _script(question: str, answer: str, passage: str) -> str:
    known = _known(passage)
    if not known.scripts:
        return ""
    main = max(known.scripts, key=known.scripts.__getitem__)
    enough = sum(known.scripts.values()) / _SHARE
    for what, text in (("question", question), ("answer", answer)):
        counts = _scripts(text, known.words)
        if sum(counts.values()) < _TELLING:
            continue
        own = max(counts, key=counts.__getitem__)
        if known.scripts.get(own, 0) < enough and not any({own, main} <= mixed for mixed in _MIXED):
            return f"the {what} is in {_named(own)} letters, the passage in {_named(main)}"
    return ""


def _named(script: str) -> str:
    return "Han" if script == "CJK" else script.title()


CHECKS: dict[str, Callable[[str, str, str], str]] = {
    "empty": _empty,
    "echo": _echo,
    "prompt": _prompt,
    "form": _form,
    "script": _script,
}


# --- the options of an exam question ---


def options(answer: str, wrong: Iterable[str], passage: str) -> tuple[tuple[str, ...], str]:
    """The answer and three wrong options, each said once; else none, and why."""
    found: dict[str, str] = {}
    left_out = []
    for option in (answer, *wrong):
        key = _alike(option)
        stands_in = _STAND_IN.fullmatch(key) and key.casefold() not in passage.casefold()
        if key in found or stands_in or not key:
            why = "said twice" if key in found else "a placeholder" if stands_in else "empty"
            left_out.append(f'"{option.strip()}" is {why}')
        else:
            found[key] = option.strip()
    if len(found) < OPTIONS or _alike(answer) not in found:
        return (), "; ".join([f"{len(found)} of {OPTIONS} options", *left_out])
    return tuple(found.values())[:OPTIONS], ""


def _alike(option: str) -> str:
    """An option as two of them are compared: a capital at the beginning and a mark at the end are the sentence's, any
    other sign may be what is asked about, as in -d and -D, C and C++."""
    text = " ".join(unicodedata.normalize("NFC", option).split())
    text = text.rstrip(".,;!\u3002") or text
    return text[:1].lower() + text[1:]
