"""The application that commands are added to, and the options that every command that asks a teacher has.

Heavy parts of the package are imported by the command that needs them.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from .. import aliases
from ..aliases import SETTING_OF
from ..errors import DISTRIBUTION, SettingsError, TooManyFailures, UsageError
from ..escaping import escaped
from . import config

if TYPE_CHECKING:
    from ..records import Rejection, Usage
    from ..settings import Settings
    from ..tools import Plan, Run, ToolSummary

LISTED = 20
Command = TypeVar("Command", bound=Callable[..., Any])


class _OneValue(typer.core.TyperCommand):
    """A command that refuses two values under two names of an option, of which the last would win in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [part for word in args for part in (word.split("=", 1) if word.startswith("--") else [word])]
        for names in (one.opts for one in self.params if not getattr(one, "is_flag", False)):
            given = {name: words[words.index(name) + 1] for name in names if name in words[:-1]}
            if len({*given.values()}) > 1:
                (name, value), (other, same), *_ = given.items()
                raise UsageError(_two(name, value, other, same))
        return super().parse_args(ctx, args)


class _Program(typer.Typer):
    def command(self, *names: Any, **options: Any) -> Callable[[Command], Command]:
        return super().command(*names, **{"cls": _OneValue} | options)


app = _Program(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,  # drawing boxes takes as long as all the rest of a help
    context_settings={"max_content_width": 120},
    help="Knowledge tuning, step by step.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{DISTRIBUTION} {version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def _program(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    """What the file says becomes the default of each option; this runs before the other options are read."""
    context.default_map = config.defaults(path, str(context.info_name), context.params)
    return path


Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what this command did not make, or what was edited since.")
]


@dataclass(frozen=True)
class Asking:
    """The options of every command that asks a teacher, in the order in which its help shows them."""

    provider: Annotated[str | None, typer.Option(help="Who answers; see list-providers.")] = None
    model: Annotated[str | None, typer.Option(help="The teacher's model.")] = None
    base_url: Annotated[str | None, typer.Option(help="Address of the endpoint.")] = None
    api_key: Annotated[str | None, typer.Option(hidden=True)] = None  # others on the machine can see it
    api_key_env: Annotated[str | None, typer.Option(help="Environment variable that holds the key.")] = None
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature; a judge is asked at 0.")] = None
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens in a reply.")] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            is_eager=True,
            callback=_take_config,
            help=f"Options from this YAML file. Default: {config.FILE}",
        ),
    ] = None
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would take, and stop.")] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before text leaves this machine.")] = False
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make everything anew; replies in the journal are still used.")
    ] = False
    retry_rejected: Annotated[
        bool, typer.Option("--retry-rejected", help="Ask again where a former reply could not be used.")
    ] = False
    overwrite: Overwrite = False

    def for_settings(self) -> dict[str, Any]:
        """The options that stand for settings, where they were given."""
        values = {name: getattr(self, name, None) for name in SETTING_OF}
        return {name: one for name, one in values.items() if one is not None and one is not False and one != []}

    def settings(self) -> Settings:
        """Settings, with the options that were given, these and those of the command."""
        return settings_of(**self.for_settings() | {"api_key": _key(self.api_key, self.api_key_env)})

    def chosen(self, name: str) -> dict[str, Any]:
        """What a tool of that name is given, by the names of its arguments."""
        settings = self.settings()
        return {"settings": settings, "run": self.run(name, settings)}

    def run(self, name: str, settings: Settings) -> Run:
        """How the tool is run: with bars of that name, and with the plan first where it is wanted."""
        from .. import tools, view

        asks_first = not self.yes and sys.stdin.isatty() and settings.provider != "offline"

        def confirm(plan: Plan) -> bool:
            told = {"instructions": plan.instructions, "notice": plan.notice}
            lines = view.plan_lines(plan.estimates, plan.teacher, settings, **told)
            typer.echo("\n".join([*(f"your own {what}: {text}" for what, text in plan.own.items()), *lines]))
            tell("left out", plan.unread)
            free = not any(one.calls for one in plan.estimates)
            return not self.plan and (free or typer.confirm("Go on?"))

        return tools.Run(
            overwrite=self.overwrite,
            fresh=self.fresh or not settings.generator_resume,
            confirm=confirm if self.plan or asks_first else None,
            on_reading=view.progress_bar("read"),
            on_progress=view.progress_bar(name),
        )


@dataclass(frozen=True)
class AskingOfPassages(Asking):
    """What the commands that go from passages to pairs have besides."""

    table: Annotated[
        list[str] | None, typer.Option(help="Table of a LanceDB folder; may be repeated. Default: text_chunks.")
    ] = None
    n_pairs: Annotated[
        int | None, typer.Option("--n-pairs", "--questions-per-chunk", help="Pairs asked for about each passage.")
    ] = None
    target_pairs: Annotated[int | None, typer.Option(help="Pairs wanted in all, in place of --n-pairs.")] = None
    max_chunks: Annotated[int | None, typer.Option(help="At most so many passages, spread over all.")] = None
    batch_size: Annotated[int | None, typer.Option(help="Most passages in flight. Default: MAX_CONCURRENCY.")] = None
    ollama_top_k: Annotated[int | None, typer.Option(help="Ollama's top_k.")] = None
    ollama_top_p: Annotated[float | None, typer.Option(help="Ollama's top_p.")] = None
    ollama_repeat_penalty: Annotated[float | None, typer.Option(help="Ollama's repeat_penalty.")] = None
    ollama_num_predict: Annotated[int | None, typer.Option(help="Ollama's num_predict.")] = None
    ollama_stop: Annotated[list[str] | None, typer.Option(help="Where Ollama stops writing; may be repeated.")] = None
    ollama_base_url: Annotated[str | None, typer.Option(hidden=True)] = None
    resume: Annotated[bool, typer.Option("--resume", hidden=True)] = False
    batch_processing: Annotated[bool, typer.Option("--batch-processing", hidden=True)] = False

    def settings(self) -> Settings:
        if self.n_pairs is not None and self.target_pairs is not None:
            raise UsageError("--n-pairs and --target-pairs exclude each other; give one")
        if self.resume and self.fresh:
            raise UsageError("--resume and --fresh exclude each other; give one")
        if self.base_url and self.ollama_base_url not in (None, self.base_url):
            raise UsageError(_two("--base-url", self.base_url, "--ollama-base-url", self.ollama_base_url))
        settings = super().settings()
        one_by_one = self.batch_size is None and not settings.generator_batch_processing
        return settings.with_(max_concurrency=1) if one_by_one else settings

    def chosen(self, name: str) -> dict[str, Any]:
        about = {"tables": self.table or (), "target_pairs": self.target_pairs, "max_chunks": self.max_chunks}
        return super().chosen(name) | about


@dataclass(frozen=True)
class AskingOfPairs(Asking):
    """What the commands that work on pairs have besides."""

    batch_size: Annotated[int, typer.Option(help="Most pairs in a call; they are of one passage.")] = 5
    source: Annotated[
        str | None, typer.Option(help="Where the passages of pairs are that have no source_text: as for generate.")
    ] = None

    def for_settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().for_settings().items() if name != "batch_size"}

    def chosen(self, name: str) -> dict[str, Any]:
        return super().chosen(name) | {"batch_size": self.batch_size, "passages_from": self.source}


def also_named(function: Callable[..., None]) -> Callable[..., None]:
    """Lets a command take arguments by the options of another tool, too; its help does not show them."""
    own = inspect.signature(function, eval_str=True).parameters
    names = aliases.ARGUMENTS[function.__name__]

    def command(**given: Any) -> None:
        for name, argument in names.items():
            value, same = given.pop(name), given[argument]
            if None not in (value, same) and Path(same) != value:
                raise UsageError(_two(f"--{name.replace('_', '-')}", value, argument.upper(), same))
            given[argument] = same if value is None else value
        function(**given)

    kind = Annotated[Path | None, typer.Option(hidden=True)]
    hidden = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name in names]
    return _as_command(command, function, [*own.values(), *hidden])


def _two(name: str, value: Any, other: str, same: Any) -> str:
    return f"{name} {value} and {other} {same}: two names of one thing; give one of them"


def asks(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a command of a function: its argument `asking` stands for all the options of that argument's class."""
    own = dict(inspect.signature(function, eval_str=True).parameters)
    kind = own.pop("asking").annotation
    shared = inspect.signature(kind, eval_str=True).parameters

    def command(**given: Any) -> None:
        asking = kind(**{name: given.pop(name) for name in shared})
        with said_of_options(asking.for_settings()):
            function(asking=asking, **given)

    return _as_command(command, function, [*own.values(), *shared.values()])


def _as_command(
    command: Callable[..., None], function: Callable[..., None], parameters: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """Gives `command` the name, the help and the options by which it stands for `function`."""
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    together = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    command.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in together}
    return command


def settings_of(**options: Any) -> Settings:
    """Settings, with the options that were given."""
    from .. import settings

    given = {name: value for name, value in options.items() if value is not None}
    with said_of_options(given):
        return settings.load_settings(**{SETTING_OF[name]: value for name, value in given.items()})


@contextmanager
def said_of_options(options: Iterable[str]) -> Iterator[None]:
    """What is wrong with a setting is said of the option that stands for it, where there is one."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(
            error.said({SETTING_OF[name]: f"--{name.replace('_', '-')} " for name in options})
        ) from None


def _key(typed: str | None, variable: str | None) -> str | None:
    """The key that the command line bears, or names the environment variable of."""
    if variable is not None and not os.environ.get(variable):
        raise SettingsError(f"--api-key-env {variable}: no such environment variable, or it is empty")
    named = os.environ[variable] if variable else None
    if typed is None:
        return named
    if not typed.strip():
        raise SettingsError("--api-key: empty; name the environment variable of your key with --api-key-env")
    if named not in (None, typed):
        raise UsageError(f"--api-key and --api-key-env {variable} are two keys; give one of them")
    tell("warning", ["--api-key: others on this machine can see it; better is --api-key-env and a variable's name"])
    return typed


def with_bar(name: str, run: Run) -> Run:
    """The same, with a bar of that name."""
    from .. import view

    return replace(run, on_progress=view.progress_bar(name))


# --- what is said in the end ---


def report(done: ToolSummary, line: str, failed: int, of_what: str) -> None:
    """The summary line, what it took, and what is missing; where something failed, the exit code says so."""
    already = f"{done.already:,} done before; " if done.already else ""
    typer.echo(f"{line} -> {done.output}")
    typer.echo(f"{already}{costs(done.asked)}; {done.seconds:.1f} s")
    tell("warning", done.warnings)
    tell("left out", done.unread)
    tell("held back", done.held_back)
    fail(failed, of_what, len(done.unread), done.output, done.causes, done.again)


def costs(asked: Usage) -> str:
    """Calls, tokens and money in words."""
    usd = "price unknown" if asked.usd is None else f"${asked.usd:.4f}"
    return f"{asked.calls:,} calls, {asked.from_journal:,} from the journal, {asked.tokens:,} tokens, {usd}"


def fail(failed: int, of_what: str, unread: int, output: Path, causes: Sequence[str] = (), again: str = "") -> None:
    """Raises TooManyFailures where anything failed: with all that was made kept, the exit code is 1.

    Args:
        again: how to ask again for what has `causes`; what a usable reply left out has none.
    """
    why = f" ({'; '.join(causes[:3])})" if causes else ""
    what = [f"{failed:,} {of_what} failed{why}"] if failed else []
    what += [f"{unread:,} rows or files could not be used"] if unread else []
    if what:
        fix = f"; {again}" if failed and causes else ""
        raise TooManyFailures(f"{', '.join(what)}; all others are in {output}{fix}")


def tell(what: str, lines: Sequence[str | Rejection]) -> None:
    """Lines to standard error, the first of many."""
    for line in lines[:LISTED]:
        typer.echo(escaped(f"{what}: {line if isinstance(line, str) else line.reason}"), err=True)
    if len(lines) > LISTED:
        typer.echo(f"{what}: {len(lines) - LISTED:,} more", err=True)
