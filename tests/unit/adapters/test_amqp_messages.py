"""Messages as values, from what pika delivers and for what it publishes; and a delivery that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pika
import pytest
from pika import exceptions

from genpool_adapters.amqp.consumer import Consumer, Subscription
from genpool_adapters.amqp.failures import channel_error
from genpool_adapters.amqp.publisher import PendingPublish, Publisher
from genpool_adapters.amqp.values import delivery_of, from_pika, to_pika
from genpool_adapters.amqp.wire import WireProperties
from genpool_core import timing
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties

ALL = {
    "content_type": "text/plain",
    "content_encoding": "gzip",
    "priority": 3,
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "60000",
    "message_id": "m",
    "timestamp": 1,
    "type": "t",
    "user_id": "producer",
    "app_id": "a",
}


def test_every_property_comes_and_goes() -> None:
    came = from_pika(WireProperties(**ALL))
    assert {name: getattr(came, name) for name in ALL} == ALL
    sent = to_pika(OutgoingMessage("", "q", b"", properties=came), "us", 9.0)
    assert {name: getattr(sent, name) for name in ALL} == {**ALL, "user_id": "us"}
    assert sent.delivery_mode == 2


@pytest.mark.parametrize(("verbatim", "added"), [(False, ("application/json", 9)), (True, (None, None))])
def test_what_is_added_to_our_own_messages_and_not_to_copies(
    *, verbatim: bool, added: tuple[Any, Any]
) -> None:
    sent = to_pika(OutgoingMessage("", "q", b"", verbatim=verbatim), "us", 9.7)
    assert (sent.content_type, sent.timestamp) == added


def deliver(routing_key: str | bytes) -> pika.spec.Basic.Deliver:
    return pika.spec.Basic.Deliver("tag", 7, redelivered=True, exchange="", routing_key=routing_key)


def test_a_routing_key_that_is_no_text() -> None:
    properties = WireProperties(headers={"a": 1}, message_id="m")
    properties.unreadable = ("b",)
    found = delivery_of(None, deliver(b"\xff"), properties, b"body")
    assert found == Delivery(
        b"body", {"a": 1}, Properties(message_id="m"), redelivered=True, unreadable=("b",), routing_key="0xff"
    )


class FakeChannel:
    is_open = True

    def __init__(self) -> None:
        self.nacked: list[tuple[int, bool]] = []

    def basic_nack(self, tag: int, *, requeue: bool) -> None:
        self.nacked.append((tag, requeue))


@pytest.mark.parametrize(("exclusive", "nacked"), [(False, [(7, True)]), (True, [])])
def test_a_delivery_that_cannot_be_read_goes_back_after_a_while(
    *, exclusive: bool, nacked: list[tuple[int, bool]]
) -> None:
    got: list[Delivery] = []
    consumer, channel = Consumer(Subscription("q", got.append, exclusive=exclusive)), FakeChannel()
    waits: list[float] = []

    def call_later(seconds: float, work: Callable[[], object]) -> None:
        waits.append(seconds)
        work()

    consumer._connection = SimpleNamespace(ioloop=SimpleNamespace(call_later=call_later))
    consumer._on_delivery(channel, deliver("q"), None, b"")  # type: ignore[arg-type]
    assert channel.nacked == nacked
    assert waits == [timing.FAULT_SECONDS] * len(nacked)
    assert not got


@pytest.mark.parametrize(
    ("error", "lasts"),
    [
        (exceptions.ChannelClosedByBroker(403, "ACCESS_REFUSED"), Lasts.REPAIR),
        (exceptions.ChannelClosedByBroker(404, "NOT_FOUND"), Lasts.REPAIR),
        (exceptions.ChannelClosedByBroker(406, "PRECONDITION_FAILED - too large"), Lasts.NEVER),
        (exceptions.StreamLostError("gone"), Lasts.OUTAGE),
    ],
)
def test_how_long_a_refusal_lasts(error: BaseException, lasts: Lasts) -> None:
    assert channel_error(error, reason="PublishRefused").lasts is lasts


class ClosedChannel:
    """A channel that cannot publish, for one reason or another."""

    connection = SimpleNamespace(params=SimpleNamespace(frame_max=131_072))

    def __init__(self, error: Exception) -> None:
        self._error = error

    def basic_publish(self, *_args: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "lasts"),
    [
        (exceptions.ChannelWrongStateError("closing"), Lasts.OUTAGE),
        (exceptions.ConnectionWrongStateError("closing"), Lasts.OUTAGE),
        (exceptions.ShortStringTooLong("k"), Lasts.NEVER),
        (AttributeError("a defect"), Lasts.NEVER),
    ],
)
def test_a_publish_that_raises_answers_its_caller(error: Exception, lasts: Lasts) -> None:
    pending = PendingPublish(OutgoingMessage("", "q", b""), WireProperties(headers={"a": 1}))
    Publisher(lambda: None)._transmit(ClosedChannel(error), pending)  # type: ignore[arg-type]
    failed = pending.done.exception(timeout=1)
    assert isinstance(failed, BrokerError)
    assert failed.lasts is lasts


@pytest.mark.parametrize(("count", "lasts"), [(1, Lasts.NEVER), (2, Lasts.OUTAGE)])
def test_of_several_messages_on_a_closed_channel_none_is_refused_for_good(count: int, lasts: Lasts) -> None:
    """It is not known which of them RabbitMQ closed the channel for."""
    publisher, channel = Publisher(lambda: None), ClosedChannel(ValueError())
    publisher._connection = SimpleNamespace(is_open=True, channel=lambda **_: None)
    publisher._channel = channel  # type: ignore[assignment]
    waiting = [PendingPublish(OutgoingMessage("", "q", b""), WireProperties()) for _ in range(count)]
    publisher._sent = dict(enumerate(waiting))
    publisher._on_closed(channel, exceptions.ChannelClosedByBroker(406, "too large"))  # type: ignore[arg-type]
    found = [pending.done.exception(timeout=1) for pending in waiting]
    assert [error.lasts for error in found if isinstance(error, BrokerError)] == [lasts] * count
