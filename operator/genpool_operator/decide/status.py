"""The status of a pool: conditions from findings, figures, and whether it is worth a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import conditions, names, timing
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.status import Condition, GenerationPoolStatus, QueueStatus, ScalingStatus
from genpool_core.conditions import Finding, merge
from genpool_operator.decide import scaling
from genpool_operator.decide.plural import plural
from genpool_operator.decide.pod_health import PodHealth
from genpool_operator.decide.proof import NOT_PROVEN
from genpool_operator.decide.reading import QueueReading
from genpool_operator.decide.scaling import Scaling
from genpool_operator.decide.workflow_health import is_blocking

_MESSAGE_MAX = 1024
_BUT = " Tasks of some workflows wait: the condition WorkflowsReady says which and why."
#: Reason of a pool whose objects, or their scale, Kubernetes refuses.
REFUSED = "KubernetesRefused"


@dataclass(frozen=True)
class Replicas:
    """Pods of a pool: what the Deployment asks for, what exists, is ready, works; when the number was last written."""

    wanted: int | None
    existing: int = 0
    ready: int = 0
    busy: int = 0
    proven: bool = True
    """Whether a pod of the current spec was ever ready."""
    scaled_at: datetime | None = None
    replaced_at: datetime | None = None
    """When a wedged pod was last replaced."""


@dataclass(frozen=True)
class Verdict:
    """Findings about a spec, and the newest generation that was applied, or refused for good."""

    findings: tuple[Finding, ...]
    in_force: int | None
    intake: str | None = None
    """The intake that is in force."""


def workers_finding(health: PodHealth) -> Finding:
    """The condition WorkersReady."""
    status: conditions.ConditionStatus = "True" if health.health in {"none", "ready"} else "False"
    if health.health == "silent":
        status = "Unknown"
    return Finding(conditions.WORKERS_READY, status, health.reason, health.message)


def scaling_finding(decision: Scaling) -> Finding:
    """The condition ScalingActive."""
    if decision.reason == scaling.DEPTH_UNKNOWN:
        status: conditions.ConditionStatus = "Unknown"
    else:
        status = "False" if decision.reason in {scaling.HOLD, scaling.NO_DEPLOYMENT} else "True"
    return Finding(conditions.SCALING_ACTIVE, status, decision.reason, decision.message)


def ready_finding(
    findings: Sequence[Finding], health: PodHealth, decision: Scaling, replicas: Replicas
) -> Finding:
    """The condition Ready: a task that is published now will be done, also when no pod runs."""
    by_type = {finding.type: finding for finding in findings}
    for needed in (conditions.ACCEPTED, conditions.BROKER_REACHABLE, conditions.TOPOLOGY_READY):
        finding = by_type[needed]
        if finding.status != "True":
            return Finding(conditions.READY, finding.status, finding.reason, finding.message)
    if replicas.wanted is None:
        return Finding(conditions.READY, "False", decision.reason, decision.message)
    blocked = _blocked(by_type, health, replicas)
    if blocked is not None:
        return blocked
    if decision.desired == 0 and decision.reason in {scaling.PINNED, scaling.HOLD}:
        message = f"{decision.message} No task is done: set scaling.mode to Auto, or more pods."
        return Finding(conditions.READY, "False", decision.reason, message)
    ready = plural(replicas.ready, "pod is ready", "pods are ready")
    how = "a pod is started for it" if replicas.wanted == 0 else ready
    workflows = by_type.get(conditions.WORKFLOWS_READY)
    but = _BUT if workflows is not None and workflows.status == "False" else ""
    if replicas.proven:
        message = f"A task that is published now will be done: {how}.{but}"
        return Finding(conditions.READY, "True", "Ready", message)
    message = (
        f"A task that is published now should be done: {how}. This is not proven: no pod of the current spec was ever "
        f"ready.{but}"
    )
    return Finding(conditions.READY, "True", NOT_PROVEN, message)


def _blocked(by_type: Mapping[str, Finding], health: PodHealth, replicas: Replicas) -> Finding | None:
    """That no pod takes tasks, and none that could be made would, or that all wait for what ComfyUI lacks."""
    scales, workflows = by_type.get(conditions.SCALING_ACTIVE), by_type.get(conditions.WORKFLOWS_READY)
    if scales is not None and scales.reason == REFUSED and replicas.ready == 0:
        return Finding(conditions.READY, "False", scales.reason, scales.message)
    if health.blocking:
        return Finding(conditions.READY, "False", health.reason, health.message)
    if workflows is not None and is_blocking(workflows):
        return Finding(conditions.READY, "False", workflows.reason, workflows.message)
    if health.health == "silent":
        return Finding(conditions.READY, "Unknown", health.reason, health.message)
    return None


def build_status(
    pool: GenerationPool,
    verdict: Verdict,
    reading: QueueReading,
    decision: Scaling,
    replicas: Replicas,
    now: datetime,
) -> GenerationPoolStatus:
    """The whole status."""
    old, generation = pool.status, pool.metadata.generation
    second = now.replace(microsecond=0)
    seen = reading.observed_at
    return GenerationPoolStatus(
        observed_generation=verdict.in_force,
        conditions=merge(
            old.conditions, verdict.findings, generation=generation, in_force=verdict.in_force, now=second
        ),
        replicas=replicas.existing,
        ready_replicas=replicas.ready,
        busy_replicas=replicas.busy,
        last_replacement_time=None
        if replicas.replaced_at is None
        else replicas.replaced_at.replace(microsecond=0),
        selector=names.selector_text(pool.metadata.name),
        queue=QueueStatus(
            waiting=reading.waiting,
            running=reading.running,
            dead_lettered=reading.dead,
            observed_at=old.queue.observed_at if seen is None else seen.replace(microsecond=0),
            intake=verdict.intake,
        ),
        scaling=ScalingStatus(
            desired=decision.desired,
            reason=decision.reason,
            message=decision.message[:_MESSAGE_MAX],
            last_scale_time=(
                replicas.scaled_at.replace(microsecond=0)
                if replicas.scaled_at is not None
                else old.scaling.last_scale_time
            ),
            idle_seconds=decision.idle_seconds,
        ),
    )


def refused_status(
    meta: ObjectMeta, old: Sequence[Condition], finding: Finding, now: datetime
) -> GenerationPoolStatus:
    """The status of an object that cannot be read as a pool at all."""
    ready = Finding(conditions.READY, "False", finding.reason, finding.message)
    return GenerationPoolStatus(
        observed_generation=meta.generation,
        conditions=merge(
            old,
            (ready, finding),
            generation=meta.generation,
            in_force=meta.generation,
            now=now.replace(microsecond=0),
        ),
    )


def worth_writing(
    old: GenerationPoolStatus, new: GenerationPoolStatus, written_at: datetime | None, now: datetime
) -> bool:
    """Whether to write ``new``: what matters at once, whether there is work soon, figures and sentences each 15 s."""
    if old == new:
        return False
    if _essence(old) != _essence(new) or written_at is None:
        return True
    return now - written_at >= _every(old, new)


def _every(old: GenerationPoolStatus, new: GenerationPoolStatus) -> timedelta:
    if _has_work(old) != _has_work(new):
        return timedelta(seconds=timing.WORK_STATUS_SECONDS)
    unchanged = _without_time(old) == _without_time(new)
    return timedelta(seconds=timing.FRESH_STATUS_SECONDS if unchanged else timing.FIGURES_STATUS_SECONDS)


def _has_work(status: GenerationPoolStatus) -> tuple[bool | None, ...]:
    counts = (status.queue.waiting, status.queue.running, status.busy_replicas)
    return tuple(None if count is None else count > 0 for count in counts)


def _essence(status: GenerationPoolStatus) -> object:
    return (
        status.observed_generation,
        [(item.type, item.status, item.reason, item.observed_generation) for item in status.conditions],
        status.replicas,
        status.ready_replicas,
        status.last_replacement_time,
        status.selector,
        status.queue.intake,
        (status.scaling.desired, status.scaling.last_scale_time, status.scaling.idle_seconds),
    )


def _without_time(status: GenerationPoolStatus) -> GenerationPoolStatus:
    return status.model_copy(update={"queue": status.queue.model_copy(update={"observed_at": None})})
