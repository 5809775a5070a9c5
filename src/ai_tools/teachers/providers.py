"""Who can be the teacher: the table of providers, the endpoint that the settings choose, and what its tokens cost.

The table and the prices are data (`data/providers.yaml`). Another provider is an entry there and, where it has a key
variable of its own, a setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from pydantic import SecretStr

from ..errors import SettingsError
from ..settings import Settings
from ..variables import env_names

OFFLINE = "offline"
COMPATIBLE = "openai-compatible"


class Variables(NamedTuple):
    """What a message tells the user to set."""

    model: str
    base_url: str
    key: str


TEACHER = Variables("TEACHER_MODEL_NAME", "TEACHER_MODEL_BASE_URL", "TEACHER_MODEL_API_KEY")
JUDGE = Variables("JUDGE_MODEL_NAME", "JUDGE_BASE_URL", "JUDGE_API_KEY")


@dataclass(frozen=True)
class Provider:
    """One way to a teacher.

    `keys` are the settings that hold a key for its own host alone. `schema` and `seed` say whether the endpoint takes a
    JSON schema and a seed; `ignores` names settings that it does not heed; `listing` is where it lists its models.
    `concurrency` is what it can stand by default.
    `teacher_class` (`class` in the table), `module:Class`, answers in this process instead of an endpoint's client.
    """

    name: str
    setup: str
    aliases: tuple[str, ...] = ()
    model: str = ""
    base_url: str = ""
    keys: tuple[str, ...] = ()
    api: str = "openai"
    schema: bool = True
    seed: bool = True
    length_parameter: str = "max_tokens"
    listing: str = "/models"
    listing_headers: dict[str, str] = field(default_factory=dict)
    ignores: tuple[str, ...] = ()
    concurrency: int = 64
    teacher_class: str = ""


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens, as published on the date, or as the user says."""

    tokens_in: float
    tokens_out: float
    source: str

    def of(self, tokens_in: float, tokens_out: float) -> float:
        return (self.tokens_in * tokens_in + self.tokens_out * tokens_out) / 1e6


@dataclass(frozen=True)
class Endpoint:
    """Where a teacher is and how it is asked. The key is never printed."""

    provider: Provider
    model: str
    base_url: str = ""
    key: str = field(default="", repr=False)
    concurrency: int = 64
    timeout: float | None = None  # seconds for a request, where nobody else watches over it
    reply_mb: float = 8.0
    variables: Variables = TEACHER
    withheld: str = ""  # where a key is missing and one is there that is for another host: which, and what to set

    @property
    def own_host(self) -> bool:
        return self.base_url == self.provider.base_url

    @property
    def authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc


@cache
def _table() -> dict[str, Any]:
    text = (resources.files("ai_tools") / "data" / "providers.yaml").read_text("utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@cache
def providers() -> dict[str, Provider]:
    """Every provider by its name."""

    def provider(name: str, row: dict[str, Any]) -> Provider:
        values: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in row.items()}
        values["teacher_class"] = values.pop("class", "")
        return Provider(name, **values)

    return {name: provider(name, row) for name, row in _table()["providers"].items()}


def find(name: str) -> Provider:
    """The provider of that name or alias. Raises SettingsError, naming those that there are."""
    for provider in providers().values():
        if name in (provider.name, *provider.aliases):
            return provider
    raise SettingsError(f"no such provider; there are {', '.join(providers())}", setting="provider", value=name)


def endpoint(settings: Settings, provider: Provider | None = None, *, complete: bool = True) -> Endpoint:
    """The teacher's endpoint as the settings have it, or that of another provider at its own address.

    Where a model, an address or a key is missing, SettingsError names the variable to set; not `complete`: it stays
    empty.
    """
    chosen = find(settings.provider)
    provider = provider or chosen
    is_chosen = provider == chosen
    model = (settings.teacher_model_name if is_chosen else "") or provider.model
    base_url = settings.teacher_model_base_url if is_chosen else ""
    if provider.api == "ollama":
        base_url = (base_url or settings.ollama_base_url).removesuffix("/v1")
    base_url = base_url or provider.base_url
    key = _key(settings, base_url, is_chosen)
    variables = TEACHER._replace(
        key=" or ".join(env_names(name)[0] for name in (*_keys_of(base_url), "teacher_model_api_key"))
    )
    withheld = "" if key else _withheld(settings, base_url, variables.key)
    if complete and not provider.teacher_class:
        missing = ""
        if not base_url:
            missing = "set TEACHER_MODEL_BASE_URL to the endpoint's address"
        elif not model:
            listed = "`ai-tools list-providers --check` lists the models that the endpoint has"
            missing = f"set TEACHER_MODEL_NAME; {listed}"
        elif provider.keys and not key:
            missing = f"no key; {withheld or f'set {variables.key} in the environment or in .env'}"
        if missing:
            raise SettingsError(missing, setting="provider", value=provider.name)
    concurrency = settings.max_concurrency or provider.concurrency
    size = settings.max_reply_mb
    return Endpoint(provider, model, base_url, key, concurrency, None, size, variables, withheld)


def is_hosted(base_url: str) -> bool:
    """Whether an address is that of a known provider on the internet."""
    hosts = {urlsplit(one.base_url).hostname for one in providers().values() if one.base_url.startswith("https:")}
    return urlsplit(base_url).hostname in hosts


def notice(settings: Settings, chosen: Endpoint) -> str:
    """What to know before the first call where PROVIDER does not say who is asked; empty where it does."""
    if settings.chosen_by in env_names("provider"):
        return ""
    if chosen.provider.name != OFFLINE:
        where = f"text goes to {chosen.host}, provider {chosen.provider.name}"
        said = f"{settings.chosen_by} is set and PROVIDER is not: {where}"
        return "; ".join(filter(None, (said, chosen.withheld)))
    names = ["teacher_model_name", "teacher_model_api_key", *(key for one in providers().values() for key in one.keys)]
    unused = [settings.variable(name) for name in names if getattr(settings, name)]
    owners = [one.name for one in providers().values() if any(getattr(settings, key) for key in one.keys)]
    fix = f"PROVIDER={owners[0]}" if owners else "PROVIDER, or TEACHER_MODEL_BASE_URL,"
    return f"{', '.join(unused)}: not used, the teacher is offline; set {fix} to use it" if unused else ""


def judge_endpoint(settings: Settings) -> Endpoint:
    """The judge's endpoint: the teacher's, with another model or at another address where the settings say so."""
    if settings.judge_base_url:
        if not settings.judge_model_name:
            raise SettingsError("JUDGE_BASE_URL is set: set JUDGE_MODEL_NAME too")
        key = _clean(settings.judge_api_key, "JUDGE_API_KEY")
        concurrency = settings.max_concurrency or find(COMPATIBLE).concurrency
        return Endpoint(
            find(COMPATIBLE), settings.judge_model_name, settings.judge_base_url, key, concurrency,
            reply_mb=settings.max_reply_mb, variables=JUDGE,
        )  # fmt: skip
    if settings.judge_model_name and find(settings.provider).name == OFFLINE:
        raise SettingsError("JUDGE_MODEL_NAME is set and the teacher is offline: set JUDGE_BASE_URL too")
    if settings.judge_model_name:
        found = endpoint(settings.with_(teacher_model_name=settings.judge_model_name))
        return replace(found, variables=TEACHER._replace(model=JUDGE.model))
    return endpoint(settings)


@cache
def price(provider: str, model: str, own: tuple[float, float] | None = None) -> Price | None:
    """What tokens cost: one's `own` price, else the table's entry whose name begins the model's; None where unknown."""
    if provider == OFFLINE:
        return Price(0.0, 0.0, "offline")
    if own:
        return Price(*own, "TEACHER_PRICE")
    rows = _table()["prices"].get(provider, {})
    name = max((name for name in rows if is_version_of(model, name)), key=len, default="")
    if not name:
        return None
    tokens_in, tokens_out = rows[name]
    return Price(tokens_in, tokens_out, f"as published, seen {_table()['seen']}")


def is_version_of(model: str, name: str) -> bool:
    """`gpt-x-2026-04-23` is a version of `gpt-x`, and `gpt-x-mini` is not."""
    rest = model.removeprefix(name)
    return rest != model and (not rest or (rest[0] in "-@" and rest[1:].replace("-", "").isdigit()))


def _key(settings: Settings, base_url: str, chosen: bool) -> str:
    """A provider's own key goes to its own host, and TEACHER_MODEL_API_KEY to the chosen endpoint; nowhere else."""
    if chosen and (key := _clean(settings.teacher_model_api_key, settings.variable("teacher_model_api_key"))):
        return key
    found = (_clean(getattr(settings, name), settings.variable(name)) for name in _keys_of(base_url))
    return next(filter(None, found), "")


def _keys_of(base_url: str) -> tuple[str, ...]:
    """The settings whose key is for that host, whoever is said to be the provider there."""
    found = (one.keys for one in providers().values() if one.keys and _origin(one.base_url) == _origin(base_url))
    return next(found, ())


def _withheld(settings: Settings, base_url: str, wanted: str) -> str:
    """Which keys do not go to this address, and what to set for one there; empty where there is none."""
    kept = {name: _origin(one.base_url) for one in providers().values() for name in one.keys}
    others = {name: origin for name, origin in kept.items() if getattr(settings, name) and origin != _origin(base_url)}
    said = ", ".join(f"{settings.variable(name)} is for {origin} alone" for name, origin in others.items())
    return f"{said}; set {wanted} to use a key at {base_url}" if said and base_url else ""


def _origin(address: str) -> str:
    """What a key belongs to: the host, and the scheme, since without https a key is there for all to read."""
    url = urlsplit(address)
    return f"{url.scheme}://{url.hostname}"


def _clean(secret: SecretStr | None, name: str) -> str:
    key = secret.get_secret_value().strip() if secret else ""
    if not key.isascii() or any(char.isspace() for char in key):
        raise SettingsError(f"{name}: a key has no spaces and no letters beyond ASCII; copy it again")
    return key
