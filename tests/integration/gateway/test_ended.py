"""A task with results in a real bucket: its links, its callbacks, a new run, its deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from genpool_cli.client import Gateway, direct
from genpool_core import identity, names
from genpool_core.ledger.records import EndRecord, Output
from genpool_core.messages.events import TaskOutput
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import POOL, Api, about, prepare, running
from integration.gateway.conftest import GatewayProcess, Receiver

PICTURE = b"a picture"


def listing(process: GatewayProcess, bucket: Bucket, endpoint: str | None = None) -> None:
    """The chart's ``gateway.stores``. ``endpoint``: by which the store is reached, where it is not the store's own."""
    folder = process.folder / "store"
    folder.mkdir()
    (folder / S3_ACCESS_KEY).write_text(bucket.access_key)
    (folder / S3_SECRET_KEY).write_text(bucket.secret_key)
    listed = {"endpoint": endpoint or bucket.endpoint, "bucket": bucket.name, "credentialsPath": str(folder)}
    (process.folder / "stores.yaml").write_text(yaml.safe_dump({"stores": [listed]}))
    process.environment["GENPOOL_STORES_FILE"] = str(process.folder / "stores.yaml")


def _prepared(process: GatewayProcess, bucket: Bucket, receiver: Receiver) -> Api:
    """A gateway with a pool in that bucket; it is not started."""
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"{process.vhost.name}/"}
    return prepare(process, storage={"type": "S3", "s3": s3}, security={"callbackHosts": receiver.allow})


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, receiver: Receiver) -> Iterator[Api]:
    """A gateway that may use the pool's bucket."""
    assert vhost is gateway_process.vhost
    made = _prepared(gateway_process, bucket, receiver)
    listing(gateway_process, bucket)
    with running(made):
        yield made


@pytest.fixture
def unlisted(
    gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, receiver: Receiver
) -> Iterator[Api]:
    """One that may not."""
    assert vhost is gateway_process.vhost
    with running(_prepared(gateway_process, bucket, receiver)) as made:
        yield made


def _prefix(api: Api, task: dict[str, Any]) -> str:
    return f"{api.process.vhost.name}/tasks/{task['id']}/runs/{task['run']}/"


def _stored(api: Api, bucket: Bucket, task: dict[str, Any]) -> Output:
    """A result as the worker puts it into the bucket."""
    key = f"{_prefix(api, task)}a1-n/a.png"
    bucket.client().put_object(Bucket=bucket.name, Key=key, Body=PICTURE)
    return Output(
        key=key,
        bucket=bucket.name,
        node="9",
        kind="images",
        content_type="image/png",
        bytes=len(PICTURE),
        sha256="ab",
    )


def _ended(api: Api, bucket: Bucket, task: dict[str, Any], **fields: Any) -> EndRecord:  # noqa: ANN401 - of the record
    """The end of a task as its worker makes it: in the bucket, announced, and its callback asked for."""
    fields = {"outputs": [_stored(api, bucket, task)], "log_lines": ["a line"], **fields}
    end = api.ended(task, **fields)
    bucket.client().put_object(
        Bucket=bucket.name, Key=f"{_prefix(api, task)}end.json", Body=end.model_dump_json().encode()
    )
    return end


def _got(receiver: Receiver, webhook_id: str, *, times: int = 1) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of the newest delivery."""
    seen = until(
        lambda: found if len(found := receiver.seen(webhook_id)) >= times else None, f"callback {webhook_id}"
    )
    headers = {name.lower(): value for name, value in seen[-1]["headers"].items()}
    return headers, json.loads(seen[-1]["body"])


def test_results_have_links_that_work(api: Api, bucket: Bucket) -> None:
    task = api.submit()
    api.claimed(task)
    landed = _stored(api, bucket, task)
    api.announce(TaskOutput(id="o-1", output=landed, **about(task, 1)))
    running = until(lambda: found if (found := api.task(task["id"]))["outputs"] else None, "an output")
    assert requests.get(running["outputs"][0]["url"], timeout=10).content == PICTURE
    _ended(api, bucket, task)
    done = api.until_status(task["id"], "succeeded")
    (listed,) = api.call("GET", "/v1/tasks").json()["tasks"]
    with api.watching(task["id"]) as events:
        told = list(events)
    (seen,) = (event["data"]["output"] for event in told if event["event"] == "output")
    for output in (*done["outputs"], *listed["outputs"], *told[-1]["data"]["task"]["outputs"], seen):
        assert requests.get(output["url"], timeout=10).content == PICTURE
        assert output["url_expires_at"] > done["completed_at"]
    (pool,) = api.call("GET", "/v1/pools").json()["pools"]
    assert pool["links"].startswith("signed when they are given out")


def test_of_a_bucket_that_is_not_listed_nothing_is_signed_or_deleted(unlisted: Api, bucket: Bucket) -> None:
    api = unlisted
    task = api.submit()
    _ended(api, bucket, task)
    done = api.until_status(task["id"], "succeeded")
    assert [(output["url"], output["url_expires_at"]) for output in done["outputs"]] == [(None, None)]
    (pool,) = api.call("GET", "/v1/pools").json()["pools"]
    assert f"bucket {bucket.name} at {bucket.endpoint} is not in gateway.stores" in pool["links"]
    refused = api.call("DELETE", f"/v1/tasks/{task['id']}")
    assert (refused.status_code, refused.json()["reason"]) == (409, "StoreNotListed")
    assert api.task(task["id"])["outputs"]


def test_callbacks_of_start_output_and_end_for_who_asks(api: Api, bucket: Bucket, receiver: Receiver) -> None:
    url = receiver.url("200")
    task = api.submit(callback_url=url, callback_events=["start", "output", "end"], metadata={"album": 7})
    api.claimed(task)
    headers, body = _got(receiver, identity.claim_event_id(task["id"], 1, 1))
    assert (headers["ce-type"], headers["ce-subject"]) == ("dev.genpool.task.started", task["id"])
    assert (body["id"], body["status"], body["metadata"]) == (task["id"], "running", {"album": 7})
    api.announce(TaskOutput(id="o-2", output=_stored(api, bucket, task), **about(task, 1)))
    headers, body = _got(receiver, "o-2")
    assert headers["ce-type"] == "dev.genpool.task.output"
    assert requests.get(body["outputs"][0]["url"], timeout=10).content == PICTURE
    end = _ended(api, bucket, task, callback_url=url)
    api.ask_callback(end, receiver.allow)
    headers, body = _got(receiver, identity.end_id(task["id"], 1))
    assert (headers["ce-type"], headers["ce-source"]) == (
        "dev.genpool.task.ended",
        f"/pools/{POOL.namespace}/{POOL.name}",
    )
    assert headers["ce-id"] == headers["webhook-id"] == identity.end_id(task["id"], 1)
    assert body == api.until_status(task["id"], "succeeded") | {"outputs": body["outputs"]}
    assert requests.get(body["outputs"][0]["url"], timeout=10).content == PICTURE

    again = api.call("POST", f"/v1/tasks/{task['id']}/callbacks/replay")
    assert (again.status_code, again.json()) == (202, {"webhook_id": headers["webhook-id"]})
    assert _got(receiver, headers["webhook-id"], times=2)[1]["status"] == "succeeded"


def test_who_wants_no_callback_of_the_end_has_none(api: Api, bucket: Bucket, receiver: Receiver) -> None:
    url = receiver.url("200")
    task = api.submit(callback_url=url, callback_events=["start"])
    ((_, body),) = api.queued()
    assert "callback_url" not in body
    api.claimed(task)
    _got(receiver, identity.claim_event_id(task["id"], 1, 1))
    api.ask_callback(_ended(api, bucket, task, callback_url=url), receiver.allow)
    api.until_status(task["id"], "succeeded")
    until(lambda: "callback_not_wanted" in api.process.log, "the end's callback is dropped")
    assert receiver.seen(identity.end_id(task["id"], 1)) == []
    refused = api.call("POST", f"/v1/tasks/{task['id']}/callbacks/replay")
    assert (refused.status_code, refused.json()["reason"]) == (409, "NoCallback")


def test_a_plain_producers_callback_is_replayed_from_the_ledger(
    api: Api, bucket: Bucket, receiver: Receiver
) -> None:
    task = {"id": "b" * 40, "task_id": "task_12345", "run": 1}
    end = _ended(api, bucket, task, callback_url=receiver.url("200").partition("?")[0])
    whole = end.model_copy(update={"callback_url": receiver.url("200")})
    bucket.client().put_object(
        Bucket=bucket.name, Key=f"{_prefix(api, task)}end.json", Body=whole.model_dump_json().encode()
    )
    until(lambda: api.call("GET", f"/v1/tasks/{task['id']}").status_code == 200, "the task is known")
    assert api.call("POST", f"/v1/tasks/{task['id']}/callbacks/replay").status_code == 202
    _got(receiver, identity.end_id(task["id"], 1))
    assert "?key=s3cr3t" in receiver.seen(identity.end_id(task["id"], 1))[0]["path"]
    refused = api.call("POST", f"/v1/tasks/{task['id']}/replay")
    assert (refused.status_code, refused.json()["reason"]) == (409, "NotReplayable")


def test_an_ended_task_is_done_again_under_the_same_id(api: Api, bucket: Bucket) -> None:
    task = api.submit("a lake", priority=3)
    ((_, first),) = api.queued()
    early = api.call("POST", f"/v1/tasks/{task['id']}/replay")
    assert (early.status_code, early.json()["reason"]) == (409, "NotEnded")
    _ended(api, bucket, task, outcome="dead", reason="NodeFailed")
    api.until_status(task["id"], "failed")
    answer = api.call("POST", f"/v1/tasks/{task['id']}/replay")
    assert answer.status_code == 202, answer.text
    again = answer.json()
    assert (again["id"], again["run"], again["status"], again["error"]) == (task["id"], 2, "queued", None)
    ((properties, body),) = api.queued()
    assert (body, properties.priority, properties.headers["x-genpool-run"]) == (first, 3, 2)
    assert names.is_gateway_user(properties.user_id)
    api.claimed(again)
    _ended(api, bucket, again)
    assert api.until_status(task["id"], "succeeded")["run"] == 2
    assert [entry["action"] for entry in api.call("GET", "/v1/audit").json()["entries"]] == ["task.replayed"]


def test_who_watches_a_task_that_is_done_again_sees_the_end_of_its_new_run(api: Api, bucket: Bucket) -> None:
    task = api.submit()
    api.claimed(task)
    _ended(api, bucket, task, outcome="dead", reason="NodeFailed")
    api.until_status(task["id"], "failed")
    again = api.call("POST", f"/v1/tasks/{task['id']}/replay").json()
    watched = Gateway(direct(api.url, api.key)).watch(task["id"])
    told = [next(watched)]
    while "task" not in told[-1].data:
        told.append(next(watched))
    assert (told[-1].data["task"]["run"], told[-1].data["task"]["status"]) == (2, "queued")
    api.claimed(again)
    _ended(api, bucket, again)
    told += watched
    assert [event.data["type"] for event in told].count("ended") == 2
    assert told[-1].data["task"]["status"] == "succeeded"


def test_a_deleted_task_leaves_its_end_alone(api: Api, bucket: Bucket) -> None:
    task = api.submit("a very secret lake", metadata={"album": "secret"})
    early = api.call("DELETE", f"/v1/tasks/{task['id']}")
    assert (early.status_code, early.json()["reason"]) == (409, "NotEnded")
    _ended(api, bucket, task, parameters={"prompt": "a very secret lake"})
    url = api.until_status(task["id"], "succeeded")["outputs"][0]["url"]
    for _ in range(2):
        answer = api.call("DELETE", f"/v1/tasks/{task['id']}")
        assert answer.status_code == 200, answer.text
    gone = api.task(task["id"])
    assert (gone["status"], gone["outputs"], gone["parameters"], gone["metadata"]) == (
        "succeeded",
        [],
        {},
        {},
    )
    assert gone["erased_at"] is not None
    assert requests.get(url, timeout=10).status_code == 404
    client = bucket.client()
    prefix = _prefix(api, task)
    left = [item["Key"] for item in client.list_objects_v2(Bucket=bucket.name, Prefix=prefix)["Contents"]]
    assert left == [f"{prefix}end.json"]
    tombstone = client.get_object(Bucket=bucket.name, Key=left[0])["Body"].read()
    assert b"secret" not in tombstone
    assert EndRecord.model_validate_json(tombstone).outcome == "succeeded"
    refused = api.call("POST", f"/v1/tasks/{task['id']}/replay")
    assert (refused.status_code, refused.json()["reason"]) == (409, "NotReplayable")
