"""What goes wrong outside: kills, an endpoint that fails or goes away, wrong settings, and a key that must not leak."""

import json
import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from endpoint import Answer, Endpoint, Request, error
from outside import ai_tools, at, bells, error_of, journal_rows, start, wait_until, write_chunks

from ai_tools.workspace import DATASETS, STEPS

KILLS = 20
ROOT = Path(__file__).parents[1]


def generate(*arguments: str) -> tuple[str, ...]:
    return ("generate", "chunks.jsonl", "-o", "out.json", *arguments)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows, apart from the time when they were made."""
    rows = json.loads(path.read_text("utf-8"))
    return [{name: value for name, value in row.items() if name != "generated_at"} for row in rows]


def words_of(request: Request) -> str:
    """What tells one call from another."""
    return json.dumps(request.body["messages"])


def committed(journal: Path) -> set[str]:
    return {json.dumps(json.loads(row["messages"])) for row in journal_rows(journal)}


def test_a_run_that_is_killed_20_times_asks_nothing_finished_again_and_ends_in_the_same_rows(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(500))
    output, journal, rng, in_flight = toy_root / "out.json", toy_root / "output/journal.sqlite", random.Random(7), 4
    with Endpoint(latency=0.02) as endpoint:
        more = at(endpoint.url) | {"MAX_CONCURRENCY": str(in_flight)}
        finished: set[str] = set()
        for _ in range(KILLS):
            before, more_requests, then = len(endpoint.requests), rng.randrange(34), rng.uniform(0, 0.025)
            process = start(*generate(), **more)
            wait_until(lambda: len(endpoint.requests) >= before + more_requests or process.poll() is not None)  # noqa: B023
            time.sleep(then)
            assert process.poll() is None, process.communicate()[1]
            process.kill()
            process.communicate()
            assert not finished & {words_of(request) for request in endpoint.requests[before:]}
            assert committed(journal) >= finished
            finished = committed(journal)
            assert not output.exists()
        before = len(endpoint.requests)
        last = ai_tools(*generate(), **more)
        assert last.returncode == 0, last.stderr
        assert not finished & {words_of(request) for request in endpoint.requests[before:]}
        requests, again = len(endpoint.requests), endpoint.asked_again()
        print(
            f"\n{KILLS} kills: {requests - 500} of 500 calls sent again, {again} of them after an answer had gone out"
        )
        assert requests <= 500 + in_flight * KILLS
        assert again <= in_flight * KILLS
        endpoint.behaviour.latency = 0
        more |= {"MAX_CONCURRENCY": "64", "OUTPUT_DIR": "other"}
        assert ai_tools("generate", "chunks.jsonl", "-o", "undisturbed.json", **more).returncode == 0
    assert rows_of(output) == rows_of(toy_root / "undisturbed.json")
    assert {row["chunk_id"] for row in rows_of(output)} == {f"c{n}" for n in range(500)}


def test_what_a_killed_run_had_begun_to_write_is_gone_after_the_next_one(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(40))
    with Endpoint(latency=0.1) as endpoint:
        process = start(*generate(), **at(endpoint.url), MAX_CONCURRENCY="2")
        wait_until(lambda: endpoint.counters.ok > 4)
        process.kill()
        process.communicate()
        endpoint.behaviour.latency = 0
        assert ai_tools(*generate(), **at(endpoint.url)).returncode == 0
    assert {path.name for path in toy_root.iterdir() if "out.json" in path.name} == {"out.json"}


class Forgiving(Endpoint):
    """Its model makes good a malformed reply once it is told of the fault."""

    def _draw(self, request: Request, mark: int) -> str:
        outcome = super()._draw(request, mark)
        return "ok" if outcome == "malformed" and len(request.body["messages"]) > 2 else outcome


def test_every_row_comes_out_of_an_endpoint_that_fails_in_every_way_at_once(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1000))
    failures = {"p429": 0.05, "p500": 0.05, "p_malformed": 0.05, "p_reset": 0.02}
    with Forgiving(latency=0.05, retry_after=1, seed=3, **failures) as endpoint:
        done = ai_tools(*generate("--n-pairs", "1"), **at(endpoint.url), MAX_CONCURRENCY="64")
        counters = endpoint.counters
    assert done.returncode == 0, done.stderr
    print(f"\n{done.stdout}{counters}")
    assert [row["chunk_id"] for row in rows_of(toy_root / "out.json")] == [f"c{n}" for n in range(1000)]
    assert min(counters.rejected_429, counters.errors_500, counters.malformed) > 20
    assert counters.resets > 5
    told = [request for request in endpoint.requests if len(request.body["messages"]) > 2 and request.outcome == "ok"]
    assert len({words_of(request) for request in told}) == counters.malformed
    assert counters.ok == 1000
    assert counters.max_in_flight <= 64
    assert endpoint.asked_again() == 0
    statuses = Counter(row["status"] for row in journal_rows(toy_root / "output/journal.sqlite"))
    assert statuses == {"done": 1000, "rejected": counters.malformed}


def test_an_endpoint_that_goes_away_in_the_middle_is_waited_for(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(300))
    endpoint = Endpoint(latency=0.02)
    with endpoint:
        # One retry, after a quarter of a second, would not bridge it.
        process = start(*generate("--n-pairs", "1"), **at(endpoint.url), MAX_CONCURRENCY="8", MAX_RETRIES="1")
        wait_until(lambda: endpoint.counters.ok > 100)
        endpoint.stop()
        time.sleep(3)
        assert process.poll() is None, process.communicate()[1]
        endpoint.start()
        said, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong
    assert "0 empty, 0 failed" in said
    assert [row["chunk_id"] for row in rows_of(toy_root / "out.json")] == [f"c{n}" for n in range(300)]
    assert endpoint.asked_again() <= 8  # those whose answer was cut off on its way


def test_an_endpoint_that_stays_away_ends_the_run_and_the_next_one_goes_on(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(200))
    endpoint = Endpoint(latency=0.02)
    with endpoint:
        process = start(*generate(), **at(endpoint.url), MAX_CONCURRENCY="8", SERVER_WAIT="1")
        wait_until(lambda: endpoint.counters.ok > 50)
        endpoint.stop()
        _, wrong = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in wrong
        assert "did not come back within 1 s (SERVER_WAIT); all finished work is kept" in wrong
        finished, before = committed(toy_root / "output/journal.sqlite"), len(endpoint.requests)
        assert len(finished) > 50 - 8
        endpoint.start()
        assert ai_tools(*generate(), **at(endpoint.url)).returncode == 0
        assert not finished & {words_of(request) for request in endpoint.requests[before:]}
    assert {row["chunk_id"] for row in rows_of(toy_root / "out.json")} == {f"c{n}" for n in range(200)}


# --- settings that are wrong: one line that says what to change, in time, and the exit code ---


WRONG = {
    "key": ({"keys": ("right",)}, {}, 2, ["401", "TEACHER_MODEL_API_KEY"]),
    "no key": ({"keys": ("right",)}, {"TEACHER_MODEL_API_KEY": ""}, 2, ["401", "missing", "TEACHER_MODEL_API_KEY"]),
    "model": ({"models": ("another",)}, {}, 2, ["404", "`m`", "TEACHER_MODEL_NAME"]),
    "address": ({}, {"TEACHER_MODEL_BASE_URL": "{root}"}, 2, ["404", "TEACHER_MODEL_BASE_URL", "/v1"]),
    "web page": ({"page": True}, {}, 2, ["It works!", "TEACHER_MODEL_BASE_URL"]),
    "silent": ({"silent": True}, {"REQUEST_TIMEOUT": "0.2"}, 1, ["no reply within 0.2 s", "REQUEST_TIMEOUT"]),
    "overloaded": ({"p429": 1.0, "retry_after": 3600}, {}, 1, ["429", "3,600 s"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_the_settings_is_said_in_one_line_and_in_time(toy_root: Path, what: str) -> None:
    behaviour, more, code, words = WRONG[what]
    write_chunks(toy_root / "chunks.jsonl", bells(30))
    with Endpoint(**behaviour) as endpoint:
        given = at(endpoint.url) | {"TEACHER_MODEL_API_KEY": "sk-wrong-key", "REQUEST_TIMEOUT": "2"}
        given |= {name: value.replace("{root}", endpoint.root) for name, value in more.items()}
        started = time.monotonic()
        done = ai_tools(*generate(), **given, MAX_CONCURRENCY="3")
        seconds = time.monotonic() - started
        assert endpoint.counters.requests <= 12  # and not one for every passage
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    line = error_of(done)
    assert all(word in line for word in words), line
    assert "sk-wrong-key" not in line
    assert seconds < 2 + 8  # the limit, and the start of a process on a busy machine
    assert not (toy_root / "out.json").exists()


def test_nobody_there_is_said_in_one_line_after_the_retries(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(30))
    with Endpoint() as endpoint:
        pass
    done = ai_tools(*generate(), **at(endpoint.url), MAX_CONCURRENCY="3", MAX_RETRIES="2", REQUEST_TIMEOUT="2")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    line = error_of(done)
    assert all(word in line for word in (f"127.0.0.1:{endpoint.port}", "3 times", "is it running")), line


def test_a_key_that_is_withdrawn_in_the_middle_ends_the_run_and_loses_nothing(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(100))
    with Endpoint(keys=("good",), latency=0.02) as endpoint:
        more = at(endpoint.url) | {"TEACHER_MODEL_API_KEY": "good", "MAX_CONCURRENCY": "4"}
        process = start(*generate(), **more)
        wait_until(lambda: endpoint.counters.ok > 20)
        endpoint.behaviour.keys = ("another",)
        _, wrong = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "401" in wrong
        finished = committed(toy_root / "output/journal.sqlite")
        assert len(finished) >= 20 - 4
        endpoint.behaviour.keys, before = (), len(endpoint.requests)
        assert ai_tools(*generate(), **more).returncode == 0
        assert not finished & {words_of(request) for request in endpoint.requests[before:]}


def test_a_run_in_which_every_reply_is_unusable_stops_before_its_end(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(500))
    with Endpoint(p_malformed=1.0) as endpoint:
        done = ai_tools(*generate(), **at(endpoint.url), MAX_CONCURRENCY="8")
        assert done.returncode == 1
        assert "of the last 50 calls failed" in error_of(done)
        assert endpoint.counters.requests < 250


# --- the notebooks, with an endpoint in .env and nothing else changed ---


def houses(first: int) -> str:
    days, months = ("Monday", "Tuesday", "Thursday", "Sunday"), ("January", "April", "July", "October", "November")
    return " ".join(
        f"The tall bell of house {n} in the lower town weighs {90 + 7 * n} kilograms and is rung by two people at dawn "
        f"on every second {days[n % 4]} in {months[n % 5]}."
        for n in range(first, first + 12)
    )


@pytest.fixture
def project(tmp_path: Path, clean_environment: None) -> Path:
    """The notebooks as they are, with two documents."""
    for step in STEPS:
        shutil.copytree(ROOT / step.folder, tmp_path / step.folder)
    (tmp_path / "docs").mkdir()
    for name, first in (("north.md", 0), ("south.md", 50)):
        sections = "\n\n".join(f"## Part {part}\n\n{houses(first + 12 * part)}" for part in range(2))
        (tmp_path / "docs" / name).write_text(f"# The bells of the {name[:5]}\n\n{sections}\n")
    return tmp_path


def write_env(project: Path, address: str, **more: str) -> None:
    lines = {"SOURCE_DOCUMENTS": "docs"} | at(address) | more
    (project / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))


@pytest.mark.slow
def test_the_series_asks_an_endpoint_with_only_dotenv_changed_and_half_a_call_for_a_pair(project: Path) -> None:
    with Endpoint(keys=("its-key",)) as endpoint:
        # On short passages the endpoint's invented questions repeat themselves, and are dropped as duplicates.
        write_env(project, endpoint.url, TEACHER_MODEL_API_KEY="its-key", CHUNK_TOKENS="1500")
        done = ai_tools("run", "--from", "2", "--to", "3", cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
        kept: dict[str, list[dict[str, Any]]] = {}
        for name in DATASETS:
            text = (project / f"output/step_03/{name}/gen.jsonl").read_text("utf-8")
            kept[name] = [json.loads(line) for line in text.splitlines()]
            assert {row["model"] for row in kept[name]} == {"m"}
            assert {row["faithfulness_judgment"] for row in kept[name]} == {"YES"}
        calls = Counter(row["recipe"] for row in journal_rows(project / "output/journal.sqlite"))
        pairs = sum(map(len, kept.values()))
        per_pair = sum(calls[name] for name in DATASETS) / pairs
        print(f"\n{per_pair:.2f} calls a kept pair ({pairs} pairs; {dict(calls)})")
        assert per_pair <= 0.5
        requests = endpoint.counters.requests
        assert requests == sum(calls.values())
        again = ai_tools("run", "--from", "2", "--to", "3", "--fresh", cwd=project)
        assert again.returncode == 0, again.stdout + again.stderr
        assert "03_Knowledge_Generation: done" in again.stdout
        assert endpoint.counters.requests == requests


# --- the key ---

KEY = "sk-Marked0Key1That2Nobody3Else4Has"


class Indiscreet(Endpoint):
    """Fails at every first attempt, and at every attempt at what is `doomed`; its errors repeat the key it was sent."""

    def doomed(self, body: dict[str, Any]) -> bool:
        return "house 3 " in body["messages"][1]["content"]

    def _chat(self, request: Request, mark: int) -> Answer:
        if request.attempt == 1 or self.doomed(request.body):
            return error(request.path, 500, f"Failed for {request.headers['authorization']}.", outcome="errors_500")
        return super()._chat(request, mark)


class Strict(Indiscreet):
    """Only judgements are doomed, so that a series comes to its end."""

    def doomed(self, body: dict[str, Any]) -> bool:
        return super().doomed(body) and body["response_format"]["json_schema"]["name"] == "judgements"


@pytest.mark.slow
def test_the_key_is_in_no_file_and_in_nothing_that_is_said(project: Path) -> None:
    more = {name: str(project / name.lower()) for name in ("HOME", "TMPDIR")}
    for folder in more.values():
        Path(folder).mkdir()
    write_chunks(project / "chunks.jsonl", bells(8))
    calm = {"MAX_RETRIES": "1", "MAX_FAILURE_RATE": "0.9", "CUT_SIZES": "5", "TEACHER_MODEL_API_KEY": KEY}
    said = []

    def run(code: int, *arguments: str) -> str:
        done = ai_tools(*arguments, cwd=project, **more)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        said.append(done.stdout + done.stderr)
        return said[-1]

    with Indiscreet() as endpoint:
        write_env(project, endpoint.url, **calm)
        run(1, *generate())
    with Endpoint(keys=("another",)) as endpoint:  # its refusal repeats the key, too
        write_env(project, endpoint.url, **calm)
        run(2, *generate("--model", "n"))
        assert "answers 401" in run(2, "run", "--from", "2", "--to", "3")  # as the notebook said it
        run(1, "list-providers", "--check")
    with Strict() as endpoint:
        write_env(project, endpoint.url, **calm)
        run(0, "run", "--from", "2", "--to", "3")
        assert endpoint.counters.errors_500 > 20
        assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in endpoint.requests)
    assert "Failed for" in run(0, "journal", "--export", "calls.jsonl")
    run(0, "status")
    run(0, "run", "--plan")
    begin = KEY[:12]
    assert all(begin not in text for text in said)
    files = [path for path in project.rglob("*") if path.is_file() and path.name != ".env"]
    assert [path.name for path in files if begin.encode() in path.read_bytes()] == []
    seen = {path.name for path in files}
    assert {"journal.sqlite", "manifest.json", "Knowledge_Generation.ipynb", "calls.jsonl", "out.json"} <= seen


@pytest.mark.parametrize("before", [0, 280])
def test_not_even_the_beginning_of_the_key_is_shown_of_what_an_endpoint_says(toy_root: Path, before: int) -> None:
    class Wordy(Endpoint):
        def _chat(self, request: Request, mark: int) -> Answer:
            return error(request.path, 403, "x" * before + f" {request.headers['authorization']} is not welcome.")

    write_chunks(toy_root / "chunks.jsonl", bells(1))
    with Wordy() as endpoint:
        done = ai_tools(*generate(), **at(endpoint.url), TEACHER_MODEL_API_KEY=KEY)
    assert done.returncode == 2
    assert "403" in error_of(done)
    assert KEY[:8] not in done.stderr


def test_the_key_is_in_no_traceback_of_a_fault_of_ours(toy_root: Path) -> None:
    """A file in the journal's place that is no file at all: as unforeseen as it gets from outside."""
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    (toy_root / "output/journal.sqlite").mkdir(parents=True)
    done = ai_tools(*generate(), **at("http://127.0.0.1:9/v1"), TEACHER_MODEL_API_KEY=KEY)
    assert done.returncode == 2, done.stderr
    assert KEY[:8] not in done.stdout + done.stderr
