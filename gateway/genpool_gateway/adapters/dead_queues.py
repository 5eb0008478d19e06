"""The dead-letter queues of all pools and intakes on RabbitMQ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_adapters.amqp.queue_pass import QueuePass, queue_pass
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.adapters.task_queues import VhostName
from genpool_gateway.dead_letters.decide import LetterQueues

#: What a pass holds at most.
_MOST = 100_000
_MOST_BYTES = 256 * 1024 * 1024


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
        place = self._places.get((queues.broker, queues.vhost))
        if place is None:
            raise _not_here(queues)
        named = replace(place, connection_name=f"{place.connection_name}-dead-letters")
        with queue_pass(named, queues.dead_queue, most=most or _MOST, most_bytes=_MOST_BYTES) as reader:
            yield _Reading(reader)

    def publish(self, queues: LetterQueues, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Pipelined with the tasks that are accepted."""
        return self._publishing[queues.broker, queues.vhost].publish_all(messages)


def _not_here(queues: LetterQueues) -> BrokerError:
    return BrokerError(
        f"broker {queues.broker} with vhost {queues.vhost} is not among the gateway's: see the chart's brokers.",
        reason="BrokerUnknown",
        lasts=Lasts.REPAIR,
    )
