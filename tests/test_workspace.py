"""The output folder: atomic files, torn rows, what a step needs, removes and records, and which documents count."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ai_tools import files, workspace
from ai_tools.errors import InputError, MissingStep
from ai_tools.files import read_rows, write_rows
from ai_tools.records import Answer, Rejection
from ai_tools.settings import Settings
from ai_tools.workspace import Step

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=4), max_size=4))
@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_come_back_as_they_were_written(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    assert read_rows(write_rows(tmp_path / "rows.jsonl", rows)) == rows


def test_line_separators_inside_text_do_not_tear_a_row(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three\x85four\x0bfive\x0c\r\nsix\rseven\x1c"
    path = write_rows(tmp_path / "rows.jsonl", [{"text": text}, {"text": "next"}])
    assert read_rows(path) == [{"text": text}, {"text": "next"}]
    assert path.read_bytes().count(b"\n") == 2


def test_records_are_written_as_their_rows(tmp_path: Path) -> None:
    rejection = Rejection("check", "reason", {"id": 1})
    answer = Answer("q", "base", "Who?", "Ada", "Ada.", None, (-1.5,), "d", "recall")
    rejected, answered = read_rows(write_rows(tmp_path / "rows.jsonl", [rejection, answer]))
    assert rejected == {"check": "check", "reason": "reason", "row": {"id": 1}}
    assert Answer.from_row(answered | {"field_of_a_later_version": 1}) == answer


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"old": 1}])

    def rows() -> Iterator[dict[str, Any]]:
        yield {"new": 1}
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        write_rows(path, rows())
    with pytest.raises(UnicodeEncodeError):  # fails while the new file is half written
        files.write_atomic(path, "x" * 100_000 + "\ud800")
    assert read_rows(path) == [{"old": 1}]
    assert [file.name for file in tmp_path.iterdir()] == ["rows.jsonl"]


def test_an_object_holds_what_is_said_before_and_after_its_rows_even_half_a_character(tmp_path: Path) -> None:
    about = {"made by": {"of": ["\ud83d"]}, "rest": []}
    with files.rows_to(tmp_path / "out.json", inside="pairs", about=about) as write:
        for number in range(3):
            write({"n": number})
        write.after["total"] = {"pairs": write.count}
    text = (tmp_path / "out.json").read_text("utf-8")
    assert json.loads(text) == about | {"pairs": [{"n": 0}, {"n": 1}, {"n": 2}], "total": {"pairs": 3}}
    assert list(json.loads(text)) == ["made by", "rest", "pairs", "total"]
    with files.rows_to(tmp_path / "out.json", inside="pairs"):
        pass
    assert files.read_json(tmp_path / "out.json") == {"pairs": []}


def test_rows_are_written_as_they_come_and_never_held_together(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for number in range(400):
            yield {"text": str(number) * 5_000}
        assert (tmp_path / ".rows.jsonl.part").stat().st_size > 3_000_000

    write_rows(tmp_path / "rows.jsonl", rows())
    assert len(read_rows(tmp_path / "rows.jsonl")) == 400


def test_a_torn_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"b": 2}\n{"c": ')
    with pytest.raises(InputError, match=r"rows\.jsonl, line 4: not JSON \(.+\); mend or remove the line"):
        read_rows(path)


def test_opening_a_step_without_what_it_needs_names_the_step_to_run(toy_settings: Settings) -> None:
    with pytest.raises(MissingStep, match=r"step 03 needs .*chunks\.jsonl.*ai-tools run --only 02"):
        Step(toy_settings, 3)
    with pytest.raises(MissingStep, match=r"step 05 needs .*combined_cut.*ai-tools run --only 04"):
        Step(toy_settings, 5)
    with pytest.raises(MissingStep, match=r"step 05 needs .*combined_cut_7x.*ai-tools run --only 04"):
        Step(toy_settings.with_(training_cut="7"), 5)
    with pytest.raises(MissingStep, match=r"my\.jsonl, which is not there; give another"):
        Step(toy_settings.with_(training_cut="my.jsonl"), 5)


def test_the_cached_tiny_student_depends_on_general_text_and_seed(toy_settings: Settings) -> None:
    with pytest.raises(FileNotFoundError):
        workspace.base_student_path(toy_settings)
    general = write_rows(toy_settings.root / "assets/general.jsonl", [{"text": "Rivers flow."}])
    first = workspace.base_student_path(toy_settings)
    assert first == workspace.base_student_path(toy_settings)
    assert first != workspace.base_student_path(toy_settings.with_(seed=1))
    write_rows(general, [{"text": "Rivers run."}])
    assert first != workspace.base_student_path(toy_settings)


def finished_step(settings: Settings) -> Path:
    step = Step(settings, 2)
    step.write_rows("documents/bells.jsonl", [{"a": 1}])
    step.write_text("notes.txt", "old")
    step.add("model").mkdir()
    (step.path("model") / "weights").write_text("w")
    step.finish(documents=2)
    (step.folder / "mine.txt").write_text("not made by the step")
    return step.folder


def test_nothing_is_removed_before_the_first_write_and_then_all_that_the_old_manifest_names(
    toy_settings: Settings,
) -> None:
    folder = finished_step(toy_settings)
    before = sorted(folder.rglob("*"))
    again = Step(toy_settings, 2)
    assert sorted(folder.rglob("*")) == before
    again.write_text("new.txt", "new")
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == ["mine.txt", "new.txt"]
    assert workspace.read_manifest(toy_settings.output, 2) is None, "a half-made step looks complete"


def test_files_that_people_edit_by_hand_are_never_removed_with_the_others(toy_settings: Settings) -> None:
    for need in workspace.STEPS[3].needs:
        write_rows(toy_settings.output / need, [])
    step = Step(toy_settings, 3)
    for name in ("rejected.jsonl", "qna.yaml", "qna_index.jsonl", "review.jsonl"):
        step.write_text(name, "")
    step.finish()
    again = Step(toy_settings, 3)
    again.clear()
    left = sorted(path.name for path in again.folder.iterdir() if path.is_file())
    assert left == ["qna.yaml", "qna_index.jsonl", "review.jsonl"]


def test_the_manifest_goes_last_of_all(toy_settings: Settings) -> None:
    folder = finished_step(toy_settings)
    manifest = workspace.read_manifest(toy_settings.output, 2)
    assert manifest is not None
    unremovable = "no file system takes this: \0"
    files.write_json(folder / "manifest.json", manifest | {"files": ["notes.txt", unremovable]})
    with pytest.raises(ValueError, match="null"):
        Step(toy_settings, 2).clear()
    assert not (folder / "notes.txt").exists()
    assert workspace.read_manifest(toy_settings.output, 2) is not None, (
        "what is left of the step is no longer named anywhere"
    )


def test_the_manifest_says_what_the_step_was_made_from(toy_settings: Settings, toy_root: Path) -> None:
    notebook = toy_root / workspace.STEPS[2].notebook
    notebook.parent.mkdir()
    cells = [{"cell_type": "code", "source": ["x = 1"]}, {"cell_type": "markdown", "source": ["prose"]}]
    notebook.write_text(json.dumps({"cells": cells}))
    finished_step(toy_settings)
    manifest = workspace.read_manifest(toy_settings.output, 2)
    assert manifest is not None
    assert manifest["step"] == 2
    assert manifest["settings"] == toy_settings.of_step(2)
    assert manifest["notebook_sha256"] == hashlib.sha256(b"x = 1").hexdigest()
    assert manifest["package_sha256"] == workspace.hash_packages()
    assert manifest["files"] == ["documents/bells.jsonl", "model", "notes.txt"]
    assert manifest["counts"] == {"documents": 2}
    assert manifest["seconds"] >= 0
    assert manifest["versions"]["knowledge-tuning"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.+", manifest["finished_at"])
    sha = hashlib.sha256((toy_root / "docs/bells.md").read_bytes()).hexdigest()
    assert manifest["inputs"]["docs/bells.md"] == sha


def test_the_hash_of_a_notebook_counts_its_code_and_not_its_prose(tmp_path: Path) -> None:
    def hashed(*cells: tuple[str, str]) -> str | None:
        content = {"cells": [{"cell_type": kind, "source": [text], "outputs": [len(text)]} for kind, text in cells]}
        (tmp_path / "n.ipynb").write_text(json.dumps(content))
        return workspace.hash_notebook(tmp_path / "n.ipynb")

    first = hashed(("markdown", "prose"), ("code", "x = 1"))
    assert hashed(("markdown", "other prose"), ("code", "x = 1")) == first
    assert hashed(("markdown", "prose"), ("code", "x = 2")) != first
    assert workspace.hash_notebook(tmp_path / "none.ipynb") is None


def test_inputs_are_hashed_by_their_bytes(toy_settings: Settings, toy_root: Path) -> None:
    before = workspace.hash_inputs(toy_settings, 2)
    assert list(before) == ["docs/bells.md", "docs/lamps.md"]
    (toy_root / "docs/bells.md").write_text("changed")
    after = workspace.hash_inputs(toy_settings, 2)
    assert before["docs/lamps.md"] == after["docs/lamps.md"]
    assert before["docs/bells.md"] != after["docs/bells.md"]


def test_a_document_whose_name_is_no_utf_8_is_an_input_that_a_manifest_can_hold(
    toy_settings: Settings, toy_root: Path
) -> None:
    (toy_root / "docs" / os.fsdecode(b"gr\xfc\xdfe.md")).write_text("x")
    step = Step(toy_settings, 2)
    step.finish()
    assert [name for name in step.inputs if "\ufffd" in name] == ["docs/gr\ufffd\ufffde.md"]


def test_worked_examples_of_a_file_are_an_input_of_the_step_that_uses_them(
    toy_settings: Settings, toy_root: Path
) -> None:
    (toy_root / "icl.yaml").write_text("x")
    assert "icl.yaml" in workspace.hash_inputs(toy_settings.with_(icl_file="icl.yaml"), 2)
    assert workspace.hash_inputs(toy_settings.with_(icl_file="gone.yaml"), 2)["gone.yaml"] is None


def test_a_folder_as_input_is_hashed_by_its_files_and_their_names(toy_settings: Settings, toy_root: Path) -> None:
    student = toy_root / "student"
    student.mkdir()
    (student / "a").write_text("1")
    settings = toy_settings.with_(student_model_name="student")
    first = workspace.hash_inputs(settings, 1)["student"]
    (student / "a").rename(student / "b")
    assert workspace.hash_inputs(settings, 1)["student"] not in (None, first)


def test_the_cut_that_is_trained_on_is_the_largest_unless_one_is_named(toy_settings: Settings) -> None:
    assert workspace.training_cut(toy_settings) is None
    step_04 = workspace.step_folder(toy_settings.output, 4)
    files.write_json(step_04 / "manifest.json", {"counts": {"cuts": {"5": 9, "10": 7}}})
    assert workspace.training_cut(toy_settings) == step_04 / "combined_cut_10x.jsonl"
    assert workspace.training_cut(toy_settings.with_(training_cut="5")) == step_04 / "combined_cut_5x.jsonl"
    files.write_rows(step_04 / "combined_cut_10x.jsonl", [])
    files.write_rows(step_04 / "combined_cut_10x_text.jsonl", [{"text": "Rain falls."}])
    both = {f"step_04/combined_cut_10x{kind}.jsonl" for kind in ("", "_text")}
    assert both <= workspace.hash_inputs(toy_settings, 5).keys(), "training reads both"
    named = toy_settings.with_(training_cut="docs/mine.jsonl")
    assert workspace.training_cut(named) == toy_settings.root / "docs/mine.jsonl"
