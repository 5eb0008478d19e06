"""All parts of the worker, put together. Connects to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from genpool_adapters.amqp import AmqpParameters
from genpool_adapters.http_server import HttpServer, program_routes
from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.folder import FolderStore
from genpool_adapters.objectstore.port import ObjectStore
from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.workerconfig import FolderConfig, StoreConfig
from genpool_worker.adapters.clock import SystemClock
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.fetch import GuardedFetcher
from genpool_worker.adapters.metrics import WorkerMetrics
from genpool_worker.adapters.rabbitmq import RabbitBroker
from genpool_worker.adapters.restart_mark import RestartMarkFile
from genpool_worker.adapters.told_digest import read_digest
from genpool_worker.cancel import Cancellation
from genpool_worker.comfyui.about import AboutComfyUI
from genpool_worker.comfyui.availability import Availability
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.config import load_config
from genpool_worker.consumer import Inbox, TaskConsumer
from genpool_worker.consumer_thread import ConsumerThread
from genpool_worker.context import WorkerContext
from genpool_worker.drain import Drain
from genpool_worker.files.workdir import clean_leftovers
from genpool_worker.ledger.lease import LeaseRenewal
from genpool_worker.messaging.commands import CommandListener
from genpool_worker.messaging.heartbeat import HeartbeatThread
from genpool_worker.messaging.publish import TaskPublisher
from genpool_worker.pipeline.process import Processor
from genpool_worker.preconditions import Preconditions
from genpool_worker.retry import OutageRetry
from genpool_worker.settings import WorkerSettings
from genpool_worker.status import WorkerStatus


@dataclass(frozen=True)
class Worker:
    """What runs."""

    settings: WorkerSettings
    broker: RabbitBroker
    inbox: Inbox
    consumer: TaskConsumer
    thread: ConsumerThread
    drain: Drain
    status: WorkerStatus
    heartbeat: HeartbeatThread
    commands: CommandListener
    http: HttpServer

    def start(self) -> None:
        """Start all threads; returns at once."""
        clean_leftovers(self.settings.scratch_dir)
        self.http.start()
        self.broker.start(self.inbox.put, self.commands.receive)
        self.heartbeat.start()
        self.thread.start()

    def stop(self) -> None:
        """Close the connections; the broker requeues what was delivered and not acknowledged."""
        self.heartbeat.stop()
        self.broker.stop()
        self.http.stop()


def build_worker(settings: WorkerSettings) -> Worker:
    """Put the worker together. Reads the pool's configuration and takes the port.

    Raises
    ------
    SettingsError, InvalidManifest
        The pool's configuration cannot work, or the port is taken.
    """
    config, catalog = load_config(settings.config_dir)
    clock, metrics = SystemClock(), WorkerMetrics()
    drain = Drain(clock, config.grace_seconds)
    cancellation = Cancellation()
    status = WorkerStatus(clock, metrics)
    broker = RabbitBroker(_amqp(settings), config.queue, config.pool.uid)
    store = _store(config.store, settings)
    comfyui = ComfyUIHttp(settings.comfyui_url, previews=config.previews)
    wedge = Wedge(RestartMarkFile(settings.restart_file), clock)
    availability = Availability(comfyui, catalog, clock, allow_graphs=config.allow_graphs)
    about = AboutComfyUI(
        comfyui, clock, config.comfyui_image, partial(read_digest, settings.image_digest_file)
    )
    heartbeat = HeartbeatThread(
        broker,
        status,
        config.pool,
        settings.pod_name,
        clock,
        wedge.report,
        lambda: availability.unavailable,
    )
    context = WorkerContext(
        worker=settings.pod_name,
        config=config,
        catalog=catalog,
        broker=broker,
        store=store,
        comfyui=comfyui,
        wedge=wedge,
        availability=availability,
        about=about,
        fetcher=GuardedFetcher(config.image_hosts),
        clock=clock,
        drain=drain,
        cancellation=cancellation,
        retry=OutageRetry(drain, clock),
        ledger=Ledger(store, config.store.prefix, clock),
        publisher=TaskPublisher(broker, store, config, settings.pod_name, clock, heartbeat),
        metrics=metrics,
        renewing=LeaseRenewal,
        scratch=settings.scratch_dir,
    )
    inbox = Inbox()
    consumer = TaskConsumer(
        inbox=inbox,
        consumption=broker,
        broker=broker,
        processor=Processor(context),
        preconditions=Preconditions(
            comfyui, wedge, availability, about, store, config.store.prefix, clock, settings.scratch_dir
        ),
        status=status,
        drain=drain,
        metrics=metrics,
        clock=clock,
        pool_uid=config.pool.uid,
    )
    thread = ConsumerThread(consumer, drain)

    def unready() -> str | None:
        return None if status.was_ready else "not ready yet: see the log for what it waits for."

    routes = program_routes(unhealthy=thread.unhealthy, unready=unready, render=metrics.registry.render)
    return Worker(
        settings=settings,
        broker=broker,
        inbox=inbox,
        consumer=consumer,
        thread=thread,
        drain=drain,
        status=status,
        heartbeat=heartbeat,
        commands=CommandListener(cancellation, heartbeat.beat),
        http=HttpServer(settings.http_port, routes, host=settings.http_host),
    )


def _store(config: StoreConfig, settings: WorkerSettings) -> ObjectStore:
    if isinstance(config, FolderConfig):
        return FolderStore(Path(config.path))
    return S3Store(config, settings.s3_credentials_dir)


def _amqp(settings: WorkerSettings) -> AmqpParameters:
    return AmqpParameters(
        host=settings.broker_host,
        port=settings.broker_port,
        vhost=settings.broker_vhost,
        username="",
        password="",
        tls=settings.broker_tls,
        ca_certificates=settings.broker_ca_certificates,
        connection_name=settings.pod_name,
        login=settings.broker_login,
    )
