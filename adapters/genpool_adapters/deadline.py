"""The end of an exchange, whatever its other side does.

A read time-out counts from byte to byte, so a peer that sends one now and then is never late. A deadline counts for the
whole exchange: it shuts the sockets down, and who waits for them gets an error.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadline:
    """Shuts down every socket that it watches after ``seconds``; close it when the exchange is over."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []
        self._closed = False
        #: Set once it has passed: what was read may be cut short and must not count.
        self._passed = threading.Event()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.name = "http-deadline"
        self._timer.daemon = True
        self._timer.start()

    @property
    def passed(self) -> bool:
        """Whether it cut the exchange off."""
        return self._passed.is_set()

    @property
    def left(self) -> float:
        """Seconds until it passes."""
        return max(0.0, self._ends - time.monotonic())

    def watch(self, sock: socket.socket) -> None:
        """Let a socket live no longer.

        A duplicate of its descriptor is kept: TLS takes the socket object over, and http.client closes it as soon as an
        answer without a length begins.
        """
        twin = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._twins.append(twin)
            if self._passed.is_set():
                self._shut()
            elif self._closed:
                self._let_go()

    def cut(self) -> None:
        """Let it pass now: whoever reads from one of its sockets, in whatever thread, has an error."""
        self._timer.cancel()
        self._end()

    def close(self) -> None:
        """The exchange is over."""
        self._timer.cancel()
        with self._lock:
            self._closed = True
            self._let_go()

    def _end(self) -> None:
        with self._lock:
            if not self._closed:
                self._passed.set()
                self._shut()

    def _shut(self) -> None:
        for twin in self._twins:
            with suppress(OSError):  # it may have been closed by the other side meanwhile
                twin.shutdown(socket.SHUT_RDWR)
        self._let_go()

    def _let_go(self) -> None:
        while self._twins:
            self._twins.pop().close()


class Exchanges:
    """The deadlines of the exchanges that go on over shared connections, one at a time for each thread."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @property
    def deadline(self) -> Deadline | None:
        """Of this thread's exchange; None outside of one."""
        found: Deadline | None = getattr(self._of_thread, "deadline", None)
        return found

    @contextmanager
    def within(self, seconds: float) -> Iterator[Deadline]:
        """An exchange of this thread, from connecting to the last byte of the answer."""
        deadline = Deadline(seconds)
        self._of_thread.deadline = deadline
        try:
            yield deadline
        finally:
            self._of_thread.deadline = None
            deadline.close()
