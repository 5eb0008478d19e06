"""Messages that pika cannot read or write, and refusals for good, over real connections."""

from __future__ import annotations

import math
import queue
from collections.abc import Iterator
from dataclasses import replace

import pika
import pytest

from genpool_adapters.amqp import AmqpConnection
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.topology.desired import WorkQueueOptions, pool_topology
from integration.broker import Vhost, until
from support import amqp_wire as wire

MILLISECONDS = 1_795_000_000_000
Changes = queue.Queue[bool]


@pytest.fixture
def changes() -> Changes:
    return queue.Queue()


@pytest.fixture
def connection(rabbitmq: Vhost, changes: Changes) -> Iterator[AmqpConnection]:
    """One that was connected once and never lost."""
    made = AmqpConnection(rabbitmq.settings(), on_change=lambda connected, _sentence: changes.put(connected))
    made.start()
    assert made.wait_connected(10), made.last_sentence
    yield made
    seen = [changes.get_nowait() for _ in range(changes.qsize())]
    made.stop()
    assert seen == [True]


def publish(vhost: Vhost, exchange: str, key: str, raw: bytes) -> None:
    with vhost.raw() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(exchange, key, b"body", wire.RawProperties(raw), mandatory=True)


@pytest.mark.parametrize("exclusive", [False, True], ids=["work queue", "events"])
def test_what_breaks_pika_is_delivered(
    rabbitmq: Vhost, connection: AmqpConnection, *, exclusive: bool
) -> None:
    got: queue.Queue[Delivery] = queue.Queue()
    rabbitmq.exchange("events", "topic")
    if exclusive:
        connection.declare_exclusive(bindings=[("events", "#")], on_message=got.put)
    else:
        rabbitmq.queue("work")
        rabbitmq.bind("events", "work", "#")
        connection.consume("work", got.put)
    _until_bound(rabbitmq, got, connection)
    odd = (b"at", wire.timestamp(MILLISECONDS)), (b"ratio", wire.double(0.75)), (b"\xff", b"V")
    publish(rabbitmq, "events", "key", wire.properties(*odd, message_id=b"\xfe" * 16))
    found = got.get(timeout=10)
    assert found.headers == {"at": MILLISECONDS, "ratio": 0.75, "0xff": None}
    assert found.properties.message_id == f"0x{'fe' * 16}"


def _until_bound(vhost: Vhost, got: queue.Queue[Delivery], connection: AmqpConnection) -> None:
    """The consumer is there when a message comes through."""
    while True:
        publish_one(vhost)
        try:
            found = got.get(timeout=1)
        except queue.Empty:
            continue
        connection.ack(found)
        return


def publish_one(vhost: Vhost) -> None:
    with vhost.raw() as plain:
        plain.channel().basic_publish("events", "first", b"")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_none_is_delivered_or_refused_by_rabbitmq_itself(
    rabbitmq: Vhost, connection: AmqpConnection, value: float
) -> None:
    """RabbitMQ 4.3 ends the connection of who publishes it; where one lets it through, it arrives as text."""
    got: queue.Queue[Delivery] = queue.Queue()
    rabbitmq.queue("work")
    connection.consume("work", got.put)
    try:
        publish(rabbitmq, "", "work", wire.properties((b"odd", wire.double(value))))
    except pika.exceptions.AMQPError:
        assert rabbitmq.version >= (4, 3, 0)
    else:
        assert got.get(timeout=10).headers["odd"] in {"NaN", "Infinity"}


def test_headers_arrive_as_they_were_published(rabbitmq: Vhost, connection: AmqpConnection) -> None:
    got: queue.Queue[Delivery] = queue.Queue()
    rabbitmq.queue("work")
    connection.consume("work", got.put)
    given = {"ratio": 0.75, "deep": {"list": [1, "a", None, {"b": True}]}, "raw": b"\xff", "large": 2**62}
    message = OutgoingMessage("", "work", b"", given, Properties(content_encoding="gzip", type="t"))
    connection.publish(message)
    found = got.get(timeout=10)
    assert (found.headers, found.properties.content_encoding, found.properties.type) == (given, "gzip", "t")


@pytest.mark.parametrize("size", [130_900, 131_072, 500_000])
def test_a_header_that_would_break_the_frame_is_left_out(
    rabbitmq: Vhost, connection: AmqpConnection, size: int
) -> None:
    rabbitmq.queue("work")
    connection.publish(OutgoingMessage("", "work", b"body", {"big": "x" * size, "trace": 1}))
    taken = rabbitmq.get("work")
    assert taken is not None
    assert taken[0].headers == {"trace": 1, headers.LEFT_OUT: "big"}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(
            OutgoingMessage("", "work", b"", {}, Properties(reply_to="amq.rabbitmq.reply-to")), id="reply-to"
        ),
        pytest.param(OutgoingMessage("", "work", b"", {"CC": 1}), id="CC"),
        pytest.param(OutgoingMessage("", "k" * 300, b""), id="routing key"),
    ],
)
def test_what_is_refused_for_good_says_so_and_costs_no_connection(
    rabbitmq: Vhost, connection: AmqpConnection, message: OutgoingMessage
) -> None:
    rabbitmq.queue("work")
    with pytest.raises(BrokerError) as caught:
        connection.publish(message)
    assert (caught.value.reason, caught.value.lasts) == ("PublishRefused", Lasts.NEVER)
    connection.publish(OutgoingMessage("", "work", b"x"))


def test_a_missing_queue_may_be_repaired(connection: AmqpConnection) -> None:
    with pytest.raises(BrokerError) as caught:
        connection.publish(OutgoingMessage("", "missing", b""))
    assert (caught.value.reason, caught.value.lasts) == ("Unroutable", Lasts.REPAIR)


def test_a_rejected_delivery_is_a_dead_letter_as_it_came(rabbitmq: Vhost, connection: AmqpConnection) -> None:
    """As the gateway does it on the callbacks queue, with the policies of a quorum queue."""
    rabbitmq.queue("work", **{"x-queue-type": "quorum"})
    topology = pool_topology(WorkQueueOptions("work", None, None, 600), rabbitmq.version)
    rabbitmq.apply(replace(topology, queues=tuple(item for item in topology.queues if item.name != "work")))
    got, letters = queue.Queue[Delivery](), queue.Queue[Delivery]()
    connection.consume("work", got.put)
    connection.consume("work.dead", letters.put)
    raw = wire.properties((b"ratio", wire.double(0.75)), message_id=b"\xfe" * 16)

    def rejected() -> Delivery | None:
        """It is dropped where the policy is not in force yet."""
        publish(rabbitmq, "", "work", raw)
        connection.nack(got.get(timeout=10), requeue=False)
        try:
            return letters.get(timeout=1)
        except queue.Empty:
            return None

    letter = until(rejected, "a dead letter, once the policy is in force")
    assert letter is not None
    assert (letter.body, letter.headers["ratio"]) == (b"body", 0.75)
    assert letter.properties.message_id == f"0x{'fe' * 16}"
    assert letter.headers["x-first-death-reason"] == "rejected"
