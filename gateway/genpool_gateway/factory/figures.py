"""What is known of pools over time, and of their pods, put together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_core import timing
from genpool_gateway.erasing.housekeeping import Housekeeping, Look
from genpool_gateway.pools.over_time import PoolsOverTime
from genpool_gateway.pools.sampler import PoolSampler
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.workers import PoolWorkers
from genpool_gateway.store.opening import TaskStore


@dataclass(frozen=True)
class PoolFigures:
    """For those who ask, and the thread that keeps the figures of each minute."""

    workers: PoolWorkers
    over_time: PoolsOverTime
    sampling: Housekeeping
    sweeping: Sequence[Look]
    """For the thread that deletes what is too old."""


def build_figures(
    store: TaskStore,
    pools: PoolSource,
    *,
    now: Callable[[], datetime],
    keep_seconds: float,
    also: Sequence[Look] = (),
) -> PoolFigures:
    """Put them together. Connects to nothing. ``also``: further figures."""
    workers = PoolWorkers(now)
    sampler = PoolSampler(pools, store.samples, now)
    every = timing.POOL_SAMPLE_LOOK_SECONDS
    return PoolFigures(
        workers=workers,
        over_time=PoolsOverTime(store.samples, store.places, now, keep_seconds),
        # By itself: to delete what is in a slow bucket may take longer than a minute.
        sampling=Housekeeping(
            [Look("pool figures", every, sampler.look), *also],
            threading.Event(),
            every=every,
            name="pool-figures",
        ),
        sweeping=[
            Look("old pool figures", timing.RETENTION_LOOK_SECONDS, sampler.sweep),
            Look("silent pods", timing.RETENTION_LOOK_SECONDS, workers.forget),
        ],
    )
