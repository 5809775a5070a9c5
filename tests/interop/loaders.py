"""Runs one tool's own loader on one file, inside that tool's environment: `python loaders.py TOOL FILE MODEL FOLDER`.

The last line of its output is JSON: the text of each row that bears loss.
"""

import importlib.machinery
import json
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LONGEST = 4096  # tokens
Rows = Iterable[dict[str, Any]]  # with `labels`, which are negative where no loss is


def instructlab(path: str, model: str, folder: Path, tokenizer: Any) -> Rows:
    """What training-hub calls for supervised training; it leaves rows of fewer than 20 tokens out."""
    from instructlab.training.data_process import process_messages_into_input_ids

    process_messages_into_input_ids(path, str(folder), LONGEST, model, 1)
    return [json.loads(line) for line in (folder / "data.jsonl").read_text("utf-8").splitlines()]


def trl(path: str, model: str, folder: Path, tokenizer: Any) -> Rows:
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer, maybe_convert_to_chatml

    options = {"assistant_only_loss": True, "max_length": LONGEST, "report_to": "none", "bf16": False, "use_cpu": True}
    rows = load_dataset("json", data_files=path, split="train").map(maybe_convert_to_chatml)
    return SFTTrainer(model, args=SFTConfig(str(folder), **options), train_dataset=rows).train_dataset


def axolotl(path: str, model: str, folder: Path, tokenizer: Any) -> Rows:
    from axolotl.utils.data.sft import _load_and_prepare_datasets
    from axolotl.utils.dict import DictDefault

    source = {"path": path, "type": "chat_template", "ds_type": "json", "split": "train"}
    if "sharegpt" in path:
        names = {"role": "from", "content": "value"}
        source |= {"field_messages": "conversations", "message_property_mappings": names}
    options = {"sequence_len": LONGEST, "chat_template": "tokenizer_default", "dataset_processes": 1, "seed": 0}
    options |= {"datasets": [source], "dataset_prepared_path": str(folder), "tokenizer_config": model}
    rows, *_ = _load_and_prepare_datasets(tokenizer, DictDefault(options | {"val_set_size": 0}), split="train")
    return rows


def llamafactory(path: str, model: str, folder: Path, tokenizer: Any) -> Rows:
    for name in ("torchaudio", "av"):  # for sound and film, imported all the same
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments
    from transformers import Seq2SeqTrainingArguments

    source: dict[str, Any] = {"file_name": path, "formatting": "sharegpt"}
    if "sharegpt" not in path:
        roles = {f"{role}_tag": role for role in ("user", "assistant", "system")}
        source |= {"columns": {"messages": "messages"}, "tags": {"role_tag": "role", "content_tag": "content"} | roles}
    (folder / "dataset_info.json").write_text(json.dumps({"rows": source}))
    data = DataArguments(dataset="rows", dataset_dir=str(folder), template="default", cutoff_len=LONGEST)
    arguments = ModelArguments(model_name_or_path=model), data, Seq2SeqTrainingArguments(str(folder / "made"))
    template = get_template_and_fix_tokenizer(tokenizer, data)
    return get_dataset(template, *arguments, stage="sft", tokenizer=tokenizer)["train_dataset"]


LOADERS: dict[str, Callable[[str, str, Path, Any], Rows]] = {
    "instructlab-training": instructlab,
    "trl": trl,
    "axolotl": axolotl,
    "llamafactory": llamafactory,
}

if __name__ == "__main__":
    from transformers import AutoTokenizer

    tool, path, model, folder = sys.argv[1:]
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = LOADERS[tool](path, model, Path(folder), tokenizer)
    graded = [[token for token in row["labels"] if token >= 0] for row in rows]
    print("\n" + json.dumps(tokenizer.batch_decode(graded, skip_special_tokens=True)))
