"""A new run of a task that has ended: the same message, under the next run.

It is published before it is stored. When the gateway dies in between, the worker's claim brings the task store to the
new run, and a second request publishes the same run again, which the ledger drops; the other way round a task could
wait for a message that was never sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

from genpool_core import timing
from genpool_core.errors import BrokerError, GenPoolError
from genpool_core.identity import TaskRef
from genpool_core.messages.task import parse_body
from genpool_core.tasks.check import validate
from genpool_gateway.accepting.ports import WorkQueues
from genpool_gateway.accepting.refusals import NotPublished, QueueFull, Unconfirmed, over_cap
from genpool_gateway.pools.directory import PoolDirectory, require_serving
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.tasks.change import Change
from genpool_gateway.tasks.errors import NotEnded
from genpool_gateway.tasks.ports import EventStore, ReplayStore
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState
from genpool_gateway.tasks.replay import accepted_again


class NotReplayable(GenPoolError):  # noqa: N818 - named for what the sender sees
    """The gateway does not have the task's message."""

    reason = "NotReplayable"


def next_run(record: TaskRecord, now: datetime) -> TaskRecord:
    """The task as it is published again. Pure.

    Raises
    ------
    NotEnded, NotReplayable
        There is no next run.
    """
    if record.state is not TaskState.ENDED:
        raise NotEnded(f"task {record.id} has not ended: cancel it, or wait for its end.")
    if record.erased_at is not None:
        raise _erased(record)
    if record.submission is None or not record.submission.body:
        raise NotReplayable(
            f"task {record.id} was not accepted by this gateway, which does not have its message: have its producer "
            "send it again or, where it is dead, replay its dead letter."
        )
    # Its limits were those of the run before; the message is as old as its run.
    submission = replace(record.submission, start_by=None, end_by=None)
    position = Position(record.position.run + 1, ended=False, attempt=0, rank=0)
    return replace(
        record, state=TaskState.QUEUED, position=position, submission=submission, created_at=now, end=None
    )


def replayed(record: TaskRecord) -> Change:
    """What the task store is told of a next run. Pure."""
    ref = TaskRef(record.task_id, record.id, record.position.run)
    return accepted_again(record.pool, ref, record.created_at)


class Replayer:
    """Begins next runs. Used by many threads."""

    def __init__(
        self,
        queues: WorkQueues,
        events: EventStore,
        runs: ReplayStore,
        now: Callable[[], datetime],
        *,
        room: Callable[[ServedPool], QueueFull | None],
        unfinished: Callable[[str], int],
    ) -> None:
        """``room``: why a pool takes no further task, or counts one more. ``unfinished``: an owner's tasks."""
        self._queues = queues
        self._events = events
        self._runs = runs
        self._now = now
        self._room = room
        self._unfinished = unfinished
        self._capped = _OwnersLocks()

    def replay(self, record: TaskRecord, pools: PoolDirectory, *, cap: int | None = None) -> None:
        """Publish the next run of a task, confirmed, and store that it waits.

        ``cap``: the most unfinished tasks of its owner. Its replays in this gateway are counted one after the other;
        what another gateway accepts at the same moment may come on top.

        Raises
        ------
        NotEnded, NotReplayable, InvalidTask, RefusedInput, PoolUnavailable, OverCap, QueueFull, NotPublished
            Nothing was done.
        Unconfirmed, TaskStoreError
            It may have been published: the same request again does no harm.
        """
        again = next_run(record, self._now())
        pool = _checked(again, pools)
        if cap is None or again.owner is None:
            self._begin(again, pool)
            return
        with self._capped.of(again.owner):
            if self._unfinished(again.owner) >= cap:
                raise over_cap(cap)
            self._begin(again, pool)

    def _begin(self, again: TaskRecord, pool: ServedPool) -> None:
        full = self._room(pool)
        if full is not None:
            raise full
        if self._runs.begin([again.id], self._now()):
            raise _erased(again)
        (published,) = self._queues.publish([again])
        try:
            published.result(timing.ACCEPT_CONFIRM_SECONDS)
        except BrokerError as error:
            if not error.uncertain:
                self._runs.over([again.id])
                raise NotPublished(f"the task was not put into its queue: {error.message}") from error
            raise _unconfirmed(again, error.message) from error
        except (TimeoutError, CancelledError):
            raise _unconfirmed(again, "the broker does not answer.") from None
        self._events.apply([replayed(again)])
        self._runs.over([again.id])


class _OwnersLocks:
    """A lock for each owner, for as long as somebody has it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def of(self, owner: str) -> threading.Lock:
        """The lock of an owner."""
        with self._guard:
            lock = self._locks.get(owner)
            if lock is None:
                lock = self._locks[owner] = threading.Lock()
            return lock


def _checked(record: TaskRecord, pools: PoolDirectory) -> ServedPool:
    """The pool of today, which takes the task, though its workflows and bounds may have changed."""
    pool = pools.by_uid(record.pool.uid)
    if pool is None or record.submission is None:
        raise NotReplayable(f"pool {record.pool.namespace}/{record.pool.name} of task {record.id} is gone.")
    serving = require_serving(pool)
    body = parse_body(record.submission.body)
    validate(body, serving.config, serving.catalog, owner=record.submission.owner)
    return pool


def _erased(record: TaskRecord) -> NotReplayable:
    return NotReplayable(f"the contents of task {record.id} were deleted: send the task again as a new one.")


def _unconfirmed(record: TaskRecord, why: str) -> Unconfirmed:
    return Unconfirmed(
        f"it is not known whether run {record.position.run} is in its queue ({why}) Ask for the task, or send the same "
        "request again: the run is done once.",
        task=record.id,
    )
