"""The client of an endpoint, on the wire: what every option becomes there, what each reply and each refusal means.

And asking one from ordinary code, from a notebook, and while somebody interrupts.
"""

import asyncio
import base64
import contextlib
import gzip
import json
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import hypothesis
import pytest
from endpoint import PAGE, THOUGHT, Answer, Endpoint, Request
from hypothesis import given
from hypothesis import strategies as st

from ai_tools import teachers, workspace
from ai_tools.errors import SettingsError, TeacherRefused
from ai_tools.records import Call, CallFault, Completion, Passage, Sample, Teacher
from ai_tools.settings import Settings, load_settings
from ai_tools.steps import generation
from ai_tools.steps.generation import load_recipe
from ai_tools.sync import run_sync
from ai_tools.teachers import replies
from ai_tools.teachers.journal import Entry, Journal
from ai_tools.teachers.throttle import CallFailed

PASSAGE = Passage(
    "c1", "d1", "The bell rings at noon. Ada rings it 3 times.", "Bells", "the bell book", "bells", ("Ringing",)
)
KEY = "sk-marked-0123456789"


@dataclass
class Scripted(Answer):
    """An answer with headers of its own."""

    headers: dict[str, str] = field(default_factory=dict)

    def render(self, closing: bool) -> bytes:
        first, rest = super().render(closing).split(b"\r\n", 1)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return first + b"\r\n" + lines.encode() + rest


class Script(Endpoint):
    """Answers a chat request with what `answer` makes of it; None leaves it to the endpoint."""

    answer: Callable[[Request], Answer | None] = staticmethod(lambda _: None)

    def _chat(self, request: Request, mark: int) -> Answer:
        return self.answer(request) or super()._chat(request, mark)

    def says(self, status: int, content: Any, **headers: str) -> None:
        """From now on."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        outcome = "ok" if status == 200 else "refused"
        self.answer = lambda _: Scripted(outcome, content, status, headers=named)


@pytest.fixture
def endpoint() -> Iterator[Script]:
    with Script() as endpoint:
        yield endpoint


Configure = Callable[..., Settings]


@pytest.fixture
def configure(toy_root: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Script) -> Configure:
    """Settings as the environment has them: some compatible endpoint, if nothing else is said."""

    def load(**variables: str) -> Settings:
        chosen = {"PROVIDER": "openai-compatible", "TEACHER_MODEL_NAME": "any", "NUMBER_OF_SUMMARIES": "1"}
        address = {} if variables.get("PROVIDER") == "ollama" else {"TEACHER_MODEL_BASE_URL": endpoint.url}
        for name, value in (chosen | address | variables).items():
            monkeypatch.setenv(name, value)
        return load_settings(output_dir=toy_root / "out")

    return load


def make(settings: Settings, recipe: str = "document_based_qa") -> list[Sample]:
    """One dataset of one passage, made as step 03 makes it."""
    judge, instructions = teachers.connect_judge(settings), settings.customisation_prompt
    wanted = {"draws": settings.summaries, "questions_per_call": settings.questions_per_chunk}
    wanted |= {"reasoning": settings.enable_reasoning}
    with Journal(workspace.journal_path(settings.output)) as journal:
        asker = teachers.make_asker(settings, journal, judge=judge, instructions=instructions)
        return generation.generate([PASSAGE], load_recipe(recipe, **wanted), asker=asker).samples


def kind_of(body: dict[str, Any]) -> str:
    """What a request asks for: pairs, judgements, …"""
    schema = body["format"] if "format" in body else body["response_format"]["json_schema"]["schema"]
    return next(iter(schema["properties"]))


def asked_for(endpoint: Endpoint, kind: str) -> list[dict[str, Any]]:
    return [request.body for request in endpoint.requests if kind_of(request.body) == kind]


async def answer(teacher: Teacher, call: Call) -> Completion:
    """The answer, asked for again at once where the endpoint does not take a parameter."""
    while True:
        try:
            return await teacher.complete(call)
        except CallFault as fault:
            if fault.kind != "adapted":
                raise


def ask(teacher: Teacher, *calls: Call) -> list[Completion]:
    """Make an attempt at each call, one after the other."""

    async def work() -> list[Completion]:
        try:
            return [await adapting(teacher, call) for call in calls]
        finally:
            await teacher.close()

    return asyncio.run(work())


def ask_in_time(settings: Settings, call: Call) -> Any:
    """One call as a run makes it, for whom the throttle watches the clock."""
    with Journal(workspace.journal_path(settings.output)) as journal:
        return teachers.make_asker(settings, journal).ask(call)


async def adapting(teacher: Teacher, call: Call) -> Completion:
    """An attempt, and another one for each parameter that turns out to be one too many."""
    while True:
        try:
            return await teacher.complete(call)
        except CallFault as fault:
            if fault.kind != "adapted":
                raise


# --- the factory ---


@pytest.mark.usefixtures("toy_root")
def test_the_offline_teacher_is_the_default_and_another_provider_needs_only_settings(configure: Configure) -> None:
    assert teachers.connect(Settings(provider="offline")).model.startswith("rules-")
    teacher = teachers.connect(configure())
    assert (teacher.provider, teacher.model) == ("openai-compatible", "any")
    assert teachers.connect_judge(configure()).model == "any"
    with pytest.raises(SettingsError, match=r"PROVIDER=opneai: no such provider; there are offline, openai"):
        teachers.connect(configure(PROVIDER="opneai"))


# --- every option, on the wire ---


@pytest.mark.parametrize(
    ("variable", "value", "name", "arrives"),
    [
        ("TEACHER_MODEL_NAME", "small", "model", "small"),
        ("TEACHER_TEMPERATURE", "0", "temperature", 0),
        ("TEACHER_TEMPERATURE", "1.5", "temperature", 1.5),
        ("TEACHER_MAX_TOKENS", "777", "max_tokens", 777),
        ("TEACHER_TOP_P", "0.25", "top_p", 0.25),
    ],
)
def test_a_sampling_option_arrives_as_it_was_set(
    variable: str, value: str, name: str, arrives: Any, endpoint: Script, configure: Configure
) -> None:
    make(configure(**{variable: value}))
    for body in asked_for(endpoint, "pairs"):
        assert body[name] == arrives
    assert asked_for(endpoint, "pairs")


def test_what_is_not_set_is_not_sent(endpoint: Script, configure: Configure) -> None:
    make(configure())
    sent = {"model", "messages", "temperature", "max_tokens", "seed", "response_format"}
    assert [set(request.body) for request in endpoint.requests] == [sent, sent]
    assert [body["temperature"] for body in asked_for(endpoint, "pairs")] == [0.7]
    assert [body["temperature"] for body in asked_for(endpoint, "judgements")] == [0]
    assert {request.path for request in endpoint.requests} == {"/v1/chat/completions"}


def test_openai_is_asked_for_its_length_by_the_name_that_it_knows(endpoint: Script, configure: Configure) -> None:
    make(configure(PROVIDER="openai", TEACHER_MODEL_API_KEY=KEY, TEACHER_MAX_TOKENS="55"))
    for request in endpoint.requests:
        assert request.body["max_completion_tokens"] == 55
        assert "max_tokens" not in request.body


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
def test_a_provider_without_seed_or_schema_is_not_asked_for_one(
    provider: str, endpoint: Script, configure: Configure
) -> None:
    make(configure(PROVIDER=provider, TEACHER_MODEL_API_KEY=KEY))
    for request in endpoint.requests:
        assert "seed" not in request.body
        assert ("response_format" in request.body) == (provider == "gemini")


def test_every_call_sends_the_seed_of_its_key_and_another_seed_sends_others(
    endpoint: Script, configure: Configure
) -> None:
    settings = configure(NUMBER_OF_SUMMARIES="4")
    make(settings)
    with Journal(workspace.journal_path(settings.output)) as journal:
        keys = [row["key"] for row in journal.rows()]
    seeds = {request.body["seed"] for request in endpoint.requests}
    assert seeds == {int(key[:8], 16) & 0x7FFFFFFF for key in keys}
    assert len(seeds) == 5
    make(configure(NUMBER_OF_SUMMARIES="4", SEED="1"))
    assert len({request.body["seed"] for request in endpoint.requests}) == 10


def test_a_strict_schema_goes_with_every_call_and_its_shape_is_in_the_prompt_too(
    endpoint: Script, configure: Configure
) -> None:
    make(configure(QUESTIONS_PER_CHUNK="7"))
    (body,) = asked_for(endpoint, "pairs")
    item = {"question": {"type": "string"}, "answer": {"type": "string"}}
    pair = {"type": "object", "properties": item, "required": [*item], "additionalProperties": False}
    pairs = {"type": "array", "items": pair, "maxItems": 7}
    schema = {"type": "object", "properties": {"pairs": pairs}, "required": ["pairs"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "pairs", "strict": True, "schema": schema}}
    assert body["response_format"] == form
    assert body["messages"][-1]["content"].endswith('{"pairs": [{"question": "...", "answer": "..."}]}')
    assert "Write up to 7 pairs" in body["messages"][-1]["content"]


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_a_customisation_prompt_is_in_the_instructions_of_every_generation_prompt_and_never_the_judges(
    recipe: str, endpoint: Script, configure: Configure
) -> None:
    wish = "Ask about bells {as} a ringer would."
    make(configure(CUSTOMISATION_PROMPT=wish), recipe)
    judged = asked_for(endpoint, "judgements")
    made = [request.body for request in endpoint.requests if request.body not in judged]
    assert made
    assert judged
    assert all(body["messages"][0]["role"] == "system" for body in made)
    assert all(body["messages"][0]["content"].endswith(wish) for body in made)
    assert not any(wish in json.dumps(body) for body in judged)


@pytest.mark.parametrize("recipe", workspace.DATASETS)
def test_reasoning_is_asked_for_in_the_shape_and_the_schema_where_it_is_wanted(
    recipe: str, endpoint: Script, configure: Configure
) -> None:
    def pair_of(body: dict[str, Any]) -> list[str]:
        schema = body["response_format"]["json_schema"]["schema"]
        return [*schema["properties"]["pairs"]["items"]["properties"]]

    make(configure(), recipe)
    plain = asked_for(endpoint, "pairs")
    endpoint.reset()
    samples = make(configure(ENABLE_REASONING="true"), recipe)
    reasoned = asked_for(endpoint, "pairs")
    assert not any("reasoning" in pair_of(body) for body in plain)
    assert not any("reasoning" in body["messages"][-1]["content"] for body in plain)
    assert all("reasoning" in pair_of(body) for body in reasoned)
    assert all('"reasoning": "..."' in body["messages"][-1]["content"] for body in reasoned)
    assert all(sample.reasoning and sample.type == "cot" for sample in samples)


def test_the_number_of_summaries_is_the_number_of_texts_that_are_asked_about(
    endpoint: Script, configure: Configure
) -> None:
    make(configure(NUMBER_OF_SUMMARIES="7"), "detailed_summary")
    assert len(asked_for(endpoint, "summaries")) == 2, "five at a time"
    assert len(asked_for(endpoint, "pairs")) == 7


OLLAMA = {
    "OLLAMA_TOP_K": "7",
    "OLLAMA_TOP_P": "0.5",
    "OLLAMA_REPEAT_PENALTY": "1.3",
    "OLLAMA_NUM_PREDICT": "99",
    "OLLAMA_NUM_CTX": "2048",
    "OLLAMA_STOP": "END,###",
}


@pytest.mark.parametrize(
    ("variables", "arrive"),
    [
        ({}, {"temperature": 0.7, "num_predict": 4096, "num_ctx": 8192}),
        (
            {"TEACHER_TEMPERATURE": "0", "TEACHER_MAX_TOKENS": "55", "TEACHER_TOP_P": "0.9"},
            {"temperature": 0, "num_predict": 55, "num_ctx": 8192, "top_p": 0.9},
        ),
        (
            OLLAMA | {"TEACHER_MAX_TOKENS": "55", "TEACHER_TOP_P": "0.9"},
            {"temperature": 0.7, "top_k": 7, "top_p": 0.5, "repeat_penalty": 1.3, "num_predict": 99, "num_ctx": 2048}
            | {"stop": ["END", "###"]},
        ),
        ({"OLLAMA_NUM_PREDICT": "-1", "OLLAMA_TOP_K": "0", "OLLAMA_TOP_P": "0"},
            {"temperature": 0.7, "top_k": 0, "top_p": 0, "num_predict": -1, "num_ctx": 8192}),
    ],
    ids=["defaults", "teacher", "ollama", "zeros"],
)  # fmt: skip
def test_ollama_is_asked_in_its_own_way_with_every_option_of_its_own(
    variables: dict[str, str], arrive: dict[str, Any], endpoint: Script, configure: Configure
) -> None:
    make(configure(PROVIDER="ollama", OLLAMA_BASE_URL=endpoint.root, **variables))
    (body,) = asked_for(endpoint, "pairs")
    seed = body["options"].pop("seed")
    assert 0 <= seed < 2**31
    assert body.pop("options") == arrive
    assert body.pop("format")["properties"].keys() == {"pairs"}
    assert [message["role"] for message in body.pop("messages")] == ["system", "user"]
    assert body == {"model": "any", "stream": False, "truncate": False}
    assert {request.path for request in endpoint.requests} == {"/api/chat"}


def test_options_of_ollama_go_to_nobody_else(endpoint: Script, configure: Configure) -> None:
    make(configure(**OLLAMA))
    names = {"top_k", "top_p", "repeat_penalty", "num_predict", "num_ctx", "stop", "options"}
    assert not any(names & set(request.body) for request in endpoint.requests)


def test_an_address_of_ollama_may_end_in_v1(endpoint: Script, configure: Configure) -> None:
    make(configure(PROVIDER="local", OLLAMA_BASE_URL=endpoint.url, TEACHER_MODEL_BASE_URL=""))
    assert {request.path for request in endpoint.requests} == {"/api/chat"}


# --- keys, judges and what else the environment holds ---


def test_a_key_goes_in_the_authorization_header_and_without_one_there_is_no_such_header(
    endpoint: Script, configure: Configure
) -> None:
    make(configure())
    assert not any("authorization" in request.headers for request in endpoint.requests)
    endpoint.reset()
    make(configure(TEACHER_MODEL_API_KEY=KEY, SEED="1"))
    assert {request.headers["authorization"] for request in endpoint.requests} == {f"Bearer {KEY}"}


def test_a_judge_at_another_address_gets_the_judgements_with_its_own_key_and_nothing_else(
    endpoint: Script, configure: Configure
) -> None:
    with Endpoint(keys=("sk-judge",)) as judge:
        endpoint.behaviour.keys = (KEY,)
        judging = {"JUDGE_BASE_URL": judge.url, "JUDGE_MODEL_NAME": "large", "JUDGE_API_KEY": "sk-judge"}
        samples = make(configure(TEACHER_MODEL_API_KEY=KEY, **judging))
        assert all(sample.faithfulness_judgment == "YES" for sample in samples)
        assert [kind_of(request.body) for request in endpoint.requests] == ["pairs"]
        assert [kind_of(request.body) for request in judge.requests] == ["judgements"]
        assert (endpoint.requests[0].body["model"], judge.requests[0].body["model"]) == ("any", "large")
        assert KEY not in str(judge.requests[0].headers)
        assert "sk-judge" not in str(endpoint.requests[0].headers)


def test_a_judge_at_another_address_without_a_key_gets_none(endpoint: Script, configure: Configure) -> None:
    with Endpoint() as judge:
        make(configure(TEACHER_MODEL_API_KEY=KEY, JUDGE_BASE_URL=judge.url, JUDGE_MODEL_NAME="large"))
        assert [KEY in str(request.headers) for request in judge.requests] == [False]
        assert "authorization" not in judge.requests[0].headers


def test_a_judge_that_is_another_model_of_the_same_endpoint_is_asked_there(
    endpoint: Script, configure: Configure
) -> None:
    make(configure(TEACHER_MODEL_API_KEY=KEY, JUDGE_MODEL_NAME="large", JUDGE_API_KEY="sk-judge"))
    asked = {kind_of(request.body): request.body["model"] for request in endpoint.requests}
    assert asked == {"pairs": "any", "judgements": "large"}
    assert {request.headers["authorization"] for request in endpoint.requests} == {f"Bearer {KEY}"}


def test_a_judge_that_refuses_its_key_is_mended_by_the_judges_own_settings(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    with Endpoint(keys=("right",), models=("small",)) as judge:
        settings = configure(JUDGE_BASE_URL=judge.url, JUDGE_MODEL_NAME="large", JUDGE_API_KEY="wrong")
        with pytest.raises(TeacherRefused, match="JUDGE_API_KEY"):
            ask(teachers.connect_judge(settings), make_call())
        with pytest.raises(TeacherRefused, match="JUDGE_MODEL_NAME"):
            ask(teachers.connect_judge(configure(JUDGE_API_KEY="right")), make_call())


MARKED = ("X-Marked", "X-Stainless-Lang", "Authorization", "User-Agent", "Accept", "Content-Type", "Cookie")


@pytest.mark.parametrize("provider", ["openai", "openai-compatible", "ollama"])
def test_what_other_programs_read_from_the_environment_reaches_nobody(
    provider: str, endpoint: Script, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password swordfish\n")
    netrc.chmod(0o600)
    has_key = provider == "openai"
    with Endpoint() as other:
        for name, value in {
            "TEACHER_MODEL_API_KEY": KEY if has_key else "",
            "OPENAI_API_KEY": "sk-of-another-marked",
            "OPENAI_ADMIN_KEY": "sk-admin-marked",
            "OPENAI_ORG_ID": "org-marked",
            "OPENAI_PROJECT_ID": "proj-marked",
            "OPENAI_WEBHOOK_SECRET": "whsec_marked",
            "OPENAI_CUSTOM_HEADERS": "\n".join(f"{name}: marked" for name in MARKED),
            "OPENAI_BASE_URL": other.url,
            "NETRC": str(netrc),
        }.items():
            monkeypatch.setenv(name, value)
        settings = configure(PROVIDER=provider, OLLAMA_BASE_URL=endpoint.root)
        make(settings)
        (found,) = teachers.check(settings, [provider])
        assert found.models == ("any",)
        assert other.requests == []
    plain = {"host", "connection", "accept", "accept-encoding", "user-agent", "content-type", "content-length"}
    for request in (*endpoint.requests, *endpoint.listings):
        assert set(request.headers) <= plain | {"authorization"}
        assert request.headers.get("authorization") == (f"Bearer {KEY}" if has_key else None)
        assert "marked" not in str(request.headers).replace(KEY, "")
        assert "swordfish" not in str(request.headers)
    assert [request.headers.get("content-type") for request in endpoint.requests] == ["application/json"] * 2
    assert {request.headers.get("content-type") for request in endpoint.listings} == {None}


class Proxy(Endpoint):
    """Is asked for whole addresses, and answers in the place of whoever is there."""

    def reset(self) -> None:
        super().reset()
        self.asked: list[str] = []

    def receive(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[Request, Answer]:
        self.asked.append(path)
        return super().receive(method, urlsplit(path).path, headers, raw)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Proxy() as proxy:
        yield proxy


def test_a_proxy_is_used_and_an_address_that_needs_none_is_asked_directly(
    endpoint: Script, configure: Configure, monkeypatch: pytest.MonkeyPatch, proxy: Proxy
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.root)
    make(configure())
    assert proxy.asked == [f"{endpoint.url}/models", *[f"{endpoint.url}/chat/completions"] * 2]
    assert endpoint.requests == endpoint.listings == []
    monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
    make(configure(SEED="1"))
    assert (len(proxy.asked), len(endpoint.requests)) == (3, 2)


@pytest.mark.parametrize("password", ["ada:swordfish", ""])
def test_a_proxy_is_told_its_own_password_and_never_the_key_as_one(
    password: str, configure: Configure, monkeypatch: pytest.MonkeyPatch, proxy: Proxy
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{password}{'@' if password else ''}127.0.0.1:{proxy.port}")
    make(configure(TEACHER_MODEL_API_KEY=KEY))
    told = f"Basic {base64.b64encode(password.encode()).decode()}" if password else None
    assert [request.headers.get("proxy-authorization") for request in proxy.requests] == [told] * 2
    assert {request.headers["authorization"] for request in proxy.requests} == {f"Bearer {KEY}"}, "for the endpoint"


def test_a_proxy_that_will_not_pass_a_call_on_is_told_from_the_endpoint_and_sees_no_key(
    configure: Configure, make_call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch, proxy: Proxy
) -> None:
    monkeypatch.setenv("https_proxy", proxy.root)
    there = {"TEACHER_MODEL_BASE_URL": "https://bells.example/v1", "TEACHER_MODEL_API_KEY": KEY}
    with pytest.raises(CallFault, match=r"^bells\.example.*: the proxy answers 404 \(") as refused:
        ask(teachers.connect(configure(**there)), make_call())
    assert proxy.requests[0].headers["host"].startswith("bells.example")
    assert KEY not in str(proxy.requests[0].headers)
    port = closed_port()
    monkeypatch.setenv("https_proxy", f"http://ada:swordfish@127.0.0.1:{port}")
    gone = rf"^bells\.example through the proxy 127\.0\.0\.1:{port} \(https_proxy\): the proxy is not reached"
    with pytest.raises(CallFault, match=gone + r" \(Connection refused\)$") as unreached:
        ask(teachers.connect(configure(**there)), make_call())
    assert [caught.value.kind for caught in (refused, unreached)] == ["connection", "connection"]


def test_a_redirect_is_not_followed(endpoint: Script, configure: Configure, make_call: Callable[..., Call]) -> None:
    with Endpoint() as other:
        endpoint.says(302, "", location=f"{other.url}/chat/completions")
        with pytest.raises(TeacherRefused, match=rf"302:  \(it points to {other.url}/chat.*set .*MODEL_BASE_URL"):
            ask(teachers.connect(configure(TEACHER_MODEL_API_KEY=KEY)), make_call())
        assert other.requests == []


# --- parameters that an endpoint refuses ---


@pytest.mark.parametrize("name", ["response_format", "seed", "temperature", "top_p"])
def test_a_parameter_that_is_refused_by_name_is_left_out_said_once_and_remembered(
    name: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.refuses = (name,)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ask(teachers.connect(configure()), make_call("k1".rjust(16, "0"), top_p=0.5), make_call(top_p=0.5))
    assert [name in request.body for request in endpoint.requests] == [True, False, False]
    assert [str(warning.message) for warning in said] == [
        f"127.0.0.1:{endpoint.port} refuses {name}; asked without it from now on"
    ]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (400, {"error": {"message": "Unknown name `seed`: Cannot find field.", "param": None}}),
        (400, [{"error": {"code": 400, "message": 'Invalid JSON payload: unknown name "seed".', "status": "INVALID"}}]),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are forbidden"}]}),
        (400, {"error": "seed is not supported"}),
        (400, b"the field 'seed' is unknown here"),
    ],
    ids=["openai", "google", "fastapi", "bare", "text"],
)
def test_a_refusal_is_understood_in_the_shape_of_every_server(
    status: int, content: Any, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.answer = lambda request: Answer("refused", content, status) if "seed" in request.body else None
    with pytest.warns(UserWarning, match="refuses seed"):
        assert len(ask(teachers.connect(configure()), make_call(), make_call())) == 2
    assert ["seed" in request.body for request in endpoint.requests] == [True, False, False]


def test_several_refusals_are_learned_one_by_one_and_calls_side_by_side_say_each_once(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.refuses = ("seed", "temperature", "response_format")
    endpoint.behaviour.latency = 0.02
    teacher = teachers.connect(configure())

    async def together() -> list[Completion]:
        try:
            return await asyncio.gather(*(adapting(teacher, make_call(f"{n:016x}")) for n in range(6)))
        finally:
            await teacher.close()

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert len(asyncio.run(together())) == 6
    assert sorted(str(warning.message).split()[2] for warning in said) == ["response_format;", "seed;", "temperature;"]
    assert endpoint.counters.requests <= 4 * 6, "each call meets each refusal once at most"


def test_the_old_name_of_the_length_is_replaced_where_the_endpoint_says_so(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    refusal = {"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}
    endpoint.answer = lambda request: Answer("refused", refusal, 400) if "max_tokens" in request.body else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(teachers.connect(configure()), make_call(), make_call(max_tokens=200))
    sent = [
        (request.body.get("max_tokens"), request.body.get("max_completion_tokens")) for request in endpoint.requests
    ]
    assert sent == [(100, None), (None, 100), (None, 200)]


@pytest.mark.parametrize("name", ["model", "messages"])
def test_what_no_call_can_do_without_is_not_left_out(
    name: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(400, {"error": {"message": f"Invalid '{name}'.", "param": name}})
    with pytest.raises(CallFault, match=f"answers 400: Invalid '{name}'") as caught:
        ask(teachers.connect(configure()), make_call())
    assert (caught.value.kind, len(endpoint.requests)) == ("refused", 1)


SCHEMA_REFUSALS = [
    "Invalid schema for response_format 'pairs': In context=(), 'minItems' is not permitted.",
    "json_schema is not supported by this backend",
    "Unable to submit request because the grammar could not be compiled",
    "This model does not support the response format `json_schema`, see the supported models",
    "Structured outputs are not there for this model; no tokens were counted",
    "Bad Request",
]


@pytest.mark.parametrize("takes", ["plain", "none"])
@pytest.mark.parametrize("words", SCHEMA_REFUSALS)
def test_a_schema_that_is_refused_in_any_words_is_cut_down_and_then_left_out(
    words: str, takes: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    def answer(request: Request) -> Answer | None:
        shown = request.body.get("response_format")
        refused = shown is not None and (takes == "none" or "additionalProperties" in json.dumps(shown))
        return Answer("refused", {"error": {"message": words}}, 400) if refused else None

    endpoint.answer = answer
    teacher, calls = teachers.connect(configure()), [make_call(key=f"{n:016x}", fields={"count": 2}) for n in (1, 2)]
    with pytest.warns(UserWarning, match="refuses .*schema"):
        completions = ask(teacher, *calls)
    assert all(one.text for one in completions)
    assert len(endpoint.requests) == {"plain": 3, "none": 4}[takes], "the second call does not try again"


def test_a_schema_that_is_cut_down_has_neither_bounds_nor_numbers_listed_and_still_the_ids(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    def answer(request: Request) -> Answer | None:
        refused = "minItems" in json.dumps(request.body)
        return Answer("refused", {"error": {"message": "invalid schema"}}, 400) if refused else None

    endpoint.answer = answer
    call = make_call(reply="ratings", fields={"pairs": [{"id": "p1"}, {"id": "p2"}]})
    with pytest.warns(UserWarning, match="refuses the bounds"):
        ask(teachers.connect(configure()), call)
    sent = json.dumps(endpoint.requests[-1].body["response_format"])
    assert '"clarity": {"type": "number"}' in sent
    assert '"id": {"type": "string", "enum": ["p1", "p2"]}' in sent
    assert "maxItems" not in sent


@pytest.mark.parametrize("words", ["This model's maximum context length is 512 tokens", "model any does not exist"])
def test_a_refusal_of_the_call_is_not_taken_for_one_of_the_schema(
    words: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(400, {"error": {"message": words}})
    with pytest.raises(CallFault, match="answers 400"):
        ask(teachers.connect(configure()), make_call())
    assert len(endpoint.requests) == 1


def test_a_refusal_that_stays_is_no_reason_to_ask_others_without_a_schema(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(400, {"error": {"message": "no"}})
    teacher = teachers.connect(configure())
    with pytest.raises(CallFault, match="answers 400: no"):
        ask(teacher, make_call())
    endpoint.answer = lambda _: None
    ask(teacher, make_call())
    assert "response_format" in endpoint.requests[-1].body


def test_a_reply_that_a_gateway_could_not_fit_to_the_schema_is_asked_for_again(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(400, {"error": {"message": "Failed to generate JSON", "code": "json_validate_failed"}})
    with pytest.raises(CallFault) as caught:
        ask(teachers.connect(configure()), make_call())
    assert (caught.value.kind, len(endpoint.requests)) == ("server", 1)


def test_a_model_without_a_system_role_is_told_all_in_the_first_turn(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    def answer(request: Request) -> Answer | None:
        roles = [message["role"] for message in request.body["messages"]]
        said = {"error": {"message": "System role not supported"}}
        return Answer("refused", said, 400) if "system" in roles else None

    endpoint.answer = answer
    told = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Ask."})
    ask(teachers.connect(configure()), make_call(messages=told))
    assert [request.body["messages"] for request in endpoint.requests] == [
        list(told), [{"role": "user", "content": "Be brief.\n\nAsk."}],
    ]  # fmt: skip


# --- replies ---


def completion_of(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "any-2", "choices": [{"message": message, "finish_reason": "stop"}]} | more


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (completion_of({"content": "Yes."}), {"text": "Yes.", "model": "any-2", "finish_reason": "stop"}),
        (completion_of({"content": "Yes."}), {"prompt_tokens": 1, "completion_tokens": 1}),  # reckoned, where not told
        (
            completion_of({"content": "Yes."}, usage={"prompt_tokens": 9, "completion_tokens": 2}),
            {"prompt_tokens": 9, "completion_tokens": 2},
        ),
        (completion_of({"content": "Yes."}, usage=None), {"text": "Yes.", "completion_tokens": 1}),
        (
            completion_of({"content": [{"type": "text", "text": "Ye"}, {"type": "text", "text": "s."}]}),
            {"text": "Yes."},
        ),
        (completion_of({"content": "Yes.", "reasoning_content": "Hm."}), {"text": "Yes.", "reasoning": "Hm."}),
        (completion_of({"content": "Yes.", "reasoning": "Hm."}), {"text": "Yes.", "reasoning": "Hm."}),
        (completion_of({"content": None}), {"text": "", "finish_reason": "stop"}),
        (
            completion_of({"content": None, "refusal": "I cannot."}),
            {"text": "I cannot.", "finish_reason": "content_filter"},
        ),
        (
            {"choices": [{"message": {"content": "Ye"}, "finish_reason": "length"}]},
            {"text": "Ye", "finish_reason": "length", "model": ""},
        ),
        (
            {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
            {"text": "", "finish_reason": "content_filter"},
        ),
    ],
)
def test_a_reply_is_read_in_the_shapes_that_servers_give_it(
    reply: Any, expected: dict[str, Any], endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(200, reply)
    (completion,) = ask(teachers.connect(configure()), make_call())
    assert {name: getattr(completion, name) for name in expected} == expected
    assert completion.latency > 0


def test_replies_and_refusals_may_come_compressed(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    teacher = teachers.connect(configure())
    endpoint.says(200, gzip.compress(json.dumps(completion_of({"content": "Yes."})).encode()), content_encoding="gzip")
    assert ask(teacher, make_call())[0].text == "Yes."
    endpoint.says(500, gzip.compress(b'{"error": "no luck"}'), content_encoding="gzip")
    with pytest.raises(CallFault, match="answers 500: no luck"):
        ask(teacher, make_call())
    endpoint.says(200, b"not compressed at all", content_encoding="gzip")
    with pytest.raises(CallFault) as caught:
        ask(teacher, make_call())
    assert caught.value.kind == "reset"


@pytest.mark.parametrize("think", ["tag", "field"])
@pytest.mark.parametrize("provider", ["openai-compatible", "ollama"])
def test_thoughts_and_fences_are_taken_off_and_the_thoughts_kept_apart(
    think: str, provider: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.think, endpoint.behaviour.fence = think, True
    call = make_call(fields={"count": 2})
    settings = configure(PROVIDER=provider, OLLAMA_BASE_URL=endpoint.root)
    (completion,) = ask(teachers.connect(settings), call)
    reply = replies.parse(call, completion)
    assert len(reply.pairs) == 2
    assert reply.thinking == THOUGHT


@pytest.mark.parametrize(
    "content",
    [
        PAGE,
        {"models": ["any"]},
        [],
        b"",
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_that_is_no_completion_is_told_from_one_and_quoted(
    content: Any, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(200, content)
    with pytest.raises(CallFault) as caught:
        ask(teachers.connect(configure()), make_call())
    assert caught.value.kind == "foreign"
    message = str(caught.value)
    assert message.startswith(f"{endpoint.url} answers, but not as a chat endpoint: ")
    assert message.endswith("; set TEACHER_MODEL_BASE_URL to the endpoint (as a rule it ends in /v1)")
    if content is PAGE:
        assert "'Welcome It works!'" in message


WITHOUT_WORDS = [None, [], {}, "Yes.", [None], ["Yes."], [{}], *([{"message": one}] for one in (None, [], "Yes.", {}))]


@pytest.mark.parametrize("choices", WITHOUT_WORDS)
def test_a_completion_without_words_is_one_empty_reply_even_where_it_comes_first(
    choices: Any, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(200, {"choices": choices})
    (completion,) = ask(teachers.connect(configure()), make_call())
    with pytest.raises(replies.BadReply, match="an empty reply"):
        replies.parse(make_call(), completion)


def test_an_error_that_is_reported_as_a_success_is_a_failure_of_the_server(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(200, {"error": {"message": "no capacity"}})
    with pytest.raises(CallFault, match="answers 200, with an error: no capacity") as caught:
        ask(teachers.connect(configure()), make_call())
    assert caught.value.kind == "server"


@pytest.mark.parametrize(
    ("message", "usage", "text", "tokens"),
    [
        ({"content": {"pairs": []}}, {}, '{"pairs": []}', None),
        ({"content": 7}, {}, "7", None),
        ({"content": "{}"}, {"prompt_tokens": "12", "completion_tokens": -3}, "{}", None),
        ({"content": "{}"}, {"prompt_tokens": 10**30, "completion_tokens": 5}, "{}", 5),
    ],
)
def test_odd_contents_and_counts_neither_crash_nor_count_backwards(
    endpoint: Script,
    configure: Configure,
    make_call: Callable[..., Call],
    message: dict[str, Any],
    usage: dict[str, Any],
    text: str,
    tokens: int | None,
) -> None:
    endpoint.says(200, {"choices": [{"message": message}], "usage": usage})
    (found,) = ask(teachers.connect(configure()), make_call())
    assert found.text == text
    assert 0 < found.prompt_tokens < 1000, "an estimate, where the endpoint says nothing that can be"
    assert found.completion_tokens == (len(text) // 4 if tokens is None else tokens)


def test_a_refusal_of_the_number_of_tokens_leaves_the_limit_in_place(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    words = "'max_tokens' or 'max_completion_tokens' is too large: 4096. The context length is 2048."
    endpoint.says(400, {"error": {"message": words, "param": "max_tokens"}})
    teacher = teachers.connect(configure())
    for _ in range(2):
        with pytest.raises(CallFault, match=r"too large.*; see TEACHER_MAX_TOKENS") as caught:
            ask(teacher, make_call())
        assert caught.value.kind == "refused"
    assert all(request.body["max_tokens"] == 100 for request in endpoint.requests)


# --- refusals and failures ---


def soon(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


SAID = {"error": {"message": "So it is.", "code": "some_code"}}
QUOTA = {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}}
WHERE = "set TEACHER_MODEL_NAME to a model that it has, or TEACHER_MODEL_BASE_URL"


@pytest.mark.parametrize(
    ("status", "content", "fix"),
    [
        (401, SAID, "The key is refused; set TEACHER_MODEL_API_KEY"),
        (403, SAID, "The key is refused; set TEACHER_MODEL_API_KEY"),
        (402, SAID, "The account has no credit left"),
        (429, QUOTA, "The account has no credit left"),
        (404, SAID, WHERE),
        (405, SAID, WHERE),
        (301, SAID, WHERE),
        (308, SAID, WHERE),
    ],
)
def test_what_every_further_call_would_meet_stops_at_once_with_the_fix(
    status: int, content: Any, fix: str, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(status, content)
    with pytest.raises(TeacherRefused) as caught:
        ask(teachers.connect(configure(PROVIDER="openai", TEACHER_MODEL_API_KEY=KEY)), make_call())
    message = str(caught.value)
    assert message.startswith(f"127.0.0.1:{endpoint.port} answers {status}: {content['error']['message']}")
    assert fix in message
    assert "\n" not in message
    if fix == WHERE:
        assert f"(model any at {endpoint.url})" in message


def test_a_key_that_is_withheld_is_named_with_the_reason_where_one_is_missing(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.keys = ("right",)
    with pytest.raises(
        TeacherRefused, match=r"The key is missing; OPENAI_API_KEY is for https://api.* set TEACHER_MODEL_API_KEY to"
    ):
        ask(teachers.connect(configure(OPENAI_API_KEY="another")), make_call())


def test_a_key_that_is_missing_is_told_from_one_that_is_refused(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.keys = ("right",)
    with pytest.raises(TeacherRefused, match=r"The key is missing; set TEACHER_MODEL_API_KEY$"):
        ask(teachers.connect(configure()), make_call())


@pytest.mark.parametrize(
    ("status", "headers", "kind", "least", "most"),
    [
        (400, {}, "refused", None, None),
        (413, {}, "refused", None, None),
        (422, {}, "refused", None, None),
        (429, {}, "overload", None, None),
        (429, {"retry_after": "7"}, "overload", 7, 7),
        (429, {"retry_after": "1.5"}, "overload", 1.5, 1.5),
        (429, {"retry_after_ms": "250", "retry_after": "9"}, "overload", 0.25, 0.25),
        (429, {"retry_after": "20 s ahead"}, "overload", 10, 20),
        (429, {"retry_after": "20 s ago"}, "overload", 0, 0),
        (429, {"retry_after": "in a while"}, "overload", None, None),
        (503, {"retry_after": "3"}, "overload", 3, 3),
        (529, {}, "overload", None, None),
        (500, {}, "server", None, None),
        (502, {"retry_after": "2"}, "server", 2, 2),
        (504, {}, "server", None, None),
        (408, {}, "server", None, None),
    ],
)
def test_a_failure_says_what_to_do_about_it_and_when(
    status: int, headers: dict[str, str], kind: str, least: float | None, most: float | None,
    endpoint: Script, configure: Configure, make_call: Callable[..., Call],
) -> None:  # fmt: skip
    if status == 529:  # a status that has no name in the standard
        endpoint.answer = lambda _: Unnamed("refused", SAID)
    else:
        dates = {"20 s ahead": soon(20), "20 s ago": soon(-20)}
        endpoint.says(status, SAID, **{name: dates.get(value, value) for name, value in headers.items()})
    with pytest.raises(CallFault) as caught:
        ask(teachers.connect(configure()), make_call())
    fault = caught.value
    assert (fault.kind, str(fault)) == (kind, f"127.0.0.1:{endpoint.port} answers {status}: So it is.")
    if least is None or most is None:
        assert fault.retry_after is None
    else:
        assert fault.retry_after is not None
        assert least <= fault.retry_after <= most
    assert len(endpoint.requests) == (3 if status in (400, 422) else 1)  # which may be a refusal of the schema


class Unnamed(Answer):
    def render(self, closing: bool) -> bytes:
        return super().render(closing).replace(b"200 OK", b"529 Overloaded", 1)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_silence_a_reset_and_a_closed_port_are_told_apart(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.silent = True
    with pytest.raises(CallFailed, match=r"no reply within 0\.3 s, 1 in flight, 2 times"):
        ask_in_time(configure(REQUEST_TIMEOUT="0.3"), make_call())
    endpoint.behaviour.silent, endpoint.behaviour.p_reset = False, 1.0
    with pytest.raises(CallFault, match="it hung up") as reset:
        ask(teachers.connect(configure()), make_call())
    nobody = f"http://127.0.0.1:{closed_port()}/v1"
    with pytest.raises(CallFault, match=r"not reached \(Connection refused\)") as closed:
        ask(teachers.connect(configure(TEACHER_MODEL_BASE_URL=nobody)), make_call())
    assert [caught.value.kind for caught in (reset, closed)] == ["reset", "connection"]
    assert urlsplit(nobody).netloc in str(closed.value)


def test_a_name_that_nobody_has_and_a_port_without_encryption_are_told_apart_too(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    with pytest.raises(CallFault, match=r"^bells\.invalid: no such host as bells\.invalid \([^\[]+\)$") as nobody:
        ask(teachers.connect(configure(TEACHER_MODEL_BASE_URL="http://bells.invalid/v1")), make_call())
    secure = endpoint.url.replace("http:", "https:")
    with pytest.raises(CallFault, match=r"no secure connection \(.*SSL") as plain:
        ask(teachers.connect(configure(TEACHER_MODEL_BASE_URL=secure)), make_call())
    assert [caught.value.kind for caught in (nobody, plain)] == ["connection", "connection"]


class Unfinished(Answer):
    """Stops before its end, and stays."""

    def render(self, closing: bool) -> bytes:
        return super().render(closing)[:-9]


def test_a_reply_that_begins_and_never_ends_is_waited_for_no_longer_than_one_that_never_comes(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.answer = lambda _: Unfinished("ok", completion_of({"content": "Yes."}))
    with pytest.raises(CallFailed, match=r"no reply within 0\.3 s"):
        ask_in_time(configure(REQUEST_TIMEOUT="0.3"), make_call())


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"])
def test_an_answer_that_breaks_off_or_is_no_http_is_a_connection_that_was_hung_up(
    answer: bytes, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    class Broken(Answer):
        def render(self, closing: bool) -> bytes:
            asyncio.get_running_loop().call_soon(next(iter(endpoint.connections)).transport.close)
            return answer

    endpoint.answer = lambda _: Broken("ok")
    with pytest.raises(CallFault, match="it hung up") as caught:
        ask(teachers.connect(configure()), make_call())
    assert caught.value.kind == "reset"


ECHO = f"{KEY} is no key of ours"


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
def test_an_endpoint_that_repeats_the_key_does_not_get_it_into_a_message(
    status: int, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(status, {"error": {"message": ECHO}})
    with pytest.raises((CallFault, TeacherRefused)) as caught:
        ask(teachers.connect(configure(TEACHER_MODEL_API_KEY=KEY)), make_call())
    assert "is no key of ours" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (401, {"error": {"message": "x" * 290 + ECHO}}),
        (401, b"x" * 110 + ECHO.encode()),
        (200, b"x" * 110 + ECHO.encode()),
    ],
)
def test_not_even_the_beginning_of_a_key_stands_where_a_long_message_is_cut(
    status: int, content: Any, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(status, content)
    with pytest.raises((CallFault, TeacherRefused), match="xxxx") as caught:
        ask(teachers.connect(configure(TEACHER_MODEL_API_KEY=KEY)), make_call())
    assert KEY[:5] not in str(caught.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:99999/v1", "http://bells..example/v1"])
def test_an_address_that_can_be_none_is_one_clear_line(
    address: str, configure: Configure, make_call: Callable[..., Call]
) -> None:
    with pytest.raises(TeacherRefused, match=f"{address}.*set TEACHER_MODEL_BASE_URL"):
        ask(teachers.connect(configure(TEACHER_MODEL_BASE_URL=address)), make_call())


def test_ollama_says_that_it_has_no_such_model(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.models = ("gemma4",)
    teacher = teachers.connect(configure(PROVIDER="ollama", OLLAMA_BASE_URL=endpoint.root))
    with pytest.raises(TeacherRefused, match=r"answers 404: model 'any' not found \(model any at .*TEACHER_MODEL_NAME"):
        ask(teacher, make_call())
    endpoint.says(500, {"error": "llama runner process has terminated"})
    with pytest.raises(CallFault, match="answers 500: llama runner process has terminated") as caught:
        ask(teacher, make_call())
    assert caught.value.kind == "server"


def test_a_reply_of_ollama_is_read_with_its_counts_its_end_and_its_thoughts(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    message = {"role": "assistant", "content": "Ye", "thinking": "Hm."}
    counts = {"prompt_eval_count": 9, "eval_count": 2}
    endpoint.says(200, {"model": "gemma4:1b", "message": message, "done_reason": "length"} | counts)
    (found,) = ask(teachers.connect(configure(PROVIDER="ollama", OLLAMA_BASE_URL=endpoint.root)), make_call())
    assert (found.text, found.reasoning, found.model, found.finish_reason) == ("Ye", "Hm.", "gemma4:1b", "length")
    assert (found.prompt_tokens, found.completion_tokens) == (9, 2)


def test_one_client_serves_one_event_loop_after_another_and_keeps_its_connections(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    teacher = teachers.connect(configure())
    ask(teacher, *[make_call()] * 5)
    assert endpoint.counters.connections == 1
    ask(teacher, make_call())
    assert (endpoint.counters.connections, endpoint.counters.ok) == (2, 6)


def test_as_many_calls_are_on_their_way_as_are_asked_for(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.behaviour.latency = 0.5
    teacher = teachers.connect(configure())

    async def together() -> None:
        await asyncio.gather(*(teacher.complete(make_call(f"{n:016x}")) for n in range(150)))
        await teacher.close()

    asyncio.run(together())
    assert endpoint.counters.max_in_flight == 150


# --- asking from ordinary code and from notebooks ---


async def _answer() -> int:
    await asyncio.sleep(0)
    return 7


def test_async_work_runs_from_ordinary_code_and_from_inside_a_running_loop() -> None:
    async def cell() -> int:
        return run_sync(_answer())

    assert run_sync(_answer()) == 7
    assert asyncio.run(cell()) == 7


def test_an_error_of_the_work_comes_through() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async def cell() -> None:
        run_sync(fail())

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(cell())


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A test runner in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
def test_an_interrupted_cell_stops_the_work_at_once() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("cancelled")

    async def cell() -> None:
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        run_sync(long())

    before = time.monotonic()
    loop = asyncio.new_event_loop()  # as in a notebook; asyncio.run has a way of its own with Ctrl-C
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    loop.close()
    assert ended == ["cancelled"]
    assert time.monotonic() - before < 20


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_reply_over_the_most_that_may_be_read_ends_that_call_alone(
    packed: bool, endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    settings = configure(MAX_REPLY_MB="0.5")
    whole = json.dumps(completion_of({"content": " " * 40 * 2**20 if packed else "x" * 2**20})).encode()
    content = gzip.compress(whole) if packed else whole
    endpoint.says(200, content, **({"content_encoding": "gzip"} if packed else {}))
    with pytest.raises(CallFault, match=r"a reply of more than MAX_REPLY_MB=0\.5") as caught:
        ask(teachers.connect(settings), make_call())
    assert caught.value.kind == "refused"
    endpoint.says(200, gzip.compress(json.dumps(completion_of({"content": "{}"})).encode()), content_encoding="gzip")
    assert ask(teachers.connect(settings), make_call())[0].text == "{}"


def test_a_key_that_an_endpoint_spells_in_escapes_or_in_its_reply_is_taken_out(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    teacher = teachers.connect(configure(TEACHER_MODEL_API_KEY=KEY))
    spelled = "".join(f"\\u{ord(sign):04x}" for sign in KEY)
    endpoint.says(
        200,
        json.dumps(completion_of({"content": "your key is @", "reasoning": "@"}) | {"model": "@"})
        .replace("@", spelled)
        .encode(),
    )
    (completion,) = ask(teacher, make_call())
    assert (completion.text, completion.model, completion.reasoning) == ("your key is ...", "...", "...")
    endpoint.says(400, json.dumps({"error": {"message": "no such key @"}}).replace("@", spelled).encode())
    with pytest.raises(CallFault) as caught:
        ask(teacher, make_call())
    assert KEY not in str(caught.value)


def test_a_key_that_is_spelled_in_escapes_within_a_reply_is_in_nothing_that_is_read_of_it(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    key = "sk-marked/0123456789+k"
    ways = ["".join(f"\\u{ord(sign):04X}" for sign in key), key.replace("/", "\\/"), key]
    pairs = [
        f'{{"question": "Which is number {n}?", "answer": "It is {way}, so it is."}}' for n, way in enumerate(ways)
    ]
    endpoint.says(200, completion_of({"content": f'{{"pairs": [{", ".join(pairs)}]}}'}))
    call = make_call(fields={"count": 3})
    (completion,) = ask(teachers.connect(configure(TEACHER_MODEL_API_KEY=key)), call)
    assert [pair.answer for pair in replies.parse(call, completion).pairs] == ["It is ..., so it is."] * 3


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


PARTS_OF_A_MESSAGE = ("content", "refusal", "reasoning", "reasoning_content", "finish_reason", "model", "usage")


def test_whatever_json_an_endpoint_answers_its_completion_can_be_written_down(
    configure: Configure, make_call: Callable[..., Call], tmp_path: Path
) -> None:
    teacher, call = teachers.connect(configure()), make_call()

    @hypothesis.settings(deadline=None, max_examples=300)
    @given(values=st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS_OF_A_MESSAGE, ANY_JSON)))
    def check(values: dict[str, Any]) -> None:
        outer = {name: values.pop(name) for name in ("model", "usage") if name in values}
        choice = {"finish_reason": values.pop("finish_reason", None), "message": values}
        response = httpx2.Response(200, content=json.dumps({"choices": [choice]} | outer).encode())
        completion = teacher._read(response)
        journal.put([(teacher, call, Entry(completion))])
        known = journal.get(call.key)
        assert known is not None
        assert known.completion.text == completion.text
        with contextlib.suppress(replies.BadReply):
            replies.parse(call, completion)

    with Journal(tmp_path / "journal.sqlite") as journal:
        check()


def test_a_400_nested_beyond_reading_is_one_clear_line(
    endpoint: Script, configure: Configure, make_call: Callable[..., Call]
) -> None:
    endpoint.says(400, b"[" * 100_000)
    with pytest.raises(CallFault, match="answers 400") as caught:
        ask(teachers.connect(configure()), make_call())
    assert len(str(caught.value)) < 300
