"""The gateway: delivers callbacks from the queues of all brokers. ``python -m genpool_gateway.app``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import FrameType

import structlog

from genpool_adapters.amqp import AmqpSettings
from genpool_adapters.brokerfile import credentials, load_brokers
from genpool_adapters.logs import configure_logging
from genpool_adapters.web import WebServer, metrics, probe
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import GenPoolError, InvalidManifest
from genpool_core.version import __version__
from genpool_gateway.adapters.lane import Lane
from genpool_gateway.adapters.metrics import Metrics
from genpool_gateway.adapters.post import HttpReceiver
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.crowd import Crowd
from genpool_gateway.dispatcher import Dispatcher
from genpool_gateway.settings import GatewaySettings, load

_log = structlog.get_logger(__name__)
CONNECTION_NAME = "genpool-gateway"


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class Gateway:
    """All lanes and the HTTP server of one process."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Read the files and take the port; connects to nothing yet.

        Raises
        ------
        InvalidManifest
            A file is missing or wrong.
        OSError
            The port is taken.
        """
        signer = Signer(settings.signing_secret_file)
        signer.check()
        self._settings = settings
        self._brokers = load_brokers(settings.brokers_file).brokers
        self._logins = {broker.name: credentials(broker) for broker in self._brokers}
        self._stopping = threading.Event()
        self._metrics = Metrics()
        self._lanes: list[tuple[Lane, Dispatcher]] = []
        receiver, crowd = HttpReceiver(signer, now=now), Crowd()
        for broker in self._brokers:
            for vhost in broker.vhosts:
                self._add(broker, vhost, receiver, crowd)
        routes = {
            "/healthz": probe(self.unhealthy),
            "/readyz": probe(self.unready),
            "/metrics": metrics(self._metrics.render),
        }
        self.server = WebServer(settings.http_port, routes)

    def _add(self, broker: BrokerConfig, vhost: str, receiver: HttpReceiver, crowd: Crowd) -> None:
        username, password = self._logins[broker.name]
        meter = self._metrics.meter(broker.name, vhost)
        lane = Lane(
            AmqpSettings(broker.host, broker.port, vhost, username, password, broker.tls, CONNECTION_NAME),
            on_change=lambda connected, _sentence: meter.connected(yes=connected),
        )
        self._lanes.append((lane, Dispatcher(lane, receiver, crowd, meter, now=now, stopping=self._stopping)))

    def start(self) -> None:
        """Serve; returns at once."""
        self.server.start()
        for lane, dispatcher in self._lanes:
            lane.start(dispatcher.handle)
        _log.info("gateway_started", version=__version__, vhosts=len(self._lanes), port=self.server.port)

    def stop(self) -> None:
        """Take nothing more, let attempts in flight end, close; what is left is requeued."""
        for lane, _ in self._lanes:
            lane.begin_stop()
        self._stopping.set()
        stops = [
            threading.Thread(target=lane.stop, args=(self._settings.drain_seconds,), name="lane-stop")
            for lane, _ in self._lanes
        ]
        for thread in stops:
            thread.start()
        for thread in stops:
            thread.join()
        self.server.stop()
        _log.info("gateway_stopped")

    def unready(self) -> str | None:
        """Why callbacks are not delivered now."""
        return next(filter(None, (lane.trouble() for lane, _ in self._lanes)), None)

    def unhealthy(self) -> str | None:
        """Why a restart would help: a broker refuses us and its credentials have changed since the start."""
        if self.unready() is None:
            return None
        for broker in self._brokers:
            try:
                current = credentials(broker)
            except InvalidManifest:
                continue
            if current != self._logins[broker.name]:
                return f"the credentials of broker {broker.name} have changed."
        return None


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    try:
        settings = load()
        configure_logging("gateway", settings.log_format, settings.log_level)
        gateway = Gateway(settings)
    except (GenPoolError, OSError) as error:
        sys.stderr.write(f"genpool-gateway: {error}\n")
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_end, ended.set))
    gateway.start()
    ended.wait()
    gateway.stop()
    return 0


def _end(end: Callable[[], None], _number: int, _frame: FrameType | None) -> None:
    end()


if __name__ == "__main__":
    sys.exit(main())
