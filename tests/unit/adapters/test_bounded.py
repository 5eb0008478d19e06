"""Exchanges end in time and answers have a size, whatever the other side does. Real sockets on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from genpool_adapters.bounded import MOST_BYTES, AnswerTooLarge, BoundedSession, read_limited
from genpool_adapters.http import is_outage
from support.dripping import WAYS, Dripping

#: Far longer than the deadline, and than a loaded machine needs: what would pass without one takes for ever.
PATIENT = 20.0


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_drips_ends_at_the_deadline(way: str) -> None:
    began = time.monotonic()
    with (
        Dripping(WAYS[way]) as server,
        BoundedSession() as session,
        pytest.raises(requests.RequestException) as caught,
        session.exchange("GET", server.url, seconds=0.4, timeout=5) as answer,
    ):
        read_limited(answer)
    assert 0.4 <= time.monotonic() - began < PATIENT
    assert is_outage(caught.value)


#: Seconds until the headers of an answer; the second is longer than this process may have to wait for a processor.
_WAITS = {"/slow": 0.3, "/slower": 3.0}


class Handler(BaseHTTPRequestHandler):
    """Answers each path in its way; keeps connections alive."""

    protocol_version = "HTTP/1.1"
    connections: set[object]

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        threading.Event().wait(_WAITS.get(self.path, 0))
        self.send_response(200)
        said = MOST_BYTES + 1 if self.path == "/says-much" else 2
        self.send_header("Content-Length", str(said))
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Handler.connections = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_connection_serves_many_exchanges_each_with_its_own_time(url: str) -> None:
    with BoundedSession() as session:
        for _ in range(3):
            with session.exchange("GET", f"{url}/slow", seconds=5, timeout=5) as answer:
                assert read_limited(answer) == b"ok"
        assert len(Handler.connections) == 1
        with (
            pytest.raises(requests.Timeout),
            session.exchange("GET", f"{url}/slower", seconds=0.1, timeout=5) as answer,
        ):
            read_limited(answer)
        with session.exchange("GET", url, seconds=5, timeout=5) as answer:
            assert read_limited(answer) == b"ok"
    assert not [
        thread for thread in threading.enumerate() if thread.name == "http-deadline" and _lives(thread)
    ]


def _lives(thread: threading.Thread) -> bool:
    thread.join(2)
    return thread.is_alive()


def test_an_answer_that_says_it_is_too_large_is_not_read(url: str) -> None:
    with (
        BoundedSession() as session,
        pytest.raises(AnswerTooLarge, match="more than 64 MiB") as caught,
        session.exchange("GET", f"{url}/says-much", seconds=5, timeout=5) as answer,
    ):
        read_limited(answer)
    assert not is_outage(caught.value)


def test_an_endless_answer_is_read_up_to_its_bound() -> None:
    megabyte = b"x" * (1 << 20)
    with (
        Dripping(b"HTTP/1.1 200 OK\r\n\r\n" + megabyte * 64, drip=megabyte) as server,
        BoundedSession() as session,
        pytest.raises(AnswerTooLarge),
        session.exchange("GET", server.url, seconds=PATIENT, timeout=5) as answer,
    ):
        read_limited(answer)
