"""Deletes what has been kept long enough: contents of tasks by their pool's ``retentionSeconds``, rows by their age."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from genpool_core import timing
from genpool_core.errors import GenPoolError
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import RetentionStore

_log = structlog.get_logger(__name__)
#: Tasks in one go, so that nothing waits long for the database.
GROUP = 200


class Retention:
    """A thread that looks every few minutes. Several gateways may: what one has deleted the other does not find.

    ``keep_seconds``: age at which the row of a task that has ended goes, with its events.
    """

    def __init__(
        self,
        store: RetentionStore,
        pools: PoolSource,
        eraser: Eraser,
        now: Callable[[], datetime],
        *,
        keep_seconds: float,
    ) -> None:
        self._store = store
        self._pools = pools
        self._eraser = eraser
        self._now = now
        self._keep = timedelta(seconds=keep_seconds)
        self._stopping = threading.Event()
        self._told: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End after the group in hand, at most so long."""
        self._stopping.set()
        self._thread.join(seconds)

    def look(self) -> None:
        """Delete all that is due. What fails is told once and tried again at the next look."""
        self._try("task store", self._rows)
        try:
            pools = self._pools.snapshot().pools
        except GenPoolError as error:
            self._tell("pools", error)
            return
        for pool in pools:
            if pool.retention_seconds is not None:
                self._try(pool.name, lambda pool=pool: self._contents(pool))  # type: ignore[misc]

    def _run(self) -> None:
        while not self._stopping.wait(timing.RETENTION_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - logged with its traceback; the next look may go well
                _log.exception("retention_failed")

    def _rows(self) -> None:
        before = self._now() - self._keep
        while not self._stopping.is_set() and self._store.delete_ended(before=before, limit=GROUP) == GROUP:
            pass
        while not self._stopping.is_set():
            if self._store.delete_expired_idempotency(now=self._now(), limit=GROUP) < GROUP:
                return

    def _contents(self, pool: ServedPool) -> None:
        before = self._now() - timedelta(seconds=pool.retention_seconds or 0)
        erased = 0
        while not self._stopping.is_set():
            due = self._store.over_age(pool.ref.uid, before=before, limit=GROUP)
            for record in due:
                self._eraser.erase(record)
            erased += len(due)
            if len(due) < GROUP:
                break
        if erased:
            _log.info("tasks_erased", pool=pool.name, tasks=erased)

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except GenPoolError as error:
            self._tell(what, error)
        else:
            self._told.pop(what, None)

    def _tell(self, what: str, error: GenPoolError) -> None:
        if self._told.get(what) != error.message:
            _log.warning("retention_waits", subject=what, reason=error.reason, message=error.message)
        self._told[what] = error.message
