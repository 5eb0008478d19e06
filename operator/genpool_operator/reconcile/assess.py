"""What queue, workers and pods of a pool show, and what follows for the number of pods. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genpool_core import conditions, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.conditions import Finding, find
from genpool_operator.decide.backlog import without_cancelled
from genpool_operator.decide.objects import DeploymentView
from genpool_operator.decide.ownership import ownership
from genpool_operator.decide.pod_health import (
    PodHealth,
    assess_pods,
    ready_and_silent,
    shows_health,
    with_silence,
)
from genpool_operator.decide.proof import Proof, learn, recall, with_past
from genpool_operator.decide.reading import QueueReading, read_queue
from genpool_operator.decide.scaling import Scaling, decide_replicas
from genpool_operator.decide.status import Replicas
from genpool_operator.decide.workers import WorkerCounts, count_workers
from genpool_operator.decide.workflow_health import (
    NO_POD_SAID,
    WorkflowProof,
    assess_workflows,
    recall_workflows,
)
from genpool_operator.reconcile.observed import Observed


@dataclass(frozen=True)
class Assessment:
    """What was read and decided about queue, workers and pods."""

    counts: WorkerCounts
    reading: QueueReading
    health: PodHealth
    proof: Proof | None
    workflows: Finding
    workflow_proof: WorkflowProof | None
    silent_since: datetime | None
    decision: Scaling
    replicas: Replicas


def assess(pool: GenerationPool, observed: Observed, now: datetime) -> Assessment:
    """What a pass observed of a pool, read and judged; ``observed`` holds what earlier passes remember."""
    deployment, answers = own_deployment(pool, observed), observed.answers
    if answers is None:
        counts, reading = WorkerCounts(), QueueReading()
    else:
        counts = count_workers(observed.pods, answers.workers, now)
        reading = read_queue(answers.listed, answers.dead, answers.counted, counts, now)
    wanted = deployment.wanted if deployment is not None and deployment.applied else None
    decision = decide_replicas(
        pool.spec.scaling,
        reading if answers is None else without_cancelled(reading, answers.backlog, now),
        _busy(counts, reading, wanted),
        wanted,
        observed.memory.scaling,
        now,
    )
    silent_since = _silent_since(observed, now)
    health, proof = _pods(pool, observed, deployment, wanted or 0, now)
    replicas = Replicas(
        wanted=wanted,
        existing=0 if deployment is None else deployment.existing,
        ready=0 if deployment is None else deployment.ready,
        busy=counts.busy,
        proven=deployment is None or (proof is not None and proof.proven == deployment.fingerprint),
        scaled_at=observed.memory.scaled_at,
        replaced_at=observed.memory.replaced_at,
    )
    health = with_silence(health, silent_since, now)
    workflows, told = _workflows(pool, observed, deployment, now)
    return Assessment(counts, reading, health, proof, workflows, told, silent_since, decision, replicas)


def own_deployment(pool: GenerationPool, observed: Observed) -> DeploymentView | None:
    """The pool's Deployment; one of the same name with another owner does not count."""
    found = observed.deployment
    return found if found is not None and ownership(found.owner, pool.metadata) == "ours" else None


def _silent_since(observed: Observed, now: datetime) -> datetime | None:
    """While the broker does not answer the operator either, silence says nothing."""
    answers = observed.answers
    if answers is None or not answers.health.amqp.fine:
        return None
    silent = ready_and_silent(observed.pods, answers.workers, now)
    return (observed.memory.silent_since or now) if silent else None


def _pods(
    pool: GenerationPool, observed: Observed, deployment: DeploymentView | None, wanted: int, now: datetime
) -> tuple[PodHealth, Proof | None]:
    """What pods show now, with what those before have shown where these show nothing; and what to remember."""
    workers = {} if observed.answers is None else observed.answers.workers
    start = pool.spec.comfyui.probe.startup_seconds + timing.START_MARGIN_SECONDS
    refused = None if deployment is None else deployment.refused
    health = assess_pods(observed.pods, wanted, refused, now, workers, start)
    before = observed.memory.proof
    if deployment is None:
        return health, before
    if before is None:
        before = recall(find(pool.status.conditions, conditions.WORKERS_READY), deployment.fingerprint)
    works = shows_health(observed.pods, workers, now)
    proof = learn(before, deployment.fingerprint, health, was_ready=deployment.proven, works=works)
    return with_past(health, proof, deployment.fingerprint), proof


def _workflows(
    pool: GenerationPool, observed: Observed, deployment: DeploymentView | None, now: datetime
) -> tuple[Finding, WorkflowProof | None]:
    """What pods say, or said, of what their ComfyUI lacks; and what to remember."""
    workers = {} if observed.answers is None else observed.answers.workers
    before = observed.memory.workflows
    if deployment is None:
        return NO_POD_SAID, before
    if observed.memory.proof is None:
        told = find(pool.status.conditions, conditions.WORKFLOWS_READY)
        before = recall_workflows(told, deployment.fingerprint)
    return assess_workflows(
        observed.pods,
        workers,
        now,
        before,
        fingerprint=deployment.fingerprint,
        served=len(pool.spec.workflows) + pool.spec.security.allow_graphs,
    )


def _busy(counts: WorkerCounts, reading: QueueReading, wanted: int | None) -> int:
    """Pods that hold a task. Where workers are silent, as many as the broker has deliveries unacknowledged."""
    if counts.unknown == 0:
        return counts.busy
    return max(counts.busy, min(reading.held, wanted or 0))
