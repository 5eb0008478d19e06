"""HTTP with servers that we chose: each exchange ends within a time, and each answer within a size.

The management API, the Kubernetes API and ComfyUI are no strangers, but a proxy before them may hang, and what runs in
ComfyUI may be anything. ``genpool_adapters.http`` is for URLs that tasks bring.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from http.client import HTTPException
from socket import socket
from typing import Any, Protocol, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse

from genpool_adapters.deadline import Deadline, Exchanges
from genpool_core.jsontypes import JsonValue

#: Bytes of the largest answer that is read into memory: a list of some ten thousand queues, or 500 pods, has fewer.
MOST_BYTES = 64 << 20
_CHUNK = 1 << 20
_LATE = "the exchange took too long"


class AnswerTooLarge(requests.RequestException):
    """An answer with more bytes than are read."""


class HasDeadline(Protocol):
    """Where a connection finds the deadline of the exchange that uses it."""

    @property
    def deadline(self) -> Deadline | None:
        """None: no deadline."""


class TimedMixin:
    """The steps of a urllib3 connection at which a deadline has to know its socket, or may have cut it off."""

    exchanges: HasDeadline
    sock: socket | None

    def _new_conn(self) -> socket:
        sock: socket = super()._new_conn()  # type: ignore[misc]  # of HTTPConnection
        self._watch(sock)
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - urllib3's own arguments
        """Send a request; a connection that was kept alive has another exchange now."""
        if self.sock is not None:
            self._watch(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]  # of HTTPConnection

    def getresponse(self) -> BaseHTTPResponse:
        """The answer up to its body. Headers that end because the connection was cut look complete."""
        try:
            response: BaseHTTPResponse = super().getresponse()  # type: ignore[misc]  # of HTTPConnection
        except (OSError, HTTPException) as error:
            if self._passed():
                raise TimeoutError(_LATE) from error
            raise
        if self._passed():
            response.close()
            raise TimeoutError(_LATE)
        return response

    def _watch(self, sock: socket) -> None:
        deadline = self.exchanges.deadline
        if deadline is not None:
            deadline.watch(sock)

    def _passed(self) -> bool:
        deadline = self.exchanges.deadline
        return deadline is not None and deadline.passed


def use_timed_connections(
    manager: PoolManager, exchanges: HasDeadline, mixins: tuple[type, ...] = (), **attributes: object
) -> None:
    """Let all connections of a pool manager keep to the deadlines; ``mixins`` go between them and urllib3's own."""
    plain, secure = (
        type(f"Timed{kind.__name__}", (TimedMixin, *mixins, kind), {"exchanges": exchanges, **attributes})
        for kind in (HTTPConnection, HTTPSConnection)
    )
    manager.pool_classes_by_scheme = {
        "http": type("TimedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TimedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class TimedAdapter(HTTPAdapter):
    """The connections of a session of requests that keep to deadlines."""

    def __init__(self, exchanges: HasDeadline) -> None:
        self._exchanges = exchanges
        super().__init__(max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - requests' signature
        **pool_kwargs: Any,  # noqa: ANN401 - requests' signature
    ) -> None:
        """Make the connections' pools."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self._prepare(self.poolmanager)

    def _prepare(self, manager: PoolManager) -> None:
        """Say what the manager's connections are."""
        use_timed_connections(manager, self._exchanges)

    def build_response(self, req: requests.PreparedRequest, resp: BaseHTTPResponse) -> requests.Response:
        """An answer whose body counts only where it came in time."""
        response = super().build_response(req, resp)
        response.raw.stream = _whole(resp, self._exchanges.deadline)  # type: ignore[method-assign]
        return response


def _whole(resp: BaseHTTPResponse, deadline: Deadline | None) -> Callable[..., Iterator[bytes]]:
    """A body that ended because the deadline cut it is not a body."""
    stream = resp.stream

    @wraps(stream)
    def checked(*args: Any, **kwargs: Any) -> Iterator[bytes]:  # noqa: ANN401 - as urllib3
        yield from stream(*args, **kwargs)
        if deadline is not None and deadline.passed:
            resp.close()
            raise ProtocolError(_LATE)

    return checked


class BoundedSession(requests.Session):
    """A session without the environment's proxies and passwords. Not safe to share: one thread at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._exchanges = Exchanges()
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, TimedAdapter(self._exchanges))

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        **kwargs: Any,  # noqa: ANN401 - requests' own arguments
    ) -> Iterator[requests.Response]:
        """An answer whose body is still to be read; all of it, and what is done meanwhile, takes at most ``seconds``.

        Raises
        ------
        requests.RequestException
            As usual; a time-out or a broken body where it took too long.
        """
        with (
            self._exchanges.within(seconds),
            self.request(method, url, stream=True, **kwargs) as response,
        ):
            yield response


def read_limited(response: requests.Response) -> bytes:
    """The body of an answer.

    Raises
    ------
    AnswerTooLarge
        It has more than ``MOST_BYTES``.
    requests.RequestException
        As usual.
    """
    return join_limited(response.iter_content(_CHUNK), response.headers)


def join_limited(chunks: Iterable[bytes], headers: Mapping[str, str]) -> bytes:
    """The chunks together; what is said of their length is believed only when it is too much.

    Raises
    ------
    AnswerTooLarge
        They are more than ``MOST_BYTES``.
    """
    said = headers.get("Content-Length", "")
    too_large = AnswerTooLarge(f"the answer has more than {MOST_BYTES >> 20} MiB")
    if said.isdigit() and int(said) > MOST_BYTES:
        raise too_large
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MOST_BYTES:
            raise too_large
    return bytes(data)


def json_of(body: bytes) -> JsonValue:
    """JSON of an answer; None where it is something else, such as a proxy's page."""
    try:
        return cast("JsonValue", json.loads(body))
    except ValueError:
        return None
