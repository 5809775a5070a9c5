"""Exam, graders, arms, intervals: how much a student knows, before and after, and how sure that is."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from ..errors import Contaminated, InputError
from ..files import read_rows
from ..matching import contains, normalise, token_f1
from ..records import Answer, OnProgress, Question, content_id, grouped
from . import students

RESAMPLES = 2000
FEW_DOCUMENTS = 20


def load_exam(path: str | Path) -> list[Question]:
    """Questions from JSON Lines, CSV (options split by `|`) or YAML (a list).

    Raises InputError with the place and the fix for a row that cannot be asked: no question, no answer (unless its kind
    is `unanswerable`), or options without the answer.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"EXAM={path}: no such file; give one, or leave EXAM empty to have the teacher write it")
    suffix = path.suffix.lower()
    try:
        text = path.read_text("utf-8-sig")
        if suffix in {".yaml", ".yml"}:
            rows = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - reads `11:00` and `no` as they are written
        elif suffix == ".csv":
            rows = list(csv.DictReader(io.StringIO(text)))
        else:
            rows = [_row(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    except UnicodeDecodeError:
        raise InputError(f"EXAM={path}: not UTF-8; save it as UTF-8") from None
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"EXAM={path}: cannot be read as {suffix or 'JSON Lines'}: {reason}") from None
    if not rows or not isinstance(rows, list):
        raise InputError(f"EXAM={path}: no questions in it")
    questions: dict[str, Question] = {}
    for number, row in enumerate(rows, 1):
        one = _question(row, f"{path.name}, question {number}")
        if questions.setdefault(one.id, one).question != one.question:
            raise InputError(f'{path.name}, question {number} ("{one.question}"): its id {one.id} is taken already')
    return list(questions.values())


def _row(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number}: {error.msg}") from None


def _question(row: Any, place: str) -> Question:
    if not isinstance(row, dict) or not _text(row.get("question")):
        raise InputError(f"{place}: no question; each row needs `question` and `answer`")
    question, answer = _text(row["question"]), _text(row.get("answer"))
    kind = row.get("kind") or "recall"
    options = row.get("options") or ()
    options = options.split("|") if isinstance(options, str) else options
    options = tuple(str(option).strip() for option in options)
    if not answer and kind != "unanswerable":
        raise InputError(f'{place} ("{question}"): no answer; add one, or set kind to unanswerable')
    if options and answer not in options:
        raise InputError(f'{place} ("{question}"): the answer "{answer}" is not among its options')
    name = row.get("id") or content_id(question, answer)
    source: Literal["given", "generated"] = "generated" if row.get("source") == "generated" else "given"
    return Question(str(name), question, answer, options, row.get("document") or "", kind, source)


def _text(value: Any) -> str:
    """A cell as text; 0 is an answer, nothing is none."""
    return "" if value is None else str(value).strip()


def load_probe(path: Path) -> list[Question]:
    """The forgetting probe: a question's kind is its half (`replayed`, `unreplayed`), its document the fact."""
    return [
        Question(row["id"], row["question"], row["answer"], tuple(row["options"]), row["fact"], row["half"])
        for row in read_rows(path)
    ]


def answer_all(
    student: Any, questions: Sequence[Question], *, arm: str, on_progress: OnProgress | None = None
) -> list[Answer]:
    """Ask every question exactly as written: greedy generation, and options by mean log-likelihood per token."""
    texts = [one.question for one in questions]
    generated = students.generate(student, texts, on_progress=on_progress)
    scored = students.score_options(student, texts, [one.options for one in questions])
    answers = []
    for one, text, scores in zip(questions, generated, scored, strict=True):
        choice = one.options[scores.index(max(scores))] if scores else None
        rounded = tuple(round(score, 6) for score in scores)
        answers.append(
            Answer(one.id, arm, one.question, one.answer, text.strip(), choice, rounded, one.document, one.kind)
        )
    return answers


GRADERS: dict[str, Callable[[Answer], float | None]] = {
    "accuracy": lambda one: None if one.choice is None else float(one.choice == one.expected),
    "exact_match": lambda one: float(normalise(one.generated) == normalise(one.expected)),
    "contains": lambda one: float(contains(one.generated, one.expected)),
    "f1": lambda one: token_f1(one.generated, one.expected),
}


def grade(answers: Iterable[Answer], *, seed: int = 0) -> dict[str, Any]:
    """Every grader's mean with n and a 95% interval, resampled by document; unanswerable questions apart."""
    answers = list(answers)
    asked = [one for one in answers if one.kind != "unanswerable"]
    graded = {name: [(one.document or one.id, grader(one)) for one in asked] for name, grader in GRADERS.items()}
    metrics = {name: _mean([(u, x) for u, x in pairs if x is not None], seed) for name, pairs in graded.items()}
    return {name: value for name, value in metrics.items() if value} | {"unanswerable": len(answers) - len(asked)}


def wrong_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Those that chose another option or, without options, do not contain the expected answer; unanswerable apart."""
    asked = (one for one in answers if one.kind != "unanswerable")
    return [one for one in asked if not (GRADERS["accuracy" if one.choice is not None else "contains"](one))]


def compare(base: Iterable[Answer], tuned: Iterable[Answer], *, seed: int = 0) -> dict[str, Any]:
    """Tuned minus base on the same questions, paired, with intervals; `significant` where the interval excludes 0."""
    before = {one.id: one for one in base}
    both = [(before[one.id], one) for one in tuned if one.kind != "unanswerable" and one.id in before]
    found = {}
    for name, grader in GRADERS.items():
        graded = [(new.document or new.id, grader(old), grader(new)) for old, new in both]
        differences = [(unit, new - old) for unit, old, new in graded if old is not None and new is not None]
        if metric := _mean(differences, seed):
            low, high = metric["interval"]
            found[name] = metric | {"significant": not low <= 0 <= high}
    return found


def _mean(pairs: Sequence[tuple[str, float]], seed: int) -> dict[str, Any]:
    """Mean over questions; percentile bootstrap that draws whole documents, since questions on one page go together."""
    if not pairs:
        return {}
    by_unit = grouped(pairs, lambda pair: pair[0]).values()
    units = [(sum(value for _, value in pairs), len(pairs)) for pairs in by_unit]
    rng = random.Random(seed)
    means = []
    for _ in range(RESAMPLES):
        drawn = rng.choices(units, k=len(units))
        means.append(sum(total for total, _ in drawn) / sum(count for _, count in drawn))
    means.sort()
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
    result = {
        "value": round(sum(value for _, value in pairs) / len(pairs), 4),
        "n": len(pairs),
        "interval": [round(low, 4), round(high, 4)],
        "documents": len(units),
    }
    if len(units) < FEW_DOCUMENTS:
        result["note"] = f"only {len(units)} documents: the true interval is wider"
    return result


def find_leaks(training_file: Path, exam_file: Path, *, run: int | None = 8) -> list[tuple[str, str]]:
    """(training question, exam question) pairs that break the seal, read from the final files.

    Shares no code with the filter in `mixing`, so that an error there is not repeated here. Rule: the same words, or,
    for questions of `run` words and more, so many of them in a row (None: the same words only). An opening
    "In {title}, ", and a document shown before the question, are not compared.
    """

    def letters(text: str) -> str:
        joined = re.sub(r"(?<=\d)[.,:]+(?=\d)", "_", text.lower())  # 1,260 and 11:00 are one word each
        return " ".join("".join(sign if sign.isalnum() or sign == "_" else " " for sign in joined).split())

    def bare(text: str) -> str:
        plain = letters(text)
        while title := next(filter(plain.startswith, titles), ""):
            plain = plain[len(title) :]
        return plain

    def runs_of(plain: str) -> list[str]:
        parts = plain.split()
        return [" ".join(parts[start : start + run]) for start in range(len(parts) - run + 1)] if run else []

    rows = [json.loads(line) for line in training_file.read_text("utf-8").split("\n") if line]
    outlines = {row.get("document_outline") for row in rows} - {None, ""}
    titles = sorted((f"in {letters(outline)} " for outline in outlines), key=len, reverse=True)
    exam = [json.loads(line)["question"] for line in exam_file.read_text("utf-8").split("\n") if line]
    whole = {bare(question): question for question in exam}
    runs = {run_of: question for plain, question in whole.items() for run_of in runs_of(plain)}
    leaks = []
    for row in rows:
        for turn in row.get("messages") or ():
            if turn["role"] != "user":
                continue
            plain = bare(turn["content"].removeprefix(f"{row['document_outline']}\n{row['document']}\n\n"))
            hits = (*map(whole.get, (plain, bare(row["question"] or ""))), *map(runs.get, runs_of(plain)))
            if hit := next(filter(None, hits), None):
                leaks.append((turn["content"], hit))
    return leaks


def require_no_leaks(training_file: Path, exam_file: Path, *, run: int | None = 8) -> None:
    """Raise Contaminated, naming the first row, where `find_leaks` finds any."""
    leaks = find_leaks(training_file, exam_file, run=run)
    if leaks:
        asked, sealed = leaks[0]
        raise Contaminated(f'{training_file.name}: {len(leaks)} rows ask exam questions; "{asked}" is "{sealed}"')


def report_metrics(
    base: Sequence[Answer], tuned: Sequence[Answer], groups: dict[str, set[str]], *, seed: int
) -> dict[str, dict[str, Any]]:
    """For each group of question ids: grades of both arms and their paired difference."""
    report = {}
    for group, ids in groups.items():
        before, after = ([one for one in answers if one.id in ids] for answers in (base, tuned))
        report[group] = {
            "base": grade(before, seed=seed),
            "tuned": grade(after, seed=seed),
            "difference": compare(before, after, seed=seed),
        }
    return report


def headline(metrics: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The figures that `ai-tools status` shows: exam accuracy (F1 where there are no options) before and after."""
    exam = metrics["exam"]
    metric = "accuracy" if "accuracy" in exam["tuned"] else "f1"
    return {f"{arm}_{metric}": exam[arm][metric]["value"] for arm in ("base", "tuned") if metric in exam[arm]}


def chance(questions: Sequence[Question]) -> float | None:
    """Expected option accuracy of blind guessing; None where no question has options."""
    shares = [1 / len(one.options) for one in questions if one.options]
    return sum(shares) / len(shares) if shares else None
