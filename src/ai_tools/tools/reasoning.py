"""Reasoning that leads to answers: with new questions, or for pairs that are there (arXiv 2305.02301)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..matching import missing_facts
from ..records import Rejection
from ..settings import Settings
from . import outputs
from .rework import BATCH_SIZE, Rework, opened, rework
from .running import Done, Pair, Run

_MARK = re.compile(r"^(?:(?:step\s*)?\d+[.):]\s+|[-*\u2022]\s+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Reasoned(Done):
    """What `enhance_cot` made: pairs with reasoning, those whose answer does not follow, and those that failed."""

    output: Path
    pairs: int
    reasoned: int
    not_following: int
    failed: int


def enhance_cot(
    source: str | Path,
    output: Path,
    settings: Settings,
    *,
    batch_size: int = BATCH_SIZE,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> Reasoned:
    """Let the teacher write the reasoning of every pair, as numbered steps in `reasoning`; `type` becomes `cot`.

    Questions, answers and all else stay as they are. `follows` says whether the answer follows from the steps: by the
    teacher's own word, and because every number, name and quoted word of it stands in them. A pair that got no usable
    reply comes out as it was. Pairs that have reasoning are left alone, but by `run.fresh`.

    Args:
        source: a file of pairs, or a folder of `*_qa.json`; `output` is a file or, of a folder, a folder.
        passages_from: supplies the passages of pairs that came without `source_text`; they may do without.

    Raises:
        UsageError, InputError: what is asked for cannot be.
    """
    run = run or Run()
    given = opened(source, output, "follows", settings, run, passages_from)
    reasoned = not_following = 0
    with outputs.pairs_to(output, given.pairs) as write:

        def take(pair: Pair, fault: Rejection | None) -> None:
            nonlocal reasoned, not_following
            reasoned += fault is None
            not_following += fault is None and pair.get("follows") is False
            write(pair)

        work = Rework("enhance-cot", "reasoning", _reasoned, _has_reasoning, needs_passage=False)
        done = rework(work, given, settings, run, take, batch_size=batch_size)
    return Reasoned(
        **vars(done),
        pairs=given.pairs.total,
        reasoned=reasoned,
        not_following=not_following,
        failed=given.pairs.total - reasoned,
    )


def _reasoned(pair: Pair, said: Any, _: str) -> Pair:
    reasoning = numbered(said.steps)
    return pair | {"type": "cot", "reasoning": reasoning, "follows": follows(said, reasoning, pair["answer"])}


def numbered(steps: list[str]) -> str:
    """Steps as lines `1. …`, however the teacher has marked them."""
    plain = [_MARK.sub("", step.strip()) for step in steps]
    return "\n".join(f"{number}. {step}" for number, step in enumerate(filter(None, plain), 1))


def follows(said: Any, reasoning: str, answer: str) -> bool:
    """Whether an answer follows from its reasoning: the teacher says so, and nothing in it comes from nowhere."""
    return bool(said.follows and reasoning and not missing_facts(answer, reasoning))


def _has_reasoning(pair: Pair) -> bool:
    return bool(pair.get("reasoning"))
