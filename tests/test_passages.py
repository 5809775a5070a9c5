"""Passages from the files of other tools: every kind is told by its content, streams, and loses no row in silence."""

import json
import math
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
import pytest

from ai_tools.documents.passages import Passages, is_chunks, read
from ai_tools.errors import InputError, UsageError
from ai_tools.records import Passage

NOON, DUSK = "The bell rings at noon.", "The lamp is lit at dusk."


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_chunk_file(path: Path, *chunks: Any, **metadata: Any) -> Path:
    whole = {"status": "completed", "metadata": metadata, "processing_info": {"chunk_size": 400}, "chunks": chunks}
    path.write_text(json.dumps(whole, indent=2), "utf-8")
    return path


def write_table(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    lancedb.connect(folder).create_table(name, [row | {"vector": [0.25] * 8} for row in rows])
    return folder


def reasons(passages: Passages) -> list[str]:
    return [one.reason for one in passages.failed]


# --- each kind of source gives the same passages ---


def chunks_jsonl(folder: Path) -> Path:
    row = {"document_id": "d", "file": "bells.md", "heading_path": ["Bells", "Hours"], "title": "Bells"}
    place = {"index": 4, "start": 7, "end": 30, "n_tokens": 9, "metadata": {"pages": [1, 1]}}
    return write_lines(folder / "chunks.jsonl", {"chunk_id": "a", "text": NOON, **row, **place})


def chunk_file(folder: Path) -> Path:
    chunk = {"chunk_id": "a", "chunk_index": 4, "document_id": "d", "text": NOON, "start_char": 7, "end_char": 30}
    more = {"n_tokens": 9, "heading_path": ["Bells", "Hours"], "metadata": {"pages": [1, 1]}}
    about = {"file_name": "bells.md", "source_file": "bells.md", "title": "Bells"}
    return write_chunk_file(folder / "bells_chunks.json", chunk | more, **about)


def folder_of_chunk_files(folder: Path) -> Path:
    return chunk_file(folder).parent


def other_chunk_file(folder: Path) -> Path:
    """As another tool writes it: `content`, the file's own name, the section in one string."""
    chunk = {"id": "a", "content": NOON, "source_file": "bells.md", "section_path": "Bells > Hours", "title": "Bells"}
    place = {"chunk_index": 4, "chunk_start": 7, "chunk_end": 30, "token_count": 9, "document_id": "d"}
    return write_chunk_file(folder / "data.json", chunk | place | {"metadata": {"pages": [1, 1]}})


def table(folder: Path) -> Path:
    row = {"id": "a", "content": NOON, "source_file": "bells.md", "source": "d", "title": "Bells"}
    place = {"section_path": "Bells > Hours", "start_char": 7, "end_char": 30, "token_count": 9, "chunk_index": 4}
    return write_table(folder / "db", "text_chunks", [row | place])


@pytest.mark.parametrize("make", [chunks_jsonl, chunk_file, folder_of_chunk_files, other_chunk_file, table])
def test_every_kind_of_source_gives_the_same_passage(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    source = make(tmp_path)
    assert is_chunks(source)
    passages = read(source)
    (row,) = passages
    assert (passages.total, passages.failed) == (1, ())
    place = {
        "origin": row.origin,
        "file": "bells.md",
        "index": 4,
        "start": 7,
        "end": 30,
        "n_tokens": 9,
        "given_id": "a",
    }
    metadata = {} if make is table else {"pages": [1, 1]}
    assert row == Passage("a", "d", NOON, "Bells", heading_path=("Bells", "Hours"), metadata=metadata, **place)
    assert row.section == "Bells > Hours"


def test_every_passage_says_which_file_or_table_it_stands_in(tmp_path: Path) -> None:
    chunks = folder_of_chunk_files(tmp_path)
    write_chunk_file(chunks / "other_chunks.json", {"text": DUSK}, {"text": NOON})
    assert [row.origin for row in read(chunks)][-2:] == [str(chunks / "other_chunks.json")] * 2
    lines = write_lines(tmp_path / "lines.jsonl", {"text": NOON, "origin": "mine"})
    assert [row.origin for row in read(lines)] == [str(lines)]
    database = write_table(tmp_path / "db", "text_chunks", [{"content": NOON, "source_file": "bells.md"}])
    write_table(database, "code_chunks", [{"content": NOON, "source_file": "bells.md"}])
    rows = list(read(database, ("code_chunks", "text_chunks")))
    assert [(row.origin, row.file) for row in rows] == [("code_chunks", "bells.md"), ("text_chunks", "bells.md")]
    assert len({row.chunk_id for row in rows}) == 2


def test_seed_data_gives_the_passage_with_its_title(tmp_path: Path) -> None:
    seed = {"document": NOON, "document_outline": "the bells", "document_title": "Bells", "icl_query_1": "When?"}
    source = write_lines(tmp_path / "seed_data.jsonl", seed | {"chunk_id": "a", "document_id": "d"})
    (row,) = read(source)
    assert (row.text, row.title, row.chunk_id, row.document_id) == (NOON, "Bells", "a", "d")


def test_a_row_without_text_is_no_seed_because_it_names_its_document(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "chunks.jsonl", {"text": NOON}, {"document": "bells.md", "chunk_id": "b"})
    passages = read(source)
    assert [row.text for row in passages] == [NOON]
    (reason,) = reasons(passages)
    assert reason.startswith(f"{source}, row 2: no text or content; it has ")


@pytest.mark.parametrize("name", ["passages.txt", "passages.jsonl", "x_chunks.json", "no suffix"])
def test_lines_and_objects_are_told_apart_by_content_whatever_the_name(tmp_path: Path, name: str) -> None:
    write_lines(tmp_path / name, {"text": NOON}, {"text": DUSK})
    assert is_chunks(tmp_path / name)
    assert [row.text for row in read(tmp_path / name)] == [NOON, DUSK]
    write_chunk_file(tmp_path / name, {"content": DUSK})
    assert [row.text for row in read(tmp_path / name)] == [DUSK]
    (tmp_path / name).write_text(json.dumps({"chunks": [{"text": NOON}]}))  # all in one line
    assert [row.text for row in read(tmp_path / name)] == [NOON]


@pytest.mark.parametrize("text", ["# Bells\n\nThey ring.\n", "{braces} are no JSON\n", "", '{"a": 1}\n', "[1]\n"])
def test_a_document_is_not_taken_for_passages(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.md").write_text(text)
    assert not is_chunks(tmp_path / "page.md")
    assert not is_chunks(tmp_path)


def test_a_folder_prefers_chunk_files_then_chunks_then_seed_data(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# Bells\n")
    (tmp_path / "package.json").write_text('{"name": "bells"}')
    write_lines(tmp_path / "seed_data.jsonl", {"document": "seed", "document_outline": "the bells"})
    assert [row.text for row in read(tmp_path)] == ["seed"]
    write_lines(tmp_path / "chunks.jsonl", {"text": "lines"})
    assert [row.text for row in read(tmp_path)] == ["lines"]
    write_chunk_file(tmp_path / "b.json", {"text": "b"})
    write_chunk_file(tmp_path / "a_chunks.json", {"text": "a"})
    assert [row.text for row in read(tmp_path)] == ["a", "b"]


def test_what_a_chunk_file_says_of_itself_is_said_of_its_chunks(tmp_path: Path) -> None:
    write_chunk_file(
        tmp_path / "a_chunks.json", {"text": NOON}, {"text": DUSK, "file": "own.md"}, file_name="bells.pdf"
    )
    write_chunk_file(tmp_path / "manual__lamps_chunks.json", {"text": "Third."})
    assert [row.file for row in read(tmp_path)] == ["bells.pdf", "own.md", "manual__lamps"]


def test_a_text_is_not_changed_and_what_is_unknown_is_none(tmp_path: Path) -> None:
    text = '  "Ring it."\r\n```sh\n\techo \N{BELL}\u2028\n```\n '
    nothing = {
        "start": None,
        "end_char": math.nan,
        "title": " ",
        "heading_path": [],
        "metadata": None,
        "token_count": 12.0,
    }
    (row,) = read(write_lines(tmp_path / "chunks.jsonl", {"text": text, **nothing}))
    assert row.text == text
    assert (row.start, row.end, row.title, row.heading_path, row.metadata) == (None, None, "", (), {})
    assert row.n_tokens == 12


def test_a_mark_of_byte_order_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "chunks.jsonl").write_bytes(b"\xef\xbb\xbf" + b'{"text": "One."}\r\n\r\n{"text": "Two."}\r\n')
    passages = read(tmp_path / "chunks.jsonl")
    assert [row.text for row in passages] == ["One.", "Two."]
    assert not passages.failed


# --- ids ---


def test_ids_that_are_missing_or_repeated_are_made_from_the_content(tmp_path: Path) -> None:
    write_chunk_file(tmp_path / "a_chunks.json", {"chunk_id": 0, "text": NOON}, {"chunk_id": 1, "text": NOON})
    write_chunk_file(tmp_path / "b_chunks.json", {"chunk_id": 0, "text": NOON}, {"text": DUSK}, {"text": DUSK})
    passages = read(tmp_path)
    ids = [row.chunk_id for row in passages]
    assert len(set(ids)) == passages.total == 5
    assert ids[1] == "1"
    assert ids == [row.chunk_id for row in passages]  # the second time, too
    changed = write_chunk_file(tmp_path / "b_chunks.json", {"chunk_id": 0, "text": "Other."}, {"text": DUSK})
    again = [row.chunk_id for row in read(changed.parent)]
    assert again[:2] == ids[:2]  # what another file holds does not matter
    assert again[3] == ids[3]
    assert again[2] != ids[2]


def test_an_index_that_repeats_identifies_nothing(tmp_path: Path) -> None:
    chunks = [{"chunk_index": 0, "document_index": n, "text": f"The bell of house {n}."} for n in range(3)]
    rows = list(read(write_chunk_file(tmp_path / "a_chunks.json", *chunks)))
    assert [row.text for row in rows] == [chunk["text"] for chunk in chunks]
    assert len({row.chunk_id for row in rows}) == 3


# --- what cannot be used is named, and the others are processed ---


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('{"chunk_id": "b"}', "row 2: no text or content"),
        ('{"text": " "}', "row 2: its text is empty"),
        ('{"content": null}', "row 2: its content is empty"),
        ('{"text": 7}', "row 2: its text is no text but 7"),
        ('{"text": "x", "chunk_id": ["b"]}', "row 2: its chunk_id is no name"),
        ('{"text": "x", "file": {"name": "b"}}', "row 2: its file is no name"),
        ('{"text": "x", "heading_path": 7}', "row 2: its heading_path is no list"),
        ('{"text": "x", "heading_path": ["a", 7]}', "row 2: its heading_path is no list"),
        ('{"text": "x", "start": "first"}', "row 2: its start is no whole number"),
        ('{"text": "x", "end_char": 1.5}', "row 2: its end_char is no whole number"),
        ('{"text": "x", "end": Infinity}', "row 2: its end is no whole number"),
        ('{"text": "half an emoji \\ud83d"}', "row 2: "),
        ('{"text": "to', "line 2: not JSON"),
        ("7", "line 2: no JSON object"),
        ('"text"', "line 2: no JSON object"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_go_on(tmp_path: Path, bad: str, words: str) -> None:
    source = tmp_path / "chunks.jsonl"
    good = json.dumps({"text": NOON}), json.dumps({"text": DUSK})
    source.write_text(f"{good[0]}\n{bad}\n{good[1]}\n")
    passages = read(source)
    assert [row.text for row in passages] == [NOON, DUSK]
    (reason,) = reasons(passages)
    assert reason.startswith(f"{source}, {words}")
    assert "\n" not in reason
    source.write_text(f"{good[0]}\n{bad}")  # a last line without its end
    assert len(read(source).failed) == 1


def test_a_bare_list_of_chunks_is_a_chunk_file(tmp_path: Path) -> None:
    source = tmp_path / "bells_chunks.json"
    source.write_text(json.dumps([{"text": NOON}, {"content": DUSK}]))
    assert [(row.text, row.file) for row in read(source)] == [(NOON, "bells"), (DUSK, "bells")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b'{"status": "completed", "chunks": [{"text": "The be', "not JSON"),
        (b'{"status": "completed"}', "no list of chunks"),
        (b'{"chunks": {"0": "text"}}', "no list of chunks"),
        (b'{"chunks": []}', "no chunk in it"),
        (b'{"chunks": ["text"]}', "chunk 1: no JSON object"),
        (b'{"chunks": [{"start_char": 0}]}', "chunk 1: no text or content; it has start_char"),
        (b'[{"body": "x", "page": 1}]', "chunk 1: no text or content; it has body, page"),
        (b'"text"', "no JSON object; a chunk file is an object with `chunks`, or their list"),
        (b'{"chunks": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_a_bad_file_is_named_among_many_and_an_error_alone(tmp_path: Path, content: bytes, words: str) -> None:
    bad = tmp_path / "a_chunks.json"
    bad.write_bytes(content)
    assert is_chunks(bad)
    with pytest.raises(InputError) as caught:
        read(bad)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(bad))
    write_chunk_file(tmp_path / "b_chunks.json", {"text": NOON})
    passages = read(tmp_path)
    assert [row.text for row in passages] == [NOON]
    assert reasons(passages) == [str(caught.value)]


def test_a_missing_source_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "chunks.jsonl")
    (tmp_path / "chunks.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no chunk in it"):
        read(tmp_path / "chunks.jsonl")


# --- LanceDB ---


def test_several_tables_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    write_table(tmp_path / "db", "text_chunks", [{"id": "a", "content": NOON, "source_file": "bells.md"}])
    write_table(tmp_path / "db", "code_chunks", [{"id": "a", "text": "ring()", "source": "bell.py"}])
    rows = list(read(tmp_path / "db", ["code_chunks", "text_chunks", "code_chunks"]))
    assert [(row.text, row.file) for row in rows] == [("ring()", "bell.py"), (NOON, "bells.md")]
    assert len({row.chunk_id for row in rows}) == 2


def test_vectors_are_never_read(tmp_path: Path) -> None:
    count, width = 2000, 2048  # 16 MB of vectors beside 50 KB of text
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5] * (count * width), pa.float32()), width)
    texts = [f"The bell of house {n}." for n in range(count)]
    columns = pa.table({"content": texts, "vector": vectors, "text": vectors})  # one is named like a text
    lancedb.connect(tmp_path / "db").create_table("text_chunks", columns)
    script = f"""
from pathlib import Path
from ai_tools.documents.passages import read
passages = read(Path({str(tmp_path / "db")!r}))
print(sum(len(row.text) for row in passages), end=" ")
print(int(open("/proc/self/io").readline().split()[1]))
"""
    if not Path("/proc/self/io").exists():
        pytest.skip("this system does not count what a process reads")
    without = "import lancedb, ai_tools.documents.passages\n" + script.split("\n")[-2]
    idle = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=True)  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    letters, read = map(int, done.stdout.split())
    assert letters == sum(map(len, texts))
    assert read - int(idle.stdout) < count * width


def test_a_row_without_text_is_left_out_of_a_table_and_named(tmp_path: Path) -> None:
    rows = [{"id": "a", "content": NOON}, {"id": "b", "content": None}, {"id": "c", "content": DUSK}]
    passages = read(write_table(tmp_path / "db", "text_chunks", rows))
    assert [row.chunk_id for row in passages] == ["a", "c"]
    assert reasons(passages) == [f"{tmp_path / 'db'}, table text_chunks, row 2: its content is empty"]


def test_a_table_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    source = write_table(tmp_path / "db", "pages", [{"content": NOON}])
    write_table(source, "notes", [{"content": NOON}])
    with pytest.raises(UsageError, match=r"no table text_chunks; choose with --table from notes, pages"):
        read(source)
    with pytest.raises(UsageError, match=r"no table text_chunks, code; "):
        read(source, ["pages", "text_chunks", "code"])
    assert [path.name for path in sorted(source.iterdir())] == ["notes.lance", "pages.lance"]


def test_a_table_without_a_text_is_answered_with_its_columns(tmp_path: Path) -> None:
    source = write_table(tmp_path / "db", "text_chunks", [{"id": "a", "body": NOON}])
    with pytest.raises(InputError, match=r"no text in a column text or content; it has id, body, vector"):
        read(source)


def test_a_damaged_table_is_one_line_and_the_others_are_read(tmp_path: Path) -> None:
    source = write_table(tmp_path / "db", "text_chunks", [{"content": NOON}])
    write_table(source, "code_chunks", [{"content": DUSK}])
    (data,) = (source / "code_chunks.lance/data").iterdir()
    data.write_bytes(data.read_bytes()[:20])
    passages = read(source, ["code_chunks", "text_chunks"])
    assert [row.text for row in passages] == [NOON]
    (reason,) = reasons(passages)
    assert reason.startswith(f"{source}, table code_chunks: cannot be read")
    assert "\n" not in reason


def test_a_folder_that_is_no_database_and_a_single_table_are_told_as_such(tmp_path: Path) -> None:
    write_lines(tmp_path / "chunks.jsonl", {"text": NOON})
    with pytest.raises(UsageError, match="no LanceDB folder"):
        read(tmp_path, ["text_chunks"])
    single = write_table(tmp_path / "db", "text_chunks", [{"content": NOON}]) / "text_chunks.lance"
    with pytest.raises(InputError, match=r"a single table; give the folder \S+db and --table text_chunks"):
        read(single)
    assert is_chunks(single)
    (tmp_path / "none.lancedb").mkdir()
    with pytest.raises(InputError, match="no chunk in it"):
        read(tmp_path / "none.lancedb")


def test_without_lancedb_the_extra_that_brings_it_is_named(tmp_path: Path) -> None:
    source = write_table(tmp_path / "db", "text_chunks", [{"content": NOON}])
    script = f"""
import sys
from pathlib import Path
sys.modules["lancedb"] = None  # as where it is not installed
from ai_tools.documents.passages import read
read(Path({str(source)!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (
        "MissingExtra: lancedb is not installed. Fix, in the project's folder: pip install -e '.[lancedb]'"
        in done.stderr
    )


# --- size ---


def test_passages_stream_and_are_not_held(tmp_path: Path) -> None:
    rows = ({"chunk_id": f"c{number}", "text": f"{number} " + "bell " * 4000} for number in range(500))  # 10 MB
    source = write_lines(tmp_path / "chunks.jsonl", *rows)
    tracemalloc.start()
    passages = read(source)
    assert sum(1 for _ in passages) == passages.total == 500
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
