"""A vhost that is not there yet: known as such, and found when it has been made."""

from __future__ import annotations

from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, RetryBell
from genpool_core.backoff import Backoff
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from integration.broker import Vhost, until


def test_a_missing_vhost_is_told_from_other_troubles(rabbitmq: Vhost) -> None:
    rabbitmq.delete()
    settings = rabbitmq.settings("missing")
    connection = AmqpConnection(settings, backoff=Backoff(first=0.05, cap=0.2))
    wrong = AmqpConnection(replace(settings, password="wrong"), backoff=Backoff(first=0.05, cap=0.2))
    try:
        connection.start()
        wrong.start()
        until(lambda: connection.vhost_missing, "the vhost to be known as missing")
        assert "there is no such vhost" in connection.last_sentence
        until(lambda: "refused user" in wrong.last_sentence, "the user to be refused")
        assert not wrong.vhost_missing
        rabbitmq.create()
        assert connection.wait_connected(10)
        assert not connection.vhost_missing
    finally:
        connection.stop()
        wrong.stop()


def test_a_gateway_is_ready_where_no_pool_has_made_its_vhost_yet(rabbitmq: Vhost) -> None:
    rabbitmq.delete()
    queue = RabbitCallbackQueue(rabbitmq.settings("gateway"))
    assert queue.trouble() is not None
    try:
        queue.start(lambda _delivery: None)
        until(lambda: queue.trouble() is None, "a queue without a vhost to be no trouble")
    finally:
        queue.begin_stop()
        queue.stop(5)


def test_a_bell_ends_the_wait_of_connections_and_of_consumers(rabbitmq: Vhost) -> None:
    rabbitmq.delete()
    bell = RetryBell()
    late = AmqpConnection(
        replace(rabbitmq.settings("late"), bell=bell), backoff=Backoff(first=600, cap=600, spread=0)
    )
    try:
        bell.ring()
        late.start()
        until(lambda: late.vhost_missing, "the vhost to be known as missing")
        rabbitmq.create()
        assert not late.wait_connected(0.3)
        bell.ring()
        assert late.wait_connected(5)
    finally:
        late.stop()
    early = AmqpConnection(replace(rabbitmq.settings("early"), bell=bell))
    seen: list[bytes] = []
    try:
        early.start()
        assert early.wait_connected(5)
        early.consume("later", lambda delivery: seen.append(delivery.body))
        # Each further wait is twice as long, and so is what is waited for here.
        (consumer,) = until(lambda: early._consumers, "the consumer")
        until(lambda: consumer._failures >= 3, "the consumer waits for its queue")
        rabbitmq.queue("later")
        bell.ring()
        until(lambda: early.consuming, "the consumer is there at once", 0.9)
    finally:
        early.stop()
    assert seen == []
