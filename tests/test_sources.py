"""What is named -> files in a stable order: no hidden file, no link out of the folder, nothing twice, all else told."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_tools import sources
from ai_tools.errors import InputError


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def names(spec: str, root: Path) -> list[str]:
    found = sources.find(spec, root)
    return [found.path_below(file) for file in found.files]


def test_a_folder_gives_its_documents_in_a_stable_order_and_counts_what_it_passes_over(tmp_path: Path) -> None:
    make(
        tmp_path, "b.md", "a/ü 'quoted' \"x\", two.html", "a/z.pdf", ".git/c.md", ".hidden.md", "~$e.docx", "_intro.md"
    )
    make(tmp_path, "f.css", "g.PNG", "_static/d.txt", "_static/deep/e.txt", "a/_sources/h.rst")
    found = sources.find(str(tmp_path), tmp_path)
    assert [found.path_below(file) for file in found.files] == [
        "_intro.md",
        "a/z.pdf",
        "a/ü 'quoted' \"x\", two.html",
        "b.md",
    ]
    assert found.passed_over == {".css": 1, ".png": 1, "_static/": 2, "_sources/": 1}


@pytest.mark.parametrize("spec", ["in", "in/*", "in/**", "in/**/*.md", "in/*.md"])
def test_links_that_leave_the_folder_or_go_in_circles_are_not_followed(tmp_path: Path, spec: str) -> None:
    make(tmp_path, "out/secret.md", "out/deep/more.md", "in/a.md")
    links = {"link.md": "../out/secret.md", "folder": "../out/deep", "loop.md": "loop.md", "gone.md": "nowhere.md"}
    for name, target in (links | {"self": ".", "itself": ".", "same.md": "a.md"}).items():
        (tmp_path / "in" / name).symlink_to(target)
    assert names(spec, tmp_path) == ["a.md"]


def test_links_that_are_not_followed_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "out/secret.md", "in/a.md")
    for name, target in {"link.md": "../out/secret.md", "folder": "../out", "gone.md": "nowhere.md"}.items():
        (tmp_path / "in" / name).symlink_to(target)
    over = {"links out of the folder": 1, "links to folders": 1, "broken links": 1}
    assert sources.find("in", tmp_path).passed_over == over


def test_a_folder_that_is_a_link_itself_is_followed_since_it_was_named(tmp_path: Path) -> None:
    make(tmp_path, "real/a.md")
    (tmp_path / "docs").symlink_to("real")
    assert names("docs", tmp_path) == ["a.md"]
    assert sources.find("docs", tmp_path).files == [tmp_path / "docs/a.md"]


def test_a_list_may_hold_files_folders_globs_and_addresses_and_names_nothing_twice(tmp_path: Path) -> None:
    make(tmp_path, "[draft].md", "docs/x.md", "docs/y.txt")
    found = sources.find("docs/*.txt , docs,, https://example.org/p, docs/x.md, HTTP://h/q, [draft].md", tmp_path)
    assert [file.name for file in found.files] == ["y.txt", "x.md", "[draft].md"]
    assert found.addresses == ["https://example.org/p", "HTTP://h/q"]


def test_a_name_may_hold_a_comma_and_a_list_may_be_longer_than_any_name(tmp_path: Path) -> None:
    make(tmp_path, "a, b.md", *(f"{'n' * 60}{number}.md" for number in range(9)))
    assert names("a, b.md", tmp_path) == ["a, b.md"]
    assert len(names(",".join(f"{'n' * 60}{number}.md" for number in range(9)), tmp_path)) == 9


def test_documents_are_called_by_their_path_below_what_was_named(tmp_path: Path) -> None:
    make(tmp_path, "docs/deep/a.md", "more/b.md")
    assert names("docs", tmp_path) == ["deep/a.md"], "though all of them are in docs/deep"
    assert names("docs/**/*.md", tmp_path) == ["deep/a.md"]
    assert names("docs/deep/a.md", tmp_path) == ["a.md"]
    assert names("docs, more", tmp_path) == ["docs/deep/a.md", "more/b.md"]
    assert names(f"{tmp_path}/docs/deep/../deep", tmp_path) == ["a.md"]


def test_a_glob_leaves_out_what_a_folder_does_unless_it_spells_it_out(tmp_path: Path) -> None:
    make(tmp_path, "docs/a.md", "docs/b.json", "docs/.c.md", "docs/_d/e.md", "docs/.f/g.md", "docs/h/i.md")
    assert names("docs/*", tmp_path) == ["a.md"]
    assert names("docs/**", tmp_path) == ["a.md", "h/i.md"]
    assert names("docs/**/*.md", tmp_path) == ["a.md", "h/i.md"]
    assert names("docs/*.json", tmp_path) == ["b.json"]
    assert names("docs/_*/*.md", tmp_path) == ["_d/e.md"]
    assert names("docs/.*.md", tmp_path) == [".c.md"]


def test_a_file_that_is_named_itself_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    make(tmp_path, "_x/.a.json")
    assert names("_x/.a.json", tmp_path) == [".a.json"]


def test_an_address_with_a_password_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^SOURCE_DOCUMENTS=https://…@h\.test/a: leave user and password") as caught:
        sources.find("https://ada:hunter2@h.test/a", tmp_path)
    assert "hunter2" not in str(caught.value)
    assert sources.find("https://h.test/@ada", tmp_path).addresses == ["https://h.test/@ada"]


@pytest.mark.parametrize("spec", ["nowhere", "docs/*.pdf", "docs/a.md,nowhere.md", "~nobody-of-that-name/x.md"])
def test_what_is_not_there_is_an_error_that_names_it(tmp_path: Path, spec: str) -> None:
    make(tmp_path, "docs/a.md")
    with pytest.raises(InputError) as caught:
        sources.find(spec, tmp_path)
    assert str(caught.value).startswith(f"SOURCE_DOCUMENTS={spec.split(',')[-1]}: ")
    with pytest.raises(InputError, match=r"^DOCS "):
        sources.find(spec, tmp_path, prefix="DOCS ")


def test_what_is_no_file_is_never_opened_and_told_from_what_is_not_there(tmp_path: Path) -> None:
    make(tmp_path, "docs/a.md")
    os.mkfifo(tmp_path / "docs/pipe.md")  # whoever opens it waits for a writer
    (tmp_path / "docs/zeros.md").symlink_to("/dev/zero")
    assert names("docs", tmp_path) == names("docs/*.md", tmp_path) == ["a.md"]
    for name in ("docs/pipe.md", "docs/zeros.md", "/dev/zero"):
        with pytest.raises(InputError, match="neither a file nor a folder"):
            sources.find(name, tmp_path)


def test_nothing_to_read_is_an_error_that_tells_what_there_is(tmp_path: Path) -> None:
    make(tmp_path, "docs/a.css", "docs/b.css", "docs/_static/c.md")
    with pytest.raises(InputError, match=r"docs: names no document; there is only 2 \.css, 1 _static/$"):
        sources.find("docs", tmp_path)
    for spec in ("", " ", ", ,"):
        with pytest.raises(InputError, match="names no document; give a file, a folder, a glob, an address"):
            sources.find(spec, tmp_path)


def test_a_name_that_is_no_utf_8_has_a_path_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"gr\xfc\xdfe.md")).write_text("x")
    (below,) = names(str(tmp_path), tmp_path)
    assert below.encode() == "gr\ufffd\ufffde.md".encode()


@pytest.fixture
def nested(tmp_path: Path) -> Iterator[Path]:
    """A folder of more folders in one another than Python may call functions, with a document in the last."""
    last = tmp_path / "docs"
    levels = [last := last / "d" for _ in range(sys.getrecursionlimit() + 100)]
    levels.insert(0, tmp_path / "docs")
    for level in levels:
        level.mkdir()
    make(tmp_path, "docs/a.md")
    (last / "z.md").write_text("x")
    yield tmp_path
    (last / "z.md").unlink()
    for level in levels[:0:-1]:
        level.rmdir()


def test_folders_may_be_in_one_another_as_deep_as_a_path_is_long(nested: Path) -> None:
    first, last = names("docs", nested)
    assert (first, last[:4], last[-4:]) == ("a.md", "d/d/", "z.md")
    with pytest.raises(InputError, match=r"too many folders in one another; name the folder itself$"):
        names("docs/**/*.md", nested)


def test_what_is_deeper_than_a_path_may_be_long_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "docs/a.md")
    monkeypatch.chdir(tmp_path / "docs")
    depth = 18
    for _ in range(depth):  # beyond 4,096 characters only by steps
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    Path("b.md").write_text("x")
    found = sources.find(str(tmp_path / "docs"), tmp_path)
    Path("b.md").unlink()
    for _ in range(depth):
        os.chdir("..")
        Path("d" * 250).rmdir()
    assert [found.path_below(file) for file in found.files] == ["a.md"]
    assert found.passed_over == {"folders that may not be read": 1}
