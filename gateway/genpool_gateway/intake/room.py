"""Whether the queue of a pool has room for one more task, by the broker's own count of it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from genpool_core.errors import BrokerError
from genpool_gateway.intake.route import Publish, PutAside, most_waiting, put_aside
from genpool_gateway.pools.waiting import Waiting

_log = structlog.get_logger(__name__)


class Rooms:
    """The queues of the pools behind one intake. Used by one thread.

    ``count``: asks the broker; raises BrokerError. It is asked once a second at most, and what was published since is
    added. Several gateways that publish at once may go over the limit by what they publish in that second.
    """

    def __init__(self, count: Callable[[str], int | None]) -> None:
        self._count = count
        self._known: dict[str, Waiting] = {}

    def admit(self, decision: Publish, now: float) -> Publish | PutAside:
        """The decision, where there is room; else the task waits. ``now``: monotonic."""
        pool, queue = decision.pool, decision.serving.queue
        most = most_waiting(pool)
        if most is None:
            return decision
        waiting = self._known.setdefault(queue, Waiting())
        if waiting.is_due(now):
            self._read(queue, waiting, now)
        full = waiting.is_full(most)
        if full is None:
            return put_aside(
                decision,
                "PoolUnavailable",
                f"how many tasks wait in queue {queue} of pool {pool.name} is not known.",
            )
        if full:
            text = f"pool {pool.name} has {waiting.known} waiting tasks, and queue.maxWaiting is {most}."
            return put_aside(decision, "QueueFull", text)
        waiting.add()
        return decision

    def _read(self, queue: str, waiting: Waiting, now: float) -> None:
        waiting.asked(now)
        try:
            count = self._count(queue)
        except BrokerError as error:
            _log.warning("queue_not_counted", queue=queue, reason=error.reason, message=error.message)
            return
        if count is not None:
            waiting.read(count, now)
