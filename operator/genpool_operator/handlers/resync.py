"""What is done now and then: list everything anew, and clear away what deleted pools left on the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import GenPoolError
from genpool_core.workerconfig import grace_seconds
from genpool_operator.reconcile.pool_reconciler import PoolReconciler

_log = structlog.get_logger(__name__)


class Gone(Protocol):
    """Where deleted pools are told."""

    def take_gone(self) -> list[GenerationPool]:
        """Those since the last call."""


class Resync:
    """One thread. ``resync`` lists everything, ``on_synced`` looks at all pools."""

    def __init__(
        self,
        gone: Gone,
        reconciler: PoolReconciler,
        resync: Callable[[], None],
        on_synced: Callable[[], None],
        resync_seconds: float,
    ) -> None:
        self._gone = gone
        self._reconciler = reconciler
        self._resync = resync
        self._on_synced = on_synced
        self._resync_seconds = resync_seconds
        self._stopped = threading.Event()
        self._graves: dict[str, tuple[GenerationPool, float]] = {}
        self._bury_at = 0.0
        self._resync_at = 0.0
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End what is in hand and stop."""
        self._stopped.set()
        self._thread.join(timing.RESYNC_STOP_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            wait = timing.TICK_SECONDS
            try:
                self._step(time.monotonic())
            except GenPoolError as error:
                _log.warning("housekeeping_failed", reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - the next step may work
                _log.exception("housekeeping_crashed")

    def _step(self, now: float) -> None:
        for pool in self._gone.take_gone():
            self._reconciler.forget(pool.metadata.uid)
            self._graves[pool.metadata.uid] = (pool, now)
            _log.info("pool_gone", pool=f"{pool.metadata.namespace}/{pool.metadata.name}")
        if self._graves and now >= self._bury_at:
            self._bury_at = now + timing.USER_DELETE_RETRY_SECONDS
            buried = [self._bury(uid, now) for uid in list(self._graves)]
            if all(buried):
                self._bury_at = now
        if now >= self._resync_at:
            self._resync_at = now + timing.RESYNC_RETRY_SECONDS
            self._resync()
            self._resync_at = now + self._resync_seconds
            self._on_synced()

    def _bury(self, uid: str, now: float) -> bool:
        """Delete a deleted pool's user where it is time to. False: its broker refused; that holds up no other user."""
        pool, since = self._graves[uid]
        name = f"{pool.metadata.namespace}/{pool.metadata.name}"
        overdue = now - since - grace_seconds(pool) - timing.USER_OVERDUE_SECONDS
        try:
            if self._reconciler.bury(pool, overdue=overdue > 0):
                _log.info("broker_user_deleted", pool=name)
                del self._graves[uid]
        except GenPoolError as error:
            _log.warning("broker_user_not_deleted", pool=name, reason=error.reason, message=error.message)
            if overdue > timing.USER_GIVE_UP_SECONDS:
                del self._graves[uid]
            return False
        return True
