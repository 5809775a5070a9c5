"""A file -> its conversion in another file: what a process of its own is asked to do, and loads little for."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ai_tools.errors import AIToolsError

from . import Conversion, FileLimits, convert


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


def convert_file(job: Job) -> str:
    """Convert a file and keep the result. Returns why that was not possible, or nothing."""
    try:
        data = job.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != job.sha256:
            return "changed while it was read; run again"
        found = convert(data, job.path.name, charset=job.charset, limits=job.limits, pdf=job.pdf)
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
