"""``plan_pool``: what to do about one pool, from what one pass observed. Pure; the plan after it is empty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from genpool_core import conditions, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.status import Condition
from genpool_core.brokers import BrokerConfig
from genpool_core.conditions import Finding
from genpool_core.errors import InvalidManifest
from genpool_operator.decide.broker_health import broker_finding
from genpool_operator.decide.deletion_cost import deletion_costs
from genpool_operator.decide.events import events_of
from genpool_operator.decide.objects import DeploymentView
from genpool_operator.decide.ownership import PREVIOUS_POOL, ownership
from genpool_operator.decide.pod_health import (
    PodHealth,
    assess_pods,
    ready_and_silent,
    shows_health,
    with_silence,
)
from genpool_operator.decide.pod_identity import identity_findings
from genpool_operator.decide.proof import Proof, learn, recall, with_past
from genpool_operator.decide.reading import QueueReading, read_queue
from genpool_operator.decide.replacement import Replacement, decide_replacement, last_replaced
from genpool_operator.decide.scaling import Scaling, decide_replicas
from genpool_operator.decide.status import (
    REFUSED,
    Replicas,
    Verdict,
    build_status,
    ready_finding,
    scaling_finding,
    workers_finding,
    worth_writing,
)
from genpool_operator.decide.workers import WorkerCounts, count_workers
from genpool_operator.decide.workflow_health import (
    NO_POD_SAID,
    WorkflowProof,
    assess_workflows,
    recall_workflows,
)
from genpool_operator.reconcile.observed import Memory, Observed
from genpool_operator.reconcile.plan import Plan, Scale
from genpool_operator.reconcile.plan_objects import ObjectPlan, plan_objects

_NOT_YET = "The pool has not been reconciled yet."


def plan_pool(pool: GenerationPool, observed: Observed, now: datetime) -> Plan:
    """Decide everything about a pool."""
    observed = _with_recalled(pool, observed, now)
    objects = _objects(pool, observed, now)
    assessment = _assess(pool, observed, now)
    findings = _findings(pool, observed, objects, assessment, now)
    in_force = _in_force(pool, observed, objects)
    verdict = Verdict(tuple(findings), in_force)
    status = build_status(pool, verdict, assessment.reading, assessment.decision, assessment.replicas, now)
    write = worth_writing(pool.status, status, observed.memory.status_written_at, now)
    events = events_of(pool.status.conditions, findings) if write else []
    return Plan(
        memory=replace(
            observed.memory,
            scaling=assessment.decision.memory,
            accepted=objects.accepted,
            topology=objects.topology,
            in_force=in_force,
            proof=assessment.proof,
            workflows=assessment.workflow_proof,
            silent_since=assessment.silent_since,
        ),
        status=status,
        events=tuple(events),
        steps=objects.steps,
        secrets=objects.secrets,
        applies=objects.applies,
        scale=_scale(own_deployment(pool, observed), observed, assessment, now),
        replacement=_replacement(observed, now),
        write_status=write,
        requeue_after=_requeue_after(objects),
    )


def _in_force(pool: GenerationPool, observed: Observed, objects: ObjectPlan) -> int | None:
    """The newest generation that was applied as a whole, or refused for good. Only a full pass finds a newer one.

    While the broker is away, or Kubernetes does not answer, that stays the one before: it is tried again.
    """
    memory = observed.memory
    known = memory.in_force if memory.in_force is not None else pool.status.observed_generation
    if isinstance(observed.broker, BrokerConfig) and observed.objects is None:
        return known
    refused = objects.accepted.status == "False" and objects.accepted.reason != PREVIOUS_POOL
    applied = (
        objects.accepted.status == "True" and objects.topology.status != "Unknown" and not objects.changes
    )
    return pool.metadata.generation if refused or applied else known


def _with_recalled(pool: GenerationPool, observed: Observed, now: datetime) -> Observed:
    """With what an operator before this one told in the status."""
    memory = observed.memory
    replaced_at = last_replaced(memory.replaced_at, pool.status.last_replacement_time, now)
    return replace(observed, memory=replace(memory, replaced_at=replaced_at))


def _replacement(observed: Observed, now: datetime) -> Replacement | None:
    if observed.answers is None:
        return None
    return decide_replacement(observed.pods, observed.answers.workers, observed.memory.replaced_at, now)


def _requeue_after(objects: ObjectPlan) -> float | None:
    if objects.accepted.reason == PREVIOUS_POOL:
        return timing.PASSING_SECONDS
    settled = objects.accepted.status == "True" and objects.topology.status == "True"
    return None if settled else timing.UNSETTLED_SECONDS


@dataclass(frozen=True)
class _Assessment:
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


def _objects(pool: GenerationPool, observed: Observed, now: datetime) -> ObjectPlan:
    """What a full pass finds about objects and topology; in a quick pass what the last full one found."""
    memory = observed.memory
    if isinstance(observed.broker, InvalidManifest):
        refused = Finding(conditions.ACCEPTED, "False", observed.broker.reason, observed.broker.message)
        unknown = Finding(conditions.TOPOLOGY_READY, "Unknown", refused.reason, refused.message)
        return ObjectPlan(refused, unknown)
    if observed.objects is None or observed.settings is None:
        return ObjectPlan(
            memory.accepted or Finding(conditions.ACCEPTED, "Unknown", "Pending", _NOT_YET),
            memory.topology or Finding(conditions.TOPOLOGY_READY, "Unknown", "Pending", _NOT_YET),
        )
    return _still_refused(pool, plan_objects(pool, observed, observed.objects, observed.settings, now))


def _still_refused(pool: GenerationPool, objects: ObjectPlan) -> ObjectPlan:
    """What Kubernetes refused of this very spec stays so until it was applied: a retry may find Kubernetes away."""
    told = _condition(pool, conditions.ACCEPTED)
    if (
        told is None
        or not objects.changes
        or (told.status, told.reason) != ("False", REFUSED)
        or told.observed_generation != pool.metadata.generation
    ):
        return objects
    return replace(objects, accepted=Finding(conditions.ACCEPTED, "False", told.reason, told.message))


def _assess(pool: GenerationPool, observed: Observed, now: datetime) -> _Assessment:
    deployment, answers = own_deployment(pool, observed), observed.answers
    if answers is None:
        counts, reading = WorkerCounts(), QueueReading()
    else:
        counts = count_workers(observed.pods, answers.workers, now)
        reading = read_queue(answers.listed, answers.dead, answers.counted, counts, now)
    wanted = deployment.wanted if deployment is not None and deployment.applied else None
    decision = decide_replicas(
        pool.spec.scaling, reading, _busy(counts, reading, wanted), wanted, observed.memory.scaling, now
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
    return _Assessment(counts, reading, health, proof, workflows, told, silent_since, decision, replicas)


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
        before = recall(_condition(pool, conditions.WORKERS_READY), deployment.fingerprint)
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
        told = _condition(pool, conditions.WORKFLOWS_READY)
        before = recall_workflows(told, deployment.fingerprint)
    return assess_workflows(
        observed.pods,
        workers,
        now,
        before,
        fingerprint=deployment.fingerprint,
        served=len(pool.spec.workflows) + pool.spec.security.allow_graphs,
    )


def _condition(pool: GenerationPool, kind: str) -> Condition | None:
    return next((item for item in pool.status.conditions if item.type == kind), None)


def _busy(counts: WorkerCounts, reading: QueueReading, wanted: int | None) -> int:
    """Pods that hold a task. Where workers are silent, as many as the broker has deliveries unacknowledged."""
    if counts.unknown == 0:
        return counts.busy
    return max(counts.busy, min(reading.held, wanted or 0))


def _findings(
    pool: GenerationPool, observed: Observed, objects: ObjectPlan, assessment: _Assessment, now: datetime
) -> list[Finding]:
    if isinstance(observed.broker, InvalidManifest) or observed.answers is None:
        message = "The pool has no usable broker."
        broker = Finding(conditions.BROKER_REACHABLE, "Unknown", "NoBroker", message)
    else:
        broker = broker_finding(observed.broker.name, observed.answers.health, now)
    findings = [
        objects.accepted,
        broker,
        objects.topology,
        workers_finding(assessment.health),
        assessment.workflows,
        _scaling_finding(observed.memory, assessment),
        *identity_findings(pool),
    ]
    return [ready_finding(findings, assessment.health, assessment.decision, assessment.replicas), *findings]


def _scaling_finding(memory: Memory, assessment: _Assessment) -> Finding:
    """A number that Kubernetes refused is told until another one is wanted, or it was written."""
    decision = assessment.decision
    if memory.scale_refused is not None and decision.desired != assessment.replicas.wanted:
        return memory.scale_refused
    return scaling_finding(decision)


def own_deployment(pool: GenerationPool, observed: Observed) -> DeploymentView | None:
    """The pool's Deployment; one of the same name with another owner does not count."""
    found = observed.deployment
    return found if found is not None and ownership(found.owner, pool.metadata) == "ours" else None


def _scale(
    deployment: DeploymentView | None, observed: Observed, assessment: _Assessment, now: datetime
) -> Scale | None:
    desired = assessment.decision.desired
    if deployment is None or not deployment.applied or desired is None or desired == deployment.wanted:
        return None
    costs: dict[str, int] = {}
    if 0 < desired < deployment.wanted and observed.answers is not None:
        costs = deletion_costs(observed.pods, observed.answers.workers, now)
    return Scale(deployment.name, deployment.wanted, desired, assessment.decision.message, costs)
