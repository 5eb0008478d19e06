"""A connection to RabbitMQ that any thread may use and that comes back by itself.

Its own thread (``owner``) runs pika's loop and touches pika; nobody else does. Calls of other threads are handed to it
and wait for a future. Heartbeats are answered in that thread, whatever the others do. When the connection is lost,
every waiting call ends with a BrokerError, and after a growing wait with chance in it the thread connects again and
sets up all consumers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

import pika

from genpool_adapters.amqp.consumer import Consumer, OnMessage, Subscription
from genpool_adapters.amqp.declarer import Asked, Declarer
from genpool_adapters.amqp.failures import UNREACHABLE, missing_vhost
from genpool_adapters.amqp.owner import OnChange, Owner
from genpool_adapters.amqp.publisher import Outgoing, Publisher
from genpool_adapters.amqp.values import AmqpSettings, QueueCount, Received, Token
from genpool_adapters.backoff import Backoff
from genpool_core.errors import BrokerError

T = TypeVar("T")
#: A call that only hands something to the owning thread is answered at once, unless that thread is gone.
HANDOVER_SECONDS = 10.0
PERSISTENT = 2


class AmqpConnection:
    """See the module. ``on_change(connected, sentence)`` is called in the owning thread and must return at once."""

    def __init__(
        self, settings: AmqpSettings, *, on_change: OnChange | None = None, backoff: Backoff | None = None
    ) -> None:
        self.settings = settings
        self._consumers: list[Consumer] = []
        self._connection: pika.SelectConnection | None = None
        self._paused = False
        self._owner = Owner(settings, self, on_change, backoff or Backoff())
        self._publisher = Publisher(self._owner.ready)
        self._declarer = Declarer()

    def __repr__(self) -> str:
        return f"<AmqpConnection {self.settings.connection_name} to {self.settings.place}>"

    # Life -------------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection that publishes. Consumers may still wait for their queues."""
        return self._owner.connected

    @property
    def consuming(self) -> bool:
        """Whether every subscription has its consumer on the broker right now."""
        return self.connected and bool(self._consumers) and all(item.active for item in self._consumers)

    @property
    def last_sentence(self) -> str:
        """Why it is not connected, or that it is."""
        return self._owner.sentence

    @property
    def vhost_missing(self) -> bool:
        """Whether the broker answers and has no such vhost, as it said last."""
        return not self.connected and self.last_sentence == missing_vhost(self.settings)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._owner.start()

    def stop(self, timeout: float = 10) -> None:
        """Close, at the latest after ``timeout`` seconds. The broker requeues what was not answered."""
        self._owner.stop(timeout)

    def wait_connected(self, timeout: float) -> bool:
        """Wait until there is a connection; False after ``timeout`` seconds or when stopping."""
        return self._owner.wait_connected(timeout)

    # Publishing -----------------------------------------------------------------------------------------------

    def publish(  # noqa: PLR0913 - the fields of an AMQP message
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: Mapping[str, object] | None = None,
        message_id: str | None = None,
        type: str | None = None,  # noqa: A002 - AMQP's name of the property
        content_type: str = "application/json",
        priority: int | None = None,
        correlation_id: str | None = None,
        reply_to: str | None = None,
        app_id: str | None = None,
        timestamp: int | None = None,
        mandatory: bool = True,
        timeout: float = 30,
    ) -> None:
        """Publish a persistent message in our name and wait until the broker has it.

        ``timeout`` seconds include the wait for a connection. ``timestamp``: Unix time in seconds, now when absent. Not
        from the owning thread.

        Raises
        ------
        BrokerError
            ``Unroutable``: no queue takes it. ``PublishRefused``: the broker said no. ``BrokerUnreachable``: it is not
            known to have arrived; it may have.
        """
        deadline = time.monotonic() + timeout
        message = Outgoing(
            exchange,
            routing_key,
            body,
            pika.BasicProperties(
                content_type=content_type,
                delivery_mode=PERSISTENT,
                headers=dict(headers) if headers else None,
                message_id=message_id,
                type=type,
                priority=priority,
                correlation_id=correlation_id,
                reply_to=reply_to,
                app_id=app_id,
                user_id=self.settings.username,
                timestamp=int(time.time()) if timestamp is None else timestamp,
            ),
            mandatory,
        )
        if not self.wait_connected(timeout):
            raise BrokerError(f"not published: {self.last_sentence}", reason=UNREACHABLE)
        self._owner.post(lambda: self._publisher.send(message))
        _await(message.done, deadline, f"no confirmation for a message to {message.target}")

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

    def ack(self, received: Received) -> bool:
        """Acknowledge. False: its channel is gone, and the broker has requeued it."""
        return self._answer(received, accept=True, requeue=False)

    def nack(self, received: Received, requeue: bool) -> bool:  # noqa: FBT001 - AMQP's name, never ambiguous
        """Give back (or drop to the dead-letter target). False: its channel is gone, the broker has requeued it."""
        return self._answer(received, accept=False, requeue=requeue)

    def holds(self, received: Received) -> bool:
        """Whether a delivery can still be answered: its channel is there, and it was not answered yet."""
        token = _token(received)
        return self._hand_over_or_false(lambda: any(item.holds(token) for item in self._consumers))

    # Asking ---------------------------------------------------------------------------------------------------

    def passive_declare(self, queue: str, timeout: float = 5) -> QueueCount | None:
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
        self._owner.post(lambda: self._declarer.ask(queue, asked))
        return _await(asked, deadline, f"no answer about queue {queue}")

    # In the owning thread ---------------------------------------------------------------------------------------

    def attach(self, connection: pika.SelectConnection) -> None:
        """Called by the owner: a connection has opened."""
        self._connection = connection
        self._publisher.attach(connection)
        self._declarer.attach(connection)
        for consumer in self._consumers:
            consumer.attach(connection)

    def detach(self, sentence: str) -> None:
        """Called by the owner: the connection is gone."""
        self._connection = None
        self._publisher.detach(sentence)
        self._declarer.detach(sentence)
        for consumer in self._consumers:
            consumer.detach()

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

    def _answer(self, received: Received, *, accept: bool, requeue: bool) -> bool:
        token = _token(received)

        def answer() -> bool:
            known = (item.answer(token, accept=accept, requeue=requeue) for item in self._consumers)
            return next((result for result in known if result is not None), False)

        return self._hand_over_or_false(answer)

    def _hand_over_or_false(self, work: Callable[[], bool]) -> bool:
        """For answers to deliveries: when the owning thread is stuck, the connection will be lost."""
        try:
            return self._hand_over(work)
        except BrokerError:
            return False

    def _hand_over(self, work: Callable[[], T]) -> T:
        return _await(
            self._owner.call(work), time.monotonic() + HANDOVER_SECONDS, "the connection does not answer"
        )


def _token(received: Received) -> Token:
    if not isinstance(received.token, Token):
        raise TypeError("only what a connection has delivered can be answered")
    return received.token


def _await(future: Future[T], deadline: float, late: str) -> T:
    """Result of a call; a caller that has waited long enough leaves, and what is not sent yet is not sent."""
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        raise BrokerError(f"{late}: the time is over.", reason=UNREACHABLE) from None
