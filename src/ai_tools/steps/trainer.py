"""What a run of training is made of: TRL's trainer as we use it, the anchor, the log, checkpoints."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Self

from .. import machine
from ..errors import MissingExtra, WorkError
from . import adapters
from .batches import BatchPlan, Row, TrainingRecipe, general_rows
from .students import Student

if TYPE_CHECKING:
    from .distilling import Distillation

_ANCHOR_BATCH_TOKENS = 100
_ROWS_NAMED = 10  # of a step that fails


def build(
    plan: BatchPlan,
    student: Student,
    recipe: TrainingRecipe,
    seed: int,
    *,
    checkpoints: Path,
    general: Sequence[Row] = (),
    on_log: Callable[[Row], None] | None = None,
    stop: Stop | None = None,
    distillation: Distillation | None = None,
) -> Any:
    """TRL's trainer for the batches of a plan, in their order; `general` as for `training.train`."""
    datasets, transformers = _libraries()
    anchor = _anchor(general, student, recipe)
    callbacks = [_logger(plan, on_log), _finite_only(plan, recipe, checkpoints)]
    callbacks += [_puller(anchor)] if anchor else []
    callbacks += [adapters.keeper()] if recipe.method == "osft" else []
    callbacks += [_stopper(stop)] if stop else []
    trainer = _trainer_class(distillation)(
        model=student.model.train(),
        args=_arguments(recipe, plan, seed, checkpoints, student.model),
        train_dataset=datasets.Dataset.from_dict({"batch": list(range(len(plan.batches)))}),
        data_collator=(distillation or plan).collate,
        processing_class=student.tokenizer,
        peft_config=adapters.config(recipe),
        callbacks=callbacks,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def _arguments(recipe: TrainingRecipe, plan: BatchPlan, seed: int, folder: Path, model: Any) -> Any:
    import trl

    log_every = max(1, plan.steps // 100)
    place = model.device.type
    on_cpu = place == "cpu"
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
        bf16=machine.multiplies_in_bfloat16(place),
        use_cpu=on_cpu,
        dataloader_pin_memory=place == "cuda",
        activation_checkpointing=model.num_parameters()
        > 2e9,  # below, memory is no problem and recomputing costs a fifth
        logging_steps=log_every,
        save_steps=5 * log_every,  # a kill loses at most a twentieth of the run
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        seed=seed,
    )


class Stop:
    """Within it the first Ctrl-C lets a run end its step and keep its state; a second one ends it at once."""

    asked = False

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        self._heeds = self._before is signal.default_int_handler and current_thread() is main_thread()
        if self._heeds:
            signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_: Any) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._before)

    def __exit__(self, *_: object) -> None:
        if self._heeds:
            signal.signal(signal.SIGINT, self._before)


def _stopper(stop: Stop) -> Any:
    from transformers import TrainerCallback

    class Stopper(TrainerCallback):  # type: ignore[misc]  # as below
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if stop.asked:
                control.should_save = control.should_training_stop = True

    return Stopper()


class _Anchor:
    """A pull back to the starting weights, strongest on those that general rows depend on.

    Elastic weight consolidation (arXiv 1612.00796): the squared distance, weighted by the diagonal of the empirical
    Fisher information of general facts, which is scaled to a mean of 1. Without it a small student forgets what is
    not replayed.
    """

    def __init__(self, model: Any, batches: Sequence[Row], strength: float):
        import torch

        self.start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        squares = {name: torch.zeros_like(weight) for name, weight in self.start.items()}
        for batch in batches:
            model.zero_grad()
            model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).loss.backward()
            for name, weight in model.named_parameters():
                squares[name] += weight.grad.square()
        model.zero_grad()
        mean = sum(square.sum() for square in squares.values()) / sum(square.numel() for square in squares.values())
        self.stiffness = {name: square * (2 * strength / mean) for name, square in squares.items()}

    def pull(self, model: Any) -> None:
        """Add the gradient of `strength` times the weighted squared distance to that of the loss."""
        for name, weight in model.named_parameters():
            weight.grad.addcmul_(self.stiffness[name], weight.detach() - self.start[name])


def _anchor(general: Sequence[Row], student: Student, recipe: TrainingRecipe) -> _Anchor | None:
    """The anchor of a run; none where it is off, only adapters move, or no general fact says what matters.

    Facts weigh, running text does not: it would spread the importance over all weights. Small batches, since the
    square of a mean gradient hides what single facts need.
    """
    known = general_rows([row for row in general if row["kind"] != "text"])
    if not recipe.anchor or recipe.trains_adapters or not known:
        return None
    size = _ANCHOR_BATCH_TOKENS
    once = replace(recipe, epochs=1, max_tokens=None, question_noise=False, batch_tokens=size, micro_batch_tokens=size)
    plan = BatchPlan(known, student.tokenizer, once, seed=0)
    batches = [plan.collate([{"batch": number}]) for number in range(len(plan.batches))]
    return _Anchor(student.model.eval(), batches, recipe.anchor)


def _puller(anchor: _Anchor) -> Any:
    """A trainer callback that lets the anchor pull after the loss's gradient was clipped: it is never scaled down."""
    from transformers import TrainerCallback

    class Puller(TrainerCallback):  # type: ignore[misc]  # as below
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
            anchor.pull(model)

    return Puller()


def _finite_only(plan: BatchPlan, recipe: TrainingRecipe, checkpoints: Path) -> Any:
    """A trainer callback that ends a run before a step whose gradient is not finite: no weight becomes so.

    A loss that is not finite has such a gradient, also after it was clipped.
    """
    import torch
    from transformers import TrainerCallback

    class FiniteOnly(TrainerCallback):  # type: ignore[misc]  # as below
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
            gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
            if torch.nn.utils.get_total_norm(gradients).isfinite():
                return
            good = newest(checkpoints)
            raise WorkError(
                f"step {state.global_step + 1} of {plan.steps}: the loss is not finite, of "
                f"{_named(plan.rows_of_step(state.global_step))} of the cut. "
                f"{f'The state before is in {good}' if good else 'There is no state before'}. Fix: lower "
                f"LEARNING_RATE={recipe.learning_rate:g}, or leave these rows out"
            )

    return FiniteOnly()


def _named(rows: Sequence[int]) -> str:
    numbers = [str(number + 1) for number in rows]
    more = len(numbers) - _ROWS_NAMED
    return f"the rows {', '.join(numbers[:_ROWS_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _trainer_class(distillation: Distillation | None) -> type:
    import torch
    import trl

    class Trainer(trl.SFTTrainer):  # type: ignore[misc]  # the type checker does not follow trl
        """TRL's trainer, twice as fast on a CPU, and without a model card in every checkpoint.

        On a CPU TRL's own loss scores every position, and once more in the backward pass. Here the model's head sees
        the positions that come before a label, once.
        """

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            return

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if inputs["labels"].device.type != "cpu" and not distillation:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            told = {name: inputs.pop(name) for name in ("share", "read") if name in inputs}
            labels = torch.nn.functional.pad(inputs.pop("labels")[:, 1:], (0, 1), value=-100)
            graded = labels != -100
            unwrapped, recomputed = self.accelerator.unwrap_model(model), self.args.activation_checkpointing
            with only_where(graded, unwrapped, whole_blocks=recomputed):
                outputs = model(**inputs, use_cache=False)
            logits = outputs.logits.float()
            if distillation:
                loss = distillation.loss(logits, labels, **told)
            else:
                loss = torch.nn.functional.cross_entropy(logits, labels[graded], reduction="sum")
            loss = loss / num_items_in_batch
            return (loss, outputs) if return_outputs else loss

    return Trainer


@contextmanager
def only_where(graded: Any, model: Any, *, whole_blocks: bool = False) -> Iterator[None]:
    """The head, and in a Llama the last feed-forward block, compute for the graded positions (batch, length) alone.

    No loss depends on what they would say of the others. The tiny student trains a sixth faster by the block alone.
    `whole_blocks`: as where blocks are computed again for the gradient, when the hooks are gone.
    """

    def pick(_: Any, hidden: tuple[Any]) -> Any:
        return hidden[0][graded]

    def put_back(_: Any, hidden: Any, computed: Any) -> Any:
        return computed.new_zeros(*graded.shape, computed.size(-1)).masked_scatter(graded.unsqueeze(-1), computed)

    with ExitStack() as hooks:
        hooks.enter_context(model.get_output_embeddings().register_forward_pre_hook(pick))
        if model.config.model_type == "llama" and not whole_blocks:
            block = model.get_decoder().layers[-1].mlp
            hooks.enter_context(block.register_forward_pre_hook(pick))
            hooks.enter_context(block.register_forward_hook(put_back))
        yield


def _logger(plan: BatchPlan, on_log: Callable[[Row], None] | None) -> Any:
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
            on_gpu = args.device.type == "cuda"
            memory = torch.cuda.max_memory_allocated() if on_gpu else psutil.Process().memory_info().rss
            entry |= {
                "epoch": round(epoch, 4),
                "tokens": tokens,
                "tokens_per_second": round((tokens - self.tokens) / (now - self.time)),
                "memory": round(memory / 2**20),
            }
            self.time, self.tokens = now, tokens
            if on_log:
                on_log(log_row(entry))

    return Logger()


def log_row(entry: Row) -> Row:
    names = ("step", "epoch", "loss", "learning_rate", "tokens", "tokens_per_second", "memory")
    return {"lr" if name == "learning_rate" else name: entry[name] for name in names}


def fingerprint(rows: Sequence[Row], recipe: TrainingRecipe, seed: int, model: Any) -> str:
    """What a checkpoint depends on. Weights enter by their sums: cheap, and any training changes them."""
    import torch

    digest = hashlib.sha256(json.dumps([list(rows), asdict(recipe), seed], sort_keys=True).encode())
    for name, weight in model.state_dict().items():
        digest.update(f"{name}{tuple(weight.shape)}{weight.sum(dtype=torch.float64).item():.12g}".encode())
    return digest.hexdigest()


def newest_checkpoint(folder: Path, fingerprint: str, *, resume: bool) -> Path | None:
    """The newest complete checkpoint of the same run; those of any other run are removed."""
    mark = folder / "fingerprint.txt"
    if not (resume and mark.exists() and mark.read_text() == fingerprint):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.write_text(fingerprint)
    return newest(folder)


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint in a folder."""
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
        import peft  # noqa: F401
        import transformers
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra("train", error.name or "trl") from error
    return datasets, transformers
