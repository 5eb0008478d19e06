"""The parts of the benchmark: a broker with a vhost, servers on one core, and everything else on the other."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from genpool_core.topology.desired import vhost_topology
from genpool_gateway.store.opening import open_store
from integration.broker import Vhost, until
from integration.conftest import _from_cluster, _from_environment
from integration.gateway.api import QUEUE, Api, prepare
from integration.gateway.conftest import GatewayProcess, key_of

SERVER_CORE, OTHER_CORE = 0, 1


def pin(pid: int, core: int) -> None:
    """Keep a process and its threads on one core."""
    for thread in psutil.Process(pid).threads():
        os.sched_setaffinity(thread.id, {core})
    os.sched_setaffinity(pid, {core})


def pin_broker(vhost: Vhost, nice: int) -> None:
    """RabbitMQ's process of this machine, by its number in whatever container it is in."""
    (node,) = vhost.api("GET", "nodes")
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != "beam.smp":
            continue
        numbers = Path(f"/proc/{process.pid}/status").read_text().split("NSpid:")[1].splitlines()[0].split()
        if numbers[-1] == str(node["os_pid"]):
            pin(process.pid, OTHER_CORE)
            for thread in process.threads():
                os.setpriority(os.PRIO_PROCESS, thread.id, nice)
            return
    raise RuntimeError("RabbitMQ does not run on this machine: its process cannot be kept on one core.")


@contextmanager
def broker(nice: int = 0) -> Iterator[Vhost]:
    """A vhost of the cluster's RabbitMQ, or of the one that the tests' environment names."""
    vhost = Vhost(_from_environment() or _from_cluster(), f"bench-{uuid.uuid4().hex[:8]}")
    vhost.create()
    try:
        vhost.apply(vhost_topology(vhost.version))
        pin_broker(vhost, nice)
        yield vhost
    finally:
        vhost.delete()


@dataclass
class Server:
    """A server under test."""

    name: str
    pid: int
    port: int
    key: str
    api: Api | None = field(default=None)

    @property
    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    @property
    def rss_mb(self) -> float:
        """Memory that it has."""
        return psutil.Process(self.pid).memory_info().rss / 2**20


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def gateway(vhost: Vhost, folder: Path, database_url: str) -> Iterator[Server]:
    """The gateway as users run it."""
    folder.mkdir()
    process = GatewayProcess(vhost, folder, key_of(vhost))
    api = prepare(process)
    port = _free_port()
    process.environment |= {
        "GENPOOL_API_PORT": str(port),
        "GENPOOL_REQUESTS_PER_SECOND": "0",
        "GENPOOL_DATABASE_URL": database_url,
    }
    process.start()
    process.until_ready()
    assert process.process is not None
    pin(process.process.pid, SERVER_CORE)
    try:
        yield Server("gateway", process.process.pid, port, api.key, api)
    finally:
        process.kill()


@contextmanager
def baseline(vhost: Vhost, folder: Path, database_url: str) -> Iterator[Server]:
    """The plain handler of ``baseline.py``, on the same broker and queue."""
    folder.mkdir()
    process = GatewayProcess(vhost, folder, key_of(vhost))
    api = prepare(process)
    server, port = vhost.server, _free_port()
    login = f"{quote(server.username)}:{quote(server.password)}"
    settings = {
        "port": port,
        "key": api.key,
        "database_url": database_url,
        "pools_file": str(folder / "pool.yaml"),
        "amqp_url": f"amqp://{login}@{server.host}:{server.port}/{quote(vhost.name, safe='')}",
    }
    file = folder / "settings.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(Path(__file__).with_name("baseline.py")), str(file)]) as child:
        try:
            until(lambda: _answers(port), "the baseline answers", 30)
            pin(child.pid, SERVER_CORE)
            yield Server("baseline", child.pid, port, api.key)
        finally:
            child.kill()


def _answers(port: int) -> bool:
    with closing(socket.socket()) as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def empty_queue(vhost: Vhost) -> None:
    """Take away what earlier rounds have put into the work queue."""
    vhost.purge(QUEUE)


def fsync_ms(folder: Path, times: int = 100) -> float:
    """Median time to write 4 KiB and have them on the disk, where the servers' files are."""
    block, found = secrets.token_bytes(4096), []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(times):
            since = time.perf_counter()
            file.write(block)
            os.fsync(file.fileno())
            found.append(time.perf_counter() - since)
    return sorted(found)[times // 2] * 1000


def new_database(url: str) -> str:
    """Make the tables of an empty database; its URL."""
    open_store(url).close()
    return url
