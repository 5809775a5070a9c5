"""What people say of the pairs, and what becomes of it: `qna.yaml` to edit, `review.jsonl`, and applying both.

    write_qna        step 03 writes qna.yaml for people, and qna_index.jsonl, which says what it wrote
    read             the decisions: rows of review.jsonl, then what qna.yaml says otherwise than its index
    apply            step 04 drops what was rejected and takes the words of what was edited

A decision is on one sample, and so on every other sample of the document that is the same pair. Nothing here is ever
lost to a rerun: an edited qna.yaml is moved away and its edits are added to review.jsonl before a new one is written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import yaml

from ..errors import InputError
from ..files import iterate_rows, read_rows, write_rows
from ..matching import normalise, wording
from ..records import Record, Rejection, Sample, content_id, grouped
from ..workspace import Step
from . import formats

QNA, INDEX, REVIEW = "qna.yaml", "qna_index.jsonl", "review.jsonl"

Verdict = Literal["accept", "reject", "edit", "add"]


@dataclass(frozen=True, slots=True)
class Decision(Record):
    """One row of review.jsonl. An empty question or answer of an edit leaves what there was.

    `add` is a pair that somebody wrote beside those of a passage: `beside` is the sample whose passage it is.
    `written` is the pair (question, answer) as step 03 wrote it, by which the decision finds it again where other
    settings have given the sample another id; of an `add`, that of `beside`.
    """

    in_files: ClassVar[dict[str, str]] = {"answer": "response"}

    sample_id: str
    decision: Verdict
    question: str = ""
    answer: str = ""
    note: str = ""
    beside: str = ""
    written: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReviewResult:
    """Datasets after the review. `first` are the samples that people looked at and want: they come before others."""

    datasets: dict[str, list[Sample]]
    rejected: list[Rejection]
    first: frozenset[str]
    report: dict[str, Any] = field(default_factory=dict)


def read(folder: Path) -> dict[str, Decision]:
    """The decisions in the folder of step 03, by sample id. The last on a sample holds; qna.yaml speaks last.

    Raises:
        InputError: a row of review.jsonl, or qna.yaml, that cannot be understood.
    """
    path = folder / REVIEW
    rows = enumerate(iterate_rows(path), 1) if path.is_file() else ()
    written = [_decision(row, f"{path}, row {number}") for number, row in rows]
    return {one.sample_id: one for one in (*written, *_edits(folder))}


def apply(datasets: dict[str, list[Sample]], decisions: dict[str, Decision]) -> ReviewResult:
    """Datasets without what was rejected, with the words of what was edited.

    An edited sample keeps its id, and loses its reasoning, which led to another answer. The report counts decisions,
    those on samples that are not there (`unknown`), and the rows that fell out of each dataset.
    """
    samples = {one.sample_id: one for some in datasets.values() for one in some}
    by_words: dict[tuple[str, ...], str] = {wording(one): one.sample_id for one in samples.values()}
    found = {key: _present(key, one, samples, by_words) for key, one in decisions.items()}
    known = {found[key] if not one.beside else key: one for key, one in decisions.items() if found[key]}
    of_pair = {_pair(samples[key]): one for key, one in known.items() if key in samples}
    additions = (one for one in known.values() if one.decision == "add")
    added = grouped(additions, lambda one: found[one.sample_id])  # an addition's key is its own id
    kept: dict[str, list[Sample]] = {}
    rejected: list[Rejection] = []
    first: set[str] = set()
    for name, some in datasets.items():
        kept[name] = []
        for sample in some:
            decision = known.get(sample.sample_id) or of_pair.get(_pair(sample))
            if decision and decision.decision == "reject":
                rejected.append(Rejection("review", decision.note or "rejected in review", sample.to_row()))
            else:
                kept[name].append(_edited(sample, decision) if decision else sample)
                first |= {sample.sample_id} if decision else set()
            new = [replace(_edited(sample, one), sample_id=one.sample_id) for one in added.get(sample.sample_id, [])]
            kept[name] += new
            first |= {one.sample_id for one in new}
    report = {
        **{verdict: sum(one.decision == verdict for one in known.values()) for verdict in get_args(Verdict)},
        "unknown": len(decisions) - len(known),
        "rejected_rows": dict(Counter(one.row["recipe"] for one in rejected)),
    }
    return ReviewResult(kept, rejected, frozenset(first), report)


def write_qna(
    step: Step, datasets: dict[str, list[Sample]], *, count: int, domain: str, outline: str, documents: Sequence[Any]
) -> list[list[Sample]]:
    """Write qna.yaml and its index from kept samples as reviewed so far; returns the seed examples.

    Args:
        count: seed examples wanted (NUM_SEED_EXAMPLES); fewer where the corpus has not as many passages with 3 pairs.
        domain, outline: of the whole corpus.
        documents: rows of documents.jsonl.
    """
    step.folder.mkdir(parents=True, exist_ok=True)
    _keep_edits(step.folder)
    reviewed = apply(datasets, read(step.folder))
    samples = [one for some in reviewed.datasets.values() for one in some]
    examples = formats.qna_examples(samples, count)
    (step.folder / QNA).unlink(missing_ok=True)  # never beside an index that is not its own
    step.write_rows(INDEX, formats.qna_index(examples))
    source = step.settings.source_documents
    step.write_text(QNA, formats.qna_yaml(examples, domain=domain, outline=outline, source=source, documents=documents))
    return examples


def _keep_edits(folder: Path) -> None:
    """Add what people changed in qna.yaml to review.jsonl, and move the file to qna.edited.yaml."""
    path = folder / REVIEW
    if found := _edits(folder):
        write_rows(path, [*(read_rows(path) if path.is_file() else []), *found])
    if (folder / QNA).is_file() and (found or not (folder / INDEX).is_file()):
        names = (folder / f"qna.edited{f'-{n}' if n > 1 else ''}.yaml" for n in itertools.count(1))
        (folder / QNA).rename(next(name for name in names if not name.exists()))


# --- qna.yaml against its index --------------------------------------------------------------------------------------


def _edits(folder: Path) -> list[Decision]:
    """What qna.yaml says otherwise than it was written with; nothing where one of the two files is not there."""
    path, index = folder / QNA, folder / INDEX
    if not (path.is_file() and index.is_file()):
        return []
    return edits(read_rows(index), seed_examples(path))


def edits(index: Sequence[dict[str, Any]], examples: Sequence[dict[str, Any]]) -> list[Decision]:
    """Decisions that lead from the pairs of the index to those of the seed examples.

    Line breaks and spaces do not count. A pair with the same question, or else the same answer, is an edit; of the
    others in an example, those that stand for one that is gone are edits of it, further ones are additions.
    """
    left = list(index)
    pairs = [
        (number, {"question": pair["question"].strip(), "answer": pair["answer"].strip()})
        for number, example in enumerate(examples)
        for pair in example["questions_and_answers"]
    ]
    homes: dict[int, int] = {}  # which example of the index one of the file is
    found: list[Decision] = []
    for fields in (("question", "answer"), ("question",), ("answer",)):
        unmatched = []
        for number, pair in pairs:
            row = next((row for row in left if all(_same(row[name], pair[name]) for name in fields)), None)
            if row is None:
                unmatched.append((number, pair))
                continue
            left.remove(row)
            homes.setdefault(number, row["example"])
            if len(fields) == 1:
                found.append(_edit(row, pair))
        pairs = unmatched
    for number, pair in pairs:
        home = homes.get(number)
        if home is None:
            context = _plain(examples[number].get("context", ""))
            home = next((row["example"] for row in index if _plain(row["context"]) == context), None)
        row = next((row for row in left if row["example"] == home), None)
        if row is not None:
            left.remove(row)
            found.append(_edit(row, pair))
        else:
            found.append(_addition(pair, next((row for row in index if row["example"] == home), {"sample_id": ""})))
    return found + [
        Decision(row["sample_id"], "reject", note="taken out of qna.yaml", written=_written(row)) for row in left
    ]


def _written(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["question"], row["answer"]) if row.get("question") else ()


def _edit(row: dict[str, Any], pair: dict[str, str]) -> Decision:
    note = "edited in qna.yaml"
    return Decision(row["sample_id"], "edit", pair["question"], pair["answer"], note, written=_written(row))


def _addition(pair: dict[str, str], row: dict[str, Any]) -> Decision:
    """A pair beside that of a row; one in an example that the index does not have is beside nothing, and unknown."""
    name = content_id("added", row["sample_id"], pair["question"], pair["answer"])
    note = "added in qna.yaml"
    return Decision(name, "add", pair["question"], pair["answer"], note, row["sample_id"], _written(row))


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(text.split())


def seed_examples(path: Path) -> list[dict[str, Any]]:
    """The seed examples of a qna.yaml. Raises InputError where it has lost its shape."""
    try:
        content = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - all is text, so that `12:30` stays it
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no valid YAML any more ({' '.join(str(error).split())[:200]}); mend it") from None
    examples = content.get("seed_examples") if isinstance(content, dict) else None
    if not isinstance(examples, list):
        raise InputError(f"{path}: no list of seed_examples; mend it, or remove the file and run step 03 again")
    for number, example in enumerate(examples, 1):
        pairs = example.get("questions_and_answers") if isinstance(example, dict) else None
        for pair in pairs if isinstance(pairs, list) else [None]:
            if not isinstance(pair, dict) or not all(
                str(pair.get(name) or "").strip() for name in ("question", "answer")
            ):
                raise InputError(f"{path}, seed example {number}: every pair needs a question and an answer")
    return examples


# --- decisions -------------------------------------------------------------------------------------------------------


def _decision(row: dict[str, Any], where: str) -> Decision:
    for name in ("sample_id", "decision", "question", "response", "note", "beside"):
        if not isinstance(row.get(name) or "", str):
            raise InputError(f"{where}: {name} must be text, not {row[name]!r}")
    if not row.get("sample_id"):
        raise InputError(f"{where}: sample_id is missing")
    verdicts = get_args(Verdict)
    if row.get("decision") not in verdicts:
        raise InputError(f"{where}: decision must be {', '.join(verdicts)}, not {row.get('decision')!r}")
    if row["decision"] in ("edit", "add") and not (row.get("question") or row.get("response")):
        raise InputError(f"{where}: an edit needs a question or a response")
    written = row.get("written") or []
    if not isinstance(written, list) or not all(isinstance(text, str) for text in written):
        raise InputError(f"{where}: written must be a question and a response, not {written!r}")
    return Decision.from_row({name: value or "" for name, value in row.items()} | {"written": written})


def _present(key: str, decision: Decision, samples: dict[str, Sample], by_words: dict[tuple[str, ...], str]) -> str:
    """The id of the sample that a decision is on, or beside which it adds one; "" where there is none."""
    name = decision.beside or key
    return name if name in samples else by_words.get(tuple(map(normalise, decision.written)), "")


def _edited(sample: Sample, decision: Decision) -> Sample:
    if decision.decision not in ("edit", "add"):
        return sample
    question, answer = decision.question or sample.question, decision.answer or sample.answer
    if _same(answer, sample.answer):
        return replace(sample, question=question)
    return replace(sample, question=question, answer=answer, reasoning="", type="qa")


def _pair(sample: Sample) -> tuple[str, ...]:
    return sample.document_id, *wording(sample)
