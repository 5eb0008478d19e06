"""Progress, previews and heartbeats: heard by every gateway, told to those who watch, kept nowhere else."""

from __future__ import annotations

from typing import Protocol

import structlog

from genpool_core.errors import InvalidMessage
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import TaskPreview, TaskProgress, WorkerHeartbeat
from genpool_gateway.events.read import read_event

_log = structlog.get_logger(__name__)


_PROGRESS = {"run", "attempt", "value", "node", "nodes_done", "nodes_total", "step", "steps", "message"}


class PassingWatchers(Protocol):
    """Those who watch tasks."""

    def pass_on(self, task: str, pool: str, kind: str, data: JsonObject) -> None:
        """Tell of something that is not stored, which a worker of the pool with this UID announced.

        Returns at once, from any thread.
        """


class PassingWorkers(Protocol):
    """What is known of workers."""

    def heard(self, beat: WorkerHeartbeat) -> None:
        """A heartbeat came; returns at once, from any thread."""


class PassingEvents:
    """Passes events on as they come, in the broker's thread."""

    def __init__(self, watchers: PassingWatchers, workers: PassingWorkers) -> None:
        self._watchers = watchers
        self._workers = workers

    def put(self, delivery: Delivery) -> None:
        """A delivery came; returns at once."""
        try:
            event = read_event(delivery)
        except InvalidMessage as error:
            _log.debug("event_dropped", reason=error.reason, message=error.message)
            return
        about: JsonObject
        match event:
            case TaskProgress():
                about = event.model_dump(mode="json", include=_PROGRESS)
                self._watchers.pass_on(event.task_key, event.pool.uid, "progress", about)
            case TaskPreview():
                about = {"run": event.run, "content_type": event.content_type, "image": event.image}
                self._watchers.pass_on(event.task_key, event.pool.uid, "preview", about)
            case WorkerHeartbeat():
                self._workers.heard(event)
            case _:
                pass
