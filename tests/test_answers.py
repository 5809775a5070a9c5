"""Short forms: the number, name or span of time that a question asks for."""

import pytest

from offline_teacher.answers import short_form


@pytest.mark.parametrize(
    ("question", "answer", "short"),
    [
        ("How many registered shelters are there?", "38 registered shelters", "38"),
        ("How many holders may an account have?", "at most four holders", "four"),
        ("How many days does a review take?", "up to 18 days", "18 days"),
        ("How soon must a lamp be replaced?", "within 48 hours", "48 hours"),
        ("How often are files reviewed?", "every eight months", "every eight months"),
        ("What is the fine?", "up to 40,000 crowns", "40,000 crowns"),
        ("How many tessars may be withdrawn?", "up to 75 tessars a day", "75 tessars"),
        ("Above how many metres is a pilot needed?", "14 metres", "14 metres"),
        ("Which engine compares faces?", "the engine Facet", "Facet"),
        ("On which day of the week does it meet?", "every second Wednesday", "Wednesday"),
        ("Who shreds paper?", "a contractor named Fairhaven Disposal", "Fairhaven Disposal"),
        ("What is put on the account?", "an address flag called a heron mark", "a heron mark"),
        ("Which form is signed?", "Form K-17 in the presence of a manager", "Form K-17"),
    ],
)
def test_the_core_that_was_asked_for_remains(question: str, answer: str, short: str) -> None:
    assert short_form(question, answer) == short


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who signs the notice?", "the Head of Client Affairs"),
        ("What must a client bring?", "a passport and a photograph"),
        ("When is a review early?", "when the client moves abroad"),
        ("Who decides?", "the Lantern Desk"),
        ("Why is the lamp tested?", "to withstand a fire"),
        ("Which people are included?", "mayors of towns with more than 50,000 inhabitants"),
    ],
)
def test_an_answer_without_a_shorter_form_stays_as_it_is(question: str, answer: str) -> None:
    assert short_form(question, answer) == answer
