"""What a tool writes: rows to one file, or to a file for each file of its input; never over what is not its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .. import files
from ..errors import InputError, NothingProduced, UsageError
from . import pair_files
from .pairs import SUFFIX, PairFile, Pairs
from .running import Pair

FILES = (".json", ".jsonl")
READ_TO_TELL = 200_000  # characters that are looked at to tell who made a file
# What the tools add to a pair. Each puts its own behind the others, so that the last tells who has made a file.
MARKS = frozenset({"generated_at", "enrichment_changes", "follows", "rated_words", "fact_check"})


def check(
    output: Path,
    mark: str | re.Pattern[str],
    *,
    source: Path | None = None,
    overwrite: bool,
    suffixes: Sequence[str] = FILES,
    names: Pairs | None = None,
    named: Callable[[Path], str] = lambda path: path.name,
) -> None:
    """Refuse, before any work, an output that would be lost: the source or a part of it, or what others have made.

    Args:
        mark: the field by which what the tool writes is known, as the last of MARKS, or how its file begins.
        suffixes: what the name of a file may end in.
        names: the source's files, where the output may be a folder; without them it is a file.
        named: what the file in that folder is called that is made of one of the source.

    Raises:
        UsageError: with what to do instead.
    """
    if output.suffix not in suffixes and (output.suffix or names is None):
        wanted = f"a file that ends in {' or '.join(suffixes)}" + (", or a folder" if names else "")
        raise UsageError(f"-o {output}: give {wanted}")
    into_folder = not output.suffix
    if into_folder and output.is_file():
        raise UsageError(f"-o {output}: a file; give a folder, or a file that ends in {' or '.join(suffixes)}")
    if not into_folder and output.is_dir():
        raise UsageError(f"-o {output}: a folder; give a file")
    if source and output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"-o {output}: that is the source; give another")
    if source and output.name.endswith(SUFFIX) and output.parent.exists() and output.parent.samefile(source):
        raise UsageError(f"-o {output}: would be a part of the source; give a name that does not end in {SUFFIX}")
    written = [output / named(file.path) for file in names.files] if into_folder and names else [output]
    sources = [file.path for file in names.files] if names else []
    for path in written:
        if path.exists() and any(path.samefile(one) for one in sources if one.exists()):
            raise UsageError(f"-o {output}: {path} is the source; give another folder")
        if path.is_file() and not overwrite and not _is_ours(path, mark):
            raise UsageError(f"-o {path}: exists, and was not made by this command; add --overwrite to replace it")


def _is_ours(path: Path, mark: str | re.Pattern[str]) -> bool:
    """Whether a file was made by who asks, or holds nothing that could be lost."""
    with path.open(encoding="utf-8", errors="replace") as file:
        begins = file.read(READ_TO_TELL)
    if not begins:
        return path.suffix == ".jsonl"  # no rows, as where nothing was rejected
    found = bool(mark.match(begins)) if isinstance(mark, re.Pattern) else maker(path, mark) == mark
    return found or pair_files.is_empty(path)


def maker(path: Path, *others: str) -> str:
    """The last mark, of MARKS and `others`, of the row that bears the most: whoever made the file may have left some
    rows as they were, and the first ones among them."""
    known = MARKS.union(others)
    most: list[str] = []
    try:
        for _, row in pair_files.known(path).rows():
            if isinstance(row, dict):
                most = max(most, [name for name in row if name in known], key=len)
    except InputError:
        pass  # no file of pairs
    return most[-1] if most else ""


def beside(output: Path, name: str, suffix: str = "") -> Path:
    """The path of what is written along with an output: `kept.json` -> `kept_rejected.jsonl`, a folder's own."""
    if not output.suffix:
        return output / f"{name}{suffix}"
    return output.with_name(f"{output.stem}_{name}{suffix or output.suffix}")


@contextmanager
def pairs_to(
    output: Path, pairs: Pairs, nothing: Callable[[], str] | None = None
) -> Iterator[Callable[[Pair | None], None]]:
    """Gives the function that takes, for every pair of the source in its order, what became of it; None: left out.

    A folder gets a file for each file of the source, of its name and with all that it says besides its pairs.

    Raises:
        NothingProduced: no pair is left; files that were there stay.
    """
    if output.suffix:
        with files.rows_to(output, nothing) as write:
            yield lambda row: None if row is None else write(row)
        return
    unfinished, was_there = output / ".part", output.exists()
    shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
    unfinished.mkdir(parents=True)
    try:
        with ExitStack() as last:
            folder = _Folder(unfinished, pairs, last)
            yield folder
            folder.finish()
        if nothing and not folder.kept:
            raise NothingProduced(nothing())
        for path in sorted(unfinished.iterdir()):
            path.replace(output / path.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # it is not empty, as it should be
                output.rmdir()


class _Folder:
    """Takes the pairs of all files in their order, and writes them one file after the other."""

    def __init__(self, folder: Path, pairs: Pairs, current: ExitStack):
        self._folder, self._pairs, self._current = folder, pairs, current
        self._files = iter(pairs.files)
        self._due, self.kept = 0, 0

    def __call__(self, row: Pair | None) -> None:
        while not self._due:
            self._open(next(self._files))
        self._due -= 1
        if row is not None:
            self._write(row)
            self.kept += 1

    def finish(self) -> None:
        """Also the files come out that have no row which can be used."""
        for file in self._files:
            self._open(file)

    def _open(self, file: PairFile) -> None:
        self._current.close()
        self._write = self._current.enter_context(_like(file, self._folder / file.path.name))
        self._due = self._pairs.counts[file.path]


@contextmanager
def _like(file: PairFile, path: Path) -> Iterator[Callable[[Pair], None]]:
    """A file in the shape of another: its object with the list of pairs after the rest, an array, or a row a line."""
    about = file.about()
    summary = about.pop("summary") if isinstance(about.get("summary"), dict) else None
    with files.rows_to(path, is_array=file.inside is not None, inside=file.inside or "", about=about) as write:
        yield write
        if summary is not None:
            write.after["summary"] = summary | {"total_qa_pairs": write.count}
