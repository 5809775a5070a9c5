"""The text of a reply that is not quite JSON: thoughts before it, lost backslashes, drafts and fences around it.

Nothing here knows what a reply should hold; `replies` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

LONGEST_NUMBER = 18  # digits; what has more is words, which Python would not count either
FALSE_STARTS = 100  # brackets that open nothing, after which no more is looked for


def integer(digits: str) -> int | str:
    """A whole number of a JSON text."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


_LENIENT = json.JSONDecoder(strict=False, parse_int=integer)  # many models write line breaks as they are
_OPENING = re.compile(r"[{\[]")
_FENCE = re.compile(r"```\w*\s*\Z")
_AFTER_ITEM = re.compile(r"""\s*(?:(?P<next>,\s*(?=["{]))|\]|(?P<end>,?\s*\Z))""")
_CLOSING = re.compile(r"[\]}\s,]*$")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[\"\\/bfnrt])")

# --- thoughts ---

_TAGS = "think|thinking|thought|thoughts|reasoning|reflection|seed:think"
_THINKS = re.compile(  # as most models do, Mistral's, OpenThinker, Kimi, MedGemma, GPT-OSS
    rf"<(?:{_TAGS})>|\[THINK\]|<\|begin_of_thought\|>|\u25c1think\u25b7|<unused94>"
    r"|(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>"
)
_THOUGHT = re.compile(
    rf"</(?:{_TAGS})>|\[/THINK\]|<\|end_of_thought\|>|\u25c1/think\u25b7|<unused95>"
    r"|<\|channel\|>final<\|message\|>"
)


def split_thinking(text: str) -> tuple[str, str]:
    """(what a model thought aloud, its reply), from a text with its thoughts before the reply or none.

    Some chat templates open the block themselves, so that only its end is in the text.
    """
    thoughts, rest = [], text.strip()
    while _THINKS.match(rest) or (_THOUGHT.search(rest) and not rest.startswith(("{", "[", "`"))):
        thought, *left = _THOUGHT.split(rest, maxsplit=1)
        thoughts.append(_THINKS.sub("", thought, count=1).strip())
        rest = left[0].strip() if left else ""
    return "\n".join(thoughts), rest


# --- backslashes ---

# A backslash: of an escape that stands for one character, of one that may be a lost backslash, of none.
_BACKSLASH = re.compile(r'\\(?:(u[0-9a-fA-F]{4}|["\\/\'])|([bfnrt])([A-Za-z]*)|)')
_DRIVE = re.compile(r"(?<![A-Za-z])[C-PR-Zc-pr-z]:(?:\\{1,2}[\w.-]+)*$")
_FORMULA = re.compile(r"[$^_]|\\\\?[A-Za-z]{2}")
_TEX = """
tanh tau text textbf textit textrm texttt tfrac therefore theta tilde times triangle
nabla neg neq newcommand newline not notin nsubseteq rangle rceil rfloor rho right rightarrow root
"""
_COMMANDS, _COMMANDS_LIKE_WORDS = frozenset(_TEX.split()), frozenset(("tan", "to", "top", "ne", "ni", "nu", "rm"))
_NEAR = 40  # characters around a doubtful command in which a formula would show


def with_lost_backslashes(text: str) -> str:
    r"""A JSON text in which `"\frac"` and `"C:\new"`, a form feed and a line break to JSON, have their backslash.

    Models forget to double it. Before a letter, a form feed or backspace is always such a one; a tab, line break or
    return is one in what makes a known TeX command or a path. A backslash of no escape stands for itself.
    """
    return _BACKSLASH.sub(_kept, text) if "\\" in text else text


def _kept(match: re.Match[str]) -> str:
    whole, (plain, letter, rest) = match[0], match.groups()
    if plain:
        return whole
    before, after = match.string[max(0, match.start() - 200) : match.start()], match.string[match.end() :][:_NEAR]
    if not letter or (rest and letter in "bf"):
        lost = True
    elif letter + rest in _COMMANDS_LIKE_WORDS:  # a line may begin with "an", "o", "e", "u"
        lost = bool(_FORMULA.search(before[-_NEAR:] + after))
    else:
        lost = letter + rest in _COMMANDS or bool(rest[:1].islower() and _DRIVE.search(before))
    return f"\\{whole}" if lost else whole


# --- what stands around it ---


class Value(NamedTuple):
    content: Any
    end: int
    in_fence: bool


def values(text: str) -> Iterator[Value]:
    """Every object and list that stands in a text by itself."""
    at = missed = 0
    while (found := _OPENING.search(text, at)) and missed < FALSE_STARTS:
        try:
            content, at = _LENIENT.raw_decode(text, found.start())
            yield Value(content, at, bool(_FENCE.search(text, max(0, found.start() - 20), found.start())))
        except ValueError:
            at, missed = found.end(), missed + 1


def whole_items(text: str, name: str) -> Iterator[Any]:
    """Of the last list of that name, in a text that ends in the middle, the items that are surely whole.

    What comes after an item says so: another one, or the end of the list; after an object nothing need come.
    """
    at = max((found.end() for found in re.finditer(rf'"{name}"\s*:\s*\[\s*', text)), default=len(text))
    while at < len(text):
        try:
            item, end = _LENIENT.raw_decode(text, at)
        except ValueError:
            return
        after = _AFTER_ITEM.match(text, end)
        if not after or (after["end"] is not None and not isinstance(item, dict)):
            return
        yield item
        at = after.end() if after["next"] else len(text)


def outermost(text: str) -> str | None:
    """From the first bracket that opens to the last that closes; empty where none does, None where none opens."""
    if not (first := _OPENING.search(text)):
        return None
    return text[first.start() : 1 + max(text.rfind("}"), text.rfind("]"))]


def mended(text: str) -> Any | None:
    """What a text with wrong punctuation holds; None where it ends in the middle: closing it would pass a half."""
    from json_repair import repair_json

    content = repair_json(text, return_objects=True)
    is_whole = _closing(json.dumps(content)) == _closing(text) and not _is_open(text)
    return content if is_whole else None


def letters(text: str) -> str:
    """The letters and digits of a JSON text, escapes resolved: what a repair may neither add nor lose."""
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "", text)
    return "".join(char for char in text if char.isalnum()).casefold()


def _closing(text: str) -> str:
    """The brackets at the end of a JSON text."""
    return re.sub(r"[\s,]", "", _CLOSING.search(text)[0])  # type: ignore[index]  # matches every text


def _is_open(text: str) -> bool:
    """Whether a JSON text ends within a string: its kind of quotation mark stands in it an odd number of times."""
    mark = min("\"'", key=lambda quote: (text + quote).index(quote))
    return _ESCAPED.sub("", text).count(mark) % 2 == 1
