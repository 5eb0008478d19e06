"""``plan_pool``: what to do about one pool, from what one pass observed. Pure; the plan after it is empty."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from genpool_core import conditions, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.conditions import Finding, find
from genpool_core.errors import InvalidManifest
from genpool_operator.decide.broker_health import broker_finding
from genpool_operator.decide.deletion_cost import deletion_costs
from genpool_operator.decide.events import events_of
from genpool_operator.decide.image_digests import image_digests
from genpool_operator.decide.intake import Intake, decide_intake, unknown_intake
from genpool_operator.decide.objects import DeploymentView
from genpool_operator.decide.ownership import PREVIOUS_POOL
from genpool_operator.decide.pod_identity import identity_findings
from genpool_operator.decide.replacement import Replacement, decide_replacement, last_replaced
from genpool_operator.decide.status import (
    REFUSED,
    Verdict,
    build_status,
    ready_finding,
    scaling_finding,
    workers_finding,
    worth_writing,
)
from genpool_operator.reconcile.assess import Assessment, assess, own_deployment
from genpool_operator.reconcile.observed import Memory, Observed
from genpool_operator.reconcile.plan import Plan, Scale
from genpool_operator.reconcile.plan_objects import ObjectPlan, plan_objects

_NOT_YET = "The pool has not been reconciled yet."


def plan_pool(pool: GenerationPool, observed: Observed, now: datetime) -> Plan:
    """Decide everything about a pool."""
    observed = _with_recalled(pool, observed, now)
    objects = _objects(pool, observed, now)
    assessment = assess(pool, observed, now)
    intake = _intake(pool, observed, objects)
    findings = _findings(pool, observed, objects, assessment, now)
    if intake.finding is not None:
        findings.append(intake.finding)
    in_force = _in_force(pool, observed, objects)
    verdict = Verdict(tuple(findings), in_force, intake.in_force)
    status = build_status(pool, verdict, assessment.reading, assessment.decision, assessment.replicas, now)
    write = worth_writing(pool.status, status, observed.memory.status_written_at, now)
    events = events_of(pool.status.conditions, findings) if write else []
    return Plan(
        memory=replace(
            observed.memory,
            scaling=assessment.decision.memory,
            accepted=objects.accepted,
            topology=objects.topology,
            intake=intake,
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
        image_digests=image_digests(observed.pods),
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


def _intake(pool: GenerationPool, observed: Observed, objects: ObjectPlan) -> Intake:
    """What a full pass finds about the pool's intake; else what the last one found."""
    if observed.objects is None:
        return observed.memory.intake or unknown_intake(pool, _NOT_YET)
    return decide_intake(
        pool, observed.intake_fault, objects.accepted, objects.topology, gateway=observed.gateway
    )


def _still_refused(pool: GenerationPool, objects: ObjectPlan) -> ObjectPlan:
    """What Kubernetes refused of this very spec stays so until it was applied: a retry may find Kubernetes away."""
    told = find(pool.status.conditions, conditions.ACCEPTED)
    if (
        told is None
        or not objects.changes
        or (told.status, told.reason) != ("False", REFUSED)
        or told.observed_generation != pool.metadata.generation
    ):
        return objects
    return replace(objects, accepted=Finding(conditions.ACCEPTED, "False", told.reason, told.message))


def _findings(
    pool: GenerationPool, observed: Observed, objects: ObjectPlan, assessment: Assessment, now: datetime
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


def _scaling_finding(memory: Memory, assessment: Assessment) -> Finding:
    """A number that Kubernetes refused is told until another one is wanted, or it was written."""
    decision = assessment.decision
    if memory.scale_refused is not None and decision.desired != assessment.replicas.wanted:
        return memory.scale_refused
    return scaling_finding(decision)


def _scale(
    deployment: DeploymentView | None, observed: Observed, assessment: Assessment, now: datetime
) -> Scale | None:
    desired = assessment.decision.desired
    if deployment is None or not deployment.applied or desired is None or desired == deployment.wanted:
        return None
    costs: dict[str, int] = {}
    if 0 < desired < deployment.wanted and observed.answers is not None:
        costs = deletion_costs(observed.pods, observed.answers.workers, now)
    return Scale(deployment.name, deployment.wanted, desired, assessment.decision.message, costs)
