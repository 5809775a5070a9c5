"""Files -> documents: every file is read or reported, names never clash, seed rows belong to their own document."""

import hashlib
from pathlib import Path

import pytest

from ai_tools import documents
from ai_tools.errors import InputError


def test_every_file_becomes_a_document(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Bells\n\nThey ring.\n")
    (tmp_path / "b.txt").write_text("Lamps are lit.\n")
    (tmp_path / "c.html").write_text(
        "<html><head><title>R&amp;D\n manual</title><script>alert(1)</script></head>"
        "<body><nav>Home</nav><article><p>Stairs have thirteen steps, and every step is swept at night.</p>"
        "<pre><code>ls -l</code></pre></article></body></html>"
    )
    found, failed = documents.convert([tmp_path / name for name in ("a.md", "b.txt", "c.html")])
    assert failed == []
    assert [(one.name, one.title, one.media_type, one.converter) for one in found] == [
        ("a", "Bells", "text/markdown", "markdown"),
        ("b", "B", "text/plain", "text"),
        ("c", "R&D manual", "text/html", "html"),
    ]
    assert found[0].text == "# Bells\n\nThey ring.\n", "source text is taken as it is"
    assert found[0].sha256 == hashlib.sha256((tmp_path / "a.md").read_bytes()).hexdigest()
    assert "thirteen steps" in found[2].text
    assert "ls -l" in found[2].text
    assert "alert" not in found[2].text


def test_a_file_that_cannot_be_read_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("Bells ring.")
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "binary.txt").write_bytes(b"\x00\x01\x02")
    (tmp_path / "photo.jpeg").write_bytes(b"x")
    found, failed = documents.convert(sorted(tmp_path.iterdir()))
    assert [one.name for one in found] == ["good"]
    assert {one.row["source"]: one.check for one in failed} == dict.fromkeys(
        ("binary.txt", "empty.md", "photo.jpeg"), "convert"
    )
    reasons = "; ".join(one.reason for one in failed)
    assert "empty; nothing to learn from it" in reasons
    assert "binary, not text" in reasons
    assert "no converter for '.jpeg' files; there is one for .md" in reasons


def test_no_file_and_no_readable_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SOURCE_DOCUMENTS names no file"):
        documents.convert([])
    (tmp_path / "empty.md").write_text("")
    with pytest.raises(InputError, match=r"none of the documents could be read: empty\.md: empty"):
        documents.convert([tmp_path / "empty.md", tmp_path / "gone.md"])


def test_encodings_are_told_from_the_bytes_and_line_ends_become_one(tmp_path: Path) -> None:
    text = "Die Glöckner läuten täglich um zwölf Uhr für die Bürger über den Dächern der Stadt."
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\nzwei\rdrei")
    (tmp_path / "western.txt").write_bytes(text.encode("cp1252"))
    marked, western = documents.convert([tmp_path / "marked.txt", tmp_path / "western.txt"])[0]
    assert marked.text == text + "\nzwei\ndrei"
    assert western.text == text


def test_names_are_paths_below_the_source_and_keep_their_suffix_where_two_would_be_equal(tmp_path: Path) -> None:
    for name in ("guide.md", "guide.txt", "deep/guide.md", "deep/other.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Bells ring.")
    found, _ = documents.convert([tmp_path / x for x in ("guide.md", "guide.txt", "deep/guide.md", "deep/other.md")])
    assert [one.name for one in found] == ["guide.md", "guide.txt", "deep__guide", "deep__other"]
    assert len({one.id for one in found}) == 4, "equal texts are different documents"


def test_ids_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    ids = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.md").write_text("Bells ring.")
        ids.append(documents.convert([tmp_path / folder / "a.md"])[0][0].id)
    assert ids[0] == ids[1]


def test_a_title_is_the_first_heading_or_else_the_file_name(tmp_path: Path) -> None:
    (tmp_path / "03_photo-document_method.txt").write_text("No heading.")
    (tmp_path / "x.md").write_text("Preface\n\n## The method ##\n\n# Later\n")
    found, _ = documents.convert([tmp_path / "03_photo-document_method.txt", tmp_path / "x.md"])
    assert [one.title for one in found] == ["Photo document method", "The method"]


def test_a_document_row_points_to_its_markdown_and_leaves_the_text_there(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Bells ring.")
    document = documents.convert([tmp_path / "a.md"])[0][0]
    row = documents.document_row(document)
    assert (row["path"], row["n_chars"], row["id"]) == ("documents/a.md", 11, document.id)
    assert "text" not in row


def test_two_files_whose_paths_read_alike_keep_two_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/page.md", "b__page.md"):
        (tmp_path / name).write_text(f"# {name}\n\nA bell.\n")
    found, _ = documents.convert([tmp_path / "b/page.md", tmp_path / "b__page.md"])
    assert len({one.name for one in found}) == len({one.id for one in found}) == 2
