"""The context of an endpoint: stated in its list of models, asked for once, kept; and how much a call holds of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import at, pairs_of
from endpoint import Answer, Endpoint
from hypothesis import given
from hypothesis import strategies as st
from test_replies import ANY_JSON

from ai_tools.settings import Settings
from ai_tools.teachers import sizes
from ai_tools.teachers.contexts import context_in
from ai_tools.teachers.prompts import Sampling, load, plan_call
from ai_tools.teachers.providers import is_hosted
from ai_tools.tools import curate, enrich

Row = dict[str, Any]
PASSAGE = "The bell rings at noon. " * 20


class Server(Endpoint):
    """States the context of its model in one of the two ways there are."""

    states: Row | None = None

    def _listing(self, path: str) -> Answer:
        return Answer("ok", {"data": [{"id": "other-name"} | (self.states or {})]})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def settings(toy_root: Path, server: Server) -> Settings:
    return at(server)


def pairs() -> Path:
    rows = [
        {"question": f"When does bell {n} ring?", "answer": f"At noon, for {n} minutes.", "source_text": PASSAGE}
        for n in range(5)
    ]
    Path("pairs.json").write_text(json.dumps(rows))
    return Path("pairs.json")


def asked_about(server: Server) -> list[int]:
    """How many pairs each call was about; then forgets the calls."""
    counts = [len(pairs_of(request.body)) for request in server.requests]
    server.reset()
    return counts


@pytest.mark.parametrize("states", [{"max_model_len": 1024}, {"meta": {"n_ctx": 1024, "n_ctx_train": 8192}}], ids=str)
def test_calls_are_about_as_many_pairs_as_the_stated_context_holds_in_this_run_and_later_ones(
    settings: Settings, server: Server, states: Row
) -> None:
    server.states = states
    curate(pairs(), Path("out.json"), settings, threshold=0)
    assert len(server.listings) == 1
    first = asked_about(server)
    assert sum(first) == 5
    assert 1 < max(first) < 5
    server.states = {"max_model_len": 100_000}
    enrich(pairs(), Path("enriched.json"), settings)
    assert server.listings == []
    assert max(asked_about(server)) < 5, "the recorded one holds"
    Path("out.json").unlink()
    curate(pairs(), Path("out.json"), settings, threshold=0)
    assert (server.requests, server.listings) == ([], []), "nothing is paid twice"


def test_a_model_that_has_answered_without_a_context_is_asked_for_none_any_more(
    settings: Settings, server: Server
) -> None:
    curate(pairs(), Path("out.json"), settings, threshold=0)
    assert (len(server.listings), asked_about(server)) == (1, [5])
    server.states = {"max_model_len": 1024}
    enrich(pairs(), Path("enriched.json"), settings)
    assert (server.listings, asked_about(server)) == ([], [5])
    enrich(pairs(), Path("other.json"), at(server, teacher_model_name="n"))
    assert len(server.listings) == 1, "another model has a context of its own"
    assert max(asked_about(server)) < 5


def test_items_per_call_is_the_top_of_the_batches_of_the_tools(settings: Settings, server: Server) -> None:
    curate(pairs(), Path("out.json"), settings.with_(items_per_call=2), threshold=0)
    assert sorted(asked_about(server)) == [1, 2, 2]


def test_a_context_that_holds_nothing_still_gets_calls_about_one_pair(settings: Settings, server: Server) -> None:
    server.states = {"max_model_len": 16}
    curate(pairs(), Path("out.json"), settings, threshold=0)
    assert asked_about(server) == [1] * 5


def test_known_hosts_are_not_asked_for_their_context() -> None:
    assert is_hosted("https://api.openai.com/v1")
    assert not any(map(is_hosted, ("http://localhost:8000/v1", "https://llm.example/v1", "http://localhost:11434")))


@pytest.mark.parametrize(
    ("listing", "context"),
    [
        ({"data": [{"id": "m", "max_model_len": 4096}, {"id": "n", "max_model_len": 2048}]}, 4096),
        ({"data": [{"id": "o", "max_model_len": 4096}, {"id": "n", "max_model_len": 2048}]}, 0),
        ({"data": [{"id": "any", "n_ctx": 512}]}, 512),
        ({"data": [{"id": "m", "meta": {"n_ctx_train": 8192}}]}, 0),
        ({"data": [{"id": "m", "meta": None}]}, 0),
        ({"data": [{"id": "m", "max_model_len": "4096"}]}, 0),
        ({"data": []}, 0),
    ],
)
def test_a_context_is_that_of_the_model_that_is_asked(listing: Row, context: int) -> None:
    assert context_in(json.dumps(listing).encode(), "m") == context


@given(listing=ANY_JSON | ANY_JSON.map(lambda one: {"data": [{"id": "m", "meta": one, "n_ctx": one}]}))
def test_whatever_a_list_of_models_holds_it_states_a_context_or_none(listing: Any) -> None:
    assert 0 <= context_in(json.dumps(listing).encode(), "m") < 10**9


class Named:
    provider, model, base_url, own_host, concurrency = "fake", "m", "", True, 1


@given(
    answers=st.lists(st.text(max_size=300), min_size=1, max_size=12),
    context=st.integers(1, 6000),
    prompt=st.sampled_from(["faithfulness", "rating", "rewrite"]),
)
def test_a_call_fits_its_context_or_is_about_one_thing_and_one_more_would_not_fit(
    answers: list[str], context: int, prompt: str
) -> None:
    def call_about(things: Any) -> Any:
        fields = {"passage": "Noon.", "topic": "", "pairs": things}
        return plan_call(load(prompt), fields, teacher=Named(), sampling=Sampling())  # type: ignore[arg-type]  # asks nobody

    things = [{"id": f"p{n}", "question": "Which?", "answer": answer} for n, answer in enumerate(answers, 1)]
    count = sizes.fitting(call_about, things, context)
    assert count == 1 or sum(sizes.size_of(call_about(things[:count]))) <= context
    assert count == len(things) or sum(sizes.size_of(call_about(things[: count + 1]))) > context
