"""Which pool a queue belongs to: the oldest that names it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from genpool_core import names
from genpool_core.api.pool import GenerationPool

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class QueueOwner:
    """An older pool that has the queue, and the queue."""

    pool: str
    queue: str


def older_owner(pool: GenerationPool, others: Iterable[GenerationPool]) -> QueueOwner | None:
    """The oldest other pool with a queue of the same name on the same vhost, when it is older than this one."""
    mine = _queues(pool)
    older = [
        (age(other), other, min(mine & _queues(other)))
        for other in others
        if other.metadata.uid != pool.metadata.uid
        and other.spec.broker == pool.spec.broker
        and mine & _queues(other)
        and age(other) < age(pool)
    ]
    if not older:
        return None
    _, first, queue = min(older, key=lambda item: item[0])
    return QueueOwner(f"{first.metadata.namespace}/{first.metadata.name}", queue)


def _queues(pool: GenerationPool) -> set[str]:
    return {pool.spec.queue.name, names.dead_queue(pool.spec.queue.name)}


def age(pool: GenerationPool) -> tuple[datetime, str]:
    """What the older of two pools has the smaller of."""
    return pool.metadata.creation_timestamp or _NEVER, pool.metadata.uid
