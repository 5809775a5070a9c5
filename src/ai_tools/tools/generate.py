"""Pairs from passages: `generate` by instruction backtranslation, `generate-cot` with the reasoning of each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from time import monotonic
from typing import Any

from .. import checks, teachers
from ..documents.passages import CODE_TABLE
from ..files import Register
from ..matching import normalise
from ..records import Call, Completion, Pair, Teacher, Usage, content_id
from ..settings import Settings
from ..teachers import prompts
from ..teachers.asker import Asker, Outcome, Session
from ..teachers.prompts import Prompt
from ..workspace import journal_path
from . import outputs, reading, running
from .one_file import Made, OneFile
from .qa_folder import QaFolder
from .reasoning import follows, numbered
from .running import Run, ToolSummary
from .targets import Extent, Inquiry, Scope

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
class GenerateSummary(ToolSummary):
    """What `generate_qa` or `generate_cot` made.

    `empty_chunks` held nothing to ask, `failed_chunks` got no usable reply. Of a folder, `successful_files` were
    completed, `untouched` of them before, and of `failed_files` every chunk failed; 0 where the output is one file.
    `rejected` counts the pairs that were left out, by the check of `checks` that they failed.
    """

    chunks: int
    pairs: int
    empty_chunks: int
    failed_chunks: int
    successful_files: int
    failed_files: int
    untouched: int
    not_following: int
    rejected: dict[str, int]

    @property
    def rejections(self) -> list[str]:
        return checks.told(self.rejected)


@dataclass(frozen=True)
class Kind:
    """What is asked about a passage, in words of its own where that is `code`, and what a pair is made of the reply."""

    name: str
    prompt: Prompt
    fields: dict[str, Any]
    pair: Callable[[Any], Pair]
    instructions: str = ""
    own: dict[str, str] = field(default_factory=dict)  # the user's words that stand in place of the prompt's
    code: Prompt | None = None


def generate_qa(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    target_pairs: int | None = None,
    max_chunks: int | None = None,
    system_message: str = "",
    extra_instructions: str = "",
    prompt_template: str = "",
    run: Run | None = None,
) -> GenerateSummary:
    """Instruction backtranslation (arXiv 2308.06259): each passage is the answer, the teacher asks.

    `questions_per_chunk` pairs of each passage, or `target_pairs` in all, spread over the documents. Every reply is in
    the journal of OUTPUT_DIR before it is used, so that a rerun goes on where the last one ended.

    Args:
        source: a LanceDB folder, a folder of `*_chunks.json`, one such file, chunks.jsonl, seed_data.jsonl, or
            documents, which are converted and chunked first.
        output: a `.json` or `.jsonl` file of rows `{question, answer, type, chunk_id, source, source_file, source_text,
            generated_at, model}`, or a folder, which gets a `<document>_qa.json` for each document.
        tables: of a LanceDB folder; `text_chunks` where none is named.
        max_chunks: at most so many passages, spread over tables and documents; title lines come last.
        system_message: in place of the prompt's own; `extra_instructions` are added to it (CUSTOMISATION_PROMPT where
            empty); `prompt_template` is in place of the prompt's text, see `prompts.own`.

    Raises:
        InputError: the source cannot be used. UsageError: the output is not ours, or the template no such.
        NothingProduced: no pair came out. What stops a run besides is in `errors`; the journal keeps all it made.
    """
    kind = questions(
        extra_instructions.strip() or settings.customisation_prompt,
        reasoning=settings.enable_reasoning,
        system_message=system_message,
        template=prompt_template,
    )
    return _generate(source, output, settings, kind, Extent(tables, target_pairs, max_chunks), run or Run())


def generate_cot(
    source: str | Path,
    output: str | Path,
    settings: Settings,
    *,
    tables: Sequence[str] = (),
    target_pairs: int | None = None,
    max_chunks: int | None = None,
    topic: str = "",
    run: Run | None = None,
) -> GenerateSummary:
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


def questions(instructions: str, *, reasoning: bool, system_message: str = "", template: str = "") -> Kind:
    """What `generate_qa` asks. Raises UsageError for a template that cannot be."""
    prompt = prompts.load("questions")
    own = {"system message": system_message.strip(), "template": template.strip()}
    own = {name: text for name, text in own.items() if text}
    code = None if own else prompts.load("code_questions")
    if own:
        prompt = prompts.own(prompt, system=system_message, template=template)
    return Kind("generate", prompt, {"reasoning": reasoning}, _plain_pair, instructions, own, code)


def _plain_pair(item: Any) -> Pair:
    pair = {"question": item.question.strip(), "answer": item.answer.strip(), "type": "qa"}
    return pair | ({"type": "cot", "reasoning": item.reasoning.strip()} if item.reasoning else {})


def _reasoned_pair(item: Any) -> Pair:
    answer, reasoning = item.answer.strip(), numbered(item.steps)
    said = {"question": item.question.strip(), "answer": answer, "type": "cot", "reasoning": reasoning}
    return said | {"follows": follows(item, reasoning, answer)}


def _generate(
    source: str | Path, output: str | Path, settings: Settings, kind: Kind, extent: Extent, run: Run
) -> GenerateSummary:
    started, output = monotonic(), Path(output)
    extent.check()
    teacher = teachers.connect(settings)  # that a key is missing is said before any document is read
    register = Register(journal_path(settings.output), kind.name)
    # Which files a folder gets, and whether they may be replaced, is known only when the passages are read.
    outputs.check(output, register, source=reading.path_of(source), overwrite=run.overwrite, into=())
    with reading.opened(source, settings, tables=extent.tables, on_reading=run.on_reading) as found:
        scope = Scope(found, extent, settings.questions_per_chunk)
        sink: OneFile | QaFolder = OneFile(output, register.note)
        if not output.suffix:
            made_by = {"generated_by": kind.name, "provider": teacher.provider, "model": teacher.model}
            asked = {"temperature": settings.teacher_temperature, "max_tokens": settings.teacher_max_tokens}
            info = made_by | {"questions_per_chunk": settings.questions_per_chunk} | asked
            words = (kind.prompt.version, kind.instructions, kind.own, kind.fields)
            info["fingerprint"] = content_id(*words, *info.values(), settings.seed, settings.teacher_top_p)
            sink = QaFolder(output, scope.documents, info, register, fresh=run.fresh)
            sink.check(scope.chosen, overwrite=run.overwrite)
        with running.asking(
            kind.name, *_plan(scope, kind, sink), settings, run,
            unread=found.failed, instructions=kind.instructions, own=kind.own, notice=found.notice,
        ) as asker:  # fmt: skip
            counts, rejected, runs = _work(source, scope, kind, asker, sink)
        failed = [row for one in runs for row in one.failed]
        usage = sum((one.usage for one in runs), Usage())
        warnings = [*_warnings(kind, teacher, extent.target_pairs or 0, counts["pairs"]), *sink.warnings]
        done = running.done(
            teacher, output, started, usage, failed,
            unread=found.failed, warnings=warnings, held_back=found.held_back,
        )  # fmt: skip
    files = {"successful_files": sink.completed, "failed_files": sink.failed, "untouched": sink.kept}
    return GenerateSummary(**{**vars(done), **counts, **files}, rejected=dict(rejected))


def _warnings(kind: Kind, teacher: Teacher, wanted: int, count: int) -> Iterator[str]:
    if not teacher.base_url and (kind.own or kind.instructions):
        yield "the offline teacher reads no prompt: your own words to it have no effect"
    if count < 0.9 * wanted:
        yield f"{wanted:,} pairs were wanted, and the passages gave no more than {count:,}"


# --- asking ---


def call_about(kind: Kind, inquiry: Inquiry, session: Session) -> Call:
    passage, angle = inquiry.passage, ANGLES[inquiry.number % len(ANGLES)]
    title = passage.title or PurePath(passage.file).stem
    about = {"title": title, "section": passage.section, "passage": passage.shown}
    is_code = passage.origin == CODE_TABLE
    fields = about | {"count": inquiry.count, "angle": angle, "code": is_code} | kind.fields
    prompt = kind.code if kind.code and is_code else kind.prompt
    return session.plan(prompt, fields, recipe=kind.name, chunk_id=passage.chunk_id, draw=inquiry.number)


def pairs_of(reply: Any, kind: Kind, inquiry: Inquiry) -> tuple[dict[str, Pair], Counter[str]]:
    """The pairs of a reply that can be used, by their questions: each once, and no more than were asked for.

    With them come the checks that others failed.
    """
    found: dict[str, Pair] = {}
    rejected, passage, is_told = Counter[str](), inquiry.passage.shown, bool(kind.instructions or kind.own)
    good = []
    for item in reply.items if reply else ():
        if fault := checks.fault(item.question, item.answer, passage, any_language=is_told):
            rejected[fault[0]] += 1
        else:
            good.append(item)
    for pair in map(kind.pair, good[: inquiry.count]):
        found.setdefault(normalise(pair["question"]), pair)
    return found, rejected


def _plan(
    scope: Scope, kind: Kind, sink: OneFile | QaFolder
) -> tuple[Iterator[Inquiry], Callable[[Inquiry, Session], Awaitable[None]]]:
    """What is gone through for the plan, round by round as in the run; and how."""
    rounds = scope.rounds()

    def inquiries() -> Iterator[Inquiry]:
        while rounds.due:
            yield from scope.inquiries(rounds)
            rounds.next_round()

    async def chain(inquiry: Inquiry, session: Session) -> None:
        call = call_about(kind, inquiry, session)
        standing = sink.standing(inquiry, call.key)
        pairs = standing.pairs if standing else pairs_of(await session.try_ask(call), kind, inquiry)[0]
        rounds.note(inquiry.place, pairs)

    return inquiries(), chain


async def _ask(kind: Kind, sink: OneFile | QaFolder, inquiry: Inquiry, session: Session) -> Made:
    call = call_about(kind, inquiry, session)
    if made := sink.standing(inquiry, call.key):
        return made
    reply = await session.try_ask(call)
    by = reply.completion if reply else Completion("", "")
    pairs, rejected = pairs_of(reply, kind, inquiry)
    return Made(inquiry, pairs, reply is None, call.key, by.created, by.model, rejected=rejected)


def _work(
    source: str | Path, scope: Scope, kind: Kind, asker: Asker, sink: OneFile | QaFolder
) -> tuple[Counter[str], Counter[str], list[Outcome[Made]]]:
    """Ask, round by round, and hand on what comes: how much that was, what was rejected, and how each round went.

    Raises:
        NothingProduced: no pair came.
    """
    rounds, counts, rejected, runs = scope.rounds(), Counter[str](), Counter[str](), list[Outcome[Made]]()

    def take(made: Made) -> None:
        made.pairs = {question: made.pairs[question] for question in rounds.note(made.inquiry.place, made.pairs)}
        is_first = made.inquiry.number == 0  # a passage that gave nothing then is not asked about again
        counts.update(
            chunks=is_first,
            pairs=len(made.pairs),
            failed_chunks=is_first and made.failed,
            empty_chunks=is_first and not (made.failed or made.pairs or made.rejected),
            not_following=sum(pair.get("follows") is False for pair in made.pairs.values()),
        )
        rejected.update(made.rejected)
        sink.take(made)

    def why_nothing() -> str:
        calls = running.why(*running.causes_of([row for one in runs for row in one.failed]))
        why = "; ".join(filter(None, [calls, *checks.told(rejected)])) or "none held any"
        if not asker.teacher.base_url:
            why += "; the offline teacher reads English prose only"
        return f"{source}: no pair came out of {counts['chunks']:,} passages ({why})"

    with sink.writing(why_nothing):
        while rounds.due:
            sink.due, sink.is_last = scope.documents_of(rounds.asked), rounds.is_last
            runs.append(asker.run(partial(_ask, kind, sink), scope.inquiries(rounds), len(rounds.due), each=take))
            rounds.next_round()
    return counts, rejected, runs
