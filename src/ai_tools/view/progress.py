"""Progress as it is read: a bar where somebody watches, else a line every few seconds."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ..records import OnProgress, Progress

BAR_SECONDS, LINE_SECONDS = 0.2, 15.0  # between two states of a bar, two lines
LONG_WAIT = 5.0  # seconds of a call that are worth a word


def progress_bar(description: str) -> OnProgress:
    """A bar in Lab and at a terminal; elsewhere, where a bar shows its first state only, a line every few seconds."""
    watched, shown, bar = has_reader(), time.monotonic(), None
    ended: Progress | None = None  # work that is told of to its end: the clock may still tick

    def update(now: Progress) -> None:
        nonlocal shown, bar, ended
        if now is ended:
            return
        if watched and bar is None:
            from tqdm.auto import tqdm

            bar = tqdm(total=now.total, desc=description)
        last = now.done >= now.total
        ended = now if last else None
        if last or time.monotonic() - shown > (BAR_SECONDS if watched else LINE_SECONDS):
            shown = time.monotonic()
            _redraw(bar, now) if bar is not None else _print(description, now)
        if bar is not None and last:
            bar.close()

    return update


def _redraw(bar: Any, now: Progress) -> None:
    bar.set_postfix_str(_state(now), refresh=False)
    bar.update(now.done - bar.n)
    bar.refresh()


def _print(description: str, now: Progress) -> None:
    left = now.seconds_left if now.done < now.total else None
    parts = (f"{now.done:,} of {now.total:,} done", _state(now), f"{duration(left)} left" if left else "")
    print(f"{description}: {', '.join(filter(None, parts))}", file=sys.stderr, flush=True)


def tell(*lines: str) -> None:
    """Print lines where they are read: below the cell, or headless on standard error, which a run passes on."""
    print(*lines, sep="\n", file=sys.stdout if has_reader() else sys.stderr, flush=True)


def has_reader() -> bool:
    """Whether somebody sees output being redrawn: a terminal, or a kernel that a front end has started."""
    if "ipykernel" not in sys.modules:
        return sys.stderr.isatty()
    return any(name in os.environ for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"))


def _state(now: Progress) -> str:
    amounts = {
        "{:,} calls": now.calls,
        "{:,} from the journal": now.from_journal,
        "{:,} failed": now.failed,
        "{} in flight": now.in_flight,
        "the endpoint is away for {:.0f} s": now.away,
        "longest wait {:.0f} s": now.longest_wait if now.longest_wait >= LONG_WAIT else 0,
        "{:,} tokens": now.tokens,
        "{:,.0f} tokens/s": now.tokens_per_second,
        "${:.4f}": now.usd,
    }
    return ", ".join(text.format(amount) for text, amount in amounts.items() if amount)


def training_progress(every: int = 10) -> Callable[[dict[str, Any]], None]:
    """A callback for log rows that tells every `every`-th of them."""
    numbers = itertools.count()

    def update(row: dict[str, Any]) -> None:
        if next(numbers) % every == 0:
            speed = f"{row['tokens_per_second']:,} tokens/s"
            tell(f"step {row['step']:>6,}  loss {row['loss']:.3f}  {row['tokens']:>11,} tokens  {speed}")

    return update


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 5 else f"{60 * minutes + rest} s"
