"""The journal: what was committed survives a kill, one writer at a time, and a reply is used again."""

import json
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ai_tools.errors import InputError, UsageError
from ai_tools.files import use_write_ahead
from ai_tools.records import Call, Completion, Teacher
from ai_tools.teachers.journal import Entry, Journal


def rows_of(path: Path) -> list[sqlite3.Row]:
    """What a reader sees."""
    with Journal(path, read_only=True) as journal:
        return list(journal.rows())


def summary_of(path: Path) -> list[dict[str, Any]]:
    with Journal(path, read_only=True) as journal:
        return journal.summary()


REPLY = Completion(
    "Ein Satz.\nNoch einer \u2028 [1]", "m-2026", reasoning="because", prompt_tokens=3, completion_tokens=2,
    attempts=4, latency=0.25, created="2026-01-02T03:04:05+00:00",
)  # fmt: skip


@dataclass
class NamedTeacher:
    provider: str = "fake"
    model: str = "m"
    base_url: str = "http://fake.test/v1"
    own_host: bool = True
    concurrency: int = 64

    async def complete(self, call: Call) -> Completion:
        raise NotImplementedError

    async def close(self) -> None: ...


TEACHER = NamedTeacher()


def test_a_reply_comes_back_as_it_was_put(tmp_path: Path, make_call: Callable[..., Call]) -> None:
    rejected = Entry(Completion("x", "m", "length"), "rejected", "cut off")
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.get("k1") is None
        journal.put([(TEACHER, make_call("k1"), Entry(REPLY)), (TEACHER, make_call("k2"), rejected)])
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.get("k1") == Entry(REPLY, "done", "")
        assert journal.get("k2") == rejected
        assert len(journal) == 2


def test_a_call_that_is_put_again_is_kept_as_it_went_last_with_all_that_it_took(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    useless = Completion("prose", "m", prompt_tokens=10, completion_tokens=5, attempts=2, latency=9.0)
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([(TEACHER, make_call("k1"), Entry(useless, "rejected", "no JSON"))])
        journal.put([(TEACHER, make_call("k1"), Entry(REPLY))])
        whole = replace(REPLY, prompt_tokens=13, completion_tokens=7, attempts=6)
        assert (journal.get("k1"), len(journal)) == (Entry(whole), 1)


def test_a_row_says_who_was_asked_what_for_which_passage_and_how_it_went(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    call = make_call("k1", recipe="key_facts_to_qa", chunk_id="c7", draw=6, options={"top_k": 5})
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([(TEACHER, call, Entry(REPLY, "rejected", "cut off after 9 tokens"))])
        (row,) = map(dict, journal.rows())
    assert json.loads(row.pop("messages")) == [{"role": "user", "content": "Ask."}]
    assert json.loads(row.pop("sampling")) == {"temperature": 0.0, "max_tokens": 100, "top_p": None, "top_k": 5}
    assert row == {
        "key": "k1",
        "provider": "fake",
        "base_url": "http://fake.test/v1",
        "recipe": "key_facts_to_qa",
        "prompt": "questions",
        "prompt_version": "1",
        "chunk_id": "c7",
        "draw": 6,
        "status": "rejected",
        "error": "cut off after 9 tokens",
        "text": "Ein Satz.\nNoch einer \u2028 [1]",
        "asked_model": "m",
        "model": "m-2026",
        "finish_reason": "stop",
        "reasoning": "because",
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "attempts": 4,
        "latency": 0.25,
        "created": "2026-01-02T03:04:05+00:00",
    }


WRITER = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from ai_tools.teachers.journal import Entry, Journal
from ai_tools.records import Call, Completion
journal = Journal(Path(sys.argv[1]))
teacher = SimpleNamespace(provider="fake", model="m", base_url="")
for number in range(3):
    row = Call(f"k{number}", "p", "1", (), {}, "pairs", 0.0, 10)
    journal.put([(teacher, row, Entry(Completion(f"reply {number}", "m")))])
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has written three rows and still holds the journal."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "journal.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        yield process
        process.kill()


def test_rows_survive_a_kill_and_a_second_opener_is_refused_until_then(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    with pytest.raises(UsageError, match="another run is writing here; wait for it or set OUTPUT_DIR") as caught:
        Journal(tmp_path / "journal.sqlite")
    assert "\n" not in str(caught.value)
    writer.kill()
    writer.wait()
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert len(journal) == 3
        found = journal.get("k2")
        assert found is not None
        assert found.completion.text == "reply 2"


def test_a_reader_sees_the_rows_while_another_process_writes(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    path = tmp_path / "journal.sqlite"
    assert [row["text"] for row in rows_of(path)] == ["reply 0", "reply 1", "reply 2"]
    assert [row["calls"] for row in summary_of(path)] == [3]
    assert writer.poll() is None


def test_a_reader_in_the_middle_of_the_rows_does_not_keep_the_writer_waiting(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put([(TEACHER, make_call(f"k{n}"), Entry(REPLY)) for n in range(5)])
        with Journal(journal.path, read_only=True) as other:
            reading = other.rows()
            assert next(reading)["key"] == "k0"
            journal.put([(TEACHER, make_call("k9"), Entry(REPLY))])
            assert [row["key"] for row in reading] == ["k1", "k2", "k3", "k4"], "as they were when it began"
        assert len(journal) == 6


def test_putting_many_rows_is_all_or_nothing(tmp_path: Path, make_call: Callable[..., Call]) -> None:
    with Journal(tmp_path / "journal.sqlite") as journal:

        def rows() -> Iterator[tuple[Teacher, Call, Entry]]:
            yield (TEACHER, make_call("k1"), Entry(REPLY))
            raise RuntimeError("midway")

        with pytest.raises(RuntimeError):
            journal.put(rows())
        unwritable = Entry(Completion(text=["no text"], model="m"))  # type: ignore[arg-type]
        with pytest.raises(sqlite3.Error):
            journal.put([(TEACHER, make_call("k1"), Entry(REPLY)), (TEACHER, make_call("k2"), unwritable)])
        assert len(journal) == 0


# --- what it holds, in short ---


def test_the_summary_counts_calls_requests_and_tokens_of_each_model_and_status(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    def entry(latency: float, status: str = "done", error: str = "", **changes: Any) -> Entry:
        answer: dict[str, Any] = {"text": "x", "model": "as-answered", "prompt_tokens": 10, "completion_tokens": 2}
        return Entry(Completion(**answer | changes, latency=latency), status, error)

    other = NamedTeacher(model="n", base_url="")
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.put(
            [
                (TEACHER, make_call("k1"), entry(1.0, attempts=3)),
                (TEACHER, make_call("k2"), entry(3.0)),
                (TEACHER, make_call("k3"), entry(0.0, "failed", "reset", prompt_tokens=0, completion_tokens=0)),
                (TEACHER, make_call("k4"), entry(2.0, "rejected", "no JSON")),
                (TEACHER, make_call("k5"), entry(2.0, "rejected", "too short")),
                (TEACHER, make_call("k6"), entry(2.0, "rejected", "too short")),
                (other, make_call("k7"), entry(2.0, "empty")),
            ]
        )
        found = summary_of(journal.path)
        assert found == journal.summary()
    url = "http://fake.test/v1"
    assert [tuple(row.values()) for row in found] == [
        ("fake", "", "n", "empty", "", 1, 1, 10, 2, 2.0),
        ("fake", url, "m", "done", "", 2, 4, 20, 4, 2.0),
        ("fake", url, "m", "failed", "reset", 1, 1, 0, 0, 0.0),
        ("fake", url, "m", "rejected", "too short", 2, 2, 20, 4, 2.0),
        ("fake", url, "m", "rejected", "no JSON", 1, 1, 10, 2, 2.0),
    ]


def test_what_is_typical_is_the_mean_of_answered_calls_of_a_prompt(
    tmp_path: Path, make_call: Callable[..., Call]
) -> None:
    def entry(tokens: int, status: str = "done") -> Entry:
        return Entry(Completion("x", "as-answered", prompt_tokens=tokens, completion_tokens=1, latency=0.5), status)

    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.typical() == {}
        journal.put(
            [
                (TEACHER, make_call("k1"), entry(10)),
                (TEACHER, make_call("k2"), entry(30, "rejected")),
                (TEACHER, make_call("k3"), entry(0, "failed")),
                (TEACHER, make_call("k4", prompt="exam"), entry(7)),
            ]
        )
        assert journal.typical() == {("fake", "m", "questions"): (2, 20, 1, 0.5), ("fake", "m", "exam"): (1, 7, 1, 0.5)}


# --- files of another kind ---

LAYOUT_1 = """CREATE TABLE calls (key TEXT, provider TEXT, recipe TEXT, prompt TEXT, prompt_version TEXT, chunk_id TEXT,
    draw INTEGER, status TEXT, text, model, finish_reason, reasoning, prompt_tokens, completion_tokens, attempts,
    latency, error TEXT, messages TEXT, created TEXT, PRIMARY KEY (key))"""
OLD_ROWS: list[tuple[Any, ...]] = [
    ("k1", "offline", "key_facts_to_qa", "questions", "1-ab", "c1", 5, "done", '{"pairs": []}', "rules-1", "stop",
     "why", 30, 4, 1, 0.5, "", "[]", "2025-01-01T00:00:00+00:00"),
    ("k2", "offline", "key_facts_to_qa", "key_facts", "1-ab", "c2", 0, "rejected", "prose", "rules-1", "stop", "",
     30, 4, 1, 0.5, "no JSON", "[]", "2025-01-01T00:00:01+00:00"),
]  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal as the layout before had it."""
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute(LAYOUT_1)
        db.executemany(f"INSERT INTO calls VALUES ({', '.join('?' * 19)})", OLD_ROWS)  # noqa: S608
        db.execute("PRAGMA user_version=1")
        db.commit()
    return path


def layout_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_journal_of_the_layout_before_is_brought_up_to_date_with_all_its_rows(
    old: Path, make_call: Callable[..., Call]
) -> None:
    with Journal(old) as journal:
        answer = Completion('{"pairs": []}', "rules-1", "stop", "why", 30, 4, 1, 0.5, "2025-01-01T00:00:00+00:00")
        assert journal.get("k1") == Entry(answer, "done", "")
        rejected = journal.get("k2")
        assert rejected is not None
        assert (rejected.status, rejected.error, rejected.completion.text) == ("rejected", "no JSON", "prose")
        journal.put([(TEACHER, make_call("k3"), Entry(REPLY))])
    assert layout_of(old) == 2
    assert [row["key"] for row in rows_of(old)] == ["k1", "k2", "k3"]
    assert [(row["model"], row["base_url"], row["calls"]) for row in summary_of(old)] == [
        ("m", "http://fake.test/v1", 1),
        ("rules-1", "", 1),
        ("rules-1", "", 1),
    ]
    with Journal(old) as journal:
        assert len(journal) == 3


def test_a_reader_does_not_touch_a_journal_of_the_layout_before_and_says_what_would(old: Path) -> None:
    before = old.read_bytes()
    for look in (summary_of, lambda path: list(rows_of(path))):
        with pytest.raises(InputError, match="written by an older version; any run that calls a teacher brings it up"):
            look(old)
    assert old.read_bytes() == before


def test_bringing_a_journal_up_to_date_is_all_or_nothing(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("ALTER TABLE calls ADD COLUMN sampling TEXT")  # the last of the columns that are to be added
    with pytest.raises(UsageError, match="sampling"):
        Journal(old)
    with closing(sqlite3.connect(old)) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(calls)")]
    assert "base_url" not in columns
    assert layout_of(old) == 1


def test_an_unknown_layout_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
    for _ in range(2):  # the lock is given back, so that the second time says the same
        with pytest.raises(UsageError, match=r"layout 99, this version reads 2; move the file away"):
            Journal(path)
    with pytest.raises(UsageError, match=r"layout 99, this version reads 2"):
        summary_of(path)
    assert layout_of(path) == 99


def test_somebody_elses_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="layout 0, this version reads 2"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_journal_is_refused_with_one_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("a shopping list, and a long one at that " * 10)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a journal"):
        Journal(path)
    with pytest.raises(InputError, match="not a journal"):
        summary_of(path)
    assert path.read_bytes() == before


def test_where_there_is_no_journal_a_reader_says_so_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with pytest.raises(InputError, match="no journal there; no teacher has been called yet, or OUTPUT_DIR is another"):
        summary_of(path)
    assert list(tmp_path.iterdir()) == []


# --- file systems without a write-ahead log ---


def test_a_file_system_that_takes_no_write_ahead_log_is_told_of_once_and_used_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(f"file:{path}?vfs=unix-dotfile", uri=True)) as db:  # no shared memory there
        with pytest.warns(UserWarning, match="takes no write-ahead log; a rollback journal is used") as caught:
            use_write_ahead(db, path)
        assert len(caught) == 1
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        db.execute("CREATE TABLE calls (key TEXT)")
        db.execute("INSERT INTO calls VALUES ('k1')")
        db.commit()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT key FROM calls").fetchall() == [("k1",)]


def test_an_ordinary_file_system_takes_one_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Journal(path), closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
