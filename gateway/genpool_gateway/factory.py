"""All parts of the gateway, put together. Connects to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from genpool_adapters.amqp import broker_parameters
from genpool_adapters.brokerfile import credentials, load_brokers
from genpool_adapters.http_server import HttpServer, program_routes
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import SettingsError
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from genpool_gateway.adapters.http_receiver import HttpReceiver
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.attempts import Attempts
from genpool_gateway.dispatcher import Dispatcher
from genpool_gateway.settings import GatewaySettings

CONNECTION_NAME = "genpool-gateway"
Logins = Mapping[str, tuple[str, str]]


def utc_now() -> datetime:
    """The only wall clock of the gateway."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Callbacks:
    """The callbacks queues of all vhosts, each with its dispatcher. ``logins``: user and password by broker."""

    brokers: tuple[BrokerConfig, ...]
    logins: Logins = field(repr=False)
    queues: tuple[tuple[RabbitCallbackQueue, Attempts], ...]

    def unready(self) -> str | None:
        """Why no callback is delivered now. While one vhost works, the others' trouble is told by ``/metrics``."""
        troubles = [queue.trouble() for queue, _ in self.queues]
        return None if None in troubles else next(iter(troubles), None)

    def unhealthy(self) -> str | None:
        """Why a restart would help: a broker is in trouble, and its credentials have changed since the start."""
        for broker in self.brokers:
            if not any(queue.trouble() for queue, _ in self.queues if queue.broker == broker.name):
                continue
            try:
                current = credentials(broker)
            except SettingsError:
                continue
            if current != self.logins[broker.name]:
                return f"the credentials of broker {broker.name} have changed."
        return None


@dataclass(frozen=True)
class Gateway:
    """What runs."""

    callbacks: Callbacks
    http: HttpServer
    stopping: threading.Event
    drain_seconds: float

    def start(self) -> None:
        """Start all threads; returns at once."""
        self.http.start()
        for queue, attempts in self.callbacks.queues:
            attempts.start()
            queue.start(attempts.put)

    def stop(self) -> None:
        """Take nothing more, let attempts in flight end, close; what is left is requeued."""
        for queue, _ in self.callbacks.queues:
            queue.begin_stop()
        self.stopping.set()
        deadline = time.monotonic() + self.drain_seconds
        stops = [
            threading.Thread(target=_stop, args=(queue, attempts, deadline), name="callback-queue-stop")
            for queue, attempts in self.callbacks.queues
        ]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join()
        self.http.stop()


def _stop(queue: RabbitCallbackQueue, attempts: Attempts, deadline: float) -> None:
    attempts.stop(max(0.0, deadline - time.monotonic()))
    queue.stop(deadline)


def build_gateway(settings: GatewaySettings) -> Gateway:
    """Put the gateway together. Reads the files and takes the port.

    Raises
    ------
    SettingsError
        A file is missing or wrong, or the port is taken.
    """
    signer = Signer(settings.signing_secret_file)
    signer.check()
    brokers = tuple(load_brokers(settings.brokers_file).brokers)
    logins = {broker.name: credentials(broker) for broker in brokers}
    stopping, metrics = threading.Event(), GatewayMetrics()
    receiver = HttpReceiver(signer, now=utc_now)

    def join(broker: BrokerConfig, vhost: str) -> tuple[RabbitCallbackQueue, Attempts]:
        counted = metrics.vhost(broker.name, vhost)

        def on_change(connected: bool, _sentence: str) -> None:  # noqa: FBT001 - a callback
            counted.connected(yes=connected)
            attempts.connection_changed()

        queue = RabbitCallbackQueue(
            broker_parameters(broker, vhost, logins[broker.name], CONNECTION_NAME),
            broker=broker.name,
            on_change=on_change,
        )
        attempts = Attempts(Dispatcher(queue, receiver, counted, now=utc_now, stopping=stopping))
        return queue, attempts

    queues = tuple(join(broker, vhost) for broker in brokers for vhost in broker.vhosts)
    callbacks = Callbacks(brokers, logins, queues)
    routes = program_routes(
        unhealthy=callbacks.unhealthy, unready=callbacks.unready, render=metrics.registry.render
    )
    return Gateway(callbacks, HttpServer(settings.http_port, routes), stopping, settings.drain_seconds)
