"""How a call stands by what the journal has of it and of the further tries at it."""

from __future__ import annotations

from typing import NamedTuple

from ..records import Call, Completion
from . import prompts, replies
from .journal import Journal
from .replies import BadReply, Reply


class Standing(NamedTuple):
    """How a call stands: its reply, or what is wrong with the last one; `due` is the call still to be made.

    `in_journal` counts the replies that the journal had.
    """

    reply: Reply | None = None
    fault: BadReply | None = None
    due: Call | None = None
    in_journal: int = 0


def look_up(journal: Journal, call: Call, *, retry_rejected: bool) -> Standing:
    """Follow a call, and the further tries at it, through the journal."""
    due = call
    for known in range(10):
        entry = journal.get(due.key)
        if entry is None or entry.status == "failed":
            return Standing(due=due, in_journal=known)
        standing = read(due, entry.completion)
        if standing.due is None:
            again = call if standing.fault and retry_rejected else None
            return standing._replace(due=again, in_journal=known + 1)
        due = standing.due
    raise AssertionError("a call is followed up once for each kind of fault")


def read(call: Call, completion: Completion) -> Standing:
    """How a call stands with this reply to it."""
    try:
        return Standing(replies.parse(call, completion))
    except BadReply as fault:
        return Standing(fault=fault, due=prompts.follow_up(call, completion, fault))
