"""RabbitMQ by the shared AMQP adapter: one connection to consume and acknowledge, one to publish.

A broker that is short of memory or disk holds up the one that publishes; acknowledgements do not wait behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import structlog

from genpool_adapters.amqp import AmqpConnection, AmqpSettings, Received
from genpool_core.errors import BrokerError
from genpool_worker.ports import Message, Origin, Outgoing

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 3.0


class RabbitBroker:
    """Implements ``ports.Broker`` and ``consumer.Intake``."""

    def __init__(self, settings: AmqpSettings, queue: str) -> None:
        name = settings.connection_name
        self._queue = queue
        self._consuming = AmqpConnection(replace(settings, connection_name=f"{name} consume"))
        self._publishing = AmqpConnection(replace(settings, connection_name=f"{name} publish"))

    def start(self, on_message: Callable[[Message], None]) -> None:
        """Connect in the background; deliveries come after :meth:`resume`."""
        self._consuming.start()
        self._publishing.start()
        self._consuming.cancel()
        self._consuming.consume(self._queue, lambda received: on_message(to_message(received)))

    def stop(self) -> None:
        """Close both connections; what is not acknowledged goes back to the queue."""
        self._consuming.stop(_STOP_SECONDS)
        self._publishing.stop(_STOP_SECONDS)

    def trouble(self) -> str | None:
        """Why nothing can be delivered or published; None when both connections stand."""
        down = [item for item in (self._consuming, self._publishing) if not item.connected]
        return down[0].last_sentence if down else None

    def pause(self) -> None:
        """Stop deliveries."""
        self._consuming.cancel()

    def resume(self) -> None:
        """Let the broker deliver."""
        self._consuming.resume()

    def publish(self, message: Outgoing, *, timeout: float = 10.0) -> None:
        """Publish and wait for the confirmation."""
        self._publishing.publish(
            message.exchange,
            message.routing_key,
            message.body,
            headers=dict(message.headers),
            message_id=message.message_id,
            type=message.type,
            content_type=message.content_type or "application/json",
            priority=message.priority,
            mandatory=message.mandatory,
            timeout=timeout,
            **asdict(message.origin),
        )

    def ack(self, message: Message) -> bool:
        """Acknowledge."""
        return self._answer(self._consuming.ack, message)

    def hand_back(self, message: Message) -> bool:
        """Requeue."""
        return self._answer(lambda received: self._consuming.nack(received, requeue=True), message)

    def _answer(self, answer: Callable[[Received], bool], message: Message) -> bool:
        if not isinstance(message.token, Received):
            raise TypeError("only what this broker delivered can be answered")
        try:
            return answer(message.token)
        except BrokerError as error:
            _log.info("delivery_not_answered", reason=error.reason, message=error.message)
            return False


def to_message(received: Received) -> Message:
    """A delivery in the pipeline's terms."""
    properties = received.properties
    return Message(
        body=received.body,
        headers=received.headers,
        message_id=properties.message_id or None,
        user_id=received.user_id,
        type=properties.type or None,
        content_type=properties.content_type or None,
        priority=properties.priority,
        origin=Origin(
            correlation_id=properties.correlation_id or None,
            reply_to=properties.reply_to or None,
            app_id=properties.app_id or None,
            timestamp=properties.timestamp,
        ),
        redelivered=received.redelivered,
        token=received,
    )
