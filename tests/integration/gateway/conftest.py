from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from genpool_core import names
from genpool_core.operatorkeys import OperatorKey, key_line
from genpool_core.topology.desired import vhost_topology
from genpool_core.topology.rights import gateway_permissions
from genpool_dev.postgresql import PostgresqlServer
from integration.broker import Vhost, quick, until
from support import programs
from support.programs import Program
from support.shared_postgresql import shared_server
from support.tcpproxy import TcpProxy

if TYPE_CHECKING:
    from integration.gateway.api import Api


@dataclass
class Receiver:
    """The receiver process and what it has seen."""

    port: int
    log: Path

    def url(self, answers: str) -> str:
        return f"http://localhost:{self.port}/hook/{answers}?key=s3cr3t"

    @property
    def allow(self) -> list[dict[str, Any]]:
        """The entry of a pool that lets callbacks go to it."""
        return [{"host": "localhost", "ports": [self.port], "cidrs": ["127.0.0.0/8", "::1/128"]}]

    def seen(self, webhook_id: str) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in map(json.loads, lines) if line["id"] == webhook_id]


@contextmanager
def receiving(log: Path) -> Iterator[Receiver]:
    """A receiver process."""
    script = Path(__file__).with_name("receiver.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(log)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Receiver(int(process.stdout.readline()), log)
        process.kill()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path / "received.jsonl") as made:
        yield made


@pytest.fixture
def other_receiver(tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path / "other.jsonl") as made:
        yield made


@pytest.fixture
def vhost(rabbitmq: Vhost) -> Vhost:
    """A vhost with the operator's topology and a worker's user, but with delay steps of a moment."""
    topology = vhost_topology(rabbitmq.version)
    fast = quick(topology)
    assert fast != topology
    rabbitmq.apply(fast)
    return rabbitmq


def key_of(vhost: Vhost, which: str = "first") -> OperatorKey:
    """An operator's key of this test's own: users belong to the whole broker."""
    return OperatorKey(hashlib.sha256(f"{which} {vhost.name}".encode()).digest())


def gateway_login(
    vhost: Vhost, key: OperatorKey, queues: Sequence[str] = ("generation_tasks",)
) -> tuple[str, str]:
    """The gateway's user with its real rights, as the operator makes it."""
    name, password = names.gateway_user(key.id), key.gateway_password("default")
    vhost.add_user(name, password)
    vhost.permit(name, **gateway_permissions(queues))
    return name, password


@dataclass
class GatewayProcess:
    """The gateway as users run it."""

    vhost: Vhost
    folder: Path
    key: OperatorKey
    process: Program | None = None
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    queues: Sequence[str] = ("generation_tasks",)
    """Of pools, which the gateway may read."""
    broker: TcpProxy | None = None
    """By which it reaches the broker, where it does not reach that itself."""
    before: int = 0
    """Starts that the log tells of from before the last one."""

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.write_files()
        self.spawn()
        self.wait_started()

    def wait_started(self) -> None:
        """Wait until it serves."""
        self.port = until(self._started_port, f"the gateway's start: {self.log}", 30)

    def spawn(self) -> None:
        """Start it with the files that are there."""
        self.before = len(self._starts())
        environment = {
            **os.environ,
            "GENPOOL_BROKERS_FILE": str(self.folder / "brokers.yaml"),
            "GENPOOL_GATEWAY_SECRET_DIR": str(self.folder),
            "GENPOOL_HTTP_PORT": "0",
            "GENPOOL_API_PORT": "0",
            "GENPOOL_POOLS_FILE": str(self.folder / "pools"),
            "GENPOOL_DATABASE_URL": f"sqlite:///{self.folder / 'tasks.db'}",
            **self.environment,
        }
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = programs.start("genpool_gateway.app", environment=environment, output=log)

    def write_files(self) -> None:
        """Files as the chart mounts them, and a folder without pools."""
        (self.folder / "pools").mkdir(exist_ok=True)
        self.write_login(gateway_login(self.vhost, self.key, self.queues))
        (self.folder / names.SIGNING_KEYS).write_text(key_line(self.key.signing_key), encoding="ascii")
        server = self.vhost.server
        host, port = (server.host, server.port) if self.broker is None else ("127.0.0.1", self.broker.port)
        broker = {
            "name": "default",
            "host": host,
            "port": port,
            "managementUrl": server.management_url,
            "credentialsPath": str(self.folder),
            "vhosts": [self.vhost.name],
        }
        (self.folder / "brokers.yaml").write_text(yaml.safe_dump({"brokers": [broker]}), encoding="utf-8")

    def write_login(self, login: tuple[str, str]) -> None:
        """What the operator writes into the gateway's Secret."""
        for key, value in zip(names.login_keys("default"), login, strict=True):
            (self.folder / key).write_text(value, encoding="utf-8")

    def _started_port(self) -> int:
        started = self._starts()
        return int(started[-1]["port"]) if len(started) > self.before else 0

    def _starts(self) -> list[dict[str, Any]]:
        return [line for line in self.events() if line["event"] == "gateway_started"]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    @property
    def log(self) -> str:
        file = self.folder / "gateway.log"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def until_ready(self) -> None:
        until(lambda: self.get("/readyz").status_code == 200, f"the gateway's readiness: {self.log}", 30)

    def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def gateway_process(rabbitmq: Vhost, tmp_path: Path) -> Iterator[GatewayProcess]:
    """Not started yet."""
    made = GatewayProcess(rabbitmq, tmp_path, key_of(rabbitmq))
    yield made
    made.kill()


@pytest.fixture
def gateway(gateway_process: GatewayProcess, vhost: Vhost) -> GatewayProcess:
    """Started and connected, with the topology there."""
    assert vhost is gateway_process.vhost
    gateway_process.start()
    gateway_process.until_ready()
    return gateway_process


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """The server of this run; each test has a database of its own in it."""
    folder = tmp_path_factory.getbasetemp()
    with shared_server(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as server:
        yield server


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Name of an empty database."""
    with postgresql_server.database(f"test_{uuid.uuid4().hex[:12]}") as name:
        yield name


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer, postgresql_database: str) -> str:
    return postgresql_server.url(postgresql_database)


@pytest.fixture
def pool_spec() -> dict[str, Any]:
    """Fields of the spec of the pool behind ``api``, beside the usual ones."""
    return {}


@pytest.fixture
def api_settings() -> dict[str, str]:
    """Settings of the gateway behind ``api``, beside the usual ones."""
    return {}


@pytest.fixture
def api(
    gateway_process: GatewayProcess, vhost: Vhost, pool_spec: dict[str, Any], api_settings: dict[str, str]
) -> Iterator[Api]:
    """A gateway that serves one pool, and a caller of it."""
    from integration.gateway.api import prepare, running  # noqa: PLC0415 - it needs this module

    assert vhost is gateway_process.vhost
    made = prepare(gateway_process, **pool_spec)
    gateway_process.environment |= api_settings
    with running(made):
        yield made
