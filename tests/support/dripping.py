"""An HTTP server that is never late by a time-out of reads: it sends a byte now and then, and never ends."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

#: How an answer may go on for ever, and what comes before the drips.
WAYS = {
    "status": b"HTTP/1.1 2",
    "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n ",
    "body without a length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{} ",
    "chunks": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
}


class Dripping:
    """Drips on every connection at ``127.0.0.1:port``; a context that ends it.

    ``pause``: seconds before each drip; ``drips``: how many, without end when absent.
    """

    def __init__(
        self, begin: bytes, drip: bytes = b" ", *, pause: float = 0.05, drips: int | None = None
    ) -> None:
        self._begin = begin
        self._drip = drip
        self._pause = pause
        self._drips = drips
        self._ends = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, name="dripping")]
        self.port = int(self._server.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ends.set()
        # A shutdown wakes the thread that waits in accept; a close alone does not.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), name="dripping")
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(1 << 16)
            client.sendall(self._begin)
            left = self._drips
            while left != 0 and not self._ends.wait(self._pause):
                client.sendall(self._drip)
                left = None if left is None else left - 1
