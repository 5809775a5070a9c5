"""Teachers: the one factory, what there is to choose from, and the way to ask from ordinary code."""

from __future__ import annotations

import asyncio
import json
import warnings
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from ..errors import SettingsError, TeacherRefused
from ..records import CallFault, OnProgress, Teacher
from ..settings import Settings
from ..sync import run_sync
from . import providers
from .asker import Asker
from .budget import Limits
from .client import EndpointTeacher
from .journal import Journal
from .prompts import Sampling
from .providers import Endpoint, Provider
from .wire import Wire

CHECK_SECONDS = 5.0


def connect(settings: Settings) -> Teacher:
    """The teacher that the settings choose. Nothing is sent. Raises SettingsError for what is missing or unknown.

    Where PROVIDER does not say who it is, a warning names the host and what does.
    """
    endpoint = providers.endpoint(settings)
    if notice := providers.notice(settings, endpoint):
        warnings.warn(notice, stacklevel=1)  # of this line, so that it is said once
    return teacher_of(endpoint)


def connect_judge(settings: Settings) -> Teacher:
    """The teacher that judges: another model, or another endpoint, where the settings say so."""
    return teacher_of(providers.judge_endpoint(settings))


def sampling(settings: Settings) -> Sampling:
    """How the chosen teacher is asked."""
    options: dict[str, Any] = {}
    most, top_p = settings.teacher_max_tokens, settings.teacher_top_p
    if providers.find(settings.provider).api == "ollama":
        most = settings.ollama_num_predict or most
        top_p = top_p if settings.ollama_top_p is None else settings.ollama_top_p
        options = {"top_k": settings.ollama_top_k, "repeat_penalty": settings.ollama_repeat_penalty}
        options |= {"num_ctx": settings.ollama_num_ctx, "stop": [*settings.ollama_stop]}
        options = {name: value for name, value in options.items() if value not in (None, [])}
    return Sampling(settings.teacher_temperature, most, top_p, settings.seed, options)


def limits(settings: Settings) -> Limits:
    """What asking may take, and how hard it is tried."""
    return Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})


def make_asker(
    settings: Settings,
    journal: Journal,
    *,
    teacher: Teacher | None = None,
    judge: Teacher | None = None,
    instructions: str = "",
    on_progress: OnProgress | None = None,
    notice: str = "",
) -> Asker:
    """Who asks as the settings say: the `teacher`, by default the one that they choose, and for judgements the `judge`.

    Args:
        instructions: the user's own, added to the system message of every call that is no judgement.
        notice: what to know of the text, said before any of it leaves.
    """
    asked = teacher or connect(settings)
    judged = judge or asked
    return Asker(asked, journal, sampling(settings), limits(settings), judged, instructions, on_progress, notice)


def teacher_of(endpoint: Endpoint) -> Teacher:
    """Who answers for an endpoint: its client, or the class that its provider names, imported when it is needed."""
    name = endpoint.provider.teacher_class
    if not name:
        return EndpointTeacher(endpoint)
    module, _, attribute = name.partition(":")
    try:
        made_by = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        what = f"its class {name} is not there ({error}); mend `class` in providers.yaml, which is module:Class"
        raise SettingsError(what, setting="provider", value=endpoint.provider.name) from None
    teacher: Teacher = made_by(endpoint)
    return teacher


# --- what is there ---


@dataclass(frozen=True)
class Check:
    """What a provider is like from here, as the settings have it.

    `models` are those that the endpoint lists; `fault` is why it could not be the teacher, empty where it could.
    """

    endpoint: Endpoint
    key: str
    reachable: str
    models: tuple[str, ...] = ()
    fault: str = ""


def check(settings: Settings, names: list[str] | None = None) -> list[Check]:
    """Ask every provider's endpoint, side by side, which models it has. No call is paid for by this."""
    wanted = [providers.find(name) for name in names] if names else list(providers.providers().values())

    async def all_of_them() -> list[Check]:
        return await asyncio.gather(*(_check(settings, provider) for provider in wanted))

    return run_sync(all_of_them())


async def _check(settings: Settings, provider: Provider) -> Check:
    if provider.teacher_class:
        return Check(Endpoint(provider, ""), "none needed", "yes, it is part of this program")
    try:
        endpoint = providers.endpoint(settings, provider, complete=False)
    except SettingsError as error:
        return Check(Endpoint(provider, ""), "unusable", f"not asked: {error}", fault=str(error))
    key = "set" if endpoint.key else "not set" + ("" if provider.keys else ", as a rule not needed")
    if not endpoint.base_url:
        return Check(endpoint, key, why := "not asked: no address is set", fault=why)
    reached, fault, models = await _models_of(endpoint)
    reachable = " ".join(filter(None, (reached, fault)))
    return Check(endpoint, key, reachable, models, fault or _lack(settings, endpoint, models))


def _lack(settings: Settings, endpoint: Endpoint, models: tuple[str, ...]) -> str:
    """Why nothing can be asked of an endpoint that is reached and lists these models; empty where it can."""
    try:
        providers.endpoint(settings, endpoint.provider)
    except SettingsError as error:
        return error.reason
    wanted = endpoint.model.removesuffix(":latest")  # Ollama adds a tag to a name without one
    if any(providers.is_version_of(name.removesuffix(":latest"), wanted) for name in models):
        return ""
    return f"it lists no model {endpoint.model}; set {endpoint.variables.model} to one that it has"


async def _models_of(endpoint: Endpoint) -> tuple[str, str, tuple[str, ...]]:
    """Whether somebody is there, what is wrong with that, and the models that it lists."""
    listing = {name: value.format(key=endpoint.key) for name, value in endpoint.provider.listing_headers.items()}
    wire = Wire(replace(endpoint, timeout=CHECK_SECONDS), listing)
    try:
        response = await wire.send(endpoint.provider.listing)
    except (CallFault, TeacherRefused) as fault:
        return "no:", str(fault), ()
    finally:
        await wire.close()
    if response.status_code in (401, 403):
        wanted = f"it wants a key; {endpoint.withheld or f'set {endpoint.variables.key}'}"
        return "yes, and", "the key is refused" if endpoint.key else wanted, ()
    if response.status_code != 200:
        look = _look(endpoint, response.status_code)
        return "yes, but", f"it answers {response.status_code} for its models{look}", ()
    try:
        data = json.loads(response.content)
        listed = data["models"] if "models" in data else data["data"]
        return "yes", "", tuple(str(row.get("name") or row["id"]).removeprefix("models/") for row in listed)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", "something answers that is no such endpoint", ()


def _look(endpoint: Endpoint, status: int) -> str:
    """What to look at where an endpoint will not list its models."""
    if status in (400, 500):  # what LiteLLM's proxy answers to a wrong key, and to none
        return f"; look at the key ({endpoint.variables.key})"
    return f"; look at {endpoint.variables.base_url}" if status in (404, 405) or 300 <= status < 400 else ""


def describe(teacher: Teacher) -> str:
    """Who is asked, and the host that text goes to."""
    host = urlsplit(teacher.base_url).netloc
    return f"{teacher.provider}, {teacher.model}" + (
        f", text goes to {host}" if host else ", nothing leaves this machine"
    )
