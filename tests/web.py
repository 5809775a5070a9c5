"""A web server on loopback with pages that behave and pages that do not."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Web:
    """`pages`: path -> (status, headers, body). `/hopN` redirects N times to `/page`, `/loop` to itself; `/slow`
    begins an answer and never ends it; `/endless` does not say how long it is. `requests` are the paths asked for."""

    def __init__(self, **pages: tuple[int, dict[str, str], bytes]):
        html = {"Content-Type": "text/html; charset=iso-8859-1"}
        self.pages = {"page": (200, html, "<p>Größe und Länge</p>".encode("latin-1"))} | pages
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        web, self._stopping = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.requests.append(self.path)
                web.authorizations.append(self.headers.get("Authorization", ""))
                web._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.split("?")[0].strip("/")
        if name.startswith("hop"):
            self._send(handler, 302, {"Location": f"/hop{int(name[3:]) - 1}" if name != "hop0" else "/page"}, b"")
        elif name == "loop":
            self._send(handler, 302, {"Location": "/loop"}, b"")
        elif name == "slow":
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(b"<p>It begins")
            handler.wfile.flush()
            self._stopping.wait(60)
        elif name == "endless":
            handler.send_response(200)
            handler.end_headers()
            try:
                while not self._stopping.is_set():
                    handler.wfile.write(b"x" * 10_000)
            except OSError:
                pass
        else:
            self._send(handler, *self.pages.get(name, (404, {}, b"no such page")))

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        handler.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
