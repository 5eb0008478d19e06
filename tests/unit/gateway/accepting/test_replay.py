"""A new run of a task that has ended: published first, stored then."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from genpool_core.errors import BrokerError, GenPoolError
from genpool_core.identity import accepted_event_id
from genpool_core.messages import headers
from genpool_core.messages.arrival import enqueued_at
from genpool_gateway.accepting.message import task_message
from genpool_gateway.accepting.refusals import OverCap, QueueFull
from genpool_gateway.accepting.replay import NotReplayable, Replayer, next_run, replayed
from genpool_gateway.tasks.change import Change, apply_change, erase
from genpool_gateway.tasks.record import Position, StoredEvent, Submission, TaskRecord, TaskState
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW, POOL, record

BODY = b'{"parameters":{"prompt":"a lake"},"task_id":"t"}'
LATER = NOW + timedelta(hours=1)
POOLS = directory(pool_object("text", namespace="art", uid=POOL.uid))
SUBMISSION = Submission(owner="key-1", body=BODY, start_by=NOW, end_by=NOW)
ENDED = record(
    state=TaskState.ENDED, position=Position(1, ended=True, attempt=1, rank=4), submission=SUBMISSION
)


@dataclass
class FakeQueues:
    fault: BrokerError | None = None
    published: list[TaskRecord] = field(default_factory=list)

    def publish(self, tasks: Sequence[TaskRecord]) -> list[Future[None]]:
        self.published += tasks
        futures: list[Future[None]] = [Future() for _ in tasks]
        for future in futures:
            if self.fault is None:
                future.set_result(None)
            else:
                future.set_exception(self.fault)
        return futures


@dataclass
class FakeRuns:
    """Notes which next runs are about to begin."""

    erased: set[str] = field(default_factory=set)
    about: set[str] = field(default_factory=set)

    def begin(self, tasks: Collection[str], at: object) -> set[str]:
        assert at == LATER
        self.about |= set(tasks) - self.erased
        return set(tasks) & self.erased

    def over(self, tasks: Collection[str]) -> None:
        self.about -= set(tasks)


@dataclass
class FakeEvents:
    changes: list[Change] = field(default_factory=list)

    def apply(self, changes: Sequence[Change]) -> list[StoredEvent]:
        self.changes += changes
        return []

    def request_cancel(self, _task: str, _at: object) -> TaskRecord | None:
        raise NotImplementedError


def test_the_message_is_the_same_under_the_next_run() -> None:
    again = next_run(ENDED, LATER)
    message = task_message(again, "queue")
    assert (message.body, message.headers[headers.RUN], message.headers[headers.OWNER]) == (BODY, 2, "key-1")
    assert message.properties.timestamp == int(LATER.timestamp())
    assert message.headers[headers.POOL] == ENDED.pool.uid


def test_the_message_names_the_pool_of_which_its_key_was_made() -> None:
    handed_over = replace(ENDED, former_pool="gone")
    assert task_message(handed_over, "queue").headers[headers.POOL] == "gone"


def test_a_message_tells_to_the_millisecond_when_it_came() -> None:
    at = NOW.replace(microsecond=987_000)
    message = task_message(replace(ENDED, created_at=at), "queue")
    assert enqueued_at(message.headers, message.properties, at + timedelta(seconds=1)) == at


def test_a_third_run_follows_the_second() -> None:
    second = replace(ENDED, position=Position(2, ended=True, attempt=3, rank=4))
    assert next_run(second, LATER).position.run == 3


def test_the_store_is_told_that_the_next_run_waits_without_the_limits_of_the_one_before() -> None:
    change = replayed(next_run(ENDED, LATER))
    assert (change.id, change.time) == (accepted_event_id(ENDED.id, 2), LATER)
    now = apply_change(ENDED, change)
    assert (now.state, now.position.run, now.created_at) == (TaskState.QUEUED, 2, NOW)
    assert now.submission is not None
    assert (now.submission.start_by, now.submission.end_by, now.submission.body) == (None, None, BODY)


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"state": TaskState.RUNNING}, "NotEnded", "cancel it, or wait"),
        ({"submission": None}, "NotReplayable", "was not accepted by this gateway"),
        ({"submission": replace(SUBMISSION, body=b"")}, "NotReplayable", "does not have its message"),
        ({"erased_at": NOW}, "NotReplayable", "were deleted"),
    ],
)
def test_what_has_no_next_run_is_refused(changes: dict[str, Any], reason: str, said: str) -> None:
    with pytest.raises(GenPoolError, match=said) as caught:
        next_run(replace(ENDED, **changes), LATER)
    assert caught.value.reason == reason
    assert erase(ENDED, NOW).erased_at == NOW


@pytest.mark.parametrize(
    ("fault", "reason", "stored"),
    [
        (None, None, 1),
        (BrokerError("no such queue.", reason="Unroutable"), "BrokerUnavailable", 0),
        (BrokerError("cut off.", uncertain=True), "NotConfirmed", 0),
    ],
)
def test_it_is_stored_when_the_broker_has_it(
    fault: BrokerError | None, reason: str | None, stored: int
) -> None:
    queues, events, runs = FakeQueues(fault), FakeEvents(), FakeRuns()
    replayer = Replayer(queues, events, runs, lambda: LATER, room=lambda _: None, unfinished=lambda _: 0)
    raised: str | None = None
    try:
        replayer.replay(ENDED, POOLS)
    except GenPoolError as error:
        raised = error.reason
    assert (raised, len(events.changes), len(queues.published)) == (reason, stored, 1)
    # Where it is not known whether the broker has it, it may still begin.
    uncertain = fault is not None and fault.uncertain
    assert runs.about == ({ENDED.id} if uncertain else set())


def test_one_whose_contents_are_being_deleted_is_not_published() -> None:
    queues, events, runs = FakeQueues(), FakeEvents(), FakeRuns(erased={ENDED.id})
    replayer = Replayer(queues, events, runs, lambda: LATER, room=lambda _: None, unfinished=lambda _: 0)
    with pytest.raises(NotReplayable, match="were deleted"):
        replayer.replay(ENDED, POOLS)
    assert (queues.published, events.changes) == ([], [])


@pytest.mark.parametrize(
    ("pools", "reason"),
    [
        (directory(), "NotReplayable"),
        (
            directory(pool_object("text", "DDColor人物黑白修复.json", namespace="art", uid=POOL.uid)),
            "InvalidTask",
        ),
    ],
)
def test_a_pool_that_would_refuse_it_today_is_not_sent_it(pools: Any, reason: str) -> None:  # noqa: ANN401 - directory
    queues = FakeQueues()
    with pytest.raises(GenPoolError) as caught:
        Replayer(
            queues, FakeEvents(), FakeRuns(), lambda: LATER, room=lambda _: None, unfinished=lambda _: 0
        ).replay(ENDED, pools)
    assert (caught.value.reason, queues.published) == (reason, [])


@pytest.mark.parametrize(
    ("cap", "unfinished", "full", "reason"),
    [
        (None, 1000, None, None),
        (3, 2, None, None),
        (3, 3, None, "TooManyTasks"),
        (None, 0, QueueFull("full.", retry_after=9), "QueueFull"),
        (3, 3, QueueFull("full."), "TooManyTasks"),
    ],
)
def test_a_cap_and_a_full_queue_hold_a_replay(
    cap: int | None, unfinished: int, full: QueueFull | None, reason: str | None
) -> None:
    queues = FakeQueues()
    replayer = Replayer(
        queues,
        FakeEvents(),
        FakeRuns(),
        lambda: LATER,
        room=lambda _: full,
        unfinished={"key-1": unfinished}.__getitem__,
    )
    raised: str | None = None
    try:
        replayer.replay(ENDED, POOLS, cap=cap)
    except GenPoolError as error:
        raised = error.reason
    assert (raised, len(queues.published)) == (reason, 0 if reason else 1)


def test_an_owners_replays_are_counted_one_after_the_other() -> None:
    waiting: list[TaskRecord] = []

    class Slow(FakeQueues):
        def publish(self, tasks: Sequence[TaskRecord]) -> list[Future[None]]:
            (future,) = super().publish(tasks)
            threading.Timer(0.02, lambda: waiting.extend(tasks)).start()
            return [future]

    class Stored(FakeEvents):
        def apply(self, changes: Sequence[Change]) -> list[StoredEvent]:
            while len(waiting) < len(self.changes) + 1:
                threading.Event().wait(0.001)
            return super().apply(changes)

    queues, events = Slow(), Stored()
    replayer = Replayer(
        queues,
        events,
        FakeRuns(),
        lambda: LATER,
        room=lambda _: None,
        unfinished=lambda _: len(events.changes),
    )
    refused: list[str] = []

    def replay() -> None:
        try:
            replayer.replay(ENDED, POOLS, cap=3)
        except OverCap as error:
            refused.append(error.message)

    threads = [threading.Thread(target=replay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(queues.published), len(refused)) == (3, 5)
