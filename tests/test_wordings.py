"""Facts and questions made by rules of grammar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks import questions

from offline_teacher import wordings
from offline_teacher.facts import Fact, facts, proper_words, sentences

CORPUS = sorted((Path(__file__).parents[1] / "assets" / "corpus").glob("*.md"))


def asked(sentence: str, exam: bool = False) -> dict[str, str]:
    fact = Fact(sentence, "Storage rules", sentence)
    return {w.question: w.answer for w in wordings.wordings(fact) if w.exam == exam}


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "The ledger must be sealed within 36 hours.",
            "Within how many hours must the ledger be sealed?",
            "36 hours",
        ),
        ("Old maps are kept for nine years.", "How long are old maps kept?", "nine years"),
        (
            "The Tide Office checks the pumps every 18 months.",
            "How often does the Tide Office check the pumps?",
            "every 18 months",
        ),
        ("A raft flag can be removed only by the Tide Warden.", "Who can remove a raft flag?", "the Tide Warden"),
        (
            "Charts may be sent only through the closed post system Merlin.",
            "Through which closed post system may charts be sent?",
            "Merlin",
        ),
        (
            "A copy of the log is carried by hand to the Harbour Directorate.",
            "To which directorate is a copy of the log carried by hand?",
            "the Harbour Directorate",
        ),
        (
            "The red key is kept in the drawer of the Tide Officer.",
            "In the drawer of which officer is the red key kept?",
            "the Tide Officer",
        ),
        ("The keeper is given the Form T-4.", "Which form is the keeper given?", "Form T-4"),
        ("The keeper is given leaflet T-5.", "Which leaflet is the keeper given?", "leaflet T-5"),
        (
            "A raft with only one sail needs an extra permit.",
            "What does a raft with only one sail need?",
            "an extra permit",
        ),
        (
            "Every keeper must record the level on Form T-4.",
            "On which form must every keeper record the level?",
            "Form T-4",
        ),
        ("Complaints are heard by the Harbour Judge.", "Who hears complaints?", "the Harbour Judge"),
        ("Complaints are heard by the Harbour Judge.", "By whom are complaints heard?", "the Harbour Judge"),
        ("The Head of Pumps is Ada Winter.", "Who is the Head of Pumps?", "Ada Winter"),
        ("The Head of Pumps is Ada Winter.", "What is the role of Ada Winter?", "the Head of Pumps"),
        ("The list of wrecks is called the Grey Roll.", "What is the list of wrecks called?", "the Grey Roll"),
        ("The list of wrecks is called the Grey Roll.", "What is the Grey Roll?", "the list of wrecks"),
        (
            "If the pump fails, the keeper must ring the bell.",
            "What must the keeper do if the pump fails?",
            "ring the bell",
        ),
        (
            "If the pump fails, the keeper must ring the bell.",
            "Under what condition must the keeper ring the bell?",
            "if the pump fails",
        ),
        (
            "A raft may carry no more than six barrels.",
            "How many barrels may a raft carry?",
            "six",
        ),
        ("A permit must not be older than 40 days.", "How old may a permit be at most?", "40 days"),
        (
            "A berth is a place where one ship may lie.",
            'What does the term "berth" mean?',
            "a place where one ship may lie",
        ),
        ("Tin chests are stored in Marrow Bay.", "Where are tin chests stored?", "in Marrow Bay"),
        ("A wet rope is never accepted.", "Is a wet rope accepted?", "No, a wet rope is never accepted"),
        (
            "There are three kinds of lamp: red, green and white.",
            "What are the three kinds of lamp?",
            "red, green and white",
        ),
        (
            "The east gate is open from Tuesday to Saturday.",
            "On which days is the east gate open?",
            "from Tuesday to Saturday",
        ),
        ("The east gate was opened on 3 May 1974.", "On what date was the east gate opened?", "3 May 1974"),
        (
            "The harbour fee is due unless the visitor is a student.",
            "When is the harbour fee not due?",
            "if the visitor is a student",
        ),
        ("A pilot may not leave unless the Judge agrees.", "In what case may a pilot leave?", "if the Judge agrees"),
        (
            "Pesticides are forbidden in the harbour garden.",
            "Are pesticides allowed in the harbour garden?",
            "No, pesticides are forbidden in the harbour garden",
        ),
        (
            "Not every guest can see the harbour vault.",
            "Can every guest see the harbour vault?",
            "No, not every guest can see the harbour vault",
        ),
        ("Visitors must not feed the gulls.", "What must visitors not feed?", "the gulls"),
        ("A red flag is sent by hand to the Tide Office.", "How is a red flag sent to the Tide Office?", "by hand"),
        ("The keeper rings the brass bell at noon.", "By whom is the brass bell rung at noon?", "the keeper"),
        ("The Tide Office owns 28 keys.", "What is the number of keys that the Tide Office owns?", "28"),
        (
            "Boats should lie on the default branch of the river.",
            "On what should boats lie?",
            "the default branch of the river",
        ),
        (
            "A pilot may be called at most three times in one month.",
            "How many times may a pilot be called in one month?",
            "three",
        ),
        (
            "A pilot with more than four serious errors in a year is suspended.",
            "A pilot with more than how many serious errors in a year is suspended?",
            "four",
        ),
        (
            "A leak of grade five must be closed within 45 days.",
            "Within how many days must a leak of grade five be closed?",
            "45 days",
        ),
        ("Every harbour must name a Tide Warden.", "Which warden must every harbour name?", "a Tide Warden"),
        ("The Tide Office rings about 30 bells.", "How many bells does the Tide Office ring?", "30"),
        (
            "The harbour gate is no longer locked at night.",
            "Is the harbour gate locked at night?",
            "No, the harbour gate is no longer locked at night",
        ),
        (
            "Lamp oil was added with Harbour version 3.1.",
            "With which version was lamp oil added?",
            "Harbour version 3.1",
        ),
        (
            "The harbour law treats a raft as a small ship.",
            "What does the harbour law treat as a small ship?",
            "a raft",
        ),
    ],
)
def test_a_fact_gets_the_question_that_a_careful_person_would_ask(sentence: str, question: str, answer: str) -> None:
    assert asked(sentence).get(question) == answer


def test_verbs_agree_with_their_subject_after_do_support_and_inversion() -> None:
    assert "How long do keepers hold the key?" in asked("Keepers hold the key for two days.")
    assert "How long does a keeper hold the key?" in asked("A keeper holds the key for two days.")
    assert "How long did the keeper hold the key?" in asked("The keeper held the key for two days.")


@pytest.mark.parametrize(
    "text",
    [
        "Die Akte wird nach drei Jahren vernichtet. Der Bericht bleibt im Archiv.",
        "Le registre est gardé pendant trois ans. La clef reste au port.",
        "数据保存三年。",
        "x = 3; y = f(x) && !z",
        "",
    ],
)
def test_text_that_is_no_english_prose_gives_no_question(text: str) -> None:
    assert [w for fact in facts(text) for w in wordings.wordings(fact)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Harbour directories removed by the script since the disk is full.",  # "removed" is no finite verb
        "Technical information about the format of the ledger is in Ledger formats.",  # points to another page
        "The lamp log `Tide` files kept here must follow the old rules that is new.",
        "The new list replaces the old.",
        "A berth is a place.",
        "Then the lamp is set on the wall of the harbour.",
        "For example, the lamp of the harbour holds 40 litres.",
        "Others are lamps that the Judge of the harbour has sealed.",
        "Prints help information.",
        "Adds about five lamps to the tower of the harbour.",
        "Extra `--red` flags passed to the harbour tool.",
        "The lamp of the harbour uses whatever oil is sold by the Judge.",
        "A gap of nine metres is a good choice.",
        "Most lamps in the harbour are non-electric.",
    ],
)
def test_a_sentence_that_is_read_wrongly_or_says_little_asks_nothing(sentence: str) -> None:
    assert [w for _, found in wordings.asked(sentence) for w in found if w.kind != "name"] == []


@pytest.mark.parametrize(
    ("sentence", "fragment"),
    [
        ("The keeper must ring the bell and call the owners of this box.", "this"),
        ("Two lamps that burn the same oil must not hang in the tower.", "How many"),
        ("The files consist of a single page possibly signed by the Judge.", "By whom"),
        ("The tools are provided for keepers wishing to leave.", "purpose"),
        ("The gate is opened by a change to the red lever.", "By what"),
        ("Ada Winter and Olaf Stone are the wardens of the tower.", "Who is Ada Winter and Olaf Stone"),
        ("It is possible to open the gate without a key.", "it"),
        ("Ropes are sorted based on the age of the fibre.", r"based\?"),
        ("The harbour clock rings about 100 times when the tide turns.", "H.* ring about"),
        ("The watch tower closes by locking the door then calling the ferry.", "How .* then"),
        ("If the rope is moved, cut or lost after a storm, the ferry to Marrow Bay stops.", r"moved\?"),
        ("Wet ropes are sorted first since they are the heaviest.", "What is sorted .* they"),
        (
            "If the lamp fails, the Tide Office closes the gate and returns BAY_SHUT.",
            "does the Tide Office close .*returns",
        ),
        ("A lamp wears a seal in cases where the Judge asks for one.", "What does a lamp wear"),
        ("The lamp format was settled in the 1.63 release.", "number|many"),
        ("The lamp log has zero or more pages of entries.", "number of pages|How many"),
        ("The Tide Office uses a key of up to 90 letters in length and no lock.", "Of how many"),
        ("The harbour law treats a raft as a small ship.", r"treat\?"),
        ("No pilot of the bay may carry oil to the island.", "What may no"),
        ("Rowing boats must, however, carry a lamp with a red glass.", "however"),
        ("Somehow, the bell of the tower must be rung before the ferry leaves.", "omehow"),
        ("Some lamps of the harbour do not show the depth of the water.", "What do some"),
        ("The Judge would close the gate of the harbour.", "would"),
        ("A guard who reads the log, or other lists, carries a lamp.", "What is the log"),
        ("The wardens pay for the care of lamps and in return receive nine barrels of oil.", r"return receives?"),
        ("The old lamp is a lamp that uses oil if it is dry but falls back to wax.", "but"),
        ("Ropes lie in a box named by the argument to the keeper of the harbour.", "is the box"),
        ("Recent lamps of the harbour have increased its speed by nine knots.", "Which lamps"),
        ("Not more than two pilots may board a ship in the bay.", "May not"),
        ("A pilot can request and expect to receive nine barrels of oil.", r"request\?"),
        ("A lamp works with the default east and north winds but might be dim in the bay.", r"default east\?"),
        ('A "dry rope" is a rope that has lain in the sun for nine days.', '""'),
        ("The guard must close the gate of the bay after it has done with it.", "it .* it"),
        ("A wet rope might become a hazard to the boats of the bay.", "might"),
        ("The ROLLBACK command with a TO clause rolls back the boats of the bay.", "What commands"),
        ("Boats may not be fully dry in some harbours of the bay.", "May boats"),
        ("A leak can be found by observing when the tide turns in the bay.", "How|In what way"),
        ("Keepers must put a seal on each box into which they put ropes.", "put into which"),
        ("The harbour keeps a common list, known as tide files.", "does tide files"),
    ],
)
def test_no_question_is_cut_from_the_middle_of_a_phrase_or_points_outside(sentence: str, fragment: str) -> None:
    assert not [q for q in asked(sentence) if re.search(rf"\b{fragment}\b", q)]


def test_two_facts_that_answer_one_question_differently_do_not_ask_it() -> None:
    passage = "The pump is tested for nine days. The ferry stops. The pump is tested for ten days."
    questions = [w.question for _, found in wordings.asked(passage) for w in found]
    assert "How many days is the pump tested?" not in questions
    assert not [q for q in questions if q.startswith(("How long", "For how"))]


def test_two_answers_from_one_sentence_are_joined() -> None:
    passage = "If the lamp of the harbour breaks, the keeper rings the bell and the ferry stops at once."
    answers = {w.question: w.answer for _, found in wordings.asked(passage) for w in found}
    joined = answers["What happens if the lamp of the harbour breaks?"]
    assert joined == "the keeper rings the bell and the ferry stops at once"


def test_a_thing_that_the_section_introduced_is_asked_about_in_its_section() -> None:
    passage = "## Night watch\n\nEach keeper carries a whistle. The whistle must be tested by Ada Winter."
    questions = [w.question for _, found in wordings.asked(passage) for w in found if "whistle be" in w.question]
    assert questions
    assert all(q.startswith("In the section on night watch, ") for q in questions)


def test_a_deed_without_its_object_and_a_name_are_asked_about_in_their_section() -> None:
    found = asked("The deletion cannot be undone by the Judge of the harbour.")
    assert all("In the section" in question for question in found if "the deletion" in question)
    assert not any("mcTide" in q for q in asked("McTide examines the list for the Judge of the harbour."))


def test_a_question_on_something_vague_names_its_section_or_is_not_asked() -> None:
    sentence = "The list is kept by the Lamp Board."
    with_section = asked(sentence)
    assert with_section
    assert all("the list" not in q.lower() or q.startswith("In the section on storage rules") for q in with_section)
    assert not [w for w in wordings.wordings(Fact(sentence, "", sentence)) if "the list" in w.question.lower()]


@pytest.mark.parametrize("page", CORPUS, ids=lambda p: p.stem)
def test_every_page_of_the_sample_handbook_is_covered_by_sound_questions(page: Path) -> None:
    passage = page.read_text()
    names = proper_words(passage)
    numbers = set(re.findall(r"\d[\d.,:]*\d|\d", passage))
    asked_of: dict[str, int] = {}
    for fact in facts(passage):
        assert fact.source in passage
        for w in wordings.wordings(fact, names):
            assert w.question[0].isupper()
            assert w.question.endswith("?")
            bare = re.sub(r'^In the section "[^"]+"|such as ', "", w.question)  # a heading is quoted as it stands
            assert not re.search(r"  | ,|\?\?|\b(this|these|such) ", bare)
            assert set(re.findall(r"\d[\d.,:]*\d|\d", w.answer)) <= numbers
            asked_of[fact.source] = asked_of.get(fact.source, 0) + (not w.exam)
    found = [s.text for s in sentences(passage)]
    assert sum(bool(asked_of.get(text)) for text in found) / len(found) >= 0.88
    assert sum(asked_of.values()) / len(found) >= 3.5


def test_exam_and_training_wordings_never_meet_in_the_sample_handbook() -> None:
    training: set[str] = set()
    exam: set[str] = set()
    for page in CORPUS:
        names = proper_words(page.read_text())
        for fact in facts(page.read_text()):
            for w in wordings.wordings(fact, names):
                (exam if w.exam else training).add(w.question)
    assert len(exam) > 300
    assert training.isdisjoint(exam)


def test_nearly_all_statements_of_the_sample_handbook_have_a_question() -> None:
    found = questions.measure((page.read_text(), "") for page in CORPUS)
    assert found["statements"] > 400
    assert found["coverage"] >= 0.95
    assert found["mean"] >= 4


def test_statements_are_sentences_items_and_rows_whatever_the_teacher_reads() -> None:
    text = (
        "# Title\n\nThe lamp is red. Red and green?\n\nIt has:\n\n- a very old glass\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    text += "\n\n```\nx is y.\n```\n"
    assert questions.statements(text) == ["The lamp is red.", "a very old glass", "| 1 | 2 |"]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "If the raft is more than 12 years old, a second guide must be called.",
            "A second guide must be called if the raft is more than how many years old?",
            "12 years",
        ),
        (
            "Towns are listed when their harbour has more than 500 berths.",
            "Towns are listed when their harbour has more than how many berths?",
            "500",
        ),
        (
            "An idle berth is a berth with no landing for 14 months.",
            "An idle berth is a berth with no landing for how many months?",
            "14 months",
        ),
    ],
)
def test_a_value_that_cannot_be_moved_is_asked_for_at_the_end(sentence: str, question: str, answer: str) -> None:
    assert asked(sentence).get(question) == answer


def test_a_distance_behind_a_name_is_not_what_is_named() -> None:
    texts = [
        fact.text
        for fact in facts("# Line\n\nThe Silver Line runs from Dunmore to Castle Hay, a distance of 47 miles.")
    ]
    assert not any(text.startswith("Castle Hay is") for text in texts)


@pytest.mark.parametrize(
    "sentence",
    ["Channel 12 is for distress only.", "Ada Winter took the post in 2014 after eleven years as a pilot."],
)
def test_a_number_is_not_counted_with_a_word_that_it_does_not_count(sentence: str) -> None:
    assert not any(re.search(r"how many (?:is|after)\b", question) for question in asked(sentence))


@pytest.mark.parametrize(
    ("heading", "place"),
    [
        ("Lamp oil", "on lamp oil"),
        ("The two lamps", "on the two lamps"),
        ("Added", '"Added"'),
        ("Typical Use", '"Typical Use"'),
        ("Move a lamp", '"Move a lamp"'),
        ("When to row", '"When to row"'),
    ],
)
def test_a_heading_is_quoted_where_it_is_no_noun(heading: str, place: str) -> None:
    sentence = "The list is kept by the Lamp Board."
    found = [w.question for w in wordings.wordings(Fact(sentence, heading, sentence))]
    assert found
    assert all(f"In the section {place}, " in question or "the list" not in question.lower() for question in found)
