"""pandoc, as a process of its own: a file in one of the formats that it reads -> its document tree -> Markdown.

Only its readers are used: its writer drops list marks that the text refers to, and writes tables that no chunk can be
cut from.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ai_tools.errors import InputError

from .pandoc_blocks import TreeWriter
from .raw_file import MB, Conversion, RawFile, decode
from .text import first_heading, from_text, titled

HEADED = {"latex", "typst"}  # where the first row of a table is its header, though few say so
TREE_SIZE = 4  # of a document's tree in JSON, as often as its text may be long: a word takes thirty bytes


def from_markup(
    reader: str, parse: Callable[[str, RawFile], dict[str, Any]] | None = None
) -> Callable[[RawFile], Conversion]:
    """The converter for texts in a markup that pandoc reads, such as `rst`. What it cannot read is plain text.

    Args:
        parse: makes the tree, where that takes more than pandoc.
    """

    def converter(file: RawFile) -> Conversion:
        text, warnings = decode(file)
        try:
            tree = parse(text, file) if parse else tree_of(text.encode("utf-8", "replace"), reader, file)
        except ValueError as error:
            found, why = from_text(file), " ".join(str(error).split())[:120]
            return replace(found, warnings=(*found.warnings, f"not valid {reader}, taken as plain text: {why}"))
        found = conversion(tree, headed=reader in HEADED)
        return replace(found, warnings=(*warnings, *found.warnings))

    return converter


def convert_tree(data: bytes, reader: str, file: RawFile) -> Conversion:
    return conversion(tree_of(data, reader, file))


def conversion(tree: dict[str, Any], *, headed: bool = False) -> Conversion:
    """The Markdown of a document tree. A title that stands apart from the text becomes its first heading.

    A paragraph that only shows this title goes.

    Args:
        headed: as `TreeWriter` knows it.
    """
    title = TreeWriter().line(tree["meta"].get("title"))
    abstract = tree["meta"].get("abstract", {"t": ""})
    writer = TreeWriter(headed=headed)
    text = writer.document([*(abstract["c"] if abstract["t"] == "MetaBlocks" else ()), *tree["blocks"]])
    first, _, rest = text.partition("\n\n")
    if title and first.strip("*").lower() == title.lower():
        text = rest
    return Conversion(title or first_heading(text), titled(title, text), (*tree["warnings"], *writer.warnings()))


def tree_of(data: bytes, reader: str, file: RawFile) -> dict[str, Any]:
    """The document tree that pandoc writes as JSON, with `warnings`, and the commands and lines that it has `skipped`.

    It reads no other file, and asks no network.

    Raises:
        InputError: not within the file's limits.
        ValueError: pandoc cannot read it.
        ModuleNotFoundError: pandoc is not installed.
    """
    limits, most, most_mb = file.limits, TREE_SIZE * file.limits.expanded, file.limits.memory // MB
    command = [_program(), "--sandbox", f"--from={reader}", "--to=json", "--verbose", "+RTS", f"-M{most_mb}m", "-RTS"]
    overran = threading.Event()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(data)
        given.seek(0)
        with subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=said) as process:  # noqa: S603 - no shell
            assert process.stdout

            def end() -> None:
                overran.set()
                process.kill()

            timer = threading.Timer(limits.seconds, end)
            timer.start()
            try:
                found = process.stdout.read(most + 1)
            finally:
                timer.cancel()
                if len(found) > most:
                    process.kill()
        said.seek(0)
        words = said.read(100_000).decode("utf-8", "replace")
    if overran.is_set():
        raise InputError(f"took longer than {limits.seconds:g} s; split it or raise FILE_TIMEOUT")
    if len(found) > most:
        raise InputError(f"its text expands to more than {limits.expanded / MB:g} MB; split it or raise MAX_FILE_MB")
    if process.returncode in {251, -9} or re.search("Unable to commit|out of memory", words):
        raise InputError(f"takes more than {most_mb:,} MB of memory to read; split it")
    if process.returncode:
        raise ValueError(
            re.sub(r"(?s)HasCallStack.*|^pandoc: ", "", words) or f"pandoc ended with {process.returncode}"
        )
    missed = re.findall(r"\[WARNING\] (Could not load include file \S+)", words)
    skipped = re.findall(r"^\[INFO\] Skipped '(\\\w.*?)' at [^\n]*line (\d+)", words, re.MULTILINE | re.DOTALL)
    return {**json.loads(found), "warnings": missed, "skipped": skipped}


def _program() -> str:
    import pypandoc

    try:
        return str(pypandoc.get_pandoc_path())
    except OSError:  # the package is there, in its form without the program
        raise ModuleNotFoundError(name="pypandoc_binary") from None
