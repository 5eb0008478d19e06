"""Kubernetes Events of a pool: one for each change that a person may want to see, none for a repetition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genpool_core import conditions
from genpool_core.api.status import Condition
from genpool_core.conditions import Finding
from genpool_operator.decide.ownership import PREVIOUS_POOL

SCALED_OUT = "ScaledOut"
SCALED_IN = "ScaledIn"
ACCEPTED = "Accepted"
BROKER_LOST = "BrokerLost"
BROKER_REGAINED = "BrokerRegained"
TOPOLOGY_READY = "TopologyReady"
TOPOLOGY_FAULTY = "TopologyFaulty"
WORKERS_FAILING = "WorkersFailing"
WORKERS_RECOVERED = "WorkersRecovered"
WORKFLOWS_UNAVAILABLE = "WorkflowsUnavailable"
WORKFLOWS_AVAILABLE = "WorkflowsAvailable"
INTAKE_FAULTY = "IntakeFaulty"
INTAKE_READY = "IntakeReady"
POD_REPLACED = "PodReplaced"

#: Not worth a Warning: the pool is on its way.
_PASSING = frozenset({"Starting", "Provisioning", PREVIOUS_POOL})
#: Conditions whose message may change while their cause stays: it names a pod that has the trouble, or the way to the
#: broker that failed first and, while it comes back, the one that still fails.
_ONE_TROUBLE = frozenset({conditions.WORKERS_READY, conditions.WORKFLOWS_READY, conditions.BROKER_REACHABLE})


@dataclass(frozen=True)
class PoolEvent:
    """One Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def events_of(old: Sequence[Condition], findings: Iterable[Finding]) -> list[PoolEvent]:
    """Events for conditions that changed. The stored status is the memory, so a restart repeats nothing."""
    before = {condition.type: condition for condition in old}
    found = (_event(finding, before) for finding in findings)
    return [event for event in found if event is not None]


def scale_event(was: int, now: int, why: str) -> PoolEvent:
    """The Event for a change of the number of replicas."""
    reason = SCALED_OUT if now > was else SCALED_IN
    return PoolEvent("Normal", reason, f"From {was} to {now} pods: {why}")


def _event(finding: Finding, before: Mapping[str, Condition]) -> PoolEvent | None:
    old = before.get(finding.type)
    same_words = finding.type in _ONE_TROUBLE or (old is not None and old.message == finding.message)
    unchanged = old is not None and (old.status, old.reason) == (finding.status, finding.reason)
    if finding.status == "False":
        if finding.reason in _PASSING or (unchanged and same_words):
            return None
        return _warning(finding)
    if finding.status == "True" and (old is None or old.status != "True"):
        return _good_news(finding, old)
    return None


def _warning(finding: Finding) -> PoolEvent | None:
    reason = {
        conditions.ACCEPTED: finding.reason,
        conditions.BROKER_REACHABLE: BROKER_LOST,
        conditions.TOPOLOGY_READY: TOPOLOGY_FAULTY,
        conditions.WORKERS_READY: WORKERS_FAILING,
        conditions.WORKFLOWS_READY: WORKFLOWS_UNAVAILABLE,
        conditions.INTAKE_READY: INTAKE_FAULTY,
    }.get(finding.type)
    return None if reason is None else PoolEvent("Warning", reason, finding.message)


#: Reason of the Event for a condition that is True again after it was False.
_REGAINED = {
    conditions.BROKER_REACHABLE: BROKER_REGAINED,
    conditions.WORKERS_READY: WORKERS_RECOVERED,
    conditions.WORKFLOWS_READY: WORKFLOWS_AVAILABLE,
    conditions.INTAKE_READY: INTAKE_READY,
}


def _good_news(finding: Finding, old: Condition | None) -> PoolEvent | None:
    failed = old is not None and old.status == "False" and old.reason not in _PASSING
    reason = _REGAINED.get(finding.type) if failed else None
    if finding.type in {conditions.ACCEPTED, conditions.TOPOLOGY_READY}:
        reason = ACCEPTED if finding.type == conditions.ACCEPTED else TOPOLOGY_READY
    return None if reason is None else PoolEvent("Normal", reason, finding.message)
