"""What is not seen of a name is written out, and left out of a title; letters that need joiners keep them."""

import json
import os
import re
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import ai_tools

from ai_tools import documents, sources
from ai_tools.documents import passages
from ai_tools.errors import InputError
from ai_tools.escaping import escaped, one_line
from ai_tools.settings import load_settings

ACTS = {"Cc", "Cs", "Zl", "Zp"}
TURNS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


@given(st.text(st.characters()))
def test_nothing_that_acts_on_a_terminal_or_turns_a_line_is_left(text: str) -> None:
    for shown in (escaped(text), one_line(text), str(InputError(text))):
        assert not [one for one in shown if unicodedata.category(one) in ACTS or one in TURNS]
        shown.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[31m\nb.md", "a\\x1b[31m\\nb.md"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("tag\U000e0041", "tag\\U000e0041"),
        (
            "\u0645\u06cc\u200c\u0631\u0648\u062f \u0915\u094d\u200d\u0937 \u00e9 e\u0301 \U0001f469\u200d\U0001f52c",
            None,
        ),
    ],
)
def test_a_name_is_shown_with_what_is_not_seen_written_out(name: str, shown: str | None) -> None:
    assert escaped(name) == (shown or name)


def test_a_title_is_one_line_of_what_is_seen() -> None:
    assert one_line(" Kunden\xaddienst\n\x1b[1mfor\u2028all\u200f ") == "Kundendienst [1mfor all"


# --- the whole way ---

NAMES = ["esc\x1b[31m.md", "new\nline.md", "turn\u202efdp.md", "deep\x1b[1m/c1\x9b31m.txt", "page\x07.html"]
PAGE = "<html><head><title>Page\x1b[31m\u202e</title></head><body><main><p>{}</p></main></body></html>"
TEXT = "The bell of the tower rings at noon on every day. A visitor must sign the book within three days."
RAW = re.compile("\x1b|\x9b|\u202e|\x07|new\nline")
IN_JSON = re.compile(r"(?<!\\)\\u(001b|009b|202e|0007)|new\\nline")


@pytest.fixture
def folder(toy_root: Path) -> Path:
    """Documents whose names, and whose titles, would act on a terminal."""
    for name in NAMES:
        path = toy_root / "docs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PAGE.format(TEXT) if name.endswith("html") else TEXT)
    (toy_root / "docs/cut\x1b[31m.pdf").write_bytes(b"%PDF-1.7\n1 0 obj")
    (toy_root / "docs/_left\x1b[31m").mkdir()
    return toy_root


@pytest.mark.parametrize("command", ["chunk", "pipeline --yes"])
def test_no_command_shows_sends_or_writes_what_is_not_seen_of_a_name(folder: Path, command: str) -> None:
    done = ai_tools(*command.split(), "docs", "-o", "made", OUTPUT_DIR=str(folder / "out"))
    assert "cut\\x1b[31m.pdf: " in done.stderr
    assert not RAW.search(done.stdout + done.stderr)
    written = [path for top in ("made", "out") for path in (folder / top).rglob("*") if path.is_file()]
    assert any("esc" in path.read_text("utf-8", "replace") for path in written)
    for path in written:
        assert not RAW.search(str(path.relative_to(folder)))
        found = path.read_text("utf-8", "replace")
        assert not IN_JSON.search(found), path
        if path.suffix != ".sqlite":  # whose own pages have any byte
            assert not RAW.search(found), path
    with closing(sqlite3.connect(folder / "out/journal.sqlite")) as journal:
        assert not RAW.search("".join(journal.iterdump()))


def test_documents_are_called_by_what_is_seen(folder: Path) -> None:
    settings = load_settings(source_documents="docs", output_dir="out")
    found, failed = documents.convert(sources.find("docs", folder), documents.reading(settings))
    said = [word for one in found for word in (one.name, one.source, one.title, *one.warnings)]
    assert [word for word in (*said, *(one.reason for one in failed)) if RAW.search(word)] == []
    assert {"New line", "Turnfdp"} <= {one.title for one in found}


def test_passages_of_other_tools_are_called_by_what_is_seen(tmp_path: Path) -> None:
    row = {"text": TEXT, "file": "a\x1b.md", "title": "A\u202e", "heading_path": ["Top\x1b", "Low\n"]}
    (tmp_path / "chunks.jsonl").write_text(json.dumps(row))
    (one,) = passages.read(tmp_path / "chunks.jsonl")
    assert (one.file, one.title, one.heading_path, one.text) == ("a\\x1b.md", "A", ("Top", "Low"), TEXT)


def test_a_locale_that_knows_no_letters_but_ascii_hinders_no_command(folder: Path) -> None:
    for name in (b"z\xc3\xbcrich \xe6\x89\x8b.md", b"caf\xe9.md"):
        (folder / "docs" / os.fsdecode(name)).write_text(TEXT)
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = ai_tools("chunk", "docs", "-o", "made", OUTPUT_DIR=str(folder / "out"), **plain)
    assert "Traceback" not in done.stderr
    assert "9 chunks of 9 documents" in done.stdout
    assert {"z\xfcrich \u624b.md", "caf\ufffd.md"} <= {path.name for path in (folder / "made").iterdir()}
