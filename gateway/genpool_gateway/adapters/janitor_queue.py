"""One vhost's janitor queue on RabbitMQ: a connection to consume; its copies go out by the one that publishes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery, OutgoingMessage

#: Messages in hand: one that waits for its worker or its bucket holds up the others only when they are so many.
WINDOW = 256


class RabbitJanitorQueue:
    """See :class:`genpool_gateway.janitor.ports.JanitorQueue`."""

    def __init__(self, settings: AmqpParameters, publishing: AmqpConnection) -> None:
        name = settings.connection_name or "genpool-gateway"
        self._consuming = AmqpConnection(replace(settings, connection_name=f"{name}-janitor"))
        self._publishing = publishing

    def start(self, on_delivery: Callable[[Delivery], None]) -> None:
        """Connect, and give each delivery to ``on_delivery``, which must return soon; returns at once."""
        self._consuming.consume(names.JANITOR_QUEUE, on_delivery, prefetch=WINDOW)
        self._consuming.start()

    def stop(self, deadline: float) -> None:
        """Close, by ``deadline`` in monotonic seconds or soon after it; the broker requeues the rest."""
        self._consuming.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def publish(self, message: OutgoingMessage) -> None:
        """Publish, confirmed and mandatory; raises BrokerError."""
        self._publishing.publish(message, timeout=timing.END_PUBLISH_SECONDS)

    def holds(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours to answer."""
        return self._consuming.holds(delivery)

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge; False when the broker has requeued it."""
        return self._consuming.ack(delivery)
