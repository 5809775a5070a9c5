"""`export` and `combine`: training formats that other tools load, and all documents in one file, nothing altered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_tools import files
from ai_tools.errors import InputError, NothingProduced, UsageError
from ai_tools.settings import load_settings
from ai_tools.steps import batches, students
from ai_tools.steps.formats import FORMATS, messages, think, unthink
from ai_tools.tools import combine, export, pairs

Row = dict[str, Any]

TRICKY = """He said: "Ring it."\r\n
```python
print('one\\ntwo', {"bell": [1]})
```
\tTabs, {braces}, a note [1], <b>tags</b>, \\n, an emoji \N{BELL} and a line separator \u2028.

Prüfe das Seil.  """
STEPS = "1. The bell is rung.\n2. It is noon.\n\n<b>So</b> {noon}."
PROMPT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    "\n\n### Instruction:\n{}\n\n### Response:\n{}"
)
PLAIN: Row = {
    "question": "How is\nthe rope checked?",
    "answer": TRICKY,
    "type": "qa",
    "chunk_id": "c0",
    "source_file": "a.md",
    "chunk_start": 7,
    "chunk_end": 19,
    "source_text": "Passage.\n",
    "model": "m",
    "rating": 7.5,
    "rating_reasoning": "Clear.",
    "rating_criteria": {"clarity": 3, "accuracy": 3},
    "grounded": True,
}
REASONED: Row = {"question": "When?", "answer": "At noon.", "type": "cot", "reasoning": STEPS, "chunk_id": "c1"}
ROWS = [PLAIN, REASONED]


def test_an_answer_that_does_not_follow_is_not_exported_unless_asked_for(toy_root: Path) -> None:
    rows = [REASONED | {"follows": True}, REASONED | {"question": "Why?", "follows": False}]
    Path("rows.json").write_text(json.dumps(rows))
    made = export("rows.json", "out.jsonl", fmt="jsonl")
    assert (made.pairs, made.not_following) == (1, 1)
    assert [json.loads(line)["question"] for line in Path("out.jsonl").read_text().splitlines()] == ["When?"]
    assert export("rows.json", "out.jsonl", fmt="jsonl", not_following=True).pairs == 2
    Path("rows.json").write_text(json.dumps(rows[1:]))
    with pytest.raises(NothingProduced, match="of 1 pairs no answer follows; --not-following exports them"):
        export("rows.json", "out.jsonl", fmt="jsonl")
    assert len(Path("out.jsonl").read_text().splitlines()) == 2


def document(rows: list[Row], *, file: str = "a.md", status: str = "completed", **info: Any) -> Row:
    counts = {"total_chunks": 3, "completed_chunks": 2, "failed_chunks": 1, "total_qa_pairs": len(rows)}
    made = {
        "provider": "offline",
        "model": "rules",
        "temperature": 0,
        "generated_at": f"on {file}",
        "fingerprint": file,
    }
    return {
        "metadata": {"file_name": file, "source_file": file},
        "processing_info": {"splitting_strategy": "markdown", "chunk_size": 512, "total_chunks": 3},
        "qa_generation_info": made | info,
        "status": status,
        "training_pairs": rows,
        "summary": counts,
    }


def pair(question: str, answer: str = "At noon.", chunk: str = "c0", **more: Any) -> Row:
    return {
        "question": question,
        "answer": answer,
        "type": "qa",
        "chunk_id": chunk,
        "source_text": f"Of {chunk}.",
        **more,
    }


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> None:
    """It has an OUTPUT_DIR of its own, where it is noted who made a file."""
    (tmp_path / "cwd/00_Setup").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "cwd")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return files.write_rows(tmp_path / "pairs.jsonl", ROWS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files.write_json(tmp_path / "docs/bells_qa.json", document([pair("When?"), pair("Who?", "Ada.")], file="bells.md"))
    files.write_json(tmp_path / "docs/lamps_qa.json", document([pair("Where?", chunk="c9")], file="lamps.md"))
    return tmp_path / "docs"


def lines(path: Path) -> list[Row]:
    return files.read_rows(path)


def exported(source: Path, **options: Any) -> list[Row]:
    """The rows of an export of the source, written anew."""
    path = source.parent / "training.jsonl"
    export(source, path, overwrite=True, **options)
    return lines(path)


def load(path: Path, **options: Any) -> list[Row]:
    """What Hugging Face `datasets` makes of a file."""
    datasets = pytest.importorskip("datasets")
    cache = str(path.parent / "cache" / path.name)
    loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=cache, **options)
    return [dict(row) for row in loaded]


# --- the formats ---


def test_every_format_says_what_it_promises(source: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    chat = [system, {"role": "user", "content": PLAIN["question"]}, {"role": "assistant", "content": TRICKY}]
    assert exported(source, system_prompt="Be brief.")[0] == {"messages": chat}
    shared = [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": PLAIN["question"]},
        {"from": "gpt", "value": TRICKY},
    ]
    assert exported(source, fmt="sharegpt", system_prompt="Be brief.")[0] == {"conversations": shared}
    assert exported(source)[0] == {"messages": chat[1:]}, "no system message unless there is one to say"
    alpaca = {"instruction": PLAIN["question"], "input": "", "output": TRICKY}
    assert exported(source, fmt="alpaca")[0] == alpaca
    assert exported(source, fmt="text")[0] == {"text": PROMPT.format(PLAIN["question"], TRICKY)}
    row = exported(source, fmt="jsonl")[0]
    assert list(row) == ["question", "answer", "metadata"]
    assert (row["question"], row["answer"]) == (PLAIN["question"], TRICKY)


def test_jsonl_keeps_everything_else_that_a_pair_holds(source: Path) -> None:
    first, second = exported(source, fmt="jsonl", reasoning="drop")
    assert first["metadata"] == {name: PLAIN[name] for name in PLAIN if name not in ("question", "answer")}
    assert second["metadata"] == {"type": "cot", "chunk_id": "c1"}


@pytest.mark.parametrize("fmt", FORMATS)
def test_newlines_quotes_and_code_of_an_answer_are_not_flattened(source: Path, fmt: str) -> None:
    def texts(value: Any) -> list[str]:
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value] if isinstance(value, str) else [text for one in values for text in texts(one)]

    assert any(text.endswith(TRICKY) for text in texts(exported(source, fmt=fmt)[0]))


ANSWER_OF: dict[str, Callable[[Row], str]] = {
    "chatml": lambda row: row["messages"][-1]["content"],
    "alpaca": lambda row: row["output"],
    "sharegpt": lambda row: row["conversations"][-1]["value"],
    "jsonl": lambda row: row["answer"],
    "text": lambda row: row["text"].split("### Response:\n", 1)[1],
}


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_reasoning_is_not_dropped_unless_that_is_asked_for(source: Path, fmt: str) -> None:
    answer, place = ANSWER_OF[fmt], (lambda row: row["messages"][-1]) if fmt == "chatml" else (lambda row: row)
    field = "thinking" if fmt == "chatml" else "reasoning"
    plain, reasoned = exported(source, fmt=fmt)
    assert answer(reasoned) == f"<think>\n{STEPS}\n</think>\n\nAt noon."
    assert answer(plain) == TRICKY, "a pair without reasoning is as it was"
    plain, reasoned = exported(source, fmt=fmt, reasoning="field")
    assert (answer(reasoned), place(reasoned)[field]) == ("At noon.", STEPS)
    assert (answer(plain), place(plain)[field]) == (TRICKY, "")
    dropped = exported(source, fmt=fmt, reasoning="drop")
    assert answer(dropped[1]) == "At noon."
    assert STEPS[:10] not in json.dumps(dropped)


def test_steps_that_another_tool_has_as_a_list_become_lines(tmp_path: Path) -> None:
    source = files.write_rows(tmp_path / "pairs.jsonl", [REASONED | {"reasoning": ["One.", "Two."]}])
    assert exported(source)[0]["messages"][-1]["content"] == "<think>\nOne.\nTwo.\n</think>\n\nAt noon."


@pytest.mark.parametrize(
    "text", ["At noon.", "<think>\n\n</think>\n\nx", "<think>\nx\n</think>\n\n", "<think>x</think> y"]
)
def test_only_reasoning_that_was_put_before_an_answer_is_taken_from_it(text: str) -> None:
    assert unthink(think(STEPS, TRICKY)) == (STEPS, TRICKY)
    assert unthink(text) == ("", text)


@pytest.mark.parametrize("reasoning", ["think", "field"])
@pytest.mark.parametrize("fmt", ["chatml", "alpaca", "sharegpt", "jsonl"])
def test_what_was_exported_is_read_again_and_comes_out_unchanged(source: Path, fmt: str, reasoning: str) -> None:
    system = {"system_prompt": "Be brief."} if fmt in ("chatml", "sharegpt") else {}
    first = source.with_name("first.jsonl")
    export(source, first, fmt=fmt, reasoning=reasoning, **system)
    again = source.with_name("again.json")
    export(first, again, fmt=fmt, reasoning=reasoning)
    assert json.loads(again.read_text("utf-8")) == lines(first)
    (source.parent / "twice").mkdir()
    export(first, source.parent / "twice", fmt=fmt, reasoning=reasoning)
    assert (source.parent / "twice/first_trainingdata.jsonl").read_bytes() == first.read_bytes()
    read = list(pairs.read(first))
    assert [(row["question"], row["answer"]) for row in read] == [(row["question"], row["answer"]) for row in ROWS]
    assert [row.get("reasoning") or "" for row in read] == ["", STEPS]
    if fmt == "jsonl":
        assert read == ROWS


# --- other tools ---


def test_datasets_loads_every_format_with_the_same_content(source: Path) -> None:
    for fmt in FORMATS:
        path = source.with_name(f"{fmt}.{'json' if fmt == 'alpaca' else 'jsonl'}")
        export(source, path, fmt=fmt, reasoning="field" if fmt == "sharegpt" else "think")
        rows = json.loads(path.read_text("utf-8")) if fmt == "alpaca" else lines(path)
        assert load(path) == rows


@pytest.mark.parametrize(
    ("early", "late"),
    [({"note": "x"}, {"rating": 7.5, "criteria": {"clarity": 3}}), ({"rating": None}, {"rating": 7.5})],
)
def test_datasets_loads_rows_whose_reasoning_and_metadata_come_late(tmp_path: Path, early: Row, late: Row) -> None:
    """Types are inferred from a first part of the file; what occurs only behind it must not break the loading."""
    rows = [*(pair(f"When is {n}?", **early) for n in range(50)), pair("Last?", reasoning=STEPS, **late)]
    source = files.write_rows(tmp_path / "pairs.jsonl", rows)
    for fmt in ("jsonl", "chatml"):
        path = tmp_path / f"late_{fmt}.jsonl"
        export(source, path, fmt=fmt, reasoning="field")
        assert load(path, chunksize=1000) == lines(path)


def test_trl_takes_chatml_and_sharegpt_as_conversations(source: Path) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    tokenizer = students.load_tokenizer("tiny")
    chat, shared = (exported(source, fmt=fmt, system_prompt="Be brief.")[1] for fmt in ("chatml", "sharegpt"))
    assert data_utils.is_conversational(chat)
    answer = f"<think>\n{STEPS}\n</think>\n\nAt noon.{tokenizer.eos_token}"
    text = data_utils.apply_chat_template(chat, tokenizer)["text"]
    assert text == f"<|system|>Be brief.<|user|>When?<|assistant|>{answer}"
    converted = data_utils.maybe_convert_to_chatml(shared)
    assert data_utils.is_conversational(converted)
    assert [turn["content"] for turn in converted["messages"]] == [turn["content"] for turn in chat["messages"]]
    # TRL renames the fields alone; the roles are those of ShareGPT, which the tiny student's template knows.
    assert [turn["role"] for turn in converted["messages"]] == ["system", "human", "gpt"]
    assert data_utils.apply_chat_template(converted, tokenizer)["text"] == text


@pytest.mark.parametrize("options", [{}, {"system_prompt": "Be brief."}, {"reasoning": "field"}, {"fmt": "text"}])
def test_training_takes_an_exported_file(source: Path, options: Row) -> None:
    tokenizer = students.load_tokenizer("tiny")
    for row, shown in zip(exported(source, **options), ROWS, strict=True):
        ids, answer = batches.encode_row(row, tokenizer)
        graded = tokenizer.decode(ids[answer])
        assert shown["question"] in tokenizer.decode(ids)
        if options.get("fmt") != "text":
            told = think(shown.get("reasoning", ""), shown["answer"])
            assert graded == f" {told}{tokenizer.eos_token}"
            assert tokenizer.decode(ids[: answer.start]).startswith("<|system|>") == ("system_prompt" in options)
        else:
            assert answer == slice(0, len(ids))


# --- files and folders ---


def test_a_folder_becomes_a_folder_with_a_file_for_each_document(folder: Path, tmp_path: Path) -> None:
    files.write_json(folder / "none_qa.json", document([], file="none.md", status="failed"))
    done = export(folder, tmp_path / "out")
    assert [path.name for path in done.files] == ["bells_trainingdata.jsonl", "lamps_trainingdata.jsonl"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [path.name for path in done.files], (
        "loaders take no empty file"
    )
    assert [len(lines(path)) for path in done.files] == [2, 1]
    assert (done.pairs, done.reasoned) == (3, 0)
    assert len(done.warnings) == 1
    assert "none_qa.json: no pair in it to export" in done.warnings[0]


def test_a_folder_becomes_one_file_where_one_is_named(folder: Path, tmp_path: Path) -> None:
    done = export(folder, tmp_path / "all.json")
    assert done.files == (tmp_path / "all.json",)
    asked = [row["messages"][0]["content"] for row in json.loads(done.output.read_text("utf-8"))]
    assert asked == ["When?", "Who?", "Where?"]


def test_what_cannot_be_read_is_named_and_the_others_are_exported(folder: Path, tmp_path: Path) -> None:
    (folder / "torn_qa.json").write_text((folder / "bells_qa.json").read_text()[:-250])
    (folder / "notes_qa.json").write_text("notes")
    (folder / "marked_qa.json").write_bytes(b"\xef\xbb\xbf" + (folder / "lamps_qa.json").read_bytes())
    done = export(folder, tmp_path / "all.jsonl")
    assert [("notes_qa.json" in one.reason, "torn_qa.json" in one.reason) for one in done.unread] == [
        (True, False),
        (False, True),
    ]
    assert done.pairs == 5, "all of three files, and what stands before the tear"


@pytest.mark.parametrize("half", [{"answer": "Noon \ud83d."}, {"note": {"of": ["\ud83d"]}}, {"\ud83d": 1}])
def test_half_a_character_costs_its_row_and_not_the_run(tmp_path: Path, half: Row) -> None:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (pair("A?") | half, pair("B?"))))
    done = export(tmp_path / "pairs.jsonl", tmp_path / "out.jsonl")
    assert [one.reason.split("/")[-1] for one in done.unread] == ["pairs.jsonl, line 1: holds half a character"]
    assert done.pairs == 1


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_rerun_replaces_its_own_file_in_whichever_format_and_nothing_else(source: Path, fmt: str) -> None:
    output, other = source.with_name("out.jsonl"), source.with_name("other.jsonl")
    for reasoning in ("think", "field"):
        export(source, output, fmt=fmt, reasoning=reasoning)
        export(source, output, fmt="chatml")
    others = ["mine", '{"mine": 1}\n', json.dumps(PLAIN) + "\n", '{"text": "My own corpus."}\n', '["mine"]']
    others += [json.dumps({"messages": messages("When?", "At noon."), "metadata": "{}"}) + "\n"]  # a cut of step 04
    others += [json.dumps(document(ROWS), indent=2), '{"instruction": "x", "output": "y"}\n']
    for content in others:
        for path, words in ((output, "edited since this command made it"), (other, "not made by this command")):
            path.write_text(content)
            with pytest.raises(UsageError, match=rf"{path.name}: exists, and was {words}"):
                export(source, path, fmt=fmt)
            assert path.read_text() == content
    export(source, output, fmt=fmt, overwrite=True)
    assert len(lines(output)) == 2


def test_where_the_register_is_lost_an_export_needs_to_be_told_and_what_was_combined_says_itself(
    source: Path, folder: Path
) -> None:
    output, whole = source.with_name("out.jsonl"), source.with_name("all.json")
    export(source, output)
    combine(folder, whole)
    Path("output/journal.sqlite").unlink()
    with pytest.raises(UsageError, match=r"out\.jsonl: exists, and was not made by this command; add --overwrite"):
        export(source, output)
    export(source, output, overwrite=True)
    combine(folder, whole)
    export(source, output)


def test_who_made_a_file_is_noted_where_the_settings_say(source: Path) -> None:
    here, there = load_settings(output_dir="here"), load_settings(output_dir="there")
    output = source.with_name("out.jsonl")
    for _ in range(2):
        export(source, output, here)
    with pytest.raises(UsageError, match="not made by this command"):
        export(source, output, there)
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["00_Setup", "here"]


def test_a_file_without_a_row_is_no_loss(source: Path) -> None:
    """It is what a run leaves that had nothing to reject; a rerun must not stumble over it."""
    output = source.with_name("out.jsonl")
    output.write_text("")
    assert export(source, output).pairs == 2


def test_a_file_in_the_folder_that_is_not_ours_is_left_alone(folder: Path, tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "out/lamps_trainingdata.jsonl", "mine")
    with pytest.raises(UsageError, match=r"lamps_trainingdata\.jsonl: exists"):
        export(folder, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["lamps_trainingdata.jsonl"]


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_format_loses_a_system_message_or_earlier_turns(tmp_path: Path, fmt: str) -> None:
    first = {
        "instruction": "When?",
        "input": "",
        "output": "At noon.",
        "history": [["Who?", "Ada."]],
        "system": "Be kind.",
    }
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps(first) + "\n" + json.dumps({"question": "Where?", "answer": "At sea."}) + "\n")
    for system, own in (("Be kind.", ""), ("Be brief.", "Be brief.")):
        export(source, tmp_path / "out.jsonl", fmt=fmt, system_prompt=own, overwrite=True)
        lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
        assert all(word in lines[0] for word in (system, "Who?", "Ada.", "When?", "At noon."))
        assert (system in lines[1]) == bool(own)
        assert fmt == "text" or pairs.read(tmp_path / "out.jsonl").total == 2


# --- what goes wrong ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fmt": "llama"}, "-f llama: no such format; there are chatml, alpaca, sharegpt, jsonl, text"),
        ({"reasoning": "keep"}, "--reasoning keep: no such choice; there are drop, think, field"),
    ],
)
def test_an_option_that_cannot_be_heeded_is_refused(source: Path, options: Row, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        exported(source, **options)
    assert not (source.parent / "training.jsonl").exists()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "no \\*_qa.json in it"),
        (lambda path: path.write_text(""), "empty"),
        (lambda path: path.write_text("notes"), "neither JSON nor JSON Lines"),
        (lambda path: path.write_text('{"training_pairs": []}'), "no pair in it"),
    ],
)
def test_a_source_without_pairs_is_one_clear_error_and_no_file(
    tmp_path: Path, make: Callable[[Path], Any], words: str
) -> None:
    make(tmp_path / "in")
    with pytest.raises(InputError, match=words):
        export(tmp_path / "in", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_source_is_never_written_over(source: Path, folder: Path) -> None:
    before = source.read_bytes(), (folder / "bells_qa.json").read_bytes()
    for given, output in ((source, source), (folder, folder), (folder, folder / "bells_qa.json")):
        with pytest.raises(UsageError, match="source"):
            export(given, output, overwrite=True)
    with pytest.raises(UsageError, match="would be a part of the source"):
        combine(folder, folder / "all_qa.json", overwrite=True)
    assert (source.read_bytes(), (folder / "bells_qa.json").read_bytes()) == before


@pytest.mark.parametrize("output", ["out.txt", "source_is_a_file.jsonl/out.jsonl"])
def test_a_place_that_cannot_be_written_is_an_error_that_names_it(source: Path, output: str) -> None:
    (source.parent / "source_is_a_file.jsonl").write_text("mine")
    with pytest.raises((UsageError, OSError), match=output.split("/")[0]):
        export(source, source.parent / output)
    assert (source.parent / "source_is_a_file.jsonl").read_text() == "mine"


# --- combine ---


def combined(folder: Path) -> tuple[Any, Row]:
    done = combine(folder, folder.parent / "training_data.json")
    return done, json.loads(done.output.read_text("utf-8"))


def test_all_documents_stand_in_one_file_with_what_they_say_of_themselves(folder: Path) -> None:
    done, whole = combined(folder)
    assert (done.documents, done.pairs, done.duplicates, done.unread, done.warnings) == (2, 3, 0, (), ())
    assert list(whole) == ["metadata", "documents", "training_pairs"]
    about = whole["metadata"]
    assert (about["generated_by"], about["total_qa_pairs"], about["num_documents"]) == ("ai-tools combine", 3, 2)
    assert about["source_qa_files"] == ["bells_qa.json", "lamps_qa.json"]
    assert about["generated_at"].endswith("+00:00")
    made = json.loads((folder / "bells_qa.json").read_text("utf-8"))
    assert whole["documents"][0] == {
        "file": "bells_qa.json",
        "source_file": "bells.md",
        "status": "completed",
        "model": "rules",
        "generated_at": "on bells.md",
        "total_chunks": 3,
        "completed_chunks": 2,
        "failed_chunks": 1,
        "total_qa_pairs": 2,
        "file_info": made["metadata"],
        "processing_info": made["processing_info"],
        "qa_generation_info": made["qa_generation_info"],
        "qa_pairs_count": 2,
    }
    assert [one["question"] for one in whole["training_pairs"]] == ["When?", "Who?", "Where?"]


def test_settings_that_documents_share_stand_once_and_others_by_file(folder: Path) -> None:
    files.write_json(folder / "old_qa.json", document([pair("Why?")], file="old.md", model="other", topic="bells"))
    _, whole = combined(folder)
    models = {"bells_qa.json": "rules", "lamps_qa.json": "rules", "old_qa.json": "other"}
    assert whole["metadata"]["processing_config"] == {
        "splitting_strategy": "markdown",
        "chunk_size": 512,
        **dict.fromkeys(("provider", "llm_provider"), "offline"),
        **dict.fromkeys(("model", "model_used"), models),
        "temperature": 0,
        "topic": {"old_qa.json": "bells"},
    }


def test_a_pair_that_stands_in_two_documents_is_taken_once(folder: Path) -> None:
    copies = [pair("When?"), pair("Who?", "Ada."), pair("Who?", "Ada.", chunk="c1"), pair("Who?", "Bea.")]
    files.write_json(folder / "copy_qa.json", document(copies, file="copy.md"))
    bare = [{"question": "Who?", "answer": "Ada.", "chunk_id": 0, "source_file": file} for file in ("x.md", "y.md")]
    files.write_json(folder / "x_qa.json", document([bare[0], bare[0], bare[1]], file="x.md"))
    done, whole = combined(folder)
    assert (done.pairs, done.duplicates) == (7, 3), "ids of chunks that count anew in each file make no copies"
    assert whole["metadata"]["total_qa_pairs"] == len(whole["training_pairs"]) == 7
    assert {one["file"]: one["total_qa_pairs"] for one in whole["documents"]} == {
        "bells_qa.json": 2,
        "copy_qa.json": 2,
        "lamps_qa.json": 1,
        "x_qa.json": 2,
    }


def test_unfinished_documents_are_named_and_their_pairs_taken(folder: Path) -> None:
    files.write_json(folder / "half_qa.json", document([pair("Half?")], status="interrupted"))
    files.write_json(folder / "bad_qa.json", document([], status="failed"))
    done, whole = combined(folder)
    assert [line.split("/")[-1] for line in done.warnings] == [
        "bad_qa.json: failed, not completed; its 0 pairs are taken",
        "half_qa.json: interrupted, not completed; its 1 pairs are taken",
    ]
    assert "Half?" in [one["question"] for one in whole["training_pairs"]]


def test_torn_and_malformed_files_are_named_and_the_others_combined(folder: Path) -> None:
    (folder / "torn_qa.json").write_text((folder / "bells_qa.json").read_text().split('"Who?"')[0])
    (folder / "notes_qa.json").write_text("notes")
    (folder / "empty_qa.json").write_text("")
    rows = [{"question": "No answer?"}, pair("Good?")]
    files.write_json(folder / "array_qa.json", rows)
    done, whole = combined(folder)
    reasons = " ".join(one.reason for one in done.unread)
    for words in (
        "torn_qa.json: breaks off after row 1",
        "notes_qa.json: neither",
        "empty_qa.json: empty",
        "array_qa.json, row 1: no answer",
    ):
        assert words in reasons
    assert done.duplicates == 1, "the row before the tear"
    torn = next(one for one in whole["documents"] if one["file"] == "torn_qa.json")
    assert (torn["status"], torn["source_file"], torn["total_chunks"]) == ("completed", "bells.md", 3)
    assert "Good?" in [one["question"] for one in whole["training_pairs"]]


def test_the_combined_file_is_read_again_as_the_same_pairs_and_exported(folder: Path, tmp_path: Path) -> None:
    files.write_json(folder / "more_qa.json", document([*ROWS, pair("When?", note=None)], file="more.md"))
    done, whole = combined(folder)
    assert list(pairs.read(done.output)) == whole["training_pairs"]
    assert done.pairs == len(whole["training_pairs"]) == done.pairs
    assert export(done.output, tmp_path / "out.jsonl", fmt="jsonl").pairs == done.pairs
    assert combine(folder, done.output).pairs == done.pairs, "its own file is replaced"


@pytest.mark.parametrize(
    ("given", "output", "words"),
    [
        ("nothing", "out.json", "no such file or folder"),
        ("empty", "out.json", "no \\*_qa.json in it"),
        ("docs/bells_qa.json", "out.json", "a file; give the folder"),
        ("docs", "out.jsonl", "give a file that ends in .json"),
        ("docs", "out", "give a file that ends in .json"),
        ("docs", "docs/bells_qa.json", "part of the source"),
        ("docs", "mine.json", "exists, and was not made by this command; add --overwrite"),
        ("docs", "other.json", "exists, and was not made by this command; add --overwrite"),
        ("docs", "folder.json", "a folder; give a file"),
    ],
)
def test_combine_refuses_what_it_cannot_do(folder: Path, given: str, output: str, words: str) -> None:
    root = folder.parent
    (root / "empty").mkdir()
    (root / "folder.json").mkdir()
    (root / "mine.json").write_text('{"mine": 1}')
    files.write_json(root / "other.json", document([pair("When?")]))
    before = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match=words):
        combine(root / given, root / output)
    assert sorted(root.rglob("*")) == before
