"""What the events need of the broker and of those who watch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from genpool_core.messages.amqp import Delivery
from genpool_gateway.tasks.record import StoredEvent


class EventsQueue(Protocol):
    """The queue with the state events of one vhost."""

    def ack_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge what the task store has; raises nothing: what the broker requeued comes again."""


class Watchers(Protocol):
    """Those who watch tasks, in this process."""

    def tell(self, events: Sequence[StoredEvent]) -> None:
        """Tell them of what was stored; returns at once, from any thread."""

    def look(self, tasks: Collection[str]) -> None:
        """Have them read the store: another gateway stored something; returns at once, from any thread."""
