"""A generator over chunk files, as its users call it: only the program's name is another."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from endpoint import Endpoint
from outside import ai_tools, error_of

from ai_tools import QAGenerator
from ai_tools.cli import app
from ai_tools.errors import BudgetReached, InputError, NotConfirmed, SettingsError, TooManyFailures, UsageError

ALL = """generate --chunks-dir chunks --qa-dir qa --provider local --model mistral --api-key sk-mine --temperature 0.3
--max-tokens 500 --questions-per-chunk 2 --qa-system-message 'You ask.' --qa-extra-instructions 'Be short.'
--qa-prompt-template-file mine.txt --ollama-base-url {root} --ollama-top-k 7 --ollama-top-p 0.3
--ollama-repeat-penalty 1.5 --ollama-num-predict 99 --ollama-stop END --ollama-stop '###' --resume --batch-processing"""


def pairs(body: dict[str, Any]) -> str:
    """As many pairs as are asked for."""
    found = re.search(r"up to (\d+)|Write (\d+)", body["messages"][-1]["content"])
    count = int(found[1] or found[2]) if found else 1
    mark = crc32(json.dumps(body).encode())
    return json.dumps({"pairs": [{"question": f"What is {mark} {n}?", "answer": f"It is {n}."} for n in range(count)]})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.reply = pairs
        yield endpoint


def text_of(name: str, number: int) -> str:
    return f"The warden of house {number} at the {name} is Ada Vance. She lit the lamp in 190{number}."


@pytest.fixture
def chunks(toy_root: Path) -> Path:
    """Two chunk files with numbers for ids, which begin anew in each."""
    (toy_root / "chunks").mkdir()
    for name, count in (("bells", 2), ("lamps", 3)):
        about = {"file_name": f"{name}.md", "source_file": f"{name}.md", "file_type": ".md", "file_size": 7}
        rows = [
            {"chunk_id": n, "chunk_index": n, "start_char": 90 * n, "end_char": 90 * n + 80, "text": text_of(name, n)}
            for n in range(count)
        ]
        whole = {"status": "completed", "metadata": about, "processing_info": {"chunk_size": 512}, "chunks": rows}
        (toy_root / "chunks" / f"{name}_chunks.json").write_text(json.dumps(whole))
    (toy_root / "mine.txt").write_text("Write {num_questions} questions on this.\n\n{text}")
    return toy_root


def call(line: str, **fields: str) -> None:
    assert not app(shlex.split(line.format(**fields)), standalone_mode=False)


def read(path: str) -> Any:
    return json.loads(Path(path).read_text("utf-8"))


# --- its command lines ---


def test_its_generate_runs_with_every_option_it_has(
    chunks: Path, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    call(ALL, root=endpoint.root)
    assert [path.name for path in sorted(Path("qa").iterdir())] == ["bells_qa.json", "lamps_qa.json"]
    assert read("qa/lamps_qa.json")["summary"] == {
        "total_chunks": 3, "completed_chunks": 3, "failed_chunks": 0, "total_qa_pairs": 6,
    }  # fmt: skip
    body = endpoint.requests[0].body
    assert body["model"] == "mistral"
    wanted = {"top_k": 7, "top_p": 0.3, "repeat_penalty": 1.5, "num_predict": 99, "temperature": 0.3}
    assert body["options"].items() >= (wanted | {"stop": ["END", "###"]}).items()
    assert [one["content"].partition("\n")[0] for one in body["messages"]] == [
        "You ask.", "Write 2 questions on this."
    ]  # fmt: skip
    assert "Be short." in body["messages"][0]["content"]
    said = capsys.readouterr()
    assert said.err.count("--api-key: others on this machine can see it") == 1
    assert "sk-mine" not in said.out + said.err


def test_a_comma_inside_one_stop_of_the_command_line_stays_in_it(chunks: Path, endpoint: Endpoint) -> None:
    line = "generate chunks -o qa --provider local --ollama-base-url {root} --ollama-stop 'so, then' --ollama-stop END"
    call(line, root=endpoint.root)
    assert endpoint.requests[0].body["options"]["stop"] == ["so, then", "END"]


def test_its_combine_and_convert_run_as_they_stand(chunks: Path) -> None:
    call("generate --chunks-dir chunks --qa-dir qa --provider offline")
    call("combine --qa-dir qa --output-file training_data.json")
    call("convert qa --output-dir training")
    call("convert qa/bells_qa.json --output-dir one")
    whole = read("training_data.json")
    assert whole["metadata"]["total_qa_pairs"] == len(whole["training_pairs"]) > 0
    assert [path.name for path in sorted(Path("training").iterdir())] == [
        "bells_trainingdata.jsonl", "lamps_trainingdata.jsonl",
    ]  # fmt: skip
    (path,) = Path("one").iterdir()
    row = json.loads(path.read_text("utf-8").partition("\n")[0])
    assert [*row] == ["text"]
    assert row["text"].startswith("Below is an instruction that describes a task.")


def test_its_environment_counts_with_comments_behind_the_values(chunks: Path, endpoint: Endpoint) -> None:
    (chunks / ".env").write_text(
        "GENERATOR_PROVIDER=local      # openai, claude, gemini or local\n"
        "GENERATOR_MODEL=mistral       # the model\n"
        "GENERATOR_TEMPERATURE=0.2     # 0 to 2\n"
        "GENERATOR_MAX_TOKENS=600      # of a reply\n"
        "GENERATOR_PROCESS_DIR=chunks  # in\n"
        "GENERATOR_OUTPUT_DIR=qa       # out\n"
        "GENERATOR_OUTPUT_FILE=all.json  # together\n"
        "GENERATOR_QUESTIONS_PER_CHUNK=1\n"
        "GENERATOR_BATCH_PROCESSING=true  # or false\n"
        "GENERATOR_RESUME=true\n"
        f"OLLAMA_BASE_URL={endpoint.root}  # where Ollama is\n"
        "OLLAMA_TOP_K=7 # and so on\nOLLAMA_TOP_P=0.3\nOLLAMA_REPEAT_PENALTY=1.5\nOLLAMA_NUM_PREDICT=99\n"
    )
    call("generate")
    call("combine")
    assert endpoint.counters.requests == 5
    assert endpoint.requests[0].body["options"]["num_predict"] == 99
    assert read("all.json")["metadata"]["total_qa_pairs"] == 5


@pytest.mark.parametrize(
    ("options", "variables", "count"),
    [
        ("", {}, 3),
        ("", {"QUESTIONS_PER_CHUNK": "4"}, 4),
        ("", {"GENERATOR_QUESTIONS_PER_CHUNK": "4"}, 4),
        ("", {"GENERATOR_BATCH_PROCESSING": "false"}, 3),
        ("--n-pairs 2", {"QUESTIONS_PER_CHUNK": "4"}, 2),
    ],
)
def test_generate_asks_for_three_pairs_where_nothing_says_how_many(
    chunks: Path,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    variables: dict[str, str],
    count: int,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    call(f"generate chunks -o qa.json --provider local --base-url {endpoint.root} --model m {options}")
    assert len(read("qa.json")) == 5 * count


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("generate docs --chunks-dir chunks -o qa", "--chunks-dir chunks and SOURCE docs: two names of one thing"),
        ("generate chunks --qa-dir qa -o made", "--qa-dir qa and OUTPUT made: two names of one thing"),
        ("combine a --qa-dir qa -o all.json", "--qa-dir qa and FOLDER a: two names of one thing"),
        ("combine qa --output-file a.json -o b.json", "--output-file a.json and OUTPUT b.json: two names of one thing"),
        ("generate chunks -o qa --resume --fresh", "--resume and --fresh exclude each other"),
        (
            "generate chunks -o qa --base-url http://a.test --ollama-base-url http://b.test",
            "--base-url http://a.test and --ollama-base-url http://b.test: two names of one thing",
        ),
    ],
)
def test_an_old_and_a_new_name_with_different_values_are_refused(chunks: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        call(line)
    assert not Path("qa").exists()


def test_an_old_and_a_new_name_with_one_value_are_one(chunks: Path) -> None:
    call("generate chunks --chunks-dir chunks/ -o qa --qa-dir ./qa --provider offline")
    assert len(list(Path("qa").iterdir())) == 2


def test_a_key_that_is_empty_or_twice_is_one_clear_line(chunks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = ai_tools("generate", "--chunks-dir", "chunks", "--qa-dir", "qa", "--api-key", "", cwd=chunks)
    assert done.returncode == 2
    assert error_of(done).startswith("error: --api-key: empty; name the environment variable")
    with pytest.raises(SettingsError, match="--api-key-env : no such environment variable"):
        call("generate chunks -o qa --api-key-env ''")
    monkeypatch.setenv("MINE", "sk-other")
    with pytest.raises(UsageError, match="--api-key and --api-key-env MINE are two keys; give one of them"):
        call("generate chunks -o qa --api-key sk-mine --api-key-env MINE")
    assert not Path("qa").exists()


def test_a_key_on_the_command_line_reaches_its_endpoint(chunks: Path, endpoint: Endpoint) -> None:
    url = endpoint.url
    call(f"generate chunks -o qa.json --provider openai-compatible --model m --base-url {url} --api-key sk-mine")
    assert {one.headers["authorization"] for one in endpoint.requests} == {"Bearer sk-mine"}


# --- its class ---


def test_its_class_gives_a_mapping_of_what_was_made(chunks: Path, endpoint: Endpoint) -> None:
    made = QAGenerator(
        chunks_dir="chunks", qa_dir="qa", provider="local", model="m", questions_per_chunk=2, temperature=0.5,
        ollama_base_url=endpoint.root,
    ).generate_qa_for_all_documents(resume=True)  # fmt: skip
    assert (made["successful_files"], made["failed_files"], made["total_qa_pairs"]) == (2, 0, 10)
    assert endpoint.requests[0].body["options"]["temperature"] == 0.5
    assert json.loads(json.dumps(made)) == made


def test_its_class_asks_for_three_pairs_resumes_and_begins_anew(chunks: Path, endpoint: Endpoint) -> None:
    generator = QAGenerator(Path("chunks"), Path("qa"), provider="local", model="m", ollama_base_url=endpoint.root)
    assert generator.generate_qa_for_all_documents()["total_qa_pairs"] == 15
    assert generator.generate_qa_for_all_documents()["untouched"] == 2
    assert generator.generate_qa_for_all_documents(resume=False)["untouched"] == 0
    assert endpoint.counters.requests == 5


def test_its_class_counts_the_documents_that_failed(chunks: Path, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: "no" if "lamps" in str(body["messages"]) else pairs(body)
    generator = QAGenerator("chunks", "qa", provider="local", model="m", ollama_base_url=endpoint.root, max_retries=0)
    made = generator.generate_qa_for_all_documents()
    assert (made["successful_files"], made["failed_files"], made["total_qa_pairs"]) == (1, 1, 6)


def test_its_class_refuses_an_option_that_is_not_known(chunks: Path) -> None:
    with pytest.raises(SettingsError, match="modle: no such setting"):
        QAGenerator("chunks", "qa", modle="m")


# --- its files ---


def test_ids_of_chunks_are_those_of_the_chunk_files(chunks: Path, endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: "no" if "house 1" in str(body["messages"]) else pairs(body)
    with pytest.raises(TooManyFailures):
        call(f"generate --chunks-dir chunks --qa-dir qa --provider local --model m --ollama-base-url {endpoint.root}")
    assert (read("qa/bells_qa.json")["completed_chunks"], read("qa/bells_qa.json")["failed_chunks"]) == ([0], [1])
    assert (read("qa/lamps_qa.json")["completed_chunks"], read("qa/lamps_qa.json")["failed_chunks"]) == ([0, 2], [1])


def test_an_id_that_stands_on_two_chunks_of_a_document_is_no_id(chunks: Path) -> None:
    path = Path("chunks/lamps_chunks.json")
    whole = read(str(path))
    whole["chunks"][2]["chunk_id"] = 0
    path.write_text(json.dumps(whole))
    call("generate chunks -o qa --provider offline")
    first, second, third = read("qa/lamps_qa.json")["completed_chunks"]
    assert (second, first != third, type(first)) == (1, True, str)


def test_a_combined_file_has_its_fields_besides_ours(chunks: Path) -> None:
    call("generate --chunks-dir chunks --qa-dir qa --provider offline")
    call("combine --qa-dir qa --output-file all.json")
    whole = read("all.json")
    config = whole["metadata"]["processing_config"]
    assert (config["llm_provider"], config["model_used"]) == (config["provider"], config["model"])
    assert (config["llm_provider"], config["questions_per_chunk"]) == ("offline", 3)
    for one, name in zip(whole["documents"], ("bells", "lamps"), strict=True):
        made = read(f"qa/{name}_qa.json")
        assert one["file_info"] == made["metadata"]
        assert one["processing_info"] == made["processing_info"]
        assert one["qa_generation_info"] == made["qa_generation_info"]
        assert one["qa_pairs_count"] == one["total_qa_pairs"] == len(made["training_pairs"])


def old_file(name: str, done: int = 3, **about: Any) -> Path:
    """A file as that tool left it, with a pair of each chunk that is done."""
    path = Path(f"qa/{name}_qa.json")
    path.parent.mkdir(exist_ok=True)
    rows = [{"question": f"Which {n} of the {name}?", "answer": f"The {n}.", "chunk_id": n} for n in range(done)]
    whole = {"metadata": {"file_name": f"{name}.md"}, "training_pairs": rows, "completed_chunks": [*range(done)]}
    path.write_text(json.dumps(whole | about, indent=1))
    return path


def old_files() -> tuple[Path, str]:
    """A folder as that tool left it, one file of it torn; that file and what is in it."""
    for name in ("bells", "lamps"):
        old_file(name)
    torn = Path("qa/bells_qa.json")
    torn.write_text(torn.read_text("utf-8").partition("Which 2")[0])
    return torn, torn.read_text("utf-8")


@pytest.mark.parametrize("line", ["combine --qa-dir qa --output-file all.json", "convert qa --output-dir out"])
def test_of_a_torn_file_what_is_whole_is_used_and_the_rest_is_one_line(
    chunks: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torn, text = old_files()
    with pytest.raises(TooManyFailures, match="1 rows or files could not be used; all others are in"):
        call(line)
    (said,) = [one for one in capsys.readouterr().err.splitlines() if "left out" in one]
    assert said.startswith("left out: qa/bells_qa.json: breaks off after row 2")
    written = "".join(path.read_text("utf-8") for path in [*Path().glob("all.json"), *Path().glob("out/*")])
    assert written.count("Which ") == 5
    assert torn.read_text("utf-8") == text


@pytest.mark.parametrize("names", [("llm_provider", "model_used"), ("provider", "model")])
def test_a_file_of_it_and_one_of_ours_stand_side_by_side_in_a_combined_file(
    chunks: Path, names: tuple[str, str]
) -> None:
    call("generate --chunks-dir chunks --qa-dir qa --provider offline")
    made = dict(zip(names, ("openai", "gpt-4o"), strict=True))
    old_file("bells", 2, qa_generation_info=made, failed_chunks=[2], processing_info={"total_chunks": 3})
    call("combine --qa-dir qa --output-file all.json")
    whole = read("all.json")
    config = whole["metadata"]["processing_config"]
    assert config["llm_provider"] == {"bells_qa.json": "openai", "lamps_qa.json": "offline"}
    rules = read("qa/lamps_qa.json")["qa_generation_info"]["model"]
    assert config["model_used"] == {"bells_qa.json": "gpt-4o", "lamps_qa.json": rules}
    (old, ours) = whole["documents"]
    assert [old[name] for name in ("total_chunks", "completed_chunks", "failed_chunks", "model")] == [3, 2, 1, "gpt-4o"]
    assert [ours[name] for name in ("total_chunks", "completed_chunks", "failed_chunks", "model")] == [3, 3, 0, rules]
    assert {type(row["chunk_id"]) for row in whole["training_pairs"]} == {int}


RESUME = "generate --chunks-dir chunks --qa-dir qa --provider local --model m --ollama-base-url {root} --resume"


def test_a_whole_file_of_it_is_gone_on_with_where_it_stopped(
    chunks: Path, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = old_file("bells", 2, qa_generation_info={"model_used": "m"})
    before, begun = whole.read_bytes(), old_file("lamps", 2).read_bytes()
    call(RESUME, root=endpoint.root)
    assert [re.findall("house . at the ....", str(one.body["messages"])) for one in endpoint.requests] == [
        ["house 2 at the lamp"]
    ]
    assert whole.read_bytes() == before
    assert Path("qa/lamps_qa.edited.json").read_bytes() == begun
    made = read("qa/lamps_qa.json")
    assert [row["question"][:7] for row in made["training_pairs"]] == ["Which 0", "Which 1", *["What is"] * 3]
    assert [row["chunk_id"] for row in made["training_pairs"]] == [0, 1, 2, 2, 2]
    assert (made["completed_chunks"], made["resumed_chunks"], made["status"]) == ([0, 1, 2], [0, 1], "completed")
    assert "lamps_qa.json: 2 chunks with 2 pairs of it are kept" in capsys.readouterr().err
    written = Path("qa/lamps_qa.json").read_bytes()
    call(RESUME, root=endpoint.root)
    assert (endpoint.counters.requests, Path("qa/lamps_qa.json").read_bytes()) == (1, written)
    assert "lamps" not in capsys.readouterr().err


def test_a_plan_counts_no_chunk_that_a_file_of_it_has_done(
    chunks: Path, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    old_file("bells", 2)
    old_file("lamps", 1)
    before = {path.name: path.read_bytes() for path in Path("qa").iterdir()}
    with pytest.raises(NotConfirmed):
        call(f"{RESUME} --plan", root=endpoint.root)
    assert re.search(r"generate +2 ", capsys.readouterr().out)
    assert {path.name: path.read_bytes() for path in Path("qa").iterdir()} == before


def test_pairs_of_another_model_or_of_another_text_are_not_gone_on_with_and_kept_aside(
    chunks: Path, endpoint: Endpoint
) -> None:
    other = old_file("bells", 2, qa_generation_info={"model": "another"}).read_bytes()
    rows = [{"question": "Which?", "answer": "It.", "chunk_id": 0, "source_text": "Another text."}]
    old_file("lamps", 2, training_pairs=rows)
    call(RESUME, root=endpoint.root)
    assert endpoint.counters.requests == 4
    assert Path("qa/bells_qa.edited.json").read_bytes() == other
    assert "resumed_chunks" not in read("qa/bells_qa.json")
    assert read("qa/lamps_qa.json")["resumed_chunks"] == [1]


@pytest.mark.parametrize(("more", "asked"), [("--overwrite", 1), ("--fresh", 5)])
def test_nothing_of_its_files_is_lost_whatever_is_allowed(
    chunks: Path, endpoint: Endpoint, more: str, asked: int
) -> None:
    old_file("bells", 2)
    before = old_file("lamps", 2).read_bytes()
    call(f"{RESUME.removesuffix(' --resume')} {more}", root=endpoint.root)
    assert endpoint.counters.requests == asked
    assert Path("qa/lamps_qa.edited.json").read_bytes() == before
    path = Path("qa/lamps_qa.json")
    path.write_text(path.read_text("utf-8").replace("It is 0.", "Corrected."))
    call(f"{RESUME} --temperature 0.1", root=endpoint.root)
    assert Path("qa/lamps_qa.edited.json").read_bytes() == before
    assert "Corrected." in Path("qa/lamps_qa.edited2.json").read_text("utf-8")


def test_a_file_of_it_stays_while_its_successor_is_not_complete(
    chunks: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_file("lamps", 1).read_bytes()
    monkeypatch.setenv("MAX_CALLS", "3")
    with pytest.raises(BudgetReached):
        call(RESUME, root=endpoint.root)
    assert Path("qa/lamps_qa.json").read_bytes() == before
    monkeypatch.delenv("MAX_CALLS")
    call(RESUME, root=endpoint.root)
    assert (endpoint.counters.requests, read("qa/lamps_qa.json")["resumed_chunks"]) == (4, [0])


def test_a_torn_file_of_it_is_gone_on_with_and_named_with_what_is_kept(
    chunks: Path, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = old_files()
    call(RESUME, root=endpoint.root)
    assert endpoint.counters.requests == 1  # of the last chunk before the tear pairs may be missing
    assert Path("qa/bells_qa.edited.json").read_text("utf-8") == text
    said = "torn; 1 chunks with 1 pairs of it are kept, the others asked; as it was it is kept in bells_qa.edited.json"
    assert f"warning: qa/bells_qa.json: {said}\n" in capsys.readouterr().err
    assert [row["question"][:7] for row in read("qa/bells_qa.json")["training_pairs"]] == ["Which 0", *["What is"] * 3]
    assert read("qa/bells_qa.json")["completed_chunks"] == [0, 1]


@pytest.mark.parametrize("text", ["", '{"metadata": {"file_na', '{\n "metadata": {},\n "training_pairs": [\n  {"ques'])
def test_a_file_of_it_that_is_torn_before_any_pair_stops_nobody(chunks: Path, endpoint: Endpoint, text: str) -> None:
    old_file("lamps").with_name("bells_qa.json").write_text(text)
    call(RESUME, root=endpoint.root)
    assert (endpoint.counters.requests, read("qa/bells_qa.json")["status"]) == (2, "completed")
    kept = Path("qa/bells_qa.edited.json")
    assert (kept.read_text("utf-8") if text else kept.exists()) == (text or False), "of nothing there is no copy"


def test_what_is_no_file_of_a_document_is_not_written_over(chunks: Path) -> None:
    with pytest.raises(UsageError, match="was not made by this command"):
        call(f"generate-cot chunks --output {old_file('bells').parent} --provider offline")
    for text in ('{"mine": 1}', '[{"question": "Q?", "answer": "A."}]', '{"training_pairs": [{"a": 1}]}', "notes"):
        old_file("bells").write_text(text)
        for line in (RESUME, f"generate-cot chunks -o qa {RESUME.partition('qa ')[2]}"):
            with pytest.raises(UsageError, match=r"bells_qa\.json: exists, and was not made by this command; add --ov"):
                call(line, root="http://127.0.0.1:9")
        assert Path("qa/bells_qa.json").read_text("utf-8") == text


def test_a_file_that_breaks_off_before_its_pairs_is_one_line(chunks: Path) -> None:
    torn, text = old_files()
    torn.write_text(text[: text.index("training_pairs")])
    with pytest.raises(InputError, match=r"bells_qa\.json: not JSON"):
        call("convert qa/bells_qa.json --output-dir out")
    assert not Path("out").exists()
