"""Figures of pools of which no operator tells, as on one machine: the gateway counts the queue and the pods itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from genpool_core import timing
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import GenPoolError
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.workers import PoolWorkers, Worker

_log = structlog.get_logger(__name__)
Count = Callable[[ServedPool], int | None]
"""Tasks in a pool's work queue; None where nothing tells. May raise a GenPoolError."""


@dataclass(frozen=True)
class OwnReading:
    """What the gateway counted."""

    waiting: int
    at: datetime


def is_told(status: GenerationPoolStatus) -> bool:
    """Whether an operator has ever looked at the pool."""
    return status.queue.observed_at is not None or bool(status.conditions) or status.replicas is not None


def filled(
    status: GenerationPoolStatus, reading: OwnReading | None, workers: Sequence[Worker], now: datetime
) -> GenerationPoolStatus:
    """A status that no operator wrote, with what the gateway knows. Pods that it has not heard it cannot count."""
    heard = [worker for worker in workers if not worker.is_silent(now)]
    busy = sum(worker.task is not None for worker in heard) if heard else None
    ready = sum(worker.state in {"idle", "busy"} for worker in heard) if heard else None
    count = None if reading is None else reading.waiting
    update = {"waiting": count, "running": busy, "observed_at": None if reading is None else reading.at}
    return status.model_copy(
        update={
            "queue": status.queue.model_copy(update=update),
            "ready_replicas": ready,
            "busy_replicas": busy,
        }
    )


class OwnFigures:
    """Counts in one thread, and answers many."""

    def __init__(
        self, pools: PoolSource, count: Count, workers: PoolWorkers, now: Callable[[], datetime]
    ) -> None:
        self._pools = pools
        self._count = count
        self._workers = workers
        self._now = now
        self._lock = threading.Lock()
        self._read: dict[str, OwnReading] = {}

    def look(self) -> None:
        """Count once. A queue that cannot be counted has no figure."""
        try:
            pools = [pool for pool in self._pools.snapshot().pools if not is_told(pool.status)]
        except PoolsUnknown:
            return
        counts = {pool.ref.uid: self._counted(pool) for pool in pools}
        now = self._now()
        read = {uid: OwnReading(count, now) for uid, count in counts.items() if count is not None}
        with self._lock:
            self._read = read

    def told(self, pool: ServedPool) -> ServedPool:
        """The pool as its operator tells it or, where none ever did, with the gateway's own figures."""
        if is_told(pool.status):
            return pool
        now = self._now()
        with self._lock:
            reading = self._read.get(pool.ref.uid)
        lasting = timedelta(seconds=timing.HEARTBEAT_EXPIRY_SECONDS)
        recent = reading if reading is not None and now - reading.at <= lasting else None
        return replace(pool, status=filled(pool.status, recent, self._workers.of(pool.ref.uid), now))

    def _counted(self, pool: ServedPool) -> int | None:
        try:
            return self._count(pool)
        except GenPoolError as error:
            _log.debug("queue_not_counted", pool=pool.name, reason=error.reason, message=error.message)
            return None
