"""The attempts of a run in its end record, and the GPU seconds of all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from genpool_core.ledger.attempt_records import MOST, attempt_records, gpu_seconds
from genpool_core.ledger.records import AttemptRecord, Claim, Failure

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def claim(attempt: int, **changes: object) -> Claim:
    began = NOW + timedelta(minutes=attempt)
    given = {"worker": f"w{attempt}", "claimed_at": began, **changes}
    return Claim.model_validate(
        {"task_key": "k", "run": 1, "attempt": attempt, "nonce": "n", "timeout_seconds": 60, **given}
    )


FAILED = claim(
    1,
    failure=Failure(
        reason="OutOfMemory", message="no memory.", retryable=True, time=NOW + timedelta(minutes=1.5)
    ),
    gpu_seconds=12.5,
)
RELEASED = claim(2, released_at=NOW + timedelta(minutes=2.5), gpu_seconds=4.0)
LOST = claim(
    3, started_at=NOW + timedelta(minutes=3, seconds=10), renewed_at=NOW + timedelta(minutes=3, seconds=25)
)
LAST = AttemptRecord(
    attempt=4,
    worker="w4",
    claimed_at=NOW + timedelta(minutes=4),
    ended_at=NOW + timedelta(minutes=5),
    outcome="succeeded",
    gpu_seconds=3.25,
)


def test_each_way_in_which_an_attempt_ends() -> None:
    found = attempt_records([LOST, FAILED, claim(4), RELEASED], LAST, gpus=2)
    assert found == [
        AttemptRecord(
            attempt=1,
            worker="w1",
            claimed_at=FAILED.claimed_at,
            ended_at=NOW + timedelta(minutes=1.5),
            outcome="failed",
            reason="OutOfMemory",
            message="no memory.",
            gpu_seconds=12.5,
        ),
        AttemptRecord(
            attempt=2,
            worker="w2",
            claimed_at=RELEASED.claimed_at,
            ended_at=RELEASED.released_at,
            outcome="released",
            gpu_seconds=4.0,
        ),
        AttemptRecord(attempt=3, worker="w3", claimed_at=LOST.claimed_at, outcome="lost", gpu_seconds=30.0),
        LAST,
    ]
    assert gpu_seconds([LOST, FAILED, claim(4), RELEASED], LAST, gpus=2) == 12.5 + 4.0 + 30.0 + 3.25


def test_a_claim_of_an_older_release_says_nothing_of_gpus() -> None:
    old = FAILED.model_copy(update={"gpu_seconds": None})
    assert [record.gpu_seconds for record in attempt_records([old], None, gpus=1)] == [None]
    assert gpu_seconds([old], None, gpus=1) is None
    assert gpu_seconds([old, RELEASED], None, gpus=1) == 4.0


def test_a_run_without_attempts_used_no_gpu() -> None:
    assert attempt_records([], None, gpus=4) == []
    assert gpu_seconds([], None, gpus=4) == 0.0


def test_a_claim_that_was_lost_before_its_run_began() -> None:
    assert attempt_records([claim(1)], None, gpus=1)[0].gpu_seconds is None


def test_the_record_stays_bounded() -> None:
    many = [claim(number, released_at=NOW, gpu_seconds=1.0) for number in range(1, 1001)]
    found = attempt_records(many, None, gpus=1)
    assert (len(found), found[-1].attempt) == (MOST, 1000)
    assert gpu_seconds(many, None, gpus=1) == 1000
