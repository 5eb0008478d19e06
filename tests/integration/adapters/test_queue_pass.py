"""A pass over a queue: what is settled goes, the rest stands as it stood, and two passes do not meet."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import pika
import pytest

from genpool_adapters.amqp.queue_pass import BUSY, Bounds, queue_pass
from genpool_core.errors import BrokerError
from integration.broker import Vhost, until

QUEUE = "work.dead"
#: ``make test-brokers`` has more, on RabbitMQ of each version.
MANY = int(os.environ.get("GENPOOL_DEAD_LETTERS", "2000"))
#: No message for so long: there is none.
_SILENCE_SECONDS = 1


def fill(vhost: Vhost, kind: str, count: int) -> None:
    # RabbitMQ before 4.0 puts what is given back to the end, where a quorum queue has no limit.
    vhost.queue(QUEUE, **{"x-queue-type": kind}, **({"x-delivery-limit": 200} if kind == "quorum" else {}))
    publish(vhost, range(count))


def publish(vhost: Vhost, numbers: range) -> None:
    """Put messages into the queue, and wait until it has them."""
    with vhost.raw() as connection:
        channel = connection.channel()
        for number in numbers:
            channel.basic_publish("", QUEUE, str(number).encode(), pika.BasicProperties(delivery_mode=2))
        # A channel that closes may drop what a quorum queue has not taken yet.
        until(lambda: vhost.ready(QUEUE) >= len(numbers), "the messages")


def contents(vhost: Vhost) -> list[int]:
    """All messages in their order; they are gone then. By a consumer: 10,000 single gets take a minute."""
    count = vhost.ready(QUEUE)
    with vhost.raw() as connection:
        got = connection.channel().consume(QUEUE, auto_ack=True, inactivity_timeout=_SILENCE_SECONDS)
        found = [int(body) for method, _, body in itertools.takewhile(lambda each: each[0] is not None, got)]
    assert len(found) == count
    return found


@pytest.mark.parametrize(("kind", "many"), [("quorum", MANY), ("classic", 2000)])
def test_what_is_acknowledged_goes_and_the_rest_keeps_its_place(
    rabbitmq: Vhost, kind: str, many: int
) -> None:
    """Before what came during the pass, and before what the pass did not take."""
    fill(rabbitmq, kind, many)
    for most in (200, many + 2):
        with queue_pass(rabbitmq.settings(), QUEUE, Bounds(most, 1 << 20)) as reader:
            taken = reader.taken()
            assert taken.complete == (most > many)
            assert [int(one.body) for one in taken.deliveries] == sorted(
                int(one.body) for one in taken.deliveries
            )
            reader.ack([one for one in taken.deliveries if int(one.body) % 10 == 3])
            publish(rabbitmq, range(many, many + 1))
    kept = [number for number in range(many) if number % 10 != 3]
    assert contents(rabbitmq) == [*kept, many, many]


def test_a_queue_that_is_consumed_is_left_alone_where_that_is_asked_for(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)
    with rabbitmq.raw() as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(QUEUE, lambda *_: None)
        connection.process_data_events(0)
        with queue_pass(rabbitmq.settings(), QUEUE, Bounds(10, 100, unconsumed=True)) as reader:
            taken = reader.taken()
        assert (taken.deliveries, taken.complete) == ([], False)


def test_a_consumer_that_comes_meanwhile_gets_what_goes_back(rabbitmq: Vhost) -> None:
    """The queue counts nothing then: the order is given up, and the pass ends."""
    fill(rabbitmq, "quorum", 100)
    seen: list[int] = []
    with rabbitmq.raw() as connection:
        channel = connection.channel()
        with queue_pass(rabbitmq.settings(), QUEUE, Bounds(200, 1 << 20)) as reader:
            assert len(reader.taken().deliveries) == 100
            channel.basic_consume(QUEUE, lambda *found: seen.append(int(found[-1])), auto_ack=True)
            connection.process_data_events(0)
        while len(seen) < 100:
            connection.process_data_events(1)
    assert sorted(seen) == list(range(100))


@pytest.mark.parametrize(("most", "most_bytes", "taken"), [(5, 1 << 20, 5), (100, 4, 4), (10, 10, 10)])
def test_its_bounds(rabbitmq: Vhost, most: int, most_bytes: int, taken: int) -> None:
    fill(rabbitmq, "quorum", 10)
    with queue_pass(rabbitmq.settings(), QUEUE, Bounds(most, most_bytes)) as reader:
        found = reader.taken()
        assert len(found.deliveries) == taken
    assert contents(rabbitmq) == list(range(10))


def test_an_empty_queue_and_one_that_is_not_there(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 0)
    with queue_pass(rabbitmq.settings(), QUEUE, Bounds(10, 10)) as reader:
        assert reader.taken().deliveries == []
    with (
        pytest.raises(BrokerError, match="404"),
        queue_pass(rabbitmq.settings(), "nothing", Bounds(10, 10)) as reader,
    ):
        reader.taken()


def test_two_passes_do_not_meet(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)
    with queue_pass(rabbitmq.settings(), QUEUE, Bounds(10, 100)) as first:
        assert len(first.taken().deliveries) == 3
        with (
            pytest.raises(BrokerError, match="read by somebody else") as caught,
            queue_pass(rabbitmq.settings(), QUEUE, Bounds(10, 100)) as second,
        ):
            second.taken()
        assert caught.value.reason == BUSY
    assert contents(rabbitmq) == [0, 1, 2]


def test_a_defect_in_the_block_loses_nothing(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)

    def fails() -> None:
        with queue_pass(rabbitmq.settings(), QUEUE, Bounds(10, 100)) as reader:
            reader.ack(reader.taken().deliveries[:1])
            raise RuntimeError("a defect")

    raises(fails)
    assert contents(rabbitmq) == [1, 2]


def test_a_connection_that_is_cut_is_told(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)

    def cut() -> None:
        with queue_pass(rabbitmq.settings("pass"), QUEUE, Bounds(10, 100)) as reader:
            taken = reader.taken()
            rabbitmq.cut("pass")
            while True:
                reader.ack(taken.deliveries[:0])

    with pytest.raises(BrokerError, match=r"in the queue again|does not answer"):
        cut()
    assert contents(rabbitmq) == [0, 1, 2]


def raises(act: Callable[[], None]) -> None:
    with pytest.raises(RuntimeError):
        act()
