"""What pods have shown of a pool: that its spec works, or what is wrong, also when they are gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from genpool_core.api.status import Condition
from genpool_operator.decide.failed_pods import ANOTHER_STARTS
from genpool_operator.decide.pod_health import OTHERS_READY, PodHealth

NOT_PROVEN = "NotProven"
#: Behind what pods that are gone have shown.
PAST = " No pod has shown since that this is mended."
#: Reasons of WorkersReady that no pod has reported.
_NOT_REPORTED = frozenset({"Starting", "Unschedulable", "PodsRefused"})


@dataclass(frozen=True)
class Proof:
    """``proven``: fingerprint of the newest Deployment of which a pod was ready.

    ``trouble``: what kept the pods of the Deployment ``of`` from taking any task, until one takes tasks.
    """

    proven: str = ""
    trouble: PodHealth | None = None
    of: str = ""


def recall(workers: Condition | None, fingerprint: str) -> Proof:
    """What an operator before this one knew, from the condition WorkersReady about this Deployment."""
    if workers is None:
        return Proof()
    if workers.status == "True":
        return Proof("" if workers.reason == NOT_PROVEN else fingerprint)
    if (
        workers.status == "Unknown"
        or workers.reason in _NOT_REPORTED
        or workers.message.endswith((OTHERS_READY, ANOTHER_STARTS))
    ):
        return Proof()
    message = workers.message.removesuffix(PAST)
    return Proof("", PodHealth("failing", workers.reason, message, blocking=True, reported=True), fingerprint)


def learn(before: Proof, fingerprint: str, health: PodHealth, *, was_ready: bool, works: bool) -> Proof:
    """What is known after a look at the pods.

    ``was_ready``: a pod of this very Deployment is ready; ``works``: a pod takes tasks.
    """
    proven = fingerprint if was_ready else before.proven
    if health.blocking and health.reported:
        return Proof(proven, health, fingerprint)
    kept = before.trouble if not works and before.of == fingerprint else None
    return Proof(proven, kept, fingerprint if kept is not None else "")


def with_past(health: PodHealth, proof: Proof, fingerprint: str) -> PodHealth:
    """The health, with what pods before have shown where those of now show nothing."""
    if health.blocking:
        return health
    if proof.trouble is not None:
        return replace(proof.trouble, message=proof.trouble.message + PAST)
    if health.health == "none" and proof.proven != fingerprint:
        message = (
            "No pod is wanted now. No pod of the current spec was ever ready, so it is not proven to work."
        )
        return replace(health, reason=NOT_PROVEN, message=message)
    return health
