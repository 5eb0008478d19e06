"""What a delivery means in the light of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from genpool_core import timing
from genpool_core.ledger.decide import (
    Bury,
    Decision,
    DeliveryInfo,
    Park,
    PublishAgain,
    Start,
    decide,
    is_stale,
)
from genpool_core.ledger.records import Claim, EndRecord, Failure

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FRESH = DeliveryInfo(redelivered=False, failed_attempt=None)
AGAIN = DeliveryInfo(redelivered=True, failed_attempt=None)
SECOND = timedelta(seconds=1)


def retry(attempt: int) -> DeliveryInfo:
    return DeliveryInfo(redelivered=False, failed_attempt=attempt)


def claim(
    attempt: int = 1,
    *,
    worker: str = "other",
    age: timedelta = timedelta(),
    renewed: timedelta | None = None,
    released: bool = False,
    failed: timedelta | None = None,
    nonce: str = "n",
) -> Claim:
    return Claim(
        task_key="k",
        run=1,
        attempt=attempt,
        nonce=nonce,
        worker=worker,
        claimed_at=NOW - age,
        timeout_seconds=600,
        renewed_at=None if renewed is None else NOW - renewed,
        released_at=NOW - age if released else None,
        failure=None
        if failed is None
        else Failure(reason="Boom", message="boom", retryable=True, time=NOW - failed),
    )


def ages(claims: Sequence[Claim]) -> dict[int, float]:
    """What the store says of claims that were written when they say so."""
    return {
        item.attempt: (
            NOW - (item.failure.time if item.failure else item.renewed_at or item.claimed_at)
        ).total_seconds()
        for item in claims
    }


def ended(outcome: str) -> EndRecord:
    return EndRecord.model_validate(
        {
            "task_key": "k",
            "task_id": "t",
            "run": 1,
            "attempt": 1,
            "nonce": "n",
            "outcome": outcome,
            "reason": "R",
            "message": "m",
            "worker": "w",
            "ended_at": NOW,
        }
    )


OLD = timedelta(seconds=timing.LEASE_SECONDS) + SECOND
HOUR = timedelta(hours=1)
GOOD, DEAD = ended("succeeded"), ended("dead")


@pytest.mark.parametrize(
    ("claims", "end", "delivery", "expected"),
    [
        pytest.param([], None, FRESH, Start(1), id="new task"),
        pytest.param([], None, AGAIN, Start(1), id="its worker died before the claim"),
        pytest.param(
            [claim()], GOOD, FRESH, PublishAgain(GOOD, dead_letter=False), id="duplicate of a done one"
        ),
        pytest.param(
            [claim()], DEAD, FRESH, PublishAgain(DEAD, dead_letter=False), id="duplicate of a dead one"
        ),
        pytest.param(
            [claim()], DEAD, AGAIN, PublishAgain(DEAD, dead_letter=True), id="died before its dead letter"
        ),
        pytest.param([claim()], None, FRESH, Park(5, None), id="duplicate of one in progress"),
        pytest.param([claim()], None, AGAIN, Park(5, 1), id="connection cut, worker goes on"),
        pytest.param([claim(age=HOUR, renewed=SECOND)], None, AGAIN, Park(5, 1), id="long run, renewed"),
        pytest.param([claim(age=OLD)], None, AGAIN, Start(2), id="worker killed"),
        pytest.param(
            [claim(age=HOUR, renewed=OLD)], None, AGAIN, Start(2), id="worker killed after renewals"
        ),
        pytest.param([claim(age=OLD)], None, FRESH, Start(2), id="killed, and the broker says nothing of it"),
        pytest.param([claim(worker="me")], None, AGAIN, Start(2), id="own container was restarted"),
        pytest.param([claim(released=True)], None, AGAIN, Start(2), id="given back by a drain"),
        pytest.param([claim(released=True)], None, FRESH, Start(2), id="given back, not marked redelivered"),
        pytest.param([claim(failed=5 * SECOND)], None, retry(1), Start(2), id="its retry"),
        pytest.param([claim(failed=SECOND)], None, AGAIN, Start(2), id="died before it published the retry"),
        pytest.param([claim(failed=SECOND)], None, FRESH, Park(5, None), id="duplicate while a retry waits"),
        pytest.param([claim(failed=HOUR)], None, FRESH, Start(2), id="duplicate, the retry was lost"),
        pytest.param([claim(1, failed=HOUR), claim(2)], None, retry(1), Park(5, 1), id="retry was overtaken"),
        pytest.param(
            [claim(1, failed=HOUR), claim(2, failed=SECOND)],
            None,
            retry(1),
            Park(5, 1),
            id="overtaken and failed",
        ),
        pytest.param(
            [claim(1, failed=HOUR), claim(2, age=OLD)], None, AGAIN, Start(3), id="second one killed"
        ),
    ],
)
def test_decision(
    claims: list[Claim], end: EndRecord | None, delivery: DeliveryInfo, expected: Decision
) -> None:
    assert decide(claims, end, delivery, ages=ages(claims), worker="me", max_attempts=3, now=NOW) == expected


@pytest.mark.parametrize(
    ("claims", "delivery", "expected_reason"),
    [
        pytest.param([claim(age=OLD)], AGAIN, "WorkerLost", id="killed on its last attempt"),
        pytest.param([claim(failed=SECOND)], AGAIN, "Boom", id="died after it recorded its last failure"),
        pytest.param([claim(failed=SECOND)], retry(1), "Boom", id="maxAttempts was lowered"),
    ],
)
def test_no_attempt_left(claims: list[Claim], delivery: DeliveryInfo, expected_reason: str) -> None:
    decision = decide(claims, None, delivery, ages=ages(claims), worker="me", max_attempts=1, now=NOW)
    assert isinstance(decision, Bury)
    assert (decision.failure.reason, decision.attempts) == (expected_reason, 1)


def test_a_task_in_progress_is_never_buried() -> None:
    decision = decide(
        [claim(age=HOUR, renewed=SECOND)], None, AGAIN, ages={1: 1.0}, worker="me", max_attempts=1, now=NOW
    )
    assert decision == Park(5, 1)


def test_a_released_attempt_does_not_count() -> None:
    claims = [claim(1, released=True), claim(2, released=True), claim(3, failed=SECOND)]
    assert decide(claims, None, retry(3), ages=ages(claims), worker="me", max_attempts=2, now=NOW) == Start(4)


def test_a_parked_message_keeps_what_stands_behind_it() -> None:
    """Parked at a redelivery, ended dead by a worker that then died: the dead letter must still be written."""
    parked = decide([claim()], None, AGAIN, ages={1: 0.0}, worker="me", max_attempts=1, now=NOW)
    assert isinstance(parked, Park)
    later = DeliveryInfo(redelivered=False, failed_attempt=parked.failed_attempt)
    assert decide(
        [claim()], DEAD, later, ages={1: 0.0}, worker="me", max_attempts=1, now=NOW
    ) == PublishAgain(DEAD, dead_letter=True)


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_the_times_that_other_clocks_wrote_decide_nothing(skew: timedelta) -> None:
    alive, failed = claim(age=skew), claim(failed=skew)
    most = {"worker": "me", "max_attempts": 1, "now": NOW}
    lost = timing.LEASE_SECONDS
    assert decide([alive], None, AGAIN, ages={1: lost - 1}, **most) == Park(5, 1)
    assert isinstance(decide([alive], None, AGAIN, ages={1: lost}, **most), Bury)
    assert decide([failed], None, FRESH, ages={1: 5.0}, **most) == Park(5, None)


def test_two_renewals_may_fail_before_a_claim_is_lost() -> None:
    assert timedelta(seconds=timing.RENEW_SECONDS) * 2 < timedelta(seconds=timing.LEASE_SECONDS)


@pytest.mark.parametrize(
    ("others", "stale"),
    [
        ([], False),
        ([claim(1, nonce="mine")], False),
        ([claim(1, nonce="theirs")], True),
        ([claim(1, nonce="mine"), claim(2)], True),
    ],
)
def test_stale(others: list[Claim], *, stale: bool) -> None:
    assert is_stale(others, claim(1, nonce="mine")) is stale
