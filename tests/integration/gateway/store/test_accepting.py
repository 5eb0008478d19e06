"""Groups of tasks are stored in one commit: repeats are told, caps hold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from genpool_core import timing
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.ports import Acceptance, Idempotency, NewTask
from genpool_gateway.tasks.record import TaskState
from support.task_changes import accepting, at, change, key

CREATED, SAME = Acceptance.CREATED, Acceptance.SAME


def new(name: str, promise: str | None = None, digest: str = "d", **changes: object) -> NewTask:
    return NewTask(accepting(name, **changes), None if promise is None else Idempotency(promise, digest))


def accept(store: TaskStore, *group: NewTask, caps: dict[str, int] | None = None) -> list[Acceptance]:
    return [each.acceptance for each in store.accepting.accept(group, caps or {}, at(0))]


def test_a_record_comes_back_as_it_was_given(store: TaskStore) -> None:
    (answer,) = store.accepting.accept([new("a")], {}, at(0))
    assert answer.acceptance is CREATED
    assert answer.record == store.reader.get(key("a")) == accepting("a")
    (event,) = store.reader.events(key("a"))
    assert (event.number, event.type, event.time) == (1, "accepted", at(0))


def test_words_that_databases_refuse_come_back(store: TaskStore) -> None:
    odd = "nul \x00 surrogate \ud83d backslash \\u0041 図"
    record = accepting("odd", task_id=odd, workflow=odd, owner=odd, callback_url=odd, parameters={odd: odd})
    assert accept(store, NewTask(record, Idempotency(odd, "d"))) == [CREATED]
    assert store.reader.get(key("odd")) == record


def test_equal_tasks_are_one_in_a_group_and_later(store: TaskStore) -> None:
    assert accept(store, new("a"), new("b"), new("a")) == [CREATED, CREATED, SAME]
    assert accept(store, new("c"), new("b")) == [CREATED, SAME]
    store.accepting.published([key("b")])
    (again,) = store.accepting.accept([new("b")], {}, at(9))
    assert again.record is not None
    assert again.record.state is TaskState.QUEUED
    assert len(store.reader.events(key("b"))) == 1


def test_an_idempotency_key_means_its_task_for_a_day(store: TaskStore) -> None:
    assert accept(store, new("a", "k"), new("b", "k"), new("c", "k", "other")) == [
        CREATED,
        SAME,
        Acceptance.OTHER_REQUEST,
    ]
    almost, over = (at(timing.IDEMPOTENCY_SECONDS + seconds) for seconds in (-1, 0))
    (answer,) = store.accepting.accept([new("d", "k")], {}, almost)
    assert (answer.acceptance, answer.record and answer.record.id) == (SAME, key("a"))
    (answer,) = store.accepting.accept([new("d", "k", "other")], {}, over)
    assert (answer.acceptance, answer.record and answer.record.id) == (CREATED, key("d"))


def test_an_idempotency_key_counts_per_sender_and_pool(store: TaskStore) -> None:
    elsewhere = accepting("a").pool.model_copy(update={"uid": "uid-2"})
    others = (new("b", "k", owner="bert"), new("c", "k", pool=elsewhere), new("d", "k2"))
    assert accept(store, new("a", "k"), *others) == [CREATED] * 4


def test_a_known_task_keeps_the_promise_of_a_new_key(store: TaskStore) -> None:
    assert accept(store, new("a")) == [CREATED]
    assert accept(store, new("a", "k")) == [SAME]
    assert accept(store, new("a", "k", "other")) == [Acceptance.OTHER_REQUEST]


def test_caps_count_what_has_not_ended(store: TaskStore) -> None:
    over, caps = Acceptance.OVER_CAP, {"anna": 2}
    assert accept(store, new("a"), new("x", owner="bert"), new("b"), new("c"), new("a"), caps=caps) == [
        *(CREATED, CREATED, CREATED),
        *(over, SAME),
    ]
    store.events.apply([change("a", "claimed", seconds=1)])
    assert accept(store, new("c"), caps=caps) == [over]
    store.events.apply([change("a", "ended", seconds=2)])
    assert accept(store, new("c"), new("d"), caps=caps) == [CREATED, over]
    assert store.reader.get(key("d")) is None


def test_published_marks_only_what_still_is_accepting(store: TaskStore) -> None:
    accept(store, new("a"), new("b"), new("c"))
    store.events.apply([change("b", "claimed")])
    store.accepting.accept([new("d")], {}, at(1), published=[key("a"), key("b"), "unknown"])
    states = {name: getattr(store.reader.get(key(name)), "state", None) for name in "abcd"}
    assert states == {
        "a": TaskState.QUEUED,
        "b": TaskState.RUNNING,
        "c": TaskState.ACCEPTING,
        "d": TaskState.ACCEPTING,
    }


def test_what_was_refused_is_gone_and_its_key_free(store: TaskStore) -> None:
    accept(store, new("a", "k"), new("b"))
    store.accepting.published([key("b")])
    store.accepting.refused([key("a"), key("b")])
    assert store.reader.get(key("a")) is None
    assert store.reader.get(key("b")) is not None
    assert accept(store, new("a", "k", "other")) == [CREATED]


def test_unpublished_are_listed_with_their_bodies_the_oldest_first(store: TaskStore) -> None:
    accept(store, *(new(name, seconds=seconds) for name, seconds in (("a", 3), ("b", 1), ("c", 2), ("d", 9))))
    store.accepting.published([key("c")])
    assert store.accepting.unpublished(older_than=at(9), limit=5) == [
        accepting("b", seconds=1),
        accepting("a", seconds=3),
    ]
    assert [each.task_id for each in store.accepting.unpublished(older_than=at(9), limit=1)] == ["b"]


def test_a_group_of_a_thousand(store: TaskStore) -> None:
    group = [new(f"t{number}", f"k{number}") for number in range(1000)]
    assert accept(store, *group) == [CREATED] * 1000
    assert accept(store, *group) == [SAME] * 1000


def test_two_gateways_make_each_task_once_and_keep_to_the_cap(url: str) -> None:
    """As threads with a store each; they meet in the database as processes do."""
    stores = [open_store(url) for _ in range(3)]
    together = threading.Barrier(len(stores))

    def work(store: TaskStore) -> list[Acceptance]:
        said = []
        for turn in range(10):
            together.wait(20)
            said += accept(
                store,
                *(new(f"same-{turn}-{number}", f"k-{turn}-{number}") for number in range(5)),
                *(new(f"{id(store)}-{turn}-{number}", owner="capped") for number in range(2)),
                caps={"capped": 20},
            )
        return said

    with ThreadPoolExecutor(len(stores)) as threads:
        said = [each for answers in threads.map(work, stores) for each in answers]
    assert said.count(CREATED) == 50 + 20
    assert said.count(SAME) == 100
    assert said.count(Acceptance.OVER_CAP) == 40
    for store in stores:
        store.close()


def test_the_clock_of_another_zone_is_the_same_time(store: TaskStore) -> None:
    record = accepting("a")
    moved = replace(record, created_at=record.created_at + timedelta(microseconds=1))
    store.accepting.accept([NewTask(moved)], {}, at(0))
    assert store.reader.get(key("a")) == moved
