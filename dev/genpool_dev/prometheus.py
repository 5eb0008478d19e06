"""A Prometheus server for tests: Debian's, private, on a port of the loopback address, gone when it is stopped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.errors import ClusterError, tail
from genpool_dev.progress import Steps

NEEDS = (packages.Need("prometheus", "prometheus"), packages.Need("prometheus", "promtool"))
_START_SECONDS = 60
_STOP_SECONDS = 30
#: Another program may take the port between the look and the start.
_TRIES = 3


def promtool() -> str:
    """Path of promtool, installed where it is missing."""
    return _program("promtool")


@dataclass(frozen=True)
class PrometheusServer:
    """A server that runs."""

    port: int

    def ask(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """``data`` of an answer of its API. Raises ``ValueError`` with its words where it refuses."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"http://127.0.0.1:{self.port}/api/v1/{path}", params=query, timeout=20)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"Prometheus refuses {query}: {body['error']}")
        return body["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now."""
        return list(self.ask("query", query=expression)["result"])


@contextmanager
def running(
    scrapes: Sequence[Mapping[str, Any]], groups: Sequence[Mapping[str, Any]] = (), *, interval: str = "1s"
) -> Iterator[PrometheusServer]:
    """Run a server as long as the block lasts: it reads ``scrapes`` and evaluates the rules of ``groups``."""
    program = _program("prometheus")
    with tempfile.TemporaryDirectory(prefix="genpool-prometheus-") as name:
        folder = Path(name)
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": list(groups)}), "utf-8")
        config = {
            "global": {
                "scrape_interval": interval,
                "scrape_timeout": interval,
                "evaluation_interval": interval,
            },
            "rule_files": ["rules.yaml"],
            "scrape_configs": list(scrapes),
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
        process, server = _started(program, folder)
        try:
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            finally:
                process.kill()


def _started(program: str, folder: Path) -> tuple[subprocess.Popen[bytes], PrometheusServer]:
    for _ in range(_TRIES):
        process, server = _start(program, folder)
        if _is_ready(process, server):
            return process, server
        process.kill()
        process.wait(_STOP_SECONDS)
    # The folder goes with the error, so its words are in it.
    raise ClusterError(f"Prometheus did not start:\n{tail(folder / 'log')}")


def _start(program: str, folder: Path) -> tuple[subprocess.Popen[bytes], PrometheusServer]:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = int(taken.getsockname()[1])
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return process, PrometheusServer(port)


def _is_ready(process: subprocess.Popen[bytes], server: PrometheusServer) -> bool:
    """Wait until it answers, or has ended."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.ask("status/runtimeinfo")
        except (requests.RequestException, ValueError):
            time.sleep(0.05)
        else:
            return True
    return False


def _program(name: str) -> str:
    packages.install_missing(Steps(), NEEDS)
    found = shutil.which(name, path="/usr/bin:/usr/local/bin:/bin")
    if found is None:
        raise ClusterError(f"{name} is not in a folder of programs after the install of Debian's prometheus.")
    return found
