"""The command lines of a generator over LanceDB, as its users type them, with its configuration file beside them."""

import json
import shlex
from pathlib import Path
from typing import Any

import lancedb
import pytest
from test_config import WHOLE

from ai_tools.cli import app

Row = dict[str, Any]
TEXTS = [
    "# Harbour",
    "Every boat must carry two lamps. A mooring costs 17 crowns a week.",
    "The harbour office opens at 8:00. Visitors must register before noon.",
]
LINES = """generate lancedb -o pairs.json --table text_chunks --n-pairs 5 --batch-size 50 --max-chunks 2
generate lancedb -o more.json --target-pairs 2 --config configs/config.yaml
generate-cot lancedb -o cot.json --table text_chunks --n-pairs 2 --batch-size 50 --max-chunks 2
enrich theirs.json -o enriched.json --batch-size 5 --no-preserve-original
enhance-cot theirs.json -o reasoned.json
curate enriched.json -o curated.json --threshold 5.0 --batch-size 5
compare theirs.json curated.json -o comparison.json --sample-size 10
export curated.json -o chat.jsonl -f chatml --system-prompt Answer.
export curated.json -o share.jsonl -f sharegpt
pipeline lancedb -o training.jsonl --threshold 5 -f alpaca --max-chunks 2 --skip-enrichment"""


@pytest.fixture
def place(toy_root: Path) -> Path:
    """Its table, its configuration, and pairs as it writes them, which hold no passage."""
    rows = [
        {"id": f"c{n}", "content": text, "source_file": "h.md", "vector": [0.5] * 8} for n, text in enumerate(TEXTS)
    ]
    lancedb.connect("lancedb").create_table("text_chunks", rows)
    Path("configs").mkdir()
    Path("configs/config.yaml").write_text(WHOLE)
    asked = {"What does a mooring cost?": "17 crowns a week", "When does the harbour office open?": "at 8:00"}
    pairs = [{"question": q, "answer": a, "chunk_id": "c1", "source": "h.md"} for q, a in asked.items()]
    Path("theirs.json").write_text(json.dumps(pairs))
    return toy_root


def rows_of(name: str) -> list[Row]:
    text = Path(name).read_text("utf-8")
    return json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]  # type: ignore[no-any-return]  # rows


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:--config")
def test_the_command_lines_of_the_generator_over_lancedb_run_as_they_stand(place: Path) -> None:
    for line in LINES.splitlines():
        other = [] if line.startswith("export") else ["--provider", "offline"]
        assert not app([*shlex.split(line), *other], standalone_mode=False), line
    assert {"question", "answer", "chunk_id", "source"} <= {*rows_of("pairs.json")[0]}
    assert len(rows_of("more.json")) == 2
    assert all(row["reasoning"].startswith("Step 1: ") for row in rows_of("reasoned.json"))
    assert "original_answer" not in rows_of("enriched.json")[0]
    for row in rows_of("curated.json"):
        assert row["rating"] == sum(row[name] for name in ("clarity", "accuracy", "usefulness", "difficulty"))
        assert row["grounded"] is None
    report: Any = rows_of("comparison.json")
    for one in report["assessments"].values():
        assert 1 <= one["score"] <= 10
        assert {"strengths", "weaknesses"} <= {*one}
    assert report["recommendation"]["reason"].startswith("recommended: ")
    assert rows_of("chat.jsonl")[0]["messages"][0] == {"role": "system", "content": "Answer."}
    assert {*rows_of("training.jsonl")[0]} == {"instruction", "input", "output"}
