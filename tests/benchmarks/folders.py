"""What a folder of documents costs: 5,000 small files converted, and found again without being converted."""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.02
WORK = """
import sys
from ai_tools import documents, sources
from ai_tools.settings import load_settings
settings = load_settings(source_documents=sys.argv[1], output_dir=sys.argv[2])
found = sources.find(settings.source_documents, settings.root)
converted, failed = documents.convert(found, documents.reading(settings))
print(len(converted), "documents,", len(failed), "failed,", sum(len(one.text) for one in converted), "characters")
"""
WORDS = "bell lamp stair rings noon dusk light every night keeper harbour tide before after must may not the a of to in"


def main(small: bool = False) -> None:
    files = 20 if small else 5_000
    with tempfile.TemporaryDirectory() as folder:
        size = _write(Path(folder, "docs"), files)
        print(f"{files:,} files, {size / 1e6:.1f} MB, {psutil.cpu_count()} cores")
        for name in ("converted", "unchanged"):
            _measure(name, Path(folder), files)


def _measure(name: str, folder: Path, files: int) -> None:
    """Seconds, CPU and peak memory of a process and those that it starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", WORK, str(folder / "docs"), str(folder / "output")])
    peak = 0
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        time.sleep(SAMPLE_SECONDS)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rate = f"{files / seconds:,.0f} files/s, {files / cpu:,.0f} a second of CPU"
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of CPU, {rate}, peak memory {peak / 2**20:.0f} MiB", flush=True)


def _resident(pid: int) -> int:
    """Bytes of memory that a process and those below it hold; what they share counts for each."""
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _write(folder: Path, files: int) -> int:
    """Half of the files are web pages, a quarter each Markdown and text; all in folders of 100. Returns their bytes."""
    rng = random.Random(0)
    words = WORDS.split()
    size = 0
    for number in range(files):
        sentences = [" ".join(rng.choices(words, k=12)).capitalize() + f" {number}." for _ in range(40)]
        title = " ".join(rng.choices(words, k=3)).title()
        kind = (".html", ".md", ".html", ".txt")[number % 4]
        text = "\n\n".join([f"# {title}", *sentences])
        if kind == ".html":
            links = "".join(f'<li><a href="/{word}">{word}</a></li>' for word in words)
            rows = "".join(f"<tr><td>{word}</td><td>{rng.random():.3f}</td></tr>" for word in words)
            main = f"<h1>{title}</h1>" + "".join(f"<p>{one}</p>" for one in sentences) + f"<table>{rows}</table>"
            text = f"<html><body><nav><ul>{links}</ul></nav><main>{main}</main><footer>Imprint</footer></body></html>"
        path = folder / f"{number // 100:02}" / f"{number:04}{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        size += len(text)
    return size
