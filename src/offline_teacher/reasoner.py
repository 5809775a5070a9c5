"""Questions that take more than one step, from the facts of a passage.

    two names      what is said of a thing, asked of it by its other name
    compared       which of two spans of time or amounts is the greater
    a case         a time limit, or a condition with a number, put to a case of its own
    an exception   what holds where the "unless" of a rule is met
    two facts      what two sentences say of one thing

Where a passage has fewer of these than are asked for, plain questions follow, with the steps to their answers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import wordings
from .calls import Fields, ReplyFields, order, place
from .clauses import Clause, Phrase, parse
from .english import capital, data, is_person, lemma, lowered, pattern
from .facts import Fact
from .judging import content
from .orders import Orders, Wording
from .reviewer import review
from .rewriter import finished_as_it_stands, steps_to
from .soundness import unresolved
from .tagging import head_of, is_plural
from .turning import finished, is_sentence

GOOD = 7.0  # least points of a question that is said
_THOUGHTFUL = ("condition", "why", "how", "duty")  # kinds of question that take some understanding
_TURNS = 4  # plain questions on a fact, where a passage has few facts
_SHORT = 8  # most words of one of two answers that are said together


@dataclass(frozen=True, slots=True)
class Premise:
    """A fact that is read whole, its clause, and the questions on it."""

    fact: Fact
    clause: Clause
    asked: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """A question with its steps, and the facts that it uses."""

    question: str
    steps: tuple[str, ...]
    answer: str
    uses: frozenset[str]


def _thought(question: str, answer: str, rows: Sequence[Premise], *further: str) -> Thought:
    """A question whose first steps are facts."""
    told = tuple(row.fact.text for row in rows)
    return Thought(capital(question), (*told, *further), answer, frozenset(told))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, as it stands, and in the smallest unit of its kind."""

    text: str
    number: float
    unit: str
    kind: str
    size: float


def reasoned_questions(fields: Fields, seed: int) -> ReplyFields:
    """Up to `count` questions with their steps: those that take two steps first, no fact twice while others wait."""
    passage, count, topic = fields["passage"], fields["count"], content(fields.get("topic", ""))
    rows = _rows(passage, place(fields))
    chosen: dict[str, Thought] = {}
    used: set[str] = set()

    def fitting(found: Iterable[Thought]) -> list[Thought]:
        return sorted(found, key=lambda one: (not topic & content(one.question), order(seed, one.question)))

    rules = (_two_names, _compared, _cases, _exceptions, _two_facts)
    plain = fitting(_plain(rows, passage, seed)) if topic else list(_plain(rows, passage, seed))
    two_steps = [one for rule in rules for one in fitting(rule(rows, seed))]
    for group, again in ((two_steps, False), (plain, False), (plain, True)):
        for one in group:
            fresh = not used & one.uses or (again and one.answer not in {other.answer for other in chosen.values()})
            if len(chosen) < count and fresh and _is_good(one, passage):
                used |= one.uses
                chosen[one.question] = one
    pairs = [{"question": one.question, "steps": list(one.steps), "answer": one.answer} for one in chosen.values()]
    return {"pairs": [pair | {"follows": True} for pair in pairs]}


def _rows(passage: str, section: str) -> list[Premise]:
    found = []
    for fact, asked in wordings.asked(passage, section):
        clause = parse(fact.text)
        if clause is not None and is_sentence(fact.text.partition(": ")[0]):
            found.append(Premise(fact, clause, tuple(w for w in asked if not w.exam)))
    return found


def _is_good(one: Thought, passage: str) -> bool:
    found = review(one.question, one.answer, passage)
    return found.grounded and found.total >= GOOD


# --- two names of one thing ------------------------------------------------------------------------------------------


def _two_names(rows: Sequence[Premise], seed: int) -> Iterator[Thought]:
    """What one sentence says of a thing, asked by the name that another gives it."""
    for thing, name, naming in _names(rows):
        whole = re.compile(rf"(?i)\b{re.escape(thing)}\b(?! (?:of|that|which|who)\b)")
        for row in rows:
            if row.fact.text == naming.fact.text or name in row.fact.text or naming.fact.text in row.fact.text:
                continue
            for w in row.asked:
                question = whole.sub(name, w.question)
                if question != w.question and name not in w.answer and not w.question.startswith("In the section"):
                    last = f"The two are the same, so the answer is: {finished_as_it_stands(w.answer)}"
                    yield _thought(question, w.answer, (naming, row), last)


def _names(rows: Sequence[Premise]) -> Iterator[tuple[str, str, Premise]]:
    """(thing, name, where it is said), of "the list is called …", "the warden is Ada Winter", "…, known as the …"."""
    proper = r"(?:the )?[A-Z][\w'-]*(?: (?:of |and |the )?[A-Z][\w'-]*)*"
    for row in rows:
        clause, subject = row.clause, lowered(row.clause.subject)
        told = [p.text for p in clause.inner]
        naming = clause.verb in ("called", "named") if clause.voice == "passive" else clause.voice == "copula"
        definite = subject.startswith("the ") and len(subject.split()) > 1 and len(clause.helpers) < 2
        if naming and definite and not clause.negated and len(told) == 1 and re.fullmatch(proper, told[0]):
            yield subject, told[0], row
        known_as = rf"\b([Tt]he (?:[a-z-]+ ){{0,3}}[a-z-]+), (?:known as|called) ({proper})"
        for found in re.finditer(known_as, row.fact.text):
            yield lowered(found[1]), found[2], row


# --- two amounts compared --------------------------------------------------------------------------------------------


def amount(text: str) -> Amount | None:
    """The number and unit that a phrase begins with, where it is no "at least" and the like."""
    found = pattern(r"(?i)(\d[\d,.]*\d|\d|<numbers>) ((?:business |calendar |working )?)([a-z]+)\b").match(text)
    if not found:
        return None
    number, unit = _value(found[1]), lemma(found[3], "NOUN")
    if number is None:
        return None
    kind, factor = (found[2] + unit, 1) if found[2] else data()["spans"].get(unit, (unit, 1))
    return Amount(found[0], number, found[2] + unit, kind, number * factor)


def _value(number: str) -> float | None:
    spelled = data()["numbers"].get(number.lower())
    if spelled is not None:
        return float(spelled)
    plain = number.replace(",", "")
    return float(plain) if re.fullmatch(r"\d+(?:\.\d+)?", plain) else None


def _timed(row: Premise) -> tuple[str, Amount, Phrase] | None:
    """The preposition, span of time and phrase of a fact that says how long, how soon or how often, and no more."""
    if row.clause.negated or any(p.kind == "SUB" or p.front for p in row.clause.rest):
        return None
    for phrase in row.clause.rest:
        lead, _, rest = phrase.text.partition(" ")
        span = amount(rest) if lead in data()["comparisons"] else None
        if span is not None and span.kind.split()[-1] in data()["spans"]:
            return lead, span, phrase
    return None


def _compared(rows: Sequence[Premise], seed: int) -> Iterator[Thought]:
    timed = [(row, found) for row in rows if (found := _timed(row))]
    for (a, (lead, one, _)), (b, (other_lead, two, _)) in itertools.combinations(timed, 2):
        said = _shared_verb(a.clause, b.clause)
        if lead == other_lead and said and one.kind == two.kind and one.size != two.size:
            how, greater = data()["comparisons"][lead]
            yield _comparison(f"Which {said} {how}", (a, b), one, two, greater)
    equal = [(row, told) for row in rows if (told := _equal_to(row))]
    for (a, one), (b, two) in itertools.combinations(equal, 2):
        same = head_of(a.clause.subject) == head_of(b.clause.subject)
        if same and one.kind == two.kind and one.size != two.size:
            yield _comparison("Which is higher", (a, b), one, two, True)


def _shared_verb(a: Clause, b: Clause) -> str:
    """The verbs of two clauses, where they are the same."""
    many = [is_plural(lowered(one.subject)) for one in (a, b)]
    if a.subject == b.subject or (a.verb, a.voice) != (b.verb, b.voice) or a.voice == "copula":
        return ""
    if a.helpers == b.helpers and (a.helpers[:1] == ("must",) or many[0] == many[1]):
        return " ".join([*a.helpers, a.verb])
    return f"are {a.verb}" if all(many) and a.voice == "passive" else ""


def _equal_to(row: Premise) -> Amount | None:
    """The amount that a clause says its subject is: "the fee for a copy is 14 crowns"."""
    told = [p.text for p in row.clause.rest]
    found = amount(told[0]) if row.clause.voice == "copula" and not row.clause.helpers and len(told) == 1 else None
    return found if found and found.text == told[0] and row.clause.subject.lower().startswith("the ") else None


def _comparison(lead: str, rows: Sequence[Premise], one: Amount, two: Amount, greater: bool) -> Thought:
    first, second = (lowered(row.clause.subject) for row in rows)
    more, less = (one, two) if one.size > two.size else (two, one)
    answer = first if (one.size > two.size) == greater else second
    steps = []
    if one.unit != two.unit:
        spans = data()["spans"]
        small = min(one.unit, two.unit, key=lambda unit: spans[unit][1])
        large = one if one.unit != small else two
        be, number = "is" if large.number == 1 else "are", large.size / spans[small][1]
        steps.append(f"{capital(large.text)} {be} {number:,g} {small}s.")
    steps += [f"{capital(more.text)} is more than {less.text}.", f"So the answer is: {answer}."]
    return _thought(f"{lead}: {first} or {second}?", answer, rows, *steps)


# --- a rule put to a case --------------------------------------------------------------------------------------------


def _cases(rows: Sequence[Premise], seed: int) -> Iterator[Thought]:
    for row in rows:
        yield from _deadline(row, seed)
        yield from _exceeded(row)


def _deadline(row: Premise, seed: int) -> Iterator[Thought]:
    """Whether a deed some time after is still within its limit."""
    c, found = row.clause, _timed(row)
    if not found or found[0] != "within" or c.helpers != ("must", "be") or c.voice != "passive":
        return
    if c.adverbs or any(p.kind == "ADV" for p in c.rest):
        return
    limit, late = found[1], order(seed, row.fact.text)[0] % 2 == 0
    number = limit.number + max(1, limit.number // 2) if late else max(1, limit.number // 2)
    since = re.fullmatch(rf"within {re.escape(limit.text)}(?: (?:of|after|from) (the .+))?", found[2].text)
    if number == limit.number or number != int(number) or not since:
        return
    case = f"{number:,g} {limit.unit}{'s' if number > 1 else ''}"
    when = f"{case} after {since[1]}" if since[1] else f"after {case}"
    be = "are" if is_plural(lowered(c.subject)) else "is"
    others = " ".join(when if p is found[2] else p.text for p in c.rest)
    subject = re.sub(r"^(?:every|each) ", "one ", lowered(c.subject))
    question = f"Suppose that {subject} {be} {c.verb} {others}. Is the time limit kept?"
    rule = lowered(row.fact.text)
    answer = f"{'No' if late else 'Yes'}, {rule.rstrip('.')}"
    more = f"{capital(case)} is {'more' if late else 'no more'} than {limit.text}."
    yield _thought(question, answer, [row], more, f"So the limit is {'not ' if late else ''}kept: {rule}")


def _exceeded(row: Premise) -> Iterator[Thought]:
    """What holds in a case that goes beyond the number of a condition: "if more than 500 clients are affected"."""
    c = row.clause
    front = next((p for p in c.rest if p.front and re.match(r"(?:if|when) ", p.text)), None)
    found = front and pattern(r"(?i)\b(?:more than|above) (\d[\d,]*\d|\d|<numbers>)\b").search(front.text)
    if not front or not found or not c.helpers or c.negated:
        return
    value = _value(found[1])
    if value is None or unresolved(finished(front.text.partition(" ")[2])):
        return
    case = f"{value + max(1, value // 5):,g}"
    put = front.text.replace(found[0], case if found[0].lower().startswith("more") else f"at {case}").partition(" ")[2]
    orders = Orders(c, frozenset())
    question = f"Suppose that {put}. {capital(orders.inverted([front]))}?"
    answer = f"Yes, {orders.stated([front])}"
    yield _thought(question, answer, [row], f"{case} is more than {found[1]}.", f"So the answer is: {answer}.")


def _exceptions(rows: Sequence[Premise], seed: int) -> Iterator[Thought]:
    """Whether a rule holds where its "unless" is met."""
    for row in rows:
        c = row.clause
        limit = next((p for p in c.inner if p.kind == "SUB" and p.text.startswith("unless ")), None)
        if limit is None or c.negated or not (c.helpers or c.voice == "copula"):
            continue
        orders, inner = Orders(c, frozenset()), limit.text.partition(" ")[2]
        answer = f"No, {orders.stated()}"
        steps = (f"Here the exception is met: {inner}.", f"So the answer is: {answer}.")
        yield _thought(f"{orders.inverted([limit])} if {inner}?", answer, [row], *steps)


# --- two facts of one thing ------------------------------------------------------------------------------------------


def _two_facts(rows: Sequence[Premise], seed: int) -> Iterator[Thought]:
    """One question for what two sentences say of one thing, each part plain and short."""
    for a, b in itertools.combinations(rows, 2):
        subject = lowered(a.clause.subject)
        person = is_person(head_of(subject)) and not is_plural(subject)
        if subject != lowered(b.clause.subject) or person or len(subject.split()) < 2:
            continue
        first, second = (_part(row, subject, seed) for row in (a, b))
        if first is None or second is None or first.answer == second.answer:
            continue
        other = second.question.replace(subject, "they" if is_plural(subject) else "it", 1)
        parted = any(re.search(r",| and ", w.answer) for w in (first, second))
        answer = f"{first.answer}{';' if parted else ' and'} {second.answer}"
        question = f"{first.question[:-1]}, and {other[:1].lower()}{other[1:]}"
        last = f"So the answer is: {finished_as_it_stands(answer)}"
        yield _thought(question, answer, (a, b), last)


def _part(row: Premise, subject: str, seed: int) -> Wording | None:
    part = re.compile(r"(?:How|When|Where|Why|(?:By|On|In|To|With|For|Within) (?:whom|which|what|how)) ")
    short = [w for w in row.asked if len(w.answer.split()) <= _SHORT and w.kind != "yesno"]
    fitting = [w for w in short if part.match(w.question) and w.question.count(f" {subject} ") == 1]
    return min(fitting, key=lambda w: order(seed, w.question), default=None)


# --- plain questions -------------------------------------------------------------------------------------------------


def _plain(rows: Sequence[Premise], passage: str, seed: int) -> Iterator[Thought]:
    """Questions on single facts with the steps to their answers, all facts in turn, those that take thought first."""
    ranked = [sorted(row.asked, key=lambda w: (w.kind not in _THOUGHTFUL, order(seed, w.question))) for row in rows]
    for turn in range(_TURNS):
        for row, asked in sorted(zip(rows, ranked, strict=True), key=lambda pair: order(seed, pair[0].fact.text)):
            for w in asked[turn : turn + 1]:
                steps, follows = steps_to(w.question, w.answer, passage)
                if follows:
                    yield Thought(w.question, tuple(steps), w.answer, frozenset({row.fact.text}))
