"""Documents from `http(s)` addresses: within limits of time, size and redirects, and kept as they came.

aiohttp, since the project has it for its teachers: its time limit is over the whole answer, the number of redirects is
an argument, many addresses go at once, and its sockets are made here, where it is known what they connect to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import files
from ..errors import InputError
from ..escaping import escaped
from ..records import content_id
from ..sync import run_sync

if TYPE_CHECKING:
    import aiohttp

MB = 1_000_000
AT_ONCE = 8
MAX_REDIRECTS = 5
NAT64 = ipaddress.ip_network("64:ff9b::/96")
PIECE = 65_536
NOTE = ".fetched.json"
# Kinds that are refused before they are loaded; what the rest really is, its content says.
REFUSED = ("image/", "video/", "audio/", "font/", "text/css", "text/javascript", "application/javascript")
SUFFIXES = {"text/html": ".html", "application/pdf": ".pdf", "text/markdown": ".md"}


@dataclass(frozen=True, slots=True)
class Download:
    """An answer as it came. `address` is as it was named, `found_at` where it was found in the end, both without user
    name and password; `charset` is what the server said. `warning`: why this is the copy of an earlier time."""

    path: Path
    address: str
    found_at: str
    charset: str
    fetched_at: str
    warning: str = ""


def fetch_all(
    addresses: Sequence[str], folder: Path, *, timeout: float, max_bytes: float
) -> list[Download | InputError]:
    """Fetch addresses side by side into a folder: one result for each, in their order, a failure as data.

    Where an address cannot be fetched now, the copy of an earlier time is used, with a warning that says its date.
    """
    return run_sync(_fetch_all(addresses, folder, timeout, max_bytes))


async def _fetch_all(
    addresses: Sequence[str], folder: Path, timeout: float, max_bytes: float
) -> list[Download | InputError]:
    import aiohttp

    folder.mkdir(parents=True, exist_ok=True)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(address: str) -> Download | InputError:
        guard = _Guard()
        async with gate:
            try:
                async with guard.session(timeout) as session:
                    return await _fetch(session, address, folder, max_bytes)
            except InputError as error:
                why = str(error)
            except TimeoutError:
                why = f"no whole answer within {timeout:g} s; try again or raise FETCH_TIMEOUT"
            except aiohttp.TooManyRedirects:
                why = f"more than {MAX_REDIRECTS} redirects; give the last address"
            except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
                was_named = guard.hops < 2 and not isinstance(error, aiohttp.RedirectClientError)
                where = f"redirects to {public(str(error))[:120]}, which is no web address; give the last one that is"
                why = "no web address; write https://host/page" if was_named else where
            except (aiohttp.ClientError, OSError) as error:
                reason = public(" ".join(str(error).split()))[:120] or type(error).__name__
                why = guard.refusal or f"not reached ({reason}); check the address and the network"
        return _kept(address, folder, escaped(why)) or InputError(why)

    return await asyncio.gather(*map(one, addresses))


class _Guard:
    """Keeps one address from leading into a private network: what is named may be there, what it redirects to may not.

    Asked of each connection, once its name is resolved: a name that is resolved anew gets no further than another.
    Connections are not shared between addresses, since one that may be used may not be so for the next.
    """

    def __init__(self) -> None:
        self.hops, self.refusal = 0, ""
        self._host = self._url = ""
        self._is_private, self._is_fair = False, True

    def session(self, timeout: float) -> aiohttp.ClientSession:
        import aiohttp

        accept = "text/html, text/markdown, text/plain, application/pdf, */*;q=0.5"
        return aiohttp.ClientSession(  # trust_env would read .netrc too, and send what it finds there
            timeout=aiohttp.ClientTimeout(total=timeout),
            headers={"User-Agent": "ai-tools", "Accept": accept},
            connector=aiohttp.TCPConnector(socket_factory=self._socket),
            middlewares=(self._hop,),
        )

    async def _hop(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        self._url = public(str(request.url))
        if not self.hops:
            self._host = request.url.host or ""
        self._is_fair = not self.hops or (self._is_private and request.url.host == self._host)
        self.hops += 1
        return await handler(request)

    def _socket(self, target: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, place = target
        if is_private(place[0]):
            if not self._is_fair:
                self.refusal = (
                    f"redirects to {self._url} in a private network ({place[0]}); give that address if it is meant"
                )
                raise PermissionError(self.refusal)
            self._is_private = True
        return socket.socket(family, kind, protocol)


def is_private(address: str) -> bool:
    """Whether an IP address is one of this machine, of its network, or otherwise not the public's."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if (
        isinstance(found, ipaddress.IPv6Address) and not found.is_site_local
    ):  # an address of the fourth version may stand in it
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in NAT64 else None
        found = inner or found.ipv4_mapped or found.sixtofour or found
    return not found.is_global or found.is_multicast or found.is_reserved or getattr(found, "is_site_local", False)


async def _fetch(session: aiohttp.ClientSession, address: str, folder: Path, max_bytes: float) -> Download:
    async with session.get(address, max_redirects=MAX_REDIRECTS) as answer:
        if answer.status != 200:
            raise InputError(f"answered {answer.status} {answer.reason or ''}".rstrip() + "; check the address")
        kind = answer.content_type
        if kind.startswith(REFUSED):
            raise InputError(f"{kind}, no document; give the address of a page or file")
        too_large = f"over MAX_FILE_MB={max_bytes / MB:g}; raise it or save a part of the page"
        if (answer.content_length or 0) > max_bytes:
            raise InputError(f"{(answer.content_length or 0) / MB:.1f} MB, {too_large}")
        stem = _stem(address)
        part = folder / f".{stem}.part"
        size = 0
        try:
            with part.open("wb") as file:
                async for piece in answer.content.iter_chunked(PIECE):  # unpacked already: a small bomb counts in full
                    size += len(piece)
                    if size > max_bytes:
                        raise InputError(too_large)
                    file.write(piece)
            path = folder / f"{stem}{SUFFIXES.get(kind, _suffix(str(answer.url)))}"
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        found = Download(path, public(address), public(str(answer.url)), answer.charset or "", now)
    told = {name: getattr(found, name) for name in ("address", "found_at", "charset", "fetched_at")}
    files.write_json(folder / f"{stem}{NOTE}", {"file": path.name} | told)  # after it: no note is without its answer
    return found


def _kept(address: str, folder: Path, why: str) -> Download | None:
    """What an earlier time has left of an address."""
    try:
        row: dict[str, Any] = files.read_json(folder / f"{_stem(address)}{NOTE}")
        path = folder / row.pop("file")
        warning = f"not fetched anew: {why.split(';')[0]}; this is the copy of {row['fetched_at']}"
        return Download(path, **row, warning=warning) if path.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):  # none, torn, or of another version
        return None


def public(address: str) -> str:
    """The address without user name and password."""
    return re.sub(r"(https?://)[^/?#\s]*@", r"\1", address, flags=re.IGNORECASE)


def _stem(address: str) -> str:
    """A file name that says where it came from; the hash tells addresses apart that read alike."""
    shown = public(address)
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", re.sub(r"^https?://", "", shown, flags=re.IGNORECASE)).strip("_.")
    return f"{name[:100]}-{content_id(shown)[:8]}"


def _suffix(address: str) -> str:
    found = re.search(r"\.[A-Za-z][A-Za-z0-9]{1,7}$", urlsplit(address).path)
    return found[0].lower() if found else ""
