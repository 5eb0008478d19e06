"""Why a task is to end, and what is done about it: tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from genpool_core import timing
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import Claim, EndRecord, Failure
from genpool_gateway.janitor.ending import (
    About,
    AnnounceStanding,
    Cause,
    SendCommand,
    Verdict,
    Wait,
    WriteEnd,
    about_record,
    cause_of,
    command_of,
    decide,
    end_of,
)
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState
from unit.gateway.samples import NOW, record

CANCEL = Cause("cancelled", "Cancelled", "The task was cancelled before its end.")
LATE = Cause("expired", "StartDeadlineExceeded", "too late", unless_begun=True)
OLD = timing.LEASE_SECONDS + 1


def claim(attempt: int = 1, *, failed: bool = False, released: bool = False) -> Claim:
    return Claim(
        task_key="a" * 40,
        run=1,
        attempt=attempt,
        nonce="n",
        worker=f"pod-{attempt}",
        claimed_at=NOW,
        timeout_seconds=60,
        released_at=NOW if released else None,
        failure=Failure(reason="NodeFailed", message="no.", retryable=True, time=NOW) if failed else None,
    )


def end(worker: str) -> EndRecord:
    return end_of(TaskRef("t", "a" * 40, 1), CANCEL, About(), [], "n", NOW).model_copy(
        update={"worker": worker}
    )


def limited(**changes: object) -> TaskRecord:
    made = record(state=TaskState.QUEUED)
    assert made.submission is not None
    return replace(made, submission=replace(made.submission, **changes))  # type: ignore[arg-type]


PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (record(state=TaskState.QUEUED), None),
        (record(state=TaskState.QUEUED, cancel_requested_at=PAST), "Cancelled"),
        (record(state=TaskState.RUNNING, cancel_requested_at=PAST), "Cancelled"),
        (record(state=TaskState.ENDED, cancel_requested_at=PAST), None),
        (record(state=TaskState.QUEUED, submission=None), None),
        (limited(start_by=PAST), "StartDeadlineExceeded"),
        (limited(start_by=FUTURE), None),
        (limited(end_by=PAST), "EndDeadlineExceeded"),
        (limited(end_by=PAST, start_by=PAST), "EndDeadlineExceeded"),
        (replace(limited(start_by=PAST), state=TaskState.RUNNING), None),
        (replace(limited(start_by=PAST), position=Position(1, ended=False, attempt=1, rank=3)), None),
        (replace(limited(end_by=PAST), state=TaskState.RUNNING), "EndDeadlineExceeded"),
        (replace(limited(end_by=PAST), cancel_requested_at=PAST), "Cancelled"),
    ],
)
def test_why_a_task_is_to_end(task: TaskRecord, reason: str | None) -> None:
    cause = cause_of(task, NOW)
    assert (None if cause is None else cause.reason) == reason


@pytest.mark.parametrize(
    ("cause", "state", "claims", "standing", "age", "verdict"),
    [
        (CANCEL, TaskState.QUEUED, [], None, 0, WriteEnd(queued=True)),
        (CANCEL, TaskState.ACCEPTING, [], None, 0, WriteEnd(queued=False)),
        (CANCEL, TaskState.QUEUED, [claim(failed=True)], None, 0, WriteEnd(queued=False)),
        (CANCEL, TaskState.QUEUED, [claim(released=True)], None, 0, WriteEnd(queued=False)),
        (CANCEL, TaskState.RUNNING, [claim()], None, 0, SendCommand("pod-1")),
        (CANCEL, TaskState.QUEUED, [claim()], None, 0, SendCommand("pod-1")),
        (CANCEL, TaskState.RUNNING, [claim(failed=True), claim(2)], None, 0, SendCommand("pod-2")),
        (CANCEL, TaskState.RUNNING, [claim()], None, OLD, WriteEnd(queued=False)),
        (CANCEL, TaskState.QUEUED, [], end(""), 0, AnnounceStanding(end(""), here=True)),
        (CANCEL, TaskState.RUNNING, [claim()], end("pod-1"), 0, AnnounceStanding(end("pod-1"), here=False)),
        (LATE, TaskState.QUEUED, [], None, 0, WriteEnd(queued=True)),
        (LATE, TaskState.QUEUED, [claim()], None, 0, Wait()),
        (LATE, TaskState.QUEUED, [claim(failed=True)], None, 0, Wait()),
    ],
)
def test_what_is_done_about_it(
    cause: Cause,
    state: TaskState,
    claims: list[Claim],
    standing: EndRecord | None,
    age: float,
    verdict: Verdict,
) -> None:
    ages = dict.fromkeys((one.attempt for one in claims), age)
    assert decide(cause, record(state=state), claims, standing, ages) == verdict


def test_the_end_record_tells_what_is_known() -> None:
    task = record(
        state=TaskState.QUEUED, callback_url="https://c.example/?key=1", workflow="w", parameters={"p": 1}
    )
    found = end_of(TaskRef(task.task_id, task.id, 1), CANCEL, about_record(task, 2), [], "n", NOW)
    assert (found.attempt, found.worker, found.owner, found.code) == (0, "", "key-1", 6001)
    assert (found.callback_url, found.workflow, found.parameters) == (task.callback_url, "w", {"p": 1})
    assert (found.times.enqueued, found.times.claimed, found.times.ended) == (task.created_at, None, NOW)
    later: datetime = NOW + timedelta(seconds=9)
    tried = end_of(TaskRef("t", task.id, 1), CANCEL, about_record(task, 2), [claim(failed=True)], "n", later)
    assert (tried.attempt, [one.outcome for one in tried.attempts]) == (1, ["failed"])
    assert (tried.started_at, tried.ended_at) == (NOW, later)


def test_a_plain_producers_callback_is_not_known() -> None:
    heard = record(state=TaskState.QUEUED, submission=None, callback_url="https://c.example/")
    assert about_record(heard, 1).callback_url is None


def test_the_command_says_how_the_task_ends() -> None:
    over = command_of(Cause("expired", "EndDeadlineExceeded", "too late"), "k", 2)
    assert (over.outcome, over.reason, over.message, over.run) == (
        "expired",
        "EndDeadlineExceeded",
        "too late",
        2,
    )
    asked = command_of(CANCEL, "k", 1)
    assert (asked.outcome, asked.reason) == ("cancelled", "Cancelled")
