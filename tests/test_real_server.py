"""A real server with a real, weak model: llama.cpp's. What is asserted is plumbing, never what the model says."""

import asyncio
import json
import random
import re
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from llama import NAME, LlamaServer
from outside import ai_tools, at, error_of, journal_rows, start, wait_until

from ai_tools import packaged, teachers
from ai_tools.errors import AIToolsError
from ai_tools.records import Call, Completion
from ai_tools.settings import load_settings
from ai_tools.steps import students, templates

pytestmark = pytest.mark.real_server

SENTENCES = (
    "The lamp on the pier is lit at dusk.",
    "The bell of the chapel rings at noon.",
    "The ferry to the island takes forty minutes.",
    "The market is closed in January.",
    "A mooring costs 18 crowns a week.",
    "The museum lends its boats to schools.",
)
GENERATE = (
    *("generate", "docs", "-o", "out.json", "--n-pairs", "1", "--max-tokens", "48", "--temperature", "0"),
    *("--qa-system-message", "Be short.", "--qa-prompt-template-file", "ask.txt"),
)
LONG = 480  # words of a page: one passage still, and more than 512 tokens with its prompt
# Of each kind of reply what changes its schema.
FIELDS: list[tuple[str, dict[str, Any]]] = [
    *(("summaries", {"angles": angles}) for angles in ((), ("facts",), ("facts", "people", "numbers"))),
    ("facts", {}),
    *(("pairs", {"count": count, "reasoning": reasoning}) for count in (1, 5) for reasoning in (False, True)),
    *(("pairs", {"count": 1, "facts": [{"id": "f1"}, {"id": "f2"}], "reasoning": one}) for one in (False, True)),
    *((kind, {"count": 3}) for kind in ("reasoned_pairs", "exam")),
    *(
        (kind, {"pairs": [{"id": "p1"}, {"id": "p2"}]})
        for kind in ("rewrites", "reasonings", "judgements", "ratings", "fact_checks", "preferences")
    ),
]


@pytest.fixture(scope="module")
def gguf() -> Path:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    try:
        return packaged.get_student(NAME)
    except AIToolsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server(gguf: Path) -> Iterator[LlamaServer]:
    with LlamaServer(gguf) as running:
        yield running


@pytest.fixture
def small_server(gguf: Path) -> Iterator[LlamaServer]:
    with LlamaServer(gguf, context=512) as running:
        yield running


def write(root: Path, *texts: str) -> None:
    """A document of each text, in place of the toy ones, and a prompt: the shipped one takes slow machines long."""
    for path in (root / "docs").iterdir():
        path.unlink()
    for n, text in enumerate(texts):
        (root / f"docs/page{n}.md").write_text(f"{text}\n")
    (root / "ask.txt").write_text("Ask {count} short question about the passage and answer it.\n{passage}\n{shape}\n")


def settings_at(server: LlamaServer) -> dict[str, str]:
    return at(server.url) | {"TEACHER_MODEL_NAME": NAME, "MAX_CONCURRENCY": "2"}


def answered(root: Path) -> dict[str, tuple[Any, ...]]:
    """What the journal has of each call that was paid for, whether its reply could be used or not."""
    return {row["key"]: tuple(row) for row in journal_rows(root / "output/journal.sqlite") if row["status"] != "failed"}


def assert_told(done: subprocess.CompletedProcess[str], root: Path, passages: int) -> None:
    """What is said is what is there: every passage is made or named as failed, and the exit code is true."""
    rows = json.loads((root / "out.json").read_text()) if (root / "out.json").exists() else []
    usable = {row["chunk_id"] for row in journal_rows(root / "output/journal.sqlite") if row["status"] == "done"}
    assert {row["chunk_id"] for row in rows} <= usable
    if done.returncode:
        error_of(done)
    if rows:
        told = re.search(r"(\d+) pairs from (\d+) passages \((\d+) empty, (\d+) failed", done.stdout)
        assert told, done.stdout
        pairs, of, _, failed = map(int, told.groups())
        assert (pairs, of) == (len(rows), passages)
        assert failed >= passages - len(usable)
        assert done.returncode == (1 if failed else 0)
    else:
        assert done.returncode == 1


def when_answered(count: int, root: Path, process: subprocess.Popen[str]) -> dict[str, tuple[Any, ...]]:
    """The same, as soon as there are so many, of a run that is still going."""
    wait_until(lambda: len(answered(root)) >= count or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return answered(root)


def test_six_documents_come_through_a_restart_and_a_kill_of_their_server_and_nothing_is_paid_twice(
    toy_root: Path, server: LlamaServer
) -> None:
    write(toy_root, *SENTENCES)
    process = start(*GENERATE, **settings_at(server))
    before = when_answered(1, toy_root, process)
    server.kill()
    server.start()
    more = when_answered(3, toy_root, process)  # the same run goes on
    assert before.items() <= more.items()
    server.kill()
    process.send_signal(signal.SIGINT)
    _, wrong = process.communicate(timeout=60)
    assert process.returncode == 130, wrong
    before = answered(toy_root)
    server.start()
    assert_told(ai_tools(*GENERATE, **settings_at(server)), toy_root, len(SENTENCES))
    assert before.items() <= answered(toy_root).items()


def test_a_server_that_was_reached_is_waited_for_as_long_as_server_wait_says(
    toy_root: Path, server: LlamaServer
) -> None:
    write(toy_root, *SENTENCES[:2])
    process = start(*GENERATE, **settings_at(server), SERVER_WAIT="1")
    before = when_answered(1, toy_root, process)
    server.kill()
    try:
        _, wrong = process.communicate(timeout=60)
    finally:
        process.kill()
        server.start()
    assert process.returncode == 1
    assert "SERVER_WAIT" in wrong.splitlines()[-1]
    assert before.items() <= answered(toy_root).items()


def test_a_context_that_is_too_small_is_told_with_the_sizes_and_other_pages_are_kept(
    toy_root: Path, small_server: LlamaServer
) -> None:
    write(toy_root, SENTENCES[0], "lamp " * LONG)
    done = ai_tools(*GENERATE, **settings_at(small_server))
    assert done.returncode == 1
    told = re.search(r"request \((\d+) tokens\) exceeds the available context size \(512 tokens\)", error_of(done))
    assert told, done.stderr
    assert_told(done, toy_root, 2)
    before = len(answered(toy_root))
    write(toy_root, "lamp " * (LONG - int(told[1]) + 502))  # leaves room for 10 tokens, too few for any pair
    done = ai_tools(*GENERATE, **settings_at(small_server))
    assert done.returncode == 1
    assert re.search(r"context is full: 5\d\d tokens of the prompt, 1?\d of the reply where 48 may be", error_of(done))
    assert len(answered(toy_root)) == before + 1  # more room is not asked for, which would be the same again


@pytest.mark.parametrize(("reply", "fields"), FIELDS, ids=str)
def test_every_schema_is_taken_as_it_is(
    toy_root: Path, server: LlamaServer, make_call: Callable[..., Call], reply: str, fields: dict[str, Any]
) -> None:
    settings = load_settings(provider="openai-compatible", teacher_model_name=NAME, teacher_model_base_url=server.url)

    async def complete() -> Completion:
        teacher = teachers.connect(settings)
        try:
            return await teacher.complete(make_call(reply=reply, fields=fields, max_tokens=8))
        finally:
            await teacher.close()

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as that a part of the schema is refused, and left out
        completion = asyncio.run(complete())
    assert completion.finish_reason == "length"
    assert completion.completion_tokens == 8
    assert completion.text.lstrip().startswith(("{", "```json"))  # a fence is allowed it, and taken off a whole reply


def test_the_student_made_of_the_same_file_cuts_texts_and_markup_into_the_same_tokens(server: LlamaServer) -> None:
    tokenizer = students.load_tokenizer(NAME)
    drawn, parts = random.Random(0), [*"ab12 \n\t.,'-é漢½²", "  ", "\n\n", " the", "'s", "<|im_end|>", "<think>"]
    texts = ["".join(drawn.choices(parts, k=30)) for _ in range(200)]
    texts += [templates.chat_prompt(tokenizer, "When?\n\n1. At 12:30, 2 days  2 late"), "don't WE'LL"]
    assert tokenizer(texts, add_special_tokens=False).input_ids == [server.tokens(text) for text in texts]
