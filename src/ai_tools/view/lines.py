"""What is printed at a terminal: a plan, the summary of a journal, ratings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from ..records import grouped
from ..settings import Settings
from ..teachers.dry_run import ASSUMED_SECONDS, Estimate, Speed
from ..teachers.providers import price
from .progress import duration


def dollars(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:,.2f}" if usd >= 0.01 or not usd else f"${usd:.4f}"


def largest(estimate: Estimate) -> str:
    """The largest call of a piece of work, in tokens: prompt and reply."""
    return "{:,} + {:,}".format(*estimate.largest)


def speed(one: Speed) -> str:
    """What time is reckoned by, in few words."""
    rate = f"{one.tokens:,.0f}" if one.tokens >= 10 else f"{one.tokens:.1f}"
    seen = f"{rate} tokens/s a call, by {one.calls:,} earlier {'calls' if one.calls > 1 else 'call'}"
    return f"{one.model}, {one.in_flight} in flight, {seen if one.calls else f'assuming {ASSUMED_SECONDS:g} s a reply'}"


def plan_lines(
    estimates: Sequence[Estimate], teacher: str, settings: Settings, *, instructions: str = "", notice: str = ""
) -> list[str]:
    """A plan as people read it: who is asked, then calls, tokens, money and time of each piece of work and of all."""
    whole = Estimate("all")
    for one in estimates:
        for name in ("calls", "known", "tokens_in", "tokens_out", "seconds"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.usd = None if one.usd is None or whole.usd is None else whole.usd + one.usd
        whole.speeds += tuple(each for each in one.speeds if each not in whole.speeds)
        whole.largest = max(whole.largest, one.largest, key=sum)
    lines = [f"teacher: {teacher}", *([notice] if notice else [])]
    if instructions:
        lines.append(f"added to the instructions: {instructions}")
    heads = f"{'calls':>9} {'in journal':>11} {'tokens in':>12} {'tokens out':>12} {'price':>10} {'time':>9}"
    if estimates:
        lines.append(f"{'':22} {heads} {'largest call':>16}")
    for one in [*estimates, whole] if len(estimates) > 1 else estimates:
        counts = f"{one.calls:>9,} {one.known:>11,} {one.tokens_in:>12,.0f} {one.tokens_out:>12,.0f}"
        lines.append(f"{one.name:22} {counts} {dollars(one.usd):>10} {duration(one.seconds):>9} {largest(one):>16}")
    lines += [f"{one.name}: {one.note}" for one in estimates if one.note]
    lines += [f"time: {speed(each)}" for each in whole.speeds]
    limits = {name.upper(): getattr(settings, name) for name in ("max_calls", "max_tokens_total", "max_usd")}
    if any(limits.values()):
        lines.append("limits: " + ", ".join(f"{name}={value:,}" for name, value in limits.items() if value))
    return lines


def journal_lines(rows: Sequence[dict[str, Any]], settings: Settings) -> list[str]:
    """The summary of a journal: a line for each model and status, then what went wrong, most frequent first."""
    heads = f"{'status':9} {'calls':>9} {'requests':>9} {'tokens in':>12} {'tokens out':>12} {'price':>10}"
    told = [("teacher", heads)]
    groups = grouped(rows, itemgetter("provider", "base_url", "model", "status"))
    for (provider, url, model, status), members in groups.items():
        calls, requests, tokens_in, tokens_out = (
            sum(row[name] for row in members) for name in ("calls", "requests", "tokens_in", "tokens_out")
        )
        cost = price(provider, model, settings.teacher_price)
        usd = f"${cost.of(tokens_in, tokens_out):,.4f}" if cost else "unknown"
        who = f"{provider} {model}" + (f" at {urlsplit(url).netloc}" if url else "")
        told.append((who, f"{status:9} {calls:>9,} {requests:>9,} {tokens_in:>12,} {tokens_out:>12,} {usd:>10}"))
    width = max(len(who) for who, _ in told)
    lines = [f"{who:{width}}  {amounts}" for who, amounts in told]
    causes = Counter[str]()
    for row in rows:
        if row["error"]:
            causes[f"{row['status']}: {row['error']}"] += row["calls"]
    return lines + [f"{count:>6} {cause}" for cause, count in causes.most_common(10)]


def rating_lines(counts: Sequence[int], threshold: float) -> list[str]:
    """Pairs by points, the best first, as a chart of characters; what is kept is drawn full."""
    most = max(*counts, 1)
    return [
        f"{points:>3} {('#' if points >= threshold else '-') * math.ceil(40 * counts[points] / most):40} "
        f"{counts[points]:>9,}"
        for points in range(len(counts) - 1, -1, -1)
    ]
