"""The run itself: the cluster in cases that a person meets, the demo, the e2e tests, and that nothing is left."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster.artifacts import golang
from genpool_dev.cluster.artifacts.catalog import CHECKOUT
from genpool_dev.cluster.settings import cache_home
from genpool_dev.kindtest import engine, nodeimage, publicimages
from genpool_dev.kindtest.engine import Engine
from genpool_dev.progress import Steps

#: In a network of their own, where none of this machine's clusters is seen.
_LOCK_NAME = "kindtest"


@dataclass(frozen=True)
class Checkout:
    """Commands of this checkout, run inside the engine's namespaces with kind as the provider."""

    engine: Engine
    state: Path
    node_image: str

    def environment(self) -> dict[str, str]:
        """Return the settings of all commands."""
        return self.engine.environment(
            {
                "PROVIDER": "kind",
                "GENPOOL_DEV_KIND_IMAGE": self.node_image,
                "GENPOOL_DEV_STATE": str(self.state),
                "GENPOOL_DEV_NETNS": _LOCK_NAME,
                "HYPOTHESIS_STORAGE_DIRECTORY": str(cache_home() / "hypothesis"),
            }
        )

    def run(self, what: str, *arguments: str) -> int:
        """Run Python with arguments and say how it went; returns its exit code."""
        begun = time.monotonic()
        command = self.engine.enter([sys.executable, *arguments], CHECKOUT)
        code = subprocess.run(command, env=self.environment(), check=False).returncode
        said = "ok" if code == 0 else f"FAILED (code {code})"
        print(f"test-kind: {what}: {said} in {time.monotonic() - begun:.0f} s", flush=True)
        return code


def main() -> int:
    """Run everything; 0, or the last exit code that was not."""
    steps = Steps()
    golang.build("kind", steps)
    with engine.running(steps) as running:
        publicimages.ensure(running, steps)
        image = nodeimage.ensure(running, steps)
        checkout = Checkout(running, running.programs.parent / "state", image)
        pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
        runs: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("the cluster", (*pytest, "tests/kind")),
            ("demo", ("-m", "genpool_dev", "demo")),
            ("e2e tests", (*pytest, "tests/e2e")),
            ("cluster-down", ("-m", "genpool_dev", "cluster-down")),
        )
        code = 0
        for what, arguments in runs:
            code = checkout.run(what, *arguments) or code
    print(
        f"test-kind: {'ok' if code == 0 else 'FAILED'} in {steps.elapsed:.0f} s; nothing is left", flush=True
    )
    return code
