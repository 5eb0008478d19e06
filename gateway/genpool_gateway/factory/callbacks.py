"""All parts of the gateway, put together. Connects to nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from genpool_adapters.amqp import broker_parameters
from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.http_server import HttpServer, program_routes
from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_adapters.secret_files import read_secret
from genpool_adapters.settings import variable
from genpool_core import names
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import ClusterError, SettingsError
from genpool_gateway.adapters.callback_queue import RabbitCallbackQueue
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.adapters.http_receiver import HttpReceiver
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.callbacks.attempts import Attempts
from genpool_gateway.callbacks.dispatcher import Dispatcher
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.settings import GatewaySettings

CONNECTION_NAME = "genpool-gateway"


def utc_now() -> datetime:
    """The only wall clock of the gateway."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Callbacks:
    """The callbacks queues of all vhosts, each with its dispatcher."""

    queues: tuple[tuple[RabbitCallbackQueue, Attempts], ...]

    def unready(self) -> str | None:
        """Why no callback is delivered now. While one vhost works, the others' trouble is told by ``/metrics``."""
        troubles = [queue.trouble() for queue, _ in self.queues]
        return None if None in troubles else next(iter(troubles), None)


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


def _login(folder: Path, broker: str) -> tuple[str, str]:
    """User and password of this moment; raises SettingsError while the operator has not written them."""
    username, password = read_secret(
        folder,
        *names.login_keys(broker),
        whose=f"the gateway's login on broker {broker}",
        reason="BrokerCredentialsMissing",
    )
    return username, password


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
    signer = Signer(settings.gateway_secret_dir)
    signer.check()
    brokers = tuple(load_brokers(settings.brokers_file).brokers)
    stopping, metrics = threading.Event(), GatewayMetrics()
    receiver = HttpReceiver(signer, now=utc_now)

    def join(broker: BrokerConfig, vhost: str) -> tuple[RabbitCallbackQueue, Attempts]:
        counted = metrics.vhost(broker.name, vhost)

        def on_change(connected: bool, _sentence: str) -> None:  # noqa: FBT001 - a callback
            counted.connected(yes=connected)
            attempts.connection_changed()

        queue = RabbitCallbackQueue(
            broker_parameters(
                broker, vhost, partial(_login, settings.gateway_secret_dir, broker.name), CONNECTION_NAME
            ),
            on_change=on_change,
        )
        attempts = Attempts(Dispatcher(queue, receiver, counted, now=utc_now, stopping=stopping))
        return queue, attempts

    queues = tuple(join(broker, vhost) for broker in brokers for vhost in broker.vhosts)
    callbacks = Callbacks(queues)
    routes = program_routes(
        # What it waits for it reads again itself: a restart helps with nothing that it can tell.
        unhealthy=lambda: None,
        unready=callbacks.unready,
        render=metrics.registry.render,
    )
    return Gateway(callbacks, HttpServer(settings.http_port, routes), stopping, settings.drain_seconds)


def build_pool_source(settings: GatewaySettings) -> PoolSource:
    """Where the pools come from: files where they are set, else Kubernetes. Connects to nothing.

    Raises
    ------
    SettingsError
        There is no way to log in to Kubernetes.
    """
    if settings.pools_file is not None:
        return FilePools(settings.pools_file, settings.builtin_workflows)
    try:
        api = KubeApi(load_configuration(), CONNECTION_NAME)
    except ClusterError as error:
        raise SettingsError(
            f"{error.message} Or set {variable('pools_file')} to a file with GenerationPools."
        ) from error
    return KubePools(api, settings.namespaces)
