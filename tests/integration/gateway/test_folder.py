"""A pool with results in a folder of the machine: the gateway's links, uploads, ends, and deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from genpool_adapters.objectstore.folder import FolderStore
from genpool_core import identity
from genpool_core.ledger import keys
from genpool_core.ledger.records import EndRecord, Output
from genpool_core.messages.events import TaskOutput
from integration.broker import Vhost, until
from integration.gateway.api import Api, about, prepare
from integration.gateway.conftest import GatewayProcess, Receiver
from integration.gateway.test_ended import running

PICTURE = bytes(range(256)) * 8000
SMALL = b"GIF89a, as it begins"
WANTED = {"pool": "text", "name": "a.png", "content_type": "image/png", "size_bytes": len(PICTURE)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    made.mkdir()
    return made


def _prepared(process: GatewayProcess, root: Path, receiver: Receiver) -> Api:
    folder = {"path": str(root), "urlTTLSeconds": 600}
    return prepare(
        process,
        storage={"type": "Folder", "folder": folder},
        security={"callbackHosts": receiver.allow},
    )


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost, root: Path, receiver: Receiver) -> Iterator[Api]:
    """A gateway that may use the pool's folder, and knows no public address."""
    assert vhost is gateway_process.vhost
    made = _prepared(gateway_process, root, receiver)
    gateway_process.environment["GENPOOL_FOLDERS"] = str(root)
    with running(made):
        yield made


@pytest.fixture
def unlisted(gateway_process: GatewayProcess, vhost: Vhost, root: Path, receiver: Receiver) -> Iterator[Api]:
    """One that may not."""
    assert vhost is gateway_process.vhost
    made = _prepared(gateway_process, root, receiver)
    gateway_process.environment["GENPOOL_FOLDERS"] = str(root.parent)
    with running(made):
        yield made


def _stored(root: Path, task: dict[str, Any], name: str = "a.png") -> Output:
    """A result as the worker puts it into the folder."""
    key = f"{keys.output_prefix('', task['id'], task['run'], 1, 'n')}{name}"
    FolderStore(root).put(key, PICTURE)
    return Output(
        key=key,
        bucket=str(root),
        node="9",
        kind="images",
        content_type="image/png",
        bytes=len(PICTURE),
        sha256="ab",
    )


def _ended(api: Api, root: Path, task: dict[str, Any], **fields: Any) -> EndRecord:  # noqa: ANN401 - of the record
    """The end of a task as its worker makes it."""
    end = api.ended(task, **{"outputs": [_stored(root, task)], **fields})
    FolderStore(root).create(keys.end_key("", task["id"], task["run"]), end.model_dump_json().encode())
    return end


def test_results_have_links_that_the_gateway_answers(api: Api, root: Path) -> None:
    task = api.submit()
    api.claimed(task)
    api.announce(TaskOutput(id="o-1", output=_stored(root, task), **about(task, 1)))
    begun = until(lambda: found if (found := api.task(task["id"]))["outputs"] else None, "an output")
    _ended(api, root, task)
    done = api.until_status(task["id"], "succeeded")
    (listed,) = api.call("GET", "/v1/tasks").json()["tasks"]
    with api.watching(task["id"]) as events:
        told = list(events)
    (seen,) = (event["data"]["output"] for event in told if event["event"] == "output")
    last = told[-1]["data"]["task"]["outputs"]
    for output in (*begun["outputs"], *done["outputs"], *listed["outputs"], *last, seen):
        assert output["url"].startswith(f"{api.url}/v1/files/"), "as the request was sent"
        assert requests.get(output["url"], timeout=10).content == PICTURE
    (pool,) = api.call("GET", "/v1/pools").json()["pools"]
    assert pool["links"] == "signed when they are given out, valid for 600 s."
    url = done["outputs"][0]["url"]
    part = requests.get(url, headers={"Range": "bytes=5-9"}, timeout=10)
    assert (part.status_code, part.content) == (206, PICTURE[5:10])
    assert requests.head(url, timeout=10).headers["Content-Length"] == str(len(PICTURE))
    forged = requests.get(f"{url[:-1]}{'A' if url[-1] != 'A' else 'B'}", timeout=10)
    assert (forged.status_code, forged.json()["reason"]) == (403, "Forbidden")
    assert url.rpartition("/")[2] not in api.process.log


def test_a_callback_has_a_link_of_the_public_address(api: Api, root: Path, receiver: Receiver) -> None:
    api.process.stop()
    api.process.environment["GENPOOL_PUBLIC_URL"] = "https://gen.example"
    api.process.start()
    api.process.until_ready()
    task = api.submit(callback_url=receiver.url("200"), callback_events=["end"])
    end = _ended(api, root, task, callback_url=receiver.url("200"))
    api.ask_callback(end, receiver.allow)
    done = api.until_status(task["id"], "succeeded")
    assert done["outputs"][0]["url"].startswith("https://gen.example/v1/files/")
    (seen,) = until(lambda: receiver.seen(identity.end_id(task["id"], 1)), "the callback")
    url = json.loads(seen["body"])["outputs"][0]["url"]
    assert url.startswith("https://gen.example/v1/files/")
    assert requests.get(url.replace("https://gen.example", api.url), timeout=10).content == PICTURE


def test_an_upload_goes_into_the_folder_as_it_was_signed(api: Api, root: Path) -> None:
    made = api.call("POST", "/v1/uploads", WANTED).json()
    assert made["url"].startswith(f"{api.url}/v1/files/")
    for sent in (PICTURE + b"!", PICTURE[:-1]):
        refused = requests.put(made["url"], sent, headers={"Content-Type": "image/png"}, timeout=10)
        assert refused.status_code in {413, 422}, refused.text
    assert FolderStore(root).keys("uploads/") == []
    answer = requests.put(made["url"], PICTURE, headers=made["headers"], timeout=10)
    assert answer.ok, answer.text
    (key,) = FolderStore(root).keys("uploads/")
    token, _, name = made["id"].removeprefix("upload:").partition("/")
    assert key.endswith(f"/{token}/{name}")
    assert (root / key).read_bytes() == PICTURE


def test_what_a_page_asks_for_goes_to_the_folder_too(api: Api, root: Path) -> None:
    made = api.call("POST", "/v1/uploads", WANTED).json()
    place = f"/v1/uploads/{made['id'].removeprefix('upload:')}?pool=text"
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "image/png"}
    put = requests.put(f"{api.url}{place}", SMALL, headers=headers, timeout=10)
    assert put.status_code == 204, put.text
    (key,) = FolderStore(root).keys("uploads/")
    assert (root / key).read_bytes() == SMALL
    task = api.submit()
    _ended(api, root, task)
    api.until_status(task["id"], "succeeded")
    saved = api.call("GET", f"/v1/tasks/{task['id']}/outputs/a.png")
    assert saved.content == PICTURE
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.png"
    assert "img-src 'self' data: blob:;" in api.call("GET", "/").headers["Content-Security-Policy"]


def test_a_waiting_task_ends_in_the_folder(api: Api, root: Path) -> None:
    task = api.submit()
    assert api.call("POST", f"/v1/tasks/{task['id']}/cancel").status_code == 202
    api.until_status(task["id"], "canceled")
    end = EndRecord.model_validate_json((root / keys.end_key("", task["id"], 1)).read_bytes())
    assert (end.outcome, end.worker) == ("cancelled", "")


def test_a_deleted_task_leaves_its_end_alone(api: Api, root: Path) -> None:
    task = api.submit()
    _ended(api, root, task)
    url = api.until_status(task["id"], "succeeded")["outputs"][0]["url"]
    answer = api.call("DELETE", f"/v1/tasks/{task['id']}")
    assert answer.ok, answer.text
    assert FolderStore(root).keys("") == [keys.end_key("", task["id"], 1)]
    gone = requests.get(url, timeout=10)
    assert (gone.status_code, gone.json()["reason"]) == (404, "NotFound")


def test_a_folder_that_is_not_listed_is_not_touched(unlisted: Api, root: Path) -> None:
    api = unlisted
    task = api.submit()
    _ended(api, root, task)
    assert api.until_status(task["id"], "succeeded")["outputs"][0]["url"] is None
    (pool,) = api.call("GET", "/v1/pools").json()["pools"]
    assert f"folder {root} is not in the gateway's GENPOOL_FOLDERS" in pool["links"]
    for refused in (
        api.call("DELETE", f"/v1/tasks/{task['id']}"),
        api.call("POST", "/v1/uploads", WANTED),
        api.call("POST", f"/v1/tasks/{api.submit()['id']}/cancel"),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (409, "StoreNotListed")
        assert "Add its path there" in refused.json()["detail"]
