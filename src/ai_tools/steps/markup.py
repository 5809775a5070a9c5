"""What people wrote stays text to a tokenizer, also where it looks like markup: `<|im_end|>`, `</s>`, `<think>`.

Whoever puts texts together escapes what comes from documents and people; `token_ids` undoes it when it encodes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

# Unicode keeps these for the inside of programs: no text has them.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_ESCAPED = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


class _Markup(NamedTuple):
    """The strings that a tokenizer takes for markup, what finds them, alone and as it cuts there, and their ids."""

    names: tuple[str, ...]
    found: re.Pattern[str]
    cut: re.Pattern[str]
    ids: frozenset[int]


def escape(tokenizer: Any, text: str) -> str:
    """The text with its markup in a form that `token_ids` encodes as text; any other text as it is."""
    known = _markup(tokenizer)
    return known.found.sub(lambda found: f"{_OPEN}{known.names.index(found[0])}{_CLOSE}", text)


def token_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, none added; what is escaped in it never becomes markup."""
    clean = [text for text in texts if _OPEN not in text]
    encoded = iter(tokenizer(clean, add_special_tokens=False)["input_ids"] if clean else ())
    return [list(_parts(tokenizer, text)) if _OPEN in text else list(next(encoded)) for text in texts]


def _parts(tokenizer: Any, text: str) -> Iterator[int]:
    """The ids of a text that is cut where a tokenizer cuts it: at its markup."""
    known = _markup(tokenizer)
    for number, part in enumerate(known.cut.split(text)):
        if number % 2:
            yield from tokenizer(part, add_special_tokens=False)["input_ids"]
        elif part:
            yield from _as_text(tokenizer, _ESCAPED.sub(lambda found: known.names[int(found[1])], part))


def _as_text(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text that has no markup, whatever it looks like."""
    known = _markup(tokenizer)
    options = {"add_special_tokens": False, "split_special_tokens": True}
    ids: list[int] = tokenizer(text, **options)["input_ids"]
    if known.ids.isdisjoint(ids):
        return ids
    # The vocabulary itself has it as a word, as those of SentencePiece may: cut behind its first character.
    cuts = [0, *(found.start() + 1 for found in known.found.finditer(text)), len(text)]
    pieces = (text[start:end] for start, end in itertools.pairwise(cuts))
    return [one for piece in pieces for one in tokenizer(piece, **options)["input_ids"]]


@lru_cache(maxsize=8)
def _markup(tokenizer: Any) -> _Markup:
    """Special tokens, and signs that a chat template is made of, such as the tags of thoughts and tools."""
    template = str(tokenizer.chat_template or "")
    tokens = {
        token.content: token
        for token in tokenizer.added_tokens_decoder.values()
        if token.content.strip() and (token.special or (not token.content[0].isalnum() and token.content in template))
    }
    names = tuple(sorted(tokens, key=len, reverse=True))
    white = {True: r"\s*", False: ""}  # that a token takes with it
    spaced = (white[tokens[name].lstrip] + re.escape(name) + white[tokens[name].rstrip] for name in names)
    ids = {number for number, token in tokenizer.added_tokens_decoder.items() if token.content in tokens}
    never = "(?!)"
    return _Markup(
        names,
        re.compile("|".join(map(re.escape, names)) or never),
        re.compile(f"({'|'.join(spaced) or never})"),
        frozenset(ids - {tokenizer.unk_token_id}),
    )
