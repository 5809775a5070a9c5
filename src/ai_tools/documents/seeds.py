"""Seed data: what a teacher is told of the document that a chunk comes from.

A document's worked example is a passage of about 500 tokens with three pairs: written by the teacher from the best of
the texts that `example_texts` proposes, or given by the user in a file (ICL_FILE).
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError
from ..matching import nearest
from ..records import Chunk, Document, Passage, WorkedExample, content_id, grouped
from .blocks import ENDED
from .outlines import domain_of, outlines

EXAMPLE_TOKENS = 500
CANDIDATES = 8  # texts of one document that a teacher is asked about, until one gives three pairs
PAIRS = 3

_LEGAL = re.compile(
    r"(?i)all rights reserved|without warrant|permission is (?:hereby )?granted|licen[cs]ed under"
    r"|(?:copyright|\(c\)) (?:\S+ )?\d{4}"
)


def seed_rows(
    documents: Sequence[Document],
    chunks: Iterable[Chunk],
    examples: dict[str, WorkedExample],
    *,
    domain: str,
    outline: str,
) -> list[dict[str, str]]:
    """One row of seed_data.jsonl for each chunk.

    Args:
        examples: by document id; where there is none, the `icl_` fields are empty.
        domain, outline: override what is inferred where not empty.
    """
    about = domain or domain_of(documents)
    named = {document.id: outline for document in documents} if outline else outlines(documents, about)
    titles = {document.id: document.title for document in documents}
    return [
        {
            "document": chunk.text,
            "document_outline": named[chunk.document_id],
            "document_title": titles[chunk.document_id],
            "domain": about or titles[chunk.document_id],
            **_icl_fields(examples.get(chunk.document_id, WorkedExample("", ()))),
            "chunk_id": chunk.chunk_id,
            "document_id": chunk.document_id,
        }
        for chunk in chunks
    ]


def _icl_fields(example: WorkedExample) -> dict[str, str]:
    row = {"icl_document": example.document}
    for number, (question, answer) in enumerate([*example.pairs, *[("", "")] * PAIRS][:PAIRS], 1):
        row |= {f"icl_query_{number}": question, f"icl_response_{number}": answer}
    return row


# --- texts for a worked example --------------------------------------------------------------------------------------


def example_texts(document: Document, chunks: Sequence[Chunk]) -> list[str]:
    """Up to eight passages of the document for a worked example, the best first: each of whole chunks, as it stands.

    A passage is as many chunks in a row as have about 500 tokens together; a larger chunk gives its first paragraphs.
    Those that are mostly prose go before others, such as lists of contents and licences; long ones before short ones;
    and then those of a document's start before later ones.
    """
    passages = []
    for run in _runs(chunks):
        text = document.text[run[0].start : run[-1].end]
        tokens = sum(chunk.n_tokens for chunk in run)
        passages.append(_first_paragraphs(text, tokens).strip() if tokens > 1.2 * EXAMPLE_TOKENS else text.strip())
    usual = max(map(len, passages), default=0) / 2
    ranked = sorted(passages, key=lambda text: (_is_poor(text), len(text) < usual))  # else as they stand
    return list(filter(None, ranked))[:CANDIDATES]


def example_passages(
    documents: Iterable[Document], chunks: Iterable[Chunk], given: Container[str] = ()
) -> list[Passage]:
    """What a worked example of each document may be made of, see `example_texts`; of those not `given`, by id."""
    by_document = grouped(chunks, lambda chunk: chunk.document_id)
    return [
        Passage(content_id(one.id, text), one.id, text, one.title)
        for one in documents
        if one.id not in given
        for text in example_texts(one, by_document.get(one.id, []))
    ]


def exam_passages(documents: Iterable[Document], chunks: Iterable[Chunk]) -> list[Passage]:
    """What a teacher writes an exam about, before there is seed data: every chunk, under its document's title."""
    titles = {one.id: one.title for one in documents}
    return [replace(Passage.from_row(chunk.to_row()), title=titles[chunk.document_id]) for chunk in chunks]


def _runs(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    runs: list[list[Chunk]] = []
    held = 0
    for chunk in chunks:
        if not runs or held + chunk.n_tokens > 1.2 * EXAMPLE_TOKENS:
            runs.append([])
            held = 0
        runs[-1].append(chunk)
        held += chunk.n_tokens
    return runs


def _first_paragraphs(text: str, tokens: int) -> str:
    """As many paragraphs as have about 500 tokens; a single one that is longer ends between two words."""
    most = int(len(text) * EXAMPLE_TOKENS / tokens)
    ends = [match.start() for match in re.finditer(r"\n\s*\n", text[: int(1.2 * most)])]
    whole = [end for end in ends if end > most / 2]
    return text[: whole[-1]] if whole else re.split(r"\s+(?=\S*$)", text[:most])[0]


def _is_poor(text: str) -> bool:
    """Whether less than half of it is sentences, or it is about rights and licences."""
    prose = [line for line in text.splitlines() if _is_prose(line)]
    return 2 * sum(map(len, prose)) < len(text) or len(_LEGAL.findall(text)) > 1


def _is_prose(line: str) -> bool:
    return bool(ENDED.search(line)) and (sum(word.islower() for word in line.split()) > 3 or not line.isascii())


# --- worked examples that users give ---------------------------------------------------------------------------------


def load_examples(path: Path, documents: Sequence[Document]) -> dict[str, WorkedExample]:
    """The worked examples of a file (ICL_FILE), by document id; documents that have none in it are left out.

    The file is YAML, JSON or JSON Lines: one example, a list of them, or a `qna.yaml` of InstructLab. An example has

        icl_document, icl_query_1 … icl_query_3, icl_response_1 … icl_response_3     as rows of seed_data.jsonl, or
        context, questions_and_answers: [{question, answer}, …]                      as `seed_examples` of qna.yaml

    and may say with `file` whose it is: a document's name or path, a pattern (`manual/*.md`), or a list of them. One
    without `file` belongs to the document that its text stands in; where it stands in none, to every document that has
    no other.

    Raises:
        InputError: no such file, not of that shape, or `file` names no document.
    """
    found: dict[str, WorkedExample] = {}
    general: WorkedExample | None = None
    texts = {document.id: " ".join(document.text.split()) for document in documents}
    for number, entry in enumerate(_entries(path), 1):
        where = f"ICL_FILE={path}, example {number}"
        example = _example(entry, where)
        if "file" in entry:
            owners = _named(entry["file"], documents, where)
        else:
            plain = " ".join(example.document.split())
            owners = [document.id for document in documents if plain in texts[document.id]]
            general = general or (None if owners else example)
        for owner in owners:
            found.setdefault(owner, example)
    return found if general is None else dict.fromkeys(texts, general) | found


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"ICL_FILE={path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"ICL_FILE={path}: cannot be read as UTF-8 text ({error})") from None
    try:
        content: Any
        if path.suffix == ".jsonl":
            content = [json.loads(line) for line in text.split("\n") if line.strip()]
        else:
            content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"ICL_FILE={path}: no valid YAML or JSON ({reason})") from None
    if isinstance(content, dict):
        content = content.get("seed_examples", [content])
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        raise InputError(f"ICL_FILE={path}: no worked example in it; give one with icl_document, icl_query_1, …")
    return content


def _example(entry: dict[str, Any], where: str) -> WorkedExample:
    if "context" in entry:
        pairs = entry.get("questions_and_answers")
        if not isinstance(pairs, list) or len(pairs) < PAIRS or not all(isinstance(pair, dict) for pair in pairs):
            raise InputError(f"{where}: questions_and_answers must be a list of {PAIRS} or more question and answer")
        text, asked = "context", [(pair, "question", "answer") for pair in pairs[:PAIRS]]
    else:
        text, asked = "icl_document", [(entry, f"icl_query_{n}", f"icl_response_{n}") for n in range(1, PAIRS + 1)]
    document = _text(entry, text, where)
    return WorkedExample(
        document, tuple((_text(row, question, where), _text(row, answer, where)) for row, question, answer in asked)
    )


def _text(row: dict[str, Any], name: str, where: str) -> str:
    if (value := row.get(name)) is None:
        raise InputError(f"{where}: {name} is missing")
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: {name} must be text that is not empty (in quotes), not {value!r}")
    return value.strip()


def _named(files: Any, documents: Sequence[Document], where: str) -> list[str]:
    """The ids of the documents that `file` names; every entry of it must name at least one."""
    found: list[str] = []
    for pattern in files if isinstance(files, list) else [files]:
        if not isinstance(pattern, str) or not pattern:
            raise InputError(f"{where}: file must be a document's name, a path or a pattern, not {pattern!r}")
        mine = [one.id for one in documents if any(fnmatch(name, pattern) for name in _names(one))]
        if not mine:
            known = [one.source for one in documents]
            near = nearest(pattern, known) or ", ".join(known[:3])
            raise InputError(f"{where}: file {pattern!r} is none of the documents; there is {near}")
        found += mine
    return found


def _names(document: Document) -> tuple[str, ...]:
    return document.name, document.source, Path(document.source).name, Path(document.source).stem
