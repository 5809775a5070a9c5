"""Plots; every title carries its n."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import MissingExtra, UsageError
from .tables import METRICS

PICTURES = (".png", ".svg", ".pdf")
INK, ACCENT, PALE = "#1f3b57", "#d9822b", "#9fb3c8"


@dataclass(frozen=True)
class Plot:
    """A finished figure: notebooks show it as a picture, the report embeds it, `save` writes it."""

    figure: Any

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()

    def save(self, path: Path) -> None:
        self.figure.savefig(path)


def histogram(values: Sequence[float], *, title: str, xlabel: str) -> Plot:
    figure, axes = _figure()
    axes.hist(values, bins=min(20, max(5, len(set(values)))), color=PALE, edgecolor=INK)
    return _dress(figure, axes, f"{title} (n = {len(values)})", xlabel, "count")


def bars(counts: dict[str, float], *, title: str, ylabel: str) -> Plot:
    figure, axes = _figure()
    axes.bar(list(counts), list(counts.values()), color=PALE, edgecolor=INK)
    axes.tick_params(axis="x", rotation=20)
    return _dress(figure, axes, f"{title} (n = {sum(counts.values()):,.0f} {ylabel})", "", ylabel)


def rating_plot(counts: Sequence[int], threshold: float, retention: float) -> Plot:
    """Pairs by points; what is kept at the threshold stands out."""
    figure, axes = _figure()
    colours = [ACCENT if points >= threshold else PALE for points in range(len(counts))]
    axes.bar(range(len(counts)), counts, color=colours, edgecolor=INK)
    axes.axvline(threshold - 0.5, color=INK, linestyle="--", linewidth=1, label=f"threshold {threshold:g}")
    axes.set_xticks(range(len(counts)))
    axes.legend(frameon=False)
    return _dress(figure, axes, f"Ratings, {retention:.0%} kept (n = {sum(counts):,})", "points, rounded down", "pairs")


def check_picture(path: Path) -> None:
    """Refuse, before any work, a picture that could not be drawn."""
    if path.suffix not in PICTURES:
        raise UsageError(f"--plot {path}: give a file that ends in {', '.join(PICTURES)}")
    _figure()


def loss_curve(log: Sequence[dict[str, Any]]) -> Plot:
    """Training loss against tokens seen."""
    figure, axes = _figure()
    axes.plot([row["tokens"] for row in log], [row["loss"] for row in log], color=INK)
    return _dress(figure, axes, f"Training loss (n = {len(log)} logged steps)", "tokens seen", "loss")


def before_after(arms: dict[str, dict[str, Any]], *, title: str, chance: float | None = None) -> Plot:
    """Metrics of two arms side by side with 95% intervals; the dashed line is chance."""
    figure, axes = _figure()
    names = [name for name in METRICS if all(name in metrics for metrics in arms.values())]
    width = 0.8 / len(arms)
    for order, (arm, metrics) in enumerate(arms.items()):
        values = [metrics[name]["value"] for name in names]
        ends = [metrics[name]["interval"] for name in names]
        below = [max(0, value - low) for value, (low, _) in zip(values, ends, strict=True)]
        above = [max(0, high - value) for value, (_, high) in zip(values, ends, strict=True)]
        places = [place + (order - (len(arms) - 1) / 2) * width for place in range(len(names))]
        axes.bar(places, values, width * 0.92, color=(PALE, ACCENT)[order % 2], edgecolor=INK, label=arm)
        axes.errorbar(places, values, yerr=[below, above], fmt="none", ecolor=INK, capsize=4)
    if chance is not None:
        axes.axhline(chance, color=INK, linestyle="--", linewidth=1, label="chance (accuracy)")
    axes.set_xticks(range(len(names)), [METRICS[name] for name in names])
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    counts = [metrics[names[0]]["n"] if names else 0 for metrics in arms.values()]
    n = ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))
    return _dress(figure, axes, f"{title} (n = {n})", "", "share")


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("notebooks", "matplotlib") from None
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    return figure, figure.subplots()


def _dress(figure: Any, axes: Any, title: str, xlabel: str, ylabel: str) -> Plot:
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    return Plot(figure)
