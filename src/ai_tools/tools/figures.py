"""What a source of pairs is like in numbers, and by which of its rows it can be set against another.

Rows stream by once. What stays of each are three hashes of 8 bytes, drawn with the seed: their order is the lot by
which samples are taken, the same for every source.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate
from typing import Any

from .. import aliases
from ..matching import missing_facts, near_duplicates, normalise
from ..records import Pair
from .pairs import Pairs
from .reading import Texts

NEAR_SAMPLE = 1_000  # most pairs of a source among which near-duplicates are looked for
BLOCK = 1_000  # running words, of which the distinct ones are counted
_INTERROGATIVE = re.compile(
    r"\b(how (?:many|much|long|often|far|old)|what|which|whom?|whose|when|where|why|how)\b", re.I
)
_YES_OR_NO = re.compile(
    r"(?:in [^,]+, )?(?:is|are|was|were|do|does|did|has|have|had|can|could|may|might|must|should|will|would)\b", re.I
)


@dataclass
class Survey:
    """A source that has been gone through: its figures, and the hashes of its rows in their order.

    `passages` tell what a row was made from, `questions` what it asks, `contents` what it asks and answers.
    """

    name: str
    pairs: Pairs
    texts: Texts
    passages: array[int] = field(default_factory=lambda: array("Q"))
    questions: array[int] = field(default_factory=lambda: array("Q"))
    contents: array[int] = field(default_factory=lambda: array("Q"))
    figures: dict[str, Any] = field(default_factory=dict)

    def rows(self, wanted: set[int]) -> dict[int, Pair]:
        """The rows of these numbers, complete with their passages."""
        numbered = enumerate(self.pairs)
        return {number: self.texts.complete(row) for number, row in numbered if number in wanted}


def survey(name: str, pairs: Pairs, texts: Texts, seed: int) -> Survey:
    """Go through a source once.

    Its `figures`: pairs, documents, passages; pairs by type and by kind of question; words of questions and of answers
    (mean, median, 90th percentile); ratings of ten; the share of exact duplicates; distinct words, and how many of
    them there are in 1,000 running words (mean of such blocks: the standardised type-token ratio of corpus
    linguistics), which does not grow with the size of the source as their number does.
    """
    found = Survey(name, pairs, texts)
    lot = _lot(seed)
    documents: set[int] = set()
    types, kinds = Counter[str](), Counter[str]()
    asked, answered, rated = Counter[float](), Counter[float](), Counter[float]()
    vocabulary = _Vocabulary()
    for row in pairs:
        row = texts.complete(row)
        question, answer = normalise(row["question"]), normalise(row["answer"])
        found.passages.append(lot(_passage(row) or f"of its own: {question}"))
        found.questions.append(lot(question))
        found.contents.append(lot(f"{question}\x1f{answer}"))
        if document := _document(row):
            documents.add(lot(document))
        types[str(row["type"])] += 1
        kinds[kind_of(row["question"])] += 1
        asked[len(question.split())] += 1
        answered[len(answer.split())] += 1
        if isinstance(rating := row.get("rating"), int | float) and not isinstance(rating, bool):
            rated[rating] += 1
        vocabulary.add(question.split())
        vocabulary.add(answer.split())
    count = len(found.contents)
    found.figures = {
        "pairs": count,
        "documents": len(documents),
        "passages": len(set(found.passages)),
        "types": dict(sorted(types.items())),
        "question_kinds": dict(kinds.most_common()),
        "question_words": _spread(asked),
        "answer_words": _spread(answered),
        "ratings": {"rated": rated.total()} | (_spread(rated) if rated else {}),
        "exact_duplicates": _share(count - len(set(found.contents)), count),
        "distinct_words": len(vocabulary.distinct),
        "distinct_per_1000_words": vocabulary.per_block,
    }
    return found


def kind_of(question: str) -> str:
    """What a question asks for, by its interrogative: `how many`, `why` …; `yes or no`, or `other` without one."""
    if _YES_OR_NO.match(question.strip()):
        return "yes or no"
    found = _INTERROGATIVE.search(question)
    return found[1].lower() if found else "other"


def _passage(row: Pair) -> str:
    """What tells the passage of a row from others; empty where nothing does."""
    place = f"{row['source_file']}:{row['chunk_start']}" if row.get("source_file") and "chunk_start" in row else ""
    chunk = row.get("chunk_id")
    if isinstance(chunk, int):  # counted anew in each document
        chunk = f"{_document(row)}:{chunk}"
    return str(row.get("source_text") or chunk or place)


def _document(row: Pair) -> str:
    """What tells the document of a row from others; empty where nothing does."""
    _, name = aliases.first(row, (*aliases.FILE, *aliases.DOCUMENT_ID))
    return "" if aliases.is_nothing(name) else str(name)


def _lot(seed: int) -> Callable[[str], int]:
    key = str(seed).encode()[:64]
    return lambda text: int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8, key=key).digest())


class _Vocabulary:
    """Distinct words, in all and of blocks of running words."""

    def __init__(self) -> None:
        self.distinct, self._running = set[str](), list[str]()
        self._blocks = self._sum = 0

    def add(self, some: Sequence[str]) -> None:
        self.distinct.update(some)
        self._running += some
        while len(self._running) >= BLOCK:
            self._sum += len(set(self._running[:BLOCK]))
            self._blocks += 1
            del self._running[:BLOCK]

    @property
    def per_block(self) -> float | None:
        return round(self._sum / self._blocks, 1) if self._blocks else None


def _spread(counts: Counter[float]) -> dict[str, float]:
    """Mean, median and 90th percentile of counted values: the least that so large a share of all does not exceed."""
    values, total = sorted(counts), counts.total()
    upto = list(accumulate(counts[value] for value in values))
    median, p90 = (values[bisect_left(upto, share * total)] for share in (0.5, 0.9))
    mean = sum(value * count for value, count in counts.items()) / total
    return {"mean": round(mean, 2), "median": median, "p90": p90}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


# --- what takes the rows' words: a sample of whole passages, where near-duplicates are to be found ---


@dataclass(frozen=True)
class PassageSample:
    """The rows of some passages, those of every source; near-duplicates are those of questions of one passage."""

    rows: tuple[list[Pair], ...]

    def figures(self, which: int) -> dict[str, Any]:
        """Of one source: `pairs` in the sample, `near_duplicates`, the share of `answers_in_their_passage`.

        An answer is in its passage if every number, name and quoted string of it is; those without a passage do not
        count.
        """
        rows = self.rows[which]
        placed = [row for row in rows if row.get("source_text")]
        stands = sum(not missing_facts(row["answer"], row["source_text"]) for row in placed)
        return {
            "pairs": len(rows),
            "near_duplicates": _repeated([row["question"] for row in rows]),
            "answers_in_their_passage": _share(stands, len(placed)) if placed else None,
        }

    def merged(self) -> float:
        """The share of near-duplicates among the distinct pairs of all sources together."""
        pairs = {(normalise(row["question"]), normalise(row["answer"])): row for rows in self.rows for row in rows}
        return _repeated([row["question"] for row in pairs.values()])


def sampled(surveys: Sequence[Survey]) -> list[set[int]]:
    """Numbers of the rows, by source, of passages drawn by lot, until a source has NEAR_SAMPLE of them."""
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for which, one in enumerate(surveys):
        for number, passage in enumerate(one.passages):
            members[passage].append((which, number))
    chosen: list[set[int]] = [set() for _ in surveys]
    for passage in sorted(members):
        for which, number in members[passage]:
            if len(chosen[which]) == NEAR_SAMPLE:
                return chosen
            chosen[which].add(number)
    return chosen


def _repeated(questions: Sequence[str]) -> float:
    later = {i for i, j, _ in near_duplicates(questions, questions) if j < i}
    return _share(len(later), len(questions))
