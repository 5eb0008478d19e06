"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The gateway's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("broker", "vhost")
        self.delivered = self._counter("delivered", "Callbacks that their receiver took", labels)
        self.retried = self._counter("retried", "Attempts after which a callback waits for the next", labels)
        self.stepped_aside = self._counter(
            "stepped_aside", "Callbacks put off because their receiver is slow", labels
        )
        self.dead = self._counter("dead", "Callbacks given up, by reason", (*labels, "reason"))
        self.seconds = Histogram(
            "genpool_callback_seconds",
            "Time of one attempt to deliver a callback",
            (*labels, "outcome"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.connected = Gauge(
            "genpool_broker_connected", "1 while connected to the broker", labels, registry=self.registry
        )

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)

    def meter(self, broker: str, vhost: str) -> VhostMeter:
        """What one vhost's dispatcher counts with."""
        return VhostMeter(self, broker, vhost)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"genpool_callbacks_{name}", text, labels, registry=self.registry)


class VhostMeter:
    """Metrics of one vhost."""

    def __init__(self, metrics: Metrics, broker: str, vhost: str) -> None:
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
