"""The factory of teachers, and asking one from ordinary code, from a notebook, and while somebody interrupts."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from ai_tools import teachers
from ai_tools.errors import SettingsError


def test_the_offline_teacher_is_the_default_and_another_provider_is_one_clear_line() -> None:
    assert teachers.connect("offline").model.startswith("rules-")
    with pytest.raises(SettingsError, match=r"PROVIDER=openai: .*PROVIDER=offline"):
        teachers.connect("openai")


async def _answer() -> int:
    await asyncio.sleep(0)
    return 7


def test_async_work_runs_from_ordinary_code_and_from_inside_a_running_loop() -> None:
    async def cell() -> int:
        return teachers.run_sync(_answer())

    assert teachers.run_sync(_answer()) == 7
    assert asyncio.run(cell()) == 7


def test_an_error_of_the_work_comes_through() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async def cell() -> None:
        teachers.run_sync(fail())

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(cell())


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A test runner in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
def test_an_interrupted_cell_stops_the_work_at_once() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("cancelled")

    async def cell() -> None:
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        teachers.run_sync(long())

    before = time.monotonic()
    loop = asyncio.new_event_loop()  # as in a notebook; asyncio.run has a way of its own with Ctrl-C
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    loop.close()
    assert ended == ["cancelled"]
    assert time.monotonic() - before < 20
