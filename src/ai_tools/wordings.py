"""Passages into facts, and facts into questions with short answers, by rules of English grammar.

    sentences(passage)   prose only, each with its section
    facts(passage)       atomic sentences: pronouns resolved, clauses split, relative clauses made sentences
    wordings(fact)       question and answer pairs, each with its kind and whether it is kept for the exam

A fact that no rule fits gives nothing. An answer is made of the fact, after "Yes,", "No," or a pronoun at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

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
        elif fenced or (line.startswith(("    ", "\t")) and not lines) or line.lstrip().startswith(("|", "<", "![")):
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
    for match in re.finditer(
        r"[.!?][\"\u201d\u2019)\]]*(?=\s+[\"\u201c\u2018(]?[A-Z0-9`*])|[.!?][\"\u201d\u2019)]*$", text
    ):
        piece = text[start : match.end()].strip()
        if _ABBREVIATION.search(piece):
            continue
        quotes = piece.count('"') % 2 or piece.count("\u201c") != piece.count("\u201d")
        if not quotes and len(piece.split()) > 2:
            yield piece
        if not quotes:
            start = match.end()


# --- facts -----------------------------------------------------------------------------------------------------------

_SHE_HE = re.compile(r"^(He|She|His|Her)\b")
_NAME = re.compile(r"\b[A-Z][a-z]+(?: (?:(?:de|van|von|der|la|di|del|al|bin) )*[A-Z][a-z]+)+\b")
_VAGUE = english.word_set(
    "detail details number list case test check result decision figure figures item items threshold limit answer "
    "process search activity period chart finding findings notice form code letter source sources result rule step "
    "steps fee task amount purpose order exception exceptions other others one ones following former latter question "
    "example examples text aim goal method reason reasons value name names same thing things document page section "
    "chapter unit option scan stop reminder visit suspension original course test fine penalty limit"
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
    letters = sum((c.isascii() and c.isalpha()) or c.isspace() for c in text)
    return bool(
        (
            re.match(r"(?i)(it|they|this|that|these|those|such|he|she|we|here|there|so|his|her|its|their)\b", text)
            and not re.match(r"(?i)(there (is|are|was|were)|that .* (is|are)) ", text)
        )
        or re.search(r"(?i)\b(above|below|following:|see also)\s*[.:]?$", text)
        or letters < 0.7 * len(text)
    )


_NO_SUBJECT = english.word_set(
    "see and or but which suppose consider assume let note please make be try use add remember given"
)


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
        if low in ("examples", "these") and rest.startswith("are ") and self.clause is not None:
            what = re.sub(r"^(?:Some|The|Certain) ", "", self.subject)
            what = f"{what} that {self.clause.predicate}" if what != self.subject else lowered(what)
            return (
                f"Examples of {what[0].lower()}{what[1:]} {rest}"
                if low == "examples"
                else f"{what[0].upper()}{what[1:]} {rest}"
            )
        if low in ("they", "their"):
            for noun in (self.subject, self.object):
                if noun and is_plural(noun):
                    return (
                        _definite(noun) + (("'" if noun.endswith("s") else "'s") if low == "their" else "") + " " + rest
                    )
        if _SHE_HE.match(text) and self.person:
            return self.person + ("'s " if low in ("his", "her") else " ") + rest
        such = re.match(r"Such (\w+) ", text)
        if such and self.subject and head_of(self.subject).lower() == such[1]:
            return self.subject + " " + text[such.end() :]

        them = re.search(r"\b(?:them)(?=[.,;]|$)", text)
        if them and self.subject and is_plural(self.subject):
            clause = parse(text)
            if re.match(r"\w+ them,", text) or (clause is not None and not is_plural(clause.subject)):
                text = text[: them.start()] + lowered(_definite(self.subject)) + text[them.end() :]

        def full(match: re.Match[str]) -> str:
            name = self.named.get(match[2], "")
            if not name or name.lower() in text.lower():
                return match[0]
            return name if re.search(r"\d", name) else f"{match[1]} {name}"

        return re.sub(
            r"\b([Tt]he) ([a-z-]+)\b(?! of\b)(?= (?:is|are|was|were|has|have|must|may|can|should|[a-z]+s)\b|[.,;])",
            full,
            text,
        )


def _definite(noun: str) -> str:
    return re.sub(r"^(An?|Every|Each) ", "The ", noun) if not re.search(r"\b(who|that|which)\b", noun) else noun


_OPENERS = re.compile(
    r"^(?:However|Therefore|First(?:ly)?|Second(?:ly)?|Moreover|Thus|Finally|In addition|Additionally|For example"
    r"|Generally|Otherwise|Then|Hence|Furthermore|Similarly|In general|In particular|Normally|Please note that"
    r"|Note that|As a result|Also|Instead|Of course|Conversely|In other words|Nevertheless|Typically|Usually"
    r"|That is),? (?=[A-Za-z`])"
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
            verb = english.main_verb(tokens, i + 2)
            if verb is None or verb >= end:
                continue
            if verb == i + 2 or tokens[i + 2].tag == "RB":
                extra.append(f"{noun} {text[tokens[i + 2].start : tokens[end - 1].end]}")
            elif verb + 1 < end and parse(text[tokens[i + 2].start : tokens[end - 1].end]) is not None:
                head = text[tokens[i + 2].start : tokens[verb].end]
                extra.append(f"{head} {noun} {text[tokens[verb + 1].start : tokens[end - 1].end]}")
            else:
                continue
            rest, more = _lift(text[: tokens[i].start] + (f"{after}" if after else "."))
            return rest, extra + more
        proper = tokens[i - 1].tag == "NP" or tokens[end - 1].tag == "NP"
        single = not any(t.tag in ("CC", "BE", "MD", "VBZ", "HV") for t in tokens[i + 1 : end])
        listed = (
            end < len(tokens)
            and tokens[end].tag == ","
            and tokens[min(end + 1, len(tokens) - 1)].tag in ("DT", "NN", "NP")
        )
        listed = listed or any(t.tag == "," for t in tokens[max(0, begin - 2) : begin])
        if (
            proper
            and not listed
            and (tokens[i + 1].low in ("a", "an") or (single and tokens[i + 1].tag in ("DT", "NP")))
        ):
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
    front_end = english.front_end(tokens)
    front = text[: tokens[front_end].start] + ", " if front_end and tokens[0].tag == "SUB" else ""
    main = english.main_verb(tokens, front_end)
    for i in range(max(front_end, 1) + 1, len(tokens) - 1):
        series = (
            tokens[i].tag == ","
            and re.search(r", (?:and|but) ", text[tokens[i].end :])
            and (tokens[i + 1].low in ("a", "an", "the") or tokens[i + 1].tag == "MD")
        )
        if (tokens[i].tag not in ("CC", ";", ":") and not series) or tokens[i].low in ("or", "nor"):
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
            shared = (
                after.tag in ("NN", "NNS")
                and "VBZ" in english.readings(after.low)
                and left_clause.tense in ("VBZ", "VBN")
            )
            if shared and not inside and tokens[i].tag == "CC" and len(right_clause.subject.split()) == 1:
                return [left, *_coordinated(front + left_clause.subject + " " + right)]  # "is booked and takes place"
            if not inside or comma:
                short = parse(right)
                loose = not (short and short.helpers) and not comma and short is not None and short.voice == "active"
                unsure = english.readings(short.verb) & {"NN", "NNS", "VBN"} if loose and short else frozenset()
                if short and short.rest and short.rest[0].kind in ("NP", "ADV", "ADJ"):
                    unsure = unsure & {"VBN"}
                if short is not None and not unsure and not re.search(r" (and|or)$|,", short.subject):
                    return [left, *_coordinated(front + right if front else right)]
        if (inside and not comma) or (series and after.tag != "MD"):
            continue
        verb = tokens[i + 2] if after.tag == "RB" and i + 2 < len(tokens) else after
        same = left_clause.helpers[:1]
        if verb.tag in ("MD", "BE", "HV", "DO", "VBZ", "VBD", "VBP"):
            return [left, *_coordinated(front + left_clause.subject + " " + right)]
        if verb.tag == "VBN" and left_clause.voice == "passive" and len(right.split()) > 2:
            return [left, *_coordinated(front + " ".join([left_clause.subject, *left_clause.helpers, right]))]
        if verb.tag == "VB" and same and same[0] in english.MODALS and len(right.split()) > 1:
            return [left, *_coordinated(front + " ".join([left_clause.subject, same[0], right]))]
    return [text]


def proper_words(passage: str) -> frozenset[str]:
    """Words that are names by themselves: capitalised inside a sentence of the passage, with no other name beside."""
    return frozenset(re.findall(r"(?<=[a-z,] )[A-Z][\w-]*(?=[.,;:'\u2019 ](?! ?[A-Z]))", passage))


# --- questions -------------------------------------------------------------------------------------------------------

_COUNT = r"(?:\d[\d.,]*\d|\d|" + "|".join(NUMBER_WORDS) + r")"
_NUM = rf"(?:{_COUNT}|half an?|an?)"
_QUANT = (
    r"(?:at least |at most |up to |about |nearly |almost |(?:no |not )?(?:more|less|fewer) than |a further |over )?"
)
_UNIT = r"(?:business |calendar |working )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?)"
_NUMERAL = re.compile(rf"(?i){_QUANT}{_NUM}\b(?<!\ba)(?<!\ban)")
_DAY, _MONTH = "|".join(english.DAYS).lower(), "|".join(english.MONTHS).lower()
_CLOCK = r"\d{1,2}[:.]\d\d"

# A phrase of time: its pattern, what it tells, question words for training and for the exam ({p} is its preposition,
# {u} its unit), and the beginning of "What is the …" with the clause after it.
_TIMES: list[tuple[str, str, str, str, str]] = [
    (
        rf"(?:only )?within {_QUANT}{_NUM} {_UNIT}",
        "deadline",
        "within how many {u}|within what time|how soon|within what period",
        "within what space of time|how quickly",
        "the period within which",
    ),
    (
        rf"for {_QUANT}(?:the first )?{_NUM} {_UNIT}",
        "duration",
        "how long|for how long|for how many {u}|for what period",
        "for what length of time",
        "the length of time for which",
    ),
    (
        rf"after {_QUANT}{_NUM} {_UNIT}",
        "time",
        "after how many {u}|after how long|after what period",
        "after what length of time",
        "",
    ),
    (
        rf"(?:every|each) (?:{_DAY})|on (?:{_DAY})s?\b|every \w+ (?:{_DAY})",
        "time",
        "on which day|on which day of the week|when",
        "on what day",
        "",
    ),
    (
        rf"(?:every|each) (?:{_NUM} )?(?:{_UNIT}|second|third|other|evening|morning|night)\b",
        "frequency",
        "how often|how frequently|at what interval",
        "with what regularity",
        "",
    ),
    (rf"in (?:{_MONTH}) \d{{4}}", "time", "when|in which month", "at what point in time", ""),
    (
        rf"(?:every|in|each) (?:{_MONTH})\b",
        "time",
        "in which month|in which month of the year|when",
        "in what month",
        "",
    ),
    (
        rf"(?:at most |at least |up to |only )?(?:once|twice|(?:{_NUM}|several) times)\b",
        "frequency",
        "how often|how many times|how frequently",
        "with what frequency",
        "",
    ),
    (
        rf"from {_CLOCK} to ",
        "time",
        "between what hours|during which hours|at what times|when",
        "in which period of the day",
        "",
    ),
    (rf"(?:at|by|before|until|from) {_CLOCK}", "time", "{p} what time|{p} what time of day", "{p} which hour", ""),
    (
        rf"(?:by|before|on|until|from) (?:\d{{1,2}} )?(?:{_MONTH})\b",
        "time",
        "{p} what date|{p} which date",
        "{p} which day of the year",
        "",
    ),
    (r"in (?:1\d|20)\d\d$", "time", "when|in which year|in what year", "in the course of which year", ""),
    (
        r"(?:daily|weekly|monthly|annually|yearly|hourly|quarterly)$",
        "frequency",
        "how often|how frequently",
        "with what regularity",
        "",
    ),
    (r"immediately|on the same day|at once", "deadline", "when|how soon", "how quickly", ""),
]
_COMPILED = [(re.compile(row[0]), row[1:]) for row in _TIMES]

_DEGREES = {
    "older": ("old", "age"),
    "longer": ("long", "length"),
    "higher": ("high", "height"),
    "larger": ("large", "size"),
}
_CONDITIONS = {
    "if": "under what condition|in what case|under what circumstances",
    "when": "when|in what case|under what circumstances",
    "whenever": "when|in what case|under what circumstances",
    "once": "when|under what circumstances",
    "until": "until when|how long",
    "before": "when|at what point",
    "after": "when|at what point",
    "while": "when|at what point",
    "because": "why|for what reason",
    "since": "why|for what reason",
    "so": "why|for what reason",
}
_PERSON = re.compile(
    r"(?i)(?:officer|director|manager|controller|ombudsman|steward|guardian|warden|minister|head|deputy|secretary|master"
    r"|client|customer|person|people|staff|employee|operator|analyst|inspector|auditor|clerk|member|parent|owner|holder"
    r"|maintainer|developer|user|author|administrator|applicant|newcomer|chair|leader|notary|shopper|reviewer|agent"
    r"|team|office|desk|committee|unit|agency|bank|company|department|firm|board|panel|court|laboratory|registry"
    r"|ministry|authority|council|group|bureau|tribunal|organisation|organization|supplier|provider|branch|branches"
    r"|contractor|teacher|official|worker|judge|trustee|chief|president|editor|engineer|packager|sponsor)s?$"
)
_PLACE = re.compile(
    r"(?:in|at) (?:the (?:town|city|capital|port) of )?[A-Z][\w' ]*$"
    r"|(?:in|at) (?i:the|an?) (?:.* )?(?:building|office|branch|cent(?:re|er)|vault|room|studio|college|street|country"
    r"|town|city)\b"
)
_NO_PLACE = re.compile(
    r"(?i)(?:in|on|at|with) (?:the (?:same|presence|end|case|course|form)|accordance|order|case|addition|general|good"
    r"|enough)\b"
)
_ATTACHED = english.word_set("in at under between near above below without inside behind about of over against among")
_PARTICIPLE = re.compile(
    r" (?:given|held|made|taken|kept|sent|written|known|chosen|drawn|used|found|shown|[a-z]+(?:[iuvrs]|at)ed)$"
)
_ASKED_WITH = english.word_set("to with on from into as by through")
_ASKING = english.word_set("ask tell allow require force order invite instruct advise expect")
_NAMING = english.word_set("call name term label entitle")
_LINKING = english.word_set("remain become stay seem appear")
_SILENT = english.word_set("also then however therefore")  # adverbs that tie a sentence to the one before
_DIGITS = english.word_set(
    "digit digits character characters letter letters member members question questions word words"
)


def lowered(noun: str, names: frozenset[str] = frozenset()) -> str:
    """A phrase as it reads inside a sentence: the first letter small unless it begins a name."""
    first, _, rest = noun.partition(" ")
    first = first.split("'")[0]
    small = noun[:1].lower() + noun[1:]
    if first.lower() in english.DETERMINERS | english.PREPOSITIONS | english.SUBORDINATORS | set(NUMBER_WORDS):
        return small
    named = (
        first in names
        or not first.replace("-", "").isalpha()
        or rest[:1].isupper()
        or (len(first) > 1 and first.isupper())
    )
    return small if not named and english.readings(first.split("-")[-1]) else noun


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _timed(text: str) -> tuple[str, list[str], list[str], str] | None:
    """For a phrase of time: its kind, question words for training and for the exam, and its cleft."""
    low = text.lower()
    for pattern, (kind, words, exam, cleft) in _COMPILED:
        if pattern.match(low):
            unit = re.search(rf"{_NUM} ({_UNIT})\b", low)
            fill = {"p": low.split()[0], "u": unit[1].rstrip("s") + "s" if unit else ""}
            return kind, words.format(**fill).split("|"), exam.format(**fill).split("|"), cleft
    return None


def _joined(rest: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    """Join "in …" and the like to the noun phrase before: "the Document Laboratory in Marrowgate"."""
    out: list[Phrase] = []
    for p in rest:
        last = out[-1] if out and out[-1].text and not out[-1].front else None
        belongs = last is not None and (
            (
                (p.kind == "PP" and p.prep.lower() in _ATTACHED and last.kind in ("NP", "PP"))
                and not (_timed(p.text) or _timed(last.text) or _NO_PLACE.match(p.text) or p.text.startswith("in cash"))
            )
            or (last.prep == "from" and p.prep == "to" and re.match(r"to (?:\d|[A-Z])", p.text) is not None)
            or (p.kind == "PP" and last.kind in ("NP", "PP") and _PARTICIPLE.search(last.text) is not None)
            or (p.kind == "ADV" and (p.text == "else" or "VBN" in english.readings(last.text.split()[-1])))
        )
        if belongs and last is not None:
            out[-1] = replace(last, text=f"{last.text} {p.text}")
        else:
            out.append(p)
    return tuple(out)


def _kind_of(noun: str) -> str:
    """The common noun that classes a name: "form" in "Form K-10", "archive system" in "the archive system Alder"."""
    for pattern in (
        r"(?:(?:the|an?|its|their) )?((?:[a-z-]+ )*?[a-z-]+),? (?:called|named|known as) ",
        r"(?:the |an? )?([A-Za-z]+(?: [a-z]+)?) (?:[A-Z]+-?\d[\w-]*|[A-Z]{2,}[\w-]*)$",
        r"the ((?:[a-z-]+ ){0,2}[a-z-]+) (?:[A-Z][\w-]*)(?: [A-Z][\w-]*)*$",
    ):
        found = re.match(pattern, noun)
        if found and not set(found[1].split()) & (english.PREPOSITIONS | english.DETERMINERS):
            return found[1].lower().removeprefix("own ")
    if re.match(r"(?:the |an? )(?:(?:[A-Z][\w'\u2019-]*|of|and|for) ?)+$", noun) and len(noun.split()) > 2:
        head = re.split(r" of | for ", noun)[0].split()[-1]
        if "NN" in english.readings(head):
            return head.lower()
    return ""


def _asked_for(noun: str) -> list[str]:
    """Question words for a person or thing: "who", "which form", "what"."""
    kind, head = _kind_of(noun), head_of(noun)
    if kind:
        return ["who", f"which {kind}"] if _PERSON.search(kind) else [f"which {kind}", f"what {kind}"]
    if _PERSON.search(head) or (
        re.fullmatch(r"(?:[A-Z][a-z]+ )+[A-Z][a-z]+", noun) and not english.readings(noun.split()[-1])
    ):
        return ["who"]
    first, rest = noun.split()[0].lower(), re.sub(r"^(?i:the|an?|every|each) ", "", noun)
    if (
        head.isalpha()
        and head.islower()
        and first not in english.POSSESSIVE
        and "," not in noun
        and " and " not in noun
    ):
        marked = rf"{re.escape(head)} (?:that|which|who|with|without|from|[a-z]+ed)\b|(?:[\w-]+ )+{re.escape(head)}$"
        if re.match(marked, rest):  # the kind alone would not tell which one is meant
            return ["what", f"which {head}"]
    return ["what"]


class _Asker:
    """The questions on one clause: each rule adds those that it can ask to `found`."""

    def __init__(self, clause: Clause, names: frozenset[str]):
        self.c = replace(
            clause, rest=_joined(clause.rest), adverbs=tuple(a for a in clause.adverbs if a not in _SILENT)
        )
        self.names = names
        self.subject = lowered(clause.subject, names)
        self.found: list[Wording] = []

    def but(self, **changes: Any) -> _Asker:
        """The same clause with other adverbs or helpers."""
        return _Asker(replace(self.c, **changes), self.names)

    # the orders of words

    def rest(self, skip: Iterable[Phrase] = (), front: bool = True) -> str:
        left = [p for p in self.c.rest if p not in list(skip)]
        return _words(*(p.text for p in left if not p.front), *(p.text for p in left if p.front and front))

    def verbs(self) -> str:
        """Helpers, adverbs and verb in the order of a statement."""
        c = self.c
        if c.voice == "copula" and not c.helpers:
            return _words(c.verb, *c.adverbs)
        return _words(*c.helpers[:1], *c.adverbs, *c.helpers[1:], c.verb)

    def inverted(self, skip: Iterable[Phrase] = (), soft: bool = False) -> str:
        """Helper, subject, verb and the rest, as it follows a question word; `soft` says "have to" for "must"."""
        c = self.c
        if c.helpers:
            lead, tail = c.helpers[0], [*c.helpers[1:], c.verb]
            if soft and lead == "must":
                lead, tail = "do" if is_plural(c.subject) else "does", ["have to", *tail]
        elif c.voice == "copula":
            lead, tail = c.verb, []
        else:
            lead, tail = {"VBZ": "does", "VBP": "do", "VBD": "did"}[c.tense], [lemma(c.verb)]
        return _words(
            lead, self.subject.rstrip(",") if lead == c.verb else self.subject, *c.adverbs, *tail, self.rest(skip)
        )

    def stated(self, skip: Iterable[Phrase] = ()) -> str:
        return _words(self.subject, self.verbs(), self.rest(skip))

    def in_place(self, p: Phrase, words: str) -> str:
        """The statement with question words where a phrase was: the order that only exam questions use."""
        texts = {True: list[str](), False: list[str]()}
        for q in self.c.rest:
            texts[q.front].append(words if q is p else q.text)
        lead = ", ".join(texts[True]) + "," if texts[True] else ""
        return _words(lead, self.subject, self.verbs(), *texts[False])

    def predicate(self, singular: bool, skip: Iterable[Phrase] = ()) -> str:
        """Verb and rest, as it follows a question word that is the subject."""
        c = self.c
        change = {"are": "is", "were": "was", "have": "has", "do": "does"} if singular else {}
        helpers = tuple(change.get(h, h) for h in c.helpers[:1]) + c.helpers[1:]
        verb = c.verb
        if not helpers:
            verb = change.get(verb, inflect(lemma(verb), "VBZ") if singular and c.tense == "VBP" else verb)
        turned = self.but(helpers=helpers, verb=verb)
        return _words(turned.verbs(), self.rest(skip))

    # collecting

    def add(self, kind: str, answer: str, *questions: str, exam: bool = False) -> None:
        answer = re.sub(r"^then ", "", answer.strip(" ,;:.")).replace("can not ", "cannot ")
        for question in questions:
            text = (
                re.sub(r"\s+([,?])", r"\1", re.sub(r"\s+", " ", question)).strip(" ,;.").replace("can not ", "cannot ")
            )
            self.found.append(Wording(text[:1].upper() + text[1:] + "?", answer, kind, exam))

    def front(self, kind: str, answer: str, words: Iterable[str], skip: Iterable[Phrase], exam: bool = False) -> None:
        self.add(kind, answer, *(f"{word} {self.inverted(skip)}" for word in words), exam=exam)

    # the rules

    def all(self) -> list[Wording]:
        c = self.c
        first = c.rest[0].text if c.rest and not c.rest[0].front else ""
        if c.subject.lower() == "there":
            amount = re.match(rf"(?i){_QUANT}{_NUM} (.+)", first)
            if amount and c.verb == "are":
                self.add("number", first, f"how many {amount[1]} are there", f"what number of {amount[1]} is there")
                self.add("number", first, f"there are how many {amount[1]}", exam=True)
            return self.found
        if c.verb in ("means", "mean") and first:
            said, kind = self.rest(front=False), re.match(r"the ([a-z]+) [\"\u201c]", self.subject)
            self.add("definition", said, f"what does {self.subject} mean", f"what is the meaning of {self.subject}")
            self.add("name", self.subject, f"{'which ' + kind[1] if kind else 'what'} means {said}")
            self.add("definition", said, f"what is to be understood by {self.subject}", exam=True)
            return self.found
        equates = c.voice == "copula" and any(p.kind == "NP" and not p.front for p in c.rest[:2])
        for p in c.rest:
            if p.kind == "SUB":
                self.condition(p)
            elif p.kind == "INF" and (c.voice == "passive" or p.front):
                self.front("why", p.text, ["for what purpose", "why"], [p])
                self.front("why", p.text, ["to what end"], [p], exam=True)
            elif p.text and p.kind not in ("CL", "INF") and not (equates and p.kind in ("PP", "ADV") and not p.front):
                self.phrase(p)
        self.of_subject()
        if c.voice == "copula":
            self.definition()
        self.naming()
        self.location()
        self.yes_no()
        return self.found

    def phrase(self, p: Phrase) -> None:
        """One phrase: asked for by the first rule that knows its kind."""
        if self.time(p) or self.degree(p) or p.kind in ("ADV", "ADJ"):
            return
        c, noun, at = self.c, p.noun, self.c.rest.index(p)
        if not noun or noun.split()[0].lower() in english.PERSONAL | english.RELATIVES | {"this", "these", "what"}:
            return
        if p.front and p.kind != "PP":
            return
        self.quantity(p)
        two = p.kind == "NP" and at + 1 < len(c.rest) and c.rest[at + 1].kind == "NP"  # "costs the bank 1.40 dollars"
        if two or (p.kind == "NP" and c.voice == "copula"):
            return
        if p.prep.lower().split()[-1:] == ["by"] and (c.voice == "passive" or noun.split()[0].endswith("ing")):
            self.agent(p)
        elif p.kind == "PP":
            self.place_or_thing(p)
        else:
            self.object(p)

    def time(self, p: Phrase) -> bool:
        found = _timed(p.text)
        if not found:
            return False
        kind, words, exam_words, cleft = found
        if " and " in p.text:
            if p.kind == "PP":
                self.front(kind, p.text, ["when"], [p])
                self.add(kind, p.text, self.in_place(p, "when"), exam=True)
            return True
        short = (
            p.text
            if "same" in p.text
            else re.sub(
                rf"^(?:[Oo]nly )?(?:within|for|after|in|on|by|at) (?=.*(?:\d|[A-Z]|\b{_NUM}\b|days))", "", p.text
            )
        )
        if self.c.helpers[:1] == ("must",) and not self.c.negated:
            self.add(kind, short, f"{words[0]} {self.inverted([p], soft=True)}")
        for word in words:
            bare = re.sub(r"^(?:every|each) ", "", short) if re.match(r"(?:on|in) which (?:day|month)", word) else short
            self.front(kind, p.text if word in ("how soon", "when") else bare, [word], [p])
        self.front(kind, short, exam_words, [p], exam=True)
        self.add(kind, short, self.in_place(p, words[0]), exam=True)
        if cleft and not self.c.negated:
            self.add(kind, short, f"what is {cleft} {self.stated([p])}")
        return True

    def degree(self, p: Phrase) -> bool:
        """ "must not be older than 40 days": "How old may … be at most?"."""
        found = re.match(rf"(\w+) than ({_NUM} .+)", p.text)
        if (
            not found
            or found[1] not in _DEGREES
            or not (self.c.negated and self.c.helpers and self.c.voice == "copula")
        ):
            return False
        word, measure = _DEGREES[found[1]]
        may = self.but(adverbs=(), helpers=("may", *self.c.helpers[1:]))
        self.add(
            "number",
            found[2],
            f"how {word} {may.inverted([p])} at most",
            f"what is the maximum {measure} of {self.subject}",
        )
        self.add("number", found[2], f"at most how {word} {may.inverted([p])}", exam=True)
        return True

    def quantity(self, p: Phrase | None) -> None:
        """ "How many" for a phrase (None: the subject) that begins with a number, or for "a fine of 75 dollars"."""
        noun = p.noun if p else self.c.subject
        band = re.match(rf"(?i)an? ([\w -]+) of ({_COUNT} to {_COUNT}|{_COUNT} or (?:more|less|higher|lower))$", noun)
        chosen = re.match(rf"(?i)(one of|an? list of) (?:the )?({_COUNT} (.+))$", noun)
        measure = re.match(
            rf"(?i)(an?|the|its) ([\w' -]+?) of ((?:between )?{_QUANT}{_COUNT}(?: and {_COUNT})? "
            r"(?!(?:of|to|or|and)\b)(per cent|[\w-]+\b(?!['\u2019]))(?: (?:per|an?) \w+)?)(.*)$",
            noun,
        )
        amount = re.match(
            rf"(?i)(?:(?:all|only|the|its|their) )?({_QUANT}{_COUNT})\b( per cent| percent|%)?( or (?:more|higher))?"
            r"(?: (of))? ?([a-z][\w-]*.*)?$",
            noun,
        )
        if band and p is None:
            self.add("number", band[2], *(f"{w} {band[1]} {self.predicate(True)}" for w in ("what", "which")))
        elif chosen and p is not None:
            lead = f"{p.prep} {'one of ' if chosen[1].lower() == 'one of' else ''}how many {chosen[3]}"
            self.front("number", chosen[2], [lead], [p])
            self.add("number", chosen[2], self.in_place(p, lead), exam=True)
        elif measure and measure[2].split()[-1] not in ("list", "one", "number"):
            self.measure(p, *measure.groups())
        elif amount and amount[1].lower().split()[-1] != "one" and not (self.c.voice == "copula" and p is not None):
            self.amount(p, noun, *amount.groups())

    def measure(self, p: Phrase | None, article: str, what: str, answer: str, unit: str, after: str) -> None:
        many = f"{article.lower()} {what} of how many {unit}{after}"
        if p is None:
            self.add("number", answer, f"what {what}{after} {self.predicate(False)}")
            self.add("number", answer, f"{many} {self.predicate(False)}" if unit != "per cent" else "")
            return
        if unit == "per cent":
            return
        there = f"the {what}{after} {p.prep + ' which' if p.prep else 'that'} {self.stated([p])}"
        if lemma(self.c.verb) == "have" and not after:
            self.add("number", answer, f"what is the {what} of {self.subject}")
        if re.match(rf"(?i){_UNIT}$", unit):
            self.add("duration", answer, f"how long is {there}", f"how many {unit} long is {there}")
        elif unit in _DIGITS:
            self.add("number", answer, f"how many {unit} does {there} have", f"of how many {unit} is {there}")
        else:
            self.add("number", answer, f"how large is {there}", f"how many {unit} is {there}")
        self.add("number", answer, self.in_place(p, _words(p.prep, many)), exam=True)

    def amount(
        self,
        p: Phrase | None,
        noun: str,
        number: str,
        percent: str | None,
        more: str | None,
        of: str | None,
        things: str | None,
    ) -> None:
        if percent:
            if things and not of:
                return
            words = (
                [f"what percentage of {things}", f"how many per cent of {things}"]
                if of
                else ["what percentage", "how many per cent"]
            )
        elif things and not of and not (p is not None and p.prep and re.match(rf"(?i){_UNIT}\b", things)):
            words = [f"how many {things}", f"what number of {things}"]
        else:
            return
        answer = _words(number, (percent or "").strip(), (more or "").strip())
        if things and not percent:
            answer += " " + re.split(r" (?:of|that|which|who|in|from|for|with|on|at|to) ", things)[0]
        if p is None:
            self.add("number", answer, *(f"{word} {self.predicate(False)}" for word in words))
            if not percent:
                self.add("number", answer, f"what is the number of {things} that {self.predicate(False)}", exam=True)
            return
        if self.c.negated:
            over = re.match(r"(?i)more than (.+)", answer)
            if over and self.c.helpers and not p.prep:
                may = self.but(adverbs=(), helpers=("may", *self.c.helpers[1:]))
                limits = (
                    f"what is the {word} {things} that {may.stated([p])}"
                    for word in ("maximum number of", "limit on the number of")
                )
                self.add("number", over[1], f"how many {things} {may.inverted([p])} at most", *limits)
                self.add("number", over[1], may.in_place(p, f"at most how many {things}"), exam=True)
            elif lemma(self.c.verb) in ("exceed", "pass", "surpass"):
                self.front("number", answer, [f"how many {things}", "which amount"], [p])
                self.add("number", answer, f"what is the limit that {self.stated([p])}")
                self.add("number", answer, self.in_place(p, f"how many {things}"), exam=True)
            return
        stranded = p.prep if p.prep and not self.rest([p]) else ""
        lead = "" if stranded else p.prep
        self.add("number", answer, *(_words(lead, word, self.inverted([p]), stranded) for word in words))
        bound = re.match(r"(?i)(at least|no less than|not less than)|at most|up to|no more than|not more than", number)
        if bound and not p.prep and not percent:
            self.add(
                "number",
                answer,
                f"what is the {'minimum' if bound[1] else 'maximum'} number of {things} that {self.stated([p])}",
            )
        self.add("number", answer, self.in_place(p, _words(p.prep, words[0])), exam=True)

    def agent(self, p: Phrase) -> None:
        """The doer of a passive: "By whom are appeals heard?", and in the active, "Who hears appeals?"."""
        c, noun = self.c, re.split(r" and (?:not )?by ", p.noun)[0]
        first, head, asked = noun.split()[0], head_of(noun), _asked_for(noun)
        bare = first.isalpha() and first.islower() and first not in english.DETERMINERS and not is_plural(noun)
        if first.endswith("ing") or (
            bare and not c.negated and not (_PERSON.search(head) or _NUMERAL.match(noun) or _kind_of(noun))
        ):
            self.front("how", p.text, ["how", "in what way"], [p])
            self.front("how", p.text, ["by what means"], [p], exam=True)
            return
        if _NUMERAL.match(noun):
            return
        words = ["by whom" if word == "who" else f"by {word}" for word in asked]
        self.front("who", noun, words, [p])
        self.add("who", noun, self.in_place(p, words[0]), exam=True)
        lead, tense = c.helpers[0], {"is": "VBZ", "are": "VBZ", "was": "VBD", "were": "VBD"}.get(c.helpers[0])
        if c.negated or (not tense and lead not in english.MODALS):
            return
        active = inflect(lemma(c.verb), tense) if tense else f"{lead} {lemma(c.verb)}"
        if asked[0] == "who" or not is_plural(noun):
            self.add("who", noun, *(_words(word, active, self.subject, self.rest([p])) for word in asked))

    def object(self, p: Phrase) -> None:
        """What the verb is done to. It takes the phrases after it along: "a document with a deliberate fault"."""
        c, noun = self.c, p.noun
        following = c.rest[c.rest.index(p) + 1 :]
        if (
            lemma(c.verb) in _LINKING | _NAMING
            or _NUMERAL.match(noun)
            or (c.verb in ("has", "have", "had") and not self.specific([p]))
        ):
            return
        joined = [p]
        for q in following:
            if q.front or q.kind in ("INF", "CL"):
                if q.kind == "INF" and lemma(c.verb) in _ASKING:
                    self.add("duty", q.text[3:], f"what {self.inverted([q])} to do")
                return
            bare = len(joined) == 1 and " " not in noun  # "access to the system", "effect on the price"
            ties = ("to", "into", "on", "by", "as", "through", "about")
            if q.kind != "PP" or _timed(q.text) or " " in q.prep or (q.prep.lower() in ties and not bare):
                break
            joined.append(q)
        asked = _asked_for(noun)
        self.front("what", " ".join(q.text for q in joined), asked, joined)
        if len(joined) == 1 and " " in noun:
            self.add("what", p.text, self.in_place(p, "whom" if asked[0] == "who" else asked[0]), exam=True)

    def specific(self, skip: Iterable[Phrase] = ()) -> bool:
        """Whether the rest of the clause says enough to ask about: a number, a name, or many words."""
        text = self.stated(skip)
        return bool(re.search(r"\d|(?<=[a-z] )[A-Z]", text)) or len(text.split()) > 7

    def place_or_thing(self, p: Phrase) -> None:
        """A prepositional phrase: "On which form …", "Where …", "With what …"."""
        noun, prep, kind = p.noun, p.prep.lower().split()[-1], _kind_of(p.noun)
        at = self.c.rest.index(p)
        if prep not in english.PREPOSITIONS or (p.front and not kind and prep != "for") or _NO_PLACE.match(p.text):
            return
        after_object = at > 0 and self.c.rest[at - 1].kind == "NP" and not self.c.rest[at - 1].front
        if (
            after_object and (prep not in ("to", "into", "by") or lemma(self.c.verb) == "have") and not kind
        ) or _NUMERAL.match(noun):
            return
        if kind:
            person = _PERSON.search(kind) and prep in ("to", "with", "from", "for")
            words = [f"{prep} whom"] if person else [f"{prep} which {kind}", f"{prep} what {kind}"]
            self.front("name", noun, words, [p])
            self.add("name", noun, self.in_place(p, words[0]), exam=True)
            if not self.c.negated and not _PERSON.search(kind):
                self.add("name", noun, f"what is the {kind} {prep} which {self.stated([p])}")
        if _PLACE.match(p.text):
            self.front("place", p.text, ["where", "in which place"], [p])
            self.front("place", p.text, ["at which place"], [p], exam=True)
            self.add("place", p.text, self.in_place(p, "where"), exam=True)
        elif (
            not kind and p is self.c.rest[-1] and (prep in _ASKED_WITH or (prep == "for" and self.c.voice == "passive"))
        ):
            words = ["whom" if word == "who" else word for word in _asked_for(noun)]
            self.front("what", noun, [f"{prep} {word}" for word in words], [p])
            self.add("what", noun, self.in_place(p, f"{prep} {words[0]}"), exam=True)

    def condition(self, p: Phrase) -> None:
        """ "When …" for a condition, and "What happens if …" for what follows from it."""
        c, (first, _, inner) = self.c, p.text.partition(" ")
        low = first.lower()
        only = [q for q in c.rest if q.kind == "ADV" and q.text.lower() in ("only", "even")]
        if low not in _CONDITIONS or (only and c.negated):
            return
        kind = "why" if _CONDITIONS[low].startswith("why") else "condition"
        self.front(kind, p.text, _CONDITIONS[low].split("|"), [p, *only])
        exam_words = (
            "for what cause"
            if kind == "why"
            else "at which moment"
            if low in ("before", "after", "until", "while")
            else "in which situation"
        )
        self.front(kind, p.text, [exam_words], [p, *only], exam=True)
        if not p.front or kind == "why" or low in ("until", "before", "after", "while"):
            return
        outcome, told = _words(self.subject, self.verbs(), self.rest([p])), f"{low} {inner}"
        self.add(kind, outcome, f"what happens {told}", f"{told}, what happens", f"what is the consequence {told}")
        self.add(kind, outcome, f"what follows {told}", exam=True)
        if c.voice == "active" and not c.negated:
            modal = bool(c.helpers) and c.helpers[0] in english.MODALS
            answer = _words(*c.helpers[1:], c.verb, self.rest([p]))
            lead = c.helpers[0] if modal else {"VBZ": "does", "VBP": "do", "VBD": "did"}.get(c.tense, "")
            if modal or (lead and not c.helpers and lemma(c.verb) != "have"):
                self.add("duty", answer, f"what {lead} {self.subject} do {told}")

    def of_subject(self) -> None:
        """ "Who …", "What …" and "Which form …" for the subject; "What happens to …" where it holds a condition."""
        c, noun = self.c, self.subject.rstrip(",")
        self.quantity(None)
        named = re.search(r" (?:who|that|which|whose|with|without) ", noun) and not re.match(
            r"(?:the|no|not|\w+ other) ", noun
        )
        many = is_plural(noun)
        if named and c.voice == "passive" and not c.negated:
            theirs = many or _PERSON.search(head_of(noun)) is not None
            outcome = re.sub("^is ", "are ", self.predicate(False)) if theirs else self.predicate(False)
            self.add("condition", f"{'they' if theirs else 'it'} {outcome}", f"what happens to {noun}")
            self.add("condition", f"{'they' if theirs else 'it'} {outcome}", f"what becomes of {noun}", exam=True)
        elif named and c.voice == "active" and c.helpers and c.helpers[0] in english.MODALS:
            answer = _words(*c.helpers[1:], c.verb, self.rest())
            self.add(
                "duty",
                answer,
                f"what {c.helpers[0]} {noun} {' '.join(a for a in c.adverbs if a in ('not', 'never'))} do",
            )
        content = [word for word in self.predicate(True).split() if len(word) > 3]
        thin = len(content) < 3 and not re.search(r"\d|[A-Z]", " ".join(content))
        if c.voice == "copula" or thin or not self.specific() or noun.lower() in english.PERSONAL:
            return
        if re.match(r"(?:no|neither|not|all|some|only|more than|most|one|none) ", noun):
            return
        asked = _asked_for(noun)
        kind = "who" if asked[0] == "who" else "what"
        for word in asked:
            self.add(kind, noun, f"{word} {self.predicate(word in ('who', 'what') or not many)}")
        lead = f"{kind} is it that" if not many else f"{kind} are they that"
        self.add(kind, noun, f"{lead} {self.predicate(not many)}", exam=True)

    def definition(self) -> None:
        """ "X is a …": what X is, what it is called, and who holds a post."""
        c, noun = self.c, self.subject.rstrip(",")
        inner = [p for p in c.rest if not p.front]
        if not inner or c.negated or c.helpers:
            return
        said, was, head = self.rest(front=False), c.verb, head_of(noun)
        if inner[0].kind == "INF":
            self.add("what", said, f"what {was} {noun}")
        elif inner[0].kind in ("NP", "ADJ") and _NUMERAL.match(said) and not re.match(r"(?i)an? ", said):
            much = "what percentage" if "cent" in said else "how much"
            self.add("number", said, f"what {was} {self.inverted(inner)[len(was) :]}", f"{much} {self.inverted(inner)}")
            self.add("number", said, f"{noun} {was} {much}", exam=True)
        elif inner[0].kind == "NP":
            name = re.fullmatch(r"(?:[A-Z][\w'-]+ )+[A-Z][\w'-]+", said) and (
                _PERSON.search(head) or not english.readings(said.split()[-1].lower()) & {"NN"}
            )
            if noun.startswith("the ") and (
                name or re.match(r"[A-Z\"\u201c]|the [A-Z]", said) or re.search(r"\d", said)
            ):
                if name or _PERSON.search(head):
                    self.add("name", said, f"who {was} {noun}", f"what is the name of {noun}")
                    self.add(
                        "who", noun, f"what post does {said} hold", f"what is the role of {said}", f"who is {said}"
                    )
                    self.add("name", said, f"which person is {noun}", exam=True)
                    self.add("who", noun, f"what position is held by {said}", exam=True)
                else:
                    self.add("name", said, f"what {was} {noun}")
                    self.add("what", noun, f"what {was} {said}")
                    self.add("name", said, f"{noun} {was} what", exam=True)
                return
            word = "who" if noun[0].isupper() and _PERSON.search(head_of(said)) else "what"
            self.add("definition", said, f"{word} {was} {noun}")
            term = re.match(r"an? (.+)", noun)
            if term:
                self.add("definition", said, f'what is meant by "{term[1]}"', f'what does the term "{term[1]}" mean')
                self.add("definition", said, f"how is {noun} defined")
                self.add("definition", said, f"what should one understand by {noun}", exam=True)
                if re.match(r"(?i)(?:an?|any) ", said):
                    self.add("name", noun, f"what is the term for {said}")
            elif not is_plural(noun):
                self.add("definition", said, f"what kind of thing {was} {noun}", exam=True)

    def naming(self) -> None:
        """ "What is … called?", from a verb of naming or a phrase such as "a bulletin called The Plumb Line"."""
        c, noun = self.c, self.subject.rstrip(",")
        if c.voice == "passive" and c.verb in ("called", "named") and c.rest:
            name = c.rest[0].text
            self.add(
                "name", name, f"what is {noun} called", f"what name is given to {noun}", f"what is the name of {noun}"
            )
            self.add("name", name, f"by what name does {noun} go", exam=True)
            self.add("definition", noun, f"what is {name}")
            self.add("definition", noun, f"to what does the name {re.sub('^the ', '', name)} refer", exam=True)
        for p in [None, *c.rest]:
            text = p.noun if p else c.subject
            found = re.search(
                r"(?:^|(?<= ))((?:the|an?|its|their) )(?:own )?((?:[\w'-]+ ){0,5}?[\w'-]+),? (?:called|named|known as) "
                r"((?:the |an? )?(?:[A-Z][\w'-]*(?: (?:of |and |the )?[A-Z][\w'-]*)*|[a-z]+ [a-z]+$))",
                text,
            )
            if found:
                which = f"{p.prep} which" if p and p.prep else "that"
                if " " in found[2]:
                    self.add("name", found[3], f"what is the {found[2]} called", f"what name does the {found[2]} have")
                    self.add("name", found[3], f"by what name is the {found[2]} known", exam=True)
                if p and text.startswith(found[0].lstrip()):
                    self.add("name", found[3], f"what is the name of the {found[2]} {which} {self.stated([p])}")
                self.add("definition", found[1] + found[2], f"what is {found[3]}")

    def location(self) -> None:
        """ "Where is …?" for a name with its place: "the Document Laboratory in Marrowgate"."""
        for text in [self.c.subject, *(p.noun for p in self.c.rest)]:
            found = re.search(r"\b(the (?:[A-Z]\w+ ?)+|the [a-z]+ (?:[a-z]+ )?)(in|at) ([A-Z]\w+(?: [A-Z]\w+)*)$", text)
            if found and found[3] not in english.MONTHS and not set(found[1].split()) & english.PREPOSITIONS:
                thing = found[1].strip()
                self.add(
                    "place",
                    found[3],
                    f"where is {thing}",
                    f"{found[2]} which place is {thing}",
                    f"where is {thing} located",
                )
                self.add("place", found[3], f"in what location is {thing}", exam=True)

    def yes_no(self) -> None:
        c = self.c
        if not c.negated and c.helpers[:1] in (("may",), ("can",)):
            if not re.search(r"\b(?:only|no more|at most|up to)\b", self.stated()):
                self.add("yesno", f"Yes, {self.stated()}", self.inverted())
        elif {"not", "never"} & set(c.adverbs) and (c.helpers or (c.voice == "copula" and self.rest())):
            plain = self.but(adverbs=tuple(a for a in c.adverbs if a not in ("not", "never")))
            self.add("yesno", f"No, {self.stated()}", plain.inverted())

    def listed(self, items: str) -> None:
        """For "there are three classes: low, standard and high": "What are the three classes?"."""
        c, items = self.c, items.rstrip(".")
        first = c.rest[0].text if c.rest else ""
        if c.subject.lower() == "there":
            self.add("what", items, f"what are the {first}", f"which {first} are there")
            self.add("what", items, f"which are the {first}", exam=True)
        elif c.subject.lower().startswith("the following "):
            self.c, self.subject = replace(c, subject=c.subject[14:]), self.subject[14:]
            self.add("what", items, *(f"{word} {self.subject} {self.predicate(False)}" for word in ("which", "what")))
            self.add("what", items, f"which are the {self.subject} that {self.predicate(False)}", exam=True)
        elif _NUMERAL.match(c.subject):
            self.add("what", items, f"which {self.subject} {self.predicate(False)}")
            self.add("what", items, f"what are the {self.subject} that {self.predicate(False)}")
        elif _NUMERAL.match(first) and lemma(c.verb) == "have":
            self.add(
                "what", items, f"what are the {first} of {self.subject}", f"which {first} does {self.subject} have"
            )
            self.add("what", items, f"which are the {first} of {self.subject}", exam=True)

    def buried(self, text: str) -> None:
        """For a number deep inside a sentence that no rule has asked for: the sentence with "how many" in its place."""
        short = " | ".join(w.answer for w in self.found if len(w.answer.split()) < 8)
        for found in re.finditer(
            rf"(?i)(?<![\w-])(?<!to )({_COUNT}) (?!of\b|and\b|or\b|to\b|is\b|are\b)(per cent|[a-z][\w-]+)", text
        ):
            if found[1].lower() == "one" or re.search(rf"(?<!\w){re.escape(found[1])}(?!\w)", short):
                continue
            before, after = text[: found.start()], text[found.end() :].rstrip(".")
            adjective = re.match(r" ([a-z-]+)", after)
            answer = found[0]
            if adjective and "JJ" in english.readings(found[2]) and "NNS" not in english.readings(found[2]):
                answer += adjective[0]
            many = "what percentage" if found[2] == "per cent" else f"how many {found[2]}"
            self.add("number", answer, lowered(before + many + after, self.names))


def wordings(fact: Fact, names: frozenset[str] = frozenset()) -> tuple[Wording, ...]:
    """Every question that the rules can ask about a fact, without repeats. `names` are words that stay capitalised."""
    return _wordings(fact.text, fact.section, names or proper_words(fact.text))


@lru_cache(maxsize=20_000)
def _wordings(text: str, section: str, names: frozenset[str]) -> tuple[Wording, ...]:
    text = re.sub(r" [a-z]+(?:ed|de|en) (?:with|by|in|on|for) (?:this|these|that|those|such) [a-z]+(?=[.,])", "", text)
    text, _, items = text.partition(": ")
    clause = parse(text)
    if clause is None or clause.subject.lower() in english.PERSONAL - {"there"} or not _readable(clause):
        return ()
    asker = _Asker(clause, names)
    if items:
        asker.listed(items)
    if not asker.found or not clause.subject.lower().startswith("the following "):
        asker.all()
        asker.buried(text)
    found: dict[str, Wording] = {}
    for wording in (_anchored(w, section) for w in asker.found):
        if _sound(wording):
            found.setdefault(wording.question, wording)
    return tuple(found.values())


# --- what is left out ------------------------------------------------------------------------------------------------

_THIN = (
    english.DETERMINERS
    | english.PREPOSITIONS
    | english.SUBORDINATORS
    | english.MODALS
    | english.BE
    | english.HAVE
    | english.DO
    | english.PERSONAL
    | english.QUESTION_WORDS
    | english.RELATIVES
    | english.ADVERBS
    | english.word_set("long soon often much number period time times maximum minimum length happens case condition")
)
_BARE = re.compile(
    rf"\b[Tt]he (?:{'|'.join(sorted(_VAGUE))})\b(?! (?:of|that|which|who|for|between|called|known|on)\b)"
    r"(?= (?:[a-z]+(?:ed|s)|kept|held|made|sent|given|written|taken|shown|found|be|have|must|may|can|should|to|in|at"
    r"|with|from|by|is|are|was|not|only)\b|[,?])"
)


def _surely_plural(noun: str) -> bool:
    """Whether a subject's head is a plural and nothing else: with a singular verb, the clause was read wrongly."""
    head = head_of(noun)
    return head.islower() and "NNS" in english.readings(head) and not english.readings(head) & {"NN", "VBZ"}


def _readable(clause: Clause) -> bool:
    """Whether a clause looks rightly read: a subject of a fair length that begins and ends like one."""
    words = clause.subject.split()
    low = [word.lower() for word in words]
    first = english.readings(low[0])
    dangling = (english.PREPOSITIONS | english.DETERMINERS | {"and", "or", "that", "which", "who"}) - {"all"}
    return (
        len(words) <= 16
        and low[0] not in english.SUBORDINATORS | english.QUESTION_WORDS | _NO_SUBJECT
        and (low[0] not in english.PREPOSITIONS | {"not"} or _NUMERAL.match(clause.subject) is not None)
        and low[-1].strip(",") not in dangling | (english.PERSONAL - {"there"})
        and not (
            clause.tense == "VBZ" and not clause.helpers and clause.voice == "active" and _surely_plural(clause.subject)
        )
        and not {"if", "when", "because", "unless"} & set(low)
        and not (low[0] not in english.DETERMINERS and first and first <= {"VBN", "VBG", "RB"})
        and not any(
            p.front and p.kind == "SUB" and (p.text + " x").split()[1] in english.PERSONAL - {"there"}
            for p in clause.rest
        )
    )


def _anchored(w: Wording, section: str) -> Wording:
    """A question that would leave open whose list, test or visit it means opens with the section, or is dropped."""
    content = [x for x in re.findall(r"[\w-]+", w.question)[1:] if x.lower() not in _THIN and not x[0].isupper()]
    marked = len(content) > 2 or re.search(r"\d|\w [A-Z]|\"", w.question)
    if not _BARE.search(w.question) and (marked or (len(content) == 2 and " the " not in w.question)):
        return w
    if not section or section in w.question or not w.question[:1]:
        return replace(w, question="")
    clause = re.match(r"(?i)(?:how|when|where|what|why|who|if|before|after)\b", section)
    place = f'"{section}"' if clause or not re.fullmatch(r"[\w' -]+", section) else f"on {lowered(section)}"
    return replace(w, question=f"In the section {place}, {w.question[0].lower()}{w.question[1:]}")


_BROKEN = re.compile(
    r"(?i)\bthe (?:others?|former|latter)(?: (?:must|may|can|should|is|are|was|has|have|do|does|two|one)\b|\?)"
    r"|\b(?:this|these|those|such|following)\b|\b(?:above|below)\b(?! (?:the|an?|\d))"  # points outside
    r"|^\S+ \S+ (?:it|they|he|she|them)\b|\b(?:for|with|to|in|of|by) (?:them|him|it)[ ,]"
    r"|(?<!\d):|:(?!\d)|[;(){}\[\]|¶\\]|(?<!\S)[*`](?!\S)|\w\. \w"  # is not one plain sentence
    r"|\b(?:by|of|in|to|with|for|and|or|that), |\b(?:and|or|but|,)\?$|\b(\w+) \1\b"
)


def _sound(w: Wording) -> bool:
    """Whether a question looks whole: no reference to the outside, no broken end, an answer of a fair length."""
    return (
        0 < len(w.answer.split()) <= 30
        and 3 <= len(w.question.split()) < 45
        and not _BROKEN.search(w.question)
        and w.question.count('"') % 2 == 0
        and w.answer.lower() not in english.PERSONAL
        and not re.search(r"[\u2014\u2013-]$|^\w+, \w+$|\bthe (?:first|second|other|same|following)$", w.answer)
        and not re.match(r"(?i)(?:and|or|but)\b", w.answer)
        and not (w.kind == "duty" and re.search(r"\b(?:it|them)$", w.answer))
    )
