"""Prompt distillation (arXiv 2412.14964): a student learns to answer as it would with the passage before its eyes.

The student as it was at the start reads passage and question, the student that is trained the question alone, and on
the tokens of the answer it is drawn to what the other would say. General rows have no passage: on them it is drawn to
what it would have said itself, and keeps it.
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from . import batches, formats, markup, students
from .batches import BatchPlan, Row, TrainingRecipe
from .students import Encoded, Student
from .trainer import only_where


class Distillation:
    """What a student's own start reads for the rows of a plan, and the loss that follows from what it says.

    `read` is what it reads, for each row of the plan (see `BatchPlan.encoded`) that it is asked about; `shares` says
    how much of each row's loss is the distance to it: `distill_weight` where it reads a passage, all of it in general
    rows. Plain texts, and rows whose passage is not known, are learned as without distillation, which is said.
    """

    def __init__(self, rows: Sequence[Row], plan: BatchPlan, student: Student, recipe: TrainingRecipe):
        self.plan, self.size = plan, recipe.micro_batch_tokens
        self.start = copy.deepcopy(student.model).eval().requires_grad_(False)
        self.read: dict[int, Encoded] = {}
        self.shares = [0.0] * len(plan.encoded[0])
        reading, fell = _with_passages(rows, student.tokenizer, recipe.max_seq_len)
        for place, (number, own) in enumerate(zip(plan.row_of, plan.encoded[0], strict=True)):
            if batches.is_replayed(rows[number]):
                self.read[place], self.shares[place] = own, 1.0
            elif number in reading and _graded(reading[number]) == _graded(own):
                self.read[place], self.shares[place] = reading[number], recipe.distill_weight
            elif number in reading:
                fell["whose answer has other tokens behind a passage"] += 1
        _say(fell, sum(row.get("messages") is not None for row in rows))
        # Each batch by how long what is read is: it is gone through in parts.
        plan.batches = [(epoch, sorted(batch, key=self._length)) for epoch, batch in plan.batches]

    def _length(self, place: int) -> int:
        return len(self.read[place][0]) if place in self.read else 0

    def collate(self, items: list[Row]) -> dict[str, Any]:
        """A micro-batch of the plan, with `share` of each row and `read`, in parts of at most as many tokens."""
        import torch

        _, batch = self.plan.batches[items[0]["batch"]]
        read = [self.read[place] for place in batch if place in self.read]
        told = {
            "share": torch.tensor([self.shares[place] for place in batch]),
            "read": [students.padded(part, self.plan.pad) for part in _parts(read, self.size)],
        }
        return self.plan.collate(items) | told

    def loss(self, logits: Any, labels: Any, *, share: Any, read: Sequence[dict[str, Any]]) -> Any:
        """The sum over the graded tokens of a micro-batch; logits (tokens, vocabulary) are of these alone."""
        import torch

        graded = labels != -100
        share = share.unsqueeze(1).expand_as(labels)[graded]
        with torch.no_grad():
            expected = [self._say(part) for part in read]
        return distilled_loss(logits, labels[graded], share, torch.cat(expected) if expected else logits[:0])

    def _say(self, part: dict[str, Any]) -> Any:
        """What the start says at the graded tokens: logits (tokens, vocabulary)."""
        import torch

        batch = dict(part)
        graded = torch.nn.functional.pad(batch.pop("labels")[:, 1:], (0, 1), value=-100) != -100
        with only_where(graded, self.start):
            return self.start(**batch, use_cache=False).logits.float()


def distilled_loss(logits: Any, answers: Any, share: Any, expected: Any) -> Any:
    """The sum over tokens of (1 - share) cross-entropy + share KL(expected || said).

    Args:
        logits: what is said, (tokens, vocabulary).
        answers: the tokens of the answers, (tokens).
        share: of the distance in each token's loss, (tokens).
        expected: logits of the start, (tokens whose share is not 0, vocabulary).
    """
    import torch

    said, asked = torch.log_softmax(logits, -1), share > 0
    hard = torch.nn.functional.nll_loss(said, answers, reduction="none")
    wanted = torch.log_softmax(expected, -1)
    distance = torch.nn.functional.kl_div(said[asked], wanted, reduction="none", log_target=True).sum(-1)
    return ((1 - share) * hard).sum() + (share[asked] * distance).sum()


def _with_passages(rows: Sequence[Row], tokenizer: Any, limit: int) -> tuple[dict[int, Encoded], Counter[str]]:
    """The questions about documents behind their passages, by number of row, and why others are not among them.

    A passage that does not fit is cut around the answer.
    """
    fell: Counter[str] = Counter()
    shown: dict[int, str] = {}
    for number, row in enumerate(rows):
        if row.get("messages") is None or batches.is_replayed(row):
            continue
        passage = _passage(row)
        if row.get("unmask"):
            fell["that are learned with their questions"] += 1
        elif not passage:
            fell["without a passage"] += 1
        elif passage in row["messages"][-2]["content"]:
            fell["that show their passage"] += 1
        else:
            shown[number] = passage

    def encoded(some: dict[int, str]) -> dict[int, Encoded]:
        told = [_behind(passage, rows[number]) for number, passage in some.items()]
        return dict(zip(some, batches.encode_rows(told, tokenizer), strict=True))

    found = encoded(shown)
    too_long = {number: len(ids) - limit for number, (ids, _) in found.items() if len(ids) > limit}
    cut = {
        number: _around_the_answer(shown[number], rows[number]["messages"][-1]["content"], surplus, tokenizer)
        for number, surplus in too_long.items()
    }
    found |= encoded({number: part for number, part in cut.items() if part})
    for number in too_long:
        if len(found[number][0]) > limit:
            del found[number]
            fell[f"whose passage does not fit into MAX_SEQ_LEN={limit}"] += 1
    return found, fell


def _passage(row: Row) -> str:
    """The text that a row was made from: of its document where it is there, else the summary."""
    told = batches.metadata(row)
    for name in ("raw_document", "document", "sdg_document"):
        text = row.get(name) or told.get(name)
        if isinstance(text, str) and text.strip():
            return text
    return ""


def _behind(passage: str, row: Row) -> Row:
    *before, asked, answer = row["messages"]
    question = formats.behind_passage(asked["content"], passage, row.get("document_outline") or "")
    return row | {"messages": [*before, asked | {"content": question}, answer]}


def _around_the_answer(passage: str, answer: str, surplus: int, tokenizer: Any) -> str:
    """About as much of a passage as is left without its surplus of tokens, the answer in the middle.

    Nothing where the answer does not stand in it word by word, or is too long itself.
    """
    answer = answer.strip().rstrip(".").casefold()
    place = passage.casefold().find(answer)
    n_tokens = len(markup.token_ids(tokenizer, [markup.escape(tokenizer, passage)])[0])
    size = int(0.9 * len(passage) * (1 - surplus / n_tokens))  # some tokens are shorter than the mean
    if place < 0 or not answer or len(answer) > size:
        return ""
    start = min(max(0, place + len(answer) // 2 - size // 2), len(passage) - size)
    part = passage[start : start + size]
    words = part.split(" ")
    inner = words[bool(start) : len(words) - (start + size < len(passage))]  # words that were cut through go
    return " ".join(inner) if answer in " ".join(inner).casefold() else part


def _graded(row: Encoded) -> list[int]:
    ids, graded = row
    return ids[graded]


def _parts(rows: Sequence[Encoded], size: int) -> Iterator[list[Encoded]]:
    """Rows in order of length, in parts of at most `size` tokens with their padding."""
    part: list[Encoded] = []
    for row in rows:
        if part and (len(part) + 1) * len(row[0]) > size:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _say(fell: Counter[str], n_rows: int) -> None:
    if fell:
        reasons = ", ".join(f"{count} {reason}" for reason, count in fell.items())
        warnings.warn(f"distill: {fell.total()} of {n_rows} rows learn their answers alone: {reasons}", stacklevel=4)
