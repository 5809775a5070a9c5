"""The single tools: each command is a few lines over the function of its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import sources
from ..errors import InputError, UsageError
from . import options
from .options import Asking, AskingOfPairs, AskingOfPassages, Overwrite, app, asks

if TYPE_CHECKING:
    from .. import tools
    from ..settings import Settings

DocsArgument = Annotated[str, typer.Argument(help="Documents: a folder, file, glob, address or comma list of these.")]
PassagesArgument = Annotated[
    str, typer.Argument(help="A LanceDB folder, chunk files (a folder, *_chunks.json, chunks.jsonl) or documents.")
]
PairsArgument = Annotated[Path, typer.Argument(help="Pairs: a file, or a folder of *_qa.json.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="A file that ends in .json (an array) or .jsonl (lines), or a folder.")
]
Threshold = Annotated[float | None, typer.Option(help="Least rating, of 10, that is kept. Default: CURATE_THRESHOLD.")]
Topic = Annotated[str, typer.Option(help="What it should be about, as the teacher is told.")]
Format = Annotated[str, typer.Option("--format", "-f", help="chatml, alpaca, sharegpt, jsonl or text.")]


@app.command()
def chunk(
    docs: DocsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")],
    chunk_size: Annotated[
        int | None,
        typer.Option(help="Most tokens in a chunk; characters where recursive. Default: CHUNK_TOKENS; 2000."),
    ] = None,
    chunk_overlap: Annotated[
        int | None, typer.Option(help="Most that a chunk repeats of the one before it. Default: CHUNK_OVERLAP; 0.")
    ] = None,
    splitting_strategy: Annotated[str, typer.Option(help="markdown or recursive (plain text).")] = "markdown",
    tokenizer: Annotated[str | None, typer.Option(help="What counts tokens. Default: TOKENIZER_MODEL_NAME.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write beside files that this did not make.")] = False,
) -> None:
    """Documents to passages: each document's chunks, its Markdown, and chunks.jsonl of all."""
    from .. import tools, view

    made = tools.chunk_documents(
        docs,
        output,
        options.settings_of(tokenizer=tokenizer),
        chunk_size=chunk_size,
        chunk_overlap=chunk_overlap,
        splitting_strategy=splitting_strategy,
        overwrite=overwrite,
        on_progress=view.progress_bar("chunk"),
    )
    options.tell("warning", made.warnings)
    options.tell("left out", made.failed)
    beside = ", ".join(f"{count} {what}" for what, count in sorted(made.passed_over.items()))
    passed_over = f"; passed over: {beside} ({sources.PASSED_OVER})" if beside else ""
    typer.echo(
        f"{made.chunks:,} chunks of {made.documents:,} documents -> {made.output}; "
        f"{len(made.failed):,} failed{passed_over}; {made.seconds:.1f} s"
    )
    options.fail(len(made.failed), "files", 0, made.output)


@app.command()
@options.also_named
@asks
def generate(
    asking: AskingOfPassages,
    source: Annotated[
        str | None, typer.Argument(help="LanceDB folder, chunk files or documents. Default: GENERATOR_PROCESS_DIR.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .json or .jsonl file, or a folder. Default: GENERATOR_OUTPUT_DIR."),
    ] = None,
    qa_system_message: Annotated[str, typer.Option(help="In place of the system message.")] = "",
    qa_extra_instructions: Annotated[str, typer.Option(help="Added to the system message.")] = "",
    qa_prompt_template_file: Annotated[
        Path | None, typer.Option(help="A text with {passage}, {count} …, in place of the prompt.")
    ] = None,
) -> None:
    """Questions and answers on passages: each passage is the answer, the teacher asks."""
    from .. import tools

    chosen = asking.chosen("generate")
    settings = chosen["settings"] = chosen["settings"].alone()
    made = tools.generate_qa(
        _given(source, "SOURCE or GENERATOR_PROCESS_DIR", settings.generator_process_dir, settings),
        _given(output, "-o or GENERATOR_OUTPUT_DIR", settings.generator_output_dir, settings),
        system_message=qa_system_message,
        extra_instructions=qa_extra_instructions,
        prompt_template=_text_of(qa_prompt_template_file),
        **chosen,
    )
    _report_generated(made)


@app.command()
@asks
def generate_cot(asking: AskingOfPassages, source: PassagesArgument, output: Output, topic: Topic = "") -> None:
    """Questions that take thinking, on passages, with the reasoning of each answer."""
    from .. import tools

    made = tools.generate_cot(source, output, topic=topic, **asking.chosen("generate-cot"))
    _report_generated(made)


@app.command()
@asks
def enrich(
    asking: AskingOfPairs,
    pairs: PairsArgument,
    output: Output,
    preserve_original: Annotated[bool, typer.Option(help="Keep the former answer as original_answer.")] = True,
) -> None:
    """Answers worded better, with no fact added or lost; questions stay as they are."""
    from .. import tools

    made = tools.enrich(pairs, output, preserve_original=preserve_original, **asking.chosen("enrich"))
    counts = f"{made.rewritten:,} rewritten, {made.unchanged:,} unchanged, {made.refused:,} refused"
    options.report(made, f"{made.pairs:,} pairs: {counts}, {made.failed:,} failed", made.failed, "pairs")


@app.command()
@asks
def enhance_cot(asking: AskingOfPairs, pairs: PairsArgument, output: Output) -> None:
    """Reasoning for pairs that are there; questions and answers stay as they are."""
    from .. import tools

    made = tools.enhance_cot(pairs, output, **asking.chosen("enhance-cot"))
    counts = f"{made.reasoned:,} with reasoning, {made.not_following:,} of them with an answer that does not follow"
    options.report(made, f"{made.pairs:,} pairs: {counts}, {made.failed:,} failed", made.failed, "pairs")


@app.command()
@asks
def curate(
    asking: AskingOfPairs,
    pairs: PairsArgument,
    output: Output,
    threshold: Threshold = None,
    topic: Topic = "",
    plot: Annotated[Path | None, typer.Option(help="Draw the ratings to this .png, .svg or .pdf.")] = None,
) -> None:
    """The pairs that a judge rates well against their passages; rated once, filtered by any threshold."""
    from .. import tools, view

    if plot:
        view.check_picture(plot)
    made = tools.curate(pairs, output, threshold=threshold, topic=topic, **asking.chosen("curate"))
    typer.echo(f"rated by {made.teacher}")
    typer.echo("\n".join(view.rating_lines(made.histogram, made.threshold)))
    if plot:
        view.rating_plot(made.histogram, made.threshold, made.retention).save(plot)
    below = f"{made.rejected.get('rating', 0):,} below {made.threshold:g}"
    fell = f"{below}, {made.rejected.get('grounded', 0):,} not grounded, {made.unrated:,} unrated"
    line = f"{made.kept:,} of {made.pairs:,} pairs kept ({made.retention:.0%} of the rated): {fell}"
    options.report(made, line, made.unrated, "pairs")


@app.command()
@asks
def validate(
    asking: AskingOfPairs,
    pairs: PairsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The report to write, .json.")],
    threshold: Annotated[float, typer.Option(help="A PASS with a lower mean needs review.")] = 7.0,
    filtered_output: Annotated[Path | None, typer.Option(help="A file for the pairs that stand the check.")] = None,
    filter_threshold: Annotated[float | None, typer.Option(help="Least mean of those. Default: --threshold.")] = None,
) -> None:
    """The facts of pairs checked against their passages: scores, a verdict for each, and a report."""
    from .. import tools

    made = tools.validate(
        pairs,
        output,
        threshold=threshold,
        filtered_output=filtered_output,
        filter_threshold=filter_threshold,
        **asking.chosen("validate"),
    )
    typer.echo(f"checked by {made.teacher}")
    typer.echo("means: " + ", ".join(f"{name} {mean:g}" for name, mean in made.means.items()))
    if made.filtered:
        typer.echo(f"{made.kept:,} pairs stand the check -> {made.filtered}")
    verdicts = ", ".join(f"{count:,} {name}" for name, count in made.verdicts.items())
    options.report(made, f"{made.pairs:,} pairs: {verdicts}, {made.unchecked:,} unchecked", made.unchecked, "pairs")


@app.command()
@asks
def compare(
    asking: Asking,
    pairs: Annotated[list[Path], typer.Argument(help="Two or more sources of pairs: files, or folders of *_qa.json.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The report to write: .json, or .md to read.")],
    sample_size: Annotated[int, typer.Option(help="Comparisons judged of each two sources, pairs rated of each.")] = 50,
    source: Annotated[str | None, typer.Option(help="Where the passages of pairs without source_text are.")] = None,
) -> None:
    """Sources of pairs against one another: figures, a sample judged blind, and what a merge would give."""
    from .. import tools

    made = tools.compare(pairs, output, sample_size=sample_size, passages_from=source, **asking.chosen("compare"))
    typer.echo(f"judged by {made.teacher}")
    typer.echo("\n".join(made.reasons))
    options.report(made, made.verdict, made.unjudged + made.unrated, "comparisons or ratings")


@app.command()
@options.also_named
def combine(
    folder: Annotated[Path | None, typer.Argument(help="A folder of *_qa.json. Default: GENERATOR_OUTPUT_DIR.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The .json file to write. Default: GENERATOR_OUTPUT_FILE.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """The pairs of all documents in one file."""
    from .. import tools

    settings = options.settings_of()
    made = tools.combine(
        _given(folder, "DIR or GENERATOR_OUTPUT_DIR", settings.generator_output_dir, settings),
        _given(output, "-o or GENERATOR_OUTPUT_FILE", settings.generator_output_file, settings),
        settings,
        overwrite=overwrite,
    )
    options.tell("warning", made.warnings)
    options.tell("left out", made.unread)
    twice = f"; {made.duplicates:,} stood there twice" if made.duplicates else ""
    typer.echo(f"{made.pairs:,} pairs of {made.documents:,} documents -> {made.output}{twice}; {made.seconds:.1f} s")
    options.fail(0, "", len(made.unread), made.output)


@app.command()
def export(
    pairs: PairsArgument,
    output: Output,
    fmt: Format = "chatml",
    system_prompt: Annotated[str, typer.Option(help="A system message for every row.")] = "",
    reasoning: Annotated[
        str, typer.Option(help="drop; think: before the answer, in <think> tags; field: in a field of its own.")
    ] = "think",
    not_following: Annotated[
        bool, typer.Option("--not-following", help="Also pairs whose answer does not follow from their reasoning.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Pairs in the formats that training frameworks read."""
    from .. import tools

    made = tools.export(
        pairs,
        output,
        fmt=fmt,
        system_prompt=system_prompt,
        reasoning=reasoning,
        not_following=not_following,
        overwrite=overwrite,
    )
    options.tell("warning", made.warnings)
    options.tell("left out", made.unread)
    left_out = f" ({made.not_following:,} whose answer does not follow left out)" if made.not_following else ""
    typer.echo(f"{made.pairs:,} rows, {fmt}{left_out} -> {made.output}; {made.seconds:.1f} s")
    options.fail(0, "", len(made.unread), made.output)


@app.command()
def convert(
    pairs: PairsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", "--output-dir", help="A folder, or a file.")],
    overwrite: Overwrite = False,
) -> None:
    """Pairs as text in Alpaca's words, as `export -f text` writes them."""
    export(pairs, output, fmt="text", overwrite=overwrite)


@app.command()
@asks
def pipeline(
    asking: AskingOfPassages,
    source: PassagesArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder; or the .jsonl or .json, with <stem>.work beside it.")
    ],
    threshold: Threshold = None,
    fmt: Format = "chatml",
    skip_enrichment: Annotated[bool, typer.Option("--skip-enrichment", help="Take the answers as they are.")] = False,
) -> None:
    """Generate, enrich, curate and export in one go, with what each stage left."""
    from .. import tools

    made = tools.pipeline(
        source,
        output,
        skip_enrichment=skip_enrichment,
        threshold=threshold,
        fmt=fmt,
        **asking.chosen("generate"),
        on_stage=options.with_bar,
    )
    stages = [made.generated, *([made.enriched] if made.enriched else []), made.curated]
    for stage in stages:
        options.tell("warning", stage.warnings)
        options.tell("left out", stage.unread)
        options.tell("held back", stage.held_back)
    rewritten = f"{made.enriched.rewritten:,} reworded, " if made.enriched else ""
    kept = f"{made.curated.kept:,} kept at {made.curated.threshold:g}"
    generated = "; ".join([f"{made.generated.pairs:,} made", *made.generated.rejections])
    typer.echo(f"{generated}, {rewritten}{kept}, {made.exported.pairs:,} exported -> {made.output}")
    typer.echo(f"what each stage left: {made.stages}")
    typer.echo(f"{options.costs(made.asked)}; {made.seconds:.1f} s")
    causes = [cause for stage in stages for cause in stage.causes]
    again = max((stage.again for stage in stages if stage.causes), default="", key=len)
    options.fail(made.failed, "passages or pairs", 0, made.output, causes, again)


def _report_generated(made: tools.GenerateSummary) -> None:
    counts = f"{made.pairs:,} pairs from {made.chunks:,} passages"
    left_out = f"{made.empty_chunks:,} empty, {made.failed_chunks:,} failed"
    if made.successful_files:
        left_out += f"; {made.successful_files:,} documents completed, {made.untouched:,} of them before"
    if made.not_following:
        left_out += f"; {made.not_following:,} answers do not follow"
    left_out = "; ".join([left_out, *made.rejections])
    options.report(made, f"{counts} ({left_out})", made.failed_chunks, "passages")


def _given(value: str | Path | None, names: str, setting: str, settings: Settings) -> str | Path:
    """What was given, else what the setting says, as a path of the project."""
    if value is None and not setting:
        raise UsageError(f"{names} is missing; give one of them")
    return settings.resolve(setting) if value is None else value


def _text_of(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not text.strip():
        raise InputError(f"{path}: empty; write the prompt, with {{passage}} where the text is to stand")
    return text
