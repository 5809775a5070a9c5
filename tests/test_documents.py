"""Many files -> documents: each is read or reported, none costs another, none is converted twice, names never clash."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from office_files import archive, docx, related
from web import Web

import to_markdown
from ai_tools import documents, files, sources, workspace
from ai_tools.documents import cache
from ai_tools.errors import InputError, TooManyFailures
from ai_tools.records import Document, Progress, Rejection
from ai_tools.settings import Settings

Found = tuple[list[Document], list[Rejection]]


@pytest.fixture
def folder(toy_settings: Settings) -> Path:
    """The folder that the settings name, empty."""
    folder = toy_settings.root / "docs"
    for file in folder.iterdir():
        file.unlink()
    return folder


def write(folder: Path, **files: str | bytes) -> None:
    """Files by their names, with `__` for a dot."""
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(data)


def convert(settings: Settings, **more: Any) -> Found:
    return documents.convert(
        sources.find(settings.source_documents, settings.root), documents.reading(settings), **more
    )


def slow_page() -> bytes:
    """A page that takes many seconds to convert."""
    return b"<html><body>" + b"<p>The <b>bell</b> rings at <a href='x'>noon</a>.</p>\n" * 300_000 + b"</body></html>"


def test_every_file_becomes_a_document(toy_settings: Settings, folder: Path) -> None:
    write(
        folder,
        a__md="# Bells\n\nThey ring.\n",
        b__txt="Lamps are lit.\n",
        c__html="<html><head><title>R&amp;D\n manual</title><script>alert(1)</script></head>"
        "<body><nav>Home</nav><article><p>Stairs have thirteen steps, and every step is swept at night.</p>"
        "<pre><code>ls -l</code></pre></article></body></html>",
    )
    found, failed = convert(toy_settings)
    assert failed == []
    assert [(one.name, one.source, one.title, one.media_type, one.converter) for one in found] == [
        ("a", "a.md", "Bells", "text/markdown", "markdown"),
        ("b", "b.txt", "B", "text/plain", "text"),
        ("c", "c.html", "R&D manual", "text/html", "html"),
    ]
    assert found[0].text == "# Bells\n\nThey ring.\n", "source text is taken as it is"
    assert found[0].sha256 == hashlib.sha256((folder / "a.md").read_bytes()).hexdigest()
    assert "thirteen steps" in found[2].text
    assert "ls -l" in found[2].text
    assert "alert" not in found[2].text


def test_a_file_that_cannot_be_read_is_reported_and_the_others_go_on(toy_settings: Settings, folder: Path) -> None:
    write(
        folder, good__md="Bells ring.", empty__md=" \n", cut__pdf=b"%PDF-1.7\n1 0 obj", binary__txt=b"\0\x01\x02" * 99
    )
    write(folder, closed__md="x")
    (folder / "closed.md").chmod(0)
    found, failed = convert(toy_settings)
    assert "good" in [one.name for one in found]
    reasons = {one.row["source"]: one.reason for one in failed}
    assert {"empty.md", "cut.pdf", "binary.txt"} <= set(reasons)
    assert all(reason.startswith(f"{source}: ") and "\n" not in reason for source, reason in reasons.items())
    assert {one.check for one in failed} == {"convert"}
    if os.getuid():  # root may read everything
        assert reasons["closed.md"] == "closed.md: Permission denied"


def test_where_no_file_can_be_read_the_error_names_the_causes(toy_settings: Settings, folder: Path) -> None:
    write(folder, **{f"empty{number}__md": "" for number in range(7)})
    with pytest.raises(InputError, match=r"none of the documents could be read: empty0\.md: .*; and 2 more$"):
        convert(toy_settings)


def test_a_file_over_the_limit_of_size_is_reported_and_never_read(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.")
    with (folder / "huge.md").open("wb") as file:
        file.truncate(10**13)  # a hole, which takes no disk; read whole, it would take all memory
    _, failed = convert(toy_settings)
    assert [one.reason for one in failed] == [
        "huge.md: 10000000.0 MB, over MAX_FILE_MB=50; split it or raise that",
    ]


def test_a_file_that_takes_too_long_is_reported_and_the_others_go_on(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.", b__html=slow_page(), c__md="Lamps are lit.")
    found, failed = convert(toy_settings.with_(file_timeout=1))
    assert [one.name for one in found] == ["a", "c"]
    assert [one.reason for one in failed] == ["b.html: took longer than 1 s; split it or raise FILE_TIMEOUT"]


def test_a_small_text_that_another_program_hangs_on_has_its_limit_of_time_too(
    toy_settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pandoc"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYPANDOC_PANDOC", str(program))
    write(folder, a__md="Bells ring.", b__rst="Lamps\n=====\n")
    found, failed = convert(toy_settings.with_(file_timeout=1))
    assert [one.source for one in found] == ["a.md"]
    assert [one.reason for one in failed] == ["b.rst: took longer than 1 s; split it or raise FILE_TIMEOUT"]


def long_book() -> bytes:
    """A book of 300 chapters that are small while they are packed."""
    chapter = f"<html><body>{'<p>The bell rings at noon.</p>' * 2000}</body></html>"
    names = [f"c{number}.xhtml" for number in range(300)]
    chapters = "".join(f'<itemref idref="{name}"/>' for name in names)
    items = (f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in names)
    manifest = f"<manifest>{''.join(items)}</manifest>"
    return archive(
        {
            "META-INF/container.xml": '<container><rootfile full-path="book.opf"/></container>',
            "book.opf": f"<package>{manifest}<spine>{chapters}</spine></package>",
            **dict.fromkeys(names, chapter),
        }
    )


def high_sheet() -> bytes:
    """A spreadsheet of millions of rows."""
    kind = '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/></Types>'
    return archive(
        {
            "[Content_Types].xml": kind,
            "_rels/.rels": related(officeDocument="book.xml"),
            "_rels/book.xml.rels": related(worksheet="sheet.xml"),
            "book.xml": '<workbook xmlns:r="r"><sheets><sheet name="S" r:id="0"/></sheets></workbook>',
            "sheet.xml": f"<worksheet><sheetData>{'<row><c><v>1</v></c></row>' * 1_500_000}</sheetData></worksheet>",
        }
    )


SLOW: dict[str, Callable[[], bytes]] = {
    "paragraphs.docx": lambda: docx("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 700_000),
    "chapters.epub": long_book,
    "rows.xlsx": high_sheet,
    "line.csv": lambda: b"a,b," * 4_000_000,
    "table.md": lambda: b"<table>" + b"<tr><td>a</td><td>b</td></tr>" * 40_000 + b"</table>",
    "indents.rst": lambda: "\n".join(f"{' ' * depth}a" for depth in range(2000)).encode(),
}


def test_every_converter_has_its_limit_of_time(toy_settings: Settings, folder: Path) -> None:
    for name, content in SLOW.items():
        (folder / name).write_bytes(content())
    write(folder, good__md="Bells ring.")
    before = set(psutil.Process().children())
    found, failed = convert(toy_settings.with_(file_timeout=1))
    assert [one.name for one in found] == ["good"]
    assert sorted(one.reason for one in failed) == sorted(
        f"{name}: took longer than 1 s; split it or raise FILE_TIMEOUT" for name in SLOW
    )
    assert set(psutil.Process().children()) == before


def test_a_process_that_is_killed_costs_its_file_only(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.", b__html=slow_page())
    before = set(psutil.Process().children())

    def kill(now: Progress) -> None:
        if now.done == 1:
            for process in set(psutil.Process().children()) - before:
                process.kill()

    found, failed = convert(toy_settings, on_progress=kill)
    assert [one.name for one in found] == ["a"]
    assert "b.html: its process was ended by SIGKILL, as where memory runs out" in failed[0].reason


def test_an_error_that_nobody_expects_costs_its_file_only(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.")
    convert(toy_settings)
    (kept,) = workspace.conversions_path(toy_settings.output).rglob("*.json")
    kept.unlink()
    kept.mkdir()  # in the way of the result
    write(folder, b__md="Lamps are lit.")
    found, failed = convert(toy_settings)
    assert [one.name for one in found] == ["b"]
    assert failed[0].reason.startswith("a.md: the converter failed (IsADirectoryError: ")


def test_documents_come_one_by_one_before_all_are_done_and_whoever_stops_ends_the_work(
    toy_settings: Settings, folder: Path
) -> None:
    write(folder, a__md="Bells ring.", b__html=slow_page())
    before = set(psutil.Process().children())
    coming = documents.convert_each(sources.find("docs", toy_settings.root), documents.reading(toy_settings))
    first = next(coming)
    assert isinstance(first, Document)
    assert first.name == "a"
    coming.close()
    assert set(psutil.Process().children()) == before


def test_many_files_keep_their_order_and_progress_counts_them(toy_settings: Settings, folder: Path) -> None:
    write(folder, **{f"n{number:03}__md": f"Bell {number} rings.\n" * 500 for number in range(60)}, empty__md="")
    seen: list[tuple[int, int, int]] = []
    found, failed = convert(toy_settings, on_progress=lambda now: seen.append((now.total, now.done, now.failed)))
    assert [one.name for one in found] == [f"n{number:03}" for number in range(60)]
    assert [one.row["source"] for one in failed] == ["empty.md"]
    assert seen[0] == (61, 0, 0)
    assert seen[-1] == (61, 61, 1)
    assert [done for _, done, _ in seen] == list(range(62))


# --- nothing is converted twice ---


def mark_kept(settings: Settings, text: str) -> None:
    """Change what is kept of every conversion, so that a document shows where it came from."""
    for file in workspace.conversions_path(settings.output).rglob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"text": text}))


def texts(settings: Settings) -> list[str]:
    return [one.text for one in convert(settings)[0]]


def test_an_unchanged_file_is_not_converted_again(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.\n")
    assert texts(toy_settings) == ["Bells ring.\n"]
    mark_kept(toy_settings, "kept\n")
    assert texts(toy_settings) == ["kept\n"]
    write(folder, a__md="Bells ring.\n")
    os.utime(folder / "a.md", (1, 1))
    assert texts(toy_settings) == ["kept\n"], "its bytes count, not its date"
    write(folder, a__md="Bells rang.\n")
    assert texts(toy_settings) == ["Bells rang.\n"]


@pytest.mark.parametrize("change", [{"max_file_mb": 49}, {"pdf_converter": "docling"}])
def test_a_file_is_converted_again_with_other_settings(
    toy_settings: Settings, folder: Path, change: dict[str, Any]
) -> None:
    write(folder, a__md="Bells ring.\n")
    texts(toy_settings)
    mark_kept(toy_settings, "kept\n")
    assert texts(toy_settings.with_(**change)) == ["Bells ring.\n"]
    assert texts(toy_settings.with_(file_timeout=3)) == ["kept\n"]


def test_a_file_is_converted_again_by_changed_converters_and_what_the_old_ones_made_goes(
    toy_settings: Settings, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(folder, a__md="Bells ring.\n")
    texts(toy_settings)
    mark_kept(toy_settings, "kept\n")
    kept = workspace.conversions_path(toy_settings.output)
    (kept / "mine").mkdir()
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(Path(to_markdown.__file__).parent, other / "to_markdown")
    with (other / "to_markdown/text.py").open("a") as file:
        file.write("# changed\n")
    script = (
        "from ai_tools import documents, settings, sources\n"
        f"s = settings.load_settings(output_dir={str(toy_settings.output)!r}, source_documents='docs')\n"
        "print(documents.convert(sources.find('docs', s.root), documents.reading(s))[0][0].text)"
    )
    environment = os.environ | {"PYTHONPATH": str(other)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout == "Bells ring.\n\n", done.stderr
    left = {path.name for path in kept.iterdir()}
    assert len(left) == 2
    assert "mine" in left
    assert cache.version() not in left


def test_a_kept_conversion_that_is_damaged_is_made_again(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.\n")
    texts(toy_settings)
    (kept,) = workspace.conversions_path(toy_settings.output).rglob("*.json")
    for damage in (b"", kept.read_bytes()[:40], bytes(kept.stat().st_size)):
        kept.write_bytes(damage)
        assert texts(toy_settings) == ["Bells ring.\n"]


def test_what_could_not_be_converted_is_tried_again(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="Bells ring.", b__html=slow_page()[:210_000])
    assert [one.row["source"] for one in convert(toy_settings.with_(file_timeout=0.1))[1]] == ["b.html"]
    assert convert(toy_settings)[1] == []


def test_equal_files_in_two_folders_are_two_documents(toy_settings: Settings, folder: Path) -> None:
    for name in ("x", "y", "z"):
        (folder / name).mkdir()
        write(folder / name, index__md="Bells ring.\n" * 10_000)
    found, failed = convert(toy_settings)
    assert failed == []
    assert [one.name for one in found] == ["x__index", "y__index", "z__index"]
    assert len({one.id for one in found}) == 3


# --- addresses ---


def test_an_address_becomes_a_document_with_its_date_and_is_read_as_its_server_says(
    toy_settings: Settings, folder: Path
) -> None:
    write(folder, a__md="Bells ring.")
    with Web() as web:
        settings = toy_settings.with_(source_documents=f"docs, {web.url}/page, {web.url}/gone")
        found, failed = convert(settings)
    port = web.url.rpartition(":")[2]
    assert [(one.name, one.source) for one in found] == [("a", "a.md"), ("127.0.0.1__page", f"{web.url}/page")]
    assert found[1].text == "Größe und Länge\n"
    assert port in found[1].source
    assert (found[0].fetched_at, found[1].fetched_at[:2]) == ("", "20")
    assert [(one.check, one.reason) for one in failed] == [
        ("fetch", f"{web.url}/gone: answered 404 Not Found; check the address")
    ]
    again, _ = convert(settings)
    assert again[1].id == found[1].id
    assert again[1].warnings[0].endswith(f"this is the copy of {found[1].fetched_at}")


def test_addresses_read_as_paths_make_their_names(toy_settings: Settings) -> None:
    page = (200, {"Content-Type": "text/html"}, b"<p>The bell rings at noon.</p>")
    with Web(**{"": page, "guide/": page, "guide/a.html": page, "guide": page}) as web:
        paths = ("", "/guide/a.html", "/guide/a.html?lang=de&x=%C3%BC", "/guide")
        found, _ = convert(toy_settings.with_(source_documents=",".join(web.url + path for path in paths)))
    assert [one.name for one in found] == [
        "127.0.0.1__index",
        "127.0.0.1__guide__a",
        "127.0.0.1__guide__a.html_lang_de_x_C3_BC",
        "127.0.0.1__guide",
    ]


# --- names, titles, rows ---


def named(settings: Settings, folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Bells ring.")
    found, failed = convert(settings)
    assert failed == []
    assert len({one.id for one in found}) == len(names), "equal texts are different documents"
    expected = sorted(names, key=lambda name: Path(name).parts)
    assert [one.source for one in found] == [name.replace("\n", "\\n") for name in expected]
    return [one.name for one in found]


def test_names_are_paths_below_the_source_and_keep_their_suffix_where_two_would_be_equal(
    toy_settings: Settings, folder: Path
) -> None:
    files = ("guide.md", "guide.txt", "deep/guide.md", "deep/other.md", "deep/v1.2/notes", "Other.md", "other.txt")
    assert named(toy_settings, folder, *files) == [
        "Other.md",
        "deep__guide",
        "deep__other",
        "deep__v1.2__notes",
        "guide.md",
        "guide.txt",
        "other.txt",
    ]


def test_names_with_spaces_quotes_and_other_letters_are_kept(toy_settings: Settings, folder: Path) -> None:
    files = ("Über 'uns'.md", 'say "hi" & go.md', "手册/第 1 章.md", "a,b;c.md", "100%.md", "new\nline.md")
    found = named(toy_settings, folder, *files)
    assert {"Über 'uns'", 'say "hi" & go', "手册__第 1 章", "a,b;c", "100%", "new_line"} == set(found)
    step = workspace.Step(toy_settings, 2)
    for name in found:
        step.write_text(f"documents/{name}.md", "x")


def test_files_whose_paths_read_alike_keep_their_own_names(toy_settings: Settings, folder: Path) -> None:
    found = named(toy_settings, folder, "b/page.md", "b__page.md", "caf\u00e9.md", "cafe\u0301.md")
    assert len({name.casefold() for name in found}) == 4
    (folder / os.fsdecode(b"caf\xe8.md")).write_text("Bells ring.")
    (folder / os.fsdecode(b"caf\xe9.md")).write_text("Bells ring.")
    more = convert(toy_settings)[0]
    assert len({one.name for one in more}) == 6
    files.write_rows(toy_settings.output / "rows.jsonl", [documents.document_row(one) for one in more])


def test_names_longer_than_a_file_system_takes_are_cut_and_stay_apart(toy_settings: Settings, folder: Path) -> None:
    deep = "/".join(["ä" * 100] * 4)
    found = named(toy_settings, folder, f"{deep}/a.md", f"{deep}/b.md", f"{'n' * 250}.md")
    step = workspace.Step(toy_settings, 2)
    for name in found:
        step.write_text(f"documents/{name}.md", "x")
        step.write_text(f"documents/{name}_trainingdata.jsonl", "x")
    assert len(set(found)) == 3


def test_ids_and_names_do_not_depend_on_where_the_folder_lies(toy_settings: Settings) -> None:
    seen = []
    for place in ("here/docs", "there/and/further/papers"):
        folder = toy_settings.root / place
        (folder / "deep").mkdir(parents=True)
        (folder / "deep/a.md").write_text("Bells ring.")
        (one,) = convert(toy_settings.with_(source_documents=place))[0]
        seen.append((one.id, one.name, one.source))
    assert seen[0] == seen[1]
    assert seen[0][1:] == ("deep__a", "deep/a.md")


def test_a_title_is_the_one_of_the_file_or_else_its_name(toy_settings: Settings, folder: Path) -> None:
    write(folder, x__md="Preface\n\n## The method ##\n\nText.\n")
    (folder / "03_photo-document_method.txt").write_text("No heading, and\nno title.")
    (folder / "2024.txt").write_text("No heading, and\nno title.")
    assert [one.title for one in convert(toy_settings)[0]] == ["Photo document method", "2024", "The method"]


def test_what_was_lost_or_guessed_stands_in_the_row(toy_settings: Settings, folder: Path) -> None:
    text = "Die Glöckner läuten täglich um zwölf Uhr für die Bürger über den Dächern der Stadt."
    write(folder, western__txt=text.encode("cp1252"))
    (one,) = convert(toy_settings)[0]
    row = documents.document_row(one)
    assert one.text.strip() == text
    assert [warning for warning in row["warnings"] if "1252" in warning]
    assert (row["path"], row["n_chars"], row["id"]) == ("documents/western.md", len(one.text), one.id)
    assert "text" not in row


def test_more_unreadable_documents_than_the_settings_allow_are_a_failure(toy_settings: Settings, folder: Path) -> None:
    write(folder, a__md="# Bells\n\nThey ring.\n", b__pdf=b"%PDF-1.7 torn")
    found, failed = convert(toy_settings)
    with pytest.raises(TooManyFailures, match=r"1 of 2 documents could not be read \(b\.pdf: .*MAX_FAILURE_RATE=0\.1"):
        documents.check_failures(found, failed, toy_settings.max_failure_rate)
    documents.check_failures(found, failed, 0.5)
