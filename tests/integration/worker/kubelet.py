"""What the kubelet does with ComfyUI's container: run its liveness script, and restart it when that fails."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from genpool_core import timing
from genpool_core.api.pods import ProbeSpec
from genpool_operator.decide.manifests.liveness import liveness_probe, liveness_script
from integration.worker.rig import Process

PROBE = ProbeSpec()


def liveness(port: int, mark: Path, probe: ProbeSpec = PROBE) -> subprocess.CompletedProcess[str]:
    """One run of the script that the operator gives to ComfyUI's container."""
    script = liveness_script(probe, f"http://127.0.0.1:{port}", str(mark))
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


@dataclass
class Kubelet:
    """Probes one ComfyUI as its manifest says, and starts it again with ``restart`` when the probe fails."""

    comfyui: Process
    mark: Path
    restart: Callable[[], Process]
    said: list[str] = field(default_factory=list)
    """What each failed probe printed."""

    def __post_init__(self) -> None:
        manifest = liveness_probe(PROBE, "")
        assert manifest["failureThreshold"] == 1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.wait(timing.LIVENESS_PERIOD_SECONDS):
            done = liveness(self.comfyui.port, self.mark)
            if done.returncode == 0:
                continue
            self.said.append(done.stderr.strip())
            self.comfyui.signal(signal.SIGKILL)
            self.comfyui.wait()
            self.comfyui = self.restart()
