"""A task as one message shows it, whatever else is known of it by now: for callbacks, which may come late. Pure.

The store's record adds what only it knows: when the task was accepted, its sender's words, whether it was erased.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import ENDED_RANK, Change, erased_end, heard_of
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState


def ended_record(known: TaskRecord | None, end: EndRecord, pool: PoolRef) -> TaskRecord:
    """The task at one of its ends. A run that began since is not told, and the contents of an erased one neither."""
    position = Position(end.run, ended=True, attempt=end.attempt, rank=ENDED_RANK)
    record = known or TaskRecord(
        id=end.task_key,
        pool=pool,
        task_id=end.task_id,
        created_at=_began(end),
        state=TaskState.ENDED,
        position=position,
    )
    told = end if record.erased_at is None else erased_end(end, record.erased_at)
    return replace(
        record,
        state=TaskState.ENDED,
        position=position,
        workflow=told.workflow,
        parameters=told.parameters,
        worker=told.worker or None,
        started_at=told.started_at or _started(record, end.run),
        ended_at=told.ended_at,
        cancel_requested_at=None,
        end=told,
    )


def running_record(known: TaskRecord | None, change: Change) -> TaskRecord:
    """The task when an attempt began, or when a result of it was stored."""
    record = known or heard_of(change)
    return replace(
        record,
        state=TaskState.RUNNING,
        position=change.position,
        workflow=change.workflow or record.workflow,
        worker=change.worker,
        started_at=change.time if change.type == "claimed" else _started(record, change.run),
        ended_at=None,
        cancel_requested_at=None,
        end=None,
    )


def _started(record: TaskRecord, run: int) -> datetime | None:
    """When the last attempt of a run began, as far as the record is of that run."""
    return record.started_at if record.position.run == run else None


def _began(end: EndRecord) -> datetime:
    """When a task that nobody had heard of began, as far as its end tells."""
    claims = [attempt.claimed_at for attempt in end.attempts]
    return end.times.enqueued or min(claims, default=None) or end.started_at or end.ended_at
