"""Many files and addresses -> documents in Markdown: in parallel, each within limits, none twice."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit

from to_markdown import LIMITS, Conversion, FileLimits, kept
from to_markdown.kept import Job

from .. import workers, workspace
from ..errors import InputError, TooManyFailures
from ..escaping import escaped, one_line
from ..records import Document, Find, OnProgress, Progress, Rejection, content_id
from ..settings import Settings
from ..sources import Sources
from ..workers import Fault
from . import cache, fetching, file_names, sensitive
from .fetching import MB


@dataclass(frozen=True)
class Reading:
    """How documents are read, and the folder below which they are kept: the settings of these names."""

    output: Path
    pdf_converter: str
    max_file_mb: float
    file_timeout: float
    fetch_timeout: float
    sensitive: str


def reading(settings: Settings) -> Reading:
    return Reading(**{each.name: getattr(settings, each.name) for each in fields(Reading)})


@dataclass(frozen=True, slots=True)
class _Input:
    """One document to be. `source`: its path below what was named, or its address; `fault`: why it cannot become one.

    `label` is what its name is made from.
    """

    source: str
    label: str
    path: Path = Path()
    charset: str = ""
    fetched_at: str = ""
    warning: str = ""
    fault: str = ""


def convert(
    found: Sources, reading: Reading, *, on_progress: OnProgress | None = None
) -> tuple[list[Document], list[Rejection]]:
    """Documents in the order of their sources, and what could not be converted, each with its reason.

    Raises:
        InputError: none of them could be.
    """
    outcomes = list(convert_each(found, reading, on_progress=on_progress))
    documents = [one for one in outcomes if isinstance(one, Document)]
    failed = [one for one in outcomes if isinstance(one, Rejection)]
    if not documents:
        causes = "; ".join(one.reason for one in failed[:5]) + (f"; and {len(failed) - 5} more" * (len(failed) > 5))
        raise InputError(f"none of the documents could be read: {causes}")
    return documents, failed


def convert_each(
    found: Sources, reading: Reading, *, on_progress: OnProgress | None = None
) -> Iterator[Document | Rejection]:
    """The same one by one, for more documents than memory holds.

    Files are converted in processes of their own, as many as there are cores, with a limit of time and memory for
    each. What was converted before, with the same converters and settings, is read from `workspace.conversions_path`,
    which keeps none where SENSITIVE is `mask`. Addresses are fetched anew at every call and kept in
    `workspace.fetched_path`.
    """
    with _folder(reading) as folder:
        yield from _each([*_files(found), *_fetched(found, reading)], reading, folder, on_progress)


def _each(
    items: Sequence[_Input], reading: Reading, folder: Path, on_progress: OnProgress | None
) -> Iterator[Document | Rejection]:
    names = file_names.of_documents([item.label for item in items])
    jobs, reasons = _jobs(items, reading, folder)
    waiting = {number for number, job in jobs.items() if not kept.is_kept(job)}
    progress = Progress(len(items), done=len(items) - len(waiting), failed=len(reasons))
    passed = 0

    def ready() -> Iterator[Document | Rejection]:
        nonlocal passed
        while passed < len(items) and passed not in waiting:
            passed += 1
            number = passed - 1
            yield _result(items[number], names[number], jobs.get(number), reasons.get(number, ""), reading.sensitive)

    if on_progress:
        on_progress(progress)
    yield from ready()
    numbers = sorted(waiting)
    with closing(_done([jobs[number] for number in numbers], reading)) as done:
        for place, reason in done:
            number = numbers[place]
            waiting.discard(number)
            progress.done += 1
            if reason:
                reasons[number] = reason
                progress.failed += 1
            if on_progress:
                on_progress(progress)
            yield from ready()


def unconverted(found: Sources, reading: Reading) -> int:
    """Bytes of the files that `convert` would have to convert; addresses, which it fetches, are not among them."""
    with _folder(reading) as folder:
        jobs, _ = _jobs(_files(found), reading, folder)
        return sum(job.path.stat().st_size for job in jobs.values() if not kept.is_kept(job))


def check_failures(documents: Sequence[Document], failed: Sequence[Rejection], most: float) -> None:
    """Raises TooManyFailures where more than MAX_FAILURE_RATE (`most`) of what was named could not be read."""
    total = len(documents) + len(failed)
    if len(failed) > most * total:
        causes = "; ".join(one.reason for one in failed[:3]) + (f"; and {len(failed) - 3} more" * (len(failed) > 3))
        raise TooManyFailures(
            f"{len(failed)} of {total} documents could not be read ({causes}); mend or remove them, or raise "
            f"MAX_FAILURE_RATE={most:g}"
        )


def document_row(document: Document) -> dict[str, Any]:
    """A row of documents.jsonl; the text itself is in the Markdown file at `path`."""
    row = document.to_row()
    text = row.pop("text")
    del row["finds"]  # they are listed by line, see `screening`
    return row | {"path": f"documents/{document.name}.md", "n_chars": len(text)}


# --- what is there ---


def _files(found: Sources) -> list[_Input]:
    return [_Input(found.path_below(file), found.name_of(file), file) for file in found.files]


def _fetched(found: Sources, reading: Reading) -> Iterator[_Input]:
    if not found.addresses:
        return
    answers = fetching.fetch_all(
        found.addresses,
        workspace.fetched_path(reading.output),
        timeout=reading.fetch_timeout,
        max_bytes=reading.max_file_mb * MB,
    )
    for address, answer in zip(found.addresses, answers, strict=True):
        label = _label(address)
        if isinstance(answer, InputError):
            yield _Input(escaped(fetching.public(address)), label, fault=str(answer))
        else:
            yield _Input(escaped(answer.address), label, answer.path, answer.charset, answer.fetched_at, answer.warning)


def _label(address: str) -> str:
    """Host and path of an address, as if they were a file's path."""
    parts = urlsplit(address)
    path = unquote(parts.path).strip("/") or "index"
    query = re.sub(r"[^\w.-]+", "_", f"?{parts.query}") if parts.query else ""
    return f"{parts.hostname or ''}/{path}{query}"


# --- conversion ---


@contextmanager
def _folder(reading: Reading) -> Iterator[Path]:
    """Where conversions are kept. Those that will be masked last as long as this does, and those of before go."""
    folder = workspace.conversions_path(reading.output)
    if reading.sensitive != "mask":
        _clean(folder, cache.version())
        yield folder
        return
    _clean(folder, "")
    with TemporaryDirectory() as elsewhere:
        _clean(Path(elsewhere), cache.version())
        yield Path(elsewhere)


def _jobs(items: Sequence[_Input], reading: Reading, folder: Path) -> tuple[dict[int, Job], dict[int, str]]:
    """What is to be converted, and why the rest is not, by number."""
    most = round(reading.max_file_mb * MB)
    limits = FileLimits(file=most, expanded=most, seconds=reading.file_timeout)
    jobs: dict[int, Job] = {}
    reasons: dict[int, str] = {}
    for number, item in enumerate(items):
        try:
            if item.fault:
                raise InputError(item.fault)
            if (size := item.path.stat().st_size) > most:  # before it is read
                raise InputError(
                    f"{size / MB:.1f} MB, over MAX_FILE_MB={reading.max_file_mb:g}; split it or raise that"
                )
            jobs[number] = cache.job(item.path, folder, charset=item.charset, limits=limits, pdf=reading.pdf_converter)
        except (InputError, OSError) as error:
            reasons[number] = kept.reason(error)
    return jobs, reasons


def _clean(folder: Path, version: str) -> None:
    """Leave nothing that other versions of the converters have made."""
    (folder / version).mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name != version and re.fullmatch(r"[0-9a-f]{16}", old.name):
            shutil.rmtree(old, ignore_errors=True)  # another run may be at it, too


def _done(jobs: Sequence[Job], reading: Reading) -> Generator[tuple[int, str], None, None]:
    """The number of each job as it gets done, and why it could not be, if it could not."""
    models = reading.pdf_converter == "docling"  # they take all cores, and as much memory as they need
    processes, memory = (1, None) if models else (workers.cores(), LIMITS.memory)
    apart = workers.run(kept.convert_file, jobs, timeout=reading.file_timeout, memory=memory, processes=processes)
    with closing(apart) as outcomes:
        for number, outcome in outcomes:
            yield number, _said(outcome)


def _said(outcome: str | Fault) -> str:
    if isinstance(outcome, str):
        return outcome
    if outcome.kind == "timeout":
        return f"{outcome.reason}; split it or raise FILE_TIMEOUT"
    if outcome.kind == "memory":
        return f"{outcome.reason}; split it or save it in a simpler form"
    if outcome.kind == "died":
        return f"{outcome.reason}, as where memory runs out; split it or save it in a simpler form"
    return f"the converter failed ({outcome.reason}); save it in another form"


def _result(item: _Input, name: str, job: Job | None, reason: str, setting: str) -> Document | Rejection:
    if job is None or reason:
        check = "fetch" if item.fault else "convert"
        return Rejection(check, f"{item.source}: {escaped(reason)}", {"source": item.source})
    converted, finds = _looked_through(kept.read(job), setting)
    return Document(
        id=content_id(name, converted.text),
        name=name,
        source=item.source,
        title=converted.title or one_line(_title(item.label, is_code=converted.converter == "code")),
        media_type=converted.media_type,
        sha256=job.sha256,
        converter=converted.converter,
        text=converted.text,
        warnings=(*([item.warning] if item.warning else []), *converted.warnings),
        pages=converted.pages,
        fetched_at=item.fetched_at,
        finds=tuple(finds),
    )


def _looked_through(found: Conversion, setting: str) -> tuple[Conversion, list[Find]]:
    """A conversion and what its text holds; where SENSITIVE is `mask`, both with the marks, so that spans are true."""
    finds = sensitive.finds(found.text, sensitive=setting != "ignore")
    if setting != "mask":
        return found, finds
    text, marks = sensitive.masked(found.text, finds)
    title, _ = sensitive.masked(found.title, sensitive.finds(found.title))
    pages = tuple(sensitive.moved(place, finds, marks) for place in found.pages)
    return replace(found, title=title, text=text, pages=pages), marks


def _title(label: str, *, is_code: bool) -> str:
    """A file's name as words; of code as it is."""
    if is_code:
        return PurePosixPath(label).name
    stem = file_names.without_suffix(PurePosixPath(label).name)
    return re.sub(r"^\d+[_\- ]+|[_\-]+", " ", stem).strip().capitalize() or stem
