"""The client of an endpoint: one attempt at one call, and how it went. When to ask again is decided in `throttle`."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..errors import TeacherRefused
from ..records import Call, CallFault, Completion
from .budget import BYTES_PER_TOKEN, amount, tokens_of
from .dialect import TRANSIENT, Dialect, Refusal
from .json_text import integer
from .providers import Endpoint
from .wire import Wire

if TYPE_CHECKING:
    import httpx2

_MAY_SPELL = re.compile(r"\\[u/]")  # escapes that a key may be spelled in
_LOADING = re.compile(r"\bloading\b|\bnot ready\b|\b(starting|warming) up\b", re.IGNORECASE)  # a model
SHORTEST_KEY = 8  # what is shorter stands for no key: "none", "EMPTY", "ollama"


class EndpointTeacher:
    """A language model behind an endpoint, asked in OpenAI's way or, for Ollama's own options, in Ollama's."""

    def __init__(self, endpoint: Endpoint):
        self.provider, self.model = endpoint.provider.name, endpoint.model
        self.base_url, self.own_host = endpoint.base_url, endpoint.own_host
        self.concurrency = endpoint.concurrency
        self.endpoint = endpoint
        self._is_ollama = endpoint.provider.api == "ollama"
        self._dialect = Dialect(endpoint)
        self._wire = Wire(endpoint)
        self._spelled_key = _spelled(endpoint.key)

    @property
    def context(self) -> int | None:
        """Of the endpoint, in tokens: 0 where it states none, None before it was asked; see `contexts`."""
        return self._dialect.context

    @context.setter
    def context(self, tokens: int | None) -> None:
        self._dialect.context = tokens

    async def complete(self, call: Call) -> Completion:
        """One attempt. Raises CallFault, or TeacherRefused where every further call would fail the same way."""
        dialect = self._dialect
        shape = dialect.shape
        while True:
            body = dialect.body(call, shape)
            response = await self._wire.send("/api/chat" if self._is_ollama else "/chat/completions", body)
            if response.status_code not in (400, 422, 500):
                break
            refusal, is_ours = Refusal(*self._error(response), response.text), response.status_code != 500
            if dialect.learn(call, body, refusal) if is_ours else dialect.learn_role(body, refusal):
                raise CallFault("adapted", f"{self.endpoint.host} does not take a parameter")
            if not (is_ours and dialect.may_mean_the_schema(body, shape, refusal)):
                break
            shape += 1
        self._check(response)
        completion = replace(self._read(response), latency=round(response.elapsed.total_seconds(), 4))
        dialect.succeeded(call, body, shape, completion)
        if completion.prompt_tokens:
            return completion
        # Some endpoints do not say; an estimate keeps the budget honest.
        written = completion.completion_tokens or len(completion.text) // BYTES_PER_TOKEN
        return replace(completion, prompt_tokens=tokens_of(call), completion_tokens=written)

    async def close(self) -> None:
        await self._wire.close()

    def _check(self, response: httpx2.Response) -> None:
        """Raise what a status other than 200 means."""
        status, variables = response.status_code, self.endpoint.variables
        if status == 200:
            return
        words, _ = self._error(response)
        if target := self._without_key(response.headers.get("location", "")):
            words = f"{words} (it points to {target[:300]})"
        said = f"{self.endpoint.host} answers {status}: {words}"
        behind = ", the server behind it" if status >= 500 else ""
        look = f"look at the model ({variables.model}={self.model}), the key ({variables.key}){behind}; then run again"
        if status in (401, 403):
            state = "refused" if self.endpoint.key else "missing"
            raise TeacherRefused(f"{said}. The key is {state}; {self.endpoint.withheld or f'set {variables.key}'}")
        if status == 402 or (status == 429 and b"insufficient_quota" in response.content):
            raise TeacherRefused(f"{said}. The account has no credit left")
        if status in (404, 405) or 300 <= status < 400:
            fix = f"set {variables.model} to a model that it has, or {variables.base_url} (as a rule it ends in /v1)"
            if self._is_ollama:
                fix = f"`ollama pull {self.model}`, or set {variables.model}"
            raise TeacherRefused(f"{said} (model {self.model} at {self.base_url}). Fix: {fix}")
        if status == 503 and _LOADING.search(words):
            raise CallFault("loading", said)
        if status in (429, 503, 529):
            raise CallFault("overload", said, _retry_after(response.headers))
        if status in (408, 409, 425) or status >= 500:
            raise CallFault("server", said, _retry_after(response.headers), look)
        if TRANSIENT in response.text:
            raise CallFault("server", said)
        length = "; see TEACHER_MAX_TOKENS" if "max_" in words else ""
        if "context" in words.lower():
            room = "a larger context of the server, or a smaller CHUNK_TOKENS, makes room"
            raise CallFault("refused", f"{said}; {room}{length}")
        raise CallFault("refused", said + length, fix=look)

    def _read(self, response: httpx2.Response) -> Completion:
        try:
            data = json.loads(response.content, parse_int=integer)
            if isinstance(data, dict) and data.get("error"):  # some gateways report every error as a success
                words, _ = self._error(response)
                raise CallFault("server", f"{self.endpoint.host} answers 200, with an error: {words}")
            return self._of_ollama(data) if self._is_ollama else self._of_openai(data)
        except (ValueError, KeyError, TypeError, RecursionError):
            start = _plain(self._without_key(response.text))
            fix = f"set {self.endpoint.variables.base_url} to the endpoint (as a rule it ends in /v1)"
            message = f"{self.base_url} answers, but not as a chat endpoint: {start!r}; {fix}"
            raise CallFault("foreign", message) from None

    def _error(self, response: httpx2.Response) -> tuple[str, str]:
        """What an error reply says, and the parameter that it names, if any; every endpoint has its own shape."""
        try:
            data = json.loads(response.content, parse_int=integer)
        except (ValueError, RecursionError):
            return _plain(self._without_key(response.text)), ""
        if isinstance(data, list) and data:
            data = data[0]
        error = data.get("error", data) if isinstance(data, dict) else data
        if not isinstance(error, dict):
            return self._words(error)[:300], ""
        words = self._words(error.get("message") or error.get("detail") or error)
        return " ".join(words.split())[:300], self._words(error.get("param"))

    def _of_openai(self, data: dict[str, Any]) -> Completion:
        choices = data["choices"]  # what has none is no chat endpoint; one without words has nothing to say
        choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
        message, usage = _object(choice.get("message")), _object(data.get("usage"))
        content, refusal = self._words(message.get("content")), self._words(message.get("refusal"))
        withheld = refusal and not content
        return Completion(
            text=content or refusal,
            model=self._words(data.get("model")),
            finish_reason="content_filter" if withheld else self._words(choice.get("finish_reason")) or "stop",
            reasoning=self._words(message.get("reasoning_content") or message.get("reasoning")),
            prompt_tokens=amount(usage.get("prompt_tokens")),
            completion_tokens=amount(usage.get("completion_tokens")),
        )

    def _of_ollama(self, data: dict[str, Any]) -> Completion:
        message = _object(data["message"])
        return Completion(
            text=self._words(message.get("content")),
            model=self._words(data.get("model")),
            finish_reason=self._words(data.get("done_reason")) or "stop",
            reasoning=self._words(message.get("thinking")),
            prompt_tokens=amount(data.get("prompt_eval_count")),
            completion_tokens=amount(data.get("eval_count")),
        )

    def _words(self, value: Any) -> str:
        """The words that an endpoint gives, in parts or as JSON at times, as a file can hold them and without the key.

        Half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes U+FFFD.
        """
        if value is None:
            return ""
        if isinstance(value, list) and all(isinstance(part, dict) and "text" in part for part in value):
            value = "".join(map(self._words, (part["text"] for part in value)))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return self._without_key(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _without_key(self, text: str) -> str:
        """An endpoint may repeat the key that it was given; nobody else should."""
        key = self.endpoint.key
        if len(key) < SHORTEST_KEY:
            return text
        text = text.replace(key, "...")
        return self._spelled_key.sub("...", text) if _MAY_SPELL.search(text) else text


def _spelled(key: str) -> re.Pattern[str]:
    """A key as it is, and as JSON within a text may spell it, its signs escaped once or more often."""
    return re.compile("".join(rf"(?:\\*{re.escape(sign)}|\\+u{ord(sign):04x})" for sign in key), re.IGNORECASE)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(text: str) -> str:
    """The first words of a page, its markup taken out."""
    text = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:120]


def _retry_after(headers: Any) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date); None where not said."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        seconds = float(value) if value[:1].isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
        return max(0.0, seconds)
    except ValueError:
        return None
