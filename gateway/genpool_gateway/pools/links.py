"""Signed links to results: made when they are given out, where the gateway may sign for the pool's store.

Signing is no I/O, but a few tenths of a millisecond a link, and the task store tells where a pool that is gone had its
results: the API does it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from genpool_adapters.objectstore.port import Beginning
from genpool_core.errors import GenPoolError
from genpool_core.ledger.records import Output
from genpool_core.workerconfig import S3Config, StoreConfig, store_config
from genpool_gateway.pools.errors import PoolsUnknown, how_to_list, not_listed
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.places import PlaceStore
from genpool_gateway.tasks.view import Link

_log = structlog.get_logger(__name__)


class SigningStore(Protocol):
    """A bucket that the gateway has keys for, or a folder that it serves."""

    def sign(self, key: str, *, save_as: str | None = None) -> str:
        """A link to an object, or to save it under a name. No I/O. Raises StorageError, SettingsError."""

    def sign_put(self, key: str, content_type: str, size: int, seconds: float) -> str:
        """A link by which one object of exactly this size and type may be put. Raises as ``sign`` does."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Put an object. Raises StorageError."""

    def beginning(self, key: str, size: int) -> Beginning | None:
        """The first bytes of an object, within two seconds; None when there is none. Raises StorageError."""


class Buckets(Protocol):
    """The buckets and folders that the gateway may use."""

    def of(self, config: StoreConfig) -> SigningStore | None:
        """The bucket or folder of a pool; None where the gateway may not use it. Raises SettingsError."""


def store_of(pool: ServedPool) -> StoreConfig | None:
    """Where the results of a pool are: as its workers were told or, where it takes no task now, as its spec says."""
    if pool.serving is not None:
        return pool.serving.config.store
    return None if pool.spec is None else store_config(pool.spec.storage)


@dataclass(frozen=True)
class Links:
    """Signs links to results. Used by many threads."""

    buckets: Buckets
    pools: PoolSource
    places: PlaceStore
    now: Callable[[], datetime]

    def place_of(self, pool_uid: str) -> StoreConfig | None:
        """Where the results of a pool are, or were last where it is gone; None where that was never seen.

        Raises
        ------
        PoolsUnknown
            The pools have not been read yet.
        TaskStoreError
            The pool is gone, and the database is away.
        """
        pool = self.pools.snapshot().by_uid(pool_uid)
        if pool is not None:
            return store_of(pool)
        return next((known.store for known in self.places.of_pool(pool_uid)), None)

    def sign(self, pool_uid: str, outputs: Sequence[Output]) -> dict[str, Link]:
        """A link to each output of a task of this pool, by object key; none where the gateway may not sign.

        Raises
        ------
        PoolsUnknown
            The pools have not been read yet.
        """
        signed: dict[str, Link] = {}
        try:
            config = self.place_of(pool_uid) if outputs else None
            if config is None:
                return {}
            expires_at = self.now() + timedelta(seconds=config.url_ttl_seconds)
            for output in outputs:
                # A pool that was given another bucket or folder has results in the one before.
                place = config.at(output.bucket)
                store = None if place is None else self.buckets.of(place)
                if store is not None:
                    signed[output.key] = Link(store.sign(output.key), expires_at)
        except PoolsUnknown:
            raise
        except GenPoolError as error:
            # The task is told all the same: its results are there, and another moment gives the link.
            _log.warning("links_not_signed", pool=pool_uid, reason=error.reason, message=error.message)
        return signed

    def to_save(self, pool_uid: str, output: Output) -> str | None:
        """A link by which a browser saves a result; None where the gateway may not sign.

        Raises what :meth:`place_of` and signing do.
        """
        config = self.place_of(pool_uid)
        place = None if config is None else config.at(output.bucket)
        store = None if place is None else self.buckets.of(place)
        return None if store is None else store.sign(output.key, save_as=output.key.rpartition("/")[2])

    def note(self, pool: ServedPool) -> str:
        """How links to the results of a pool are made, as a sentence."""
        config = store_of(pool)
        if config is None:
            return "not known: the pool's spec cannot be read."
        try:
            listed = self.buckets.of(config) is not None
        except GenPoolError as error:
            return f"not signed: {error.message}"
        if listed:
            return f"signed when they are given out, valid for {config.url_ttl_seconds} s."
        who = "signed by workers only, for callbacks" if isinstance(config, S3Config) else "none"
        return f"{who}: {not_listed(config)}. Answers of the API have none. {how_to_list(config)}."
