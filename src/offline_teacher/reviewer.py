"""Pairs of question and answer judged by what can be checked: rated, their facts checked, two of them compared.

    rating         points by clarity, accuracy, usefulness and difficulty
    fact_check     three scores and a verdict
    preference     which of two pairs is the better material

All three go by one review. Every fault that it finds caps some of the points, so that a clear fault cannot be made up
for by what is good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from .calls import Fields, for_each_pair
from .english import data, lemma, pattern
from .evidence import asked, dropped, evidence, flat, numbers_of, rival, supposed
from .judging import content, fault, missing
from .soundness import unresolved
from .tagging import FINITE, tag

POINTS = {"clarity": 3.0, "accuracy": 3.0, "usefulness": 2.0, "difficulty": 2.0}
CHECKS = ("factual_accuracy", "completeness", "consistency")
NEARLY = 0.75  # points between two pairs that are as good as each other

_IMPERSONAL = re.compile(r"(?i)\b(?:is it|it is) (?=(?:true|possible|necessary|important|allowed|correct|forbidden)\b)")
_CHOICE = re.compile(r"(?i)(?:[:,]|\b(?:longer|shorter|higher|sooner|later|more|less|rather)\b).* or ")
_NEGATION = re.compile(r"(?i)\b(?:not|never|no|cannot|none|neither|without|nobody|forbidden)\b")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a pair, the most points that it leaves, and the verdict; a row of the table `defects`."""

    says: str
    leaves: list[float]
    verdict: str = "PASS"
    grounded: bool = True


@dataclass(slots=True)
class Review:
    """The points of a pair, and the defects that took them."""

    points: dict[str, float]
    why: str
    defects: list[Flaw] = field(default_factory=list)

    def add(self, name: str, *told: str) -> None:
        """Take the points that a defect costs; `told` stands in what is said of it."""
        row = data()["defects"][name]
        self.defects.append(found := Flaw(**row | {"says": row["says"].format(*told)}))
        for criterion, most in zip((*POINTS, *CHECKS), found.leaves, strict=True):
            self.points[criterion] = min(self.points[criterion], most)

    @property
    def grounded(self) -> bool:
        return all(found.grounded for found in self.defects)

    @property
    def total(self) -> float:
        return sum(self.points[name] for name in POINTS)

    @property
    def verdict(self) -> str:
        return min((found.verdict for found in self.defects), key=_gravity, default="PASS")

    @property
    def reason(self) -> str:
        """The deciding facts: the defects, the gravest first, else what speaks for the pair."""
        says = [found.says for found in sorted(self.defects, key=lambda found: _gravity(found.verdict))]
        return " ".join(dict.fromkeys(says[:2])) or self.why


def _gravity(verdict: str) -> int:
    return ("FAIL", "NEEDS_REVIEW", "PASS").index(verdict)


@lru_cache(maxsize=4096)
def review(question: str, answer: str, passage: str, topic: str = "") -> Review:
    """Points and faults of a pair; without a passage, of its wording alone."""
    known = _with_the_case(question, passage)
    share = missing(answer, known)[1] if passage else 1.0
    accuracy = 3.0 if share >= 0.9 else 2.5 if share >= 0.8 else 2.0
    points = {"clarity": 3.0, "accuracy": accuracy, "usefulness": _use(question, answer), "difficulty": 0.0}
    points["difficulty"], hard = _difficulty(question, answer)
    points |= dict.fromkeys(CHECKS, 10.0) | {"factual_accuracy": 10.0 if share >= 0.9 else round(10 * share, 1)}
    found = Review(points, f"The question stands alone, the passage has the answer, and {hard}.")
    _judge_wording(found, question, answer)
    if passage:
        _judge_content(found, question, answer, passage)
    if topic and not content(topic) & {lemma(word, "NOUN") for word in content(f"{question} {answer}")}:
        near = content(topic) & content(f"{question} {answer} {passage}")
        found.add("off_topic" if near else "far_off_topic", topic)
    return found


def _with_the_case(question: str, passage: str) -> str:
    """The passage with the case that a question puts."""
    return f"{passage}\n\n{supposed(question)}" if supposed(question) else passage


def _use(question: str, answer: str) -> float:
    """Two points for an answer that carries a number, a name or some words of its own."""
    own = content(answer) - content(question)
    return 2.0 if len(own) > 1 or numbers_of(answer) or re.search(r"\w [A-Z]|\d", answer) else 1.5


def _difficulty(question: str, answer: str) -> tuple[float, str]:
    """From 0 to 2, and why: whether the answer is in the question, is to be understood, or to be known exactly."""
    own = content(answer) - content(question)
    if not own and not (_CHOICE.search(question) or supposed(question)):
        return 0.0, "the question gives its answer away"
    thought = pattern(r"(?i)\b<takes_thought>\b").search(question)
    if thought or re.match(r"(?i)(?:if|when|unless|because|only) ", answer):
        return (2.0 if len(own) > 4 else 1.5), "it takes understanding"
    if numbers_of(answer) or len(own) > 4:
        return (1.5 if len(own) > 7 else 1.0), "the exact answer has to be known"
    return 0.5, "it asks for a name or a word only"


def _judge_wording(found: Review, question: str, answer: str) -> None:
    """Add what is wrong with a pair whatever its passage says."""
    plain = asked(question.strip())
    if outside := pattern(r"(?i)\b<outside>\b").search(plain):
        found.add("outside", outside[0])
    elif unresolved(_IMPERSONAL.sub("", plain)):
        found.add("pronoun")
    if not content(plain) or len(plain.split()) < 2:
        found.add("no_question")
    if plain.count("?") != 1 or not plain.endswith("?"):
        found.add("no_plain_question")
    if question.startswith("In the section ") or len(plain.split()) > 40:
        found.add("bound")
    yes_no = _asks_yes_no(plain)
    if pattern(r"(?i)<nothing>\W*").fullmatch(answer.strip()) and not (yes_no and flat(answer) in ("yes", "no")):
        found.add("nothing")
    elif _echoes(plain, answer):
        found.add("echo")
    elif yes_no and len(answer.split()) < 3:
        found.add("bare")
    if _cut(answer):
        found.add("cut")


def _asks_yes_no(question: str) -> bool:
    return pattern("(?i)<yes_no>").match(question) is not None


def _echoes(question: str, answer: str) -> bool:
    """Whether an answer has no word and number that the question lacks, and neither chooses nor says yes or no."""
    chooses = _CHOICE.search(question) and " or " not in answer
    decides = re.match(r"(?i)(?:yes|no)\b", answer) if _asks_yes_no(question) else chooses
    new = content(answer) - content(question) or numbers_of(answer).keys() - numbers_of(question).keys()
    return not (decides or new)


def _cut(answer: str) -> bool:
    """Whether an answer ends where no answer does."""
    text = answer.strip()
    unclosed = text.count("(") != text.count(")") or text.count('"') % 2 or text.count("\u201c") != text.count("\u201d")
    joins = pattern(".* <open_end>").fullmatch(flat(text))
    return bool(unclosed or joins) or text.endswith((",", ":", "...", "\u2026", "(", "-"))


def _judge_content(found: Review, question: str, answer: str, passage: str) -> None:
    """Add what is wrong with a pair by its passage."""
    case = supposed(question)
    best = evidence(question, answer, passage)
    said = best.statement.text if best else ""
    if why := fault(case or question, answer, _with_the_case(question, passage)):
        found.add("unfounded", why)
    elif other := rival(question, answer, passage):
        found.add("rival", other)
    elif _contradicts(question, answer, said):
        found.add("opposite", said)
    if best and best.holds >= 0.6 and (left_out := dropped(question, answer, said)):
        found.add("condition", left_out)
    if _ends_inside(answer, said):
        found.add("cut")


def _contradicts(question: str, answer: str, said: str) -> bool:
    """Whether a statement denies what the pair affirms: "Yes" to what may never be, or "must" for "must not"."""
    denied, told = _NEGATION.search(said), _NEGATION.search(f"{question} {re.sub('^No,? ', '', answer)}")
    if not denied or told:
        return False
    if _asks_yes_no(asked(question)):
        return re.match(r"(?i)yes\b", answer) is not None
    shared = content(said) & content(answer)
    return len(answer.split()) > 4 and len(shared) > 0.7 * len(content(said))


def _ends_inside(answer: str, said: str) -> bool:
    """Whether a longer answer ends within a phrase of the statement that it quotes: "must be kept for eight"."""
    text = flat(re.sub(r"^(?:Yes|No), ", "", answer))
    at = said.lower().find(text) if len(answer.split()) > 2 and not text.endswith("per cent") else -1
    if at < 0:
        return False
    tokens = tag(said)
    here = [i for i, token in enumerate(tokens) if token.end == at + len(text)]
    if not here or here[0] + 1 >= len(tokens):
        return False
    last, after = tokens[here[0]].tag, tokens[here[0] + 1].tag
    noun_due = last in ("CD", "JJ", "DT", "IN", "NN", "NP") and after in ("NN", "NNS", "NP")
    verb_due = last in ("MD", "BE", "TO", "RB") and after in ("JJ", "VB", "VBN", "RB")
    return noun_due or verb_due or (last == "PRP" and after in FINITE)


@for_each_pair("ratings")
def rating(pair: Fields, fields: Fields) -> Fields:
    """Points for what can be checked."""
    found = review(pair["question"], pair["answer"], fields["passage"], fields.get("topic", ""))
    points = {name: found.points[name] for name in POINTS}
    reason = found.reason if fields["passage"] else found.reason.replace("the passage has the answer, ", "")
    return {"reasoning": reason, **points, "grounded": found.grounded}


@for_each_pair("checks")
def fact_check(pair: Fields, fields: Fields) -> Fields:
    """Whether the facts of a pair are those of the passage, and whether they are all there."""
    found = review(pair["question"], pair["answer"], fields["passage"])
    scores = {name: found.points[name] for name in CHECKS}
    verdict = "NEEDS_REVIEW" if found.verdict == "PASS" and min(scores.values()) < 8 else found.verdict
    return {"reasoning": found.reason, **scores, "verdict": verdict}


@for_each_pair("preferences")
def preference(item: Fields, fields: Fields) -> Fields:
    """The pair with clearly more points; by their wording alone where either has no passage."""
    both = (item["first"], item["second"])
    judged = all(one.get("passage") for one in both)
    first, second = (review(one["question"], one["answer"], one["passage"] if judged else "") for one in both)
    ahead = (first.total - 3 * (not first.grounded)) - (second.total - 3 * (not second.grounded))
    better = "neither" if abs(ahead) < NEARLY else "first" if ahead > 0 else "second"
    why = f"The first has {first.total:g} points: {first.reason} The second has {second.total:g}: {second.reason}"
    return {"reasoning": why, "better": better}
