"""Pools whose queue has a limit: whether one more task is accepted. It reads in a thread, and answers from memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from genpool_core import timing
from genpool_core.errors import GenPoolError
from genpool_gateway.accepting.refusals import QueueFull
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.waiting import Waiting

_log = structlog.get_logger(__name__)
Count = Callable[[ServedPool], int | None]
"""Tasks of a pool that wait; None where nothing tells. May raise a GenPoolError."""


class Limits:
    """Holds ``queue.maxWaiting``. Used by many threads.

    ``counts``: the task store knows tasks that wait in delay steps, the broker those of producers that the store never
    saw: the larger number counts. What was accepted since the last reading is added. A pool of which nothing could be
    read yet, as in the first second, is not full: what accepts is away then, too.
    """

    def __init__(self, pools: PoolSource, counts: Sequence[Count]) -> None:
        self._pools = pools
        self._counts = counts
        self._clock: Callable[[], float] = time.monotonic
        self._lock = threading.Lock()
        self._known: dict[str, Waiting] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="limits", daemon=True)

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Read no more."""
        self._stopping.set()
        self._thread.join(seconds)

    def take(self, pool: ServedPool) -> QueueFull | None:
        """Why no more tasks of a pool are accepted; None where one more is, which is counted."""
        with self._lock:
            refusal = self._full(pool)
            if refusal is None:
                self._waiting(pool).add()
            return refusal

    def take_some(self, pool: ServedPool, wanted: int) -> int:
        """How many of so many tasks are accepted; they are counted."""
        taken = 0
        with self._lock:
            while taken < wanted and self._full(pool) is None:
                self._waiting(pool).add()
                taken += 1
        return taken

    def full(self, pool: ServedPool) -> QueueFull | None:
        """Why no more tasks of a pool are accepted; counts none."""
        with self._lock:
            return self._full(pool)

    def _full(self, pool: ServedPool) -> QueueFull | None:
        most, waiting = _most(pool), self._waiting(pool)
        if most is None or not waiting.is_full(most):
            return None
        return QueueFull(
            f"{waiting.known} tasks of pool {pool.name} wait, and its queue.maxWaiting is {most}: "
            "send the task again later.",
            retry_after=waiting.seconds_until_room(most),
        )

    def _waiting(self, pool: ServedPool) -> Waiting:
        return self._known.setdefault(pool.ref.uid, Waiting())

    def read(self) -> None:
        """Read the figures of all pools that have a limit."""
        try:
            pools = [pool for pool in self._pools.snapshot().pools if _most(pool) is not None]
        except PoolsUnknown:
            return
        for pool in pools:
            with self._lock:
                waiting = self._known.setdefault(pool.ref.uid, Waiting())
                before = waiting.added
            counts = [found for count in self._counts if (found := _counted(count, pool)) is not None]
            if counts:
                with self._lock:
                    since = waiting.added - before
                    waiting.read(max(counts), self._clock())
                    waiting.added = since
        with self._lock:
            for uid in self._known.keys() - {pool.ref.uid for pool in pools}:
                del self._known[uid]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.read()
            except Exception:  # noqa: BLE001 - logged with its traceback; the figures stay as they are
                _log.exception("limits_not_read")
            self._stopping.wait(timing.QUEUE_COUNT_SECONDS)


def _most(pool: ServedPool) -> int | None:
    return None if pool.spec is None else pool.spec.queue.max_waiting


def _counted(count: Count, pool: ServedPool) -> int | None:
    try:
        return count(pool)
    except GenPoolError as error:
        _log.debug("tasks_not_counted", pool=pool.name, reason=error.reason, message=error.message)
        return None
