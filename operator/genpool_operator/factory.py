"""Builds the operator's parts and joins them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from functools import partial

import kopf

from genpool_adapters.brokerfile import load_brokers
from genpool_adapters.http_server import HttpServer, program_routes
from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_core import names
from genpool_core.operatorkeys import KEY_BYTES
from genpool_operator.adapters.clock import SteadyClock
from genpool_operator.adapters.key_secret import KubeKeySecret
from genpool_operator.adapters.kube import KubeCluster
from genpool_operator.adapters.metrics import OperatorMetrics
from genpool_operator.adapters.rabbit import RabbitBrokers
from genpool_operator.adapters.store import Store
from genpool_operator.adapters.workflow_loader import WorkflowLoader
from genpool_operator.handlers.access import Access
from genpool_operator.handlers.manager import Manager
from genpool_operator.handlers.periodic import PeriodicThread
from genpool_operator.handlers.resync import Resync
from genpool_operator.handlers.user_cleanup import UserCleanup
from genpool_operator.handlers.watch import watch_registry, watch_settings
from genpool_operator.handlers.workqueue import WorkQueue
from genpool_operator.reconcile.broker_access import BrokerAccess
from genpool_operator.reconcile.execute import Executor
from genpool_operator.reconcile.operator_keys import OperatorKeys
from genpool_operator.reconcile.pool_reconciler import PoolReconciler
from genpool_operator.settings import OperatorSettings


@dataclass(frozen=True)
class Operator:
    """What runs."""

    store: Store
    brokers: RabbitBrokers
    manager: Manager
    resync: PeriodicThread
    user_cleanup: PeriodicThread
    access: PeriodicThread
    http: HttpServer
    registry: kopf.OperatorRegistry
    kopf_settings: kopf.OperatorSettings
    namespaces: tuple[str, ...]

    def start(self) -> None:
        """Start all threads; the watches are run by the caller."""
        self.http.start()
        self.access.start()
        self.resync.start()
        self.user_cleanup.start()

    def stop(self) -> None:
        """Stop all threads and close all connections."""
        self.user_cleanup.stop()
        self.access.stop()
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
    api = KubeApi(load_configuration(), "genpool-operator")
    cluster = KubeCluster(api, settings.namespaces)
    store = Store()
    metrics = OperatorMetrics()
    requests = WorkQueue()
    clock = SteadyClock()
    brokers = RabbitBrokers(clock.now, requests.request)
    key_secret = KubeKeySecret(api, settings.release_namespace, settings.operator_key)
    keys = OperatorKeys(key_secret, partial(secrets.token_bytes, KEY_BYTES))
    gateway = (settings.release_namespace, settings.gateway_secret) if settings.gateway_secret else None
    broker_access = BrokerAccess(
        cluster, brokers, brokers_file, gateway, lambda: store.pools() if manager.started else None
    )
    access = Access(keys, broker_access, clock.now, lambda: manager.request_all()).thread  # noqa: PLW0108 - made below

    reconciler = PoolReconciler(
        cluster,
        store,
        brokers,
        WorkflowLoader(settings.builtin_workflows, cluster),
        # The gateway needs rights to a queue that is new before its messages count.
        Executor(cluster, brokers, store, access.hurry),
        brokers_file,
        (settings.worker_image, settings.worker_image_pull_policy),
        clock.now,
        keys.current,
        allowed_volumes=settings.allowed_volumes,
        gateway=bool(settings.gateway_secret),
    )
    manager = Manager(store, reconciler, metrics, requests)

    def list_all() -> None:
        if keys.current() is None:
            # Before the first pass of a pool, which would tell that there is no key.
            keys.refresh()
        began = time.monotonic()
        store.resync(cluster.list_pools(), cluster.list_deployments(), cluster.list_pods(), began)
        metrics.keep((record.meta.namespace, record.meta.name) for record in store.records())

    resync = Resync(list_all, manager.synced, settings.resync_seconds).thread
    user_cleanup = UserCleanup(store, reconciler).thread

    def unhealthy() -> str | None:
        return access.unhealthy() or resync.unhealthy() or user_cleanup.unhealthy() or manager.unhealthy()

    def unready() -> str | None:
        if manager.started:
            return unhealthy() or keys.trouble()
        return unhealthy() or "pools are not listed yet: see the log for why."

    routes = program_routes(unhealthy=unhealthy, unready=unready, render=metrics.registry.render)
    return Operator(
        store=store,
        brokers=brokers,
        manager=manager,
        resync=resync,
        user_cleanup=user_cleanup,
        access=access,
        http=HttpServer(settings.http_port, routes, host=settings.http_host),
        registry=watch_registry(store, requests.request),
        kopf_settings=watch_settings(names.objects_selector()),
        namespaces=settings.namespaces,
    )
