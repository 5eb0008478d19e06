"""A pool without Kubernetes: its topology on a real RabbitMQ, its bucket, a ComfyUI stand-in and worker processes."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import requests

from genpool_core import names, timing
from genpool_core.api.security import HostRule
from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.base import PoolRef
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.commands import AnyCommand
from genpool_core.messages.events import EVENT, AnyEvent
from genpool_core.topology.desired import (
    WorkQueueOptions,
    pool_topology,
    vhost_topology,
)
from genpool_core.topology.rights import worker_permissions
from genpool_core.workerconfig import CONFIG_KEY, S3Config, WorkerConfig, WorkflowEntry, workflow_keys
from integration.broker import Vhost, quick, until
from integration.bucket import Bucket
from support import programs
from support.ports import free_port
from support.programs import Program
from support.secret_volume import write_secret

REPOSITORY = Path(__file__).resolve().parents[3]
QUEUE = "generation_tasks"
PASSWORD = "worker-password"
_QUIET_CHECKS = 5
LOOPBACK = HostRule(host="localhost", ports=[], cidrs=["127.0.0.0/8", "::1/128"])


@dataclass
class Process:
    """A program with a log."""

    popen: Program
    log: Path
    port: int

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def wait(self, seconds: float = 20) -> int:
        return self.popen.wait(seconds)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(10)

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of a worker's log with an event."""
        lines = [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def get(self, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)


@dataclass
class Rig:
    """One pool."""

    vhost: Vhost
    bucket: Bucket
    folder: Path
    config: WorkerConfig
    processes: list[Process] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    comfyui_port: int = 0
    gateway_user: str = field(default_factory=lambda: names.gateway_user(uuid.uuid4().hex[:8]))

    # Setting up -------------------------------------------------------------------------------------------------

    def declare(self) -> None:
        """What the operator makes, with quick delay steps, and a queue that keeps all events."""
        self.vhost.apply(quick(vhost_topology(self.vhost.version)))
        settings = WorkQueueOptions(QUEUE, None, None, 600)
        self.vhost.apply(pool_topology(settings, self.vhost.version))
        self.vhost.add_user(self.user, PASSWORD)
        self.vhost.permit(self.user, **worker_permissions(QUEUE, self.config.pool.uid))
        self.vhost.add_user(self.gateway_user, PASSWORD)
        self.vhost.queue("events")
        self.vhost.bind(names.EVENTS_EXCHANGE, "events", f"{self.config.pool.uid}.task.#")
        self.vhost.bind(names.EVENTS_EXCHANGE, "events", f"{self.config.pool.uid}.message.#")

    @property
    def user(self) -> str:
        return names.worker_user(self.config.pool.uid, "0a1b2c3d")

    def configure(self, **changes: object) -> None:
        """Write the pool's ConfigMap."""
        self.config = self.config.model_copy(update=changes)
        target = self.folder / "config"
        target.mkdir(exist_ok=True)
        (target / CONFIG_KEY).write_text(self.config.model_dump_json(), encoding="utf-8")
        for entry in self.config.workflows:
            source = REPOSITORY / "workflows" / entry.name
            for key, name in ((entry.template_key, "template.json"), (entry.parameters_key, "workflow.yaml")):
                (target / key).write_bytes((source / name).read_bytes())

    def comfyui(self, *flags: str, scratch: str = "scratch", port: int = 0, **environment: str) -> Process:
        """Start a stand-in and wait until it answers; a second one on the same port is its restart."""
        base = self.folder / scratch
        for name in ("input", "output", "temp"):
            (base / name).mkdir(parents=True, exist_ok=True)
        port = port or self.comfyui_port or free_port()
        self.comfyui_port = port
        command = [
            *("--listen", "127.0.0.1", "--port", str(port)),
            *("--input-directory", str(base / "input"), "--output-directory", str(base / "output")),
            *("--temp-directory", str(base / "temp"), "--base-directory", str(base), *flags),
        ]
        process = self._start("comfyui", "genpool_dev.comfyui", command, environment, port)
        until(lambda: answers(process, "/prompt"), "the stand-in answers", 30)
        return process

    def worker(self, name: str = "worker-0", *, wait: bool = True, **environment: str) -> Process:
        """Start a worker and wait until it is ready."""
        port = free_port()
        self.comfyui_port = self.comfyui_port or free_port()
        if not self.secrets.exists():
            self.rotate()
        process = self._start(
            name,
            "genpool_worker.app",
            [],
            {
                "GENPOOL_CONFIG_DIR": str(self.folder / "config"),
                "GENPOOL_POD_NAME": name,
                "GENPOOL_BROKER_HOST": self.vhost.server.host,
                "GENPOOL_BROKER_PORT": str(self.vhost.server.port),
                "GENPOOL_BROKER_VHOST": self.vhost.name,
                "GENPOOL_BROKER_CREDENTIALS_DIR": str(self.secrets / "broker"),
                "GENPOOL_S3_CREDENTIALS_DIR": str(self.secrets / "s3"),
                "GENPOOL_COMFYUI_URL": f"http://127.0.0.1:{self.comfyui_port}",
                "GENPOOL_SCRATCH_DIR": str(self.folder / "scratch"),
                "GENPOOL_HTTP_PORT": str(port),
                **environment,
            },
            port,
            options=("-W", "error"),
        )
        self.workers.append(process)
        if wait:
            until(lambda: answers(process, "/readyz"), "the worker is ready", 30)
        return process

    @property
    def secrets(self) -> Path:
        """Where the pool's Secrets are mounted."""
        return self.folder / "secrets"

    def rotate(self, password: str = PASSWORD, secret_key: str | None = None) -> None:
        """New versions of the mounted Secrets, as the kubelet brings them."""
        write_secret(self.secrets / "broker", username=self.user, password=password)
        keys = {
            "AWS_ACCESS_KEY_ID": self.bucket.access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key or self.bucket.secret_key,
        }
        write_secret(self.secrets / "s3", **keys)

    def _start(
        self,
        name: str,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str],
        port: int,
        *,
        options: Sequence[str] = (),
    ) -> Process:
        log = self.folder / f"{name}-{len(self.processes)}.log"
        wanted = ("PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX", "GENPOOL_TEST_RUN")
        kept = {key: os.environ[key] for key in wanted if key in os.environ}
        with log.open("wb") as file:
            process = programs.start(
                module, arguments, environment={**kept, **environment}, output=file, options=options
            )
        self.processes.append(Process(process, log, port))
        return self.processes[-1]

    def stop(self) -> None:
        for process in self.processes:
            process.end()

    # Using it ---------------------------------------------------------------------------------------------------

    def send(self, body: Mapping[str, object] | bytes, **properties: Any) -> None:  # noqa: ANN401 - AMQP properties
        """As plain producers do: persistent, through the default exchange."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        with self.vhost.raw() as connection:
            connection.channel().basic_publish(
                "", QUEUE, raw, pika.BasicProperties(delivery_mode=2, **properties)
            )

    def accept(self, body: Mapping[str, object], **own: str | int) -> None:
        """As the gateway does: as its user, with headers of ours."""
        properties = pika.BasicProperties(delivery_mode=2, user_id=self.gateway_user, headers=own)
        with self.vhost.raw(self.gateway_user, PASSWORD) as connection:
            connection.channel().basic_publish("", QUEUE, json.dumps(body).encode(), properties)

    def command(self, command: AnyCommand, key: str, user: str = "") -> None:
        """As the gateway does, or another user: on the control exchange."""
        sender = user or self.gateway_user
        properties = pika.BasicProperties(user_id=sender)
        with self.vhost.raw(sender, PASSWORD) as connection:
            connection.channel().basic_publish(
                names.CONTROL_EXCHANGE, key, command.model_dump_json().encode(), properties
            )

    # Looking ----------------------------------------------------------------------------------------------------

    def keys(self) -> list[str]:
        pages = self.bucket.client().get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket.name, Prefix=self.config.store.prefix)
        return [item["Key"] for page in found for item in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.bucket.client().get_object(Bucket=self.bucket.name, Key=key)["Body"].read()

    def ends(self) -> list[EndRecord]:
        return [
            EndRecord.model_validate_json(self.read(key)) for key in self.keys() if key.endswith("/end.json")
        ]

    def claims(self) -> list[Claim]:
        found = [Claim.model_validate_json(self.read(key)) for key in self.keys() if "/attempts/" in key]
        return sorted(found, key=lambda claim: claim.attempt)

    def outputs(self) -> list[str]:
        return [key for key in self.keys() if "/attempts/" not in key and not key.endswith("/end.json")]

    def wait_ends(self, count: int, seconds: float = 40) -> list[EndRecord]:
        """That many end records, and an empty queue."""
        until(
            lambda: sum(key.endswith("/end.json") for key in self.keys()) >= count, f"{count} ends", seconds
        )
        found = self.ends()
        assert len(found) == count
        self.wait_quiet(seconds)
        return found

    def wait_quiet(self, seconds: float = 40) -> None:
        """Nothing is ready, in hand, or in a delay step; seen several times, as messages move between them."""
        seen = 0

        def quiet() -> bool:
            nonlocal seen
            seen = seen + 1 if self._is_quiet() else 0
            return seen >= _QUIET_CHECKS

        until(quiet, "the queues are empty and the workers idle", seconds)

    def _is_quiet(self) -> bool:
        """The broker's own count of what is in hand is seconds old, so the workers are asked."""
        alive = [item for item in self.workers if item.popen.poll() is None]
        if any('state{state="busy"} 1.0' in item.get("/metrics").text for item in alive):
            return False
        queues = [QUEUE, *(names.retry_step(step) for step in timing.RETRY_STEPS)]
        with self.vhost.raw() as connection:
            channel = connection.channel()
            return all(
                channel.queue_declare(queue, passive=True).method.message_count == 0 for queue in queues
            )

    def taken(self, queue: str) -> list[tuple[pika.BasicProperties, bytes]]:
        """Everything that is ready in a queue, taken off it."""
        found: list[tuple[pika.BasicProperties, bytes]] = []
        with self.vhost.raw() as connection:
            channel = connection.channel()
            while True:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return found
                found.append((properties, body))

    def dead_letters(self) -> list[tuple[pika.BasicProperties, bytes]]:
        return self.taken(self.config.dead_queue)

    def events(self) -> list[AnyEvent]:
        return [EVENT.validate_json(body) for _, body in self.taken("events")]

    def callbacks(self) -> list[CallbackMessage]:
        return [CallbackMessage.model_validate_json(body) for _, body in self.taken(names.CALLBACKS_QUEUE)]


def make_rig(vhost: Vhost, bucket: Bucket, folder: Path, pool: PoolRef | None = None) -> Rig:
    """A pool that serves the shipped workflows; ``pool``: one that others know already."""
    entries = [
        WorkflowEntry(
            name=name,
            template_key=workflow_keys(name)[0],
            parameters_key=workflow_keys(name)[1],
            timeout_seconds=120,
            fallback=name == "text-to-image",
        )
        for name in ("text-to-image", "DDColor人物黑白修复.json", "DDColor建筑黑白修复.json")
    ]
    pool = pool or PoolRef(namespace="default", name="pool", uid=str(uuid.uuid4()))
    config = WorkerConfig(
        pool=pool,
        queue=QUEUE,
        dead_queue=names.dead_queue(QUEUE),
        max_attempts=3,
        workflows=entries,
        s3=S3Config(endpoint=bucket.endpoint, bucket=bucket.name, prefix=f"{pool.uid}/{uuid.uuid4().hex}/"),
        image_hosts=[LOOPBACK],
        max_input_bytes=5 << 20,
        grace_seconds=600,
    )
    rig = Rig(vhost, bucket, folder, config)
    rig.declare()
    rig.configure()
    return rig


def answers(process: Process, path: str) -> bool:
    """Whether a program answers 200; a test failure when it has ended."""
    assert process.popen.poll() is None, f"it ended:\n{process.text()[-3000:]}"
    try:
        return process.get(path).status_code == 200
    except requests.RequestException:
        return False
