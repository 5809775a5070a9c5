"""Text against text: what counts as the same words, the same question, the same answer, the same facts."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_tools.matching import contains, missing_facts, near_duplicates, ngrams, normalise, token_f1, words


@given(
    st.text()
    | st.lists(st.sampled_from(["1,260", "K-10", "a1,2b", "İ", "ΑΣ", "11:00.", "_", "é", "漢a", "10²", "กี่", "की"])).map(
        " ".join
    )
)
@settings(deadline=None)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(), st.sampled_from(["?", "!", " ", "…", '"', "\n"]))
@settings(deadline=None)
def test_case_and_punctuation_around_a_text_do_not_count(text: str, mark: str) -> None:
    assert normalise(f"{mark}{text}{mark}") == normalise(text)
    assert normalise("WHO RINGS THE BELL") == normalise("Who rings the bell?")


def test_numbers_stay_whole_and_words_of_any_script_count() -> None:
    assert words("At 11:00, 1,260 tessars (K-10)!") == ["at", "11:00", "1,260", "tessars", "k", "10"]
    assert words("Überprüfung 漢字 Москва") == ["überprüfung", "漢", "字", "москва"]


def test_where_a_script_has_no_spaces_each_character_with_its_marks_is_a_word() -> None:
    assert words("第24条のコーヒー") == ["第", "24", "条", "の", "コ", "ー", "ヒ", "ー"]
    assert words("กี่เดือน") == ["กี่", "เ", "ดื", "อ", "น"]
    assert words("पंप की सीमा") == ["पंप", "की", "सीमा"]
    assert words("각각 24 개월") == ["각각", "24", "개월"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("２４か月", "24か月"),
        ("ﾎﾟﾝﾌﾟ", "ポンプ"),
        ("२४ महीने", "24 महीने"),
        ("PRU\u0308FUNG", "prüfung"),
        ("STRASSE", "straße"),
        ("Bell\u00adringer", "bellringer"),
        ("می\u200cخواهم", "میخواهم"),
        ("ﬁve m² of CO₂", "five m ² of co2"),
        ("1½ bells", "1 1/2 bells"),
    ],
)
def test_forms_of_printing_do_not_count(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert normalise("10²") != normalise("102")
    assert normalise("की") != normalise("के")


def test_every_character_is_normalised_once_and_for_all() -> None:
    for sign in map(chr, range(0x110000)):
        if unicodedata.normalize("NFKC", sign).casefold() != sign:
            once = normalise(f"a{sign}b")
            assert once == normalise(once), hex(ord(sign))


def test_the_title_in_front_of_a_question_is_taken_off_once() -> None:
    assert normalise("In the Bell Book, who rings?", "The bell book") == "who rings"
    assert normalise("Who rings in the bell book?", "the bell book") == "who rings in the bell book"
    assert normalise("In May, who rings?", "") == "in may who rings"


def test_ngrams_are_all_runs_of_words_and_none_of_a_short_text() -> None:
    assert ngrams("one two three four", 3) == {("one", "two", "three"), ("two", "three", "four")}
    assert ngrams("one two three four five six seven") == set()
    assert len(ngrams("one two three four five six seven eight")) == 1


def test_near_duplicates_are_found_by_their_shared_words() -> None:
    found = near_duplicates(
        ["Who rings the big bell at noon?", "Where is the lamp?"],
        ["When is tea?", "At noon, who rings a big bell daily?"],
    )
    assert found == [(0, 1, 0.857)]


def test_near_duplicates_are_found_where_words_have_no_spaces() -> None:
    asked, other = "ポンプの保証期間は何か月ですか", "ポンプの点検はだれがしますか"
    assert near_duplicates([asked], ["ポンプの保証期間は何か月でしょうか", other]) == [(0, 0, 0.765)]


def test_near_duplicates_of_a_text_with_itself_are_complete_and_empty_texts_match_nothing() -> None:
    assert near_duplicates(["Bell?"], ["bell"], threshold=1.0) == [(0, 0, 1.0)]
    assert near_duplicates(["", "the"], ["", "a"]) == []


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("It rings at noon, daily.", "at noon", True),
        ("The Chief Officer decides.", "a chief officer", True),
        ("It rings at 11:00.", "1", False),
        ("Nothing.", "", False),
        ("noon at", "at noon", False),
        ("保修期为二十四个月。", "二十四个月", True),
        ("保修期为24个月。", "４个月", False),
        ("鐘は正午に鳴る。", "正午", True),
        ("ใช้ได้สี่สิบลิตร", "สี่สิบลิตร", True),
        ("पंप की सीमा", "पंप के", False),
    ],
)
def test_an_answer_is_contained_where_its_words_stand_in_a_row(text: str, answer: str, expected: bool) -> None:
    assert contains(text, answer) is expected


def test_f1_is_the_overlap_of_two_bags_of_words() -> None:
    assert token_f1("the bell at noon", "bell noon") == pytest.approx(0.8)
    assert token_f1("bell bell", "bell") == pytest.approx(2 / 3)
    assert (token_f1("", ""), token_f1("", "bell"), token_f1("a", "the")) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("It is 1,260 tessars.", "1260 tessars it is."),
        ("After 7 days.", "After seven days."),
        ("after twenty-one days", "after 21 days"),
        ("A 7-day rest.", "A rest of seven days."),
        ("3-5 days", "between 3 and 5 days"),
        ("5 days or more", "5 or more days"),
        ("12 km, 50%, $5", "12 kilometres, 50 per cent, 5 dollars"),
        ("At -5 \u00b0C.", "At minus 5 \u00b0C."),
        ("on 1 May 2024, at 11:00.", "at 11:00 on May 1, 2024"),
        ("1 day", "one day"),
        ("Nobody but one of them knows.", "nobody else knows them but"),
        ("Ada's rope", "the rope of Ada"),
        ("Ada\u2019s rope", "the rope of Ada"),
        ("Jean-Luc rings.", "It is Jean Luc who rings."),
        ("the NATO", "the Nato"),
        ("Bells are rung.", "A bell is rung."),
        ("a non-European bell", "a bell from outside, not European"),
        ('He says "Ring it."', "He says: ring it!"),
        ("Say \u201eRing it\u201c and \u00abgo\u00bb", "say 'ring it', then 'go'"),
        ("Use `ls  -l`.", "Use ls -l."),
        ("```sh\necho a\n  b\n```", "So:\n```\necho a\nb\n```"),
        ("Das Seil prüft der Glockenmeister jährlich.", "Der Glockenmeister prüft jährlich das Seil."),
        ("Über das Seil", "über das Seil"),
        ("Колокол звонит", "там колокол"),
        ("鐘が鳴る", "鳴る"),
        ("Kubernetesは２４台です", "Kubernetesが24台ある"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_same_facts_in_other_words_are_not_missed(text: str, other: str) -> None:
    assert missing_facts(text, other) == []


@pytest.mark.parametrize(
    ("text", "other", "lost"),
    [
        ("It is 1,260 tessars.", "It is 1,206 tessars.", ["1260"]),
        ("7 days", "seven weeks", ["7 days"]),
        ("12 km or 3 h", "12 miles or 3 h", ["12 km"]),
        ("5 % of it", "5 of it", ["5 %"]),
        ("three million", "3 billion", ["3 million"]),
        ("twenty days", "thirty days", ["20"]),
        ("3-5 days", "3 days", ["5"]),
        ("At -5.", "At 5.", ["-5"]),
        ("Ada rings it.", "She rings it.", ["Ada"]),
        ("Rung by Jean-Luc of NATO", "rung by Jean", ["Jean-Luc", "NATO"]),
        ("on the iPhone", "on the phone", ["iPhone"]),
        ('say "ring it"', "say it", ['"ring it"']),
        ("use `ls -l`", "use ls", ['"ls -l"']),
        ("```\necho a\n```", "```\necho b\n```", ['"echo a"']),
        ("am Seil", "an ihm", ["Seil"]),
        ("On 5 May, Ada says 9.", "", ["5", "May", "Ada", "9"]),
    ],
)
def test_a_fact_that_is_not_there_is_named_in_the_order_of_the_text(text: str, other: str, lost: list[str]) -> None:
    assert missing_facts(text, other) == lost


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("However, it rings. Therefore the rope is checked.", []),
        ("Ropes are checked.", []),
        ("Bob checks the rope.", ["Bob"]),
        ("It rings. Bob checks it.", ["Bob"]),
    ],
)
def test_a_linking_word_that_begins_a_sentence_is_no_new_name_and_a_name_is(text: str, added: list[str]) -> None:
    assert missing_facts(text, "It rings, and the rope is checked.", whole=False) == added


def test_emphasis_by_underscores_hides_no_name() -> None:
    assert missing_facts("_Ada_ keeps the _B", "_Ada_ keeps the _B") == []
    assert missing_facts("Then Ada rang.", "Then _Ada_ rang.") == []


@given(
    st.text() | st.lists(st.sampled_from(["Ada", "7", "days", "-5", '"x"', "`", "```", "\n", "$", "one"])).map(" ".join)
)
@settings(deadline=None)
def test_no_text_lacks_its_own_facts(text: str) -> None:
    assert missing_facts(text, text) == []


def test_facts_of_a_long_text_are_found_in_time() -> None:
    began = time.monotonic()
    missing_facts("The Bell of 7 days rings. " * 4_000, "a bell " * 4_000)
    assert time.monotonic() - began < 2
