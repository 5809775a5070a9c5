"""Replies: what a teacher may be asked for, and the reading of what comes back.

A reply is read as strict JSON, else repaired where only its punctuation is wrong. Its words are never changed: what
does not fit is a BadReply that names the fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model

from ..records import Call, Completion
from . import json_text
from .budget import is_estimate
from .json_text import split_thinking

_PLACEHOLDER = re.compile(r"\s*(?:\.{2,}|\u2026|<[^<>]*>)\s*")


class _ReplyPart(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)  # an answer of 64 is "64"


class Reply(_ReplyPart):
    """What a teacher is asked for, one list of parts, and the completion that it came in.

    `cut_off` says how a reply ended of which only what was whole before the cut is here; else it is empty.
    """

    _completion: Completion | None = PrivateAttr(None)
    _cut_off: str = PrivateAttr("")

    @property
    def completion(self) -> Completion:
        assert self._completion is not None, "a reply that was parsed has one"
        return self._completion

    @property
    def cut_off(self) -> str:
        return self._cut_off

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


Steps = Annotated[list[str], Field(json_schema_extra={"maxItems": 6})]  # as the prompts say


class ReasonedPair(_ReplyPart):
    question: str
    steps: Steps
    answer: str
    follows: bool


class Rewrite(_ReplyPart):
    id: str
    answer: str
    changes: str


class Reasoning(_ReplyPart):
    id: str
    steps: Steps
    follows: bool


class Judgement(_ReplyPart):
    id: str
    explanation: str
    grounded: bool


def _steps(most: int, of_one: int) -> dict[str, Any]:
    """Points as a schema lists them, the best first: some servers heed no minimum and maximum. Others are read, too."""
    return {"enum": [n // of_one if n % of_one == 0 else n / of_one for n in range(most * of_one, -1, -1)]}


UpTo2 = Annotated[float, Field(ge=0, le=2, json_schema_extra=_steps(2, 2))]  # in halves, as the prompts say
UpTo3 = Annotated[float, Field(ge=0, le=3, json_schema_extra=_steps(3, 2))]
UpTo10 = Annotated[float, Field(ge=0, le=10, json_schema_extra=_steps(10, 1))]


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
    wrong_options: Annotated[list[str], Field(json_schema_extra={"maxItems": 3})]


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


class _EndsInTheMiddle(BadReply):
    def __init__(self) -> None:
        super().__init__("it ends in the middle")


def parse(call: Call, completion: Completion) -> Any:
    """The reply as an instance of its model in REPLIES. Raises BadReply, naming the fault, where it does not fit.

    Of a reply that was cut off it is what is whole before the cut: at once where ids say what it lacks, otherwise where
    asking for the whole would not help, or did not.
    """
    if completion.finish_reason == "content_filter":
        raise BadReply(f"withheld by the endpoint: {completion.text[:200]}", "withheld")
    try:
        if completion.finish_reason != "length":
            with suppress(_EndsInTheMiddle):
                return _parsed(call, completion)
        return _before_the_cut(call, completion)
    except RecursionError:
        raise BadReply("nested too deeply to be read") from None


def limit_was_ours(call: Call, completion: Completion) -> bool:
    """Whether more room may be asked for where a reply was cut off; else the context of the endpoint is full."""
    written = 0 if is_estimate(call, completion) else completion.completion_tokens
    return call.max_tokens > 0 and (not written or written >= call.max_tokens)


def _before_the_cut(call: Call, completion: Completion) -> Reply:
    """The items that are surely whole; the one in which the cut is, is never closed by force."""
    name, _ = PARTS[call.reply]
    text = json_text.with_lost_backslashes(split_thinking(completion.text)[1])
    reply = REPLIES[call.reply].model_validate({name: []})
    for item in json_text.whole_items(text, name):
        with suppress(ValidationError):
            if "\ufffd" not in json.dumps(item, ensure_ascii=False):
                reply.items.extend(one for one in _fitted(call.reply, [item]).items if not _is_borrowed(one, call))
    fault, has_ids = _cut(call, completion), not call.fields.keys().isdisjoint(("pairs", "facts"))
    is_last_word = has_ids or fault.kind in call.follows or not limit_was_ours(call, completion)
    if not (reply.items and is_last_word):
        raise fault
    reply._completion, reply._cut_off = completion, str(fault)
    return reply


def _cut(call: Call, completion: Completion) -> BadReply:
    written, most = completion.completion_tokens, call.max_tokens
    if completion.finish_reason != "length" and not 0 < most <= written:
        return _EndsInTheMiddle()
    if limit_was_ours(call, completion):
        return BadReply(f"cut off after {written} tokens", "cut off")
    allowed = f"{most:,}" if most > 0 else "any number"
    more = "raise OLLAMA_NUM_CTX" if "num_ctx" in call.options else "give the server a larger context"
    took = f"{completion.prompt_tokens:,} tokens of the prompt, {written:,} of the reply where {allowed} may be"
    return BadReply(
        f"the endpoint's context is full: {took}; {more}, or lower CHUNK_TOKENS or ITEMS_PER_CALL", "cut off"
    )


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
    is_bare = f'"{PARTS[call.reply][0]}"' not in text
    if whole := [one for one in fitting if isinstance(one[1].content, dict)] or (fitting[-1:] if is_bare else []):
        return _chosen(call, text, whole)
    inside = json_text.outermost(text)
    if inside is None:
        raise BadReply(f"no JSON in it: {text[:80]!r}")
    if not inside:
        raise _EndsInTheMiddle
    content = json_text.mended(inside)
    if content is None:
        raise _EndsInTheMiddle
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
        raise _EndsInTheMiddle
    if all(value.in_fence for _, value in fitting):
        reply.items[:] = [item for one, _ in fitting for item in one.items]
    return reply


def _fitted(reply: str, content: Any) -> Reply:
    """As JSON once more: that refuses half a character, which no file could hold."""
    if isinstance(content, list):
        content = {PARTS[reply][0]: content}
    return REPLIES[reply].model_validate_json(json.dumps(content))
