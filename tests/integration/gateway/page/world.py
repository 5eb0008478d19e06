"""A gateway with its web page, pools of files, a bucket, and the voice of a worker."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika
import yaml

from genpool_core import names
from genpool_core.ledger.records import Output
from genpool_core.messages import headers
from genpool_core.messages.events import TaskPreview, TaskProgress, WorkerHeartbeat, WorkerState
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from integration.broker import Vhost
from integration.bucket import Bucket
from integration.gateway.api import PASSWORD, POOL, QUEUE, WORKER, Api, about, pool_manifest, prepare
from integration.gateway.conftest import GatewayProcess
from integration.gateway.page.pictures import lake

PHOTO = "DDColor人物黑白修复.json"
_BOUNDS = {"minReplicas": 1, "maxReplicas": 6}
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    """A condition as the operator writes it."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": (datetime.now(UTC) - timedelta(minutes=7)).isoformat(),
        "observedGeneration": 1,
    }


def status(*, ready: bool = True, waiting: int = 0, replicas: int = 1, dead: int = 0) -> dict[str, Any]:
    """A status as the operator writes it."""
    why = "A task that is sent now will be done."
    if not ready:
        why = "ImagePullBackOff: comfyui:1 cannot be pulled. Correct comfyui.image, or the pull secret of its pods."
    return {
        "conditions": [
            condition("Ready", str(ready), "PoolReady" if ready else "WorkersNotReady", why),
            condition("BrokerReachable", "True", "Connected", "RabbitMQ answers."),
        ],
        "replicas": replicas,
        "readyReplicas": replicas if ready else 0,
        "busyReplicas": min(replicas, 1),
        "queue": {
            "waiting": waiting,
            "running": min(replicas, 1),
            "deadLettered": dead,
            "observedAt": datetime.now(UTC).isoformat(),
        },
        "scaling": {
            "desired": replicas,
            "reason": "BacklogCovered",
            "message": f"{waiting} tasks wait, and {replicas} pods do them within 60 s: nothing changes.",
            "lastScaleTime": (datetime.now(UTC) - timedelta(minutes=3)).isoformat(),
        },
    }


@dataclass
class World:
    """What the tests of the page act on."""

    api: Api
    bucket: Bucket
    made: int = field(default=0)

    @property
    def url(self) -> str:
        """Where a browser goes: a name of the loopback address, as by a port-forward."""
        return self.api.url.replace("127.0.0.1", "localhost")

    def write_pools(self, *more: Mapping[str, Any], **own: Any) -> None:  # noqa: ANN401 - of `status`
        """The pools that the gateway reads; it looks again a moment later."""
        file = self.api.process.folder / "pool.yaml"
        first = next(iter(yaml.safe_load_all(file.read_text(encoding="utf-8"))))
        documents = [{**first, "status": status(**own)}, *more]
        file.write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")

    def other_pool(self, number: int, **told: Any) -> dict[str, Any]:  # noqa: ANN401 - of `status`
        """A further pool, for lists."""
        manifest = pool_manifest(self.api.process.vhost.name)
        manifest["metadata"] = {
            "name": f"pool-{number:03}",
            "namespace": f"team-{number % 7}",
            "uid": str(uuid.uuid4()),
        }
        manifest["spec"]["queue"] = {"name": f"queue-{number:03}"}
        manifest["spec"]["workflows"] = [
            {"name": f"workflow-{number:03}", "source": {"builtin": "text-to-image"}}
        ]
        return {**manifest, "status": status(**told)}

    def newest(self) -> dict[str, Any]:
        """The task that was sent last."""
        return dict(self.api.call("GET", "/v1/tasks?limit=1").json()["tasks"][0])

    def step(self, task: Mapping[str, Any], step: int, steps: int = 20) -> None:
        """The worker tells how far it is."""
        told = about(task, 1)
        self.api.announce(
            TaskProgress(
                id=f"p-{uuid.uuid4().hex}",
                **told,
                value=step / steps,
                node="17",
                step=step,
                steps=steps,
                message="KSampler",
            )
        )

    def preview(self, task: Mapping[str, Any], picture: bytes) -> None:
        """The worker shows what there is so far."""
        image = base64.b64encode(picture).decode()
        self.api.announce(
            TaskPreview(id=f"v-{uuid.uuid4().hex}", **about(task, 1), content_type="image/png", image=image)
        )

    def beat(self, pod: str, state: WorkerState, **told: object) -> None:
        """A worker's heartbeat."""
        now = datetime.now(UTC)
        values = {"id": uuid.uuid4().hex, "pool": POOL, "worker": pod, "time": now, "state": state}
        values["since"] = now - timedelta(seconds=75)
        self.api.announce(WorkerHeartbeat.model_validate({**values, **told}))

    def finish(self, task: Mapping[str, Any], *pictures: bytes, **fields: Any) -> None:  # noqa: ANN401 - of the record
        """The worker stores pictures and ends the task."""
        outputs = [
            self._stored(task, number, picture).model_dump(mode="json")
            for number, picture in enumerate(pictures)
        ]
        fields.setdefault("parameters", task["parameters"])
        fields.setdefault("gpu_seconds", 7.4)
        self.api.ended(task, outputs=outputs, **fields)

    def dead(self, reason: str, message: str) -> dict[str, Any]:
        """A task that failed for good, with its message in the dead-letter queue."""
        self.made += 1
        task = self.api.submit(f"a castle in the clouds, no. {self.made}", workflow="text-to-image")
        letters = self.api.queued()
        properties, body = letters[-1]  # Those before it are of tasks that nobody does.
        own = {headers.REASON: reason, headers.OWNER: properties.headers[headers.OWNER]}
        copy = pika.BasicProperties(
            message_id=properties.message_id, headers=own, user_id=WORKER, delivery_mode=2
        )
        with self.api.process.vhost.raw(WORKER, PASSWORD) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", names.dead_queue(QUEUE), json.dumps(body).encode(), copy)
        self.api.claimed(task)
        self.fail(task, reason, message)
        return self.api.until_status(task["id"], "failed")

    def fail(self, task: Mapping[str, Any], reason: str, message: str) -> None:
        """The worker ends a task that is dead."""
        self.api.ended(task, "dead", reason=reason, code=2001, message=message, parameters=task["parameters"])

    def done(self, number: int, prompt: str) -> dict[str, Any]:
        """A task with a result."""
        task = self.api.submit(prompt, workflow="text-to-image")
        self.api.claimed(task)
        self.finish(task, lake(number))
        return self.api.until_status(task["id"], "succeeded")

    def _stored(self, task: Mapping[str, Any], number: int, picture: bytes) -> Output:
        prefix = f"{self.api.process.vhost.name}/tasks/{task['id']}/runs/{task['run']}/"
        key = f"{prefix}a1-n/picture-{number + 1}.png"
        self.bucket.client().put_object(
            Bucket=self.bucket.name, Key=key, Body=picture, ContentType="image/png"
        )
        return Output(
            key=key,
            bucket=self.bucket.name,
            node="9",
            kind="images",
            content_type="image/png",
            bytes=len(picture),
            sha256=hashlib.sha256(picture).hexdigest(),
            width=384,
            height=384,
        )


def started(
    process: GatewayProcess, vhost: Vhost, bucket: Bucket, before: Callable[[str], None] | None = None
) -> World:
    """A gateway that serves the page and may use the bucket. ``before``: what to do with its empty task store."""
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"{vhost.name}/"}
    workflows = [
        {"name": "text-to-image", "source": {"builtin": "text-to-image"}},
        {"name": PHOTO, "source": {"builtin": PHOTO}},
    ]
    api = prepare(
        process, storage={"type": "S3", "s3": s3}, workflows=workflows, slaSeconds=120, scaling=_BOUNDS
    )
    _list_store(process.folder, bucket)
    process.environment["GENPOOL_STORES_FILE"] = str(process.folder / "stores.yaml")
    process.environment["GENPOOL_REQUESTS_PER_SECOND"] = "0"
    world = World(api, bucket)
    world.write_pools()
    if before is not None:
        before(process.environment["GENPOOL_DATABASE_URL"])
    process.start()
    process.until_ready()
    return world


def _list_store(folder: Path, bucket: Bucket) -> None:
    keys = folder / "store"
    keys.mkdir()
    (keys / S3_ACCESS_KEY).write_text(bucket.access_key)
    (keys / S3_SECRET_KEY).write_text(bucket.secret_key)
    listed = {"endpoint": bucket.endpoint, "bucket": bucket.name, "credentialsPath": str(keys)}
    (folder / "stores.yaml").write_text(yaml.safe_dump({"stores": [listed]}))
