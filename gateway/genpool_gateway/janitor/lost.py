"""Tasks whose message the broker has lost: published again, from what the task store has of them.

A queue that somebody deleted, or a broker that came back without its disk, tells nobody what was in it. A task is taken
for lost when the work queue, the delay steps and the workers of its pool have had nothing for a while, and nothing was
heard of it for as long. To be wrong about that costs a message: its ledger drops the repeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from genpool_adapters.told_once import ToldOnce
from genpool_core import timing
from genpool_core.api.status import QueueStatus
from genpool_core.backoff import Backoff
from genpool_core.ledger.records import EndRecord
from genpool_gateway.janitor.announcer import Announcer
from genpool_gateway.janitor.ending import live_claim
from genpool_gateway.janitor.ports import PoolBroker
from genpool_gateway.pools.pool import ServedPool, Serving
from genpool_gateway.pools.ports import ListedLedgers
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import LostStore
from genpool_gateway.tasks.record import TaskRecord

_log = structlog.get_logger(__name__)
#: Tasks of a pool in one look.
MOST = 256
#: A worker that drops a message and tells nothing must not be given it every minute.
_AGAIN = Backoff(timing.LOST_SECONDS, timing.LOST_MOST_SECONDS, spread=0.0)


def says_idle(queue: QueueStatus, now: datetime) -> bool:
    """Whether the operator says, and not too long ago, that nothing waits and nobody works. Pure."""
    if queue.observed_at is None or (queue.waiting, queue.running) != (0, 0):
        return False
    return now - queue.observed_at <= timedelta(seconds=timing.POOL_STATUS_SILENT_SECONDS)


@dataclass
class Retries:
    """Tasks that were published again: how often, and until when they are left alone. Pure."""

    tries: dict[str, int] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)

    def may(self, task: str, now: float) -> bool:
        """Whether it may be published again now."""
        return now >= self.until.get(task, 0.0)

    def again(self, tasks: Iterable[str], now: float) -> None:
        """They are published again."""
        for task in tasks:
            self.tries[task] = self.tries.get(task, 0) + 1
            self.until[task] = now + _AGAIN.seconds(self.tries[task])

    def forget(self, now: float) -> None:
        """Drop those that were not looked for in a long time."""
        old = [task for task, until in self.until.items() if now - until > timing.LOST_MOST_SECONDS]
        for task in old:
            del self.tries[task], self.until[task]


class LostTasks:
    """Looks now and then, in one thread; keeps since when each pool has been empty."""

    def __init__(  # noqa: PLR0913 - what it asks
        self,
        pools: PoolSource,
        store: LostStore,
        broker: PoolBroker,
        ledgers: ListedLedgers,
        announcer: Announcer,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pools = pools
        self._store = store
        self._broker = broker
        self._ledgers = ledgers
        self._announcer = announcer
        self._now = now
        self._monotonic = monotonic
        self._empty_since: dict[str, float] = {}
        self._tried = Retries()
        self._told = ToldOnce("lost_tasks_unknown")

    def look(self) -> None:
        """Publish again what was lost. Raises GenPoolError: look again later."""
        if self._pools.outdated() is not None:
            self._empty_since.clear()
            return
        self._tried.forget(self._monotonic())
        empty: dict[str, float] = {}
        for pool in self._pools.snapshot().pools:
            with self._told.of(pool.name):
                self._look_at(pool, empty)
        self._empty_since = empty

    def _look_at(self, pool: ServedPool, empty: dict[str, float]) -> None:
        now = self._now()
        if pool.serving is None or not says_idle(pool.status.queue, now):
            return
        before = now - timedelta(seconds=timing.LOST_SECONDS)
        found = self._store.unheard_of(pool.ref.uid, before=before, limit=MOST)
        if not found or not self._is_empty(pool.serving):
            return
        moment = self._monotonic()
        since = empty[pool.ref.uid] = self._empty_since.get(pool.ref.uid, moment)
        if moment - since >= timing.LOST_SECONDS:
            self._act(pool.serving, [each for each in found if self._tried.may(each.id, moment)])

    def _is_empty(self, serving: Serving) -> bool:
        """Whether no message of the pool is in the broker. A queue that is missing is its operator's to make first."""
        count = self._broker.count(serving)
        return count is not None and count.ready == 0 and self._broker.count_delayed(serving) == 0

    def _act(self, serving: Serving, records: Iterable[TaskRecord]) -> None:
        ledger, lost = self._ledgers.ledger(serving.config), []
        for record in records:
            # Without a ledger the worker finds what is there already, and announces it.
            state = None if ledger is None else ledger.read(record.id, record.position.run)
            if state is not None and state.end is not None:
                self._announce(serving, state.end)
            elif state is None or live_claim(state.claims, state.ages) is None:
                lost.append(record.id)
        if lost:
            pool = serving.config.pool
            _log.warning("lost_tasks_published_again", pool=f"{pool.namespace}/{pool.name}", tasks=len(lost))
            self._tried.again(lost, self._monotonic())
            self._store.publish_again(lost)

    def _announce(self, serving: Serving, end: EndRecord) -> None:
        """An end of which the store did not hear."""
        if end.worker:
            self._announcer.store(serving.config.pool, end)
        else:
            self._announcer.announce(serving, end)
