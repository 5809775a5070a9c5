"""A function over many items in processes: one that hangs, dies or fails costs its item, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ai_tools import workers
from ai_tools.workers import Fault


def act(item: str) -> str:
    """What the processes of these tests do."""
    match item:
        case "hang":
            while True:
                time.sleep(60)
        case "start and hang":
            Path("started").write_text(str(subprocess.Popen(["sleep", "60"]).pid))
            time.sleep(60)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
        case "hoard":
            return str(len(bytearray(4_000_000_000)))
        case "unpicklable":
            return lambda: item  # type: ignore[return-value]
        case "fail":
            raise ValueError("not\nthat")
        case "print":
            print("noise")
            os.write(1, b"noise")
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        case "process":
            return str(os.getpid())
    return item.upper()


def results(*items: str, timeout: float = 60, processes: int = 2, memory: int | None = None) -> list[str | Fault]:
    found = dict(workers.run(act, items, timeout=timeout, processes=processes, memory=memory))
    return [found[number] for number in range(len(items))]


def test_every_item_gets_its_own_result_whatever_the_order_of_completion() -> None:
    items = [f"item {number}" for number in range(40)]
    assert results(*items) == [item.upper() for item in items]


def test_one_process_does_many_items_and_no_more_are_started_than_there_are_items() -> None:
    assert len(set(results(*["process"] * 20, processes=2))) <= 2
    assert len(set(results("process", processes=8))) == 1
    assert results() == []


def test_an_item_that_takes_too_long_is_ended_and_the_others_go_on() -> None:
    assert results("a", "hang", "b", "hang", "c", timeout=1.0, processes=1) == [
        "A",
        Fault("timeout", "took longer than 1 s"),
        "B",
        Fault("timeout", "took longer than 1 s"),
        "C",
    ]


def is_running(process: int) -> bool:
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_an_item_has_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert results("start and hang", timeout=0.7) == [Fault("timeout", "took longer than 0.7 s")]
    started = int(Path("started").read_text())
    wait_for(lambda: not is_running(started))


def test_where_the_caller_is_killed_its_processes_and_what_they_have_started_end_too(tmp_path: Path) -> None:
    work = "import test_workers; test_workers.results('start and hang', timeout=600)"
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    caller = subprocess.Popen([sys.executable, "-c", work], cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths})
    started = tmp_path / "started"
    wait_for(lambda: started.exists() and bool(started.read_text()))
    below = [one.pid for one in psutil.Process(caller.pid).children(recursive=True)]
    assert int(started.read_text()) in below
    caller.kill()
    caller.wait()
    wait_for(lambda: not any(map(is_running, below)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux heeds the limit")
def test_an_item_that_takes_too_much_memory_is_ended_and_the_others_go_on() -> None:
    assert results("a", "hoard", "b", processes=1, memory=1_000_000_000) == [
        "A",
        Fault("memory", "takes more than 1,000 MB of memory"),
        "B",
    ]


def test_a_process_that_dies_costs_its_item_only() -> None:
    assert results("die", "a", "leave", "b", "unpicklable", processes=1) == [
        Fault("died", "its process was ended by SIGKILL"),
        "A",
        Fault("died", "its process ended with 3"),
        "B",
        Fault("died", "its process ended with 1"),
    ]


def test_an_error_is_data_and_one_line() -> None:
    assert results("fail", "a") == [Fault("error", "ValueError: not that"), "A"]


def test_what_an_item_prints_and_a_ctrl_c_do_not_get_among_the_results() -> None:
    assert results("print", "interrupt", "a", processes=1) == ["PRINT", "INTERRUPT", "A"]


def test_whoever_stops_listening_ends_the_processes() -> None:
    before = set(psutil.Process().children())
    running = workers.run(act, ["a", "hang", "hang", "hang"], timeout=60, processes=2)
    assert next(running) == (0, "A")
    assert set(psutil.Process().children()) - before
    running.close()
    assert set(psutil.Process().children()) == before


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os.path\nfrom ai_tools import workers\nprint('once')\n"
        "print(sorted(workers.run(os.path.basename, ['a/b', 'c/d'], timeout=60, processes=2)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout == "once\n[(0, 'b'), (1, 'd')]\n", done.stderr
