"""Commands of this checkout, run inside the engine's namespaces with kind as the provider."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from genpool_dev.cluster.artifacts.catalog import CHECKOUT
from genpool_dev.cluster.settings import cache_home
from genpool_dev.kindtest.engine import Engine

#: Names the lock of the cluster: not the local one's, which may be at work meanwhile.
_LOCK = "kindtest"


@dataclass(frozen=True)
class Checkout:
    """The checkout, an engine, and a node image for its clusters."""

    engine: Engine
    home: Path
    """Where commands keep their state, and nothing else is."""
    node_image: str

    def environment(self) -> dict[str, str]:
        """Return the environment of all commands."""
        return self.engine.environment(
            {
                "PROVIDER": "kind",
                "GENPOOL_DEV_KIND_IMAGE": self.node_image,
                "XDG_STATE_HOME": str(self.home),
                "GENPOOL_DEV_NETNS": _LOCK,
                "HYPOTHESIS_STORAGE_DIRECTORY": str(cache_home() / "hypothesis"),
            }
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Python with arguments."""
        return subprocess.Popen(
            self.engine.enter([sys.executable, *arguments], CHECKOUT), env=self.environment()
        )

    def run(self, *arguments: str) -> int:
        """Run Python with arguments to its end; returns its exit code."""
        with self.start(*arguments) as running:
            return running.wait()

    def command(self, name: str) -> int:
        """Run one of the commands behind the Makefile."""
        return self.run("-m", "genpool_dev", name)

    def kubectl(self, *words: str) -> str:
        """Run kubectl on the cluster; returns what it printed."""
        return self.engine.run(
            "kubectl", f"--kubeconfig={self.home / 'genpool-dev-kind' / 'kubeconfig'}", *words
        )

    def containers(self) -> list[str]:
        """Return the ids of all containers, running or not."""
        return self.engine.run("docker", "container", "ls", "--all", "--quiet").split()


def programs_of(running: subprocess.Popen[bytes]) -> Sequence[psutil.Process]:
    """Return what a command has started inside, itself first."""
    return psutil.Process(running.pid).children(recursive=True)
