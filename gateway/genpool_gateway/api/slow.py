"""Requests that wait for a bucket, for a pass over a queue, or for a confirmation have threads of their own.

All others share the usual ones, and would wait behind them while a bucket is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, move_on_after, to_thread

from genpool_core import timing
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.accepting.refusals import Overloaded

T = TypeVar("T")
_THREADS = 8
#: Requests that may wait for one of them.
_WAITING = 16
#: Looks into one bucket at the same time.
_LOOKS = 8


class SlowRequests:
    """Used by one event loop. ``waiting``: requests that may wait for one of the ``threads``."""

    def __init__(self, threads: int = _THREADS, waiting: int = _WAITING) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._requests = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``; raises Overloaded where many such requests wait already."""
        if self._requests >= self._most:
            raise Overloaded(
                "the bucket or the broker answers slowly, and many requests wait for it: send this again in a moment."
            )
        self._requests += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._requests -= 1


class UploadLooks:
    """Looks into buckets for uploads: one that hangs keeps no other waiting. Used by one event loop."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str | None, str], CapacityLimiter] = {}

    async def run(self, store: StoreConfig, look: Callable[[], None]) -> None:
        """Wait for ``look``, or go on without it when it takes too long; raises what it does."""
        lane = self._lanes.setdefault(store.address, CapacityLimiter(_LOOKS))
        with move_on_after(timing.UPLOAD_LOOK_SECONDS):
            await to_thread.run_sync(look, limiter=lane, abandon_on_cancel=True)
