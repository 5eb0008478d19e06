"""A pass over a queue: what is settled goes, the rest stands as it stood, and two passes do not meet."""

from __future__ import annotations

from collections.abc import Callable

import pika
import pytest

from genpool_adapters.amqp.queue_pass import BUSY, queue_pass
from genpool_core.errors import BrokerError
from integration.broker import Vhost

QUEUE = "work.dead"
MANY = 2000


def fill(vhost: Vhost, kind: str, count: int) -> None:
    vhost.queue(QUEUE, **{"x-queue-type": kind})
    with vhost.raw() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for number in range(count):
            channel.basic_publish("", QUEUE, str(number).encode(), pika.BasicProperties(delivery_mode=2))


def contents(vhost: Vhost) -> list[int]:
    with vhost.raw() as connection:
        channel, found = connection.channel(), []
        while True:
            method, _, body = channel.basic_get(QUEUE, auto_ack=True)
            if method is None:
                return found
            found.append(int(body))


@pytest.mark.parametrize("kind", ["quorum", "classic"])
def test_what_is_acknowledged_goes_and_the_rest_stays(rabbitmq: Vhost, kind: str) -> None:
    fill(rabbitmq, kind, MANY)
    for _ in range(2):
        with queue_pass(rabbitmq.settings(), QUEUE, most=10_000, most_bytes=1 << 20) as reader:
            taken = reader.taken()
            assert taken.complete
            reader.ack([one for one in taken.deliveries if int(one.body) % 10 == 3])
    assert sorted(contents(rabbitmq)) == [number for number in range(MANY) if number % 10 != 3]


@pytest.mark.parametrize(("most", "most_bytes", "taken"), [(5, 1 << 20, 5), (100, 4, 4), (10, 10, 10)])
def test_its_bounds(rabbitmq: Vhost, most: int, most_bytes: int, taken: int) -> None:
    fill(rabbitmq, "quorum", 10)
    with queue_pass(rabbitmq.settings(), QUEUE, most=most, most_bytes=most_bytes) as reader:
        found = reader.taken()
        assert len(found.deliveries) == taken
    assert sorted(contents(rabbitmq)) == list(range(10))


def test_an_empty_queue_and_one_that_is_not_there(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 0)
    with queue_pass(rabbitmq.settings(), QUEUE, most=10, most_bytes=10) as reader:
        assert reader.taken().deliveries == []
    with (
        pytest.raises(BrokerError, match="404"),
        queue_pass(rabbitmq.settings(), "nothing", most=10, most_bytes=10) as reader,
    ):
        reader.taken()


def test_two_passes_do_not_meet(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)
    with queue_pass(rabbitmq.settings(), QUEUE, most=10, most_bytes=100) as first:
        assert len(first.taken().deliveries) == 3
        with (
            pytest.raises(BrokerError, match="read by somebody else") as caught,
            queue_pass(rabbitmq.settings(), QUEUE, most=10, most_bytes=100) as second,
        ):
            second.taken()
        assert caught.value.reason == BUSY
    assert sorted(contents(rabbitmq)) == [0, 1, 2]


def test_a_defect_in_the_block_loses_nothing(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)

    def fails() -> None:
        with queue_pass(rabbitmq.settings(), QUEUE, most=10, most_bytes=100) as reader:
            reader.ack(reader.taken().deliveries[:1])
            raise RuntimeError("a defect")

    raises(fails)
    assert sorted(contents(rabbitmq)) == [1, 2]


def test_a_connection_that_is_cut_is_told(rabbitmq: Vhost) -> None:
    fill(rabbitmq, "quorum", 3)

    def cut() -> None:
        with queue_pass(rabbitmq.settings("pass"), QUEUE, most=10, most_bytes=100) as reader:
            taken = reader.taken()
            rabbitmq.cut("pass")
            while True:
                reader.ack(taken.deliveries[:0])

    with pytest.raises(BrokerError, match=r"in the queue again|does not answer"):
        cut()
    assert sorted(contents(rabbitmq)) == [0, 1, 2]


def raises(act: Callable[[], None]) -> None:
    with pytest.raises(RuntimeError):
        act()
