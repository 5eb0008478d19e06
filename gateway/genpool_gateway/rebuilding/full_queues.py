"""Looks whether an events queue is full: it drops its oldest events then, and that is noted in the task store.

A vhost's events are taken only after its queue was counted once: a queue that is being drained looks like one that
never was full.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from genpool_core import timing
from genpool_core.errors import BrokerError, GenPoolError
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.rebuilding.decide import is_full
from genpool_gateway.tasks.ports import RebuildStore

_log = structlog.get_logger(__name__)
VhostName = tuple[str, str]
"""Broker and vhost."""


class CountedQueue(Protocol):
    """The events queue of one vhost."""

    @property
    def name(self) -> VhostName:
        """Its vhost."""

    def count(self) -> int | None:
        """How many events wait; None where there is no such queue. Raises BrokerError."""

    def begin(self) -> None:
        """Take them from now on; returns at once."""


class FullCounts(Protocol):
    """For Prometheus."""

    def events_full(self, vhost: VhostName, *, yes: bool) -> None:
        """Whether a queue is full."""


class FullQueues:
    """A thread; see the module."""

    def __init__(  # noqa: PLR0913 - what it looks at, and whom it tells
        self,
        queues: Sequence[CountedQueue],
        pools: PoolSource,
        store: RebuildStore,
        counts: FullCounts,
        *,
        now: Callable[[], datetime],
        most: int,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``most``: events that a queue holds, by its policy. ``changed``: one is full, or no more."""
        self._queues = queues
        self._pools = pools
        self._store = store
        self._counts = counts
        self._now = now
        self._most = most
        self._changed = changed
        self._begun: set[VhostName] = set()
        self._full: frozenset[VhostName] = frozenset()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="full-events-queues", daemon=True)

    @property
    def full(self) -> frozenset[VhostName]:
        """Vhosts whose events queue was full when it was last counted."""
        return self._full

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join(seconds)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping.is_set()
        return None if alive else "the thread that looks for full events queues has ended: see the log."

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(self._seconds())

    def _seconds(self) -> float:
        """Until the next look."""
        if len(self._begun) < len(self._queues):
            return timing.EVENTS_COUNT_SECONDS
        return timing.EVENTS_FULL_SECONDS if self._full else timing.REBUILD_LOOK_SECONDS

    def look(self) -> None:
        """Count each queue. One that is full is noted before any of its events are taken."""
        for queue in self._queues:
            try:
                self._look_at(queue)
            except BrokerError:
                # Not known, which is neither full nor not. What is not connected takes no events either.
                continue
            except GenPoolError as error:
                _log.warning("events_loss_not_noted", reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - logged with its traceback; the next look may go well
                _log.exception("events_not_counted", broker=queue.name[0], vhost=queue.name[1])

    def _look_at(self, queue: CountedQueue) -> None:
        name = queue.name
        full = is_full(queue.count() or 0, self._most)
        self._counts.events_full(name, yes=full)
        if full:
            if name not in self._full:
                _log.warning("events_queue_full", broker=name[0], vhost=name[1], most=self._most)
            self._full |= {name}
            self._store.events_lost(pools_on(self._pools.snapshot(), {name}), self._now())
            self._changed()
        elif name in self._full:
            self._full -= {name}
            self._changed()
        if name not in self._begun:
            queue.begin()
            self._begun.add(name)


def pools_on(directory: PoolDirectory, vhosts: Collection[VhostName]) -> set[str]:
    """UIDs of the pools on some vhosts, also of those that take no task now."""
    return {
        pool.ref.uid
        for pool in directory.pools
        if pool.manifest is not None
        and (pool.manifest.spec.broker.name, pool.manifest.spec.broker.vhost) in vhosts
    }
