"""Announcements that nobody must wait for: heartbeats and progress. One thread publishes them, the newest win."""

from __future__ import annotations

import queue
import threading
import uuid

import structlog

from genpool_core import names
from genpool_core.errors import BrokerError
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import Event, WorkerHeartbeat
from genpool_worker.ports import Broker, Clock, Outgoing
from genpool_worker.status import Snapshot, Status

_log = structlog.get_logger(__name__)
HEARTBEAT_SECONDS = 5.0
_ROOM = 32
_PUBLISH_SECONDS = 5.0
_STOP_SECONDS = 0.5


def event_message(event: Event, kind: str) -> Outgoing:
    """An event as a message; not mandatory, since nobody may be listening."""
    return Outgoing(
        exchange=names.EVENTS_EXCHANGE,
        routing_key=names.event_routing_key(event.pool.uid, kind),
        body=event.model_dump_json().encode(),
        message_id=event.id,
        type=kind,
        mandatory=False,
    )


class Sender:
    """Owns the thread. What cannot be sent is dropped: the next one says more."""

    def __init__(self, broker: Broker, status: Status, pool: PoolRef, worker: str, clock: Clock) -> None:
        self._broker = broker
        self._status = status
        self._pool = pool
        self._worker = worker
        self._clock = clock
        self._waiting: queue.Queue[Outgoing] = queue.Queue(_ROOM)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        """Begin, with a heartbeat."""
        self._thread.start()

    def stop(self) -> None:
        """End; what waits is dropped."""
        self._stop.set()
        self._status.changed.set()
        self._thread.join(_STOP_SECONDS)

    def offer(self, event: Event, kind: str) -> None:
        """Take an event; dropped when too many wait."""
        try:
            self._waiting.put_nowait(event_message(event, kind))
        except queue.Full:
            _log.debug("event_dropped", type=kind)
        self._status.changed.set()

    def _run(self) -> None:
        next_beat = 0.0
        told: Snapshot | None = None
        while not self._stop.is_set():
            self._status.changed.wait(max(0.0, next_beat - self._clock.monotonic()))
            self._status.changed.clear()
            while not self._waiting.empty():
                self._publish(self._waiting.get_nowait())
            now = self._status.snapshot
            if now != told or self._clock.monotonic() >= next_beat:
                told = now
                next_beat = self._clock.monotonic() + HEARTBEAT_SECONDS
                self._publish(event_message(self._heartbeat(now), "worker.heartbeat"))

    def _publish(self, message: Outgoing) -> None:
        try:
            self._broker.publish(message, timeout=_PUBLISH_SECONDS)
        except BrokerError as error:
            _log.debug("event_not_sent", type=message.type, reason=error.reason)

    def _heartbeat(self, now: Snapshot) -> WorkerHeartbeat:
        return WorkerHeartbeat(
            id=str(uuid.uuid4()),
            pool=self._pool,
            worker=self._worker,
            time=self._clock.now(),
            state=now.state,
            task_key=now.task_key,
            since=now.since,
        )
