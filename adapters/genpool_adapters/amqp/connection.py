"""A connection to RabbitMQ that any thread may use and that comes back by itself.

Its own thread (``io_thread``) runs pika's loop, and no other thread touches pika. Calls of other threads are handed to
it and wait for a future. Heartbeats are answered in that thread, whatever the others do. When the connection is lost,
every waiting call ends with a BrokerError, and after a growing wait with chance in it the thread connects again and
sets up all consumers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

import pika

from genpool_adapters.amqp.consumer import Consumer, OnMessage, Subscription
from genpool_adapters.amqp.failures import UNREACHABLE, missing_vhost
from genpool_adapters.amqp.io_thread import IoThread, OnChange
from genpool_adapters.amqp.publisher import PendingPublish, Publisher
from genpool_adapters.amqp.queue_depth import Asked, QueueDepthReader
from genpool_adapters.amqp.values import AmqpParameters, QueueCount, Token, to_pika
from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery, OutgoingMessage

T = TypeVar("T")


class AmqpConnection:
    """See the module. ``on_change(connected, sentence)`` is called in the owning thread and must return at once."""

    def __init__(
        self, settings: AmqpParameters, *, on_change: OnChange | None = None, backoff: Backoff | None = None
    ) -> None:
        self._consumers: list[Consumer] = []
        self._connection: pika.SelectConnection | None = None
        self._paused = False
        self._io = IoThread(settings, self, on_change, backoff or Backoff())
        self._publisher = Publisher(self._io.ready)
        self._depths = QueueDepthReader()

    def __repr__(self) -> str:
        return f"<AmqpConnection {self.settings.connection_name} to {self.settings.place}>"

    @property
    def settings(self) -> AmqpParameters:
        """Where and who, with the login that was used last."""
        return self._io.settings

    # Life -------------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection that publishes. Consumers may still wait for their queues."""
        return self._io.connected

    @property
    def consuming(self) -> bool:
        """Whether every subscription has its consumer on the broker right now."""
        return self.connected and bool(self._consumers) and all(item.active for item in self._consumers)

    @property
    def last_sentence(self) -> str:
        """Why it is not connected, or that it is."""
        return self._io.sentence

    @property
    def vhost_missing(self) -> bool:
        """Whether the broker answers and has no such vhost, as it said last."""
        return not self.connected and self.last_sentence == missing_vhost(self.settings)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._io.start()

    def stop(self, timeout: float = timing.AMQP_STOP_SECONDS) -> None:
        """Close, at the latest after ``timeout`` seconds. The broker requeues what was not answered."""
        self._io.stop(timeout)

    def wait_connected(self, timeout: float) -> bool:
        """Wait until there is a connection; False after ``timeout`` seconds or when stopping."""
        return self._io.wait_connected(timeout)

    # Publishing -----------------------------------------------------------------------------------------------

    def publish(self, message: OutgoingMessage, *, timeout: float = timing.PUBLISH_PATIENT_SECONDS) -> None:
        """Publish a message in our name and wait until the broker has it.

        ``timeout`` seconds include the wait for a connection. Not from the connection's own thread.

        Raises
        ------
        BrokerError
            ``Unroutable``: no queue takes it. ``PublishRefused``: the broker said no. ``BrokerUnreachable``: it is not
            known to have arrived; it may have.
        """
        deadline = time.monotonic() + timeout
        if not self.wait_connected(timeout):
            raise BrokerError(f"not published: {self.last_sentence}", reason=UNREACHABLE)
        pending = PendingPublish(message, to_pika(message, self.settings.username, time.time()))

        def send() -> None:
            # The broker checks the name against the connection's, and the next connection may have another user.
            pending.properties.user_id = self.settings.username
            self._publisher.send(pending)

        self._io.post(send)
        _await(pending.done, deadline, f"no confirmation for a message to {message.target}", sent=True)

    def publish_all(self, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        """Publish messages one behind the other, and wait for none; returns at once.

        Each future ends when the broker has its message, with a BrokerError as of :meth:`publish` where that fails,
        and may be given up by ``cancel``. Where there is no connection nothing is kept for later.
        """
        now = time.time()
        all_pending = [
            PendingPublish(message, to_pika(message, self.settings.username, now)) for message in messages
        ]

        def send() -> None:
            for pending in all_pending:
                pending.properties.user_id = self.settings.username
                self._publisher.send(pending)

        self._io.post(send)
        return [pending.done for pending in all_pending]

    # Consuming ------------------------------------------------------------------------------------------------

    def consume(self, queue: str, on_message: OnMessage, *, prefetch: int = 1) -> None:
        """Consume a queue from now on, after every reconnect too; waits quietly while there is no such queue.

        ``on_message`` is called in the owning thread and must return at once.
        """
        self._subscribe(Subscription(queue, on_message, prefetch))

    def declare_exclusive(
        self, queue_name: str = "", *, bindings: Sequence[tuple[str, str]], on_message: OnMessage
    ) -> None:
        """Consume a queue of our own, bound to ``(exchange, routing key)`` pairs and made again after a reconnect.

        Messages need no answer, and those of a time without connection are lost. The broker names the queue when
        ``queue_name`` is empty. ``cancel`` does not touch it.
        """
        self._subscribe(Subscription(queue_name, on_message, exclusive=True, bindings=tuple(bindings)))

    def cancel(self) -> None:
        """Stop consuming; what was delivered stays unanswered. No ``on_message`` begins after it has returned."""
        self._pause(paused=True)

    def resume(self) -> None:
        """Consume again after :meth:`cancel`."""
        self._pause(paused=False)

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge. False: its channel is gone, and the broker has requeued it."""
        return self._answer(delivery, accept=True, requeue=False)

    def ack_all(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge; what is not ours any more, the broker has requeued."""
        tokens = [_token(delivery) for delivery in deliveries]

        def answer() -> bool:
            for token in tokens:
                self._answer_here(token, accept=True, requeue=False)
            return True

        self._hand_over_or_false(answer)

    def nack(self, delivery: Delivery, requeue: bool) -> bool:  # noqa: FBT001 - AMQP's name, never ambiguous
        """Give back (or drop to the dead-letter target). False: its channel is gone, the broker has requeued it."""
        return self._answer(delivery, accept=False, requeue=requeue)

    def holds(self, delivery: Delivery) -> bool:
        """Whether a delivery can still be answered: its channel is there, and it was not answered yet."""
        token = _token(delivery)
        return self._hand_over_or_false(lambda: any(item.holds(token) for item in self._consumers))

    # Asking ---------------------------------------------------------------------------------------------------

    def passive_declare(self, queue: str, timeout: float = timing.COUNT_TIMEOUT_SECONDS) -> QueueCount | None:
        """Counts of a queue, or None when there is no such queue.

        Raises
        ------
        BrokerError
            There is no connection, no answer within ``timeout`` seconds, or the broker refused.
        """
        asked: Asked = Future()
        deadline = time.monotonic() + timeout
        if not self.connected:
            raise BrokerError(f"queue {queue}: {self.last_sentence}", reason=UNREACHABLE)
        self._io.post(lambda: self._depths.ask(queue, asked))
        return _await(asked, deadline, f"no answer about queue {queue}")

    # In the owning thread ---------------------------------------------------------------------------------------

    def attach(self, connection: pika.SelectConnection) -> None:
        """Called by the owner: a connection has opened."""
        self._connection = connection
        self._publisher.attach(connection)
        self._depths.attach(connection)
        for consumer in self._consumers:
            consumer.attach(connection)

    def detach(self, sentence: str) -> None:
        """Called by the owner: the connection is gone."""
        self._connection = None
        self._publisher.detach(sentence)
        self._depths.detach(sentence)
        for consumer in self._consumers:
            consumer.detach()

    def try_now(self) -> None:
        """Called by the owner: consumers that wait for their queue try at once."""
        for consumer in self._consumers:
            consumer.try_now()

    def _subscribe(self, subscription: Subscription) -> None:
        def add() -> None:
            consumer = Consumer(subscription)
            if self._paused:
                consumer.pause()
            self._consumers.append(consumer)
            if self._connection is not None:
                consumer.attach(self._connection)

        self._hand_over(add)

    def _pause(self, *, paused: bool) -> None:
        def apply() -> None:
            self._paused = paused
            for consumer in self._consumers:
                if paused:
                    consumer.pause()
                else:
                    consumer.resume()

        self._hand_over(apply)

    def _answer(self, delivery: Delivery, *, accept: bool, requeue: bool) -> bool:
        token = _token(delivery)
        return self._hand_over_or_false(lambda: self._answer_here(token, accept=accept, requeue=requeue))

    def _answer_here(self, token: Token, *, accept: bool, requeue: bool) -> bool:
        known = (item.answer(token, accept=accept, requeue=requeue) for item in self._consumers)
        return next((result for result in known if result is not None), False)

    def _hand_over_or_false(self, work: Callable[[], bool]) -> bool:
        """For answers to deliveries: when the owning thread is stuck, the connection will be lost."""
        try:
            return self._hand_over(work)
        except BrokerError:
            return False

    def _hand_over(self, work: Callable[[], T]) -> T:
        return _await(
            self._io.call(work),
            time.monotonic() + timing.AMQP_HANDOVER_SECONDS,
            "the connection does not answer",
        )


def _token(delivery: Delivery) -> Token:
    if not isinstance(delivery.token, Token):
        raise TypeError("only what a connection has delivered can be answered")
    return delivery.token


def _await(future: Future[T], deadline: float, late: str, *, sent: bool = False) -> T:
    """Result of a call; a caller that has waited long enough leaves, and what is not sent yet is not sent."""
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        raise BrokerError(f"{late}: the time is over.", reason=UNREACHABLE, uncertain=sent) from None
