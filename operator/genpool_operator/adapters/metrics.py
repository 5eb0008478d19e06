"""The operator's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from genpool_core.api.status import GenerationPoolStatus

_POOL = ("namespace", "pool")
_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)


class Metrics:
    """Written by the manager, read by ``/metrics``. A figure that is unknown is absent, not 0."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "genpool_reconcile_seconds",
            "Time of one reconcile of a pool",
            ("whole",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._errors = Counter(
            "genpool_reconcile_errors", "Reconciles that failed", ("reason",), registry=self._registry
        )
        self._gauges = {
            name: Gauge(f"genpool_pool_{name}", text, _POOL, registry=self._registry)
            for name, text in (
                ("desired_replicas", "Pods that the scaler wants"),
                ("current_replicas", "Pods that exist"),
                ("ready_replicas", "Pods that can take tasks"),
                ("busy_replicas", "Pods that work on a task"),
                ("waiting_tasks", "Tasks in the queue that no worker holds"),
                ("running_tasks", "Tasks that a worker holds"),
                ("dead_lettered_tasks", "Messages in the dead-letter queue"),
            )
        }
        self._conditions = Gauge(
            "genpool_pool_condition",
            "1 when the condition is True, 0 when it is False, absent when unknown",
            (*_POOL, "condition"),
            registry=self._registry,
        )
        self._known: set[tuple[str, str]] = set()

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)

    def took(self, seconds: float, *, full: bool) -> None:
        """A reconcile took so long."""
        self._seconds.labels(str(full).lower()).observe(seconds)

    def failed(self, reason: str) -> None:
        """A reconcile failed; ``reason`` is a constant."""
        self._errors.labels(reason).inc()

    def show(self, namespace: str, pool: str, status: GenerationPoolStatus) -> None:
        """Publish a pool's figures."""
        self._known.add((namespace, pool))
        queue = status.queue
        figures = {
            "desired_replicas": status.scaling.desired,
            "current_replicas": status.replicas,
            "ready_replicas": status.ready_replicas,
            "busy_replicas": status.busy_replicas,
            "waiting_tasks": queue.waiting,
            "running_tasks": queue.running,
            "dead_lettered_tasks": queue.dead_lettered,
        }
        for name, value in figures.items():
            _set(self._gauges[name], (namespace, pool), value)
        for condition in status.conditions:
            value = {"True": 1, "False": 0}.get(condition.status)
            _set(self._conditions, (namespace, pool, condition.type), value)

    def keep(self, pools: Iterable[tuple[str, str]]) -> None:
        """Drop the figures of pools that are not among these."""
        for gone in self._known - set(pools):
            self._known.discard(gone)
            labels = dict(zip(_POOL, gone, strict=True))
            for gauge in (*self._gauges.values(), self._conditions):
                gauge.remove_by_labels(labels)


def _set(gauge: Gauge, labels: tuple[str, ...], value: int | None) -> None:
    if value is None:
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)
