"""What is learnt of an endpoint: the room of a reply, and whether the schema is heeded."""

import asyncio
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from asked import at
from endpoint import Answer, Endpoint, Request, error

from ai_tools import teachers
from ai_tools.records import Call, CallFault, Completion
from ai_tools.teachers.client import EndpointTeacher

WORDS = "The bell rings at noon. " * 40


class Small(Endpoint):
    """Refuses a request whose prompt and reply together pass its context, as vLLM does."""

    context, tokens_in = 1024, 0

    def _chat(self, request: Request, mark: int) -> Answer:
        words = "".join(message["content"] for message in request.body["messages"])
        self.tokens_in = len(words) // 4
        wanted = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
        if wanted > self.context - self.tokens_in:
            return error(request.path, 400, self.words(wanted))
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

    endpoint.words, endpoint.context = words, 1265  # type: ignore[method-assign]
    ask(teacher_of(endpoint), call_of(), call_of(max_tokens=50))
    assert lengths(endpoint) == [4096, 1024, 50]


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
