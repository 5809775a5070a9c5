"""The whole way in one command: generate, enrich, curate, export, with a file that shows each stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .. import files, teachers
from ..errors import UsageError
from ..files import Register
from ..records import Usage
from ..settings import Settings
from ..teachers.dry_run import DryRun
from ..workspace import journal_path
from . import outputs, reading, running
from .enrich import WORK as REWRITING
from .enrich import EnrichSummary, enrich
from .export import ExportSummary, check_choices, export
from .generate import GenerateSummary, call_about, generate_qa, pairs_of, questions
from .pairs import batches, identity
from .rate import CURATION, CurateSummary, checked_rating, curate
from .rework import BATCH_SIZE, ask_about
from .running import Run
from .targets import Extent, Inquiry, Scope

TRAINING = "training.jsonl"
FILES = {  # and the command that makes each
    "generated.jsonl": "generate",
    "enriched.jsonl": "enrich",
    "curated.jsonl": "curate",
    "curated_rejected.jsonl": "curate",
    TRAINING: "export",
    "summary.json": "pipeline",
}


@dataclass(frozen=True)
class PipelineSummary:
    """What `pipeline` made, stage by stage; `asked` adds up the calls, tokens and money of all.

    `stages` is the folder of what the stages left: the output, or beside it where that is a file.
    """

    output: Path
    stages: Path
    generated: GenerateSummary
    enriched: EnrichSummary | None
    curated: CurateSummary
    exported: ExportSummary
    asked: Usage
    seconds: float

    @property
    def failed(self) -> int:
        """Passages and pairs that got no usable reply, and parts of the source that could not be read."""
        enriched = self.enriched.failed if self.enriched else 0
        return self.generated.failed_chunks + len(self.generated.unread) + enriched + self.curated.unrated


def pipeline(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    target_pairs: int | None = None,
    max_chunks: int | None = None,
    skip_enrichment: bool = False,
    threshold: float | None = None,
    fmt: str = "chatml",
    run: Run | None = None,
    on_stage: Callable[[str, Run], Run] = lambda _, run: run,
) -> PipelineSummary:
    """Pairs from passages, their answers reworded, rated, and written for training; see each stage's own function.

    The folder gets `generated.jsonl`, `enriched.jsonl`, `curated.jsonl`, `curated_rejected.jsonl`, `training.jsonl` and
    summary.json. Every reply is in the journal, so that a run that was stopped goes on where it was, at any stage.

    Args:
        output: that folder; or the file for training, `.jsonl` or `.json`, all else then being in `<stem>.work` beside.
        source, tables, target_pairs, max_chunks: as for `generate_qa`.
        threshold: as for `curate`. fmt: as for `export`.
        on_stage: is told the name of each stage, and says how that one is run; for bars of its own.

    Raises:
        UsageError, InputError: what is asked for cannot be. NothingProduced: a stage left no pair.
    """
    started, output, run = time.monotonic(), Path(output), run or Run()
    extent = Extent(tables, target_pairs, max_chunks)
    extent.check()
    check_choices(fmt)
    least = checked_rating(settings.curate_threshold if threshold is None else threshold)
    teachers.connect_judge(settings)  # that a key is missing is said before anything is paid for; see `generate_qa`
    register = Register(journal_path(settings.output), "pipeline")
    _check(output, source, journal_path(settings.output), overwrite=run.overwrite)
    folder, training = _places(output)
    if run.confirm:
        _plan(source, settings, extent, run, skip_enrichment=skip_enrichment)
        run = replace(run, confirm=None)
    first = folder / "generated.jsonl"
    generated = generate_qa(source, first, settings, **vars(extent), run=on_stage("generate", run))
    enriched = None
    if not skip_enrichment:
        enriched = enrich(generated.output, folder / "enriched.jsonl", settings, run=on_stage("enrich", run))
    rated = enriched.output if enriched else generated.output
    curated = curate(rated, folder / "curated.jsonl", settings, threshold=least, run=on_stage("curate", run))
    exported = export(curated.output, training, settings, fmt=fmt, overwrite=run.overwrite)
    asked = generated.asked + (enriched.asked if enriched else Usage()) + curated.asked
    made = PipelineSummary(output, folder, generated, enriched, curated, exported, asked, time.monotonic() - started)
    files.write_json(folder / "summary.json", _summary(made, source, settings.seed, fmt), register.note)
    return made


def _places(output: Path) -> tuple[Path, Path]:
    """The folder of the stages, and the file for training."""
    return (output.with_name(f"{output.stem}.work"), output) if output.suffix else (output, output / TRAINING)


def _check(output: Path, source: str | Path, database: Path, *, overwrite: bool) -> None:
    outputs.check(output, Register(database, "export"), source=reading.path_of(source), overwrite=True, into=())
    folder, training = _places(output)
    if folder.is_file():
        raise UsageError(f"-o {output}: the stages would go to {folder}, which is a file; give another name")
    for name, command in FILES.items():
        path = training if name == TRAINING else folder / name
        outputs.check(path, Register(database, command), overwrite=overwrite)


def _plan(source: str | Path, settings: Settings, extent: Extent, run: Run, *, skip_enrichment: bool) -> None:
    """What all stages take, each with the pairs that the one before is known, or expected, to make."""
    kind = questions(settings.customisation_prompt, reasoning=settings.enable_reasoning)
    names = ("generate", *(() if skip_enrichment else ("enrich",)), "curate")
    with reading.opened(source, settings, tables=extent.tables, on_reading=run.on_reading) as found:
        scope = Scope(found, extent, settings.questions_per_chunk)

        async def through(inquiry: Inquiry, stages: Sequence[DryRun]) -> None:
            reply = await stages[0].try_ask(call_about(kind, inquiry, stages[0]))
            about = {"source_text": inquiry.passage.text, "chunk_id": inquiry.passage.chunk_id}
            for block in batches((pair | about for pair in pairs_of(reply, kind, inquiry)[0].values()), BATCH_SIZE):
                pairs = [pair for _, pair in block]
                if not skip_enrichment:
                    said = await ask_about(REWRITING, pairs, stages[1])
                    replies = ((pair, said.get(identity(pair))) for pair in pairs)
                    pairs = [REWRITING.apply(pair, reply, "") if reply else pair for pair, reply in replies]
                await ask_about(CURATION, pairs, stages[-1])

        assert run.confirm, "a plan is made for somebody"
        running.confirm(
            names, scope.inquiries(scope.rounds()), through, settings, run.confirm,
            teachers.connect(settings), teachers.connect_judge(settings),
            unread=found.failed, instructions=kind.instructions, notice=found.notice,
        )  # fmt: skip


def _summary(made: PipelineSummary, source: str | Path, seed: int, fmt: str) -> dict[str, Any]:
    return {
        "made_by": "ai-tools pipeline",
        "source": str(source),
        "teacher": made.generated.teacher,
        "judge": made.curated.teacher,
        "threshold": made.curated.threshold,
        "format": fmt,
        "made": made.generated.pairs,
        "rejected": made.generated.rejected,
        "enriched": made.enriched.rewritten if made.enriched else None,
        "kept": made.curated.kept,
        "exported": made.exported.pairs,
        "failed": made.failed,
        "ratings": list(made.curated.histogram),
        "seed": seed,
        **asdict(made.asked),
        "seconds": round(made.seconds, 1),
    }
