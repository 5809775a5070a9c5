"""What ends a training from outside, in one line each: memory that runs out, a disk that is full."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError, WorkError
from .batches import BatchPlan, TrainingRecipe


@contextmanager
def explained(recipe: TrainingRecipe, folder: Path) -> Iterator[None]:
    """Raise WorkError for what `folder`'s disk or the memory has no room for; every other error as it is."""
    try:
        yield
    except Exception as error:
        if _is_full(error):
            raise WorkError(
                f"{folder}: its disk is full; what was there before stays, the last checkpoint too. Fix: free room "
                "and run again: it goes on from there"
            ) from error
        if _is_out_of_memory(error):
            raise WorkError(f"memory ran out in training; {what_to_lower(recipe)}") from error
        raise


def check_fit(plan: BatchPlan, model: Any) -> None:
    """Raise InputError where a row is longer than the model can see, or has a token that it does not know."""
    encoded = plan.encoded[0]
    longest, highest = max(len(ids) for ids, _ in encoded), max(max(ids) for ids, _ in encoded)
    context = getattr(model.config, "max_position_embeddings", None) or longest
    known = model.get_input_embeddings().weight.shape[0]
    if longest > context:
        raise InputError(
            f"a training row has {longest} tokens, and the student sees {context} at once. Fix: set "
            f"MAX_SEQ_LEN={context} and run step 04 again, or choose a student with a longer context"
        )
    if highest >= known:
        raise InputError(
            f"the tokenizer has a token {highest}, and the student's model knows {known}: they do not belong together. "
            "Fix: put the model's own tokenizer into its folder, or choose another STUDENT_MODEL_NAME"
        )


def what_to_lower(recipe: TrainingRecipe) -> str:
    """The settings that memory depends on, as they are, and what to make of them."""
    method = ", or TRAINING_METHOD=lora where it is full," if recipe.method != "lora" else ""
    return (
        f"BATCH_TOKENS is {recipe.batch_tokens}, TRAINING_METHOD {recipe.method}. Fix: set "
        f"BATCH_TOKENS={max(1, recipe.batch_tokens // 2)}{method} or choose a smaller STUDENT_MODEL_NAME"
    )


def _is_full(error: Exception) -> bool:
    """Whether a disk is: safetensors says it in words alone, and torch's writer only that it did not get on."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    said = str(error)
    return f"os error {errno.ENOSPC}" in said or "PytorchStreamWriter" in said or "unexpected pos" in said


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: torch has an error of its own for a GPU, and on a CPU only words."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
    )
