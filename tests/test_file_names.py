"""Names of files that are made of documents."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from ai_tools.documents import file_names
from ai_tools.documents.file_names import LONGEST, of_documents, tell_apart

PATHS = st.lists(st.text("aAb./_\\\x00e\u0301\u00e9", max_size=9) | st.sampled_from(["x" * 300, "x" * 300 + ".md"]))


@given(PATHS)
@hypothesis(deadline=None, max_examples=200)
def test_no_two_names_are_alike_to_any_file_system_and_none_is_too_long(paths: list[str]) -> None:
    names = of_documents(paths)
    assert len({name.casefold() for name in names}) == len(paths)
    assert all(len(name.encode()) <= LONGEST and not set(name) & set("/\\\x00") for name in names)
    assert names == of_documents(paths)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["03_photo.md", "more/bells.md"], ["03_photo", "more__bells"]),
        (["a.md", "a.txt", "b.md"], ["a.md", "a.txt", "b"]),
        (["rules v2.1", "notes.2024"], ["rules v2.1", "notes.2024"]),  # no suffixes
        (["x\\y.md", "cafe\u0301.md"], ["x__y", "caf\u00e9"]),
    ],
)
def test_a_name_is_the_path_without_its_suffix_where_that_will_do(paths: list[str], names: list[str]) -> None:
    assert of_documents(paths) == names


def test_a_name_that_gives_way_may_take_no_other_for_its_own() -> None:
    offers = [("a", "a.md", "1"), ("A", "A.txt", "2"), ("a.md", "a.md.pdf", "3")]
    assert tell_apart(offers) == ["1", "A.txt", "a.md.pdf"]
    assert tell_apart([("a",), ("a",)]) == ["a", "a"]  # there is nothing else


def test_what_is_too_long_ends_in_its_mark() -> None:
    assert file_names.fitting("\u00e9" * 300, "mark") == "\u00e9" * 97 + "-mark"
