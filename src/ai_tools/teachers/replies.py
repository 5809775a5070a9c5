"""Replies: their shape, as prompts and endpoints are told it, and the reading of what comes back.

A reply is read as strict JSON, else repaired where only its punctuation is wrong. Its words are never changed: what
does not fit is a BadReply that names the fault.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model

from ..records import Call, Completion

_LENIENT = json.JSONDecoder(strict=False)  # many models write line breaks as they are
_CLOSING = re.compile(r"[\]}\s,]*$")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[\"\\/bfnrt])")


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
    try:
        reply = REPLIES[call.reply].model_validate_json(text)
    except ValidationError as error:
        reply = _repaired(call, text, error)
    reply._completion = completion
    return reply


def split_thinking(text: str) -> tuple[str, str]:
    """(what a model thought aloud, its reply), from a text with a `<think>` block before the reply or none.

    Some chat templates open the block themselves, so that only its end is in the text.
    """
    text = text.strip()
    if text.startswith("<think>") or ("</think>" in text and not text.startswith(("{", "[", "`"))):
        thought, _, rest = text.removeprefix("<think>").partition("</think>")
        return thought.strip(), rest.strip()
    return "", text


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
    starts = sorted(at for at in (text.find("{"), text.find("[")) if at >= 0)
    if not starts:
        raise BadReply(f"no JSON in it: {text[:80]!r}")
    for start in starts:  # a fence, a sentence or a citation may stand before or after
        try:
            content, _ = _LENIENT.raw_decode(text[start:])
            if content == [] and "{" in text:  # a box to be ticked, or the like
                continue
            return _fitted(call.reply, content)
        except ValidationError as misfit:
            error = misfit
        except json.JSONDecodeError:
            pass
    inside = text[starts[0] : 1 + max(text.rfind("}"), text.rfind("]"))]
    if not inside:
        raise BadReply("it ends in the middle")
    from json_repair import repair_json

    content = repair_json(inside, return_objects=True)
    mended = json.dumps(content, ensure_ascii=False)
    if _closing(mended) != _closing(inside) or _is_open(inside):
        raise BadReply("it ends in the middle")
    if _letters(mended) == _letters(inside):
        try:
            return _fitted(call.reply, content)
        except ValidationError as misfit:
            error = misfit
    first = error.errors()[0]
    raise BadReply(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}")


def _fitted(reply: str, content: Any) -> Reply:
    """As JSON once more: that refuses half a character, which no file could hold."""
    if isinstance(content, list):  # some models leave the outermost braces out
        content = {PARTS[reply][0]: content}
    return REPLIES[reply].model_validate_json(json.dumps(content))


def _closing(text: str) -> str:
    """The brackets at the end of a JSON text."""
    return re.sub(r"[\s,]", "", _CLOSING.search(text)[0])  # type: ignore[index]  # matches every text


def _is_open(text: str) -> bool:
    """Whether a JSON text ends within a string: its kind of quotation mark stands in it an odd number of times."""
    mark = min("\"'", key=lambda quote: (text + quote).index(quote))
    return _ESCAPED.sub("", text).count(mark) % 2 == 1


def _letters(text: str) -> str:
    """The letters and digits of a JSON text, escapes resolved: what a repair may neither add nor lose."""
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "", text)
    return "".join(char for char in text if char.isalnum()).casefold()
