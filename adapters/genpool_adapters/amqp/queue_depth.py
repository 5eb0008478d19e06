"""Passive declares, one after the other on a channel of their own. Everything in it runs in the owning thread."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future

import pika

from genpool_adapters.amqp.failures import NOT_FOUND, UNREACHABLE, channel_error, code_of, complete, fail
from genpool_adapters.amqp.values import QueueCount
from genpool_core.errors import BrokerError

Asked = Future[QueueCount | None]


class QueueDepthReader:
    """Asks for queues by name. A queue that is missing closes the channel; the next question opens another."""

    def __init__(self) -> None:
        self._connection: pika.SelectConnection | None = None
        self._channel: pika.channel.Channel | None = None
        self._opening = False
        self._asked: deque[tuple[str, Asked]] = deque()
        self._current: Asked | None = None

    def attach(self, connection: pika.SelectConnection) -> None:
        """A connection has opened; the channel is opened by the first question."""
        self._connection = connection

    def detach(self, sentence: str) -> None:
        """The connection is gone: every question ends with an error."""
        self._connection = None
        self._channel = None
        self._opening = False
        open_questions = [asked for _, asked in self._asked] + ([self._current] if self._current else [])
        self._asked.clear()
        self._current = None
        for asked in open_questions:
            fail(asked, BrokerError(f"the queue's depth is unknown: {sentence}", reason=UNREACHABLE))

    def ask(self, queue: str, asked: Asked) -> None:
        """Ask for a queue; ``asked`` gets its counts, or None when there is no such queue."""
        if self._connection is None:
            fail(
                asked,
                BrokerError("the queue's depth is unknown: there is no connection.", reason=UNREACHABLE),
            )
            return
        self._asked.append((queue, asked))
        self._next()

    def _next(self) -> None:
        while self._asked and self._asked[0][1].done():
            self._asked.popleft()
        if self._connection is None or self._current is not None or self._opening or not self._asked:
            return
        if self._channel is None:
            self._opening = True
            self._connection.channel(on_open_callback=self._on_open)
            return
        queue, self._current = self._asked.popleft()
        self._channel.queue_declare(queue, passive=True, callback=self._on_declared)

    def _on_open(self, channel: pika.channel.Channel) -> None:
        self._opening = False
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        self._next()

    def _on_declared(self, frame: pika.frame.Method[pika.spec.Queue.DeclareOk]) -> None:
        current, self._current = self._current, None
        if current is not None:
            complete(current, QueueCount(frame.method.message_count, frame.method.consumer_count))
        self._next()

    def _on_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        if channel is not self._channel:
            return
        self._channel = None
        current, self._current = self._current, None
        if current is not None:
            if code_of(reason) == NOT_FOUND:
                complete(current, None)
            else:
                fail(current, channel_error(reason, reason="BrokerRefused"))
        if self._connection is not None and self._connection.is_open:
            self._next()
