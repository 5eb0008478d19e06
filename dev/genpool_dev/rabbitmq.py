"""RabbitMQ servers of other versions than the cluster's, for tests: private, gone when they are stopped.

Their programs are Debian's, unpacked once below the cache; each server has its own data folder, its own ports of the
loopback address, and its own namespaces of mounts and processes, so that nothing of it (Erlang's port mapper either)
outlives it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from genpool_cli.local.ports import free_ports
from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import hashing, packages, rootfs
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.artifacts.rootfs import RootFS
from genpool_dev.cluster.errors import ClusterError, tail
from genpool_dev.cluster.settings import cache_home
from genpool_dev.progress import Steps

#: RabbitMQ's versions, and where Debian has them.
RELEASES: Mapping[str, RootFS] = {
    "3.10": RootFS("bookworm", ("rabbitmq-server",)),
    "4.0": RootFS("trixie", ("rabbitmq-server",)),
    "4.3": rootfs.RABBITMQ,
}
_NEEDS = tuple(need for need in packages.NEEDS if need.package in {"mmdebstrap", "debian-archive-keyring"})
_USER = "genpool-admin"
_HOST = "127.0.0.1"
_START_SECONDS = 90
#: Another program may take a port between the look and the start.
_TRIES = 3
_HOME = "/var/lib/rabbitmq"
#: Mounts are seen by the server alone, and end with it.
_SCRIPT = f"""set -e
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount --bind "$2" "$1{_HOME}"
exec chroot "$1" /usr/lib/rabbitmq/bin/rabbitmq-server
"""
#: Killed with whoever started it, and with it all processes of its namespace.
_ALONE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child")


@dataclass(frozen=True)
class RabbitMQServer:
    """A server that runs, with an administrator."""

    port: int
    management_port: int
    password: str
    log: Path
    username: str = _USER
    host: str = _HOST

    @property
    def amqp_url(self) -> str:
        """Address, user and password."""
        return f"amqp://{self.username}:{self.password}@{self.host}:{self.port}"

    @property
    def management_url(self) -> str:
        """Address of the management API."""
        return f"http://{self.host}:{self.management_port}"

    @property
    def version(self) -> str | None:
        """What it says; None while it does not answer."""
        try:
            answer = requests.get(
                f"{self.management_url}/api/overview", auth=(self.username, self.password), timeout=5
            )
        except requests.RequestException:
            return None
        return str(answer.json()["rabbitmq_version"]) if answer.ok else None


@contextmanager
def running(release: str, steps: Steps) -> Iterator[RabbitMQServer]:
    """Run a server of a release of ``RELEASES`` as long as the block lasts.

    Raises
    ------
    ClusterError
        Its packages could not be had, or it did not start.
    """
    root = programs(RELEASES[release], steps)
    with ExitStack() as stack:
        with steps.step(f"RabbitMQ {release}", "about 10 s"):
            server = _started(root, stack)
        yield server


def programs(release: RootFS, steps: Steps) -> Path:
    """The root file system with a release's programs, unpacked where it was not yet."""
    packages.install_missing(steps, _NEEDS)
    key = hashing.key([("command", " ".join(rootfs.command_of(release, "", Path())).encode())])
    target = cache_home() / "brokers" / f"{release.suite}-{key}"
    with locked(cache_home() / "locks" / f"broker-{release.suite}"):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with rootfs.made(release, steps) as archive:
                half = Path(tempfile.mkdtemp(dir=archive.parent))
                # The server gets this machine's devices.
                shell.run(
                    ["tar", "--extract", f"--file={archive}", f"--directory={half}", "--exclude=./dev/*"]
                )
                (half / "etc" / "hosts").write_text(f"{_HOST} localhost\n", encoding="ascii")
                half.chmod(0o755)
                half.rename(target)
    return target


def _started(root: Path, stack: ExitStack) -> RabbitMQServer:
    for _ in range(_TRIES):
        with ExitStack() as started:
            folder = Path(tempfile.mkdtemp(prefix="genpool-rabbitmq-"))
            started.callback(shutil.rmtree, folder, ignore_errors=True)
            if (server := _start(root, folder, started)) is not None:
                stack.push(started.pop_all())
                return server
            said = tail(folder / "log")
    raise ClusterError(f"RabbitMQ did not start:\n{said}")


def _start(root: Path, folder: Path, stack: ExitStack) -> RabbitMQServer | None:
    """The server, once it answers; None where it did not start."""
    amqp, management, mapper, distribution = free_ports(4)
    server = RabbitMQServer(amqp, management, secrets.token_hex(8), folder / "log")
    (folder / "rabbitmq.conf").write_text(_configuration(server), encoding="ascii")
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="ascii")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [*_ALONE, "sh", "-c", _SCRIPT, "sh", str(root), str(folder)],
            env=_environment(mapper, distribution),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    stack.callback(process.wait)
    stack.callback(process.kill)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if server.version is not None:
            return server
        time.sleep(0.1)
    return None


def _configuration(server: RabbitMQServer) -> str:
    return f"""listeners.tcp.local = {server.host}:{server.port}
management.tcp.ip = {server.host}
management.tcp.port = {server.management_port}
default_user = {server.username}
default_pass = {server.password}
log.console = true
log.file = false
raft.wal_max_size_bytes = 67108864
disk_free_limit.absolute = 200MB
"""


def _environment(mapper: int, distribution: int) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", "") + ":" + shell.SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "HOME": _HOME,
        "RABBITMQ_NODENAME": "genpool@localhost",
        "RABBITMQ_CONFIG_FILE": f"{_HOME}/rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{_HOME}/enabled_plugins",
        "RABBITMQ_MNESIA_BASE": f"{_HOME}/data",
        "RABBITMQ_LOG_BASE": f"{_HOME}/logs",
        "RABBITMQ_DIST_PORT": str(distribution),
        # Its threads would spin for a while before they sleep, which takes the processor from everything else here.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none "
        "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_CRASH_DUMP_SECONDS": "0",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": _HOST,
    }
