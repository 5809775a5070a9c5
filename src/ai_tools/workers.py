"""A function over many items, in processes of their own: one that takes too much or dies costs its item, no other.

Not `multiprocessing`: its children import the caller's main module, which a script without a guard does not survive;
its pools cannot end one item that overruns, and break as a whole where a process is killed.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, TypeVar

HUNG_UP_SECONDS = 2.0
MB = 1_000_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item has no result: it took more time or memory than it may, its process died, or an error was raised."""

    kind: Literal["timeout", "memory", "died", "error"]
    reason: str


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def attempt(function: Callable[[T], R], item: T) -> R | Fault:
    """The function's result, or its error as data."""
    try:
        return function(item)
    except MemoryError:
        return Fault("memory", "takes more memory than there is")
    except Exception as error:  # whatever is wrong with one item must not cost the others
        message = " ".join(str(error).split())[:200]
        return Fault("error", f"{type(error).__name__}: {message}" if message else type(error).__name__)


def run(
    function: Callable[[T], R], items: Sequence[T], *, timeout: float, processes: int, memory: int | None = None
) -> Generator[tuple[int, R | Fault], None, None]:
    """Number and result of every item as it gets done, in no order.

    Whoever stops listening ends the processes.

    Args:
        function: of a module, by whose name the processes find it; its results should be small.
        timeout: seconds that one item may take; its process is ended and replaced then.
        memory: bytes that one process, and each that it starts, may hold; Linux heeds it.
    """
    results: SimpleQueue[tuple[int, R | Fault]] = SimpleQueue()
    numbers = iter(range(len(items)))
    lock = threading.Lock()
    workers = [_Worker(timeout, memory) for _ in range(min(processes, len(items)))]
    stopped = threading.Event()

    def work(worker: _Worker) -> None:
        while not stopped.is_set():
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            results.put((number, attempt(partial(worker.call, function), items[number])))

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for _ in items:
            yield results.get()
    finally:
        stopped.set()
        for worker in workers:
            worker.end()
        for thread in threads:
            thread.join()


class _Worker:
    """One process, started when there is something to do, and again after it died."""

    def __init__(self, timeout: float, memory: int | None) -> None:
        self._timeout, self._memory = timeout, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()

    def call(self, function: Callable[[T], R], item: T) -> R | Fault:
        try:
            process = self._start()
            assert process.stdin
            assert process.stdout
            pickle.dump((function, item, self._timeout), process.stdin)
            process.stdin.flush()
            result: R | Fault = pickle.load(process.stdout)  # noqa: S301 - our own process
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            return self._fault(error)
        if isinstance(result, Fault) and result.kind == "memory" and self._memory:
            self._stop()  # what is left of it would be too little for the next
            return Fault("memory", f"takes more than {self._memory / MB:,.0f} MB of memory")
        return result

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ended:
                raise EOFError("ended")
            if self._process is None:
                paths = [path or str(Path.cwd()) for path in sys.path]
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, "-c", f"from {__name__} import serve; serve({self._memory})"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                    start_new_session=True,
                )
            return self._process

    def _fault(self, error: Exception) -> Fault:
        """What the end of the process was; the next call starts another one."""
        code = self._stop(HUNG_UP_SECONDS)  # it has hung up, and may not quite have ended
        if code is None:
            return Fault("died", str(error))
        if code == -signal.SIGALRM:
            return Fault("timeout", f"took longer than {self._timeout:g} s")
        return Fault(
            "died", f"its process was ended by {_name(-code)}" if code < 0 else f"its process ended with {code}"
        )

    def _stop(self, patience: float = 0) -> int | None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        return _close(process)

    def end(self) -> None:
        with self._lock:
            self._ended = True
        self._stop()


def _close(process: subprocess.Popen[bytes]) -> int:
    """End a process, what it has started, and with it whoever waits for it; its exit code, negative for a signal."""
    with suppress(OSError), process:  # closes the pipes on leaving; what waits in one cannot be sent any more
        os.killpg(process.pid, signal.SIGKILL)  # its group may outlive it
    return process.wait()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def serve(memory: int | None) -> None:
    """What a process of `run` does: take items from standard input until it is closed, give results."""
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the caller too, who ends this process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, wherever it hangs
    with suppress(OSError):  # where memory runs out, Linux takes it from here first
        Path("/proc/self/oom_score_adj").write_text("1000")
    if memory:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)  # not of addresses: programs reserve more than they use
        resource.setrlimit(resource.RLIMIT_DATA, (memory if most < 0 else min(memory, most), most))
    threading.Thread(target=_end_with_caller, daemon=True).start()
    while True:
        try:
            request: tuple[Callable[[Any], Any], Any, float] = pickle.load(requests)  # noqa: S301 - from our caller
        except EOFError:
            return
        function, item, timeout = request
        signal.setitimer(signal.ITIMER_REAL, timeout)
        result = attempt(function, item)
        signal.setitimer(signal.ITIMER_REAL, 0)
        pickle.dump(result, replies)
        replies.flush()


def _end_with_caller() -> None:
    """Where the caller is gone, however it ended, end this process at its work, and what it has started."""
    calls = select.poll()
    calls.register(0, select.POLLHUP)
    calls.poll()
    os.killpg(0, signal.SIGKILL)
