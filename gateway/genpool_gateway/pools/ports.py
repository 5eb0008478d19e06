"""What belongs to a pool: its ledger, and the vhost of its queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.port import ObjectStore
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.workerconfig import StoreConfig, WorkerConfig


class ListedLedgers(Protocol):
    """The ledgers that the gateway may use."""

    def ledger(self, config: WorkerConfig) -> Ledger | None:
        """That of a pool; None where its bucket or folder is not listed. Raises SettingsError."""


class LedgersByPlace(Protocol):
    """The same, also of pools that are gone."""

    def ledger_at(self, config: StoreConfig) -> Ledger | None:
        """That of a store; None where it is not listed. Raises SettingsError."""


class AllLedgers(ListedLedgers, LedgersByPlace, Protocol):
    """Both."""


class PoolBuckets(ListedLedgers, Protocol):
    """And the buckets and folders that they lie in."""

    def of(self, config: StoreConfig) -> ObjectStore | None:
        """That of a pool; None where it is not listed. Raises SettingsError."""


class VhostPublisher(Protocol):
    """A vhost of the broker."""

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish, confirmed and mandatory, all or as many as go; raises the first BrokerError."""
