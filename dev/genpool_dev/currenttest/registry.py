"""A registry of images on this machine, over plain HTTP, gone when it is stopped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import yaml

from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.artifacts.packages import Need
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.shell import with_system_path
from genpool_dev.progress import Steps

START_SECONDS = 30
NEEDS = (Need("docker-registry", "docker-registry"),)


@contextmanager
def running(address: str, steps: Steps) -> Iterator[str]:
    """Run one on an address of this machine as long as the block lasts; gives its host and port."""
    packages.install_missing(steps, NEEDS)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="genpool-registry-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with closing(socket.create_server((address, 0))) as taken:
            port = int(taken.getsockname()[1])
        config, log = folder / "config.yml", folder / "log"
        config.write_text(yaml.safe_dump(_config(f"{address}:{port}", folder / "data")))
        with log.open("wb") as output:
            words = ["docker-registry", "serve", str(config)]
            process = subprocess.Popen(
                words, env=with_system_path(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        stack.callback(process.wait)
        stack.callback(process.kill)
        if (
            not until(lambda: _listens(address, port) or process.poll() is not None, START_SECONDS)
            or process.poll()
        ):
            raise ClusterError("The registry did not start.", log=log)
        yield f"{address}:{port}"


def _config(address: str, data: Path) -> dict[str, object]:
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(data)}},
        "http": {"addr": address},
    }


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
