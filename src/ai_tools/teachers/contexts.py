"""The context of an endpoint that is no known hosted one: asked for once, recorded, and kept.

How many things a call is about depends on it, and the call's key with that: a context that changed from run to run
would have everything paid twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ..errors import TeacherRefused
from ..records import CallFault, Teacher
from .budget import amount
from .journal import Journal
from .json_text import integer
from .providers import Endpoint, is_hosted
from .wire import Wire

LISTING_SECONDS = 5.0


@runtime_checkable
class HasContext(Protocol):
    """A teacher behind an endpoint. `context` is in tokens, 0 where none is stated, None before it was asked for."""

    base_url: str
    model: str
    endpoint: Endpoint
    context: int | None


def context_of(teacher: Teacher) -> int:
    """The context that is known of a teacher, in tokens; 0 where none is."""
    return (teacher.context or 0) if isinstance(teacher, HasContext) else 0


def recall(teachers: Iterable[Teacher], journal: Journal) -> None:
    """Give teachers the contexts that were recorded. One that has answered without is asked for none any more."""
    for teacher in teachers:
        if isinstance(teacher, HasContext):
            asked = not is_hosted(teacher.base_url) and teacher.endpoint.provider.api == "openai"
            teacher.context = journal.context(teacher.base_url, teacher.model) if asked else 0


async def learn(teachers: Iterable[Teacher], journal: Journal) -> None:
    """Ask the endpoints for the contexts of which nothing is known yet, and record them."""
    found: dict[tuple[str, str], int] = {}  # teacher and judge may be one
    for teacher in teachers:
        if isinstance(teacher, HasContext) and teacher.context is None:
            known = teacher.base_url, teacher.model
            if known not in found:
                found[known] = await _stated(teacher.endpoint)
            if found[known]:
                journal.put_context(*known, found[known])
            teacher.context = found[known]


async def _stated(endpoint: Endpoint) -> int:
    """What the list of models says of the context of the model; 0 where it says nothing, or there is none."""
    wire = Wire(replace(endpoint, timeout=LISTING_SECONDS))
    try:
        return context_in((await wire.send(endpoint.provider.listing)).content, endpoint.model)
    except (CallFault, TeacherRefused):
        return 0
    finally:
        await wire.close()


def context_in(listing: bytes, model: str) -> int:
    """The context of a model in a list of models: vLLM calls it `max_model_len`, llama.cpp `n_ctx`, that of one slot.

    A server with one model answers to any name. What the model was trained with (`n_ctx_train`) says nothing.
    """
    try:
        rows = json.loads(listing, parse_int=integer)["data"]
        (row,) = rows if len(rows) == 1 else [row for row in rows if row["id"] == model]
        return amount(row.get("max_model_len") or row.get("n_ctx") or (row.get("meta") or {}).get("n_ctx"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0
