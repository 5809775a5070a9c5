"""The blocks of a Markdown passage, and what its lists, tables and definitions say, as sentences.

blocks(passage)     the blocks in order, each with its section; code and HTML are left out
listed(block)       "The guard carries:" with its items as one sentence, or each item as one
tabled(block)       a row as sentences: "The fee of a copy is 14 crowns."
defined(text)       "**Berth**: a place for one ship" as "A berth is a place for one ship."
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .english import lowered, readings, words
from .grammar import is_thing
from .tagging import is_plural

_ITEM = re.compile(r"^\s*(?P<mark>[-*+•]|\d+[.)]|\([a-z\d]\))\s+")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
LONGEST_ITEM, MOST_ITEMS = 12, 8  # words; items that one question may ask for


@dataclass(slots=True)
class PassageBlock:
    """A paragraph (`text`), a list (`items`, and in `text` the line that leads to them) or a table (`rows`).

    `raw` are its lines as they stand in the passage.
    """

    section: str
    text: str = ""
    items: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


def blocks(passage: str) -> list[PassageBlock]:
    """The blocks of a passage in order. Code, HTML, pictures and headings are left out; a list takes its lead along."""
    found: list[PassageBlock] = []
    section, fenced, block = "", False, PassageBlock("")
    lines = passage.splitlines()

    def close() -> None:
        nonlocal block
        if block.text or block.items or len(block.rows) > 1:
            found.append(block)
        block = PassageBlock(section)

    for number, line in enumerate(lines):
        bare = line.strip()
        code = line.startswith(("    ", "\t")) and not (block.text or block.items or _ITEM.match(line))
        if bare.startswith(("```", "~~~")):
            close()
            fenced = not fenced
        elif fenced or code or bare.startswith(("<", "![")):
            continue
        elif line.startswith("#"):
            section = heading(line)
            close()
        elif bare.startswith("|"):
            if not block.rows:
                close()
            if not _RULE.match(bare):
                block.rows.append(_cells(bare))
                block.raw.append(line)
        elif not bare:
            leads = block.text.endswith(":") and not block.items and _next_is_item(lines, number)
            more = block.items and _next_is_item(lines, number, _mark(block.raw[-1]))
            if not (leads or more):
                close()
        elif _ITEM.match(line):
            if block.rows or (block.text and not block.items and not block.text.endswith(":")):
                close()
            block.items.append(_ITEM.sub("", line).strip())
            block.raw.append(line)
        elif block.items:
            block.items[-1] += " " + bare
            block.raw.append(line)
        else:
            if block.rows:
                close()
            block.text = f"{block.text} {bare}".strip()
            block.raw.append(line)
    close()
    return found


def heading(line: str) -> str:
    """A heading without its number, marks and emphasis."""
    return re.sub(r"^[\dA-Z]+(?:\.\d+)*\.? |[¶#\s]+$|[*`]", "", line.lstrip("#").strip())


def _next_is_item(lines: list[str], number: int, mark: str = "") -> bool:
    """Whether the next line that is not empty is an item (of a list with such marks)."""
    following = next((line for line in lines[number + 1 :] if line.strip()), "")
    return _ITEM.match(following) is not None and mark in ("", _mark(following))


def _mark(line: str) -> str:
    """The kind of an item's mark: "-", "*", or "1" for any number."""
    found = _ITEM.match(line)
    return re.sub(r"\(?\w+[.)]+", "1", found["mark"]) if found else ""


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [re.sub(r"\*\*|__", "", cell).replace("\\|", "|").strip() for cell in cells]


def listed(block: PassageBlock) -> list[str]:
    """What a list says together with its lead: one sentence with all items, or one for each.

    "The guard carries the following keys:" and three things give one sentence; "The guard must:" and three deeds give
    three. A list whose items are sentences, or whose lead is no clause, gives none here.
    """
    lead = re.sub(r"\s*:$", "", block.text.split(". ")[-1])
    items = [re.sub(r"[;,.]?(?: (?:and|or))?[;,.]?$", "", item).strip() for item in block.items]
    if not block.text.endswith(":") or len(items) < 2 or any(not item for item in items):
        return []
    last = lead.split()[-1].lower() if lead.split() else ""
    if last in words("modals") or last in ("to", "not", "be"):
        return [f"{lead} {_inside(item)}." for item in items if "." not in item]
    short = all(len(item.split()) <= LONGEST_ITEM and not re.search(r"[.:;()]", item) for item in items)
    if not short or len(items) > MOST_ITEMS or any(re.search(r",", item) for item in items):
        return []
    things = [_inside(item) for item in items]
    if not all(map(is_thing, things)):
        return []
    joined = f"{', '.join(things[:-1])} and {things[-1]}"
    if last in words("be") or last in ("include", "includes", "including"):
        return [f"{lead} {joined}."]
    return [f"{lead}: {joined}."]


def _inside(text: str, common: str = r"[A-Z][a-z]+\b") -> str:
    """A text as it reads inside a sentence, where it opens with a common word and not a name."""
    return lowered(text) if re.match(common, text) else text


_ROW = re.compile(r"(?!\d+(?:st|nd|rd|th)$).*[A-Za-z]{2}")  # what names a row: no number, no "8th"


def tabled(block: PassageBlock) -> Iterator[tuple[str, str]]:
    """(sentence, row) for every cell that says something of its row: header, first cell and cell make a sentence.

    "| Copy | Fee |" above "| a map | 14 crowns |" gives "The fee of a map is 14 crowns.". A column whose header is no
    name of a quality ("Notes", "Applies to"), and rows that are named by a number, give none.
    """
    header, *rows = block.rows or [[]]
    for row, raw in zip(rows, block.raw[1:], strict=False):
        if len(row) != len(header) or not _ROW.match(row[0]) or len(row[0].split()) > 8:
            continue
        for name, cell in zip(header[1:], row[1:], strict=True):
            broken = re.search(r"[.;:!?]\s|<|^[-\u2013\u2014]+$|^(?i:true|false|yes|no)\b", cell)
            if not broken and 0 < len(cell.split()) <= LONGEST_ITEM and _quality(name):
                thing = _inside(row[0], r"[A-Z][a-z]+(?: [a-z]|$)").rstrip(".")
                yield f"The {lowered(name)} of {thing} is {_inside(cell, '[A-Z][a-z]+ [a-z]').rstrip('.')}.", raw


def _quality(header: str) -> bool:
    """Whether a header names one quality of a thing: "Retention period", but not "Notes" or "Applies to"."""
    parts = header.lower().split()
    if not parts or len(parts) > 4 or not re.fullmatch(r"[A-Za-z][A-Za-z -]*[A-Za-z]", header):
        return False
    noun = "NN" in readings(parts[-1]) and not is_plural("the " + header.lower())
    return noun and not words("determiners", "modals", "be", "question_words", "remarks") & set(parts)


_TERM = re.compile(
    r"^(?:\*\*(?P<bold>[^*]{2,60}?):?\*\*\s*(?::|[-\u2013\u2014]+)?"
    r"|(?P<bare>[A-Z][\w -]{1,40}?)\s+[\u2013\u2014]"
    r"|`(?P<code>[^`]+)`\s*(?::|[-\u2013\u2014]+))"
    r"\s+(?P<text>(?:[Aa]n?|[Tt]he|[Aa]ny|[Oo]ne of the) .+)$"
)


def defined(text: str) -> str:
    """ "**Berth**: a place for one ship." as "A berth is a place for one ship.", or "" for any other text."""
    found = _TERM.match(text)
    if not found:
        return ""
    term = found["bold"] or found["bare"] or (f"`{found['code']}`" if found["code"] else "")
    said = re.split(r"(?<=[a-z`)])[.;](?:\s|$)", found["text"])[0].rstrip(".;")
    named = re.search(r"[A-Za-z]{2}", term) and not re.search(r"[.,:]", term)
    if not named or not is_thing(said) or is_plural("the " + term.lower()):
        return ""
    common = re.fullmatch(r"[A-Z]?[a-z-]+(?: [a-z-]+){0,2}", term) and "NN" in readings(term.split()[-1].lower())
    if not common:
        return f"{term} is {lowered(said)}."
    article = ("An" if term[0].lower() in "aeiou" else "A") if re.match(r"(?i)an? ", said) else "The"
    return f"{article} {lowered(term)} is {lowered(said)}."
