"""What chunking costs, by the length of one document and over two processes, beside the splitters used bare.

Each measurement is a process of its own on one core. The input is made of the sample pages, with a fence and a table
below every heading; all of these fit into a chunk, so that each one cut is a fault of the splitter.
"""

import bisect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from .documents import blocks, peak

LIMIT = 512
MOST = {"semantic_text_splitter": 2, "semchunk": 1}  # megabytes; their time grows faster than the document
Span = tuple[int, int]


def markdown(megabytes: float) -> tuple[str, list[Span]]:
    """A document, and where its fences and tables are."""
    parts: list[str] = []
    whole: list[Span] = []
    length = 0

    def add(part: str) -> None:
        nonlocal length
        parts.append(part)
        length += len(part)

    turns = count()
    while length < megabytes * 1e6:
        turn = next(turns)
        for block in blocks():
            add(f"{block}\n\n")
            if not block.startswith("#"):
                continue
            rows = "\n".join(f"| account {turn}-{row} | {row * 900:,} |" for row in range(1, 3 + turn % 7))
            code = "\n\n".join(f"# step {row}\ncheck --limit {row * 100}" for row in range(1, 3 + turn % 5))
            for part in (f"| Name | Limit |\n|---|---|\n{rows}", f"```sh\n{code}\n```"):
                whole.append((length, length + len(part)))
                add(f"{part}\n\n")
    return "".join(parts), whole


def ours(text: str) -> list[Span]:
    from ai_tools.documents.chunking import chunk_document
    from ai_tools.records import Document
    from ai_tools.steps.students import counting_tokenizer

    document = Document("d", "d", "d.md", "", "text/markdown", "", "markdown", text)
    chunks = chunk_document(document, max_tokens=LIMIT, tokenizer=counting_tokenizer("tiny"))
    return [(chunk.start, chunk.end) for chunk in chunks]


def semantic_text_splitter(text: str) -> list[Span]:
    from semantic_text_splitter import MarkdownSplitter

    from ai_tools.steps.students import counting_tokenizer

    splitter = MarkdownSplitter.from_huggingface_tokenizer(counting_tokenizer("tiny"), LIMIT)
    return [(start, start + len(chunk)) for start, chunk in splitter.chunk_indices(text)]


def semchunk(text: str) -> list[Span]:
    import semchunk as library

    from ai_tools.steps.students import counting_tokenizer

    tokenizer = counting_tokenizer("tiny")
    found = library.chunk(text, LIMIT, lambda part: len(tokenizer.encode(part).ids), offsets=True)
    return list(found[1])


SPLITTERS: dict[str, Callable[[str], list[Span]]] = {
    "ours": ours,
    "semantic_text_splitter": semantic_text_splitter,
    "semchunk": semchunk,
}


def run(splitter: str, megabytes: float) -> dict[str, float]:
    """Chunk one document; `broken` of its fences and tables are cut."""
    work = SPLITTERS[splitter]
    work("# Warm\n\nup.\n")
    text, whole = markdown(megabytes)
    before = time.process_time()
    spans = work(text)
    seconds = time.process_time() - before
    starts = sorted(start for start, _ in spans)
    broken = sum(bisect.bisect_right(starts, begin) < bisect.bisect_left(starts, end) for begin, end in whole)
    size = len(text.encode()) / 1e6
    return {"size": size, "rate": size / seconds, "chunks": len(spans), "broken": broken, "peak": peak()}


def measure(splitter: str, megabytes: float) -> dict[str, float]:
    environment = os.environ | {"TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, json.dumps([splitter, megabytes])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def chunk_file(path: Path) -> int:
    text = path.read_text("utf-8")
    ours(text)
    return len(text.encode())


def one_core() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def over_two_processes(megabytes: float) -> None:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2, get_context("spawn"), one_core) as pool:
        files = [Path(folder, f"{number}.md") for number in range(8)]
        for file in files:
            file.write_text(markdown(megabytes)[0], "utf-8")
        list(pool.map(chunk_file, files[:2] * 2))
        before = time.perf_counter()
        size = sum(pool.map(chunk_file, files)) / 1e6
        print(f"ours, {len(files)} documents on two processes: {size / (time.perf_counter() - before):.2f} MB/s")


def main(small: bool = False) -> None:
    print(f"{'splitter':24} {'MB':>6} {'MB/s of CPU':>12} {'chunks':>7} {'cut fences, tables':>19} {'peak MB':>8}")
    for megabytes in (0.02,) if small else (1, 5, 20):
        for name in SPLITTERS:
            if megabytes > MOST.get(name, megabytes) or (name != "ours" and not find_spec(name)):
                continue
            one = measure(name, megabytes)
            head = f"{name:24} {one['size']:>6.1f} {one['rate']:>12.2f} {one['chunks']:>7.0f}"
            print(f"{head} {one['broken']:>19.0f} {one['peak']:>8.0f}", flush=True)
    over_two_processes(0.02 if small else 1)


if __name__ == "__main__":
    print(json.dumps(run(*json.loads(sys.argv[1]))))
