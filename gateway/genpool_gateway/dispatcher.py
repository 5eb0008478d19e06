"""Delivers callbacks: reads a message, tries its receiver once, and does what was decided. Acknowledges last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog

from genpool_core import names, timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, InvalidMessage, Lasts
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_gateway.callback import Callback, dead_headers, read, retry_headers
from genpool_gateway.disposition import (
    Acknowledge,
    DeadLetter,
    Outcome,
    ReceiverBusy,
    RetryLater,
    decide_disposition,
)
from genpool_gateway.ports import CallbackQueue, Metrics, Receiver
from genpool_gateway.slow_receivers import SlowReceivers

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Handles deliveries of one vhost's callbacks queue, each in a thread of the program's pool."""

    def __init__(
        self,
        queue: CallbackQueue,
        receiver: Receiver,
        slow: SlowReceivers,
        metrics: Metrics,
        *,
        now: Callable[[], datetime],
        stopping: threading.Event,
    ) -> None:
        self._queue = queue
        self._receiver = receiver
        self._slow = slow
        self._metrics = metrics
        self._now = now
        self._stopping = stopping
        self._clock: Callable[[], float] = time.monotonic
        self._backoff = Backoff(timing.CALLBACK_RETRY_SECONDS, timing.CALLBACK_RETRY_MOST_SECONDS, spread=0.0)

    def handle(self, delivery: Delivery) -> None:
        """Deal with one delivery to its end; raises nothing. While stopping nothing is begun, and it is requeued."""
        if self._stopping.is_set():
            return
        try:
            self._handle(delivery)
        except Exception:  # noqa: BLE001 - a defect must not hold the queue: the message goes where it is seen
            _log.exception("callback_defect", webhook_id=delivery.properties.message_id)
            self._give_up(delivery)

    def _give_up(self, delivery: Delivery) -> None:
        text = "GenPool could not handle this callback: see the gateway's log."
        try:
            self._dead_letter(delivery, DeadLetter("InternalError", text, 1), None)
        except Exception:  # noqa: BLE001 - not even its dead letter can be made: the broker has the message as it came
            _log.exception("callback_rejected", webhook_id=delivery.properties.message_id)
            self._queue.reject(delivery)

    def _handle(self, delivery: Delivery) -> None:
        try:
            callback = read(delivery, self._queue.own_user)
        except InvalidMessage as error:
            self._dead_letter(delivery, DeadLetter(error.reason, error.message, 1), None)
            return
        began = self._clock()
        outcome = self._attempt(callback)
        seconds = self._clock() - began
        match decide_disposition(outcome, callback.failed_before):
            case Acknowledge():
                self._queue.ack(delivery)
                self._metrics.delivered(seconds)
                _log.info("callback_delivered", webhook_id=callback.request.id, task_key=callback.task_key)
            case RetryLater() as retry:
                self._delay(delivery, callback, outcome, retry, seconds)
            case DeadLetter() as dead:
                self._dead_letter(delivery, dead, callback)

    def _attempt(self, callback: Callback) -> Outcome:
        receiver, began = callback.request.receiver, self._clock()
        if not self._slow.enter(receiver, began):
            return ReceiverBusy()
        try:
            return self._receiver.send(callback.request)
        finally:
            ended = self._clock()
            self._slow.leave(receiver, ended, slow=ended - began >= timing.CALLBACK_SLOW_SECONDS)

    def _delay(
        self, delivery: Delivery, callback: Callback, outcome: Outcome, retry: RetryLater, seconds: float
    ) -> None:
        step = names.retry_step(retry.delay_seconds)
        headers = retry_headers(retry.attempts)
        properties = Properties(message_id=callback.request.id)
        copy = OutgoingMessage(step, names.CALLBACKS_QUEUE, delivery.body, headers, properties)
        if not self._publish(delivery, copy):
            return
        self._queue.ack(delivery)
        facts = {"webhook_id": callback.request.id, "receiver": callback.request.receiver}
        if isinstance(outcome, ReceiverBusy):
            self._metrics.stepped_aside()
            _log.debug("callback_stepped_aside", **facts)
        else:
            self._metrics.retried(seconds)
            _log.info(
                "callback_retried",
                attempts=retry.attempts,
                delay_seconds=retry.delay_seconds,
                outcome=str(outcome),
                **facts,
            )

    def _dead_letter(self, delivery: Delivery, dead: DeadLetter, callback: Callback | None) -> None:
        message_id = callback.request.id if callback else delivery.properties.message_id
        headers = dead_headers(dead, callback.task_key if callback else None, self._now())
        properties = Properties(message_id=message_id)
        letter = OutgoingMessage("", names.CALLBACKS_DEAD_QUEUE, delivery.body, headers, properties)
        if not self._publish(delivery, letter):
            return
        self._queue.ack(delivery)
        self._metrics.dead(dead.reason)
        _log.warning(
            "callback_dead",
            webhook_id=message_id,
            reason=dead.reason,
            message=dead.message,
            attempts=dead.attempts,
        )

    def _publish(self, delivery: Delivery, message: OutgoingMessage) -> bool:
        """Publish until the broker has it. False when stopping, or when the broker gives the delivery out again.

        What the broker will never accept is left to it: it moves the delivery to the dead-letter queue as it came.
        """
        failures = 0
        while True:
            try:
                self._queue.publish(message)
            except BrokerError as error:
                failures += 1
                _log.warning("callback_publish_failed", reason=error.reason, message=error.message)
                if error.lasts is Lasts.NEVER:
                    self._queue.reject(delivery)
                    return False
            else:
                return True
            if self._stopping.wait(self._backoff.seconds(failures)) or not self._queue.holds(delivery):
                return False
