"""Heartbeats and progress: a thread publishes them, and nobody waits for it."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable

import structlog

from genpool_core import timing
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.messages.announcements import event_message
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import Event, UnavailableWorkflow, WorkerHeartbeat
from genpool_worker.ports import Broker, Clock, WedgeReport
from genpool_worker.status import StatusSnapshot, WorkerStatus

_log = structlog.get_logger(__name__)
_ROOM = 32


class HeartbeatThread:
    """Publishes a heartbeat every few seconds and at each change of the status, and the events that it is offered."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it tells of
        self,
        broker: Broker,
        status: WorkerStatus,
        pool: PoolRef,
        worker: str,
        clock: Clock,
        wedge: Callable[[], WedgeReport],
        unavailable: Callable[[], tuple[UnavailableWorkflow, ...] | None],
    ) -> None:
        self._broker = broker
        self._status = status
        self._pool = pool
        self._worker = worker
        self._clock = clock
        self._wedge = wedge
        self._unavailable = unavailable
        self._waiting: queue.Queue[OutgoingMessage] = queue.Queue(_ROOM)
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin, with a heartbeat."""
        self._thread.start()

    def stop(self) -> None:
        """End; events that wait are dropped."""
        self._stop.set()
        self._status.changed.set()
        self._thread.join(timing.HEARTBEAT_STOP_SECONDS)

    def beat(self) -> None:
        """Have a heartbeat published now. Returns at once; what is asked meanwhile is answered with one."""
        self._asked.set()
        self._status.changed.set()

    def offer(self, event: Event, kind: str) -> None:
        """Take an event; dropped when too many wait."""
        try:
            self._waiting.put_nowait(event_message(event, kind))
        except queue.Full:
            _log.debug("event_dropped", type=kind)
        self._status.changed.set()

    def settle(self) -> None:
        """Wait until what was offered is published or given up, ``EVENT_PUBLISH_SECONDS`` at most."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(self._is_settled, timing.EVENT_PUBLISH_SECONDS)

    def _is_settled(self) -> bool:
        return not self._waiting.unfinished_tasks or not self._thread.is_alive()

    def _run(self) -> None:
        next_beat = 0.0
        published: StatusSnapshot | None = None
        while not self._stop.is_set():
            self._status.changed.wait(max(0.0, next_beat - self._clock.monotonic()))
            self._status.changed.clear()
            while not self._waiting.empty():
                self._publish(self._waiting.get_nowait())
                self._waiting.task_done()
            snapshot = self._status.snapshot
            if snapshot != published or self._asked.is_set() or self._clock.monotonic() >= next_beat:
                self._asked.clear()
                published = snapshot
                next_beat = self._clock.monotonic() + timing.HEARTBEAT_SECONDS
                self._publish(event_message(self._heartbeat(snapshot), "worker.heartbeat"))

    def _publish(self, message: OutgoingMessage) -> None:
        try:
            self._broker.publish(message, timeout=timing.EVENT_PUBLISH_SECONDS)
        except BrokerError as error:
            _log.debug("event_not_sent", type=message.properties.type, reason=error.reason)

    def _heartbeat(self, snapshot: StatusSnapshot) -> WorkerHeartbeat:
        wedge, unavailable = self._wedge(), self._unavailable()
        return WorkerHeartbeat(
            id=str(uuid.uuid4()),
            pool=self._pool,
            worker=self._worker,
            time=self._clock.now(),
            state=snapshot.state,
            task_key=snapshot.task_key,
            since=snapshot.since,
            reason=None if snapshot.waits is None else snapshot.waits.reason,
            message=None if snapshot.waits is None else snapshot.waits.message,
            unavailable_workflows=None if unavailable is None else list(unavailable),
            wedged_seconds=wedge.seconds,
            wedged_times=wedge.times,
        )
