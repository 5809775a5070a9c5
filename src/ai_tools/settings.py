"""Every setting, declared once; `.env.example` and the manifests derive from it. How they are found: variables.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic.config import JsonDict

from . import variables
from .errors import SettingsError
from .matching import nearest
from .variables import env_names

SAMPLE_DOCUMENTS = "assets/corpus"
SAMPLE_EXAM = "assets/exam.jsonl"
_Dollars = Annotated[float, Field(ge=0)]


def _setting(default: Any, description: str, steps: str = "", **limits: Any) -> Any:
    """A field: what it is, and the steps whose results it changes; `01?` is 01 where the teacher writes the exam."""
    extra: JsonDict = {"steps": steps}
    kind = "default_factory" if callable(default) else "default"
    return Field(**{kind: default}, description=description, json_schema_extra=extra, **limits)


def _secret(description: str) -> Any:
    """A key: never printed, part of no manifest, no notebook parameter."""
    return _setting(None, f"{description} Secret.")


def _who_is_there(values: dict[str, Any]) -> str:
    """The provider where none is named: an address says who is meant."""
    if values.get("teacher_model_base_url"):
        return "openai-compatible"
    return "ollama" if values.get("ollama_base_url") else "offline"


class Settings(BaseModel):
    """Every setting, validated. A default that depends on what is given follows it, in a changed copy too."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    source_documents: str = _setting(
        SAMPLE_DOCUMENTS,
        "Documents to learn: a file, a folder, a glob, an http(s) address or a comma list of them.",
        "01? 02",
    )
    pdf_converter: Literal["builtin", "docling"] = _setting(
        "builtin", "What reads PDF: builtin, or docling, which loads layout models.", "01? 02"
    )
    max_file_mb: float = _setting(50, "Most megabytes of one document, as it comes and unpacked.", "01? 02", gt=0)
    file_timeout: float = _setting(120, "Seconds that one document may take to convert.", "01? 02", gt=0)
    fetch_timeout: float = _setting(60, "Seconds that one address has for its whole answer.", "01? 02", gt=0)
    sensitive: Literal["report", "mask", "reject", "ignore"] = _setting(
        "report",
        "Secrets and personal data in passages: report, mask (by kind), reject (not sent), or ignore.",
        "01? 02 03",
    )
    injection: Literal["report", "reject"] = _setting(
        "report",
        "Orders to a model in passages, and hidden characters: report, or reject (not asked about).",
        "01? 02 03",
    )
    exam: str = _setting(
        "", f"Exam file (JSONL, CSV, YAML). Empty: {SAMPLE_EXAM} with the sample, else the teacher writes one.", "01"
    )
    chunk_tokens: int = _setting(512, "Most tokens in a chunk.", "01? 02", ge=16)
    chunk_overlap: int = _setting(0, "Most tokens that a chunk repeats of the one before it.", "01? 02", ge=0)
    domain: str = _setting("", "Subject of the documents. Empty: inferred from their titles.", "02")
    document_outline: str = _setting(
        "", 'A short noun phrase that names the document, fit for "In …,". Empty: inferred.', "02"
    )
    icl_file: str = _setting(
        "",
        "Worked examples (YAML, JSON, JSON Lines), for all documents or by name. Empty: the teacher writes them.",
        "02",
    )
    num_seed_examples: int = _setting(5, "Seed examples wanted in qna.yaml.", "03", ge=1)
    teacher_model_name: str = _setting("", "The teacher's model. Empty: the provider's.", "01? 02 03")
    teacher_model_base_url: str = _setting(
        "", "Address of the endpoint, as a rule up to and with /v1. Empty: the provider's.", "01? 02 03"
    )
    ollama_base_url: str = _setting("", "Address of Ollama, where TEACHER_MODEL_BASE_URL is empty.", "01? 02 03")
    provider: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True)] = _setting(
        _who_is_there,
        "Who answers as the teacher: offline, openai, anthropic, gemini, ollama, vllm or openai-compatible.",
        "01? 02 03",
    )
    teacher_model_api_key: SecretStr | None = _secret("Key of the endpoint that is chosen.")
    openai_api_key: SecretStr | None = _secret("Key for the address of openai itself, sent to no other.")
    anthropic_api_key: SecretStr | None = _secret("Key for the address of anthropic itself, sent to no other.")
    gemini_api_key: SecretStr | None = _secret("Key for the address of gemini itself, sent to no other.")
    teacher_temperature: float = _setting(0.7, "Sampling temperature of the teacher.", "01? 02 03", ge=0, le=2)
    teacher_max_tokens: int = _setting(4096, "Most tokens in a teacher's reply.", "01? 02 03", ge=1)
    teacher_top_p: float | None = _setting(None, "Nucleus sampling of the teacher.", "01? 02 03", gt=0, le=1)
    teacher_price: tuple[_Dollars, _Dollars] | None = _setting(
        None, "US dollars for a million tokens in and out, such as 0.15,0.60. Empty: from the table of known models."
    )
    ollama_top_k: int | None = _setting(None, "Ollama's top_k.", "01? 02 03", ge=0)
    ollama_top_p: float | None = _setting(None, "Ollama's top_p. Empty: TEACHER_TOP_P.", "01? 02 03", ge=0, le=1)
    ollama_repeat_penalty: float | None = _setting(None, "Ollama's repeat_penalty.", "01? 02 03", ge=0)
    ollama_num_predict: int | None = _setting(
        None, "Ollama's num_predict. Empty: TEACHER_MAX_TOKENS.", "01? 02 03", ge=-2
    )
    ollama_num_ctx: int = _setting(8192, "Context window that Ollama loads the model with.", "01? 02 03", ge=256)
    ollama_stop: tuple[str, ...] = _setting(
        (), "Where Ollama stops writing; several are separated by commas.", "01? 02 03"
    )
    enable_reasoning: bool = _setting(False, "Ask for the reasoning of each answer, and keep it.", "03")
    judge_model_name: str = _setting("", "The judge's model. Empty: the teacher's.", "03")
    judge_base_url: str = _setting("", "Address of an OpenAI-compatible judge. Empty: the teacher's endpoint.", "03")
    judge_api_key: SecretStr | None = _secret("Key of the judge, where JUDGE_BASE_URL is set.")
    curate_threshold: float = _setting(7.0, "Least rating, of 10, that `ai-tools curate` keeps.", ge=0, le=10)
    customisation_prompt: str = _setting("", "Instructions added to every generation prompt.", "03")
    number_of_summaries: int | None = _setting(
        None, "Summaries of each kind for a chunk. Empty: the largest of CUT_SIZES.", "03", ge=1
    )
    seed_data_subsample: int = _setting(0, "Use only this many chunks, spread over the documents. 0: all.", "03", ge=0)
    questions_per_chunk: int = _setting(
        5, "Pairs asked for in one call about a chunk or a summary; by `generate` alone 3.", "03", ge=1
    )
    max_concurrency: int | None = _setting(
        None,
        "Most teacher calls in flight. Empty: 64, and 4 for ollama; but for the hosts of known providers 4 at first, "
        "then as many as gain something.",
        ge=1,
    )
    request_timeout: float | None = _setting(
        None,
        "Seconds that a teacher has for a reply. Empty: 120, on this machine 600, and by what replies take.",
        gt=0,
    )
    server_wait: float = _setting(600.0, "Seconds that a teacher which has gone away is waited for.", ge=0)
    max_reply_mb: float = _setting(8.0, "Largest reply that is read, in MiB, unpacked.", gt=0)
    items_per_call: int | None = _setting(
        None,
        "Most summaries, facts or pairs that one call is about. Empty: by recipe, fewer where the context is small.",
        "03",
        ge=1,
    )
    max_retries: int = _setting(
        5, "Further attempts at a call after overload, server errors and lost connections.", ge=0
    )
    max_calls: int | None = _setting(
        None, "Most requests that this output folder's journal may hold. Empty: no limit.", ge=1
    )
    max_tokens_total: int | None = _setting(
        None, "Most tokens, in and out, of all calls in the journal. Empty: no limit.", ge=1
    )
    max_usd: float | None = _setting(None, "Most US dollars for all calls in the journal. Empty: no limit.", gt=0)
    retry_rejected: bool = _setting(False, "Ask again where a former run's reply could not be used.")
    max_failure_rate: float = _setting(0.1, "Share of failed items above which a step fails.", ge=0, le=1)
    cut_sizes: tuple[int, ...] = _setting((5, 10), "Summaries for a chunk in each cut.", "03 04")
    qa_per_doc: int = _setting(3, "Most pairs from one summary.", "04", ge=1)
    document_in_context: Literal["none", "summaries", "all"] = _setting(
        "none", "Add rows that show the document before the question.", "04"
    )
    replay_share: float | None = _setting(
        None, "Share of general rows in a cut, by tokens. Empty: by student.", "04", ge=0, lt=1
    )
    student_model_name: str = _setting(
        "tiny", "Student: tiny, smollm2, a local folder or a Hugging Face name.", "01 02 04 05 06"
    )
    tokenizer_model_name: str = _setting("", "Tokenizer that counts tokens. Empty: the student's.", "01? 02 04")
    training_method: Literal["full", "lora", "osft", "distill"] | None = _setting(
        None,
        "full (all weights), lora, osft (the weakest directions) or distill (as with the passage). Empty: full.",
        "05",
    )
    four_bit: bool = _setting(
        False, "Keep the student's own weights in 4 bits under LoRA: a quarter of the memory, on CUDA alone.", "05"
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = _setting(
        "auto", "Where students are trained and asked. auto: cuda where there is one, else cpu.", "01 05 06"
    )
    training_cut: str = _setting(
        "", "A cut's number, or a path to a file of `ai-tools export`. Empty: the largest cut.", "05"
    )
    learning_rate: float | None = _setting(None, "Peak learning rate. Empty: by student and method.", "05", gt=0)
    epochs: float | None = _setting(None, "Passes over the cut. Empty: by student.", "05", gt=0)
    training_tokens: int | None = _setting(
        None, "Tokens to train on, over as many passes as that takes, instead of EPOCHS. Empty: by student.", "05", ge=1
    )
    batch_tokens: int | None = _setting(None, "Tokens in an optimiser step. Empty: by student.", "05", ge=1)
    max_seq_len: int | None = _setting(None, "Longest training row in tokens. Empty: by student.", "04 05", ge=16)
    lora_rank: int | None = _setting(None, "Rank of the LoRA adapters. Empty: 32.", "05", ge=1)
    unfreeze_rank_ratio: float | None = _setting(
        None, "Share of each weight's directions that osft trains. Empty: 0.25.", "05", gt=0, lt=1
    )
    distill_weight: float | None = _setting(
        None,
        "Share of distill's loss that the passage's reader says, the rest being the answer. Empty: 0.5.",
        "05",
        ge=0,
        le=1,
    )
    generator_process_dir: str = _setting("", "Where `ai-tools generate` takes passages from, where none are named.")
    generator_output_dir: str = _setting(
        "", "Folder that `generate` writes to and `combine` reads, where none is named."
    )
    generator_output_file: str = _setting("", "File that `combine` writes, where none is named.")
    generator_batch_processing: bool = _setting(True, "false: `generate` has one passage in flight at a time.")
    generator_resume: bool = _setting(True, "false: the single tools make everything anew, as with --fresh.")
    output_dir: Path = _setting(Path("output"), "Where every artifact goes.")
    seed: int = _setting(0, "Reaches every sampler.", "01 02 03 04 05 06", ge=0)
    trust_remote_code: bool = _setting(False, "Run code that comes with a student.", "01 02 04 05 06")

    _root: Path = PrivateAttr(default_factory=lambda: find_root(Path.cwd()))
    _called: dict[str, str] = PrivateAttr(default_factory=dict)  # the variable that set it, where it is another's name

    @field_validator("*", mode="before")
    @classmethod
    def _as_text(cls, value: Any, info: Any) -> Any:
        """Text as papermill and YAML read it: a year is a number, several documents are a list, None is nothing."""
        kind = cls.model_fields[info.field_name].annotation
        if kind in (str, Path) and isinstance(value, int | float | date):
            return str(value)
        if kind is str and (value is None or isinstance(value, list | tuple)):
            return ",".join(map(str, value or ()))
        return value

    @field_validator("cut_sizes", mode="wrap")
    @classmethod
    def _cuts(cls, value: Any, validated: Any) -> tuple[int, ...]:
        parts = value if isinstance(value, list | tuple) else [part for part in str(value).split(",") if part.strip()]
        cuts: tuple[int, ...] = validated(parts)
        if not cuts or min(cuts) < 1:
            raise ValueError("give one or more whole numbers from 1 up, such as 5,10")
        return tuple(sorted(set(cuts)))

    @field_validator("ollama_stop", mode="before")
    @classmethod
    def _stops(cls, value: Any) -> tuple[str, ...]:
        """Commas separate several in one text; in a list each stands as it is."""
        parts = value if isinstance(value, list | tuple) else ("" if value is None else str(value)).split(",")
        return tuple(str(part) for part in parts if part != "")

    @field_validator("source_documents")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if re.search(r"https?://[^/,?#]*@", value, re.IGNORECASE):
            raise ValueError("leave user and password out; save the page and give the file")
        return value

    @field_validator("chunk_overlap")
    @classmethod
    def _overlap(cls, value: int, info: Any) -> int:
        most = info.data.get("chunk_tokens")
        if most and value >= most:
            raise ValueError(f"give less than CHUNK_TOKENS, which is {most}")
        return value

    @field_validator("training_tokens")
    @classmethod
    def _one_length(cls, value: int | None, info: Any) -> int | None:
        if value and info.data.get("epochs"):
            raise ValueError(f"EPOCHS={info.data['epochs']:g} says how long to train, too; set one of them")
        return value

    @field_validator("four_bit")
    @classmethod
    def _for_lora(cls, value: bool, info: Any) -> bool:
        if value and info.data.get("training_method") != "lora":
            raise ValueError("only LoRA trains beside 4-bit weights; set TRAINING_METHOD=lora too")
        return value

    @field_validator("teacher_price", mode="wrap")
    @classmethod
    def _price(cls, value: Any, validated: Any) -> Any:
        try:
            return validated(value.split(",") if isinstance(value, str) else value)
        except ValidationError:
            raise ValueError("give two amounts, in and out, such as 0.15,0.60") from None

    @field_validator("teacher_model_base_url", "ollama_base_url", "judge_base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        value = value.strip().rstrip("/").removesuffix("/chat/completions")
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("write the whole address, such as http://localhost:8000/v1")
        if parts.username or parts.password:
            raise ValueError("leave user and password out; a key belongs in TEACHER_MODEL_API_KEY or JUDGE_API_KEY")
        return value

    @property
    def root(self) -> Path:
        """The folder that holds `00_Setup`; paths in settings are relative to it."""
        return self._root

    @property
    def output(self) -> Path:
        return self.resolve(self.output_dir)

    @property
    def exam_path(self) -> Path | None:
        """The exam's file; None where the teacher is to write one."""
        name = self.exam or (SAMPLE_EXAM if self.source_documents == SAMPLE_DOCUMENTS else "")
        return self.resolve(name) if name else None

    @property
    def student_source(self) -> str:
        """What to load the student from: `tiny`, an existing folder below the root, or a Hugging Face name."""
        return self._model_source(self.student_model_name)

    @property
    def tokenizer_source(self) -> str:
        return self._model_source(self.tokenizer_model_name or self.student_model_name)

    def _model_source(self, name: str) -> str:
        return str(self.resolve(name)) if name != "tiny" and self.resolve(name).is_dir() else name

    @property
    def loading(self) -> dict[str, Any]:
        """How `students.load` is to load a student."""
        return {"device": self.device, "trust_remote_code": self.trust_remote_code}

    @property
    def summaries(self) -> int:
        return self.number_of_summaries or max(self.cut_sizes)

    def resolve(self, path: str | Path) -> Path:
        return (self.root / Path(path).expanduser()).absolute()

    @property
    def chosen_by(self) -> str:
        """The variable that says who the teacher is: of the provider, else of its address; empty where nothing does."""
        saying = ("provider", "teacher_model_base_url", "ollama_base_url")
        return next((self.variable(one) for one in saying if one in self.model_fields_set and getattr(self, one)), "")

    def variable(self, name: str) -> str:
        """What the user called a setting."""
        return self._called.get(name, name.upper())

    def with_(self, **changes: Any) -> Settings:
        """A validated copy. An unknown name or an impossible value raises SettingsError."""
        changes = known(changes)
        called = {name: variable for name, variable in self._called.items() if name not in changes}
        copy = _build(self.model_dump(exclude_unset=True) | changes, called)
        copy._root = self._root
        return copy

    def with_cells(self, names: Mapping[str, Any]) -> Settings:
        """A validated copy with what a notebook's cells say under the names of settings.

        Args:
            names: the notebook's `globals()`.

        Raises:
            SettingsError: an impossible value, or a name in the cell of papermill that is no setting, or a key.
        """
        put_in = {name: names[name] for name in variables.put_in_by_papermill(names.get("In", ()))}
        if shouted := [name for name in put_in if name != name.lower()]:  # the cells read lower-case names alone
            raise _no_such(shouted[0])
        for name in known(put_in):
            if Settings.model_fields[name].annotation == SecretStr | None:
                raise SettingsError(f"{name}: papermill writes what it is given into the notebook; set it in .env")
        settings = Settings.model_fields.keys() & names.keys()
        stated = {name: names[name] for name in settings if names[name] != getattr(self, name)}
        return self.with_(**stated | {name: value for name, value in put_in.items() if name not in settings})

    def alone(self) -> Settings:
        """A copy for the command `generate`: three questions about a chunk, where nothing says how many."""
        return self if "questions_per_chunk" in self.model_fields_set else self.with_(questions_per_chunk=3)

    def of_step(self, number: int) -> dict[str, Any]:
        """The settings that change what a step makes, as plain JSON values; paths as the user wrote them."""
        values = self.model_dump(mode="json")
        marks = {f"{number:02d}"} if self.exam_path else {f"{number:02d}", f"{number:02d}?"}
        return {name: values[name] for name in Settings.model_fields if marks & set(_steps_of(name).split())}


def _steps_of(name: str) -> str:
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["steps"]) if isinstance(extra, dict) else ""


def find_root(start: Path) -> Path:
    """The nearest folder upwards from `start` that holds `00_Setup`, else `start`."""
    return next((folder for folder in (start, *start.parents) if (folder / "00_Setup").is_dir()), start)


def load_settings(**explicit: Any) -> Settings:
    """Settings from the process environment and the project's `.env`; `explicit` values win.

    Raises SettingsError for an impossible value, an unknown explicit name, two names of one setting that differ, or a
    name in `.env` that is within two letters of a known one; other unknown names there are listed in one warning.
    """
    found = variables.read(find_root(Path.cwd()) / ".env", Settings.model_fields)
    given = known(explicit)
    called = {name: one.variable for name, one in found.items() if name not in given and one.variable != name.upper()}
    return _build({name: one.value for name, one in found.items()} | given, called)


def known(values: Mapping[str, Any], place: str = "given") -> dict[str, Any]:
    """Values by their settings' own names; they may come in either case, and under the names of other tools.

    Raises SettingsError for what is no setting, and for two names of one setting that differ.
    """
    found = variables.by_setting({name.upper(): value for name, value in values.items()}, Settings.model_fields, place)
    unknown = [name.lower() for name in values if not any(name.upper() in env_names(one) for one in found)]
    if unknown:
        raise _no_such(unknown[0])
    return {name: one.value for name, one in found.items()}


def _build(values: dict[str, Any], called: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults = (item for item in error.errors() if item["type"] != "default_factory_not_called")
        first, *others = (_explained(item, called) for item in faults)
        raise SettingsError(first.reason, setting=first.setting, value=first.value, also=others) from None
    settings._called = called
    return settings


def _explained(item: Any, called: dict[str, str]) -> SettingsError:
    reason = item["msg"].removeprefix("Value error, ")
    name, value = str(item["loc"][0]), item["input"]
    if name.endswith("_base_url") or "://" in str(value):
        value = variables.without_password(value)
    return SettingsError(f"{reason[0].lower()}{reason[1:]}", setting=called.get(name, name).lower(), value=value)


def _no_such(name: str) -> SettingsError:
    near = nearest(name.lower(), Settings.model_fields)
    return SettingsError(f"{name}: no such setting; {f'did you mean {near}?' if near else 'see .env.example'}")


def example_env() -> str:
    """The text of `.env.example`: every setting, its default and one line on it."""
    lines = [
        "# Settings. Copy to .env and uncomment what you change. Explicit arguments and -p win over this file.",
        "",
    ]
    for name, info in Settings.model_fields.items():
        default = info.get_default(call_default_factory=True, validated_data={})
        text = ",".join(map(str, default)) if isinstance(default, tuple) else "" if default is None else str(default)
        canonical, *others = env_names(name)
        lines.append(f"# {info.description}" + (f" Also read: {', '.join(others)}." if others else ""))
        lines += [f"# {canonical}={text.lower() if isinstance(default, bool) else text}", ""]
    return "\n".join(lines)
