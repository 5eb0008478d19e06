"""Who may have a queue, and the users of a pool's workers on its broker."""

from __future__ import annotations

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.operatorkeys import Installation
from genpool_core.queue_ownership import QueueOwner
from genpool_core.topology.plan import BrokerUser
from genpool_core.topology.rights import worker_permissions


def queue_taken(owner: QueueOwner) -> str:
    """Why a pool may not have its queue, and what to do."""
    if owner.intake:
        return (
            f"Queue {owner.queue} is the intake of pool {owner.pool}, or the intake's dead-letter queue: "
            "give this pool another queue."
        )
    return (
        f"Queue {owner.queue} belongs to the older pool {owner.pool}: "
        "give this pool another queue, or delete the older pool."
    )


def worker_users(pool: GenerationPool, installation: Installation) -> tuple[BrokerUser, ...]:
    """The users of a pool's workers: one for each key, so that a login that pods have had lately still works."""
    uid, rights = pool.metadata.uid, worker_permissions(pool.spec.queue.name, pool.metadata.uid)
    return tuple(
        BrokerUser(names.worker_user(uid, key.id), key.worker_password(uid), rights, installation.tag)
        for key in installation.keys
    )
