"""The table of providers: names, what is missing, whose key goes where, prices, and what is really there."""

import socket
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from endpoint import Answer, Endpoint, Request

from ai_tools import machine, teachers
from ai_tools.errors import SettingsError
from ai_tools.settings import Settings, load_settings
from ai_tools.teachers import providers
from ai_tools.teachers.connect import Check, teacher_of

KEY = "sk-marked-0123456789"
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1"
PROXY = "https://proxy.example/v1"


@pytest.fixture(autouse=True)
def alone(toy_root: Path) -> None:
    """No setting comes from the environment, no `.env` from this folder."""


def settings_of(provider: str, **values: Any) -> Settings:
    return Settings(provider=provider, **values)


# --- names, and what is missing ---


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        *((name, name) for name in ("offline", "openai", "anthropic", "gemini", "ollama", "vllm", "openai-compatible")),
        ("claude", "anthropic"),
        ("google", "gemini"),
        ("local", "ollama"),
        ("hosted_vllm", "vllm"),
        (" Claude ", "anthropic"),
    ],
)
def test_every_provider_is_found_by_its_names(name: str, provider: str) -> None:
    own = {"teacher_model_name": "any", "teacher_model_base_url": "http://127.0.0.1:1/v1", "teacher_model_api_key": KEY}
    assert providers.endpoint(settings_of(name, **own)).provider.name == provider


def test_an_unknown_provider_is_told_which_there_are() -> None:
    with pytest.raises(
        SettingsError, match=r"^PROVIDER=opneai: no such provider; there are offline, openai, anthropic"
    ):
        providers.endpoint(settings_of("opneai"))


@pytest.mark.parametrize(
    ("provider", "values", "message"),
    [
        ("openai", {}, "PROVIDER=openai: no key; set OPENAI_API_KEY or TEACHER_MODEL_API_KEY in the environment or in"),
        ("claude", {}, "PROVIDER=anthropic: no key; set ANTHROPIC_API_KEY or TEACHER_MODEL_API_KEY in the environment"),
        ("gemini", {}, "PROVIDER=gemini: no key; set GEMINI_API_KEY or TEACHER_MODEL_API_KEY in the environment or in"),
        ("openai", {"openai_api_key": "  "}, "PROVIDER=openai: no key; set OPENAI_API_KEY"),
        ("openai-compatible", {}, "PROVIDER=openai-compatible: set TEACHER_MODEL_BASE_URL to the endpoint's address"),
        ("vllm", {}, "PROVIDER=vllm: set TEACHER_MODEL_NAME; `ai-tools list-providers --check` lists the models that"),
        (
            "openai-compatible",
            {"teacher_model_base_url": "http://localhost:9/v1"},
            "PROVIDER=openai-compatible: set TEACHER_MODEL_NAME",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_variable_to_set(provider: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        providers.endpoint(settings_of(provider, **values))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"judge_base_url": "http://localhost:9/v1"}, "JUDGE_BASE_URL is set: set JUDGE_MODEL_NAME too"),
        ({"judge_model_name": "large"}, "JUDGE_MODEL_NAME is set and the teacher is offline: set JUDGE_BASE_URL too"),
    ],
)
def test_half_a_judge_is_told_what_it_lacks(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{message}$"):
        providers.judge_endpoint(settings_of("offline", **values))


def test_an_offline_teacher_and_a_judge_at_an_address_go_together() -> None:
    settings = settings_of("offline", judge_base_url="http://localhost:9/v1", judge_model_name="large")
    judge = providers.judge_endpoint(settings)
    assert (judge.base_url, judge.model, judge.key) == ("http://localhost:9/v1", "large", "")


def test_each_provider_has_its_own_model_address_and_concurrency_until_a_setting_says_otherwise() -> None:
    usual = providers.endpoint(settings_of("ollama"))
    assert (usual.model, usual.base_url, usual.concurrency) == ("gemma4", "http://localhost:11434", 4)
    own = {"teacher_model_name": "m", "teacher_model_base_url": "http://h:1/v1", "max_concurrency": 9}
    changed = providers.endpoint(settings_of("ollama", **own))
    assert (changed.model, changed.concurrency) == ("m", 9)
    assert changed.base_url.startswith("http://h:1")
    cloud = providers.endpoint(settings_of("openai", openai_api_key=KEY))
    assert (cloud.base_url, cloud.concurrency, cloud.own_host, changed.own_host) == (OPENAI, 64, True, False)


def test_ollamas_own_address_yields_to_the_one_of_the_teacher() -> None:
    both = {"ollama_base_url": "http://a:1", "teacher_model_base_url": "http://b:2"}
    assert providers.endpoint(settings_of("ollama", **both)).base_url == "http://b:2"
    assert providers.endpoint(settings_of("ollama", ollama_base_url="http://a:1/v1/")).base_url == "http://a:1"


def test_ollamas_address_may_end_in_v1_whichever_setting_has_it() -> None:
    settings = settings_of("ollama", teacher_model_base_url="http://a:1/v1")
    assert providers.endpoint(settings).base_url == "http://a:1"


# --- whose key goes where ---


@pytest.mark.parametrize(
    ("provider", "values", "key"),
    [
        ("openai", {"openai_api_key": "own"}, "own"),
        ("openai", {"openai_api_key": "own", "teacher_model_api_key": "chosen"}, "chosen"),
        ("claude", {"anthropic_api_key": "own", "openai_api_key": "other"}, "own"),
        ("gemini", {"gemini_api_key": "own", "openai_api_key": "other"}, "own"),
        ("vllm", {"teacher_model_name": "m", "openai_api_key": "other"}, ""),
        ("ollama", {"openai_api_key": "other", "anthropic_api_key": "other", "gemini_api_key": "other"}, ""),
        ("ollama", {"teacher_model_api_key": "chosen"}, "chosen"),
        ("openai", {"teacher_model_api_key": "chosen", "teacher_model_base_url": PROXY}, "chosen"),
        ("openai", {"openai_api_key": "own", "teacher_model_base_url": "https://API.OpenAI.com:443/v1/"}, "own"),
        ("openai-compatible", {"openai_api_key": "own", "teacher_model_base_url": OPENAI}, "own"),
        ("openai", {"openai_api_key": " own\n"}, "own"),
    ],
)
def test_a_providers_own_key_goes_to_it_and_the_teachers_key_to_whom_is_chosen(
    provider: str, values: dict[str, Any], key: str
) -> None:
    settings = settings_of(provider, **{"teacher_model_name": "m"} | values)
    assert providers.endpoint(settings).key == key


@pytest.mark.parametrize(
    ("provider", "values"),
    [
        ("anthropic", {"openai_api_key": KEY}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": ANTHROPIC}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": "https://API.Anthropic.com:443/v1/messages"}),
        ("anthropic", {"anthropic_api_key": KEY, "teacher_model_base_url": OPENAI}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": PROXY}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": "http://127.0.0.1:4000/v1"}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": "http://api.openai.com/v1"}),
        ("openai", {"openai_api_key": KEY, "teacher_model_base_url": "https://api.openai.com.example/v1"}),
    ],
)
def test_a_providers_own_key_goes_to_no_host_but_its_own_and_by_https_alone(
    provider: str, values: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError, match=f"PROVIDER={provider}: no key"):
        providers.endpoint(settings_of(provider, **values))


@pytest.mark.parametrize("key", ["sk-one two", "sk-one\ttwo", "sk\u2013dash", "schlüssel", "sk-\u200bhidden"])
@pytest.mark.parametrize("name", ["teacher_model_api_key", "openai_api_key"])
def test_a_key_that_was_copied_badly_is_refused_and_not_shown(name: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        providers.endpoint(settings_of("openai", **{name: key}))
    assert str(caught.value) == (f"{name.upper()}: a key has no spaces and no letters beyond ASCII; copy it again")


def test_a_key_is_not_printed_with_its_endpoint_its_settings_or_its_teacher() -> None:
    settings = settings_of("openai", teacher_model_api_key=KEY, openai_api_key=KEY, judge_api_key=KEY)
    endpoint = providers.endpoint(settings)
    shown = f"{endpoint} {endpoint!r} {settings} {settings!r} {teachers.connect(settings)!r}"
    assert endpoint.key == KEY
    assert KEY not in shown


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"openai_api_key": KEY, "teacher_model_base_url": PROXY},
            "OPENAI_API_KEY is for https://api.openai.com alone; "
            "set TEACHER_MODEL_API_KEY to use a key at https://proxy.example/v1",
        ),
        (
            {"gemini_api_key": KEY},
            "GEMINI_API_KEY is for https://generativelanguage.googleapis.com alone; "
            "set OPENAI_API_KEY or TEACHER_MODEL_API_KEY to use a key at https://api.openai.com/v1",
        ),
    ],
)
def test_where_a_key_is_withheld_the_message_names_it_its_host_and_the_key_to_set(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        providers.endpoint(settings_of("openai", **values))
    assert str(caught.value) == f"PROVIDER=openai: no key; {message}"


# --- who is asked where PROVIDER does not say it ---


def test_before_the_first_call_one_line_names_the_host_and_the_variable_and_what_is_not_sent_there() -> None:
    Path(".env").write_text("ENDPOINT=http://h.test:8000/v1\nMODEL_NAME=m\nAPI_KEY=k\n")
    with pytest.warns(UserWarning, match="ENDPOINT") as caught:
        teacher = teachers.connect(load_settings())
    assert [str(one.message) for one in caught] == [
        "ENDPOINT is set and PROVIDER is not: text goes to h.test:8000, provider openai-compatible"
    ]
    assert teacher.base_url == "http://h.test:8000/v1"
    Path(".env").write_text("OLLAMA_BASE_URL=http://o.test\nOPENAI_API_KEY=k\n")
    withheld = (
        r"OPENAI_API_KEY is for https://api\.openai\.com alone; set TEACHER_MODEL_API_KEY to use a key at http://o"
    )
    with pytest.warns(UserWarning, match=rf"^OLLAMA_BASE_URL is set and .*; {withheld}"):
        teachers.connect(load_settings())


@pytest.mark.parametrize(
    ("dotenv", "says"),
    [
        ("OPENAI_API_KEY=k", "OPENAI_API_KEY: not used, the teacher is offline; set PROVIDER=openai to use it"),
        ("GOOGLE_API_KEY=k", "GOOGLE_API_KEY: not used, the teacher is offline; set PROVIDER=gemini to use it"),
        (
            "API_KEY=k\nMODEL_NAME=m",
            "MODEL_NAME, API_KEY: not used, the teacher is offline; set PROVIDER, or TEACHER_MO",
        ),
    ],
)
def test_a_key_or_a_model_alone_is_said_not_to_be_used_and_how_it_would_be(dotenv: str, says: str) -> None:
    Path(".env").write_text(dotenv + "\n")
    with pytest.warns(UserWarning, match="not used") as caught:
        assert teachers.connect(load_settings()).provider == "offline"
    (one,) = caught
    assert str(one.message).startswith(says)


def test_whoever_names_a_provider_is_told_nothing() -> None:
    Path(".env").write_text("OPENAI_API_KEY=k\nPROVIDER=offline\nOLLAMA_BASE_URL=http://o.test\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        teachers.connect(load_settings())
        teachers.connect(load_settings(provider="openai"))


# --- prices ---


@pytest.mark.parametrize(
    ("provider", "model", "amounts"),
    [
        ("openai", "gpt-5", (1.25, 10.0)),
        ("openai", "gpt-5-2025-08-07", (1.25, 10.0)),
        ("openai", "gpt-5-mini", (0.25, 2.0)),
        ("openai", "gpt-5-mini-2025-08-07", (0.25, 2.0)),
        ("openai", "gpt-5.4", None),
        ("openai", "gpt-5-turbo", None),
        ("openai", "gpt-4.1-nano", None),
        ("openai", "gpt", None),
        ("openai", "", None),
        ("anthropic", "claude-haiku-4-5-20251001", (1.0, 5.0)),
        ("anthropic", "claude-haiku-4-5@20251001", (1.0, 5.0)),
        ("anthropic", "gpt-5", None),
        ("vllm", "gpt-5", None),
        ("openai-compatible", "any", None),
        ("offline", "rules-0", (0.0, 0.0)),
    ],
)
def test_a_price_is_known_for_a_model_and_its_dated_versions_alone(
    provider: str, model: str, amounts: tuple[float, float] | None
) -> None:
    found = providers.price(provider, model)
    assert (found and (found.tokens_in, found.tokens_out)) == amounts


def test_a_price_of_ones_own_wins_and_says_so_and_offline_stays_free() -> None:
    own = Settings(teacher_price="0.5,2").teacher_price
    for provider, model in [("openai", "gpt-5"), ("vllm", "any")]:
        found = providers.price(provider, model, own)
        assert found is not None
        assert (found.tokens_in, found.tokens_out, found.source) == (0.5, 2.0, "TEACHER_PRICE")
        assert found.of(1_000_000, 500_000) == 1.5
    free = providers.price("offline", "rules-0", own)
    assert free is not None
    assert free.of(1e9, 1e9) == 0
    listed = providers.price("openai", "gpt-5")
    assert listed is not None
    assert listed.source.startswith("as published, seen 20")


# --- what is really there ---


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def compatible(address: str, **values: Any) -> Settings:
    return settings_of("openai-compatible", teacher_model_base_url=address, **values)


def check_one(settings: Settings, name: str = "openai-compatible") -> Check:
    (found,) = teachers.check(settings, [name])
    assert found.endpoint.provider == providers.find(name)
    return found


def test_an_endpoint_that_answers_is_reachable_with_its_models_and_no_model_need_be_set(endpoint: Endpoint) -> None:
    endpoint.behaviour.models = ("small", "models/large")
    found = check_one(compatible(endpoint.url))
    assert (found.key, found.reachable, found.models) == ("not set, as a rule not needed", "yes", ("small", "large"))
    assert [request.path for request in endpoint.listings] == ["/v1/models"]
    assert endpoint.counters.requests == 0, "no call is paid for"


def test_a_key_is_said_to_be_set_refused_or_wanted(endpoint: Endpoint) -> None:
    endpoint.behaviour.keys = (KEY,)
    right = check_one(compatible(endpoint.url, teacher_model_api_key=KEY))
    wrong = check_one(compatible(endpoint.url, teacher_model_api_key="wrong"))
    none = check_one(compatible(endpoint.url))
    assert [(found.key, found.reachable) for found in (right, wrong, none)] == [
        ("set", "yes"),
        ("set", "yes, and the key is refused"),
        ("not set, as a rule not needed", "yes, and it wants a key; set TEACHER_MODEL_API_KEY"),
    ]
    assert KEY not in repr((right, wrong, none))


def test_a_key_that_cannot_be_one_is_unusable_and_nobody_is_asked(endpoint: Endpoint) -> None:
    found = check_one(compatible(endpoint.url, teacher_model_api_key="two words"))
    assert (found.key, found.reachable.startswith("not asked: TEACHER_MODEL_API_KEY: ")) == ("unusable", True)
    assert endpoint.listings == []


def test_a_cloud_provider_without_its_key_is_asked_all_the_same(endpoint: Endpoint) -> None:
    endpoint.behaviour.keys = (KEY,)
    settings = settings_of("openai", teacher_model_base_url=endpoint.url)
    found = check_one(settings, "openai")
    assert (found.key, found.reachable) == ("not set", "yes, and it wants a key; set TEACHER_MODEL_API_KEY")
    withheld = check_one(settings.with_(openai_api_key=KEY), "openai")
    assert "it wants a key; OPENAI_API_KEY is for https://api.openai.com alone; set TEACHER_M" in withheld.reachable


def test_a_check_sends_no_key_to_another_providers_host_either(endpoint: Endpoint) -> None:
    for address in (f"http://localhost:{endpoint.port}/v1", endpoint.url):
        found = check_one(settings_of("openai", openai_api_key=KEY, teacher_model_base_url=address), "openai")
        assert found.reachable == "yes"
    assert KEY not in str([request.headers for request in endpoint.listings])


class Odd(Endpoint):
    """Lists its models in some way of its own."""

    listing = Answer("ok", {})

    def _listing(self, path: str) -> Answer:
        return self.listing


@pytest.mark.parametrize(
    ("listing", "reachable"),
    [
        (Answer("ok", {}, 404), "yes, but it answers 404 for its models; look at TEACHER_MODEL_BASE_URL"),
        (Answer("ok", {}, 302), "yes, but it answers 302 for its models; look at TEACHER_MODEL_BASE_URL"),
        (Answer("ok", {}, 400), "yes, but it answers 400 for its models; look at the key (TEACHER_MODEL_API_KEY)"),
        (Answer("ok", {}, 500), "yes, but it answers 500 for its models; look at the key (TEACHER_MODEL_API_KEY)"),
        (Answer("ok", {}, 503), "yes, but it answers 503 for its models"),
        (Answer("ok", {}), "something answers that is no such endpoint"),
        (Answer("ok", {"data": None}), "something answers that is no such endpoint"),
        (Answer("ok", ["any"]), "something answers that is no such endpoint"),
        (Answer("ok", b"<html>"), "something answers that is no such endpoint"),
        (Answer("ok", {"data": []}), "yes"),
    ],
)
def test_what_answers_something_else_is_told_from_an_endpoint(listing: Answer, reachable: str) -> None:
    with Odd() as odd:
        odd.listing = listing
        found = check_one(compatible(odd.url))
        assert (found.reachable, found.models) == (reachable, ())
        assert not found.fault.startswith("yes")


def test_a_wrong_path_is_told_from_a_wrong_host(endpoint: Endpoint) -> None:
    wrong = "yes, but it answers 404 for its models; look at TEACHER_MODEL_BASE_URL"
    assert check_one(compatible(f"{endpoint.root}/v2")).reachable == wrong
    endpoint.stop()
    nobody = f"no: 127.0.0.1:{endpoint.port}: not reached (Connection refused)"
    assert check_one(compatible(endpoint.url)).reachable == nobody


def test_a_page_is_no_endpoint(endpoint: Endpoint) -> None:
    endpoint.behaviour.page = True
    assert check_one(compatible(endpoint.url)).reachable == "something answers that is no such endpoint"


def test_ollama_is_asked_for_its_tags_whether_it_is_chosen_or_not(endpoint: Endpoint) -> None:
    endpoint.behaviour.models = ("gemma4:latest",)
    chosen = check_one(settings_of("ollama", ollama_base_url=endpoint.url), "ollama")
    beside = check_one(settings_of("offline", ollama_base_url=endpoint.root), "ollama")
    assert (chosen.reachable, chosen.models) == (beside.reachable, beside.models) == ("yes", ("gemma4:latest",))
    assert [request.path for request in endpoint.listings] == ["/api/tags"] * 2


def test_anthropic_lists_its_models_for_its_own_headers(endpoint: Endpoint) -> None:
    settings = settings_of("claude", teacher_model_api_key=KEY, teacher_model_base_url=endpoint.url)
    assert check_one(settings, "anthropic").reachable == "yes"
    (request,) = endpoint.listings
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == (KEY, "2023-06-01")


def test_the_teachers_key_and_address_are_those_of_the_chosen_provider_alone(endpoint: Endpoint) -> None:
    settings = compatible("http://127.0.0.1:1/v1", teacher_model_api_key=KEY, ollama_base_url=endpoint.root)
    assert check_one(settings, "ollama").reachable == "yes"
    assert KEY not in str(endpoint.listings[0].headers)
    assert check_one(settings_of("offline"), "openai-compatible").reachable == "not asked: no address is set"


class Tunnel(Endpoint):
    """A proxy that lets nobody through and keeps who wanted to go where."""

    def receive(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[Request, Answer]:
        request, _ = super().receive(method, path, headers, raw)
        return request, Answer("ok", {}, 407)


def test_every_provider_is_checked_at_its_own_address_and_each_key_stays_with_its_own(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"openai_api_key": "sk-o", "anthropic_api_key": "sk-a"}
    settings = settings_of("vllm", teacher_model_base_url=endpoint.url, ollama_base_url="http://127.0.0.1:1", **keys)
    with Tunnel() as tunnel:
        monkeypatch.setenv("https_proxy", tunnel.root)
        found = {check.endpoint.provider.name: check for check in teachers.check(settings)}
        wanted = {request.path.partition(":")[0] for request in tunnel.requests}
        assert not any("sk-" in str(request.headers) for request in tunnel.requests)
    assert list(found) == list(providers.providers())
    assert wanted == {"api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"}
    proxied = f" through the proxy 127.0.0.1:{tunnel.port} (https_proxy): the proxy answers 407"
    assert {name: (check.key, check.reachable.partition(" (Pr")[0]) for name, check in found.items()} == {
        "offline": ("none needed", "yes, it is part of this program"),
        "openai": ("set", f"no: api.openai.com{proxied}"),
        "anthropic": ("set", f"no: api.anthropic.com{proxied}"),
        "gemini": ("not set", f"no: generativelanguage.googleapis.com{proxied}"),
        "ollama": ("not set, as a rule not needed", "no: 127.0.0.1:1: not reached (Connection refused)"),
        "vllm": ("not set, as a rule not needed", "yes"),
        "openai-compatible": ("not set, as a rule not needed", "not asked: no address is set"),
    }
    assert not any("sk-" in str(request.headers) for request in endpoint.listings)


def test_addresses_that_accept_and_never_answer_are_given_up_after_a_few_seconds_side_by_side(
    endpoint: Endpoint,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        endpoint.behaviour.silent = True
        settings = compatible(endpoint.url, ollama_base_url=f"http://127.0.0.1:{mute.getsockname()[1]}")
        before = time.monotonic()
        found = teachers.check(settings, ["openai-compatible", "ollama", "offline"])
    silent, mute_one, offline = (check.reachable for check in found)
    assert silent == f"no: 127.0.0.1:{endpoint.port}: no reply within 5 s"
    assert (mute_one.endswith(": no reply within 5 s"), offline) == (True, "yes, it is part of this program")
    assert time.monotonic() - before < 9


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"teacher_model_name": "tall"}, ""),
        ({"teacher_model_name": "tall:latest"}, ""),
        ({"teacher_model_name": "dated"}, ""),
        ({"teacher_model_name": "ta"}, "it lists no model ta; set TEACHER_MODEL_NAME to one that it has"),
        ({}, "set TEACHER_MODEL_NAME; `ai-tools list-providers --check` lists the models that the endpoint has"),
        ({"teacher_model_name": "tall", "teacher_model_api_key": "wrong"}, "the key is refused"),
    ],
)
def test_a_check_says_what_keeps_a_provider_from_being_the_teacher(
    values: dict[str, Any], fault: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.behaviour.models, endpoint.behaviour.keys = ("tall", "dated-2026-01-31"), (KEY,)
    settings = compatible(endpoint.url, **{"teacher_model_api_key": KEY} | values)
    assert check_one(settings).fault == fault
    monkeypatch.setitem(machine.EXTRAS, "train", ("no_such_package",))  # so that torch is not loaded
    assert machine.describe(settings)["teacher"]["ready"] == (not fault)


def test_an_endpoint_that_lists_nothing_has_no_model() -> None:
    with Odd() as odd:
        odd.listing = Answer("ok", {"data": []})
        found = check_one(compatible(odd.url, teacher_model_name="tall"))
    assert (found.reachable, found.fault.startswith("it lists no model tall; ")) == ("yes", True)


def test_a_description_names_the_host_that_text_goes_to(endpoint: Endpoint) -> None:
    there = teachers.connect(compatible(endpoint.url, teacher_model_name="any"))
    assert teachers.describe(there) == f"openai-compatible, any, text goes to 127.0.0.1:{endpoint.port}"
    assert teachers.describe(teachers.connect(settings_of("offline"))).endswith(", nothing leaves this machine")


def test_a_class_of_ones_own_is_the_teacher_of_its_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_teacher.py").write_text(
        "class Mine:\n    def __init__(self, endpoint):\n        self.provider = endpoint.provider.name\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = providers.Provider("mine", "", teacher_class="my_teacher:Mine")
    made = teacher_of(providers.Endpoint(mine, "m"))
    assert (type(made).__name__, made.provider) == ("Mine", "mine")
    for wrong in ("my_teacher:Yours", "no_such_module:Mine", "my_teacher"):
        lost = providers.Provider("mine", "", teacher_class=wrong)
        with pytest.raises(SettingsError, match=rf"its class {wrong} is not there .* in providers\.yaml"):
            teacher_of(providers.Endpoint(lost, "m"))
