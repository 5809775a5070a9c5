"""What the way to a teacher costs, beside other clients of the same endpoint in the same run, in turns.

Ours is all-in: render, call, validate, journal; the others post a finished body and parse the reply. Each measurement
is a process of its own, so that its peak memory is its own.

MOCK_ENDPOINT_URL names another endpoint that answers after 50 ms, to the schema of a request: ours may be the slower
part of what is measured. CURATOR_PYTHON is the Python of an environment that has bespokelabs-curator, another all-in
client, to be measured too.
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
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

LATENCY = 0.05
FAULTS = {"p429": 0.05, "p500": 0.05, "p-malformed": 0.05, "p-reset": 0.02, "retry-after": 1.0}
PLANNED_SECONDS, AT_LEAST = 180, 20_000  # a slow machine makes that many of the planned calls, and no more
TEXT = "The tide at the harbour turns twice a day and the keeper writes it down. " * 22
WARM_UP = 5
TRACKED = ("requests/s", "of raw", "of post", "CPU ms", "of post", "peak MB")

Load = tuple[str, int, int]  # an endpoint's address, calls in flight, calls
Body = dict[str, Any]
Found = dict[str, float]


class Size(NamedTuple):
    loads: tuple[tuple[int, int], ...]  # calls in flight, calls
    repeats: int
    planned: int
    with_failures: int


FULL = Size(((64, 2_000), (256, 4_000)), repeats=3, planned=100_000, with_failures=1_000)
TOY = Size(((4, 12),), repeats=1, planned=20, with_failures=20)


def passage(number: int) -> str:
    return f"{number} {TEXT}"


# --- ours ---


def ours(load: Load, **limits: int) -> Found:
    from ai_tools import teachers
    from ai_tools.errors import BudgetReached
    from ai_tools.settings import load_settings
    from ai_tools.teachers.asker import Session
    from ai_tools.teachers.journal import Journal

    url, in_flight, count = load
    chosen = {"provider": "openai-compatible", "teacher_model_name": "mock", "teacher_model_base_url": url}
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(output_dir=folder, max_concurrency=in_flight, **chosen, **limits)
        with Journal(Path(folder) / "journal.sqlite") as journal:
            asker = teachers.make_asker(settings, journal)

            async def chain(number: int, session: Session) -> int:
                fields, origin = about(passage(number)), {"recipe": "generate", "chunk_id": f"c{number}"}
                reply = await session.try_ask(session.plan("questions", fields, **origin))
                return len(reply.pairs) if reply else 0

            def failed_of(numbers: range) -> int:
                return len(asker.run(chain, numbers, each=lambda _: None).failed)

            failed = failed_of(range(10**7, 10**7 + WARM_UP))
            before = Before()
            try:
                failed += failed_of(range(count))
            except BudgetReached:
                count = len(journal) - WARM_UP
            return before.since(count) | {"failed": failed}


def about(text: str) -> dict[str, Any]:
    """What a prompt for questions is filled in with."""
    return {"title": "p", "section": "Water", "passage": text, "count": 5, "angle": "the whole passage"}


def body() -> Body:
    """What ours sends, made once; the passage is still to come."""
    from ai_tools import teachers
    from ai_tools.settings import load_settings
    from ai_tools.teachers import prompts, schemas

    teacher = teachers.connect(load_settings(provider="offline"))
    call = prompts.plan_call(prompts.load("questions"), about("-"), teacher=teacher, sampling=prompts.Sampling())
    schema = {"name": call.reply, "strict": True, "schema": schemas.schema(call)}
    asked = {"model": "mock", "messages": list(call.messages), "temperature": call.temperature}
    form = {"type": "json_schema", "json_schema": schema}
    return asked | {"max_tokens": call.max_tokens, "seed": call.seed, "response_format": form}


# --- the other clients ---

Ask = Callable[[Body], Awaitable[Any]]


def bodies(of: Body, first: int, count: int) -> Iterator[Body]:
    system, user = of["messages"]
    for number in range(first, first + count):
        asked = user["content"].replace("\n-\n", f"\n{passage(number)}\n", 1)
        yield of | {"messages": [system, {"role": "user", "content": asked}], "seed": number}


async def many(ask: Ask, load: Load, of: Body) -> Found:
    """So many workers that take the next body each."""
    _, in_flight, count = load

    async def work(first: int, count: int) -> None:
        todo = bodies(of, first, count)

        async def worker() -> None:
            for one in todo:
                await ask(one)

        await asyncio.gather(*(worker() for _ in range(in_flight)))

    await work(10**7, WARM_UP)
    before = Before()
    await work(0, count)
    return before.since(count)


async def raw_aiohttp(load: Load, of: Body) -> Found:
    import aiohttp

    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as client:

        async def ask(one: Body) -> Any:
            async with client.post(f"{load[0]}/chat/completions", data=json.dumps(one).encode()) as response:
                return json.loads(await response.read())["choices"][0]["message"]["content"]

        return await many(ask, load, of)


async def openai(load: Load, of: Body, *, aiohttp: bool = True, typed: bool = True) -> Found:
    """The package as its users have it, or with no more than its `post`."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    http = DefaultAioHttpClient() if aiohttp else None
    async with AsyncOpenAI(base_url=load[0], api_key="-", max_retries=0, http_client=http) as client:

        async def typed_ask(one: Body) -> Any:
            return (await client.chat.completions.create(**one)).choices[0].message.content

        async def ask(one: Body) -> Any:
            found: Any = await client.post("/chat/completions", cast_to=object, body=one)
            return found["choices"][0]["message"]["content"]

        return await many(typed_ask if typed else ask, load, of)


def curator(load: Load, of: Body) -> Found:
    """bespokelabs-curator on its own way to an endpoint; it renders, calls, validates and stores, as ours does."""
    url, in_flight, count = load
    with tempfile.TemporaryDirectory() as folder:
        for name in ("TELEMETRY_ENABLED", "CURATOR_VIEWER"):
            os.environ[name] = "false"
        os.environ |= {"CURATOR_CACHE_DIR": folder, "CURATOR_DISABLE_RICH_DISPLAY": "1", "OPENAI_API_KEY": "-"}
        from litellm.litellm_core_utils import tokenizers

        os.environ["TIKTOKEN_CACHE_DIR"] = tokenizers.__path__[0]  # it counts tokens, and would download how
        from bespokelabs.curator import LLM
        from pydantic import create_model

        pair = create_model("Pair", question=str, answer=str)

        class Asks(LLM):
            def prompt(self, row: Any) -> Any:
                return next(bodies(of, row["number"], 1))["messages"]

            def parse(self, row: Any, reply: Any) -> Any:
                return [{"number": row["number"]} | one.model_dump() for one in reply.pairs]

        most = {"max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**10, "max_concurrent_requests": in_flight}
        sampling = {"temperature": of["temperature"], "max_tokens": of["max_tokens"]}
        asks = Asks(
            "gpt-4o-mini", create_model("Pairs", pairs=list[pair]), backend="openai", generation_params=sampling,
            backend_params={"base_url": url, "api_key": "-"} | most,
        )  # fmt: skip
        asks([{"number": 10**7 + number} for number in range(WARM_UP)])
        before = Before()
        asks([{"number": number} for number in range(count)])
        return before.since(count)


POST, OURS, CURATOR = "AsyncOpenAI.post + aiohttp", "ours, all-in", "curator, all-in"
OTHERS: dict[str, Callable[[Load, Body], Any]] = {
    "raw aiohttp": raw_aiohttp,
    "AsyncOpenAI": partial(openai, aiohttp=False),
    "AsyncOpenAI + aiohttp": openai,
    POST: partial(openai, typed=False),
    CURATOR: curator,
}


class Before:
    """The clocks of this process, and what they have shown since."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def since(self, calls: int) -> Found:
        seconds, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"calls": calls, "seconds": seconds, "rate": calls / seconds, "cpu": 1000 * cpu / calls, "peak": peak}


# --- the measurements ---


def measure(client: str, load: Load, of: Body | None = None, **limits: int) -> Found:
    """Run one load in a fresh process."""
    python = os.environ["CURATOR_PYTHON"] if client == CURATOR else sys.executable
    task = json.dumps({"client": client, "load": load, "body": of, "limits": limits})
    command = [python, "-m", "tests.benchmarks.teachers"]
    done = subprocess.run(command, input=task, check=True, stdout=subprocess.PIPE, text=True)
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(task: dict[str, Any]) -> Found:
    if task["client"] == OURS:
        return ours(task["load"], **task["limits"])
    work = OTHERS[task["client"]](task["load"], task["body"])
    return asyncio.run(work) if asyncio.iscoroutine(work) else work


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


def main(small: bool = False) -> None:
    size = TOY if small else FULL
    given = os.environ.get("MOCK_ENDPOINT_URL", "")
    with endpoint(latency=LATENCY) as own:
        url = given or own
        print(f"an endpoint that answers after {LATENCY * 1000:g} ms: {given or 'tests.endpoint'}")
        rates = [compare((url, *load), size.repeats) for load in size.loads]
        a_long_run(url, size.planned, rates[-1])
    with endpoint(latency=LATENCY, **FAULTS) as url:
        failures(url, size)


def compare(load: Load, repeats: int) -> float:
    """Print the table of one load; requests/s of ours under it."""
    _, in_flight, count = load
    of, clients = body(), [name for name in (*OTHERS, OURS) if name != CURATOR or "CURATOR_PYTHON" in os.environ]
    ideal = f"ideal {in_flight / LATENCY:,.0f} requests/s"
    print(f"\n{count:,} calls, {in_flight} in flight; {ideal}; medians of {repeats}, ratios within each turn")
    print(f"{'client':27}" + "".join(f"{name:>11}" for name in TRACKED))
    turns = [{name: measure(name, load, of) for name in clients} for _ in range(repeats)]

    def middle(name: str, key: str, by: str = "") -> float:
        return statistics.median(turn[name][key] / (turn[by][key] if by else 1) for turn in turns)

    for name in clients:
        shares = f"{middle(name, 'rate', 'raw aiohttp'):>11.2f}{middle(name, 'rate', POST):>11.2f}"
        cpu = f"{middle(name, 'cpu'):>11.2f}{middle(name, 'cpu', POST):>11.2f}"
        print(f"{name:27}{middle(name, 'rate'):>11,.0f}{shares}{cpu}{middle(name, 'peak'):>11.0f}", flush=True)
    if CURATOR in clients:
        print(f"CPU of curator's beside ours: {middle(CURATOR, 'cpu') / middle(OURS, 'cpu'):.1f}")
    return middle(OURS, "rate")


def a_long_run(url: str, planned: int, rate: float) -> None:
    limits = {} if planned / rate < PLANNED_SECONDS else {"max_calls": AT_LEAST}
    found = measure(OURS, (url, 256, planned), **limits)
    asked = f"{found['calls']:,} of {planned:,} planned calls made, 256 in flight"
    print(f"\n{asked}: peak {found['peak']:.0f} MB, {found['seconds']:.0f} s, {found['cpu']:.2f} ms CPU")


def failures(url: str, size: Size) -> None:
    runs = [measure(OURS, (url, 64, size.with_failures)) for _ in range(size.repeats)]
    seconds = ", ".join(f"{run['seconds']:.1f}" for run in runs)
    failed = ", ".join(f"{run['failed']:.0f}" for run in runs)
    what = ", ".join(f"{name} {value:g}" for name, value in FAULTS.items())
    print(f"{size.with_failures:,} calls with failures ({what}), 64 in flight: {seconds} s")
    print(f"malformed twice, and so rejected: {failed}")


if __name__ == "__main__":
    print(json.dumps(measured(json.load(sys.stdin))))
