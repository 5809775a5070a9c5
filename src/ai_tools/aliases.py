"""What other tools call the same things: the names under which rows are read, ours first.

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
ANSWER = ("answer", "response", "generated_answer", "output", "completion")
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
