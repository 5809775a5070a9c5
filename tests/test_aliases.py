"""Names of one thing in the files of several tools."""

import math
from typing import Any

import pytest

from ai_tools import aliases


@pytest.mark.parametrize("nothing", [None, "", " \n", [], math.nan])
def test_a_name_that_says_nothing_does_not_hide_another_that_does(nothing: Any) -> None:
    row = {"question": nothing, "prompt": "When?"}
    assert aliases.is_nothing(nothing)
    assert aliases.first(row, aliases.QUESTION) == ("prompt", "When?")


@pytest.mark.parametrize("value", [0, False, "0", {}, [None]])
def test_a_zero_says_something(value: Any) -> None:
    assert aliases.first({"id": value, "sample_id": "s"}, aliases.PAIR_ID) == ("id", value)


def test_where_no_name_says_anything_the_one_that_is_there_is_told_with_what_it_has() -> None:
    assert aliases.first({"output": " "}, aliases.ANSWER) == ("output", " ")
    assert aliases.first({"body": "At noon."}, aliases.ANSWER) == ("", None)


def test_our_own_name_comes_first() -> None:
    ours = {"text", "chunk_id", "file", "document_id", "title", "heading_path", "question", "answer", "source_text"}
    tables = [value for name, value in vars(aliases).items() if name.isupper() and isinstance(value, tuple)]
    assert ours <= {names[0] for names in tables}
    assert all(names[0] == name for name, names in aliases.NUMBERS.items())
    assert all(aliases.ROLES[role] == role for role in aliases.ROLES.values())
