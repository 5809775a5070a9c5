"""Prompts: load one, render its messages into a call, and word the second try at a reply that cannot be used."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

import yaml

from .. import aliases
from ..errors import UsageError
from ..records import Call, Completion, Teacher, content_id
from .json_text import split_thinking
from .replies import BadReply, limit_was_ours
from .schemas import shape

LONGEST_QUOTE = 8_000  # characters of a bad reply that are shown back to its writer


@dataclass(frozen=True)
class Prompt:
    """One file of `data/prompts`: two templates and the kind of reply they ask for.

    `reasoning` is what the second says besides where the reasoning of each answer is wanted, `code` where the passage
    is code; `example` is what a worked example is asked with, as an exchange of its own before. A temperature in it is
    fixed. A file that gives the name of another prompt has other words for the same: who answers by rules has one rule
    for both.
    """

    name: str
    version: str
    reply: str
    system: str
    user: str
    reasoning: str = ""
    code: str = ""
    example: str = ""
    temperature: float | None = None


@dataclass(frozen=True)
class Sampling:
    """What a teacher is asked with, besides the words; `options` are those of one kind of endpoint alone."""

    temperature: float = 0.7
    max_tokens: int = 4096
    top_p: float | None = None
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)


@cache
def load(name: str) -> Prompt:
    """The prompt of that name. Its version carries a hash of the file, so an edit is a new version."""
    file = resources.files("ai_tools") / "data" / "prompts" / f"{name}.yaml"
    if not file.is_file():
        known = sorted(path.name.removesuffix(".yaml") for path in file.parent.iterdir())  # type: ignore[attr-defined]
        raise UsageError(f"prompt {name}: no such prompt; there are {', '.join(known)}")
    text = file.read_text("utf-8")
    content = yaml.safe_load(text)
    version = f"{content.pop('version')}-{content_id(text)[:8]}"
    return Prompt(**{"name": name, "version": version} | content)


def every() -> list[Prompt]:
    """All prompts of `data/prompts`, by name."""
    folder = resources.files("ai_tools") / "data" / "prompts"
    return [load(name) for name in sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())]


_FIELDS = {"title", "section", "passage", "count", "angle", "shape", "reasoning"}  # of a prompt for questions


def own(base: Prompt, *, system: str = "", template: str = "", where: str = "the template") -> Prompt:
    """A prompt for questions with a user's own system message, own template or both; the rest is that of `base`.

    A template has `{passage}` and, where it wants them, `{count}`, `{title}`, `{section}`, `{angle}` and `{shape}`, the
    shape of the reply, which is added at the end of one that leaves it out. Names of other tools are understood.

    Raises:
        UsageError: the template has no passage, other fields, or braces that enclose none.
    """
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"{where}: {error}; write {{{{ and }}}} for braces that are no field") from None
    parts = [(text, name and aliases.TEMPLATE.get(name, name)) for text, name, _, _ in fields]
    named = {name for _, name in parts if name is not None}
    if unknown := sorted(named - _FIELDS):
        known = ", ".join(f"{{{name}}}" for name in sorted(_FIELDS))
        raise UsageError(f"{where}: no such field {{{unknown[0]}}}; there are {known}; double the braces of others")
    if formatted := next((name for _, name, style, conversion in fields if style or conversion), None):
        raise UsageError(f"{where}: {{{formatted}}} has a format of its own; write the name alone between the braces")
    if template and "passage" not in named:
        raise UsageError(f"{where}: no {{passage}} in it; write {{passage}} where the text is to stand")
    user = "".join(
        text.replace("{", "{{").replace("}", "}}") + (f"{{{name}}}" if name is not None else "") for text, name in parts
    )
    if template and "shape" not in named:
        user += "\n\nReply with JSON only, in exactly this shape:\n{shape}"
    changed = replace(base, system=system.strip() or base.system, user=user or base.user)
    return replace(changed, version=f"own-{content_id(changed.system, changed.user)[:8]}")


def plan_call(
    prompt: Prompt,
    fields: dict[str, Any],
    *,
    teacher: Teacher,
    sampling: Sampling,
    instructions: str = "",
    recipe: str = "",
    chunk_id: str = "",
    draw: int = 0,
) -> Call:
    """Render one call. Its key covers all that can change the answer, and nothing else.

    Args:
        fields: values for the template; lists are shown as JSON.
        instructions: the user's own (CUSTOMISATION_PROMPT), added to the system message.
        draw: number of the first draw that is asked for.
    """
    shown = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in fields.items()
        if name != "worked_example"
    }
    shown |= {f"{name}_tag": _tag(name, shown.get(name, "")) for name in ("passage", "facts", "pairs")}
    shown["shape"] = shape(prompt.reply, fields)
    shown["topic"] = f"Topic: {fields['topic']}\n" if fields.get("topic") else ""
    shown["code"] = prompt.code if fields.get("code") else ""
    shown["reasoning"] = f"{prompt.reasoning}\n" if fields.get("reasoning") else ""
    system = prompt.system.strip() + (f"\n\n{instructions.strip()}" if instructions.strip() else "")
    messages = (
        {"role": "system", "content": system},
        *_example(prompt, fields),
        {"role": "user", "content": prompt.user.format_map(shown).strip()},
    )
    temperature = sampling.temperature if prompt.temperature is None else prompt.temperature
    identity = [teacher.provider, teacher.model, messages, temperature, sampling.max_tokens, sampling.top_p]
    identity += [prompt.version, draw, sampling.seed, sampling.options, "" if teacher.own_host else teacher.base_url]
    return Call(
        key=content_id(json.dumps(identity, ensure_ascii=False)),
        prompt=prompt.name,
        prompt_version=prompt.version,
        messages=messages,
        fields=fields,
        reply=prompt.reply,
        temperature=temperature,
        max_tokens=sampling.max_tokens,
        top_p=sampling.top_p,
        options=sampling.options,
        recipe=recipe,
        chunk_id=chunk_id,
        draw=draw,
    )


def follow_up(call: Call, completion: Completion, fault: BadReply) -> Call | None:
    """The call that may make good a bad reply: more room if it was cut off, else a word on the fault; once each."""
    cut_by_others = fault.kind == "cut off" and not limit_was_ours(call, completion)
    if fault.kind in call.follows or fault.kind == "withheld" or cut_by_others:
        return None
    follows = (*call.follows, fault.kind)
    if fault.kind == "cut off":
        key = content_id(call.key, "more room", 2 * call.max_tokens)
        return replace(call, key=key, max_tokens=2 * call.max_tokens, follows=follows)
    quoted = split_thinking(completion.text)[1][:LONGEST_QUOTE]
    correction = (
        f"Your reply cannot be used: {fault}. Send the whole reply once more, as JSON only, in exactly this shape:\n"
        f"{shape(call.reply, call.fields)}"
    )
    messages = (
        *call.messages,
        {"role": "assistant", "content": quoted or "(nothing)"},
        {"role": "user", "content": correction},
    )
    return replace(call, key=content_id(call.key, quoted, correction), messages=messages, follows=follows)


def _example(prompt: Prompt, fields: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """The worked example of the same document as an exchange that went before; none where its shape is another one."""
    example = fields.get("worked_example")
    if not (example and prompt.example) or fields.get("reasoning"):
        return ()
    document = example.document
    shown = {"title": fields["title"], "passage": document, "passage_tag": _tag("passage", document)}
    pairs = [{"question": question, "answer": answer} for question, answer in example.pairs]
    return (
        {"role": "user", "content": prompt.example.format_map(shown).strip()},
        {"role": "assistant", "content": json.dumps({"pairs": pairs}, ensure_ascii=False)},
    )


def _tag(name: str, content: str) -> str:
    """The tag that encloses what is data; a text that holds the tag itself gets one that it cannot hold."""
    return name if f"{name}>" not in content else f"{name}-{content_id(content)[:8]}"
