"""The rules that ask for one phrase of a clause: a time, a number, the doer of a passive, an object, a place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Self

from .clauses import Phrase
from .english import data, inflect, is_person, lemma, pattern, readings, words
from .orders import Orders, led, say
from .phrases import asked_for, kind_of, timed
from .tagging import head_of, is_plural
from .values import counted

_MEASURED = (  # "a fine of 75 dollars": article, what, how much, unit, and what follows
    r"(?i)(an?|the|its) ([\w' -]+?) of ((?:between )?<bound><count>(?: and <count>)? "
    r"(?!(?:of|to|or|and)\b)([\w-]+\b(?!['\u2019]))(?: (?:per|an?) \w+)?)(.*)$"
)
_COUNTED = (  # "at most 30% of the lamps": how many, "per cent", "or more", "of", and what is counted
    r"(?i)(?:(?:all|only|the|its|their) )?(<bound><count>)\b( per cent| percent|%)?( or (?:more|higher))?"
    r"(?: (of))? ?([a-z][\w-]*.*)?$"
)


def _many(things: str) -> bool:
    """Whether a noun phrase may follow "how many", by its head."""
    head = head_of(re.split(r" (?:an?|per|each|every) ", things)[0])
    return counted(head) or is_plural(things) or not head.islower()


class PhraseRules(Orders):
    """Each rule adds the questions that it can ask to `found`."""

    def phrase(self, p: Phrase) -> None:
        """One phrase: asked for by the first rule that knows its kind."""
        if pattern("<manner>$").match(p.text) and not p.front and self.c.voice == "passive":
            self.front("how", p.text, ["how", "in what way"], p)
            self.front("how", p.text, ["in what manner"], p, exam=True)
            return
        if self.time(p) or self.degree(p) or p.kind in ("ADV", "ADJ"):
            return
        if p.prep.lower().startswith("only "):
            self.limited(p)
            return
        c, noun, at = self.c, p.noun, self.c.rest.index(p)
        outside = words("personal", "relatives") | {"this", "these", "what"}
        if not noun or noun.split()[0].lower() in outside or (p.front and p.kind != "PP"):
            return
        if not self.measure(p):
            self.amount(p)
        two = p.kind == "NP" and at + 1 < len(c.rest) and c.rest[at + 1].kind == "NP"  # "costs the bank 1.40 dollars"
        if two or (p.kind == "NP" and c.voice != "active"):
            return
        if p.prep.lower() in words("fixed_prepositions") or " " in p.prep:
            return
        if p.prep.lower().split()[-1:] == ["by"] and (c.voice == "passive" or noun.split()[0].endswith("ing")):
            self.agent(p)
        elif p.kind == "PP":
            self.place_or_thing(p)
        else:
            self.object(p)

    def limited(self, p: Phrase) -> None:
        """ "Who can lift the ban?", from "can be lifted only by the warden": what is asked for is all that there is."""
        bare = replace(p, text=p.text[len("only ") :], prep=p.prep[len("only ") :])
        others = self.but(rest=tuple(bare if q is p else q for q in self.c.rest))
        others.phrase(bare)
        self.found += others.found

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
        short = p.text if "same" in p.text else pattern("^<before_time>").sub("", p.text)
        unordered = not re.search(r"second|third|other|first|last", short)
        if self.c.helpers[:1] == ("must",) and not self.c.negated:
            self.add(kind, short, f"{asking[0]} {self.inverted([p], soft=True)}")
        for word in asking:
            named = unordered and re.match(r"(?:on|in) which (?:day|month)", word)
            bare = re.sub(r"^(?:every|each) ", "", short) if named else short
            self.front(kind, p.text if word in ("how soon", "when") else bare, [word], p)
        self.front(kind, short, found["exam"], p, exam=True)
        self.add(kind, short, self.in_place(p, asking[0]), exam=True)
        if found["cleft"] and not self.c.negated:
            self.add(kind, short, f"what is {found['cleft']} {self.stated([p])}")
        return True

    def degree(self, p: Phrase) -> bool:
        """ "must not be older than 40 days": "How old may … be at most?"."""
        found = pattern(r"(\w+) than (<amount> .+)").match(p.text)
        degree = found and data()["degrees"].get(found[1])
        if not found or not degree or not (self.c.negated and self.c.helpers):
            return False
        may = self.allowed().inverted([p])
        self.form("degree", "number", found[2], word=degree[0], measure=degree[1], inverted=may)
        return True

    def allowed(self) -> Self:
        """ "A permit may be older", from "must not be older"."""
        return self.but(adverbs=(), helpers=("may", *self.c.helpers[1:]))

    def measure(self, p: Phrase) -> bool:
        """ "a fine of 75 dollars", "a notice of 65 days"."""
        found = pattern(_MEASURED).match(p.noun)
        if not found or found[2].split()[-1] in ("list", "one", "number") or not counted(found[4]):
            return False
        if " and " in found[5]:
            return False  # "a key of six letters and no lock"
        article, what, answer, unit, after = found.groups()
        thing = f"the {what}{after} {p.prep + ' which' if p.prep else 'that'} {self.stated([p])}"
        kind, name = ("duration", "length") if pattern(r"(?i)<unit>$").match(unit) else ("number", "measure")
        if self.c.voice != "copula":
            self.form(name, kind, answer, unit=unit, thing=thing)
        many = f"{article.lower()} {what} of how many {unit}{after}"
        self.add("number", answer, self.in_place(p, say(p.prep, many)), exam=True)
        return True

    def amount(self, p: Phrase | None) -> None:
        """ "How many" and "what percentage" for a phrase (None: the subject) that begins with a number."""
        c = self.c
        noun = p.noun if p else c.subject
        found = pattern(_COUNTED).match(noun)
        if not found or found[1].lower().split()[-1] == "one" or (c.voice == "copula" and p is not None):
            return
        if re.search("(?i)(?:zero|one) or ", noun):
            return  # "one or more"
        number, percent, more, of, things = (part or "" for part in found.groups())
        things = re.split(r" and (?:to|in|on|by|for|with|from|at) ", things)[0]  # "to 64 branches and to the centre"
        if percent and (of or not things):
            asking = [f"{lead} {of} {things}".strip() for lead in ("what percentage", "how many per cent")]
        elif things and not (percent or of or (p and p.prep and pattern(r"(?i)<unit>\b").match(things))):
            asking = [f"how many {things}", f"what number of {things}"]
        else:
            return
        answer = say(number, percent.strip(), more.strip())
        if not percent:
            answer += " " + re.split(r" (?:of|that|which|who|in|from|for|with|on|at|to) ", things)[0]
        if things and not percent and not _many(things):
            return  # "in the 1.63 release"
        unit = things.split()[0] if len(things.split()) > 1 else ""
        if 0 < len(unit) < 4 and unit.isalpha() and not readings(unit) & {"NNS", "JJ"}:
            return  # "75 dpi fonts"
        if p is None:
            # "two packages must not …"; "the two lamps" are known to be two
            if not c.negated and not re.match(r"(?i)(?:the|its|their) ", c.subject):
                self.add("number", answer, *(f"{word} {self.predicate(False)}" for word in asking))
            return
        over = re.match(r"(?i)more than (.+)", answer)
        if c.negated:
            if over and c.helpers and not p.prep:
                may = self.allowed()
                orders = {"inverted": may.inverted([p]), "stated": may.stated([p])}
                self.form("at_most", "number", over[1], things=things, **orders)
            return
        stranded = p.prep if p.prep and not self.rest([p]) else ""
        lead = "" if stranded else p.prep
        self.add("number", answer, *(say(lead, word, self.inverted([p]), stranded) for word in asking))
        if not (p.prep or percent or re.match(r"(?i)(?:at|up|no|not|more|less|fewer)\b", number)):
            self.add("number", answer, f"what is the number of {things} that {self.stated([p])}")
        if pattern(r"(?i)<unit>$").match(things) and lemma(c.verb) in ("last", "take", "run", "need"):
            self.add("duration", answer, f"how long {self.inverted([p])}")
        bound = re.match(r"(?i)(at least|no less than|not less than)|at most|up to|no more than|not more than", number)
        if bound and not p.prep and not percent:
            self.form("bounded", "number", answer, p, things=things, bound="minimum" if bound[1] else "maximum")
        self.add("number", answer, self.in_place(p, say(p.prep, asking[0])), exam=True)

    def agent(self, p: Phrase) -> None:
        """The doer of a passive: "By whom are appeals heard?", and in the active, "Who hears appeals?"."""
        c, noun = self.c, re.split(r" and (?:not )?by ", p.noun)[0]
        first, asking = noun.split()[0], asked_for(noun)
        after = c.rest[c.rest.index(p) + 1 :]
        tied = any(q.kind == "PP" and q.prep in ("to", "for", "of") and not q.front for q in after[:1])
        if tied or first in words("possessive") or pattern("<numeral>").match(noun):
            return  # "by their owner", "by a change to the number"
        if c.negated and asking[0] != "who":
            return
        bare = first.isalpha() and first.islower() and first not in words("determiners") and not is_plural(noun)
        cut = first == noun and first.endswith("ing") and after[:1] and after[0].kind in ("SUB", "CL", "INF")
        if cut or (bare and not re.fullmatch(r"[a-z -]+", noun)):
            return  # "by observing | when the tide turns"
        if first.endswith("ing") or (bare and not c.negated and not (is_person(head_of(noun)) or kind_of(noun))):
            self.front("how", p.text, ["how", "in what way"], p)
            self.front("how", p.text, ["by what means"], p, exam=True)
            return
        self.phrase_asked("who", noun, led("by", asking), p)
        tense = {"is": "VBZ", "are": "VBZ", "was": "VBD", "were": "VBD"}.get(c.helpers[0])
        if c.negated or not (tense or c.modal) or (asking[0] != "who" and is_plural(noun)):
            return
        active = inflect(lemma(c.verb), tense) if tense else f"{c.modal} {lemma(c.verb)}"
        self.add("who", noun, *(say(word, active, self.subject, self.rest([p])) for word in asking))

    def object(self, p: Phrase) -> None:
        """What the verb is done to. It takes the phrases after it along: "a document with a deliberate fault"."""
        c, noun = self.c, p.noun
        some = re.match(r"(?:no|some|many|most|several|few|other|certain) ", self.noun)
        if lemma(c.verb) == "be" or some or noun.split()[-1] in words("particles"):
            return
        as_what = re.match(r"(.+?) (as (?:an?|the) .+)", noun)
        if as_what and not re.search(r"\b(?:same|such|known)\b", noun):  # "treats the box as a file"
            kept = tuple(replace(q, text=as_what[2]) if q is p else q for q in c.rest)
            self.add("what", as_what[1], f"what {self.but(rest=kept).inverted()}")
            return
        vague = lemma(c.verb) == "have" and not self.specific([p])
        names = lemma(c.verb) in words("naming") and not re.match(r"an? ", noun)  # but "must name a steward"
        if vague or names or lemma(c.verb) in words("linking") or pattern("<numeral>").match(noun):
            return
        together = [p]
        if any(q.kind == "SUB" and q.text.startswith("where ") for q in c.inner):
            return  # "asks for a key in cases where …"
        for q in c.rest[c.rest.index(p) + 1 :]:
            if q.front or q.kind in ("INF", "CL"):
                return
            # "access to the system", "an effect on the price"
            bare = (len(together) == 1 and " " not in noun) or (q.prep == "on" and head_of(noun) in words("takes_on"))
            ties = ("to", "into", "on", "by", "as", "through", "about")
            if q.kind != "PP" or timed(q.text) or " " in q.prep or (q.prep.lower() in ties and not bare):
                break
            together.append(q)
        asking = asked_for(noun)
        self.front("what", " ".join(q.text for q in together), asking, *together)
        if len(together) == 1 and " " in noun:
            self.add("what", p.text, self.in_place(p, "whom" if asking[0] == "who" else asking[0]), exam=True)

    def place_or_thing(self, p: Phrase) -> None:
        """A prepositional phrase: "On which form …", "Where …", "With what …"."""
        c, noun, prep, kind = self.c, p.noun, p.prep.lower().split()[-1], kind_of(p.noun)
        at = c.rest.index(p)
        if self.noun.startswith("no ") or noun.split()[0].lower() in words("indefinite"):
            return
        if [q.prep for q in c.rest].count(p.prep) > 1 and prep == "for":
            return
        if prep not in words("prepositions") or (p.front and not kind and prep != "for"):
            return
        if pattern("<no_place>").match(p.text) or pattern("<numeral>").match(noun):
            return
        if at and c.rest[at - 1].prep == "by" and prep in ("to", "of", "for", "in"):
            return  # "by a change" to the number
        if " as " in noun and not re.search(r"\b(?:same|such)\b", noun):
            return  # "exists on the shelf as a copy"
        if prep == "from" and " to " in noun and not kind:
            return  # "range from 10 KB to 1 MB"
        if prep == "from" and re.search(r"\b(?:separate|different|distinct|apart|independent)\b", self.stated([p])):
            return
        if prep == "with" and at and c.rest[at - 1].prep in ("to", "for", "from"):
            return  # "to clients with a passport"
        after_object = at > 0 and c.rest[at - 1].kind == "NP" and not c.rest[at - 1].front
        if after_object and not kind and (prep not in ("to", "into", "by") or lemma(c.verb) == "have"):
            return
        if kind:
            person = is_person(kind.split()[-1])
            whom = person and prep in ("to", "with", "from", "for")
            asking = ["whom"] if whom else [f"which {kind}", f"what {kind}"]
            self.phrase_asked("name", noun, led(prep, asking), p)
            if not c.negated and not person:
                are = "are" if is_plural(f"the {kind}") else "is"
                self.add("name", noun, f"what {are} the {kind} {prep} which {self.stated([p])}")
        if c.negated and prep not in ("to", "from"):
            return
        if head_of(noun) in words("time_nouns") and prep in ("on", "in", "at") and " of " not in noun:
            self.front("time", p.text, ["when"], p)
            return
        lies = lemma(c.verb.split()[0]) in words("placed") or (c.voice == "copula" and at == 0)
        if pattern("<place>").match(p.text) and lies:
            self.phrase_asked("place", p.text, ["where", "in which place"], p)
            self.front("place", p.text, ["at which place"], p, exam=True)
        elif not kind and p is c.rest[-1] and (prep in words("asked_with") or (prep == "for" and c.voice != "active")):
            personal = "what" if prep in ("on", "into", "as", "through") else "whom"  # "on the default branch"
            self.phrase_asked("what", noun, led(prep, ["what"] if prep == "as" else asked_for(noun), personal), p)

    def is_purpose(self, p: Phrase) -> bool:
        """Whether "to …" says what the deed is for: but not after "a way", "people wishing" or "is guaranteed"."""
        c, at = self.c, self.c.rest.index(p)
        if re.match("(?i)no ", c.subject) or not (p.front or c.voice == "passive"):
            return False
        if p.front:
            return True
        if c.verb in words("required") or c.verb == "made" or lemma(c.verb) in words("asking"):
            return False  # "is encouraged to sign"
        before = c.rest[at - 1].text.split()[-1] if at and not c.rest[at - 1].front else ""
        if not before:
            return lemma(c.verb) in words("with_purpose")
        return before not in words("with_infinitive") and not readings(before) & {"VBG", "VBN", "JJ"}
