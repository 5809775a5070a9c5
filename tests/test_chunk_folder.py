"""`ai-tools chunk` from outside, and what it leaves: spans that are true, a folder that is its own, honest failures."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from outside import ai_tools, error_of

from ai_tools import chunk_documents, convert, sources
from ai_tools.documents import passages, reading
from ai_tools.documents.chunking import chunk_document
from ai_tools.errors import InputError, NothingProduced, UsageError
from ai_tools.settings import Settings

HOURS = [f"## Hour {n}\n\nThe bell rings {n} times. Its rope is {n} metres long." for n in range(9)]
LONG = "\n\n".join(["# Bells", *HOURS]) + "\n"


def chunk_file(folder: Path, name: str) -> dict[str, Any]:
    whole = json.loads((folder / f"{name}_chunks.json").read_text("utf-8"))
    assert isinstance(whole, dict)
    return whole


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def all_bytes(folder: Path) -> dict[str, str]:
    """The files of a folder, without the times at which they were made."""
    return {
        path.name: re.sub(r'"processed_at": "[^"]*"', "", path.read_text("utf-8")) for path in sorted(folder.iterdir())
    }


# --- what is written ---


def test_every_span_is_true_of_the_markdown_beside_it(toy_root: Path) -> None:
    (toy_root / "docs/deep").mkdir()
    (toy_root / "docs/deep/Läute werk.md").write_text(LONG, "utf-8")
    done = ai_tools("chunk", "docs", "-o", "out", "--chunk-size", "32", "--chunk-overlap", "8")
    assert done.returncode == 0, done.stderr
    names = ["bells", "deep__Läute werk", "lamps"]
    files = [*(f"{name}{end}" for name in names for end in ("_chunks.json", ".md")), "chunks.jsonl"]
    assert sorted(path.name for path in (toy_root / "out").iterdir()) == sorted(files)
    rows = []
    for name in names:
        whole = chunk_file(toy_root / "out", name)
        text = (toy_root / "out" / whole["metadata"]["markdown"]).read_text("utf-8")
        assert text == (toy_root / "docs" / whole["metadata"]["source_file"]).read_text("utf-8")
        for index, chunk in enumerate(whole["chunks"]):
            assert text[chunk["start_char"] : chunk["end_char"]] == chunk["text"]
            assert chunk["chunk_index"] == index
            assert chunk["n_tokens"] <= 32
        rows += [(whole["metadata"]["source_file"], one["chunk_id"], one["text"]) for one in whole["chunks"]]
    deep = chunk_file(toy_root / "out", "deep__Läute werk")["chunks"]
    assert len(deep) > 2
    assert deep[-1]["heading_path"] == ["Bells", "Hour 8"]
    assert [(one["file"], one["chunk_id"], one["text"]) for one in rows_in(toy_root / "out/chunks.jsonl")] == rows
    assert f"{len(rows)} chunks of 3 documents -> out; 0 failed" in done.stdout


def test_a_chunk_file_says_what_it_was_made_from_and_how(toy_root: Path) -> None:
    assert ai_tools("chunk", "docs/bells.md", "-o", "out", "--chunk-size", "64").returncode == 0
    whole = chunk_file(toy_root / "out", "bells")
    assert list(whole) == ["status", "metadata", "processing_info", "chunks"]
    about = whole["metadata"]
    assert whole["status"] == "completed"
    assert (about["file_name"], about["source_file"], about["file_type"]) == ("bells.md", "bells.md", ".md")
    assert about["file_size"] == (toy_root / "docs/bells.md").stat().st_size
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", about["processed_at"])
    assert whole["processing_info"] == {
        "splitting_strategy": "markdown", "chunk_size": 64, "chunk_overlap": 0, "tokenizer": "tiny", "total_chunks": 1,
    }  # fmt: skip
    (chunk,) = whole["chunks"]
    assert {"chunk_id", "chunk_index", "text", "start_char", "end_char", "n_tokens", "heading_path"} <= set(chunk)


def test_the_chunks_are_those_that_the_notebook_makes(
    toy_root: Path, toy_settings: Settings, toy_tokenizer: Any
) -> None:
    (toy_root / "docs/bells.md").write_text(LONG)
    made = chunk_documents("docs/bells.md", toy_root / "new", toy_settings, chunk_size=40)
    document, failed = convert(sources.find("docs/bells.md", toy_root), reading(toy_settings))
    expected = chunk_document(document[0], max_tokens=40, tokenizer=toy_tokenizer)
    assert [row["text"] for row in rows_in(toy_root / "new/chunks.jsonl")] == [chunk.text for chunk in expected]
    assert (made.documents, made.chunks, made.failed) == (1, len(expected), ())
    assert not failed


def test_recursive_counts_characters_and_heeds_no_markdown(toy_root: Path) -> None:
    (toy_root / "docs/bells.md").write_text(LONG)
    options = ("--splitting-strategy", "recursive", "--chunk-size", "100", "--chunk-overlap", "20")
    assert ai_tools("chunk", "docs/bells.md", "-o", "out", *options).returncode == 0
    whole = chunk_file(toy_root / "out", "bells")
    chunks = whole["chunks"]
    assert max(len(chunk["text"]) for chunk in chunks) <= 100
    assert all(LONG[chunk["start_char"] : chunk["end_char"]] == chunk["text"] for chunk in chunks)
    assert all(chunk["heading_path"] == [] for chunk in chunks)
    assert any(after["start_char"] < before["end_char"] for before, after in itertools.pairwise(chunks))
    assert whole["processing_info"]["splitting_strategy"] == "recursive"


def test_a_second_run_writes_the_same_bytes_and_nothing_of_what_is_gone(toy_root: Path) -> None:
    assert ai_tools("chunk", "docs", "-o", "out").returncode == 0
    first = all_bytes(toy_root / "out")
    assert ai_tools("chunk", "docs", "-o", "out").returncode == 0
    assert all_bytes(toy_root / "out") == first
    (toy_root / "docs/lamps.md").unlink()
    assert ai_tools("chunk", "docs", "-o", "out").returncode == 0
    assert set(all_bytes(toy_root / "out")) == {"bells_chunks.json", "bells.md", "chunks.jsonl"}
    assert {row["file"] for row in rows_in(toy_root / "out/chunks.jsonl")} == {"bells.md"}


def test_what_it_made_is_no_document_the_next_time(toy_root: Path) -> None:
    for _ in range(2):
        assert ai_tools("chunk", "docs", "-o", "docs/out").returncode == 0
        assert len(list((toy_root / "docs/out").iterdir())) == 5
    done = ai_tools("chunk", "docs/out", "-o", "docs/out")
    assert done.returncode == 2
    assert "another folder" in error_of(done)


def test_a_list_and_a_glob_are_documents_too(toy_root: Path, toy_settings: Settings) -> None:
    assert chunk_documents("docs/bells.md, docs/lamps.md", toy_root / "list", toy_settings).documents == 2
    assert chunk_documents("docs/b*.md", toy_root / "glob", toy_settings).documents == 1


# --- what goes wrong ---


def test_a_broken_file_is_named_the_others_are_kept_and_the_exit_code_is_1(toy_root: Path) -> None:
    (toy_root / "docs/broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    (toy_root / "docs/empty.md").write_text(" \n")
    (toy_root / "docs/style.css").write_text("body {}")
    done = ai_tools("chunk", "docs", "-o", "out")
    assert done.returncode == 1
    assert "2 files failed" in error_of(done)
    left_out = re.findall(r"^left out: (\S+): .+", done.stderr, re.MULTILINE)
    assert left_out == ["broken.pdf", "empty.md"]
    assert "2 chunks of 2 documents -> out; 2 failed; passed over: 1 .css" in done.stdout
    assert {row["file"] for row in rows_in(toy_root / "out/chunks.jsonl")} == {"bells.md", "lamps.md"}


def test_when_no_file_can_be_read_that_is_an_error_with_the_reasons(toy_root: Path) -> None:
    (toy_root / "docs/broken.pdf").write_bytes(b"%PDF-1.7\nbroken")
    done = ai_tools("chunk", "docs/broken.pdf", "-o", "out")
    assert done.returncode == 1
    assert "broken.pdf: " in error_of(done)
    assert not list((toy_root / "out").iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("docs", "--chunk-size", "0"), ["--chunk-size 0"]),
        (("docs", "--chunk-size", "-3"), ["--chunk-size -3"]),
        (("docs", "--chunk-size", "many"), ["--chunk-size", "integer"]),
        (("docs", "--chunk-size", "32", "--chunk-overlap", "32"), ["--chunk-overlap 32", "32"]),
        (("docs", "--chunk-overlap", "-1"), ["--chunk-overlap -1"]),
        (("docs", "--splitting-strategy", "semantic"), ["semantic", "markdown and recursive"]),
        (("nowhere",), ["nowhere", "no such file or folder"]),
        (("*.rst",), ["*.rst", "matches no file"]),
        ((), ["docs"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(toy_root: Path, arguments: tuple[str, ...], words: list[str]) -> None:
    done = ai_tools("chunk", *arguments, "-o", "out")
    assert done.returncode == 2
    assert all(word in error_of(done) for word in words), done.stderr
    assert not (toy_root / "out").exists()


@pytest.mark.parametrize("name", ["notes.md", "chunks.jsonl", "bells_chunks.json", "bells.md", "pages"])
def test_a_folder_with_files_that_are_not_ours_is_left_alone_unless_told_otherwise(toy_root: Path, name: str) -> None:
    (toy_root / "out").mkdir()
    if name == "pages":
        (toy_root / "out/pages").mkdir()
    else:  # another tool's chunk file is one of these
        (toy_root / "out" / name).write_text('{"status": "completed", "metadata": {}, "chunks": []}')
    refused = ai_tools("chunk", "docs", "-o", "out")
    assert refused.returncode == 2
    assert name in error_of(refused)
    assert "--overwrite" in error_of(refused)
    assert [path.name for path in (toy_root / "out").iterdir()] == [name]
    assert ai_tools("chunk", "docs", "-o", "out", "--overwrite").returncode == 0
    assert (toy_root / "out" / name).exists()
    assert len(rows_in(toy_root / "out/chunks.jsonl")) == 2


@pytest.mark.parametrize("name", ["chunks.jsonl", "bells_chunks.json", "bells.md"])
def test_what_was_corrected_in_its_folder_is_not_written_over(
    toy_root: Path, toy_settings: Settings, name: str
) -> None:
    output = toy_root / "new"
    chunk_documents("docs", output, toy_settings)
    (output / name).write_text((output / name).read_text().replace("noon", "twelve"))
    with pytest.raises(UsageError, match=rf"or what was edited since \({name}\); give another folder, or add --overwr"):
        chunk_documents("docs", output, toy_settings)
    assert "twelve" in (output / name).read_text()
    chunk_documents("docs", output, toy_settings, overwrite=True)
    assert "noon" in (output / name).read_text()


def test_a_folder_that_was_moved_is_known_by_what_its_chunk_files_say(toy_root: Path, toy_settings: Settings) -> None:
    chunk_documents("docs", toy_root / "new", toy_settings).output.rename(toy_root / "moved")
    (toy_root / "docs/lamps.md").unlink()
    chunk_documents("docs", toy_root / "moved", toy_settings)
    assert set(all_bytes(toy_root / "moved")) == {"bells_chunks.json", "bells.md", "chunks.jsonl"}


def test_a_chunk_file_that_is_torn_is_named_so_and_made_anew(toy_root: Path, toy_settings: Settings) -> None:
    path = chunk_documents("docs", toy_root / "new", toy_settings).output / "bells_chunks.json"
    whole = all_bytes(toy_root / "new")
    path.write_text(path.read_text()[:-50])
    with pytest.warns(UserWarning, match=r"bells_chunks\.json: torn; it is made anew"):
        chunk_documents("docs", toy_root / "new", toy_settings)
    assert all_bytes(toy_root / "new") == whole


def test_the_output_is_a_folder(toy_root: Path, toy_settings: Settings) -> None:
    (toy_root / "taken").write_text("mine")
    for output in ("taken", "chunks.jsonl"):
        with pytest.raises(UsageError, match="give a folder"):
            chunk_documents("docs", toy_root / output, toy_settings)
    with pytest.raises(InputError, match="no such file"):
        chunk_documents("nowhere", toy_root / "new", toy_settings)
    (toy_root / "docs/void.md").write_text("")
    with pytest.raises(NothingProduced, match=r"void\.md"):
        chunk_documents("docs/void.md", toy_root / "new", toy_settings)


# --- there and back ---


def test_what_chunk_wrote_generate_reads(toy_root: Path) -> None:
    (toy_root / "docs/harbour.md").write_text(
        "# Harbour dues\n\nA mooring costs 17 crowns a week. Every boat must carry two lamps after sunset.\n"
    )
    assert ai_tools("chunk", "docs", "-o", "out").returncode == 0
    made = []
    for source in ("out", "out/harbour_chunks.json", "out/chunks.jsonl", "docs"):
        done = ai_tools("generate", source, "-o", "pairs.json", "--n-pairs", "2", "--provider", "offline")
        assert done.returncode == 0, done.stderr
        rows = json.loads((toy_root / "pairs.json").read_text("utf-8"))
        made.append([row for row in rows if row["source_file"] == "harbour.md"])
    ids = {row.chunk_id for row in passages.read(toy_root / "out/harbour_chunks.json")}
    assert made[0]
    assert {row["chunk_id"] for row in made[0]} == ids
    assert all(rows == made[0] for rows in made)  # the same calls, so even the time is that of the journal
