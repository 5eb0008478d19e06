"""Pools that come and go on a vhost: what waits for the vhost, its queues or its rights looks again at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from genpool_core import timing
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.source import PoolSource

_log = structlog.get_logger(__name__)
VhostName = tuple[str, str]
"""Broker and vhost."""
OnVhosts = Mapping[VhostName, frozenset[tuple[str, bool]]]
"""The pools of each vhost: UID, and whether it serves."""


def pools_by_vhost(directory: PoolDirectory) -> OnVhosts:
    """The pools of each vhost. Pure."""
    found: dict[VhostName, set[tuple[str, bool]]] = {}
    for pool in directory.pools:
        if pool.manifest is not None:
            broker = pool.manifest.spec.broker
            found.setdefault((broker.name, broker.vhost), set()).add((pool.ref.uid, pool.serving is not None))
    return {name: frozenset(pools) for name, pools in found.items()}


def changed_vhosts(before: OnVhosts, after: OnVhosts) -> list[VhostName]:
    """Vhosts that have pools, and not the same as before. Pure."""
    return sorted(name for name, pools in after.items() if pools != before.get(name))


class PoolNews:
    """A thread that looks, and tells of each vhost whose pools have changed."""

    def __init__(self, pools: PoolSource, tell: Callable[[VhostName], None]) -> None:
        self._pools = pools
        self._tell = tell
        self._seen: PoolDirectory | None = None
        self._known: OnVhosts = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pool-news", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join(seconds)

    def look(self) -> None:
        """Compare once."""
        try:
            directory = self._pools.snapshot()
        except PoolsUnknown:
            return
        if directory is self._seen:
            return
        now = pools_by_vhost(directory)
        changed, self._seen, self._known = changed_vhosts(self._known, now), directory, now
        for name in changed:
            self._tell(name)

    def _run(self) -> None:
        while not self._stopping.wait(timing.POOLS_NEWS_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - logged with its traceback; connections come by their own waits
                _log.exception("pool_news_failed")
