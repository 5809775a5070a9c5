"""Exam, graders, arms, intervals: how much a student knows, before and after, and how sure that is."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
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
# What the names of letters begin with whose scripts put no spaces between words.
_UNSPACED = {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}


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
    for questions of `run` words and more, so many of them in a row (None: the same words only). Where a script has no
    spaces, each character is a word, and at least half of the exam question must stand in a row. An opening
    "In {title}, ", and a document shown before the question, are not compared.
    """

    def bare(text: str) -> str:
        plain = _letters(text)
        while title := next(filter(plain.startswith, titles), ""):
            plain = plain[len(title) :]
        return plain

    def runs_of(plain: str, length: int) -> list[str]:
        parts = plain.split()
        return [" ".join(parts[start : start + length]) for start in range(len(parts) - length + 1)] if run else []

    def enough(plain: str) -> int:
        parts = plain.split()
        alone = sum(_does(part[0]) == "alone" for part in parts)
        return max(run or 0, (len(parts) + 1) // 2) if 2 * alone > len(parts) else run or 0

    rows = [json.loads(line) for line in training_file.read_text("utf-8").split("\n") if line]
    outlines = {row.get("document_outline") for row in rows} - {None, ""}
    titles = sorted((f"in {_letters(outline)} " for outline in outlines), key=len, reverse=True)
    exam = [json.loads(line)["question"] for line in exam_file.read_text("utf-8").split("\n") if line]
    whole = {bare(question): question for question in exam}
    lengths = {plain: enough(plain) for plain in whole}
    runs = {run_of: question for plain, question in whole.items() for run_of in runs_of(plain, lengths[plain])}
    leaks = []
    for row in rows:
        for turn in row.get("messages") or ():
            if turn["role"] != "user":
                continue
            shown = f"{row['document_outline']}\n{row['document']}\n\n".lstrip("\n")
            plain = bare(turn["content"].removeprefix(shown))
            shared = (runs.get(run_of) for length in {*lengths.values()} for run_of in runs_of(plain, length))
            hits = chain(map(whole.get, (plain, bare(row["question"] or ""))), shared)
            if hit := next(filter(None, hits), None):
                leaks.append((turn["content"], hit))
    return leaks


def _letters(text: str) -> str:
    """The words of a text as `find_leaks` compares them, with one space between them."""
    parted = re.sub(r"\W", " ", _joined(text.lower())) if text.isascii() else _parted(text)
    return " ".join(re.sub(r"(?<!\w)(\d[\d_]*\d)(?=[^\W\d_])", r"\1 ", parted).split())  # 24 h is 24h


def _joined(text: str) -> str:
    """1,260 and 11:00 are one word each."""
    return re.sub(r"(?<=\d)[.,:]+(?=\d)", "_", text)


def _parted(text: str) -> str:
    """Without case and forms of printing, and with spaces for signs and around what is a word by itself."""
    raised = "".join(f" {one} " if _stands_apart(one) else one for one in text)
    seen = (one for one in unicodedata.normalize("NFKC", raised).casefold() if _does(one) != "hides")
    plain = unicodedata.normalize("NFKC", "".join(str(unicodedata.decimal(one, one)) for one in seen))
    parted, before = "", ""
    for one in _joined(plain):
        does = _does(one)
        if does != "marks":
            parted += " " if "alone" in (does, before) or does == "parts" else ""
            before = does
        parted += "" if does == "parts" else one
    return parted


def _stands_apart(sign: str) -> bool:
    """10\u00b2 is not 102, nor 1\u00bd 11/2."""
    return unicodedata.category(sign) == "No" and unicodedata.decomposition(sign).startswith(("<super", "<fraction"))


@cache
def _does(sign: str) -> str:
    """What a character does: `hides`, `marks` the one before it, `parts` words, stands `alone` as one, or `joins`."""
    category, name = unicodedata.category(sign), unicodedata.name(sign, "")
    if category == "Cf" or category[0] == "M":
        return "hides" if category == "Cf" else "marks"
    if not (sign.isalnum() or sign == "_"):
        return "parts"
    return "alone" if re.split("[ -]", name)[0] in _UNSPACED else "joins"


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
