"""One pass over a queue by a single reader: all messages that are there are taken, and those that are settled go.

What is not acknowledged goes back at the end, before what came meanwhile and in its order (``ordered_return``); in any
order where the connection is lost, or where somebody consumes the queue. That two passes do not meet is the broker's
work: each holds an exclusive queue, named after the one that it reads.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, field

import pika
import structlog

from genpool_adapters.amqp.failures import UNREACHABLE, channel_error, code_of, complete, fail
from genpool_adapters.amqp.io_thread import IoThread
from genpool_adapters.amqp.ordered_return import OrderedReturn
from genpool_adapters.amqp.values import AmqpParameters, Token, delivery_of
from genpool_adapters.amqp.wire import WireProperties
from genpool_core import names, timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.amqp import Delivery

_log = structlog.get_logger(__name__)
#: Another pass holds the queue.
BUSY = "QueueBusy"
_RESOURCE_LOCKED = 405


@dataclass(frozen=True)
class Bounds:
    """What a pass takes at most."""

    messages: int
    bytes: int
    """Of bodies; the last message may go beyond."""
    seconds: float = timing.QUEUE_PASS_SECONDS
    """How long it takes messages."""
    unconsumed: bool = False
    """Takes nothing from a queue that somebody consumes."""


@dataclass
class Taken:
    """What a pass holds. Whatever is not acknowledged goes back when the pass ends."""

    deliveries: list[Delivery] = field(default_factory=list)
    complete: bool = True
    """Whether that was all; the bounds were reached otherwise."""


@contextmanager
def queue_pass(settings: AmqpParameters, queue: str, bounds: Bounds) -> Iterator[QueuePass]:
    """Take the messages of a queue; what is not acknowledged goes back at the end, in its order.

    Raises
    ------
    BrokerError
        There is no connection, no such queue, no right to it; or another pass is at it (reason ``QueueBusy``). In the
        block too, when the connection is lost: the broker has then requeued all that was not acknowledged.
    """
    reader = QueuePass(settings, queue, bounds)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


class QueuePass:
    """See :func:`queue_pass`."""

    def __init__(self, settings: AmqpParameters, queue: str, bounds: Bounds) -> None:
        self._queue = queue
        self._bounds = bounds
        self._left_bytes = bounds.bytes
        self._until = time.monotonic() + bounds.seconds
        self._io = IoThread(settings, self, None, Backoff())
        self._connection: pika.SelectConnection | None = None
        self._channel: pika.channel.Channel | None = None
        self._held: dict[int, None] = {}
        self._returned: Future[bool] | None = None
        self._done: Future[Taken] = Future()
        self._taken = Taken()

    def start(self) -> None:
        """Connect and take the messages; raises BrokerError."""
        self._io.start()

    def taken(self) -> Taken:
        """All that was taken, in its order; waits for it. Raises BrokerError."""
        try:
            return self._done.result(timing.QUEUE_PASS_SECONDS)
        except FutureTimeoutError:
            text = f"queue {self._queue} could not be read in {timing.QUEUE_PASS_SECONDS:.0f} s."
            raise BrokerError(text, reason=UNREACHABLE) from None

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge some of what was taken; raises BrokerError when the connection is lost."""
        tags = [_tag(delivery) for delivery in deliveries]

        def answer() -> None:
            channel = self._open()
            for tag in tags:
                channel.basic_ack(tag)
                self._held.pop(tag, None)

        self._call(answer)

    def stop(self) -> None:
        """Give back what was not acknowledged, and close."""
        if self._return() is False:
            _log.info("queue_order_lost", queue=self._queue)
        self._io.stop(timing.AMQP_STOP_SECONDS)

    def _return(self) -> bool | None:
        """Whether all went back in their order; None where there was nothing to give back."""

        def begin() -> Future[bool] | None:
            # Messages that are still on their way would be in front of those that go back.
            self._until = 0.0
            if (
                not self._held
                or self._channel is None
                or not self._channel.is_open
                or self._connection is None
            ):
                return None
            returning = OrderedReturn(self._connection, self._channel, self._queue, list(self._held))
            self._returned = returning.done
            returning.start()
            return returning.done

        try:
            done = self._io.call(begin).result(timing.AMQP_HANDOVER_SECONDS)
            return None if done is None else done.result(timing.QUEUE_PASS_SECONDS)
        except (BrokerError, FutureTimeoutError):
            return False

    # In the owning thread ---------------------------------------------------------------------------------------

    def attach(self, connection: pika.SelectConnection) -> None:
        """Called by the owner: a connection has opened. The second one would read again: the pass has failed then."""
        if not self._done.done():
            self._connection = connection
            connection.channel(on_open_callback=self._on_open)

    def detach(self, sentence: str) -> None:
        """Called by the owner: there is no connection, or no more. A pass is not begun again by itself."""
        self._channel = None
        self._lost(BrokerError(f"queue {self._queue}: {sentence}", reason=UNREACHABLE))

    def try_now(self) -> None:
        """Called by the owner: a pass waits for nothing."""

    def _on_open(self, channel: pika.channel.Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_closed)
        channel.add_callback(lambda _frame: self._finish(), [pika.spec.Basic.GetEmpty], one_shot=False)
        lock = names.watch_queue(f"pass.{hashlib.sha256(self._queue.encode()).hexdigest()[:16]}")
        channel.queue_declare(lock, exclusive=True, auto_delete=True, callback=lambda _frame: self._locked())

    def _locked(self) -> None:
        self._io.ready()
        if self._bounds.unconsumed and self._channel is not None:
            self._channel.queue_declare(self._queue, passive=True, callback=self._looked)
        else:
            self._get()

    def _looked(self, frame: pika.frame.Method[pika.spec.Queue.DeclareOk]) -> None:
        if frame.method.consumer_count:
            self._taken.complete = False
            self._finish()
        else:
            self._get()

    def _get(self) -> None:
        taken = len(self._taken.deliveries)
        if taken >= self._bounds.messages or self._left_bytes <= 0 or time.monotonic() >= self._until:
            self._taken.complete = False
            self._finish()
        elif self._channel is not None and self._channel.is_open:
            self._channel.basic_get(self._queue, self._on_message)

    def _on_message(
        self,
        channel: pika.channel.Channel,
        method: pika.spec.Basic.GetOk,
        properties: WireProperties,
        body: bytes,
    ) -> None:
        self._held[method.delivery_tag] = None
        self._taken.deliveries.append(delivery_of(channel, method, properties, body))
        self._left_bytes -= len(body)
        self._get()

    def _finish(self) -> None:
        complete(self._done, self._taken)

    def _on_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        if channel is not self._channel:
            return
        self._channel = None
        if code_of(reason) == _RESOURCE_LOCKED:
            text = f"queue {self._queue} is being read by somebody else: try again in a moment."
            self._lost(BrokerError(text, reason=BUSY))
        else:
            self._lost(channel_error(reason, reason="BrokerRefused"))

    def _lost(self, error: BrokerError) -> None:
        fail(self._done, error)
        if self._returned is not None:
            fail(self._returned, error)

    def _open(self) -> pika.channel.Channel:
        if self._channel is None or not self._channel.is_open:
            text = f"queue {self._queue}: the connection was lost; what was taken is in the queue again."
            raise BrokerError(text, reason=UNREACHABLE, lasts=Lasts.OUTAGE)
        return self._channel

    def _call(self, answer: Callable[[], None]) -> None:
        future = self._io.call(answer)
        try:
            future.result(timing.AMQP_HANDOVER_SECONDS)
        except FutureTimeoutError:
            future.cancel()
            raise BrokerError(
                f"queue {self._queue}: the connection does not answer.", reason=UNREACHABLE
            ) from None


def _tag(delivery: Delivery) -> int:
    if not isinstance(delivery.token, Token):
        raise TypeError("only what a pass has taken can be answered")
    return delivery.token.tag
