"""Connections that go only to addresses that were checked.

urllib3 resolves a name and connects in one step. Here the step is taken apart: resolve once, keep the allowed
addresses, connect to exactly one of those. There is no second resolution that could answer otherwise. The TLS server
name and the Host header stay the URL's.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import BaseHTTPResponse
from urllib3.util.connection import create_connection

from genpool_adapters.address_filter import allowed_addresses
from genpool_core.api.security import HostRule

#: From a host and a port to the host's addresses.
Resolve = Callable[[str, int], list[str]]


def system_resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    return [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Guard:
    """What a session's connections share: the rules, the resolver, and the longest life of a connection."""

    def __init__(self, allow: Sequence[HostRule], resolve: Resolve, deadline: float | None) -> None:
        self.allow = tuple(allow)
        self.resolve = resolve
        self.deadline = deadline
        #: Set once a connection has lived too long: what was read from it may be cut short and must not count.
        self.expired = threading.Event()
        self._deadlines: list[Deadline] = []

    def watch(self, sock: socket.socket) -> None:
        """Let a new connection live no longer than the deadline.

        Not until the connection object is closed: http.client closes that as soon as a response without a length
        begins, and hands the socket to the response.
        """
        if self.deadline is not None:
            self._deadlines.append(Deadline(sock, self.deadline, self.expired))

    def close(self) -> None:
        """The session is closed: take the deadline out."""
        while self._deadlines:
            self._deadlines.pop().remove()

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to a checked address of the connection's host; errors are those of urllib3."""
        host = connection.host.rstrip(".")
        try:
            found = self.resolve(host.strip("[]"), connection.port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(host, connection, failure) from error
        return self._first(connection, allowed_addresses(host.strip("[]"), found, self.allow))

    @staticmethod
    def _first(connection: HTTPConnection, addresses: list[str]) -> socket.socket:
        last: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (address, connection.port),
                    connection.timeout,
                    source_address=connection.source_address,
                    socket_options=connection.socket_options,
                )
            except OSError as error:
                last = error
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(connection, f"{connection.host} did not answer in time") from last
        raise NewConnectionError(connection, f"{connection.host}: {last}") from last


class Deadline:
    """Ends a connection that lives too long, however slowly its other side feeds it.

    It holds a duplicate of the descriptor, because TLS takes the socket object over.
    """

    def __init__(self, sock: socket.socket, seconds: float, expired: threading.Event) -> None:
        self._expired = expired
        self._twin = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.name = "http-deadline"
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        with self._lock:
            if self._twin.fileno() < 0:
                return
            self._expired.set()
            with suppress(OSError):  # it may have been closed by the other side meanwhile
                self._twin.shutdown(socket.SHUT_RDWR)
            self._twin.close()

    def remove(self) -> None:
        """The exchange is over: let go."""
        self._timer.cancel()
        with self._lock:
            self._twin.close()


class _GuardedMixin:
    """The steps that differ from urllib3's connection."""

    guard: Guard

    def _new_conn(self) -> socket.socket:
        sock = self.guard.connect(self)  # type: ignore[arg-type]  # it is mixed into an HTTPConnection
        self.guard.watch(sock)
        return sock

    def getresponse(self) -> BaseHTTPResponse:
        late = TimeoutError("the exchange took too long")
        try:
            response: BaseHTTPResponse = super().getresponse()  # type: ignore[misc]  # of HTTPConnection
        except (OSError, HTTPException) as error:
            if self.guard.expired.is_set():
                raise late from error
            raise
        if self.guard.expired.is_set():  # headers that end because the connection was cut look complete
            response.close()
            raise late
        return response


def pool_manager(guard: Guard, *, connections: int, maxsize: int, block: bool, **kwargs: Any) -> PoolManager:  # noqa: ANN401 - requests' own options
    """A pool manager all of whose connections are guarded."""
    plain = type("GuardedHTTPConnection", (_GuardedMixin, HTTPConnection), {"guard": guard})
    secure = type("GuardedHTTPSConnection", (_GuardedMixin, HTTPSConnection), {"guard": guard})
    manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
    manager.pool_classes_by_scheme = {
        "http": type("GuardedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    return manager
