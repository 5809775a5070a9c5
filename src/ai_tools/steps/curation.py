"""Which samples are kept: free checks, judgements, numbers, self-containedness, duplicates; each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .. import checks
from ..matching import NUMBER, digits, wording
from ..records import Rejection, Sample

_POINTS_OUTSIDE = re.compile(
    r"\b(the|this|that) (above |following |given )?(passage|text|excerpt|summary|paragraph|context)\b"
    r"|\b(mentioned|described|stated|listed) (above|below)\b|\baccording to the (document|author)\b",
    re.IGNORECASE,
)


def curate(samples: Iterable[Sample], *, any_language: bool = False) -> tuple[list[Sample], list[Rejection]]:
    """Split the samples of one dataset into those kept, in their order, and the others with check and reason.

    Args:
        any_language: as for `checks.fault`.
    """
    kept: list[Sample] = []
    rejected: list[Rejection] = []
    seen: dict[tuple[str, str], str] = {}
    for sample in samples:
        failure = checks.fault(sample.question, sample.answer, sample.source_text, any_language=any_language)
        failure = failure or next(((name, why) for name, check in CHECKS.items() if (why := check(sample))), None)
        pair = wording(sample)
        if failure is None and pair in seen:
            failure = ("duplicate", f"same question and answer as {seen[pair]}")
        if failure is None:
            seen[pair] = sample.sample_id
            kept.append(sample)
        else:
            rejected.append(Rejection(*failure, sample.to_row()))
    return kept, rejected


def _unfaithful(sample: Sample) -> str:
    if not sample.faithfulness_judgment:
        return "no judgement came back"
    return "" if sample.faithfulness_judgment == "YES" else sample.faithfulness_explanation or "judged not grounded"


def _foreign_numbers(sample: Sample) -> str:
    known = set(NUMBER.findall(digits(sample.source_text)))
    foreign = [number for number in NUMBER.findall(digits(sample.answer)) if number not in known]
    return f"numbers that the passage does not have: {', '.join(foreign)}" if foreign else ""


def _points_outside(sample: Sample) -> str:
    found = _POINTS_OUTSIDE.search(sample.question)
    return f'the question points outside itself: "{found[0]}"' if found else ""


CHECKS: dict[str, Callable[[Sample], str]] = {
    "faithfulness": _unfaithful,
    "numbers": _foreign_numbers,
    "self_contained": _points_outside,
}
