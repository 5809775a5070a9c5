"""The whole series on two small pages, with the real notebooks: run, run again, kill, resume, compare."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ai_tools.workspace import DATASETS, STEPS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow

HARBOUR = """# The harbour office

## Moorings

A mooring costs 18 crowns a week. The fee is paid to the Harbour Clerk, Elsbet Torvald. A boat longer than 14 metres
needs a pilot.

## Lamps

Every boat must carry two lamps after sunset. A broken lamp must be replaced within three days. The log is checked
every Tuesday.
"""
MARKET = """# The fish market

## Opening

The market opens at 05:30. It is closed in January. The market has 36 stalls.

## Scales

Every scale is tested by the Weights Board each month. A false scale costs 250 crowns. A trader who loses the licence
may apply again after two years.
"""
PAGES = {"harbour.md": HARBOUR, "market.md": MARKET}


def environment(output: Path, pages: Path, **more: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if name not in ("QA_PER_DOC", "SEED")}
    small = {"CUT_SIZES": "1", "EPOCHS": "2", "PYTHONDONTWRITEBYTECODE": "1"}
    return known | small | {"OUTPUT_DIR": str(output), "SOURCE_DOCUMENTS": str(pages)} | more


def command(*arguments: str) -> list[str]:
    # A test runner in the background ignores Ctrl-C, and its children would inherit that.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return [sys.executable, "-c", f"{heed}; from ai_tools.cli import main; main()", "run", *arguments]


def run(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        command(*arguments), cwd=ROOT, env=env, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def data_files(output: Path) -> dict[str, bytes]:
    names = ["step_02/chunks.jsonl", "step_02/seed_data.jsonl"]
    names += ["step_04/combined_cut_1x.jsonl", "step_04/combined_cut_1x_text.jsonl"]
    names += [f"step_03/{name}/gen.jsonl" for name in DATASETS]
    return {name: (output / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def finished(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The output of one undisturbed run, and what it said."""
    output = tmp_path_factory.mktemp("finished")
    return output, run(environment(output, pages))


def started_copy(finished: Path, target: Path, *steps: str) -> Path:
    """An output folder with some finished parts of another, so that a test need not train the base again."""
    for name in steps:
        subprocess.run(["cp", "-a", "--parents", name, str(target)], cwd=finished, check=True)
    return target


def test_every_step_leaves_its_files_its_manifest_and_its_executed_notebook(finished: tuple[Path, str]) -> None:
    output, _ = finished
    for step in STEPS:
        folder = output / f"step_{step.number:02d}"
        manifest = json.loads((folder / "manifest.json").read_text())
        assert all((folder / name).exists() for name in manifest["files"])
        assert (folder / Path(step.notebook).name).is_file()
    assert {row["source"] for row in rows(output / "step_01/exam.jsonl")} == {"generated"}


def test_without_an_exam_the_report_says_that_the_teacher_wrote_it(finished: tuple[Path, str]) -> None:
    assert "generated" in (finished[0] / "step_06/report.html").read_text()


def test_every_training_row_leads_back_to_the_characters_it_came_from(finished: tuple[Path, str]) -> None:
    output, _ = finished
    chunks = {row["chunk_id"]: row for row in rows(output / "step_02/chunks.jsonl")}
    documents = {row["id"]: output / "step_02" / row["path"] for row in rows(output / "step_02/documents.jsonl")}
    checked = 0
    for row in rows(output / "step_04/combined_cut_1x.jsonl"):
        metadata = json.loads(row["metadata"])
        if metadata["dataset"] != "replay":
            chunk = chunks[metadata["chunk_id"]]
            text = documents[chunk["document_id"]].read_text("utf-8")
            assert text[chunk["start"] : chunk["end"]] == chunk["text"] == metadata["raw_document"]
            checked += 1
    assert checked > 10


def test_the_cut_of_the_tiny_student_has_fill_ins(finished: tuple[Path, str]) -> None:
    found = rows(finished[0] / "step_04/combined_cut_1x.jsonl")
    assert "fill_in" in {json.loads(row["metadata"])["dataset"] for row in found}


def test_the_tuned_student_opens_with_transformers_alone(finished: tuple[Path, str]) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = finished[0] / "step_05/model"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    turns = [{"role": "user", "content": "When does the market open?"}]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    assert model.generate(**prompt, max_new_tokens=3, do_sample=False).shape[1] > prompt["input_ids"].shape[1]


def test_a_second_run_skips_every_step_but_00_and_says_why(finished: tuple[Path, str], pages: Path) -> None:
    output, _ = finished
    lines = [line for line in run(environment(output, pages)).splitlines() if "running" in line or "skipped" in line]
    assert "00_Setup: running" in lines[0]
    assert len(lines) == 7
    assert all("skipped, up to date" in line for line in lines[1:])


def test_the_same_seed_gives_the_same_bytes(finished: tuple[Path, str], pages: Path, tmp_path: Path) -> None:
    output, _ = finished
    again = started_copy(output, tmp_path, "step_01", "students")
    run(environment(again, pages, PYTHONHASHSEED="7"), "--from", "2", "--to", "4")
    assert data_files(again) == data_files(output)


def test_another_qa_per_doc_redoes_only_04_to_06(finished: tuple[Path, str], pages: Path, tmp_path: Path) -> None:
    parts = [f"step_{number:02d}" for number in range(7)]
    output = started_copy(finished[0], tmp_path, *parts, "students")
    said = run(environment(output, pages), "-p", "qa_per_doc=1", "--from", "1")
    assert [line.split(":")[0][:2] for line in said.splitlines() if "skipped" in line] == ["01", "02", "03"]
    assert [line.split(":")[0][:2] for line in said.splitlines() if ": running" in line] == ["04", "05", "06"]


def disturb(env: dict[str, str], step: int, sent: signal.Signals, when: Path) -> int:
    """Start a step, send a signal to its processes once a file appears, and wait for their end."""
    process = subprocess.Popen(
        command("--only", str(step)),
        cwd=ROOT,
        env=env,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(when.parent.glob(when.name)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, "the step ended before it could be disturbed"
    if sent == signal.SIGINT:
        process.send_signal(sent)
    else:
        os.killpg(process.pid, sent)
    process.communicate(timeout=60)
    return process.returncode


def test_a_killed_generation_asks_nothing_twice_and_ends_in_the_same_bytes(
    finished: tuple[Path, str], pages: Path, tmp_path: Path
) -> None:
    output = started_copy(finished[0], tmp_path, "step_01", "step_02", "students")
    env = environment(output, pages)
    disturb(env, 3, signal.SIGKILL, output / "journal.sqlite")
    assert not (output / "step_03/manifest.json").exists()
    run(env, "--only", "3")
    run(env, "--only", "4")
    assert data_files(output) == data_files(finished[0])


def test_a_training_killed_after_a_checkpoint_ends_in_the_same_loss(
    finished: tuple[Path, str], pages: Path, tmp_path: Path
) -> None:
    output = started_copy(finished[0], tmp_path, "step_01", "step_04", "students")
    env = environment(output, pages)
    disturb(env, 5, signal.SIGKILL, output / "step_05/checkpoints/checkpoint-*")
    run(env, "--only", "5")
    losses = [rows(folder / "step_05/training_log.jsonl")[-1]["loss"] for folder in (output, finished[0])]
    assert losses[0] == pytest.approx(losses[1], abs=2e-4)


def test_ctrl_c_ends_with_130_and_the_next_run_finishes(
    finished: tuple[Path, str], pages: Path, tmp_path: Path
) -> None:
    output = started_copy(finished[0], tmp_path, "step_01", "step_04", "students")
    env = environment(output, pages)
    assert disturb(env, 5, signal.SIGINT, output / "step_05/checkpoints/fingerprint.txt") == 130
    assert "05_Model_Training: done" in run(env, "--only", "5")


def test_the_notebooks_run_under_nbval_from_their_own_folders(finished: tuple[Path, str], pages: Path) -> None:
    output, _ = finished
    notebooks = [str(ROOT / step.notebook) for step in STEPS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", *notebooks],
        cwd=output, env=environment(output, pages), capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
