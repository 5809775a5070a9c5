"""Replies: shape and schema agree, words survive every wrapping, and what does not fit is refused by its fault."""

import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_tools.records import Call, Completion, WorkedExample
from ai_tools.teachers import replies, schemas
from ai_tools.teachers.json_text import split_thinking
from ai_tools.teachers.prompts import follow_up
from ai_tools.teachers.replies import REPLIES, BadReply, PlainPair, parse

CALL = Call("00c0ffee00c0ffee", "questions", "1", (), {}, "pairs", 0.0, 100)

ABOUT_PAIRS = ["judgements", "ratings", "fact_checks", "rewrites", "reasonings", "preferences"]
KINDS = [{}, {"reasoning": True}, {"facts": []}, {"facts": [], "reasoning": True}]  # what changes a reply's shape


@pytest.mark.parametrize("fields", KINDS, ids=str)
@pytest.mark.parametrize("reply", REPLIES)
def test_the_shape_in_the_prompt_is_what_the_schema_asks_for_and_what_is_read(
    make_call: Callable[..., Call], reply: str, fields: dict[str, Any]
) -> None:
    shown = json.loads(schemas.shape(reply, fields))

    def agree(example: Any, schema: dict[str, Any]) -> None:
        kinds = {dict: "object", list: "array", str: "string", bool: "boolean"}
        choices = schema.get("enum", [example])
        if schema["type"] == "number":
            assert example == f"<{min(choices)} to {max(choices)}>"
            return
        assert schema["type"] == kinds[type(example)]
        assert example == " | ".join(choices) if isinstance(example, str) else example in choices
        if isinstance(example, dict):
            assert list(example) == list(schema["properties"])
            for name, value in example.items():
                agree(value, schema["properties"][name])
        if isinstance(example, list):
            agree(example[0], schema["items"])

    call = make_call(reply=reply, fields=fields)
    agree(shown, schemas.schema(call))
    if "<0 to" in json.dumps(shown):
        with pytest.raises(BadReply, match="valid number"):
            parse(call, Completion(json.dumps(shown), "m"))
    chosen = re.sub(r" \|[^\"]*", "", json.dumps(shown))  # of the words that may be said, the first
    chosen = re.sub(r'"<0 to \d+>"', "0", chosen)
    assert len(REPLIES[reply].model_validate_json(chosen).items) == 1
    if '"..."' in chosen:
        with pytest.raises(BadReply, match="repeats the shape"):
            parse(call, Completion(chosen, "m"))


def test_pairs_have_an_id_where_they_belong_to_facts_and_reasoning_before_the_answer_where_it_is_wanted() -> None:
    names = [list(json.loads(schemas.shape("pairs", fields))["pairs"][0]) for fields in KINDS]
    assert names == [
        ["question", "answer"],
        ["question", "reasoning", "answer"],
        ["id", "question", "answer"],
        ["id", "question", "reasoning", "answer"],
    ]


@pytest.mark.parametrize("fields", KINDS, ids=str)
@pytest.mark.parametrize("reply", REPLIES)
def test_a_schema_is_strict_all_the_way_down(
    make_call: Callable[..., Call], reply: str, fields: dict[str, Any]
) -> None:
    def strict(node: dict[str, Any]) -> int:
        """How many objects it found, each with every property required and no others allowed."""
        assert node.keys() <= {
            "type",
            "items",
            "properties",
            "required",
            "additionalProperties",
            "maxItems",
            "minItems",
            "enum",
        }
        if node["type"] == "array":
            return strict(node["items"])
        if node["type"] != "object":
            return 0
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False
        return 1 + sum(map(strict, node["properties"].values()))

    assert strict(schemas.schema(make_call(reply=reply, fields=fields))) == (1 if reply == "facts" else 2)


@pytest.mark.parametrize(
    ("reply", "fields", "bounds"),
    [
        ("summaries", {"angles": ["a", "b", "c"]}, {"minItems": 3, "maxItems": 3}),
        ("pairs", {"count": 5}, {"maxItems": 5}),
        ("exam", {"count": 4}, {"maxItems": 4}),
        ("reasoned_pairs", {"count": 2}, {"maxItems": 2}),
        ("pairs", {"count": 5, "facts": [{"id": "f1"}, {"id": "f2"}]}, {"maxItems": 10}),
        ("facts", {"count": 5}, {"maxItems": 128}),
        *((kind, {"pairs": [{"id": "p1"}, {"id": "p2"}]}, {"minItems": 2, "maxItems": 2}) for kind in ABOUT_PAIRS),
    ],
)
def test_a_schema_bounds_a_list_by_what_is_asked_for(
    make_call: Callable[..., Call], reply: str, fields: dict[str, Any], bounds: dict[str, int]
) -> None:
    (items,) = schemas.schema(make_call(reply=reply, fields=fields))["properties"].values()
    assert {name: items[name] for name in ("minItems", "maxItems") if name in items} == bounds


def test_ids_angles_and_points_are_listed_in_the_schema_and_others_of_the_range_are_read(
    make_call: Callable[..., Call],
) -> None:
    def properties(reply: str, **fields: Any) -> dict[str, Any]:
        schema = schemas.schema(make_call(reply=reply, fields=fields))
        found: dict[str, Any] = schema["properties"][replies.PARTS[reply][0]]["items"]["properties"]
        return found

    pairs = [{"id": "p1"}, {"id": "p2"}]
    for kind in ABOUT_PAIRS:
        assert properties(kind, pairs=pairs)["id"] == {"type": "string", "enum": ["p1", "p2"]}
    assert properties("pairs", count=2, facts=[{"id": "f7"}])["id"]["enum"] == ["f7"]
    assert properties("summaries", angles=["a", "b"])["angle"]["enum"] == ["a", "b"]
    assert properties("ratings", pairs=pairs)["clarity"] == {"type": "number", "enum": [3, 2.5, 2, 1.5, 1, 0.5, 0]}
    assert properties("fact_checks", pairs=pairs)["consistency"]["enum"] == list(range(10, -1, -1))
    assert properties("reasonings", pairs=pairs)["steps"]["maxItems"] == 6
    said = {"id": "p1", "reasoning": "", "clarity": 2.75, "accuracy": 3, "usefulness": 0.1, "difficulty": 2}
    found = reply_of(make_call, json.dumps({"ratings": [said | {"grounded": True}]}), "ratings")
    assert (found.ratings[0].clarity, found.ratings[0].usefulness) == (2.75, 0.1)


def reply_of(make_call: Callable[..., Call], text: str, reply: str = "pairs", **changes: Any) -> Any:
    return parse(make_call(reply=reply), Completion(text, "m", **changes))


PAIRS = {"pairs": [{"question": "Which [1]?", "answer": "First [1].\n\n- second {2} \u2028\n```\ncode\n```"}]}


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        " \n{}\n\n",
        "<think>Is it {{x}}?\nYes.</think>\n\n```json\n{}\n```",
        "Here you are:\n\n```json\n{}\n```\nTell me if you want more of these.",
        "As the passage says [1], these are good pairs [2]:\n{}\nThey are grounded {all}.",
        "Is it {{x}}?\nYes.\n</think>\n{}",
    ],
)
def test_what_stands_around_a_reply_falls_away_and_its_text_survives(
    make_call: Callable[..., Call], wrapped: str
) -> None:
    text = wrapped.replace("{}", json.dumps(PAIRS))
    pair = reply_of(make_call, text).pairs[0]
    assert {"question": pair.question, "answer": pair.answer} == PAIRS["pairs"][0]


def test_the_outermost_braces_may_be_missing(make_call: Callable[..., Call]) -> None:
    assert reply_of(make_call, json.dumps(PAIRS["pairs"])).pairs == reply_of(make_call, json.dumps(PAIRS)).pairs


def test_an_empty_pair_of_brackets_before_a_reply_is_not_the_reply(make_call: Callable[..., Call]) -> None:
    assert len(reply_of(make_call, f"- [ ] questions\n{json.dumps(PAIRS)}").pairs) == 1


TRICKY = [*"{}[]\"\\\n`:,<>'", "}]}", "[1]", '"}', "```", "\u2028", "é", "true", "word"]

# Of control characters before a letter some are lost backslashes, and a broken character refuses a reply: see below.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd")
WORDS = (st.text(CHARACTERS, max_size=12) | st.lists(st.sampled_from(TRICKY), max_size=8).map("".join)).filter(
    lambda text: not replies._PLACEHOLDER.fullmatch(text)
)
PAIR = st.builds(PlainPair, id=WORDS, question=WORDS, reasoning=WORDS, answer=WORDS)


@pytest.mark.parametrize(
    "around", ["{}", "Here you are:\n\n```json\n{}\n```\nTell me if you want {more} of these [1]."]
)
@given(pairs=st.lists(PAIR, max_size=4), indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_every_reply_comes_back_equal_out_of_a_fence_with_words_around(
    around: str, pairs: list[PlainPair], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps({"pairs": [pair.model_dump() for pair in pairs]}, indent=indent, ensure_ascii=ascii_only)
    assert parse(CALL, Completion(around.replace("{}", text), "m")).pairs == pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ('{"pairs": [{"question": "When?", "answer": "At noon.\n\n\tDaily."}]}', [("When?", "At noon.\n\n\tDaily.")]),
        ('{"pairs": [{"question": "When?", "answer": "Noon",},],}', [("When?", "Noon")]),
        (
            '{"pairs": [{"question": "What is "x"?", "answer": "He said "no", then left."}]}',
            [('What is "x"?', 'He said "no", then left.')],
        ),
        ("{'pairs': [{'question': 'What\\'s it?', 'answer': 'a \"b\"'}]}", [("What's it?", 'a "b"')]),
        (
            '{"pairs": [{"question": "q", "answer": "a"} {"question": "r" "answer": "b"}]}',
            [("q", "a"), ("r", "b")],
        ),
        ('{pairs: [{question: "When?", answer: "Noon"}]}', [("When?", "Noon")]),
        ('{"pairs": [{"question": "Where?", "answer": "In C:\\dir"}]}', [("Where?", "In C:\\dir")]),
    ],
    ids=[
        "line breaks",
        "trailing commas",
        "inner quotes",
        "single quotes",
        "missing commas",
        "bare names",
        "backslash",
    ],
)
@pytest.mark.parametrize("around", ["{}", "Here you are:\n```json\n{}\n```\nThat is all."])
def test_punctuation_is_mended_and_no_word_changed(
    make_call: Callable[..., Call], text: str, pairs: list[tuple[str, str]], around: str
) -> None:
    found = reply_of(make_call, around.replace("{}", text)).pairs
    assert [(pair.question, pair.answer) for pair in found] == pairs


@pytest.mark.parametrize(
    "text",
    [
        '{"pairs": [{"question": "When?", "answer": "Noon" /* or so */}]}',
        '{"pairs": [{"question": "When?", "answer": "Noon"}, and so on, {"question": "Who?", "answer": "Ada"}]}',
        '{"pairs": [{"question": "When?", "answer": "Noon", "answer": "Dusk",}]}',
    ],
    ids=["a comment", "words between", "a name twice"],
)
def test_a_reply_that_cannot_be_mended_without_losing_words_is_refused(
    make_call: Callable[..., Call], text: str
) -> None:
    with pytest.raises(BadReply):
        reply_of(make_call, text)


def test_a_number_for_an_answer_is_read_as_its_digits(make_call: Callable[..., Call]) -> None:
    assert reply_of(make_call, '{"pairs": [{"question": "How many?", "answer": 64}]}').pairs[0].answer == "64"


def test_a_reply_nested_beyond_reading_is_refused(make_call: Callable[..., Call]) -> None:
    with pytest.raises(BadReply):
        reply_of(make_call, '{"pairs": ' + "[" * 100_000)
    with pytest.raises(BadReply):
        reply_of(make_call, "[" * 50_000 + "]" * 50_000)


def cuts(text: str) -> list[str]:
    return [text[:end] for end in range(len(text))]


def last_brace_missing(text: str) -> bool:
    """Every word is there, and every list has its end."""
    return "".join(text.split()).endswith("}]")


LONG = {
    "pairs": [
        {"question": "Which [1]?", "answer": 'First [1], {x}, then "y": ["z"]}.'},
        {"question": "What }]?", "answer": "Nothing [2]"},
    ]
}


@pytest.mark.parametrize("fence", ["", "```json\n"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_reply_that_ends_in_the_middle_is_never_passed_on(
    make_call: Callable[..., Call], fence: str, indent: int | None
) -> None:
    for text in cuts(json.dumps(LONG, indent=indent)):
        if not last_brace_missing(text):
            with pytest.raises(BadReply):
                reply_of(make_call, fence + text)


@pytest.mark.parametrize(
    "text",
    [
        '{"pairs": [{"question": "Which JSON?", "answer": "Write {\\"a\\": [{\\"b\\": 1}]}',
        '{"pairs": [{"question": "Which?", "answer": "}]}',
        '{"pairs": [{"question": "Which?", "answer": "f({a: [{b}]})',
        "{'pairs': [{'question': 'Which?', 'answer': 'f({a: [{b}]}",
    ],
)
def test_a_cut_after_brackets_inside_a_string_is_a_cut(make_call: Callable[..., Call], text: str) -> None:
    with pytest.raises(BadReply):
        reply_of(make_call, text)


@pytest.mark.parametrize("reply", REPLIES)
def test_every_kind_of_reply_is_refused_where_it_ends_in_the_middle(make_call: Callable[..., Call], reply: str) -> None:
    item = json.loads(schemas.shape(reply, {}))
    (name,) = item
    for text in cuts(json.dumps({name: item[name] * 3})):
        if not text.endswith("]"):
            with pytest.raises(BadReply):
                reply_of(make_call, text, reply)


@pytest.mark.parametrize(
    ("text", "reply", "fault"),
    [
        ("I cannot help with that.", "pairs", "no JSON in it: 'I cannot help with that.'"),
        ("", "pairs", "an empty reply$"),
        ("<think>On and on", "pairs", "an empty reply after its reasoning"),
        ('{"pairs": [{"question": "When?"}]}', "pairs", r"pairs\.0\.answer: Field required"),
        ('{"pairs": "none"}', "pairs", "pairs: Input should be a valid array"),
        (
            '{"pairs": [{"question": "When?", "answer": [12]}]}',
            "pairs",
            r"pairs\.0\.answer: Input should be a valid string",
        ),
        ('{"judgements": [{"id": "1", "explanation": "so"}]}', "judgements", "grounded: Field required"),
        ('{"judgements": [{"id": "1", "explanation": "", "grounded": 5}]}', "judgements", "valid boolean"),
        ('{"summaries": [{"angle": "x"}]}', "summaries", r"summaries\.0\.text: Field required"),
        ('{"pairs": [{"question": "Q?", "answer": "A"}, {"question": "At', "pairs", "it ends in the middle"),
    ],
)
def test_a_reply_that_does_not_fit_is_refused_by_the_name_of_its_fault(
    make_call: Callable[..., Call], text: str, reply: str, fault: str
) -> None:
    with pytest.raises(BadReply, match=fault) as caught:
        reply_of(make_call, text, reply)
    assert caught.value.kind == "malformed"


OF_KIND: dict[Any, Any] = {
    str: WORDS,
    bool: st.booleans(),
    float: st.sampled_from([0, 1, 1.5, 2]),
    list[str]: st.lists(WORDS, max_size=3),
}


def parts_of(kind: str) -> Any:
    """Legal parts of a kind of reply."""
    part = replies.PARTS[kind][1]
    if part is str:
        return WORDS
    kinds = {name: field.annotation for name, field in part.model_fields.items()}
    return st.fixed_dictionaries(
        {name: OF_KIND[one] if one in OF_KIND else st.sampled_from(get_args(one)) for name, one in kinds.items()}
    )


@pytest.mark.parametrize("kind", REPLIES)
@given(
    data=st.data(), finish_reason=st.sampled_from(["stop", "length"]), fenced=st.booleans(), written=st.integers(0, 200)
)
def test_of_a_legal_reply_that_was_cut_anywhere_only_whole_items_pass(
    kind: str, data: st.DataObject, finish_reason: str, fenced: bool, written: int
) -> None:
    items, (name, part) = data.draw(st.lists(parts_of(kind), min_size=1, max_size=4)), replies.PARTS[kind]
    dumps = [json.dumps(item, ensure_ascii=False) for item in items]
    before, text = "```json\n" * fenced, f'{{"{name}": [{", ".join(dumps)}]}}'
    cut = data.draw(st.integers(0, len(text) - 1))
    ends = [len(f'{{"{name}": [{", ".join(dumps[: n + 1])}') for n in range(len(items))]
    whole = sum(end <= cut for end in ends)
    for fields, follows in (({}, ()), ({}, ("cut off", "malformed")), ({"pairs": []}, ())):
        call = Call(
            "00c0ffee00c0ffee", "questions", "1", (), {"passage": "", **fields}, kind, 0.0, 100, follows=follows
        )
        completion = Completion(before + text[:cut], "m", finish_reason, prompt_tokens=9, completion_tokens=written)
        found: list[Any] = []
        with contextlib.suppress(BadReply):
            found = parse(call, completion).items
        assert found == parse(call, Completion(text, "m")).items[: len(found)]
        assert len(found) <= whole
        is_last_word = fields or follows or 0 < written < 100
        if part is not str and is_last_word and finish_reason == "length":
            assert len(found) == whole


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"facts": ["one", "tw', ["one"]),
        ('{"facts": ["one", "two"', ["one"]),
        ('{"facts": ["one", "two"]', ["one", "two"]),
        ('{"facts": ["He said "no", then left.", "two', []),
        ('{"facts": ["one", "He said "no", and', ["one"]),
        ('{"facts": ["draft"]} Better: {"facts": ["fin', []),
        ('{"facts": ["one", "...", "two", "thr', ["one", "two"]),
        ('<think>{"facts": ["no", "no"]', []),
        ('<think>Hm.</think>{"facts": ["one", "tw', ["one"]),
        ('{"facts": ["one", "b\ufffd", "thr', ["one"]),
    ],
)
def test_before_a_cut_only_what_is_surely_whole_is_kept(
    make_call: Callable[..., Call], text: str, kept: list[str]
) -> None:
    cut = Completion(text, "m", "length", prompt_tokens=400, completion_tokens=90)
    with contextlib.nullcontext() if kept else pytest.raises(BadReply, match="context is full"):
        found = parse(make_call(reply="facts"), cut)
        assert (found.facts, found.cut_off != "") == (kept, True)


TWO_FACTS = '{"facts": ["one", "two", "thr'


def test_more_room_is_asked_for_once_where_the_limit_was_ours(make_call: Callable[..., Call]) -> None:
    for written in (100, 101, 0):  # an endpoint may not say
        cut = Completion(TWO_FACTS, "m", "length", prompt_tokens=400, completion_tokens=written)
        call = make_call(reply="facts")
        with pytest.raises(BadReply, match=f"cut off after {written} tokens") as caught:
            parse(call, cut)
        more = follow_up(call, cut, caught.value)
        assert more is not None
        assert parse(more, cut).facts == ["one", "two"]


def test_where_an_estimate_stands_in_for_a_count_the_limit_may_be_ours(make_call: Callable[..., Call]) -> None:
    call = make_call(reply="facts", messages=({"role": "user", "content": "Say. " * 80},))
    cut = Completion(TWO_FACTS, "m", "length", prompt_tokens=100, completion_tokens=len(TWO_FACTS) // 4)
    with pytest.raises(BadReply, match="cut off after"):
        parse(call, cut)


@pytest.mark.parametrize(
    ("options", "most", "fix"),
    [
        ({}, 1000, "of the reply where 1,000 may be; give the server"),
        ({"num_ctx": 512}, -1, "any number may be; raise OLL"),
    ],
)
def test_where_the_context_is_full_no_room_is_asked_for_and_the_message_says_the_numbers(
    make_call: Callable[..., Call], options: dict[str, Any], most: int, fix: str
) -> None:
    call = make_call(reply="facts", max_tokens=most, options=options)
    nothing = Completion('{"facts": ["on', "m", "length", prompt_tokens=300, completion_tokens=212)
    with pytest.raises(BadReply, match="context is full: 300 tokens of the prompt, 212 of the reply") as caught:
        parse(call, nothing)
    assert fix in str(caught.value)
    assert "CHUNK_TOKENS or ITEMS_PER_CALL" in str(caught.value)
    assert follow_up(call, nothing, caught.value) is None
    kept = parse(call, replace(nothing, text=TWO_FACTS))
    assert (kept.facts, kept.cut_off) == (["one", "two"], str(caught.value))


def test_a_reply_with_ids_is_kept_at_once_up_to_its_cut(make_call: Callable[..., Call]) -> None:
    text = '{"pairs": [{"id": "f1", "question": "q", "answer": "a"}, {"id": "f1", "ques'
    for fields, pairs in (({"facts": [{"id": "f1"}], "passage": ""}, 1), ({"passage": ""}, 0)):
        call = make_call(fields=fields)
        with contextlib.nullcontext() if pairs else pytest.raises(BadReply):
            assert len(parse(call, Completion(text, "m", "length", completion_tokens=100)).pairs) == pairs


def test_an_end_in_the_middle_is_told_to_the_model_where_nothing_is_whole(make_call: Callable[..., Call]) -> None:
    with pytest.raises(BadReply, match="it ends in the middle") as caught:
        reply_of(make_call, '{"facts": ["on', "facts", prompt_tokens=300, completion_tokens=5)
    assert caught.value.kind == "malformed"


def test_a_reply_that_was_cut_off_is_refused_even_where_it_parses(make_call: Callable[..., Call]) -> None:
    with pytest.raises(BadReply, match="cut off after 100 tokens") as caught:
        reply_of(make_call, '{"pairs": []}', finish_reason="length", completion_tokens=100)
    assert caught.value.kind == "cut off"


def test_a_reply_that_the_endpoint_withholds_is_refused_with_what_it_says(make_call: Callable[..., Call]) -> None:
    with pytest.raises(BadReply, match="withheld by the endpoint: I cannot") as caught:
        reply_of(make_call, "I cannot", finish_reason="content_filter")
    assert caught.value.kind == "withheld"


@pytest.mark.parametrize(
    ("text", "thought", "rest"),
    [
        ("<think>\nIs it {x}?\n</think>\n\n{}", "Is it {x}?", "{}"),
        ("  <think></think>{}", "", "{}"),
        ("Is it [x]?\n</think>\n{}", "Is it [x]?", "{}"),  # the template has opened the block
        ("</think>\n{}", "", "{}"),
        ("<think>On and on", "On and on", ""),
        ("<think>a</think>[</think>]", "a", "[</think>]"),
        ('{"facts": ["</think> ends it"]}', "", '{"facts": ["</think> ends it"]}'),
        ('["<think></think>"]', "", '["<think></think>"]'),
        ('```json\n{"facts": ["</think>"]}\n```', "", '```json\n{"facts": ["</think>"]}\n```'),
        ("<thinking>Hm.</thinking><thought>So.</thought>{}", "Hm.\nSo.", "{}"),
        ("[THINK]Is it [x]?[/THINK]{}", "Is it [x]?", "{}"),
        ("<|begin_of_thought|>Hm.<|end_of_thought|>{}", "Hm.", "{}"),
        ("\u25c1think\u25b7Hm.\u25c1/think\u25b7{}", "Hm.", "{}"),
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{}",
            "Hm.<|end|><|start|>assistant",
            "{}",
        ),
        ("  plain words ", "", "plain words"),
        ("", "", ""),
    ],
)
def test_thinking_is_told_from_the_reply(text: str, thought: str, rest: str) -> None:
    assert split_thinking(text) == (thought, rest)


def test_a_reply_brings_along_what_its_model_thought_and_how_it_came(make_call: Callable[..., Call]) -> None:
    tagged = reply_of(make_call, f"<think>Hm.</think>{json.dumps(PAIRS)}", completion_tokens=7)
    assert (tagged.thinking, tagged.completion.completion_tokens) == ("Hm.", 7)
    assert reply_of(make_call, json.dumps(PAIRS), reasoning="In a field.").thinking == "In a field."
    assert reply_of(make_call, json.dumps(PAIRS)).thinking == ""
    assert "Hm." not in tagged.model_dump_json()


def test_tags_of_thinking_in_the_text_of_a_reply_are_text(make_call: Callable[..., Call]) -> None:
    text = json.dumps({"pairs": [{"question": "What ends <think>?", "answer": "</think> does."}]})
    for wrapped in (text, f"```json\n{text}\n```", f"<think>Hm.</think>{text}"):
        assert reply_of(make_call, wrapped).pairs[0].answer == "</think> does."


def pairs_text(*pairs: tuple[str, str]) -> str:
    return json.dumps({"pairs": [{"question": question, "answer": answer} for question, answer in pairs]})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (r"\frac{1}{2}", r"\frac{1}{2}"),
        (r"\beta", r"\beta"),
        (r"2 \times 3", r"2 \times 3"),
        (r"$\nu$ and $x \to y$", r"$\nu$ and $x \to y$"),
        (r"\rho \neq \theta", r"\rho \neq \theta"),
        (r"\alpha", r"\alpha"),
        (r"C:\new", r"C:\new"),
        (r"D:\temp\bin\readme.txt", r"D:\temp\bin\readme.txt"),
        (r"C:\\new\\table", r"C:\new\table"),
        (r"one\ntwo", "one\ntwo"),
        (r"Q:\nwhat", "Q:\nwhat"),
        (r"a\tan apple", "a\tan apple"),
        (r"first\ne poi", "first\ne poi"),
        (r"equal\nnot so", "equal\nnot so"),
        (r"\\frac", r"\frac"),
        (r"caf\u00e9 \"x\" a\/b", 'caf\u00e9 "x" a/b'),
    ],
)
def test_a_backslash_that_a_model_forgot_to_double_is_kept(
    make_call: Callable[..., Call], said: str, meant: str
) -> None:
    text = pairs_text(("What is it?", "@")).replace("@", said)
    for wrapped in (text, f"```json\n{text}\n```"):
        assert reply_of(make_call, wrapped).pairs[0].answer == meant


def test_a_draft_is_not_the_reply(make_call: Callable[..., Call]) -> None:
    draft, final = pairs_text(("Who?", "a draft")), pairs_text(("Who?", "Ann"))
    assert [pair.answer for pair in reply_of(make_call, f"First: {draft} Better: {final}").pairs] == ["Ann"]
    assert [pair.answer for pair in reply_of(make_call, f"<thinking>{draft}</thinking>{final}").pairs] == ["Ann"]
    with pytest.raises(BadReply, match="ends in the middle"):
        reply_of(make_call, f"First: {draft} Better: {final[:-6]}")


def test_a_reply_in_two_fences_is_one_reply(make_call: Callable[..., Call]) -> None:
    one, two = pairs_text(("Who?", "Ann")), pairs_text(("When?", "at noon"))
    found = reply_of(make_call, f"Part 1:\n```json\n{one}\n```\nPart 2:\n```json\n{two}\n```")
    assert [pair.answer for pair in found.pairs] == ["Ann", "at noon"]


def test_a_placeholder_and_a_pair_of_the_worked_example_never_become_pairs(make_call: Callable[..., Call]) -> None:
    text = pairs_text(("...", "..."), ("Who?", "Ann"), ("<question>", "x"), ("Where?", "\u2026"))
    assert [pair.answer for pair in reply_of(make_call, text).pairs] == ["Ann"]
    example = WorkedExample("The bell is old.", (("How is the bell?", "old"), ("Who?", "Ann")))
    call = make_call(fields={"worked_example": example, "passage": "Ann rings."})
    copied = parse(call, Completion(pairs_text(("How is the bell?", "old"), ("Who?", "Ann")), "m"))
    assert [pair.answer for pair in copied.pairs] == ["Ann"]  # which stands in the passage, too
    with pytest.raises(BadReply, match="repeats the shape that was asked for, or the example"):
        parse(call, Completion(pairs_text(("How is the bell?", "old")), "m"))


ANY_TEXT = st.text(st.characters(), max_size=30)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(
    content=ANY_JSON,
    kind=st.sampled_from(list(REPLIES)),
    cut=st.integers(0, 40),
    around=st.sampled_from(["{}", "x {} [1]"]),
)
def test_any_json_is_a_reply_or_is_refused(content: Any, kind: str, cut: int, around: str) -> None:
    name, _ = replies.PARTS[kind]
    call = Call("00c0ffee00c0ffee", "questions", "1", (), {"passage": ""}, kind, 0.0, 100)
    for value in (content, {name: content}, {name: [content]}):
        text = around.replace("{}", json.dumps(value))
        for said in (text, text[:-cut] if cut else text):
            with contextlib.suppress(BadReply):
                assert isinstance(parse(call, Completion(said, "m")).items, list)


def test_a_number_of_5000_digits_and_half_a_character_refuse_one_reply_and_end_nothing(
    make_call: Callable[..., Call],
) -> None:
    digits = "7" * 5000
    found = reply_of(make_call, '{"pairs": [{"question": "How many?", "answer": ' + digits + "}]}")
    assert found.pairs[0].answer == digits
    with pytest.raises(BadReply):
        reply_of(make_call, r'{"pairs": [{"question": "Who?", "answer": "\ud800"}]}')
    with pytest.raises(BadReply, match="a character in it is broken"):
        reply_of(make_call, pairs_text(("Who?", "\ufffd")).replace("\\ufffd", "\ufffd"))
