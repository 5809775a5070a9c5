"""The way to an endpoint: one request, and its reply or why none came. The `openai` package carries it, on aiohttp."""

from __future__ import annotations

import asyncio
import os
import ssl
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import TeacherRefused
from ..records import CallFault
from .providers import Endpoint

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
ANY_NUMBER = 10**6  # of connections: how many calls are on their way is the throttle's to say
BY_ITSELF = ("x-stainless-retry-count", "x-stainless-read-timeout")  # headers of the package besides its defaults


class Wire:
    """The way to one endpoint: what is sent there, and what came back or why nothing did.

    Nothing goes there that is not of that endpoint. The package takes headers from the environment (OPENAI_ORG_ID,
    OPENAI_CUSTOM_HEADERS, ...) and describes this machine in others: they are left out. Its HTTP client would send
    what is local to a proxy of the system, so that the proxy is looked up here.
    """

    def __init__(self, endpoint: Endpoint, headers: dict[str, str] | None = None):
        self.endpoint = endpoint
        self._headers = headers or endpoint.authorization
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._proxy = _proxy_of(endpoint.base_url)

    async def send(self, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """One request, a POST where there is a body. Redirects are not followed: they would lose it.

        Raises CallFault where no reply came, TeacherRefused where the address can be none.
        """
        import aiohttp
        import httpx2
        import openai

        url = self.endpoint.base_url + path  # whole: the package takes longer to put it together than to read it
        response: httpx2.Response
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                client, options = self._opened()
                if body is None:
                    response = await client.get(url, cast_to=httpx2.Response, options=options)
                else:
                    response = await client.post(url, cast_to=httpx2.Response, body=body, options=options)
        except openai.APIStatusError as error:
            response = error.response
        except TimeoutError:
            waited = f"no reply within {self.endpoint.timeout:g} s"
            raise CallFault("timeout", f"{self._way}: {waited}") from None
        except (openai.APIConnectionError, aiohttp.ClientError, httpx2.InvalidURL, UnicodeError) as error:
            raise self._fault(error) from None
        return response

    async def close(self) -> None:
        if self._client is not None and self._loop is asyncio.get_running_loop():
            await self._client.close()
        self._client = None

    @property
    def _way(self) -> str:
        """The host, and the proxy before it, without its password, with the variable that names it."""
        if not self._proxy:
            return self.endpoint.host
        scheme = urlsplit(self.endpoint.base_url).scheme
        named = max((name for name in os.environ if name.lower() == f"{scheme}_proxy"), default="of the system")
        return f"{self.endpoint.host} through the proxy {urlsplit(self._proxy).netloc.rpartition('@')[2]} ({named})"

    def _opened(self) -> tuple[Any, dict[str, Any]]:
        """The client, which belongs to the event loop that opened it, and what every request of it is sent with."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._options = _open(self.endpoint, self._headers, self._proxy)
            self._loop = loop
        return self._client, self._options

    def _fault(self, error: BaseException) -> Exception:
        """Why no reply came. The package calls almost all of it a timeout; further down stands what aiohttp said."""
        import aiohttp
        import httpx2

        while error.__cause__ is not None and not isinstance(error, aiohttp.ClientError):
            error = error.__cause__
        if isinstance(error, CallFault):
            return error
        host, why = self._way, " ".join(str(error).split()) or type(error).__name__
        match error:
            case aiohttp.InvalidURL() | httpx2.InvalidURL() | UnicodeError():
                fix = f"set {self.endpoint.variables.base_url}"
                return TeacherRefused(f"{self.endpoint.base_url}: no address ({why}); {fix}")
            case aiohttp.ConnectionTimeoutError():
                what = f"no connection within {CONNECT_SECONDS:g} s"
            case aiohttp.ClientHttpProxyError():
                what = f"the proxy answers {error.status} ({error.message})"
            case aiohttp.ClientConnectorDNSError():
                what = f"no such host as {error.host} ({error.strerror})"
            case aiohttp.ClientSSLError():
                what = f"no secure connection ({error.strerror})"
            case aiohttp.ClientProxyConnectionError():
                what = f"the proxy is not reached ({_reason(error.os_error)})"
            case aiohttp.ClientConnectorError():
                what = f"not reached ({_reason(error.os_error)})"
            case _:
                return CallFault("reset", f"{host}: it hung up ({why})")
        return CallFault("connection", f"{host}: {what}")


async def _read_at_most(endpoint: Endpoint, response: httpx2.Response) -> None:
    """Read a reply, and no more of it than may be; what was packed is counted as it is unpacked."""
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > endpoint.reply_mb * 2**20:
            raise CallFault("refused", f"{endpoint.host}: a reply of more than MAX_REPLY_MB={endpoint.reply_mb:g}")
    response._content = b"".join(parts)  # where it is looked for first; there is no public way


@cache
def _trusted() -> ssl.SSLContext:
    """Whom this machine trusts, SSL_CERT_FILE included; made once, since reading the certificates takes 30 ms."""
    return ssl.create_default_context()


def _reason(error: OSError) -> str:
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


def _proxy_of(address: str) -> str:
    """The proxy that the environment or the system has for an address; empty where it needs none."""
    url = urlsplit(address)
    proxy = "" if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme, "")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _open(endpoint: Endpoint, own: dict[str, str], proxy: str) -> tuple[Any, dict[str, Any]]:
    """A client, and the options of its requests: `own` headers, plain ones, and none that it would send by itself."""
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient, omit

    http = DefaultAioHttpClient(
        trust_env=False,
        verify=_trusted(),
        proxy=proxy or None,
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=min(CONNECT_SECONDS, endpoint.timeout or CONNECT_SECONDS)),
        limits=httpx2.Limits(max_connections=ANY_NUMBER),
    )
    http.event_hooks = {"response": [partial(_read_at_most, endpoint)]}
    # It insists on a key, and would take one from the environment; the one that is sent is among `own`.
    client = AsyncOpenAI(base_url=endpoint.base_url, api_key="-", max_retries=0, http_client=http)
    plain = {"accept": "application/json", "content-type": "application/json", "user-agent": client.user_agent}
    left_out = dict.fromkeys((*client.default_headers, *BY_ITSELF, "authorization"), omit)
    return client, {"headers": left_out | plain | own}
