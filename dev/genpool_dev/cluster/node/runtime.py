"""containerd in the node, and its images."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Collection, Sequence

from genpool_dev.cluster.artifacts import buildah, catalog, layout
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node.daemons import Daemon
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.node.machine import CLEAN_ENV, Machine
from genpool_dev.cluster.node.places import CONTAINERD_SOCKET, Places
from genpool_dev.progress import Steps

CTR = ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io")


class Runtime:
    """The container runtime of one node."""

    def __init__(self, places: Places, machine: Machine) -> None:
        self._places = places
        self._machine = machine

    def answers(self) -> bool:
        """Tell whether containerd answers."""
        try:
            self._machine.run([*CTR, "version"], timeout=10)
        except ClusterError:
            return False
        return True

    def start(self, daemon: Daemon) -> None:
        """Start containerd; where it cannot read what it kept (a crash of the machine), without that."""
        self._machine.launch(daemon)
        if until(self.answers, daemon.patience / 2):
            return
        self._machine.end(daemon)
        shutil.rmtree(self._places.containerd)
        self._places.containerd.mkdir()
        self._machine.launch(daemon)
        if not until(self.answers, daemon.patience / 2):
            log = self._places.log(daemon.name)
            raise ClusterError("containerd does not answer.", log=log)

    def ensure_images(self, wanted: Sequence[str], steps: Steps) -> None:
        """Import the images that are missing, and let go of those that the cache let go of."""
        present = set(self._machine.run([*CTR, "images", "list", "--quiet"]).split())
        gone = superseded(present, {*wanted, *layout.names(buildah.layout_path())})
        if gone:
            self._machine.run([*CTR, "images", "remove", *gone])
        missing = [name for name in wanted if name not in present]
        if missing:
            with steps.step(f"Images into containerd: {len(missing)}"):
                self._import(missing)

    def _import(self, names: Sequence[str]) -> None:
        log = self._places.log("import")
        with log.open("ab") as output:
            importing = subprocess.Popen(
                self._machine.enter([*CTR, "images", "import", "-"]),
                env=CLEAN_ENV,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
            with importing:
                _feed(importing, names)
        if importing.returncode != 0:
            raise ClusterError("The images could not be imported into containerd.", log=log)


def superseded(present: Collection[str], kept: Collection[str]) -> list[str]:
    """Return the images of ours that are present and not kept any more."""
    return sorted(name for name in present if name.startswith(f"{catalog.PREFIX}/") and name not in kept)


def _feed(importing: subprocess.Popen[bytes], names: Sequence[str]) -> None:
    """Write images to the standard input of the program that imports them."""
    if importing.stdin is None:  # opened as a pipe; tells the type checker so
        return
    with contextlib.suppress(BrokenPipeError):  # it has ended: its exit code and log tell why
        layout.stream(buildah.layout_path(), names, importing.stdin)
        importing.stdin.close()
