"""Conditions, and when a status is worth a write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from genpool_core.api.status import GenerationPoolStatus
from genpool_core.conditions import ACCEPTED, BROKER_REACHABLE, TOPOLOGY_READY, Finding
from genpool_operator.decide import scaling
from genpool_operator.decide.pod_health import PodHealth
from genpool_operator.decide.reading import QueueReading
from genpool_operator.decide.scaling import Scaling, ScalingMemory
from genpool_operator.decide.status import (
    Replicas,
    Verdict,
    build_status,
    ready_finding,
    scaling_finding,
    workers_finding,
    worth_writing,
)
from unit.operator.pools import FINE, NOW, PROVISIONED, at, make_pool

LINKED = Finding(BROKER_REACHABLE, "True", "Reachable", "")
NONE = PodHealth("none", "NoneWanted", "No pod is wanted now.")
STARTING = PodHealth("starting", "Starting", "0 of 1 pods are ready.")
CRASHING = PodHealth("failing", "CrashLoopBackOff", "it crashes", blocking=True)
PARTLY = PodHealth("failing", "CrashLoopBackOff", "one crashes")


def decision(desired: int | None = 0, reason: str = scaling.FOLLOWS_QUEUE, message: str = "why") -> Scaling:
    return Scaling(desired, reason, message, ScalingMemory(), 15)


@pytest.mark.parametrize(
    ("findings", "verdict", "made", "replicas", "status", "reason"),
    [
        pytest.param((), NONE, decision(), Replicas(0), "True", "Ready", id="at zero"),
        pytest.param((), STARTING, decision(1), Replicas(1), "True", "Ready", id="starting"),
        pytest.param((), PARTLY, decision(2), Replicas(2, 2, 1), "True", "Ready", id="one of two crashes"),
        pytest.param((), CRASHING, decision(1), Replicas(1), "False", "CrashLoopBackOff", id="crashing"),
        pytest.param(
            (),
            NONE,
            decision(None, scaling.NO_DEPLOYMENT),
            Replicas(None),
            "False",
            "NoDeployment",
            id="none",
        ),
        pytest.param(
            (), NONE, decision(0, scaling.PINNED), Replicas(0), "False", "Pinned", id="pinned to zero"
        ),
        pytest.param((), NONE, decision(0, scaling.HOLD), Replicas(0), "False", "Hold", id="held at zero"),
        pytest.param((), NONE, decision(2, scaling.PINNED), Replicas(2), "True", "Ready", id="pinned to two"),
        pytest.param(
            (), NONE, decision(0, scaling.DEPTH_UNKNOWN), Replicas(0), "True", "Ready", id="not read yet"
        ),
        pytest.param(
            (Finding(ACCEPTED, "False", "InvalidWorkflow", "m"),),
            NONE,
            decision(),
            Replicas(0),
            "False",
            "InvalidWorkflow",
            id="not accepted",
        ),
        pytest.param(
            (Finding(BROKER_REACHABLE, "Unknown", "Connecting", "m"),),
            NONE,
            decision(),
            Replicas(0),
            "Unknown",
            "Connecting",
            id="connecting",
        ),
        pytest.param(
            (Finding(TOPOLOGY_READY, "False", "TopologyConflict", "m"),),
            CRASHING,
            decision(),
            Replicas(1),
            "False",
            "TopologyConflict",
            id="conflict",
        ),
    ],
)
def test_ready_means_that_a_task_will_be_done(
    findings: tuple[Finding, ...],
    verdict: PodHealth,
    made: Scaling,
    replicas: Replicas,
    status: str,
    reason: str,
) -> None:
    by_type = {item.type: item for item in (FINE, LINKED, PROVISIONED, *findings)}
    found = ready_finding(list(by_type.values()), verdict, made, replicas)
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    ("replicas", "how"),
    [
        (Replicas(0), "a pod is started for it."),
        (Replicas(1, 1, 1), "1 pod is ready."),
        (Replicas(2, 2, 0), "0 pods are ready."),
    ],
)
def test_how_a_task_will_be_done(replicas: Replicas, how: str) -> None:
    found = ready_finding([FINE, LINKED, PROVISIONED], NONE, decision(), replicas)
    assert found.message == f"A task that is published now will be done: {how}"


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(NONE, "True"), (STARTING, "False"), (CRASHING, "False"), (PodHealth("ready", "AllReady", ""), "True")],
)
def test_workers_ready(verdict: PodHealth, status: str) -> None:
    assert workers_finding(verdict).status == status


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (scaling.FOLLOWS_QUEUE, "True"),
        (scaling.PINNED, "True"),
        (scaling.DEPTH_UNKNOWN, "Unknown"),
        (scaling.HOLD, "False"),
        (scaling.NO_DEPLOYMENT, "False"),
    ],
)
def test_scaling_active(reason: str, status: str) -> None:
    assert scaling_finding(decision(0, reason)).status == status


def status(**changes: object) -> GenerationPoolStatus:
    base: dict[str, Any] = {
        "observed_generation": 1,
        "replicas": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "message": changes.pop("message", "m"),
                "lastTransitionTime": NOW,
            }
        ],
        "queue": {"waiting": changes.pop("waiting", 1), "observedAt": changes.pop("seen", NOW)},
        "scaling": {"desired": changes.pop("desired", 1), "message": changes.pop("why", "w")},
        **changes,
    }
    return GenerationPoolStatus.model_validate(base)


@pytest.mark.parametrize(
    ("new", "written", "seconds", "worth"),
    [
        pytest.param(status(), NOW, 1000, False, id="the same"),
        pytest.param(status(desired=2), NOW, 0, True, id="another decision: at once"),
        pytest.param(status(replicas=2), NOW, 0, True, id="another number of pods: at once"),
        pytest.param(status(observed_generation=2), NOW, 0, True, id="another spec: at once"),
        pytest.param(status(waiting=5), NOW, 14, False, id="a figure: not yet"),
        pytest.param(status(waiting=5), NOW, 15, True, id="a figure: now"),
        pytest.param(status(waiting=0), NOW, 2, False, id="no task waits any more: not yet"),
        pytest.param(status(waiting=0), NOW, 3, True, id="no task waits any more: now"),
        pytest.param(status(busy_replicas=1), NOW, 3, True, id="a pod is busy now: now"),
        pytest.param(status(why="x", message="y"), NOW, 14, False, id="a sentence: not yet"),
        pytest.param(status(why="x"), NOW, 15, True, id="a sentence: now"),
        pytest.param(status(seen=at(60)), NOW, 60, False, id="the time of the reading: not yet"),
        pytest.param(status(seen=at(300)), NOW, 300, True, id="the time of the reading: now"),
        pytest.param(status(waiting=5), None, 0, True, id="never written by this process"),
    ],
)
def test_worth_writing(
    new: GenerationPoolStatus, written: datetime | None, seconds: float, *, worth: bool
) -> None:
    assert worth_writing(status(), new, written, at(seconds)) is worth


def test_unknown_figures_are_absent_and_the_last_reading_keeps_its_time() -> None:
    pool = make_pool(status={"queue": {"waiting": 3, "observedAt": "2026-03-01T11:00:00Z"}})
    built = build_status(pool, Verdict((FINE,), 3), QueueReading(), decision(), Replicas(0), NOW)
    assert built.queue.waiting is None
    assert built.queue.observed_at == at(-3600)
    assert "waiting" not in built.model_dump(by_alias=True, exclude_none=True)["queue"]


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    old = {
        "type": ACCEPTED,
        "status": "True",
        "reason": "r",
        "message": "m",
        "lastTransitionTime": "2026-03-01T11:00:00Z",
    }
    pool = make_pool(status={"conditions": [old]})
    kept = build_status(pool, Verdict((FINE,), 3), QueueReading(), decision(), Replicas(0), NOW).conditions[0]
    assert kept.last_transition_time == at(-3600)
    assert kept.observed_generation == 3
    lost = Finding(ACCEPTED, "False", "InvalidWorkflow", "m")
    changed = build_status(
        pool, Verdict((lost,), 3), QueueReading(), decision(), Replicas(0), NOW
    ).conditions[0]
    assert changed.last_transition_time == NOW


def test_times_have_whole_seconds_as_all_of_kubernetes() -> None:
    later = NOW.replace(microsecond=7)
    built = build_status(
        make_pool(),
        Verdict((FINE,), 3),
        QueueReading(observed_at=later),
        decision(),
        Replicas(0, scaled_at=later),
        later,
    )
    assert built.conditions[0].last_transition_time == NOW
    assert (built.queue.observed_at, built.scaling.last_scale_time) == (NOW, NOW)
