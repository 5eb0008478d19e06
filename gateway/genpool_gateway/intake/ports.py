"""What an intake needs of the broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from genpool_core.messages.amqp import Delivery, OutgoingMessage


class IntakeQueue(Protocol):
    """One intake on the broker. Its deliveries are answered on the connection that brought them."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection that publishes."""

    def start(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[], None]) -> None:
        """Connect and consume; returns at once. ``on_lost``: the broker has requeued all that was delivered before."""

    def pause(self) -> None:
        """Take no more deliveries. Raises BrokerError."""

    def stop(self, seconds: float) -> None:
        """Close, within so many seconds or soon after; what was not answered is requeued."""

    def publish(self, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Publish in order, and wait for none; raises nothing. Each future may end with a BrokerError."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge; what is not ours any more, the broker has requeued."""

    def requeue(self, delivery: Delivery) -> None:
        """Give back."""

    def reject(self, delivery: Delivery) -> None:
        """Have the broker move it to the dead-letter queue as it came."""

    def waiting(self, queue: str) -> int | None:
        """Messages that wait in a queue of the vhost; None where there is no such queue. Raises BrokerError."""


class IntakeCounts(Protocol):
    """Counts of one intake."""

    def routed(self, pool: str) -> None:
        """A task came to its pool."""

    def put_aside(self, reason: str) -> None:
        """A message waits in a delay step."""

    def dead(self, reason: str) -> None:
        """A message was refused."""
