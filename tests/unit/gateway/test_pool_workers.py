"""Pods by their heartbeats: what each does, and which are not shown any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import WorkerHeartbeat, WorkerState
from genpool_gateway.pools.workers import PoolWorkers
from unit.gateway.samples import NOW

POOL = PoolRef(namespace="team", name="photos", uid="uid-1")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def beat(pod: str, state: WorkerState = "idle", *, pool: PoolRef = POOL, **told: object) -> WorkerHeartbeat:
    values = {"id": "1", "pool": pool, "worker": pod, "time": NOW, "state": state, "since": NOW}
    return WorkerHeartbeat.model_validate({**values, **told})


def test_the_newest_heartbeat_of_each_pod_counts() -> None:
    clock = Clock()
    workers = PoolWorkers(clock)
    workers.heard(beat("b"))
    workers.heard(beat("a", "unready", reason="ComfyUIUnavailable", message="x" * 5000))
    clock.pass_by(3)
    workers.heard(beat("b", "busy", task_key="t"))
    workers.heard(beat("c", pool=PoolRef(namespace="team", name="texts", uid="uid-2")))
    first, second = workers.of(POOL.uid)
    assert (first.pod, first.state, first.reason) == ("a", "unready", "ComfyUIUnavailable")
    assert first.message is not None
    assert len(first.message) == 1024
    assert (second.pod, second.state, second.task, second.heard_at) == ("b", "busy", "t", clock.now)
    assert workers.of("uid-3") == []


@pytest.mark.parametrize(
    ("state", "seconds", "silent"),
    [
        ("idle", 30, False),
        ("busy", 31, True),
        ("busy", 600, True),
        ("busy", 601, None),
        ("draining", 30, False),
        ("draining", 31, None),  # It said that it would go.
    ],
)
def test_a_pod_that_fell_silent(state: WorkerState, seconds: float, *, silent: bool | None) -> None:
    clock = Clock()
    workers = PoolWorkers(clock)
    workers.heard(beat("a", state))
    clock.pass_by(seconds)
    assert [worker.is_silent(clock.now) for worker in workers.of(POOL.uid)] == (
        [] if silent is None else [silent]
    )


def test_pods_of_pools_that_nobody_asks_for_are_forgotten_too() -> None:
    clock = Clock()
    workers = PoolWorkers(clock)
    workers.heard(beat("a"))
    clock.pass_by(601)
    workers.forget()
    assert workers._pools == {}


def test_names_of_pods_do_not_fill_the_memory() -> None:
    workers = PoolWorkers(Clock())
    for number in range(2100):
        workers.heard(beat(f"pod-{number}"))
    workers.heard(beat("pod-1", "busy"))
    assert len(workers.of(POOL.uid)) == 2000
    assert workers.of(POOL.uid)[1].state == "busy"
