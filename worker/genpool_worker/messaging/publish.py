"""What the worker publishes about a task: events, the callback message, the dead letter."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import TypedDict

import structlog

from genpool_adapters.objectstore.port import ObjectStore
from genpool_core import egress_policy, identity, names, timing
from genpool_core.errors import BrokerError, Lasts, TaskFailure
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import EndRecord, Output
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.messages.base import SCHEMA_VERSION, PoolRef
from genpool_core.messages.callbacks import end_callback, to_callbacks_queue
from genpool_core.messages.events import (
    Event,
    MessageRejected,
    TaskClaimed,
    TaskEnded,
    TaskOutput,
    TaskPreview,
    TaskProgress,
    TaskRetried,
)
from genpool_core.workerconfig import WorkerConfig
from genpool_worker.errors import NoCopy
from genpool_worker.ports import Broker, Clock, Preview, ProgressReport

_log = structlog.get_logger(__name__)
_MAX_HEADER = 1000
#: Takes an event that nobody must wait for.
Offer = Callable[[Event, str], None]


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
        offer: Offer,
    ) -> None:
        self._broker = broker
        self._store = store
        self._config = config
        self._worker = worker
        self._clock = clock
        self._offer = offer

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
        self._offer(event, event.type)

    def preview(self, ref: TaskRef, attempt: int, preview: Preview) -> None:
        """A picture of what ComfyUI works on. Never raises, never waits."""
        event = TaskPreview(
            id=str(uuid.uuid4()),
            **self._fields(ref, attempt),
            content_type=preview.content_type,
            image=base64.b64encode(preview.data).decode(),
        )
        self._offer(event, event.type)

    def output(self, ref: TaskRef, attempt: int, output: Output) -> None:
        """A result was stored, of an attempt that is not over. Never raises, never waits."""
        event = TaskOutput(
            id=identity.output_event_id(output.key), **self._fields(ref, attempt), output=output
        )
        self._offer(event, event.type)

    def retried(self, ref: TaskRef, attempt: int, failure: TaskFailure, delay_seconds: int) -> None:
        """Another attempt follows. Tried once, never raises: the retry itself is in its delay step."""
        event = TaskRetried(
            id=str(uuid.uuid4()),
            **self._fields(ref, attempt),
            reason=failure.reason,
            message=failure.message,
            delay_seconds=delay_seconds,
        )
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
        """A run has ended: the same event however often, and by whichever worker, it is published."""
        event = TaskEnded(
            id=identity.end_id(end.task_key, end.run),
            pool=self._config.pool,
            worker=end.worker,
            time=end.ended_at,
            task_id=end.task_id,
            task_key=end.task_key,
            run=end.run,
            attempt=end.attempt,
            outcome=end.outcome,
            reason=end.reason,
            message=end.message,
            outputs=end.outputs,
            record=announced(end),
        )
        self._broker.publish(event_message(event, event.type))

    def callback(self, end: EndRecord) -> None:
        """Ask the gateway to tell the receiver, if there is one. Links are signed anew each time."""
        if end.callback_url is None:
            return
        links = {output.key: self._store.sign(output.key) for output in end.outputs}
        config = self._config
        message = end_callback(end, end.callback_url, config.pool, allow=config.callback_hosts, links=links)
        self._broker.publish(to_callbacks_queue(message))

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


def announced(end: EndRecord) -> EndRecord:
    """The record as an event carries it: without the query of the callback's URL, which may be a secret."""
    if end.callback_url is None:
        return end
    return end.model_copy(update={"callback_url": egress_policy.redact(end.callback_url)})


def event_message(event: Event, kind: str) -> OutgoingMessage:
    """An event as a message; not mandatory, since there may be no queue for it."""
    return OutgoingMessage(
        exchange=names.EVENTS_EXCHANGE,
        routing_key=names.event_routing_key(event.pool.uid, kind),
        body=event.model_dump_json().encode(),
        properties=Properties(message_id=event.id, type=kind),
        mandatory=False,
    )


def copy_of(  # noqa: PLR0913 - in what the copy differs
    delivery: Delivery,
    exchange: str,
    routing_key: str,
    own: Mapping[str, headers.HeaderValue],
    *,
    pool_uid: str,
    new_id: str | None = None,
    expires: bool = False,
) -> OutgoingMessage:
    """The message of a delivery, to be published once more as it came, with ``own`` in place of GenPool's headers.

    Owner and run stay, as far as their sender is believed in the pool ``pool_uid``: without them the copy would be
    another task.

    ``expires``: its ``expiration`` stays in force. Otherwise a header keeps it: in a delay step or a dead-letter queue
    the message would be deleted by it.
    """
    properties = delivery.properties
    return OutgoingMessage(
        exchange=exchange,
        routing_key=routing_key,
        body=delivery.body,
        headers={
            **headers.theirs(delivery.headers),
            **_notes(delivery, expires=expires),
            **_identity(delivery, pool_uid),
            **own,
        },
        properties=replace(
            properties,
            message_id=new_id or properties.message_id,
            user_id=None,
            expiration=properties.expiration if expires else None,
        ),
        verbatim=True,
    )


def bare(message: OutgoingMessage) -> OutgoingMessage:
    """A copy with nothing of the producer's but body, id and priority; a header names what it lacks."""
    kept = {key: value for key, value in message.headers.items() if key.startswith(headers.PREFIX)}
    lacks = [key for key in message.headers if key not in kept]
    properties = message.properties
    few = Properties(message_id=properties.message_id, priority=properties.priority)
    lacks += [item.name for item in fields(few) if getattr(few, item.name) != getattr(properties, item.name)]
    kept[headers.LEFT_OUT] = headers.left_out(kept.get(headers.LEFT_OUT), lacks)
    return replace(message, headers=kept, properties=few)


def _identity(delivery: Delivery, pool_uid: str) -> dict[str, headers.HeaderValue]:
    trusted = headers.of_task(delivery.headers, delivery.properties.user_id, pool_uid)
    return {key: trusted[key] for key in headers.OF_THE_GATEWAY if key in trusted}


def _notes(delivery: Delivery, *, expires: bool) -> dict[str, headers.HeaderValue]:
    """What earlier copies of the message noted, and what this one has to note."""
    trusted = headers.ours(
        delivery.headers, believed=names.pool_of_user(delivery.properties.user_id) is not None
    )
    notes = {key: trusted[key] for key in (headers.LEFT_OUT, headers.EXPIRATION) if key in trusted}
    if delivery.unreadable:
        notes[headers.LEFT_OUT] = headers.left_out(notes.get(headers.LEFT_OUT), delivery.unreadable)
    if delivery.properties.expiration and not expires:
        notes[headers.EXPIRATION] = delivery.properties.expiration
    return notes


def reason_headers(reason: str, message: str, *, attempts: int) -> dict[str, headers.HeaderValue]:
    """The headers that say why a message is a dead letter."""
    return {headers.REASON: reason, headers.MESSAGE: message[:_MAX_HEADER], headers.ATTEMPTS: attempts}
