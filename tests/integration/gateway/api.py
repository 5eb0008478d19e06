"""The API of a gateway that runs against a real RabbitMQ, with a pool from a file, and a worker's voice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pika
import requests
import yaml

from genpool_core import identity, names
from genpool_core.api.security import HostRule
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.announcements import callback_message
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import Event, TaskClaimed, TaskEnded, TaskProgress, TaskRetried
from genpool_core.topology.desired import WorkQueueOptions, gateway_topology, pool_topology
from integration.broker import until
from integration.gateway.conftest import GatewayProcess

QUEUE = "generation_tasks"
PASSWORD = "made-up"
#: Its workers' user belongs to the whole broker, so each process that tests has a pool of its own.
POOL = PoolRef(namespace="art", name="text", uid=str(uuid.uuid4()))
WORKER = names.worker_user(POOL.uid, "0" * 8)


def pool_manifest(vhost: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the spec
    """A pool for text to image, as a team writes it."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": POOL.name, "namespace": POOL.namespace, "uid": POOL.uid},
        "spec": {
            "broker": {"name": "default", "vhost": vhost},
            "queue": {"name": QUEUE},
            "workflows": [{"name": "text-to-image", "source": {"builtin": "text-to-image"}}],
            "comfyui": {"image": "comfyui:1"},
            "storage": {"type": "S3", "s3": {"endpoint": "http://127.0.0.1:1", "bucket": "results"}},
            **spec,
        },
    }


@dataclass
class Api:
    """A caller of the API, and the pool's worker as the gateway hears it."""

    process: GatewayProcess
    key: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        started = [line for line in self.process.events() if line["event"] == "gateway_started"]
        return f"http://127.0.0.1:{started[-1]['api_port']}"

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request; ``key`` None: without one."""
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key or self.key}"
        return self.session.request(method, f"{self.url}{path}", json=body, headers=sent, timeout=70)

    def submit(self, prompt: str = "a lake", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of the request
        answer = self.call("POST", "/v1/tasks", {"pool": "text", "parameters": {"prompt": prompt}, **fields})
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def task(self, task: str) -> dict[str, Any]:
        answer = self.call("GET", f"/v1/tasks/{task}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until_status(self, task: str, status: str) -> dict[str, Any]:
        return until(
            lambda: found if (found := self.task(task))["status"] == status else None, f"{task} is {status}"
        )

    def queued(self) -> list[tuple[Any, dict[str, Any]]]:
        """All messages of the work queue, taken off it."""
        found = []
        while (message := self.process.vhost.get(QUEUE)) is not None:
            found.append((message[0], json.loads(message[1])))
        return found

    # The worker ---------------------------------------------------------------------------------------------------

    def claimed(self, task: Mapping[str, Any], *, attempt: int = 1) -> None:
        run = int(task["run"])
        self.announce(
            TaskClaimed(
                id=identity.claim_event_id(task["id"], run, attempt),
                **about(task, attempt),
                workflow="text-to-image",
            )
        )

    def progress(self, task: Mapping[str, Any], value: float) -> None:
        self.announce(TaskProgress(id=f"p-{value}", **about(task, 1), value=value, node="17"))

    def retried(self, task: Mapping[str, Any]) -> None:
        self.announce(
            TaskRetried(
                id="retry-1", **about(task, 1), reason="OutOfMemory", message="no memory.", delay_seconds=5
            )
        )

    def ended(self, task: Mapping[str, Any], outcome: str = "succeeded", **fields: Any) -> EndRecord:  # noqa: ANN401 - of the record
        told = about(task, 1)
        record = EndRecord.model_validate(
            {
                "task_key": task["id"],
                "task_id": task["task_id"],
                "run": task["run"],
                "attempt": 1,
                "nonce": "n",
                "outcome": outcome,
                "reason": "Succeeded" if outcome == "succeeded" else "NodeFailed",
                "message": "made 1 file.",
                "worker": "pod-1",
                "workflow": "text-to-image",
                "seed": 42,
                "parameters": {"prompt": "a lake", "seed": 42},
                "ended_at": datetime.now(UTC),
                **fields,
            }
        )
        self.announce(
            TaskEnded(
                id=identity.end_id(task["id"], int(task["run"])),
                **{**told, "time": record.ended_at},
                outcome=record.outcome,
                reason=record.reason,
                message=record.message,
                record=record,
            )
        )
        return record

    def ask_callback(self, end: EndRecord, allow: list[dict[str, Any]]) -> None:
        """Ask for the callback of an end as the pool's worker."""
        hosts = [HostRule.model_validate(rule) for rule in allow]
        message = callback_message(end, POOL, hosts, links={})
        assert message is not None
        self._publish(message.exchange, message.routing_key, message.body, end.task_key)

    def announce(self, event: Event, *, user: str | None = None) -> None:
        """Publish an event as the pool's worker, or as another user."""
        kind = event.type  # type: ignore[attr-defined]
        key = names.event_routing_key(event.pool.uid, kind)
        self._publish(names.EVENTS_EXCHANGE, key, event.model_dump_json().encode(), event.id, user or WORKER)

    def _publish(self, exchange: str, key: str, body: bytes, message_id: str, sender: str = WORKER) -> None:
        properties = pika.BasicProperties(message_id=message_id, user_id=sender, delivery_mode=2)
        with self.process.vhost.raw(sender, PASSWORD) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(exchange, key, body, properties)

    # Watching -----------------------------------------------------------------------------------------------------

    @contextmanager
    def watching(self, task: str, *, after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a task as they come."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        with requests.get(
            f"{self.url}/v1/tasks/{task}/events", headers=headers, stream=True, timeout=30
        ) as answer:
            assert answer.status_code == 200, answer.text
            yield _events(answer)


def _events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line:
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        elif "data" in event:
            yield event
            event = {}
        else:
            event = {}


def about(task: Mapping[str, Any], attempt: int) -> dict[str, Any]:
    return {
        "pool": POOL,
        "worker": "pod-1",
        "time": datetime.now(UTC),
        "task_id": task["task_id"],
        "task_key": task["id"],
        "run": task["run"],
        "attempt": attempt,
    }


def prepare(process: GatewayProcess, **spec: Any) -> Api:  # noqa: ANN401 - fields of the pool's spec
    """Files, topology and settings of a gateway that serves one pool; it is not started."""
    vhost = process.vhost
    vhost.apply(gateway_topology(vhost.version, enabled=True))
    vhost.apply(pool_topology(WorkQueueOptions(QUEUE, None, None, 600, janitor=True), vhost.version))
    vhost.add_user(WORKER, PASSWORD)
    (process.folder / "pool.yaml").write_text(
        yaml.safe_dump(pool_manifest(vhost.name, **spec)), encoding="utf-8"
    )
    (process.folder / names.ADMIN_API_KEY).write_text(process.key.admin_api_key, encoding="ascii")
    process.environment |= {
        "GENPOOL_API_PORT": "0",
        "GENPOOL_POOLS_FILE": str(process.folder / "pool.yaml"),
        "GENPOOL_DATABASE_URL": f"sqlite:///{process.folder / 'tasks.db'}",
    }
    return Api(process, process.key.admin_api_key)


@contextmanager
def running(api: Api) -> Iterator[Api]:
    """Start its gateway and wait until it is ready."""
    api.process.start()
    api.process.until_ready()
    yield api
    api.session.close()
