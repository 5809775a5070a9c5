"""Asking about several things in one call: under short ids, and once more for those that a reply lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..records import Call
from .asker import Session
from .prompts import Prompt
from .replies import Reply


class Said(NamedTuple):
    """A part of a reply, the `id` of the thing that it is about, and the call and the reply that it came in."""

    id: str
    part: Any
    call: Call
    reply: Reply


async def ask_by_id(
    session: Session,
    prompt: str | Prompt,
    fields: dict[str, Any],
    things: Sequence[dict[str, Any]],
    *,
    origin: dict[str, Any],
    most: int,
    shown_as: str = "pairs",
    alone: bool = False,
) -> list[Said]:
    """What replies say of things that have an `id` each, in calls about `most` of them at most.

    Pairs are shown as p1, p2, ...: a model copies these without a fault, and a schema can list them. A part about
    something unknown counts for nothing; of two about one pair the first counts. Pairs that a reply lacks are asked
    about in a further call, as long as each brings something new; a fact, which may give none, where it was cut off.
    What is missing in the end got no usable answer: that is for the caller to record, never to fill in.

    Args:
        origin: recipe and passage of the calls, as `Session.plan` takes them.
        shown_as: the field that has the things, `pairs` or `facts`.
        alone: ask about each by itself where nothing usable came of a call: one may have spoilt it for the others.
    """
    distinct = list({thing["id"]: thing for thing in things}.values())
    said: list[Said] = []
    for draw, start in enumerate(range(0, len(distinct), most)):
        block = distinct[start : start + most]
        found = await _of_block(session, prompt, fields, block, shown_as, origin | {"draw": draw})
        if alone and not found and len(block) > 1:
            for thing in block:
                found += await _of_block(session, prompt, fields, [thing], shown_as, origin | {"draw": draw})
        said += found
    return said


async def _of_block(
    session: Session,
    prompt: str | Prompt,
    fields: dict[str, Any],
    block: Sequence[dict[str, Any]],
    shown_as: str,
    origin: dict[str, Any],
) -> list[Said]:
    said: list[Said] = []
    are_facts, due = shown_as == "facts", list(block)
    while due:
        names = {thing["id"] if are_facts else f"p{n}": thing for n, thing in enumerate(due, 1)}
        shown = [thing | {"id": name} for name, thing in names.items()]
        call = session.plan(prompt, fields | {shown_as: shown}, **origin)
        reply = await session.try_ask(call)
        if reply is None:
            break
        parts = [part for part in reply.items if part.id in names]
        if not are_facts:
            parts = list({part.id: part for part in reversed(parts)}.values())[::-1]
        said += [Said(names[part.id]["id"], part, call, reply) for part in parts]
        answered = {part.id for part in parts}
        is_done = not answered or (are_facts and not reply.cut_off)
        due = [] if is_done else [thing for name, thing in names.items() if name not in answered]
    return said
