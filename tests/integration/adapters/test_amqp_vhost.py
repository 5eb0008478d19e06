"""A vhost that is not there yet: known as such, and found when it has been made."""

from __future__ import annotations

from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection
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
