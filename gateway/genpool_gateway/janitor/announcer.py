"""Announces ends: the callback message, then the event, each confirmed; then the task store.

The event goes after the callback message, other than a worker's. It comes back to the gateways, which store it; a task
that has ended in the store is not looked at again, so by then its callback must be on its way.
"""

from __future__ import annotations

from genpool_core.ledger.records import EndRecord
from genpool_core.messages.announcements import callback_message, ended_event, event_message
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import TaskEnded
from genpool_gateway.janitor.ports import PoolBroker
from genpool_gateway.pools.pool import Serving
from genpool_gateway.pools.ports import PoolBuckets
from genpool_gateway.tasks.change import change_of
from genpool_gateway.tasks.ports import EventStore


class Announcer:
    """The same ids however often: store, dispatcher and receivers drop repeats by them. Used by many threads."""

    def __init__(self, broker: PoolBroker, stores: PoolBuckets, events: EventStore) -> None:
        self._broker = broker
        self._stores = stores
        self._events = events

    def announce(self, serving: Serving, end: EndRecord) -> None:
        """Announce an end, which stands in the ledger, and store it.

        Raises
        ------
        BrokerError, TaskStoreError, SettingsError
            A step failed: announce it again.
        """
        message = callback_message(
            end, serving.config.pool, serving.config.callback_hosts, self._links(serving, end)
        )
        if message is not None:
            self._broker.publish(serving, message)
        event = ended_event(end, serving.config.pool)
        self._broker.publish(serving, event_message(event, event.type))
        self._apply(event)

    def store(self, pool: PoolRef, end: EndRecord) -> None:
        """Store an end that its worker announces, or that nobody can announce any more; raises TaskStoreError."""
        self._apply(ended_event(end, pool))

    def _apply(self, event: TaskEnded) -> None:
        change = change_of(event)
        if change is not None:
            self._events.apply([change])

    def _links(self, serving: Serving, end: EndRecord) -> dict[str, str]:
        store = self._stores.of(serving.config.store) if end.outputs else None
        if store is None:
            return {}
        signed = {output.key: store.sign(output.key) for output in end.outputs}
        return {key: url for key, url in signed.items() if url is not None}
