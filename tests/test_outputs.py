"""What tools write: whole or not at all, in the shape of their input, and never over what others have made."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ai_tools.errors import NothingProduced, UsageError
from ai_tools.files import Register, rows_to, write_json
from ai_tools.tools import outputs, pairs
from ai_tools.tools.outputs import beside, check, pairs_to

Row = dict[str, Any]
REGISTER = Register(Path("house/journal.sqlite"), "enrich")
MARK = {"enrichment_changes": "reworded"}  # that of enrich


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pair(n: int, **more: Any) -> Row:
    return {"question": f"Q{n}?", "answer": "A.", "type": "qa"} | more


def wrapped(*rows: Row, **about: Any) -> Row:
    return {"metadata": {"file_name": "a"}, "training_pairs": list(rows), "summary": {"total_qa_pairs": 9}} | about


def put(name: str, content: Any) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load(name: str) -> Any:
    return json.loads(Path(name).read_text("utf-8"))


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def interrupted(writing: AbstractContextManager[Callable[[Row | None], None]], *rows: Row | None) -> None:
    with writing as write:
        for row in rows:
            write(row)
        raise KeyboardInterrupt


def made(name: str, rows: Any, command: str = "enrich") -> Path:
    """A file that a command has written."""
    return write_json(Path(name), rows, Register(Path("house/journal.sqlite"), command).note)


def into(source: Path) -> list[str]:
    """What the files are called that a folder gets."""
    return [file.path.name for file in pairs.read(source).files]


def refused(output: str, source: Path, *, as_folder: bool = True, overwrite: bool = False) -> str:
    with pytest.raises(UsageError) as error:
        check(Path(output), REGISTER, source=source, overwrite=overwrite, into=into(source) if as_folder else None)
    assert "\n" not in str(error.value)
    return str(error.value)


def allowed(output: str, source: Path, *, overwrite: bool = False) -> None:
    check(Path(output), REGISTER, source=source, overwrite=overwrite, into=into(source))


# --- what is refused ---


@pytest.mark.parametrize("name", ["out.txt", "out.v2", "out.JSON", "out.csv"])
def test_a_name_that_is_neither_a_folder_nor_of_our_files_is_refused(name: str) -> None:
    assert "give a file that ends in .json or .jsonl, or a folder" in refused(name, put("in.json", [pair(1)]))


def test_a_file_for_a_folder_and_a_folder_for_a_file_are_refused() -> None:
    source = put("in.json", [pair(1)])
    put("plain", "x")
    Path("dir.json").mkdir()
    assert "a file; give a folder" in refused("plain", source)
    assert "a folder; give a file" in refused("dir.json", source)
    assert "give a file that ends in .json or .jsonl" in refused("out", source, as_folder=False)


def test_the_source_is_never_written_over_not_even_when_told_to() -> None:
    source, folder = put("in.json", [pair(1, **MARK)]), put("qa/a_qa.json", wrapped(pair(1, **MARK))).parent
    Path("link").symlink_to(folder)
    for output, given in (
        ("in.json", source),
        ("./x/../in.json", source),
        (".", source),
        ("qa", folder),
        ("link", folder),
        ("qa/new_qa.json", folder),
    ):
        Path("x").mkdir(exist_ok=True)
        assert "source" in refused(output, given, overwrite=True), output
    assert load("in.json") == [pair(1, **MARK)]


@pytest.mark.parametrize(
    "content",
    [
        '{"mine": 1}',
        '["also mine"]',
        "notes",
        '[{"note": "\\"enrichment_changes\\": 1"}]',
        '[{"enrichment_changes": "reworded", "grade": "added by another hand"}]',
        "",
    ],
)
def test_a_file_of_others_is_left_alone_unless_told_otherwise(content: str) -> None:
    source = put("in.json", [pair(1)])
    put("out.json", content)
    put("out/in.json", content)
    for output in ("out.json", "out"):
        assert "add --overwrite" in refused(output, source)
        allowed(output, source, overwrite=True)


@pytest.mark.parametrize(
    "content", [[pair(1)], [pair(1, long="x" * 300_000), pair(2, **MARK)], wrapped(pair(1)), {"summary": {"source": 1}}]
)
def test_what_the_command_made_before_may_be_made_anew_whatever_it_holds(content: Any) -> None:
    source = put("in.json", [pair(1)])
    made("out.json", content)
    made("out/in.json", content)
    Path("link").symlink_to("out")
    for output in ("out.json", "x/../out.json", "out", "link", "new.json", "new/deep", "new.jsonl"):
        Path("x").mkdir(exist_ok=True)
        allowed(output, source)


@pytest.mark.parametrize("content", [[], wrapped(), wrapped(ids=["x" * 16] * 20_000)])
def test_what_holds_no_row_may_be_made_anew_whoever_made_it(content: Any) -> None:
    source = put("in.json", [pair(1)])
    for put_there in (put, made, partial(made, command="curate")):
        put_there("out.json", content)
        put_there("out/in.json", content)
        for output in ("out.json", "out"):
            allowed(output, source)
    put("out.jsonl", "")
    allowed("out.jsonl", source)


@pytest.mark.parametrize("content", [[pair(1, **MARK), pair(2)], wrapped(pair(1, **MARK), ids=["x" * 16] * 20_000)])
def test_a_file_whose_entry_is_lost_is_known_by_the_mark_on_its_first_row(content: Any) -> None:
    source = put("in.json", [pair(1)])
    for name in ("out.json", "out/in.json"):
        put(name, content)
    for output in ("out.json", "out"):
        allowed(output, source)


def test_what_another_command_made_is_refused_and_named_by_its_entry_or_its_mark() -> None:
    source = put("in.json", [pair(1)])
    made("out.json", [pair(1, **MARK)], command="curate")
    put("copy.json", [pair(1, **MARK, rated_words="ab")])
    put("head.json", wrapped(pair(1), qa_generation_info={"generated_by": "generate"}))
    for output, command in (("out.json", "curate"), ("copy.json", "curate"), ("head.json", "generate")):
        words = f"-o {output}: exists, and was not made by this command (ai-tools {command} made it); add --overwrite"
        assert words in refused(output, source)
        allowed(output, source, overwrite=True)


def test_what_was_edited_since_is_refused_and_it_is_said_how_to_keep_it() -> None:
    source = put("in.json", [pair(1)])
    for name in ("out.json", "out/in.json"):
        whole = made(name, [pair(1, **MARK), pair(2, **MARK)]).read_text()
        Path(name).write_text(whole.replace("A.", "Corrected."))
    for output, path in (("out.json", "out.json"), ("out", "out/in.json")):
        words = (
            f"-o {path}: exists, and was edited since this command made it; give another output to keep that, or add"
        )
        assert words in refused(output, source)
        allowed(output, source, overwrite=True)


def test_of_a_folder_one_edited_file_is_enough_and_named() -> None:
    source = put("qa/a_qa.json", wrapped(pair(1))).parent
    put("qa/b_qa.json", wrapped(pair(2)))
    for name in ("a", "b"):
        made(f"out/{name}_qa.json", wrapped(pair(1, **MARK)))
    allowed("out", source)
    put("out/b_qa.json", wrapped(pair(1, answer="Corrected.", **MARK)))
    assert "-o out/b_qa.json: exists, and was edited since" in refused("out", source)


def test_a_file_that_is_torn_is_named_as_torn_and_may_be_made_anew() -> None:
    source = put("in.json", [pair(1)])
    whole = made("out.json", [pair(1), pair(2)]).read_text()
    Path("out.json").write_text(whole[:-20])
    with pytest.warns(UserWarning, match=r"out\.json: torn; it is made anew, a teacher's part of it from the journal"):
        allowed("out.json", source)


def test_what_is_written_beside_an_output_has_its_name() -> None:
    assert beside(Path("a/kept.json"), "rejected", ".jsonl") == Path("a/kept_rejected.jsonl")
    assert beside(Path("a/kept.json"), "x") == Path("a/kept_x.json")
    assert beside(Path("a/kept"), "rejected", ".jsonl") == Path("a/kept/rejected.jsonl")


# --- what is written ---


def test_rows_are_an_array_or_lines_by_the_name_of_the_file() -> None:
    rows = [pair(1, text="\u2028 \N{BELL}\n\\"), pair(2)]
    for name in ("new/out.json", "new/out.jsonl"):
        with rows_to(Path(name)) as write:
            for row in rows:
                write(row)
    assert load("new/out.json") == rows
    assert [json.loads(line) for line in Path("new/out.jsonl").read_text("utf-8").split("\n")[:-1]] == rows
    for name, empty in (("none.json", "[\n]\n"), ("none.jsonl", "")):
        with rows_to(Path(name)):
            pass
        assert Path(name).read_text() == empty


def test_an_error_or_nothing_to_write_leaves_what_was_there_and_no_part() -> None:
    put("out.json", "[1]")
    with pytest.raises(NothingProduced, match="no row"), rows_to(Path("out.json"), lambda: "no row"):
        pass
    with pytest.raises(KeyboardInterrupt):
        interrupted(rows_to(Path("out.json")), {})
    assert names(".") == ["out.json"]
    assert load("out.json") == [1]


def test_a_place_that_cannot_be_written_is_an_error_before_any_row() -> None:
    put("plain", "x")
    with pytest.raises(OSError, match="plain"), rows_to(Path("plain/out.json")):
        pytest.fail("no row may be asked for")


def test_a_folder_gets_a_file_for_each_of_the_source_with_all_that_it_says() -> None:
    put("qa/a_qa.json", wrapped(pair(1), pair(2), status="completed", odd="\ud83d", completed_chunks=["c"]))
    put("qa/b_qa.json", wrapped())
    put("qa/c_qa.json", [pair(3)])
    put("qa/d_qa.json", json.dumps(pair(4)) + "\n" + json.dumps(pair(5)) + "\n")
    put("qa/e_qa.json", {"summary": "It rings.", "qa_pairs": [pair(6)]})
    put("qa/f_qa.json", "torn")
    read = pairs.read(Path("qa"))
    with pairs_to(Path("out"), read, REGISTER.note) as write:
        for row in read:
            write(row | MARK if row["question"] != "Q2?" else None)
    about = {"metadata": {"file_name": "a"}, "status": "completed", "odd": "\ud83d", "completed_chunks": ["c"]}
    assert load("out/a_qa.json") == about | {"training_pairs": [pair(1, **MARK)], "summary": {"total_qa_pairs": 1}}
    assert load("out/b_qa.json") == wrapped(summary={"total_qa_pairs": 0})
    assert load("out/c_qa.json") == [pair(3, **MARK)]
    assert [json.loads(line) for line in Path("out/d_qa.json").read_text().splitlines()] == [
        pair(4, **MARK), pair(5, **MARK)
    ]  # fmt: skip
    assert load("out/e_qa.json") == {"summary": "It rings.", "qa_pairs": [pair(6, **MARK)]}
    assert names("out") == ["a_qa.json", "b_qa.json", "c_qa.json", "d_qa.json", "e_qa.json"]
    allowed("out", Path("qa"))


def test_a_run_that_ends_in_the_middle_changes_no_file_of_its_folder() -> None:
    put("qa/a_qa.json", wrapped(pair(1)))
    put("qa/b_qa.json", wrapped(pair(2)))
    read = pairs.read(Path("qa"))
    put("out/a_qa.json", "before")
    put("out/.part/a_qa.json", "of a run that was killed")
    with pytest.raises(KeyboardInterrupt):
        interrupted(pairs_to(Path("out"), read, REGISTER.note), pair(1), pair(2))
    assert names("out") == ["a_qa.json"]
    assert Path("out/a_qa.json").read_text() == "before"
    with pytest.raises(KeyboardInterrupt):
        interrupted(pairs_to(Path("new"), read, REGISTER.note), None, None)
    with pytest.raises(NothingProduced), pairs_to(Path("new"), read, REGISTER.note, lambda: "none"):
        pass
    assert not Path("new").exists()


@pytest.mark.parametrize(
    ("row", "command"),
    [
        ({"generated_at": "2026", "model": "m"}, "generate"),
        ({"reasoning": "1. So.", "generated_at": "2026", "model": "m"}, "generate"),
        ({"follows": True, "generated_at": "2026", "model": "m"}, "generate-cot"),
        ({"generated_at": "2026", "model": "m", "enrichment_changes": "reworded"}, "enrich"),
        ({"generated_at": "2026", "model": "m", "follows": True}, "enhance-cot"),
        ({"enrichment_changes": "reworded", "rated_words": "ab"}, "curate"),
        ({"rated_words": "ab", "fact_check": {}}, "validate"),
        ({"generated_at": "2026", "model": "m", "rating": 9}, ""),
        ({"model": "m"}, ""),
    ],
)
def test_the_last_that_worked_on_the_pairs_is_who_made_a_file_without_an_entry(row: Row, command: str) -> None:
    assert outputs.marked_by(put("out.json", [pair(1, **row), pair(2, fact_check={})])) == command
