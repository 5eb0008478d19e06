"""Changes of tasks: what an event means for a record. Pure, and right in any order, however often an event comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import TaskClaimed, TaskEnded, TaskEvent, TaskOutput, TaskRetried
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState

#: Order of what happens within one attempt.
_RANKS: Mapping[str, int] = {"accepted": 0, "claimed": 1, "output": 2, "retried": 3, "ended": 4}


@dataclass(frozen=True)
class Change:
    """What one event says about a task."""

    id: str
    """The event's id: a change is applied once."""
    type: str
    task: str
    """The task's key."""
    task_id: str
    pool: PoolRef
    run: int
    attempt: int
    time: datetime
    data: JsonObject
    """For watchers."""
    worker: str | None = None
    workflow: str | None = None
    end: EndRecord | None = None

    @property
    def position(self) -> Position:
        """Where the task stands after it."""
        return Position(self.run, self.type == "ended", self.attempt, _RANKS[self.type])


def change_of(event: TaskEvent) -> Change | None:
    """The change that an event of a worker brings; None for what is not kept, such as progress."""
    data: JsonObject
    workflow, end = None, None
    match event:
        case TaskClaimed():
            kind, data, workflow = "claimed", {"worker": event.worker}, event.workflow
        case TaskOutput():
            kind, data = "output", event.output.model_dump(mode="json")
        case TaskRetried():
            kind = "retried"
            data = {"reason": event.reason, "message": event.message, "delay_seconds": event.delay_seconds}
        case TaskEnded():
            kind, end = "ended", event.record
            data = {"outcome": event.outcome, "reason": event.reason, "message": event.message}
        case _:
            return None
    return Change(
        id=event.id,
        type=kind,
        task=event.task_key,
        task_id=event.task_id,
        pool=event.pool,
        run=event.run,
        attempt=event.attempt,
        time=event.time,
        data={"run": event.run, "attempt": event.attempt, **data},
        worker=event.worker or None,
        workflow=workflow if end is None else end.workflow,
        end=end,
    )


def apply_change(record: TaskRecord | None, change: Change) -> TaskRecord:
    """The record after a change. A change that is older than what is known adds only what was not known.

    ``record``: None when the gateway had not heard of the task, as of a plain producer's.
    """
    known = record or TaskRecord(
        id=change.task,
        pool=change.pool,
        task_id=change.task_id,
        created_at=change.time,
        state=TaskState.QUEUED,
        position=Position(change.run, ended=False, attempt=0, rank=0),
    )
    if known.workflow is None and change.workflow is not None:
        known = replace(known, workflow=change.workflow)
    known = replace(known, created_at=min(known.created_at, change.time))
    if change.position < known.position or (change.run == known.position.run and known.position.ended):
        return known
    return _advanced(known, change)


def _advanced(known: TaskRecord, change: Change) -> TaskRecord:
    if change.run > known.position.run:
        # A replay: what the run before left is its own.
        known = replace(
            known, end=None, started_at=None, ended_at=None, cancel_requested_at=None, worker=None
        )
    known = replace(known, position=change.position)
    match change.type:
        case "claimed":
            return replace(known, state=TaskState.RUNNING, worker=change.worker, started_at=change.time)
        case "retried":
            return replace(known, state=TaskState.QUEUED)
        case "ended":
            return _ended(known, change)
        case "output":
            return replace(known, state=TaskState.RUNNING, worker=change.worker)
        case _:
            return replace(known, state=TaskState.QUEUED)


def _ended(known: TaskRecord, change: Change) -> TaskRecord:
    end = change.end
    ended = replace(known, state=TaskState.ENDED, ended_at=change.time, end=end)
    if end is None:
        return ended
    return replace(
        ended,
        worker=end.worker or known.worker,
        started_at=end.started_at or known.started_at,
        parameters=known.parameters if known.erased_at else (end.parameters or known.parameters),
        callback_url=known.callback_url or end.callback_url,
    )
