"""What brings back events that were lost in a full queue, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from genpool_gateway.adapters.events_queue import RabbitEvents
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.rebuilding.full_queues import FullQueues
from genpool_gateway.rebuilding.rebuilder import Rebuilder
from genpool_gateway.store.opening import TaskStore


@dataclass(frozen=True)
class _EventsOfVhost:
    name: VhostName
    queue: RabbitEvents
    take: Callable[[], None]

    def count(self) -> int | None:
        return self.queue.count()

    def begin(self) -> None:
        self.take()


@dataclass(frozen=True)
class Rebuilding:
    """Looks for full events queues, and reads ledgers back."""

    full: FullQueues
    rebuilder: Rebuilder

    def start(self) -> None:
        """Start both threads, and the taking of events; returns at once."""
        self.full.start()
        self.rebuilder.start()

    def stop(self, seconds: float) -> None:
        """End after the group in hand."""
        self.full.stop(seconds)
        self.rebuilder.stop(seconds)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        return self.full.unhealthy() or self.rebuilder.unhealthy()


def build_rebuilding(  # noqa: PLR0913 - what it looks at
    store: TaskStore,
    stores: Stores,
    pools: PoolSource,
    metrics: GatewayMetrics,
    events: Mapping[VhostName, tuple[RabbitEvents, Callable[[], None]]],
    *,
    now: Callable[[], datetime],
    most: int,
) -> Rebuilding:
    """Put it together. Connects to nothing. ``events``: the queue of each vhost, and what begins to take from it."""
    queues = [_EventsOfVhost(name, *queue) for name, queue in events.items()]
    rebuilder = Rebuilder(pools, stores, store.events, store.rebuilds, metrics, lambda: full.full)
    full = FullQueues(queues, pools, store.rebuilds, metrics, now=now, most=most, changed=rebuilder.soon)
    return Rebuilding(full, rebuilder)
