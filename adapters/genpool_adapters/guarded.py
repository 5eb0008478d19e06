"""Connections that go only to addresses that were checked.

urllib3 resolves a name and connects in one step. Here the step is taken apart: resolve once, keep the allowed
addresses, connect to exactly one of those. There is no second resolution that could answer otherwise. The TLS server
name and the Host header stay the URL's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from genpool_adapters.address_filter import allowed_addresses
from genpool_adapters.bounded import use_timed_connections
from genpool_adapters.deadline import Deadline
from genpool_core.api.security import HostRule

#: From a host and a port to the host's addresses.
Resolve = Callable[[str, int], list[str]]


def system_resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    return [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Guard:
    """What a session's connections share: the rules, the resolver, and the deadline of all that the session does."""

    def __init__(self, allow: Sequence[HostRule], resolve: Resolve, seconds: float | None) -> None:
        self.allow = tuple(allow)
        self.resolve = resolve
        self.deadline = None if seconds is None else Deadline(seconds)

    def close(self) -> None:
        """The session is closed: take the deadline out."""
        if self.deadline is not None:
            self.deadline.close()

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to a checked address of the connection's host; errors are those of urllib3."""
        host = connection.host.rstrip(".")
        try:
            found = self.resolve(host.strip("[]"), connection.port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(host, connection, failure) from error
        return self._first(connection, allowed_addresses(host.strip("[]"), found, self.allow))

    def _first(self, connection: HTTPConnection, addresses: list[str]) -> socket.socket:
        """To the first address that answers. A name may have any number of addresses that do not."""
        last: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (address, connection.port),
                    self._patience(connection),
                    source_address=connection.source_address,
                    socket_options=connection.socket_options,
                )
            except OSError as error:
                last = error
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(connection, f"{connection.host} did not answer in time") from last
        raise NewConnectionError(connection, f"{connection.host}: {last}") from last

    def _patience(self, connection: HTTPConnection) -> float | None:
        """Seconds to connect to one address."""
        if self.deadline is None:
            return connection.timeout
        if (left := self.deadline.left) <= 0:
            raise ConnectTimeoutError(connection, f"{connection.host} did not answer in time")
        return left if connection.timeout is None else min(connection.timeout, left)


class _GuardedMixin:
    """The step that differs from urllib3's connection."""

    guard: Guard

    def _new_conn(self) -> socket.socket:
        return self.guard.connect(self)  # type: ignore[arg-type]  # it is mixed into an HTTPConnection


def guard_connections(manager: PoolManager, guard: Guard) -> None:
    """Let all connections of a pool manager go only where the guard allows, and keep to its deadline."""
    use_timed_connections(manager, guard, (_GuardedMixin,), guard=guard)
