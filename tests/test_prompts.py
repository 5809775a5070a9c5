"""Prompts and replies: what the key covers, that no text is altered on the way, and which replies are refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from ai_tools import prompts
from ai_tools.errors import UsageError
from ai_tools.prompts import REPLIES, BadReply, Prompt, Sampling, load, parse, plan_call
from ai_tools.records import Call, Completion

NAMES = sorted(file.name.removesuffix(".yaml") for file in (resources.files("ai_tools") / "data" / "prompts").iterdir())
FIELDS: dict[str, Any] = {
    "title": "Bells",
    "section": "Ringing",
    "passage": "The bell rings at noon.",
    "count": 3,
    "angle": "factual",
    "angles": ["factual", "numbers"],
    "facts": [{"id": "f1", "text": "The bell rings."}],
    "pairs": [{"id": "s1", "question": "When?", "answer": "At noon."}],
}


@dataclass
class NamedTeacher:
    provider: str = "fake"
    model: str = "m"

    async def complete(self, call: Call) -> Completion:
        raise NotImplementedError


def plan(
    prompt: Prompt | None = None,
    fields: dict[str, Any] | None = None,
    teacher: NamedTeacher | None = None,
    sampling: Sampling | None = None,
    **options: Any,
) -> Call:
    return plan_call(
        prompt or load("questions"),
        FIELDS | (fields or {}),
        teacher=teacher or NamedTeacher(),
        sampling=sampling or Sampling(),
        **options,
    )


def changed_prompt(**changes: Any) -> Prompt:
    return Prompt(**(vars(load("questions")) | changes))


@pytest.mark.parametrize(
    "other",
    [
        {"teacher": NamedTeacher(model="n")},
        {"teacher": NamedTeacher(provider="other")},
        {"fields": {"passage": "The bell rings at dusk."}},
        {"instructions": "Be brief."},
        {"sampling": Sampling(temperature=0.0)},
        {"sampling": Sampling(max_tokens=7)},
        {"sampling": Sampling(top_p=0.9)},
        {"sampling": Sampling(seed=1)},
        {"draw": 6},
        {"prompt": changed_prompt(version="2-0")},
        {"prompt": changed_prompt(user="{passage} {count} {angle}")},
    ],
    ids=str,
)
def test_the_key_changes_with_all_that_can_change_the_answer(other: dict[str, Any]) -> None:
    assert plan(**other).key != plan().key
    assert plan(**other).seed != plan().seed


def test_the_key_does_not_change_with_what_the_call_is_for() -> None:
    assert plan(recipe="document_based_qa", chunk_id="c1").key == plan(recipe="", chunk_id="c2").key
    assert plan().key == plan().key


def test_the_version_of_a_prompt_carries_its_text() -> None:
    assert load("questions").version.startswith("1-")
    assert len({load(name).version for name in NAMES}) == len(NAMES)


def test_a_prompt_with_its_own_temperature_is_asked_at_it() -> None:
    assert plan(load("faithfulness"), sampling=Sampling(temperature=0.7)).temperature == 0.0
    assert plan(sampling=Sampling(temperature=0.0)).temperature == 0.0


def test_an_unknown_prompt_is_an_error_that_lists_them() -> None:
    with pytest.raises(UsageError, match=r"prompt nothing: no such prompt; there are .*key_facts.*questions"):
        load("nothing")


@pytest.mark.parametrize("name", NAMES)
def test_braces_in_a_passage_survive_and_do_not_break_the_prompt(name: str) -> None:
    text = 'Use {passage}, {0}, {{x}} and {"a": [1]}.\n\n```\nfor (;;) {}\n```\u2028 %s $x'
    call = plan(load(name), {"passage": text, "facts": [{"id": "f1", "text": text}]})
    if name == "fact_questions":
        assert json.dumps(text, ensure_ascii=False) in call.messages[1]["content"]
    else:
        assert text in call.messages[1]["content"]


def field_names(model: type[BaseModel]) -> set[str]:
    names = set()
    for name, info in model.model_fields.items():
        names.add(name)
        for inner in (info.annotation, *get_args(info.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                names |= field_names(inner)
    return names


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_describes_the_schema_of_its_reply(name: str) -> None:
    prompt = load(name)
    content = plan(prompt).messages[1]["content"]
    wanted = field_names(REPLIES[prompt.reply])
    if prompt.reply == "pairs" and name != "fact_questions":
        wanted -= {"id"}  # only a question about a fact must say which
    assert [field for field in sorted(wanted) if f'"{field}"' not in content] == []
    assert "JSON" in content
    assert "{{" not in content


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_delimited_and_called_data(name: str) -> None:
    system, user = (message["content"] for message in plan(load(name)).messages)
    tag = "facts" if name == "fact_questions" else "passage"
    assert f"<{tag}>\n" in user
    assert f"\n</{tag}>" in user
    assert "data" in system


def test_the_users_instructions_stand_in_the_system_message() -> None:
    system = plan(instructions="  Ask in verse.\n").messages[0]["content"]
    assert system.endswith("\n\nAsk in verse.")
    assert "Ask in verse." not in plan().messages[0]["content"]


def reply_of(make_call: Callable[..., Call], text: str, reply: str = "pairs", **changes: Any) -> Any:
    return parse(make_call(reply=reply), Completion(text, "m", **changes))


PAIRS = {"pairs": [{"question": "Which [1]?", "answer": "First [1].\n\n- second {2} \u2028\n```\ncode\n```"}]}


@pytest.mark.parametrize(
    "wrapped",
    ["{}", "```json\n{}\n```", "```\n{}\n```", " \n{}\n\n", "<think>Is it {{x}}?\nYes.</think>\n\n```json\n{}\n```"],
)
def test_fences_and_thinking_fall_away_and_the_text_survives(make_call: Callable[..., Call], wrapped: str) -> None:
    text = wrapped.replace("{}", json.dumps(PAIRS))
    pair = reply_of(make_call, text).pairs[0]
    assert {"question": pair.question, "answer": pair.answer} == PAIRS["pairs"][0]


@pytest.mark.parametrize(
    ("text", "reply", "fault"),
    [
        ("I cannot help with that.", "pairs", "reply: Invalid JSON"),
        ("", "pairs", "reply: Invalid JSON"),
        ('{"pairs": [{"question": "When?"}]}', "pairs", r"pairs\.0\.answer: Field required"),
        ('{"pairs": "none"}', "pairs", "pairs: Input should be a valid array"),
        ('{"judgements": [{"id": "1", "explanation": "so"}]}', "judgements", "grounded: Field required"),
        ('{"judgements": [{"id": "1", "explanation": "", "grounded": 5}]}', "judgements", "valid boolean"),
        ('{"summaries": [{"angle": "x"}]}', "summaries", r"summaries\.0\.text: Field required"),
    ],
)
def test_a_reply_that_does_not_fit_is_refused_by_the_name_of_its_fault(
    make_call: Callable[..., Call], text: str, reply: str, fault: str
) -> None:
    with pytest.raises(BadReply, match=fault):
        reply_of(make_call, text, reply)


def test_a_reply_that_was_cut_off_is_refused_even_where_it_parses(make_call: Callable[..., Call]) -> None:
    with pytest.raises(BadReply, match="cut off after 100 tokens"):
        reply_of(make_call, '{"pairs": []}', finish_reason="length", completion_tokens=100)


def test_every_kind_of_reply_has_a_prompt_that_asks_for_it() -> None:
    assert {load(name).reply for name in NAMES} == set(prompts.REPLIES)
