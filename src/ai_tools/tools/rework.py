"""Asking a teacher about pairs that are there: the one way of enrich, enhance-cot, curate and validate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, UsageError
from ..files import Register
from ..records import Rejection
from ..settings import Settings
from ..teachers.asker import Session
from ..workspace import journal_path
from . import outputs, pairs, reading, running
from .pairs import InOrder, Pairs, batches, identity, shown
from .reading import Texts
from .running import Done, Pair, Run

BATCH_SIZE = 5  # pairs in a call
NO_PASSAGE = "no source_text, and --source has no such passage"


def nothing_known(_: Pair) -> bool:
    return False


def all_usable(_: Any) -> bool:
    return True


def as_it_is(pair: Pair) -> Pair:
    return pair


@dataclass(frozen=True)
class Rework:
    """What a tool asks about pairs, and what it makes of the answer.

    `apply(pair, said, model)` gives the pair that comes out of one item of the reply, where it is `usable`. `known`
    says of a pair that it needs no asking; `afresh` makes of one what it was before, where all are asked about anew.
    `mark` is the field that it adds, kept the last. `judges`: the judge is asked. A pair
    without its passage is not worked on where `needs_passage`.
    """

    name: str
    prompt: str
    mark: str
    apply: Callable[[Pair, Any, str], Pair]
    known: Callable[[Pair], bool] = nothing_known
    usable: Callable[[Any], bool] = all_usable
    afresh: Callable[[Pair], Pair] = as_it_is
    judges: bool = False
    needs_passage: bool = True
    topic: str = ""

    def marked(self, pair: Pair) -> Pair:
        """The pair with the mark, where it has one, behind all else."""
        return pair | {self.mark: pair.pop(self.mark)} if self.mark in pair else pair

    def lacks_passage(self, pair: Pair) -> bool:
        return self.needs_passage and not pair.get("source_text")


@dataclass(frozen=True)
class Task:
    """A rework of the pairs of a source, the passages that complete them, and where what becomes of them will go."""

    work: Rework
    pairs: Pairs
    texts: Texts
    output: Path
    register: Register
    started: float
    batch_size: int = BATCH_SIZE

    def blocks(self) -> Iterator[list[tuple[int, Pair]]]:
        """The pairs, complete, those of one passage together."""
        return batches(map(self.texts.complete, self.pairs), self.batch_size)


def prepare(
    work: Rework,
    source: str | Path,
    output: Path,
    settings: Settings,
    run: Run,
    passages_from: str | Path | None,
    *,
    batch_size: int = BATCH_SIZE,
    as_folder: bool = True,
) -> Task:
    """Read the pairs; refuse, before any work, what cannot be.

    That is an output that does not fit, or that others made; a batch of none; a teacher, or a judge where that is who
    is asked, without a key.
    """
    started = time.monotonic()
    if batch_size < 1:
        raise UsageError(f"--batch-size {batch_size}: give a whole number from 1 up")
    running.connect(settings, judges=work.judges)
    read = pairs.read(source)
    names = read if as_folder else None
    register = Register(journal_path(settings.output), work.name)
    outputs.check(output, register, source=Path(source), overwrite=run.overwrite, names=names)
    texts = reading.texts(passages_from, settings, run.on_reading)
    return Task(work, read, texts, output, register, started, batch_size)


def rework(task: Task, settings: Settings, run: Run, take: Callable[[Pair, Rejection | None], None]) -> Done:
    """Ask about all pairs, those of one passage together.

    Args:
        take: is given every pair in the order of the source, as it comes out; with a rejection where it could not be
            worked on: `passage` where it has none, `reply` where no usable answer came.

    Raises:
        InputError: no pair has its passage, and all would need it.
    """
    work, read = task.work, task.pairs

    def is_known(pair: Pair) -> bool:
        return not run.fresh and work.known(pair)

    def begun(pair: Pair) -> Pair:
        return work.afresh(pair) if run.fresh else pair

    async def chain(block: list[tuple[int, Pair]], session: Session) -> list[tuple[int, tuple[Pair, Rejection | None]]]:
        due = [begun(pair) for _, pair in block if not is_known(pair) and not work.lacks_passage(pair)]
        said = await ask_about(work, due, session)
        return [(number, outcome(pair, said.get(identity(begun(pair))), session)) for number, pair in block]

    def outcome(pair: Pair, said: Any, session: Session) -> tuple[Pair, Rejection | None]:
        if is_known(pair):
            return pair, None
        if work.lacks_passage(pair):
            return pair, Rejection("passage", NO_PASSAGE, pair)
        if said is None:
            return pair, Rejection("reply", "no usable reply came back", pair)
        return work.apply(begun(pair), said, session.teacher.model), None

    counts = [
        (sum(is_known(pair) for _, pair in block), sum(work.lacks_passage(pair) for _, pair in block))
        for block in task.blocks()
    ]
    already, lacking = (sum(column) for column in zip(*counts, strict=True))
    if lacking == read.total and not already:
        raise InputError(f"none of the {lacking:,} pairs has its passage ({NO_PASSAGE}); give one with --source")
    with running.asking(
        work.name, task.blocks(), chain, settings, run, unread=read.failed, judges=work.judges
    ) as asker:
        in_order = InOrder(lambda done: take(work.marked(done[0]), done[1]))
        asked = asker.run(chain, task.blocks(), len(counts), each=in_order)
    told = {"already": already, "unread": read.failed, "warnings": read.warnings}
    done = running.done(asker.teacher, task.output, task.started, asked.usage, asked.failed, **told)
    return replace(done, causes=(*done.causes, *([NO_PASSAGE] if lacking else [])))


async def ask_about(work: Rework, due: Sequence[Pair], session: Session) -> dict[str, Any]:
    """What the teacher says of pairs of one passage, by their identity."""
    if not due:
        return {}
    fields = {"passage": due[0].get("source_text", ""), "topic": work.topic}
    origin = {"recipe": work.name, "chunk_id": str(due[0].get("chunk_id", ""))}
    said = await running.ask_by_id(session, work.prompt, fields, list(map(shown, due)), **origin)
    return {name: one for name, one in said.items() if work.usable(one)}
