"""The buckets of pools stay known: written when they change, and now and then with the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_gateway.erasing.keeper import PlaceKeeper, places_in
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.tasks.places import PoolPlace
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW


def _pools(bucket: str = "results", **storage: object) -> PoolDirectory:
    return directory(pool_object(storage={"s3": {"bucket": bucket, "prefix": "p/"}, **storage}))


@dataclass
class World:
    directory: PoolDirectory | None = field(default_factory=_pools)
    now: datetime = NOW
    away: bool = False
    written: list[list[PoolPlace]] = field(default_factory=list)

    def snapshot(self) -> PoolDirectory:
        if self.directory is None:
            raise PoolsUnknown("not read yet.")
        return self.directory

    def seen(self, places: Sequence[PoolPlace]) -> None:
        if self.away:
            raise TaskStoreError("the database is away.")
        self.written.append(list(places))

    def keeper(self) -> PlaceKeeper:
        as_any = cast("Any", self)
        return PlaceKeeper(as_any, as_any, lambda: self.now)


def test_a_place_is_the_pools_bucket_and_what_it_says_of_retention() -> None:
    (place,) = places_in(_pools(retentionSeconds=7200), NOW)
    assert (place.pool.name, place.store.place, place.store.prefix) == ("pictures", "results", "p/")
    assert (place.retention_seconds, place.first_seen, place.last_seen) == (7200, NOW, NOW)


def test_a_spec_that_cannot_be_read_says_nothing() -> None:
    (pool,) = _pools().pools
    assert places_in(PoolDirectory((replace(pool, spec=None),)), NOW) == []


def test_it_is_written_at_once_at_a_change_and_after_a_while() -> None:
    world = World(None)
    keeper = world.keeper()
    keeper.look()
    assert world.written == []
    world.directory = _pools()
    keeper.look()
    keeper.look()
    assert len(world.written) == 1
    world.directory = _pools("other")
    keeper.look()
    assert [place.store.place for place in world.written[-1]] == ["other"]
    world.now += timedelta(seconds=timing.RETENTION_LOOK_SECONDS)
    keeper.look()
    assert len(world.written) == 3


def test_what_could_not_be_written_is_written_at_the_next_look() -> None:
    world = World(away=True)
    keeper = world.keeper()
    keeper.look()
    world.away = False
    keeper.look()
    assert len(world.written) == 1
