"""One vhost's callbacks queue on RabbitMQ: a connection to consume and one to publish."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.callbacks.receiver_schedule import WINDOW


class RabbitCallbackQueue:
    """The callbacks queue of a vhost; see :class:`genpool_gateway.callbacks.ports.CallbackQueue`."""

    def __init__(
        self,
        settings: AmqpParameters,
        *,
        on_change: Callable[[bool, str], None] | None = None,
    ) -> None:
        self.place = settings.place
        name = settings.connection_name or "genpool-gateway"
        self._consuming = AmqpConnection(
            replace(settings, connection_name=f"{name}-consume"), on_change=on_change
        )
        self._publishing = AmqpConnection(replace(settings, connection_name=f"{name}-publish"))

    def start(self, on_delivery: Callable[[Delivery], None]) -> None:
        """Connect, and give each delivery to ``on_delivery``, which must return soon; returns at once."""
        self._consuming.consume(names.CALLBACKS_QUEUE, on_delivery, prefetch=WINDOW)
        self._publishing.start()
        self._consuming.start()

    def trouble(self) -> str | None:
        """Why it does not work now; None when it does, or when there is no such vhost, and so no callback, yet."""
        for connection in (self._consuming, self._publishing):
            if not connection.connected and not connection.vhost_missing:
                return connection.last_sentence
        return None

    def begin_stop(self) -> None:
        """Take no more deliveries."""
        self._consuming.cancel()

    def stop(self, deadline: float) -> None:
        """Close both connections, by ``deadline`` in monotonic seconds or soon after it. The rest is requeued."""
        for connection in (self._consuming, self._publishing):
            connection.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def publish(self, message: OutgoingMessage) -> None:
        """Publish, confirmed and mandatory; raises BrokerError."""
        self._publishing.publish(message)

    def holds(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours to answer."""
        return self._consuming.holds(delivery)

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge; False when the broker has requeued it."""
        return self._consuming.ack(delivery)

    def reject(self, delivery: Delivery) -> bool:
        """Have the broker move it to the dead-letter queue; the queue is a quorum queue, so it cannot be lost."""
        return self._consuming.nack(delivery, requeue=False)
