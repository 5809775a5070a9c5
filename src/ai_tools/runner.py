"""Run the notebooks headless, in order, skipping what is up to date; say what each step holds and why it is stale."""

from __future__ import annotations

import ast
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from . import documents, errors, files, sources, teachers, view, workspace
from .documents import seeds
from .documents.chunking import chunk_document
from .errors import AIToolsError, MissingExtra, SettingsError, UsageError, WorkError
from .records import Passage
from .settings import Settings
from .steps import generation, preflight, students, training
from .teachers import providers
from .teachers.asker import Asker
from .teachers.dry_run import Estimate
from .teachers.journal import Journal
from .variables import env_names
from .workspace import STEPS, StepSpec

PLAN_MB = {"builtin": 20, "docling": 1}  # of documents that a plan converts: more may take minutes

Say = Callable[[str], None]


@dataclass(frozen=True)
class StepState:
    """One step as it stands: `complete`, `stale` or `missing`, why, and the counts of its manifest."""

    number: int
    state: str
    reason: str
    counts: dict[str, Any]


def select(only: Sequence[int] = (), first: int = 0, last: int = 6) -> list[StepSpec]:
    """The steps of a run, in order. Raises UsageError for a number that is none."""
    for number in (*only, first, last):
        if not 0 <= number < len(STEPS):
            raise UsageError(f"step {number}: there are steps 00 to {len(STEPS) - 1:02d}")
    if first > last and not only:
        raise UsageError(f"--from {first:02d} --to {last:02d}: no step lies between; swap the two")
    return [step for step in STEPS if (step.number in only if only else first <= step.number <= last)]


def state_of(settings: Settings, step: StepSpec) -> StepState:
    """Compare a step's manifest with the settings, notebook, package and input files of now."""
    settings = _as_in_notebook(settings, step)
    manifest = workspace.read_manifest(settings.output, step.number)
    if manifest is None:
        return StepState(step.number, "missing", "not run yet", {})
    reason = _stale_reason(settings, step, manifest)
    return StepState(step.number, "stale" if reason else "complete", reason or "up to date", manifest["counts"])


def _stale_reason(settings: Settings, step: StepSpec, manifest: dict[str, Any]) -> str:
    now = workspace.provenance(settings, step.number)
    if manifest["package_sha256"] != now["package_sha256"]:
        return "the package changed"
    if manifest["notebook_sha256"] != now["notebook_sha256"]:
        return "a code cell of its notebook changed"
    before = manifest["settings"]
    changed = [name.upper() for name in now["settings"] if before.get(name) != now["settings"][name]]
    if changed:
        return f"{', '.join(changed)} changed"
    inputs = workspace.hash_inputs(settings, step.number)
    moved = sorted({name for name, _ in inputs.items() ^ manifest["inputs"].items()})
    if moved:
        return f"its input {moved[0]} changed" + (f" and {len(moved) - 1} more" if len(moved) > 1 else "")
    folder = workspace.step_folder(settings.output, step.number)
    gone = [name for name in manifest["files"] if not (folder / name).exists()]
    return f"its file {gone[0]} is gone" if gone else ""


def run(
    settings: Settings, steps: Sequence[StepSpec], overrides: dict[str, str], *, fresh: bool = False, say: Say = print
) -> None:
    """Execute notebooks that are missing or stale; step 00 always. An error of a notebook is raised as its own type.

    Args:
        overrides: `-p` values by lower-case name; papermill parameters where a notebook has them, environment for all.

    Raises:
        AIToolsError: of the type that the notebook raised, or WorkError for anything else.
    """
    check_overrides(settings, steps, overrides)
    for step in steps:
        state = state_of(settings, step)
        if state.state == "complete" and step.number != 0 and not fresh:
            say(f"{step.folder}: skipped, {state.reason}")
            continue
        say(f"{step.folder}: running ({'asked for anew' if fresh and state.state == 'complete' else state.reason})")
        _execute(settings, step, overrides)
        manifest = workspace.read_manifest(settings.output, step.number)
        if manifest is None:
            raise WorkError(f"{step.folder}: the notebook ended without its manifest; open it and run its last cell")
        counts = ", ".join(f"{name} {_short(value)}" for name, value in manifest["counts"].items())
        say(f"{step.folder}: done in {manifest['seconds']:.0f} s" + (f" ({counts})" if counts else ""))


def check_overrides(settings: Settings, steps: Sequence[StepSpec], overrides: dict[str, str]) -> None:
    """Raise SettingsError for a provider that is none, or a `-p` name that no notebook of the run has."""
    providers.find(settings.provider)
    offered = {name for step in steps for name in parameters_of(settings.root / step.notebook)}
    for name in overrides:
        if name not in offered:
            names = ", ".join(sorted(offered))
            raise SettingsError(f"-p {name}: no notebook of this run has it; set it in .env. They have {names}")
    if any(_asks(settings, step) for step in steps):
        teachers.connect(settings)  # a missing key is better known before than after the steps in front


def parameters_of(notebook: Path) -> dict[str, Any]:
    """Names in the cell tagged `parameters`, with the value where it is a literal and `...` where it is computed."""
    if not notebook.is_file():
        raise UsageError(f"{notebook}: not there; run from inside the project's folder")
    found: dict[str, Any] = {}
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            for node in ast.parse("".join(cell["source"])).body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                    try:
                        found[node.target.id] = ast.literal_eval(node.value)
                    except ValueError:
                        found[node.target.id] = ...
    return found


def _as_in_notebook(settings: Settings, step: StepSpec) -> Settings:
    """A literal that somebody wrote into a parameters cell counts as that step's setting."""
    notebook = settings.root / step.notebook
    literals = {name: value for name, value in parameters_of(notebook).items() if value is not ...}
    return settings.with_(**literals) if literals else settings


def _execute(settings: Settings, step: StepSpec, overrides: dict[str, str]) -> None:
    try:
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError
        from traitlets.config import Config
    except ImportError:
        raise MissingExtra("notebooks", "papermill") from None
    notebook = settings.root / step.notebook
    folder = workspace.step_folder(settings.output, step.number)
    folder.mkdir(parents=True, exist_ok=True)
    typed = settings.model_dump(mode="json")
    parameters = {name: typed[name] for name in overrides if name in parameters_of(notebook)}
    unfinished = folder / f".{notebook.name}"
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of `x: int | None` as an unknown parameter
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # an interrupted kernel leaves callbacks that complain
    # Kernels talk over loopback ports that every user of the machine can reach, hence the encryption.
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    options = {"cwd": notebook.parent, "kernel_name": "python3", "progress_bar": False, "config": config}
    options["extra_arguments"] = ["--log-level=CRITICAL"]  # a kernel that is shut down says so as an error
    options["stderr_file"] = sys.stderr  # progress, and what the notebook warns of
    try:
        with _environment({"provider": _as_in_notebook(settings, step).provider} | overrides):
            papermill.execute_notebook(notebook, unfinished, parameters=parameters, **options)
    except DeadKernelError:
        raise WorkError(
            f"{step.folder}: the notebook's kernel was ended, as where memory runs out; what it finished is kept. "
            "Fix: free memory, and run again"
        ) from None
    except PapermillExecutionError as error:
        kind = getattr(errors, error.ename, WorkError)
        cause = (
            error.evalue if kind is not WorkError or error.ename == "WorkError" else f"{error.ename}: {error.evalue}"
        )
        failed = folder / f"{notebook.stem}.failed.ipynb"  # beside the one of the last good run
        shutil.move(unfinished, failed)
        raise _as_error(kind, f"{step.folder}: {cause} (the notebook as far as it ran: {failed})") from None
    shutil.move(unfinished, folder / notebook.name)
    (folder / f"{notebook.stem}.failed.ipynb").unlink(missing_ok=True)


@contextmanager
def _environment(overrides: dict[str, str]) -> Iterator[None]:
    """The kernel's environment, with these values under their settings' own names and none under another."""
    before = dict(os.environ)
    for name, value in overrides.items():
        for variable in env_names(name):
            os.environ.pop(variable, None)
        os.environ[name.upper()] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def plan(settings: Settings, steps: Sequence[StepSpec], *, fresh: bool = False) -> list[str]:
    """What `run` would do as things stand, a line a step, and what those that would run would ask a teacher.

    Documents are converted for it, and kept, where that does not take long.
    """
    lines: list[str] = []
    asking: set[int] = set()
    lines_of_training: list[str] = []
    for step in steps:
        state = state_of(settings, step)
        skipped = state.state == "complete" and step.number != 0 and not fresh
        after = " (unless its inputs change)" if skipped and any("  run " in line for line in lines) else ""
        lines.append(f"{step.folder:28} {'skip' if skipped else 'run':5} {state.reason}{after}")
        if _asks(settings, step) and not skipped:
            asking.add(step.number)
        if step.number == 5 and not skipped:
            lines_of_training = _plan_of_training(_as_in_notebook(settings, step))
    return lines + (_plan_of_calls(settings, asking) if asking else []) + lines_of_training


def _plan_of_training(settings: Settings) -> list[str]:
    """Memory and time of step 05 with the cut as it stands, and what is to be said of both."""
    cut = workspace.training_cut(settings)
    if cut is None or not cut.is_file():
        return ["training of step 05: known once step 04 has run"]
    name, trust = settings.student_source, settings.trust_remote_code
    try:
        rows = training.read_rows(cut)
        outline = students.outline(name, trust_remote_code=trust)
        tokenizer = students.load_tokenizer(name, trust_remote_code=trust)
        recipe = training.recipe_of(settings, outline.num_parameters())
        device, four_bit = settings.device, settings.four_bit
        found = preflight.check(rows, outline, tokenizer, recipe, device=device, four_bit=four_bit)
    except UsageError as error:
        return [f"training of step 05: {error}"]
    return [f"training of step 05 ({recipe.method}): {found.line}", *found.warnings]


def _asks(settings: Settings, step: StepSpec) -> bool:
    """Whether a step asks a teacher."""
    return step.number in (2, 3) or (step.number == 1 and not settings.exam_path)


def _plan_of_calls(settings: Settings, steps: set[int]) -> list[str]:
    """What the steps of these numbers would ask, and of which that is not known yet."""
    teacher, instructions = teachers.connect(settings), settings.customisation_prompt if 3 in steps else ""
    estimates: list[Estimate] = []
    unknown: list[str] = []
    notices: list[str] = []
    path = workspace.journal_path(settings.output)
    with Journal(path, read_only=path.exists()) as journal:
        asker = partial(teachers.make_asker, settings, journal, teacher=teacher)
        if early := steps & {1, 2}:
            if why := _too_much(settings):
                unknown += (f"calls of step {number:02d}: {why}" for number in sorted(early))
            else:
                about, notice = _about_documents(settings, early, asker())
                estimates += about
                notices.append(notice)
        if 3 in steps:
            inputs = [workspace.step_folder(settings.output, 2) / name for name in ("chunks.jsonl", "seed_data.jsonl")]
            if all(path.is_file() for path in inputs):
                asks_both = asker(judge=teachers.connect_judge(settings), instructions=instructions)
                about, notice = _about_passages(settings, generation.passages(*map(files.read_rows, inputs)), asks_both)
                estimates += about
                notices.append(notice)
            else:
                unknown.append("calls of step 03: known once step 02 has run")
    told = {"instructions": instructions, "notice": teachers.leaving(teacher, "; ".join(filter(None, notices)))}
    return view.plan_lines(estimates, teachers.describe(teacher), settings, **told) + unknown


def _too_much(settings: Settings) -> str:
    """Why the documents are not converted for a plan; nothing where they are."""
    found = sources.find(settings.source_documents, settings.root)
    size = documents.unconverted(found, documents.reading(settings)) / 1e6
    if size <= PLAN_MB[settings.pdf_converter]:
        return ""
    return f"known once the documents are converted ({size:,.0f} MB to go); `ai-tools chunk` does so and asks nobody"


def _about_documents(settings: Settings, steps: set[int], asker: Asker) -> tuple[list[Estimate], str]:
    """What steps 01 and 02 would ask, made of the documents as the notebooks do, and what these hold."""
    found, reading = sources.find(settings.source_documents, settings.root), documents.reading(settings)
    converted, _ = documents.convert(found, reading, on_progress=view.progress_bar("documents"))
    tokenizer = students.counting_tokenizer(settings.tokenizer_source)
    limits = {"max_tokens": settings.chunk_tokens, "overlap": settings.chunk_overlap, "tokenizer": tokenizer}
    chunks = [chunk for one in converted for chunk in chunk_document(one, **limits)]
    estimates = []
    if 1 in steps:
        screened = documents.screen(seeds.exam_passages(converted, chunks), settings)
        estimates.append(generation.plan_exam(screened.passages, asker=asker))
    if 2 in steps:
        given = seeds.load_examples(settings.resolve(settings.icl_file), converted) if settings.icl_file else {}
        screened = documents.screen(seeds.example_passages(converted, chunks, given), settings)
        estimates.append(generation.plan_worked_examples(screened.passages, asker=asker))
    return estimates, documents.notice(converted, settings)


def _about_passages(settings: Settings, passages: Sequence[Passage], asker: Asker) -> tuple[list[Estimate], str]:
    """What step 03 would ask, and what the passages hold."""
    screened = documents.screen(generation.subsample(passages, settings.seed_data_subsample), settings)
    wanted = {"draws": settings.summaries, "questions_per_call": settings.questions_per_chunk}
    wanted |= {"reasoning": settings.enable_reasoning}
    recipes = [generation.load_recipe(name, **wanted) for name in workspace.DATASETS]
    return generation.plan(screened.passages, recipes, asker=asker), screened.notice


def _as_error(kind: type[AIToolsError], message: str) -> AIToolsError:
    """An error of that kind with a message of our own, whatever its constructor takes."""
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


def _short(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
