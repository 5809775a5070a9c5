"""Facts into questions with short answers, by rules of English grammar.

    asked(passage)      the facts of a passage, each with its wordings
    wordings(fact)      question and answer pairs, each with its kind and whether it is kept for the exam
    _Asker              the rules: each asks for one part of a clause (a time, a number, the doer, the subject, …)
    _anchored … _sound  which questions name their section, and which are dropped

The question forms stand in english.yaml. A fact that no rule fits gives nothing. An answer is made of the fact,
after "Yes,", "No," or a pronoun at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from .answers import short_form
from .clauses import Clause, Phrase, asked_for, joined, kind_of, parse, readable, timed
from .english import data, head_of, inflect, is_person, is_plural, lemma, lowered, pattern, readings, words
from .facts import Fact, facts, proper_words


@dataclass(frozen=True, slots=True)
class Wording:
    """One question. `kind` says what it asks for; `exam` marks the forms that training questions never use."""

    question: str
    answer: str
    kind: str
    exam: bool = False


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
    return _wordings(fact.text, fact.section, fact.local, names or proper_words(fact.text))


@lru_cache(maxsize=20_000)
def _wordings(text: str, section: str, local: frozenset[str], names: frozenset[str]) -> tuple[Wording, ...]:
    outside = r"(?:with|by|in|on|for) (?:this|these|that|those|such) [a-z]+(?=[.,])"  # "a box marked in such cases"
    text = re.sub(rf"(?<! is)(?<! are)(?<! was)(?<! be) [a-z]+(?:ed|de|en) {outside}", "", text)
    text, _, items = text.partition(": ")
    clause = parse(text)
    if clause is None or not readable(clause):
        return ()
    asker = _Asker(clause, names)
    if items:
        asker.listed(items.rstrip("."))
    if not clause.subject.lower().startswith("the following "):
        asker.all()
        asker.buried(text)
    found: dict[str, Wording] = {}
    for wording in (_anchored(w, section, local) for w in asker.found):
        if _sound(wording):
            short = replace(wording, answer=short_form(wording.question, wording.answer))
            found.setdefault(wording.question, short)
    return tuple(found.values())


# --- the rules ------------------------------------------------------------------------------------------------------


def _say(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _counted(noun: str) -> bool:
    """Whether a noun may follow "how many"."""
    return noun.endswith("s") or "NNS" in readings(noun)


class _Asker:
    """The questions on one clause: each rule adds those that it can ask to `found`."""

    def __init__(self, clause: Clause, names: frozenset[str]):
        adverbs = tuple(a for a in clause.adverbs if a not in words("silent"))
        self.c = replace(clause, rest=joined(clause.rest), adverbs=adverbs)
        self.names = names
        self.subject = lowered(clause.subject, names)
        self.noun = self.subject.rstrip(",")
        self.found: list[Wording] = []

    def but(self, **changes: Any) -> _Asker:
        """The same clause with other adverbs or helpers."""
        return _Asker(replace(self.c, **changes), self.names)

    # the orders of words

    def rest(self, skip: Iterable[Phrase] = (), front: bool = True) -> str:
        left = [p for p in self.c.rest if p not in list(skip)]
        return _say(*(p.text for p in left if not p.front), *(p.text for p in left if p.front and front))

    def verbs(self) -> str:
        """Helpers, adverbs and verb in the order of a statement."""
        c = self.c
        if c.voice == "copula" and not c.helpers:
            return _say(c.verb, *c.adverbs)
        return _say(*c.helpers[:1], *c.adverbs, *c.helpers[1:], c.verb)

    def helper(self) -> str:
        """The helper that a question needs where the clause has none."""
        return {"VBZ": "does", "VBP": "do", "VBD": "did"}.get(self.c.tense, "")

    def inverted(self, skip: Iterable[Phrase] = (), soft: bool = False) -> str:
        """Helper, subject, verb and the rest, as it follows a question word; `soft` says "have to" for "must"."""
        c = self.c
        if c.helpers:
            lead, tail = c.helpers[0], [*c.helpers[1:], c.verb]
            if soft and lead == "must":
                lead, tail = "do" if is_plural(c.subject) else "does", ["have to", *tail]
        elif c.voice == "copula":
            return _say(c.verb, self.noun, *c.adverbs, self.rest(skip))
        else:
            lead, tail = self.helper(), [lemma(c.verb)]
        return _say(lead, self.subject, *c.adverbs, *tail, self.rest(skip))

    def stated(self, skip: Iterable[Phrase] = ()) -> str:
        return _say(self.subject, self.verbs(), self.rest(skip))

    def in_place(self, p: Phrase, asking: str) -> str:
        """The statement with question words where a phrase was: the order that only exam questions use."""
        texts = [(q.front, asking if q is p else q.text) for q in self.c.rest]
        lead = ", ".join(text for front, text in texts if front)
        return _say(lead and lead + ",", self.subject, self.verbs(), *(text for front, text in texts if not front))

    def predicate(self, singular: bool, skip: Iterable[Phrase] = ()) -> str:
        """Verb and rest, as it follows a question word that is the subject."""
        c = self.c
        change = {"are": "is", "were": "was", "have": "has", "do": "does"} if singular else {}
        helpers = tuple(change.get(h, h) for h in c.helpers[:1]) + c.helpers[1:]
        verb = c.verb
        if not helpers:
            verb = change.get(verb, inflect(lemma(verb), "VBZ") if singular and c.tense == "VBP" else verb)
        return _say(self.but(helpers=helpers, verb=verb).verbs(), self.rest(skip))

    # collecting

    def add(self, kind: str, answer: str, *questions: str, exam: bool = False) -> None:
        answer = re.sub(r"^then ", "", answer.strip(" ,;:.")).replace("can not ", "cannot ")
        for question in questions:
            text = re.sub(r"\s+([,?])", r"\1", re.sub(r"\s+", " ", question)).strip(" ,;.")
            text = text.replace("can not ", "cannot ")
            self.found.append(Wording(text[:1].upper() + text[1:] + "?", answer, kind, exam))

    def form(self, name: str, kind: str, answer: str, *skip: Phrase, **parts: str) -> None:
        """The questions of one entry of the table `questions`, in training and in the exam."""
        known = {"subject": self.noun, "inverted": self.inverted(skip), "stated": self.stated(skip), **parts}
        for use, templates in data()["questions"][name].items():
            self.add(kind, answer, *(template.format(**known) for template in templates), exam=use == "exam")

    def front(self, kind: str, answer: str, asking: Iterable[str], *skip: Phrase, exam: bool = False) -> None:
        """Questions that open with question words."""
        self.add(kind, answer, *(f"{word} {self.inverted(skip)}" for word in asking), exam=exam)

    def phrase_asked(self, kind: str, answer: str, asking: list[str], p: Phrase) -> None:
        """Questions on one phrase: question words first in training, in its place in the exam."""
        self.front(kind, answer, asking, p)
        self.add(kind, answer, self.in_place(p, asking[0]), exam=True)

    # the rules, in the order in which they are tried

    def all(self) -> None:
        """Every rule in turn."""
        c = self.c
        first = c.rest[0].text if c.rest and not c.rest[0].front else ""
        if c.subject.lower() == "there":
            amount = pattern(r"(?i)<bound><amount> (.+)").match(first)
            if amount and c.verb == "are":
                self.form("there", "number", first, things=amount[1])
            return
        if c.verb in ("means", "mean") and first:
            said, kind = self.rest(front=False), re.match(r"the ([a-z]+) [\"\u201c]", self.subject)
            self.form("meaning", "definition", said)
            self.add("name", self.subject, f"{'which ' + kind[1] if kind else 'what'} means {said}")
            return
        equates = c.voice == "copula" and any(p.kind == "NP" and not p.front for p in c.rest[:2])
        for p in c.rest:
            if p.kind == "SUB":
                self.condition(p)
            elif p.kind == "INF" and (c.voice == "passive" or p.front):
                self.form("purpose", "why", p.text, p)
            elif p.text and p.kind not in ("CL", "INF") and not (equates and p.kind in ("PP", "ADV") and not p.front):
                self.phrase(p)
        self.amount(None)
        self.of_subject()
        self.definition()
        self.naming()
        self.location()
        self.yes_no()

    def phrase(self, p: Phrase) -> None:
        """One phrase: asked for by the first rule that knows its kind."""
        if self.time(p) or self.degree(p) or p.kind in ("ADV", "ADJ"):
            return
        c, noun, at = self.c, p.noun, self.c.rest.index(p)
        outside = words("personal", "relatives") | {"this", "these", "what"}
        if not noun or noun.split()[0].lower() in outside or (p.front and p.kind != "PP"):
            return
        if not self.measure(p):
            self.amount(p)
        two = p.kind == "NP" and at + 1 < len(c.rest) and c.rest[at + 1].kind == "NP"  # "costs the bank 1.40 dollars"
        if two or (p.kind == "NP" and c.voice == "copula"):
            return
        if p.prep.lower().split()[-1:] == ["by"] and (c.voice == "passive" or noun.split()[0].endswith("ing")):
            self.agent(p)
        elif p.kind == "PP":
            self.place_or_thing(p)
        else:
            self.object(p)

    def time(self, p: Phrase) -> bool:
        """A time, a deadline, a duration or a frequency, by the table `times`."""
        found = timed(p.text)
        if found is None:
            return False
        kind, asking = found["kind"], found["training"]
        if " and " in p.text:
            if p.kind == "PP":
                self.phrase_asked(kind, p.text, ["when"], p)
            return True
        short = p.text
        if "same" not in p.text:
            lead = r"^(?:[Oo]nly )?(?:within|for|after|in|on|by|at) (?=.*(?:\d|[A-Z]|\b<amount>\b|days))"
            short = pattern(lead).sub("", p.text)
        if self.c.helpers[:1] == ("must",) and not self.c.negated:
            self.add(kind, short, f"{asking[0]} {self.inverted([p], soft=True)}")
        for word in asking:
            bare = re.sub(r"^(?:every|each) ", "", short) if re.match(r"(?:on|in) which (?:day|month)", word) else short
            self.front(kind, p.text if word in ("how soon", "when") else bare, [word], p)
        self.front(kind, short, found["exam"], p, exam=True)
        self.add(kind, short, self.in_place(p, asking[0]), exam=True)
        if found["cleft"] and not self.c.negated:
            self.add(kind, short, f"what is {found['cleft']} {self.stated([p])}")
        return True

    def degree(self, p: Phrase) -> bool:
        """ "must not be older than 40 days": "How old may … be at most?"."""
        found = pattern(r"(\w+) than (<amount> .+)").match(p.text)
        degrees = data()["degrees"]
        if not found or found[1] not in degrees or not (self.c.negated and self.c.helpers):
            return False
        word, measure = degrees[found[1]]
        may = self.but(adverbs=(), helpers=("may", *self.c.helpers[1:]))
        self.form("degree", "number", found[2], word=word, measure=measure, inverted=may.inverted([p]))
        return True

    def measure(self, p: Phrase) -> bool:
        """ "a fine of 75 dollars", "a notice of 65 days"."""
        found = pattern(
            r"(?i)(an?|the|its) ([\w' -]+?) of ((?:between )?<bound><count>(?: and <count>)? "
            r"(?!(?:of|to|or|and)\b)([\w-]+\b(?!['\u2019]))(?: (?:per|an?) \w+)?)(.*)$"
        ).match(p.noun)
        if not found or found[2].split()[-1] in ("list", "one", "number") or not _counted(found[4]):
            return False
        article, what, answer, unit, after = found.groups()
        thing = f"the {what}{after} {p.prep + ' which' if p.prep else 'that'} {self.stated([p])}"
        kind, name = ("duration", "length") if pattern(r"(?i)<unit>$").match(unit) else ("number", "measure")
        if self.c.voice != "copula":
            self.form(name, kind, answer, unit=unit, thing=thing)
        many = f"{article.lower()} {what} of how many {unit}{after}"
        self.add("number", answer, self.in_place(p, _say(p.prep, many)), exam=True)
        return True

    def amount(self, p: Phrase | None) -> None:
        """ "How many" and "what percentage" for a phrase (None: the subject) that begins with a number."""
        c = self.c
        found = pattern(
            r"(?i)(?:(?:all|only|the|its|their) )?(<bound><count>)\b( per cent| percent|%)?( or (?:more|higher))?"
            r"(?: (of))? ?([a-z][\w-]*.*)?$"
        ).match(p.noun if p else c.subject)
        if not found or found[1].lower().split()[-1] == "one" or (c.voice == "copula" and p is not None):
            return
        number, percent, more, of, things = (part or "" for part in found.groups())
        if percent and (of or not things):
            asking = [f"{lead} {of} {things}".strip() for lead in ("what percentage", "how many per cent")]
        elif things and not (percent or of or (p and p.prep and pattern(r"(?i)<unit>\b").match(things))):
            asking = [f"how many {things}", f"what number of {things}"]
        else:
            return
        answer = _say(number, percent.strip(), more.strip())
        if not percent:
            answer += " " + re.split(r" (?:of|that|which|who|in|from|for|with|on|at|to) ", things)[0]
        if p is None:
            self.add("number", answer, *(f"{word} {self.predicate(False)}" for word in asking))
            return
        over = re.match(r"(?i)more than (.+)", answer)
        if c.negated:
            if over and c.helpers and not p.prep:
                may = self.but(adverbs=(), helpers=("may", *c.helpers[1:]))
                orders = {"inverted": may.inverted([p]), "stated": may.stated([p])}
                self.form("at_most", "number", over[1], things=things, **orders)
            return
        stranded = p.prep if p.prep and not self.rest([p]) else ""
        lead = "" if stranded else p.prep
        self.add("number", answer, *(_say(lead, word, self.inverted([p]), stranded) for word in asking))
        bound = re.match(r"(?i)(at least|no less than|not less than)|at most|up to|no more than|not more than", number)
        if bound and not p.prep and not percent:
            self.form("bounded", "number", answer, p, things=things, bound="minimum" if bound[1] else "maximum")
        self.add("number", answer, self.in_place(p, _say(p.prep, asking[0])), exam=True)

    def agent(self, p: Phrase) -> None:
        """The doer of a passive: "By whom are appeals heard?", and in the active, "Who hears appeals?"."""
        c, noun = self.c, re.split(r" and (?:not )?by ", p.noun)[0]
        first, asking = noun.split()[0], asked_for(noun)
        if pattern("<numeral>").match(noun):
            return
        bare = first.isalpha() and first.islower() and first not in words("determiners") and not is_plural(noun)
        if first.endswith("ing") or (bare and not c.negated and not (is_person(head_of(noun)) or kind_of(noun))):
            self.front("how", p.text, ["how", "in what way"], p)
            self.front("how", p.text, ["by what means"], p, exam=True)
            return
        self.phrase_asked("who", noun, ["by whom" if word == "who" else f"by {word}" for word in asking], p)
        lead, tense = c.helpers[0], {"is": "VBZ", "are": "VBZ", "was": "VBD", "were": "VBD"}.get(c.helpers[0])
        if c.negated or not (tense or lead in words("modals")) or (asking[0] != "who" and is_plural(noun)):
            return
        active = inflect(lemma(c.verb), tense) if tense else f"{lead} {lemma(c.verb)}"
        self.add("who", noun, *(_say(word, active, self.subject, self.rest([p])) for word in asking))

    def object(self, p: Phrase) -> None:
        """What the verb is done to. It takes the phrases after it along: "a document with a deliberate fault"."""
        c, noun = self.c, p.noun
        vague = lemma(c.verb) == "have" and not self.specific([p])
        if vague or lemma(c.verb) in words("linking", "naming") or pattern("<numeral>").match(noun):
            return
        together = [p]
        for q in c.rest[c.rest.index(p) + 1 :]:
            if q.front or q.kind in ("INF", "CL"):
                return
            bare = len(together) == 1 and " " not in noun  # "access to the system", "effect on the price"
            ties = ("to", "into", "on", "by", "as", "through", "about")
            if q.kind != "PP" or timed(q.text) or " " in q.prep or (q.prep.lower() in ties and not bare):
                break
            together.append(q)
        asking = asked_for(noun)
        self.front("what", " ".join(q.text for q in together), asking, *together)
        if len(together) == 1 and " " in noun:
            self.add("what", p.text, self.in_place(p, "whom" if asking[0] == "who" else asking[0]), exam=True)

    def specific(self, skip: Iterable[Phrase] = ()) -> bool:
        """Whether the rest of the clause says enough to ask about: a number, a name, or many words."""
        text = self.stated(skip)
        return bool(re.search(r"\d|(?<=[a-z] )[A-Z]", text)) or len(text.split()) > 7

    def place_or_thing(self, p: Phrase) -> None:
        """A prepositional phrase: "On which form …", "Where …", "With what …"."""
        c, noun, prep, kind = self.c, p.noun, p.prep.lower().split()[-1], kind_of(p.noun)
        at = c.rest.index(p)
        if prep not in words("prepositions") or (p.front and not kind and prep != "for"):
            return
        if pattern("<no_place>").match(p.text) or pattern("<numeral>").match(noun):
            return
        after_object = at > 0 and c.rest[at - 1].kind == "NP" and not c.rest[at - 1].front
        if after_object and not kind and (prep not in ("to", "into", "by") or lemma(c.verb) == "have"):
            return
        if kind:
            person = is_person(kind.split()[-1])
            whom = person and prep in ("to", "with", "from", "for")
            self.phrase_asked(
                "name", noun, [f"{prep} {w}" for w in (["whom"] if whom else ["which " + kind, "what " + kind])], p
            )
            if not c.negated and not person:
                self.add("name", noun, f"what is the {kind} {prep} which {self.stated([p])}")
        if pattern("<place>").match(p.text):
            self.phrase_asked("place", p.text, ["where", "in which place"], p)
            self.front("place", p.text, ["at which place"], p, exam=True)
        elif not kind and p is c.rest[-1] and (prep in words("asked_with") or (prep == "for" and c.voice == "passive")):
            asking = [f"{prep} {'whom' if word == 'who' else word}" for word in asked_for(noun)]
            self.phrase_asked("what", noun, asking, p)

    def condition(self, p: Phrase) -> None:
        """ "When …" for a condition, and "What happens if …" for what follows from it."""
        c, (low, _, inner) = self.c, p.text.partition(" ")
        low = low.lower()
        row = data()["conditions"].get(low)
        only = [q for q in c.rest if q.kind == "ADV" and q.text.lower() in ("only", "even")]
        if row is None or (only and c.negated):
            return
        kind = "why" if "why" in row["training"] else "condition"
        self.front(kind, p.text, row["training"], p, *only)
        self.front(kind, p.text, [row["exam"]], p, *only, exam=True)
        if not p.front or kind == "why" or row["exam"] == "at which moment":
            return
        told = f"{low} {inner}"
        self.form("outcome", kind, self.stated([p]), told=told)
        if c.voice == "active" and not c.negated:
            modal = bool(c.helpers) and c.helpers[0] in words("modals")
            lead = c.helpers[0] if modal else "" if c.helpers or lemma(c.verb) == "have" else self.helper()
            if lead:
                answer = _say(*c.helpers[1:], c.verb, self.rest([p]))
                self.form("duty", "duty", answer, lead=lead, do="do", told=told)

    def of_subject(self) -> None:
        """ "Who …", "What …" and "Which form …" for the subject; "What happens to …" where it holds a condition."""
        c, noun, many = self.c, self.noun, is_plural(self.noun)
        marked = re.search(r" (?:who|that|which|whose|with|without) ", noun)
        if marked and not re.match(r"(?:the|no|not|\w+ other) ", noun):
            modal = c.helpers[:1] and c.helpers[0] in words("modals")
            if c.voice == "passive" and not c.negated:
                theirs = many or is_person(head_of(noun)) or c.helpers[0] in ("are", "were")
                outcome = re.sub("^is ", "are ", self.predicate(False)) if theirs else self.predicate(False)
                self.form("fate", "condition", f"{'they' if theirs else 'it'} {outcome}")
            elif c.voice == "active" and modal:
                answer = _say(*c.helpers[1:], c.verb, self.rest())
                do = " ".join([*(a for a in c.adverbs if a in ("not", "never")), "do"])
                self.form("duty", "duty", answer, lead=c.helpers[0], do=do, told="")
        content = [word for word in self.predicate(True).split() if len(word) > 3]
        thin = len(content) < 3 and not re.search(r"\d|[A-Z]", " ".join(content))
        apart = c.voice == "passive" and any(p.kind == "CL" for p in c.rest)  # "a file is found that …"
        if c.voice == "copula" or apart or thin or not self.specific() or noun.lower() in words("personal"):
            return
        if re.match(r"(?:no|neither|not|all|some|any|only|more than|most|one|none) ", noun):
            return
        asking = asked_for(noun)
        kind = "who" if asking[0] == "who" else "what"
        self.add(kind, noun, *(f"{w} {self.predicate(w in ('who', 'what') or not many)}" for w in asking))
        lead = f"{kind} is it that" if not many else f"{kind} are they that"
        self.add(kind, noun, f"{lead} {self.predicate(not many)}", exam=True)

    def definition(self) -> None:
        """ "X is a …": what X is, what it is called, and who holds a post."""
        c, noun = self.c, self.noun
        inner = [p for p in c.rest if not p.front]
        if c.voice != "copula" or not inner or c.negated or c.helpers:
            return
        said, was, head = self.rest(front=False), c.verb, head_of(noun)
        if inner[0].kind in ("NP", "ADJ") and pattern("<numeral>").match(said) and not re.match(r"(?i)an? ", said):
            much = "what percentage" if "cent" in said else "how much"
            self.form("equal", "number", said, was=was, much=much)
        elif inner[0].kind == "INF":
            self.add("what", said, f"what {was} {noun}")
        elif inner[0].kind != "NP":
            return
        elif noun.startswith("the ") and re.match(r"(?:the )?[A-Z\"\u201c]|.*\d", said):
            if is_person(head):
                self.form("holder", "name", said, was=was)
                self.form("post", "who", noun, said=said)
            else:
                self.form("same", "name", said, was=was)
                self.add("what", noun, f"what {was} {said}")
        else:
            who = "who" if noun[0].isupper() and is_person(head_of(said)) else "what"
            self.form("definition", "definition", said, who=who, was=was)
            term = re.match(r"an? (.+)", noun)
            if term:
                self.form("term", "definition", said, term=term[1])
                if re.match(r"(?i)(?:an?|any) ", said):
                    self.add("name", noun, f"what is the term for {said}")
            elif not is_plural(noun):
                self.form("singular", "definition", said, was=was)

    def naming(self) -> None:
        """ "What is … called?", from a verb of naming or a phrase such as "a bulletin called The Plumb Line"."""
        c = self.c
        if c.voice == "passive" and c.verb in ("called", "named") and c.rest:
            self.form("called", "name", c.rest[0].text, thing=self.noun)
            self.form("bearer", "definition", self.noun, called=c.rest[0].text)
        for p in [None, *c.rest]:
            text = p.noun if p else c.subject
            found = re.search(
                r"(?:^|(?<= ))((?:the|an?|its|their) )(?:own )?((?:[\w'-]+ ){0,5}?[\w'-]+),? (?:called|named|known as) "
                r"((?:the |an? )?(?:[A-Z][\w'-]*(?: (?:of |and |the )?[A-Z][\w'-]*)*|[a-z]+ [a-z]+$))",
                text,
            )
            if not found:
                continue
            thing = f"the {found[2]}"
            if p and text.startswith(found[0].lstrip()):
                which = f"{p.prep} which" if p.prep else "that"
                self.add("name", found[3], f"what is the name of {thing} {which} {self.stated([p])}")
            if " " in found[2] and not is_plural(found[2]):
                self.form("called", "name", found[3], thing=thing)
                self.form("bearer", "definition", found[1] + found[2], called=found[3])

    def location(self) -> None:
        """ "Where is …?" for a name with its place: "the Document Laboratory in Marrowgate"."""
        for text in [self.c.subject, *(p.noun for p in self.c.rest)]:
            found = re.search(r"\b(the (?:[A-Z]\w+ ?)+|the [a-z]+ (?:[a-z]+ )?)(in|at) ([A-Z]\w+(?: [A-Z]\w+)*)$", text)
            if found and found[3] not in words("months") and not set(found[1].split()) & words("prepositions"):
                self.form("where", "place", found[3], thing=found[1].strip(), prep=found[2])

    def yes_no(self) -> None:
        """ "May …?" for what may be, and "Is …?" for what is not; "Must …?" would only say the fact again."""
        c = self.c
        if not c.negated and c.helpers[:1] in (("may",), ("can",)):
            if not re.search(r"\b(?:only|no more|at most|up to)\b", self.stated()):
                self.add("yesno", f"Yes, {self.stated()}", self.inverted())
        elif {"not", "never"} & set(c.adverbs) and (c.helpers or (c.voice == "copula" and self.rest())):
            positive = self.but(adverbs=tuple(a for a in c.adverbs if a not in ("not", "never")))
            self.add("yesno", f"No, {self.stated()}", positive.inverted())

    def listed(self, items: str) -> None:
        """For "there are three classes: low, standard and high": "What are the three classes?"."""
        c, first, numeral = self.c, self.c.rest[0].text if self.c.rest else "", pattern("<numeral>")
        if c.subject.lower() == "there":
            self.form("items", "what", items, things=first)
        elif c.subject.lower().startswith("the following ") or numeral.match(c.subject):
            things = re.sub("^the following ", "", self.subject)
            self.form("items", "what", items, things=f"{things} that {self.predicate(False)}")
            self.add("what", items, f"which {things} {self.predicate(False)}")
        elif numeral.match(first) and lemma(c.verb) == "have":
            self.form("items", "what", items, things=f"{first} of {self.noun}")

    def buried(self, text: str) -> None:
        """For a value that no rule has asked for: the sentence with a question word in its place.

        A value is a number with its unit, a code ("receipt R-8"), or a name with its class ("the course First Light",
        "the Settlement Bureau"). What an exam would ask in this order is asked here instead: coverage comes first.
        """
        asked = [short_form(w.question, w.answer) for w in self.found if not w.exam]
        first = []
        for start, end, words_for, answer in _values(text):
            core = answer.removeprefix("the ")
            if any(core in known and len(known.split()) <= len(core.split()) + 1 for known in asked):
                continue
            question = lowered(text[:start] + words_for + text[end:].rstrip("."), self.names)
            before = len(self.found)
            self.add("number" if answer[0].isdigit() else "name", answer, question)
            first += self.found[before:]
            del self.found[before:]
        self.found[:0] = first


_CODE = re.compile(r"\b(?:the )?([a-z]+|Form) ([A-Z]+-\d+)\b")
_CLASSED = re.compile(r"\bthe ([a-z]+(?: [a-z]+)?) ([A-Z][a-z]+(?: [A-Z][a-z]+)*)\b")
_PLACED = re.compile(r"\bin the ([a-z]+) of ([A-Z][a-z]+(?: [A-Z][a-z]+)*)\b")
_INSIDE = re.compile(r"(?<= in )([A-Z][a-z]+(?: [A-Z][a-z]+)*)\b(?! (?:of|for) )")
_ORGANISED = re.compile(r"\bthe (?:[A-Z][a-z]+ )+([A-Z][a-z]+)\b(?! of [A-Z])")


def _values(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, question words, answer) of every value that a question word can stand for."""
    numbers = pattern(r"(?i)(?<![\w.,-])(?<!to )(?<!the )(<count>) ((?:[a-z-]+ ){0,2}?)(per cent|[a-z-]+)\b")
    for found in numbers.finditer(text):
        number, before, things = found.groups()
        while things != "per cent" and not _counted(things) and (more := re.match(r" ([a-z-]+)", text[found.end() :])):
            if len(before.split()) == 2:
                break
            before, things = f"{before}{things} ", more[1]
            found = re.compile(re.escape(f"{number} {before}{things}")).search(text, found.start()) or found
        if number.lower() != "one" and (things == "per cent" or _counted(things)):
            answer = f"{number} {before}{things}"
            many = "what percentage" if things == "per cent" else f"how many {before}{things}"
            yield found.start(), found.start() + len(answer), many, answer
    for found in _CODE.finditer(text):
        answer = f"Form {found[2]}" if found[1] == "Form" else found[2]
        yield found.start(), found.end(), f"which {found[1].lower()}", answer
    for found in _INSIDE.finditer(text):
        if not {*found[1].split()} & words("months", "days"):
            yield found.start(1), found.end(1), "which place", found[1]
    for found in _PLACED.finditer(text):
        yield found.start(), found.end(), f"in which {found[1]}", found[2]
    for found in _CLASSED.finditer(text):
        if not set(found[1].split()) & words("prepositions") and "NN" in readings(found[1].split()[-1]):
            yield found.start(), found.end(), f"which {found[1]}", found[2]
    for found in _ORGANISED.finditer(text):
        if found[1].lower() in words("organisations"):
            yield found.start(), found.end(), f"which {found[1].lower()}", found[0]


# --- what is left out ------------------------------------------------------------------------------------------------


def _anchored(w: Wording, section: str, local: frozenset[str]) -> Wording:
    """A question that would leave open whose list, test or visit it means opens with the section, or is dropped.

    `local` are nouns that the section introduced before ("a courier …"): "the courier" means that one.
    """
    bare = re.finditer(
        r"\b[Tt]he ([a-z-]+)\b(?! (?:of|that|which|who|for|between|called|known|on)\b)"
        r"(?= (?:[a-z]+(?:ed|s)|kept|held|made|sent|given|written|taken|shown|found|be|have|must|may|can|should|to|in"
        r"|at|with|from|by|is|are|was|not|only)\b|[,?])",
        w.question,
    )
    once = {found[1] for found in bare if w.question.count(found[1]) == 1}
    open_ended = bool(once & (words("vague") | local))
    thin = words(
        "determiners",
        "prepositions",
        "subordinators",
        "modals",
        "be",
        "have",
        "do",
        "personal",
        "question_words",
        "relatives",
        "adverbs",
        "thin",
    )
    content = [x for x in re.findall(r"[\w-]+", w.question)[1:] if x.lower() not in thin and not x[0].isupper()]
    marked = len(content) > 2 or re.search(r"\d|\w [A-Z]|\"", w.question)
    if not open_ended and (marked or (len(content) == 2 and " the " not in w.question)):
        return w
    if not section or section in w.question or not w.question[:1]:
        return replace(w, question="")
    clause = re.match(r"(?i)(?:how|when|where|what|why|who|if|before|after)\b", section)
    place = f'"{section}"' if clause or not re.fullmatch(r"[\w' -]+", section) else f"on {lowered(section)}"
    return replace(w, question=f"In the section {place}, {w.question[0].lower()}{w.question[1:]}")


_BROKEN = re.compile(
    r"(?i)\bthe (?:others?|former|latter)(?: (?:must|may|can|should|is|are|was|has|have|do|does|two|one)\b|\?)"
    r"|\b(?:this|these|those|such|following)\b|\b(?:above|below)\b(?! (?:the|an?|\d))"  # points outside
    r"|^\S+ \S+ (?:it|they|he|she|them)\b|\b(?:it|them)\?$|\bnor\b|\b(?:for|with|to|in|of|by) (?:them|him|it)[ ,]"
    r"|(?<!\d):|:(?!\d)|[;(){}\[\]|¶\\]|(?<!\S)[*`](?!\S)|\w\. \w"  # is not one plain sentence
    r"|\bhere\b|\b(?:by|of|in|to|with|for|and|or|that), |\b(?:and|or|but|,)\?$|\b(\w+) \1\b"
)


_BROKEN_ANSWER = re.compile(
    r"(?i)(?:and|or|nor|but|this|that|these|those|such|of)\b|the same \w+$|\w+, \w+$"
    r"|.*(?:\b(?:following|above|below|and then)\b(?! (?:the|an?|\d))|[\u2014\u2013-]$|[;{}\[\]|¶\\]|\w\. \w)"
    r"|.*\bthe (?:first|second|other|same|old|new)$"
)


def _sound(w: Wording) -> bool:
    """Whether a question looks whole: no reference to the outside, no broken end, an answer of a fair length."""
    low = w.answer.lower()
    telling = w.kind == "definition" or re.fullmatch(r"What (?:is|was) (?:the |an? )?[\w'-]+\?", w.question)
    return (
        0 < len(low.split()) <= 30
        and 3 <= len(w.question.split()) < 45
        and w.question.count('"') % 2 == 0
        and low.count("(") == low.count(")")
        and low not in words("personal")
        and not (_BROKEN.search(w.question) or _BROKEN_ANSWER.match(w.answer))
        and not (telling and re.fullmatch(r"(?:an?|the) [a-z-]+", w.answer))
        and not (w.kind == "duty" and re.search(r"\b(?:it|them)$", low))
    )
