"""Pools that were deleted and made again under their name: the new one has the tasks of the old one.

Its queue may have their messages still, and the header ``x-genpool-pool`` of each says for which pool its key was made.
So whoever sent a task before the pool was made again finds it under its id, done once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from genpool_adapters.told_once import ToldOnce
from genpool_core import timing
from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.links import store_of
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.places import PlaceStore, PoolPlace
from genpool_gateway.tasks.ports import RemadeStore

_log = structlog.get_logger(__name__)
#: Tasks of one transaction.
_BATCH = 1000


@dataclass(frozen=True)
class Remade:
    """A pool that was made again. ``in_place``: its files lie where those of the old one lie."""

    gone: str
    """UID of the old one."""
    pool: PoolRef
    in_place: bool


def remade(places: Sequence[PoolPlace], directory: PoolDirectory) -> list[Remade]:
    """The pools of ``directory`` that had other ones of their name before them. Pure.

    ``places``: of each pool that was ever seen, where it was last.
    """
    found = []
    for place in places:
        pool = directory.by_name(place.pool.namespace, place.pool.name)
        if pool is None or directory.by_uid(place.pool.uid) is not None:
            continue
        store = store_of(pool)
        in_place = store is not None and _where(store) == _where(place.store)
        found.append(Remade(place.pool.uid, pool.ref, in_place))
    return found


def _where(store: StoreConfig) -> tuple[str | None, str, str]:
    return (*store.address, store.prefix)


class RemadePools:
    """Looks when the pools have changed, and now and then: another gateway may have accepted for the old one since."""

    def __init__(
        self, pools: PoolSource, places: PlaceStore, store: RemadeStore, now: Callable[[], datetime]
    ) -> None:
        self._pools = pools
        self._places = places
        self._store = store
        self._now = now
        self._last: PoolDirectory | None = None
        self._again: datetime | None = None
        self._told = ToldOnce("remade_pools_wait")

    def look(self) -> None:
        """Hand tasks over. What fails is tried again at the next look."""
        now = self._now()
        with self._told.of("pools"):
            directory = self._pools.snapshot()
            if directory is self._last and self._again is not None and now < self._again:
                return
            for each in remade(self._places.of_all(), directory):
                self._hand_over(each)
            self._last, self._again = directory, now + timedelta(seconds=timing.RETENTION_LOOK_SECONDS)

    def _hand_over(self, each: Remade) -> None:
        total, more = 0, _BATCH
        while more == _BATCH:
            more = self._store.hand_over(each.gone, each.pool, ended=each.in_place, limit=_BATCH)
            total += more
        if total:
            name = f"{each.pool.namespace}/{each.pool.name}"
            _log.info("tasks_handed_over", pool=name, tasks=total, gone=each.gone)
