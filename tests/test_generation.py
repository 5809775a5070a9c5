"""Generation: plan order, resuming, blocks, attribution, failures as data. The teacher is a small real object."""

import asyncio
import gc
import json
import random
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from ai_tools import files, teachers, workspace
from ai_tools.documents import seeds
from ai_tools.documents.chunking import chunk_document
from ai_tools.errors import NothingProduced, TooManyFailures
from ai_tools.records import (
    Answer,
    Call,
    CallFault,
    Chunk,
    Completion,
    Document,
    Passage,
    Progress,
    Question,
    Sample,
    WorkedExample,
)
from ai_tools.settings import Settings
from ai_tools.steps import curation, evaluation, generation, mixing
from ai_tools.steps.generation import Batch, Recipe, load_recipe
from ai_tools.teachers import make_asker
from ai_tools.teachers.dry_run import Estimate
from ai_tools.teachers.journal import Journal
from ai_tools.teachers.prompts import Sampling
from ai_tools.teachers.replies import BadReply

PROMPTS = ("extractive_summary", "detailed_summary", "key_facts", "questions", "fact_questions", "faithfulness")


class FakeTeacher:
    """Answers from a call's fields, each call alike at any time; keeps the calls and how many were in flight."""

    provider = "fake"
    model = "m"
    base_url = ""
    own_host = True
    concurrency = 64
    facts = 12

    def __init__(self, *, pairs_per_call: int = 2, delays: Iterator[float] | None = None):
        self.pairs_per_call, self.delays = pairs_per_call, delays
        self.calls: list[Call] = []
        self.in_flight = self.most_in_flight = 0

    async def complete(self, call: Call) -> Completion:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(next(self.delays) if self.delays else 0)
        finally:
            self.in_flight -= 1
        self.calls.append(call)
        return Completion(self.reply(call), self.model, prompt_tokens=100, completion_tokens=10)

    async def close(self) -> None:
        pass

    def reply(self, call: Call) -> str:
        return json.dumps({call.reply: getattr(self, f"make_{call.reply}")(call)})

    def make_summaries(self, call: Call) -> list[Any]:
        return [{"angle": angle, "text": f"{angle}: {call.fields['passage']}"} for angle in call.fields["angles"]]

    def make_facts(self, call: Call) -> list[Any]:
        return [f"{call.fields['passage']} Fact {number}." for number in range(self.facts)]

    def make_pairs(self, call: Call) -> list[Any]:
        facts = call.fields.get("facts") or [{"id": "", "text": call.fields["passage"]}]
        return [
            {"id": fact["id"], "question": f" What {n} of {fact['text']}?", "answer": f"Answer {n}\nof {fact['text']} "}
            for fact in facts
            for n in range(self.pairs_per_call)
        ]

    def make_judgements(self, call: Call) -> list[Any]:
        return [{"id": pair["id"], "explanation": pair["answer"], "grounded": True} for pair in call.fields["pairs"]]

    def count(self, prompt: str) -> int:
        return sum(call.prompt == prompt for call in self.calls)


class Angled(FakeTeacher):
    """Asks something else about every angle."""

    def make_pairs(self, call: Call) -> list[Any]:
        angle = call.fields.get("angle", "")
        return [pair | {"question": f"{angle}: {pair['question']}"} for pair in super().make_pairs(call)]


class CutTeacher(FakeTeacher):
    """Has its replies to one prompt cut off after some of their characters, by a limit of ours or by another one."""

    def __init__(self, prompt: str, kept: Callable[[str], int], *, ours: bool, finish_reason: str = "length"):
        super().__init__()
        self.prompt, self.kept, self.ours, self.finish_reason = prompt, kept, ours, finish_reason

    async def complete(self, call: Call) -> Completion:
        done = await super().complete(call)
        if call.prompt != self.prompt:
            return done
        written = call.max_tokens if self.ours else 7
        text, reason = done.text[: self.kept(done.text)], self.finish_reason
        return replace(done, text=text, finish_reason=reason, completion_tokens=written)


class ExamTeacher(FakeTeacher):
    def reply(self, call: Call) -> str:
        good = {"question": f"When, in {call.fields['title']}?", "answer": " At noon. "}
        wrong = {"wrong_options": ["At dusk.", " At dawn. ", "Never."]}
        return json.dumps(
            {"questions": [good | wrong, good | wrong | {"question": " "}, good | wrong | {"answer": ""}]}
        )


class JapaneseTeacher(FakeTeacher):
    """Asks of every fact of a passage what it is about; the facts are its sentences, 「x」は「y」です。"""

    def make_facts(self, call: Call) -> list[Any]:
        return re.findall("[^。]+。", call.fields["passage"])

    def make_pairs(self, call: Call) -> list[Any]:
        told = [(fact["id"], *fact["text"].strip().rstrip("です。").split("は")) for fact in call.fields["facts"]]
        return [
            {"id": name, "question": f"{what}は何ですか？", "answer": f"{value}です。"} for name, what, value in told
        ]


def passage(name: str, document: str = "d1", text: str = "", title: str = "Bells") -> Passage:
    return Passage(
        name, document, text or f"Text {name}.", title, f"the book of {document}", "bells", ("Ringing", "Noon")
    )


ITEMS = [passage("c1"), passage("c2"), passage("c3", "d2"), passage("c4", "d2")]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


@pytest.fixture
def settings(toy_settings: Settings) -> Settings:
    return toy_settings.with_(number_of_summaries=5, questions_per_chunk=2)


def recipe_of(name: str, settings: Settings) -> Recipe:
    """A recipe with the values that the settings have for it, as in step 03."""
    wanted = {"draws": settings.summaries, "questions_per_call": settings.questions_per_chunk}
    return load_recipe(name, **wanted, reasoning=settings.enable_reasoning)


def make(
    recipe: str,
    teacher: FakeTeacher,
    journal: Journal,
    settings: Settings,
    items: list[Passage] = ITEMS,
    **options: Any,
) -> Batch:
    asker = make_asker(settings, journal, teacher=teacher, **options)
    return generation.generate(items, recipe_of(recipe, settings), asker=asker)


def test_a_japanese_document_is_chunked_asked_about_sealed_and_graded(
    journal: Journal, settings: Settings, toy_tokenizer: Tokenizer
) -> None:
    things = "赤い灯台の番人", "北の港の深さ", "古い鐘の重さ", "倉庫の鍵の色", "水門の検査の間隔", "船着き場の長さ"
    values = "山田", "四十メートル", "２４トン", "青", "二十四か月", "百歩"
    text = "".join(f"{what}は{value}です。" for what, value in zip(things, values, strict=True))
    document = Document("d1", "a.md", "a.md", "港", "text/markdown", "", "", text)
    chunks = chunk_document(document, max_tokens=120, tokenizer=toy_tokenizer)
    assert len(chunks) > 2
    assert all(chunk.text.endswith("です。") for chunk in chunks)
    items = [passage(chunk.chunk_id, text=chunk.text, title="港") for chunk in chunks]
    batch = make("key_facts_to_qa", JapaneseTeacher(), journal, settings, items)
    kept, rejected = curation.curate(batch.samples)
    assert [len(kept), len(rejected)] == [6, 0]
    exam = [Question("q", "教えてください。水門の検査の間隔は何ですか", "24か月"), Question("r", "鍵は何色？", "青")]
    clean, sealed, _ = mixing.decontaminate({"key_facts_to_qa": kept}, exam)
    assert [one.row["question"] for one in sealed] == ["水門の検査の間隔は何ですか？"]
    assert len(clean["key_facts_to_qa"]) == 5
    told = [Answer("r", "base", "", "青", said, None, (), "d1", "recall") for said in ("鍵は青です。", "鍵は赤です。")]
    assert [evaluation.GRADERS["contains"](one) for one in told] == [1.0, 0.0]


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_samples_come_in_plan_order_whatever_the_order_of_completion(
    recipe: str, journal: Journal, settings: Settings, tmp_path: Path
) -> None:
    rng = random.Random(0)
    delays = iter(lambda: rng.random() / 300, None)
    hurried = make(recipe, FakeTeacher(delays=delays), journal, settings)
    with Journal(tmp_path / "other/journal.sqlite") as other:
        orderly = make(recipe, FakeTeacher(), other, settings.with_(max_concurrency=1))
    assert hurried.samples == orderly.samples
    chunks = [sample.chunk_id for sample in hurried.samples]
    assert chunks == sorted(chunks), "passage by passage"
    draws = [sample.draw for sample in hurried.samples if sample.chunk_id == "c1"]
    assert draws == sorted(draws)
    assert set(chunks) == {"c1", "c2", "c3", "c4"}, "every passage, of every document"


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_sample_leads_back_to_its_passage_and_is_stored_as_it_came(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    batch = make(recipe, FakeTeacher(), journal, settings)
    by_id = {item.chunk_id: item for item in ITEMS}
    for sample in batch.samples:
        item = by_id[sample.chunk_id]
        assert (sample.source_text, sample.document_id) == (item.text, item.document_id)
        assert (sample.document_outline, sample.domain) == (item.outline, item.domain)
        assert (sample.recipe, sample.model) == (recipe, "m")
        assert sample.question == sample.question.strip()
        assert "\n" in sample.answer
        assert item.text in sample.document
        assert sample.faithfulness_judgment == "YES"
    assert len({sample.sample_id for sample in batch.samples}) == len(batch.samples)


def test_a_pair_is_asked_about_its_summary_and_judged_against_the_passage(journal: Journal, settings: Settings) -> None:
    teacher = FakeTeacher()
    make("detailed_summary", teacher, journal, settings, ITEMS[:1])
    asked = [call.fields["passage"] for call in teacher.calls if call.prompt == "questions"]
    judged = {call.fields["passage"] for call in teacher.calls if call.prompt == "faithfulness"}
    assert len(set(asked)) == 5
    assert all(text.endswith(": Text c1.") for text in asked)
    assert judged == {"Text c1."}


def test_every_draw_asks_for_another_angle(journal: Journal, settings: Settings) -> None:
    angles = load_recipe("document_based_qa").angles
    teacher = FakeTeacher()
    make("document_based_qa", teacher, journal, settings, ITEMS[:1])
    asked = {call.draw: call.fields["angle"] for call in teacher.calls if call.prompt == "questions"}
    assert asked == {draw: angles[draw - 1] for draw in range(1, 6)}


def test_key_facts_are_asked_about_in_blocks_and_judged_like_all_else(journal: Journal, settings: Settings) -> None:
    teacher = FakeTeacher()
    batch = make("key_facts_to_qa", teacher, journal, settings, ITEMS[:1])
    assert (teacher.count("key_facts"), teacher.count("fact_questions"), len(batch.samples)) == (1, 2, 24)
    assert {sample.key_fact for sample in batch.samples} == {f"Text c1. Fact {number}." for number in range(12)}
    assert all(sample.key_fact and sample.key_fact in sample.question for sample in batch.samples)
    assert all(sample.faithfulness_judgment == "YES" for sample in batch.samples)


class Unknown(FakeTeacher):
    """Answers in another order, and adds answers to what nobody asked."""

    def make_pairs(self, call: Call) -> list[Any]:
        return [{"id": "f99", "question": "Stray?", "answer": "Yes."}, *reversed(super().make_pairs(call))]

    def make_judgements(self, call: Call) -> list[Any]:
        stray = {"id": "nobody", "explanation": "stray", "grounded": False}
        found = super().make_judgements(call)
        for number, row in enumerate(found):
            row["grounded"] = number % 3 != 0
        return [stray, *reversed(found[1:])]  # the first gets no judgement


def test_replies_are_matched_by_id_in_any_order_and_unknown_ids_are_ignored(
    journal: Journal, settings: Settings
) -> None:
    batch = make("key_facts_to_qa", Unknown(), journal, settings, ITEMS[:1])
    assert "Stray?" not in [sample.question for sample in batch.samples]
    for number, sample in enumerate(batch.samples):
        assert sample.key_fact
        assert sample.key_fact in sample.question
        if number == 0:
            assert sample.faithfulness_judgment == sample.faithfulness_explanation == ""
        else:
            assert sample.faithfulness_judgment == ("YES" if number % 3 else "NO")
            assert (sample.faithfulness_explanation or "").strip() == sample.answer


KEPT = pytest.mark.filterwarnings("ignore:replies are cut off")


def test_items_per_call_is_the_top_of_every_batch_of_a_recipe(journal: Journal, settings: Settings) -> None:
    few, teacher = settings.with_(items_per_call=2, number_of_summaries=3), FakeTeacher()
    batch = make("detailed_summary", teacher, journal, few)
    make("key_facts_to_qa", teacher, journal, few)
    batches = (
        call.fields[name] for call in teacher.calls for name in ("angles", "facts", "pairs") if name in call.fields
    )
    assert {*map(len, batches)} <= {1, 2}
    assert {sample.draw for sample in batch.samples} == {1, 2, 3}
    assert all(sample.faithfulness_judgment == "YES" for sample in batch.samples)
    blocks = [call.fields["angles"] for call in teacher.calls if call.chunk_id == "c1" and "angles" in call.fields]
    angles = load_recipe("detailed_summary").angles
    assert blocks == [list(angles[:2]), list(angles[2:4])]
    again = FakeTeacher()
    make("detailed_summary", again, journal, few.with_(number_of_summaries=4))
    assert again.count("detailed_summary") == 0, "the fourth came with the third"


@KEPT
@pytest.mark.parametrize("finish_reason", ["length", "stop"])
def test_what_a_judge_says_before_a_cut_is_kept_and_only_the_others_are_asked_about_again(
    journal: Journal, settings: Settings, finish_reason: str
) -> None:
    teacher = CutTeacher("faithfulness", lambda text: min(len(text), 400), ours=True, finish_reason=finish_reason)
    batch = make("document_based_qa", teacher, journal, settings, [passage("c1", text="Noon. " * 9)])
    asked = [[pair["question"] for pair in call.fields["pairs"]] for call in teacher.calls if "pairs" in call.fields]
    assert (batch.failed, {sample.faithfulness_judgment for sample in batch.samples}) == ([], {"YES"})
    assert len(asked) > 1
    assert all(later == earlier[-len(later) :] for earlier, later in pairwise(asked))
    assert len({*map(len, asked)}) == len(asked), "each call brings something new"


@KEPT
def test_facts_before_a_cut_are_used_and_the_questions_on_those_without_any_asked_for_again(
    journal: Journal, settings: Settings
) -> None:
    teacher = CutTeacher("fact_questions", lambda text: min(len(text), 900), ours=False)
    batch = make("key_facts_to_qa", teacher, journal, settings, ITEMS[:1])
    assert {sample.key_fact for sample in batch.samples} == {f"Text c1. Fact {number}." for number in range(12)}
    first, second, *_ = (call for call in teacher.calls if call.prompt == "fact_questions")
    names = [[fact["id"] for fact in call.fields["facts"]] for call in (first, second)]
    assert names[1] == names[0][-len(names[1]) :]
    assert 0 < len(names[1]) < 10


@KEPT
@pytest.mark.parametrize(("ours", "calls"), [(True, 2), (False, 1)])
def test_a_list_without_ids_gets_more_room_once_where_the_limit_was_ours_then_what_is_whole_is_kept(
    journal: Journal, settings: Settings, ours: bool, calls: int
) -> None:
    teacher = CutTeacher("key_facts", lambda text: len(text) // 2, ours=ours)
    batch = make("key_facts_to_qa", teacher, journal, settings, ITEMS[:1])
    assert teacher.count("key_facts") == calls
    assert {sample.key_fact for sample in batch.samples} == {f"Text c1. Fact {number}." for number in range(5)}
    (row,) = (row for row in journal.rows() if row["prompt"] == "key_facts" and row["status"] == "done")
    assert row["error"].startswith("cut off after 8192" if ours else "the endpoint's context is full: 100 tokens")
    assert make("key_facts_to_qa", idle := FakeTeacher(), journal, settings, ITEMS[:1]).samples == batch.samples
    assert idle.calls == []


@pytest.fixture(autouse=True)
def heeded_interrupts() -> Iterator[None]:
    """A test runner in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class DyingTeacher(FakeTeacher):
    """When it is asked for the n-th time, the user presses Ctrl-C, or it breaks."""

    def __init__(self, last: int, how: type[BaseException], **options: Any):
        super().__init__(**options)
        self.last, self.how = last, how
        self.dead = False

    async def complete(self, call: Call) -> Completion:
        if self.dead:
            await asyncio.sleep(60)
        if len(self.calls) >= self.last:
            self.dead = True
            if self.how is not KeyboardInterrupt:
                raise self.how
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        return await super().complete(call)


@pytest.mark.parametrize("recipe", workspace.DATASETS)
@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_a_killed_run_repeats_no_finished_call(
    recipe: str, how: type[BaseException], journal: Journal, settings: Settings, tmp_path: Path
) -> None:
    dying = DyingTeacher(9, how)
    with pytest.raises(how):
        make(recipe, dying, journal, settings.with_(max_concurrency=4))
    finished = {call.key for call in dying.calls}
    assert len(finished) == len(journal) >= 9
    teacher = FakeTeacher()
    batch = make(recipe, teacher, journal, settings)
    assert finished & {call.key for call in teacher.calls} == set()
    assert batch.from_journal == len(finished)
    assert batch.calls == len(teacher.calls)
    with Journal(tmp_path / "other/journal.sqlite") as other:
        assert make(recipe, FakeTeacher(), other, settings).samples == batch.samples


class SuddenTeacher(DyingTeacher):
    """Answers at once, so that its replies still wait to be written when the run ends."""

    async def complete(self, call: Call) -> Completion:
        if len(self.calls) >= self.last:
            return await super().complete(call)
        self.calls.append(call)
        return Completion(self.reply(call), self.model)


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_replies_that_wait_to_be_written_are_kept_when_the_run_is_interrupted(
    how: type[BaseException], journal: Journal, settings: Settings
) -> None:
    with pytest.raises(how):
        make("document_based_qa", SuddenTeacher(8, how), journal, settings)
    assert len(journal) == 8


def test_an_interrupted_run_ends_without_a_complaint_about_what_it_did_not_begin(
    journal: Journal, settings: Settings, recwarn: pytest.WarningsRecorder
) -> None:
    with pytest.raises(KeyboardInterrupt):
        make("document_based_qa", DyingTeacher(3, KeyboardInterrupt), journal, settings.with_(max_concurrency=1))
    gc.collect()
    assert [str(one.message) for one in recwarn] == []


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_second_run_asks_nothing_and_gives_equal_samples(recipe: str, journal: Journal, settings: Settings) -> None:
    first = make(recipe, FakeTeacher(), journal, settings)
    idle = FakeTeacher()
    second = make(recipe, idle, journal, settings)
    assert (idle.calls, second.calls, second.from_journal) == ([], 0, first.calls)
    assert second.samples == first.samples


def test_another_model_does_not_get_the_first_ones_answers(journal: Journal, settings: Settings) -> None:
    make("document_based_qa", FakeTeacher(), journal, settings)
    other = FakeTeacher()
    other.model = "n"
    batch = make("document_based_qa", other, journal, settings)
    assert batch.from_journal == 0
    assert {sample.model for sample in batch.samples} == {"n"}


@pytest.mark.parametrize("recipe", ["extractive_summary", "detailed_summary", "document_based_qa"])
@pytest.mark.parametrize("pairs_per_call", [1, 2, 7])
def test_a_larger_number_of_summaries_repeats_no_call_of_the_first_block(
    recipe: str, pairs_per_call: int, journal: Journal, settings: Settings
) -> None:
    few = make(recipe, Angled(pairs_per_call=pairs_per_call), journal, settings)
    teacher = Angled(pairs_per_call=pairs_per_call)
    more = make(recipe, teacher, journal, settings.with_(number_of_summaries=10))
    assert more.from_journal == few.calls
    assert [sample for sample in more.samples if sample.draw <= 5] == few.samples
    seen = {sample.question for sample in few.samples}
    judged = [
        pair["question"] for call in teacher.calls if call.prompt == "faithfulness" for pair in call.fields["pairs"]
    ]
    assert seen.isdisjoint(judged), "nothing is judged twice"


def test_a_number_within_a_block_uses_the_first_summaries_of_it(journal: Journal, settings: Settings) -> None:
    three = make("detailed_summary", FakeTeacher(), journal, settings.with_(number_of_summaries=3))
    teacher = FakeTeacher()
    five = make("detailed_summary", teacher, journal, settings)
    assert teacher.count("detailed_summary") == 0
    assert {sample.draw for sample in three.samples} == {1, 2, 3}
    assert [sample.question for sample in five.samples if sample.draw <= 3] == [one.question for one in three.samples]


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_identical_passages_stay_attributed_to_their_own_documents(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    twins = [passage("c1", "d1", "Same."), passage("c2", "d2", "Same.")]
    batch = make(recipe, FakeTeacher(), journal, settings, twins)
    by_chunk = {name: [one for one in batch.samples if one.chunk_id == name] for name in ("c1", "c2")}
    assert len(by_chunk["c1"]) == len(by_chunk["c2"]) > 0
    assert {(one.document_id, one.document_outline) for one in by_chunk["c1"]} == {("d1", "the book of d1")}
    assert {(one.document_id, one.document_outline) for one in by_chunk["c2"]} == {("d2", "the book of d2")}
    assert [one.question for one in by_chunk["c1"]] == [one.question for one in by_chunk["c2"]]


class MoodyTeacher(FakeTeacher):
    """Never says the same twice, like a language model."""

    def make_pairs(self, call: Call) -> list[Any]:
        return [{"question": f"Question {len(self.calls)}?", "answer": "Yes."}]


def test_equal_calls_in_flight_are_asked_once_so_that_a_rerun_gives_equal_samples(
    journal: Journal, settings: Settings
) -> None:
    twins = [passage("c1", "d1", "Same."), passage("c2", "d2", "Same.")]
    teacher = MoodyTeacher()
    first = make("document_based_qa", teacher, journal, settings, twins)
    assert teacher.count("questions") == 5
    assert make("document_based_qa", MoodyTeacher(), journal, settings, twins).samples == first.samples


REFUSAL = "no JSON in it: 'I had rather not.'"


class FaultyTeacher(FakeTeacher):
    """Answers calls about one passage in prose, or not to the end of the first item."""

    def __init__(self, bad: str, prompt: str = "questions", finish_reason: str = "stop"):
        super().__init__()
        self.bad, self.prompt, self.finish_reason = bad, prompt, finish_reason

    async def complete(self, call: Call) -> Completion:
        done = await super().complete(call)
        if call.prompt == self.prompt and self.bad in call.fields["passage"]:
            text = done.text[:40] if self.finish_reason == "length" else "I had rather not."
            return replace(done, text=text, finish_reason=self.finish_reason, completion_tokens=call.max_tokens)
        return done


class LosingTeacher(FakeTeacher):
    """Loses calls about one passage on the way."""

    def __init__(self, lost: str):
        super().__init__()
        self.lost = lost

    async def complete(self, call: Call) -> Completion:
        if self.lost in call.fields["passage"]:
            raise CallFault("refused", "The line is down.")
        return await super().complete(call)


@pytest.mark.parametrize(("finish_reason", "says"), [("stop", REFUSAL), ("length", "cut off after")])
def test_a_bad_reply_is_one_recorded_failure_and_the_others_go_on(
    journal: Journal, settings: Settings, finish_reason: str, says: str
) -> None:
    teacher = FaultyTeacher("c2", finish_reason=finish_reason)
    batch = make("document_based_qa", teacher, journal, settings.with_(max_failure_rate=0.5))
    assert {sample.chunk_id for sample in batch.samples} == {"c1", "c3", "c4"}
    assert len(batch.failed) == 5
    for failure in batch.failed:
        assert failure.check == "reply"
        assert says in failure.reason
        assert (failure.row["chunk_id"], failure.row["prompt"]) == ("c2", "questions")
    rejected = {row["key"] for row in journal.rows() if row["status"] == "rejected"}
    assert {failure.row["key"] for failure in batch.failed} < rejected
    assert len(rejected) == 10, "each was asked for once more, in vain"
    assert batch.calls == len(teacher.calls) == 15 + 10 + 3
    again = FakeTeacher()
    second = make("document_based_qa", again, journal, settings.with_(max_failure_rate=0.5))
    assert again.calls == [], "a rejected reply is not asked for again"
    assert len(second.failed) == 5


class Mending(FakeTeacher):
    """Answers in prose first, and as it should when it is told what is wrong."""

    def reply(self, call: Call) -> str:
        return super().reply(call) if call.follows else "I had rather not."


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_bad_reply_is_made_good_by_one_more_call(recipe: str, journal: Journal, settings: Settings) -> None:
    batch = make(recipe, Mending(), journal, settings)
    with Journal(journal.path.with_name("other.sqlite")) as other:
        undisturbed = make(recipe, FakeTeacher(), other, settings)
    assert (batch.samples, batch.failed) == (undisturbed.samples, [])
    assert batch.calls == 2 * undisturbed.calls == len(journal)
    assert make(recipe, idle := FakeTeacher(), journal, settings).samples == batch.samples
    assert idle.calls == []


def test_replies_that_could_not_be_used_are_asked_for_again_where_the_user_says_so(
    journal: Journal, settings: Settings
) -> None:
    make("document_based_qa", FaultyTeacher("c2"), journal, settings.with_(max_failure_rate=0.5))
    teacher = FakeTeacher()
    batch = make("document_based_qa", teacher, journal, settings.with_(retry_rejected=True))
    assert {call.fields["passage"] for call in teacher.calls} == {"Text c2."}
    assert (len(batch.samples), batch.failed) == (40, [])


def test_a_judge_that_fails_leaves_its_samples_unjudged(journal: Journal, settings: Settings) -> None:
    teacher = FaultyTeacher("c2", "faithfulness")
    batch = make("document_based_qa", teacher, journal, settings)
    assert len(batch.samples) == 40
    assert {one.chunk_id for one in batch.samples if not one.faithfulness_judgment} == {"c2"}


def test_a_lost_block_of_summaries_loses_no_other_block(journal: Journal, settings: Settings) -> None:
    class Half(FakeTeacher):
        def reply(self, call: Call) -> str:
            return "" if call.prompt == "detailed_summary" and call.draw == 1 else super().reply(call)

    options = settings.with_(number_of_summaries=10, max_failure_rate=0.2)
    batch = make("detailed_summary", Half(), journal, options)
    assert {sample.draw for sample in batch.samples} == {6, 7, 8, 9, 10}


def test_too_many_failures_are_an_error_that_says_how_many_and_why(journal: Journal, settings: Settings) -> None:
    with pytest.raises(TooManyFailures, match=rf"document_based_qa: 5 of \d+ calls failed \({REFUSAL}\); run again"):
        make("document_based_qa", FaultyTeacher("c2"), journal, settings)
    assert len(journal) == 15 + 10 + 3, "what was finished is kept"


def test_a_second_try_at_a_bad_reply_does_not_thin_out_the_failures(journal: Journal, settings: Settings) -> None:
    with pytest.raises(TooManyFailures):  # 5 of 20 questions and 3 judgements
        make("document_based_qa", FaultyTeacher("c2"), journal, settings.with_(max_failure_rate=0.2))


@pytest.mark.parametrize(
    ("teacher", "again"),
    [
        (FaultyTeacher("c2"), "run again with RETRY_REJECTED=true, with --fresh once the step is complete"),
        (LosingTeacher("c2"), "run again, with --fresh once the step is complete"),
    ],
    ids=["rejected", "lost"],
)
def test_a_step_that_goes_on_without_some_calls_warns_how_they_are_made_again(
    journal: Journal, settings: Settings, teacher: FakeTeacher, again: str
) -> None:
    with pytest.warns(UserWarning, match=rf"^document_based_qa: 5 of \d+ calls failed \(.*\); {again}$"):
        make("document_based_qa", teacher, journal, settings.with_(max_failure_rate=0.5, max_retries=0))


@pytest.mark.parametrize("step", ["worked examples", "exam"])
def test_worked_examples_and_the_exam_fail_by_the_same_rule(journal: Journal, settings: Settings, step: str) -> None:
    class Refusing(FakeTeacher):
        def reply(self, call: Call) -> str:
            return "I had rather not."

    asker = make_asker(settings, journal, teacher=Refusing())
    work = generation.worked_examples if step == "worked examples" else generation.write_exam
    with pytest.raises(TooManyFailures, match=rf"{step}: 4 of \d+ calls failed \({REFUSAL}\); run again"):
        work(ITEMS, asker=asker)


def test_nothing_at_all_is_an_error_and_no_success(journal: Journal, settings: Settings) -> None:
    with pytest.raises(NothingProduced, match=r"document_based_qa: no pair came out of the passages .4."):
        make("document_based_qa", FakeTeacher(pairs_per_call=0), journal, settings)
    assert {row["status"] for row in journal.rows()} == {"empty"}
    idle = FakeTeacher()
    with pytest.raises(NothingProduced):
        make("document_based_qa", idle, journal, settings)
    assert idle.calls == [], "nothing is an answer, too"


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_calls_are_in_flight_than_allowed_and_no_fewer(
    journal: Journal, settings: Settings, limit: int
) -> None:
    delays = iter(lambda: 0.001, None)
    teacher = FakeTeacher(delays=delays)
    make("document_based_qa", teacher, journal, settings.with_(max_concurrency=limit))
    assert teacher.most_in_flight == limit


def test_it_works_inside_a_running_event_loop_as_in_a_notebook(journal: Journal, settings: Settings) -> None:
    async def cell() -> list[Sample]:
        return make("key_facts_to_qa", FakeTeacher(), journal, settings).samples

    assert len(asyncio.run(cell())) == 96


def test_progress_counts_every_passage_to_the_end(journal: Journal, settings: Settings) -> None:
    seen: list[Progress] = []
    priced = settings.with_(teacher_price="1,10")
    batch = make("document_based_qa", FakeTeacher(), journal, priced, on_progress=lambda now: seen.append(replace(now)))
    done = [now.done for now in seen]
    assert done == sorted(done)
    assert set(done) == {0, 1, 2, 3, 4}
    assert {now.total for now in seen} == {4}
    last = seen[-1]
    assert (last.calls, last.from_journal, last.failed, last.in_flight) == (batch.calls, 0, 0, 0)
    assert last.tokens == 110 * batch.calls
    assert last.usd == pytest.approx(2e-4 * batch.calls)
    make("document_based_qa", FakeTeacher(), journal, settings, on_progress=seen.append)
    assert (seen[-1].calls, seen[-1].from_journal, seen[-1].tokens) == (0, batch.calls, 0)


def test_an_error_of_the_teacher_itself_comes_out_as_it_is(journal: Journal, settings: Settings) -> None:
    with pytest.raises(RuntimeError):
        make("document_based_qa", DyingTeacher(3, RuntimeError), journal, settings.with_(max_concurrency=1))
    assert len(journal) == 3


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_the_users_instructions_reach_every_generation_prompt_and_not_the_judge(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    teacher = FakeTeacher()
    make(recipe, teacher, journal, settings, ITEMS[:1], instructions="Ask in verse.")
    told = {call.prompt: "Ask in verse." in call.messages[0]["content"] for call in teacher.calls}
    assert told.pop("faithfulness") is False
    assert told
    assert all(told.values())


def test_sampling_comes_from_the_settings_and_reaches_the_calls(journal: Journal, settings: Settings) -> None:
    chosen = settings.with_(teacher_temperature=0, teacher_max_tokens=99, teacher_top_p=0.5, seed=3)
    assert teachers.sampling(chosen) == Sampling(0.0, 99, 0.5, 3)
    asker = make_asker(chosen, journal, teacher=FakeTeacher())
    call = asker.plan("key_facts", {"title": "t", "section": "s", "passage": "p"})
    assert (call.temperature, call.max_tokens, call.top_p) == (0.0, 99, 0.5)


def test_one_call_can_be_asked_by_hand(journal: Journal, settings: Settings) -> None:
    asker = make_asker(settings, journal, teacher=FakeTeacher())
    call = asker.plan("key_facts", {"title": "t", "section": "s", "passage": "p"})
    assert len(asker.ask(call).facts) == 12
    faulty = make_asker(settings, journal, teacher=FaultyTeacher("p", "key_facts"))
    with pytest.raises(BadReply, match=REFUSAL):
        faulty.ask(replace(call, key="other"))
    assert len(journal) == 1 + 2


def test_the_worked_example_of_a_document_comes_from_that_document(journal: Journal, settings: Settings) -> None:
    class Examples(FakeTeacher):
        def make_pairs(self, call: Call) -> list[Any]:
            found = super().make_pairs(call)
            return found[:1] if "c1" in call.fields["passage"] else found

    teacher = Examples(pairs_per_call=3)
    found, _ = generation.worked_examples(ITEMS, asker=make_asker(settings, journal, teacher=teacher))
    assert list(found) == ["d1", "d2"]
    assert [len(example.pairs) for example in found.values()] == [3, 3]
    assert all("Text c2." in question for question, _ in found["d1"].pairs), "the first passage that yields three"
    assert all("Text c3." in question for question, _ in found["d2"].pairs)
    assert ("Text c2." in found["d1"].document, "Text c3." in found["d2"].document) == (True, True)
    assert len(teacher.calls) == 3


def test_a_worked_example_has_three_different_pairs_and_no_empty_ones(journal: Journal, settings: Settings) -> None:
    class Careless(FakeTeacher):
        def make_pairs(self, call: Call) -> list[Any]:
            pairs = [
                ("Who?", "Ada."),
                (" Who? ", "Ada."),
                ("When?", " "),
                ("Why?", "Dusk."),
                ("How?", "So."),
                ("Z?", "z"),
            ]
            return [{"id": "", "question": question, "answer": answer} for question, answer in pairs]

    found, failed = generation.worked_examples(ITEMS[:1], asker=make_asker(settings, journal, teacher=Careless()))
    (example,) = found.values()
    assert [row.check for row in failed] == ["empty", "echo"]
    assert example.pairs == (("Who?", "Ada."), ("Why?", "Dusk."), ("How?", "So."))


def test_calls_for_worked_examples_that_came_to_nothing_are_told(journal: Journal, settings: Settings) -> None:
    teacher = FaultyTeacher("c1", "worked_example")
    asker = make_asker(settings.with_(max_failure_rate=1), journal, teacher=teacher)
    examples, failed = generation.worked_examples(ITEMS, asker=asker)
    assert list(examples) == ["d1", "d2"]
    assert [rejection.row["chunk_id"] for rejection in failed] == ["c1"]


def test_every_document_is_asked_about_with_texts_of_its_own(journal: Journal, settings: Settings) -> None:
    texts = {name: f"{name} rings. " * 400 for name in ("bell", "lamp")}
    documents = [Document(name, name, name, f"The {name}", "", "", "", text) for name, text in texts.items()]
    chunks = [
        Chunk(f"{name}{n}", name, name, n, (), "", 300 * n, 300 * n + 300, 60) for name in texts for n in range(15)
    ]
    items = seeds.example_passages(documents, chunks)
    assert [item.document_id for item in items] == ["bell"] * 2 + ["lamp"] * 2
    assert all(item.text in texts[item.document_id] and len(item.text) > 1400 for item in items)
    assert len({item.chunk_id for item in items}) == 4
    teacher = FakeTeacher(pairs_per_call=3)
    found, _ = generation.worked_examples(items, asker=make_asker(settings, journal, teacher=teacher))
    assert {name: example.document for name, example in found.items()} == {
        "bell": items[0].text,
        "lamp": items[2].text,
    }
    assert [call.fields["title"] for call in teacher.calls] == ["The bell", "The lamp"]


def test_a_written_exam_is_marked_generated_and_its_options_hold_the_answer(
    journal: Journal, settings: Settings, tmp_path: Path
) -> None:
    questions, _ = generation.write_exam(ITEMS, asker=make_asker(settings, journal, teacher=ExamTeacher()))
    assert len(questions) == 4, "questions without words or answer are left out"
    for one in questions:
        assert one.source == "generated"
        assert one.answer == "At noon."
        assert set(one.options) == {"At noon.", "At dusk.", "At dawn.", "Never."}
    assert [one.document for one in questions] == ["d1", "d1", "d2", "d2"]
    assert len({one.options for one in questions}) > 1, "the answer is not always at the same place"
    path = files.write_rows(tmp_path / "exam.jsonl", questions)
    assert evaluation.load_exam(path) == questions


def test_an_exam_question_that_fails_a_check_or_has_no_four_options_is_left_out_with_its_reason(
    journal: Journal, settings: Settings
) -> None:
    class Weak(ExamTeacher):
        def reply(self, call: Call) -> str:
            (good, *_) = json.loads(super().reply(call))["questions"]
            stub, lonely = good | {"question": "The question"}, good | {"question": "Why?", "wrong_options": []}
            named = good | {"question": "Who?", "wrong_options": ["Option A", "at noon.", "N/A"]}
            return json.dumps({"questions": [stub, lonely, named, good]})

    questions, left_out = generation.write_exam(ITEMS[:1], asker=make_asker(settings, journal, teacher=Weak()))
    assert [one.question for one in questions] == ["When, in Bells?"]
    assert [(row.check, row.reason, row.row["question"]) for row in left_out] == [
        ("form", 'no question: "The question"', "The question"),
        ("options", "1 of 4 options", "Why?"),
        (
            "options",
            '1 of 4 options; "Option A" is a placeholder; "at noon." is said twice; "N/A" is a placeholder',
            "Who?",
        ),
    ]


def test_an_exam_of_rejected_questions_alone_is_an_error_that_counts_them(journal: Journal, settings: Settings) -> None:
    class Weak(ExamTeacher):
        def reply(self, call: Call) -> str:
            return super().reply(call).replace("When, in Bells?", "The question")

    with pytest.raises(NothingProduced, match=r"4 passages \(12 pairs rejected: 8 empty, 4 form\); set EXAM to a file"):
        generation.write_exam(ITEMS, asker=make_asker(settings, journal, teacher=Weak()))


def test_an_exam_without_questions_is_an_error(journal: Journal, settings: Settings) -> None:
    class Silent(FakeTeacher):
        def reply(self, call: Call) -> str:
            return '{"questions": []}'

    with pytest.raises(NothingProduced, match="no exam question for 4 passages; set EXAM to a file"):
        generation.write_exam(ITEMS, asker=make_asker(settings, journal, teacher=Silent()))


def test_a_subsample_is_taken_in_turn_from_every_document() -> None:
    items = [passage(f"c{n}", "d1") for n in range(6)] + [passage("e1", "d2"), passage("f1", "d3"), passage("f2", "d3")]
    assert [one.chunk_id for one in generation.subsample(items, 4)] == ["c0", "c1", "e1", "f1"]
    assert generation.subsample(items, 0) == generation.subsample(items, 99) == items


def test_passages_join_chunks_and_seed_data_by_id_not_by_position() -> None:
    chunks = [{"chunk_id": n, "document_id": "d", "text": f"t{n}", "heading_path": ["A", "B"]} for n in "ab"]
    seeds = [{"chunk_id": n, "document_title": f"T{n}", "document_outline": "o", "domain": "x"} for n in "ba"]
    found = generation.passages(chunks, seeds)
    assert [(one.chunk_id, one.text, one.title, one.section) for one in found] == [
        ("a", "ta", "Ta", "A > B"),
        ("b", "tb", "Tb", "A > B"),
    ]


def test_a_passage_has_the_worked_example_that_its_row_of_seed_data_holds() -> None:
    chunks = [{"chunk_id": n, "document_id": "d", "text": f"t{n}", "heading_path": []} for n in "ab"]
    seed = {"document_title": "T", "document_outline": "o", "domain": "x"}
    example = {
        "icl_document": "Other.",
        "icl_query_1": "Q?",
        "icl_response_1": "A.",
        "icl_query_2": "",
        "icl_query_3": "",
    }
    first, second = generation.passages(chunks, [seed | example | {"chunk_id": "a"}, seed | {"chunk_id": "b"}])
    assert (first.example, second.example) == (WorkedExample("Other.", (("Q?", "A."),)), None)


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_questions_are_asked_for_with_the_worked_example_of_another_passage(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    example = WorkedExample("# Bells\n\nText c1. And more.", (("What is shown?", "An example."),))
    teacher = FakeTeacher()
    make(recipe, teacher, journal, settings, [replace(item, example=example) for item in ITEMS[:2]])
    for call in teacher.calls:
        shown = any('"question": "What is shown?"' in message["content"] for message in call.messages)
        assert shown == (call.prompt == "questions" and call.chunk_id == "c2")


class Reasoning(FakeTeacher):
    """Reasons where it is asked to, and thinks aloud all the time."""

    async def complete(self, call: Call) -> Completion:
        return replace(await super().complete(call), reasoning=f"Hm, draw {call.draw}.")

    def make_pairs(self, call: Call) -> list[Any]:
        asked = call.fields["reasoning"] and self.pairs_per_call > 1
        return [pair | ({"reasoning": f"So {pair['answer']}"} if asked else {}) for pair in super().make_pairs(call)]


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_the_reasoning_of_an_answer_is_asked_for_and_kept_where_it_is_wanted_and_only_there(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    teacher = Reasoning()
    batch = make(recipe, teacher, journal, settings.with_(enable_reasoning=True))
    assert {one.reasoning for one in batch.samples} == {f"So {one.answer}" for one in batch.samples}
    assert all(one.reasoning == f"So {one.answer}" for one in batch.samples), "each has its own"
    assert {one.type for one in batch.samples} == {"cot"}
    assert all('"reasoning"' in call.messages[-1]["content"] for call in teacher.calls if call.reply == "pairs")
    plain_teacher = Reasoning()
    plain = make(recipe, plain_teacher, journal, settings)
    assert {(one.reasoning, one.type) for one in plain.samples} == {("", "qa")}
    assert not any('"reasoning"' in call.messages[-1]["content"] for call in plain_teacher.calls)


def test_what_a_model_thinks_aloud_is_the_reasoning_of_the_only_pair_and_never_of_several(
    journal: Journal, settings: Settings
) -> None:
    wanted = settings.with_(enable_reasoning=True)
    alone = make("document_based_qa", Reasoning(pairs_per_call=1), journal, wanted, ITEMS[:1])
    assert [one.reasoning for one in alone.samples] == [f"Hm, draw {draw}." for draw in range(1, 6)]

    class Terse(Reasoning):
        def make_pairs(self, call: Call) -> list[Any]:
            return FakeTeacher.make_pairs(self, call)

    several = make("document_based_qa", Terse(), journal, wanted.with_(seed=1), ITEMS[:1])
    assert {one.reasoning for one in several.samples} == {""}


def test_a_judge_of_its_own_judges_and_does_nothing_else(journal: Journal, settings: Settings) -> None:
    teacher, judge = FakeTeacher(), FakeTeacher()
    judge.model, judge.base_url = "j", "http://judge.test/v1"
    batch = make("key_facts_to_qa", teacher, journal, settings, judge=judge)
    assert {call.prompt for call in judge.calls} == {"faithfulness"}
    assert {call.prompt for call in teacher.calls} == {"key_facts", "fact_questions"}
    assert {sample.model for sample in batch.samples} == {"m"}
    asked = {(row["prompt"] == "faithfulness", row["asked_model"], row["base_url"]) for row in journal.rows()}
    assert asked == {(False, "m", ""), (True, "j", "http://judge.test/v1")}


def plan(recipe: str, teacher: FakeTeacher, journal: Journal, settings: Settings, items: list[Passage]) -> Estimate:
    asker = make_asker(settings, journal, teacher=teacher)
    (estimate,) = generation.plan(items, [recipe_of(recipe, settings)], asker=asker)
    return estimate


def long_passages(words: int) -> list[Passage]:
    return [replace(item, text=f"{item.chunk_id} " * words) for item in ITEMS]


def typical_teacher(recipe: str, settings: Settings, kind: Callable[..., FakeTeacher] = FakeTeacher) -> FakeTeacher:
    """Gives as many pairs as it is asked for."""
    return kind(pairs_per_call=load_recipe(recipe).questions_per_fact or settings.questions_per_chunk)


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_plan_tells_the_calls_of_a_typical_run_beforehand_and_asks_nobody(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    items, teacher = long_passages(240), typical_teacher(recipe, settings)  # words enough for twelve facts
    before = plan(recipe, teacher, journal, settings, items)
    assert (before.name, before.known, teacher.calls, len(journal)) == (recipe, 0, [], 0)
    batch = make(recipe, teacher, journal, settings, items)
    assert before.calls == batch.calls
    after = plan(recipe, teacher, journal, settings, items)
    assert (after.calls, after.known, after.tokens_in, after.tokens_out) == (0, batch.calls, 0, 0)
    assert len(teacher.calls) == len(journal) == batch.calls


def test_a_plan_says_what_its_largest_call_takes_and_how_many_summaries_are_asked_for_in_vain(
    journal: Journal, settings: Settings
) -> None:
    items = long_passages(240)
    for count, note in ((5, ""), (7, "10 summaries of each passage are asked for, in blocks of 5, and 7 used")):
        found = plan("detailed_summary", FakeTeacher(), journal, settings.with_(number_of_summaries=count), items)
        assert found.note == note
    assert plan("document_based_qa", FakeTeacher(), journal, settings, items).note == ""
    small = plan("key_facts_to_qa", FakeTeacher(), journal, settings.with_(items_per_call=2), items)
    large = plan("key_facts_to_qa", FakeTeacher(), journal, settings, items)
    assert 0 < sum(small.largest) < sum(large.largest)
    make("key_facts_to_qa", FakeTeacher(), journal, settings, items)
    assert sum(plan("key_facts_to_qa", FakeTeacher(), journal, settings, items).largest) > 0, "known calls count, too"


def test_a_plan_counts_every_block_of_judgements(journal: Journal, settings: Settings) -> None:
    items, teacher = long_passages(400), FakeTeacher(pairs_per_call=4)
    teacher.facts = 20
    before = plan("key_facts_to_qa", teacher, journal, settings, items)
    assert before.calls == make("key_facts_to_qa", teacher, journal, settings, items).calls


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_plan_in_the_middle_of_a_run_counts_what_is_done_and_what_is_left(
    recipe: str, journal: Journal, settings: Settings
) -> None:
    items, teacher = long_passages(240), typical_teacher(recipe, settings)
    dying = typical_teacher(recipe, settings, lambda **options: DyingTeacher(9, KeyboardInterrupt, **options))
    with pytest.raises(KeyboardInterrupt):
        make(recipe, dying, journal, settings.with_(max_concurrency=2), items)
    kept = len(journal)
    half = plan(recipe, teacher, journal, settings, items)
    assert half.known == kept >= 9
    assert (len(teacher.calls), len(journal)) == (0, kept)
    assert make(recipe, teacher, journal, settings, items).calls == half.calls


def test_equal_passages_are_planned_as_they_are_asked(journal: Journal, settings: Settings) -> None:
    twins, teacher = [passage("c1", "d1", "Same."), passage("c2", "d2", "Same.")], FakeTeacher()
    planned = plan("document_based_qa", teacher, journal, settings, twins)
    assert planned.calls == make("document_based_qa", teacher, journal, settings, twins).calls == 5 + 1


def test_a_plan_asks_again_what_could_not_be_used_only_where_the_user_says_so(
    journal: Journal, settings: Settings
) -> None:
    teacher = FaultyTeacher("c2")
    make("document_based_qa", teacher, journal, settings.with_(max_failure_rate=0.5))
    assert plan("document_based_qa", teacher, journal, settings, ITEMS).calls == 0
    again = plan("document_based_qa", teacher, journal, settings.with_(retry_rejected=True), ITEMS)
    assert again.calls == 5 + 1, "the questions, and what judges them"


def test_a_plan_has_the_tokens_of_earlier_replies_and_a_price_only_where_one_is_known(
    journal: Journal, settings: Settings
) -> None:
    priced = settings.with_(teacher_price="1,10")
    guess = plan("document_based_qa", FakeTeacher(), journal, priced, ITEMS)
    assert guess.tokens_in > 100 * guess.calls, "the prompt alone has more words"
    assert guess.usd == pytest.approx((guess.tokens_in + 10 * guess.tokens_out) / 1e6)
    make("document_based_qa", FakeTeacher(), journal, settings, ITEMS[:1])
    known = plan("document_based_qa", FakeTeacher(), journal, priced, ITEMS)
    assert known.known == 6
    assert (known.tokens_in, known.tokens_out) == (100 * known.calls, 10 * known.calls)
    assert known.usd == pytest.approx(2e-4 * known.calls)
    assert plan("document_based_qa", FakeTeacher(), journal, settings, ITEMS).usd is None, "unknown, and never nothing"


@pytest.mark.parametrize(
    ("teacher", "planned", "work"),
    [
        (FakeTeacher(pairs_per_call=3), generation.plan_worked_examples, generation.worked_examples),
        (ExamTeacher(), generation.plan_exam, generation.write_exam),
    ],
    ids=["worked examples", "exam"],
)
def test_worked_examples_and_the_exam_are_planned_as_they_are_asked_for(
    journal: Journal, settings: Settings, teacher: FakeTeacher, planned: Callable[..., Estimate], work: Any
) -> None:
    asker = make_asker(settings, journal, teacher=teacher)
    before = planned(ITEMS, asker=asker)
    assert teacher.calls == []
    work(ITEMS, asker=asker)
    assert before.calls == len(teacher.calls) > 0
    after = planned(ITEMS, asker=asker)
    assert (after.calls, after.known) == (0, before.calls)


def test_every_recipe_is_judged_and_uses_prompts_that_exist() -> None:
    for name in workspace.DATASETS:
        recipe = load_recipe(name)
        used = {recipe.summary, recipe.facts, recipe.questions, recipe.judge} - {""}
        assert used <= set(PROMPTS)
        assert recipe.judge == "faithfulness"
        assert recipe.facts or len(set(recipe.angles)) == 10
