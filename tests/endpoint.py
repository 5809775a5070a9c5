"""A chat-completions server on loopback, for tests and benchmarks: real sockets, invented answers, failures to order.

    with Endpoint(latency=0.05, p429=0.1) as endpoint:
        ask(endpoint.url)
        endpoint.behaviour.p429 = 0.0

It runs in a thread of its own. `python -m tests.endpoint --port 0 --latency 0.05` runs it in a process of its own, so
that a benchmark need not share its interpreter lock; GET /stats, POST /reset and POST /config steer it from outside.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import math
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from zlib import crc32

CHAT_PATHS = ("/v1/chat/completions", "/api/chat")
LISTINGS = ("/v1/models", "/api/tags")
SENTENCE = "The lamp on the pier is lit at dusk and put out at dawn."
THOUGHT = 'They want an object such as {"lamp": "..."}, so I copy what stands there.'
NOT_HTTP = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"

# The first outcome whose share of the draw is reached happens, so the order is part of what a seed means.
FAILURES = {
    "resets": "p_reset",
    "rejected_429": "p429",
    "errors_500": "p500",
    "malformed": "p_malformed",
    "truncated": "p_truncated",
    "slow": "p_slow",
}


@dataclass
class Behaviour:
    """How the server answers. Every request reads it afresh, so a test may change it at any time."""

    latency: float = 0.0
    p_reset: float = 0.0
    p429: float = 0.0
    retry_after: float | None = 1.0
    p500: float = 0.0
    p_malformed: float = 0.0
    p_truncated: float = 0.0
    p_slow: float = 0.0
    slow_seconds: float = 5.0
    seed: int = 0
    fail_by_prompt: bool = False
    keys: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    page: bool = False
    silent: bool = False
    think: str = ""
    fence: bool = False
    empty: bool = False


@dataclass
class Counters:
    """What became of the chat requests. All but the first and the last two are outcomes, and exclude each other."""

    requests: int = 0
    ok: int = 0
    rejected_429: int = 0
    errors_500: int = 0
    resets: int = 0
    malformed: int = 0
    truncated: int = 0
    slow: int = 0
    refused: int = 0  # 400, 401 and 404
    pages: int = 0
    silent: int = 0
    abandoned: int = 0  # the connection went before the answer
    max_in_flight: int = 0
    connections: int = 0


@dataclass
class Request:
    """One request as it came in. Its outcome is the name of a counter, or "waiting"."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    outcome: str = "waiting"
    key: int | None = None  # the hash of a chat request's body; None for what is not counted
    attempt: int = 0  # how often that body had come, this time included


@dataclass
class Answer:
    """What goes back, and when. Without a status the connection is reset; an infinite delay is silence."""

    outcome: str
    content: Any = None
    status: int = 200
    delay: float = 0.0
    retry_after: float | None = None

    def render(self, closing: bool) -> bytes:
        body = self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"content-length: {len(body)}"]
        lines.append(f"content-type: {'text/html; charset=utf-8' if self.content is PAGE else 'application/json'}")
        if self.retry_after is not None:
            lines.append(f"retry-after: {self.retry_after:g}")
        if closing:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode() + body


def error(
    path: str, status: int, message: str, code: str | None = None, param: str | None = None, outcome: str = "refused"
) -> Answer:
    """An error in Ollama's shape where Ollama was asked, in OpenAI's elsewhere."""
    kind = {429: "rate_limit_error", 500: "server_error"}.get(status, "invalid_request_error")
    full = {"message": message, "type": kind, "param": param, "code": code}
    return Answer(outcome, {"error": message if path.startswith("/api/") else full}, status)


class Composer:
    """Makes an instance of a JSON schema from the sentences and the ids of a message."""

    sentence = re.compile(r'\w[^.!?"{}<>\\]+(?:[.!?]\w[^.!?"{}<>\\]*)*[.!?]')  # the middle is for 3.5 and a.m.
    block = re.compile(r"<(\w+)>\n(.*?)\n\s*</\1>", re.DOTALL)
    identifier = re.compile(r'"id"\s*:\s*"(?!\.\.\.")([^"]+)"')

    def __init__(self, schema: dict[str, Any], message: str, start: int, empty: bool) -> None:
        marked = self.block.search(message)
        passage = marked[2] if marked else message
        paragraphs = [" ".join(each.split()) for each in passage.split("\n\n")]
        found: list[str] = [one for each in paragraphs for one in self.sentence.findall(each) if len(one) > 15]
        self.sentences = found or [" ".join(paragraphs).strip() or SENTENCE]
        self.identifiers = list(dict.fromkeys(self.identifier.findall(message)))
        self.schema, self.turn, self.empty = schema, start, empty

    def compose(self) -> str:
        return json.dumps(self._value(self.schema), ensure_ascii=False)

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema that a reference, or the first of some choices, stands for."""
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                return self._resolve(schema[word][0])
        if "$ref" in schema:
            definitions = self.schema.get("$defs") or self.schema["definitions"]
            return self._resolve(definitions[schema["$ref"].rpartition("/")[2]])
        return schema

    def _value(self, schema: dict[str, Any], key: str = "", identifier: str = "") -> Any:
        schema = self._resolve(schema)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                children = schema.get("properties", {}).items()
                return {k: identifier if k == "id" and identifier else self._value(child, k) for k, child in children}
            case "array":
                return self._list(schema, key)
            case "boolean":
                return True
            case "integer" | "number":
                return schema.get("maximum", max(3, schema.get("minimum", 3)))
            case "null":
                return None
        return self._text(key)[: schema.get("maxLength")]

    def _list(self, schema: dict[str, Any], key: str) -> list[Any]:
        if self.empty:
            return []
        items = self._resolve(schema.get("items", {}))
        identifiers = self.identifiers if "id" in items.get("properties", {}) else []
        count = min(max(len(identifiers) or 3, schema.get("minItems", 0)), schema.get("maxItems", math.inf))
        values = []
        for identifier in (identifiers + [""] * count)[:count]:
            self.turn += 1
            values.append(self._value(items, key, identifier))
        return values

    def _text(self, key: str) -> str:
        """The sentence whose turn it is, or a question about some words of it."""
        round_number, place = divmod(self.turn, len(self.sentences))
        if "question" not in key:
            return self.sentences[place]
        words = self.sentences[place].rstrip(".!?").split()
        first = round_number % max(1, len(words) - 5)
        return f"What is said of {' '.join(words[first : first + 6])}?"


def text_of(message: dict[str, Any]) -> str:
    """The words of a message, whose content may come in parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def schema_of(example: Any) -> dict[str, Any]:
    """A schema that the example is an instance of."""
    if isinstance(example, dict):
        return {"type": "object", "properties": {key: schema_of(value) for key, value in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0] if example else "...")}
    return {"type": {str: "string", bool: "boolean", type(None): "null"}.get(type(example), "number")}


def wanted_schema(body: dict[str, Any], message: str) -> dict[str, Any] | None:
    """The schema that a request sends along, or that of the example in the last line of its message."""
    form = body.get("response_format") or {}
    schema = form.get("json_schema", {}).get("schema") or body.get("format")
    if isinstance(schema, dict):
        return schema
    line = message.rstrip().rpartition("\n")[2]
    with contextlib.suppress(ValueError):
        return schema_of(json.JSONDecoder().raw_decode(line[line.index("{") :])[0])
    return None


class Endpoint:
    """The server: what it was asked, what it counted, and how it behaves. Only chat requests are counted.

    `reply`, where it is set, gives the content of an answer to the body of its request.
    """

    reply: Callable[[dict[str, Any]], str] | None = None

    def __init__(self, *, port: int = 0, record: bool = True, **options: Any) -> None:
        self.behaviour = Behaviour(**options)
        self.port, self.record = port, record
        self.connections: set[Connection] = set()
        self.in_flight = 0
        self._thread: threading.Thread | None = None
        self.reset()

    def reset(self) -> None:
        """Forget what was asked and counted."""
        self.requests: list[Request] = []
        self.listings: list[Request] = []  # what asked for the models
        self.counters = Counters()
        # Bodies are known by their hashes, so that a long load does not fill the memory.
        self._attempts: Counter[int] = Counter()
        self._answered: set[int] = set()
        self._asked_again: set[int] = set()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def asked_again(self) -> int:
        """How many bodies were sent again after a good answer to them had gone out."""
        return len(self._asked_again)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on the port; after a stop, on the same one again."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=4096)
        self.port = listener.getsockname()[1]
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listener, started)), daemon=True)
        self._thread.start()
        started.wait()

    def stop(self) -> None:
        """Stop listening and cut all connections. What was recorded stays."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._thread = None

    async def _serve(self, listener: socket.socket, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: Connection(self), sock=listener)
        started.set()
        await self._stopping.wait()
        # Every other task is a connection being accepted; closing the server under it would leave its client hanging.
        self._loop.remove_reader(listener)
        while self.connections or len(asyncio.all_tasks()) > 1:
            for connection in self.connections:
                connection.transport.abort()
            await asyncio.sleep(0)
        server.close()

    def receive(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[Request, Answer]:
        """Take a request in and decide on its answer."""
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = None
        request = Request(path, headers, body if isinstance(body, dict) else {})
        if path in ("/stats", "/reset", "/config"):
            return request, self._steer(path, request.body)
        if self.record:
            (self.listings if path in LISTINGS else self.requests).append(request)
        if method == "POST" and path in CHAT_PATHS:
            self._count(request, hash(raw))
        if self.behaviour.page:
            return request, Answer("pages", PAGE)
        if self.behaviour.silent:
            return request, Answer("silent", delay=math.inf)
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if self.behaviour.keys and key not in self.behaviour.keys:
            return request, error(path, 401, f"Incorrect API key provided: {key}.", "invalid_api_key")
        if not isinstance(body, dict):
            return request, error(path, 400, "The body of your request is not a JSON object.")
        return request, self._listing(path) if request.key is None else self._chat(request, crc32(raw))

    def finish(self, request: Request, outcome: str) -> None:
        """Note how a request ended."""
        request.outcome = outcome
        if request.key is None:
            return
        self.in_flight -= 1
        setattr(self.counters, outcome, getattr(self.counters, outcome) + 1)
        if outcome in ("ok", "slow"):
            self._answered.add(request.key)

    def _count(self, request: Request, key: int) -> None:
        self._attempts[key] += 1
        request.key, request.attempt = key, self._attempts[key]
        self.counters.requests += 1
        if key in self._answered:
            self._asked_again.add(key)
        self.in_flight += 1
        self.counters.max_in_flight = max(self.counters.max_in_flight, self.in_flight)

    def _steer(self, path: str, options: dict[str, Any]) -> Answer:
        if path == "/stats":
            return Answer("ok", dataclasses.asdict(self.counters) | {"asked_again": self.asked_again()})
        if path == "/reset":
            self.reset()
            return Answer("ok", {})
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        try:
            self.behaviour = dataclasses.replace(self.behaviour, **options)
        except TypeError as fault:
            return error(path, 400, str(fault))
        return Answer("ok", dataclasses.asdict(self.behaviour))

    def _listing(self, path: str) -> Answer:
        names = self.behaviour.models or ("any",)
        if path == "/v1/models":
            models = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in names]
            return Answer("ok", {"object": "list", "data": models})
        if path == "/api/tags":
            return Answer("ok", {"models": [{"name": name, "model": name} for name in names]})
        return error(path, 404, f"There is nothing at {path}.")

    def _chat(self, request: Request, mark: int) -> Answer:
        behaviour, path, body = self.behaviour, request.path, request.body
        model = body.get("model")
        if behaviour.models and model not in behaviour.models:
            fault = f"model '{model}' not found" if path == "/api/chat" else f"The model `{model}` does not exist."
            return error(path, 404, fault, "model_not_found")
        for name in behaviour.refuses:
            if name in body:
                fault = f"Unsupported parameter: '{name}' is not supported with this model."
                return error(path, 400, fault, "unsupported_parameter", name)
        outcome = self._draw(request, mark)
        if outcome == "resets":
            answer = Answer(outcome, status=0)
        elif outcome == "rejected_429":
            answer = error(path, 429, "Rate limit reached.", "rate_limit_exceeded", outcome=outcome)
            answer.retry_after = behaviour.retry_after
            return answer  # without delay, as limiters do
        elif outcome == "errors_500":
            answer = error(path, 500, "The server had an error.", outcome=outcome)
        else:
            answer = Answer(outcome, self._completion(request, outcome, mark))
        answer.delay = behaviour.slow_seconds if outcome == "slow" else behaviour.latency
        return answer

    def _draw(self, request: Request, mark: int) -> str:
        """The outcome: a function of the seed and either the body and its attempt, or the number of the request."""
        subject = f"{mark}:{request.attempt}" if self.behaviour.fail_by_prompt else self.counters.requests
        share = random.Random(f"{self.behaviour.seed}:{subject}").random()
        for outcome, option in FAILURES.items():
            share -= getattr(self.behaviour, option)
            if share < 0:
                return outcome
        return "ok"

    def _content(self, body: dict[str, Any], mark: int) -> str:
        if self.reply is not None:
            return self.reply(body)
        asked = [text_of(message) for message in body.get("messages", ()) if message.get("role") == "user"]
        message = asked[-1] if asked else ""
        schema = wanted_schema(body, message)
        return SENTENCE if schema is None else Composer(schema, message, mark, self.behaviour.empty).compose()

    def _completion(self, request: Request, outcome: str, mark: int) -> dict[str, Any]:
        """A completion in the shape of the address that was asked."""
        body, behaviour = request.body, self.behaviour
        content = self._content(body, mark)
        if outcome == "malformed":
            whole = content if content.startswith("{") else json.dumps({"text": content})
            content = whole[: min(30, len(whole) // 2)]  # in the middle of the first item
        if behaviour.fence:
            content = f"```json\n{content}\n```\nTell me if you want more of these."
        if behaviour.think == "tag":
            content = f"<think>\n{THOUGHT}\n</think>\n\n{content}"
        if outcome == "truncated":
            content = content[: len(content) // 2]
        thought = THOUGHT if behaviour.think == "field" else ""
        asked = sum(len(text_of(message)) for message in body.get("messages", ())) // 4
        ollama = request.path == "/api/chat"
        told = (len(content) + len(thought)) // 4
        if outcome == "truncated":  # by the limit of the request, where it has one
            told = next((body[name] for name in ("max_tokens", "max_completion_tokens") if name in body), told)
        message = {"role": "assistant", "content": content}
        if thought:
            message["thinking" if ollama else "reasoning_content"] = thought
        reason = "length" if outcome == "truncated" else "stop"
        if ollama:
            counts = {"prompt_eval_count": asked, "eval_count": told}
            return {"model": body.get("model"), "message": message, "done": True, "done_reason": reason} | counts
        return {
            "id": f"chatcmpl-{mark:08x}",
            "object": "chat.completion",
            "created": 0,
            "model": body.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told},
        }


class Connection(asyncio.Protocol):
    """One client's connection: takes its requests one after the other and writes the answers when they are due."""

    transport: asyncio.Transport

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.buffer = b""
        self.under_way: tuple[Request, Answer] | None = None
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.endpoint.connections.add(self)
        self.endpoint.counters.connections += 1

    def connection_lost(self, _: Exception | None) -> None:
        self.endpoint.connections.discard(self)
        if self.timer is not None:
            self.timer.cancel()
        if self.under_way is not None:
            request, answer = self.under_way
            self.endpoint.finish(request, "silent" if answer.outcome == "silent" else "abandoned")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._proceed()

    def _proceed(self) -> None:
        """Take requests up until one has to wait."""
        while self.under_way is None and not self.transport.is_closing():
            try:
                message = read_message(self.buffer)
            except ValueError:
                self.transport.write(NOT_HTTP)
                self.transport.close()
                return
            if message is None:
                return
            method, path, headers, body, size = message
            self.buffer = self.buffer[size:]
            self.under_way = self.endpoint.receive(method, path, headers, body)
            delay = self.under_way[1].delay
            if delay == 0:
                self._respond()
            elif delay < math.inf:
                self.timer = asyncio.get_running_loop().call_later(delay, self._respond_late)

    def _respond_late(self) -> None:
        self._respond()
        self._proceed()

    def _respond(self) -> None:
        assert self.under_way is not None
        (request, answer), self.under_way = self.under_way, None
        # Counted before it goes out: a client that has its answer finds it counted.
        self.endpoint.finish(request, answer.outcome)
        if not answer.status:
            # Closing without lingering sends RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()
            return
        closing = request.headers.get("connection", "").lower() == "close"
        self.transport.write(answer.render(closing))
        if closing:
            self.transport.close()


def read_message(buffer: bytes) -> tuple[str, str, dict[str, str], bytes, int] | None:
    """Method, path, headers and body of the first request, and its size in bytes; None until all of it is there.

    Raises ValueError for what is no HTTP.
    """
    if buffer and not buffer[:1].isalpha():  # the beginning of TLS, as a rule
        raise ValueError
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    start = end + 4
    if "chunked" in headers.get("transfer-encoding", ""):
        chunked = read_chunks(buffer, start)
        return chunked and (method, path.partition("?")[0], headers, *chunked)
    size = start + int(headers.get("content-length", 0))
    return (method, path.partition("?")[0], headers, buffer[start:size], size) if len(buffer) >= size else None


def read_chunks(buffer: bytes, at: int) -> tuple[bytes, int] | None:
    """A chunked body and where it ends; None until all of it is there. Clients send no trailers after it."""
    body = b""
    while (end := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:end].partition(b";")[0], 16)
        at = end + 2 + size + 2
        if len(buffer) < at:
            return None
        if not size:
            return body, at
        body += buffer[end + 2 : at - 2]
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.endpoint", description="A chat-completions server for tests."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    for option in dataclasses.fields(Behaviour):
        kind: dict[str, Any] = {"type": type(option.default)}
        if isinstance(option.default, bool):
            kind = {"action": "store_true"}
        elif isinstance(option.default, tuple):
            kind = {"nargs": "*"}
        parser.add_argument(f"--{option.name.replace('_', '-')}", default=option.default, **kind)
    with contextlib.suppress(KeyboardInterrupt), Endpoint(record=False, **vars(parser.parse_args())) as endpoint:
        print(endpoint.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
