"""The worker's figures for Prometheus."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import get_args

from genpool_adapters.metrics import TASK_BUCKETS, WAIT_BUCKETS, Registry
from genpool_core.messages.events import WorkerState


class WorkerMetrics:
    """Written by the thread that works on tasks, read by ``/metrics``."""

    def __init__(self) -> None:
        self.registry = registry = Registry()
        self._tasks = registry.counter(
            "genpool_worker_tasks_total", "Tasks that ended here.", "outcome", "reason"
        )
        # There from the start: what begins at 1 is no increase to Prometheus, and a pod's first task would not count.
        self._tasks.labels("succeeded", "Succeeded")
        self._attempts = registry.counter(
            "genpool_worker_attempts_total",
            "Attempts that ended here: succeeded, retried, dead, released or stale.",
            "result",
            "reason",
        )
        self._messages = registry.counter(
            "genpool_worker_messages_total",
            "Messages that led to no attempt: rejected, stamped, parked, announced_again, handed_back.",
            "what",
        )
        self._phases = registry.histogram(
            "genpool_worker_phase_seconds",
            "Time that attempts spend: fetch, upload, run, store, finish.",
            "phase",
            buckets=TASK_BUCKETS,
        )
        self._wait = registry.histogram(
            "genpool_worker_wait_seconds",
            "Time from the queue to the first attempt, of tasks that ended here and whose begin is known.",
            buckets=WAIT_BUCKETS,
        )
        self._state = registry.gauge(
            "genpool_worker_state", "1 for the state that the worker is in.", "state"
        )
        self._bytes = registry.counter(
            "genpool_worker_bytes_total", "Bytes of inputs fetched and results stored.", "what"
        )

    def task(self, outcome: str, reason: str) -> None:
        """A task ended."""
        self._tasks.labels(outcome, reason).inc()

    def waited(self, seconds: float) -> None:
        """A task that ended had waited so long for its first attempt."""
        self._wait.observe(seconds)

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
        for item in get_args(WorkerState):
            self._state.labels(item).set(item == state)

    def phase(self, phase: str) -> AbstractContextManager[object]:
        """Measure a part of an attempt, also one that fails."""
        return self._phases.labels(phase).time()
