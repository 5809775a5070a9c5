"""What a document is called, and what a corpus is about: told from titles and headings, by rules.

An outline is a short noun phrase that can stand after "In …,": `Declaring relationships between packages`; where the
title is none, it is quoted: `the document "How to install"`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from ..matching import word_list
from ..records import Document, grouped

LONGEST = 10  # words of an outline
SAMPLE = 20_000  # characters of a document that show how its words are written
CONTENDERS = 6  # words that most titles and headings have, among which a name goes first
TITLES = 12  # of a corpus that are listed in its outline

# Before the numeral of a chapter stands its kind; a letter or a Roman numeral counts in capitals only.
_NUMBERING = re.compile(
    r"^(?i:chapter|section|appendix|annex|part|lesson|unit|module|\u00a7)\s*(?:\d+(?:\.\d+)*|[IVXLC]+|[A-Z])\b[.:)]?\s*"
    r"|^(?:\d+|[A-Z])(?:\.\d+)+[.)]?\s+|^\d{1,3}[.)]\s+|^0\d+[\s_-]+"
)
_VERSION = re.compile(r"[\s,(]+(?:v\.?|version|release|rev\.?|revision)\s*\d+(?:\.\d+)+\w*\)?$", re.IGNORECASE)
_PIECES = re.compile(r"\s+(?:[|/\u2013\u2014\u00b7\u00bb-]|::)\s+|:\s+")
_SUFFIX = re.compile(
    r"\.(?:docx?|pptx?|xlsx?|odt|rtf|pdf|html?|md|markdown|txt|rst|adoc|tex|org|csv|tsv|ipynb|epub)$", re.IGNORECASE
)
_PARTS = re.compile(  # what a document may be of another: they are named with it
    r"(?:abstract|changelog|(?:table of )?contents|faq|glossary|index|introduction|licen[cs]e|overview|preface|readme"
    r"|references|summary|(?:chapter|section|appendix|annex|part|lesson|unit|module) (?:\d+|[ivxlc]+|[a-z]))",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"(?:about|background|home(?: page)?|main page|notes?|search|welcome)"
    r"|(?:untitled|new|unnamed)(?: document| page)?|(?:document|presentation|slide|page) ?\d*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"(?:{'|'.join(word_list('asks'))})\b|.*\b(?:is|are|was|were|has|have|can|must|should|does)\b", re.IGNORECASE
)
_ORDERS = re.compile(  # a bare verb before what it is done to, or one that is hardly ever a noun
    r"(?:[A-Z][a-z]+(?<!ing)(?<!ed) (?:a|an|the|all|any|your|this|these|its|up) "
    rf"|(?:{'|'.join(word_list('orders'))}|attempt to) (?!and\b|or\b))",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*#*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"\S*(?:\w[_/.:]\w|[a-z][A-Z]|\d[a-z]|[a-z]\d)\S*|[a-z\d]+(?:-[a-z\d]+)+")
_SMALL = frozenset(word_list("small_words"))


@dataclass(frozen=True)
class _Title:
    """A title in its pieces, `X | Site` in two, as plain words; the whole of it for where a piece is not enough."""

    document: Document
    whole: str
    pieces: tuple[str, ...]


def outlines(documents: Sequence[Document], about: str = "") -> dict[str, str]:
    """The outline of each document, by its id; `about` is the corpus's domain, which places a mere "Introduction"."""
    titles = [_title(document) for document in documents]
    count = Counter(piece.lower() for title in titles if len(title.pieces) > 1 for piece in set(title.pieces))
    short = [_outline(title, count, about) for title in titles]
    taken = Counter(short)
    return {
        title.document.id: found if taken[found] == 1 else _longer(title, found)
        for title, found in zip(titles, short, strict=True)
    }


def corpus_outline(titles: Sequence[str], domain: str = "") -> str:
    """One line on a whole corpus: its domain and what its documents are called."""
    plain = [re.sub(r'^the document "(.*?)"', r"\1", title) for title in dict.fromkeys(titles)]
    more = f"; and {len(plain) - TITLES} more" if len(plain) > TITLES else ""
    listed = "; ".join(plain[:TITLES]) + more
    return listed if len(plain) == 1 or not domain else f"{domain}: {listed}"


def domain_of(documents: Sequence[Document]) -> str:
    """A few words for what the documents share; empty where nothing tells.

    That is the word or phrase that most of their titles and headings have; a name counts double and takes the words
    that mostly follow it (`Debian Policy`).
    """
    heads = [(one.title, *_HEADING.findall(one.text)) for one in documents]
    holders: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for lines in heads:
        phrases = {phrase for line in dict.fromkeys(lines) for phrase in _phrases(_plain(line))}
        holders.update({_fold(phrase) for phrase in phrases})
        for phrase in phrases:
            written.setdefault(_fold(phrase), Counter())[phrase] += 1
    enough = max(2, 0.15 * len(heads))
    found = {phrase: number for phrase, number in holders.items() if number >= enough}
    single = sorted((one for one in found if " " not in one), key=lambda one: (-found[one], one))[:CONTENDERS]
    if not single:
        return ""
    names = {one for one in single if _is_name(one, documents)}
    best = max(single, key=lambda one: found[one] * (1 + (one in names)))
    longer = [one for one in found if best in one.split() and found[one] >= 0.6 * found[best]]
    chosen = max(longer, key=lambda one: (len(one.split()), found[one], one), default=best)
    spelt = min(written[chosen].items(), key=lambda row: (-row[1], row[0]))[0]
    return spelt if best in names else spelt.lower()


def _title(document: Document) -> _Title:
    whole = _plain(document.title) or _plain(PurePosixPath(document.source).stem.replace("_", " "))
    whole = _cased(whole, document.text[:SAMPLE])
    bare = re.sub(r"\s+\([^()]*\)", "", _VERSION.sub("", whole))
    pieces = [_trim(_NUMBERING.sub("", piece)) for piece in _PIECES.split(_NUMBERING.sub("", bare) or bare)]
    return _Title(document, whole, tuple(filter(None, pieces)) or (_trim(whole),))


def _outline(title: _Title, count: Counter[str], about: str) -> str:
    little = next(filter(_says_little, title.pieces), "" if title.pieces else title.whole)
    telling = [piece for piece in title.pieces if not _says_little(piece)]
    own = [piece for piece in telling if count[piece.lower()] < 2 and piece.lower() != about.lower()]
    name = (own or telling or [""])[0]
    if name and not little:
        return _phrase(name)
    name = name or _heading(title.document)
    folder = _words(PurePosixPath(title.document.source).parent.name)
    place = _phrase(next((one for one in (name, folder, about) if one and not _says_little(one)), ""))
    if _PARTS.fullmatch(little):
        kind = little if little.isupper() else little.lower()
        opening = "" if re.search(r" \w{1,4}$", kind) else "the "
        return f"{opening}{kind} {'to' if kind == 'introduction' else 'of'} {place}" if place else _quoted(little)
    if re.match(r"about|background|note|search", little, re.IGNORECASE):
        return _quoted(little) + (f" of {place}" if place else "")
    stem = _words(PurePosixPath(title.document.source).stem)
    if stem and not name and not _says_little(stem):
        return _quoted(stem)
    return place or (_quoted(little) if little else "")


def _heading(document: Document) -> str:
    """The document's first heading of the first level, where it tells anything."""
    found = re.search(r"^# +(.+)$", document.text[:SAMPLE], re.MULTILINE)
    heading = _trim(_NUMBERING.sub("", _plain(found[1]))) if found else ""
    return "" if _says_little(heading) else heading


def _longer(title: _Title, found: str) -> str:
    """An outline that another document has too: with all of the title, or else with the folder's name."""
    whole = _phrase(_trim(_NUMBERING.sub("", title.whole) or title.whole))
    if whole != found and not _says_little(title.pieces[0]):
        return whole
    folder = _words(PurePosixPath(title.document.source).parent.name)
    known = set(found.lower().replace("-", " ").split())
    return found if set(folder.lower().replace("-", " ").split()) <= known else f"{found} of {folder}"


def _phrase(text: str) -> str:
    """A piece of a title, fit to stand after "In": quoted where it is no noun phrase."""
    words = text.split()
    if len(words) > LONGEST:
        words = words[:LONGEST]
        while len(words) > 2 and words[-1].lower() in _SMALL:
            words.pop()
    short = _trim(" ".join(words))
    if text.endswith(("?", "!")) or any(rule.match(text) for rule in (_ASKS, _ORDERS)) or _IDENTIFIER.fullmatch(text):
        return _quoted(short)
    first = words[0] if words else ""
    return short[0].lower() + short[1:] if first in {"A", "An", "The"} else short


def _quoted(text: str) -> str:
    return f'the document "{text.replace(chr(34), chr(39))}"'


def _words(name: str) -> str:
    """The name of a file or folder as words."""
    return _trim(re.sub(r"[_\s]+", " ", _NUMBERING.sub("", _SUFFIX.sub("", name))))


def _plain(text: str) -> str:
    """Without marks of Markdown, links, entities, and what programs put before and after a title."""
    text = re.sub(r"!?\[([^\[\]]*)\](?:\([^()]*\))?", r"\1", html.unescape(text))
    text = re.sub(r"`|\*+(?=\w)|(?<=\w)\*+|(?<!\w)_|_(?!\w)|\\(?=\W)|[\u00b6\u00ae\u2122\u2020]|^#+\s+", "", text)
    text = re.sub(r"^Microsoft (?:Word|PowerPoint|Excel) - ", "", " ".join(text.split()))
    return _SUFFIX.sub("", text) if " " not in _SUFFIX.sub("", text) or text.count(".") == 1 else text


def _trim(text: str) -> str:
    return re.sub(r"^[\s:;,.\u2013\u2014|-]+|[\s:;,.#*\u2013\u2014|-]+$", "", text)


def _cased(title: str, text: str) -> str:
    """A title all in capitals, written as the document itself writes its words; what it has in capitals too, stays."""
    if not title.isupper():
        return title
    seen: Counter[str] = Counter(re.findall(r"[^\W\d_]+", re.sub(r"^#.*$", "", text, flags=re.MULTILINE)))
    forms = grouped(seen, str.lower)

    def recase(match: re.Match[str]) -> str:
        word: str = match[0]
        small = word.lower()
        if small in _SMALL:
            return small
        others = [form for form in forms.get(small, ()) if form != word]
        if 4 * seen[word] >= sum(seen[form] for form in others):
            return word
        return min(others, key=lambda form: (-seen[form], form))

    found = re.sub(r"[^\W\d_]+", recase, title)
    return found[:1].upper() + found[1:]


def _says_little(text: str) -> bool:
    return bool(_PARTS.fullmatch(text) or _EMPTY.fullmatch(text))


def _phrases(line: str) -> Iterable[str]:
    """Runs of up to three words between small words, numbers and punctuation."""
    for piece in re.split(r"[^\w\s'\u2019+-]+|\s-\s", line):
        for tells, words in groupby(piece.split(), key=_tells):
            run = list(words) if tells else []
            yield from (" ".join(run[i : i + n]) for n in (1, 2, 3) for i in range(len(run) - n + 1))


def _tells(word: str) -> bool:
    return not (word.lower() in _SMALL or word[0].isdigit() or _says_little(word))


def _fold(phrase: str) -> str:
    """One form for a word and its plural."""
    return re.sub(r"(?<=[a-z]{3})(?<!s)s\b", "", phrase.lower())


def _is_name(phrase: str, documents: Iterable[Document]) -> bool:
    """Whether it is mostly written with a capital inside of sentences, in a third of the documents or more."""
    pattern = re.compile(rf"(?<=[a-z,] ){re.escape(phrase)}\b", re.IGNORECASE)
    found = [[match[0][:1].isupper() for match in pattern.finditer(one.text[:SAMPLE])] for one in documents]
    named = sum(map(any, found))
    return 3 * named >= len(found) and 2 * sum(map(sum, found)) > sum(map(len, found))
