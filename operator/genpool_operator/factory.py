"""Builds the operator's parts and joins them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import kopf

from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.http_server import HttpServer, program_routes
from genpool_operator.adapters.clock import SteadyClock
from genpool_operator.adapters.kube import KubeCluster, selector
from genpool_operator.adapters.kube_api import KubeApi
from genpool_operator.adapters.kube_login import load_configuration
from genpool_operator.adapters.metrics import OperatorMetrics
from genpool_operator.adapters.rabbit import RabbitBrokers
from genpool_operator.adapters.store import Store
from genpool_operator.adapters.workflow_loader import WorkflowLoader
from genpool_operator.handlers.manager import Manager
from genpool_operator.handlers.periodic import PeriodicThread
from genpool_operator.handlers.resync import Resync
from genpool_operator.handlers.user_cleanup import UserCleanup
from genpool_operator.handlers.watch import watch_registry, watch_settings
from genpool_operator.handlers.workqueue import WorkQueue
from genpool_operator.reconcile.execute import Executor
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from genpool_operator.settings import OperatorSettings

_PASSWORD_BYTES = 32


def new_password() -> str:
    """A password for a RabbitMQ user."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


@dataclass(frozen=True)
class Operator:
    """What runs."""

    store: Store
    brokers: RabbitBrokers
    manager: Manager
    resync: PeriodicThread
    user_cleanup: PeriodicThread
    http: HttpServer
    registry: kopf.OperatorRegistry
    kopf_settings: kopf.OperatorSettings
    namespaces: tuple[str, ...]

    def start(self) -> None:
        """Start all threads; the watches are run by the caller."""
        self.http.start()
        self.resync.start()
        self.user_cleanup.start()

    def stop(self) -> None:
        """Stop all threads and close all connections."""
        self.user_cleanup.stop()
        self.resync.stop()
        self.manager.stop()
        self.brokers.stop()
        self.http.stop()


def build_operator(settings: OperatorSettings) -> Operator:
    """All parts of an operator. Reads the brokers file, logs in to Kubernetes, takes the port.

    Raises
    ------
    SettingsError
        The brokers file is missing or wrong, or the port is taken.
    ClusterError
        There is no way to log in to Kubernetes.
    """
    brokers_file = load_brokers(settings.brokers_file)
    cluster = KubeCluster(KubeApi(load_configuration()), settings.namespaces)
    store = Store()
    metrics = OperatorMetrics()
    requests = WorkQueue()
    clock = SteadyClock()
    brokers = RabbitBrokers(clock.now, requests.request)
    reconciler = PoolReconciler(
        cluster,
        store,
        brokers,
        WorkflowLoader(settings.builtin_workflows, cluster),
        Executor(cluster, brokers, store, new_password),
        brokers_file,
        (settings.worker_image, settings.worker_image_pull_policy),
        clock.now,
        allowed_volumes=settings.allowed_volumes,
    )
    manager = Manager(store, reconciler, metrics, requests)

    def list_all() -> None:
        began = time.monotonic()
        store.resync(cluster.list_pools(), cluster.list_deployments(), cluster.list_pods(), began)
        metrics.keep((record.meta.namespace, record.meta.name) for record in store.records())

    resync = Resync(list_all, manager.synced, settings.resync_seconds).thread
    user_cleanup = UserCleanup(store, reconciler).thread

    def unhealthy() -> str | None:
        return resync.unhealthy() or user_cleanup.unhealthy() or manager.unhealthy()

    def unready() -> str | None:
        return unhealthy() or (None if manager.started else "pools are not listed yet: see the log for why.")

    routes = program_routes(unhealthy=unhealthy, unready=unready, render=metrics.registry.render)
    return Operator(
        store=store,
        brokers=brokers,
        manager=manager,
        resync=resync,
        user_cleanup=user_cleanup,
        http=HttpServer(settings.http_port, routes),
        registry=watch_registry(store, requests.request),
        kopf_settings=watch_settings(selector()),
        namespaces=settings.namespaces,
    )
