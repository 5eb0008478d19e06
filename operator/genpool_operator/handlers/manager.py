"""The manager: threads that reconcile pools after an event, every second, and in full at each resync.

kopf's timers, daemons and change handlers would put a finalizer on every pool; pools could then not be deleted any
more once the operator is gone.
"""

from __future__ import annotations

import threading
import time

import structlog

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.record import PoolRecord
from genpool_core.backoff import Backoff
from genpool_core.errors import GenPoolError
from genpool_operator.handlers.workqueue import Request, WorkQueue
from genpool_operator.ports import Metrics, PoolKey, PoolRecords
from genpool_operator.reconcile.pool_reconciler import PoolReconciler

_log = structlog.get_logger(__name__)
#: Threads for each of the two kinds of pass.
WORKERS = 4
BACKOFF = Backoff(timing.RECONCILE_RETRY_SECONDS, timing.RECONCILE_RETRY_MOST_SECONDS, spread=0.0)


class Manager:
    """Worker threads around a queue, and a ticker."""

    def __init__(
        self, records: PoolRecords, reconciler: PoolReconciler, metrics: Metrics, requests: WorkQueue
    ) -> None:
        self._records = records
        self._reconciler = reconciler
        self._metrics = metrics
        self._requests = requests
        self._stopped = threading.Event()
        self._failures: dict[PoolKey, int] = {}
        self._last_done = {True: time.monotonic(), False: time.monotonic()}
        self._in_hand = {True: 0, False: 0}
        self._count_lock = threading.Lock()
        self._started = False
        self._threads = [threading.Thread(target=self._tick, name="ticker", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, args=(full,), name=f"{kind} passes {number}", daemon=True)
            for full, kind in ((True, "full"), (False, "quick"))
            for number in range(WORKERS)
        ]

    def synced(self) -> None:
        """Everything was listed: start the threads, the first time, and request a full pass for every pool."""
        if not self._started:
            self._started = True
            self._last_done = dict.fromkeys(self._last_done, time.monotonic())
            for thread in self._threads:
                thread.start()
        self.request_all()

    def request_all(self) -> None:
        """Request a full pass for every pool but those that failed, which wait for their own retry."""
        for key in self._pools():
            if key not in self._failures:
                self._requests.add(Request(key, full=True))

    @property
    def started(self) -> bool:
        """Whether pools are looked at: from the first listing of everything on."""
        return self._started

    def stop(self) -> None:
        """Let the passes in hand end, then stop."""
        self._stopped.set()
        self._requests.close()
        for thread in self._threads if self._started else ():
            thread.join(timing.RECONCILE_STOP_SECONDS)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        if not self._started:
            return None
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead:
            return f"thread {dead[0]} has ended"
        now = time.monotonic()
        silent = {full: now - done for full, done in self._last_done.items()}
        if self._records.records() and min(silent.values()) > timing.STUCK_SECONDS:
            return f"no pool was reconciled for {min(silent.values()):.0f} s"
        for full, seconds in silent.items():
            if self._in_hand[full] == WORKERS and seconds > timing.STUCK_SECONDS:
                kind = "full" if full else "quick"
                return f"all {WORKERS} threads for {kind} passes have been held up for {seconds:.0f} s"
        return None

    def _tick(self) -> None:
        while not self._stopped.wait(timing.TICK_SECONDS):
            for key in self._pools():
                self._requests.add(Request(key, full=False))

    def _pools(self) -> list[PoolKey]:
        return [(record.meta.namespace, record.meta.name) for record in self._records.records()]

    def _work(self, full: bool) -> None:  # noqa: FBT001 - a thread's argument
        while (request := self._requests.get(full=full)) is not None:
            self._count(full, 1)
            try:
                self._handle(request)
            finally:
                self._requests.done(request.key)
                self._last_done[full] = time.monotonic()
                self._count(full, -1)

    def _count(self, full: bool, change: int) -> None:  # noqa: FBT001 - a key
        with self._count_lock:
            self._in_hand[full] += change

    def _handle(self, request: Request) -> None:
        record = self._records.record(request.key)
        if record is None:
            self._failures.pop(request.key, None)
            return
        began = time.monotonic()
        try:
            self._reconcile(record, request)
        except GenPoolError as error:
            self._failed(request, error.reason)
            _log.warning(
                "reconcile_failed", pool="/".join(request.key), reason=error.reason, message=error.message
            )
        except Exception:  # noqa: BLE001 - a bug with one pool must not stop the others
            self._failed(request, "Bug")
            _log.exception("reconcile_crashed", pool="/".join(request.key))
        else:
            if request.full:
                self._failures.pop(request.key, None)
        self._metrics.took(time.monotonic() - began, full=request.full)

    def _reconcile(self, record: PoolRecord, request: Request) -> None:
        pool: GenerationPool | None = record.pool
        if pool is None:
            refused = self._reconciler.refuse(record)
            if refused is not None:
                # The figures of before are nobody's any more, and that it is not Ready is for alerts too.
                self._metrics.show(*request.key, None, refused)
            return
        if not request.full and not self._reconciler.is_known(pool):
            # Its first pass is a full one, which was asked for when the pool was seen.
            return
        plan = self._reconciler.reconcile(pool, full=request.full)
        self._metrics.show(*request.key, pool.spec, plan.status)
        # A pool that failed has its own retry.
        if plan.requeue_after is not None and (request.full or request.key not in self._failures):
            self._requests.add(Request(request.key, full=True), delay=plan.requeue_after)

    def _failed(self, request: Request, reason: str) -> None:
        """Request a full pass after a growing wait; quick passes go on, so that scaling does."""
        self._metrics.failed(reason)
        failures = self._failures[request.key] = self._failures.get(request.key, 0) + 1
        self._requests.postpone(Request(request.key, full=True), BACKOFF.seconds(failures))
