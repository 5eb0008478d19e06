"""A pool that was deleted and made again under its name has the tasks of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_core.messages.base import PoolRef
from genpool_gateway.erasing.keeper import places_in
from genpool_gateway.janitor.remade import RemadePools, remade
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.tasks.places import PoolPlace
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW

TODAY = directory(pool_object(storage={"s3": {"bucket": "results", "prefix": "p/"}}))
(POOL,) = TODAY.pools


def place(uid: str = "gone", bucket: str = "results", prefix: str = "p/", **pool: str) -> PoolPlace:
    (now,) = places_in(TODAY, NOW)
    ref = PoolRef(**{"namespace": now.pool.namespace, "name": now.pool.name, "uid": uid, **pool})
    return replace(now, pool=ref, store=now.store.model_copy(update={"bucket": bucket, "prefix": prefix}))


def test_another_uid_under_the_same_name() -> None:
    found = remade(
        [place(), place(POOL.ref.uid), place("else", name="another"), place("x", namespace="n")], TODAY
    )
    assert [(each.gone, each.pool) for each in found] == [("gone", POOL.ref)]
    assert remade([place()], PoolDirectory(())) == []


def test_its_files_are_where_they_were_or_not() -> None:
    places = [place("same"), place("bucket", bucket="others"), place("prefix", prefix="q/")]
    assert [(each.gone, each.in_place) for each in remade(places, TODAY)] == [
        ("same", True),
        ("bucket", False),
        ("prefix", False),
    ]


@dataclass
class World:
    places: list[PoolPlace] = field(default_factory=lambda: [place()])
    tasks: int = 2500
    directory: PoolDirectory = TODAY
    now: datetime = NOW
    away: bool = False
    calls: list[tuple[str, str, bool]] = field(default_factory=list)

    def snapshot(self) -> PoolDirectory:
        return self.directory

    def of_all(self) -> Sequence[PoolPlace]:
        return self.places

    def hand_over(self, gone: str, pool: PoolRef, *, ended: bool, limit: int) -> int:
        if self.away:
            raise TaskStoreError("the database is away.")
        self.calls.append((gone, pool.uid, ended))
        part = min(limit, self.tasks)
        self.tasks -= part
        return part

    def pools(self) -> RemadePools:
        as_any = cast("Any", self)
        return RemadePools(as_any, as_any, as_any, lambda: self.now)


def test_all_are_handed_over_in_parts_and_once() -> None:
    world = World()
    pools = world.pools()
    pools.look()
    assert (world.tasks, world.calls) == (0, [("gone", POOL.ref.uid, True)] * 3)
    pools.look()
    assert len(world.calls) == 3


def test_a_gateway_that_knew_the_old_one_longer_may_have_accepted_more() -> None:
    world = World(tasks=0)
    pools = world.pools()
    pools.look()
    world.now += timedelta(seconds=timing.RETENTION_LOOK_SECONDS)
    pools.look()
    world.directory = PoolDirectory(TODAY.pools)
    pools.look()
    assert len(world.calls) == 3


def test_a_database_that_is_away_is_asked_again() -> None:
    world = World(away=True)
    pools = world.pools()
    pools.look()
    world.away = False
    pools.look()
    assert world.tasks == 0
