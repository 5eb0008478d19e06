"""What the worker does now, for heartbeats, metrics and probes. Used by several threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from genpool_core.messages.events import WorkerState
from genpool_worker.ports import Clock, Metrics


@dataclass(frozen=True)
class Waits:
    """What a worker waits for: a constant in CamelCase, and a sentence that names no secret."""

    reason: str
    message: str


@dataclass(frozen=True)
class StatusSnapshot:
    """State, the task in hand, since when, and what a worker that takes no task waits for."""

    state: WorkerState
    task_key: str | None
    since: datetime
    waits: Waits | None = None


class WorkerStatus:
    """The current state; ``changed`` is set at each change, for the thread that publishes heartbeats."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._snapshot = StatusSnapshot("starting", None, clock.now())
        self._was_ready = False
        self.changed = threading.Event()
        metrics.state("starting")

    @property
    def snapshot(self) -> StatusSnapshot:
        """Now."""
        with self._lock:
            return self._snapshot

    @property
    def was_ready(self) -> bool:
        """True from the first time that the worker could take a task: a pod that is not ready is killed first."""
        return self._was_ready

    def set(self, state: WorkerState, task_key: str | None = None) -> None:
        """Change it. A drain is final: only the task in hand changes from then on."""
        with self._lock:
            before = self._snapshot
            if before.state == "draining":
                state = "draining"
            if (before.state, before.task_key) == (state, task_key):
                return
            since = self._clock.now() if before.state != state or task_key else before.since
            self._snapshot = StatusSnapshot(state, task_key, since)
            self._was_ready = self._was_ready or state in {"idle", "busy"}
        self._metrics.state(state)
        self.changed.set()

    def wait_for(self, waits: Waits) -> None:
        """It takes no task now. ``starting`` until it could take one for the first time, ``unready`` from then on."""
        with self._lock:
            before = self._snapshot
            if before.state == "draining" or (before.waits == waits and before.state != "busy"):
                return
            state: WorkerState = "starting" if before.state == "starting" else "unready"
            since = before.since if before.state == state else self._clock.now()
            self._snapshot = StatusSnapshot(state, None, since, waits)
        self._metrics.state(state)
        self.changed.set()

    def drain(self) -> None:
        """The drain has begun; the task in hand stays."""
        self.set("draining", self.snapshot.task_key)
