"""Delivers callbacks: reads a message, tries its receiver once, and does what was decided. Acknowledges last.

Which message is tried when is the schedule's: ``receiver_schedule``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from genpool_core import names, timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, InvalidMessage, Lasts, TaskStoreError
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_gateway.callbacks.callback import Callback, dead_headers, read, retry_headers
from genpool_gateway.callbacks.compose import Composer
from genpool_gateway.callbacks.disposition import (
    Acknowledge,
    Answered,
    DeadLetter,
    Outcome,
    RetryLater,
    decide_aside,
    decide_disposition,
    decide_unasked,
    is_retried,
)
from genpool_gateway.callbacks.ports import CallbackQueue, Metrics, Receiver
from genpool_gateway.pools.errors import PoolsUnknown

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tried:
    """How a receiver did in an attempt, for the schedule. A message that was not sent says nothing against it."""

    good: bool = True
    slow: bool = False


class Dispatcher:
    """Handles deliveries of one vhost's callbacks queue, each in a thread of the program's pool."""

    def __init__(
        self,
        queue: CallbackQueue,
        receiver: Receiver,
        metrics: Metrics,
        composer: Composer,
        *,
        now: Callable[[], datetime],
        stopping: threading.Event,
    ) -> None:
        self._queue = queue
        self._receiver = receiver
        self._metrics = metrics
        self._composer = composer
        self._now = now
        self._stopping = stopping
        self._clock: Callable[[], float] = time.monotonic
        self._backoff = Backoff(timing.CALLBACK_RETRY_SECONDS, timing.CALLBACK_RETRY_MOST_SECONDS, spread=0.0)

    def handle(self, delivery: Delivery) -> Tried:
        """Deal with one delivery to its end; raises nothing. While stopping nothing is begun, and it is requeued."""
        return self._guarded(delivery, self._handle)

    def set_aside(self, delivery: Delivery) -> Tried:
        """Put a delivery off without an attempt: its receiver is away, and it has waited here."""
        return self._guarded(delivery, self._set_aside)

    def _guarded(self, delivery: Delivery, act: Callable[[Delivery, Callback], Tried]) -> Tried:
        if self._stopping.is_set() or not self._queue.holds(delivery):
            return Tried()
        try:
            try:
                callback = read(delivery)
            except InvalidMessage as error:
                self._dead_letter(delivery, DeadLetter(error.reason, error.message, 1), None)
                return Tried()
            return act(delivery, callback)
        except Exception:  # noqa: BLE001 - a defect must not hold the queue: the message goes where it is seen
            _log.exception("callback_defect", webhook_id=delivery.properties.message_id)
            self._give_up(delivery)
        return Tried()

    def _give_up(self, delivery: Delivery) -> None:
        text = "GenPool could not handle this callback: see the gateway's log."
        try:
            self._dead_letter(delivery, DeadLetter("InternalError", text, 1), None)
        except Exception:  # noqa: BLE001 - not even its dead letter can be made: the broker has the message as it came
            _log.exception("callback_rejected", webhook_id=delivery.properties.message_id)
            self._queue.reject(delivery)

    def _handle(self, delivery: Delivery, callback: Callback) -> Tried:
        try:
            request = self._composer.compose(callback)
        except (TaskStoreError, PoolsUnknown) as error:
            self._wait(delivery, callback, error.message)
            return Tried()
        if request is None:
            self._queue.ack(delivery)
            _log.info("callback_not_wanted", webhook_id=callback.request.id, task_key=callback.task_key)
            return Tried()
        began = self._clock()
        outcome = self._receiver.send(request)
        seconds = self._clock() - began
        self._settle(delivery, callback, outcome, seconds)
        good = isinstance(outcome, Answered) and not is_retried(outcome)
        return Tried(good=good, slow=seconds >= timing.CALLBACK_SLOW_SECONDS)

    def _wait(self, delivery: Delivery, callback: Callback, why: str) -> None:
        decided = decide_unasked(callback.failed_before, callback.put_off_seconds(self._now()))
        if isinstance(decided, DeadLetter):
            self._dead_letter(delivery, decided, callback)
        elif self._delay(delivery, callback, decided, callback.asides_before):
            _log.info("callback_waits", message=why, **_facts(callback, decided))

    def _settle(self, delivery: Delivery, callback: Callback, outcome: Outcome, seconds: float) -> None:
        put_off = callback.put_off_seconds(self._now())
        decided = decide_disposition(outcome, callback.failed_before, put_off)
        match decided:
            case Acknowledge():
                self._queue.ack(delivery)
                self._metrics.delivered(seconds)
                _log.info("callback_delivered", webhook_id=callback.request.id, task_key=callback.task_key)
            case RetryLater() as retry:
                if self._delay(delivery, callback, retry, callback.asides_before):
                    self._metrics.retried(seconds)
                    _log.info("callback_retried", outcome=str(outcome), **_facts(callback, retry))
            case DeadLetter() as dead:
                self._dead_letter(delivery, dead, callback)

    def _set_aside(self, delivery: Delivery, callback: Callback) -> Tried:
        put_off = callback.put_off_seconds(self._now())
        decided = decide_aside(callback.asides_before, callback.failed_before, put_off)
        if isinstance(decided, DeadLetter):
            self._dead_letter(delivery, decided, callback)
        elif self._delay(delivery, callback, decided, callback.asides_before + 1):
            self._metrics.stepped_aside()
            _log.debug("callback_set_aside", **_facts(callback, decided))
        return Tried()

    def _delay(self, delivery: Delivery, callback: Callback, retry: RetryLater, asides: int) -> bool:
        """Whether the callback waits in its delay step now."""
        step = names.retry_step(retry.delay_seconds)
        headers = retry_headers(callback, retry.attempts, asides, self._now())
        properties = Properties(message_id=callback.request.id)
        copy = OutgoingMessage(step, names.CALLBACKS_QUEUE, delivery.body, headers, properties)
        if not self._publish(delivery, copy):
            return False
        self._queue.ack(delivery)
        return True

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


def _facts(callback: Callback, retry: RetryLater) -> dict[str, object]:
    return {
        "webhook_id": callback.request.id,
        "receiver": callback.request.receiver,
        "attempts": retry.attempts,
        "delay_seconds": retry.delay_seconds,
    }
