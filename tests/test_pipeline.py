"""`pipeline`: all stages in one folder; what cannot be is said before anything is paid for, what fails stops it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import Row, at, pairs_of
from endpoint import Endpoint
from outside import ai_tools, bells, write_chunks
from outside import at as environment_at

from ai_tools.errors import NothingProduced, UsageError
from ai_tools.settings import Settings, load_settings
from ai_tools.tools import PipelineSummary, Run, pipeline
from ai_tools.workspace import journal_path

POINTS = {"clarity": 3, "accuracy": 3, "usefulness": 2, "difficulty": 1}
STAGES = ["curated.jsonl", "curated_rejected.jsonl", "enriched.jsonl", "generated.jsonl"]


def reply(body: Row) -> str:
    """What a good teacher and judge says at every stage."""
    prompt = str(body["messages"])
    if "<pairs" not in prompt:
        return json.dumps({"pairs": [{"question": "When does it ring?", "answer": "At noon."}]})
    shown = pairs_of(body)
    if "grounded" in prompt:
        ratings = [{"id": one["id"], "reasoning": "Fine."} | POINTS | {"grounded": True} for one in shown]
        return json.dumps({"ratings": ratings})
    rewrites = [{"id": one["id"], "answer": "It rings at noon.", "changes": "a sentence"} for one in shown]
    return json.dumps({"rewrites": rewrites})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.reply = reply
        yield endpoint


@pytest.fixture
def settings(toy_root: Path, endpoint: Endpoint) -> Settings:
    write_chunks(toy_root / "chunks.jsonl", bells(2))
    return at(endpoint)


def piped(settings: Settings, **options: Any) -> PipelineSummary:
    return pipeline("chunks.jsonl", Path("made"), settings, **options)


def names() -> list[str]:
    return sorted(path.name for path in Path("made").iterdir()) if Path("made").exists() else []


def lines(name: str) -> list[Row]:
    return [json.loads(line) for line in Path("made", name).read_text("utf-8").splitlines()]


def test_every_stage_leaves_its_file_and_a_rerun_asks_nothing(settings: Settings, endpoint: Endpoint) -> None:
    made = piped(settings)
    assert names() == sorted([*STAGES, "summary.json", "training.jsonl"])
    assert [row["answer"] for row in lines("curated.jsonl")] == ["It rings at noon."] * 2
    assert [row["messages"][-1]["content"] for row in lines("training.jsonl")] == ["It rings at noon."] * 2
    assert (made.generated.pairs, made.curated.kept, made.exported.pairs, made.failed) == (2, 2, 2, 0)
    asked = endpoint.counters.requests
    again = piped(settings)
    assert (endpoint.counters.requests, again.asked.calls, again.curated.kept) == (asked, 0, 2)


def test_a_file_as_output_is_the_training_file_with_the_stages_in_a_folder_beside_it(
    settings: Settings, endpoint: Endpoint
) -> None:
    made = pipeline("chunks.jsonl", Path("new/training.jsonl"), settings, fmt="alpaca")
    assert (made.output, made.stages) == (Path("new/training.jsonl"), Path("new/training.work"))
    assert [json.loads(line)["output"] for line in made.output.read_text("utf-8").splitlines()] == [
        "It rings at noon."
    ] * 2  # fmt: skip
    assert sorted(path.name for path in made.stages.iterdir()) == [*STAGES, "summary.json"]
    asked = endpoint.counters.requests
    done = ai_tools(
        "pipeline", "chunks.jsonl", "-o", "new/training.jsonl", "-f", "alpaca", "--yes", **environment_at(endpoint.url)
    )
    assert (done.returncode, endpoint.counters.requests) == (0, asked), done.stderr
    assert "-> new/training.jsonl\nwhat each stage left: new/training.work\n" in done.stdout


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("chunks.jsonl", "that is the source"),
        ("mine.jsonl", "not made by this command; add --overwrite"),
        ("training.txt", "give a file that ends in .json or .jsonl, or a folder"),
        ("taken.json", "taken.work, which is a file"),
    ],
)
def test_a_file_that_cannot_be_the_training_file_is_refused_before_anything_is_asked(
    settings: Settings, endpoint: Endpoint, output: str, words: str
) -> None:
    Path("mine.jsonl").write_text('{"mine": 1}\n')
    Path("taken.work").write_text("mine")
    with pytest.raises(UsageError, match=words):
        pipeline("chunks.jsonl", Path(output), settings)
    assert not endpoint.requests


def test_where_no_answer_can_be_reworded_it_stops_and_says_why(settings: Settings, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: "I cannot." if "<pairs" in str(body["messages"]) else reply(body)
    with pytest.raises(
        NothingProduced, match=r"none of 2 answers got a usable reply \(.*no JSON.*; run again with --retry-rejected"
    ):
        piped(settings)
    assert names() == ["generated.jsonl"]


@pytest.mark.parametrize(
    ("options", "more", "words"),
    [
        ({"fmt": "llama"}, {}, "-f llama: no such format"),
        ({"threshold": 11}, {}, "--threshold 11"),
        ({"max_chunks": 0}, {}, "--max-chunks 0"),
        ({}, {"judge_base_url": "http://127.0.0.1:9"}, "set JUDGE_MODEL_NAME"),
    ],
)
def test_what_a_later_stage_would_refuse_is_refused_before_anything_is_asked(
    settings: Settings, endpoint: Endpoint, options: Row, more: Row, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        piped(at(endpoint, **more), **options)
    assert not endpoint.requests
    assert names() == []


@pytest.mark.parametrize("name", [*STAGES, "training.jsonl", "summary.json"])
def test_a_file_of_others_in_its_folder_is_left_alone_unless_told_otherwise(
    settings: Settings, endpoint: Endpoint, name: str
) -> None:
    Path("made").mkdir()
    Path("made", name).write_text('{"mine": 1}\n')
    with pytest.raises(UsageError, match=f"{name}.* not made by this command; add --overwrite"):
        piped(settings)
    assert not endpoint.requests
    assert Path("made", name).read_text() == '{"mine": 1}\n'
    assert piped(settings, run=Run(overwrite=True)).curated.kept == 2


def test_stages_are_told_from_one_another_by_who_made_them_last(settings: Settings) -> None:
    piped(settings)
    Path("made/enriched.jsonl").write_bytes(Path("made/curated.jsonl").read_bytes())
    with pytest.raises(UsageError, match=r"enriched\.jsonl: exists, and was edited since this command made it"):
        piped(settings)
    journal_path(settings.output).unlink()
    words = r"enriched\.jsonl: exists, and was not made by this command \(ai-tools curate made it\)"
    with pytest.raises(UsageError, match=words):
        piped(settings)


@pytest.mark.parametrize("name", [*STAGES[:1], *STAGES[2:], "training.jsonl", "summary.json"])
def test_what_was_corrected_in_its_folder_is_kept_and_nothing_asked(
    settings: Settings, endpoint: Endpoint, name: str
) -> None:
    piped(settings)
    endpoint.reset()
    path = Path("made", name)
    path.write_text(path.read_text().replace("noon", "twelve").replace("127.0.0.1", "mine"))
    corrected = path.read_bytes()
    with pytest.raises(UsageError, match=f"{name}: exists, and was edited since this command made it"):
        piped(settings)
    assert (path.read_bytes(), endpoint.requests) == (corrected, [])
    assert piped(settings, run=Run(overwrite=True)).asked.calls == 0


def test_where_the_register_is_lost_only_the_training_format_and_the_summary_are_not_known(settings: Settings) -> None:
    piped(settings)
    journal_path(settings.output).unlink()
    for name in ("training.jsonl", "summary.json"):
        with pytest.raises(UsageError, match=f"{name}: exists, and was not made by this command; add --overwrite"):
            piped(settings)
        Path("made", name).unlink()
    assert piped(settings).curated.kept == 2


def test_the_offline_teacher_goes_the_whole_way(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", ["A mooring costs 17 crowns a week. Every boat must carry two lamps."])
    made = piped(load_settings(provider="offline"), threshold=0, fmt="alpaca", skip_enrichment=True)
    assert made.enriched is None
    assert made.exported.pairs == len(lines("training.jsonl")) > 0
