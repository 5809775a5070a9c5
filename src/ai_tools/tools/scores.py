"""What a judge says of each source by itself: a score, strengths, weaknesses; and which source to take by all of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from ..records import Pair
from ..teachers.asker import Session
from .pairs import batches, identity
from .preferences import Z
from .rate import CRITERIA, CURATION
from .rework import BATCH_SIZE, ask_about

GOOD, POOR = 0.8, 0.6  # shares of a criterion's points from which it is a strength, and below which a weakness
REPEATED = 0.05  # the share of repeated questions from which they are a weakness
SAID = {  # of a criterion that is a strength, and that is a weakness
    "clarity": ("clear questions, plain answers", "questions or answers that are not clear"),
    "accuracy": ("answers that are right and complete", "answers that are not right or not complete"),
    "usefulness": ("worth knowing", "hardly worth knowing"),
    "difficulty": ("takes understanding", "easy to answer"),
}
WEIGHTS = {"quality": 0.5, "diversity": 0.3, "size": 0.2}
NEARLY = 0.02  # between two sources that are as good as each other, all weighed


@dataclass(frozen=True)
class Sampled:
    """A pair of a source, by the source's number, that is rated for its score."""

    source: int
    pair: Pair


def blocks(samples: Sequence[Sequence[Pair]]) -> list[list[Sampled]]:
    """The samples of all sources, the pairs of one passage together."""
    return [
        [Sampled(source, pair) for _, pair in block]
        for source, rows in enumerate(samples)
        for block in batches(rows, BATCH_SIZE)
    ]


async def rate(block: Sequence[Sampled], session: Session) -> list[Sampled]:
    """The pairs of a block with their ratings, as `curate` gives them; without those that got none."""
    due = [one.pair for one in block if CURATION.state(one.pair) == "due"]
    said = await ask_about(CURATION, due, session)
    found = []
    for one in block:
        if CURATION.known(one.pair):
            found.append(one)
        elif (reply := said.get(identity(one.pair))) is not None:
            found.append(Sampled(one.source, CURATION.done(one.pair, reply, "")))
    return found


def assessment(rated: Sequence[Pair], figures: dict[str, Any]) -> dict[str, Any]:
    """The score of a source, 1 to 10 (the mean rating, with its 95% interval), its strengths and its weaknesses.

    The score is None where nothing was rated. `figures` are those of the source, with its sample's.
    """
    said = list(_said(rated, figures))
    found: dict[str, Any] = {"score": None, "rated": len(rated)}
    if rated:
        totals = [sum(pair[name] for name in CRITERIA) for pair in rated]
        half = Z * stdev(totals) / math.sqrt(len(totals)) if len(totals) > 1 else 10.0
        mean = fmean(totals)
        found["score"] = max(1.0, round(mean, 1))
        found["interval"] = [round(max(1.0, mean - half), 1), round(min(10.0, max(1.0, mean + half)), 1)]
    found["strengths"] = [words for is_good, words in said if is_good]
    return found | {"weaknesses": [words for is_good, words in said if not is_good]}


def _said(rated: Sequence[Pair], figures: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    for name, most in CRITERIA.items() if rated else ():
        mean = fmean(pair[name] for pair in rated)
        if not POOR <= mean / most < GOOD:
            is_good = mean / most >= GOOD
            yield is_good, f"{SAID[name][not is_good]} ({name} {mean:.1f} of {most})"
    grounded = [pair["grounded"] for pair in rated if pair.get("grounded") is not None]
    if grounded:
        other = grounded.count(False)
        words = f"{other / len(grounded):.0%} say what their passage does not" if other else "nothing without a source"
        yield not other, words
    near, exact = figures["sample"]["near_duplicates"], figures["exact_duplicates"]
    if max(near, exact) >= REPEATED:
        yield False, f"{exact:.0%} stand there twice, {near:.0%} ask nearly what another asks"
    elif figures["pairs"] > 1:
        yield True, "hardly a question is asked twice"


def recommendation(assessed: dict[str, dict[str, Any]], figures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Which source to take, with what was weighed: quality (the score), diversity, and size; each from 0 to 1.

    Diversity is the share of pairs that repeat no other, size the number of those beside the largest source's. Without
    a score of every source quality is left out. `take` is None where two are as good as each other. `leave_out` are
    sources that would spoil a merge: their score is poor, and its interval lies below that of the best.
    """
    spoils = _spoils(assessed)
    distinct = {name: one["pairs"] * (1 - one["exact_duplicates"]) for name, one in figures.items()}
    weighs = {
        name: WEIGHTS[name] for name in WEIGHTS if name != "quality" or all(one["score"] for one in assessed.values())
    }
    weighed = {}
    for name, one in figures.items():
        points = {
            "quality": (assessed[name]["score"] or 0) / 10,
            "diversity": (1 - one["exact_duplicates"]) * (1 - one["sample"]["near_duplicates"]),
            "size": distinct[name] / max(distinct.values()),
        }
        total = sum(weighs[which] * points[which] for which in weighs) / sum(weighs.values())
        weighed[name] = {which: round(points[which], 2) for which in weighs} | {"total": round(total, 2)}
    best, second = sorted(weighed, key=lambda name: (name in spoils, -weighed[name]["total"]))[:2]
    is_ahead = second in spoils or weighed[best]["total"] - weighed[second]["total"] > NEARLY
    told = ", ".join(f"{which} {weighed[best][which]:.2f}" for which in weighs)
    reason = (
        f"recommended: {best} ({told}; weighed {weighed[best]['total']:.2f}, {second} {weighed[second]['total']:.2f})"
        if is_ahead
        else f"recommended: neither of {best} and {second} before the other by {', '.join(weighs)}; merge them"
    )
    reason += f"; not to be merged: {', '.join(spoils.values())}" if spoils else ""
    return {
        "take": best if is_ahead else None,
        "leave_out": list(spoils),
        "reason": reason,
        "weights": weighs,
        "weighed": weighed,
    }


def _spoils(assessed: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The sources that are surely worse than the best and poor, each with why."""
    scored = {name: one for name, one in assessed.items() if one["score"] is not None}
    best = max(scored, key=lambda name: scored[name]["score"], default="")
    return {
        name: f"{name} (score {one['score']:g} of 10, {best} {scored[best]['score']:g})"
        for name, one in scored.items()
        if one["score"] < 10 * POOR and one["interval"][1] < scored[best]["interval"][0]
    }


def told(name: str, one: dict[str, Any]) -> str:
    """An assessment as a sentence."""
    if one["score"] is None:
        lead = "not rated"
    else:
        low, high = one["interval"]
        lead = f"score {one['score']:g} of 10 (95% interval {low:g} to {high:g}, {one['rated']:,} rated)"
    lists = [f"{which}: {', '.join(one[which]) or 'none found'}" for which in ("strengths", "weaknesses")]
    return f"{name}: {'; '.join([lead, *lists])}"
