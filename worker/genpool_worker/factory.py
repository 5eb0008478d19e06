"""Builds the worker's parts and joins them. Nothing here connects or waits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from genpool_adapters.amqp import AmqpParameters
from genpool_worker.adapters.clock import SystemClock
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.fetch import GuardedFetcher
from genpool_worker.adapters.metrics import WorkerMetrics
from genpool_worker.adapters.rabbitmq import RabbitBroker
from genpool_worker.adapters.s3 import S3Store
from genpool_worker.config import load_config
from genpool_worker.consumer import Consumer, Inbox
from genpool_worker.context import WorkerContext
from genpool_worker.drain import Drain
from genpool_worker.ledger.lease import LeaseRenewal
from genpool_worker.ledger.ledger import Ledger
from genpool_worker.messaging.heartbeat import HeartbeatThread
from genpool_worker.messaging.publish import TaskPublisher
from genpool_worker.pipeline.process import Processor
from genpool_worker.preconditions import Preconditions
from genpool_worker.retry import OutageRetry
from genpool_worker.settings import WorkerSettings
from genpool_worker.status import WorkerStatus


@dataclass(frozen=True)
class Worker:
    """Everything that ``app`` starts, asks and stops."""

    broker: RabbitBroker
    inbox: Inbox
    consumer: Consumer
    drain: Drain
    status: WorkerStatus
    heartbeat: HeartbeatThread
    metrics: WorkerMetrics
    comfyui_port: int


def build_worker(settings: WorkerSettings) -> Worker:
    """All parts of a worker.

    Raises
    ------
    SettingsError, InvalidManifest
        The pool's configuration cannot work.
    """
    config, catalog = load_config(settings.config_dir)
    clock, metrics = SystemClock(), WorkerMetrics()
    drain = Drain(clock, config.grace_seconds)
    status = WorkerStatus(clock, metrics)
    broker = RabbitBroker(_amqp(settings), config.queue)
    store = S3Store(config.s3)
    comfyui = ComfyUIHttp(settings.comfyui_url)
    heartbeat = HeartbeatThread(broker, status, config.pool, settings.pod_name, clock)
    context = WorkerContext(
        worker=settings.pod_name,
        config=config,
        catalog=catalog,
        broker=broker,
        store=store,
        comfyui=comfyui,
        fetcher=GuardedFetcher(config.image_hosts),
        clock=clock,
        drain=drain,
        retry=OutageRetry(drain),
        ledger=Ledger(store, config.s3.prefix, clock),
        publisher=TaskPublisher(broker, store, config, settings.pod_name, clock, heartbeat.offer),
        metrics=metrics,
        renewing=LeaseRenewal,
        scratch=settings.scratch_dir,
    )
    inbox = Inbox()
    consumer = Consumer(
        inbox=inbox,
        consumption=broker,
        broker=broker,
        processor=Processor(context),
        preconditions=Preconditions(comfyui, store, config.s3.prefix, clock, settings.scratch_dir),
        status=status,
        drain=drain,
        metrics=metrics,
        pool_uid=config.pool.uid,
    )
    port = urlsplit(settings.comfyui_url).port or 80
    return Worker(broker, inbox, consumer, drain, status, heartbeat, metrics, port)


def _amqp(settings: WorkerSettings) -> AmqpParameters:
    return AmqpParameters(
        host=settings.broker_host,
        port=settings.broker_port,
        vhost=settings.broker_vhost,
        username=settings.broker_username,
        password=settings.broker_password.get_secret_value(),
        tls=settings.broker_tls,
        connection_name=settings.pod_name,
    )
