"""Students: load a causal language model, ask it questions, score answer options, save it.

`tiny` is a 1.9M-parameter Llama that is built here and trained in place on a laptop, `smollm2` comes in a Python
package (see `packaged`). Everything else is a local folder or a Hugging Face name. All go through the same functions.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files, machine, packaged
from ..errors import InputError, MissingExtra, MissingStep, SettingsError
from ..records import OnProgress, Progress
from . import formats, markup, templates, tiny

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Encoded = tuple[list[int], slice]  # token ids of a row, and which of them bear the loss


@dataclass
class Student:
    """A causal language model, its tokenizer with chat template, and the name it was asked for by."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    again: Callable[[], PreTrainedModel] | None = None  # reads the model anew, with all bits, on the CPU
    four_bit: bool = False


def load(
    name: str | Path,
    *,
    tiny_folder: Path | None = None,
    device: str = "auto",
    four_bit: bool = False,
    trust_remote_code: bool = False,
) -> Student:
    """A student by name: `tiny`, `smollm2`, a local folder, or a causal language model on Hugging Face.

    `tiny_folder` is where `training.pretrain_tiny` left the tiny student. Weights are read from safetensors
    only, kept in their own precision on CUDA and in float32 elsewhere, where few have fast half precision.
    `four_bit` keeps them in the 4-bit form of QLoRA (arXiv 2305.14314), for LoRA on CUDA.

    Raises:
        InputError: the model cannot be loaded.
        MissingStep: the tiny student was not trained yet.
        UsageError: one that a package carries was not brought.
        SettingsError: the device is not there, or has no 4-bit weights.
    """
    torch, transformers = _torch_and_transformers()
    if str(name) == tiny.NAME and not (tiny_folder and files.whole_folder(tiny_folder).is_dir()):
        raise MissingStep("the tiny student is not trained yet. Fix: run step 01 (01_Base_Model_Evaluation)")
    source = str(tiny_folder) if str(name) == tiny.NAME else _source(name)
    place = machine.device(device)
    options = {"quantization_config": _four_bit(place), "device_map": {"": place}} if four_bit else {}
    tokenizer = load_tokenizer(source, trust_remote_code=trust_remote_code)

    def read(**more: Any) -> Any:
        with quiet():
            return transformers.AutoModelForCausalLM.from_pretrained(
                source,
                dtype="auto" if place == "cuda" else torch.float32,
                use_safetensors=True,
                attn_implementation=tiny.ATTENTION if str(name) == tiny.NAME else None,
                trust_remote_code=trust_remote_code,
                **more,
            )

    try:
        model = read(**options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _cannot_load(name, error) from error
    model = model if four_bit else model.to(place)
    return Student(str(name), model.eval(), tokenizer, read, four_bit)


def outline(name: str | Path, *, trust_remote_code: bool = False) -> PreTrainedModel:
    """A student's model of its configuration alone: its layers and their shapes, and no weights.

    Raises InputError and UsageError as `load`.
    """
    torch, transformers = _torch_and_transformers()
    with torch.device("meta"):
        if str(name) == tiny.NAME:
            return tiny.build(tiny.tokenizer(), 0)
        more = {"trust_remote_code": trust_remote_code}
        try:
            with quiet():
                config = transformers.AutoConfig.from_pretrained(_source(name), **more)
                return transformers.AutoModelForCausalLM.from_config(config, **more)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise _cannot_load(name, error) from error


def load_tokenizer(name: str | Path, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer of a student, with a padding token and a chat template.

    `tiny` needs no trained student: its tokenizer comes with the package. A tokenizer without a chat template
    gets a plain one, with a warning, which is saved with every student trained from it.

    Raises:
        InputError: it cannot be loaded, or its template fails.
        UsageError: one that a package carries was not brought.
    """
    tokenizer = _tokenizer(name, trust_remote_code=trust_remote_code)
    if not tokenizer.chat_template:
        warnings.warn(
            f"student {name}: no chat template comes with it; questions stand behind `User:`, answers behind "
            "`Assistant:`. Where it was trained on another form, put that in chat_template.jinja in its folder",
            stacklevel=2,
        )
        starts = tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id]
        tokenizer.chat_template = ("{{ bos_token }}" if starts else "") + templates.PLAIN
    templates.end_of_turn(tokenizer)  # a template that fails is said now
    return tokenizer


def _tokenizer(name: str | Path, *, trust_remote_code: bool = False) -> Any:
    """A tokenizer of the library `tokenizers`, with an end-of-text and a padding token."""
    _, transformers = _torch_and_transformers()
    if str(name) == tiny.NAME:
        return tiny.tokenizer()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(_source(name), trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError) as error:
        raise _cannot_load(name, error) from error
    if not tokenizer.is_fast:
        raise InputError(f"student {name}: its tokenizer has no form as tokenizer.json. Fix: choose another student")
    if tokenizer.eos_token is None:
        raise InputError(f"student {name}: its tokenizer has no end-of-text token. Fix: choose another one")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


def counting_tokenizer(name: str | Path) -> Any:
    """The `tokenizers.Tokenizer` that counts a student's tokens; for `tiny` without loading any model library."""
    found = tiny.plain_tokenizer() if str(name) == tiny.NAME else _tokenizer(name).backend_tokenizer
    found.encode_special_tokens = True  # text of documents is no markup
    return found


def build_tiny(seed: int) -> Student:
    """The tiny student, untrained."""
    tokenizer = load_tokenizer(tiny.NAME)
    return Student(tiny.NAME, tiny.build(tokenizer, seed), tokenizer)


def save(student: Student, folder: Path) -> Path:
    """Write the student in Hugging Face format, with tokenizer and chat template, in place of what was there.

    The folder appears complete or not at all: it is written beside its place and renamed, and what was there stays
    until then.
    """
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # what a killed run left
    temporary.mkdir(parents=True)
    student.model.generation_config.eos_token_id = ends if len(ends := _ends(student)) > 1 else ends[0]
    try:
        with quiet():
            student.model.save_pretrained(temporary)
        student.tokenizer.save_pretrained(temporary)
        files.put_folder(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def generate(
    student: Student,
    questions: Sequence[str],
    *,
    max_new_tokens: int = 32,
    batch_size: int = 32,
    on_progress: OnProgress | None = None,
) -> list[str]:
    """Greedy answers, one for each question, without special tokens and outer white space.

    Prompts are padded on the left and batched by length. The model's own sampling settings are not used, its
    end-of-turn tokens are, and that of its chat template.
    """
    torch, transformers = _torch_and_transformers()
    tokenizer, model = student.tokenizer, student.model
    config = transformers.GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=_ends(student),
        pad_token_id=tokenizer.pad_token_id,
    )
    prompts = templates.prompt_ids(tokenizer, questions)
    answers = [""] * len(prompts)
    at = Progress(len(prompts))
    for batch in _by_length([len(ids) for ids in prompts], batch_size):
        width = max(len(prompts[i]) for i in batch)
        gaps = [width - len(prompts[i]) for i in batch]
        ids = [[tokenizer.pad_token_id] * gap + prompts[i] for i, gap in zip(batch, gaps, strict=True)]
        mask = [[0] * gap + [1] * (width - gap) for gap in gaps]
        with torch.inference_mode():
            output = model.generate(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                generation_config=config,
            )
        texts = tokenizer.batch_decode(output[:, width:], skip_special_tokens=True)
        for i, text in zip(batch, texts, strict=True):
            answers[i] = text.strip()
        at.done += len(batch)
        if on_progress:
            on_progress(at)
    return answers


def score_options(
    student: Student, questions: Sequence[str], options: Sequence[Sequence[str]], *, batch_size: int = 32
) -> list[list[float]]:
    """Mean log-likelihood per token of each option as the assistant's answer, for each question.

    The token that ends the turn is not counted: what is asked is which option the student would say, not whether it
    would stop there.
    """
    tokenizer = student.tokenizer
    told = [
        templates.render_row(tokenizer, formats.messages(question, option))
        for question, choices in zip(questions, options, strict=True)
        for option in choices
    ]
    rows = [(ids[: ends[1]], slice(ends[0], ends[1])) for ids, ends in markup.encoded(tokenizer, told)]
    scores = [0.0] * len(rows)
    for batch in _by_length([len(ids) for ids, _ in rows], batch_size):
        for i, score in zip(batch, _mean_log_likelihood(student, [rows[i] for i in batch]), strict=True):
            scores[i] = score
    remaining = iter(scores)
    return [[next(remaining) for _ in choices] for choices in options]


def _mean_log_likelihood(student: Student, rows: Sequence[Encoded]) -> list[float]:
    """For each row the mean log-probability of its graded tokens."""
    torch, _ = _torch_and_transformers()
    batch = padded(rows, student.tokenizer.pad_token_id)
    batch = {name: tensor.to(student.model.device) for name, tensor in batch.items()}
    labels = batch.pop("labels")[:, 1:]
    with torch.inference_mode():
        logits = student.model(**batch).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2).float(), labels, reduction="none")
    scores: list[float] = (-loss.sum(1) / (labels != -100).sum(1)).tolist()
    return scores


def padded(rows: Sequence[Encoded], pad: int) -> dict[str, Any]:
    """A batch of rows; labels are -100 where no loss is borne.

    It is padded on the right, which needs no position ids: no token sees what comes after it.
    """
    import torch

    shape = (len(rows), max(len(ids) for ids, _ in rows))
    ids, labels = torch.full(shape, pad), torch.full(shape, -100)
    mask = torch.zeros(shape, dtype=torch.long)
    for row, (tokens, graded) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        labels[row, graded] = ids[row, graded]
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


@contextmanager
def quiet() -> Iterator[None]:
    """Transformers without progress bars, and without notes on what its companions will have to change."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _ends(student: Student) -> list[int]:
    """The tokens that end an answer: those that the model's settings name, its tokenizer's and its template's."""
    named = student.model.generation_config.eos_token_id
    own = {student.tokenizer.eos_token_id, templates.end_of_turn(student.tokenizer)}
    return sorted(own.union(named if isinstance(named, list) else [named]) - {None})


def _four_bit(place: str) -> Any:
    import torch
    import transformers

    if place != "cuda":
        raise SettingsError(
            f"4-bit weights need CUDA, and this student is on {place}; leave it false",
            setting="four_bit",
            value=True,
        )
    if not util.find_spec("bitsandbytes"):
        raise MissingExtra("4bit", "bitsandbytes")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _source(name: str | Path) -> str:
    """What transformers reads a student from: a folder, or a name on Hugging Face."""
    if str(name) not in packaged.STUDENTS:
        files.whole_folder(Path(name))
        return str(name)
    with quiet():
        return str(packaged.model_folder(str(name)))


def _by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices in batches of similar length, the longest first: a batch that does not fit fails at once."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _cannot_load(name: str | Path, error: Exception) -> InputError:
    reason = str(error).strip().split("\n")[0]
    return InputError(
        f"student {name}: cannot be loaded ({reason}). Fix: set STUDENT_MODEL_NAME (for its tokenizer alone "
        "TOKENIZER_MODEL_NAME or --tokenizer) to `tiny`, `smollm2`, a local folder with config.json, tokenizer and "
        "*.safetensors, or a causal language model's name on Hugging Face"
    )


def _torch_and_transformers() -> tuple[Any, Any]:
    # Threads that spin while they wait make a busy machine several times slower, and gain a tenth on a quiet one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("train", error.name or "torch") from error
    return torch, transformers
