"""Whether a task was accepted before: by its id, or by the idempotency key that its sender gave."""

from __future__ import annotations

from dataclasses import replace

from genpool_core import timing
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.ports import Idempotency, NewTask
from support.task_changes import accepting, at, key


def _new(name: str, promise: str | None = None) -> NewTask:
    return NewTask(accepting(name), None if promise is None else Idempotency(promise, "d"))


def test_a_task_is_known_once_the_broker_has_it(store: TaskStore) -> None:
    assert not store.known.knows(_new("a"), at(0))
    store.accepting.accept([_new("a", "k")], {}, at(0))
    assert not store.known.knows(_new("a"), at(0))
    store.accepting.published([key("a")])
    assert store.known.knows(_new("a"), at(0))
    assert not store.known.knows(_new("b"), at(0))


def test_its_key_means_it_for_a_day_in_its_pool_and_for_its_owner(store: TaskStore) -> None:
    store.accepting.accept([_new("a", "k")], {}, at(0))
    store.accepting.published([key("a")])
    again, last = _new("b", "k"), timing.IDEMPOTENCY_SECONDS
    assert store.known.knows(again, at(last - 1))
    assert not store.known.knows(again, at(last))
    assert not store.known.knows(_new("b", "other"), at(0))
    for others in (
        accepting("b", owner="berta"),
        replace(accepting("b"), pool=accepting("b").pool.model_copy(update={"uid": "another"})),
    ):
        assert not store.known.knows(NewTask(others, Idempotency("k", "d")), at(0))
