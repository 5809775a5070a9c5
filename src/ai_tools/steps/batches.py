"""Rows -> token ids in batches of about equal size, all planned before the first step.

Rows are tokenised with the same prompt that the student is asked with. The plan depends on rows, recipe and seed alone.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import InputError, SettingsError
from . import formats, markup, students, templates
from .students import Encoded

Row = dict[str, Any]
Method = Literal["full", "lora", "osft", "distill"]


@dataclass(frozen=True)
class TrainingRecipe:
    """How to train. Sizes are in tokens; `max_tokens`, where set, decides the length instead of `epochs`.

    `fill_ins`: step 04 makes them, see `fill_ins`. `title_share`: of the questions of a cut, those that open with
    their document's title. `anchor` pulls the weights back to where they started, see `_Anchor`; 0 is off.
    `unfreeze_rank_ratio` is that of `osft`, see `adapters`, and `distill_weight` that of `distill`, see `distilling`.

    Raises:
        SettingsError: there is no such method, or one of these two is out of its range.
    """

    method: Method = "full"
    learning_rate: float = 1e-5
    epochs: float = 2.0
    max_tokens: int | None = None
    batch_tokens: int = 16_384
    micro_batch_tokens: int = 16_384
    max_seq_len: int = 2_048
    schedule: Literal["cosine", "linear"] = "cosine"
    warmup: float = 0.03
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    lora_rank: int = 32
    unfreeze_rank_ratio: float = 0.25
    distill_weight: float = 0.5
    question_noise: bool = False
    fill_ins: bool = False
    replay_share: float = 0.1
    title_share: float = 0.5
    anchor: float = 0.0

    def __post_init__(self) -> None:
        values = {
            "training_method": (self.method, self.method in get_args(Method), f"one of {', '.join(get_args(Method))}"),
            "unfreeze_rank_ratio": (self.unfreeze_rank_ratio, 0 < self.unfreeze_rank_ratio < 1, "more than 0, under 1"),
            "distill_weight": (self.distill_weight, 0 <= self.distill_weight <= 1, "from 0 to 1"),
        }
        for name, (value, fits, wanted) in values.items():
            if not fits:
                raise SettingsError(f"give {wanted}", setting=name, value=value)

    @property
    def trains_adapters(self) -> bool:
        """Whether the student's own weights stand still until adapters are merged into them."""
        return self.method in ("lora", "osft")


def general_rows(rows: Sequence[Row]) -> list[Row]:
    """Training rows of general text: questions as one exchange, everything else as plain text."""
    return [
        {"messages": formats.messages(row["question"], row["answer"])} if row["kind"] == "qa" else {"text": row["text"]}
        for row in rows
    ]


# Function words: a question is understood without them, and two people put them differently.
_FUNCTION_WORDS = """
a an the this that these those of in on at by for from to with into about as and or but if when than is are was were be
been being do does did has have had can could may might must shall should will would it its he she they their his her
there what which who whom whose how why where many much long
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def noisy_question(question: str, places: Sequence[str], strangers: Sequence[str], rng: random.Random) -> str:
    """The question with words left out, and words of its section's headings (`places`) and `strangers` in between.

    A model this small otherwise knows each answer by the exact wording of its question. With probability 0.4 p is
    drawn from U(0, 0.6): each content word falls out with p, each function word with max(p, 0.3), and at least two
    words stay, in their order. Each heading word comes in at a random place with probability 0.25. With probability
    0.5 strangers, words that say nothing of the answer, come in: q is drawn from U(0, 0.3), one for each word with q.
    """
    words = question.split()
    if rng.random() < 0.4:
        p = rng.uniform(0.0, 0.6)
        drop = [max(p, 0.3) if word.lower().strip("?,.") in _STOP_WORDS else p for word in words]
        kept = [i for i, chance in enumerate(drop) if rng.random() >= chance]
        if len(kept) < 2:
            kept = sorted(rng.sample(range(len(words)), min(2, len(words))))
        words = [words[i] for i in kept]
    for word in " ".join(places).split():
        if rng.random() < 0.25:
            words.insert(rng.randint(0, len(words)), word)
    if strangers and rng.random() < 0.5:
        q = rng.uniform(0.0, 0.3)
        for _ in range(sum(rng.random() < q for _ in words)):
            words.insert(rng.randint(0, len(words)), rng.choice(strangers))
    return " ".join(words)


class BatchPlan:
    """All micro-batches of a run, in order, made before its first step.

    An item of the trainer's dataset is the number of one micro-batch, so resuming is skipping numbers. Noise on
    questions is drawn anew for each epoch, by seed, epoch and row; the rows themselves are never changed.
    `encoded` are the rows of each epoch, a long text in several pieces; `row_of` says of each piece which row it is of.
    """

    def __init__(self, rows: Sequence[Row], tokenizer: Any, recipe: TrainingRecipe, seed: int):
        self.pad = tokenizer.pad_token_id
        self.encoded: list[list[Encoded]] = []
        self.row_of: list[int] = []
        self.batches: list[tuple[int, list[int]]] = []
        limit = math.inf if recipe.max_tokens is None else recipe.max_tokens
        n_epochs = math.inf if recipe.max_tokens else recipe.epochs
        strangers = _strangers(rows) if recipe.question_noise else []
        tokens, epoch = 0, 0
        while epoch < n_epochs and tokens < limit:
            if epoch == 0 or recipe.question_noise:
                encoded, self.row_of = _encode(rows, tokenizer, recipe, strangers, seed, epoch)
                self.encoded.append(encoded)
            batches = _batches(self._epoch(epoch), recipe, random.Random(f"{seed}/{epoch}"))
            batches = batches[: math.ceil(len(batches) * min(1.0, n_epochs - epoch))]
            for batch in batches:
                if tokens >= limit:
                    break
                self.batches.append((epoch, batch))
                tokens += self._n_tokens(epoch, batch)
            epoch += 1
        self.accumulation = max(1, recipe.batch_tokens // recipe.micro_batch_tokens)
        self.steps = math.ceil(len(self.batches) / self.accumulation)

    def progress(self, step: int) -> tuple[float, int]:
        """Epochs and tokens after so many steps."""
        done = self.batches[: step * self.accumulation]
        n_rows = sum(len(batch) for _, batch in done)
        return n_rows / len(self.encoded[0]), sum(self._n_tokens(*item) for item in done)

    def collate(self, items: list[Row]) -> dict[str, Any]:
        """One micro-batch as the model takes it."""
        epoch, batch = self.batches[items[0]["batch"]]
        return students.padded([self._epoch(epoch)[i] for i in batch], self.pad)

    def rows_of_step(self, step: int) -> list[int]:
        """Which rows a step learns from, the first step being 0."""
        batches = self.batches[step * self.accumulation : (step + 1) * self.accumulation]
        return sorted({self.row_of[i] for _, batch in batches for i in batch})

    def _epoch(self, epoch: int) -> list[Encoded]:
        return self.encoded[epoch if len(self.encoded) > 1 else 0]

    def _n_tokens(self, epoch: int, batch: list[int]) -> int:
        return sum(len(self._epoch(epoch)[i][0]) for i in batch)


def encode_row(row: Row, tokenizer: Any) -> Encoded:
    """One row as it is trained on, without noise: its token ids, and which of them bear the loss."""
    return encode_rows([row], tokenizer)[0]


def encode_rows(rows: Sequence[Row], tokenizer: Any) -> list[Encoded]:
    """The same of several, however long they are."""
    return _encode(rows, tokenizer, TrainingRecipe(max_seq_len=10**9), [], seed=0, epoch=0)[0] if rows else []


def holds_markup(row: Row, tokenizer: Any) -> bool:
    """Whether a text of a row has what would be markup to the student, were it not encoded as text."""
    turns = row.get("messages") or [{"content": row.get("text")}]
    texts = [turn.get(name) or "" for turn in turns for name in ("content", "thinking")]
    return any(markup.escape(tokenizer, text) != text for text in texts)


def _encode(
    rows: Sequence[Row], tokenizer: Any, recipe: TrainingRecipe, strangers: Sequence[str], seed: int, epoch: int
) -> tuple[list[Encoded], list[int]]:
    """Each row as its student's template puts it, cut into tokens as one; the loss is on the answer and its end.

    Beside each the number of its row: a text that is longer than rows may be is several.
    """
    if not rows:
        raise InputError("there are no training rows. Fix: set TRAINING_CUT to a file with rows")
    parts = [_parts(i, row, tokenizer, recipe, strangers, f"{seed}/{epoch}/{i}") for i, row in enumerate(rows)]
    start = [one for one in tokenizer("")["input_ids"][:1] if one == tokenizer.bos_token_id]
    encoded: list[Encoded] = []
    row_of: list[int] = []
    too_long, size = 0, recipe.max_seq_len
    for number, (row, (ids, ends)) in enumerate(zip(rows, markup.encoded(tokenizer, parts), strict=True)):
        if row.get("messages") is None:
            pieces = _pieces([*start, *ids, tokenizer.eos_token_id], size)
        else:
            pieces = [(ids, slice(0, len(ids)) if row.get("unmask") else slice(ends[0], ends[2]))]
            too_long += len(ids) > size
        encoded += pieces
        row_of += [number] * len(pieces)
    if too_long:
        raise InputError(
            f"{too_long} of {len(rows)} training rows have more than {size} tokens. "
            "Fix: raise MAX_SEQ_LEN, or build the cut again with this student's tokenizer"
        )
    return encoded, row_of


def _pieces(ids: list[int], size: int) -> list[Encoded]:
    """A text in pieces of about equal length: one of a single token would have nothing to learn from."""
    count = math.ceil(len(ids) / size)
    cuts = [len(ids) * n // count for n in range(count + 1)]
    return [(ids[start:end], slice(0, end - start)) for start, end in itertools.pairwise(cuts)]


def _strangers(rows: Sequence[Row]) -> list[str]:
    """The words of the general rows of a cut."""
    replayed = [row for row in rows if is_replayed(row)]
    texts = [row.get("text") or " ".join(turn["content"] for turn in row["messages"]) for row in replayed]
    return sorted({word.strip('?,.;:"()').lower() for text in texts for word in text.split()} - {""})


def _parts(
    number: int, row: Row, tokenizer: Any, recipe: TrainingRecipe, strangers: Sequence[str], draw: str
) -> tuple[str, ...]:
    """A text, or the parts of a conversation."""
    messages = row.get("messages")
    if messages is None:
        return (_escaped_text(row["text"], tokenizer),)
    if recipe.question_noise and not row.get("unmask") and not is_replayed(row):
        places = metadata(row).get("heading_path") or []
        *before, asked, answer = messages
        question = noisy_question(asked["content"], places, strangers, random.Random(draw))
        messages = [*before, {**asked, "content": question}, answer]
    try:
        return templates.render_row(tokenizer, messages)
    except InputError as error:
        raise InputError(f"training row {number + 1}: {error}") from error


def _escaped_text(text: str, tokenizer: Any) -> str:
    """A plain text without markup but the tags of the reasoning that `formats` put before its answer."""
    before, response, answer = text.rpartition(formats.RESPONSE)
    reasoning, said = formats.unthink(answer) if response else ("", answer)
    before, reasoning, said = (markup.escape(tokenizer, part) for part in (before, reasoning, said))
    return before + response + formats.think(reasoning, said)


def is_replayed(row: Row) -> bool:
    """Whether a row of a cut is a general one."""
    return bool(metadata(row).get("dataset") == "replay")


def metadata(row: Row) -> Row:
    """What a row says of itself: JSON in a cut, an object in other files, and anything in those of others."""
    told = row.get("metadata")
    if isinstance(told, str):
        with suppress(ValueError):
            told = json.loads(told)
    return told if isinstance(told, dict) else {}


def _batches(encoded: Sequence[Encoded], recipe: TrainingRecipe, rng: random.Random) -> list[list[int]]:
    """Rows of similar length together, at most `micro_batch_tokens` with padding, in random order."""
    order = list(range(len(encoded)))
    rng.shuffle(order)  # rows of one length meet others in each epoch: the sort keeps their shuffled order
    order.sort(key=lambda i: len(encoded[i][0]))
    size = min(recipe.micro_batch_tokens, recipe.batch_tokens)
    batches: list[list[int]] = [[]]
    for i in order:
        if batches[-1] and (len(batches[-1]) + 1) * len(encoded[i][0]) > size:
            batches.append([])
        batches[-1].append(i)
    rng.shuffle(batches)
    return batches
