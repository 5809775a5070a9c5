"""Recipes: chunks -> planned calls -> replies in the journal -> samples.

Each chunk's chain (summaries or facts, then questions, then judgements) advances on its own; results come back in plan
order, whatever the order of completion.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import resources
from operator import attrgetter
from typing import Any, Literal

import yaml

from .. import checks
from ..errors import NothingProduced, TooManyFailures
from ..records import Call, Passage, Question, Rejection, Sample, WorkedExample, content_id, grouped, in_turn
from ..teachers import replies
from ..teachers.asker import Asker, Outcome, Session, how_again
from ..teachers.by_id import ask_by_id
from ..teachers.dry_run import DryRun, Estimate

SUMMARIES_PER_CALL = 5
JUDGEMENTS_PER_CALL = 25
EXAM_QUESTIONS = 5  # of each passage


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

    def angle(self, draw: int) -> str:
        return self.angles[(draw - 1) % len(self.angles)]


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
    queues = grouped(items, lambda item: item.document_id).values()
    chosen = {item.chunk_id for item in in_turn(queues)[:count]}
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
    """Raise TooManyFailures where more than may have failed, and else warn of those that did."""
    failed, asked = outcome.failed, outcome.asked
    if not failed:
        return
    causes = "; ".join(sorted({rejection.reason for rejection in failed})[:3])
    lost = f"{name}: {len(failed)} of {asked} calls failed ({causes}); {how_again(failed)}"
    if len(failed) > asker.limits.max_failure_rate * asked:
        raise TooManyFailures(lost)
    warnings.warn(f"{lost}, with --fresh once the step is complete", stacklevel=3)


def plan(items: Sequence[Passage], recipes: Sequence[Recipe], *, asker: Asker) -> list[Estimate]:
    """What each dataset takes: the way that `generate` goes, without asking.

    Later calls depend on earlier replies; where these are not in the journal, replies of typical size are assumed.
    """
    estimates = [DryRun(asker, recipe.name).run(partial(_chain, recipe), items) for recipe in recipes]
    return [replace(one, note=_spare(recipe, asker)) for one, recipe in zip(estimates, recipes, strict=True)]


def _spare(recipe: Recipe, asker: Asker) -> str:
    """What is asked for beyond what is used, since summaries come in blocks."""
    size = min(SUMMARIES_PER_CALL, asker.limits.items_per_call or SUMMARIES_PER_CALL)
    asked = -(-recipe.draws // size) * size
    if not recipe.summary or asked == recipe.draws:
        return ""
    return f"{asked} summaries of each passage are asked for, in blocks of {size}, and {recipe.draws} used"


async def _chain(recipe: Recipe, item: Passage, session: Session) -> list[Sample]:
    return await _PassageChain(recipe, item, session).samples()


@dataclass(frozen=True)
class _PassageChain:
    """What is asked about one passage by one recipe: each call follows from the replies to those before."""

    recipe: Recipe
    item: Passage
    session: Session

    async def samples(self) -> list[Sample]:
        if self.recipe.facts:
            return await self.judged(await self.of_facts())
        texts = await self.summaries() if self.recipe.summary else self.draws_of_the_passage()
        parts = await asyncio.gather(*(self.of_text(*text) for text in texts))
        return await self.judged([sample for part in parts for sample in part])

    async def ask(self, prompt: str, fields: dict[str, Any], draw: int = 0) -> tuple[Call, Any]:
        """The call, and the reply to it or None."""
        call = self.session.plan(prompt, fields, **self.origin, draw=draw)
        return call, await self.session.try_ask(call)

    @property
    def origin(self) -> dict[str, str]:
        return {"recipe": self.recipe.name, "chunk_id": self.item.chunk_id}

    def draws_of_the_passage(self) -> list[tuple[int, str, str]]:
        return [(draw, self.recipe.angle(draw), self.item.shown) for draw in range(1, self.recipe.draws + 1)]

    async def summaries(self) -> list[tuple[int, str, str]]:
        """(draw, angle, text) of all draws, asked for in fixed blocks, so that a larger number repeats nothing."""
        found = []

        def call_about(angles: Sequence[str]) -> Call:
            return self.session.plan(self.recipe.summary, _about(self.item) | {"angles": angles}, **self.origin)

        angles = [self.recipe.angle(draw) for draw in range(1, self.recipe.draws + SUMMARIES_PER_CALL)]
        size = self.session.fit(call_about, angles, SUMMARIES_PER_CALL)
        for first in range(1, self.recipe.draws + 1, size):
            fields = _about(self.item) | {"angles": angles[first - 1 :][:size]}
            _, reply = await self.ask(self.recipe.summary, fields, first)
            if reply is not None:
                block = zip(range(first, self.recipe.draws + 1), reply.summaries, strict=False)
                found += [(draw, summary.angle, summary.text) for draw, summary in block if summary.text.strip()]
        return found

    async def of_text(self, draw: int, angle: str, text: str) -> list[Sample]:
        fields = _about(self.item, text) | {"count": self.recipe.questions_per_call, "angle": angle}
        fields["reasoning"] = self.recipe.reasoning
        if self.item.example and not _overlap(self.item.example.document, self.item.text):
            fields["worked_example"] = self.item.example
        call, reply = await self.ask(self.recipe.questions, fields, draw)
        return [self.sample(pair, call, reply, text) for pair in reply.pairs] if reply else []

    async def of_facts(self) -> list[Sample]:
        _, listed = await self.ask(self.recipe.facts, _about(self.item))
        texts = {f"f{number}": text for number, text in enumerate(listed.facts if listed else (), 1)}
        facts = [{"id": name, "text": text} for name, text in texts.items()]
        fields = _place(self.item) | {"count": self.recipe.questions_per_fact, "reasoning": self.recipe.reasoning}
        said = await ask_by_id(
            self.session, self.recipe.questions, fields, facts,
            origin=self.origin, most=self.recipe.facts_per_call, shown_as="facts",
        )  # fmt: skip
        whole = "\n".join(texts.values())
        return [self.sample(one.part, one.call, one.reply, whole, texts[one.id]) for one in said]

    def sample(
        self, pair: replies.PlainPair, call: Call, reply: replies.Reply, document: str, key_fact: str = ""
    ) -> Sample:
        # What a model thought aloud belongs to its call; with one pair in it, it is that pair's.
        thinking = reply.thinking if len(reply.items) == 1 else ""
        reasoning = (pair.reasoning.strip() or thinking) if self.recipe.reasoning else ""
        draw = 0 if key_fact else call.draw
        return Sample(
            sample_id=content_id(call.recipe, self.item.chunk_id, draw, pair.question, pair.answer),
            recipe=call.recipe,
            chunk_id=self.item.chunk_id,
            document_id=self.item.document_id,
            draw=draw,
            document_outline=self.item.outline,
            domain=self.item.domain,
            document=document,
            source_text=self.item.text,
            question=pair.question.strip(),
            answer=pair.answer.strip(),
            model=self.session.teacher.model,
            prompt_version=call.prompt_version,
            key_fact=key_fact,
            reasoning=reasoning,
            type="cot" if reasoning else "qa",
        )

    async def judged(self, samples: list[Sample]) -> list[Sample]:
        """By the blocks that summaries are asked in, so that a larger count judges none of the earlier ones anew."""
        of_calls = grouped(samples, lambda one: (one.draw - 1) // SUMMARIES_PER_CALL).values()
        fields, verdicts = {"passage": self.item.shown}, dict[str, replies.Judgement]()
        for block in of_calls:
            pairs = [{"id": one.sample_id, "question": one.question, "answer": one.answer} for one in block]
            said = await ask_by_id(
                self.session, self.recipe.judge, fields, pairs, origin=self.origin, most=JUDGEMENTS_PER_CALL
            )
            verdicts |= {one.id: one.part for one in said}
        return [_with_verdict(one, verdicts.get(one.sample_id)) for one in samples]


def _with_verdict(sample: Sample, verdict: replies.Judgement | None) -> Sample:
    if verdict is None:
        return sample
    judgement: Literal["YES", "NO"] = "YES" if verdict.grounded else "NO"
    return replace(sample, faithfulness_judgment=judgement, faithfulness_explanation=verdict.explanation)


def _overlap(one: str, other: str) -> bool:
    """Whether one of the texts holds the other: what was asked about the one must not be shown to be asked again."""
    return one.strip() in other or other.strip() in one


def worked_examples(items: Sequence[Passage], *, asker: Asker) -> tuple[dict[str, WorkedExample], list[Rejection]]:
    """An example of three pairs for each document id, from its first passage that yields three, else the best one.

    With it come the calls that came to nothing, and the pairs that failed a check.
    """
    by_document = grouped(items, attrgetter("document_id"))
    outcome = asker.run(_worked_example, by_document.values())
    _check_failures("worked examples", outcome, asker)
    examples = {name: best for name, (best, _) in zip(by_document, outcome.results, strict=True)}
    return examples, [*outcome.failed, *(row for _, rejected in outcome.results for row in rejected)]


def plan_worked_examples(items: Sequence[Passage], *, asker: Asker) -> Estimate:
    """What `worked_examples` takes, without asking; a document's first passage is assumed to yield three pairs."""
    return DryRun(asker, "worked examples").run(_worked_example, grouped(items, attrgetter("document_id")).values())


async def _worked_example(candidates: list[Passage], session: Session) -> tuple[WorkedExample, list[Rejection]]:
    best, rejected = WorkedExample(candidates[0].text, ()), list[Rejection]()
    for item in candidates:
        fields = {"title": item.title, "passage": item.text, "count": 3}
        call = session.plan("worked_example", fields, recipe="worked_example", chunk_id=item.chunk_id)
        reply = await session.try_ask(call)
        good = _checked(item, reply, rejected)
        full = tuple({pair.question.strip(): pair.answer.strip() for pair in good}.items())
        best = max(best, WorkedExample(item.text, full[:3]), key=lambda one: len(one.pairs))
        if len(best.pairs) == 3:
            break
    return best, rejected


def _checked(item: Passage, reply: replies.Reply | None, rejected: list[Rejection]) -> list[Any]:
    """The pairs of a reply that pass the checks; each of the others goes to `rejected`."""
    good = []
    for pair in reply.items if reply else ():
        if fault := checks.fault(pair.question, pair.answer, item.shown):
            rejected.append(_left_out(item, pair, *fault))
        else:
            good.append(pair)
    return good


def _left_out(item: Passage, pair: Any, check: str, reason: str) -> Rejection:
    return Rejection(check, reason, {"chunk_id": item.chunk_id, "question": pair.question, "answer": pair.answer})


def write_exam(items: Sequence[Passage], *, asker: Asker) -> tuple[list[Question], list[Rejection]]:
    """An exam from the documents themselves, marked `generated`; its wordings differ from those of the recipes.

    With it come the calls that came to nothing, and the questions that failed a check or have no four options.
    """
    outcome = asker.run(_exam_questions, items)
    found = {one.id: one for asked, _ in outcome.results for one in asked}
    rejected = [row for _, rows in outcome.results for row in rows]
    _check_failures("exam", outcome, asker)
    if not found:
        why = "".join(f" ({told})" for told in checks.told(Counter(row.check for row in rejected)))
        raise NothingProduced(f"the teacher wrote no exam question for {len(items)} passages{why}; set EXAM to a file")
    return list(found.values()), [*outcome.failed, *rejected]


def plan_exam(items: Sequence[Passage], *, asker: Asker) -> Estimate:
    """What `write_exam` takes, without asking."""
    return DryRun(asker, "exam").run(_exam_questions, items)


async def _exam_questions(item: Passage, session: Session) -> tuple[list[Question], list[Rejection]]:
    fields = _about(item) | {"count": EXAM_QUESTIONS}
    reply = await session.try_ask(session.plan("exam", fields, recipe="exam", chunk_id=item.chunk_id))
    asked, rejected = list[Question](), list[Rejection]()
    for one in _checked(item, reply, rejected):
        options, why = checks.options(one.answer, one.wrong_options, item.shown)
        if why:
            rejected.append(_left_out(item, one, "options", why))
        else:
            asked.append(_exam_question(item, one, options))
    return asked, rejected


def _exam_question(item: Passage, one: replies.ExamQuestion, options: Iterable[str]) -> Question:
    name = content_id(item.chunk_id, one.question)
    question, answer = one.question.strip(), one.answer.strip()
    shuffled = tuple(sorted(options, key=lambda option: content_id(name, option)))
    return Question(f"generated-{name}", question, answer, shuffled, item.document_id, source="generated")


def _place(item: Passage) -> dict[str, Any]:
    return {"title": item.title, "section": item.section}


def _about(item: Passage, text: str = "") -> dict[str, Any]:
    """The passage, or a text that was made of it, and where it stands."""
    return _place(item) | {"passage": text or item.shown}
