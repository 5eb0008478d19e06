"""RabbitMQ goes and comes back: what was in it is done, once."""

from __future__ import annotations

import pytest

from e2e.lab import Lab
from e2e.manifests import VHOST, task
from e2e.results import succeeded
from genpool_dev.cluster.model import NAMESPACE
from support.waiting import wait_until

SERVER = "rabbitmq-0"


@pytest.mark.alone
def test_a_restart_of_rabbitmq_with_tasks_waiting_loses_nothing(lab: Lab) -> None:
    with lab.scene("restart") as scene:
        scene.apply()
        waiting = [f"waiting-{number}" for number in range(8)]
        scene.send(task("running", "slow=15"), *map(task, waiting))
        at_work = scene.wait_progress("running")
        wait_until(
            lambda: lab.broker.queue(scene.queue, VHOST),
            lambda queue: queue is not None and queue.messages_ready == len(waiting),
            "restart: all other tasks to wait",
            seconds=30,
        )
        before = lab.kubectl.get("pod", SERVER, f"--namespace={NAMESPACE}")["metadata"]["uid"]
        lab.kubectl.run("delete", "pod", SERVER, f"--namespace={NAMESPACE}", "--timeout=60s", timeout=70)
        lab.kubectl.wait([f"pod/{SERVER}", f"--namespace={NAMESPACE}"], "condition=Ready", seconds=90)
        assert lab.kubectl.get("pod", SERVER, f"--namespace={NAMESPACE}")["metadata"]["uid"] != before

        runs = scene.wait_ends("running", *waiting)
        ends = {task_id: succeeded(scene, run) for task_id, run in runs.items()}
        assert (ends["running"].attempt, ends["running"].worker) == (1, at_work.worker)
        scene.wait_queue_empty()
        assert len(scene.runs()) == 1 + len(waiting)
        assert lab.producer.take_all(f"{scene.queue}.dead") == []
