"""Workers whose nodes' clocks differ by an hour: the store's clock alone says whether a claim is alive."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fakes.worker_world import Node, World, new_world
from genpool_adapters.objectstore.s3 import _age
from genpool_core import timing
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import Claim
from genpool_core.tasks.decode import TaskDelivery, decode

HOUR = 3600.0
WRITTEN = datetime(2026, 1, 1, 12, tzinfo=UTC)
TASK: JsonObject = {"task_id": "t", "prompt": "x"}


def claimed_elsewhere(world: World, node: Node) -> Claim:
    """Another worker holds the task that is in the queue; the broker gives it out again."""
    world.send(TASK)
    delivery = world.broker.deliver("another")
    assert delivery is not None
    task = decode(delivery, world.config.pool.uid)
    assert isinstance(task, TaskDelivery)
    claim = Claim(
        task_key=task.ref.key,
        run=1,
        attempt=1,
        nonce="n",
        worker="another",
        claimed_at=node.context.clock.now(),
        timeout_seconds=600,
    )
    assert node.context.ledger.claim(claim)
    node.context.broker.requeue(delivery)
    return claim


@pytest.mark.parametrize("skew", [-HOUR, -30.0, 30.0, HOUR])
def test_a_task_in_progress_gets_no_wrong_end(skew: float) -> None:
    world = new_world(max_attempts=1)
    claim = claimed_elsewhere(world, world.worker("another"))
    node = world.worker("asking", skew=skew)
    world.one(node)
    assert world.store.records("end.json") == {}, "its worker goes on, and would find its task dead"
    assert len(world.broker.delayed) == 1
    # It renews its claim, and the parked message is looked at again and again, for ten leases.
    for _ in range(10 * int(timing.LEASE_SECONDS / timing.PARK_SECONDS)):
        world.clock.time += timing.PARK_SECONDS
        world.worker("another").context.ledger.save_soon(claim)
        world.broker.release_due(world.clock.time)
        world.drive_ready(node)
    assert world.store.records("end.json") == {}


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_a_lost_worker_is_found_after_the_lease_by_any_clock(skew: float) -> None:
    world = new_world(max_attempts=1)
    claimed_elsewhere(world, world.worker("another"))
    began = world.clock.time
    world.drive(world.worker("asking", skew=skew))
    (end,) = world.store.records("end.json").values()
    assert (end["outcome"], end["reason"]) == ("dead", "WorkerLost")
    assert timing.LEASE_SECONDS <= world.clock.time - began <= timing.LEASE_SECONDS + timing.PARK_SECONDS


@pytest.mark.parametrize(
    ("date", "age"),
    [
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        # Whole seconds, or two servers of one store: a write is never in the future.
        ("Thu, 01 Jan 2026 11:59:59 GMT", 0.0),
    ],
)
def test_the_age_of_an_object_is_by_the_stores_own_clock(date: str, age: float) -> None:
    assert _age(WRITTEN, date) == age


@pytest.mark.parametrize("date", [None, "", "soon"])
def test_a_store_without_a_clock_is_measured_by_ours(date: str | None) -> None:
    before = datetime.now(UTC)
    assert 0 <= _age(before, date) < 60
