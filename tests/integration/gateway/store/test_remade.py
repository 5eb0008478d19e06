"""Tasks of a pool that is gone belong to the one that was made under its name."""

from __future__ import annotations

from dataclasses import replace

from genpool_core.messages.base import PoolRef
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.ports import Acceptance, Idempotency, NewTask, TaskQuery
from genpool_gateway.tasks.record import TaskRecord, TaskState
from support.task_changes import POOL, accepting, at, change, key

AGAIN = PoolRef(namespace=POOL.namespace, name=POOL.name, uid="uid-2")
NAMES = ("waits", "runs", "ended")


def filled(store: TaskStore) -> TaskStore:
    for name in NAMES:
        store.accepting.accept([NewTask(accepting(name), Idempotency(f"key of {name}", "digest"))], {}, at(0))
    store.accepting.published([key(name) for name in NAMES])
    claims = [change(name, "claimed", seconds=1) for name in ("runs", "ended", "plain")]
    store.events.apply([*claims, change("ended", "ended", seconds=9)])
    return store


def get(store: TaskStore, name: str) -> TaskRecord:
    found = store.reader.get(key(name))
    assert found is not None
    return found


def listed(store: TaskStore, uid: str) -> set[str]:
    return {each.task_id for each in store.reader.find(TaskQuery(limit=10, pools=frozenset({uid})))}


def test_what_has_not_ended_goes_to_the_new_pool(store: TaskStore) -> None:
    filled(store)
    assert store.remade.hand_over(POOL.uid, AGAIN, ended=False, limit=10) == 2
    assert store.remade.hand_over(POOL.uid, AGAIN, ended=False, limit=10) == 0
    assert (listed(store, AGAIN.uid), listed(store, POOL.uid)) == ({"waits", "runs"}, {"ended", "plain"})
    waits = get(store, "waits")
    assert (waits.pool, waits.former_pool, waits.state) == (AGAIN, POOL.uid, TaskState.QUEUED)
    assert waits == replace(accepting("waits"), pool=AGAIN, former_pool=POOL.uid, state=TaskState.QUEUED)


def test_with_its_files_in_place_all_do_some_at_a_time(store: TaskStore) -> None:
    filled(store)
    assert [store.remade.hand_over(POOL.uid, AGAIN, ended=True, limit=3) for _ in range(3)] == [3, 1, 0]
    assert listed(store, AGAIN.uid) == {*NAMES, "plain"}


def test_both_pools_workers_tell_of_them(store: TaskStore) -> None:
    """Those of the old pool may be at work still."""
    filled(store)
    store.remade.hand_over(POOL.uid, AGAIN, ended=False, limit=10)
    told = [
        change("runs", "ended", seconds=9),
        change("waits", "claimed", seconds=20, pool=AGAIN),
        change("waits", "ended", seconds=30, pool=AGAIN),
    ]
    assert len(store.events.apply(told)) == 3
    assert {get(store, name).state for name in ("runs", "waits")} == {TaskState.ENDED}
    assert get(store, "waits").pool == AGAIN
    other = PoolRef(namespace="team", name="others", uid="uid-3")
    assert store.events.apply([change("plain", "retried", seconds=40, pool=other)]) == []


def test_a_pool_that_was_made_again_twice(store: TaskStore) -> None:
    filled(store)
    third = AGAIN.model_copy(update={"uid": "uid-3"})
    store.remade.hand_over(POOL.uid, AGAIN, ended=False, limit=10)
    store.remade.hand_over(AGAIN.uid, third, ended=False, limit=10)
    waits = get(store, "waits")
    assert (waits.pool, waits.former_pool) == (third, POOL.uid)


def test_keys_of_repeats_go_with_them(store: TaskStore) -> None:
    filled(store)
    used = NewTask(replace(accepting("new"), pool=AGAIN), Idempotency("key of runs", "other"))
    store.accepting.accept([used], {}, at(10))
    store.remade.hand_over(POOL.uid, AGAIN, ended=False, limit=10)
    again = [
        NewTask(replace(accepting(f"repeat of {name}"), pool=AGAIN), Idempotency(f"key of {name}", digest))
        for name, digest in (("waits", "digest"), ("waits", "another"), ("runs", "other"))
    ]
    found = store.accepting.accept(again, {}, at(20))
    assert [each.acceptance for each in found] == [
        Acceptance.SAME,
        Acceptance.OTHER_REQUEST,
        Acceptance.SAME,
    ]
    assert [each.record.id for each in found if each.record is not None] == [
        key("waits"),
        key("waits"),
        key("new"),
    ]
