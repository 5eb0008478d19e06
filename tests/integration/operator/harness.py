"""An operator as a process on this machine, and what tests do to its cluster from outside."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests

from genpool_core import names
from genpool_dev.cluster.model import ClusterInfo
from integration.broker import until
from support import programs
from support.cluster_reader import ClusterReader
from support.programs import Program

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]
Json = dict[str, Any]


@dataclass
class Kubectl:
    """What a user types, in one namespace."""

    info: ClusterInfo
    namespace: str
    reader: ClusterReader

    def __call__(self, *arguments: str, given: str | None = None, fails: bool | None = False) -> str:
        """Standard output, or standard error where the command is to fail; None: it may."""
        command = [
            str(self.info.kubectl),
            f"--kubeconfig={self.info.kubeconfig}",
            f"--context={self.info.context}",
            f"--namespace={self.namespace}",
            *arguments,
        ]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)
        assert fails is None or (done.returncode != 0) is fails, (
            f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        )
        return done.stderr if fails else done.stdout

    def apply(self, manifest: Json, *, fails: bool = False) -> str:
        return self("apply", "-f", "-", given=json.dumps(manifest), fails=fails)

    def patch(self, kind: str, name: str, change: Json) -> None:
        self("patch", kind, name, "--type=merge", "-p", json.dumps(change))

    def get(self, kind: str, name: str) -> Json | None:
        """An object, or None."""
        return self.reader.get(kind, self.namespace, name)

    def items(self, kind: str, selector: str = "") -> list[Json]:
        return self.reader.items(kind, self.namespace, selector)

    def pool(self, name: str = "pictures") -> Json:
        found = self.get("generationpool", name)
        assert found is not None
        return found

    def condition(self, kind: str, name: str = "pictures") -> Json:
        """A condition of a pool; empty while there is none."""
        conditions = self.pool(name).get("status", {}).get("conditions", [])
        return next((item for item in conditions if item["type"] == kind), {})

    def wait_condition(self, kind: str, status: str, name: str = "pictures", seconds: float = 30) -> Json:
        """Wait until a condition about the newest spec has this status."""

        def there() -> Json | None:
            found = self.condition(kind, name)
            newest = found.get("observedGeneration") == self.pool(name)["metadata"]["generation"]
            return found if newest and found["status"] == status else None

        try:
            return until(there, f"{kind} {status}", seconds)  # type: ignore[return-value]
        except AssertionError as error:
            raise AssertionError(f"{error}: {json.dumps(self.pool(name).get('status'), indent=1)}") from None

    def secret(self, name: str) -> dict[str, str]:
        """Keys and values of a Secret; empty when there is none."""
        found = self.get("secret", name) or {}
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def login(self, name: str = "pictures") -> tuple[str, str]:
        """User and password of a pool's workers."""
        data = self.secret(names.WORKER_LOGINS)
        username, password = (data[key] for key in names.login_keys(name))
        return username, password

    def replicas(self, name: str = "pictures-worker") -> int | None:
        """What the Deployment asks for; None when there is none."""
        found = self.get("deployment", name)
        return None if found is None else int(found["spec"]["replicas"])

    def wait_replicas(self, wanted: int, seconds: float = 30) -> None:
        until(lambda: self.replicas() == wanted, f"{wanted} replicas", seconds)

    def events(self, reason: str) -> list[Json]:
        return [item for item in self.items("events") if item["reason"] == reason]


def pool_manifest(vhost: str, *, name: str = "pictures", **changes: object) -> Json:
    """A pool whose pods cannot start: these tests look at the operator, not at them."""
    spec: Json = {
        "broker": {"vhost": vhost},
        "queue": {"name": "generation_tasks"},
        "workflows": [{"name": "text-to-image", "source": {"builtin": "text-to-image"}}],
        "comfyui": {"image": "genpool.test/none", "imagePullPolicy": "Never", "resources": {}},
        "storage": {"s3": {"bucket": "results"}},
        "scaling": {"maxReplicas": 3, "idleSeconds": 2},
        **changes,
    }
    return {
        "apiVersion": "genpool.dev/v1alpha1",
        "kind": "GenerationPool",
        "metadata": {"name": name},
        "spec": spec,
    }


@dataclass
class OperatorProcess:
    """``python -m genpool_operator.app``."""

    environment: dict[str, str]
    log: Path
    process: Program | None = None
    port: int = 0

    def start(self) -> None:
        """Start it and wait until it is up."""
        before = self._lines("operator_started")
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = programs.start(
                "genpool_operator.app", environment=environment, output=log, folder=ROOT
            )
        until(lambda: self._failed() or len(self._lines("operator_started")) > len(before), "operator is up")
        assert self.process.poll() is None, self.log.read_text()
        self.port = self._lines("operator_started")[-1]["port"]

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """SIGTERM, as Kubernetes does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                assert self.process.wait(40) == 0, self.log.read_text()
            finally:
                self.kill()

    def ask(self, path: str) -> requests.Response:
        """GET from its own server."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{self.port}/{path}", timeout=10)

    @property
    def failed_looks(self) -> list[Json]:
        """Looks at a pool that failed, but for those for which a busy machine's RabbitMQ had no answer in time."""
        return [line for line in self.lines("reconcile_failed") if line["reason"] != "BrokerUnreachable"]

    def lines(self, event: str) -> list[Json]:
        """Log lines of an event."""
        return self._lines(event)

    def _failed(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _lines(self, event: str) -> list[Json]:
        text = self.log.read_text() if self.log.exists() else ""
        found = []
        for line in text.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if line.get("event") == event]


def holds(check: Callable[[], T], seconds: float, what: str) -> None:
    """``check`` is true the whole time."""
    deadline = threading.Event()
    timer = threading.Timer(seconds, deadline.set)
    timer.start()
    try:
        while not deadline.wait(0.2):
            assert check(), f"no longer: {what}"
    finally:
        timer.cancel()
