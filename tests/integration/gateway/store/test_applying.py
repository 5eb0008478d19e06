"""What the broker brings: each event once, numbered without gaps, in any order."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from genpool_core.messages.base import PoolRef
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.change import Change, apply_change
from genpool_gateway.tasks.ports import NewTask, TaskQuery
from genpool_gateway.tasks.record import TaskRecord, TaskState
from support.task_changes import accepting, at, change, end_record, key

LIFE = [
    change("a", "claimed", seconds=1),
    change("a", "output", seconds=2, number=1),
    change("a", "output", seconds=3, number=2),
    change("a", "retried", seconds=4),
    change("a", "claimed", seconds=5, attempt=2),
    change("a", "ended", seconds=9, attempt=2),
]


def fold(record: TaskRecord | None, changes: Sequence[Change]) -> TaskRecord | None:
    for each in changes:
        record = apply_change(record, each)
    return record


def kinds(store: TaskStore, name: str = "a") -> list[tuple[int, str]]:
    return [(event.number, event.type) for event in store.reader.events(key(name))]


def test_a_life_is_stored_as_it_is_folded(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    fresh = store.events.apply(LIFE)
    assert [(event.number, event.type) for event in fresh] == [
        (number + 2, each.type) for number, each in enumerate(LIFE)
    ]
    assert store.reader.events(key("a"))[1:] == fresh
    assert store.reader.events(key("a"), after=5) == fresh[-2:]
    assert store.reader.get(key("a")) == fold(accepting("a"), LIFE)


def test_a_repeat_adds_nothing(store: TaskStore) -> None:
    assert len(store.events.apply([*LIFE[:3], *LIFE[:3]])) == 3
    assert store.events.apply(LIFE[:3]) == []
    assert kinds(store) == [(1, "claimed"), (2, "output"), (3, "output")]


def test_what_is_behind_its_task_gets_no_number_and_fills_in(store: TaskStore) -> None:
    assert [event.type for event in store.events.apply([LIFE[4], LIFE[0], LIFE[3]])] == ["claimed"]
    claimed, output = change("b", "claimed", seconds=1), change("b", "output", seconds=2)
    store.events.apply([output])
    assert store.events.apply([claimed]) == []
    record = store.reader.get(key("b"))
    assert record is not None
    assert (record.started_at, record.workflow) == (at(1), "portrait")
    assert kinds(store, "b") == [(1, "output")]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_in_any_groups_gives_the_same_record(store: TaskStore, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order that can be had again
    changes = [*LIFE, *chance.choices(LIFE, k=4), change("a", "claimed", run=2, seconds=20)]
    chance.shuffle(changes)
    while changes:
        size = chance.randint(1, 4)
        store.events.apply(changes[:size])
        del changes[:size]
    assert store.reader.get(key("a")) == fold(None, [*LIFE, change("a", "claimed", run=2, seconds=20)])
    numbers = [number for number, _ in kinds(store)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_replay_begins_with_an_accepted_of_the_next_run(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    store.events.apply(LIFE)
    again = change("a", "accepted", run=2, attempt=0, seconds=20, worker=None)
    assert [event.number for event in store.events.apply([again])] == [8]
    record = store.reader.get(key("a"))
    assert record is not None
    assert (record.state, record.end, record.ended_at) == (TaskState.QUEUED, None, None)
    assert store.reader.count_unfinished(record.pool.uid) == 1
    assert store.reader.queue_position(key("a")) is None, "it was accepted long before others that wait"
    assert store.events.apply([replace(LIFE[0], id="late")]) == []


def test_a_request_to_cancel_is_noted_once_and_not_after_the_end(store: TaskStore) -> None:
    assert store.events.request_cancel(key("a"), at(1)) is None
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    for seconds in (1, 2):
        record = store.events.request_cancel(key("a"), at(seconds))
        assert record == store.reader.get(key("a")) == replace(accepting("a"), cancel_requested_at=at(1))
    store.accepting.accept([NewTask(accepting("b"))], {}, at(0))
    store.events.apply([change("b", "ended")])
    ended = store.events.request_cancel(key("b"), at(9))
    assert ended is not None
    assert ended.cancel_requested_at is None


def test_gateways_that_apply_the_same_events_at_once(url: str) -> None:
    """A redelivery may be with one gateway while the other still stores it; threads stand for the gateways."""
    stores = [open_store(url) for _ in range(3)]
    together = threading.Barrier(len(stores))
    lives = [
        replace(each, task=key(f"t{number}"), id=f"{each.id}-{number}")
        for number in range(6)
        for each in LIFE
    ]

    def work(store: TaskStore) -> int:
        chance, fresh = random.Random(id(store)), 0  # noqa: S311 - an order
        changes = list(lives)
        chance.shuffle(changes)
        together.wait(20)
        for start in range(0, len(changes), 7):
            fresh += len(store.events.apply(changes[start : start + 7]))
        return fresh

    with ThreadPoolExecutor(len(stores)) as threads:
        fresh = sum(threads.map(work, stores))
    stored = 0
    for number in range(6):
        mine = [each for each in lives if each.task == key(f"t{number}")]
        assert stores[0].reader.get(key(f"t{number}")) == fold(None, mine)
        numbers = [event.number for event in stores[0].reader.events(key(f"t{number}"))]
        assert numbers == list(range(1, len(numbers) + 1))
        stored += len(numbers)
    assert fresh == stored
    for store in stores:
        store.close()


def test_events_of_tasks_that_are_published_and_deleted_at_that_moment(url: str) -> None:
    """Nobody waits in a circle, and nothing is half there."""
    stores = [open_store(url) for _ in range(3)]
    names = [f"{number:02}" for number in range(20)]
    done = threading.Event()

    def events(store: TaskStore) -> None:
        chance = random.Random(id(store))  # noqa: S311 - an order
        for turn in range(40):
            group = [change(name, "ended", attempt=turn) for name in chance.sample(names, 10)]
            store.events.apply(group)

    def others() -> None:
        while not done.is_set():
            stores[0].accepting.accept(
                [NewTask(accepting(name)) for name in names[::-1]], {"anna": 99}, at(0)
            )
            stores[0].accepting.published([key(name) for name in names[::-1]])
            stores[0].retention.delete_ended(before=at(9), limit=7)

    with ThreadPoolExecutor(3) as threads:
        beside = threads.submit(others)
        try:
            for working in [threads.submit(events, store) for store in stores[1:]]:
                working.result()
        finally:
            # Else what one of them raised would wait for this one for ever.
            done.set()
        beside.result()
    for record in stores[0].reader.find(TaskQuery()):
        numbers = [event.number for event in stores[0].reader.events(record.id)]
        assert numbers == list(range(1, len(numbers) + 1))
    for store in stores:
        store.close()


def test_workers_tell_of_their_own_pools_tasks_only(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    other = PoolRef(namespace="team", name="others", uid="uid-2")
    before = store.reader.get(key("a"))
    told = [
        change("a", "claimed", seconds=1, pool=other),
        change("a", "ended", seconds=2, pool=other, end=end_record("a", worker="pod-x")),
    ]
    assert store.events.apply(told) == []
    assert store.reader.get(key("a")) == before
    assert [event.type for event in store.events.apply(LIFE)] == [each.type for each in LIFE]
