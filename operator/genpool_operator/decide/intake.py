"""Whether tasks come to a pool by its intake."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.api.pool import GenerationPool
from genpool_core.conditions import INTAKE_READY, Finding
from genpool_core.intakes import IntakeFault, wanted_intake

NO_GATEWAY = "NoGateway"


@dataclass(frozen=True)
class Intake:
    """The condition IntakeReady, None where the pool has no intake; and the intake that is in force."""

    finding: Finding | None = None
    in_force: str | None = None


def decide_intake(
    pool: GenerationPool, fault: IntakeFault | None, accepted: Finding, topology: Finding, *, gateway: bool
) -> Intake:
    """What a full pass finds; ``accepted`` and ``topology`` are what it found before."""
    intake = pool.spec.queue.intake
    if intake is None:
        return Intake()
    if accepted.reason == "QueueTaken":
        return Intake(Finding(INTAKE_READY, "False", accepted.reason, accepted.message))
    in_force = wanted_intake(pool, fault)
    if fault is not None:
        return Intake(Finding(INTAKE_READY, "False", fault.reason, fault.message), in_force)
    if not gateway:
        message = (
            f"There is no gateway that could route the messages in {intake}: they wait there. Set gateway.enabled in "
            f"the chart's values, or publish to queue {pool.spec.queue.name} itself."
        )
        return Intake(Finding(INTAKE_READY, "False", NO_GATEWAY, message), in_force)
    if topology.status != "True":
        return Intake(Finding(INTAKE_READY, topology.status, topology.reason, topology.message), in_force)
    message = f"Tasks in {intake} that name a workflow of this pool come to queue {pool.spec.queue.name}."
    return Intake(Finding(INTAKE_READY, "True", "Routed", message), in_force)


def unknown_intake(pool: GenerationPool, message: str) -> Intake:
    """Before the first full pass: what the status says stays."""
    if pool.spec.queue.intake is None:
        return Intake()
    return Intake(Finding(INTAKE_READY, "Unknown", "Pending", message), pool.status.queue.intake)
