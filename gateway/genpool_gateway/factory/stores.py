"""The buckets and folders that the gateway may use, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from genpool_gateway.adapters.signing import Signer
from genpool_gateway.adapters.stores import Stores, load_stores
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.settings import GatewaySettings


def build_file_links(settings: GatewaySettings, now: Callable[[], datetime]) -> FileLinks:
    """Links to files in folders, signed by the gateway's keys."""
    return FileLinks(Signer(settings.gateway_secret_dir).link_keys, now, base=settings.public_url)


def build_stores(settings: GatewaySettings, links: FileLinks) -> Stores:
    """Put them together. Connects to nothing; raises SettingsError where the file cannot be used."""
    return load_stores(settings.stores_file, settings.folders, links)
