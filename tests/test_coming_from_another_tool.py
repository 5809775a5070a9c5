"""Every line of the README's table for those who come from another tool, run as it stands, in its order."""

import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

import lancedb
import pytest
from outside import COMMAND, environment, write_chunks

ROOT = Path(__file__).parents[1]
OUTPUTS = ("-o", "--output-file", "--output-dir", "--qa-dir")
PAGES = ("03_photo_document_method.md", "08_record_keeping.md")


def lines() -> list[str]:
    table = (ROOT / "README.md").read_text("utf-8").split("### Coming from another tool\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]*ai-tools [^`]+)`", row)[-1] for row in table.splitlines() if "ai-tools " in row]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the lines take for granted: pages, chunk files of them, and a LanceDB folder of their chunks."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "00_Setup").mkdir()
    (folder / "pages").mkdir()
    texts = [(ROOT / "assets/corpus" / name).read_text("utf-8") for name in PAGES]
    for name, text in zip(PAGES, texts, strict=True):
        (folder / "pages" / name).write_text(text)
    subprocess.run([*COMMAND, "chunk", "pages", "-o", "chunks"], cwd=folder, env=environment(), check=True)
    rows = write_chunks(folder / "unused.jsonl", [text[:1500] for text in texts])
    table = [{"id": row["chunk_id"], "content": row["text"], "source_file": row["file"]} for row in rows]
    lancedb.connect(folder / "lancedb").create_table("text_chunks", table)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", lines())
def test_the_line_does_what_its_row_says(folder: Path, line: str) -> None:
    words = shlex.split(line)
    at = words.index("ai-tools")
    settings = dict(word.split("=", 1) for word in words[:at])
    done = subprocess.run(
        [*COMMAND, *words[at + 1 :]],
        cwd=folder, env=environment(**settings), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    given = [after for word, after in pairwise(words) if word in OUTPUTS] or [settings["GENERATOR_OUTPUT_DIR"]]
    output = folder / given[0]
    assert output.stat().st_size > 2 if output.is_file() else any(output.iterdir())


def test_the_table_names_every_command_that_makes_something() -> None:
    commands = {shlex.split(line)[shlex.split(line).index("ai-tools") + 1] for line in lines()}
    assert commands >= {"generate", "generate-cot", "enrich", "enhance-cot", "curate", "validate", "compare"}
    assert commands >= {"chunk", "combine", "export", "pipeline"}
