"""The tiny student: its tokenizer, which comes with the package, and its untrained model."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

NAME = "tiny"
ATTENTION = "eager"  # the fused one is made for long rows, and slow on CPUs in bfloat16
_SPECIAL = {"eos_token": "<|end|>", "pad_token": "<|pad|>"}
_DATA = files("ai_tools") / "data"


def plain_tokenizer() -> Any:
    """The `tokenizers.Tokenizer`, without loading any model library."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str((_DATA / "tiny_tokenizer.json").read_text("utf-8"))


def tokenizer() -> Any:
    import transformers

    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain_tokenizer(),
        **_SPECIAL,
        chat_template=(_DATA / "chat_template.jinja").read_text("utf-8"),
        clean_up_tokenization_spaces=False,
    )


def train_tokenizer(texts: Iterable[str]) -> Any:
    """Make the tokenizer: byte-level pairs (any text is covered), 2,048 entries.

    `data/tiny_tokenizer.json` was made from the texts, questions and answers of `assets/general.jsonl` and the pages of
    `assets/corpus`, in this order. Every word starts with its space, also the first one of an answer, so that a
    word is the same token everywhere.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=[*_SPECIAL.values(), "<|system|>", "<|user|>", "<|assistant|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def build(tokenizer: Any, seed: int) -> Any:
    """The untrained model: two Llama layers of width 256, one key-value head, over 2,048 byte-level tokens.

    `initializer_range` is the setting that matters most: with the usual 0.02 a model this narrow starts so flat
    that it learns far less in the same number of steps.
    """
    import torch
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=672,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        initializer_range=0.06,
        tie_word_embeddings=True,
        attn_implementation=ATTENTION,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(config).eval()
