"""Whether a store lets this program do in it what it does there: read, list, create only what is not there, delete.

It is asked over and over, so it takes four small requests, and its object is always the same one and deleted at the
end. That conditional puts are atomic is another question: ``conditional_put_check`` asks it once, at a worker's start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from genpool_adapters.objectstore.port import ObjectStore
from genpool_core.errors import StorageError
from genpool_core.ledger.keys import probe_key

_NAME = "access"


class StoreAccess(StrEnum):
    """What is done in a store, in the order in which it is tried."""

    READ = "read"
    LIST = "list"
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True)
class AccessFailure:
    """The first of them that failed, and how. What comes after it was not tried."""

    access: StoreAccess
    error: StorageError


def check_access(store: ObjectStore, prefix: str) -> AccessFailure | None:
    """Try each of them below a prefix; None where all went well.

    Another program may try the same object at the same time: that it is there already, or gone again, is no failure.
    """
    key = probe_key(prefix, _NAME)
    steps: dict[StoreAccess, Callable[[], object]] = {
        StoreAccess.READ: lambda: store.get(key),
        StoreAccess.LIST: lambda: store.keys(key),
        StoreAccess.CREATE: lambda: store.create(key, b"{}"),
        StoreAccess.DELETE: lambda: store.delete([key]),
    }
    for access, act in steps.items():
        try:
            act()
        except StorageError as error:
            return AccessFailure(access, error)
    return None
