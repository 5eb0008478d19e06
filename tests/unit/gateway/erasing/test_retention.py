"""What is deleted by age: of each pool what its retentionSeconds says, and rows and keys of the task store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_core.errors import StorageError, TaskStoreError
from genpool_gateway.erasing.retention import GROUP, Retention
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.tasks.record import TaskRecord
from unit.gateway.samples import NOW, POOL, record


@dataclass
class Store:
    """Ended tasks and how old they are; rows and keys that are too old."""

    tasks: dict[str, timedelta] = field(default_factory=dict)
    rows: int = 0
    keys: int = 0
    before: datetime | None = None
    away: bool = False

    def over_age(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        assert pool_uid == POOL.uid
        return [record(task) for task, age in self.tasks.items() if NOW - age < before][:limit]

    def delete_ended(self, *, before: datetime, limit: int) -> int:
        if self.away:
            raise TaskStoreError("the database is away.")
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
    broken: bool = False
    erased: list[str] = field(default_factory=list)

    def snapshot(self) -> Any:  # noqa: ANN401 - as much of a directory as is looked at
        if not self.known:
            raise PoolsUnknown("not read yet.")
        pool = SimpleNamespace(ref=POOL, name="art/text", retention_seconds=self.seconds)
        return SimpleNamespace(pools=(pool,))

    def erase(self, task: TaskRecord) -> TaskRecord:
        if self.broken:
            raise StorageError("the bucket does not answer.")
        del self.store.tasks[task.id]
        self.erased.append(task.id)
        return task

    def look(self) -> None:
        as_any = cast("Any", self)
        Retention(cast("Any", self.store), as_any, as_any, lambda: NOW, keep_seconds=86_400).look()


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
    assert (len(world.erased), world.store.rows) == {"bucket": (0, 0), "database": (1, 1), "pools": (0, 0)}[
        what
    ]
    world.broken, world.known, world.store.away = False, True, False
    world.look()
    assert (world.erased, world.store.rows) == (["0"], 0)
