"""A pool over time, read from the task store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from genpool_gateway.pools.history import HistoryStep, Window, steps_of, window_of
from genpool_gateway.pools.samples import SampleStore
from genpool_gateway.tasks.places import PlaceStore


class PoolsOverTime:
    """Called by many threads. ``keep_seconds``: age at which the store forgets tasks that have ended."""

    def __init__(
        self, samples: SampleStore, places: PlaceStore, now: Callable[[], datetime], keep_seconds: float
    ) -> None:
        self._samples = samples
        self._places = places
        self._now = now
        self._keep = timedelta(seconds=keep_seconds)

    def read(self, pool_uid: str, hours: int) -> tuple[Window, list[HistoryStep]]:
        """The last hours of a pool. Raises TaskStoreError."""
        window = window_of(hours, self._now())
        samples = self._samples.samples(pool_uid, window.moments)
        flow = self._samples.flow(pool_uid, since=window.since, until=window.until, step=window.step)
        # Tasks are told of since the gateway saw the pool; a ledger that was read has earlier ones.
        seen = [*(place.first_seen for place in self._places.of_pool(pool_uid)), *flow]
        known_from = max(min(seen), window.now - self._keep) if seen else None
        return window, steps_of(window, samples, flow, known_from)
