"""A task's record is the same whatever the order in which its changes arrive, and however often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from genpool_gateway.tasks.change import Change, apply_change
from genpool_gateway.tasks.record import TaskRecord, TaskState
from support.task_changes import accepting, at, change, end_record

RUNS = st.integers(1, 3)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """What the workers of one task may say: runs, in each attempts, and at most one end."""
    changes: list[Change] = []
    for run in range(1, draw(RUNS) + 1):
        attempts = draw(st.integers(0, 3))
        for attempt in range(1, attempts + 1):
            changes += _attempt(draw, run, attempt)
        if draw(st.booleans()):
            changes.append(_end(draw, run, attempts))
    return [each for each in changes if draw(st.integers(0, 9))] or [change("a", "claimed")]


def _attempt(draw: st.DrawFn, run: int, attempt: int) -> list[Change]:
    # A workflow may be another one in each attempt (degraded), and clocks differ.
    made = [
        change("a", "claimed", run=run, attempt=attempt, seconds=draw(_SECONDS), workflow=draw(_WORKFLOWS)),
        *(
            change("a", "output", run=run, attempt=attempt, seconds=draw(_SECONDS), number=number)
            for number in range(draw(st.integers(0, 2)))
        ),
    ]
    if draw(st.booleans()):
        made.append(change("a", "retried", run=run, attempt=attempt, seconds=draw(_SECONDS)))
    return made


def _end(draw: st.DrawFn, run: int, attempt: int) -> Change:
    end = end_record(
        "a",
        run=run,
        attempt=attempt,
        worker=draw(st.sampled_from(["", "pod-end"])),
        workflow=draw(_WORKFLOWS),
        parameters=draw(st.sampled_from([{}, {"seed": run}])),
        started_at=draw(st.sampled_from([None, at(run)])),
        callback_url=draw(st.sampled_from([None, f"https://client.example/{run}"])),
    )
    made = change("a", "ended", run=run, attempt=attempt, seconds=draw(_SECONDS), end=end)
    return replace(made, worker=end.worker or None, workflow=end.workflow)


_SECONDS = st.integers(0, 9)
_WORKFLOWS = st.sampled_from([None, "portrait", "plain"])
STARTS = st.sampled_from([None, accepting("a", seconds=5), accepting("a", erased_at=at(6))])


def fold(record: TaskRecord | None, changes: Sequence[Change]) -> TaskRecord:
    for each in changes:
        record = apply_change(record, each)
    assert record is not None
    return record


@settings(max_examples=400)
@given(histories(), STARTS, st.data())
def test_any_order_and_any_repetition_give_the_same_record(
    changes: list[Change], start: TaskRecord | None, data: st.DataObject
) -> None:
    repeated = changes + data.draw(st.lists(st.sampled_from(changes), max_size=6))
    shuffled = data.draw(st.permutations(repeated))
    assert fold(start, shuffled) == fold(start, changes)


@given(histories(), STARTS)
def test_the_record_is_that_of_the_latest_run_and_an_end_absorbs(
    changes: list[Change], start: TaskRecord | None
) -> None:
    record = fold(start, changes)
    latest = max(each.run for each in changes)
    ends = [each for each in changes if each.run == latest and each.type == "ended"]
    assert record.position.run == latest
    assert (record.state is TaskState.ENDED) == bool(ends)
    assert (record.end is None) == (not ends)
    assert record.ended_at == (ends[0].time if ends else None)
