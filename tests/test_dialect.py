"""What is learnt of an endpoint: the room of a reply, and whether the schema is heeded."""

import asyncio
import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from asked import at
from endpoint import Answer, Endpoint, Request, error

from ai_tools import teachers
from ai_tools.records import Call, CallFault, Completion
from ai_tools.teachers.client import EndpointTeacher
from ai_tools.teachers.dialect import Refusal

WORDS = "The bell rings at noon. " * 40


class Small(Endpoint):
    """Refuses a request whose prompt and reply together pass its context, as vLLM does."""

    context, tokens_in = 1024, 0
    says: Callable[[int], str] | None = None  # in place of vLLM's words

    def _chat(self, request: Request, mark: int) -> Answer:
        words = "".join(message["content"] for message in request.body["messages"])
        self.tokens_in = len(words) // 4
        wanted = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
        if wanted > self.context - self.tokens_in:
            return error(request.path, 400, (self.says or self.words)(wanted))
        return super()._chat(request, mark)

    def words(self, wanted: int) -> str:
        return (
            f"'max_tokens' or 'max_completion_tokens' is too large: {wanted}. This model's maximum context length is "
            f"{self.context} tokens and your request has {self.tokens_in} input tokens "
            f"({wanted} > {self.context} - {self.tokens_in}). None"
        )


@pytest.fixture
def endpoint() -> Iterator[Small]:
    with Small() as endpoint:
        yield endpoint


def teacher_of(endpoint: Endpoint, context: int | None = None, **more: Any) -> EndpointTeacher:
    teacher = teachers.connect(at(endpoint, **more))
    assert isinstance(teacher, EndpointTeacher)
    teacher.context = context
    return teacher


def call_of(words: str = WORDS, max_tokens: int = 4096) -> Call:
    fields = {"passage": words, "count": 2}
    messages = ({"role": "system", "content": "Ask."}, {"role": "user", "content": words})
    return Call("00c0ffee00c0ffee", "questions", "1", messages, fields, "pairs", 0.0, max_tokens)


def ask(teacher: EndpointTeacher, *calls: Call) -> list[Completion]:
    async def one(call: Call) -> Completion:
        for _ in range(20):
            try:
                return await teacher.complete(call)
            except CallFault as fault:
                if fault.kind != "adapted":
                    raise
        raise AssertionError("it never ends")

    async def work() -> list[Completion]:
        try:
            return [await one(call) for call in calls]
        finally:
            await teacher.close()

    return asyncio.run(work())


def lengths(endpoint: Endpoint) -> list[int]:
    return [request.body["max_tokens"] for request in endpoint.requests]


@pytest.mark.parametrize("context", [1024, None], ids=["stated in the list of models", "named in the refusal"])
def test_a_length_that_is_refused_for_its_size_is_cut_to_the_room_that_there_is(
    endpoint: Small, context: int | None
) -> None:
    first, *others = [call_of(WORDS * times) for times in (1, 2, 1)]
    assert len(ask(teacher_of(endpoint, context), first, *others)) == 3
    wanted = lengths(endpoint)
    assert wanted[0] == 4096
    assert len(wanted) == 4, "it is remembered"
    rooms = [1024 - 241, 1024 - 481, 1024 - 241]
    assert all(0.6 * room < length <= room for length, room in zip(wanted[1:], rooms, strict=True))


def test_a_prompt_whose_tokens_are_shorter_than_was_reckoned_finds_its_room_step_by_step(endpoint: Small) -> None:
    endpoint.context = 300  # of which 240 are the prompt; by bytes it has more than that
    with pytest.raises(CallFault, match="a larger context of the server, or a smaller CHUNK_TOKENS") as refused:
        ask(teacher_of(endpoint, 300), call_of())
    assert refused.value.kind == "refused"
    endpoint.context = 100_000
    short = call_of("Ö" * 4000, 99_500)  # the endpoint counts characters
    assert len(ask(teacher_of(endpoint, 100_000), short)) == 1


def test_a_length_that_a_model_has_not_is_cut_to_the_one_that_is_named(endpoint: Small) -> None:
    def words(wanted: int) -> str:
        return f"max_tokens is too large: {wanted:,}. This model supports at most 1,024 completion tokens."

    endpoint.says, endpoint.context = words, 1265
    ask(teacher_of(endpoint), call_of(), call_of(max_tokens=50))
    assert lengths(endpoint) == [4096, 1024, 50]


CONTEXTS = [  # as servers and gateways say it: context, tokens of the prompt, tokens that were asked for
    "The maximum context length is {c} tokens, you asked for {t} ({p} in the messages, {m} in the reply).",
    "'max_tokens' is too large: {m}. The maximum context length is {c} tokens and there are {p} ({m} > {c} - {p}).",
    "You asked for a total of {t} tokens; the context size is {c:,}.",
    "input length and `max_tokens` are over the context limit: {p} + {m} > {c}",
    "The prompt has {p} tokens plus max_tokens {m}, too much for a model with {c} maximum context length",
]


@pytest.mark.parametrize("words", CONTEXTS)
def test_a_context_is_understood_that_is_no_smaller_than_the_reply_that_was_asked_for(
    words: str, endpoint: Small
) -> None:
    def said(wanted: int) -> str:
        return words.format(c=endpoint.context, p=endpoint.tokens_in, m=wanted, t=endpoint.tokens_in + wanted)

    endpoint.says, endpoint.context = said, 4200
    ask(teacher_of(endpoint), call_of(), call_of())
    first, *others = lengths(endpoint)
    assert (first, len(others)) == (4096, 2)
    assert all(3500 < length < 4096 for length in others)


def test_many_calls_that_are_refused_at_once_for_their_size_find_their_room_as_one_does(endpoint: Small) -> None:
    teacher = teacher_of(endpoint, 1024)
    calls = [replace(call_of(), key=f"{number:016x}") for number in range(40)]
    bodies = [teacher._dialect.body(call) for call in calls]
    refusal = Refusal(endpoint.words(4096), "", "")
    assert all(teacher._dialect.learn(call, body, refusal) for call, body in zip(calls, bodies, strict=True))
    assert 500 < teacher._dialect.body(calls[0])["max_tokens"] < 1024 - 240


@pytest.mark.parametrize(("range_end", "most"), [("1,025 (exclusive)", 1024), ("1,024", 1024)])
def test_a_range_of_lengths_is_understood_under_another_name_of_the_length(
    range_end: str, most: int, endpoint: Small
) -> None:
    endpoint.says = lambda wanted: f"maxOutputTokens is {wanted}, the range is from 1 to {range_end}"
    endpoint.context = 1265
    ask(teacher_of(endpoint), call_of())
    assert lengths(endpoint) == [4096, most]


class WithoutSystem(Endpoint):
    """Refuses the system role in its own words."""

    said, status = "System role not supported", 400

    def _chat(self, request: Request, mark: int) -> Answer:
        if request.body["messages"][0]["role"] == "system":
            return error(request.path, self.status, self.said)
        return super()._chat(request, mark)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Only user and assistant roles are supported!"),
        (400, "Conversation roles must alternate: user, assistant, user"),
        (500, "Template error: System role not supported"),
    ],
)
def test_a_system_role_is_refused_in_the_words_of_a_chat_template(status: int, words: str) -> None:
    with WithoutSystem() as endpoint:
        endpoint.said, endpoint.status = words, status
        ask(teacher_of(endpoint), call_of(), call_of())
        assert len(endpoint.requests) == 3, "it is remembered"


def test_calls_side_by_side_that_are_refused_for_their_system_role_lose_nothing_else() -> None:
    with WithoutSystem(latency=0.05) as endpoint, warnings.catch_warnings():
        warnings.simplefilter("error")
        teacher = teacher_of(endpoint)

        async def work() -> None:
            calls = [replace(call_of(), key=f"{number:016x}") for number in range(4)]
            said = await asyncio.gather(*map(teacher.complete, calls), return_exceptions=True)
            assert [getattr(one, "kind", one) for one in said] == ["adapted"] * 4
            await teacher.complete(calls[0])
            await teacher.close()

        asyncio.run(work())
        assert "maxItems" in json.dumps(endpoint.requests[-1].body["response_format"])


@pytest.mark.parametrize(
    ("text", "is_noticed"), [("The bell rings at noon.", True), ("```json\n", False), ('{"pairs": [{"que', False)]
)
def test_a_reply_that_is_cut_off_tells_of_the_schema_too_unless_it_may_be_a_fence(
    endpoint: Small, text: str, is_noticed: bool
) -> None:
    class CutOff(Small):
        context = 10**6

        def _chat(self, request: Request, mark: int) -> Answer:
            answer = super()._chat(request, mark)
            answer.content["choices"][0] |= {"finish_reason": "length", "message": {"content": text}}
            return answer

    with CutOff() as server, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ask(teacher_of(server), call_of())
    assert ["does not heed the schema" in str(one.message) for one in said] == [True] * is_noticed


def test_an_endpoint_that_does_not_heed_the_schema_is_noticed_and_said_once(endpoint: Small) -> None:
    pairs = {"pairs": [{"question": "When does the bell ring?", "answer": "At noon."}]}
    endpoint.context = 10**6
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ask(teacher_of(endpoint), call_of())
        assert said == []

        class Prose(Small):
            context = 10**6

            def _chat(self, request: Request, mark: int) -> Answer:
                answer = super()._chat(request, mark)
                answer.content["choices"][0]["message"]["content"] = f"Here you are:\n```json\n{json.dumps(pairs)}\n```"
                return answer

        with Prose() as prose:
            ask(teacher_of(prose), call_of(), call_of(WORDS * 2))
    (warning,) = said
    assert re.fullmatch(
        r"127\.0\.0\.1:\d+ does not heed the schema of a reply \(it begins 'Here you are:\\n```jso'\); its replies are"
        r" read as far as they fit",
        str(warning.message),
    )


def test_a_model_that_changes_in_the_middle_is_said_once() -> None:
    class Changing(Small):
        context = 10**6

        def _chat(self, request: Request, mark: int) -> Answer:
            answer = super()._chat(request, mark)
            answer.content["model"] = "large" if self.counters.requests < 3 else "small"
            return answer

    with Changing() as server, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        ask(teacher_of(server), *(call_of(WORDS * times) for times in (1, 2, 3, 4, 5)))
    (warning,) = said
    assert str(warning.message).endswith("answers as small, and before as large; the journal says which reply is whose")


@pytest.mark.parametrize("words", ["Loading model", "The model is not ready", "Service is warming up"])
def test_a_model_that_is_being_loaded_is_told_from_one_that_has_too_much_to_do(words: str) -> None:
    class Loading(Small):
        def _chat(self, request: Request, mark: int) -> Answer:
            return error(request.path, 503, words)

    with Loading() as server, pytest.raises(CallFault, match=words) as caught:
        ask(teacher_of(server), call_of())
    assert caught.value.kind == "loading"
