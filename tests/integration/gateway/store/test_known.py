"""Whether a task was accepted before: by its id, or by the idempotency key that its sender gave."""

from __future__ import annotations

from dataclasses import replace

from genpool_core import timing
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.ports import Idempotency, NewTask
from genpool_gateway.tasks.record import TaskState
from support.task_changes import accepting, at, key


def _new(name: str, promise: str | None = None) -> NewTask:
    return NewTask(accepting(name), None if promise is None else Idempotency(promise, "d"))


def test_a_task_is_known_once_the_broker_has_it(store: TaskStore) -> None:
    assert store.known.state(_new("a"), at(0)) is None
    store.accepting.accept([_new("a", "k")], {}, at(0))
    assert store.known.state(_new("a"), at(0)) is TaskState.ACCEPTING
    store.accepting.published([key("a")])
    assert store.known.state(_new("a"), at(0)) is TaskState.QUEUED
    assert store.known.state(_new("b"), at(0)) is None


def test_of_two_tasks_the_one_that_the_broker_has_is_told(store: TaskStore) -> None:
    store.accepting.accept([_new("a", "k"), _new("b")], {}, at(0))
    for published in ("a", "b"):
        store.accepting.published([key(published)])
        assert store.known.state(_new("b", "k"), at(0)) is TaskState.QUEUED


def test_its_key_means_it_for_a_day_in_its_pool_and_for_its_owner(store: TaskStore) -> None:
    store.accepting.accept([_new("a", "k")], {}, at(0))
    store.accepting.published([key("a")])
    again, last = _new("b", "k"), timing.IDEMPOTENCY_SECONDS
    assert store.known.state(again, at(last - 1)) is TaskState.QUEUED
    assert store.known.state(again, at(last)) is None
    assert store.known.state(_new("b", "other"), at(0)) is None
    for others in (
        accepting("b", owner="berta"),
        replace(accepting("b"), pool=accepting("b").pool.model_copy(update={"uid": "another"})),
    ):
        assert store.known.state(NewTask(others, Idempotency("k", "d")), at(0)) is None
