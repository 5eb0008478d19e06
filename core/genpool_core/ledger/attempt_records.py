"""The attempts of a run, as its end record lists them. Pure: from the claims in the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from genpool_core.ledger.records import AttemptRecord, Claim

#: Attempts that a drain gave back do not count, so nothing else bounds their number.
MOST = 100


def attempt_records(claims: Sequence[Claim], last: AttemptRecord | None, *, gpus: int) -> list[AttemptRecord]:
    """All of a run, in order; ``last``: the attempt that ended it, whose claim does not say how."""
    others = [claim for claim in claims if last is None or claim.attempt != last.attempt]
    records = [_record(claim, gpus) for claim in others]
    if last is not None:
        records.append(last)
    return sorted(records, key=lambda record: record.attempt)[-MOST:]


def gpu_seconds(claims: Sequence[Claim], last: AttemptRecord | None, *, gpus: int) -> float | None:
    """Sum over all attempts, also those that are not listed; None where there were some and none is known."""
    found = [_seconds(claim, gpus) for claim in claims if last is None or claim.attempt != last.attempt]
    if last is not None:
        found.append(last.gpu_seconds)
    known = [seconds for seconds in found if seconds is not None]
    return None if found and not known else round(sum(known), 3)


def _record(claim: Claim, gpus: int) -> AttemptRecord:
    record = AttemptRecord(
        attempt=claim.attempt,
        worker=claim.worker,
        claimed_at=claim.claimed_at,
        outcome="lost",
        gpu_seconds=_seconds(claim, gpus),
    )
    if claim.released_at is not None:
        return record.model_copy(update={"outcome": "released", "ended_at": claim.released_at})
    if claim.failure is None:
        return record
    failure = claim.failure
    update = {
        "outcome": "failed",
        "ended_at": failure.time,
        "reason": failure.reason,
        "message": failure.message,
    }
    return record.model_copy(update=update)


def _seconds(claim: Claim, gpus: int) -> float | None:
    """As its worker recorded; of one that was lost, until it was last seen at work."""
    ended = claim.failure is not None or claim.released_at is not None
    if ended or claim.gpu_seconds is not None:
        return claim.gpu_seconds
    if claim.started_at is None or claim.renewed_at is None:
        return None
    return round(max(0.0, (claim.renewed_at - claim.started_at).total_seconds()) * gpus, 3)
