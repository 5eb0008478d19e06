"""Two gateways that meet at one row: the later one looks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from genpool_gateway.store.database import Database, Overtaken

T = TypeVar("T")

#: The second look sees what the first one met; more are needed only where rows come and go all the time.
_TRIES = 10


def overtaken(database: Database, what: str) -> Overtaken:
    """For a transaction that found other rows than it had seen a moment before."""
    return Overtaken(f"The task store, {database.address.shown}, failed: another gateway {what}. Try again.")


def until_not_overtaken(work: Callable[[], T]) -> T:
    """Do a transaction, again when it was overtaken: it was rolled back. The last try raises what it meets."""
    for _ in range(_TRIES - 1):
        try:
            return work()
        except Overtaken:
            continue
    return work()
