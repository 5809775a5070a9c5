"""How large a call is, with the reply that it may get, before anybody is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

from ..matching import spaced
from ..records import Call
from .budget import SAFE_BYTES_PER_TOKEN, tokens_of
from .replies import PARTS, REPLIES, Reply


class Size(NamedTuple):
    """Tokens of a prompt, and of a reply of typical size, reckoned rather too high: both share the context."""

    prompt: int
    reply: int


NO_CALL = Size(0, 0)
_WORD = "0000 "  # of a reply that is assumed; no check takes it for another language than the passage's


def size_of(call: Call) -> Size:
    reply = typical_reply(call).model_dump_json()
    return Size(tokens_of(call, SAFE_BYTES_PER_TOKEN), round(len(reply.encode()) / SAFE_BYTES_PER_TOKEN))


def fitting(call_about: Callable[[Sequence[Any]], Call], things: Sequence[Any], context: int) -> int:
    """How many of the things, from the first on, one call may be about so that it fits a context: one at least."""
    counts = range(len(things), 1, -1)
    return next((count for count in counts if sum(size_of(call_about(things[:count]))) <= context), 1)


def typical_reply(call: Call) -> Reply:
    """A reply as long as a language model's would be, as far as one can say beforehand; no two parts are equal."""
    fields, (name, part) = call.fields, PARTS[call.reply]
    passage, count = fields.get("passage", ""), int(fields.get("count", 1))
    rows: list[Any]
    if call.reply == "summaries":
        rows = [{"angle": angle, "text": f"{angle} {passage[: len(passage) // 2]}"} for angle in fields["angles"]]
    elif call.reply == "facts":
        rows = [f"{call.key} {number} " + _WORD * 16 for number in range(max(1, len(spaced(passage).split()) // 20))]
    elif "pairs" in fields:  # something is said of each pair that is shown
        rows = [_part(part, pair["id"]) for pair in fields["pairs"]]
    else:
        reasoning = _WORD * 25 if fields.get("reasoning") else ""
        rows = [
            _part(part, fact["id"], question=f"{call.key} {fact['id']} {number} " + _WORD * 12, reasoning=reasoning)
            for fact in fields.get("facts", [{"id": ""}])
            for number in range(count)
        ]
    return REPLIES[call.reply].model_validate({name: rows})


def _part(part: Any, name: str, **own: str) -> dict[str, Any]:
    typical = {str: _WORD * 12, bool: True, float: 2.0, list[str]: [_WORD * 12] * 3}
    kinds = {field: info.annotation for field, info in part.model_fields.items()}
    return {field: typical.get(kind) or get_args(kind)[0] for field, kind in kinds.items()} | {"id": name} | own
