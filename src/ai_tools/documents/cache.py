"""One file -> its Markdown in a file, named for all that it depends on: what is there need not be converted again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import to_markdown
from to_markdown import Conversion, FileLimits

from ..errors import DISTRIBUTION, AIToolsError
from ..files import hash_file, hash_folder
from ..records import content_id
from ..workspace import version_of

EXTRAS = {"documents", "docling"}


@dataclass(frozen=True, slots=True)
class Job:
    """A file that is to be converted. `kept` is where its Markdown is, or will be.

    `charset` is what a web server said, `pdf` the converter for PDF.
    """

    path: Path
    sha256: str
    charset: str
    limits: FileLimits
    pdf: str
    kept: Path


def job(path: Path, folder: Path, *, charset: str, limits: FileLimits, pdf: str) -> Job:
    sha256 = hash_file(path)
    name = path.name.encode("utf-8", "surrogateescape").hex()
    key = content_id(sha256, name, charset, limits.file, limits.expanded, pdf)
    return Job(path, sha256, charset, limits, pdf, folder / version() / f"{key}.json")


def convert(job: Job) -> str:
    """Convert a file and keep the result. Returns why that was not possible, or nothing."""
    try:
        data = job.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != job.sha256:
            return "changed while it was read; run again"
        found = to_markdown.convert(data, job.path.name, charset=job.charset, limits=job.limits, pdf=job.pdf)
    except (AIToolsError, OSError) as error:
        return reason(error)
    part = job.kept.with_name(f".{job.kept.name}.{os.getpid()}.part")  # two runs may do the same work
    part.write_text(json.dumps(asdict(found)), "ascii")  # ASCII, since a text may hold what UTF-8 cannot
    part.replace(job.kept)
    return ""


def reason(error: Exception) -> str:
    """What an error says of a file, without the path that an error of the system repeats."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)


def is_kept(job: Job) -> bool:
    """Whether the conversion is there, and whole."""
    try:
        with job.kept.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"}"
    except OSError:
        return False


def read(job: Job) -> Conversion:
    row = json.loads(job.kept.read_text("ascii"))
    return Conversion(**row | {"warnings": tuple(row["warnings"]), "pages": tuple(row["pages"])})


@lru_cache(maxsize=1)
def version() -> str:
    """A hash of the converters' source and of the versions of what they stand on."""
    return content_id(hash_folder(Path(to_markdown.__file__).parent), _libraries())


def _libraries() -> list[tuple[str, str]]:
    """Name and version of every installed package that the extras for documents name."""
    found = []
    for line in metadata.requires(DISTRIBUTION) or ():
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"](\w+)", line)
        if name and extra and extra[1] in EXTRAS and (version := version_of(name[0])):
            found.append((name[0], version))
    return sorted(found)
