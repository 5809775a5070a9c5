"""What every rule that answers a prompt needs: its form, the name of the section, an order by seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from .blocks import heading

Fields = dict[str, Any]
ReplyFields = dict[str, list[dict[str, Any]]] | dict[str, list[str]]
ReplyRule = Callable[[Fields, int], ReplyFields]


def for_each_pair(name: str) -> Callable[[Callable[[Fields, Fields], Fields]], ReplyRule]:
    """Make a rule of what is said to one pair, given it and the call's fields; `name` is that of the reply's list."""

    def of_all(one: Callable[[Fields, Fields], Fields]) -> ReplyRule:
        @wraps(one)
        def rule(fields: Fields, seed: int) -> ReplyFields:
            return {name: [{"id": pair["id"], **one(pair, fields)} for pair in fields["pairs"]]}

        return rule

    return of_all


def place(fields: Fields) -> str:
    """The last heading of the section's path, or the title."""
    return heading(str(fields.get("section", "")).split(" > ")[-1]) or str(fields.get("title", "")).strip()


def order(seed: int, *parts: object) -> bytes:
    """A sort key that shuffles by seed, the same in every process."""
    return hashlib.blake2b("\x1f".join(map(str, (seed, *parts))).encode(), digest_size=8).digest()
