"""Files by link: downloads whole and in parts, uploads of exactly the size that was signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from genpool_core.workerconfig import FolderConfig
from genpool_gateway.adapters.linked_folder import LinkedFolder
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.api import linked_files
from genpool_gateway.api.middleware import SecurityHeaders
from genpool_gateway.api.problems import answer_with_problems
from genpool_gateway.api.request_base import RequestBase, whole
from genpool_gateway.api.services import ApiOptions
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.pools.linked_files import LinkedFiles

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DATA = bytes(range(256)) * 10_000
PNG = {"Content-Type": "image/png"}
#: So long, in seconds, a body may pause: much longer than a busy machine makes it.
_PAUSE = 1.0


class Served:
    """A folder behind the API's routes."""

    def __init__(self, root: Path) -> None:
        self.links = FileLinks(lambda: [b"k" * 32], lambda: NOW)
        stores = Stores((), [root], self.links)
        store = stores.of(FolderConfig(path=str(root)))
        assert isinstance(store, LinkedFolder)
        self.store = store
        self.app = FastAPI()
        self.app.state.services = SimpleNamespace(
            linked_files=LinkedFiles(self.links, stores.folder), options=ApiOptions(body_seconds=_PAUSE)
        )
        answer_with_problems(self.app)
        self.app.include_router(linked_files.router, prefix="/v1")
        self.app.add_middleware(SecurityHeaders)

    def call(self, method: str, url: str, **how: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gen.example") as client:
                return await client.request(method, url, **how)

        return asyncio.run(ask())


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_a_picture_is_shown_and_can_do_nothing(served: Served) -> None:
    served.store.put("tasks/k/日落 1.png", DATA)
    answer = served.call("GET", served.store.sign("tasks/k/日落 1.png"))
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''%E6%97%A5%E8%90%BD%201.png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["a.svg", "a.html", "a.xhtml", "a.pdf", "a.mp4", "a.json", "a", "a.PNG.html", "a.js"]
)
def test_all_else_is_saved(served: Served, name: str) -> None:
    served.store.put(name, b"<script>")
    answer = served.call("GET", served.store.sign(name))
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_picture_is_saved_where_the_link_says_so(served: Served) -> None:
    served.store.put("a.png", DATA)
    answer = served.call("GET", served.store.sign("a.png", save_as="日落.png"))
    said = "attachment; filename*=UTF-8''%E6%97%A5%E8%90%BD.png"
    assert (answer.content, answer.headers["content-disposition"]) == (DATA, said)


def test_a_head_has_the_headers_alone(served: Served) -> None:
    served.store.put("a.png", DATA)
    url = served.store.sign("a.png")
    head, get = served.call("HEAD", url), served.call("GET", url)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)


def test_a_part_is_sent(served: Served) -> None:
    served.store.put("a.png", DATA)
    url = served.store.sign("a.png")
    answer = served.call("GET", url, headers={"Range": "bytes=1000-1999999"})
    assert (answer.status_code, answer.content) == (206, DATA[1000:2_000_000])
    assert answer.headers["content-range"] == f"bytes 1000-1999999/{len(DATA)}"
    assert answer.headers["content-length"] == "1999000"
    etag = answer.headers["etag"]
    again = served.call("GET", url, headers={"Range": "bytes=2-", "If-Range": etag})
    assert (again.status_code, again.content) == (206, DATA[2:])
    served.store.put("a.png", DATA)
    other = served.call("GET", url, headers={"Range": "bytes=2-", "If-Range": etag})
    assert (other.status_code, other.content) == (200, DATA)


def test_a_part_that_is_not_there(served: Served) -> None:
    served.store.put("a.png", b"12345")
    answer = served.call("GET", served.store.sign("a.png"), headers={"Range": "bytes=5-"})
    assert (answer.status_code, answer.json()["reason"]) == (416, "RangeNotSatisfiable")
    assert "5 bytes" in answer.json()["detail"]
    assert answer.headers["content-range"] == "bytes */5"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_caller_has_is_not_sent_again(served: Served, method: str) -> None:
    served.store.put("a.png", DATA)
    url = served.store.sign("a.png")
    etag = served.call("HEAD", url).headers["etag"]
    # It goes before a part, as RFC 9110 has it.
    for sent in (etag, f'"other", W/{etag}', "*"):
        answer = served.call(method, url, headers={"If-None-Match": sent, "Range": "bytes=0-1"})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    served.store.put("a.png", DATA + b"1")
    assert served.call(method, url, headers={"If-None-Match": etag}).status_code == 200


def test_an_empty_file(served: Served) -> None:
    served.store.put("a.txt", b"")
    answer = served.call("GET", served.store.sign("a.txt"))
    assert (answer.status_code, answer.content) == (200, b"")


def test_what_was_deleted_is_not_found(served: Served) -> None:
    answer = served.call("GET", served.store.sign("a.png"))
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_is_not_signed_is_forbidden(served: Served, method: str) -> None:
    served.store.put("a.png", b"1")
    for token in ("x", f"{served.store.sign('a.png')[10:]}x"):
        answer = served.call(method, f"/v1/files/{token}", headers=PNG)
        assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")


def test_a_folder_that_is_not_listed_any_more(served: Served, tmp_path: Path) -> None:
    other = LinkedFolder(FolderConfig(path=str(tmp_path / "other")), served.links)
    answer = served.call("GET", other.sign("a.png"))
    assert (answer.status_code, "GENPOOL_FOLDERS" in answer.json()["detail"]) == (403, True)


# Uploads -----------------------------------------------------------------------------------------------------------


def _place(served: Served, size: int = len(DATA)) -> str:
    return served.store.sign_put("uploads/me/t/a.png", "image/png", size, 900)


def test_an_upload_is_put(served: Served) -> None:
    answer = served.call("PUT", _place(served), content=DATA, headers=PNG)
    assert (answer.status_code, answer.content) == (204, b"")
    found = served.store.get("uploads/me/t/a.png")
    assert found is not None
    assert found.data == DATA


async def _drip(*parts: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause)
        yield part


def test_an_upload_may_come_in_parts(served: Served) -> None:
    # Together longer than a pause may be.
    parts = _drip(b"12", b"34", b"5", b"6", pause=0.3 * _PAUSE)
    assert served.call("PUT", _place(served, 6), content=parts, headers=PNG).status_code == 204


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (DATA + b"1", PNG, 413, "ask for an upload of the file's size"),
        (DATA[1:], PNG, 422, "ask for an upload of the file's size"),
        (DATA, {"Content-Type": "image/jpeg"}, 415, "send image/png"),
        (DATA, {}, 415, "there is no Content-Type: send image/png"),
        (lambda: _drip(DATA, b"1"), PNG, 413, "2,560,001 came"),
        (lambda: _drip(DATA[:5]), PNG, 422, "5 came"),
        (lambda: _drip(b"1", b"2", pause=2 * _PAUSE), PNG, 408, f"no part of the file came for {_PAUSE:g} s"),
    ],
)
def test_what_is_not_as_it_was_signed_leaves_nothing(
    served: Served,
    content: Any,  # noqa: ANN401 - of httpx
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    sent = content() if callable(content) else content
    answer = served.call("PUT", _place(served), content=sent, headers=headers)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert served.store.keys("") == []


def test_a_link_that_is_a_path_is_whole_in_an_answer() -> None:
    told: list[str] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401 - ASGI
        told.extend([whole("/v1/files/x"), whole("https://s3.example/x")])

    headers = [(b"host", b"gen.example:8000")]
    scope = {"type": "http", "scheme": "http", "path": "/v1/tasks", "headers": headers}
    asyncio.run(RequestBase(app)(scope, None, None))  # type: ignore[arg-type] # not asked
    assert told == ["http://gen.example:8000/v1/files/x", "https://s3.example/x"]
    assert whole("/v1/files/x") == "/v1/files/x"


def test_a_compressed_upload_is_refused(served: Served) -> None:
    answer = served.call("PUT", _place(served), content=DATA, headers={**PNG, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")
    assert "gzip" in answer.json()["detail"]
