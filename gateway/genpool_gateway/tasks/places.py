"""Where contents of tasks lie: the buckets and folders of pools, and objects that no task may ever use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import StoreConfig


@dataclass(frozen=True)
class PoolPlace:
    """A bucket or folder that a pool has, or had. It stays known when the pool is gone, or gets another one."""

    pool: PoolRef
    store: StoreConfig
    retention_seconds: int | None
    """As the pool said last; None: its tasks' contents are kept for ever."""
    first_seen: datetime
    last_seen: datetime


class PlaceStore(Protocol):
    """For the buckets of pools. Every method raises TaskStoreError."""

    def seen(self, places: Sequence[PoolPlace]) -> None:
        """Note that these are in force; when each was first seen stays."""

    def of_pool(self, pool_uid: str) -> list[PoolPlace]:
        """All places of a pool, the one that was seen last first."""

    def of_all(self) -> list[PoolPlace]:
        """The place of each pool that was seen last."""


@dataclass(frozen=True)
class LooseInput:
    """An object that the gateway has put into a bucket, or given a link for, before there is a task that uses it."""

    store: StoreConfig
    key: str
    made_at: datetime
    task: str | None = None
    """Id of the task that it came with."""
    upload: str | None = None
    """Of an upload: what a parameter says for it."""
    owner: str | None = None
    """Of an upload: the id of the API key that may use it."""

    @property
    def place(self) -> tuple[str | None, str]:
        """Endpoint and bucket, or the path of a folder."""
        return self.store.address


class LooseInputs(Protocol):
    """For such objects. Every method raises TaskStoreError."""

    def note(self, inputs: Sequence[LooseInput]) -> None:
        """Note them; one that is noted again begins anew."""

    def places(self, *, before: datetime) -> list[tuple[str | None, str]]:
        """Endpoint and bucket of all that were made before a time."""

    def due(self, place: tuple[str | None, str], *, before: datetime, limit: int) -> list[LooseInput]:
        """At most ``limit`` in a bucket that were made before a time, the oldest first."""

    def used(self, inputs: Collection[LooseInput]) -> set[str]:
        """Keys of those that a task uses whose contents have not been deleted."""

    def forget(self, inputs: Collection[LooseInput]) -> None:
        """They belong to a task, or are gone."""
