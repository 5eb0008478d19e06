"""What a pool needs on its broker, whoever declares it: the topology of its vhost and its own."""

from __future__ import annotations

from genpool_core.api.pool import GenerationPool
from genpool_core.topology.desired import (
    Topology,
    Version,
    WorkQueueOptions,
    gateway_topology,
    intake_topology,
    pool_topology,
    vhost_topology,
)
from genpool_core.topology.plan import join
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
