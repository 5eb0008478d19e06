"""What takes the events of workers, for each vhost, put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from genpool_adapters.amqp import AmqpParameters
from genpool_gateway.adapters.events_queue import RabbitEvents
from genpool_gateway.adapters.publisher import ConfirmedPublisher
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.events.asked import AskedCallbacks
from genpool_gateway.events.passing import PassingEvents
from genpool_gateway.events.state_events import StateEvents
from genpool_gateway.factory.janitor import Endings
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.store.opening import TaskStore


@dataclass(frozen=True)
class Events:
    """The queue of each vhost, and the thread that stores what it brings."""

    of: Mapping[VhostName, tuple[RabbitEvents, StateEvents]]

    def start(self) -> None:
        """Connect, and start all threads; returns at once. Nothing is taken before ``takers`` are called."""
        for queue, stored in self.of.values():
            queue.connect()
            stored.start()

    def takers(self, passing: PassingEvents) -> dict[VhostName, tuple[RabbitEvents, Callable[[], None]]]:
        """Each queue, and what begins to take from it; ``passing`` gets what is not stored, such as progress."""
        return {
            name: (queue, partial(queue.take, stored.put, passing.put))
            for name, (queue, stored) in self.of.items()
        }

    def stop(self, deadline: float) -> None:
        """Store what is in hand, by ``deadline`` in monotonic seconds; what was not acknowledged comes again."""
        for queue, stored in self.of.values():
            stored.stop(max(0.5, deadline - time.monotonic()))
            queue.stop(deadline)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        troubles = (stored.unhealthy() for _, stored in self.of.values())
        return next((trouble for trouble in troubles if trouble is not None), None)


def build_events(
    store: TaskStore,
    pools: PoolSource,
    endings: Endings,
    vhosts: Mapping[VhostName, AmqpParameters],
    publishers: Mapping[VhostName, ConfirmedPublisher],
) -> Events:
    """Put them together. Connects to nothing."""

    def events_of(name: VhostName, parameters: AmqpParameters) -> tuple[RabbitEvents, StateEvents]:
        queue = RabbitEvents(parameters)
        stored = StateEvents(
            store.events,
            store.unended,
            queue,
            AskedCallbacks(store.reader, pools, publishers[name]),
            place=parameters.place,
            on_dropped=endings.backlog.soon,
        )
        return queue, stored

    return Events({name: events_of(name, parameters) for name, parameters in vhosts.items()})
