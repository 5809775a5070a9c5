"""Facts into questions with short answers, by rules of English grammar.

    asked(passage)      the facts of a passage, each with its wordings
    wordings(fact)      question and answer pairs, each with its kind and whether it is kept for the exam

A fact that no rule fits, or that is not surely read rightly, gives nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from .answers import short_form
from .asker import QuestionRules
from .doubt import sure
from .facts import Fact, facts, proper_words
from .orders import Wording
from .soundness import anchored, sound, unresolved

_JOINABLE = frozenset(["condition", "duty", "what", "who"])


@lru_cache(maxsize=512)
def asked(passage: str, place: str = "") -> tuple[tuple[Fact, tuple[Wording, ...]], ...]:
    """The facts of a passage with their wordings.

    Where two facts answer one question differently, the answers are joined if they come from one sentence ("What
    happens if the lamp breaks?"), and the question is dropped otherwise.
    """
    names = proper_words(passage)
    rows = [(fact, wordings(fact, names)) for fact in facts(passage, place)]
    twins: dict[str, dict[str, Fact]] = {}
    for fact, found in rows:
        for w in found:
            twins.setdefault(w.question, {}).setdefault(w.answer, fact)

    def settled(w: Wording, fact: Fact) -> Iterator[Wording]:
        first, *others = twins[w.question].items()
        if not others:
            yield w
        elif w.kind in _JOINABLE and first == (w.answer, fact) and all(f.source == fact.source for _, f in others):
            yield replace(w, answer=" and ".join(twins[w.question]))

    return tuple((fact, tuple(one for w in found for one in settled(w, fact))) for fact, found in rows)


def wordings(fact: Fact, names: frozenset[str] = frozenset()) -> tuple[Wording, ...]:
    """Every question that the rules can ask about a fact, without repeats. `names` are words that stay capitalised."""
    names = names or proper_words(fact.text)
    candidates, said = _candidates(fact.text, frozenset(name for name in names if name in fact.text))
    # Cached by what concerns it: summaries repeat a fact among other names.
    return _placed(candidates, fact.section, fact.local & said)


@lru_cache(maxsize=20_000)
def _placed(candidates: tuple[Wording, ...], section: str, local: frozenset[str]) -> tuple[Wording, ...]:
    """The candidates that are asked, each with its section where it needs one."""
    found: dict[str, Wording] = {}
    for wording in (anchored(w, section, local) for w in candidates):
        if sound(wording):
            short = short_form(wording.question, wording.answer)
            kept = wording.exam and _is_reserved(wording.question)
            found.setdefault(wording.question, replace(wording, answer=short, exam=kept))
    return tuple(found.values())


@lru_cache(maxsize=20_000)
def _candidates(text: str, names: frozenset[str]) -> tuple[tuple[Wording, ...], frozenset[str]]:
    """What the rules ask about a fact, and the words of all those questions."""
    found = _by_rules(text, names)
    return tuple(found), frozenset(word for w in found for word in re.findall(r"[a-z-]+", w.question))


def _by_rules(text: str, names: frozenset[str]) -> list[Wording]:
    outside = r"(?:with|by|in|on|for) (?:this|these|that|those|such) [a-z]+(?=[.,])"  # "a box marked in such cases"
    text = re.sub(rf"(?<! is)(?<! are)(?<! was)(?<! be) [a-z]+(?:ed|de|en) {outside}", "", text)
    text, _, items = text.partition(": ")
    if items and not (" ".join(text.split()[-1:]).islower() or re.search(r",| and ", items)):
        return []  # no things listed or said: the colon belongs to a word, as in "the Tasks: field"
    clause = sure(text)
    if clause is None or unresolved(text):
        return []
    rules = QuestionRules(clause, names)
    if items:
        rules.listed(items.rstrip("."))
    if not clause.subject.lower().startswith("the following "):
        rules.all()
        rules.buried(text)
    return rules.found


_PLAIN = re.compile(
    r"(?i)^(?:\w+ )?(?:what|which|who|whom|how|when|where|why)\b"
    r"|\b(?:what|which|who|whom|how|when|where)\b(?: \S+){0,4}\?$"
)


def _is_reserved(question: str) -> bool:
    """Whether a question in a form for exams is kept for them: every second one, and those with the gap in the middle.

    Told by its words, the same in every run. The others teach: students that had never met these forms scored two to
    four points lower.
    """
    return zlib.crc32(question.encode()) % 2 == 0 or not _PLAIN.search(question)
