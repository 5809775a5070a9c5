"""How every tool that asks a teacher is run: what the caller may choose, the plan before it, the asking itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .. import teachers, workspace
from ..errors import NotConfirmed
from ..records import OnProgress, Rejection, Teacher, Usage
from ..settings import Settings
from ..teachers.asker import Asker, Session, how_again
from ..teachers.dry_run import DryRun, Estimate
from ..teachers.journal import Journal

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What a tool, or each stage of one, would take, who would be asked, and what of the input cannot be used.

    `own` are the user's words that stand in place of the prompt's, by what they are; `notice` is what to know of the
    text before it leaves.
    """

    estimates: tuple[Estimate, ...]
    teacher: str
    instructions: str
    unread: tuple[Rejection, ...]
    own: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""


@dataclass(frozen=True)
class Run:
    """How a tool is run, whatever it does.

    `overwrite` allows an output that it did not make; `fresh` makes everything anew, what the journal has aside.
    `confirm` is shown the plan before the first call; where it says no, NotConfirmed is raised and nothing was asked.
    `on_reading` follows the conversion of documents, `on_progress` the calls.
    """

    overwrite: bool = False
    fresh: bool = False
    confirm: Callable[[Plan], bool] | None = None
    on_reading: OnProgress | None = None
    on_progress: OnProgress | None = None


@dataclass(frozen=True, kw_only=True)
class ToolSummary:
    """What every tool that asks says of its work.

    `teacher` is who was asked; `already` counts what needed no asking, being done before; `causes` are why calls came
    to nothing, and `again` how they are made again; `unread` is what of the input could not be used, `held_back` what
    may not be sent, `warnings` what was used all the same; `asked` has calls, tokens and money.
    """

    output: Path
    teacher: str
    already: int
    causes: tuple[str, ...]
    again: str
    unread: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    held_back: tuple[Rejection, ...] = ()
    asked: Usage
    seconds: float

    @property
    def why(self) -> str:
        """Why calls came to nothing, in few words, and how they are made again; empty where none did."""
        return why(self.causes, self.again)


def why(causes: Sequence[str], again: str) -> str:
    return "; ".join([*causes[:3], *([again] if causes else [])])


def causes_of(failed: Sequence[Rejection]) -> tuple[tuple[str, ...], str]:
    """Why calls came to nothing, each cause once, and how they are made again."""
    return tuple(sorted({row.reason for row in failed})), how_again(failed, "--retry-rejected")


@contextmanager
def asking(
    name: str,
    items: Iterable[T],
    chain: Callable[[T, Session], Awaitable[Any]],
    settings: Settings,
    run: Run,
    *,
    unread: Sequence[Rejection] = (),
    instructions: str = "",
    own: Mapping[str, str] | None = None,
    judges: bool = False,
    notice: str = "",
) -> Iterator[Asker]:
    """An asker on the journal of the output folder, once `run.confirm` has seen what `chain` takes over `items`.

    Args:
        items: gone through once for the plan, and again by the caller.
        judges: whether it is the judge that is asked; the plan names it then.
        notice: what to know of the text, said in the plan and with the first call that leaves.
    """
    asked = connect(settings, judges=judges)
    if run.confirm:
        confirm(
            (name,), items, lambda item, stages: chain(item, stages[0]), settings, run.confirm, asked,
            unread=unread, instructions=instructions, own=own, notice=notice,
        )  # fmt: skip
    with Journal(workspace.journal_path(settings.output)) as journal:
        yield teachers.make_asker(
            settings,
            journal,
            teacher=asked,
            instructions=instructions,
            on_progress=run.on_progress,
            notice=notice,
        )


def confirm(
    names: Sequence[str],
    items: Iterable[T],
    chain: Callable[[T, Sequence[DryRun]], Awaitable[Any]],
    settings: Settings,
    agrees: Callable[[Plan], bool],
    teacher: Teacher,
    judge: Teacher | None = None,
    *,
    unread: Sequence[Rejection] = (),
    instructions: str = "",
    own: Mapping[str, str] | None = None,
    notice: str = "",
) -> None:
    """Show the plan of one stage or more to `agrees`; `chain` is given an item and a dry run for each stage.

    The plan names the teacher; a judge is told only where the stages ask both.

    Raises:
        NotConfirmed: it says no.
    """
    path = workspace.journal_path(settings.output)
    with Journal(path, read_only=path.exists()) as journal:
        asker = teachers.make_asker(settings, journal, teacher=teacher, judge=judge, instructions=instructions)
        stages = [DryRun(asker, name) for name in names]
        stages[0].run(lambda item, _: chain(item, stages), items)
    estimates = tuple(stage.estimate for stage in stages)
    told = teachers.leaving(teacher, notice)
    if not agrees(Plan(estimates, teachers.describe(teacher), instructions, tuple(unread), own or {}, told)):
        raise NotConfirmed


def connect(settings: Settings, *, judges: bool) -> Teacher:
    """Whom a tool asks: the judge, or the teacher. The key of who is not asked is not needed."""
    return teachers.connect_judge(settings) if judges else teachers.connect(settings)


def done(
    teacher: Teacher,
    output: Path,
    started: float,
    asked: Usage,
    failed: Sequence[Rejection],
    *,
    already: int = 0,
    unread: Sequence[Rejection] = (),
    warnings: Sequence[str] = (),
    held_back: Sequence[Rejection] = (),
) -> ToolSummary:
    """What is said of work that began at `started`, by the monotonic clock; `failed` are calls that came to nothing."""
    causes, again = causes_of(failed)
    return ToolSummary(
        output=output,
        teacher=teachers.describe(teacher),
        already=already,
        causes=causes,
        again=again,
        unread=tuple(unread),
        warnings=tuple(warnings),
        held_back=tuple(held_back),
        asked=asked,
        seconds=time.monotonic() - started,
    )
