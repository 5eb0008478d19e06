"""The operator's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import Gauge

from genpool_adapters.metrics import RECONCILE_BUCKETS, Registry
from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import GenerationPoolStatus

_POOL = ("namespace", "pool")
#: A pool's figures: name, text, and where the status has it.
_FIGURES: tuple[tuple[str, str, Callable[[GenerationPoolStatus], int | None]], ...] = (
    ("genpool_pool_desired_replicas", "Pods that the scaler wants", lambda status: status.scaling.desired),
    ("genpool_pool_current_replicas", "Pods that exist", lambda status: status.replicas),
    ("genpool_pool_ready_replicas", "Pods that can take tasks", lambda status: status.ready_replicas),
    ("genpool_pool_busy_replicas", "Pods that work on a task", lambda status: status.busy_replicas),
    (
        "genpool_pool_waiting_tasks",
        "Tasks in the queue that no worker holds",
        lambda status: status.queue.waiting,
    ),
    ("genpool_pool_running_tasks", "Tasks that a worker holds", lambda status: status.queue.running),
    (
        "genpool_pool_dead_lettered_tasks",
        "Messages in the dead-letter queue",
        lambda status: status.queue.dead_lettered,
    ),
)
#: What the pool's spec asks for, so that rules can compare the figures with it.
_WISHES: tuple[tuple[str, str, Callable[[GenerationPoolSpec], int | None]], ...] = (
    ("genpool_pool_min_replicas", "scaling.minReplicas", lambda spec: spec.scaling.min_replicas),
    ("genpool_pool_max_replicas", "scaling.maxReplicas", lambda spec: spec.scaling.max_replicas),
    ("genpool_pool_sla_seconds", "slaSeconds; absent where the pool has none", lambda spec: spec.sla_seconds),
)


class OperatorMetrics:
    """Written by the manager, read by ``/metrics``. A figure that is unknown is absent, not 0."""

    def __init__(self) -> None:
        self.registry = registry = Registry()
        self._seconds = registry.histogram(
            "genpool_reconcile_seconds", "Time of one reconcile of a pool", "whole", buckets=RECONCILE_BUCKETS
        )
        self._errors = registry.counter("genpool_reconcile_errors_total", "Reconciles that failed", "reason")
        self._figures = [(registry.gauge(name, text, *_POOL), read) for name, text, read in _FIGURES]
        self._wishes = [(registry.gauge(name, text, *_POOL), read) for name, text, read in _WISHES]
        self._reasons = registry.gauge(
            "genpool_pool_scaling_reason", "1 for the reason of the scaler's last decision", *_POOL, "reason"
        )
        self._conditions = registry.gauge(
            "genpool_pool_condition",
            "1 when the condition is True, 0 when it is False, absent when unknown",
            *_POOL,
            "condition",
        )
        #: The reason that is shown of each pool.
        self._known: dict[tuple[str, str], str | None] = {}

    def took(self, seconds: float, *, full: bool) -> None:
        """A reconcile took so long."""
        self._seconds.labels(str(full).lower()).observe(seconds)

    def failed(self, reason: str) -> None:
        """A reconcile failed; ``reason`` is a constant."""
        self._errors.labels(reason).inc()

    def show(
        self, namespace: str, pool: str, spec: GenerationPoolSpec | None, status: GenerationPoolStatus
    ) -> None:
        """Publish a pool's figures."""
        key = (namespace, pool)
        for figure, read in self._figures:
            _set(figure, key, read(status))
        for wish, ask in self._wishes:
            _set(wish, key, None if spec is None else ask(spec))
        self._show_reason(key, status.scaling.reason)
        for condition in status.conditions:
            value = {"True": 1, "False": 0}.get(condition.status)
            _set(self._conditions, (namespace, pool, condition.type), value)

    def keep(self, pools: Iterable[tuple[str, str]]) -> None:
        """Drop the figures of pools that are not among these."""
        for gone in set(self._known) - set(pools):
            del self._known[gone]
            labels = dict(zip(_POOL, gone, strict=True))
            figures = (gauge for gauge, _ in (*self._figures, *self._wishes))
            for gauge in (*figures, self._reasons, self._conditions):
                gauge.remove_by_labels(labels)

    def _show_reason(self, key: tuple[str, str], reason: str | None) -> None:
        before = self._known.get(key)
        self._known[key] = reason
        if before is not None and before != reason:
            self._reasons.remove(*key, before)
        if reason is not None:
            self._reasons.labels(*key, reason).set(1)


def _set(gauge: Gauge, labels: tuple[str, ...], value: int | None) -> None:
    if value is None:
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)
