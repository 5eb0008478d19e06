"""A put that meets the moment at which its folder is taken away, as versitygw answers it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from genpool_adapters.objectstore.port import Put
from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.errors import StorageError
from support.s3_answers import answered_by

_IN_PLACE = (
    b"<Error><Code>ExistingObjectIsDirectory</Code><Message>Existing Object is a directory.</Message></Error>"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: So many answers more are refusals; what was put when one was not.
    refusals = 0
    bodies: list[bytes]

    def do_PUT(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        refused = type(self).refusals > 0
        type(self).refusals -= 1
        if not refused:
            self.bodies.append(sent)
        body = _IN_PLACE if refused else b""
        self.send_response(409 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    monkeypatch.setattr(_Handler, "bodies", [], raising=False)
    with answered_by(_Handler, tmp_path) as made:
        yield made


def test_it_is_put_again(store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"four")
    for refusals in (0, 1, 5):
        monkeypatch.setattr(_Handler, "refusals", refusals)
        store.put("d/a", b"one")
        monkeypatch.setattr(_Handler, "refusals", refusals)
        assert store.create("d/b", b"two") is Put.CREATED
        monkeypatch.setattr(_Handler, "refusals", refusals)
        store.put_soon("d/c", b"three")
        monkeypatch.setattr(_Handler, "refusals", refusals)
        store.put_file("d/d", file, "image/png")
    assert _Handler.bodies == [b"one", b"two", b"three", b"four"] * 3


def test_a_folder_that_stays_in_its_place_is_told(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "refusals", 1000)
    with pytest.raises(StorageError, match="Existing Object is a directory"):
        store.put("d/a", b"one")
    assert _Handler.bodies == []
