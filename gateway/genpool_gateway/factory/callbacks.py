"""Delivery of callbacks, put together: a dispatcher for the callbacks queue of each vhost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_adapters.amqp import AmqpParameters
from genpool_core.brokers import BrokerConfig
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from genpool_gateway.adapters.http_receiver import HttpReceiver
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.callbacks.attempts import Attempts
from genpool_gateway.callbacks.compose import Composer
from genpool_gateway.callbacks.dispatcher import Dispatcher

#: From broker and vhost to the way there, with the gateway's login.
Place = Callable[[BrokerConfig, str], AmqpParameters]


@dataclass(frozen=True)
class Callbacks:
    """The callbacks queues of all vhosts, each with its dispatcher."""

    queues: tuple[tuple[RabbitCallbackQueue, Attempts], ...]
    stopping: threading.Event

    def unready(self) -> str | None:
        """Why no callback is delivered now. While one vhost works, the others' trouble is told by ``/metrics``."""
        troubles = [queue.trouble() for queue, _ in self.queues]
        return None if None in troubles else next(iter(troubles), None)

    def start(self) -> None:
        """Start all threads; returns at once."""
        for queue, attempts in self.queues:
            attempts.start()
            queue.start(attempts.put)

    def begin_stop(self) -> None:
        """Take nothing more."""
        for queue, _ in self.queues:
            queue.begin_stop()
        self.stopping.set()

    def stop(self, deadline: float) -> None:
        """Let attempts in flight end, by ``deadline`` in monotonic seconds, and close; what is left is requeued."""
        stops = [
            threading.Thread(target=_stop, args=(queue, attempts, deadline), name="callback-queue-stop")
            for queue, attempts in self.queues
        ]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join()


def build_callbacks(
    brokers: Sequence[BrokerConfig],
    place: Place,
    receiver: HttpReceiver,
    metrics: GatewayMetrics,
    composer: Composer,
    now: Callable[[], datetime],
) -> Callbacks:
    """Put them together. Connects to nothing."""
    stopping = threading.Event()

    def join(broker: BrokerConfig, vhost: str) -> tuple[RabbitCallbackQueue, Attempts]:
        counted = metrics.vhost(broker.name, vhost)

        def on_change(connected: bool, _sentence: str) -> None:  # noqa: FBT001 - a callback
            counted.connected(yes=connected)
            attempts.connection_changed()

        queue = RabbitCallbackQueue(place(broker, vhost), on_change=on_change)
        attempts = Attempts(Dispatcher(queue, receiver, counted, composer, now=now, stopping=stopping))
        return queue, attempts

    return Callbacks(tuple(join(broker, vhost) for broker in brokers for vhost in broker.vhosts), stopping)


def _stop(queue: RabbitCallbackQueue, attempts: Attempts, deadline: float) -> None:
    attempts.stop(max(0.0, deadline - time.monotonic()))
    queue.stop(deadline)
