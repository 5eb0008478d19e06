"""Accepting: one commit for a group, one answer for each task, and what happens when store or broker are away."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

import pytest

from genpool_core import timing
from genpool_core.errors import BrokerError, TaskStoreError
from genpool_gateway.accepting.acceptor import GROUP, Acceptor, gather_seconds
from genpool_gateway.accepting.refusals import (
    Erased,
    NotPublished,
    OtherOptions,
    OtherRequest,
    OverCap,
    Overloaded,
    QueueFull,
    Unconfirmed,
)
from genpool_gateway.store.admission import IdempotencyScope, Known, admit, scope_of
from genpool_gateway.tasks.ports import Acceptance, Accepted, NewTask
from genpool_gateway.tasks.record import TaskRecord, TaskState
from integration.broker import until
from unit.gateway.samples import NOW, new, record


class MemoryStore:
    """Rows in memory. ``failing``: the database is away."""

    def __init__(self) -> None:
        self.rows: dict[str, TaskRecord] = {}
        self.keys: dict[IdempotencyScope, tuple[str, str]] = {}
        self.groups: list[int] = []
        self.failing = False
        self.lock = threading.Lock()

    def accept(
        self,
        tasks: Sequence[NewTask],
        caps: Mapping[str, int],
        now: datetime,  # noqa: ARG002 - the port's
        *,
        published: Sequence[str] = (),
    ) -> list[Accepted]:
        self._check()
        self.groups.append(len(tasks))
        self.published(published)
        counts = Counter(row.owner for row in self.rows.values() if row.owner is not None)
        admissions = admit(tasks, Known(self.rows, self.keys, counts), caps)
        for task, admission in zip(tasks, admissions, strict=True):
            if admission.acceptance is Acceptance.CREATED:
                self.rows[task.record.id] = task.record
            scope = scope_of(task)
            if admission.promises and scope is not None and task.idempotency is not None:
                self.keys[scope] = (task.idempotency.digest, task.record.id)
        return [Accepted(each.acceptance, self.rows.get(each.task or "")) for each in admissions]

    def published(self, ids: Sequence[str]) -> None:
        self._check()
        for task in ids:
            if self.rows[task].state is TaskState.ACCEPTING:
                self.rows[task] = replace(self.rows[task], state=TaskState.QUEUED)

    def refused(self, ids: Sequence[str]) -> None:
        self._check()
        for task in ids:
            del self.rows[task]
            self.keys = {key: value for key, value in self.keys.items() if value[1] != task}

    def unpublished(self, *, older_than: datetime, limit: int) -> list[TaskRecord]:
        self._check()
        rows = [row for row in self.rows.values() if row.state is TaskState.ACCEPTING]
        return [row for row in rows if row.created_at <= older_than][:limit]

    def _check(self) -> None:
        if self.failing:
            raise TaskStoreError("the database is away.")


class Broker:
    """Confirms when told to. ``answer``: at once with this error, or with None."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.open: list[Future[None]] = []
        self.answer: BrokerError | str | None = None

    def publish(self, tasks: Sequence[TaskRecord]) -> list[Future[None]]:
        futures = []
        for task in tasks:
            self.sent.append(task.id)
            future: Future[None] = Future()
            self.open.append(future)
            if isinstance(self.answer, BrokerError):
                future.set_exception(self.answer)
            elif self.answer is None:
                future.set_result(None)
            futures.append(future)
        return futures


class World:
    def __init__(self) -> None:
        self.store, self.broker = MemoryStore(), Broker()
        self.acceptor = Acceptor(self.store, self.broker, now=lambda: NOW)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.failing = False
    for future in made.broker.open:
        if not future.done():
            future.set_result(None)
    made.acceptor.stop(5)
    assert made.acceptor.unhealthy() is None


def test_a_task_is_stored_published_and_noted_as_queued(world: World) -> None:
    world.acceptor.start()
    outcome = world.acceptor.submit(new("a")).result(5)
    assert (outcome.record.id, outcome.record.state, outcome.repeated) == ("a", TaskState.QUEUED, False)
    until(lambda: world.store.rows["a"].state is TaskState.QUEUED, "the row says queued")


def test_what_waits_is_stored_in_one_commit(world: World) -> None:
    waiting = [world.acceptor.submit(new(f"{number:03}")) for number in range(GROUP + 6)]
    world.acceptor.start()
    assert [future.result(5).record.id for future in waiting] == [
        f"{number:03}" for number in range(GROUP + 6)
    ]
    assert world.store.groups == [GROUP, 6]
    assert world.broker.sent == [f"{number:03}" for number in range(GROUP + 6)]


def test_no_answer_comes_before_the_brokers(world: World) -> None:
    world.broker.answer = "later"
    world.acceptor.start()
    future = world.acceptor.submit(new("a"))
    until(lambda: world.broker.open, "it is published")
    assert not future.done()
    assert world.store.rows["a"].state is TaskState.ACCEPTING
    world.broker.open[0].set_result(None)
    assert future.result(5).record.state is TaskState.QUEUED


def test_the_same_task_twice_is_published_once(world: World) -> None:
    first, second = world.acceptor.submit(new("a")), world.acceptor.submit(new("a"))
    world.acceptor.start()
    assert (first.result(5).repeated, second.result(5).repeated) == (False, True)
    until(lambda: world.store.rows["a"].state is TaskState.QUEUED, "the row says queued")
    assert world.acceptor.submit(new("a")).result(5).repeated
    assert world.broker.sent == ["a"]


def test_an_idempotency_key_gives_the_task_that_it_made_and_refuses_another_request(world: World) -> None:
    world.acceptor.start()
    assert world.acceptor.submit(new("a", key="k")).result(5).record.id == "a"
    assert world.acceptor.submit(new("b", key="k")).result(5).record.id == "a"
    with pytest.raises(OtherRequest, match="used for another request"):
        world.acceptor.submit(new("b", key="k", digest="other")).result(5)
    assert world.broker.sent == ["a"]


def test_a_task_that_stands_with_other_options_is_named_and_stays(world: World) -> None:
    world.acceptor.start()
    world.acceptor.submit(new("a")).result(5)
    other = NewTask(record("a", priority=9), given=frozenset({"priority"}))
    with pytest.raises(OtherOptions, match="another priority before: it keeps what was sent first") as caught:
        world.acceptor.submit(other).result(5)
    assert (caught.value.task, caught.value.differing) == ("a", ("priority",))
    assert world.store.rows["a"].priority is None
    assert world.broker.sent == ["a"]


def test_a_task_whose_contents_were_deleted_is_not_done_again(world: World) -> None:
    world.store.rows["a"] = record("a", state=TaskState.ENDED, erased_at=NOW)
    world.acceptor.start()
    with pytest.raises(Erased, match=r"deleted at 2026-11-26T12:00:00\S*, so .* another task_id") as caught:
        world.acceptor.submit(new("a")).result(5)
    assert caught.value.task == "a"
    assert world.broker.sent == []


def test_over_its_cap_a_sender_is_refused(world: World) -> None:
    world.acceptor.start()
    world.acceptor.submit(new("a"), cap=1).result(5)
    with pytest.raises(OverCap, match="has 1 unfinished tasks"):
        world.acceptor.submit(new("b"), cap=1).result(5)


def test_a_full_queue_refuses_only_what_is_new(world: World) -> None:
    full = QueueFull("5 tasks wait.", retry_after=7)
    world.acceptor.start()
    world.acceptor.submit(new("a", key="k")).result(5)
    assert world.acceptor.submit(new("b", key="k"), full=full).result(5).record.id == "a"
    with pytest.raises(QueueFull, match="5 tasks wait"):
        world.acceptor.submit(new("b"), full=full).result(5)
    assert world.broker.sent == ["a"]


def test_where_the_broker_has_it_for_certain_not_nothing_is_kept(world: World) -> None:
    world.broker.answer = BrokerError("no queue takes it.", reason="Unroutable")
    world.acceptor.start()
    with pytest.raises(NotPublished, match="no queue takes it"):
        world.acceptor.submit(new("a", key="k")).result(5)
    world.broker.answer = None
    # Sent again at once, the row may not be there yet or not any more: either way it is published, and stays.
    assert not world.acceptor.submit(new("a", key="k")).result(5).repeated
    until(lambda: world.store.rows["a"].state is TaskState.QUEUED, "the row says queued")


def test_an_unknown_outcome_keeps_the_row_and_a_retry_settles_it(world: World) -> None:
    world.broker.answer = BrokerError("the connection was lost.", uncertain=True)
    world.acceptor.start()
    with pytest.raises(Unconfirmed) as caught:
        world.acceptor.submit(new("a", key="k")).result(5)
    assert caught.value.task == "a"
    assert world.store.rows["a"].state is TaskState.ACCEPTING
    world.broker.answer = None
    assert world.acceptor.submit(new("b", key="k")).result(5).record.id == "a"
    assert world.broker.sent[:2] == ["a", "a"]


def test_a_repeat_is_known_by_the_first_ones_id_while_it_waits(world: World) -> None:
    """Its sender is told that id when its own time is over."""
    world.broker.answer = "later"
    world.acceptor.start()
    first, second = world.acceptor.submit(new("a", key="k")), world.acceptor.submit(new("b", key="k"))
    until(lambda: (first.task, second.task) == ("a", "a"), "it is known")
    world.broker.open[0].set_result(None)
    assert second.result(5).record.id == "a"


def test_what_a_process_before_left_is_published_at_the_start(world: World) -> None:
    world.store.rows["old"] = record("old")
    world.acceptor.start()
    until(lambda: world.store.rows["old"].state is TaskState.QUEUED, "it is published")
    assert world.broker.sent == ["old"]


def test_a_database_that_is_away_is_told_and_comes_back(world: World) -> None:
    world.store.failing = True
    world.acceptor.start()
    with pytest.raises(TaskStoreError):
        world.acceptor.submit(new("a")).result(5)
    world.store.failing = False
    assert world.acceptor.submit(new("a")).result(5).record.id == "a"


def test_a_confirmation_that_cannot_be_noted_is_noted_later(world: World) -> None:
    world.broker.answer = "later"
    world.acceptor.start()
    future = world.acceptor.submit(new("a"))
    until(lambda: world.broker.open, "it is published")
    world.store.failing = True
    world.broker.open[0].set_result(None)
    future.result(5)
    with pytest.raises(TaskStoreError):
        world.acceptor.submit(new("b")).result(5)
    world.store.failing = False
    until(lambda: world.store.rows["a"].state is TaskState.QUEUED, "the row says queued")


def test_when_it_stops_what_waits_is_answered_and_nothing_more_is_taken() -> None:
    world = World()
    waiting = world.acceptor.submit(new("a"))
    world.acceptor.start()
    world.acceptor.stop(5)
    assert waiting.result(0).record.state is TaskState.QUEUED
    assert world.store.rows["a"].state is TaskState.QUEUED
    with pytest.raises(Overloaded, match="is stopping"):
        world.acceptor.submit(new("b")).result(0)


@pytest.mark.parametrize(
    ("took", "seconds"),
    [
        pytest.param(0.0, 0.003, id="nothing was stored yet"),
        pytest.param(0.002, 0.003, id="a fast commit"),
        pytest.param(0.005, 0.005, id="a slow one: half of the time is for others"),
        pytest.param(5.0, 0.008, id="a database that hung for a while"),
    ],
)
def test_others_may_join_for_as_long_as_the_last_group_took(took: float, seconds: float) -> None:
    assert gather_seconds(took) == seconds


def test_a_group_that_is_full_waits_for_nobody(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(timing, "ACCEPT_GATHER_SECONDS", 60.0)
    monkeypatch.setattr(timing, "ACCEPT_GATHER_MOST_SECONDS", 60.0)
    world.acceptor.start()
    for number in range(GROUP):
        world.acceptor.submit(new(f"{number:040x}"))
    until(lambda: world.store.groups == [GROUP], "the group is stored", 10)
