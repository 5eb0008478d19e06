"""Cancelled tasks that are still in the queue start and keep no pod."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core import names
from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import GatewayBacklog
from genpool_operator.adapters.rabbit.backlogs import Backlogs
from genpool_operator.decide.backlog import Backlog, without_cancelled
from genpool_operator.decide.reading import QueueReading
from unit.operator.pools import NOW, UID, at
from unit.operator.world import World

GATEWAY = names.gateway_user("0a1b2c3d")


def reading(
    at_least: int | None, at_most: int | None, held: int = 0, waiting: int | None = None
) -> QueueReading:
    return QueueReading(waiting=waiting, at_least=at_least, at_most=at_most, held=held, evidence_at=NOW)


@pytest.mark.parametrize(
    ("seen", "cancelled", "expected", "told"),
    [
        pytest.param(reading(5, 5, 0, 5), 5, (0, 0, 0), 5, id="all of them"),
        pytest.param(reading(5, 6, 0, 5), 2, (3, 4, 3), 2, id="some of them"),
        pytest.param(reading(5, 5, 0, 5), 7, (0, 0, 0), 5, id="fewer are there than it says"),
        pytest.param(reading(5, 5, 2, 3), 9, (2, 2, 0), 3, id="what workers hold counts"),
        pytest.param(reading(0, 3, 0, 0), 3, (0, 0, 0), 0, id="the list lags"),
        pytest.param(reading(None, None), 3, (None, None, None), 0, id="unknown stays unknown"),
        pytest.param(reading(4, None, 0, 4), 3, (1, None, 1), 3, id="half known stays half known"),
        pytest.param(reading(5, 5, 0, 5), 0, (5, 5, 5), 0, id="none"),
    ],
)
def test_what_is_left(
    seen: QueueReading, cancelled: int, expected: tuple[int | None, int | None, int | None], told: int
) -> None:
    found = without_cancelled(seen, Backlog(cancelled, NOW), NOW)
    assert (found.at_least, found.at_most, found.waiting) == expected
    assert found.cancelled == told
    assert replace(found, at_least=0, at_most=0, waiting=0, cancelled=0) == replace(
        seen, at_least=0, at_most=0, waiting=0
    )


@pytest.mark.parametrize(("age", "counts"), [(0, True), (30, True), (30.1, False), (3600, False)])
def test_an_old_figure_is_not_subtracted(age: float, *, counts: bool) -> None:
    seen = reading(5, 5, 0, 5)
    assert (without_cancelled(seen, Backlog(5, at(-age)), NOW) != seen) is counts
    assert without_cancelled(seen, None, NOW) == seen


@pytest.mark.parametrize(
    ("read_at", "expected"),
    [
        pytest.param(-1.0, 0, id="read before the messages were taken out"),
        pytest.param(0.0, 0, id="read as the next figure came"),
        pytest.param(0.5, 5, id="read after it"),
    ],
)
def test_what_was_read_before_a_figure_fell_is_not_taken_for_tasks(read_at: float, expected: int) -> None:
    fell = Backlog(5, at(-10)).followed_by(5, at(-2)).followed_by(0, NOW)
    seen = replace(reading(5, 5, 0, 5), at_least_since=at(read_at))
    found = without_cancelled(seen, fell, at(1))
    assert (found.at_least, found.waiting, found.cancelled) == (expected, expected, 5 - expected)
    assert found.at_most == 5, "only what is certain makes it fewer"


def test_figures_of_long_ago_are_forgotten() -> None:
    backlog = Backlog(0, NOW)
    for second in range(100):
        backlog = backlog.followed_by(second % 2, at(second))
    assert backlog.most_since(at(98)) == 1
    assert len(backlog.earlier) <= 31


# A pool -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    world = World(gateway=True)
    world.put(scaling={"maxReplicas": 5})
    world.look()
    return world


def tell(world: World, waiting: int, cancelled: int, running: int = 0) -> None:
    world.tasks(waiting, running)
    world.brokers.given = replace(world.brokers.given, backlog=Backlog(cancelled, world.now))


def test_a_queue_of_cancelled_tasks_starts_no_pod_and_shows_what_is_in_it(world: World) -> None:
    tell(world, 5, 5)
    world.look(full=False)
    assert world.replicas == 0
    assert world.status.scaling.message == "No task is waiting or running; 5 cancelled tasks are not counted."
    assert world.status.queue.waiting == 5
    tell(world, 6, 5)
    world.look(full=False, later=1)
    assert world.replicas == 1
    assert world.status.scaling.message == (
        "1 task waiting needs 1 pod at 1 task per pod; 5 cancelled tasks are not counted."
    )


def test_messages_that_are_taken_out_start_no_pod_while_the_count_is_older(world: World) -> None:
    tell(world, 5, 5)
    world.look(full=False)
    given = world.brokers.given
    assert given.backlog is not None
    world.now += at(0.2) - NOW
    world.brokers.given = replace(given, backlog=given.backlog.followed_by(0, world.now))
    world.look(full=False)
    assert world.replicas == 0


def test_a_gateway_that_is_silent_for_long_is_no_longer_believed(world: World) -> None:
    tell(world, 2, 2)
    said = world.brokers.given.backlog
    world.look(full=False)
    world.now = at(31)
    world.tasks(2)
    world.brokers.given = replace(world.brokers.given, backlog=said)
    world.look(full=False)
    assert world.replicas == 2


def test_a_cancelled_task_keeps_no_pod(world: World) -> None:
    world.tasks(3)
    world.look(full=False)
    assert world.replicas == 3
    for _ in range(20):
        world.now += at(1) - NOW
        tell(world, 2, 2)
        world.look(full=False)
    assert world.replicas == 0


# What is believed ---------------------------------------------------------------------------------------------------


def delivery(body: bytes, user: str | None) -> Delivery:
    key = names.event_routing_key(UID, "gateway.backlog")
    return Delivery(body=body, routing_key=key, properties=Properties(user_id=user))


def said(cancelled: int, uid: str = UID) -> bytes:
    pool = PoolRef(namespace="team", name="pictures", uid=uid)
    return (
        GatewayBacklog(id="1", pool=pool, worker="", time=at(-999), cancelled=cancelled)
        .model_dump_json()
        .encode()
    )


def test_only_a_gateway_is_believed_and_only_a_change_is_told() -> None:
    changed: list[str] = []
    backlogs = Backlogs(lambda: NOW, changed.append)
    for user in (None, "guest", names.worker_user(UID, "0a1b2c3d"), f"{GATEWAY}.x", "genpool.gateway.x"):
        backlogs.receive(delivery(said(3), user))
    backlogs.receive(delivery(b"{}", GATEWAY))
    backlogs.receive(delivery(said(3).replace(b":3}", b":-3}"), GATEWAY))
    assert backlogs.of(UID) is None
    for cancelled in (0, 3, 3, 0):
        backlogs.receive(delivery(said(cancelled), GATEWAY))
        found = backlogs.of(UID)
        # By our clock: the gateway's may be another one.
        assert found is not None
        assert (found.cancelled, found.heard_at) == (cancelled, NOW)
    assert changed == [UID, UID]
    backlogs.receive(delivery(said(2, uid="another"), GATEWAY))
    assert backlogs.of(UID) == Backlog(0, NOW, ((NOW, 0), (NOW, 3)))
    backlogs.forget(UID)
    assert backlogs.of(UID) is None
