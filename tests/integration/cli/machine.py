"""One machine with GenPool in a folder, as a person runs it; tests kill its programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from genpool_cli.errors import ExitCode
from integration.broker import until
from support.ports import free_port


@dataclass
class Machine:
    """See the module. ``keys``: of the bucket, where results go to one."""

    root: Path
    storage: dict[str, Any]
    keys: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    comfyui_options: str = ""
    probe: dict[str, int] = field(default_factory=dict)
    workflow: str = "text-to-image"
    intake: str | None = None

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def comfyui(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}"

    @property
    def folder(self) -> Path:
        return self.root / "genpool"

    @property
    def environment(self) -> dict[str, str]:
        key = self.folder / "secrets" / "gateway" / "admin-api-key"
        known = {"GENPOOL_API_KEY": key.read_text()} if key.exists() else {}
        return os.environ | self.keys | known | {"GENPOOL_URL": f"http://127.0.0.1:{self.port}"}

    def types(self, *words: str, expect: ExitCode | None = ExitCode.DONE, seconds: float = 300) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "genpool_cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert expect in {None, done.returncode}, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def local(self, *words: str, expect: ExitCode | None = ExitCode.DONE) -> str:
        return self.types("local", *words, "--folder", str(self.folder), expect=expect)

    def write_pool(self) -> None:
        pool = {
            "apiVersion": "genpool.dev/v1alpha1",
            "kind": "GenerationPool",
            "metadata": {"name": "text", "namespace": "art"},
            "spec": {
                "queue": {"name": "generation_tasks", **({"intake": self.intake} if self.intake else {})},
                "workflows": [{"name": self.workflow, "source": {"builtin": self.workflow}}],
                "comfyui": {"image": "comfyui:1", "probe": self.probe},
                "storage": self.storage,
            },
        }
        (self.root / "pool.yaml").write_text(yaml.safe_dump(pool), encoding="utf-8")

    def up(self) -> None:
        stand_in = f"{sys.executable} -m genpool_dev.comfyui --listen 127.0.0.1 --port {{port}}"
        self.local(
            *("up", "-f", str(self.root / "pool.yaml"), "--port", str(self.port)),
            *("--comfyui", self.comfyui),
            *(
                "--comfyui-command",
                f"{stand_in} --base-directory {self.root / 'comfyui'} {self.comfyui_options}",
            ),
        )

    def programs(self) -> dict[str, str | None]:
        found: dict[str, str | None] = json.loads(self.local("status", "-o", "json", expect=None))["programs"]
        return found

    def picture(self, prompt: str) -> dict[str, Any]:
        words = ("submit", f"-pprompt={prompt}", "-pwidth=64", "-pheight=64", "--wait", "-o", "json")
        found: dict[str, Any] = json.loads(self.types(*words))
        return found

    def publish(self, queue: str, body: str) -> None:
        """As a plain producer does, through the default exchange."""
        credentials = self.folder / "secrets" / "broker"
        user, password = ((credentials / name).read_text() for name in ("username", "password"))
        port = json.loads((self.folder / "data" / "ports.json").read_text())["management"]
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/exchanges/%2F/amq.default/publish",
            json={
                "routing_key": queue,
                "payload": body,
                "payload_encoding": "string",
                "properties": {"delivery_mode": 2},
            },
            auth=(user, password),
            timeout=10,
        )
        assert answer.json() == {"routed": True}

    def processes(self) -> list[psutil.Process]:
        """All processes that know the folder."""
        return [each for each in psutil.process_iter() if _mentions(each, str(self.folder))]

    def starts(self, name: str) -> list[int]:
        """The process ids that a program has had."""
        log = self.folder / "logs" / "genpool.log"
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return [
            line["pid"] for line in lines if line["event"] == "program_started" and line["program"] == name
        ]

    def kill(self, name: str) -> None:
        """Kill a program, with what it started, as the system does where memory is short."""
        started = self.starts(name)
        os.killpg(started[-1], signal.SIGKILL)
        until(lambda: len(self.starts(name)) > len(started), f"{name} is started again", 60)

    def kill_supervisor(self) -> None:
        """Kill who looks after them all: they end too."""
        os.kill(json.loads((self.folder / "run.json").read_text())["pid"], signal.SIGKILL)
        until(lambda: not self.processes(), "all programs end", 120)

    def serves(self, name: str) -> None:
        """Wait until a program serves."""
        until(lambda: self.programs()[name] is None, f"{name} serves", 120)

    def clean(self) -> None:
        """Nothing stays; the logs are shown where the test fails."""
        for process in self.processes():
            process.kill()
        for log in sorted((self.folder / "logs").glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")  # noqa: T201 - shown on failure


def _mentions(process: psutil.Process, path: str) -> bool:
    try:
        return any(path in word for word in (*process.cmdline(), *process.environ().values()))
    except psutil.Error:
        return False
