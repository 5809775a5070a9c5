"""`--config`: a YAML file of options. The command line wins over it, and it wins over the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError, SettingsError

FILE = Path("configs/config.yaml")
_CONNECTION = ("provider", "model", "base_url", "api_key_env")
_SAMPLING = ("temperature", "max_tokens")
# The blocks, what may stand in each, and the commands that heed it.
_BLOCKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "llm": ((*_CONNECTION, *_SAMPLING), ()),  # every command that asks
    "generation": (
        (
            *_SAMPLING,
            *("n_pairs", "questions_per_chunk", "target_pairs", "max_chunks", "batch_size", "table"),
            *("qa_system_message", "qa_extra_instructions", "qa_prompt_template_file"),
        ),
        ("generate", "generate-cot", "pipeline"),
    ),
    "enrich": ((*_SAMPLING, "batch_size", "preserve_original"), ("enrich",)),
    "curate": ((*_SAMPLING, "batch_size", "threshold", "topic"), ("curate", "validate", "pipeline")),
    "cot": ((*_SAMPLING, "batch_size", "n_pairs", "target_pairs", "topic"), ("generate-cot", "enhance-cot")),
}
_OTHER_NAMES = {"questions_per_chunk": "n_pairs"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def defaults(path: Path | None, command: str) -> dict[str, Any]:
    """The values of a command's options; those of another command's block are checked and left out.

    Args:
        path: of `--config`; without it `configs/config.yaml` is read where there is one.

    Raises:
        InputError: no such file, or not YAML. SettingsError: an unknown key, or a variable that is not set.
    """
    if path is None and not FILE.is_file():
        return {}
    file = path or FILE
    found: dict[str, Any] = {}
    for block, content in _mapping(_load(file), file, "").items():
        keys, commands = _BLOCKS[_known(block, _BLOCKS, file, "")]
        values = _mapping(content, file, block)
        if block == "llm":
            values = _of_provider(values, file)
        for name, value in values.items():
            _known(name, keys, file, f"{block}.")
            if (not commands or command in commands) and value is not None:
                found[_OTHER_NAMES.get(name, name)] = _expanded(value, file, f"{block}.{name}")
    return found


def _load(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"--config {file}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"--config {file}: not YAML ({str(error).splitlines()[0]})") from None


def _mapping(value: Any, file: Path, block: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"--config {file}: {block or 'the file'} is no mapping; write `name: value` lines")
    return {str(name): inner for name, inner in value.items()}


def _of_provider(values: dict[str, Any], file: Path) -> dict[str, Any]:
    """The block `llm`, with what stands under the name of the provider that it chooses; others are passed over."""
    from ..providers import providers

    named = {name for one in providers().values() for name in (one.name, *one.aliases)}
    flat = {name: value for name, value in values.items() if name not in named}
    for name in named & {*values}:
        inner = _mapping(values[name], file, f"llm.{name}")
        for key in inner:
            _known(key, _BLOCKS["llm"][0], file, f"llm.{name}.")
        if str(flat.get("provider", "")).lower() == name:
            flat = inner | flat
    return flat


def _known(name: str, names: Iterable[str], file: Path, before: str) -> str:
    if name not in names:
        near = difflib.get_close_matches(name, list(names), 1)
        hint = f"; did you mean {before}{near[0]}?" if near else f"; there are {', '.join(names)}"
        raise SettingsError(f"--config {file}: {before}{name} is not known{hint}")
    return name


def _expanded(value: Any, file: Path, where: str) -> Any:
    """`${VAR}` is replaced by the environment variable."""

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise SettingsError(f"--config {file}: {where} wants the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    if isinstance(value, list):
        return [_expanded(one, file, where) for one in value]
    return _VARIABLE.sub(variable, value) if isinstance(value, str) else value
