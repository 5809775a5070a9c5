"""Settings: which source wins, what an error says, and that none is declared in vain."""

import ast
import json
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from ai_tools import settings
from ai_tools.aliases import NOT_ALONE
from ai_tools.errors import SettingsError
from ai_tools.settings import Settings, load_settings
from ai_tools.variables import env_names

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.usefixtures("toy_root")


def write_env(text: str) -> None:
    Path(".env").write_text(text)


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


VARIABLES = [variable for name in Settings.model_fields for variable in env_names(name)]
SLIPS = st.tuples(st.integers(0, 30), st.sampled_from(["put in", "leave out", "replace"]), st.sampled_from("AEKSX_"))


@given(st.sampled_from(VARIABLES), st.lists(SLIPS, min_size=1, max_size=2))
@hypothesis_settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_name_in_the_env_file_that_two_letters_tell_from_a_setting_is_an_error(
    name: str, slips: list[tuple[int, str, str]]
) -> None:
    for place, what, letter in slips:
        at = place % len(name)
        name = name[:at] + ("" if what == "leave out" else letter) + name[at + (what != "put in") :]
    assume(name not in VARIABLES)
    write_env(f"{name}=1\n")
    with pytest.raises(SettingsError, match=rf"{name} is not a setting; did you mean [A-Z_]+\?"):
        load_settings()


@pytest.mark.parametrize("name", ["USER", "HOME", "HF_TOKEN", "WANDB_API_KEY", "CUDA_VISIBLE_DEVICES", "LOG_LEVEL"])
def test_what_others_keep_in_the_env_file_is_no_slip(name: str) -> None:
    write_env(f"{name}=1\n")
    with pytest.warns(UserWarning, match=f"nothing reads them: {name}$"):
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
        ({"max_concurrency": 0}, "MAX_CONCURRENCY=0: input should be greater than or equal to 1"),
        ({"max_retries": -1}, "MAX_RETRIES=-1: input should be greater than or equal to 0"),
        ({"request_timeout": 0}, "REQUEST_TIMEOUT=0: input should be greater than 0"),
        ({"max_calls": 0, "max_tokens_total": 0, "max_usd": 0}, "MAX_USD=0: input should be greater than 0"),
        ({"ollama_num_ctx": 10, "ollama_top_p": 2}, "OLLAMA_TOP_P=2: input should be less than or equal to 1"),
        ({"chunk_overlap": -1}, "CHUNK_OVERLAP=-1: input should be greater than or equal to 0"),
        ({"chunk_overlap": 512}, "CHUNK_OVERLAP=512: give less than CHUNK_TOKENS, which is 512"),
        ({"pdf_converter": "magic"}, "PDF_CONVERTER=magic: input should be 'builtin' or 'docling'"),
        ({"max_file_mb": 0, "file_timeout": 0, "fetch_timeout": "inf"}, "FETCH_TIMEOUT=inf: input should be a finite"),
        ({"enable_reasoning": "perhaps"}, "ENABLE_REASONING=perhaps: input should be a valid boolean"),
    ],
)
def test_an_impossible_value_gives_one_line_that_names_it(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**values)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    for name in values:
        assert f"{name.upper()}=" in str(caught.value)


def test_an_error_carries_its_setting_so_that_it_can_be_called_by_its_option() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(chunk_tokens="many; SEED=x", seed=-1)
    error = caught.value
    assert (error.setting, [other.setting for other in error.also]) == ("chunk_tokens", ["seed"])
    first, second = "many; SEED=x: input should be a valid integer", "-1: input should be greater than or equal to 0"
    assert str(error).startswith(f"CHUNK_TOKENS={first}")
    assert str(error).endswith(f"; SEED={second}")
    assert error.said({"seed": "--seed "}).startswith(f"CHUNK_TOKENS={first}")
    assert error.said({"seed": "--seed "}).endswith(f"; --seed {second}")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("cut_sizes", 5, (5,)),
        ("cut_sizes", [10, 5], (5, 10)),
        ("training_cut", 10, "10"),
        ("document_outline", 1984, "1984"),
        ("document_outline", date(1984, 5, 1), "1984-05-01"),
        ("domain", True, "True"),
        ("exam", None, ""),
        ("source_documents", ["a.md", "b"], "a.md,b"),
        ("teacher_model_name", 4.5, "4.5"),
        ("output_dir", 2024, Path("2024")),
        ("chunk_tokens", 128.0, 128),
        ("learning_rate", 1, 1.0),
    ],
)
def test_a_value_comes_as_papermill_or_yaml_reads_it(name: str, value: Any, read: Any) -> None:
    assert getattr(load_settings(**{name: value}), name) == read
    assert getattr(load_settings().with_cells({name: value}), name) == read


@pytest.mark.parametrize(("name", "value"), [("domain", {"a": 1}), ("cut_sizes", 2.5), ("chunk_tokens", 0.5)])
def test_a_value_that_can_be_none_is_an_error_whatever_its_type(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name.upper()}="):
        load_settings().with_cells({name: value})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("CHUNK_TOKENS = 128", r"CHUNK_TOKENS: no such setting; did you mean chunk_tokens\?"),
        ("seeed = 3", r"seeed: no such setting; did you mean seed\?"),
        ("zzz = 3", r"zzz: no such setting; see \.env\.example"),
        (
            "api_key = 'k'",
            r"teacher_model_api_key: papermill writes what it is given into the notebook; set it in \.env",
        ),
        (
            "openai_api_key = 'k'",
            r"openai_api_key: papermill writes what it is given into the notebook; set it in \.env",
        ),
    ],
)
def test_a_name_that_papermill_puts_in_and_nobody_reads_is_an_error_that_offers_a_near_one(
    line: str, says: str
) -> None:
    cells = ["", "seed: int = settings.seed", f"# Parameters\nqa_per_doc = 2\n{line}\n", "settings.with_cells(…)"]
    names: dict[str, Any] = {"In": cells, "seed": 0, "qa_per_doc": 2}
    exec(line, names)  # noqa: S102 - as papermill's cell would
    with pytest.raises(SettingsError, match=f"^{says}$"):
        load_settings().with_cells(names)


def test_a_name_of_another_tool_counts_where_papermill_puts_it_in() -> None:
    names = {
        "In": ["# Parameters\nendpoint = 'http://h:1/v1'\n"],
        "endpoint": "http://h:1/v1",
        "teacher_model_base_url": "",
    }
    assert load_settings().with_cells(names).teacher_model_base_url == "http://h:1/v1"


def test_the_cells_of_a_notebook_may_hold_anything_else() -> None:
    cells = ["", "# Parameters of a plot\nWIDTH = 3", "%matplotlib inline", "# Parameters\nqa_per_doc = 2\n"]
    names = {"In": cells, "WIDTH": 3, "seed": 4, "qa_per_doc": 2, "frame": object(), "settings": load_settings()}
    found = load_settings(domain="bells").with_cells(names)
    assert (found.seed, found.qa_per_doc, found.domain) == (4, 2, "bells")


def test_temperature_zero_is_legal_and_stays_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(teacher_temperature=0).with_(seed=1).teacher_temperature == 0
    monkeypatch.setenv("GENERATOR_TEMPERATURE", "0")
    assert load_settings().teacher_temperature == 0


TEACHERS = [
    ("PROVIDER GENERATOR_PROVIDER MODEL_PROVIDER", " OpenAI ", "openai"),
    ("TEACHER_MODEL_NAME MODEL_NAME GENERATOR_MODEL", "gpt-x", "gpt-x"),
    ("TEACHER_MODEL_BASE_URL ENDPOINT", "http://h.test/v1", "http://h.test/v1"),
    ("OLLAMA_BASE_URL", "http://h.test", "http://h.test"),
    ("TEACHER_MODEL_API_KEY API_KEY", "k-1", SecretStr("k-1")),
    ("OPENAI_API_KEY", "k-2", SecretStr("k-2")),
    ("ANTHROPIC_API_KEY", "k-3", SecretStr("k-3")),
    ("GEMINI_API_KEY GOOGLE_API_KEY", "k-4", SecretStr("k-4")),
    ("TEACHER_TEMPERATURE GENERATOR_TEMPERATURE", "0", 0.0),
    ("TEACHER_MAX_TOKENS GENERATOR_MAX_TOKENS", "9", 9),
    ("TEACHER_TOP_P", "0.5", 0.5),
    ("TEACHER_PRICE", "0.15, 0.60", (0.15, 0.6)),
    ("OLLAMA_TOP_K", "5", 5),
    ("OLLAMA_TOP_P", "0.5", 0.5),
    ("OLLAMA_REPEAT_PENALTY", "1.1", 1.1),
    ("OLLAMA_NUM_PREDICT", "-1", -1),
    ("OLLAMA_NUM_CTX", "512", 512),
    ("OLLAMA_STOP", "END,STOP", ("END", "STOP")),
    ("ENABLE_REASONING", "true", True),
    ("JUDGE_MODEL_NAME", "j", "j"),
    ("JUDGE_BASE_URL", "http://j.test/v1", "http://j.test/v1"),
    ("JUDGE_API_KEY", "k-5", SecretStr("k-5")),
    ("CUSTOMISATION_PROMPT", "Ask in verse.", "Ask in verse."),
    ("QUESTIONS_PER_CHUNK GENERATOR_QUESTIONS_PER_CHUNK", "7", 7),
    ("MAX_CONCURRENCY", "3", 3),
    ("REQUEST_TIMEOUT INFERENCE_SERVER_TIMEOUT", "2.5", 2.5),
    ("MAX_RETRIES", "0", 0),
    ("MAX_CALLS", "10", 10),
    ("MAX_TOKENS_TOTAL", "1000", 1000),
    ("MAX_USD", "0.5", 0.5),
    ("RETRY_REJECTED", "true", True),
    ("MAX_FAILURE_RATE", "0", 0.0),
]


@pytest.mark.parametrize(("names", "text", "value"), TEACHERS, ids=[names for names, *_ in TEACHERS])
def test_every_setting_of_a_teacher_is_read_by_each_of_its_names(
    monkeypatch: pytest.MonkeyPatch, names: str, text: str, value: Any
) -> None:
    canonical, *aliases = names.split()
    assert env_names(canonical.lower()) == [canonical, *aliases]
    assert getattr(load_settings(), canonical.lower()) != value
    for name in (canonical, *aliases):
        with monkeypatch.context() as patch:
            patch.setenv(name, text)
            for other in NOT_ALONE.get(name, ())[:1]:
                patch.setenv(other, "beside")
            assert getattr(load_settings(), canonical.lower()) == value


def test_without_any_setting_the_teacher_is_the_offline_one_with_the_promised_defaults() -> None:
    found = load_settings()
    assert (found.provider, found.teacher_model_name, found.teacher_model_base_url) == ("offline", "", "")
    assert (found.teacher_temperature, found.teacher_max_tokens, found.questions_per_chunk) == (0.7, 4096, 5)
    assert (found.server_wait, found.max_retries, found.max_failure_rate) == (600.0, 5, 0.1)
    limits = (found.max_concurrency, found.request_timeout, found.max_calls, found.max_tokens_total, found.max_usd)
    assert (*limits, found.teacher_price) == (None,) * 6
    assert (found.enable_reasoning, found.retry_rejected) == (False, False)


@pytest.mark.parametrize("price", ["0.15,0.60", " 0.15 , 0.6 ", (0.15, 0.6), [0.15, "0.60"]], ids=str)
def test_a_price_is_two_amounts(price: Any) -> None:
    found = load_settings(teacher_price=price)
    assert found.teacher_price == (0.15, 0.6)
    assert found.with_(seed=1).teacher_price == (0.15, 0.6)


def test_a_price_may_be_nothing_and_is_unset_where_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(teacher_price="0,0").teacher_price == (0.0, 0.0)
    monkeypatch.setenv("TEACHER_PRICE", "")
    assert load_settings().teacher_price is None


@pytest.mark.parametrize(
    "price", ["1", "1,2,3", "1,", "cheap,dear", "-1,2", "nan,1", "1,inf", "$1,$2", ",", (1,)], ids=str
)
def test_what_is_no_price_is_an_error_with_an_example(price: Any) -> None:
    with pytest.raises(SettingsError, match=r"TEACHER_PRICE=.*: give two amounts, in and out, such as 0\.15,0\.60"):
        load_settings(teacher_price=price)


@pytest.mark.parametrize("price", [5, (None, 1)], ids=str)
def test_a_price_of_another_type_is_the_same_error(price: Any) -> None:
    with pytest.raises(SettingsError, match="give two amounts"):
        load_settings(teacher_price=price)


ADDRESSES = ("teacher_model_base_url", "ollama_base_url", "judge_base_url")


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_may_end_as_people_write_it(name: str) -> None:
    for written in ("http://h.test:8000/v1", " http://h.test:8000/v1/ ", "http://h.test:8000/v1/chat/completions"):
        assert getattr(load_settings(**{name: written}), name) == "http://h.test:8000/v1"
    assert getattr(load_settings(**{name: ""}), name) == ""


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("address", ["h.test:8000/v1", "localhost", "ftp://h.test", "http://", "http:///v1", "/v1"])
def test_what_is_no_address_is_an_error_with_an_example(name: str, address: str) -> None:
    with pytest.raises(
        SettingsError, match=f"{name.upper()}=.*: write the whole address, such as http://localhost:8000/v1"
    ):
        load_settings(**{name: address})


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("address", ["https://ada:hunter2@h.test/v1", "http://hunter2@h.test/v1"])
def test_an_address_with_a_password_is_refused_without_showing_it(name: str, address: str) -> None:
    with pytest.raises(
        SettingsError, match="leave user and password out; a key belongs in TEACHER_MODEL_API_KEY"
    ) as caught:
        load_settings(**{name: address})
    assert "hunter2" not in str(caught.value)
    assert "h.test" in str(caught.value)


@pytest.mark.parametrize(
    "address", ["ada:hunter2@h.test/v1", "https://ada:@hunter2@h.test/v1", "ftp:/ada:hunter2@h.test"]
)
def test_a_password_in_what_is_hardly_an_address_is_not_shown_either(address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(teacher_model_base_url=address)
    assert "hunter2" not in str(caught.value)


def test_an_overlap_is_less_than_a_chunk_whichever_of_the_two_is_set() -> None:
    assert load_settings(chunk_overlap=511).chunk_overlap == 511
    assert load_settings(chunk_tokens=64, chunk_overlap=16).with_(chunk_tokens=32).chunk_overlap == 16
    with pytest.raises(SettingsError, match="CHUNK_OVERLAP=16: give less than CHUNK_TOKENS, which is 16"):
        load_settings(chunk_tokens=64, chunk_overlap=16).with_(chunk_tokens=16)


def test_a_document_s_address_with_a_password_is_refused_without_showing_it() -> None:
    address = "https://ada:hunter2@h.test/guide"
    with pytest.raises(SettingsError, match="leave user and password out; save the page and give the file") as caught:
        load_settings(source_documents=f"docs, {address}")
    assert "hunter2" not in str(caught.value)
    mail = "docs, https://h.test/@ada/guide?mail=a@b.test, mail@home.md"
    assert load_settings(source_documents=mail).source_documents == mail


def test_what_is_read_and_within_which_limits_belongs_to_the_steps_that_convert_documents() -> None:
    limits = {"source_documents", "pdf_converter", "max_file_mb", "file_timeout", "fetch_timeout", "chunk_overlap"}
    assert limits <= load_settings().of_step(2).keys()
    assert not limits & load_settings().of_step(1).keys(), "the exam is given"
    assert limits <= load_settings(source_documents="docs").of_step(1).keys()
    assert "icl_file" in load_settings().of_step(2)


SECRETS = {name for name in Settings.model_fields if name.endswith("_api_key")}


def test_no_key_is_shown_by_the_settings_nor_recorded_by_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(SECRETS) == 5
    for name in SECRETS:
        monkeypatch.setenv(env_names(name)[0], f"marked-{name}")
    found = load_settings(exam="")
    assert all(getattr(found, name).get_secret_value() == f"marked-{name}" for name in SECRETS)
    shown = [repr(found), str(found), f"{found}", found.model_dump_json(), str(found.model_dump())]
    shown += [str(found.with_(source_documents="docs")), *(str(found.of_step(number)) for number in range(7))]
    shown += [str(found.with_(source_documents="docs").of_step(number)) for number in range(7)]
    assert [text for text in shown if "marked-" in text] == []
    with pytest.raises(SettingsError) as caught:
        found.with_(seed=-1)
    assert "marked-" not in str(caught.value)


def test_a_changed_copy_keeps_its_keys() -> None:
    copy = load_settings(openai_api_key="marked").with_(seed=1)
    assert copy.openai_api_key is not None
    assert copy.openai_api_key.get_secret_value() == "marked"


def test_a_step_records_whom_it_asked_and_how_and_nothing_of_limits_or_keys() -> None:
    asked = {name for name in Settings.model_fields if name.startswith(("teacher_", "ollama_", "judge_"))} - SECRETS
    values = load_settings().of_step(3)
    assert asked - {"teacher_price"} <= values.keys()
    assert {"provider", "enable_reasoning", "customisation_prompt", "questions_per_chunk"} <= values.keys()
    limits = {name for name in Settings.model_fields if name.startswith("max_")} - {"max_seq_len"}
    assert not (SECRETS | limits | {"teacher_price", "request_timeout", "retry_rejected"}) & values.keys()


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


def test_stops_of_one_text_are_separated_by_commas_and_those_of_a_list_stand_as_they_are() -> None:
    stops = {"": (), "END,###": ("END", "###"), 5: ("5",), ("so, then", 5): ("so, then", "5"), None: ()}
    assert {given: Settings(ollama_stop=given).ollama_stop for given in stops} == stops


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
    providers = yaml.safe_load((ROOT / "src/ai_tools/data/providers.yaml").read_text("utf-8"))["providers"]
    read = {key for row in providers.values() for key in row.get("keys", ())}
    for path in (ROOT / "src/ai_tools").rglob("*.py"):
        holders = {"settings", "limits", "reading"} | ({"self"} if path.stem == "settings" else set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2].strip("_") in holders:
                read.add(node.attr)
    for path in ROOT.glob("0*_*/*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
                read |= names_read("".join(cell["source"]))
    assert set(Settings.model_fields) - read == set()


def names_read(source: str) -> set[str]:
    """Names, attributes and words that a cell uses."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and node.value}


@pytest.mark.parametrize(("line", "start"), [("MAX_USD 5", "MAX_USD"), ("MAX_CALLS", "MAX_CALLS")])
def test_a_line_of_dotenv_that_sets_nothing_is_an_error_with_its_number(toy_root: Path, line: str, start: str) -> None:
    (toy_root / ".env").write_text(f"# limits\nSEED=3\n{line}\n")
    with pytest.raises(SettingsError, match=rf"\.env, line 3: no setting; write {start}=value"):
        load_settings()


def test_a_password_in_an_address_of_the_environment_is_not_shown(
    toy_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TEACHER_MODEL_BASE_URL", "ENDPOINT", "JUDGE_BASE_URL"):
        with monkeypatch.context() as patch:
            patch.setenv("MODEL_NAME", "m")
            patch.setenv(name, "http://ada:hunter2@h.test/v1")
            with pytest.raises(SettingsError) as caught:
                load_settings()
        assert "hunter2" not in str(caught.value)
