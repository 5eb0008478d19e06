"""Objects of one kind as the watches and lists showed them."""

from __future__ import annotations

import time
from typing import Generic, Protocol, TypeVar

from genpool_core import timing

Key = tuple[str, str]


class Versioned(Protocol):
    """An object that the cache keeps."""

    @property
    def resource_version(self) -> str:
        """As Kubernetes gives it."""


T = TypeVar("T", bound=Versioned)


class VersionedCache(Generic[T]):
    """Objects of one kind by namespace and name. Not locked: the store does that."""

    def __init__(self) -> None:
        self.items: dict[Key, T] = {}
        self._changed_at: dict[Key, float] = {}
        self._deleted_at: dict[Key, float] = {}

    def put(self, key: Key, item: T) -> None:
        """Take in a newer version; an older one is dropped."""
        if key in self.items and _older(item, self.items[key]):
            return
        self.items[key] = item
        self._changed_at[key] = time.monotonic()
        self._deleted_at.pop(key, None)

    def drop(self, key: Key) -> T | None:
        """Take out a deleted object."""
        self._deleted_at[key] = time.monotonic()
        self._changed_at.pop(key, None)
        return self.items.pop(key, None)

    def replace(self, listed: dict[Key, T], began: float) -> list[T]:
        """Take in a list that was requested at ``began``. Drops and returns what it lacks and no watch showed since."""
        horizon = time.monotonic() - timing.TOMBSTONE_SECONDS
        self._deleted_at = {key: at for key, at in self._deleted_at.items() if at > horizon}
        gone = [key for key in self.items if key not in listed and self._changed_at.get(key, 0.0) < began]
        for key, item in listed.items():
            if self._deleted_at.get(key, 0.0) < began:
                self.put(key, item)
        dropped = (self.drop(key) for key in gone)
        return [item for item in dropped if item is not None]


def _older(new: Versioned, old: Versioned) -> bool:
    """Resource versions are numbers in practice; where they are not, the last one that came is taken."""
    mine, other = new.resource_version, old.resource_version
    return mine.isdecimal() and other.isdecimal() and int(mine) < int(other)
