"""Pairs from passages: `generate` by instruction backtranslation, `generate-cot` with the reasoning of each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from .. import prompts
from ..asking import Asker, Asks
from ..errors import NothingProduced
from ..generation import Passage
from ..matching import normalise
from ..prompts import Prompt
from ..records import Call, Progress, content_id
from ..settings import Settings
from . import outputs, passages, running
from .qa_folder import Made, QaFolder, writing
from .reasoning import follows, numbered
from .running import Done, Pair, Run
from .targets import Draw, Extent, Scope, Selection, Target

ANGLES = (  # of the draws about one passage
    "the whole passage",
    "numbers, amounts and limits",
    "conditions and exceptions",
    "people, roles and duties",
    "reasons and consequences",
    "terms and their meaning",
    "time limits and dates",
    "steps and their order",
    "names, places and systems",
    "what is seldom noticed",
)


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


@dataclass(frozen=True)
class Kind:
    """What is asked about a passage, and what a pair is made of an item of the reply."""

    name: str
    prompt: Prompt
    fields: dict[str, Any]
    pair: Callable[[Any], Pair]
    instructions: str = ""


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
    if system_message or template:
        prompt = prompts.own(prompt, system=system_message, template=template)
    fields = {"reasoning": settings.enable_reasoning}
    return Kind("generate", prompt, fields, _plain_pair, extra_instructions or settings.customisation_prompt)


def _plain_pair(item: Any) -> Pair:
    pair = {"question": item.question.strip(), "answer": item.answer.strip(), "type": "qa"}
    return pair | ({"type": "cot", "reasoning": item.reasoning.strip()} if item.reasoning else {})


def _reasoned_pair(item: Any) -> Pair:
    answer, reasoning = item.answer.strip(), numbered(item.steps)
    said = {"question": item.question.strip(), "answer": answer, "type": "cot", "reasoning": reasoning}
    return said | {"follows": follows(item, reasoning, answer)}


def _generate(
    source: str | Path,
    output: Path,
    settings: Settings,
    kind: Kind,
    extent: Extent,
    run: Run,
) -> Generated:
    started = monotonic()
    extent.check()
    if output.suffix:
        outputs.check(output, "generated_at", source=Path(source), overwrite=run.overwrite)
    with passages.opened(source, settings, tables=extent.tables, on_reading=run.on_reading) as found:
        scope = Scope(found, extent, settings.questions_per_chunk)

        async def rehearse(chunk: dict[str, Any], asker: Asks) -> None:
            for draw in scope.first(chunk):
                await asker.try_ask(call_about(kind, chunk, draw, asker))

        with running.asking(
            kind.name, scope.chosen, rehearse, settings, run, unread=found.failed, instructions=kind.instructions
        ) as asker:
            before = _reach(scope.target, scope.chosen, kind, asker) if scope.target else None
            counts = _write(source, output, scope, kind, asker, run)
            warnings = _unheeded(kind, asker)
            if before:
                _add(before, asker.progress)
            done = running.done(asker, asker.teacher, output, started, unread=found.failed, warnings=warnings)
    return Generated(**{**vars(done), **counts})


def _unheeded(kind: Kind, asker: Asker) -> list[str]:
    own = kind.prompt.version.startswith("own-") or kind.instructions
    return ["the offline teacher reads no prompt: your own words to it have no effect"] * bool(
        own and not asker.teacher.base_url
    )


# --- asking ---


def call_about(kind: Kind, chunk: dict[str, Any], draw: Draw, asker: Asks) -> Call:
    number, count = draw
    item = Passage(
        chunk_id=chunk["chunk_id"],
        document_id=chunk["document_id"],
        text=chunk["text"],
        title=chunk["title"] or Path(chunk["file"]).stem,
        outline="",
        domain="",
        heading_path=tuple(chunk["heading_path"]),
        metadata=chunk["metadata"],
    )
    about = {"title": item.title, "section": item.section, "passage": item.shown}
    fields = about | {"count": count, "angle": ANGLES[number % len(ANGLES)]} | kind.fields
    return asker.plan(kind.prompt, fields, recipe=kind.name, chunk_id=item.chunk_id, draw=number)


async def _ask(kind: Kind, chunk: dict[str, Any], draws: Sequence[Draw], asker: Asker) -> Made:
    """What all draws about a passage have brought, each question once, and of each draw no more than was asked for."""
    found: dict[str, Pair] = {}
    made = Made(chunk, [], failed=False, key="", created="")
    for draw in draws:
        call = call_about(kind, chunk, draw, asker)
        made.key = content_id(made.key, call.key)
        reply = await asker.try_ask(call)
        made.failed = reply is None
        if reply is None:
            break
        made.created = max(made.created, reply.completion.created)
        whole = [kind.pair(item) for item in reply.items if item.question.strip() and item.answer.strip()]
        told = {"generated_at": reply.completion.created, "model": reply.completion.model}
        for pair in whole[: draw[1]]:
            found.setdefault(normalise(pair["question"]), pair | told)
    made.pairs = list(found.values())
    made.failed &= not made.pairs
    return made


def _reach(target: Target, chosen: Selection, kind: Kind, asker: Asker) -> Progress:
    """Ask until there are as many pairs as are wanted, or no passage gives any more; the journal has all replies.

    Returns what it took.
    """
    spent = Progress(0)

    def note(made: Made) -> None:
        target.note(made.chunk["chunk_id"], {normalise(pair["question"]) for pair in made.pairs})

    while due := target.due:
        work = (_ask(kind, chunk, due[chunk["chunk_id"]], asker) for chunk in chosen if chunk["chunk_id"] in due)
        asker.run(work, len(due), each=note)
        _add(asker.progress, spent)
        target.next_round()
    return spent


def _add(one: Progress, other: Progress) -> None:
    """Add what one run of an asker took to that of another, which found in the journal what the first had brought."""
    other.from_journal = max(0, other.from_journal - one.calls)
    other.calls += one.calls
    other.tokens += one.tokens
    other.usd = None if one.usd is None or other.usd is None else other.usd + one.usd


# --- writing ---


def _write(
    source: str | Path,
    output: Path,
    scope: Scope,
    kind: Kind,
    asker: Asker,
    run: Run,
) -> dict[str, int]:
    counts = dict.fromkeys(("chunks", "pairs", "empty_chunks", "failed_chunks", "not_following"), 0)
    total = sum(1 for _ in scope.asked())

    def why_nothing() -> str:
        causes = sorted({row.reason for row in asker.failed})
        return f"{source}: no pair came out of {total:,} passages ({'; '.join(causes[:3]) or 'none held any'})"

    with _opened(output, (chunk for chunk, _ in scope.asked()), kind, asker, run, why_nothing) as (write, folder):

        def take(made: Made) -> None:
            counts["chunks"] += 1
            counts["pairs"] += len(made.pairs)
            counts["failed_chunks"] += made.failed
            counts["empty_chunks"] += not made.pairs and not made.failed
            counts["not_following"] += sum(pair.get("follows") is False for pair in made.pairs)
            write(made)

        asker.run((_ask(kind, *one, asker) for one in scope.asked()), total, each=take)
    if not counts["pairs"]:
        raise NothingProduced(why_nothing())
    files = {"successful_files": folder.completed, "untouched": folder.kept} if folder else {}
    return counts | dict.fromkeys(("successful_files", "untouched"), 0) | files


@contextmanager
def _opened(
    output: Path,
    chunks: Iterable[dict[str, Any]],
    kind: Kind,
    asker: Asker,
    run: Run,
    why_nothing: Callable[[], str],
) -> Iterator[tuple[Callable[[Made], None], QaFolder | None]]:
    """The function that writes what came of a passage: to one file of rows, or to a folder with a file a document."""
    if output.suffix:
        with outputs.rows_to(output, why_nothing) as row:

            def write(made: Made) -> None:
                for pair in made.pairs:
                    row(_row(made.chunk, pair))

            yield write, None
        return
    settings = asker.settings
    info = {
        "generated_by": kind.name,
        "provider": asker.teacher.provider,
        "model": asker.teacher.model,
        "questions_per_chunk": settings.questions_per_chunk,
        "temperature": settings.teacher_temperature,
        "max_tokens": settings.teacher_max_tokens,
    }
    with writing(QaFolder(output, chunks, info, fresh=run.fresh), overwrite=run.overwrite) as folder:
        yield folder, folder


def _row(chunk: dict[str, Any], pair: Pair) -> Pair:
    told = ("question", "answer", "type")
    last = ("generated_at", "model")
    return {
        **{name: pair[name] for name in told},
        "chunk_id": chunk["chunk_id"],
        "source": chunk["document_id"] or chunk["file"],
        "source_file": chunk["file"],
        "source_text": chunk["text"],
        **{name: pair[name] for name in last},
        **{name: value for name, value in pair.items() if name not in (*told, *last)},
    }
