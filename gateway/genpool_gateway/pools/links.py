"""Signed links to results: made when they are given out, where the gateway may sign for the pool's bucket.

Signing is no I/O, but a few tenths of a millisecond a link: the API does it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from genpool_core.errors import GenPoolError
from genpool_core.ledger.records import Output
from genpool_core.workerconfig import S3Config, s3_config
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.view import Link

_log = structlog.get_logger(__name__)


class SigningStore(Protocol):
    """A bucket that the gateway has keys for."""

    def sign(self, key: str, *, save_as: str | None = None) -> str:
        """A link to an object, or to save it under a name. No I/O. Raises StorageError."""

    def sign_put(self, key: str, content_type: str, size: int, seconds: float) -> str:
        """A link by which one object of exactly this size and type may be put. No I/O. Raises StorageError."""

    def put_body(self, key: str, body: bytes, content_type: str) -> None:
        """Put an object. Raises StorageError."""


class Buckets(Protocol):
    """The buckets that the gateway may use."""

    def of(self, s3: S3Config) -> SigningStore | None:
        """The bucket of a pool; None where the gateway may not use it. Raises SettingsError."""


def s3_of(pool: ServedPool) -> S3Config | None:
    """Where the results of a pool are: as its workers were told or, where it takes no task now, as its spec says."""
    if pool.serving is not None:
        return pool.serving.config.s3
    return None if pool.spec is None else s3_config(pool.spec.storage.s3)


@dataclass(frozen=True)
class Links:
    """Signs links to results. Used by many threads."""

    buckets: Buckets
    pools: PoolSource
    now: Callable[[], datetime]

    def sign(self, pool_uid: str, outputs: Iterable[Output]) -> dict[str, Link]:
        """A link to each output of a task of this pool, by object key; none where the gateway may not sign.

        Raises
        ------
        PoolsUnknown
            The pools have not been read yet.
        """
        pool = self.pools.snapshot().by_uid(pool_uid)
        s3 = None if pool is None else s3_of(pool)
        if s3 is None:
            return {}
        expires_at = self.now() + timedelta(seconds=s3.url_ttl_seconds)
        signed: dict[str, Link] = {}
        try:
            for output in outputs:
                # A pool that was given another bucket has results in the one before.
                store = self.buckets.of(s3.model_copy(update={"bucket": output.bucket}))
                if store is not None:
                    signed[output.key] = Link(store.sign(output.key), expires_at)
        except GenPoolError as error:
            # The task is told all the same: its results are there, and another moment gives the link.
            _log.warning("links_not_signed", pool=pool_uid, reason=error.reason, message=error.message)
        return signed

    def to_save(self, pool_uid: str, output: Output) -> str | None:
        """A link by which a browser saves a result; None where the gateway may not sign. Raises what signing does."""
        pool = self.pools.snapshot().by_uid(pool_uid)
        s3 = None if pool is None else s3_of(pool)
        store = None if s3 is None else self.buckets.of(s3.model_copy(update={"bucket": output.bucket}))
        return None if store is None else store.sign(output.key, save_as=output.key.rpartition("/")[2])

    def note(self, pool: ServedPool) -> str:
        """How links to the results of a pool are made, as a sentence."""
        s3 = s3_of(pool)
        if s3 is None:
            return "not known: the pool's spec cannot be read."
        try:
            listed = self.buckets.of(s3) is not None
        except GenPoolError as error:
            return f"not signed: {error.message}"
        if listed:
            return f"signed when they are given out, valid for {s3.url_ttl_seconds} s."
        where = s3.endpoint or f"AWS region {s3.region}"
        return (
            f"signed by workers only, for callbacks: bucket {s3.bucket} at {where} is not in gateway.stores of the "
            "chart. Answers of the API have none; list the bucket there."
        )
