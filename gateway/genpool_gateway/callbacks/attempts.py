"""The threads of one vhost's callbacks: they do what the schedule gives out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from genpool_core.messages.amqp import Delivery
from genpool_gateway.callbacks.callback import receiver_of_message
from genpool_gateway.callbacks.dispatcher import Dispatcher, Tried
from genpool_gateway.callbacks.receiver_schedule import SLOTS, Job, ReceiverSchedule

_log = structlog.get_logger(__name__)


class Attempts:
    """Takes deliveries in, and gives each to the dispatcher when it is its turn."""

    def __init__(self, dispatcher: Dispatcher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._changed = threading.Condition()
        self._schedule: ReceiverSchedule[Delivery] = ReceiverSchedule()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._run, name=f"callback {number}", daemon=True)
            for number in range(SLOTS)
        ]

    def start(self) -> None:
        """Start the threads; returns at once."""
        for thread in self._threads:
            thread.start()

    def put(self, delivery: Delivery) -> None:
        """A delivery came; returns at once."""
        receiver = receiver_of_message(delivery.body)
        with self._changed:
            self._schedule.add(delivery, receiver, len(delivery.body), self._clock())
            self._changed.notify()

    def connection_changed(self) -> None:
        """What waits here is not ours any more: the broker delivers it again."""
        with self._changed:
            self._schedule.clear()

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait for what is in hand, at most so long in all."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        deadline = self._clock() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - self._clock()))

    def _run(self) -> None:
        while (job := self._next()) is not None:
            tried = Tried(good=False)
            try:
                tried = (
                    self._dispatcher.set_aside(job.item) if job.aside else self._dispatcher.handle(job.item)
                )
            except Exception:  # noqa: BLE001 - the delivery stays unanswered, and comes again
                _log.exception("callback_lost")
            if job.aside:
                continue
            with self._changed:
                self._schedule.ended(job.receiver, self._clock(), good=tried.good, slow=tried.slow)
                self._changed.notify()

    def _next(self) -> Job[Delivery] | None:
        with self._changed:
            while not self._stopped:
                job = self._schedule.next(self._clock())
                if isinstance(job, Job):
                    return job
                self._changed.wait(job)
            return None
