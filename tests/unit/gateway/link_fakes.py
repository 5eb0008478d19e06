"""Buckets and pools for tests of links."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from genpool_core.errors import GenPoolError, StorageError
from genpool_core.ledger.records import Output
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import ServedPool


@dataclass
class FakeBucket:
    """Signs, or fails."""

    name: str
    fault: GenPoolError | None = None

    def sign(self, key: str) -> str:
        if self.fault is not None:
            raise self.fault
        return f"https://s3.example/{self.name}/{key}?signature=1"

    def sign_put(self, key: str, content_type: str, size: int, _seconds: float) -> str:
        return f"{self.sign(key)}&type={content_type}&size={size}"


@dataclass
class FakeBuckets:
    """Lists buckets by name."""

    listed: Collection[str] = ("results",)
    fault: GenPoolError | None = None

    def of(self, config: StoreConfig) -> FakeBucket | None:
        return FakeBucket(config.place, self.fault) if config.place in self.listed else None


@dataclass
class FakePools:
    """These pools; None: not read yet."""

    pools: Collection[ServedPool] | None = field(default_factory=tuple)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def trouble(self) -> str | None:
        return None

    def outdated(self) -> str | None:
        return None

    def snapshot(self) -> PoolDirectory:
        if self.pools is None:
            raise PoolsUnknown("not read yet.")
        return PoolDirectory.of(self.pools)


def output(key: str = "tasks/a/runs/1/a1-n/a.png", bucket: str = "results") -> Output:
    """A result."""
    return Output(
        key=key, bucket=bucket, node="9", kind="images", content_type="image/png", bytes=5, sha256="ab"
    )


STORE_FAULT = StorageError("the keys are missing.")
