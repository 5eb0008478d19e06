"""A pool whose tasks only the gateway can end, and all that can be seen of an end."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import yaml

from genpool_core import identity, names
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.events import EVENT, AnyEvent, GatewayBacklog, TaskEnded
from genpool_core.topology.desired import WorkQueueOptions, pool_topology
from integration.broker import until
from integration.bucket import Bucket
from integration.gateway.api import POOL, QUEUE, Api, prepare
from integration.gateway.conftest import GatewayProcess, Receiver

EVENTS, CALLBACKS = "seen.events", "seen.callbacks"


@dataclass
class Pool:
    """One pool, and what was seen of its ends."""

    api: Api
    bucket: Bucket
    prefix: str
    receiver: Receiver
    _events: list[AnyEvent] = field(default_factory=list)
    _callbacks: list[CallbackMessage] = field(default_factory=list)

    def submit(self, prompt: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of the request
        return self.api.submit(prompt, callback_url=self.receiver.url("200"), **more)

    def cancel(self, task: str) -> tuple[int, dict[str, Any]]:
        answer = self.api.call("POST", f"/v1/tasks/{task}/cancel")
        return answer.status_code, dict(answer.json())

    def send(self, body: Mapping[str, object] | bytes, **properties: Any) -> None:  # noqa: ANN401 - of AMQP
        """As plain producers do."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.vhost.raw() as connection:
            connection.channel().basic_publish(
                "", QUEUE, raw, pika.BasicProperties(delivery_mode=2, **properties)
            )

    @property
    def vhost(self) -> Any:  # noqa: ANN401 - a Vhost
        return self.api.process.vhost

    def end(self, task: str, run: int = 1) -> EndRecord | None:
        client = self.bucket.client()
        key = keys.end_key(self.prefix, task, run)
        if not client.list_objects_v2(Bucket=self.bucket.name, Prefix=key).get("Contents"):
            return None
        return EndRecord.model_validate_json(
            client.get_object(Bucket=self.bucket.name, Key=key)["Body"].read()
        )

    def claim(self, task: Mapping[str, Any], worker: str = "pod-1") -> None:
        """A worker takes the task: its claim is in the bucket."""
        claim = Claim(
            task_key=task["id"],
            run=1,
            attempt=1,
            nonce=uuid.uuid4().hex,
            worker=worker,
            claimed_at=datetime.now(UTC),
            timeout_seconds=600,
        )
        key = keys.claim_key(self.prefix, claim.task_key, 1, 1)
        self.bucket.client().put_object(
            Bucket=self.bucket.name, Key=key, Body=claim.model_dump_json().encode()
        )

    def put_end(self, end: EndRecord) -> None:
        key = keys.end_key(self.prefix, end.task_key, end.run)
        self.bucket.client().put_object(Bucket=self.bucket.name, Key=key, Body=end.model_dump_json().encode())

    def _taken(self, queue: str) -> list[bytes]:
        found = []
        while (message := self.vhost.get(queue)) is not None:
            found.append(message[1])
        return found

    def events(self) -> list[AnyEvent]:
        """All that were published until now."""
        self._events += [EVENT.validate_json(body) for body in self._taken(EVENTS)]
        return self._events

    def ended(self, task: str) -> list[TaskEnded]:
        return [event for event in self.events() if isinstance(event, TaskEnded) and event.task_key == task]

    def backlogs(self) -> list[int]:
        return [event.cancelled for event in self.events() if isinstance(event, GatewayBacklog)]

    def callbacks(self, task: str) -> list[CallbackMessage]:
        self._callbacks += [CallbackMessage.model_validate_json(body) for body in self._taken(CALLBACKS)]
        return [each for each in self._callbacks if each.body.task_key == task]

    def delivered(self, task: str) -> int:
        return len(self.receiver.seen(identity.end_id(task, 1)))

    def dead_letters(self) -> list[tuple[Any, bytes]]:
        found = []
        while (message := self.vhost.get(names.dead_queue(QUEUE))) is not None:
            found.append(message)
        return found

    def restart(self) -> None:
        """Start the gateway, which has ended."""
        process = self.api.process
        (process.folder / "gateway.log").unlink()
        process.start()
        process.until_ready()

    def until_ended(self, task: str, seconds: float = 5) -> EndRecord:
        """It has end record, event, callback and status."""
        found = until(lambda: self.end(task), f"the end of {task}", seconds)
        until(lambda: self.ended(task), f"the event of {task}", seconds)
        until(lambda: self.callbacks(task), f"the callback of {task}", seconds)
        return found


def make_pool(
    process: GatewayProcess, bucket: Bucket, receiver: Receiver, folder: Path, queue_type: str
) -> Pool:
    """Its gateway may write into the bucket; it is not started. ``queue_type``: of the work queue."""
    vhost = process.vhost
    prefix = f"{uuid.uuid4().hex}/"
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": prefix}
    api = prepare(
        process,
        storage={"type": "S3", "s3": s3},
        security={"callbackHosts": receiver.allow},
    )
    (policy,) = (
        policy
        for policy in pool_topology(
            WorkQueueOptions(QUEUE, None, None, 600, janitor=True), vhost.version
        ).policies
        if policy.queue == QUEUE
    )
    fitting = {
        key: value
        for key, value in policy.definition.items()
        if queue_type == "quorum" or key not in {"delivery-limit", "dead-letter-strategy"}
    }
    vhost.policy(policy.name, policy.pattern, fitting, 1000)
    secrets = folder / "bucket"
    secrets.mkdir()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", bucket.access_key),
        ("AWS_SECRET_ACCESS_KEY", bucket.secret_key),
    ):
        (secrets / name).write_text(value, encoding="utf-8")
    listed = {"endpoint": bucket.endpoint, "bucket": bucket.name, "credentialsPath": str(secrets)}
    (folder / "stores.yaml").write_text(yaml.safe_dump({"stores": [listed]}), encoding="utf-8")
    process.environment["GENPOOL_STORES_FILE"] = str(folder / "stores.yaml")
    for queue, exchange, key in (
        (EVENTS, names.EVENTS_EXCHANGE, f"{POOL.uid}.#"),
        (CALLBACKS, names.CALLBACKS_EXCHANGE, names.CALLBACKS_QUEUE),
    ):
        process.vhost.queue(queue)
        process.vhost.bind(exchange, queue, key)
    return Pool(api, bucket, prefix, receiver)
