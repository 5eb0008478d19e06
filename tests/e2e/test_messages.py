"""Messages that other clients send, among good tasks: nobody waits for them."""

from __future__ import annotations

import pytest

from e2e.lab import Lab
from e2e.manifests import task
from e2e.results import succeeded
from support import amqp_wire as wire

GOOD = 20


@pytest.mark.together(seconds=50)
def test_a_timestamp_in_milliseconds_among_good_tasks(lab: Lab) -> None:
    """What Node, Java and Go clients send; pika raises on it."""
    with lab.scene("odd", scaling={"minReplicas": 1}) as scene:
        scene.apply()
        names = [f"good-{number}" for number in range(GOOD)]
        odd = wire.RawProperties(wire.properties((b"sent-at", wire.timestamp(1_795_000_000_000))))
        scene.send(task(names[0]))
        lab.producer.send_as(scene.queue, odd, task("odd"))
        scene.send(*(task(name) for name in names[1:]))
        for run in scene.wait_ends("odd", *names).values():
            assert succeeded(scene, run).attempt == 1
        (pod,) = scene.pods()
        statuses = pod["status"]["containerStatuses"]
        assert [status["restartCount"] for status in statuses] == [0] * len(statuses)
