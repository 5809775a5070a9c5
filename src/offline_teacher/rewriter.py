"""Answers worded as whole sentences, and the reasoning that leads to them.

    rewrite      a bare phrase becomes the sentence of the passage that says it, or the question turned round
    reasoning    what is asked, what the passage says to it, and the answer as it stands

An answer that the rules cannot word better without doubt stays as it is.
"""

from __future__ import annotations

import re

from .calls import Fields, for_each_pair
from .english import lemma, lowered
from .evidence import Evidence, Statement, asked, evidence, flat, limits, names_of, numbers_of, rival, stated
from .judging import content, fault, missing
from .soundness import stands_alone
from .turning import affirmed, as_statement, finished, indirect, is_sentence

_PHRASE = 30  # most words of an answer that may be a bare phrase
_FURTHER = 2  # most words that a sentence of the passage may say besides question and answer
_ABOUT = 0.75  # of a question, that the sentence must be about


@for_each_pair("rewrites")
def rewrite(pair: Fields, fields: Fields) -> Fields:
    """The answer of a pair as a whole sentence, or as it stands."""
    answer, changes = _worded(pair["question"], pair["answer"].strip(), fields["passage"])
    return {"answer": answer, "changes": changes}


def _worded(question: str, answer: str, passage: str) -> tuple[str, str]:
    told = re.sub(r"^(?:Yes|No), ", "", answer)
    bare = re.sub(r"^(?:it|they) ", "", told)
    several = "\n" in answer or "`" in answer or re.search(r"[.!?] \S", answer) or len(answer.split()) > _PHRASE
    if not answer or several:
        return answer, "none"
    if answer.lower() in ("yes", "no", "yes.", "no."):
        said, how = _with_what_was_asked(question, answer.lower().startswith("y"), passage), "said what it is about"
    elif is_sentence(told):
        said, how = finished(answer), "made a sentence of it"
    elif told != answer:
        return answer, "none"
    elif said := _quoted(question, bare, passage):
        how = "put into the sentence that says it"
    elif asked(question) != question.strip():
        return answer, "none"  # what holds in a section only is not said of everything
    else:
        said, how = as_statement(question, answer), "put into a sentence with what was asked"
    safe = said and flat(bare) in flat(said) and said != answer
    return (said, how) if safe else (answer, "none")


def _quoted(question: str, answer: str, passage: str) -> str:
    """The sentence of the passage that says the answer, and hardly more than was asked."""
    found = evidence(question, answer, passage)
    return finished(found.statement.text) if found and _fits(found, question, answer, passage) else ""


def _fits(found: Evidence, question: str, answer: str, passage: str) -> bool:
    """Whether a sentence has the answer word for word, is about the question, and says hardly more."""
    text, told = found.statement.text, f"{question} {answer}"
    has = flat(answer) in flat(text) and found.about >= _ABOUT and stands_alone(text)
    lemmas = {lemma(word) for word in content(told)} | content(told)
    further = {word for word in content(text) if word not in lemmas and lemma(word) not in lemmas}
    new = numbers_of(text).keys() - numbers_of(told).keys() or names_of(text, passage) - names_of(told, passage)
    return has and not new and len(further) <= _FURTHER


def _with_what_was_asked(question: str, yes: bool, passage: str) -> str:
    """A bare "Yes" with what was asked, a bare "No" with the sentence that denies it."""
    said = affirmed(question)
    if yes:
        return f"Yes, {said}." if said else ""
    found = evidence(question, said, passage)
    denied = found and re.search(r"\b(?:not|never)\b", found.statement.text)
    if not found or not denied or not is_sentence(found.statement.text):
        return ""
    return f"No, {lowered(finished(found.statement.text))}" if _fits(found, question, "", passage) else ""


@for_each_pair("reasonings")
def reasoning(pair: Fields, fields: Fields) -> Fields:
    """The steps from the question of a pair to its answer, and whether they lead there."""
    steps, follows = steps_to(pair["question"], pair["answer"].strip(), fields["passage"])
    return {"steps": steps, "follows": follows}


def steps_to(question: str, answer: str, passage: str) -> tuple[list[str], bool]:
    """What is asked, what the passage says to it, and the answer; and whether the answer follows."""
    asks = indirect(question)
    plain = asked(question)
    first = f"The question asks {asks}." if asks else f'The question is: "{plain[:1].upper()}{plain[1:]}"'
    last = f"So the answer is: {finished_as_it_stands(answer)}"
    if not passage.strip():
        return _without_passage(first, last, question, answer)
    holding = _holding(question, answer, passage)
    said = [f"The passage says: {finished(statement.text)}" for statement in holding]
    limit = limits(" ".join(statement.text for statement in holding))
    if limit and len(said) == 1 and flat(limit) not in flat(f"{question} {answer}"):
        said.append(f'This holds with a limit: "{limit}".')
    told = "\n".join([*(f"{statement.text}\n{statement.source}" for statement in holding), question])
    lacking, share = missing(re.sub(r"^(?:Yes|No)\b[,.]? *", "", answer), told)
    doubt = fault(question, answer, passage) or rival(question, answer, passage)
    return [first, *said, last], bool(holding and answer and not lacking and share >= 0.7 and not doubt)


def finished_as_it_stands(answer: str) -> str:
    """An answer with a full stop where it has none, and no other letter changed."""
    return answer if re.search(r"[.!?\"\u201d`]$", answer) else f"{answer}."


def _holding(question: str, answer: str, passage: str) -> list[Statement]:
    """The statement that holds an answer, and a second one where that has not all of it."""
    found = evidence(question, answer, passage)
    if found is None:
        return []
    first = found.statement
    left = {word for word in content(answer) if not {word, lemma(word)} & first.words}
    if not left:
        return [first]
    wanted = content(question)
    second = max(stated(passage), key=lambda one: (len(left & one.words), len(wanted & one.words), -len(one.text)))
    return [first, second] if left & second.words else [first]


def _without_passage(first: str, last: str, question: str, answer: str) -> tuple[list[str], bool]:
    """Reasoning from the question alone, which leads to an answer only where the question has it."""
    lacking, share = missing(answer, question)
    if answer and content(answer) and not lacking and share >= 0.7:
        return [first, "The question itself says this.", last], True
    return [first, "There is no passage to take the answer from.", last], False
