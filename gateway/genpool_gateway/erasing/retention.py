"""Deletes what has been kept long enough: contents of tasks by their pool's ``retentionSeconds``, rows by their age."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from genpool_adapters.told_once import ToldOnce
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.places import PlaceStore
from genpool_gateway.tasks.ports import RetentionStore

_log = structlog.get_logger(__name__)
#: Tasks in one go, so that nothing waits long for the database.
GROUP = 200


class Retention:
    """Several gateways may look: what one has deleted the other does not find.

    ``keep_seconds``: age at which the row of a task that has ended goes, with its events. Where a pool keeps contents
    longer, the row stays until they are deleted: without it nobody would find them.
    """

    def __init__(  # noqa: PLR0913 - what it looks at
        self,
        store: RetentionStore,
        places: PlaceStore,
        pools: PoolSource,
        eraser: Eraser,
        now: Callable[[], datetime],
        *,
        keep_seconds: float,
        stopping: threading.Event | None = None,
    ) -> None:
        self._store = store
        self._places = places
        self._pools = pools
        self._eraser = eraser
        self._now = now
        self._keep = timedelta(seconds=keep_seconds)
        self._stopping = stopping or threading.Event()
        self._told = ToldOnce("retention_waits")

    def look(self) -> None:
        """Delete all that is due. What fails is told once and tried again at the next look."""
        pools: Mapping[str, tuple[str, int | None]] = {}
        with self._told.of("pools"):
            pools = self._retentions()
        for uid, (name, seconds) in pools.items():
            if seconds is not None:
                with self._told.of(name):
                    self._contents(uid, name, timedelta(seconds=seconds))
        # Last: by their rows the contents are found.
        with self._told.of("task store"):
            self._rows()

    def _retentions(self) -> Mapping[str, tuple[str, int | None]]:
        """Name and ``retentionSeconds`` of each pool, by UID: what a pool that is gone said last still holds."""
        found: dict[str, tuple[str, int | None]] = {
            place.pool.uid: (f"{place.pool.namespace}/{place.pool.name}", place.retention_seconds)
            for place in self._places.of_all()
        }
        for pool in self._pools.snapshot().pools:
            if pool.spec is not None:
                found[pool.ref.uid] = (pool.name, pool.retention_seconds)
        return found

    def _rows(self) -> None:
        now = self._now()
        kept = {
            place.pool.uid: now - self._keep - timedelta(seconds=place.retention_seconds)
            for place in self._places.of_all()
            if place.retention_seconds is not None
        }
        before = now - self._keep
        while not self._stopping.is_set():
            if self._store.delete_ended(before=before, limit=GROUP, with_contents=kept) < GROUP:
                break
        while not self._stopping.is_set():
            if self._store.delete_expired_idempotency(now=now, limit=GROUP) < GROUP:
                return

    def _contents(self, uid: str, name: str, age: timedelta) -> None:
        before, erased = self._now() - age, 0
        while not self._stopping.is_set():
            due = self._store.over_age(uid, before=before, limit=GROUP)
            done = self._eraser.erase_all(due) if due else 0
            erased += done
            if len(due) < GROUP or not done:
                break
        if erased:
            _log.info("tasks_erased", pool=name, tasks=erased)
