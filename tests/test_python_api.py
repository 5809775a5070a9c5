"""The package as Python code uses it: the README's block as it stands, and paths as texts or as `Path`."""

import inspect
import json
import re
import runpy
import shutil
from pathlib import Path

import pytest

import ai_tools
from ai_tools import tools
from ai_tools.settings import load_settings

ROOT = Path(__file__).parents[1]
PAGES = ("03_photo_document_method.md", "08_record_keeping.md")


@pytest.fixture
def pages(toy_root: Path) -> Path:
    """Two of the sample's pages, where the README's block looks for them."""
    (toy_root / "assets/corpus").mkdir(parents=True)
    for name in PAGES:
        shutil.copy(ROOT / "assets/corpus" / name, toy_root / "assets/corpus")
    return toy_root


def test_the_block_of_the_readme_runs_as_it_is_written(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (pages / "block.py").write_text(block)
    names = runpy.run_path("block.py")
    assert capsys.readouterr().out == f"{names['made'].pairs} {names['kept'].kept} {names['kept'].histogram}\n"
    assert names["made"].output == Path("pairs.json")
    assert len(json.loads((pages / "kept.json").read_text("utf-8"))) == names["kept"].kept > 0


def test_every_tool_takes_its_paths_as_texts(pages: Path) -> None:
    settings = load_settings()
    tools.chunk_documents("assets/corpus", "chunks", settings)
    made = tools.generate_qa("chunks", "pairs.json", settings, target_pairs=4)
    tools.generate_qa("chunks", "qa", settings, target_pairs=4)
    tools.generate_cot("chunks", "cot.json", settings, target_pairs=2)
    tools.enrich("pairs.json", "enriched.json", settings)
    tools.enhance_cot("pairs.json", "reasoned.json", settings)
    tools.curate("pairs.json", "kept.json", settings, threshold=0)
    tools.validate("pairs.json", "report.json", settings, filtered_output="checked.json", filter_threshold=0)
    tools.compare(["pairs.json", "enriched.json"], "comparison.json", settings, sample_size=1)
    tools.combine("qa", "all.json")
    exported = tools.export("qa", "training")
    assert tools.pipeline("chunks", "made", settings, max_chunks=2, threshold=0).output == Path("made")
    assert made.output == Path("pairs.json")
    assert all(path.parent == Path("training") for path in exported.files)


def test_every_public_function_that_takes_a_path_takes_a_text() -> None:
    for name in {*ai_tools.__all__} - {"Settings"}:
        for one in inspect.signature(getattr(ai_tools, name)).parameters.values():
            said = str(one.annotation)
            assert "Path" not in said or "str" in said, f"{name}({one.name}: {said})"


def test_rows_an_exam_a_journal_and_a_manifest_are_named_by_texts(toy_root: Path) -> None:
    (toy_root / "exam.jsonl").write_text('{"question": "When does the bell ring?", "answer": "At noon."}\n')
    assert ai_tools.read_rows("exam.jsonl") == [{"question": "When does the bell ring?", "answer": "At noon."}]
    assert [one.answer for one in ai_tools.load_exam("exam.jsonl")] == ["At noon."]
    assert ai_tools.read_manifest("out", 1) is None
    with ai_tools.Journal("out/journal.sqlite") as journal:
        assert journal.path == Path("out/journal.sqlite")
