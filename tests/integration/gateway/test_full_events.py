"""An events queue that was full while no gateway was there: the ends that it dropped come from the ledger."""

from __future__ import annotations

from typing import Any

import yaml

from genpool_core import names
from genpool_core.ledger import keys
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import POOL, Api, prepare
from integration.gateway.conftest import GatewayProcess

TASKS, MOST = 30, 10


def _prepared(process: GatewayProcess, bucket: Bucket) -> Api:
    """A gateway that may read the pool's bucket, and a small events queue."""
    vhost = process.vhost
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"{vhost.name}/"}
    api = prepare(process, storage={"type": "S3", "s3": s3})
    folder = process.folder / "store"
    folder.mkdir()
    (folder / S3_ACCESS_KEY).write_text(bucket.access_key)
    (folder / S3_SECRET_KEY).write_text(bucket.secret_key)
    listed = {"endpoint": bucket.endpoint, "bucket": bucket.name, "credentialsPath": str(folder)}
    (process.folder / "stores.yaml").write_text(yaml.safe_dump({"stores": [listed]}))
    queue = names.GATEWAY_EVENTS_QUEUE
    vhost.policy("small", f"^{queue}$", {"max-length": MOST, "overflow": "drop-head"}, 2000)
    process.environment |= {
        "GENPOOL_STORES_FILE": str(process.folder / "stores.yaml"),
        "GENPOOL_EVENTS_MOST": str(MOST),
    }
    return api


def _ended(api: Api, bucket: Bucket, number: int) -> None:
    task: dict[str, Any] = {"id": f"{number:040x}", "task_id": f"task_{number}", "run": 1}
    end = api.ended(task)
    key = keys.end_key(f"{api.process.vhost.name}/", task["id"], 1)
    bucket.client().put_object(Bucket=bucket.name, Key=key, Body=end.model_dump_json().encode())


def test_ends_that_a_full_queue_dropped_are_read_from_the_ledger(
    gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket
) -> None:
    process = gateway_process
    assert vhost is process.vhost
    api = _prepared(process, bucket)
    process.write_files()
    for number in range(TASKS):
        _ended(api, bucket, number)
    until(lambda: vhost.ready(names.GATEWAY_EVENTS_QUEUE) == MOST, "the queue has dropped some")
    process.start()
    process.until_ready()
    known = until(lambda: found if len(found := _tasks(api)) == TASKS else None, f"all tasks: {process.log}")
    assert {task["status"] for task in known} == {"succeeded"}
    read = until(
        lambda: [one for one in process.events() if one["event"] == "pool_read"], "the ledger was read"
    )
    assert [(one["ends"], one["pool"]) for one in read] == [(TASKS, f"{POOL.namespace}/{POOL.name}")]
    assert read[0]["new"] >= TASKS - MOST
    assert [one["vhost"] for one in process.events() if one["event"] == "events_queue_full"] == [vhost.name]
    until(lambda: "genpool_rebuilds_waiting 0.0" in process.get("/metrics").text, "nothing is left to read")
    assert 'genpool_rebuilds_total{outcome="read"} 1.0' in process.get("/metrics").text
    assert process.get("/readyz").text == "ok\n"
    api.session.close()


def _tasks(api: Api) -> list[dict[str, Any]]:
    return list(api.call("GET", "/v1/tasks?limit=200").json()["tasks"])
