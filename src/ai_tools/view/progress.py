"""Progress as it is read: a bar where somebody watches, else a line every few seconds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ..records import OnProgress, Progress

BAR_SECONDS, LINE_SECONDS = 0.2, 5.0  # between two states of a bar, two lines


def progress_bar(description: str) -> OnProgress:
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
            parts = (f"{now.done:,} of {now.total:,} done", _state(now), f"{duration(left)} left" if left else "")
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


def training_progress(every: int = 10) -> Callable[[dict[str, Any]], None]:
    """A callback for log rows that prints a line at every `every`-th of them."""
    seen: list[int] = []

    def update(row: dict[str, Any]) -> None:
        seen.append(row["step"])
        if len(seen) % every == 1:
            speed = f"{row['tokens_per_second']:,} tokens/s"
            print(f"step {row['step']:>6,}  loss {row['loss']:.3f}  {row['tokens']:>11,} tokens  {speed}", flush=True)

    return update


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 5 else f"{60 * minutes + rest} s"
