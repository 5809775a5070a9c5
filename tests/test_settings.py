"""Settings: which source wins, what an error says, and that none is declared in vain."""

import ast
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from ai_tools import settings
from ai_tools.errors import SettingsError
from ai_tools.settings import Settings, env_names, load_settings

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("toy_root")


def write_env(text: str) -> None:
    Path(".env").write_text(text)


def test_the_canonical_name_beats_its_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_PROVIDER", "second")
    monkeypatch.setenv("MODEL_PROVIDER", "third")
    monkeypatch.setenv("PROVIDER", "first")
    assert load_settings().provider == "first"


def test_aliases_win_in_the_order_in_which_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PROVIDER", "third")
    monkeypatch.setenv("GENERATOR_PROVIDER", "second")
    assert env_names("provider") == ["PROVIDER", "GENERATOR_PROVIDER", "MODEL_PROVIDER"]
    assert load_settings().provider == "second"


@pytest.mark.parametrize("variable", ["PROVIDER", "GENERATOR_PROVIDER", "MODEL_PROVIDER"])
@pytest.mark.parametrize("in_file", ["PROVIDER", "GENERATOR_PROVIDER"])
def test_the_environment_beats_the_env_file_whatever_the_alias(
    monkeypatch: pytest.MonkeyPatch, variable: str, in_file: str
) -> None:
    write_env(f"{in_file}=from_file\n")
    assert load_settings().provider == "from_file"
    monkeypatch.setenv(variable, "from_environment")
    assert load_settings().provider == "from_environment"


def test_an_explicit_value_beats_everything_even_where_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    write_env("SEED=1\n")
    monkeypatch.setenv("SEED", "2")
    monkeypatch.setenv("GENERATOR_PROVIDER", "environment")
    monkeypatch.setenv("REPLAY_SHARE", "0.5")
    found = load_settings(SEED=3, provider="explicit", replay_share=None)
    assert (found.seed, found.provider, found.replay_share) == (3, "explicit", None)


def test_a_changed_copy_keeps_all_other_values_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_settings(seed=3, epochs=None)
    monkeypatch.setenv("SEED", "7")
    monkeypatch.setenv("EPOCHS", "9")
    monkeypatch.chdir("docs")
    copy = first.with_(domain="bells")
    assert (copy.seed, copy.epochs, copy.domain, copy.root) == (3, None, "bells", first.root)
    assert first.domain == ""


@pytest.mark.parametrize("place", ["environment", "file"])
def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    if place == "file":
        write_env("CHUNK_TOKENS=\nSTUDENT_MODEL_NAME=\nREPLAY_SHARE=\n")
    else:
        for name in ("CHUNK_TOKENS", "STUDENT_MODEL_NAME", "REPLAY_SHARE"):
            monkeypatch.setenv(name, "")
    found = load_settings()
    assert (found.chunk_tokens, found.student_model_name, found.replay_share) == (512, "tiny", None)


@pytest.mark.parametrize(
    ("wrong", "right"), [("PROVDER", "PROVIDER"), ("SEEDS", "SEED"), ("CUT_SIZE", "CUT_SIZES"), ("EPOHCS", "EPOCHS")]
)
def test_a_misspelt_name_in_the_env_file_is_an_error_that_offers_the_right_one(wrong: str, right: str) -> None:
    write_env(f"{wrong}=1\n")
    with pytest.raises(SettingsError, match=rf"{wrong} is not a setting; did you mean {right}\?"):
        load_settings()


def test_other_unknown_names_in_the_env_file_are_listed_in_one_warning() -> None:
    write_env("WANDB_PROJECT=x\nSEED=4\nEDITOR_OF_CHOICE=vi\n")
    with pytest.warns(UserWarning, match="ignored") as caught:
        assert load_settings().seed == 4
    assert [str(one.message) for one in caught] == [
        ".env: ignored, nothing reads them: WANDB_PROJECT, EDITOR_OF_CHOICE"
    ]


def test_unknown_names_in_the_process_environment_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVDER", "x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_settings().provider == "offline"


def test_an_unknown_explicit_name_is_an_error_that_offers_a_near_one() -> None:
    with pytest.raises(SettingsError, match="chunk_token: no such setting; did you mean chunk_tokens"):
        load_settings(chunk_token=3)
    with pytest.raises(SettingsError, match=r"zzz: no such setting; see \.env\.example"):
        load_settings().with_(zzz=3)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"chunk_tokens": "many"}, "CHUNK_TOKENS=many: input should be a valid integer"),
        ({"teacher_temperature": -1}, "TEACHER_TEMPERATURE=-1: input should be greater than or equal to 0"),
        ({"teacher_temperature": "nan"}, "TEACHER_TEMPERATURE=nan: "),
        ({"document_in_context": "some"}, "DOCUMENT_IN_CONTEXT=some: input should be 'none', 'summaries' or 'all'"),
        ({"cut_sizes": "5,0"}, "give one or more whole numbers from 1 up, such as 5,10"),
        ({"cut_sizes": ","}, "give one or more whole numbers from 1 up"),
        ({"replay_share": 1}, "REPLAY_SHARE=1: input should be less than 1"),
        ({"max_failure_rate": 2, "seed": -1}, "SEED=-1"),
    ],
)
def test_an_impossible_value_gives_one_line_that_names_it(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**values)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    for name in values:
        assert f"{name.upper()}=" in str(caught.value)


def test_temperature_zero_is_legal_and_stays_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(teacher_temperature=0).with_(seed=1).teacher_temperature == 0
    monkeypatch.setenv("GENERATOR_TEMPERATURE", "0")
    assert load_settings().teacher_temperature == 0


def test_cut_sizes_are_read_from_a_comma_list_and_give_the_number_of_summaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUT_SIZES", "10, 5,5")
    assert (load_settings().cut_sizes, load_settings().summaries) == ((5, 10), 10)
    assert load_settings(cut_sizes="3").cut_sizes == (3,)
    assert load_settings(number_of_summaries=2).summaries == 2


def test_paths_are_relative_to_the_folder_that_holds_00_setup(
    toy_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write_env("SEED=11\n")
    monkeypatch.chdir("docs")
    found = load_settings(output_dir="here", exam="docs/exam.csv")
    assert (found.root, found.output, found.exam_path) == (toy_root, toy_root / "here", toy_root / "docs/exam.csv")
    assert found.seed == 11
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert load_settings().output == elsewhere / "output"
    assert load_settings(output_dir=toy_root).output == toy_root


def test_the_sample_exam_goes_with_the_sample_documents_only() -> None:
    assert load_settings().exam_path == load_settings().resolve("assets/exam.jsonl")
    assert load_settings(source_documents="docs").exam_path is None


def test_a_local_student_is_a_path_and_a_name_stays_a_name(toy_root: Path) -> None:
    (toy_root / "models/mine").mkdir(parents=True)
    (toy_root / "tiny").mkdir()
    found = load_settings(student_model_name="models/mine")
    assert found.student_source == found.tokenizer_source == str(toy_root / "models/mine")
    assert load_settings().student_source == "tiny"
    assert load_settings(tokenizer_model_name="org/name").tokenizer_source == "org/name"


def test_a_step_records_the_settings_that_change_its_result_and_no_others() -> None:
    values = load_settings(cut_sizes="2", max_concurrency=3).of_step(3)
    assert values["cut_sizes"] == [2]
    assert {"teacher_temperature", "customisation_prompt", "seed"} <= values.keys()
    assert not {"max_concurrency", "output_dir", "learning_rate"} & values.keys()
    assert json.loads(json.dumps(values)) == values


def test_the_example_file_is_what_the_settings_say() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == settings.example_env()


def test_the_example_file_read_back_changes_nothing() -> None:
    text = settings.example_env()
    uncommented = [line.removeprefix("# ") for line in text.splitlines() if "=" in line and ": " not in line]
    write_env("\n".join(uncommented))
    assert len(uncommented) == len(Settings.model_fields)
    assert load_settings() == load_settings().with_()
    Path(".env").unlink()
    defaults = load_settings()
    write_env("\n".join(uncommented))
    assert load_settings() == defaults


def test_a_setting_that_nothing_reads_does_not_exist() -> None:
    read: set[str] = set()
    for path in (ROOT / "src/ai_tools").glob("*.py"):
        holders = {"settings"} | ({"self"} if path.stem == "settings" else set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in holders:
                read.add(node.attr)
    for path in ROOT.glob("0*_*/*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
                read |= names_read("".join(cell["source"]))
    assert set(Settings.model_fields) - read == set()


def names_read(source: str) -> set[str]:
    """Names, attributes and words that a cell uses; handing a parameter back to `settings.with_` is no use."""
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "settings.with_"]
    handed_back = {id(keyword.value) for call in calls for keyword in call.keywords}
    names = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in handed_back}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and node.value}
