"""One vhost's callbacks queue on RabbitMQ: a connection to consume and one to publish, and threads for attempts."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import structlog

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery, OutgoingMessage

_log = structlog.get_logger(__name__)
#: Attempts at a time.
PREFETCH = 16


class RabbitCallbackQueue:
    """The callbacks queue of a vhost; see :class:`genpool_gateway.ports.CallbackQueue`."""

    def __init__(
        self, settings: AmqpParameters, *, on_change: Callable[[bool, str], None] | None = None
    ) -> None:
        self.own_user = settings.username
        self.place = settings.place
        name = settings.connection_name or "genpool-gateway"
        self._consuming = AmqpConnection(
            replace(settings, connection_name=f"{name}-consume"), on_change=on_change
        )
        self._publishing = AmqpConnection(replace(settings, connection_name=f"{name}-publish"))
        self._threads = ThreadPoolExecutor(PREFETCH, thread_name_prefix="callback")
        self._handle: Callable[[Delivery], None] | None = None
        self._running: set[Future[None]] = set()

    def start(self, handle: Callable[[Delivery], None]) -> None:
        """Connect, and give each delivery to ``handle`` in a thread; returns at once."""
        self._handle = handle
        self._consuming.consume(names.CALLBACKS_QUEUE, self._on_message, prefetch=PREFETCH)
        self._publishing.start()
        self._consuming.start()

    def trouble(self) -> str | None:
        """Why it does not work now; None when it does, or when there is no such vhost, and so no callback, yet."""
        for connection in (self._consuming, self._publishing):
            if not connection.connected and not connection.vhost_missing:
                return connection.last_sentence
        return None

    def begin_stop(self) -> None:
        """Take no more deliveries."""
        self._consuming.cancel()

    def stop(self, timeout: float) -> None:
        """Wait for the attempts in flight, at most ``timeout`` seconds, and close. The rest is requeued."""
        deadline = time.monotonic() + timeout
        self._threads.shutdown(wait=False, cancel_futures=True)
        wait(tuple(self._running), timeout)
        for connection in (self._consuming, self._publishing):
            connection.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def publish(self, message: OutgoingMessage) -> None:
        """Publish, confirmed and mandatory; raises BrokerError."""
        self._publishing.publish(message)

    def holds(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours to answer."""
        return self._consuming.holds(delivery)

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge; False when the broker has requeued it."""
        return self._consuming.ack(delivery)

    def reject(self, delivery: Delivery) -> bool:
        """Have the broker move it to the dead-letter queue; the queue is a quorum queue, so it cannot be lost."""
        return self._consuming.nack(delivery, requeue=False)

    def _on_message(self, delivery: Delivery) -> None:
        try:
            future = self._threads.submit(self._run, delivery)
        except RuntimeError:  # stopping: it stays unanswered and is requeued
            return
        self._running.add(future)
        future.add_done_callback(self._ended)

    def _ended(self, future: Future[None]) -> None:
        self._running.discard(future)
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.error("callback_lost_thread", exc_info=error)

    def _run(self, delivery: Delivery) -> None:
        if self._handle is not None:
            self._handle(delivery)
