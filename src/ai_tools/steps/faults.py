"""What ends a training from outside, in one line each: memory that runs out, a disk that is full."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import WorkError
from .batches import TrainingRecipe


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
