"""The consumer of an intake: what is published, acknowledged and tried again, and that nothing stops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest

from genpool_core import timing
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.intake import consumer as module
from genpool_gateway.intake.consumer import WINDOW
from integration.broker import until
from support.pool_objects import BUILDINGS, PEOPLE
from unit.gateway.intake.samples import BUILDINGS_POOL, INTAKE, PHOTO, behind, delivery, pool
from unit.gateway.intake.world import World, photo

UNREACHABLE = BrokerError("the connection was lost.", uncertain=True)
UNROUTABLE = BrokerError("no queue takes it.", reason="Unroutable", lasts=Lasts.REPAIR)
FULL = BrokerError("the queue is full.", reason="PublishRefused")
CLOSED = BrokerError("RabbitMQ refused: 406.", reason="PublishRefused", uncertain=True)
NEVER = BrokerError("RabbitMQ refused: 406.", reason="PublishRefused", lasts=Lasts.NEVER)
NO_EXCHANGE = BrokerError("404.", reason="PublishRefused", lasts=Lasts.REPAIR, uncertain=True)


@pytest.fixture
def world() -> World:
    return World()


def refusing(queue: str, error: BrokerError) -> Callable[[OutgoingMessage], BrokerError | None]:
    return lambda message: error if message.routing_key == queue else None


# In order ---------------------------------------------------------------------------------------------------------


def test_what_is_confirmed_is_acknowledged_and_counted(world: World) -> None:
    sent = [photo(1), photo(2, BUILDINGS), delivery(b"{")]
    world.come(*sent)
    assert world.targets() == [">people_tasks", ">buildings_tasks", f">{INTAKE}.dead"]
    assert world.queue.acked == sent
    assert world.metrics.counts == ["team/people", "team/buildings", "dead InvalidMessage"]


def test_nothing_is_acknowledged_before_the_broker_has_it(world: World) -> None:
    world.queue.answer = None
    world.come(photo(1), photo(2))
    assert len(world.queue.published) == 2
    assert world.queue.acked == []
    world.queue.open[1].set_result(None)
    world.go()
    assert world.queue.acked == [photo(2)]


def test_a_refusal_by_a_pool_is_announced_after_its_dead_letter(world: World) -> None:
    world.come(delivery({**PHOTO, "parameters": {"size": 5}}))
    assert world.targets() == [f">{INTAKE}.dead", "genpool.events>uid-team-people.message.rejected"]


def test_many_messages_keep_their_order(world: World) -> None:
    world.come(*(photo(number) for number in range(200)))
    urls = [json.loads(message.body)["image_url"] for message in world.queue.published]
    assert urls == [f"https://cdn.example/{number}.jpg" for number in range(200)]


def test_other_pools_may_be_behind_it_from_now_on(world: World) -> None:
    world.consumer.update(behind(BUILDINGS_POOL))
    world.come(photo(1), photo(2, BUILDINGS))
    assert world.targets() == [f">{INTAKE}.dead", ">buildings_tasks"]


# What fails -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [UNROUTABLE, FULL])
def test_a_queue_that_takes_nothing_holds_up_no_other(world: World, error: BrokerError) -> None:
    world.queue.answer = refusing("people_tasks", error)
    world.come(photo(1), photo(2, BUILDINGS))
    assert world.targets() == [">people_tasks", ">buildings_tasks", f"genpool.retry.5s>{INTAKE}"]
    assert len(world.queue.acked) == 2
    assert world.metrics.counts == ["team/buildings", "aside PoolUnavailable"]


def test_after_an_outage_all_is_published_again_in_order(world: World) -> None:
    world.queue.answer = lambda _message: UNREACHABLE
    world.come(photo(1), photo(2))
    world.queue.published.clear()
    world.queue.answer = lambda _message: None
    world.come(photo(3))
    assert world.queue.published == [], "not at once"
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    urls = [json.loads(message.body)["image_url"][-5] for message in world.queue.published]
    assert urls == ["1", "2", "3"]
    assert len(world.queue.acked) == 3


def test_nothing_is_published_without_a_connection(world: World) -> None:
    world.queue.connected = False
    world.come(photo(1))
    assert world.queue.published == []
    world.queue.connected = True
    world.go()
    assert len(world.queue.acked) == 1


def test_a_message_for_which_the_channel_is_closed_is_found_and_sent_bare(world: World) -> None:
    def answer(message: OutgoingMessage) -> BrokerError | None:
        if "theirs" not in message.headers:
            return CLOSED if not alone else None
        return NEVER if alone else CLOSED

    alone = False
    world.queue.answer = answer
    hostile = delivery(PHOTO, {"theirs": 1})
    world.come(photo(1), hostile, photo(2))
    assert world.queue.acked == []
    alone = True
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    assert len(world.queue.acked) == 3
    assert [dict(message.headers) for message in world.queue.published[3:]] == [
        {},
        {"theirs": 1},
        {"x-genpool-left-out": "theirs"},
        {},
    ]


def test_what_the_broker_never_accepts_it_buries_itself(world: World) -> None:
    world.queue.answer = refusing("people_tasks", NEVER)
    world.come(photo(1), photo(2, BUILDINGS))
    assert world.queue.rejected == [photo(1)]
    assert world.queue.acked == [photo(2, BUILDINGS)]


def test_a_missing_dead_letter_queue_holds_up_no_other(world: World) -> None:
    world.queue.answer = refusing(f"{INTAKE}.dead", UNROUTABLE)
    world.come(delivery(b"{"), photo(1))
    assert world.queue.acked == [photo(1)]
    world.queue.answer = lambda _message: None
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    assert world.queue.acked == [photo(1), delivery(b"{")]


def test_a_missing_delay_step_is_waited_for_alone(world: World) -> None:
    world.queue.answer = lambda message: (
        NO_EXCHANGE if message.exchange else UNROUTABLE if message.routing_key == "people_tasks" else None
    )
    world.come(photo(1))
    for _ in range(3):
        world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    world.come(photo(2, BUILDINGS))
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    assert world.queue.acked == [photo(2, BUILDINGS)]
    world.queue.answer = lambda _message: None
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    assert world.queue.acked == [photo(2, BUILDINGS), photo(1)]


def test_a_queue_that_does_not_confirm_is_given_up(world: World) -> None:
    world.queue.answer = None
    world.come(photo(1))
    world.clock += 1
    world.queue.answer = lambda _message: None
    world.come(photo(2, BUILDINGS))
    world.go(timing.INTAKE_CONFIRM_SECONDS)
    assert world.targets()[2:] == [f"genpool.retry.5s>{INTAKE}"]
    assert len(world.queue.acked) == 2
    world.queue.open[0].set_result(None)
    world.go()
    assert len(world.queue.acked) == 2, "a late confirmation changes nothing"


def test_a_broker_that_confirms_nothing_is_waited_for(world: World) -> None:
    world.queue.answer = None
    world.come(photo(1), photo(2))
    world.go(2 * timing.INTAKE_CONFIRM_SECONDS)
    assert len(world.queue.published) == 2


def test_deliveries_of_a_lost_connection_are_forgotten(world: World) -> None:
    world.queue.answer = None
    world.come(photo(1))
    world.queue.connected = False
    world.come(photo(2))
    world.consumer._inbox.put(module._Lost())
    world.queue.connected, world.queue.answer = True, lambda _message: None
    world.go()
    world.queue.open[0].set_exception(UNREACHABLE)
    world.go(timing.INTAKE_RETRY_MOST_SECONDS)
    assert len(world.queue.published) == 1
    world.come(photo(1), photo(2))
    assert len(world.queue.acked) == 2


# Faults -----------------------------------------------------------------------------------------------------------


def test_a_message_that_trips_us_becomes_a_dead_letter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(*_args: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(module, "route", trip)
        for count in (1, 2, 3):
            world.come(photo(1))
            assert len(world.queue.requeued) == min(count, 2)
    assert world.queue.acked == [photo(1)]
    assert world.metrics.counts == ["dead InternalError"]
    world.come(photo(2))
    assert world.queue.acked == [photo(1), photo(2)]


def test_one_whose_dead_letter_cannot_be_made_either_is_left_to_the_broker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(*_args: object, **_more: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(module, "message_for", trip)
    for _ in range(3):
        world.come(photo(1))
    assert world.queue.rejected == [photo(1)]


# Full pools -------------------------------------------------------------------------------------------------------


def limited(most: int) -> World:
    return World(pool("people", PEOPLE, queue_more={"maxWaiting": most}), BUILDINGS_POOL)


def test_a_full_pool_holds_up_no_other() -> None:
    world = limited(3)
    world.queue.counts["people_tasks"] = 1
    world.come(*(photo(number) for number in range(4)), photo(9, BUILDINGS))
    aside = f"genpool.retry.5s>{INTAKE}"
    assert world.targets() == [">people_tasks"] * 2 + [aside] * 2 + [">buildings_tasks"]
    assert len(world.queue.acked) == 5
    assert world.queue.asked == 1
    assert world.metrics.counts.count("aside QueueFull") == 2


def test_the_count_is_read_again_after_a_second() -> None:
    world = limited(1)
    world.queue.counts["people_tasks"] = 5
    world.come(photo(1))
    world.queue.counts["people_tasks"] = 0
    world.come(photo(2))
    world.clock += timing.QUEUE_COUNT_SECONDS
    world.come(photo(3))
    assert world.targets() == [f"genpool.retry.5s>{INTAKE}"] * 2 + [">people_tasks"]


@pytest.mark.parametrize("count", [None, BrokerError("away.")])
def test_a_count_that_is_not_known_is_not_zero(count: BrokerError | None) -> None:
    world = limited(3)
    world.queue.counts["people_tasks"] = count
    world.come(photo(1))
    assert world.metrics.counts == ["aside PoolUnavailable"]


# The thread -------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(world: World) -> Iterator[World]:
    world.consumer.start()
    yield world
    world.consumer.begin_stop()
    world.consumer.stop(5)
    assert world.queue.stopped


def test_it_works_by_itself_and_stops(running: World) -> None:
    for number in range(WINDOW):
        running.queue.on_delivery(photo(number))
    until(lambda: len(running.queue.acked) == WINDOW, "all are acknowledged")
    running.queue.on_lost()
    assert running.consumer.unhealthy() is None


def test_a_stop_waits_for_what_is_on_its_way(world: World) -> None:
    world.queue.answer = None
    world.consumer.start()
    world.queue.on_delivery(photo(1))
    until(lambda: world.queue.open, "it is published")
    world.consumer.begin_stop()
    world.queue.open[0].set_result(None)
    world.consumer.stop(5)
    assert world.queue.acked == [photo(1)]
    assert not world.consumer._thread.is_alive()


def test_a_defect_of_its_own_does_not_end_it(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "INTAKE_RETRY_SECONDS", 0.01)
    acks = running.queue.ack
    tripped: list[int] = []

    def trip(deliveries: Sequence[Delivery]) -> None:
        if not tripped:
            tripped.append(1)
            raise RuntimeError("a defect")
        acks(deliveries)

    monkeypatch.setattr(running.queue, "ack", trip)
    running.queue.on_delivery(photo(1))
    until(lambda: tripped, "the defect")
    running.queue.on_delivery(photo(2))
    until(lambda: running.queue.acked == [photo(2)], "it goes on")
