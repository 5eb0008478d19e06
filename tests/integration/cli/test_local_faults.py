"""What dies on one machine costs no task and doubles none: ends are counted in the folder, runs at the stand-in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from integration.broker import until
from integration.cli.machine import Machine

BEFORE, AFTER = 3, 2
#: Of a task whose worker was killed: its lease must pass.
SECONDS = 180


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("machine")
    made = Machine(
        root,
        {"type": "Folder", "folder": {"path": str(root / "results")}},
        comfyui_options="--standin-step-seconds 0.1",
        probe={"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 3},
    )
    made.write_pool()
    made.up()
    yield made
    made.clean()


def _worker(machine: Machine) -> None:
    machine.kill("worker")


def _comfyui_hangs(machine: Machine) -> None:
    requests.post(f"{machine.comfyui}/standin/command", json={"command": "hang"}, timeout=10)


def _rabbitmq(machine: Machine) -> None:
    machine.kill("rabbitmq")


def _gateway(machine: Machine) -> None:
    machine.kill("gateway")


def _supervisor(machine: Machine) -> None:
    machine.kill_supervisor()
    machine.up()


@pytest.mark.parametrize(
    ("fault", "runs"),
    [
        # The run that was cut off may have been finished by ComfyUI all the same.
        pytest.param(_worker, 2, id="worker-killed"),
        pytest.param(_comfyui_hangs, 2, id="comfyui-hangs"),
        pytest.param(_rabbitmq, 1, id="rabbitmq-restarted"),
        pytest.param(_gateway, 1, id="gateway-killed"),
        pytest.param(_supervisor, 2, id="supervisor-killed"),
    ],
)
def test_nothing_is_lost_or_doubled(
    machine: Machine, fault: Callable[[Machine], None], runs: int, request: pytest.FixtureRequest
) -> None:
    """``runs``: the most that ComfyUI may have finished of the task that was under way; of any other it is one."""
    sender = _Sender(machine, request.node.callspec.id)
    for _ in range(BEFORE):
        sender.send()
    under_way = until(lambda: sender.ids("running"), "a task runs", 60)
    fault(machine)
    for _ in range(AFTER):
        sender.send()
    until(lambda: len(sender.ids("succeeded")) == BEFORE + AFTER, "all succeed", SECONDS)
    assert sender.ends() == Counter(dict.fromkeys(sender.sent, 1))
    finished = sender.finished()
    assert set(finished) == set(sender.sent)
    assert {key: count for key, count in finished.items() if count > (runs if key in under_way else 1)} == {}


class _Sender:
    """A program that sends until it is answered, each task under a key of its own; tasks are known by their prompts."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.sent: dict[str, str] = {}
        self._machine = machine
        self._name = name
        self._url = f"http://127.0.0.1:{machine.port}/v1/tasks"
        self._headers = {"Authorization": f"Bearer {machine.environment['GENPOOL_API_KEY']}"}

    def send(self) -> None:
        prompt = f"{self._name} {len(self.sent)}"
        self.sent[prompt] = until(lambda: self._asked(prompt), "the gateway takes a task", 120)

    def ids(self, status: str) -> list[str]:
        """Prompts of the tasks with that status, as far as the gateway answers."""
        return [prompt for prompt, task in self.sent.items() if self._get(task).get("status") == status]

    def ends(self) -> Counter[str]:
        """End records in the folder of results, by prompt."""
        prompts = {task: prompt for prompt, task in self.sent.items()}
        records = (self._machine.root / "results" / "tasks").glob("*/runs/*/end.json")
        keys = [path.parents[2].name for path in records]
        return Counter(prompts[each] for each in keys if each in prompts)

    def finished(self) -> Counter[str]:
        """Pictures that ComfyUI wrote, by prompt."""
        pictures = (self._machine.root / "comfyui" / "output").rglob("*.png")
        return Counter(prompt for path in pictures if (prompt := _prompt_of(path)) in self.sent)

    def _asked(self, prompt: str) -> str:
        body = {"pool": "art/text", "parameters": {"prompt": prompt, "width": 64, "height": 64}}
        headers = self._headers | {"Idempotency-Key": prompt.replace(" ", "-")}
        try:
            answer = requests.post(self._url, json=body, headers=headers, timeout=10)
        except requests.RequestException:
            return ""
        assert answer.ok or answer.status_code >= 500, answer.text
        return str(answer.json()["id"]) if answer.ok else ""

    def _get(self, task: str) -> dict[str, Any]:
        try:
            answer = requests.get(f"{self._url}/{task}", headers=self._headers, timeout=10)
        except requests.RequestException:
            return {}
        found: dict[str, Any] = answer.json() if answer.ok else {}
        return found


def _prompt_of(path: Path) -> str:
    with Image.open(path) as picture:
        graph = json.loads(picture.info["prompt"])
    texts = [node["inputs"].get("text", "") for node in graph.values()]
    return next((text for text in texts if text), "")
