"""``genpool local`` as a person runs it: a private RabbitMQ, a gateway, a worker, and ComfyUI's stand-in."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from genpool_cli.errors import ExitCode
from integration.broker import until
from integration.bucket import Bucket


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Machine:
    """One machine with GenPool in a folder."""

    root: Path
    bucket: Bucket
    port: int
    comfyui: int

    @property
    def folder(self) -> Path:
        return self.root / "genpool"

    def types(self, *words: str, expect: ExitCode | None = ExitCode.DONE) -> str:
        environment = {
            "AWS_ACCESS_KEY_ID": self.bucket.access_key,
            "AWS_SECRET_ACCESS_KEY": self.bucket.secret_key,
            "GENPOOL_URL": f"http://127.0.0.1:{self.port}",
        }
        key = self.folder / "secrets" / "gateway" / "admin-api-key"
        if key.exists():
            environment["GENPOOL_API_KEY"] = key.read_text()
        done = subprocess.run(
            [sys.executable, "-m", "genpool_cli", *words],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert expect in {None, done.returncode}, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def local(self, *words: str, expect: ExitCode | None = ExitCode.DONE) -> str:
        return self.types("local", *words, "--folder", str(self.folder), expect=expect)

    def up(self) -> None:
        stand_in = f"{sys.executable} -m genpool_dev.comfyui --listen 127.0.0.1 --port {{port}}"
        self.local(
            *("up", "-f", str(self.root / "pool.yaml"), "--port", str(self.port)),
            *("--comfyui", f"http://127.0.0.1:{self.comfyui}"),
            *("--comfyui-command", f"{stand_in} --base-directory {self.root / 'comfyui'}"),
        )

    def programs(self) -> dict[str, str | None]:
        found: dict[str, str | None] = json.loads(self.local("status", "-o", "json", expect=None))["programs"]
        return found

    def picture(self, prompt: str) -> dict[str, Any]:
        words = ("submit", f"-pprompt={prompt}", "-pwidth=64", "-pheight=64", "--wait", "-o", "json")
        found: dict[str, Any] = json.loads(self.types(*words))
        return found

    def processes(self) -> list[psutil.Process]:
        """All processes that know the folder."""
        return [each for each in psutil.process_iter() if _mentions(each, str(self.folder))]


def _mentions(process: psutil.Process, path: str) -> bool:
    try:
        return any(path in word for word in (*process.cmdline(), *process.environ().values()))
    except psutil.Error:
        return False


@pytest.fixture
def machine(bucket: Bucket, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, bucket, _free_port(), _free_port())
    pool = {
        "apiVersion": "genpool.dev/v1alpha1",
        "kind": "GenerationPool",
        "metadata": {"name": "text", "namespace": "art"},
        "spec": {
            "queue": {"name": "generation_tasks"},
            "workflows": [{"name": "text-to-image", "source": {"builtin": "text-to-image"}}],
            "comfyui": {"image": "comfyui:1"},
            "storage": {
                "s3": {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"local-{made.port}/"}
            },
        },
    }
    (tmp_path / "pool.yaml").write_text(yaml.safe_dump(pool), encoding="utf-8")
    yield made
    for process in made.processes():
        process.kill()
    for log in sorted((made.folder / "logs").glob("*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")  # noqa: T201 - pytest shows it on failure


def test_a_pool_on_one_machine(machine: Machine) -> None:
    machine.up()
    checked = json.loads(
        machine.types(
            *("doctor", "-f", str(machine.root / "pool.yaml"), "-o", "json"),
            *("--comfyui", f"http://127.0.0.1:{machine.comfyui}"),
        )
    )
    assert {each["what"] for each in checked} >= {"gateway", "ComfyUI", "manifest", "pool art/text"}
    first = machine.picture("a lake")
    assert first["status"] == "succeeded"
    assert first["outputs"][0]["url"]
    assert set(machine.programs()) == {"epmd", "rabbitmq", "comfyui", "topology", "gateway", "worker"}

    def figures() -> bool:
        """No operator tells of the pool: the gateway counts itself."""
        pool = json.loads(machine.types("pools", "art/text", "-o", "json"))
        ready = pool["replicas"]["ready"], [pod["state"] for pod in pool["pods"]]
        return pool["queue"]["waiting"] == 0 and ready == (1, ["idle"])

    until(figures, "the queue is counted and the worker is heard", 20)
    assert "idle" in machine.types("pools", "art/text")
    machine.local("up", "-f", str(machine.root / "pool.yaml"), expect=ExitCode.REFUSED)

    # A worker and a ComfyUI that die are there again.
    for name in ("worker", "comfyui"):
        _kill(machine, name)
    assert machine.picture("a lake at dawn")["status"] == "succeeded"

    # Whoever looks after them dies: nothing of theirs stays, and what was done is known the next time.
    os.kill(json.loads((machine.folder / "run.json").read_text())["pid"], signal.SIGKILL)
    until(lambda: not machine.processes(), "all programs end", 60)
    machine.local("status", expect=ExitCode.NOT_SUCCEEDED)
    machine.up()
    assert json.loads(machine.types("get", first["id"], "-o", "json"))["status"] == "succeeded"
    assert machine.picture("a lake at noon")["status"] == "succeeded"

    machine.local("down")
    assert machine.processes() == []
    machine.local("down", "--erase")
    assert not machine.folder.exists()


def test_results_in_a_folder_of_the_machine(machine: Machine) -> None:
    """Nothing but this machine: no bucket, no keys of one, and the folder is made."""
    results = machine.root / "results"
    pool = yaml.safe_load((machine.root / "pool.yaml").read_text())
    pool["spec"]["storage"] = {"type": "Folder", "folder": {"path": str(results)}}
    (machine.root / "pool.yaml").write_text(yaml.safe_dump(pool), encoding="utf-8")
    machine.up()
    words = (
        "submit",
        "-pprompt=a lake",
        "-pwidth=64",
        "-pheight=64",
        "--download",
        str(machine.root / "got"),
    )
    machine.types(*words)
    (downloaded,) = (machine.root / "got").rglob("*.png")
    (kept,) = results.glob("tasks/*/runs/1/a1-*/*.png")
    assert downloaded.read_bytes() == kept.read_bytes()
    machine.local("down", "--erase")
    assert kept.exists(), "results are the person's"


def _kill(machine: Machine, name: str) -> None:
    log = machine.folder / "logs" / "genpool.log"
    started = [
        line["pid"]
        for line in map(json.loads, log.read_text().splitlines())
        if line["event"] == "program_started" and line["program"] == name
    ]
    os.kill(started[-1], signal.SIGKILL)
    until(
        lambda: log.read_text().count(f'"program": "{name}", "pid"') > len(started),
        f"{name} is started again",
        30,
    )
    until(lambda: machine.programs()[name] is None, f"{name} serves", 60)


def test_what_is_wrong_is_said_before_anything_starts(machine: Machine) -> None:
    (machine.root / "wrong.yaml").write_text("kind: GenerationPool\nmetadata: {name: a}\nspec: {}\n")
    machine.local("up", "-f", str(machine.root / "wrong.yaml"), expect=ExitCode.REFUSED)
    machine.local("down", expect=ExitCode.NOT_SUCCEEDED)
    with closing(socket.create_server(("127.0.0.1", machine.port))):
        machine.local(
            "up", "-f", str(machine.root / "pool.yaml"), "--port", str(machine.port), expect=ExitCode.REFUSED
        )
    assert machine.processes() == []
