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
from ai_tools.records import Chunk, Completion, Document
from ai_tools.settings import load_settings
from ai_tools.steps import generation, students
from ai_tools.teachers.asker import Asker
from ai_tools.teachers.journal import Entry, Journal


def median_cpu(work: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of this process for one call."""
    times = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)


def fresh_interpreter(code: str, repeats: int) -> float:
    """Median wall seconds of a fresh interpreter that runs the code, less those of one that does nothing."""

    def once(text: str) -> float:
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", text], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - before

    once(code)
    return statistics.median(once(code) - once("pass") for _ in range(repeats))


def main(small: bool = False) -> None:
    repeats = 1 if small else 5
    help_text = "from typer.testing import CliRunner; from ai_tools.cli import app; CliRunner().invoke(app, ['--help'])"
    print(f"import ai_tools: {fresh_interpreter('import ai_tools', repeats):.3f} s")
    print(f"ai-tools --help: {fresh_interpreter(help_text, repeats):.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(provider="offline", output_dir=folder, **({"number_of_summaries": 1} if small else {}))
        found = sources.find(settings.source_documents, settings.root)
        converted, _ = documents.convert(found, documents.reading(settings))
        chunks = chunking(converted[:1] if small else converted, repeats)
        seed_data = seeds.seed_rows(converted, chunks, {}, domain="", outline="")
        items = generation.passages([chunk.to_row() for chunk in chunks], seed_data)
        with Journal(Path(folder) / "journal.sqlite") as journal:
            asker = teachers.make_asker(settings, journal)
            recipes = [generation.load_recipe(name, draws=settings.summaries) for name in workspace.DATASETS]
            generating(items, recipes, asker, repeats)
            journalling(journal, asker, 128 if small else 2048)
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def chunking(converted: list[Document], repeats: int) -> list[Chunk]:
    tokenizer = students.counting_tokenizer("tiny")

    def chunk_all() -> list[Chunk]:
        return [chunk for one in converted for chunk in chunk_document(one, max_tokens=512, tokenizer=tokenizer)]

    size = sum(len(one.text) for one in converted)
    seconds = median_cpu(chunk_all, repeats)
    chunks = chunk_all()
    print(f"chunking: {size / seconds / 1e6:.2f} MB/s of CPU ({len(chunks)} chunks)")
    return chunks


def generating(items: list[generation.Passage], recipes: list[generation.Recipe], asker: Asker, repeats: int) -> None:

    def all_datasets() -> None:
        for recipe in recipes:
            generation.generate(items, recipe, asker=asker)

    first = median_cpu(all_datasets, 1)
    again = median_cpu(all_datasets, repeats)
    rate = f"{len(items) / first:.1f} chunks/s of CPU"
    print(f"generation: {len(asker.journal)} calls, {rate}; from the journal {again:.2f} s")


def journalling(journal: Journal, asker: Asker, count: int) -> None:
    fields = {"title": "t", "section": "s", "passage": "p", "count": 1, "angle": "a"}
    calls = [asker.plan("questions", fields, draw=draw) for draw in range(count)]
    done = Entry(Completion("x" * 1500, "m"))
    wall = time.perf_counter()
    for start in range(0, len(calls), 64):
        journal.put([(asker.teacher, call, done) for call in calls[start : start + 64]])
    print(f"journal: {len(calls) / (time.perf_counter() - wall):,.0f} rows/s, 64 a commit, synced")
