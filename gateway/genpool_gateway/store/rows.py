"""Between records and rows. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy.engine import RowMapping

from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.figures import wait_seconds
from genpool_gateway.tasks.key_ports import ApiKey
from genpool_gateway.tasks.record import Position, StoredEvent, Submission, TaskRecord, TaskState

Row = dict[str, Any]


def task_row(record: TaskRecord, last_event: int) -> Row:
    """The row of ``tasks``."""
    position, end, submission = record.position, record.end, record.submission
    unstarted = record.state in {TaskState.ACCEPTING, TaskState.QUEUED} and position.attempt == 0
    return {
        "id": record.id,
        "pool_uid": record.pool.uid,
        "pool_namespace": record.pool.namespace,
        "pool_name": record.pool.name,
        "former_pool": record.former_pool,
        "owner": record.owner,
        "task_id": record.task_id,
        "workflow": record.workflow,
        "priority": record.priority,
        "state": record.state.value,
        "waiting": int(unstarted),
        "outcome": end and end.outcome,
        "reason": end and end.reason,
        "run": position.run,
        "attempt": position.attempt,
        "rank": position.rank,
        "sources": {name: _numbers(source) for name, source in record.sources.items()},
        "last_event": last_event,
        "worker": record.worker,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "ended_day": record.ended_at and record.ended_at.astimezone(UTC).date().isoformat(),
        "cancel_requested_at": record.cancel_requested_at,
        "erased_at": record.erased_at,
        "discarded_at": record.discarded_at,
        "start_by": submission and submission.start_by,
        "end_by": submission and submission.end_by,
        "gpu_seconds": end and end.gpu_seconds,
        "wait_seconds": wait_seconds(record),
    }


def contents_row(record: TaskRecord) -> Row:
    """The row of ``task_contents``."""
    submission = record.submission
    return {
        "task": record.id,
        "parameters": record.parameters,
        "metadata": submission and submission.metadata,
        "callback_url": record.callback_url,
        "callback_events": submission and list(submission.callback_events),
        "end": record.end and record.end.model_dump(mode="json", exclude_none=True),
        "body": submission and submission.body,
    }


def event_row(event: StoredEvent, event_id: str) -> Row:
    """The row of ``task_events``."""
    return {
        "task": event.task,
        "number": event.number,
        "event_id": event_id,
        "type": event.type,
        "time": event.time,
        "data": event.data,
    }


def record_of(row: RowMapping) -> TaskRecord:
    """A record of a row of both tables of tasks; without its body where that was not read."""
    state, end = TaskState(row["state"]), row["end"]
    return TaskRecord(
        id=row["id"],
        pool=PoolRef(namespace=row["pool_namespace"], name=row["pool_name"], uid=row["pool_uid"]),
        task_id=row["task_id"],
        created_at=row["created_at"],
        state=state,
        position=Position(row["run"], state is TaskState.ENDED, row["attempt"], row["rank"]),
        workflow=row["workflow"],
        priority=row["priority"],
        parameters=row["parameters"],
        callback_url=row["callback_url"],
        submission=_submission_of(row),
        worker=row["worker"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        cancel_requested_at=row["cancel_requested_at"],
        end=None if end is None else EndRecord.model_validate(end),
        erased_at=row["erased_at"],
        discarded_at=row["discarded_at"],
        former_pool=row["former_pool"],
        sources={name: _position(numbers) for name, numbers in row["sources"].items()},
    )


def _submission_of(row: RowMapping) -> Submission | None:
    if row["metadata"] is None:
        return None
    return Submission(
        owner=row["owner"],
        body=row.get("body") or b"",
        metadata=row["metadata"],
        callback_events=tuple(row["callback_events"]),
        start_by=row["start_by"],
        end_by=row["end_by"],
    )


def event_of(row: RowMapping) -> StoredEvent:
    """An event of its row."""
    return StoredEvent(row["task"], row["number"], row["type"], row["time"], row["data"])


def key_row(key: ApiKey) -> Row:
    """The row of ``api_keys``."""
    return {**vars(key), "pools": None if key.pools is None else list(key.pools)}


def key_of(row: RowMapping) -> ApiKey:
    """A key of its row."""
    pools = row["pools"]
    return ApiKey(**{**dict(row), "pools": None if pools is None else tuple(pools)})


def _numbers(position: Position) -> list[int]:
    return [position.run, int(position.ended), position.attempt, position.rank]


def _position(numbers: list[int]) -> Position:
    run, ended, attempt, rank = numbers
    return Position(run, bool(ended), attempt, rank)
