"""Typst -> Markdown: by pandoc, once the rules about looks are gone, in which it loses formulas, links and code."""

from __future__ import annotations

import re
from typing import Any

from .pandoc import from_markup, tree_of
from .raw_file import RawFile

RULE = re.compile(r"^#show\b", re.MULTILINE)
IMPORT = re.compile(r"^#import\b.*", re.MULTILINE)
MOST_UNKNOWN = 30
TITLE = re.compile(r'\btitle:\s*(?:\[([^]]+)\]|"([^"]+)")')


def _parse(text: str, file: RawFile) -> dict[str, Any]:
    rules = [(found.start(), _end(text, found.end())) for found in RULE.finditer(text)]
    title = TITLE.search("".join(text[start:end] for start, end in rules))
    for start, end in reversed(rules):
        text = text[:start] + text[end:]
    tree = _tree(IMPORT.sub("", text), file)
    if title and "title" not in tree["meta"]:
        tree["meta"]["title"] = {"t": "MetaString", "c": title[1] or title[2]}
    return tree


def _tree(text: str, file: RawFile) -> dict[str, Any]:
    """The tree; a function that another file defines stands for the words that it is given."""
    for _ in range(MOST_UNKNOWN):
        try:
            return tree_of(text.encode("utf-8", "replace"), "typst", file)
        except ValueError as error:
            if not (unknown := re.search(r'Identifier "([\w-]+)" not found', str(error))):
                raise
            text = f"#let {unknown[1]}(..given) = given.pos().join()\n{text}"
    raise ValueError(f"more than {MOST_UNKNOWN} functions of other files")


def _end(text: str, at: int) -> int:
    """Where a rule ends: with the line in which all of its brackets are closed."""
    depth = 0
    for mark in re.compile(r'"(?:[^"\\]|\\.)*"|[(\[{]|[)\]}]|\n').finditer(text, at):
        depth += (mark[0] in "([{") - (mark[0] in ")]}")
        if mark[0] == "\n" and depth <= 0:
            return mark.end()
    return len(text)


from_typst = from_markup("typst", _parse)
