"""The callback of an end once more, under the same ``webhook-id``: for a receiver that has lost it, or was away."""

from __future__ import annotations

from collections.abc import Callable

from genpool_core.errors import GenPoolError
from genpool_core.identity import end_id
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.announcements import callback_message
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.errors import BucketNotListed, PoolUnavailable
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.ports import ListedLedgers, VhostPublisher
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.record import TaskRecord


class NoCallback(GenPoolError):  # noqa: N818 - named for what the sender sees
    """There is no callback that could be sent again."""

    reason = "NoCallback"


class CallbackReplay:
    """Asks for callbacks again. ``publisher_of``: of a broker and a vhost; None where the gateway has no such."""

    def __init__(
        self,
        pools: PoolSource,
        ledgers: ListedLedgers,
        publisher_of: Callable[[str, str], VhostPublisher | None],
    ) -> None:
        self._pools = pools
        self._ledgers = ledgers
        self._publisher_of = publisher_of

    def replay(self, record: TaskRecord) -> str:
        """Ask for the callback of a task's end once more; its ``webhook-id``.

        Raises
        ------
        NoCallback
            It has none: it has not ended, or its sender wanted none.
        PoolUnavailable, BucketNotListed, StorageError, BrokerError
            It cannot be asked for now, or here.
        """
        end = _end_of(record)
        pool = self._pools.snapshot().by_uid(record.pool.uid)
        if pool is None:
            name = f"{record.pool.namespace}/{record.pool.name}"
            raise NoCallback(
                f"pool {name} of task {record.id} is gone, and with it what signs its callbacks."
            )
        serving = require_serving(pool)
        url = record.callback_url
        if record.submission is None:
            # What workers announce lacks the URL's query, which may be a secret: the ledger alone has it.
            end, url = self._from_ledger(pool, end)
        if url is None:
            raise NoCallback(f"task {record.id} names no callback_url.")
        publisher = self._publisher_of(serving.broker, serving.vhost)
        if publisher is None:
            raise PoolUnavailable(f"pool {pool.name} is on a broker that this gateway does not have.")
        hosts = serving.config.callback_hosts
        whole = end.model_copy(update={"callback_url": url})
        message = callback_message(whole, record.pool, hosts, links={})
        assert message is not None  # noqa: S101 - it has a callback_url
        publisher.publish([message])
        return end_id(end.task_key, end.run)

    def _from_ledger(self, pool: ServedPool, end: EndRecord) -> tuple[EndRecord, str | None]:
        serving = require_serving(pool)
        ledger = self._ledgers.ledger(serving.config)
        if ledger is None:
            raise BucketNotListed.of(
                serving.config.store, "only the store has the whole callback_url of a plain producer's task"
            )
        standing = ledger.read(end.task_key, end.run).end
        return (end, None) if standing is None else (standing, standing.callback_url)


def _end_of(record: TaskRecord) -> EndRecord:
    """The end that was announced; raises NoCallback."""
    if record.end is None:
        raise NoCallback(f"task {record.id} has not ended: its callback comes with its end.")
    if record.erased_at is not None:
        raise NoCallback(f"the contents of task {record.id} were deleted, and its callback_url with them.")
    if record.callback_url is None:
        raise NoCallback(f"task {record.id} names no callback_url.")
    if record.submission is not None and "end" not in record.submission.callback_events:
        raise NoCallback(
            f"the sender of task {record.id} asked for no callback of its end (callback_events)."
        )
    return record.end
