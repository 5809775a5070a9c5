"""What is drawn: every title carries its n, every figure its verdict, and no text of a document is ever markup."""

import base64
import io
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ai_tools import view
from ai_tools.records import Answer, Progress, Question, Rejection
from ai_tools.settings import Settings
from ai_tools.steps import evaluation
from ai_tools.teachers.dry_run import Estimate, Speed
from ai_tools.teachers.sizes import Size

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
    lines = capsys.readouterr().err.splitlines()  # which a headless run passes on
    assert [line.split()[1] for line in lines] == ["1", "11", "21"]
    assert "loss 1.500" in lines[0]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_draws_a_bar_to_its_end_where_somebody_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook")  # for where an earlier test has loaded a kernel's package
    update = view.progress_bar("asking")
    update(Progress(total=3, done=1, calls=2, in_flight=1))
    update(Progress(total=3, done=3, calls=4, from_journal=2, failed=1, tokens=1200, usd=0.5))
    first, *_, last = terminal.getvalue().strip().split("\r")
    assert "asking:   0%" in first
    assert "asking: 100%" in last
    assert "3/3" in last
    assert "4 calls, 2 from the journal, 1 failed, 1,200 tokens, $0.5000" in last


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("headless")
def test_where_nobody_looks_on_progress_is_a_plain_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    update = view.progress_bar("asking")
    for done in range(1000):
        update(Progress(total=1000, done=done))
    assert capsys.readouterr().err == "", "a thousand states within a second are no news"
    update(Progress(total=1000, done=1000, calls=1000))
    assert capsys.readouterr().err == "asking: 1,000 of 1,000 done, 1,000 calls\n"
    monkeypatch.setattr("ai_tools.view.progress.LINE_SECONDS", 0.0)
    hour_ago = time.monotonic() - 3600
    counts = {"calls": 480, "from_journal": 20, "failed": 3, "in_flight": 64, "tokens": 12_345}
    update(Progress(total=1000, done=500, **counts, usd=1.5, started=hour_ago))
    update(Progress(total=1000, done=999, usd=None, started=hour_ago))
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        "asking: 500 of 1,000 done, 480 calls, 20 from the journal, 3 failed, 64 in flight, 12,345 tokens, $1.5000,"
        " 1 h 0 min left",
        "asking: 999 of 1,000 done, 4 s left",
    ]
    assert shown.out == ""
    update(Progress(total=1000))
    assert capsys.readouterr().err == "asking: 0 of 1,000 done\n"


def test_seconds_left_go_by_the_rate_so_far() -> None:
    assert Progress(total=10).seconds_left is None
    assert Progress(total=10, done=4, started=time.monotonic() - 8).seconds_left == pytest.approx(12, abs=0.1)


def test_a_rate_is_that_of_the_replies_however_long_the_next_one_takes() -> None:
    now = time.monotonic()
    minute_ago = {"started": now - 100, "heard": now - 60, "written": 400}
    progress = Progress(total=8, done=4, **minute_ago)
    assert progress.tokens_per_second == pytest.approx(10, rel=0.01)
    assert progress.seconds_left is None, "by the rate so far it would be done"
    assert Progress(total=40, done=4, **minute_ago).seconds_left == pytest.approx(300, rel=0.01)


# --- what a run would take, and what it took ---

SLOW = Speed("m", in_flight=4, calls=1012, tokens=31.4)
PLANS = [
    Estimate(*("key_facts_to_qa", 1200, 34, 1e6, 2e5, 0.27, 94), largest=Size(1200, 800), note="6 asked for, 5 used"),
    Estimate("document_based_qa", calls=3, tokens_in=900, tokens_out=300, usd=0.0005, seconds=1800, speeds=(SLOW,)),
]


def cells(line: str) -> list[str]:
    """The columns of a line, those that stand two or more spaces apart."""
    return re.split(r"\s{2,}", line.strip())


def test_a_plan_names_who_is_asked_and_has_a_line_for_each_piece_of_work_and_all(toy_settings: Settings) -> None:
    first, head, *rows = view.plan_lines(PLANS, "openai, gpt-x, text goes to h.test", toy_settings)
    assert first == "teacher: openai, gpt-x, text goes to h.test"
    assert cells(head) == ["calls", "in journal", "tokens in", "tokens out", "price", "time", "largest call"]
    assert [cells(row) for row in rows] == [
        ["key_facts_to_qa", "1,200", "34", "1,000,000", "200,000", "$0.27", "94 s", "1,200 + 800"],
        ["document_based_qa", "3", "0", "900", "300", "$0.0005", "30 min", "0 + 0"],
        ["all", "1,203", "34", "1,000,900", "200,300", "$0.27", "31 min", "1,200 + 800"],
        ["key_facts_to_qa: 6 asked for, 5 used"],
        ["time: m, 4 in flight, 31 tokens/s a call, by 1,012 earlier calls"],
    ]
    assert len(view.plan_lines(PLANS[1:], "t", toy_settings)) == 4, "one piece of work is all"
    assert view.plan_lines([], "t", toy_settings) == ["teacher: t"]


def test_a_price_that_is_not_known_for_one_is_not_known_for_all_and_never_nothing(toy_settings: Settings) -> None:
    rows = view.plan_lines([PLANS[0], replace(PLANS[1], usd=None)], "t", toy_settings)[2:5]
    assert [cells(row)[5] for row in rows] == ["$0.27", "unknown", "unknown"]
    assert list(view.plan_table([replace(PLANS[1], usd=None)])["price"]) == ["unknown"]
    free = view.plan_lines([Estimate("offline")], "t", toy_settings)[2]
    assert cells(free)[5] == "$0.00"


def test_a_price_below_a_cent_is_not_shown_as_nothing_in_the_table() -> None:
    assert list(view.plan_table(PLANS)["price"]) == ["$0.27", "$0.0005"]


def test_a_plan_says_what_its_time_is_reckoned_by_once_for_each_endpoint(toy_settings: Settings) -> None:
    judge = Speed("j", in_flight=64)
    both = [replace(one, speeds=(SLOW._replace(calls=1, tokens=5.04), judge)) for one in PLANS]
    *_, teacher, judged = view.plan_lines(both, "t", toy_settings)
    assert teacher == "time: m, 4 in flight, 5.0 tokens/s a call, by 1 earlier call"
    assert judged == "time: j, 64 in flight, assuming 5 s a reply"
    (shown, _) = view.plan_table(both)["time by"]
    assert shown == "; ".join(line.removeprefix("time: ") for line in (teacher, judged))


def test_a_plan_says_what_limits_it_and_what_the_user_adds(toy_settings: Settings) -> None:
    chosen = toy_settings.with_(max_calls=5000, max_usd=2.5)
    _, added, *_, limits = view.plan_lines(PLANS, "t", chosen, instructions="Ask in verse.")
    assert added == "added to the instructions: Ask in verse."
    assert limits == "limits: MAX_CALLS=5,000, MAX_USD=2.5"


def test_a_plan_is_a_table_in_a_notebook() -> None:
    (row, _) = view.plan_table(PLANS).to_dict("records")
    amounts = ["key_facts_to_qa", 1200, 34, 1_000_000, 200_000, "$0.27", "94 s", ""]
    assert list(row.values()) == [*amounts, "1,200 + 800", "6 asked for, 5 used"]


def summary_row(status: str, error: str = "", calls: int = 1, **changes: Any) -> dict[str, Any]:
    row = {"provider": "openai-compatible", "base_url": "http://h.test:8000/v1", "status": status}
    amounts = {"calls": calls, "requests": calls, "tokens_in": 1000 * calls, "tokens_out": 100 * calls, "seconds": 0.5}
    return row | {"model": "a-model-of-some-size", "error": error} | amounts | changes


def test_a_journal_has_a_line_for_each_model_and_status_and_its_faults_the_most_frequent_first(
    toy_settings: Settings,
) -> None:
    rows = [
        summary_row("done", calls=2000, requests=2100),
        summary_row("rejected", "no JSON", 2),
        summary_row("rejected", "cut off", 5),
        summary_row("failed", "reset", 3, tokens_in=0, tokens_out=0),
        summary_row("done", base_url="", model="rules-1", provider="offline"),
    ]
    head, *lines = view.journal_lines(rows, toy_settings.with_(teacher_price="1,10"))
    assert {len(line) for line in lines[:4]} == {len(head)}
    assert cells(head) == ["teacher", "status", "calls", "requests", "tokens in", "tokens out", "price"]
    here = "openai-compatible a-model-of-some-size at h.test:8000"
    assert [cells(line) for line in lines[:4]] == [
        [here, "done", "2,000", "2,100", "2,000,000", "200,000", "$4.0000"],
        [here, "rejected", "7", "7", "7,000", "700", "$0.0140"],
        [here, "failed", "3", "3", "0", "0", "$0.0000"],
        ["offline rules-1", "done", "1", "1", "1,000", "100", "$0.0000"],
    ]
    assert [line.strip() for line in lines[4:]] == ["5 rejected: cut off", "3 failed: reset", "2 rejected: no JSON"]
    unknown = view.journal_lines(rows, toy_settings)[1]
    assert cells(unknown)[-1] == "unknown"


def test_a_journal_names_ten_causes_at_most_and_adds_up_equal_ones(toy_settings: Settings) -> None:
    rows = [summary_row("failed", f"cause {n}", n) for n in range(1, 20)] + [
        summary_row("failed", "cause 1", 50, model="n")
    ]
    causes = [line.strip() for line in view.journal_lines(rows, toy_settings) if "cause" in line]
    assert causes == ["51 failed: cause 1", *(f"{n} failed: cause {n}" for n in range(19, 10, -1))]


def test_what_must_be_read_goes_where_somebody_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG"):
        monkeypatch.delenv(name, raising=False)
    view.tell("a.pdf: torn", "b.pdf: empty")
    assert capsys.readouterr().err == "a.pdf: torn\nb.pdf: empty\n"
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook")
    view.tell("a.pdf: torn")
    assert capsys.readouterr().out == "a.pdf: torn\n"
