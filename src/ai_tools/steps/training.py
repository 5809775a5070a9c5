"""Training: rows of a cut and a student in, a tuned student out; full fine-tuning or LoRA.

Rows are tokenised here, with the same prompt that the student is asked with, and grouped into batches of about
equal size in tokens. That plan is made before the first step and depends on rows, recipe and seed alone, so a
killed run goes on where its last checkpoint was and ends where the undisturbed run would have.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .. import files
from ..errors import InputError, MissingExtra
from . import formats, students
from .students import Student

_ANCHOR_BATCH_TOKENS = 100

Row = dict[str, Any]
Encoded = tuple[list[int], int]  # token ids of a row, and how many of them, from the start, bear no loss


@dataclass(frozen=True)
class Recipe:
    """How to train. Sizes are in tokens; `max_tokens`, where set, decides the length instead of `epochs`.

    `fill_ins`: step 04 makes them, see `fill_ins`. `anchor` pulls the weights back to where they started, see
    `_Anchor`; 0 is off.
    """

    method: Literal["full", "lora"] = "full"
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
    question_noise: bool = False
    fill_ins: bool = False
    replay_share: float = 0.1
    anchor: float = 0.0


TINY_RECIPE = Recipe(
    learning_rate=3e-3,
    max_tokens=500_000,
    batch_tokens=1_280,
    micro_batch_tokens=1_280,
    max_seq_len=512,
    schedule="linear",
    warmup=0.02,
    question_noise=True,
    fill_ins=True,
    replay_share=0.18,
    anchor=0.0045,
)
TINY_BASE_RECIPE = replace(
    TINY_RECIPE, max_tokens=300_000, warmup=0.08, question_noise=False, fill_ins=False, anchor=0.0
)


def default_recipe(
    student_name: str,
    method: Literal["full", "lora"] = "full",
    *,
    n_parameters: int | None = None,
    training_tokens: int | None = None,
    **chosen: Any,
) -> Recipe:
    """The recipe for a student; values in `chosen` that are not None replace its own.

    `training_tokens` decides the length instead of epochs.

    Full fine-tuning: a learning rate of 1e-5 from 7 billion parameters on, more for smaller models by the inverse
    square root of their size, at most 1e-4. LoRA: ten times that, since only small added matrices move.
    """
    if student_name == students.TINY:
        recipe = replace(TINY_RECIPE, method=method)
    else:
        billions = (n_parameters or 7e9) / 1e9
        rate = min(1e-4, max(1e-5, 1e-5 * math.sqrt(7.0 / billions)))
        recipe = Recipe(method=method, learning_rate=rate * (10 if method == "lora" else 1))
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if "epochs" in chosen:  # who asks for epochs gets them, whatever the recipe counts in
        chosen["max_tokens"] = None
    if training_tokens:
        chosen["max_tokens"] = training_tokens
    return replace(recipe, **chosen)


def pretrain_tiny(rows: Sequence[Row], *, folder: Path, seed: int, on_log: Callable[[Row], None] | None = None) -> Path:
    """Build the tiny student and train it on general text, facts and questions; returns the model's folder.

    `rows` are those of `general.jsonl`: `kind` is text, statement or qa.
    """
    student = students.build_tiny(seed)
    train(general_rows(rows), student=student, recipe=TINY_BASE_RECIPE, seed=seed, folder=folder, on_log=on_log)
    return folder / "model"


def train(
    rows: Sequence[Row],
    *,
    student: Student,
    recipe: Recipe,
    seed: int,
    folder: Path,
    general: Sequence[Row] = (),
    on_log: Callable[[Row], None] | None = None,
    resume: bool = True,
) -> list[Row]:
    """Train `student` in place on the rows of a cut; `folder`/model is the result, LoRA merged into its base.

    `general` are rows of `general.jsonl`, whose facts the recipe's anchor weighs by; they are not trained on.

    Chat rows bear the loss on the last answer and the token that ends it; rows with `unmask` and plain-text rows
    on all tokens. `folder`/checkpoints holds the state of an unfinished run, which is taken up again where rows,
    recipe, seed and starting weights are the same, and removed otherwise.

    Returns:
        the log, one row for each hundredth of the run: `step, epoch, loss` (mean per token since the row before),
        `lr, tokens` (so far), `tokens_per_second, memory` (MiB: peak of the GPU, else of the process now).
    """
    datasets, transformers = _libraries()
    plan = _Plan(rows, student.tokenizer, recipe, seed)
    checkpoints = folder / "checkpoints"
    found = _newest_checkpoint(checkpoints, _fingerprint([*rows, *general], recipe, seed, student.model), resume=resume)
    dtype = student.model.dtype
    if recipe.method == "full":
        student.model.float()  # at these learning rates most updates are smaller than bfloat16 can add
    with students.quiet():
        trainer = _trainer_class(_anchor(general, student, recipe))(
            model=student.model.train(),
            args=_arguments(recipe, plan, seed, checkpoints, student.model.num_parameters()),
            train_dataset=datasets.Dataset.from_dict({"batch": list(range(len(plan.batches)))}),
            data_collator=plan.collate,
            processing_class=student.tokenizer,
            peft_config=_lora(recipe) if recipe.method == "lora" else None,
            callbacks=[_logger(plan, on_log)],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train(resume_from_checkpoint=str(found) if found else None)
    model = trainer.accelerator.unwrap_model(trainer.model)
    if recipe.method == "lora":
        model = model.merge_and_unload()
    student.model = model.to(dtype).eval()
    if trainer.is_world_process_zero():
        students.save(student, folder / "model")
    return [_log_row(entry) for entry in trainer.state.log_history if "loss" in entry]


def read_rows(path: Path) -> list[Row]:
    """The rows of a cut, or of any file that `ai-tools export` writes, ready for `train`.

    Raises:
        InputError: not such a file, with the place, the reason and what to do.
    """
    if not path.is_file():
        raise InputError(f"TRAINING_CUT={path}: no such file. Fix: give a file of step 04, or one of `ai-tools export`")
    found = []
    for where, row in _array(path) if _is_array(path) else files.placed_rows(path):
        try:
            found.append(formats.training_row(row))
        except ValueError as error:
            raise InputError(f"{where}: {error}. Fix: write it with `ai-tools export`") from None
    if not found:
        raise InputError(f"{path}: no row in it. Fix: set TRAINING_CUT to a file with rows")
    return found


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".json" or file.read(100).lstrip().startswith(b"[")


def _array(path: Path) -> Iterator[tuple[str, Row]]:
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); write it anew") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: no array of rows. Fix: write it with `ai-tools export`")
    return ((f"{path}, row {number}", row) for number, row in enumerate(rows, 1))


def general_rows(rows: Sequence[Row]) -> list[Row]:
    """Training rows of general text: questions as one exchange, everything else as plain text."""
    return [
        {"messages": _exchange(row["question"], row["answer"])} if row["kind"] == "qa" else {"text": row["text"]}
        for row in rows
    ]


def _exchange(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


# Function words: a question is understood without them, and two people put them differently.
_FUNCTION_WORDS = """
a an the this that these those of in on at by for from to with into about as and or but if when than is are was were be
been being do does did has have had can could may might must shall should will would it its he she they their his her
there what which who whom whose how why where many much long
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def noisy_question(question: str, places: Sequence[str], strangers: Sequence[str], rng: random.Random) -> str:
    """The question with words left out, and words of its section's headings (`places`) and `strangers` in between.

    A model this small otherwise knows each answer by the exact wording of its question. With probability 0.7 p is
    drawn from U(0, 0.6): each content word falls out with p, each function word with max(p, 0.3), and at least two
    words stay, in their order. Each heading word comes in at a random place with probability 0.25. With probability
    0.5 strangers, words that say nothing of the answer, come in: q is drawn from U(0, 0.3), one for each word with q.
    """
    words = question.split()
    if rng.random() < 0.7:
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


class _Plan:
    """All micro-batches of a run, in order, made before its first step.

    An item of the trainer's dataset is the number of one micro-batch, so resuming is skipping numbers. Noise on
    questions is drawn anew for each epoch, by seed, epoch and row; the rows themselves are never changed.
    """

    def __init__(self, rows: Sequence[Row], tokenizer: Any, recipe: Recipe, seed: int):
        self.pad = tokenizer.pad_token_id
        self.encoded: list[list[Encoded]] = []
        self.batches: list[tuple[int, list[int]]] = []
        limit = math.inf if recipe.max_tokens is None else recipe.max_tokens
        n_epochs = math.inf if recipe.max_tokens else recipe.epochs
        strangers = _strangers(rows) if recipe.question_noise else []
        tokens, epoch = 0, 0
        while epoch < n_epochs and tokens < limit:
            if epoch == 0 or recipe.question_noise:
                self.encoded.append(_encode(rows, tokenizer, recipe, strangers, seed, epoch))
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
        """One micro-batch, padded on the right; labels are -100 where no loss is borne."""
        import torch

        epoch, batch = self.batches[items[0]["batch"]]
        rows = [self._epoch(epoch)[i] for i in batch]
        shape = (len(rows), max(len(ids) for ids, _ in rows))
        ids, labels = torch.full(shape, self.pad), torch.full(shape, -100)
        mask = torch.zeros(shape, dtype=torch.long)
        for row, (tokens, silent) in enumerate(rows):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            labels[row, silent : len(tokens)] = ids[row, silent : len(tokens)]
            mask[row, : len(tokens)] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    def _epoch(self, epoch: int) -> list[Encoded]:
        return self.encoded[epoch if len(self.encoded) > 1 else 0]

    def _n_tokens(self, epoch: int, batch: list[int]) -> int:
        return sum(len(self._epoch(epoch)[i][0]) for i in batch)


def encode_row(row: Row, tokenizer: Any) -> Encoded:
    """One row as it is trained on, without noise: its token ids, and how many of them, from the start, bear no loss."""
    return _encode([row], tokenizer, Recipe(max_seq_len=10**9), [], seed=0, epoch=0)[0]


def _encode(
    rows: Sequence[Row], tokenizer: Any, recipe: Recipe, strangers: Sequence[str], seed: int, epoch: int
) -> list[Encoded]:
    """Prompt and answer are tokenised apart, as at inference, where the answer is not there yet."""
    if not rows:
        raise InputError("there are no training rows. Fix: set TRAINING_CUT to a file with rows")
    parts = [_prompt_and_answer(row, tokenizer, recipe, strangers, f"{seed}/{epoch}/{i}") for i, row in enumerate(rows)]
    prompts = tokenizer([prompt for prompt, _ in parts], add_special_tokens=False)["input_ids"]
    answers = tokenizer([answer for _, answer in parts], add_special_tokens=False)["input_ids"]
    start = tokenizer("")["input_ids"][:1] if tokenizer.bos_token_id is not None else []
    encoded, too_long = [], 0
    for row, prompt, answer in zip(rows, prompts, answers, strict=True):
        ids = (prompt or start) + answer + [tokenizer.eos_token_id]
        if row.get("messages") is None:
            size = recipe.max_seq_len
            encoded += [(ids[i : i + size], 0) for i in range(0, len(ids), size)]
        else:
            encoded.append((ids, 0 if row.get("unmask") else len(prompt)))
            too_long += len(ids) > recipe.max_seq_len
    if too_long:
        raise InputError(
            f"{too_long} of {len(rows)} training rows have more than {recipe.max_seq_len} tokens. "
            "Fix: raise MAX_SEQ_LEN, or build the cut again with this student's tokenizer"
        )
    return encoded


def _strangers(rows: Sequence[Row]) -> list[str]:
    """The words of the general rows of a cut."""
    replayed = [row for row in rows if _metadata(row).get("dataset") == "replay"]
    texts = [row["text"] or " ".join(turn["content"] for turn in row["messages"]) for row in replayed]
    return sorted({word.strip('?,.;:"()').lower() for text in texts for word in text.split()} - {""})


def _prompt_and_answer(
    row: Row, tokenizer: Any, recipe: Recipe, strangers: Sequence[str], draw: str
) -> tuple[str, str]:
    messages = row.get("messages")
    if messages is None:
        return "", row["text"]
    *turns, answer = messages
    metadata = _metadata(row)
    if recipe.question_noise and not row.get("unmask") and metadata.get("dataset") != "replay":
        places = metadata.get("heading_path") or []
        question = noisy_question(turns[-1]["content"], places, strangers, random.Random(draw))
        turns = [*turns[:-1], {**turns[-1], "content": question}]
    thinking = answer.get("thinking")
    prompt = students.render_prompt(tokenizer, turns, thinking=bool(thinking))
    return prompt, formats.think(thinking or "", answer["content"])


def _metadata(row: Row) -> Row:
    """What a row says of itself: JSON in a cut, an object in other files, and anything in those of others."""
    told = row.get("metadata")
    if isinstance(told, str):
        with suppress(ValueError):
            told = json.loads(told)
    return told if isinstance(told, dict) else {}


def _batches(encoded: Sequence[Encoded], recipe: Recipe, rng: random.Random) -> list[list[int]]:
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


def _arguments(recipe: Recipe, plan: _Plan, seed: int, folder: Path, n_parameters: int) -> Any:
    import torch
    import trl

    log_every = max(1, plan.steps // 100)
    on_cpu = not torch.cuda.is_available()
    bf16 = _multiplies_in_bfloat16() if on_cpu else torch.cuda.is_bf16_supported()
    return trl.SFTConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=plan.accumulation,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        max_length=None,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        adam_beta1=recipe.betas[0],
        adam_beta2=recipe.betas[1],
        max_grad_norm=recipe.clip,
        optim="adamw_torch_fused",
        bf16=bf16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        activation_checkpointing=n_parameters > 2e9,  # below, memory is no problem and recomputing costs a fifth
        logging_steps=log_every,
        save_steps=5 * log_every,  # a kill loses at most a twentieth of the run
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        seed=seed,
    )


def _multiplies_in_bfloat16() -> bool:
    """Whether this CPU has instructions for it, with which matrices are multiplied two to three times as fast."""
    import torch

    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of torch do not tell
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


class _Anchor:
    """A pull back to the starting weights, strongest on those that general rows depend on.

    Elastic weight consolidation (arXiv 1612.00796): the squared distance, weighted by the diagonal of the empirical
    Fisher information of general facts, which is scaled to a mean of 1. Without it a small student forgets what is
    not replayed.
    """

    def __init__(self, model: Any, batches: Sequence[Row], strength: float):
        import torch

        self.strength = strength
        self.start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        squares = {name: torch.zeros_like(weight) for name, weight in self.start.items()}
        for batch in batches:
            model.zero_grad()
            model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).loss.backward()
            for name, weight in model.named_parameters():
                squares[name] += weight.grad.square()
        model.zero_grad()
        mean = sum(square.sum() for square in squares.values()) / sum(square.numel() for square in squares.values())
        self.importance = {name: square / mean for name, square in squares.items()}

    def __call__(self, model: Any) -> Any:
        pulls = [
            (self.importance[name] * (weight - self.start[name]).square()).sum()
            for name, weight in model.named_parameters()
        ]
        return self.strength * sum(pulls)


def _anchor(general: Sequence[Row], student: Student, recipe: Recipe) -> _Anchor | None:
    """The anchor of a run; none where it is off, only adapters move, or no general fact says what matters.

    Facts weigh, running text does not: it would spread the importance over all weights. Small batches, since the
    square of a mean gradient hides what single facts need.
    """
    known = general_rows([row for row in general if row["kind"] != "text"])
    if not recipe.anchor or recipe.method == "lora" or not known:
        return None
    size = _ANCHOR_BATCH_TOKENS
    once = replace(recipe, epochs=1, max_tokens=None, question_noise=False, batch_tokens=size, micro_batch_tokens=size)
    plan = _Plan(known, student.tokenizer, once, seed=0)
    batches = [plan.collate([{"batch": number}]) for number in range(len(plan.batches))]
    return _Anchor(student.model.eval(), batches, recipe.anchor)


def _trainer_class(anchor: _Anchor | None = None) -> type:
    import torch
    import trl

    class Trainer(trl.SFTTrainer):  # type: ignore[misc]  # the type checker does not follow trl
        """TRL's trainer, twice as fast on a CPU, and without a model card in every checkpoint.

        On a CPU TRL's own loss scores every position, and once more in the backward pass. Here the model scores
        the positions from the batch's first label on, once.
        """

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            return

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if inputs["labels"].device.type == "cpu":
                loss, outputs = self._scored_once(model, inputs, num_items_in_batch)
            else:
                loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
            if anchor and model.training:
                loss = loss + anchor(self.accelerator.unwrap_model(model)) / self.args.gradient_accumulation_steps
            return (loss, outputs) if return_outputs else loss

        def _scored_once(self, model: Any, inputs: Any, n_items: Any) -> tuple[Any, Any]:
            labels = inputs.pop("labels")
            first = int((labels[:, 1:] != -100).any(0).nonzero()[0]) + 1
            labels = labels[:, first:]
            outputs = model(**inputs, use_cache=False, logits_to_keep=labels.size(1) + 1)
            logits = outputs.logits[:, :-1].flatten(0, 1).float()
            total = torch.nn.functional.cross_entropy(logits, labels.flatten(), reduction="sum")
            return total / n_items, outputs

    return Trainer


def _lora(recipe: Recipe) -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("train", "peft") from error
    # arXiv 2106.09685. With alpha fixed, the best learning rate hardly depends on the rank.
    return peft.LoraConfig(r=recipe.lora_rank, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


def _logger(plan: _Plan, on_log: Callable[[Row], None] | None) -> Any:
    """A trainer callback that adds our columns to each log entry, which checkpoints carry, and passes it on."""
    import psutil
    import torch
    from transformers import TrainerCallback

    class Logger(TrainerCallback):  # type: ignore[misc]  # as above
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.time, self.tokens = time.perf_counter(), plan.progress(state.global_step)[1]

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            epoch, tokens = plan.progress(state.global_step)
            now = time.perf_counter()
            on_gpu = torch.cuda.is_available()
            memory = torch.cuda.max_memory_allocated() if on_gpu else psutil.Process().memory_info().rss
            entry |= {
                "epoch": round(epoch, 4),
                "tokens": tokens,
                "tokens_per_second": round((tokens - self.tokens) / (now - self.time)),
                "memory": round(memory / 2**20),
            }
            self.time, self.tokens = now, tokens
            if on_log:
                on_log(_log_row(entry))

    return Logger()


def _log_row(entry: Row) -> Row:
    names = {"step": "step", "epoch": "epoch", "loss": "loss", "lr": "learning_rate", "tokens": "tokens"}
    names |= {"tokens_per_second": "tokens_per_second", "memory": "memory"}
    return {ours: entry[theirs] for ours, theirs in names.items()}


def _fingerprint(rows: Sequence[Row], recipe: Recipe, seed: int, model: Any) -> str:
    """What a checkpoint depends on. Weights enter by their sums: cheap, and any training changes them."""
    import torch

    digest = hashlib.sha256(json.dumps([list(rows), asdict(recipe), seed], sort_keys=True).encode())
    for name, weight in model.state_dict().items():
        digest.update(f"{name}{tuple(weight.shape)}{weight.sum(dtype=torch.float64).item():.12g}".encode())
    return digest.hexdigest()


def _newest_checkpoint(folder: Path, fingerprint: str, *, resume: bool) -> Path | None:
    """The newest complete checkpoint of the same run; those of any other run are removed."""
    mark = folder / "fingerprint.txt"
    if not (resume and mark.exists() and mark.read_text() == fingerprint):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(fingerprint)
    complete = [path for path in folder.glob("checkpoint-*") if _is_complete(path)]
    return max(complete, key=lambda path: int(path.name.split("-")[1]), default=None)


def _is_complete(checkpoint: Path) -> bool:
    """The trainer writes its state after everything else, so a readable one means that the rest is there."""
    try:
        return bool(json.loads((checkpoint / "trainer_state.json").read_text("utf-8")))
    except (OSError, ValueError):
        return False


def _libraries() -> tuple[Any, Any]:
    try:
        import datasets
        import transformers
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra("train", error.name or "trl") from error
    return datasets, transformers
