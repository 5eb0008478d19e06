"""The dead letters of tasks whose contents are deleted: their messages hold what the tasks were given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from genpool_gateway.dead_letters.decide import Action, LetterQueues, Selection
from genpool_gateway.dead_letters.work import DeadLetters
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import EventStore
from genpool_gateway.tasks.record import TaskRecord

_log = structlog.get_logger(__name__)
_BURIED = frozenset({"dead", "expired"})


class LettersOfErased:
    """Takes them out, in one pass for all tasks of a pool. Used by many threads."""

    def __init__(
        self, letters: DeadLetters, pools: PoolSource, events: EventStore, now: Callable[[], datetime]
    ) -> None:
        self._letters = letters
        self._pools = pools
        self._events = events
        self._now = now

    def concerns(self, record: TaskRecord) -> bool:
        """Whether a message of an ended task may be among the dead letters: of this run, or of one before."""
        if record.position.run > 1:
            return True
        buried = record.end is not None and record.end.outcome in _BURIED
        return buried and record.discarded_at is None

    def forget(self, records: Sequence[TaskRecord]) -> None:
        """Drop the dead letters of these tasks of one pool; twice equals once.

        Raises
        ------
        BrokerError, PoolUnavailable, PoolsUnknown, TaskStoreError
            It was not done to its end: ask again.
        """
        found, ref = {record.id for record in records}, records[0].pool
        pool = self._pools.snapshot().by_uid(ref.uid)
        if pool is None:
            # The gateway has no right to the queue of a pool that is gone, whose name another one may have by now.
            text = "the pool is gone: what its dead-letter queue holds of these tasks is not deleted; delete the queue."
            _log.warning(
                "dead_letters_left", pool=f"{ref.namespace}/{ref.name}", tasks=sorted(found), message=text
            )
            return
        queues = LetterQueues.of_pool(require_serving(pool))
        self._letters.apply(queues, Selection(frozenset(found)), Action.DISCARD)
        buried = [record.id for record in records if record.end is not None and record.end.outcome in _BURIED]
        self._events.discard(buried, self._now())
