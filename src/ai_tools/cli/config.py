"""`--config`: a YAML file of options. The command line wins over it, and it wins over the environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError, SettingsError
from ..matching import nearest

FILE = Path("configs/config.yaml")
_CONNECTION = ("provider", "model", "base_url", "api_key_env")
_SAMPLING = ("temperature", "max_tokens")
_ALL = ("generate", "generate-cot", "enrich", "enhance-cot", "curate", "validate", "compare", "pipeline")
_FROM_PASSAGES = ("generate", "generate-cot", "pipeline")
# The blocks, what may stand in each, and the commands that heed it. A later block is of fewer commands, and wins.
BLOCKS: dict[str, dict[str, tuple[str, ...]]] = {
    "llm": dict.fromkeys((*_CONNECTION, *_SAMPLING), _ALL),
    "generation": dict.fromkeys(
        (*_SAMPLING, "n_pairs", "questions_per_chunk", "target_pairs", "max_chunks", "batch_size", "table"),
        _FROM_PASSAGES,
    )
    | dict.fromkeys(("qa_system_message", "qa_extra_instructions", "qa_prompt_template_file"), ("generate",)),
    "enrich": dict.fromkeys((*_SAMPLING, "batch_size", "preserve_original"), ("enrich",)),
    "curate": dict.fromkeys(("max_tokens", "batch_size"), ("curate", "validate"))
    | {"threshold": ("curate", "validate", "pipeline"), "topic": ("curate",)},
    "cot": dict.fromkeys((*_SAMPLING, "batch_size"), ("generate-cot", "enhance-cot"))
    | dict.fromkeys(("n_pairs", "questions_per_chunk", "target_pairs", "topic"), ("generate-cot",)),
}
_WITHOUT_EFFECT = {"curate.temperature": "a judge is always asked at temperature 0"}
_OTHER_NAMES = {"questions_per_chunk": "n_pairs"}
_IN_PLACE_OF = {"n_pairs": "target_pairs", "target_pairs": "n_pairs"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Defaults(dict[str, Any]):
    """The values of a command's options, as far as the command line leaves room for them.

    With another `--provider` there the file's model, address and key, which are not for that one, do not count; with
    `--target-pairs` there `n_pairs` does not.
    """

    def __init__(self, values_for: Callable[[str | None], dict[str, Any]], given: Mapping[str, Any]):
        super().__init__(values_for(None))
        self._values_for, self._given = values_for, given

    def get(self, name: str, default: Any = None) -> Any:
        values = self._values_for(self._given.get("provider"))
        instead = _IN_PLACE_OF.get(name, "")
        is_replaced = instead not in values and self._given.get(instead) is not None
        return default if is_replaced else values.get(name, default)


def defaults(path: Path | None, command: str, given: Mapping[str, Any] | None = None) -> Defaults:
    """What the file says of a command's options; what is for another command is checked and left out.

    Args:
        path: of `--config`; without it `configs/config.yaml` is read where there is one.
        given: the options known so far; it grows, and the command line's are in it before any default is asked for.

    Raises:
        InputError: no such file, or not YAML. SettingsError: an unknown key, or a variable that is not set.
    """
    file = path or FILE
    blocks = _mapping(_load(file), file, "") if path or FILE.is_file() else {}
    for block in blocks:
        _known(block, BLOCKS, file, "")

    def values_for(provider: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for block, keys in BLOCKS.items():
            values = _mapping(blocks.get(block), file, block)
            if block == "llm":
                values = _of_provider(values, provider, file)
            for name in values:
                _known(name, keys, file, f"{block}.")
            heeded = {name: value for name, value in values.items() if command in keys[name] and value is not None}
            named = {_OTHER_NAMES.get(name, name): _plain(heeded[name], file, f"{block}.{name}") for name in heeded}
            for name in named:
                found.pop(_IN_PLACE_OF.get(name, ""), None)
            found |= named
        return found

    return Defaults(values_for, {} if given is None else given)


def _load(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"--config {file}: no such file") from None
    except OSError as error:
        raise InputError(f"--config {file}: cannot be read ({error.strerror})") from None
    except yaml.MarkedYAMLError as error:
        place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"--config {file}{place}: not YAML ({error.problem})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"--config {file}: not YAML ({str(error).splitlines()[0]})") from None


def _mapping(value: Any, file: Path, block: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"--config {file}: {block or 'the file'} is no mapping; write `name: value` lines")
    return {str(name): inner for name, inner in value.items()}


def _of_provider(values: dict[str, Any], given: str | None, file: Path) -> dict[str, Any]:
    """The block `llm`, with what stands under the name of the provider that is chosen; others are passed over.

    The command line chooses, else the file, which may do so by naming no more than one, else the environment.
    """
    from ..settings import load_settings
    from ..teachers.providers import find, providers

    names = {name for one in providers().values() for name in (one.name, *one.aliases)}
    flat = {name: value for name, value in values.items() if name not in names and value is not None}
    for name in values:
        _known(name, (*BLOCKS["llm"], *sorted(names)), file, "llm.")
    under = {name: _mapping(values[name], file, f"llm.{name}") for name in values if name in names}
    for name, inner in under.items():
        for key in inner:
            _known(key, [key for key in BLOCKS["llm"] if key != "provider"], file, f"llm.{name}.")
    if "provider" not in flat and len(under) == 1:
        flat["provider"] = next(iter(under))
    own = _word(flat["provider"], file, "llm.provider").strip().lower() if "provider" in flat else None
    if not under and (not own or not given):
        return flat
    chosen = find((given or own or load_settings().provider).strip().lower())
    if own and find(own) != chosen:
        flat = {name: value for name, value in flat.items() if name not in _CONNECTION}
    for name, inner in under.items():
        if find(name) == chosen:
            flat |= inner
    return flat


def _known(name: str, names: Iterable[str], file: Path, before: str) -> str:
    if why := _WITHOUT_EFFECT.get(f"{before}{name}"):
        raise SettingsError(f"--config {file}: {before}{name} has no effect, for {why}; leave it out")
    if name not in names:
        near = nearest(name, names)
        hint = f"; did you mean {before}{near}?" if near else f"; there are {', '.join(names)}"
        raise SettingsError(f"--config {file}: {before}{name} is not known{hint}")
    return name


def _plain(value: Any, file: Path, where: str) -> Any:
    """A value as it would be typed, so that it is checked like an option; `${VAR}` is the environment variable."""
    if where == "generation.table":
        return [_word(one, file, where) for one in (value if isinstance(value, list) else [value])]
    return _word(value, file, where)


def _word(value: Any, file: Path, where: str) -> str:
    if isinstance(value, list | dict):
        raise SettingsError(f"--config {file}: {where} wants one value, not {json.dumps(value, default=str)[:40]}")

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise SettingsError(f"--config {file}: {where} wants the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    return _VARIABLE.sub(variable, str(value))
