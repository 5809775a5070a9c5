"""Recipes: chunks -> planned calls -> replies in the journal -> samples.

Each chunk's chain (summaries or facts, then questions, then judgements) advances on its own; results come back in plan
order, whatever the order of completion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import resources
from typing import Any

import yaml

from ..documents.seeds import example_texts
from ..errors import NothingProduced, TooManyFailures
from ..records import Call, Chunk, Document, Passage, Question, Rejection, Sample, WorkedExample, content_id
from ..teachers import replies
from ..teachers.asker import Asker, Outcome, Session
from ..teachers.dry_run import DryRun, Estimate

SUMMARIES_PER_CALL = 5
JUDGEMENTS_PER_CALL = 25


@dataclass(frozen=True)
class Recipe:
    """Which prompts make one dataset, in order: a summary or facts (or neither), questions, a judge.

    `draws` are made of each passage, draw k from the k-th angle, with `questions_per_call` pairs from one call about a
    passage or a summary; `reasoning` says whether that of each answer is asked for.
    """

    name: str
    questions: str
    judge: str
    summary: str = ""
    facts: str = ""
    angles: tuple[str, ...] = ()
    questions_per_fact: int = 0
    facts_per_call: int = 10
    draws: int = 10
    questions_per_call: int = 5
    reasoning: bool = False


@dataclass
class Batch:
    """What a run of calls made: samples in plan order, and the calls that failed."""

    samples: list[Sample] = field(default_factory=list)
    failed: list[Rejection] = field(default_factory=list)
    calls: int = 0
    from_journal: int = 0


@cache
def load_recipe(name: str, **wanted: Any) -> Recipe:
    """The recipe of that name in `data/recipes`; `wanted` are other values of its fields."""
    text = (resources.files("ai_tools") / "data" / "recipes" / f"{name}.yaml").read_text("utf-8")
    content = yaml.safe_load(text)
    return Recipe(name=name, **(content | {"angles": tuple(content.get("angles", ()))} | wanted))


def passages(chunks: Iterable[dict[str, Any]], seed_data: Iterable[dict[str, Any]]) -> list[Passage]:
    """Join rows of chunks.jsonl and seed_data.jsonl by chunk id, in the order of the chunks."""
    seeds = {row["chunk_id"]: row for row in seed_data}
    return [
        replace(
            Passage.from_row(row | {"metadata": row.get("metadata") or {}}),
            title=seed["document_title"],
            outline=seed["document_outline"],
            domain=seed["domain"],
            example=_example(seed),
        )
        for row in chunks
        if (seed := seeds.get(row["chunk_id"]))
    ]


def _example(seed: dict[str, Any]) -> WorkedExample | None:
    """The worked example of a row of seed data, where it has one."""
    pairs = tuple((seed.get(f"icl_query_{n}"), seed.get(f"icl_response_{n}")) for n in (1, 2, 3))
    full = tuple((question, answer) for question, answer in pairs if question and answer)
    return WorkedExample(seed["icl_document"], full) if full and seed.get("icl_document") else None


def subsample(items: Sequence[Passage], count: int) -> list[Passage]:
    """At most `count` passages (0: all), taken in turn from every document, in their own order."""
    if not count or count >= len(items):
        return list(items)
    queues: dict[str, list[Passage]] = {}
    for item in items:
        queues.setdefault(item.document_id, []).append(item)
    turns = [(rank, order) for order, queue in enumerate(queues.values()) for rank in range(len(queue))]
    documents = list(queues.values())
    chosen = {documents[order][rank].chunk_id for rank, order in sorted(turns)[:count]}
    return [item for item in items if item.chunk_id in chosen]


def generate(items: Sequence[Passage], recipe: Recipe, *, asker: Asker) -> Batch:
    """Make one dataset.

    Raises:
        TooManyFailures: more than MAX_FAILURE_RATE of the calls failed; finished ones stay in the journal.
        NothingProduced: no sample came out.
    """
    outcome = asker.run(partial(_chain, recipe), items)
    samples = list({sample.sample_id: sample for chain in outcome.results for sample in chain}.values())
    _check_failures(recipe.name, outcome, asker)
    if not samples:
        offline = "; the offline teacher reads English prose only" if not asker.teacher.base_url else ""
        fix = f"look at the documents' text and the replies in the journal{offline}"
        raise NothingProduced(f"{recipe.name}: no pair came out of the passages ({len(items)}); {fix}")
    return Batch(samples, outcome.failed, outcome.usage.calls, outcome.usage.from_journal)


def _check_failures(name: str, outcome: Outcome[Any], asker: Asker) -> None:
    failed, asked = outcome.failed, outcome.asked
    if failed and len(failed) > asker.limits.max_failure_rate * asked:
        causes = "; ".join(sorted({rejection.reason for rejection in failed})[:3])
        again = "run again with RETRY_REJECTED=true" if any(row.check == "reply" for row in failed) else "run again"
        raise TooManyFailures(f"{name}: {len(failed)} of {asked} calls failed ({causes}); {again} to ask once more")


def plan(items: Sequence[Passage], recipes: Iterable[Recipe], *, asker: Asker) -> list[Estimate]:
    """What each dataset takes: the way that `generate` goes, without asking.

    Later calls depend on earlier replies; where these are not in the journal, replies of typical size are assumed.
    """
    return [DryRun(asker, recipe.name).run(partial(_chain, recipe), items) for recipe in recipes]


async def _chain(recipe: Recipe, item: Passage, session: Session) -> list[Sample]:
    if recipe.facts:
        samples = await _from_facts(item, recipe, session)
    elif recipe.summary:
        texts = await _summaries(item, recipe, session)
        per_summary = [_from_text(item, text, draw, angle, recipe, session) for draw, angle, text in texts]
        samples = [sample for part in await asyncio.gather(*per_summary) for sample in part]
    else:
        draws = [(draw, recipe.angles[(draw - 1) % len(recipe.angles)]) for draw in range(1, recipe.draws + 1)]
        per_draw = [_from_text(item, item.shown, draw, angle, recipe, session) for draw, angle in draws]
        samples = [sample for part in await asyncio.gather(*per_draw) for sample in part]
    return await _judge(item, samples, recipe, session)


async def _summaries(item: Passage, recipe: Recipe, session: Session) -> list[tuple[int, str, str]]:
    """(draw, angle, text) of all draws, asked for in fixed blocks, so that a larger number repeats nothing."""
    found = []
    for first in range(1, recipe.draws + 1, SUMMARIES_PER_CALL):
        angles = [recipe.angles[(draw - 1) % len(recipe.angles)] for draw in range(first, first + SUMMARIES_PER_CALL)]
        fields = _about(item) | {"passage": item.shown, "angles": angles}
        call = session.plan(recipe.summary, fields, recipe=recipe.name, chunk_id=item.chunk_id, draw=first)
        reply = await session.try_ask(call)
        if reply is not None:
            block = zip(range(first, recipe.draws + 1), reply.summaries, strict=False)
            found += [(draw, summary.angle, summary.text) for draw, summary in block if summary.text.strip()]
    return found


async def _from_text(item: Passage, text: str, draw: int, angle: str, recipe: Recipe, session: Session) -> list[Sample]:
    fields = _about(item) | {"passage": text, "count": recipe.questions_per_call, "angle": angle}
    fields["reasoning"] = recipe.reasoning
    if item.example and not _overlap(item.example.document, item.text):
        fields["worked_example"] = item.example
    call = session.plan(recipe.questions, fields, recipe=recipe.name, chunk_id=item.chunk_id, draw=draw)
    reply = await session.try_ask(call)
    if reply is None:
        return []
    return [_sample(item, pair, call, session, draw, text, reply=reply) for pair in reply.pairs]


def _overlap(one: str, other: str) -> bool:
    """Whether one of the texts holds the other: what was asked about the one must not be shown to be asked again."""
    return one.strip() in other or other.strip() in one


async def _from_facts(item: Passage, recipe: Recipe, session: Session) -> list[Sample]:
    origin = {"recipe": recipe.name, "chunk_id": item.chunk_id}
    listed = await session.try_ask(session.plan(recipe.facts, _about(item) | {"passage": item.shown}, **origin))
    facts = [] if listed is None else [{"id": f"f{n}", "text": text} for n, text in enumerate(listed.facts, 1)]
    texts = {fact["id"]: fact["text"] for fact in facts}
    document = "\n".join(texts.values())
    samples = []
    for number, block in enumerate(_blocks(facts, recipe.facts_per_call)):
        fields = _about(item) | {"facts": block, "count": recipe.questions_per_fact}
        fields["reasoning"] = recipe.reasoning
        call = session.plan(recipe.questions, fields, **origin, draw=number)
        reply = await session.try_ask(call)
        if reply is None:
            continue
        for pair in reply.pairs:
            if pair.id in texts:  # an unknown id cannot be led back to a fact
                samples.append(_sample(item, pair, call, session, 0, document, reply=reply, key_fact=texts[pair.id]))
    return samples


async def _judge(item: Passage, samples: list[Sample], recipe: Recipe, session: Session) -> list[Sample]:
    """Judged by the blocks that summaries are asked in, so that a larger count judges none of the earlier ones anew."""
    asked: dict[int, list[Sample]] = {}
    for one in samples:
        asked.setdefault((one.draw - 1) // SUMMARIES_PER_CALL, []).append(one)
    judged = []
    for block in (block for some in asked.values() for block in _blocks(some, JUDGEMENTS_PER_CALL)):
        pairs = [{"id": one.sample_id, "question": one.question, "answer": one.answer} for one in block]
        call = session.plan(
            recipe.judge, {"passage": item.shown, "pairs": pairs}, recipe=recipe.name, chunk_id=item.chunk_id
        )
        reply = await session.try_ask(call)
        verdicts = {verdict.id: verdict for verdict in reply.judgements} if reply else {}
        for one in block:
            verdict = verdicts.get(one.sample_id)
            judged.append(
                one
                if verdict is None
                else replace(
                    one,
                    faithfulness_judgment="YES" if verdict.grounded else "NO",
                    faithfulness_explanation=verdict.explanation,
                )
            )
    return judged


def example_passages(documents: Sequence[Document], chunks: Iterable[Chunk]) -> list[Passage]:
    """What a worked example of each document may be made of: its best texts of about 500 tokens, see `seeds`."""
    by_document: dict[str, list[Chunk]] = {document.id: [] for document in documents}
    for chunk in chunks:
        by_document[chunk.document_id].append(chunk)
    return [
        Passage(content_id(one.id, text), one.id, text, one.title)
        for one in documents
        for text in example_texts(one, by_document[one.id])
    ]


def worked_examples(items: Sequence[Passage], *, asker: Asker) -> tuple[dict[str, WorkedExample], list[Rejection]]:
    """An example of three pairs for each document id, from its first passage that yields three, else the best one.

    With it come the calls that came to nothing.
    """
    by_document: dict[str, list[Passage]] = {}
    for item in items:
        by_document.setdefault(item.document_id, []).append(item)

    async def example(candidates: list[Passage], session: Session) -> WorkedExample:
        best = WorkedExample(candidates[0].text, ())
        for item in candidates:
            fields = {"title": item.title, "passage": item.text, "count": 3}
            call = session.plan("worked_example", fields, recipe="worked_example", chunk_id=item.chunk_id)
            reply = await session.try_ask(call)
            pairs = {pair.question.strip(): pair.answer.strip() for pair in (reply.pairs if reply else ())}
            full = tuple((question, answer) for question, answer in pairs.items() if question and answer)
            best = max(best, WorkedExample(item.text, full[:3]), key=lambda one: len(one.pairs))
            if len(best.pairs) == 3:
                break
        return best

    outcome = asker.run(example, by_document.values())
    _check_failures("worked examples", outcome, asker)
    return dict(zip(by_document, outcome.results, strict=True)), outcome.failed


def write_exam(items: Sequence[Passage], *, asker: Asker, per_passage: int = 5) -> list[Question]:
    """An exam from the documents themselves, marked `generated`; its wordings differ from those of the recipes."""

    async def questions(item: Passage, session: Session) -> list[Question]:
        fields = _about(item) | {"passage": item.shown, "count": per_passage}
        reply = await session.try_ask(session.plan("exam", fields, recipe="exam", chunk_id=item.chunk_id))
        asked = reply.questions if reply else []
        return [_exam_question(item, one) for one in asked if one.question.strip() and one.answer.strip()]

    outcome = asker.run(questions, items)
    found = {one.id: one for part in outcome.results for one in part}
    _check_failures("exam", outcome, asker)
    if not found:
        raise NothingProduced(f"the teacher wrote no exam question for {len(items)} passages; set EXAM to a file")
    return list(found.values())


def _exam_question(item: Passage, one: replies.ExamQuestion) -> Question:
    name = content_id(item.chunk_id, one.question)
    question, answer = one.question.strip(), one.answer.strip()
    options = {answer, *(option.strip() for option in one.wrong_options)}
    shuffled = tuple(sorted(options, key=lambda option: content_id(name, option)))
    return Question(f"generated-{name}", question, answer, shuffled, item.document_id, source="generated")


def _about(item: Passage) -> dict[str, Any]:
    return {"title": item.title, "section": item.section}


def _sample(
    item: Passage,
    pair: replies.Pair,
    call: Call,
    session: Session,
    draw: int,
    document: str,
    *,
    reply: replies.Reply,
    key_fact: str | None = None,
) -> Sample:
    # What a model thought aloud belongs to its call; with one pair in it, it is that pair's.
    thinking = reply.thinking if len(reply.items) == 1 else ""
    reasoning = (pair.reasoning.strip() or thinking) if call.fields["reasoning"] else ""
    return Sample(
        sample_id=content_id(call.recipe, item.chunk_id, draw, pair.question, pair.answer),
        recipe=call.recipe,
        chunk_id=item.chunk_id,
        document_id=item.document_id,
        draw=draw,
        document_outline=item.outline,
        domain=item.domain,
        document=document,
        source_text=item.text,
        question=pair.question.strip(),
        answer=pair.answer.strip(),
        model=session.teacher.model,
        prompt_version=call.prompt_version,
        key_fact=key_fact,
        reasoning=reasoning or None,
        type="cot" if reasoning else "qa",
    )


def _blocks(items: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
