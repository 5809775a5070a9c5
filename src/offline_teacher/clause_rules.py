"""The rules that ask about a clause as a whole: its condition and subject, what it defines, names, lists or forbids."""

from __future__ import annotations

import re
from itertools import pairwise

from .clauses import NEGATIONS, Phrase
from .english import data, inflect, is_person, lemma, lowered, pattern, readings, words
from .orders import led, say
from .phrase_rules import PhraseRules
from .phrases import asked_for
from .tagging import head_of, is_plural


def _is_noun(p: Phrase) -> bool:
    """Whether a phrase is a noun phrase, also one that begins with an adjective: "rough consensus"."""
    last = readings(p.text.split()[-1]) if p.text else frozenset()
    return p.kind == "NP" or (p.kind == "ADJ" and bool(last & {"NN", "NNS"}) and "JJ" not in last)


def _is_adjective(said: str) -> bool:
    """Whether what stands after "is" is an adjective with its complement: "responsible for the tags"."""
    first, second = [*said.split(), "", ""][:2]
    adjective = "JJ" in readings(first) or first.endswith(("ible", "able"))
    return adjective and second in words("prepositions") | {"to"}


def _limits(p: Phrase) -> bool:
    """Whether a clause limits what is said: "unless …", but not "a place where …"."""
    return p.kind == "SUB" and not p.text.startswith("where ")


def timed_noun(p: Phrase) -> bool:
    """Whether a phrase is about a time that a clause then tells: "on the night after the account is opened"."""
    return p.kind in ("PP", "NP") and head_of(p.noun) in words("time_nouns")


def _defines(term: str, said: str) -> bool:
    """Whether a term of few words is told by its kind and what marks it: "a place where one ship may lie"."""
    marks = r",| or | (?:that|which|who|whose|where|of|for|to|with|without|in|from|\w+ed|used|made|kept)\b"
    compared = pattern(r"(?:an?|the) (?:<comparative>|more|good|bad)\b").match(said)
    short = len(term.split()) < 4 and words("prepositions").isdisjoint(term.split())
    return short and bool(re.search(marks, said)) and not compared


class ClauseRules(PhraseRules):
    """Each rule adds the questions that it can ask to `found`."""

    def equates(self) -> bool:
        """Whether the clause says what its subject is."""
        return self.c.voice == "copula" and any(_is_noun(p) and not p.front for p in self.c.rest[:2])

    def condition(self, p: Phrase) -> None:
        """ "When …" for a condition, and "What happens if …" for what follows from it."""
        c, (low, _, inner) = self.c, p.text.partition(" ")
        low = low.lower()
        if low == "only" and inner.startswith(("if ", "when ")):
            low, inner = inner.split(" ", 1)
        row = data()["conditions"].get(low)
        only = [q for q, after in pairwise(c.rest) if after is p and q.text.lower() in ("only", "even")]
        if low == "unless" and c.verb and not re.match(r"(?i)no ", c.subject):
            self.exception(p, inner)
            return
        at = c.rest.index(p)
        dated = at > 0 and low in ("after", "before", "when", "that") and timed_noun(c.rest[at - 1])
        if self.equates() and self.noun.startswith("the "):
            return  # "the only value is `all` when …"
        if row is None or (only and c.negated) or "only" in c.adverbs or dated:
            return
        kind = "why" if "why" in row["training"] else "condition"
        self.front(kind, p.text, row["training"], p, *only)
        self.front(kind, p.text, [row["exam"]], p, *only, exam=True)
        if not p.front or kind == "why" or row["exam"] == "at which moment":
            return
        told = f"{low} {inner}"
        self.form("outcome", kind, self.stated([p]), told=told)
        if c.voice == "active" and not c.negated:
            lead = c.modal or ("" if c.helpers or lemma(c.verb) == "have" else self.helper())
            if lead and (c.modal or is_person(head_of(self.noun))):
                answer = say(*c.helpers[1:], c.verb, self.rest([p]))
                self.form("duty", "duty", answer, lead=lead, do="do", told=told)

    def exception(self, p: Phrase, inner: str) -> None:
        """ "When is the fee not due?", from "… is due unless the visitor is a student", and the other way round."""
        negative = NEGATIONS & set(self.c.adverbs)
        if (self.c.negated and not negative) or "otherwise" in inner:
            return
        left = tuple(a for a in self.c.adverbs if a not in negative)
        turned = self.but(adverbs=left if negative else (*left, "not"))
        self.form("unless", "condition", f"if {inner}", reversed=turned.inverted([p]))

    def of_subject(self) -> None:
        """ "Who …", "What …" and "Which form …" for the subject; "What happens to …" where it holds a condition."""
        c, noun, many = self.c, self.noun, is_plural(self.noun)
        marked = re.search(r" (?:who|that|which|whose|with|without) ", noun)
        if marked and not re.match(r"(?:the|no|not|\w+ other) ", noun):
            if c.voice == "passive" and not c.negated:
                theirs = many or is_person(head_of(noun)) or c.helpers[0] in ("are", "were")
                outcome = re.sub("^is ", "are ", self.predicate(False)) if theirs else self.predicate(False)
                self.form("fate", "condition", f"{'they' if theirs else 'it'} {outcome}")
            elif c.voice == "active" and c.modal:
                answer = say(*c.helpers[1:], c.verb, self.rest())
                do = " ".join([*(a for a in c.adverbs if a in ("not", "never")), "do"])
                self.form("duty", "duty", answer, lead=c.modal, do=do, told="")
        content = [word for word in self.predicate(True).split() if len(word) > 3]
        thin = len(content) < 3 and not re.search(r"\d|[A-Z]", " ".join(content))
        apart = c.voice == "passive" and any(p.kind == "CL" for p in c.rest)  # "a file is found that …"
        urged = c.voice == "passive" and (c.verb in words("required") or lemma(c.verb) in words("asking"))
        if lemma(c.verb) == "mean" or (urged and not is_person(head_of(noun))):
            return
        if c.voice == "copula" or apart or thin or not self.specific() or noun.lower() in words("personal"):
            return
        some = "(?:no|n?either|not|all|some|any|only|more than|most|one|none|other|certain|both .* and|<numeral>) "
        if pattern(some).match(noun):
            return
        asking = asked_for(noun)
        kind = "who" if asking[0] == "who" else "what"
        self.add(kind, noun, *(f"{w} {self.predicate(w in ('who', 'what') or not many)}" for w in asking))
        if c.helpers[:1] == ("must",) and not c.adverbs and (asking[0] in ("who", "what") or not many):
            self.add(kind, noun, f"{asking[0]} {self.but(helpers=('has to', *c.helpers[1:])).predicate(True)}")
        self.turned(asking[0])
        lead = "are they" if many else "is it"
        self.add(kind, noun, f"{kind} {lead} that {self.predicate(not many)}", exam=True)

    def turned(self, asking: str) -> None:
        """The passive of an active clause: "By whom is the bell rung?" and "What is rung by the keeper?"."""
        c, inner = self.c, self.c.inner
        plain = c.voice == "active" and not c.adverbs and c.tense in ("VBZ", "VBP", "VBD", "VB")
        if not plain or not inner or inner[0].kind != "NP" or lemma(c.verb) in words("no_passive") or " " in c.verb:
            return
        thing, done, rest = inner[0].text, inflect(lemma(c.verb), "VBN"), self.rest(inner[:1])
        simple = not pattern(r"<numeral>|.*\b(?:its|their|his|her|own)\b").match(thing)
        if not simple or c.helpers not in ((), (c.modal,)) or any(p.kind != "PP" for p in inner[1:]):
            return
        be = ("was", "were") if c.tense == "VBD" else ("is", "are")
        lead, be_done = (c.modal, f"be {done}") if c.modal else (be[is_plural(thing)], done)
        if is_person(head_of(self.noun)) or asking != "what":
            kind = "who" if asking == "who" else "what"
            self.add(kind, self.noun, say(*led("by", [asking]), lead, lowered(thing, self.names), be_done, rest))
        if not is_person(head_of(thing)) and not rest:
            self.add("what", thing, f"what {c.modal or be[0]} {be_done} by {self.noun}")

    def definition(self) -> None:
        """ "X is a …": what X is, what it is called, and who holds a post."""
        c, noun, inner = self.c, self.noun, self.c.inner
        if c.voice != "copula" or not inner or c.negated or c.helpers or any(_limits(p) for p in c.rest):
            return
        said, was, head = self.rest(front=False), c.verb, head_of(noun)
        one = re.match(r"(?i)(?:an?|one (?:that|which|of|who|[a-z]+$))(?: |$)", said)
        if inner[0].kind in ("NP", "ADJ") and not one and pattern("<numeral>").match(said):
            unit = pattern(r"<amount> ([\w-]+)").search(said)
            span = pattern(r"<amount> <unit>\b").search(said)
            much = "how long" if span else "what percentage" if "cent" in said or "%" in said else "how much"
            self.form("equal" if unit or "%" in said else "same", "number", said, was=was, much=much)
        elif inner[0].kind == "INF" and noun.startswith("the "):
            self.add("what", said, f"what {was} {noun}")
        elif inner[0].kind != "NP" or _is_adjective(said):
            return
        elif noun.startswith("the ") and re.match(r"(?:the )?[A-Z\"\u201c]|.*\d", said):
            if is_person(head) and " and " not in said:
                self.form("holder", "name", said, was=was)
                if not said.startswith("the "):
                    self.form("post", "who", noun, said=said)
            else:
                self.form("same", "name", said, was=was)
                if said.startswith(("the ", "The ")) or not re.search(r",| and ", said):
                    self.add("what", noun, f"what {was} {said}")
        else:
            who = "who" if noun[0].isupper() and is_person(head_of(said)) else "what"
            if noun.startswith("the ") and said.startswith("the ") and 2 < len(said.split()) < 9 and "," not in said:
                self.add("what", noun, f"{who} {was} {said}")
            term = re.match(r"an? (.+)", noun)
            if term and not _defines(term[1], said):
                return  # "a gap of nine metres is a good choice"
            self.form("definition", "definition", said, who=who, was=was)
            if term:
                self.form("term", "definition", said, term=term[1].strip('"\u201c\u201d'))
                if re.match(r"(?i)(?:an?|any) ", said):
                    self.add("name", noun, f"what is the term for {said}")
            elif not is_plural(noun) and re.match(r"(?:an?|the) ", said):
                self.form("singular", "definition", said, was=was)

    def naming(self) -> None:
        """ "What is … called?", from a verb of naming or a phrase such as "a bulletin called The Plumb Line"."""
        c = self.c
        if c.voice == "passive" and c.verb in ("called", "named") and c.rest and not is_plural(self.noun):
            self.form("called", "name", c.rest[0].text, thing=self.noun)
            self.form("bearer", "definition", self.noun, called=c.rest[0].text)
        for p in [None, *c.rest]:
            text = p.noun if p else c.subject
            found = re.search(
                r"(?:^|(?<= ))((?:the|an?|its|their) )(?:own )?((?:[\w'-]+ ){0,5}?[\w'-]+),? (?:called|named|known as) "
                r"((?!(?:by|in|after|for|to)\b)"
                r"(?:the |an? )?(?:[A-Z][\w'-]*(?: (?:of |and |the )?[A-Z][\w'-]*)*|[a-z]+ [a-z]+$))",
                text,
            )
            if not found or is_plural(thing := f"the {found[2]}"):
                continue
            if p and text.startswith(found[0].lstrip()):
                which = f"{p.prep} which" if p.prep else "that"
                self.add("name", found[3], f"what is the name of {thing} {which} {self.stated([p])}")
            if " " in found[2] and not is_plural(found[3]):
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
        some = re.match(r"(?:many|some|most|all|any|several|few|other|simply|not|no) ", self.noun)
        if some or len(self.stated().split()) > 18:
            return
        if not c.negated and c.helpers[:1] in (("may",), ("can",)):
            if not re.search(r"\b(?:only|no more|at most|up to)\b", self.stated()):
                self.add("yesno", f"Yes, {self.stated()}", self.inverted(), f"is it true that {self.stated()}")
        elif c.helpers[:1] == ("may",) and (lemma(c.verb) in ("be", "have") or " some " in self.stated()):
            return  # "may not be ready", "may not be shut in some cases": no ban
        elif c.verb in ("forbidden", "prohibited", "banned") and c.voice == "passive" and not c.negated:
            self.form("forbidden", "yesno", f"No, {self.stated()}", are=c.helpers[0], rest=self.rest())
        elif NEGATIONS & set(c.adverbs) and (c.helpers or (c.voice == "copula" and self.rest())):
            positive = self.but(adverbs=tuple(a for a in c.adverbs if a not in NEGATIONS))
            self.add("yesno", f"No, {self.stated()}", positive.inverted(), f"is it true that {positive.stated()}")

    def listed(self, items: str) -> None:
        """For "there are three classes: low, standard and high": "What are the three classes?"."""
        c, first, numeral = self.c, self.c.rest[0].text if self.c.rest else "", pattern("<numeral>")
        if c.subject.lower() == "there":
            self.form("items", "list", items, things=first)
        elif c.subject.lower().startswith("the following ") or numeral.match(c.subject):
            things = re.sub("^the following ", "", self.subject)
            self.form("items", "list", items, things=f"{things} that {self.predicate(False)}")
            self.add("list", items, f"which {things} {self.predicate(False)}")
        elif numeral.match(first) and lemma(c.verb) == "have":
            self.form("items", "list", items, things=f"{first} of {self.noun}")
        else:
            told = [p for p in c.inner if re.match(r"the following |these |the ", p.noun)]
            if told and told[-1] is c.rest[-1] and told[-1].kind == "NP":
                things = re.sub(r"^(?:the following|these|the) ", "", told[-1].noun)
                self.form("which_items", "list", items, told[-1], things=things)
