"""Data frames: rows of files, plans, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import MissingExtra
from ..teachers.dry_run import Estimate
from .lines import dollars, largest, speed
from .progress import duration

METRICS = {"accuracy": "option accuracy", "exact_match": "exact match", "contains": "contains", "f1": "token F1"}


def plan_table(estimates: Sequence[Estimate]) -> Any:
    """A plan as a table: one row a dataset."""
    return table(
        {
            "dataset": one.name,
            "calls to make": one.calls,
            "in the journal": one.known,
            "tokens in, about": round(one.tokens_in),
            "tokens out, about": round(one.tokens_out),
            "price": dollars(one.usd),
            "time, about": duration(one.seconds),
            "time by": "; ".join(map(speed, one.speeds)),
            "largest call": largest(one),
            "note": one.note,
        }
        for one in estimates
    )


def table(rows: Iterable[Any], columns: Sequence[str] = (), limit: int = 10) -> Any:
    """The first rows (records or dicts) as a data frame with full-width text."""
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtra("notebooks", "pandas") from None
    dicts = [row if isinstance(row, dict) else row.to_row() for row in rows][:limit]
    shown = [{name: _plain(x) for name, x in row.items()} for row in dicts]
    pd.set_option("display.max_colwidth", 160)
    frame = pd.DataFrame(shown)
    return frame.reindex(columns=list(columns)) if columns else frame


def _plain(value: Any) -> Any:
    """Lists as people write them: names with bars between, an interval in brackets."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return " | ".join(value)
    return value


def metrics_table(arms: dict[str, dict[str, Any]]) -> Any:
    """One row an arm and metric: value, 95% interval, n, documents."""
    rows = [
        {"arm": arm, "metric": METRICS[name]} | {key: metric[key] for key in ("value", "interval", "n", "documents")}
        for arm, metrics in arms.items()
        for name, metric in metrics.items()
        if name in METRICS
    ]
    return table(rows, limit=len(rows))


def difference_table(differences: dict[str, dict[str, Any]]) -> Any:
    """One row a group and metric: tuned minus base, its interval, and what may be said of it."""
    rows = [
        {"group": group, "metric": METRICS[name], "tuned - base": metric["value"]}
        | {key: metric[key] for key in ("interval", "n", "documents")}
        | {"verdict": verdict(metric)}
        for group, metrics in differences.items()
        for name, metric in metrics.items()
    ]
    return table(rows, limit=len(rows))


def verdict(metric: dict[str, Any]) -> str:
    if not metric["significant"]:
        return "no significant change"
    return "better" if metric["value"] > 0 else "worse"
