"""What is drawn: every title carries its n, every figure its verdict, and no text of a document is ever markup."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from ai_tools import evaluation, view
from ai_tools.records import Answer, Question, Rejection

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&amp;"


def title_of(plot: view.Plot) -> str:
    return str(plot.figure.axes[0].get_title())


def answers(arm: str, rights: list[bool], **changes: Any) -> list[Answer]:
    return [
        Answer(
            f"q{n}",
            arm,
            "When?",
            "noon",
            *(("noon", "noon") if right else (EVIL, "dusk")),
            (-1.0, -2.0),
            f"d{n}",
            "recall",
        )
        for n, right in enumerate(rights)
    ]


def metrics_of(base: list[bool], tuned: list[bool]) -> dict[str, dict[str, Any]]:
    ids = {f"q{n}" for n in range(len(base))}
    return evaluation.report_metrics(answers("base", base), answers("tuned", tuned), {"exam": ids}, seed=0)


def test_every_plot_carries_its_n_in_the_title() -> None:
    assert title_of(view.histogram([1, 2, 2], title="Sizes", xlabel="tokens")) == "Sizes (n = 3)"
    assert title_of(view.bars({"a": 1200, "b": 34}, title="Pairs", ylabel="pairs")) == "Pairs (n = 1,234 pairs)"
    log = [{"tokens": 1, "loss": 2.0}, {"tokens": 2, "loss": 1.0}]
    assert title_of(view.loss_curve(log)) == "Training loss (n = 2 logged steps)"
    arms = {arm: evaluation.grade(answers(arm, [True, False])) for arm in ("base", "tuned")}
    assert title_of(view.before_after(arms, title="Exam", chance=0.25)) == "Exam (n = 2)"


def test_a_plot_of_groups_of_several_sizes_names_each_n() -> None:
    arms = {"exam": evaluation.grade(answers("x", [True] * 5)), "probe": evaluation.grade(answers("x", [True] * 3))}
    assert title_of(view.before_after(arms, title="Before")) == "Before (n = 5, 3)"


def test_bars_of_two_arms_show_their_intervals_and_chance() -> None:
    arms = {arm: evaluation.grade(answers(arm, [True, False, True])) for arm in ("base", "tuned")}
    axes = view.before_after(arms, title="Exam", chance=0.25).figure.axes[0]
    assert len(axes.patches) == 2 * len(view.METRICS)
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"base", "tuned", "chance (accuracy)"}
    heights = [round(patch.get_height(), 4) for patch in axes.patches]
    assert heights[0] == arms["base"]["accuracy"]["value"]
    assert len(axes.containers) >= 4, "bars and error bars of both arms"


def test_a_plot_is_a_picture_in_notebooks_and_can_be_saved(tmp_path: Path) -> None:
    plot = view.histogram([1, 2, 2], title="Sizes", xlabel="tokens")
    assert plot._repr_png_().startswith(b"\x89PNG")
    plot.save(tmp_path / "sizes.svg")
    assert "<svg" in (tmp_path / "sizes.svg").read_text()


def test_a_table_shows_lists_as_people_write_them() -> None:
    rows = [{"options": ("noon", "dusk"), "interval": [0.1, 0.2], "answer": "noon"}]
    assert view.table(rows).to_dict("records") == [{"options": "noon | dusk", "interval": [0.1, 0.2], "answer": "noon"}]


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        ([False] * 8, [True] * 8, "better"),
        ([True] * 8, [False] * 8, "worse"),
        ([True, False] * 4, [False, True] * 4, "no significant change"),
        ([True, False] * 4, [True, False] * 4, "no significant change"),
        ([False] * 8, [True] + [False] * 7, "no significant change"),
    ],
)
def test_the_difference_table_says_what_may_be_said(base: list[bool], tuned: list[bool], verdict: str) -> None:
    metrics = metrics_of(base, tuned)
    frame = view.difference_table({"exam": metrics["exam"]["difference"]})
    row = frame[frame["metric"] == "option accuracy"].iloc[0]
    assert row["verdict"] == verdict
    low, high = row["interval"]
    assert (verdict == "no significant change") == (low <= 0 <= high)
    assert (row["n"], row["documents"]) == (8, 8)


def test_the_metrics_table_has_a_row_for_each_arm_and_metric() -> None:
    metrics = metrics_of([True, False], [True, True])["exam"]
    frame = view.metrics_table({arm: metrics[arm] for arm in ("base", "tuned")})
    assert list(frame.columns) == ["arm", "metric", "value", "interval", "n", "documents"]
    assert len(frame) == 8


def test_a_table_takes_records_and_dicts_and_keeps_the_columns_asked_for() -> None:
    rows = [Rejection("numbers", "4", {}), {"check": "empty", "reason": "r", "row": {}}]
    frame = view.table(rows, ["reason", "check"])
    assert frame.to_dict("records") == [{"reason": "4", "check": "numbers"}, {"reason": "r", "check": "empty"}]
    assert len(view.table(rows * 20)) == 10
    assert len(view.table(rows * 20, limit=15)) == 15


def test_a_table_of_nothing_is_empty_and_no_error() -> None:
    assert list(view.table([], ["check", "reason"]).columns) == ["check", "reason"]
    assert len(view.table([])) == 0


def page(base: list[bool], tuned: list[bool], **changes: Any) -> str:
    metrics = metrics_of(base, tuned)
    arms = {arm: metrics["exam"][arm] for arm in ("base", "tuned")}
    options: dict[str, Any] = {
        "exam": [Question(f"q{n}", "When?", "noon", ("noon", "dusk")) for n in range(len(base))],
        "answers": answers("tuned", tuned),
        "figure": view.before_after(arms, title="Exam"),
        "mix_report": {
            "contaminated": 7,
            "near_duplicates": [{"question": EVIL, "exam_question": EVIL, "similarity": 0.9}],
        },
    } | changes
    return view.evaluation_report(metrics, **options)


def test_no_text_of_documents_or_answers_is_markup_in_the_report() -> None:
    html = page([False] * 4, [True, False, False, False])
    assert EVIL not in html
    assert "<script" not in html
    assert "onerror=alert" not in html.replace("&lt;img src=x onerror=alert(1)&gt;", "")
    assert "&lt;script&gt;" in html
    evil = view.report(EVIL, [(EVIL, EVIL, None), (EVIL, "", view.histogram([1], title="t", xlabel="x"))])
    assert "<script" not in evil
    assert "<img src=x" not in evil


def test_the_report_is_one_page_that_needs_nothing_from_elsewhere() -> None:
    html = page([False] * 4, [True] * 4)
    image = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert image is not None
    assert base64.b64decode(image[1]).startswith(b"\x89PNG")
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert html.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("base", "tuned", "verdict"),
    [
        ([False] * 8, [True] * 8, "Better: +100.0% (95% interval +100.0% to +100.0%, n = 8)"),
        ([True, False] * 4, [False, True] * 4, "No significant change: +0.0% (95% interval"),
    ],
)
def test_the_report_opens_with_the_verdict_and_its_interval(base: list[bool], tuned: list[bool], verdict: str) -> None:
    html = page(base, tuned)
    assert verdict in html
    assert "The exam was given." in html
    assert "7 samples were dropped because they asked an exam question. 1 near-duplicates stayed" in html
    assert "only 8 documents: the true interval is wider" in html


def test_the_report_counts_wrong_answers_and_says_who_wrote_the_exam() -> None:
    written = [Question(f"q{n}", "When?", "noon", ("noon", "dusk"), source="generated") for n in range(4)]
    html = page([False] * 4, [True, False, False, True], exam=written)
    assert "2 of 4 questions; the first 20 are below." in html
    assert "The teacher wrote this exam from the documents (generated)." in html
    without_options = [
        Answer(f"q{n}", "tuned", "When?", "noon", text, None, (), f"d{n}", "recall")
        for n, text in enumerate(["At noon.", "Never.", "Noon!", "noon"])
    ]
    assert "1 of 4 questions" in page([False] * 4, [True] * 4, answers=without_options)


def test_a_perfect_student_has_a_report_too() -> None:
    html = page([True] * 3, [True] * 3, mix_report={"contaminated": 0, "near_duplicates": []})
    assert "0 of 3 questions" in html


def test_training_progress_prints_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    update = view.training_progress(every=10)
    for step in range(1, 22):
        update({"step": step, "loss": 1.5, "tokens": 1000 * step, "tokens_per_second": 2000})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1", "11", "21"]
    assert "loss 1.500" in lines[0]


def test_progress_draws_a_bar_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    update = view.progress("asking")
    update(1, 3)
    update(3, 3)
    shown = capsys.readouterr().err
    assert "asking: 100%" in shown
    assert "3/3" in shown
