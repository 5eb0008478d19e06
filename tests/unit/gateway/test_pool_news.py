"""A vhost whose pools have changed is told, once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.news import OnVhosts, PoolNews, changed_vhosts, pools_by_vhost
from support.pool_objects import directory, pool_object
from unit.gateway.intake.samples import Pools

HERE, THERE = ("default", "pictures"), ("default", "videos")


def on(*pools: str, vhost: tuple[str, str] = HERE, serving: bool = True) -> OnVhosts:
    return {vhost: frozenset((uid, serving) for uid in pools)}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, on("a"), [HERE]),
        (on("a"), on("a"), []),
        (on("a"), on("a", "b"), [HERE]),
        (on("a", "b"), on("a"), [HERE]),
        (on("a", serving=False), on("a"), [HERE]),
        (on("a"), {}, []),
        (on("a"), {**on("a"), **on("b", vhost=THERE)}, [THERE]),
    ],
)
def test_vhosts_with_other_pools_than_before(
    before: OnVhosts, after: OnVhosts, told: list[tuple[str, str]]
) -> None:
    assert changed_vhosts(before, after) == told


def test_pools_are_told_by_their_vhost_and_whether_they_serve() -> None:
    found = directory(
        pool_object("a", uid="uid-a"), pool_object("b", uid="uid-b", broker={"vhost": "videos"})
    )
    assert pools_by_vhost(found) == {**on("uid-a"), **on("uid-b", vhost=THERE)}


def test_a_change_is_told_once_and_unknown_pools_change_nothing() -> None:
    told: list[tuple[str, str]] = []
    pools = Pools(PoolsUnknown("not read."))
    news = PoolNews(cast("Any", pools), told.append)
    first = directory(pool_object("a"))
    steps: list[PoolDirectory | PoolsUnknown] = [
        PoolsUnknown("?"),
        first,
        first,
        directory(pool_object("a")),
        PoolsUnknown("?"),
        directory(pool_object("a"), pool_object("b")),
    ]
    counts = []
    for step in steps:
        pools.found = step
        news.look()
        counts.append(len(told))
    assert counts == [0, 1, 1, 1, 1, 2]
