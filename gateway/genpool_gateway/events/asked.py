"""Callbacks that a task's sender asked for while it runs: its starts and its outputs. The end's is the worker's.

A message is published after the change was stored and before its event is acknowledged: so one may come twice, under
the same id, and none is lost. Workers know nothing of it: what was asked for stands in the task store.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from genpool_core.api.security import HostRule
from genpool_core.errors import BrokerError, Lasts
from genpool_core.messages.announcements import to_callbacks_queue
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.events import TaskClaimed, TaskEvent, TaskOutput
from genpool_gateway.pools.ports import VhostPublisher
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import TaskReader
from genpool_gateway.tasks.record import TaskRecord

_log = structlog.get_logger(__name__)
Told = TaskClaimed | TaskOutput


def callback_asked(record: TaskRecord, event: Told, allow: Sequence[HostRule]) -> CallbackMessage | None:
    """The callback that a task's sender asked for at this event; None where it did not. Pure."""
    submission = record.submission
    name = "start" if isinstance(event, TaskClaimed) else "output"
    if submission is None or name not in submission.callback_events or record.callback_url is None:
        return None
    if record.erased_at is not None or record.pool.uid != event.pool.uid:
        # A worker speaks for its own pool's tasks only.
        return None
    return CallbackMessage(id=event.id, url=record.callback_url, allow=list(allow), event=event)


class AskedCallbacks:
    """Publishes them. Called by the thread that stores events."""

    def __init__(self, reader: TaskReader, pools: PoolSource, publisher: VhostPublisher) -> None:
        self._reader = reader
        self._pools = pools
        self._publisher = publisher

    def publish(self, events: Sequence[TaskEvent]) -> None:
        """Publish what these events, which are stored, call for.

        Raises
        ------
        TaskStoreError, PoolsUnknown, BrokerError
            It cannot be done now: call it again with the same events.
        """
        told = [event for event in events if isinstance(event, TaskClaimed | TaskOutput)]
        if not told:
            return
        records = {record.id: record for record in self._reader.get_all({event.task_key for event in told})}
        asked = [
            message
            for event in told
            if (record := records.get(event.task_key)) is not None
            and (message := callback_asked(record, event, self._allow(record))) is not None
        ]
        if asked:
            self._publish(asked)

    def _allow(self, record: TaskRecord) -> Sequence[HostRule]:
        submission = record.submission
        if submission is None or not {"start", "output"} & set(submission.callback_events):
            return ()
        pool = self._pools.snapshot().by_uid(record.pool.uid)
        return () if pool is None else pool.callback_hosts or ()

    def _publish(self, asked: Sequence[CallbackMessage]) -> None:
        try:
            self._publisher.publish([to_callbacks_queue(message) for message in asked])
        except BrokerError as error:
            if error.lasts is not Lasts.NEVER:
                raise
            # Tried again it would fail again, and hold up all events behind it.
            _log.exception("callbacks_refused", message=error.message)
