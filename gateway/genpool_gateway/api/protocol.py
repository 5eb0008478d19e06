"""Connections of the API: a request's headers must be whole after a time, and small. uvicorn bounds neither.

What is refused here never becomes a request, and is answered like everything else: by a problem of RFC 9457. Bodies
have their own time (:mod:`genpool_gateway.api.bodies`), idle connections the one of ``keep-alive``.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from fastapi import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from genpool_gateway.api.problems import Problem

#: Bytes of a request's first line and headers.
MOST_HEAD = 64 * 1024


class BoundedHead(HttpToolsProtocol):
    """One connection. It is closed with an answer when what comes before a body takes too long or is too large."""

    def __init__(self, *args: Any, seconds: float, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._seconds = seconds
        self._in_head = False
        self._head_bytes = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request must come too: a connection that says nothing is no request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What comes now is a body."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse it; whatever is no part of a request in progress is part of the next one's head."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._in_head and self.cycle is not None and not self.cycle.response_complete:
            self._came()
            return
        self._expect()
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD:
            self._refuse(
                "HeadersTooLarge", f"the headers of a request are over {MOST_HEAD:,} bytes: send fewer."
            )

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's, which says nothing more
        """The parser gave up: what came is no HTTP/1.1."""
        self._refuse(
            "MalformedRequest",
            "what came is no HTTP/1.1 request: see what program or proxy sends it, and that it speaks plain HTTP here.",
        )

    def _expect(self) -> None:
        if self._late is None:
            text = f"no whole headers of a request came for {self._seconds:g} s: send it again."
            self._late = self.loop.call_later(self._seconds, self._refuse, "RequestTimeout", text)

    def _came(self) -> None:
        self._head_bytes = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, reason: str, detail: str) -> None:
        """Answer, unless that would be in the middle of another answer, and close."""
        self._came()
        answered = self.cycle is None or self.cycle.response_complete
        if answered and not self.transport.is_closing():
            self.transport.write(_bytes_of(Problem(reason, detail).response()))
        self.transport.close()


def _bytes_of(response: Response) -> bytes:
    status = HTTPStatus(response.status_code)
    head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    head += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*head, b"", bytes(response.body)])
