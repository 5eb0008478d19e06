"""``genpool local`` as a person runs it: a private RabbitMQ, a gateway, a worker, and ComfyUI's stand-in."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from genpool_cli.errors import ExitCode
from integration.broker import until
from integration.bucket import Bucket
from integration.cli.machine import Machine


@pytest.fixture
def machine(bucket: Bucket, tmp_path: Path) -> Iterator[Machine]:
    keys = {"AWS_ACCESS_KEY_ID": bucket.access_key, "AWS_SECRET_ACCESS_KEY": bucket.secret_key}
    where = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"local-{tmp_path.name}/"}
    made = Machine(tmp_path, {"s3": where}, keys)
    made.write_pool()
    yield made
    made.clean()


@pytest.mark.long
def test_a_pool_on_one_machine(machine: Machine) -> None:
    machine.up()
    checked = json.loads(
        machine.types(
            *("doctor", "-f", str(machine.root / "pool.yaml"), "-o", "json"),
            *("--comfyui", machine.comfyui),
        )
    )
    assert {each["what"] for each in checked} >= {"gateway", "ComfyUI", "manifest", "pool art/text"}
    first = machine.picture("a lake")
    assert first["status"] == "succeeded"
    assert first["outputs"][0]["url"]
    assert set(machine.programs()) == {"epmd", "rabbitmq", "comfyui", "topology", "gateway", "worker"}

    def figures() -> bool:
        """No operator tells of the pool: what runs here does."""
        pool = json.loads(machine.types("pools", "art/text", "-o", "json"))
        ready = pool["replicas"]["ready"], [pod["state"] for pod in pool["pods"]]
        return pool["queue"]["waiting"] == 0 and ready == (1, ["idle"])

    until(figures, "the queue is counted and the worker is heard", 20)
    assert "idle" in machine.types("pools", "art/text")
    machine.local("up", "-f", str(machine.root / "pool.yaml"), expect=ExitCode.REFUSED)
    assert machine.local("open").startswith(f"http://127.0.0.1:{machine.port}/#login=")

    # The figures that an operator would tell are there, too.
    until(lambda: _figures(machine) == (True, 1, 0, 0), "the pool is ready, and nothing waits", 30)

    # A worker and a ComfyUI that die are there again.
    for name in ("worker", "comfyui"):
        machine.kill(name)
        machine.serves(name)
    assert machine.picture("a lake at dawn")["status"] == "succeeded"

    # Whoever looks after them dies: nothing of theirs stays, and what was done is known the next time.
    machine.kill_supervisor()
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
    machine.storage = {"type": "Folder", "folder": {"path": str(results)}}
    machine.write_pool()
    assert _doctors_word(machine) == ("warn", f"{results} is not there yet: genpool local up makes it.")
    machine.up()
    assert _doctors_word(machine) == ("ok", f"{results} can be written, and its exclusive create is atomic")
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


def _figures(machine: Machine) -> tuple[bool | None, int, int, int]:
    """Whether it is ready, its ready workers, and what waits and runs."""
    (pool,) = json.loads(machine.types("pools", "-o", "json"))
    return pool["ready"], pool["replicas"]["ready"], pool["queue"]["waiting"], pool["queue"]["running"]


def _doctors_word(machine: Machine) -> tuple[str, str]:
    """State and message of the finding about the folder."""
    said = machine.types("doctor", "-f", str(machine.root / "pool.yaml"), "-o", "json", expect=None)
    (found,) = [each for each in json.loads(said) if each["what"] == "folder"]
    return found["state"], found["message"]


def test_what_is_wrong_is_said_before_anything_starts(machine: Machine) -> None:
    (machine.root / "wrong.yaml").write_text("kind: GenerationPool\nmetadata: {name: a}\nspec: {}\n")
    machine.local("up", "-f", str(machine.root / "wrong.yaml"), expect=ExitCode.REFUSED)
    machine.local("down", expect=ExitCode.NOT_SUCCEEDED)
    with closing(socket.create_server(("127.0.0.1", machine.port))):
        machine.local(
            "up", "-f", str(machine.root / "pool.yaml"), "--port", str(machine.port), expect=ExitCode.REFUSED
        )
    assert machine.processes() == []
