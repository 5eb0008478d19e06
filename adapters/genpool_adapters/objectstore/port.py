"""What worker and gateway ask of an object store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

JSON = "application/json"


class Put(Enum):
    """Answer to a conditional put."""

    CREATED = "created"
    EXISTS = "exists"
    CONFLICT = "conflict"
    """Another put was under way; nothing is known: ask again."""


@dataclass(frozen=True)
class Stored:
    """An object. ``age_seconds``: since it was written last, by the store's own clock; never less than 0."""

    data: bytes
    age_seconds: float


@dataclass(frozen=True)
class Beginning:
    """How an object begins. ``size``: of the whole object, in bytes."""

    data: bytes
    size: int


class ObjectStore(Protocol):
    """The object store. Every method raises StorageError.

    A key is one or more names of any Unicode with slashes in between, none of them empty, ``.`` or ``..``. No key is
    another one with a slash and more behind it: a folder cannot hold both.
    """

    def keys(self, prefix: str) -> list[str]:
        """All keys that begin so."""

    def get(self, key: str) -> Stored | None:
        """An object, or None when there is none."""

    def beginning(self, key: str, size: int) -> Beginning | None:
        """The first ``size`` bytes of an object, or None when there is none: within two seconds, or fails."""

    def create(self, key: str, data: bytes) -> Put:
        """Put a JSON object only where there is none. After a StorageError it may be there all the same."""

    def put(self, key: str, data: bytes, content_type: str = JSON) -> None:
        """Put an object."""

    def put_soon(self, key: str, data: bytes) -> None:
        """Put a JSON object within two seconds, or fail: for what is worth nothing later. A disk takes its time."""

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Put a file."""

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are not there are no error."""

    def sign(self, key: str) -> str | None:
        """A link to an object that is valid as long as the pool says; None where the gateway makes it. No I/O."""
