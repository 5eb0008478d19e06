"""The node as a running thing: its first process, its mounts, its programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node import mountpoints, network, process
from genpool_dev.cluster.node.daemons import Daemon
from genpool_dev.cluster.node.health import answers, until
from genpool_dev.cluster.node.mountpoints import MOUNT_POINTS
from genpool_dev.cluster.node.places import Places

START_TIMEOUT = 10
CLEAN_ENV = {"PATH": shell.SYSTEM_PATH, "HOME": "/root", "LC_ALL": "C.UTF-8"}
"""Nothing of the caller's environment: a proxy meant for the internet would catch the API server."""


class Machine:
    """The namespaces of one node, and what runs in them."""

    def __init__(self, places: Places, netns: str) -> None:
        self._places = places
        self._netns = netns

    def holder(self) -> process.Identity | None:
        """Return the node's first process if it runs."""
        identity = process.load(self._places.holder)
        return identity if process.is_alive(identity) else None

    def start(self, pause: Path) -> None:
        """Start the first process in new namespaces, and make the node's own mounts."""
        command = [
            "nsenter", f"--net={network.NAMED / self._netns}",
            "unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--ipc",
            "--mount-proc", str(pause),
        ]  # fmt: skip
        outer = _spawn(command, self._places.log("node"))
        held = self._first_child(outer, "node")
        process.save(self._places.holder, held)
        # Until then it still prepares its namespaces.
        until(lambda: process.command_line(held.pid) == str(pause), START_TIMEOUT, 0.01)
        try:
            self._mount(held)
        except ClusterError:
            process.kill([held])
            raise

    def _mount(self, held: process.Identity) -> None:
        into = ["nsenter", "--target", str(held.pid), "--mount"]
        own = zip((self._places.kubelet, self._places.container_logs), MOUNT_POINTS, strict=True)
        # Shared inside, so that kubelet's mounts reach containerd; slave of this machine's mounts.
        shell.run([*into, "mount", "--make-rshared", "/"])
        shell.run([*into, "mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
        with mountpoints.held():
            for source, point in own:
                shell.run([*into, "mount", "--bind", str(source), str(point)])

    def enter(self, command: Sequence[str | Path]) -> list[str]:
        """Return a command that runs inside the node. Raises where the node does not run."""
        held = self.holder()
        if held is None:
            raise ClusterError("The node of the local cluster does not run: `make cluster-up`.")
        spaces = ["nsenter", "--target", str(held.pid), "--mount", "--net", "--ipc", "--pid"]
        return [*spaces, "--", *(str(word) for word in command)]

    def run(self, command: Sequence[str | Path], timeout: float = 120) -> str:
        """Run a command inside the node to its end; returns what it printed."""
        return shell.run(self.enter(command), env=CLEAN_ENV, timeout=timeout)

    def is_running(self, daemon: str) -> bool:
        """Tell whether a program of the node runs."""
        return process.is_alive(process.load(self._places.pid_file(daemon)))

    def works(self, daemon: Daemon) -> bool:
        """Tell whether a program runs and answers that it is well."""
        if not self.is_running(daemon.name):
            return False
        return not daemon.health or until(lambda: answers(daemon.health), 5, 0.5)

    def launch(self, daemon: Daemon) -> None:
        """Start a program of the node, ending first what is left of the last one."""
        self.end(daemon)
        outer = _spawn(self.enter(daemon.command), self._places.log(daemon.name))
        process.save(self._places.pid_file(daemon.name), self._first_child(outer, daemon.name))

    def end(self, daemon: Daemon) -> None:
        """Kill a program of the node if it runs, also where a killed run wrote no pid file of it."""
        wanted = [process.load(self._places.pid_file(daemon.name))]
        held = self.holder()
        if held is not None:
            inode = (process.PROC / str(held.pid) / "ns/pid").stat().st_ino
            command = " ".join(daemon.command)
            wanted += [
                process.identify(pid)
                for pid in process.in_namespace(inode, "pid")
                if process.command_line(pid) == command
            ]
        process.kill(each for each in wanted if each is not None)
        self._places.pid_file(daemon.name).unlink(missing_ok=True)

    def wait_healthy(self, daemon: Daemon) -> None:
        """Wait until a program answers that it is well; raises with its log where it does not."""

        def settled() -> bool:
            return not self.is_running(daemon.name) or answers(daemon.health)

        until(settled, daemon.patience)
        if not self.is_running(daemon.name):
            raise ClusterError(f"{daemon.name} ended while it started.", log=self._places.log(daemon.name))
        if not answers(daemon.health):
            raise ClusterError(
                f"{daemon.name} did not answer at {daemon.health} within {daemon.patience:.0f} s.",
                log=self._places.log(daemon.name),
            )

    def _first_child(self, outer: int, what: str) -> process.Identity:
        """Return the process inside the namespaces: the child of nsenter or unshare."""
        found: list[process.Identity] = []

        def forked() -> bool:
            for pid in process.children(outer):
                identity = process.identify(pid)
                if identity is not None:
                    found.append(identity)
            return bool(found) or process.identify(outer) is None

        until(forked, START_TIMEOUT, 0.01)
        if not found:
            raise ClusterError(f"{what} could not be started in the node.", log=self._places.log(what))
        return found[-1]


SPAWN = 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 & echo $!'


def _spawn(command: Sequence[str], log: Path) -> int:
    """Start a program that outlives this one, its output at the end of ``log``; returns its pid.

    Through a shell that ends at once: process 1 then is its parent, and collects it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    said = shell.run(["sh", "-c", SPAWN, "sh", log, *command], env=CLEAN_ENV, cwd=Path("/"))
    return int(said)
