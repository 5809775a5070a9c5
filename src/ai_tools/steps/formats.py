"""Samples and pairs in the shapes that other tools read: chat, training formats, InstructLab taxonomy, Q/A files."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import yaml

from .. import aliases
from ..matching import OPENERS, spaced
from ..records import Sample, content_id, grouped, in_turn

SEED_EXAMPLES, PAIRS = 5, 3  # that the InstructLab taxonomy asks for at least; in each
CONTEXT_WORDS = 375  # about the 500 tokens that its guide allows for a context
LINE = 108  # characters of a line of a context, which stands four deep: its linter allows 120


_PLACED = re.compile(r"In (?!what|which|whose|how)[^,?]+, ")


def titled(question: str, outline: str) -> str:
    """The question behind "In {outline}, ", its first word in lower case unless it is a name.

    One that says itself where to look ("In the section on keys, who …?") stays as it is.
    """
    if _PLACED.match(question):
        return question
    first, space, rest = question.partition(" ")
    return f"In {outline}, {first.lower() if first.lower() in OPENERS else first}{space}{rest}"


def messages(question: str, answer: str, reasoning: str | None = None) -> list[dict[str, Any]]:
    """One turn of chat; the reasoning stays with its own answer.

    Where it is a text, also an empty one, both messages have `thinking`; else neither.
    """
    turns = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    told = ("", reasoning)
    return [turn if reasoning is None else turn | {"thinking": own} for turn, own in zip(turns, told, strict=True)]


def behind_passage(question: str, passage: str, outline: str) -> str:
    """The question as it is asked of one who has the passage, under its document's title, before it."""
    return "\n\n".join(filter(None, ("\n".join(filter(None, (outline, passage))), question)))


# --- training formats: what stands in a row for an exchange ---

Turn = dict[str, str]  # `role` (system, user, assistant), `content`; `thinking` where reasoning has its own field
_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}
RESPONSE = "\n\n### Response:\n"  # of `text`, with the answer behind it
# The prompt of Alpaca (Taori et al. 2023) for a task without input, with the answer behind it.
_INSTRUCTION = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    f"\n\n### Instruction:\n{{question}}{RESPONSE}{{answer}}"
)


def think(reasoning: str, answer: str) -> str:
    """Reasoning before its answer, within the tags that reasoning models agree on; the answer alone where none is."""
    return f"<think>\n{reasoning}\n</think>\n\n{answer}" if reasoning else answer


def unthink(text: str) -> tuple[str, str]:
    """Reasoning and answer of a text as `think` makes it; no reasoning and the whole text of any other."""
    if text.startswith("<think>\n"):
        reasoning, end, answer = text.removeprefix("<think>\n").partition("\n</think>\n\n")
        if end and reasoning.strip() and answer.strip():
            return reasoning, answer
    return "", text


def _chatml(turns: Sequence[Turn], _: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(turns)}


def _sharegpt(turns: Sequence[Turn], _: dict[str, Any]) -> dict[str, Any]:
    said = [{"from": _SHAREGPT[turn["role"]], "value": turn["content"]} for turn in turns]
    return {"conversations": said} | _reasoning(turns)


def _alpaca(turns: Sequence[Turn], rest: dict[str, Any]) -> dict[str, Any]:
    (*before, (question, answer)), system = _exchanges(turns), _system(turns)
    row: dict[str, Any] = {"instruction": question, "input": "", "output": answer} | _reasoning(turns)
    row |= {"system": system} if system or "system" in rest else {}
    return row | ({"history": [list(one) for one in before]} if before or "history" in rest else {})


def _jsonl(turns: Sequence[Turn], rest: dict[str, Any]) -> dict[str, Any]:
    (*_, (question, answer)), system = _exchanges(turns), _system(turns)
    told = rest | ({"system": system} if system else {})
    return {"question": question, "answer": answer} | _reasoning(turns) | {"metadata": told}


def _text(turns: Sequence[Turn], _: dict[str, Any]) -> dict[str, Any]:
    parts = [_INSTRUCTION.format(question=question, answer=answer) for question, answer in _exchanges(turns)]
    return {"text": "\n\n".join(filter(None, (_system(turns), *parts)))} | _reasoning(turns)


# Each makes a row of the turns of a conversation, and of whatever else its pair holds.
FORMATS: dict[str, Callable[[Sequence[Turn], dict[str, Any]], dict[str, Any]]] = {
    "chatml": _chatml,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "jsonl": _jsonl,
    "text": _text,
}


def _exchanges(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """The questions and their answers, the last one included."""
    said = [turn["content"] for turn in turns if turn["role"] != "system"]
    return list(zip(said[::2], said[1::2], strict=True))


def _system(turns: Sequence[Turn]) -> str:
    return next((turn["content"] for turn in turns if turn["role"] == "system"), "")


def _reasoning(turns: Sequence[Turn]) -> dict[str, Any]:
    thoughts = [turn["thinking"] for turn in turns if "thinking" in turn]
    return {"reasoning": thoughts[-1]} if thoughts else {}


def training_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of any of FORMATS, or of a cut, with what is trained on in `messages`, or in `text`; the rest stays.

    Reasoning goes to `thinking` of its answer, whether it stood in the answer's tags or in a field of its own; in a
    `text` it stands before the answer.

    Raises:
        ValueError: the row is of no such shape; the message says what is missing.
    """
    turns = aliases.chat(row) or _asked(row)
    if not turns:
        return row | {"text": _told(row)}
    if [turn["role"] for turn in turns[-2:]] != ["user", "assistant"]:
        raise ValueError("its last two messages are not a question and an answer")
    told, answer = unthink(turns[-1]["content"])
    told = turns[-1].get("thinking") or aliases.thoughts(row.get("reasoning")) or told
    if not answer.strip():
        raise ValueError("its answer is empty")
    system = aliases.plain(aliases.first(row, aliases.SYSTEM)[1])
    if system and turns[0]["role"] != "system":
        turns = [{"role": "system", "content": system}, *turns]
    last = {"role": "assistant", "content": answer, "thinking": told}
    return row | {"messages": [*turns[:-1], last], "text": None}


def _told(row: dict[str, Any]) -> str:
    """The text of a row without messages. Raises ValueError where it has none."""
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"nothing to train on in its fields ({', '.join(row) or 'none'})")
    before, response, answer = text.rpartition(RESPONSE)
    return before + response + think(aliases.thoughts(row.get("reasoning")), answer) if response else text


def earlier(history: Any) -> list[Turn]:
    """The messages of a `history` of questions and answers; none of anything else."""
    pairs = history if isinstance(history, list) else ()
    said = [turn for turn in pairs if isinstance(turn, list) and len(turn) == 2 and all(map(aliases.plain, turn))]
    return [turn for question, answer in said for turn in messages(question, answer)]


def _asked(row: dict[str, Any]) -> list[Turn]:
    """The messages that a row with a question and an answer stands for; none where it has none.

    Raises:
        ValueError: they are no text.
    """
    question, answer = (aliases.first(row, names)[1] for names in (aliases.QUESTION, aliases.ANSWER))
    if question is None or answer is None:
        return []
    asked, answered = aliases.plain(question), aliases.plain(answer)
    if asked is None or answered is None:
        raise ValueError("its question or its answer is no text")
    more = row.get("input") if "instruction" in row else ""
    return [*earlier(row.get("history")), *messages(f"{asked}\n\n{more}" if more else asked, answered)]


def qagen_row(sample: Sample, document: str) -> dict[str, Any]:
    """One line of `qagen-<document>.json`."""
    return {
        "doc_id": sample.document_id,
        "chunk_id": sample.chunk_id,
        "qac_id": sample.sample_id,
        "context": sample.source_text,
        "question": sample.question,
        "answer": sample.answer,
        "generated_question": sample.question,
        "generated_answer": sample.answer,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": sample.model,
        "paths": [document],
        "labels": {"information": sample.recipe},
        "critiques": {},
        "metadata": {"draw": sample.draw, "key_fact": sample.key_fact},
    }


def qna_examples(samples: Iterable[Sample], count: int) -> list[list[Sample]]:
    """Up to `count` contexts of three samples each, one chunk a context, taken in turn from every document.

    Chunks of more than 375 words come after all others.
    """
    by_chunk: dict[str, dict[str, Sample]] = {}
    asked: set[tuple[str, str]] = set()
    for sample in samples:
        if (sample.chunk_id, sample.question) not in asked:  # different questions with different answers
            by_chunk.setdefault(sample.chunk_id, {}).setdefault(sample.answer, sample)
            asked.add((sample.chunk_id, sample.question))
    groups = [list(group.values())[:PAIRS] for group in by_chunk.values() if len(group) >= PAIRS]
    queues = grouped(groups, lambda group: group[0].document_id).values()
    return sorted(in_turn(sorted(queue, key=_is_long) for queue in queues), key=_is_long)[:count]


def _is_long(group: Sequence[Sample]) -> bool:
    return len(spaced(group[0].source_text).split()) > CONTEXT_WORDS


def qna_yaml(
    examples: Sequence[Sequence[Sample]], *, domain: str, outline: str, source: str, documents: Sequence[dict[str, Any]]
) -> str:
    """An InstructLab taxonomy file (knowledge, version 3), ready for review; with under 5 contexts there is a warning.

    Args:
        examples: groups of samples of one chunk each, see `qna_examples`.
        source: SOURCE_DOCUMENTS; `repo` is the folder's name, or the host of an address.
        documents: rows of documents.jsonl; `commit` is a hash of their bytes.
    """
    if len(examples) < SEED_EXAMPLES:
        warnings.warn(
            f"qna.yaml: {len(examples)} seed examples, and the taxonomy asks for {SEED_EXAMPLES}; "
            "give more text, or set NUM_SEED_EXAMPLES to as many where it is less",
            stacklevel=2,
        )
    repo = ", ".join(dict.fromkeys(filter(None, map(_repo, source.split(","))))) or "documents"
    content = {
        "version": 3,
        "created_by": "ai-tools",
        "domain": domain or repo,
        "document_outline": outline or repo,
        "seed_examples": [
            {
                "context": _Literal(_context(group[0].source_text)),
                "questions_and_answers": [{"question": one.question, "answer": one.answer} for one in group],
            }
            for group in examples
        ],
        "document": {
            "repo": repo,
            "commit": content_id(*sorted(row["sha256"] for row in documents)),
            "patterns": sorted({f"*{PurePath(row['source']).suffix}" for row in documents}) or ["*"],
        },
    }
    return yaml.dump(content, Dumper=_LiteralDumper, sort_keys=False, allow_unicode=True, width=LINE)


def qna_index(examples: Sequence[Sequence[Sample]]) -> list[dict[str, Any]]:
    """What `qna_yaml` writes, a pair a row, with the sample that it is."""
    return [
        {
            "sample_id": one.sample_id,
            "example": number,
            "context": _context(one.source_text),
            "question": one.question,
            "answer": one.answer,
        }
        for number, group in enumerate(examples, 1)
        for one in group
    ]


def _repo(part: str) -> str:
    """The name of a part of SOURCE_DOCUMENTS: an address's host, a folder, a file, or the folder of a glob."""
    part = part.strip()
    if "://" in part:
        return urlsplit(part).hostname or ""
    plain = [name for name in PurePath(part).parts if not set(name) & set("*?[")]
    return plain[-1] if plain else ""


def _context(text: str) -> str:
    """A passage as a block of YAML takes it: no tabs, control characters, spaces at line ends; long lines wrapped.

    Tables and code keep their lines.
    """
    lines: list[str] = []
    fenced = False
    for line in re.sub(r"[\x85\u2028\u2029\r]", "\n", text).expandtabs(4).split("\n"):
        line = "".join(letter for letter in line if letter.isprintable() or letter == "\u00a0").rstrip()
        mark = re.match(r"\s*(?:```|~~~)", line)
        fenced ^= bool(mark)
        if len(line) <= LINE or fenced or mark or re.match(r"\s*\||    ", line):
            lines.append(line)
        else:
            indent = re.match(r"\s*(?:[-*+>]|\d+[.)])?\s*", line)
            deep = " " * len(indent[0]) if indent else ""
            lines += textwrap.wrap(line, LINE, subsequent_indent=deep, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


class _Literal(str):
    """Text that is written as a block however short it is."""

    __slots__ = ()


class _LiteralDumper(yaml.SafeDumper):
    """Writes text of several lines as block scalars, which people can read and edit."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _scalar(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text or isinstance(text, _Literal) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_LiteralDumper.add_representer(str, _scalar)
_LiteralDumper.add_representer(_Literal, _scalar)
