"""Deletes the contents of an ended task: in the bucket first, then wherever else they are, in the task store last.

So a deletion that failed in the middle still finds the task, and is done to its end when it is asked for again. What
stays is the end: who, when, how. It keeps the task from being done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from genpool_adapters.ledger import Ledger
from genpool_core.tasks.uploads import uploads_in
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.errors import BucketNotListed
from genpool_gateway.pools.ports import ListedLedgers
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.change import erased_end
from genpool_gateway.tasks.errors import NotEnded
from genpool_gateway.tasks.ports import RetentionStore
from genpool_gateway.tasks.record import TaskRecord, TaskState

#: Deletes what another place keeps of a task; twice equals once.
Elsewhere = Callable[[TaskRecord], None]


class Eraser:
    """Erases tasks. Used by many threads.

    ``elsewhere``: further places with contents of tasks, such as dead letters; each is asked before the task store
    forgets the task's contents.
    """

    def __init__(
        self,
        store: RetentionStore,
        pools: PoolSource,
        ledgers: ListedLedgers,
        now: Callable[[], datetime],
        *,
        elsewhere: Sequence[Elsewhere] = (),
    ) -> None:
        self._store = store
        self._pools = pools
        self._ledgers = ledgers
        self._now = now
        self._elsewhere = elsewhere

    def erase(self, record: TaskRecord) -> TaskRecord:
        """Erase a task; its tombstone.

        Raises
        ------
        NotEnded, BucketNotListed, PoolUnavailable
            Nothing was done.
        StorageError, UnreadableLedger, TaskStoreError
            It was not done to its end: ask again.
        """
        if record.state is not TaskState.ENDED:
            raise NotEnded(f"task {record.id} has not ended: cancel it, or wait for its end, then delete it.")
        ledger, prefix = self._ledger(record)
        owner = record.owner
        inputs = [] if owner is None else uploads_in(record.parameters, prefix=prefix, owner=owner)
        ledger.erase(record.id, erased_end, inputs=inputs)
        for forget in self._elsewhere:
            forget(record)
        erased = self._store.erase(record.id, self._now())
        if erased is not None and erased.state is not TaskState.ENDED:
            raise NotEnded(f"task {record.id} was replayed meanwhile: wait for its end, then delete it.")
        return erased or record

    def _ledger(self, record: TaskRecord) -> tuple[Ledger, str]:
        """The ledger of a task's pool, and the pool's prefix in its bucket."""
        pool = self._pools.snapshot().by_uid(record.pool.uid)
        if pool is None:
            raise BucketNotListed(
                f"pool {record.pool.namespace}/{record.pool.name} of task {record.id} is gone, and with it what says "
                f"where its bucket is: delete tasks/{record.id}/ below the pool's prefix there."
            )
        config = require_serving(pool).config
        ledger = self._ledgers.ledger(config)
        if ledger is None:
            raise BucketNotListed.of(config.s3, f"nothing of task {record.id} was deleted")
        return ledger, config.s3.prefix
