"""The photo producer as people have it: one constant task id for every photo."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager

import pytest

from e2e.lab import Lab
from e2e.results import succeeded
from e2e.scenes import Scene
from genpool_core.messages.events import TaskEnded
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.install import ROOT
from support.waiting import wait_until

PRODUCER = ROOT / "tests" / "data" / "producers" / "photo_producer.py"
WORKFLOWS = ("DDColor人物黑白修复.json", "DDColor建筑黑白修复.json")


@pytest.mark.together
def test_the_same_id_with_two_photos_is_two_tasks(lab: Lab) -> None:
    with _photo_pool(lab) as scene:
        photos = [f"{lab.photos.url}/people/{number}.jpg" for number in (1, 2)]
        for photo in photos:
            _produce(lab, photo, callback="two-photos")
        first, second = (_wait_run(scene, photo) for photo in photos)
        assert first.task_key != second.task_key
        ends = [succeeded(scene, run, size) for run, size in ((first, (240, 320)), (second, (300, 300)))]
        assert [end.task_id for end in ends] == ["task_12345", "task_12345"]
        contents = {lab.bucket.read(end.outputs[0].key) for end in ends}
        assert len(contents) == 2
        heard = wait_until(
            lambda: lab.receivers[0].deliveries("two-photos"),
            lambda heard: len({delivery.webhook_id for delivery in heard}) >= 2,
            "photos: a callback for each of the two tasks",
            seconds=60,
        )
        assert len({delivery.webhook_id for delivery in heard}) == 2
        assert all(delivery.verified for delivery in heard)


@pytest.mark.together
def test_the_same_id_with_the_same_photo_is_one_task(lab: Lab) -> None:
    with _photo_pool(lab) as scene:
        photo = f"{lab.photos.url}/buildings/7.png"
        for _ in range(2):
            _produce(lab, photo, "--workflow", WORKFLOWS[1], "--size=960", callback="same-photo")
        run = _wait_run(scene, photo)
        told = wait_until(
            lambda: lab.events.of(TaskEnded, lambda event: event.task_key == run.task_key),
            lambda events: len(events) >= 2,
            "photos: the end of the task to be told again for the second message",
            seconds=60,
        )
        assert len({event.id for event in told}) == 1
        (again,) = _runs(scene, photo)
        assert again == run
        assert [claim.attempt for claim in run.claims] == [1]
        succeeded(scene, run, (360, 240))
        heard = wait_until(
            lambda: lab.receivers[0].deliveries("same-photo"), bool, "photos: a callback", seconds=60
        )
        assert len({delivery.webhook_id for delivery in heard}) == 1


def _photo_pool(lab: Lab) -> AbstractContextManager[Scene]:
    return lab.shared(
        "photos",
        queue={"name": "photo_repair_tasks"},
        workflows=[{"name": name, "source": {"builtin": name}, "timeoutSeconds": 120} for name in WORKFLOWS],
    )


def _produce(lab: Lab, photo: str, *options: str, callback: str) -> None:
    """Run the producer in a process of its own, as a person would."""
    login = lab.producer
    settings = {
        "RABBITMQ_HOST": login.host,
        "RABBITMQ_PORT": str(login.port),
        "RABBITMQ_VHOST": login.vhost,
        "RABBITMQ_USER": login.username,
        "RABBITMQ_PASSWORD": login.password,
    }
    hook = f"--callback-url={lab.receivers[0].url(callback)}"
    command = [sys.executable, str(PRODUCER), photo, hook, *options]
    subprocess.run(command, env={**os.environ, **settings}, check=True, timeout=60, capture_output=True)


def _runs(scene: Scene, photo: str) -> list[RunRecord]:
    """Runs of the tasks with this photo that have an end."""
    return [
        run for run in scene.runs() if run.end is not None and run.end.parameters.get("image_url") == photo
    ]


def _wait_run(scene: Scene, photo: str) -> RunRecord:
    found = wait_until(
        lambda: _runs(scene, photo), bool, f"photos: the end of {photo}", seconds=150, pause=0.5
    )
    assert len(found) == 1
    return found[0]
