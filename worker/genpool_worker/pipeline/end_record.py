"""The end records that a worker writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genpool_core.identity import TaskRef
from genpool_core.ledger.records import Claim, EndRecord, Outcome, Output
from genpool_core.tasks.check import ValidatedTask, shown_parameters


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    outcome: Outcome
    reason: str
    message: str
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True)
class AttemptInfo:
    """Which attempt ended it, and what was run. ``number`` 0 and no claim: no attempt was made."""

    number: int
    nonce: str
    claim: Claim | None = None
    validated: ValidatedTask | None = None


def end_record(
    ref: TaskRef,
    ending: Ending,
    by: AttemptInfo,
    *,
    worker: str,
    callback_url: str | None,
    now: datetime,
) -> EndRecord:
    """The record of an end."""
    validated = by.validated
    return EndRecord(
        task_key=ref.key,
        task_id=ref.task_id,
        run=ref.run,
        attempt=by.number,
        nonce=by.nonce,
        outcome=ending.outcome,
        reason=ending.reason,
        message=ending.message,
        worker=worker,
        workflow=validated.workflow_name if validated else None,
        seed=validated.bound.seed if validated else None,
        parameters=shown_parameters(validated.bound) if validated else {},
        callback_url=callback_url,
        outputs=list(ending.outputs),
        started_at=by.claim.claimed_at if by.claim else None,
        ended_at=now,
    )


def succeeded(outputs: list[Output]) -> Ending:
    """The good end."""
    files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
    return Ending("succeeded", "Succeeded", f"made {files}.", tuple(outputs))
