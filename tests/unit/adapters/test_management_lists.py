"""RabbitMQ trips over a user deleted while it lists them; it is asked again, and nobody is told of an outage."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genpool_adapters.management.api import ManagementApi
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError

TRIPPED = (500, b"")
USERS = [{"name": "anna"}]
LIST = (200, json.dumps(USERS).encode())


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[tuple[ManagementApi, list[tuple[int, bytes]]]]:
    """A management API that gives these answers, one after the other."""
    answers: list[tuple[int, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_GET  # noqa: N815 - its name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    (tmp_path / "username").write_text("genpool")
    (tmp_path / "password").write_text("made-up")
    url = f"http://127.0.0.1:{server.server_address[1]}"
    api = ManagementApi(BrokerConfig(name="a", host="h", management_url=url, credentials_path=str(tmp_path)))
    yield api, answers
    api.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("times", [0, 1, 3])
def test_it_is_asked_again(answering: tuple[ManagementApi, list[tuple[int, bytes]]], times: int) -> None:
    api, answers = answering
    answers += [TRIPPED] * times + [LIST]
    assert api.get("users") == USERS
    assert answers == []


def test_not_for_ever(answering: tuple[ManagementApi, list[tuple[int, bytes]]]) -> None:
    api, answers = answering
    answers += [TRIPPED] * 9
    with pytest.raises(BrokerError, match="answers GET users with 500, and does not say why"):
        api.get("users")
    assert len(answers) == 5


@pytest.mark.parametrize(
    ("method", "first"),
    [("get", (503, b"")), ("get", (500, b'{"reason": "no memory"}')), ("delete", TRIPPED)],
)
def test_other_troubles_are_told_at_once(
    answering: tuple[ManagementApi, list[tuple[int, bytes]]], method: str, first: tuple[int, bytes]
) -> None:
    api, answers = answering
    answers += [first, LIST]
    with pytest.raises(BrokerError):
        getattr(api, method)("users")
    assert answers == [LIST]
