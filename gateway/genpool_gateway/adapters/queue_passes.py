"""Passes over queues on RabbitMQ: over dead letters of pools and intakes, and over work queues that nobody consumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_adapters.amqp.queue_pass import Bounds, QueuePass, queue_pass
from genpool_core import timing
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.dead_letters.decide import LetterQueues
from genpool_gateway.janitor.ports import HeldMessages
from genpool_gateway.pools.pool import Serving

_MOST_BYTES = 256 * 1024 * 1024
_MOST_LETTERS = 100_000


class _Reading:
    def __init__(self, reader: QueuePass) -> None:
        self._reader = reader
        self.ack = reader.ack

    def messages(self) -> Sequence[Delivery]:
        return self._reader.taken().deliveries

    def whole(self) -> bool:
        return self._reader.taken().complete


class RabbitDeadQueues:
    """See :class:`genpool_gateway.dead_letters.work.DeadQueues`."""

    def __init__(
        self, places: Mapping[VhostName, AmqpParameters], publishing: Mapping[VhostName, AmqpConnection]
    ) -> None:
        self._places = places
        self._publishing = publishing

    @contextmanager
    def reading(self, queues: LetterQueues, most: int | None = None) -> Iterator[_Reading]:
        """On a connection of its own."""
        where = _named(self._places, queues.broker, queues.vhost, "dead-letters")
        with queue_pass(where, queues.dead_queue, Bounds(most or _MOST_LETTERS, _MOST_BYTES)) as reader:
            yield _Reading(reader)

    def publish(self, queues: LetterQueues, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Pipelined with the tasks that are accepted."""
        return self._publishing[queues.broker, queues.vhost].publish_all(messages)


class RabbitWorkQueuePasses:
    """See :class:`genpool_gateway.janitor.ports.WorkQueuePasses`."""

    def __init__(self, places: Mapping[VhostName, AmqpParameters]) -> None:
        self._places = places

    @contextmanager
    def holding(self, serving: Serving, most: int) -> Iterator[HeldMessages]:
        """On a connection of its own."""
        where = _named(self._places, serving.broker, serving.vhost, "take-out")
        bounds = Bounds(most, _MOST_BYTES, timing.TAKE_OUT_PASS_SECONDS, unconsumed=True)
        with queue_pass(where, serving.queue, bounds) as reader:
            taken = reader.taken()
            yield HeldMessages(taken.deliveries, taken.complete, reader.ack)


def _named(places: Mapping[VhostName, AmqpParameters], broker: str, vhost: str, what: str) -> AmqpParameters:
    place = places.get((broker, vhost))
    if place is None:
        raise BrokerError(
            f"broker {broker} with vhost {vhost} is not among the gateway's: see the chart's brokers.",
            reason="BrokerUnknown",
            lasts=Lasts.REPAIR,
        )
    return replace(place, connection_name=f"{place.connection_name or 'genpool-gateway'}-{what}")
