"""The number of pods, from what is known of the queue. Unknown holds; fewer pods need evidence over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from genpool_core import timing
from genpool_operator.decide.plural import plural
from genpool_operator.decide.reading import LIST_LAG

if TYPE_CHECKING:
    from genpool_core.api.scaling import ScalingSpec
    from genpool_operator.decide.reading import QueueReading


FOLLOWS_QUEUE = "FollowsQueue"
AT_MINIMUM = "AtMinimum"
AT_MAXIMUM = "AtMaximum"
KEEPS_BUSY = "KeepsBusyPods"
IDLE_WAIT = "WaitsUntilIdle"
DEPTH_UNKNOWN = "DepthUnknown"
PINNED = "Pinned"
HOLD = "Hold"
NO_DEPLOYMENT = "NoDeployment"


@dataclass(frozen=True)
class ScalingMemory:
    """What the scaler remembers between two decisions.

    ``known_since``: since when the depth is known without a gap. ``recommendations`` (a word of Kubernetes' HPA):
    time and pods that were enough, oldest first, each smaller than the one before, so that the first one inside a
    window is its largest.
    """

    known_since: datetime | None = None
    recommendations: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True)
class Scaling:
    """A decision: pods that should be (None: leave it), why, and what to remember."""

    desired: int | None
    reason: str
    message: str
    memory: ScalingMemory
    idle_seconds: int


def decide_replicas(
    spec: ScalingSpec,
    reading: QueueReading,
    busy: int,
    current: int | None,
    memory: ScalingMemory,
    now: datetime,
) -> Scaling:
    """How many pods a pool should have; ``busy`` pods work on a task, ``current`` is what the Deployment asks for."""
    idle = timing.IDLE_SECONDS if spec.idle_seconds is None else spec.idle_seconds
    if current is None:
        return Scaling(None, NO_DEPLOYMENT, "There is no Deployment yet.", ScalingMemory(), idle)
    if spec.mode == "Pinned":
        pinned = current if spec.replicas is None else spec.replicas
        return Scaling(
            pinned, PINNED, f"Pinned to {_pods(pinned)} by scaling.replicas.", ScalingMemory(), idle
        )
    if spec.mode == "Hold":
        return Scaling(current, HOLD, f"Mode Hold keeps {_pods(current)}.", ScalingMemory(), idle)
    if reading.at_least is None:
        message = f"The depth of the queue is unknown: {_kept(current)} until it can be read."
        return Scaling(current, DEPTH_UNKNOWN, message, ScalingMemory(), idle)
    return _automatic(spec, reading, busy, current, memory, now)


def _automatic(
    spec: ScalingSpec,
    reading: QueueReading,
    busy: int,
    current: int,
    memory: ScalingMemory,
    now: datetime,
) -> Scaling:
    idle = timing.IDLE_SECONDS if spec.idle_seconds is None else spec.idle_seconds
    at_least = reading.at_least or 0
    recommendation, reason, clause = _bounded(spec, at_least, busy)
    need = f"{_need(spec, reading)}{_cancelled(reading)}"
    sentence = f"{need}{clause}"
    memory = _remember(memory, _upper_recommendation(spec, reading, busy), idle, reading.evidence_at or now)
    if recommendation >= current:
        return Scaling(recommendation, reason, f"{sentence}.", memory, idle)
    if memory.known_since is None:
        unsure = f"{sentence}; {_kept(current)} until the broker's figures agree."
        return Scaling(current, DEPTH_UNKNOWN, unsure, memory, idle)
    window = timedelta(seconds=idle)
    # While a worker is silent only the broker's list tells of its task, and the list lags.
    if not reading.workers_known:
        window = max(window, LIST_LAG)
    enough = _enough(memory, memory.known_since, window, reading.evidence_at or now)
    if enough is None or enough >= current:
        # That some of them work is not what keeps the others.
        waits = f"{need if reason == KEEPS_BUSY else sentence}; {_kept(current)} until fewer were enough for {idle} s."
        return Scaling(current, IDLE_WAIT, waits, memory, idle)
    if enough > recommendation:
        needed = plural(enough, "pod was needed", "pods were needed")
        recent = f"{sentence}; {needed} within the last {idle} s."
        return Scaling(enough, IDLE_WAIT, recent, memory, idle)
    return Scaling(enough, reason, f"{sentence}.", memory, idle)


def _upper_recommendation(spec: ScalingSpec, reading: QueueReading, busy: int) -> int | None:
    """Pods that are enough for certain; None when that is not known."""
    return None if reading.at_most is None else _bounded(spec, reading.at_most, busy)[0]


def _bounded(spec: ScalingSpec, tasks: int, busy: int) -> tuple[int, str, str]:
    """Pods for so many tasks within the bounds, never fewer than are busy; the reason, and a clause about it."""
    need = math.ceil(tasks / spec.target.tasks_per_replica.value)
    inside = min(max(need, spec.min_replicas), spec.max_replicas)
    if busy > inside:
        return busy, KEEPS_BUSY, f"; {_kept(busy)} because they work"
    if inside < need:
        return inside, AT_MAXIMUM, f"; capped at maxReplicas {spec.max_replicas}"
    if inside > need:
        return inside, AT_MINIMUM, f"; minReplicas keeps {spec.min_replicas}"
    return inside, FOLLOWS_QUEUE, ""


def _enough(memory: ScalingMemory, known_since: datetime, window: timedelta, at: datetime) -> int | None:
    """The largest recommendation in the window before ``at``; None while the depth is not known for so long."""
    start = at - window
    if known_since > start:
        return None
    return max((pods for time, pods in memory.recommendations if time >= start), default=None)


def _remember(memory: ScalingMemory, recommendation: int | None, idle: int, at: datetime) -> ScalingMemory:
    """Add a recommendation to those of the last seconds that count; without one the evidence begins anew.

    ``at`` is when the figures were read, not now: old figures are no evidence for the time since.
    """
    if recommendation is None:
        return ScalingMemory()
    start = at - max(timedelta(seconds=idle), LIST_LAG)
    inside = [
        (time, pods) for time, pods in memory.recommendations if time >= start and pods > recommendation
    ]
    return ScalingMemory(memory.known_since or at, (*inside, (at, recommendation)))


def _need(spec: ScalingSpec, reading: QueueReading) -> str:
    """``3 tasks waiting and 1 running need 4 pods at 1 task per pod``."""
    tasks = reading.at_least or 0
    value = spec.target.tasks_per_replica.value
    need = math.ceil(tasks / value)
    if tasks == 0:
        return "No task is waiting or running"
    waiting, running = reading.waiting or 0, reading.running or 0
    if waiting + running != tasks:
        subject = f"{_tasks(tasks)} in the queue"
    elif waiting and running:
        subject = f"{_tasks(waiting)} waiting and {running} running"
    else:
        subject = f"{_tasks(tasks)} {'waiting' if waiting else 'running'}"
    verb = "needs" if tasks == 1 else "need"
    return f"{subject} {verb} {_pods(need)} at {_tasks(value)} per pod"


def _cancelled(reading: QueueReading) -> str:
    if not reading.cancelled:
        return ""
    return f"; {plural(reading.cancelled, 'cancelled task is', 'cancelled tasks are')} not counted"


def _pods(number: int) -> str:
    return plural(number, "pod", "pods")


def _kept(number: int) -> str:
    return plural(number, "pod is kept", "pods are kept")


def _tasks(number: int) -> str:
    return plural(number, "task", "tasks")
