"""What the events need of the broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from genpool_core.messages.amqp import Delivery


class EventsQueue(Protocol):
    """The queue with the state events of one vhost."""

    def ack_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge what the task store has; raises nothing: what the broker requeued comes again."""
