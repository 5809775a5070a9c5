"""What the environment and `.env` say of each setting, under which of its names; what papermill puts in."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from . import aliases
from .errors import SettingsError
from .matching import nearest

_URL_USER = re.compile(r"(^|//).*@")  # user and password in an address


class Given(NamedTuple):
    """A value, and the name by which it came."""

    variable: str
    value: Any


def env_names(name: str) -> list[str]:
    """The environment variables of a setting: its own name, then those of other tools."""
    return [name.upper(), *aliases.SETTINGS.get(name, ())]


def read(file: Path, settings: Iterable[str]) -> dict[str, Given]:
    """What the process environment, else the file says; what is empty does not count.

    Raises SettingsError for a line that is no setting, a name that is nearly one, and two names of one that differ.
    """
    _check_lines(file)
    dotenv = dotenv_values(file)
    _check_names(dotenv, settings, file)
    environment = {name.upper(): value for name, value in os.environ.items() if value}
    dotenv = {name: value for name, value in dotenv.items() if value}
    for name, others in aliases.NOT_ALONE.items():
        if not {*others} & (environment.keys() | dotenv.keys()):
            environment.pop(name, None)
    return by_setting(dotenv, settings, file.name) | by_setting(environment, settings, "the environment")


def by_setting(values: Mapping[str, Any], settings: Iterable[str], place: str) -> dict[str, Given]:
    """Of each setting that is there what is given, in a mapping of variables. SettingsError where two names differ."""
    found: dict[str, Given] = {}
    for name in settings:
        given = [Given(variable, values[variable]) for variable in env_names(name) if variable in values]
        for other in given[1:]:
            if other.value != given[0].value and name not in aliases.EITHER:
                both = f"{_shown(given[0])} and {_shown(other)}"
                raise SettingsError(f"{place}: {both} are one setting under two names; keep one of them")
        found |= {name: given[0]} if given else {}
    return found


def put_in_by_papermill(cells: Sequence[str]) -> list[str]:
    """The names in those of a notebook's cells that papermill has put in, which begin with a line of its own."""
    bodies = [ast.parse(cell).body for cell in cells if cell.startswith("# Parameters\n")]
    return [ast.unparse(node.targets[0]) for body in bodies for node in body if isinstance(node, ast.Assign)]


def without_password(address: Any) -> str:
    return _URL_USER.sub(r"\1…@", str(address))


def _shown(given: Given) -> str:
    secret = given.variable.endswith("_KEY")
    return given.variable if secret else f"{given.variable}={without_password(given.value)}"


def _check_lines(file: Path) -> None:
    """A line that is no setting must not pass as one: it may be a limit."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines:
        for line in parse_stream(lines):
            if line.error or (line.key and line.value is None):
                start = line.original.string.strip().split("=")[0].split(" ")[0]
                raise SettingsError(f"{file.name}, line {line.original.line}: no setting; write {start}=value")


def _check_names(dotenv: Iterable[str], settings: Iterable[str], file: Path) -> None:
    variables = [variable for name in settings for variable in env_names(name)]
    unknown = [name for name in dotenv if name not in variables]
    for name in unknown:
        if near := nearest(name.upper(), variables, letters=2):
            raise SettingsError(f"{file.name}: {name} is not a setting; did you mean {near}?")
    if unknown:
        warnings.warn(f"{file.name}: ignored, nothing reads them: {', '.join(unknown)}", stacklevel=4)
