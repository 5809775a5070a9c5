"""What the parts cost: import, command line, chunking, journal, offline generation. Medians of repeats, CPU time."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ai_tools import documents, sources, teachers, workspace
from ai_tools.documents import seeds
from ai_tools.documents.chunking import chunk_document
from ai_tools.records import Completion, Document
from ai_tools.settings import load_settings
from ai_tools.steps import generation, students
from ai_tools.teachers.asker import Asker
from ai_tools.teachers.journal import Entry, Journal

REPEATS = 5


def median_cpu(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median CPU seconds of this process for one call."""
    times = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)


def fresh_interpreter(code: str) -> float:
    """Median wall seconds of a fresh interpreter that runs the code, less those of one that does nothing."""

    def once(text: str) -> float:
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - before

    once(code)
    return statistics.median(once(code) - once("pass") for _ in range(REPEATS))


def main() -> None:
    settings = load_settings(provider="offline")
    print(f"import ai_tools: {fresh_interpreter('import ai_tools'):.3f} s")
    help_text = "from typer.testing import CliRunner; from ai_tools.cli import app; CliRunner().invoke(app, ['--help'])"
    print(f"ai-tools --help: {fresh_interpreter(help_text):.3f} s")
    converted, _ = documents.convert(sources.find(settings.source_documents, settings.root), settings)
    tokenizer = students.counting_tokenizer("tiny")

    def chunk_all(some: list[Document]) -> list[Any]:
        return [chunk for one in some for chunk in chunk_document(one, max_tokens=512, tokenizer=tokenizer)]

    size = sum(len(one.text) for one in converted)
    seconds = median_cpu(lambda: chunk_all(converted))
    chunks = chunk_all(converted)
    print(f"chunking: {size / seconds / 1e6:.2f} MB/s of CPU ({len(chunks)} chunks)")
    items = generation.passages(
        [chunk.to_row() for chunk in chunks], seeds.seed_rows(converted, chunks, {}, domain="", outline="")
    )
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.sqlite") as journal:
        teacher = teachers.connect(settings)
        asker = Asker(teacher, journal, settings)
        recipes = [generation.load_recipe(name) for name in workspace.DATASETS]

        def all_datasets() -> None:
            for recipe in recipes:
                generation.generate(items, recipe, asker=asker)

        first = median_cpu(all_datasets, 1)
        again = median_cpu(all_datasets)
        print(
            f"generation: {asker.calls} calls, {len(items) / first:.1f} chunks/s of CPU; from the journal {again:.2f} s"
        )
        fields = {"title": "t", "section": "s", "passage": "p", "count": 1, "angle": "a"}
        calls = [asker.plan("questions", fields, draw=draw) for draw in range(2048)]
        done = Entry(Completion("x" * 1500, "m"))
        wall = time.perf_counter()
        for start in range(0, len(calls), 64):
            journal.put([(teacher, call, done) for call in calls[start : start + 64]])
        print(f"journal: {len(calls) / (time.perf_counter() - wall):,.0f} rows/s, 64 a commit, synced")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
