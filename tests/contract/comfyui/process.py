"""The stand-in as a process of a test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from contract.comfyui.client import ComfyUI, wait_for

_ADDRESS = re.compile(r"Starting server: (http://\S+)")


class Standin(ComfyUI):
    """A stand-in on a free loopback port, with folders of its own."""

    def __init__(self, folder: Path, *flags: str, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"log-{len(list(folder.glob('log-*')))}"
        command = [sys.executable, "-m", "genpool_dev.comfyui", "--port", "0"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--base-directory", str(folder), *flags],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
        super().__init__(wait_for("the stand-in's address", self._address))

    def _address(self) -> str | None:
        assert self.process.poll() is None, self.log.read_text()
        found = _ADDRESS.search(self.log.read_text())
        return found[1] if found else None

    def path_of(self, image: dict[str, str]) -> Path:
        """Return where an output of this stand-in lies."""
        return self.folder / image["type"] / image["subfolder"] / image["filename"]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self, seconds: float = 10) -> int:
        return self.process.wait(seconds)

    def close(self) -> None:
        super().close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
