"""The report of a comparison: reasons in sentences, one JSON object with all there is, and a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .figures import Survey
from .preferences import BOTH, Ruling, Tally, wilson


def reasons(counted: Sequence[Tally], surveys: Sequence[Survey]) -> Iterator[str]:
    """What was found on each two sources, in sentences with their numbers."""
    for one in counted:
        first, second = (surveys[i] for i in one.sources)
        both, total = f"{first.name} and {second.name}", one.counts.total()
        if not total:
            yield f"{both}: {_why_none(first, second)}"
        elif not one.judged:
            yield f"{both}: none of {total:,} comparisons could be judged"
        else:
            yield _lead(one, first.name, second.name) if one.decided else f"{both}: no comparison was decided"
            left = [f"{one.counts['neither']:,} as good as each other"]
            left += [f"{one.counts['by order']:,} judged by their order"]
            left += [f"{one.counts['unjudged']:,} without a usable judgement"] if one.counts["unjudged"] else []
            yield f"of {total:,} comparisons, {', '.join(left)}; the orders agree in {one.agreement:.0%}"


def _lead(one: Tally, first: str, second: str) -> str:
    """How often the source that is ahead was preferred."""
    better, other = (first, second) if one.wins[0] >= one.wins[1] else (second, first)
    wins = max(one.wins)
    low, high = (100 * end for end in wilson(wins, one.decided))
    share = f"{wins / one.decided:.0%}, 95% interval {low:.0f} to {high:.0f}%; sign test p = {one.p:.2g}"
    return f"{better} is preferred to {other} in {wins:,} of {one.decided:,} comparisons that were decided ({share})"


def _why_none(first: Survey, second: Survey) -> str:
    """Why two sources have no comparison."""
    left, right = set(first.contents), set(second.contents)
    if left == right:
        return "they hold the same pairs"
    for inner, outer in ((first, second), (second, first)):
        if set(inner.contents) < set(outer.contents):
            return f"all pairs of {inner.name} are in {outer.name}"
    return "no comparison was asked for"


def why_no_winner(counted: Sequence[Tally], surveys: Sequence[Survey], threshold: float) -> str:
    """Why no source is preferred to every other."""
    lost = [(one.sources, won) for one in counted if (won := one.winner(threshold)) is not None]
    beaten = {sum(two) - won: surveys[won].name for two, won in lost}
    left = " and ".join(one.name for i, one in enumerate(surveys) if i not in beaten)
    losses = ", ".join(f"{surveys[i].name} to {by}" for i, by in sorted(beaten.items()))
    which, others = ("neither", "the other") if len(surveys) - len(beaten) == 2 else ("none", "the others left")
    why = f"{which} of {left} is significantly preferred to {others}" if left else "each loses to another"
    return f"no clear winner: {why}" + (f"; significantly behind: {losses}" if losses else "")


def merged(merge: dict[str, Any]) -> str:
    """What a merge of all would give, as a sentence."""
    return (
        f"merged: {merge['distinct']:,} distinct pairs of {merge['pairs']:,}, on {merge['passages']:,} passages; of a "
        f"sample of those, {merge['near_duplicates']:.0%} ask nearly what another asks"
    )


def preference(one: Tally, names: Sequence[str]) -> dict[str, Any]:
    """The tally of two sources as it stands in the report."""
    first, second = (names[i] for i in one.sources)
    return {
        "between": [first, second],
        "comparisons": one.counts.total(),
        "preferred": {first: one.wins[0], second: one.wins[1]},
        "as_good": one.counts["neither"],
        "by_order": one.counts["by order"],
        "unjudged": one.counts["unjudged"],
        "share_of_the_first": {"value": one.wins[0] / one.decided if one.decided else None}
        | {"interval": wilson(one.wins[0], one.decided)},
        "p": one.p,
        "order_agreement": one.agreement,
    }


def judgement(one: Ruling, names: Sequence[str]) -> dict[str, Any]:
    """A comparison as it stands in the report: what was shown, and what came of it."""
    told = {
        names[which]: {"question": pair["question"], "answer": pair["answer"]}
        for which, pair in zip(one.comparison.sources, one.comparison.pairs, strict=True)
    }
    preferred = dict(zip(BOTH, told, strict=True)).get(one.verdict, one.verdict)  # else why there is none
    return {"same": one.comparison.alike, "pairs": told, "preferred": preferred, "reasons": one.reasons}


def markdown(report: dict[str, Any]) -> str:
    """The report as a page."""
    names = report["compared"]
    lines = [
        "# Pairs compared",
        "",
        f"**{report['verdict']}** (judged by {report['judged_by']}, seed {report['seed']})",
        "",
    ]
    lines += [f"- {reason}" for reason in report["reasons"]]
    lines += ["", "| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    flat = [_flat(report["figures"][name]) for name in names]
    for key in dict.fromkeys(key for one in flat for key in one):
        lines.append(f"| {key} | " + " | ".join(_cell(one.get(key)) for one in flat) + " |")
    lines.append(f"| only in this one | {' | '.join(_cell(report['merge']['only_in'][name]) for name in names)} |")
    lines += ["", "## What was judged"]
    for number, one in enumerate(report["judgements"], 1):
        lines += ["", f"{number}. **{one['preferred']}**"]
        lines += [
            f"   - {name}: {_line(pair['question'])} → {_line(pair['answer'])}" for name, pair in one["pairs"].items()
        ]
        lines += [f"   - judge: {_line(reason)}" for reason in one["reasons"]]
    return "\n".join(lines) + "\n"


def _flat(figures: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Figures in one level: `answer words: mean`."""
    found: dict[str, Any] = {}
    for key, value in figures.items():
        name = f"{before}{key.replace('_', ' ')}"
        found |= _flat(value, f"{name}: ") if isinstance(value, dict) else {name: value}
    return found


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:,}"


def _line(text: str) -> str:
    return " ".join(text.split())
