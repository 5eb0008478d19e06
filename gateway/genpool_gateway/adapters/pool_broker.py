"""The broker of each pool, by the publishing connection of its vhost. See :mod:`genpool_gateway.janitor.ports`."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_adapters.amqp import AmqpConnection
from genpool_adapters.amqp.values import QueueCount
from genpool_core import names, timing
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import OutgoingMessage
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.pools.pool import Serving


class RabbitPoolBroker:
    """Used by many threads."""

    def __init__(self, connections: Mapping[VhostName, AmqpConnection]) -> None:
        self._connections = connections

    def publish(self, serving: Serving, message: OutgoingMessage) -> None:
        """Publish in the pool's vhost, and wait until the broker has it."""
        self._connection(serving).publish(message, timeout=timing.END_PUBLISH_SECONDS)

    def count(self, serving: Serving) -> QueueCount | None:
        """Counts of the pool's work queue; None where there is no such queue."""
        return self._connection(serving).passive_declare(serving.queue)

    def count_delayed(self, serving: Serving) -> int:
        """Messages in the delay steps of the pool's vhost, of whatever pool; a step that is missing has none."""
        connection = self._connection(serving)
        counts = [connection.passive_declare(names.retry_step(seconds)) for seconds in timing.RETRY_STEPS]
        return sum(0 if count is None else count.ready for count in counts)

    def _connection(self, serving: Serving) -> AmqpConnection:
        connection = self._connections.get((serving.broker, serving.vhost))
        if connection is None:
            raise BrokerError(
                f"vhost {serving.vhost} of broker {serving.broker} is none of this gateway's.",
                reason="BrokerUnreachable",
                lasts=Lasts.REPAIR,
            )
        return connection
