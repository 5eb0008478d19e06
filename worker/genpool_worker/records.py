"""The end records that a worker writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genpool_core.ledger.records import Claim, EndRecord, Outcome, Output
from genpool_worker.prepare import Prepared, shown_parameters
from genpool_worker.receive import Delivered


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    outcome: Outcome
    reason: str
    message: str
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True)
class Attempted:
    """Which attempt ended it, and what was run. ``number`` 0 and no claim: no attempt was made."""

    number: int
    nonce: str
    claim: Claim | None = None
    prepared: Prepared | None = None


def end_record(
    task: Delivered, ending: Ending, by: Attempted, *, worker: str, callback_url: str | None, now: datetime
) -> EndRecord:
    """The record of an end."""
    prepared = by.prepared
    return EndRecord(
        task_key=task.key,
        task_id=task.task_id,
        run=task.run,
        attempt=by.number,
        nonce=by.nonce,
        outcome=ending.outcome,
        reason=ending.reason,
        message=ending.message,
        worker=worker,
        workflow=prepared.workflow_name if prepared else None,
        seed=prepared.bound.seed if prepared else None,
        parameters=shown_parameters(prepared.bound) if prepared else {},
        callback_url=callback_url,
        outputs=list(ending.outputs),
        started_at=by.claim.claimed_at if by.claim else None,
        ended_at=now,
    )


def succeeded(outputs: list[Output]) -> Ending:
    """The good end."""
    files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
    return Ending("succeeded", "Succeeded", f"made {files}.", tuple(outputs))
