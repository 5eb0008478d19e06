"""The intakes, put together: a consumer for each that a pool names, on the vhosts that this gateway has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from genpool_core.brokers import BrokerConfig
from genpool_gateway.adapters.intake_queue import RabbitIntakeQueue
from genpool_gateway.adapters.metrics import GatewayMetrics, IntakeMetrics
from genpool_gateway.factory.callbacks import Place
from genpool_gateway.intake.behind import Behind, IntakeName
from genpool_gateway.intake.consumer import IntakeConsumer
from genpool_gateway.intake.supervisor import Intakes
from genpool_gateway.pools.source import PoolSource


def build_intakes(
    brokers: Sequence[BrokerConfig],
    place: Place,
    pools: PoolSource,
    metrics: GatewayMetrics,
    now: Callable[[], datetime],
) -> Intakes:
    """Put them together. Connects to nothing."""
    vhosts = {(broker.name, vhost): broker for broker in brokers for vhost in broker.vhosts}

    def open_(name: IntakeName, behind: Behind) -> IntakeConsumer | None:
        broker, vhost, queue = name
        config = vhosts.get((broker, vhost))
        if config is None:
            return None
        counted = IntakeMetrics(metrics, broker, vhost, queue)
        return IntakeConsumer(RabbitIntakeQueue(place(config, vhost), queue), behind, counted, now=now)

    return Intakes(pools, open_)
