"""`--config`: every key reaches an option, the command line wins over the file, the file over the environment."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from endpoint import Endpoint
from outside import bells, write_chunks

from ai_tools.cli import app
from ai_tools.cli.config import BLOCKS, defaults
from ai_tools.errors import InputError, SettingsError, UsageError

COMMANDS = {(one.name or str(one.callback.__name__).replace("_", "-")): one for one in app.registered_commands}  # type: ignore[union-attr]


def write(text: str, path: str = "config.yaml") -> Path:
    file = Path(path)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def parsed(command: str, *arguments: str) -> dict[str, Any]:
    """What the options of a command are in the end; it is not run."""
    needed = {"generate": [], "compare": ["a.json", "b.json", "-o", "out.json"]}.get(command, ["in", "-o", "out"])
    group = typer.main.get_command(app)
    found = group.get_command(typer.Context(group), command)  # type: ignore[attr-defined]
    assert found is not None
    context: typer.Context = found.make_context(command, [*needed, *arguments])
    return context.params


def test_every_command_that_asks_takes_a_file() -> None:
    asking = {name for name, one in COMMANDS.items() if "config" in inspect.signature(one.callback).parameters}  # type: ignore[arg-type]
    assert asking == {command for keys in BLOCKS.values() for commands in keys.values() for command in commands}


EXAMPLES = {
    "temperature": 0, "max_tokens": 77, "provider": "ollama", "model": "x", "base_url": "http://127.0.0.1:9/v1",
    "api_key_env": "HOME", "n_pairs": 3, "questions_per_chunk": 3, "target_pairs": 30, "max_chunks": 4, "batch_size": 2,
    "table": ["a", "b"], "qa_system_message": "You ask.", "qa_extra_instructions": "Briefly.",
    "qa_prompt_template_file": "t.txt", "preserve_original": False, "threshold": 6.5, "topic": "bells",
}  # fmt: skip
KEYS = [(block, key, command) for block in BLOCKS for key in BLOCKS[block] for command in BLOCKS[block][key]]


@pytest.mark.parametrize(("block", "key", "command"), KEYS, ids=str)
def test_every_key_reaches_an_option_of_every_command_that_its_block_is_for(
    toy_root: Path, block: str, key: str, command: str
) -> None:
    import yaml

    file = write(yaml.safe_dump({block: {key: EXAMPLES[key]}}))
    without = parsed(command)
    options = parsed(command, "--config", str(file))
    changed = {name for name, value in options.items() if value != without[name]} - {"config"}
    assert changed == {"n_pairs" if key == "questions_per_chunk" else key}
    (name,) = changed
    value = EXAMPLES[key]
    assert options[name] == (Path(str(value)) if key.endswith("file") else value)
    assert type(options[name]) is not str or isinstance(value, str)


def test_a_block_is_heeded_by_its_own_commands_alone(toy_root: Path) -> None:
    file = write(
        "curate: {max_tokens: 9, batch_size: 2, threshold: 5}\nenrich: {batch_size: 3}\ncot: {max_tokens: 9}\n"
    )
    assert defaults(file, "generate") == {}
    assert defaults(file, "pipeline") == {"threshold": "5"}  # its sampling and batches are those of `generation`
    assert defaults(file, "enrich") == {"batch_size": "3"}
    assert defaults(file, "enhance-cot") == {"max_tokens": "9"}


def test_the_narrower_block_wins_in_whatever_order_they_stand(toy_root: Path) -> None:
    cot, wide, llm = (
        "cot: {temperature: 0.3, target_pairs: 9}\n",
        "generation: {temperature: 0.2, n_pairs: 4}\n",
        "llm: {temperature: 0.1}\n",
    )
    for text in (cot + wide + llm, llm + wide + cot):
        assert defaults(write(text), "generate-cot") == {"temperature": "0.3", "target_pairs": "9"}
        assert defaults(write(text), "generate") == {"temperature": "0.2", "n_pairs": "4"}
        assert defaults(write(text), "curate") == {"temperature": "0.1"}


def test_the_command_line_wins_over_the_file_and_the_file_over_the_environment(
    toy_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    monkeypatch.setenv("TEACHER_TEMPERATURE", "0.9")
    monkeypatch.setenv("TEACHER_MAX_TOKENS", "500")
    monkeypatch.setenv("TEACHER_TOP_P", "0.5")
    with Endpoint() as endpoint:
        connection = f"provider: openai-compatible, model: m, base_url: '{endpoint.url}'"
        write(f"llm: {{{connection}, temperature: 0.4, max_tokens: 40}}")
        for arguments in ([], ["--temperature", "0"]):
            run("generate", "chunks.jsonl", "-o", "out.json", "--config", "config.yaml", *arguments)
        bodies = [one.body for one in endpoint.requests]
    assert [body["temperature"] for body in bodies] == [0.4, 0]
    assert [body["max_tokens"] for body in bodies] == [40, 40]
    assert [body["top_p"] for body in bodies] == [0.5, 0.5]


def run(*arguments: str) -> None:
    assert not app(list(arguments), standalone_mode=False)


WHOLE = """
llm:
  provider: ollama
  model: mistral:latest
  base_url: http://localhost:11434
  temperature: 0.7
  anthropic: {api_key: "${ANTHROPIC_API_KEY}", model: claude-x}
  gemini: {api_key: sk-in-the-clear}
generation: {n_pairs: 5, batch_size: 50}
filtering: {threshold: 7.0}
rate_limit: {requests_per_minute: 60}
output: {format: chatml}
"""


def test_the_whole_file_of_the_generator_over_lancedb_is_read_and_what_is_for_it_alone_is_named_once(
    toy_root: Path,
) -> None:
    write(WHOLE, "configs/config.yaml")
    with pytest.warns(UserWarning, match="mean nothing here; ignored") as caught:
        options = parsed("generate")
    assert [options[name] for name in ("provider", "model", "n_pairs", "batch_size")] == [
        "ollama", "mistral:latest", 5, 50
    ]  # fmt: skip
    (line,) = [str(one.message) for one in caught]
    assert "rate_limit, filtering, output, llm.anthropic.api_key, llm.gemini.api_key mean" in line
    assert "sk-in-the-clear" not in line
    with pytest.warns(UserWarning, match="ignored"):
        assert parsed("enrich", "--provider", "claude")["model"] == "claude-x"
    write(WHOLE.replace("provider: ollama", "provider: anthropic"), "configs/config.yaml")
    with pytest.warns(UserWarning, match="ignored"):
        chosen = parsed("generate")
    assert (chosen["provider"], chosen["model"], chosen["base_url"]) == ("anthropic", "claude-x", None)
    write(WHOLE + "limits: {}\nretry: 3\n")
    with pytest.raises(SettingsError, match=r"limits is not known.*; retry is not known"):
        parsed("generate", "--config", "config.yaml")


def test_two_names_of_one_key_may_say_the_same_and_are_refused_where_they_differ(toy_root: Path) -> None:
    assert defaults(write("generation: {n_pairs: 4, questions_per_chunk: 4}"), "generate") == {"n_pairs": "4"}
    words = "generation.n_pairs is 4 and generation.questions_per_chunk is 5, two names of one thing"
    with pytest.raises(SettingsError, match=words):
        defaults(write("generation: {questions_per_chunk: 5, n_pairs: 4}"), "generate")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--n-pairs", "3", "--questions-per-chunk", "5"), "--n-pairs 3 and --questions-per-chunk 5"),
        (("--questions-per-chunk=5", "--n-pairs=3"), "--n-pairs 3 and --questions-per-chunk 5"),
        (("-o", "a.json", "--output", "b.json"), "--output b.json and -o a.json"),
    ],
)
def test_two_names_of_one_option_are_refused_where_they_differ(
    toy_root: Path, given: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=f"{words}: two names of one thing; give one of them"):
        parsed("generate", *given)


def test_two_names_of_one_option_may_say_the_same_and_win_over_the_file(toy_root: Path) -> None:
    assert parsed("generate", "--n-pairs", "3", "--questions-per-chunk=3", "--yes", "-y")["n_pairs"] == 3
    write("generation: {n_pairs: 4}")
    assert parsed("generate", "--config", "config.yaml", "--questions-per-chunk", "3")["n_pairs"] == 3


def test_a_number_of_pairs_on_the_command_line_takes_the_place_of_one_in_the_file(toy_root: Path) -> None:
    write("generation: {n_pairs: 4}\n", "n.yaml")
    write("generation: {target_pairs: 40}\n", "t.yaml")
    for arguments, wanted in (
        (("--config", "n.yaml", "--target-pairs", "7"), (None, 7)),
        (("--target-pairs", "7", "--config", "n.yaml"), (None, 7)),
        (("--config", "t.yaml", "--n-pairs", "2"), (2, None)),
        (("--config", "t.yaml"), (None, 40)),
    ):
        options = parsed("generate", *arguments)
        assert (options["n_pairs"], options["target_pairs"]) == wanted


def test_the_default_file_is_read_where_it_exists_and_no_other_is_given(toy_root: Path) -> None:
    assert parsed("generate")["n_pairs"] is None
    write("generation: {n_pairs: 4}", "configs/config.yaml")
    assert parsed("generate")["n_pairs"] == 4
    write("llm:", "other.yaml")
    assert parsed("generate", "--config", "other.yaml")["n_pairs"] is None


# --- the block llm ---

SEVERAL = """
llm:
  temperature: 0.5
  openai: {model: gpt-x, temperature: 0.1}
  ollama: {model: gemma, base_url: "http://127.0.0.1:9"}
"""


def test_what_stands_under_a_provider_counts_where_that_one_is_chosen(
    toy_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(SEVERAL)
    monkeypatch.setenv("PROVIDER", "openai")
    options = parsed("generate", "--config", "config.yaml")
    assert [options[name] for name in ("provider", "model", "base_url", "temperature")] == [None, "gpt-x", None, 0.1]
    for arguments in (
        ("--config", "config.yaml", "--provider", "local"),
        ("--provider", "ollama", "--config", "config.yaml"),
    ):
        options = parsed("generate", *arguments)
        assert [options[name] for name in ("model", "temperature")] == ["gemma", 0.5]
    write(SEVERAL.replace("llm:", "llm:\n  provider: ${WHO}"))
    monkeypatch.setenv("WHO", "Ollama")
    assert parsed("generate", "--config", "config.yaml")["model"] == "gemma"
    write("llm: {anthropic: {model: c}}")  # the only one that is named
    options = parsed("generate", "--config", "config.yaml")
    assert (options["provider"], options["model"]) == ("anthropic", "c")


def test_a_model_an_address_and_a_key_in_the_file_are_for_its_own_provider(toy_root: Path) -> None:
    write("llm: {provider: openai-compatible, model: m, base_url: 'http://127.0.0.1:9', api_key_env: K, max_tokens: 5}")
    names = ("provider", "model", "base_url", "api_key_env", "max_tokens")
    options = parsed("generate", "--config", "config.yaml", "--provider", "openai")
    assert [options[name] for name in names] == ["openai", None, None, None, 5]
    options = parsed("generate", "--config", "config.yaml", "--model", "n")
    assert [options[name] for name in names] == ["openai-compatible", "n", "http://127.0.0.1:9", "K", 5]


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lm: {model: x}", "lm is not known; did you mean llm?"),
        ("llm: {modle: x}", "llm.modle is not known; did you mean llm.model?"),
        ("llm: {olama: {model: x}}", "llm.olama is not known; did you mean llm.ollama?"),
        ("llm: {ollama: {modle: x}}", "llm.ollama.modle is not known; did you mean llm.ollama.model?"),
        ("llm: {api_key: sk-1}", "llm.api_key is not known; did you mean llm.api_key_env?"),
        ("curate: {treshold: 8}", "curate.treshold is not known; did you mean curate.threshold?"),
        ("generation: {wrong_thing: 1}", "generation.wrong_thing is not known; there are "),
        (
            "curate: {temperature: 0.1}",
            "curate.temperature has no effect, for a judge is always asked at temperature 0",
        ),
        ("generation: [1]", "generation is no mapping"),
        ("- llm", "the file is no mapping"),
        ("generation: {n_pairs: {a: 1}}", "generation.n_pairs wants one value"),
        ("generation: {qa_system_message: '${NO_SUCH}'}", "wants the environment variable NO_SUCH, which is not set"),
    ],
)
def test_what_nothing_reads_is_refused(toy_root: Path, text: str, words: str) -> None:
    write(text)
    with pytest.raises(SettingsError) as caught:
        parsed("generate", "--config", "config.yaml")
    assert str(caught.value).startswith("--config config.yaml: ")
    assert words in str(caught.value)


def test_all_that_nothing_reads_is_named_at_once(toy_root: Path) -> None:
    write("lm: {}\nllm: {modle: x, ollama: {temprature: 1, provider: y}}\ncurate: {temperature: 0}\ncot: 3\n1: {}\n")
    with pytest.raises(SettingsError) as caught:
        parsed("generate", "--config", "config.yaml")
    said = str(caught.value).removeprefix("--config config.yaml: ").split("; ")
    assert [part for part in said if part.endswith(("known", "judge is always asked at temperature 0", "mapping"))] == [
        "llm.ollama.temprature is not known",
        "llm.ollama.provider is not known",
        "llm.modle is not known",
        "curate.temperature has no effect, for a judge is always asked at temperature 0",
        "cot is no mapping",
        "lm is not known",
        "1 is not known",
    ]
    assert {"did you mean llm?", "did you mean llm.model?", "did you mean llm.ollama.temperature?"} <= {*said}


@pytest.mark.parametrize("value", ["2.5", "true", "many", "[2]"])
def test_a_value_is_checked_like_that_of_an_option(toy_root: Path, value: str) -> None:
    write(f"generation: {{n_pairs: {value}}}")
    with pytest.raises((SettingsError, typer.BadParameter)) as caught:
        parsed("generate", "--config", "config.yaml")
    error = caught.value
    said = error.format_message() if isinstance(error, typer.BadParameter) else str(error)
    assert "n_pairs" in said.replace("-", "_")


def test_a_variable_is_expanded_where_its_block_is_heeded(toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "127.0.0.1")
    file = write("llm: {base_url: 'http://${HOST}:9/v1'}\ncurate: {topic: '${NO_SUCH}'}")
    assert defaults(file, "generate")["base_url"] == "http://127.0.0.1:9/v1"
    with pytest.raises(SettingsError, match="NO_SUCH"):
        defaults(file, "curate")


def spoil_nothing(_: Path) -> None: ...


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (spoil_nothing, "no such file"),
        (Path.mkdir, "cannot be read"),
        (lambda path: path.write_text("llm: {model: x\nother: y"), "line 2: not YAML"),
        (lambda path: path.write_bytes(b"\xff\xfe{"), "not YAML"),
        (lambda path: path.write_text("llm:\n\tmodel: x"), "line 2: not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(toy_root: Path, make: Callable[[Path], Any], words: str) -> None:
    make(toy_root / "config.yaml")
    with pytest.raises(InputError, match=words) as caught:
        parsed("generate", "--config", "config.yaml")
    assert "\n" not in str(caught.value)


def test_two_numbers_of_pairs_in_one_block_are_refused(toy_root: Path) -> None:
    write_chunks(toy_root / "chunks.jsonl", bells(1))
    write("generation: {n_pairs: 4, target_pairs: 40}")
    with pytest.raises(UsageError, match="exclude each other"):
        run("generate", "chunks.jsonl", "-o", "out.json", "--config", "config.yaml")


def test_empty_values_say_nothing(toy_root: Path) -> None:
    for text in ("llm:\n", "llm: {model: }\ngeneration:\n"):
        assert defaults(write(text), "generate") == {}


@pytest.mark.parametrize("text", ["", "# llm: {model: m}\n", "---\n", "{}"])
def test_a_file_without_an_option_is_an_error_where_it_is_named_and_else_a_warning(toy_root: Path, text: str) -> None:
    write(text)
    says = re.escape(
        "--config config.yaml: holds no option; write some, as in `llm: {model: NAME}`, or leave --config out"
    )
    with pytest.raises(SettingsError, match=says):
        parsed("generate", "--config", "config.yaml")
    write(text, "configs/config.yaml")
    with pytest.warns(UserWarning, match=r"--config configs/config\.yaml: holds no option; .* or remove the file"):
        assert parsed("generate")["n_pairs"] is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "version: 3\nservices: {web: {image: x}}\nvolumes: {}\n",
            "no file of options; it has version, services, volumes in",
        ),
        ('{"model": "m", "messages": []}', "no file of options; it has model, messages in place of llm, generation, "),
        ("[tool.bells]\nrung = 1\n", "not YAML"),
        ("- llm\n", "the file is no mapping"),
    ],
)
def test_a_file_of_another_program_is_one_clear_line(toy_root: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        defaults(write(text), "generate")
    assert "\n" not in str(caught.value)
