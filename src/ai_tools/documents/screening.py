"""What is done with what `sensitive` finds, as SENSITIVE and INJECTION say: told, masked, or held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any

from ..errors import InputError
from ..records import Document, Find, Pair, Passage, Rejection, WorkedExample, grouped
from ..settings import Settings
from . import sensitive
from .sensitive import INJECTION

_DONE = {"report": "are sent as they are", "mask": "are sent with marks in place of it", "reject": "are not sent"}
CHECKS = ("sensitive", "injection")  # by which something is held back
_PLAIN = ("text", "title", "outline", "domain")  # of a passage
_OPENING = ("table_header", "fence")  # see `Passage.shown`
_TOLD = ("question", "reasoning", "answer", "source_text")  # of a pair: what a teacher reads


@dataclass(frozen=True)
class Screened:
    """Passages that may be sent, those that are held back, and what there is to know of all before the first is sent.

    `notice` is empty where nothing was found.
    """

    passages: list[Passage]
    held_back: list[Rejection]
    notice: str


def screen(items: Iterable[Passage], settings: Settings, *, needed: bool = False) -> Screened:
    """Look through passages, with all that is sent of them, as the settings say.

    Raises:
        InputError: some are `needed`, and all are held back.
    """
    one = Screen(settings)
    rows = [one.passage(item) for item in items]
    passages = [row for row in rows if isinstance(row, Passage)]
    if needed and rows and not passages:
        raise InputError(f"{one.notice}: none is left; take such lines out of the documents, or SENSITIVE=mask")
    return Screened(passages, [row for row in rows if isinstance(row, Rejection)], one.notice)


def listed(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """What was found, by document, line of its Markdown and kind, with how many there are; never what it is."""
    return [row for document in documents for row in _lines(document)]


def _lines(document: Document) -> Iterator[dict[str, Any]]:
    found, line, at = Counter[tuple[int, str]](), 1, 0
    for one in document.finds:
        line, at = line + document.text.count("\n", at, one.start), one.start
        found[line, one.kind] += 1
    for (number, kind), count in found.items():
        yield {"document": document.source, "line": number, "kind": kind, "count": count}


def told(document: Document) -> list[str]:
    """The same of one document, a line for each kind, for who wants no table."""
    kinds = grouped(_lines(document), lambda row: row["kind"])
    return [_by_line(kind, rows) for kind, rows in kinds.items()]


def _by_line(kind: str, rows: list[dict[str, Any]], most: int = 5) -> str:
    lines = ", ".join(str(row["line"]) for row in rows[:most]) + (", …" if len(rows) > most else "")
    return f"{sum(row['count'] for row in rows):,} {kind} in line{'s' * (len(rows) > 1)} {lines} of its Markdown"


def notice(documents: Iterable[Document], settings: Settings) -> str:
    """What there is to know of whole documents before anything of them is sent, in one line; empty if nothing."""
    one = Screen(settings, "documents")
    for document in documents:
        one.note(Counter(find.kind for find in document.finds))
    return one.notice


class Screen:
    """Looks through what is to be sent, text by text, and counts what it finds. `of_what` is what it looks through."""

    def __init__(self, settings: Settings, of_what: str = "passages"):
        self._settings = {"sensitive": settings.sensitive, "injection": settings.injection}
        self._of_what, self._total = of_what, 0
        self._texts, self._kinds = Counter[str](), {name: Counter[str]() for name in self._settings}

    def passage(self, item: Passage) -> Passage | Rejection:
        """The passage as it may be sent, or why it is held back. A worked example that may not is left out alone."""
        kinds = Counter[str]()
        plain: dict[str, Any] = {name: self._text(getattr(item, name), kinds) for name in _PLAIN}
        headings = tuple(self._text(one, kinds) for one in item.heading_path)
        opening = {name: self._text(item.metadata[name], kinds) for name in _OPENING if item.metadata.get(name)}
        for kind in item.metadata.get("finds", ()):  # of which it may hold a part alone
            kinds[kind] = kinds[kind] or 1
        example = self._example(item.example) if item.example else None
        if fault := self.note(kinds):
            check, reason = fault
            row = {"chunk_id": item.chunk_id, "document_id": item.document_id, "file": item.file}
            return Rejection(check, f"passage {item.chunk_id} of {item.file or item.origin}: {reason}", row)
        changed = replace(item, heading_path=headings, metadata=item.metadata | opening, example=example, **plain)
        return item if changed == item else changed

    def pair(self, pair: Pair) -> Pair | Rejection:
        """The same of a pair: what a teacher reads of it. Its other fields stay as they are."""
        kinds = Counter[str]()
        read = {name: self._text(pair[name], kinds) for name in _TOLD if pair.get(name)}
        fault = self.note(kinds)
        return Rejection(*fault, pair) if fault else pair | read

    def note(self, kinds: Counter[str]) -> tuple[str, str] | None:
        """Count what a text holds. Returns the check and the reason for which it is held back, if it is."""
        self._total += 1
        for name, setting in self._settings.items():
            mine = Counter({kind: count for kind, count in kinds.items() if _name(kind) == name})
            if mine and setting != "ignore":
                self._texts[name] += 1
                self._kinds[name] += mine
                if setting == "reject":
                    return name, f"it holds {_counted(mine)}, and {name.upper()}=reject"
        return None

    @property
    def notice(self) -> str:
        """What was found, in how many texts, and what is done with them; empty where nothing was."""
        return "; ".join(
            f"{self._texts[name]:,} of {self._total:,} {self._of_what} hold {_counted(kinds)}, and {_DONE[setting]} "
            f"({name.upper()}={setting})"
            for (name, setting), kinds in zip(self._settings.items(), self._kinds.values(), strict=True)
            if kinds
        )

    def _text(self, text: str, kinds: Counter[str]) -> str:
        find = _of_many if len(text) < 1_000 else _finds
        found = find(text, self._settings["sensitive"] != "ignore")
        kinds.update(one.kind for one in found)
        return sensitive.masked(text, found)[0] if found and self._settings["sensitive"] == "mask" else text

    def _example(self, example: WorkedExample) -> WorkedExample | None:
        kinds = Counter[str]()
        document, *said = (self._text(one, kinds) for one in (example.document, *chain.from_iterable(example.pairs)))
        held_back = any(self._settings[_name(kind)] == "reject" for kind in kinds)
        return None if held_back else WorkedExample(document, tuple(zip(said[::2], said[1::2], strict=True)))


def _name(kind: str) -> str:
    return "injection" if kind in INJECTION else "sensitive"


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))


def _finds(text: str, is_sensitive: bool) -> tuple[Find, ...]:
    return tuple(sensitive.finds(text, sensitive=is_sensitive))


_of_many = lru_cache(maxsize=1024)(_finds)  # titles, headings and worked examples are those of many passages
