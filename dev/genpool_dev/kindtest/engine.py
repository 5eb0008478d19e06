"""A Docker engine of our own: Debian's, in namespaces that end with this command, with all that it made.

Its bridge, its firewall rules and the setting that forwards packets are those of a network namespace; its mounts and
processes have their own too. The way to the outside, for pip in builds of images, is slirp4netns: a program that needs
no rule and no route on this machine. Images are kept below the cache.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts import golang, packages
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.artifacts.packages import Need
from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node import cgroups, process
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.settings import cache_home
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps

NEEDS = (
    Need("docker.io", "/usr/sbin/dockerd"),
    Need("docker.io", "/usr/bin/docker"),
    Need("iptables", "iptables"),
    Need("slirp4netns", "slirp4netns"),
    *(need for need in packages.NEEDS if need.package in {"containerd", "runc", "util-linux", "iproute2"}),
)
GROUP = "genpool-kind"
"""Control group of all containers."""

_DNS = "10.0.2.3"
"""The name server that slirp4netns is: it asks this machine's."""
_START_SECONDS = 60
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
#: Ends with its first process, and that with whoever started it.
_ALONE = (
    *_DIES_WITH_US, "unshare", "--mount", "--propagation", "slave", "--net", "--ipc", "--pid", "--fork", "--kill-child",
    "--mount-proc",
)  # fmt: skip
#: $1 is a file with the name server. A link below /run would lead nowhere once /run is empty.
_PREPARE = """set -e
mount --make-rshared /
resolv=$(readlink -m /etc/resolv.conf)
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$(dirname "$resolv")"
test -e "$resolv" || touch "$resolv"
mount --bind "$1" "$resolv"
ip link set lo up
"""


@dataclass(frozen=True)
class Engine:
    """An engine that runs: the first process of its namespaces, and a folder of programs to come first on the PATH."""

    holder: int
    programs: Path

    def enter(self, command: Sequence[str | Path], folder: Path = Path("/")) -> list[str]:
        """Return a command that runs inside, in a folder."""
        spaces = ["nsenter", "--target", str(self.holder), "--mount", "--net", "--ipc", "--pid"]
        return [*spaces, f"--wd={folder}", "--", *(str(word) for word in command)]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of programs inside, with ``more`` in it."""
        own = shell.with_system_path()
        own["PATH"] = f"{self.programs}:{own['PATH']}"
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            own.pop(name, None)
        return own | dict(more or {})

    def run(self, *command: str | Path, timeout: float = 600) -> str:
        """Run a command inside to its end; returns what it printed."""
        return shell.run(self.enter(command), env=self.environment(), timeout=timeout)


@contextmanager
def running(steps: Steps) -> Iterator[Engine]:
    """Run an engine for the length of the block; afterwards nothing of it is there but its images.

    Raises :class:`~genpool_dev.cluster.errors.ClusterError` where it does not start, and where something is left.
    """
    pause, runc = golang.build("pause", steps), golang.build("kind-runc", steps)
    home = cache_home() / "kind"
    home.mkdir(parents=True, exist_ok=True)
    busy = "Waiting for another run of this command …"
    with (
        locked(cache_home() / "locks" / "kind", lambda: steps.say(busy)),
        workspace() as folder,
        ExitStack() as exits,
    ):
        exits.callback(_clear_groups)
        with steps.step("Docker engine in namespaces of its own"):
            engine = Engine(_hold(pause, folder, exits), folder / "bin")
            _prepare(engine, folder)
            _connect(engine, folder, exits)
            _start(engine, runc, home / "docker")
        yield engine


def _hold(pause: Path, folder: Path, exits: ExitStack) -> int:
    """Start the first process; returns its pid as this machine sees it."""
    outer = _spawn([*_ALONE, str(pause)], folder / "holder.log", exits)
    held: list[int] = []

    def forked() -> bool:
        held[:] = [pid for pid in process.children(outer.pid) if process.command_line(pid) == str(pause)]
        return bool(held) or outer.poll() is not None

    if not until(forked, _START_SECONDS, 0.01) or not held:
        raise ClusterError(
            "No namespaces for the Docker engine: in a container this needs --privileged.",
            log=folder / "holder.log",
        )
    return held[0]


def _prepare(engine: Engine, folder: Path) -> None:
    (folder / "resolv.conf").write_text(f"nameserver {_DNS}\n")
    engine.programs.mkdir()
    # Another docker may come before Debian's on the PATH, one without buildx.
    (engine.programs / "docker").symlink_to("/usr/bin/docker")
    engine.run("sh", "-c", _PREPARE, "sh", folder / "resolv.conf")


def _connect(engine: Engine, folder: Path, exits: ExitStack) -> None:
    log = folder / "slirp4netns.log"
    command = ["slirp4netns", "--configure", "--mtu=65520", str(engine.holder), "tap0"]
    outside = _spawn([*_DIES_WITH_US, *command], log, exits)

    def connected() -> bool:
        return outside.poll() is not None or "default" in engine.run("ip", "route")

    if not until(connected, _START_SECONDS, 0.05) or outside.poll() is not None:
        raise ClusterError("slirp4netns gives the Docker engine no way to the outside.", log=log)


def _start(engine: Engine, runc: Path, data: Path) -> None:
    log = cache_home() / "logs" / "kind-dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [
        "/usr/sbin/dockerd", "--data-root", str(data), "--cgroup-parent", f"/{GROUP}",
        "--add-runtime", f"genpool={runc}", "--default-runtime", "genpool",
    ]  # fmt: skip
    with log.open("wb") as output:
        started = subprocess.Popen(
            engine.enter(words),
            env=engine.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def answers() -> bool:
        return started.poll() is not None or shell.succeeds(engine.enter(["docker", "version"]))

    if not until(answers, _START_SECONDS, 0.2) or started.poll() is not None:
        raise ClusterError("dockerd does not start.", log=log)
    # What a killed run left: they hold their images.
    left = engine.run("docker", "ps", "--all", "--quiet").split()
    if left:
        engine.run("docker", "rm", "--force", "--volumes", *left)


def _spawn(command: Sequence[str], log: Path, exits: ExitStack) -> subprocess.Popen[bytes]:
    """Start a program that is killed at the end, or when this one is."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env=shell.with_system_path(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def end() -> None:
        with deaf():
            started.kill()
            started.wait()

    exits.callback(end)
    return started


def _clear_groups() -> None:
    """Remove the containers' control groups: the kernel keeps them when all in them has ended."""
    with deaf():

        def gone() -> bool:
            cgroups.remove(GROUP)
            return not cgroups.remains(GROUP)

        if not until(gone, _START_SECONDS, 0.1):
            left = ", ".join(str(path) for path in cgroups.remains(GROUP)[:3])
            raise ClusterError(f"Still there of the Docker engine: {left}.")
