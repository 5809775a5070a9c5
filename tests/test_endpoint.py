"""The server that other tests ask behaves as they say: shapes, failures, going down and coming back."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from endpoint import Endpoint

PASSAGE = (
    "The tower is 3.5 metres higher than the church. The bell was cast in 1710. Ada rings it at noon. "
    "The rope was renewed by the town in May."
)
SHAPE = 'Reply with JSON only: {"pairs": [{"question": "...", "answer": "..."}], "checked": false, "marks": 1}'
LIST_OF_TEXTS = {"type": "array", "items": {"type": "string"}}


def fetch(
    address: str, body: Any = None, timeout: float = 10, **headers: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Status, parsed body (or its text, where it is not JSON) and headers."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=timeout) as reply:  # noqa: S310
            status, text, found = reply.status, reply.read().decode(), reply.headers
    except urllib.error.HTTPError as refused:
        status, text, found = refused.code, refused.read().decode(), refused.headers
    return status, json.loads(text) if found.get_content_type() == "application/json" else text, found


def chat(words: str = "Tell me.", **fields: Any) -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": words}], **fields}


def ask(endpoint: Endpoint, words: str = "Tell me.", **fields: Any) -> tuple[int, Any]:
    return fetch(f"{endpoint.url}/chat/completions", chat(words, **fields))[:2]


def content(endpoint: Endpoint, words: str = "Tell me.", **fields: Any) -> str:
    status, reply = ask(endpoint, words, **fields)
    assert status == 200, reply
    return reply["choices"][0]["message"]["content"]


def instance(endpoint: Endpoint, schema: dict[str, Any], words: str = PASSAGE) -> Any:
    form = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
    return json.loads(content(endpoint, words, response_format=form))


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_an_answer_has_the_shape_of_the_address_that_was_asked() -> None:
    with Endpoint() as endpoint:
        status, openai = ask(endpoint)
        _, ollama, _ = fetch(f"{endpoint.root}/api/chat", chat())
        choice = openai["choices"][0]
        assert (status, choice["finish_reason"], openai["usage"]["prompt_tokens"]) == (200, "stop", 2)
        assert ollama["message"] == choice["message"] == {"role": "assistant", "content": choice["message"]["content"]}
        assert (ollama["done"], ollama["done_reason"], ollama["prompt_eval_count"]) == (True, "stop", 2)
        assert openai["usage"]["completion_tokens"] == ollama["eval_count"] == len(ollama["message"]["content"]) // 4


def test_a_request_is_recorded_with_its_headers_body_and_outcome() -> None:
    with Endpoint() as endpoint:
        fetch(f"{endpoint.url}/chat/completions", chat(seed=7), Authorization="Bearer mine")
        (request,) = endpoint.requests
        assert (request.path, request.outcome, request.body) == ("/v1/chat/completions", "ok", chat(seed=7))
        assert request.headers["authorization"] == "Bearer mine"
        endpoint.record = False
        ask(endpoint)
        assert (len(endpoint.requests), endpoint.counters.requests) == (1, 2)


@pytest.mark.parametrize(
    ("option", "status", "counter"),
    [("p429", 429, "rejected_429"), ("p500", 500, "errors_500"), ("p_malformed", 200, "malformed")],
)
def test_each_failure_comes_as_ordered_and_is_counted(option: str, status: int, counter: str) -> None:
    with Endpoint(**{option: 1.0}, retry_after=0.5) as endpoint:
        found, reply, headers = fetch(f"{endpoint.url}/chat/completions", chat(SHAPE))
        assert (found, endpoint.requests[0].outcome, getattr(endpoint.counters, counter)) == (status, counter, 1)
        assert headers["retry-after"] == ("0.5" if status == 429 else None)
        if status == 200:
            with pytest.raises(json.JSONDecodeError):
                json.loads(reply["choices"][0]["message"]["content"])


def test_an_answer_can_be_cut_late_or_never_come() -> None:
    with Endpoint(p_truncated=1.0) as endpoint:
        assert ask(endpoint)[1]["choices"][0]["finish_reason"] == "length"
        endpoint.behaviour.p_truncated, endpoint.behaviour.p_slow, endpoint.behaviour.slow_seconds = 0.0, 1.0, 0.2
        before = time.monotonic()
        content(endpoint)
        assert time.monotonic() - before >= 0.2
        endpoint.behaviour.p_slow, endpoint.behaviour.p_reset = 0.0, 1.0
        with pytest.raises(ConnectionResetError):
            ask(endpoint)
        endpoint.behaviour.silent = True
        with pytest.raises(TimeoutError):
            fetch(f"{endpoint.url}/models", timeout=0.1)
        counters = endpoint.counters
        assert (counters.truncated, counters.slow, counters.resets, counters.requests) == (1, 1, 1, 3)
        assert [request.outcome for request in endpoint.requests[:3]] == ["truncated", "slow", "resets"]


def test_failures_by_prompt_are_the_same_in_every_order() -> None:
    def outcomes(numbers: list[int], **options: Any) -> dict[int, list[str]]:
        with Endpoint(p500=0.5, fail_by_prompt=True, **options) as endpoint:
            for number in numbers * 2:
                ask(endpoint, f"Number {number}")
            return {n: [r.outcome for r in endpoint.requests if r.body == chat(f"Number {n}")] for n in numbers}

    first = outcomes([*range(12)])
    assert {outcome for pair in first.values() for outcome in pair} == {"ok", "errors_500"}
    assert outcomes([*reversed(range(12))]) == first
    assert outcomes([*range(12)], seed=1) != first


def test_keys_models_and_parameters_are_refused_as_openai_refuses_them() -> None:
    with Endpoint(keys=("right",), models=("small", "large"), refuses=("seed",)) as endpoint:
        address, right = f"{endpoint.url}/chat/completions", {"Authorization": "Bearer right"}
        status, reply, _ = fetch(address, chat(), Authorization="Bearer wrong-key")
        assert (status, reply["error"]["code"], "wrong-key" in reply["error"]["message"]) == (
            401,
            "invalid_api_key",
            True,
        )
        assert fetch(f"{endpoint.url}/models")[0] == 401
        status, reply, _ = fetch(address, chat(), **right)
        assert (status, reply["error"]["code"]) == (404, "model_not_found")
        status, reply, _ = fetch(f"{endpoint.root}/api/chat", chat(), **right)
        assert (status, reply) == (404, {"error": "model 'any' not found"})
        status, reply, _ = fetch(address, chat(model="small", seed=1), **right)
        assert (status, reply["error"]) == (
            400,
            {
                "message": "Unsupported parameter: 'seed' is not supported with this model.",
                "type": "invalid_request_error",
                "param": "seed",
                "code": "unsupported_parameter",
            },
        )
        assert fetch(address, chat(model="small"), **right)[0] == 200
        assert [model["id"] for model in fetch(f"{endpoint.url}/models", **right)[1]["data"]] == ["small", "large"]
        tags = fetch(f"{endpoint.root}/api/tags", **right)[1]["models"]
        assert tags == [{"name": "small", "model": "small"}, {"name": "large", "model": "large"}]
        assert (endpoint.counters.requests, endpoint.counters.refused, endpoint.counters.ok) == (5, 4, 1)


def test_a_page_thoughts_and_fences_stand_where_servers_put_them() -> None:
    with Endpoint(fence=True, think="tag") as endpoint:
        assert content(endpoint, SHAPE).startswith("<think>")
        fenced = content(endpoint, SHAPE).partition("```json\n")[2].partition("\n```\n")
        assert json.loads(fenced[0])["pairs"]
        assert fenced[2]
        endpoint.behaviour.think, endpoint.behaviour.fence = "field", False
        message = ask(endpoint, SHAPE)[1]["choices"][0]["message"]
        assert json.loads(message["content"])
        assert message["reasoning_content"] == fetch(f"{endpoint.root}/api/chat", chat())[1]["message"]["thinking"]
        endpoint.behaviour.page = True
        status, reply = ask(endpoint)
        assert (status, reply[:15]) == (200, "<!doctype html>")


def test_an_instance_keeps_to_the_bounds_and_kinds_of_its_schema() -> None:
    schema = an_object(
        three=LIST_OF_TEXTS,
        five={**LIST_OF_TEXTS, "minItems": 5},
        two={**LIST_OF_TEXTS, "maxItems": 2},
        verdict={"enum": ["YES", "NO"]},
        grade={"type": "integer", "maximum": 2},
        count={"type": ["integer", "null"]},
        sure={"type": "boolean"},
        nested={"$ref": "#/$defs/Nested"},
    ) | {"$defs": {"Nested": an_object(question={"anyOf": [{"type": "string"}, {"type": "null"}]})}}
    with Endpoint() as endpoint:
        made = instance(endpoint, schema)
        assert [len(made[key]) for key in ("three", "five", "two")] == [3, 5, 2]
        assert [made[key] for key in ("verdict", "grade", "count", "sure")] == ["YES", 2, 3, True]
        assert made["nested"]["question"].endswith("?")
        assert len(set(made["three"])) == 3
        assert all(text in PASSAGE for text in made["three"])
        assert instance(endpoint, schema) == made
        ollama = fetch(f"{endpoint.root}/api/chat", chat(PASSAGE, format=schema))[1]
        assert json.loads(ollama["message"]["content"]).keys() == made.keys()
        endpoint.behaviour.empty = True
        assert instance(endpoint, schema)["five"] == []


def test_items_with_an_id_answer_the_ids_of_the_message() -> None:
    verdict = an_object(id={"type": "string"}, grounded={"type": "boolean"}, explanation={"type": "string"})
    schema = an_object(judgements={"type": "array", "items": verdict})
    listed, shape = json.dumps([{"id": "a1"}, {"id": "b2"}]), json.dumps({"verdicts": [{"id": "..."}]})
    words = f"<passage>\n{PASSAGE}\n</passage>\n\nCheck these: {listed}\n\nReply with {shape}"
    with Endpoint() as endpoint:
        made = instance(endpoint, schema, words)["judgements"]
        assert [one["id"] for one in made] == ["a1", "b2"]
        assert all(one["explanation"] in PASSAGE for one in made)
        assert json.loads(content(endpoint, words)) == {"verdicts": [{"id": "a1"}, {"id": "b2"}]}


def test_a_shape_in_the_last_line_is_followed_and_a_reply_of_ones_own_goes_first() -> None:
    with Endpoint() as endpoint:
        made = json.loads(content(endpoint, f"{PASSAGE}\n\n{SHAPE}"))
        assert (made["checked"], made["marks"], len(made["pairs"])) == (True, 3, 3)
        assert {pair["question"][-1] for pair in made["pairs"]} == {"?"}
        assert all(pair["answer"] in PASSAGE for pair in made["pairs"])
        assert len({pair["answer"] for pair in made["pairs"]}) == 3
        endpoint.reply = lambda body: body["messages"][-1]["content"].upper()
        assert content(endpoint, "echo") == "ECHO"


def test_a_server_that_went_down_comes_back_on_its_port_and_others_are_untouched() -> None:
    with Endpoint() as endpoint, Endpoint() as other:
        kept = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
        for _ in range(2):
            kept.request("GET", "/v1/models")
            kept.getresponse().read()
        assert endpoint.counters.connections == 1
        address = endpoint.url
        endpoint.stop()
        assert kept.sock.recv(1) == b""
        kept.close()
        with pytest.raises(urllib.error.URLError, match="refused"):
            ask(endpoint)
        assert other.port != endpoint.port
        assert content(other)
        endpoint.start()
        assert endpoint.url == address
        assert content(endpoint)
        assert (endpoint.counters.requests, other.counters.requests) == (1, 1)


def test_what_was_left_asked_again_or_asked_at_once_is_counted() -> None:
    with Endpoint(latency=0.5) as endpoint:
        askers = [threading.Thread(target=ask, args=(endpoint, f"Number {number}")) for number in range(4)]
        for asker in askers:
            asker.start()
        impatient = http.client.HTTPConnection("127.0.0.1", endpoint.port)
        impatient.request("POST", "/v1/chat/completions", json.dumps(chat("Number 9")))
        while endpoint.counters.requests < 5:
            time.sleep(0.01)
        impatient.close()
        for asker in askers:
            asker.join()
        counters = endpoint.counters
        assert (counters.max_in_flight, counters.abandoned, counters.ok, endpoint.asked_again()) == (5, 1, 4, 0)
        endpoint.behaviour.latency = 0.0
        for number in (1, 1, 9):
            ask(endpoint, f"Number {number}")
        assert endpoint.asked_again() == 1


def test_a_body_may_come_in_chunks_and_in_pieces() -> None:
    words = "Wörter " * 50_000
    with Endpoint() as endpoint:
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
        body = json.dumps(chat(words), ensure_ascii=False).encode()
        pieces = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]
        connection.request("POST", "/v1/chat/completions", iter(pieces), encode_chunked=True)
        assert connection.getresponse().read()
        connection.request("POST", "/v1/chat/completions", body)
        assert connection.getresponse().read()
        assert [request.body for request in endpoint.requests] == [chat(words)] * 2
        connection.close()


def test_what_is_no_http_is_told_so_at_once() -> None:
    with Endpoint() as endpoint, socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as line:
        line.sendall(b"\x16\x03\x01\x02\x00")
        assert line.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_a_process_of_its_own_says_where_it_is_and_is_steered_from_outside() -> None:
    command = [sys.executable, "-m", "tests.endpoint", "--p429", "1", "--models", "small", "any"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            base = url.removesuffix("/v1")
            assert fetch(f"{url}/chat/completions", chat())[0] == 429
            assert fetch(f"{base}/config", {"p429": 0, "models": ["any"], "retry_after": None})[1]["models"] == ["any"]
            assert fetch(f"{base}/config", {"nonsense": 1})[0] == 400
            assert fetch(f"{url}/chat/completions", chat())[0] == 200
            stats = fetch(f"{base}/stats")[1]
            assert (stats["requests"], stats["rejected_429"], stats["ok"], stats["asked_again"]) == (2, 1, 1, 0)
            fetch(f"{base}/reset", {})
            assert fetch(f"{base}/stats")[1]["requests"] == 0
        finally:
            process.terminate()
