"""`--config`: a YAML file of options. The command line wins over it, and it wins over the environment."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from ..errors import InputError, SettingsError

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
_FOREIGN = ("rate_limit", "filtering", "output")  # blocks of a generator whose files look the same; nothing here
_IN_PLACE_OF = {"n_pairs": "target_pairs", "target_pairs": "n_pairs"}


class Defaults(dict[str, Any]):
    """The values of a command's options, as far as the command line leaves room for them.

    With another `--provider` there the file's model, address and key, which are not for that one, do not count; with
    `--target-pairs` there `n_pairs` does not.
    """

    def __init__(self, file: Path, blocks: dict[str, dict[str, Any]], command: str, given: Mapping[str, Any]):
        self._file, self._blocks, self._command, self._given = file, blocks, command, given
        super().__init__(self._values(None))

    def get(self, name: str, default: Any = None) -> Any:
        values = self._values(self._given.get("provider"))
        instead = _IN_PLACE_OF.get(name, "")
        is_replaced = instead not in values and self._given.get(instead) is not None
        return default if is_replaced else values.get(name, default)

    def _values(self, provider: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for block, keys in BLOCKS.items():
            values = self._blocks.get(block, {})
            if block == "llm":
                values = _of_provider(values, provider, self._file)
            heeded = {key: value for key, value in values.items() if self._command in keys[key]}
            named: dict[str, Any] = {}
            for key in heeded:
                name, value = _OTHER_NAMES.get(key, key), _typed(heeded[key], self._file, f"{block}.{key}")
                if named.setdefault(name, value) != value:
                    both = f"{block}.{name} is {named[name]} and {block}.{key} is {value}"
                    raise SettingsError(f"--config {self._file}: {both}, two names of one thing; leave one out")
            found = {name: found[name] for name in found if _IN_PLACE_OF.get(name) not in named} | named
        return found


def defaults(path: Path | None, command: str, given: Mapping[str, Any] | None = None) -> Defaults:
    """What the file says of a command's options; what is for another command is checked and left out.

    Args:
        path: of `--config`; without it `configs/config.yaml` is read where there is one.
        given: the options known so far; it grows, and the command line's are in it before any default is asked for.

    Raises:
        InputError: no such file, or not YAML. SettingsError: keys that are not known, or a variable that is not set.
    """
    file = path or FILE
    return Defaults(
        file,
        _read(file, is_named=path is not None) if path or FILE.is_file() else {},
        command,
        {} if given is None else given,
    )


def _of_provider(values: dict[str, Any], given: str | None, file: Path) -> dict[str, Any]:
    """The block `llm`, with what stands under the name of the provider that is chosen; others are passed over.

    The command line chooses, else the file, which may do so by naming no more than one, else the environment.
    """
    from ..settings import load_settings
    from ..teachers.providers import find

    under = {name: value for name, value in values.items() if name not in BLOCKS["llm"]}
    flat = {name: value for name, value in values.items() if name not in under}
    if "provider" not in flat and len(under) == 1:
        flat["provider"] = next(iter(under))
    own = _typed(flat.get("provider", ""), file, "llm.provider").strip().lower()
    if not under and not (own and given):
        return flat
    chosen = find((given or own or load_settings().provider).strip().lower())
    if own and find(own) != chosen:
        flat = {name: value for name, value in flat.items() if name not in _CONNECTION}
    for name, inner in under.items():
        if find(name) == chosen:  # a provider with keys of its own: an address beside them is another one's
            flat = {key: value for key, value in flat.items() if key != "base_url"} | inner
    return flat


def _typed(value: Any, file: Path, where: str) -> Any:
    """A value as it would be typed, so that it is checked like an option; `${VAR}` is the environment variable."""
    if where == "generation.table" and isinstance(value, list):
        return [_typed(one, file, where) for one in value]
    if isinstance(value, list | dict):
        raise SettingsError(f"--config {file}: {where} wants one value, not {json.dumps(value, default=str)[:40]}")

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise SettingsError(f"--config {file}: {where} wants the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", variable, str(value))


# --- what may stand in the file ---


def _read(file: Path, *, is_named: bool) -> dict[str, dict[str, Any]]:
    """The blocks of the file. All that is wrong with it is in one error."""
    import yaml
    from pydantic import ValidationError

    try:
        content = yaml.safe_load(file.read_text("utf-8"))
        if not content and content in (None, {}):
            _say_empty(file, is_named=is_named)
        if isinstance(content, dict) and len(content) > 1 and not content.keys() & {*BLOCKS, *_FOREIGN}:
            has = ", ".join(map(str, list(content)[:5]))
            raise SettingsError(f"--config {file}: no file of options; it has {has} in place of {', '.join(BLOCKS)}")
        foreign = _take_out_foreign(content)
        found = _whole().model_validate({} if content is None else content)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise InputError(f"--config {file}: {reason}") from None
    except yaml.MarkedYAMLError as error:
        place = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"--config {file}{place}: not YAML ({error.problem})") from None
    except ValidationError as error:
        faults = (_fault([*map(str, one["loc"])], one["type"]) for one in error.errors())
        raise SettingsError(f"--config {file}: {'; '.join(faults)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"--config {file}: not YAML ({str(error).splitlines()[0]})") from None
    if foreign:
        instead = "keys are read from the environment; for a threshold write curate: {threshold: 7}, for a format -f"
        warnings.warn(f"--config {file}: {', '.join(foreign)} mean nothing here; ignored ({instead})", stacklevel=2)
    return dict(found.model_dump(exclude_none=True))


def _say_empty(file: Path, *, is_named: bool) -> None:
    said = f"--config {file}: holds no option"
    if is_named:
        raise SettingsError(f"{said}; write some, as in `llm: {{model: NAME}}`, or leave --config out")
    warnings.warn(f"{said}; write some, as in `llm: {{model: NAME}}`, or remove the file", stacklevel=2)


def _take_out_foreign(content: Any) -> list[str]:
    """The names of what the file has for that generator alone: whole blocks, and the key of a provider."""
    llm = content.get("llm") if isinstance(content, dict) else None
    under = llm.items() if isinstance(llm, dict) else ()
    places = [("", content, _FOREIGN), *((f"llm.{name}.", one, ("api_key",)) for name, one in under)]
    mappings = [(before, one, names) for before, one, names in places if isinstance(one, dict)]
    return [f"{before}{name}" for before, one, names in mappings for name in names if one.pop(name, one) is not one]


@cache
def _whole() -> Any:
    """BLOCKS as a pydantic model: made when there is a file, since loading pydantic takes longer than showing help."""
    from pydantic import create_model

    from ..teachers.providers import providers

    def model(base: Any, fields: dict[str, Any]) -> Any:
        return create_model("block", __base__=base, **fields)

    empty = create_model("empty", __config__={"extra": "forbid"})
    blocks = {block: model(empty, dict.fromkeys(keys, (Any, None))) for block, keys in BLOCKS.items()}
    names = [name for one in providers().values() for name in (one.name, *one.aliases)]
    under = model(empty, {key: (Any, None) for key in BLOCKS["llm"] if key != "provider"})
    blocks["llm"] = model(blocks["llm"], dict.fromkeys(names, (under | None, None)))
    return model(empty, {name: (one | None, None) for name, one in blocks.items()})


def _fault(place: list[str], kind: str) -> str:
    """One of pydantic's errors in words: a key that is not known, or something else where keys should be."""
    from ..matching import nearest

    where, before = ".".join(place), "".join(f"{part}." for part in place[:-1])
    if kind == "model_type":
        return f"{where or 'the file'} is no mapping; write `name: value` lines"
    if why := _WITHOUT_EFFECT.get(where):
        return f"{where} has no effect, for {why}; leave it out"
    known = _whole().model_fields
    for part in place[:-1]:
        known = get_args(known[part].annotation)[0].model_fields
    near = nearest(place[-1], known)
    return f"{where} is not known; " + (f"did you mean {before}{near}?" if near else f"there are {', '.join(known)}")
