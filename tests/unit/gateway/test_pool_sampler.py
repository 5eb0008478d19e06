"""The figures of all pools are kept once a minute, and only while they are those of now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from genpool_core.errors import TaskStoreError
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.sampler import PoolSampler
from genpool_gateway.pools.samples import PoolSample, moment_of
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW


def _pools() -> PoolDirectory:
    told = {"queue": {"waiting": 0, "observedAt": NOW.isoformat()}}
    return directory(pool_object(status=told), pool_object("silent"))


@dataclass
class World:
    directory: PoolDirectory | None = field(default_factory=_pools)
    now: datetime = NOW
    stale: str | None = None
    away: bool = False
    kept: list[list[PoolSample]] = field(default_factory=list)
    to_thin: list[int] = field(default_factory=list)

    def snapshot(self) -> PoolDirectory:
        if self.directory is None:
            raise PoolsUnknown("not read yet.")
        return self.directory

    def outdated(self) -> str | None:
        return self.stale

    def add(self, samples: Sequence[PoolSample]) -> None:
        if self.away:
            raise TaskStoreError("the database is away.")
        self.kept.append(list(samples))

    def thin(self, **_: Any) -> int:  # noqa: ANN401 - of the port
        return self.to_thin.pop(0)

    def sampler(self) -> PoolSampler:
        as_any = cast("Any", self)
        return PoolSampler(as_any, as_any, lambda: self.now)


def test_all_pools_are_one_statement_a_minute_and_what_is_not_known_is_not_there() -> None:
    world = World()
    sampler = world.sampler()
    for _ in range(90):
        sampler.look()
        world.now += timedelta(seconds=2)
    assert [len(each) for each in world.kept] == [1] * len(world.kept)
    times = [each[0].time for each in world.kept]
    assert times == [moment_of(NOW) + timedelta(minutes=n) for n in range(len(times))]
    assert len(times) in {3, 4}


def test_a_pool_that_is_known_later_in_a_minute_is_kept_by_itself() -> None:
    world = World()
    sampler = world.sampler()
    sampler.look()
    told = {"queue": {"waiting": 3, "observedAt": NOW.isoformat()}}
    world.directory = directory(pool_object(), pool_object("silent", status=told))
    sampler.look()
    sampler.look()
    assert [[each.figures.waiting for each in kept] for kept in world.kept] == [[0], [3]]


def test_what_may_be_old_is_not_kept() -> None:
    for world in (World(None), World(stale="the API server does not answer.")):
        world.sampler().look()
        assert world.kept == []


def test_while_the_store_is_away_it_is_tried_again() -> None:
    world = World(away=True)
    sampler = world.sampler()
    sampler.look()
    world.away = False
    sampler.look()
    sampler.look()
    assert len(world.kept) == 1


def test_a_sweep_goes_on_until_nothing_is_left() -> None:
    world = World(to_thin=[60, 60, 3])
    world.sampler().sweep()
    assert world.to_thin == []
