"""The buckets and folders that the gateway may use, put together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from genpool_core import timing
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.adapters.stores import Stores, load_stores
from genpool_gateway.erasing.housekeeping import Housekeeping, Look
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.store_checks import StoreChecks
from genpool_gateway.settings import GatewaySettings


def build_file_links(settings: GatewaySettings, now: Callable[[], datetime]) -> FileLinks:
    """Links to files in folders, signed by the gateway's keys."""
    return FileLinks(Signer(settings.gateway_secret_dir).link_keys, now, base=settings.public_url)


def build_stores(settings: GatewaySettings, links: FileLinks) -> Stores:
    """Put them together. Connects to nothing; raises SettingsError where the file cannot be used."""
    return load_stores(settings.stores_file, settings.folders, links)


@dataclass(frozen=True)
class StoreWatch:
    """What is known of the stores of pools, and the thread that has them looked at."""

    checks: StoreChecks
    thread: Housekeeping


def build_store_watch(pools: PoolSource, stores: Stores, now: Callable[[], datetime]) -> StoreWatch:
    """Put it together. Connects to nothing."""
    checks = StoreChecks(pools, stores, now)
    # Not with the other looks: those wait for the database, and this one tells of stores also while that is away.
    look = Look("stores", timing.HOUSEKEEPING_SECONDS, checks.look)
    return StoreWatch(checks, Housekeeping([look], threading.Event(), name="store-watch"))
