"""Reading pairs: every format that is promised, files that are damaged, and blocks of one passage."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from ai_tools.errors import InputError
from ai_tools.settings import load_settings
from ai_tools.steps import training
from ai_tools.tools import export, pair_files, pairs
from ai_tools.tools.pairs import WINDOW, InOrder, batches, identity

Row = dict[str, Any]
PAIR: Row = {"question": "When?", "answer": "At noon.\n\n[1] `x`  ", "type": "qa", "source_text": "It rings at noon."}
OTHER: Row = {"question": "Who?", "answer": "Ada."}


def written(folder: Path, content: Any, name: str = "pairs.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def found(path: Path) -> list[Row]:
    read = pairs.read(path)
    rows = list(read)
    assert len(rows) == read.total
    return rows


def one(folder: Path, row: Row) -> Row:
    [pair] = found(written(folder, [row]))
    return pair


# --- the formats ---


@pytest.mark.parametrize(
    "content",
    [
        [PAIR],
        lines(PAIR),
        json.dumps(PAIR).encode(),
        json.dumps({"metadata": {"n": [1, {}]}, "documents": [{"file": "a"}], "training_pairs": [PAIR]}, indent=2),
        {"summary": "It rings.", "qa_pairs": [PAIR], "rest": None},
        {"pairs": [PAIR]},
        b"\xef\xbb\xbf" + lines(PAIR),
        lines(PAIR).replace(b"\n", b"\r\n"),
        b"\n\n  " + json.dumps([PAIR], indent=1).encode() + b"\n\n",
    ],
)
def test_a_file_is_known_by_its_content_and_nothing_of_a_pair_is_altered(tmp_path: Path, content: Any) -> None:
    raw = content.encode() if isinstance(content, str) else content
    for name in ("pairs.json", "pairs.jsonl"):
        assert found(written(tmp_path, raw, name)) == [PAIR]


def test_a_folder_is_read_file_by_file_and_other_files_in_it_are_none_of_ours(tmp_path: Path) -> None:
    written(tmp_path, {"metadata": {}, "training_pairs": [OTHER]}, "b_qa.json")
    written(tmp_path, {"metadata": {}, "training_pairs": [PAIR]}, "a_qa.json")
    written(tmp_path, {"chunks": []}, "a_chunks.json")
    assert [row["question"] for row in found(tmp_path)] == ["When?", "Who?"]


GEN = {"sample_id": "s", "recipe": "r", "question": "When?", "response": "At noon.", "source_text": "P.", "type": "qa"}
QAGEN = {
    "qac_id": "q", "context": "P.", "question": "When?", "answer": "At noon.",
    "generated_question": "When?", "generated_answer": "At noon.", "labels": {"information": "r"},
}  # fmt: skip
CHATML = [{"role": "system", "content": "S."}, {"role": "user", "content": "When?"}]
CHATML.append({"role": "assistant", "content": "At noon."})
SHAREGPT = [{"from": "human", "value": "When?"}, {"from": "gpt", "value": "At noon."}]
ASKED, SAID = {"role": "user", "content": "When?"}, {"role": "assistant", "content": "At noon."}
BEFORE = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]
TEXT = [{"type": "text", "text": "When?"}]
# Rows of other tools, each with what of it is kept besides the pair, and the messages before it in training.
OTHERS: dict[str, tuple[Row, Row]] = {
    "distilabel": (
        {"instruction": "When?", "generation": "At noon.", "system_prompt": "S.", "model_name": "m"},
        {"system": "S.", "model_name": "m", "messages": ["S."]},
    ),
    "ragas": (
        {"user_input": "When?", "reference": "At noon.", "reference_contexts": ["P.", "Q."]},
        {"source_text": "P.\n\nQ."},
    ),
    "openai parts": ({"messages": [ASKED | {"content": TEXT}, SAID]}, {}),
    "reasoning": (
        {"messages": [ASKED, SAID | {"reasoning_content": "So."}]},
        {"reasoning": "So.", "type": "cot"},
    ),
    "alpaca history": (
        {"instruction": "When?", "output": "At noon.", "history": [["Who?", "Ada."]], "system": "S."},
        {"history": [["Who?", "Ada."]], "system": "S.", "messages": ["S.", "Who?", "Ada."]},
    ),
    "several turns": (
        {"messages": [*BEFORE, ASKED, SAID]},
        {"history": [["Who?", "Ada."]], "messages": ["Who?", "Ada."]},
    ),
    "developer": (
        {"messages": [{"role": "developer", "content": "S."}, ASKED, SAID]},
        {"system": "S.", "messages": ["S."]},
    ),
    "prompt and completion": ({"prompt": [ASKED], "completion": [SAID]}, {}),
    "squad": (
        {"id": "i", "context": "P.", "question": "When?", "answers": {"text": ["At noon.", "At"], "answer_start": [0]}},
        {"id": "i", "source_text": "P."},
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", OTHERS)
def test_rows_of_other_tools_are_trained_on_and_exported_with_all_that_they_say(tmp_path: Path, tool: str) -> None:
    row, kept = OTHERS[tool]
    path = written(tmp_path, [row])
    export(path, tmp_path / "out.jsonl", load_settings(output_dir=tmp_path / "made"), reasoning="field")
    for file in (path, tmp_path / "out.jsonl"):
        [read] = training.read_rows(file)
        assert [turn["content"] for turn in read["messages"]] == [*kept.get("messages", ()), "When?", "At noon."]
        assert read["messages"][-1]["thinking"] == kept.get("reasoning", "")


def test_the_messages_of_a_row_win_over_what_it_says_beside_them(tmp_path: Path) -> None:
    pair = one(tmp_path, {"question": "When?", "messages": [ASKED | {"content": "In the bell book, when?"}, SAID]})
    assert pair["question"] == "In the bell book, when?"


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (GEN, {"sample_id": "s", "recipe": "r", "source_text": "P."}),
        (QAGEN, {"qac_id": "q", "source_text": "P.", "labels": {"information": "r"}}),
        ({"instruction": "When?", "input": "", "output": "At noon."}, {"input": ""}),
        ({"messages": CHATML}, {"system": "S."}),
        ({"messages": CHATML, "question": None, "answer": ""}, {"system": "S."}),
        ({"conversations": SHAREGPT, "note": [None]}, {"note": [None]}),
        ({"prompt": "When?", "completion": "At noon."}, {}),
        ({"question": "When?", "answer": "At noon.", "metadata": {"id": "i", "x": None}}, {"id": "i"}),
        ({"question": "When?", "answer": "At noon.", "context": [["title", 1]]}, {"context": [["title", 1]]}),
        ({"question": "When?", "answer": "At noon.", "type": None, "source_text": None}, {}),
        *((row, {name: kept[name] for name in kept if name != "messages"}) for row, kept in OTHERS.values()),
    ],
)  # fmt: skip
def test_rows_of_every_tool_become_the_same_pair_with_all_else_kept(tmp_path: Path, row: Row, kept: Row) -> None:
    assert one(tmp_path, row) == {"question": "When?", "answer": "At noon.", "type": "qa"} | kept


SQUAD = {  # the article file, as it is published
    "version": "v2.0",
    "data": [
        {
            "title": "Bells",
            "paragraphs": [
                {
                    "context": "P.",
                    "qas": [
                        {
                            "id": "i",
                            "question": "When?",
                            "answers": [{"text": "At noon.", "answer_start": 0}],
                            "is_impossible": False,
                        },
                        {"id": "k", "question": "Why?", "answers": [], "plausible_answers": [], "is_impossible": True},
                    ],
                },
                {"context": "Q.", "qas": [{"id": "j", "question": "Who?", "answers": [{"text": "Ada."}]}]},
            ],
        },
        {
            "title": "Lamps",
            "paragraphs": [{"context": "R.", "qas": [{"question": "Lit?", "answers": [{"text": "Yes."}]}]}],
        },
    ],
}


@pytest.mark.parametrize("content", [SQUAD, json.dumps(SQUAD, indent=1).encode(), SQUAD["data"], lines(*SQUAD["data"])])
def test_articles_of_squad_are_the_questions_in_them_with_passage_and_title(tmp_path: Path, content: Any) -> None:
    path = written(tmp_path, content)
    assert found(path) == [
        {"question": "When?", "answer": "At noon.", "type": "qa", "source": "Bells", "id": "i", "is_impossible": False,
         "source_text": "P."},
        {"question": "Who?", "answer": "Ada.", "type": "qa", "source": "Bells", "id": "j", "source_text": "Q."},
        {"question": "Lit?", "answer": "Yes.", "type": "qa", "source": "Lamps", "source_text": "R."},
    ]  # fmt: skip
    [impossible] = pairs.read(path).failed
    assert impossible.reason.endswith(" 1, question 2: no answer")


def test_articles_of_squad_are_trained_on(tmp_path: Path) -> None:
    answered = json.loads(json.dumps(SQUAD))
    del answered["data"][0]["paragraphs"][0]["qas"][1]
    rows = training.read_rows(written(tmp_path, answered))
    assert [row["messages"][-1]["content"] for row in rows] == ["At noon.", "Ada.", "Yes."]


def test_what_looks_like_an_article_and_is_none_costs_itself_alone(tmp_path: Path) -> None:
    rows = [{"paragraphs": 1}, {"paragraphs": [1, {"qas": [2, OTHER]}]}, PAIR]
    path = written(tmp_path, {"data": rows})
    assert [row["question"] for row in found(path)] == ["Who?", "When?"]
    assert len(pairs.read(path).failed) == 2


def test_rows_on_the_use_of_tools_are_read_and_a_solution_that_is_an_object_is_its_json(tmp_path: Path) -> None:
    asked = {"instruction": "Ring the bell at noon."}
    assert one(tmp_path, asked | {"solution": "ring(at=12)"})["answer"] == "ring(at=12)"
    calls = [{"tool": "ring", "arguments": {"at": "noon \N{BELL}"}}]
    row = one(tmp_path, asked | {"solution": calls, "tools": ["ring"]})
    assert (json.loads(row["answer"]), row["tools"]) == (calls, ["ring"])
    assert "\N{BELL}" in row["answer"]
    assert one(tmp_path, {"question": "3?", "answer": "3", "solution": [1, 2]})["solution"] == [1, 2]


def test_the_input_of_an_instruction_belongs_to_the_question_and_that_of_a_question_does_not(tmp_path: Path) -> None:
    assert one(tmp_path, {"instruction": "Sum.", "input": "1, 2", "output": "3"})["question"] == "Sum.\n\n1, 2"
    row = one(tmp_path, {"question": "Sum?", "input": "1, 2", "answer": "3"})
    assert (row["question"], row["input"]) == ("Sum?", "1, 2")


@pytest.mark.parametrize(("answer", "text"), [(64, "64"), (0, "0"), (1.5, "1.5"), (10**30, str(10**30))])
def test_an_answer_that_is_a_number_is_taken_as_its_text(tmp_path: Path, answer: float, text: str) -> None:
    assert one(tmp_path, OTHER | {"answer": answer})["answer"] == text


@pytest.mark.parametrize(
    ("row", "kind", "reasoning"),
    [
        ({"reasoning": "1. It is noon."}, "cot", "1. It is noon."),
        ({"reasoning": ["It is", "noon."]}, "cot", ["It is", "noon."]),
        ({"reasoning": "", "rating": None}, "qa", None),
        ({"reasoning": "Clear.", "rating": 8}, "qa", None),
        ({"reasoning": "Clear.", "rating": 8, "type": "qa"}, "qa", None),
        ({"reasoning": "1. It is noon.", "rating": 8, "type": "cot"}, "cot", "1. It is noon."),
        ({"reasoning": "1. It is noon.", "rating": 8, "rating_reasoning": "Clear."}, "cot", "1. It is noon."),
        ({"answer": "<think>\n1. It is noon.\n</think>\n\nAda.", "rating": 8}, "cot", "1. It is noon."),
    ],
)
def test_reasoning_is_told_from_the_words_of_a_judge(tmp_path: Path, row: Row, kind: str, reasoning: Any) -> None:
    pair = one(tmp_path, OTHER | row)
    assert (pair["type"], pair.get("reasoning"), pair["answer"]) == (kind, reasoning, "Ada.")
    if row.get("rating") and reasoning is None:
        assert pair["rating_reasoning"] == "Clear."


# --- what is damaged ---


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"[]", "no pair in it"),
        (b"notes", "neither JSON nor JSON Lines"),
        (b'{"mine": 1,\n "a": 2}', "no pairs in it"),
        (b'{"mine": ', "not JSON"),
        (b'{"pairs": 7}', "no question"),
        (b"\xff\xfe{\x00", "neither JSON"),
        (b'{"a": ' + b"[" * 200_000 + b"\n", "not JSON"),
    ],
)
def test_a_file_without_a_pair_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        pairs.read(written(tmp_path, content))
    assert "\n" not in str(error.value)


def test_a_folder_or_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.json", "no such file"), (tmp_path, r"no \*_qa.json")):
        with pytest.raises(InputError, match=words):
            pairs.read(path)


GOOD = json.dumps(OTHER).encode()


@pytest.mark.parametrize(
    "bad",
    [
        b"7",
        b'["a"]',
        b"null",
        b'{"question": null, "answer": "A."}',
        b'{"question": "Q?", "answer": " \\n"}',
        b'{"question": "Q?", "answer": true}',
        b'{"question": {"a": null}, "answer": "A."}',
        b'{"question": "Q?", "answer": "A \\ud83d"}',
        b'{"question": "Q?", "answer": "A \xff"}',
        b'{"question": "Q?", "answer": "A.", "note": {"\\udc00": 1}}',
        b'{"question": "Q?", "answer": "A.", "n": ' + b"[" * 150 + b"]" * 150 + b"}",
        b'{"messages": [{"role": ["user"], "content": "Q?"}, {"role": "assistant", "content": "A."}]}',
        b'{"messages": [7]}',
        b'{"conversations": [{"from": "human", "value": "Q?"}, {"from": "human", "value": "R?"}]}',
    ],
)
def test_a_bad_row_is_named_and_costs_no_other_in_either_kind_of_file(tmp_path: Path, bad: bytes) -> None:
    for name, content in (("a.json", b"[" + GOOD + b",\n" + bad + b", " + GOOD + b"]"),
                          ("a.jsonl", GOOD + b"\n" + bad + b"\n" + GOOD)):  # fmt: skip
        read = pairs.read(written(tmp_path, content, name))
        assert len(list(read)) == read.total == 2
        [fault] = read.failed
        assert f"{name}, {'row' if name == 'a.json' else 'line'} 2: " in fault.reason


@pytest.mark.parametrize("tail", [b', {"question": "Q', b", ", b"", b" {}", b', {"n": ' + b"[" * 5000, b', {"n": tru'])
def test_an_array_that_breaks_off_gives_what_stands_before(tmp_path: Path, tail: bytes) -> None:
    read = pairs.read(written(tmp_path, b"[" + GOOD + b"," + GOOD + tail))
    assert len(list(read)) == 2
    assert "breaks off after row 2" in read.failed[0].reason


@pytest.mark.parametrize(
    "torn", [b'{"question": "Q', b'{"question": "Q", "answer": ' + b"9" * 5000 + b"}", b"[" * 5000]
)
def test_a_torn_line_costs_itself_only_first_or_last(tmp_path: Path, torn: bytes) -> None:
    read = pairs.read(written(tmp_path, GOOD + b"\n" + GOOD + b"\n" + torn, "a.jsonl"))
    assert (read.total, len(read.failed)) == (2, 1)
    if torn.startswith(b"{"):
        read = pairs.read(written(tmp_path, torn + b"\n" + GOOD + b"\n" + GOOD, "a.jsonl"))
        assert (read.total, len(read.failed)) == (2, 1)


def test_a_file_of_a_folder_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    written(tmp_path, b"\x00", "a_qa.json")
    written(tmp_path, {"training_pairs": [PAIR]}, "b_qa.json")
    read = pairs.read(tmp_path)
    assert (read.total, len(read.failed)) == (1, 1)
    assert "a_qa.json" in read.failed[0].reason


def test_ids_on_several_pairs_are_warned_of_and_all_pairs_are_used(tmp_path: Path) -> None:
    rows = [OTHER | {"id": 1}, PAIR | {"id": 1}, OTHER | {"id": 2}, OTHER | {"id": 2}]
    read = pairs.read(written(tmp_path, rows))
    assert read.total == 4
    assert len(read.warnings) == 1
    assert "1 ids stand on several pairs (1)" in read.warnings[0]


def test_what_a_file_says_besides_its_pairs_is_kept_even_of_one_that_breaks_off(tmp_path: Path) -> None:
    rest = {"metadata": {"n": 1.5, "deep": [{"x": None}]}, "summary": {"total": 2}, "after": "x"}
    whole = {"metadata": rest["metadata"], "training_pairs": [PAIR] * 2, "summary": rest["summary"], "after": "x"}
    path = written(tmp_path, whole)
    assert pair_files.known(path).about() == rest
    path.write_bytes(path.read_bytes().removesuffix(b'"after": "x"}'))
    assert pair_files.known(path).about() == {"metadata": rest["metadata"], "summary": rest["summary"]}


text = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(json_values), st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
@hypothesis(deadline=None, max_examples=150)
def test_a_list_is_read_as_json_reads_it_however_it_is_cut_into_blocks(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], block: int, indent: int | None, ascii_only: bool
) -> None:
    folder = tmp_path_factory.mktemp("list")
    content = json.dumps({"a": values, "pairs": values}, indent=indent, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        path = written(folder, content)
        file = pair_files.known(path)
        patch.setattr(pair_files, "BLOCK", block)
        assert [row for _, row in file.rows()] == values
        assert file.about() == {"a": values}


# --- blocks ---


def rows_of(passages: Iterable[int]) -> list[Row]:
    return [{"question": str(n), "answer": "A.", "source_text": f"P{place}"} for n, place in enumerate(passages)]


@given(st.lists(st.integers(0, 12), max_size=300), st.integers(1, 7), st.sampled_from([1, 5, 40, WINDOW]))
@hypothesis(deadline=None, max_examples=150)
def test_blocks_hold_every_row_once_of_one_passage_and_none_waits_long(
    places: list[int], size: int, window: int
) -> None:
    rows, taken = rows_of(places), 0

    def counted() -> Iterable[Row]:
        nonlocal taken
        for row in rows:
            taken += 1
            yield row

    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "WINDOW", window)
        for block in batches(counted(), size):
            assert 1 <= len(block) <= size
            assert len({row["source_text"] for _, row in block}) == 1
            assert [number for number, _ in block] == sorted(number for number, _ in block)
            assert taken == len(rows) or taken - 1 - block[0][0] <= window
            seen += [number for number, _ in block]
            assert all(rows[number] is row for number, row in block)
    assert sorted(seen) == list(range(len(rows)))


def test_pairs_of_one_passage_come_together_though_rows_are_shuffled() -> None:
    blocks = list(batches(rows_of([0, 1, 2, 1, 0, 2, 2, 0, 1]), 3))
    assert sorted(len(block) for block in blocks) == [3, 3, 3]


def test_a_row_that_stays_alone_holds_up_no_more_than_a_window_of_others() -> None:
    most = 0
    waiting = InOrder(lambda _: None)
    for block in batches(rows_of([0, *[1] * 20_000]), 5):
        waiting(block)
        most = max(most, len(waiting._ready))
    assert most <= WINDOW + 5


@given(st.permutations(range(30)), st.lists(st.integers(1, 6), max_size=30))
@hypothesis(deadline=None, max_examples=60)
def test_results_are_handed_on_in_their_order_whatever_order_they_come_in(order: list[int], cuts: list[int]) -> None:
    handed: list[int] = []
    in_order, rest = InOrder(handed.append), list(order)
    for cut in [*cuts, 30]:
        now, rest = rest[:cut], rest[cut:]
        in_order((number, number) for number in now)
        assert handed == list(range(len(handed)))
    assert handed == list(range(30))


def test_equal_pairs_are_one_to_a_teacher_and_those_that_differ_in_what_is_shown_are_not() -> None:
    assert identity(PAIR) == identity(PAIR | {"chunk_id": "c9", "rating": 3})
    others = [PAIR | {name: "x"} for name in ("question", "answer", "source_text", "reasoning")]
    assert len({identity(row) for row in (PAIR, *others)}) == 5
