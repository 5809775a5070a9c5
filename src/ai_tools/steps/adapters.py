"""The methods that leave a student's weights as they are and train a part beside them: LoRA and OSFT, both by PEFT."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

from ..errors import InputError
from .batches import TrainingRecipe
from .students import Student

_ROUNDING = 1e-9  # 1 - 0.9 is a little less than a tenth


def config(recipe: TrainingRecipe) -> Any:
    """What PEFT is to add to a student; None where all of its weights are trained.

    LoRA (arXiv 2106.09685) adds matrices of a low rank: with alpha fixed, the best learning rate hardly depends on
    the rank. OSFT (arXiv 2504.07097) keeps the strongest singular directions of each weight, on which most of what a
    model can do stands, and trains the weakest: `unfreeze_rank_ratio` of them, rounded up.
    """
    import peft

    if recipe.method == "lora":
        return peft.LoraConfig(r=recipe.lora_rank, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    if recipe.method == "osft":
        kept = 1 - recipe.unfreeze_rank_ratio + _ROUNDING  # PEFT counts what stays
        return peft.OSFConfig(effective_rank=kept, target_modules="all-linear", task_type="CAUSAL_LM")
    return None


def check(student: Student, recipe: TrainingRecipe) -> None:
    """Raise InputError where the method cannot be had of the student."""
    import torch

    if recipe.method != "osft":
        return
    head = student.model.get_output_embeddings()
    layers = [one for one in student.model.modules() if isinstance(one, torch.nn.Linear) and one is not head]
    least = min((min(layer.weight.shape) for layer in layers), default=0)
    if student.four_bit or not layers:
        reason = "its weights are in 4 bits" if student.four_bit else "it has no linear layers of PyTorch's own kind"
    elif int(least * (1 - recipe.unfreeze_rank_ratio + _ROUNDING)) < 1:
        reason = f"a layer of rank {least} has nothing left to keep at UNFREEZE_RANK_RATIO={recipe.unfreeze_rank_ratio}"
    else:
        return
    raise InputError(f"student {student.name}: OSFT cannot train it ({reason}). Fix: set TRAINING_METHOD=lora, or full")


def keeper() -> Any:
    """A trainer callback that takes out of OSFT's weights what came into the directions that are kept.

    PEFT projects the gradients; AdamW then scales each number of them by its own history, which leaves the subspace.
    """
    from peft.tuners.osf import OSFLayer
    from transformers import TrainerCallback

    class Keeper(TrainerCallback):  # type: ignore[misc]  # the type checker does not follow transformers
        def on_optimizer_step(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
            for layer in model.modules():
                if isinstance(layer, OSFLayer):
                    _back_into_the_subspace(layer)

    return Keeper()


def _back_into_the_subspace(layer: Any) -> None:
    """Where a factor is square PEFT stores the trained directions alone, which are the complement of the kept ones."""
    for name, weights in layer.osf_svd_params.items():
        left, right = weights["U_low"].data, weights["V_low"].data
        if name in layer._osf_U_high:
            kept = layer._osf_U_high[name]
            left -= kept @ (kept.T @ left)
        else:
            free = layer._osf_U_low_init[name]
            left.copy_(free @ (free.T @ left))
        if name in layer._osf_V_high:
            kept = layer._osf_V_high[name]
            right -= (right @ kept.T) @ kept
        else:
            free = layer._osf_V_low_init[name]
            right.copy_((right @ free.T) @ free)


def merged(model: Any, student: Student) -> Any:
    """The model with its adapters in its weights; those of a 4-bit student go into its weights with all bits."""
    import peft

    if not (student.four_bit and student.again):
        return model.merge_and_unload()
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder, save_embedding_layers=False)
        return peft.PeftModel.from_pretrained(student.again(), folder).merge_and_unload()
