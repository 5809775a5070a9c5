"""Asking about several things in one call: under short ids, and once more for those that a reply lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..records import Call
from .asker import Session
from .prompts import Prompt
from .replies import Reply

Thing = dict[str, Any]


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
    things: Sequence[Thing],
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

    def call_about(block: Sequence[Thing]) -> Call:
        shown = [thing | {"id": name} for name, thing in _names(block, shown_as).items()]
        return session.plan(prompt, fields | {shown_as: shown}, **origin)

    rest = list({thing["id"]: thing for thing in things}.values())
    said: list[Said] = []
    while rest:
        count = session.fit(call_about, rest, most)
        block, rest = rest[:count], rest[count:]
        found = await _of_block(session, call_about, block, shown_as)
        if alone and not found and len(block) > 1:
            for thing in block:
                found += await _of_block(session, call_about, [thing], shown_as)
        said += found
    return said


def _names(block: Sequence[Thing], shown_as: str) -> dict[str, Thing]:
    """The things by the ids that a call shows: those of facts are short as they are."""
    return {thing["id"] if shown_as == "facts" else f"p{n}": thing for n, thing in enumerate(block, 1)}


async def _of_block(
    session: Session, call_about: Callable[[Sequence[Thing]], Call], block: Sequence[Thing], shown_as: str
) -> list[Said]:
    said: list[Said] = []
    are_facts, due = shown_as == "facts", list(block)
    while due:
        names, call = _names(due, shown_as), call_about(due)
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
