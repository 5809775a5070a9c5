"""Samples in the shapes that other tools read: chat messages, InstructLab taxonomy, one-pair-a-line Q/A files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import yaml

from .records import Sample, content_id


def messages(question: str, answer: str, reasoning: str | None = None) -> list[dict[str, Any]]:
    """One turn of chat; the reasoning stays with its own answer."""
    return [
        {"role": "user", "content": question, "thinking": None},
        {"role": "assistant", "content": answer, "thinking": reasoning},
    ]


def qagen_row(sample: Sample, document: str) -> dict[str, Any]:
    """One line of `qagen-<document>.json`."""
    return {
        "doc_id": sample.document_id,
        "chunk_id": sample.chunk_id,
        "qac_id": sample.sample_id,
        "context": sample.raw_document,
        "question": sample.question,
        "answer": sample.response,
        "generated_question": sample.question,
        "generated_answer": sample.response,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": sample.model,
        "paths": [document],
        "labels": {"information": sample.recipe},
        "critiques": {},
        "metadata": {"draw": sample.draw, "key_fact": sample.key_fact},
    }


def qna_examples(samples: Iterable[Sample], count: int, pairs: int = 3) -> list[list[Sample]]:
    """Up to `count` contexts of `pairs` samples each, one chunk a context, taken in turn from every document."""
    by_chunk: dict[str, dict[str, Sample]] = {}
    for sample in samples:
        by_chunk.setdefault(sample.chunk_id, {}).setdefault(sample.response, sample)  # three different answers
    groups = [list(group.values())[:pairs] for group in by_chunk.values() if len(group) >= pairs]
    by_document: dict[str, list[list[Sample]]] = {}
    for group in groups:
        by_document.setdefault(group[0].document_id, []).append(group)
    turns = [(rank, order) for order, queue in enumerate(by_document.values()) for rank in range(len(queue))]
    queues = list(by_document.values())
    return [queues[order][rank] for rank, order in sorted(turns)[:count]]


def qna_yaml(examples: Sequence[Sequence[Sample]], *, domain: str, outline: str, source: str) -> str:
    """An InstructLab taxonomy file (knowledge, version 3), ready for review.

    Args:
        examples: groups of samples of one chunk each, see `qna_examples`.
        source: SOURCE_DOCUMENTS. For local folders `repo` is the folder's name and `commit` a hash of what is quoted.
    """
    content = {
        "version": 3,
        "created_by": "ai-tools",
        "domain": domain,
        "document_outline": outline,
        "seed_examples": [
            {
                "context": group[0].raw_document,
                "questions_and_answers": [{"question": one.question, "answer": one.response} for one in group],
            }
            for group in examples
        ],
        "document": {
            "repo": PurePath(source).name or source,
            "commit": content_id(*(group[0].raw_document for group in examples)),
            "patterns": ["*"],
        },
    }
    return yaml.dump(content, Dumper=_BlockDumper, sort_keys=False, allow_unicode=True, width=110)


class _BlockDumper(yaml.SafeDumper):
    """Writes text of several lines as block scalars, which people can read and edit."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BlockDumper.add_representer(str, _block)
