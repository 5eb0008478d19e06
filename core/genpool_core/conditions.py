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
SCALING_ACTIVE = "ScalingActive"


@dataclass(frozen=True)
class Finding:
    """What a condition should say now."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


def merge(
    old: Sequence[Condition], findings: Iterable[Finding], *, generation: int, now: datetime
) -> list[Condition]:
    """The conditions for these findings; ``lastTransitionTime`` is kept where the status is the same."""
    before = {condition.type: condition for condition in old}
    return [
        Condition(
            type=finding.type,
            status=finding.status,
            reason=finding.reason,
            message=finding.message,
            last_transition_time=(
                before[finding.type].last_transition_time
                if finding.type in before and before[finding.type].status == finding.status
                else now
            ),
            observed_generation=generation,
        )
        for finding in findings
    ]
