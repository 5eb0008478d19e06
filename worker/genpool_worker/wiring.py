"""Joins the real parts. Nothing here connects or waits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from genpool_adapters.amqp import AmqpSettings
from genpool_worker.adapters.broker import RabbitBroker
from genpool_worker.adapters.clock import SystemClock
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.fetch import GuardedFetcher
from genpool_worker.adapters.s3 import S3Store
from genpool_worker.announce import Announcer
from genpool_worker.config import load_config
from genpool_worker.consumer import Consumer, Inbox
from genpool_worker.drain import Drain
from genpool_worker.gate import Gate
from genpool_worker.handler import Handler
from genpool_worker.lease import LeaseKeeper
from genpool_worker.ledger import Ledger
from genpool_worker.metrics import Metrics
from genpool_worker.parts import Parts
from genpool_worker.patience import Patience
from genpool_worker.sender import Sender
from genpool_worker.settings import WorkerSettings
from genpool_worker.status import Status


@dataclass(frozen=True)
class Worker:
    """Everything that ``app`` starts, asks and stops."""

    broker: RabbitBroker
    inbox: Inbox
    consumer: Consumer
    drain: Drain
    status: Status
    sender: Sender
    metrics: Metrics
    comfyui_port: int


def build(settings: WorkerSettings) -> Worker:
    """All parts of a worker.

    Raises
    ------
    SettingsError, InvalidManifest
        The pool's configuration cannot work.
    """
    config, catalog = load_config(settings.config_dir)
    clock, numbers = SystemClock(), Metrics()
    drain = Drain(clock, config.grace_seconds)
    status = Status(clock, numbers)
    broker = RabbitBroker(_amqp(settings), config.queue)
    store = S3Store(config.s3)
    comfyui = ComfyUIHttp(settings.comfyui_url)
    sender = Sender(broker, status, config.pool, settings.pod_name, clock)
    parts = Parts(
        worker=settings.pod_name,
        config=config,
        catalog=catalog,
        broker=broker,
        store=store,
        comfyui=comfyui,
        fetcher=GuardedFetcher(config.image_hosts),
        clock=clock,
        drain=drain,
        patience=Patience(drain),
        ledger=Ledger(store, config.s3.prefix, clock),
        announcer=Announcer(broker, store, config, settings.pod_name, clock, sender.offer),
        metrics=numbers,
        keeping=LeaseKeeper,
        scratch=settings.scratch_dir,
    )
    inbox = Inbox()
    consumer = Consumer(
        inbox=inbox,
        intake=broker,
        broker=broker,
        handler=Handler(parts),
        gate=Gate(comfyui, store, config.s3.prefix, clock, settings.scratch_dir),
        status=status,
        drain=drain,
        metrics=numbers,
    )
    port = urlsplit(settings.comfyui_url).port or 80
    return Worker(broker, inbox, consumer, drain, status, sender, numbers, port)


def _amqp(settings: WorkerSettings) -> AmqpSettings:
    return AmqpSettings(
        host=settings.broker_host,
        port=settings.broker_port,
        vhost=settings.broker_vhost,
        username=settings.broker_username,
        password=settings.broker_password.get_secret_value(),
        tls=settings.broker_tls,
        connection_name=settings.pod_name,
    )
