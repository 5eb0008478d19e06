"""What the worker publishes about a task: events, the callback message, the dead letter."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Protocol, TypedDict

import structlog

from genpool_adapters.objectstore.port import ObjectStore
from genpool_core import identity, timing
from genpool_core.errors import BrokerError, Lasts, TaskFailure
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import EndRecord, Output
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.messages.announcements import callback_message, ended_event, event_message
from genpool_core.messages.base import SCHEMA_VERSION, PoolRef
from genpool_core.messages.copies import bare, copy_of
from genpool_core.messages.events import (
    Event,
    MessageRejected,
    TaskClaimed,
    TaskOutput,
    TaskPreview,
    TaskProgress,
    TaskRetried,
)
from genpool_core.workerconfig import WorkerConfig
from genpool_worker.errors import NoCopy
from genpool_worker.ports import Broker, Clock, Preview, ProgressReport

_log = structlog.get_logger(__name__)


class Announcer(Protocol):
    """Takes events that nobody must wait for."""

    def offer(self, event: Event, kind: str) -> None:
        """Have an event published soon, or not at all. Never raises, never waits."""

    def settle(self) -> None:
        """Wait until what was offered is published or given up, ``EVENT_PUBLISH_SECONDS`` at most. Never raises."""


class _AttemptFields(TypedDict):
    """Fields that the events of a running attempt have in common."""

    pool: PoolRef
    worker: str
    time: datetime
    task_id: str
    task_key: str
    run: int
    attempt: int


class TaskPublisher:
    """Publishes for one worker. A method that does not say otherwise raises BrokerError until the broker confirms."""

    def __init__(
        self,
        broker: Broker,
        store: ObjectStore,
        config: WorkerConfig,
        worker: str,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._broker = broker
        self._store = store
        self._config = config
        self._worker = worker
        self._clock = clock
        self._announcer = announcer

    def claimed(self, ref: TaskRef, attempt: int, workflow: str | None) -> None:
        """An attempt began. Tried once, never raises: a broker that is away must not stop the GPU."""
        event = TaskClaimed(
            id=identity.claim_event_id(ref.key, ref.run, attempt),
            **self._fields(ref, attempt),
            workflow=workflow,
        )
        self._try(event, event.type)

    def progress(self, ref: TaskRef, attempt: int, report: ProgressReport) -> None:
        """Progress of an attempt. Never raises, never waits."""
        event = TaskProgress(id=str(uuid.uuid4()), **self._fields(ref, attempt), **asdict(report))
        self._announcer.offer(event, event.type)

    def preview(self, ref: TaskRef, attempt: int, preview: Preview) -> None:
        """A picture of what ComfyUI works on. Never raises, never waits."""
        event = TaskPreview(
            id=str(uuid.uuid4()),
            **self._fields(ref, attempt),
            content_type=preview.content_type,
            image=base64.b64encode(preview.data).decode(),
        )
        self._announcer.offer(event, event.type)

    def output(self, ref: TaskRef, attempt: int, output: Output) -> None:
        """A result was stored, of an attempt that is not over. Never raises, never waits."""
        event = TaskOutput(
            id=identity.output_event_id(output.key), **self._fields(ref, attempt), output=output
        )
        self._announcer.offer(event, event.type)

    def retried(self, ref: TaskRef, attempt: int, failure: TaskFailure, delay_seconds: int) -> None:
        """Another attempt follows. Tried once, never raises: the retry itself is in its delay step."""
        event = TaskRetried(
            id=str(uuid.uuid4()),
            **self._fields(ref, attempt),
            reason=failure.reason,
            message=failure.message,
            delay_seconds=delay_seconds,
        )
        self._announcer.settle()
        self._try(event, event.type)

    def rejected(self, failure: TaskFailure) -> None:
        """A message was no task. Tried once, never raises: the dead letter says it too."""
        event = MessageRejected(
            id=str(uuid.uuid4()),
            pool=self._config.pool,
            worker=self._worker,
            time=self._clock.now(),
            reason=failure.reason,
            message=failure.message,
        )
        self._try(event, event.type)

    def ended(self, end: EndRecord) -> None:
        """A run has ended: the same event however often, and by whichever worker, it is published.

        Behind all that was offered of it: a watcher hears of the last result before it hears that it was the last.
        """
        self._announcer.settle()
        event = ended_event(end, self._config.pool)
        self._broker.publish(event_message(event, event.type))

    def callback(self, end: EndRecord) -> None:
        """Ask the gateway to tell the receiver, if there is one. Links are signed anew each time."""
        signed = {output.key: self._store.sign(output.key) for output in end.outputs}
        urls = {key: url for key, url in signed.items() if url is not None}
        message = callback_message(end, self._config.pool, self._config.callback_hosts, urls)
        if message is not None:
            self._broker.publish(message)

    def dead_letter(self, delivery: Delivery, reason: Mapping[str, headers.HeaderValue]) -> None:
        """Publish a copy of a message to the dead-letter queue, with the reason in its headers."""
        own = {headers.SCHEMA: SCHEMA_VERSION, **reason}
        self.copy(copy_of(delivery, "", self._config.dead_queue, own, pool_uid=self._config.pool.uid))

    def copy(self, message: OutgoingMessage) -> None:
        """Publish a copy of a message; where RabbitMQ will never accept it, without the producer's own headers.

        Raises
        ------
        NoCopy
            It accepts that neither.
        """
        try:
            self._broker.publish(message)
        except BrokerError as error:
            if error.lasts is not Lasts.NEVER:
                raise
            _log.warning("copy_refused", message=error.message, target=message.target)
            self._bare_copy(message)

    def _bare_copy(self, message: OutgoingMessage) -> None:
        try:
            self._broker.publish(bare(message))
        except BrokerError as error:
            if error.lasts is not Lasts.NEVER:
                raise
            raise NoCopy(error.message) from error

    def _fields(self, ref: TaskRef, attempt: int) -> _AttemptFields:
        return {
            "pool": self._config.pool,
            "worker": self._worker,
            "time": self._clock.now(),
            "task_id": ref.task_id,
            "task_key": ref.key,
            "run": ref.run,
            "attempt": attempt,
        }

    def _try(self, event: Event, kind: str) -> None:
        try:
            self._broker.publish(event_message(event, kind), timeout=timing.EVENT_PUBLISH_SECONDS)
        except BrokerError as error:
            _log.warning("event_not_sent", type=kind, reason=error.reason, message=error.message)
