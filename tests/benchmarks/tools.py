"""What the single tools cost with 100,000 pairs: combine, curate with ratings from the journal, export to each format.

Every command is a process of its own, so that its peak memory is its own.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .teachers import endpoint

PER_PASSAGE, PER_DOCUMENT = 5, 500
PASSAGE = 1_500  # characters
FORMATS = ("chatml", "alpaca", "sharegpt", "jsonl", "text")
# The command line, which says at its end what it should have done without.
COMMAND = """
import atexit, sys
heavy = ("torch", "transformers", "datasets", "pandas", "pyarrow")
atexit.register(lambda: print("loaded:", ", ".join(name for name in heavy if name in sys.modules) or "nothing heavy"))
from ai_tools.cli import main
main()
"""
WORDS = "bell lamp stair rings noon dusk light every night keeper harbour tide before after must may not the a of to in"


@dataclass(frozen=True)
class Run:
    """What a command took: wall and CPU seconds, and its peak memory."""

    seconds: float
    cpu: float
    peak: int
    said: str


def ai_tools(*arguments: str, **environment: str) -> Run:
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments[0]} failed: {said}")
    return Run(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, said)


def show(name: str, run: Run, pairs: int) -> None:
    last = run.said.strip().splitlines()[-1]
    rate = f"{pairs / run.cpu:,.0f} pairs a second of CPU"
    print(f"{name:32} {run.seconds:5.1f} s, {run.cpu:5.1f} s of CPU, peak {run.peak:4} MiB, {rate}; {last}", flush=True)


def main(small: bool = False) -> None:
    pairs, formats = (500, FORMATS[:1]) if small else (100_000, FORMATS)
    with tempfile.TemporaryDirectory() as folder, endpoint() as url:
        root = Path(folder)
        size = write(root / "docs", pairs)
        print(f"{pairs:,} pairs in {pairs // PER_DOCUMENT:,} documents, {size / 1e6:.0f} MB, {os.cpu_count()} cores")
        place = {"OUTPUT_DIR": str(root / "output")}
        docs, combined = str(root / "docs"), str(root / "training_data.json")
        show("combine", ai_tools("combine", docs, "-o", combined, **place), pairs)
        teacher = {"PROVIDER": "openai-compatible", "TEACHER_MODEL_NAME": "mock", "TEACHER_MODEL_BASE_URL": url}
        teacher |= {"JUDGE_MODEL_NAME": "", "JUDGE_BASE_URL": ""} | place
        curated, again = str(root / "curated.jsonl"), str(root / "again.jsonl")

        def curate(source: str, target: str) -> Run:
            return ai_tools("curate", source, "-o", target, "--yes", **teacher)

        show("curate, every call made", curate(combined, curated), pairs)
        known = curate(combined, again)
        assert "\n0 calls, " in known.said, known.said
        show("curate, all in the journal", known, pairs)
        show("curate, all rated in the file", curate(curated, again), pairs)
        show("curate, a folder", curate(docs, str(root / "kept")), pairs)
        for fmt in formats:
            out = str(root / f"{fmt}.jsonl")
            show(f"export, {fmt}", ai_tools("export", curated, "-o", out, "-f", fmt, **place), pairs)
        show("export, a folder", ai_tools("export", docs, "-o", str(root / "training"), **place), pairs)


def write(folder: Path, pairs: int) -> int:
    """Files as `generate` leaves them. Returns their bytes."""
    folder.mkdir()
    rng = random.Random(0)
    size = 0
    for document in range(pairs // PER_DOCUMENT):
        rows = [row for chunk in range(PER_DOCUMENT // PER_PASSAGE) for row in _rows(rng, document, chunk)]
        name = f"{document:04}.md"
        whole = {
            "metadata": {"processed_by": "ai-tools generate", "file_name": name, "source_file": name},
            "processing_info": {"splitting_strategy": "markdown", "chunk_size": 512, "total_chunks": len(rows)},
            "qa_generation_info": {"provider": "offline", "model": "rules", "temperature": 0.7, "generated_at": name},
            "status": "completed",
            "training_pairs": rows,
            "summary": {"total_chunks": len(rows), "completed_chunks": len(rows), "failed_chunks": 0},
        }
        size += (folder / f"{document:04}_qa.json").write_text(json.dumps(whole, indent=2))
    return size


def _rows(rng: random.Random, document: int, chunk: int) -> list[dict[str, object]]:
    words = WORDS.split()
    sentences = [" ".join(rng.choices(words, k=14)).capitalize() + f" {n}." for n in range(PASSAGE // 70)]
    text = f"{document} {chunk}. " + " ".join(sentences)
    return [
        {
            "question": f"What is said of {' '.join(rng.choices(words, k=4))} {n}?",
            "answer": " ".join(sentences[2 * n : 2 * n + 2]),
            "type": "qa",
            "source_file": f"{document:04}.md",
            "file_name": f"{document:04}.md",
            "file_type": ".md",
            "chunk_id": f"c{document}-{chunk}",
            "chunk_index": chunk,
            "chunk_start": chunk * PASSAGE,
            "chunk_end": chunk * PASSAGE + len(text),
            "source_text": text,
        }
        for n in range(PER_PASSAGE)
    ]
