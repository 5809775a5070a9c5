"""The output folder: what each step reads and writes, and the manifest that is written last.

A manifest's presence means that its step is complete; its content says what the step was made from.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from . import sources
from .errors import DISTRIBUTION, MissingStep, UsageError
from .files import hash_file, hash_folder, read_json, write_atomic, write_json, write_rows
from .records import content_id
from .settings import Settings

PACKAGE = Path(__file__).parent
PACKAGES = ("ai_tools", "to_markdown", "offline_teacher")
_STUDENT_MODULES = (
    *("formats", "markup", "templates", "tiny", "students", "batches", "adapters", "trainer", "distilling", "faults"),
    "training",
)
TINY_STUDENT = [  # all that the tiny student is built by
    *(PACKAGE / "steps" / f"{name}.py" for name in _STUDENT_MODULES),
    *(PACKAGE / "data" / name for name in ("tiny_tokenizer.json", "chat_template.jinja")),
]
DATASETS = ("extractive_summary", "detailed_summary", "key_facts_to_qa", "document_based_qa")


@dataclass(frozen=True)
class StepSpec:
    """One step of the series. `needs` are files of earlier steps below the output folder; `heeds` may be missing.

    `{cut}` stands for the cut that is trained on. `assets` name the setting or file whose bytes matter too.
    """

    number: int
    folder: str
    needs: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    heeds: tuple[str, ...] = ()

    @property
    def notebook(self) -> str:
        return f"{self.folder}/{self.folder[3:]}.ipynb"


STEPS = (
    StepSpec(0, "00_Setup"),
    StepSpec(1, "01_Base_Model_Evaluation", (), ("exam", "student", "assets/general.jsonl", "assets/probe.jsonl")),
    StepSpec(2, "02_Data_Processing", (), ("documents", "icl_file")),
    StepSpec(
        3, "03_Knowledge_Generation", ("step_02/chunks.jsonl", "step_02/documents.jsonl", "step_02/seed_data.jsonl")
    ),
    StepSpec(
        4,
        "04_Knowledge_Mixing",
        (
            *(f"step_03/{name}/gen.jsonl" for name in DATASETS),
            "step_02/chunks.jsonl",
            "step_01/exam.jsonl",
        ),
        ("assets/general.jsonl", "assets/probe.jsonl"),
        ("step_03/review.jsonl", "step_03/qna.yaml"),
    ),
    StepSpec(5, "05_Model_Training", ("{cut}",), ("student", "assets/general.jsonl")),
    StepSpec(
        6,
        "06_Evaluation",
        ("step_05/model", "step_01/exam.jsonl", "step_01/base_answers.jsonl", "step_04/mix_report.json"),
        ("assets/probe.jsonl",),
    ),
)


FOR_PEOPLE = ("qna.yaml", "qna_index.jsonl", "review.jsonl")  # edited by hand: replaced by `review` alone


def step_folder(output: Path, number: int) -> Path:
    return output / f"step_{number:02d}"


def journal_path(output: Path) -> Path:
    return output / "journal.sqlite"


def conversions_path(output: Path) -> Path:
    """Where converted documents are kept, so that no unchanged file is converted again."""
    return output / "converted"


def fetched_path(output: Path) -> Path:
    """Where documents from http(s) addresses are kept as they came."""
    return output / "fetched"


def base_student_path(settings: Settings) -> Path:
    """Where the pre-trained tiny student is cached, by what it depends on: how it is built, general text and seed."""
    depends = content_id(*map(hash_file, [*TINY_STUDENT, settings.resolve("assets/general.jsonl")]), settings.seed)
    return settings.output / "students" / f"tiny-{depends}" / "model"


def read_manifest(output: str | Path, number: int) -> dict[str, Any] | None:
    """The step's manifest, or None where the step is not complete; a damaged one says no more than none."""
    path = step_folder(Path(output), number) / "manifest.json"
    try:
        return read_json(path) if path.is_file() else None
    except ValueError:
        return None


class Step:
    """One open step: finds its inputs, writes its files, and ends with `finish`.

    Opening checks that every needed file is there (MissingStep says which step to run). Nothing that an earlier run
    left is touched before the first write; then all of it goes, its manifest last.
    """

    def __init__(self, settings: Settings, number: int):
        self.settings, self.number = settings, number
        self.folder = step_folder(settings.output, number)
        self.inputs = hash_inputs(settings, number, must_exist=True)
        self._made_from = provenance(settings, number)
        self._files: list[str] = []
        self._cleared = False
        self._started = time.monotonic()

    def path(self, name: str) -> Path:
        return self.folder / name

    def hold(self) -> None:
        """Keep other processes from writing in the output folder until the step is finished, or its process ends.

        Raises:
            UsageError: one is writing, with its step and number.
        """
        self._lock = _hold(self.settings.output, self.number)

    def clear(self) -> None:
        """Remove what the step's manifest names, the manifest last, so that no half-made step ever looks complete.

        What people edit stays. Raises UsageError as `hold`.
        """
        if self._cleared:
            return
        self.hold()
        self._cleared = True
        manifest = read_manifest(self.settings.output, self.number)
        for name in manifest["files"] if manifest else []:
            if name not in FOR_PEOPLE:
                _remove(self.folder / name)
        _remove(self.folder / "manifest.json")
        self.folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str) -> Path:
        """Name a file or folder that somebody else writes, so that the manifest lists it; returns its path."""
        self.clear()
        if name not in self._files:
            self._files.append(name)
        return self.path(name)

    def write_rows(self, name: str, rows: Iterable[Any]) -> Path:
        return write_rows(self.add(name), rows)

    def write_json(self, name: str, value: Any) -> Path:
        return write_json(self.add(name), value)

    def write_text(self, name: str, text: str) -> Path:
        return write_atomic(self.add(name), text)

    def finish(self, **counts: Any) -> Path:
        """Write the manifest: the step is complete from here on."""
        self.clear()
        manifest = {
            "step": self.number,
            **self._made_from,
            "inputs": self.inputs,
            "files": sorted(self._files),
            "counts": counts,
            "versions": {name: version_of(name) for name in (DISTRIBUTION, "torch", "transformers", "trl", "peft")},
            "seconds": round(time.monotonic() - self._started, 1),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        path = write_json(self.folder / "manifest.json", manifest)
        self._lock.release(force=True)
        return path


def _hold(output: Path, number: int) -> FileLock:
    """The lock of an output folder, of which a process has one; beside it stands who holds it."""
    output.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output / ".writing.lock", is_singleton=True, thread_local=False)
    holder = output / ".writing"
    if not lock.is_locked:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = holder.read_text("utf-8") if holder.is_file() else "another run"
            raise UsageError(
                f"{output}: {who} is writing here. Fix: wait for it, end it or its kernel, or set OUTPUT_DIR"
            ) from None
    write_atomic(holder, f"step {number:02d} in process {os.getpid()}, since {datetime.now():%Y-%m-%d %H:%M:%S},")
    return lock


def provenance(settings: Settings, number: int) -> dict[str, Any]:
    """What a step's result depends on besides its inputs: settings, the notebook's code cells, the package's files."""
    return {
        "settings": settings.of_step(number),
        "notebook_sha256": hash_notebook(settings.root / STEPS[number].notebook),
        "package_sha256": hash_packages(),
    }


def hash_inputs(settings: Settings, number: int, *, must_exist: bool = False) -> dict[str, str | None]:
    """SHA-256 of every input of a step by its path; None for one that is not there.

    Raises MissingStep, with `must_exist`, where a file of an earlier step is missing.
    """
    found: dict[str, str | None] = {}
    for need in STEPS[number].needs:
        cut = training_cut(settings) if need == "{cut}" else None
        name = _relative(settings.output, cut) if cut else need.replace("{cut}", "step_04/combined_cut_{N}x.jsonl")
        path = settings.output / name
        if must_exist and not path.exists():
            is_ours = name.startswith("step_")
            fix = f"run step {name[5:7]} first: ai-tools run --only {name[5:7]}" if is_ours else "give another"
            raise MissingStep(f"step {number:02d} needs {path}, which is not there; {fix}")
        found[name] = _hash(path)
        if cut and (beside := text_rows(cut)) and beside.exists():
            found[_relative(settings.output, beside)] = _hash(beside)
    found |= {name: _hash(settings.output / name) for name in STEPS[number].heeds}
    for asset in STEPS[number].assets:
        for path in _asset_paths(settings, asset):
            found[_relative(settings.root, path)] = _hash(path)
    return found


def _asset_paths(settings: Settings, asset: str) -> list[Path]:
    if asset == "exam" and settings.exam_path:
        return [settings.exam_path]
    if asset in ("documents", "exam"):  # without an exam the teacher writes one from the documents
        return sources.find(settings.source_documents, settings.root).files
    if asset == "icl_file":
        return [settings.resolve(settings.icl_file)] if settings.icl_file else []
    if asset == "student":
        folder = settings.resolve(settings.student_model_name)
        return [folder] if folder.is_dir() else []
    return [settings.resolve(asset)]


def training_cut(settings: Settings) -> Path | None:
    """The file that step 05 trains on: TRAINING_CUT, else the largest cut of step 04; None before there is one."""
    wanted = settings.training_cut
    if wanted and not wanted.isdigit():
        return settings.resolve(wanted)
    manifest = read_manifest(settings.output, 4)
    cut = wanted or (max(manifest["counts"]["cuts"], key=int) if manifest else None)
    return step_folder(settings.output, 4) / f"combined_cut_{cut}x.jsonl" if cut else None


def text_rows(cut: Path) -> Path | None:
    """Where step 04 writes the plain-text rows of a cut, beside those with messages; None of any other file."""
    is_cut = re.fullmatch(r"combined_cut_\d+x", cut.stem)
    return cut.with_name(f"{cut.stem}_text.jsonl") if is_cut else None


def hash_notebook(path: Path) -> str | None:
    """SHA-256 of a notebook's code cells; prose, outputs and metadata do not count."""
    if not path.is_file():
        return None
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256("\x1e".join(code).encode()).hexdigest()


@lru_cache(maxsize=1)
def hash_packages() -> str:
    """A hash of every file of the packages that results depend on. Raises FileNotFoundError where one is not there."""
    return content_id(*(hash_folder(PACKAGE.parent / name) for name in PACKAGES))


def _hash(path: Path) -> str | None:
    """SHA-256 of a file, or of a folder's files with their names; None where neither is there."""
    return hash_folder(path) if path.is_dir() else hash_file(path) if path.is_file() else None


def _relative(folder: Path, path: Path) -> str:
    name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
    return os.fsencode(name).decode("utf-8", "replace")  # a name need not be UTF-8, a manifest is


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
