"""Where a file's Markdown is kept: under a name for all that it depends on, so that none is converted again."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import to_markdown
from to_markdown import FileLimits
from to_markdown.kept import Job

from ..errors import DISTRIBUTION
from ..files import hash_file, hash_folder
from ..records import content_id
from ..workspace import version_of

EXTRAS = {"documents", "docling"}


def job(path: Path, folder: Path, *, charset: str, limits: FileLimits, pdf: str) -> Job:
    sha256 = hash_file(path)
    name = path.name.encode("utf-8", "surrogateescape").hex()
    key = content_id(sha256, name, charset, limits.file, limits.expanded, pdf)
    return Job(path, sha256, charset, limits, pdf, folder / version() / f"{key}.json")


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
