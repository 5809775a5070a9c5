"""Addresses -> files, within limits; each failure says why, and an earlier copy stands in with its date."""

import asyncio
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from web import Web

from ai_tools.documents.fetching import Download, fetch_all
from ai_tools.errors import InputError


def fetch(folder: Path, *addresses: str, timeout: float = 20, max_bytes: float = 1_000_000) -> list[Download]:
    found = fetch_all(addresses, folder, timeout=timeout, max_bytes=max_bytes)
    assert all(isinstance(one, Download) for one in found), found
    return [one for one in found if isinstance(one, Download)]


def fault(folder: Path, address: str, timeout: float = 20, max_bytes: float = 1_000_000) -> str:
    (found,) = fetch_all([address], folder, timeout=timeout, max_bytes=max_bytes)
    assert isinstance(found, InputError)
    return str(found)


def test_an_answer_is_kept_as_it_came_with_its_charset_and_date(tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    with Web() as web:
        (found,) = fetch(tmp_path, f"{web.url}/hop2")
    assert found.path.read_bytes() == "<p>Größe und Länge</p>".encode("latin-1")
    assert found.path.suffix == ".html"
    assert (found.address, found.found_at) == (f"{web.url}/hop2", f"{web.url}/page")
    assert (found.charset, found.warning) == ("iso-8859-1", "")
    assert before <= datetime.fromisoformat(found.fetched_at) <= datetime.now(UTC)
    (note,) = tmp_path.glob("*.json")
    assert json.loads(note.read_text())["fetched_at"] == found.fetched_at


def test_every_address_has_a_result_of_its_own_in_their_order(tmp_path: Path) -> None:
    with Web(a=(200, {}, b"a"), b=(200, {}, b"b")) as web:
        addresses = [f"{web.url}/{name}" for name in ("b", "gone", "a", "a?x=1", "a?x=2")]
        found = fetch_all(addresses, tmp_path, timeout=20, max_bytes=1000)
    assert isinstance(found[1], InputError)
    assert [one.path.read_bytes() for one in found if isinstance(one, Download)] == [b"b", b"a", b"a", b"a"]
    assert len({one.path for one in found if isinstance(one, Download)}) == 4


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("gone", "answered 404 Not Found; check the address"),
        ("loop", "more than 5 redirects; give the last address"),
        ("hop9", "more than 5 redirects; give the last address"),
        ("picture", "image/png, no document; give the address of a page or file"),
        ("large", "2.0 MB, over MAX_FILE_MB=1; raise it or save a part of the page"),
        ("endless", "over MAX_FILE_MB=1; raise it or save a part of the page"),
        ("bomb", "over MAX_FILE_MB=1; raise it or save a part of the page"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_leaves_nothing(tmp_path: Path, path: str, why: str) -> None:
    pages = {
        "picture": (200, {"Content-Type": "image/png"}, b"x"),
        "large": (200, {}, b"x" * 2_000_000),
        "bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 20_000_000)),
    }
    with Web(**pages) as web:
        assert fault(tmp_path, f"{web.url}/{path}") == why
    assert list(tmp_path.iterdir()) == []


def test_the_time_limit_is_for_the_whole_answer_and_not_for_each_piece(tmp_path: Path) -> None:
    with Web() as web:
        why = "no whole answer within 0.3 s; try again or raise FETCH_TIMEOUT"
        assert fault(tmp_path, f"{web.url}/slow", timeout=0.3) == why
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_and_no_address_are_told_apart(tmp_path: Path) -> None:
    with Web() as web:
        gone = web.url
    assert "not reached" in fault(tmp_path, gone)
    assert "no web address; write https://host/page" in fault(tmp_path, "http://")


def test_a_password_is_sent_and_shown_nowhere(tmp_path: Path) -> None:
    with Web() as web:
        secret = web.url.replace("//", "//ada:hunter2@")
        (found,) = fetch(tmp_path, f"{secret}/page")
        assert web.authorizations[0].startswith("Basic ")
        assert fault(tmp_path, f"{secret}/gone")
    assert "hunter2" not in str(found) + "".join(path.name + path.read_text("latin-1") for path in tmp_path.iterdir())
    assert "hunter2" not in fault(tmp_path / "other", f"{secret}/page")


def test_where_an_address_is_not_reached_its_earlier_copy_is_used_and_a_warning_says_its_date(tmp_path: Path) -> None:
    with Web() as web:
        (first,) = fetch(tmp_path, f"{web.url}/page")
    (again,) = fetch(tmp_path, f"{web.url}/page")
    assert (again.path, again.charset, again.fetched_at) == (first.path, first.charset, first.fetched_at)
    assert again.warning.startswith("not fetched anew: not reached")
    assert again.warning.endswith(f"this is the copy of {first.fetched_at}")
    again.path.unlink()
    assert "not reached" in fault(tmp_path, f"{web.url}/page"), "a copy that is gone is none"


def test_a_page_is_fetched_anew_each_time(tmp_path: Path) -> None:
    with Web() as web:
        fetch(tmp_path, f"{web.url}/page")
        web.pages["page"] = (200, {"Content-Type": "text/plain"}, b"new")
        (found,) = fetch(tmp_path, f"{web.url}/page")
        assert found.path.read_bytes() == b"new"
        web.pages["page"] = (500, {}, b"")
        (kept,) = fetch(tmp_path, f"{web.url}/page")
    assert kept.path.read_bytes() == b"new"
    assert kept.warning.startswith("not fetched anew: answered 500")


def test_pages_are_fetched_from_inside_a_running_loop_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell(address: str) -> list[Download]:
        return fetch(tmp_path, address)

    with Web() as web:
        assert asyncio.run(cell(f"{web.url}/page"))[0].path.is_file()
