"""Reads the ledgers of pools that lost events into the task store.

What is to be read stands in the task store, so that a gateway that ends in between forgets nothing; the note goes when
the ledger was read. Of several gateways one reads, one ledger after the other, and gives the database as much rest as
work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import GenPoolError
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import how_to_list, not_listed
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.rebuilding.decide import due
from genpool_gateway.rebuilding.full_queues import VhostName, pools_on
from genpool_gateway.rebuilding.ledgers import Ledgers, read_ends
from genpool_gateway.tasks.ports import EventStore, RebuildStore

_log = structlog.get_logger(__name__)
_RETRY = Backoff(timing.REBUILD_RETRY_SECONDS, timing.REBUILD_RETRY_MOST_SECONDS, spread=0.0)


class RebuildCounts(Protocol):
    """For Prometheus."""

    def to_rebuild(self, pools: int) -> None:
        """Pools whose ledgers are to be read."""

    def rebuilt(self, outcome: str) -> None:
        """A ledger was ``read``, or that ``failed``."""


class Rebuilder:
    """A thread; see the module. ``full``: vhosts whose events queue is full now, so that more may be lost."""

    def __init__(
        self,
        pools: PoolSource,
        ledgers: Ledgers,
        events: EventStore,
        store: RebuildStore,
        counts: RebuildCounts,
        full: Callable[[], Collection[VhostName]],
    ) -> None:
        self._pools = pools
        self._ledgers = ledgers
        self._events = events
        self._store = store
        self._counts = counts
        self._full = full
        self._clock: Callable[[], float] = time.monotonic
        self._failures: dict[str, int] = {}
        self._next_try: dict[str, float] = {}
        self._remark: str | None = None
        self._stopping = threading.Event()
        self._soon = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rebuilder", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End after the group in hand; a ledger that was not read to its end is read after the next start."""
        self._stopping.set()
        self._soon.set()
        self._thread.join(seconds)

    def soon(self) -> None:
        """Look now; returns at once."""
        self._soon.set()

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping.is_set()
        return None if alive else "the thread that reads ledgers back has ended: see the log."

    def remark(self) -> str | None:
        """What the store lacks now, as a sentence; None where that is nothing."""
        return self._remark

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._soon.clear()
            try:
                self.look()
            except GenPoolError as error:
                _log.warning("rebuild_waits", reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - logged with its traceback; the next look may go well
                _log.exception("rebuild_failed")
            self._soon.wait(timing.REBUILD_LOOK_SECONDS)

    def look(self) -> None:
        """Read the ledgers that are due, if no other gateway does. Raises TaskStoreError, PoolsUnknown."""
        directory = self._pools.snapshot()
        if self._due(directory):
            with self._store.alone() as alone:
                # Another gateway may have read them since this one asked.
                for pool, lost_at in self._due(directory) if alone else ():
                    if not self._stopping.is_set():
                        self._try(pool, lost_at)
            self._due(directory)

    def _due(self, directory: PoolDirectory) -> list[tuple[ServedPool, datetime]]:
        """Pools to read now, and until when they lost events; says too what is still to be read."""
        noted = self._store.to_rebuild().items()
        lost = {uid: (pool, at) for uid, at in noted if (pool := directory.by_uid(uid)) is not None}
        self._say([pool.name for pool, _ in lost.values()])
        full = pools_on(directory, self._full())
        now = self._clock()
        found = due({uid: at for uid, (_, at) in lost.items()}, full)
        return [lost[uid] for uid in found if now >= self._next_try.get(uid, 0.0)]

    def _say(self, names: Collection[str]) -> None:
        self._counts.to_rebuild(len(names))
        what = ", ".join(sorted(names))
        text = f"events were lost in a full queue: the ends of {what} are read back from their ledgers."
        self._remark = text if names else None

    def _try(self, pool: ServedPool, lost_at: datetime) -> None:
        uid = pool.ref.uid
        try:
            trouble = self._read(pool, lost_at)
        except GenPoolError as error:
            trouble = error.message
        if trouble is None:
            self._failures.pop(uid, None)
            return
        self._failures[uid] = self._failures.get(uid, 0) + 1
        self._next_try[uid] = self._clock() + _RETRY.seconds(self._failures[uid])
        self._counts.rebuilt("failed")
        _log.warning("pool_not_read", pool=pool.name, message=trouble)

    def _read(self, pool: ServedPool, lost_at: datetime) -> str | None:
        """Read a ledger; a sentence where it cannot be."""
        if pool.serving is None:
            return pool.trouble
        ledger = self._ledgers.ledger(pool.serving.config)
        if ledger is None:
            store = pool.serving.config.store
            return f"{not_listed(store)}. {how_to_list(store)}."
        began = self._clock()

        def rest() -> bool:
            nonlocal began
            stopped = self._stopping.wait(self._clock() - began)
            began = self._clock()
            return not stopped

        read = read_ends(self._events, pool.ref, ledger, go_on=rest)
        if not self._stopping.is_set():
            self._store.rebuilt(pool.ref.uid, lost_at)
            self._counts.rebuilt("read")
            _log.info("pool_read", pool=pool.name, ends=read.ends, new=read.news)
        return None
