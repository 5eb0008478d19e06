"""Changes and records of tasks, for tests of the task store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from genpool_core.ledger.records import EndRecord, Outcome, Times
from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import Change
from genpool_gateway.tasks.record import Position, Submission, TaskRecord, TaskState

POOL = PoolRef(namespace="team", name="photos", uid="uid-1")
#: When the tests' tasks were accepted.
T0 = datetime(2026, 3, 1, 12, 0, 0, 250_001, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def key(name: str) -> str:
    """A task key by a short name."""
    return f"key-{name}"


def accepting(name: str, *, owner: str = "anna", seconds: float = 0, **changes: Any) -> TaskRecord:  # noqa: ANN401 - fields of the record
    """A task as the gateway is about to store it."""
    record = TaskRecord(
        id=key(name),
        pool=POOL,
        task_id=name,
        created_at=at(seconds),
        state=TaskState.ACCEPTING,
        position=Position(1, ended=False, attempt=0, rank=0),
        workflow="portrait",
        priority=3,
        parameters={"size": 680, "größe": ["a", None, 1.5]},
        callback_url="https://client.example/hook",
        submission=Submission(owner=owner, body=b'{"size": 680}', metadata={"order": 7}, end_by=at(900)),
    )
    return replace(record, **changes)


def end_record(name: str, outcome: Outcome = "succeeded", **changes: Any) -> EndRecord:  # noqa: ANN401 - fields of the record
    values: dict[str, Any] = {
        "task_key": key(name),
        "task_id": name,
        "run": 1,
        "attempt": 1,
        "nonce": "n1",
        "outcome": outcome,
        "reason": "Succeeded" if outcome == "succeeded" else "InvalidTask",
        "message": "It is so.",
        "worker": "pod-1",
        "workflow": "portrait",
        "seed": 42,
        "parameters": {"size": 680, "seed": 42},
        "callback_url": "https://client.example/hook",
        "gpu_seconds": 2.5,
        "times": Times(enqueued=at(1), claimed=at(4)),
        "started_at": at(4),
        "ended_at": at(9),
    }
    return EndRecord(**{**values, **changes})


def change(
    name: str,
    kind: str,
    *,
    seconds: float = 0,
    run: int = 1,
    attempt: int = 1,
    **changes: Any,  # noqa: ANN401 - fields of the change
) -> Change:
    """One event of a worker; ``number`` tells one output from the next."""
    number = changes.pop("number", 0)
    end = changes.pop("end", None)
    if kind == "ended" and end is None:
        end = end_record(name, run=run, attempt=attempt, ended_at=at(seconds), started_at=None)
    made = Change(
        id=f"{kind}-{name}-{run}-{attempt}-{number}",
        type=kind,
        task=key(name),
        task_id=name,
        pool=POOL,
        run=run,
        attempt=attempt,
        time=at(seconds),
        data={"run": run, "attempt": attempt, "number": number},
        worker=f"pod-{run}-{attempt}",
        workflow="portrait" if kind in {"claimed", "ended"} else None,
        end=end,
    )
    return replace(made, **changes)
