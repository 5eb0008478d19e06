"""What holds for every delivery, whatever the ledger says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from genpool_core import timing
from genpool_core.ledger.decide import (
    Bury,
    DeliveryInfo,
    Park,
    PublishAgain,
    Start,
    counted_attempts,
    decide,
    retry_delay,
)
from genpool_core.ledger.records import Claim, EndRecord, Failure
from genpool_core.timing import RETRY_STEPS

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGES = st.integers(0, 7200).map(lambda seconds: NOW - timedelta(seconds=seconds))
STATES = st.sampled_from(["open", "released", "failed"])
DELIVERIES = st.builds(
    DeliveryInfo, redelivered=st.booleans(), failed_attempt=st.none() | st.integers(min_value=1, max_value=6)
)


def claim(attempt: int, state: str, time: datetime, worker: str) -> Claim:
    failure = Failure(reason="Boom", message="m", retryable=True, time=time) if state == "failed" else None
    return Claim(
        task_key="k",
        run=1,
        attempt=attempt,
        nonce=f"n{attempt}",
        worker=worker,
        claimed_at=time,
        timeout_seconds=60,
        released_at=time if state == "released" else None,
        failure=failure,
    )


def ages(claims: list[Claim], now: datetime = NOW) -> dict[int, float]:
    """What the store says of claims that were written when they say so."""
    return {item.attempt: (now - item.claimed_at).total_seconds() for item in claims}


@st.composite
def ledgers(draw: st.DrawFn) -> list[Claim]:
    """Claims of attempts 1 to n, in any order."""
    count = draw(st.integers(0, 5))
    workers = st.sampled_from(["me", "other"])
    claims = [claim(number, draw(STATES), draw(AGES), draw(workers)) for number in range(1, count + 1)]
    return draw(st.permutations(claims))


END = EndRecord(
    task_key="k",
    task_id="t",
    run=1,
    attempt=1,
    nonce="n",
    outcome="succeeded",
    reason="Succeeded",
    message="m",
    worker="w",
    ended_at=NOW,
)


@given(claims=ledgers(), delivery=DELIVERIES, most=st.integers(1, 5))
def test_a_task_that_ended_is_never_begun_again(
    claims: list[Claim], delivery: DeliveryInfo, most: int
) -> None:
    decision = decide(claims, END, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    assert decision == PublishAgain(END, dead_letter=False)


@given(claims=ledgers(), delivery=DELIVERIES, most=st.integers(1, 5))
def test_a_decision_keeps_to_the_ledger(claims: list[Claim], delivery: DeliveryInfo, most: int) -> None:
    decision = decide(claims, None, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    assert decision == decide(
        sorted(claims, key=lambda item: item.attempt),
        None,
        delivery,
        ages=ages(claims),
        worker="me",
        max_attempts=most,
        now=NOW,
    )
    counted = counted_attempts(claims)
    if isinstance(decision, Start):
        assert decision.attempt == len(claims) + 1
        assert counted < most
    elif isinstance(decision, Bury):
        assert decision.attempts == counted >= most
    else:
        assert isinstance(decision, Park)
        assert claims
        assert decision.seconds in RETRY_STEPS


@given(claims=ledgers(), delivery=DELIVERIES, most=st.integers(1, 5))
def test_nothing_is_parked_for_ever(claims: list[Claim], delivery: DeliveryInfo, most: int) -> None:
    later = (
        NOW
        + max(timedelta(seconds=timing.LEASE_SECONDS), timedelta(seconds=RETRY_STEPS[-1]))
        + timedelta(hours=1)
    )
    decision = decide(
        claims, None, delivery, ages=ages(claims, later), worker="me", max_attempts=most, now=later
    )
    assert not isinstance(decision, Park)


@given(claims=ledgers(), delivery=DELIVERIES)
def test_a_live_claim_of_another_worker_is_left_alone(claims: list[Claim], delivery: DeliveryInfo) -> None:
    alive = claim(len(claims) + 1, "open", NOW, "other")
    every = [*claims, alive]
    decision = decide(every, None, delivery, ages=ages(every), worker="me", max_attempts=1, now=NOW)
    assert isinstance(decision, Park)


def test_delays_grow_and_end() -> None:
    delays = [retry_delay(counted) for counted in range(1, 8)]
    assert delays == [5, 30, 120, 600, 3600, 3600, 3600]
    assert retry_delay(0) == 5
