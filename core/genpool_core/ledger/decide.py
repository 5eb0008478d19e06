"""Decides what to do with a delivered task, from its ledger. Pure: the worker reads, asks here, and acts.

A claim with neither failure nor release is *alive* while its worker renews it, and *lost* when it has not been
renewed for ``timing.LEASE_SECONDS``. How long ago a claim was written last, its *age*, is told by the store, which
alone saw all writes; the times in a claim are of many nodes' clocks, and for people only. A live claim is left alone,
whatever the broker redelivers: when a connection is cut, the broker gives the task to another worker while the first
one goes on. The other parks the message in a delay step.

A message is *fresh* when no attempt stands behind it: it was not redelivered and is no retry. A fresh message of a
task that has a claim is a duplicate; where the claim has failed it is parked too, since the task's own retry is on its
way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_core import timing
from genpool_core.ledger.records import Claim, EndRecord, Failure


@dataclass(frozen=True)
class DeliveryInfo:
    """What the broker says about a message."""

    redelivered: bool
    failed_attempt: int | None
    """The attempt behind a retry message, from our own header; None on a producer's message."""


@dataclass(frozen=True)
class Start:
    """Claim this attempt and work."""

    attempt: int


@dataclass(frozen=True)
class PublishAgain:
    """The run has ended: publish its end again, under the same ids. ``dead_letter``: its dead letter may be missing."""

    end: EndRecord
    dead_letter: bool


@dataclass(frozen=True)
class Park:
    """Another worker holds the task: put the message into a delay step."""

    seconds: int
    failed_attempt: int | None
    """For the parked message's header: keeps a message that an attempt stands behind from looking fresh."""


@dataclass(frozen=True)
class Bury:
    """No attempt is left: end the task as dead."""

    failure: Failure
    attempts: int


Decision = Start | PublishAgain | Park | Bury


def decide(  # noqa: PLR0913 - all that it goes by
    claims: Sequence[Claim],
    end: EndRecord | None,
    delivery: DeliveryInfo,
    *,
    ages: Mapping[int, float],
    worker: str,
    max_attempts: int,
    now: datetime,
) -> Decision:
    """The decision for a delivery to ``worker``, which holds no task. ``claims``: all of the run, in any order.

    ``ages``: seconds since each claim was written last, by attempt, by the store's clock. ``now`` decides nothing: it
    dates the failure of a worker that was lost.
    """
    fresh = _is_fresh(claims, delivery)
    if end is not None:
        return PublishAgain(end, dead_letter=end.outcome == "dead" and not fresh)
    if not claims:
        return Start(1)
    latest = max(claims, key=lambda claim: claim.attempt)
    counted = counted_attempts(claims)
    age = ages[latest.attempt]
    if _is_alive(latest, worker, age) or (fresh and _retry_is_due(latest, counted, age)):
        return Park(timing.PARK_SECONDS, delivery.failed_attempt if fresh else latest.attempt)
    if counted >= max_attempts:
        return Bury(latest.failure or _lost(latest, now), counted)
    return Start(latest.attempt + 1)


def counted_attempts(claims: Sequence[Claim]) -> int:
    """Attempts that count against ``maxAttempts``: all but those that a drain gave back."""
    return sum(claim.released_at is None for claim in claims)


def is_stale(claims: Sequence[Claim], own: Claim) -> bool:
    """Whether another worker has taken over: a newer claim exists, or this attempt's claim has another nonce."""
    return any(
        claim.attempt > own.attempt or (claim.attempt == own.attempt and claim.nonce != own.nonce)
        for claim in claims
    )


def retry_delay(counted: int) -> int:
    """Seconds before the next attempt, after ``counted`` attempts that counted: the steps in order, then the last."""
    steps = timing.RETRY_STEPS
    return steps[min(max(counted, 1), len(steps)) - 1]


def _is_fresh(claims: Sequence[Claim], delivery: DeliveryInfo) -> bool:
    if delivery.redelivered:
        return False
    if delivery.failed_attempt is None:
        return True
    # A retry message that was overtaken: somebody else began the attempt that it asks for.
    return any(claim.attempt > delivery.failed_attempt for claim in claims)


def _is_alive(claim: Claim, worker: str, age: float) -> bool:
    """Whether its worker works on it. A claim under the asking worker's own name is of a process that was killed."""
    open_ = claim.failure is None and claim.released_at is None
    return open_ and claim.worker != worker and age < timing.LEASE_SECONDS


def _retry_is_due(claim: Claim, counted: int, age: float) -> bool:
    """Whether its retry is on its way. The failure was the claim's last write."""
    return claim.failure is not None and age < retry_delay(counted) + timing.RETRY_MARGIN_SECONDS


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
