"""What a student is asked and what it is trained on, both as its own chat template puts them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import InputError
from . import formats, markup

# For base models without a chat template. An answer starts after a line break, where tokenizers of every kind
# cut, and ends with the tokenizer's own end-of-text token.
PLAIN = (
    "{% for message in messages %}{{ message.role | capitalize }}:\n{{ message.content }}"
    "{{ eos_token if message.role == 'assistant' else '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)
_PROBE = "\ufdd2"  # as in `markup`, no text has it

Turns = Sequence[dict[str, Any]]


class Rendered(NamedTuple):
    """A conversation as it is trained on: `answer` and `end`, the end of its turn, bear the loss."""

    prompt: str
    answer: str
    end: str
    rest: str  # what the template puts behind the turn, as a line break


def chat_prompt(tokenizer: Any, question: str) -> str:
    """The question as one user turn, up to where the answer's first character begins."""
    return render_prompt(tokenizer, [{"role": "user", "content": question}])


def prompt_ids(tokenizer: Any, questions: Sequence[str]) -> list[list[int]]:
    """The tokens of each question as those before an answer, which is how it was trained on.

    Some tokenizers cut the end of a prompt otherwise where nothing stands behind it.
    """
    rows = [render_row(tokenizer, formats.messages(question, "A")) for question in questions]
    return [ids[: ends[0]] for ids, ends in markup.encoded(tokenizer, rows)]


def render_prompt(tokenizer: Any, messages: Turns, *, thinking: bool = False) -> str:
    """The conversation so far and the opening of the assistant's turn, with what was said escaped (see `markup`).

    Templates of reasoning models read `enable_thinking`: without it their prompt ends before a block of thoughts
    instead of before the answer. Other templates ignore it.

    Raises:
        InputError: the template fails.
    """
    prompt = _rendered(tokenizer, _turns(tokenizer, messages), add_generation_prompt=True, enable_thinking=thinking)
    return prompt if thinking else prompt + _shape(tokenizer).opening


def render_row(tokenizer: Any, messages: Turns) -> Rendered:
    """A conversation that ends in the assistant's answer: together what the template makes of it.

    Some templates open a turn that is asked for otherwise than they show one that is past, or end none: the student
    is trained on what it will be asked with, and ends in its tokenizer's end-of-text token then.

    Raises:
        InputError: the template fails.
    """
    *before, last = messages
    thinking, said = (markup.escape(tokenizer, last.get(name) or "") for name in ("thinking", "content"))
    answer = formats.think(thinking, said)
    prompt = render_prompt(tokenizer, before, thinking=bool(thinking))
    shape = _shape(tokenizer)
    turns = [*_turns(tokenizer, before), {"role": "assistant", "content": answer}]
    whole = _rendered(tokenizer, turns, enable_thinking=bool(thinking))
    if whole.startswith(prompt) and whole.endswith(shape.closing):
        shown = whole[len(prompt) :].removesuffix(shape.closing)
        answer = shown if shown.strip() == answer.strip() else answer
    return Rendered(prompt, answer, shape.end, shape.rest)


def end_of_turn(tokenizer: Any) -> int:
    """The token that ends the assistant's turn.

    Raises:
        InputError: the template fails, or leaves answers out.
    """
    return int(markup.token_ids(tokenizer, [_shape(tokenizer).end])[0][-1])


class _Shape(NamedTuple):
    """What a template puts before an answer and does not when it asks; behind one, of that the end of the turn and the
    rest; whether it takes a system message.
    """

    opening: str
    closing: str
    end: str
    rest: str
    takes_system: bool


def _shape(tokenizer: Any) -> _Shape:
    return _shape_of(tokenizer, str(tokenizer.chat_template))


@lru_cache(maxsize=8)
def _shape_of(tokenizer: Any, template: str) -> _Shape:
    question, answer = ({"role": role, "content": _PROBE} for role in ("user", "assistant"))
    prompt = _rendered(tokenizer, [question], add_generation_prompt=True, enable_thinking=False)
    whole = _rendered(tokenizer, [question, answer], enable_thinking=False)
    if whole.count(_PROBE) < 2:
        raise _fails(tokenizer, "it leaves out what is said")
    before, _, closing = whole.rpartition(_PROBE)
    opening = before.removeprefix(prompt) if before.startswith(prompt) else ""
    mark = markup.first_mark(tokenizer, closing)
    end, rest = (closing[: mark.end()], closing[mark.end() :]) if mark else (tokenizer.eos_token, "")
    return _Shape(opening if opening.strip() else "", closing, end, rest, _takes_system(tokenizer))


def _takes_system(tokenizer: Any) -> bool:
    turns = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "?"}]
    try:
        return _PROBE in _rendered(tokenizer, turns)
    except InputError:
        return False


def _turns(tokenizer: Any, messages: Turns) -> list[dict[str, str]]:
    """Roles and escaped contents; a system message goes before the user's where the template has no place for it."""
    turns = [{"role": one["role"], "content": markup.escape(tokenizer, one["content"])} for one in messages]
    if len(turns) > 1 and turns[0]["role"] == "system" and not _shape(tokenizer).takes_system:
        told, asked, *more = turns
        turns = [asked | {"content": f"{told['content']}\n\n{asked['content']}"}, *more]
    return turns


def _rendered(tokenizer: Any, turns: Turns, **options: Any) -> str:
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, **options))
    except Exception as error:  # a template is a program: any error can come out of it
        raise _fails(tokenizer, str(error).strip().split("\n")[0] or type(error).__name__) from error


def _fails(tokenizer: Any, reason: str) -> InputError:
    return InputError(
        f"student {tokenizer.name_or_path}: its chat template fails ({reason}). Fix: correct chat_template.jinja, or "
        "`chat_template` in tokenizer_config.json, in its folder; or choose another student"
    )
