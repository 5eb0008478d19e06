"""The API's figures for Prometheus."""

from __future__ import annotations

from contextlib import AbstractContextManager

from genpool_adapters.metrics import REQUEST_BUCKETS, Registry
from genpool_core.reasons import REASONS

#: The API answers most requests in milliseconds.
_BUCKETS = (0.005, 0.01, 0.025, *REQUEST_BUCKETS)


class PrometheusApiMetrics:
    """See the port :class:`genpool_gateway.api.metrics.ApiMetrics`.

    Its labels have no value of a caller's own making: routes, methods and statuses that the API knows, reasons of
    :mod:`genpool_core.reasons`, pools that exist.
    """

    def __init__(self, registry: Registry) -> None:
        self._requests = registry.counter(
            "genpool_api_requests_total", "Requests that were answered", "method", "route", "status"
        )
        self._seconds = registry.histogram(
            "genpool_api_request_seconds",
            "Time until an answer began; without requests that wait for the end of a task",
            "method",
            "route",
            buckets=_BUCKETS,
        )
        self._accepted = registry.counter(
            "genpool_api_tasks_accepted_total", "New tasks that came to the queue of their pool", "pool"
        )
        self._refused = registry.counter(
            "genpool_api_tasks_refused_total",
            "Tasks that were not accepted, by reason; of NotConfirmed ones it is not known yet",
            "reason",
        )
        self._watchers = registry.gauge("genpool_api_watchers", "Streams of events that are open")

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """As the port says."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def accepted(self, pool: str) -> None:
        """As the port says."""
        self._accepted.labels(pool).inc()

    def refused(self, reason: str) -> None:
        """As the port says. A reason that nobody knows is a fault of ours, as in the answer's ``code``."""
        self._refused.labels(reason if reason in REASONS else "InternalError").inc()

    def streaming(self) -> AbstractContextManager[object]:
        """As the port says."""
        return self._watchers.track_inprogress()
