"""The gateway's figures for Prometheus."""

from __future__ import annotations

import math

from genpool_adapters.metrics import REQUEST_BUCKETS, Registry
from genpool_gateway.adapters.api_metrics import PrometheusApiMetrics

_VHOST = ("broker", "vhost")


class GatewayMetrics:
    """Written by dispatchers, intakes and the API, read by ``/metrics``."""

    def __init__(self) -> None:
        self.registry = registry = Registry()
        self.delivered = registry.counter(
            "genpool_callbacks_delivered_total", "Callbacks that their receiver took", *_VHOST
        )
        self.retried = registry.counter(
            "genpool_callbacks_retried_total", "Attempts after which a callback waits for the next", *_VHOST
        )
        self.stepped_aside = registry.counter(
            "genpool_callbacks_stepped_aside_total",
            "Callbacks put off because their receiver is slow",
            *_VHOST,
        )
        self.dead = registry.counter(
            "genpool_callbacks_dead_total", "Callbacks given up, by reason", *_VHOST, "reason"
        )
        self.seconds = registry.histogram(
            "genpool_callback_seconds",
            "Time of one attempt to deliver a callback",
            *_VHOST,
            "outcome",
            buckets=REQUEST_BUCKETS,
        )
        self.connected = registry.gauge(
            "genpool_broker_connected", "1 while connected to the broker", *_VHOST
        )

        self.intake_messages = registry.counter(
            "genpool_intake_messages_total",
            "Messages of an intake, by what became of them (routed, put_aside, dead), and why",
            *_VHOST,
            "intake",
            "outcome",
            "reason",
        )
        self.intake_tasks = registry.counter(
            "genpool_intake_tasks_total",
            "Tasks that came from an intake to a pool",
            *_VHOST,
            "intake",
            "pool",
        )

        self.events_queue_full = registry.gauge(
            "genpool_events_queue_full",
            "1 while the queue of state events is full, and drops its oldest",
            *_VHOST,
        )
        self.rebuilds_waiting = registry.gauge(
            "genpool_rebuilds_waiting", "Pools that lost events, whose ledgers are still to be read"
        )
        self.rebuilds = registry.counter(
            "genpool_rebuilds_total",
            "Ledgers that were read after a loss of events, or could not be",
            "outcome",
        )

        self.api = PrometheusApiMetrics(registry)
        self._ends_waiting = registry.gauge(
            "genpool_ends_waiting",
            "Tasks whose end is due, as it was asked for or their time is over, and not there; NaN: not known",
        )
        self.ends_waiting(None)

    def ends_waiting(self, tasks: int | None) -> None:
        """Tasks whose end is due; None: not known."""
        self._ends_waiting.set(math.nan if tasks is None else tasks)

    def events_full(self, vhost: tuple[str, str], *, yes: bool) -> None:
        """Whether the events queue of a vhost is full."""
        self.events_queue_full.labels(*vhost).set(1 if yes else 0)

    def to_rebuild(self, pools: int) -> None:
        """Pools whose ledgers are to be read."""
        self.rebuilds_waiting.set(pools)

    def rebuilt(self, outcome: str) -> None:
        """A ledger was ``read``, or that ``failed``."""
        self.rebuilds.labels(outcome).inc()

    def vhost(self, broker: str, vhost: str) -> VhostMetrics:
        """What is counted for one vhost."""
        return VhostMetrics(self, broker, vhost)


class VhostMetrics:
    """Metrics of one vhost."""

    def __init__(self, metrics: GatewayMetrics, broker: str, vhost: str) -> None:
        self._dead = metrics.dead
        self._labels = (broker, vhost)
        self._delivered = metrics.delivered.labels(broker, vhost)
        self._retried = metrics.retried.labels(broker, vhost)
        self._stepped_aside = metrics.stepped_aside.labels(broker, vhost)
        self._took = metrics.seconds.labels(broker, vhost, "delivered")
        self._failed = metrics.seconds.labels(broker, vhost, "failed")
        self._connected = metrics.connected.labels(broker, vhost)

    def delivered(self, seconds: float) -> None:
        """Delivered in so many seconds."""
        self._delivered.inc()
        self._took.observe(seconds)

    def retried(self, seconds: float) -> None:
        """Failed in so many seconds, and waits."""
        self._retried.inc()
        self._failed.observe(seconds)

    def dead(self, reason: str) -> None:
        """Given up."""
        self._dead.labels(*self._labels, reason).inc()

    def stepped_aside(self) -> None:
        """Stepped aside."""
        self._stepped_aside.inc()

    def connected(self, *, yes: bool) -> None:
        """The state of the connection."""
        self._connected.set(1 if yes else 0)


class IntakeMetrics:
    """Metrics of one intake."""

    def __init__(self, metrics: GatewayMetrics, broker: str, vhost: str, intake: str) -> None:
        self._messages = metrics.intake_messages
        self._tasks = metrics.intake_tasks
        self._labels = (broker, vhost, intake)

    def routed(self, pool: str) -> None:
        """A task came to its pool, ``namespace/name``."""
        self._messages.labels(*self._labels, "routed", "").inc()
        self._tasks.labels(*self._labels, pool).inc()

    def put_aside(self, reason: str) -> None:
        """A message waits in a delay step."""
        self._messages.labels(*self._labels, "put_aside", reason).inc()

    def dead(self, reason: str) -> None:
        """A message was refused."""
        self._messages.labels(*self._labels, "dead", reason).inc()
