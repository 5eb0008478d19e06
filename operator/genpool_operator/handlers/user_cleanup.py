"""Deletes the RabbitMQ user of a pool that was deleted, once its pods are gone."""

from __future__ import annotations

import time

import structlog

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.workerconfig import grace_seconds
from genpool_operator.handlers.periodic import PeriodicThread
from genpool_operator.ports import DeletedPools
from genpool_operator.reconcile.pool_reconciler import PoolReconciler

_log = structlog.get_logger(__name__)


class UserCleanup:
    """Takes up the pools that ``deleted`` tells of, and tries for each until its user is deleted."""

    def __init__(self, deleted: DeletedPools, reconciler: PoolReconciler) -> None:
        self._deleted = deleted
        self._reconciler = reconciler
        self._pending: dict[str, tuple[GenerationPool, float]] = {}
        self._due_at = 0.0
        self.thread = PeriodicThread(
            "user-cleanup",
            self.step,
            timing.TICK_SECONDS,
            events=("user_cleanup_failed", "user_cleanup_crashed"),
        )

    def step(self) -> None:
        """Forget the pools that were deleted, and delete the users that can be. Raises BrokerError."""
        now = time.monotonic()
        for pool in self._deleted.take_deleted():
            self._reconciler.forget(pool.metadata.uid)
            self._pending[pool.metadata.uid] = (pool, now)
            _log.info("pool_deleted", pool=_key(pool))
        if self._pending and now >= self._due_at:
            self._due_at = now + timing.USER_DELETE_RETRY_SECONDS
            self._delete_users(now)
            self._due_at = now

    def _delete_users(self, now: float) -> None:
        for uid, (pool, since) in list(self._pending.items()):
            overdue_after = grace_seconds(pool) + timing.USER_OVERDUE_SECONDS
            waited = now - since
            if self._reconciler.delete_user(pool, overdue=waited > overdue_after):
                _log.info("broker_user_deleted", pool=_key(pool))
                del self._pending[uid]
            elif waited > overdue_after + timing.USER_GIVE_UP_SECONDS:
                del self._pending[uid]


def _key(pool: GenerationPool) -> str:
    return f"{pool.metadata.namespace}/{pool.metadata.name}"
