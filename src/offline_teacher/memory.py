"""What "it", "they" and "the chart" stand for: what the sentences before have named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from .clauses import Clause, parse
from .english import NOUNS, capital, is_person, lowered, pattern, readings, words
from .tagging import Token, head_of, is_plural, tag

_NAME = re.compile(r"\b[A-Z][a-z]+(?: (?:(?:de|van|von|der|la|di|del|al|bin) )*[A-Z][a-z]+)+\b")
_INTRODUCED = re.compile(r"\b(?:[Aa]n?|[Ee]very|[Ee]ach) ((?:[a-z][\w-]+ ){1,3})(?=[a-z]|\W|$)")
_CODED = re.compile(r"\b([A-Z][a-z]+) ([A-Z]+-\d+)\b")
_TITLED = re.compile(r"\b[Tt]he ((?:[A-Z][a-z]+ )+([A-Z][a-z]+)|([a-z]+) [A-Z][a-z]+)\b(?! [A-Z])")
_SHORT = re.compile(
    r"\b([Tt]he) ([a-z-]+)\b(?! of\b)(?= (?:is|are|was|were|has|have|must|may|can|should|[a-z]+s)\b|[.,;])"
)
# A subject for which no "it" stands.
_UNCLEAR = re.compile(
    r"(?i:\b(?:way|reason|aim|goal|purpose|method|problem|idea|example|result|question)\b)| and |^Only |^No "
)


class Memory:
    """What the sentences so far have named: the last subject, the last person and the full names of things.

    `local` are the things introduced, each by its noun.
    """

    def __init__(self) -> None:
        self.subject = self.object = self.person = ""
        self.named: dict[str, str] = {}
        self.local: set[str] = set()
        self.clause: Clause | None = None

    def learn(self, text: str) -> None:
        """Keep what a sentence names."""
        person, local, named = _names_in(text)
        self.person = person or self.person
        self.local |= local
        self.named.update(named)
        clause = parse(text)
        if clause is not None and clause.subject.lower() not in words("personal"):
            objects = [p.noun for p in clause.inner if p.kind == "NP"]
            self.subject, self.object, self.clause = clause.subject, objects[0] if objects else "", clause

    def resolve(self, text: str) -> str:
        """A sentence with what its opening pronoun, "them" and its short names stand for."""
        return self._opening(text) or self._short_names(self._them(text))

    def _opening(self, text: str) -> str:
        first, _, rest = text.partition(" ")
        low = first.lower()
        if low == "it" and pattern("<impersonally>").match(text):
            return ""
        if noun := self._meant(first):
            own = "'" if is_plural(noun) and noun.endswith("s") else "'s"
            return f"{noun}{own if low in words('possessive') else ''} {rest}"
        such = re.match(r"Such (\w+) ", text)
        if such and self.subject and head_of(self.subject).lower() == such[1]:
            return f"{self.subject} {text[such.end() :]}"
        if low in ("examples", "these") and rest.startswith("are ") and self.clause is not None:
            what = re.sub(r"^(?:Some|The|Certain) ", "", self.subject)
            what = f"{what} that {self.clause.predicate}" if what != self.subject else lowered(what)
            return capital(f"examples of {lowered(what)} {rest}" if low == "examples" else f"{what} {rest}")
        return ""

    def _meant(self, pronoun: str) -> str:
        """What an opening "It", "Their" or "He" stands for, or ""."""
        if pronoun in ("He", "She", "His", "Her"):
            return self.person
        if pronoun.lower() in ("they", "their"):
            return next((_definite(noun) for noun in (self.subject, self.object) if noun and is_plural(noun)), "")
        named = pronoun.lower() in ("it", "its") and re.search(r"[A-Za-z]{2}", self.subject)
        clear = named and not is_plural(self.subject) and not _UNCLEAR.search(self.subject)
        return _definite(self.subject) if clear else ""

    def _them(self, text: str) -> str:
        them = re.search(r"\bthem(?=[.,;]|$)", text)
        if them and self.subject and is_plural(self.subject):
            clause = parse(text)
            if re.match(r"\w+ them,", text) or (clause is not None and not is_plural(clause.subject)):
                return text[: them.start()] + lowered(_definite(self.subject)) + text[them.end() :]
        return text

    def _short_names(self, text: str) -> str:
        def full(match: re.Match[str]) -> str:
            name = self.named.get(match[2], "")
            if not name or name.lower() in text.lower():
                return match[0]
            return name if re.search(r"\d", name) else f"{match[1]} {name}"

        return _SHORT.sub(full, text)


@lru_cache(maxsize=8192)
def _names_in(text: str) -> tuple[str, frozenset[str], tuple[tuple[str, str], ...]]:
    """What a sentence names: the last person, things by their noun, and the full names of short ones."""
    person, local, named = "", set(_told_apart(tag(text))), []
    for name in _NAME.finditer(text):
        before = text[: name.start()].lower().split()[-1:]
        common = "NN" in readings(name[0].split()[-1].lower())
        if not {"the", "a", "an", "of", "in"} & set(before) and (before == ["is"] or not common):
            person = name[0]
    for match in _INTRODUCED.finditer(text.rstrip(".") + " "):
        tags = [t.tag for t in tag("the " + match[1].strip())][1:]
        while tags and tags[-1] not in NOUNS:
            tags.pop()
        noun = match[1].split()[: len(tags)]
        if noun and not is_person(noun[-1]):
            local.add(noun[-1])
        if len(noun) > 1 and NOUNS.union(["JJ"]).issuperset(tags):
            named.append((noun[-1], " ".join(noun)))
    named += [(match[1].lower(), match[0]) for match in _CODED.finditer(text)]
    for match in _TITLED.finditer(text):
        head = (match[2] or match[3]).lower()
        if "NN" in readings(head) and head not in words("prepositions"):
            named.append((head, match[1]))
    return person, frozenset(local), tuple(named)


def _told_apart(tokens: Sequence[Token]) -> Iterator[str]:
    """Nouns that a noun or name before them tells apart: after "the tide clock", "the clock" means that one."""
    for the, first, noun, after in zip(tokens, tokens[1:], tokens[2:], [*tokens[3:], *tokens[-1:]], strict=False):
        compound = the.low == "the" and first.tag in ("NN", "NP") and noun.tag == "NN" and after.tag[:2] != "NN"
        if compound and not is_person(noun.low):
            yield noun.low


def _definite(noun: str) -> str:
    return re.sub(r"^(An?|Every|Each) ", "The ", noun) if not re.search(r"\b(who|that|which)\b", noun) else noun
