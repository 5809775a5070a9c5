"""What one endpoint takes: requests in its own terms, and what is learnt from those that it refuses."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..records import Call, Completion
from . import schemas
from .budget import SAFE_BYTES_PER_TOKEN, tokens_of
from .json_text import split_thinking
from .providers import Endpoint

LENGTHS = ("max_tokens", "max_completion_tokens")
SHAPES = frozenset(("response_format", "format"))  # what carries the schema
REQUIRED = ("model", "messages", "stream")  # everything else in a request may be left out where it is refused
TRANSIENT = "json_validate_failed"  # the model's words did not fit the schema this time
LEAST_ROOM = 16  # tokens; no reply is shorter
CAUTION = 0.9  # of the bytes that a token of an earlier prompt had
SHRINK = 0.8  # of the bytes that a token is reckoned with, where a request was too long all the same
# What is left out of a request whose schema is refused, one after the other; then there is nothing left.
_SCHEMAS = ("the bounds in the schema of a reply", "a schema for its reply", "")
_UNKNOWN = re.compile(r"unsupported|not supported|unknown|unrecogni|unexpected|not permitted|extra ", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context (length|window|size)|max_?(new_|output_?|completion_)?[_ ]?tokens|completion tokens", re.IGNORECASE
)
_OF_THE_SCHEMA = re.compile(r"response.?format|schema|structured|grammar", re.IGNORECASE)
_OF_THE_CALL = re.compile(
    r"\bmodel\b.*(exist|found|unknown|invalid|support)|\bkey\b|\bcontext (length|window|size)|too long|\btokens\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\b\d{1,3}(?:,\d{3})+\b|\b\d{1,9}\b")
_CONTEXT = re.compile(  # after the word or before it; as what is too little for a sum
    rf"(?:context (?:length|window|size)\D{{0,20}}|> )({_NUMBER.pattern})|({_NUMBER.pattern}) maximum context"
)
_NO_SYSTEM = re.compile(
    r"\bsystem\b.{0,40}(role|message|prompt|instruction)|\brole.{0,40}\bsystem\b"
    r"|\bonly user\b.{0,40}\broles|\broles must alternate",  # as chat templates without that role say
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """What an endpoint says where it refuses a request: its words, the parameter that it names, the whole of it."""

    words: str
    named: str
    whole: str


class Dialect:
    """How an endpoint is asked. What it has refused by name is left out from then on, and a warning says so once.

    `context` is what the endpoint states of it, in tokens: 0 where it states none, None before it was asked.
    """

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.context: int | None = None
        self._left_out: set[str] = set()
        self._shape = 0  # how much of the schema is sent: see _SCHEMAS
        self._takes_system = True
        self._length = endpoint.provider.length_parameter
        self._most: int | None = None  # tokens of a reply, where a longer one was refused
        self._counts_room = False  # whether prompt and reply together have been too much for the context
        self._bytes_per_token = SAFE_BYTES_PER_TOKEN
        self._heeds_schema = True
        self._answered_as = ""  # what it says that the model is

    @property
    def shape(self) -> int:
        """How much of the schema is left out, to begin with."""
        return self._shape

    def body(self, call: Call, shape: int = 0) -> dict[str, Any]:
        """A request. `shape` is how much of the schema is left out of it."""
        provider, model = self.endpoint.provider, self.endpoint.model
        schema = schemas.schema(call) if provider.schema and shape < 2 else None
        schema = schemas.unbounded(schema) if schema and shape else schema
        messages = call.messages if self._takes_system else _without_system(call.messages)
        body: dict[str, Any] = {"model": model, "messages": messages}
        if provider.api == "ollama":
            options = {"temperature": call.temperature, "top_p": call.top_p, "num_predict": call.max_tokens}
            options |= {"seed": call.seed} | call.options
            body |= {"stream": False, "truncate": False, "format": schema}
            body["options"] = {name: value for name, value in options.items() if value is not None}
        else:
            body |= {"temperature": call.temperature, "top_p": call.top_p, self._length: self._room(call)}
            body["seed"] = call.seed if provider.seed else None
            if schema:
                strict = {"name": call.reply, "strict": True, "schema": schema}
                body["response_format"] = {"type": "json_schema", "json_schema": strict}
        return {name: value for name, value in body.items() if value is not None and name not in self._left_out}

    def learn(self, call: Call, body: dict[str, Any], refusal: Refusal) -> bool:
        """Take a refusal that names what it is of; True if the call can be asked again at once."""
        words, named, _ = refusal
        if self.learn_role(body, refusal):
            return True
        optional = [name for name in body if name not in REQUIRED]
        by_name = [name for name in optional if named.split(".")[0] == name]
        refused = next(iter(by_name or [name for name in optional if re.search(rf"\b{name}\b", words)]), "")
        if refused in SHAPES and "schema" in words.lower():
            return False  # perhaps only some of what it holds: see `may_mean_the_schema`
        if refused in LENGTHS and _UNKNOWN.search(words):
            other = next(name for name in LENGTHS if name != refused)
            self._length = other if other not in self._left_out else self._length
        elif refused in LENGTHS or _TOO_LONG.search(words):
            return self._learn_room(call, body, words)
        elif refused and refused not in self._left_out:
            warnings.warn(f"{self.endpoint.host} refuses {refused}; asked without it from now on", stacklevel=2)
        self._left_out |= {refused} - {""}
        return bool(refused)

    def learn_role(self, body: dict[str, Any], refusal: Refusal) -> bool:
        """Take a refusal of the system role, which some servers call a failure of theirs; True as `learn` has it."""
        is_meant = body["messages"][0]["role"] == "system" and bool(_NO_SYSTEM.search(refusal.words))
        self._takes_system &= not is_meant
        return is_meant

    def may_mean_the_schema(self, body: dict[str, Any], shape: int, refusal: Refusal) -> bool:
        """Whether a refusal may be of the schema: every endpoint has its own words for it, and for other things."""
        if shape == len(_SCHEMAS) - 1 or not body.keys() & SHAPES:
            return False
        if refusal.named in REQUIRED or TRANSIENT in refusal.whole:
            return False
        return bool(_OF_THE_SCHEMA.search(refusal.words)) or not _OF_THE_CALL.search(refusal.words)

    def succeeded(self, call: Call, body: dict[str, Any], shape: int, completion: Completion) -> None:
        """Keep what helped; a refusal that only looked like one of the schema changes nothing."""
        if completion.prompt_tokens and self._counts_room:
            self._bytes_per_token = CAUTION * tokens_of(call, 1.0) / completion.prompt_tokens
        if shape > self._shape:
            self._shape, refused = shape, _SCHEMAS[shape - 1]
            warnings.warn(f"{self.endpoint.host} refuses {refused}; asked without from now on", stacklevel=2)
        if completion.model and self._answered_as not in ("", completion.model):
            said = f"{self.endpoint.host} answers as {completion.model[:80]}, and before as {self._answered_as[:80]}"
            warnings.warn(f"{said}; the journal says which reply is whose", stacklevel=1)  # once for two models
        self._answered_as = completion.model or self._answered_as
        text = split_thinking(completion.text)[1]
        # Where a reply is cut off early it may be a fence alone, which those that heed the schema take off at its end.
        opening = "{[" if completion.finish_reason == "stop" else "{[`"
        if self._heeds_schema and body.keys() & SHAPES and text and text[0] not in opening:
            self._heeds_schema = False
            said = f"{self.endpoint.host} does not heed the schema of a reply (it begins {text[:20]!r})"
            warnings.warn(f"{said}; its replies are read as far as they fit", stacklevel=2)

    # --- the room of a reply ---

    def _room(self, call: Call) -> int:
        """Most tokens of the reply: what is asked for, and where the endpoint minds, what there is room for."""
        rooms = [call.max_tokens]
        if self._most:
            rooms.append(self._most)
        if self._counts_room and self.context:
            rooms.append(self.context - tokens_of(call, self._bytes_per_token))
        return max(1, min(rooms)) if call.max_tokens > 0 else call.max_tokens

    def _learn_room(self, call: Call, body: dict[str, Any], words: str) -> bool:
        """Take a refusal of the length for its size: by the context that is stated, else by the number in the words."""
        before = next((body[name] for name in LENGTHS if name in body), 0)
        if self._is_less(call, before):  # learnt of another call while this one was on its way
            return True
        stated = max((n for n in map(_integer, _NUMBER.findall(words)) if 0 < n < before), default=0)
        if "context" not in words.lower():
            self._most = stated - ("exclusive" in words) if stated else None
            return self._is_less(call, before)
        named = _CONTEXT.search(words)
        self.context = self.context or (_integer(named[1] or named[2]) if named else stated)
        if not self.context:
            return False
        self._bytes_per_token *= SHRINK if self._counts_room else 1.0
        self._counts_room = True
        return self._is_less(call, before)

    def _is_less(self, call: Call, before: int) -> bool:
        return LEAST_ROOM <= self._room(call) < before


def _integer(digits: str) -> int:
    return int(digits.replace(",", ""))


def _without_system(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The system message at the head of the first of the user's turns, for models that have no such role."""
    system, first, *rest = messages
    if system["role"] != "system":
        return list(messages)
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
