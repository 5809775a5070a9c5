"""Async work from ordinary code."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run async work to its end, also where a loop is running already (a notebook): there in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    async def held() -> T:
        running.append((asyncio.get_running_loop(), asyncio.ensure_future(work)))
        return await running[0][1]

    with ThreadPoolExecutor(max_workers=1) as pool:
        outcome = pool.submit(asyncio.run, held())
        try:
            return outcome.result()
        except KeyboardInterrupt:  # an interrupted cell must not go on asking, and paying, behind the reader's back
            for loop, task in running if not outcome.done() else ():
                loop.call_soon_threadsafe(task.cancel)
            raise
