"""Deletes the contents of ended tasks: in the bucket first, then wherever else they are, in the task store last.

So a deletion that failed in the middle still finds the task, and is done to its end when it is asked for again. Before
the first of it is gone the task store notes that it has begun: from then on the task is not replayed any more. What
stays is the end: who, when, how. It keeps the task from being done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from genpool_adapters.ledger import Ledger
from genpool_core import timing
from genpool_core.errors import GenPoolError, UnreadableLedger
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.erasing.places import places_of, uploads_of
from genpool_gateway.erasing.unused import UnusedInputs
from genpool_gateway.pools.errors import BucketNotListed
from genpool_gateway.pools.links import store_of
from genpool_gateway.pools.ports import LedgersByPlace
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.change import erased_end
from genpool_gateway.tasks.errors import NotEnded
from genpool_gateway.tasks.places import LooseInput, LooseInputs, PlaceStore
from genpool_gateway.tasks.ports import RetentionStore
from genpool_gateway.tasks.record import TaskRecord, TaskState

_log = structlog.get_logger(__name__)
#: Uploads of an erased task are due at once.
_UNUSED = timedelta(seconds=timing.UNUSED_INPUT_SECONDS)


class Elsewhere(Protocol):
    """A further place with contents of tasks."""

    def concerns(self, record: TaskRecord) -> bool:
        """Whether it may keep something of an ended task."""

    def forget(self, records: Sequence[TaskRecord]) -> None:
        """Delete what it keeps of ended tasks of one pool; twice equals once. Raises a GenPoolError."""


class Eraser:
    """Erases tasks. Used by many threads.

    ``elsewhere``: asked before the task store forgets the tasks' contents.
    """

    def __init__(  # noqa: PLR0913 - all places that have something of a task
        self,
        store: RetentionStore,
        places: PlaceStore,
        loose: LooseInputs,
        unused: UnusedInputs,
        pools: PoolSource,
        ledgers: LedgersByPlace,
        *,
        now: Callable[[], datetime],
        elsewhere: Sequence[Elsewhere] = (),
    ) -> None:
        self._store = store
        self._places = places
        self._loose = loose
        self._unused = unused
        self._pools = pools
        self._ledgers = ledgers
        self._now = now
        self._elsewhere = elsewhere

    def erase(self, record: TaskRecord) -> TaskRecord:
        """Erase a task; its tombstone.

        Raises
        ------
        NotEnded, BucketNotListed, PoolsUnknown
            Nothing was done.
        StorageError, UnreadableLedger, BrokerError, PoolUnavailable, TaskStoreError
            It was not done to its end: ask again.
        """
        if record.state is not TaskState.ENDED:
            raise NotEnded(f"task {record.id} has not ended: cancel it, or wait for its end, then delete it.")
        at = self._now()
        # Where it all is is looked for first: what cannot be found is not begun.
        places = self._where(record)
        if self._store.begin_erasing([record.id], at):
            raise _runs_again(record)
        uploads = self._erase_objects(record, places, at)
        self._forget_elsewhere([record])
        erased = self._store.erase(record.id, at)
        self._settle(uploads)
        if erased is not None and erased.state is not TaskState.ENDED:
            raise _runs_again(record)
        return erased or record

    def erase_all(self, records: Sequence[TaskRecord]) -> int:
        """Erase ended tasks of one pool; how many were. One whose ledger cannot be read is told, and others go on.

        Raises as :meth:`erase` does.
        """
        at, done = self._now(), []
        uploads: list[LooseInput] = []
        for record in records:
            places = self._where(record)
            if self._store.begin_erasing([record.id], at):
                continue  # It runs again.
            try:
                uploads += self._erase_objects(record, places, at)
            except UnreadableLedger as error:
                _log.warning("task_not_erased", task=record.id, reason=error.reason, message=error.message)
            else:
                done.append(record)
        plain: list[TaskRecord] = []
        rest: list[TaskRecord] = []
        for record in done:
            elsewhere = any(place.concerns(record) for place in self._elsewhere)
            (rest if elsewhere else plain).append(record)
        # First those that need no other place, which may be away.
        for record in plain:
            self._store.erase(record.id, at)
        self._forget_elsewhere(rest)
        for record in rest:
            self._store.erase(record.id, at)
        self._settle(uploads)
        return len(done)

    def _forget_elsewhere(self, records: Sequence[TaskRecord]) -> None:
        for place in self._elsewhere:
            found = [record for record in records if place.concerns(record)]
            if found:
                place.forget(found)

    def _erase_objects(
        self, record: TaskRecord, places: Sequence[tuple[StoreConfig, Ledger]], at: datetime
    ) -> list[LooseInput]:
        """Erase all of a task in its buckets but its uploads, which it gives back: others may use them."""
        uploads = [each for store, _ in places for each in uploads_of(record, store, at - _UNUSED)]
        if uploads:
            # Before the task store forgets that the task used them.
            self._loose.note(uploads)
        for _, ledger in places:
            ledger.erase(record.id, partial(erased_end, at=at))
        return uploads

    def _settle(self, uploads: Sequence[LooseInput]) -> None:
        """Delete the uploads that no other task uses. What cannot be done now the next look does."""
        for place in {each.place for each in uploads}:
            try:
                self._unused.settle([each for each in uploads if each.place == place])
            except GenPoolError as error:
                _log.warning("uploads_not_deleted", reason=error.reason, message=error.message)

    def _where(self, record: TaskRecord) -> list[tuple[StoreConfig, Ledger]]:
        """Where contents of a task may lie. Raises BucketNotListed where not all of it can be reached."""
        pool = self._pools.snapshot().by_uid(record.pool.uid)
        current = None if pool is None else store_of(pool)
        found = places_of(record, self._places.of_pool(record.pool.uid), current)
        if not found:
            raise BucketNotListed(
                f"pool {record.pool.namespace}/{record.pool.name} of task {record.id} is gone, and this gateway never "
                f"knew its bucket: delete tasks/{record.id}/ and inputs/{record.id}/ below the pool's prefix there."
            )
        return [(store, self._ledger(store, record)) for store in found]

    def _ledger(self, store: StoreConfig, record: TaskRecord) -> Ledger:
        ledger = self._ledgers.ledger_at(store)
        if ledger is None:
            raise BucketNotListed.of(store, f"nothing of task {record.id} was deleted")
        return ledger


def _runs_again(record: TaskRecord) -> NotEnded:
    return NotEnded(f"task {record.id} is being replayed: wait for its end, then delete it.")
