"""Passages into facts, and facts into questions with short answers, by rules of English grammar.

    sentences(passage)   prose only, each with its section
    facts(passage)       atomic sentences: pronouns resolved, clauses split, relative clauses made sentences
    wordings(fact)       question and answer pairs, each with its kind and whether it is kept for the exam

A fact that no rule fits gives nothing. Every answer is a piece of its fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ai_tools import english
from ai_tools.english import NUMBER_WORDS, Clause, Phrase, head_of, inflect, is_plural, lemma, parse, tag


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in the passage, and the heading above it."""

    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One clause as a sentence of its own, and the sentence that it came from."""

    text: str
    section: str
    source: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One question. `kind` says what it asks for; `exam` marks the forms that training questions never use."""

    question: str
    answer: str
    kind: str
    exam: bool = False


# --- sentences -------------------------------------------------------------------------------------------------------

_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|cf|vs|Mr|Mrs|Ms|Dr|St|No|Nos|Fig|Sec|approx|Inc|Ltd|Co)|\b[A-Z])\.$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


def sentences(passage: str) -> list[Sentence]:
    """The sentences of a Markdown passage, in order. Code, tables, quotes of HTML and headings are left out."""
    found: list[Sentence] = []
    section, lines, fenced = "", list[str](), False

    def flush() -> None:
        text = " ".join(lines)
        lines.clear()
        found.extend(Sentence(piece, section) for piece in _split(text))

    for line in passage.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            flush()
            fenced = not fenced
        elif fenced or line.startswith(("    ", "\t")) and not lines or line.lstrip().startswith(("|", "<", "![")):
            continue
        elif line.startswith("#"):
            flush()
            section = re.sub(r"^[\dA-Z]+(?:\.\d+)*\.? |[¶#\s]+$|[*`]", "", line.lstrip("#").strip())
        elif not line.strip():
            flush()
        else:
            if _ITEM.match(line):
                flush()
            lines.append(_ITEM.sub("", line).strip())
    flush()
    return found


def _split(text: str) -> Iterator[str]:
    start = 0
    for match in re.finditer(r"[.!?][\"”’)\]]*(?=\s+[\"“‘(]?[A-Z0-9`*])|[.!?][\"”’)]*$", text):
        piece = text[start : match.end()].strip()
        if _ABBREVIATION.search(piece):
            continue
        quotes = piece.count('"') % 2 or piece.count("“") != piece.count("”")
        if not quotes and len(piece.split()) > 2:
            yield piece
        if not quotes:
            start = match.end()


# --- facts -----------------------------------------------------------------------------------------------------------

_SHE_HE = re.compile(r"^(He|She|His|Her)\b")
_NAME = re.compile(r"\b[A-Z][a-z]+(?: (?:[a-z]{2,3} )?[A-Z][a-z]+)+\b")
_VAGUE = frozenset(
    "detail details number list case test check result decision figure figures item items threshold limit answer "
    "process search activity period chart finding findings notice form code letter source sources result rule step "
    "steps fee task amount purpose order exception exceptions other others one ones following former latter question "
    "example examples text aim goal method reason reasons value name names same thing things document page section "
    "chapter unit option scan stop reminder visit suspension original course test fine penalty limit".split()
)


@lru_cache(maxsize=512)
def facts(passage: str, place: str = "") -> tuple[Fact, ...]:
    """The facts of a passage in its order, each a sentence that stands alone as far as the rules can make it.

    `place` names the section of the sentences that stand below no heading.
    """
    found: list[Fact] = []
    seen: set[str] = set()
    section, memory = None, _Memory()
    for sentence in sentences(passage):
        if sentence.section != section:
            section, memory = sentence.section, _Memory()
        for text in split_clauses(memory.resolve(plain(sentence.text))):
            text = memory.resolve(text)
            memory.learn(text)
            if text not in seen and not _loose(text):
                seen.add(text)
                found.append(Fact(text[:1].upper() + text[1:], sentence.section or place, sentence.text))
    return tuple(found)


def _loose(text: str) -> bool:
    """Whether a sentence points outside itself, or is no sentence of English prose."""
    letters = sum(c.isascii() and c.isalpha() or c.isspace() for c in text)
    return bool(
        re.match(r"(?i)(it|they|this|that|these|those|such|he|she|we|here|there|so|his|her|its|their)\b", text)
        and not re.match(r"(?i)(there (is|are|was|were)|that .* (is|are)) ", text)
        or re.search(r"(?i)\b(above|below|following:|see also)\s*[.:]?$", text)
        or letters < 0.7 * len(text)
    )


_NO_SUBJECT = frozenset("see and or but which suppose consider assume let note please make be try use add".split())


class _Memory:
    """What the sentences so far have named: the last subject, the last person and the full names of things."""

    def __init__(self) -> None:
        self.subject = self.object = self.person = ""
        self.named: dict[str, str] = {}
        self.clause: Clause | None = None

    def learn(self, text: str) -> None:
        clause = parse(text)
        for name in _NAME.finditer(text):
            before = text[: name.start()].split()[-1:]
            if (not before or before[0].lower() not in ("the", "a", "an", "of", "in")) and (
                before[-1:] == ["is"] or not english.readings(name[0].split()[-1].lower()) & {"NN"}
            ):
                self.person = name[0]
        for match in re.finditer(r"\b([Aa]n?|[Ee]very|[Ee]ach) ((?:[a-z][\w-]+ ){1,3})(?=[a-z]|\W|$)", text + " "):
            words = match[2].split()
            tags = [t.tag for t in tag("the " + " ".join(words))][1:]
            while tags and tags[-1] not in ("NN", "NNS"):
                tags.pop()
            if len(tags) > 1 and all(t in ("NN", "JJ", "NNS") for t in tags):
                self.named[words[len(tags) - 1]] = " ".join(words[: len(tags)])
        for match in re.finditer(r"\b([A-Z][a-z]+) ([A-Z]+-\d+)\b", text):
            self.named[match[1].lower()] = match[0]
        for match in re.finditer(r"\b[Tt]he ((?:[A-Z][a-z]+ )+([A-Z][a-z]+)|([a-z]+) [A-Z][a-z]+)\b(?! [A-Z])", text):
            head = (match[2] or match[3]).lower()
            if "NN" in english.readings(head) and head not in english.PREPOSITIONS:
                self.named[head] = match[1]
        if clause is not None and clause.subject.lower() not in english.PERSONAL:
            self.subject = clause.subject
            objects = [p.noun for p in clause.rest if p.kind == "NP" and not p.front]
            self.object = objects[0] if objects else ""
            self.clause = clause

    def resolve(self, text: str) -> str:
        first, _, rest = text.partition(" ")
        low = first.lower()
        if low in ("it", "its") and self.subject and not is_plural(self.subject):
            return _definite(self.subject) + ("'s " if low == "its" else " ") + rest
        if low in ("they", "their"):
            for noun in (self.subject, self.object):
                if noun and is_plural(noun):
                    return _definite(noun) + (("'" if noun.endswith("s") else "'s") if low == "their" else "") + " " + rest
        if _SHE_HE.match(text) and self.person:
            return self.person + ("'s " if low in ("his", "her") else " ") + rest
        such = re.match(r"Such (\w+) ", text)
        if such and self.subject and head_of(self.subject).lower() == such[1]:
            return self.subject + " " + text[such.end() :]

        if low == "examples" and rest.startswith("are ") and self.clause is not None:
            what = re.sub(r"^(?:Some|The|Certain) ", "", self.subject)
            what = f"{what} that {self.clause.predicate}" if what != self.subject else _lower(what, frozenset())
            return f"Examples of {what[0].lower()}{what[1:]} {rest}"
        them = re.search(r"\b(?:them)(?=[.,;]|$)", text)
        if them and self.subject and is_plural(self.subject):
            clause = parse(text)
            if re.match(r"\w+ them,", text) or (clause is not None and not is_plural(clause.subject)):
                text = text[: them.start()] + _lower(_definite(self.subject), frozenset()) + text[them.end() :]

        def full(match: re.Match[str]) -> str:
            name = self.named.get(match[2], "")
            if not name or name.lower() in text.lower():
                return match[0]
            return name if re.search(r"\d", name) else f"{match[1]} {name}"

        return re.sub(r"\b([Tt]he) ([a-z-]+)\b(?! of\b)(?= (?:is|are|was|were|has|have|must|may|can|should|[a-z]+s)\b|[.,;])", full, text)


def _definite(noun: str) -> str:
    return re.sub(r"^(An?|Every|Each) ", "The ", noun) if not re.search(r"\b(who|that|which)\b", noun) else noun


_OPENERS = re.compile(
    r"^(?:However|Therefore|First(?:ly)?|Second(?:ly)?|Moreover|Thus|Finally|In addition|Additionally|For example|Generally|Otherwise"
    r"|Then|Hence|Furthermore|Similarly|In general|In particular|Normally|Please note that|Note that|As a result|Also|Instead"
    r"|Of course|Conversely|In other words|Nevertheless|Typically|Usually|That is),? (?=[A-Za-z`])"
)


def plain(text: str) -> str:
    """A sentence without Markdown emphasis, links and footnote numbers, and without an opening "However,"."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<![\w*])(\*\*|\*|__|_)(?=\S)(.+?)(?<=\S)\1(?![\w*])", r"\2", text)
    text = re.sub(r"^\d+ (?=[A-Z])| \([^()]*\)", "", text).replace(", then ", ", ")
    opened = _OPENERS.sub("", text)
    return opened[:1].upper() + opened[1:] if opened != text else text


def split_clauses(sentence: str) -> list[str]:
    """A sentence as simple sentences: coordinated clauses, ", which …" and appositions become their own."""
    text = sentence.strip()
    text, extra = _lift(text)
    pieces = _coordinated(text.rstrip("."))
    if not all(map(parse, pieces)):
        pieces = [text]
    out = [p.strip(" ,;") + "." for p in pieces]
    for item in extra:
        out.extend(p for p in (_coordinated(item.rstrip("."))) if parse(p))
    return [p if p.endswith((".", "?", "!", '"')) else p + "." for p in out]


def _lift(text: str) -> tuple[str, list[str]]:
    """Take out ", who …", ", which …" and ", a …" after a noun phrase; return the rest and the new sentences."""
    extra: list[str] = []
    tokens = tag(text)
    for i in range(1, len(tokens) - 2):
        if tokens[i].tag != ",":
            continue
        begin = i
        while begin > 0 and (
            tokens[begin - 1].tag in ("NN", "NNS", "NP", "JJ", "DT", "CD") or tokens[begin - 1].low == "of"
        ):
            begin -= 1
            if tokens[begin].tag == "DT" and (begin == 0 or tokens[begin - 1].low != "of"):
                break
        noun = text[tokens[begin].start : tokens[i].start]
        if begin == i or tokens[begin].low == "of":
            continue
        end = next((j for j in range(i + 1, len(tokens)) if tokens[j].tag in (",", ";", ".", ":")), len(tokens))
        inner = text[tokens[i + 1].start : tokens[end - 1].end]
        after = text[tokens[end].start :] if end < len(tokens) and tokens[end].tag != "." else ""
        if tokens[i + 1].low in ("who", "which") and tokens[i + 1].tag == "REL":
            verb = english._main_verb(tokens, i + 2)
            if verb is None or verb >= end:
                continue
            if verb == i + 2 or tokens[i + 2].tag == "RB":
                extra.append(f"{noun} {text[tokens[i + 2].start : tokens[end - 1].end]}")
            elif verb + 1 < end and not english.parse(text[tokens[i + 2].start : tokens[end - 1].end]) is None:
                head = text[tokens[i + 2].start : tokens[verb].end]
                extra.append(f"{head} {noun} {text[tokens[verb + 1].start : tokens[end - 1].end]}")
            else:
                continue
            rest, more = _lift(text[: tokens[i].start] + (f"{after}" if after else "."))
            return rest, extra + more
        proper = tokens[i - 1].tag == "NP" or tokens[end - 1].tag == "NP"
        single = not any(t.tag in ("CC", "BE", "MD", "VBZ", "HV") for t in tokens[i + 1 : end])
        listed = end < len(tokens) and tokens[end].tag == "," and tokens[min(end + 1, len(tokens) - 1)].tag in ("DT", "NN", "NP")
        listed = listed or any(t.tag == "," for t in tokens[max(0, begin - 2) : begin])
        if proper and not listed and (tokens[i + 1].low in ("a", "an") or (single and tokens[i + 1].tag in ("DT", "NP"))):
            if tokens[i + 1].low in ("a", "an"):
                if tokens[i - 1].tag != "NP":
                    continue
                extra.append(f"{noun} is {inner}")
                rest, more = _lift(text[: tokens[i].start] + (after if after else "."))
                return rest, extra + more
            if tokens[begin].tag in ("DT",) and single:
                extra.append(f"{noun} is {inner}")
    return text, extra


def _coordinated(text: str) -> list[str]:
    """Split at ";", ", and" and "and" where both sides have a verb; a shared subject or condition is repeated."""
    tokens = tag(text)
    if tokens and tokens[0].low in _NO_SUBJECT:
        return [text]  # an order: "See the guide for details, and …"
    whole = parse(text)
    if whole is None and not any(t.tag == ";" for t in tokens):
        return [text]
    front_end = english._front_end(tokens)
    front = text[: tokens[front_end].start] + ", " if front_end and tokens[0].tag == "SUB" else ""
    main = english._main_verb(tokens, front_end)
    for i in range(max(front_end, 1) + 1, len(tokens) - 1):
        series = tokens[i].tag == "," and re.search(r", (?:and|but) ", text[tokens[i].end :]) and tokens[i + 1].low in ("a", "an", "the")
        if tokens[i].tag not in ("CC", ";", ":") and not series or tokens[i].low in ("or", "nor"):
            continue
        if tokens[i - 1].tag == "CD" and tokens[i + 1].tag == "CD":
            continue  # "between 11 and 99"
        left, right = text[: tokens[i].start].rstrip(" ,"), text[tokens[i + 1].start :]
        if tokens[i].tag == ":" and not (parse(right) and re.match(r"(?i)(the|an?|there) ", right)):
            continue
        after = tokens[i + 1]
        left_clause = parse(left)
        if left_clause is None or (main is not None and i < main):
            continue
        inside = any(t.tag in ("SUB", "REL") for t in tokens[(main or 0) + 1 : i])
        comma = tokens[i - 1].tag == "," or tokens[i].tag in (";", ":", ",")
        right_clause = parse(right)
        if right_clause is not None and after.tag in ("DT", "NN", "NNS", "NP", "PRP", "JJ", "CD"):
            shared = after.tag in ("NN", "NNS") and "VBZ" in english.readings(after.low) and left_clause.tense in ("VBZ", "VBN")
            if shared and not inside and tokens[i].tag == "CC" and len(right_clause.subject.split()) == 1:
                return [left, *_coordinated(front + left_clause.subject + " " + right)]  # "is booked and takes place"
            if not inside or comma:
                short = parse(right)
                loose = not (short and short.helpers) and not comma and short is not None and short.voice == "active"
                unsure = english.readings(short.verb) & {"NN", "NNS", "VBN"} if loose and short else frozenset()
                if short is not None and not unsure and not re.search(r" (and|or)$|,", short.subject):
                    return [left, *_coordinated(front + right if front else right)]
        if inside and not comma or series:
            continue
        verb = tokens[i + 2] if after.tag == "RB" and i + 2 < len(tokens) else after
        same = [h for h in left_clause.helpers[:1]]
        if verb.tag in ("MD", "BE", "HV", "DO", "VBZ", "VBD", "VBP"):
            return [left, *_coordinated(front + left_clause.subject + " " + right)]
        if verb.tag == "VBN" and left_clause.voice == "passive" and len(right.split()) > 2:
            return [left, *_coordinated(front + " ".join([left_clause.subject, *left_clause.helpers, right]))]
        if verb.tag == "VB" and same and same[0] in english.MODALS and len(right.split()) > 1:
            return [left, *_coordinated(front + " ".join([left_clause.subject, same[0], right]))]
    return [text]


def proper_words(passage: str) -> frozenset[str]:
    """Words that are names by themselves: capitalised inside a sentence of the passage, with no other name beside."""
    return frozenset(re.findall(r"(?<=[a-z,] )[A-Z][\w-]*(?=[.,;:'’ ](?! ?[A-Z]))", passage))


# --- questions -------------------------------------------------------------------------------------------------------

_UNIT = r"(?:business |calendar |working )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?)"
_NUM = r"(?:\d[\d.,]*\d|\d|half an?|an?|" + "|".join(NUMBER_WORDS) + r")"
_QUANT = r"(?:at least |at most |up to |about |nearly |almost |(?:no |not )?(?:more|less|fewer) than |a further |over )?"
_PERSON = re.compile(
    r"(?i)(?:officer|director|manager|controller|ombudsman|steward|guardian|warden|minister|head|deputy|secretary|master"
    r"|client|customer|person|people|staff|employee|operator|analyst|inspector|auditor|clerk|member|parent|owner|holder"
    r"|maintainer|developer|user|author|administrator|applicant|newcomer|chair|leader|notary|shopper|reviewer|agent"
    r"|team|office|desk|committee|unit|agency|bank|company|department|firm|board|panel|court|laboratory|registry"
    r"|ministry|authority|council|group|bureau|tribunal|organisation|organization|supplier|provider|branch|branches"
    r"|contractor|teacher|official|worker|judge|trustee|chief|president|editor|engineer|packager|sponsor)s?$"
)
_COMMON_NAMES = re.compile(r"^(?:the )?(?:[A-Z][\w'’-]*)(?: (?:of|and|the|for|de|[A-Z][\w'’-]*))*$")


_NUMERAL = re.compile(rf"(?i){_QUANT}{_NUM}\b(?<!\ba)(?<!\ban)")
_LINKING = frozenset("remain become stay seem appear".split())
_ATTACHED = frozenset("in at under between near above below without inside behind about of over against among".split())
_ASKING = frozenset("ask tell allow require force order invite instruct advise expect".split())


def _lower(noun: str, names: frozenset[str]) -> str:
    """A phrase as it reads inside a sentence: the first letter small unless it begins a name."""
    first = noun.split(" ")[0].split("'")[0]
    following = noun.split(" ")[1][:1] if " " in noun else ""
    if first.lower() in english.DETERMINERS | english.PREPOSITIONS | english.SUBORDINATORS | set(NUMBER_WORDS):
        return noun[:1].lower() + noun[1:]
    if first in names or not first.replace("-", "").isalpha() or following.isupper() or len(first) > 1 and first.isupper():
        return noun
    known = english.readings(first.split("-")[-1])
    return noun[:1].lower() + noun[1:] if known and (" " in noun or known) else noun


class _Asker:
    """The questions on one clause. Built once for a fact, then each rule adds what it can ask."""

    def __init__(self, clause: Clause, names: frozenset[str]):
        self.c = replace(clause, rest=self.joined(clause.rest, self.time_words))
        self.names = names
        self.subject = _lower(clause.subject, names)
        self.found: list[Wording] = []

    # pieces

    @staticmethod
    def joined(rest: tuple[Phrase, ...], timed: Callable[[str], object]) -> tuple[Phrase, ...]:
        """Join "in …" and the like to the noun phrase before: "the Document Laboratory in Marrowgate"."""
        out: list[Phrase] = []
        for p in rest:
            last = out[-1] if out else None
            if (
                last is not None
                and last.kind in ("NP", "PP")
                and not last.front
                and p.kind == "PP"
                and p.prep.lower() in _ATTACHED
                and not timed(p.text)
                and not timed(last.text)
                and not re.match(r"(?i)in (?:the (?:presence|case|course|event|same|name)|accordance|order|cash)\b", p.text)
                and not p.text.lower().startswith(("only", "also", "about"))
            ):
                out[-1] = replace(last, text=f"{last.text} {p.text}")
            elif last is not None and (p.text == "else" or p.kind == "ADV" and last.text and "VBN" in english.readings(last.text.split()[-1])):
                out[-1] = replace(last, text=f"{last.text} {p.text}")
            elif last is not None and last.prep == "from" and p.prep == "to" and re.match(r"to (?:\d|[A-Z])", p.text):
                out[-1] = replace(last, text=f"{last.text} {p.text}")
            else:
                out.append(p)
        return tuple(out)

    def rest(self, skip: Iterable[Phrase] = (), front: bool = True) -> str:
        skipped = list(skip)
        after = [p.text for p in self.c.rest if not p.front and p not in skipped]
        before = [p.text for p in self.c.rest if p.front and p not in skipped] if front else []
        return " ".join(after + before)

    def inverted(self, skip: Iterable[Phrase] = (), soft: bool = False) -> str:
        """Helper, subject, verb and the rest, as it follows a question word; `soft` says "have to" for "must"."""
        c = self.c
        adverbs = [a for a in c.adverbs if a not in ("also", "then", "however", "therefore")]
        if c.helpers:
            lead, tail = c.helpers[0], [*c.helpers[1:], c.verb]
            if soft and lead == "must":
                lead, tail = "do" if is_plural(c.subject) else "does", ["have to", *tail]
        elif c.voice == "copula":
            lead, tail = c.verb, []
        else:
            lead, tail = {"VBZ": "does", "VBP": "do", "VBD": "did"}[c.tense], [lemma(c.verb)]
        return " ".join(filter(None, [lead, self.subject, *adverbs, *tail, self.rest(skip)]))

    def stated(self, skip: Iterable[Phrase] = ()) -> str:
        """Subject, verb and the rest in the order of a statement."""
        c = self.c
        adverbs = [a for a in c.adverbs if a not in ("also", "then", "however", "therefore")]
        if c.voice == "copula" and not c.helpers:
            return " ".join(filter(None, [self.subject, c.verb, *adverbs, self.rest(skip)]))
        return " ".join(filter(None, [self.subject, *c.helpers[:1], *adverbs, *c.helpers[1:], c.verb, self.rest(skip)]))

    def in_place(self, p: Phrase, words: str) -> str:
        """The statement with a phrase replaced by question words, for the exam."""
        c = self.c
        verbs = [c.verb, *c.adverbs] if c.voice == "copula" and not c.helpers else [*c.helpers[:1], *c.adverbs, *c.helpers[1:], c.verb]
        front = [words if q is p else q.text for q in c.rest if q.front]
        after = [words if q is p else q.text for q in c.rest if not q.front]
        lead = ", ".join(front) + "," if front else ""
        return " ".join(filter(None, [lead, self.subject, *verbs, *after]))

    def predicate(self, singular: bool) -> str:
        """Verb and rest after a question word that is the subject."""
        c = self.c
        helpers, verb = list(c.helpers), c.verb
        if singular:
            change = {"are": "is", "were": "was", "have": "has", "do": "does"}
            if helpers:
                helpers[0] = change.get(helpers[0], helpers[0])
            elif c.voice == "copula" or verb == "have":
                verb = change.get(verb, verb)
            elif c.tense == "VBP":
                verb = inflect(lemma(verb), "VBZ")
        adverbs = [a for a in c.adverbs if a not in ("also", "then", "however", "therefore")]
        return " ".join(filter(None, [*helpers[:1], *adverbs, *helpers[1:], verb, self.rest()]))

    def add(self, kind: str, answer: str, *questions: str, exam: bool = False) -> None:
        answer = re.sub(r"^then ", "", answer.strip(" ,;:."))
        for question in questions:
            text = re.sub(r"\s+([,?])", r"\1", re.sub(r"\s+", " ", question)).strip(" ,;.")
            self.found.append(Wording(text[:1].upper() + text[1:] + "?", answer, kind, exam))

    # rules

    def all(self) -> list[Wording]:
        c = self.c
        equates = c.voice == "copula" and any(p.kind == "NP" and not p.front for p in c.rest[:2])
        for phrase in c.rest:
            if equates and phrase.kind in ("PP", "ADV") and not phrase.front:
                continue
            if phrase.kind in ("PP", "ADV", "NP", "ADJ") and phrase.text:
                self.phrase(phrase)
            elif phrase.kind == "SUB":
                self.condition(phrase)
            elif phrase.kind == "INF" and (c.voice == "passive" or phrase.front):
                self.purpose(phrase)
        self.subject_rules()
        if c.subject.lower() == "there":
            things = c.rest[0].text if c.rest else ""
            amount = re.match(rf"(?i)({_QUANT}{_NUM}) (.+)", things)
            self.found = []
            if amount and c.verb == "are":
                self.add("number", things, f"how many {amount[2]} are there", f"what number of {amount[2]} is there")
                self.add("number", things, f"there are how many {amount[2]}", exam=True)
            return self.found
        if c.voice == "copula":
            self.definition()
        if c.verb in ("means", "mean") and c.rest and not c.rest[0].front:
            said = self.rest(front=False)
            self.found = []
            self.add("definition", said, f"what does {self.subject} mean", f"what is the meaning of {self.subject}")
            kind = re.match(r"(?i)the ([a-z]+) [\"“]", self.subject)
            self.add("name", self.subject, f"{'which ' + kind[1] if kind else 'what'} means {said}")
            self.add("definition", said, f"what is to be understood by {self.subject}", exam=True)
        self.naming()
        self.located()
        self.yes_no()
        return self.found

    def time_words(self, text: str) -> tuple[str, list[str], list[str], str] | None:
        """For a phrase of time: its kind, question words for training, those for the exam, and a cleft."""
        low = text.lower()
        unit = re.search(rf"{_NUM} ({_UNIT})\b", low)
        units = unit[1] if unit else ""
        if units and not units.endswith("s"):
            units += "s"
        if re.match(rf"(?:only )?within {_QUANT}{_NUM} {_UNIT}", low):
            return (
                "deadline",
                [f"within how many {units}", "within what time", "how soon", "within what period"],
                ["within what space of time", "how quickly"],
                "What is the period within which {}",
            )
        if re.match(rf"for {_QUANT}(?:the first )?{_NUM} {_UNIT}", low):
            return (
                "duration",
                ["how long", "for how long", f"for how many {units}", "for what period"],
                ["for what length of time"],
                "What is the length of time for which {}",
            )
        if re.match(rf"after {_QUANT}{_NUM} {_UNIT}", low):
            return "time", [f"after how many {units}", "after how long", "after what period"], ["after what length of time"], ""
        if re.match(rf"(?:every|each) (?:{_NUM} )?(?:{_UNIT}|second|third|other|evening|morning|night|quarter)\b", low):
            return "frequency", ["how often", "how frequently", "at what interval"], ["with what regularity"], ""
        if re.match(r"every (?:day|week|month)?(?:%s)" % "|".join(english.DAYS).lower(), low) or re.match(
            r"on (?:%s)s?\b" % "|".join(english.DAYS).lower(), low
        ):
            return "time", ["on which day", "on which day of the week", "when"], ["on what day"], ""
        if re.match(r"(?:every|in|each) (?:%s)\b" % "|".join(english.MONTHS).lower(), low):
            if re.search(r"\d{4}", low):
                return "time", ["when", "in which month"], ["at what point in time"], ""
            return "time", ["in which month", "in which month of the year", "when"], ["in what month"], ""
        if re.match(rf"(?:at most |at least |up to |only )?(?:once|twice|(?:{_NUM}|several) times)\b", low):
            return "frequency", ["how often", "how many times", "how frequently"], ["with what frequency"], ""
        if re.match(r"from \d{1,2}[:.]\d\d to ", low):
            return "time", ["between what hours", "during which hours", "at what times", "when"], ["in which period of the day"], ""
        if re.match(r"(?:at|by|before|until|from) \d{1,2}[:.]\d\d", low):
            word = low.split()[0]
            return "time", [f"{word} what time", "at what time" if word == "at" else f"{word} what time of day"], [f"{word} which hour"], ""
        if re.match(r"(?:by|before|on|until|from) (?:\d{1,2} )?(?:%s)\b" % "|".join(english.MONTHS).lower(), low):
            return "time", [f"{low.split()[0]} what date", f"{low.split()[0]} which date"], [f"{low.split()[0]} which day of the year"], ""
        if re.match(r"in (?:1\d|20)\d\d$", low):
            return "time", ["when", "in which year", "in what year"], ["in the course of which year"], ""
        if low in ("daily", "weekly", "monthly", "annually", "yearly", "hourly", "quarterly"):
            return "frequency", ["how often", "how frequently"], ["with what regularity"], ""
        if re.match(r"immediately|on the same day|at once", low):
            return "deadline", ["when", "how soon"], ["how quickly"], ""
        return None

    def phrase(self, p: Phrase) -> None:
        timed = self.time_words(p.text)
        if timed:
            kind, words, exam_words, cleft = timed
            if " and " in p.text:
                if p.kind == "PP":
                    self.add(kind, p.text, f"when {self.inverted([p])}")
                    self.add(kind, p.text, self.in_place(p, "when"), exam=True)
                return
            short = p.text if "same" in p.text else re.sub(r"(?i)^(?:only )?(?:within|for|after|in|on|by|at) (?=.*(?:\d|[A-Z]|%s))" % _NUM, "", p.text)
            if self.c.helpers[:1] == ("must",) and not self.c.negated:
                self.add(kind, short, f"{words[0]} {self.inverted([p], soft=True)}")
            for w in words:
                soon = w in ("how soon", "when") and kind in ("deadline", "time")
                day = re.match(r"(?:on|in) (?:which|what) (?:day|month)", w)
                answer = p.text if soon else re.sub(r"^(?:every|each) ", "", short) if day else short
                self.add(kind, answer, f"{w} {self.inverted([p])}")
            self.add(kind, short, *(f"{w} {self.inverted([p])}" for w in exam_words), self.in_place(p, words[0]), exam=True)
            if cleft and not self.c.negated:
                self.add(kind, short, cleft.format(self.stated([p])))
            return
        older = re.match(rf"(?:older|longer|higher|larger|greater|smaller|lower|later|younger|newer) than ((?:{_NUM}) .+)", p.text)
        if older and self.c.voice == "copula" and self.c.helpers:
            word = {"older": "old", "longer": "long", "higher": "high", "larger": "large", "greater": "great"}.get(p.text.split()[0])
            plain = _Asker(replace(self.c, adverbs=()), self.names)
            if word and self.c.negated:
                modal = "may" if self.c.helpers[0] == "must" else self.c.helpers[0]
                plain.c = replace(plain.c, helpers=(modal, *self.c.helpers[1:]))
                self.add("number", older[1], f"how {word} {plain.inverted([p])} at most", f"what is the greatest {'age' if word == 'old' else 'size'} that {self.subject} may have")
                if word == "old":
                    self.add("number", older[1], f"what is the maximum age of {self.subject}")
                self.add("number", older[1], f"at most how {word} {plain.inverted([p])}", exam=True)
        if p.kind in ("ADV", "ADJ"):
            return
        noun = p.noun
        if p.kind == "NP" and (self.c.voice == "copula" or p.text.lower() in english.PERSONAL):
            if self.c.voice == "copula":
                self.quantity(p)
            return
        if not noun or noun.split()[0].lower() in english.PERSONAL | english.RELATIVES | {"this", "these", "what"} or p.front and p.kind != "PP":
            return
        self.quantity(p)
        at = self.c.rest.index(p)
        if p.kind == "NP" and at + 1 < len(self.c.rest) and self.c.rest[at + 1].kind == "NP":
            return  # "costs the bank 1.40 dollars": the first of two objects
        if p.prep.lower().split()[-1:] == ["by"] and (self.c.voice == "passive" or noun.split()[0].endswith("ing")):
            self.agent(p)
            return
        if p.kind == "PP":
            self.place_or_thing(p)
            return
        if self.c.verb in ("has", "have", "had") and not self.specific(skip=[p]):
            return
        if lemma(self.c.verb) in _LINKING or _NUMERAL.match(noun):
            return
        at = self.c.rest.index(p)
        joined = [p]  # an object takes the phrases that follow it along: "a document with a deliberate fault"
        for q in self.c.rest[at + 1 :]:
            if q.front or q.kind in ("INF", "CL"):
                if q.kind == "INF" and lemma(self.c.verb) in _ASKING and not _NUMERAL.match(noun):
                    self.add("duty", q.text[3:], f"what {self.inverted([q])} to do")
                return
            bare = len(joined) == 1 and " " not in noun  # "access to the system", "effect on the price"
            if q.kind != "PP" or self.time_words(q.text) or q.prep.lower() == "about" and not bare:
                break
            if q.prep.lower() in ("to", "into", "on", "by", "as", "through") and not bare:
                break
            joined.append(q)
        answer = " ".join(q.text for q in joined)
        asked, _ = self.asked_for(noun)
        self.add("what", answer, *(f"{w} {self.inverted(joined)}" for w in asked))
        if len(joined) == 1:
            self.add("what", answer, self.in_place(p, "whom" if asked[0] == "who" else asked[0]), exam=True)

    def specific(self, skip: Iterable[Phrase] = ()) -> bool:
        text = self.stated(skip)
        return bool(re.search(r"\d|(?<=[a-z] )[A-Z]", text)) or len(text.split()) > 7

    def asked_for(self, noun: str) -> tuple[list[str], bool]:
        """Question words for a thing or person, and whether they name its kind."""
        head = head_of(noun)
        kind = self.kind_of(noun)
        if kind:
            words = [f"which {kind}", f"what {kind}"]
            return (["who", *words[:1]] if _PERSON.search(kind) else words), True
        if _PERSON.search(head):
            return ["who"], False
        if re.fullmatch(r"(?:[A-Z][a-z]+ )+[A-Z][a-z]+", noun) and not english.readings(noun.split()[-1]):
            return ["who"], False
        told_apart = re.match(rf"(?i)(?:(?:the|an?|every) )?(?:[\w-]+ )+{re.escape(head)}(?= (?:that|which|who|with|without|from|[a-z]+ed)\b|$)", noun)
        qualified = re.match(rf"(?i)(?:(?:the|an?|every) )?{re.escape(head)} (?:that|which|who|with|without|from|[a-z]+ed)\b", noun)
        first = noun.split()[0].lower()
        if head.islower() and first not in english.POSSESSIVE and "," not in noun and " and " not in noun:
            if qualified or told_apart and len(noun.split()) > (1 if first not in ("the", "a", "an", "every") else 2):
                return ["what", f"which {head}"], False
        return ["what"], False

    def kind_of(self, noun: str) -> str:
        """The common noun that classes a name: "form" in "Form K-10", "archive system" in "the archive system Alder"."""
        known = re.search(r"(?:^(?:the|an?|its|their) )?((?:[a-z-]+ )*?[a-z-]+),? (?:called|named|known as) ", noun)
        if known:
            return re.sub(r"^(?:the|an?|its|their) ", "", known[1])
        coded = re.match(r"(?:the |an? )?([A-Za-z]+(?: [a-z]+)?) (?:[A-Z]+-?\d[\w-]*|[A-Z]{2,}[\w-]*)$", noun)
        if coded:
            return coded[1].lower()
        typed = re.match(r"(?:the )((?:[a-z-]+ ){1,3})(?:[A-Z][\w-]*)(?: [A-Z][\w-]*)*$", noun)
        if typed and not set(typed[1].split()) & (english.PREPOSITIONS | english.DETERMINERS):
            return typed[1].strip()
        proper = re.match(r"(?:the |an? )((?:[A-Z][\w'’-]*|of|and|for) ?)+$", noun)
        if proper:
            head = re.sub(r"^(?:the|an?) ", "", noun).split(" of ")[0].split(" for ")[0].split()[-1]
            if "NN" in english.readings(head) and len(noun.split()) > 2:
                return head.lower()
        return ""

    def quantity(self, p: Phrase | None) -> None:
        """ "How many" for a phrase that begins with a number; "how long" or "how large" for "a … of 75 dollars"."""
        count = r"(?:\d[\d.,]*\d|\d|" + "|".join(NUMBER_WORDS) + ")"
        noun = p.noun if p else self.c.subject
        amount = re.match(
            rf"(?i)(?:(?:all|only|the|its|their) )?((?:{_QUANT})(?:{_NUM}))( per cent| percent|%)?( or (?:more|higher))?(?: (of))? ?([a-z][\w-]*.*)?$", noun
        )
        if amount and amount[1].lower() not in ("a", "an"):
            _, percent, more, of, things = amount.groups()
            if amount[1].lower().split()[-1] in ("a", "an", "one"):
                return
            answer = noun if not things else " ".join(filter(None, [amount[1], (percent or "").strip(), (more or "").strip()]))
            if things and not percent and not of:
                short = things.split(" of ")[0] if len(things.split()) <= 3 else head_of("two " + things)
                answer += " " + short
                words = [f"how many {things}", f"what number of {things}"]
            elif percent:
                words = [f"what percentage of {things}", f"how many per cent of {things}"] if things and of else ["what percentage", "how many per cent"]
                if things and not of:
                    return
            else:
                return
            if things and re.match(rf"(?i){_UNIT}\b", things) and p is not None and p.kind != "NP":
                return
            if self.c.negated:
                over = re.match(r"(?i)more than (.+)", answer)
                if over and self.c.helpers and p is not None and not p.prep and things:
                    plain = _Asker(replace(self.c, adverbs=(), helpers=("may", *self.c.helpers[1:])), self.names)
                    self.add(
                        "number", over[1], f"how many {things} {plain.inverted([p])} at most",
                        f"what is the maximum number of {things} that {plain.stated([p])}",
                        f"what is the limit on the number of {things} that {plain.stated([p])}",
                    )
                    self.add("number", over[1], plain.in_place(p, f"at most how many {things}"), exam=True)
                elif lemma(self.c.verb) in ("exceed", "pass", "surpass") and things and p is not None:
                    self.add("number", answer, f"how many {things} {self.inverted([p])}", f"what is the limit that {self.stated([p])}", f"which amount {self.inverted([p])}")
                    self.add("number", answer, self.in_place(p, f"how many {things}"), exam=True)
                return
            bound = re.match(r"(?i)(at least|no less than|not less than)|(at most|up to|no more than|not more than)", amount[1])
            if p is None:
                self.add("number", answer, *(f"{w} {self.predicate(False)}" for w in words))
                self.add("number", answer, f"what is the number of {things} that {self.predicate(False)}", exam=True) if not percent else None
                return
            tail = f" {p.prep}" if p.prep else ""
            skip = self.inverted([p])
            front = [w for w in words]
            if p.prep and self.rest([p]):
                self.add("number", answer, *(f"{p.prep} {w} {skip}" for w in front))
            else:
                self.add("number", answer, *(f"{w} {skip}{tail}" for w in front))
            if bound and not p.prep and things:
                word = "minimum" if bound[1] else "maximum"
                self.add("number", answer, f"what is the {word} number of {things} that {self.stated([p])}")
            self.add("number", answer, self.in_place(p, f"{p.prep} {words[-1] if percent else words[0]}"), exam=True)
            return
        measure = re.match(rf"(?i)(an?|the|its) ([\w' -]+?) of ((?:between )?{_QUANT}{count}(?: and {count})? (?!of\b)(per cent|[\w-]+)(?: (?:per|an?) \w+| per \w+)?)(.*)$", noun)
        chosen = re.match(rf"(?i)(one of|an? list of) (?:the )?({count} (.+))$", noun)
        if chosen and p is not None:
            lead = "one of " if chosen[1].lower() == "one of" else ""
            self.add("number", chosen[2], f"{p.prep} {lead}how many {chosen[3]} {self.inverted([p])}")
            self.add("number", chosen[2], self.in_place(p, f"{p.prep} {lead}how many {chosen[3]}"), exam=True)
            return
        band = re.match(rf"(?i)an? ([\w -]+) of ({count} to {count}|{count} or (?:more|less|higher|lower))$", noun)
        if band and p is None:
            self.add("number", band[2], f"what {band[1]} {self.predicate(True)}", f"which {band[1]} {self.predicate(True)}")
            return
        if measure and measure[4].lower() in ("to", "or", "and"):
            return
        if measure and p is None:
            _, what, answer, unit, after = measure.groups()
            if not re.match(_NUM + r" per$", answer) and what.split()[-1] not in ("list", "one", "number"):
                self.add("number", answer, f"what {what}{after} {self.predicate(False)}", f"{measure[1].lower()} {what} of how many {unit}{after} {self.predicate(False)}" if unit != "per cent" else f"what percentage of {what} {self.predicate(False)}")
            return
        if measure and p is not None and measure[2].split()[-1] not in ("list", "one", "number"):
            what, answer, unit = measure[2], measure[3], measure[4]
            thing = f"the {what}{measure[5]}"
            skip = self.stated([p])
            there = f"{thing} {p.prep + ' which' if p.prep else 'that'} {skip}"
            whole = re.match(rf"(?i){_UNIT}$", unit)
            if unit == "per cent":
                return
            if self.c.verb in ("has", "have", "had") and self.c.voice == "active" and not measure[5]:
                self.add("number", answer, f"what is the {what} of {self.subject}")
            if whole:
                self.add("duration", answer, f"how long is {there}", f"how many {unit} long is {there}")
            elif re.match(r"(?i)digits?|characters?|letters?|members?|questions?|sections?|words?", unit):
                self.add("number", answer, f"how many {unit} does {there} have", f"of how many {unit} is {there}")
            else:
                self.add("number", answer, f"how large is {there}", f"how many {unit} is {there}")
            where = f"{p.prep} " if p.prep else ""
            self.add("number", answer, self.in_place(p, f"{where}{measure[1]} {what} of how many {unit}{measure[5]}"), exam=True)

    def agent(self, p: Phrase) -> None:
        """The doer of a passive: "By whom are appeals heard?", and in the active, "Who hears appeals?"."""
        c, noun = self.c, re.split(r" and (?:not )?by ", p.noun)[0]
        first = noun.split()[0]
        means = first.isalpha() and first.islower() and first not in english.DETERMINERS and not is_plural(noun) and not _PERSON.search(head_of(noun))
        if first.endswith("ing") or means and not _NUMERAL.match(noun) and not self.kind_of(noun):
            self.add("how", p.text, f"how {self.inverted([p])}", f"in what way {self.inverted([p])}")
            self.add("how", p.text, f"by what means {self.inverted([p])}", exam=True)
            return
        asked, _ = self.asked_for(noun)
        who = asked[0] == "who"
        words = ["by whom" if w == "who" else f"by {w}" for w in asked]
        self.add("who", noun, *(f"{w} {self.inverted([p])}" for w in words))
        if not c.negated:
            verb = lemma(c.verb)
            helpers = list(c.helpers)
            if helpers[0] in english.MODALS:
                active = f"{helpers[0]} {verb}"
            elif helpers[0] in ("was", "were"):
                active = inflect(verb, "VBD")
            elif helpers[0] in ("is", "are"):
                active = inflect(verb, "VBZ")
            else:
                return
            self.add("who", noun, *(f"{w} {active} {self.subject} {self.rest([p])}" for w in (asked if not is_plural(noun) or who else asked[:1])))
        self.add("who", noun, self.in_place(p, f"by {'whom' if who else asked[0]}"), exam=True)

    def place_or_thing(self, p: Phrase) -> None:
        """A prepositional phrase: "On which form …", "Where …", "With what …"."""
        noun, prep = p.noun, p.prep.lower().split()[-1]
        kind = self.kind_of(noun)
        lead = prep if prep in english.PREPOSITIONS else ""
        if not lead or p.front and not kind and prep not in ("for",):
            return
        place = bool(re.match(r"(?:in|at) (?:the (?:town|city|capital|port) of )?[A-Z][\w' ]*$", p.text)) or (
            prep in ("in", "at") and re.match(r"(?:the|an?) .*\b(?:building|office|branch|centre|center|vault|room|studio|college|street|country|town|city)\b", noun, re.I) is not None
        )
        if re.match(r"(?i)(?:the (?:same|presence|end|case|course|form)|accordance|order|case|addition|general|good|enough)\b", noun) and prep in ("in", "on", "at", "with"):
            return
        at = self.c.rest.index(p)
        after_object = at > 0 and self.c.rest[at - 1].kind == "NP" and not self.c.rest[at - 1].front
        if _NUMERAL.match(noun) or after_object and (prep not in ("to", "into", "by") or lemma(self.c.verb) == "have"):
            if not re.match(r"[a-z ]+ (?:[A-Z]+-?\d|[A-Z])|[A-Z]\w+ [A-Z]+-?\d", noun):
                return
        if kind:
            if _PERSON.search(kind) and prep in ("to", "with", "from", "for"):
                words = [f"{prep} whom"]
            else:
                words = [f"{prep} which {kind}", f"{prep} what {kind}"]
                if not self.c.negated and not _PERSON.search(kind):
                    self.add("name", noun, f"what is the {kind} {prep} which {self.stated([p])}")
            self.add("name", noun, *(f"{w} {self.inverted([p])}" for w in words))
            self.add("name", noun, self.in_place(p, words[0]), exam=True)
        if place:
            self.add("place", p.text, f"where {self.inverted([p])}", f"in which place {self.inverted([p])}")
            self.add("place", p.text, f"at which place {self.inverted([p])}", self.in_place(p, "where"), exam=True)
            return
        if not kind and self.c.rest and p is self.c.rest[-1] and prep in ("to", "with", "on", "from", "into", "for", "as", "by", "through"):
            if prep == "for" and not self.c.voice == "passive":
                return
            words, _ = self.asked_for(noun)
            if words[0] == "who":
                words = ["whom"]
            self.add("what", noun, *(f"{prep} {w} {self.inverted([p])}" for w in words))
            self.add("what", noun, self.in_place(p, f"{prep} {words[0]}"), exam=True)

    def condition(self, p: Phrase) -> None:
        """ "When …" for a condition, and "What happens if …" for what follows from it."""
        first, _, inner = p.text.partition(" ")
        low = first.lower()
        adverb = next((q for q in self.c.rest if q.kind == "ADV" and q.text.lower() in ("only", "even")), None)
        if adverb and self.c.negated:
            return  # "not only because" is no reason
        skip = [p] + ([adverb] if adverb else [])
        opens_it = re.match(r"(?:it|they|he|she) ", inner)
        text = inner
        if opens_it:
            text = f"{self.subject} {inner.split(' ', 1)[1]}"
        if low in ("because", "since", "so"):
            self.add("why", p.text, f"why {self.inverted(skip)}", f"for what reason {self.inverted(skip)}")
            self.add("why", p.text, f"{self.stated(skip)} for what reason", exam=True)
            return
        if low in ("when", "if", "whenever", "once", "unless"):
            if low != "unless":
                first_word = {"if": "under what condition", "when": "when", "once": "when", "whenever": "when"}[low]
                self.add("condition", p.text, f"{first_word} {self.inverted(skip)}", f"in what case {self.inverted(skip)}", f"under what circumstances {self.inverted(skip)}")
                self.add("condition", p.text, f"in which situation {self.inverted(skip)}", exam=True)
                if p.front:
                    outcome = f"{self.subject} {self.predicate_without(p)}"
                    self.add("condition", outcome, f"what happens {low} {text}", f"{low} {text}, what happens", f"what is the consequence {low} {text}")
                    self.add("condition", outcome, f"what follows {low} {text}", exam=True)
                    self.duty(p, f"{low} {text}")
            return
        if low in ("until", "before", "after", "while"):
            word = {"until": "until when", "before": "before what", "after": "after what", "while": "when"}[low]
            answer = text if low in ("before", "after") else p.text
            questions = [f"{word} {self.inverted(skip)}"]
            if low == "until":
                questions = [f"until when {self.inverted(skip)}", f"how long {self.inverted(skip)}"]
            elif low in ("before", "after"):
                questions, answer = [f"when {self.inverted(skip)}", f"at what point {self.inverted(skip)}"], p.text
            self.add("condition", answer, *questions)
            self.add("condition", answer, f"at which moment {self.inverted(skip)}", exam=True)

    def predicate_without(self, p: Phrase) -> str:
        c = self.c
        return " ".join(filter(None, [*c.helpers[:1], *c.adverbs, *c.helpers[1:], c.verb, self.rest([p])]))

    def duty(self, p: Phrase, condition: str) -> None:
        c = self.c
        if c.voice == "active" and c.helpers and c.helpers[0] in english.MODALS and not c.negated:
            answer = " ".join(filter(None, [*c.helpers[1:], c.verb, self.rest([p])]))
            self.add("duty", answer, f"what {c.helpers[0]} {self.subject} do {condition}", f"{condition}, what {c.helpers[0]} {self.subject} do")
        elif c.voice == "active" and not c.helpers and c.verb not in ("has", "have"):
            answer = " ".join(filter(None, [c.verb, self.rest([p])]))
            do = {"VBZ": "does", "VBP": "do", "VBD": "did"}.get(c.tense, "does")
            self.add("duty", answer, f"what {do} {self.subject} do {condition}")

    def purpose(self, p: Phrase) -> None:
        self.add("why", p.text, f"for what purpose {self.inverted([p])}", f"why {self.inverted([p])}")
        self.add("why", p.text, f"to what end {self.inverted([p])}", exam=True)

    def subject_rules(self) -> None:
        c = self.c
        noun = c.subject
        self.quantity(None)
        self.fate()
        if c.voice == "copula" or noun.lower() in english.PERSONAL or not self.specific():
            return
        content = [w for w in self.predicate(True).split() if len(w) > 3]
        if len(content) < 3 and not re.search(r"\d|[A-Z]", " ".join(content)):
            return
        if re.match(r"(?i)(?:no|neither|not|all|some|only|more than|most|one|none) ", noun):
            return
        asked, _ = self.asked_for(noun)
        plural = is_plural(noun)
        for word in asked:
            singular = word in ("who", "what") or not plural
            self.add("who" if word == "who" else "what", self.subject, f"{word} {self.predicate(singular)}")
        self.add("who" if asked[0] == "who" else "what", noun, f"{'who' if asked[0] == 'who' else 'what'} is it that {self.predicate(not plural)}" if not plural else f"{'who' if asked[0] == 'who' else 'what'} are they that {self.predicate(False)}", exam=True)

    def fate(self) -> None:
        """ "What happens to a lamp that fails?", "What must a person who … do?": for a subject with conditions."""
        c = self.c
        if not re.search(r" (?:who|that|which|whose|with|without) ", c.subject) or c.subject.lower().startswith(("the ", "no ", "not ")):
            return
        pronoun = "they" if is_plural(c.subject) or _PERSON.search(head_of(c.subject)) else "it"
        if c.voice == "passive" and not c.negated and "then" not in c.adverbs:
            answer = self.predicate(False)
            if pronoun == "they":
                answer = re.sub("^is ", "are ", re.sub("^was ", "were ", answer))
            self.add("condition", f"{pronoun} {answer}", f"what happens to {self.subject}")
            self.add("condition", f"{pronoun} {answer}", f"what becomes of {self.subject}", exam=True)
        elif c.voice == "active" and c.helpers and c.helpers[0] in english.MODALS:
            answer = " ".join(filter(None, [*c.helpers[1:], c.verb, self.rest()]))
            adverb = "never " if "never" in c.adverbs else "not " if c.negated else ""
            self.add("duty", answer, f"what {c.helpers[0]} {self.subject} {adverb}do")

    def definition(self) -> None:
        c = self.c
        inner = [p for p in c.rest if not p.front]
        if not inner or c.negated or c.helpers:
            return
        said = self.rest(front=False)
        was = c.verb
        if inner[0].kind == "INF" and inner[0].text.startswith("to "):
            self.add("what", said, f"what {was} {self.subject}")
        if inner[0].kind == "NP" and re.match(r"(?i)(?:an?|the|one of|any|[A-Z\"“])", said):
            subject_name = bool(re.match(r"(?:The )?(?:[A-Z]\w+ )+[A-Z]|[A-Z]", self.subject)) or self.subject[0].isupper()
            name = re.fullmatch(r"(?:[A-Z][\w'-]+ )+[A-Z][\w'-]+", said) and (
                _PERSON.search(head_of(self.subject)) or not english.readings(said.split()[-1].lower()) & {"NN"}
            )
            if re.match(r"(?i)the ", self.subject) and (name or re.match(r"[A-Z]|the [A-Z]", said) or re.search(r"\d", said)):
                word = "who" if name or _PERSON.search(head_of(self.subject)) else "what"
                self.add("name", said, f"{word} {was} {self.subject}")
                if word == "who":
                    self.add("name", said, f"what is the name of {self.subject}")
                    self.add("who", self.subject, f"what post does {said} hold", f"what is the role of {said}", f"who is {said}")
                    self.add("name", said, f"which person is {self.subject}", exam=True)
                    self.add("who", self.subject, f"what position is held by {said}", exam=True)
                else:
                    self.add("what", self.subject, f"what {was} {said}")
                    self.add("name", said, f"{self.subject} {was} what", exam=True)
            else:
                word = "who" if subject_name and _PERSON.search(head_of(said)) else "what"
                self.add("definition", said, f"{word} {was} {self.subject}")
                if not subject_name and re.match(r"(?i)an? ", self.subject):
                    term = re.sub(r"^(?i:an?) ", "", self.subject)
                    self.add("definition", said, f'what is meant by "{term}"', f"how is {self.subject} defined", f"what does the term \"{term}\" mean")
                    self.add("definition", said, f"what should one understand by {self.subject}", exam=True)
                    self.add("name", self.subject, f"what is the term for {said}") if re.match(r"(?i)(an?|any) ", said) else None
                elif not is_plural(c.subject):
                    self.add("definition", said, f"what kind of thing {was} {self.subject}", exam=True)
        elif inner[0].kind == "NP" or inner[0].kind == "ADJ":
            amount = re.search(rf"((?:{_QUANT}){_NUM}(?: per cent| [\w-]+)?)", said)
            if re.match(rf"(?i)(?:{_QUANT}){_NUM}\b", said) and not re.match(r"(?i)an? ", said):
                much = "what" if not re.search(r"cent|%", said) else "what"
                self.add("number", said, f"{much} {was} {self.subject}", f"how much {was} {self.subject}" if "cent" not in said else f"what percentage {was} {self.subject}")
                self.add("number", said, f"{self.subject} {was} how much", exam=True)
            del amount

    def naming(self) -> None:
        """ "What is … called?", from a verb of naming or a phrase such as "a bulletin called The Plumb Line"."""
        c = self.c
        if c.voice == "passive" and c.verb in ("called", "named") and c.rest:
            name = c.rest[0].text
            self.add("name", name, f"what is {self.subject} called", f"what name is given to {self.subject}", f"what is the name of {self.subject}")
            self.add("name", name, f"by what name does {self.subject} go", exam=True)
            self.add("definition", self.subject, f"what is {name}")
            self.add("definition", self.subject, f"to what does the name {re.sub('^the ', '', name)} refer", exam=True)
        for noun in [c.subject, *(p.noun for p in c.rest)]:
            match = re.search(
                r"(?:^|(?<= ))((?:the|an?|its|their) )((?:[\w'-]+ ){0,5}?[\w'-]+),? (?:called|named|known as|(?:usually )?shortened to) "
                r"((?:the |an? )?(?:[A-Z][\w'-]*(?: (?:of |and |the )?[A-Z][\w'-]*)*|[a-z]+ [a-z]+(?=$)))", noun,
            )
            if match:
                thing = f"the {re.sub('^own ', '', match[2])}"
                owner = "" if noun is c.subject else ""
                self.add("name", match[3], f"what is {thing}{owner} called", f"what name does {thing} have")
                self.add("definition", f"{match[1]}{match[2]}", f"what is {match[3]}")
                self.add("name", match[3], f"by what name is {thing} known", exam=True)

    def listed(self, items: str) -> list[Wording]:
        """For "there are three classes: low, standard and high": "What are the three classes?"."""
        c = self.c
        items = items.rstrip(".")
        first = c.rest[0] if c.rest else None
        if c.subject.lower() == "there" and first is not None:
            things = first.text
            self.add("what", items, f"what are the {things}", f"which {things} are there")
            self.add("what", items, f"which are the {things}", exam=True)
        elif re.match(r"(?i)the following ", c.subject):
            things = c.subject[14:]
            self.subject = self.subject[14:]
            self.c = c = replace(c, subject=things)
            self.add("what", items, f"which {things} {self.predicate(False)}", f"what {things} {self.predicate(False)}")
            self.add("what", items, f"which are the {things} that {self.predicate(False)}", exam=True)
        elif _NUMERAL.match(c.subject):
            self.add("what", items, f"which {self.subject} {self.predicate(False)}", f"what are the {self.subject} that {self.predicate(False)}")
        elif first is not None and _NUMERAL.match(first.text) and c.verb in ("has", "have", "had"):
            self.add("what", items, f"what are the {first.text} of {self.subject}", f"which {first.text} does {self.subject} have")
            self.add("what", items, f"which are the {first.text} of {self.subject}", exam=True)
        found, self.found = self.found, []
        return found

    def buried(self, text: str, answers: list[str]) -> list[Wording]:
        """For a number deep inside a sentence that no other rule asks for: the sentence with "how many" in its place."""
        self.found = []
        text = text.rstrip(".")
        for match in re.finditer(r"(?<![\w-])(?:\d[\d.,:]*\d|\d|%s)(?<!to \d)(?<!to \d\d)(?= (?!of\b|and\b|or\b|to\b|is\b|are\b)([a-z][\w-]+(?: cent)?))" % "|".join(NUMBER_WORDS), text, re.I):
            if match[0].lower() == "one" or any(re.search(rf"(?<!\w){re.escape(match[0])}(?!\w)", a) and len(a.split()) < 8 for a in answers):
                continue
            words = "what" if match[1] in ("per", "per cent") else "how many"
            if words == "what":
                question, answer = text[: match.start()] + "what percentage" + text[match.end() + 9 :], f"{match[0]} per cent"
                if not text[match.end() :].startswith(" per cent"):
                    continue
            else:
                question, answer = text[: match.start()] + "how many" + text[match.end() :], f"{match[0]} {match[1]}"
            adjective = re.match(rf"{re.escape(match[0])} ([a-z-]+) ([a-z-]+)", text[match.start() :])
            if adjective and "JJ" in english.readings(adjective[1]) and not english.readings(adjective[1]) & {"NNS"}:
                answer = adjective[0]
            self.add("number", answer, _lower(question, self.names))
        return self.found

    def located(self) -> None:
        """ "Where is …?" for a name with its place: "the Document Laboratory in Marrowgate"."""
        for text in [self.c.subject, *(p.noun for p in self.c.rest)]:
            match = re.search(r"\b(the (?:[A-Z]\w+ ?)+|the [a-z]+ (?:[a-z]+ )?)(in|at) ([A-Z]\w+(?: [A-Z]\w+)*)$", text)
            if match and not set(match[1].split()) & (english.PREPOSITIONS | english.SUBORDINATORS) and match[3] not in english.MONTHS:
                thing = match[1].strip()
                self.add("place", match[3], f"where is {thing}", f"{match[2]} which place is {thing}", f"where is {thing} located")
                self.add("place", match[3], f"in what location is {thing}", exam=True)

    def yes_no(self) -> None:
        c = self.c
        if not c.negated and c.helpers[:1] in (("may",), ("can",)) and not re.search(r"\b(?:only|no more|at most|up to)\b", self.stated()):
            self.add("yesno", f"Yes, {self.stated()}", self.inverted())
        if c.negated and not c.subject.lower().startswith(("no ", "neither ", "not ")):
            plain = replace(c, adverbs=tuple(a for a in c.adverbs if a not in ("not", "never")))
            question = _Asker(plain, self.names).inverted()
            if c.helpers or c.voice == "copula":
                answer = f"No, {self.stated()}"
                self.add("yesno", answer, question)


def wordings(fact: Fact | str, names: frozenset[str] = frozenset()) -> tuple[Wording, ...]:
    """Every question that the rules can ask about a fact, the plainest first, without repeats."""
    fact = Fact(fact, "", fact) if isinstance(fact, str) else fact
    return _wordings(fact.text, fact.section, names or proper_words(fact.text))


@lru_cache(maxsize=20_000)
def _wordings(text: str, section: str, names: frozenset[str]) -> tuple[Wording, ...]:
    text = re.sub(r" [a-z]+(?:ed|de|en) (?:with|by|in|on|for) (?:this|these|that|those|such) [a-z]+(?=[.,])", "", text)
    text, _, listed = text.partition(": ")
    clause = parse(text)
    if clause is None or clause.subject.lower() in english.PERSONAL - {"there"}:
        return ()
    if not _readable(clause):
        return ()
    found: dict[str, Wording] = {}
    asker = _Asker(clause, names)
    for wording in [*(asker.listed(listed) if listed else ()), *asker.all()]:
        wording = _anchored(wording, section)
        if _sound(wording):
            found.setdefault(wording.question, wording)
    for wording in asker.buried(text, [w.answer for w in found.values()]):
        wording = _anchored(wording, section)
        if _sound(wording):
            found.setdefault(wording.question, wording)
    return tuple(found.values())


def _readable(clause: Clause) -> bool:
    """Whether a clause looks rightly read: a subject of a fair length that begins and ends like one."""
    words = clause.subject.split()
    low = [w.lower() for w in words]
    first_verb = english.readings(low[0])
    return (
        len(words) <= 16
        and low[0] not in english.SUBORDINATORS | english.QUESTION_WORDS | _NO_SUBJECT
        and (low[0] not in english.PREPOSITIONS | {"not"} or _NUMERAL.match(clause.subject) is not None)
        and low[-1].strip(",") not in (english.PREPOSITIONS | english.DETERMINERS | {"and", "or", "that", "which", "who"}) - {"all"}
        and not any(p.front and p.kind == "SUB" and p.text.split()[1:2][0] in english.PERSONAL - {"there"} for p in clause.rest)
        and not ({"if", "when", "because", "unless"} & set(low))
        and not (low[0] not in english.DETERMINERS and first_verb and first_verb <= {"VBN", "VBG", "RB"})
    )


_BARE = re.compile(r"\b[Tt]he (?:%s)\b(?! (?:of|that|which|who|for|between|called|known|on)\b)(?= (?:[a-z]+(?:ed|s)|be|have|must|may|can|should|to|in|at|with|from|by|is|are|was|not|only)\b|[,?])" % "|".join(sorted(_VAGUE)))


_THIN = (
    english.DETERMINERS | english.PREPOSITIONS | english.SUBORDINATORS | english.MODALS | english.BE | english.HAVE | english.DO
    | english.PERSONAL | english.QUESTION_WORDS | english.RELATIVES | english.ADVERBS
    | frozenset("long soon often much number period time times to maximum minimum length happens case condition".split())
)


def _anchored(w: Wording, section: str) -> Wording:
    """A question on "the list" or "the test" says whose: it opens with the section, or it is dropped."""
    content = [x for x in re.findall(r"[\w-]+", w.question)[1:] if x.lower() not in _THIN and not x[0].isupper()]
    if not _BARE.search(w.question) and (len(content) > 2 or re.search(r"\d|\w [A-Z]|\"", w.question)):
        return w
    if not section or section in w.question:
        return replace(w, question="")
    if re.match(r"(?i)(how|when|where|what|why|who|if|before|after)\b", section) or not re.fullmatch(r"[\w' -]+", section):
        place = f'In the section "{section}"'
    else:
        place = f"In the section on {_lower(section, frozenset())}"
    return replace(w, question=f"{place}, {w.question[0].lower()}{w.question[1:]}")


def _sound(w: Wording) -> bool:
    """Whether a question looks whole: no dangling reference, no broken bracket, an answer of a fair length."""
    q = w.question
    return not (
        not w.answer
        or len(w.answer.split()) > 30
        or not 3 < len(q.split()) < 45
        or re.search(r"(?i)\b(this|these|those|such|following|above|below)\b", q)
        or re.search(r"(?i)^\S+ \S+ (it|they|he|she|them)\b", q)
        or re.search(r"(?i)\b(?:for|with|to|in|of|by) (?:them|him|it)[ ,]", q)
        or w.kind == "duty" and re.search(r"\b(?:it|them)$", w.answer)
        or re.search(r"(?<!\d):|:(?!\d)|[;(){}\[\]|¶]|(?<!\S)[*`](?!\S)", q)
        or re.search(r"(?i)\b(?:by|of|in|to|with|for|and|or|that), ", q)
        or q.count('"') % 2
        or re.search(r"\b(\w+) \1\b|\w\. \w|\\", q)
        or re.search(r"(?i)\b(and|or|but|,)\?$", q)
        or w.answer.lower() in english.PERSONAL
        or re.match(r"(?i)(and|or|but)\b", w.answer)
    )
