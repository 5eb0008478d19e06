"""What an event means for a task's record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core.ledger.records import AttemptRecord, Output, Times
from genpool_core.messages.events import TaskClaimed, TaskEnded, TaskOutput, TaskProgress, TaskRetried
from genpool_gateway.tasks.change import (
    ERASED_MESSAGE,
    Change,
    apply_change,
    change_of,
    erase,
    erased_data,
    erased_end,
    moves,
)
from genpool_gateway.tasks.figures import wait_seconds
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState
from support.task_changes import POOL, accepting, at, change, end_record, key

OUTPUT = Output(key="k", bucket="b", node="9", kind="images", content_type="image/png", bytes=3, sha256="0")
COMMON = {
    "id": "e1",
    "pool": POOL,
    "worker": "pod-1",
    "time": at(1),
    "task_id": "a",
    "task_key": key("a"),
    "run": 1,
}


def fold(*changes: Change, record: TaskRecord | None = None) -> TaskRecord:
    for each in changes:
        record = apply_change(record, each)
    assert record is not None
    return record


# From events to changes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "kind", "data"),
    [
        (TaskClaimed(**COMMON, attempt=2, workflow="w"), "claimed", {"worker": "pod-1"}),
        (TaskOutput(**COMMON, attempt=2, output=OUTPUT), "output", OUTPUT.model_dump(mode="json")),
        (
            TaskRetried(**COMMON, attempt=2, reason="R", message="m", delay_seconds=5),
            "retried",
            {"reason": "R", "message": "m", "delay_seconds": 5},
        ),
        (
            TaskEnded(**COMMON, attempt=2, outcome="dead", reason="R", message="m"),
            "ended",
            {"outcome": "dead", "reason": "R", "message": "m"},
        ),
    ],
)
def test_an_event_is_a_change(event: TaskClaimed, kind: str, data: dict[str, object]) -> None:
    made = change_of(event)
    assert made is not None
    assert (made.id, made.type, made.task, made.run, made.attempt, made.time) == (
        "e1",
        kind,
        key("a"),
        1,
        2,
        at(1),
    )
    assert made.data == {"run": 1, "attempt": 2, **data}
    assert made.worker == "pod-1"


def test_progress_is_no_change() -> None:
    assert change_of(TaskProgress(**COMMON, attempt=1, value=0.5)) is None


def test_an_end_brings_its_record_and_an_older_release_what_it_says() -> None:
    record = end_record("a", workflow="other")
    whole = change_of(
        TaskEnded(**COMMON, attempt=1, outcome="succeeded", reason="R", message="m", record=record)
    )
    assert whole is not None
    assert (whole.end, whole.workflow) == (record, "other")
    older = change_of(
        TaskEnded(**COMMON, attempt=1, outcome="dead", reason="R", message="m", outputs=[OUTPUT])
    )
    assert older is not None
    assert older.end is not None
    assert (older.end.outcome, older.end.reason, older.end.outputs, older.end.nonce) == (
        "dead",
        "R",
        [OUTPUT],
        "",
    )
    # The record itself, as a rebuild brings it, replaces that.
    for order in ([older, whole], [whole, older]):
        assert fold(*(replace(each, id=each.type) for each in order)).end == record


# Records ------------------------------------------------------------------------------------------------------------

CLAIMED, ENDED = change("a", "claimed", seconds=2), change("a", "ended", seconds=9)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ([CLAIMED], TaskState.RUNNING),
        ([change("a", "output")], TaskState.RUNNING),
        ([CLAIMED, change("a", "retried")], TaskState.QUEUED),
        ([CLAIMED, change("a", "retried"), change("a", "claimed", attempt=2)], TaskState.RUNNING),
        ([change("a", "claimed", attempt=2), change("a", "retried")], TaskState.RUNNING),
        ([ENDED], TaskState.ENDED),
        ([ENDED, change("a", "claimed", attempt=7)], TaskState.ENDED),
        ([ENDED, change("a", "accepted", run=2, attempt=0)], TaskState.QUEUED),
        ([change("a", "claimed", run=2), ENDED], TaskState.RUNNING),
        ([change("a", "accepted", attempt=0)], TaskState.QUEUED),
    ],
)
@pytest.mark.parametrize("start", [None, accepting("a")])
def test_where_a_task_stands(start: TaskRecord | None, changes: list[Change], state: TaskState) -> None:
    assert fold(*changes, record=start).state is state


def test_a_plain_producers_task_is_known_from_what_was_heard() -> None:
    record = fold(ENDED, CLAIMED)
    assert (record.task_id, record.owner, record.created_at) == ("a", None, at(2))
    assert (record.worker, record.workflow) == ("pod-1-1", "portrait")
    assert (record.parameters, record.callback_url) == (
        {"size": 680, "seed": 42},
        "https://client.example/hook",
    )


def test_what_was_accepted_keeps_its_time_and_its_receiver() -> None:
    early = change("a", "claimed", seconds=-5)
    elsewhere = change("a", "ended", end=end_record("a", callback_url="https://other.example"))
    record = fold(early, elsewhere, record=accepting("a"))
    assert (record.created_at, record.callback_url) == (at(0), "https://client.example/hook")
    assert record.submission == accepting("a").submission


def test_a_replay_leaves_behind_what_the_run_before_left() -> None:
    before = replace(fold(CLAIMED, ENDED, record=accepting("a")), cancel_requested_at=at(5))
    record = apply_change(before, change("a", "accepted", run=2, attempt=0, worker=None))
    left = (record.end, record.started_at, record.ended_at, record.cancel_requested_at, record.worker)
    assert left == (None, None, None, None, None)
    assert record.position == Position(2, ended=False, attempt=0, rank=0)
    assert record.parameters == {"size": 680, "seed": 42}


@pytest.mark.parametrize(
    ("next_change", "news"),
    [
        (change("a", "output", number=2), True),
        (change("a", "claimed"), False),
        (change("a", "retried"), True),
        (change("a", "ended"), True),
        (change("a", "claimed", run=2), True),
    ],
)
def test_what_is_news_after_an_output(next_change: Change, news: bool) -> None:  # noqa: FBT001 - a table
    assert moves(fold(CLAIMED, change("a", "output")), next_change) is news
    assert moves(fold(CLAIMED, ENDED), next_change) is (next_change.run == 2)


# Erasing and figures ------------------------------------------------------------------------------------------------


def test_erased_is_what_was_given_and_made() -> None:
    attempt = AttemptRecord(
        attempt=1, worker="w", claimed_at=at(1), outcome="failed", reason="R", message="a secret"
    )
    end = end_record("a", "dead", outputs=[OUTPUT], log_lines=["a secret"], attempts=[attempt])
    before = fold(change("a", "ended", end=end, seconds=9), record=accepting("a"))
    erased = erase(before, at(20))
    assert (erased.parameters, erased.callback_url, erased.erased_at) == ({}, None, at(20))
    assert erased.submission == replace(before.submission, body=b"", metadata={})  # type: ignore[type-var]
    assert erased.end is not None
    assert (erased.end.outcome, erased.end.reason, erased.end.message) == (
        "dead",
        "InvalidTask",
        ERASED_MESSAGE,
    )
    assert (erased.end.outputs, erased.end.log_lines, erased.end.attempts[0].message) == ([], [], None)
    assert erased.end.erased_at == at(20)
    assert erase(erased, at(30)) == erased
    assert erased_data({"run": 1, "outcome": "dead", "message": "a secret", "key": "k"}) == {
        "run": 1,
        "outcome": "dead",
    }


def test_a_tombstone_of_the_ledger_is_an_erased_task() -> None:
    tombstone = erased_end(end_record("a"), at(20))
    rebuilt = fold(change("a", "ended", end=tombstone, seconds=9), record=None)
    assert (rebuilt.erased_at, rebuilt.end, rebuilt.parameters) == (at(20), tombstone, {})
    known = fold(change("a", "ended", end=tombstone, seconds=9), record=accepting("a"))
    assert (known.erased_at, known.parameters, known.callback_url) == (at(20), {}, None)
    assert known.submission is not None
    assert (known.submission.body, known.submission.metadata) == (b"", {})


@pytest.mark.parametrize(
    ("times", "attempts", "run", "accepted", "wait"),
    [
        (Times(enqueued=at(2), claimed=at(7)), [], 1, True, 5.0),
        (Times(claimed=at(7)), [], 1, True, 7.0),
        (Times(claimed=at(7)), [], 1, False, None),
        (Times(claimed=at(7)), [], 2, True, None),
        (Times(enqueued=at(2), claimed=at(7)), [at(4), at(7)], 1, False, 2.0),
        (Times(enqueued=at(9), claimed=at(7)), [], 1, True, 0.0),
        (Times(enqueued=at(2)), [], 1, True, None),
    ],
)
def test_a_wait_is_told_where_both_its_ends_are_known(
    times: Times,
    attempts: list[object],
    run: int,
    accepted: bool,  # noqa: FBT001 - a table
    wait: float | None,
) -> None:
    made = [
        AttemptRecord(attempt=number, worker="w", claimed_at=claimed, outcome="failed")  # type: ignore[arg-type]
        for number, claimed in enumerate(attempts, 1)
    ]
    end = end_record("a", run=run, times=times, attempts=made, started_at=None)
    record = fold(change("a", "ended", run=run, end=end), record=accepting("a") if accepted else None)
    assert wait_seconds(record) == wait
    assert wait_seconds(accepting("a")) is None
