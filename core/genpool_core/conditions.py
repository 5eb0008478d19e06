"""Conditions of a pool: their types, and how new findings replace the old conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from genpool_core.api.status import Condition

ConditionStatus = Literal["True", "False", "Unknown"]

READY = "Ready"
ACCEPTED = "Accepted"
BROKER_REACHABLE = "BrokerReachable"
TOPOLOGY_READY = "TopologyReady"
WORKERS_READY = "WorkersReady"
WORKFLOWS_READY = "WorkflowsReady"
SCALING_ACTIVE = "ScalingActive"
STORAGE_ISOLATED = "StorageIsolated"
INTAKE_READY = "IntakeReady"
LINK_LIFETIME_KEPT = "LinkLifetimeKept"

#: The schema's bound for a condition's message: what others say (Kubernetes of a Deployment) may be longer.
MESSAGE_MAX = 32_768


@dataclass(frozen=True)
class Finding:
    """What a condition should say now."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


def find(told: Sequence[Condition], kind: str) -> Condition | None:
    """The condition of a type; None where there is none."""
    return next((item for item in told if item.type == kind), None)


def merge(
    old: Sequence[Condition],
    findings: Iterable[Finding],
    *,
    generation: int,
    in_force: int | None,
    now: datetime,
) -> list[Condition]:
    """The conditions for these findings; ``lastTransitionTime`` is kept where the status is the same.

    ``generation``: of the spec that was looked at. ``in_force``: the one that was applied, or refused, last. What is
    True is so of the one in force, so that nobody who waits for it (``kubectl wait``) is told of another one.
    """
    before = {condition.type: condition for condition in old}
    return [
        Condition(
            type=finding.type,
            status=finding.status,
            reason=finding.reason,
            message=finding.message[:MESSAGE_MAX],
            last_transition_time=(
                before[finding.type].last_transition_time
                if finding.type in before and before[finding.type].status == finding.status
                else now
            ),
            observed_generation=in_force if finding.status == "True" else generation,
        )
        for finding in findings
    ]
