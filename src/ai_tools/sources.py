"""What a user names - a file, a folder, a glob, an address, or a comma list of these - as files in a stable order."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .errors import InputError
from .escaping import escaped

# What stands beside documents in a folder and is none. A file that is named itself is tried, whatever it is called.
BESIDE_NAMES = """
    .css .js .mjs .map .png .jpg .jpeg .gif .webp .svg .ico .bmp .tif .tiff .woff .woff2 .ttf .otf .eot .mp3 .mp4 .ogg
    .wav .webm .avi .mov .zip .gz .bz2 .xz .tar .7z .exe .dll .so .o .a .pyc .class .jar .db .sqlite .inv .lock .log
    .json .jsonl .toml .ini .cfg .bib
"""
BESIDE = set(BESIDE_NAMES.split())
# XML in a folder is a document where it begins like one (DocBook, JATS, XHTML), and else data beside the documents.
XML_DOCUMENT = re.compile(rb"<(?:\w+:)?(?:article|book|chapter|html|part|refentry|section|sect1)\b")
PASSED_OVER = "no documents by their names; to read one, name it, or give a glob that ends in its suffix"
LINKS_OUT = "links out of the folder"
LINKS_TO_FOLDERS = "links to folders"
CLOSED = "folders that may not be read"


@dataclass
class Sources:
    """Documents that are to be read.

    `base` is the folder that holds all that was named; a document is called by its path below it. `passed_over`: what
    stands beside the documents, counted by suffix, or by what else it is; a name that ends in `/` is a folder's, with
    the files in it.
    """

    base: Path
    files: list[Path] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def path_below(self, file: Path) -> str:
        """A file's path below `base` as it may be shown, with `/` on every system."""
        return escaped(self.name_of(file))

    def name_of(self, file: Path) -> str:
        """The same as it is; bytes that are no UTF-8 become `\\ufffd`."""
        return os.fsencode(file.relative_to(self.base).as_posix()).decode("utf-8", "replace")


def find(spec: str, root: Path, *, prefix: str = "SOURCE_DOCUMENTS=") -> Sources:
    """Files and addresses that a setting names, in its order; those of a folder or glob sorted by path, none twice.

    Args:
        root: what relative paths are relative to.
        prefix: what an error puts before the part that it is about.

    Raises:
        InputError: nothing is named, or a part names nothing.
    """
    files: list[Path] = []
    addresses: list[str] = []
    folders: list[Path] = []
    passed_over: Counter[str] = Counter()
    for part in _parts(spec, root):
        if part.lower().startswith(("http://", "https://")):
            if user := re.search(r"//[^/?#]*@", part):
                shown = part.replace(user[0], "//…@")
                raise InputError(f"{prefix}{shown}: leave user and password out; save the page and give the file")
            addresses.append(part)
            continue
        path = _resolve(part, root)
        kind = _kind(path)
        if kind == "folder":
            folder, found = path, _in_folder(path, passed_over)
        elif kind == "file":
            folder, found = path.parent, [path]
        elif _is_pattern(part):
            folder, found = _matching(path, passed_over)
            if not found:
                raise InputError(f"{prefix}{part}: matches no file below {root}")
        else:
            what = "neither a file nor a folder" if os.path.lexists(path) else f"no such file or folder below {root}"
            raise InputError(f"{prefix}{part}: {what}")
        folders.append(folder)
        files += found
    if not files and not addresses:
        beside = ", ".join(f"{count} {what}" for what, count in sorted(passed_over.items()))
        fix = f"there is only {beside}" if beside else "give a file, a folder, a glob, an address or a comma list"
        raise InputError(f"{prefix}{spec.strip()}: names no document; {fix}")
    once = {file.resolve(): file for file in reversed(files)}  # the first of several names of a file stays
    base = Path(os.path.commonpath(folders)) if folders else root
    return Sources(base, list(once.values())[::-1], list(dict.fromkeys(addresses)), passed_over)


def _parts(spec: str, root: Path) -> list[str]:
    whole = spec.strip()
    if not whole or _kind(_resolve(whole, root)):  # a name may have a comma
        return [whole] if whole else []
    return [part.strip() for part in whole.split(",") if part.strip()]


def _resolve(part: str, root: Path) -> Path:
    """An absolute path without `..`; links stay as they are, since documents are called by their paths."""
    try:
        path = Path(part).expanduser()
    except RuntimeError:  # `~` is part of a name, and nobody's home
        path = Path(part)
    return Path(os.path.abspath(root / path))  # noqa: PTH100 - Path.absolute() keeps `..`


def _kind(path: Path | os.DirEntry[str]) -> str:
    """`file`, `folder`, or nothing for what is neither or cannot be one, such as a list that is too long for a name."""
    try:
        return "folder" if path.is_dir() else "file" if path.is_file() else ""
    except OSError:
        return ""


def _is_pattern(part: str) -> bool:
    return any(mark in part for mark in "*?[")


def _in_folder(folder: Path, passed_over: Counter[str]) -> list[Path]:
    """The documents of a folder and those below it, sorted by path.

    Left out are hidden files, lock files of Office, and folders that begin with `_`, which site generators put beside
    their pages; no link to a folder is followed, and none that leaves the folder.
    """
    inside = folder.resolve()
    files: list[Path] = []

    def closed() -> None:
        passed_over[CLOSED] += 1

    for above, folders, names in _walk(folder, closed):
        for name in folders:
            if name.startswith("_"):
                passed_over[f"{escaped(name)}/"] += sum(len(inner) for _, _, inner in _walk(Path(above, name), closed))
            elif _is_link(Path(above, name)):
                passed_over[LINKS_TO_FOLDERS] += 1
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        files += (path for name in names if _is_document(path := Path(above, name), inside, passed_over))
    return sorted(files, key=lambda path: path.relative_to(folder).parts)


def _walk(folder: Path, closed: Callable[[], None]) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`, which calls itself for each level of folders, and comes no further than a thousand."""
    waiting = [str(folder)]
    while waiting:
        above = waiting.pop()
        folders, names = list[str](), list[str]()
        try:
            with os.scandir(above) as entries:
                for entry in entries:
                    (folders if _kind(entry) == "folder" else names).append(entry.name)
        except OSError:  # among others, its path is longer than the system takes
            closed()
        yield above, folders, names
        waiting += (str(path) for name in folders if not _is_link(path := Path(above, name)))


def _is_link(path: Path) -> bool:
    return os.path.islink(path)  # noqa: PTH114 - Path.is_symlink() raises an error where a path is too long


def _matching(pattern: Path, passed_over: Counter[str]) -> tuple[Path, list[Path]]:
    """The folder before a glob's first wildcard, and the documents that it names, by the rules for a folder's.

    What the pattern spells out - a suffix, a folder that begins with `_` - is meant, and not left out.
    """
    at = next(number for number, part in enumerate(pattern.parts) if _is_pattern(part))
    folder, rest = Path(*pattern.parts[:at]), list(pattern.parts[at:])
    if rest[-1] == "**":  # by itself it names folders
        rest.append("*")
    marks = tuple(mark for mark in "._" if not any(part.startswith(mark) for part in rest))
    inside = folder.resolve()
    try:
        files = [
            path
            for path in folder.glob("/".join(rest))
            if not any(part.startswith(marks) for part in path.relative_to(folder).parts[:-1])
            and _is_document(path, inside, passed_over, meant=rest[-1].lower())
        ]
    except RecursionError:
        raise InputError(f"{pattern}: too many folders in one another; name the folder itself") from None
    return folder, sorted(files)


def _is_document(path: Path, inside: Path, passed_over: Counter[str], meant: str = "") -> bool:
    """Whether a path may be a document: no hidden file, none that is known to be none, no link out of the folder."""
    if path.name.startswith("~$") or (path.name.startswith(".") and not meant.startswith(".")):
        return False
    suffix = path.suffix.lower()
    if suffix in BESIDE and not meant.endswith(suffix):
        passed_over[suffix] += 1
        return False
    if _is_link(path):
        try:
            leaves = not path.resolve(strict=True).is_relative_to(inside)
        except (OSError, RuntimeError):  # to nothing, or to itself
            passed_over["broken links"] += 1
            return False
        if leaves:
            passed_over[LINKS_OUT] += 1
            return False
    try:
        if not path.is_file():
            return False
    except OSError:
        passed_over["paths that are too long"] += 1
        return False
    if suffix == ".xml" and not meant.endswith(suffix) and _is_xml_of_data(path):
        passed_over[suffix] += 1
        return False
    return True


def _is_xml_of_data(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not XML_DOCUMENT.search(file.read(4096))
    except OSError:  # it is tried, and the reason said
        return False
