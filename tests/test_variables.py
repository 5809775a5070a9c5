"""Variables: a setting under its several names, and whom an address stands for where no provider is named."""

import re
from pathlib import Path
from typing import Any

import pytest

from ai_tools.errors import SettingsError
from ai_tools.settings import known, load_settings
from ai_tools.variables import env_names

pytestmark = pytest.mark.usefixtures("toy_root")

ADDRESS, OLLAMA = "http://h.test:8000/v1", "http://o.test:11434"


def give(monkeypatch: pytest.MonkeyPatch, place: str, values: dict[str, str]) -> None:
    if place == ".env":
        Path(".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    else:
        for name, value in values.items():
            monkeypatch.setenv(name, value)


PLACES = pytest.mark.parametrize("place", [".env", "the environment"])


# --- an address without a provider ---


@PLACES
@pytest.mark.parametrize(
    ("values", "provider", "chosen_by"),
    [
        ({"TEACHER_MODEL_BASE_URL": ADDRESS}, "openai-compatible", "TEACHER_MODEL_BASE_URL"),
        ({"API_KEY": "k", "ENDPOINT": ADDRESS, "MODEL_NAME": "m"}, "openai-compatible", "ENDPOINT"),
        ({"OLLAMA_BASE_URL": OLLAMA}, "ollama", "OLLAMA_BASE_URL"),
        ({"OLLAMA_BASE_URL": OLLAMA, "TEACHER_MODEL_BASE_URL": ADDRESS}, "openai-compatible", "TEACHER_MODEL_BASE_URL"),
        ({"TEACHER_MODEL_BASE_URL": ADDRESS, "PROVIDER": "vllm"}, "vllm", "PROVIDER"),
        ({"OLLAMA_BASE_URL": OLLAMA, "GENERATOR_PROVIDER": "openai"}, "openai", "GENERATOR_PROVIDER"),
        ({"TEACHER_MODEL_BASE_URL": "", "OPENAI_API_KEY": "k", "MODEL_NAME": "m"}, "offline", ""),
    ],
    ids=str,
)
def test_an_address_without_a_provider_says_who_is_meant(
    monkeypatch: pytest.MonkeyPatch, place: str, values: dict[str, str], provider: str, chosen_by: str
) -> None:
    give(monkeypatch, place, values)
    found = load_settings()
    assert (found.provider, found.chosen_by) == (provider, chosen_by)


def test_an_address_that_comes_later_says_who_is_meant_unless_somebody_was_named() -> None:
    found = load_settings()
    assert found.with_(seed=1).with_(teacher_model_base_url=ADDRESS).provider == "openai-compatible"
    assert load_settings(endpoint=ADDRESS).with_(seed=1).provider == "openai-compatible"
    assert load_settings(provider="offline").with_(teacher_model_base_url=ADDRESS).provider == "offline"
    cells = {"provider": "offline", "teacher_model_base_url": ADDRESS}  # as the cell of parameters has them
    assert found.with_cells(cells).provider == "openai-compatible"
    assert load_settings(endpoint=ADDRESS).with_cells(cells).provider == "offline"


def test_endpoint_alone_in_the_environment_is_of_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT", "rabbitmq.test")
    monkeypatch.setenv("TEACHER_MODEL_NAME", "m")
    found = load_settings()
    assert (found.provider, found.teacher_model_base_url) == ("offline", "")
    monkeypatch.setenv("TEACHER_MODEL_BASE_URL", ADDRESS)
    assert load_settings().teacher_model_base_url == ADDRESS


@pytest.mark.parametrize("beside", ["MODEL_NAME", "API_KEY", "TEACHER_MODEL_API_KEY"])
@PLACES
def test_endpoint_in_the_environment_counts_beside_the_model_or_the_key_that_go_with_it(
    monkeypatch: pytest.MonkeyPatch, place: str, beside: str
) -> None:
    monkeypatch.setenv("ENDPOINT", ADDRESS)
    give(monkeypatch, place, {beside: "x"})
    assert (load_settings().provider, load_settings().teacher_model_base_url) == ("openai-compatible", ADDRESS)


# --- two names of one setting ---


def test_the_names_of_a_setting_are_its_own_and_then_those_of_others() -> None:
    assert env_names("provider") == ["PROVIDER", "GENERATOR_PROVIDER", "MODEL_PROVIDER"]
    assert env_names("seed") == ["SEED"]


@PLACES
@pytest.mark.parametrize("name", ["PROVIDER", "GENERATOR_PROVIDER"])
def test_two_names_of_one_setting_that_differ_are_an_error_that_names_both(
    monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    give(monkeypatch, place, {name: "openai", "MODEL_PROVIDER": "ollama"})
    says = f"{place}: {name}=openai and MODEL_PROVIDER=ollama are one setting under two names; keep one of them"
    with pytest.raises(SettingsError, match=f"^{re.escape(says)}$"):
        load_settings()


def test_two_keys_of_gemini_stop_no_run_and_its_own_name_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, "the environment", {"GEMINI_API_KEY": "first-key", "GOOGLE_API_KEY": "other-key"})
    key = load_settings().gemini_api_key
    assert key is not None
    assert key.get_secret_value() == "first-key"


@PLACES
def test_two_names_of_one_setting_that_agree_are_fine_and_an_empty_one_says_nothing(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    agreeing = {"PROVIDER": "openai", "MODEL_PROVIDER": "openai", "GENERATOR_PROVIDER": ""}
    give(monkeypatch, place, agreeing)
    assert load_settings().provider == "openai"


@pytest.mark.parametrize(
    ("values", "both"),
    [
        ({"API_KEY": "marked-1", "TEACHER_MODEL_API_KEY": "marked-2"}, "TEACHER_MODEL_API_KEY and API_KEY are"),
        (
            {"ENDPOINT": "http://ada:marked@h.test", "TEACHER_MODEL_BASE_URL": ADDRESS, "MODEL_NAME": "m"},
            f"TEACHER_MODEL_BASE_URL={ADDRESS} and ENDPOINT=…@h.test are",
        ),
    ],
)
def test_no_key_or_password_is_shown_where_two_names_differ(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], both: str
) -> None:
    give(monkeypatch, "the environment", values)
    with pytest.raises(SettingsError, match=re.escape(both)) as caught:
        load_settings()
    assert "marked" not in str(caught.value)


@pytest.mark.parametrize("values", [{"MODEL_NAME": "m"}, {"model_name": "m"}, {"Teacher_Model_Name": "m"}], ids=str)
def test_what_is_given_may_come_in_either_case_and_under_any_name(values: dict[str, Any]) -> None:
    assert known(values) == {"teacher_model_name": "m"}


def test_two_names_that_differ_are_an_error_in_arguments_too() -> None:
    with pytest.raises(SettingsError, match=r"^-p: TEACHER_MODEL_NAME=b and MODEL_NAME=a are one setting under two"):
        known({"model_name": "a", "teacher_model_name": "b"}, "-p")


def test_the_environment_still_beats_the_file_whatever_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, ".env", {"PROVIDER": "openai"})
    give(monkeypatch, "the environment", {"GENERATOR_PROVIDER": "ollama"})
    assert load_settings().provider == "ollama"


def test_a_fault_is_told_of_the_name_that_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_TEMPERATURE", "hot")
    with pytest.raises(SettingsError, match=r"^GENERATOR_TEMPERATURE=hot: input should be a valid number"):
        load_settings()
