"""The operator's own heart: threads that look at pools when something happened, each second, and each half minute.

kopf's timers, daemons and change handlers would put a finalizer on every pool; pools could then not be deleted any
more once the operator is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.backoff import Backoff
from genpool_core.errors import GenPoolError
from genpool_operator.decide.objects import PoolRecord
from genpool_operator.handlers.workqueue import Item, Key, WorkQueue
from genpool_operator.reconcile.pool_reconciler import PoolReconciler

_log = structlog.get_logger(__name__)
WORKERS = 4
BACKOFF = Backoff(timing.RECONCILE_RETRY_SECONDS, timing.RECONCILE_RETRY_MOST_SECONDS, spread=0.0)


class Records(Protocol):
    """The pools that are known."""

    def records(self) -> Sequence[PoolRecord]:
        """All of them."""

    def record(self, key: Key) -> PoolRecord | None:
        """One of them."""


class Telemetry(Protocol):
    """Where figures go."""

    def took(self, seconds: float, *, full: bool) -> None:
        """A look took so long."""

    def failed(self, reason: str) -> None:
        """A look failed."""

    def show(self, namespace: str, pool: str, status: GenerationPoolStatus) -> None:
        """What is known of a pool."""


class Manager:
    """Worker threads around a queue, and a ticker."""

    def __init__(self, records: Records, reconciler: PoolReconciler, telemetry: Telemetry) -> None:
        self._records = records
        self._reconciler = reconciler
        self._telemetry = telemetry
        self._queue = WorkQueue()
        self._stopped = threading.Event()
        self._failures: dict[Key, int] = {}
        self._keys: dict[str, Key] = {}
        self._last_done = time.monotonic()
        self._started = False
        self._threads = [threading.Thread(target=self._tick, name="ticker", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, name=f"reconciler {number}", daemon=True)
            for number in range(WORKERS)
        ]

    def synced(self) -> None:
        """Everything was listed: begin, the first time, and look at the whole of every pool."""
        if not self._started:
            self._started = True
            self._last_done = time.monotonic()
            for thread in self._threads:
                thread.start()
        self.wake_all()

    def stop(self) -> None:
        """End what is in hand and stop."""
        self._stopped.set()
        self._queue.close()
        for thread in self._threads if self._started else ():
            thread.join(timing.RECONCILE_STOP_SECONDS)

    def wake(self, key: Key, *, full: bool) -> None:
        """Look at a pool now."""
        self._queue.add(Item(key, full))

    def wake_uid(self, uid: str, full: bool) -> None:  # noqa: FBT001 - a callback
        """Look at the pool with this UID now."""
        key = self._keys.get(uid)
        if key is not None:
            self.wake(key, full=full)

    def wake_all(self) -> None:
        """Look at the whole of every pool; one that failed waits for its turn."""
        for record in self._records.records():
            key = (record.meta.namespace, record.meta.name)
            if key not in self._failures:
                self.wake(key, full=True)

    def trouble(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        if not self._started:
            return None
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead:
            return f"thread {dead[0]} has ended"
        silent = time.monotonic() - self._last_done
        if self._records.records() and silent > timing.STUCK_SECONDS:
            return f"no pool was reconciled for {silent:.0f} s"
        return None

    def _tick(self) -> None:
        while not self._stopped.wait(timing.TICK_SECONDS):
            records = self._records.records()
            self._keys = {record.meta.uid: (record.meta.namespace, record.meta.name) for record in records}
            for key in self._keys.values():
                self._queue.add(Item(key, full=False))

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._look(item)
            finally:
                self._queue.done(item.key)
                self._last_done = time.monotonic()

    def _look(self, item: Item) -> None:
        record = self._records.record(item.key)
        if record is None:
            self._failures.pop(item.key, None)
            return
        began = time.monotonic()
        try:
            self._reconcile(record, item)
        except GenPoolError as error:
            self._failed(item, error.reason)
            _log.warning(
                "reconcile_failed", pool="/".join(item.key), reason=error.reason, message=error.message
            )
        except Exception:  # noqa: BLE001 - a bug with one pool must not stop the others
            self._failed(item, "Bug")
            _log.exception("reconcile_crashed", pool="/".join(item.key))
        else:
            if item.full:
                self._failures.pop(item.key, None)
        self._telemetry.took(time.monotonic() - began, full=item.full)

    def _reconcile(self, record: PoolRecord, item: Item) -> None:
        pool: GenerationPool | None = record.pool
        if pool is None:
            self._reconciler.refuse(record)
            return
        plan = self._reconciler.reconcile(pool, full=item.full)
        self._telemetry.show(*item.key, plan.status)
        # One that failed has its own time.
        if plan.requeue_after is not None and (item.full or item.key not in self._failures):
            self._queue.add(Item(item.key, full=True), delay=plan.requeue_after)

    def _failed(self, item: Item, reason: str) -> None:
        """Look at the whole again after a growing wait; the ticks go on, so that scaling does."""
        self._telemetry.failed(reason)
        failures = self._failures[item.key] = self._failures.get(item.key, 0) + 1
        self._queue.postpone(Item(item.key, full=True), BACKOFF.seconds(failures))
