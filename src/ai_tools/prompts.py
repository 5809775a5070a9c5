"""Prompts and replies: load a prompt, render its messages into a call, validate what comes back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from .errors import UsageError
from .records import Call, Completion, Teacher, content_id


class Summary(BaseModel):
    angle: str
    text: str


class Summaries(BaseModel):
    summaries: list[Summary]


class Facts(BaseModel):
    facts: list[str]


class Pair(BaseModel):
    question: str
    answer: str
    id: str = ""


class Pairs(BaseModel):
    pairs: list[Pair]


class Judgement(BaseModel):
    id: str
    explanation: str
    grounded: bool


class Judgements(BaseModel):
    judgements: list[Judgement]


class ExamQuestion(BaseModel):
    question: str
    answer: str
    wrong_options: list[str]


class Exam(BaseModel):
    questions: list[ExamQuestion]


REPLIES: dict[str, type[BaseModel]] = {
    "summaries": Summaries,
    "facts": Facts,
    "pairs": Pairs,
    "judgements": Judgements,
    "exam": Exam,
}


class BadReply(ValueError):
    """A reply that does not fit the schema it was asked for; the message names the fault."""


@dataclass(frozen=True)
class Prompt:
    """One file of `data/prompts`: two templates and the kind of reply they ask for. A temperature in it is fixed."""

    name: str
    version: str
    reply: str
    system: str
    user: str
    temperature: float | None = None


@dataclass(frozen=True)
class Sampling:
    """What a teacher is asked with, besides the words."""

    temperature: float = 0.7
    max_tokens: int = 4096
    top_p: float | None = None
    seed: int = 0


@cache
def load(name: str) -> Prompt:
    """The prompt of that name. Its version carries a hash of the file, so an edit is a new version."""
    file = resources.files(__package__) / "data" / "prompts" / f"{name}.yaml"
    if not file.is_file():
        known = sorted(path.name.removesuffix(".yaml") for path in file.parent.iterdir())  # type: ignore[attr-defined]
        raise UsageError(f"prompt {name}: no such prompt; there are {', '.join(known)}")
    text = file.read_text("utf-8")
    content = yaml.safe_load(text)
    version = f"{content.pop('version')}-{content_id(text)[:8]}"
    return Prompt(name=name, version=version, **content)


def plan_call(
    prompt: Prompt,
    fields: dict[str, Any],
    *,
    teacher: Teacher,
    sampling: Sampling,
    instructions: str = "",
    recipe: str = "",
    chunk_id: str = "",
    draw: int = 0,
) -> Call:
    """Render one call. Its key covers all that can change the answer, and nothing else.

    Args:
        fields: values for the template; lists are shown as JSON.
        instructions: the user's own (CUSTOMISATION_PROMPT), added to the system message.
        draw: number of the first draw that is asked for.
    """
    shown = {name: _show(value) for name, value in fields.items()}
    system = prompt.system.strip() + (f"\n\n{instructions.strip()}" if instructions.strip() else "")
    messages = (
        {"role": "system", "content": system},
        {"role": "user", "content": prompt.user.format(**shown).strip()},
    )
    temperature = sampling.temperature if prompt.temperature is None else prompt.temperature
    identity = [teacher.provider, teacher.model, messages, temperature, sampling.max_tokens, sampling.top_p]
    identity += [prompt.version, draw, sampling.seed]
    return Call(
        key=content_id(json.dumps(identity, ensure_ascii=False)),
        prompt=prompt.name,
        prompt_version=prompt.version,
        messages=messages,
        fields=fields,
        reply=prompt.reply,
        temperature=temperature,
        max_tokens=sampling.max_tokens,
        top_p=sampling.top_p,
        recipe=recipe,
        chunk_id=chunk_id,
        draw=draw,
    )


def parse(call: Call, completion: Completion) -> Any:
    """The reply as an instance of its model in REPLIES. Raises BadReply, naming the fault, where it does not fit."""
    if completion.finish_reason == "length":
        raise BadReply(f"cut off after {completion.completion_tokens} tokens")
    text = re.sub(r"^<think>.*?</think>", "", completion.text.strip(), flags=re.DOTALL).strip()
    text = re.sub(r"^```(?:json)?\s*|\s*```$", "", text)
    try:
        return REPLIES[call.reply].model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadReply(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}") from None


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
