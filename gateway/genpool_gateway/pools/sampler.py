"""Keeps the figures of all pools once a minute, from what the gateway knows of them anyhow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.samples import SampleStore, moment_of, samples_of
from genpool_gateway.pools.source import PoolSource

_log = structlog.get_logger(__name__)
#: Moments of which samples are deleted in one transaction.
_BATCH = 60


class PoolSampler:
    """One look writes at most one statement, of pools whose figures of this minute are not kept yet."""

    def __init__(self, pools: PoolSource, store: SampleStore, now: Callable[[], datetime]) -> None:
        self._pools = pools
        self._store = store
        self._now = now
        self._moment: datetime | None = None
        self._kept: set[str] = set()

    def look(self) -> None:
        """Keep the figures of this minute, as far as they are known and are those of now."""
        now = self._now()
        moment = moment_of(now)
        if moment != self._moment:
            self._moment, self._kept = moment, set()
        if self._pools.outdated() is not None:
            return
        try:
            pools = [pool for pool in self._pools.snapshot().pools if pool.ref.uid not in self._kept]
            samples = samples_of(pools, moment, now)
            if samples:
                self._store.add(samples)
        except (PoolsUnknown, TaskStoreError) as error:
            _log.debug("pool_figures_not_kept", message=error.message)
            return
        self._kept |= {sample.pool_uid for sample in samples}

    def sweep(self) -> None:
        """Delete what is too old, some at a time."""
        now = self._now()
        keep_from = now - timedelta(seconds=timing.POOL_SAMPLE_KEEP_SECONDS)
        fine_from = now - timedelta(seconds=timing.POOL_SAMPLE_FINE_SECONDS)
        while self._store.thin(keep_from=keep_from, fine_from=fine_from, limit=_BATCH) == _BATCH:
            pass
