"""Replies: their shape, as prompts and endpoints are told it, and the reading of what comes back.

A reply is read as strict JSON, else repaired where only its punctuation is wrong. Its words are never changed: what
does not fit is a BadReply that names the fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model

from ..records import Call, Completion
from . import json_text
from .json_text import split_thinking

_PLACEHOLDER = re.compile(r"\s*(?:\.{2,}|\u2026|<[^<>]*>)\s*")


class _ReplyPart(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)  # an answer of 64 is "64"


class Reply(_ReplyPart):
    """What a teacher is asked for, one list of parts, and the completion that it came in."""

    _completion: Completion | None = PrivateAttr(None)

    @property
    def completion(self) -> Completion:
        assert self._completion is not None, "a reply that was parsed has one"
        return self._completion

    @property
    def thinking(self) -> str:
        """What the model thought aloud on the way, which is no part of the reply."""
        return self.completion.reasoning or split_thinking(self.completion.text)[0]

    @property
    def items(self) -> list[Any]:
        items: list[Any] = getattr(self, next(iter(type(self).model_fields)))
        return items


class Summary(_ReplyPart):
    angle: str
    text: str


class PlainPair(_ReplyPart):
    id: str = ""
    question: str
    reasoning: str = ""
    answer: str


class ReasonedPair(_ReplyPart):
    question: str
    steps: list[str]
    answer: str
    follows: bool


class Rewrite(_ReplyPart):
    id: str
    answer: str
    changes: str


class Reasoning(_ReplyPart):
    id: str
    steps: list[str]
    follows: bool


class Judgement(_ReplyPart):
    id: str
    explanation: str
    grounded: bool


UpTo2 = Annotated[float, Field(ge=0, le=2)]
UpTo3 = Annotated[float, Field(ge=0, le=3)]
UpTo10 = Annotated[float, Field(ge=0, le=10)]


class Rating(_ReplyPart):
    """Criteria before the verdict, for what is written first is reasoned for."""

    id: str
    reasoning: str
    clarity: UpTo3
    accuracy: UpTo3
    usefulness: UpTo2
    difficulty: UpTo2
    grounded: bool


class FactCheck(_ReplyPart):
    id: str
    reasoning: str
    factual_accuracy: UpTo10
    completeness: UpTo10
    consistency: UpTo10
    verdict: Literal["PASS", "NEEDS_REVIEW", "FAIL"]


class Preference(_ReplyPart):
    id: str
    reasoning: str
    better: Literal["first", "second", "neither"]


class ExamQuestion(_ReplyPart):
    question: str
    answer: str
    wrong_options: list[str]


PARTS: dict[str, tuple[str, Any]] = {  # of each kind of reply: the name of its list, and what that is a list of
    "summaries": ("summaries", Summary),
    "facts": ("facts", str),
    "pairs": ("pairs", PlainPair),
    "reasoned_pairs": ("pairs", ReasonedPair),
    "rewrites": ("rewrites", Rewrite),
    "reasonings": ("reasonings", Reasoning),
    "judgements": ("judgements", Judgement),
    "ratings": ("ratings", Rating),
    "fact_checks": ("checks", FactCheck),
    "preferences": ("preferences", Preference),
    "exam": ("questions", ExamQuestion),
}
JUDGED = frozenset({"judgements", "ratings", "fact_checks", "preferences"})  # replies that the judge is asked for


def _model(kind: str) -> type[Reply]:
    name, part = PARTS[kind]
    fields: dict[str, Any] = {name: (list[part], ...)}  # type: ignore[valid-type]  # a type that is a value
    return create_model(kind, __base__=Reply, **fields)


REPLIES = {kind: _model(kind) for kind in PARTS}


class BadReply(ValueError):
    """A reply that cannot be used. The message names the fault; `kind` is `cut off`, `malformed` or `withheld`."""

    def __init__(self, message: str, kind: str = "malformed"):
        super().__init__(message)
        self.kind = kind


def parse(call: Call, completion: Completion) -> Any:
    """The reply as an instance of its model in REPLIES. Raises BadReply, naming the fault, where it does not fit."""
    if completion.finish_reason == "length":
        raise BadReply(f"cut off after {completion.completion_tokens} tokens", "cut off")
    if completion.finish_reason == "content_filter":
        raise BadReply(f"withheld by the endpoint: {completion.text[:200]}", "withheld")
    try:
        return _parsed(call, completion)
    except RecursionError:
        raise BadReply("nested too deeply to be read") from None


def _parsed(call: Call, completion: Completion) -> Reply:
    thought, text = split_thinking(completion.text)
    if not text:
        raise BadReply("an empty reply" + (" after its reasoning" if thought or completion.reasoning else ""))
    if "\ufffd" in text:
        raise BadReply("a character in it is broken")
    text = json_text.with_lost_backslashes(text)
    try:
        reply = REPLIES[call.reply].model_validate_json(text)
    except ValidationError as error:
        reply = _repaired(call, text, error)
    own = [item for item in reply.items if not _is_borrowed(item, call)]
    if reply.items and not own:
        raise BadReply("it repeats the shape that was asked for, or the example")
    reply.items[:] = own
    reply._completion = completion
    return reply


def _is_borrowed(item: Any, call: Call) -> bool:
    """Whether a part was not made of the passage: it is a placeholder of the shape, or a pair of the worked example."""
    words = [item] if isinstance(item, str) else [value for value in vars(item).values() if isinstance(value, str)]
    if any(map(_PLACEHOLDER.fullmatch, words)):
        return True
    example = call.fields.get("worked_example")
    if not (example and isinstance(item, PlainPair | ReasonedPair)):
        return False
    return (item.question, item.answer) in example.pairs and item.answer not in call.fields["passage"]


# --- the shape of a reply ---


def shape(reply: str, fields: dict[str, Any]) -> str:
    """The reply's shape as a line of JSON, for the prompt: some endpoints heed no schema."""
    return _shape(reply, _left_out(reply, fields))


@lru_cache
def _shape(reply: str, left_out: frozenset[str]) -> str:
    name, part = PARTS[reply]
    row: Any = "..."
    if part is not str:
        kinds = {key: field.annotation for key, field in part.model_fields.items() if key not in left_out}
        row = {key: "<id>" if key == "id" else _example(kind) for key, kind in kinds.items()}
    return json.dumps({name: [row]})


def _example(kind: Any) -> Any:
    if get_args(kind) and get_args(kind)[0] is not str:
        return " | ".join(get_args(kind))
    return {str: "...", bool: True, float: 0}.get(kind, ["..."])


def schema(call: Call) -> dict[str, Any]:
    """The JSON schema of a call's reply, as strict endpoints want it: every property required, no others allowed."""
    angles, count = call.fields.get("angles"), call.fields.get("count")
    least = most = 0
    if call.reply == "summaries" and angles:
        least = most = len(angles)
    elif call.reply in ("pairs", "reasoned_pairs", "exam") and count and "facts" not in call.fields:
        most = count
    return _schema(call.reply, _left_out(call.reply, call.fields), least, most)


@lru_cache
def _schema(reply: str, left_out: frozenset[str], least: int, most: int) -> dict[str, Any]:
    whole = REPLIES[reply].model_json_schema()
    definitions = whole.pop("$defs", {})

    def strict(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return strict(definitions[node["$ref"].rsplit("/", 1)[1]])
        if node["type"] == "object":
            properties = {name: strict(x) for name, x in node["properties"].items() if name not in left_out}
            required = {"required": list(properties), "additionalProperties": False}
            return {"type": "object", "properties": properties} | required
        plain = {name: node[name] for name in ("type", "enum", "minimum", "maximum") if name in node}
        return plain | ({"items": strict(node["items"])} if "items" in node else {})

    result = strict(whole)
    parts = result["properties"][PARTS[reply][0]]
    parts |= ({"minItems": least} if least else {}) | ({"maxItems": most} if most else {})
    return result


def _left_out(reply: str, fields: dict[str, Any]) -> frozenset[str]:
    """Of a pair, what is not asked for: the id of its fact, its reasoning."""
    asked = {"id": "facts" in fields, "reasoning": fields.get("reasoning")} if reply == "pairs" else {}
    return frozenset(name for name, wanted in asked.items() if not wanted)


# --- reading what is not quite JSON ---


def _repaired(call: Call, text: str, error: ValidationError) -> Reply:
    """A reply whose words are all there, with what stands around it left out and its punctuation mended.

    Raises BadReply for anything else, a reply that ends in the middle above all: closing it would pass half an answer.
    """
    fitting: list[tuple[Reply, json_text.Value]] = []
    for value in json_text.values(text):  # a fence, a sentence, a citation or a draft may stand before or after
        try:
            fitting.append((_fitted(call.reply, value.content), value))
        except ValidationError as misfit:
            error = misfit
    # Some leave the outermost braces out; a citation, or a box to be ticked, is a list as well.
    if whole := [one for one in fitting if isinstance(one[1].content, dict)] or fitting[-1:]:
        return _chosen(call, text, whole)
    inside = json_text.outermost(text)
    if inside is None:
        raise BadReply(f"no JSON in it: {text[:80]!r}")
    if not inside:
        raise BadReply("it ends in the middle")
    content = json_text.mended(inside)
    if content is None:
        raise BadReply("it ends in the middle")
    if json_text.letters(json.dumps(content, ensure_ascii=False)) == json_text.letters(inside):
        try:
            return _fitted(call.reply, content)
        except ValidationError as misfit:
            error = misfit
    first = error.errors()[0]
    raise BadReply(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}")


def _chosen(call: Call, text: str, fitting: Sequence[tuple[Reply, json_text.Value]]) -> Reply:
    """Of several, the last, for what is before it was a draft; where each has a fence of its own, all in one."""
    reply, last = fitting[-1]
    if f'"{PARTS[call.reply][0]}"' in text[last.end :] or (last.content == [] and "{" in text):
        raise BadReply("it ends in the middle")
    if all(value.in_fence for _, value in fitting):
        reply.items[:] = [item for one, _ in fitting for item in one.items]
    return reply


def _fitted(reply: str, content: Any) -> Reply:
    """As JSON once more: that refuses half a character, which no file could hold."""
    if isinstance(content, list):
        content = {PARTS[reply][0]: content}
    return REPLIES[reply].model_validate_json(json.dumps(content))
