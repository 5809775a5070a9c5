"""What the way to a teacher costs, beside other clients of the same endpoint in the same run, in turns.

Ours is all-in: render, call, validate, journal; the others post a finished body and parse the reply. Each measurement
is a process of its own, so that its peak memory is its own. MOCK_ENDPOINT_URL names another endpoint that answers after
50 ms; ours shares its core with what it answers, and one that composes nothing is faster.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LATENCY = 0.05
REPEATS = 3
LOADS = ((64, 2_000), (256, 4_000))
PLANNED, PLANNED_SECONDS, AT_LEAST = 100_000, 180, 20_000
FAULTS = {"p429": 0.05, "p500": 0.05, "p-malformed": 0.05, "p-reset": 0.02, "retry-after": 1.0}
TEXT = "The tide at the harbour turns twice a day and the keeper writes it down. " * 22
WARM_UP = 5

Ask = Callable[[dict[str, Any]], Awaitable[Any]]


def settings_of(url: str, folder: str, in_flight: int, **more: Any) -> Any:
    from ai_tools.settings import load_settings

    return load_settings(
        output_dir=folder,
        provider="openai-compatible",
        teacher_model_name="mock",
        teacher_model_base_url=url,
        max_concurrency=in_flight,
        **more,
    )


def chunks(first: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(first, first + count):
        about = {"document_id": "", "file": "p.md", "title": "", "heading_path": ["Water"], "metadata": {}}
        yield {"chunk_id": f"c{number}", "text": f"{number} {TEXT}"} | about


# --- the clients; each is given a load and returns what became of it ---


def ours(url: str, in_flight: int, count: int, **more: Any) -> dict[str, Any]:
    from ai_tools import teachers, tools
    from ai_tools.errors import BudgetReached
    from ai_tools.teachers.asker import Asker
    from ai_tools.teachers.journal import Journal

    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(url, folder, in_flight, **more)
        with Journal(Path(folder) / "journal.sqlite") as journal:
            asker = Asker(teachers.connect(settings), journal, settings)

            async def one(chunk: dict[str, Any]) -> int:
                reply = await asker.try_ask(tools._planned(asker, chunk))
                return len(reply.pairs) if reply else 0

            def work(first: int, count: int) -> None:
                asker.run((one(chunk) for chunk in chunks(first, count)), count, each=lambda _: None)

            work(10**7, WARM_UP)
            before = Before()
            try:
                work(0, count)
            except BudgetReached:
                count = asker.calls - WARM_UP
            return before.since(count) | {"failed": len(asker.failed)}


def bodies(first: int, count: int) -> Iterator[dict[str, Any]]:
    """What ours sends, made beforehand but for the text."""
    from ai_tools.teachers import prompts, replies
    from offline_teacher import OfflineTeacher

    fields = {"title": "p", "section": "Water", "passage": "-", "count": 5, "angle": "the whole passage"}
    call = prompts.plan_call(prompts.load("questions"), fields, teacher=OfflineTeacher(), sampling=prompts.Sampling())
    schema = {"type": "json_schema", "json_schema": {"name": "pairs", "schema": replies.schema(call)}}
    system, user = (message["content"] for message in call.messages)
    for chunk in chunks(first, count):
        asked = user.replace("\n-\n", f"\n{chunk['text']}\n", 1)
        yield {
            "model": "mock",
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": asked}],
            "temperature": 0.7,
            "max_tokens": 4096,
            "response_format": schema,
        }


async def load(ask: Ask, in_flight: int, count: int) -> dict[str, Any]:
    """So many workers that take the next body each."""

    async def work(first: int, count: int) -> None:
        todo = bodies(first, count)

        async def worker() -> None:
            for body in todo:
                await ask(body)

        await asyncio.gather(*(worker() for _ in range(in_flight)))

    await work(10**7, WARM_UP)
    before = Before()
    await work(0, count)
    return before.since(count)


def raw_aiohttp(url: str, in_flight: int, count: int) -> dict[str, Any]:
    import aiohttp

    async def run() -> dict[str, Any]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers={"content-type": "application/json"}) as client:

            async def ask(body: dict[str, Any]) -> Any:
                async with client.post(f"{url}/chat/completions", data=json.dumps(body).encode()) as response:
                    return json.loads(await response.read())["choices"][0]["message"]["content"]

            return await load(ask, in_flight, count)

    return asyncio.run(run())


def openai(url: str, in_flight: int, count: int, *, aiohttp: bool = False) -> dict[str, Any]:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async def run() -> dict[str, Any]:
        http = DefaultAioHttpClient() if aiohttp else None
        async with AsyncOpenAI(base_url=url, api_key="-", http_client=http) as client:

            async def ask(body: dict[str, Any]) -> Any:
                return (await client.chat.completions.create(**body)).choices[0].message.content

            return await load(ask, in_flight, count)

    return asyncio.run(run())


CLIENTS: dict[str, Callable[..., dict[str, Any]]] = {
    "raw aiohttp": raw_aiohttp,
    "AsyncOpenAI": openai,
    "AsyncOpenAI + aiohttp": lambda *load: openai(*load, aiohttp=True),
    "ours, all-in": ours,
}


class Before:
    """The clocks of this process, and what they have shown since."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def since(self, calls: int) -> dict[str, Any]:
        seconds, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"calls": calls, "seconds": seconds, "rate": calls / seconds, "cpu": 1000 * cpu / calls, "peak": peak}


# --- the measurements ---


def measure(client: str, url: str, in_flight: int, count: int, **more: Any) -> dict[str, Any]:
    """Run one load in a fresh process."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    task = json.dumps({"client": client, "load": [url, in_flight, count], "more": more})
    done = subprocess.run([*command, task], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def endpoint(**options: float) -> Iterator[str]:
    """An endpoint in a process of its own."""
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "tests.endpoint", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    given = os.environ.get("MOCK_ENDPOINT_URL", "")
    with endpoint(latency=LATENCY) as own:
        url = given or own
        print(f"an endpoint that answers after {LATENCY * 1000:g} ms: {given or 'tests.endpoint'}")
        rate = compare(url)
        count = PLANNED if PLANNED / rate < PLANNED_SECONDS else AT_LEAST
        found = measure("ours, all-in", url, 256, PLANNED, **({"max_calls": count} if count < PLANNED else {}))
        asked = f"{found['calls']:,} of {PLANNED:,} planned calls made"
        print(
            f"{asked}, 256 in flight: peak {found['peak']:.0f} MB, {found['seconds']:.0f} s, {found['cpu']:.2f} ms CPU"
        )
    with endpoint(latency=LATENCY, **FAULTS) as url:
        runs = [measure("ours, all-in", url, 64, 1_000) for _ in range(REPEATS)]
    seconds = ", ".join(f"{run['seconds']:.1f}" for run in runs)
    failed = ", ".join(str(run["failed"]) for run in runs)
    what = ", ".join(f"{name} {value:g}" for name, value in FAULTS.items())
    print(f"1,000 calls with failures ({what}), 64 in flight: {seconds} s; malformed twice, and so rejected: {failed}")


def compare(url: str) -> float:
    """Print the table; requests/s of ours under the greater load."""
    rate = 0.0
    for in_flight, count in LOADS:
        ideal = in_flight / LATENCY
        print(f"\n{count:,} calls, {in_flight} in flight; ideal {ideal:,.0f} requests/s; medians of {REPEATS}")
        print(f"{'client':24} {'requests/s':>10} {'of ideal':>9} {'of raw':>7} {'CPU ms':>7} {'peak MB':>8}")
        rounds = [{name: measure(name, url, in_flight, count) for name in CLIENTS} for _ in range(REPEATS)]
        for name in CLIENTS:
            middle = {key: statistics.median(one[name][key] for one in rounds) for key in ("rate", "cpu", "peak")}
            raw = statistics.median(one[name]["rate"] / one["raw aiohttp"]["rate"] for one in rounds)
            rate = middle["rate"]
            shares = f"{rate / ideal:>9.0%} {raw:>7.0%}"
            print(f"{name:24} {rate:>10,.0f} {shares} {middle['cpu']:>7.2f} {middle['peak']:>8.0f}", flush=True)
    print()
    return rate


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    print(json.dumps(CLIENTS[wanted["client"]](*wanted["load"], **wanted["more"])))
