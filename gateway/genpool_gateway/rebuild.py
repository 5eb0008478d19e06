"""Reads the ledgers of all pools back into the task store. ``python -m genpool_gateway.rebuild``.

For a database that was lost; after an events queue was full the gateway does it by itself. It may run beside gateways,
again and again: an end that the store has stays as it is.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import structlog

from genpool_adapters.program import run_program
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.factory import utc_now
from genpool_gateway.factory.pools import build_pool_source
from genpool_gateway.factory.stores import build_file_links, build_stores
from genpool_gateway.factory.task_store import database_url
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import how_to_list, not_listed
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.rebuilding.ledgers import read_ends
from genpool_gateway.settings import GatewaySettings
from genpool_gateway.store.opening import TaskStore, open_store

_log = structlog.get_logger("genpool_gateway.rebuild")


@dataclass(frozen=True)
class Rebuild:
    """What it reads from, and where it writes."""

    pools: PoolSource
    stores: Stores
    store: TaskStore


def main() -> int:
    """Rebuild once; the exit status: 0, 1 where a pool's ledger could not be read, 2 where it cannot begin."""
    return run_program("gateway", GatewaySettings, build_rebuild, run)


def build_rebuild(settings: GatewaySettings) -> Rebuild:
    """Put it together and open the task store; raises as :func:`genpool_gateway.factory.build_gateway` does."""
    stores = build_stores(settings, build_file_links(settings, utc_now))
    return Rebuild(build_pool_source(settings), stores, open_store(database_url(settings)))


def run(rebuild: Rebuild) -> int:
    """Read all ledgers; the exit status."""
    rebuild.pools.start()
    try:
        directory = _directory(rebuild.pools)
        if directory is None:
            return 1
        read = [_pool(rebuild, pool) for pool in directory.pools]
    finally:
        rebuild.pools.stop()
        rebuild.store.close()
    return 0 if all(read) else 1


def _directory(pools: PoolSource) -> PoolDirectory | None:
    """The pools, as soon as they have all been listed; None where that takes too long."""
    deadline = time.monotonic() + timing.POOLS_WATCH_SECONDS
    while (trouble := pools.trouble()) is not None:
        if time.monotonic() > deadline:
            _log.error("pools_not_known", message=trouble)
            return None
        time.sleep(timing.POOLS_RELIST_SECONDS)
    return pools.snapshot()


def _pool(rebuild: Rebuild, pool: ServedPool) -> bool:
    """Read a pool's ledger. Whether it was read."""
    if pool.serving is None:
        _log.warning("pool_not_read", pool=pool.name, message=pool.trouble)
        return False
    config = pool.serving.config
    ledger = rebuild.stores.ledger(config)
    if ledger is None:
        text = f"{not_listed(config.store)}. {how_to_list(config.store)}."
        _log.warning("pool_not_read", pool=pool.name, message=text)
        return False
    try:
        read = read_ends(rebuild.store.events, pool.ref, ledger)
    except StorageError as error:
        _log.error("pool_not_read", pool=pool.name, reason=error.reason, message=error.message)
        return False
    _log.info("pool_read", pool=pool.name, ends=read.ends, new=read.news)
    return True


if __name__ == "__main__":
    sys.exit(main())
