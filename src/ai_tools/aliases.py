"""What other tools call the same things: the names under which rows are read, ours first, and those of options.

Settings have theirs in settings.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

# A passage, and what is said of it.
TEXT = ("text", "content")
CHUNK_ID = ("chunk_id", "id")
FILE = ("file", "source_file", "source", "file_name")
DOCUMENT_ID = ("document_id", "source")
TITLE = ("title", "document_title")
HEADINGS = ("heading_path", "section_path")
NUMBERS = {
    "index": ("index", "chunk_index"),
    "start": ("start", "start_char", "chunk_start"),
    "end": ("end", "end_char", "chunk_end"),
    "n_tokens": ("n_tokens", "token_count"),
}
# A pair.
QUESTION = ("question", "generated_question", "instruction", "prompt")
ANSWER = ("answer", "response", "generated_answer", "output", "completion", "solution")
SOURCE_TEXT = ("source_text", "context", "passage")
PAIR_ID = ("id", "sample_id", "qac_id")
PAIRS = ("training_pairs", "qa_pairs", "pairs")  # where a document's file, one of another tool, a report have theirs
TURNS = ("messages", "conversations")
ROLES = {"system": "system", "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant"}
# The fields of a template for questions.
TEMPLATE = {
    **dict.fromkeys(("text", "chunk", "content", "context"), "passage"),
    **dict.fromkeys(("n_pairs", "num_pairs", "num_questions", "questions_per_chunk"), "count"),
}
# The setting that an option stands for.
SETTING_OF = {
    "provider": "provider",
    "model": "teacher_model_name",
    "base_url": "teacher_model_base_url",
    "api_key": "teacher_model_api_key",
    "temperature": "teacher_temperature",
    "max_tokens": "teacher_max_tokens",
    "retry_rejected": "retry_rejected",
    "tokenizer": "tokenizer_model_name",
    "n_pairs": "questions_per_chunk",
    "batch_size": "max_concurrency",
    "batch_processing": "generator_batch_processing",
    "resume": "generator_resume",
    **{
        f"ollama_{name}": f"ollama_{name}"
        for name in ("base_url", "top_k", "top_p", "repeat_penalty", "num_predict", "stop")
    },
}
# Of a generator over chunk files: what its combined file calls the blocks of a document's file, and what it says of the
# making; the arguments of commands that its options stand for.
BLOCKS = {"file_info": "metadata", "processing_info": "processing_info", "qa_generation_info": "qa_generation_info"}
CONFIG = {"llm_provider": "provider", "model_used": "model"}
ARGUMENTS = {
    "generate": {"chunks_dir": "source", "qa_dir": "output"},
    "combine": {"qa_dir": "folder", "output_file": "output"},
}


def is_nothing(value: Any) -> bool:
    """Whether a value says nothing: what is not known may be null, NaN, blank or empty."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or (isinstance(value, float) and math.isnan(value))


def first(row: Mapping[str, Any], names: Iterable[str]) -> tuple[str, Any]:
    """The first of the names that says something, with its value; else the first that is there; else "" and None."""
    blank: tuple[str, Any] = ("", None)
    for name in names:
        if name in row:
            if not is_nothing(row[name]):
                return name, row[name]
            blank = blank if blank[0] else (name, row[name])
    return blank
