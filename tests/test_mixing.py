"""Mixing: what the exam takes out, how large a cut gets, what replay adds, and that no sample is lost silently."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ai_tools import files, workspace
from ai_tools.cli import app
from ai_tools.errors import CutTooLarge, NothingProduced
from ai_tools.records import Question, Sample
from ai_tools.settings import Settings
from ai_tools.steps import batches, evaluation, mixing, students, training
from ai_tools.steps.mixing import Datasets, Mix, decontaminate, mix

MakeSample = Callable[..., Sample]

LONG = "Which of the three ringers signs the big book at noon?"


def exam_of(*questions: str) -> list[Question]:
    return [Question(f"q{n}", text, "At noon.") for n, text in enumerate(questions)]


@pytest.mark.parametrize(
    ("question", "sealed", "dropped"),
    [
        ("When does the bell ring?", "WHEN does the bell ring", True),
        ("In the bell book, when does the bell ring?", "When does the bell ring?", True),
        ("When does the bell ring?", "In the bell book, when does the bell ring?", True),
        ("When does the lamp ring?", "When does the bell ring?", False),
        ("Tell me: which of the three ringers signs the big book?", LONG, True),
        ("Tell me: which of the three ringers signs the large book?", LONG, False),  # seven words
        ("Who signs the big book at noon?", LONG, False),
        ("ringers signs the big book at noon", "In the bell book, ringers signs the big book daily", False),
        ("Who signs first?", "In the bell book, who is last?", False),
    ],
)
def test_a_sample_is_dropped_whose_question_is_an_exam_question(
    make_sample: MakeSample, question: str, sealed: str, dropped: bool
) -> None:
    datasets = {"extractive_summary": [make_sample(question), make_sample("Another one?")]}
    clean, rejected, _ = decontaminate(datasets, exam_of("Unrelated?", sealed))
    assert [one.question for one in clean["extractive_summary"]] == ([] if dropped else [question]) + ["Another one?"]
    assert [one.check for one in rejected] == ["contaminated"] * dropped
    if dropped:
        assert sealed in rejected[0].reason
        assert rejected[0].row["question"] == question


@pytest.mark.parametrize(
    ("question", "sealed", "dropped"),
    [
        ("请问本产品的保修期为多少个月？", "本产品的保修期为多少个月？", True),
        ("本产品的保修期是多少个月？", "本产品的保修期为多少个月？", False),  # seven characters, and listed
        ("ポンプの保証期間は２４か月ですか。", "では、ポンプの保証期間は24か月ですか？", True),
        (
            "ランプを替える必要がありますか？",
            "塔の鐘を毎朝鳴らす必要がありますか？",
            False,
        ),  # a phrase of every question
        ("ระยะเวลารับประกันของปั๊มกี่เดือน", "ขอถามว่าระยะเวลารับประกันของปั๊มกี่เดือน", True),
        ("दीपक की सीमा क्या है?", "दीपक के सीमा क्या है?", False),
        ("Prüft Ada die Glocke täglich?", "PRU\u0308FT ADA DIE GLOCKE TÄGLICH", True),
    ],
)
def test_a_reworded_exam_question_is_dropped_in_any_script(
    make_sample: MakeSample, question: str, sealed: str, dropped: bool
) -> None:
    _, rejected, near = decontaminate({"extractive_summary": [make_sample(question)]}, exam_of(sealed))
    assert [one.check for one in rejected] == ["contaminated"] * dropped
    assert bool(near) is ("本产品" in question and not dropped)


def test_a_long_title_in_an_exam_question_takes_no_other_question_out(make_sample: MakeSample, tmp_path: Path) -> None:
    title = "the rules for all who ring the bells of this town"
    sealed = exam_of(f"In {title}, who rings at noon?")
    clean, rejected, _ = decontaminate({"a": [make_sample("When is the bell oiled?", document_outline=title)]}, sealed)
    assert rejected == []
    rows = mixed({"document_based_qa": clean["a"] * 8}, cut=8).rows
    assert any(asked(row).startswith("In the rules") for row in rows)
    training = files.write_rows(tmp_path / "cut.jsonl", rows)
    assert evaluation.find_leaks(training, files.write_rows(tmp_path / "exam.jsonl", sealed)) == []


def test_answers_and_passages_are_never_compared_with_the_exam(make_sample: MakeSample) -> None:
    sample = make_sample("Who?", LONG, source_text=LONG, document=LONG)
    assert decontaminate({"a": [sample]}, exam_of(LONG))[0] == {"a": [sample]}


def test_near_duplicates_stay_and_are_listed(make_sample: MakeSample) -> None:
    clean, rejected, near = decontaminate(
        {"a": [make_sample("When does the big bell ring?")]}, exam_of("When does the bell ring?")
    )
    assert (len(clean["a"]), rejected) == (1, [])
    assert near == [
        {"question": "When does the big bell ring?", "exam_question": "When does the bell ring?", "similarity": 0.8}
    ]


def count_tokens(row: dict[str, Any]) -> int:
    """Words, as a tokenizer would count them."""
    return len((row.get("text") or " ".join(turn["content"] for turn in row["messages"])).split()) + 2


GENERAL: list[dict[str, Any]] = [
    *({"id": f"t{n}", "kind": "text", "text": f"Rain {n} falls on the hills."} for n in range(6)),
    *({"id": f"s{n}", "kind": "statement", "text": f"Statement {n}."} for n in range(4)),
    *({"id": f"f{n}", "kind": "qa", "question": f"Fact {n}?", "answer": "Yes."} for n in range(6)),
    *({"id": f"h{n}", "kind": "qa", "question": f"Held {n}?", "answer": "No.", "replay": False} for n in range(6)),
    {"id": "h9", "kind": "text", "text": "A held out text.", "replay": False},
]


@pytest.fixture
def datasets(make_sample: MakeSample) -> Datasets:
    """Three passages with 4, 3 and 2 summaries of 3 pairs each, and 8 facts of 2 questions each."""

    def one(recipe: str, chunk: int, draw: int, n: int, **changes: Any) -> Sample:
        return make_sample(
            f"{recipe} question {chunk} {draw} {n}?",
            f"Answer {chunk} {draw} {n} of {recipe}.",
            **({"recipe": recipe, "chunk_id": f"c{chunk}", "draw": draw, "document": f"Summary {draw}."} | changes),
        )

    found: Datasets = {
        name: [one(name, chunk, draw, n) for chunk in range(3) for draw in range(1, 5 - chunk) for n in range(3)]
        for name in mixing.SUMMARY_DATASETS
    }
    found["key_facts_to_qa"] = [
        one("key_facts_to_qa", chunk, 0, 10 * fact + n, key_fact=f"Fact {fact}.")
        for chunk in range(3)
        for fact in range(8)
        for n in range(2)
    ]
    return found


def mixed(datasets: Datasets, **changes: Any) -> Mix:
    options: dict[str, Any] = {
        "cut": 2,
        "pairs_per_summary": 2,
        "context": "none",
        "general": GENERAL,
        "replay_share": 0.0,
        "title_share": 0.5,
        "max_tokens": 200,
        "count_tokens": count_tokens,
        "headings": {"c0": ("Bells", "Noon")},
        "seed": 0,
    }
    return mix(datasets, **(options | changes))


def metadata(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["metadata"]))


def asked(row: dict[str, Any]) -> str:
    return str(row["messages"][0]["content"])


@pytest.mark.parametrize(("cut", "pairs"), [(1, 1), (2, 2), (3, 3), (4, 1)])
def test_a_cut_keeps_its_number_of_summaries_and_pairs_and_fewer_give_all(
    datasets: Datasets, cut: int, pairs: int
) -> None:
    rows = mixed(datasets, cut=cut, pairs_per_summary=pairs).rows
    by_id = {sample.sample_id: sample for samples in datasets.values() for sample in samples}
    taken: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for row in rows:
        sample = by_id[metadata(row)["sample_id"]]
        taken[sample.recipe, sample.chunk_id][sample.draw] += 1
    for name in mixing.SUMMARY_DATASETS:
        for chunk in range(3):
            draws = taken[name, f"c{chunk}"]
            assert len(draws) == min(cut, 4 - chunk)
            assert set(draws.values()) == {pairs}
    for chunk in range(3):
        assert taken["key_facts_to_qa", f"c{chunk}"].total() == min(cut * pairs, 16)


def test_pairs_about_facts_are_spread_over_the_facts_before_any_gets_a_second(datasets: Datasets) -> None:
    by_id = {sample.sample_id: sample for sample in datasets["key_facts_to_qa"]}
    rows = mixed({"key_facts_to_qa": datasets["key_facts_to_qa"]}, cut=5, pairs_per_summary=2).rows
    facts = Counter(by_id[metadata(row)["sample_id"]].key_fact for row in rows if metadata(row)["chunk_id"] == "c0")
    assert len(facts) == 8
    assert sorted(facts.values()) == [1] * 6 + [2] * 2


def test_a_fill_in_stands_three_times_where_nothing_else_in_the_cut_asks_for_its_value(
    datasets: Datasets, make_sample: MakeSample
) -> None:
    known = datasets["extractive_summary"][0]
    fills = [("what is known", f"the {known.answer}"), ("what is alone", "seven lamps")]
    datasets["fill_in"] = [make_sample(q, a, recipe="fill_in", chunk_id=known.chunk_id) for q, a in fills]
    cut = mixed(datasets, cut=4, pairs_per_summary=3)
    asked_for = Counter(row["question"] for row in cut.rows)
    assert (asked_for[known.question], asked_for["what is known"], asked_for["what is alone"]) == (1, 1, 3)
    assert cut.report["datasets"]["fill_in"]["rows"] == 4


def test_samples_that_go_first_are_in_the_smallest_cut_whatever_the_lot(datasets: Datasets) -> None:
    first = {some[place].sample_id for some in datasets.values() for place in (5, -1)}
    for seed in range(5):
        taken = {
            metadata(row)["sample_id"]
            for row in mixed(datasets, cut=1, pairs_per_summary=1, first=first, seed=seed).rows
        }
        assert first <= taken
        assert len(taken) == 9, "they take the places of others"
    without = [{metadata(row)["sample_id"] for row in mixed(datasets, cut=1, seed=seed).rows} for seed in range(5)]
    assert not all(first <= taken for taken in without)


def test_a_cut_that_no_passage_reaches_names_the_largest_feasible_one(datasets: Datasets) -> None:
    assert mixing.check_feasible(datasets, [1, 4]) == {"extractive_summary": 4, "detailed_summary": 4}
    with pytest.raises(
        CutTooLarge,
        match=r"CUT_SIZES=9: .*passage c0\)\. Largest feasible cut: 4\. Fix: CUT_SIZES=4 with NUMBER_OF_SUMMARIES=9",
    ):
        mixing.check_feasible(datasets, [2, 9])


def test_a_cut_is_feasible_where_one_summary_dataset_reaches_it(datasets: Datasets) -> None:
    datasets["detailed_summary"] = datasets["detailed_summary"][:3]
    assert mixing.check_feasible(datasets, [4])["detailed_summary"] == 1


def test_every_sample_is_in_a_cut_or_has_a_rejection(datasets: Datasets, make_sample: MakeSample) -> None:
    datasets["document_based_qa"] = [
        make_sample(one.question, one.answer, recipe="document_based_qa", chunk_id=one.chunk_id)
        for one in datasets["key_facts_to_qa"][:16]
    ]
    datasets["key_facts_to_qa"].append(
        make_sample("Long? " + "word " * 300, "x", recipe="key_facts_to_qa", chunk_id="c9")
    )
    cuts = [mixed(datasets, cut=cut) for cut in (1, 2)]
    used = {metadata(row)["sample_id"] for cut in cuts for row in cut.rows}
    rejections = mixing.fallen_out(datasets, cuts)
    rejected = {one.row["sample_id"] for one in rejections}
    assert used | rejected == {one.sample_id for samples in datasets.values() for one in samples}
    assert {one.check for one in rejections} == {"duplicate", "too_long", "capped"}
    assert all(one.reason for one in rejections)
    assert used.isdisjoint(one.row["sample_id"] for one in rejections if one.check == "capped")
    assert "MAX_SEQ_LEN=200" in next(one.reason for one in rejections if one.check == "too_long")
    assert max(row["token_length"] for cut in cuts for row in cut.rows) <= 200


def test_the_title_stands_before_about_half_of_the_questions(make_sample: MakeSample) -> None:
    samples = [make_sample(f"Question {n}?", f"Answer {n}.", draw=n) for n in range(400)]
    rows = mixed({"document_based_qa": samples}, cut=400).rows
    titled = [row for row in rows if asked(row) == f"In the bell book, {row['question']}"]
    assert all(asked(row) == row["question"] for row in rows if row not in titled)
    assert 160 < len(titled) < 240


@pytest.mark.parametrize(("context", "more"), [("none", 0), ("summaries", 24), ("all", 36)])
def test_rows_with_the_document_in_context_are_added_where_asked_for(
    datasets: Datasets, context: str, more: int
) -> None:
    rows = mixed(datasets, context=context).rows
    shown = [row for row in rows if asked(row).startswith("the bell book\n")]
    assert len(shown) == more
    assert len(rows) - len(shown) == 36
    assert all(asked(row) == f"the bell book\n{row['document']}\n\n{row['question']}" for row in shown)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_replay_reaches_its_share_and_never_shows_a_fact_that_is_held_out(datasets: Datasets, share: float) -> None:
    cut = mixed(datasets, replay_share=share)
    tokens = Counter[bool]()
    kinds = Counter[str]()
    for row in cut.rows:
        is_replay = metadata(row)["dataset"] == "replay"
        tokens[is_replay] += row["token_length"]
        if is_replay:
            kinds["text" if "text" in row else "qa"] += row["token_length"]
            assert metadata(row)["sample_id"][0] != "h"
    assert tokens[True] / tokens.total() == pytest.approx(share, abs=0.02)
    assert cut.report["replay"]["share_reached"] == pytest.approx(tokens[True] / tokens.total(), abs=1e-4)
    assert cut.report["replay"]["share_asked"] == share
    assert kinds["text"] == pytest.approx(kinds["qa"], rel=0.15)


def test_replay_uses_every_general_row_before_it_repeats_one(datasets: Datasets) -> None:
    rows = mixed(datasets, replay_share=0.5).rows
    names = Counter(metadata(row)["sample_id"] for row in rows if metadata(row)["dataset"] == "replay")
    for kind in "tf":
        counts = [count for name, count in names.items() if name[0] == kind]
        assert max(counts) - min(counts) <= 1 or max(counts) <= 2 * min(counts)
    assert {name for name in names if name[0] == "f"} == {f"f{n}" for n in range(6)}


def test_a_general_row_too_long_for_the_student_is_not_replayed(datasets: Datasets) -> None:
    general = [*GENERAL, {"id": "long", "kind": "text", "text": "word " * 500}]
    rows = mixed(datasets, general=general, replay_share=0.9).rows
    assert max(row["token_length"] for row in rows) <= 200


def test_without_a_share_there_is_no_replay_and_without_general_rows_it_says_what_it_reached(
    datasets: Datasets,
) -> None:
    assert mixed(datasets).report["replay"]["rows"] == 0
    assert mixed(datasets, replay_share=0.3, general=[]).report["replay"]["share_reached"] == 0


def test_a_seed_decides_everything(datasets: Datasets) -> None:
    first = mixed(datasets, replay_share=0.2)
    assert mixed(datasets, replay_share=0.2) == first
    assert mixed(datasets, replay_share=0.2, seed=1).rows != first.rows
    taken = {metadata(row)["sample_id"] for row in first.rows}
    assert {metadata(row)["sample_id"] for row in mixed(datasets, seed=1).rows} != taken


def test_the_order_is_mixed_and_not_dataset_by_dataset(datasets: Datasets) -> None:
    names = [metadata(row)["dataset"] for row in mixed(datasets, replay_share=0.3).rows]
    assert sum(a != b for a, b in itertools.pairwise(names)) > 10


KEYS = {"messages", "metadata", "unmask", "token_length", "question"}
KEYS |= {"document_outline", "raw_document", "document"}


def test_every_row_has_every_key_and_leads_back_to_its_sample_and_chunk(datasets: Datasets) -> None:
    by_id = {sample.sample_id: sample for samples in datasets.values() for sample in samples}
    cut = mixed(datasets, replay_share=0.2, context="all")
    assert all(row.keys() == KEYS for row in cut.chat)
    assert not any(value is None for row in cut.rows for value in row.values())
    for row in cut.rows:
        about = metadata(row)
        assert row["token_length"] == count_tokens(row)
        if about["dataset"] == "replay":
            assert about["sample_id"] in {one["id"] for one in GENERAL}
            continue
        sample = by_id[about["sample_id"]]
        assert (about["dataset"], about["chunk_id"]) == (sample.recipe, sample.chunk_id)
        assert (about["raw_document"], about["sdg_document"]) == (sample.source_text, sample.document)
        assert about["heading_path"] == (["Bells", "Noon"] if sample.chunk_id == "c0" else [])
        assert row["messages"][1]["content"] == sample.answer
        assert asked(row).endswith(sample.question)


def test_chat_rows_and_plain_text_stand_in_two_files_and_are_trained_on_in_the_order_of_the_cut(
    datasets: Datasets, tmp_path: Path
) -> None:
    cut = mixed(datasets, replay_share=0.3)
    path, _ = written(cut, tmp_path, 2)
    assert [row.keys() for row in files.read_rows(path)] == [KEYS] * len(cut.chat)
    read = training.read_rows(path)
    assert [row["metadata"] for row in read] == [row["metadata"] for row in cut.rows]
    assert [row["text"] for row in read if row["text"]] == [row["text"] for row in cut.texts]
    assert 0 < len(cut.texts) < len(cut.rows) - 1
    other = path.rename(tmp_path / "mine.jsonl")
    assert len(training.read_rows(other)) == len(cut.chat), "only a cut has a second file"


def written(cut: Mix, folder: Path, size: int) -> tuple[Path, Path]:
    path = files.write_rows(folder / f"combined_cut_{size}x.jsonl", cut.chat)
    texts = workspace.text_rows(path)
    assert texts
    return path, files.write_rows(texts, cut.texts)


def test_datasets_loads_the_cuts_of_a_run_together_in_any_order_beside_an_empty_one(
    datasets: Datasets, tmp_path: Path
) -> None:
    """Types are taken from the first part of a file, which is of 10 MB unless a smaller one is asked for."""
    load = pytest.importorskip("datasets").load_dataset
    pairs = datasets["key_facts_to_qa"]
    datasets["key_facts_to_qa"] = [*pairs[:-1], replace(pairs[-1], reasoning="So it is.")]
    made = [written(mixed(datasets, cut=size, replay_share=0.3), tmp_path, size) for size in (1, 3)]
    empty = files.write_rows(tmp_path / "empty.jsonl", [])
    for kind in zip(*made, strict=True):
        rows = [row for path in kind for row in files.read_rows(path)]
        for order in itertools.permutations([*map(str, kind), str(empty)]):
            found = load("json", data_files=order, split="train", cache_dir=str(tmp_path / "cache"), chunksize=1000)
            assert sorted(map(str, found)) == sorted(map(str, rows))


def test_a_cut_is_exported_as_it_is_with_exit_code_0(datasets: Datasets, tmp_path: Path) -> None:
    path, _ = written(mixed(datasets, replay_share=0.3, context="all"), tmp_path, 2)
    output = tmp_path / "chat.jsonl"
    done = CliRunner().invoke(app, ["export", str(path), "-o", str(output)], env={"OUTPUT_DIR": str(tmp_path / "out")})
    assert done.exit_code == 0
    read = [[row["messages"] for row in files.read_rows(file)] for file in (output, path)]
    assert read[0] == read[1]


def test_reasoning_stays_with_its_own_answer_in_all_cuts_or_in_none(make_sample: MakeSample) -> None:
    samples = [make_sample(f"Q{n}?", f"A{n}.", draw=n, reasoning=f"R{n}." if n % 2 else "") for n in range(4)]
    for cut in (1, 4):
        for row in mixed({"document_based_qa": samples}, cut=cut, replay_share=0.5).chat:
            number = "" if row["question"].startswith("Fact") else row["question"][1]
            told = f"R{number}." if number in ("1", "3") else ""
            assert [turn["thinking"] for turn in row["messages"]] == ["", told]
    plain = mixed({"document_based_qa": samples[::2]}, cut=4, replay_share=0.5).chat
    assert not any("thinking" in turn for row in plain for turn in row["messages"])


def test_the_report_counts_what_is_in_the_file(datasets: Datasets) -> None:
    cut = mixed(datasets, cut=3, replay_share=0.2)
    names = Counter(metadata(row)["dataset"] for row in cut.rows)
    report = cut.report
    assert report["rows"] == len(cut.rows)
    assert report["tokens"] == sum(row["token_length"] for row in cut.rows)
    assert {name: part["rows"] for name, part in report["datasets"].items()} == {name: names[name] for name in datasets}
    summaries = report["datasets"]["extractive_summary"]
    assert summaries["summaries_per_passage"] == {2: 1, 3: 1, 4: 1}
    assert summaries["passages_that_reach_the_cut"] == 2
    shares = sum(part["share"] for part in report["datasets"].values()) + report["replay"]["share_reached"]
    assert shares == pytest.approx(1, abs=0.001)


def test_the_report_counts_rows_with_markup_that_stays_in_the_files(make_sample: MakeSample, tmp_path: Path) -> None:
    samples = [make_sample("What does <|end|> end?", "A turn."), make_sample()]
    tokenizer = students.load_tokenizer("tiny")
    cut = mixed({"document_based_qa": samples}, holds_markup=lambda row: batches.holds_markup(row, tokenizer))
    assert cut.report["rows_with_markup_as_text"] == 1
    assert "<|end|>" in written(cut, tmp_path, 1)[0].read_text("utf-8")


def test_a_cut_without_rows_is_an_error(datasets: Datasets) -> None:
    with pytest.raises(NothingProduced, match=r"cut 2: no training row is left of 36 samples; see rejected\.jsonl"):
        mixed(datasets, max_tokens=3)


def test_the_student_decides_what_the_settings_leave_open(toy_settings: Settings) -> None:
    recipe = SimpleNamespace(replay_share=0.4, title_share=0.25, max_seq_len=512)
    found = mixing.options(toy_settings, recipe)
    assert (found["replay_share"], found["max_tokens"], found["pairs_per_summary"]) == (0.4, 512, 3)
    assert found["title_share"] == 0.25
    own = mixing.options(toy_settings.with_(replay_share=0, max_seq_len=64, qa_per_doc=1, seed=5), recipe)
    assert (own["replay_share"], own["max_tokens"], own["pairs_per_summary"], own["seed"]) == (0, 64, 1, 5)


LATIN = (
    "in the bell book,",
    "in",
    "who",
    "rings",
    "1,260",
    "11:00",
    "1260",
    "K-10",
    "12a",
    "a_b",
    "?",
    "10²",
    "102",
    "½",
)
OTHERS = ("Кто", "保修期为多少个月", "２４个", "24個", "必要がありますか", "กี่เดือน", "की", "के")
QUESTIONS = st.lists(st.sampled_from((*LATIN, *OTHERS)), min_size=1, max_size=12).map(
    lambda words: " ".join(words) + " rings?"
)


@example(questions=["in 11:00 in in 11:00 rings?"], exam=["in in 11:00 in in 11:00 rings?"])
@given(questions=st.lists(QUESTIONS, min_size=1, max_size=4), exam=st.lists(QUESTIONS, min_size=1, max_size=3))
@hypothesis_settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
def test_what_the_filter_lets_through_passes_the_independent_check(
    make_sample: MakeSample, tmp_path: Path, questions: list[str], exam: list[str]
) -> None:
    kept = [make_sample(text, f"A{n}.", draw=n) for n, text in enumerate(questions)]
    clean, _, _ = decontaminate({"document_based_qa": kept}, exam_of(*exam))
    if clean["document_based_qa"]:
        cut = mixed(clean, cut=9, context="all")
        sealed = files.write_rows(tmp_path / "exam.jsonl", exam_of(*exam))
        assert [evaluation.find_leaks(path, sealed) for path in written(cut, tmp_path, 9)] == [[], []]
