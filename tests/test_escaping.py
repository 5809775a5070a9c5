"""What is not seen of a name is written out, and left out of a title; letters that need joiners keep them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_tools.errors import InputError
from ai_tools.escaping import escaped, one_line

ACTS = {"Cc", "Cs", "Zl", "Zp"}
TURNS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


@given(st.text(st.characters()))
def test_nothing_that_acts_on_a_terminal_or_turns_a_line_is_left(text: str) -> None:
    for shown in (escaped(text), one_line(text), str(InputError(text))):
        assert not [one for one in shown if unicodedata.category(one) in ACTS or one in TURNS]
        shown.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[31m\nb.md", "a\\x1b[31m\\nb.md"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("tag\U000e0041", "tag\\U000e0041"),
        (
            "\u0645\u06cc\u200c\u0631\u0648\u062f \u0915\u094d\u200d\u0937 \u00e9 e\u0301 \U0001f469\u200d\U0001f52c",
            None,
        ),
    ],
)
def test_a_name_is_shown_with_what_is_not_seen_written_out(name: str, shown: str | None) -> None:
    assert escaped(name) == (shown or name)


def test_a_title_is_one_line_of_what_is_seen() -> None:
    assert one_line(" Kunden\xaddienst\n\x1b[1mfor\u2028all\u200f ") == "Kundendienst [1mfor all"
