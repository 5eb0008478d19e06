"""The limits of the API, put together: how many tasks wait, by the task store and by the broker."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_adapters.amqp import AmqpConnection
from genpool_gateway.accepting.limits import Count, Limits
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.store.opening import TaskStore


def build_limits(
    store: TaskStore, pools: PoolSource, publishing: Mapping[tuple[str, str], AmqpConnection]
) -> Limits:
    """Put them together. ``publishing``: by broker and vhost."""
    return Limits(pools, (_stored(store), _queued(publishing)))


def _stored(store: TaskStore) -> Count:
    return lambda pool: store.reader.count_unfinished(pool.ref.uid)


def _queued(connections: Mapping[tuple[str, str], AmqpConnection]) -> Count:
    """Counts a pool's work queue by a passive declare."""

    def count(pool: ServedPool) -> int | None:
        serving = pool.serving
        connection = None if serving is None else connections.get((serving.broker, serving.vhost))
        found = None if serving is None or connection is None else connection.passive_declare(serving.queue)
        return None if found is None else found.ready

    return count
