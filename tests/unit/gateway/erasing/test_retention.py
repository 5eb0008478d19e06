"""What is deleted by age: of each pool what its retentionSeconds says, and rows and keys of the task store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_core.errors import StorageError, TaskStoreError
from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import S3Config
from genpool_gateway.erasing.retention import GROUP, Retention
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.tasks.places import PoolPlace
from genpool_gateway.tasks.record import TaskRecord
from unit.gateway.samples import NOW, POOL, record

GONE = POOL.model_copy(update={"uid": "uid-gone", "name": "gone"})


def place(pool: PoolRef, seconds: int | None) -> PoolPlace:
    return PoolPlace(pool, S3Config(bucket="results"), seconds, NOW, NOW)


@dataclass
class Store:
    """Ended tasks and how old they are; rows and keys that are too old."""

    tasks: dict[str, timedelta] = field(default_factory=dict)
    rows: int = 0
    keys: int = 0
    before: datetime | None = None
    with_contents: dict[str, datetime] = field(default_factory=dict)
    away: bool = False
    places: list[PoolPlace] = field(default_factory=list)
    """Of pools that are gone."""

    def of_all(self) -> list[PoolPlace]:
        if self.away:
            raise TaskStoreError("the database is away.")
        return self.places

    def over_age(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        assert pool_uid in {POOL.uid, GONE.uid}
        return [record(task) for task, age in self.tasks.items() if NOW - age < before][:limit]

    def delete_ended(self, *, before: datetime, limit: int, with_contents: dict[str, datetime]) -> int:
        self.with_contents = with_contents
        self.before, deleted = before, min(limit, self.rows)
        self.rows -= deleted
        return deleted

    def delete_expired_idempotency(self, *, now: datetime, limit: int) -> int:
        assert now == NOW
        deleted = min(limit, self.keys)
        self.keys -= deleted
        return deleted


@dataclass
class World:
    store: Store
    seconds: int | None = 3600
    known: bool = True
    there: bool = True
    broken: bool = False
    erased: list[str] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def snapshot(self) -> Any:  # noqa: ANN401 - as much of a directory as is looked at
        if not self.known:
            raise PoolsUnknown("not read yet.")
        pool = SimpleNamespace(ref=POOL, name="art/text", spec="", retention_seconds=self.seconds)
        return SimpleNamespace(pools=(pool,) if self.there else ())

    def erase_all(self, tasks: list[TaskRecord]) -> int:
        if self.broken:
            raise StorageError("the bucket does not answer.")
        done = [task.id for task in tasks if task.id not in self.unreadable]
        for task in done:
            del self.store.tasks[task]
        self.erased += done
        return len(done)

    def look(self) -> None:
        as_any = cast("Any", self)
        store = cast("Any", self.store)
        Retention(store, store, as_any, as_any, lambda: NOW, keep_seconds=86_400).look()


def aged(*hours: float) -> dict[str, timedelta]:
    return {f"{number}": timedelta(hours=age) for number, age in enumerate(hours)}


def test_contents_go_after_the_pools_time_and_not_before() -> None:
    world = World(Store(aged(0.9, 1.1, 5, 0)))
    world.look()
    assert sorted(world.erased) == ["1", "2"]


@pytest.mark.parametrize("seconds", [None, 7200])
def test_a_pool_that_keeps_them_longer_or_for_ever_loses_nothing(seconds: int | None) -> None:
    world = World(Store(aged(1.5)), seconds=seconds)
    world.look()
    assert world.erased == []


def test_many_go_in_groups() -> None:
    world = World(Store(aged(*[2] * (2 * GROUP + 1)), rows=3 * GROUP + 1, keys=GROUP))
    world.look()
    assert len(world.erased) == 2 * GROUP + 1
    assert (world.store.rows, world.store.keys) == (0, 0)
    assert world.store.before == NOW - timedelta(days=1)


@pytest.mark.parametrize("what", ["bucket", "database", "pools"])
def test_what_is_away_is_tried_again_at_the_next_look(what: str) -> None:
    world = World(Store(aged(2), rows=1), broken=what == "bucket", known=what != "pools")
    world.store.away = what == "database"
    world.look()
    assert (len(world.erased), world.store.rows) == {"bucket": (0, 0), "database": (0, 1), "pools": (0, 0)}[
        what
    ]
    world.broken, world.known, world.store.away = False, True, False
    world.look()
    assert (world.erased, world.store.rows) == (["0"], 0)


@pytest.mark.parametrize(("said", "erased"), [(3600, ["0"]), (7200, []), (None, [])])
def test_what_a_pool_said_holds_when_it_is_gone(said: int | None, erased: list[str]) -> None:
    world = World(Store(aged(1.5), places=[place(GONE, said)]), there=False)
    world.look()
    assert world.erased == erased


def test_what_a_pool_says_now_goes_before_what_it_said() -> None:
    world = World(Store(aged(1.5), places=[place(POOL, 3600)]), seconds=None)
    world.look()
    assert world.erased == []


def test_rows_of_pools_that_keep_contents_longer_stay_until_those_are_deleted() -> None:
    world = World(Store(places=[place(POOL, 200 * 86_400), place(GONE, None)]))
    world.look()
    assert world.store.before == NOW - timedelta(days=1)
    assert world.store.with_contents == {POOL.uid: NOW - timedelta(days=201)}


def test_tasks_that_cannot_be_read_hold_up_neither_others_nor_the_look() -> None:
    world = World(Store(aged(*[2] * (GROUP + 5))), unreadable={"0", "1"})
    world.look()
    assert len(world.erased) == GROUP + 3
    world.unreadable = set(world.store.tasks)
    world.look()
    assert len(world.erased) == GROUP + 3
