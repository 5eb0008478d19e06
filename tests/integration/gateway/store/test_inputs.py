"""Objects that were put for tasks: which a task uses, and which may come to nothing."""

from __future__ import annotations

from dataclasses import replace

from genpool_core.workerconfig import FolderConfig, S3Config, StoreConfig
from genpool_gateway.store.opening import TaskStore
from genpool_gateway.tasks.places import LooseInput, PoolPlace
from genpool_gateway.tasks.ports import NewTask
from support.task_changes import POOL, accepting, at, change, key

HERE, THERE = S3Config(endpoint="http://s3", bucket="results"), S3Config(bucket="results", region="eu-1")


def upload(number: int) -> str:
    return f"upload:{number:032x}/a.png"


def loose(name: str, seconds: float = 0, s3: StoreConfig = HERE, **changes: str) -> LooseInput:
    return LooseInput(s3, name, at(seconds), **changes)


def test_what_was_put_is_found_by_its_age_and_bucket_until_it_is_forgotten(store: TaskStore) -> None:
    given = [loose(f"k{number}", number, task=key("a")) for number in range(3)]
    away = loose("k0", 1, THERE, upload=upload(1), owner="anna")
    store.loose.note([*given, away])
    here, there = (HERE.endpoint, HERE.bucket), (None, "results")
    assert set(store.loose.places(before=at(9))) == {here, there}
    assert store.loose.places(before=at(1)) == [here]
    assert store.loose.due(here, before=at(2), limit=9) == given[:2]
    assert store.loose.due(here, before=at(2), limit=1) == given[:1]
    assert store.loose.due(there, before=at(2), limit=9) == [away]
    store.loose.note([replace(given[0], made_at=at(5))])
    assert store.loose.due(here, before=at(2), limit=9) == given[1:2]
    store.loose.forget(given)
    assert store.loose.places(before=at(9)) == [there]


def test_a_folder_is_a_place_too(store: TaskStore) -> None:
    folder = FolderConfig(path="/srv/results")
    put, bucket = loose("k", 0, folder, task=key("a")), loose("k", 0, task=key("a"))
    store.loose.note([put, bucket])
    assert set(store.loose.places(before=at(9))) == {(None, "/srv/results"), bucket.place}
    assert store.loose.due(put.place, before=at(9), limit=9) == [put]
    store.loose.forget([put])
    assert store.loose.places(before=at(9)) == [bucket.place]
    seen = [PoolPlace(POOL, each, None, first_seen=at(0), last_seen=at(0)) for each in (folder, HERE)]
    store.places.seen(seen)
    assert {place.store for place in store.places.of_pool(POOL.uid)} == {folder, HERE}


def test_an_input_is_used_while_its_task_is_there_and_has_contents(store: TaskStore) -> None:
    known, unknown = loose("known", task=key("a")), loose("unknown", task=key("b"))
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    assert store.loose.used([known, unknown]) == {"known"}
    store.events.apply([change("a", "ended", seconds=3)])
    assert store.loose.used([known]) == {"known"}
    store.retention.erase(key("a"), at(4))
    assert store.loose.used([known]) == set()


def test_an_upload_is_used_by_tasks_of_its_owner(store: TaskStore) -> None:
    mine = [accepting(name, parameters={"image": upload(1), "size": 5}) for name in "ab"]
    other = accepting("c", owner="berta", parameters={"image": upload(2)})
    store.accepting.accept([NewTask(record) for record in (*mine, other)], {}, at(0))
    found = [
        loose("1", upload=upload(1), owner="anna"),
        loose("2", upload=upload(2), owner="anna"),
        loose("3", upload=upload(3), owner="anna"),
    ]
    assert store.loose.used(found) == {"1"}
    for name in "ab":
        store.events.apply([change(name, "ended", seconds=3)])
    store.retention.erase(key("a"), at(4))
    assert store.loose.used(found) == {"1"}
    store.retention.erase(key("b"), at(4))
    assert store.loose.used(found) == set()


def test_a_task_that_the_broker_refused_uses_nothing(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting("a", parameters={"image": upload(1)}))], {}, at(0))
    store.accepting.refused([key("a")])
    assert store.loose.used([loose("1", upload=upload(1), owner="anna")]) == set()


def test_the_buckets_of_a_pool_stay_known(store: TaskStore) -> None:
    def place(
        s3: StoreConfig, seconds: float, retention: int | None = None, uid: str = POOL.uid
    ) -> PoolPlace:
        pool = POOL.model_copy(update={"uid": uid})
        return PoolPlace(pool, s3, retention, first_seen=at(seconds), last_seen=at(seconds))

    store.places.seen([place(HERE, 0), place(HERE, 0, uid="another")])
    store.places.seen([place(HERE, 5, 3600)])
    assert store.places.of_pool(POOL.uid) == [replace(place(HERE, 5, 3600), first_seen=at(0))]
    moved = [place(THERE, 9), place(HERE.model_copy(update={"prefix": "p/"}), 7)]
    store.places.seen(moved)
    assert store.places.of_pool(POOL.uid) == [*moved, replace(place(HERE, 5, 3600), first_seen=at(0))]
    assert {(each.pool.uid, each.last_seen) for each in store.places.of_all()} == {
        (POOL.uid, at(9)),
        ("another", at(0)),
    }
    assert store.places.of_pool("unknown") == []
