"""What ends a training from outside: nothing of what was there is lost, and one line says what to do."""

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_training import RECIPE, run, small

from ai_tools import files
from ai_tools.errors import UsageError, WorkError
from ai_tools.settings import Settings
from ai_tools.steps import students
from ai_tools.workspace import Step

FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
]


def from_disk(folder: Path) -> students.Student:
    return students.load(students.save(small(), folder), device="cpu")


def at_step(number: int, act: Callable[[], object]) -> Callable[[dict[str, Any]], None]:
    return lambda row: act() if row["step"] == number else None  # type: ignore[func-returns-value]  # it raises


def throw(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", FULL, ids=["python", "safetensors", "torch"])
def test_a_disk_that_is_full_keeps_the_old_model_and_a_later_run_ends_what_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    student, folder = from_disk(tmp_path / "start"), tmp_path / "run"
    students.save(small(seed=5), folder / "model")
    before = {path.name: path.read_bytes() for path in (folder / "model").iterdir()}

    def half(self: Any, to: Path | str, **options: Any) -> Any:
        if "checkpoint" in str(to):
            return save_all(self, to, **options)
        Path(to, "config.json").write_text("{")
        raise error

    save_all = type(student.model).save_pretrained

    with monkeypatch.context() as patch:
        patch.setattr(type(student.model), "save_pretrained", half)
        with pytest.raises(WorkError, match="its disk is full; what was there before stays") as caught:
            run(folder, student=student)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in (folder / "model").iterdir()} == before
    assert {path.name for path in folder.iterdir()} == {"checkpoints", "model"}
    steps: list[int] = []
    run(folder, student=student, on_log=lambda row: steps.append(row["step"]))
    assert steps == []  # the training was done
    assert (folder / "model/model.safetensors").read_bytes() != before["model.safetensors"]


def test_a_disk_that_fills_while_a_checkpoint_is_saved_keeps_the_one_before(tmp_path: Path) -> None:
    student, steps = from_disk(tmp_path / "start"), list[int]()
    with pytest.raises(WorkError, match="the last checkpoint too"):
        run(tmp_path / "run", student=student, on_log=at_step(13, lambda: throw(FULL[2])))
    run(tmp_path / "run", student=student, on_log=lambda row: steps.append(row["step"]))
    assert steps[0] == 11


@pytest.mark.parametrize(
    ("act", "method"),
    [
        (lambda: torch.empty(10**15), "full"),
        (lambda: throw(MemoryError()), "lora"),
        (lambda: throw(torch.OutOfMemoryError("CUDA")), "full"),
    ],
    ids=["torch on a CPU", "python", "torch on a GPU"],
)
def test_memory_that_runs_out_is_one_line_with_what_to_lower(tmp_path: Path, act: Any, method: Any) -> None:
    recipe = replace(RECIPE, method=method, lora_rank=4)
    student, steps = from_disk(tmp_path / "start"), list[int]()
    with pytest.raises(WorkError, match=rf"BATCH_TOKENS is 64, TRAINING_METHOD {method}\. Fix: set BATCH_TOKENS=32"):
        run(tmp_path / "run", student=student, recipe=recipe, on_log=at_step(13, act))
    run(tmp_path / "run", student=student, recipe=recipe, on_log=lambda row: steps.append(row["step"]))
    assert steps[0] == 11


def test_another_error_of_training_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        run(tmp_path, on_log=at_step(2, lambda: throw(RuntimeError("shapes do not match"))))


@pytest.mark.parametrize("call", range(1, 5))
def test_a_kill_while_a_folder_is_replaced_leaves_one_of_both_whole(tmp_path: Path, call: int) -> None:
    """Killed at each of the calls that move or remove something; a last one is never reached."""
    for name in ("model", "made"):
        (tmp_path / name).mkdir()
        for part in ("weights", "config"):
            (tmp_path / name / part).write_text(name)
    script = f"""
import os, signal, sys
from pathlib import Path
from ai_tools import files
left = {call}
def watch(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
files.put_folder(Path("made"), Path("model"))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)
    assert done.returncode == -9
    folder = files.whole_folder(tmp_path / "model")
    assert len({path.read_text() for path in folder.iterdir()}) == 1
    assert len(list(folder.iterdir())) == 2
    (again := tmp_path / "again").mkdir()
    files.put_folder(again, folder)
    assert [*folder.iterdir()] == []
    assert not list(tmp_path.glob(".*"))


def test_a_student_that_stands_aside_is_loaded(tmp_path: Path) -> None:
    students.save(small(), tmp_path / "model").rename(tmp_path / ".model.old")
    assert students.load(tmp_path / "model", device="cpu").model.num_parameters() > 0


@pytest.fixture
def other_run(toy_settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes in the output folder."""
    script = """
import sys
from ai_tools.settings import load_settings
from ai_tools.workspace import Step
step = Step(load_settings(output_dir=sys.argv[1], source_documents="docs"), 2)
step.clear()
print("held", flush=True)
input()
"""
    command = [sys.executable, "-c", script, str(toy_settings.output)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_two_runs_never_write_in_one_output_folder_and_a_killed_one_lets_go(
    toy_settings: Settings, other_run: subprocess.Popen[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        Step(toy_settings, 2).write_json("mine.json", {})
    assert f"step 02 in process {other_run.pid}, since " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (toy_settings.output / "step_02/mine.json").exists()
    other_run.kill()
    other_run.wait()
    step = Step(toy_settings, 2)
    step.write_json("mine.json", {})
    Step(toy_settings, 2).clear()  # the same process may go back and do it again
    step.finish()


def test_a_finished_step_lets_others_write(toy_settings: Settings) -> None:
    step = Step(toy_settings, 2)
    step.clear()
    step.finish()
    script = """
import sys
from ai_tools.settings import load_settings
from ai_tools.workspace import Step
Step(load_settings(output_dir=sys.argv[1], source_documents="docs"), 2).clear()
"""
    command = [sys.executable, "-c", script, str(toy_settings.output)]
    assert subprocess.run(command, check=False).returncode == 0
