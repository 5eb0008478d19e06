"""Events of one vhost on RabbitMQ: the durable queue of state events, and a passing one of this gateway's own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery
from genpool_gateway.events.state_events import WINDOW

#: What is not kept: each gateway hears all of it.
_PASSING = ("task.progress", "task.preview", "worker.heartbeat")


class RabbitEvents:
    """A connection that consumes both. See :class:`genpool_gateway.events.ports.EventsQueue`."""

    def __init__(self, settings: AmqpParameters) -> None:
        name = settings.connection_name or "genpool-gateway"
        self._connection = AmqpConnection(replace(settings, connection_name=f"{name}-events"))

    def connect(self) -> None:
        """Begin to connect; returns at once."""
        self._connection.start()

    def count(self) -> int | None:
        """How many state events wait; None where there is no such queue. Raises BrokerError."""
        # On the connection that consumes: the broker may hold up those that publish.
        found = self._connection.passive_declare(names.GATEWAY_EVENTS_QUEUE)
        return None if found is None else found.ready

    def take(self, on_state: Callable[[Delivery], None], on_passing: Callable[[Delivery], None]) -> None:
        """Give each delivery to the one it is for, which must return soon; returns at once."""
        self._connection.consume(names.GATEWAY_EVENTS_QUEUE, on_state, prefetch=WINDOW)
        self._connection.declare_exclusive(
            names.watch_queue(secrets.token_hex(8)),
            bindings=[(names.EVENTS_EXCHANGE, f"*.{kind}") for kind in _PASSING],
            on_message=on_passing,
        )

    def trouble(self) -> str | None:
        """Why nothing is heard now; None when it is, or when there is no such vhost yet."""
        connection = self._connection
        return None if connection.connected or connection.vhost_missing else connection.last_sentence

    def ack_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge; what is not ours any more, the broker has requeued."""
        self._connection.ack_all(deliveries)

    def stop(self, deadline: float) -> None:
        """Close, by ``deadline`` in monotonic seconds or soon after it."""
        self._connection.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))
