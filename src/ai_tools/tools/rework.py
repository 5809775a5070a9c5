"""Asking a teacher about pairs that are there: the one way of enrich, enhance-cot, curate and validate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..asking import Asks
from ..errors import UsageError
from ..records import Rejection
from ..settings import Settings
from . import outputs, pairs, passages, running
from .pairs import InOrder, Pairs, batches, identity, shown
from .passages import Texts
from .running import Done, Pair, Run

BATCH_SIZE = 5  # pairs in a call


def nothing_known(_: Pair) -> bool:
    return False


@dataclass(frozen=True)
class Rework:
    """What a tool asks about pairs, and what it makes of the answer.

    `apply(pair, said, model)` gives the pair that comes out of one item of the reply. `known` says of a pair that it
    needs no asking. `judges`: the judge is asked. A pair without its passage is not worked on where `needs_passage`.
    """

    name: str
    prompt: str
    apply: Callable[[Pair, Any, str], Pair]
    known: Callable[[Pair], bool] = nothing_known
    judges: bool = False
    needs_passage: bool = True
    topic: str = ""


@dataclass(frozen=True)
class Opened:
    """The pairs of a source, the passages that complete them, and where what becomes of them will go."""

    pairs: Pairs
    texts: Texts
    output: Path
    started: float


def opened(
    source: str | Path,
    output: Path,
    mark: str,
    settings: Settings,
    run: Run,
    passages_from: str | Path | None,
    *,
    as_folder: bool = True,
) -> Opened:
    """Read the pairs, and refuse an output that does not fit or is not known as ours by the field `mark`."""
    started = time.monotonic()
    read = pairs.read(source)
    names = read if as_folder else None
    outputs.check(output, mark, source=Path(source), overwrite=run.overwrite, names=names)
    return Opened(read, passages.texts(passages_from, settings, run.on_reading), output, started)


def rework(
    work: Rework,
    given: Opened,
    settings: Settings,
    run: Run,
    take: Callable[[Pair, Rejection | None], None],
    *,
    batch_size: int = BATCH_SIZE,
) -> Done:
    """Ask about all pairs, those of one passage together.

    Args:
        take: is given every pair in the order of the source, as it comes out; with a rejection where it could not be
            worked on: `passage` where it has none, `reply` where no usable answer came.
    """

    def blocks() -> Iterator[list[tuple[int, Pair]]]:
        return batches(map(given.texts.complete, given.pairs), batch_size)

    if batch_size < 1:
        raise UsageError(f"--batch-size {batch_size}: give a whole number from 1 up")

    def is_known(pair: Pair) -> bool:
        return not run.fresh and work.known(pair)

    def is_due(pair: Pair) -> bool:
        return not is_known(pair) and bool(pair.get("source_text") or not work.needs_passage)

    async def chain(block: list[tuple[int, Pair]], asker: Asks) -> list[tuple[int, tuple[Pair, Rejection | None]]]:
        said = await ask_about(work, [pair for _, pair in block if is_due(pair)], asker)
        return [(number, outcome(pair, said.get(identity(pair)), asker)) for number, pair in block]

    def outcome(pair: Pair, said: Any, asker: Asks) -> tuple[Pair, Rejection | None]:
        if is_known(pair):
            return pair, None
        if said is not None:
            return work.apply(pair, said, (asker.judge if work.judges else asker.teacher).model), None
        if not is_due(pair):
            return pair, Rejection("passage", "no source_text, and --source has no such passage", pair)
        return pair, Rejection("reply", "no usable reply came back", pair)

    read = given.pairs
    with running.asking(work.name, blocks(), chain, settings, run, unread=read.failed, judges=work.judges) as asker:
        in_order = InOrder(lambda done: take(*done))
        knowns = [sum(is_known(pair) for _, pair in block) for block in blocks()]
        asker.run((chain(block, asker) for block in blocks()), len(knowns), each=in_order)
        who = asker.judge if work.judges else asker.teacher
    return running.done(
        asker, who, given.output, given.started, already=sum(knowns), unread=read.failed, warnings=read.warnings
    )


async def ask_about(work: Rework, due: Sequence[Pair], asker: Asks) -> dict[str, Any]:
    """What the teacher says of pairs of one passage, by their identity."""
    if not due:
        return {}
    fields = {"passage": due[0].get("source_text", ""), "topic": work.topic}
    asked = list({identity(pair): shown(pair) for pair in due}.values())
    origin = {"recipe": work.name, "chunk_id": str(due[0].get("chunk_id", ""))}
    return await running.ask_by_id(asker, work.prompt, fields, asked, **origin)
