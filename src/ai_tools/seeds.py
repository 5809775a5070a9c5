"""Seed data: what a teacher is told of the document that a chunk comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .records import Chunk, Document, WorkedExample


def seed_rows(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
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
    by_id = {document.id: document for document in documents}
    rows = []
    for chunk in chunks:
        document = by_id[chunk.document_id]
        example = examples.get(document.id, WorkedExample("", ()))
        row = {
            "document": chunk.text,
            "document_outline": outline or outline_of(document.title),
            "document_title": document.title,
            "domain": domain or document.title,
            "icl_document": example.document,
        }
        for number in (1, 2, 3):
            question, answer = example.pairs[number - 1] if number <= len(example.pairs) else ("", "")
            row |= {f"icl_query_{number}": question, f"icl_response_{number}": answer}
        rows.append(row | {"chunk_id": chunk.chunk_id, "document_id": chunk.document_id})
    return rows


def outline_of(title: str) -> str:
    """A short noun phrase for "In …,": the title's first eight words, its opening article in lower case."""
    plain = re.sub(r"^[\d.]+\s+|[`*_]|\s*\(.*?\)", "", title)  # numbering, emphasis and asides do not read well
    words = re.sub(r"[\s:;,.\u2013\u2014-]+$", "", " ".join(plain.split()[:8])).split(" ")
    if words[0] in {"A", "An", "The"}:
        words[0] = words[0].lower()
    return " ".join(words)
