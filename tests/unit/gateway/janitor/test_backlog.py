"""How many messages are of ended tasks is told, and they are taken out where nobody consumes."""

from __future__ import annotations

import itertools
import json
from typing import Any, cast

import pytest

from genpool_adapters.amqp.values import QueueCount
from genpool_core import names, timing
from genpool_core.errors import BrokerError
from genpool_core.identity import task_key
from genpool_core.messages.amqp import Delivery, Properties
from genpool_gateway.janitor.backlog import Backlog
from genpool_gateway.pools.pool import Serving
from integration.gateway.api import POOL
from unit.gateway.janitor.test_janitor import Now
from unit.gateway.janitor.world import FakeWorkQueues, World
from unit.gateway.samples import NOW

USER = Properties(user_id=names.gateway_user("0" * 8))


def message(task: str) -> Delivery:
    return Delivery(json.dumps({"task_id": task}).encode(), properties=USER)


def key(task: str) -> str:
    return task_key(POOL.uid, task, {"task_id": task})


def told(world: World) -> list[int]:
    found = [json.loads(each.body)["cancelled"] for each in world.to(names.EVENTS_EXCHANGE)]
    world.published.clear()
    return found


def backlog(world: World, look: FakeWorkQueues) -> Backlog:
    """Its clock goes on by a whole period with each question."""
    clock = itertools.count(100.0, timing.BACKLOG_SECONDS)
    return Backlog(
        world,
        cast("Any", world),
        world,
        look,
        cast("Any", Now()),
        now=lambda: NOW,
        monotonic=lambda: next(clock),
    )


def test_a_row_of_cancels_is_told_and_then_taken_out() -> None:
    world = World(counts=QueueCount(ready=3, consumers=0))
    look = FakeWorkQueues([message("a"), message("x"), message("b")])
    made = backlog(world, look)
    made._tell()
    assert told(world) == []
    world.left = {key("a"), key("b")}
    made._tell()
    assert look.dropped == [message("a"), message("b")]
    assert look.closed
    assert world.left == set()
    made._tell()
    made._tell()
    assert told(world) == [2, 0]


def test_where_a_worker_consumes_it_drops_them() -> None:
    world = World(counts=QueueCount(ready=3, consumers=1), left={key("a")})
    look = FakeWorkQueues([message("a")])
    made = backlog(world, look)
    for _ in range(4):
        made._tell()
    assert (told(world), look.dropped) == ([1] * 4, [])


def test_what_a_whole_look_does_not_find_is_gone() -> None:
    """As after a purge: a figure that is too high would keep pods from starting."""
    for whole, left in ((True, set()), (False, {key("gone")})):
        world = World(counts=QueueCount(ready=1, consumers=0), left={key("gone")})
        made = backlog(world, FakeWorkQueues([message("x")], whole=whole))
        made._tell()
        made._tell()
        assert world.left == left


def test_it_is_told_although_the_queue_cannot_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while the gateway has no right to a new queue yet: else pods would start for tasks that have ended."""
    world = World(left={key("a"), key("b")})

    def refused(_: Serving) -> None:
        raise BrokerError("no right to the queue", reason="BrokerRefused")

    monkeypatch.setattr(world, "count", refused)
    look = FakeWorkQueues([message("a")])
    made = backlog(world, look)
    for _ in range(3):
        made._tell()
    assert (told(world), look.dropped) == ([2] * 3, [])


def test_a_count_of_0_is_believed_once_it_has_lasted() -> None:
    """A leader that does not answer in time gives it, too."""
    world = World(counts=QueueCount(ready=0, consumers=0), left={key("a")})
    made = backlog(world, FakeWorkQueues([]))
    for _ in range(12):
        made._tell()
    assert sorted(set(found := told(world)), reverse=True) == [1, 0]
    assert found == sorted(found, reverse=True)
    world.counts = QueueCount(ready=1, consumers=1)
    made._tell()
    assert told(world) == [1]
