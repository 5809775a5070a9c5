"""What people wrote stays text to a tokenizer, also where it looks like markup: `<|im_end|>`, `</s>`, `<think>`.

Whoever puts texts together escapes what comes from documents and people; `token_ids` and `encoded` undo it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

# Unicode keeps these for the inside of programs: no text has them.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"


class _Markup(NamedTuple):
    """The strings that a tokenizer takes for markup, what finds them, and the tokenizer with others in their place."""

    names: tuple[str, ...]
    found: re.Pattern[str]
    swapped: re.Pattern[str]
    reader: Any

    def swap(self, text: str) -> str:
        """Markup as `reader` knows it, and what was escaped as it stood."""
        return self.swapped.sub(lambda one: self.names[int(one[1])] if one[1] else _private(self.names, one[0]), text)


def escape(tokenizer: Any, text: str) -> str:
    """The text with its markup in a form that is encoded as text; any other text as it is."""
    known = _known(tokenizer)
    return known.found.sub(lambda one: "\ufffd" if one[0] == _OPEN else _private(known.names, one[0]), text)


def first_mark(tokenizer: Any, text: str) -> re.Match[str] | None:
    """The first markup in a text."""
    return _known(tokenizer).found.search(text)


def token_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, none added; what is escaped in it never becomes markup."""
    return [ids for ids, _ in encoded(tokenizer, [(text,) for text in texts])]


def encoded(tokenizer: Any, texts: Sequence[Sequence[str]]) -> list[tuple[list[int], list[int]]]:
    """The same of texts in parts that are encoded as one, and where each part ends: how many tokens are before it.

    A token that reaches from one part into the next counts to the next.
    """
    known = _known(tokenizer)
    swapped = [[known.swap(part) for part in parts] for parts in texts]
    read = known.reader.encode_batch(["".join(parts) for parts in swapped], add_special_tokens=False)
    return [(one.ids, _counts(one.offsets, parts)) for one, parts in zip(read, swapped, strict=True)]


def _counts(offsets: Sequence[tuple[int, int]], parts: Sequence[str]) -> list[int]:
    counts, count = [], 0
    for cut in itertools.accumulate(map(len, parts)):
        while count < len(offsets) and offsets[count][0] < cut >= offsets[count][1]:
            count += 1
        counts.append(count)
    return [*counts[:-1], len(offsets)]


def _private(names: Sequence[str], name: str) -> str:
    return f"{_OPEN}{names.index(name)}{_CLOSE}"


def _known(tokenizer: Any) -> _Markup:
    return _read(tokenizer, str(tokenizer.chat_template or ""))


@lru_cache(maxsize=8)
def _read(tokenizer: Any, template: str) -> _Markup:
    """Special tokens, and signs that a chat template is made of, such as the tags of thoughts and tools."""
    tokens = (
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.content.strip() and (token.special or (not token.content[0].isalnum() and token.content in template))
    )
    names = tuple(sorted(set(tokens), key=len, reverse=True))
    known = [re.escape(name) for name in names]
    return _Markup(
        names,
        re.compile("|".join([*known, f"{_OPEN}(?=\\d+{_CLOSE})"])),  # the second: somebody else's escape
        re.compile("|".join([f"{_OPEN}(\\d+){_CLOSE}", *known])),
        _reader(tokenizer, {name: _private(names, name) for name in names}),
    )


def _reader(tokenizer: Any, private: dict[str, str]) -> Any:
    """The tokenizer with its markup under other names: what looks like markup is text to it, cut as text."""
    from tokenizers import Tokenizer

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    for token in state["added_tokens"]:
        token["content"] = private.get(token["content"], token["content"])
    model, words = state["model"], state["model"]["vocab"]
    if isinstance(words, dict):
        model["vocab"] = {private.get(word, word): number for word, number in words.items()}
    else:
        model["vocab"] = [[private.get(word, word), score] for word, score in words]
    if "merges" in model:  # vocabularies of SentencePiece may have some that make markup
        model["merges"] = [pair for pair in model["merges"] if private.keys().isdisjoint([*pair, "".join(pair)])]
    if "unk_token" in model:
        model["unk_token"] = private.get(model["unk_token"], model["unk_token"])
    # The last would take white space out of a token's place in the text.
    return Tokenizer.from_str(json.dumps(state | {"truncation": None, "padding": None, "post_processor": None}))
