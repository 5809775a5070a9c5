"""What speaks against the reading of a sentence: a wrong reading makes wrong questions.

sure(text)        the clause of a sentence that is read whole and without doubt
readable(clause)  whether a clause begins and ends like one, and its verb is surely a verb
without_article() whether a subject is worded as in notes
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache

from .clauses import Clause, parse
from .english import NOUNS, is_person, lemma, lowered, pattern, readings, words
from .grammar import is_thing, whole
from .tagging import Token, head_of, is_plural, tag

# In a text: an adverb that belongs to the condition after it and would be left behind by a question; something left
# out, and nobody knows how much. In a subject: a question, an example, nothing, a verb in short.
_DOUBTFUL = re.compile(
    r"\band so (?:it|they|that)\b|\.\.\.|\u2026"
    r"|\b(?:merely|just|simply|especially|particularly|partly|mainly|largely) (?:because|since|if|when|after)\b"
)
_DOUBTFUL_SUBJECT = re.compile(
    r"(?i:\b(?:what|of which|of whom)\b|^(?:an?|the) (?:\w+ )?example|^no(?:ne|body|thing)\b)"
    r"|[a-z]n['\u2019]t\b|['\u2019](?:re|ll|ve)\b"
)


def sure(text: str) -> Clause | None:
    """The clause of a sentence that is read whole and without doubt, or None."""
    clause = parse(text)
    read = clause is not None and readable(clause) and whole(text) and not doubtful(text, clause)
    return clause if read else None


def readable(clause: Clause) -> bool:
    """Whether a clause looks rightly read: its subject begins and ends like one, and it says all that it depends on."""
    pronouns = words("personal") - {"there"}
    fronted = {(p.text + " x").split()[1] for p in clause.rest if p.front and p.kind == "SUB"}
    return (
        clause.subject.lower() not in pronouns
        and not fronted & pronouns
        and _begins_well(clause.subject)
        and _ends_well(clause.subject.lower().split())
        and not _depends(clause)
        and not _misread(clause)
    )


def _begins_well(subject: str) -> bool:
    """Whether a subject begins like one: not "others", "if …", "given …", nor like a note or an order."""
    first, second = [*subject.lower().split(), ""][:2]
    forms = readings(first)
    if not second and first in words("determiners") | {"one", "others", "none"}:
        return False  # "others are scripts": which?
    negated = first == "not" and second in ("every", "all")  # "Not every client can …"
    if negated or pattern("<numeral>").match(subject):
        return True  # "not more than two lamps"
    if first == "not" or first in words("subordinators", "question_words", "no_subject", "prepositions"):
        return False
    if "VBZ" in forms and second in words("numbers") | {"a", "an", "the", "all", "any", "about"}:
        return False  # "Adds a second lamp": a note, whose subject is not said
    if forms and forms <= {"VB", "VBP", "VBD", "VBN"}:
        return False  # an order, or half a compound: "Discourage bundling …", "include files"
    return first in words("determiners") or not forms or not forms <= {"VBN", "VBG", "RB"}


def _ends_well(subject: Sequence[str]) -> bool:
    """Whether a subject of a fair length ends in a noun, and no clause is inside."""
    last = subject[-1].strip(",")
    if any(a in ("and", "or") and b in words("prepositions") for a, b in itertools.pairwise(subject)):
        return False  # "the care of lamps and in return", of "… and in return receive oil"
    dangling = words("personal", "prepositions", "determiners", "dangling") - {"all", "there"}
    if len(subject) > 16 or last in dangling or {"if", "when", "because", "unless"} & set(subject):
        return False
    known = last.isalpha() and last not in words("numbers") and readings(last)
    adjective = known and known <= {"JJ", "RB"}
    return not adjective or len(subject) < 3 or subject[-2] == "or"  # "lamps for a specific", "85 per cent or higher"


def _depends(clause: Clause) -> bool:
    """Whether a clause hangs on what it does not say: "somehow", "whatever", and "would" without a condition."""
    said = {word for text in (clause.subject, *(p.text for p in clause.rest)) for word in text.lower().split()}
    hedged = any(p.front and p.kind == "ADV" and p.text.lower() in words("hedges") for p in clause.rest)
    assumed = clause.helpers[:1] in (("would",), ("might",)) and not any(p.kind == "SUB" for p in clause.rest)
    turned = any(p.kind == "SUB" and " but " in p.text for p in clause.inner)
    return hedged or assumed or turned or bool({"whatever", "whichever", "whoever"} & said)


def _misread(clause: Clause) -> bool:
    """Whether the verb is surely not the verb: it does not agree, or a second one follows with nothing to join them."""
    finite = words("modals", "auxiliaries")
    joins = words("relatives", "subordinators", "question_words", "personal", "joints")
    for p in clause.rest:
        inner = p.noun.split()  # as it stands: "3 May" has no second verb
        second = next((i for i, word in enumerate(inner) if word in finite), 0)
        second = second or next((i for i in range(len(inner) - 1) if inner[i : i + 2] == ["need", "not"]), 0)
        if p.kind in ("NP", "PP", "ADJ", "ADV") and second and not joins & set(inner[:second]):
            return True
    subject, head = clause.subject, head_of(clause.subject)
    after = next(iter(clause.inner), None)
    first, then = [*(after.text if after and after.kind == "ADJ" else "").split(), "", ""][:2]
    past = "VBN" in readings(first) and (not then or then in words("prepositions") | {"to"})
    if past and clause.voice == "active" and lemma(clause.verb) not in words("linking", "have"):
        return True  # "extra flags passed to the tool", with "flags" as its verb
    late = any(finite & {*p.text.split()} and not joins - {"and"} & {*p.text.split()} for p in clause.rest[:1])
    if late and not clause.helpers and "VBN" in readings(clause.verb):
        return True  # "the large and small embedded lamps and the bell must …", with "embedded" as its verb
    if clause.helpers or clause.voice != "active":
        verb = (*clause.helpers, clause.verb)[0]
        return verb in ("are", "were") and subject.startswith("`") and "," not in subject
    if clause.tense == "VBZ":
        return head.islower() and "NNS" in readings(head) and not readings(head) & {"NN", "VBZ"}
    bare = is_plural(subject) and subject.split()[0].lower() not in words("determiners")
    participle = clause.tense == "VBD" and "VBN" in readings(clause.verb) and after and after.kind != "NP"
    told = ("by", "to", "with", "for", "as", "from", "of")
    return bool(participle and after and (bare or after.prep in told))  # "directories removed by the script"


@lru_cache(maxsize=8192)
def doubtful(text: str, clause: Clause) -> bool:
    """Whether something in a clause speaks against its reading, or it is a heading or note and no sentence."""
    subject = clause.subject
    return (
        _disagrees(clause)
        or _compounded(clause)
        or without_article(subject)
        or _DOUBTFUL_SUBJECT.search(subject) is not None
        or _relative_disagrees(tag(text))
        or _ends_badly(subject)
        or (" whose " in subject and not is_thing(subject))
        or (clause.tense == "VBZ" and clause.verb.endswith("ed"))
        or _DOUBTFUL.search(text) is not None
        or _second_verb(tag(text.rstrip(".")))
    )


def _second_verb(tokens: Sequence[Token]) -> bool:
    """Whether a text may end in a clause of its own: "opens the gate and the bell rings"."""
    last = tokens[-4:]
    return [t.tag for t in last[:3]] == ["CC", "DT", "NN"] and len(last) == 4 and "VBZ" in readings(last[3].text)


def _disagrees(clause: Clause) -> bool:
    """Whether subject and verb differ in number: "Changes to the contents of binary files"."""
    verb, subject = (*clause.helpers, clause.verb)[0], lowered(clause.subject)
    head, several = head_of(subject), " and " in subject
    noun = head[:1].isupper() and not clause.helpers and readings(clause.verb) & NOUNS
    if noun and clause.tense == ("VBZ" if several else "VBP") and not head.endswith("s"):
        return True  # "The STOP command …", with "command" as its verb
    if verb in words("modals") or subject.lower() == "there" or head[:1].isupper():
        return False
    if pattern("<numeral>").search(subject):
        return False
    if verb in ("are", "were", "have", "do") or (clause.tense == "VBP" and not clause.helpers):
        return not (_has_plural(subject) or is_person(head) or several)
    if several and re.search('[`"\u201c] and ', subject):
        return clause.tense != "VBD"
    single = subject.split()[0].lower() in ("a", "an", "each", "every", "this", "that", "another")
    return clause.tense != "VBD" and is_plural(subject) and not (single or is_person(head) or subject[0] in '`"\u201c')


def _has_plural(subject: str) -> bool:
    """Whether a noun of the subject, before its first preposition, may be plural."""
    core = pattern(r" <prepositions>\b").split(subject)[0].lower().split()
    some = words("plural_without_s", "determiners") - {"a", "an", "each", "every", "the"}
    return any("NNS" in readings(word) or word in some for word in core)


def _compounded(clause: Clause) -> bool:
    """Whether the verb may be a part of a compound: "the main source control information file"."""
    inner = [p for p in clause.inner if p.text]
    if clause.helpers or clause.voice != "active" or not readings(clause.verb) & NOUNS:
        return False
    if inner and re.match(r"(?:that|which|who) ", inner[0].text):
        return True  # "changed text files which are missing a line"
    first, before = clause.subject.split()[0].lower(), clause.subject.split()[-1]
    if clause.tense == "VBZ" and clause.verb not in words("mostly_verbs"):
        # "a list of the releases on one page", "6 more pages"
        within = " of " in clause.subject and bool(inner) and inner[0].kind == "PP"
        return within or (not inner and first not in words("determiners"))
    if clause.tense != "VBP":
        return False
    following = inner[0].text.split()[0].lower() if inner else ""
    led = following in words("determiners", "prepositions", "numbers", "personal") or following[:1].isdigit()
    if clause.subject == first.capitalize() and "VBZ" in readings(first):
        return "NN" in readings(following)  # "Prints help information": a note, whose subject is not said
    plural = "NNS" in readings(before) and lemma(before, "NOUN") != before.lower()  # known as one: not "emacs"
    return not plural and not led


def _ends_badly(subject: str) -> bool:
    """Whether a subject ends in a participle or a word that nobody knows: "any URLs given", "the stanzas somtimes"."""
    tokens = tag(subject)
    if len(tokens) < 3 or tokens[-1].tag == "CD" or not tokens[-1].text.isalpha() or not tokens[-1].text.islower():
        return False
    known = readings(tokens[-1].text) - {"NNS"} or lemma(tokens[-1].text, "NOUN") != tokens[-1].text
    return tokens[-2].tag in (*NOUNS, "NP") and (tokens[-1].tag in ("VBN", "VBD") or not known)


def without_article(subject: str) -> bool:
    """Whether the subject is one countable thing without an article, as in notes: "package must be built"."""
    if re.match(r"(?:19|20)\d\d [A-Z]", subject):
        return True
    subject = re.sub(r"(?i)^(?:only|at least|at most|even|not) ", "", subject)
    first, head = subject.split()[0].lower(), head_of(subject).lower()
    if first in words("determiners", "numbers", "relatives") or _has_plural(subject):
        return False
    if re.search(r"['\u2019]|[a-z] (?:[A-Z][\w-]*|`[^`]*`|\d\S*)$|^[`\"\u201c\d]", subject):
        return False
    countable = re.fullmatch(r"[a-z-]+", head) and "NN" in readings(head)
    return bool(countable) and not pattern(r"<mass_endings>$|^<mass>$").search(head)


def _relative_disagrees(tokens: Sequence[Token]) -> bool:
    """Whether a relative clause follows a noun that it is not about: "to the script that cause less output"."""
    for before, that, verb in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if that.tag == "REL" and that.low in ("that", "which", "who"):
            wrong = {"NN": ("VBP",), "NNS": ("VBZ",)}.get(before.tag, ())
            helper = {"NN": ("are", "were", "have", "do"), "NNS": ("is", "was", "has", "does")}.get(before.tag, ())
            if (verb.tag in wrong and not is_person(before.text)) or verb.low in helper:
                return True
    return False
