"""Pairs from passages: `generate` by instruction backtranslation, `generate-cot` with the reasoning of each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from .. import teachers
from ..errors import NothingProduced, UsageError
from ..files import Note, Register, rows_to
from ..matching import normalise
from ..records import Home, Passage, Teacher, Usage, content_id
from ..settings import Settings
from ..teachers import prompts
from ..teachers.asker import Asker, Outcome, Session
from ..workspace import journal_path
from . import outputs, reading, running
from .qa_folder import Made, QaFolder
from .reasoning import follows, numbered
from .running import Done, Pair, Run
from .targets import Draw, Extent, Kind, Scope, Target, call_about

Item = tuple[Passage, list[Draw]]


@dataclass(frozen=True, kw_only=True)
class Generated(Done):
    """What `generate_qa` or `generate_cot` made.

    `empty_chunks` held nothing to ask, `failed_chunks` got no usable reply. Of a folder, `successful_files` were
    completed, `untouched` of them before; 0 where the output is one file.
    """

    chunks: int
    pairs: int
    empty_chunks: int
    failed_chunks: int
    successful_files: int
    untouched: int
    not_following: int


def generate_qa(
    source: str | Path,
    output: Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    target_pairs: int | None = None,
    max_chunks: int | None = None,
    system_message: str = "",
    extra_instructions: str = "",
    prompt_template: str = "",
    run: Run | None = None,
) -> Generated:
    """Instruction backtranslation (arXiv 2308.06259): each passage is the answer, the teacher asks.

    `questions_per_chunk` pairs of each passage, or `target_pairs` in all, spread over the documents. Every reply is in
    the journal of OUTPUT_DIR before it is used, so that a rerun goes on where the last one ended.

    Args:
        source: a LanceDB folder, a folder of `*_chunks.json`, one such file, chunks.jsonl, seed_data.jsonl, or
            documents, which are converted and chunked first.
        output: a `.json` or `.jsonl` file of rows `{question, answer, type, chunk_id, source, source_file, source_text,
            generated_at, model}`, or a folder, which gets a `<document>_qa.json` for each document.
        tables: of a LanceDB folder; `text_chunks` where none is named.
        max_chunks: at most so many passages, spread over tables and documents.
        system_message: in place of the prompt's own; `extra_instructions` are added to it (CUSTOMISATION_PROMPT where
            empty); `prompt_template` is in place of the prompt's text, see `prompts.own`.

    Raises:
        InputError: the source cannot be used. UsageError: the output is not ours, or the template no such.
        NothingProduced: no pair came out. What stops a run besides is in `errors`; the journal keeps all it made.
    """
    kind = questions(settings, system_message, extra_instructions, prompt_template)
    return _generate(source, output, settings, kind, Extent(tables, target_pairs, max_chunks), run or Run())


def generate_cot(
    source: str | Path,
    output: Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    target_pairs: int | None = None,
    max_chunks: int | None = None,
    topic: str = "",
    run: Run | None = None,
) -> Generated:
    """Questions that take thinking, with the reasoning of each answer as numbered steps (arXiv 2305.02301).

    Rows have `reasoning` and `follows` besides what those of `generate_qa` have. One whose answer does not follow from
    its steps, by the teacher's word or because it says what they do not, is kept with `follows: false`.

    Args:
        topic: what the questions should be about. The others are as in `generate_qa`.

    Raises:
        As `generate_qa`.
    """
    prompt = prompts.load("reasoned_questions")
    kind = Kind("generate-cot", prompt, {"topic": topic}, _reasoned_pair, settings.customisation_prompt)
    return _generate(source, output, settings, kind, Extent(tables, target_pairs, max_chunks), run or Run())


def questions(settings: Settings, system_message: str = "", extra_instructions: str = "", template: str = "") -> Kind:
    """What `generate_qa` asks. Raises UsageError for a template that cannot be."""
    prompt = prompts.load("questions")
    own = {"system message": system_message.strip(), "template": template.strip()}
    own = {name: text for name, text in own.items() if text}
    if own:
        prompt = prompts.own(prompt, system=system_message, template=template)
    fields = {"reasoning": settings.enable_reasoning}
    instructions = extra_instructions.strip() or settings.customisation_prompt
    return Kind("generate", prompt, fields, _plain_pair, instructions, own)


def _plain_pair(item: Any) -> Pair:
    pair = {"question": item.question.strip(), "answer": item.answer.strip(), "type": "qa"}
    return pair | ({"type": "cot", "reasoning": item.reasoning.strip()} if item.reasoning else {})


def _reasoned_pair(item: Any) -> Pair:
    answer, reasoning = item.answer.strip(), numbered(item.steps)
    said = {"question": item.question.strip(), "answer": answer, "type": "cot", "reasoning": reasoning}
    return said | {"follows": follows(item, reasoning, answer)}


def _generate(source: str | Path, output: Path, settings: Settings, kind: Kind, extent: Extent, run: Run) -> Generated:
    started = monotonic()
    extent.check()
    teacher = teachers.connect(settings)  # that a key is missing is said before any document is read
    register = Register(journal_path(settings.output), kind.name)
    _check(source, output, register, overwrite=run.overwrite)
    with reading.opened(source, settings, tables=extent.tables, on_reading=run.on_reading) as found:
        scope = Scope(found, extent, settings.questions_per_chunk)
        folder = None if output.suffix else _folder(output, scope, kind, teacher, settings, run)
        items, chain = _plan(scope, kind)
        with running.asking(
            kind.name, items, chain, settings, run,
            unread=found.failed, instructions=kind.instructions, own=kind.own,
        ) as asker:  # fmt: skip
            counts, runs = _write(source, output, folder, scope, kind, asker, register.note)
            warnings = [*_unheeded(kind, teacher), *_short(scope, counts), *(folder.warnings if folder else ())]
            failed = [row for run in runs for row in run.failed]
            done = running.done(teacher, output, started, _usage(runs), failed, unread=found.failed, warnings=warnings)
    return Generated(**{**vars(done), **counts})


def _check(source: str | Path, output: Path, register: Register, *, overwrite: bool) -> None:
    """Refuse an output that cannot be, before any passage is read; which files a folder gets is known only then."""
    if output.suffix:
        outputs.check(output, register, source=reading.path_of(source), overwrite=overwrite)
        return
    if output.is_file():
        raise UsageError(f"-o {output}: a file; give a folder, or a file that ends in .json or .jsonl")
    given = reading.path_of(source)
    if output.exists() and given and output.samefile(given):
        raise UsageError(f"-o {output}: that is the source; give another folder")


def _folder(output: Path, scope: Scope, kind: Kind, teacher: Teacher, settings: Settings, run: Run) -> QaFolder:
    info = {
        "generated_by": kind.name,
        "provider": teacher.provider,
        "model": teacher.model,
        "questions_per_chunk": settings.questions_per_chunk,
        "temperature": settings.teacher_temperature,
        "max_tokens": settings.teacher_max_tokens,
    }
    register = Register(journal_path(settings.output), kind.name)
    folder = QaFolder(output, scope.documents, info, register, fresh=run.fresh)
    folder.check(scope.of_chosen, overwrite=run.overwrite)
    return folder


def _plan(scope: Scope, kind: Kind) -> tuple[Iterator[Item], Callable[[Item, Session], Awaitable[None]]]:
    """What is gone through for the plan: the draws of the run, round by round where a number of pairs is wanted."""
    target = scope.aim()

    def items() -> Iterator[Item]:
        if not target:
            yield from scope.asked()
        while target and target.due:
            yield from target.of_round(scope.chosen)
            target.next_round()

    async def chain(item: Item, session: Session) -> None:
        passage, draws = item
        reply = await session.try_ask(call_about(kind, passage, draws[-1], session))
        if target:
            target.note(passage.chunk_id, {normalise(pair["question"]) for pair in _pairs_of(reply, kind, draws[-1])})

    return items(), chain


def _short(scope: Scope, counts: dict[str, int]) -> list[str]:
    target = scope.target
    if not target or counts["pairs"] >= 0.9 * target.total:
        return []
    return [f"{target.total:,} pairs were wanted, and the passages gave no more than {counts['pairs']:,}"]


def _unheeded(kind: Kind, teacher: Teacher) -> list[str]:
    if teacher.base_url or not (kind.own or kind.instructions):
        return []
    return ["the offline teacher reads no prompt: your own words to it have no effect"]


# --- asking ---


def _pairs_of(reply: Any, kind: Kind, draw: Draw) -> list[Pair]:
    """The pairs of a reply that can be used, and no more than were asked for."""
    items = reply.items if reply else []
    return [kind.pair(item) for item in items if item.question.strip() and item.answer.strip()][: draw[1]]


async def _ask(kind: Kind, given_up: set[str], item: Item, session: Session) -> Made:
    """What all draws about a passage have brought, each question once."""
    passage, draws = item
    found: dict[str, Pair] = {}
    made = Made(passage, [], failed=False, key="", created="")
    for draw in draws:
        call = call_about(kind, passage, draw, session)
        made.key = content_id(made.key, call.key)
        reply = None if call.key in given_up else await session.try_ask(call)
        made.failed = reply is None
        if reply is None:
            given_up.add(call.key)
            break
        made.created = max(made.created, reply.completion.created)
        told = {"generated_at": reply.completion.created, "model": reply.completion.model}
        for pair in _pairs_of(reply, kind, draw):
            found.setdefault(normalise(pair["question"]), pair | told)
    made.pairs = list(found.values())
    made.failed &= not made.pairs
    return made


def _reach(target: Target, scope: Scope, kind: Kind, asker: Asker, sink: Sink) -> list[Outcome[Made]]:
    """Ask until there are as many pairs as are wanted, or no passage gives any more; the journal has all replies."""
    rounds = []

    def note(made: Made) -> None:
        target.note(made.passage.chunk_id, {normalise(pair["question"]) for pair in made.pairs})
        sink.so_far(made)

    while target.due:
        sink.due = scope.due()
        chain = partial(_ask, kind, scope.given_up)
        rounds.append(asker.run(chain, target.of_round(scope.chosen), len(target.due), each=note))
        target.next_round()
    return rounds


def _usage(runs: Sequence[Outcome[Made]]) -> Usage:
    """What all runs took: the last goes through all of it again, and finds in the journal what those before brought."""
    *rounds, last = (run.usage for run in runs)
    made = sum((replace(one, from_journal=0) for one in rounds), Usage())
    return made + replace(last, from_journal=max(0, last.from_journal - made.calls))


# --- writing ---


class Sink(Protocol):
    """Takes what came of passages: `so_far` of those that may be asked about again, a call with all of one.

    `due` are the passages of each document that are asked about.
    """

    due: Counter[Home]

    def so_far(self, made: Made) -> None: ...

    def __call__(self, made: Made) -> None: ...


class _OneFile:
    """The sink of one file of rows, which is written in the end, in the order of the source."""

    def __init__(self, row: Callable[[Pair], None]):
        self._row = row
        self.due: Counter[Home] = Counter()

    def so_far(self, made: Made) -> None: ...

    def __call__(self, made: Made) -> None:
        for pair in made.pairs:
            self._row(_row(made.passage, pair))


def _write(
    source: str | Path, output: Path, folder: QaFolder | None, scope: Scope, kind: Kind, asker: Asker, note: Note
) -> tuple[dict[str, int], list[Outcome[Made]]]:
    """Ask, and write what comes: how much that was, and how each run went."""
    counts = dict.fromkeys(("chunks", "pairs", "empty_chunks", "failed_chunks", "not_following"), 0)
    runs: list[Outcome[Made]] = []

    def why_nothing() -> str:
        causes = sorted({row.reason for run in runs for row in run.failed})
        return (
            f"{source}: no pair came out of {counts['chunks']:,} passages ({'; '.join(causes[:3]) or 'none held any'})"
        )

    def take(made: Made) -> None:
        counts["chunks"] += 1
        counts["pairs"] += len(made.pairs)
        counts["failed_chunks"] += made.failed
        counts["empty_chunks"] += not made.pairs and not made.failed
        counts["not_following"] += sum(pair.get("follows") is False for pair in made.pairs)
        sink(made)

    with folder.writing() if folder else _one_file(output, note, why_nothing) as sink:
        if scope.target:
            runs += _reach(scope.target, scope, kind, asker, sink)
        sink.due = scope.due()
        chain = partial(_ask, kind, scope.given_up)
        runs.append(asker.run(chain, scope.asked(), sink.due.total(), each=take))
    if not counts["pairs"]:
        raise NothingProduced(why_nothing())
    files = (folder.completed, folder.kept) if folder else (0, 0)
    return counts | dict(zip(("successful_files", "untouched"), files, strict=True)), runs


@contextmanager
def _one_file(output: Path, note: Note, why_nothing: Callable[[], str]) -> Iterator[Sink]:
    with rows_to(output, why_nothing, note=note) as row:
        yield _OneFile(row)


def _row(passage: Passage, pair: Pair) -> Pair:
    return {
        **{name: pair[name] for name in ("question", "answer", "type")},
        "chunk_id": passage.chunk_id,
        "source": passage.document_id or passage.file,
        "source_file": passage.file,
        "source_text": passage.text,
        **{name: pair[name] for name in ("reasoning", "follows") if name in pair},
        **{name: pair[name] for name in ("generated_at", "model")},
    }
