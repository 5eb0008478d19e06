"""What a program may do in a store: the first thing that fails is told, and nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genpool_adapters.objectstore.access_check import StoreAccess, check_access
from genpool_adapters.objectstore.folder import FolderStore
from genpool_adapters.objectstore.s3 import S3Store, StoreFields
from genpool_core.errors import StorageError
from genpool_core.workerconfig import S3Config
from support.secret_volume import write_secret


class Store:
    """Refuses some of what it is asked for."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        def act(*_: object) -> object:
            self.asked.append(name)
            if name in self.refused:
                raise StorageError(f"no {name}.", refusal=True)
            return None

        return act


@pytest.mark.parametrize(
    ("refused", "access", "asked"),
    [
        ((), None, ["get", "keys", "create", "delete"]),
        (("get", "create"), StoreAccess.READ, ["get"]),
        (("keys",), StoreAccess.LIST, ["get", "keys"]),
        (("create",), StoreAccess.CREATE, ["get", "keys", "create"]),
        (("delete",), StoreAccess.DELETE, ["get", "keys", "create", "delete"]),
    ],
)
def test_the_first_that_fails_is_told(
    refused: tuple[str, ...], access: StoreAccess | None, asked: list[str]
) -> None:
    store = Store(*refused)
    found = check_access(store, "p/")  # type: ignore[arg-type]
    assert (None if found is None else found.access) == access
    assert store.asked == asked


def test_a_folder_is_as_it_was(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert check_access(store, "") is None
    assert store.keys("") == []


def test_an_object_that_is_there_already_is_no_failure(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.create("probes/access.json", b"{}")
    assert check_access(store, "") is None


@pytest.mark.parametrize(
    ("name", "access", "said"),
    [
        ("nothing", StoreAccess.READ, "does not exist: make it, or mount the disk"),
        ("occupied", StoreAccess.READ, "a file or a link is where a directory must be"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path: Path, name: str, access: StoreAccess, said: str) -> None:
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "probes").write_text("no directory")
    found = check_access(FolderStore(tmp_path / name), "")
    assert found is not None
    assert (found.access, found.error.refusal) == (access, True)
    assert said in found.error.message


# What S3 answers ----------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    answer = (403, "AccessDenied")

    def do_GET(self) -> None:
        status, code = self.answer
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    write_secret(tmp_path, AWS_ACCESS_KEY_ID="KEY", AWS_SECRET_ACCESS_KEY="secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        config = S3Config(bucket="results", endpoint=f"http://127.0.0.1:{server.server_port}")
        yield S3Store(config, tmp_path, fields=StoreFields(bucket="THE BUCKET", keys="THE KEYS"))
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "advice", "refusal"),
    [
        (403, "InvalidAccessKeyId", "correct the Secret in THE KEYS", True),
        (403, "SignatureDoesNotMatch", "correct the Secret in THE KEYS", True),
        (403, "AccessDenied", "give the key the right to list, get, put and delete", True),
        (404, "NoSuchBucket", "make it, or correct THE BUCKET", True),
        (400, "AuthorizationHeaderMalformed", "no", True),
        (409, "OperationAborted", "no", False),
    ],
)
def test_who_has_to_change_something(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, status: int, code: str, advice: str, *, refusal: bool
) -> None:
    monkeypatch.setattr(_Handler, "answer", (status, code))
    found = check_access(store, "p/")
    assert found is not None
    assert (found.access, found.error.refusal) == (StoreAccess.READ, refusal)
    assert "bucket results at http://127.0.0.1:" in found.error.message
    assert f"refused ({code})" in found.error.message
    assert advice in found.error.message
