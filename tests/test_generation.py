"""Generation: plan order, resuming, blocks, attribution, failures as data. The teacher is a small real object."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ai_tools import generation
from ai_tools.errors import NothingProduced, TooManyFailures
from ai_tools.generation import Asker, Batch, Passage, Recipe, load_recipe
from ai_tools.journal import Journal
from ai_tools.prompts import BadReply, Sampling
from ai_tools.records import Call, Completion, Sample
from ai_tools.settings import Settings
from ai_tools.store import DATASETS

pytestmark = pytest.mark.usefixtures("toy_root")


class FakeTeacher:
    """Answers from a call's fields, each call alike at any time; counts calls, and how many were in flight at once."""

    provider = "fake"

    def __init__(self, *, model: str = "m", pairs: int = 2, delay: Callable[[int], float] = lambda n: 0.0):
        self.model, self.pairs, self.delay = model, pairs, delay
        self.asked: Counter[str] = Counter()
        self.calls: list[Call] = []
        self.in_flight = self.most_in_flight = 0

    async def complete(self, call: Call) -> Completion:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay(len(self.calls)))
        finally:
            self.in_flight -= 1
        self.asked[call.key] += 1
        self.calls.append(call)
        return Completion(self.reply(call), self.model)

    def reply(self, call: Call) -> str:
        return json.dumps(getattr(self, call.reply)(call))

    def summaries(self, call: Call) -> Any:
        passage = call.fields["passage"]
        return {"summaries": [{"angle": angle, "text": f"{angle}: {passage}"} for angle in call.fields["angles"]]}

    def facts(self, call: Call) -> Any:
        return {"facts": [f"{call.fields['passage']} Fact {number}." for number in range(12)]}

    def pairs_about(self, text: str, number: int, fact: str = "") -> dict[str, str]:
        return {"id": fact, "question": f" What {number} of {text}?", "answer": f"Answer {number}.\nOf {text} "}

    def pairs_(self, call: Call) -> Any:
        facts = call.fields.get("facts", [{"id": "", "text": call.fields.get("passage", "")}])
        about = [(fact, number) for fact in facts for number in range(self.pairs)]
        return {"pairs": [self.pairs_about(fact["text"], number, fact["id"]) for fact, number in about]}

    def judgements(self, call: Call) -> Any:
        ids = [pair["id"] for pair in call.fields["pairs"]]
        return {"judgements": [{"id": name, "explanation": f"of {name}", "grounded": True} for name in ids]}

    def exam(self, call: Call) -> Any:
        wrong = ["At dusk.", " At dawn. ", "Never."]
        asked = {"question": f"When, in {call.fields['title']}?", "answer": " At noon. ", "wrong_options": wrong}
        return {"questions": [asked, asked | {"question": " "}, asked | {"answer": ""}]}


# `pairs` is a number and a kind of reply.
FakeTeacher.reply = lambda self, call: json.dumps(  # type: ignore[method-assign]
    getattr(self, "pairs_" if call.reply == "pairs" else call.reply)(call)
)
