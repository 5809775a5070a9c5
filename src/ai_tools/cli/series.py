"""The commands of the seven notebooks: run and status."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import SettingsError
from .options import app

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
    from .. import runner, settings

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
    from .. import runner, settings

    loaded = settings.load_settings(**_overrides(parameter))
    typer.echo(f"output: {loaded.output}")
    for step in runner.select():
        state = runner.state_of(loaded, step)
        counts = ", ".join(f"{name} {value}" for name, value in state.counts.items())
        typer.echo(f"{step.folder:28} {state.state:9} {state.reason}" + (f" [{counts}]" if counts else ""))


def _overrides(parameters: list[str] | None) -> dict[str, str]:
    from ..settings import known

    values = {}
    for parameter in parameters or []:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise SettingsError(f"-p {parameter}: write NAME=VALUE")
        values[name.strip()] = value
    return known(values, "-p")
