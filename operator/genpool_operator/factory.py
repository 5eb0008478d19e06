"""All parts of the operator, put together."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import kopf

from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.web import WebServer, metrics, probe
from genpool_operator.adapters.kube import KubeCluster, selector
from genpool_operator.adapters.kube_api import KubeApi
from genpool_operator.adapters.kube_login import load_configuration
from genpool_operator.adapters.metrics import Metrics
from genpool_operator.adapters.rabbit import RabbitBrokers
from genpool_operator.adapters.store import Store
from genpool_operator.adapters.workflow_loader import WorkflowLoader
from genpool_operator.handlers.manager import Manager
from genpool_operator.handlers.resync import Resync
from genpool_operator.handlers.watch import watch_registry, watch_settings
from genpool_operator.reconcile.execute import Executor
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from genpool_operator.settings import OperatorSettings

_PASSWORD_BYTES = 32


def utc_now() -> datetime:
    """The only clock of the operator."""
    return datetime.now(UTC)


def new_password() -> str:
    """A password for a RabbitMQ user."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


@dataclass(frozen=True)
class Operator:
    """What runs."""

    store: Store
    brokers: RabbitBrokers
    manager: Manager
    resync: Resync
    web: WebServer
    registry: kopf.OperatorRegistry
    settings: kopf.OperatorSettings
    namespaces: tuple[str, ...]

    def start(self) -> None:
        """Start all threads; the watches are run by the caller."""
        self.web.start()
        self.resync.start()

    def stop(self) -> None:
        """Stop all threads and close all connections."""
        self.resync.stop()
        self.manager.stop()
        self.brokers.stop()
        self.web.stop()


def build_operator(settings: OperatorSettings) -> Operator:
    """Put the operator together.

    Raises
    ------
    InvalidManifest
        The brokers file is missing or wrong.
    ClusterError
        There is no way to log in to Kubernetes.
    """
    brokers_file = load_brokers(settings.brokers_file)
    cluster = KubeCluster(KubeApi(load_configuration()), settings.namespaces)
    store = Store()
    telemetry = Metrics()
    brokers = RabbitBrokers(utc_now, lambda uid, full: manager.wake_uid(uid, full))  # noqa: PLW0108 - made below
    reconciler = PoolReconciler(
        cluster,
        store,
        brokers,
        WorkflowLoader(settings.builtin_workflows, cluster),
        Executor(cluster, brokers, store, new_password),
        brokers_file,
        (settings.worker_image, settings.worker_image_pull_policy),
        utc_now,
    )
    manager = Manager(store, reconciler, telemetry)

    def list_all() -> None:
        began = time.monotonic()
        store.resync(cluster.list_pools(), cluster.list_deployments(), cluster.list_pods(), began)
        telemetry.keep((record.meta.namespace, record.meta.name) for record in store.records())

    resync = Resync(store, reconciler, list_all, manager.synced, settings.resync_seconds)

    def trouble() -> str | None:
        return manager.trouble() if resync.alive else "thread resync has ended"

    return Operator(
        store=store,
        brokers=brokers,
        manager=manager,
        resync=resync,
        web=WebServer(
            settings.http_port, {"/healthz": probe(trouble), "/metrics": metrics(telemetry.render)}
        ),
        registry=watch_registry(store, lambda key, full: manager.wake(key, full=full)),
        settings=watch_settings(selector()),
        namespaces=settings.namespaces,
    )
