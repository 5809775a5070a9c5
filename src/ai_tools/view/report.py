"""The report: one self-contained page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import Any

from ..steps.evaluation import wrong_answers
from .plots import Plot
from .tables import difference_table, metrics_table, table, verdict


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
    low, high = accuracy["interval"]
    arms = {f"{group}: {arm}": metrics[group][arm] for group in metrics for arm in ("base", "tuned")}
    sections = [
        (
            "Verdict",
            f"{verdict(accuracy).capitalize()}: {accuracy['value']:+.1%} (95% interval {low:+.1%} to {high:+.1%}, "
            f"n = {accuracy['n']}). {origin}",
            None,
        ),
        ("Before and after", "Bars are means, thin lines 95% intervals resampled by document.", figure),
        ("All figures", "\n".join(notes), metrics_table(arms)),
        ("Differences, paired by question", "", difference_table({g: of["difference"] for g, of in metrics.items()})),
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
