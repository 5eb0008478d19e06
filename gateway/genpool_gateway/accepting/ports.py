"""What accepting needs of the broker."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from genpool_gateway.tasks.record import TaskRecord


class WorkQueues(Protocol):
    """The work queues of all pools."""

    def publish(self, tasks: Sequence[TaskRecord]) -> list[Future[None]]:
        """Publish tasks to their pools' queues, in order, and wait for none; raises nothing.

        Each future ends when the broker has its task, or with a BrokerError whose ``uncertain`` tells whether it may
        have it. The event ``task.accepted`` follows each task.
        """
