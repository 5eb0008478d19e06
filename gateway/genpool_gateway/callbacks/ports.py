"""What the dispatcher needs of the world, as small as it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from genpool_core.api.security import HostRule
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.callbacks.disposition import Outcome


@dataclass(frozen=True)
class WebhookRequest:
    """A callback as it is sent. The URL's query is secret."""

    id: str
    url: str = field(repr=False)
    allow: Sequence[HostRule]
    body: bytes = field(repr=False)
    pool_uid: str
    """Whose secret signs it."""
    receiver: str = ""
    """Host and port, for limits and logs."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside those of the signature."""


class CallbackQueue(Protocol):
    """The callbacks queue of one vhost, with its delay steps and its dead-letter queue."""

    def publish(self, message: OutgoingMessage) -> None:
        """Publish, confirmed and mandatory; raises BrokerError."""

    def holds(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours to answer."""

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge; False when the broker has requeued it."""

    def reject(self, delivery: Delivery) -> bool:
        """Have the broker move it to the dead-letter queue as it came; False when the broker has requeued it."""


class Receiver(Protocol):
    """The receiver of a callback."""

    def send(self, request: WebhookRequest) -> Outcome:
        """One attempt to deliver a callback, in bounded time; raises nothing."""


class Metrics(Protocol):
    """What is counted and measured."""

    def delivered(self, seconds: float) -> None:
        """Delivered; the attempt took so long."""

    def retried(self, seconds: float) -> None:
        """It waits for another attempt."""

    def dead(self, reason: str) -> None:
        """It went to the dead-letter queue."""

    def stepped_aside(self) -> None:
        """It stepped aside for other receivers."""
