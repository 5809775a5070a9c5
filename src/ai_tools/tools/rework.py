"""Asking a teacher about pairs that are there: the one way of enrich, enhance-cot, curate and validate."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..documents.screening import Screen
from ..errors import InputError, UsageError
from ..files import Register
from ..records import Pair, Rejection
from ..settings import Settings
from ..teachers.asker import Session
from ..teachers.by_id import ask_by_id
from ..workspace import journal_path
from . import outputs, pairs, reading, running
from .pairs import InOrder, Pairs, batches, identity, shown
from .reading import Texts
from .running import Run, ToolSummary

BATCH_SIZE = 5  # pairs in a call
NO_PASSAGE = "no source_text, and --source has no such passage"
ALONE = "pairs have no passage (give those with --source); each is judged by itself and marked `grounded: null`"


@dataclass(frozen=True)
class Rework:
    """What a tool asks about pairs, and what it makes of the answer.

    `apply(pair, said, model)` gives the pair that comes out of one item of the reply, where it is `usable`. `known`
    says of a pair that it needs no asking; `afresh` makes of one what it was before, where all are asked about anew.
    `mark` is the field that it adds, kept the last. `judges`: the judge is asked. A pair without its passage is not
    worked on where `needs_passage`; else by itself, with the prompt `alone` where there is one.
    """

    name: str
    prompt: str
    mark: str
    apply: Callable[[Pair, Any, str], Pair]
    known: Callable[[Pair], bool]
    usable: Callable[[Any], bool] = lambda _: True
    afresh: Callable[[Pair], Pair] = lambda pair: pair
    judges: bool = False
    needs_passage: bool = False
    alone: str = ""
    topic: str = ""

    def marked(self, pair: Pair) -> Pair:
        """The pair with the mark, where it has one, behind all else."""
        return pair | {self.mark: pair.pop(self.mark)} if self.mark in pair else pair

    def state(self, pair: Pair) -> str:
        """What is to be done with a pair: nothing, since it is `known` or `lacking` its passage, or it is `due`."""
        if self.known(pair):
            return "known"
        return "lacking" if self.needs_passage and not pair.get("source_text") else "due"

    def done(self, pair: Pair, said: Any, model: str) -> Pair:
        """What comes of a pair; where it has no passage, nobody can say whether that has it."""
        made = self.apply(self.afresh(pair), said, model)
        return made if pair.get("source_text") else made | {"grounded": None}


@dataclass(frozen=True)
class Task:
    """A rework of the pairs of a source, the passages that complete them, and where what becomes of them will go."""

    work: Rework
    pairs: Pairs
    texts: Texts
    output: Path
    register: Register
    settings: Settings
    run: Run
    batch_size: int
    started: float


def prepare(
    work: Rework,
    source: str | Path,
    output: str | Path,
    settings: Settings,
    run: Run | None,
    passages_from: str | Path | None,
    *,
    batch_size: int = BATCH_SIZE,
    as_folder: bool = True,
) -> Task:
    """Read the pairs; refuse, before any work, what cannot be.

    That is an output that does not fit, or that others made; a batch of none; a teacher, or a judge where that is who
    is asked, without a key.
    """
    started, output, run = time.monotonic(), Path(output), run or Run()
    if batch_size < 1:
        raise UsageError(f"--batch-size {batch_size}: give a whole number from 1 up")
    running.connect(settings, judges=work.judges)
    read = pairs.read(source)
    into = [file.path.name for file in read.files] if as_folder else None
    register = Register(journal_path(settings.output), work.name)
    outputs.check(output, register, source=Path(source), overwrite=run.overwrite, into=into)
    texts = reading.texts(passages_from, settings, run.on_reading)
    anew = {"known": lambda _: False} if run.fresh else {"afresh": lambda pair: pair}
    return Task(replace(work, **anew), read, texts, output, register, settings, run, batch_size, started)


def rework(task: Task, take: Callable[[Pair, Rejection | None], None]) -> ToolSummary:
    """Ask about all pairs, those of one passage together.

    Args:
        take: is given every pair in the order of the source, as it comes out; with a rejection where it could not be
            worked on: `passage` where it has none, `reply` where no usable answer came, `sensitive` or `injection`
            where it may not be sent.

    Raises:
        InputError: no pair has its passage, and all would need it.
    """
    work, read = task.work, task.pairs
    screen = Screen(task.settings, "pairs")
    held_back = dict[int, Rejection]()

    def blocks() -> Iterator[list[tuple[int, Pair]]]:
        return batches(map(screened, enumerate(map(task.texts.complete, read))), task.batch_size)

    def screened(numbered: tuple[int, Pair]) -> Pair:
        number, pair = numbered
        done = pair if work.known(pair) else screen.pair(pair)
        if isinstance(done, Rejection):
            held_back[number] = replace(done, row={})
            return pair
        return done

    async def chain(block: list[tuple[int, Pair]], session: Session) -> list[tuple[int, tuple[Pair, Rejection | None]]]:
        due = [work.afresh(pair) for number, pair in block if number not in held_back and work.state(pair) == "due"]
        said = await ask_about(work, due, session)
        return [
            (number, outcome(number, pair, said.get(identity(work.afresh(pair))), session)) for number, pair in block
        ]

    def outcome(number: int, pair: Pair, said: Any, session: Session) -> tuple[Pair, Rejection | None]:
        state = work.state(pair)
        if number in held_back:
            return pair, replace(held_back[number], row=pair)
        if state == "lacking":
            return pair, Rejection("passage", NO_PASSAGE, pair)
        if state == "due" and said is None:
            return pair, Rejection("reply", "no usable reply came back", pair)
        return pair if state == "known" else work.done(pair, said, session.teacher.model), None

    count, states, alone = _counted(work, blocks())
    notice = screen.notice
    if len(held_back) == read.total:
        raise InputError(f"{notice}: none is left; take such pairs out, or SENSITIVE=mask")
    if states["lacking"] == read.total:
        raise InputError(f"none of the {read.total:,} pairs has its passage ({NO_PASSAGE}); give one with --source")
    with running.asking(
        work.name, blocks(), chain, task.settings, task.run, unread=read.failed, judges=work.judges, notice=notice
    ) as asker:
        in_order = InOrder(lambda done: take(work.marked(done[0]), done[1]))
        asked = asker.run(chain, blocks(), count, each=in_order)
    failed = [*asked.failed, *([Rejection("passage", NO_PASSAGE, {})] if states["lacking"] else [])]
    warnings = (*read.warnings, *([f"{alone:,} {ALONE}"] if alone and not work.needs_passage else []))
    return running.done(
        asker.teacher, task.output, task.started, asked.usage, failed,
        already=states["known"], unread=read.failed, warnings=warnings, held_back=tuple(held_back.values()),
    )  # fmt: skip


def _counted(work: Rework, blocks: Iterator[list[tuple[int, Pair]]]) -> tuple[int, Counter[str], int]:
    """How many blocks there are, how many pairs in each state, and how many without their passage."""
    states, count, alone = Counter[str](), 0, 0
    for block in blocks:
        count += 1
        states.update(work.state(pair) for _, pair in block)
        alone += sum(not pair.get("source_text") for _, pair in block)
    return count, states, alone


async def ask_about(work: Rework, due: Sequence[Pair], session: Session) -> dict[str, Any]:
    """What the teacher says of pairs of one passage, by their identity."""
    if not due:
        return {}
    passage = due[0].get("source_text", "")
    prompt = work.prompt if passage else work.alone or work.prompt
    origin = {"recipe": work.name, "chunk_id": str(due[0].get("chunk_id", ""))}
    fields, things = {"passage": passage, "topic": work.topic}, list(map(shown, due))
    said = await ask_by_id(session, prompt, fields, things, origin=origin, most=len(things), alone=True)
    return {one.id: one.part for one in said if work.usable(one.part)}
