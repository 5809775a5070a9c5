"""llama.cpp's own HTTP server on loopback, with a model from a file, in a process of its own and on one thread.

with LlamaServer(gguf) as server:
    ask(server.url)
    server.kill()
    server.start()  # at the same address
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from socket import socket
from typing import Self

NAME = "smollm2"
PATIENCE = 60.0


class LlamaServer:
    def __init__(self, gguf: Path, context: int = 2048) -> None:
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._command = (sys.executable, __file__, str(gguf), str(self._port), str(context))
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # for as long as there is a server
        self.url = f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Returns once the model is loaded."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            self._log.seek(0)
            assert self._process.poll() is None, self._log.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health") as answer:  # loopback
                return bool(answer.status == 200)
        except OSError:  # it does not listen yet, or answers 503 while it loads
            return False

    def tokens(self, text: str) -> list[int]:
        """The ids of its tokens as llama.cpp cuts it, markup as markup."""
        asked = json.dumps({"content": text, "add_special": False, "parse_special": True}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/tokenize", asked) as answer:  # loopback
            return list(json.load(answer)["tokens"])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()


def _serve(gguf: str, port: str, context: str) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = gguf, {NAME}
    params.hostnames, params.port = ["127.0.0.1"], int(port)
    params.n_ctx, params.n_parallel = int(context), 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more are slower where cores are busy
    server = xllamacpp.Server(params)
    while server:
        time.sleep(3600)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
