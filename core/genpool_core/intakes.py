"""Which pool behind an intake serves a workflow, and which pool may not be behind it. Operator and gateway ask here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genpool_core.api.pool import GenerationPool
from genpool_core.queue_ownership import age, full_name, intake_in_force, queue_owner, with_dead

INTAKE_TAKEN = "IntakeTaken"
SERVED_TWICE = "WorkflowServedTwice"
TWO_FALLBACKS = "TwoFallbacks"


@dataclass(frozen=True)
class IntakeFault:
    """Why tasks do not come to a pool by its intake, or not all of them."""

    reason: str
    message: str


@dataclass(frozen=True)
class Routes:
    """The pools behind one intake: by name or alias of a workflow, and the one for tasks that name none."""

    by_name: Mapping[str, GenerationPool]
    fallback: GenerationPool | None


def routes(members: Sequence[GenerationPool]) -> Routes:
    """Who gets what; ``members``: the pools behind one intake. Where two would, the older one does."""
    by_name: dict[str, GenerationPool] = {}
    fallback: GenerationPool | None = None
    for pool in sorted(members, key=age):
        for name in _names(pool):
            by_name.setdefault(name, pool)
        fallback = fallback or (pool if _has_fallback(pool) else None)
    return Routes(by_name, fallback)


def members(pool: GenerationPool, pools: Iterable[GenerationPool]) -> list[GenerationPool]:
    """The pools behind this pool's intake, itself among them; none whose work queue is another's."""
    every = list(pools)
    return [
        other
        for other in every
        if other.spec.queue.intake is not None
        and other.spec.queue.intake == pool.spec.queue.intake
        and other.spec.broker == pool.spec.broker
        and queue_owner(other, every) is None
    ]


def intake_fault(pool: GenerationPool, pools: Iterable[GenerationPool]) -> IntakeFault | None:
    """What is wrong with a pool's intake; None where nothing is, or it has none."""
    every = list(pools)
    behind = members(pool, every)
    if pool.spec.queue.intake is None or not any(item.metadata.uid == pool.metadata.uid for item in behind):
        return None
    return _taken(pool, pool.spec.queue.intake, behind, every) or _served_twice(pool, routes(behind))


def wanted_intake(pool: GenerationPool, fault: IntakeFault | None) -> str | None:
    """The intake that is to be in force: none where it is taken by a pool that is not behind it."""
    return None if fault is not None and fault.reason == INTAKE_TAKEN else pool.spec.queue.intake


def _taken(
    pool: GenerationPool, intake: str, behind: Sequence[GenerationPool], pools: Iterable[GenerationPool]
) -> IntakeFault | None:
    """Whether it is another's work queue or dead-letter queue, or gets mixed up with another intake's."""
    established = any(intake_in_force(item) == intake for item in behind)
    first = min(age(item) for item in behind)
    for other in sorted(pools, key=age):
        theirs = other.spec.queue.intake
        if other.spec.broker != pool.spec.broker:
            continue
        work = with_dead(intake) & with_dead(other.spec.queue.name) and not established
        mixed = theirs != intake and with_dead(intake) & with_dead(theirs) and age(other) < first
        if work or mixed:
            what = "work queue or dead-letter queue" if work else "intake or its dead-letter queue"
            return IntakeFault(
                INTAKE_TAKEN,
                f"Intake {intake} is the {what} of pool {full_name(other)}: name another queue in queue.intake.",
            )
    return None


def _served_twice(pool: GenerationPool, found: Routes) -> IntakeFault | None:
    taken = [name for name in _names(pool) if found.by_name[name].metadata.uid != pool.metadata.uid]
    if taken:
        older = full_name(found.by_name[taken[0]])
        more = "" if len(taken) == 1 else f" (and {len(taken) - 1} more)"
        return IntakeFault(
            SERVED_TWICE,
            f"Workflow {taken[0]}{more} of pool {full_name(pool)} is served by the older pool {older} behind the same "
            f"intake {pool.spec.queue.intake}, which gets its tasks: rename it or take it out in one of the two.",
        )
    if (
        _has_fallback(pool)
        and found.fallback is not None
        and found.fallback.metadata.uid != pool.metadata.uid
    ):
        return IntakeFault(
            TWO_FALLBACKS,
            f"Pools {full_name(found.fallback)} and {full_name(pool)} both have a fallback behind intake "
            f"{pool.spec.queue.intake}. Tasks that name no workflow go to the older one, {full_name(found.fallback)}: "
            "take fallback out in one of the two.",
        )
    return None


def _names(pool: GenerationPool) -> list[str]:
    return [name for workflow in pool.spec.workflows for name in (workflow.name, *workflow.aliases)]


def _has_fallback(pool: GenerationPool) -> bool:
    """Behind an intake only a fallback that is set counts, also in a pool with one workflow."""
    return any(workflow.fallback for workflow in pool.spec.workflows)
