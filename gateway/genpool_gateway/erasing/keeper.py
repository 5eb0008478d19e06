"""Keeps in the task store which buckets the pools have, so that contents of tasks are found when a pool is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from genpool_adapters.told_once import ToldOnce
from genpool_core import timing
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.links import store_of
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.places import PlaceStore, PoolPlace


def places_in(directory: PoolDirectory, now: datetime) -> list[PoolPlace]:
    """The buckets of all pools whose spec can be read. Pure."""
    return [
        PoolPlace(pool.ref, store, pool.retention_seconds, first_seen=now, last_seen=now)
        for pool in directory.pools
        if pool.spec is not None and (store := store_of(pool)) is not None
    ]


class PlaceKeeper:
    """Writes when something has changed, and now and then the time."""

    def __init__(self, pools: PoolSource, store: PlaceStore, now: Callable[[], datetime]) -> None:
        self._pools = pools
        self._store = store
        self._now = now
        self._last: PoolDirectory | None = None
        self._again: datetime | None = None
        self._told = ToldOnce("pool_places_wait")

    def look(self) -> None:
        """Note the buckets of this moment. What fails is told once and tried again at the next look."""
        try:
            directory = self._pools.snapshot()
        except PoolsUnknown:
            return
        now = self._now()
        if directory is self._last and self._again is not None and now < self._again:
            return
        with self._told.of("task store"):
            self._store.seen(places_in(directory, now))
            self._last, self._again = directory, now + timedelta(seconds=timing.RETENTION_LOOK_SECONDS)
