"""`ai-tools`: the command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 130 interrupted."""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings

import typer

from ..errors import AIToolsError, NotConfirmed
from ..escaping import escaped
from . import series, single, student, teacher  # noqa: F401  # each adds its commands
from .options import app

INTERRUPTED = 130


def main() -> None:
    """Run a command; every foreseen error is one line and an exit code."""
    if sys.getfilesystemencoding() != "utf-8":  # of a locale such as C: neither files nor lines could be named in it
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very command again
    warnings.formatwarning = lambda message, *_, **__: f"warning: {escaped(str(message))}\n"
    try:
        code = app(standalone_mode=False) or 0  # Ctrl-C comes back as 130
    except NotConfirmed:
        code = 0
    except AIToolsError as error:
        typer.echo(f"error: {error}", err=True)
        code = error.exit_code
    except typer.TyperException as error:  # wrong usage: an unknown command or option
        message = error.format_message()
        is_help = not message or message.startswith("Usage:")  # all there is to say where no argument was given
        typer.echo(message if is_help else f"error: {message}", err=True)
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
