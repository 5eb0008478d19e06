"""New credentials reach a worker that runs, by the files of its Secrets: no restart, no lost and no doubled task.

RabbitMQ and the object store are real. The store has one key, so its rotation is played from the other side: the files
hold a wrong key for a while, as they do between a change at the store and the kubelet's renewal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration.broker import until
from integration.worker.rig import PASSWORD, Process, Rig
from integration.worker.test_disturbances import assert_one_end, task, wait_running

NEW = "another-password-日落"
WRONG = "not-the-secret-key"


def waits_for(worker: Process, part: str) -> Callable[[], list[dict[str, Any]]]:
    def found() -> list[dict[str, Any]]:
        lines = (
            worker.events("worker_waits") + worker.events("task_held") + worker.events("amqp_disconnected")
        )
        return [line for line in lines if part in line["message"]]

    return found


@pytest.mark.parametrize("running", [True, False], ids=["with-a-task", "idle"])
def test_a_new_broker_password(rig: Rig, *, running: bool) -> None:
    """The password changes, the connections break, and the file follows some time later."""
    comfyui, worker = rig.comfyui(), rig.worker()
    if running:
        rig.send(task(4))
        wait_running(comfyui)
    rig.vhost.add_user(rig.user, NEW)
    for connection in ("worker-0 consume", "worker-0 publish"):
        rig.vhost.cut(connection)
    until(waits_for(worker, f"refused user {rig.user}"), "the broker refuses the old password")
    rig.rotate(password=NEW)
    if not running:
        rig.send(task(0))
    assert_one_end(rig, attempt=1)
    assert worker.popen.poll() is None
    for secret in (PASSWORD, NEW):
        assert secret not in worker.text()


def test_new_keys_of_the_store_while_a_task_runs(rig: Rig) -> None:
    comfyui, worker = rig.comfyui(), rig.worker()
    rig.send(task(3))
    wait_running(comfyui)
    rig.rotate(secret_key=WRONG)
    until(waits_for(worker, "correct the Secret"), "the task is held")
    assert not rig.ends()
    rig.rotate()
    assert_one_end(rig, attempt=1)
    assert worker.popen.poll() is None
    for secret in (WRONG, rig.bucket.secret_key):
        assert secret not in worker.text()


def test_a_secret_that_is_corrected_makes_a_waiting_worker_ready(rig: Rig) -> None:
    rig.rotate(secret_key=WRONG)
    rig.comfyui()
    worker = rig.worker(wait=False)
    until(waits_for(worker, "correct the Secret in storage.s3.credentials"), "it waits for the keys")
    rig.send(task(0))
    rig.rotate()
    until(lambda: worker.get("/readyz").status_code == 200, "it is ready")
    assert_one_end(rig, attempt=1)


def test_secrets_that_come_late(rig: Rig) -> None:
    """Kubernetes starts the pod although its Secrets are missing: the worker says which, and goes on when they come."""
    rig.secrets.mkdir()
    rig.comfyui()
    worker = rig.worker(wait=False)
    until(waits_for(worker, "AWS_ACCESS_KEY_ID cannot be read"), "it misses the keys")
    until(waits_for(worker, "username cannot be read"), "it misses the user")
    rig.send(task(0))
    rig.rotate()
    until(lambda: worker.get("/readyz").status_code == 200, "it is ready")
    assert_one_end(rig, attempt=1)
