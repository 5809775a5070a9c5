"""Answers worded better, by response rewriting (arXiv 2408.04614), with no fact added or lost."""

from __future__ import annotations

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

NOT_REWRITTEN = ("unchanged", "refused", "failed")  # how `enrichment_changes` begins, before a colon, of other answers


@dataclass(frozen=True, kw_only=True)
class EnrichSummary(ToolSummary):
    """What `enrich` made: `rewritten` answers, `unchanged` ones, `refused` rewrites, which lost or added something.

    Pairs that may not be sent are `refused`, too.
    `failed` pairs got no usable reply. Both of the last two keep their answer and say why.
    """

    pairs: int
    rewritten: int
    unchanged: int
    refused: int
    failed: int


def enrich(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    preserve_original: bool = True,
    batch_size: int = BATCH_SIZE,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> EnrichSummary:
    """Let the teacher word every answer better. Questions, order, and all else that a pair holds stay as they are.

    A rewrite is taken where every number, name and quoted word of the answer is still in it, and where those that are
    new stand in the passage. Otherwise the answer stays. `enrichment_changes` says what was changed, or why not;
    `original_answer` keeps the former one. Pairs that were enriched before are left alone; `run.fresh` begins anew with
    their `original_answer`, where they have one.

    Args:
        source: a file of pairs, or a folder of `*_qa.json`; `output` is a file or, of a folder, a folder.
        preserve_original: whether `original_answer` is kept.
        passages_from: supplies the passages of pairs that came without `source_text`; a pair that gets none is worked
            on by itself, marked `grounded: null`, and counted in `warnings`.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: no pair got a usable reply.
    """
    task = prepare(WORK, source, output, settings, run, passages_from, batch_size=batch_size)
    counts = Counter(dict.fromkeys(("rewritten", *NOT_REWRITTEN), 0))
    with outputs.pairs_to(task.output, task.pairs, task.register.note) as write:

        def take(pair: Pair, fault: Rejection | None) -> None:
            word = "refused" if fault and fault.check in HELD_BACK else "failed"
            done = pair if fault is None else _noted(_as_before(pair), f"{word}: {fault.reason}")
            counts[_state(done)] += 1
            if not preserve_original:
                done = {name: value for name, value in done.items() if name != "original_answer"}
            write(done)

        done = rework(task, take)
        if counts["failed"] == task.pairs.total:
            raise NothingProduced(f"{source}: none of {task.pairs.total:,} answers got a usable reply ({done.why})")
    return EnrichSummary(**vars(done) | {"pairs": task.pairs.total} | counts)


def _rewritten(pair: Pair, said: Any, _: str) -> Pair:
    answer = said.answer.strip()
    if answer == pair["answer"].strip():
        return _noted(pair, "unchanged: the answer was good as it is")
    if fault := difference(pair, answer):
        return _noted(pair, f"refused: {fault}")
    told = said.changes.strip()
    is_note = told and told.rstrip(".").lower() != "none" and told.split(":")[0] not in NOT_REWRITTEN
    return _noted(pair, told if is_note else f"reworded ({told})" if told else "reworded") | {"answer": answer}


def difference(pair: Pair, answer: str) -> str:
    """What a rewritten answer loses of the old one, or adds that neither question nor passage has; empty if nothing."""
    if not answer:
        return "the rewrite is empty"
    if lost := missing_facts(pair["answer"], answer):
        return f"the rewrite loses {', '.join(lost[:5])}"
    told = "\n".join((pair["answer"], pair["question"], pair.get("source_text", "")))
    if added := missing_facts(answer, told, whole=False):
        return f"the rewrite adds {', '.join(added[:5])}"
    return ""


def _noted(pair: Pair, changes: str) -> Pair:
    """The pair with what became of its answer, and the answer that it had."""
    return pair | {"original_answer": pair.get("original_answer", pair["answer"]), "enrichment_changes": changes}


def _as_before(pair: Pair) -> Pair:
    """The pair as it was before it was enriched, as far as it says that itself."""
    original = pair.get("original_answer")
    answer = original if "enrichment_changes" in pair and isinstance(original, str) and original else pair["answer"]
    return pair | {"answer": answer}


def _state(pair: Pair) -> str:
    state = str(pair["enrichment_changes"]).split(":")[0]
    return state if state in NOT_REWRITTEN else "rewritten"


WORK = Rework(
    "enrich", "rewrite", "enrichment_changes", _rewritten,
    known=lambda pair: "enrichment_changes" in pair and _state(pair) != "failed", afresh=_as_before,
)  # fmt: skip
