"""PDF by docling, where it is installed: what it says without its models, and the way through it with a Word file."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from ai_tools.errors import InputError
from to_markdown import convert

pytest.importorskip("docling")

EDITION = Path(__file__).parents[1] / "assets/editions/09_reporting_transactions.docx"


@pytest.fixture
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Docling looks for its models in an empty folder."""
    from docling.datamodel.settings import settings

    from to_markdown import pdf_docling

    monkeypatch.setattr(settings, "artifacts_path", tmp_path)  # what DOCLING_ARTIFACTS_PATH sets
    pdf_docling.converter.cache_clear()
    yield
    pdf_docling.converter.cache_clear()


def test_missing_models_are_told_with_the_command_that_fetches_them(no_models: None) -> None:
    page = io.BytesIO()
    canvas = Canvas(page)
    canvas.drawString(72, 700, "The pump moves twelve litres.")
    canvas.save()
    with pytest.raises(InputError, match="fetch them with: docling-tools models download") as caught:
        convert(page.getvalue(), "a.pdf", pdf="docling")
    assert "\n" not in str(caught.value)


def test_only_pdf_is_read_by_docling(no_models: None) -> None:
    assert convert(EDITION.read_bytes(), EDITION.name, pdf="docling").converter == "docx"


def test_what_docling_reads_becomes_markdown_and_what_it_cannot_is_told(no_models: None) -> None:
    from to_markdown.pdf_docling import read
    from to_markdown.raw_file import RawFile

    found = read(RawFile(EDITION.read_bytes()), EDITION.name)
    assert found.title == "Reporting transactions"
    assert "## Large cash reports\n\nA large cash report is required when" in found.text
    assert "| border transfer report | 6,500 tessars | the same evening |" in found.text
    with pytest.raises(InputError, match=r"docling cannot read it .*; try PDF_CONVERTER=builtin"):
        read(RawFile(b"PK\x03\x04"), "a.docx")


def test_the_places_of_pages_are_kept_and_an_empty_page_begins_where_the_next_one_does() -> None:
    from docling_core.types.doc import BoundingBox, DoclingDocument, ProvenanceItem, Size
    from docling_core.types.doc.labels import DocItemLabel

    from to_markdown.pdf_docling import paged

    document = DoclingDocument(name="a")
    for page in (1, 2, 3):
        document.add_page(page_no=page, size=Size(width=595, height=842))
    for page, text in ((1, "They move a_b <litres>."), (3, "The end.")):
        place = ProvenanceItem(page_no=page, bbox=BoundingBox(l=0, t=0, r=9, b=9), charspan=(0, len(text)))
        document.add_text(label=DocItemLabel.TEXT, text=text, prov=place)
    text, pages = paged(document)
    assert [part.strip() for part in text.split("\n") if part.strip()] == ["They move a_b <litres>.", "The end."]
    assert [text[at:].strip()[:8] for at in pages] == ["They mov", "The end.", "The end."]
