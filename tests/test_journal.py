"""The journal: what was committed survives a kill, one writer at a time, and a reply is used again."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_tools.errors import UsageError
from ai_tools.journal import Journal
from ai_tools.records import Call, Completion

REPLY = Completion("Ein Satz.\nNoch einer \u2028 [1]", "m", reasoning="because", prompt_tokens=3, latency=0.25)


def test_a_reply_comes_back_as_it_was_put(tmp_path: Path, make_call: Callable[..., Call]) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.get("k1") is None
        journal.put([("fake", make_call("k1"), REPLY, ""), ("fake", make_call("k2"), Completion("x", "m"), "cut off")])
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.get("k1") == REPLY
        assert len(journal) == 2


def test_a_row_says_who_was_asked_what_for_which_passage_and_how_it_went(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    call = make_call("k1", recipe="key_facts_to_qa", chunk_id="c7", draw=6)
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([("fake", call, REPLY, ""), ("fake", make_call("k2"), REPLY, "cut off after 9 tokens")])
        done, rejected = map(dict, journal.rows())
    assert (done["status"], rejected["status"]) == ("done", "rejected")
    assert rejected["error"] == "cut off after 9 tokens"
    assert {name: done[name] for name in ("provider", "recipe", "prompt", "prompt_version", "chunk_id", "draw")} == {
        "provider": "fake",
        "recipe": "key_facts_to_qa",
        "prompt": "questions",
        "prompt_version": "1",
        "chunk_id": "c7",
        "draw": 6,
    }
    assert done["messages"] == '[{"role": "user", "content": "Ask."}]'


WRITER = """
import sys, time
from pathlib import Path
from ai_tools.journal import Journal
from ai_tools.records import Call, Completion
journal = Journal(Path(sys.argv[1]))
for number in range(3):
    row = Call(f"k{number}", "p", "1", (), {}, "pairs", 0.0, 10)
    journal.put([("fake", row, Completion(f"reply {number}", "m"), "")])
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that has written three rows and still holds the journal."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "journal.sqlite")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def test_rows_survive_a_kill_and_a_second_opener_is_refused_until_then(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    try:
        with pytest.raises(UsageError, match="another run is writing here; wait for it or set OUTPUT_DIR") as caught:
            Journal(tmp_path / "journal.sqlite")
        assert "\n" not in str(caught.value)
    finally:
        writer.kill()
        writer.wait()
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert len(journal) == 3
        found = journal.get("k2")
        assert found is not None
        assert found.text == "reply 2"


def test_an_unknown_layout_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    for _ in range(2):  # the lock is given back, so that the second time says the same
        with pytest.raises(UsageError, match=r"layout 99, this version reads 1; move the file away"):
            Journal(path)


def test_putting_many_rows_is_all_or_nothing(tmp_path: Path, make_call: Callable[..., Call]) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:

        def rows() -> Iterator[tuple[str, Call, Completion, str]]:
            yield ("fake", make_call("k1"), REPLY, "")
            raise RuntimeError("midway")

        with pytest.raises(RuntimeError):
            journal.put(rows())
        assert len(journal) == 0


def test_a_file_that_is_no_journal_is_refused_with_one_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("a shopping list, and a long one at that " * 10)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a journal"):
        Journal(path)
    assert path.read_bytes() == before
