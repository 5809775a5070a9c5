"""Pairs rated against the passages they were made from: `curate` sorts them by a rating, `validate` checks facts."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from .. import files
from ..documents.screening import CHECKS as HELD_BACK
from ..errors import NothingProduced, UsageError
from ..records import Pair, Rejection, content_id
from ..settings import Settings
from . import outputs
from .rework import BATCH_SIZE, Rework, prepare, rework
from .running import Run, ToolSummary

CRITERIA = {"clarity": 3, "accuracy": 3, "usefulness": 2, "difficulty": 2}  # and the most points of each
MOST = 10
CHECKED = ("factual_accuracy", "completeness", "consistency")
VERDICTS = ("PASS", "NEEDS_REVIEW", "FAIL")
_RATING = ("rating", *CRITERIA, "grounded", "rating_reasoning", "rated_by", "rated_words")


@dataclass(frozen=True, kw_only=True)
class CurateSummary(ToolSummary):
    """What `curate` made: `kept` pairs, `rejected` ones by check, `unrated` ones, which the judge gave no rating.

    `histogram` counts the rated pairs by whole points of their total, 0 to 10.
    """

    rejected_file: Path
    pairs: int
    kept: int
    rejected: dict[str, int]
    unrated: int
    histogram: tuple[int, ...]
    threshold: float

    @property
    def retention(self) -> float:
        """The share of the rated pairs that is kept."""
        rated = self.pairs - self.unrated
        return self.kept / rated if rated else 0.0


@dataclass(frozen=True, kw_only=True)
class ValidateSummary(ToolSummary):
    """What `validate` found: verdicts counted, means of the scores, `unchecked` pairs, which got no usable check."""

    filtered: Path | None
    pairs: int
    verdicts: dict[str, int]
    means: dict[str, float]
    kept: int
    unchecked: int


def curate(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    threshold: float | None = None,
    topic: str = "",
    batch_size: int = BATCH_SIZE,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> CurateSummary:
    """Keep the pairs that a judge rates at least `threshold` of 10, and that say nothing that their passage does not.

    Points go to `clarity`, `accuracy`, `usefulness` and `difficulty` of every pair, their total, added up here, to
    `rating`, the judge's words to `rating_reasoning`. A pair that has a rating by these criteria keeps it while
    question and answer are those that were rated, so that another threshold costs no call; a rating of another tool is
    not taken over, and `run.fresh` rates all anew. What is not kept is in `<output>_rejected.jsonl` with its check
    (rating, grounded, unrated; sensitive or injection where it may not be sent) and the reason.

    Args:
        source, output, passages_from: as for `enrich`.
        threshold: 0 to 10; CURATE_THRESHOLD where it is None.
        topic: what the pairs should be about, as the judge is told.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: no pair is kept.
    """
    least = checked_rating(settings.curate_threshold if threshold is None else threshold)
    task = prepare(replace(CURATION, topic=topic), source, output, settings, run, passages_from, batch_size=batch_size)
    rejected_file = outputs.beside(task.output, "rejected", ".jsonl")
    outputs.check(rejected_file, task.register, source=Path(source), overwrite=task.run.overwrite)
    total, note = task.pairs.total, task.register.note

    def why_nothing() -> str:
        best = max(found.histogram, default=None)
        causes = "; ".join(filter(None, ["none could be rated", done.why]))
        reached = causes if best is None else f"the best has {best} points or a little more"
        return f"no pair of {total:,} is kept at {least:g} ({reached}); see {rejected_file}"

    with (
        outputs.pairs_to(task.output, task.pairs, note, why_nothing) as keep,
        files.rows_to(rejected_file, note=note) as reject,
    ):
        found = _Ratings(least, keep, reject)
        done = rework(task, found.take)
    return CurateSummary(
        **vars(done),
        rejected_file=rejected_file,
        pairs=total,
        kept=total - found.fell_out.total(),
        rejected={name: count for name, count in found.fell_out.items() if name != "unrated"},
        unrated=found.fell_out["unrated"],
        histogram=tuple(found.histogram[points] for points in range(MOST + 1)),
        threshold=least,
    )


@dataclass
class _Ratings:
    """Sorts rated pairs by the least rating that is kept, and counts them."""

    least: float
    keep: Callable[[Pair | None], None]
    reject: Callable[[Rejection], None]
    histogram: Counter[int] = field(default_factory=Counter)
    fell_out: Counter[str] = field(default_factory=Counter)

    def take(self, pair: Pair, fault: Rejection | None) -> None:
        if fault is None:
            pair |= {"rating": sum(pair[name] for name in CRITERIA)}
            self.histogram[int(pair["rating"])] += 1
            if pair.get("grounded") is False:
                reason = f"says what its passage does not: {pair.get('rating_reasoning', '')}"
                fault = Rejection("grounded", reason, pair)
            elif pair["rating"] < self.least:
                fault = Rejection("rating", f"rated {pair['rating']:g}, below {self.least:g}", pair)
        else:
            pair = {name: value for name, value in pair.items() if name not in _RATING} | {"rating": None}
            check = fault.check if fault.check in HELD_BACK else "unrated"
            fault = Rejection(check, fault.reason, pair)
        self.keep(None if fault else pair)
        if fault:
            self.fell_out[fault.check] += 1
            self.reject(fault)


def checked_rating(least: float, option: str = "--threshold") -> float:
    """The least rating that is kept. Raises UsageError for one that no pair can have."""
    if not 0 <= least <= MOST:  # NaN, too, is neither
        raise UsageError(f"{option} {least:g}: give a number from 0 to {MOST}")
    return least


def _rated(pair: Pair, said: Any, model: str) -> Pair:
    points = {name: getattr(said, name) for name in CRITERIA}
    return pair | {
        "rating": sum(points.values()),
        **points,
        "grounded": said.grounded,
        "rating_reasoning": said.reasoning.strip(),
        "rated_by": model,
        "rated_words": _words(pair),
    }


def _words(pair: Pair) -> str:
    """What is rated, so that nothing is taken for rated that was reworded since."""
    return content_id(pair["question"], pair["answer"])


def _is_rated(pair: Pair) -> bool:
    points = CRITERIA | {"rating": MOST}
    if pair.get("source_text") and pair.get("grounded") is None:  # it was rated when nobody had its passage
        return False
    return pair.get("rated_words") == _words(pair) and all(_is_score(pair.get(name), points[name]) for name in points)


def _is_score(value: Any, most: float = MOST) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


CURATION = Rework("curate", "rating", "rated_words", _rated, _is_rated, judges=True, alone="rating_alone")


def validate(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    threshold: float = 7.0,
    filtered_output: str | Path | None = None,
    filter_threshold: float | None = None,
    batch_size: int = BATCH_SIZE,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> ValidateSummary:
    """Check the facts of pairs against their passages: three scores from 0 to 10 each, their mean, and a verdict.

    The verdict is the judge's, PASS, NEEDS_REVIEW or FAIL; a PASS whose mean is below `threshold` needs review. Checked
    once, pairs are sorted by another threshold without a call, as with `curate`.

    Args:
        output: the report, `.json`: `{summary, checks}`, the checks in the order of the pairs.
        filtered_output: a file for the pairs that do not FAIL and whose mean is at least `filter_threshold` (default
            `threshold`), each with its `fact_check`. Pairs that have one, of the words that they have now, are
            asked about again by `run.fresh` only.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: no pair could be checked, or is kept.
    """
    least = checked_rating(threshold)
    filter_least = checked_rating(least if filter_threshold is None else filter_threshold, "--filter-threshold")
    output, filtered_output = Path(output), Path(filtered_output) if filtered_output else None
    if output.suffix != ".json":
        raise UsageError(f"-o {output}: give a file that ends in .json")
    if filtered_output and filtered_output.resolve() == output.resolve():
        raise UsageError(f"--filtered-output {filtered_output}: that is the report; give another file")
    task = prepare(FACT_CHECK, source, output, settings, run, passages_from, batch_size=batch_size, as_folder=False)
    total, note = task.pairs.total, task.register.note
    if filtered_output:
        outputs.check(filtered_output, task.register, source=Path(source), overwrite=task.run.overwrite)
    none_left = f"no pair of {total:,} reaches {filter_least:g}; the checks are in {output}"
    nowhere = nullcontext[Any](lambda _: None)
    kept = files.rows_to(filtered_output, lambda: none_left, note=note) if filtered_output else nowhere
    with kept as keep, tempfile.TemporaryFile("w+", encoding="utf-8") as lines:
        found = _Checks(least, filter_least, keep, lines)
        done = rework(task, found.take)
        if not found.scores:
            raise NothingProduced(f"{source}: none of {total:,} pairs could be checked ({done.why})")
        told = {"source": str(source), "pairs": total, "threshold": least, "verdicts": dict(found.verdicts)}
        summary = told | {"means": found.means, "checked_by": done.teacher}  # it stands first, for people
        lines.seek(0)
        with files.rows_to(output, inside="checks", about={"summary": summary}, note=note) as write:
            for line in lines:
                write(json.loads(line))
    unchecked = found.verdicts.pop("unchecked")
    counts: dict[str, Any] = {"pairs": total, "kept": found.kept, "unchecked": unchecked}
    return ValidateSummary(
        **vars(done), filtered=filtered_output, verdicts=dict(found.verdicts), means=found.means, **counts
    )


@dataclass
class _Checks:
    """Sorts checked pairs by the least means, of a PASS and of what is kept, and counts them."""

    least: float
    filter_least: float
    keep: Callable[[Pair], None]
    lines: TextIO
    verdicts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys((*VERDICTS, "unchecked"), 0)))
    scores: Counter[str] = field(default_factory=Counter)
    kept: int = 0

    def take(self, pair: Pair, fault: Rejection | None) -> None:
        if fault:
            verdict = "held_back" if fault.check in HELD_BACK else "unchecked"
            check: Pair = {"verdict": verdict, "reasoning": fault.reason}
        else:
            said = pair["fact_check"]
            overall = round(sum(said[name] for name in CHECKED) / len(CHECKED), 2)
            verdict = "NEEDS_REVIEW" if said["judged"] == "PASS" and overall < self.least else said["judged"]
            check = said | {"overall": overall, "verdict": verdict}
        about = {name: pair[name] for name in ("question", "answer", "chunk_id", "source_file") if name in pair}
        self.lines.write(json.dumps(about | check, ensure_ascii=False) + "\n")
        self.verdicts[check["verdict"]] += 1
        self.scores.update({name: check[name] for name in (*CHECKED, "overall") if name in check})
        if check.get("overall", -1) >= self.filter_least and check["verdict"] != "FAIL":
            self.keep(pair | {"fact_check": check})
            self.kept += 1

    @property
    def means(self) -> dict[str, float]:
        checked = sum(self.verdicts[name] for name in VERDICTS)
        return {name: round(amount / checked, 2) for name, amount in self.scores.items()}


def _checked(pair: Pair, said: Any, model: str) -> Pair:
    scores = {name: getattr(said, name) for name in CHECKED}
    told = {"judged": said.verdict, "reasoning": said.reasoning.strip(), "checked_by": model}
    return pair | {"fact_check": scores | told | {"checked_words": _words(pair)}}


def _is_checked(pair: Pair) -> bool:
    check = pair.get("fact_check")
    if not isinstance(check, dict) or check.get("checked_words") != _words(pair):
        return False
    return check.get("judged") in VERDICTS and all(_is_score(check.get(name)) for name in CHECKED)


FACT_CHECK = Rework("validate", "fact_check", "fact_check", _checked, _is_checked, judges=True, needs_passage=True)
