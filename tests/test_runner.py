"""The runner: what is up to date, what is stale and why, and how an error of a notebook comes back."""

import json
import os
import re
from pathlib import Path
from typing import Any

import papermill
import pytest
from endpoint import Endpoint

from ai_tools import runner, sources, teachers, workspace
from ai_tools.documents import convert, reading, seeds
from ai_tools.documents.chunking import chunk_document
from ai_tools.errors import InputError, MissingStep, SettingsError, UsageError, WorkError
from ai_tools.files import write_rows
from ai_tools.settings import Settings, load_settings
from ai_tools.steps import generation, students
from ai_tools.teachers.journal import Journal
from ai_tools.workspace import STEPS, Step

PARAMETERS = "qa_per_doc: int = settings.qa_per_doc\nseed: int = settings.seed"


def write_notebook(path: Path, *code: str, parameters: str = PARAMETERS) -> None:
    head = {"cell_type": "code", "id": "parameters", "metadata": {"tags": ["parameters"]}, "source": parameters}
    load = "from ai_tools import load_settings, workspace\nsettings = load_settings()"
    body = [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source} for i, source in enumerate(code)]
    first = {"cell_type": "code", "id": "load", "metadata": {}, "source": load}
    cells = [cell | {"outputs": [], "execution_count": None} for cell in (first, head, *body)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Settings:
    """A project whose notebooks are a few lines and whose steps leave what the next ones need."""
    for step in STEPS:
        write_notebook(tmp_path / step.notebook, "pass")
    (tmp_path / "assets/corpus").mkdir(parents=True)
    (tmp_path / "assets/corpus/page.md").write_text("# Page\n\nA bell rings at noon.\n")
    for name in ("exam", "general", "probe"):
        (tmp_path / f"assets/{name}.jsonl").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    return load_settings()


PAIRS = {f"icl_{kind}_{number}": f"{kind} {number}" for kind in ("query", "response") for number in (1, 2, 3)}
LEAVES: dict[int, dict[str, str]] = {
    0: {"environment.json": "{}"},
    1: {"exam.jsonl": "{}", "base_answers.jsonl": "{}"},
    2: {"chunks.jsonl": "{}", "documents.jsonl": "{}", "seed_data.jsonl": "{}"},
    3: {f"{name}/gen.jsonl": "{}" for name in workspace.DATASETS},
    4: {"combined_cut_5x.jsonl": "{}", "mix_report.json": "{}"},
    5: {"model/weights": "w"},
    6: {"metrics.json": "{}"},
}


def finish(settings: Settings, number: int, **changed: str) -> None:
    step = Step(settings, number)
    for name, text in (LEAVES[number] | changed).items():
        step.write_text(name, text)
    step.finish(**({"cuts": {"5": 1}} if number == 4 else {}))


def finish_all(settings: Settings) -> None:
    for step in STEPS:
        finish(settings, step.number)


def states(settings: Settings) -> list[str]:
    return [runner.state_of(settings, step).state for step in STEPS]


def edit_manifest(settings: Settings, number: int, **values: Any) -> None:
    path = workspace.step_folder(settings.output, number) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_finished_series_is_complete_and_an_empty_one_missing(project: Settings) -> None:
    assert states(project) == ["missing"] * 7
    finish_all(project)
    assert states(project) == ["complete"] * 7


def test_a_changed_setting_makes_only_the_steps_that_read_it_stale(project: Settings) -> None:
    finish_all(project)
    changed = project.with_(qa_per_doc=2)
    assert states(changed) == ["complete"] * 4 + ["stale"] + ["complete"] * 2
    assert "QA_PER_DOC" in runner.state_of(changed, STEPS[4]).reason


def test_later_steps_become_stale_when_the_bytes_of_their_inputs_change(project: Settings) -> None:
    finish_all(project)
    finish(project.with_(qa_per_doc=2), 4)
    assert states(project.with_(qa_per_doc=2))[5:] == ["complete", "complete"]
    finish(project.with_(qa_per_doc=2), 4, **{"combined_cut_5x.jsonl": '{"other": 1}'})
    assert states(project.with_(qa_per_doc=2))[5:] == ["stale", "complete"]


def test_a_changed_code_cell_makes_its_own_step_stale_and_prose_does_not(project: Settings) -> None:
    finish_all(project)
    path = project.root / STEPS[3].notebook
    notebook = json.loads(path.read_text())
    notebook["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "prose"})
    path.write_text(json.dumps(notebook))
    assert states(project) == ["complete"] * 7
    notebook["cells"][2]["source"] = "1 + 1"
    path.write_text(json.dumps(notebook))
    assert states(project) == ["complete"] * 3 + ["stale"] + ["complete"] * 3


def test_a_changed_package_makes_every_step_stale(project: Settings) -> None:
    finish_all(project)
    for step in STEPS:
        edit_manifest(project, step.number, package_sha256="another")
    assert states(project) == ["stale"] * 7


def test_a_new_document_a_changed_one_and_a_removed_one_are_noticed(project: Settings) -> None:
    finish_all(project)
    page, other = project.root / "assets/corpus/page.md", project.root / "assets/corpus/other.md"
    before = page.read_text()
    other.write_text("# Other\n")
    assert "other.md" in runner.state_of(project, STEPS[2]).reason
    other.unlink()
    assert runner.state_of(project, STEPS[2]).state == "complete"
    page.write_text(before + "More.\n")
    assert "page.md" in runner.state_of(project, STEPS[2]).reason


def test_a_file_that_somebody_deleted_makes_its_step_stale(project: Settings) -> None:
    finish_all(project)
    (workspace.step_folder(project.output, 2) / "chunks.jsonl").unlink()
    assert "chunks.jsonl is gone" in runner.state_of(project, STEPS[2]).reason


def test_a_literal_in_a_parameters_cell_counts_as_that_steps_setting(project: Settings) -> None:
    write_notebook(project.root / STEPS[4].notebook, "pass", parameters="qa_per_doc: int = 2")
    for number in range(4):
        finish(project, number)
    finish(project.with_(qa_per_doc=2), 4)
    assert runner.state_of(project, STEPS[4]).state == "complete"


RUN_4 = (
    "settings = settings.with_(qa_per_doc=qa_per_doc, seed=seed)\nstep = workspace.Step(settings, 4)",
    "step.write_text('combined_cut_5x.jsonl', str(qa_per_doc))\nstep.write_text('mix_report.json', '{}')",
    "step.finish(cuts={'5': 1}, qa_per_doc=qa_per_doc)",
)


def test_a_value_given_with_p_reaches_the_notebook_and_the_environment_only_of_its_kernel(project: Settings) -> None:
    for number in range(4):
        finish(project, number)
    write_notebook(project.root / STEPS[4].notebook, *RUN_4)
    said: list[str] = []
    given = load_settings(qa_per_doc="2")
    runner.run(given, [STEPS[4]], {"qa_per_doc": "2"}, say=said.append)
    assert (workspace.step_folder(project.output, 4) / "combined_cut_5x.jsonl").read_text() == "2"
    assert "QA_PER_DOC" not in os.environ
    assert runner.state_of(given, STEPS[4]).state == "complete"
    runner.run(given, [STEPS[4]], {"qa_per_doc": "2"}, say=said.append)
    assert "skipped" in said[-1]
    assert "up to date" in said[-1]
    assert (workspace.step_folder(project.output, 4) / "Knowledge_Mixing.ipynb").is_file()


def test_a_value_given_with_p_wins_over_its_setting_s_other_names_in_the_kernel_too(
    project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PROVIDER", "openai")
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://localhost:9")
    tell = (
        "step = workspace.Step(settings, 0)\nstep.write_text('environment.json', settings.chosen_by)",
        "step.finish()",
    )
    notebook = project.root / STEPS[0].notebook
    write_notebook(notebook, *tell, parameters="provider: str = settings.provider")
    for overrides in ({"provider": "offline"}, {}):
        runner.run(load_settings(**overrides), [STEPS[0]], overrides, say=lambda _: None)
        assert (workspace.step_folder(project.output, 0) / "environment.json").read_text() == "PROVIDER"
    assert "PROVIDER" not in os.environ


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"provider": "nonsense"}, "PROVIDER=nonsense: no such provider; there are offline, openai"),
        ({"CHUNK_TOKENS": 128}, r"CHUNK_TOKENS: no such setting; did you mean chunk_tokens\?"),
        ({"seeed": 3}, r"seeed: no such setting; did you mean seed\?"),
    ],
)
def test_papermill_by_itself_stops_at_a_value_or_a_name_that_is_none(
    tmp_path: Path, clean_environment: None, given: dict[str, Any], says: str
) -> None:
    notebook = Path(__file__).parents[1] / STEPS[0].notebook
    options = {"cwd": notebook.parent, "kernel_name": "python3", "progress_bar": False}
    with pytest.raises(papermill.PapermillExecutionError, match=says):
        papermill.execute_notebook(notebook, tmp_path / "out.ipynb", given | {"output_dir": str(tmp_path)}, **options)


def test_step_00_always_runs(project: Settings) -> None:
    write_notebook(
        project.root / STEPS[0].notebook,
        "step = workspace.Step(settings, 0)\nstep.write_text('environment.json', '{}')",
        "step.finish()",
    )
    finish(project, 0)
    said: list[str] = []
    runner.run(project, [STEPS[0]], {}, say=said.append)
    assert said[0].startswith("00_Setup: running")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("from ai_tools.errors import InputError\nraise InputError('exam: no questions')", InputError),
        ("1 / 0", WorkError),
        ("workspace.Step(settings, 4)", MissingStep),
        ("raise SystemExit(0)", WorkError),
    ],
)
def test_an_error_in_a_notebook_comes_back_as_its_own_kind_and_names_the_step(
    project: Settings, code: str, kind: type[Exception]
) -> None:
    write_notebook(project.root / STEPS[3].notebook, code)
    with pytest.raises(kind, match="03_Knowledge_Generation"):
        runner.run(project, [STEPS[3]], {}, say=lambda _: None)


def test_a_kernel_that_is_killed_is_one_line_that_says_what_to_do(project: Settings) -> None:
    write_notebook(project.root / STEPS[3].notebook, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(
        WorkError, match=r"^03_Knowledge_Generation: the notebook's kernel was ended, .* and run again$"
    ):
        runner.run(project, [STEPS[3]], {}, say=lambda _: None)


def test_a_name_that_no_notebook_of_the_run_has_is_refused_with_the_names_they_have(project: Settings) -> None:
    with pytest.raises(SettingsError, match=r"chunk_tokens.*qa_per_doc"):
        runner.run(load_settings(chunk_tokens="64"), list(STEPS), {"chunk_tokens": "64"})


def test_a_missing_key_is_known_before_the_first_step_runs_where_a_teacher_is_needed(project: Settings) -> None:
    paid = project.with_(provider="openai")
    with pytest.raises(SettingsError, match="no key; set OPENAI_API_KEY"):
        runner.run(paid, STEPS[:4], {}, say=lambda _: None)
    assert not project.output.exists()
    runner.check_overrides(paid, STEPS[:2], {})  # the exam is given: nobody is asked
    runner.check_overrides(paid, STEPS[4:], {})
    with pytest.raises(SettingsError, match="no key"):
        runner.check_overrides(paid.with_(source_documents="elsewhere"), STEPS[:2], {})


def plan_of_step_03(settings: Settings) -> list[str]:
    return runner.plan(settings, [STEPS[3]])[1:]


def test_a_plan_before_the_passages_are_known_says_so(project: Settings) -> None:
    teacher, later = plan_of_step_03(project)
    assert teacher.startswith("teacher: offline, rules-")
    assert teacher.endswith(", nothing leaves this machine")
    assert later == "calls of step 03: known once step 02 has run"


def test_a_plan_has_the_calls_of_every_dataset_and_what_they_cost_and_asks_nobody(project: Settings) -> None:
    seed = {"document_title": "Bells", "document_outline": "the bell book", "domain": "bells"}
    place = {"document_id": "d1", "heading_path": []}
    names = ("c1", "c2", "c3")
    rows = {
        "chunks.jsonl": "".join(
            json.dumps({"chunk_id": name, "text": f"{name} is a bell."} | place) + "\n" for name in names
        ),
        "seed_data.jsonl": "".join(json.dumps({"chunk_id": name} | seed) + "\n" for name in names),
    }
    finish(project, 2, **rows)
    paid = project.with_(
        provider="vllm",
        teacher_model_name="m",
        teacher_price="1,2",
        max_calls=500,
        customisation_prompt="Ask in verse.",
    )
    teacher, added, _, *datasets, whole, assumed, limits = plan_of_step_03(paid)
    assert teacher == "teacher: vllm, m, text goes to localhost:8000"
    assert added == "added to the instructions: Ask in verse."
    assert [line.split()[0] for line in datasets] == list(workspace.DATASETS)
    calls = [int(line.split()[1]) for line in datasets]
    assert int(whole.split()[1]) == sum(calls) > 3 * 4
    assert all("$" in line for line in (*datasets, whole))
    assert assumed == "time: m, 4 in flight, assuming 5 s a reply"
    assert limits == "limits: MAX_CALLS=500"
    _, _, _, first, *_ = plan_of_step_03(paid.with_(seed_data_subsample=1))
    assert int(first.split()[1]) == calls[0] / 3
    with Journal(workspace.journal_path(project.output)) as journal:
        assert len(journal) == 0


def test_a_plan_says_what_training_takes_and_what_it_cannot_have(project: Settings) -> None:
    alone = [STEPS[5]]
    assert runner.plan(project, alone)[1:] == ["training of step 05: known once step 04 has run"]
    row = {"messages": [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "At noon."}]}
    cut = write_rows(project.root / "cut.jsonl", [row] * 8)
    _, line, _ = runner.plan(project.with_(training_cut=str(cut), epochs=2), alone)
    assert re.match(r"training of step 05 \(full\): \d+ steps, \d+ tokens in 2\.0 passes; about 0\.\d GB of ", line)
    cut.write_text("")
    _, line = runner.plan(project.with_(training_cut=str(cut)), alone)
    assert line.startswith(f"training of step 05: {cut}: no row in it. Fix: ")


def planned(settings: Settings, *numbers: int, fresh: bool = False) -> dict[str, list[str]]:
    """The lines of a plan that tell of calls, by what they are about: counts first."""
    lines = runner.plan(settings, [STEPS[number] for number in numbers], fresh=fresh)[len(numbers) :]
    found = (re.split(r"\s{2,}|: ", line) for line in lines)
    return {name: rest for name, *rest in found if name}


@pytest.fixture
def documents(project: Settings) -> Settings:
    """The project with three documents of the user's own, so that the teacher writes the exam."""
    (project.root / "docs").mkdir()
    for name in ("bells", "lamps", "tides"):
        text = f"A book on {name} costs 18 crowns. The market opens at 05:30. The market has 36 stalls."
        (project.root / f"docs/{name}.md").write_text(f"# The {name}\n\n{text}\n")
    return project.with_(source_documents="docs", student_model_name="tiny")


def test_a_plan_counts_the_exam_and_the_worked_examples_of_documents_that_no_run_has_read(documents: Settings) -> None:
    plan = planned(documents, 0, 1, 2)
    assert {name: plan[name][:2] for name in ("exam", "worked examples", "all")} == {
        "exam": ["3", "0"],
        "worked examples": ["3", "0"],
        "all": ["6", "0"],
    }
    assert list(planned(documents, 1, 2, 3)) == [*plan, "calls of step 03"]


def test_a_plan_finds_in_the_journal_what_the_notebooks_ask(documents: Settings) -> None:
    converted, _ = convert(sources.find("docs", documents.root), reading(documents))
    limits = {"max_tokens": 512, "overlap": 0, "tokenizer": students.counting_tokenizer("tiny")}
    chunks = [chunk for one in converted for chunk in chunk_document(one, **limits)]
    pair = {"question": "How many stalls has the market?", "answer": "It has 36."}
    pairs = [pair | {"question": f"{pair['question']} {number}"} for number in range(3)]
    exam = [pair | {"wrong_options": ["It has 3.", "It has 6.", "None."]}]
    with Endpoint() as endpoint, Journal(workspace.journal_path(documents.output)) as journal:
        endpoint.reply = lambda _: json.dumps({"pairs": pairs, "questions": exam})
        there = {"teacher_model_name": "m", "teacher_model_base_url": endpoint.url}
        asked = documents.with_(provider="openai-compatible", **there)
        asker = teachers.make_asker(asked, journal)
        generation.write_exam(seeds.exam_passages(converted, chunks), asker=asker)
        generation.worked_examples(seeds.example_passages(converted, chunks), asker=asker)
    plan = planned(asked.with_(customisation_prompt="Ask in verse."), 1, 2)
    assert plan["all"][:2] == ["0", "6"]


def test_a_plan_leaves_out_the_exam_and_the_examples_that_are_given(documents: Settings) -> None:
    (documents.root / "mine.yaml").write_text(
        json.dumps({"file": "bells.md", "icl_document": "A book on bells costs 18 crowns."} | PAIRS)
    )
    plan = planned(documents.with_(exam="assets/exam.jsonl", icl_file="mine.yaml"), 0, 1, 2)
    assert "exam" not in plan
    assert plan["worked examples"][0] == "2"


def test_a_plan_counts_nothing_of_a_step_that_would_be_skipped(project: Settings) -> None:
    finish_all(project)
    assert planned(project, *range(7)) == {}
    finish(project, 2, **{"chunks.jsonl": "", "seed_data.jsonl": ""})
    assert "worked examples" not in planned(project, 2, 3)
    assert planned(project, 2, fresh=True)["worked examples"][0] == "1"


@pytest.mark.parametrize(("converter", "bytes_left"), [("builtin", 21_000_000), ("docling", 2_000_000)])
def test_a_plan_does_not_convert_documents_for_minutes_but_says_how_many_megabytes_are_left(
    documents: Settings, converter: str, bytes_left: int
) -> None:
    with (documents.root / "docs/long.md").open("wb") as file:
        file.truncate(bytes_left)
    plan = planned(documents.with_(pdf_converter=converter), 1, 2)
    said = f"known once the documents are converted ({bytes_left // 10**6} MB to go); `ai-tools chunk` does so and asks"
    assert list(plan) == ["teacher", "calls of step 01", "calls of step 02"]
    assert all(plan[name][0].startswith(said) for name in ("calls of step 01", "calls of step 02"))


def test_steps_are_chosen_in_order_and_a_number_that_is_none_is_refused() -> None:
    assert [step.number for step in runner.select((5, 2))] == [2, 5]
    assert [step.number for step in runner.select((), 3, 4)] == [3, 4]
    with pytest.raises(UsageError, match="step 9"):
        runner.select((9,))
