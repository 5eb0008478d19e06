"""The end records that a worker writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from genpool_core.identity import TaskRef
from genpool_core.ledger.attempt_records import attempt_records, gpu_seconds
from genpool_core.ledger.records import AttemptRecord, Claim, EndRecord, Outcome, Output, Times
from genpool_core.reasons import code_of
from genpool_core.tasks.check import ValidatedTask, shown_parameters
from genpool_worker.ledger.lease import HeldClaim
from genpool_worker.pipeline.trace import AttemptTrace


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    outcome: Outcome
    reason: str
    message: str
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True)
class AttemptInHand:
    """An attempt that this worker has claimed: its claim, what it runs, what was seen of it, and the ones before."""

    held: HeldClaim
    validated: ValidatedTask
    trace: AttemptTrace
    earlier: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class AttemptInfo:
    """Which attempt ended a run, and what was run. ``number`` 0 and no claims: no attempt was made.

    ``trace`` is there where the attempt ended here and now; otherwise ``claims`` tell of it too.
    """

    number: int
    nonce: str
    claims: tuple[Claim, ...] = ()
    validated: ValidatedTask | None = None
    trace: AttemptTrace | None = None

    @property
    def claim(self) -> Claim | None:
        """The attempt's own."""
        return next((claim for claim in self.claims if claim.attempt == self.number), None)

    def waited(self, enqueued: datetime | None) -> float | None:
        """Seconds from the queue to the first attempt; None where there was none, or the time is not known."""
        begins = [claim.claimed_at for claim in self.claims]
        if enqueued is None or not begins:
            return None
        # The clocks of broker and pod differ.
        return max((min(begins) - enqueued).total_seconds(), 0.0)


@dataclass(frozen=True)
class Ran:
    """What ran in ComfyUI's container."""

    version: str | None = None
    image: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What else an end record says: of the task's message, and of the pod that ends it."""

    worker: str
    owner: str | None = None
    callback_url: str | None = None
    enqueued: datetime | None = None
    ran: Ran = Ran()
    gpus: int = 1


def end_record(
    ref: TaskRef, ending: Ending, by: AttemptInfo, around: Surroundings, now: datetime
) -> EndRecord:
    """The record of an end."""
    validated, trace, claim = by.validated, by.trace, by.claim
    last = _last(ending, by, now)
    # Of an attempt that ended elsewhere, this pod's ComfyUI tells nothing.
    ran = Ran() if trace is None else around.ran
    return EndRecord(
        task_key=ref.key,
        task_id=ref.task_id,
        run=ref.run,
        attempt=by.number,
        nonce=by.nonce,
        outcome=ending.outcome,
        reason=ending.reason,
        code=code_of(ending.reason),
        message=ending.message,
        worker=around.worker,
        owner=around.owner,
        workflow=validated.workflow_name if validated else None,
        template_digest=validated.template_digest if validated else None,
        seed=validated.bound.seed if validated else None,
        parameters=shown_parameters(validated.bound) if validated else {},
        callback_url=around.callback_url,
        outputs=list(ending.outputs),
        attempts=attempt_records(by.claims, last, gpus=around.gpus),
        node=trace.node if trace else None,
        log_lines=trace.log_lines if trace else [],
        gpu_seconds=gpu_seconds(by.claims, last, gpus=around.gpus),
        comfyui_version=ran.version,
        comfyui_image=ran.image,
        image_digest=ran.digest,
        times=_times(by, around.enqueued, now),
        started_at=claim.claimed_at if claim else None,
        ended_at=now,
    )


def _last(ending: Ending, by: AttemptInfo, now: datetime) -> AttemptRecord | None:
    """The attempt that ended here; None where there was none."""
    claim, trace = by.claim, by.trace
    if claim is None or trace is None:
        return None
    good = ending.outcome == "succeeded"
    # The attempt of a task that was ended before its time does not count.
    early = ending.outcome in {"cancelled", "expired"}
    bad: Literal["released", "failed"] = "released" if early else "failed"
    return AttemptRecord(
        attempt=claim.attempt,
        worker=claim.worker,
        claimed_at=claim.claimed_at,
        ended_at=now,
        outcome="succeeded" if good else bad,
        reason=None if good else ending.reason,
        message=None if good else ending.message,
        gpu_seconds=trace.gpu_seconds(now),
    )


def _times(by: AttemptInfo, enqueued: datetime | None, now: datetime) -> Times:
    if by.claim is None:
        return Times(enqueued=enqueued, ended=now)
    if by.trace is None:
        return Times(enqueued=enqueued, claimed=by.claim.claimed_at, started=by.claim.started_at, ended=now)
    return by.trace.times(enqueued=enqueued, claimed=by.claim.claimed_at, ended=now)


def succeeded(outputs: list[Output]) -> Ending:
    """The good end."""
    files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
    return Ending("succeeded", "Succeeded", f"made {files}.", tuple(outputs))
