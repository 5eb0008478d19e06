"""Tells how many messages in a work queue are of tasks that the gateway has ended, and takes them out of idle queues.

The operator starts no pod for them. Where a worker consumes, it drops them; where nobody does, the gateway takes them
out itself.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from genpool_adapters.amqp.values import QueueCount
from genpool_core import timing
from genpool_core.errors import BrokerError, GenPoolError
from genpool_core.messages.announcements import event_message
from genpool_core.messages.events import GatewayBacklog
from genpool_gateway.janitor.lanes import Lanes
from genpool_gateway.janitor.ports import PoolBroker, WorkQueuePasses
from genpool_gateway.janitor.take_out import MOST, QueueSeen, may_take_out, reported, sort_out
from genpool_gateway.pools.pool import Serving
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import UnendedStore

_log = structlog.get_logger(__name__)


@dataclass
class _Told:
    """What is known of a pool's queue from the looks before."""

    cancelled: int = 0
    changed_at: float = 0.0
    """When the number became what it is, in monotonic seconds."""
    zero_since: float | None = None
    """Since when each count of its queue was 0; None: the last one was not, or was not known."""
    passed_at: float | None = None
    worn_until: float = 0.0
    busy: bool = False
    over: bool = False
    """Nothing is left, and that was told."""


class Backlog:
    """A thread that counts and tells; the pools' threads ask the broker."""

    def __init__(  # noqa: PLR0913 - what it is put together of
        self,
        store: UnendedStore,
        pools: PoolSource,
        broker: PoolBroker,
        queues: WorkQueuePasses,
        lanes: Lanes,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._store = store
        self._pools = pools
        self._broker = broker
        self._queues = queues
        self._lanes = lanes
        self._now = now
        self._told: dict[str, _Told] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backlog", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Tell nothing more."""
        self._stop.set()
        self._wake.set()
        self._thread.join(seconds)

    def soon(self) -> None:
        """Tell now: the number has changed. Returns at once."""
        self._wake.set()

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stop.is_set()
        return None if alive else "the thread that counts messages of cancelled tasks has ended: see the log."

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(timing.BACKLOG_SECONDS)
            # Of many changes in a row, some are told.
            self._stop.wait(timing.BACKLOG_LEAST_SECONDS)
            self._wake.clear()
            try:
                self._tell()
            except GenPoolError as error:
                _log.warning("backlog_unknown", reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - logged with its traceback; the next look is seconds away
                _log.exception("backlog_failed")

    def _tell(self) -> None:
        counts = self._store.count_messages_left()
        self._told = {uid: told for uid, told in self._told.items() if not told.over}
        if not counts and not self._told:
            return
        snapshot = self._pools.snapshot()
        for uid in {*counts, *self._told}:
            told = self._told.setdefault(uid, _Told())
            pool = snapshot.by_uid(uid)
            if pool is None or pool.serving is None:
                self._told.pop(uid)
            elif not told.busy:
                told.busy = True
                self._lanes.put(
                    f"backlog {uid}", partial(self._tell_pool, pool.serving, counts.get(uid, 0), told)
                )

    def _tell_pool(self, serving: Serving, cancelled: int, told: _Told) -> None:
        try:
            if cancelled != told.cancelled:
                told.cancelled, told.changed_at = cancelled, self._monotonic()
            count = self._count(serving, told) if cancelled else None
            zero_for = 0.0 if told.zero_since is None else self._monotonic() - told.zero_since
            self._publish(serving, reported(cancelled, None if count is None else count.ready, zero_for))
            if count is not None:
                self._take_out(serving, cancelled, told, count)
            told.over = cancelled == 0
        except GenPoolError as error:
            _log.info("backlog_not_told", reason=error.reason, message=error.message)
        except Exception:  # noqa: BLE001 - logged with its traceback; the next look is seconds away
            _log.exception("backlog_not_told")
        finally:
            told.busy = False

    def _count(self, serving: Serving, told: _Told) -> QueueCount | None:
        """The queue's figures; None where they are not known: what was cancelled is told all the same."""
        try:
            count = self._broker.count(serving)
        except BrokerError as error:
            _log.info("queue_not_counted", queue=serving.queue, reason=error.reason, message=error.message)
            count = None
        if count is None or count.ready:
            told.zero_since = None
        elif told.zero_since is None:
            told.zero_since = self._monotonic()
        return count

    def _publish(self, serving: Serving, cancelled: int) -> None:
        event = GatewayBacklog(
            id=str(uuid.uuid4()),
            pool=serving.config.pool,
            worker="",
            time=self._now(),
            cancelled=cancelled,
        )
        self._broker.publish(serving, event_message(event, event.type))

    def _take_out(self, serving: Serving, cancelled: int, told: _Told, count: QueueCount) -> None:
        now = self._monotonic()
        seen = QueueSeen(
            cancelled=cancelled,
            unchanged=now - told.changed_at,
            ready=count.ready,
            consumers=count.consumers,
            waited=None if told.passed_at is None else now - told.passed_at,
            worn=now < told.worn_until,
        )
        if not may_take_out(seen):
            return
        told.passed_at = now
        uid = serving.config.pool.uid
        ended = self._store.messages_left(uid)
        with self._queues.holding(serving, MOST) as held:
            found = sort_out(held.deliveries, uid, ended)
            held.drop(found.drop)
        if found.worn:
            told.worn_until = now + 100 * timing.TAKE_OUT_SECONDS
        gone = {task for task, _ in ended} if held.whole else found.dropped
        self._store.message_dropped(gone)
        _log.info("messages_taken_out", queue=serving.queue, messages=len(found.drop), kept=len(found.keep))
        self.soon()
