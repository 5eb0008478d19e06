"""All parts of the gateway, put together. Connects to nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from genpool_adapters.amqp import AmqpParameters, RetryBell, broker_parameters
from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.http_server import HttpServer, probe, program_routes
from genpool_adapters.secret_files import read_secret
from genpool_core import names, timing
from genpool_core.brokers import BrokerConfig
from genpool_gateway.adapters.http_receiver import HttpReceiver
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.signing import Signer
from genpool_gateway.callbacks.compose import Composer
from genpool_gateway.factory.callbacks import Callbacks, build_callbacks
from genpool_gateway.factory.intakes import build_intakes
from genpool_gateway.factory.readiness import ServiceReadiness
from genpool_gateway.factory.tasks import Tasks, build_tasks
from genpool_gateway.intake.supervisor import Intakes
from genpool_gateway.pools.news import PoolNews, VhostName
from genpool_gateway.settings import GatewaySettings

CONNECTION_NAME = "genpool-gateway"


def utc_now() -> datetime:
    """The only wall clock of the gateway."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Gateway:
    """What runs."""

    callbacks: Callbacks
    tasks: Tasks
    intakes: Intakes
    news: PoolNews
    http: HttpServer
    drain_seconds: float

    def start(self) -> None:
        """Start all threads; returns at once."""
        self.http.start()
        self.callbacks.start()
        self.tasks.start()
        self.intakes.start()
        self.news.start()

    def stop(self) -> None:
        """Take nothing more, let what is in hand end, close; what is left is requeued."""
        deadline = time.monotonic() + self.drain_seconds
        self.callbacks.begin_stop()
        self.news.stop(timing.GATEWAY_CLOSE_SECONDS)
        self.intakes.stop(min(timing.AMQP_STOP_SECONDS, self.drain_seconds))
        self.tasks.stop(deadline)
        self.callbacks.stop(deadline)
        self.tasks.close()
        self.http.stop()


def build_gateway(settings: GatewaySettings) -> Gateway:
    """Put the gateway together. Reads the files and takes the ports.

    Raises
    ------
    SettingsError
        A file is missing or wrong, a port is taken, or there is no way to log in to Kubernetes.
    """
    signer = Signer(settings.gateway_secret_dir)
    signer.check()
    brokers = tuple(load_brokers(settings.brokers_file).brokers)
    metrics = GatewayMetrics()
    bells = {(broker.name, vhost): RetryBell() for broker in brokers for vhost in broker.vhosts}

    def place(broker: BrokerConfig, vhost: str) -> AmqpParameters:
        login = partial(_login, settings.gateway_secret_dir, broker.name)
        parameters = broker_parameters(broker, vhost, login, CONNECTION_NAME)
        return replace(parameters, bell=bells[broker.name, vhost])

    tasks = build_tasks(settings, brokers, place, metrics, utc_now)
    composer = Composer(
        tasks.parts.store.reader, tasks.parts.links, settings.public_url, tasks.preparation.check
    )
    receiver = HttpReceiver(signer, now=utc_now)
    callbacks = build_callbacks(brokers, place, receiver, metrics, composer, utc_now)
    intakes = build_intakes(brokers, place, tasks.parts.pools, metrics, utc_now)

    def tell(vhost: VhostName) -> None:
        if vhost in bells:
            bells[vhost].ring()

    def unready() -> str | None:
        return callbacks.unready() or tasks.unready()

    def remark() -> str | None:
        said = (tasks.parts.rebuilding.rebuilder.remark(), tasks.parts.store_watch.checks.remark())
        return "\n".join(filter(None, said)) or None

    routes = program_routes(
        # What it waits for it reads again itself: a restart helps only where a thread has ended.
        unhealthy=lambda: tasks.unhealthy() or intakes.unhealthy(),
        unready=unready,
        render=metrics.registry.render,
        remark=remark,
    )
    routes["/readyz/api"] = probe(ServiceReadiness(whole=unready, api=tasks.server.unready))
    http = HttpServer(settings.http_port, routes, host=settings.http_host)
    news = PoolNews(tasks.parts.pools, tell)
    return Gateway(callbacks, tasks, intakes, news, http, settings.drain_seconds)


def _login(folder: Path, broker: str) -> tuple[str, str]:
    """User and password of this moment; raises SettingsError while the operator has not written them."""
    username, password = read_secret(
        folder,
        *names.login_keys(broker),
        whose=f"the gateway's login on broker {broker}",
        reason="BrokerCredentialsMissing",
    )
    return username, password
