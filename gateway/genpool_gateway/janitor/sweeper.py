"""Finds tasks that are to end, and has each ended by its pool's threads. Level-triggered: it asks the task store.

So a restart loses nothing, it does not matter which gateway a cancel was sent to, and two that end the same task make
one end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import GenPoolError, TaskStoreError, UnreadableLedger
from genpool_gateway.janitor.ends import Ends
from genpool_gateway.janitor.lanes import Lanes
from genpool_gateway.tasks.ports import UnendedStore
from genpool_gateway.tasks.record import TaskRecord

_log = structlog.get_logger(__name__)
#: Tasks of one look.
MOST = 1000
_RETRY = Backoff(timing.END_RETRY_SECONDS, timing.END_RETRY_MOST_SECONDS, spread=0.0)


@dataclass
class Agenda:
    """Which tasks and pools are left alone, and until when, in monotonic seconds. Used by many threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: set[str] = field(default_factory=set)
    """Tasks under way."""
    tasks: dict[str, float] = field(default_factory=dict)
    pools: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    """In a row, by pool."""

    def resting(self, now: float) -> set[str]:
        """Pools that are left alone now; forgets tasks whose time has come."""
        with self.lock:
            self.tasks = {task: until for task, until in self.tasks.items() if until > now}
            return {pool for pool, until in self.pools.items() if until > now}

    def begin(self, task: str) -> bool:
        """Whether a task is to be looked at now; it is under way then."""
        with self.lock:
            if task in self.busy or task in self.tasks:
                return False
            self.busy.add(task)
            return True

    def postponed(self, task: str, pool: str, now: float) -> bool:
        """Whether the pool has come to rest since a task was to be looked at; it is under way no more then."""
        with self.lock:
            resting = self.pools.get(pool, 0.0) > now
            if resting:
                self.busy.discard(task)
            return resting

    def done(self, task: str, pool: str, again: float) -> None:
        """A look went well; the next one is not before ``again``."""
        with self.lock:
            self.busy.discard(task)
            self.tasks[task] = again
            self.pools.pop(pool, None)
            self.failures.pop(pool, None)

    def failed(self, task: str, pool: str, now: float, *, whole_pool: bool) -> int:
        """A look failed; how often in a row, for the pool. What fails beside others while it rests counts no more."""
        with self.lock:
            self.busy.discard(task)
            count = self.failures.get(pool, 0) + int(self.pools.get(pool, 0.0) <= now)
            self.failures[pool] = count
            self.tasks[task] = now + _RETRY.seconds(count)
            if whole_pool:
                self.pools[pool] = self.tasks[task]
            return count


class Sweeper:
    """A thread that looks, and the pools' threads that act."""

    def __init__(
        self,
        store: UnendedStore,
        ends: Ends,
        lanes: Lanes,
        *,
        now: Callable[[], datetime],
        ended: Callable[[], None],
    ) -> None:
        self._store = store
        self._ends = ends
        self._lanes = lanes
        self._now = now
        self._ended = ended
        self._agenda = Agenda()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="ends", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)

    def soon(self) -> None:
        """Look now: a task was cancelled. Returns at once."""
        self._wake.set()

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping
        return None if alive else "the thread that ends tasks has ended: see the log."

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(timing.UNENDED_LOOK_SECONDS)
            self._wake.clear()
            try:
                self._look()
            except TaskStoreError as error:
                _log.warning("unended_tasks_unknown", reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - logged with its traceback; the next look is a second away
                _log.exception("unended_tasks_failed")

    def _look(self) -> None:
        resting = self._agenda.resting(time.monotonic())
        for record in self._store.unended(self._now(), limit=MOST, but_pools=resting):
            if self._stopping:
                return
            if self._agenda.begin(record.id):
                self._lanes.put(record.pool.uid, partial(self._end, record))

    def _end(self, record: TaskRecord) -> None:
        pool = record.pool.uid
        if self._agenda.postponed(record.id, pool, time.monotonic()):
            return
        try:
            self._ends.look(record)
        except GenPoolError as error:
            whole_pool = not isinstance(error, UnreadableLedger)
            count = self._agenda.failed(record.id, pool, time.monotonic(), whole_pool=whole_pool)
            log = _log.warning if count == 1 else _log.debug
            log("task_not_ended", task_key=record.id, reason=error.reason, message=error.message)
        except Exception:  # noqa: BLE001 - logged with its traceback; other tasks go on
            self._agenda.failed(record.id, pool, time.monotonic(), whole_pool=False)
            _log.exception("task_not_ended", task_key=record.id)
        else:
            self._agenda.done(record.id, pool, time.monotonic() + timing.CANCEL_COMMAND_SECONDS)
            self._ended()
