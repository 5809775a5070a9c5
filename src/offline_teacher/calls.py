"""What every rule that answers a prompt needs: the type of its reply, the name of the section, an order by seed."""

from __future__ import annotations

import hashlib
from typing import Any

from .blocks import heading

ReplyFields = dict[str, list[dict[str, Any]]] | dict[str, list[str]]


def place(fields: dict[str, Any]) -> str:
    """The last heading of the section's path, or the title."""
    return heading(str(fields.get("section", "")).split(" > ")[-1]) or str(fields.get("title", "")).strip()


def order(seed: int, *parts: object) -> bytes:
    """A sort key that shuffles by seed, the same in every process."""
    return hashlib.blake2b("\x1f".join(map(str, (seed, *parts))).encode(), digest_size=8).digest()
