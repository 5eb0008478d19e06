"""One intake on RabbitMQ: a connection to consume, acknowledge and count, and one to publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import timing
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.intake.consumer import WINDOW


class RabbitIntakeQueue:
    """See :class:`genpool_gateway.intake.ports.IntakeQueue`.

    The connections are of this intake alone: a message for which the broker closes a channel fails no other publish.
    """

    def __init__(self, settings: AmqpParameters, queue: str) -> None:
        name = f"{settings.connection_name or 'genpool-gateway'}-intake"
        self._queue = queue
        self._on_lost: Callable[[], None] = lambda: None
        self._consuming = AmqpConnection(
            replace(settings, connection_name=f"{name}-consume"), on_change=self._changed
        )
        self._publishing = AmqpConnection(replace(settings, connection_name=f"{name}-publish"))

    @property
    def connected(self) -> bool:
        """Whether there is a connection that publishes."""
        return self._publishing.connected

    def start(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[], None]) -> None:
        """Connect and consume; returns at once."""
        self._on_lost = on_lost
        self._consuming.consume(self._queue, on_delivery, prefetch=WINDOW)
        self._publishing.start()
        self._consuming.start()

    def pause(self) -> None:
        """Take no more deliveries."""
        self._consuming.cancel()

    def stop(self, seconds: float) -> None:
        """Close both connections."""
        deadline = time.monotonic() + seconds
        for connection in (self._consuming, self._publishing):
            connection.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def publish(self, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Publish in order, and wait for none."""
        return self._publishing.publish_all(messages)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge."""
        self._consuming.ack_all(deliveries)

    def requeue(self, delivery: Delivery) -> None:
        """Give back."""
        self._consuming.nack(delivery, requeue=True)

    def reject(self, delivery: Delivery) -> None:
        """Have the broker move it to the dead-letter queue, by the intake's policy."""
        self._consuming.nack(delivery, requeue=False)

    def waiting(self, queue: str) -> int | None:
        """Asked on the connection that consumes: the broker may hold up the other one."""
        found = self._consuming.passive_declare(queue)
        return None if found is None else found.ready

    def _changed(self, connected: bool, _sentence: str) -> None:  # noqa: FBT001 - a callback
        if not connected:
            self._on_lost()
