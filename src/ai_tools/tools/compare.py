"""Sources of pairs against one another: figures side by side, a sample judged blind, and what a merge would give."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, starmap
from pathlib import Path
from typing import Any, cast

from .. import files
from ..documents.screening import Screen
from ..errors import NothingProduced, UsageError
from ..files import Register
from ..records import Pair, Rejection
from ..settings import Settings
from ..teachers.asker import Session
from ..workspace import journal_path
from . import outputs, pairs, reading, report, running, scores
from .figures import PassageSample, Survey, sampled, survey
from .pairs import Pairs
from .preferences import Comparison, Ruling, Tally, judge, matches
from .rework import BATCH_SIZE
from .running import Run, ToolSummary
from .scores import Sampled

SIGNIFICANT = 0.05  # of all tests of a comparison together
REPORTS = (".json", ".md")


@dataclass(frozen=True, kw_only=True)
class CompareSummary(ToolSummary):
    """What `compare` found.

    `winner` is the source that is preferred to every other, significantly, or None; `verdict` says so in words, and
    `reasons` in sentences with their numbers. `figures` are those of every source, `assessments` its score from 1 to 10
    with strengths and weaknesses; `recommendation` weighs quality, diversity and size. `unjudged` counts comparisons
    without a usable judgement, `unrated` pairs of the sample without a usable rating.
    """

    winner: str | None
    verdict: str
    reasons: tuple[str, ...]
    figures: dict[str, dict[str, Any]]
    assessments: dict[str, dict[str, Any]]
    recommendation: dict[str, Any]
    unjudged: int
    unrated: int


FOUND = ("winner", "verdict", "reasons", "figures", "assessments", "recommendation")  # of a report, in the summary


def compare(
    sources: Sequence[str | Path],
    output: str | Path,
    settings: Settings,
    *,
    sample_size: int = 50,
    passages_from: str | Path | None = None,
    run: Run | None = None,
) -> CompareSummary:
    """Say which source of pairs is the better material, by a judge who does not know which is which, or that none is.

    Of each two sources, pairs are drawn by lot and set side by side, of the same passage and with the same question
    where they can be; pairs that both have tell nothing and are left out. Every comparison is judged twice, in both
    orders, for judges lean to what they read first (arXiv 2306.05685), and counts where both say the same. A source
    wins by a two-sided exact sign test at 0.05 in all, by Bonferroni where there are several. Of each source as many
    pairs are rated by themselves, as `curate` does it; its score is their mean.

    Args:
        sources: two or more files of pairs or folders of `*_qa.json`.
        output: the report, `.json` (with every judgement) or `.md` (to read).
        sample_size: comparisons of each two sources, and pairs of each that are rated; 0 asks nothing and gives the
            figures only.
        passages_from: supplies the passages of pairs that came without `source_text`.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: not one comparison could be judged.
    """
    run, output, started = run or Run(), Path(output), time.monotonic()
    given, register = _opened(sources, settings, sample_size), Register(journal_path(settings.output), "compare")
    for source in sources:
        outputs.check(output, register, source=Path(source), overwrite=run.overwrite, suffixes=REPORTS)
    texts = reading.texts(passages_from, settings, run.on_reading)
    surveys = [survey(name, one, texts, settings.seed) for name, one in given.items()]
    couples = list(combinations(range(len(surveys)), 2))
    comparisons, sample, to_rate = _drawn(surveys, couples, sample_size)
    screen = Screen(settings, "pairs")
    comparisons, to_rate, held_back = _screened(screen, comparisons, to_rate)
    blocks = _blocks(comparisons, to_rate)
    unread = [row for one in given.values() for row in one.failed]
    with running.asking(
        "compare", blocks, _said, settings, run, unread=unread, judges=True, notice=screen.notice
    ) as asker:
        asked = asker.run(_said, blocks)
    said = [each for block in asked.results for each in block]
    judged = [one for one in said if isinstance(one, Ruling)]
    rated = [[one.pair for one in said if isinstance(one, Sampled) and one.source == i] for i in range(len(surveys))]
    warnings = [warning for one in given.values() for warning in one.warnings]
    done = running.done(
        asker.teacher, output, started, asked.usage, asked.failed,
        unread=unread, warnings=warnings, held_back=held_back,
    )  # fmt: skip
    unjudged = sum(one.verdict == "unjudged" for one in judged)
    if judged and unjudged == len(judged):
        raise NothingProduced(f"none of {unjudged:,} comparisons could be judged ({done.why})")
    counted = [Tally(two, Counter(one.verdict for one in judged if one.comparison.sources == two)) for two in couples]
    whole = _report(surveys, counted, sample, rated, {"judged_by": done.teacher, "seed": settings.seed})
    whole |= {"judgements": [report.judgement(one, list(given)) for one in judged]}
    _write(output, whole, register)
    found = {name: whole[name] for name in FOUND}
    unrated = sum(map(len, to_rate)) - sum(map(len, rated))
    return CompareSummary(**vars(done), **found, unjudged=unjudged, unrated=unrated)


def _blocks(
    comparisons: Sequence[Comparison], to_rate: Sequence[Sequence[Pair]]
) -> list[Sequence[Comparison] | Sequence[Sampled]]:
    several = [comparisons[at : at + BATCH_SIZE] for at in range(0, len(comparisons), BATCH_SIZE)]
    return [*several, *scores.blocks(to_rate)]


def _write(output: Path, whole: dict[str, Any], register: Register) -> None:
    if output.suffix == ".md":
        files.write_atomic(output, report.markdown(whole), register.note)
    else:
        files.write_json(output, whole, register.note)


async def _said(block: Sequence[Comparison] | Sequence[Sampled], session: Session) -> Sequence[Ruling | Sampled]:
    """What the judge makes of comparisons, or of the pairs of one source by themselves."""
    if isinstance(block[0], Comparison):
        return await judge(cast(Sequence[Comparison], block), session)
    return await scores.rate(cast(Sequence[Sampled], block), session)


def _report(
    surveys: Sequence[Survey],
    counted: Sequence[Tally],
    sample: PassageSample,
    rated: Sequence[Sequence[Pair]],
    by: dict[str, Any],
) -> dict[str, Any]:
    """What was found of all sources and of each two."""
    names = [one.name for one in surveys]
    threshold = SIGNIFICANT / len(counted)
    wins = Counter(one.winner(threshold) for one in counted)
    winner = next((name for which, name in enumerate(names) if wins[which] == len(names) - 1), None)
    merge = _merge(surveys, sample)
    why_none = () if winner else (report.why_no_winner(counted, surveys, threshold),)
    figures = {one.name: one.figures | {"sample": sample.figures(i)} for i, one in enumerate(surveys)}
    assessed = {name: scores.assessment(rows, figures[name]) for name, rows in zip(names, rated, strict=True)}
    advice = scores.recommendation(assessed, figures)
    sentences = (*starmap(scores.told, assessed.items()), advice["reason"], report.merged(merge))
    return {
        "compared": names,
        "verdict": f"{winner} is the better material" if winner else "no clear winner",
        "winner": winner,
        "reasons": (*report.reasons(counted, surveys), *why_none, *sentences),
        **by,
        "assessments": assessed,
        "recommendation": advice,
        "figures": figures,
        "preferences": [report.preference(one, names) for one in counted],
        "merge": merge,
    }


def _opened(sources: Sequence[str | Path], settings: Settings, sample_size: int) -> dict[str, Pairs]:
    """The pairs of all sources, by what they were given as; what cannot be is refused before any work."""
    if len(sources) < 2:
        raise UsageError(f"{len(sources)} source to compare; give two or more files of pairs or folders of *_qa.json")
    if twice := [str(one) for one, count in Counter(Path(one).resolve() for one in sources).items() if count > 1]:
        raise UsageError(f"{twice[0]}: given twice; give different sources")
    if sample_size < 0:
        raise UsageError(f"--sample-size {sample_size}: give a whole number from 0 up")
    running.connect(settings, judges=True)
    return {str(source): pairs.read(source) for source in sources}


def _drawn(
    surveys: Sequence[Survey], couples: Sequence[tuple[int, int]], count: int
) -> tuple[list[Comparison], PassageSample, list[list[Pair]]]:
    """The comparisons to be judged, the sample in which near-duplicates are looked for, and the pairs of each source
    that are to be rated; in one reading of each."""
    matched = [
        (couple, match) for couple in couples for match in matches(surveys[couple[0]], surveys[couple[1]], count)
    ]
    whole = sampled(surveys)
    rows = [
        one.rows(whole[i] | {match.rows[couple.index(i)] for couple, match in matched if i in couple})
        for i, one in enumerate(surveys)
    ]
    comparisons = [
        Comparison(couple, match.alike, (rows[couple[0]][match.rows[0]], rows[couple[1]][match.rows[1]]))
        for couple, match in matched
    ]
    lots = [sorted(some, key=one.contents.__getitem__)[:count] for one, some in zip(surveys, whole, strict=True)]
    to_rate = [[rows[i][n] for n in some] for i, some in enumerate(lots)]
    return (
        comparisons,
        PassageSample(tuple([rows[i][n] for n in sorted(some)] for i, some in enumerate(whole))),
        to_rate,
    )


def _screened(
    screen: Screen, comparisons: Sequence[Comparison], to_rate: Sequence[Sequence[Pair]]
) -> tuple[list[Comparison], list[list[Pair]], list[Rejection]]:
    """Comparisons and pairs as they may be sent, and why others may not."""
    held_back: list[Rejection] = []

    def sound(pairs: Iterable[Pair]) -> list[Pair]:
        seen = [screen.pair(pair) for pair in pairs]
        held_back.extend(one for one in seen if isinstance(one, Rejection))
        return [one for one in seen if not isinstance(one, Rejection)]

    kept = [(one, sound(one.pairs)) for one in comparisons]
    whole = [replace(one, pairs=(pairs[0], pairs[1])) for one, pairs in kept if len(pairs) == 2]
    return whole, [sound(some) for some in to_rate], held_back


def _merge(surveys: Sequence[Survey], sample: PassageSample) -> dict[str, Any]:
    """What all sources in one would be: exact duplicates counted, near-duplicates by the sample."""
    contents = {one.name: set(one.contents) for one in surveys}
    holders = Counter(chain.from_iterable(contents.values()))
    everything = sum(len(one.contents) for one in surveys)
    return {
        "pairs": everything,
        "distinct": len(holders),
        "exact_duplicates": everything - len(holders),
        "near_duplicates": sample.merged(),
        "passages": len(set().union(*(one.passages for one in surveys))),
        "only_in": {name: sum(holders[one] == 1 for one in some) for name, some in contents.items()},
    }
