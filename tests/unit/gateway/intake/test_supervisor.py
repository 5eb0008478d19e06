"""Intakes come and go as pools do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genpool_gateway.intake.behind import Behind, IntakeName
from genpool_gateway.intake.consumer import IntakeConsumer
from genpool_gateway.intake.supervisor import Intakes
from genpool_gateway.pools.errors import PoolsUnknown
from integration.broker import until
from support.pool_objects import PEOPLE, directory, pool_object
from unit.gateway.intake.samples import BUILDINGS_POOL, INTAKE, PEOPLE_POOL, Pools, pool
from unit.gateway.intake.world import FakeIntakeQueue, FakeMetrics, photo

NAME: IntakeName = ("default", "pictures", INTAKE)


class World:
    def __init__(self) -> None:
        self.pools = Pools(PoolsUnknown("not read yet."))
        self.queues: dict[IntakeName, FakeIntakeQueue] = {}
        self.intakes = Intakes(self.pools, self.open)
        self.opened = 0

    def open(self, name: IntakeName, behind: Behind) -> IntakeConsumer | None:
        if name[1] == "elsewhere":
            return None
        self.opened += 1
        self.queues[name] = FakeIntakeQueue()
        return IntakeConsumer(
            self.queues[name], behind, FakeMetrics(), now=lambda: datetime(2026, 11, 26, tzinfo=UTC)
        )


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_consumed_while_pools_are_unknown(world: World) -> None:
    world.intakes.look()
    assert world.queues == {}


def test_they_come_change_and_go(world: World) -> None:
    world.pools.found = directory(PEOPLE_POOL, pool_object())
    world.intakes.look()
    world.intakes.look()
    assert (list(world.queues), world.opened) == ([NAME], 1)
    queue = world.queues[NAME]
    queue.on_delivery(photo(1))
    until(lambda: [each.routing_key for each in queue.published] == ["people_tasks"], "routed")
    world.pools.found = directory(BUILDINGS_POOL)
    world.intakes.look()
    assert world.opened == 1
    queue.on_delivery(photo(2))
    until(lambda: queue.published[-1].routing_key == f"{INTAKE}.dead", "another pool is behind it")
    world.pools.found = directory(pool_object())
    world.intakes.look()
    assert queue.stopped
    world.pools.found = directory(PEOPLE_POOL)
    world.intakes.look()
    assert world.opened == 2
    world.intakes.stop(5)
    assert world.queues[NAME].stopped


def test_an_intake_of_another_gateways_vhost_is_left_alone(world: World) -> None:
    world.pools.found = directory(pool("people", PEOPLE, broker={"vhost": "elsewhere"}), PEOPLE_POOL)
    world.intakes.look()
    assert list(world.queues) == [NAME]
    world.intakes.stop(5)


def test_the_thread_looks_by_itself_and_tells_when_it_has_ended(world: World) -> None:
    world.pools.found = directory(PEOPLE_POOL)
    world.intakes.start()
    until(lambda: world.queues, "it is consumed")
    assert world.intakes.unhealthy() is None
    world.intakes.stop(5)
    assert world.queues[NAME].stopped
    assert world.intakes.unhealthy() is None
