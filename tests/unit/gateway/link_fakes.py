"""Buckets and pools for tests of links."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from genpool_adapters.objectstore.port import Beginning
from genpool_core.errors import GenPoolError, StorageError
from genpool_core.ledger.records import Output
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.tasks.places import PoolPlace


@dataclass
class FakeBucket:
    """Signs, or fails."""

    name: str
    fault: GenPoolError | None = None
    objects: Mapping[str, bytes] = field(default_factory=dict)

    def beginning(self, key: str, size: int) -> Beginning | None:
        if self.fault is not None:
            raise self.fault
        data = self.objects.get(key)
        return None if data is None else Beginning(data[:size], len(data))

    def sign(self, key: str, *, save_as: str | None = None) -> str:
        if self.fault is not None:
            raise self.fault
        return f"https://s3.example/{self.name}/{key}?signature=1{'&save' if save_as else ''}"

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


@dataclass
class FakePlaces:
    """Places of pools, also of those that are gone."""

    known: Sequence[PoolPlace] = ()
    fault: GenPoolError | None = None

    def seen(self, places: Sequence[PoolPlace]) -> None:
        raise NotImplementedError

    def of_pool(self, pool_uid: str) -> list[PoolPlace]:
        if self.fault is not None:
            raise self.fault
        return [place for place in self.known if place.pool.uid == pool_uid]

    def of_all(self) -> list[PoolPlace]:
        return list(self.known)


def output(key: str = "tasks/a/runs/1/a1-n/a.png", bucket: str = "results") -> Output:
    """A result."""
    return Output(
        key=key, bucket=bucket, node="9", kind="images", content_type="image/png", bytes=5, sha256="ab"
    )


STORE_FAULT = StorageError("the keys are missing.")
