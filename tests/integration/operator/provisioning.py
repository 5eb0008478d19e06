"""A pool's topology on a real RabbitMQ, without an operator around it."""

from __future__ import annotations

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.apply_topology import apply_step
from genpool_adapters.management.read_topology import read_topology
from genpool_core.api.pool import GenerationPool
from genpool_core.topology.of_pool import wanted_topology
from genpool_core.topology.plan import BrokerUser, TopologyPlan, plan_topology

QUEUE = "generation_tasks"
UID = "11111111-2222-3333-4444-555555555555"
PASSWORD = "of-the-workers"


def plan(api: ManagementApi, pool: GenerationPool, user: BrokerUser, *, gateway: bool = True) -> TopologyPlan:
    facts = read_topology(api, pool.spec.broker.vhost)
    return plan_topology(wanted_topology(pool, facts.version, gateway=gateway), [user], facts)


def settle(api: ManagementApi, pool: GenerationPool, user: BrokerUser, *, gateway: bool = True) -> None:
    """Twice: of which type a queue is that the vhost's default decides is seen once it is there."""
    for _ in range(2):
        for step in plan(api, pool, user, gateway=gateway).steps:
            apply_step(api, pool.spec.broker.vhost, step)
