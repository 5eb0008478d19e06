"""What holds for every delivery, whatever the ledger says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
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
    is_stale,
    retry_delay,
)
from genpool_core.ledger.records import Claim, EndRecord, Failure, Outcome

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=timing.LEASE_SECONDS)
TICK = timedelta(microseconds=1)
#: Longer than any step and its margin.
LONG_AGO = timedelta(seconds=timing.RETRY_STEPS[-1] + timing.RETRY_MARGIN_SECONDS)
MOST = st.integers(1, 5)
#: For what has many cases.
MANY = settings(max_examples=300)
WORKERS = st.sampled_from(["me", "other"])


def times(
    *, youngest: timedelta = timedelta(), oldest: timedelta = 2 * LONG_AGO
) -> st.SearchStrategy[datetime]:
    """Times between two ages; half of them are young enough for the lease or the first step to matter."""
    near = min(oldest, youngest + 2 * LEASE)
    return (st.timedeltas(youngest, near) | st.timedeltas(youngest, oldest)).map(lambda age: NOW - age)


def claim(attempt: int, worker: str, claimed_at: datetime, **conclusion: object) -> Claim:
    return Claim.model_validate(
        {
            "task_key": "k",
            "run": 1,
            "attempt": attempt,
            "nonce": f"n{attempt}",
            "worker": worker,
            "claimed_at": claimed_at,
            "timeout_seconds": 60,
            **conclusion,
        }
    )


def ages(claims: Iterable[Claim], now: datetime = NOW) -> dict[int, float]:
    """What the store says of claims that were written last when they say so."""
    return {item.attempt: (now - _written_at(item)).total_seconds() for item in claims}


def _written_at(item: Claim) -> datetime:
    failed_at = item.failure.time if item.failure else None
    return max(time for time in (item.claimed_at, item.renewed_at, item.released_at, failed_at) if time)


def failure_at(time: datetime) -> Failure:
    return Failure(reason="Boom", message="m", retryable=True, time=time)


@st.composite
def some_claim(draw: st.DrawFn, attempt: int) -> Claim:
    """A claim that is open (renewed or not), failed, or given back."""
    time = draw(times())
    conclusion: dict[str, object] = draw(
        st.sampled_from(
            [{}, {"renewed_at": time}, {"failure": failure_at(time)}, {"released_at": time}],
        )
    )
    claimed_at = draw(times(youngest=NOW - time)) if conclusion else time
    return claim(attempt, draw(WORKERS), claimed_at, **conclusion)


@st.composite
def ledgers(draw: st.DrawFn, *, least: int = 0) -> list[Claim]:
    """Claims of attempts 1 to n, in any order."""
    count = draw(st.integers(least, 5))
    return draw(st.permutations([draw(some_claim(number)) for number in range(1, count + 1)]))


@st.composite
def deliveries(draw: st.DrawFn, claims: Sequence[Claim]) -> DeliveryInfo:
    """What a broker may deliver: a producer's message, or a retry behind one of the attempts."""
    attempts = [item.attempt for item in claims]
    behind = st.none() | st.sampled_from(attempts) if attempts else st.none()
    return DeliveryInfo(redelivered=draw(st.booleans()), failed_attempt=draw(behind))


def ended(outcome: Outcome) -> EndRecord:
    return EndRecord(
        task_key="k",
        task_id="t",
        run=1,
        attempt=1,
        nonce="n",
        outcome=outcome,
        reason="R",
        message="m",
        worker="w",
        ended_at=NOW,
    )


def attempt_behind(claims: Sequence[Claim], delivery: DeliveryInfo) -> bool:
    """Whether the latest attempt was begun for this very message, as far as can be known."""
    latest = max((item.attempt for item in claims), default=0)
    return delivery.redelivered or delivery.failed_attempt == latest > 0


@MANY
@given(st.data(), ledgers(), st.sampled_from(["succeeded", "dead", "cancelled", "expired"]), MOST)
def test_a_task_that_ended_is_never_begun_again(
    data: st.DataObject, claims: list[Claim], outcome: Outcome, most: int
) -> None:
    end = ended(outcome)
    delivery = data.draw(deliveries(claims))
    decision = decide(claims, end, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    may_be_missing = outcome == "dead" and attempt_behind(claims, delivery)
    assert decision == PublishAgain(end, dead_letter=may_be_missing)


@MANY
@given(st.data(), ledgers(), MOST)
def test_a_decision_keeps_to_the_ledger(data: st.DataObject, claims: list[Claim], most: int) -> None:
    delivery = data.draw(deliveries(claims))
    decision = decide(claims, None, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    in_order = sorted(claims, key=lambda item: item.attempt)
    assert decision == decide(
        in_order, None, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW
    )
    counted = counted_attempts(claims)
    match decision:
        case Start(attempt):
            assert attempt == len(claims) + 1
            assert counted < most
        case Bury(failure, attempts):
            assert attempts == counted >= most
            assert failure.reason == ("Boom" if in_order[-1].failure else "WorkerLost")
        case Park(seconds, failed_attempt):
            assert seconds == timing.RETRY_STEPS[0]
            behind = attempt_behind(claims, delivery)
            assert failed_attempt == (len(claims) if behind else delivery.failed_attempt)
        case PublishAgain():
            raise AssertionError("there is no end to publish")


@given(st.data(), ledgers(least=1), MOST)
def test_nothing_is_parked_for_ever(data: st.DataObject, claims: list[Claim], most: int) -> None:
    """Once the last lease and the last retry are over, each delivery begins or ends the task."""
    delivery = data.draw(deliveries(claims))
    decision = decide(
        claims,
        None,
        delivery,
        ages=ages(claims, NOW + LONG_AGO),
        worker="me",
        max_attempts=most,
        now=NOW + LONG_AGO,
    )
    assert isinstance(decision, Start if counted_attempts(claims) < most else Bury)


@MANY
@given(st.data(), st.integers(0, 4), MOST)
def test_who_need_not_wait_is_not_parked(data: st.DataObject, earlier: int, most: int) -> None:
    """A claim that was given back, one of the asker's own life before, a failed one whose retry this message is."""
    time, worker = data.draw(times()), data.draw(WORKERS)
    attempt = earlier + 1
    last, delivered = data.draw(
        st.sampled_from(
            [
                (claim(attempt, worker, time, released_at=time), None),
                (claim(attempt, "me", time), None),
                (claim(attempt, "me", data.draw(times(youngest=NOW - time)), renewed_at=time), None),
                (claim(attempt, worker, time, failure=failure_at(time)), attempt),
            ]
        )
    )
    before = [data.draw(some_claim(number)) for number in range(1, attempt)]
    claims = data.draw(st.permutations([*before, last]))
    delivery = DeliveryInfo(redelivered=data.draw(st.booleans()), failed_attempt=delivered)
    decision = decide(claims, None, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    assert isinstance(decision, Start if counted_attempts(claims) < most else Bury)


@given(st.data(), st.integers(0, 4), st.sampled_from([-TICK, timedelta(), TICK]), MOST)
def test_a_claim_of_another_worker_is_left_alone_until_its_lease_is_over(
    data: st.DataObject, earlier: int, since: timedelta, most: int
) -> None:
    """``since``: time from the end of the lease to the decision."""
    seen = NOW - LEASE - since
    renewed = data.draw(st.booleans())
    last = (
        claim(earlier + 1, "other", data.draw(times(youngest=NOW - seen)), renewed_at=seen)
        if renewed
        else claim(earlier + 1, "other", seen)
    )
    before = [data.draw(some_claim(number)) for number in range(1, earlier + 1)]
    claims = data.draw(st.permutations([*before, last]))
    delivery = data.draw(deliveries(claims))
    decision = decide(claims, None, delivery, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    assert isinstance(decision, Park) == (since < timedelta())


@given(st.data(), st.integers(1, 5), st.sampled_from([-TICK, timedelta(), TICK]), MOST)
def test_a_duplicate_waits_for_the_retry_until_it_must_have_come(
    data: st.DataObject, attempt: int, since: timedelta, most: int
) -> None:
    """``since``: time from the moment at which the retry counts as lost to the decision."""
    before = [data.draw(some_claim(number)) for number in range(1, attempt)]
    counted = counted_attempts(before) + 1
    due = timedelta(seconds=retry_delay(counted) + timing.RETRY_MARGIN_SECONDS)
    failed_at = NOW - due - since
    last = claim(attempt, data.draw(WORKERS), failed_at, failure=failure_at(failed_at))
    claims = data.draw(st.permutations([*before, last]))
    duplicate = DeliveryInfo(redelivered=False, failed_attempt=None)
    decision = decide(claims, None, duplicate, ages=ages(claims), worker="me", max_attempts=most, now=NOW)
    assert isinstance(decision, Park) == (since < timedelta())


@given(st.data(), ledgers(least=1))
def test_a_claim_is_stale_once_another_worker_has_gone_on(data: st.DataObject, claims: list[Claim]) -> None:
    own = data.draw(st.sampled_from(claims))
    assert is_stale(claims, own) == (own.attempt < len(claims))
    taken = [item for item in claims if item.attempt <= own.attempt]
    assert not is_stale(taken, own)
    assert is_stale(taken, own.model_copy(update={"nonce": "mine"}))


def test_delays_grow_and_end() -> None:
    delays = [retry_delay(counted) for counted in range(1, 8)]
    assert delays == [5, 30, 120, 600, 3600, 3600, 3600]
    assert retry_delay(0) == 5
