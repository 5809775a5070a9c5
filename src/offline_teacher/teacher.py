"""A teacher without a language model: it answers the package's prompts by rules, from the passage alone.

    extractive_summary … key_facts    sentences and facts, chosen by angle
    questions … fact_questions        question and answer pairs from wordings.py, spread over the facts
    exam                              the wordings kept for exams, with wrong options
    faithfulness                      the judge: whether a passage has what an answer says
    rating … preference               the judge of finished pairs, in reviewer.py
    rewrite, reasoning                answers worded as sentences, and the steps to them, in rewriter.py
    reasoned_questions                questions that take more than one step, in reasoner.py

It needs no network and gives the same bytes for the same call. What it writes is plain and literal: good enough to try
the whole pipeline and to teach a tiny model, no match for a real teacher.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from ai_tools.errors import UsageError
from ai_tools.records import Call, Completion

from . import facts, wordings
from .calls import Fields, ReplyFields, ReplyRule, order, place
from .english import data, pattern, words
from .facts import Fact
from .grammar import whole
from .judging import faithfulness
from .orders import Wording
from .reasoner import reasoned_questions
from .reviewer import fact_check, preference, rating
from .rewriter import reasoning, rewrite
from .soundness import stands_alone
from .tagging import is_plural

# The version of the rules, by which the journal knows a reply. It changes whenever any reply does, which
# tests/test_rules.py finds out; a comment, a name or a place in the source changes nothing.
RULES = "rules-2e62c5c53ade"
CRISP = 6  # most words of an answer that is asked for by preference
ENOUGH = 2  # wordings with such an answer that make the others of a fact unnecessary


class OfflineTeacher:
    """Answers calls by extraction rules."""

    provider = "offline"
    model = RULES
    base_url = ""
    own_host = True
    concurrency = 64

    def __init__(self, endpoint: object = None):
        """As every teacher is made; rules ask no endpoint."""

    async def complete(self, call: Call) -> Completion:
        """The reply in the JSON that the prompt asks for; UsageError for a prompt without rules."""
        if call.prompt not in REPLIES:
            known = ", ".join(sorted(REPLIES))
            raise UsageError(f"The offline teacher has no rules for the prompt {call.prompt!r}. It knows: {known}.")
        text = json.dumps(REPLIES[call.prompt](call.fields, call.seed), ensure_ascii=False)
        asked = sum(len(message["content"].split()) for message in call.messages)
        return Completion(text, self.model, prompt_tokens=asked, completion_tokens=len(text.split()))

    async def close(self) -> None:
        """Nothing is open."""


def _angle(angle: str) -> tuple[frozenset[str], re.Pattern[str]]:
    """The kinds of question that suit an angle, and the pattern of what its sentences contain."""
    for row in data()["angles"]:
        if any(word in angle.lower() for word in row["words"].split()):
            return frozenset(row["kinds"].split()), pattern(row["pattern"])
    return frozenset(), re.compile("(?!)")


# --- summaries and facts ---------------------------------------------------------------------------------------------


def _angled(
    texts: Sequence[str], angle: str, seed: int, share: float, must: frozenset[int] = frozenset()
) -> frozenset[int]:
    """Which texts suit an angle: all of `must`, then the best until the share is full, ties broken by the seed."""
    wanted = _angle(angle)[1]
    size = max(min(3, len(texts)), round(len(texts) * share))
    hits = [min(2, len(wanted.findall(text))) for text in texts]
    ranked = sorted(range(len(texts)), key=lambda i: (i not in must, -hits[i], order(seed, angle, texts[i])))
    return frozenset(ranked[: max(size, len(must))])


def _summaries(texts: Sequence[str], fields: Fields, seed: int, share: float, must: frozenset[int]) -> ReplyFields:
    taken: set[frozenset[int]] = set()
    found = []
    for number, angle in enumerate(fields["angles"]):
        chosen = _angled(texts, angle, seed, share + 0.05 * (number % 3), must)
        for i in sorted(range(len(texts)), key=lambda i: order(seed, "other", angle, i)):
            if chosen not in taken:
                break
            chosen = chosen ^ {i} if i not in must and (i not in chosen or len(chosen) > 3) else chosen
        taken.add(chosen)
        found.append({"angle": angle, "text": " ".join(texts[i] for i in sorted(chosen))})
    return {"summaries": found}


def extractive_summary(fields: Fields, seed: int) -> ReplyFields:
    """For each angle, a third to a half of the passage's sentences, word for word and in order."""
    texts = [s.text for s in facts.sentences(fields["passage"])]
    return _summaries(texts, fields, seed, 0.36, frozenset())


def detailed_summary(fields: Fields, seed: int) -> ReplyFields:
    """For each angle, most facts of the passage and at least one of every section."""
    found = facts.facts(fields["passage"], place(fields))
    texts = list(dict.fromkeys(fact.text for fact in found))
    sections = {fact.section: texts.index(fact.text) for fact in reversed(found)}
    if not texts:
        return extractive_summary(fields, seed)
    return _summaries(texts, fields, seed, 0.6, frozenset(sections.values()))


def key_facts(fields: Fields, seed: int) -> ReplyFields:
    """Every fact of the passage that is read whole and stands alone."""
    found = (fact.text for fact in facts.facts(fields["passage"], place(fields)))
    return {"facts": [text for text in dict.fromkeys(found) if whole(text.partition(": ")[0]) and stands_alone(text)]}


# --- questions -------------------------------------------------------------------------------------------------------


def _ranked(found: Iterable[Wording], seed: int, kinds: frozenset[str] = frozenset()) -> list[Wording]:
    """Wordings in the order of choice: the angle's kinds first, then turn by turn over what they ask for.

    A fact that can be asked for in a few words is asked for in a few words: long answers cost a student far more
    tokens than they teach it.
    """
    found = list(found)
    crisp = [w for w in found if len(w.answer.split()) <= CRISP and w.kind != "yesno"]
    found = crisp if len(crisp) >= ENOUGH else found
    turns: dict[str, int] = {}
    ranked = []
    for w in sorted(found, key=lambda w: order(seed, w.question)):
        turns[w.answer] = turns.get(w.answer, -1) + 1
        ranked.append((w.kind not in kinds, turns[w.answer], w.kind == "yesno", w))
    return [w for *_, w in sorted(ranked, key=lambda row: row[:3])]


def _by_fact(fields: Fields, exam: bool) -> list[tuple[Fact, list[Wording]]]:
    rows = wordings.asked(fields["passage"], place(fields))
    chosen = [(fact, [w for w in found if w.exam == exam]) for fact, found in rows]
    return [(fact, found) for fact, found in chosen if found]


def questions(fields: Fields, seed: int) -> ReplyFields:
    """Up to `count` pairs, one for each fact before any fact has two."""
    kinds, _ = _angle(fields.get("angle", ""))
    rows = [_ranked(found, seed, kinds) for _, found in _by_fact(fields, exam=False)]
    pairs: dict[str, str] = {}
    for turn in range(max(map(len, rows), default=0)):
        ready = [row[turn] for row in rows if len(row) > turn]
        for w in sorted(ready, key=lambda w: (w.kind not in kinds, order(seed, w.question))):
            if len(pairs) < fields["count"]:
                pairs.setdefault(w.question, w.answer)
    return {"pairs": [{"question": q, "answer": a} for q, a in pairs.items()]}


_PLAIN = re.compile(
    r"(?i)(?:(?:in|on|at|by|to|with|from|for|after|within) )?(?:what|which|who|whom|how|when|where|why)\b"
)


def worked_example(fields: Fields, seed: int) -> ReplyFields:
    """Pairs of different kinds and facts, each a plain question that begins with its question word; others at need."""
    rows = [row for _, row in _by_fact(fields, exam=False)]
    plainest = [next((w for w in row if _PLAIN.match(w.question) and w.kind != "yesno"), None) for row in rows]
    plain = [w for w in plainest if w is not None]
    found: dict[str, Wording] = {}
    for w in plain:
        found.setdefault(w.kind, w)
    chosen = list(dict.fromkeys([*found.values(), *plain, *(row[0] for row in rows)]))[: fields["count"]]
    return {"pairs": [{"question": w.question, "answer": w.answer} for w in chosen]}


def fact_questions(fields: Fields, seed: int) -> ReplyFields:
    """Up to `count` pairs for each fact, about different parts of it first."""
    names = facts.proper_words("\n".join(fact["text"] for fact in fields["facts"]))
    pairs = []
    for fact in fields["facts"]:
        whole = Fact(fact["text"], place(fields), fact["text"])
        found = (w for w in wordings.wordings(whole, names) if not w.exam)
        for w in _ranked(found, seed)[: fields["count"]]:
            pairs.append({"id": fact["id"], "question": w.question, "answer": w.answer})
    return {"pairs": pairs}


# --- the exam --------------------------------------------------------------------------------------------------------

_PEOPLE = ("Anna Weller", "Robert Quist", "Helena Marlow", "Simon Fairley", "Petra Novak", "David Ansell")


def exam(fields: Fields, seed: int) -> ReplyFields:
    """Up to `count` questions in the wordings kept for exams, each with three wrong options of the answer's type."""
    rows = _by_fact(fields, exam=True)
    answers = [w for _, row in rows for w in row]
    found = []
    for fact, row in sorted(rows, key=lambda r: order(seed, r[0].text)):
        for w in sorted(row, key=lambda w: order(seed, w.question)):
            wrong = wrong_options(w, fact, answers, fields["passage"], seed)
            if wrong and len(w.answer.split()) <= 14:
                found.append({"question": w.question, "answer": w.answer, "wrong_options": wrong})
                break
        if len(found) == fields["count"]:
            break
    return {"questions": found}


def wrong_options(w: Wording, fact: Fact, others: Sequence[Wording], passage: str, seed: int) -> list[str]:
    """Three wrong answers of the same type, from the passage where it has them; none where three cannot be made."""
    answer = w.answer

    def shuffled(options: Iterable[str]) -> list[str]:
        return sorted(set(options), key=lambda option: order(seed, option))

    amounts = pattern(r"(?i)\b(\d[\d.,:]*\d|\d|<numbers>)\b").findall(answer)
    code = re.search(r"\b([A-Z]+-?)(\d+)\b", answer)
    item = pattern(r"\b(?:(<days>)|<months>)\b").search(answer)
    name = r"[A-Z][a-z]+(?: [A-Z][a-z]+)+"
    if code:
        made = [f"{code[1]}{int(code[2]) + step}" for step in (3, 1, 11, 20)]
        same = shuffled(re.findall(rf"\b{re.escape(code[1])}\d+\b", passage))
        found = [answer.replace(code[0], other) for other in [*same, *made]]
    elif item and not re.search(r"\d", answer):
        series = words("days" if item[1] else "months")
        found = [answer.replace(item[0], other) for other in shuffled(series)]
    elif 1 <= len(amounts) <= 2 and w.kind not in ("condition", "what", "definition", "duty"):
        before, _, after = answer.partition(amounts[0])
        found = [before + number + after for number in _numbers(amounts[0], answer, passage, seed)]
    elif re.fullmatch(name, answer) and w.kind in ("name", "who"):
        named = [o.answer for o in others if re.fullmatch(name, o.answer) and o.kind == w.kind]
        found = [*named, *shuffled(_PEOPLE)]
    else:
        shape, length = _shape(answer), len(answer.split())
        near = (o.answer for o in others if o.kind == w.kind and o.answer not in fact.source)
        found = shuffled(option for option in near if _shape(option) == shape)
        found.sort(key=lambda option: abs(len(option.split()) - length))
    wrong = [option for option in dict.fromkeys(found) if option.lower() != answer.lower()][:3]
    return wrong if len(wrong) == 3 else []


def _shape(answer: str) -> tuple[str, bool, bool]:
    first = answer.split()[0].lower()
    joins = first in words("prepositions", "subordinators")
    kind = first if joins else "the" if first in ("the", "a", "an") else ""
    return kind, bool(re.search(r"(?<= )[A-Z]", answer)), is_plural(answer)


def _numbers(number: str, answer: str, passage: str, seed: int) -> list[str]:
    """Other numbers: those that the passage gives with the same unit, then this one made larger and smaller."""
    clock = re.fullmatch(r"(\d\d?):(\d\d)", number)
    if clock:
        return [f"{(int(clock[1]) + step) % 24:02d}:{clock[2]}" for step in (1, 22, 2)]
    unit = re.search(rf"\b{re.escape(number)} ((?:business |calendar )?[a-z]+)", answer, re.I)
    same: list[str] = []
    if unit:
        given = pattern(rf"(?i)\b([\d.,]*\d|<numbers>) {unit[1].rstrip('s')}s?\b").findall(passage)
        same = sorted(set(given) - {number}, key=lambda n: order(seed, n))
    spelled = data()["numbers"]
    if number.lower() in spelled:
        value = spelled[number.lower()]
        made = [word for step in (1, 2, -1, 3) for word, v in spelled.items() if v == value + step and v > 0]
    else:
        plain = number.replace(",", "")
        size, digits = float(plain), len(plain.partition(".")[2])
        values = [size * 1.5, size * 2, size / 2, size * 3] if size > 3 else [size + 1, size + 2, size + 3]
        if 1900 <= size <= 2100 and "," not in number:  # a year
            values = [size - 2, size + 1, size + 3, size - 4]
        made = [f"{value:{',' if ',' in number else ''}.{digits}f}" for value in values]
    return [n for n in [*same[:2], *made, *same[2:]] if n != number]


_WRITTEN = (extractive_summary, detailed_summary, key_facts, questions, worked_example, fact_questions, exam)
_JUDGED_OR_REASONED = (faithfulness, rating, fact_check, preference, rewrite, reasoning, reasoned_questions)
REPLIES: dict[str, ReplyRule] = {rule.__name__: rule for rule in (*_WRITTEN, *_JUDGED_OR_REASONED)}
