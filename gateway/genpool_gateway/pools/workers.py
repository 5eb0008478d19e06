"""What the workers of all pools do, from their heartbeats: each gateway hears all of them, and keeps the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_core import timing
from genpool_core.messages.events import WorkerHeartbeat, WorkerState

#: Pods of one pool that are kept; a pool has fewer.
_MOST_PODS = 2_000
_REASON_MAX, _MESSAGE_MAX = 64, 1024


@dataclass(frozen=True)
class Worker:
    """A pod of a pool by its newest heartbeat."""

    pod: str
    state: WorkerState
    since: datetime
    """When the state began, by the worker's clock."""
    heard_at: datetime
    """By ours."""
    task: str | None
    """Key of the task that it works on."""
    reason: str | None
    message: str | None

    def is_silent(self, now: datetime) -> bool:
        """Whether its state is not that of now."""
        return now - self.heard_at > timedelta(seconds=timing.HEARTBEAT_EXPIRY_SECONDS)


def worker_of(beat: WorkerHeartbeat, now: datetime) -> Worker:
    """A worker as a heartbeat tells it; what is long is cut."""
    return Worker(
        pod=beat.worker,
        state=beat.state,
        since=beat.since,
        heard_at=now,
        task=beat.task_key,
        reason=(beat.reason or "")[:_REASON_MAX] or None,
        message=(beat.message or "")[:_MESSAGE_MAX] or None,
    )


def is_gone(worker: Worker, now: datetime) -> bool:
    """Whether a pod is not shown any more: it was ending when it fell silent, or has been silent for long."""
    if worker.is_silent(now) and worker.state == "draining":
        return True
    return now - worker.heard_at > timedelta(seconds=timing.HEARTBEAT_FORGET_SECONDS)


class PoolWorkers:
    """Used by many threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._pools: dict[str, dict[str, Worker]] = {}

    def heard(self, beat: WorkerHeartbeat) -> None:
        """A heartbeat came, from one of the pool's own workers; returns at once."""
        worker = worker_of(beat, self._now())
        with self._lock:
            workers = self._pools.setdefault(beat.pool.uid, {})
            if worker.pod in workers or len(workers) < _MOST_PODS:
                workers[worker.pod] = worker

    def of(self, pool_uid: str) -> list[Worker]:
        """The pods of a pool that were heard lately, by name."""
        now = self._now()
        with self._lock:
            known = self._pools.get(pool_uid, {})
            for pod in [pod for pod, worker in known.items() if is_gone(worker, now)]:
                del known[pod]
            return sorted(known.values(), key=lambda worker: worker.pod)

    def forget(self) -> None:
        """Drop what is gone in all pools, also in those that nobody asks for."""
        with self._lock:
            uids = list(self._pools)
        for uid in uids:
            self.of(uid)
        with self._lock:
            self._pools = {uid: workers for uid, workers in self._pools.items() if workers}
