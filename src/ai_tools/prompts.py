"""Prompts and replies: load a prompt, render its messages into a call, read what comes back.

A reply is read as strict JSON, else repaired where only its punctuation is wrong; what still does not fit is asked for
once more (`follow_up`) and then rejected. Its words are never changed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, PrivateAttr, ValidationError

from .errors import UsageError
from .records import Call, Completion, Teacher, content_id

LONGEST_QUOTE = 8_000  # characters of a bad reply that are shown back to its writer
_LENIENT = json.JSONDecoder(strict=False)  # many models write line breaks as they are
_CLOSING = re.compile(r"[\]}\s,]*$")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[\"\\/bfnrt])")


class Reply(BaseModel):
    """What a teacher is asked for, and the completion that it came in."""

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
        """Every reply is one list; this is it."""
        items: list[Any] = getattr(self, next(iter(type(self).model_fields)))
        return items


class Summary(BaseModel):
    angle: str
    text: str


class Summaries(Reply):
    summaries: list[Summary]


class Facts(Reply):
    facts: list[str]


class Pair(BaseModel):
    id: str = ""
    question: str
    reasoning: str = ""
    answer: str


class Pairs(Reply):
    pairs: list[Pair]


class Judgement(BaseModel):
    id: str
    explanation: str
    grounded: bool


class Judgements(Reply):
    judgements: list[Judgement]


class ExamQuestion(BaseModel):
    question: str
    answer: str
    wrong_options: list[str]


class Exam(Reply):
    questions: list[ExamQuestion]


REPLIES: dict[str, type[Reply]] = {
    "summaries": Summaries,
    "facts": Facts,
    "pairs": Pairs,
    "judgements": Judgements,
    "exam": Exam,
}
JUDGED = "judgements"  # the kind of reply that the judge is asked for


class BadReply(ValueError):
    """A reply that cannot be used. The message names the fault; `kind` is `cut off`, `malformed` or `withheld`."""

    def __init__(self, message: str, kind: str = "malformed"):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Prompt:
    """One file of `data/prompts`: two templates and the kind of reply they ask for.

    `reasoning` is what the second says besides where the reasoning of each answer is wanted; `example` is what a worked
    example is asked with, as an exchange of its own before. A temperature in it is fixed.
    """

    name: str
    version: str
    reply: str
    system: str
    user: str
    reasoning: str = ""
    example: str = ""
    temperature: float | None = None


@dataclass(frozen=True)
class Sampling:
    """What a teacher is asked with, besides the words; `options` are those of one kind of endpoint alone."""

    temperature: float = 0.7
    max_tokens: int = 4096
    top_p: float | None = None
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)


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
    shown = {name: _show(value) for name, value in fields.items() if name != "worked_example"}
    shown |= {f"{name}_tag": _tag(name, shown.get(name, "")) for name in ("passage", "facts", "pairs")}
    shown["shape"] = shape(prompt.reply, fields)
    shown["reasoning"] = f"{prompt.reasoning}\n" if fields.get("reasoning") else ""
    system = prompt.system.strip() + (f"\n\n{instructions.strip()}" if instructions.strip() else "")
    messages = (
        {"role": "system", "content": system},
        *_example(prompt, fields),
        {"role": "user", "content": prompt.user.format_map(shown).strip()},
    )
    temperature = sampling.temperature if prompt.temperature is None else prompt.temperature
    identity = [teacher.provider, teacher.model, messages, temperature, sampling.max_tokens, sampling.top_p]
    identity += [prompt.version, draw, sampling.seed, sampling.options, "" if teacher.own_host else teacher.base_url]
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
        options=sampling.options,
        recipe=recipe,
        chunk_id=chunk_id,
        draw=draw,
    )


def parse(call: Call, completion: Completion) -> Any:
    """The reply as an instance of its model in REPLIES. Raises BadReply, naming the fault, where it does not fit."""
    if completion.finish_reason == "length":
        raise BadReply(f"cut off after {completion.completion_tokens} tokens", "cut off")
    if completion.finish_reason == "content_filter":
        raise BadReply(f"withheld by the endpoint: {completion.text[:200]}", "withheld")
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
    if text.startswith("<think>"):
        thought, _, rest = text.removeprefix("<think>").partition("</think>")
        return thought.strip(), rest.strip()
    if not text.startswith(("{", "[", "`")) and "</think>" in text:
        thought, _, rest = text.partition("</think>")
        return thought.strip(), rest.strip()
    return "", text


def follow_up(call: Call, completion: Completion, fault: BadReply) -> Call | None:
    """The call that may make good a bad reply: more room if it was cut off, else a word on the fault; once each."""
    if fault.kind in call.follows or fault.kind == "withheld":
        return None
    follows = (*call.follows, fault.kind)
    if fault.kind == "cut off":
        if call.max_tokens <= 0:  # no limit of ours cut it
            return None
        key = content_id(call.key, "more room", 2 * call.max_tokens)
        return replace(call, key=key, max_tokens=2 * call.max_tokens, follows=follows)
    said = split_thinking(completion.text)[1][:LONGEST_QUOTE]
    correction = (
        f"Your reply cannot be used: {fault}. Send the whole reply once more, as JSON only, in exactly this shape:\n"
        f"{shape(call.reply, call.fields)}"
    )
    messages = (
        *call.messages,
        {"role": "assistant", "content": said or "(nothing)"},
        {"role": "user", "content": correction},
    )
    return replace(call, key=content_id(call.key, said, correction), messages=messages, follows=follows)


# --- the shape of a reply ---


def shape(reply: str, fields: dict[str, Any]) -> str:
    """The reply's shape as a line of JSON, for the prompt: some endpoints heed no schema."""
    return _shape(reply, *_shown(fields))


@lru_cache
def _shape(reply: str, with_id: bool, with_reasoning: bool) -> str:
    model = REPLIES[reply]
    name, info = next(iter(model.model_fields.items()))
    item = info.annotation.__args__[0]  # type: ignore[union-attr]
    hidden = _hidden(reply, with_id, with_reasoning)
    examples: dict[Any, Any] = {str: "...", bool: True}
    row = (
        "..."
        if item is str
        else {
            key: "<id>" if key == "id" else examples.get(field.annotation, ["..."])
            for key, field in item.model_fields.items()
            if key not in hidden
        }
    )
    return json.dumps({name: [row]})


def schema(call: Call) -> dict[str, Any]:
    """The JSON schema of a call's reply, as strict endpoints want it: every property required, no others allowed."""
    angles, count = call.fields.get("angles"), call.fields.get("count")
    bounds = (0, 0)
    if call.reply == "summaries" and angles:
        bounds = (len(angles), len(angles))
    elif call.reply in ("pairs", "exam") and count and "facts" not in call.fields:
        bounds = (0, count)
    return _schema(call.reply, *_shown(call.fields), bounds)


@lru_cache
def _schema(reply: str, with_id: bool, with_reasoning: bool, bounds: tuple[int, int]) -> dict[str, Any]:
    whole = REPLIES[reply].model_json_schema()
    hidden = _hidden(reply, with_id, with_reasoning)
    definitions = whole.pop("$defs", {})

    def strict(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return strict(definitions[node["$ref"].rsplit("/", 1)[1]])
        if node["type"] == "object":
            properties = {name: strict(x) for name, x in node["properties"].items() if name not in hidden}
            return {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            }
        return {"type": node["type"]} | ({"items": strict(node["items"])} if "items" in node else {})

    found = strict(whole)
    least, most = bounds
    items = next(iter(found["properties"].values()))
    items.update({"minItems": least} if least else {}, **({"maxItems": most} if most else {}))
    return found


def _shown(fields: dict[str, Any]) -> tuple[bool, bool]:
    """Which optional parts of a pair are asked for: the id of its fact, the reasoning."""
    return "facts" in fields, bool(fields.get("reasoning"))


def _hidden(reply: str, with_id: bool, with_reasoning: bool) -> set[str]:
    if reply != "pairs":
        return set()
    return {name for name, asked in (("id", with_id), ("reasoning", with_reasoning)) if not asked}


# --- reading what is not quite JSON ---


def _repaired(call: Call, text: str, error: ValidationError) -> Reply:
    """A reply whose words are all there, with what stands around it left out and its punctuation mended.

    Raises BadReply for anything else, a reply that ends in the middle above all: closing it would pass half an answer.
    """
    model = REPLIES[call.reply]
    starts = sorted(at for at in (text.find("{"), text.find("[")) if at >= 0)
    if not starts:
        raise BadReply(f"no JSON in it: {text[:80]!r}")
    for start in starts:  # a fence, a sentence or a citation may stand before or after
        try:
            found, _ = _LENIENT.raw_decode(text[start:])
            if found == [] and "{" in text:  # a box to be ticked, or the like
                continue
            return _fitted(model, found)
        except ValidationError as misfit:
            error = misfit
        except json.JSONDecodeError:
            pass
    inside = text[starts[0] : 1 + max(text.rfind("}"), text.rfind("]"))]
    from json_repair import repair_json

    found = repair_json(inside, return_objects=True)
    mended = json.dumps(found, ensure_ascii=False)
    if _closing(mended) != _closing(inside) or _is_open(inside):
        raise BadReply("it ends in the middle")
    if _letters(mended) == _letters(inside):
        try:
            return _fitted(model, found)
        except ValidationError as misfit:
            error = misfit
    first = error.errors()[0]
    raise BadReply(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}")


def _fitted(model: type[Reply], found: Any) -> Reply:
    """As JSON once more: that refuses half a character, which no file could hold."""
    if isinstance(found, list):  # some models leave the outermost braces out
        found = {next(iter(model.model_fields)): found}
    return model.model_validate_json(json.dumps(found))


def _closing(text: str) -> str:
    """The brackets at the end of a JSON text."""
    return re.sub(r"[\s,]", "", _CLOSING.search(text)[0])  # type: ignore[index]  # matches every text


def _is_open(text: str) -> bool:
    """Whether a JSON text ends within a string: its kind of quotation mark stands in it an odd number of times."""
    mark = min("\"'", key=lambda one: (text + one).index(one))
    return _ESCAPED.sub("", text).count(mark) % 2 == 1


def _letters(text: str) -> str:
    """The letters and digits of a JSON text, escapes resolved: what a repair may neither add nor lose."""
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", text)
    return "".join(char for char in text if char.isalnum()).casefold()


def _example(prompt: Prompt, fields: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """The worked example of the same document as an exchange that went before; none where its shape is another one."""
    example = fields.get("worked_example")
    if not (example and prompt.example) or fields.get("reasoning"):
        return ()
    document = example.document
    shown = {"title": fields["title"], "passage": document, "passage_tag": _tag("passage", document)}
    pairs = [{"question": question, "answer": answer} for question, answer in example.pairs]
    return (
        {"role": "user", "content": prompt.example.format_map(shown).strip()},
        {"role": "assistant", "content": json.dumps({"pairs": pairs}, ensure_ascii=False)},
    )


def _tag(name: str, content: str) -> str:
    """The tag that encloses what is data; a text that holds the tag itself gets one that it cannot hold."""
    return name if f"{name}>" not in content else f"{name}-{content_id(content)[:8]}"


def _show(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
