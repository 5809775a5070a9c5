"""Evaluation: exams of three formats, graders, intervals by document, the paired difference, and the seal."""

import ast
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ai_tools
from ai_tools import files
from ai_tools.errors import Contaminated, InputError
from ai_tools.records import Answer, Question
from ai_tools.steps import evaluation, students
from ai_tools.steps.evaluation import compare, find_leaks, grade, load_exam

PACKAGE = Path(ai_tools.__file__).parent


def answer(number: int, right: bool = True, document: str = "", kind: str = "recall", **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "id": f"q{number}",
        "arm": "base",
        "question": "When?",
        "expected": "at noon",
        "generated": "At noon." if right else "Never.",
        "choice": "at noon" if right else "never",
        "option_logprobs": (-1.0, -2.0),
        "document": document,
        "kind": kind,
    }
    return Answer(**(values | changes))


def some(*rights: bool, documents: int = 0) -> list[Answer]:
    return [answer(n, right, f"d{n % documents}" if documents else "") for n, right in enumerate(rights)]


# --- exams -----------------------------------------------------------------------------------------------------------

ROWS = [
    {
        "id": "a",
        "question": "When does it ring?",
        "answer": "at noon",
        "options": ["at noon", "at 11:00"],
        "kind": "recall",
    },
    {"id": "b", "question": "How many?", "answer": "0"},
    {"id": "c", "question": "Who, where?", "answer": "", "kind": "unanswerable"},
]


def write_exam(folder: Path, suffix: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"exam{suffix}"
    if suffix == ".csv":
        lines = ["id,question,answer,options,kind"]
        for row in rows:
            cells = [*(row.get(key, "") for key in ("id", "question", "answer")), "|".join(row.get("options", []))]
            lines.append(",".join(f'"{cell}"' for cell in [*cells, row.get("kind", "")]))
        path.write_text("\n".join(lines))
    elif suffix == ".yaml":
        path.write_text(json.dumps(rows))  # which is YAML
    else:
        files.write_rows(path, rows)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".yaml"])
def test_an_exam_is_read_from_every_format(tmp_path: Path, suffix: str) -> None:
    assert load_exam(write_exam(tmp_path, suffix, ROWS)) == [
        Question("a", "When does it ring?", "at noon", ("at noon", "at 11:00")),
        Question("b", "How many?", "0"),
        Question("c", "Who, where?", "", kind="unanswerable"),
    ]


def test_a_sealed_exam_comes_back_as_it_was_written(tmp_path: Path) -> None:
    exam = [
        Question(
            "g",
            "When?\u2028And \x85 where?",
            "noon\nsharp",
            ("noon\nsharp", "no"),
            "bells.md",
            "paraphrase",
            "generated",
        )
    ]
    assert load_exam(files.write_rows(tmp_path / "exam.jsonl", exam)) == exam


def test_yaml_answers_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "exam.yml"
    path.write_text(
        "- question: May it?\n  answer: no\n- question: When?\n  answer: 11:30\n- question: What?\n  answer: 1.50\n"
    )
    assert [one.answer for one in load_exam(path)] == ["no", "11:30", "1.50"]


def test_a_number_is_an_answer_in_json_too(tmp_path: Path) -> None:
    path = files.write_rows(tmp_path / "exam.jsonl", [{"question": "How many?", "answer": 0, "options": [0, 1]}])
    assert load_exam(path)[0].options == ("0", "1")


def test_csv_answers_keep_their_line_breaks_and_the_mark_of_spreadsheets_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_bytes('\ufeffquestion,answer\r\n"What, then?","one\r\ntwo"\r\n'.encode())
    assert [(one.question, one.answer) for one in load_exam(path)] == [("What, then?", "one\ntwo")]


@pytest.mark.parametrize(
    ("suffix", "text", "says"),
    [
        (
            ".jsonl",
            '{"question": "A?", "answer": "a"}\n{"question": "B?"}',
            r'exam\.jsonl, question 2 \("B\?"\): no answer',
        ),
        (".jsonl", '{"answer": "a"}', r"exam\.jsonl, question 1: no question"),
        (".jsonl", '["A?", "a"]', r"exam\.jsonl, question 1: no question"),
        (".csv", "question,answer,options\nA?,a,b|c", r'exam\.csv, question 1 \("A\?"\): the answer "a" is not among'),
        (".csv", "frage,antwort\nA?,a", r"question 1: no question; each row needs"),
        (".yaml", "- question: A?\n  answer: ''\n", r'exam\.yaml, question 1 \("A\?"\): no answer; add one'),
        (".yaml", "- a: [", r"exam\.yaml: cannot be read as \.yaml"),
        (".yaml", "questions: []", r"exam\.yaml: no questions in it"),
        (".yaml", "5", r"exam\.yaml: no questions in it"),
        (".jsonl", '{"question": ', r"exam\.jsonl: cannot be read as \.jsonl"),
        (".jsonl", "\n", r"exam\.jsonl: no questions in it"),
        (".csv", "", r"exam\.csv: no questions in it"),
        (
            ".jsonl",
            '{"id": 1, "question": "A?", "answer": "a"}\n{"id": 1, "question": "B?", "answer": "b"}',
            r'question 2 \("B\?"\): its id 1 is taken already',
        ),
    ],
)
def test_a_faulty_exam_is_one_line_that_says_where(tmp_path: Path, suffix: str, text: str, says: str) -> None:
    path = tmp_path / f"exam{suffix}"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        load_exam(path)
    assert "\n" not in str(caught.value)


def test_an_exam_in_another_encoding_and_one_that_is_not_there_are_errors(tmp_path: Path) -> None:
    (tmp_path / "exam.csv").write_bytes("question,answer\nGröße?,groß".encode("cp1252"))
    with pytest.raises(InputError, match="not UTF-8; save it as UTF-8"):
        load_exam(tmp_path / "exam.csv")
    with pytest.raises(InputError, match="no such file; give one, or leave EXAM empty"):
        load_exam(tmp_path / "gone.csv")


def test_a_question_asked_twice_counts_once(tmp_path: Path) -> None:
    row = {"question": "When?", "answer": "at noon"}
    assert len(load_exam(files.write_rows(tmp_path / "exam.jsonl", [row, row]))) == 1


def test_the_probe_keeps_its_halves_and_its_facts(tmp_path: Path) -> None:
    row = {"id": "p1", "question": "W?", "answer": "a", "options": ["a", "b"], "fact": "f1", "half": "unreplayed"}
    (found,) = evaluation.load_probe(files.write_rows(tmp_path / "probe.jsonl", [row]))
    assert (found.kind, found.document, found.options) == ("unreplayed", "f1", ("a", "b"))


# --- answers ---------------------------------------------------------------------------------------------------------


def test_every_question_is_asked_as_written_and_its_options_scored() -> None:
    student = students.build_tiny(0)
    questions = [
        Question("a", "When?", "noon", ("noon", "dusk"), "d1"),
        Question("b", "Who rings?", "Ada", kind="recall"),
    ]
    first, second = evaluation.answer_all(student, questions, arm="base")
    assert (first.id, first.question, first.expected, first.document, first.arm) == ("a", "When?", "noon", "d1", "base")
    assert len(first.option_logprobs) == 2
    best = max(zip(first.option_logprobs, questions[0].options, strict=True))
    assert first.choice == best[1]
    assert (second.choice, second.option_logprobs) == (None, ())
    assert first.generated == students.generate(student, ["When?"])[0].strip()


# --- grades ----------------------------------------------------------------------------------------------------------


def test_graders_measure_the_choice_the_words_and_their_overlap() -> None:
    metrics = grade([answer(0, generated="It rings at noon."), answer(1, False, generated="AT NOON")])
    values = {name: metric["value"] for name, metric in metrics.items() if isinstance(metric, dict)}
    assert values == {"accuracy": 0.5, "exact_match": 0.5, "contains": 1.0, "f1": 0.8333}


def test_unanswerable_questions_are_left_out_of_every_figure() -> None:
    metrics = grade([answer(0), answer(1, False, kind="unanswerable")])
    assert (metrics["accuracy"]["value"], metrics["accuracy"]["n"], metrics["unanswerable"]) == (1.0, 1, 1)
    both = compare(some(True), [answer(0, kind="unanswerable")])
    assert both == {}


def test_without_options_there_is_no_accuracy() -> None:
    metrics = grade([answer(0, choice=None)])
    assert "accuracy" not in metrics
    assert metrics["exact_match"]["n"] == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=25))
@settings(deadline=None, max_examples=25)
def test_an_interval_contains_its_value_and_lies_between_none_and_all(rows: list[tuple[bool, int]]) -> None:
    metric = grade([answer(n, right, f"d{document}") for n, (right, document) in enumerate(rows)])["accuracy"]
    low, high = metric["interval"]
    assert 0 <= low <= metric["value"] <= high <= 1
    assert metric["n"] == len(rows)
    assert metric["documents"] == len({document for _, document in rows})


def test_intervals_are_resampled_by_document_since_questions_on_one_page_go_together() -> None:
    rights = [document < 6 for document in range(12) for _ in range(10)]
    clustered = [answer(n, right, f"d{n // 10}") for n, right in enumerate(rights)]
    independent = [answer(n, right, f"d{n}") for n, right in enumerate(rights)]
    wide, narrow = (grade(rows)["accuracy"] for rows in (clustered, independent))
    assert wide["value"] == narrow["value"] == 0.5
    widths = [metric["interval"][1] - metric["interval"][0] for metric in (wide, narrow)]
    assert widths[0] > 2 * widths[1]
    assert (wide["documents"], narrow["documents"]) == (12, 120)


def test_few_documents_are_said_to_make_the_interval_too_narrow() -> None:
    few, many = (grade(some(*[True, False] * 20, documents=n))["accuracy"] for n in (19, 20))
    assert few["note"] == "only 19 documents: the true interval is wider"
    assert "note" not in many


def test_the_seed_decides_the_interval() -> None:
    rows = some(*[True, False, False, True] * 25, documents=23)
    assert grade(rows) == grade(rows)
    assert len({str(grade(rows, seed=seed)["accuracy"]["interval"]) for seed in range(12)}) > 1


def test_the_difference_is_paired_by_question_and_so_narrower_than_the_arms() -> None:
    rng = random.Random(0)
    hard = [rng.random() < 0.5 for _ in range(60)]
    base = some(*hard, documents=30)
    tuned = [answer(n, right or n % 6 == 0, f"d{n % 30}") for n, right in enumerate(hard)]
    rng.shuffle(tuned)
    difference = compare(base, [*tuned, answer(999, True)])["accuracy"]
    expected = (sum(one.choice == "at noon" for one in tuned) - sum(hard)) / 60
    assert difference["value"] == pytest.approx(expected, abs=1e-4)
    assert difference["n"] == 60, "a question that only one arm was asked is no pair"
    assert difference["documents"] == 30
    assert difference["significant"] is True
    arm = grade(base)["accuracy"]["interval"]
    assert difference["interval"][1] - difference["interval"][0] < arm[1] - arm[0]


def test_a_difference_whose_interval_holds_zero_is_not_significant() -> None:
    base, tuned = some(True, False, True, False, documents=4), some(False, True, True, False, documents=4)
    difference = compare(base, tuned)["accuracy"]
    assert (difference["value"], difference["significant"]) == (0.0, False)
    assert compare(base, base)["accuracy"]["significant"] is False


def test_the_report_grades_each_group_of_questions_by_itself() -> None:
    base, tuned = some(False, False, True), some(True, True, True)
    metrics = evaluation.report_metrics(base, tuned, {"exam": {"q0", "q1"}, "probe": {"q2"}}, seed=0)
    assert metrics["exam"]["base"]["accuracy"]["value"] == 0
    assert metrics["exam"]["difference"]["accuracy"]["value"] == 1
    assert metrics["probe"]["tuned"]["accuracy"]["n"] == 1
    assert evaluation.headline(metrics) == {"base_accuracy": 0.0, "tuned_accuracy": 1.0}


def test_wrong_answers_chose_otherwise_or_do_not_say_it() -> None:
    rows = [
        answer(0),
        answer(1, False),
        answer(2, choice=None, generated="It rings at noon, daily."),
        answer(3, choice=None, generated="Never."),
        answer(4, False, kind="unanswerable"),
    ]
    assert [one.id for one in evaluation.wrong_answers(rows)] == ["q1", "q3"]


def test_chance_is_the_mean_over_questions_with_options() -> None:
    questions = [Question("a", "?", "x", ("x", "y")), Question("b", "?", "x", tuple("xyzw")), Question("c", "?", "x")]
    assert evaluation.chance(questions) == pytest.approx(0.375)
    assert evaluation.chance(questions[2:]) is None


# --- the seal --------------------------------------------------------------------------------------------------------

SEALED = "Which of the three ringers signs the big book at noon?"
SHORT = "Who oils the 1,260 hinges?"


def leaks(folder: Path, asked: str, **changes: Any) -> list[tuple[str, str]]:
    row = {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": "Ada."}],
        "question": asked,
        "document_outline": "the bell book",
        "document": "A summary.",
    } | changes
    text_row = dict.fromkeys(row)
    training = files.write_rows(folder / "cut.jsonl", [text_row | {"text": SEALED}, row])
    sealed = files.write_rows(folder / "exam.jsonl", [{"question": SHORT}, {"question": SEALED}])
    return find_leaks(training, sealed)


@pytest.mark.parametrize(
    ("asked", "sealed"),
    [
        (SHORT, SHORT),
        ("who oils THE 1,260 hinges", SHORT),
        ("In the bell book, who oils the 1,260 hinges?", SHORT),
        ("Say: of the three ringers signs the big book?", SEALED),
    ],
)
def test_a_planted_leak_is_found(tmp_path: Path, asked: str, sealed: str) -> None:
    assert leaks(tmp_path, asked) == [(asked, sealed)]


@pytest.mark.parametrize(
    "asked", ["Who oils the 1,261 hinges?", "Say: of the three ringers signs the small book?", "\u2028 \x85?", "谁?"]
)
def test_what_only_looks_alike_is_no_leak(tmp_path: Path, asked: str) -> None:
    assert leaks(tmp_path, asked) == []


def test_answers_and_documents_may_say_what_the_exam_asks(tmp_path: Path) -> None:
    content = f"the bell book\n{SEALED}\n\nWho?"
    turns = [{"role": "user", "content": content}, {"role": "assistant", "content": SEALED}]
    assert leaks(tmp_path, "Who?", messages=turns, document=SEALED) == []
    turns[0]["content"] = f"{SEALED}\n\nWho?"  # a document without a title
    assert leaks(tmp_path, "Who?", messages=turns, document=SEALED, document_outline="") == []
    turns[0]["content"] = f"the bell book\nA summary.\n\n{SHORT}"
    assert len(leaks(tmp_path, SHORT, messages=turns)) == 1


def test_an_exam_in_another_script_seals_its_own_questions_only(tmp_path: Path) -> None:
    sealed = files.write_rows(tmp_path / "exam.jsonl", [{"question": "Кто звонит в колокол?"}])
    row = {"question": "Где лампа?", "document_outline": None, "document": None}
    for asked, found in (("Где лампа?", 0), ("кто звонит в колокол", 1)):
        rows = [row | {"question": asked, "messages": [{"role": "user", "content": asked}]}]
        assert len(find_leaks(files.write_rows(tmp_path / "cut.jsonl", rows), sealed)) == found


@pytest.mark.parametrize(
    ("asked", "sealed", "found"),
    [
        ("请问本产品的保修期为多少个月？", "本产品的保修期为多少个月？", 1),
        ("保証期間は２４か月ですか", "保証期間は24か月ですか？", 1),
        ("ランプを替える必要がありますか？", "塔の鐘を毎朝鳴らす必要がありますか？", 0),
        ("ขอถามว่าระยะเวลารับประกันของปั๊มกี่เดือน", "ระยะเวลารับประกันของปั๊มกี่เดือน", 1),
        ("दीपक की सीमा क्या है?", "दीपक के सीमा क्या है?", 0),
        ("Is it 10²?", "Is it 102?", 0),
        ("Pru\u0308ft Ada?", "PRÜFT ADA?", 1),
    ],
)
def test_a_reworded_question_is_a_leak_in_any_script(tmp_path: Path, asked: str, sealed: str, found: int) -> None:
    exam = files.write_rows(tmp_path / "exam.jsonl", [{"question": sealed}])
    turns = [{"role": "user", "content": asked}]
    row = {"question": asked, "document_outline": None, "document": None, "messages": turns}
    assert len(find_leaks(files.write_rows(tmp_path / "cut.jsonl", [row]), exam)) == found


def test_a_leak_stops_the_run_and_names_the_row(tmp_path: Path) -> None:
    leaks(tmp_path, SHORT)
    with pytest.raises(Contaminated, match=r'cut\.jsonl: 1 rows ask exam questions; "Who oils'):
        evaluation.require_no_leaks(tmp_path / "cut.jsonl", tmp_path / "exam.jsonl")
    leaks(tmp_path, "Something else?")
    evaluation.require_no_leaks(tmp_path / "cut.jsonl", tmp_path / "exam.jsonl")


def functions_of(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    imported = {
        name.asname or name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    return defined | (imported - {"annotations", "Any"})


def test_the_check_of_the_seal_shares_no_code_with_the_filter() -> None:
    tree = ast.parse((PACKAGE / "steps/evaluation.py").read_text("utf-8"))
    own = {"find_leaks", "_letters", "_joined", "_parted", "_stands_apart", "_does"}
    parts = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in own]
    assert len(parts) == len(own)
    nodes = [node for part in parts for node in ast.walk(part)]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert used & (functions_of("matching") | functions_of("steps/mixing")) == set()
