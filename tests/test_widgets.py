"""What a reader sees of documents and chunks: the right place, all of it, and never as HTML."""

from pathlib import Path

import pytest

from ai_tools.records import Chunk, Document
from ai_tools.sources import Sources
from ai_tools.view import widgets

TEXT = "# Bells\n\nBefore it. <script>alert(1)</script> The bell is rung at noon. After it."


def document(**changes: object) -> Document:
    row = {"id": "d", "name": "bells", "source": "bells.html", "title": "Bells", "media_type": "text/html"}
    return Document.from_row(row | {"sha256": "", "converter": "html", "text": TEXT} | changes)


def chunk(start: int, end: int, **metadata: object) -> Chunk:
    return Chunk("c", "d", "bells", 0, ("Bells",), TEXT[start:end], start, end, 9, dict(metadata))


def test_a_chunk_is_marked_between_what_stands_around_it() -> None:
    start = TEXT.index("The bell")
    shown = widgets.chunk_in_place(document(), chunk(start, start + 24, pages=[2, 3]), around=12)
    assert "\u2026" + TEXT[start - 12 : start] + "[[[The bell is rung at noon]]]. After it." in repr(shown)
    assert f"characters {start} to {start + 24} of {len(TEXT)}" in repr(shown)
    assert "Bells" in repr(shown)
    assert "9 tokens" in repr(shown)
    assert "pages 2 to 3" in repr(shown)


def test_a_chunk_of_one_page_names_that_page_and_one_without_headings_says_so() -> None:
    one = Chunk.from_row(chunk(0, 7, pages=[4, 4]).to_row() | {"heading_path": []})
    shown = repr(widgets.chunk_in_place(document(), one))
    assert "page 4" in shown
    assert "(no heading)" in shown


@pytest.mark.parametrize(
    "shown",
    [
        widgets.chunk_in_place(document(), chunk(0, len(TEXT))),
        widgets.before_and_after(Sources(Path()), document(text=TEXT, source="<b>.html")),
        widgets.chunks([chunk(0, 40)], [document()]),
    ],
)
def test_what_a_document_holds_is_escaped(shown: widgets.Exhibit) -> None:
    assert "<script>" in repr(shown) or "<script" in TEXT
    assert "<script" not in shown._repr_html_()
    assert "&lt;script&gt;" in shown._repr_html_()
    assert "<b>" not in shown._repr_html_()


def test_before_and_after_shows_text_as_it_came_and_names_what_cannot_be_shown(tmp_path: Path) -> None:
    page, pdf = tmp_path / "bells.html", tmp_path / "bells.pdf"
    page.write_bytes(b"<p>caf\xe9</p>" + b"x" * 2000)
    pdf.write_bytes(b"%PDF-1.7 \x01")
    found = Sources(tmp_path, [page, pdf])
    shown = repr(widgets.before_and_after(found, document(), length=50))
    assert "<p>caf\ufffd</p>xxx" in shown
    assert "x" * 60 not in shown
    assert TEXT[:50] in shown
    assert "(PDF, 10 bytes)" in repr(
        widgets.before_and_after(found, document(source="bells.pdf", media_type="application/pdf"))
    )
    fetched = document(source="http://bells.example/", fetched_at="2026-01-02T03:04:05Z")
    assert "(fetched at 2026-01-02T03:04:05Z)" in repr(widgets.before_and_after(found, fetched))


def test_coverage_counts_every_character_once_and_sees_what_is_in_no_chunk() -> None:
    whole = [chunk(0, 40), chunk(30, len(TEXT))]
    assert widgets.coverage([document()], whole) == 1
    solid = len("".join(TEXT.split()))
    gap = len("".join(TEXT[40:50].split()))
    assert widgets.coverage([document()], [chunk(0, 40), chunk(50, len(TEXT))]) == 1 - gap / solid
    assert widgets.coverage([document()], []) == 0


def test_where_nobody_can_browse_the_first_three_chunks_are_shown() -> None:
    shown = repr(widgets.chunks([chunk(i, i + 5) for i in range(5)], [document()]))
    assert [f"characters {i} to" in shown for i in range(5)] == [True, True, True, False, False]


def test_with_a_reader_every_chunk_of_every_document_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JPY_SESSION_NAME", "a notebook in Lab")
    lamp = document(id="e", name="lamps", source="lamps.html")
    lamps = Chunk.from_row(chunk(0, 7).to_row() | {"document_id": "e"})
    box = widgets.chunks([chunk(0, 7), chunk(9, 19), lamps], [document(), lamp])
    group, number, pane = box.children
    assert group.options == ("bells.html (2)", "lamps.html (1)")
    number.value = 1
    assert "Before it." in pane.value
    group.value = "lamps.html (1)"
    assert (number.value, number.max) == (0, 0)
    assert "# Bells" in pane.value
    assert "lamps.html" in pane.value
