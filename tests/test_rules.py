"""The version of the offline teacher's rules: its replies over the sample corpus change with it, and only with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_tools.records import content_id
from offline_teacher import teacher

CORPUS = Path(__file__).parents[1] / "assets" / "corpus"
ANGLES = ["people and roles", "numbers and amounts", "conditions", "exceptions"]
# The version of the rules, and what all their replies come to. Where the second changed, give RULES another value.
VERSION, REPLIES = "rules-2e62c5c53ade", "8ff746bca5572300"


def passages() -> Iterator[dict[str, Any]]:
    """Every section of the sample corpus."""
    for path in sorted(CORPUS.glob("*.md")):
        title, *sections = path.read_text("utf-8").split("\n## ")
        for section in sections:
            yield {"title": title.splitlines()[0].strip("# "), "section": section.splitlines()[0], "passage": section}


def answers_about(about: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the rules say to each prompt about a passage; what is judged and reworded are pairs that they wrote."""
    seed = int(content_id(about["passage"])[:7], 16)

    def answer(prompt: str, **fields: Any) -> Any:
        return teacher.REPLIES[prompt](about | fields, seed)

    written = answer("questions", count=6, angle=ANGLES[1])
    yield "questions", written
    facts = answer("key_facts")
    yield "key_facts", facts
    pairs = [pair | {"id": str(number)} for number, pair in enumerate(written["pairs"])]
    other = [pair | {"id": pair["id"], "answer": pairs[0]["answer"]} for pair in pairs]
    compared = [
        {"id": one["id"], "first": one | {"passage": about["passage"]}, "second": two | {"passage": about["passage"]}}
        for one, two in zip(pairs, other, strict=True)
    ]
    shown = [{"id": str(number), "text": text} for number, text in enumerate(facts["facts"])]
    more: dict[str, dict[str, Any]] = {
        "extractive_summary": {"angles": ANGLES},
        "detailed_summary": {"angles": ANGLES},
        "fact_questions": {"facts": shown, "count": 3},
        "worked_example": {"count": 3},
        "exam": {"count": 5},
        "reasoned_questions": {"count": 4},
        "preference": {"pairs": compared},
    } | {name: {"pairs": pairs + other} for name in ("faithfulness", "rating", "fact_check", "rewrite", "reasoning")}
    for prompt, fields in more.items():
        yield prompt, answer(prompt, **fields)


def test_the_replies_to_the_sample_corpus_change_with_the_version_alone() -> None:
    digest = hashlib.sha256()
    asked = set()
    for about in passages():
        for prompt, said in answers_about(about):
            asked.add(prompt)
            digest.update(json.dumps([prompt, said], ensure_ascii=False).encode())
    assert asked == set(teacher.REPLIES)
    found = digest.hexdigest()[:16]
    if teacher.RULES == VERSION:
        assert found == REPLIES, "the replies changed: give RULES in teacher.py another value, and VERSION with it"
    else:
        pytest.fail(f"the rules have a new version: set VERSION to {teacher.RULES!r} and REPLIES to {found!r}")
