"""`ai-tools generate`, `journal` and `list-providers` from outside: as processes, beside a real endpoint."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lancedb
import pytest
from endpoint import Endpoint
from outside import COMMAND, ai_tools, at, bells, environment, error_of, start, write_chunks

FIELDS = [
    "question", "answer", "type", "chunk_id", "source", "source_file", "source_text", "generated_at", "model",
]  # fmt: skip
TRICKY = """He said: "Ring it."\r\n
```python
print('one\\ntwo', {"bell": [1]})
```
\tTabs, an emoji \N{BELL}, a line separator \u2028, <b>tags</b>, {braces} and a note [1].

Prüfe das Seil.
"""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def generate(
    root: Path, url: str, *arguments: str, chunks: str = "chunks.jsonl", output: str = "out.json", **more: str
) -> subprocess.CompletedProcess[str]:
    return ai_tools("generate", chunks, "-o", output, *arguments, cwd=root, **(at(url) | more))


def rows_of(root: Path, name: str = "out.json") -> list[dict[str, Any]]:
    rows = json.loads((root / name).read_text("utf-8"))
    assert isinstance(rows, list)
    return rows


def prompts_to(endpoint: Endpoint) -> list[str]:
    return [request.body["messages"][-1]["content"] for request in endpoint.requests]


def left_behind(root: Path) -> list[str]:
    """Whatever a run that made no file may have left where its file was to be."""
    return [path.name for path in root.iterdir() if "out.json" in path.name]


# --- what comes out ---


def test_a_row_has_exactly_the_promised_fields(toy_root: Path, endpoint: Endpoint) -> None:
    (chunk,) = write_chunks(toy_root / "chunks.jsonl", bells(1))
    done = generate(toy_root, endpoint.url, "--n-pairs", "2")
    assert done.returncode == 0, done.stderr
    rows = rows_of(toy_root)
    assert len(rows) == 2
    for row in rows:
        assert list(row) == FIELDS
        assert row["question"]
        assert row["answer"] == "The bell of house 0 rings at noon." or row["answer"] == "Its rope is 0 metres long."
        assert (row["type"], row["model"]) == ("qa", "m")
        assert (row["chunk_id"], row["source"], row["source_file"]) == ("c0", "d1", "bells.md")
        assert row["source_text"] == chunk["text"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row["generated_at"])


def test_rows_come_in_the_order_of_the_chunks_whatever_the_order_of_the_replies(toy_root: Path) -> None:
    chunks = write_chunks(toy_root / "chunks.jsonl", bells(30))
    with Endpoint(p_slow=0.3, slow_seconds=0.1) as endpoint:
        assert generate(toy_root, endpoint.url, "--n-pairs", "1").returncode == 0
    assert [row["chunk_id"] for row in rows_of(toy_root)] == [chunk["chunk_id"] for chunk in chunks]


def test_the_text_of_a_passage_is_altered_neither_on_its_way_out_nor_in_the_file(
    toy_root: Path, endpoint: Endpoint
) -> None:
    write_chunks(toy_root / "chunks.jsonl", [TRICKY])
    assert generate(toy_root, endpoint.url).returncode == 0
    assert TRICKY in prompts_to(endpoint)[0]
    assert {row["source_text"] for row in rows_of(toy_root)} == {TRICKY}


def test_newlines_quotes_and_code_of_an_answer_stay(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    answer = 'First [1].\n\n```sh\necho "a\\nb"\n```\nThen \u2028 \N{BELL}.'
    endpoint.reply = lambda _: json.dumps({"pairs": [{"question": "How?", "answer": answer}]})
    assert generate(toy_root, endpoint.url).returncode == 0
    assert [row["answer"] for row in rows_of(toy_root)] == [answer]


def test_half_an_emoji_in_a_reply_costs_that_reply_and_not_the_run(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(3))
    good = '{"pairs": [{"question": "When?", "answer": "At noon."}]}'
    half = good.replace("noon.", "noon \\ud83d")
    endpoint.reply = lambda body: half if "house 1" in str(body) else good
    done = generate(toy_root, endpoint.url)
    assert "Traceback" not in done.stderr
    assert {row["chunk_id"] for row in rows_of(toy_root)} >= {"c0", "c2"}


def test_the_offline_teacher_needs_nothing_and_makes_the_same_file(toy_root: Path) -> None:
    texts = [f"A mooring costs {n} crowns a week. Every boat must carry two lamps after sunset." for n in (17, 18, 19)]
    chunks = write_chunks(toy_root / "chunks.jsonl", texts)
    done = ai_tools("generate", "chunks.jsonl", "-o", "out.json", "--n-pairs", "3", "--provider", "offline")
    assert done.returncode == 0, done.stderr
    rows = rows_of(toy_root)
    assert {row["chunk_id"] for row in rows} == {chunk["chunk_id"] for chunk in chunks}
    assert all(list(row) == FIELDS for row in rows)
    assert f"{len(rows)} pairs from 3 passages" in done.stdout
    assert "$0.0000" in done.stdout


# --- what is asked ---


def test_the_number_of_pairs_reaches_the_prompt_and_the_schema(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    assert generate(toy_root, endpoint.url, "--n-pairs", "17").returncode == 0
    assert re.search(r"\b17\b", prompts_to(endpoint)[0])
    schema = endpoint.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["pairs"]["maxItems"] == 17
    assert len(rows_of(toy_root)) <= 17


def test_temperature_zero_arrives_as_zero(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    assert generate(toy_root, endpoint.url, "--temperature", "0", TEACHER_TEMPERATURE="0.5").returncode == 0
    assert endpoint.requests[0].body["temperature"] == 0


def test_options_win_over_the_environment(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    options = ("--model", "other", "--base-url", endpoint.url, "--max-tokens", "321")
    done = generate(toy_root, "http://127.0.0.1:9/v1", *options)
    assert done.returncode == 0, done.stderr
    body = endpoint.requests[0].body
    assert (body["model"], body["max_tokens"]) == ("other", 321)


def test_the_key_is_taken_from_the_variable_that_is_named(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    with Endpoint(keys=("right",)) as endpoint:
        more = {"MY_OWN_KEY": "right", "TEACHER_MODEL_API_KEY": "wrong"}
        assert generate(toy_root, endpoint.url, "--api-key-env", "MY_OWN_KEY", **more).returncode == 0
        assert endpoint.requests[0].headers["authorization"] == "Bearer right"


def test_a_rerun_sends_nothing_and_writes_the_same_bytes_even_with_nobody_there(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(5))
    with Endpoint() as endpoint:
        assert generate(toy_root, endpoint.url).returncode == 0
    first = (toy_root / "out.json").read_bytes()
    again = generate(toy_root, endpoint.url)
    assert again.returncode == 0, again.stderr
    assert "0 calls, 5 from the journal" in again.stdout
    assert (toy_root / "out.json").read_bytes() == first


def test_only_what_changed_is_asked_again(toy_root: Path, endpoint: Endpoint) -> None:
    texts = bells(5)
    write_chunks(toy_root / "chunks.jsonl", texts)
    assert generate(toy_root, endpoint.url).returncode == 0
    endpoint.reset()
    write_chunks(toy_root / "chunks.jsonl", [*texts[:2], "The bell of house 2 is cracked.", *texts[3:]])
    assert generate(toy_root, endpoint.url).returncode == 0
    (prompt,) = prompts_to(endpoint)
    assert "is cracked" in prompt
    endpoint.reset()
    assert generate(toy_root, endpoint.url, "--temperature", "0.1").returncode == 0
    assert endpoint.counters.requests == 5


# --- the plan ---


def planned(text: str) -> list[str]:
    """Calls, calls in the journal, tokens in, tokens out, price and time, from the plan's line."""
    (line,) = [line for line in text.splitlines() if line.startswith("generate ")]
    return line.split(maxsplit=6)[1:]


def test_a_plan_says_what_it_would_take_and_where_text_goes_and_sends_nothing(
    toy_root: Path, endpoint: Endpoint
) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(40))
    done = generate(toy_root, endpoint.url, "--plan")
    assert done.returncode == 0, done.stderr
    calls, known, tokens_in, tokens_out, price, _ = planned(done.stdout)
    assert (calls, known) == ("40", "0")
    assert all(int(tokens.replace(",", "")) > 40 for tokens in (tokens_in, tokens_out))
    assert price == "unknown"
    assert "$" not in done.stdout
    assert f"127.0.0.1:{endpoint.port}" in done.stdout
    assert not endpoint.requests
    assert not left_behind(toy_root)


def test_a_plan_has_a_price_where_the_user_gives_one(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(40))
    done = generate(toy_root, endpoint.url, "--plan", TEACHER_PRICE="1000,2000")
    _, _, tokens_in, tokens_out, price, _ = planned(done.stdout)
    tokens = [int(count.replace(",", "")) for count in (tokens_in, tokens_out)]
    assert float(price.strip("$")) == pytest.approx(tokens[0] / 1000 + tokens[1] / 500, abs=0.02)


def test_a_plan_counts_what_is_in_the_journal_apart(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(3))
    assert generate(toy_root, endpoint.url).returncode == 0
    write_chunks(toy_root / "chunks.jsonl", bells(5))
    assert planned(generate(toy_root, endpoint.url, "--plan").stdout)[:2] == ["2", "3"]
    assert endpoint.counters.requests == 3


def test_at_a_terminal_nothing_leaves_before_the_plan_is_agreed_to(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(2))
    command = [*COMMAND, "generate", "chunks.jsonl", "-o", "out.json"]
    for said, sent in ((b"n\n", 0), (b"y\n", 2)):
        keyboard, terminal = os.openpty()
        os.write(keyboard, said)
        done = subprocess.run(
            command, env=environment(**at(endpoint.url)), stdin=terminal, capture_output=True, timeout=60, check=False
        )
        os.close(keyboard)
        os.close(terminal)
        assert done.returncode == 0, done.stderr
        assert f"127.0.0.1:{endpoint.port}".encode() in done.stdout
        assert endpoint.counters.requests == sent


# --- what goes wrong, with one line and the right exit code ---


@pytest.mark.parametrize("content", ['{"mine": 1}', '["also mine"]', "", "notes"])
def test_a_file_that_is_not_ours_is_left_alone_unless_told_otherwise(
    toy_root: Path, endpoint: Endpoint, content: str
) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(2))
    (toy_root / "out.json").write_text(content)
    refused = generate(toy_root, endpoint.url)
    assert refused.returncode == 2
    assert "--overwrite" in error_of(refused)
    assert (toy_root / "out.json").read_text() == content
    assert not endpoint.requests
    assert generate(toy_root, endpoint.url, "--overwrite").returncode == 0
    assert {row["chunk_id"] for row in rows_of(toy_root)} == {"c0", "c1"}


GOOD = b'{"chunk_id": "c0", "text": "The bell rings at noon."}\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "no chunk in it"),
        (b'{"chunk_id": "c1", "te', "line 1"),
        (b'{"chunk_id": "c1"}\n', "row 1"),
        (b"\xff\xfe\x00{", "UTF-8"),
    ],
)
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_a_chunk_file_without_a_passage_is_one_line_and_exit_code_2(
    toy_root: Path, endpoint: Endpoint, content: bytes | None, words: str, plan: tuple[str, ...]
) -> None:
    if content is not None:
        (toy_root / "chunks.jsonl").write_bytes(content)
    done = generate(toy_root, endpoint.url, *plan)
    assert done.returncode == 2
    line = error_of(done)
    assert words in line
    assert "chunks.jsonl" in line
    assert not endpoint.requests
    assert not left_behind(toy_root)


@pytest.mark.parametrize(
    ("bad", "words"),
    [(b'{"chunk_id": "c1", "te', "line 2: not JSON"), (b'{"text": 7}\n', "row 2: its text is no text")],
)
def test_a_row_that_cannot_be_used_is_named_and_all_others_are_asked(
    toy_root: Path, endpoint: Endpoint, bad: bytes, words: str
) -> None:
    (toy_root / "chunks.jsonl").write_bytes(GOOD + bad)
    done = generate(toy_root, endpoint.url)
    assert done.returncode == 1
    assert f"left out: chunks.jsonl, {words}" in done.stderr
    assert "1 rows or files could not be used" in error_of(done)
    assert {row["chunk_id"] for row in rows_of(toy_root)} == {"c0"}
    plan = generate(toy_root, endpoint.url, "--plan")
    assert plan.returncode == 0
    assert f"left out: chunks.jsonl, {words}" in plan.stderr
    assert planned(plan.stdout)[:2] == ["0", "1"]


# --- sources of other kinds ---


def test_a_table_of_lancedb_is_asked_about_and_its_sources_are_in_the_rows(toy_root: Path, endpoint: Endpoint) -> None:
    for name, file in (("text_chunks", "bells.md"), ("code_chunks", "bells.py")):
        rows = [{"id": "a", "content": text, "source_file": file, "vector": [0.5] * 4} for text in bells(2)]
        lancedb.connect(toy_root / "db").create_table(name, [row | {"source": "the bell book"} for row in rows])
    done = generate(toy_root, endpoint.url, chunks="db")
    assert done.returncode == 0, done.stderr
    assert {(row["source"], row["source_file"]) for row in rows_of(toy_root)} == {("the bell book", "bells.md")}
    assert len({row["chunk_id"] for row in rows_of(toy_root)}) == 2
    done = generate(toy_root, endpoint.url, "--table", "code_chunks", "--table", "text_chunks", chunks="db")
    assert {row["source_file"] for row in rows_of(toy_root)} == {"bells.md", "bells.py"}
    done = generate(toy_root, endpoint.url, "--table", "pages", chunks="db")
    assert done.returncode == 2
    assert "no table pages; choose with --table from code_chunks, text_chunks" in error_of(done)


def test_documents_are_chunked_on_the_way_and_a_broken_one_is_named(toy_root: Path, endpoint: Endpoint) -> None:
    (toy_root / "docs/broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    done = generate(toy_root, endpoint.url, chunks="docs")
    assert done.returncode == 1
    assert "left out: broken.pdf: " in done.stderr
    assert {row["source_file"] for row in rows_of(toy_root)} == {"bells.md", "lamps.md"}
    assert "Bells" in prompts_to(endpoint)[0]
    done = generate(toy_root, endpoint.url, "--table", "pages", chunks="docs")
    assert done.returncode == 2
    assert "no LanceDB folder" in error_of(done)


def test_what_opens_a_table_or_code_is_shown_to_the_teacher(toy_root: Path, endpoint: Endpoint) -> None:
    row = {"text": "| Noon | 12 |", "metadata": {"table_header": "| Hour | Strokes |\n|---|---|"}}
    (toy_root / "chunks.jsonl").write_text(json.dumps(row))
    assert generate(toy_root, endpoint.url).returncode == 0
    assert "| Hour | Strokes |\n|---|---|\n| Noon | 12 |" in prompts_to(endpoint)[0]


# --- wrong usage ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--provider", "nobody"), ["error: --provider nobody: ", "there are offline, openai"]),
        (("--provider", "openai"), ["error: --provider openai: no key", "TEACHER_MODEL_API_KEY"]),
        (("--provider", "vllm", "--model", ""), ["TEACHER_MODEL_NAME"]),
        (("--base-url", "localhost:8000"), ["--base-url localhost:8000"]),
        (("--api-key-env", "NO_SUCH_KEY"), ["NO_SUCH_KEY"]),
        (("--n-pairs", "0"), ["--n-pairs 0: "]),
        (("--n-pairs", "two"), ["--n-pairs", "integer"]),
        (("--temperature", "3"), ["--temperature 3"]),
        (("--pairs", "2"), ["--pairs"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    toy_root: Path, endpoint: Endpoint, arguments: tuple[str, ...], words: list[str]
) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    done = generate(toy_root, endpoint.url, *arguments, TEACHER_MODEL_NAME="m" if "vllm" not in arguments else "")
    assert done.returncode == 2
    line = error_of(done)
    assert all(word in line for word in words), line
    assert not endpoint.requests
    assert not left_behind(toy_root)


@pytest.mark.parametrize(
    ("output", "words"), [("folder.json", "folder"), ("out.txt", ".json"), ("file/out.json", "file")]
)
def test_an_output_that_cannot_be_written_is_found_before_anything_is_sent(
    toy_root: Path, endpoint: Endpoint, output: str, words: str
) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    (toy_root / "folder.json").mkdir()
    (toy_root / "file").write_text("mine")
    done = generate(toy_root, endpoint.url, output=output)
    assert done.returncode == 2
    assert words in error_of(done)
    assert not endpoint.requests
    assert (toy_root / "file").read_text() == "mine"


def test_a_journal_that_cannot_be_written_is_found_before_anything_is_sent(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    (toy_root / "file").write_text("mine")
    done = generate(toy_root, endpoint.url, OUTPUT_DIR="file")
    assert done.returncode == 2
    assert "OUTPUT_DIR" in error_of(done)
    assert not endpoint.requests


def test_no_pair_at_all_is_a_failure_and_leaves_no_file(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(3))
    with Endpoint(empty=True) as endpoint:
        done = generate(toy_root, endpoint.url)
        assert done.returncode == 1
        assert "no pair" in error_of(done)
        assert not left_behind(toy_root)
        assert generate(toy_root, endpoint.url).returncode == 1
        assert endpoint.counters.requests == 3  # an empty reply is a reply


def test_a_run_that_makes_nothing_leaves_the_file_of_the_run_before(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(3))
    assert generate(toy_root, endpoint.url).returncode == 0
    before = (toy_root / "out.json").read_bytes()
    endpoint.behaviour.empty = True
    assert generate(toy_root, endpoint.url, "--model", "another").returncode == 1
    assert (toy_root / "out.json").read_bytes() == before


def test_passages_that_failed_are_named_and_all_others_are_in_the_file(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(8))
    good = '{"pairs": [{"question": "When?", "answer": "At noon."}]}'
    endpoint.reply = lambda body: "I would rather not." if "house 5" in body["messages"][1]["content"] else good
    done = generate(toy_root, endpoint.url)
    assert done.returncode == 1
    assert "1 passages failed" in error_of(done)
    assert "no JSON" in error_of(done)
    assert [row["chunk_id"] for row in rows_of(toy_root)] == [f"c{n}" for n in range(8) if n != 5]
    assert endpoint.counters.requests == 9  # it was asked once more, with a word on its fault
    assert "cannot be used" in prompts_to(endpoint)[-1]

    endpoint.reply = lambda _: good
    endpoint.reset()
    assert generate(toy_root, endpoint.url).returncode == 1
    assert not endpoint.requests  # what a teacher got wrong is asked again on demand only
    assert generate(toy_root, endpoint.url, "--retry-rejected").returncode == 0
    assert endpoint.counters.requests == 1
    assert len(rows_of(toy_root)) == 8


def test_the_closing_line_says_how_what_failed_is_asked_again(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(3))
    endpoint.behaviour.p500 = 1.0
    lost = error_of(generate(toy_root, endpoint.url, MAX_RETRIES="0", MAX_FAILURE_RATE="1"))
    assert "run again" in lost
    assert "--retry-rejected" not in lost
    endpoint.behaviour.p500 = 0.0
    good = '{"pairs": [{"question": "When?", "answer": "At noon."}]}'
    endpoint.reply = lambda body: "No." if "house 1 " in str(body) else good
    assert error_of(generate(toy_root, endpoint.url)).endswith("; run again with --retry-rejected")
    endpoint.reply = lambda _: "No."
    nothing = error_of(generate(toy_root, endpoint.url, "--fresh", "--retry-rejected", "--model", "other"))
    assert "no pair came out of 3 passages" in nothing
    assert "; run again with --retry-rejected" in nothing


def test_a_budget_stops_the_run_and_keeps_all_that_was_paid_for(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(20))
    for _ in range(2):
        done = generate(toy_root, endpoint.url, MAX_CALLS="12")
        assert done.returncode == 1
        assert "MAX_CALLS=12" in error_of(done)
        assert endpoint.counters.requests == 12
        assert not left_behind(toy_root)
    assert generate(toy_root, endpoint.url).returncode == 0
    assert endpoint.counters.requests == 20
    assert len({row["chunk_id"] for row in rows_of(toy_root)}) == 20


def test_ctrl_c_ends_with_130_and_the_next_run_goes_on(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(60))
    with Endpoint(latency=0.05) as endpoint:
        process = start("generate", "chunks.jsonl", "-o", "out.json", **at(endpoint.url), MAX_CONCURRENCY="4")
        deadline = time.monotonic() + 60
        while endpoint.counters.ok < 16 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert said.splitlines()[-1].startswith("interrupted: ")
        assert not left_behind(toy_root)
        answered = endpoint.counters.ok
        assert answered < 60
        endpoint.behaviour.latency = 0
        done = generate(toy_root, endpoint.url)
        assert done.returncode == 0, done.stderr
        assert endpoint.counters.ok <= 60 + 4
        assert endpoint.asked_again() <= 4
    assert len({row["chunk_id"] for row in rows_of(toy_root)}) == 60


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_goes_on(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(10))
    with Endpoint(latency=1) as endpoint:
        first = start("generate", "chunks.jsonl", "-o", "out.json", **at(endpoint.url), MAX_CONCURRENCY="2")
        while not endpoint.requests and first.poll() is None:
            time.sleep(0.01)
        second = generate(toy_root, endpoint.url, output="other.json")
        reading = ai_tools("journal", "--export", "calls.jsonl")
        _, said = first.communicate(timeout=60)
    assert second.returncode == 2
    assert "another run" in error_of(second)
    assert reading.returncode == 0, reading.stderr  # to look at it is no second run
    assert first.returncode == 0, said


# --- the journal ---


def test_the_journal_tells_calls_tokens_money_and_failures_by_cause(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(6))
    good = '{"pairs": [{"question": "When?", "answer": "At noon."}]}'
    endpoint.reply = lambda body: "No." if "house 5" in str(body) else good
    assert generate(toy_root, endpoint.url).returncode == 1
    told = ai_tools("journal", TEACHER_PRICE="1000,1000").stdout
    (done,) = [line for line in told.splitlines() if " done " in line]
    assert f"openai-compatible m at 127.0.0.1:{endpoint.port}" in done
    calls, requests, tokens_in, tokens_out, usd = done.split(" done ")[1].split()
    assert (calls, requests) == ("5", "5")
    tokens = [int(count.replace(",", "")) for count in (tokens_in, tokens_out)]
    assert float(usd.strip("$")) == pytest.approx(sum(tokens) / 1000)
    (rejected,) = [line for line in told.splitlines() if " rejected " in line]
    assert rejected.split(" rejected ")[1].split()[0] == "2"
    (cause,) = [line for line in told.splitlines() if "rejected: " in line]
    assert cause.split()[0] == "2"
    assert "no JSON" in cause
    assert "unknown" in ai_tools("journal").stdout


def test_the_journal_is_exported_whole(toy_root: Path, endpoint: Endpoint) -> None:
    write_chunks(toy_root / "chunks.jsonl", [*bells(3), TRICKY])
    assert generate(toy_root, endpoint.url).returncode == 0
    done = ai_tools("journal", "--export", "calls.jsonl")
    assert done.returncode == 0, done.stderr
    assert "calls.jsonl" in done.stdout
    rows = [json.loads(line) for line in (toy_root / "calls.jsonl").read_text("utf-8").split("\n") if line]
    assert sorted(row["chunk_id"] for row in rows) == ["c0", "c1", "c2", "c3"]
    for row in rows:
        assert json.loads(row["text"])["pairs"]
        assert (row["provider"], row["asked_model"], row["model"]) == ("openai-compatible", "m", "m")
        assert (row["status"], row["finish_reason"], row["attempts"], row["error"]) == ("done", "stop", 1, "")
        assert (row["base_url"], row["recipe"]) == (endpoint.url, "generate")
        assert row["latency"] >= 0
        assert row["created"]
        assert row["prompt_tokens"]
        assert row["completion_tokens"]
    sent = {json.dumps(request.body["messages"]) for request in endpoint.requests}
    assert {json.dumps(json.loads(row["messages"])) for row in rows} == sent


def test_without_a_journal_that_is_what_it_says(toy_root: Path) -> None:
    done = ai_tools("journal")
    assert done.returncode == 2
    assert "no journal" in error_of(done)


# --- the providers ---


def checked(root: Path, fault: str = "", **more: str) -> dict[str, dict[str, str]]:
    """What `list-providers --check` says of each provider, with `fault` as that of the chosen one.

    Whatever is not on loopback is out of reach.
    """
    done = ai_tools("list-providers", "--check", cwd=root, **({"HTTPS_PROXY": "http://127.0.0.1:9"} | more))
    assert (done.returncode, fault in done.stderr) == (bool(fault), True), done.stderr
    assert len(done.stderr.splitlines()) == bool(fault)
    blocks = re.split(r"\n(?! )", done.stdout.strip())
    found = {}
    for block in blocks:
        name, *lines = block.splitlines()
        found[name.split(",")[0]] = {key: value for key, _, value in (line.strip().partition(":") for line in lines)}
    return {name: {key: value.strip() for key, value in rows.items()} for name, rows in found.items()}


def test_the_check_tells_of_every_provider_whether_it_is_there_and_what_it_has(toy_root: Path) -> None:
    with Endpoint(keys=("good-key",), models=("tall", "small")) as chosen, Endpoint(models=("gemma4",)) as ollama:
        more = at(chosen.url) | {"TEACHER_MODEL_API_KEY": "good-key", "TEACHER_MODEL_NAME": "tall"}
        more["OLLAMA_BASE_URL"] = ollama.root
        found = checked(toy_root, **more, OPENAI_API_KEY="sk-not-to-be-shown")
        assert list(found) == ["offline", "openai", "anthropic", "gemini", "ollama", "vllm", "openai-compatible"]
        assert found["openai-compatible"]["key"] == "set"
        assert found["openai-compatible"]["reached"] == "yes"
        assert found["openai-compatible"]["has"] == "tall, small"
        assert found["ollama"]["reached"] == "yes"
        assert found["ollama"]["has"] == "gemma4"
        dead = "through the proxy 127.0.0.1:9 (HTTPS_PROXY): the proxy is not reached (Connection refused)"
        assert (found["openai"]["key"], found["openai"]["reached"]) == ("set", f"no: api.openai.com {dead}")
        assert (found["gemini"]["key"], found["gemini"]["reached"].endswith(dead)) == ("not set", True)
        assert found["offline"]["reached"].startswith("yes")
        assert all(key not in str(found) for key in ("good-key", "sk-not-to-be-shown"))
        assert not chosen.counters.requests + ollama.counters.requests  # nothing that is paid for
        assert all("authorization" not in request.headers for request in ollama.requests)


@pytest.mark.parametrize(("key", "words"), [("", "wants a key"), ("bad-key", "the key is refused")])
def test_the_check_tells_a_wrong_key_from_a_missing_one_and_fails(toy_root: Path, key: str, words: str) -> None:
    with Endpoint(keys=("good-key",)) as endpoint:
        found = checked(toy_root, words, **at(endpoint.url), TEACHER_MODEL_API_KEY=key)["openai-compatible"]
    assert words in found["reached"]
    assert "has" not in found


def test_the_check_fails_where_the_chosen_model_is_not_there_and_says_what_is_lacking(toy_root: Path) -> None:
    with Endpoint(models=("tall",)) as endpoint:
        lack = "it lists no model small; set TEACHER_MODEL_NAME to one that it has"
        found = checked(toy_root, lack, **at(endpoint.url) | {"TEACHER_MODEL_NAME": "small"})["openai-compatible"]
    assert (found["reached"], found["has"], found["lacks"]) == ("yes", "tall", lack)


def test_the_check_tells_a_web_page_a_wrong_address_and_nobody_apart_and_fails(toy_root: Path) -> None:
    def reached(**more: str) -> str:
        fault = "error: openai-compatible, the chosen provider, cannot be used as it is set: "
        return checked(toy_root, fault if more else "", **more)["openai-compatible"]["reached"]

    with Endpoint(page=True) as page:
        assert "no such endpoint" in reached(**at(page.url))
        page.behaviour.page = False
        assert "404" in reached(**at(f"{page.root}/v2"))
    assert "not reached (Connection refused)" in reached(**at(page.url))
    assert reached().startswith("not asked")
