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
from typing import Any

from . import english
from .calls import ReplyFields
from .evidence import asked, dropped, evidence, flat, numbers_of, rival, supposed
from .judging import content, fault, missing
from .soundness import unresolved

POINTS = {"clarity": 3.0, "accuracy": 3.0, "usefulness": 2.0, "difficulty": 2.0}
CHECKS = ("factual_accuracy", "completeness", "consistency")
NEARLY = 0.75  # points between two pairs that are as good as each other

_OUTSIDE = re.compile(
    r"(?i)\b(?:(?:this|the (?:given|following|provided|above)|above|preceding) "
    r"(?:passage|text|section|document|chapter|excerpt|paragraph|article|table|list|page|figure)"
    r"|(?:the|this) (?:passage|text|excerpt|paragraph|author)"
    r"|(?:mentioned|described|listed|stated|shown) (?:above|below|here)|according to (?:it|this|them))\b"
)
_IMPERSONAL = re.compile(r"(?i)\b(?:is it|it is) (?=(?:true|possible|necessary|important|allowed|correct|forbidden)\b)")
_NOTHING = re.compile(
    r"(?i)(?:n/?a|unknown|yes|no|\W*|it depends|i (?:do not|don't) know|see (?:above|below)|"
    r"(?:it is |this is )?not (?:stated|mentioned|specified|given|available|applicable|known|provided)"
    r"|the (?:passage|text|document) does not .*)\W*"
)
_YES_NO = re.compile(r"(?i)^(?:is|are|was|were|do|does|did|may|can|must|should|has|have|will)\b")
_CHOICE = re.compile(r"(?i)(?:[:,]|\b(?:longer|shorter|higher|sooner|later|more|less|rather)\b).* or ")
_TAKES_THOUGHT = re.compile(
    r"(?i)\b(?:why|how (?!(?:many|much|old|long|often|soon|quickly|frequently)\b)|what happens|under what"
    r"|in (?:what|which) (?:case|situation|way)|if|unless|compare|differ|longer|higher|sooner|later|more often|suppose"
    r"|purpose)\b"
)
_NEGATION = re.compile(r"(?i)\b(?:not|never|no|cannot|none|neither|without|nobody|forbidden)\b")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a pair, the most points of `POINTS` and of `CHECKS` that it leaves, and the verdict."""

    says: str
    caps: dict[str, float]
    verdict: str = "PASS"
    grounded: bool = True


@dataclass(slots=True)
class Review:
    """The points of a pair, and the faults that took them."""

    points: dict[str, float]
    why: str
    faults: list[Flaw] = field(default_factory=list)

    def add(self, found: Flaw) -> None:
        self.faults.append(found)
        self.points |= {name: min(self.points[name], most) for name, most in found.caps.items()}

    @property
    def grounded(self) -> bool:
        return all(found.grounded for found in self.faults)

    @property
    def total(self) -> float:
        return sum(self.points[name] for name in POINTS)

    @property
    def verdict(self) -> str:
        verdicts = {found.verdict for found in self.faults}
        return next((name for name in ("FAIL", "NEEDS_REVIEW") if name in verdicts), "PASS")

    @property
    def reason(self) -> str:
        """The deciding facts: the faults, the gravest first, else what speaks for the pair."""
        order = {"FAIL": 0, "NEEDS_REVIEW": 1, "PASS": 2}
        says = [found.says for found in sorted(self.faults, key=lambda found: order[found.verdict])]
        return " ".join(dict.fromkeys(says[:2])) or self.why


def _caps(clarity: float, accuracy: float, usefulness: float, difficulty: float, *checks: float) -> dict[str, float]:
    return dict(zip((*POINTS, *CHECKS), (clarity, accuracy, usefulness, difficulty, *checks), strict=False))


# --- the review ------------------------------------------------------------------------------------------------------


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
    for one in (*_of_wording(question, answer), *(_of_content(question, answer, passage) if passage else ())):
        found.add(one)
    if topic and not content(topic) & {english.lemma(w, "NOUN") for w in content(f"{question} {answer}")}:
        words = content(topic) & content(f"{question} {answer} {passage}")
        found.add(Flaw(f"It is not about {topic}.", {"usefulness": 1.0 if words else 0.5}))
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
    if _TAKES_THOUGHT.search(question) or re.match(r"(?i)(?:if|when|unless|because|only) ", answer):
        return (2.0 if len(own) > 4 else 1.5), "it takes understanding"
    if numbers_of(answer) or len(own) > 4:
        return (1.5 if len(own) > 7 else 1.0), "the exact answer has to be known"
    return 0.5, "it asks for a name or a word only"


def _of_wording(question: str, answer: str) -> list[Flaw]:
    """What is wrong with a pair whatever its passage says."""
    plain, found = asked(question.strip()), []
    outside = _OUTSIDE.search(plain)
    if outside or unresolved(_IMPERSONAL.sub("", plain)):
        word = outside[0] if outside else "a word that stands for something"
        says = f'The question is not understood alone: "{word}" points outside it.'
        says = says if outside else "The question is not understood alone: a pronoun has nothing to stand for."
        found.append(Flaw(says, _caps(0.0, 2.0, 0.5, 1.0, 10, 10, 5), "NEEDS_REVIEW"))
    if len(content(plain)) < 1 or len(plain.split()) < 2:
        found.append(Flaw("There is no question.", _caps(0.0, 1.0, 0.0, 0.0, 5, 5, 0), "FAIL"))
    if plain.count("?") != 1 or not plain.endswith("?"):
        found.append(Flaw("It is not one plain question.", {"clarity": 2.0}))
    if question.startswith("In the section ") or len(plain.split()) > 40:
        found.append(Flaw("The question is longer or more bound to its section than it need be.", {"clarity": 2.5}))
    yes_no = bool(_YES_NO.match(plain))
    if _NOTHING.fullmatch(answer.strip()) and not (yes_no and flat(answer) in ("yes", "no")):
        found.append(Flaw("The answer says nothing.", _caps(1.0, 0.0, 0.0, 0.0, 0, 0, 0), "FAIL"))
    elif _echoes(plain, answer):
        says = "The answer only says again what the question says."
        found.append(Flaw(says, _caps(2.0, 1.5, 0.0, 0.0, 10, 2, 5), "NEEDS_REVIEW"))
    elif yes_no and len(answer.split()) < 3:
        found.append(Flaw("The answer gives no more than yes or no.", {"usefulness": 1.0, "difficulty": 0.5}))
    if _cut(answer):
        found.append(_CUT)
    return found


def _echoes(question: str, answer: str) -> bool:
    """Whether an answer has no word and number that the question lacks, and neither chooses nor says yes or no."""
    decides = (
        re.match(r"(?i)(?:yes|no)\b", answer)
        if _YES_NO.match(question)
        else _CHOICE.search(question) and " or " not in answer
    )
    new = content(answer) - content(question) or numbers_of(answer).keys() - numbers_of(question).keys()
    return not (decides or new)


_CUT = Flaw("The answer is cut off.", _caps(1.0, 1.5, 0.5, 1.0, 8, 2, 6), "NEEDS_REVIEW")
_OPEN_END = re.compile(
    r".* (?:of|to|with|from|for|that|which|who|because|if|when|whose|than|by|at|as|into|via|whether|and|or|but|the|an?"
    r"|their|its|must|is|are|not)"
)


def _cut(answer: str) -> bool:
    """Whether an answer ends where no answer does."""
    text = answer.strip()
    unclosed = text.count("(") != text.count(")") or text.count('"') % 2 or text.count("\u201c") != text.count("\u201d")
    joins = _OPEN_END.fullmatch(flat(text))
    return bool(unclosed or joins) or text.endswith((",", ":", "...", "\u2026", "(", "-"))


def _of_content(question: str, answer: str, passage: str) -> list[Flaw]:
    """What is wrong with a pair by its passage."""
    found = []
    case, known = supposed(question), _with_the_case(question, passage)
    why = fault(case, answer, known) if case else fault(question, answer, passage)
    other = rival(question, answer, passage)
    best = evidence(question, answer, passage)
    said = best.statement.text if best else ""
    if why:
        found.append(Flaw(why, _caps(3.0, 0.0, 1.0, 1.0, 1, 5, 5), "FAIL", grounded=False))
    elif other:
        says = f"The passage gives {other} for what is asked."
        found.append(Flaw(says, _caps(3.0, 0.0, 1.0, 1.0, 1, 5, 2), "FAIL", grounded=False))
    elif _contradicts(question, answer, said):
        says = f"The passage says the opposite: {said}"
        found.append(Flaw(says, _caps(3.0, 0.0, 1.0, 1.0, 0, 5, 0), "FAIL", grounded=False))
    left_out = dropped(question, answer, said) if best and best.holds >= 0.6 else ""
    if left_out:
        says = f'The answer leaves out a condition: "{left_out}".'
        found.append(Flaw(says, _caps(3.0, 2.0, 1.5, 2.0, 8, 4, 10), "NEEDS_REVIEW"))
    if _ends_inside(answer, said):
        found.append(_CUT)
    return found


def _contradicts(question: str, answer: str, said: str) -> bool:
    """Whether a statement denies what the pair affirms: "Yes" to what may never be, or "must" for "must not"."""
    denied, told = _NEGATION.search(said), _NEGATION.search(f"{question} {re.sub('^No,? ', '', answer)}")
    if not denied or told:
        return False
    if _YES_NO.match(asked(question)):
        return re.match(r"(?i)yes\b", answer) is not None
    shared = content(said) & content(answer)
    return len(answer.split()) > 4 and len(shared) > 0.7 * len(content(said))


def _ends_inside(answer: str, said: str) -> bool:
    """Whether a longer answer ends within a phrase of the statement that it quotes: "must be kept for eight"."""
    text = flat(re.sub(r"^(?:Yes|No), ", "", answer))
    at = said.lower().find(text) if len(answer.split()) > 2 and not text.endswith("per cent") else -1
    if at < 0:
        return False
    tokens = english.tag(said)
    here = [i for i, token in enumerate(tokens) if token.end == at + len(text)]
    if not here or here[0] + 1 >= len(tokens):
        return False
    last, after = tokens[here[0]].tag, tokens[here[0] + 1].tag
    noun_due = last in ("CD", "JJ", "DT", "IN", "NN", "NP") and after in ("NN", "NNS", "NP")
    verb_due = last in ("MD", "BE", "TO", "RB") and after in ("JJ", "VB", "VBN", "RB")
    return noun_due or verb_due or (last == "PRP" and after in english.FINITE)


# --- the replies -----------------------------------------------------------------------------------------------------


def rating(fields: dict[str, Any], seed: int) -> ReplyFields:
    """For each pair, points for what can be checked."""
    rows: list[dict[str, Any]] = []
    for pair in fields["pairs"]:
        found = review(pair["question"], pair["answer"], fields["passage"], fields.get("topic", ""))
        points = {name: found.points[name] for name in POINTS}
        rows.append({"id": pair["id"], "reasoning": found.reason, **points, "grounded": found.grounded})
    return {"ratings": rows}


def fact_check(fields: dict[str, Any], seed: int) -> ReplyFields:
    """For each pair, whether its facts are those of the passage, and whether they are all there."""
    rows: list[dict[str, Any]] = []
    for pair in fields["pairs"]:
        found = review(pair["question"], pair["answer"], fields["passage"])
        scores = {name: found.points[name] for name in CHECKS}
        verdict = "NEEDS_REVIEW" if found.verdict == "PASS" and min(scores.values()) < 8 else found.verdict
        rows.append({"id": pair["id"], "reasoning": found.reason, **scores, "verdict": verdict})
    return {"checks": rows}


def preference(fields: dict[str, Any], seed: int) -> ReplyFields:
    """For each item, the pair with clearly more points; by their wording alone where either has no passage."""
    rows: list[dict[str, Any]] = []
    for item in fields["pairs"]:
        both = (item["first"], item["second"])
        judged = all(one.get("passage") for one in both)
        first, second = (review(one["question"], one["answer"], one["passage"] if judged else "") for one in both)
        ahead = (first.total - 3 * (not first.grounded)) - (second.total - 3 * (not second.grounded))
        better = "neither" if abs(ahead) < NEARLY else "first" if ahead > 0 else "second"
        why = f"The first has {first.total:g} points: {first.reason} The second has {second.total:g}: {second.reason}"
        rows.append({"id": item["id"], "reasoning": why, "better": better})
    return {"preferences": rows}
