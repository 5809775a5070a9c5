"""The register of made files: by path and bytes, whatever is killed, edited, moved, linked, locked or shared."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from ai_tools.files import MadeFile, Register, use_write_ahead, write_atomic, write_json
from ai_tools.teachers.journal import Journal

DATABASE = Path("out/journal.sqlite")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(name: str | Path, text: str = "[1]\n", command: str = "enrich", database: Path = DATABASE) -> Path:
    return write_atomic(Path(name), text, Register(database, command).note)


def known(path: str | Path) -> MadeFile | None:
    return Register(DATABASE, "any").find(Path(path))


MADE = MadeFile("enrich", "", "as made")


def test_a_made_file_is_known_by_whichever_path_leads_to_it() -> None:
    path = make("deep/out.json")
    Path("link").symlink_to("deep")
    Path("link.json").symlink_to("deep/out.json")
    for spelling in (path, path.absolute(), "deep/../deep/out.json", "link/out.json", "link.json"):
        assert known(spelling) == MADE
    for other in (shutil.copy(path, "copy.json"), make("b.json").rename("moved.json"), "nothing.json"):
        assert known(other) is None


def test_a_file_that_took_the_place_of_a_link_is_known_and_so_is_where_that_led() -> None:
    target = make("out.json")
    Path("link.json").symlink_to("out.json")
    link = make("link.json", "[2]\n", command="curate")
    assert [known(target), known(link)] == [MADE, MadeFile("curate", "", "as made")]


@pytest.mark.parametrize(
    ("text", "now", "state"),
    [
        ("[\n1,\n2\n]\n", "[\n1,\n3\n]\n", "edited"),
        ("[\n1,\n2\n]\n", "[1]", "edited"),
        ("[\n1,\n2\n]\n", "[\n1,\n2, 3, 4, 5", "edited"),  # no part of it is missing
        ("[\n1,\n2\n]\n", "# notes\n", "edited"),
        ("# A page\n\nof text.\n", "# A page\n\nof", "edited"),  # it may be meant to end there
        ("[\n1,\n2\n]\n", "[\n1,\n", "torn"),
        ("[\n1,\n2\n]\n", "", "torn"),
        ('{"a": 1}\n{"a": 2}\n', '{"a": 1}\n{"a":', "torn"),
        ('{"a": 1}\n{"a": 2}\n', '{"a": 1}\n', "edited"),
        ("[\n1\n]\n", "[\n1\n]\n", "as made"),
    ],
)
def test_a_file_that_was_edited_is_told_from_one_that_was_cut_off(text: str, now: str, state: str) -> None:
    make("out.json", text).write_text(now)
    assert known("out.json") == MadeFile("enrich", "", state)  # type: ignore[arg-type]


def test_the_last_that_made_a_file_and_what_that_depended_on_is_what_counts() -> None:
    make("out.json", "[2]\n")
    Path("new").write_text("[1]\n")
    Register(DATABASE, "export").note(Path("out.json"), Path("new"), "calls")
    Path("new").replace("out.json")
    assert known("out.json") == MadeFile("export", "calls", "as made")
    Path("out.json").write_text("[3]\n")
    assert known("out.json") == MadeFile("export", "calls", "edited")


def test_a_process_killed_before_its_file_is_in_place_leaves_the_one_before_known() -> None:
    make("out.json")
    Path("new").write_text("[2]\n")
    Register(DATABASE, "export").note(Path("out.json"), Path("new"))
    assert known("out.json") == MADE


def test_a_file_that_was_not_finished_is_not_entered() -> None:
    with pytest.raises(UnicodeEncodeError):
        make("out.json", "\ud800")
    with pytest.raises(TypeError):
        write_json(Path("out.json"), {"no": object()}, Register(DATABASE, "export").note)
    assert not DATABASE.exists()


def test_looking_makes_no_database_and_changes_none_from_before_there_was_a_register() -> None:
    Path("mine").write_text("[1]")
    assert known("mine") is None
    assert not DATABASE.parent.exists()
    Journal(DATABASE).close()
    before = DATABASE.read_bytes()
    assert known("mine") is None
    assert DATABASE.read_bytes() == before
    assert known(make("mine")) == MADE


def test_a_file_is_entered_before_there_is_a_journal_and_while_one_is_written() -> None:
    make("a")
    with Journal(DATABASE, read_only=True) as journal:
        assert (len(journal), journal.get("key"), journal.summary()) == (0, None, [])
    with Journal(DATABASE) as journal:
        make("b")
        assert len(journal) == 0
    assert [known("a"), known("b")] == [MADE, MADE]


def test_processes_enter_files_at_the_same_time_and_none_is_lost() -> None:
    script = """
import sys
import threading
import warnings
from pathlib import Path
from ai_tools.files import Register, write_atomic
for n in range(20):
    write_atomic(Path(f"{sys.argv[1]}-{n}"), "[1]", Register(Path("out/journal.sqlite"), "enrich").note)
"""
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", script, name]) for name in "abc"]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert all(known(f"{name}-{n}") == MADE for name in "abc" for n in range(20))


def test_a_database_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("CREATE TABLE made_files (path)")
    other.execute("BEGIN EXCLUSIVE")
    done = threading.Timer(0.2, other.rollback)
    done.start()
    with closing(sqlite3.connect(path, timeout=0)) as db, warnings.catch_warnings():
        warnings.simplefilter("error")
        use_write_ahead(db, path)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    done.join()
    other.close()


@pytest.mark.parametrize("what", ["no folder", "no database", "another's"])
def test_where_the_register_cannot_be_written_that_is_said_and_the_file_is_made(what: str) -> None:
    if what == "no folder":
        Path("out").write_text("mine")
    elif what == "no database":
        write_atomic(DATABASE, "a shopping list, and a long one at that " * 10)
    else:
        DATABASE.parent.mkdir()
        with closing(sqlite3.connect(DATABASE)) as db:
            db.execute("CREATE TABLE recipes (name TEXT)")
    before = DATABASE.read_bytes() if DATABASE.is_file() else b""
    with pytest.warns(
        UserWarning, match=r"journal\.sqlite: cannot be written \(.+\); what is made now will need --over"
    ):
        path = make("made.json")
    assert (path.read_text(), known(path)) == ("[1]\n", None)
    assert not before or DATABASE.read_bytes() == before


def test_a_name_need_not_be_utf_8_to_be_entered() -> None:
    assert known(make(os.fsdecode(b"caf\xe9.json"))) == MADE
