"""One subscription of a connection, on a channel of its own. Everything in it runs in the owning thread.

The channel stays open while consuming is paused, so that what was delivered can still be answered. When the broker
closes the channel (the queue is missing) or cancels the consumer (the queue was deleted, its leader moved), it is
tried again after a growing wait, for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pika
import structlog

from genpool_adapters.amqp.failures import code_of, innermost
from genpool_adapters.amqp.values import Token, delivery_of
from genpool_adapters.amqp.wire import WireProperties
from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery

_log = structlog.get_logger(__name__)
OnMessage = Callable[[Delivery], None]


@dataclass(frozen=True)
class Subscription:
    """What to consume. An ``exclusive`` queue is ours alone, goes with its channel and its messages need no answer."""

    queue: str
    on_message: OnMessage
    prefetch: int = 1
    exclusive: bool = False
    bindings: Sequence[tuple[str, str]] = ()
    """Exchange and routing key, for an exclusive queue."""


class Consumer:
    """Keeps one subscription alive."""

    def __init__(self, subscription: Subscription, backoff: Backoff | None = None) -> None:
        self.subscription = subscription
        self._backoff = backoff or Backoff()
        self._connection: pika.SelectConnection | None = None
        self._channel: pika.channel.Channel | None = None
        self._tag: str | None = None
        self._unanswered: set[int] = set()
        self._opening = False
        self._paused = False
        self._failures = 0
        self._waiting: tuple[object, Callable[[], None]] | None = None
        self.active = False

    def attach(self, connection: pika.SelectConnection) -> None:
        """Start on a connection that has just opened."""
        self._connection = connection
        self._failures = 0
        self._open()

    def detach(self) -> None:
        """The connection is gone, and with it every delivery that was not answered."""
        self._connection = None
        self._opening = False
        self._waiting = None
        self._forget_channel()

    def try_now(self) -> None:
        """Try at once, if it waits before it tries again."""
        if self._waiting is None or self._connection is None:
            return
        handle, again = self._waiting
        self._connection.ioloop.remove_timeout(handle)
        self._failures = 0
        again()

    def pause(self) -> None:
        """Stop consuming; deliveries that are on their way go back to the queue."""
        if self.subscription.exclusive or self._paused:
            return
        self._paused = True
        self.active = False
        if self._channel is not None and self._channel.is_open and self._tag is not None:
            self._channel.basic_cancel(self._tag, callback=lambda _frame: None)
        self._tag = None

    def resume(self) -> None:
        """Consume again after :meth:`pause`."""
        if not self._paused:
            return
        self._paused = False
        if self._channel is None:
            self._open()
        else:
            self._consume(self._channel)

    def holds(self, token: Token) -> bool:
        """Whether this delivery can still be answered."""
        channel = self._channel
        return token.channel is channel and channel.is_open and token.tag in self._unanswered

    def answer(self, token: Token, *, accept: bool, requeue: bool) -> bool | None:
        """Acknowledge or give back a delivery. None: it is not of this consumer. False: its channel is gone."""
        if token.channel is not self._channel:
            return None
        if not self.holds(token):
            return False
        self._unanswered.discard(token.tag)
        if accept:
            self._channel.basic_ack(token.tag)
        else:
            self._channel.basic_nack(token.tag, requeue=requeue)
        return True

    def _is_current(self, channel: pika.channel.Channel) -> bool:
        return channel is self._channel

    def _forget_channel(self) -> None:
        self._channel = None
        self._tag = None
        self.active = False
        self._unanswered.clear()

    def _open(self) -> None:
        if (
            self._connection is None
            or not self._connection.is_open
            or self._opening
            or self._channel is not None
        ):
            return
        self._opening = True
        self._connection.channel(on_open_callback=self._on_open)

    def _on_open(self, channel: pika.channel.Channel) -> None:
        self._opening = False
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_cancel_callback(lambda frame: self._on_cancelled(channel, frame))
        if self.subscription.exclusive:
            channel.queue_declare(
                self.subscription.queue,
                exclusive=True,
                auto_delete=True,
                callback=lambda frame: self._bind(
                    channel, frame.method.queue, list(self.subscription.bindings)
                ),
            )
        else:
            channel.basic_qos(
                prefetch_count=self.subscription.prefetch, callback=lambda _frame: self._consume(channel)
            )

    def _bind(self, channel: pika.channel.Channel, queue: str, bindings: list[tuple[str, str]]) -> None:
        if not bindings:
            self._consume(channel, queue)
            return
        exchange, key = bindings[0]
        channel.queue_bind(
            queue, exchange, key, callback=lambda _frame: self._bind(channel, queue, bindings[1:])
        )

    def _consume(self, channel: pika.channel.Channel, queue: str | None = None) -> None:
        if not self._is_current(channel) or not channel.is_open or self._paused or self._tag is not None:
            return
        self._tag = channel.basic_consume(
            queue or self.subscription.queue,
            self._on_delivery,
            auto_ack=self.subscription.exclusive,
            exclusive=self.subscription.exclusive,
            callback=self._on_consuming,
        )

    def _on_consuming(self, frame: pika.frame.Method[pika.spec.Basic.ConsumeOk]) -> None:
        if frame.method.consumer_tag == self._tag:
            self.active = True
            self._failures = 0

    def _on_delivery(
        self,
        channel: pika.channel.Channel,
        method: pika.spec.Basic.Deliver,
        properties: WireProperties,
        body: bytes,
    ) -> None:
        try:
            delivery = delivery_of(channel, method, properties, body)
        except Exception:  # noqa: BLE001 - delivered again it would do the same: not at once, and the broker counts it
            _log.exception("amqp_delivery_unreadable", queue=self.subscription.queue)
            if not self.subscription.exclusive and self._connection is not None:
                give_back = lambda: channel.is_open and channel.basic_nack(method.delivery_tag, requeue=True)  # noqa: E731
                self._connection.ioloop.call_later(timing.FAULT_SECONDS, give_back)
            return
        if delivery.unreadable:
            lacks = headers.left_out(None, delivery.unreadable)
            _log.warning("message_partly_unreadable", queue=self.subscription.queue, unreadable=lacks)
        if not self.subscription.exclusive:
            self._unanswered.add(method.delivery_tag)
        try:
            self.subscription.on_message(delivery)
        except Exception:  # noqa: BLE001 - a listener's defect costs one delivery, not the connection
            _log.exception("amqp_listener_failed", queue=self.subscription.queue)

    def _on_cancelled(
        self, channel: pika.channel.Channel, frame: pika.frame.Method[pika.spec.Basic.Cancel]
    ) -> None:
        if not self._is_current(channel) or frame.method.consumer_tag != self._tag:
            return
        self._tag = None
        self.active = False
        if self.subscription.exclusive:
            channel.close()
        else:
            self._later("RabbitMQ cancelled the consumer", lambda: self._consume(channel))

    def _on_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        if not self._is_current(channel):
            return
        self._forget_channel()
        self._later(innermost(reason), self._open, code=code_of(reason))

    def _later(self, why: str, again: Callable[[], None], code: int | None = None) -> None:
        """Try again after a wait; said once at ``info``, as a missing queue may be made only later."""
        if self._connection is None or not self._connection.is_open:
            return
        self._failures += 1
        wait = self._backoff.seconds(self._failures, random.random())  # noqa: S311 - spreads load, guards nothing
        level = _log.info if self._failures == 1 else _log.debug
        level("amqp_consumer_waits", queue=self.subscription.queue, reason=why, code=code, retry_seconds=wait)

        def act() -> None:
            self._waiting = None
            again()

        self._waiting = self._connection.ioloop.call_later(wait, act), act
