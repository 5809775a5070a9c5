"""What a tool writes: rows to one file, or to a file for each file of its input; never over what is not its own."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from .. import files
from ..errors import InputError, NothingProduced, UsageError
from ..files import MadeFile, Register
from ..records import Pair
from . import pair_files
from .pairs import SUFFIX, PairFile, Pairs

FILES = (".json", ".jsonl")
TORN = "torn; it is made anew, a teacher's part of it from the journal"
# What rows end with, by which a file is known whose entry in the register is lost: each command puts its own last.
MARKS = {
    ("generated_at", "model"): "generate",
    ("follows", "generated_at", "model"): "generate-cot",
    ("enrichment_changes",): "enrich",
    ("follows",): "enhance-cot",
    ("rated_words",): "curate",
    ("check", "reason", "row"): "curate",  # what it rejects
    ("fact_check",): "validate",
}


def check(
    output: Path,
    register: Register,
    *,
    source: Path | None = None,
    overwrite: bool,
    suffixes: Sequence[str] = FILES,
    into: Iterable[str] | None = None,
) -> None:
    """Refuse, before any work, an output that would be lost: the source or a part of it, or what others have made.

    Args:
        register: of the command that is going to write.
        suffixes: what the name of a file may end in.
        into: what the files are called that a folder gets; without them the output is a file.

    Raises:
        UsageError: with what to do instead.
    """
    ends = f"a file that ends in {' or '.join(suffixes)}"
    if output.suffix not in suffixes and (output.suffix or into is None):
        raise UsageError(f"-o {output}: give {ends}" + ("" if into is None else ", or a folder"))
    if not output.suffix and output.is_file():
        raise UsageError(f"-o {output}: a file; give a folder, or {ends}")
    if output.suffix and output.is_dir():
        raise UsageError(f"-o {output}: a folder; give a file")
    if source and output.name.endswith(SUFFIX) and output.parent.exists() and output.parent.samefile(source):
        raise UsageError(f"-o {output}: would be a part of the source; give a name that does not end in {SUFFIX}")
    written = [output] if output.suffix else [output / name for name in into or ()]
    for path in (output, *written):
        if source and path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"-o {path}: that is the source; give another")
    for path in written:
        if path.is_file() and not overwrite:
            _check_replaceable(path, register)


def _check_replaceable(path: Path, register: Register) -> None:
    file, row = _first_row(path)
    if row is None and (file or (path.suffix == ".jsonl" and not path.stat().st_size)):
        return  # there is nothing to lose, as where nothing was rejected
    made = claimed(path, register)
    if made and made.state == "edited":
        fix = "give another output to keep that, or add --overwrite to replace it"
        raise UsageError(f"-o {path}: exists, and was edited since this command made it; {fix}")
    if made and made.state == "torn":
        warnings.warn(f"{path}: {TORN}", stacklevel=2)


def claimed(path: Path, register: Register) -> MadeFile | None:
    """What the register knows of a file that its command made; None where only the file's mark tells that it did.

    Raises:
        UsageError: another command made it, or somebody else.
    """
    made = register.find(path)
    command = made.command if made else marked_by(path)
    if command == register.command:
        return made
    by = f" (ai-tools {command} made it)" if command else ""
    raise UsageError(f"-o {path}: exists, and was not made by this command{by}; add --overwrite to replace it")


def marked_by(path: Path) -> str:
    """The command whose mark a file bears, on its first row or else in its head; empty where there is none."""
    file, row = _first_row(path)
    ends = tuple(row)[-3:] if isinstance(row, dict) else ()
    if found := next((MARKS[ends[at:]] for at in range(len(ends)) if ends[at:] in MARKS), ""):
        return found
    heads = [head for head in file.about().values() if isinstance(head, dict)] if file else []
    return next((str(head["generated_by"]).removeprefix("ai-tools ") for head in heads if "generated_by" in head), "")


def holds_rows(path: Path) -> bool:
    """Whether a file would be a loss: it has a row, or is none of rows."""
    file, row = _first_row(path)
    return file is None or row is not None


def _first_row(path: Path) -> tuple[PairFile | None, Any]:
    """A file of rows and its first one; no file where it is none of rows."""
    try:
        file = pair_files.known(path)
    except InputError:
        return None, None
    return file, next((row for _, row in file.rows()), None)


def beside(output: Path, name: str, suffix: str = "") -> Path:
    """The path of what is written along with an output: `kept.json` -> `kept_rejected.jsonl`, a folder's own."""
    if not output.suffix:
        return output / f"{name}{suffix}"
    return output.with_name(f"{output.stem}_{name}{suffix or output.suffix}")


@contextmanager
def pairs_to(
    output: Path, pairs: Pairs, note: files.Note, nothing: Callable[[], str] | None = None
) -> Iterator[Callable[[Pair | None], None]]:
    """Gives the function that takes, for every pair of the source in its order, what became of it; None: left out.

    A folder gets a file for each file of the source, of its name and with all that it says besides its pairs.

    Raises:
        NothingProduced: no pair is left; files that were there stay.
    """
    if output.suffix:
        with files.rows_to(output, nothing, note=note) as write:
            yield lambda row: None if row is None else write(row)
        return
    unfinished, was_there = output / ".part", output.exists()
    shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
    unfinished.mkdir(parents=True)
    kept = 0
    try:
        with closing(_into_folder(unfinished, pairs)) as rows:
            next(rows)

            def take(row: Pair | None) -> None:
                nonlocal kept
                kept += row is not None
                with suppress(StopIteration):  # it was the last of all
                    rows.send(row)

            yield take
        if nothing and not kept:
            raise NothingProduced(nothing())
        for path in sorted(unfinished.iterdir()):
            note(output / path.name, path)
            path.replace(output / path.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # it is not empty, as it should be
                output.rmdir()


def _into_folder(folder: Path, pairs: Pairs) -> Generator[None, Pair | None]:
    """Is sent the pairs of all files in their order, and writes each file; also one without a row that can be used."""
    for file in pairs.files:
        with _like(file, folder / file.path.name) as write:
            for _ in range(pairs.counts[file.path]):
                if (row := (yield)) is not None:
                    write(row)


@contextmanager
def _like(file: PairFile, path: Path) -> Iterator[Callable[[Pair], None]]:
    """A file in the shape of another: its object with the list of pairs after the rest, an array, or a row a line."""
    about = file.about()
    summary = about.pop("summary") if isinstance(about.get("summary"), dict) else None
    with files.rows_to(path, is_array=file.inside is not None, inside=file.inside or "", about=about) as write:
        yield write
        if summary is not None:
            write.after["summary"] = summary | {"total_qa_pairs": write.count}
