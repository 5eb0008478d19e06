"""One look at the messages of a work queue on RabbitMQ, by a connection that lives no longer.

No more is delivered than is held, so nothing is on its way when the consumer is cancelled: what is given back then goes
back in its order, on quorum and classic queues.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import timing
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.janitor.ports import HeldMessages
from genpool_gateway.pools.pool import Serving


class RabbitWorkQueuePass:
    """See :class:`genpool_gateway.janitor.ports.WorkQueuePass`."""

    def __init__(self, places: Mapping[VhostName, AmqpParameters]) -> None:
        self._places = places
        self._connection: AmqpConnection | None = None

    def hold(self, serving: Serving, most: int) -> HeldMessages:
        """Hold the first messages; none where somebody consumes the queue now. Raises BrokerError."""
        settings = self._places[serving.broker, serving.vhost]
        name = settings.connection_name or "genpool-gateway"
        connection = AmqpConnection(replace(settings, connection_name=f"{name}-take-out"))
        self._connection = connection
        held: list[Delivery] = []
        complete = threading.Event()
        connection.start()
        if not connection.wait_connected(timing.TAKE_OUT_PASS_SECONDS):
            raise BrokerError(f"queue {serving.queue}: {connection.last_sentence}")
        count = connection.passive_declare(serving.queue)
        if count is None or count.consumers or not count.ready:
            # A worker that has come meanwhile drops the messages itself.
            return HeldMessages((), whole=False)
        expected = min(most, count.ready)

        def take(delivery: Delivery) -> None:
            held.append(delivery)
            if len(held) >= expected:
                complete.set()

        connection.consume(serving.queue, take, prefetch=expected)
        complete.wait(timing.TAKE_OUT_PASS_SECONDS)
        connection.cancel()
        return HeldMessages(tuple(held), whole=len(held) >= count.ready)

    def settle(self, drop: Sequence[Delivery], keep: Sequence[Delivery]) -> None:
        """Acknowledge some, and give the others back in their order."""
        connection = self._connection
        if connection is None:
            return
        connection.ack_all(drop)
        for delivery in keep:
            connection.nack(delivery, requeue=True)

    def close(self) -> None:
        """End the look; what was not settled goes back."""
        if self._connection is not None:
            self._connection.stop(timing.GATEWAY_CLOSE_SECONDS)
