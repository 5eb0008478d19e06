"""Tasks that are too large for a queue: what came inside them lies in the bucket before their message is published."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from genpool_core.canonical import canonical_json
from genpool_core.ledger import keys
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import Api, prepare, running
from integration.gateway.conftest import GatewayProcess
from integration.gateway.test_ended import listing
from support.tcpproxy import TcpProxy

PEOPLE = "DDColor人物黑白修复.json"
PICTURE = b"\x89PNG\r\n\x1a\n" + os.urandom(100_000)
DIGEST = hashlib.sha256(PICTURE).hexdigest()
PHOTO = {
    "workflow": PEOPLE,
    "parameters": {"image_url": f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"},
}
GRAPH = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x" * 70_000}}}


def _prepared(process: GatewayProcess, bucket: Bucket, endpoint: str, **spec: Any) -> Api:  # noqa: ANN401 - fields of the spec
    """A gateway with a pool for photos and graphs; it is not started."""
    s3 = {"endpoint": endpoint, "bucket": bucket.name, "prefix": f"{process.vhost.name}/"}
    return prepare(
        process,
        storage={"type": "S3", "s3": s3},
        security={"allowGraphs": True, "allowGraphsWithPodIdentity": True},
        workflows=[{"name": PEOPLE, "source": {"builtin": PEOPLE}}],
        **spec,
    )


@pytest.fixture
def store(bucket: Bucket) -> Iterator[TcpProxy]:
    """The way to the store, which can be cut."""
    place = urlsplit(bucket.endpoint)
    proxy = TcpProxy(place.hostname or "", place.port or 80)
    yield proxy
    proxy.close()


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, store: TcpProxy) -> Iterator[Api]:
    assert vhost is gateway_process.vhost
    endpoint = f"http://{store.address}"
    made = _prepared(gateway_process, bucket, endpoint)
    listing(gateway_process, bucket, endpoint)
    with running(made):
        yield made


def _send(api: Api, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = api.call("POST", "/v1/tasks", body, headers=headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def _stored(api: Api, bucket: Bucket) -> dict[str, bytes]:
    """What lies in the bucket for tasks, by key."""
    client, prefix = bucket.client(), keys.inputs_prefix(f"{api.process.vhost.name}/")
    found = client.list_objects_v2(Bucket=bucket.name, Prefix=prefix).get("Contents", [])
    return {
        item["Key"]: client.get_object(Bucket=bucket.name, Key=item["Key"])["Body"].read() for item in found
    }


def _key(api: Api, task: dict[str, Any], digest: str) -> str:
    return keys.input_key(f"{api.process.vhost.name}/", task["id"], digest)


def test_a_file_and_a_graph_travel_as_keys(api: Api, bucket: Bucket) -> None:
    photo, graph = _send(api, PHOTO), _send(api, {"pool": "text", "graph": GRAPH})
    data = canonical_json(GRAPH)
    digest = hashlib.sha256(data).hexdigest()
    assert _stored(api, bucket) == {_key(api, photo, DIGEST): PICTURE, _key(api, graph, digest): data}
    assert photo["parameters"]["image_url"] == f"input:{DIGEST}"
    (_, first), (_, second) = api.queued()
    assert first["parameters"] == {"image_url": f"input:{DIGEST}"}
    assert second["prompt"] == {"$input": digest}


def test_a_retry_is_the_same_task_also_while_the_bucket_is_away(
    api: Api, bucket: Bucket, store: TcpProxy
) -> None:
    keyed = _send(api, PHOTO, **{"Idempotency-Key": "order-1"})
    named = _send(api, {**PHOTO, "task_id": "mine"})
    store.cut()
    assert _send(api, PHOTO, **{"Idempotency-Key": "order-1"})["id"] == keyed["id"]
    assert _send(api, {**PHOTO, "task_id": "mine"})["id"] == named["id"]
    assert len(api.queued()) == len(_stored(api, bucket)) == 2


def test_while_the_bucket_is_away_nothing_is_queued_and_others_go_on(
    api: Api, bucket: Bucket, store: TcpProxy
) -> None:
    store.cut()
    small = {"workflow": PEOPLE, "parameters": {"image_url": "https://example.com/a.png"}}
    batch = api.call("POST", "/v1/tasks/batch", {"tasks": [PHOTO, small]})
    refused, taken = batch.json()["results"]
    assert (refused["status"], refused["problem"]["reason"]) == (503, "StorageUnavailable"), batch.text
    assert "the task was not queued" in refused["problem"]["detail"]
    assert taken["status"] == 202, batch.text
    assert len(api.queued()) == 1
    assert [task["id"] for task in api.call("GET", "/v1/tasks").json()["tasks"]] == [taken["task"]["id"]]
    store.mend()
    again = _send(api, PHOTO)
    assert list(_stored(api, bucket)) == [_key(api, again, DIGEST)]


def test_where_the_bucket_is_not_listed_it_is_said(
    gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket
) -> None:
    assert vhost is gateway_process.vhost
    with running(_prepared(gateway_process, bucket, bucket.endpoint)) as api:
        answer = api.call("POST", "/v1/tasks", PHOTO)
        assert (answer.status_code, answer.json()["reason"]) == (413, "RequestTooLarge")
        assert "is not in gateway.stores of the chart" in answer.json()["detail"]
        assert (api.queued(), _stored(api, bucket)) == ([], {})


def test_a_bucket_that_hangs_keeps_nobody_else_waiting(api: Api, store: TcpProxy) -> None:
    store.hang()
    small = {"workflow": PEOPLE, "parameters": {"image_url": "https://example.com/a.png"}}
    with ThreadPoolExecutor(12) as senders:
        # Each sender has connections of its own.
        large = [
            senders.submit(Api(api.process, api.key).call, "POST", "/v1/tasks", PHOTO) for _ in range(12)
        ]
        for _ in range(20):
            began = time.monotonic()
            _send(api, small)
            assert time.monotonic() - began < 2
        answers = [each.result() for each in large]
    assert {(each.status_code, each.json()["reason"]) for each in answers} == {(503, "StorageUnavailable")}
    assert len(api.queued()) == 20


def test_nothing_is_put_for_a_queue_that_is_full(
    gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket
) -> None:
    assert vhost is gateway_process.vhost
    made = _prepared(
        gateway_process, bucket, bucket.endpoint, queue={"name": "generation_tasks", "maxWaiting": 1}
    )
    listing(gateway_process, bucket)
    with running(made) as api:
        first = _send(api, PHOTO, **{"Idempotency-Key": "order-1"})
        until(lambda: api.call("POST", "/v1/tasks", PHOTO).status_code == 429, "the queue is full")
        before = _stored(api, bucket)
        answer = api.call("POST", "/v1/tasks", {**PHOTO, "task_id": "new"})
        assert (answer.status_code, answer.json()["reason"]) == (429, "QueueFull")
        assert _stored(api, bucket) == before
        assert _send(api, PHOTO, **{"Idempotency-Key": "order-1"})["id"] == first["id"]


def test_nothing_is_put_for_a_key_that_is_over_its_cap(api: Api, bucket: Bucket) -> None:
    ann = api.call("POST", "/v1/keys", {"name": "ann", "max_queued": 1}).json()["key"]

    def send(**more: str) -> tuple[int, dict[str, Any]]:
        answer = api.call("POST", "/v1/tasks", {**PHOTO, **more}, key=ann)
        return answer.status_code, answer.json()

    status, first = send(task_id="first")
    assert status == 202
    status, problem = send(task_id="second")
    assert (status, problem["reason"]) == (429, "TooManyTasks")
    assert list(_stored(api, bucket)) == [_key(api, first, DIGEST)]
    again = send(task_id="first")[1]
    assert again.get("id") == first["id"], again
