"""RabbitMQ by the shared AMQP adapter: one connection to consume and acknowledge, one to publish.

A broker that is short of memory or disk holds up the one that publishes; acknowledgements do not wait behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names, timing
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery, OutgoingMessage

OnMessage = Callable[[Delivery], None]
_log = structlog.get_logger(__name__)


class RabbitBroker:
    """Implements ``ports.Broker`` and ``ports.Consumption``."""

    def __init__(self, parameters: AmqpParameters, queue: str, pool_uid: str) -> None:
        name = parameters.connection_name
        self._queue = queue
        self._commands = (pool_uid, name)
        self._consuming = AmqpConnection(replace(parameters, connection_name=f"{name} consume"))
        self._publishing = AmqpConnection(replace(parameters, connection_name=f"{name} publish"))

    def start(self, on_delivery: OnMessage, on_command: OnMessage) -> None:
        """Connect in the background; deliveries come after :meth:`resume`, commands at once."""
        self._consuming.start()
        self._publishing.start()
        self._consuming.cancel()
        self._consuming.consume(self._queue, on_delivery)
        uid, pod = self._commands
        bindings = [
            (names.CONTROL_EXCHANGE, key)
            for key in (names.command_key_of_all(uid), names.command_key(uid, pod))
        ]
        queue = names.command_queue(uid, pod)
        self._consuming.declare_exclusive(queue, bindings=bindings, on_message=on_command)

    def stop(self) -> None:
        """Close both connections; the broker requeues what is not acknowledged."""
        self._consuming.stop(timing.BROKER_STOP_SECONDS)
        self._publishing.stop(timing.BROKER_STOP_SECONDS)

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

    def publish(self, message: OutgoingMessage, *, timeout: float = timing.PUBLISH_SECONDS) -> None:
        """Publish and wait for the confirmation."""
        self._publishing.publish(message, timeout=timeout)

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge."""
        return self._answer(self._consuming.ack, delivery)

    def requeue(self, delivery: Delivery) -> bool:
        """Give back to the queue."""
        return self._answer(lambda found: self._consuming.nack(found, requeue=True), delivery)

    @staticmethod
    def _answer(answer: Callable[[Delivery], bool], delivery: Delivery) -> bool:
        try:
            return answer(delivery)
        except BrokerError as error:
            _log.info("delivery_not_answered", reason=error.reason, message=error.message)
            return False
