"""Reasoning that leads to answers: with new questions, or for pairs that are there (arXiv 2305.02301)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..documents.screening import CHECKS as HELD_BACK
from ..errors import NothingProduced
from ..matching import missing_facts
from ..records import Pair, Rejection
from ..settings import Settings
from . import outputs
from .rework import BATCH_SIZE, Rework, prepare, rework
from .running import Run, ToolSummary

_MARK = re.compile(r"(?:step\s*)?(\d+)[.):](?:\s+|$)|[-*\u2022](?:\s+|$)", re.IGNORECASE)

_STEP = re.compile(r"^Step \d+: ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class EnhanceCotSummary(ToolSummary):
    """What `enhance_cot` made: pairs with reasoning, those whose answer does not follow, and those that failed."""

    pairs: int
    reasoned: int
    not_following: int
    failed: int


def enhance_cot(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    batch_size: int = BATCH_SIZE,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> EnhanceCotSummary:
    """Let the teacher write the reasoning of every pair, as steps, `Step 1: …`, in `reasoning`; `type` becomes `cot`.

    Questions, answers and all else stay as they are. `follows` says whether the answer follows from the steps: by the
    teacher's own word, and because every number, name and quoted word of it stands in them. A pair that got no usable
    reply comes out as it was. Pairs that have reasoning are left alone, but by `run.fresh`.

    Args:
        source, output, passages_from: as for `enrich`.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: no pair got a usable reply.
    """
    task = prepare(WORK, source, output, settings, run, passages_from, batch_size=batch_size)
    total, counts = task.pairs.total, Counter[str]()
    with outputs.pairs_to(task.output, task.pairs, task.register.note) as write:

        def take(pair: Pair, fault: Rejection | None) -> None:
            state = "not_following" if pair.get("follows") is False else "following"
            counts[("held_back" if fault.check in HELD_BACK else "failed") if fault else state] += 1
            write(pair)

        done = rework(task, take)
        if counts["failed"] == total:
            why = done.why or "replies without a step"
            raise NothingProduced(f"{source}: none of {total:,} pairs got usable reasoning ({why})")
    failed, not_following = counts["failed"], counts["not_following"]
    return EnhanceCotSummary(
        **vars(done),
        pairs=total,
        reasoned=total - failed - counts["held_back"],
        not_following=not_following,
        failed=failed,
    )


def _reasoned(pair: Pair, said: Any, _: str) -> Pair:
    reasoning = numbered(said.steps)
    return pair | {"type": "cot", "reasoning": reasoning, "follows": follows(said, reasoning, pair["answer"])}


def numbered(steps: list[str]) -> str:
    """Steps as lines `Step 1: …`, however the teacher marked them; a number that does not count them is of the step."""
    plain: list[str] = []
    for step in map(str.strip, steps):
        mark = _MARK.match(step)
        is_mark = mark and (mark[1] is None or int(mark[1]) == len(plain) + 1)
        plain += filter(None, [step[mark.end() :].strip() if mark and is_mark else step])
    return "\n".join(f"Step {number}: {step}" for number, step in enumerate(plain, 1))


def follows(said: Any, reasoning: str, answer: str) -> bool:
    """Whether an answer follows from its reasoning: the teacher says so, and nothing in it comes from nowhere."""
    return bool(said.follows and reasoning and not missing_facts(answer, _STEP.sub("", reasoning)))


def _without_reasoning(pair: Pair) -> Pair:
    return {name: value for name, value in pair.items() if name not in ("reasoning", "follows")}


WORK = Rework(
    "enhance-cot", "reasoning", "follows", _reasoned, known=lambda pair: bool(pair.get("reasoning")),
    usable=lambda said: bool(numbered(said.steps)), afresh=_without_reasoning,
)  # fmt: skip
