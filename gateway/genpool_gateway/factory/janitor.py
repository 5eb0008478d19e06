"""The ends that no worker makes, put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import timing
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.adapters.janitor_queue import RabbitJanitorQueue
from genpool_gateway.adapters.pool_broker import RabbitPoolBroker
from genpool_gateway.adapters.queue_passes import RabbitWorkQueuePasses
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.janitor.announcer import Announcer
from genpool_gateway.janitor.backlog import Backlog
from genpool_gateway.janitor.ends import Ends
from genpool_gateway.janitor.janitor import Janitor
from genpool_gateway.janitor.lanes import Lanes
from genpool_gateway.janitor.lost import LostTasks
from genpool_gateway.janitor.sweeper import Sweeper
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.store.opening import TaskStore


@dataclass(frozen=True)
class Endings:
    """What ends tasks without a worker."""

    ends: Ends
    sweeper: Sweeper
    backlog: Backlog
    janitors: tuple[Janitor, ...]
    lanes: Lanes
    lost: LostTasks

    def start(self) -> None:
        """Start all threads; returns at once."""
        self.sweeper.start()
        self.backlog.start()
        for janitor in self.janitors:
            janitor.start()

    def stop(self, deadline: float) -> None:
        """Begin nothing more, by ``deadline`` in monotonic seconds; what is missing is done after the next start."""
        self.sweeper.stop(timing.GATEWAY_CLOSE_SECONDS)
        self.backlog.stop(timing.GATEWAY_CLOSE_SECONDS)
        self.lanes.stop()
        for janitor in self.janitors:
            janitor.stop(min(deadline, time.monotonic() + timing.GATEWAY_CLOSE_SECONDS))

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        return self.sweeper.unhealthy() or self.backlog.unhealthy()


def build_endings(  # noqa: PLR0913 - what they are made of
    store: TaskStore,
    stores: Stores,
    pools: PoolSource,
    places: Mapping[VhostName, AmqpParameters],
    publishing: Mapping[VhostName, AmqpConnection],
    *,
    now: Callable[[], datetime],
    refused: Callable[[StoreConfig], str | None],
) -> Endings:
    """Put them together. Connects to nothing.

    ``refused``: why no end can be written into a store before somebody changes something, where that is known.
    """
    broker, lanes = RabbitPoolBroker(publishing), Lanes()
    announcer = Announcer(broker, stores, store.events)
    ends = Ends(pools, stores, broker, announcer, store.unended, store.places, now=now, refused=refused)
    backlog = Backlog(store.unended, pools, broker, RabbitWorkQueuePasses(places), lanes, now=now)
    janitors = tuple(
        Janitor(
            name,
            RabbitJanitorQueue(place, publishing[name]),
            pools,
            stores,
            announcer,
            store.unended,
            lanes,
            now=now,
        )
        for name, place in places.items()
    )
    sweeper = Sweeper(store.unended, ends, lanes, now=now, ended=backlog.soon)
    lost = LostTasks(pools, store.lost, broker, stores, announcer, now=now)
    return Endings(ends, sweeper, backlog, janitors, lanes, lost)
