"""The orders of words in which a clause is asked about: inverted, stated, with its predicate first.

The question forms stand in english.yaml. An answer is made of the clause, after "Yes,", "No," or a pronoun at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from .clauses import Clause, Phrase
from .english import capital, data, inflect, lemma, lowered, words
from .phrases import joined
from .tagging import is_plural


@dataclass(frozen=True, slots=True)
class Wording:
    """One question. `kind` says what it asks for; `exam` marks those that are kept for exams."""

    question: str
    answer: str
    kind: str
    exam: bool = False


def say(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def led(prep: str, asking: Iterable[str], person: str = "whom") -> list[str]:
    """Question words after a preposition: "by whom", "by which office"."""
    return [f"{prep} {person if word == 'who' else word}" for word in asking]


class Orders:
    """One clause, the orders of words that its questions need, and the questions found so far."""

    def __init__(self, clause: Clause, names: frozenset[str]):
        adverbs = tuple(a for a in clause.adverbs if a not in words("silent"))
        rest = tuple(p for p in clause.rest if {*p.text.lower().split()[:1]}.isdisjoint(words("conceding")))
        self.c = replace(clause, rest=joined(rest), adverbs=adverbs)
        self.names = names
        self.subject = lowered(clause.subject, names)
        self.noun = self.subject.rstrip(",")
        self.found: list[Wording] = []

    def but(self, **changes: Any) -> Self:
        """The same clause with other adverbs or helpers."""
        return type(self)(replace(self.c, **changes), self.names)

    # the orders of words

    def rest(self, skip: Iterable[Phrase] = (), front: bool = True) -> str:
        left = [p for p in self.c.rest if p not in list(skip)]
        return say(*(p.text for p in left if not p.front), *(p.text for p in left if p.front and front))

    def verbs(self) -> str:
        """Helpers, adverbs and verb in the order of a statement."""
        c = self.c
        if c.voice == "copula" and not c.helpers:
            return say(c.verb, *c.adverbs)
        return say(*c.helpers[:1], *c.adverbs, *c.helpers[1:], c.verb)

    def helper(self) -> str:
        """The helper that a question needs where the clause has none."""
        return {"VBZ": "does", "VBP": "do", "VBD": "did"}.get(self.c.tense, "")

    def inverted(self, skip: Iterable[Phrase] = (), soft: bool = False) -> str:
        """Helper, subject, verb and the rest, as it follows a question word; `soft` says "have to" for "must"."""
        c = self.c
        if c.helpers:
            lead, tail = c.helpers[0], [*c.helpers[1:], c.verb]
            if soft and lead == "must":
                lead, tail = "do" if is_plural(self.noun) else "does", ["have to", *tail]
        elif c.voice == "copula":
            return say(c.verb, self.noun, *c.adverbs, self.rest(skip))
        else:
            lead, tail = self.helper(), [lemma(c.verb)]
        return say(lead, self.subject, *c.adverbs, *tail, self.rest(skip))

    def stated(self, skip: Iterable[Phrase] = ()) -> str:
        return say(self.subject, self.verbs(), self.rest(skip))

    def in_place(self, p: Phrase, asking: str) -> str:
        """The statement with question words where a phrase was: the order that is also kept for exams."""
        texts = [(q.front, asking if q is p else q.text) for q in self.c.rest]
        lead = ", ".join(text for front, text in texts if front)
        return say(lead and lead + ",", self.subject, self.verbs(), *(text for front, text in texts if not front))

    def predicate(self, singular: bool) -> str:
        """Verb and rest, as it follows a question word that is the subject."""
        c = self.c
        change = {"are": "is", "were": "was", "have": "has", "do": "does"} if singular else {}
        helpers = tuple(change.get(h, h) for h in c.helpers[:1]) + c.helpers[1:]
        verb = c.verb
        if not helpers:
            verb = change.get(verb, inflect(lemma(verb), "VBZ") if singular and c.tense == "VBP" else verb)
        return say(self.but(helpers=helpers, verb=verb).verbs(), self.rest())

    # collecting

    def add(self, kind: str, answer: str, *questions: str, exam: bool = False) -> None:
        answer = re.sub(r"^then ", "", answer.strip(" ,;:.")).replace("can not ", "cannot ")
        for question in questions:
            text = re.sub(r"\s+([,?])", r"\1", re.sub(r"\s+", " ", question)).strip(" ,;.")
            text = text.replace("can not ", "cannot ")
            self.found.append(Wording(capital(text) + "?", answer, kind, exam))

    def form(self, name: str, kind: str, answer: str, *skip: Phrase, **parts: str) -> None:
        """The questions of one entry of the table `questions`, in training and in the exam."""
        known = {"subject": self.noun, "inverted": self.inverted(skip), "stated": self.stated(skip), **parts}
        for use, templates in data()["questions"][name].items():
            self.add(kind, answer, *(template.format(**known) for template in templates), exam=use == "exam")

    def front(self, kind: str, answer: str, asking: Iterable[str], *skip: Phrase, exam: bool = False) -> None:
        """Questions that open with question words."""
        asking = list(asking)
        self.add(kind, answer, *(f"{word} {self.inverted(skip)}" for word in asking), exam=exam)
        if asking and not exam and self.c.helpers[:1] == ("must",) and not self.c.negated:
            self.add(kind, answer, f"{asking[0]} {self.inverted(skip, soft=True)}")

    def phrase_asked(self, kind: str, answer: str, asking: list[str], p: Phrase) -> None:
        """Questions on one phrase: question words first in training, in its place in the exam."""
        self.front(kind, answer, asking, p)
        self.add(kind, answer, self.in_place(p, asking[0]), exam=True)

    def specific(self, skip: Iterable[Phrase] = ()) -> bool:
        """Whether the rest of the clause says enough to ask about: a number, a name, or many words."""
        text = self.stated(skip)
        return bool(re.search(r"\d|(?<=[a-z] )[A-Z]", text)) or len(text.split()) > 6
