"""The command line from outside, as a process of its own, and a file of passages for it to work on."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ai_tools.teachers.journal import Journal

# A test runner in the background ignores Ctrl-C, and its children would inherit that.
_HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
COMMAND = (sys.executable, "-c", f"{_HEED}; from ai_tools.cli import main; main()")


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that asks on loopback; settings in it are those given."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")} | more


def ai_tools(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip


def start(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.Popen[str]:
    """The same, not waited for."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def at(address: str) -> dict[str, str]:
    """The settings of a teacher at that address."""
    return {"PROVIDER": "openai-compatible", "TEACHER_MODEL_NAME": "m", "TEACHER_MODEL_BASE_URL": address}


def wait_until(done: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def journal_rows(path: Path) -> list[sqlite3.Row]:
    """The calls of a journal, also of one that is being written; none where there is no journal yet."""
    if not path.exists():
        return []
    with Journal(path, read_only=True) as journal:
        return list(journal.rows())


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that an error is; lines of progress may stand before it."""
    assert "Traceback" not in done.stderr, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.stderr.rstrip().splitlines()[-1] == line, done.stderr
    return line


def write_chunks(path: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    """A chunk file as step 02 writes it, a passage for each text."""
    rows = [
        {"chunk_id": f"c{n}", "document_id": "d1", "file": "bells.md", "heading_path": ["Bells", "Noon"], "text": text}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return rows


def bells(count: int) -> list[str]:
    return [f"The bell of house {n} rings at noon. Its rope is {n} metres long." for n in range(count)]
