"""What the ends need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from genpool_adapters.amqp.values import QueueCount
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.pools.pool import Serving


class PoolBroker(Protocol):
    """The broker of each pool, as the gateway's user. Every method raises BrokerError."""

    def publish(self, serving: Serving, message: OutgoingMessage) -> None:
        """Publish in the pool's vhost, and wait until the broker has it."""

    def count(self, serving: Serving) -> QueueCount | None:
        """Counts of the pool's work queue; None where there is no such queue."""

    def count_delayed(self, serving: Serving) -> int:
        """Messages in the delay steps of the pool's vhost, of whatever pool; a step that is missing has none."""


class JanitorQueue(Protocol):
    """The queue of one vhost into which RabbitMQ dead-letters by itself."""

    def start(self, on_delivery: Callable[[Delivery], None]) -> None:
        """Connect, and give each delivery to ``on_delivery``, which must return soon; returns at once."""

    def stop(self, deadline: float) -> None:
        """Close, by ``deadline`` in monotonic seconds or soon after it; the broker requeues the rest."""

    def publish(self, message: OutgoingMessage) -> None:
        """Publish, confirmed and mandatory; raises BrokerError."""

    def holds(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours to answer."""

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge; False when the broker has requeued it."""


@dataclass(frozen=True)
class HeldMessages:
    """The first messages of a work queue, in order, held and not acknowledged."""

    deliveries: Sequence[Delivery]
    whole: bool
    """Whether these are all that wait."""
    drop: Callable[[Sequence[Delivery]], None]
    """Acknowledges some; raises BrokerError."""


class WorkQueuePasses(Protocol):
    """The work queues of all pools."""

    def holding(self, serving: Serving, most: int) -> AbstractContextManager[HeldMessages]:
        """Hold the first messages of a queue; none where somebody consumes it now.

        What was not dropped goes back at the end, in its order. Raises BrokerError.
        """
