"""The commands about teachers: who there is, and what was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError, WorkError
from .options import app

MODELS_SHOWN = 8


@app.command()
def list_providers(
    check: Annotated[
        bool, typer.Option("--check", help="Ask each endpoint whether it is there and what it has.")
    ] = False,
) -> None:
    """Who can be the teacher, and how to set each up."""
    from .. import settings, teachers
    from ..teachers import providers

    loaded = settings.load_settings()
    chosen = providers.find(loaded.provider)
    found = {one.endpoint.provider.name: one for one in teachers.check(loaded)} if check else {}
    for provider in providers.providers().values():
        set_as = found[provider.name].endpoint if check else provider
        names = ", ".join((provider.name, *provider.aliases))
        model = set_as.model or ("rules" if provider.name == providers.OFFLINE else "none by default")
        typer.echo(f"{names}\n  model:    {model}\n  address:  {set_as.base_url or '-'}\n  set-up:   {provider.setup}")
        if provider == chosen:
            typer.echo(f"  chosen:   by {loaded.chosen_by or 'default'}")
        if provider.ignores:
            typer.echo(f"  ignores:  {', '.join(provider.ignores)}")
        if one := found.get(provider.name):
            typer.echo(f"  key:      {one.key}\n  reached:  {one.reachable}")
            if one.models:
                more = f" and {len(one.models) - MODELS_SHOWN} more" if len(one.models) > MODELS_SHOWN else ""
                typer.echo(f"  has:      {', '.join(one.models[:MODELS_SHOWN])}{more}")
            if one.reachable == "yes" and one.fault:
                typer.echo(f"  lacks:    {one.fault}")
    if check and (fault := found[chosen.name].fault):
        raise WorkError(f"{chosen.name}, the chosen provider, cannot be used as it is set: {fault}")


@app.command()
def journal(
    export: Annotated[Path | None, typer.Option(help="Write every call to this new file, as JSON Lines.")] = None,
) -> None:
    """What the calls of this output folder were: how many, of whom, what they took, what failed and why."""
    from .. import files, settings, view, workspace
    from ..teachers.journal import Journal

    loaded = settings.load_settings()
    path = workspace.journal_path(loaded.output)
    if export and export.exists():
        raise UsageError(f"--export {export}: exists; give a new file")
    with Journal(path, read_only=True) as calls:
        for line in view.journal_lines(calls.summary(), loaded):
            typer.echo(line)
        if export:
            written = files.write_rows(export, (dict(row) for row in calls.rows()))
            typer.echo(f"every call -> {written}")
