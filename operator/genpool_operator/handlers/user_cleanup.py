"""Deletes the RabbitMQ users of a pool that was deleted, and its keys in shared Secrets, once its pods are gone."""

from __future__ import annotations

import time

import structlog

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import GenPoolError
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
            lambda: self.step(time.monotonic()),
            timing.TICK_SECONDS,
            events=("user_cleanup_failed", "user_cleanup_crashed"),
        )

    def step(self, now: float) -> None:
        """Forget the pools that were deleted, and delete the users that can be. ``now``: monotonic seconds."""
        for pool in self._deleted.take_deleted():
            self._reconciler.forget(pool.metadata.uid)
            self._pending[pool.metadata.uid] = (pool, now)
            _log.info("pool_deleted", pool=_key(pool))
        if self._pending and now >= self._due_at:
            self._due_at = now + timing.USER_DELETE_RETRY_SECONDS
            answered = [self._delete_user(uid, now) for uid in list(self._pending)]
            if all(answered):
                self._due_at = now

    def _delete_user(self, uid: str, now: float) -> bool:
        """Delete a user where it is time to. False: its broker refused; that holds up no other user."""
        pool, since = self._pending[uid]
        overdue = now - since - grace_seconds(pool) - timing.USER_OVERDUE_SECONDS
        try:
            if self._reconciler.delete_login(pool, overdue=overdue > 0):
                _log.info("broker_user_deleted", pool=_key(pool))
                del self._pending[uid]
        except GenPoolError as error:
            _log.warning(
                "broker_user_not_deleted", pool=_key(pool), reason=error.reason, message=error.message
            )
            if overdue > timing.USER_GIVE_UP_SECONDS:
                del self._pending[uid]
            return False
        return True


def _key(pool: GenerationPool) -> str:
    return f"{pool.metadata.namespace}/{pool.metadata.name}"
