"""Pools of which no operator tells: the gateway's own figures, and none that it does not have."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import BrokerError
from genpool_gateway.pools.own_figures import OwnFigures, OwnReading, filled
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.workers import PoolWorkers, worker_of
from support.pool_objects import directory, pool_object
from unit.gateway.samples import NOW
from unit.gateway.test_pool_workers import Clock, beat

NOBODY = GenerationPoolStatus()


def test_pods_that_nobody_heard_are_not_counted_as_none() -> None:
    told = filled(NOBODY, OwnReading(0, NOW), [], NOW)
    assert (told.queue.waiting, told.queue.running, told.queue.observed_at) == (0, None, NOW)
    assert (told.replicas, told.ready_replicas, told.busy_replicas) == (None, None, None)


def test_pods_that_are_heard_are_counted_by_what_they_do() -> None:
    beats = [
        beat("a", "busy", task_key="t"),
        beat("b"),
        beat("c", "starting"),
        beat("d", "draining", task_key="u"),
    ]
    workers = [worker_of(each, NOW) for each in beats]
    told = filled(NOBODY, None, [*workers, worker_of(beat("e", "busy"), NOW - timedelta(minutes=1))], NOW)
    assert (told.queue.waiting, told.queue.running, told.queue.observed_at) == (None, 2, None)
    assert (told.replicas, told.ready_replicas, told.busy_replicas) == (None, 2, 2)


def _figures(clock: Clock, count: Any, **status: Any) -> tuple[OwnFigures, ServedPool]:  # noqa: ANN401 - any count
    found = directory(pool_object(**({"status": status} if status else {})))
    pools = cast("Any", SimpleNamespace(snapshot=lambda: found))
    return OwnFigures(pools, count, PoolWorkers(clock), clock), found.pools[0]


def test_what_the_operator_tells_stays() -> None:
    own, pool = _figures(Clock(), lambda _: 9, replicas=2)
    own.look()
    assert own.told(pool) is pool


@pytest.mark.parametrize(("seconds", "waiting"), [(0, 9), (30, 9), (31, None)])
def test_a_count_is_of_now_for_a_while(seconds: float, waiting: int | None) -> None:
    clock = Clock()
    own, pool = _figures(clock, lambda _: 9)
    assert own.told(pool).status.queue.waiting is None
    own.look()
    clock.pass_by(seconds)
    assert own.told(pool).status.queue.waiting == waiting


def test_a_queue_that_cannot_be_counted_has_no_figure() -> None:
    def away(_: ServedPool) -> int:
        raise BrokerError("RabbitMQ is away.")

    own, pool = _figures(Clock(), away)
    own.look()
    assert own.told(pool).status.queue.waiting is None
