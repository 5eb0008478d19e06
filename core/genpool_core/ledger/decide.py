"""What to do with a delivered task, in the light of its ledger. Pure: the worker reads, asks here, and acts.

A message is *fresh* when it comes for the first time and no attempt stands behind it. A fresh message of a task that
already has claims is a duplicate: its twin is being worked on, waits for its retry, or is about to be redelivered. It
is parked in a delay step until the twin has ended, and begins an attempt only when nothing was heard for so long that
the twin must be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core.ledger.records import Claim, EndRecord, Failure
from genpool_core.names import RETRY_STEPS

#: Beyond a claim's own time-out, for fetching, uploading, draining and the longest delay step in use.
TWIN_MARGIN = timedelta(minutes=15)
PARK_SECONDS = RETRY_STEPS[0]


@dataclass(frozen=True)
class Delivery:
    """What the broker says about a message."""

    redelivered: bool
    failed_attempt: int | None
    """The attempt behind a retry message, from our own header; None on a producer's message."""


@dataclass(frozen=True)
class Start:
    """Claim this attempt and work."""

    attempt: int


@dataclass(frozen=True)
class AnnounceAgain:
    """The task has ended: say so again under the same ids. ``dead_letter``: its dead letter may be missing."""

    end: EndRecord
    dead_letter: bool


@dataclass(frozen=True)
class Park:
    """A duplicate of a task in progress: look again later."""

    seconds: int


@dataclass(frozen=True)
class Bury:
    """No attempt is left: end the task as dead."""

    failure: Failure
    attempts: int


Decision = Start | AnnounceAgain | Park | Bury


def decide(
    claims: Sequence[Claim],
    end: EndRecord | None,
    delivery: Delivery,
    *,
    max_attempts: int,
    now: datetime,
) -> Decision:
    """What a delivery means. ``claims``: all claims of the run, in any order."""
    fresh = _is_fresh(claims, delivery)
    if end is not None:
        return AnnounceAgain(end, dead_letter=end.outcome == "dead" and not fresh)
    if not claims:
        return Start(1)
    latest = max(claims, key=lambda claim: claim.attempt)
    if fresh and now < _silent_since(latest) + timedelta(seconds=latest.timeout_seconds) + TWIN_MARGIN:
        return Park(PARK_SECONDS)
    counted = counted_attempts(claims)
    if counted >= max_attempts:
        return Bury(latest.failure or _lost(latest, now), counted)
    return Start(latest.attempt + 1)


def counted_attempts(claims: Sequence[Claim]) -> int:
    """Attempts that count against ``maxAttempts``: all but those that a drain gave back."""
    return sum(claim.released_at is None for claim in claims)


def is_stale(claims: Sequence[Claim], own: Claim) -> bool:
    """Whether another worker has gone on from here: a newer claim exists, or the own one is another's now."""
    return any(
        claim.attempt > own.attempt or (claim.attempt == own.attempt and claim.nonce != own.nonce)
        for claim in claims
    )


def retry_delay(counted: int) -> int:
    """Seconds before the next attempt, after ``counted`` attempts that counted: the steps in order, then the last."""
    return RETRY_STEPS[min(max(counted, 1), len(RETRY_STEPS)) - 1]


def _is_fresh(claims: Sequence[Claim], delivery: Delivery) -> bool:
    if delivery.redelivered:
        return False
    if delivery.failed_attempt is None:
        return True
    # A retry message that was overtaken: somebody else began the attempt that it asks for.
    return any(claim.attempt > delivery.failed_attempt for claim in claims)


def _silent_since(claim: Claim) -> datetime:
    times = [claim.claimed_at]
    if claim.released_at is not None:
        times.append(claim.released_at)
    if claim.failure is not None:
        times.append(claim.failure.time)
    return max(times)


def _lost(claim: Claim, now: datetime) -> Failure:
    return Failure(
        reason="WorkerLost",
        message=(
            f"attempt {claim.attempt} began at {claim.claimed_at:%Y-%m-%d %H:%M:%S} UTC on {claim.worker} and never "
            "ended: the pod was killed, ran out of memory, or its node was lost. Look at that pod's last state."
        ),
        retryable=True,
        time=now,
    )
