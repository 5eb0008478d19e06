"""Deletion in a bucket: S3 answers with success where single objects were refused, and lists those."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.errors import StorageError
from support.s3_answers import answered_by

_REFUSED = "<Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error>"


class _Handler(BaseHTTPRequestHandler):
    errors = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = f"<DeleteResult>{self.errors}</DeleteResult>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    with answered_by(_Handler, tmp_path) as made:
        yield made


@pytest.mark.parametrize("errors", ["", _REFUSED])
def test_what_was_not_deleted_is_said(store: S3Store, monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    monkeypatch.setattr(_Handler, "errors", errors)
    if not errors:
        store.delete(["a", "b"])
        return
    with pytest.raises(
        StorageError, match=r"did not delete 1 of 2 objects \(AccessDenied\): .* the right to list"
    ):
        store.delete(["a", "b"])
