"""Tasks for tests of the gateway."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.ports import Idempotency, NewTask
from genpool_gateway.tasks.record import Position, Submission, TaskRecord, TaskState

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
POOL = PoolRef(namespace="art", name="text", uid="uid-1")


def record(task: str = "a" * 40, **changes: Any) -> TaskRecord:  # noqa: ANN401 - fields
    """A task that is being accepted."""
    made = TaskRecord(
        id=task,
        pool=POOL,
        task_id=f"word-{task[:4]}",
        created_at=NOW,
        state=TaskState.ACCEPTING,
        position=Position(1, ended=False, attempt=0, rank=0),
        submission=Submission(owner="key-1", body=b"{}"),
    )
    return replace(made, **changes)


def new(task: str, *, key: str | None = None, digest: str = "d") -> NewTask:
    """A task to be accepted."""
    return NewTask(record(task), None if key is None else Idempotency(key, digest))
