"""`ai-tools`: the command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 130 interrupted."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from .errors import AIToolsError, SettingsError

INTERRUPTED = 130

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
    except OSError as error:  # a folder that cannot be written, a full disk
        typer.echo(f"error: {error}; set OUTPUT_DIR to a folder that can be written", err=True)
        code = 2 if error.filename else 1
    if code == INTERRUPTED:
        typer.echo("interrupted: all finished work is kept; run again to go on", err=True)
    sys.exit(code)
