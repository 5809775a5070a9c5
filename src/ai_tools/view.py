"""Tables, plots, progress and the report: the only module that draws. Every plot's title carries its n."""

from __future__ import annotations

import base64
import html
import io
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import MissingExtra, UsageError
from .evaluation import wrong_answers
from .providers import price
from .records import OnProgress, Progress
from .rehearsal import ASSUMED_SECONDS, Estimate
from .settings import Settings

BAR_SECONDS, LINE_SECONDS = 0.2, 5.0  # between two states of a bar, two lines
PICTURES = (".png", ".svg", ".pdf")
INK, ACCENT, PALE = "#1f3b57", "#d9822b", "#9fb3c8"
METRICS = {"accuracy": "option accuracy", "exact_match": "exact match", "contains": "contains", "f1": "token F1"}


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


def progress(description: str) -> OnProgress:
    """A bar in Lab and at a terminal; elsewhere, where a bar shows its first state only, a line every few seconds."""
    return _Bar(description) if has_reader() else _Lines(description)


def tell(*lines: str) -> None:
    """Print lines where they are read: below the cell, or headless on standard error, which a run passes on."""
    print(*lines, sep="\n", file=sys.stdout if has_reader() else sys.stderr)


def has_reader() -> bool:
    """Whether somebody sees output being redrawn: a terminal, or a kernel that a front end has started."""
    if "ipykernel" not in sys.modules:
        return sys.stderr.isatty()
    return any(name in os.environ for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"))


class _Bar:
    def __init__(self, description: str):
        self._description, self._bar, self._shown = description, None, 0.0

    def __call__(self, now: Progress) -> None:
        from tqdm.auto import tqdm

        if self._bar is None:
            self._bar = tqdm(total=now.total, desc=self._description, mininterval=0.5)
        assert self._bar is not None
        last = now.done >= now.total
        if last or time.monotonic() - self._shown > BAR_SECONDS:
            self._shown = time.monotonic()
            self._bar.set_postfix_str(_state(now), refresh=False)
            self._bar.update(now.done - self._bar.n)
            self._bar.refresh()
        if last:
            self._bar.close()


class _Lines:
    def __init__(self, description: str):
        self._description, self._shown = description, time.monotonic()

    def __call__(self, now: Progress) -> None:
        if now.done >= now.total or time.monotonic() - self._shown > LINE_SECONDS:
            self._shown = time.monotonic()
            left = now.seconds_left if now.done < now.total else None
            parts = (f"{now.done:,} of {now.total:,} done", _state(now), f"{_duration(left)} left" if left else "")
            print(
                f"{self._description}: {', '.join(filter(None, parts))}",
                file=sys.stderr,
                flush=True,
            )


def _state(now: Progress) -> str:
    amounts = {
        "{:,} calls": now.calls,
        "{:,} from the journal": now.from_journal,
        "{:,} failed": now.failed,
        "{} in flight": now.in_flight,
        "{:,} tokens": now.tokens,
        "${:.4f}": now.usd,
    }
    return ", ".join(text.format(amount) for text, amount in amounts.items() if amount)


def _dollars(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:,.2f}" if usd >= 0.01 or not usd else f"${usd:.4f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 5 else f"{60 * minutes + rest} s"


def plan_lines(estimates: Sequence[Estimate], teacher: str, settings: Settings, *, instructions: str = "") -> list[str]:
    """A plan as people read it: who is asked, then calls, tokens, money and time of each piece of work and of all."""
    whole = Estimate("all")
    for one in estimates:
        for name in ("calls", "known", "tokens_in", "tokens_out", "seconds"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.usd = None if one.usd is None or whole.usd is None else whole.usd + one.usd
        whole.seen = whole.seen and one.seen
    lines = [f"teacher: {teacher}"]
    if instructions:
        lines.append(f"added to the instructions: {instructions}")
    lines.append(
        f"{'':22} {'calls':>9} {'in journal':>11} {'tokens in':>12} {'tokens out':>12} {'price':>10} {'time':>9}"
    )
    for one in [*estimates, whole] if len(estimates) > 1 else estimates:
        counts = f"{one.calls:>9,} {one.known:>11,} {one.tokens_in:>12,.0f} {one.tokens_out:>12,.0f}"
        lines.append(f"{one.name:22} {counts} {_dollars(one.usd):>10} {_duration(one.seconds):>9}")
    if whole.calls and not whole.seen and whole.seconds:
        lines.append(f"time: assuming {ASSUMED_SECONDS:g} s a reply; known once some have come")
    limits = {name.upper(): getattr(settings, name) for name in ("max_calls", "max_tokens_total", "max_usd")}
    if any(limits.values()):
        lines.append("limits: " + ", ".join(f"{name}={value:,}" for name, value in limits.items() if value))
    return lines


def journal_lines(rows: Sequence[dict[str, Any]], settings: Settings) -> list[str]:
    """The summary of a journal: a line for each model and status, then what went wrong, most frequent first."""
    lines = [
        f"{'teacher':40} {'status':9} {'calls':>9} {'requests':>9} {'tokens in':>12} {'tokens out':>12} {'price':>10}"
    ]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["provider"], row["base_url"], row["model"], row["status"]), []).append(row)
    for (provider, url, model, status), members in groups.items():
        calls, requests, tokens_in, tokens_out = (
            sum(row[name] for row in members) for name in ("calls", "requests", "tokens_in", "tokens_out")
        )
        cost = price(settings, provider, model)
        usd = f"${cost.of(tokens_in, tokens_out):,.4f}" if cost else "unknown"
        who = f"{provider} {model}" + (f" at {urlsplit(url).netloc}" if url else "")
        lines.append(f"{who:40} {status:9} {calls:>9,} {requests:>9,} {tokens_in:>12,} {tokens_out:>12,} {usd:>10}")
    causes: dict[str, int] = {}
    for row in rows:
        if row["error"]:
            causes[f"{row['status']}: {row['error']}"] = (
                causes.get(f"{row['status']}: {row['error']}", 0) + row["calls"]
            )
    lines += [f"{count:>6} {cause}" for cause, count in sorted(causes.items(), key=lambda item: -item[1])[:10]]
    return lines


def plan_table(estimates: Sequence[Estimate]) -> Any:
    """The same as a table: one row a dataset."""
    return table(
        {
            "dataset": one.name,
            "calls to make": one.calls,
            "in the journal": one.known,
            "tokens in, about": round(one.tokens_in),
            "tokens out, about": round(one.tokens_out),
            "price": _dollars(one.usd),
            "time, about": _duration(one.seconds),
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
        {
            "group": group,
            "metric": METRICS[name],
            "tuned - base": metric["value"],
            "interval": metric["interval"],
            "n": metric["n"],
            "documents": metric["documents"],
            "verdict": _verdict(metric),
        }
        for group, metrics in differences.items()
        for name, metric in metrics.items()
    ]
    return table(rows, limit=len(rows))


def _verdict(metric: dict[str, Any]) -> str:
    if not metric["significant"]:
        return "no significant change"
    return "better" if metric["value"] > 0 else "worse"


def histogram(values: Sequence[float], *, title: str, xlabel: str) -> Plot:
    figure, axes = _figure()
    axes.hist(values, bins=min(20, max(5, len(set(values)))), color=PALE, edgecolor=INK)
    return _dress(figure, axes, f"{title} (n = {len(values)})", xlabel, "count")


def bars(counts: dict[str, float], *, title: str, ylabel: str) -> Plot:
    figure, axes = _figure()
    axes.bar(list(counts), list(counts.values()), color=PALE, edgecolor=INK)
    axes.tick_params(axis="x", rotation=20)
    return _dress(figure, axes, f"{title} (n = {sum(counts.values()):,.0f} {ylabel})", "", ylabel)


def rating_lines(counts: Sequence[int], threshold: float) -> list[str]:
    """Pairs by points, the best first, as a chart of characters; what is kept is drawn full."""
    most = max(*counts, 1)
    return [
        f"{points:>3} {('#' if points >= threshold else '-') * math.ceil(40 * counts[points] / most):40} "
        f"{counts[points]:>9,}"
        for points in range(len(counts) - 1, -1, -1)
    ]


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
        low = [value - metrics[name]["interval"][0] for value, name in zip(values, names, strict=True)]
        high = [metrics[name]["interval"][1] - value for value, name in zip(values, names, strict=True)]
        places = [place + (order - (len(arms) - 1) / 2) * width for place in range(len(names))]
        axes.bar(places, values, width * 0.92, color=(PALE, ACCENT)[order % 2], edgecolor=INK, label=arm)
        errors = [[max(0, x) for x in low], [max(0, x) for x in high]]
        axes.errorbar(places, values, yerr=errors, fmt="none", ecolor=INK, capsize=4)
    if chance is not None:
        axes.axhline(chance, color=INK, linestyle="--", linewidth=1, label="chance (accuracy)")
    axes.set_xticks(range(len(names)), [METRICS[name] for name in names])
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    counts = [metrics[names[0]]["n"] if names else 0 for metrics in arms.values()]
    n = ", ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))
    return _dress(figure, axes, f"{title} (n = {n})", "", "share")


def training_progress(every: int = 10) -> Callable[[dict[str, Any]], None]:
    """A callback for log rows that prints a line at every `every`-th of them."""
    seen: list[int] = []

    def update(row: dict[str, Any]) -> None:
        seen.append(row["step"])
        if len(seen) % every == 1:
            speed = f"{row['tokens_per_second']:,} tokens/s"
            print(f"step {row['step']:>6,}  loss {row['loss']:.3f}  {row['tokens']:>11,} tokens  {speed}", flush=True)

    return update


def evaluation_report(
    metrics: dict[str, dict[str, Any]],
    *,
    exam: Sequence[Any],
    answers: Sequence[Any],
    figure: Any,
    mix_report: dict[str, Any],
) -> str:
    """report.html: verdict, plot, every figure with its interval, forgetting, contamination, failures."""
    generated = any(one.source == "generated" for one in exam)
    origin = "The teacher wrote this exam from the documents (generated)." if generated else "The exam was given."
    accuracy = metrics["exam"]["difference"].get("accuracy") or metrics["exam"]["difference"]["f1"]
    asked = {one.id for one in exam}
    wrong = wrong_answers([one for one in answers if one.id in asked])
    notes = sorted({f"{group}: {m['note']}" for group, arms in metrics.items() for m in _noted(arms["tuned"])})
    near = mix_report["near_duplicates"]
    sections = [
        (
            "Verdict",
            f"{_verdict(accuracy).capitalize()}: {accuracy['value']:+.1%} (95% interval "
            f"{accuracy['interval'][0]:+.1%} to {accuracy['interval'][1]:+.1%}, n = {accuracy['n']}). {origin}",
            None,
        ),
        ("Before and after", "Bars are means, thin lines 95% intervals resampled by document.", figure),
        (
            "All figures",
            "\n".join(notes),
            metrics_table({f"{group}: {arm}": metrics[group][arm] for group in metrics for arm in ("base", "tuned")}),
        ),
        (
            "Differences, paired by question",
            "",
            difference_table({g: arms["difference"] for g, arms in metrics.items()}),
        ),
        (
            "The seal",
            f"{mix_report['contaminated']} samples were dropped because they asked an exam question. "
            f"{len(near)} near-duplicates stayed; the nearest are below.",
            table(near, limit=10) if near else None,
        ),
        (
            "Wrong answers",
            f"{len(wrong)} of {len(exam)} questions; the first 20 are below.",
            table(wrong, ["question", "expected", "generated", "choice"], limit=20) if wrong else None,
        ),
    ]
    return report("Knowledge tuning: before and after", sections)


def _noted(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    return [metric for metric in metrics.values() if isinstance(metric, dict) and "note" in metric]


def report(title: str, sections: Sequence[tuple[str, str, Any]]) -> str:
    """One self-contained HTML page.

    Args:
        sections: (heading, plain text, content) where content is a data frame, a figure, or None. All text is escaped:
            documents and answers are untrusted.
    """
    body = []
    for heading, text, content in sections:
        body.append(f"<h2>{html.escape(heading)}</h2>")
        body += [f"<p>{html.escape(part)}</p>" for part in text.split("\n") if part]
        if isinstance(content, Plot):
            alt = html.escape(heading, quote=True)
            body.append(
                f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(content._repr_png_()).decode()}">'
            )
        elif content is not None:
            body.append(content.to_html(index=False, escape=True, border=0))
    style = (
        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f3b57}"
        "table{border-collapse:collapse;font-size:14px;display:block;overflow-x:auto}"
        "td,th{padding:.3rem .6rem;border-bottom:1px solid #d7dee6;text-align:left;vertical-align:top}"
        "img{max-width:100%}"
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style></head>\n<body><h1>{html.escape(title)}</h1>\n" + "\n".join(body) + "\n</body></html>\n"
    )


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
