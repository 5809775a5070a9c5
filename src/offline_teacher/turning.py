"""Questions turned into statements, with or without their answer.

    indirect(question)               "how long a branch must keep a photo log", as it follows "The question asks"
    as_statement(question, answer)   "A branch must keep a photo log for seven years."
    affirmed(question)               "a branch must keep a photo log", of "Must a branch keep a photo log?"

The words of a question are put back into the order of a statement, and what comes of it is read again: what is not
surely one clause, read whole, gives "".
"""

from __future__ import annotations

import re
from functools import lru_cache

from .clauses import Clause, parse
from .doubt import sure
from .english import capital, inflect, lemma, lowered, pattern, words
from .evidence import asked
from .grammar import is_thing
from .tagging import FINITE, HELPERS, is_plural, tag

_HELPERS = r"(?P<helper>must|may|can|should|will|could|would|is|are|was|were|do|does|did|has|have|had)"
_ASKED = (
    r"(?:(?P<prep>(?:[a-z]+ )?[a-z]+) )?(?P<word>how (?:long|soon|often|quickly|frequently|many(?: [a-z-]+){1,4}?)"
    r"|what number of(?: [a-z-]+){1,3}?|(?:which|what)(?: [a-z-]+){0,4}?|when|where|why|how|whom?)"
)
_INVERTED = re.compile(rf"(?i){_ASKED} {_HELPERS} (?P<rest>.+)")
_YES_NO = re.compile(rf"(?i){_HELPERS} (?P<rest>.+)")
_IN_PLACE = re.compile(
    r"(?i)(?P<before>.+) (?P<word>(?:how many|what number of|which|what)(?: [a-z-]+){1,3}|whom|what|how much)"
)
_TWO = re.compile(r"(?i) (?:and|or),? (?:if so,? )?(?:who|what|which|when|where|why|how)\b")
_MOST = 40  # words of a question that is turned
_CODE = r"[A-Z]*-?\d[\w-]*|[A-Z]+-\d+"


def finished(text: str) -> str:
    """A text as a sentence: its first letter large, a full stop at its end."""
    text = text.strip()
    closed = re.search(r"[.!?:][\"\u201d')\]]*$|```$", text)
    return capital(text) + ("" if closed or not text else ".")


def is_sentence(text: str) -> bool:
    """Whether a text is surely one clause that was read rightly."""
    return sure(finished(text)) is not None


def indirect(question: str) -> str:
    """A question as it follows "The question asks"; "" where its order cannot be turned surely."""
    text = _opened(question)
    if not text:
        return ""
    if _YES_NO.fullmatch(text):
        return f"whether {said}" if (said := affirmed(question)) else ""
    if found := _INVERTED.fullmatch(text):
        opening, helper = lowered(text[: found.start("helper")].strip()), found["helper"].lower()
        if _defines(found):
            plain = found["word"].lower() == "what" and found["rest"].startswith("the ")
            return f"for {found['rest']}" if plain else f"{opening} {found['rest']} {helper}"
        if said := _uninverted(helper, found["rest"]):
            return f"{opening} {said}"
    return lowered(text) if _after_subject(text) else ""


def as_statement(question: str, answer: str) -> str:
    """The sentence that a question becomes with its answer in place, or ""."""
    text, answer = _opened(question), lowered(answer.strip(" ."))
    if not text or not answer:
        return ""
    said = ""
    if (found := _INVERTED.fullmatch(text)) and _defines(found):
        said = f"{found['rest']} {found['helper']} {answer}"
    elif rest := _after_subject(text):
        said = f"{answer} {_agreeing(rest, is_plural(answer))}" if is_thing(answer) else ""
    elif found:
        said = _with_answer(found, answer)
    elif found := _IN_PLACE.fullmatch(text):
        said = f"{found['before']} {_named(found['word'].lower(), answer, False)}"
    return finished(said) if said and is_sentence(said) else ""


def affirmed(question: str) -> str:
    """What a question for yes or no asks about, as a statement inside a sentence; "" where it cannot be turned."""
    found = _YES_NO.fullmatch(_opened(question))
    return _uninverted(found["helper"], found["rest"]) if found else ""


def _defines(found: re.Match[str]) -> bool:
    """Whether a question is "What is …?" or "Who is …?" about a thing, and no passive: "What is the client given?"."""
    helper, rest = found["helper"].lower(), found["rest"]
    plain = not found["prep"] and found["word"].lower() in ("what", "who") and helper in words("be")
    if not plain or not is_thing(rest) or tag(f"It is {rest}")[2].tag in ("VBN", "VBG", "RB"):
        return False
    clause = parse(finished(_uninverted(helper, rest)))
    return clause is None or clause.voice != "passive"


def _opened(question: str) -> str:
    """A question without its section and question mark; "" for one that is too long or not plain enough."""
    text = asked(question.strip())
    if text.count("?") != 1 or not text.endswith("?") or len(text.split()) > _MOST or _TWO.search(text):
        return ""
    return capital(text[:-1].rstrip())


@lru_cache(maxsize=4096)
def _uninverted(helper: str, rest: str) -> str:
    """ "must" and "a branch keep a photo log" as "a branch must keep a photo log"; "" where the rules cannot tell."""
    helper, found = helper.lower(), []
    tokens = tag(rest)
    for token in tokens[1:]:
        subject, verb, after = rest[: token.start].strip(), token.text, rest[token.end :]
        if helper in ("do", "does", "did"):
            form = {"does": "VBZ", "did": "VBD"}.get(helper)
            said = f"{subject} {inflect(verb, form) if form else verb}{after}"
        else:
            said = f"{subject} {helper} {verb}{after}"
        clause = parse(finished(said))
        if clause is not None and clause.subject.lower() == subject.lower() and is_sentence(said):
            found.append((clause.voice == "copula", said))
    best = [said for copula, said in found if copula == min(found)[0]]
    return best[0] if len(best) == 1 else ""


def _after_subject(text: str) -> str:
    """The predicate of a question for its subject ("Who keeps the log"), or ""."""
    first, *others = text.split(" ")
    nouns = {"who": (0,), "what": (0, 1, 2, 3), "which": (1, 2, 3)}.get(first.lower(), ())
    rests = (" ".join(others[count:]) for count in nouns)
    return next((rest for rest in rests if rest and _is_predicate(rest)), "")


def _is_predicate(text: str) -> bool:
    """Whether a text begins with a finite verb that has no subject after it, as in "must you"."""
    verb, *after = tag(f"The person {text}")[2:]
    follows = after[0].tag if after else ""
    joined = verb.tag not in HELPERS or follows in ("VB", "VBN", "VBG", "RB", "JJ", "IN", "BE", "HV", "TO")
    return verb.tag in FINITE and joined


def _agreeing(predicate: str, many: bool) -> str:
    """A predicate in the number of its subject."""
    first, _, rest = predicate.partition(" ")
    if many:
        plural = {"is": "are", "was": "were", "has": "have", "does": "do"}.get(first)
        third = inflect(lemma(first), "VBZ") == first and first not in words("modals")
        first = plural or (lemma(first) if third else first)
    return f"{first} {rest}".strip()


def _with_answer(found: re.Match[str], answer: str) -> str:
    said = _uninverted(found["helper"], found["rest"])
    clause = parse(finished(said)) if said else None
    if clause is None:
        return ""
    word, prep = found["word"].lower(), (found["prep"] or "").lower()
    led = bool({answer.split()[0].lower()} & words("prepositions", "subordinators")) or answer.startswith("to ")
    if word in ("who", "what", "whom") or word.startswith(("which ", "what ", "how many ")):
        thing = _named(word, answer, led)
        return _at_end(said, clause, thing if led else f"{prep} {thing}") if prep else _as_object(said, clause, thing)
    if prep:
        return ""
    lead = {"how long": "for", "how soon": "within", "how quickly": "within", "how often": "every"}.get(word, "")
    counted = pattern(r"(?i)<amount> <unit>\b").match(answer)
    if led or (re.match(r"(?i)every |each |once |twice ", answer) and word in ("when", "how often", "how frequently")):
        return _at_end(said, clause, answer)
    bare = word == "how long" and lemma(clause.verb) in ("last", "take", "run")
    return _at_end(said, clause, answer if bare else f"{lead} {answer}") if counted and (lead or bare) else ""


def _named(word: str, answer: str, led: bool) -> str:
    """An answer with the noun that the question classed it by: "64" branches, "the archive system" Alder."""
    many = re.match(r"how many |what number of ", word)
    if many:
        return answer if " " in answer else f"{answer} {word[many.end() :]}"
    noun = word.partition(" ")[2]
    if re.match(r"(?:day|month|year|date|time|period|place)\b", noun):
        return answer
    code = re.fullmatch(_CODE, answer)
    if led or not noun or not (code or answer[0].isupper()) or noun.split()[-1] in answer.lower():
        return answer
    return f"{noun} {answer}" if code else f"the {noun} {answer}"


def _at_end(said: str, clause: Clause, phrase: str) -> str:
    """A statement with a phrase at its end, but before a condition."""
    limit = next((p.text for p in clause.inner if p.kind == "SUB"), "")
    at = said.rfind(f" {limit}") if limit else -1
    return f"{said[:at]} {phrase}{said[at:]}" if at > 0 else f"{said} {phrase}"


def _as_object(said: str, clause: Clause, thing: str) -> str:
    """A statement with its object after its verb, or after the preposition that it ends in."""
    if said.split()[-1] in words("prepositions"):
        return f"{said} {thing}"
    has_object = any(p.kind in ("NP", "CL", "ADJ", "INF") for p in clause.inner)
    if clause.voice != "active" or has_object:
        return ""
    verb = re.search(rf"\b{re.escape(clause.verb)}\b", said[len(clause.subject) :])
    if verb is None:
        return ""
    at = len(clause.subject) + verb.end()
    return f"{said[:at]} {thing}{said[at:]}"
