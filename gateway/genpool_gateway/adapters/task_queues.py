"""The work queues of all pools on RabbitMQ: one publishing connection for each vhost, on which tasks are pipelined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from genpool_adapters.amqp import AmqpConnection
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import OutgoingMessage
from genpool_gateway.accepting.message import accepted_event, task_message
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.tasks.record import TaskRecord

VhostName = tuple[str, str]
"""Broker and vhost."""


class RabbitWorkQueues:
    """See :class:`genpool_gateway.accepting.ports.WorkQueues`. ``pool_of``: a pool by its UID, as it is known now."""

    def __init__(
        self, connections: Mapping[VhostName, AmqpConnection], pool_of: Callable[[str], ServedPool | None]
    ) -> None:
        self._connections = connections
        self._pool_of = pool_of

    def publish(self, tasks: Sequence[TaskRecord]) -> list[Future[None]]:
        """Publish in order, and the event behind each task; raises nothing."""
        messages: dict[VhostName, list[OutgoingMessage]] = {}
        places: list[tuple[VhostName, int] | BrokerError] = []
        for task in tasks:
            pool = self._pool_of(task.pool.uid)
            serving = None if pool is None else pool.serving
            if serving is None or (vhost := (serving.broker, serving.vhost)) not in self._connections:
                places.append(_no_queue(task))
                continue
            group = messages.setdefault(vhost, [])
            places.append((vhost, len(group)))
            group += [task_message(task, serving.queue), accepted_event(task)]
        sent = {vhost: self._connections[vhost].publish_all(group) for vhost, group in messages.items()}
        return [
            _failed(place) if isinstance(place, BrokerError) else sent[place[0]][place[1]] for place in places
        ]


def _no_queue(task: TaskRecord) -> BrokerError:
    pool = f"{task.pool.namespace}/{task.pool.name}"
    return BrokerError(
        f"pool {pool} is gone, or on a broker that this gateway does not have.",
        reason="Unroutable",
        lasts=Lasts.REPAIR,
    )


def _failed(error: BrokerError) -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(error)
    return future
