"""Every benchmark runs to its end, on next to nothing; what it says of speed is not looked at here."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import learning, methods
from benchmarks.__main__ import BENCHMARKS, LONG

ROOT = Path(__file__).parents[1]
# Read by every Python process that a benchmark starts.
OFFLINE = """
import sys
def watch(event, details):
    if event == "socket.getaddrinfo" and details[0] not in ("127.0.0.1", "localhost", None):
        raise RuntimeError(f"the network was asked for {details[0]}")
sys.addaudithook(watch)
"""
FIGURES = {
    "speed": r"chunking: [\d.]+ MB/s(?s:.*)generation: [1-9]\d* calls(?s:.*)journal: [\d,]+ rows/s(?s:.*)peak memory",
    "documents": r"(?s:.*\bours +\d+ .*\btrafilatura +\d+ )(?s:.*)\bours +\d+ +\d+ .*\npypdfium2 text +\d+ ",
    "chunking": r"\bours +0\.0 +[\d.]+ +[1-9]\d* +0 (?s:.*)two processes: [\d.]+ MB/s",
    "folders": r"20 files(?s:.*)20 documents, 0 failed(?s:.*)converted: (?s:.*)unchanged: ",
    "teachers": r"12 calls(?s:.*)\nours, all-in +[1-9]\d* (?s:.*)20 of 20 planned(?s:.*)20 calls with failures",
    "tools": r"combine .*; loaded: nothing heavy(?s:.*)all in the journal +[\d.]+ s(?s:.*)export, a folder",
    "sensitive": r"prose +[\d.]+ MB/s(?s:.*)\nours +10 of 10 +0 of 10 +1\.00",
    "questions": r"corpus: 2 chunks(?s:.*)[1-9]\d* statements, [\d.]+% with a question(?s:.*)facts asked",
}


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run that may write in `folder` alone: temporary files in `temporary`, results nowhere.

    The folder's path is short: a socket's, below it, has at most about 100 letters.
    """
    for name in ("hooks", "temporary"):
        (folder / name).mkdir()
    (folder / "hooks/sitecustomize.py").write_text(OFFLINE)
    paths = os.pathsep.join(filter(None, (str(folder / "hooks"), os.environ.get("PYTHONPATH"))))
    env = os.environ | {"PYTHONPATH": paths, "TMPDIR": f"{folder}/temporary", "OUTPUT_DIR": f"{folder}/output"}
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.usefixtures("clean_environment")
def test_a_benchmark_runs_to_its_end_and_leaves_nothing_behind(short_folder: Path, name: str) -> None:
    done = bench(short_folder, "--small", name)
    assert done.returncode == 0, done.stderr
    assert re.search(FIGURES[name], done.stdout), done.stdout
    assert not any((short_folder / "temporary").iterdir())
    assert not (short_folder / "output").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("clean_environment")
def test_the_benchmark_of_learning_runs_to_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # in this process, since loading torch once more takes longer than all of it
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OUTPUT_DIR", str(tmp_path / "output"))
    learning.main(small=True)
    told = r"seed 0: [1-9]\d* rows(?s:.*)control, answers shuffled: (?s:.*)unreplayed +exact_match +[\d.]+ -> "
    assert re.search(told, capsys.readouterr().out)
    assert not (tmp_path / "output").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("clean_environment")
def test_the_benchmark_of_methods_runs_to_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OUTPUT_DIR", str(tmp_path / "output"))
    methods.main(small=True)
    told = r"full, replay 0: exam (?s:.*)distill, replay 0\.1: exam (?s:.*)\nosft +0\.1 (?s:.*)of 4 questions "
    assert re.search(told, capsys.readouterr().out)
    assert not (tmp_path / "output").exists()


def test_every_benchmark_is_run_here() -> None:
    assert {*FIGURES, "learning", "methods"} == {*BENCHMARKS, *LONG}


def test_an_unknown_benchmark_is_named_beside_the_known_ones(tmp_path: Path) -> None:
    done = bench(tmp_path, "speed", "spead")
    assert done.returncode == 2
    assert f"spead: no such benchmark; there are {', '.join((*BENCHMARKS, *LONG))}" in done.stderr
