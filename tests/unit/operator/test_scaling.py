"""From a reading to a number of pods."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from genpool_core.api.scaling import ScalingSpec
from genpool_operator.decide import scaling
from genpool_operator.decide.reading import QueueReading
from genpool_operator.decide.scaling import Scaling, ScalingMemory, decide_replicas
from unit.operator.pools import NOW, at


def reading(waiting: int | None, running: int = 0, **changes: object) -> QueueReading:
    total = None if waiting is None else waiting + running
    values: dict[str, Any] = {"waiting": waiting, "running": running, "at_least": total, "at_most": total}
    return QueueReading(**{**values, **changes})


def spec(**values: object) -> ScalingSpec:
    return ScalingSpec.model_validate({"maxReplicas": 10, **values})


def decide(
    given: ScalingSpec,
    seen: QueueReading,
    *,
    current: int | None = 0,
    busy: int = 0,
    memory: ScalingMemory | None = None,
    now: datetime = NOW,
) -> Scaling:
    return decide_replicas(given, seen, busy, current, memory or ScalingMemory(), now)


UNKNOWN = reading(None)


@pytest.mark.parametrize(
    ("given", "seen", "current", "busy", "desired", "reason"),
    [
        pytest.param(spec(), reading(0), 0, 0, 0, scaling.FOLLOWS_QUEUE, id="nothing to do"),
        pytest.param(spec(), reading(3, 1), 1, 1, 4, scaling.FOLLOWS_QUEUE, id="out at once"),
        pytest.param(spec(maxReplicas=2), reading(3, 1), 1, 1, 2, scaling.AT_MAXIMUM, id="capped"),
        pytest.param(spec(minReplicas=2), reading(0), 0, 0, 2, scaling.AT_MINIMUM, id="floor"),
        pytest.param(
            spec(target={"tasksPerReplica": {"value": 4}}),
            reading(9),
            0,
            0,
            3,
            scaling.FOLLOWS_QUEUE,
            id="rounded up",
        ),
        pytest.param(
            spec(target={"tasksPerReplica": {"value": 4}}),
            reading(0, 3),
            3,
            3,
            3,
            scaling.KEEPS_BUSY,
            id="never below the busy",
        ),
        pytest.param(
            spec(maxReplicas=1), reading(0, 3), 3, 3, 3, scaling.KEEPS_BUSY, id="nor by a lower maximum"
        ),
        pytest.param(spec(), UNKNOWN, 3, 0, 3, scaling.DEPTH_UNKNOWN, id="unknown holds"),
        pytest.param(
            spec(minReplicas=2), UNKNOWN, 0, 0, 0, scaling.DEPTH_UNKNOWN, id="never known never scales"
        ),
        pytest.param(spec(), reading(0), 3, 0, 3, scaling.IDLE_WAIT, id="in only after a time"),
        pytest.param(
            spec(), reading(1, at_most=None), 3, 0, 3, scaling.DEPTH_UNKNOWN, id="in only with both sources"
        ),
        pytest.param(
            spec(), reading(5, at_most=None), 3, 0, 5, scaling.FOLLOWS_QUEUE, id="out with one source"
        ),
        pytest.param(spec(mode="Pinned", replicas=4), UNKNOWN, 1, 0, 4, scaling.PINNED, id="pinned up"),
        pytest.param(
            spec(mode="Pinned", replicas=0), reading(9), 3, 2, 0, scaling.PINNED, id="pinned to zero"
        ),
        pytest.param(spec(mode="Hold"), reading(9), 3, 0, 3, scaling.HOLD, id="hold"),
        pytest.param(spec(), reading(9), None, 0, None, scaling.NO_DEPLOYMENT, id="no Deployment"),
    ],
)
def test_desired(
    given: ScalingSpec, seen: QueueReading, current: int | None, busy: int, desired: int | None, reason: str
) -> None:
    decision = decide(given, seen, current=current, busy=busy)
    assert (decision.desired, decision.reason) == (desired, reason)


@pytest.mark.parametrize(
    ("given", "seen", "current", "busy", "message"),
    [
        (
            spec(maxReplicas=2),
            reading(3, 1),
            1,
            1,
            "3 tasks waiting and 1 running need 4 pods at 1 task per pod; capped at maxReplicas 2.",
        ),
        (spec(), reading(1), 0, 0, "1 task waiting needs 1 pod at 1 task per pod."),
        (
            spec(),
            reading(0, at_least=5, at_most=5),
            0,
            0,
            "5 tasks in the queue need 5 pods at 1 task per pod.",
        ),
        (spec(minReplicas=1), reading(0), 0, 0, "No task is waiting or running; minReplicas keeps 1."),
        (
            spec(),
            reading(0),
            2,
            0,
            "No task is waiting or running; 2 pods are kept until fewer were enough for 15 s.",
        ),
        (
            spec(target={"type": "TasksPerReplica", "tasksPerReplica": {"value": 4}}),
            reading(0, 2),
            2,
            2,
            "2 tasks running need 1 pod at 4 tasks per pod; 2 pods are kept because they work.",
        ),
        (
            spec(target={"type": "TasksPerReplica", "tasksPerReplica": {"value": 4}}),
            reading(0, 2),
            3,
            2,
            "2 tasks running need 1 pod at 4 tasks per pod; 3 pods are kept until fewer were enough for 15 s.",
        ),
        (spec(), UNKNOWN, 1, 0, "The depth of the queue is unknown: 1 pod is kept until it can be read."),
        (
            spec(),
            QueueReading(waiting=3, running=None, at_least=3),
            0,
            0,
            "3 tasks waiting need 3 pods at 1 task per pod.",
        ),
    ],
)
def test_sentence(given: ScalingSpec, seen: QueueReading, current: int, busy: int, message: str) -> None:
    assert decide(given, seen, current=current, busy=busy).message == message


def run(
    given: ScalingSpec, current: int, steps: list[tuple[float, QueueReading]], busy: int = 0
) -> list[int]:
    """Replicas after each step, the decision of one being the start of the next."""
    memory, seen = ScalingMemory(), []
    for seconds, step in steps:
        decision = decide(given, step, current=current, busy=busy, memory=memory, now=at(seconds))
        memory, current = decision.memory, decision.desired if decision.desired is not None else current
        seen.append(current)
    return seen


def test_scale_in_needs_fifteen_seconds_of_evidence() -> None:
    steps = [(seconds, reading(0)) for seconds in (0, 5, 10, 14.9, 15, 16)]
    assert run(spec(), 4, steps) == [4, 4, 4, 4, 0, 0]


def test_the_pools_own_idle_time_is_in_force_and_shown() -> None:
    steps = [(seconds, reading(0)) for seconds in (0, 59, 60)]
    assert run(spec(idleSeconds=60), 2, steps) == [2, 2, 0]
    assert decide(spec(idleSeconds=60), reading(0)).idle_seconds == 60
    assert decide(spec(), reading(0)).idle_seconds == 15
    assert decide(spec(mode="Hold", idleSeconds=60), reading(0)).idle_seconds == 60
    assert decide(spec(mode="Hold"), reading(0)).idle_seconds == 15


def test_a_scale_in_says_which_evidence_it_follows() -> None:
    memory = decide(spec(), reading(0), current=2).memory
    done = decide(spec(), reading(0), current=2, memory=memory, now=at(15))
    assert (done.desired, done.reason, done.message) == (
        0,
        scaling.FOLLOWS_QUEUE,
        "No task is waiting or running.",
    )
    memory = decide(spec(), reading(1), current=2, memory=memory, now=at(5)).memory
    part = decide(spec(), reading(0), current=2, memory=memory, now=at(15))
    assert (part.desired, part.reason, part.message) == (
        1,
        scaling.IDLE_WAIT,
        "No task is waiting or running; 1 pod was needed within the last 15 s.",
    )


def test_a_short_idle_time_looks_no_further_back() -> None:
    steps = [(0, reading(0)), (1, reading(3)), (2, reading(0)), (4, reading(0))]
    assert run(spec(idleSeconds=2), 5, steps) == [5, 5, 3, 0]


def test_the_reasons_are_those_of_the_reference() -> None:
    """People and their alerts read them in the condition ScalingActive."""
    assert [
        scaling.FOLLOWS_QUEUE,
        scaling.AT_MINIMUM,
        scaling.AT_MAXIMUM,
        scaling.KEEPS_BUSY,
        scaling.IDLE_WAIT,
        scaling.DEPTH_UNKNOWN,
        scaling.PINNED,
        scaling.HOLD,
        scaling.NO_DEPLOYMENT,
    ] == [
        "FollowsQueue",
        "AtMinimum",
        "AtMaximum",
        "KeepsBusyPods",
        "WaitsUntilIdle",
        "DepthUnknown",
        "Pinned",
        "Hold",
        "NoDeployment",
    ]


def test_scale_in_goes_to_the_most_that_was_needed_meanwhile() -> None:
    steps = [
        (0, reading(1)),
        (8, reading(3)),
        (10, reading(0)),
        (15, reading(0)),
        (23, reading(0)),
        (25, reading(0)),
    ]
    assert run(spec(), 5, steps) == [5, 5, 5, 3, 3, 0]


def test_one_unknown_reading_begins_the_evidence_anew() -> None:
    steps = [(0, reading(0)), (14, UNKNOWN), (15, reading(0)), (29, reading(0)), (30, reading(0))]
    assert run(spec(), 2, steps) == [2, 2, 2, 2, 0]


def test_one_source_missing_begins_the_evidence_anew() -> None:
    steps = [
        (0, reading(0)),
        (14, reading(0, at_most=None)),
        (16, reading(0)),
        (30.9, reading(0)),
        (31, reading(0)),
    ]
    assert run(spec(), 2, steps) == [2, 2, 2, 2, 0]


def test_silent_workers_need_more_evidence_than_a_short_idle_time() -> None:
    silent = reading(0, workers_known=False)
    assert run(spec(idleSeconds=1), 2, [(0, silent), (2, silent), (9.9, silent), (10, silent)]) == [
        2,
        2,
        2,
        0,
    ]


def test_a_burst_comes_and_goes() -> None:
    steps = [(0, reading(0)), (1, reading(8)), (2, reading(4, 4)), (20, reading(0, 2)), (36, reading(0))]
    assert run(spec(maxReplicas=6), 0, steps) == [0, 6, 6, 2, 0]


def test_figures_that_grow_old_are_no_evidence_for_the_time_since() -> None:
    """The broker's list was read at second 1 for the last time, just before tasks came and went unseen by it."""
    stale = reading(0, evidence_at=at(1))
    steps = [(0, reading(0)), (1, reading(2)), (2, stale), (5, stale), (14, stale)]
    assert run(spec(idleSeconds=2), 0, steps) == [0, 2, 2, 2, 2]


def test_memory_stays_small() -> None:
    memory = ScalingMemory()
    for seconds in range(5000):
        memory = decide(
            spec(idleSeconds=86_400), reading(seconds % 7), current=9, memory=memory, now=at(seconds)
        ).memory
    assert len(memory.recommendations) <= 7
