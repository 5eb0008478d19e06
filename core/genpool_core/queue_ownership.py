"""Which pool a queue belongs to: the oldest whose work queue it is, unless pools have it for their intake already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from genpool_core import names
from genpool_core.api.pool import GenerationPool

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class QueueOwner:
    """Another pool that has the queue, and the queue. ``intake``: it has it as its intake."""

    pool: str
    queue: str
    intake: bool = False


def queue_owner(pool: GenerationPool, pools: Iterable[GenerationPool]) -> QueueOwner | None:
    """Another pool that has this one's queue, or its dead-letter queue, on the same vhost.

    That is an older one with a queue of the same name; or one that has it as its intake, as its status says: whichever
    of a work queue and an intake was there first stays.
    """
    mine = with_dead(pool.spec.queue.name)
    found: list[tuple[tuple[datetime, str], QueueOwner]] = []
    for other in pools:
        if other.metadata.uid == pool.metadata.uid or other.spec.broker != pool.spec.broker:
            continue
        intake = mine & with_dead(intake_in_force(other))
        work = mine & with_dead(other.spec.queue.name) if age(other) < age(pool) else set()
        if intake or work:
            owner = QueueOwner(full_name(other), min(work or intake), intake=not work)
            found.append((age(other), owner))
    return min(found, key=lambda item: item[0])[1] if found else None


def intake_in_force(pool: GenerationPool) -> str | None:
    """The intake that a pool has, by its status; what its spec has named since does not count yet."""
    intake = pool.spec.queue.intake
    return intake if intake == pool.status.queue.intake else None


def with_dead(queue: str | None) -> set[str]:
    """A queue and its dead-letter queue."""
    return set() if queue is None else {queue, names.dead_queue(queue)}


def full_name(pool: GenerationPool) -> str:
    """A pool as sentences name it."""
    return f"{pool.metadata.namespace}/{pool.metadata.name}"


def age(pool: GenerationPool) -> tuple[datetime, str]:
    """What the older of two pools has the smaller of."""
    return pool.metadata.creation_timestamp or _NEVER, pool.metadata.uid
