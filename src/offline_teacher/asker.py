"""A clause into questions: every rule in turn, and then the values that no rule has asked for."""

from __future__ import annotations

import re
from dataclasses import replace

from .answers import short_form
from .clause_rules import ClauseRules
from .clauses import Phrase, parse
from .doubt import readable
from .english import lowered, pattern
from .values import values


def _parted(text: str, value: str) -> tuple[str, str]:
    """A phrase in two at the preposition that leads to a value: "for the bank" and "in the past three years"."""
    before = text[: text.index(value)]
    found = list(re.finditer(r" (?=(?:in|on|at|for|within|after|before|with|from|by|under|over) )", before))
    cut = found[-1].start() if found else 0
    return text[:cut], text[cut:].strip()


NEAR_THE_END, LONGEST_IN_PLACE = 4, 22  # words


class QuestionRules(ClauseRules):
    """The questions on one clause: each rule adds those that it can ask to `found`."""

    def all(self) -> None:
        """Every rule in turn."""
        c = self.c
        first = c.rest[0].text if c.rest and not c.rest[0].front else ""
        if c.subject.lower() == "there":
            amount = pattern(r"(?i)<bound><amount> (.+)").match(first)
            if amount and c.verb == "are":
                self.form("there", "number", first, things=amount[1])
            none = re.match(r"no ([a-z-]+(?: [a-z-]+)*)$", first)
            if none and c.verb in ("is", "are") and len(c.rest) == 1:
                article = "" if c.verb == "are" else "an " if none[1][0] in "aeiou" else "a "
                self.add("yesno", f"No, there {c.verb} {first}", f"{c.verb} there {article}{none[1]}")
            return
        if re.match(r"not (?:every|all) ", self.subject):
            every = self.but(subject=self.subject.removeprefix("not "))
            self.add("yesno", f"No, {self.stated()}", every.inverted(), f"is it true that {every.stated()}")
            return
        if c.verb in ("means", "mean") and first:
            said, kind = self.rest(front=False), re.match(r"the ([a-z]+) [\"\u201c]", self.subject)
            self.form("meaning", "definition", said)
            self.add("name", self.subject, f"{'which ' + kind[1] if kind else 'what'} means {said}")
            return
        for p in c.rest:
            told = self.equates() and p.kind in ("PP", "ADV") and not p.front
            if p.kind == "SUB":
                self.condition(p)
            elif p.kind == "INF" and self.is_purpose(p):
                self.form("purpose", "why", p.text, p)
            elif p.kind == "CL" and p is c.rest[-1] and re.match(r"(?:how|wh(?:at|ere|en|y|ich|o|ether))\b", p.text):
                self.front("what", p.text, ["what"], p)
            elif p.text and p.kind not in ("CL", "INF") and not told:
                self.phrase(p)
        self.amount(None)
        self.of_subject()
        self.definition()
        self.naming()
        self.location()
        self.yes_no()

    def buried(self, text: str) -> None:
        """For a value that no rule has asked for: the sentence with a question word in its place.

        A value is a number with its unit, a code ("receipt R-8"), or a name with its class ("the course First Light",
        "the Settlement Bureau"). What an exam would ask in this order is asked here instead: coverage comes first.
        """
        asked = [short_form(w.question, w.answer) for w in self.found if not w.exam]
        found, self.found = self.found, []
        for start, end, words_for, answer in values(text):
            core = answer.removeprefix("the ")
            known = any(core in told and len(told.split()) <= len(core.split()) + 1 for told in asked)
            if not known and (question := self.about(text, start, end, words_for)):
                self.add("number" if answer[0].isdigit() else "name", answer, question)
        self.found += found

    def about(self, text: str, start: int, end: int, asking: str) -> str:
        """The question for a value inside a phrase, with the phrase first; in its place where that cannot be moved."""
        value = text[start:end]
        in_place = lowered(text[:start] + asking + text[end:].rstrip("."), self.names)
        if value in self.c.subject:
            return in_place
        for p in self.c.rest:
            if p.text.count(value) != 1:
                continue
            if p.kind == "SUB":
                if " there " in p.text:
                    break
                inside = self.inside_condition(p, value)
                if not inside and p.front:  # "A guide must be called if the raft is more than how many years old?"
                    inside = f"{self.stated([p])} {lowered(p.text.replace(value, asking), self.names)}"
                if inside:
                    return inside
                break
            if p.kind in ("NP", "PP") and not p.front and not re.search(r" (?:that|which|who|whose|where|to) ", p.text):
                head, tail = _parted(p.text, value)
                if self.c.voice == "copula":
                    break  # what something is, is not taken apart
                kept = tuple(replace(q, text=head) if q is p else q for q in self.c.rest if head or q is not p)
                asked = self.but(rest=kept)
                return f"{lowered(tail.replace(value, asking), self.names)} {asked.inverted()}"
        # "The vault is built to withstand a fire for how many minutes?" asks plainly; far from the end it would not.
        ends = len(text[end:].split()) <= NEAR_THE_END and len(text.split()) <= LONGEST_IN_PLACE
        return in_place if ends else ""

    def inside_condition(self, p: Phrase, value: str) -> str:
        """ "How many barrels does a raft carry when it must stop?", from "… must stop when it carries six barrels"."""
        low, _, inner = p.text.partition(" ")
        clause = parse(inner) if low.lower() in ("if", "when", "whenever", "once") else None
        if clause is None or not readable(clause):
            return ""
        inside = QuestionRules(clause, self.names)
        inside.all()
        for w in inside.found:
            if not w.exam and value.startswith(w.answer.split()[0]) and len(w.answer.split()) < 5:
                return f"{w.question[0].lower()}{w.question[1:-1]} when {self.stated([p])}"
        return ""
