"""The client of an endpoint: one attempt at one call, and how it went. When to ask again is decided in `pacing`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import TeacherRefused
from ..records import Call, CallFault, Completion
from ..settings import env_names
from . import replies
from .budget import BYTES_PER_TOKEN, tokens_of
from .providers import Endpoint

CONNECT_SECONDS = 10.0
MOST_TOKENS = 10**9  # in one reply; what is beyond is no number of tokens
SHORTEST_KEY = 8  # what is shorter stands for no key: "none", "EMPTY", "ollama"
LENGTHS = ("max_tokens", "max_completion_tokens")
_UNKNOWN = re.compile(r"unsupported|not supported|unknown|unrecogni|unexpected|not permitted|extra ", re.IGNORECASE)
REQUIRED = ("model", "messages", "stream")  # everything else in a request may be left out where it is refused


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def without(self, key: str) -> Response:
        """An endpoint may repeat the key that it was given; nobody else should."""
        return replace(self, content=self.content.replace(key.encode(), b"...")) if len(key) >= SHORTEST_KEY else self


class EndpointTeacher:
    """A language model behind an endpoint, asked in OpenAI's way or, for Ollama's own options, in Ollama's.

    A parameter that the endpoint refuses by name is left out from then on, and a warning says so once.
    """

    def __init__(self, endpoint: Endpoint):
        self.provider, self.model = endpoint.provider.name, endpoint.model
        self.base_url, self.own_host = endpoint.base_url, endpoint.own_host
        self.concurrency = endpoint.concurrency
        self.endpoint = endpoint
        self._is_ollama = endpoint.provider.api == "ollama"
        self._left_out: set[str] = set()
        self._length = endpoint.provider.length_parameter
        self._headers = {"content-type": "application/json"} | endpoint.authorization
        self._http: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, call: Call) -> Completion:
        """One attempt. Raises CallFault, or TeacherRefused where every further call would fail the same way."""
        body = self._body(call)
        started = time.perf_counter()
        response = await self._post(body)
        if response.status in (400, 422) and self._adapt(body, response):
            raise CallFault("adapted", f"{self.endpoint.host} does not take a parameter")
        self._check(response)
        completion = replace(self._read(response), latency=round(time.perf_counter() - started, 4))
        if completion.prompt_tokens:
            return completion
        # Some endpoints do not say; an estimate keeps the budget honest.
        written = completion.completion_tokens or len(completion.text) // BYTES_PER_TOKEN
        return replace(completion, prompt_tokens=tokens_of(call), completion_tokens=written)

    async def close(self) -> None:
        if self._http is not None and self._loop is asyncio.get_running_loop():
            await self._http.close()
        self._http = None

    # --- request ---

    def _body(self, call: Call) -> dict[str, Any]:
        schema = replies.schema(call) if self.endpoint.provider.schema else None
        if self._is_ollama:
            options = {"temperature": call.temperature, "top_p": call.top_p, "num_predict": call.max_tokens}
            options |= {"seed": call.seed} | call.options
            body = {
                "model": self.model,
                "messages": call.messages,
                "stream": False,
                "truncate": False,
                "format": schema,
            }
            body["options"] = {name: value for name, value in options.items() if value is not None}
        else:
            body = {
                "model": self.model,
                "messages": call.messages,
                "temperature": call.temperature,
                "top_p": call.top_p,
                self._length: call.max_tokens,
                "seed": call.seed if self.endpoint.provider.seed else None,
                "response_format": schema and _response_format(call.reply, schema),
            }
        return {name: value for name, value in body.items() if value is not None and name not in self._left_out}

    async def _post(self, body: dict[str, Any]) -> Response:
        import aiohttp

        path, host = "/api/chat" if self._is_ollama else "/chat/completions", self.endpoint.host
        try:
            return await fetch(self._client(), self.base_url + path, self._headers, body)
        except TimeoutError as error:  # two kinds of it: nobody there, and nobody answers
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                raise CallFault("connection", f"{host}: no connection within {CONNECT_SECONDS:g} s") from None
            raise CallFault("timeout", f"{host}: no reply within {self.endpoint.timeout:g} s") from None
        except aiohttp.InvalidURL as error:
            fix = f"set {self.endpoint.variables.base_url}"
            raise TeacherRefused(f"{self.base_url}: no address ({error}); {fix}") from None
        except aiohttp.ClientConnectorError as error:
            number = error.errno or 0
            why = os.strerror(number) if number > 0 else str(error.os_error)
            raise CallFault("connection", f"{host}: not reached ({why})") from None
        except aiohttp.ClientError as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise CallFault("reset", f"{host}: it hung up ({why})") from None
        except UnicodeError:
            raise TeacherRefused(f"{self.base_url}: no address; set {self.endpoint.variables.base_url}") from None

    def _client(self) -> Any:
        """A client belongs to the event loop that opened it."""
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            self._http, self._loop = open_client(self.endpoint), loop
        return self._http

    # --- reply ---

    def _adapt(self, body: dict[str, Any], response: Response) -> bool:
        """Learn from a refusal that names a parameter; True if the call can be asked again without it."""
        words, named = _error_of(response)
        optional = [name for name in body if name not in REQUIRED]
        refused = next((name for name in optional if named.split(".")[0] == name), "") or next(
            (name for name in optional if re.search(rf"\b{name}\b", words)), ""
        )
        if refused in LENGTHS:
            return self._adapt_length(refused, words)
        if refused and refused not in self._left_out:
            self._left_out.add(refused)
            warnings.warn(f"{self.endpoint.host} refuses {refused}; asked without it from now on", stacklevel=2)
        return bool(refused)

    def _adapt_length(self, refused: str, words: str) -> bool:
        """The most tokens of a reply has two names, and a refusal may be of the number, not of the name."""
        if not _UNKNOWN.search(words):
            return False
        if (
            refused == self._length
            and (other := next(name for name in LENGTHS if name != refused)) not in self._left_out
        ):
            self._length = other
        self._left_out.add(refused)
        return True

    def _check(self, response: Response) -> None:
        """Raise what a status other than 200 means."""
        status, host = response.status, self.endpoint.host
        if status == 200:
            return
        response = response.without(self.endpoint.key)
        words, _ = _error_of(response)
        said = f"{host} answers {status}: {words}"
        variables = self.endpoint.variables
        key = " or ".join((variables.key, *(env_names(name)[0] for name in self.endpoint.provider.keys)))
        if status in (401, 403):
            raise TeacherRefused(f"{said}. The key is {'refused' if self.endpoint.key else 'missing'}; set {key}")
        if status == 402 or (status == 429 and "insufficient_quota" in response.text):
            raise TeacherRefused(f"{said}. The account has no credit left")
        if status in (404, 405) or 300 <= status < 400:
            if self._is_ollama:
                fix = f"`ollama pull {self.model}`, or set {variables.model}"
            else:
                fix = (
                    f"set {variables.model} to a model that it has, or {variables.base_url} (as a rule it ends in /v1)"
                )
            raise TeacherRefused(f"{said} (model {self.model} at {self.base_url}). Fix: {fix}")
        if status in (429, 503, 529):
            raise CallFault("overload", said, _retry_after(response.headers))
        if status in (408, 409, 425) or status >= 500:
            raise CallFault("server", said, _retry_after(response.headers))
        raise CallFault("refused", said + ("; see TEACHER_MAX_TOKENS" if "max_" in words else ""))

    def _read(self, response: Response) -> Completion:
        try:
            data = json.loads(response.content)
            if isinstance(data, dict) and data.get("error"):  # some gateways report every error as a success
                words, _ = _error_of(response.without(self.endpoint.key))
                raise CallFault("server", f"{self.endpoint.host} answers 200, with an error: {words}")
            return _of_ollama(data) if self._is_ollama else _of_openai(data)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            start = _plain(response.without(self.endpoint.key).text)
            fix = f"set {self.endpoint.variables.base_url} to the endpoint (as a rule it ends in /v1)"
            message = f"{self.base_url} answers, but not as a chat endpoint: {start!r}; {fix}"
            raise CallFault("foreign", message) from None


def open_client(endpoint: Endpoint) -> Any:
    """An aiohttp session.

    Bare aiohttp takes a third of the time of the openai package's client and tells a reset from a timeout. The proxy is
    looked up here: aiohttp's own way would read .netrc too, and send what it finds there.
    """
    import aiohttp

    url = urlsplit(endpoint.base_url)
    proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=endpoint.timeout, sock_connect=min(CONNECT_SECONDS, endpoint.timeout)),
        proxy=proxy,
    )


async def fetch(client: Any, url: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> Response:
    """One request, a POST where there is a body; redirects are not followed: they would lose it.

    The headers, with the key in them, are the request's own: those of a session aiohttp shows to a proxy, too.
    """
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    method = "GET" if body is None else "POST"
    async with client.request(method, url, data=data, headers=headers, allow_redirects=False) as response:
        return Response(response.status, response.headers, await response.read())


def _response_format(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def _of_openai(data: dict[str, Any]) -> Completion:
    choice = data["choices"][0]
    message, usage = choice["message"], data.get("usage") or {}
    content = message.get("content") or ""
    if isinstance(content, list):  # some endpoints answer in parts
        content = "".join(part.get("text", "") for part in content)
    if not isinstance(content, str):  # and some with the JSON itself
        content = json.dumps(content, ensure_ascii=False)
    refusal = message.get("refusal")
    return Completion(
        text=content or refusal or "",
        model=data.get("model") or "",
        finish_reason="content_filter" if refusal and not content else choice.get("finish_reason") or "stop",
        reasoning=message.get("reasoning_content") or message.get("reasoning") or "",
        prompt_tokens=_amount(usage.get("prompt_tokens")),
        completion_tokens=_amount(usage.get("completion_tokens")),
    )


def _of_ollama(data: dict[str, Any]) -> Completion:
    message = data["message"]
    return Completion(
        text=message.get("content") or "",
        model=data.get("model") or "",
        finish_reason=data.get("done_reason") or "stop",
        reasoning=message.get("thinking") or "",
        prompt_tokens=_amount(data.get("prompt_eval_count")),
        completion_tokens=_amount(data.get("eval_count")),
    )


def _amount(value: Any) -> int:
    """A number of tokens as an endpoint tells it; 0 for what can be none."""
    return value if isinstance(value, int) and 0 <= value < MOST_TOKENS else 0


def _error_of(response: Response) -> tuple[str, str]:
    """What an error reply says, and the parameter that it names, if any; every endpoint has its own shape."""
    try:
        data = json.loads(response.content)
    except ValueError:
        return _plain(response.text), ""
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return str(error)[:300], ""
    words = error.get("message") or error.get("detail") or error
    return " ".join(str(words).split())[:300], str(error.get("param") or "")


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
