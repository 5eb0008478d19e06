"""State events of one vhost, from their durable queue into the task store: in groups, each once, acknowledged last."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, InvalidMessage, TaskStoreError
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import TaskEvent
from genpool_gateway.events.asked import AskedCallbacks
from genpool_gateway.events.ports import EventsQueue
from genpool_gateway.events.read import read_event, tells_of_dropped
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.tasks.change import change_of
from genpool_gateway.tasks.ports import EventStore, UnendedStore

_log = structlog.get_logger(__name__)
#: Events that the broker gives out ahead, and at most so many in one commit.
WINDOW = 256
#: Of its time the thread may store for one part in so many: events that come alone are stored at once, many that come
#: one by one are gathered, since a commit costs far more than one event more in it.
REST = 20
_RETRY = Backoff(timing.EVENT_STORE_RETRY_SECONDS, timing.EVENT_STORE_RETRY_MOST_SECONDS, spread=0.0)


class StateEvents:
    """A thread that stores what comes. An event that cannot be believed is dropped, and said in the log."""

    def __init__(
        self,
        store: EventStore,
        unended: UnendedStore,
        queue_: EventsQueue,
        callbacks: AskedCallbacks,
        *,
        place: str,
        on_dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._unended = unended
        self._callbacks = callbacks
        self._on_dropped = on_dropped
        self._queue = queue_
        self._place = place
        self._inbox: queue.Queue[Delivery | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"events {place}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def put(self, delivery: Delivery) -> None:
        """A delivery came; returns at once."""
        self._inbox.put(delivery)

    def stop(self, seconds: float) -> None:
        """Finish the group in hand; the rest is requeued by the broker."""
        self._stopping.set()
        self._inbox.put(None)
        self._thread.join(seconds)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping.is_set()
        return None if alive else "the thread that stores events has ended: see the log."

    def _run(self) -> None:
        while not self._stopping.is_set():
            group = self._group()
            began = time.monotonic()
            if group:
                self._store_group(group)
                self._stopping.wait(rest(len(group), time.monotonic() - began))

    def _group(self) -> list[Delivery]:
        first = self._inbox.get()
        group = [] if first is None else [first]
        while len(group) < WINDOW:
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                break
            if item is not None:
                group.append(item)
        return group

    def _store_group(self, group: Sequence[Delivery]) -> None:
        read = [(delivery, event) for delivery in group if (event := self._event(delivery)) is not None]
        told = [(delivery, change) for delivery, event in read if (change := change_of(event)) is not None]
        dropped = {change.task for delivery, change in told if tells_of_dropped(delivery, change)}
        failures = 0
        while not self._stopping.is_set():
            try:
                self._store.apply([change for _, change in told])
                self._unended.message_dropped(dropped)
                self._callbacks.publish([event for _, event in read])
            except (TaskStoreError, PoolsUnknown, BrokerError) as error:
                failures += 1
                _log.warning(
                    "events_not_stored", place=self._place, reason=error.reason, message=error.message
                )
                self._stopping.wait(_RETRY.seconds(failures))
            else:
                self._queue.ack_all(group)
                if dropped:
                    self._on_dropped()
                return

    def _event(self, delivery: Delivery) -> TaskEvent | None:
        try:
            event = read_event(delivery)
        except InvalidMessage as error:
            _log.warning("event_dropped", place=self._place, reason=error.reason, message=error.message)
            return None
        return event if isinstance(event, TaskEvent) else None


def rest(stored: int, seconds: float) -> float:
    """Seconds until the next group, after one of so many events took so long. Pure; a full one has others behind it."""
    return 0.0 if stored >= WINDOW else min(REST * seconds, timing.EVENT_REST_MOST_SECONDS)
