"""`ai-tools`: the command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 130 interrupted."""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import AIToolsError, SettingsError, TooManyFailures, UsageError

if TYPE_CHECKING:
    from .records import Rejection
    from .settings import Settings

INTERRUPTED = 130
MODELS_SHOWN = 8
LISTED = 20

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Knowledge tuning, step by step.",
)

Parameter = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A setting of the run.")
]


@app.command()
def run(
    first: Annotated[int, typer.Option("--from", help="First step.")] = 0,
    last: Annotated[int, typer.Option("--to", help="Last step.")] = 6,
    only: Annotated[list[int] | None, typer.Option(help="This step alone; may be repeated.")] = None,
    parameter: Parameter = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run steps that are up to date, too.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would run and what it would ask, and stop.")] = False,
) -> None:
    """Execute the notebooks in order, skipping what is up to date."""
    from . import runner, settings

    overrides = _overrides(parameter)
    loaded = settings.load_settings(**overrides)
    steps = runner.select(only or (), first, last)
    if plan:
        runner.check_overrides(loaded, steps, overrides)
        for line in runner.plan(loaded, steps, fresh=fresh):
            typer.echo(line)
    else:
        runner.run(loaded, steps, overrides, fresh=fresh, say=typer.echo)


@app.command()
def status(parameter: Parameter = None) -> None:
    """Show which steps are complete, stale or missing, and what they hold."""
    from . import runner, settings

    loaded = settings.load_settings(**_overrides(parameter))
    typer.echo(f"output: {loaded.output}")
    for step in runner.select():
        state = runner.state_of(loaded, step)
        counts = ", ".join(f"{name} {value}" for name, value in state.counts.items())
        typer.echo(f"{step.folder:28} {state.state:9} {state.reason}" + (f" [{counts}]" if counts else ""))


Source = Annotated[
    str,
    typer.Argument(help="A LanceDB folder, chunk files (a folder, *_chunks.json, chunks.jsonl) or documents."),
]
Table = Annotated[
    list[str] | None, typer.Option(help="Table of a LanceDB folder; may be repeated. Default: text_chunks.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write, ending in .json.")]


@app.command()
def chunk(
    docs: Annotated[str, typer.Argument(help="Documents: a folder, file, glob, address or comma list of these.")],
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
    from . import tools, view

    made = tools.chunk_documents(
        docs,
        output,
        _settings_of(tokenizer_model_name=tokenizer),
        chunk_size=chunk_size,
        chunk_overlap=chunk_overlap,
        splitting_strategy=splitting_strategy,
        overwrite=overwrite,
        on_progress=view.progress("chunk"),
    )
    _list("warning", made.warnings)
    _list("left out", made.failed)
    beside = ", ".join(f"{count} {what}" for what, count in sorted(made.passed_over.items()))
    passed_over = f"; passed over: {beside}" if beside else ""
    typer.echo(
        f"{made.chunks:,} chunks of {made.documents:,} documents -> {made.output}; "
        f"{len(made.failed):,} failed{passed_over}; {made.seconds:.1f} s"
    )
    if made.failed:
        raise TooManyFailures(f"{len(made.failed)} files could not be read; all others are in {made.output}")


@app.command()
def generate(
    source: Source,
    output: Output,
    table: Table = None,
    n_pairs: Annotated[
        int | None, typer.Option("--n-pairs", "--questions-per-chunk", help="Pairs asked for about each passage.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Who answers; see list-providers.")] = None,
    model: Annotated[str | None, typer.Option(help="The teacher's model.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the endpoint.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="Environment variable that holds the key.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens in a reply.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would take, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before text leaves this machine.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that this did not make.")] = False,
    retry_rejected: Annotated[
        bool, typer.Option("--retry-rejected", help="Ask again where a former reply could not be used.")
    ] = False,
) -> None:
    """Questions and answers on passages: each passage is the answer, the teacher asks."""
    from . import tools, view

    loaded = _settings_of(
        questions_per_chunk=n_pairs,
        provider=provider,
        teacher_model_name=model,
        teacher_model_base_url=base_url,
        teacher_model_api_key=_key_from(api_key_env),
        teacher_temperature=temperature,
        teacher_max_tokens=max_tokens,
        retry_rejected=retry_rejected or None,
    )
    ask_first = not yes and sys.stdin.isatty() and loaded.provider != "offline"
    tables = table or ()
    if plan or ask_first:
        estimate, teacher, unread = tools.plan_qa(source, loaded, tables=tables, on_chunking=view.progress("chunk"))
        typer.echo("\n".join(view.plan_lines([estimate], teacher, loaded)))
        _list("left out", unread)
        if plan or (estimate.calls and not typer.confirm("Go on?")):
            return
    made = tools.generate_qa(
        source,
        output,
        loaded,
        tables=tables,
        overwrite=overwrite,
        on_chunking=view.progress("chunk"),
        on_progress=view.progress("generate"),
    )
    asked = made.asked
    usd = "price unknown" if asked.usd is None else f"${asked.usd:.4f}"
    calls = f"{asked.calls:,} calls, {asked.from_journal:,} from the journal, {asked.tokens:,} tokens, {usd}"
    left_out = f"{made.empty:,} empty, {made.failed:,} failed"
    typer.echo(f"{made.pairs:,} pairs from {made.chunks:,} passages -> {made.output}")
    typer.echo(f"{left_out}; {calls}; {made.seconds:.1f} s")
    _list("left out", made.unread)
    what = [f"{made.failed} passages failed ({'; '.join(made.causes[:3])})"] if made.failed else []
    what += [f"{len(made.unread)} of {source} could not be used"] if made.unread else []
    if what:
        raise TooManyFailures(f"{', '.join(what)}; all others are in {made.output}")


@app.command()
def list_providers(
    check: Annotated[
        bool, typer.Option("--check", help="Ask each endpoint whether it is there and what it has.")
    ] = False,
) -> None:
    """Who can be the teacher, and how to set each up."""
    from . import providers, settings, teachers

    loaded = settings.load_settings()
    found = {one.endpoint.provider.name: one for one in teachers.check(loaded)} if check else {}
    for provider in providers.providers().values():
        set_as = found[provider.name].endpoint if check else provider
        names = ", ".join((provider.name, *provider.aliases))
        model = set_as.model or ("rules" if provider.name == providers.OFFLINE else "none by default")
        typer.echo(f"{names}\n  model:    {model}\n  address:  {set_as.base_url or '-'}\n  set-up:   {provider.setup}")
        if provider == providers.find(loaded.provider):
            typer.echo("  chosen:   by PROVIDER")
        if provider.ignores:
            typer.echo(f"  ignores:  {', '.join(provider.ignores)}")
        if one := found.get(provider.name):
            typer.echo(f"  key:      {one.key}\n  reached:  {one.reachable}")
            if one.models:
                more = f" and {len(one.models) - MODELS_SHOWN} more" if len(one.models) > MODELS_SHOWN else ""
                typer.echo(f"  has:      {', '.join(one.models[:MODELS_SHOWN])}{more}")


@app.command()
def journal(
    export: Annotated[Path | None, typer.Option(help="Write every call to this new file, as JSON Lines.")] = None,
) -> None:
    """What the calls of this output folder were: how many, of whom, what they took, what failed and why."""
    from . import settings, store, view
    from .journal import Journal

    loaded = settings.load_settings()
    path = store.journal_path(loaded)
    if export and export.exists():
        raise UsageError(f"--export {export}: exists; give a new file")
    with Journal(path, read_only=True) as calls:
        for line in view.journal_lines(calls.summary(), loaded):
            typer.echo(line)
        if export:
            written = store.write_rows(export, (dict(row) for row in calls.rows()))
            typer.echo(f"every call -> {written}")


def _list(what: str, lines: Sequence[str | Rejection]) -> None:
    for line in lines[:LISTED]:
        typer.echo(f"{what}: {line if isinstance(line, str) else line.reason}", err=True)
    if len(lines) > LISTED:
        typer.echo(f"{what}: {len(lines) - LISTED:,} more", err=True)


def _settings_of(**chosen: Any) -> Settings:
    """Settings, with the options that were given."""
    from . import settings

    return settings.load_settings(**{name: value for name, value in chosen.items() if value is not None})


def _key_from(variable: str | None) -> str | None:
    if variable and not os.environ.get(variable):
        raise SettingsError(f"--api-key-env {variable}: no such environment variable, or it is empty")
    return os.environ[variable] if variable else None


def _overrides(parameters: list[str] | None) -> dict[str, str]:
    values = {}
    for parameter in parameters or []:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise SettingsError(f"-p {parameter}: write NAME=VALUE")
        values[name.strip().lower()] = value
    return values


def main() -> None:
    """Run a command; every foreseen error is one line and an exit code."""
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        code = app(standalone_mode=False) or 0  # Ctrl-C comes back as 130
    except AIToolsError as error:
        typer.echo(f"error: {error}", err=True)
        code = error.exit_code
    except typer.TyperException as error:  # wrong usage: an unknown command or option
        if error.format_message():  # without arguments the help is all there is to say
            typer.echo(f"error: {error.format_message()}", err=True)
        code = 2
    except sqlite3.Error as error:  # a full disk, a damaged file
        typer.echo(
            f"error: the journal cannot be read or written ({error}); is the disk full, the file damaged?", err=True
        )
        code = 1
    except OSError as error:  # a folder that cannot be written, a full disk
        typer.echo(f"error: {error}; choose a folder that can be written (OUTPUT_DIR, -o)", err=True)
        code = 2 if error.filename else 1
    if code == INTERRUPTED:
        typer.echo("interrupted: all finished work is kept; run again to go on", err=True)
    sys.exit(code)
