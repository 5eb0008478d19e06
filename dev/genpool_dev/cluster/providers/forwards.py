"""``kubectl port-forward`` in the background, for clusters that this machine has no route into."""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from genpool_cli.local.ports import free_ports
from genpool_dev.cluster import background
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.providers import forwarding
from genpool_dev.cluster.settings import cache_home

#: Until a port-forward is open, at first or again.
OPEN_SECONDS = 30


@dataclass(frozen=True)
class Forward:
    """A running port-forward: the process that keeps it open, and the port of this machine."""

    pid: int
    created: float
    port: int

    def process(self) -> psutil.Process | None:
        """Return its process, if that still runs."""
        try:
            found = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return None
        same = abs(found.create_time() - self.created) < 1
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None


def file_of(state: Path, service: str, port: int) -> Path:
    """Return the file that tells of a port-forward."""
    return state / f"forward-{service}-{port}.json"


def _load(path: Path) -> Forward | None:
    try:
        return Forward(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_open(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ensure(kube: Kube, state: Path, service: str, port: int, *, namespace: str = NAMESPACE) -> int:
    """Return the port of this machine that leads to a port of a service; several may ask at once, and get the same."""
    with locked(cache_home() / "locks" / f"{state.name}-forward-{service}-{port}"):
        forward = _load(file_of(state, service, port))
        if forward is None or not _is_through(forward):
            forward = _start(kube, state, service, port, namespace)
        return forward.port


def _is_through(forward: Forward) -> bool:
    """Whether it leads there, or does so soon: it is opened again when its pod goes."""
    until(lambda: is_open(forward.port) or forward.process() is None, OPEN_SECONDS)
    return forward.process() is not None and is_open(forward.port)


def _start(kube: Kube, state: Path, service: str, port: int, namespace: str) -> Forward:
    path = file_of(state, service, port)
    close(path)
    (local,) = free_ports(1)
    log = path.with_suffix(".log")
    command = [
        sys.executable, "-m", forwarding.__name__,
        str(kube.kubectl), f"--kubeconfig={kube.kubeconfig}", f"--context={kube.context}",
        "port-forward", "--namespace", namespace, f"service/{service}", f"{local}:{port}",
    ]  # fmt: skip
    pid = background.start(command, log)
    made = Forward(pid, psutil.Process(pid).create_time(), local)
    path.write_text(json.dumps({"pid": made.pid, "created": made.created, "port": local}))
    if not _is_through(made):
        raise ClusterError(f"kubectl port-forward to {service} did not get through.", log=log)
    return made


def close(path: Path) -> None:
    """End the port-forward that a file tells of, if it runs."""
    forward = _load(path)
    process = forward.process() if forward else None
    if process is not None:
        running = [process, *process.children(recursive=True)]
        process.terminate()
        _, left = psutil.wait_procs(running, timeout=10)
        for each in left:
            each.kill()
    path.unlink(missing_ok=True)
    path.with_suffix(".log").unlink(missing_ok=True)


def close_all(state: Path) -> None:
    """End every port-forward."""
    for path in sorted(state.glob("forward-*.json")):
        close(path)


def status(state: Path) -> list[tuple[str, str]]:
    """Return each port-forward and whether it is open."""
    lines = []
    for path in sorted(state.glob("forward-*.json")):
        forward = _load(path)
        works = forward is not None and forward.process() is not None and is_open(forward.port)
        lines.append((path.stem, "open" if works else "closed"))
    return lines
