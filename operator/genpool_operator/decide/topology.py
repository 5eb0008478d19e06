"""What a pool needs on its broker: the topology of its vhost and its own, and the users of its workers."""

from __future__ import annotations

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.operatorkeys import Installation
from genpool_core.queue_ownership import QueueOwner
from genpool_core.topology.desired import (
    Topology,
    Version,
    WorkQueueOptions,
    gateway_topology,
    intake_topology,
    pool_topology,
    vhost_topology,
)
from genpool_core.topology.plan import BrokerUser, join
from genpool_core.topology.rights import worker_permissions
from genpool_core.workerconfig import longest_run_seconds


def wanted_topology(
    pool: GenerationPool, version: Version, *, gateway: bool, intake: str | None = None
) -> Topology:
    """The topology that the pool's vhost and the pool itself need.

    ``gateway``: whether there is one. ``intake``: of the pool, where it has one that it may have.
    """
    queue = pool.spec.queue
    settings = WorkQueueOptions(
        queue=queue.name,
        message_ttl_seconds=queue.message_ttl_seconds,
        dead_retention_seconds=queue.dead_letter.retention_seconds,
        longest_run_seconds=longest_run_seconds(pool),
        janitor=gateway,
    )
    return join(
        vhost_topology(version),
        gateway_topology(version, enabled=gateway),
        pool_topology(settings, version),
        Topology() if intake is None else intake_topology(intake, version),
    )


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
