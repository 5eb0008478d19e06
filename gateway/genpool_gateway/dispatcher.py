"""Delivers callbacks: reads a message, tries its receiver once, and does what was decided. Acknowledges last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog

from genpool_adapters.backoff import Backoff
from genpool_core import names
from genpool_core.errors import BrokerError, InvalidMessage
from genpool_core.messages.headers import HeaderValue
from genpool_gateway.callback import Callback, dead_headers, read, retry_headers
from genpool_gateway.crowd import Crowd
from genpool_gateway.decide import Again, Crowded, Dead, Delivered, Outcome, fate
from genpool_gateway.ports import Delivery, Meter, Queue, Receiver

_log = structlog.get_logger(__name__)
#: A receiver whose attempt takes longer makes others wait, and gets few attempts at a time.
SLOW_SECONDS = 4.0


class Dispatcher:
    """Handles deliveries of one vhost's callbacks queue, each in a thread of the program's pool."""

    def __init__(
        self,
        queue: Queue,
        receiver: Receiver,
        crowd: Crowd,
        meter: Meter,
        *,
        now: Callable[[], datetime],
        stopping: threading.Event,
    ) -> None:
        self._queue = queue
        self._receiver = receiver
        self._crowd = crowd
        self._meter = meter
        self._now = now
        self._stopping = stopping
        self._clock: Callable[[], float] = time.monotonic
        self._backoff = Backoff(first=1.0, cap=30.0, spread=0.0)

    def handle(self, delivery: Delivery) -> None:
        """Deal with one delivery to its end. While stopping nothing is begun: the broker requeues it."""
        if self._stopping.is_set():
            return
        try:
            self._handle(delivery)
        except Exception:  # noqa: BLE001 - a defect must not hold the queue: the message goes where it is seen
            _log.exception("callback_defect", webhook_id=delivery.message_id)
            text = "GenPool could not handle this callback: see the gateway's log."
            self._bury(delivery, Dead("InternalError", text, 1), None)

    def _handle(self, delivery: Delivery) -> None:
        try:
            callback = read(delivery, self._queue.own_user)
        except InvalidMessage as error:
            self._bury(delivery, Dead(error.reason, error.message, 1), None)
            return
        began = self._clock()
        outcome = self._attempt(callback)
        seconds = self._clock() - began
        match fate(outcome, callback.failed_before):
            case Delivered():
                self._queue.ack(delivery)
                self._meter.delivered(seconds)
                _log.info("callback_delivered", webhook_id=callback.post.id, task_key=callback.task_key)
            case Again(delay, attempts):
                self._delay(delivery, callback, outcome, Again(delay, attempts), seconds)
            case Dead() as dead:
                self._bury(delivery, dead, callback)

    def _attempt(self, callback: Callback) -> Outcome:
        receiver, began = callback.post.receiver, self._clock()
        if not self._crowd.enter(receiver, began):
            return Crowded()
        try:
            return self._receiver.send(callback.post)
        finally:
            ended = self._clock()
            self._crowd.leave(receiver, ended, slow=ended - began >= SLOW_SECONDS)

    def _delay(
        self, delivery: Delivery, callback: Callback, outcome: Outcome, again: Again, seconds: float
    ) -> None:
        step = names.retry_step(again.delay_seconds)
        headers = retry_headers(again.attempts)
        if not self._publish(delivery, step, names.CALLBACKS_QUEUE, headers, callback.post.id):
            return
        self._queue.ack(delivery)
        facts = {"webhook_id": callback.post.id, "receiver": callback.post.receiver}
        if isinstance(outcome, Crowded):
            self._meter.crowded()
            _log.debug("callback_stepped_aside", **facts)
        else:
            self._meter.retried(seconds)
            _log.info(
                "callback_retried",
                attempts=again.attempts,
                delay_seconds=again.delay_seconds,
                outcome=str(outcome),
                **facts,
            )

    def _bury(self, delivery: Delivery, dead: Dead, callback: Callback | None) -> None:
        message_id = callback.post.id if callback else delivery.message_id
        headers = dead_headers(dead, callback.task_key if callback else None, self._now())
        if not self._publish(delivery, "", names.CALLBACKS_DEAD_QUEUE, headers, message_id):
            return
        self._queue.ack(delivery)
        self._meter.dead(dead.reason)
        _log.warning(
            "callback_dead",
            webhook_id=message_id,
            reason=dead.reason,
            message=dead.message,
            attempts=dead.attempts,
        )

    def _publish(
        self,
        delivery: Delivery,
        exchange: str,
        routing_key: str,
        headers: dict[str, HeaderValue],
        message_id: str | None,
    ) -> bool:
        """Publish until the broker has it. False when stopping, or when the broker gives the delivery out again."""
        failures = 0
        while True:
            try:
                self._queue.publish(
                    exchange, routing_key, delivery.body, headers=headers, message_id=message_id
                )
            except BrokerError as error:
                failures += 1
                _log.warning("callback_publish_failed", reason=error.reason, message=error.message)
            else:
                return True
            if self._stopping.wait(self._backoff.seconds(failures, 0.0)) or not self._queue.holds(delivery):
                return False
