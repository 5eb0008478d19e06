"""The one table between the ledger's words and those at the edge, which app developers know from elsewhere.

=============================  ==================
the record                     status
=============================  ==================
accepting, queued              ``queued``
running                        ``running``
not ended, its end asked for   ``canceling``
ended: succeeded               ``succeeded``
ended: dead                    ``failed``
ended: cancelled               ``canceled``
ended: expired                 ``expired``
=============================  ==================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from genpool_core.ledger.records import Outcome
from genpool_gateway.tasks.record import TaskRecord, TaskState

Status = Literal["queued", "running", "canceling", "succeeded", "failed", "canceled", "expired"]

OUTCOMES: Mapping[Outcome, Status] = {
    "succeeded": "succeeded",
    "dead": "failed",
    "cancelled": "canceled",
    "expired": "expired",
}


def status_of(record: TaskRecord) -> Status:
    """The status of a task, as everybody outside sees it."""
    if record.end is not None:
        return OUTCOMES[record.end.outcome]
    if record.cancel_requested_at is not None:
        return "canceling"
    return "running" if record.state is TaskState.RUNNING else "queued"


def of_status(status: Status) -> tuple[frozenset[TaskState], frozenset[Outcome], bool]:
    """The other way, for filters: states, outcomes, and whether the end was asked for."""
    for outcome, name in OUTCOMES.items():
        if name == status:
            return frozenset(), frozenset({outcome}), False
    if status == "running":
        return frozenset({TaskState.RUNNING}), frozenset(), False
    if status == "canceling":
        return frozenset({TaskState.ACCEPTING, TaskState.QUEUED, TaskState.RUNNING}), frozenset(), True
    return frozenset({TaskState.ACCEPTING, TaskState.QUEUED}), frozenset(), False
