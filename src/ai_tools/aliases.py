"""What other tools call the same things: the names under which rows are read, ours first, of options and settings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
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
QUESTION = ("question", "generated_question", "instruction", "prompt", "user_input")
ANSWER = (
    *("answer", "response", "generated_answer", "output", "completion", "solution"),
    *("generation", "reference", "answers"),  # of distilabel, Ragas, SQuAD
)
SOURCE_TEXT = ("source_text", "context", "passage", "reference_contexts")
SYSTEM = ("system", "system_prompt")
PAIR_ID = ("id", "sample_id", "qac_id")
# Where a document's file, one of another tool, a report, one of SQuAD have theirs.
PAIRS = ("training_pairs", "qa_pairs", "pairs", "data")
TURNS = (("messages",), ("conversations",), ("prompt", "completion"))  # where a row has its messages, in parts or not
THINKING = ("thinking", "reasoning_content", "reasoning")
ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt"), "assistant"),
}
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
# The variables that set something besides the setting's own name.
SETTINGS = {
    "provider": ("GENERATOR_PROVIDER", "MODEL_PROVIDER"),
    "teacher_model_name": ("MODEL_NAME", "GENERATOR_MODEL"),
    "teacher_model_base_url": ("ENDPOINT",),
    "teacher_model_api_key": ("API_KEY",),
    "gemini_api_key": ("GOOGLE_API_KEY",),
    "teacher_temperature": ("GENERATOR_TEMPERATURE",),
    "teacher_max_tokens": ("GENERATOR_MAX_TOKENS",),
    "questions_per_chunk": ("GENERATOR_QUESTIONS_PER_CHUNK",),
    "request_timeout": ("INFERENCE_SERVER_TIMEOUT",),
    "student_model_name": ("STUDENT_MODEL",),
    "tokenizer_model_name": ("TOKENIZER_MODEL",),
    "output_dir": ("OUTPUT_DATA_FOLDER",),
}
EITHER = frozenset(("gemini_api_key",))  # both names are in use for what a run may not even ask: the first counts
# Other programs export it too: in the environment it counts only beside one of these.
NOT_ALONE = {"ENDPOINT": ("MODEL_NAME", "API_KEY", "TEACHER_MODEL_API_KEY")}


def making(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of how pairs were made, under our names."""
    return {ours: said[other] for other, ours in CONFIG.items() if other in said} | {
        name: value for name, value in said.items() if name not in CONFIG
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


def plain(value: Any) -> str | None:
    """The text that a value is: itself, a number, parts of type text, the first of SQuAD's answers; None of others."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):  # the answers of a question, as `datasets` has them
        return plain(next(iter(texts), None)) if isinstance(texts := value.get("text"), list) else None
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        kinds = {part.get("type") for part in value}
        parts = value[:1] if kinds == {None} else value if kinds == {"text"} else ()
        found = [text for part in parts if isinstance(text := part.get("text"), str)]
        return "\n".join(found) if found else None
    return value if isinstance(value, str) else None


def questions(row: Any) -> list[Any]:
    """The rows that a row is: itself, or the questions of an article of SQuAD's, with their passages and its title."""
    if not isinstance(row, dict) or not isinstance(row.get("paragraphs"), list):
        return [row]
    paragraphs = [one for one in row["paragraphs"] if isinstance(one, dict) and isinstance(one.get("qas"), list)]
    source = {"source": row["title"]} if row.get("title") else {}
    about = [(source | {"context": one.get("context")}, one["qas"]) for one in paragraphs]
    return [told | asked if isinstance(asked, dict) else asked for told, some in about for asked in some]


def thoughts(told: Any) -> str:
    """The reasoning that a row tells as one text; some tools have a list of steps."""
    text = "\n".join(map(str, told)) if isinstance(told, list) else str(told or "")
    return text if text.strip() else ""


def chat(row: dict[str, Any]) -> list[dict[str, str]]:
    """The messages of a row, whoever wrote them, under our names; none where it has no list of them.

    Raises:
        ValueError: one of them is none.
    """
    names = next((names for names in TURNS if all(isinstance(row.get(name), list) for name in names)), ())
    return [_turn(turn) for name in names for turn in row[name]]


def _turn(said: Any) -> dict[str, str]:
    if not isinstance(said, dict):
        raise ValueError("its messages are no list of objects")
    (_, role), (_, content) = (first(said, names) for names in (("role", "from"), ("content", "value")))
    role, content = ROLES.get(str(role)), plain(content)
    if role is None or content is None:
        raise ValueError("a message of it has no role of system, user and assistant, or no text")
    told = thoughts(first(said, THINKING)[1])
    return {"role": role, "content": content} | ({"thinking": told} if told else {})


def exchange(turns: Sequence[dict[str, str]]) -> dict[str, Any]:
    """A chat as a pair: the last question and its answer; in `history` those before; `system`, `reasoning`.

    Raises:
        ValueError: it is no chat of questions and answers by turns.
    """
    system = [turn["content"] for turn in turns if turn["role"] == "system"]
    said = [turn for turn in turns if turn["role"] != "system"]
    if len(system) > 1 or not said or [turn["role"] for turn in said] != ["user", "assistant"] * (len(said) // 2):
        raise ValueError("its messages are not questions and answers by turns")
    *before, (question, answer) = ([turn["content"] for turn in said[at : at + 2]] for at in range(0, len(said), 2))
    more = {"system": system and system[0], "history": before, "reasoning": said[-1].get("thinking")}
    return {"question": question, "answer": answer} | {name: value for name, value in more.items() if value}
