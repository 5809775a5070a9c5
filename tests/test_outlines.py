"""What documents and corpora are called: outlines fit after "In …,", and the domain that documents share."""

import pytest

from ai_tools.documents import outlines
from ai_tools.records import Document


def document(source: str, title: str, text: str = "") -> Document:
    return Document(source, source.replace("/", "__"), source, title, "text/html", "", "html", text)


def outline_of(title: str) -> str:
    (outline,) = outlines.outlines([Document("", "", "", title, "", "", "", "")]).values()
    return outline


@pytest.mark.parametrize(
    ("title", "outline"),
    [
        ("The Bell Book", "the Bell Book"),
        ("Theory of bells.", "Theory of bells"),
        ("A  guide:", "a guide"),
        ("", ""),
        ("**Bells** and `ring()` in [towers](towers.html) \u00b6", "Bells and ring() in towers"),
        ("Bells &amp; lamps", "Bells & lamps"),
        ("Bell guide (second edition)", "Bell guide"),
        ("3D printing", "3D printing"),
        ("5 ways to ring", "5 ways to ring"),
        ("Part of the plan", "Part of the plan"),
        ("Flags for bell_open()", "Flags for bell_open()"),
    ],
)
def test_an_outline_is_the_plain_title_fit_after_in(title: str, outline: str) -> None:
    assert outline_of(title) == outline


@pytest.mark.parametrize(
    "title",
    [
        "Chapter 7. Ringing bells at noon \u2014 The Bell Manual v4.6.2.0",
        "7. Ringing bells at noon",
        "7.2 Ringing bells at noon",
        "Appendix B: Ringing bells at noon",
        "Part IV \u2013 Ringing bells at noon",
        "\u00a7 12 Ringing bells at noon",
        "Ringing bells at noon | Bell Corp.",
        "Ringing bells at noon v2.1",
        "Microsoft Word - Ringing bells at noon.docx",
    ],
)
def test_numbers_of_chapters_sites_and_versions_are_cut(title: str) -> None:
    assert outline_of(title) == "Ringing bells at noon"


@pytest.mark.parametrize(
    "title",
    [
        "How to install",
        "What is a bell?",
        "Is it safe?",
        "Install the bell",
        "Set up your tower",
        "Find bells that ring",
        "SQLite is transactional",
        "Overview",
        "Untitled",
        "c3ref/bind_blob",
        "select-stmt",
        "openBell",
    ],
)
def test_a_title_that_is_no_noun_phrase_is_quoted(title: str) -> None:
    assert outline_of(title) == f'the document "{title}"'


def test_a_long_title_is_cut_where_it_can_end() -> None:
    long = "Regulations concerning the ringing of large bells in towers of the old town and its suburbs"
    assert outline_of(long) == "Regulations concerning the ringing of large bells in towers"
    assert len(outline_of("bell " * 40).split()) == outlines.LONGEST


def test_a_title_in_capitals_is_written_as_the_document_writes_its_words() -> None:
    text = (
        "# ANNUAL REPORT OF THE CORVANE BANK\n\nThe annual report of Corvane: each bank and its IBAN. REINDEX is ours."
    )
    (found,) = outlines.outlines([document("a.md", "ANNUAL REPORT OF THE CORVANE BANK", text)]).values()
    assert found == "Annual report of the Corvane bank"
    command = document(
        "b.md", "REINDEX", "# REINDEX\n\nREINDEX builds it anew. REINDEX takes a name. To reindex, wait."
    )
    assert list(outlines.outlines([command]).values()) == ["REINDEX"]


def test_what_titles_share_is_the_site_and_goes_wherever_it_stands() -> None:
    documents = [
        document("a.html", "Bell Handbook: Towers"),
        document("b.html", "Bell Handbook: Ropes"),
        document("c.html", "Clocks - Bell Handbook"),
        document("index.html", "Bell Handbook"),
    ]
    assert list(outlines.outlines(documents).values()) == ["Towers", "Ropes", "Clocks", "Bell Handbook"]


def test_a_title_that_says_little_is_named_with_what_it_belongs_to() -> None:
    documents = [
        document("a.html", "Introduction | The Bell Book"),
        document("s.html", "Clock Corp. - Home"),
        document("towers/README.md", "README"),
        document("ropes/overview.md", "1. Overview"),
        document("b.md", "Untitled", "# Clocks of the north\n\nText."),
        document("x/05_old_clocks.pdf", "Untitled"),
        document("bells/ch7.html", "Chapter 7"),
        document("index.html", "Index"),
    ]
    assert list(outlines.outlines(documents, "bells").values()) == [
        "the introduction to the Bell Book",
        "Clock Corp",
        "the README of towers",
        "the overview of ropes",
        "Clocks of the north",
        'the document "old clocks"',
        "chapter 7 of bells",
        "the index of bells",
    ]


def test_two_documents_of_one_title_are_told_apart_by_the_rest_of_it_or_their_folder() -> None:
    documents = [
        document("a.html", "Packages (old manual)"),
        document("b.html", "Packages"),
        document("c/objects.html", "List of objects"),
        document("d/objects.html", "List of objects"),
    ]
    assert list(outlines.outlines(documents).values()) == [
        "Packages (old manual)",
        "Packages",
        "List of objects of c",
        "List of objects of d",
    ]


def test_the_domain_is_what_titles_and_headings_share_with_a_name_before_a_common_word() -> None:
    bells = [
        document(f"{n}", f"Packages of kind {n}", f"# Debian rules {n}\n\nIn Debian, packages and more packages ring.")
        for n in range(4)
    ]
    assert outlines.domain_of(bells) == "Debian rules"
    common = [document(f"{n}", f"The client at place {n}", "We ask the client and other clients.") for n in range(4)]
    assert outlines.domain_of([*common, document("x", "Clients")]) == "client"
    assert outlines.domain_of(list(reversed(bells))) == outlines.domain_of(bells)


def test_documents_that_share_nothing_have_no_domain() -> None:
    assert outlines.domain_of([document("a", "Bells"), document("b", "Lamps"), document("c", "Introduction")]) == ""
    assert outlines.domain_of([document("a", "Bells")]) == ""


def test_the_outline_of_a_corpus_lists_what_its_documents_are_called() -> None:
    titles = ["the Bell Book", 'the document "How to ring"', "the Bell Book", 'the document "Notes" of towers']
    assert outlines.corpus_outline(titles, "bells") == "bells: the Bell Book; How to ring; Notes of towers"
    assert outlines.corpus_outline(["the Bell Book"], "bells") == "the Bell Book"
    assert outlines.corpus_outline([f"t{n}" for n in range(15)]).endswith("; t11; and 3 more")
