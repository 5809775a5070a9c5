"""Addresses -> files, within limits; each failure says why, and an earlier copy stands in with its date."""

import asyncio
import gzip
import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from web import Web

from ai_tools.documents import fetching
from ai_tools.documents.fetching import Download, fetch_all, is_private
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


# --- no way into a private network ---

INSIDE = "localhost 127.0.0.2 [::1] [::ffff:127.0.0.1] 0 0.0.0.0 0x7f.2 inside.example"


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and where they are, one for each time that one is asked for, the last for good; 127.0.0.1 is public."""
    known = {"public.example": ["127.0.0.1"], "other.example": ["127.0.0.1"], "inside.example": ["127.0.0.2"]}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: object, **options: object) -> object:
        found = known.get(host)
        return real(found.pop(0) if found and len(found) > 1 else (found or [host])[0], *args, **options)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(fetching, "is_private", lambda address: address != "127.0.0.1")
    return known


def away(where: str) -> tuple[int, dict[str, str], bytes]:
    return 302, {"Location": where, "Connection": "close"}, b""


@pytest.mark.parametrize("host", INSIDE.split())
def test_a_redirect_from_a_public_address_into_a_private_network_is_refused_and_named(
    tmp_path: Path, public: dict[str, list[str]], host: str
) -> None:
    public["localhost"] = ["127.0.0.2"]
    with Web() as web:
        port = web.url.rpartition(":")[2]
        web.pages["away"] = away(f"http://{host}:{port}/page")
        web.pages["twice"] = away(f"http://other.example:{port}/away")
        for name in ("away", "twice"):
            why = fault(tmp_path, f"http://public.example:{port}/{name}")
            said = "redirects to 0 - is not" if host == "0" else "in a private network"
            assert why.startswith("redirects to ")
            assert said in why
    assert "/page" not in web.requests
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_means_another_machine_the_second_time_gets_no_further(
    tmp_path: Path, public: dict[str, list[str]]
) -> None:
    public["public.example"] = ["127.0.0.1", "127.0.0.2"]
    with Web() as web:
        port = web.url.rpartition(":")[2]
        web.pages["away"] = away("http://public.example:1/page")
        assert "in a private network (127.0.0.2); give that" in fault(tmp_path, f"http://public.example:{port}/away")


def test_redirects_between_public_addresses_are_followed(tmp_path: Path, public: dict[str, list[str]]) -> None:
    with Web() as web:
        port = web.url.rpartition(":")[2]
        web.pages["away"] = away(f"http://other.example:{port}/page")
        (found,) = fetch(tmp_path, f"http://public.example:{port}/away")
    assert found.found_at == f"http://other.example:{port}/page"


def test_a_private_address_that_was_named_may_redirect_to_its_own_host_only(tmp_path: Path) -> None:
    with Web() as web:
        port = web.url.rpartition(":")[2]
        web.pages["own"], web.pages["away"] = away("/page"), away(f"http://localhost:{port}/page")
        assert fetch(tmp_path, f"{web.url}/own")[0].found_at == f"{web.url}/page"
        web.requests.clear()
        assert "localhost" in fault(tmp_path, f"{web.url}/away")
        assert web.requests == ["/away"]


def test_one_address_opens_no_way_for_another(tmp_path: Path, public: dict[str, list[str]]) -> None:
    with Web() as web:
        port = web.url.rpartition(":")[2]
        web.pages["away"] = away(f"http://inside.example:{port}/page")
        found = fetch_all(
            [f"http://inside.example:{port}/page", f"http://public.example:{port}/away"],
            tmp_path, timeout=20, max_bytes=1000,
        )  # fmt: skip
    assert "not reached" in str(found[0]), "named itself, it is tried"
    assert "in a private network" in str(found[1])


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "gopher://x"])
def test_a_redirect_to_what_is_no_web_address_is_named(tmp_path: Path, where: str) -> None:
    with Web(away=away(where)) as web:
        assert fault(tmp_path, f"{web.url}/away").startswith("redirects to ")


PRIVATE = """
    127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 255.255.255.255
    :: ::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 2001:db8::1
    ::ffff:10.0.0.1 ::127.0.0.1 2002:7f00:1:: 64:ff9b::a00:1
"""
PUBLIC = "1.1.1.1 172.32.0.1 193.99.144.80 2606:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::"


def test_what_is_private_is_told_in_every_notation() -> None:
    assert [one for one in PRIVATE.split() if not is_private(one)] == []
    assert [one for one in PUBLIC.split() if is_private(one)] == []
