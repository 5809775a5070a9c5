"""Training: rows of a cut and a student in, a tuned student out, by one of four methods.

All batches are planned before the first step, so a killed run goes on where its last checkpoint was and ends where the
undisturbed run would have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import aliases, files, machine, workspace
from ..errors import InputError, WorkError
from ..settings import Settings
from . import adapters, distilling, faults, formats, students, tiny, trainer
from .batches import BatchPlan, Method, Row, TrainingRecipe, general_rows
from .students import Student

TINY_RECIPE = TrainingRecipe(
    learning_rate=3e-3,
    max_tokens=600_000,
    batch_tokens=640,
    micro_batch_tokens=640,
    max_seq_len=512,
    schedule="linear",
    warmup=0.02,
    question_noise=True,
    fill_ins=True,
    replay_share=0.1,
    title_share=0.0,  # it spends a tenth of the tokens, and learns more without
    anchor=0.003,
)
TINY_BASE_RECIPE = replace(
    TINY_RECIPE,
    max_tokens=200_000,
    batch_tokens=1_280,
    micro_batch_tokens=1_280,
    warmup=0.08,
    question_noise=False,
    fill_ins=False,
    anchor=0.0,
)


def default_recipe(
    student_name: str,
    method: Method = "full",
    *,
    n_parameters: int | None = None,
    training_tokens: int | None = None,
    **chosen: Any,
) -> TrainingRecipe:
    """The recipe for a student; values in `chosen` that are not None replace its own.

    `training_tokens` decides the length instead of epochs.

    Full fine-tuning: a learning rate of 1e-5 from 7 billion parameters on, more for smaller models by the inverse
    square root of their size, at most 1e-4. LoRA: ten times that, since only small added matrices move.
    """
    if student_name == tiny.NAME:
        recipe = replace(TINY_RECIPE, method=method)
    else:
        billions = (n_parameters or 7e9) / 1e9
        rate = min(1e-4, max(1e-5, 1e-5 * math.sqrt(7.0 / billions)))
        recipe = TrainingRecipe(method=method, learning_rate=rate * (10 if method == "lora" else 1))
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if "epochs" in chosen:  # who asks for epochs gets them, whatever the recipe counts in
        chosen["max_tokens"] = None
    if training_tokens:
        chosen["max_tokens"] = training_tokens
    return replace(recipe, **chosen)


def recipe_of(settings: Settings, n_parameters: int) -> TrainingRecipe:
    """The recipe of step 05: that of the student of this size, with what is set."""
    return default_recipe(
        settings.student_model_name,
        settings.training_method or "full",
        n_parameters=n_parameters,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        training_tokens=settings.training_tokens,
        batch_tokens=settings.batch_tokens,
        max_seq_len=settings.max_seq_len,
        lora_rank=settings.lora_rank,
        unfreeze_rank_ratio=settings.unfreeze_rank_ratio,
        distill_weight=settings.distill_weight,
    )


def pretrain_tiny(
    rows: Sequence[Row],
    *,
    folder: str | Path,
    seed: int,
    device: str = "auto",
    on_log: Callable[[Row], None] | None = None,
) -> Path:
    """Build the tiny student and train it on general text, facts and questions; returns the model's folder.

    `rows` are those of `general.jsonl`: `kind` is text, statement or qa.
    """
    student = students.build_tiny(seed)
    student.model.to(machine.device(device))
    train(general_rows(rows), student=student, recipe=TINY_BASE_RECIPE, seed=seed, folder=folder, on_log=on_log)
    return Path(folder) / "model"


def train(
    rows: Sequence[Row],
    *,
    student: Student,
    recipe: TrainingRecipe,
    seed: int,
    folder: str | Path,
    general: Sequence[Row] = (),
    on_log: Callable[[Row], None] | None = None,
    resume: bool = True,
) -> list[Row]:
    """Train `student` in place on the rows of a cut; `folder`/model is the result, with adapters merged into it.

    `general` are rows of `general.jsonl`, whose facts the recipe's anchor weighs by; they are not trained on.

    Chat rows bear the loss on the last answer and the token that ends it; rows with `unmask` and plain-text rows
    on all tokens. `folder`/checkpoints holds the state of an unfinished run, which is taken up again where rows,
    recipe, seed and starting weights are the same, and removed otherwise.

    Raises:
        InputError: there are no rows, or some that student or method cannot take.
        WorkError: a step whose loss is not finite, or memory or a disk that ran out; the state before it is kept, and
            the student is as it was before.
        Stopped: by Ctrl-C, after the step that it came in, with its state kept; the student is as it was before.

    Returns:
        the log, one row for each hundredth of the run: `step, epoch, loss` (mean per token since the row before),
        `lr, tokens` (so far), `tokens_per_second, memory` (MiB: peak of the GPU, else of the process now).
    """
    adapters.check(student, recipe)
    plan = BatchPlan(rows, student.tokenizer, recipe, seed)
    faults.check_fit(plan, student.model)
    distillation = distilling.Distillation(rows, plan, student, recipe) if recipe.method == "distill" else None
    folder = Path(folder)
    checkpoints = folder / "checkpoints"
    made_from = trainer.fingerprint([*rows, *general], recipe, seed, student.model)
    found = trainer.newest_checkpoint(checkpoints, made_from, resume=resume)
    dtype = student.model.dtype
    if recipe.method != "lora":
        student.model.float()  # at these learning rates most updates are smaller than bfloat16 can add
    options: Row = {"checkpoints": checkpoints, "general": general, "on_log": on_log, "distillation": distillation}
    with students.quiet(), trainer.Stop() as stop:
        run = trainer.build(plan, student, recipe, seed, stop=stop, **options)
        model = run.accelerator.unwrap_model(run.model, keep_fp32_wrapper=False)
        with _explained(student, model, recipe, folder):
            run.train(resume_from_checkpoint=str(found) if found else None)
    model = run.accelerator.unwrap_model(run.model, keep_fp32_wrapper=False)
    if stop.asked and run.state.global_step < plan.steps:
        _start_over(student, model)
        raise Stopped(f"stopped at step {run.state.global_step} of {plan.steps}; run this cell again to go on")
    if recipe.trains_adapters:
        model = adapters.merged(model, student)
    student.model = model.to(dtype).eval()
    if run.is_world_process_zero():
        with _explained(student, student.model, recipe, folder):
            students.save(student, folder / "model")
    return [trainer.log_row(entry) for entry in run.state.log_history if "loss" in entry]


class Stopped(KeyboardInterrupt):
    """A training that was interrupted; a notebook shows it as its one sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextmanager
def _explained(student: Student, model: Any, recipe: TrainingRecipe, folder: Path) -> Iterator[None]:
    try:
        with faults.explained(recipe, folder):
            yield
    except WorkError:
        _start_over(student, model)
        raise


def _start_over(student: Student, model: Any) -> None:
    """Give a student the weights that it came with, on which its next training starts."""
    if hasattr(model, "unload"):  # adapters, which go
        student.model = model.unload().eval()
    elif student.again:
        student.model = student.again().to(model.device).eval()


def read_rows(path: Path) -> list[Row]:
    """The rows of a cut, of both its files, of any file that `ai-tools export` writes or of SQuAD, ready for `train`.

    Raises:
        InputError: not such a file, with the place, the reason and what to do.
    """
    if not path.is_file():
        raise InputError(f"TRAINING_CUT={path}: no such file. Fix: give a file of step 04, or one of `ai-tools export`")
    found = list(_rows(path))
    texts = workspace.text_rows(path)
    for row in _rows(texts) if texts and texts.is_file() else ():
        found.insert(row.get("place", len(found)), row)
    if not found:
        raise InputError(f"{path}: no row in it. Fix: set TRAINING_CUT to a file with rows")
    return found


def _rows(path: Path) -> Iterator[Row]:
    for where, row in _array(path) if _is_array(path) else files.placed_rows(path):
        try:
            yield formats.training_row(row)
        except ValueError as error:
            raise InputError(f"{where}: {error}. Fix: write it with `ai-tools export`") from None


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".json" or file.read(100).lstrip().startswith(b"[")


def _array(path: Path) -> Iterator[tuple[str, Row]]:
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); write it anew") from None
    if isinstance(rows, dict) and isinstance(rows.get("data"), list):
        rows = [one for row in rows["data"] for one in aliases.questions(row)]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: no array of rows. Fix: write it with `ai-tools export`")
    return ((f"{path}, row {number}", row) for number, row in enumerate(rows, 1))
