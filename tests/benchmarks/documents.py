"""What it costs to turn documents into Markdown, beside the libraries used bare on the same files, in turns.

Each measurement is a process of its own, with one worker or two, so that its peak memory is its own. The inputs are
made here from the sample pages: web pages of 50 KB, and PDF pages with headings, columns, tables and running lines.
"""

import html
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "assets" / "corpus"
WEB_PAGE_BYTES = 50_000

FRAME = """<!DOCTYPE html><html><head><title>{title} | Handbook</title><script>var seen = 1;</script></head><body>
<nav><ul>{links}</ul></nav><div class="banner" onclick="go()">Read this first.</div><{tag}>{body}</{tag}>
<footer><p>Internal use only.</p></footer></body></html>"""


# --- readers: what makes text of one file; each says how many items that was ---


def ours(file: Path) -> int:
    import to_markdown

    return len(to_markdown.convert(file.read_bytes(), file.name).pages) or 1


def trafilatura_bare(file: Path) -> int:
    import trafilatura

    return bool(trafilatura.extract(file.read_text("utf-8"), output_format="markdown", include_formatting=True))


def pypdfium2_bare(file: Path) -> int:
    import pypdfium2

    document = pypdfium2.PdfDocument(file)
    for page in document:
        page.get_textpage().get_text_bounded()
    return len(document)


def pdfplumber_bare(file: Path) -> int:
    import pdfplumber

    with pdfplumber.open(file) as document:
        for page in document.pages:
            page.extract_text()
            page.close()
        return len(document.pages)


READERS: dict[str, Callable[[Path], int]] = {
    "ours": ours,
    "trafilatura": trafilatura_bare,
    "pypdfium2 text": pypdfium2_bare,
    "pdfplumber text": pdfplumber_bare,
}


# --- inputs ---


def blocks() -> list[str]:
    return [block for page in sorted(CORPUS.glob("*.md")) for block in page.read_text("utf-8").strip().split("\n\n")]


def write_web_pages(folder: Path, tag: str, count: int) -> None:
    """Pages whose text stands in a `<main>`, which says so, or in a mere `<div>`, which must be found."""
    links = "".join(f'<li><a href="{n}.html">Page {n} of the handbook</a></li>' for n in range(60))
    source = cycle(blocks())
    folder.mkdir()
    for number in range(count):
        body = ""
        while len(body) + len(links) < WEB_PAGE_BYTES:
            heading = re.match(r"(#+) (.*)", block := next(source))
            level = f"h{len(heading[1])}" if heading else "p"
            body += f"<{level}>{html.escape(heading[2] if heading else block)}</{level}>\n"
            if heading:
                body += "<ul><li>one</li><li>two</li></ul><pre><code>step --one\n  two</code></pre>"
                body += "<table><tr><th>Name</th><th>Limit</th></tr><tr><td>cash</td><td>9,000</td></tr></table>\n"
        page = FRAME.format(title=f"Page {number}", links=links, body=body, tag=tag)
        (folder / f"{number}.html").write_text(page, "utf-8")


def write_pdfs(folder: Path, count: int, pages: int) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table

    styles = getSampleStyleSheet()
    source = blocks()
    folder.mkdir()
    for number in range(count):
        document = BaseDocTemplate(str(folder / f"{number}.pdf"), title=f"Handbook {number}")

        def running(canvas: object, document: BaseDocTemplate) -> None:
            canvas.drawString(72, 800, "Handbook")  # type: ignore[attr-defined]
            canvas.drawString(290, 30, str(document.page))  # type: ignore[attr-defined]

        one, left, right = Frame(72, 60, 450, 720), Frame(60, 60, 230, 720), Frame(305, 60, 230, 720)
        frames = [one] if number % 2 else [left, right]
        document.addPageTemplates([PageTemplate(frames=frames, onPage=running)])
        story: list[Flowable] = []
        for block in islice(cycle(source), 8 * pages):
            heading = re.match(r"(#+) (.*)", block)
            style = styles[f"Heading{len(heading[1])}" if heading else "BodyText"]
            story.append(Paragraph(html.escape(heading[2] if heading else block), style))
            if heading:
                rows = [["Name", "Limit"], ["cash", "9,000"], ["transfer", "6,500"]]
                story.append(Table(rows, style=[("GRID", (0, 0), (-1, -1), 0.5, "black")]))
        document.build(story)


# --- the measurements ---


def run(reader: str, folder: str, workers: int) -> dict[str, float]:
    """Read all files of a folder, with an import and one file beforehand as warm-up."""
    files = sorted(Path(folder).iterdir())
    work = READERS[reader]
    if workers == 1:
        work(files[0])
        wall, cpu = time.perf_counter(), time.process_time()
        items = sum(map(work, files))
        return result(items, time.perf_counter() - wall, time.process_time() - cpu)
    with ProcessPoolExecutor(workers, get_context("forkserver")) as pool:
        list(pool.map(work, files[:workers] * 2))
        wall = time.perf_counter()
        items = sum(pool.map(work, files))
        return result(items, time.perf_counter() - wall, 0.0)


def result(items: int, wall: float, cpu: float) -> dict[str, float]:
    return {"rate": items / wall, "cpu": 1000 * cpu / items, "peak": peak()}


def peak() -> float:
    """Peak megabytes of this process; getrusage counts what the process that started it held."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(reader: str, folder: Path, workers: int) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    task = json.dumps([reader, str(folder), workers])
    done = subprocess.run([*command, task], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(what: str, folder: Path, readers: list[str], repeats: int) -> None:
    """Print a table of the readers, ours first: medians of rounds in which each has its turn."""
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(f"\n{what}, {len(list(folder.iterdir()))} files, {size:.1f} MB; medians of {repeats}")
    print(f"{'reader':16} {'1 core':>8} {'2 cores':>8} {'CPU ms each':>12} {'of our speed':>13} {'peak MB':>8}")
    rounds = [{(name, n): measure(name, folder, n) for name in readers for n in (1, 2)} for _ in range(repeats)]
    for name in readers:

        def middle(key: str, workers: int = 1, name: str = name) -> float:
            return statistics.median(one[name, workers][key] for one in rounds)

        share = statistics.median(one["ours", 1]["cpu"] / one[name, 1]["cpu"] for one in rounds)
        rates = f"{middle('rate'):>8.0f} {middle('rate', 2):>8.0f}"
        print(f"{name:16} {rates} {middle('cpu'):>12.2f} {share:>13.0%} {middle('peak'):>8.0f}", flush=True)


def main(small: bool = False) -> None:
    web_pages, pdf_files, pdf_pages, repeats = (2, 2, 1, 1) if small else (60, 4, 40, 3)
    with tempfile.TemporaryDirectory() as place:
        kinds = (("main", "web pages/s, main text named"), ("div", "web pages/s, main text to be found"))
        for tag, what in kinds[: 1 if small else None]:
            write_web_pages(Path(place, tag), tag, web_pages)
            compare(what, Path(place, tag), ["ours", "trafilatura"], repeats)
        write_pdfs(Path(place, "pdf"), pdf_files, pdf_pages)
        others = [name for name in ("pypdfium2 text", "pdfplumber text") if find_spec(name.split()[0])]
        compare("PDF pages/s, with structure", Path(place, "pdf"), ["ours", *others], repeats)


if __name__ == "__main__":
    print(json.dumps(run(*json.loads(sys.argv[1]))))
