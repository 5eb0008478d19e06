"""What Prometheus is told. Names and labels are here and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
STATES = ("starting", "idle", "busy", "draining", "unready")


class Metrics:
    """One registry for one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._tasks = Counter(
            "genpool_worker_tasks", "Tasks that ended here.", ("outcome", "reason"), registry=self.registry
        )
        self._attempts = Counter(
            "genpool_worker_attempts",
            "Attempts that ended here: succeeded, retried, dead, released or stale.",
            ("result", "reason"),
            registry=self.registry,
        )
        self._messages = Counter(
            "genpool_worker_messages",
            "Messages that led to no attempt: rejected, stamped, parked, announced_again, handed_back.",
            ("what",),
            registry=self.registry,
        )
        self._phases = Histogram(
            "genpool_worker_phase_seconds",
            "Time that attempts spend: fetch, upload, run, store, finish.",
            ("phase",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._state = Gauge(
            "genpool_worker_state",
            "1 for the state that the worker is in.",
            ("state",),
            registry=self.registry,
        )
        self._bytes = Counter(
            "genpool_worker_bytes",
            "Bytes of inputs fetched and results stored.",
            ("what",),
            registry=self.registry,
        )

    def task(self, outcome: str, reason: str) -> None:
        """A task ended."""
        self._tasks.labels(outcome, reason).inc()

    def attempt(self, result: str, reason: str) -> None:
        """An attempt ended."""
        self._attempts.labels(result, reason).inc()

    def message(self, what: str) -> None:
        """A message was dealt with without an attempt."""
        self._messages.labels(what).inc()

    def moved(self, what: str, count: int) -> None:
        """Bytes of ``input`` or ``output``."""
        self._bytes.labels(what).inc(count)

    def state(self, state: str) -> None:
        """The worker's state changed."""
        for item in STATES:
            self._state.labels(item).set(item == state)

    @contextmanager
    def phase(self, phase: str) -> Iterator[None]:
        """Measure a part of an attempt, also one that fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._phases.labels(phase).observe(time.monotonic() - started)

    def text(self) -> bytes:
        """For /metrics."""
        return generate_latest(self.registry)
