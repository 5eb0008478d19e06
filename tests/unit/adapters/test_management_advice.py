"""What a 400 of the management API is told as: advice fits what was found, and never costs messages unseen."""

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


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[tuple[ManagementApi, list[str]]]:
    """A management API that refuses everything with 400 and the reason in the list."""
    reasons: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps({"error": "bad_request", "reason": reasons[0]}).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    (tmp_path / "username").write_text("genpool")
    (tmp_path / "password").write_text("made-up")
    url = f"http://127.0.0.1:{server.server_address[1]}"
    broker = BrokerConfig(name="a", host="h", management_url=url, credentials_path=str(tmp_path))
    api = ManagementApi(broker)
    yield api, reasons
    api.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "reason",
    [
        "Validation failed\n\nmessage-ttl is not a number",
        "cannot declare queue 'q' in vhost 'v': vhost queue limit (3) is reached",
        "",
    ],
)
def test_what_has_nothing_to_do_with_a_queue_gives_no_advice_to_delete_one(
    refusing: tuple[ManagementApi, list[str]], reason: str
) -> None:
    api, reasons = refusing
    reasons.append(reason)
    with pytest.raises(BrokerError) as caught:
        api.put("policies", "v", "p", body={})
    assert caught.value.reason == "TopologyConflict"
    assert "delet" not in caught.value.message
    assert caught.value.message.startswith("RabbitMQ does not accept PUT policies/v/p: ")


def test_what_exists_with_other_arguments_is_not_deleted_without_a_look(
    refusing: tuple[ManagementApi, list[str]],
) -> None:
    api, reasons = refusing
    reasons.append(
        "inequivalent arg 'x-queue-type' for queue 'q' in vhost 'v': received none but current is 'x'"
    )
    with pytest.raises(BrokerError) as caught:
        api.put("queues", "v", "q", body={})
    assert "deleting it deletes the messages in it" in caught.value.message
    assert "give the pool another queue" in caught.value.message
