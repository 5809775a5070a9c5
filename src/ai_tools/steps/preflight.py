"""Before a training: does it fit into memory, how long does it take, will the student learn from these rows.

Of the student only its configuration and its tokenizer are read.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from .. import machine
from ..errors import SettingsError
from ..matching import normalise
from . import faults
from .batches import BatchPlan, Row, TrainingRecipe, metadata

TIGHT = 0.8  # of the free memory, above which a run is warned of
FEW_STEPS = 100
_LIBRARIES = 0.6e9  # what Python holds once the libraries are loaded, measured
_WORKING = 1.3  # what a layer keeps for its gradient, by the widths of its matrices, measured
_EFFICIENCY = 0.4  # share of the speed of one large product of matrices that training reaches: 0.36 to 0.49 measured
_WORK = {"full": 6, "lora": 4, "osft": 4, "distill": 8}  # operations a token and weight, as in arXiv 2001.08361


@dataclass(frozen=True)
class Preflight:
    """What a training will need, in bytes by part, beside what is free; how long it is; what is to be said of it."""

    memory: dict[str, float]
    room: float
    steps: int
    tokens: int
    passes: float
    seconds: float
    warnings: list[str] = field(default_factory=list)

    @property
    def needed(self) -> float:
        return sum(self.memory.values())

    @property
    def line(self) -> str:
        return (
            f"{self.steps:,} steps, {self.tokens:,} tokens in {self.passes:.1f} passes; about {_gb(self.needed)} of "
            f"{_gb(self.room)} free memory and {max(1, self.seconds / 60):.0f} min"
        )


def check(
    rows: Sequence[Row],
    outline: Any,
    tokenizer: Any,
    recipe: TrainingRecipe,
    *,
    device: str = "auto",
    four_bit: bool = False,
    room: float | None = None,
) -> Preflight:
    """What a training takes; `outline` is the student's (see `students.outline`), `room` the bytes that are free.

    Raises:
        InputError: there is no row, or one that the student cannot take.
        SettingsError: it cannot fit into memory, with what would.
    """
    plan = BatchPlan(rows, tokenizer, replace(recipe, question_noise=False), seed=0)
    faults.check_fit(plan, outline)
    place = machine.device(device)
    room = machine.free_memory(place) if room is None else room
    needs = _Needs(outline, place, four_bit, plan)
    memory = needs.memory(recipe)
    warnings = []
    if (needed := sum(memory.values())) > room:
        raise SettingsError(
            f"training this student ({recipe.method}) needs about {_gb(needed)} of memory ({_largest(memory)}), "
            f"and {_gb(room)} is free. Fix: {_what_fits(needs, recipe, room)}",
            setting="batch_tokens",
            value=recipe.batch_tokens,
        )
    if needed > TIGHT * room:
        warnings.append(f"memory is tight: about {_gb(needed)} of {_gb(room)}. {faults.what_to_lower(recipe)}")
    if plan.steps < FEW_STEPS:
        warnings.append(
            f"{plan.steps} steps of the optimiser, where some hundred are needed to learn. Fix: more EPOCHS or "
            "TRAINING_TOKENS, or less BATCH_TOKENS"
        )
    passes, tokens = plan.progress(plan.steps)
    return Preflight(memory, room, plan.steps, tokens, passes, needs.seconds(recipe, tokens), warnings)


class _Needs:
    """What the training of a student takes, by its matrices and the largest batch of a plan."""

    def __init__(self, outline: Any, place: str, four_bit: bool, plan: BatchPlan):
        self.place, self.four_bit = place, four_bit
        self.halves = machine.multiplies_in_bfloat16(place)
        ends = outline.get_input_embeddings(), outline.get_output_embeddings()
        tables = {id(one.weight) for one in ends if one is not None}
        named = [one.shape for one in outline.parameters() if one.ndim == 2 and id(one) not in tables]
        self.all = outline.num_parameters()
        self.shapes = named
        self.matrices = sum(rows * columns for rows, columns in named)
        self.widths = sum(rows + columns for rows, columns in named)
        self.vocabulary, self.width = ends[0].weight.shape
        self.keeps_little = outline.num_parameters() > 2e9  # activations are computed again, see `trainer`
        self.layers = outline.config.num_hidden_layers
        labels = [plan.collate([{"batch": number}])["labels"] for number in range(len(plan.batches))]
        graded = [int((one != -100).sum()) for one in labels]
        self.tokens, self.graded = max(one.numel() for one in labels), max(graded)
        self.graded_share = sum(graded) / sum(one.numel() for one in labels)
        self.longest = max(len(ids) for ids, _ in plan.encoded[0])

    def memory(
        self, recipe: TrainingRecipe, batch_tokens: int | None = None, *, four_bit: bool | None = None
    ) -> dict[str, float]:
        """Bytes by part, with batches of at most so many tokens.

        Weights, gradients and AdamW's two moments of what is trained are float32: 16 bytes a parameter (as in ZeRO,
        arXiv 1910.02054). Own arithmetic, the factors measured: bfloat16 copies that autocast makes of float32
        matrices, what the layers keep of each token, by the widths of their matrices, and of each graded token three
        rows of scores in float32 and one in bfloat16.
        """
        share = min(1.0, max(batch_tokens, self.longest) / self.tokens) if batch_tokens else 1.0
        four_bit = self.four_bit if four_bit is None else four_bit
        everything = not recipe.trains_adapters
        trained = self.all if everything else recipe.lora_rank * self.widths
        held = 0.0
        if recipe.method == "osft":  # where the trained directions began, and those that stay
            trained = round(recipe.unfreeze_rank_ratio * sum(min(one) * sum(one) for one in self.shapes))
            held = 4.0 * (trained + (1 - recipe.unfreeze_rank_ratio) * self.matrices)
        of_weight = 4 if recipe.method != "lora" or self.place != "cuda" else 2
        weights = float(of_weight * self.all)
        if four_bit and recipe.method == "lora":
            weights = self.matrices / 2 + 2 * (self.all - self.matrices)
        parts = {
            "libraries": _LIBRARIES,
            "weights": weights + (0 if everything else 4 * trained) + held,
            "gradients": 4.0 * trained,
            "AdamW's moments": 8.0 * trained,
            "bfloat16 copies": 2.0 * self.matrices if self.halves and of_weight == 4 and not four_bit else 0.0,
            "frozen start": 4.0 * self.all if recipe.method == "distill" else 0.0,
            "anchor": 8.0 * self.all if recipe.anchor and everything else 0.0,
            "batch": share * self.tokens * self._of_token(),
            "scores": share * self._scored() * self.vocabulary * (22.0 if recipe.method == "distill" else 14.0),
        }
        return {name: size for name, size in parts.items() if size}

    def _of_token(self) -> float:
        size = 2 if self.halves else 4
        kept = self.layers * self.width + self.widths / self.layers if self.keeps_little else self.widths
        return float(size * _WORKING * kept)

    def _scored(self) -> int:
        return self.graded if self.place == "cpu" else self.tokens

    def seconds(self, recipe: TrainingRecipe, tokens: int) -> float:
        """Operations over what this machine does in a second, measured now."""
        head = 6 * self.graded_share * self.vocabulary * self.width
        work = tokens * (_WORK[recipe.method] * self.matrices + head)
        return float(work / (_EFFICIENCY * machine.operations_a_second(self.place, halves=self.halves)))


def _what_fits(needs: _Needs, recipe: TrainingRecipe, room: float) -> str:
    """The settings that fit, nearest to what was wanted first."""
    lora = replace(recipe, method="lora")
    found = []
    for setting, changed in (("", recipe), ("TRAINING_METHOD=lora", lora)):
        if setting and recipe.method == "lora":
            continue
        size = recipe.batch_tokens
        while size > needs.longest and sum(needs.memory(changed, size).values()) > room:
            size //= 2
        if sum(needs.memory(changed, size).values()) <= room:
            lower = f"BATCH_TOKENS={size}" if size < recipe.batch_tokens else ""
            found.append(" with ".join(filter(None, (setting, lower))))
    if needs.place == "cuda" and not needs.four_bit and sum(needs.memory(lora, four_bit=True).values()) <= room:
        found.append("TRAINING_METHOD=lora with FOUR_BIT=true")
    smaller = [name for name, size in (("smollm2", 135e6), ("tiny", 2e6)) if size < needs.all]
    if smaller:
        found.append(f"a smaller STUDENT_MODEL_NAME such as {smaller[0]}")
    return "set " + ", or ".join(found) if found else "free memory"


def learning(rows: Sequence[Row], exam: Iterable[Row] = (), chunks: Iterable[Row] = ()) -> tuple[Row, list[str]]:
    """What rows of a cut teach, and what is to be said of it.

    Args:
        exam, chunks: rows of exam.jsonl and chunks.jsonl, for the documents that the exam asks about.

    Returns:
        `answers` (different ones of a passage, each about as much as one fact), `rows_for_an_answer` (median),
        `answers_with_one_row`, `replay` (share of rows), `exam_documents`, and those `without_rows`; and warnings.
    """
    about = [metadata(row) for row in rows]
    counts = Counter(
        (said.get("chunk_id"), normalise(row["messages"][-1]["content"]))
        for row, said in zip(rows, about, strict=True)
        if row.get("messages") and said.get("dataset") != "replay"
    )
    single = sum(count == 1 for count in counts.values())
    asked, missing = _documents(exam, chunks, {said.get("chunk_id") for said in about})
    found = {
        "answers": len(counts),
        "rows_for_an_answer": statistics.median(counts.values()) if counts else 0,
        "answers_with_one_row": single,
        "replay": round(sum(said.get("dataset") == "replay" for said in about) / max(1, len(rows)), 3),
        "exam_documents": len(asked),
        "without_rows": len(missing),
    }
    warnings = []
    if single > len(counts) / 2:
        warnings.append(
            f"{single:,} of {len(counts):,} answers stand in a single row; what is asked in several ways is learned "
            "better. Fix: a larger cut, or more QUESTIONS_PER_CHUNK"
        )
    if missing:
        warnings.append(
            f"{len(missing)} of the exam's {len(asked)} documents have no training row ({', '.join(missing[:3])}). "
            "Fix: see step_03/rejected.jsonl, or raise CUT_SIZES"
        )
    return found, warnings


def _documents(exam: Iterable[Row], chunks: Iterable[Row], taught: set[Any]) -> tuple[list[str], list[str]]:
    """The documents that an exam asks about, and those of them without a row; none where it calls them otherwise."""
    known, with_rows = set[str](), set[str]()
    for chunk in chunks:
        names = {chunk["document_id"], chunk["file"], PurePosixPath(chunk["file"]).name}
        known |= names
        with_rows |= names if chunk["chunk_id"] in taught else set()
    asked = sorted({str(row["document"]) for row in exam if row.get("document")})
    return (asked, [name for name in asked if name not in with_rows]) if known & set(asked) else ([], [])


def _largest(memory: Mapping[str, float]) -> str:
    parts = sorted(memory.items(), key=lambda one: -one[1])[:3]
    return ", ".join(f"{name} {_gb(size)}" for name, size in parts)


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
