"""Why a task is to end, and what the gateway does about it in the light of its ledger. Pure.

Whoever writes ``end.json`` first has ended the run, so the gateway may be wrong about what a worker does, and no harm
is done: a worker that began meanwhile finds that end, announces it under the same ids, and drops the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from genpool_core import timing
from genpool_core.identity import TaskRef
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.attempt_records import attempt_records, gpu_seconds
from genpool_core.ledger.records import Claim, EndRecord, Outcome, Times
from genpool_core.messages.commands import CancelTask
from genpool_core.reasons import code_of
from genpool_gateway.tasks.record import TaskRecord, TaskState


@dataclass(frozen=True)
class Cause:
    """Why a task is to end. ``unless_begun``: it does not end where an attempt has begun."""

    outcome: Literal["cancelled", "expired", "dead"]
    reason: str
    message: str
    unless_begun: bool = False


def cause_of(record: TaskRecord, now: datetime) -> Cause | None:
    """Why a task is to end now; None where it is not."""
    if record.state is TaskState.ENDED:
        return None
    if record.cancel_requested_at is not None:
        return Cause("cancelled", "Cancelled", "The task was cancelled before its end.")
    limits = record.submission
    if limits is None:
        return None
    if limits.end_by is not None and limits.end_by <= now:
        text = f"the task had not ended by {_shown(limits.end_by)}, as end_within_seconds said."
        return Cause("expired", "EndDeadlineExceeded", text)
    begun = record.state is TaskState.RUNNING or record.position.attempt > 0
    if limits.start_by is not None and limits.start_by <= now and not begun:
        text = f"no attempt had begun by {_shown(limits.start_by)}, as start_within_seconds said."
        return Cause("expired", "StartDeadlineExceeded", text, unless_begun=True)
    return None


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class WriteEnd:
    """No worker has it in hand: write the end. ``queued``: its message is in the work queue."""

    queued: bool


@dataclass(frozen=True)
class SendCommand:
    """A worker has it in hand."""

    worker: str


@dataclass(frozen=True)
class AnnounceStanding:
    """The run has its end. ``here``: a gateway made it, so that nobody else may have announced it."""

    end: EndRecord
    here: bool


@dataclass(frozen=True)
class Wait:
    """Nothing is to be done now."""


Verdict = WriteEnd | SendCommand | AnnounceStanding | Wait


def decide(
    cause: Cause,
    record: TaskRecord,
    claims: Sequence[Claim],
    end: EndRecord | None,
    ages: Mapping[int, float],
) -> Verdict:
    """What to do about a task that is to end.

    ``ages``: seconds since each claim was written last, by attempt, by the store's clock.
    """
    if end is not None:
        return AnnounceStanding(end, here=not end.worker)
    if cause.unless_begun and claims:
        return Wait()
    living = live_claim(claims, ages)
    if living is not None:
        return SendCommand(living.worker)
    return WriteEnd(queued=not claims and record.state is not TaskState.ACCEPTING)


def live_claim(claims: Sequence[Claim], ages: Mapping[int, float]) -> Claim | None:
    """The claim of the worker that has the task in hand; None where none has, or it was lost."""
    latest = max(claims, key=lambda claim: claim.attempt, default=None)
    if latest is None or latest.failure is not None or latest.released_at is not None:
        return None
    return latest if ages[latest.attempt] < timing.LEASE_SECONDS else None


def command_of(cause: Cause, task: str, run: int) -> CancelTask:
    """What a worker is told that has the task in hand."""
    if cause.outcome == "expired":
        return CancelTask(
            task_key=task, run=run, outcome="expired", reason=cause.reason, message=cause.message
        )
    return CancelTask(task_key=task, run=run)


@dataclass(frozen=True)
class About:
    """What else the end record says of the task; the gateway knows it from its store, or from the message."""

    owner: str | None = None
    workflow: str | None = None
    template_digest: str | None = None
    parameters: JsonObject | None = None
    callback_url: str | None = None
    enqueued: datetime | None = None
    gpus: int = 1


def about_record(record: TaskRecord, gpus: int) -> About:
    """Of a task in the store. Of a plain producer's the callback is not known: whoever has the message adds it."""
    accepted = record.submission is not None
    return About(
        owner=record.owner,
        workflow=record.workflow,
        parameters=record.parameters,
        callback_url=record.callback_url if accepted else None,
        enqueued=record.created_at if accepted and record.position.run == 1 else None,
        gpus=gpus,
    )


def end_of(
    ref: TaskRef, cause: Cause, about: About, claims: Sequence[Claim], nonce: str, now: datetime
) -> EndRecord:
    """The end record that the gateway writes."""
    latest = max(claims, key=lambda claim: claim.attempt, default=None)
    outcome: Outcome = cause.outcome
    return EndRecord(
        task_key=ref.key,
        task_id=ref.task_id,
        run=ref.run,
        attempt=latest.attempt if latest else 0,
        nonce=nonce,
        outcome=outcome,
        reason=cause.reason,
        code=code_of(cause.reason),
        message=cause.message,
        worker="",
        owner=about.owner,
        workflow=about.workflow,
        template_digest=about.template_digest,
        parameters=about.parameters or {},
        callback_url=about.callback_url,
        attempts=attempt_records(claims, None, gpus=about.gpus),
        gpu_seconds=gpu_seconds(claims, None, gpus=about.gpus),
        times=Times(
            enqueued=about.enqueued,
            claimed=latest.claimed_at if latest else None,
            started=latest.started_at if latest else None,
            ended=now,
        ),
        started_at=latest.claimed_at if latest else None,
        ended_at=now,
    )
