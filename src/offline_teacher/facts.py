"""Passages into facts: sentences that each say one thing and stand alone.

sentences(passage)    prose only, each with its section
plain(sentence)       without Markdown, links and an opening "However,"
split_clauses()       coordinated clauses, ", which …" and appositions as sentences of their own
facts(passage)        all of this, in the passage's order
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .blocks import blocks, defined, listed, tabled
from .clauses import Clause, front_end, main_verb, parse
from .doubt import readable
from .english import NOUNS, capital, data, pattern, readings, words
from .grammar import whole
from .memory import Memory
from .tagging import Token, tag


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence or one clause as a sentence of its own, the heading above it, and what it was made of, as that stands.

    `local` are the things that its section has introduced before it, each by its noun.
    """

    text: str
    section: str
    source: str
    local: frozenset[str] = frozenset()


@lru_cache(maxsize=512)
def facts(passage: str, place: str = "") -> tuple[Fact, ...]:
    """The facts of a passage in its order, each a sentence that stands alone as far as the rules can make it.

    `place` names the section of the sentences that stand below no heading.
    """
    found: dict[str, Fact] = {}
    section, memory = None, Memory()
    for sentence in statements(passage):
        if sentence.section != section:
            section, memory = sentence.section, Memory()
        for text in split_clauses(memory.resolve(plain(sentence.text))):
            text = memory.resolve(text)
            known = frozenset(memory.local)
            memory.learn(text)
            if not _loose(text):
                found.setdefault(text, Fact(capital(text), sentence.section or place, sentence.source, known))
    return tuple(found.values())


def _loose(text: str) -> bool:
    """Whether a sentence points outside itself, or is no sentence of English prose."""
    return pattern("<loose>").search(text) is not None or len(re.findall(r"[A-Za-z\s]", text)) < 0.7 * len(text)


# --- sentences -------------------------------------------------------------------------------------------------------


def sentences(passage: str) -> list[Fact]:
    """The sentences of a Markdown passage, in order. Code, tables, quotes of HTML and headings are left out."""
    texts = [(text, block.section) for block in blocks(passage) for text in (block.text, *block.items)]
    return [sentence for text, section in texts for sentence in _split(text, section)]


def statements(passage: str) -> Iterator[Fact]:
    """The sentences, and what lists, tables and definitions say, as sentences."""
    for block in blocks(passage):
        joined = listed(block)
        yield from _split(block.text if not joined else block.text.rpartition(". ")[0], block.section)
        yield from (Fact(text, block.section, "\n".join(block.raw)) for text in joined)
        for item in block.items:
            if term := defined(item):
                yield Fact(term, block.section, item)
            elif not joined and not _CONDITIONAL.search(block.text):
                yield from _split(item, block.section)
        yield from (Fact(text, block.section, row) for text, row in tabled(block))


# A line before a list whose items say no more than what may be: "if any of these is so:".
_CONDITIONAL = re.compile(r"(?i)\b(?:if|when|unless|conditions?|examples?|such as|either|one of|any of)\b[^.]*:$")


def _split(text: str, section: str) -> Iterator[Fact]:
    start = 0
    abbreviation = pattern(r"(?:\b<abbreviations>|\b[A-Z])\.$")
    ends = r"[.!?][\"\u201d\u2019)\]]*(?=\s+[\"\u201c\u2018(]?[A-Z0-9`*])|[.!?][\"\u201d\u2019)]*$"
    for match in re.finditer(ends, text):
        piece = text[start : match.end()].strip()
        quoted = piece.count('"') % 2 or piece.count("\u201c") != piece.count("\u201d")
        if quoted or abbreviation.search(piece) or piece.endswith("..."):
            continue
        if len(piece.split()) > 2:
            yield Fact(piece, section, piece)
        start = match.end()


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """A sentence without Markdown emphasis, links and footnote numbers, and without an opening "However,"."""
    for unwanted, instead in data()["cleaned"]:
        text = pattern(unwanted).sub(instead, text)
    opened = pattern(r"^<openers>,? (?!of\b)(?=[A-Za-z`])").sub("", text)
    return capital(opened) if opened != text else text


# --- clauses into sentences ------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def split_clauses(sentence: str) -> tuple[str, ...]:
    """A sentence as simple sentences: coordinated clauses, ", which …" and appositions become their own."""
    text, extra = _lift(sentence.strip())
    pieces = _coordinated(text.rstrip("."))
    if not all(map(parse, pieces)):
        pieces = [text]
    pieces = [_first_whole(piece) for piece in pieces]
    pieces += [piece for item in extra for piece in _coordinated(item.rstrip(".")) if parse(piece)]
    pieces = [piece.strip(" ,;") for piece in pieces]
    return tuple(piece if piece.endswith((".", "?", "!")) else piece + "." for piece in pieces)


def _first_whole(text: str) -> str:
    """The first of two deeds where both together cannot be read: "is kept for a year and then move to the vault"."""
    if whole(text.partition(": ")[0]):
        return text
    for cut in re.finditer(r",? and then |, and ", text):
        if re.search(r", [^ ,]+(?: [^ ,]+)?$", text[: cut.start()]):
            continue  # "to rafts, ferries | and boats that burn oil"
        if whole(text[: cut.start()]) and parse(text[: cut.start()]) is not None:
            return text[: cut.start()]
    return text


def _lift(text: str) -> tuple[str, list[str]]:
    """Take out ", who …", ", which …" and ", a …" after a noun phrase; return the rest and the new sentences."""
    kept: list[str] = []
    tokens = tag(text)
    for i in range(1, len(tokens) - 2):
        begin = _noun_start(tokens, i) if tokens[i].tag == "," else i
        if begin == i or tokens[begin].low == "of":
            continue
        end = next((j for j in range(i + 1, len(tokens)) if tokens[j].tag in (",", ";", ".", ":")), len(tokens))
        noun = text[tokens[begin].start : tokens[i].start]
        found = _relative(text, tokens, noun, i, end) if _is_told(tokens, begin, i) else ""
        if not found and _in_apposition(tokens, begin, i, end):
            said = f"{noun} is {text[tokens[i + 1].start : tokens[end - 1].end]}"
            if tokens[i + 1].low in ("a", "an"):
                found = said
            else:
                kept.append(said)  # a post and its holder: both stay where they are
        if found:
            after = text[tokens[end].start :] if end < len(tokens) and tokens[end].tag != "." else "."
            rest, more = _lift(text[: tokens[i].start] + after)
            return rest, [*kept, found, *more]
    return text, kept


def _noun_start(tokens: Sequence[Token], end: int) -> int:
    """Where the noun phrase before `end` begins."""
    begin = end
    while begin and (tokens[begin - 1].tag in (*NOUNS, "NP", "JJ", "DT", "CD") or tokens[begin - 1].low == "of"):
        begin -= 1
        if tokens[begin].tag == "DT" and (begin == 0 or tokens[begin - 1].low != "of"):
            break
    return begin


def _is_told(tokens: Sequence[Token], begin: int, end: int) -> bool:
    """Whether a noun phrase is one thing or name that can be spoken of again, or all of a kind as the subject."""
    return begin == 0 or tokens[begin].tag in ("DT", "NP") or tokens[end - 1].tag in ("NP", "CD")


def _relative(text: str, tokens: Sequence[Token], noun: str, comma: int, end: int) -> str:
    """The sentence in ", who …" or ", which …" about a noun, or ""."""
    first = comma + 2
    if tokens[comma + 1].low not in ("who", "which") or tokens[comma + 1].tag != "REL":
        return ""
    if noun.startswith("`") or noun.split(" ")[0].lower() in ("each", "every", "any"):
        return ""
    verb = main_verb(tokens, first)
    if verb is None or verb >= end:
        return ""
    if verb == first or tokens[first].tag == "RB":
        return f"{noun} {text[tokens[first].start : tokens[end - 1].end]}"
    if verb + 1 < end and parse(text[tokens[first].start : tokens[end - 1].end]) is not None:
        head = text[tokens[first].start : tokens[verb].end]
        return f"{head} {noun} {text[tokens[verb + 1].start : tokens[end - 1].end]}"
    return ""


def _in_apposition(tokens: Sequence[Token], begin: int, comma: int, end: int) -> bool:
    """Whether what stands between commas tells what the noun before is: "Ada Winter, a clerk," but no list."""
    after, inner = tokens[comma + 1], tokens[comma + 1 : end]
    closing = tokens[end].tag if end < len(tokens) else ""
    further = tokens[min(end + 1, len(tokens) - 1)]
    more = further.tag in ("DT", "NN", "NP") or further.low == "or" or (further.tag == "CC" and len(inner) == 1)
    if (closing == "," and more) or any(t.tag == "," for t in tokens[max(0, begin - 2) : begin]):
        return False
    if after.low in ("a", "an"):
        measures = any(t.low in words("measures") for t in inner[1:4])  # "to Castle Hay, a distance of 47 miles"
        return tokens[comma - 1].tag == "NP" and not measures
    proper = "NP" in (tokens[comma - 1].tag, tokens[end - 1].tag)
    if len(inner) == 1 and not after.text.istitle():
        return False  # "the LOCK, WAIT"
    single = not any(t.tag in ("CC", "BE", "MD", "VBZ", "HV") for t in inner)
    return proper and single and after.tag in ("DT", "NP") and tokens[begin].low == "the"


def _coordinated(text: str) -> list[str]:
    """Split at ";", ", and" and "and" where both sides have a verb; a shared subject or condition is repeated."""
    tokens = tag(text)
    if not tokens or tokens[0].low in words("no_subject"):
        return [text]  # an order: "See the guide for details, and …"
    if parse(text) is None and not any(t.tag == ";" for t in tokens):
        return [text]
    at = front_end(tokens)
    front = text[: tokens[at].start] + ", " if at and tokens[0].tag == "SUB" else ""
    main = main_verb(tokens, at) or 0
    for i in range(max(at + 1, main, 2), len(tokens) - 1):
        left, right = text[: tokens[i].start].rstrip(" ,"), text[tokens[i + 1].start :]
        clause = parse(left) if _joins(text, tokens, i) else None
        second = _second(tokens, i, main, clause, left, right) if clause else ""
        if second:
            return [left, *_coordinated(front + second)]
    return [text]


def _joins(text: str, tokens: Sequence[Token], i: int) -> bool:
    """Whether a token may stand between two clauses."""
    name, before, after = tokens[i].tag, tokens[i - 1], tokens[i + 1]
    if name == ",":  # in a series: "opens the box, must count the keys, and …"
        another = re.search(r", (?:and|but) ", text[tokens[i].end :])
        return bool(another) and (after.low in ("a", "an", "the") or after.tag == "MD")
    if name == ":":
        right = text[after.start :]
        return re.match(r"(?i)(the|an?|there) ", right) is not None and parse(right) is not None
    if name == "CC":
        return tokens[i].low not in ("or", "nor") and not before.tag == after.tag == "CD"  # "between 11 and 99"
    return name == ";"


def _second(tokens: Sequence[Token], i: int, main: int, left: Clause, said: str, right: str) -> str:
    """The clause after a joining token as a sentence, with the subject and helper that it shares, or ""."""
    after, name = tokens[i + 1], tokens[i].tag
    inside = any(t.tag in ("SUB", "REL") for t in tokens[main + 1 : i])
    comma = tokens[i - 1].tag == "," or name in (";", ":", ",")
    if "only" in left.adverbs and any(t.tag == "SUB" for t in tokens[i + 1 :]):
        return ""  # "is only run, and only stopped, if …": the condition belongs to both
    own = parse(right)
    if own is not None and after.tag in ("DT", "NN", "NNS", "NP", "PRP", "JJ", "CD"):
        shared = after.tag in ("NN", "NNS") and "VBZ" in readings(after.low) and left.tense in ("VBZ", "VBN")
        shared = shared and own.voice == "active" and not own.helpers
        if shared and not inside and name == "CC" and len(own.subject.split()) == 1:
            return f"{left.subject} {right}"  # "is booked and takes place"
        if (comma or not inside) and _stands_alone(own, comma) and readable(own) and readable(left) and whole(said):
            return right  # but not "the builds for ships, rafts | and boats include …"
    shared_modal = after.tag == "MD" and left.helpers[:1] == (after.low,)  # "must ask where it is and must write"
    if (inside and not comma and not shared_modal) or (name == "," and after.tag != "MD"):
        return ""
    if name == "CC" and not left.rest and left.voice == "active" and after.tag in ("VB", "VBZ", "VBP", "VBD"):
        return ""  # "may request and receive nine barrels": both have one object
    verb = tokens[i + 2] if after.tag == "RB" and i + 2 < len(tokens) else after
    if verb.tag in ("MD", "BE", "HV", "DO", "VBZ", "VBD", "VBP"):
        return f"{left.subject} {right}"
    if verb.tag == "VBN" and left.voice == "passive" and len(right.split()) > 2:
        return " ".join([left.subject, *left.helpers, right])
    if verb.tag == "VB" and left.helpers and left.helpers[0] in words("modals") and len(right.split()) > 1:
        return f"{left.subject} {left.helpers[0]} {right}"
    return ""


def _stands_alone(clause: Clause, comma: bool) -> bool:
    """Whether a clause after "and" surely has its own subject and verb."""
    if re.search(r" (and|or)$|,", clause.subject):
        return False
    if comma or clause.helpers or clause.voice != "active":
        return True
    object_follows = bool(clause.rest) and clause.rest[0].kind in ("NP", "ADV", "ADJ")
    return not readings(clause.verb) & ({"VBN"} if object_follows else {"NN", "NNS", "VBN"})


def proper_words(passage: str) -> frozenset[str]:
    """Words that are names by themselves: capitalised inside a sentence of the passage, with no other name beside."""
    return frozenset(re.findall(r"(?<=[a-z,] )[A-Z][\w-]*(?=[.,;:'\u2019 ](?! ?[A-Z]))", passage))
