"""The ends in a pool's ledger, into the task store: each once, however often it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import WorkerConfig
from genpool_gateway.tasks.ports import EventStore
from genpool_gateway.tasks.rebuilding import change_of_end

#: ReadableLedger in one commit.
GROUP = 256


class ReadableLedger(Protocol):
    """A pool's ledger, as far as it is read here."""

    def ends(self) -> Iterator[EndRecord]:
        """The end records of all runs; raises StorageError."""


class Ledgers(Protocol):
    """The ledgers that the gateway may read."""

    def ledger(self, config: WorkerConfig) -> ReadableLedger | None:
        """A pool's; None where its bucket is not listed. Raises SettingsError."""


@dataclass
class Read:
    """What was read of a ledger."""

    ends: int = 0
    """End records."""
    news: int = 0
    """Of which the task store had not heard."""


def read_ends(
    events: EventStore, pool: PoolRef, ledger: ReadableLedger, *, go_on: Callable[[], bool] = lambda: True
) -> Read:
    """Read a ledger. ``go_on``: is called after each group; False ends it early.

    Raises
    ------
    StorageError, TaskStoreError
        What was read until then stays.
    """
    read = Read()
    for group in _groups(ledger.ends()):
        read.ends += len(group)
        read.news += len(events.apply([change_of_end(end, pool) for end in group]))
        if not go_on():
            break
    return read


def _groups(ends: Iterable[EndRecord]) -> Iterator[list[EndRecord]]:
    rest = iter(ends)
    while group := list(islice(rest, GROUP)):
        yield group
