"""What texts and slides of office programs have in common: runs, paragraphs, lists, notes and tables -> Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from .markdown import MISTAKABLE, STRUCK, fence, pipe_table, sign, ticked, wrapped

# Styles of paragraphs and of words, as the programs call them.
CODE = {
    *("code", "code block", "code char", "html code", "html preformatted", "inline code", "listing", "macro text"),
    *("preformatted text", "source code", "source text", "verbatim", "verbatim char"),
}
QUOTES = {"quote", "intense quote", "block text", "quotations"}
TITLES = {"title", "titel", "titre", "título", "titolo"}
MONOSPACED = re.compile(r"courier|consolas|menlo|monaco|mono\b|lucida console", re.IGNORECASE)


def marked(runs: Iterable[tuple[str, str]]) -> str:
    """A line of texts and their marks: nothing, emphasis, what strikes it out, or a tick for code."""
    joined = ((mark, "".join(text for text, _ in group)) for mark, group in groupby(runs, key=lambda run: run[1]))
    return "".join(ticked(text) if mark == "`" else wrapped(text, mark) if mark else text for mark, text in joined)


def paragraph(
    runs: list[tuple[str, str]],
    *,
    heading: int = 0,
    mark: str | None = None,
    level: int = 0,
    code: bool = False,
    quote: bool = False,
) -> Iterator[tuple[str, str]]:
    """A paragraph as a piece for `blocks_of`; nothing where it is empty, but for an empty line of code.

    Args:
        heading: its level, or 0 for none.
        mark: what the paragraph is called in its list, and nothing for a bullet; None where it is in no list.
        level: of the list, from 0.
    """
    plain = "".join(text for text, _ in runs)
    if not plain.strip():
        yield from [("code", "")] * code
    elif heading:
        words = marked((text, own if own == STRUCK else "") for text, own in runs).split()
        yield "block", " ".join(["#" * min(heading, 6), *filter(None, [mark]), *words])
    elif code or all(own == "`" for text, own in runs if text.strip()):
        yield "code", plain
    elif mark is not None:
        text = marked(runs).strip().replace("\n", " ")
        yield "list", "\t" * level + sign(mark) + (text if mark else re.sub(r"^[-•–] +", "", text))  # noqa: RUF001 - these very signs
    else:
        text = marked(runs).strip()
        yield "block", "> " + text.replace("\n", "\n> ") if quote else MISTAKABLE.sub(r"\\\1", text)


def table(rows: list[list[str]]) -> list[str]:
    """A table, whose first row is its header, whether it says so or not; one cell alone is a box around text."""
    return [rows[0][0]] if len(rows) == 1 and len(rows[0]) == 1 else pipe_table(rows, header=len(rows) > 1)


def blocks_of(pieces: Iterable[tuple[str, str]]) -> list[str]:
    """Blocks of an office's file from its paragraphs, which are a `block`, an item of a `list` or a line of `code`.

    Neighbouring items become one list, neighbouring lines of code one fence.
    """
    blocks: list[str] = []
    for kind, group in groupby(pieces, key=lambda piece: piece[0]):
        texts = [text for _, text in group]
        blocks += fence("\n".join(texts)) if kind == "code" else _lists(texts) if kind == "list" else texts
    return blocks


def _lists(items: list[str]) -> list[str]:
    """One block for each list; a new one begins where numbers follow bullets or bullets numbers.

    Tabs before an item are its level.
    """
    lists: list[list[str]] = []
    kind, above = "", list[int]()
    for item in items:
        text = item.lstrip("\t")
        level = len(item) - len(text)
        above = [one for one in above if one < level] if lists else []
        own = "" if above else re.sub(r"\d", "", text.partition(" ")[0])
        if not lists or (own and kind and own != kind):
            lists.append([])
        kind = own or kind
        lists[-1].append("    " * len(above) + text)
        above.append(level)
    return ["\n".join(one) for one in lists]
