"""A gateway that is switched on and off: a pool's passes bring the vhost to either, and twice is once."""

from __future__ import annotations

from genpool_core import names
from genpool_core.topology.desired import gateway_topology
from unit.operator.world import World

BINDINGS = set(gateway_topology((4, 3, 6), enabled=True).bindings)


def target(world: World) -> object:
    """Where RabbitMQ dead-letters the pool's tasks to."""
    policy = world.brokers.seen.policies[names.work_policy("generation_tasks")]
    return policy.definition["dead-letter-routing-key"]


def test_on_off_and_on_again() -> None:
    world = World(gateway=True)
    world.put()
    for enabled in (True, False, True):
        world.gateway = enabled
        world.restart()
        world.look()
        assert target(world) == ("genpool.janitor" if enabled else "generation_tasks.dead")
        assert world.brokers.seen.bindings & BINDINGS == (BINDINGS if enabled else set())
        # Whatever is in them: nobody but a person may take a queue away.
        assert {names.GATEWAY_EVENTS_QUEUE, names.JANITOR_QUEUE} <= world.brokers.seen.queues.keys()
        assert world.condition("TopologyReady").status == "True"
        world.brokers.steps.clear()
        world.look()
        assert not world.brokers.steps


def test_without_a_gateway_its_queues_are_not_made() -> None:
    world = World()
    world.put()
    world.look()
    assert not {names.GATEWAY_EVENTS_QUEUE, names.JANITOR_QUEUE} & world.brokers.seen.queues.keys()
    assert world.condition("TopologyReady").status == "True"
