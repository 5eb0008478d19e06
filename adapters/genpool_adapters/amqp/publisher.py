"""The publishing channel of a connection. Everything in it runs in the thread that owns the connection.

Each message is confirmed by the broker before its call ends. Messages that wait for the channel are sent when it
opens, unless their callers have given up. A returned message comes without its delivery tag, always before its
confirmation: it is recognised by its content.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import pika
import structlog
from pika import exceptions

from genpool_adapters.amqp.failures import REFUSED, UNREACHABLE, UNROUTABLE, channel_error, complete, fail
from genpool_adapters.amqp.fitting import fitted
from genpool_adapters.amqp.wire import WireProperties
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages import headers
from genpool_core.messages.amqp import OutgoingMessage

_log = structlog.get_logger(__name__)


@dataclass
class PendingPublish:
    """A message on its way, and the call that waits for its confirmation."""

    message: OutgoingMessage
    properties: WireProperties
    done: Future[None] = field(default_factory=Future)
    returned: bool = False


class Publisher:
    """One channel with confirms; opened again when the broker closes it."""

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._on_ready = on_ready
        self._connection: pika.SelectConnection | None = None
        self._channel: pika.channel.Channel | None = None
        self._waiting: deque[PendingPublish] = deque()
        self._sent: dict[int, PendingPublish] = {}
        self._next_tag = 1

    def attach(self, connection: pika.SelectConnection) -> None:
        """Open the channel on a connection that has just opened."""
        self._connection = connection
        self._open()

    def detach(self, sentence: str) -> None:
        """The connection is gone: every call that waits ends with an error."""
        self._connection = None
        self._channel = None
        unsent, unconfirmed = list(self._waiting), list(self._sent.values())
        self._waiting.clear()
        self._sent.clear()
        for pending in unsent:
            fail(pending.done, BrokerError(f"not published: {sentence}", reason=UNREACHABLE))
        for pending in unconfirmed:
            text = f"published, but not confirmed before the connection was lost: {sentence}"
            fail(pending.done, BrokerError(text, reason=UNREACHABLE, uncertain=True))

    def send(self, pending: PendingPublish) -> None:
        """Send a message, or keep it until the channel is open."""
        if self._connection is None:
            fail(pending.done, BrokerError("not published: there is no connection.", reason=UNREACHABLE))
        elif self._channel is None:
            self._waiting.append(pending)
        else:
            self._transmit(self._channel, pending)

    def _open(self) -> None:
        self._next_tag = 1
        if self._connection is not None:
            self._connection.channel(on_open_callback=self._on_open)

    def _on_open(self, channel: pika.channel.Channel) -> None:
        channel.add_on_close_callback(self._on_closed)
        channel.add_on_return_callback(self._on_returned)
        channel.confirm_delivery(self._on_confirmation, callback=lambda _frame: self._on_confirming(channel))

    def _on_confirming(self, channel: pika.channel.Channel) -> None:
        self._channel = channel
        self._on_ready()
        while self._waiting and self._channel is channel:
            self._transmit(channel, self._waiting.popleft())

    def _transmit(self, channel: pika.channel.Channel, pending: PendingPublish) -> None:
        if pending.done.done():
            return
        message = pending.message
        try:
            properties, left_out = fitted(pending.properties, channel.connection.params.frame_max)
            channel.basic_publish(
                message.exchange, message.routing_key, message.body, properties, message.mandatory
            )
        except (exceptions.ChannelWrongStateError, exceptions.ConnectionWrongStateError) as error:
            fail(pending.done, BrokerError(f"not published: {error}", reason=UNREACHABLE))
            return
        except Exception as error:  # noqa: BLE001 - its caller waits, and the next message must not
            text = f"a message to {message.target} cannot be sent: AMQP cannot carry it ({type(error).__name__})."
            fail(pending.done, BrokerError(text, reason=REFUSED, lasts=Lasts.NEVER))
            return
        if left_out:
            _log.warning(
                "message_sent_without", target=message.target, left_out=headers.left_out(None, left_out)
            )
        self._sent[self._next_tag] = pending
        self._next_tag += 1

    def _on_closed(self, channel: pika.channel.Channel, reason: BaseException) -> None:
        if self._connection is None or not self._connection.is_open:
            return
        if self._channel is channel:
            self._channel = None
        failed = list(self._sent.values())
        self._sent.clear()
        for pending in failed:
            fail(pending.done, self._refusal(reason, alone=len(failed) == 1))
        self._open()

    @staticmethod
    def _refusal(reason: BaseException, *, alone: bool) -> BrokerError:
        """Of several messages on a channel it is not known which one RabbitMQ closed it for: all are tried again."""
        error = channel_error(reason, reason=REFUSED)
        if alone and error.lasts is Lasts.NEVER:
            return error
        lasts = Lasts.OUTAGE if error.lasts is Lasts.NEVER else error.lasts
        return BrokerError(error.message, reason=error.reason, lasts=lasts, uncertain=True)

    def _on_returned(
        self,
        _channel: pika.channel.Channel,
        method: pika.spec.Basic.Return,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        for pending in self._sent.values():
            message = pending.message
            if (
                not pending.returned
                and message.body == body
                and message.exchange == method.exchange
                and message.routing_key == method.routing_key
                and pending.properties.message_id == properties.message_id
            ):
                pending.returned = True
                return

    def _on_confirmation(self, frame: pika.frame.Method[pika.spec.Basic.Ack]) -> None:
        accepted = isinstance(frame.method, pika.spec.Basic.Ack)
        last: int = frame.method.delivery_tag
        tags = [tag for tag in self._sent if tag <= last] if frame.method.multiple else [last]
        for tag in tags:
            pending = self._sent.pop(tag, None)
            if pending is not None:
                _conclude(pending, accepted=accepted)


def _conclude(pending: PendingPublish, *, accepted: bool) -> None:
    target = pending.message.target
    if pending.returned:
        text = f"no queue accepts a message to {target}: check that the queue exists and is bound."
        fail(pending.done, BrokerError(text, reason=UNROUTABLE, lasts=Lasts.REPAIR))
    elif not accepted:
        text = f"RabbitMQ did not accept a message to {target}: the queue is full, or has no leader."
        fail(pending.done, BrokerError(text, reason=REFUSED))
    else:
        complete(pending.done, None)
